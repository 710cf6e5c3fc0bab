//! The task that has the core. What it decides in one turn is stored in one
//! transaction before anybody hears of it; while the store writes, the next
//! turn is decided. When a commit fails nobody was promised anything: the core
//! is made again from what the store holds.
//!
//! A lease may be heard of before it is stored, where nothing that it follows
//! from is new: its token is never given out again, whatever is lost (see
//! [`State::may_go`]), so one that the store forgot is refused and costs the
//! frames in hand. So a free slot does not wait for the disk. Submissions,
//! verdicts and everything else are durable before they are said.

mod audit;
mod ear;
mod log;
mod recover;
mod work;

pub(super) use audit::Findings;
use audit::{Auditor, Look as Audited};
use ear::Ear;

use super::clock::Clock;
use super::rebuild::rebuild;
use super::seats::{Said, SeatId, Seats, Word};
use crate::core::{Asked, Changes, Command, Policy, Reply, State};
use crate::store::{Reign, Store, parts};
use crate::web::Metrics;
use log::Log;
use platefarm_model::event::Event;
use platefarm_model::{JobId, LeaseToken, Outcome, WorkerId};
use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{mpsc, oneshot, watch};
use tokio::time::Instant;

/// Questions that may wait. Above it, callers wait to ask.
const QUEUE: usize = 4096;
/// Questions that are taken at once.
const TURN: usize = 4096;
/// Questions of one turn; above it, the store is waited for.
const MOST: usize = 16 * 1024;
/// Longest time between two ticks, and how many of them a lease lasts at
/// least: the core takes a longer silence than half a lease for our own sleep.
const TICK: Duration = Duration::from_millis(500);
const TICKS_PER_LEASE: u64 = 8;
/// Old jobs that are forgotten at a time: some thousands an hour.
const FORGOTTEN: usize = 4;
/// How long to wait before a failed store is tried again.
const RETRY: Duration = Duration::from_millis(250);

pub(super) type Told<T> = oneshot::Sender<Outcome<T>>;

/// Looks, and returns what tells it.
pub(super) type Look = Box<dyn FnOnce(&State) -> Tell + Send>;
type Tell = Box<dyn FnOnce() + Send>;

/// What can be asked of the owner.
pub(super) enum Ask {
    /// A command.
    Do(Command, Told<Reply>),
    /// A task, now or within a time.
    Acquire(Parked),
    /// A look; what it sees is told when it is stored.
    Look(Look),
    /// A signal at every change of a job.
    Watch(JobId, oneshot::Sender<watch::Receiver<u64>>),
    /// Where the event log ends, at every change.
    Log(oneshot::Sender<watch::Receiver<u64>>),
    /// Something of a session.
    Seat(SeatId, Word),
}

/// A worker that waits for a task.
pub(super) struct Parked {
    pub(super) worker: WorkerId,
    pub(super) until: Instant,
    pub(super) told: Told<Reply>,
}

/// How an owner is reached, and in whose name others write beside it.
#[derive(Clone)]
pub(super) struct Leading {
    pub(super) asks: mpsc::Sender<Ask>,
    /// What its auditor finds.
    pub(super) findings: Findings,
    pub(super) reign: Reign,
}

/// How an owner ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ended {
    /// Nobody can ask any more.
    Over,
    /// Another scheduler has the store.
    Deposed,
}

/// The core, its store, and who waits.
pub(super) struct Owner<S: Store> {
    state: State,
    /// Away while it writes.
    store: Option<S>,
    policy: Policy,
    clock: Clock,
    asks: mpsc::Receiver<Ask>,
    closing: watch::Receiver<bool>,
    parked: VecDeque<Parked>,
    seats: Seats,
    watched: HashMap<JobId, watch::Sender<u64>>,
    /// Leases whose worker hung up before it could be told.
    unheard: Vec<(WorkerId, LeaseToken)>,
    next_tick: Instant,
    tick: Duration,
    /// What is decided and not yet handed to the store.
    turn: Turn,
    /// Jobs whose rows the store is writing.
    writing: BTreeSet<JobId>,
    auditor: Auditor<S::View>,
    log: Log,
    /// Who counts and writes down what is stored.
    ear: Ear,
}

/// A turn on its way into the store.
type Writing<S> = Pin<Box<dyn Future<Output = Written<S>> + Send>>;

/// A turn that the store has written, or not.
struct Written<S: Store> {
    store: S,
    turn: Turn,
    result: Outcome<()>,
    /// What the auditor looks at then.
    look: Option<Audited<S::View>>,
}

/// The end of what is being written; never, while nothing is.
async fn written<S: Store>(writing: &mut Option<Writing<S>>) -> Written<S> {
    match writing {
        Some(writing) => writing.await,
        None => std::future::pending().await,
    }
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
    said: BTreeMap<SeatId, Said>,
    looks: Vec<Tell>,
    /// What the scheduler's own log says of it.
    news: Vec<Event>,
    /// Questions that it answers.
    questions: usize,
}

impl Turn {
    fn is_empty(&self) -> bool {
        self.changes.is_empty()
            && self.answers.is_empty()
            && self.said.is_empty()
            && self.looks.is_empty()
    }
}

impl<S: Store> Owner<S> {
    /// Reads the store and makes the core of it.
    pub(super) async fn open(
        mut store: S,
        policy: Policy,
        closing: watch::Receiver<bool>,
    ) -> Outcome<(Leading, Self)> {
        let clock = Clock::new();
        let (to, taken) = parts();
        let state = rebuild(policy, clock, taken, store.read(to)).await?;
        let log = Log::open(store.log_end().await?, clock.now());
        let (asks, inbox) = mpsc::channel(QUEUE);
        let reign = store.reign();
        let mut owner = Self {
            auditor: Auditor::new(&state, store.view()),
            state,
            store: Some(store),
            policy,
            clock,
            asks: inbox,
            closing,
            parked: VecDeque::new(),
            seats: Seats::default(),
            watched: HashMap::new(),
            unheard: Vec::new(),
            next_tick: Instant::now() + tick(&policy),
            tick: tick(&policy),
            turn: Turn::default(),
            writing: BTreeSet::new(),
            log,
            ear: Ear::default(),
        };
        owner.say_who_leads().await?;
        Ok((Leading { asks, findings: owner.auditor.findings(), reign }, owner))
    }

    /// The first word of an epoch in the event log.
    async fn say_who_leads(&mut self) -> Outcome<()> {
        let turn = self.close_turn();
        if let Some(store) = &mut self.store {
            store.commit(&turn.changes).await?;
        }
        self.announce(turn);
        Ok(())
    }

    /// Has accepted results counted.
    pub(super) fn count_in(&mut self, metrics: Arc<Metrics>) {
        self.ear.count_in(metrics);
    }

    /// Has the auditor look whenever it can.
    #[cfg(test)]
    pub(super) fn hurry_auditor(&mut self) {
        self.auditor.hurry();
    }

    /// Sends the workers of an earlier run home, whose end is known: what they
    /// had in hand waits again at once, and nobody is charged.
    pub(super) async fn dismiss_all(&mut self) -> Outcome<()> {
        for worker in self.state.workers() {
            self.decide(Command::Leave { worker: worker.id })?;
        }
        let turn = self.close_turn();
        match &mut self.store {
            Some(store) => store.commit(&turn.changes).await,
            None => Ok(()),
        }
    }

    /// Serves until nobody can ask any more, or another has the store.
    pub(super) async fn run(mut self) -> Ended {
        let mut asks = Vec::new();
        let (mut open, mut asked) = (true, true);
        let mut writing: Option<Writing<S>> = None;
        loop {
            let due = self.due();
            let room = asked && self.turn.questions < MOST;
            tokio::select! {
                done = written(&mut writing) => {
                    writing = None;
                    if let Err(ended) = self.written(done).await {
                        return ended;
                    }
                }
                count = self.asks.recv_many(&mut asks, TURN), if room => {
                    asked = count > 0;
                    self.gather(std::mem::take(&mut asks));
                }
                () = tokio::time::sleep_until(due) => self.gather(Vec::new()),
                _ = self.closing.changed(), if open => {
                    open = false;
                    self.seats.clear();
                    self.gather(Vec::new());
                }
            }
            if writing.is_none() {
                writing = self.write();
            }
            if !asked && writing.is_none() {
                return Ended::Over;
            }
        }
    }

    /// When something is to be done though nobody asks.
    fn due(&self) -> Instant {
        if !self.unheard.is_empty() {
            return Instant::now();
        }
        self.parked.iter().map(|p| p.until).fold(self.next_tick, Instant::min)
    }

    /// Decides what was asked, and what is due.
    fn gather(&mut self, asks: Vec<Ask>) {
        self.turn.questions += asks.len();
        let mut wake = false;
        for (worker, token) in std::mem::take(&mut self.unheard) {
            wake |= self.decided(Command::Release { worker, token }).1;
        }
        for ask in asks {
            match ask {
                Ask::Do(command, told) => {
                    let (reply, wakes) = self.decided(command);
                    wake |= wakes;
                    self.turn.answers.push((None, told, reply));
                }
                Ask::Acquire(parked) => self.try_acquire(parked),
                Ask::Seat(id, word) => wake |= self.hear(id, word),
                Ask::Look(look) => self.turn.looks.push(look(&self.state)),
                Ask::Watch(job, told) => self.watch(job, told),
                Ask::Log(told) => drop(told.send(self.log.watch())),
            }
        }
        let ticked = Instant::now() >= self.next_tick;
        if ticked {
            self.next_tick = Instant::now() + self.tick;
            wake |= self.decided(Command::Tick).1;
            for job in self.state.to_forget(FORGOTTEN) {
                tracing::info!(%job, "it ended longer ago than jobs are kept, and is forgotten");
                wake |= self.decided(Command::Forget(job)).1;
            }
        }
        if wake || ticked {
            for parked in std::mem::take(&mut self.parked) {
                self.try_acquire(parked);
            }
        }
        self.serve(wake || ticked);
        self.send_home();
    }

    fn watch(&mut self, job: JobId, told: oneshot::Sender<watch::Receiver<u64>>) {
        self.watched.retain(|_, signal| signal.receiver_count() > 0);
        let signal = self.watched.entry(job).or_insert_with(|| watch::channel(0).0);
        drop(told.send(signal.subscribe()));
    }

    fn decide(&mut self, command: Command) -> Outcome<Reply> {
        self.decided(command).0
    }

    /// The answer, and whether somebody who waits may get work by it.
    fn decided(&mut self, command: Command) -> (Outcome<Reply>, bool) {
        let asked = Asked::of(&command, &self.state);
        let cap = audit::cap_of(&command);
        let effects = self.state.step(command, self.clock.now());
        if let Some(cap) = cap {
            self.auditor.was_set(cap, &self.state);
        }
        self.log.news.tell(asked, &effects, &self.state);
        self.turn.changes.merge(effects.changes);
        (effects.reply, effects.wake)
    }

    /// All that is decided, and what is told of it.
    fn close_turn(&mut self) -> Turn {
        let mut turn = std::mem::take(&mut self.turn);
        turn.news = self.log.lines();
        turn.changes.events.extend(self.log.row(self.clock.now()));
        turn
    }

    /// Hands the turn to the store, or says it at once where there is nothing to store.
    fn write(&mut self) -> Option<Writing<S>> {
        let turn = self.close_turn();
        if turn.is_empty() {
            return None;
        }
        if turn.changes.is_empty() {
            self.announce(turn);
            return None;
        }
        let mut store = self.store.take()?;
        self.writing = turn.changes.jobs.keys().copied().collect();
        // What is expected now holds when this turn is stored, and nothing else is written meanwhile.
        let mut look = self.auditor.look(&self.state);
        Some(Box::pin(async move {
            let result = store.commit(&turn.changes).await;
            if let (Ok(()), Some(look)) = (&result, &mut look) {
                look.hold(&mut store).await;
            }
            Written { store, turn, result, look }
        }))
    }

    /// The store has written a turn, or not.
    async fn written(&mut self, done: Written<S>) -> Result<(), Ended> {
        let Written { store, turn, result, look } = done;
        self.store = Some(store);
        look.into_iter().for_each(|look| self.auditor.go_on(look));
        self.writing.clear();
        let Err(fault) = result else {
            self.announce(turn);
            return Ok(());
        };
        tracing::error!(%fault, "nothing of this turn was promised; reading the store again");
        // What was decided since follows from what is not stored.
        let later = std::mem::take(&mut self.turn);
        for turn in [turn, later] {
            for (_, told, _) in turn.answers {
                drop(told.send(Err(fault.clone())));
            }
            for id in turn.said.into_keys() {
                self.end_session(id, &fault);
            }
        }
        self.recover().await
    }

    /// Says what is stored.
    fn announce(&mut self, turn: Turn) {
        self.state.stored(&turn.changes);
        self.ear.hear(&turn.news, &turn.changes);
        if !self.watched.is_empty() {
            for job in turn.changes.jobs_touched() {
                if let Some(signal) = self.watched.get(&job) {
                    signal.send_modify(|version| *version += 1);
                }
            }
        }
        turn.said.into_iter().for_each(|(id, said)| self.say(id, said));
        for (worker, told, reply) in turn.answers {
            let unheard = told.send(reply).err();
            if let (Some(worker), Some(Ok(Reply::Acquired(Some(lease))))) = (worker, unheard) {
                self.unheard.push((worker, lease.token));
            }
        }
        turn.looks.into_iter().for_each(|tell| tell());
        if let Some(row) = turn.changes.events.last() {
            self.log.stored(row.last);
        }
    }
}
