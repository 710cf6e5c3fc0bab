//! The worker process on a farm: registers, takes leases, runs them, reports,
//! publishes what was accepted, and leaves in order.
//!
//! ```text
//! keeper   registers; heartbeats on a connection of its own; ends what was not renewed -> Standing
//! session  one stream: room, reports and releases out, leases and verdicts in
//! slot     next task -> its render process -> outbox, one for each slot
//! outbox   reported until it is acknowledged -> publish or delete
//! ```
//!
//! [`state`] and [`talk`] decide and do no I/O; everything else here is I/O and
//! decides nothing.

mod backoff;
mod keeper;
mod outbox;
mod session;
mod slot;
pub mod state;
mod talk;
mod trace;
mod wire;

use crate::child::{Child, Limits, Program};
use crate::kinds::{Environment, JOB_KINDS, JobKind};
use crate::probe;
use crate::render::{Engines, Flight, SessionCache};
use crate::roots::Roots;
use crate::still::Stills;
use platefarm_model::farm::WorkerTraits;
use platefarm_model::recipe::Backend;
use platefarm_model::{Outcome, WorkerId, limits};
use platefarm_proto::dial::Dial;
use session::{Answer, Taken};
use state::{Millis, Standing};
use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use talk::{Places, Talk};
use tokio::sync::{Notify, Semaphore, mpsc, oneshot, watch};
use tokio::time::Instant;
use wire::Wire;

/// How a worker joins a farm.
#[derive(Clone)]
pub struct AgentConfig {
    /// The way to the scheduler, e.g. `http://127.0.0.1:7878`. Of several, with commas between, the one that leads.
    pub scheduler: Dial,
    /// Name that people see; empty takes the host's name.
    pub name: String,
    /// Tasks at a time; at least one.
    pub slots: u32,
    /// How to run image operations.
    pub backend: Backend,
    /// Directories that jobs may touch; empty: any.
    pub roots: Vec<PathBuf>,
    /// What it says of itself beyond what is found out: labels, pools, volumes at hand.
    pub traits: WorkerTraits,
    /// Tasks that may wait for a slot, so that none is idle between two.
    pub ahead: u32,
    /// The program of the render processes; none: tasks run in this process.
    pub program: Option<Program>,
    /// Memory that a render process may hold, in bytes; 0: no limit.
    pub slot_memory_bytes: u64,
    /// How long a frame may make no progress before its process is ended.
    pub stuck: Duration,
    /// How long, after being asked to end, to keep trying to report what is finished.
    pub grace: Duration,
    /// What it can do.
    pub kinds: &'static [&'static dyn JobKind],
}

impl AgentConfig {
    /// A worker with one slot for the farm at `scheduler`.
    #[must_use]
    pub fn new(scheduler: impl Into<Dial>) -> Self {
        Self {
            scheduler: scheduler.into(),
            name: String::new(),
            slots: 1,
            backend: Backend::Auto,
            roots: Vec::new(),
            traits: WorkerTraits::default(),
            ahead: 1,
            program: None,
            slot_memory_bytes: 0,
            stuck: Duration::from_secs(600),
            grace: Duration::from_secs(10),
            kinds: JOB_KINDS,
        }
    }
}

/// What the tasks of one agent share.
struct Shared {
    name: String,
    /// Chosen once by this process: registering twice with it is one worker.
    instance: String,
    slots: u32,
    kinds: &'static [&'static dyn JobKind],
    config: AgentConfig,
    backend: String,
    traits: WorkerTraits,
    env: Environment,
    wire: Wire,
    started: Instant,
    standing: Mutex<Standing>,
    talk: Mutex<Talk>,
    /// Rings when the session has something to say.
    to_say: Notify,
    /// Who waits for the answer to which report.
    waiting: Mutex<HashMap<u64, oneshot::Sender<Answer>>>,
    /// Tasks that wait for a slot.
    queue: mpsc::UnboundedSender<Taken>,
    tasks: tokio::sync::Mutex<mpsc::UnboundedReceiver<Taken>>,
    /// Leases whose reports may be under way: a bound on what is kept while the scheduler is away.
    outboxes: Arc<Semaphore>,
    /// The worker id in force, for those who wait for one.
    worker: watch::Sender<Option<WorkerId>>,
    /// Rings when the keeper has something to do before its next beat.
    wake: Notify,
    /// Whether the process is asked to end.
    leaving: watch::Sender<bool>,
}

impl Shared {
    fn standing(&self) -> MutexGuard<'_, Standing> {
        // Whoever panicked while holding it left whole values behind.
        self.standing.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn now(&self) -> Millis {
        self.started.elapsed().as_millis() as Millis
    }

    fn talk(&self) -> MutexGuard<'_, Talk> {
        self.talk.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn waiting(&self) -> MutexGuard<'_, HashMap<u64, oneshot::Sender<Answer>>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Changes the room for tasks, and has the scheduler told.
    fn room_changed(&self, change: impl FnOnce(&mut Places)) {
        let open = self.standing().wants_work();
        {
            let mut talk = self.talk();
            talk.places().open = open;
            change(talk.places());
        }
        self.to_say.notify_one();
    }

    /// The next task that waits for a slot.
    async fn next_task(&self) -> Taken {
        match self.tasks.lock().await.recv().await {
            Some(taken) => taken,
            // The sender stands beside it.
            None => std::future::pending().await,
        }
    }

    /// The process of a slot, where tasks have one.
    fn child(&self) -> Option<Child> {
        let program = self.config.program.clone()?;
        let limits =
            Limits { memory_bytes: self.config.slot_memory_bytes, stuck: self.config.stuck };
        let cores = probe::cores() / self.slots as usize;
        let budget = self.env.flight.budget_bytes;
        let (backend, roots) = (self.config.backend, self.config.roots.clone());
        Some(Child::new(program, limits, backend, roots, cores, budget))
    }

    /// When the process leaves, and what is not reported by then stays unreported.
    async fn out_of_grace(&self) {
        let mut leaving = self.leaving.subscribe();
        let _ = leaving.wait_for(|leaving| *leaving).await;
        tokio::time::sleep(self.config.grace).await;
    }

    /// The scheduler does not know `worker`: drop what it had, register again.
    fn forgotten(&self, worker: WorkerId) {
        if self.standing().forgotten(worker) {
            tracing::warn!(%worker, "the scheduler does not know this worker; registering again");
            self.worker.send_replace(None);
            self.wake.notify_one();
            self.room_changed(|_| {});
        }
    }

    /// Sleeps, but not past the order to leave.
    async fn rest(&self, time: Duration) {
        let mut leaving = self.leaving.subscribe();
        tokio::select! {
            () = tokio::time::sleep(time) => {}
            _ = leaving.wait_for(|l| *l) => {}
        }
    }
}

/// Works for a farm until `shutdown` completes; then finishes the frames in
/// hand, reports them, gives back the rest and says good-bye.
///
/// # Errors
/// [`platefarm_model::Code::NoGpu`] when the backend asked for is not there,
/// [`platefarm_model::Code::FileNotFound`] for a root that is not there,
/// [`platefarm_model::Code::BadConfig`] for an address that is none. A
/// scheduler that cannot be reached is not an error: it is waited for.
pub async fn run(config: AgentConfig, shutdown: impl Future<Output = ()> + Send) -> Outcome<()> {
    let shared = Arc::new(prepare(config).await?);
    let keeper = tokio::spawn(keeper::keep(Arc::clone(&shared)));
    let session = tokio::spawn(session::keep(Arc::clone(&shared)));
    let slots: Vec<_> =
        (0..shared.slots).map(|_| tokio::spawn(slot::work(Arc::clone(&shared)))).collect();

    shutdown.await;
    tracing::info!("leaving: finishing the frames in hand");
    shared.standing().leave();
    shared.room_changed(|_| {});
    shared.leaving.send_replace(true);
    for slot in slots {
        if let Err(error) = slot.await {
            tracing::error!(%error, "a slot ended badly");
        }
    }
    // Every outbox has done what it can.
    let all = u32::try_from(outboxes(shared.slots)).unwrap_or(u32::MAX);
    drop(shared.outboxes.acquire_many(all).await);
    session.abort();
    keeper.abort();
    shared.wire.leave(&shared).await;
    Ok(())
}

async fn prepare(config: AgentConfig) -> Outcome<Shared> {
    let wire = Wire::new(&config.scheduler)?;
    let roots = Roots::new(&config.roots)?;
    roots.confine()?;
    // Opening a GPU takes a while and blocks.
    let backend = config.backend;
    let engines = tokio::task::spawn_blocking(move || Engines::new(backend))
        .await
        .map_err(|error| crate::render::panicked(&error.to_string()))??;
    let machine = probe::machine(engines.default_executor().as_ref());
    // Where the slots have processes, the GPU is theirs.
    let engines = if config.program.is_some() { Engines::new(Backend::Cpu)? } else { engines };
    let mut name = if config.name.is_empty() { machine.host.clone() } else { config.name.clone() };
    name.truncate(name.floor_char_boundary(limits::MAX_NAME_BYTES));
    tracing::info!(name, backend = machine.backend, cores = machine.cores, "worker");
    let since_epoch = std::time::UNIX_EPOCH.elapsed().unwrap_or_default();
    let slots = config.slots.max(1);
    let (queue, tasks) = mpsc::unbounded_channel();
    Ok(Shared {
        instance: format!("{name}-{}-{}", std::process::id(), since_epoch.as_nanos()),
        name,
        slots,
        kinds: config.kinds,
        env: Environment {
            sessions: SessionCache::new(slots as usize + 1),
            flight: Flight::for_cores(probe::cores() / slots as usize)
                .within(probe::frame_budget_bytes() / u64::from(slots)),
            engines,
            roots,
            stills: Stills::default(),
        },
        traits: machine.traits(&config.traits, slots, config.slot_memory_bytes),
        backend: machine.backend,
        wire,
        started: Instant::now(),
        standing: Mutex::default(),
        talk: Mutex::new(Talk::new(slots, config.ahead.min(slots))),
        to_say: Notify::new(),
        waiting: Mutex::default(),
        queue,
        tasks: tokio::sync::Mutex::new(tasks),
        outboxes: Arc::new(Semaphore::new(outboxes(slots))),
        worker: watch::Sender::new(None),
        wake: Notify::new(),
        leaving: watch::Sender::new(false),
        config,
    })
}

/// Leases whose reports may be under way: those that run, and a few each that ended.
const fn outboxes(slots: u32) -> usize {
    4 * slots as usize
}
