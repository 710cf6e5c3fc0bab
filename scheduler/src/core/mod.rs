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
mod command;
mod job;
mod lease;
mod part;
mod policy;
mod restore;
mod rows;
mod spans;
mod view;
mod worker;

#[cfg(test)]
mod tests;

pub use command::{Command, Effects, Granted, Reply, Verdict};
pub use policy::Policy;
pub use rows::{
    Changes, FrameRow, JobRow, LeaseRow, Loss, SettingKey, Snapshot, StepControl, StepState,
    Trouble, WorkerRow,
};
pub use spans::SpanMap;

use job::Job;
use lease::LeaseCell;
use platefarm_model::farm::Setting;
use platefarm_model::{Code, Fault, JobId, LeaseToken, Outcome, StepId, Timestamp, WorkerId};
use policy::Rank;
use std::collections::{BTreeMap, BTreeSet, HashMap};
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
}

/// The farm as it is now.
#[derive(Clone, Debug)]
pub struct State {
    policy: Policy,
    /// The latest time that was told; it never goes back.
    now: Timestamp,
    last_tick: Timestamp,
    jobs: BTreeMap<JobId, Job>,
    keys: HashMap<String, JobId>,
    /// Live and ended.
    leases: BTreeMap<LeaseToken, LeaseCell>,
    /// Alive and lost; those that left are gone from here.
    workers: BTreeMap<WorkerId, Worker>,
    instances: HashMap<String, WorkerId>,
    /// What people set up.
    settings: BTreeMap<SettingKey, Setting>,
    /// Steps that have a frame to lease now, in the order of work.
    ready: BTreeSet<Rank>,
    /// Workers that are alive, and their slots.
    alive: u64,
    alive_slots: u64,
    next_job: u64,
    next_worker: u64,
    next_token: u64,
    counters: Counters,
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
            settings: BTreeMap::new(),
            ready: BTreeSet::new(),
            alive: 0,
            alive_slots: 0,
            next_job: 1,
            next_worker: 1,
            // Tokens begin at the microsecond of the start: one that was given
            // out from a store that is lost, or from behind the copy that it
            // was restored from, can never be given out again. A lease for each
            // microsecond is out of reach, so the clock stays ahead.
            next_token: now.0.max(1).unsigned_abs(),
            counters: Counters::default(),
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
        let reply = match command {
            Command::Submit(spec) => self.submit(*spec, &mut fx),
            Command::Cancel(job) => self.cancel(job, &mut fx),
            Command::Register { name, instance, slots, backend, traits } => {
                self.register(name, instance, slots, backend, traits, &mut fx)
            }
            Command::Acquire { worker } => self.acquire(worker, &mut fx),
            Command::Report { worker, token, outcomes } => {
                Ok(self.report(worker, token, outcomes, &mut fx))
            }
            Command::Heartbeat { worker, tokens } => self.heartbeat(worker, tokens),
            Command::Release { worker, token } => self.release(worker, token, &mut fx),
            Command::Leave { worker } => self.leave(worker, &mut fx),
            Command::Tick => self.tick(&mut fx),
        };
        #[cfg(debug_assertions)]
        for lease in fx.changes.leases.values() {
            if let Err(broken) = self.check_step(lease.step) {
                debug_assert!(false, "{broken}");
            }
        }
        Effects { reply, changes: fx.changes, wake: fx.wake }
    }

    fn job_mut(&mut self, id: JobId) -> Outcome<&mut Job> {
        self.jobs.get_mut(&id).ok_or_else(|| unknown_job(id))
    }

    /// The books of a step whose frames moved: its place in the order of
    /// work, and whether it and its job are settled now.
    fn refresh(&mut self, id: StepId, fx: &mut Fx) {
        let Some(job) = self.jobs.get_mut(&id.job) else { return };
        let rank = Rank::new(job.row.priority, id);
        let step = &job.steps[id.index as usize];
        if !job.row.cancelled && step.is_ready() {
            fx.wake = true;
            self.ready.insert(rank);
        } else {
            self.ready.remove(&rank);
        }
        let Some(unblocked) = job.settle(id.index) else { return };
        for index in unblocked {
            let step = StepId { job: id.job, index };
            if !job.row.cancelled && job.steps[index as usize].is_ready() {
                fx.wake = true;
                self.ready.insert(Rank::new(job.row.priority, step));
            }
        }
        if job.unsettled == 0 && job.row.finished.is_none() {
            job.row.finished = Some(self.now);
            fx.changes.jobs.insert(id.job, job.row.clone());
        }
    }
}

/// What a command gathers on its way.
#[derive(Debug, Default)]
struct Fx {
    changes: Changes,
    wake: bool,
}

fn unknown_job(id: JobId) -> Fault {
    Fault::new(Code::UnknownJob, format!("there is no job {id}"))
}

fn unknown_worker(id: WorkerId) -> Fault {
    Fault::new(Code::UnknownWorker, format!("worker {id} is not registered"))
}
