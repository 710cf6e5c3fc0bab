//! `platefarm worker`: takes tasks from a scheduler; joins and leaves at will.

use crate::cli::{Global, asked_to_stop, runtime};
use crate::output::Output;
use platefarm_model::Outcome;
use platefarm_worker::agent;
use std::path::PathBuf;

#[derive(clap::Args)]
pub(super) struct Args {
    /// Address of the scheduler [default: --farm]
    #[arg(long, value_name = "URL")]
    scheduler: Option<String>,
    /// Name that lists show [default: the host's name]
    #[arg(long)]
    name: Option<String>,
    /// Tasks to run at a time.
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=1024))]
    slots: u32,
    /// Directory that tasks may read and write; may be given several times [default: any]
    #[arg(long = "root", value_name = "DIR")]
    roots: Vec<PathBuf>,
    /// What it renders with.
    #[command(flatten)]
    backend: super::render::BackendArg,
}

pub(super) fn run(args: Args, global: &Global, out: &dyn Output) -> Outcome<()> {
    let url = args.scheduler.unwrap_or_else(|| global.farm.clone());
    let mut config = agent::AgentConfig::new(url.clone());
    config.name = args.name.unwrap_or_default();
    config.slots = args.slots;
    config.backend = args.backend.value()?;
    config.roots = args.roots;
    out.note(&format!("worker for {url}; Ctrl-C drains it"));
    runtime()?.block_on(agent::run(config, asked_to_stop()))
}
