//! The commands of the README: `cargo xtask demo` and `cargo xtask test`.
//!
//! No dependency beyond the standard library, so that the first thing a
//! newcomer runs begins at once instead of compiling.

mod beat;
mod day;
mod demo;
mod fuzz;
mod packages;
mod sim;
mod test;

use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

/// A command of this tool: its name, one line of help, and what it does.
struct Task {
    name: &'static str,
    help: &'static str,
    run: fn(&[String]) -> Result<(), String>,
}

const TASKS: &[Task] = &[
    Task {
        name: "demo",
        help: "build, run one pull on an embedded farm, and show the plates",
        run: demo::run,
    },
    Task {
        name: "test",
        help: "install what the tests need, then run all of them; `test --long`: and live through a day",
        run: test::run,
    },
    Task { name: "setup", help: "only install what the tests need", run: |_| packages::install() },
    Task {
        name: "bench",
        help: "build with optimisation and measure; `bench NAME` for one",
        run: test::bench,
    },
    Task {
        name: "beat",
        help: "kill a farm's processes and its database at random; `beat [--seconds N]`",
        run: beat::run,
    },
    Task {
        name: "day",
        help: "live through a day on a farm: PostgreSQL, S3, TLS, a burst, deaths",
        run: day::run,
    },
    Task {
        name: "sim",
        help: "run many seeds of the farm in a box; `sim [--seeds N] [--from SEED]`",
        run: sim::run,
    },
    Task { name: "plot", help: "draw a burst in virtual time; `plot [FILE]`", run: sim::plot },
    Task {
        name: "fuzz",
        help: "run the fuzz targets; `fuzz [--seconds N] [TARGET]`",
        run: fuzz::run,
    },
];

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let Some(task) = args.first().and_then(|name| TASKS.iter().find(|t| t.name == name)) else {
        eprintln!("usage: cargo xtask COMMAND\n");
        for task in TASKS {
            eprintln!("  {:<8}{}", task.name, task.help);
        }
        return ExitCode::from(2);
    };
    match (task.run)(&args[1..]) {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            eprintln!("xtask {}: {message}", task.name);
            ExitCode::FAILURE
        }
    }
}

/// The root of the workspace: where cargo says that we are now, which after a
/// checkout was moved is not where we were compiled.
fn root() -> PathBuf {
    let here = std::env::var_os("CARGO_MANIFEST_DIR").map(PathBuf::from);
    let here = here.unwrap_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")));
    here.parent().map_or_else(|| PathBuf::from("."), Path::to_path_buf)
}

/// Runs a command in the root, showing it; an exit code other than 0 is an error.
fn run(command: &mut Command) -> Result<(), String> {
    let shown = format!("{command:?}").replace('"', "");
    eprintln!("$ {shown}");
    let status =
        command.current_dir(root()).status().map_err(|e| format!("cannot start {shown}: {e}"))?;
    if status.success() { Ok(()) } else { Err(format!("{shown} ended with {status}")) }
}

/// `cargo`, the one that runs us.
fn cargo() -> Command {
    Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
}
