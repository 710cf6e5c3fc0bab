//! How far a task may go. The agent shortens it while the task runs: when the
//! scheduler takes the back half of a lease, when a lease is lost, when the
//! process is asked to leave. The pipeline asks it before each stage of each
//! frame, so that what is in hand is finished and nothing new is begun.
//!
//! It also says how the task stands ([`Leash::pulse`]): the scheduler gives
//! frames to others only when their holder has said that it will not do them.

use platefarm_model::making::Making;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use std::sync::{Mutex, MutexGuard, PoisonError};
use tokio::sync::Notify;

/// The last frame that a task may still do. It only ever gets shorter.
#[derive(Debug)]
pub struct Leash {
    state: Mutex<State>,
    shortened: Notify,
}

#[derive(Debug)]
struct State {
    /// Last frame that may be done; `None` stops everything at once.
    last: Option<i64>,
    /// Whether nothing more is to be begun.
    winding_down: bool,
    /// Highest frame that was begun.
    begun: Option<i64>,
    /// Begun and not ended.
    in_hand: BTreeSet<i64>,
    /// Stages that were begun.
    progress: u64,
    /// How far the package is, where the frame in hand is one.
    making: Option<Making>,
    /// What the process says that does the task, where that is another one.
    told: Option<Pulse>,
}

/// How a task stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pulse {
    /// The last frame that it will do, at least the ones in hand; none: it does nothing more.
    pub last: Option<i64>,
    /// The lowest frame that is begun and not ended.
    pub in_hand: Option<i64>,
    /// Grows with each stage of a frame.
    pub progress: u64,
    /// How far the package is, where the frame in hand is one.
    pub making: Option<Making>,
}

/// What a process that does the task is to be told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Wish {
    /// Nothing after this frame.
    Shorten(i64),
    /// Nothing that is not begun yet.
    WindDown,
    /// Nothing any more.
    Stop,
}

impl Leash {
    /// A leash that allows frames up to `last`.
    #[must_use]
    pub const fn new(last: i64) -> Self {
        let state = State {
            last: Some(last),
            winding_down: false,
            begun: None,
            in_hand: BTreeSet::new(),
            progress: 0,
            making: None,
            told: None,
        };
        Self { state: Mutex::new(state), shortened: Notify::const_new() }
    }

    /// A leash without an end.
    #[must_use]
    pub const fn free() -> Self {
        Self::new(i64::MAX)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // The state is numbers that are always whole, whoever panicked.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Begins `frame`, if it is still wanted. Frames are begun in ascending order.
    #[must_use]
    pub fn begin(&self, frame: i64) -> bool {
        let mut state = self.state();
        let allowed = state.last.is_some_and(|last| frame <= last);
        if allowed {
            state.begun = Some(state.begun.map_or(frame, |b| b.max(frame)));
            state.in_hand.insert(frame);
            state.progress += 1;
        }
        allowed
    }

    /// Whether `frame`, once begun, is still wanted. Asking is progress.
    #[must_use]
    pub fn allows(&self, frame: i64) -> bool {
        let mut state = self.state();
        state.progress += 1;
        state.last.is_some_and(|last| frame <= last)
    }

    /// `frame` has an outcome.
    pub fn ended(&self, frame: i64) {
        let mut state = self.state();
        state.in_hand.remove(&frame);
        state.making = None;
        state.progress += 1;
    }

    /// How far the package in hand is. Of one stage the farthest word counts: threads overtake.
    pub fn making(&self, making: Making) {
        let mut state = self.state();
        let is_ahead = |said: Making| said.stage != making.stage || said.done <= making.done;
        if state.making.is_none_or(is_ahead) {
            state.making = Some(making);
        }
        state.progress += 1;
    }

    /// Something moves that nobody counts.
    pub fn moves(&self) {
        self.state().progress += 1;
    }

    /// The last frame that may be done; none: nothing more.
    #[must_use]
    pub fn last(&self) -> Option<i64> {
        self.state().last
    }

    /// Whether the task was stopped.
    #[must_use]
    pub fn is_stopped(&self) -> bool {
        self.state().last.is_none()
    }

    /// Nothing after `last` any more, but what is begun: it is finished, or it is done and its
    /// report is under way, which a heartbeat may overtake.
    pub fn shorten(&self, last: i64) {
        let mut state = self.state();
        let begun = state.begun.unwrap_or(last);
        state.last = state.last.map(|l| l.min(last.max(begun)));
        drop(state);
        self.shortened.notify_one();
    }

    /// Nothing that is not begun yet: what is in hand is finished.
    pub fn wind_down(&self) {
        let mut state = self.state();
        state.winding_down = true;
        state.last = match (state.last, state.begun) {
            (Some(last), Some(begun)) => Some(last.min(begun)),
            _ => None,
        };
        drop(state);
        self.shortened.notify_one();
    }

    /// Nothing any more; what is in hand is dropped.
    pub fn stop(&self) {
        self.state().last = None;
        self.shortened.notify_one();
    }

    /// How the task stands, as far as is known here.
    #[must_use]
    pub fn pulse(&self) -> Pulse {
        let state = self.state();
        state.told.unwrap_or(Pulse {
            last: state.last,
            in_hand: state.in_hand.first().copied(),
            progress: state.progress,
            making: state.making,
        })
    }

    /// Another process does a part of the task, up to `last`, and this is how
    /// it stands there. One that goes to the end of its part goes on with the next.
    pub fn told(&self, last: i64, mut pulse: Pulse) {
        let mut state = self.state();
        if pulse.last == Some(last) {
            pulse.last = state.last.map(|allowed| allowed.max(last));
        }
        if let Some(frame) = pulse.in_hand {
            state.begun = Some(state.begun.map_or(frame, |b| b.max(frame)));
        }
        state.told = Some(pulse);
    }

    /// Waits until the leash gets shorter.
    pub async fn shortened(&self) {
        self.shortened.notified().await;
    }

    /// What the process that does the task is to be told, if anything.
    #[must_use]
    pub fn wish(&self, whole: i64) -> Option<Wish> {
        let state = self.state();
        match state.last {
            _ if state.winding_down => Some(Wish::WindDown),
            None => Some(Wish::Stop),
            Some(last) => (last < whole).then_some(Wish::Shorten(last)),
        }
    }

    /// Does as is wished by the process that has the lease.
    pub fn obey(&self, wish: Wish) {
        match wish {
            Wish::Shorten(last) => self.shorten(last),
            Wish::WindDown => self.wind_down(),
            Wish::Stop => self.stop(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_only_gets_shorter() {
        let leash = Leash::new(10);
        assert!(leash.begin(3) && !leash.begin(11));
        leash.ended(3);
        leash.shorten(5);
        leash.shorten(8);
        assert!(leash.allows(5) && !leash.allows(6));
        leash.stop();
        leash.shorten(100);
        assert!(!leash.allows(1) && leash.is_stopped());
    }

    #[test]
    fn what_is_in_hand_is_never_thrown_away_by_a_shorter_lease() {
        let leash = Leash::new(10);
        assert!(leash.begin(3) && leash.begin(4));
        leash.shorten(2);
        assert!(leash.allows(4) && !leash.begin(5));
        let Pulse { last, in_hand, .. } = leash.pulse();
        assert_eq!((last, in_hand), (Some(4), Some(3)), "and the holder says so");
    }

    #[test]
    fn what_is_done_and_perhaps_not_reported_is_not_given_back() {
        let leash = Leash::new(10);
        assert!(leash.begin(3) && leash.begin(4));
        leash.ended(3);
        leash.ended(4);
        leash.shorten(2);
        assert_eq!(leash.pulse().last, Some(4));
        assert!(!leash.begin(5));
        // One that was not begun goes back whole.
        let waits = Leash::new(10);
        waits.shorten(2);
        assert_eq!((waits.pulse().last, waits.begin(3)), (Some(2), false));
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

    #[test]
    fn another_process_is_told_what_is_wished_and_says_how_it_stands() {
        let (here, there) = (Leash::new(10), Leash::new(10));
        assert_eq!(here.wish(10), None);
        assert!(there.begin(1));
        here.told(10, there.pulse());
        here.shorten(5);
        assert_eq!(here.pulse().last, Some(10), "until it has heard of it");
        there.obey(here.wish(10).unwrap());
        here.told(10, there.pulse());
        assert_eq!(here.pulse().last, Some(5));
        here.wind_down();
        assert_eq!(here.wish(10), Some(Wish::WindDown));
        there.obey(Wish::WindDown);
        assert_eq!(there.pulse().last, Some(1));
        here.stop();
        there.obey(Wish::Stop);
        assert!(there.is_stopped());
    }

    #[test]
    fn progress_grows_while_something_happens() {
        let leash = Leash::new(10);
        let before = leash.pulse().progress;
        assert!(leash.begin(1) && leash.allows(1));
        leash.ended(1);
        let after = leash.pulse();
        assert!(after.progress > before && after.in_hand.is_none());
        assert_eq!(leash.pulse(), after, "and stands still when nothing does");
    }
}
