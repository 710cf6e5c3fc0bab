//! How far the package is, told by whoever does a part of it, on any thread.
//!
//! Whoever watches sees it; and the farm sees that it goes on. A package is one
//! frame, which may take an hour, and a frame that counts no progress is taken
//! for hung: so what is read of large files counts as well.

use crate::leash::Leash;
use platefarm_media::storage::bytes_read;
use platefarm_model::making::{Making, Stage};
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// How often it is looked whether something was read.
const LOOK: Duration = Duration::from_secs(1);

/// One stage.
pub(crate) struct Meter<'a> {
    leash: &'a Leash,
    so_far: Mutex<Making>,
}

impl<'a> Meter<'a> {
    /// Begins a stage of so many files and bytes; 0, where nobody knows.
    pub(crate) fn begin(leash: &'a Leash, stage: Stage, total: usize, total_bytes: u64) -> Self {
        let so_far = Making::begin(stage, total as u64, total_bytes);
        leash.making(so_far);
        Self { leash, so_far: Mutex::new(so_far) }
    }

    /// One more is done, of so many bytes.
    pub(crate) fn did(&self, bytes: u64) {
        let mut so_far = self.so_far.lock().unwrap_or_else(PoisonError::into_inner);
        so_far.done += 1;
        so_far.bytes += bytes;
        self.leash.making(*so_far);
    }
}

/// Does `work`, of which every look that finds more read is progress.
pub(super) fn reading<T>(leash: &Leash, work: impl FnOnce() -> T) -> T {
    let (ended, end) = channel::<()>();
    std::thread::scope(|scope| {
        scope.spawn(move || {
            let mut before = bytes_read();
            while end.recv_timeout(LOOK) == Err(RecvTimeoutError::Timeout) {
                let now = bytes_read();
                if now != before {
                    leash.moves();
                }
                before = now;
            }
        });
        // Dropped also where the work panics, so that the one who looks ends.
        let ended = ended;
        let done = work();
        drop(ended);
        done
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_done_is_counted_and_is_progress() {
        let leash = Leash::free();
        assert_eq!(leash.pulse().making, None);
        let meter = Meter::begin(&leash, Stage::Checking, 2, 30);
        let before = leash.pulse();
        assert_eq!(before.making, Some(Making::begin(Stage::Checking, 2, 30)));
        meter.did(10);
        let after = leash.pulse();
        let wanted = Making { done: 1, bytes: 10, ..Making::begin(Stage::Checking, 2, 30) };
        assert_eq!(after.making, Some(wanted));
        assert!(after.progress > before.progress);
        // A word that was overtaken takes nothing back; another stage begins anew.
        leash.making(Making::begin(Stage::Checking, 2, 30));
        assert_eq!(leash.pulse().making, Some(wanted));
        Meter::begin(&leash, Stage::Sealing, 9, 0);
        assert_eq!(leash.pulse().making, Some(Making::begin(Stage::Sealing, 9, 0)));
    }

    #[test]
    fn what_is_read_is_progress() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("large");
        std::fs::write(&path, [7; 1024]).unwrap();
        let leash = Leash::free();
        let moved = reading(&leash, || {
            let begun = std::time::Instant::now();
            while leash.pulse().progress == 0 && begun.elapsed() < Duration::from_secs(60) {
                platefarm_media::storage::read(&path).unwrap();
                std::thread::sleep(Duration::from_millis(10));
            }
            leash.pulse().progress
        });
        assert!(moved > 0);
    }
}
