//! What workers say, as commands.

use super::desk::Desk;
use super::late::Late;
use super::session::{self, verdict};
use super::stills::Stills;
use super::{Answer, Config, answer};
use crate::core::{Command, Granted, Pulse, Reply};
use crate::store::SqlReader;
use platefarm_model::job::FrameOutcome;
use platefarm_model::{Code, Fault, LeaseToken, Outcome, WorkerId};
use platefarm_proto::convert::making;
use platefarm_proto::{Work, v1};
use std::time::Duration;
use tonic::{Request, Response, Status, Streaming};

/// The `Work` service.
pub(super) struct WorkService {
    desk: Desk,
    heartbeat_ms: u64,
    ttl_ms: u64,
    stills: Stills,
    results: SqlReader,
}

/// Longest wait for a task: shorter than what proxies cut off.
const MAX_WAIT: Duration = Duration::from_secs(60);

impl WorkService {
    pub(super) fn new(desk: Desk, config: &Config, stills: Stills, results: SqlReader) -> Self {
        Self {
            desk,
            heartbeat_ms: u64::try_from(config.heartbeat.as_millis()).unwrap_or(u64::MAX),
            ttl_ms: config.policy.lease_ttl_ms.unsigned_abs(),
            stills,
            results,
        }
    }

    async fn reported(&self, request: v1::ReportRequest) -> Outcome<v1::ReportResponse> {
        let v1::ReportRequest { worker, token, frames, last, step } = request;
        let (worker, token) = (WorkerId(worker), LeaseToken(token));
        let outcomes: Outcome<Vec<FrameOutcome>> =
            frames.into_iter().map(FrameOutcome::try_from).collect();
        let outcomes = outcomes?;
        let late = Late::of(step.map(Into::into), token, &outcomes);
        let command = Command::Report { worker, token, outcomes, last };
        let Reply::Reported { mut verdicts, keep } = self.desk.ask(command).await? else {
            return Desk::unexpected();
        };
        if let Some(late) = late {
            late.judge(&mut verdicts, &self.results).await?;
        }
        let verdicts = verdicts.into_iter().map(verdict).collect();
        Ok(v1::ReportResponse { verdicts, keep: keep.map(Into::into) })
    }

    fn lease(&self, granted: &Granted) -> v1::Lease {
        v1::Lease {
            token: granted.token.0,
            step: Some(granted.step.into()),
            frames: Some(granted.frames.into()),
            ttl_ms: self.ttl_ms,
            spec: Some(granted.spec.as_ref().into()),
        }
    }
}

#[tonic::async_trait]
impl Work for WorkService {
    type SessionStream = session::Heard;

    async fn session(
        &self,
        request: Request<Streaming<v1::SessionRequest>>,
    ) -> Result<Response<Self::SessionStream>, Status> {
        let (desk, results) = (self.desk.clone(), self.results.clone());
        let heard = session::begin(desk, results, self.ttl_ms, request.into_inner()).await;
        heard.map(Response::new)
    }

    async fn register(
        &self,
        request: Request<v1::RegisterRequest>,
    ) -> Answer<v1::RegisterResponse> {
        let v1::RegisterRequest { name, slots, backend, instance, traits } = request.into_inner();
        let traits = traits.map(Into::into).unwrap_or_default();
        let command = Command::Register { name, instance, slots, backend, traits };
        answer(match self.desk.ask(command).await {
            Ok(Reply::Registered(worker)) => Ok(v1::RegisterResponse {
                worker: worker.0,
                heartbeat_ms: self.heartbeat_ms,
                lease_ttl_ms: self.ttl_ms,
            }),
            Ok(_) => Desk::unexpected(),
            Err(fault) => Err(fault),
        })
    }

    async fn acquire(&self, request: Request<v1::AcquireRequest>) -> Answer<v1::AcquireResponse> {
        let v1::AcquireRequest { worker, wait_ms } = request.into_inner();
        let wait = Duration::from_millis(wait_ms).min(MAX_WAIT);
        let granted = self.desk.acquire(WorkerId(worker), wait).await;
        answer(granted.map(|granted| v1::AcquireResponse {
            lease: granted.map(|granted| self.lease(&granted)),
            drain: false,
        }))
    }

    async fn report(&self, request: Request<v1::ReportRequest>) -> Answer<v1::ReportResponse> {
        answer(self.reported(request.into_inner()).await)
    }

    async fn heartbeat(
        &self,
        request: Request<v1::HeartbeatRequest>,
    ) -> Answer<v1::HeartbeatResponse> {
        let v1::HeartbeatRequest { worker, tokens, leases } = request.into_inner();
        let pulse = |pulse: v1::LeasePulse| Pulse {
            token: LeaseToken(pulse.token),
            last: pulse.last,
            in_hand: pulse.in_hand,
            progress: pulse.progress,
            making: making(pulse.making),
        };
        let plain = tokens.into_iter().map(|token| Pulse::of(LeaseToken(token)));
        let leases = plain.chain(leases.into_iter().map(pulse)).collect();
        let state = |(token, keep): (LeaseToken, Option<platefarm_model::FrameRange>)| {
            v1::LeaseState { token: token.0, keep: keep.map(Into::into) }
        };
        let command = Command::Heartbeat { worker: WorkerId(worker), leases };
        answer(match self.desk.ask(command).await {
            Ok(Reply::Beaten { leases, drain }) => {
                Ok(v1::HeartbeatResponse { leases: leases.into_iter().map(state).collect(), drain })
            }
            Ok(_) => Desk::unexpected(),
            Err(fault) => Err(fault),
        })
    }

    async fn release(&self, request: Request<v1::ReleaseRequest>) -> Answer<v1::ReleaseResponse> {
        let v1::ReleaseRequest { worker, token } = request.into_inner();
        let command = Command::Release { worker: WorkerId(worker), token: LeaseToken(token) };
        answer(self.desk.ask(command).await.map(|_| v1::ReleaseResponse {}))
    }

    async fn show(&self, request: Request<v1::ShowRequest>) -> Answer<v1::ShowResponse> {
        let v1::ShowRequest { worker, token, frame, png } = request.into_inner();
        let token = LeaseToken(token);
        let held = self.desk.look(move |state| state.held_step(WorkerId(worker), token)).await;
        let not_held = || Fault::new(Code::StaleLease, format!("the lease {token} is not held"));
        let step = held.and_then(|step| step.ok_or_else(not_held));
        let kept = step.and_then(|step| self.stills.put(step, frame, png));
        answer(kept.map(|()| v1::ShowResponse {}))
    }

    async fn leave(&self, request: Request<v1::LeaveRequest>) -> Answer<v1::LeaveResponse> {
        let command = Command::Leave { worker: WorkerId(request.into_inner().worker) };
        answer(self.desk.ask(command).await.map(|_| v1::LeaveResponse {}))
    }
}
