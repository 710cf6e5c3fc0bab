//! A worker's process: the agent's own standing and leashes decide what it holds and
//! how far it goes; this moves its messages and its frames through the world.

use super::script::{Curse, Machine};
use super::world::World;
use platefarm_model::job::{FrameOutcome, FrameResult, StepKind};
use platefarm_model::{Code, Fault, FrameRange, FrameSet, LeaseToken, Outcome, StepId, WorkerId};
use platefarm_scheduler::core::{Command, Granted, Pulse, Reply, Verdict};
use platefarm_worker::agent::state::{Standing, Terms};
use platefarm_worker::leash::Leash;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// Milliseconds between heartbeats.
const HEARTBEAT: i64 = 2_000;
/// Milliseconds until an unanswered question is asked again.
const PATIENCE: i64 = 3_000;
/// Milliseconds between questions for work.
const IDLE: i64 = 400;

/// The process of one worker; a crash makes a new one.
#[derive(Debug, Default)]
pub(crate) struct Node {
    /// Grows with each start.
    pub(crate) incarnation: u64,
    /// Answers to questions before this number are for processes that are gone.
    first: u64,
    pub(crate) up: bool,
    /// Out of reach until then.
    pub(crate) cut_off: i64,
    started: i64,
    standing: Standing,
    tasks: BTreeMap<LeaseToken, Task>,
    /// Questions not answered, by number.
    asked: BTreeMap<u64, Command>,
    /// Reports that were answered: under which lease, of which frames.
    answered: BTreeMap<u64, (LeaseToken, Vec<i64>)>,
    /// Files that are staged, and those that were refused and are gone.
    staged: BTreeSet<(LeaseToken, i64)>,
    discarded: BTreeSet<(LeaseToken, i64)>,
}

/// A lease in hand.
#[derive(Debug)]
struct Task {
    step: StepId,
    frames: FrameRange,
    millis: i64,
    leash: Arc<Leash>,
    /// The next frame to begin; begun and not ended; reported and not answered.
    next: i64,
    in_work: BTreeSet<i64>,
    unanswered: FrameSet,
    running: bool,
}

/// What a worker told itself to do later.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Timer {
    Beat,
    AskForWork,
    FrameEnds(LeaseToken, i64),
    Repeat(u64),
}

impl World {
    fn machine(&self, at: usize) -> Machine {
        self.script.workers[at]
    }

    /// What the worker's own clock shows.
    fn clock(&self, at: usize) -> u64 {
        let since = (self.now - self.nodes[at].started) * self.machine(at).clock / 1_000;
        since.unsigned_abs()
    }

    pub(crate) fn worker_starts(&mut self, at: usize) {
        let first = self.number();
        let old = &self.nodes[at];
        let (incarnation, cut_off) = (old.incarnation + 1, old.cut_off);
        let (up, started) = (true, self.now);
        self.nodes[at] = Node { incarnation, first, cut_off, up, started, ..Node::default() };
        self.register(at);
        self.set_timer(at, HEARTBEAT, Timer::Beat);
    }

    fn register(&mut self, at: usize) {
        let machine = self.machine(at);
        let command = Command::Register {
            name: format!("w{at}"),
            instance: format!("{at}-{}", self.nodes[at].incarnation),
            slots: machine.slots,
            backend: if machine.gpu { "gpu: x" } else { "cpu" }.into(),
            traits: Default::default(),
        };
        self.ask(at, command);
    }

    /// The process that asked a question of such a number; none where it is gone.
    pub(crate) fn who_asked(&self, at: usize, number: u64) -> u64 {
        let node = &self.nodes[at];
        if number >= node.first { node.incarnation } else { 0 }
    }

    fn ask(&mut self, at: usize, command: Command) {
        let number = self.number();
        self.nodes[at].asked.insert(number, command.clone());
        self.send_to_scheduler(Some(at), number, command);
        self.set_timer(at, PATIENCE, Timer::Repeat(number));
    }

    pub(crate) fn worker_dies(&mut self, at: usize) {
        self.tally.worker_deaths += 1;
        self.nodes[at].up = false;
        let pause = self.rng.between(500, 4_000);
        self.start_worker_in(at, pause);
    }

    /// It is told to go: it says good-bye once, and a word that is lost is as good as a crash.
    pub(crate) fn worker_leaves(&mut self, at: usize) {
        self.tally.left += 1;
        if let Some((worker, _)) = self.nodes[at].standing.worker() {
            let number = self.number();
            self.send_to_scheduler(Some(at), number, Command::Leave { worker });
        }
        self.nodes[at].up = false;
        let pause = self.rng.between(500, 4_000);
        self.start_worker_in(at, pause);
    }

    pub(crate) fn timer(&mut self, at: usize, timer: Timer) -> Result<(), String> {
        match timer {
            Timer::Beat => {
                let dropped = {
                    let now = self.clock(at);
                    self.nodes[at].standing.expire(now)
                };
                self.tally.fenced += dropped.len() as u64;
                self.beat(at);
                self.sweep(at)?;
                self.set_timer(at, HEARTBEAT, Timer::Beat);
            }
            Timer::AskForWork => self.ask_for_work(at),
            Timer::FrameEnds(token, frame) => self.frame_ends(at, token, frame)?,
            Timer::Repeat(number) => self.repeat(at, number),
        }
        Ok(())
    }

    fn beat(&mut self, at: usize) {
        let Some((worker, _)) = self.nodes[at].standing.worker() else { return };
        let pulse = |(token, task): (&LeaseToken, &Task)| {
            let pulse = task.leash.pulse();
            let (last, in_hand, progress) = (pulse.last, pulse.in_hand, pulse.progress);
            Pulse { token: *token, last, in_hand, progress, making: pulse.making }
        };
        let leases = self.nodes[at].tasks.iter().map(pulse).collect();
        let number = self.number();
        let command = Command::Heartbeat { worker, leases };
        self.sent_at.insert(number, self.clock(at));
        self.nodes[at].asked.insert(number, command.clone());
        self.send_to_scheduler(Some(at), number, command);
    }

    fn ask_for_work(&mut self, at: usize) {
        let node = &self.nodes[at];
        let Some((worker, _)) = node.standing.worker().filter(|_| node.standing.wants_work())
        else {
            return self.set_timer(at, IDLE, Timer::AskForWork);
        };
        let asked = node.asked.values().any(|c| matches!(c, Command::Acquire { .. }));
        let machine = self.machine(at);
        let room = machine.slots as usize + usize::from(machine.ahead);
        if !asked && node.tasks.len() < room {
            self.ask(at, Command::Acquire { worker });
        }
    }

    fn repeat(&mut self, at: usize, number: u64) {
        let Some(command) = self.nodes[at].asked.get(&number).cloned() else { return };
        match command {
            Command::Acquire { .. } => {
                // What was lost may have been a lease; it is not waited for.
                self.nodes[at].asked.remove(&number);
                self.set_timer(at, 0, Timer::AskForWork);
            }
            Command::Release { .. } => drop(self.nodes[at].asked.remove(&number)),
            Command::Report { token, outcomes, .. } => {
                // Under the registration in force, with how far it goes by now.
                if let Some((worker, _)) = self.nodes[at].standing.worker() {
                    let last = self.goes_to(at, token);
                    let again = Command::Report { worker, token, outcomes, last };
                    self.send_to_scheduler(Some(at), number, again);
                }
                self.set_timer(at, PATIENCE, Timer::Repeat(number));
            }
            other => {
                self.send_to_scheduler(Some(at), number, other);
                self.set_timer(at, PATIENCE, Timer::Repeat(number));
            }
        }
    }

    /// Begins what may be begun: slots with a task, and in each as many frames as its pipeline takes.
    fn pump(&mut self, at: usize) -> Result<(), String> {
        let machine = self.machine(at);
        let waiting = self.nodes[at].tasks.iter().filter(|(_, t)| !t.running).map(|(k, _)| *k);
        let running = self.nodes[at].tasks.values().filter(|task| task.running).count();
        let start: Vec<LeaseToken> =
            waiting.take((machine.slots as usize).saturating_sub(running)).collect();
        for token in start {
            if let Some(task) = self.nodes[at].tasks.get_mut(&token) {
                task.running = true;
            }
        }
        let tokens: Vec<LeaseToken> = self.nodes[at].tasks.keys().copied().collect();
        for token in tokens {
            while let Some((step, frame, millis)) = self.begin_next(at, token) {
                self.check_begun(token, step, frame)?;
                let behind = self.nodes[at].tasks[&token].in_work.len() as i64;
                match self.curse(step, frame) {
                    Some(Curse::Hangs) => {}
                    _ => self.set_timer(at, millis * behind.max(1), Timer::FrameEnds(token, frame)),
                }
            }
        }
        Ok(())
    }

    fn begin_next(&mut self, at: usize, token: LeaseToken) -> Option<(StepId, i64, i64)> {
        let deep = self.machine(at).pipeline;
        let task = self.nodes[at].tasks.get_mut(&token)?;
        let wanted = task.running && task.in_work.len() < deep && task.next <= task.frames.last();
        if !wanted || !task.leash.begin(task.next) {
            return None;
        }
        let frame = task.next;
        task.next += 1;
        task.in_work.insert(frame);
        Some((task.step, frame, task.millis))
    }

    fn frame_ends(&mut self, at: usize, token: LeaseToken, frame: i64) -> Result<(), String> {
        let sick = self.script.sick == Some(at) && frame.rem_euclid(3) == 0;
        let Some(task) = self.nodes[at].tasks.get_mut(&token) else { return Ok(()) };
        if !task.in_work.remove(&frame) {
            return Ok(());
        }
        let (step, wanted) = (task.step, task.leash.allows(frame));
        task.leash.ended(frame);
        if wanted {
            let outcome = match self.curse(step, frame) {
                Some(Curse::Kills) => {
                    self.worker_dies(at);
                    return Ok(());
                }
                Some(Curse::Fails(code)) => {
                    FrameOutcome::Failed { frame, fault: Fault::new(code, "cursed") }
                }
                _ if sick => {
                    FrameOutcome::Failed { frame, fault: Fault::new(Code::GpuLost, "sick") }
                }
                _ => {
                    self.nodes[at].staged.insert((token, frame));
                    FrameOutcome::Done(Box::new(result(frame, token)))
                }
            };
            if let Some(task) = self.nodes[at].tasks.get_mut(&token) {
                task.unanswered.insert(FrameRange::single(frame));
            }
            let last = self.goes_to(at, token);
            if let Some((worker, _)) = self.nodes[at].standing.worker() {
                self.ask(at, Command::Report { worker, token, outcomes: vec![outcome], last });
            }
        }
        self.sweep(at)
    }

    /// Ends tasks that have nothing more to do, and begins what may be begun.
    fn sweep(&mut self, at: usize) -> Result<(), String> {
        let over = |task: &Task| {
            let stopped = task.leash.is_stopped();
            let wound = task.in_work.is_empty()
                && task.unanswered.is_empty()
                && (task.next > task.frames.last() || !task.leash.allows(task.next));
            stopped || wound
        };
        let ended: Vec<LeaseToken> =
            self.nodes[at].tasks.iter().filter(|(_, t)| over(t)).map(|(k, _)| *k).collect();
        for token in &ended {
            let Some(task) = self.nodes[at].tasks.remove(token) else { continue };
            self.nodes[at].standing.ended(*token);
            let left = task.next <= task.frames.last() || !task.in_work.is_empty();
            if let Some((worker, _)) = self.nodes[at].standing.worker().filter(|_| left) {
                self.ask(at, Command::Release { worker, token: *token });
            }
        }
        if !ended.is_empty() {
            self.set_timer(at, 0, Timer::AskForWork);
        }
        self.pump(at)
    }

    pub(crate) fn worker_hears(
        &mut self,
        at: usize,
        number: u64,
        reply: Outcome<Reply>,
    ) -> Result<(), String> {
        let asked = self.nodes[at].asked.remove(&number);
        let sent = self.sent_at.remove(&number);
        let reply = match reply {
            Ok(reply) => reply,
            Err(fault) if fault.code == Code::UnknownWorker => {
                // An old word about an old registration is passed over by the session logic.
                let about = asked.as_ref().and_then(who);
                if about.is_some_and(|worker| self.nodes[at].standing.forgotten(worker)) {
                    self.register(at);
                }
                if let Some(command @ Command::Report { .. }) = asked {
                    self.nodes[at].asked.insert(number, command);
                }
                return self.sweep(at);
            }
            Err(fault) if fault.code == Code::StoreFailed => {
                if let Some(command) = asked.filter(|c| !matches!(c, Command::Heartbeat { .. })) {
                    self.nodes[at].asked.insert(number, command);
                    self.set_timer(at, PATIENCE, Timer::Repeat(number));
                }
                return Ok(());
            }
            Err(fault) => return Err(format!("a worker was told: {fault}")),
        };
        match (reply, asked) {
            (Reply::Reported { verdicts, .. }, None) => self.check_again(at, number, &verdicts)?,
            (Reply::Registered(id), _) => {
                let lease_ttl_ms = self.script.policy.lease_ttl_ms.unsigned_abs();
                let terms = Terms { heartbeat_ms: HEARTBEAT.unsigned_abs(), lease_ttl_ms };
                self.nodes[at].standing.registered(id, terms);
                self.set_timer(at, 0, Timer::AskForWork);
            }
            (Reply::Acquired(Some(granted)), Some(Command::Acquire { worker })) => {
                self.begin(at, worker, granted)?;
                self.set_timer(at, 0, Timer::AskForWork);
            }
            (Reply::Acquired(Some(granted)), _) => self.give_back(at, granted.token),
            (Reply::Acquired(None), _) => self.set_timer(at, IDLE, Timer::AskForWork),
            (Reply::Beaten { leases, drain }, _) => {
                for (token, keep) in leases {
                    self.kept(at, token, keep, sent);
                }
                self.nodes[at].standing.drain(drain);
            }
            (Reply::Reported { verdicts, keep }, Some(Command::Report { token, outcomes, .. })) => {
                let frames = outcomes.iter().map(FrameOutcome::frame).collect();
                self.nodes[at].answered.insert(number, (token, frames));
                for (outcome, verdict) in outcomes.iter().zip(verdicts) {
                    self.obey(at, token, outcome, verdict)?;
                    if !self.nodes[at].up {
                        return Ok(());
                    }
                }
                self.kept(at, token, keep, None);
            }
            _ => {}
        }
        self.sweep(at)
    }

    fn give_back(&mut self, at: usize, token: LeaseToken) {
        // An answer that was thought lost: give it back, or let it expire.
        let held = self.nodes[at].tasks.contains_key(&token);
        if let Some((worker, _)) = self.nodes[at].standing.worker()
            && !held
            && self.rng.chance(50)
        {
            self.ask(at, Command::Release { worker, token });
        }
    }

    fn begin(&mut self, at: usize, worker: WorkerId, granted: Granted) -> Result<(), String> {
        let StepKind::Noop { millis_per_frame } = granted.spec.kind else { return Ok(()) };
        let millis = i64::from(millis_per_frame) * self.machine(at).slower;
        let leash = Arc::new(Leash::new(granted.frames.last()));
        let now = self.clock(at);
        let node = &mut self.nodes[at];
        node.standing.granted(worker, granted.token, &leash, now);
        let task = Task {
            step: granted.step,
            frames: granted.frames,
            millis,
            leash,
            next: granted.frames.first(),
            in_work: BTreeSet::new(),
            unanswered: FrameSet::new(),
            running: false,
        };
        node.tasks.insert(granted.token, task);
        self.pump(at)
    }

    /// What is left of a lease; a holder that is asked for frames says at once how far it will
    /// go: with all that it has, or in a report of no frame.
    fn kept(&mut self, at: usize, token: LeaseToken, keep: Option<FrameRange>, sent: Option<u64>) {
        if !self.nodes[at].standing.kept(token, keep, sent) {
            return;
        }
        self.tally.shortened += 1;
        match self.nodes[at].standing.worker().filter(|_| self.rng.chance(30)) {
            Some((worker, _)) => {
                let (outcomes, last) = (Vec::new(), self.goes_to(at, token));
                self.ask(at, Command::Report { worker, token, outcomes, last });
            }
            None => self.beat(at),
        }
    }

    /// The last frame that a holder says it will do of a lease.
    fn goes_to(&self, at: usize, token: LeaseToken) -> Option<i64> {
        self.nodes[at].tasks.get(&token)?.leash.pulse().last
    }

    /// Who asks twice is answered alike: what was refused is gone, and is never granted. Of a job
    /// that was forgotten between the two answers the one that was given first may come last.
    fn check_again(&self, at: usize, number: u64, verdicts: &[Verdict]) -> Result<(), String> {
        let node = &self.nodes[at];
        let Some((token, frames)) = node.answered.get(&number) else { return Ok(()) };
        if self.step_of(*token).is_none_or(|step| self.disk.forgotten.contains(&step.job)) {
            return Ok(());
        }
        for (frame, verdict) in frames.iter().zip(verdicts) {
            if *verdict != Verdict::Refused && node.discarded.contains(&(*token, *frame)) {
                return Err(format!("frame {frame} was refused and then granted to {token}"));
            }
        }
        Ok(())
    }

    fn obey(
        &mut self,
        at: usize,
        token: LeaseToken,
        outcome: &FrameOutcome,
        verdict: Verdict,
    ) -> Result<(), String> {
        let frame = outcome.frame();
        if let Some(task) = self.nodes[at].tasks.get_mut(&token) {
            task.unanswered.remove(FrameRange::single(frame));
        }
        let FrameOutcome::Done(_) = outcome else { return Ok(()) };
        let key = (token, frame);
        if verdict == Verdict::Refused {
            self.tally.refused += 1;
            self.nodes[at].staged.remove(&key);
            self.nodes[at].discarded.insert(key);
            return Ok(());
        }
        // Between the answer and the rename, and between that and the next.
        if self.now < self.script.calm && self.rng.below(400) == 0 {
            self.worker_dies(at);
            return Ok(());
        }
        self.nodes[at].staged.remove(&key);
        self.publish(token, frame)
    }
}

/// The registration that a question was asked under.
fn who(command: &Command) -> Option<WorkerId> {
    match command {
        Command::Acquire { worker }
        | Command::Report { worker, .. }
        | Command::Heartbeat { worker, .. }
        | Command::Release { worker, .. } => Some(*worker),
        _ => None,
    }
}

fn result(frame: i64, token: LeaseToken) -> FrameResult {
    FrameResult {
        frame,
        staged: format!("{token}/{frame}"),
        published: frame.to_string(),
        xxh128: String::new(),
        bytes: 1,
        backend: "cpu".into(),
        millis: Default::default(),
        non_finite: 0,
    }
}
