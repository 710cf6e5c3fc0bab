//! What people say about work and machines: how urgent it is, what it needs,
//! what it waits for, how much a show may have, and what a node is good for.
//! All of it can change at any time, and all of it outlives the process.

use crate::{Code, Fault, FrameSet, JobId, Outcome, StepId, Timestamp, limits};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::str::FromStr;

macro_rules! words {
    ($name:ident, $what:literal, $($variant:ident $word:literal),+) => {
        impl $name {
            /// All of them, in ascending order.
            pub const ALL: &[Self] = &[$(Self::$variant),+];

            /// The word that people and scripts see.
            #[must_use]
            pub const fn word(self) -> &'static str {
                match self { $(Self::$variant => $word),+ }
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(self.word())
            }
        }

        impl FromStr for $name {
            type Err = Fault;

            fn from_str(text: &str) -> Outcome<Self> {
                let is = |it: &&Self| it.word().eq_ignore_ascii_case(text);
                Self::ALL.iter().find(is).copied().ok_or_else(|| {
                    let all: Vec<_> = Self::ALL.iter().map(|it| it.word()).collect();
                    Fault::new(Code::UnknownOption, format!("'{text}' is not a {}", $what))
                        .remedy(format!("Choose one of: {}.", all.join(", ")))
                })
            }
        }
    };
}

pub(crate) use words;

/// How urgent work is. A higher class takes capacity from a lower one, at the
/// next frame; within a class nobody is interrupted.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize,
)]
#[serde(rename_all = "snake_case")]
pub enum PriorityClass {
    /// What fills the nights: yields to everything.
    Background,
    /// Ordinary work.
    #[default]
    Normal,
    /// Somebody waits for it now.
    Urgent,
}
words!(PriorityClass, "priority class", Background "background", Normal "normal", Urgent "urgent");

/// What a worker computes with; frame times are measured per class.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WorkerClass {
    /// Processor cores.
    Cpu,
    /// A graphics processor.
    Gpu,
}
words!(WorkerClass, "worker class", Cpu "cpu", Gpu "gpu");

impl WorkerClass {
    /// The class of a backend as workers name it: `cpu`, or `gpu: <adapter>`.
    #[must_use]
    pub fn of_backend(backend: &str) -> Self {
        if backend.starts_with("gpu") { Self::Gpu } else { Self::Cpu }
    }
}

/// What a step must be computed with.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize,
)]
#[serde(rename_all = "snake_case")]
pub enum Device {
    /// Either.
    #[default]
    Any,
    /// Only where no graphics processor is kept busy.
    Cpu,
    /// Only on a graphics processor.
    Gpu,
}
words!(Device, "device", Any "any", Cpu "cpu", Gpu "gpu");

fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

/// What a worker must have to be given a step, and what a task of it takes.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(default)]
pub struct Needs {
    /// A pool that the worker must be in.
    #[serde(skip_serializing_if = "is_default")]
    pub pool: Option<String>,
    /// Labels that the worker must have, all of them.
    #[serde(skip_serializing_if = "is_default")]
    pub labels: BTreeSet<String>,
    /// Memory that a slot must have, in MiB; 0: no matter.
    #[serde(skip_serializing_if = "is_default")]
    pub memory_mib: u64,
    /// What it computes with.
    #[serde(skip_serializing_if = "is_default")]
    pub device: Device,
    /// Of each named limit, how much a task takes.
    #[serde(skip_serializing_if = "is_default")]
    pub limits: BTreeMap<String, u32>,
}

/// What a step asks of the scheduler.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct StepTerms {
    /// What a worker must have.
    #[serde(skip_serializing_if = "is_default")]
    pub needs: Needs,
    /// Earlier steps (by position) of which the same frame must be settled
    /// first. Frames that the other step does not have wait for nothing.
    #[serde(skip_serializing_if = "is_default")]
    pub after_same_frames: Vec<u32>,
    /// Longest time that one frame may take, in seconds; 0: no limit.
    #[serde(skip_serializing_if = "is_default")]
    pub frame_limit_s: u32,
    /// Longest time from the first lease to the last frame, in seconds; 0: no limit.
    #[serde(skip_serializing_if = "is_default")]
    pub step_limit_s: u32,
    /// What the media lie near to (a volume, a media root, a clip): workers
    /// that say the same, or had it last, are asked first.
    #[serde(skip_serializing_if = "is_default")]
    pub near: Vec<String>,
    /// The trace that its work belongs to: a context as `traceparent` of W3C
    /// Trace Context has it. None: nobody traces it.
    #[serde(skip_serializing_if = "is_default")]
    pub trace: Option<Box<str>>,
}

/// What a job asks of the scheduler; people change it at any time.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct JobTerms {
    /// How urgent it is.
    #[serde(skip_serializing_if = "is_default")]
    pub class: PriorityClass,
    /// When it is wanted; the earliest goes first within a class.
    #[serde(skip_serializing_if = "is_default")]
    pub deadline: Option<Timestamp>,
    /// Nothing of it begins before.
    #[serde(skip_serializing_if = "is_default")]
    pub start_after: Option<Timestamp>,
    /// Most tasks of it at a time.
    #[serde(skip_serializing_if = "is_default")]
    pub max_tasks: Option<u32>,
    /// What must be settled first.
    #[serde(skip_serializing_if = "is_default")]
    pub after: Vec<Dependency>,
    /// Whether it is held.
    #[serde(skip_serializing_if = "is_default")]
    pub paused: bool,
    /// Name of the token that handed it in, as the scheduler saw it; none where nobody has to say it.
    #[serde(skip_serializing_if = "is_default")]
    pub submitted_by: Option<Box<str>>,
}

/// A job, or one step of it: `j12`, `j12.3`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Target {
    /// All of a job.
    Job(JobId),
    /// One step.
    Step(StepId),
}

impl Target {
    /// The job that it is, or is of.
    #[must_use]
    pub const fn job(self) -> JobId {
        match self {
            Self::Job(job) => job,
            Self::Step(step) => step.job,
        }
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Job(job) => job.fmt(f),
            Self::Step(step) => step.fmt(f),
        }
    }
}

impl FromStr for Target {
    type Err = Fault;

    fn from_str(text: &str) -> Outcome<Self> {
        if text.contains('.') { text.parse().map(Self::Step) } else { text.parse().map(Self::Job) }
    }
}

impl TryFrom<String> for Target {
    type Error = Fault;

    fn try_from(text: String) -> Outcome<Self> {
        text.parse()
    }
}

impl From<Target> for String {
    fn from(target: Target) -> Self {
        target.to_string()
    }
}

/// Something that must be settled first: done, given up or cancelled.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Dependency {
    /// What is waited for.
    pub on: Target,
    /// Whether each frame waits for the same frame only. A job on a job then
    /// waits step by step, in their order.
    #[serde(default)]
    pub same_frames: bool,
}

/// What a person does to a job or a step.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Control {
    /// Nothing new of it is begun; frames in hand are finished.
    Pause,
    /// It goes on.
    Resume,
    /// It is ended. What is done stays done.
    Cancel,
    /// Frames that were given up are tried again, with all their attempts; all
    /// of them, or those of the set. A cancelled job is taken up again.
    Retry(Option<FrameSet>),
    /// Its place among others.
    Priority {
        /// Its class; absent: as it is.
        class: Option<PriorityClass>,
        /// Its number within the class; absent: as it is.
        priority: Option<i32>,
    },
    /// When it is wanted; jobs only.
    Deadline(Option<Timestamp>),
    /// When it may begin; jobs only.
    StartAfter(Option<Timestamp>),
    /// Most tasks at a time; jobs only.
    MaxTasks(Option<u32>),
    /// It waits for something more.
    Depend(Dependency),
    /// It does not wait for that any more.
    Undepend(Target),
}

/// What a worker says of itself when it registers.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct WorkerTraits {
    /// Labels.
    #[serde(skip_serializing_if = "is_default")]
    pub labels: BTreeSet<String>,
    /// Pools that it belongs to.
    #[serde(skip_serializing_if = "is_default")]
    pub pools: BTreeSet<String>,
    /// Memory per slot, in MiB; 0: not known, and taken to be enough.
    #[serde(skip_serializing_if = "is_default")]
    pub memory_mib: u64,
    /// Volumes, roots and the like that it has at hand.
    #[serde(skip_serializing_if = "is_default")]
    pub near: BTreeSet<String>,
}

/// A named set of workers: those that say so when they register, and those
/// with all of its labels.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Pool {
    /// Workers that have all of these belong to it; none: only who says so.
    #[serde(skip_serializing_if = "is_default")]
    pub labels: BTreeSet<String>,
    /// Workers of it that are wanted though nothing waits.
    #[serde(skip_serializing_if = "is_default")]
    pub reserve: u32,
}

/// A named counted resource: licences, bandwidth of a volume.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Limit {
    /// How much of it there is.
    pub count: u32,
}

/// What a show may have of the farm.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Share {
    /// Its part, against the parts of the others.
    pub weight: u32,
    /// Tasks that it gets before others get more than theirs, within a class.
    pub guarantee: u32,
    /// Most tasks at a time.
    pub ceiling: Option<u32>,
    /// Workers without a GPU that are wanted for it though nothing waits.
    #[serde(skip_serializing_if = "is_default")]
    pub warm_cpu: u32,
    /// Workers with a GPU, likewise.
    #[serde(skip_serializing_if = "is_default")]
    pub warm_gpu: u32,
    /// The highest class that those may ask for who do not run the farm.
    pub highest_class: PriorityClass,
}

impl Default for Share {
    fn default() -> Self {
        let highest_class = PriorityClass::Urgent;
        Self { weight: 1, guarantee: 0, ceiling: None, warm_cpu: 0, warm_gpu: 0, highest_class }
    }
}

/// Why a node gets no work, and when it is tried again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Quarantine {
    /// Why, in words.
    pub reason: String,
    /// Since when.
    pub since: Timestamp,
    /// When it is given single frames to prove itself; none: when a person says so.
    #[serde(default)]
    pub retry_at: Option<Timestamp>,
    /// How often in a row.
    #[serde(default)]
    pub strikes: u32,
}

/// What people and evidence said about a node. It is kept by the worker's
/// name, so that it outlives the process there.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Node {
    /// Whether it finishes what it has and gets nothing new.
    #[serde(skip_serializing_if = "is_default")]
    pub draining: bool,
    /// Why, in the words of who said so; empty: they did not say.
    #[serde(skip_serializing_if = "is_default")]
    pub drain_reason: String,
    /// Whether it is kept from work.
    #[serde(skip_serializing_if = "is_default")]
    pub quarantine: Option<Quarantine>,
    /// Labels beyond those that it says itself.
    #[serde(skip_serializing_if = "is_default")]
    pub labels: BTreeSet<String>,
    /// Labels of its own that do not count.
    #[serde(skip_serializing_if = "is_default")]
    pub without: BTreeSet<String>,
}

/// What a person does to a worker's node.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NodeControl {
    /// It finishes the frames in hand and gets nothing new.
    Drain {
        /// Why; may be empty.
        reason: String,
    },
    /// It gets work again, whatever held it: drained or quarantined.
    Resume,
    /// It is kept from work until a person resumes it.
    Quarantine {
        /// Why.
        reason: String,
    },
    /// Labels are added and taken away.
    Label {
        /// To add.
        add: BTreeSet<String>,
        /// To take away.
        remove: BTreeSet<String>,
    },
    /// It is struck from the list; what it has goes to others. A process that lives registers again.
    Remove,
}

/// A named thing that people set up.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Setting {
    /// A pool of workers.
    Pool(Pool),
    /// A limit.
    Limit(Limit),
    /// A show's share.
    Share(Share),
    /// A node.
    Node(Node),
}

/// The kinds of [`Setting`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum SettingKind {
    /// A pool of workers.
    Pool,
    /// A limit.
    Limit,
    /// A show's share.
    Share,
    /// A node.
    Node,
}
words!(SettingKind, "kind of setting", Pool "pool", Limit "limit", Share "share", Node "node");

impl Setting {
    /// Its kind.
    #[must_use]
    pub const fn kind(&self) -> SettingKind {
        match self {
            Self::Pool(_) => SettingKind::Pool,
            Self::Limit(_) => SettingKind::Limit,
            Self::Share(_) => SettingKind::Share,
            Self::Node(_) => SettingKind::Node,
        }
    }
}

/// Checks a name that people give to a pool, a limit, a show, a label: what
/// fits a command line and a metric.
///
/// # Errors
/// [`Code::BadName`].
pub fn check_name(name: &str, place: &str) -> Outcome<()> {
    let fits = |c: char| c.is_alphanumeric() || "._-=/:".contains(c);
    if name.is_empty() || name.len() > limits::MAX_NAME_BYTES || !name.chars().all(fits) {
        let message = format!("'{name}' is not a name");
        return Err(Fault::new(Code::BadName, message)
            .at(place)
            .remedy("Use letters, digits and . _ - = / : in names."));
    }
    Ok(())
}

impl Needs {
    /// Checks the names, and that no amount is zero.
    ///
    /// # Errors
    /// [`Code::BadName`], [`Code::BadSpec`].
    pub fn check(&self) -> Outcome<()> {
        self.pool.iter().try_for_each(|pool| check_name(pool, "pool"))?;
        self.labels.iter().try_for_each(|label| check_name(label, "labels"))?;
        for (limit, amount) in &self.limits {
            check_name(limit, "limits")?;
            if *amount == 0 {
                let message = format!("a task takes 0 of the limit '{limit}'");
                return Err(Fault::new(Code::BadSpec, message).at("limits"));
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
