//! The order of work by another way: from the rows alone, without the core's
//! queue, what a worker should have been given first. A class is respected
//! whatever else is going on; what has begun is another matter, and has its
//! own bound (the core's tests of yielding).

use super::script::{Bug, NEVER};
use super::world::World;
use platefarm_model::farm::{Device, PriorityClass};
use platefarm_model::{FrameSet, JobId, StepId, WorkerId};
use platefarm_scheduler::core::{Command, Granted, Snapshot};
use std::collections::BTreeMap;

impl World {
    /// A lease was granted: nothing of a higher class could have been.
    pub(crate) fn check_order(
        &mut self,
        command: &Command,
        granted: &Granted,
    ) -> Result<(), String> {
        // People who change classes are beyond this oracle, which reads the script.
        // Where work ages, a lower class goes first now and then.
        if self.levelled
            || self.script.policy.aging_ms < NEVER
            || (self.bug.is_some() && self.bug != Some(Bug::ClassesForgotten))
        {
            return Ok(());
        }
        // A whole farm is copied for it, so some grants stand for all.
        if !self.number().is_multiple_of(3) {
            return Ok(());
        }
        let Command::Acquire { worker } = command else { return Ok(()) };
        let Some(core) = &self.core else { return Ok(()) };
        let rows = core.snapshot();
        let class = self.class(&rows, granted.step.job);
        let mut open: BTreeMap<StepId, FrameSet> = BTreeMap::new();
        for (id, (spec, state)) in &rows.steps {
            let mut pending = FrameSet::from(spec.frames);
            pending.remove_all(&state.failed);
            open.insert(*id, pending);
        }
        let mut tasks: BTreeMap<JobId, u32> = BTreeMap::new();
        for lease in rows.leases.values() {
            if let Some(pending) = open.get_mut(&lease.step) {
                pending.remove_all(&lease.done);
                pending.remove_all(&lease.keep);
            }
            if !lease.keep.is_empty() {
                *tasks.entry(lease.step.job).or_default() += 1;
            }
        }
        for (id, pending) in &open {
            let better = self.class(&rows, id.job) > class;
            if better && self.could_have(&rows, *worker, *id, pending, &tasks) {
                return Err(format!(
                    "{worker} was given {}, and {id} with {pending} goes first",
                    granted.step
                ));
            }
        }
        self.tally.ordered += 1;
        Ok(())
    }

    fn class(&self, rows: &Snapshot, job: JobId) -> PriorityClass {
        let name = rows.jobs.get(&job).map(|row| &row.name);
        let at = self.script.jobs.iter().position(|spec| Some(&spec.name) == name);
        at.map_or(PriorityClass::Background, |at| self.script.jobs[at].terms.class)
    }

    /// Whether nothing at all keeps a step from a worker. Where that is hard to
    /// say (counted things, frames that failed before, waits) the answer is no.
    fn could_have(
        &self,
        rows: &Snapshot,
        worker: WorkerId,
        id: StepId,
        pending: &FrameSet,
        tasks: &BTreeMap<JobId, u32>,
    ) -> bool {
        let (Some(job), Some((spec, state))) = (rows.jobs.get(&id.job), rows.steps.get(&id)) else {
            return false;
        };
        let Some(machine) = rows.workers.get(&worker) else { return false };
        let gpu = machine.backend.starts_with("gpu");
        let fits = match spec.terms.needs.device {
            Device::Any => true,
            Device::Cpu => !gpu,
            Device::Gpu => gpu,
        };
        let held = job.finished.is_some()
            || job.terms.paused
            || state.control.paused
            || state.control.cancelled
            || job
                .terms
                .max_tasks
                .is_some_and(|most| tasks.get(&id.job).is_some_and(|n| *n >= most));
        let ceilinged = self.script.settings.iter().any(|(name, setting)| {
            *name == job.show
                && matches!(setting, platefarm_model::farm::Setting::Share(s) if s.ceiling.is_some())
        });
        let counted =
            !spec.terms.needs.limits.is_empty() || ceilinged || job.terms.max_tasks.is_some();
        let waits = !spec.after.is_empty()
            || !spec.terms.after_same_frames.is_empty()
            || !job.terms.after.is_empty()
            || !state.control.after.is_empty();
        // What failed, or went down with workers, goes to some and not to others.
        let suspect = |frame| state.losses.at(frame).is_some_and(|(_, loss)| loss.is_suspect());
        let apart = |frame| state.troubles.contains_key(&frame) || suspect(frame);
        let clean = pending.iter().any(|frame| !apart(frame));
        fits && !held && !counted && !waits && clean
    }
}
