//! A place tried as publishing uses it: staged, flushed, named, read again,
//! taken away; and whether a name that a later lease has is kept from an older one.

use crate::publish::{self, LOCAL, STAGING};
use crate::storage;
use platefarm_model::{Code, Fault, Outcome};
use std::path::Path;
use std::time::{Duration, Instant};

/// What is written.
const BYTES: &[u8] = &[0x5A; 64 * 1024];

/// What was seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Trial {
    /// From nothing to a published file.
    pub publish: Duration,
    /// Whether two directories change places in one step.
    pub exchanges: bool,
}

/// Tries `out`, a directory or a bucket. What is written there is taken away again.
///
/// # Errors
/// `F03xx` for what it cannot do; [`Code::WriteFailed`] where another thing is read than was written.
pub fn run(out: &Path) -> Outcome<Trial> {
    let attempt = format!("{LOCAL}doctor-{}", std::process::id());
    // What is not there is not made for a trial.
    storage::metadata(out).map(drop).or_else(|e| match storage::is_remote(out) {
        true => Ok(()),
        false => Err(publish::write_fault(out, &e)),
    })?;
    let tried = tried(out, &attempt);
    let removed = publish::remove_attempt(out, &attempt);
    let tried = tried?;
    removed.map(|()| tried)
}

fn tried(out: &Path, attempt: &str) -> Outcome<Trial> {
    let stage = publish::stage_dir(out, attempt)?;
    let (staged, published) = (stage.join("staged"), stage.join("published"));
    let begun = Instant::now();
    publish::write_flushed(&staged, BYTES)?;
    publish::publish(&staged, &published)?;
    let took = begun.elapsed();
    let back = storage::read(&published).map_err(|e| publish::write_fault(&published, &e))?;
    if back != BYTES {
        let message = "what was written is not what is read";
        return Err(Fault::new(Code::WriteFailed, message).at(published.display().to_string()));
    }
    if storage::is_remote(out) {
        fenced(out, attempt, &stage.join("fenced"))?;
    }
    let exchanges = !storage::is_remote(out) && exchanges(&stage);
    Ok(Trial { publish: took, exchanges })
}

/// A store that ignores conditions lets an older lease replace what a later one wrote.
fn fenced(out: &Path, attempt: &str, published: &Path) -> Outcome<()> {
    let by = |lease: &str, bytes: &[u8]| {
        let staged = out.join(STAGING).join(lease).join(attempt);
        let done = publish::write_flushed(&staged, bytes)
            .and_then(|()| publish::publish(&staged, published));
        let gone = publish::discard(&staged);
        done.and(gone)
    };
    // Real leases have the time of day in their tokens: these are nobody's.
    by("t2", BYTES)?;
    match by("t1", b"older") {
        Err(fault) if fault.code == Code::Overtaken => Ok(()),
        Err(fault) => Err(fault),
        Ok(()) => {
            let message = "the object store lets an older lease replace what a later one wrote";
            Err(Fault::new(Code::WriteFailed, message).at(out.display().to_string()).remedy(
                "It ignores conditional writes (If-Match, If-None-Match): use a store that has them.",
            ))
        }
    }
}

fn exchanges(stage: &Path) -> bool {
    let (a, b) = (stage.join("a"), stage.join("b"));
    let made = std::fs::create_dir(&a).and_then(|()| std::fs::create_dir(&b));
    made.is_ok() && publish::exchanges(&a, &b)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_trial_leaves_nothing() {
        let dir = tempfile::tempdir().unwrap();
        let tried = run(dir.path()).unwrap();
        assert!(tried.publish > Duration::ZERO);
        assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 0);
        let absent = dir.path().join("absent");
        assert!(run(&absent).is_err());
        assert!(!absent.exists());
    }
}
