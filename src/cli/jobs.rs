//! `platefarm jobs ...`: see and steer jobs.

use crate::cli::when::When;
use crate::cli::{Global, runtime};
use crate::farm::Farm;
use crate::output::{Output, Progress};
use platefarm_model::farm::{Control, Dependency, PriorityClass, Target};
use platefarm_model::{Code, Fault, FrameSet, JobId, Outcome};

#[derive(clap::Subcommand)]
pub(super) enum Verb {
    /// List jobs, newest first.
    List {
        /// Only jobs that still have something to do.
        #[arg(long)]
        active: bool,
    },
    /// Show a job and its steps.
    Show {
        /// Id, e.g. j12.
        job: JobId,
    },
    /// Follow a job until it is settled.
    Watch {
        /// Id, e.g. j12.
        job: JobId,
    },
    /// Say why a job or step does or does not run, and what would change it.
    Explain {
        /// Id, e.g. j12, or j12.3 for a step.
        target: Target,
    },
    /// Begin nothing new of a job or step; frames in hand are finished.
    Pause {
        /// Id, e.g. j12, or j12.3 for a step.
        target: Target,
    },
    /// Let a job or step go on.
    Resume {
        /// Id, e.g. j12, or j12.3 for a step.
        target: Target,
    },
    /// End a job or step. What is done stays done.
    Cancel {
        /// Id, e.g. j12, or j12.3 for a step.
        target: Target,
    },
    /// Try frames again that were given up, or take up what was cancelled.
    Retry {
        /// Id, e.g. j12, or j12.3 for a step.
        target: Target,
        /// Only these frames, e.g. 1001-1010,1050.
        #[arg(long)]
        frames: Option<FrameSet>,
    },
    /// Change the place of a job or step among others.
    #[command(arg_required_else_help = true)]
    Priority {
        /// Id, e.g. j12, or j12.3 for a step.
        target: Target,
        /// Background, normal or urgent: a higher class takes capacity from a lower one.
        #[arg(long, required_unless_present = "number")]
        class: Option<PriorityClass>,
        /// The higher goes first within the class.
        #[arg(long, allow_negative_numbers = true)]
        number: Option<i32>,
    },
    /// Say when a job is wanted; within a class the earliest goes first.
    Deadline {
        /// Id, e.g. j12.
        job: JobId,
        /// +2h, +3d, 2026-12-24T18:00Z (UTC), or none.
        at: When,
    },
    /// Say when a job may begin.
    Start {
        /// Id, e.g. j12.
        job: JobId,
        /// now, +90m, 2026-12-24T18:00Z (UTC).
        #[arg(long)]
        at: When,
    },
    /// Say how many tasks of a job may run at a time.
    Limit {
        /// Id, e.g. j12.
        job: JobId,
        /// Most tasks; 0 takes the limit away.
        #[arg(long)]
        tasks: u32,
    },
    /// Make a job or step wait for another, or let it wait no more.
    #[command(arg_required_else_help = true)]
    Depend {
        /// Id, e.g. j12, or j12.3 for a step.
        target: Target,
        /// What must be settled first.
        #[arg(long, required_unless_present = "not_on", conflicts_with = "not_on")]
        on: Option<Target>,
        /// Each frame waits for the same frame only.
        #[arg(long, requires = "on")]
        same_frames: bool,
        /// What is no longer waited for.
        #[arg(long)]
        not_on: Option<Target>,
    },
}

impl Verb {
    /// What is to be done to which job or step, where something is to be done.
    fn control(self) -> Option<(Target, Control)> {
        Some(match self {
            Self::List { .. } | Self::Show { .. } | Self::Watch { .. } | Self::Explain { .. } => {
                return None;
            }
            Self::Pause { target } => (target, Control::Pause),
            Self::Resume { target } => (target, Control::Resume),
            Self::Cancel { target } => (target, Control::Cancel),
            Self::Retry { target, frames } => (target, Control::Retry(frames)),
            Self::Priority { target, class, number } => {
                (target, Control::Priority { class, priority: number })
            }
            Self::Deadline { job, at } => (Target::Job(job), Control::Deadline(at.0)),
            Self::Start { job, at } => (Target::Job(job), Control::StartAfter(at.0)),
            Self::Limit { job, tasks } => {
                (Target::Job(job), Control::MaxTasks((tasks > 0).then_some(tasks)))
            }
            Self::Depend { target, on: Some(on), same_frames, .. } => {
                (target, Control::Depend(Dependency { on, same_frames }))
            }
            Self::Depend { target, not_on, .. } => (target, Control::Undepend(not_on?)),
        })
    }
}

pub(super) fn run(verb: Verb, global: &Global, out: &dyn Output) -> Outcome<()> {
    runtime()?.block_on(async {
        let mut farm = Farm::connect(global.dial()?).await?;
        match verb {
            Verb::List { active } => out.jobs(&farm.jobs(active).await?),
            Verb::Show { job } => out.job(&farm.job(job).await?),
            Verb::Explain { target } => out.explained(&farm.explain(target).await?),
            Verb::Watch { job } => {
                let progress = Progress::start(out.talks());
                let settled = farm
                    .watch(job, |view| progress.show(view), |gone| out.note(&waiting(gone)))
                    .await?;
                progress.finish();
                out.job(&settled);
                return verdict(&settled);
            }
            other => {
                if let Some((target, control)) = other.control() {
                    out.job(&farm.control(target, &control).await?);
                }
            }
        }
        Ok(())
    })
}

/// What is said when the scheduler goes away while a job is followed.
pub(super) fn waiting(gone: &Fault) -> String {
    format!("{gone}; waiting for the scheduler to come back")
}

/// A settled job as an exit code: anything but done is an error.
pub(super) fn verdict(job: &platefarm_model::job::JobView) -> Outcome<()> {
    use platefarm_model::job::Phase;
    match job.phase {
        Phase::Done => Ok(()),
        Phase::Cancelled => {
            Err(Fault::new(Code::JobCancelled, format!("job {} was cancelled", job.id)))
        }
        _ => {
            let first =
                job.steps.iter().find_map(|step| step.first_fault.as_ref().map(|f| (step, f)));
            // The package is a step too, but no picture.
            let plates = || job.steps.iter().filter(|step| step.kind != "package");
            let failed: u64 = plates().map(|step| step.failed.len()).sum();
            let total: u64 = plates().map(|step| step.frames.len()).sum();
            let message = if failed > 0 {
                format!("job {}: {failed} of {total} frames failed", job.id)
            } else {
                format!("job {}: all {total} frames are there, the package is not whole", job.id)
            };
            let fault = Fault::new(Code::JobFailed, message);
            Err(match first {
                Some((step, cause)) => fault.at(format!("step {}", step.name)).because(cause),
                None => fault,
            })
        }
    }
}
