//! `platefarm farm ...`: the farm itself.

use crate::cli::{Global, events, runtime};
use crate::farm::Farm;
use crate::output::{Output, Settings};
use platefarm_model::Outcome;
use platefarm_model::explain::WhatIf;
use platefarm_model::farm::{WorkerClass, WorkerTraits};

#[derive(clap::Subcommand)]
pub(super) enum Verb {
    /// Say who leads, what is to be done and who is at it, what was counted, and whether the scheduler's books agree with its store.
    Status,
    /// Say what more workers would be given now.
    Whatif {
        /// How many workers to imagine.
        #[arg(long)]
        workers: u32,
        /// What they compute with: cpu or gpu.
        #[arg(long, default_value = "cpu")]
        class: WorkerClass,
        /// Tasks that each runs at a time.
        #[arg(long, default_value_t = 1)]
        slots: u32,
        /// A label that they have; give it again for more.
        #[arg(long = "label", value_name = "LABEL")]
        labels: Vec<String>,
        /// A pool that they are in; give it again for more.
        #[arg(long = "pool", value_name = "POOL")]
        pools: Vec<String>,
        /// Memory of each slot in MiB; 0 is enough for anything.
        #[arg(long, value_name = "MIB", default_value_t = 0)]
        memory: u64,
    },
    /// Print what happened, and follow what happens.
    Events(events::Args),
    /// List nodes that are drained, quarantined or labelled by people.
    Nodes,
}

pub(super) fn run(verb: Verb, global: &Global, out: &dyn Output) -> Outcome<()> {
    runtime()?.block_on(async {
        let mut farm = Farm::connect(global.dial()?).await?;
        match verb {
            Verb::Status => out.farm(&farm.status().await?),
            Verb::Whatif { workers, class, slots, labels, pools, memory } => {
                let traits = WorkerTraits {
                    labels: labels.into_iter().collect(),
                    pools: pools.into_iter().collect(),
                    memory_mib: memory,
                    ..WorkerTraits::default()
                };
                let imagined = WhatIf { workers, class, slots, traits };
                out.what_if(&imagined, &farm.what_if(&imagined).await?);
            }
            Verb::Events(args) => events::print(args, &mut farm, out).await?,
            Verb::Nodes => out.settings(Settings::Nodes, &farm.settings().await?),
        }
        Ok(())
    })
}
