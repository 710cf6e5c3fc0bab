//! Leases: granted to who asks, judged frame by frame when results come in,
//! and ended when they are given back, not renewed, or lost with their worker.

use super::command::{Granted, Reply, Verdict};
use super::policy::{Policy, Rank};
use super::rows::{FrameRow, LeaseRow, Trouble};
use super::{Fx, State, unknown_worker};
use platefarm_model::job::FrameOutcome;
use platefarm_model::{
    Code, Fault, FrameRange, FrameSet, LeaseToken, Outcome, StepId, Timestamp, WorkerId,
};
use std::sync::Arc;

/// A lease, and what of it need not outlive the process.
#[derive(Clone, Debug)]
pub(super) struct LeaseCell {
    pub(super) row: LeaseRow,
    /// When it ends unless renewed.
    pub(super) deadline: Timestamp,
    /// When the holder was last known to begin a frame: to measure its pace.
    pub(super) mark: Timestamp,
}

impl LeaseCell {
    /// From the first to the last frame not yet reported.
    pub(super) fn hull(&self) -> Option<FrameRange> {
        FrameRange::new(self.row.keep.first()?, self.row.keep.last()?).ok()
    }
}

/// A worker may ask ahead, but not hoard.
const LEASES_PER_SLOT: usize = 2;

impl State {
    pub(super) fn acquire(&mut self, id: WorkerId, fx: &mut Fx) -> Outcome<Reply> {
        self.hear(id)?;
        let worker = self.workers.get(&id).ok_or_else(|| unknown_worker(id))?;
        if worker.leases.len() >= LEASES_PER_SLOT * worker.row.slots as usize {
            return Ok(Reply::Acquired(None));
        }
        let found = self.ready.iter().find_map(|rank| {
            let step = rank.step();
            self.next_frames(step, id).map(|frames| (*rank, step, frames))
        });
        Ok(Reply::Acquired(
            found.map(|(rank, step, frames)| self.grant(id, rank, step, frames, fx)),
        ))
    }

    /// What `worker` would get of a ready step.
    fn next_frames(&self, id: StepId, worker: WorkerId) -> Option<FrameRange> {
        let step = &self.jobs.get(&id.job)?.steps[id.index as usize];
        let size = self.policy.lease_size(&step.pace, worker, step.pending.len(), self.alive_slots);
        let may_have = |trouble: &Trouble| {
            self.policy.may_retry(trouble, worker, self.has_another(&trouble.workers), self.now)
        };
        Policy::pick(&step.pending, &step.state, size, may_have)
    }

    /// Whether a worker is alive that is not among `tried`.
    fn has_another(&self, tried: &[WorkerId]) -> bool {
        let mut seen: Vec<WorkerId> = tried.to_vec();
        seen.sort_unstable();
        seen.dedup();
        let alive = |id: &&WorkerId| self.workers.get(id).is_some_and(|w| w.alive);
        self.alive > seen.iter().filter(alive).count() as u64
    }

    fn grant(
        &mut self,
        worker: WorkerId,
        rank: Rank,
        id: StepId,
        frames: FrameRange,
        fx: &mut Fx,
    ) -> Granted {
        let token = LeaseToken(self.next_token);
        self.next_token += 1;
        self.counters.leases += 1;
        let row = LeaseRow {
            token,
            step: id,
            worker,
            granted: frames,
            keep: frames.into(),
            done: FrameSet::new(),
        };
        fx.changes.leases.insert(token, row.clone());
        let deadline = self.now.plus_millis(self.policy.lease_ttl_ms);
        self.leases.insert(token, LeaseCell { row, deadline, mark: self.now });
        if let Some(worker) = self.workers.get_mut(&worker) {
            worker.leases.insert(token);
        }
        let step = &mut self.jobs.get_mut(&id.job).expect("a ready step has a job").steps
            [id.index as usize];
        step.pending.remove(frames);
        step.live.insert(token);
        if step.pending.is_empty() {
            self.ready.remove(&rank);
        }
        Granted { token, step: id, frames, spec: Arc::clone(&step.spec) }
    }

    /// Judges each frame by the token alone, so that the answer is the same
    /// however often, late, or out of order the report arrives.
    pub(super) fn report(
        &mut self,
        worker: WorkerId,
        token: LeaseToken,
        outcomes: Vec<FrameOutcome>,
        fx: &mut Fx,
    ) -> Reply {
        // A worker that is not known any more is answered all the same: what
        // it had accepted before must be published.
        let known = self.hear(worker).is_ok();
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
            cell.deadline = self.now.plus_millis(self.policy.lease_ttl_ms);
            if let Some(job) = self.jobs.get_mut(&step.job) {
                job.steps[step.index as usize].pace.note(worker, micros);
            }
        }
        let verdicts =
            outcomes.into_iter().map(|o| self.judge(worker, held, token, o, fx)).collect();
        let keep = self.leases.get(&token).and_then(LeaseCell::hull);
        if news > 0 {
            self.book_lease(token, fx);
            self.refresh(step, fx);
        }
        Reply::Reported { verdicts, keep: keep.filter(|_| held) }
    }

    /// One reported frame.
    fn judge(
        &mut self,
        worker: WorkerId,
        held: bool,
        token: LeaseToken,
        outcome: FrameOutcome,
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
                let outcome = FrameOutcome::Done(result);
                fx.changes.frames.push(FrameRow { step: id, token, outcome });
            }
            FrameOutcome::Failed { fault, .. } => self.fail(worker, token, id, frame, fault, fx),
        }
        Verdict::Granted
    }

    fn accept(&mut self, worker: WorkerId, id: StepId, frame: i64, fx: &mut Fx) {
        self.counters.granted += 1;
        if let Some(worker) = self.workers.get_mut(&worker) {
            worker.frames_done += 1;
        }
        let Some(job) = self.jobs.get_mut(&id.job) else { return };
        job.frames_done += 1;
        let step = &mut job.steps[id.index as usize];
        let one = FrameRange::single(frame);
        step.done.insert(one);
        let had_trouble = step.state.troubles.remove(&frame).is_some();
        if step.state.losses.forget(one) || had_trouble {
            fx.changes.steps.insert(id, step.state.clone());
        }
    }

    /// A frame that a worker could not do: it waits for another try, or is given up.
    fn fail(
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
            fx.changes.steps.insert(id, step.state.clone());
        }
    }

    fn give_up(&mut self, token: LeaseToken, id: StepId, frame: i64, fault: Fault, fx: &mut Fx) {
        let Some(job) = self.jobs.get_mut(&id.job) else { return };
        job.frames_failed += 1;
        let step = &mut job.steps[id.index as usize];
        let one = FrameRange::single(frame);
        step.state.failed.insert(one);
        step.state.troubles.remove(&frame);
        step.state.losses.forget(one);
        step.state.first_fault.get_or_insert_with(|| fault.clone());
        fx.changes.steps.insert(id, step.state.clone());
        let outcome = FrameOutcome::Failed { frame, fault };
        fx.changes.frames.push(FrameRow { step: id, token, outcome });
    }

    /// A worker hands back what it has not done: nobody is charged.
    pub(super) fn release(
        &mut self,
        worker: WorkerId,
        token: LeaseToken,
        fx: &mut Fx,
    ) -> Outcome<Reply> {
        self.hear(worker)?;
        let held = self.leases.get(&token).filter(|cell| cell.row.worker == worker);
        if let Some(step) = held.map(|cell| cell.row.step) {
            self.end_lease(token, fx);
            self.refresh(step, fx);
        }
        Ok(Reply::Done)
    }

    /// Ends a lease whose worker went away with the frames outstanding.
    pub(super) fn lose_lease(&mut self, token: LeaseToken, fx: &mut Fx) {
        let Some(cell) = self.leases.get(&token) else { return };
        let (id, outstanding) = (cell.row.step, cell.row.keep.clone());
        self.counters.lost += 1;
        self.end_lease(token, fx);
        let Some(job) = self.jobs.get_mut(&id.job) else { return };
        let step = &mut job.steps[id.index as usize];
        let count = outstanding.len();
        for range in outstanding.ranges() {
            let before = step.state.losses.at(range.first()).map(|(_, loss)| *loss);
            step.state.losses.set(*range, Policy::after_loss(count, before));
        }
        fx.changes.steps.insert(id, step.state.clone());
        let spent = |frame: i64| {
            let loss = step.state.losses.at(frame)?.1;
            (loss.alone >= self.policy.max_lost_alone).then(|| {
                step.state
                    .troubles
                    .get(&frame)
                    .map_or_else(|| taken_down(frame, loss.alone), |trouble| trouble.fault.clone())
            })
        };
        if let Some((frame, fault)) =
            outstanding.first().filter(|_| count == 1).and_then(|f| Some((f, spent(f)?)))
        {
            step.pending.remove(FrameRange::single(frame));
            self.give_up(token, id, frame, fault, fx);
        }
        self.refresh(id, fx);
    }

    /// Ends a live lease: what is left of it waits again. The books of the
    /// step are brought up to date by the caller, who may end several.
    pub(super) fn end_lease(&mut self, token: LeaseToken, fx: &mut Fx) {
        let Some(cell) = self.leases.get_mut(&token) else { return };
        let left = std::mem::take(&mut cell.row.keep);
        let id = cell.row.step;
        if let Some(job) = self.jobs.get_mut(&id.job) {
            let pending = &mut job.steps[id.index as usize].pending;
            left.ranges().iter().for_each(|range| pending.insert(*range));
        }
        self.book_lease(token, fx);
    }

    /// Has the lease stored as it is now, and takes it from the live ones when it has ended.
    fn book_lease(&mut self, token: LeaseToken, fx: &mut Fx) {
        let Some(cell) = self.leases.get(&token) else { return };
        fx.changes.leases.insert(token, cell.row.clone());
        if !cell.row.keep.is_empty() {
            return;
        }
        if let Some(worker) = self.workers.get_mut(&cell.row.worker) {
            worker.leases.remove(&token);
        }
        if let Some(job) = self.jobs.get_mut(&cell.row.step.job) {
            job.steps[cell.row.step.index as usize].live.remove(&token);
        }
    }
}

fn taken_down(frame: i64, times: u32) -> Fault {
    Fault::new(
        Code::AttemptsSpent,
        format!("frame {frame} was in hand when its worker went away, {times} times"),
    )
    .remedy(
        "Render this frame alone with `platefarm render` and watch what happens to the process.",
    )
}
