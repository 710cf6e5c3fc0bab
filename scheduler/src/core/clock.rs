//! What time alone does: the silent are lost, what was not renewed waits
//! again, what hangs is taken away, what was to begin later may begin, and
//! what ended long ago is kept in fewer rows.

use super::command::Reply;
use super::lease::LeaseCell;
use super::{Fx, State};
use platefarm_model::{Code, Fault, FrameRange, JobId, LeaseToken, Outcome, StepId, WorkerId};
use std::ops::Bound;

/// Jobs that are compacted in one tick.
const COMPACTED: usize = 4;

impl State {
    pub(super) fn tick(&mut self, fx: &mut Fx) -> Outcome<Reply> {
        let gap = self.now.millis_since(self.last_tick);
        self.last_tick = self.now;
        self.sum_up();
        if gap > self.policy.lease_ttl_ms / 2 {
            // We slept, not they: a stopped process or a stalled disk must not
            // cost every worker its leases.
            self.grace();
            return Ok(Reply::Done);
        }
        self.lose_the_silent(fx);
        self.expire(fx);
        self.take_what_hangs(fx);
        self.end_overdue_steps(fx);
        self.compact(fx);
        // With whatever came up by it.
        self.queue.news = None;
        self.yield_capacity();
        Ok(Reply::Done)
    }

    fn lose_the_silent(&mut self, fx: &mut Fx) {
        let ttl = self.policy.lease_ttl_ms;
        let silent = |worker: &&super::Worker| self.now.millis_since(worker.last_seen) >= ttl;
        let lost: Vec<WorkerId> =
            self.workers.values().filter(|w| w.alive).filter(silent).map(|w| w.row.id).collect();
        for id in lost {
            self.bury(id);
            fx.lost.push(id);
            self.lose_leases(id, fx);
            fx.wake |= !self.queue.is_empty();
        }
        let forget = self.policy.forget_lost_ms;
        let stale = |w: &&super::Worker| self.now.millis_since(w.last_seen) >= forget;
        let gone: Vec<WorkerId> =
            self.workers.values().filter(|w| !w.alive).filter(stale).map(|w| w.row.id).collect();
        gone.into_iter().for_each(|id| self.dismiss(id, fx));
    }

    /// The live leases that `is` holds of.
    fn live_leases(&self, is: impl Fn(&LeaseCell) -> bool) -> Vec<(LeaseToken, StepId)> {
        let held = self.workers.values().flat_map(|w| &w.leases);
        held.filter_map(|token| self.leases.get(token))
            .filter(|cell| is(cell))
            .map(|cell| (cell.row.token, cell.row.step))
            .collect()
    }

    /// Ends leases of which a worker that lives does not speak. One that was not
    /// heard since the lease ran out may be gone, and then took the frames with it: what
    /// that means is known when it counts as lost, and not by which lease is the older.
    fn expire(&mut self, fx: &mut Fx) {
        let unspoken = |cell: &LeaseCell| {
            let heard = self.workers.get(&cell.row.worker).map(|worker| worker.last_seen);
            cell.deadline <= self.now && heard.is_none_or(|heard| heard >= cell.deadline)
        };
        for (token, step) in self.live_leases(unspoken) {
            // It never heard of the lease.
            self.counters.expired += 1;
            self.end_lease(token, fx);
            self.refresh(step, fx);
        }
    }

    /// A frame whose holder counts no progress is hung, however alive the
    /// process is; one that takes longer than its limit is over.
    fn take_what_hangs(&mut self, fx: &mut Fx) {
        let mut taken: Vec<(LeaseToken, i64, Fault)> = Vec::new();
        for (token, id) in self.live_leases(|cell| cell.in_hand.is_some()) {
            let Some(cell) = self.leases.get(&token) else { continue };
            let Some((frame, since)) = cell.in_hand else { continue };
            let Some(step) = self.at(id).filter(|_| cell.row.keep.contains(frame)) else {
                continue;
            };
            let limit_s = i64::from(step.spec.terms.frame_limit_s);
            let took = cell.heard.millis_since(since);
            let still = cell.heard.millis_since(cell.progress.1);
            let worker = cell.row.worker;
            let fault = if limit_s > 0 && took >= limit_s * 1000 {
                let message = format!(
                    "frame {frame} ran for {} s on {worker}; its limit is {limit_s} s",
                    took / 1000
                );
                Fault::new(Code::FrameOverTime, message)
            } else if still >= self.policy.hung_ms {
                let message =
                    format!("frame {frame} made no progress on {worker} for {} s", still / 1000);
                Fault::new(Code::FrameHung, message)
            } else {
                continue;
            };
            taken.push((token, frame, fault));
        }
        for (token, frame, fault) in taken {
            self.counters.hung += 1;
            let Some(cell) = self.leases.get_mut(&token) else { continue };
            let (id, worker) = (cell.row.step, cell.row.worker);
            cell.row.keep.remove(FrameRange::single(frame));
            self.fail(worker, token, id, frame, fault, fx);
            self.end_lease(token, fx);
            self.refresh(id, fx);
        }
    }

    fn end_overdue_steps(&mut self, fx: &mut Fx) {
        while let Some((at, id)) = self.due_steps.first().copied().filter(|(at, _)| *at <= self.now)
        {
            self.due_steps.remove(&(at, id));
            let Some(step) = self.at(id) else { continue };
            let limit_s = step.spec.terms.step_limit_s;
            let due = step.state.started.map(|t| t.plus_millis(i64::from(limit_s) * 1000));
            if step.settled || due != Some(at) {
                continue;
            }
            let live: Vec<LeaseToken> = step.live.iter().copied().collect();
            live.into_iter().for_each(|token| self.end_lease(token, fx));
            let Some(job) = self.jobs.get_mut(&id.job) else { continue };
            let left = std::mem::take(&mut job.steps[id.index as usize].pending);
            let fault = Fault::new(
                Code::StepOverTime,
                format!("{id} was not done {limit_s} s after it began"),
            );
            self.give_up_all(id, &left, &fault, fx);
            self.refresh(id, fx);
        }
    }

    pub(super) fn begin_what_is_due(&mut self, fx: &mut Fx) {
        while let Some((at, id)) = self.due_jobs.first().copied().filter(|(at, _)| *at <= self.now)
        {
            self.due_jobs.remove(&(at, id));
            let steps = self.jobs.get(&id).map(|job| job.step_ids());
            steps.into_iter().flatten().for_each(|step| self.refresh(step, fx));
        }
    }

    /// Keeps jobs that ended long ago without their leases: by then every
    /// report has been answered, and the frames that were done stay with the step.
    fn compact(&mut self, fx: &mut Fx) {
        for _ in 0..COMPACTED {
            let behind = self.compacted.map_or(Bound::Unbounded, Bound::Excluded);
            let next = self.ended_jobs.range((behind, Bound::Unbounded)).next();
            let Some((ended, id)) = next.copied() else { return };
            if self.now.millis_since(ended) < self.policy.compact_ms {
                return;
            }
            self.compacted = Some((ended, id));
            self.compact_job(id, fx);
        }
    }

    fn compact_job(&mut self, id: JobId, fx: &mut Fx) {
        let Some(job) = self.jobs.get_mut(&id).filter(|job| !job.tokens.is_empty()) else { return };
        for token in std::mem::take(&mut job.tokens) {
            self.leases.remove(&token);
        }
        for (step_id, index) in job.step_ids().zip(0..) {
            let step: &mut super::job::Step = &mut job.steps[index];
            if step.state.sealed != step.done {
                step.state.sealed = step.done.clone();
                fx.touched.insert(step_id);
            }
        }
        let compacted = super::Changes { compacted: [id].into(), ..Default::default() };
        fx.changes.merge(compacted);
    }

    /// Gives every worker and lease its full time again.
    pub(super) fn grace(&mut self) {
        let deadline = self.now.plus_millis(self.policy.lease_ttl_ms);
        for worker in self.workers.values_mut().filter(|w| w.alive) {
            worker.last_seen = self.now;
            for token in &worker.leases {
                if let Some(cell) = self.leases.get_mut(token) {
                    cell.deadline = deadline;
                    cell.progress.1 = self.now;
                }
            }
        }
    }
}
