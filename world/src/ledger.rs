//! What was promised in a farm, and whether it was kept: nothing acknowledged
//! is lost, each frame is published once and by whom it was granted to, a
//! holder never begins what it gave back, counts stay within what there is,
//! and every job ends as its script says.

use super::bugs::Bug;
use super::script::Curse;
use super::world::World;
use platefarm_model::farm::{Setting, SettingKind};
use platefarm_model::job::{FrameOutcome, Phase};
use platefarm_model::{Code, FrameSet, JobId, LeaseToken, StepId};
use platefarm_scheduler::core::State;
use std::collections::BTreeMap;

macro_rules! tally {
    ($($count:ident),*) => {
        /// What a run went through.
        #[derive(Clone, Debug, Default, PartialEq, Eq)]
        pub struct Tally { $(pub(crate) $count: u64),* }

        impl Tally {
            /// Adds what another run went through.
            pub fn add(&mut self, other: &Self) { $(self.$count += other.$count;)* }

            /// Whether everything that can happen did happen.
            #[must_use]
            pub fn is_shaken(&self) -> bool { [$(self.$count),*].iter().all(|n| *n > 0) }
        }
    };
}
tally!(
    frames,
    failed,
    scheduler_deaths,
    worker_deaths,
    lost_messages,
    doubled_messages,
    refused,
    fenced,
    failed_commits,
    cancelled,
    controls,
    shortened,
    ordered,
    early,
    turns,
    asked,
    torn,
    deposed,
    partitions,
    slow_commits,
    skewed,
    steps_back,
    depended,
    left,
    compacted,
    compared,
    overdue,
    store_cuts,
    unheard,
    undone,
    forgotten,
    anew,
    too_late
);

impl World {
    pub(crate) fn curse(&self, step: StepId, frame: i64) -> Option<Curse> {
        let at = self.job_at(step)?;
        self.script.curses.get(&(at, step.index, frame)).copied()
    }

    /// The job of the script that a step is of.
    pub(crate) fn job_at(&self, step: StepId) -> Option<usize> {
        let name = &self.disk.rows.jobs.get(&step.job)?.name;
        self.script.jobs.iter().position(|job| job.name == *name)
    }

    /// A worker gives a file its final name.
    pub(crate) fn publish(&mut self, token: LeaseToken, frame: i64) -> Result<(), String> {
        let Some(step) = self.step_of(token) else {
            return Err(format!("{token} published frame {frame} and was never stored"));
        };
        let before = *self.published.entry((step, frame)).or_insert(token);
        let winner = match self.disk.forgotten.contains(&step.job) {
            true => self.granted.get(&(step, frame)).copied(),
            false => self.disk.frames.get(&(step, frame)).map(|row| row.token),
        };
        if before != token || (winner != Some(token) && self.bug != Some(Bug::AnsweredBeforeStored))
        {
            return Err(format!(
                "frame {frame} of {step} was published by {token}, by {before}, and belongs to {winner:?}"
            ));
        }
        Ok(())
    }

    /// A holder begins a frame: while its lease lives, the frame is its own.
    pub(crate) fn check_begun(
        &self,
        token: LeaseToken,
        step: StepId,
        frame: i64,
    ) -> Result<(), String> {
        let Some(core) = &self.core else { return Ok(()) };
        let Some(keep) = core.outstanding(token) else { return Ok(()) };
        if keep.is_empty() || keep.contains(frame) {
            return Ok(());
        }
        Err(format!("{token} begins frame {frame} of {step}, which counts as given back"))
    }

    /// Limits, ceilings and caps, counted here from the leases alone, against the script.
    pub(crate) fn check_counts(&self) -> Result<(), String> {
        let Some(core) = &self.core else { return Ok(()) };
        let mut limits: BTreeMap<&str, u64> = BTreeMap::new();
        let mut shows: BTreeMap<&str, u64> = BTreeMap::new();
        let mut jobs: BTreeMap<usize, u64> = BTreeMap::new();
        for step in core.live_steps() {
            let Some(at) = self.job_at(step) else { continue };
            let spec = &self.script.jobs[at];
            *shows.entry(&spec.show).or_default() += 1;
            *jobs.entry(at).or_default() += 1;
            for (limit, amount) in &spec.steps[step.index as usize].terms.needs.limits {
                *limits.entry(limit).or_default() += u64::from(*amount);
            }
        }
        for (name, setting) in &self.script.settings {
            let (kind, used, most) = match setting {
                Setting::Limit(limit) => ("limit", limits.get(name), Some(limit.count)),
                Setting::Share(share) => ("show", shows.get(name), share.ceiling),
                _ => continue,
            };
            if most.is_some_and(|most| used.is_some_and(|used| *used > most.into())) {
                return Err(format!("{kind} {name} has {used:?}, more than {most:?}"));
            }
        }
        let over = |(at, tasks): (&usize, &u64)| {
            let most = self.script.jobs[*at].terms.max_tasks;
            most.filter(|most| *tasks > u64::from(*most)).map(|most| (*at, *tasks, most))
        };
        match jobs.iter().find_map(over) {
            Some((at, tasks, most)) => Err(format!("job {at} has {tasks} tasks, more than {most}")),
            None => Ok(()),
        }
    }

    /// Everything that was acknowledged is on disk.
    pub(crate) fn check_ledger(&self) -> Result<(), String> {
        self.check_forgetting()?;
        for ((step, frame), token) in &self.granted {
            if self.disk.forgotten.contains(&step.job) {
                continue;
            }
            let stored = self.disk.frames.get(&(*step, *frame)).map(|row| row.token);
            if stored != Some(*token) {
                return Err(format!(
                    "frame {frame} of {step} was acknowledged to {token} and is stored for {stored:?}"
                ));
            }
        }
        let (there, forgotten) = (&self.disk.rows.jobs, &self.disk.forgotten);
        let lost = |job: &&JobId| !there.contains_key(job) && !forgotten.contains(job);
        if let Some(job) = self.jobs.values().find(lost) {
            return Err(format!("{job} was acknowledged and is not stored"));
        }
        let kept = |name: &&String| {
            self.disk.rows.settings.contains_key(&(SettingKind::Pool, (*name).clone()))
        };
        match self.pools.iter().find(|name| !kept(name)) {
            Some(name) => Err(format!("{name} was acknowledged and is not stored")),
            None => Ok(()),
        }
    }

    pub(crate) fn last_checks(mut self) -> Result<Tally, String> {
        self.check_ledger()?;
        self.tally.forgotten += self.disk.forgotten.len() as u64;
        let core = State::restore(self.script.policy, self.disk.rows.clone(), self.time())
            .map_err(|fault| fault.to_string())?;
        for (at, id) in self.jobs.iter().filter(|(_, id)| !self.disk.forgotten.contains(id)) {
            let job = core.job(*id).map_err(|fault| fault.to_string())?;
            if job.phase == Phase::Cancelled {
                self.tally.cancelled += 1;
                if !self.cancelled.contains(at) {
                    return Err(format!("{id} was cancelled by nobody"));
                }
                continue;
            }
            for step in job.steps.iter().filter(|step| step.phase != Phase::Cancelled) {
                let cursed =
                    self.script.curses.keys().filter(|k| k.0 == *at && k.1 == step.id.index);
                let cursed: FrameSet = cursed.map(|(_, _, frame)| *frame).collect();
                // On a farm with a sick worker a frame may run out of attempts there.
                let sick = self.script.sick.is_some();
                let overdue = |frame: i64| {
                    let row = self.disk.frames.get(&(step.id, frame));
                    row.is_some_and(|row| match &row.outcome {
                        FrameOutcome::Failed { fault, .. } => fault.code == Code::StepOverTime,
                        FrameOutcome::Done(_) => false,
                    })
                };
                let spec = &self.script.jobs[*at].steps[step.id.index as usize];
                let timed = spec.terms.step_limit_s > 0;
                let late = step.failed.iter().filter(|frame| timed && overdue(*frame)).count();
                self.tally.overdue += late as u64;
                let more = step
                    .failed
                    .iter()
                    .any(|frame| !(cursed.contains(frame) || timed && overdue(frame)));
                if cursed.iter().any(|frame| !step.failed.contains(frame)) || (more && !sick) {
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
