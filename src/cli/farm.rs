//! `platefarm farm ...`: the farm itself.

use crate::cli::{Global, runtime};
use crate::farm::Farm;
use crate::output::Output;
use platefarm_model::Outcome;

#[derive(clap::Subcommand)]
pub(super) enum Verb {
    /// Say who leads, what was counted, and whether the scheduler's books agree with its store.
    Status,
}

pub(super) fn run(verb: &Verb, global: &Global, out: &dyn Output) -> Outcome<()> {
    runtime()?.block_on(async {
        let mut farm = Farm::connect(global.dial()?).await?;
        match verb {
            Verb::Status => out.farm(&farm.status().await?),
        }
        Ok(())
    })
}
