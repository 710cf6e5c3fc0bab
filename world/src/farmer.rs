//! The scheduler's process: the core, the store, and the turn between them. It
//! can die between any two things that it does: while it gathers, while it
//! writes, between the write and the answers, among the answers.

use super::script::Bug;
use super::world::{Event, Place, World};
use platefarm_model::farm::{JobTerms, Limit, PriorityClass, Setting, SettingKind};
use platefarm_model::job::FrameOutcome;
use platefarm_model::{Code, Fault, LeaseToken, Outcome, StepId};
use platefarm_scheduler::core::{Changes, Command, Reply, Snapshot, State, Verdict};

impl World {
    pub(crate) fn scheduler_starts(&mut self) -> Result<(), String> {
        if self.core.is_some() {
            return Ok(());
        }
        self.epoch += 1;
        (self.turn, self.writing) = (Changes::default(), None);
        self.answers.clear();
        // It may start on another machine, whose clock is off in its own way.
        let mut stored = self.disk.rows.clone();
        let forged = self.bug == Some(Bug::GivenTwice) && forge(&mut stored);
        let core = State::restore(self.script.policy, stored, self.time());
        let what = if forged { "leases overlap" } else { "the store is torn" };
        self.core = Some(core.map_err(|f| format!("{what}: {f}"))?);
        self.later(500, Event::Tick(self.epoch));
        if self.bug == Some(Bug::LimitsUncounted) {
            let limit = Setting::Limit(Limit { count: 99 });
            let lie = Command::Set(SettingKind::Limit, "nuke".into(), Some(limit));
            if let Some(core) = self.core.as_mut() {
                drop(core.step(lie, platefarm_model::Timestamp(0)));
            }
        }
        self.check_ledger()
    }

    pub(crate) fn scheduler_dies(&mut self, longest: i64) -> Result<(), String> {
        self.tally.scheduler_deaths += 1;
        self.core = None;
        self.epoch += 1;
        self.answers.clear();
        self.turn = Changes::default();
        // It died while it wrote: all of the transaction, or nothing.
        if let Some((changes, _)) = self.writing.take() {
            match self.bug {
                Some(Bug::TornCommit) => self.disk.tear(&changes)?,
                _ if self.rng.chance(50) => self.disk.commit(&changes)?,
                _ => {}
            }
        }
        self.skew = self.rng.between(-3_000, 3_000);
        let pause = self.rng.between(50, longest);
        self.later(pause, Event::SchedulerStarts);
        Ok(())
    }

    pub(crate) fn decide(
        &mut self,
        from: Place,
        number: u64,
        command: Command,
    ) -> Result<(), String> {
        let now = self.time();
        let Some(core) = self.core.as_mut() else { return Ok(()) };
        let heeded = mistaken(self.bug, core, command.clone());
        let effects = core.step(heeded, now);
        if !effects.changes.is_empty() {
            core.check_invariants()?;
        }
        self.check_counts()?;
        if let Ok(Reply::Acquired(Some(granted))) = &effects.reply {
            self.check_order(&command, granted)?;
        }
        self.turn.merge(effects.changes);
        let incarnation = from.map_or(0, |at| self.nodes[at].incarnation);
        if self.bug == Some(Bug::AnsweredBeforeStored) {
            self.say(from, incarnation, number, &command, &effects.reply);
        } else if number > 0 {
            self.answers.push((from, incarnation, number, command, effects.reply));
        }
        if self.writing.is_none() && self.turn_is_new() {
            let millis = self.rng.between(0, 10);
            self.later(millis, Event::Flush(self.epoch));
        }
        Ok(())
    }

    fn turn_is_new(&self) -> bool {
        !self.answers.is_empty() || !self.turn.is_empty()
    }

    /// One transaction for all that was decided; while it is written, the next gathers.
    pub(crate) fn flush(&mut self) -> Result<(), String> {
        if self.writing.is_some() {
            return Ok(());
        }
        let turn = std::mem::take(&mut self.turn);
        let answers = std::mem::take(&mut self.answers);
        self.writing = Some((turn, answers));
        let stormy = self.now < self.script.calm;
        let slow = if stormy { self.slow } else { 0 };
        let millis = self.rng.between(0, 15 + slow);
        self.later(millis, Event::Flushed(self.epoch));
        Ok(())
    }

    pub(crate) fn flushed(&mut self) -> Result<(), String> {
        if self.writing.is_none() {
            return Ok(());
        }
        if let Some(written) = self.next_commit.take() {
            return self.commit_failed(written);
        }
        // Between the write and the answers, and among them.
        let stormy = self.now < self.script.calm;
        if stormy && self.rng.below(1500) == 0 {
            return self.scheduler_dies(5_000);
        }
        let Some((turn, answers)) = self.writing.take() else { return Ok(()) };
        self.disk.commit(&turn)?;
        self.compare(&turn)?;
        let said = match stormy && self.rng.below(1500) == 0 {
            true => self.rng.below(answers.len() as u64 + 1) as usize,
            false => usize::MAX,
        };
        for (to, incarnation, number, command, reply) in answers.iter().take(said) {
            self.say(*to, *incarnation, *number, command, reply);
        }
        if said != usize::MAX {
            return self.scheduler_dies(5_000);
        }
        if self.turn_is_new() {
            self.later(0, Event::Flush(self.epoch));
        }
        Ok(())
    }

    fn commit_failed(&mut self, written: bool) -> Result<(), String> {
        self.tally.failed_commits += 1;
        let Some((turn, answers)) = self.writing.take() else { return Ok(()) };
        if written {
            self.disk.commit(&turn)?;
        }
        let failed = Err(Fault::new(Code::StoreFailed, "planned"));
        let gathered = std::mem::take(&mut self.answers);
        for (to, incarnation, number, ..) in answers.into_iter().chain(gathered) {
            self.send_to_place(to, incarnation, number, &failed);
        }
        self.core = None;
        self.scheduler_starts()
    }

    /// Where nothing more was decided meanwhile, the core is what is stored. What
    /// parts stays apart, so that looking now and then is enough.
    fn compare(&mut self, turn: &Changes) -> Result<(), String> {
        let due = self.number().is_multiple_of(4);
        let quiet = due && !turn.is_empty() && self.turn.is_empty() && self.bug.is_none();
        if quiet && self.core.as_ref().is_some_and(|core| core.snapshot() != self.disk.stored()) {
            return Err("the core is not what is stored".into());
        }
        Ok(())
    }

    /// An answer leaves the house: from here on it is a promise.
    fn say(
        &mut self,
        to: Place,
        incarnation: u64,
        number: u64,
        command: &Command,
        reply: &Outcome<Reply>,
    ) {
        match (command, reply) {
            (Command::Report { token, outcomes, .. }, Ok(Reply::Reported { verdicts, .. })) => {
                let step = self.step_of(*token);
                for (outcome, verdict) in outcomes.iter().zip(verdicts) {
                    if let (Some(step), FrameOutcome::Done(result), Verdict::Granted) =
                        (step, outcome, verdict)
                    {
                        self.granted.insert((step, result.frame), *token);
                    }
                }
            }
            (Command::Set(SettingKind::Pool, name, Some(_)), Ok(Reply::Done)) => {
                self.pools.insert(name.clone());
            }
            _ => {}
        }
        if number > 0 {
            self.send_to_place(to, incarnation, number, reply);
        }
    }

    pub(crate) fn step_of(&self, token: LeaseToken) -> Option<StepId> {
        let writing = self.writing.as_ref().and_then(|(turn, _)| turn.leases.get(&token));
        let known = self.disk.rows.leases.get(&token).or_else(|| self.turn.leases.get(&token));
        known.or(writing).map(|lease| lease.step)
    }
}

/// What the core hears, where a bug is planted.
fn mistaken(bug: Option<Bug>, core: &State, command: Command) -> Command {
    match (bug, command) {
        (Some(Bug::TokensUnchecked), command @ Command::Report { .. }) => trusting(core, command),
        (Some(Bug::TakenUnasked), Command::Heartbeat { worker, mut leases }) => {
            // What the holder was asked for counts as agreed.
            let mut told = core.clone();
            let ask = Command::Heartbeat { worker, leases: leases.clone() };
            let reply = told.step(ask, platefarm_model::Timestamp(0)).reply;
            if let Ok(Reply::Beaten { leases: kept, .. }) = reply {
                for (pulse, (_, keep)) in leases.iter_mut().zip(kept) {
                    pulse.last = keep.map(|keep| keep.last()).or(pulse.last);
                }
            }
            Command::Heartbeat { worker, leases }
        }
        (Some(Bug::ClassesForgotten), Command::Submit(mut spec)) => {
            spec.terms = JobTerms { class: PriorityClass::Normal, ..spec.terms };
            Command::Submit(spec)
        }
        (_, command) => command,
    }
}

/// Gives the frames of a live lease out once more.
fn forge(stored: &mut Snapshot) -> bool {
    let live = stored.leases.values().find(|lease| !lease.keep.is_empty()).cloned();
    let Some(mut twin) = live else { return false };
    let last = stored.leases.keys().next_back().copied().unwrap_or(twin.token);
    twin.token = LeaseToken(last.0 + 1);
    twin.done = Default::default();
    stored.leases.insert(twin.token, twin);
    true
}

/// A report counts for whoever holds its frames.
fn trusting(core: &State, command: Command) -> Command {
    let Command::Report { worker, token, outcomes, last } = command else { return command };
    let leases = core.snapshot().leases;
    let step = leases.get(&token).map(|lease| lease.step);
    let frame = outcomes.first().map(FrameOutcome::frame);
    let holder = leases.into_values().find(|lease| {
        Some(lease.step) == step && frame.is_some_and(|frame| lease.keep.contains(frame))
    });
    match holder {
        Some(holder) => {
            Command::Report { worker: holder.worker, token: holder.token, outcomes, last: None }
        }
        None => Command::Report { worker, token, outcomes, last },
    }
}
