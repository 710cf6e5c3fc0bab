//! The one binary people run: `platefarm`.
//!
//! What was typed is parsed in `cli`, one file per verb; what is shown goes
//! through `output`, so that `--json` can never lag behind; `farm` speaks to a
//! scheduler and `embedded` is one, with workers, in this process.

mod cli;
mod embedded;
mod farm;
mod output;

use std::process::ExitCode;

fn main() -> ExitCode {
    cli::main()
}
