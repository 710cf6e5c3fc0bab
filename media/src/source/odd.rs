//! Frames whose own timecode is not the one that follows from their clip's
//! start: a camera that was started anew, files of another take, a clock that
//! jumped. Opening a clip looks at some frames; here it is kept what every
//! frame said when it was read.

use platefarm_model::Timecode;
use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

/// Timecodes that did not follow, by the index of their frame.
#[derive(Default)]
pub(super) struct OddTimecodes(Mutex<BTreeMap<i64, Timecode>>);

impl OddTimecodes {
    /// Compares what a frame says with what follows from the start. Where either says nothing
    /// there is nothing to compare.
    pub(super) fn note(&self, index: i64, expected: Option<Timecode>, found: Option<Timecode>) {
        let (Some(expected), Some(found)) = (expected, found) else { return };
        if expected.fields() != found.fields() {
            self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(index, found);
        }
    }

    /// What the frame said, where it was read and did not follow.
    pub(super) fn of(&self, index: i64) -> Option<Timecode> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).get(&index).copied()
    }
}
