//! What can be asked of the core, and what it answers.

use super::rows::Changes;
use platefarm_model::farm::WorkerTraits;
use platefarm_model::job::{FrameOutcome, JobSpec, StepSpec};
use platefarm_model::{FrameRange, JobId, LeaseToken, Outcome, StepId, WorkerId};
use std::sync::Arc;

/// Something that happens to the farm.
#[derive(Clone, Debug, PartialEq)]
pub enum Command {
    /// A job is handed in.
    Submit(Box<JobSpec>),
    /// A job is ended by a person.
    Cancel(JobId),
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
    },
    /// A worker lives and works on these leases.
    Heartbeat {
        /// Who.
        worker: WorkerId,
        /// Leases in hand.
        tokens: Vec<LeaseToken>,
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
    /// A verdict per reported frame, and the hull of what is left of the lease.
    Reported {
        /// In the order of the report.
        verdicts: Vec<Verdict>,
        /// Absent: the lease has ended.
        keep: Option<FrameRange>,
    },
    /// What is left of each lease; absent: it has ended.
    Beaten(Vec<(LeaseToken, Option<FrameRange>)>),
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
}
