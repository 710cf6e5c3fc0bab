//! What waits for other jobs, and for the same frames of other steps.

use super::job::{Job, Step};
use super::{Fx, State, unknown_job};
use platefarm_model::farm::{Dependency, Target};
use platefarm_model::{Code, Fault, FrameSet, JobId, Outcome, StepId};
use std::collections::{BTreeMap, BTreeSet};

/// Who waits for whom, the other way round.
#[derive(Clone, Debug, Default)]
pub(super) struct Followers {
    /// By what is waited for: jobs and steps that wait for all of it.
    all: BTreeMap<Target, BTreeSet<Target>>,
    /// By step: steps that wait for the same frames of it.
    same: BTreeMap<StepId, BTreeSet<StepId>>,
}

/// Steps of which a step waits for the same frames.
fn same_frames_of(id: StepId, step: &Step) -> impl Iterator<Item = StepId> + '_ {
    let within = step.spec.terms.after_same_frames.iter();
    let within = within.map(move |index| StepId { job: id.job, index: *index });
    let far = step.state.control.after.iter().filter(|after| after.same_frames);
    within.chain(far.filter_map(|after| match after.on {
        Target::Step(on) => Some(on),
        Target::Job(_) => None,
    }))
}

impl State {
    /// What is named must be there.
    pub(super) fn check_target(&self, target: Target) -> Outcome<()> {
        let job = self.jobs.get(&target.job()).ok_or_else(|| unknown_job(target.job()))?;
        match target {
            Target::Step(id) if id.index as usize >= job.steps.len() => {
                let message = format!("{} has no step {}", id.job, id.index);
                Err(Fault::new(Code::UnknownStep, message))
            }
            _ => Ok(()),
        }
    }

    /// Works out what a job and its steps wait for.
    pub(super) fn derive_waits(&mut self, id: JobId) {
        let Some(job) = self.jobs.get(&id) else { return };
        for after in &job.row.terms.after {
            self.followers.all.entry(after.on).or_default().insert(Target::Job(id));
        }
        let mut waits: Vec<(usize, bool, FrameSet)> = Vec::new();
        for (step_id, step) in job.step_ids().zip(&job.steps) {
            let after = &step.state.control.after;
            if after.is_empty() && step.spec.terms.after_same_frames.is_empty() {
                continue;
            }
            for after in after.iter().filter(|after| !after.same_frames) {
                let who = Target::Step(step_id);
                self.followers.all.entry(after.on).or_default().insert(who);
            }
            for on in same_frames_of(step_id, step) {
                self.followers.same.entry(on).or_default().insert(step_id);
            }
            waits.push((step_id.index as usize, self.is_far_open(after), self.held(step_id, step)));
        }
        let far_open = self.is_far_open(&job.row.terms.after);
        let Some(job) = self.jobs.get_mut(&id) else { return };
        job.far_open = far_open;
        for (index, far_open, held) in waits {
            job.steps[index].far_open = far_open;
            job.steps[index].held = held;
        }
    }

    /// Works out anew what a step waits for, of which it is known who they are.
    fn derive_waits_of(&mut self, id: StepId) {
        let Some(step) = self.at(id) else { return };
        let waits = (self.is_far_open(&step.state.control.after), self.held(id, step));
        let Some(job) = self.jobs.get_mut(&id.job) else { return };
        let step = &mut job.steps[id.index as usize];
        (step.far_open, step.held) = waits;
    }

    fn is_far_open(&self, after: &[Dependency]) -> bool {
        after.iter().any(|after| !after.same_frames && !self.is_settled(after.on))
    }

    /// Frames of a step whose same frame elsewhere is not settled.
    pub(super) fn held(&self, id: StepId, step: &Step) -> FrameSet {
        let mut held = FrameSet::new();
        for on in same_frames_of(id, step) {
            let Some(job) = self.jobs.get(&on.job) else { continue };
            let Some(earlier) = job.steps.get(on.index as usize) else { continue };
            if job.row.cancelled || earlier.state.control.cancelled {
                continue;
            }
            let mut open = FrameSet::from(earlier.spec.frames);
            open.remove_all(&earlier.done);
            open.remove_all(&earlier.state.failed);
            held.insert_all(&open.within(step.spec.frames));
        }
        held
    }

    /// A frame is done or given up: who waits for this very frame may go on.
    pub(super) fn frame_settled(&mut self, id: StepId, frame: i64, fx: &mut Fx) {
        let Some(followers) = self.followers.same.get(&id) else { return };
        let one = platefarm_model::FrameRange::single(frame);
        for who in followers.clone() {
            let Some(step) = self.at(who).filter(|step| step.held.contains(frame)) else {
                continue;
            };
            if self.held(who, step).contains(frame) {
                continue;
            }
            if let Some(job) = self.jobs.get_mut(&who.job) {
                job.steps[who.index as usize].held.remove(one);
            }
            self.refresh(who, fx);
        }
    }

    /// Steps or jobs are settled, or are not any more: who waits for them looks again, once.
    pub(super) fn settled_changed(
        &mut self,
        targets: impl IntoIterator<Item = Target>,
        fx: &mut Fx,
    ) {
        let Followers { all, same } = &self.followers;
        let mut waiting: BTreeSet<Target> = BTreeSet::new();
        for target in targets {
            waiting.extend(all.get(&target).into_iter().flatten().copied());
            if let Target::Step(step) = target {
                waiting.extend(same.get(&step).into_iter().flatten().copied().map(Target::Step));
            }
        }
        for who in waiting {
            match who {
                Target::Job(id) => {
                    self.derive_waits(id);
                    let steps = self.jobs.get(&id).map(|job| job.step_ids());
                    steps.into_iter().flatten().for_each(|step| self.refresh(step, fx));
                }
                // And no other of its job, which may have ten thousand.
                Target::Step(id) => {
                    self.derive_waits_of(id);
                    self.refresh(id, fx);
                }
            }
        }
    }

    /// Nothing is kept of a job: nobody waits for it, and it waits for nobody.
    pub(super) fn lose_followers(&mut self, job: &Job) {
        let id = job.row.id;
        let Followers { all, same } = &mut self.followers;
        all.remove(&Target::Job(id));
        let leave = |on: Target, who: Target, all: &mut BTreeMap<Target, BTreeSet<Target>>| {
            if let Some(followers) = all.get_mut(&on) {
                followers.remove(&who);
                if followers.is_empty() {
                    all.remove(&on);
                }
            }
        };
        job.row.terms.after.iter().for_each(|after| leave(after.on, Target::Job(id), all));
        for (step_id, step) in job.step_ids().zip(&job.steps) {
            all.remove(&Target::Step(step_id));
            same.remove(&step_id);
            let after = step.state.control.after.iter();
            after.for_each(|after| leave(after.on, Target::Step(step_id), all));
            for on in same_frames_of(step_id, step) {
                if let Some(followers) = same.get_mut(&on) {
                    followers.remove(&step_id);
                    if followers.is_empty() {
                        same.remove(&on);
                    }
                }
            }
        }
    }

    /// Whether `from` waits for `to`, directly or through others.
    pub(super) fn waits_for(&self, from: JobId, to: JobId) -> bool {
        let (mut seen, mut next) = (BTreeSet::new(), vec![from]);
        while let Some(id) = next.pop() {
            if id == to {
                return true;
            }
            let Some(job) = self.jobs.get(&id).filter(|_| seen.insert(id)) else { continue };
            let by_step = job.steps.iter().flat_map(|step| &step.state.control.after);
            next.extend(job.row.terms.after.iter().chain(by_step).map(|after| after.on.job()));
        }
        false
    }
}
