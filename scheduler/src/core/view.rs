//! The farm as people see it. Read only; nothing here decides.

use super::fit::Standing;
use super::job::{Job, Step};
use super::worker::Worker;
use super::{State, unknown_job};
use platefarm_model::cause::FailedFrame;
use platefarm_model::farm::SettingKind;
use platefarm_model::job::{JobView, LeaseView, StepKind, StepView, WorkerView};
use platefarm_model::making::Making;
use platefarm_model::{FrameSet, JobId, LeaseToken, Outcome, StepId, WorkerId};
use std::collections::BTreeSet;

impl State {
    /// A job with its steps.
    ///
    /// # Errors
    /// [`platefarm_model::Code::UnknownJob`].
    pub fn job(&self, id: JobId) -> Outcome<JobView> {
        let job = self.jobs.get(&id).ok_or_else(|| unknown_job(id))?;
        let mut view = summary(job);
        view.steps = (0..).zip(&job.steps).map(|(i, s)| self.step_view(job, i, s)).collect();
        Ok(view)
    }

    /// How far the packages are that a job makes now, by the places of their steps.
    ///
    /// # Errors
    /// [`platefarm_model::Code::UnknownJob`].
    pub fn making(&self, id: JobId) -> Outcome<Vec<(u32, Making)>> {
        let job = self.jobs.get(&id).ok_or_else(|| unknown_job(id))?;
        let of = |(index, step): (u32, &Step)| {
            let mut live = step.live.iter().filter_map(|token| self.leases.get(token));
            Some((index, live.find_map(|cell| cell.making)?))
        };
        Ok((0..).zip(&job.steps).filter_map(of).collect())
    }

    /// The show that a job belongs to.
    ///
    /// # Errors
    /// [`platefarm_model::Code::UnknownJob`].
    pub fn show_of(&self, id: JobId) -> Outcome<String> {
        self.jobs.get(&id).map(|job| job.row.show.clone()).ok_or_else(|| unknown_job(id))
    }

    /// Every job without its steps, in the order of submission.
    #[must_use]
    pub fn jobs(&self, unsettled_only: bool) -> Vec<JobView> {
        let jobs = self.jobs.values();
        let wanted = jobs.filter(|job| !unsettled_only || job.row.finished.is_none());
        wanted.map(|job| summary(job)).collect()
    }

    /// Every worker that is alive or lost.
    #[must_use]
    pub fn workers(&self) -> Vec<WorkerView> {
        self.workers.values().map(|worker| self.worker_view(worker)).collect()
    }

    /// Frames that a live or ended lease still has to report.
    #[must_use]
    pub fn outstanding(&self, token: LeaseToken) -> Option<&FrameSet> {
        self.leases.get(&token).map(|cell| &cell.row.keep)
    }

    /// Frames of a job that failed and are tried again.
    ///
    /// # Errors
    /// [`platefarm_model::Code::UnknownJob`].
    pub fn troubles(&self, id: JobId) -> Outcome<Vec<FailedFrame>> {
        let job = self.jobs.get(&id).ok_or_else(|| unknown_job(id))?;
        let frames = (0..).zip(&job.steps).flat_map(|(index, step)| {
            step.state.troubles.iter().map(move |(frame, trouble)| FailedFrame {
                step: StepId { job: id, index },
                frame: *frame,
                fault: trouble.fault.clone(),
                again: true,
                workers: trouble.workers.clone(),
            })
        });
        Ok(frames.collect())
    }

    /// The step of a lease that a worker holds.
    #[must_use]
    pub fn held_step(&self, worker: WorkerId, token: LeaseToken) -> Option<StepId> {
        let row = &self.leases.get(&token)?.row;
        (row.worker == worker).then_some(row.step)
    }

    /// Directory or bucket of the package that a job has made. Not before it is done: until then the
    /// directory is what the submitter says, and may be another's.
    ///
    /// # Errors
    /// [`platefarm_model::Code::UnknownJob`].
    pub fn package_of(&self, id: JobId) -> Outcome<Option<String>> {
        let job = self.jobs.get(&id).ok_or_else(|| unknown_job(id))?;
        Ok(job.steps.iter().find_map(|step| match &step.spec.kind {
            StepKind::Package(spec) if step.is_over() && step.state.failed.is_empty() => {
                Some(spec.out_dir.clone())
            }
            _ => None,
        }))
    }

    /// The step of each live lease.
    pub fn live_steps(&self) -> impl Iterator<Item = StepId> + '_ {
        let tokens = self.workers.values().flat_map(|worker| &worker.leases);
        tokens.filter_map(|token| self.leases.get(token)).map(|cell| cell.row.step)
    }

    fn step_view(&self, job: &Job, index: u32, step: &Step) -> StepView {
        let (mut leased, mut making) = (FrameSet::new(), None);
        for cell in step.live.iter().filter_map(|token| self.leases.get(token)) {
            leased.insert_all(&cell.row.keep);
            making = making.or(cell.making);
        }
        StepView {
            id: StepId { job: job.row.id, index },
            name: step.spec.name.clone(),
            kind: step.spec.kind.name().into(),
            phase: step.phase(job.row.cancelled, job.far_open),
            frames: step.spec.frames,
            done: step.done.clone(),
            leased,
            failed: step.state.failed.clone(),
            first_fault: step.state.first_fault.clone(),
            paused: step.state.control.paused,
            level: step.state.control.level,
            making,
        }
    }

    fn worker_view(&self, worker: &Worker) -> WorkerView {
        let lease = |token| {
            let row = &self.leases.get(token)?.row;
            Some(LeaseView { token: row.token, step: row.step, frames: row.keep.clone() })
        };
        let node = self.node(&worker.row.name);
        WorkerView {
            id: worker.row.id,
            name: worker.row.name.clone(),
            state: self.worker_word(worker).into(),
            slots: worker.row.slots,
            backend: worker.row.backend.clone(),
            last_seen: worker.last_seen,
            leases: worker.leases.iter().filter_map(lease).collect(),
            frames_done: worker.frames_done,
            labels: self.labels(worker).into_iter().map(Into::into).collect(),
            pools: self.pools_of(worker),
            memory_mib: worker.row.traits.memory_mib,
            quarantine: node.and_then(|node| node.quarantine.clone()),
            drain_reason: node.map(|node| node.drain_reason.clone()).unwrap_or_default(),
        }
    }

    /// How a worker stands, in the word that lists have for it.
    pub(super) fn worker_word(&self, worker: &Worker) -> &'static str {
        match self.standing(worker) {
            _ if !worker.alive => "lost",
            Standing::Open => "alive",
            Standing::Draining => "draining",
            Standing::Quarantined => "quarantined",
            Standing::Trial => "trial",
        }
    }

    fn pools_of(&self, worker: &Worker) -> Vec<String> {
        let set = self.settings.get(&SettingKind::Pool).into_iter().flat_map(|pools| pools.keys());
        let all: BTreeSet<&String> = set.chain(&worker.row.traits.pools).collect();
        all.into_iter().filter(|pool| self.is_in_pool(worker, pool)).cloned().collect()
    }
}

pub(super) fn summary(job: &Job) -> JobView {
    JobView {
        id: job.row.id,
        name: job.row.name.clone(),
        show: job.row.show.clone(),
        priority: job.row.priority,
        terms: job.row.terms.clone(),
        phase: job.phase(),
        submitted: job.row.submitted,
        finished: job.row.finished,
        frames_total: job.frames_total,
        frames_done: job.frames_done,
        frames_failed: job.frames_failed,
        steps: Vec::new(),
    }
}
