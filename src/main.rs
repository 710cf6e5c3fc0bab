//! The one binary people run: `platefarm`.
//!
//! What was typed is parsed in `cli`, one file per verb; what is shown goes
//! through `output`, so that `--json` can never lag behind; `access` says who
//! we are, `farm` speaks to a
//! scheduler and `embedded` is one, with workers, in this process;
//! `provider` starts and drains workers as the farm wants them.

mod access;
mod cli;
mod doctor;
mod embedded;
mod farm;
mod output;
mod provider;
mod traces;

use std::process::ExitCode;

fn main() -> ExitCode {
    cli::main()
}
