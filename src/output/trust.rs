//! Tokens and the audit log, for people at a terminal.

use super::style;
use super::table::{self, Align};
use crate::farm::Me;
use platefarm_model::trust::{AuditEntry, TokenView};
use platefarm_model::{Secret, Timestamp};

/// A time as ISO 8601 has it, in UTC, to the second.
pub(super) fn time(at: Timestamp) -> String {
    // Days from the civil calendar: Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms".
    let seconds = at.0.div_euclid(1_000_000);
    let (days, second) = (seconds.div_euclid(86_400), seconds.rem_euclid(86_400));
    let shifted = days + 719_468;
    let (era, day) = (shifted.div_euclid(146_097), shifted.rem_euclid(146_097));
    let year = (day - day / 1_460 + day / 36_524 - day / 146_096) / 365;
    let day = day - (365 * year + year / 4 - year / 100);
    let month = (5 * day + 2) / 153;
    let date = day - (153 * month + 2) / 5 + 1;
    let month = if month < 10 { month + 3 } else { month - 9 };
    let year = year + era * 400 + i64::from(month <= 2);
    let (h, m, s) = (second / 3600, second / 60 % 60, second % 60);
    format!("{year:04}-{month:02}-{date:02} {h:02}:{m:02}:{s:02}Z")
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
    table::print(
        &[
            ("ID", Align::Left),
            ("STATE", Align::Left),
            ("ROLE", Align::Left),
            ("SHOWS", Align::Left),
            ("NAME", Align::Left),
            ("KIND", Align::Left),
            ("EXPIRES", Align::Left),
            ("USED", Align::Left),
        ],
        &rows,
    );
}

pub(super) fn token_made(token: &TokenView, word: Option<&Secret>) {
    eprintln!(
        "token {} for '{}': {}, shows {}, expires {}",
        token.id,
        token.name,
        token.role,
        shows(&token.shows),
        maybe(token.expires, "never")
    );
    if let Some(word) = word {
        eprintln!("Its word follows, once. Keep it in a file that only its holder can read:");
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
    let rows: Vec<Vec<String>> = entries
        .iter()
        .map(|entry| {
            vec![
                time(entry.at),
                entry.who.clone(),
                entry.role.to_string(),
                entry.action.clone(),
                entry.subject.clone(),
                style::state(entry.outcome.as_deref().unwrap_or("begun")),
                entry.from.clone(),
                entry.detail.clone(),
            ]
        })
        .collect();
    table::print(
        &[
            ("TIME", Align::Left),
            ("WHO", Align::Left),
            ("ROLE", Align::Left),
            ("ACTION", Align::Left),
            ("ABOUT", Align::Left),
            ("OUTCOME", Align::Left),
            ("FROM", Align::Left),
            ("DETAIL", Align::Left),
        ],
        &rows,
    );
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
}
