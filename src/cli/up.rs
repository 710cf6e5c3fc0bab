//! `platefarm up`: a whole farm in this process.

use crate::cli::{Global, asked_to_stop, runtime};
use crate::embedded::{Embedded, state_dir};
use crate::output::Output;
use platefarm_model::Outcome;
use std::net::SocketAddr;
use std::path::PathBuf;

#[derive(clap::Args)]
pub(super) struct Args {
    /// Where the scheduler listens; loopback only.
    #[arg(long, default_value = "127.0.0.1:7878", value_name = "ADDRESS")]
    listen: SocketAddr,
    /// Workers to run in this process; 0 leaves the work to others.
    #[arg(long, default_value_t = 2)]
    workers: u32,
    /// What they render with.
    #[command(flatten)]
    backend: super::render::BackendArg,
    /// Directory of the farm's state [default: the user's state directory]
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
}

pub(super) fn run(args: Args, global: &Global, out: &dyn Output) -> Outcome<()> {
    let backend = args.backend.value()?;
    let store = args.data.unwrap_or_else(state_dir).join("farm.db");
    runtime()?.block_on(async {
        let farm = Embedded {
            listen: args.listen,
            store: store.clone(),
            workers: args.workers,
            backend,
            program: global.slot_program()?,
            alone: false,
        };
        let mut running = farm.start().await?;
        out.note(&format!(
            "farm at {} with {} workers; state in {}; Ctrl-C ends it",
            running.url,
            args.workers,
            store.display()
        ));
        let ended = tokio::select! {
            () = asked_to_stop() => None,
            fault = running.failed() => Some(fault),
        };
        let stopped = running.stop().await;
        ended.map_or(stopped, Err)
    })
}
