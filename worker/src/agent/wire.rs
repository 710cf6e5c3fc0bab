//! The calls to the scheduler, in the model's words. Two connections: one for
//! heartbeats alone, so that a large report cannot delay the sign of life. Of
//! several schedulers one leads; the others name it, or are silent.

use super::Shared;
use super::state::Terms;
use crate::kinds::StepFrames;
use crate::leash::Pulse;
use crate::still::Still;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use platefarm_model::{Code, Fault, FrameRange, JobId, LeaseToken, Outcome, WorkerId, limits};
use platefarm_proto::convert::from_status;
use platefarm_proto::dial::{Dial, Line};
use platefarm_proto::{FarmClient, WorkClient, v1};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Request, Status, Streaming};

/// How long a call may take.
const CALL: Duration = Duration::from_secs(10);
/// How long a listing of a large job may take.
const LISTING: Duration = Duration::from_secs(60);

/// What a heartbeat brought.
pub(super) struct Beat {
    pub(super) leases: Vec<(LeaseToken, Option<FrameRange>)>,
    pub(super) drain: bool,
}

/// Connections to one scheduler, made when they are first used and made anew when they break.
#[derive(Clone)]
struct End {
    dial: Dial,
    work: WorkClient<Line>,
    pulse: WorkClient<Line>,
    farm: FarmClient<Line>,
}

/// The schedulers that may lead, and the one that is thought to.
pub(super) struct Wire {
    ends: Mutex<Ends>,
}

struct Ends {
    known: Vec<End>,
    at: usize,
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

/// What the farm has against a worker is nothing that the job could mend: it costs it no attempt.
fn not_the_jobs(fault: Fault) -> Fault {
    match fault.code {
        Code::NotAuthenticated
        | Code::BadToken
        | Code::NotAllowed
        | Code::OutsideShow
        | Code::TooMuch => Fault { code: Code::WorkerRefused, remedy: None, ..fault },
        _ => fault,
    }
}

/// A range that makes no sense is no range: the lease is then given up.
fn range(wire: Option<v1::FrameRange>) -> Option<FrameRange> {
    wire.and_then(|r| r.try_into().ok())
}

impl End {
    fn new(dial: Dial) -> Outcome<Self> {
        let (endpoint, bearer) = (dial.endpoint()?, dial.bearer()?);
        let client = || {
            WorkClient::with_interceptor(endpoint.connect_lazy(), bearer.clone())
                .max_decoding_message_size(limits::MAX_MESSAGE_BYTES)
                .max_encoding_message_size(limits::MAX_MESSAGE_BYTES)
        };
        let farm = FarmClient::with_interceptor(endpoint.connect_lazy(), bearer.clone())
            .max_decoding_message_size(limits::MAX_MESSAGE_BYTES);
        Ok(Self { work: client(), pulse: client(), farm, dial })
    }
}

impl Wire {
    /// Connections to all addresses of `dial`.
    pub(super) fn new(dial: &Dial) -> Outcome<Self> {
        let known: Outcome<Vec<End>> = dial.each().into_iter().map(End::new).collect();
        Ok(Self { ends: Mutex::new(Ends { known: known?, at: 0 }) })
    }

    fn ends(&self) -> MutexGuard<'_, Ends> {
        // Whoever panicked while holding it left whole values behind.
        self.ends.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn end(&self) -> End {
        let ends = self.ends();
        ends.known[ends.at].clone()
    }

    /// Which scheduler is asked now.
    pub(super) fn at(&self) -> usize {
        self.ends().at
    }

    /// The scheduler that was asked, `at`, cannot answer: it named another, or
    /// the next one is tried. Who hears of it second changes nothing.
    pub(super) fn elsewhere(&self, at: usize, fault: &Fault) {
        let mut ends = self.ends();
        if ends.at != at {
            return;
        }
        let named = fault.place.as_deref().filter(|_| fault.code == Code::NotLeader);
        if let Some(address) = named.filter(|address| address.starts_with("http")) {
            let known = ends.known.iter().position(|end| end.dial.url == address);
            let way = ends.known[ends.at].dial.to(address);
            ends.at = match (known, End::new(way)) {
                (Some(at), _) => at,
                (None, Ok(end)) => {
                    ends.known.push(end);
                    ends.known.len() - 1
                }
                (None, Err(_)) => ends.at,
            };
        } else if matches!(fault.code, Code::NoScheduler | Code::Timeout | Code::NotLeader) {
            ends.at = (ends.at + 1) % ends.known.len();
        }
    }

    pub(super) async fn register(&self, shared: &Shared) -> Outcome<(WorkerId, Terms)> {
        let request = v1::RegisterRequest {
            name: shared.name.clone(),
            slots: shared.slots,
            backend: shared.backend.clone(),
            instance: shared.instance.clone(),
            traits: Some((&shared.traits).into()),
        };
        let mut pulse = self.end().pulse;
        let answer = pulse.register(timed(request, CALL)).await.map_err(fault)?.into_inner();
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
        pulses: Vec<(LeaseToken, Pulse)>,
        limit: Duration,
    ) -> Outcome<Beat> {
        let wire = |(token, pulse): (LeaseToken, Pulse)| v1::LeasePulse {
            token: token.0,
            last: pulse.last,
            in_hand: pulse.in_hand,
            progress: pulse.progress,
            making: pulse.making.as_ref().map(Into::into),
        };
        let leases = pulses.into_iter().map(wire).collect();
        let request = v1::HeartbeatRequest { worker: worker.0, tokens: Vec::new(), leases };
        let mut pulse = self.end().pulse;
        let answer = pulse.heartbeat(timed(request, limit)).await.map_err(fault)?.into_inner();
        let leases =
            answer.leases.into_iter().map(|s| (LeaseToken(s.token), range(s.keep))).collect();
        Ok(Beat { leases, drain: answer.drain })
    }

    /// Opens a session that says what comes out of `said`.
    pub(super) async fn session(
        &self,
        said: ReceiverStream<v1::SessionRequest>,
    ) -> Outcome<Streaming<v1::SessionResponse>> {
        let mut work = self.end().work;
        let opened = tokio::time::timeout(CALL, work.session(said)).await;
        let late = |_| Fault::new(Code::Timeout, "no session was opened in time");
        Ok(opened.map_err(late)?.map_err(fault)?.into_inner())
    }

    /// Says good-bye, if there is anybody to say it to.
    pub(super) async fn leave(&self, shared: &Shared) {
        let worker = shared.standing().worker();
        if let Some((worker, _)) = worker {
            let request = v1::LeaveRequest { worker: worker.0 };
            let mut pulse = self.end().pulse;
            let answer = pulse.leave(timed(request, Duration::from_secs(2))).await;
            if let Err(status) = answer {
                // The leases run out by themselves.
                tracing::debug!(%status, "no good-bye");
            }
        }
    }

    /// Shows a small picture of a frame.
    pub(super) async fn show(&self, worker: WorkerId, still: Still) -> Outcome<()> {
        let Still { token, frame, png } = still;
        let png = STANDARD.decode(png).unwrap_or_default();
        let request = v1::ShowRequest { worker: worker.0, token: token.0, frame, png };
        let mut work = self.end().work;
        work.show(timed(request, CALL)).await.map_err(fault).map(drop)
    }

    /// The farm's record of a job.
    pub(super) async fn frames(&self, job: JobId) -> Outcome<Vec<StepFrames>> {
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
        let mut steps: Vec<StepFrames> = Vec::new();
        let mut request = v1::ListFramesRequest { job: job.0, after: None, limit: 0 };
        loop {
            let answer = self.end().farm.list_frames(timed(request, LISTING)).await;
            let page = answer.map_err(|status| not_the_jobs(fault(status)))?.into_inner();
            for (i, more) in page.steps.into_iter().map(step).enumerate() {
                match steps.get_mut(i) {
                    Some(step) => {
                        step.done.extend(more.done);
                        step.failed.extend(more.failed);
                    }
                    None => steps.push(more),
                }
            }
            match page.next {
                Some(next) => request.after = Some(next),
                None => return Ok(steps),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use platefarm_model::code::Owner;

    /// A package step whose worker's token was revoked is packed by another worker.
    #[test]
    fn what_is_wrong_with_the_worker_is_not_charged_to_the_job() {
        let told = |code| not_the_jobs(Fault::new(code, "token 4f1c is revoked"));
        for code in [Code::NotAuthenticated, Code::BadToken, Code::NotAllowed, Code::TooMuch] {
            assert_eq!(told(code).owner(), Owner::Farm, "{code}");
            assert!(told(code).message.contains("revoked"));
        }
        assert_eq!(told(Code::UnknownJob).owner(), Owner::Request, "that is the job's");
    }
}
