//! A worker as the protocol asks it to be: it renews what it holds, repeats
//! what was not answered, stops by itself before its lease ends, and
//! publishes what was granted and nothing else.

use super::script::Curse;
use super::world::World;
use crate::core::{Command, Granted, Reply, Verdict};
use platefarm_model::job::{FrameOutcome, FrameResult, StepKind};
use platefarm_model::{Code, Fault, FrameRange, LeaseToken, Outcome, StepId, WorkerId};
use std::collections::{BTreeMap, BTreeSet};

/// Milliseconds between heartbeats.
const HEARTBEAT: i64 = 2_000;
/// Milliseconds until an unanswered question is asked again.
const PATIENCE: i64 = 3_000;
/// Milliseconds between questions for work.
const IDLE: i64 = 400;

/// The process of one worker; a crash makes a new one.
#[derive(Debug, Default)]
pub(super) struct Fake {
    /// Grows with each start.
    pub(super) incarnation: u64,
    pub(super) up: bool,
    /// Out of reach until then.
    pub(super) cut_off: i64,
    id: Option<WorkerId>,
    lease: Option<Held>,
    /// Questions not answered, by number.
    asked: BTreeMap<u64, Command>,
    /// Frames refused under a token: their files are gone for good.
    discarded: BTreeSet<(LeaseToken, i64)>,
    heard: i64,
}

#[derive(Debug)]
struct Held {
    token: LeaseToken,
    step: StepId,
    left: Vec<i64>,
    millis: i64,
}

/// What a worker told itself to do later.
#[derive(Clone, Copy, Debug)]
pub(super) enum Timer {
    Beat,
    AskForWork,
    FrameEnds(LeaseToken),
    Repeat(u64),
}

impl World {
    pub(super) fn worker_starts(&mut self, at: usize) {
        let old = &self.workers[at];
        let (incarnation, cut_off) = (old.incarnation + 1, old.cut_off);
        let heard = self.now;
        self.workers[at] = Fake { incarnation, cut_off, up: true, heard, ..Fake::default() };
        self.register(at);
        self.set_timer(at, HEARTBEAT, Timer::Beat);
    }

    fn register(&mut self, at: usize) {
        self.workers[at].id = None;
        let command = Command::Register {
            name: format!("w{at}"),
            instance: format!("{at}-{}", self.workers[at].incarnation),
            slots: 1,
            backend: "cpu".into(),
            traits: Default::default(),
        };
        self.ask(at, command);
    }

    fn ask(&mut self, at: usize, command: Command) {
        let number = self.number();
        self.workers[at].asked.insert(number, command.clone());
        self.send_to_scheduler(Some(at), number, command);
        self.set_timer(at, PATIENCE, Timer::Repeat(number));
    }

    pub(super) fn worker_dies(&mut self, at: usize) {
        self.tally.worker_deaths += 1;
        self.workers[at].up = false;
        let pause = self.rng.between(500, 4_000);
        self.start_worker_in(at, pause);
    }

    pub(super) fn timer(&mut self, at: usize, timer: Timer) -> Result<(), String> {
        let Some(id) = self.workers[at].id else {
            if let Timer::Repeat(number) = timer {
                self.repeat(at, number);
            } else if matches!(timer, Timer::Beat) {
                self.set_timer(at, HEARTBEAT, Timer::Beat);
            }
            return Ok(());
        };
        match timer {
            Timer::Beat => {
                let limit = self.script.policy.lease_ttl_ms * 2 / 3;
                let worker = &mut self.workers[at];
                if self.now - worker.heard > limit && worker.lease.take().is_some() {
                    self.tally.fenced += 1;
                    self.set_timer(at, 0, Timer::AskForWork);
                }
                let tokens = self.workers[at].lease.iter().map(|held| held.token).collect();
                let number = self.number();
                let command = Command::Heartbeat { worker: id, tokens };
                self.workers[at].asked.insert(number, command.clone());
                self.send_to_scheduler(Some(at), number, command);
                self.set_timer(at, HEARTBEAT, Timer::Beat);
            }
            Timer::AskForWork => {
                let worker = &self.workers[at];
                let asked = worker.asked.values().any(|c| matches!(c, Command::Acquire { .. }));
                if worker.lease.is_none() && !asked {
                    self.ask(at, Command::Acquire { worker: id });
                }
            }
            Timer::FrameEnds(token) => self.frame_ends(at, id, token),
            Timer::Repeat(number) => self.repeat(at, number),
        }
        Ok(())
    }

    fn repeat(&mut self, at: usize, number: u64) {
        let Some(command) = self.workers[at].asked.get(&number).cloned() else { return };
        if matches!(command, Command::Acquire { .. }) {
            // What was lost may have been a lease; it is not waited for.
            self.workers[at].asked.remove(&number);
            self.set_timer(at, 0, Timer::AskForWork);
            return;
        }
        self.send_to_scheduler(Some(at), number, command);
        self.set_timer(at, PATIENCE, Timer::Repeat(number));
    }

    fn frame_ends(&mut self, at: usize, id: WorkerId, token: LeaseToken) {
        let Some(held) = self.workers[at].lease.as_mut().filter(|held| held.token == token) else {
            return;
        };
        let Some(frame) = held.left.first().copied() else { return };
        let (step, millis) = (held.step, held.millis);
        let outcome = match self.curse(step, frame) {
            Some(Curse::Kills) => return self.worker_dies(at),
            Some(Curse::Fails(code)) => {
                FrameOutcome::Failed { frame, fault: Fault::new(code, "cursed") }
            }
            None => FrameOutcome::Done(Box::new(result(frame, token))),
        };
        if let Some(held) = self.workers[at].lease.as_mut() {
            held.left.remove(0);
        }
        self.ask(at, Command::Report { worker: id, token, outcomes: vec![outcome] });
        self.set_timer(at, millis, Timer::FrameEnds(token));
    }

    pub(super) fn worker_hears(
        &mut self,
        at: usize,
        number: u64,
        reply: Outcome<Reply>,
    ) -> Result<(), String> {
        // An answer that comes twice is acted on twice where that is safe.
        let asked = self.workers[at].asked.remove(&number);
        self.workers[at].heard = self.now;
        let reply = match reply {
            Ok(reply) => reply,
            Err(fault) if fault.code == Code::UnknownWorker => {
                self.workers[at].lease = None;
                self.register(at);
                return Ok(());
            }
            Err(fault) if fault.code == Code::StoreFailed => {
                if let Some(command) = asked {
                    self.workers[at].asked.insert(number, command);
                    self.set_timer(at, PATIENCE, Timer::Repeat(number));
                }
                return Ok(());
            }
            Err(fault) => return Err(format!("a worker was told: {fault}")),
        };
        match (reply, asked) {
            (Reply::Registered(id), _) if self.workers[at].id.is_none() => {
                self.workers[at].id = Some(id);
                self.set_timer(at, 0, Timer::AskForWork);
            }
            (Reply::Acquired(Some(granted)), _) => self.begin(at, granted),
            (Reply::Acquired(None), _) => self.set_timer(at, IDLE, Timer::AskForWork),
            (Reply::Beaten(leases), _) => {
                for (token, keep) in leases {
                    self.shrink(at, token, keep);
                }
            }
            (Reply::Reported { verdicts, keep }, Some(Command::Report { token, outcomes, .. })) => {
                for (outcome, verdict) in outcomes.iter().zip(verdicts) {
                    self.obey(at, token, outcome, verdict)?;
                }
                self.shrink(at, token, keep);
            }
            _ => {}
        }
        Ok(())
    }

    fn begin(&mut self, at: usize, granted: Granted) {
        if self.workers[at].lease.is_some() {
            // An answer that was thought lost: give it back, or let it expire.
            if let Some(worker) = self.workers[at].id.filter(|_| self.rng.chance(50)) {
                self.ask(at, Command::Release { worker, token: granted.token });
            }
            return;
        }
        let StepKind::Noop { millis_per_frame } = granted.spec.kind else { return };
        // Some machines are slower than others, and no frame is like the other.
        let millis = i64::from(millis_per_frame) * (1 + at as i64 % 3);
        let (token, step) = (granted.token, granted.step);
        let left = granted.frames.iter().collect();
        self.workers[at].lease = Some(Held { token, step, left, millis });
        self.set_timer(at, millis, Timer::FrameEnds(token));
    }

    /// What is left of a lease; nothing: it stops and asks for another.
    fn shrink(&mut self, at: usize, token: LeaseToken, keep: Option<FrameRange>) {
        let worker = &mut self.workers[at];
        let Some(held) = worker.lease.as_mut().filter(|held| held.token == token) else { return };
        held.left.retain(|frame| keep.is_some_and(|keep| keep.contains(*frame)));
        if keep.is_none() {
            worker.lease = None;
            self.set_timer(at, 0, Timer::AskForWork);
        }
    }

    fn obey(
        &mut self,
        at: usize,
        token: LeaseToken,
        outcome: &FrameOutcome,
        verdict: Verdict,
    ) -> Result<(), String> {
        let FrameOutcome::Done(result) = outcome else { return Ok(()) };
        let key = (token, result.frame);
        if verdict == Verdict::Refused {
            self.tally.refused += 1;
            self.workers[at].discarded.insert(key);
            return Ok(());
        }
        if self.workers[at].discarded.contains(&key) {
            return Err(format!("frame {} was refused and then granted to {token}", result.frame));
        }
        self.publish(token, result.frame)
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
