//! The farm as its rows say it, worked out without the core's sums and its
//! queue: which frames nobody has, what holds them, and who could do them.

use platefarm_model::farm::{Device, PriorityClass, Setting, Target};
use platefarm_model::job::StepSpec;
use platefarm_model::{FrameRange, FrameSet, JobId, LeaseToken, StepId, WorkerId};
use platefarm_scheduler::core::{JobRow, Snapshot, StepState};
use std::collections::{BTreeMap, BTreeSet};

/// Rows, and what follows from them.
pub(crate) struct Books {
    rows: Snapshot,
    /// Frames of each step that are not done, given up or leased.
    pending: BTreeMap<StepId, FrameSet>,
    /// Frames of each step that are leased.
    leased: BTreeMap<StepId, FrameSet>,
    /// Live leases by job, show and worker, and what they take of limits.
    of_job: BTreeMap<JobId, u64>,
    of_show: BTreeMap<String, u64>,
    of_worker: BTreeMap<WorkerId, u64>,
    of_limit: BTreeMap<String, u64>,
}

impl Books {
    /// Of the rows, where the lease `but` is not counted yet. Each frame is one's alone, or it is
    /// said that somebody has it already.
    pub(crate) fn of(rows: Snapshot, but: Option<LeaseToken>) -> Result<Self, String> {
        let mut pending: BTreeMap<StepId, FrameSet> = BTreeMap::new();
        for (id, (spec, state)) in &rows.steps {
            let mut frames = FrameSet::from(spec.frames);
            frames.remove_all(&state.failed);
            frames.remove_all(&state.sealed);
            pending.insert(*id, frames);
        }
        let mut books = Self {
            pending,
            leased: BTreeMap::new(),
            of_job: BTreeMap::new(),
            of_show: BTreeMap::new(),
            of_worker: BTreeMap::new(),
            of_limit: BTreeMap::new(),
            rows,
        };
        for lease in books.rows.leases.values() {
            let (id, token) = (lease.step, lease.token);
            let Some(left) = books.pending.get_mut(&id) else { continue };
            for frames in [&lease.done, &lease.keep] {
                let before = left.len();
                left.remove_all(frames);
                if before - left.len() != frames.len() {
                    return Err(format!(
                        "{frames} of {id} are in {token}, and somebody has them already"
                    ));
                }
            }
            if lease.keep.is_empty() {
                continue;
            }
            books.leased.entry(id).or_default().insert_all(&lease.keep);
            if but == Some(token) {
                continue;
            }
            *books.of_job.entry(id.job).or_default() += 1;
            *books.of_worker.entry(lease.worker).or_default() += 1;
            if let Some(job) = books.rows.jobs.get(&id.job) {
                *books.of_show.entry(job.show.clone()).or_default() += 1;
            }
            if let Some((spec, _)) = books.rows.steps.get(&id) {
                for (limit, amount) in &spec.terms.needs.limits {
                    *books.of_limit.entry(limit.clone()).or_default() += u64::from(*amount);
                }
            }
        }
        Ok(books)
    }

    pub(crate) fn steps(&self) -> impl Iterator<Item = StepId> {
        self.rows.steps.keys().copied()
    }

    pub(crate) fn job(&self, id: JobId) -> Option<&JobRow> {
        self.rows.jobs.get(&id)
    }

    fn step(&self, id: StepId) -> Option<(&JobRow, &StepSpec, &StepState)> {
        let (spec, state) = self.rows.steps.get(&id)?;
        Some((self.job(id.job)?, spec.as_ref(), state))
    }

    /// The class and number of a step, by its own word or its job's.
    pub(crate) fn level(&self, id: StepId) -> (PriorityClass, i32) {
        let own = self
            .step(id)
            .map(|(job, _, state)| state.control.level.unwrap_or((job.terms.class, job.priority)));
        own.unwrap_or((PriorityClass::Background, i32::MIN))
    }

    /// Whether nothing of a step will change by itself any more.
    fn is_over(&self, id: StepId) -> bool {
        let Some((_, _, state)) = self.step(id) else { return true };
        let done = self.pending.get(&id).is_none_or(FrameSet::is_empty);
        !self.leased.contains_key(&id) && (done || state.control.cancelled)
    }

    fn is_settled(&self, target: Target) -> bool {
        let Some(job) = self.job(target.job()) else { return true };
        match target {
            Target::Job(_) => job.finished.is_some(),
            Target::Step(id) => job.cancelled || self.is_over(id),
        }
    }

    /// Frames of a step that nobody has and nothing holds, and that neither failed before nor went
    /// down with workers: those go to some and not to others.
    pub(crate) fn free(&self, id: StepId) -> FrameSet {
        let Some((job, spec, state)) = self.step(id) else { return FrameSet::new() };
        let control = &state.control;
        let held = job.finished.is_some()
            || job.terms.paused
            || control.paused
            || control.cancelled
            || job.terms.start_after.is_some();
        let far = job.terms.after.iter().chain(&control.after);
        let open = |index: &u32| !self.is_over(StepId { job: id.job, index: *index });
        let waits = far.filter(|after| !after.same_frames).any(|after| !self.is_settled(after.on))
            || spec.after.iter().any(open);
        if held || waits {
            return FrameSet::new();
        }
        let mut free = self.pending.get(&id).cloned().unwrap_or_default();
        for on in same_frames_of(id, spec, state) {
            free.remove_all(&self.unsettled(on));
        }
        for frame in state.troubles.keys() {
            free.remove(FrameRange::single(*frame));
        }
        for (span, _) in state.losses.iter().filter(|(_, loss)| loss.is_suspect()) {
            free.remove(*span);
        }
        free
    }

    /// Frames for which others wait that wait for the same ones.
    fn unsettled(&self, id: StepId) -> FrameSet {
        let Some((job, _, state)) = self.step(id) else { return FrameSet::new() };
        if job.cancelled || state.control.cancelled {
            return FrameSet::new();
        }
        let mut open = self.pending.get(&id).cloned().unwrap_or_default();
        self.leased.get(&id).into_iter().for_each(|leased| open.insert_all(leased));
        open
    }

    /// Whether a worker has what a step needs of it.
    pub(crate) fn fits(&self, worker: WorkerId, id: StepId) -> bool {
        let machine = self.rows.workers.get(&worker);
        let (Some((_, spec, _)), Some(machine)) = (self.step(id), machine) else { return false };
        let gpu = machine.backend.starts_with("gpu");
        match spec.terms.needs.device {
            Device::Any => true,
            Device::Cpu => !gpu,
            Device::Gpu => gpu,
        }
    }

    /// Whether tasks of a step are counted against anything that can run out.
    pub(crate) fn is_counted(&self, id: StepId, settings: &[(&'static str, Setting)]) -> bool {
        self.step(id).is_some_and(|(job, spec, _)| {
            !spec.terms.needs.limits.is_empty()
                || job.terms.max_tasks.is_some()
                || ceiling(settings, &job.show).is_some()
        })
    }

    /// Whether all slots of a worker are taken.
    pub(crate) fn is_full(&self, worker: WorkerId) -> bool {
        let slots = self.rows.workers.get(&worker).map_or(0, |row| u64::from(row.slots));
        self.of_worker.get(&worker).is_some_and(|leases| *leases >= slots)
    }

    /// Whether there is as much left of everything as one more task of a step takes, and nobody
    /// else waits for the same limits: whom they are kept for is the core's own matter.
    pub(crate) fn is_within_counts(
        &self,
        id: StepId,
        settings: &[(&'static str, Setting)],
    ) -> bool {
        let Some((job, spec, _)) = self.step(id) else { return false };
        let has = |counted: Option<&u64>| counted.copied().unwrap_or(0);
        let needs = &spec.terms.needs;
        let left = |(name, amount): (&String, &u32)| {
            let used = has(self.of_limit.get(name)) + u64::from(*amount);
            limit(settings, name).is_some_and(|most| used <= u64::from(most))
        };
        let names: BTreeSet<&String> = needs.limits.keys().collect();
        let rival = |other: StepId| {
            let theirs = self.step(other).map(|(_, spec, _)| &spec.terms.needs);
            theirs.is_some_and(|theirs| {
                theirs != needs
                    && theirs.limits.keys().any(|name| names.contains(name))
                    && self.pending.get(&other).is_some_and(|frames| !frames.is_empty())
            })
        };
        let below = |most: Option<u32>, used| most.is_none_or(|most| used < u64::from(most));
        needs.limits.iter().all(left)
            && below(ceiling(settings, &job.show), has(self.of_show.get(&job.show)))
            && below(job.terms.max_tasks, has(self.of_job.get(&id.job)))
            && !self.steps().any(rival)
    }
}

/// Steps of which a step waits for the same frames.
fn same_frames_of(id: StepId, spec: &StepSpec, state: &StepState) -> Vec<StepId> {
    let within = spec.terms.after_same_frames.iter();
    let within = within.map(|index| StepId { job: id.job, index: *index });
    let far = state.control.after.iter().filter(|after| after.same_frames);
    let far = far.filter_map(|after| match after.on {
        Target::Step(on) => Some(on),
        Target::Job(_) => None,
    });
    within.chain(far).collect()
}

fn ceiling(settings: &[(&'static str, Setting)], show: &str) -> Option<u32> {
    settings.iter().find_map(|(name, setting)| match setting {
        Setting::Share(share) if *name == show => share.ceiling,
        _ => None,
    })
}

fn limit(settings: &[(&'static str, Setting)], limit: &str) -> Option<u32> {
    settings.iter().find_map(|(name, setting)| match setting {
        Setting::Limit(set) if *name == limit => Some(set.count),
        _ => None,
    })
}
