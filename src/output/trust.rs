//! Tokens and the audit log, for people at a terminal.

use super::style;
use super::table::{self, Align};
use crate::farm::Me;
use platefarm_model::trust::{AuditEntry, TokenView};
use platefarm_model::utc::Utc;
use platefarm_model::{Secret, Timestamp};

/// A time as ISO 8601 has it, in UTC, to the second.
pub(super) fn time(at: Timestamp) -> String {
    format!("{}Z", Utc::from(at).spaced())
}

fn maybe(at: Option<Timestamp>, none: &str) -> String {
    at.map_or_else(|| none.to_owned(), time)
}

fn shows(shows: &[String]) -> String {
    if shows.is_empty() { "all".into() } else { shows.join(", ") }
}

pub(super) fn tokens(tokens: &[TokenView], now: Timestamp) {
    if tokens.is_empty() {
        say!("no tokens");
        return;
    }
    let rows: Vec<Vec<String>> = tokens
        .iter()
        .map(|token| {
            vec![
                token.id.clone(),
                style::state(token.state(now)),
                token.role.to_string(),
                shows(&token.shows),
                token.name.clone(),
                token.kind.name().to_owned(),
                maybe(token.expires, "never"),
                maybe(token.used, "never"),
            ]
        })
        .collect();
    table::print_without(
        &["USED", "KIND"],
        &[
            ("ID", Align::Key),
            ("STATE", Align::Left),
            ("ROLE", Align::Left),
            ("SHOWS", Align::Left),
            ("NAME", Align::Left),
            ("KIND", Align::Left),
            ("EXPIRES", Align::Key),
            ("USED", Align::Key),
        ],
        &rows,
    );
}

pub(super) fn token_made(token: &TokenView, word: Option<&Secret>) {
    tell!(
        "token {} for '{}': {}, shows {}, expires {}",
        token.id,
        token.name,
        token.role,
        shows(&token.shows),
        maybe(token.expires, "never")
    );
    if let Some(word) = word {
        tell!("Its word follows, once. Keep it in a file that only its holder can read:");
        say!("{}", word.expose());
    }
}

pub(super) fn caller(me: &Me) {
    say!("{}  {}  shows {}", style::strong(&me.name), me.role, shows(&me.shows));
    if me.token.is_empty() {
        say!("this farm does not ask who calls from its own machine");
    } else {
        say!("token {}", me.token);
    }
}

pub(super) fn audit(entries: &[AuditEntry]) {
    if entries.is_empty() {
        say!("nothing");
        return;
    }
    say!("{}", audit_text(entries, style::width()).trim_end());
}

/// Room in which a time has its year, in columns.
const WIDE: usize = 120;

/// `2026-11-30 18:04:09Z`; where there is little room without the year.
pub(super) fn time_in(at: Timestamp, room: usize) -> String {
    let whole = time(at);
    if room >= WIDE { whole } else { whole[5..].trim_end_matches('Z').to_owned() }
}

fn audit_text(entries: &[AuditEntry], room: usize) -> String {
    let row = |entry: &AuditEntry| {
        vec![
            time_in(entry.at, room),
            entry.who.clone(),
            entry.role.to_string(),
            entry.action.clone(),
            entry.subject.clone(),
            style::state(entry.outcome.as_deref().unwrap_or("begun")),
            entry.from.clone(),
            entry.detail.clone(),
        ]
    };
    let rows: Vec<Vec<String>> = entries.iter().map(row).collect();
    let header = [
        ("TIME", Align::Key),
        ("WHO", Align::Left),
        ("ROLE", Align::Left),
        ("ACTION", Align::Left),
        ("ABOUT", Align::Left),
        ("OUTCOME", Align::Left),
        ("FROM", Align::Left),
        ("DETAIL", Align::Left),
    ];
    table::render_without(&["FROM"], &header, &rows, room)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_those_of_date() {
        // As `date -u -d @N` prints them.
        for (seconds, text) in [
            (0, "1970-01-01 00:00:00Z"),
            (951_782_400, "2000-02-29 00:00:00Z"),
            (1_798_675_199, "2026-12-30 23:59:59Z"),
            (4_107_542_400, "2100-03-01 00:00:00Z"),
        ] {
            assert_eq!(time(Timestamp(seconds * 1_000_000)), text);
        }
    }

    #[test]
    fn a_narrow_audit_says_when_and_a_wide_one_all() {
        let entry = AuditEntry {
            id: "1".into(),
            at: Timestamp(1_798_675_199_000_000),
            who: "night-operator".into(),
            token: "4f1c9a03be77".into(),
            role: platefarm_model::trust::Role::Operator,
            from: "10.20.30.40:51234".into(),
            action: "Farm/ControlJob".into(),
            subject: "j1234".into(),
            detail: "target.job=1234 cancel".into(),
            outcome: Some("ok".into()),
        };
        let narrow = audit_text(std::slice::from_ref(&entry), 80);
        assert!(narrow.contains("12-30 23:59:59 ") && !narrow.contains("FROM"), "{narrow}");
        assert!(narrow.lines().all(|line| line.chars().count() <= 80), "{narrow}");
        let wide = audit_text(&[entry], 160);
        assert!(wide.contains("2026-12-30 23:59:59Z") && wide.contains("10.20.30.40"), "{wide}");
    }
}
