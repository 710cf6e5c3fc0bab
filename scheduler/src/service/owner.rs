//! The task that has the core. What it decides in one turn is stored in one
//! transaction before anybody hears of it; while the store writes, the next
//! turn gathers. When a commit fails nobody was promised anything: the core
//! is made again from what the store holds.

use super::clock::Clock;
use super::gone;
use crate::core::{Changes, Command, Granted, Policy, Reply, State};
use crate::store::Store;
use platefarm_model::{Code, Fault, JobId, LeaseToken, Outcome, WorkerId};
use std::collections::{HashMap, VecDeque};
use std::time::Duration;
use tokio::sync::{mpsc, oneshot, watch};
use tokio::time::Instant;

/// Questions that may wait. Above it, callers wait to ask.
const QUEUE: usize = 4096;
/// Questions of one turn.
const TURN: usize = 4096;
/// Longest time between two ticks, and how many of them a lease lasts at
/// least: the core takes a longer silence than half a lease for our own sleep.
const TICK: Duration = Duration::from_millis(500);
const TICKS_PER_LEASE: u64 = 8;
/// How long to wait before a failed store is tried again.
const RETRY: Duration = Duration::from_millis(250);

type Told<T> = oneshot::Sender<Outcome<T>>;

/// What can be asked of the owner.
enum Ask {
    /// A command.
    Do(Command, Told<Reply>),
    /// A task, now or within a time.
    Acquire(Parked),
    /// A look at what is stored.
    Look(Box<dyn FnOnce(&State) + Send>),
    /// A signal at every change of a job.
    Watch(JobId, oneshot::Sender<watch::Receiver<u64>>),
}

/// A worker that waits for a task.
struct Parked {
    worker: WorkerId,
    until: Instant,
    told: Told<Reply>,
}

/// Where the services ask.
#[derive(Clone)]
pub(super) struct Desk {
    asks: mpsc::Sender<Ask>,
}

impl Desk {
    /// Has a command carried out; the answer is durable.
    pub(super) async fn ask(&self, command: Command) -> Outcome<Reply> {
        let (told, answer) = oneshot::channel();
        self.asks.send(Ask::Do(command, told)).await.map_err(gone)?;
        answer.await.map_err(gone)?
    }

    /// A task for `worker`, if one comes up within `wait`.
    pub(super) async fn acquire(
        &self,
        worker: WorkerId,
        wait: Duration,
    ) -> Outcome<Option<Granted>> {
        let (told, answer) = oneshot::channel();
        let parked = Parked { worker, until: Instant::now() + wait, told };
        self.asks.send(Ask::Acquire(parked)).await.map_err(gone)?;
        match answer.await.map_err(gone)?? {
            Reply::Acquired(granted) => Ok(granted),
            _ => Self::unexpected(),
        }
    }

    /// What `look` sees of the farm as it is stored.
    pub(super) async fn look<T: Send + 'static>(
        &self,
        look: impl FnOnce(&State) -> T + Send + 'static,
    ) -> Outcome<T> {
        let (told, answer) = oneshot::channel();
        let look = move |state: &State| drop(told.send(look(state)));
        self.asks.send(Ask::Look(Box::new(look))).await.map_err(gone)?;
        answer.await.map_err(gone)
    }

    /// A signal at every change of a job from now on.
    pub(super) async fn watch(&self, job: JobId) -> Outcome<watch::Receiver<u64>> {
        let (told, answer) = oneshot::channel();
        self.asks.send(Ask::Watch(job, told)).await.map_err(gone)?;
        answer.await.map_err(gone)
    }
}

/// The core, its store, and who waits.
pub(super) struct Owner<S> {
    state: State,
    store: S,
    policy: Policy,
    clock: Clock,
    asks: mpsc::Receiver<Ask>,
    closing: watch::Receiver<bool>,
    parked: VecDeque<Parked>,
    watched: HashMap<JobId, watch::Sender<u64>>,
    /// Leases whose worker hung up before it could be told.
    unheard: Vec<(WorkerId, LeaseToken)>,
    next_tick: Instant,
    tick: Duration,
}

/// How often time is told to the core.
fn tick(policy: &Policy) -> Duration {
    Duration::from_millis((policy.lease_ttl_ms.unsigned_abs() / TICKS_PER_LEASE).max(1)).min(TICK)
}

/// What is to be said when the turn is stored.
#[derive(Default)]
struct Turn {
    changes: Changes,
    answers: Vec<(Option<WorkerId>, Told<Reply>, Outcome<Reply>)>,
    after: Vec<Ask>,
    wake: bool,
}

impl<S: Store> Owner<S> {
    /// Reads the store and makes the core of it.
    pub(super) async fn open(
        mut store: S,
        policy: Policy,
        closing: watch::Receiver<bool>,
    ) -> Outcome<(Desk, Self)> {
        let clock = Clock::new();
        let state = State::restore(policy, store.load().await?, clock.now())?;
        let (asks, inbox) = mpsc::channel(QUEUE);
        let owner = Self {
            state,
            store,
            policy,
            clock,
            asks: inbox,
            closing,
            parked: VecDeque::new(),
            watched: HashMap::new(),
            unheard: Vec::new(),
            next_tick: Instant::now() + tick(&policy),
            tick: tick(&policy),
        };
        Ok((Desk { asks }, owner))
    }

    /// Sends the workers of an earlier run home, whose end is known: what they
    /// had in hand waits again at once, and nobody is charged.
    pub(super) async fn dismiss_all(&mut self) -> Outcome<()> {
        let mut turn = Turn::default();
        for worker in self.state.workers() {
            self.decide(Command::Leave { worker: worker.id }, &mut turn)?;
        }
        self.store.commit(&turn.changes).await
    }

    /// Serves until nobody can ask any more.
    pub(super) async fn run(mut self) {
        let mut asks = Vec::new();
        let mut open = true;
        loop {
            let due = self.due();
            tokio::select! {
                count = self.asks.recv_many(&mut asks, TURN) => if count == 0 { break },
                () = tokio::time::sleep_until(due) => {}
                _ = self.closing.changed(), if open => open = false,
            }
            self.turn(std::mem::take(&mut asks)).await;
        }
    }

    /// When something is to be done though nobody asks.
    fn due(&self) -> Instant {
        if !self.unheard.is_empty() {
            return Instant::now();
        }
        self.parked.iter().map(|p| p.until).fold(self.next_tick, Instant::min)
    }

    async fn turn(&mut self, asks: Vec<Ask>) {
        let mut turn = Turn::default();
        for (worker, token) in std::mem::take(&mut self.unheard) {
            drop(self.decide(Command::Release { worker, token }, &mut turn));
        }
        for ask in asks {
            match ask {
                Ask::Do(command, told) => {
                    let reply = self.decide(command, &mut turn);
                    turn.answers.push((None, told, reply));
                }
                Ask::Acquire(parked) => self.try_acquire(parked, &mut turn),
                later => turn.after.push(later),
            }
        }
        let ticked = Instant::now() >= self.next_tick;
        if ticked {
            self.next_tick = Instant::now() + self.tick;
            drop(self.decide(Command::Tick, &mut turn));
        }
        if turn.wake || ticked {
            for parked in std::mem::take(&mut self.parked) {
                self.try_acquire(parked, &mut turn);
            }
        }
        self.send_home(&mut turn);
        self.finish(turn).await;
    }

    fn decide(&mut self, command: Command, turn: &mut Turn) -> Outcome<Reply> {
        let effects = self.state.step(command, self.clock.now());
        turn.changes.merge(effects.changes);
        turn.wake |= effects.wake;
        effects.reply
    }

    /// A task for a worker that waits, or it goes on waiting.
    fn try_acquire(&mut self, parked: Parked, turn: &mut Turn) {
        if parked.told.is_closed() {
            return;
        }
        match self.decide(Command::Acquire { worker: parked.worker }, turn) {
            Ok(Reply::Acquired(None)) => self.parked.push_back(parked),
            reply => turn.answers.push((Some(parked.worker), parked.told, reply)),
        }
    }

    /// Tells those who have waited long enough that there is nothing to do.
    fn send_home(&mut self, turn: &mut Turn) {
        let (now, closing) = (Instant::now(), *self.closing.borrow());
        for parked in std::mem::take(&mut self.parked) {
            if closing || parked.until <= now {
                turn.answers.push((None, parked.told, Ok(Reply::Acquired(None))));
            } else if !parked.told.is_closed() {
                self.parked.push_back(parked);
            }
        }
    }

    /// Stores the turn, then says it.
    async fn finish(&mut self, turn: Turn) {
        if !turn.changes.is_empty()
            && let Err(fault) = self.store.commit(&turn.changes).await
        {
            tracing::error!(%fault, "nothing of this turn was promised; reading the store again");
            for (_, told, _) in turn.answers {
                drop(told.send(Err(fault.clone())));
            }
            self.recover().await;
            return;
        }
        for job in turn.changes.jobs_touched() {
            if let Some(signal) = self.watched.get(&job) {
                signal.send_modify(|version| *version += 1);
            }
        }
        for (worker, told, reply) in turn.answers {
            let unheard = told.send(reply).err();
            if let (Some(worker), Some(Ok(Reply::Acquired(Some(lease))))) = (worker, unheard) {
                self.unheard.push((worker, lease.token));
            }
        }
        turn.after.into_iter().for_each(|ask| self.show(ask));
    }

    fn show(&mut self, ask: Ask) {
        match ask {
            Ask::Look(look) => look(&self.state),
            Ask::Watch(job, told) => {
                self.watched.retain(|_, signal| signal.receiver_count() > 0);
                let signal = self.watched.entry(job).or_insert_with(|| watch::channel(0).0);
                drop(told.send(signal.subscribe()));
            }
            Ask::Do(..) | Ask::Acquire(_) => {}
        }
    }

    /// Makes the core again from what the store holds, however long that
    /// takes; who asks meanwhile is told that the store failed.
    async fn recover(&mut self) {
        loop {
            let restored = match self.store.load().await {
                Ok(stored) => State::restore(self.policy, stored, self.clock.now()),
                Err(fault) => Err(fault),
            };
            match restored {
                Ok(state) => {
                    self.state = state;
                    self.watched.values().for_each(|s| s.send_modify(|version| *version += 1));
                    tracing::info!("the store is back");
                    return;
                }
                Err(fault) => {
                    tracing::error!(%fault, "the store cannot be read");
                    if self.refuse_for(RETRY, &fault).await {
                        return;
                    }
                }
            }
        }
    }

    /// Refuses what is asked for a while. True when nobody can ask any more.
    async fn refuse_for(&mut self, time: Duration, fault: &Fault) -> bool {
        let fault = Fault { code: Code::StoreFailed, ..fault.clone() };
        for parked in self.parked.drain(..) {
            drop(parked.told.send(Err(fault.clone())));
        }
        let end = Instant::now() + time;
        loop {
            match tokio::time::timeout_at(end, self.asks.recv()).await {
                Err(_) => return false,
                Ok(None) => return true,
                Ok(Some(Ask::Do(_, told) | Ask::Acquire(Parked { told, .. }))) => {
                    drop(told.send(Err(fault.clone())));
                }
                // Dropping the question says that there is no answer.
                Ok(Some(Ask::Look(_) | Ask::Watch(..))) => {}
            }
        }
    }
}
