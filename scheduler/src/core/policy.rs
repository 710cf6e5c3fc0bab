//! Who gets what, how much of it, and what a failure means. Every number and
//! every rule of judgement of the scheduler stands here; the rest of the core
//! only keeps the books.

use super::rows::{Loss, StepState, Trouble};
use platefarm_model::code::Owner;
use platefarm_model::{FrameRange, FrameSet, Timestamp};

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
    /// A frame is given up when it was so often all that was outstanding of a lease whose worker went away.
    pub max_lost_alone: u32,
    /// A frame is given up after so many failures that were the farm's.
    pub max_excused: u32,
    /// How long a failed frame waits for another worker before any may have it. Milliseconds.
    pub avoid_ms: i64,
    /// A lost worker is forgotten after this time. Milliseconds.
    pub forget_lost_ms: i64,
    /// What waited so long for its next lease goes first now and then. Milliseconds.
    pub aging_ms: i64,
    /// How often: once in so many leases.
    pub aged_every: u64,
    /// Least work that is taken back from a holder for an idle worker. Milliseconds.
    pub least_taken_ms: i64,
    /// A frame whose holder counts no progress for so long is taken away. Milliseconds.
    pub hung_ms: i64,
    /// A node is quarantined when so many frames of several jobs failed on it
    /// and were done elsewhere; twice as many of one job.
    pub evidence_frames: u32,
    /// For how long that counts against it. Milliseconds.
    pub evidence_ms: i64,
    /// How long a node is kept from work the first time. Milliseconds.
    pub quarantine_ms: i64,
    /// Frames that it must do on trial.
    pub trial_frames: u32,
    /// Jobs that ended so long ago are kept without their leases. Milliseconds.
    pub compact_ms: i64,
    /// Jobs that ended so long ago are forgotten. Milliseconds; `i64::MAX`: never.
    pub keep_ended_ms: i64,
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
            aging_ms: 900_000,
            aged_every: 20,
            least_taken_ms: 400,
            hung_ms: 180_000,
            evidence_frames: 3,
            evidence_ms: 600_000,
            quarantine_ms: 300_000,
            trial_frames: 3,
            compact_ms: 3_600_000,
            keep_ended_ms: i64::MAX,
        }
    }
}

/// A media fault is tried on one other worker and then believed.
const MEDIA_ATTEMPTS: u32 = 2;
/// A lost range is leased again in parts of one eighth, so that few workers
/// go down before the frame that does it stands alone.
const LOSS_DIVISOR: u64 = 8;

impl Policy {
    /// Frames of the next lease: as many as last the target time on this class
    /// of workers, and never more than half a fair share of the frames that are
    /// left for such workers. So the leases of a burst shrink towards its end
    /// and the workers finish together (guided self-scheduling, Polychronopoulos
    /// and Kuck 1987, halved as in Hummel's factoring, 1992).
    pub(super) fn lease_size(&self, frame_us: Option<i64>, left: u64, slots: u64) -> u64 {
        let by_time = match frame_us {
            None => self.first_lease_frames,
            Some(us) => (self.target_lease_ms.saturating_mul(1000) / us.max(1)).unsigned_abs(),
        };
        let share = left.div_ceil(2 * slots.max(1));
        by_time.min(share).clamp(1, self.max_lease_frames)
    }

    /// The next frames of a step for a worker, at most `size` and contiguous:
    /// the lowest that it may have. A frame that failed goes alone, and to
    /// another worker while there is one; a lost range goes in parts. A frame that was
    /// alone when workers went down goes to one that `may_risk` it: where no other such
    /// is in hand, so that if that worker goes down, too, it is clear by which.
    pub(super) fn pick(
        pending: &FrameSet,
        state: &StepState,
        size: u64,
        may_have: impl Fn(&Trouble) -> bool,
        may_risk: impl Fn() -> bool,
    ) -> Option<FrameRange> {
        for range in pending.ranges() {
            let mut next = Some(range.first());
            while let Some(frame) = next.filter(|frame| *frame <= range.last()) {
                let loss = state.losses.at(frame);
                if let Some((span, loss)) = loss
                    && loss.is_suspect()
                    && !may_risk()
                {
                    next = span.last().checked_add(1);
                    continue;
                }
                let trouble = state.troubles.range(frame..=range.last()).next();
                let mut end = range.last();
                match trouble {
                    Some((at, trouble)) if *at == frame => {
                        if may_have(trouble) {
                            return Some(FrameRange::single(frame));
                        }
                        next = frame.checked_add(1);
                        continue;
                    }
                    Some((at, _)) => end = at - 1,
                    None => {}
                }
                let mut size = size;
                match loss {
                    Some((span, loss)) => {
                        end = end.min(span.last());
                        size = size.min(loss.limit);
                    }
                    None => {
                        if let Some(lost) = state.losses.next_from(frame) {
                            end = end.min(lost - 1);
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
        tried: bool,
        another: impl FnOnce() -> bool,
        now: Timestamp,
    ) -> bool {
        !tried || !another() || now.millis_since(trouble.since) >= self.avoid_ms
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

    /// Whether a frame was lost with its worker so often that it is given up: it takes
    /// workers down, or it keeps them from being heard.
    pub(super) const fn is_spent(&self, loss: Loss) -> bool {
        loss.alone >= self.max_lost_alone || loss.away >= self.max_excused
    }

    /// What to remember of `outstanding` frames whose worker went away, given what was.
    pub(super) fn after_loss(outstanding: u64, before: Option<Loss>) -> Loss {
        let (alone, away) = before.map_or((0, 0), |loss| (loss.alone, loss.away));
        if outstanding == 1 {
            Loss { limit: 1, alone: alone + 1, away }
        } else {
            Loss { limit: (outstanding / LOSS_DIVISOR).max(1), alone, away }
        }
    }
}
