//! `platefarm jobs forget`: nothing is kept of what has ended.

use crate::cli::bulk::{ask, each, first_of, plural, summary};
use crate::cli::when::Age;
use crate::farm::Farm;
use crate::output::Output;
use clap::ArgGroup;
use platefarm_model::query::JobQuery;
use platefarm_model::{Code, JobId, Outcome};

/// Which jobs are forgotten.
#[derive(clap::Args)]
#[command(group(ArgGroup::new("which").args(["jobs", "finished_before"]).required(true)))]
pub(super) struct Forget {
    /// Ids, e.g. j12.
    jobs: Vec<JobId>,
    /// Instead of ids: all that ended longer ago than this: 90m, 12h, 30d.
    #[arg(long, value_name = "AGE")]
    finished_before: Option<Age>,
    /// Of those, only jobs of this show.
    #[arg(long, default_value = "", hide_default_value = true, requires = "finished_before")]
    show: String,
    /// Do it without asking.
    #[arg(long, short)]
    yes: bool,
}

/// Forgets jobs. One that refuses does not keep the others from it; one that
/// somebody else forgot meanwhile is no matter where an age says which.
pub(super) async fn run(farm: &mut Farm, which: Forget, out: &dyn Output) -> Outcome<()> {
    let Forget { mut jobs, finished_before, show, yes } = which;
    if let Some(age) = finished_before {
        let end = age.ago();
        let query = JobQuery { show, ..JobQuery::default() };
        let (mut old, _) = farm.find_jobs(&query).await?;
        old.retain(|job| job.finished.is_some_and(|at| at < end));
        if !old.is_empty() && !yes {
            ask("forget", &summary(&old), out)?;
        }
        jobs = old.iter().map(|job| job.id).collect();
    }
    let (mut forgotten, mut refused) = (Vec::new(), Vec::new());
    for done in each(farm, &jobs, "jobs", out, async |farm, id| farm.forget(id).await).await {
        match done {
            Ok(job) => forgotten.push(job),
            Err(fault) if finished_before.is_some() && fault.code == Code::UnknownJob => {}
            Err(fault) => refused.push(fault),
        }
    }
    if !forgotten.is_empty() || refused.is_empty() {
        out.jobs(&forgotten, forgotten.len() as u64);
        let count = plural(forgotten.len(), "job");
        out.note(&format!("{count} forgotten; files stay where they are"));
    }
    first_of(refused, out)
}
