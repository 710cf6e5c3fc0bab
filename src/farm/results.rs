//! How the frames of a job stand and ended, frame by frame, and what went
//! wrong with them by cause.

use super::Farm;
use platefarm_model::cause::Cause;
use platefarm_model::job::{FrameResult, JobView, StepView};
use platefarm_model::query::JobQuery;
use platefarm_model::{Fault, FrameRange, FrameSet, JobId, LeaseToken, Outcome, StepId, WorkerId};
use platefarm_proto::v1;
use serde::Serialize;

/// What is known of a frame.
#[derive(Debug, Serialize)]
pub(crate) struct FrameLine {
    /// Its step.
    pub(crate) step: StepId,
    /// Delivered frame number.
    pub(crate) frame: i64,
    /// `waiting`, `running`, `done`, `failed`.
    pub(crate) state: &'static str,
    /// Whose it is or was, while that is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) worker: Option<WorkerId>,
    /// Their name, while they are here.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) worker_name: Option<String>,
    /// The lease under which it ended.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) lease: Option<LeaseToken>,
    /// What the worker said of it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) result: Option<FrameResult>,
    /// Why it was given up.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) fault: Option<Fault>,
}

impl FrameLine {
    fn of(step: StepId, frame: i64, state: &'static str) -> Self {
        Self {
            step,
            frame,
            state,
            worker: None,
            worker_name: None,
            lease: None,
            result: None,
            fault: None,
        }
    }

    /// Time on the worker, in milliseconds.
    pub(crate) fn millis(&self) -> Option<f64> {
        self.result.as_ref().map(|result| result.millis.values().sum())
    }
}

/// Which frames are wanted.
#[derive(Debug, Default)]
pub(crate) struct FrameQuery {
    /// Only of this step.
    pub(crate) step: Option<u32>,
    /// Only these.
    pub(crate) frames: Option<FrameSet>,
    /// Only in this state.
    pub(crate) state: Option<String>,
}

impl FrameQuery {
    fn holds(&self, line: &FrameLine) -> bool {
        self.frames.as_ref().is_none_or(|frames| frames.contains(line.frame))
            && self.state.as_ref().is_none_or(|state| state == line.state)
    }
}

struct Doer {
    frames: FrameRange,
    lease: LeaseToken,
    worker: WorkerId,
    name: Option<String>,
}

impl TryFrom<v1::Doer> for Doer {
    type Error = Fault;

    fn try_from(wire: v1::Doer) -> Outcome<Self> {
        let frames = wire.frames.unwrap_or_default().try_into()?;
        let name = Some(wire.name).filter(|name| !name.is_empty());
        let (lease, worker) = (LeaseToken(wire.token), WorkerId(wire.worker));
        Ok(Self { frames, lease, worker, name })
    }
}

/// Frames of one step as its page of results says.
fn ended(step: StepId, wire: v1::StepFrames) -> Outcome<Vec<FrameLine>> {
    let doers = wire.doers.into_iter().map(Doer::try_from).collect::<Outcome<Vec<_>>>()?;
    let by = |mut line: FrameLine| {
        if let Some(doer) = doers.iter().find(|doer| doer.frames.contains(line.frame)) {
            line.worker = Some(doer.worker);
            line.worker_name.clone_from(&doer.name);
            line.lease = Some(doer.lease);
        }
        line
    };
    let done = wire.frames.into_iter().map(FrameResult::from).map(|result| {
        by(FrameLine { result: Some(result.clone()), ..FrameLine::of(step, result.frame, "done") })
    });
    let failed = wire.failed.into_iter().map(|it| {
        let fault = it.fault.map(Fault::from);
        by(FrameLine { fault, ..FrameLine::of(step, it.frame, "failed") })
    });
    Ok(done.chain(failed).collect())
}

/// Frames that have not ended, as the job says.
fn open(step: &StepView) -> Vec<FrameLine> {
    let mut waiting = FrameSet::from(step.frames);
    for ended in [&step.done, &step.failed, &step.leased] {
        waiting.remove_all(ended);
    }
    let each = |frames: &FrameSet, state| {
        frames.iter().map(|frame| FrameLine::of(step.id, frame, state)).collect::<Vec<_>>()
    };
    let mut lines = each(&step.leased, "running");
    lines.extend(each(&waiting, "waiting"));
    lines
}

impl Farm {
    /// Jobs that are looked for, newest first, and how many there are in all.
    pub(crate) async fn find_jobs(&mut self, query: &JobQuery) -> Outcome<(Vec<JobView>, u64)> {
        let request = v1::ListJobsRequest::from(query);
        let answer = self.ask(async |farm| farm.list_jobs(request.clone()).await).await?;
        let jobs = answer.jobs.into_iter().map(TryInto::try_into).collect::<Outcome<_>>()?;
        Ok((jobs, answer.found))
    }

    /// Frames of a job that failed, by what went wrong.
    pub(crate) async fn causes(&mut self, job: JobId) -> Outcome<Vec<Cause>> {
        let request = v1::ListErrorsRequest { job: job.0 };
        let answer = self.ask(async |farm| farm.list_errors(request).await).await?;
        answer.causes.into_iter().map(TryInto::try_into).collect()
    }

    /// Frames of a job that have ended, in order of step and frame; `told`
    /// hears them as they come.
    pub(crate) async fn ended_frames(
        &mut self,
        job: JobId,
        query: &FrameQuery,
        mut told: impl FnMut(Vec<FrameLine>),
    ) -> Outcome<()> {
        let mut request = v1::ListFramesRequest { job: job.0, after: None, limit: 0 };
        loop {
            let page = self.ask(async |farm| farm.list_frames(request).await).await?;
            for step in page.steps {
                let id = StepId { job, index: step.step };
                if query.step.is_some_and(|wanted| wanted != id.index) {
                    continue;
                }
                let mut lines = ended(id, step)?;
                lines.retain(|line| query.holds(line));
                lines.sort_by_key(|line| line.frame);
                told(lines);
            }
            match page.next {
                Some(next) => request.after = Some(next),
                None => return Ok(()),
            }
        }
    }

    /// Every frame of a job, whether it has ended or not.
    pub(crate) async fn every_frame(
        &mut self,
        job: &JobView,
        query: &FrameQuery,
    ) -> Outcome<Vec<FrameLine>> {
        let mut lines = Vec::new();
        self.ended_frames(job.id, query, |some| lines.extend(some)).await?;
        let steps = job.steps.iter().filter(|it| query.step.is_none_or(|step| step == it.id.index));
        for step in steps {
            lines.extend(open(step).into_iter().filter(|line| query.holds(line)));
        }
        for worker in self.workers().await? {
            for lease in worker.leases.iter().filter(|lease| lease.step.job == job.id) {
                let held = lines.iter_mut().filter(|line| {
                    line.state == "running"
                        && line.step == lease.step
                        && lease.frames.contains(line.frame)
                });
                for line in held {
                    line.worker = Some(worker.id);
                    line.worker_name = Some(worker.name.clone());
                    line.lease = Some(lease.token);
                }
            }
        }
        lines.sort_by_key(|line| (line.step, line.frame));
        Ok(lines)
    }
}
