//! What holds for all pulls of a show, as it is typed: to a farm with `shows
//! defaults`, to a library without one with `library shows`.

use crate::cli::typed;
use platefarm_media::storage;
use platefarm_model::{Code, Fault, FrameRate, Outcome};
use platefarm_scheduler::library::ShowChange;
use platefarm_scheduler::pulls::delivery;
use std::path::{Path, PathBuf};
use std::str::FromStr;

/// What is said of a show's pulls; its name stands before it.
#[derive(clap::Args)]
pub(super) struct DefaultTerms {
    /// Rate of its edit lists.
    #[arg(long, requires = "name", value_name = "FPS")]
    rate: Option<FrameRate>,
    /// Delivery spec: a shipped profile, or a file.
    #[arg(long, requires = "name", value_name = "NAME|FILE")]
    spec: Option<String>,
    /// Framing decision list.
    #[arg(long, requires = "name", value_name = "FILE")]
    fdl: Option<PathBuf>,
    /// ACES metadata file with its look.
    #[arg(long, requires = "name", value_name = "FILE")]
    amf: Option<PathBuf>,
    /// Take a value back: rate, spec, fdl or amf; again for more.
    #[arg(long, requires = "name", value_name = "WHAT")]
    clear: Vec<What>,
    /// Forget which clips were chosen.
    #[arg(long, requires = "name")]
    forget_choices: bool,
}

/// One of the values.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum What {
    Rate,
    Spec,
    Fdl,
    Amf,
}

impl What {
    const ALL: [(&str, Self); 4] =
        [("rate", Self::Rate), ("spec", Self::Spec), ("fdl", Self::Fdl), ("amf", Self::Amf)];
}

impl FromStr for What {
    type Err = Fault;

    fn from_str(text: &str) -> Outcome<Self> {
        let found = Self::ALL.iter().find(|(name, _)| *name == text).map(|(_, what)| *what);
        found.ok_or_else(|| typed::unread(text, "value", "Write rate, spec, fdl or amf."))
    }
}

impl DefaultTerms {
    /// What is to be changed; nothing, where nothing was said.
    ///
    /// # Errors
    /// [`Code::UnknownOption`] for a spec that there is not, [`Code::Usage`] for a value that is
    /// set and taken back.
    pub(super) fn change(self) -> Outcome<ShowChange> {
        let whole = |path: PathBuf| Outcome::Ok(storage::absolute(&path)?.display().to_string());
        let mut change = ShowChange {
            rate: self.rate.map(|rate| rate.to_string()),
            spec: self.spec.map(spec).transpose()?,
            fdl: self.fdl.map(whole).transpose()?,
            amf: self.amf.map(whole).transpose()?,
            forget_choices: self.forget_choices,
        };
        for what in self.clear {
            let (name, value) = match what {
                What::Rate => ("rate", &mut change.rate),
                What::Spec => ("spec", &mut change.spec),
                What::Fdl => ("fdl", &mut change.fdl),
                What::Amf => ("amf", &mut change.amf),
            };
            if value.as_ref().is_some_and(|said| !said.is_empty()) {
                return Err(Fault::new(Code::Usage, format!("--{name} is set and taken back"))
                    .at("--clear")
                    .remedy(format!("Say --{name}, or --clear {name}.")));
            }
            *value = Some(String::new());
        }
        Ok(change)
    }
}

/// A shipped profile by its name, or a file by its whole path.
fn spec(spec: String) -> Outcome<String> {
    if delivery::profile(&spec).is_some() {
        return Ok(spec);
    }
    let path = Path::new(&spec);
    if path.exists() {
        return Ok(storage::absolute(path)?.display().to_string());
    }
    Err(Fault::new(Code::UnknownOption, format!("'{spec}' is neither a file nor a shipped spec"))
        .at("--spec")
        .remedy(format!("Choose one of {}, or name a file.", delivery::names())))
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser;

    #[derive(Parser)]
    struct Typed {
        name: Option<String>,
        #[command(flatten)]
        terms: DefaultTerms,
    }

    fn change(words: &[&str]) -> Outcome<ShowChange> {
        let typed = Typed::parse_from([&["shows", "atlas"], words].concat());
        assert_eq!(typed.name.as_deref(), Some("atlas"));
        typed.terms.change()
    }

    #[test]
    fn what_is_said_is_set_and_what_is_cleared_taken_back() {
        assert!(change(&[]).unwrap().is_empty());
        let said = change(&["--rate", "23.976", "--spec", "review", "--clear", "fdl"]).unwrap();
        let text = |text: &str| Some(text.to_owned());
        let wanted = ShowChange {
            rate: text("24000/1001"),
            spec: text("review"),
            fdl: text(""),
            ..ShowChange::default()
        };
        assert_eq!(said, wanted);
        // A file is meant from where we are.
        let here = std::env::current_dir().unwrap();
        let fdl = change(&["--fdl", "show.fdl"]).unwrap().fdl.unwrap();
        assert_eq!(fdl, here.join("show.fdl").display().to_string());
        let both = change(&["--rate", "24", "--clear", "rate"]).unwrap_err();
        assert_eq!((both.code, both.place.as_deref()), (Code::Usage, Some("--clear")));
        let none = change(&["--spec", "no-such"]).unwrap_err();
        assert_eq!((none.code, none.place.as_deref()), (Code::UnknownOption, Some("--spec")));
        let unread = Typed::try_parse_from(["shows", "atlas", "--clear", "look"]);
        assert!(unread.is_err());
    }
}
