//! How far a task may go. The agent shortens it while the task runs: when the
//! scheduler takes the back half of a lease, when a lease is lost, when the
//! process is asked to leave. The pipeline asks it before each stage of each
//! frame, so that what is in hand is finished and nothing new is begun.

use std::sync::{Mutex, PoisonError};

/// The last frame that a task may still do. It only ever gets shorter.
#[derive(Debug)]
pub struct Leash(Mutex<State>);

#[derive(Debug)]
struct State {
    /// Last frame that may be done; `None` stops everything at once.
    last: Option<i64>,
    /// Highest frame that was begun.
    begun: Option<i64>,
}

impl Leash {
    /// A leash that allows frames up to `last`.
    #[must_use]
    pub const fn new(last: i64) -> Self {
        Self(Mutex::new(State { last: Some(last), begun: None }))
    }

    /// A leash without an end.
    #[must_use]
    pub const fn free() -> Self {
        Self::new(i64::MAX)
    }

    fn state(&self) -> std::sync::MutexGuard<'_, State> {
        // The state is two numbers that are always whole, whoever panicked.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Begins `frame`, if it is still wanted. Frames are begun in ascending order.
    #[must_use]
    pub fn begin(&self, frame: i64) -> bool {
        let mut state = self.state();
        let allowed = state.last.is_some_and(|last| frame <= last);
        if allowed {
            state.begun = Some(state.begun.map_or(frame, |b| b.max(frame)));
        }
        allowed
    }

    /// Whether `frame`, once begun, is still wanted.
    #[must_use]
    pub fn allows(&self, frame: i64) -> bool {
        self.state().last.is_some_and(|last| frame <= last)
    }

    /// Whether the task was stopped.
    #[must_use]
    pub fn is_stopped(&self) -> bool {
        self.state().last.is_none()
    }

    /// Nothing after `last` any more.
    pub fn shorten(&self, last: i64) {
        let mut state = self.state();
        state.last = state.last.map(|l| l.min(last));
    }

    /// Nothing that is not begun yet: what is in hand is finished.
    pub fn wind_down(&self) {
        let mut state = self.state();
        state.last = match (state.last, state.begun) {
            (Some(last), Some(begun)) => Some(last.min(begun)),
            _ => None,
        };
    }

    /// Nothing any more; what is in hand is dropped.
    pub fn stop(&self) {
        self.state().last = None;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_only_gets_shorter() {
        let leash = Leash::new(10);
        assert!(leash.begin(10) && !leash.begin(11));
        leash.shorten(5);
        leash.shorten(8);
        assert!(leash.allows(5) && !leash.allows(6));
        leash.stop();
        leash.shorten(100);
        assert!(!leash.allows(1) && leash.is_stopped());
    }

    #[test]
    fn winding_down_keeps_what_is_in_hand() {
        let leash = Leash::new(10);
        assert!(leash.begin(1) && leash.begin(2));
        leash.wind_down();
        assert!(leash.allows(2) && !leash.begin(3));

        let idle = Leash::new(10);
        idle.wind_down();
        assert!(!idle.begin(1));
    }
}
