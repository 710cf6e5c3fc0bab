//! Leases: judged frame by frame when results come in, and ended when they
//! are given back, not renewed, or lost with their worker.

use super::command::{Pulse, Reply, Verdict};
use super::rows::{Author, FrameRow, LeaseRow, Trouble};
use super::{Fx, State};
use platefarm_model::code::Owner;
use platefarm_model::farm::{PriorityClass, WorkerClass};
use platefarm_model::job::FrameOutcome;
use platefarm_model::making::Making;
use platefarm_model::{
    Fault, FrameRange, FrameSet, LeaseToken, Outcome, StepId, Timestamp, WorkerId,
};
use std::num::NonZeroU32;

/// Frames of a step out of time that get a row each, to be looked at one by one.
const TOLD_OF_A_STEP: usize = 1_000;

/// A lease, and what of it need not outlive the process.
#[derive(Clone, Debug)]
pub(super) struct LeaseCell {
    pub(super) row: LeaseRow,
    /// When it ends unless renewed.
    pub(super) deadline: Timestamp,
    /// When the holder was last known to begin a frame: to measure its pace.
    pub(super) mark: Timestamp,
    /// The last frame that the holder is asked to go to. What lies beyond is
    /// its own until it says that it will not do it.
    pub(super) wish: Option<i64>,
    /// The class of work that its slot is being taken for.
    pub(super) yields: Option<PriorityClass>,
    /// Whether it is the turn of what had waited too long: it makes way for nobody.
    pub(super) late: bool,
    /// The lowest frame that is begun and not reported, as the holder says, and since when.
    pub(super) in_hand: Option<(i64, Timestamp)>,
    /// What the holder counts while the frame in hand makes progress, and when that last grew.
    pub(super) progress: (u64, Timestamp),
    /// How far the package is, where the frame in hand is one.
    pub(super) making: Option<Making>,
    /// When the holder last spoke of the lease: silence is not standing still.
    pub(super) heard: Timestamp,
    /// Under what end it is listed among those that can be shortened.
    pub(super) listed: Option<Timestamp>,
}

impl LeaseCell {
    pub(super) fn new(row: LeaseRow, deadline: Timestamp, now: Timestamp) -> Self {
        Self {
            row,
            deadline,
            mark: now,
            wish: None,
            yields: None,
            late: false,
            in_hand: None,
            progress: (0, now),
            making: None,
            heard: now,
            listed: None,
        }
    }

    /// From the first frame to the last that the holder shall do. One that shall begin nothing
    /// more is told the frame before its first: what it has in hand it knows itself.
    pub(super) fn hull(&self) -> Option<FrameRange> {
        let (first, last) = (self.row.keep.first()?, self.row.keep.last()?);
        let last = self.wish.map_or(last, |wish| wish.min(last));
        FrameRange::new(first.min(last), last).ok()
    }

    /// How many frames the holder shall do.
    pub(super) fn to_do(&self) -> u64 {
        let first = self.row.keep.first();
        let hull = self.hull().filter(|hull| first.is_some_and(|first| hull.contains(first)));
        hull.map_or(0, FrameRange::len)
    }

    pub(super) fn is_live(&self) -> bool {
        !self.row.keep.is_empty()
    }
}

impl State {
    /// Judges each frame by the token alone, so that the answer is the same
    /// however often, late, or out of order the report arrives.
    pub(super) fn report(
        &mut self,
        worker: WorkerId,
        token: LeaseToken,
        outcomes: Vec<FrameOutcome>,
        last: Option<i64>,
        fx: &mut Fx,
    ) -> Reply {
        // A worker that is not known any more is answered all the same: what
        // it had accepted before must be published.
        let known = self.hear(worker, fx).is_ok();
        let Some(cell) = self.leases.get_mut(&token) else {
            self.counters.refused += outcomes.len() as u64;
            return Reply::Reported {
                verdicts: vec![Verdict::Refused; outcomes.len()],
                keep: None,
            };
        };
        let step = cell.row.step;
        let held = known && cell.row.worker == worker;
        let mine = |outcome: &FrameOutcome| held && cell.row.keep.contains(outcome.frame());
        let news = outcomes.iter().filter(|o| mine(o)).count() as i64;
        if news > 0 {
            let micros = self.now.0.saturating_sub(cell.mark.0) / news;
            cell.mark = self.now;
            cell.progress.1 = self.now;
            cell.in_hand = None;
            cell.deadline = self.now.plus_millis(self.policy.lease_ttl_ms);
            let class = self.workers.get(&worker).map(super::worker::Worker::class);
            if let (Some(job), Some(class)) = (self.jobs.get_mut(&step.job), class) {
                job.steps[step.index as usize].pace.note(class, micros);
                job.pace.note(class, micros);
            }
        }
        let by = (news > 0).then(|| self.author(token)).flatten();
        let judge = |outcome| self.judge(worker, held, token, outcome, by.as_ref(), fx);
        let verdicts = outcomes.into_iter().map(judge).collect();
        let cut = held && self.agreed(token, last, fx);
        if news > 0 || cut {
            self.book_lease(token, fx);
            self.refresh(step, fx);
        }
        let keep = self.leases.get(&token).and_then(LeaseCell::hull);
        Reply::Reported { verdicts, keep: keep.filter(|_| held) }
    }

    /// One reported frame.
    fn judge(
        &mut self,
        worker: WorkerId,
        held: bool,
        token: LeaseToken,
        outcome: FrameOutcome,
        by: Option<&Author>,
        fx: &mut Fx,
    ) -> Verdict {
        let frame = outcome.frame();
        let Some(cell) = self.leases.get_mut(&token) else { return Verdict::Refused };
        if !(held && cell.row.keep.contains(frame)) {
            let before = cell.row.done.contains(frame);
            let (counter, verdict) = if before {
                (&mut self.counters.duplicates, Verdict::Duplicate)
            } else {
                (&mut self.counters.refused, Verdict::Refused)
            };
            *counter += 1;
            return verdict;
        }
        let one = FrameRange::single(frame);
        let id = cell.row.step;
        cell.row.keep.remove(one);
        match outcome {
            FrameOutcome::Done(result) => {
                cell.row.done.insert(one);
                self.accept(worker, id, frame, fx);
                let (by, outcome) = (by.cloned(), FrameOutcome::Done(result));
                fx.changes.frames.push(FrameRow { step: id, token, by, outcome });
            }
            FrameOutcome::Failed { fault, .. } => self.fail(worker, token, id, frame, fault, fx),
        }
        Verdict::Granted
    }

    fn accept(&mut self, worker: WorkerId, id: StepId, frame: i64, fx: &mut Fx) {
        self.counters.granted += 1;
        self.lately.count(self.now);
        if let Some(worker) = self.workers.get_mut(&worker) {
            worker.frames_done += 1;
        }
        let Some(job) = self.jobs.get_mut(&id.job) else { return };
        job.frames_done += 1;
        let step = &mut job.steps[id.index as usize];
        let one = FrameRange::single(frame);
        step.done.insert(one);
        let trouble = step.state.trouble_over(frame);
        let cleared = step.state.losses_over(one);
        if cleared || trouble.is_some() {
            fx.touched.insert(id);
        }
        // Another suspect may have waited until this one was out of hand.
        fx.wake |= cleared;
        self.frame_settled(id, frame, fx);
        self.did_well(worker, fx);
        if let Some(trouble) = trouble {
            self.others_failed(&trouble, worker, id, fx);
        }
    }

    /// A frame that a worker could not do: it waits for another try, or is given up.
    pub(super) fn fail(
        &mut self,
        worker: WorkerId,
        token: LeaseToken,
        id: StepId,
        frame: i64,
        fault: Fault,
        fx: &mut Fx,
    ) {
        let Some(job) = self.jobs.get_mut(&id.job) else { return };
        let step = &mut job.steps[id.index as usize];
        let owner = fault.owner();
        let trouble = step.state.troubles.entry(frame).or_insert_with(|| Trouble {
            attempts: 0,
            excused: 0,
            fault,
            workers: Vec::new(),
            since: self.now,
        });
        trouble.workers.push(worker);
        trouble.since = self.now;
        if self.policy.gives_up(trouble, owner, step.spec.max_attempts) {
            let first = trouble.fault.clone();
            self.give_up(token, id, frame, first, fx);
        } else {
            step.pending.insert(FrameRange::single(frame));
            fx.touched.insert(id);
        }
        if !matches!(owner, Owner::Request | Owner::Farm) {
            self.did_badly(worker, fx);
        }
    }

    /// Gives a frame up for good, which is neither pending nor leased any more.
    pub(super) fn give_up(
        &mut self,
        token: LeaseToken,
        id: StepId,
        frame: i64,
        fault: Fault,
        fx: &mut Fx,
    ) {
        let Some(job) = self.jobs.get_mut(&id.job) else { return };
        job.frames_failed += 1;
        let step = &mut job.steps[id.index as usize];
        let one = FrameRange::single(frame);
        step.state.failed.insert(one);
        step.state.troubles.remove(&frame);
        step.state.losses.forget(one);
        step.state.first_fault.get_or_insert_with(|| fault.clone());
        fx.touched.insert(id);
        let (by, outcome) = (self.author(token), FrameOutcome::Failed { frame, fault });
        fx.changes.frames.push(FrameRow { step: id, token, by, outcome });
        self.frame_settled(id, frame, fx);
    }

    /// Whose a lease is or was.
    fn author(&self, token: LeaseToken) -> Option<Author> {
        let worker = self.leases.get(&token)?.row.worker;
        let name = self.workers.get(&worker).map(|worker| worker.row.name.as_str());
        Some(Author { worker, name: name.unwrap_or_default().into() })
    }

    /// What is left of a step is given up together, in one row and not one a frame: a
    /// step may have a hundred million. Those who wait look again when it is settled.
    pub(super) fn give_up_all(&mut self, id: StepId, left: &FrameSet, fault: &Fault, fx: &mut Fx) {
        let Some(job) = self.jobs.get_mut(&id.job) else { return };
        job.frames_failed += left.len();
        let step = &mut job.steps[id.index as usize];
        step.state.failed.insert_all(left);
        step.state.troubles.retain(|frame, _| !left.contains(*frame));
        for range in left.ranges() {
            step.state.losses.forget(*range);
        }
        step.state.first_fault.get_or_insert_with(|| fault.clone());
        fx.touched.insert(id);
        for frame in left.iter().take(TOLD_OF_A_STEP) {
            let outcome = FrameOutcome::Failed { frame, fault: fault.clone() };
            let token = LeaseToken(0);
            fx.changes.frames.push(FrameRow { step: id, token, by: None, outcome });
        }
    }

    /// A worker hands back what it has not done: nobody is charged.
    pub(super) fn release(
        &mut self,
        worker: WorkerId,
        token: LeaseToken,
        fx: &mut Fx,
    ) -> Outcome<Reply> {
        self.hear(worker, fx)?;
        let held = self.leases.get(&token).filter(|cell| cell.row.worker == worker);
        if let Some(step) = held.map(|cell| cell.row.step) {
            self.end_lease(token, fx);
            self.refresh(step, fx);
        }
        Ok(Reply::Done)
    }

    /// A worker lives; what it says of its leases is noted, and it hears what is left of them.
    pub(super) fn heartbeat(
        &mut self,
        id: WorkerId,
        pulses: &[Pulse],
        fx: &mut Fx,
    ) -> Outcome<Reply> {
        self.hear(id, fx)?;
        let deadline = self.now.plus_millis(self.policy.lease_ttl_ms);
        let mut leases = Vec::with_capacity(pulses.len());
        for pulse in pulses {
            let held = self.leases.get_mut(&pulse.token).filter(|cell| cell.row.worker == id);
            let keep = held.and_then(|cell| {
                cell.deadline = deadline;
                cell.felt(pulse, self.now);
                cell.hull()
            });
            if keep.is_some() && self.agreed(pulse.token, pulse.last, fx) {
                self.book_lease(pulse.token, fx);
                let step = self.leases.get(&pulse.token).map(|cell| cell.row.step);
                step.into_iter().for_each(|step| self.refresh(step, fx));
            }
            let left = self.leases.get(&pulse.token).and_then(LeaseCell::hull);
            leases.push((pulse.token, keep.and(left)));
        }
        let draining = self.workers.get(&id).is_some_and(|worker| {
            matches!(
                self.standing(worker),
                super::fit::Standing::Draining | super::fit::Standing::Quarantined
            )
        });
        Ok(Reply::Beaten { leases, drain: draining })
    }

    /// The holder says how far it will go: what lies beyond waits again. A
    /// holder never goes back on it, so an old word that comes late is no harm.
    /// Whether anything lay beyond; then the caller books the lease.
    fn agreed(&mut self, token: LeaseToken, last: Option<i64>, fx: &mut Fx) -> bool {
        let Some(cell) = self.leases.get_mut(&token) else { return false };
        let (Some(first), Some(end)) = (cell.row.keep.first(), cell.row.keep.last()) else {
            return false;
        };
        let Some(last) = last.filter(|last| *last < end) else { return false };
        let Ok(beyond) = FrameRange::new(first.max(last + 1), end) else { return false };
        let id = cell.row.step;
        let back = cell.row.keep.within(beyond);
        cell.row.keep.remove(beyond);
        self.counters.returned += back.len();
        if let Some(job) = self.jobs.get_mut(&id.job) {
            job.steps[id.index as usize].pending.insert_all(&back);
        }
        fx.wake = true;
        true
    }

    /// Ends a live lease: what is left of it waits again. The books of the
    /// step are brought up to date by the caller, who may end several.
    pub(super) fn end_lease(&mut self, token: LeaseToken, fx: &mut Fx) {
        let Some(cell) = self.leases.get_mut(&token) else { return };
        let left = std::mem::take(&mut cell.row.keep);
        let id = cell.row.step;
        if let Some(job) = self.jobs.get_mut(&id.job) {
            job.steps[id.index as usize].pending.insert_all(&left);
        }
        self.book_lease(token, fx);
    }

    /// Has the lease stored as it is now, and takes it from the live ones when it has ended.
    pub(super) fn book_lease(&mut self, token: LeaseToken, fx: &mut Fx) {
        let Some(cell) = self.leases.get(&token) else { return };
        fx.changes.leases.insert(token, cell.row.clone());
        if cell.is_live() {
            self.list_end(token);
        } else {
            self.count_out(token, fx);
        }
    }

    /// Counts a live lease wherever leases are counted.
    pub(super) fn count_in(&mut self, cell: LeaseCell) {
        let (token, id, worker) = (cell.row.token, cell.row.step, cell.row.worker);
        self.leases.insert(token, cell);
        if let Some(worker) = self.workers.get_mut(&worker) {
            worker.leases.insert(token);
        }
        let Some(job) = self.jobs.get_mut(&id.job) else { return };
        self.queue.count_task(job, 1);
        let step = &mut job.steps[id.index as usize];
        self.tasks_by_class[step.level(&job.row).class as usize] += 1;
        step.live.insert(token);
        self.shows[job.show.0 as usize].tasks += 1;
        for (limit, amount) in &step.spec.terms.needs.limits {
            *self.limits_used.entry(limit.clone()).or_default() += u64::from(*amount);
        }
        self.list_end(token);
    }

    /// Takes an ended lease out wherever leases are counted.
    fn count_out(&mut self, token: LeaseToken, fx: &mut Fx) {
        self.unlist_end(token);
        let Some(cell) = self.leases.get_mut(&token) else { return };
        let (id, worker, yielded) = (cell.row.step, cell.row.worker, cell.yields.is_some());
        let Some(job) = self.jobs.get_mut(&id.job) else { return };
        let step = &mut job.steps[id.index as usize];
        if !step.live.remove(&token) {
            return;
        }
        let needs = &step.spec.terms.needs;
        let show = &mut self.shows[job.show.0 as usize];
        show.tasks -= 1;
        for (limit, amount) in &needs.limits {
            if let Some(used) = self.limits_used.get_mut(limit) {
                *used -= u64::from(*amount);
                if *used == 0 {
                    self.limits_used.remove(limit);
                }
            }
        }
        let counted = !needs.limits.is_empty()
            || show.share.ceiling.is_some()
            || job.row.terms.max_tasks.is_some();
        self.tasks_by_class[step.level(&job.row).class as usize] -= 1;
        self.queue.count_task(job, -1);
        // Others may have been kept waiting by what this one took.
        fx.wake |= counted && !self.queue.is_empty();
        self.leaves_worker(token, worker, yielded);
    }

    /// An ended lease is not its worker's any more: the first that waits there has its slot.
    fn leaves_worker(&mut self, token: LeaseToken, id: WorkerId, yielded: bool) {
        let Some(worker) = self.workers.get_mut(&id) else { return };
        let waits = worker.leases.iter().nth(worker.row.slots as usize).copied();
        worker.leases.remove(&token);
        if yielded {
            let left = self.workers.get(&id).and_then(|worker| self.yields_of(worker));
            if let Some(worker) = self.workers.get_mut(&id) {
                worker.yields = left;
            }
        }
        let next = waits.filter(|next| token < *next);
        next.into_iter().for_each(|next| self.has_slot_now(next));
    }

    /// A lease that waited for a slot begins only now: its pace is measured from here.
    fn has_slot_now(&mut self, token: LeaseToken) {
        let Some(cell) = self.leases.get_mut(&token) else { return };
        if cell.row.keep.first() == Some(cell.row.granted.first()) {
            cell.mark = self.now;
        }
        self.list_end(token);
    }
}

impl LeaseCell {
    /// Notes what the holder says of the frame in hand.
    fn felt(&mut self, pulse: &Pulse, now: Timestamp) {
        (self.heard, self.making) = (now, pulse.making);
        if pulse.in_hand != self.in_hand.map(|(frame, _)| frame) {
            // The first word of a lease: it was not measured while it waited for its slot.
            self.in_hand = pulse.in_hand.map(|frame| (frame, now));
            self.progress = (pulse.progress, now);
        }
        if pulse.progress > self.progress.0 {
            self.progress = (pulse.progress, now);
        }
    }
}

/// Measured time per frame, smoothed, per class of workers. Lost with the
/// process; measured again soon.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Pace([Option<NonZeroU32>; 2]);

impl Pace {
    /// Notes that a frame took `us` microseconds. The latest counts a third, so
    /// that a slow first frame (a shader compiled, a cache filled) is soon forgotten.
    pub(super) fn note(&mut self, class: WorkerClass, us: i64) {
        let slot = &mut self.0[class as usize];
        let smooth = slot.map_or(us, |old| {
            let old = i64::from(old.get());
            old + (us - old) / 3
        });
        // A frame that took no time that can be measured took the least there is.
        let smooth = u32::try_from(smooth.max(1)).unwrap_or(u32::MAX);
        *slot = NonZeroU32::new(smooth);
    }

    pub(super) fn of(self, class: WorkerClass) -> Option<i64> {
        self.0[class as usize].map(|us| i64::from(us.get()))
    }
}
