//! The core from its rows, and its rows from the core: what was stored is all
//! there is, and a test can hold the two against each other at any instant.

use super::job::Job;
use super::lease::LeaseCell;
use super::policy::{Policy, Rank};
use super::rows::{LeaseRow, Snapshot, StepState};
use super::{Fx, State};
use platefarm_model::job::StepSpec;
use platefarm_model::{Code, Fault, JobId, Outcome, StepId, Timestamp};
use std::collections::BTreeMap;
use std::sync::Arc;

type StepRows = Vec<(Arc<StepSpec>, StepState)>;

impl State {
    /// The farm as it was stored. Leases that were live go on under their
    /// tokens, and every worker and lease has its full time from `now`.
    ///
    /// # Errors
    /// [`Code::StoreFailed`] when the rows contradict each other.
    pub fn restore(policy: Policy, stored: Snapshot, now: Timestamp) -> Outcome<Self> {
        let mut state = Self::new(policy, now);
        state.settings = stored.settings;
        let mut steps: BTreeMap<JobId, StepRows> = BTreeMap::new();
        for (id, step) in stored.steps {
            let of_job = steps.entry(id.job).or_default();
            if of_job.len() != id.index as usize {
                return Err(torn(format!("step {id} is out of order")));
            }
            of_job.push(step);
        }
        for (id, row) in stored.jobs {
            state.next_job = state.next_job.max(id.0 + 1);
            if let Some(key) = &row.idempotency_key {
                state.keys.insert(key.clone(), id);
            }
            let rows = steps.remove(&id).ok_or_else(|| torn(format!("{id} has no steps")))?;
            let mut job = Job::new(row, rows.iter().map(|(spec, _)| Arc::clone(spec)));
            for (step, (_, failures)) in job.steps.iter_mut().zip(rows) {
                failures.failed.ranges().iter().for_each(|range| step.pending.remove(*range));
                job.frames_failed += failures.failed.len();
                step.state = failures;
            }
            state.jobs.insert(id, job);
        }
        for (id, row) in stored.workers {
            state.next_worker = state.next_worker.max(id.0 + 1);
            if !row.gone {
                state.admit(row);
            }
        }
        stored.leases.into_values().try_for_each(|row| state.restore_lease(row))?;
        state.settle_all();
        state.check_invariants().map_err(torn)?;
        Ok(state)
    }

    fn restore_lease(&mut self, row: LeaseRow) -> Outcome<()> {
        let (id, token) = (row.step, row.token);
        self.next_token = self.next_token.max(token.0 + 1);
        self.next_worker = self.next_worker.max(row.worker.0 + 1);
        let job = self.jobs.get_mut(&id.job);
        let step = job.and_then(|job| job.steps.get_mut(id.index as usize));
        let step = step.ok_or_else(|| torn(format!("lease {token} is of no step")))?;
        for range in row.done.ranges() {
            step.pending.remove(*range);
            step.done.insert(*range);
        }
        row.keep.ranges().iter().for_each(|range| step.pending.remove(*range));
        if let Some(job) = self.jobs.get_mut(&id.job) {
            job.frames_done += row.done.len();
        }
        let worker = self.workers.get_mut(&row.worker);
        if !row.keep.is_empty() {
            let Some(job) = self.jobs.get_mut(&id.job) else { return Ok(()) };
            job.steps[id.index as usize].live.insert(token);
        }
        match worker {
            Some(worker) => {
                worker.frames_done += row.done.len();
                if !row.keep.is_empty() {
                    worker.leases.insert(token);
                }
            }
            None if row.keep.is_empty() => {}
            None => return Err(torn(format!("lease {token} is held by nobody"))),
        }
        let deadline = self.now.plus_millis(self.policy.lease_ttl_ms);
        self.leases.insert(token, LeaseCell { row, deadline, mark: self.now });
        Ok(())
    }

    /// Derives what waits for what, and the order of work.
    fn settle_all(&mut self) {
        let mut fx = Fx::default();
        for job in self.jobs.values_mut() {
            (0..job.steps.len() as u32).for_each(|index| drop(job.settle(index)));
        }
        let ids: Vec<StepId> = self.step_ids().collect();
        ids.into_iter().for_each(|id| self.refresh(id, &mut fx));
    }

    /// Every step.
    pub(super) fn step_ids(&self) -> impl Iterator<Item = StepId> + '_ {
        let of = |(id, job): (&JobId, &Job)| {
            let job_id = *id;
            (0..job.steps.len() as u32).map(move |index| StepId { job: job_id, index })
        };
        self.jobs.iter().flat_map(of)
    }

    /// What the store must hold now; workers that are gone are not known here.
    #[must_use]
    pub fn snapshot(&self) -> Snapshot {
        let step = |(id, i, step): (JobId, u32, &super::job::Step)| {
            (StepId { job: id, index: i }, (Arc::clone(&step.spec), step.state.clone()))
        };
        Snapshot {
            jobs: self.jobs.iter().map(|(id, job)| (*id, job.row.clone())).collect(),
            steps: self
                .jobs
                .iter()
                .flat_map(|(id, job)| (0..).zip(&job.steps).map(move |(i, s)| step((*id, i, s))))
                .collect(),
            leases: self.leases.iter().map(|(t, cell)| (*t, cell.row.clone())).collect(),
            workers: self.workers.iter().map(|(id, w)| (*id, w.row.clone())).collect(),
            settings: self.settings.clone(),
        }
    }

    /// The place of a step in the order of work.
    pub(super) fn rank(&self, id: StepId) -> Option<Rank> {
        Some(Rank::new(self.jobs.get(&id.job)?.row.priority, id))
    }
}

fn torn(what: impl std::fmt::Display) -> Fault {
    Fault::new(Code::StoreFailed, format!("the store contradicts itself: {what}"))
        .remedy("Restore the store from a copy, and report the message.")
}
