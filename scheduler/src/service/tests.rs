//! The service over a real socket, and the owner with a store that fails.

mod asked;
mod auditor;
mod ends;
mod follow;
mod late;

pub(super) use crate::core::tests::noop;

use super::desk::Desk;
use super::owner::Owner;
use super::role::{Role, Roles};
use super::{Config, bind, serve};
use crate::core::{Changes, Command, Policy, Reply, Snapshot, Steps};
use crate::store::memory::{MemoryStore, MemoryView};
use crate::store::postgres::Cluster;
use crate::store::{LogEnd, Parts, Place, Reign, Store, View};
use platefarm_model::farm::Target;
use platefarm_model::job::{FrameOutcome, FrameResult, JobSpec, JobView, Phase};
use platefarm_model::{Code, Fault, FrameRange, JobId, Outcome, WorkerId};
use platefarm_proto::convert::from_status;
use platefarm_proto::{FarmClient, WorkClient, v1};
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use tokio::sync::{oneshot, watch};
use tokio::task::JoinHandle;
use tonic::transport::Channel;

/// A scheduler under test.
pub(super) struct Running {
    pub(super) address: SocketAddr,
    task: JoinHandle<Outcome<()>>,
    stop: oneshot::Sender<()>,
    place: Place,
}

impl Running {
    pub(super) async fn start(place: &Place) -> Self {
        Self::with(Config::new(place.clone())).await
    }

    pub(super) async fn with(mut config: Config) -> Self {
        let listener = bind("127.0.0.1:0".parse().unwrap()).await.unwrap();
        let address = listener.local_addr().unwrap();
        let (stop, stopped) = oneshot::channel();
        config.policy.first_lease_frames = 4;
        let stopped = async move { drop(stopped.await) };
        let place = config.store.clone();
        let task = tokio::spawn(serve(listener, config, stopped));
        Self { address, task, stop, place }
    }

    pub(super) async fn channel(&self) -> Channel {
        let uri = format!("http://{}", self.address);
        Channel::from_shared(uri).unwrap().connect().await.unwrap()
    }

    pub(super) async fn farm(&self) -> FarmClient<Channel> {
        FarmClient::new(self.channel().await)
    }

    pub(super) async fn work(&self) -> WorkClient<Channel> {
        WorkClient::new(self.channel().await)
    }

    pub(super) async fn stop(self) -> Outcome<()> {
        self.stop.send(()).unwrap();
        self.task.await.unwrap()
    }

    /// As good as a kill: no farewell, no last word to the store.
    pub(super) async fn kill(self) {
        let Self { task, place, .. } = self;
        task.abort();
        assert!(task.await.unwrap_err().is_cancelled());
        // The task that has the store is dropped on its own time; a process would be gone by now.
        let free = async {
            while place.lock().is_err() {
                tokio::task::yield_now().await;
            }
        };
        tokio::time::timeout(Duration::from_secs(60), free).await.expect("the store is free");
    }
}

pub(super) async fn submit(
    farm: &mut FarmClient<Channel>,
    spec: &JobSpec,
) -> v1::SubmitJobResponse {
    farm.submit_job(v1::SubmitJobRequest { job: Some(spec.into()) }).await.unwrap().into_inner()
}

pub(super) async fn job(farm: &mut FarmClient<Channel>, job: u64) -> JobView {
    let response = farm.get_job(v1::GetJobRequest { job }).await.unwrap().into_inner();
    response.job.unwrap().try_into().unwrap()
}

pub(super) async fn register(work: &mut WorkClient<Channel>, instance: &str) -> u64 {
    let request = v1::RegisterRequest {
        name: "fake".into(),
        slots: 1,
        backend: "cpu".into(),
        instance: instance.into(),
        traits: None,
    };
    work.register(request).await.unwrap().into_inner().worker
}

pub(super) async fn acquire(
    work: &mut WorkClient<Channel>,
    worker: u64,
    wait_ms: u64,
) -> Option<v1::Lease> {
    work.acquire(v1::AcquireRequest { worker, wait_ms }).await.unwrap().into_inner().lease
}

fn done(frame: i64) -> FrameOutcome {
    FrameOutcome::Done(Box::new(FrameResult {
        frame,
        staged: format!("/s/{frame}"),
        published: format!("/p/{frame}"),
        xxh128: String::new(),
        bytes: 0,
        backend: "cpu".into(),
        millis: Default::default(),
        non_finite: 0,
    }))
}

pub(super) async fn report(
    work: &mut WorkClient<Channel>,
    worker: u64,
    token: u64,
    outcomes: &[FrameOutcome],
) -> Vec<v1::Verdict> {
    let frames = outcomes.iter().map(Into::into).collect();
    let response = work
        .report(v1::ReportRequest { worker, token, frames, ..Default::default() })
        .await
        .unwrap();
    response.into_inner().verdicts().collect()
}

pub(super) fn frames(lease: &v1::Lease) -> Vec<FrameOutcome> {
    FrameRange::try_from(lease.frames.unwrap()).unwrap().iter().map(done).collect()
}

/// Does everything that is to be had.
async fn drain(work: &mut WorkClient<Channel>, worker: u64) {
    while let Some(lease) = acquire(work, worker, 0).await {
        let verdicts = report(work, worker, lease.token, &frames(&lease)).await;
        assert!(verdicts.iter().all(|v| *v == v1::Verdict::Granted));
    }
}

/// A job begun under one scheduler, killed in the middle, and finished under
/// the next, with the lease that was in hand.
async fn survives_a_restart_in_mid_job(place: Place) {
    let first = Running::start(&place).await;
    let (mut farm, mut work) = (first.farm().await, first.work().await);
    let spec = noop("k", 20);
    let id = submit(&mut farm, &spec).await.job;
    let worker = register(&mut work, "i").await;
    let lease = acquire(&mut work, worker, 0).await.unwrap();
    let all = frames(&lease);
    assert_eq!(all.len(), 4);
    assert_eq!(report(&mut work, worker, lease.token, &all[..2]).await, [v1::Verdict::Granted; 2]);
    first.kill().await;

    let second = restart(&place).await;
    let (mut farm, mut work) = (second.farm().await, second.work().await);
    assert_eq!(submit(&mut farm, &spec).await, v1::SubmitJobResponse { job: id, existed: true });
    let view = job(&mut farm, id).await;
    assert_eq!(view.steps[0].done, "1001-1002".parse().unwrap(), "nothing acknowledged is lost");
    assert_eq!(view.steps[0].leased, "1003-1004".parse().unwrap(), "the lease goes on");
    assert_eq!(register(&mut work, "i").await, worker, "and so does the worker");
    let again = report(&mut work, worker, lease.token, &all).await;
    let (d, g) = (v1::Verdict::Duplicate, v1::Verdict::Granted);
    assert_eq!(again, [d, d, g, g]);
    let next = acquire(&mut work, worker, 0).await.unwrap();
    assert!(next.token > lease.token, "tokens grow over restarts");
    report(&mut work, worker, next.token, &frames(&next)).await;
    drain(&mut work, worker).await;
    let view = job(&mut farm, id).await;
    assert_eq!((view.phase, view.frames_done), (Phase::Done, 21));
    let all = v1::ListFramesRequest { job: id, ..Default::default() };
    let listed = farm.list_frames(all).await.unwrap().into_inner();
    assert!(listed.next.is_none());
    // The same in pages of one frame: none twice, none left out, in order.
    let (mut paged, mut after) = (Vec::new(), None);
    loop {
        let request = v1::ListFramesRequest { job: id, after, limit: 1 };
        let page = farm.list_frames(request).await.unwrap().into_inner();
        paged.extend(page.steps.into_iter().flat_map(|s| s.frames).map(|f| f.frame));
        after = page.next;
        if after.is_none() {
            break;
        }
    }
    let whole = listed.steps.iter().flat_map(|s| &s.frames).map(|f| f.frame);
    assert_eq!(paged, whole.collect::<Vec<_>>());
    let numbers: Vec<i64> = listed.steps[0].frames.iter().map(|f| f.frame).collect();
    assert_eq!(numbers, (1001..=1020).collect::<Vec<_>>(), "each frame once");
    assert_eq!(listed.steps[1].frames.len(), 1);
    second.stop().await.unwrap();
}

/// A new scheduler that leads, once the database has noticed the end of the old one.
async fn restart(place: &Place) -> Running {
    let running = Running::start(place).await;
    leads(&running).await;
    running
}

/// Waits until a scheduler leads. One that follows says so, and by whom.
pub(super) async fn leads(running: &Running) {
    for _ in 0..400 {
        let beat = v1::HeartbeatRequest { worker: 999, ..Default::default() };
        let fault = from_status(&running.work().await.heartbeat(beat).await.unwrap_err());
        if fault.code == Code::UnknownWorker {
            return;
        }
        assert_eq!(fault.code, Code::NotLeader, "{fault}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    panic!("it does not come to lead");
}

pub(super) fn sqlite() -> (tempfile::TempDir, Place) {
    let dir = tempfile::tempdir().unwrap();
    let place = Place::Sqlite(dir.path().join("farm.db"));
    (dir, place)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_restart_in_mid_job_keeps_everything_on_sqlite() {
    let (_dir, place) = sqlite();
    survives_a_restart_in_mid_job(place).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_restart_in_mid_job_keeps_everything_on_postgres() {
    let Some(cluster) = Cluster::start() else { return };
    survives_a_restart_in_mid_job(cluster.database().parse().unwrap()).await;
}

#[tokio::test]
async fn a_waiting_worker_is_told_at_once_and_sent_home_in_time() {
    let (_dir, place) = sqlite();
    let running = Running::start(&place).await;
    let (mut farm, mut work) = (running.farm().await, running.work().await);
    let worker = register(&mut work, "i").await;
    let start = Instant::now();
    assert_eq!(acquire(&mut work, worker, 200).await, None);
    assert!(start.elapsed() >= Duration::from_millis(200));
    let mut waiting = work.clone();
    let waits = tokio::spawn(async move { acquire(&mut waiting, worker, 30_000).await });
    // The worker is seen to wait when a second question of it has been answered.
    work.heartbeat(v1::HeartbeatRequest { worker, tokens: vec![], leases: vec![] }).await.unwrap();
    submit(&mut farm, &noop("k", 4)).await;
    let lease = waits.await.unwrap().expect("a lease long before its time is up");
    assert!(start.elapsed() < Duration::from_secs(20));
    // A farewell is not held up by one who waits.
    let mut waiting = work.clone();
    report(&mut work, worker, lease.token, &[]).await;
    let waits =
        tokio::spawn(async move { while acquire(&mut waiting, worker, 30_000).await.is_some() {} });
    work.heartbeat(v1::HeartbeatRequest { worker, tokens: vec![], leases: vec![] }).await.unwrap();
    drop((farm, work));
    running.stop().await.unwrap();
    drop(waits.await);
    assert!(start.elapsed() < Duration::from_secs(20));
}

/// However short leases are: time must be told often enough for them to end.
#[tokio::test]
async fn a_short_lease_of_a_silent_worker_ends() {
    let (_dir, place) = sqlite();
    let mut config = Config::new(place);
    config.policy.lease_ttl_ms = 500;
    let running = Running::with(config).await;
    let (mut farm, mut work) = (running.farm().await, running.work().await);
    submit(&mut farm, &noop("k", 1)).await;
    let silent = register(&mut work, "silent").await;
    let lost = acquire(&mut work, silent, 0).await.unwrap();
    let other = register(&mut work, "other").await;
    let again = async {
        loop {
            if let Some(lease) = acquire(&mut work, other, 100).await {
                return lease;
            }
        }
    };
    let again = tokio::time::timeout(Duration::from_secs(10), again).await.expect("it ends");
    assert!(again.token > lost.token);
    assert_eq!(again.frames, lost.frames);
}

/// An embedded farm that was killed took its workers with it: what they had in
/// hand does not wait for the end of their leases.
#[tokio::test]
async fn a_farm_that_is_alone_goes_on_at_once() {
    let (_dir, place) = sqlite();
    let first = Running::start(&place).await;
    let (mut farm, mut work) = (first.farm().await, first.work().await);
    let id = submit(&mut farm, &noop("k", 1)).await.job;
    let old = register(&mut work, "old").await;
    let lost = acquire(&mut work, old, 0).await.unwrap();
    first.kill().await;
    drop((farm, work));

    let second = Running::with(Config { alone: true, ..Config::new(place) }).await;
    let (mut farm, mut work) = (second.farm().await, second.work().await);
    let workers = farm.list_workers(v1::ListWorkersRequest {}).await.unwrap().into_inner();
    assert_eq!(workers.workers, []);
    let new = register(&mut work, "new").await;
    let lease = acquire(&mut work, new, 0).await.expect("at once");
    assert_eq!(lease.frames, lost.frames);
    let refused = report(&mut work, old, lost.token, &frames(&lost)).await;
    assert_eq!(refused, [v1::Verdict::Refused]);
    report(&mut work, new, lease.token, &frames(&lease)).await;
    drain(&mut work, new).await;
    assert_eq!(job(&mut farm, id).await.phase, Phase::Done);
}

#[tokio::test]
async fn a_watcher_sees_the_job_to_its_end() {
    let (_dir, place) = sqlite();
    let running = Running::start(&place).await;
    let (mut farm, mut work) = (running.farm().await, running.work().await);
    let id = submit(&mut farm, &noop("k", 40)).await.job;
    let mut states = farm.watch_job(v1::WatchJobRequest { job: id }).await.unwrap().into_inner();
    let first: JobView = states.message().await.unwrap().unwrap().job.unwrap().try_into().unwrap();
    assert_eq!((first.phase, first.frames_done), (Phase::Pending, 0));
    let worker = register(&mut work, "i").await;
    drain(&mut work, worker).await;
    let mut last = first;
    while let Some(state) = states.message().await.unwrap() {
        let next = JobView::try_from(state.job.unwrap()).unwrap();
        assert!(next.frames_done >= last.frames_done);
        last = next;
    }
    assert_eq!((last.phase, last.frames_done), (Phase::Done, 41));
    let missing = farm.watch_job(v1::WatchJobRequest { job: 99 }).await.unwrap_err();
    assert_eq!(from_status(&missing).code, Code::UnknownJob);
}

/// A package is one frame of its job: how far it is is told by who has it in hand, and ends with that.
#[tokio::test]
async fn how_far_a_package_is_is_told_while_it_is_in_hand() {
    let (_dir, place) = sqlite();
    let running = Running::start(&place).await;
    let (mut farm, mut work) = (running.farm().await, running.work().await);
    let id = submit(&mut farm, &noop("k", 4)).await.job;
    let told = async |farm: &mut FarmClient<Channel>| {
        let asked = farm.get_making(v1::GetMakingRequest { job: id }).await;
        asked.unwrap().into_inner().steps
    };
    assert_eq!(told(&mut farm).await, []);
    let worker = register(&mut work, "i").await;
    let lease = acquire(&mut work, worker, 0).await.unwrap();
    let stage = v1::MakingStage::Sealing.into();
    let making = Some(v1::Making { stage, done: 3, total: 2000, ..Default::default() });
    let (token, in_hand) = (lease.token, Some(1001));
    let pulse = v1::LeasePulse { token, in_hand, progress: 1, making, ..Default::default() };
    let beat = v1::HeartbeatRequest { worker, tokens: vec![], leases: vec![pulse] };
    work.heartbeat(beat).await.unwrap();
    assert_eq!(told(&mut farm).await, [v1::StepMaking { step: 0, making }]);
    report(&mut work, worker, lease.token, &frames(&lease)).await;
    assert_eq!(told(&mut farm).await, []);
    let missing = farm.get_making(v1::GetMakingRequest { job: 99 }).await.unwrap_err();
    assert_eq!(from_status(&missing).code, Code::UnknownJob);
}

#[tokio::test]
async fn cancel_is_heard_by_watchers_and_workers() {
    let (_dir, place) = sqlite();
    let running = Running::start(&place).await;
    let (mut farm, mut work) = (running.farm().await, running.work().await);
    let id = submit(&mut farm, &noop("k", 40)).await.job;
    let worker = register(&mut work, "i").await;
    let lease = acquire(&mut work, worker, 0).await.unwrap();
    let mut states = farm.watch_job(v1::WatchJobRequest { job: id }).await.unwrap().into_inner();
    states.message().await.unwrap().unwrap();
    let cancelled = farm.cancel_job(v1::CancelJobRequest { job: id }).await.unwrap().into_inner();
    assert_eq!(cancelled.job.unwrap().phase(), v1::Phase::Cancelled);
    let last = states.message().await.unwrap().unwrap().job.unwrap();
    assert_eq!(last.phase(), v1::Phase::Cancelled);
    assert!(states.message().await.unwrap().is_none(), "and the watch ends");
    let beat = v1::HeartbeatRequest { worker, tokens: vec![lease.token], leases: vec![] };
    assert_eq!(work.heartbeat(beat).await.unwrap().into_inner().leases[0].keep, None);
}

#[tokio::test]
async fn errors_arrive_as_they_were_made() {
    let (_dir, place) = sqlite();
    let running = Running::start(&place).await;
    let (mut farm, mut work) = (running.farm().await, running.work().await);
    let status = farm.get_job(v1::GetJobRequest { job: 7 }).await.unwrap_err();
    assert_eq!(status.code(), tonic::Code::NotFound);
    assert_eq!(from_status(&status), Fault::new(Code::UnknownJob, "there is no job j7"));
    let mut bad = noop("k", 1);
    bad.steps[0].after = vec![1];
    let request = v1::SubmitJobRequest { job: Some((&bad).into()) };
    let fault = from_status(&farm.submit_job(request).await.unwrap_err());
    assert_eq!((fault.code, fault.place.unwrap()), (Code::BadSpec, "steps[0] 'a'".to_owned()));
    let status = work.acquire(v1::AcquireRequest { worker: 9, wait_ms: 0 }).await.unwrap_err();
    assert_eq!(from_status(&status).code, Code::UnknownWorker);
    let report = v1::ReportRequest {
        worker: 9,
        token: 5,
        frames: vec![(&done(1)).into()],
        ..Default::default()
    };
    let verdicts = work.report(report).await.unwrap().into_inner();
    assert_eq!(verdicts.verdicts().collect::<Vec<_>>(), [v1::Verdict::Refused], "never an error");
}

#[tokio::test]
async fn a_port_that_others_reach_is_refused_and_a_store_has_one_scheduler() {
    let open = bind("0.0.0.0:0".parse().unwrap()).await.unwrap_err();
    assert_eq!(open.code, Code::OpenListener);
    let listener = tokio::net::TcpListener::bind("0.0.0.0:0").await.unwrap();
    let (_dir, place) = sqlite();
    let fault = serve(listener, Config::new(place.clone()), async {}).await.unwrap_err();
    assert_eq!(fault.code, Code::OpenListener);
    let running = Running::start(&place).await;
    running.farm().await.list_jobs(v1::ListJobsRequest::default()).await.unwrap();
    let second = Running::start(&place).await;
    assert_eq!(second.task.await.unwrap().unwrap_err().code, Code::StoreInUse);
    running.stop().await.unwrap();
    Running::start(&place).await.stop().await.unwrap();
}

#[tokio::test]
async fn health_and_reflection_answer() {
    use tonic_health::pb::HealthCheckRequest;
    use tonic_health::pb::health_client::HealthClient;
    use tonic_reflection::pb::v1::ServerReflectionRequest;
    use tonic_reflection::pb::v1::server_reflection_client::ServerReflectionClient;
    use tonic_reflection::pb::v1::server_reflection_request::MessageRequest;
    use tonic_reflection::pb::v1::server_reflection_response::MessageResponse;
    use tonic_reflection::pb::v1alpha;

    let (_dir, place) = sqlite();
    let running = Running::start(&place).await;
    let mut health = HealthClient::new(running.channel().await);
    let services = ["Farm", "Work", "Library", "Pulls", "Trust", "Events"];
    let services = services.map(|name| format!("platefarm.v1.{name}"));
    let others = ["", "externalscaler.ExternalScaler"].map(str::to_owned);
    for service in services.into_iter().chain(others) {
        let said = health.check(HealthCheckRequest { service: service.clone() }).await;
        assert_eq!(said.unwrap().into_inner().status, 1, "SERVING: {service}");
    }
    let request = ServerReflectionRequest {
        host: String::new(),
        message_request: Some(MessageRequest::ListServices(String::new())),
    };
    let mut reflection = ServerReflectionClient::new(running.channel().await);
    let mut answers =
        reflection.server_reflection_info(tokio_stream::once(request)).await.unwrap().into_inner();
    let answer = answers.message().await.unwrap().unwrap().message_response.unwrap();
    let MessageResponse::ListServicesResponse(list) = answer else { panic!("{answer:?}") };
    let names: Vec<&str> = list.service.iter().map(|s| s.name.as_str()).collect();
    assert!(names.contains(&"platefarm.v1.Farm") && names.contains(&"platefarm.v1.Work"));
    let list = v1alpha::server_reflection_request::MessageRequest::ListServices(String::new());
    let request =
        v1alpha::ServerReflectionRequest { host: String::new(), message_request: Some(list) };
    let channel = running.channel().await;
    let mut older = v1alpha::server_reflection_client::ServerReflectionClient::new(channel);
    let answers = older.server_reflection_info(tokio_stream::once(request)).await.unwrap();
    assert!(answers.into_inner().message().await.unwrap().is_some());
}

type Lie = fn(&mut Snapshot);

/// A store whose next commits can be made to fail, before or after they are
/// written: a full disk, or a connection that broke before the answer.
#[derive(Clone, Default)]
struct Flaky {
    inner: MemoryStore,
    fail_before: Arc<AtomicBool>,
    fail_after: Arc<AtomicBool>,
    /// What becomes of what an auditor reads.
    lie: Arc<Mutex<Option<Lie>>>,
    /// Held by a test: commits wait.
    gate: Arc<tokio::sync::Mutex<()>>,
    /// Held by a test: an auditor that reads waits.
    slow: Arc<tokio::sync::Mutex<()>>,
}

struct FlakyView {
    inner: MemoryView,
    lie: Arc<Mutex<Option<Lie>>>,
    slow: Arc<tokio::sync::Mutex<()>>,
}

impl View for FlakyView {
    async fn open(&mut self) -> Outcome<()> {
        self.inner.open().await
    }

    async fn part(&mut self, of: Steps) -> Outcome<Snapshot> {
        drop(self.slow.lock().await);
        let mut rows = self.inner.part(of).await?;
        if let Some(lie) = *self.lie.lock().unwrap() {
            lie(&mut rows);
        }
        Ok(rows)
    }
}

impl Store for Flaky {
    type Reader = MemoryStore;
    type View = FlakyView;

    async fn read(&mut self, to: Parts) -> Outcome<()> {
        self.inner.read(to).await
    }

    fn view(&self) -> FlakyView {
        let (lie, slow) = (Arc::clone(&self.lie), Arc::clone(&self.slow));
        FlakyView { inner: self.inner.view(), lie, slow }
    }

    async fn hold(&mut self, view: &mut FlakyView) -> Outcome<()> {
        self.inner.hold(&mut view.inner).await
    }

    async fn log_end(&mut self) -> Outcome<LogEnd> {
        self.inner.log_end().await
    }

    async fn commit(&mut self, changes: &Changes) -> Outcome<()> {
        let fails = |flag: &AtomicBool| match flag.swap(false, Ordering::SeqCst) {
            true => Err(Fault::new(Code::StoreFailed, "planned")),
            false => Ok(()),
        };
        drop(self.gate.lock().await);
        fails(&self.fail_before)?;
        self.inner.commit(changes).await?;
        fails(&self.fail_after)
    }

    fn reader(&self) -> MemoryStore {
        self.inner.clone()
    }

    fn reign(&self) -> Reign {
        self.inner.reign()
    }
}

#[tokio::test]
async fn a_failed_commit_promises_nothing_and_the_core_follows_the_store() {
    let store = Flaky::default();
    let (_close, closing) = watch::channel(false);
    let (leading, owner) = Owner::open(store.clone(), Policy::default(), closing).await.unwrap();
    let desk = Desk::new(Roles::of(Role::Leads(leading)));
    let task = tokio::spawn(owner.run());
    let submit = |key: &str| desk.ask(Command::Submit(Box::new(noop(key, 2))));

    store.fail_before.store(true, Ordering::SeqCst);
    assert_eq!(submit("a").await.unwrap_err().code, Code::StoreFailed);
    assert_eq!(desk.look(|state| state.jobs(false).len()).await, Ok(0), "it is not there");

    store.fail_after.store(true, Ordering::SeqCst);
    assert_eq!(submit("b").await.unwrap_err().code, Code::StoreFailed);
    assert_eq!(desk.look(|state| state.jobs(false).len()).await, Ok(1), "it is there");
    let again = submit("b").await.unwrap();
    assert_eq!(again, Reply::Submitted { job: JobId(1), existed: true }, "so asking again is safe");
    drop(desk);
    task.await.unwrap();
}

#[tokio::test]
async fn a_lease_that_nobody_waits_for_any_more_is_free_at_once() {
    let store = Flaky::default();
    let (_close, closing) = watch::channel(false);
    let (leading, owner) = Owner::open(store.clone(), Policy::default(), closing).await.unwrap();
    let desk = Desk::new(Roles::of(Role::Leads(leading)));
    let task = tokio::spawn(owner.run());
    for instance in ["a", "b"] {
        let command = Command::Register {
            name: "n".into(),
            instance: instance.into(),
            slots: 1,
            backend: "cpu".into(),
            traits: Default::default(),
        };
        desk.ask(command).await.unwrap();
    }
    let submit = |key: &str| desk.ask(Command::Submit(Box::new(noop(key, 1))));
    let wait = Duration::from_secs(30);
    // One hangs up while it waits for work, one while its lease is stored.
    tokio::time::timeout(Duration::from_millis(20), desk.acquire(WorkerId(1), wait))
        .await
        .unwrap_err();
    submit("k").await.unwrap();
    let gate = store.gate.lock().await;
    tokio::time::timeout(Duration::from_millis(20), desk.acquire(WorkerId(1), wait))
        .await
        .unwrap_err();
    drop(gate);
    let granted = desk.look(|state| state.counters().leases).await.unwrap();
    assert_eq!(granted, 1, "the second was granted to one who had left");
    let lease = desk.acquire(WorkerId(2), wait).await.unwrap().unwrap();
    assert_eq!(lease.frames, FrameRange::single(1001), "and is free again long before it expires");
    drop(desk);
    task.await.unwrap();
}

/// Two schedulers on one database: one leads, the other answers questions,
/// names it, and leads when it is gone; the lease in hand goes on.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_two_schedulers_on_postgres_one_leads_and_the_other_takes_over() {
    let Some(cluster) = Cluster::start() else { return };
    let place: Place = cluster.database().parse().unwrap();
    let first = Running::start(&place).await;
    leads(&first).await;
    let second = Running::start(&place).await;
    let (mut farm, mut work) = (first.farm().await, first.work().await);
    let id = submit(&mut farm, &noop("k", 8)).await.job;
    let worker = register(&mut work, "i").await;
    let lease = acquire(&mut work, worker, 0).await.unwrap();

    let (mut other, mut other_work) = (second.farm().await, second.work().await);
    let status = other.get_farm(v1::GetFarmRequest {}).await.unwrap().into_inner();
    assert_eq!((status.leads, status.leader), (false, format!("http://{}", first.address)));
    let status = farm.get_farm(v1::GetFarmRequest {}).await.unwrap().into_inner();
    assert_eq!((status.leads, status.leases, status.audit.unwrap().broken), (true, 1, 0));
    let view = job(&mut other, id).await;
    assert_eq!(view.steps[0].leased, "1001-1004".parse().unwrap(), "it reads what is committed");
    let request = v1::SubmitJobRequest { job: Some((&noop("l", 1)).into()) };
    let fault = from_status(&other.submit_job(request).await.unwrap_err());
    assert_eq!(fault.code, Code::NotLeader);
    assert_eq!(fault.place, Some(format!("http://{}", first.address)));
    // Whose workers are alive, and what keeps work from them, only the leader knows.
    let explained = v1::ExplainRequest { target: Some(Target::Job(JobId(id)).into()) };
    let imagined = v1::WhatIfRequest { workers: 1, ..Default::default() };
    for status in [
        other.list_workers(v1::ListWorkersRequest {}).await.unwrap_err(),
        other.explain(explained).await.unwrap_err(),
        other.what_if(imagined).await.unwrap_err(),
    ] {
        let fault = from_status(&status);
        assert_eq!(fault.code, Code::NotLeader);
        assert_eq!(fault.place, Some(format!("http://{}", first.address)));
    }
    let listed = other.list_jobs(v1::ListJobsRequest::default()).await.unwrap().into_inner();
    assert_eq!((listed.found, listed.jobs[0].id), (1, id));
    let beat = v1::HeartbeatRequest { worker, tokens: vec![lease.token], leases: vec![] };
    let refused = other_work.heartbeat(beat.clone()).await.unwrap_err();
    assert_eq!(from_status(&refused).code, Code::NotLeader);

    let begun = Instant::now();
    first.kill().await;
    leads(&second).await;
    assert!(begun.elapsed() < Duration::from_secs(5), "{:?}", begun.elapsed());
    let kept = other_work.heartbeat(beat).await.unwrap().into_inner();
    assert_eq!(kept.leases[0].keep, lease.frames, "the lease survives");
    let verdicts = report(&mut other_work, worker, lease.token, &frames(&lease)).await;
    assert_eq!(verdicts, [v1::Verdict::Granted; 4]);
    second.stop().await.unwrap();
}

/// Everything a worker says and hears on one stream.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_session_carries_leases_reports_and_what_was_never_heard() {
    let (_dir, place) = sqlite();
    let running = Running::start(&place).await;
    let (mut farm, mut work) = (running.farm().await, running.work().await);
    let id = submit(&mut farm, &noop("k", 20)).await.job;
    let request = v1::RegisterRequest {
        name: "fake".into(),
        slots: 2,
        backend: "cpu".into(),
        instance: "i".into(),
        traits: None,
    };
    let worker = work.register(request).await.unwrap().into_inner().worker;
    let mut session = Session::open(&mut work, worker, vec![]).await;
    session.say(v1::SessionRequest { room: room(0, 1, 0), ..Default::default() }).await;
    let first = session.heard.message().await.unwrap().unwrap().leases.remove(0);
    assert!(first.spec.is_some());
    let reports = vec![v1::Report {
        number: 7,
        token: first.token,
        frames: frames(&first).iter().map(Into::into).collect(),
        ..Default::default()
    }];
    session.say(v1::SessionRequest { room: room(1, 1, 0), reports, ..Default::default() }).await;
    // A lease may be heard of before the verdicts are stored.
    let (mut verdicts, mut leases) = (Vec::new(), Vec::new());
    while verdicts.is_empty() || leases.is_empty() {
        let message = session.heard.message().await.unwrap().unwrap();
        verdicts.extend(message.verdicts);
        leases.extend(message.leases);
    }
    assert_eq!((verdicts[0].number, verdicts[0].keep), (7, None));
    assert!(verdicts[0].verdicts().all(|v| v == v1::Verdict::Granted));
    let second = &leases[0];
    assert!(second.spec.is_none(), "the step was told before");
    // The session breaks; the next one holds nothing, so the lease is free at once.
    drop(session);
    let mut session = Session::open(&mut work, worker, vec![]).await;
    session.say(v1::SessionRequest { room: room(0, 2, 0), ..Default::default() }).await;
    let again = session.heard.message().await.unwrap().unwrap().leases.remove(0);
    assert_eq!(again.frames, second.frames, "its frames wait again");
    assert!(again.token > second.token && again.spec.is_some());
    let view = job(&mut farm, id).await;
    assert_eq!(view.frames_done, FrameRange::try_from(first.frames.unwrap()).unwrap().len());
    let mut unknown = Session::open(&mut work, 999, vec![]).await;
    let status = unknown.heard.message().await.unwrap_err();
    assert_eq!(from_status(&status).code, Code::UnknownWorker);
    running.stop().await.unwrap();
}

fn room(seen: u64, idle: u32, ahead: u32) -> Option<v1::Room> {
    Some(v1::Room { seen, idle, ahead })
}

struct Session {
    say: tokio::sync::mpsc::Sender<v1::SessionRequest>,
    heard: tonic::Streaming<v1::SessionResponse>,
}

impl Session {
    async fn open(work: &mut WorkClient<Channel>, worker: u64, holds: Vec<u64>) -> Self {
        let (say, said) = tokio::sync::mpsc::channel(8);
        say.send(v1::SessionRequest { worker, holds, ..Default::default() }).await.unwrap();
        let said = tokio_stream::wrappers::ReceiverStream::new(said);
        Self { say, heard: work.session(said).await.unwrap().into_inner() }
    }

    async fn say(&self, message: v1::SessionRequest) {
        self.say.send(message).await.unwrap();
    }
}
