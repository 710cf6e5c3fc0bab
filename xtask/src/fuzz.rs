//! `cargo xtask fuzz [--seconds N] [TARGET]`: libFuzzer over every reader of
//! foreign bytes, one after the other.
//!
//! What cargo-fuzz does, less what needs a nightly compiler: code is
//! instrumented with flags that every rustc has, without a sanitizer, since
//! this house has no unsafe code for one to watch. Memory is watched by the targets.

use crate::{cargo, root};
use std::path::{Path, PathBuf};
use std::process::Command;

/// Instruments code for libFuzzer: which edges ran, and what was compared.
const FLAGS: &str = "--cfg fuzzing -Cpasses=sancov-module \
    -Cllvm-args=-sanitizer-coverage-level=4 \
    -Cllvm-args=-sanitizer-coverage-inline-8bit-counters \
    -Cllvm-args=-sanitizer-coverage-pc-table \
    -Cllvm-args=-sanitizer-coverage-trace-compares";
/// How long each target runs when nothing else is said.
const SECONDS: u64 = 60;
/// Longest input: structure, and a little picture.
const MAX_LEN: usize = 16 * 1024;

/// The command line's form.
pub(crate) fn run(args: &[String]) -> Result<(), String> {
    let (mut seconds, mut chosen) = (SECONDS, None);
    let mut rest = args.iter();
    while let Some(argument) = rest.next() {
        if argument == "--seconds" {
            let value = rest.next().ok_or("--seconds wants a number")?;
            seconds = value.parse().map_err(|_| format!("--seconds {value} is not a number"))?;
        } else if chosen.replace(argument).is_some() {
            return Err(format!("one target or all of them, got '{argument}' too"));
        }
    }
    let mut targets = targets()?;
    if let Some(name) = chosen {
        let all = targets.join(", ");
        targets.retain(|target| target == name);
        if targets.is_empty() {
            return Err(format!("there is no target '{name}'; there are {all}"));
        }
    }
    let built = build()?;
    let failed: Vec<&str> = targets
        .iter()
        .filter(|target| fuzz(&built, target, seconds).is_err())
        .map(String::as_str)
        .collect();
    if failed.is_empty() {
        return Ok(());
    }
    Err(format!("found something in {}; the inputs are in fuzz/artifacts", failed.join(", ")))
}

/// Names of the targets, from their files.
fn targets() -> Result<Vec<String>, String> {
    let dir = root().join("fuzz/fuzz_targets");
    let entries = std::fs::read_dir(&dir).map_err(|e| format!("{}: {e}", dir.display()))?;
    let mut names: Vec<String> = entries
        .flatten()
        .filter_map(|entry| Some(entry.path().file_stem()?.to_str()?.to_owned()))
        .collect();
    names.sort();
    Ok(names)
}

/// Builds all targets; returns the directory that they are in.
fn build() -> Result<PathBuf, String> {
    let host = host()?;
    // The versions of the main build, to which cargo adds libFuzzer.
    let lock = root().join("fuzz/Cargo.lock");
    std::fs::copy(root().join("Cargo.lock"), &lock)
        .map_err(|e| format!("{}: {e}", lock.display()))?;
    let target =
        std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root().join("target"), PathBuf::from);
    let target = target.join("fuzz");
    let mut command = cargo();
    // With a target named, build scripts are not instrumented, which they could not be linked with.
    command
        .args(["build", "--release", "--manifest-path", "fuzz/Cargo.toml", "--target", &host])
        .arg("--target-dir")
        .arg(&target)
        .env("RUSTFLAGS", FLAGS);
    crate::run(&mut command)?;
    Ok(target.join(host).join("release"))
}

fn host() -> Result<String, String> {
    let output = Command::new("rustc").arg("-vV").output().map_err(|e| format!("rustc: {e}"))?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let host = text.lines().find_map(|line| line.strip_prefix("host: "));
    host.map(str::to_owned).ok_or_else(|| "rustc -vV does not name its host".to_owned())
}

/// Runs one target. What it learns stays in the build's directory; what it finds goes to `fuzz/artifacts`.
fn fuzz(built: &Path, target: &str, seconds: u64) -> Result<(), String> {
    let work = built.join("corpus").join(target);
    let found = root().join("fuzz/artifacts").join(target);
    for dir in [&work, &found] {
        std::fs::create_dir_all(dir).map_err(|e| format!("{}: {e}", dir.display()))?;
    }
    // Plates are OpenEXR, and their fixtures are the same.
    let folder = if target == "plate" { "exr" } else { target };
    let seeds = ["fuzz/corpus", "media/tests/fixtures", "standards/tests/fixtures"]
        .map(|base| root().join(base).join(folder));
    let mut command = Command::new(built.join(target));
    command
        .arg(&work)
        .args(seeds.iter().filter(|dir| dir.is_dir()))
        .arg(format!("-max_total_time={seconds}"))
        .arg(format!("-max_len={MAX_LEN}"))
        .arg(format!("-artifact_prefix={}/", found.display()))
        .args(["-timeout=20", "-rss_limit_mb=4096", "-print_final_stats=1", "-verbosity=1"])
        .env("RAYON_NUM_THREADS", "1");
    crate::run(&mut command)
}
