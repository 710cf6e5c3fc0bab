//! What this process may touch. A worker with roots is kept within them for
//! good: whatever is opened, listed, written or taken away through this room
//! and [`crate::publish`] is held against them by where it really is, so that
//! no link among frames, exports or plates leads out, whichever reader follows it.

use super::cache::Cache;
use super::{absolute, directory_of, is_remote};
use platefarm_model::{Code, Fault, Outcome};
use std::io::{self, ErrorKind};
use std::path::{Component, Path, PathBuf};
use std::sync::OnceLock;

/// Nothing is set in processes that may touch whatever their user may.
static BOUNDS: OnceLock<Bounds> = OnceLock::new();

#[derive(Clone, Debug, PartialEq, Eq)]
struct Bounds {
    /// Links resolved, or buckets'.
    roots: Vec<PathBuf>,
    /// Where objects are kept that come from within the roots.
    cache: Option<PathBuf>,
}

/// Keeps this process within `roots`, absolute and with links resolved, until it ends. None confine nothing.
///
/// # Errors
/// [`Code::Internal`] for other roots than it has.
pub fn confine(roots: &[PathBuf]) -> Outcome<()> {
    if roots.is_empty() {
        return Ok(());
    }
    let cache = Cache::of_environment().and_then(|cache| absolute(cache.dir())).ok();
    let cache = cache.and_then(|dir| real(&dir).ok());
    let bounds = Bounds { roots: roots.to_vec(), cache };
    if *BOUNDS.get_or_init(|| bounds.clone()) == bounds {
        return Ok(());
    }
    Err(Fault::new(Code::Internal, "a process has one set of roots"))
}

/// Whether a place lies in one of `roots` when its links are resolved.
#[must_use]
pub fn lies_in(place: &Path, roots: &[PathBuf]) -> bool {
    // Keys have no links, and one that climbs is no place.
    let real = if is_remote(place) { Ok(place.to_owned()) } else { real(place) };
    real.is_ok_and(|real| roots.iter().any(|root| real.starts_with(root)))
}

/// Where an absolute path leads: what is there with its links resolved, what is not as it is written.
///
/// # Errors
/// Where a link leads nowhere, or what is not there climbs.
pub(crate) fn real(path: &Path) -> io::Result<PathBuf> {
    let there = path.ancestors().find(|above| above.symlink_metadata().is_ok());
    let there = there.ok_or(ErrorKind::NotFound)?;
    let rest = path.strip_prefix(there).map_err(io::Error::other)?;
    if rest.components().any(|part| part == Component::ParentDir) {
        return Err(ErrorKind::InvalidInput.into());
    }
    Ok(there.canonicalize()?.join(rest))
}

/// Whether this process may touch what is at `place`.
///
/// # Errors
/// [`Code::OutsideRoot`] when it may not.
pub(crate) fn within(place: &Path) -> Outcome<()> {
    let Some(bounds) = BOUNDS.get() else { return Ok(()) };
    let full = absolute(place)?;
    let cached = bounds.cache.as_slice();
    if lies_in(&full, &bounds.roots) || lies_in(&full, cached) || is_scratch(&full) {
        return Ok(());
    }
    Err(outside(place))
}

/// Whether this process may give a name, or take one away: its directory is what counts, wherever
/// a link of that name leads.
///
/// # Errors
/// [`Code::OutsideRoot`] when it may not.
pub(crate) fn names_within(place: &Path) -> Outcome<()> {
    if is_scratch(place) { Ok(()) } else { within(directory_of(place)) }
}

/// What is said of a place that may not be touched.
#[must_use]
pub fn outside(place: &Path) -> Fault {
    let place = place.display();
    Fault::new(Code::OutsideRoot, format!("'{place}' is outside what this worker may touch"))
}

/// A file of this process's own on a disk of this machine, for what goes into a bucket later.
#[must_use]
pub fn scratch(name: &str) -> PathBuf {
    std::env::temp_dir().join(format!("{}{name}", own_prefix()))
}

fn own_prefix() -> String {
    format!("platefarm-{}-", std::process::id())
}

fn is_scratch(place: &Path) -> bool {
    let named = place.file_name().and_then(|name| name.to_str());
    place.parent() == Some(std::env::temp_dir().as_path())
        && named.is_some_and(|name| name.starts_with(&own_prefix()))
        && !place.is_symlink()
}
