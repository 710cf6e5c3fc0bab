//! What must hold at every instant, checked against the sums and indices
//! that the core keeps. Tests and the simulation run it after each command;
//! a restored store must pass it before it is used.

use super::State;
use super::job::Step;
use platefarm_model::{FrameSet, StepId};

/// Nothing, or what is broken.
pub(super) type Audit = Result<(), String>;

fn hold(holds: bool, broken: impl FnOnce() -> String) -> Audit {
    if holds { Ok(()) } else { Err(broken()) }
}

impl State {
    /// Checks everything.
    ///
    /// # Errors
    /// The first invariant that does not hold, in words.
    pub fn check_invariants(&self) -> Result<(), String> {
        self.step_ids().try_for_each(|id| self.check_step(id))?;
        self.check_jobs()?;
        self.check_leases()?;
        self.check_workers()
    }

    /// Pending, leased, done and failed partition the step exactly, and one
    /// live lease at most has each frame.
    pub(super) fn check_step(&self, id: StepId) -> Audit {
        let Some(job) = self.jobs.get(&id.job) else { return Ok(()) };
        let Some(step) = job.steps.get(id.index as usize) else {
            return Err(format!("there is no step {id}"));
        };
        let mut union = FrameSet::new();
        let mut count = 0;
        let mut add = |set: &FrameSet| {
            count += set.len();
            set.ranges().iter().for_each(|range| union.insert(*range));
        };
        add(&step.pending);
        add(&step.done);
        add(&step.state.failed);
        for token in &step.live {
            let cell = self.leases.get(token).ok_or_else(|| format!("{token} is not kept"))?;
            hold(!cell.row.keep.is_empty() && cell.row.step == id, || {
                format!("{token} is not a live lease of {id}")
            })?;
            add(&cell.row.keep);
        }
        hold(union == FrameSet::from(step.spec.frames) && count == step.spec.frames.len(), || {
            format!("the frames of {id} are not partitioned: {step:?}")
        })?;
        self.check_ready(id, step, job.row.cancelled)
    }

    fn check_ready(&self, id: StepId, step: &Step, cancelled: bool) -> Audit {
        let listed = self.rank(id).is_some_and(|rank| self.ready.contains(&rank));
        hold(listed == (step.is_ready() && !cancelled), || format!("{id} is ready: {listed}"))?;
        hold(step.settled == step.is_complete(), || format!("{id} settled: {}", step.settled))?;
        let open = |frame: &i64| {
            !step.done.contains(*frame)
                && !step.state.failed.contains(*frame)
                && step.spec.frames.contains(*frame)
        };
        hold(step.state.troubles.keys().all(open), || format!("{id} has trouble with what ended"))
    }

    fn check_jobs(&self) -> Audit {
        let ready = self.step_ids().filter_map(|id| self.rank(id));
        hold(ready.filter(|r| self.ready.contains(r)).count() == self.ready.len(), || {
            "a step that is not there is ready".into()
        })?;
        for (id, job) in &self.jobs {
            hold(id.0 < self.next_job, || format!("{id} was not given out"))?;
            let sum = |of: fn(&Step) -> u64| job.steps.iter().map(of).sum::<u64>();
            let sums = (
                sum(|s| s.done.len()),
                sum(|s| s.state.failed.len()),
                sum(|s| s.spec.frames.len()),
                job.steps.iter().filter(|s| !s.settled).count(),
            );
            let kept = (job.frames_done, job.frames_failed, job.frames_total, job.unsettled);
            hold(sums == kept, || format!("{id} keeps {kept:?} and has {sums:?}"))?;
            let ended = job.row.cancelled || job.unsettled == 0;
            hold(ended == job.row.finished.is_some(), || format!("{id} finished: {ended}"))?;
            for (i, step) in job.steps.iter().enumerate() {
                let after: std::collections::BTreeSet<_> = step.spec.after.iter().collect();
                let waits = after.iter().filter(|a| !job.steps[***a as usize].settled).count();
                hold(waits == step.waiting_on, || format!("{id}.{i} waits for {waits}"))?;
            }
        }
        Ok(())
    }

    fn check_leases(&self) -> Audit {
        let mut done: std::collections::BTreeMap<StepId, FrameSet> = Default::default();
        let mut count = 0;
        for (token, cell) in &self.leases {
            let row = &cell.row;
            hold(*token == row.token && token.0 < self.next_token, || {
                format!("{token} was not given out")
            })?;
            let granted = FrameSet::from(row.granted);
            let within = |set: &FrameSet| set.ranges().iter().all(|r| granted.contains_range(*r));
            hold(within(&row.keep) && within(&row.done), || format!("{token} outgrew its grant"))?;
            let live = !row.keep.is_empty();
            let at_worker = self.workers.get(&row.worker).is_some_and(|w| w.leases.contains(token));
            let at_step = self
                .jobs
                .get(&row.step.job)
                .and_then(|job| job.steps.get(row.step.index as usize))
                .is_some_and(|step| step.live.contains(token));
            hold(at_worker == live && at_step == live, || {
                format!(
                    "{token} is live: {live}, at its worker: {at_worker}, at its step: {at_step}"
                )
            })?;
            count += row.done.len();
            let of_step = done.entry(row.step).or_default();
            row.done.ranges().iter().for_each(|range| of_step.insert(*range));
        }
        for id in self.step_ids() {
            let of_leases = done.remove(&id).unwrap_or_default();
            let of_step = &self.jobs[&id.job].steps[id.index as usize].done;
            hold(of_leases == *of_step, || {
                format!("{id} has {of_step} done, its leases {of_leases}")
            })?;
        }
        let kept: u64 = self.jobs.values().map(|job| job.frames_done).sum();
        hold(count == kept, || format!("leases have {count} frames done, jobs {kept}"))
    }

    fn check_workers(&self) -> Audit {
        let alive: Vec<_> = self.workers.values().filter(|w| w.alive).collect();
        let slots: u64 = alive.iter().map(|w| u64::from(w.row.slots)).sum();
        hold((alive.len() as u64, slots) == (self.alive, self.alive_slots), || {
            format!("{} workers are alive with {slots} slots", alive.len())
        })?;
        hold(self.instances.len() == self.workers.len(), || "instances and workers differ".into())?;
        for (id, worker) in &self.workers {
            hold(id.0 < self.next_worker, || format!("{id} was not given out"))?;
            hold(worker.alive || worker.leases.is_empty(), || format!("{id} is lost and holds"))?;
            for token in &worker.leases {
                let held = self.leases.get(token).is_some_and(|cell| cell.row.worker == *id);
                hold(held, || format!("{id} does not hold {token}"))?;
            }
        }
        Ok(())
    }
}
