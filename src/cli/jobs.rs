//! `platefarm jobs ...`: see and steer jobs.

use crate::cli::bulk::{self, Many};
use crate::cli::forget::{self, Forget};
use crate::cli::when::When;
use crate::cli::{Global, frames, runtime};
use crate::farm::{Farm, FrameQuery};
use crate::output::{Output, Progress};
use clap::ArgGroup;
use platefarm_model::farm::{Control, Dependency, PriorityClass, Target};
use platefarm_model::job::Phase;
use platefarm_model::query::JobQuery;
use platefarm_model::{Code, Fault, FrameSet, JobId, Outcome, Timestamp};
use std::str::FromStr;

#[derive(clap::Subcommand)]
pub(super) enum Verb {
    /// List jobs, newest first.
    List(List),
    /// Show a job and its steps.
    Show {
        /// Id, e.g. j12.
        job: JobId,
    },
    /// Follow jobs until all of them are settled, over the event log; the exit code says how they ended.
    Watch {
        /// Ids, e.g. j12.
        #[arg(required = true)]
        jobs: Vec<JobId>,
    },
    /// Show what went wrong with a job's frames, by cause.
    Errors {
        /// Id, e.g. j12.
        job: JobId,
    },
    /// Print how a job's frames ended, in order: worker, time of each stage, what went wrong.
    Logs {
        /// Id, e.g. j12, or j12.3 for a step.
        target: Target,
        /// Only these frames, e.g. 1001-1010,1050.
        #[arg(long)]
        frames: Option<FrameSet>,
        /// Only frames that were given up.
        #[arg(long)]
        failed: bool,
    },
    /// Say why a job or step does or does not run, and what would change it.
    Explain {
        /// Id, e.g. j12, or j12.3 for a step.
        target: Target,
    },
    /// Begin nothing new of jobs or steps; frames in hand are finished.
    Pause(Many),
    /// Let jobs or steps go on.
    Resume(Many),
    /// End jobs or steps. What is done stays done.
    Cancel(Many),
    /// Keep nothing of jobs that have ended. Their files stay, their ids are not given out again.
    #[command(arg_required_else_help = true)]
    Forget(Forget),
    /// Try frames again that were given up, or take up what was cancelled.
    Retry {
        #[command(flatten)]
        which: Many,
        /// Only these frames, e.g. 1001-1010,1050.
        #[arg(long)]
        frames: Option<FrameSet>,
    },
    /// Change the place of jobs or steps among others.
    #[command(
        arg_required_else_help = true,
        group(ArgGroup::new("level").args(["class", "number"]).required(true).multiple(true))
    )]
    Priority {
        #[command(flatten)]
        which: Many,
        /// Background, normal or urgent: a higher class takes capacity from a lower one.
        #[arg(long)]
        class: Option<PriorityClass>,
        /// The higher goes first within the class.
        #[arg(long, visible_alias = "priority", allow_negative_numbers = true)]
        number: Option<i32>,
    },
    /// Say when a job is wanted; within a class the earliest goes first.
    Deadline {
        /// Id, e.g. j12.
        job: JobId,
        #[command(flatten)]
        at: Moment,
    },
    /// Say when a job may begin.
    Start {
        /// Id, e.g. j12.
        job: JobId,
        #[command(flatten)]
        at: Moment,
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
    #[command(
        arg_required_else_help = true,
        group(ArgGroup::new("wait").args(["on", "not_on"]).required(true))
    )]
    Depend {
        /// Id, e.g. j12, or j12.3 for a step.
        target: Target,
        /// What must be settled first.
        #[arg(long)]
        on: Option<Target>,
        /// Each frame waits for the same frame only.
        #[arg(long, requires = "on", conflicts_with = "not_on")]
        same_frames: bool,
        /// What is no longer waited for.
        #[arg(long)]
        not_on: Option<Target>,
    },
}

/// A time, alone or as an option.
#[derive(clap::Args)]
#[group(required = true, multiple = false)]
pub(super) struct Moment {
    /// now, +90m, +3d, 2026-12-24T18:00Z (UTC), or none.
    #[arg(value_name = "WHEN")]
    when: Option<When>,
    /// The same, as an option.
    #[arg(long, value_name = "WHEN")]
    at: Option<When>,
}

impl Moment {
    fn time(&self) -> Option<Timestamp> {
        self.when.or(self.at).and_then(|when| when.0)
    }
}

/// Which jobs are listed.
#[derive(clap::Args)]
pub(super) struct List {
    /// Only jobs that still have something to do.
    #[arg(long)]
    active: bool,
    /// Only of this show.
    #[arg(long, default_value = "", hide_default_value = true)]
    show: String,
    /// Part of an id, a name, a show or who handed it in, whatever the case.
    #[arg(long, default_value = "", hide_default_value = true, value_name = "TEXT")]
    find: String,
    /// Only of whom has this name: that of the token that handed it in.
    #[arg(long, default_value = "", hide_default_value = true, value_name = "NAME")]
    by: String,
    /// Only in this state: blocked, pending, running, paused, done, failed, cancelled; again for more.
    #[arg(long, value_name = "STATE")]
    state: Vec<JobState>,
    /// Most jobs to print; 0: all.
    #[arg(long, default_value_t = 100, value_name = "N")]
    limit: u32,
}

/// A state as lists print it: where a job is in its life, or that a person holds it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum JobState {
    /// In a phase.
    In(Phase),
    /// Held by a person.
    Paused,
}

impl JobState {
    /// States as a query asks for them.
    pub(super) fn query(states: &[Self]) -> JobQuery {
        let phase = |state: &Self| match state {
            Self::In(phase) => Some(*phase),
            Self::Paused => None,
        };
        let phases = states.iter().filter_map(phase).collect();
        JobQuery { phases, paused: states.contains(&Self::Paused), ..JobQuery::default() }
    }
}

impl FromStr for JobState {
    type Err = Fault;

    fn from_str(text: &str) -> Outcome<Self> {
        if text.eq_ignore_ascii_case("paused") {
            return Ok(Self::Paused);
        }
        Phase::parse(text).map(Self::In).ok_or_else(|| {
            Fault::new(Code::UnknownOption, format!("'{text}' is no state of a job")).remedy(
                "Choose one of: blocked, pending, running, paused, done, failed, cancelled.",
            )
        })
    }
}

impl Verb {
    /// What is to be done to which jobs or steps, where something is to be done.
    fn control(self) -> Option<(Which, Control)> {
        let one = |target| Which::One(target);
        Some(match self {
            Self::List(_)
            | Self::Show { .. }
            | Self::Watch { .. }
            | Self::Errors { .. }
            | Self::Logs { .. }
            | Self::Forget(_)
            | Self::Explain { .. } => return None,
            Self::Pause(many) => (Which::Many(many), Control::Pause),
            Self::Resume(many) => (Which::Many(many), Control::Resume),
            Self::Cancel(many) => (Which::Many(many), Control::Cancel),
            Self::Retry { which, frames } => (Which::Many(which), Control::Retry(frames)),
            Self::Priority { which, class, number } => {
                (Which::Many(which), Control::Priority { class, priority: number })
            }
            Self::Deadline { job, at } => (one(Target::Job(job)), Control::Deadline(at.time())),
            Self::Start { job, at } => (one(Target::Job(job)), Control::StartAfter(at.time())),
            Self::Limit { job, tasks } => {
                (one(Target::Job(job)), Control::MaxTasks((tasks > 0).then_some(tasks)))
            }
            Self::Depend { target, on: Some(on), same_frames, .. } => {
                (one(target), Control::Depend(Dependency { on, same_frames }))
            }
            Self::Depend { target, not_on, .. } => (one(target), Control::Undepend(not_on?)),
        })
    }
}

/// What a verb is about.
enum Which {
    One(Target),
    Many(Many),
}

pub(super) fn run(verb: Verb, global: &Global, out: &dyn Output) -> Outcome<()> {
    runtime()?.block_on(async {
        let mut farm = Farm::connect(global.dial()?).await?;
        match verb {
            Verb::List(List { active, show, find, by, state, limit }) => {
                let (unsettled_only, most) = (active, limit);
                let query =
                    JobQuery { show, find, by, unsettled_only, most, ..JobState::query(&state) };
                let (jobs, found) = farm.find_jobs(&query).await?;
                out.jobs(&jobs, found);
            }
            Verb::Errors { job } => out.causes(job, &farm.causes(job).await?),
            Verb::Logs { target, frames, failed } => {
                let state = failed.then(|| "failed".to_owned());
                let query = frames::query(&mut farm, target, frames).await?;
                let query = FrameQuery { state, ..query };
                let mut lines = Vec::new();
                farm.ended_frames(target.job(), &query, |some| lines.extend(some)).await?;
                out.log(&lines);
            }
            Verb::Forget(which) => return forget::run(&mut farm, which, out).await,
            Verb::Show { job } => out.job(&farm.job(job).await?),
            Verb::Explain { target } => out.explained(&farm.explain(target).await?),
            Verb::Watch { jobs } => return watch(&mut farm, &jobs, out).await,
            other => match other.control() {
                Some((Which::One(target), control)) => {
                    out.job(&farm.control(target, &control).await?);
                }
                Some((Which::Many(many), control)) => {
                    return bulk::steer(&mut farm, many, &control, out).await;
                }
                None => {}
            },
        }
        Ok(())
    })
}

/// Follows jobs to their ends. The first that did not end well is the error
/// that the verb ends with.
async fn watch(farm: &mut Farm, jobs: &[JobId], out: &dyn Output) -> Outcome<()> {
    let progress = Progress::start(out.talks());
    let away = |gone: &Fault| out.note(&waiting(gone));
    let settled = farm.watch(jobs, |views| progress.show(views), away).await;
    progress.finish();
    let settled = settled?;
    match settled.as_slice() {
        [one] => out.job(one),
        several => out.jobs(several, several.len() as u64),
    }
    let mut bad = settled.iter().filter_map(|job| verdict(job).err());
    let first = bad.next();
    bad.for_each(|fault| out.warn(&fault));
    first.map_or(Ok(()), Err)
}

/// What is said when the scheduler goes away while a job is followed.
pub(super) fn waiting(gone: &Fault) -> String {
    format!("{gone}; waiting for the scheduler to come back")
}

/// A settled job as an exit code: anything but done is an error.
pub(super) fn verdict(job: &platefarm_model::job::JobView) -> Outcome<()> {
    match job.phase {
        Phase::Done => Ok(()),
        Phase::Cancelled => {
            Err(Fault::new(Code::JobCancelled, format!("job {} was cancelled", job.id)))
        }
        _ => {
            let first =
                job.steps.iter().find_map(|step| step.first_fault.as_ref().map(|f| (step, f)));
            let plates = || job.steps.iter().filter(|step| !step.is_package());
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
