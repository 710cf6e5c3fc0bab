//! Who does what next, decided purely.
//!
//! [`State::step`] takes a command and the time and returns what follows. It
//! reads no clock, draws no random number, and touches no file or socket, so
//! the same code runs in production, in unit tests, and in the simulation of
//! a farm under crashes. Whoever drives it must store the [`Changes`] before
//! anything of the reply leaves the house: durable before acknowledged.
//!
//! State is intervals: a step keeps its frames as sets of ranges that
//! partition it exactly into pending, leased, done and failed, so a million
//! frames cost a handful of ranges. Only leases are objects.

mod audit;
mod capacity;
mod claims;
mod clock;
mod command;
mod control;
mod depend;
mod dispatch;
mod explain;
mod fit;
mod job;
mod lease;
mod list;
mod load;
mod losses;
mod news;
mod numbers;
mod part;
mod policy;
mod queue;
mod restore;
mod rows;
mod settings;
mod slots;
mod spans;
mod tally;
mod view;
mod whatif;
mod worker;
mod yielding;

#[cfg(test)]
pub(crate) mod tests;

pub use audit::{Cap, Over};
pub use capacity::{Study, Wanted};
pub use command::{Command, Effects, Granted, Pulse, Reply, Verdict};
pub use list::Listed;
pub use news::{Asked, News};
pub use part::{Part, Steps};
pub use policy::Policy;
pub use queue::QueueAt;
pub use restore::Rebuild;
pub(crate) use restore::torn;
pub use rows::{
    Author, Changes, EventRow, FrameRow, JobRow, LeaseRow, Loss, Marks, SettingKey, Snapshot,
    StepControl, StepState, Trouble, WorkerRow,
};
pub use spans::SpanMap;
pub use tally::{OpenFrames, Sums};

use depend::Followers;
use job::{Job, Step};
use lease::LeaseCell;
use load::Lately;
use numbers::Numbers;
use platefarm_model::farm::Target;
use platefarm_model::{Code, Fault, JobId, LeaseToken, StepId, Timestamp, WorkerId};
use queue::Queue;
use settings::{Evidence, Settings, Show};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::OnceLock;
use tally::Tally;
use worker::Worker;

/// What was counted since the core was made.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counters {
    /// Leases granted.
    pub leases: u64,
    /// Frames accepted.
    pub granted: u64,
    /// Reports repeated by the holder of the frame.
    pub duplicates: u64,
    /// Reports refused: the token was stale or the frame not in the lease.
    pub refused: u64,
    /// Leases that ended with their worker.
    pub lost: u64,
    /// Leases that ended because nobody renewed them.
    pub expired: u64,
    /// Leases whose holder was asked for frames back.
    pub asked_back: u64,
    /// Of those, for work of a higher class.
    pub yielded: u64,
    /// Frames that holders gave back unbegun.
    pub returned: u64,
    /// Frames taken away for making no progress, or taking too long.
    pub hung: u64,
    /// Nodes quarantined.
    pub quarantined: u64,
}

/// The farm as it is now.
#[derive(Clone, Debug)]
pub struct State {
    policy: Policy,
    /// The latest time that was told; it never goes back.
    now: Timestamp,
    last_tick: Timestamp,
    // Each in a box: a tree keeps room for values that never come, and a job is large.
    jobs: BTreeMap<JobId, Box<Job>>,
    keys: HashMap<String, JobId>,
    /// Live and ended.
    leases: BTreeMap<LeaseToken, LeaseCell>,
    /// Alive and lost.
    workers: BTreeMap<WorkerId, Worker>,
    instances: HashMap<String, WorkerId>,
    /// Of each set of needs, by number, the first workers that are open to it, once somebody asked.
    open_to: Vec<OnceLock<Vec<WorkerId>>>,
    /// What people set up.
    settings: Settings,
    /// What could be leased now, in the order of work.
    queue: Queue,
    shows: Vec<Show>,
    show_ids: Numbers<String>,
    limits_used: BTreeMap<String, u64>,
    /// Who waits for whom.
    followers: Followers,
    /// Jobs that begin later, steps whose time runs out, jobs that ended.
    due_jobs: BTreeSet<(Timestamp, JobId)>,
    due_steps: BTreeSet<(Timestamp, StepId)>,
    ended_jobs: BTreeSet<(Timestamp, JobId)>,
    /// Up to where those are compacted.
    compacted: Option<(Timestamp, JobId)>,
    /// Ids of which nothing else is kept.
    marks: Marks,
    /// Live leases that could be shortened, by when they will end.
    ends: BTreeSet<(Timestamp, LeaseToken)>,
    /// Live leases by class.
    tasks_by_class: [u64; 3],
    /// What is known against nodes, by name.
    evidence: BTreeMap<String, Evidence>,
    /// Leases granted since one went to what had waited too long.
    dealt: u64,
    /// Workers that are alive, and their slots by class.
    alive: u64,
    slots_by_class: [u64; 2],
    next_job: u64,
    next_worker: u64,
    next_token: u64,
    /// The last lease of which this core knows that it is stored.
    stored_token: Option<LeaseToken>,
    counters: Counters,
    /// Results that were accepted lately.
    lately: Lately,
    /// Sums over all jobs.
    tally: Tally,
}

impl State {
    /// An empty farm.
    #[must_use]
    pub fn new(policy: Policy, now: Timestamp) -> Self {
        Self {
            policy,
            now,
            last_tick: now,
            jobs: BTreeMap::new(),
            keys: HashMap::new(),
            leases: BTreeMap::new(),
            workers: BTreeMap::new(),
            instances: HashMap::new(),
            open_to: Vec::new(),
            settings: Settings::new(),
            queue: Queue::default(),
            shows: Vec::new(),
            show_ids: Numbers::default(),
            limits_used: BTreeMap::new(),
            followers: Followers::default(),
            due_jobs: BTreeSet::new(),
            due_steps: BTreeSet::new(),
            ended_jobs: BTreeSet::new(),
            compacted: None,
            marks: Marks::default(),
            ends: BTreeSet::new(),
            tasks_by_class: [0; 3],
            evidence: BTreeMap::new(),
            dealt: 0,
            alive: 0,
            slots_by_class: [0; 2],
            next_job: 1,
            next_worker: 1,
            // Tokens begin at the microsecond of the start: one that was given
            // out from a store that is lost, or from behind the copy that it
            // was restored from, can never be given out again. A lease for each
            // microsecond is out of reach, so the clock stays ahead.
            next_token: now.0.max(1).unsigned_abs(),
            stored_token: None,
            counters: Counters::default(),
            lately: Lately::new(now),
            tally: Tally::default(),
        }
    }

    /// What was counted since the core was made.
    #[must_use]
    pub const fn counters(&self) -> Counters {
        self.counters
    }

    /// Carries out a command at the time `now`; a time before the last one counts as the last one.
    pub fn step(&mut self, command: Command, now: Timestamp) -> Effects {
        self.now = self.now.max(now);
        let mut fx = Fx::default();
        self.begin_what_is_due(&mut fx);
        let reply = match command {
            Command::Submit(spec) => self.submit(*spec, &mut fx),
            Command::Control(target, control) => self.control(target, control, &mut fx),
            Command::Node(worker, control) => self.control_node(worker, control, &mut fx),
            Command::Set(kind, name, value) => self.set(kind, name, value, &mut fx),
            Command::Forget(job) => self.forget(job, &mut fx),
            Command::Register { name, instance, slots, backend, traits } => {
                self.register(name, instance, slots, backend, traits, &mut fx)
            }
            Command::Acquire { worker } => self.acquire(worker, &mut fx),
            Command::Report { worker, token, outcomes, last } => {
                Ok(self.report(worker, token, outcomes, last, &mut fx))
            }
            Command::Heartbeat { worker, leases } => self.heartbeat(worker, &leases, &mut fx),
            Command::Release { worker, token } => self.release(worker, token, &mut fx),
            Command::Leave { worker } => self.leave(worker, &mut fx),
            Command::Tick => self.tick(&mut fx),
        };
        if self.queue.news.take().is_some_and(|class| self.is_above_what_runs(class)) {
            self.yield_capacity();
        }
        self.book_steps(&mut fx);
        self.tally.note(&fx.changes);
        #[cfg(debug_assertions)]
        for lease in fx.changes.leases.values() {
            if let Err(broken) = self.check_step(lease.step) {
                debug_assert!(false, "{broken}");
            }
        }
        Effects { reply, changes: fx.changes, wake: fx.wake, lost: fx.lost }
    }

    /// Has each step stored whose row a command changed, once: a report may have thousands of
    /// frames that failed, and the row says them all.
    fn book_steps(&self, fx: &mut Fx) {
        for id in std::mem::take(&mut fx.touched) {
            if let Some(step) = self.at(id) {
                fx.changes.steps.insert(id, step.state.row());
            }
        }
    }

    fn step_of(&self, id: StepId) -> Option<(&Job, &Step)> {
        let job = self.jobs.get(&id.job)?;
        Some((job, job.steps.get(id.index as usize)?))
    }

    fn at(&self, id: StepId) -> Option<&Step> {
        self.step_of(id).map(|(_, step)| step)
    }

    /// Whether something of a lower class runs.
    fn is_above_what_runs(&self, class: platefarm_model::farm::PriorityClass) -> bool {
        self.tasks_by_class[..class as usize].iter().any(|tasks| *tasks > 0)
    }

    /// The books of a step whose frames or holds changed: its place in the
    /// order of work, and whether it and its job are settled now.
    fn refresh(&mut self, id: StepId, fx: &mut Fx) {
        let now = self.now;
        let Some(job) = self.jobs.get_mut(&id.job) else { return };
        let Some(step) = job.steps.get(id.index as usize) else { return };
        let wanted = job.wanted(step, now);
        if wanted.is_some() && wanted != step.queued {
            fx.wake = true;
        }
        self.queue.place(job, id.index, wanted, now);
        let Some(unblocked) = job.settle(id.index) else { return };
        for index in unblocked {
            let step = &job.steps[index as usize];
            let wanted = job.wanted(step, now);
            fx.wake |= wanted.is_some();
            self.queue.place(job, index, wanted, now);
        }
        let ended = job.unsettled == 0 && job.row.finished.is_none();
        if ended {
            job.row.finished = Some(now);
            fx.changes.jobs.insert(id.job, job.row.clone());
            self.ended_jobs.insert((now, id.job));
        }
        let job = ended.then_some(Target::Job(id.job));
        self.settled_changed([Target::Step(id)].into_iter().chain(job), fx);
    }
}

/// What a command gathers on its way.
#[derive(Debug, Default)]
struct Fx {
    changes: Changes,
    /// Steps whose row changed.
    touched: BTreeSet<StepId>,
    wake: bool,
    lost: Vec<WorkerId>,
}

pub(crate) fn unknown_job(id: JobId) -> Fault {
    Fault::new(Code::UnknownJob, format!("there is no job {id}"))
}

fn unknown_worker(id: WorkerId) -> Fault {
    Fault::new(Code::UnknownWorker, format!("worker {id} is not registered"))
}
