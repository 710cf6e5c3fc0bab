//! The scheduler's process: the core, the store, and the turn between them. It
//! can die between any two things that it does: while it gathers, while it
//! writes, between the write and the answers, among the answers.

use super::bugs::{Bug, mistaken};
use super::disk::Disk;
use super::forgotten::open_job;
use super::oracle::Turns;
use super::world::{Event, Place, World};
use platefarm_model::farm::SettingKind;
use platefarm_model::job::FrameOutcome;
use platefarm_model::{JobId, LeaseToken, Outcome, StepId};
use platefarm_scheduler::core::{Changes, Command, Effects, LeaseRow, Reply, State, Verdict};

impl World {
    pub(crate) fn scheduler_starts(&mut self) -> Result<(), String> {
        if self.core.is_some() || self.must_wait_for_store() {
            return Ok(());
        }
        self.epoch += 1;
        (self.turn, self.writing) = (Changes::default(), None);
        self.answers.clear();
        let torn = |broken: String| format!("the store is torn: {broken}");
        self.led = self.disk.lead(self.bug).map_err(torn)?;
        // It may start on another machine, whose clock is off in its own way.
        self.tally.skewed += u64::from(self.skew != 0);
        let stored = self.disk.rows.clone();
        let core = State::restore(self.script.policy, stored, self.time());
        self.core = Some(core.map_err(|fault| torn(fault.to_string()))?);
        self.turns = Turns::default();
        self.later(500, Event::Tick(self.epoch));
        self.lie();
        self.check_ledger()
    }

    pub(crate) fn scheduler_dies(&mut self, longest: i64) -> Result<(), String> {
        self.tally.scheduler_deaths += 1;
        self.core = None;
        self.waits_for_store = false;
        self.epoch += 1;
        self.answers.clear();
        self.turn = Changes::default();
        if let Some((changes, _)) = self.writing.take() {
            self.cut_off_in(&changes);
        }
        self.skew = self.rng.between(-3_000, 3_000);
        let pause = self.rng.between(50, longest);
        self.later(pause, Event::SchedulerStarts);
        Ok(())
    }

    /// The scheduler ends while it writes: all of the transaction is on disk, or some
    /// rows of it; or it is on its way still, and comes when another scheduler leads.
    fn cut_off_in(&mut self, changes: &Changes) {
        let rows = Disk::rows_of(changes) as i64;
        match self.rng.below(10) {
            0..4 => self.disk.write(changes),
            4..6 => {
                let (epoch, millis) = (self.led, self.rng.between(0, 20_000));
                self.later(millis, Event::LateCommit(epoch, Box::new(changes.clone())));
            }
            _ => {
                let kept = self.rng.between(0, rows);
                self.tally.torn += u64::from(kept > 0);
                let last = self.rng.chance(50);
                self.disk.tear(changes, kept.unsigned_abs() as usize, last);
            }
        }
    }

    /// A transaction of a scheduler that is gone reaches the store.
    pub(crate) fn late_commit(&mut self, epoch: u64, changes: &Changes) -> Result<(), String> {
        if self.disk.is_led_in(epoch) || self.bug == Some(Bug::DeposedWrites) {
            return self.disk.commit(changes);
        }
        self.tally.deposed += 1;
        Ok(())
    }

    pub(crate) fn decide(
        &mut self,
        from: Place,
        number: u64,
        command: Command,
    ) -> Result<(), String> {
        let now = self.time();
        if self.waits_for_store {
            self.refuse(from, number);
        }
        let Some(core) = self.core.as_mut() else { return Ok(()) };
        let open = open_job(core, &command);
        let heeded = mistaken(self.bug, core, command.clone());
        let mut effects = core.step(heeded, now);
        self.spoil(&command, &mut effects);
        self.check_decision(&command, open, &effects)?;
        // What was told early and goes with its job in the same turn is never stored.
        let gone = |lease: &&LeaseRow| effects.changes.forgotten.contains(&lease.step.job);
        let unstored = self.turn.leases.values().filter(gone);
        self.disk.struck.extend(unstored.map(|lease| (lease.token, lease.step)));
        self.turn.merge(effects.changes);
        let incarnation = from.map_or(0, |at| self.who_asked(at, number));
        let early = self.goes_early(&effects.reply);
        self.tally.early += u64::from(early);
        if early || self.bug == Some(Bug::AnsweredBeforeStored) {
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

    /// Whether a lease is heard of before it is stored, as over a session; a worker may wait for it, too.
    fn goes_early(&mut self, reply: &Outcome<Reply>) -> bool {
        let (Ok(Reply::Acquired(Some(granted))), Some(core)) = (reply, &self.core) else {
            return false;
        };
        let writing = self.writing.as_ref().map(|(turn, _)| &turn.jobs);
        let unstored = |job| {
            self.turn.jobs.contains_key(&job) || writing.is_some_and(|jobs| jobs.contains_key(&job))
        };
        core.may_go(granted, unstored) && self.rng.chance(60)
    }

    /// Every promise that can be broken by a decision: as this world has it, and as the core audits itself.
    fn check_decision(
        &mut self,
        command: &Command,
        open: Option<JobId>,
        effects: &Effects,
    ) -> Result<(), String> {
        self.check_counts()?;
        self.check_forgotten(command, open, &effects.reply)?;
        match (command, &effects.reply) {
            (Command::Acquire { worker }, Ok(Reply::Acquired(Some(granted)))) => {
                self.check_grant(*worker, granted)?;
            }
            (Command::Submit(_), Ok(Reply::Submitted { job, existed: false })) => {
                self.came_at.insert(*job, self.now);
            }
            (Command::Tick, _) => self.check_asked()?,
            _ => {}
        }
        match &self.core {
            Some(core) if !effects.changes.is_empty() => core.check_invariants(),
            _ => Ok(()),
        }
    }

    pub(crate) fn turn_is_new(&self) -> bool {
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
        self.tally.slow_commits += u64::from(slow > 0);
        let millis = self.rng.between(0, 15 + slow);
        self.later(millis, Event::Flushed(self.epoch));
        Ok(())
    }

    pub(crate) fn flushed(&mut self) -> Result<(), String> {
        if self.writing.is_none() {
            return Ok(());
        }
        if self.now < self.store_cut {
            return self.commit_unheard();
        }
        if let Some(written) = self.next_commit.take() {
            return self.commit_failed(written);
        }
        // Between the write and the answers, and among them.
        let stormy = self.now < self.script.calm;
        if stormy && self.rng.below(1500) == 0 {
            return self.scheduler_dies(5_000);
        }
        let Some((mut turn, answers)) = self.writing.take() else { return Ok(()) };
        self.omit(&mut turn);
        self.tally.compacted += turn.compacted.len() as u64;
        self.disk.commit(&turn)?;
        if let Some(core) = self.core.as_mut() {
            core.stored(&turn);
        }
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
        match written {
            true => self.disk.commit(&turn)?,
            false => self.cut_off_in(&turn),
        }
        self.refuse_all(answers);
        self.core = None;
        self.scheduler_starts()
    }

    /// Where nothing more was decided meanwhile, the core is what is stored. What
    /// parts stays apart, so that looking now and then is enough.
    fn compare(&mut self, turn: &Changes) -> Result<(), String> {
        let due = self.number().is_multiple_of(4) || self.bug.is_some();
        let quiet = due && !turn.is_empty() && self.turn.is_empty() && !self.is_lied_to();
        self.tally.compared += u64::from(quiet);
        if quiet && self.core.as_ref().is_some_and(|core| core.snapshot() != self.disk.rows) {
            return Err("the core is not what is stored".into());
        }
        Ok(())
    }

    /// An answer leaves the house: from here on it is a promise.
    pub(crate) fn say(
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
            (Command::Forget(job), Ok(Reply::Done)) => drop(self.forgotten.insert(*job)),
            _ => {}
        }
        if number > 0 {
            self.send_to_place(to, incarnation, number, reply);
        }
    }

    pub(crate) fn step_of(&self, token: LeaseToken) -> Option<StepId> {
        let writing = self.writing.as_ref().and_then(|(turn, _)| turn.leases.get(&token));
        let known = self.disk.rows.leases.get(&token).or_else(|| self.turn.leases.get(&token));
        let struck = || self.disk.struck.get(&token).copied();
        known.or(writing).map(|lease| lease.step).or_else(struck)
    }
}
