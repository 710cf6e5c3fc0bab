//! The one place of the scheduler that reads a clock.

use platefarm_model::Timestamp;
use std::time::{Instant, SystemTime, UNIX_EPOCH};

/// The time of day as it was at the start, carried on by a clock that never
/// jumps: a corrected system clock must not expire every lease.
#[derive(Clone, Copy, Debug)]
pub(super) struct Clock {
    start: Instant,
    micros: i64,
}

impl Clock {
    pub(super) fn new() -> Self {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Self { start: Instant::now(), micros: i64::try_from(since.as_micros()).unwrap_or(i64::MAX) }
    }

    pub(super) fn now(&self) -> Timestamp {
        let passed = i64::try_from(self.start.elapsed().as_micros()).unwrap_or(i64::MAX);
        Timestamp(self.micros.saturating_add(passed))
    }
}
