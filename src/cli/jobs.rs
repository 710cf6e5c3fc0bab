//! `platefarm jobs ...`: see and steer jobs.

use crate::cli::{Global, runtime};
use crate::farm::Farm;
use crate::output::{Output, Progress};
use platefarm_model::{Code, Fault, JobId, Outcome};

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
    /// End a job. What is done stays done.
    Cancel {
        /// Id, e.g. j12.
        job: JobId,
    },
}

pub(super) fn run(verb: Verb, global: &Global, out: &dyn Output) -> Outcome<()> {
    runtime()?.block_on(async {
        let mut farm = Farm::connect(global.dial()?).await?;
        match verb {
            Verb::List { active } => out.jobs(&farm.jobs(active).await?),
            Verb::Show { job } => out.job(&farm.job(job).await?),
            Verb::Cancel { job } => out.job(&farm.cancel(job).await?),
            Verb::Watch { job } => {
                let progress = Progress::start(out.talks());
                let settled = farm
                    .watch(job, |view| progress.show(view), |gone| out.note(&waiting(gone)))
                    .await?;
                progress.finish();
                out.job(&settled);
                return verdict(&settled);
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
