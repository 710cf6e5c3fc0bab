//! Jobs and steps: the frames of a step as sets, what waits for what within
//! a job, and handing one in.

use super::command::Reply;
use super::lease::Pace;
use super::queue::{Level, List, NeedId, ShowId};
use super::rows::{JobRow, StepState, Trouble};
use super::tally::Counted;
use super::{Fx, State};
use platefarm_model::explain::Hold;
use platefarm_model::farm::{Dependency, SettingKind, Target};
use platefarm_model::job::{JobSpec, Phase, StepKind, StepSpec};
use platefarm_model::{
    Code, Fault, FrameRange, FrameSet, JobId, LeaseToken, Outcome, StepId, Timestamp, limits,
};
use std::collections::BTreeSet;
use std::ops::{Deref, DerefMut};
use std::sync::{Arc, LazyLock};

/// A text that people and every store can show: of bounded length, without control characters.
pub(super) fn plain(text: &str, place: &str) -> Outcome<()> {
    let max = limits::MAX_NAME_BYTES;
    if text.len() > max || text.chars().any(char::is_control) {
        let message = format!("{text:?} has more than {max} bytes, or control characters");
        return Err(Fault::new(Code::BadSpec, message).at(place));
    }
    Ok(())
}

/// What changes of a step, kept only where something did: most never have any.
#[derive(Clone, Debug, Default)]
pub(super) struct Kept(Option<Box<StepState>>);

static NOTHING: LazyLock<StepState> = LazyLock::new(StepState::default);

impl Deref for Kept {
    type Target = StepState;

    fn deref(&self) -> &StepState {
        self.0.as_deref().unwrap_or(&NOTHING)
    }
}

impl DerefMut for Kept {
    fn deref_mut(&mut self) -> &mut StepState {
        self.0.get_or_insert_default()
    }
}

impl From<StepState> for Kept {
    fn from(state: StepState) -> Self {
        Self((state != StepState::default()).then(|| Box::new(state)))
    }
}

impl Kept {
    /// The row as it is stored.
    pub(super) fn row(&self) -> StepState {
        (**self).clone()
    }

    /// A frame was done: its trouble is over. Returns what it was.
    pub(super) fn trouble_over(&mut self, frame: i64) -> Option<Trouble> {
        self.0.as_mut()?.troubles.remove(&frame)
    }

    /// Nothing is said of the losses of `range` any more. Returns whether it was.
    pub(super) fn losses_over(&mut self, range: FrameRange) -> bool {
        self.0.as_mut().is_some_and(|state| state.losses.forget(range))
    }
}

/// A job and its sums.
#[derive(Clone, Debug)]
pub(super) struct Job {
    pub(super) row: JobRow,
    pub(super) show: ShowId,
    pub(super) steps: Vec<Step>,
    /// Steps that could be leased from, by their group.
    pub(super) lists: Vec<List>,
    /// Live leases.
    pub(super) tasks: u32,
    /// Every lease that is kept, live and ended.
    pub(super) tokens: Vec<LeaseToken>,
    /// Whether another job is waited for.
    pub(super) far_open: bool,
    /// Steps that are not settled.
    pub(super) unsettled: u32,
    pub(super) frames_total: u64,
    pub(super) frames_done: u64,
    pub(super) frames_failed: u64,
    /// Of all steps: a guess for those that nothing is known of.
    pub(super) pace: Pace,
    /// As the sums over all jobs have it.
    pub(super) counted: Counted,
}

/// A step. Pending, the leases' frames, done and failed partition its frames.
#[derive(Clone, Debug)]
pub(super) struct Step {
    pub(super) spec: Arc<StepSpec>,
    pub(super) need: NeedId,
    pub(super) pending: FrameSet,
    pub(super) done: FrameSet,
    /// Failed frames, what is remembered of failures, and what people said.
    pub(super) state: Kept,
    /// Live leases.
    pub(super) live: BTreeSet<LeaseToken>,
    /// Unsettled steps of this job that it waits for.
    pub(super) waiting_on: u32,
    /// Whether something of another job is waited for.
    pub(super) far_open: bool,
    /// Frames whose same frame elsewhere is not settled.
    pub(super) held: FrameSet,
    /// Steps of this job that wait for all of it.
    pub(super) dependents: Vec<u32>,
    /// Whether its end has been booked.
    pub(super) settled: bool,
    /// Where it is queued, and with how many frames.
    pub(super) queued: Option<(Level, u64)>,
    pub(super) pace: Pace,
}

impl Step {
    pub(super) fn new(spec: Arc<StepSpec>, need: NeedId) -> Self {
        Self {
            pending: spec.frames.into(),
            spec,
            need,
            done: FrameSet::new(),
            state: Kept::default(),
            live: BTreeSet::new(),
            waiting_on: 0,
            far_open: false,
            held: FrameSet::new(),
            dependents: Vec::new(),
            settled: false,
            queued: None,
            pace: Pace::default(),
        }
    }

    /// Whether every frame is done or given up.
    pub(super) fn is_complete(&self) -> bool {
        self.pending.is_empty() && self.live.is_empty()
    }

    /// Whether nothing of it will change by itself any more.
    pub(super) fn is_over(&self) -> bool {
        self.is_complete() || (self.state.control.cancelled && self.live.is_empty())
    }

    /// Pending frames that wait for no other.
    pub(super) fn open_frames(&self) -> FrameSet {
        let mut open = self.pending.clone();
        open.remove_all(&self.held);
        open
    }

    /// How many pending frames wait for no other.
    pub(super) fn open(&self) -> u64 {
        if self.held.is_empty() { self.pending.len() } else { self.open_frames().len() }
    }

    /// Its class and number: its own, or the job's.
    pub(super) fn level(&self, job: &JobRow) -> Level {
        let (class, priority) = self.state.control.level.unwrap_or((job.terms.class, job.priority));
        Level { class, priority }
    }

    /// Where it is in its life, in a job that was cancelled, or waits for another.
    pub(super) fn phase(&self, cancelled: bool, waits: bool) -> Phase {
        if self.is_complete() {
            if self.state.failed.is_empty() { Phase::Done } else { Phase::Failed }
        } else if cancelled || self.state.control.cancelled {
            Phase::Cancelled
        } else if self.waiting_on > 0 || self.far_open || waits {
            Phase::Blocked
        } else if self.live.is_empty() && self.done.is_empty() && self.state.failed.is_empty() {
            if self.open() == 0 { Phase::Blocked } else { Phase::Pending }
        } else {
            Phase::Running
        }
    }
}

impl Job {
    /// A job whose steps have not begun.
    pub(super) fn new(row: JobRow, show: ShowId, steps: Vec<Step>) -> Self {
        let mut job = Self {
            row,
            show,
            lists: Vec::new(),
            tasks: 0,
            tokens: Vec::new(),
            far_open: false,
            unsettled: steps.len() as u32,
            frames_total: steps.iter().map(|s| s.spec.frames.len()).sum(),
            frames_done: 0,
            frames_failed: 0,
            steps,
            pace: Pace::default(),
            counted: Counted::default(),
        };
        for i in 0..job.steps.len() {
            let after: BTreeSet<u32> = job.steps[i].spec.after.iter().copied().collect();
            job.steps[i].waiting_on = after.len() as u32;
            for earlier in after {
                if let Some(earlier) = job.steps.get_mut(earlier as usize) {
                    earlier.dependents.push(i as u32);
                }
            }
        }
        job
    }

    /// The steps' ids.
    pub(super) fn step_ids(&self) -> impl Iterator<Item = StepId> + use<> {
        let job = self.row.id;
        (0..self.steps.len() as u32).map(move |index| StepId { job, index })
    }

    /// Whether it, or a step of it, waits for another job.
    pub(super) fn is_after_others(&self) -> bool {
        let waits = |step: &Step| !step.state.control.after.is_empty();
        !self.row.terms.after.is_empty() || self.steps.iter().any(waits)
    }

    /// Position of the list of a group.
    pub(super) fn list(&self, level: Level, need: NeedId) -> Option<usize> {
        self.lists.iter().position(|list| list.level == level && list.need == need)
    }

    /// Whether a step could be leased from, were a frame of it free.
    pub(super) fn holds_only_leased(&self, step: &Step, now: Timestamp) -> bool {
        self.holds(step, now).all(|hold| matches!(hold, Hold::Leased | Hold::None))
    }

    /// Where a step is to be queued, and with how many frames.
    pub(super) fn wanted(&self, step: &Step, now: Timestamp) -> Option<(Level, u64)> {
        let free = self.holds(step, now).next().is_none();
        free.then(|| (step.level(&self.row), step.open()))
    }

    /// Books the end of a step, once: the steps that wait for nothing more.
    pub(super) fn settle(&mut self, index: u32) -> Option<Vec<u32>> {
        let step = &mut self.steps[index as usize];
        if step.settled || !step.is_over() {
            return None;
        }
        step.settled = true;
        self.unsettled -= 1;
        let mut unblocked = step.dependents.clone();
        unblocked.retain(|dependent| {
            let waiting = &mut self.steps[*dependent as usize].waiting_on;
            *waiting -= 1;
            *waiting == 0
        });
        Some(unblocked)
    }

    /// Takes the end of a step back: it has frames to do again.
    pub(super) fn unsettle(&mut self, index: u32) {
        let step = &mut self.steps[index as usize];
        if !step.settled || step.is_over() {
            return;
        }
        step.settled = false;
        self.unsettled += 1;
        for dependent in step.dependents.clone() {
            self.steps[dependent as usize].waiting_on += 1;
        }
    }

    /// How a submission is other work than this job, in words. Terms are not looked at, which
    /// people change, nor the specs of a pull, which have the time of its planning in them.
    fn differs(&self, spec: &JobSpec) -> Option<String> {
        let other = |what: &str, mine: &str, theirs: &str| {
            (mine != theirs).then(|| format!("whose {what} is '{mine}' and not '{theirs}'"))
        };
        let steps = || {
            let (mine, theirs) = (self.steps.len(), spec.steps.len());
            (mine != theirs).then(|| format!("which has {mine} steps and not {theirs}"))
        };
        let is_pull = self.steps.iter().any(|it| matches!(it.spec.kind, StepKind::Package(_)));
        let step = |(index, (mine, theirs)): (usize, (&Step, &StepSpec))| {
            let words =
                |it: &StepSpec| format!("'{}', {} of {}", it.name, it.kind.name(), it.frames);
            let (said, asked) = (words(&mine.spec), words(theirs));
            if said != asked {
                return Some(format!("whose step {index} is {said} and not {asked}"));
            }
            let another = !is_pull && mine.spec.kind != theirs.kind;
            another.then(|| format!("whose step {index} ({said}) is done in another way"))
        };
        other("name", &self.row.name, &spec.name)
            .or_else(|| other("show", &self.row.show, &spec.show))
            .or_else(steps)
            .or_else(|| self.steps.iter().zip(&spec.steps).enumerate().find_map(step))
    }

    pub(super) fn phase(&self) -> Phase {
        if self.row.cancelled {
            Phase::Cancelled
        } else if self.unsettled == 0 {
            let ended = self.steps.iter().any(|step| step.state.control.cancelled);
            match (self.frames_failed, ended) {
                (0, false) => Phase::Done,
                (0, true) => Phase::Cancelled,
                _ => Phase::Failed,
            }
        } else {
            let begun = |s: &Step| matches!(s.phase(false, false), Phase::Running) || s.settled;
            if self.steps.iter().any(begun) { Phase::Running } else { Phase::Pending }
        }
    }
}

impl State {
    pub(super) fn submit(&mut self, mut spec: JobSpec, fx: &mut Fx) -> Outcome<Reply> {
        spec.check()?;
        plain(&spec.name, "name")?;
        plain(&spec.show, "show")?;
        plain(spec.idempotency_key.as_deref().unwrap_or_default(), "idempotency_key")?;
        spec.steps.iter().try_for_each(|step| plain(&step.name, "steps.name"))?;
        if let Some(job) = self.same_request(&spec, fx)? {
            return Ok(Reply::Submitted { job, existed: true });
        }
        self.check_names(&spec)?;
        let by_step = self.spread(&mut spec)?;
        let id = JobId(self.next_job);
        self.next_job += 1;
        let row = JobRow {
            id,
            name: spec.name,
            show: spec.show,
            priority: spec.priority,
            terms: spec.terms,
            idempotency_key: spec.idempotency_key,
            submitted: self.now,
            finished: None,
            cancelled: false,
        };
        if let Some(key) = &row.idempotency_key {
            self.keys.insert(key.clone(), id);
        }
        fx.changes.jobs.insert(id, row.clone());
        let mut job = self.make_job(row, spec.steps.into_iter().map(Arc::new));
        for (step, after) in job.steps.iter_mut().zip(by_step) {
            if !after.is_empty() {
                step.state.control.after = after;
            }
        }
        for (step, id) in job.steps.iter().zip(job.step_ids()) {
            fx.changes.new_steps.insert(id, step.spec.clone());
            if !step.state.control.after.is_empty() {
                fx.touched.insert(id);
            }
        }
        let steps = job.step_ids();
        self.jobs.insert(id, Box::new(job));
        self.derive_waits(id);
        steps.for_each(|step| self.refresh(step, fx));
        Ok(Reply::Submitted { job: id, existed: false })
    }

    /// A job with its show and needs known by number.
    pub(super) fn make_job(
        &mut self,
        row: JobRow,
        specs: impl IntoIterator<Item = Arc<StepSpec>>,
    ) -> Job {
        let show = self.take_show(&row.show);
        let step = |spec: Arc<StepSpec>| {
            let (need, is_new) = self.queue.take_need(&spec.terms.needs);
            if is_new {
                self.need_changed(need);
            }
            Step::new(spec, need)
        };
        let steps = specs.into_iter().map(step).collect();
        if let Some(at) = row.terms.start_after.filter(|at| *at > self.now) {
            self.due_jobs.insert((at, row.id));
        }
        Job::new(row, show, steps)
    }

    /// Pools, limits and jobs that a submission names must be there: a name
    /// that was mistyped would wait for ever.
    fn check_names(&self, spec: &JobSpec) -> Outcome<()> {
        for (i, step) in spec.steps.iter().enumerate() {
            let place = || format!("steps[{i}] '{}'", step.name);
            let needs = &step.terms.needs;
            let known = |pool: &String| {
                self.setting(SettingKind::Pool, pool).is_some()
                    || self.workers.values().any(|w| w.row.traits.pools.contains(pool))
            };
            if let Some(pool) = needs.pool.as_ref().filter(|pool| !known(pool)) {
                let message = format!("there is no pool '{pool}'");
                return Err(Fault::new(Code::UnknownPool, message).at(place()));
            }
            for (limit, amount) in &needs.limits {
                if self.setting(SettingKind::Limit, limit).is_none() {
                    let message = format!("there is no limit '{limit}'");
                    return Err(Fault::new(Code::UnknownLimit, message).at(place()));
                }
                if u64::from(*amount) > self.limit_count(limit) {
                    let count = self.limit_count(limit);
                    let message =
                        format!("a task takes {amount} of the limit '{limit}', which has {count}");
                    return Err(Fault::new(Code::BadSpec, message).at(place()));
                }
            }
        }
        spec.terms.after.iter().try_for_each(|after| self.check_target(after.on))
    }

    /// Dependencies of a job on same frames become those of its steps.
    fn spread(&self, spec: &mut JobSpec) -> Outcome<Vec<Vec<Dependency>>> {
        let mut by_step = vec![Vec::new(); spec.steps.len()];
        for after in std::mem::take(&mut spec.terms.after) {
            if !after.same_frames {
                spec.terms.after.push(after);
                continue;
            }
            for (index, of_step) in (0..).zip(&mut by_step) {
                of_step.extend(self.same_step(after, index));
            }
        }
        Ok(by_step)
    }

    /// What the step at `index` of a job waits for, when the job waits for `after`.
    pub(super) fn same_step(&self, after: Dependency, index: u32) -> Option<Dependency> {
        let on = match after.on {
            Target::Step(step) => step,
            Target::Job(job) => StepId { job, index },
        };
        let there = self.jobs.get(&on.job).is_some_and(|j| (on.index as usize) < j.steps.len());
        there.then_some(Dependency { on: Target::Step(on), same_frames: true })
    }

    /// The job that was handed in under the key of a submission and is under way or done. One
    /// that was cancelled or failed gives up its key: who asks again wants another try.
    fn same_request(&mut self, spec: &JobSpec, fx: &mut Fx) -> Outcome<Option<JobId>> {
        let Some(key) = &spec.idempotency_key else { return Ok(None) };
        let Some(id) = self.keys.get(key).copied() else { return Ok(None) };
        let Some(job) = self.jobs.get_mut(&id) else { return Ok(None) };
        if matches!(job.phase(), Phase::Cancelled | Phase::Failed) {
            job.row.idempotency_key = None;
            fx.changes.jobs.insert(id, job.row.clone());
            return Ok(None);
        }
        match job.differs(spec) {
            Some(how) => {
                let message = format!("the key '{key}' is of {id}, {how}");
                Err(Fault::new(Code::KeyTaken, message).at("idempotency_key"))
            }
            None => Ok(Some(id)),
        }
    }
}
