//! `platefarm workers ...`: see workers.

use crate::cli::{Global, runtime};
use crate::farm::Farm;
use crate::output::Output;
use platefarm_model::Outcome;

#[derive(clap::Subcommand)]
pub(super) enum Verb {
    /// List workers and what they hold.
    List,
}

pub(super) fn run(verb: &Verb, global: &Global, out: &dyn Output) -> Outcome<()> {
    runtime()?.block_on(async {
        let mut farm = Farm::connect(global.dial()?).await?;
        match verb {
            Verb::List => out.workers(&farm.workers().await?),
        }
        Ok(())
    })
}
