//! Who may do what: roles, tokens and the audit log, as values.
//!
//! A token is known to the farm by its hash only. What is shown of it is its
//! id, the first twelve digits of that hash, so a token that was found
//! somewhere can be named and revoked without being said.

use crate::{Code, Fault, Outcome, Timestamp, limits};
use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

/// What somebody is on the farm.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Sees.
    Viewer,
    /// Sees, submits, and steers the jobs of its shows.
    Submitter,
    /// Does what a submitter does, and runs the farm.
    Operator,
    /// Takes tasks and reports them; a program, not a person.
    Worker,
    /// Does everything that people do, and says who may enter.
    Admin,
}

impl Role {
    /// Every role.
    pub const ALL: [Self; 5] =
        [Self::Viewer, Self::Submitter, Self::Operator, Self::Worker, Self::Admin];

    /// Its name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Viewer => "viewer",
            Self::Submitter => "submitter",
            Self::Operator => "operator",
            Self::Worker => "worker",
            Self::Admin => "admin",
        }
    }

    /// Whether this role may do what `needed` may. People's roles hold all
    /// below them; a worker's holds nothing but itself.
    #[must_use]
    pub const fn covers(self, needed: Self) -> bool {
        const fn height(role: Role) -> u8 {
            match role {
                Role::Viewer => 1,
                Role::Submitter => 2,
                Role::Operator => 3,
                Role::Admin => 4,
                Role::Worker => 0,
            }
        }
        match (self, needed) {
            (Self::Worker, Self::Worker) => true,
            (Self::Worker, _) | (_, Self::Worker) => false,
            _ => height(self) >= height(needed),
        }
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Role {
    type Err = Fault;

    fn from_str(text: &str) -> Result<Self, Fault> {
        Self::ALL.into_iter().find(|role| role.name().eq_ignore_ascii_case(text)).ok_or_else(|| {
            Fault::new(Code::UnknownOption, format!("'{text}' is not a role"))
                .remedy("Choose one of: viewer, submitter, operator, worker, admin.")
        })
    }
}

/// What somebody asks for who makes a token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewToken {
    /// Whose it is, or what for: shown in lists and in the audit log.
    pub name: String,
    /// What its holder is.
    pub role: Role,
    /// Shows that its holder sees; none means all.
    pub shows: Vec<String>,
    /// Seconds that it is good for; none means until it is revoked.
    pub lifetime_s: Option<u64>,
    /// SHA-256 of the client certificate that stands for it, as 64 hex digits;
    /// none makes a new word.
    pub certificate: Option<String>,
}

impl NewToken {
    /// Checks what can be checked without a farm.
    ///
    /// # Errors
    /// [`Code::BadSpec`] naming the field.
    pub fn check(&self) -> Outcome<()> {
        let bad = |message: String, place: &str| Err(Fault::new(Code::BadSpec, message).at(place));
        let named = |text: &str| {
            (1..=limits::MAX_NAME_BYTES).contains(&text.len())
                && !text.chars().any(char::is_control)
        };
        if !named(&self.name) {
            return bad(format!("a name has 1 to {} bytes", limits::MAX_NAME_BYTES), "name");
        }
        if let Some(show) = self.shows.iter().find(|show| !named(show)) {
            return bad(format!("'{show}' cannot be a show"), "shows");
        }
        if self.role == Role::Worker && !self.shows.is_empty() {
            return bad(
                "a worker serves the whole farm; its token cannot be for shows".into(),
                "shows",
            );
        }
        if self.lifetime_s == Some(0) {
            return bad("a token that is good for no time".into(), "lifetime_s");
        }
        let hex = |text: &String| text.len() == 64 && text.bytes().all(|b| b.is_ascii_hexdigit());
        if self.certificate.as_ref().is_some_and(|text| !hex(text)) {
            return bad("a fingerprint is 64 hex digits of SHA-256".into(), "certificate");
        }
        Ok(())
    }
}

/// What stands for a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TokenKind {
    /// A word that is sent with every call.
    Word,
    /// A client certificate that is shown when a connection is made.
    Certificate,
}

impl TokenKind {
    /// Its name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Word => "word",
            Self::Certificate => "certificate",
        }
    }
}

/// A token as people see it. The word itself is nowhere.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TokenView {
    /// First twelve hex digits of its hash.
    pub id: String,
    /// Whose it is.
    pub name: String,
    /// What stands for it.
    pub kind: TokenKind,
    /// What its holder is.
    pub role: Role,
    /// Shows that its holder sees; none means all.
    pub shows: Vec<String>,
    /// When it was made.
    pub created: Timestamp,
    /// Who made it.
    pub created_by: String,
    /// When it ends by itself.
    pub expires: Option<Timestamp>,
    /// When it was revoked.
    pub revoked: Option<Timestamp>,
    /// When it was last used, to the minute.
    pub used: Option<Timestamp>,
}

impl TokenView {
    /// Whether it opens anything at `now`.
    #[must_use]
    pub fn is_good(&self, now: Timestamp) -> bool {
        self.revoked.is_none() && self.expires.is_none_or(|end| now < end)
    }

    /// `good`, `expired` or `revoked`.
    #[must_use]
    pub fn state(&self, now: Timestamp) -> &'static str {
        match self.revoked {
            Some(_) => "revoked",
            None if self.is_good(now) => "good",
            None => "expired",
        }
    }
}

/// One line of the audit log: what somebody asked for, and what came of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuditEntry {
    /// Grows with time.
    pub id: String,
    /// When it was asked.
    pub at: Timestamp,
    /// Name of the token, or `local` where nobody has to say who they are.
    pub who: String,
    /// Its id; empty where there is none.
    pub token: String,
    /// Its role.
    pub role: Role,
    /// Address that it was asked from.
    pub from: String,
    /// What was called: `Farm/CancelJob`.
    pub action: String,
    /// What it was about: `j12`, a show, a token.
    pub subject: String,
    /// The question's fields, shortened.
    pub detail: String,
    /// `ok`, or the code of the refusal; none: begun, and the end was not recorded.
    pub outcome: Option<String>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn roles_hold_those_below_them_and_workers_stand_apart() {
        use Role::{Admin, Operator, Submitter, Viewer, Worker};
        let people = [Viewer, Submitter, Operator, Admin];
        for (i, high) in people.into_iter().enumerate() {
            for (j, low) in people.into_iter().enumerate() {
                assert_eq!(high.covers(low), i >= j, "{high} {low}");
            }
            assert!(!high.covers(Worker) && !Worker.covers(high));
            assert_eq!(high.name().parse::<Role>().unwrap(), high);
        }
        assert!(Worker.covers(Worker));
    }

    #[test]
    fn a_token_that_makes_no_sense_is_not_made() {
        let good = NewToken {
            name: "nuke".into(),
            role: Role::Submitter,
            shows: vec!["atlas".into()],
            lifetime_s: Some(60),
            certificate: None,
        };
        assert!(good.check().is_ok());
        let place = |token: NewToken| token.check().unwrap_err().place.unwrap();
        assert_eq!(place(NewToken { name: String::new(), ..good.clone() }), "name");
        assert_eq!(place(NewToken { shows: vec!["a\nb".into()], ..good.clone() }), "shows");
        assert_eq!(place(NewToken { role: Role::Worker, ..good.clone() }), "shows");
        assert_eq!(place(NewToken { lifetime_s: Some(0), ..good.clone() }), "lifetime_s");
        assert_eq!(place(NewToken { certificate: Some("ab".into()), ..good }), "certificate");
    }
}
