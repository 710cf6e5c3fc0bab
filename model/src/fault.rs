//! The one error value of the house.
//!
//! A fault carries what a person needs to act: a stable code, the value that
//! was wrong, the place it was found, and the remedy. It is plain data, so it
//! travels from a render to the scheduler, the report and the terminal without
//! being reworded; the technical cause travels with it as text.

use crate::address;
use crate::code::{Code, Owner};
use serde::{Deserialize, Serialize};

/// The result of anything that can go wrong.
pub type Outcome<T> = Result<T, Fault>;

/// An error, or a warning, as people and programs see it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fault {
    /// Stable code.
    pub code: Code,
    /// What happened, with the offending value; lower case, no full stop.
    pub message: String,
    /// Where: a file, a line, an offset, a field, a frame.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub place: Option<String>,
    /// What to do, where this case knows better than the code's general remedy.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub remedy: Option<String>,
    /// The technical cause, innermost last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cause: Option<String>,
}

impl Fault {
    /// A fault with a code and a message that names the value.
    #[must_use]
    pub fn new(code: Code, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), place: None, remedy: None, cause: None }
    }

    /// Says where. The innermost place wins: it is the most exact.
    #[must_use]
    pub fn at(mut self, place: impl Into<String>) -> Self {
        self.place.get_or_insert_with(|| place.into());
        self
    }

    /// Puts `outer` before the place: `outer: place`.
    #[must_use]
    pub fn within(mut self, outer: impl std::fmt::Display) -> Self {
        self.place = Some(match self.place {
            Some(inner) => format!("{outer}: {inner}"),
            None => outer.to_string(),
        });
        self
    }

    /// A remedy that fits this case better than the code's general one.
    #[must_use]
    pub fn remedy(mut self, remedy: impl Into<String>) -> Self {
        self.remedy = Some(remedy.into());
        self
    }

    /// Keeps the technical cause, with everything behind it; addresses in it lose what may open something.
    #[must_use]
    pub fn because(mut self, error: &(dyn std::error::Error + 'static)) -> Self {
        let mut text = error.to_string();
        let mut next = error.source();
        while let Some(inner) = next {
            text.push_str(": ");
            text.push_str(&inner.to_string());
            next = inner.source();
        }
        self.cause = Some(address::shown_in(&text));
        self
    }

    /// Who has to act.
    #[must_use]
    pub fn owner(&self) -> Owner {
        self.code.info().owner
    }

    /// The remedy to show.
    #[must_use]
    pub fn remedy_text(&self) -> &str {
        self.remedy.as_deref().unwrap_or(self.code.info().remedy)
    }
}

impl std::fmt::Display for Fault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}: {}", self.code, self.message)?;
        if let Some(place) = &self.place {
            write!(f, " [{place}]")?;
        }
        if let Some(cause) = &self.cause {
            write!(f, ": {cause}")?;
        }
        Ok(())
    }
}

impl std::error::Error for Fault {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fault_names_code_value_place_and_cause() {
        let io = std::io::Error::other("device gone");
        let fault = Fault::new(Code::FileUnreadable, "cannot read 'a.dng'")
            .at("offset 12")
            .within("clip A001")
            .because(&io);
        assert_eq!(
            fault.to_string(),
            "F0102: cannot read 'a.dng' [clip A001: offset 12]: device gone"
        );
        assert_eq!(fault.remedy_text(), Code::FileUnreadable.info().remedy);
    }

    /// Libraries put the whole address into their errors.
    #[test]
    fn a_cause_says_no_password() {
        let io = std::io::Error::other("GET http://farm:s3cr3t@s3.lan/ocf?key=s3cr3t: refused");
        let fault = Fault::new(Code::StorageFailed, "the object store failed").because(&io);
        assert_eq!(fault.cause.as_deref(), Some("GET http://s3.lan/ocf refused"));
    }

    #[test]
    fn a_fault_survives_json_and_an_unknown_code_is_not_lost() {
        let fault = Fault::new(Code::DiskFull, "4096 bytes did not fit").remedy("Free 4 KiB.");
        let json = serde_json::to_string(&fault).unwrap();
        assert_eq!(serde_json::from_str::<Fault>(&json).unwrap(), fault);
        let newer = r#"{"code":"F9999","message":"from a later version"}"#;
        assert_eq!(serde_json::from_str::<Fault>(newer).unwrap().code, Code::Internal);
    }
}
