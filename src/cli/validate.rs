//! `platefarm validate DIR`: the gate, anywhere, on packages of anybody.

use crate::output::{Output, Progress};
use platefarm_media::{mhl, storage};
use platefarm_model::{Code, Fault, Outcome};
use platefarm_worker::gate;
use std::path::{Path, PathBuf};

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
    let total = (out.talks() && !args.shallow).then(|| to_read(dir)).flatten();
    let verdict = Progress::reading(out.talks(), total, judged)?;
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

/// Bytes that a full look reads: every frame once for its pixels, and what else is sealed, or sealed
/// with other hashes than XXH128, once for those. None where a seal does not say it: what is not known is not guessed.
fn to_read(dir: &Path) -> Option<u64> {
    let sealed = match storage::metadata(dir.join("ascmhl")) {
        Ok(_) => mhl::recorded_bytes_but(dir, |path| is_frame(Path::new(path)))?,
        Err(_) => 0,
    };
    Some(sealed + frames_below(dir, 0)?)
}

fn is_frame(path: &Path) -> bool {
    path.extension().is_some_and(|ending| ending.eq_ignore_ascii_case("exr"))
}

/// Deepest directory that is looked into here: links may lead in a circle.
const DEEPEST: u32 = 16;

/// Bytes of the pictures under a directory of a disk.
fn frames_below(dir: &Path, depth: u32) -> Option<u64> {
    if storage::is_remote(dir) || depth > DEEPEST {
        return None;
    }
    let mut sum = 0;
    for entry in storage::read_dir(dir).ok()?.into_iter().flatten() {
        let path = entry.path();
        let found = storage::metadata(&path).ok()?;
        if found.is_dir() {
            sum += frames_below(&path, depth + 1)?;
        } else if is_frame(&path) {
            sum += found.len();
        }
    }
    Some(sum)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_look_reads_is_what_the_pictures_hold() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::create_dir(dir.path().join("a")).unwrap();
        std::fs::write(dir.path().join("a/x.1001.exr"), [0; 70]).unwrap();
        std::fs::write(dir.path().join("y.EXR"), [0; 7]).unwrap();
        std::fs::write(dir.path().join("report.json"), [0; 900]).unwrap();
        assert_eq!(to_read(dir.path()), Some(77));
        // A seal that cannot be read says no sizes.
        std::fs::create_dir(dir.path().join("ascmhl")).unwrap();
        assert_eq!(to_read(dir.path()), None);
    }
}
