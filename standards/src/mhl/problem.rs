//! What can be wrong with a history or with what it covers, each kind with its
//! word and with the exit code that the reference tool has for it.

use platefarm_model::{Code, Fault};

/// Something that is wrong.
#[derive(Clone, Debug, PartialEq)]
pub struct Problem {
    /// What kind it is.
    pub kind: Kind,
    /// What it is about: a path, the number of a generation, or what is invalid; may be empty.
    pub subject: String,
    /// The whole story.
    pub fault: Fault,
}

macro_rules! kinds {
    ($($(#[$doc:meta])* $name:ident $word:literal $code:ident $exit:literal;)*) => {
        /// A kind of problem, in the order in which the exit code of several is chosen: first those
        /// for which the reference tool has one.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum Kind {
            $($(#[$doc])* $name,)*
        }

        impl Kind {
            /// Every kind.
            pub const ALL: &[Self] = &[$(Self::$name,)*];

            /// Its word.
            #[must_use]
            pub const fn word(self) -> &'static str {
                match self { $(Self::$name => $word,)* }
            }

            /// Code of its faults.
            #[must_use]
            pub const fn code(self) -> Code {
                match self { $(Self::$name => Code::$code,)* }
            }

            /// Exit code: the reference tool's, or that of what it takes the same thing for; else 3 (the media).
            #[must_use]
            pub const fn exit_code(self) -> u8 {
                match self { $(Self::$name => $exit,)* }
            }
        }
    };
}

kinds! {
    /// There is no history.
    NoHistory "no_history" BadManifest 30;
    /// A history without its chain file.
    ChainMissing "chain_missing" BadManifest 32;
    /// A manifest of the chain is not there.
    ManifestMissing "manifest_missing" BadManifest 33;
    /// A manifest is not what the chain says.
    ManifestModified "manifest_modified" BadManifest 31;
    /// A file is not what its hash says.
    Modified "modified" HashMismatch 11;
    /// A file is what its hash says, which is not written as the specification asks.
    Unclear "modified?" HashMismatch 11;
    /// The hashes of a directory are not those that were sealed.
    DirectoryModified "directory_modified" HashMismatch 12;
    /// A file or directory that no manifest has.
    New "new" ExtraFiles 21;
    /// A file or directory that is not there.
    Missing "missing" MissingFiles 10;
    /// What a manifest says cannot be used: no hash of it is believed.
    ManifestInvalid "manifest_invalid" BadManifest 11;
    /// A manifest lacks what the schema or the specification asks for: an entry counts for nothing.
    ManifestSchema "manifest_schema" BadManifest 21;
    /// The chain file cannot be used.
    ChainInvalid "chain_invalid" BadManifest 3;
    /// The generations of the chain are not 1, 2, 3 and so on.
    ChainSequence "chain_sequence_invalid" BadManifest 3;
    /// A manifest that is there is not in the chain.
    ManifestUnlisted "manifest_not_in_chain" BadManifest 3;
    /// A history that the one above it refers to is not there.
    HistoryMissing "history_missing" BadManifest 3;
    /// A manifest is not what the history above it refers to.
    ReferenceMismatch "reference_mismatch" BadManifest 3;
    /// A file could not be read.
    Unreadable "unreadable" FileUnreadable 4;
}

impl Kind {
    /// Whether it is the history that is wrong, and not what it covers.
    #[must_use]
    pub const fn is_of_history(self) -> bool {
        matches!(self.code(), Code::BadManifest)
    }
}

impl Problem {
    pub(super) fn new(kind: Kind, subject: impl Into<String>, message: impl Into<String>) -> Self {
        Self { kind, subject: subject.into(), fault: Fault::new(kind.code(), message) }
    }

    /// With the place of its fault.
    pub(super) fn at(mut self, place: impl Into<String>) -> Self {
        self.fault.place = Some(place.into());
        self
    }

    /// A problem of a file: its path is the subject and the place.
    pub(super) fn of_file(kind: Kind, path: &str, message: impl Into<String>) -> Self {
        Self::new(kind, path, message).at(path)
    }

    /// `modified:Clips/a.mov`, `manifest_missing:2`, `chain_missing`.
    #[must_use]
    pub fn word(&self) -> String {
        match self.subject.as_str() {
            // Which values are written oddly is in the story; the verdict is one.
            _ if self.kind == Kind::Unclear => self.kind.word().to_owned(),
            "" => self.kind.word().to_owned(),
            subject => format!("{}:{subject}", self.kind.word()),
        }
    }

    /// A problem that reading a file came to, which no history tells of.
    #[must_use]
    pub fn unreadable(path: &str, fault: Fault) -> Self {
        Self { kind: Kind::Unreadable, subject: path.to_owned(), fault }
    }
}

impl From<Problem> for Fault {
    fn from(problem: Problem) -> Self {
        problem.fault
    }
}

/// The words of problems, each once, in order.
#[must_use]
pub fn words(problems: &[Problem]) -> Vec<String> {
    let mut seen = std::collections::HashSet::new();
    problems.iter().map(Problem::word).filter(|word| seen.insert(word.clone())).collect()
}

/// The exit code of several problems: that of the gravest kind; 0 when there is none.
#[must_use]
pub fn exit_code(problems: &[Problem]) -> u8 {
    problems.iter().map(|problem| problem.kind).min().map_or(0, Kind::exit_code)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_and_codes_are_told_apart() {
        for (i, kind) in Kind::ALL.iter().enumerate() {
            assert_eq!(*kind as usize, i);
            assert_ne!(kind.exit_code(), 0);
            assert!(Kind::ALL[..i].iter().all(|other| other.word() != kind.word()));
        }
        // The reference tool's order among what it finds in the data: 11, 21, 20, 10.
        let all = [Kind::Missing, Kind::New, Kind::Modified];
        let problems = all.map(|kind| Problem::new(kind, "a", "b"));
        assert_eq!(exit_code(&problems), 11);
        assert_eq!(exit_code(&problems[..2]), 21);
        assert_eq!(exit_code(&problems[..1]), 10);
        assert_eq!(exit_code(&[]), 0);
    }
}
