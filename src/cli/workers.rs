//! `platefarm workers ...`: see and steer workers.

use crate::cli::{Global, runtime};
use crate::farm::Farm;
use crate::output::Output;
use clap::ArgGroup;
use platefarm_model::farm::NodeControl;
use platefarm_model::{Code, Fault, Outcome, WorkerId};

/// States of a worker.
const STATES: [&str; 5] = ["alive", "draining", "quarantined", "trial", "lost"];

#[derive(clap::Subcommand)]
pub(super) enum Verb {
    /// List workers and what they hold.
    List {
        /// Only in this state: alive, draining, quarantined, trial, lost.
        #[arg(long, value_parser = STATES)]
        state: Option<String>,
        /// Only in this pool.
        #[arg(long)]
        pool: Option<String>,
        /// Only with this label.
        #[arg(long)]
        label: Option<String>,
    },
    /// Show a worker: its tasks, labels and pools, and what is said against it.
    Show {
        /// Id, e.g. w4.
        worker: WorkerId,
    },
    /// Give a worker's node nothing new; it finishes the frames in hand.
    Drain {
        /// Id, e.g. w4.
        worker: WorkerId,
    },
    /// Give a worker's node work again, drained or quarantined.
    Resume {
        /// Id, e.g. w4.
        worker: WorkerId,
    },
    /// Keep a worker's node from work until it is resumed.
    Quarantine {
        /// Id, e.g. w4.
        worker: WorkerId,
        /// Why.
        #[arg(long, default_value = "")]
        reason: String,
    },
    /// Give a worker's node labels, or take them away.
    #[command(
        arg_required_else_help = true,
        group(ArgGroup::new("labels").args(["add", "remove"]).required(true).multiple(true))
    )]
    Label {
        /// Id, e.g. w4.
        worker: WorkerId,
        /// A label to give; again for more.
        #[arg(long, value_name = "LABEL")]
        add: Vec<String>,
        /// A label to take away; again for more.
        #[arg(long, value_name = "LABEL")]
        remove: Vec<String>,
    },
    /// Strike a worker from the list; what it has goes to others. A process that lives registers again.
    Remove {
        /// Id, e.g. w4.
        worker: WorkerId,
    },
}

pub(super) fn run(verb: Verb, global: &Global, out: &dyn Output) -> Outcome<()> {
    runtime()?.block_on(async {
        let mut farm = Farm::connect(global.dial()?).await?;
        let (worker, control) = match verb {
            Verb::List { state, pool, label } => {
                let mut workers = farm.workers().await?;
                workers.retain(|worker| {
                    state.as_ref().is_none_or(|state| *state == worker.state)
                        && pool.as_ref().is_none_or(|pool| worker.pools.contains(pool))
                        && label.as_ref().is_none_or(|label| worker.labels.contains(label))
                });
                out.workers(&workers);
                return Ok(());
            }
            Verb::Show { worker } => {
                let workers = farm.workers().await?;
                let found = workers.iter().find(|it| it.id == worker).ok_or_else(|| {
                    Fault::new(Code::NoSuchWorker, format!("there is no worker {worker}"))
                })?;
                out.worker(found);
                return Ok(());
            }
            Verb::Drain { worker } => (worker, NodeControl::Drain),
            Verb::Resume { worker } => (worker, NodeControl::Resume),
            Verb::Quarantine { worker, reason } => (worker, NodeControl::Quarantine { reason }),
            Verb::Label { worker, add, remove } => {
                let (add, remove) = (add.into_iter().collect(), remove.into_iter().collect());
                (worker, NodeControl::Label { add, remove })
            }
            Verb::Remove { worker } => (worker, NodeControl::Remove),
        };
        let left = farm.control_worker(worker, control).await?;
        out.workers(&left.into_iter().collect::<Vec<_>>());
        Ok(())
    })
}
