//! `platefarm frames ...` and `platefarm tasks ...`: what becomes of single
//! frames, and what workers have in hand.

use crate::cli::{Global, runtime};
use crate::farm::{Farm, FrameLine, FrameQuery};
use crate::output::Output;
use platefarm_media::publish;
use platefarm_model::farm::Target;
use platefarm_model::{Code, Fault, FrameSet, JobId, Outcome};
use std::path::Path;

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
    /// Give frames the names that their worker owed when it died, and list those. A package step
    /// does it by itself; of a job without one, run this where its files are.
    Publish {
        /// Id, e.g. j12, or j12.3 for a step.
        target: Target,
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
///
/// # Errors
/// [`Code::UnknownStep`], and what the farm says of the job.
pub(super) async fn query(
    farm: &mut Farm,
    target: Target,
    frames: Option<FrameSet>,
) -> Outcome<FrameQuery> {
    let step = match target {
        Target::Job(_) => None,
        Target::Step(id) => {
            let job = farm.job(id.job).await?;
            if job.steps.iter().all(|step| step.id != id) {
                let message = format!("{} has no step {}", id.job, id.index);
                return Err(Fault::new(Code::UnknownStep, message));
            }
            Some(id.index)
        }
    };
    Ok(FrameQuery { step, frames, state: None })
}

pub(super) fn frames(verb: Frames, global: &Global, out: &dyn Output) -> Outcome<()> {
    runtime()?.block_on(async {
        let mut farm = Farm::connect(global.dial()?).await?;
        match verb {
            Frames::List { target, frames, state, slowest, limit } => {
                let query = FrameQuery { state, ..query(&mut farm, target, frames).await? };
                let job = farm.job(target.job()).await?;
                let mut lines = farm.every_frame(&job, &query).await?;
                if slowest {
                    let time = |line: &FrameLine| line.millis().unwrap_or(-1.0);
                    lines.sort_by(|a, b| time(b).total_cmp(&time(a)));
                }
                let all = lines.len();
                lines.truncate(if limit == 0 { all } else { limit });
                out.frames(&lines, all);
                Ok(())
            }
            Frames::Show { target, frame } => {
                let only = FrameSet::from(platefarm_model::FrameRange::single(frame));
                let query = query(&mut farm, target, Some(only)).await?;
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
            Frames::Publish { target } => {
                let (mut lines, query) = (Vec::new(), query(&mut farm, target, None).await?);
                farm.ended_frames(target.job(), &query, |some| lines.extend(some)).await?;
                let named = give_names(lines)?;
                out.frames(&named, named.len());
                Ok(())
            }
        }
    })
}

/// Carries out the renames that are owed; the frames of which one was.
fn give_names(lines: Vec<FrameLine>) -> Outcome<Vec<FrameLine>> {
    let mut named = Vec::new();
    for line in lines {
        let Some((result, lease)) = line.result.as_ref().zip(line.lease) else { continue };
        let (staged, published) = (Path::new(&result.staged), Path::new(&result.published));
        // Of most nothing is owed, and of steps without files there is nothing to say of places.
        let of_frame = |fault: Fault| fault.within(format!("frame {}", result.frame));
        if result.staged.is_empty() || !publish::is_staged(staged).map_err(of_frame)? {
            continue;
        }
        let home = published.parent().unwrap_or_else(|| Path::new(""));
        publish::finish(home, Some(&lease.to_string()), staged, published).map_err(of_frame)?;
        named.push(line);
    }
    Ok(named)
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

#[cfg(test)]
mod tests {
    use super::*;
    use platefarm_model::job::FrameResult;
    use platefarm_model::{LeaseToken, StepId};

    fn line(dir: &Path, staged: &str, published: &str) -> FrameLine {
        let path = |name: &str| dir.join(name).to_str().unwrap().to_owned();
        let result = FrameResult {
            frame: 7,
            staged: path(staged),
            published: path(published),
            xxh128: String::new(),
            bytes: 1,
            backend: "cpu".into(),
            millis: Default::default(),
            non_finite: 0,
        };
        FrameLine {
            step: StepId { job: JobId(1), index: 0 },
            frame: 7,
            state: "done",
            worker: None,
            worker_name: None,
            lease: Some(LeaseToken(9)),
            result: Some(result),
            fault: None,
        }
    }

    /// A worker was granted a frame and died: what is staged gets its name, once, and nothing else moves.
    #[test]
    fn what_is_owed_is_carried_out() {
        let dir = tempfile::tempdir().unwrap();
        let dir = dir.path();
        for attempt in ["t9", "t8"] {
            std::fs::create_dir_all(dir.join(publish::STAGING).join(attempt)).unwrap();
        }
        let mine = ".platefarm/t9/a.exr";
        std::fs::write(dir.join(mine), "a").unwrap();
        let lines = || vec![line(dir, mine, "a.exr"), line(dir, ".platefarm/t9/gone.exr", "b.exr")];
        let named = give_names(lines()).unwrap();
        assert_eq!(named.len(), 1);
        assert_eq!(std::fs::read(dir.join("a.exr")).unwrap(), b"a");
        assert!(give_names(lines()).unwrap().is_empty(), "it is done once");
        for (staged, published) in [
            (".platefarm/t8/c.exr", "c.exr"),
            (".platefarm/t9/d.exr", "else/d.exr"),
            (".platefarm/t9/../e.exr", "f.exr"),
        ] {
            std::fs::write(dir.join(staged), "x").unwrap();
            let fault = give_names(vec![line(dir, staged, published)]).unwrap_err();
            assert_eq!(fault.code, Code::OutsideRoot);
            assert!(dir.join(staged).exists() && !dir.join(published).exists());
        }
    }
}
