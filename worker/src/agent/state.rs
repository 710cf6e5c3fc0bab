//! What the agent decides, apart from sockets and clocks: which leases it may
//! go on with, how far, and whether it asks for more. Time is handed in, so
//! that a partition of minutes is a test of microseconds.
//!
//! Nothing here decides who publishes a frame; the scheduler's tokens do. This
//! only keeps a worker from spending its time on what is no longer its own.

use crate::leash::{Leash, Pulse};
use platefarm_model::{FrameRange, LeaseToken, WorkerId};
use std::collections::BTreeMap;
use std::sync::Arc;

/// Milliseconds on a clock that only goes forward.
pub type Millis = u64;

/// What the scheduler said when the worker registered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Terms {
    /// How often to send a heartbeat.
    pub heartbeat_ms: u64,
    /// A lease ends so long after its last renewal.
    pub lease_ttl_ms: u64,
}

impl Terms {
    /// How long a renewal is good for here, from when it was asked for: two
    /// thirds of a lease, so that a worker has stopped when its lease ends.
    const fn patience(&self) -> Millis {
        let thirds = self.lease_ttl_ms / 3 * 2;
        if thirds == 0 { 1 } else { thirds }
    }
}

#[derive(Debug)]
struct Held {
    leash: Arc<Leash>,
    /// When the renewal was asked for that is known to have been granted last.
    renewed: Millis,
    /// The last frame of what is left, by the scheduler's last word.
    last: Option<i64>,
}

/// The agent's view of its standing with the scheduler.
#[derive(Debug, Default)]
pub struct Standing {
    worker: Option<(WorkerId, Terms)>,
    leases: BTreeMap<LeaseToken, Held>,
    draining: bool,
    leaving: bool,
}

impl Standing {
    /// The registration in force.
    pub fn worker(&self) -> Option<(WorkerId, Terms)> {
        self.worker
    }

    /// Registered, for the first time or again. What was held before belongs
    /// to a worker that the scheduler no longer knows, and is dropped.
    pub fn registered(&mut self, worker: WorkerId, terms: Terms) {
        if self.worker.is_none_or(|(known, _)| known != worker) {
            self.drop_all();
        }
        self.worker = Some((worker, terms));
        self.draining = false;
    }

    /// The scheduler does not know `worker`. Old news about an earlier
    /// registration is ignored. Says whether to register again.
    pub fn forgotten(&mut self, worker: WorkerId) -> bool {
        if self.worker.is_none_or(|(known, _)| known != worker) {
            return false;
        }
        self.worker = None;
        self.drop_all();
        true
    }

    fn drop_all(&mut self) {
        for held in self.leases.values() {
            held.leash.stop();
        }
    }

    /// A lease was received for `worker` at `now`. What it took to come is off
    /// the last third of its life, since nobody can tell when it was given.
    pub fn granted(
        &mut self,
        worker: WorkerId,
        token: LeaseToken,
        leash: &Arc<Leash>,
        now: Millis,
    ) {
        if self.worker.is_none_or(|(known, _)| known != worker) {
            leash.stop();
        }
        if self.leaving {
            leash.wind_down();
        }
        let last = leash.pulse().last;
        self.leases.insert(token, Held { leash: Arc::clone(leash), renewed: now, last });
    }

    /// The task of a lease is over and reported.
    pub fn ended(&mut self, token: LeaseToken) {
        self.leases.remove(&token);
    }

    /// Leases to renew.
    pub fn tokens(&self) -> Vec<LeaseToken> {
        self.leases.keys().copied().collect()
    }

    /// Leases to renew, each with how it stands.
    pub(crate) fn pulses(&self) -> Vec<(LeaseToken, Pulse)> {
        self.leases.iter().map(|(token, held)| (*token, held.leash.pulse())).collect()
    }

    /// What is left of a lease, by an answer to a request that was sent at
    /// `sent`. Only an answer to a heartbeat renews. True when the scheduler
    /// asks for frames back: others get them when they hear how far this goes.
    pub fn kept(
        &mut self,
        token: LeaseToken,
        keep: Option<FrameRange>,
        renewed: Option<Millis>,
    ) -> bool {
        let Some(held) = self.leases.get_mut(&token) else { return false };
        match keep {
            Some(range) => held.leash.shorten(range.last()),
            None => held.leash.stop(),
        }
        if let Some(sent) = renewed {
            held.renewed = held.renewed.max(sent);
        }
        let Some(range) = keep else { return false };
        let shorter = held.last.is_some_and(|last| range.last() < last);
        held.last = Some(held.last.map_or(range.last(), |last| last.min(range.last())));
        shorter
    }

    /// Whether the scheduler wants the worker to take no more tasks.
    pub fn drain(&mut self, drain: bool) {
        self.draining = drain;
    }

    /// Drops the leases whose renewal is overdue at `now`: two thirds of their
    /// life have passed without an answer, and the last third is left for the
    /// answers that are still under way. Returns them.
    pub fn expire(&mut self, now: Millis) -> Vec<LeaseToken> {
        let Some((_, terms)) = self.worker else { return Vec::new() };
        let overdue = |held: &Held| now.saturating_sub(held.renewed) >= terms.patience();
        let mut dropped = Vec::new();
        for (token, held) in &self.leases {
            if overdue(held) && !held.leash.is_stopped() {
                held.leash.stop();
                dropped.push(*token);
            }
        }
        dropped
    }

    /// When to look for overdue leases next, as things stand at `now`. Whatever is heard until
    /// then is overdue later: a renewal puts an end off, and a lease that is new has all its time.
    /// Only another registration, with other terms, is a reason to look before.
    pub fn next_look(&self, now: Millis) -> Option<Millis> {
        let (_, terms) = self.worker?;
        let held = self.leases.values().filter(|held| !held.leash.is_stopped());
        let first = held.map(|held| held.renewed).min().unwrap_or(now);
        Some(first.saturating_add(terms.patience()))
    }

    /// The process is asked to end: the frames in hand are finished, the rest is given back.
    pub fn leave(&mut self) {
        self.leaving = true;
        for held in self.leases.values() {
            held.leash.wind_down();
        }
    }

    /// Whether to ask for a task.
    pub fn wants_work(&self) -> bool {
        self.worker.is_some() && !self.draining && !self.leaving
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TERMS: Terms = Terms { heartbeat_ms: 1000, lease_ttl_ms: 9000 };
    const W: WorkerId = WorkerId(1);
    const T: LeaseToken = LeaseToken(7);

    fn standing() -> (Standing, Arc<Leash>) {
        let mut standing = Standing::default();
        standing.registered(W, TERMS);
        let leash = Arc::new(Leash::new(10));
        standing.granted(W, T, &leash, 0);
        (standing, leash)
    }

    fn range(first: i64, last: i64) -> Option<FrameRange> {
        Some(FrameRange::new(first, last).unwrap())
    }

    #[test]
    fn a_partition_is_endured_for_two_thirds_of_a_lease() {
        let (mut standing, leash) = standing();
        assert_eq!(standing.expire(5999), []);
        assert!(leash.allows(10));
        assert_eq!(standing.expire(6000), [T]);
        assert!(leash.is_stopped());
        assert_eq!(standing.expire(7000), [], "it is dropped once");
    }

    #[test]
    fn a_renewal_counts_from_when_it_was_sent() {
        let (mut standing, leash) = standing();
        // Sent at 4 s, answered whenever; an older answer that comes later changes nothing.
        standing.kept(T, range(3, 10), Some(4000));
        standing.kept(T, range(3, 10), Some(2000));
        assert_eq!(standing.expire(9999), []);
        // An answer to a report says what is left but does not renew.
        standing.kept(T, range(4, 10), None);
        assert_eq!(standing.expire(10_000), [T]);
        assert!(leash.is_stopped());
    }

    /// Whoever looks when it is said, and at no other time, drops every lease the moment it is overdue.
    #[test]
    fn each_lease_is_dropped_at_its_own_time() {
        let (mut standing, leash) = standing();
        assert_eq!(standing.next_look(0), Some(6000));
        let late = Arc::new(Leash::new(3));
        standing.granted(W, LeaseToken(8), &late, 2500);
        assert_eq!(standing.next_look(2500), Some(6000), "the new one has longer");
        standing.kept(T, range(1, 10), Some(4000));
        assert_eq!((standing.expire(6000), standing.next_look(6000)), (vec![], Some(8500)));
        assert_eq!((standing.expire(8499), standing.expire(8500)), (vec![], vec![LeaseToken(8)]));
        assert!(late.is_stopped() && !leash.is_stopped());
        assert_eq!((standing.next_look(8500), standing.expire(10_000)), (Some(10_000), vec![T]));
        assert_eq!(standing.next_look(10_000), Some(16_000), "no lease that is new ends before");
        assert!(standing.forgotten(W));
        assert_eq!(standing.next_look(10_000), None);
    }

    /// The shortest and the longest lease that a scheduler can name.
    #[test]
    fn absurd_terms_neither_spin_nor_overflow() {
        for (ttl, patience) in
            [(0, 1), (2, 1), (3, 2), (10_000, 6666), (u64::MAX, u64::MAX / 3 * 2)]
        {
            let mut standing = Standing::default();
            standing.registered(W, Terms { heartbeat_ms: 1, lease_ttl_ms: ttl });
            assert_eq!(standing.next_look(0), Some(patience));
            assert!(standing.next_look(u64::MAX).is_some());
        }
    }

    #[test]
    fn leases_shrink_and_end_as_the_scheduler_says() {
        let (mut standing, leash) = standing();
        assert!(!standing.kept(T, range(2, 10), Some(900)), "as it was");
        assert!(standing.kept(T, range(2, 5), Some(1000)), "asked back");
        assert!(!standing.kept(T, range(3, 5), None), "and said once");
        assert!(leash.allows(5) && !leash.allows(6));
        // A late answer from before the shrink does not give frames back.
        standing.kept(T, range(2, 10), Some(500));
        assert!(!leash.allows(6));
        standing.kept(T, None, Some(2000));
        assert!(leash.is_stopped());
        standing.ended(T);
        assert_eq!(standing.tokens(), []);
        standing.kept(T, range(1, 2), Some(3000));
    }

    #[test]
    fn a_forgotten_worker_drops_what_it_had_and_registers_once() {
        let (mut standing, leash) = standing();
        assert!(standing.forgotten(W));
        assert!(leash.is_stopped() && !standing.wants_work());
        assert!(!standing.forgotten(W), "two slots hear of it, one registration follows");
        standing.registered(WorkerId(2), TERMS);
        assert!(!standing.forgotten(W), "old news of the old registration");
        assert!(standing.wants_work());
        // A lease that was granted to the old registration is not begun.
        let late = Arc::new(Leash::new(3));
        standing.granted(W, LeaseToken(8), &late, 0);
        assert!(late.is_stopped());
    }

    #[test]
    fn registering_again_as_the_same_worker_keeps_the_leases() {
        let (mut standing, leash) = standing();
        standing.registered(W, TERMS);
        assert!(leash.allows(10));
    }

    #[test]
    fn leaving_finishes_the_frame_in_hand() {
        let (mut standing, leash) = standing();
        assert!(leash.begin(1));
        standing.leave();
        assert!(leash.allows(1) && !leash.begin(2) && !standing.wants_work());
    }

    #[test]
    fn a_draining_worker_asks_for_nothing_but_goes_on() {
        let (mut standing, leash) = standing();
        standing.drain(true);
        assert!(!standing.wants_work() && leash.begin(10));
        standing.drain(false);
        assert!(standing.wants_work());
    }
}
