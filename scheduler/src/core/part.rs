//! A part of the farm's rows, for an auditor that looks at a few jobs at a
//! time: what the store must hold of them. Whether their sums agree stands in `audit`.

use super::State;
use super::rows::Snapshot;
use platefarm_model::{JobId, StepId};
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
