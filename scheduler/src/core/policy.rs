//! Who gets what, how much of it, and what a failure means. Every number and
//! every rule of judgement of the scheduler stands here; the rest of the core
//! only keeps the books.
//!
//! The order of work is a [`Rank`]: a total order over ready steps, so that
//! what comes to it later (deadlines, shares between shows, locality) is a
//! field between priority and age, and limits are a further `continue` in the
//! walk over the ranks.

use super::rows::{Loss, StepState, Trouble};
use platefarm_model::code::Owner;
use platefarm_model::{FrameRange, FrameSet, JobId, StepId, Timestamp, WorkerId};
use std::cmp::Reverse;
use std::collections::BTreeMap;

/// The numbers of the policy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Policy {
    /// A lease ends so long after its last renewal, and a worker that is not
    /// heard for so long is lost. Milliseconds.
    pub lease_ttl_ms: i64,
    /// How long a lease should last. Milliseconds.
    pub target_lease_ms: i64,
    /// Frames of a lease while nothing is known of a frame's time.
    pub first_lease_frames: u64,
    /// Most frames of a lease.
    pub max_lease_frames: u64,
    /// A frame is given up when it was so often the only one outstanding on a worker that went away.
    pub max_lost_alone: u32,
    /// A frame is given up after so many failures that were the farm's.
    pub max_excused: u32,
    /// How long a failed frame waits for another worker before any may have it. Milliseconds.
    pub avoid_ms: i64,
    /// A lost worker is forgotten after this time. Milliseconds.
    pub forget_lost_ms: i64,
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            lease_ttl_ms: 10_000,
            target_lease_ms: 3_000,
            first_lease_frames: 1,
            max_lease_frames: 4_096,
            max_lost_alone: 5,
            max_excused: 10,
            avoid_ms: 30_000,
            forget_lost_ms: 3_600_000,
        }
    }
}

/// A media fault is tried on one other worker and then believed.
const MEDIA_ATTEMPTS: u32 = 2;
/// A lost range is leased again in parts of one eighth, so that few workers
/// go down before the frame that does it stands alone.
const LOSS_DIVISOR: u64 = 8;

/// Place in the order of work: the smallest is served first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Rank {
    priority: Reverse<i32>,
    /// Age: ids grow with time.
    job: JobId,
    index: u32,
}

impl Rank {
    pub(super) fn new(priority: i32, step: StepId) -> Self {
        Self { priority: Reverse(priority), job: step.job, index: step.index }
    }

    pub(super) fn step(self) -> StepId {
        StepId { job: self.job, index: self.index }
    }
}

/// Measured time per frame, smoothed: per worker, and of the step as a guess
/// for workers that are new to it. Lost with the process; measured again soon.
#[derive(Clone, Debug, Default)]
pub(super) struct Pace {
    step_us: Option<i64>,
    workers: BTreeMap<WorkerId, i64>,
}

impl Pace {
    /// Notes that a frame took `us` microseconds. The latest counts half, so
    /// that a slow first frame (a shader compiled, a cache filled) is soon forgotten.
    pub(super) fn note(&mut self, worker: WorkerId, us: i64) {
        let smooth = |old: i64| old + (us - old) / 2;
        self.step_us = Some(self.step_us.map_or(us, smooth));
        self.workers.entry(worker).and_modify(|old| *old = smooth(*old)).or_insert(us);
    }

    fn of(&self, worker: WorkerId) -> Option<i64> {
        self.workers.get(&worker).copied().or(self.step_us)
    }
}

impl Policy {
    /// Frames of the next lease: as many as last the target time on this
    /// worker, and never more than half a fair share of what is left. So the
    /// leases of a burst shrink towards its end and the workers finish together
    /// (guided self-scheduling, Polychronopoulos and Kuck 1987, halved as in
    /// Hummel's factoring, 1992).
    pub(super) fn lease_size(&self, pace: &Pace, worker: WorkerId, left: u64, slots: u64) -> u64 {
        let by_time = match pace.of(worker) {
            None => self.first_lease_frames,
            Some(us) => (self.target_lease_ms.saturating_mul(1000) / us.max(1)).unsigned_abs(),
        };
        let share = left.div_ceil(2 * slots.max(1));
        by_time.min(share).clamp(1, self.max_lease_frames)
    }

    /// The next frames of a step for a worker, at most `size` and contiguous:
    /// the lowest that it may have. A frame that failed goes alone, and to
    /// another worker while `others` says there is one; a lost range goes in parts.
    pub(super) fn pick(
        pending: &FrameSet,
        state: &StepState,
        size: u64,
        may_have: impl Fn(&Trouble) -> bool,
    ) -> Option<FrameRange> {
        for range in pending.ranges() {
            let mut frame = range.first();
            while frame <= range.last() {
                let trouble = state.troubles.range(frame..=range.last()).next();
                let mut end = range.last();
                match trouble {
                    Some((at, trouble)) if *at == frame => {
                        if may_have(trouble) {
                            return Some(FrameRange::single(frame));
                        }
                        frame += 1;
                        continue;
                    }
                    Some((at, _)) => end = at - 1,
                    None => {}
                }
                let mut size = size;
                match state.losses.at(frame) {
                    Some((span, loss)) => {
                        end = end.min(span.last());
                        size = size.min(loss.limit);
                    }
                    None => {
                        if let Some(next) = state.losses.next_from(frame) {
                            end = end.min(next - 1);
                        }
                    }
                }
                let len = size.min(end.abs_diff(frame) + 1);
                return Some(FrameRange::of_len(frame, len));
            }
        }
        None
    }

    /// Whether a worker may have a frame that failed before: not where it
    /// failed, while there is another and the frame has not waited too long.
    pub(super) fn may_retry(
        &self,
        trouble: &Trouble,
        worker: WorkerId,
        another: bool,
        now: Timestamp,
    ) -> bool {
        !trouble.workers.contains(&worker)
            || !another
            || now.millis_since(trouble.since) >= self.avoid_ms
    }

    /// Notes a failure and says whether the frame is given up.
    pub(super) fn gives_up(&self, trouble: &mut Trouble, owner: Owner, max_attempts: u32) -> bool {
        if owner == Owner::Farm {
            trouble.excused += 1;
        } else {
            trouble.attempts += 1;
        }
        match owner {
            Owner::Request => true,
            Owner::Media => trouble.attempts >= max_attempts.min(MEDIA_ATTEMPTS),
            Owner::Worker | Owner::Program => trouble.attempts >= max_attempts,
            Owner::Farm => trouble.excused >= self.max_excused,
        }
    }

    /// What to remember of `outstanding` frames whose worker went away, given what was.
    pub(super) fn after_loss(outstanding: u64, before: Option<Loss>) -> Loss {
        let alone = before.map_or(0, |loss| loss.alone);
        if outstanding == 1 {
            Loss { limit: 1, alone: alone + 1 }
        } else {
            Loss { limit: (outstanding / LOSS_DIVISOR).max(1), alone }
        }
    }
}
