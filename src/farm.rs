//! A farm as the command line sees it: the scheduler behind an address.
//!
//! Wire types end here; every answer is a value of the model and every refusal
//! a fault with its code.

mod control;
mod events;
mod results;
mod shows;
mod watch;

pub(crate) use events::Since;
pub(crate) use results::{FrameLine, FrameQuery};
pub(crate) use shows::{Pulls, ShowPage, Standing};

use crate::cli::now;
use opentelemetry::trace::SpanKind;
use platefarm_model::job::{FrameResult, JobSpec, JobView, WorkerView};
use platefarm_model::status::FarmStatus;
use platefarm_model::trust::{AuditEntry, NewToken, Role, TokenView};
use platefarm_model::{Code, Fault, JobId, Outcome, Secret, limits};
use platefarm_proto::convert::{from_status, role, submission};
use platefarm_proto::dial::{Dial, Line};
use platefarm_proto::trace::{self, Begun};
use platefarm_proto::{EventsClient, FarmClient, LibraryClient, TrustClient, v1};
use serde::Serialize;
use std::time::{Duration, Instant};
use tonic::metadata::{Ascii, MetadataValue};

/// How long one who follows jobs waits for a scheduler that went away.
const PATIENCE: Duration = Duration::from_secs(120);
/// Between two tries to reach it.
const PAUSE: Duration = Duration::from_millis(300);

/// How long a farm may be without a leader before it is given up.
const ELECTION: Duration = Duration::from_secs(10);

/// A connection to the scheduler that leads, of those that are known.
#[derive(Clone)]
pub(crate) struct Farm {
    client: FarmClient<Line>,
    /// Any of the schedulers knows who may enter.
    trust: TrustClient<Line>,
    events: EventsClient<Line>,
    library: LibraryClient<Line>,
    ways: Vec<Dial>,
}

/// Who we are to a farm.
#[derive(Debug, Serialize)]
pub(crate) struct Me {
    /// Name of the token; `local` where none is needed.
    pub(crate) name: String,
    /// What we are.
    pub(crate) role: Role,
    /// Shows that we see; none means all.
    pub(crate) shows: Vec<String>,
    /// Id of the token; empty where none was needed.
    pub(crate) token: String,
}

/// How far one clock is ahead of another, in microseconds.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Ahead {
    /// The best guess; less than nothing where it is behind.
    pub(crate) us: i64,
    /// It is not further off than this.
    pub(crate) give_us: i64,
}

type Clients = (FarmClient<Line>, TrustClient<Line>, EventsClient<Line>, LibraryClient<Line>);

async fn dial(way: &Dial) -> Outcome<Clients> {
    let (endpoint, bearer) = (way.endpoint()?, way.bearer()?);
    let channel = endpoint.connect().await.map_err(|e| way.away(&e))?;
    let farm = FarmClient::with_interceptor(channel.clone(), bearer.clone())
        .max_decoding_message_size(limits::MAX_MESSAGE_BYTES)
        .max_encoding_message_size(limits::MAX_MESSAGE_BYTES);
    let trust = TrustClient::with_interceptor(channel.clone(), bearer.clone());
    let events = EventsClient::with_interceptor(channel.clone(), bearer.clone())
        .max_decoding_message_size(limits::MAX_MESSAGE_BYTES);
    let library = LibraryClient::with_interceptor(channel, bearer);
    Ok((farm, trust, events, library))
}

/// The first of `ways` where somebody answers.
async fn any(ways: &[Dial]) -> Outcome<Clients> {
    let mut first = None;
    for way in ways {
        match dial(way).await {
            Ok(clients) => return Ok(clients),
            Err(fault) => drop(first.get_or_insert(fault)),
        }
    }
    Err(first.unwrap_or_else(|| Fault::new(Code::BadConfig, "no address").at("--farm")))
}

impl Farm {
    /// Connects to a scheduler, or of several to one that answers.
    pub(crate) async fn connect(way: impl Into<Dial>) -> Outcome<Self> {
        let ways = way.into().each();
        let (client, trust, events, library) = any(&ways).await?;
        Ok(Self { client, trust, events, library, ways })
    }

    fn take(&mut self, clients: Clients) {
        (self.client, self.trust, self.events, self.library) = clients;
    }

    /// Who we are to it.
    pub(crate) async fn who_am_i(&mut self) -> Outcome<Me> {
        let answer =
            self.trust.who_am_i(v1::WhoAmIRequest {}).await.map_err(|s| from_status(&s))?;
        let me = answer.into_inner();
        Ok(Me { name: me.name, role: role(me.role)?, shows: me.shows, token: me.token })
    }

    /// How far our clock is ahead of the scheduler's; none where it does not say what time it has.
    pub(crate) async fn ahead(&mut self) -> Outcome<Option<Ahead>> {
        let (sent, begun) = (now(), Instant::now());
        let answer =
            self.trust.who_am_i(v1::WhoAmIRequest {}).await.map_err(|s| from_status(&s))?;
        let round_us = i64::try_from(begun.elapsed().as_micros()).unwrap_or(i64::MAX);
        let theirs = Some(answer.into_inner().now_us).filter(|us| *us != 0);
        // It looked at its clock on the way, halfway as far as anybody knows.
        let ahead = |theirs| sent.0.saturating_add(round_us / 2).saturating_sub(theirs);
        Ok(theirs.map(|theirs| Ahead { us: ahead(theirs), give_us: round_us / 2 }))
    }

    /// Makes a token: its view, and its word where it has one.
    pub(crate) async fn create_token(
        &mut self,
        token: &NewToken,
    ) -> Outcome<(TokenView, Option<Secret>)> {
        let request = v1::CreateTokenRequest::from(token);
        let answer = self.trust.create_token(request).await.map_err(|s| from_status(&s))?;
        let answer = answer.into_inner();
        let word = Some(answer.word).filter(|word| !word.is_empty()).map(Secret::new);
        Ok((token_view(answer.token)?, word))
    }

    /// Tokens, oldest first.
    pub(crate) async fn tokens(&mut self, good_only: bool) -> Outcome<Vec<TokenView>> {
        let request = v1::ListTokensRequest { good_only };
        let answer = self.trust.list_tokens(request).await.map_err(|s| from_status(&s))?;
        answer.into_inner().tokens.into_iter().map(TryInto::try_into).collect()
    }

    /// Ends a token.
    pub(crate) async fn revoke(&mut self, id: &str) -> Outcome<TokenView> {
        let request = v1::RevokeTokenRequest { id: id.to_owned() };
        let answer = self.trust.revoke_token(request).await.map_err(|s| from_status(&s))?;
        token_view(answer.into_inner().token)
    }

    /// What people did, newest first; asked for in pages.
    pub(crate) async fn audit(
        &mut self,
        who: Option<&str>,
        limit: u32,
    ) -> Outcome<Vec<AuditEntry>> {
        let mut entries: Vec<AuditEntry> = Vec::new();
        loop {
            let left = limit.saturating_sub(entries.len() as u32);
            let request = v1::ListAuditRequest {
                before: entries.last().map_or_else(String::new, |entry| entry.id.clone()),
                limit: left.min(1000),
                who: who.unwrap_or_default().to_owned(),
            };
            if left == 0 {
                return Ok(entries);
            }
            let answer = self.trust.list_audit(request).await.map_err(|s| from_status(&s))?;
            let page = answer.into_inner().entries;
            if page.is_empty() {
                return Ok(entries);
            }
            for entry in page {
                entries.push(entry.try_into()?);
            }
        }
    }

    /// Asks the scheduler that leads. One that follows names it; while none
    /// does, a new leader is waited for.
    async fn ask<T>(
        &mut self,
        call: impl AsyncFn(&mut FarmClient<Line>) -> Result<tonic::Response<T>, tonic::Status>,
    ) -> Outcome<T> {
        self.ask_and(true, call).await
    }

    /// As [`Self::ask`]; what became of a question whose answer was lost is
    /// not known, so that only what `repeats` is asked again then.
    async fn ask_and<T>(
        &mut self,
        repeats: bool,
        call: impl AsyncFn(&mut FarmClient<Line>) -> Result<tonic::Response<T>, tonic::Status>,
    ) -> Outcome<T> {
        let begun = Instant::now();
        loop {
            let fault = match call(&mut self.client).await {
                Ok(answer) => return Ok(answer.into_inner()),
                Err(status) => from_status(&status),
            };
            let away = repeats && fault.code == Code::NoScheduler && self.ways.len() > 1;
            if !(fault.code == Code::NotLeader || away) || begun.elapsed() >= ELECTION {
                return Err(fault);
            }
            let leader = fault.place.iter().filter(|place| place.starts_with("http"));
            let leader = leader.map(|url| self.ways[0].to(url));
            let ways: Vec<Dial> = leader.chain(self.ways.iter().cloned()).collect();
            match any(&ways).await {
                Ok(clients) => self.take(clients),
                Err(fault) if begun.elapsed() >= ELECTION => return Err(fault),
                Err(_) => {}
            }
            tokio::time::sleep(PAUSE).await;
        }
    }

    /// Hands in a job; the second value says whether it was there before.
    pub(crate) async fn submit(&mut self, job: &JobSpec) -> Outcome<(JobId, bool)> {
        let request = submission(job)?;
        // What has no key might be there twice if it were said twice.
        let repeats = job.idempotency_key.is_some();
        let facts = [("job.name", job.name.clone()), ("show", job.show.clone())];
        let span = Begun::now("submit", "", SpanKind::Client, &facts);
        let context = span.context().and_then(|text| text.parse::<MetadataValue<Ascii>>().ok());
        let call = async |farm: &mut FarmClient<Line>| {
            let mut request = tonic::Request::new(request.clone());
            if let Some(context) = &context {
                request.metadata_mut().insert(trace::HEADER, context.clone());
            }
            farm.submit_job(request).await
        };
        let answer = self.ask_and(repeats, call).await?;
        Ok((JobId(answer.job), answer.existed))
    }

    /// One job with its steps.
    pub(crate) async fn job(&mut self, job: JobId) -> Outcome<JobView> {
        let request = v1::GetJobRequest { job: job.0 };
        view(self.ask(async |farm| farm.get_job(request).await).await?.job)
    }

    /// Results of the finished frames of a job, in order of step and frame.
    pub(crate) async fn frames(&mut self, job: JobId) -> Outcome<Vec<(u32, Vec<FrameResult>)>> {
        let mut steps: Vec<(u32, Vec<FrameResult>)> = Vec::new();
        let mut request = v1::ListFramesRequest { job: job.0, after: None, limit: 0 };
        loop {
            let page = self.ask(async |farm| farm.list_frames(request).await).await?;
            for (i, step) in page.steps.into_iter().enumerate() {
                if steps.len() <= i {
                    steps.push((step.step, Vec::new()));
                }
                steps[i].1.extend(step.frames.into_iter().map(FrameResult::from));
            }
            match page.next {
                Some(next) => request.after = Some(next),
                None => return Ok(steps),
            }
        }
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

fn token_view(wire: Option<v1::TokenView>) -> Outcome<TokenView> {
    wire.ok_or_else(|| Fault::new(Code::Internal, "the scheduler answered without a token"))?
        .try_into()
}
