//! The world around the core: time, the network, the disk and the client.

use super::Rng;
use super::fake::{Fake, Timer};
use super::ledger::Tally;
use super::script::{Break, Bug, Script};
use crate::core::{Changes, Command, Reply, State, Verdict};
use crate::store::memory::Disk;
use platefarm_model::job::FrameOutcome;
use platefarm_model::{Code, Fault, JobId, LeaseToken, Outcome, StepId, Timestamp};
use std::collections::{BTreeMap, BTreeSet};

/// Who speaks: a worker, or the client.
type Node = Option<usize>;

#[derive(Debug)]
enum Event {
    Arrives(Node, u64, Command),
    Answers(Node, u64, u64, Outcome<Reply>),
    Flush(u64),
    Tick(u64),
    SchedulerStarts,
    WorkerStarts(usize),
    Timer(usize, u64, Timer),
    Breaks(Break),
    ClientAsks(usize),
}

/// One farm from its first to its last moment.
pub(super) struct World {
    pub(super) rng: Rng,
    pub(super) script: Script,
    pub(super) now: i64,
    pub(super) workers: Vec<Fake>,
    pub(super) tally: Tally,
    /// Whether to say what happens.
    pub(super) trace: bool,
    events: BTreeMap<(i64, u64), Event>,
    numbers: u64,
    pub(super) bug: Option<Bug>,
    /// The scheduler's memory, and what it has not yet stored and said.
    core: Option<State>,
    epoch: u64,
    turn: Changes,
    answers: Vec<(Node, u64, u64, Command, Outcome<Reply>)>,
    flushing: bool,
    next_commit: Option<bool>,
    pub(super) disk: Disk,
    /// Promises that were heard.
    pub(super) jobs: BTreeMap<usize, JobId>,
    pub(super) granted: BTreeMap<(StepId, i64), LeaseToken>,
    pub(super) published: BTreeMap<(StepId, i64), LeaseToken>,
    pub(super) cancelled: BTreeSet<usize>,
}

impl World {
    pub(super) fn new(seed: u64, bug: Option<Bug>) -> Self {
        let mut rng = Rng::new(seed);
        let script = Script::new(&mut rng);
        let mut world = Self {
            workers: (0..script.workers).map(|_| Fake::default()).collect(),
            rng,
            now: 0,
            tally: Tally::default(),
            trace: false,
            events: BTreeMap::new(),
            numbers: 0,
            bug,
            core: None,
            epoch: 0,
            turn: Changes::default(),
            answers: Vec::new(),
            flushing: false,
            next_commit: None,
            disk: Disk::default(),
            jobs: BTreeMap::new(),
            granted: BTreeMap::new(),
            published: BTreeMap::new(),
            cancelled: BTreeSet::new(),
            script,
        };
        world.later(0, Event::SchedulerStarts);
        (0..world.workers.len()).for_each(|at| world.start_worker_in(at, at as i64 * 37));
        for at in 0..world.script.jobs.len() {
            let time = world.rng.between(0, 20_000);
            world.later(time, Event::ClientAsks(at));
        }
        for (time, what) in world.script.breaks.clone() {
            world.later(time, Event::Breaks(what));
        }
        world
    }

    /// Runs to the end, or to the first promise that is broken.
    pub(super) fn run(mut self) -> Result<Tally, String> {
        while let Some(((time, _), event)) = self.events.pop_first() {
            self.now = time;
            if self.trace {
                println!("{time:>8} {event:?}");
            }
            self.happens(event)?;
            if self.is_over() {
                return self.last_checks();
            }
            if self.now > self.script.end {
                break;
            }
        }
        let jobs = self.core.as_ref().map(|core| core.jobs(false));
        Err(format!("it does not end: {jobs:?}"))
    }

    fn happens(&mut self, event: Event) -> Result<(), String> {
        match event {
            Event::Arrives(from, number, command) => self.decide(from, number, command),
            Event::Answers(to, incarnation, number, reply) => {
                self.hears(to, incarnation, number, reply)
            }
            Event::Flush(epoch) if epoch == self.epoch => self.flush(),
            Event::Tick(epoch) if epoch == self.epoch => {
                self.later(500, Event::Tick(epoch));
                match self.bug {
                    Some(Bug::TimeStandsStill) => Ok(()),
                    _ => self.decide(None, 0, Command::Tick),
                }
            }
            Event::SchedulerStarts => self.scheduler_starts(),
            Event::WorkerStarts(at) => {
                self.worker_starts(at);
                Ok(())
            }
            Event::Timer(at, incarnation, timer) => {
                let worker = &self.workers[at];
                if worker.up && worker.incarnation == incarnation {
                    self.timer(at, timer)
                } else {
                    Ok(())
                }
            }
            Event::Breaks(what) => self.breaks(what),
            Event::ClientAsks(at) => {
                self.client_asks(at);
                Ok(())
            }
            Event::Flush(_) | Event::Tick(_) => Ok(()),
        }
    }

    // Time and the network.

    fn later(&mut self, millis: i64, event: Event) {
        let number = self.number();
        self.events.insert((self.now + millis.max(0), number), event);
    }

    pub(super) fn number(&mut self) -> u64 {
        self.numbers += 1;
        self.numbers
    }

    pub(super) fn set_timer(&mut self, at: usize, millis: i64, timer: Timer) {
        self.later(millis, Event::Timer(at, self.workers[at].incarnation, timer));
    }

    pub(super) fn start_worker_in(&mut self, at: usize, millis: i64) {
        self.later(millis, Event::WorkerStarts(at));
    }

    /// When copies of a message arrive: none, one or two, soon or late.
    fn travel(&mut self, node: Node) -> Vec<i64> {
        let cut_off = node.is_some_and(|at| self.workers[at].cut_off > self.now);
        let stormy = self.now < self.script.calm;
        if cut_off || (stormy && self.rng.chance(4)) {
            self.tally.lost_messages += 1;
            return Vec::new();
        }
        let copies = if stormy && self.rng.chance(4) { 2 } else { 1 };
        self.tally.doubled_messages += copies - 1;
        let late = |rng: &mut Rng| match stormy && rng.chance(3) {
            true => rng.between(100, 20_000),
            false => rng.between(1, 30),
        };
        (0..copies).map(|_| late(&mut self.rng)).collect()
    }

    pub(super) fn send_to_scheduler(&mut self, from: Node, number: u64, command: Command) {
        for millis in self.travel(from) {
            self.later(millis, Event::Arrives(from, number, command.clone()));
        }
    }

    fn send_to_node(&mut self, to: Node, incarnation: u64, number: u64, reply: &Outcome<Reply>) {
        for millis in self.travel(to) {
            self.later(millis, Event::Answers(to, incarnation, number, reply.clone()));
        }
    }

    // The scheduler.

    fn scheduler_starts(&mut self) -> Result<(), String> {
        self.epoch += 1;
        self.flushing = false;
        let time = Timestamp(self.now * 1000);
        let stored = self.disk.rows.clone();
        let core = State::restore(self.script.policy, stored, time).map_err(|f| f.to_string())?;
        self.core = Some(core);
        self.later(500, Event::Tick(self.epoch));
        self.check_ledger()
    }

    fn decide(&mut self, from: Node, number: u64, command: Command) -> Result<(), String> {
        let Some(core) = self.core.as_mut() else { return Ok(()) };
        let mut heeded = command.clone();
        if self.bug == Some(Bug::TokensUnchecked) {
            heeded = trusting(core, heeded);
        }
        let effects = core.step(heeded, Timestamp(self.now * 1000));
        if !effects.changes.is_empty() {
            core.check_invariants()?;
        }
        self.turn.merge(effects.changes);
        let incarnation = from.map_or(0, |at| self.workers[at].incarnation);
        if self.bug == Some(Bug::AnsweredBeforeStored) {
            self.say(from, incarnation, number, &command, &effects.reply);
        } else if number > 0 {
            self.answers.push((from, incarnation, number, command, effects.reply));
        }
        if !self.flushing {
            self.flushing = true;
            let millis = self.rng.between(0, 25);
            self.later(millis, Event::Flush(self.epoch));
        }
        Ok(())
    }

    /// One transaction for all that was decided, then the answers.
    fn flush(&mut self) -> Result<(), String> {
        self.flushing = false;
        let turn = std::mem::take(&mut self.turn);
        let answers = std::mem::take(&mut self.answers);
        match self.next_commit.take() {
            None => self.disk.commit(&turn).map_err(|fault| fault.to_string())?,
            Some(written) => {
                self.tally.failed_commits += 1;
                if written {
                    self.disk.commit(&turn).map_err(|fault| fault.to_string())?;
                }
                let failed = Err(Fault::new(Code::StoreFailed, "planned"));
                for (to, incarnation, number, ..) in answers {
                    self.send_to_node(to, incarnation, number, &failed);
                }
                return self.scheduler_starts();
            }
        }
        if !turn.is_empty() {
            let mut stored = self.disk.rows.clone();
            stored.workers.retain(|_, worker| !worker.gone);
            if self.core.as_ref().is_some_and(|core| core.snapshot() != stored) {
                return Err("the core is not what is stored".into());
            }
        }
        for (to, incarnation, number, command, reply) in answers {
            self.say(to, incarnation, number, &command, &reply);
        }
        Ok(())
    }

    /// An answer leaves the house: from here on it is a promise.
    fn say(
        &mut self,
        to: Node,
        incarnation: u64,
        number: u64,
        command: &Command,
        reply: &Outcome<Reply>,
    ) {
        if let (Command::Report { token, outcomes, .. }, Ok(Reply::Reported { verdicts, .. })) =
            (command, reply)
        {
            let step = self.step_of(*token);
            for (outcome, verdict) in outcomes.iter().zip(verdicts) {
                if let (Some(step), FrameOutcome::Done(result), Verdict::Granted) =
                    (step, outcome, verdict)
                {
                    self.granted.insert((step, result.frame), *token);
                }
            }
        }
        self.send_to_node(to, incarnation, number, reply);
    }

    pub(super) fn step_of(&self, token: LeaseToken) -> Option<StepId> {
        let known = self.disk.rows.leases.get(&token).or_else(|| self.turn.leases.get(&token));
        known.map(|lease| lease.step)
    }

    fn breaks(&mut self, what: Break) -> Result<(), String> {
        match what {
            Break::SchedulerDies if self.core.is_some() => {
                self.tally.scheduler_deaths += 1;
                self.core = None;
                self.epoch += 1;
                self.answers.clear();
                let turn = std::mem::take(&mut self.turn);
                // It died while it wrote: all of the transaction, or nothing.
                if self.rng.chance(50) {
                    self.disk.commit(&turn).map_err(|fault| fault.to_string())?;
                }
                let pause = self.rng.between(50, 15_000);
                self.later(pause, Event::SchedulerStarts);
            }
            Break::WorkerDies(at) if self.workers[at].up => self.worker_dies(at),
            Break::Partition(at, millis) => self.workers[at].cut_off = self.now + millis,
            Break::CommitFails(written) => self.next_commit = Some(written),
            Break::Cancel(at) => {
                let number = self.number();
                if let Some(job) = self.jobs.get(&at) {
                    self.cancelled.insert(at);
                    let job = *job;
                    self.send_to_scheduler(None, number, Command::Cancel(job));
                }
            }
            Break::SchedulerDies | Break::WorkerDies(_) => {}
        }
        Ok(())
    }

    // The client.

    /// Hands a job in, again and again until it is told that it was accepted.
    fn client_asks(&mut self, at: usize) {
        if !self.jobs.contains_key(&at) {
            let spec = Box::new(self.script.jobs[at].clone());
            // The number says which job an answer is about.
            self.send_to_scheduler(None, u64::MAX - at as u64, Command::Submit(spec));
            self.later(1_000, Event::ClientAsks(at));
        }
    }

    fn hears(
        &mut self,
        to: Node,
        incarnation: u64,
        number: u64,
        reply: Outcome<Reply>,
    ) -> Result<(), String> {
        if let Some(at) = to {
            let worker = &self.workers[at];
            let reached = worker.up && worker.incarnation == incarnation;
            return if reached { self.worker_hears(at, number, reply) } else { Ok(()) };
        }
        if let Ok(Reply::Submitted { job, .. }) = reply {
            let at = (u64::MAX - number) as usize;
            if *self.jobs.entry(at).or_insert(job) != job {
                return Err(format!("job {at} was acknowledged as two jobs"));
            }
        }
        Ok(())
    }

    fn is_over(&self) -> bool {
        self.jobs.len() == self.script.jobs.len()
            && self.now > self.script.calm
            && self.turn.is_empty()
            && self.disk.rows.jobs.values().all(|job| job.finished.is_some())
    }
}

/// The planted bug: a report counts for whoever holds its frames.
fn trusting(core: &State, command: Command) -> Command {
    let Command::Report { worker, token, outcomes } = command else { return command };
    let step = core.snapshot().leases.get(&token).map(|lease| lease.step);
    let frame = outcomes.first().map(FrameOutcome::frame);
    let holder = core.snapshot().leases.into_values().find(|lease| {
        Some(lease.step) == step && frame.is_some_and(|frame| lease.keep.contains(frame))
    });
    match holder {
        Some(holder) => Command::Report { worker: holder.worker, token: holder.token, outcomes },
        None => Command::Report { worker, token, outcomes },
    }
}
