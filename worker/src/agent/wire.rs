//! The calls to the scheduler, in the model's words. Two connections: one for
//! heartbeats alone, so that a large report cannot delay the sign of life.

use super::Shared;
use super::state::Terms;
use crate::kinds::{Ledger, StepFrames};
use platefarm_model::job::{FrameOutcome, Lease};
use platefarm_model::{Code, Fault, FrameRange, JobId, LeaseToken, Outcome, WorkerId, limits};
use platefarm_proto::convert::from_status;
use platefarm_proto::{FarmClient, WorkClient, v1};
use std::time::Duration;
use tonic::transport::{Channel, Endpoint};
use tonic::{Request, Status};

/// How long the scheduler may hold an Acquire open.
const LONG_POLL: Duration = Duration::from_secs(20);
/// How long any other call may take.
const CALL: Duration = Duration::from_secs(10);
/// How long a listing of a large job may take.
const LISTING: Duration = Duration::from_secs(60);

/// What came of asking for a task.
pub(super) enum Acquired {
    /// A task.
    Lease(Box<Lease>),
    /// A lease that this worker cannot read; it is given back.
    Unreadable(LeaseToken, Fault),
    /// Nothing to do.
    Nothing,
    /// The worker is to take no more tasks.
    Drain,
}

/// What a heartbeat brought.
pub(super) struct Beat {
    pub(super) leases: Vec<(LeaseToken, Option<FrameRange>)>,
    pub(super) drain: bool,
}

/// What a report brought.
pub(super) struct Answer {
    pub(super) verdicts: Vec<v1::Verdict>,
    pub(super) keep: Option<FrameRange>,
}

pub(super) struct Wire {
    work: WorkClient<Channel>,
    pulse: WorkClient<Channel>,
    farm: FarmClient<Channel>,
}

fn timed<T>(message: T, limit: Duration) -> Request<T> {
    let mut request = Request::new(message);
    request.set_timeout(limit);
    request
}

#[expect(clippy::needless_pass_by_value, reason = "the shape that map_err takes")]
fn fault(status: Status) -> Fault {
    from_status(&status)
}

/// A range that makes no sense is no range: the lease is then given up.
fn range(wire: Option<v1::FrameRange>) -> Option<FrameRange> {
    wire.and_then(|r| r.try_into().ok())
}

impl Wire {
    /// Connections to `address`, made when they are first used and made anew when they break.
    pub(super) fn new(address: &str) -> Outcome<Self> {
        let endpoint = Endpoint::from_shared(address.to_owned()).map_err(|e| {
            Fault::new(Code::BadConfig, format!("'{address}' is not an address of a scheduler"))
                .remedy("Write it as http://host:port.")
                .because(&e)
        })?;
        let endpoint = endpoint
            .connect_timeout(Duration::from_secs(3))
            .http2_keep_alive_interval(Duration::from_secs(10))
            .keep_alive_timeout(Duration::from_secs(5))
            .tcp_nodelay(true);
        let client = || {
            WorkClient::new(endpoint.connect_lazy())
                .max_decoding_message_size(limits::MAX_MESSAGE_BYTES)
                .max_encoding_message_size(limits::MAX_MESSAGE_BYTES)
        };
        let farm = FarmClient::new(endpoint.connect_lazy())
            .max_decoding_message_size(limits::MAX_MESSAGE_BYTES);
        Ok(Self { work: client(), pulse: client(), farm })
    }

    pub(super) async fn register(&self, shared: &Shared) -> Outcome<(WorkerId, Terms)> {
        let request = v1::RegisterRequest {
            name: shared.name.clone(),
            slots: shared.slots,
            backend: shared.env.engines.default_executor().name(),
            instance: shared.instance.clone(),
            traits: None,
        };
        let answer =
            self.pulse.clone().register(timed(request, CALL)).await.map_err(fault)?.into_inner();
        let terms = Terms {
            // A scheduler that says nothing gets a sign of life each second.
            heartbeat_ms: if answer.heartbeat_ms == 0 { 1000 } else { answer.heartbeat_ms },
            lease_ttl_ms: answer.lease_ttl_ms.max(1),
        };
        Ok((WorkerId(answer.worker), terms))
    }

    pub(super) async fn heartbeat(
        &self,
        worker: WorkerId,
        tokens: &[LeaseToken],
        limit: Duration,
    ) -> Outcome<Beat> {
        let request = v1::HeartbeatRequest {
            worker: worker.0,
            tokens: tokens.iter().map(|t| t.0).collect(),
            leases: Vec::new(),
        };
        let answer =
            self.pulse.clone().heartbeat(timed(request, limit)).await.map_err(fault)?.into_inner();
        let leases =
            answer.leases.into_iter().map(|s| (LeaseToken(s.token), range(s.keep))).collect();
        Ok(Beat { leases, drain: answer.drain })
    }

    pub(super) async fn acquire(&self, worker: WorkerId) -> Outcome<Acquired> {
        let request =
            v1::AcquireRequest { worker: worker.0, wait_ms: LONG_POLL.as_millis() as u64 };
        let limit = LONG_POLL + CALL;
        let answer =
            self.work.clone().acquire(timed(request, limit)).await.map_err(fault)?.into_inner();
        Ok(match answer.lease {
            Some(wire) => {
                let token = LeaseToken(wire.token);
                match Lease::try_from(wire) {
                    Ok(lease) => Acquired::Lease(Box::new(lease)),
                    Err(fault) => Acquired::Unreadable(token, fault),
                }
            }
            None if answer.drain => Acquired::Drain,
            None => Acquired::Nothing,
        })
    }

    pub(super) async fn report(
        &self,
        worker: WorkerId,
        token: LeaseToken,
        frames: &[FrameOutcome],
    ) -> Outcome<Answer> {
        let request = v1::ReportRequest {
            worker: worker.0,
            token: token.0,
            frames: frames.iter().map(Into::into).collect(),
            last: None,
        };
        let answer =
            self.work.clone().report(timed(request, CALL)).await.map_err(fault)?.into_inner();
        let verdicts: Vec<_> = answer.verdicts().collect();
        if verdicts.len() != frames.len() {
            let (got, sent) = (verdicts.len(), frames.len());
            return Err(Fault::new(
                Code::Internal,
                format!("the scheduler gave {got} verdicts on {sent} frames"),
            ));
        }
        Ok(Answer { verdicts, keep: range(answer.keep) })
    }

    pub(super) async fn release(&self, worker: WorkerId, token: LeaseToken) -> Outcome<()> {
        let request = v1::ReleaseRequest { worker: worker.0, token: token.0 };
        self.work.clone().release(timed(request, CALL)).await.map(drop).map_err(fault)
    }

    /// Says good-bye, if there is anybody to say it to.
    pub(super) async fn leave(&self, shared: &Shared) {
        let worker = shared.standing().worker();
        if let Some((worker, _)) = worker {
            let request = v1::LeaveRequest { worker: worker.0 };
            let answer = self.pulse.clone().leave(timed(request, Duration::from_secs(2))).await;
            if let Err(status) = answer {
                // The leases run out by themselves.
                tracing::debug!(%status, "no good-bye");
            }
        }
    }
}

/// The farm's record of a job, asked for from a blocking thread.
pub(super) struct RemoteLedger<'a> {
    pub(super) wire: &'a Wire,
    pub(super) runtime: tokio::runtime::Handle,
}

impl Ledger for RemoteLedger<'_> {
    fn frames(&self, job: JobId) -> Outcome<Vec<StepFrames>> {
        let request = timed(v1::ListFramesRequest { job: job.0 }, LISTING);
        let mut farm = self.wire.farm.clone();
        let answer = self.runtime.block_on(farm.list_frames(request)).map_err(fault)?;
        let step = |s: v1::StepFrames| StepFrames {
            step: s.step,
            done: s.frames.into_iter().map(Into::into).collect(),
            failed: s
                .failed
                .into_iter()
                .map(|f| {
                    let unknown = || Fault::new(Code::AttemptsSpent, "no cause was recorded");
                    (f.frame, f.fault.map_or_else(unknown, Into::into))
                })
                .collect(),
        };
        Ok(answer.into_inner().steps.into_iter().map(step).collect())
    }
}
