//! The world around the programs: time, the network, the client and the
//! people, and what breaks.

use super::bugs::Bug;
use super::disk::Disk;
use super::ledger::Tally;
use super::oracle::Turns;
use super::rng::Rng;
use super::script::{Break, Script};
use super::worker::{Node, Timer};
use platefarm_model::farm::{Control, Target};
use platefarm_model::{JobId, LeaseToken, Outcome, StepId, Timestamp};
use platefarm_scheduler::core::{Changes, Command, Reply, State};
use std::collections::{BTreeMap, BTreeSet};

/// Who speaks: a worker, or the client.
pub(crate) type Place = Option<usize>;

/// An answer, to whom, to which of its processes, to which of its questions.
pub(crate) type Answer = (Place, u64, u64, Command, Outcome<Reply>);

#[derive(Debug)]
pub(crate) enum Event {
    Arrives(Place, u64, Command),
    Answers(Place, u64, u64, Outcome<Reply>),
    Flush(u64),
    Flushed(u64),
    Tick(u64),
    SchedulerStarts,
    WorkerStarts(usize),
    Timer(usize, u64, Timer),
    Breaks(Break),
    ClientAsks(usize),
    /// What a scheduler of that epoch wrote comes to the store.
    LateCommit(u64, Box<Changes>),
    /// People make their peace: whatever they held goes on.
    PeopleRelent,
    /// A person asks for a job to be forgotten, until it is.
    Forgets(usize, bool),
}

/// One farm from its first to its last moment.
pub struct World {
    pub(crate) rng: Rng,
    pub(crate) script: Script,
    pub(crate) now: i64,
    pub(crate) nodes: Vec<Node>,
    pub(crate) tally: Tally,
    /// Whether to say what happens.
    pub(crate) trace: bool,
    pub(crate) bug: Option<Bug>,
    events: BTreeMap<(i64, u64), Event>,
    numbers: u64,
    /// By question, when a worker's own clock sent it.
    pub(crate) sent_at: BTreeMap<u64, u64>,
    /// The scheduler's memory, and what it has not yet stored and said.
    pub(crate) core: Option<State>,
    pub(crate) epoch: u64,
    /// The epoch of the store that it leads in.
    pub(crate) led: u64,
    /// How far the clock of the machine that it runs on is off.
    pub(crate) skew: i64,
    pub(crate) turn: Changes,
    pub(crate) answers: Vec<Answer>,
    /// The turn that is being written, and who waits for it.
    pub(crate) writing: Option<(Changes, Vec<Answer>)>,
    pub(crate) next_commit: Option<bool>,
    pub(crate) slow: i64,
    /// Until when the store cannot be reached, and whether a scheduler waits for it.
    pub(crate) store_cut: i64,
    pub(crate) waits_for_store: bool,
    pub(crate) disk: Disk,
    /// Promises that were heard.
    pub(crate) jobs: BTreeMap<usize, JobId>,
    /// How often a job was handed in anew after it was forgotten.
    pub(crate) anew: BTreeMap<usize, u64>,
    /// Jobs that people asked to have forgotten, and those that they were told are.
    pub(crate) to_forget: BTreeSet<JobId>,
    pub(crate) forgotten: BTreeSet<JobId>,
    pub(crate) granted: BTreeMap<(StepId, i64), LeaseToken>,
    pub(crate) published: BTreeMap<(StepId, i64), LeaseToken>,
    pub(crate) pools: BTreeSet<String>,
    /// What people touched: the jobs that they cancelled, and those that they levelled.
    pub(crate) cancelled: BTreeSet<usize>,
    pub(crate) levelled: BTreeSet<usize>,
    /// When a job came, and when a step was last leased from; whose turn it was.
    pub(crate) came_at: BTreeMap<JobId, i64>,
    pub(crate) leased_at: BTreeMap<StepId, i64>,
    pub(crate) turns: Turns,
    /// Of a planted bug: what was refused once.
    pub(crate) refused: BTreeSet<(LeaseToken, i64)>,
}

impl World {
    /// The farm of `seed`, right or with a bug planted on purpose.
    #[must_use]
    pub fn new(seed: u64, bug: Option<Bug>) -> Self {
        let mut rng = Rng::new(seed);
        let script = Script::new(&mut rng);
        let levels = |(_, what): &(i64, Break)| match what {
            Break::Person(at, _, Control::Priority { .. }) => Some(*at),
            _ => None,
        };
        let levelled = script.breaks.iter().filter_map(levels).collect();
        let mut world = Self {
            nodes: script.workers.iter().map(|_| Node::default()).collect(),
            rng,
            now: 0,
            tally: Tally::default(),
            trace: false,
            bug,
            events: BTreeMap::new(),
            numbers: 0,
            sent_at: BTreeMap::new(),
            core: None,
            epoch: 0,
            led: 0,
            skew: 0,
            turn: Changes::default(),
            answers: Vec::new(),
            writing: None,
            next_commit: None,
            slow: 0,
            store_cut: 0,
            waits_for_store: false,
            disk: Disk::new(bug),
            jobs: BTreeMap::new(),
            anew: BTreeMap::new(),
            to_forget: BTreeSet::new(),
            forgotten: BTreeSet::new(),
            granted: BTreeMap::new(),
            published: BTreeMap::new(),
            pools: BTreeSet::new(),
            cancelled: BTreeSet::new(),
            levelled,
            came_at: BTreeMap::new(),
            leased_at: BTreeMap::new(),
            turns: Turns::default(),
            refused: BTreeSet::new(),
            script,
        };
        for (name, setting) in &world.script.settings {
            let key = (setting.kind(), (*name).to_owned());
            let first = world.disk.rows.settings.insert(key, setting.clone());
            debug_assert!(first.is_none(), "each is set once");
        }
        world.later(0, Event::SchedulerStarts);
        (0..world.nodes.len()).for_each(|at| world.start_worker_in(at, at as i64 * 37));
        for at in 0..world.script.jobs.len() {
            let time = world.rng.between(0, 20_000);
            world.later(time, Event::ClientAsks(at));
        }
        for (time, what) in world.script.breaks.clone() {
            world.later(time, Event::Breaks(what));
        }
        let calm = world.script.calm;
        world.later(calm + 1, Event::PeopleRelent);
        world
    }

    /// Says what happens, as it happens, on the standard output.
    #[must_use]
    pub fn traced(mut self) -> Self {
        self.trace = true;
        self
    }

    /// Runs to the end, or to the first promise that is broken.
    pub fn run(mut self) -> Result<Tally, String> {
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
        let jobs = self.core.as_ref().map(|core| core.jobs(true));
        let why = |core: &State| -> Vec<_> {
            core.jobs(true).iter().map(|job| core.explain(Target::Job(job.id))).collect()
        };
        let why = self.core.as_ref().map(why);
        Err(format!("it does not end: {jobs:?} {why:?}"))
    }

    fn happens(&mut self, event: Event) -> Result<(), String> {
        match event {
            Event::Arrives(from, number, command) => self.decide(from, number, command),
            Event::Answers(to, incarnation, number, reply) => {
                self.hears(to, incarnation, number, reply)
            }
            Event::Flush(epoch) if epoch == self.epoch => self.flush(),
            Event::Flushed(epoch) if epoch == self.epoch => self.flushed(),
            Event::Tick(epoch) if epoch == self.epoch => {
                self.later(500, Event::Tick(epoch));
                match self.bug {
                    Some(Bug::TimeStandsStill) => Ok(()),
                    _ => self.tick(),
                }
            }
            Event::SchedulerStarts => self.scheduler_starts(),
            Event::WorkerStarts(at) => {
                if !self.nodes[at].up {
                    self.worker_starts(at);
                }
                Ok(())
            }
            Event::Timer(at, incarnation, timer) => {
                let node = &self.nodes[at];
                if node.up && node.incarnation == incarnation {
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
            Event::LateCommit(epoch, changes) => self.late_commit(epoch, &changes),
            Event::PeopleRelent => {
                self.people_relent();
                Ok(())
            }
            Event::Forgets(at, again) => {
                self.forgets(at, again);
                Ok(())
            }
            Event::Flush(_) | Event::Flushed(_) | Event::Tick(_) => Ok(()),
        }
    }

    // Time and the network.

    pub(crate) fn later(&mut self, millis: i64, event: Event) {
        let number = self.number();
        self.events.insert((self.now + millis.max(0), number), event);
    }

    pub(crate) fn number(&mut self) -> u64 {
        self.numbers += 1;
        self.numbers
    }

    /// What the scheduler's clock shows.
    pub(crate) fn time(&self) -> Timestamp {
        Timestamp((self.now + self.skew) * 1000)
    }

    pub(crate) fn set_timer(&mut self, at: usize, millis: i64, timer: Timer) {
        self.later(millis, Event::Timer(at, self.nodes[at].incarnation, timer));
    }

    pub(crate) fn start_worker_in(&mut self, at: usize, millis: i64) {
        self.later(millis, Event::WorkerStarts(at));
    }

    /// When copies of a message arrive: none, one or two, soon or late.
    fn travel(&mut self, place: Place) -> Vec<i64> {
        let cut_off = place.is_some_and(|at| self.nodes[at].cut_off > self.now);
        let stormy = self.now < self.script.calm;
        if cut_off || (stormy && self.rng.chance(3)) {
            self.tally.lost_messages += 1;
            return Vec::new();
        }
        let copies = if stormy && self.rng.chance(3) { 2 } else { 1 };
        self.tally.doubled_messages += copies - 1;
        let late = |rng: &mut Rng| match stormy && rng.chance(3) {
            true => rng.between(100, 20_000),
            false => rng.between(1, 30),
        };
        (0..copies).map(|_| late(&mut self.rng)).collect()
    }

    pub(crate) fn send_to_scheduler(&mut self, from: Place, number: u64, command: Command) {
        for millis in self.travel(from) {
            self.later(millis, Event::Arrives(from, number, command.clone()));
        }
    }

    pub(crate) fn send_to_place(
        &mut self,
        to: Place,
        incarnation: u64,
        number: u64,
        reply: &Outcome<Reply>,
    ) {
        for millis in self.travel(to) {
            self.later(millis, Event::Answers(to, incarnation, number, reply.clone()));
        }
    }

    // The client.

    /// Hands a job in, again and again until it is told that it was accepted.
    pub(crate) fn client_asks(&mut self, at: usize) {
        if !self.jobs.contains_key(&at) {
            let spec = Box::new(self.script.jobs[at].clone());
            let number = self.submission(at);
            self.send_to_scheduler(None, number, Command::Submit(spec));
            self.later(1_000, Event::ClientAsks(at));
        }
    }

    fn hears(
        &mut self,
        to: Place,
        incarnation: u64,
        number: u64,
        reply: Outcome<Reply>,
    ) -> Result<(), String> {
        if let Some(at) = to {
            let node = &self.nodes[at];
            let reached = node.up && node.incarnation == incarnation;
            return if reached { self.worker_hears(at, number, reply) } else { Ok(()) };
        }
        if let Ok(Reply::Submitted { job, .. }) = reply {
            // An answer to an earlier try speaks of what was forgotten since.
            let asked = (0..self.script.jobs.len()).find(|at| self.submission(*at) == number);
            return asked.map_or(Ok(()), |at| self.acknowledged(at, job));
        }
        Ok(())
    }

    /// The number of the question by which a job is handed in.
    fn submission(&self, at: usize) -> u64 {
        let tries = self.anew.get(&at).copied().unwrap_or(0);
        u64::MAX - tries * self.script.jobs.len() as u64 - at as u64
    }

    /// The client is told which job its key has. A second one under the same
    /// key is right only when the first had failed or was cancelled, and then
    /// gave up its key: an answer that was late may speak of either.
    fn acknowledged(&mut self, at: usize, job: JobId) -> Result<(), String> {
        let before = *self.jobs.entry(at).or_insert(job);
        let (first, second) = (before.min(job), before.max(job));
        let row = self.disk.rows.jobs.get(&first);
        let gone = self.disk.forgotten.contains(&first);
        let keeps_its_key = !gone && row.is_none_or(|row| row.idempotency_key.is_some());
        if first != second && keeps_its_key {
            return Err(format!("job {at} was acknowledged as {first} and as {second}"));
        }
        self.jobs.insert(at, second);
        Ok(())
    }

    fn is_over(&self) -> bool {
        self.jobs.len() == self.script.jobs.len()
            && self.now > self.script.calm
            && self.turn.is_empty()
            && self.writing.is_none()
            && self.disk.rows.jobs.values().all(|job| job.finished.is_some())
    }
}
