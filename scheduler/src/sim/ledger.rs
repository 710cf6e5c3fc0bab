//! What was promised in a farm, and whether it was kept: nothing acknowledged
//! is lost, each frame is published once and by whom it was granted to, and
//! every job ends as its script says.

use super::script::{Bug, Curse};
use super::world::World;
use crate::core::State;
use platefarm_model::job::Phase;
use platefarm_model::{FrameSet, LeaseToken, StepId, Timestamp};

/// What a run went through.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Tally {
    pub(super) frames: u64,
    pub(super) failed: u64,
    pub(super) scheduler_deaths: u64,
    pub(super) worker_deaths: u64,
    pub(super) lost_messages: u64,
    pub(super) doubled_messages: u64,
    pub(super) refused: u64,
    pub(super) fenced: u64,
    pub(super) failed_commits: u64,
    pub(super) cancelled: u64,
}

impl Tally {
    fn all(&self) -> [u64; 10] {
        [
            self.frames,
            self.failed,
            self.scheduler_deaths,
            self.worker_deaths,
            self.lost_messages,
            self.doubled_messages,
            self.refused,
            self.fenced,
            self.failed_commits,
            self.cancelled,
        ]
    }

    pub(super) fn add(&mut self, other: &Self) {
        self.frames += other.frames;
        self.failed += other.failed;
        self.scheduler_deaths += other.scheduler_deaths;
        self.worker_deaths += other.worker_deaths;
        self.lost_messages += other.lost_messages;
        self.doubled_messages += other.doubled_messages;
        self.refused += other.refused;
        self.fenced += other.fenced;
        self.failed_commits += other.failed_commits;
        self.cancelled += other.cancelled;
    }

    /// Whether everything that can happen did happen.
    pub(super) fn is_shaken(&self) -> bool {
        self.all().iter().all(|count| *count > 0)
    }
}

impl World {
    pub(super) fn curse(&self, step: StepId, frame: i64) -> Option<Curse> {
        let name = &self.disk.rows.jobs.get(&step.job)?.name;
        let at = self.script.jobs.iter().position(|job| job.name == *name)?;
        self.script.curses.get(&(at, step.index, frame)).copied()
    }

    /// A worker gives a file its final name.
    pub(super) fn publish(&mut self, token: LeaseToken, frame: i64) -> Result<(), String> {
        let Some(step) = self.step_of(token) else {
            return Err(format!("{token} published frame {frame} and was never stored"));
        };
        let before = *self.published.entry((step, frame)).or_insert(token);
        let winner = self.disk.frames.get(&(step, frame)).map(|row| row.token);
        if before != token || (winner != Some(token) && self.bug != Some(Bug::AnsweredBeforeStored))
        {
            return Err(format!(
                "frame {frame} of {step} was published by {token}, by {before}, and belongs to {winner:?}"
            ));
        }
        Ok(())
    }

    /// Everything that was acknowledged is on disk.
    pub(super) fn check_ledger(&self) -> Result<(), String> {
        for ((step, frame), token) in &self.granted {
            let stored = self.disk.frames.get(&(*step, *frame)).map(|row| row.token);
            if stored != Some(*token) {
                return Err(format!(
                    "frame {frame} of {step} was acknowledged to {token} and is stored for {stored:?}"
                ));
            }
        }
        match self.jobs.values().find(|job| !self.disk.rows.jobs.contains_key(job)) {
            Some(job) => Err(format!("{job} was acknowledged and is not stored")),
            None => Ok(()),
        }
    }

    pub(super) fn last_checks(mut self) -> Result<Tally, String> {
        self.check_ledger()?;
        let time = Timestamp(self.now * 1000);
        let core = State::restore(self.script.policy, self.disk.rows.clone(), time)
            .map_err(|fault| fault.to_string())?;
        for (at, id) in &self.jobs {
            let job = core.job(*id).map_err(|fault| fault.to_string())?;
            if job.phase == Phase::Cancelled {
                self.tally.cancelled += 1;
                if !self.cancelled.contains(at) {
                    return Err(format!("{id} was cancelled by nobody"));
                }
                continue;
            }
            for step in &job.steps {
                let cursed =
                    self.script.curses.keys().filter(|k| k.0 == *at && k.1 == step.id.index);
                let cursed: FrameSet = cursed.map(|(_, _, frame)| *frame).collect();
                if step.failed != cursed {
                    return Err(format!(
                        "{} gave up {}, and {cursed} cannot be done",
                        step.id, step.failed
                    ));
                }
                let ended = self.disk.frames.keys().filter(|(of, _)| *of == step.id);
                let ended: FrameSet = ended.map(|(_, frame)| *frame).collect();
                if ended != FrameSet::from(step.frames) {
                    return Err(format!("{} has results for {ended} only", step.id));
                }
            }
            self.tally.frames += job.frames_done;
            self.tally.failed += job.frames_failed;
        }
        Ok(self.tally)
    }
}
