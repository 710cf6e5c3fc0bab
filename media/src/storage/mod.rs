//! Where files are: on a disk, or as objects behind an `s3://` URL.
//!
//! A place is a path everywhere in the house, and one that begins with `s3://`
//! is an object's. Readers open files through [`File`], [`metadata`] and
//! [`read_dir`] here, which look like the standard library's and are it for
//! places on a disk; writers go through [`crate::publish`]. So no format
//! knows what it reads from, and none can forget what an object store needs:
//! ranges instead of seeks, tries again, the same object from the first byte
//! to the last, and conditions on what is written. So neither can a link lead a
//! process out of where it is kept.

mod bounds;
mod cache;
mod file;
mod s3;
pub mod trial;
mod volume;
mod write;

pub use bounds::{confine, lies_in, outside, scratch};
pub(crate) use bounds::{names_within, real, within};
pub use cache::{Held, local};
pub use file::{Entry, File, Metadata, bytes_read, metadata, read, read_dir};
pub(crate) use s3::carried;
pub use s3::configure;
pub use volume::{Volume, volume};
pub(crate) use write::{discard, hand_over, publish, put, put_over, remove_below, staged};

use platefarm_model::{Code, Fault, Outcome};
use std::path::{Component, Path};

/// What the places of objects begin with.
const SCHEME: &str = "s3://";

/// Whether a place is an object's, and not on a disk.
#[must_use]
pub fn is_remote(path: &Path) -> bool {
    path.as_os_str().as_encoded_bytes().starts_with(SCHEME.as_bytes())
}

/// A place as an absolute one: what is relative begins where we are.
///
/// # Errors
/// [`Code::BadLocation`] for one that cannot be.
pub fn absolute(path: &Path) -> Outcome<std::path::PathBuf> {
    if is_remote(path) {
        Place::of(path)?;
        return Ok(path.to_owned());
    }
    std::path::absolute(path).map_err(|e| bad(path, "is no place").because(&e))
}

/// The directory that a name stands in.
pub(crate) fn directory_of(path: &Path) -> &Path {
    path.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// An object's place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    /// The bucket.
    pub(crate) bucket: String,
    /// The key without slashes at its ends; empty for the bucket itself.
    pub(crate) key: String,
}

fn bad(path: &Path, why: &str) -> Fault {
    Fault::new(Code::BadLocation, format!("'{}' {why}", path.display()))
}

impl Place {
    /// Reads a place; what climbs, or has a piece without a name, is none.
    ///
    /// # Errors
    /// [`Code::BadLocation`].
    pub(crate) fn of(path: &Path) -> Outcome<Self> {
        let text = path.to_str().ok_or_else(|| bad(path, "is not UTF-8"))?;
        let rest = text.strip_prefix(SCHEME).ok_or_else(|| bad(path, "is no s3:// place"))?;
        let rest = rest.trim_end_matches('/');
        let (bucket, key) = rest.split_once('/').unwrap_or((rest, ""));
        let plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b'_');
        if bucket.is_empty() || !bucket.bytes().all(plain) || bucket.starts_with('.') {
            return Err(bad(path, "names no bucket"));
        }
        let climbs = Path::new(key).components().any(|c| !matches!(c, Component::Normal(_)));
        let hollow = !key.is_empty() && key.split('/').any(|p| p.is_empty() || p == ".");
        if climbs || hollow || key.bytes().any(|b| b.is_ascii_control()) {
            return Err(bad(path, "has a piece that cannot be in a key"));
        }
        Ok(Self { bucket: bucket.to_owned(), key: key.to_owned() })
    }

    /// Its path again.
    pub(crate) fn path(&self) -> std::path::PathBuf {
        format!("{SCHEME}{}/{}", self.bucket, self.key).into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::PathBuf;

    #[test]
    fn places_read_what_people_write() {
        let place = |text: &str| Place::of(Path::new(text)).unwrap();
        assert_eq!(place("s3://ocf/A001/f 1.dng").key, "A001/f 1.dng");
        assert_eq!(place("s3://ocf/A001/").key, "A001");
        assert_eq!((place("s3://ocf").bucket, place("s3://ocf/").key), ("ocf".into(), "".into()));
        for bad in [
            "s3://",
            "s3:///a",
            "s3://b/../c",
            "s3://b/a//c",
            "s3://b/./c",
            "s3://b/a/..",
            "s3://a b/c",
            "s3://b/a\n",
        ] {
            assert_eq!(Place::of(Path::new(bad)).unwrap_err().code, Code::BadLocation, "{bad}");
        }
    }

    /// The standard library's paths keep the scheme through all that we do with paths.
    #[test]
    fn paths_of_objects_stay_whole() {
        let root = PathBuf::from("s3://b/plates");
        let file = root.join(".platefarm/t7").join("a.1001.exr");
        assert_eq!(file.to_str().unwrap(), "s3://b/plates/.platefarm/t7/a.1001.exr");
        assert_eq!(file.parent().unwrap().to_str().unwrap(), "s3://b/plates/.platefarm/t7");
        assert!(file.starts_with(&root) && !file.starts_with("s3://b/pla"));
        assert_eq!(file.with_file_name("b").to_str().unwrap(), "s3://b/plates/.platefarm/t7/b");
        assert_eq!(absolute(&file).unwrap(), file);
        assert!(is_remote(&file) && !is_remote(Path::new("/s3://b")) && !is_remote(Path::new("a")));
    }
}
