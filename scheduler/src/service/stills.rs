//! Small pictures of frames that workers have just rendered, for people who
//! watch. They are kept in memory by the scheduler that leads, the last of each
//! step, up to a bound, and are nobody's record: what is delivered stands with
//! the plates. No picture is opened here.

use platefarm_model::{Code, Fault, JobId, Outcome, StepId};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Bytes of all of them.
const MOST_BYTES: usize = 64 * 1024 * 1024;
/// Bytes of one.
const LARGEST: usize = 256 * 1024;
/// How a PNG file begins (PNG 1.2, section 3.1).
const PNG: &[u8] = b"\x89PNG\r\n\x1a\n";

/// The last picture of a step.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Still {
    pub(crate) frame: i64,
    pub(crate) png: Arc<[u8]>,
    /// The later, the larger.
    age: u64,
}

#[derive(Debug, Default)]
struct Kept {
    of: BTreeMap<StepId, Still>,
    by_age: BTreeMap<u64, StepId>,
    bytes: usize,
    next: u64,
}

impl Kept {
    fn remove(&mut self, step: StepId) {
        if let Some(still) = self.of.remove(&step) {
            self.by_age.remove(&still.age);
            self.bytes -= still.png.len();
        }
    }
}

/// Pictures by step.
#[derive(Clone, Debug, Default)]
pub(crate) struct Stills(Arc<Mutex<Kept>>);

impl Stills {
    fn held(&self) -> MutexGuard<'_, Kept> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Keeps the last picture of a step; the oldest go when there is no room.
    ///
    /// # Errors
    /// `F0508` for what is no picture, or too large for one.
    pub(super) fn put(&self, step: StepId, frame: i64, png: Vec<u8>) -> Outcome<()> {
        if !png.starts_with(PNG) || png.len() > LARGEST {
            let message = format!("{} bytes that are no small PNG file", png.len());
            return Err(Fault::new(Code::BadSpec, message).at("png"));
        }
        let mut kept = self.held();
        kept.remove(step);
        while kept.bytes + png.len() > MOST_BYTES {
            let Some((_, oldest)) = kept.by_age.first_key_value().map(|(a, s)| (*a, *s)) else {
                break;
            };
            kept.remove(oldest);
        }
        kept.next += 1;
        let age = kept.next;
        kept.bytes += png.len();
        kept.by_age.insert(age, step);
        kept.of.insert(step, Still { frame, png: png.into(), age });
        Ok(())
    }

    /// The last picture of a step.
    pub(crate) fn of(&self, step: StepId) -> Option<Still> {
        self.held().of.get(&step).cloned()
    }

    /// Steps of a job that have one, with its frame; the last that was shown first.
    pub(crate) fn of_job(&self, job: JobId) -> Vec<(u32, i64)> {
        let kept = self.held();
        let steps = StepId { job, index: 0 }..=StepId { job, index: u32::MAX };
        let mut found: Vec<_> = kept.of.range(steps).collect();
        found.sort_by_key(|(_, still)| std::cmp::Reverse(still.age));
        found.into_iter().map(|(step, still)| (step.index, still.frame)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn png(bytes: usize) -> Vec<u8> {
        let mut png = PNG.to_vec();
        png.resize(bytes, 0);
        png
    }

    #[test]
    fn the_last_of_each_step_is_kept_and_the_oldest_go() {
        let stills = Stills::default();
        let step = |job, index| StepId { job: JobId(job), index };
        stills.put(step(1, 0), 1001, png(100)).unwrap();
        stills.put(step(1, 4), 1001, png(100)).unwrap();
        stills.put(step(1, 0), 1007, png(50)).unwrap();
        stills.put(step(2, 0), 9, png(50)).unwrap();
        assert_eq!(stills.of_job(JobId(1)), [(0, 1007), (4, 1001)]);
        assert_eq!(stills.of(step(1, 0)).unwrap().png.len(), 50);
        assert_eq!(stills.held().bytes, 200);
        for index in 0..1000 {
            stills.put(step(3, index), 1, png(LARGEST)).unwrap();
        }
        assert!(stills.held().bytes <= MOST_BYTES && stills.of_job(JobId(1)).is_empty());
        assert_eq!(stills.of_job(JobId(3)).len(), MOST_BYTES / LARGEST);
        for bad in [Vec::new(), b"<svg onload=alert(1)>".to_vec(), png(LARGEST + 1)] {
            assert_eq!(stills.put(step(1, 0), 1, bad).unwrap_err().code, Code::BadSpec);
        }
    }
}
