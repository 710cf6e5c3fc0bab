//! What people and upstream services ask, as commands and looks.

use super::desk::Desk;
use super::results::{Page, Results};
use super::{Answer, answer, control};
use crate::aside::Aside;
use crate::core::{Command, Listed, Reply, State};
use crate::store::Reader;
use crate::trust::Caller;
use crate::web::Metrics;
use opentelemetry::trace::SpanKind;
use platefarm_model::farm::{Control, Target};
use platefarm_model::job::{FrameOutcome, JobSpec, JobView};
use platefarm_model::making::Making;
use platefarm_model::query::JobQuery;
use platefarm_model::status::FarmStatus;
use platefarm_model::{JobId, Outcome};
use platefarm_proto::convert::{needed, to_status};
use platefarm_proto::trace::{self, Taken};
use platefarm_proto::{Farm, v1};
use prost::Message as _;
use std::sync::Arc;
use std::time::{Duration, SystemTime};
use tokio::sync::{mpsc, watch};
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Request, Response, Status};

/// The `Farm` service.
pub(super) struct FarmService<R> {
    pub(super) desk: Desk,
    pub(super) results: Results<R>,
    pub(super) closing: watch::Receiver<bool>,
    /// Where this scheduler is reached.
    pub(super) address: String,
    pub(super) metrics: Arc<Metrics>,
    /// Of [`ASIDE`] messages.
    pub(super) aside: Aside,
}

/// Large messages that are taken apart or put together at a time: one may unpack to a gigabyte.
pub(super) const ASIDE: usize = 4;
/// Up to this size, in bytes, a submission is read where it arrives.
const SMALL_BYTES: usize = 64 * 1024;
/// And up to so many steps a job is told by whoever is asked.
const SMALL_STEPS: usize = 1000;

/// Most frames of a page of results.
const MAX_PAGE: u32 = 50_000;
/// Least time between two states of a watched job: what a person can follow.
const WATCH_PAUSE: Duration = Duration::from_millis(100);

async fn view(desk: &Desk, job: u64) -> Outcome<JobView> {
    desk.look_at(JobId(job), move |state| state.job(JobId(job))).await?
}

/// A job as the wire has it.
async fn wire(aside: &Aside, job: JobView) -> Outcome<v1::JobView> {
    match job.steps.len() {
        0..=SMALL_STEPS => Ok(v1::JobView::from(&job)),
        _ => aside.in_turn(async move { Ok(v1::JobView::from(&job)) }).await,
    }
}

/// A page of results as the wire has it, of a job of so many steps.
fn listed(steps: u32, page: Page) -> v1::ListFramesResponse {
    let wire = |step: u32| v1::StepFrames { step, ..v1::StepFrames::default() };
    let mut steps: Vec<v1::StepFrames> = (0..steps).map(wire).collect();
    for row in &page.rows {
        let Some(step) = steps.get_mut(row.step.index as usize) else { continue };
        match &row.outcome {
            FrameOutcome::Done(result) => step.frames.push(result.as_ref().into()),
            FrameOutcome::Failed { frame, fault } => {
                let fault = Some(fault.into());
                step.failed.push(v1::FailedFrame { frame: *frame, fault });
            }
        }
    }
    for doer in page.doers {
        let Some(step) = steps.get_mut(doer.step as usize) else { continue };
        step.doers.push(v1::Doer {
            frames: Some(doer.frames.into()),
            token: doer.token.0,
            worker: doer.worker.0,
            name: doer.name.unwrap_or_default(),
        });
    }
    let last = page.rows.last().filter(|_| page.more);
    let next = last.map(|row| v1::FrameCursor { step: row.step.index, frame: row.outcome.frame() });
    v1::ListFramesResponse { steps, next }
}

/// A job whose steps say which trace they belong to: their own, or that of the
/// submission, where one is kept. One that comes back is a repetition, and has it from before.
fn traced(mut spec: JobSpec, parent: Option<String>, begun: SystemTime) -> JobSpec {
    if spec.steps.iter().any(|step| step.terms.trace.is_some()) {
        return spec;
    }
    let mut submission = Taken::new("submit", begun, SystemTime::now());
    submission.facts = vec![("job.name", spec.name.clone()), ("show", spec.show.clone())];
    let context = submission.export(parent.as_deref(), SpanKind::Server);
    // Without an exporter of ours, the caller's own context is what workers go on from.
    let context = context.or(parent.filter(|text| trace::parse(text).is_some()));
    for step in &mut spec.steps {
        step.terms.trace = context.as_deref().map(Into::into);
    }
    spec
}

/// The trace that a call belongs to, as it says.
pub(super) fn parent<T>(request: &Request<T>) -> Option<String> {
    let header = request.metadata().get(trace::HEADER).and_then(|text| text.to_str().ok());
    header.map(str::to_owned)
}

/// The name that a job says of who handed it in; none where nobody has to say who they are.
fn submitter(caller: &Caller) -> Option<Box<str>> {
    (!caller.token.is_empty()).then(|| caller.name.as_str().into())
}

/// Hands a job in: its id, and whether it was there before. It says who handed it
/// in: whoever the gate found, and nobody that a submission names.
pub(super) async fn submit(
    desk: &Desk,
    mut spec: JobSpec,
    caller: &Caller,
    parent: Option<String>,
    begun: SystemTime,
) -> Outcome<(JobId, bool)> {
    spec.terms.submitted_by = submitter(caller);
    // Who is for some shows says nothing of, and changes nothing in, a job of another show.
    if !caller.shows.is_empty() {
        spec.idempotency_key = spec.idempotency_key.map(|key| format!("{}: {key}", spec.show));
    }
    let spec = Box::new(traced(spec, parent, begun));
    match control::ask(desk, caller, Command::Submit(spec)).await? {
        Reply::Submitted { job, existed } => Ok((job, existed)),
        _ => Desk::unexpected(),
    }
}

impl<R: Reader> FarmService<R> {
    async fn frames(&self, request: v1::ListFramesRequest) -> Outcome<v1::ListFramesResponse> {
        let v1::ListFramesRequest { job, after, limit } = request;
        let job = view(&self.desk, job).await?;
        let (id, steps) = (job.id, job.steps.len() as u32);
        let after = after.map(|cursor| (cursor.step, cursor.frame));
        let page = self.results.page(id, after, limit.min(MAX_PAGE)).await?;
        self.aside.in_turn(async move { Ok(listed(steps, page)) }).await
    }

    /// A job of the wire; a large one is taken apart aside.
    async fn read(&self, job: v1::JobSpec) -> Outcome<JobSpec> {
        match job.encoded_len() {
            0..=SMALL_BYTES => job.try_into(),
            _ => self.aside.in_turn(async move { JobSpec::try_from(job) }).await,
        }
    }

    async fn hand_in(
        &self,
        request: Request<v1::SubmitJobRequest>,
    ) -> Outcome<v1::SubmitJobResponse> {
        let (begun, parent) = (SystemTime::now(), parent(&request));
        let caller = Caller::of(&request)?;
        let spec = self.read(needed(request.into_inner().job, "job")?).await?;
        let (job, existed) = submit(&self.desk, spec, &caller, parent, begun).await?;
        Ok(v1::SubmitJobResponse { job: job.0, existed })
    }

    async fn making(&self, job: u64) -> Outcome<v1::GetMakingResponse> {
        let makings = self.desk.live(move |state| state.making(JobId(job))).await??;
        let step =
            |(step, making): (u32, Making)| v1::StepMaking { step, making: Some((&making).into()) };
        Ok(v1::GetMakingResponse { steps: makings.into_iter().map(step).collect() })
    }

    async fn job(&self, job: u64) -> Outcome<Option<v1::JobView>> {
        wire(&self.aside, view(&self.desk, job).await?).await.map(Some)
    }

    async fn jobs(&self, request: Request<v1::ListJobsRequest>) -> Outcome<v1::ListJobsResponse> {
        let caller = Caller::of(&request)?;
        let query = JobQuery::try_from(request.into_inner())?;
        let Listed { jobs, found, .. } =
            self.desk.jobs(query, move |show| caller.sees(show)).await?;
        Ok(v1::ListJobsResponse { jobs: jobs.iter().map(Into::into).collect(), found })
    }

    async fn workers(
        &self,
        request: &Request<v1::ListWorkersRequest>,
    ) -> Outcome<v1::ListWorkersResponse> {
        let caller = Caller::of(request)?;
        let look = move |state: &State| {
            let mut workers = state.workers();
            if !caller.shows.is_empty() {
                let mine = |job| state.show_of(job).is_ok_and(|show| caller.sees(&show));
                workers.iter_mut().for_each(|worker| worker.cut(mine));
            }
            workers
        };
        let workers = self.desk.live(look).await?;
        Ok(v1::ListWorkersResponse { workers: workers.iter().map(Into::into).collect() })
    }
}

#[tonic::async_trait]
impl<R: Reader> Farm for FarmService<R> {
    async fn submit_job(
        &self,
        request: Request<v1::SubmitJobRequest>,
    ) -> Answer<v1::SubmitJobResponse> {
        answer(self.hand_in(request).await)
    }

    async fn list_jobs(
        &self,
        request: Request<v1::ListJobsRequest>,
    ) -> Answer<v1::ListJobsResponse> {
        answer(self.jobs(request).await)
    }

    async fn get_job(&self, request: Request<v1::GetJobRequest>) -> Answer<v1::GetJobResponse> {
        let job = self.job(request.into_inner().job).await;
        answer(job.map(|job| v1::GetJobResponse { job }))
    }

    type WatchJobStream = ReceiverStream<Result<v1::WatchJobResponse, Status>>;

    async fn watch_job(
        &self,
        request: Request<v1::WatchJobRequest>,
    ) -> Result<Response<Self::WatchJobStream>, Status> {
        let id = request.into_inner().job;
        self.desk.show_of(JobId(id)).await.map_err(|fault| to_status(&fault))?;
        let changed = self.desk.watch(JobId(id)).await.map_err(|fault| to_status(&fault))?;
        let (to, states) = mpsc::channel(1);
        let (desk, closing, aside) = (self.desk.clone(), self.closing.clone(), self.aside.clone());
        let watcher = Watcher { desk, closing, aside, id };
        tokio::spawn(watcher.run(changed, to));
        Ok(Response::new(ReceiverStream::new(states)))
    }

    async fn cancel_job(
        &self,
        request: Request<v1::CancelJobRequest>,
    ) -> Answer<v1::CancelJobResponse> {
        let id = request.into_inner().job;
        let job =
            match self.desk.ask(Command::Control(Target::Job(JobId(id)), Control::Cancel)).await {
                Ok(_) => self.job(id).await,
                Err(fault) => Err(fault),
            };
        answer(job.map(|job| v1::CancelJobResponse { job }))
    }

    async fn forget_job(
        &self,
        request: Request<v1::ForgetJobRequest>,
    ) -> Answer<v1::ForgetJobResponse> {
        answer(control::forget(&self.desk, request.into_inner()).await)
    }

    async fn list_frames(
        &self,
        request: Request<v1::ListFramesRequest>,
    ) -> Answer<v1::ListFramesResponse> {
        answer(self.frames(request.into_inner()).await)
    }

    async fn list_errors(
        &self,
        request: Request<v1::ListErrorsRequest>,
    ) -> Answer<v1::ListErrorsResponse> {
        let causes = self.results.causes(JobId(request.into_inner().job)).await;
        answer(causes.map(|causes| v1::ListErrorsResponse {
            causes: causes.iter().map(Into::into).collect(),
        }))
    }

    async fn get_making(
        &self,
        request: Request<v1::GetMakingRequest>,
    ) -> Answer<v1::GetMakingResponse> {
        answer(self.making(request.into_inner().job).await)
    }

    async fn get_farm(&self, _: Request<v1::GetFarmRequest>) -> Answer<v1::GetFarmResponse> {
        let certificate_until = self.metrics.certificate_until();
        let status = self.desk.status(&self.address).await;
        answer(status.map(|status| (&FarmStatus { certificate_until, ..status }).into()))
    }

    async fn list_workers(
        &self,
        request: Request<v1::ListWorkersRequest>,
    ) -> Answer<v1::ListWorkersResponse> {
        answer(self.workers(&request).await)
    }

    async fn control_job(
        &self,
        request: Request<v1::ControlJobRequest>,
    ) -> Answer<v1::ControlJobResponse> {
        let caller = match Caller::of(&request) {
            Ok(caller) => caller,
            Err(fault) => return answer(Err(fault)),
        };
        answer(control::job(&self.desk, &caller, request.into_inner()).await)
    }

    async fn control_worker(
        &self,
        request: Request<v1::ControlWorkerRequest>,
    ) -> Answer<v1::ControlWorkerResponse> {
        answer(control::worker(&self.desk, request.into_inner()).await)
    }

    async fn set_pool(&self, request: Request<v1::SetPoolRequest>) -> Answer<v1::SetPoolResponse> {
        let set = control::change(&self.desk, request.into_inner()).await;
        answer(set.map(|()| v1::SetPoolResponse {}))
    }

    async fn set_limit(
        &self,
        request: Request<v1::SetLimitRequest>,
    ) -> Answer<v1::SetLimitResponse> {
        let set = control::change(&self.desk, request.into_inner()).await;
        answer(set.map(|()| v1::SetLimitResponse {}))
    }

    async fn set_share(
        &self,
        request: Request<v1::SetShareRequest>,
    ) -> Answer<v1::SetShareResponse> {
        let set = control::change(&self.desk, request.into_inner()).await;
        answer(set.map(|()| v1::SetShareResponse {}))
    }

    async fn list_settings(
        &self,
        _: Request<v1::ListSettingsRequest>,
    ) -> Answer<v1::ListSettingsResponse> {
        answer(control::settings(&self.desk).await)
    }

    async fn explain(&self, request: Request<v1::ExplainRequest>) -> Answer<v1::ExplainResponse> {
        answer(control::explain(&self.desk, request.into_inner()).await)
    }

    async fn what_if(&self, request: Request<v1::WhatIfRequest>) -> Answer<v1::WhatIfResponse> {
        answer(control::what_if(&self.desk, request.into_inner()).await)
    }
}

/// Sends a job's states to one who watches it.
struct Watcher {
    desk: Desk,
    closing: watch::Receiver<bool>,
    aside: Aside,
    id: u64,
}

type States = mpsc::Sender<Result<v1::WatchJobResponse, Status>>;

impl Watcher {
    /// Now, after each change, and once more when it is settled. Changes
    /// that come faster than they are sent become one.
    async fn run(mut self, mut changed: watch::Receiver<u64>, to: States) {
        loop {
            changed.mark_unchanged();
            let job = view(&self.desk, self.id).await;
            let settled = job.as_ref().map_or(true, |job| job.phase.is_settled());
            let job = match job {
                Ok(job) => wire(&self.aside, job).await,
                Err(fault) => Err(fault),
            };
            let state = job
                .map(|job| v1::WatchJobResponse { job: Some(job) })
                .map_err(|fault| to_status(&fault));
            if to.send(state).await.is_err() || settled {
                return;
            }
            tokio::select! {
                alive = changed.changed() => if alive.is_err() { return },
                _ = self.closing.wait_for(|closing| *closing) => return,
                () = to.closed() => return,
            }
            tokio::time::sleep(WATCH_PAUSE).await;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use platefarm_model::trust::Role;

    /// Nobody hands a job in under another's name: whatever a submission says is written over.
    #[test]
    fn a_job_says_who_handed_it_in() {
        let caller = |token: &str| Caller {
            name: "ann".into(),
            token: token.into(),
            role: Role::Submitter,
            shows: Vec::new(),
        };
        let by = |token| submitter(&caller(token));
        assert_eq!(by("4f1c9a03be77").as_deref(), Some("ann"));
        assert_eq!(by(""), None, "nobody has to say who they are");
    }
}
