//! A scheduler that misbehaves on purpose, over the real wire. The real one is
//! tested in its own room and end to end; it cannot be told to lose an answer
//! or to forget a worker at a chosen moment.

use platefarm_model::job::{FrameOutcome, Lease, StepKind, StepSpec};
use platefarm_model::{Code, Fault, FrameRange, JobId, LeaseToken, StepId};
use platefarm_proto::convert::to_status;
use platefarm_proto::v1::{self, Verdict};
use platefarm_proto::{Work, WorkServer};
use platefarm_worker::agent::{self, AgentConfig};
use platefarm_worker::kinds::{JobKind, Task};
use std::collections::{BTreeMap, VecDeque};
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use tokio::sync::{Notify, mpsc, oneshot};
use tokio::task::JoinHandle;
use tokio_stream::wrappers::ReceiverStream;
use tonic::transport::server::TcpIncoming;
use tonic::{Request, Response, Status, Streaming};

/// How long a test waits for something that must come.
const PATIENCE: Duration = Duration::from_secs(20);

/// What the scheduler does and what it was told.
#[derive(Default)]
pub(crate) struct State {
    pub(crate) heartbeat_ms: u64,
    pub(crate) lease_ttl_ms: u64,
    pub(crate) queue: VecDeque<Lease>,
    /// What is left of each lease, as heartbeats answer.
    pub(crate) keeps: BTreeMap<u64, Option<FrameRange>>,
    /// Frames to refuse.
    pub(crate) refuse: Vec<i64>,
    /// Reports to store and then leave unanswered.
    pub(crate) lose_answers: u32,
    /// What was stored under a lease is not known any more: it is refused when it is said again.
    pub(crate) forgetful: bool,
    /// Heartbeats hang: no answer comes, and no error either.
    pub(crate) deaf: bool,
    /// Workers that are not known any more.
    pub(crate) forgotten: Vec<u64>,

    pub(crate) registered: Vec<v1::RegisterRequest>,
    /// What each session said that it holds when it was opened.
    pub(crate) sessions: Vec<Vec<u64>>,
    pub(crate) granted: Vec<LeaseToken>,
    pub(crate) heartbeats: u32,
    /// When a lease was last given or renewed: it ends so long after as the terms say.
    pub(crate) renewed: Option<Instant>,
    /// Every outcome that was stored, with its token and the worker that said it.
    pub(crate) stored: Vec<(u64, u64, FrameOutcome)>,
    pub(crate) verdicts: Vec<(i64, Verdict)>,
    pub(crate) released: Vec<u64>,
    pub(crate) left: Vec<u64>,
    /// Rules that were broken.
    pub(crate) broken: Vec<String>,
}

#[derive(Clone, Default)]
pub(crate) struct Fake(Arc<(Mutex<State>, Notify)>);

impl Fake {
    pub(crate) fn new(heartbeat_ms: u64, lease_ttl_ms: u64) -> Self {
        let fake = Self::default();
        fake.with(|s| (s.heartbeat_ms, s.lease_ttl_ms) = (heartbeat_ms, lease_ttl_ms));
        fake
    }

    pub(crate) fn with<T>(&self, change: impl FnOnce(&mut State) -> T) -> T {
        let answer = change(&mut self.0.0.lock().unwrap());
        self.0.1.notify_waiters();
        answer
    }

    /// Waits until `wanted` holds.
    pub(crate) async fn until(&self, what: &str, wanted: impl Fn(&State) -> bool) {
        let wait = async {
            loop {
                let changed = self.0.1.notified();
                tokio::pin!(changed);
                changed.as_mut().enable();
                if self.with_quietly(&wanted) {
                    return;
                }
                changed.await;
            }
        };
        if tokio::time::timeout(PATIENCE, wait).await.is_err() {
            self.with(|s| {
                panic!("never: {what}; stored {:?}, released {:?}", s.stored, s.released)
            });
        }
    }

    fn with_quietly<T>(&self, look: impl FnOnce(&State) -> T) -> T {
        look(&self.0.0.lock().unwrap())
    }

    /// Puts a task in the queue.
    pub(crate) fn offer(&self, token: u64, name: &str, first: i64, last: i64) {
        let frames = FrameRange::new(first, last).unwrap();
        let kind = StepKind::Noop { millis_per_frame: 0 };
        let spec = StepSpec {
            name: name.into(),
            kind,
            frames,
            after: vec![],
            max_attempts: 3,
            terms: Default::default(),
        };
        let step = StepId { job: JobId(1), index: 0 };
        self.with(|s| {
            let ttl_ms = s.lease_ttl_ms;
            s.keeps.insert(token, Some(frames));
            s.queue.push_back(Lease { token: LeaseToken(token), step, frames, ttl_ms, spec });
        });
    }

    /// Serves on `address` until the handle is dropped or stopped.
    pub(crate) async fn serve(&self, address: SocketAddr) -> Serving {
        let incoming = TcpIncoming::bind(address).unwrap();
        let address = incoming.local_addr().unwrap();
        let (stop, stopped) = oneshot::channel::<()>();
        let service = WorkServer::new(self.clone());
        let task = tokio::spawn(async move {
            let server = tonic::transport::Server::builder().add_service(service);
            tokio::select! {
                served = server.serve_with_incoming(incoming) => served.unwrap(),
                _ = stopped => {}
            }
        });
        Serving { address, stop, task }
    }

    /// One session, until it breaks.
    async fn attend(
        self,
        worker: u64,
        mut inbound: Streaming<v1::SessionRequest>,
        say: mpsc::Sender<Result<v1::SessionResponse, Status>>,
    ) {
        let (mut given, mut room) = (0, v1::Room::default());
        loop {
            let changed = self.0.1.notified();
            tokio::pin!(changed);
            changed.as_mut().enable();
            let known = self.with_quietly(|s| Self::known(s, worker));
            if let Err(status) = known {
                let _ = say.send(Err(status)).await;
                return;
            }
            let places = u64::from(room.idle) + u64::from(room.ahead) + room.seen;
            while given < places {
                let lease = self.0.0.lock().unwrap().queue.pop_front();
                let Some(lease) = lease else { break };
                given += 1;
                self.with(|s| {
                    s.granted.push(lease.token);
                    s.renewed = Some(Instant::now());
                });
                let leases = vec![(&lease).into()];
                let message = v1::SessionResponse { leases, ..Default::default() };
                if say.send(Ok(message)).await.is_err() {
                    return;
                }
            }
            let message = tokio::select! {
                message = inbound.message() => message,
                () = changed => continue,
            };
            let Ok(Some(message)) = message else { return };
            room = message.room.unwrap_or(room);
            let mut verdicts = Vec::new();
            for report in message.reports {
                match self.with(|s| judge(s, worker, report)) {
                    Some(answer) => verdicts.push(answer),
                    // The answer is lost, and the session with it.
                    None => return,
                }
            }
            self.with(|s| s.released.extend(message.releases));
            let message = v1::SessionResponse { verdicts, ..Default::default() };
            if say.send(Ok(message)).await.is_err() {
                return;
            }
        }
    }

    fn known(state: &State, worker: u64) -> Result<(), Status> {
        if state.forgotten.contains(&worker) {
            return Err(to_status(&Fault::new(Code::UnknownWorker, format!("w{worker}"))));
        }
        Ok(())
    }
}

/// A listening scheduler.
pub(crate) struct Serving {
    pub(crate) address: SocketAddr,
    stop: oneshot::Sender<()>,
    task: JoinHandle<()>,
}

impl Serving {
    /// Dies, as a process does: open connections break.
    pub(crate) async fn die(self) {
        let _ = self.stop.send(());
        self.task.await.unwrap();
    }
}

#[tonic::async_trait]
impl Work for Fake {
    async fn register(
        &self,
        request: Request<v1::RegisterRequest>,
    ) -> Result<Response<v1::RegisterResponse>, Status> {
        self.with(|s| {
            s.registered.push(request.into_inner());
            Ok(Response::new(v1::RegisterResponse {
                worker: s.registered.len() as u64,
                heartbeat_ms: s.heartbeat_ms,
                lease_ttl_ms: s.lease_ttl_ms,
            }))
        })
    }

    type SessionStream = ReceiverStream<Result<v1::SessionResponse, Status>>;

    async fn session(
        &self,
        request: Request<Streaming<v1::SessionRequest>>,
    ) -> Result<Response<Self::SessionStream>, Status> {
        let mut inbound = request.into_inner();
        let first = inbound.message().await?.unwrap();
        self.with(|s| {
            s.sessions.push(first.holds.clone());
            Self::known(s, first.worker)
        })?;
        let (say, said) = mpsc::channel(64);
        tokio::spawn(self.clone().attend(first.worker, inbound, say));
        Ok(Response::new(ReceiverStream::new(said)))
    }

    async fn acquire(
        &self,
        _: Request<v1::AcquireRequest>,
    ) -> Result<Response<v1::AcquireResponse>, Status> {
        Err(Status::unimplemented("agents keep a session"))
    }

    async fn report(
        &self,
        _: Request<v1::ReportRequest>,
    ) -> Result<Response<v1::ReportResponse>, Status> {
        Err(Status::unimplemented("agents keep a session"))
    }

    async fn heartbeat(
        &self,
        request: Request<v1::HeartbeatRequest>,
    ) -> Result<Response<v1::HeartbeatResponse>, Status> {
        let request = request.into_inner();
        if self.with(|s| s.deaf) {
            // Until the other end gives up.
            std::future::pending::<()>().await;
        }
        self.with(|s| {
            s.heartbeats += 1;
            Self::known(s, request.worker)?;
            s.renewed = Some(Instant::now());
            let state = |pulse: &v1::LeasePulse| v1::LeaseState {
                token: pulse.token,
                keep: s.keeps.get(&pulse.token).copied().flatten().map(Into::into),
            };
            Ok(Response::new(v1::HeartbeatResponse {
                leases: request.leases.iter().map(state).collect(),
                drain: false,
            }))
        })
    }

    async fn release(
        &self,
        _: Request<v1::ReleaseRequest>,
    ) -> Result<Response<v1::ReleaseResponse>, Status> {
        Err(Status::unimplemented("agents keep a session"))
    }

    async fn show(
        &self,
        _: Request<v1::ShowRequest>,
    ) -> Result<Response<v1::ShowResponse>, Status> {
        Err(Status::unimplemented("an older scheduler shows no pictures"))
    }

    async fn leave(
        &self,
        request: Request<v1::LeaveRequest>,
    ) -> Result<Response<v1::LeaveResponse>, Status> {
        self.with(|s| s.left.push(request.into_inner().worker));
        Ok(Response::new(v1::LeaveResponse {}))
    }
}

/// Judges a report and stores what is granted; none: the answer is lost.
fn judge(s: &mut State, worker: u64, report: v1::Report) -> Option<v1::Verdicts> {
    let (token, mut verdicts) = (report.token, Vec::new());
    for report in report.frames {
        let outcome = FrameOutcome::try_from(report).unwrap();
        let frame = outcome.frame();
        let before = s.stored.iter().any(|(t, _, o)| *t == token && o.frame() == frame);
        let keep = s.keeps.get(&token).copied().flatten();
        let verdict = if before && !s.forgetful {
            Verdict::Duplicate
        } else if before || s.refuse.contains(&frame) || !keep.is_some_and(|k| k.contains(frame)) {
            Verdict::Refused
        } else {
            Verdict::Granted
        };
        check_fence(s, &outcome, before);
        if verdict == Verdict::Granted {
            s.stored.push((token, worker, outcome));
        }
        s.verdicts.push((frame, verdict));
        verdicts.push(verdict.into());
    }
    if s.lose_answers > 0 {
        s.lose_answers -= 1;
        return None;
    }
    let keep = s.keeps.get(&token).copied().flatten();
    let left = keep.filter(|k| k.iter().any(|f| !s.verdicts.iter().any(|(frame, _)| *frame == f)));
    Some(v1::Verdicts { number: report.number, token, verdicts, keep: left.map(Into::into) })
}

/// Before a result is stored, its file is staged and nothing has its name.
fn check_fence(state: &mut State, outcome: &FrameOutcome, before: bool) {
    if let FrameOutcome::Done(result) = outcome
        && !result.staged.is_empty()
        && !before
        && (std::path::Path::new(&result.published).exists()
            || !std::path::Path::new(&result.staged).exists())
    {
        state.broken.push(format!("frame {} was published before it was granted", result.frame));
    }
}

/// A kind that does to each frame what a test says.
pub(crate) struct Scripted<F>(F);

impl<F> JobKind for Scripted<F>
where
    F: Fn(&Task<'_>, i64) -> FrameOutcome + Send + Sync,
{
    fn name(&self) -> &'static str {
        "noop"
    }

    fn out_dir<'a>(&self, lease: &'a Lease) -> Option<&'a std::path::Path> {
        // The name of the step is the directory.
        Some(std::path::Path::new(&lease.spec.name))
    }

    fn run(
        &self,
        task: &Task<'_>,
        sink: &mut dyn FnMut(FrameOutcome),
    ) -> platefarm_model::Outcome<()> {
        for frame in task.lease.frames.iter() {
            if !task.leash.begin(frame) {
                break;
            }
            let outcome = self.0(task, frame);
            if task.leash.allows(frame) {
                sink(outcome);
            }
        }
        Ok(())
    }
}

/// A running agent.
pub(crate) struct Running {
    stop: oneshot::Sender<()>,
    task: JoinHandle<platefarm_model::Outcome<()>>,
}

impl Running {
    /// Starts an agent whose frames do what `script` says.
    pub(crate) fn start(
        address: SocketAddr,
        script: impl Fn(&Task<'_>, i64) -> FrameOutcome + Send + Sync + 'static,
    ) -> Self {
        // Kinds live as long as the process; so do those of a test.
        let kind: &'static dyn JobKind = Box::leak(Box::new(Scripted(script)));
        let config = AgentConfig {
            name: "w".into(),
            backend: platefarm_model::recipe::Backend::Cpu,
            grace: Duration::from_secs(2),
            kinds: Box::leak(Box::new([kind])),
            ..AgentConfig::new(format!("http://{address}"))
        };
        let (stop, stopped) = oneshot::channel();
        let task = tokio::spawn(agent::run(config, async {
            let _ = stopped.await;
        }));
        Self { stop, task }
    }

    /// Asks it to end and waits for it.
    pub(crate) async fn end(self) {
        let _ = self.stop.send(());
        tokio::time::timeout(PATIENCE, self.task).await.expect("it ends").unwrap().unwrap();
    }
}
