//! A farm as the command line sees it: the scheduler behind an address.
//!
//! Wire types end here; every answer is a value of the model and every refusal
//! a fault with its code.

use platefarm_model::code::Owner;
use platefarm_model::job::{FrameResult, JobSpec, JobView, WorkerView};
use platefarm_model::status::FarmStatus;
use platefarm_model::{Code, Fault, JobId, Outcome, limits};
use platefarm_proto::convert::from_status;
use platefarm_proto::v1::{self, farm_client::FarmClient};
use std::time::{Duration, Instant};
use tonic::transport::{Channel, Endpoint};

/// How long one who follows a job waits for a scheduler that went away.
const PATIENCE: Duration = Duration::from_secs(120);
/// Between two tries to reach it.
const PAUSE: Duration = Duration::from_millis(300);

/// How long a farm may be without a leader before it is given up.
const ELECTION: Duration = Duration::from_secs(10);

/// A connection to the scheduler that leads, of those that are known.
pub(crate) struct Farm {
    client: FarmClient<Channel>,
    urls: Vec<String>,
}

async fn dial(url: &str) -> Outcome<FarmClient<Channel>> {
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
    Ok(FarmClient::new(channel)
        .max_decoding_message_size(limits::MAX_MESSAGE_BYTES)
        .max_encoding_message_size(limits::MAX_MESSAGE_BYTES))
}

/// The first of `urls` that answers.
async fn any(urls: &[String]) -> Outcome<FarmClient<Channel>> {
    let mut first = None;
    for url in urls {
        match dial(url).await {
            Ok(client) => return Ok(client),
            Err(fault) => drop(first.get_or_insert(fault)),
        }
    }
    Err(first.unwrap_or_else(|| Fault::new(Code::BadConfig, "no address").at("--farm")))
}

impl Farm {
    /// Connects to `urls`, e.g. `http://127.0.0.1:7878`; of several, with commas between.
    pub(crate) async fn connect(urls: &str) -> Outcome<Self> {
        let urls: Vec<String> = urls.split(',').map(|url| url.trim().to_owned()).collect();
        Ok(Self { client: any(&urls).await?, urls })
    }

    /// Asks the scheduler that leads. One that follows names it; while none
    /// does, a new leader is waited for.
    async fn ask<T>(
        &mut self,
        call: impl AsyncFn(&mut FarmClient<Channel>) -> Result<tonic::Response<T>, tonic::Status>,
    ) -> Outcome<T> {
        self.ask_and(true, call).await
    }

    /// As [`Self::ask`]; what became of a question whose answer was lost is
    /// not known, so that only what `repeats` is asked again then.
    async fn ask_and<T>(
        &mut self,
        repeats: bool,
        call: impl AsyncFn(&mut FarmClient<Channel>) -> Result<tonic::Response<T>, tonic::Status>,
    ) -> Outcome<T> {
        let begun = Instant::now();
        loop {
            let fault = match call(&mut self.client).await {
                Ok(answer) => return Ok(answer.into_inner()),
                Err(status) => from_status(&status),
            };
            let away = repeats && fault.code == Code::NoScheduler && self.urls.len() > 1;
            if !(fault.code == Code::NotLeader || away) || begun.elapsed() >= ELECTION {
                return Err(fault);
            }
            let leader = fault.place.iter().filter(|place| place.starts_with("http"));
            let urls: Vec<String> = leader.chain(&self.urls).cloned().collect();
            match any(&urls).await {
                Ok(client) => self.client = client,
                Err(fault) if begun.elapsed() >= ELECTION => return Err(fault),
                Err(_) => {}
            }
            tokio::time::sleep(PAUSE).await;
        }
    }

    /// Hands in a job; the second value says whether it was there before.
    pub(crate) async fn submit(&mut self, job: &JobSpec) -> Outcome<(JobId, bool)> {
        let request = v1::SubmitJobRequest { job: Some(job.into()) };
        // What has no key might be there twice if it were said twice.
        let repeats = job.idempotency_key.is_some();
        let call = async |farm: &mut FarmClient<Channel>| farm.submit_job(request.clone()).await;
        let answer = self.ask_and(repeats, call).await?;
        Ok((JobId(answer.job), answer.existed))
    }

    /// Jobs, newest first.
    pub(crate) async fn jobs(&mut self, unsettled_only: bool) -> Outcome<Vec<JobView>> {
        let request = v1::ListJobsRequest { unsettled_only };
        let answer = self.ask(async |farm| farm.list_jobs(request).await).await?;
        answer.jobs.into_iter().map(TryInto::try_into).collect()
    }

    /// One job with its steps.
    pub(crate) async fn job(&mut self, job: JobId) -> Outcome<JobView> {
        let request = v1::GetJobRequest { job: job.0 };
        view(self.ask(async |farm| farm.get_job(request).await).await?.job)
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
        let mut stream = self.ask(async |farm| farm.watch_job(request).await).await?;
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
        let request = v1::CancelJobRequest { job: job.0 };
        view(self.ask(async |farm| farm.cancel_job(request).await).await?.job)
    }

    /// Results of the finished frames of a job, in order of step and frame.
    pub(crate) async fn frames(&mut self, job: JobId) -> Outcome<Vec<(u32, Vec<FrameResult>)>> {
        let request = v1::ListFramesRequest { job: job.0 };
        let steps = self.ask(async |farm| farm.list_frames(request).await).await?.steps.into_iter();
        Ok(steps.map(|s| (s.step, s.frames.into_iter().map(Into::into).collect())).collect())
    }

    /// The farm itself.
    pub(crate) async fn status(&mut self) -> Outcome<FarmStatus> {
        let request = v1::GetFarmRequest {};
        Ok(self.ask(async |farm| farm.get_farm(request).await).await?.into())
    }

    /// Workers that are known.
    pub(crate) async fn workers(&mut self) -> Outcome<Vec<WorkerView>> {
        let request = v1::ListWorkersRequest {};
        let answer = self.ask(async |farm| farm.list_workers(request).await).await?;
        answer.workers.into_iter().map(TryInto::try_into).collect()
    }
}

fn view(wire: Option<v1::JobView>) -> Outcome<JobView> {
    wire.ok_or_else(|| Fault::new(Code::Internal, "the scheduler answered without a job"))?
        .try_into()
}
