//! What can be asked of the core, and what it answers.

use super::rows::Changes;
use platefarm_model::farm::{
    Control, NodeControl, PriorityClass, Setting, SettingKind, Target, WorkerTraits,
};
use platefarm_model::job::{FrameOutcome, JobSpec, StepSpec};
use platefarm_model::making::Making;
use platefarm_model::{FrameRange, JobId, LeaseToken, Outcome, StepId, WorkerId};
use std::sync::Arc;

/// Something that happens to the farm.
#[derive(Clone, Debug, PartialEq)]
pub enum Command {
    /// A job is handed in.
    Submit(Box<JobSpec>),
    /// A person does something to a job or step.
    Control(Target, Control),
    /// A person does something to a worker's node.
    Node(WorkerId, NodeControl),
    /// A person sets something up, or takes it away.
    Set(SettingKind, String, Option<Setting>),
    /// Nothing is kept of a job that has ended.
    Forget(JobId),
    /// A worker makes itself known.
    Register {
        /// Name that people see.
        name: String,
        /// Chosen by the process at its start; the same one is the same worker.
        instance: String,
        /// Tasks that it runs at a time.
        slots: u32,
        /// `cpu` or `gpu: <adapter>`.
        backend: String,
        /// What else it says of itself.
        traits: WorkerTraits,
    },
    /// A worker asks for a task.
    Acquire {
        /// Who asks.
        worker: WorkerId,
    },
    /// A worker reports frames.
    Report {
        /// Who reports.
        worker: WorkerId,
        /// Under which lease.
        token: LeaseToken,
        /// How they ended.
        outcomes: Vec<FrameOutcome>,
        /// The last frame that it will do of the lease; see [`Pulse::last`].
        last: Option<i64>,
    },
    /// A worker lives and works on these leases.
    Heartbeat {
        /// Who.
        worker: WorkerId,
        /// Leases in hand.
        leases: Vec<Pulse>,
    },
    /// A worker gives back what is not done.
    Release {
        /// Who.
        worker: WorkerId,
        /// Of which lease.
        token: LeaseToken,
    },
    /// A worker says good-bye.
    Leave {
        /// Who.
        worker: WorkerId,
    },
    /// Time has passed.
    Tick,
}

impl Command {
    /// The class of priority that it asks for.
    pub(crate) fn class(&self) -> Option<PriorityClass> {
        match self {
            Self::Submit(spec) => Some(spec.terms.class),
            Self::Control(_, Control::Priority { class, .. }) => *class,
            _ => None,
        }
    }
}

/// A lease as its holder sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pulse {
    /// Which.
    pub token: LeaseToken,
    /// The last frame that the holder will do of it, never before the one in
    /// hand. It may come nearer and never goes out again; frames beyond it are
    /// free for others from here on.
    pub last: Option<i64>,
    /// The lowest frame that is begun and not reported.
    pub in_hand: Option<i64>,
    /// Grows while the frame in hand makes progress.
    pub progress: u64,
    /// How far the package is, where the frame in hand is one.
    pub making: Option<Making>,
}

impl Pulse {
    /// Of a holder that says no more than that it has it.
    #[must_use]
    pub const fn of(token: LeaseToken) -> Self {
        Self { token, last: None, in_hand: None, progress: 0, making: None }
    }
}

/// A task as handed to a worker.
#[derive(Clone, Debug, PartialEq)]
pub struct Granted {
    /// Fencing token.
    pub token: LeaseToken,
    /// The step.
    pub step: StepId,
    /// The frames.
    pub frames: FrameRange,
    /// What to do; shared with the step.
    pub spec: Arc<StepSpec>,
}

/// What becomes of a reported frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Stored; a file may be published.
    Granted,
    /// Stored before under this token; the file may be published if it is not.
    Duplicate,
    /// The lease is not held or the frame is not in it; the file must go.
    Refused,
}

/// The answer to a command.
#[derive(Clone, Debug, PartialEq)]
pub enum Reply {
    /// The job, and whether it was there before.
    Submitted {
        /// Its id.
        job: JobId,
        /// Whether its key had been seen.
        existed: bool,
    },
    /// The worker's id.
    Registered(WorkerId),
    /// A task, or nothing to do.
    Acquired(Option<Granted>),
    /// A verdict per reported frame, and how far the holder shall go: to the last frame of `keep`,
    /// which lies before the lease's first where it shall begin nothing more.
    Reported {
        /// In the order of the report.
        verdicts: Vec<Verdict>,
        /// Absent: the lease has ended.
        keep: Option<FrameRange>,
    },
    /// How far the holder shall go in each lease, likewise, in the order they were named.
    Beaten {
        /// Absent: it has ended.
        leases: Vec<(LeaseToken, Option<FrameRange>)>,
        /// Whether the worker is to take no more tasks.
        drain: bool,
    },
    /// Nothing to say.
    Done,
}

/// What follows from a command. Nothing of it may leave the house before
/// `changes` are stored.
#[derive(Debug)]
pub struct Effects {
    /// The answer.
    pub reply: Outcome<Reply>,
    /// What to store.
    pub changes: Changes,
    /// Whether a worker that was told "nothing to do" should ask again.
    pub wake: bool,
    /// Workers that count as lost from here on.
    pub lost: Vec<WorkerId>,
}
