//! `platefarm farm events` and `platefarm webhooks ...`: what happened, and
//! whom it is told.

use crate::cli::{Global, runtime};
use crate::farm::{Farm, Since};
use crate::output::Output;
use platefarm_model::event::EventFilter;
use platefarm_model::{JobId, Outcome};

/// Which events are meant; those that fit every option that is given.
#[derive(clap::Args)]
pub(super) struct Which {
    /// Events of this job; may be given several times.
    #[arg(long = "job", value_name = "JOB")]
    jobs: Vec<JobId>,
    /// Events of jobs of this show; may be given several times.
    #[arg(long = "show", value_name = "SHOW")]
    shows: Vec<String>,
    /// Events of this kind, as job.done, or job for all that begin so; may be given several times.
    #[arg(long = "kind", value_name = "KIND")]
    kinds: Vec<String>,
}

impl Which {
    fn filter(self) -> Outcome<EventFilter> {
        let filter = EventFilter { jobs: self.jobs, shows: self.shows, kinds: self.kinds };
        filter.check()?;
        Ok(filter)
    }
}

#[derive(clap::Args)]
pub(super) struct Args {
    /// Wait for more, until Ctrl-C.
    #[arg(long, short)]
    follow: bool,
    /// Begin behind this cursor; or with the oldest event that is kept, or now [default: oldest; with --follow: now]
    #[arg(long, value_name = "CURSOR")]
    since: Option<Since>,
    #[command(flatten)]
    which: Which,
}

/// Prints the event log.
pub(super) async fn print(args: Args, farm: &mut Farm, out: &dyn Output) -> Outcome<()> {
    let usual = if args.follow { Since::Now } else { Since::Oldest };
    let (filter, since) = (args.which.filter()?, args.since.unwrap_or(usual));
    let away = |fault: &platefarm_model::Fault| out.note(&format!("waiting for the farm: {fault}"));
    let end = farm.events(since, &filter, args.follow, |event| out.event(event), away).await?;
    if let Since::Cursor(cursor) = end {
        out.note(&format!("go on with --since {cursor}"));
    }
    Ok(())
}

#[derive(clap::Subcommand)]
pub(super) enum Webhooks {
    /// Send events to an address from now on. The secret that signs them is shown once.
    Add {
        /// Where to: http:// or https://, of a host that the scheduler was started to allow.
        url: String,
        #[command(flatten)]
        which: Which,
    },
    /// List webhooks, and how far each has come.
    List,
    /// Send nothing more there.
    Remove {
        /// Its id, as the list shows it.
        id: String,
    },
}

pub(super) fn webhooks(verb: Webhooks, global: &Global, out: &dyn Output) -> Outcome<()> {
    runtime()?.block_on(async {
        let mut farm = Farm::connect(global.dial()?).await?;
        match verb {
            Webhooks::Add { url, which } => {
                let (hook, secret) = farm.add_webhook(url, &which.filter()?).await?;
                out.webhook_made(&hook, &secret);
            }
            Webhooks::List => out.webhooks(&farm.webhooks().await?),
            Webhooks::Remove { id } => out.webhooks(&[farm.remove_webhook(&id).await?]),
        }
        Ok(())
    })
}
