//! What the benches share: clocks, medians, scratch space, and a Python that
//! has the peers in it. A peer that is not there is said to be missing, with
//! the remedy; it is never skipped in silence.

use serde_json::Value;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The Python packages of the picture peers.
pub(crate) const PEER_PACKAGES: &[&str] = &[
    "rawpy",
    "OpenImageIO",
    "numpy",
    "opencv-python-headless",
    "pillow",
    "OpenEXR",
    "opencolorio",
];

/// A failure is a line for the person who ran the bench.
pub(crate) type Result<T> = std::result::Result<T, String>;

/// The build's own scratch directory, on the disk of the checkout.
pub(crate) fn scratch(name: &str) -> Result<PathBuf> {
    let dir = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    std::fs::create_dir_all(&dir).map_err(|e| format!("cannot make {}: {e}", dir.display()))?;
    Ok(dir)
}

/// CPU seconds of this process, user and system, all threads, those that ended
/// included. Linux counts them in hundredths, so measure over seconds.
pub(crate) fn cpu_seconds() -> Result<f64> {
    cpu_seconds_of("self")
}

/// As [`cpu_seconds`], of the process with this id.
pub(crate) fn cpu_seconds_of(process: &str) -> Result<f64> {
    let path = format!("/proc/{process}/stat");
    let stat = std::fs::read_to_string(&path)
        .map_err(|e| format!("cannot read {path}: {e}; the benches run on Linux"))?;
    // The name, in parentheses, may hold spaces: fields are counted behind it. utime and stime are 14 and 15 (proc_pid_stat(5)).
    let fields: Vec<&str> =
        stat.rsplit(')').next().unwrap_or_default().split_whitespace().collect();
    let ticks = |at: usize| fields.get(at).and_then(|v| v.parse::<f64>().ok());
    match (ticks(11), ticks(12)) {
        (Some(user), Some(system)) => Ok((user + system) / 100.0),
        _ => Err(format!("{path} has another form than proc_pid_stat(5) says")),
    }
}

/// Nanoseconds that this thread was on a CPU (Linux, Documentation/scheduler/sched-stats), as seconds.
pub(crate) fn thread_seconds() -> Result<f64> {
    let path = "/proc/thread-self/schedstat";
    let text = std::fs::read_to_string(path).map_err(|e| format!("cannot read {path}: {e}"))?;
    let first = text.split_whitespace().next().and_then(|v| v.parse::<f64>().ok());
    first.map(|v| v / 1e9).ok_or_else(|| format!("{path} has another form than Linux says"))
}

/// The most memory that this process has had, in bytes (proc_pid_status(5), `VmHWM`).
pub(crate) fn peak_bytes() -> Result<u64> {
    let path = "/proc/self/status";
    let text = std::fs::read_to_string(path).map_err(|e| format!("cannot read {path}: {e}"))?;
    let line = text.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kib = line.and_then(|l| l.split_whitespace().next()?.parse::<u64>().ok());
    kib.map(|kib| kib << 10).ok_or_else(|| format!("{path} has another form than Linux says"))
}

/// The middle value; of an even number, the mean of the middle two. 0 of nothing.
pub(crate) fn median(values: impl IntoIterator<Item = f64>) -> f64 {
    let mut values: Vec<f64> = values.into_iter().collect();
    values.sort_by(f64::total_cmp);
    match values.len() {
        0 => 0.0,
        n if n % 2 == 1 => values[n / 2],
        n => f64::midpoint(values[n / 2 - 1], values[n / 2]),
    }
}

/// The number behind `--name` on the command line.
pub(crate) fn argument(name: &str, default: usize) -> Result<usize> {
    option(name)?.map_or(Ok(default), |value| {
        value.parse().map_err(|_| format!("{name} {value} is not a number"))
    })
}

/// What stands behind `--name` on the command line.
pub(crate) fn option(name: &str) -> Result<Option<String>> {
    let mut arguments = std::env::args().skip_while(|a| a != name);
    match (arguments.next(), arguments.next()) {
        (None, _) => Ok(None),
        (_, None) => Err(format!("{name} wants a value")),
        (_, value) => Ok(value),
    }
}

/// What it runs on, for the head of a table.
pub(crate) fn machine() -> String {
    let info = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = info.lines().find_map(|l| l.strip_prefix("model name")).unwrap_or("a CPU");
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    format!("{cores} cores, {}", model.trim_start_matches([' ', '\t', ':']))
}

/// A Python with `packages` in it, in a virtual environment of the bench's own.
pub(crate) fn python(venv: &str, packages: &[&str]) -> Result<PathBuf> {
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).parent().unwrap_or(Path::new("target"));
    let dir = target.join(venv);
    let python = dir.join("bin/python");
    let complete = dir.join("complete");
    // What is in it stands in the mark, so that a new peer is installed too.
    if std::fs::read_to_string(&complete).is_ok_and(|found| found == packages.join(" ")) {
        return Ok(python);
    }
    eprintln!("installing {} into {}", packages.join(" "), dir.display());
    let failed = |what: &str| {
        format!(
            "{what} failed. Install python3-venv and have a package index in reach, or run without peers."
        )
    };
    let done = |command: &mut Command| command.status().is_ok_and(|status| status.success());
    if !done(Command::new("python3").args(["-m", "venv"]).arg(&dir)) {
        return Err(failed("python3 -m venv"));
    }
    if !done(Command::new(&python).args(["-m", "pip", "install", "--quiet"]).args(packages)) {
        return Err(failed("pip install"));
    }
    std::fs::write(&complete, packages.join(" ")).map_err(|e| e.to_string())?;
    Ok(python)
}

/// A command that runs a script of `benches/peers`.
pub(crate) fn script(python: &Path, name: &str) -> Command {
    let mut command = Command::new(python);
    command.arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("benches/peers").join(name));
    command
}

/// Runs `command` and takes the last line that it prints as JSON.
pub(crate) fn json_of(command: &mut Command) -> Result<Value> {
    let output = command.output().map_err(|e| format!("cannot start {command:?}: {e}"))?;
    let said = String::from_utf8_lossy(&output.stdout);
    said.lines()
        .last()
        .and_then(|line| serde_json::from_str(line).ok())
        .ok_or_else(|| format!("{command:?} failed:\n{}", String::from_utf8_lossy(&output.stderr)))
}
