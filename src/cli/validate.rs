//! `platefarm validate DIR`: the gate, anywhere, on packages of anybody.

use crate::output::{Output, Progress};
use platefarm_model::{Code, Fault, Outcome};
use platefarm_worker::gate;
use std::path::PathBuf;

#[derive(clap::Args)]
pub(super) struct Args {
    /// A package: a directory with frames below it.
    #[arg(required_unless_present = "list")]
    dir: Option<PathBuf>,
    /// Hold it against a request that was kept elsewhere: a report.json, or the package that it is in.
    #[arg(long, value_name = "REPORT|DIR")]
    against: Option<PathBuf>,
    /// Read headers only: hashes and pixels are not checked.
    #[arg(long)]
    shallow: bool,
    /// List the checks and stop.
    #[arg(long)]
    list: bool,
}

pub(super) fn run(args: &Args, out: &dyn Output) -> Outcome<()> {
    if args.list {
        let checks: Vec<String> =
            gate::CHECKS.iter().map(|check| format!("{}: {}", check.name, check.doc)).collect();
        out.steps(&checks);
        return Ok(());
    }
    let Some(dir) = &args.dir else { return Ok(()) };
    let request = args.against.as_deref().map(gate::kept_request).transpose()?;
    let judged = || gate::validate(dir, request, !args.shallow);
    let verdict = Progress::reading(out.talks(), judged)?;
    out.judged(&dir.display().to_string(), &verdict);
    match verdict.fault() {
        None => Ok(()),
        Some(fault) => {
            let message = format!("'{}' is not as it should be: {}", dir.display(), fault.message);
            let mut whole = Fault::new(Code::NotAsAsked, message);
            whole.cause = fault.cause;
            Err(whole)
        }
    }
}
