//! The worker process on a farm: registers, takes leases, runs them, reports,
//! publishes what was accepted, and leaves in order.
//!
//! ```text
//! keeper   registers; heartbeats on a connection of its own   -> Standing
//! slot     acquire (long poll) -> run on a blocking thread -> outbox, one task per slot
//! outbox   Report until it is acknowledged -> publish or delete
//! ```
//!
//! [`state`] decides and does no I/O; everything here is I/O and decides nothing.

mod backoff;
mod keeper;
mod outbox;
mod slot;
mod state;
mod wire;

use crate::kinds::{Environment, JOB_KINDS, JobKind};
use crate::probe;
use crate::render::{Engines, Flight, SessionCache};
use crate::roots::Roots;
use platefarm_model::recipe::Backend;
use platefarm_model::{Outcome, WorkerId, limits};
use state::{Millis, Standing};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use tokio::sync::{Notify, watch};
use wire::Wire;

/// How a worker joins a farm.
#[derive(Clone)]
pub struct AgentConfig {
    /// Address of the scheduler: `http://127.0.0.1:7171`.
    pub scheduler: String,
    /// Name that people see; empty takes the host's name.
    pub name: String,
    /// Tasks at a time; at least one.
    pub slots: u32,
    /// How to run image operations.
    pub backend: Backend,
    /// Directories that jobs may touch; empty: any.
    pub roots: Vec<PathBuf>,
    /// How long, after being asked to end, to keep trying to report what is finished.
    pub grace: Duration,
    /// What it can do.
    pub kinds: &'static [&'static dyn JobKind],
}

impl AgentConfig {
    /// A worker with one slot for the farm at `scheduler`.
    #[must_use]
    pub fn new(scheduler: impl Into<String>) -> Self {
        Self {
            scheduler: scheduler.into(),
            name: String::new(),
            slots: 1,
            backend: Backend::Auto,
            roots: Vec::new(),
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
    grace: Duration,
    kinds: &'static [&'static dyn JobKind],
    env: Environment,
    wire: Wire,
    started: Instant,
    standing: Mutex<Standing>,
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

    fn is_leaving(&self) -> bool {
        *self.leaving.borrow()
    }

    /// The scheduler does not know `worker`: drop what it had, register again.
    fn forgotten(&self, worker: WorkerId) {
        if self.standing().forgotten(worker) {
            tracing::warn!(%worker, "the scheduler does not know this worker; registering again");
            self.worker.send_replace(None);
            self.wake.notify_one();
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
    let slots: Vec<_> =
        (0..shared.slots).map(|_| tokio::spawn(slot::work(Arc::clone(&shared)))).collect();

    shutdown.await;
    tracing::info!("leaving: finishing the frames in hand");
    shared.standing().leave();
    shared.leaving.send_replace(true);
    for slot in slots {
        if let Err(error) = slot.await {
            tracing::error!(%error, "a slot ended badly");
        }
    }
    keeper.abort();
    shared.wire.leave(&shared).await;
    Ok(())
}

async fn prepare(config: AgentConfig) -> Outcome<Shared> {
    let wire = Wire::new(&config.scheduler)?;
    let roots = Roots::new(&config.roots)?;
    // Opening a GPU takes a while and blocks.
    let backend = config.backend;
    let engines = tokio::task::spawn_blocking(move || Engines::new(backend))
        .await
        .map_err(|error| crate::render::panicked(&error.to_string()))??;
    let machine = probe::machine(engines.default_executor().as_ref());
    let mut name = if config.name.is_empty() { machine.host.clone() } else { config.name };
    name.truncate(name.floor_char_boundary(limits::MAX_NAME_BYTES));
    tracing::info!(name, backend = machine.backend, cores = machine.cores, "worker");
    let since_epoch = std::time::UNIX_EPOCH.elapsed().unwrap_or_default();
    let slots = config.slots.max(1);
    Ok(Shared {
        instance: format!("{name}-{}-{}", std::process::id(), since_epoch.as_nanos()),
        name,
        slots,
        grace: config.grace,
        kinds: config.kinds,
        env: Environment {
            sessions: SessionCache::new(slots as usize + 1),
            flight: Flight::for_cores(probe::cores() / slots as usize)
                .within(probe::frame_budget_bytes() / u64::from(slots)),
            engines,
            roots,
        },
        wire,
        started: Instant::now(),
        standing: Mutex::default(),
        worker: watch::Sender::new(None),
        wake: Notify::new(),
        leaving: watch::Sender::new(false),
    })
}
