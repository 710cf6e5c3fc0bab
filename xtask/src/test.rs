//! `cargo xtask test` and `cargo xtask bench`.

use crate::{cargo, packages};

/// Set-up, then everything that must hold: format, lints, all tests.
pub(crate) fn run_all() -> Result<(), String> {
    packages::install()?;
    crate::run(cargo().args(["fmt", "--all", "--check"]))?;
    crate::run(cargo().args([
        "clippy",
        "--workspace",
        "--all-targets",
        "--locked",
        "--",
        "-D",
        "warnings",
    ]))?;
    // Software Vulkan drivers complain on every start where this is not set.
    let scratch = std::env::temp_dir();
    let runtime = std::env::var_os("XDG_RUNTIME_DIR").unwrap_or_else(|| scratch.into());
    crate::run(cargo().args(["test", "--workspace", "--locked"]).env("XDG_RUNTIME_DIR", runtime))
}

/// The command line's form of [`run_all`].
pub(crate) fn run(args: &[String]) -> Result<(), String> {
    if let Some(extra) = args.first() {
        return Err(format!(
            "takes no argument, got '{extra}'; for one test use `cargo test -p CRATE NAME`"
        ));
    }
    run_all()
}

/// Benches, optimised, one or all.
pub(crate) fn bench(args: &[String]) -> Result<(), String> {
    let mut command = cargo();
    command.args(["bench", "--locked"]);
    match args {
        [] => command.arg("--benches"),
        [name, rest @ ..] => command.args(["--bench", name, "--"]).args(rest),
    };
    crate::run(&mut command)
}
