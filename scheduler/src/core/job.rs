//! Jobs and steps: the frames of a step as sets, what waits for what, and the
//! two things people do to jobs.

use super::command::Reply;
use super::policy::Pace;
use super::rows::{JobRow, StepState};
use super::{Fx, State};
use platefarm_model::job::{JobSpec, Phase, StepSpec};
use platefarm_model::{Code, Fault, FrameSet, JobId, LeaseToken, Outcome, StepId, limits};
use std::collections::BTreeSet;
use std::sync::Arc;

/// A text that people and every store can show: of bounded length, without control characters.
pub(super) fn plain(text: &str, place: &str) -> Outcome<()> {
    let max = limits::MAX_NAME_BYTES;
    if text.len() > max || text.chars().any(char::is_control) {
        let message = format!("{text:?} has more than {max} bytes, or control characters");
        return Err(Fault::new(Code::BadSpec, message).at(place));
    }
    Ok(())
}

/// A job and its sums.
#[derive(Clone, Debug)]
pub(super) struct Job {
    pub(super) row: JobRow,
    pub(super) steps: Vec<Step>,
    /// Steps that are not settled.
    pub(super) unsettled: usize,
    pub(super) frames_total: u64,
    pub(super) frames_done: u64,
    pub(super) frames_failed: u64,
}

/// A step. Pending, the leases' frames, done and failed partition its frames.
#[derive(Clone, Debug)]
pub(super) struct Step {
    pub(super) spec: Arc<StepSpec>,
    pub(super) pending: FrameSet,
    pub(super) done: FrameSet,
    /// Failed frames, and what is remembered of failures.
    pub(super) state: StepState,
    /// Live leases.
    pub(super) live: BTreeSet<LeaseToken>,
    /// Unsettled steps that it waits for.
    pub(super) waiting_on: usize,
    /// Steps that wait for it.
    pub(super) dependents: Vec<u32>,
    /// Whether its end has been booked.
    pub(super) settled: bool,
    pub(super) pace: Pace,
}

impl Step {
    pub(super) fn new(spec: Arc<StepSpec>) -> Self {
        Self {
            pending: spec.frames.into(),
            spec,
            done: FrameSet::new(),
            state: StepState::default(),
            live: BTreeSet::new(),
            waiting_on: 0,
            dependents: Vec::new(),
            settled: false,
            pace: Pace::default(),
        }
    }

    /// Whether every frame is done or given up.
    pub(super) fn is_complete(&self) -> bool {
        self.pending.is_empty() && self.live.is_empty()
    }

    /// Whether a frame of it could be leased now.
    pub(super) fn is_ready(&self) -> bool {
        self.waiting_on == 0 && !self.pending.is_empty()
    }

    pub(super) fn phase(&self, cancelled: bool) -> Phase {
        if self.is_complete() {
            if self.state.failed.is_empty() { Phase::Done } else { Phase::Failed }
        } else if cancelled {
            Phase::Cancelled
        } else if self.waiting_on > 0 {
            Phase::Blocked
        } else if self.live.is_empty() && self.done.is_empty() && self.state.failed.is_empty() {
            Phase::Pending
        } else {
            Phase::Running
        }
    }
}

impl Job {
    /// A job whose steps have not begun.
    pub(super) fn new(row: JobRow, specs: impl IntoIterator<Item = Arc<StepSpec>>) -> Self {
        let mut steps: Vec<Step> = specs.into_iter().map(Step::new).collect();
        for i in 0..steps.len() {
            let after: BTreeSet<u32> = steps[i].spec.after.iter().copied().collect();
            steps[i].waiting_on = after.len();
            for earlier in after {
                if let Some(earlier) = steps.get_mut(earlier as usize) {
                    earlier.dependents.push(i as u32);
                }
            }
        }
        Self {
            row,
            unsettled: steps.len(),
            frames_total: steps.iter().map(|s| s.spec.frames.len()).sum(),
            frames_done: 0,
            frames_failed: 0,
            steps,
        }
    }

    /// Books the end of a step, once: the steps that wait for nothing more.
    pub(super) fn settle(&mut self, index: u32) -> Option<Vec<u32>> {
        let step = &mut self.steps[index as usize];
        if step.settled || !step.is_complete() {
            return None;
        }
        step.settled = true;
        self.unsettled -= 1;
        let mut unblocked = step.dependents.clone();
        unblocked.retain(|dependent| {
            let waiting = &mut self.steps[*dependent as usize].waiting_on;
            *waiting -= 1;
            *waiting == 0
        });
        Some(unblocked)
    }

    pub(super) fn phase(&self) -> Phase {
        if self.row.cancelled {
            Phase::Cancelled
        } else if self.unsettled == 0 {
            if self.frames_failed == 0 { Phase::Done } else { Phase::Failed }
        } else {
            let begun = |s: &Step| matches!(s.phase(false), Phase::Running) || s.settled;
            if self.steps.iter().any(begun) { Phase::Running } else { Phase::Pending }
        }
    }
}

impl State {
    pub(super) fn submit(&mut self, spec: JobSpec, fx: &mut Fx) -> Outcome<Reply> {
        spec.check()?;
        plain(&spec.name, "name")?;
        plain(&spec.show, "show")?;
        plain(spec.idempotency_key.as_deref().unwrap_or_default(), "idempotency_key")?;
        if let Some(job) = self.same_request(spec.idempotency_key.as_deref(), fx) {
            return Ok(Reply::Submitted { job, existed: true });
        }
        let id = JobId(self.next_job);
        self.next_job += 1;
        let row = JobRow {
            id,
            name: spec.name,
            show: spec.show,
            priority: spec.priority,
            terms: spec.terms,
            idempotency_key: spec.idempotency_key,
            submitted: self.now,
            finished: None,
            cancelled: false,
        };
        if let Some(key) = &row.idempotency_key {
            self.keys.insert(key.clone(), id);
        }
        fx.changes.jobs.insert(id, row.clone());
        let job = Job::new(row, spec.steps.into_iter().map(Arc::new));
        let steps = 0..job.steps.len() as u32;
        for (step, index) in job.steps.iter().zip(steps.clone()) {
            fx.changes.new_steps.insert(StepId { job: id, index }, step.spec.clone());
        }
        self.jobs.insert(id, job);
        steps.for_each(|index| self.refresh(StepId { job: id, index }, fx));
        Ok(Reply::Submitted { job: id, existed: false })
    }

    /// The job that was handed in under `key` and is under way or done. One
    /// that was cancelled or failed gives up its key: who asks again wants another try.
    fn same_request(&mut self, key: Option<&str>, fx: &mut Fx) -> Option<JobId> {
        let id = *self.keys.get(key?)?;
        let job = self.jobs.get_mut(&id)?;
        if !matches!(job.phase(), Phase::Cancelled | Phase::Failed) {
            return Some(id);
        }
        job.row.idempotency_key = None;
        fx.changes.jobs.insert(id, job.row.clone());
        None
    }

    /// What is done stays done. The leases end here: workers hear it with
    /// their next renewal or report, and what they then hold is refused.
    pub(super) fn cancel(&mut self, id: JobId, fx: &mut Fx) -> Outcome<Reply> {
        let now = self.now;
        let job = self.job_mut(id)?;
        if job.row.finished.is_some() {
            return Ok(Reply::Done);
        }
        job.row.cancelled = true;
        job.row.finished = Some(now);
        fx.changes.jobs.insert(id, job.row.clone());
        let live: Vec<LeaseToken> =
            job.steps.iter().flat_map(|step| step.live.iter().copied()).collect();
        let steps = 0..job.steps.len() as u32;
        live.into_iter().for_each(|token| self.end_lease(token, fx));
        steps.for_each(|index| self.refresh(StepId { job: id, index }, fx));
        Ok(Reply::Done)
    }
}
