//! A part of the farm's rows, for an auditor that looks at a few jobs at a
//! time: what the store must hold of them. Whether their sums agree stands in `audit`.
//! And what may be heard of before it is stored.

use super::State;
use super::command::Granted;
use super::restore::UNSTORED_TOKENS;
use super::rows::{Changes, Snapshot};
use platefarm_model::{JobId, LeaseToken, StepId};
use std::sync::Arc;

impl State {
    /// The last of at most `count` jobs from `first` on; none: there is no job from there on.
    #[must_use]
    pub fn last_of(&self, first: JobId, count: usize) -> Option<JobId> {
        self.jobs.range(first..).take(count).last().map(|(id, _)| *id)
    }

    /// What the store must hold of the jobs from `first` to `last`: jobs,
    /// steps and leases; with the last job of all, workers, settings and marks, too.
    #[must_use]
    pub fn rows_between(&self, first: JobId, last: JobId) -> Snapshot {
        let mut rows = Snapshot::default();
        for (id, job) in self.jobs.range(first..=last) {
            rows.jobs.insert(*id, job.row.clone());
            for (index, step) in (0..).zip(&job.steps) {
                let row = (Arc::clone(&step.spec), step.state.row());
                rows.steps.insert(StepId { job: *id, index }, row);
            }
        }
        let jobs = self.jobs.range(first..=last).flat_map(|(_, job)| &job.tokens);
        let leases = jobs.filter_map(|token| self.leases.get(token));
        rows.leases.extend(leases.map(|cell| (cell.row.token, cell.row.clone())));
        if self.is_last(last) {
            rows.workers = self.worker_rows();
            rows.settings = self.setting_rows();
            rows.marks = self.marks;
        }
        rows
    }

    /// These changes are stored.
    pub fn stored(&mut self, changes: &Changes) {
        let last = changes.leases.last_key_value().map(|(token, _)| *token);
        self.stored_token = self.stored_token.max(last);
    }

    /// Whether a lease may be heard of before it is stored: not when its job is not (`unstored`
    /// says of which that is so), not when it waited for something that may not be, and not when its
    /// token could be given out again if it is lost with this core. The next core begins beyond
    /// all that lie so near behind the last lease that is stored.
    #[must_use]
    pub fn may_go(&self, granted: &Granted, unstored: impl Fn(JobId) -> bool) -> bool {
        let near = |stored: LeaseToken| granted.token.0 <= stored.0 + UNSTORED_TOKENS;
        self.stored_token.is_some_and(near)
            && !self.is_dependent(granted.step)
            && !unstored(granted.step.job)
    }

    /// Whether a step waits, or waited, for anything: other steps, other jobs, single frames.
    #[must_use]
    pub fn is_dependent(&self, id: StepId) -> bool {
        let Some(job) = self.jobs.get(&id.job) else { return true };
        let Some(step) = job.steps.get(id.index as usize) else { return true };
        !(job.row.terms.after.is_empty()
            && step.spec.after.is_empty()
            && step.spec.terms.after_same_frames.is_empty()
            && step.state.control.after.is_empty())
    }
}
