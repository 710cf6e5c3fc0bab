//! What outlives the process: the rows that the core hands to the store and
//! is rebuilt from. Nothing that follows from other rows is among them: done
//! and leased frames stand in the leases, pending ones are what remains, and
//! phases are derived. So no two rows can disagree.

use super::spans::SpanMap;
use platefarm_model::farm::{
    Dependency, JobTerms, PriorityClass, Setting, SettingKind, WorkerTraits,
};
use platefarm_model::job::{FrameOutcome, StepSpec};
use platefarm_model::{
    Fault, FrameRange, FrameSet, JobId, LeaseToken, StepId, Timestamp, WorkerId,
};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// A job without its steps.
#[derive(Clone, Debug, PartialEq)]
pub struct JobRow {
    /// Its id.
    pub id: JobId,
    /// Its name.
    pub name: String,
    /// Production.
    pub show: String,
    /// Higher runs first, within the class.
    pub priority: i32,
    /// Its class, deadline, and what else people change.
    pub terms: JobTerms,
    /// Chosen by the submitter.
    pub idempotency_key: Option<String>,
    /// When it was accepted.
    pub submitted: Timestamp,
    /// When it was settled or cancelled.
    pub finished: Option<Timestamp>,
    /// Whether a person ended it before it was settled.
    pub cancelled: bool,
}

/// What went wrong with a frame that may still be done.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Trouble {
    /// Failed attempts that count.
    pub attempts: u32,
    /// Failures that were the farm's and count for nothing but their own bound.
    pub excused: u32,
    /// The first cause.
    pub fault: Fault,
    /// Workers that it failed on, in order.
    pub workers: Vec<WorkerId>,
    /// When it failed last.
    pub since: Timestamp,
}

/// What is remembered of frames whose lease was lost with its worker: nobody
/// is charged, but what keeps taking workers down is isolated and then given up.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Loss {
    /// Most frames that may be leased together from here.
    pub limit: u64,
    /// Losses in which it was the only frame outstanding.
    pub alone: u32,
    /// Of such losses those whose worker was heard again: it had not gone down.
    #[serde(default)]
    pub away: u32,
}

impl Loss {
    /// Whether workers went down while this frame was all that was outstanding:
    /// once is what a power cut does to every frame in hand.
    #[must_use]
    pub const fn is_suspect(&self) -> bool {
        self.alone > 1
    }
}

/// A person's word on one step, where it differs from the job's.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct StepControl {
    /// Whether it is held.
    pub paused: bool,
    /// Whether it was ended.
    pub cancelled: bool,
    /// Its class and number.
    pub level: Option<(PriorityClass, i32)>,
    /// What it waits for, of other jobs.
    pub after: Vec<Dependency>,
}

/// The part of a step that changes: failures and people write it. Most steps never have any.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct StepState {
    /// Frames given up.
    #[serde(default)]
    pub failed: FrameSet,
    /// First cause of a frame that was given up.
    #[serde(default)]
    pub first_fault: Option<Fault>,
    /// Frames that failed and may still be done.
    #[serde(default)]
    pub troubles: BTreeMap<i64, Trouble>,
    /// Frames whose lease was lost.
    #[serde(default)]
    pub losses: SpanMap<Loss>,
    /// What people said of it.
    #[serde(default)]
    pub control: StepControl,
    /// When its first frame was leased; only where its time is limited.
    #[serde(default)]
    pub started: Option<Timestamp>,
    /// Frames done under leases that are no longer kept, of a job that ended long ago.
    #[serde(default)]
    pub sealed: FrameSet,
}

/// A lease, live or ended. It is kept when it has ended, so that a late or
/// repeated report is judged exactly: was this frame accepted under this token?
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LeaseRow {
    /// Fencing token.
    pub token: LeaseToken,
    /// The step.
    pub step: StepId,
    /// Whose it is.
    pub worker: WorkerId,
    /// Frames as granted.
    pub granted: FrameRange,
    /// Frames not yet reported; empty when the lease has ended.
    pub keep: FrameSet,
    /// Frames accepted as done under this token.
    pub done: FrameSet,
}

/// A worker.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WorkerRow {
    /// Its id.
    pub id: WorkerId,
    /// Name that it registered under.
    pub name: String,
    /// Chosen by its process.
    pub instance: String,
    /// Tasks that it runs at a time.
    pub slots: u32,
    /// Backend that it renders with.
    pub backend: String,
    /// What it says of itself.
    pub traits: WorkerTraits,
}

/// The highest ids that were given out and of which nothing is kept any more:
/// no id is ever given out again. 0: none yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Marks {
    /// Of jobs that were forgotten.
    pub job: JobId,
    /// Of workers that left.
    pub worker: WorkerId,
}

impl Default for Marks {
    fn default() -> Self {
        Self { job: JobId(0), worker: WorkerId(0) }
    }
}

impl Marks {
    /// The higher of each.
    pub(super) fn raise(&mut self, other: Self) {
        self.job = self.job.max(other.job);
        self.worker = self.worker.max(other.worker);
    }
}

/// The name of a [`Setting`] among those of its kind.
pub type SettingKey = (SettingKind, String);

/// Who ended a frame: it is said with the result, which outlives leases and workers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Author {
    /// The worker.
    pub worker: WorkerId,
    /// Its name; empty where it had left by then. All frames of a report have it in common.
    pub name: Arc<str>,
}

/// How a frame ended, for good. Written once and never changed.
#[derive(Clone, Debug, PartialEq)]
pub struct FrameRow {
    /// The step.
    pub step: StepId,
    /// Token under which it was accepted or given up.
    pub token: LeaseToken,
    /// Whose token it was; none: nobody's, or an earlier version did not say.
    pub by: Option<Author>,
    /// The result, or the first cause.
    pub outcome: FrameOutcome,
}

/// Events of one transaction, as they are kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EventRow {
    /// Cursor of the last of them; the others count back from it.
    pub last: u64,
    /// Cursor of the last event before them.
    pub follows: u64,
    /// When they were decided.
    pub at: Timestamp,
    /// Bytes of all rows up to this one.
    pub total: u64,
    /// The events as a JSON list, without their cursors and times.
    pub body: String,
}

/// Rows to write, the last state of each: one transaction.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Changes {
    /// Jobs, new and changed.
    pub jobs: BTreeMap<JobId, JobRow>,
    /// New steps.
    pub new_steps: BTreeMap<StepId, Arc<StepSpec>>,
    /// Steps whose failures changed.
    pub steps: BTreeMap<StepId, StepState>,
    /// Leases, new and changed.
    pub leases: BTreeMap<LeaseToken, LeaseRow>,
    /// Workers, new and changed.
    pub workers: BTreeMap<WorkerId, WorkerRow>,
    /// Frames that ended.
    pub frames: Vec<FrameRow>,
    /// Frames that had been given up and are tried again: their ends are struck out, before `frames` are written.
    pub reopened: BTreeMap<StepId, FrameSet>,
    /// What people set up; nothing: it is taken away.
    pub settings: BTreeMap<SettingKey, Option<Setting>>,
    /// Jobs whose ended leases are struck out; their steps keep the frames as `sealed`.
    pub compacted: BTreeSet<JobId>,
    /// Jobs of which nothing is kept but the mark of their ids.
    pub forgotten: BTreeSet<JobId>,
    /// Workers that left, with their names; nothing is kept of them but the mark of their ids.
    pub departed: BTreeMap<WorkerId, String>,
    /// What is told of all this; whoever stores it writes it.
    pub events: Vec<EventRow>,
}

impl Changes {
    /// Whether there is nothing to write.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.jobs.is_empty()
            && self.new_steps.is_empty()
            && self.steps.is_empty()
            && self.leases.is_empty()
            && self.workers.is_empty()
            && self.frames.is_empty()
            && self.reopened.is_empty()
            && self.settings.is_empty()
            && self.compacted.is_empty()
            && self.forgotten.is_empty()
            && self.departed.is_empty()
            && self.events.is_empty()
    }

    /// Adds what was decided later.
    pub fn merge(&mut self, mut later: Self) {
        if !later.reopened.is_empty() {
            // What ended in this very batch has not been written.
            let again = |row: &FrameRow| later.reopened.get(&row.step);
            let struck = |row: &FrameRow| {
                again(row).is_some_and(|frames| frames.contains(row.outcome.frame()))
            };
            self.frames.retain(|row| !struck(row));
        }
        for (step, frames) in later.reopened {
            self.reopened.entry(step).or_default().insert_all(&frames);
        }
        for job in &later.compacted {
            self.leases.retain(|_, lease| lease.step.job != *job);
        }
        for job in &later.forgotten {
            self.jobs.remove(job);
            self.new_steps.retain(|step, _| step.job != *job);
            self.steps.retain(|step, _| step.job != *job);
            self.leases.retain(|_, lease| lease.step.job != *job);
            self.frames.retain(|row| row.step.job != *job);
        }
        for worker in later.departed.keys() {
            self.workers.remove(worker);
        }
        // Not `append`, which goes over all that is there, for each command of a turn.
        self.jobs.extend(later.jobs);
        self.new_steps.extend(later.new_steps);
        self.steps.extend(later.steps);
        self.leases.extend(later.leases);
        self.workers.extend(later.workers);
        self.frames.append(&mut later.frames);
        self.settings.extend(later.settings);
        self.compacted.extend(later.compacted);
        self.forgotten.extend(later.forgotten);
        self.departed.extend(later.departed);
        self.events.append(&mut later.events);
    }

    /// The highest ids of what is struck out.
    #[must_use]
    pub fn marks(&self) -> Marks {
        let job = self.forgotten.last().copied().unwrap_or(JobId(0));
        Marks { job, worker: self.departed.last_key_value().map_or(WorkerId(0), |(id, _)| *id) }
    }

    /// The jobs that look different to a watcher.
    #[must_use]
    pub fn jobs_touched(&self) -> BTreeSet<JobId> {
        let mut touched: BTreeSet<JobId> = self.jobs.keys().copied().collect();
        touched.extend(self.steps.keys().map(|id| id.job));
        touched.extend(self.leases.values().map(|lease| lease.step.job));
        touched.extend(&self.forgotten);
        touched
    }
}

/// Everything that the core is rebuilt from.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Snapshot {
    /// Jobs.
    pub jobs: BTreeMap<JobId, JobRow>,
    /// Steps.
    pub steps: BTreeMap<StepId, (Arc<StepSpec>, StepState)>,
    /// Leases, live and ended.
    pub leases: BTreeMap<LeaseToken, LeaseRow>,
    /// Workers, but those that left.
    pub workers: BTreeMap<WorkerId, WorkerRow>,
    /// What people set up.
    pub settings: BTreeMap<SettingKey, Setting>,
    /// Ids of which nothing else is kept.
    pub marks: Marks,
}

impl Snapshot {
    /// Adds the rows of another part of the same farm.
    pub fn append(&mut self, part: Self) {
        // Not those of trees, which go over all that is there, for each part.
        self.jobs.extend(part.jobs);
        self.steps.extend(part.steps);
        self.leases.extend(part.leases);
        self.workers.extend(part.workers);
        self.settings.extend(part.settings);
        self.marks.raise(part.marks);
    }

    /// Jobs that are waited for by those that are here, and are not.
    #[must_use]
    pub fn waits_for(&self) -> BTreeSet<JobId> {
        let of_jobs = self.jobs.values().flat_map(|job| &job.terms.after);
        let of_steps = self.steps.values().flat_map(|(_, state)| &state.control.after);
        let on = of_jobs.chain(of_steps).map(|after| after.on.job());
        on.filter(|job| !self.jobs.contains_key(job)).collect()
    }

    /// The rows after `changes`, as every store has them when it has written those.
    pub fn apply(&mut self, changes: &Changes) {
        let ended = |job: &JobId| changes.forgotten.contains(job);
        let struck = |lease: &LeaseRow| changes.compacted.contains(&lease.step.job);
        if !changes.compacted.is_empty() {
            self.leases.retain(|_, lease| !struck(lease));
        }
        self.jobs.extend(changes.jobs.clone());
        self.leases.extend(changes.leases.clone());
        self.workers.extend(changes.workers.clone());
        for worker in changes.departed.keys() {
            self.workers.remove(worker);
        }
        self.marks.raise(changes.marks());
        for (id, spec) in &changes.new_steps {
            self.steps.insert(*id, (Arc::clone(spec), StepState::default()));
        }
        for (id, state) in &changes.steps {
            if let Some(step) = self.steps.get_mut(id) {
                step.1 = state.clone();
            }
        }
        for (key, value) in &changes.settings {
            match value {
                Some(value) => drop(self.settings.insert(key.clone(), value.clone())),
                None => drop(self.settings.remove(key)),
            }
        }
        if !changes.forgotten.is_empty() {
            self.jobs.retain(|job, _| !ended(job));
            self.steps.retain(|step, _| !ended(&step.job));
            self.leases.retain(|_, lease| !ended(&lease.step.job));
        }
    }
}
