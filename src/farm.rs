//! A farm as the command line sees it: the scheduler behind an address.
//!
//! Wire types end here; every answer is a value of the model and every refusal
//! a fault with its code.

use platefarm_model::code::Owner;
use platefarm_model::job::{FrameResult, JobSpec, JobView, WorkerView};
use platefarm_model::{Code, Fault, JobId, Outcome, limits};
use platefarm_proto::convert::from_status;
use platefarm_proto::v1::{self, farm_client::FarmClient};
use std::time::{Duration, Instant};
use tonic::transport::{Channel, Endpoint};

/// How long one who follows a job waits for a scheduler that went away.
const PATIENCE: Duration = Duration::from_secs(120);
/// Between two tries to reach it.
const PAUSE: Duration = Duration::from_millis(300);

/// A connection to a scheduler.
pub(crate) struct Farm {
    client: FarmClient<Channel>,
}

impl Farm {
    /// Connects to `url`, e.g. `http://127.0.0.1:7878`.
    pub(crate) async fn connect(url: &str) -> Outcome<Self> {
        let unreachable = |e: &tonic::transport::Error| {
            Fault::new(Code::NoScheduler, format!("no scheduler answers at {url}")).because(e)
        };
        let endpoint = Endpoint::from_shared(url.to_owned())
            .map_err(|e| {
                Fault::new(Code::BadConfig, format!("'{url}' is not an address"))
                    .at("--farm")
                    .because(&e)
            })?
            .connect_timeout(Duration::from_secs(5))
            .http2_keep_alive_interval(Duration::from_secs(10))
            .keep_alive_timeout(Duration::from_secs(5));
        let channel = endpoint.connect().await.map_err(|e| unreachable(&e))?;
        let client = FarmClient::new(channel)
            .max_decoding_message_size(limits::MAX_MESSAGE_BYTES)
            .max_encoding_message_size(limits::MAX_MESSAGE_BYTES);
        Ok(Self { client })
    }

    /// Hands in a job; the second value says whether it was there before.
    pub(crate) async fn submit(&mut self, job: &JobSpec) -> Outcome<(JobId, bool)> {
        let request = v1::SubmitJobRequest { job: Some(job.into()) };
        let answer =
            self.client.submit_job(request).await.map_err(|s| from_status(&s))?.into_inner();
        Ok((JobId(answer.job), answer.existed))
    }

    /// Jobs, newest first.
    pub(crate) async fn jobs(&mut self, unsettled_only: bool) -> Outcome<Vec<JobView>> {
        let request = v1::ListJobsRequest { unsettled_only };
        let answer =
            self.client.list_jobs(request).await.map_err(|s| from_status(&s))?.into_inner();
        answer.jobs.into_iter().map(TryInto::try_into).collect()
    }

    /// One job with its steps.
    pub(crate) async fn job(&mut self, job: JobId) -> Outcome<JobView> {
        let answer = self
            .client
            .get_job(v1::GetJobRequest { job: job.0 })
            .await
            .map_err(|s| from_status(&s))?;
        view(answer.into_inner().job)
    }

    /// Calls `seen` on every change of a job until it is settled, and returns
    /// it then. A scheduler that goes away is waited for, for a while: `away`
    /// is told, once, each time.
    pub(crate) async fn watch(
        &mut self,
        job: JobId,
        mut seen: impl FnMut(&JobView),
        mut away: impl FnMut(&Fault),
    ) -> Outcome<JobView> {
        let mut silent: Option<Instant> = None;
        loop {
            let gone = match self.watch_once(job, &mut seen, &mut silent).await {
                Ok(Some(settled)) => return Ok(settled),
                Ok(None) => Fault::new(Code::NoScheduler, "the scheduler stopped answering"),
                Err(fault) if fault.owner() == Owner::Farm => fault,
                Err(fault) => return Err(fault),
            };
            let since = *silent.get_or_insert_with(|| {
                away(&gone);
                Instant::now()
            });
            if since.elapsed() >= PATIENCE {
                return Err(gone.remedy(format!(
                    "The job goes on when the scheduler does; follow it again with `platefarm jobs watch {job}`."
                )));
            }
            tokio::time::sleep(PAUSE).await;
        }
    }

    /// Follows a job on one connection; none when that ends before the job.
    async fn watch_once(
        &mut self,
        job: JobId,
        seen: &mut impl FnMut(&JobView),
        silent: &mut Option<Instant>,
    ) -> Outcome<Option<JobView>> {
        let request = v1::WatchJobRequest { job: job.0 };
        let answer = self.client.watch_job(request).await.map_err(|s| from_status(&s))?;
        let mut stream = answer.into_inner();
        while let Some(message) = stream.message().await.map_err(|s| from_status(&s))? {
            *silent = None;
            let current = view(message.job)?;
            seen(&current);
            if current.phase.is_settled() {
                return Ok(Some(current));
            }
        }
        Ok(None)
    }

    /// Ends a job.
    pub(crate) async fn cancel(&mut self, job: JobId) -> Outcome<JobView> {
        let answer = self
            .client
            .cancel_job(v1::CancelJobRequest { job: job.0 })
            .await
            .map_err(|s| from_status(&s))?;
        view(answer.into_inner().job)
    }

    /// Results of the finished frames of a job, in order of step and frame.
    pub(crate) async fn frames(&mut self, job: JobId) -> Outcome<Vec<(u32, Vec<FrameResult>)>> {
        let answer = self
            .client
            .list_frames(v1::ListFramesRequest { job: job.0 })
            .await
            .map_err(|s| from_status(&s))?;
        let steps = answer.into_inner().steps.into_iter();
        Ok(steps.map(|s| (s.step, s.frames.into_iter().map(Into::into).collect())).collect())
    }

    /// Workers that are known.
    pub(crate) async fn workers(&mut self) -> Outcome<Vec<WorkerView>> {
        let answer = self
            .client
            .list_workers(v1::ListWorkersRequest {})
            .await
            .map_err(|s| from_status(&s))?;
        answer.into_inner().workers.into_iter().map(TryInto::try_into).collect()
    }
}

fn view(wire: Option<v1::JobView>) -> Outcome<JobView> {
    wire.ok_or_else(|| Fault::new(Code::Internal, "the scheduler answered without a job"))?
        .try_into()
}
