//! `platefarm frames ...` and `platefarm tasks ...`: what becomes of single
//! frames, and what workers have in hand.

use crate::cli::{Global, runtime};
use crate::farm::{Farm, FrameQuery};
use crate::output::Output;
use platefarm_model::farm::Target;
use platefarm_model::{Code, Fault, FrameSet, JobId, Outcome};

/// States of a frame.
const STATES: [&str; 4] = ["waiting", "running", "done", "failed"];

#[derive(clap::Subcommand)]
pub(super) enum Frames {
    /// List the frames of a job or step: state, time, worker.
    List {
        /// Id, e.g. j12, or j12.3 for a step.
        target: Target,
        /// Only these frames, e.g. 1001-1010,1050.
        #[arg(long)]
        frames: Option<FrameSet>,
        /// Only in this state.
        #[arg(long, value_parser = STATES)]
        state: Option<String>,
        /// The slowest first.
        #[arg(long)]
        slowest: bool,
        /// Most frames to print; 0: all.
        #[arg(long, default_value_t = 200, value_name = "N")]
        limit: usize,
    },
    /// Everything about one frame: stages and their times, file and hash, or what went wrong.
    Show {
        /// Step, e.g. j12.3; a job with one step, e.g. j12.
        target: Target,
        /// The frame.
        #[arg(allow_negative_numbers = true)]
        frame: i64,
    },
}

#[derive(clap::Subcommand)]
pub(super) enum Tasks {
    /// List the frame ranges that workers have in hand.
    List {
        /// Only of this job.
        #[arg(long)]
        job: Option<JobId>,
    },
}

/// The frames that a target and options name.
pub(super) fn query(target: Target, frames: Option<FrameSet>) -> FrameQuery {
    let step = match target {
        Target::Job(_) => None,
        Target::Step(id) => Some(id.index),
    };
    FrameQuery { step, frames, state: None }
}

pub(super) fn frames(verb: Frames, global: &Global, out: &dyn Output) -> Outcome<()> {
    runtime()?.block_on(async {
        let mut farm = Farm::connect(global.dial()?).await?;
        match verb {
            Frames::List { target, frames, state, slowest, limit } => {
                let query = FrameQuery { state, ..query(target, frames) };
                let job = farm.job(target.job()).await?;
                let mut lines = farm.every_frame(&job, &query).await?;
                if slowest {
                    let time = |line: &crate::farm::FrameLine| line.millis().unwrap_or(-1.0);
                    lines.sort_by(|a, b| time(b).total_cmp(&time(a)));
                }
                let all = lines.len();
                lines.truncate(if limit == 0 { all } else { limit });
                out.frames(&lines, all);
                Ok(())
            }
            Frames::Show { target, frame } => {
                let only = FrameSet::from(platefarm_model::FrameRange::single(frame));
                let query = query(target, Some(only));
                let job = farm.job(target.job()).await?;
                let lines = farm.every_frame(&job, &query).await?;
                match lines.as_slice() {
                    [one] => out.frame(one),
                    [] => {
                        let steps = job.steps.iter().map(|s| format!("{} {}", s.id, s.frames));
                        let steps: Vec<String> = steps.take(8).collect();
                        let message = format!("{target} has no frame {frame}");
                        return Err(Fault::new(Code::UnknownOption, message)
                            .remedy(format!("It has: {}.", steps.join(", "))));
                    }
                    several => {
                        let steps = several.iter().map(|line| line.step.to_string());
                        let steps: Vec<String> = steps.take(8).collect();
                        let message = format!("{} steps have a frame {frame}", several.len());
                        return Err(Fault::new(Code::UnknownOption, message)
                            .remedy(format!("Name one of: {}.", steps.join(", "))));
                    }
                }
                Ok(())
            }
        }
    })
}

pub(super) fn tasks(verb: Tasks, global: &Global, out: &dyn Output) -> Outcome<()> {
    let Tasks::List { job } = verb;
    runtime()?.block_on(async {
        let mut workers = Farm::connect(global.dial()?).await?.workers().await?;
        for worker in &mut workers {
            worker.leases.retain(|lease| job.is_none_or(|job| lease.step.job == job));
        }
        out.tasks(&workers);
        Ok(())
    })
}
