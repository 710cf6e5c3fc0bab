//! What a farm can ask a worker to do. A kind is a file here, a line in
//! [`JOB_KINDS`], and a variant of [`platefarm_model::job::StepKind`] under the
//! same name.

mod noop;
mod package;
mod render;

pub use noop::Noop;
pub use package::Package;
pub use render::Render;

use crate::leash::Leash;
use crate::render::{Engines, Flight, SessionCache};
use crate::roots::Roots;
use crate::still::{Still, Stills};
use platefarm_model::code::Owner;
use platefarm_model::job::{FrameOutcome, FrameResult, Lease};
use platefarm_model::{Code, Fault, FrameRange, FrameSet, JobId, Outcome};
use serde::{Deserialize, Serialize};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

/// Every kind.
pub const JOB_KINDS: &[&dyn JobKind] = &[&Render, &Package, &Noop];

/// The kind that is called `name`.
#[must_use]
pub fn find(kinds: &[&'static dyn JobKind], name: &str) -> Option<&'static dyn JobKind> {
    kinds.iter().copied().find(|kind| kind.name() == name)
}

/// One kind of work. Kinds hold no state: what may be kept between tasks, for
/// speed only, is in [`Environment`].
pub trait JobKind: Send + Sync {
    /// Its name in submissions.
    fn name(&self) -> &'static str;

    /// The directory under which it stages files for this lease, in the
    /// attempt that is named by the token; none when it writes no files.
    fn out_dir<'a>(&self, lease: &'a Lease) -> Option<&'a Path> {
        let _ = lease;
        None
    }

    /// Does the frames of the lease, as far as the leash allows, and hands over
    /// each outcome as it comes. Runs on a thread that may block. Frames that
    /// it does not speak of were not done.
    ///
    /// # Errors
    /// A fault that keeps the whole task from running.
    fn run(&self, task: &Task<'_>, sink: &mut dyn FnMut(FrameOutcome)) -> Outcome<()>;
}

/// Does a task with the kind that it is of. Whatever happens, the frames that
/// the leash still allows have an outcome or are not begun; what kept the task
/// from running comes back as well.
///
/// # Errors
/// That fault; the frames that it concerns have been handed over with it.
pub fn run(
    kinds: &[&'static dyn JobKind],
    lease: &Lease,
    leash: &Leash,
    env: &Environment,
    ledger: &dyn Ledger,
    sink: &mut dyn FnMut(FrameOutcome),
) -> Outcome<()> {
    // Whatever is logged on the way says whose it is, in a process of its own too.
    let (step, token) = (lease.step, lease.token);
    let _named = tracing::error_span!("task", job = %step.job, %step, %token).entered();
    let mut spoken = FrameSet::new();
    let result = catch_unwind(AssertUnwindSafe(|| {
        let name = lease.spec.kind.name();
        let kind = find(kinds, name).ok_or_else(|| {
            Fault::new(Code::BadSpec, format!("this worker does not know the kind '{name}'"))
        })?;
        kind.run(&Task { lease, leash, env, ledger }, &mut |outcome| {
            spoken.insert(FrameRange::single(outcome.frame()));
            leash.ended(outcome.frame());
            sink(outcome);
        })
    }));
    let fault = match result {
        Ok(Ok(())) => return Ok(()),
        Ok(Err(fault)) => fault,
        Err(panic) => crate::render::panicked_with(panic.as_ref()),
    };
    tracing::error!(%fault, "the task failed");
    for frame in lease.frames.iter().filter(|f| !spoken.contains(*f)) {
        if !leash.allows(frame) {
            break;
        }
        sink(FrameOutcome::Failed { frame, fault: fault.clone() });
        // What is wrong with this machine or the farm is said once, and the rest given back.
        if matches!(fault.owner(), Owner::Worker | Owner::Farm) {
            break;
        }
    }
    Err(fault)
}

/// One task as a kind sees it.
pub struct Task<'a> {
    /// The lease: step, frames, spec and token.
    pub lease: &'a Lease,
    /// How far to go.
    pub leash: &'a Leash,
    /// What the process keeps.
    pub env: &'a Environment,
    /// What the farm knows of the job.
    pub ledger: &'a dyn Ledger,
}

/// What the process keeps between tasks.
pub struct Environment {
    /// The ways to run image operations here.
    pub engines: Engines,
    /// Clips and pipelines that are warm.
    pub sessions: SessionCache,
    /// How many frames are in the pipeline at a time.
    pub flight: Flight,
    /// Directories that jobs may touch.
    pub roots: Roots,
    /// Which steps were shown lately.
    pub stills: Stills,
}

/// The results of a step, as the farm stored them.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct StepFrames {
    /// Position of the step in the job.
    pub step: u32,
    /// Frames that were accepted.
    pub done: Vec<FrameResult>,
    /// Frames that were given up, and why.
    pub failed: Vec<(i64, Fault)>,
}

/// Where a task may look up what its job has done so far.
pub trait Ledger: Send + Sync {
    /// The results of `job`, step by step.
    ///
    /// # Errors
    /// [`platefarm_model::Code::NoScheduler`] and what the scheduler answers.
    fn frames(&self, job: JobId) -> Outcome<Vec<StepFrames>>;

    /// Shows the farm what comes out, if anybody looks. Not waited for.
    fn show(&self, still: Still) {
        let _ = still;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use platefarm_model::job::{StepKind, StepSpec};
    use platefarm_model::recipe::Backend;
    use platefarm_model::{LeaseToken, StepId};

    /// A new variant of the model's kinds does not compile here until it is
    /// listed, and then fails until it has a run.
    #[test]
    fn the_kinds_are_the_models() {
        const fn listed(kind: &StepKind) -> &'static str {
            match kind {
                StepKind::Render(_) => "render",
                StepKind::Package(_) => "package",
                StepKind::Noop { .. } => "noop",
            }
        }
        let noop = StepKind::Noop { millis_per_frame: 0 };
        assert_eq!(listed(&noop), noop.name());
        let names: Vec<_> = JOB_KINDS.iter().map(|k| k.name()).collect();
        assert_eq!(names, ["render", "package", "noop"]);
        assert!(find(JOB_KINDS, "noop").is_some() && find(JOB_KINDS, "bake").is_none());
    }

    struct Nobody;

    impl Ledger for Nobody {
        fn frames(&self, _: JobId) -> Outcome<Vec<StepFrames>> {
            Ok(Vec::new())
        }
    }

    #[test]
    fn what_is_logged_of_a_task_says_whose_it_is() {
        let lease = Lease {
            token: LeaseToken(70),
            step: StepId { job: JobId(12), index: 3 },
            frames: FrameRange::single(1001),
            ttl_ms: 1000,
            spec: StepSpec {
                name: "a".into(),
                kind: StepKind::Noop { millis_per_frame: 0 },
                frames: FrameRange::single(1001),
                after: Vec::new(),
                max_attempts: 1,
                terms: Default::default(),
            },
        };
        let env = Environment {
            engines: Engines::new(Backend::Cpu).unwrap(),
            sessions: SessionCache::new(1),
            flight: Flight::for_cores(1),
            roots: Roots::new(&[]).unwrap(),
            stills: Stills::default(),
        };
        let page = tempfile::NamedTempFile::new().unwrap();
        let writer = page.reopen().unwrap();
        let log = tracing_subscriber::fmt().with_writer(writer).with_ansi(false).finish();
        let leash = Leash::new(1001);
        // A worker that knows no kind at all.
        let work = || run(&[], &lease, &leash, &env, &Nobody, &mut |_| {});
        let fault = tracing::subscriber::with_default(log, work).unwrap_err();
        let line = std::fs::read_to_string(page.path()).unwrap();
        assert!(line.contains("ERROR") && line.contains("job=j12 step=j12.3 token=t70"), "{line}");
        assert!(line.contains(&fault.message), "{line}");
    }
}
