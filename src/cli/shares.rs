//! `platefarm pools|limits|shows ...`: what of the farm belongs to whom.

use crate::cli::{Global, runtime};
use crate::farm::Farm;
use crate::output::{Output, Settings};
use platefarm_model::Outcome;
use platefarm_model::farm::{Pool, Share};

#[derive(clap::Subcommand)]
pub(super) enum Pools {
    /// List pools and the workers in them.
    List,
    /// Set a pool up: workers with all of its labels belong to it, and those that say so themselves.
    Set {
        /// Its name.
        name: String,
        /// A label that its workers have; give it again for more.
        #[arg(long = "label", value_name = "LABEL")]
        labels: Vec<String>,
        /// Workers of it that are kept where capacity is scaled, though nothing waits.
        #[arg(long, value_name = "WORKERS", default_value_t = 0)]
        reserve: u32,
    },
    /// Take a pool away.
    Remove {
        /// Its name.
        name: String,
    },
}

#[derive(clap::Subcommand)]
pub(super) enum Limits {
    /// List limits and how much of them is taken.
    List,
    /// Set a limit up, or change how much there is.
    Set {
        /// Its name: a licence, a volume's bandwidth.
        name: String,
        /// How much of it there is.
        count: u32,
    },
    /// Take a limit away. Steps that need it wait until it is there again.
    Remove {
        /// Its name.
        name: String,
    },
}

#[derive(clap::Subcommand)]
pub(super) enum Shows {
    /// List shows with their shares, what they have and what waits.
    List,
    /// Give a show a share of the farm. What is not said goes back to what is usual.
    Set {
        /// The show.
        show: String,
        /// Its part, against the parts of the others.
        #[arg(long, default_value_t = 1)]
        weight: u32,
        /// Tasks that it gets before others get more than theirs, within a class.
        #[arg(long, value_name = "TASKS", default_value_t = 0)]
        guarantee: u32,
        /// Most tasks at a time.
        #[arg(long, value_name = "TASKS")]
        ceiling: Option<u32>,
        /// Workers without a GPU that are kept for it where capacity is scaled, though nothing waits.
        #[arg(long, value_name = "WORKERS", default_value_t = 0)]
        warm_cpu: u32,
        /// Workers with a GPU, likewise.
        #[arg(long, value_name = "WORKERS", default_value_t = 0)]
        warm_gpu: u32,
    },
    /// Take a show's share away: it counts as any other.
    Remove {
        /// The show.
        show: String,
    },
}

pub(super) fn pools(verb: Pools, global: &Global, out: &dyn Output) -> Outcome<()> {
    runtime()?.block_on(async {
        let mut farm = Farm::connect(global.dial()?).await?;
        match verb {
            Pools::List => {}
            Pools::Set { name, labels, reserve } => {
                let pool = Pool { labels: labels.into_iter().collect(), reserve };
                farm.set_pool(name, Some(&pool)).await?;
            }
            Pools::Remove { name } => farm.set_pool(name, None).await?,
        }
        out.settings(Settings::Pools, &farm.settings().await?);
        Ok(())
    })
}

pub(super) fn limits(verb: Limits, global: &Global, out: &dyn Output) -> Outcome<()> {
    runtime()?.block_on(async {
        let mut farm = Farm::connect(global.dial()?).await?;
        match verb {
            Limits::List => {}
            Limits::Set { name, count } => farm.set_limit(name, Some(count)).await?,
            Limits::Remove { name } => farm.set_limit(name, None).await?,
        }
        out.settings(Settings::Limits, &farm.settings().await?);
        Ok(())
    })
}

pub(super) fn shows(verb: Shows, global: &Global, out: &dyn Output) -> Outcome<()> {
    runtime()?.block_on(async {
        let mut farm = Farm::connect(global.dial()?).await?;
        match verb {
            Shows::List => {}
            Shows::Set { show, weight, guarantee, ceiling, warm_cpu, warm_gpu } => {
                let share = Share { weight, guarantee, ceiling, warm_cpu, warm_gpu };
                farm.set_share(show, Some(share)).await?;
            }
            Shows::Remove { show } => farm.set_share(show, None).await?,
        }
        out.settings(Settings::Shows, &farm.settings().await?);
        Ok(())
    })
}
