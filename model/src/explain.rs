//! Answers about the queue: why something waits, and what would get work.

use crate::farm::{PriorityClass, Quarantine, Target, WorkerClass};
use crate::{FrameSet, StepId};
use serde::{Deserialize, Serialize};

/// Why a step does not get more than it has. The words are stable, for scripts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Hold {
    /// Nothing holds it: it is leased, or the next free worker gets it.
    None,
    /// Every frame is done or given up.
    Settled,
    /// It was cancelled.
    Cancelled,
    /// Every frame that is left is leased.
    Leased,
    /// A person paused it.
    Paused,
    /// It may not begin yet.
    StartAfter,
    /// It waits for another step or job.
    Dependency,
    /// The job has as many tasks as it may have.
    JobCap,
    /// The show has as many tasks as it may have.
    ShowCeiling,
    /// A named limit is used up.
    Limit,
    /// No worker that is alive fits.
    NoWorker,
    /// Workers fit, and none of them takes work: drained, quarantined.
    NoneOpen,
    /// Workers fit, and all of them are busy with what goes first.
    Outranked,
    /// A frame that failed waits for a worker that it did not fail on.
    Elsewhere,
}

impl Hold {
    /// The word that people and scripts see.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::None => "flowing",
            Self::Settled => "settled",
            Self::Cancelled => "cancelled",
            Self::Leased => "leased",
            Self::Paused => "paused",
            Self::StartAfter => "start_after",
            Self::Dependency => "dependency",
            Self::JobCap => "job_cap",
            Self::ShowCeiling => "show_ceiling",
            Self::Limit => "limit",
            Self::NoWorker => "no_worker",
            Self::NoneOpen => "none_open",
            Self::Outranked => "outranked",
            Self::Elsewhere => "elsewhere",
        }
    }
}

/// One reason, in words, with what would change it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reason {
    /// Which it is: [`Hold::word`].
    pub hold: String,
    /// The reason with its values.
    pub text: String,
    /// What would change it; empty: nothing need be done.
    pub remedy: String,
}

/// Steps that wait for the same reasons.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Explained {
    /// The first of them.
    pub first: StepId,
    /// How many.
    pub steps: u64,
    /// Their positions.
    pub indices: FrameSet,
    /// Frames of them that could be leased but for the reasons.
    pub frames_waiting: u64,
    /// Why; never empty.
    pub reasons: Vec<Reason>,
}

/// Why a job or step does or does not run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Explanation {
    /// What was asked about.
    pub target: Target,
    /// Its phase.
    pub phase: String,
    /// Tasks of it that run.
    pub running: u64,
    /// Its steps by reason.
    pub groups: Vec<Explained>,
}

/// Workers that are imagined.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WhatIf {
    /// How many.
    pub workers: u32,
    /// What they compute with.
    pub class: WorkerClass,
    /// Tasks that each runs at a time.
    pub slots: u32,
    /// What they say of themselves.
    #[serde(default)]
    pub traits: crate::farm::WorkerTraits,
}

/// What imagined workers would get.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct WhatIfAnswer {
    /// Workers that would get work at once.
    pub busy_workers: u32,
    /// Tasks that they would get.
    pub tasks: u64,
    /// Those, by job.
    pub by_job: Vec<WhatIfTask>,
    /// Frames that could be leased and would still wait.
    pub frames_left: u64,
}

/// Tasks of one job that imagined workers would get.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WhatIfTask {
    /// The job.
    pub job: crate::JobId,
    /// Its name.
    pub name: String,
    /// Its show.
    pub show: String,
    /// Its class.
    pub class: PriorityClass,
    /// Tasks.
    pub tasks: u64,
    /// Frames in them.
    pub frames: u64,
}

/// What people set up, with how much of it is in use.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SettingsView {
    /// Pools.
    pub pools: Vec<PoolView>,
    /// Limits.
    pub limits: Vec<LimitView>,
    /// Shows that have a share or use the farm.
    pub shares: Vec<ShareView>,
    /// Nodes that are drained, quarantined or labelled.
    pub nodes: Vec<NodeView>,
}

/// A pool.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PoolView {
    /// Its name.
    pub name: String,
    /// Labels that make a worker belong to it.
    pub labels: Vec<String>,
    /// Workers in it that are alive.
    pub workers: u64,
    /// Workers of it that are wanted though nothing waits.
    pub reserve: u32,
}

/// A limit.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LimitView {
    /// Its name.
    pub name: String,
    /// How much of it there is; none: it was removed while in use.
    pub count: Option<u32>,
    /// How much of it is taken.
    pub used: u64,
}

/// A show's share of the farm.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ShareView {
    /// The show.
    pub show: String,
    /// Its share.
    pub share: crate::farm::Share,
    /// Tasks that it has now.
    pub tasks: u64,
    /// Frames of it that could be leased now.
    pub frames_waiting: u64,
}

/// A node and what is held against it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NodeView {
    /// Its name: the worker's.
    pub name: String,
    /// Whether it gets nothing new.
    pub draining: bool,
    /// Why; empty: nobody said.
    #[serde(default)]
    pub drain_reason: String,
    /// Why it is kept from work.
    pub quarantine: Option<Quarantine>,
    /// Labels that people added.
    pub labels: Vec<String>,
    /// Labels that people took away.
    pub without: Vec<String>,
}
