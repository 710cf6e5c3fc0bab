//! How far something is that is made of many files under one frame: a package.
//! It is for people who watch, and decides nothing.

use serde::{Deserialize, Serialize};
use std::fmt;

/// What is done with the files.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Stage {
    /// Frames get the names that workers owe them which are gone.
    Naming,
    /// Frames are read again and held against their hashes.
    Checking,
    /// Plates are drawn for the report.
    Drawing,
    /// Frames go into movies.
    Filming,
    /// Documents and pictures are written.
    Writing,
    /// The gate reads what is to be released.
    Examining,
    /// The manifest is made.
    Sealing,
}

impl Stage {
    /// All of them.
    pub const ALL: [Self; 7] = [
        Self::Naming,
        Self::Checking,
        Self::Drawing,
        Self::Filming,
        Self::Writing,
        Self::Examining,
        Self::Sealing,
    ];

    /// What it does, in words.
    #[must_use]
    pub const fn words(self) -> &'static str {
        match self {
            Self::Naming => "naming frames",
            Self::Checking => "checking frames",
            Self::Drawing => "drawing plates",
            Self::Filming => "making movies of frames",
            Self::Writing => "writing files",
            Self::Examining => "examining frames",
            Self::Sealing => "sealing files",
        }
    }
}

/// How far it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Making {
    /// What is done.
    pub stage: Stage,
    /// How many of them are done.
    pub done: u64,
    /// Of how many; 0: nobody knows yet.
    pub total: u64,
    /// Bytes of those that are done; 0 where they are not counted.
    pub bytes: u64,
    /// Bytes of all of them; 0 likewise.
    pub total_bytes: u64,
}

impl Making {
    /// A stage that begins.
    #[must_use]
    pub const fn begin(stage: Stage, total: u64, total_bytes: u64) -> Self {
        Self { stage, done: 0, total, bytes: 0, total_bytes }
    }
}

/// `sealing files, 12 of 2000`.
impl fmt::Display for Making {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { stage, done, total, .. } = self;
        match total {
            0 => write!(f, "{}, {done}", stage.words()),
            total => write!(f, "{}, {done} of {total}", stage.words()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_says_how_far_it_is() {
        let half = Making { done: 12, ..Making::begin(Stage::Sealing, 2000, 0) };
        assert_eq!(half.to_string(), "sealing files, 12 of 2000");
        let open = Making { done: 3, ..Making::begin(Stage::Writing, 0, 0) };
        assert_eq!(open.to_string(), "writing files, 3");
    }
}
