//! Jobs of which nothing is kept: people ask for it, or they ended long ago.
//! What must hold: only what has ended is forgotten, and only when it was asked for;
//! what was promised of others stays; no id comes back; a report that comes too
//! late is refused; and who hands the job in again gets another one.

use super::bugs::Bug;
use super::script::NEVER;
use super::world::{Event, World};
use platefarm_model::{JobId, LeaseToken, Outcome};
use platefarm_scheduler::core::{Command, Reply, State, Verdict};

/// Milliseconds until a person who was not heard, or came too soon, asks again.
const AGAIN: i64 = 700;
/// Old jobs that a scheduler forgets at a time.
const AT_ONCE: usize = 4;

/// The job that a command would have forgotten, if it has not ended.
pub(crate) fn open_job(core: &State, command: &Command) -> Option<JobId> {
    let Command::Forget(id) = command else { return None };
    let job = core.job(*id).ok()?;
    (!job.phase.is_settled()).then_some(*id)
}

/// All that has ended.
fn ended(core: &State) -> Vec<JobId> {
    let jobs = core.jobs(false).into_iter();
    jobs.filter(|job| job.finished.is_some()).map(|job| job.id).collect()
}

impl World {
    /// Time passes for the scheduler; then it looks for what ended long ago.
    pub(crate) fn tick(&mut self) -> Result<(), String> {
        self.decide(None, 0, Command::Tick)?;
        let old = self.core.as_ref().map(|core| match self.bug {
            Some(Bug::ForgetsUnasked) => ended(core),
            _ => core.to_forget(AT_ONCE),
        });
        old.into_iter().flatten().try_for_each(|job| self.decide(None, 0, Command::Forget(job)))
    }

    /// A person has a job forgotten; when it is, it may be handed in again.
    pub(crate) fn forgets(&mut self, at: usize, again: bool) {
        let Some(job) = self.jobs.get(&at).copied() else {
            return self.later(AGAIN, Event::Forgets(at, again));
        };
        if !self.forgotten.contains(&job) && !self.disk.forgotten.contains(&job) {
            self.to_forget.insert(job);
            self.person(Command::Forget(job));
            self.later(AGAIN, Event::Forgets(at, again));
            return;
        }
        if again && self.now < self.script.calm {
            self.tally.anew += 1;
            self.jobs.remove(&at);
            *self.anew.entry(at).or_default() += 1;
            self.client_asks(at);
        }
    }

    /// What a command had to do with forgetting.
    pub(crate) fn check_forgotten(
        &mut self,
        command: &Command,
        open: Option<JobId>,
        reply: &Outcome<Reply>,
    ) -> Result<(), String> {
        match (command, reply) {
            (Command::Forget(job), Ok(_)) if open == Some(*job) => {
                Err(format!("{job} was forgotten and had not ended"))
            }
            (Command::Report { token, .. }, Ok(Reply::Reported { verdicts, .. }))
                if self.is_struck(*token) =>
            {
                self.tally.too_late += 1;
                match verdicts.iter().all(|verdict| *verdict == Verdict::Refused) {
                    true => Ok(()),
                    false => Err(format!("{token} is of a forgotten job, and was heeded")),
                }
            }
            _ => Ok(()),
        }
    }

    /// Whether a token is of a job that is forgotten, or will be with this turn. A turn that fails forgets nothing.
    pub(crate) fn is_struck(&self, token: LeaseToken) -> bool {
        let Some(step) = self.disk.struck.get(&token) else { return false };
        let writing = self.writing.as_ref().map(|(turn, _)| turn);
        let mut turns = writing.into_iter().chain([&self.turn]);
        self.disk.forgotten.contains(&step.job)
            || turns.any(|turn| turn.forgotten.contains(&step.job))
    }

    /// What is gone was to go, and what was said to be gone is.
    pub(crate) fn check_forgetting(&self) -> Result<(), String> {
        let old = self.script.policy.keep_ended_ms < NEVER;
        let unasked = |job: &&JobId| !old && !self.to_forget.contains(job);
        if let Some(job) = self.disk.forgotten.iter().find(unasked) {
            return Err(format!("{job} was forgotten, and nobody asked for it"));
        }
        match self.forgotten.iter().find(|job| self.disk.rows.jobs.contains_key(job)) {
            Some(job) => Err(format!("{job} was acknowledged to be forgotten, and is stored")),
            None => Ok(()),
        }
    }
}
