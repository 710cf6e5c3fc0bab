//! Objects on a local disk, for programs that know no object store: movies
//! and makers' formats are decoded by others' programs, which want a file.
//!
//! The cache is bounded. An object is fetched once, whole, under the name of
//! its place and version; processes that want the same wait for the one that
//! fetches. What is in use is held by a lock that ends with its process, and
//! what was used longest ago goes first.

use super::File;
use crate::hash::xxh128;
use platefarm_model::{Code, Fault, Outcome};
use std::ffi::OsString;
use std::fs;
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

/// Where the cache is, and how many bytes it may hold; the environment says.
const DIR: &str = "PLATEFARM_CACHE_DIR";
const BYTES: &str = "PLATEFARM_CACHE_BYTES";
/// Bytes where nothing was said.
const USUAL: u64 = 100 << 30;
/// What is fetched at a time.
const PIECE: usize = 64 * 1024 * 1024;
/// What locks are called: of those who use an object, of who fetches it, of the whole cache.
const LOCK: &str = "lock";
const FETCH: &str = "fetch";
const ROOM: &str = "room";
/// What has not come whole yet.
const PARTIAL: &str = ".partial";

/// An object on the disk, for as long as this is held.
#[derive(Debug)]
pub struct Held {
    path: PathBuf,
    _lock: fs::File,
}

impl Held {
    /// The file.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }
}

/// A cache.
#[derive(Clone, Debug)]
pub(crate) struct Cache {
    dir: PathBuf,
    most: u64,
}

/// Puts the object at `place` on a local disk.
///
/// # Errors
/// [`Code::FileNotFound`], `F0306`, `F0307`; [`Code::DiskFull`] when it is larger than the
/// cache may be, or all of the cache is in use; [`Code::NotWritable`].
pub fn local(place: &Path) -> Outcome<Held> {
    Cache::of_environment()?.hold(place)
}

impl Cache {
    pub(super) fn of_environment() -> Outcome<Self> {
        let named = |key: &str| std::env::var_os(key).filter(|value| !value.is_empty());
        let below = |key: &str, dir: &str| named(key).map(|home| PathBuf::from(home).join(dir));
        let dir = named(DIR)
            .map(PathBuf::from)
            .or_else(|| below("XDG_CACHE_HOME", "platefarm/objects"))
            .or_else(|| below("HOME", ".cache/platefarm/objects"))
            .unwrap_or_else(|| std::env::temp_dir().join("platefarm-objects"));
        let most = match named(BYTES).map(OsString::into_string) {
            None => USUAL,
            Some(text) => text.ok().and_then(|text| text.parse().ok()).ok_or_else(|| {
                Fault::new(Code::BadConfig, "the size of the cache cannot be read")
                    .at(BYTES)
                    .remedy("Write a number of bytes.")
            })?,
        };
        Ok(Self { dir, most })
    }

    /// Where it is.
    pub(super) fn dir(&self) -> &Path {
        &self.dir
    }

    /// A cache in `dir` of at most so many bytes.
    #[cfg(test)]
    pub(crate) fn within(dir: PathBuf, most: u64) -> Self {
        Self { dir, most }
    }

    fn fault(&self, error: &io::Error) -> Fault {
        let code = match error.kind() {
            io::ErrorKind::StorageFull => Code::DiskFull,
            _ => Code::NotWritable,
        };
        Fault::new(code, "the cache of objects cannot be written")
            .at(self.dir.display().to_string())
            .because(error)
            .remedy(format!("Name a directory with room with {DIR}."))
    }

    pub(crate) fn hold(&self, place: &Path) -> Outcome<Held> {
        let mut object = File::open(place).map_err(|e| crate::source::read_fault(place, &e))?;
        let found = object.metadata().map_err(|e| crate::source::read_fault(place, &e))?;
        let (size, version) = (found.len(), found.version().unwrap_or_default());
        let name = place.file_name().unwrap_or_else(|| "object".as_ref());
        let key = xxh128(format!("{}\n{version}\n{size}", place.display()).as_bytes());
        let own = self.dir.join(key);
        let path = own.join(name);
        loop {
            let room = self.room()?;
            fs::create_dir_all(&own).map_err(|e| self.fault(&e))?;
            if fs::metadata(&path).is_ok_and(|there| there.len() == size) {
                return self.share(&own, path);
            }
            let fetching = self.lock(&own, FETCH)?;
            if fetching.try_lock().is_err() {
                // Another fetches it: wait for the fetch, and not for those who use it.
                drop(room);
                fetching.lock_shared().map_err(|e| self.fault(&e))?;
                continue;
            }
            self.make_room(size, &own)?;
            // It counts with all its bytes from now on.
            let partial = own.join(PARTIAL);
            let file = fs::File::create(&partial).map_err(|e| self.fault(&e))?;
            file.set_len(size).map_err(|e| self.fault(&e))?;
            drop(room);
            if let Err(fault) = self.fetch(&mut object, size, file, place) {
                let _ = fs::remove_file(&partial);
                return Err(fault);
            }
            let _room = self.room()?;
            fs::rename(&partial, &path).map_err(|e| self.fault(&e))?;
            return self.share(&own, path);
        }
    }

    /// The whole cache, for as long as it takes to look and to take: what is seen
    /// under it is not evicted before it is shared.
    fn room(&self) -> Outcome<fs::File> {
        fs::create_dir_all(&self.dir).map_err(|e| self.fault(&e))?;
        let room = self.lock(&self.dir, ROOM)?;
        room.lock().map_err(|e| self.fault(&e))?;
        Ok(room)
    }

    fn lock(&self, dir: &Path, name: &str) -> Outcome<fs::File> {
        let mut options = fs::File::options();
        options.create(true).truncate(false).write(true);
        options.open(dir.join(name)).map_err(|e| self.fault(&e))
    }

    /// Held together with others who use it. Whoever evicts needs it alone. Called with the room.
    fn share(&self, own: &Path, path: PathBuf) -> Outcome<Held> {
        let lock = self.lock(own, LOCK)?;
        lock.lock_shared().map_err(|e| self.fault(&e))?;
        let _ = lock.set_modified(SystemTime::now());
        Ok(Held { path, _lock: lock })
    }

    fn fetch(&self, object: &mut File, size: u64, mut file: fs::File, place: &Path) -> Outcome<()> {
        let mut piece = vec![0; PIECE.min(usize::try_from(size).unwrap_or(PIECE)).max(1)];
        let mut left = size;
        while left > 0 {
            let wanted = (left.min(piece.len() as u64)) as usize;
            let read = object.read_exact(&mut piece[..wanted]);
            read.map_err(|e| crate::source::read_fault(place, &e))?;
            file.write_all(&piece[..wanted]).map_err(|e| self.fault(&e))?;
            left -= wanted as u64;
        }
        file.sync_all().map_err(|e| self.fault(&e))
    }

    /// Removes what was used longest ago, until `size` more bytes fit. Called with the room.
    fn make_room(&self, size: u64, own: &Path) -> Outcome<()> {
        let full = |why: String| {
            Fault::new(Code::DiskFull, why)
                .at(self.dir.display().to_string())
                .remedy(format!("Allow the cache more bytes with {BYTES}."))
        };
        if size > self.most {
            return Err(full(format!(
                "an object of {size} bytes; the cache may hold {}",
                self.most
            )));
        }
        let entries = fs::read_dir(&self.dir).map_err(|e| self.fault(&e))?;
        let mut kept: Vec<(SystemTime, u64, PathBuf)> = entries
            .flatten()
            .map(|entry| entry.path())
            .filter(|path| path != own && path.is_dir())
            .map(|path| {
                let used = fs::metadata(path.join(LOCK)).and_then(|lock| lock.modified());
                (used.unwrap_or(SystemTime::UNIX_EPOCH), bytes_of(&path), path)
            })
            .collect();
        kept.sort();
        let mut total: u64 = kept.iter().map(|(_, bytes, _)| bytes).sum();
        for (_, bytes, path) in kept {
            if total.saturating_add(size) <= self.most {
                return Ok(());
            }
            let (Ok(used), Ok(fetched)) = (self.lock(&path, LOCK), self.lock(&path, FETCH)) else {
                continue;
            };
            let free = used.try_lock().is_ok() && fetched.try_lock().is_ok();
            if free && fs::remove_dir_all(&path).is_ok() {
                total -= bytes;
            }
        }
        if total.saturating_add(size) <= self.most {
            return Ok(());
        }
        Err(full(format!("{size} bytes more do not fit: {total} are in use")))
    }
}

/// Bytes of the files in a directory.
fn bytes_of(dir: &Path) -> u64 {
    let entries = fs::read_dir(dir).into_iter().flatten().flatten();
    entries.filter_map(|entry| entry.metadata().ok()).map(|meta| meta.len()).sum()
}

#[cfg(test)]
mod tests {
    use super::super::metadata;
    use super::*;

    /// The rules of the cache need no object store: any file is an object to it.
    #[test]
    fn the_cache_is_bounded_and_what_was_used_longest_ago_goes_first() {
        let dir = tempfile::tempdir().unwrap();
        let place = |name: &str, bytes: usize| {
            let path = dir.path().join(name);
            fs::write(&path, vec![name.as_bytes()[0]; bytes]).unwrap();
            path
        };
        let (a, b, c) = (place("a.mov", 400), place("b.mov", 400), place("c.mov", 400));
        let cache = Cache::within(dir.path().join("cache"), 1000);
        let old = cache.hold(&a).unwrap();
        assert_eq!(old.path().file_name(), a.file_name(), "its own name: readers go by it");
        assert_eq!(fs::read(old.path()).unwrap(), fs::read(&a).unwrap());
        let (kept_a, kept_b) = (old.path().to_owned(), cache.hold(&b).unwrap().path().to_owned());
        // Held: it stays though it was used longest ago.
        let third = cache.hold(&c).unwrap();
        assert!(kept_a.exists() && !kept_b.exists() && third.path().exists());
        let fault = cache.hold(&b).unwrap_err();
        assert_eq!(fault.code, Code::DiskFull, "both are in use: {fault}");
        drop((old, third));
        assert!(cache.hold(&b).unwrap().path().exists() && !kept_a.exists());
        let large = place("large.mov", 1001);
        assert_eq!(cache.hold(&large).unwrap_err().code, Code::DiskFull);
        // Used again: it is not fetched again, and goes later.
        let again = cache.hold(&b).unwrap();
        assert_eq!(again.path(), kept_b);
    }

    /// Two who want the same at once both have it, while both keep it.
    #[test]
    fn who_comes_second_waits_for_the_fetch_and_not_for_the_first_to_end() {
        let dir = tempfile::tempdir().unwrap();
        let cache = Cache::within(dir.path().join("cache"), 1_000_000);
        let place = dir.path().join("a.mov");
        fs::write(&place, vec![7; 900_000]).unwrap();
        let both = std::sync::Barrier::new(2);
        std::thread::scope(|scope| {
            for _ in 0..2 {
                scope.spawn(|| {
                    let held = cache.hold(&place).unwrap();
                    both.wait();
                    assert_eq!(fs::read(held.path()).unwrap().len(), 900_000);
                });
            }
        });
    }

    #[test]
    fn another_version_is_another_object() {
        let dir = tempfile::tempdir().unwrap();
        let cache = Cache::within(dir.path().join("cache"), 1000);
        let place = dir.path().join("a.mov");
        fs::write(&place, "one").unwrap();
        let first = cache.hold(&place).unwrap();
        fs::write(&place, "three").unwrap();
        let second = cache.hold(&place).unwrap();
        assert_eq!(fs::read(first.path()).unwrap(), b"one");
        assert_eq!(fs::read(second.path()).unwrap(), b"three");
        assert_eq!(metadata(second.path()).unwrap().len(), 5);
    }
}
