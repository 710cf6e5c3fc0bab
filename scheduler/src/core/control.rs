//! What people do to jobs and steps, at any time. Every word is in a row and
//! holds after a restart.

use super::command::Reply;
use super::job::Job;
use super::{Fx, State};
use platefarm_model::farm::{Control, Dependency, Target};
use platefarm_model::{Code, Fault, FrameSet, JobId, LeaseToken, Outcome, StepId, Timestamp};

impl State {
    pub(super) fn control(
        &mut self,
        target: Target,
        control: Control,
        fx: &mut Fx,
    ) -> Outcome<Reply> {
        self.check_target(target)?;
        let id = target.job();
        let settled = self.jobs.get(&id).is_some_and(|job| job.row.finished.is_some());
        match control {
            Control::Cancel => self.cancel(target, fx),
            Control::Retry(frames) => self.retry(target, frames.as_ref(), fx)?,
            _ if settled => {
                return Err(Fault::new(Code::JobSettled, format!("{id} has ended")));
            }
            Control::Pause => self.hold(target, true, fx),
            Control::Resume => self.hold(target, false, fx),
            Control::Priority { class, priority } => {
                self.relevel(target, fx, |job| {
                    let at = (job.row.terms.class, job.row.priority);
                    let change = |(c, p)| (class.unwrap_or(c), priority.unwrap_or(p));
                    match target {
                        Target::Job(_) => (job.row.terms.class, job.row.priority) = change(at),
                        Target::Step(id) => {
                            let own = &mut job.steps[id.index as usize].state.control.level;
                            *own = Some(change(own.unwrap_or(at)));
                        }
                    }
                });
            }
            Control::Deadline(at) => self.reterm(target, fx, |job| job.row.terms.deadline = at)?,
            Control::MaxTasks(most) => {
                self.reterm(target, fx, |job| job.row.terms.max_tasks = most)?;
            }
            Control::StartAfter(at) => {
                self.reterm(target, fx, |job| job.row.terms.start_after = at)?;
                self.due_jobs.extend(at.map(|at| (at, id)));
            }
            Control::Depend(after) => self.depend(target, after, fx)?,
            Control::Undepend(on) => self.undepend(target, on, fx),
        }
        Ok(Reply::Done)
    }

    /// The ids of the steps that are meant.
    fn steps_of(&self, target: Target) -> Vec<StepId> {
        match target {
            Target::Step(id) => vec![id],
            Target::Job(id) => {
                self.jobs.get(&id).into_iter().flat_map(|job| job.step_ids()).collect()
            }
        }
    }

    fn refresh_all(&mut self, target: Target, fx: &mut Fx) {
        self.steps_of(target).into_iter().for_each(|step| self.refresh(step, fx));
    }

    /// Stores what people may have changed of a job or step.
    fn book(&mut self, target: Target, fx: &mut Fx) {
        let Some(job) = self.jobs.get(&target.job()) else { return };
        match target {
            Target::Job(id) => drop(fx.changes.jobs.insert(id, job.row.clone())),
            Target::Step(id) => {
                fx.touched.insert(id);
            }
        }
    }

    fn live_of(&self, target: Target) -> Vec<LeaseToken> {
        let steps = self.steps_of(target);
        steps.into_iter().filter_map(|id| self.at(id)).flat_map(|s| &s.live).copied().collect()
    }

    /// What is done stays done. The leases end here: workers hear it with
    /// their next renewal or report, and what they then hold is refused.
    fn cancel(&mut self, target: Target, fx: &mut Fx) {
        let now = self.now;
        let Some(job) = self.jobs.get_mut(&target.job()) else { return };
        if job.row.finished.is_some() {
            return;
        }
        match target {
            Target::Job(_) => {
                job.row.cancelled = true;
                job.row.finished = Some(now);
                self.ended_jobs.insert((now, job.row.id));
            }
            Target::Step(id) => {
                let step = &mut job.steps[id.index as usize];
                if step.settled {
                    return;
                }
                step.state.control.cancelled = true;
            }
        }
        self.book(target, fx);
        self.live_of(target).into_iter().for_each(|token| self.end_lease(token, fx));
        self.refresh_all(target, fx);
        let steps = self.steps_of(target).into_iter().map(Target::Step);
        self.settled_changed(steps.chain([target]), fx);
    }

    fn hold(&mut self, target: Target, paused: bool, fx: &mut Fx) {
        let Some(job) = self.jobs.get_mut(&target.job()) else { return };
        match target {
            Target::Job(_) => job.row.terms.paused = paused,
            Target::Step(id) => job.steps[id.index as usize].state.control.paused = paused,
        }
        self.book(target, fx);
        self.refresh_all(target, fx);
        if paused {
            self.live_of(target).into_iter().for_each(|token| self.ask_for_all(token, None));
        }
    }

    /// Tries frames again that were given up, with all their attempts.
    fn retry(&mut self, target: Target, only: Option<&FrameSet>, fx: &mut Fx) -> Outcome<()> {
        let steps = self.steps_of(target);
        let now = self.now;
        let Some(job) = self.jobs.get_mut(&target.job()) else { return Ok(()) };
        if job.row.cancelled && (target != Target::Job(job.row.id) || only.is_some()) {
            let message = format!("{} was cancelled as a whole", job.row.id);
            let remedy = format!("`platefarm jobs retry {}` takes all of it up again.", job.row.id);
            return Err(Fault::new(Code::JobCancelled, message)
                .at(target.to_string())
                .remedy(remedy));
        }
        let revived = job.row.cancelled
            || steps.iter().any(|id| job.steps[id.index as usize].state.control.cancelled);
        let mut found = 0;
        for id in &steps {
            let step = &mut job.steps[id.index as usize];
            let mut frames = step.state.failed.clone();
            if let Some(only) = only {
                let mut others = frames.clone();
                others.remove_all(only);
                frames.remove_all(&others);
            }
            if frames.is_empty() && !step.state.control.cancelled {
                continue;
            }
            found += frames.len();
            let state = &mut *step.state;
            state.failed.remove_all(&frames);
            state.control.cancelled = false;
            state.started = None;
            if state.failed.is_empty() {
                state.first_fault = None;
            }
            step.pending.insert_all(&frames);
            job.frames_failed -= frames.len();
            fx.touched.insert(*id);
            if !frames.is_empty() {
                fx.changes
                    .frames
                    .retain(|row| row.step != *id || !frames.contains(row.outcome.frame()));
                fx.changes.reopened.entry(*id).or_default().insert_all(&frames);
            }
            job.unsettle(id.index);
        }
        if found == 0 && !revived {
            let message = format!("{target} has no frame to try again");
            return Err(Fault::new(Code::JobSettled, message)
                .remedy("Only frames that were given up are tried again; hand the job in anew to render all of it."));
        }
        job.row.cancelled = false;
        if let Some(ended) = job.row.finished.take() {
            self.ended_jobs.remove(&(ended, job.row.id));
        }
        if job.unsettled == 0 {
            job.row.finished = Some(now);
        }
        let id = job.row.id;
        self.book(Target::Job(id), fx);
        self.derive_waits(id);
        self.refresh_all(Target::Job(id), fx);
        let steps = steps.into_iter().map(Target::Step);
        self.settled_changed(steps.chain([Target::Job(id)]), fx);
        Ok(())
    }

    /// Changes at which level steps are, with everything that is counted by level.
    fn relevel(&mut self, target: Target, fx: &mut Fx, change: impl FnOnce(&mut Job)) {
        let Some(job) = self.jobs.get_mut(&target.job()) else { return };
        let counts = &mut self.tasks_by_class;
        let mut count = |job: &Job, sign: i64| {
            for step in job.steps.iter().filter(|step| !step.live.is_empty()) {
                let class = &mut counts[step.level(&job.row).class as usize];
                *class = class.saturating_add_signed(sign * step.live.len() as i64);
            }
        };
        count(job, -1);
        change(job);
        count(job, 1);
        self.book(target, fx);
        self.refresh_all(target, fx);
        fx.wake = true;
    }

    /// Changes what is said of a job as a whole.
    fn reterm(
        &mut self,
        target: Target,
        fx: &mut Fx,
        change: impl FnOnce(&mut Job),
    ) -> Outcome<()> {
        let Target::Job(id) = target else {
            let message = format!("{target} is a step; this is said of jobs");
            return Err(Fault::new(Code::BadSpec, message).remedy("Name the job."));
        };
        let Some(job) = self.jobs.get_mut(&id) else { return Ok(()) };
        self.queue.lift(job);
        change(job);
        self.queue.lay(job);
        self.book(target, fx);
        self.refresh_all(target, fx);
        fx.wake = true;
        Ok(())
    }

    fn depend(&mut self, who: Target, after: Dependency, fx: &mut Fx) -> Outcome<()> {
        self.check_target(after.on)?;
        if self.waits_for(after.on.job(), who.job()) {
            let message = format!("{} waits for {who}, so {who} cannot wait for it", after.on);
            return Err(Fault::new(Code::DependencyLoop, message));
        }
        let spread: Vec<(StepId, Dependency)> = if after.same_frames {
            let of = |id: StepId| {
                let on = match who {
                    Target::Job(_) => self.same_step(after, id.index),
                    // A step on a job: on the step at its own position.
                    Target::Step(_) => self.same_step(after, id.index),
                };
                on.map(|on| (id, on))
            };
            self.steps_of(who).into_iter().filter_map(of).collect()
        } else {
            Vec::new()
        };
        let Some(job) = self.jobs.get_mut(&who.job()) else { return Ok(()) };
        let add = |list: &mut Vec<Dependency>, after: Dependency| {
            if !list.contains(&after) {
                list.push(after);
            }
        };
        match who {
            _ if after.same_frames => {
                for (id, after) in &spread {
                    let step = &mut job.steps[id.index as usize];
                    add(&mut step.state.control.after, *after);
                    fx.touched.insert(*id);
                }
            }
            Target::Job(_) => add(&mut job.row.terms.after, after),
            Target::Step(id) => add(&mut job.steps[id.index as usize].state.control.after, after),
        }
        self.waits_changed(who, fx);
        Ok(())
    }

    fn undepend(&mut self, who: Target, on: Target, fx: &mut Fx) {
        let steps = self.steps_of(who);
        let Some(job) = self.jobs.get_mut(&who.job()) else { return };
        let other = |after: &Dependency| match on {
            Target::Job(job) => after.on.job() != job,
            Target::Step(_) => after.on != on,
        };
        if matches!(who, Target::Job(_)) {
            job.row.terms.after.retain(other);
        }
        for id in steps {
            let step = &mut job.steps[id.index as usize];
            if step.state.control.after.iter().any(|after| !other(after)) {
                step.state.control.after.retain(other);
                step.far_open = false;
                step.held = FrameSet::new();
                fx.touched.insert(id);
            }
        }
        self.waits_changed(who, fx);
    }

    fn waits_changed(&mut self, who: Target, fx: &mut Fx) {
        self.book(who, fx);
        self.derive_waits(who.job());
        self.refresh_all(Target::Job(who.job()), fx);
    }

    /// Nothing is kept of a job that has ended.
    pub(super) fn forget(&mut self, id: JobId, fx: &mut Fx) -> Outcome<Reply> {
        let job = self.jobs.get(&id).ok_or_else(|| super::unknown_job(id))?;
        let Some(ended) = job.row.finished else {
            return Err(Fault::new(Code::BadSpec, format!("{id} has not ended"))
                .remedy("Cancel it first, or wait until it has ended."));
        };
        self.ended_jobs.remove(&(ended, id));
        if let Some(job) = self.jobs.remove(&id) {
            self.tally.forget(&job);
            self.lose_followers(&job);
            self.leave_show(job.show);
            job.steps.iter().for_each(|step| self.queue.leave_need(step.need));
            job.tokens.iter().for_each(|token| drop(self.leases.remove(token)));
            let key = job.row.idempotency_key.filter(|key| self.keys.get(key) == Some(&id));
            if let Some(key) = key {
                self.keys.remove(&key);
            }
        }
        self.marks.job = self.marks.job.max(id);
        fx.changes.merge(super::Changes { forgotten: [id].into(), ..Default::default() });
        Ok(Reply::Done)
    }

    /// At most `count` jobs that ended longer ago than jobs are kept, the oldest first.
    #[must_use]
    pub fn to_forget(&self, count: usize) -> Vec<JobId> {
        let old =
            |(at, _): &&(Timestamp, JobId)| self.now.millis_since(*at) >= self.policy.keep_ended_ms;
        self.ended_jobs.iter().take_while(old).take(count).map(|(_, id)| *id).collect()
    }
}
