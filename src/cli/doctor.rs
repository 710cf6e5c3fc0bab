//! `platefarm doctor`: what works here, what does not, and what to do about it.

use crate::cli::Global;
use crate::doctor::{self, CHECKS, Patient};
use crate::embedded::state_dir;
use crate::output::Output;
use platefarm_model::Outcome;
use platefarm_scheduler::store::Place;
use std::path::PathBuf;

#[derive(clap::Args)]
pub(super) struct Args {
    /// The scheduler's store [default: SQLite in the user's state directory, where there is one]
    #[arg(long, env = "PLATEFARM_STORE", hide_env_values = true, value_name = "URL")]
    store: Option<Place>,
    /// A place that media are read from; may be given several times.
    #[arg(long, value_name = "PLACE")]
    media: Vec<PathBuf>,
    /// A place that plates are written to; may be given several times. What is written there is taken away again.
    #[arg(long, value_name = "PLACE")]
    out: Vec<PathBuf>,
    /// The certificate chain that a scheduler here speaks with, as PEM.
    #[arg(long, env = "PLATEFARM_TLS_CERT", value_name = "FILE")]
    tls_cert: Option<PathBuf>,
    /// Fail where no GPU opens.
    #[arg(long)]
    require_gpu: bool,
    /// Run this check only; may be given several times.
    #[arg(long, value_name = "CHECK")]
    only: Vec<String>,
    /// List the checks and stop.
    #[arg(long)]
    list: bool,
    /// Call drivers from this process.
    #[arg(long, hide = true)]
    within: bool,
}

pub(super) fn run(args: Args, global: &Global, out: &dyn Output) -> Outcome<()> {
    if args.list {
        let lines: Vec<String> =
            CHECKS.iter().map(|check| format!("{}: {}", check.name, check.doc)).collect();
        out.steps(&lines);
        return Ok(());
    }
    let default = state_dir().join("farm.db");
    let patient = Patient {
        global,
        store: args.store.or_else(|| default.exists().then_some(Place::Sqlite(default))),
        media: args.media,
        out: args.out,
        tls_cert: args.tls_cert,
        require_gpu: args.require_gpu,
        within: args.within,
    };
    let findings = doctor::examine(&patient, &args.only)?;
    out.diagnosed(&findings);
    doctor::fault(&findings).map_or(Ok(()), Err)
}
