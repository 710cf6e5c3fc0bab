//! `cargo xtask test` and `cargo xtask bench`.

use crate::{cargo, packages};
use std::process::Command;

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

/// The command line's form of [`run_all`]; `--long` compiles for the other processor and lives through
/// the day on a farm after it.
pub(crate) fn run(args: &[String]) -> Result<(), String> {
    let long = is_long(args)?;
    run_all()?;
    if !long {
        return Ok(());
    }
    other_processor()?;
    crate::day::live(None)
}

/// Vector code for the processor that is not this one, whose standard library comes by rustup.
fn other_processor() -> Result<(), String> {
    let target = if cfg!(target_arch = "aarch64") {
        "x86_64-unknown-linux-gnu"
    } else {
        "aarch64-unknown-linux-gnu"
    };
    crate::run(Command::new("rustup").args(["target", "add", target]))?;
    crate::run(cargo().args([
        "check",
        "--locked",
        "--package",
        "platefarm-shaders",
        "--target",
        target,
    ]))
}

/// Whether what takes minutes is asked for too.
fn is_long(args: &[String]) -> Result<bool, String> {
    match args.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        [] => Ok(false),
        ["--long"] => Ok(true),
        ["--long", extra, ..] | [extra, ..] => Err(format!(
            "takes --long and nothing else, got '{extra}'; for one test use `cargo test -p CRATE NAME`"
        )),
    }
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

#[cfg(test)]
mod tests {
    use super::is_long;

    #[test]
    fn the_long_form_is_asked_for_by_name() {
        let args = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>();
        assert_eq!(is_long(&args(&[])), Ok(false));
        assert_eq!(is_long(&args(&["--long"])), Ok(true));
        assert!(is_long(&args(&["long"])).is_err());
        assert!(is_long(&args(&["--long", "day"])).unwrap_err().contains("'day'"));
    }
}
