//! Files and directories for readers, wherever they are.
//!
//! Of an object only what is asked for is fetched. A reader that goes on where
//! it was gets more and more ahead of it, so that a small header costs one
//! small range and a whole frame a few large ones; large reads are fetched in
//! ranges side by side. Every range names the object's version, so a file that
//! is replaced in the middle is an error, and never half of each.

use super::s3::{fault, io_error, object, wait};
use super::{Place, is_remote, within};
use bytes::Bytes;
use futures_util::{StreamExt, TryStreamExt, stream};
use object_store::aws::AmazonS3;
use object_store::path::Path as Key;
use object_store::{GetOptions, ObjectStore, ObjectStoreExt};
use platefarm_model::{Fault, Outcome};
use std::io::{self, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::SystemTime;

/// First range of a reader, and what one that jumps gets: headers and directories are smaller.
const FIRST_BYTES: u64 = 64 * 1024;
/// Most that is fetched ahead of a reader, and largest range of one call.
const RANGE_BYTES: u64 = 8 * 1024 * 1024;
/// Ranges of one read under way at a time.
const ABREAST: usize = 8;

/// A file to read from.
#[derive(Debug)]
pub struct File(Kind);

#[derive(Debug)]
enum Kind {
    Disk(std::fs::File),
    Object(Box<Object>),
}

/// An object that is read.
#[derive(Debug)]
struct Object {
    place: Place,
    client: Arc<AmazonS3>,
    key: Key,
    size: u64,
    version: Option<String>,
    modified: SystemTime,
    at: u64,
    ahead: Bytes,
    ahead_at: u64,
    /// How much to fetch if the reader goes on where it is.
    step: u64,
}

/// What is known of a place.
#[derive(Clone, Debug)]
pub struct Metadata {
    kind: MetadataKind,
}

#[derive(Clone, Debug)]
enum MetadataKind {
    Disk(std::fs::Metadata),
    Object { size: u64, modified: SystemTime, version: Option<String> },
    Prefix,
}

impl Metadata {
    /// Bytes of a file.
    #[must_use]
    pub fn len(&self) -> u64 {
        match &self.kind {
            MetadataKind::Disk(metadata) => metadata.len(),
            MetadataKind::Object { size, .. } => *size,
            MetadataKind::Prefix => 0,
        }
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Whether other files are below it.
    #[must_use]
    pub fn is_dir(&self) -> bool {
        match &self.kind {
            MetadataKind::Disk(metadata) => metadata.is_dir(),
            MetadataKind::Object { .. } => false,
            MetadataKind::Prefix => true,
        }
    }

    /// Whether it is a regular file, or an object.
    #[must_use]
    pub fn is_file(&self) -> bool {
        match &self.kind {
            MetadataKind::Disk(metadata) => metadata.is_file(),
            MetadataKind::Object { .. } => true,
            MetadataKind::Prefix => false,
        }
    }

    /// What tells an object's versions apart, where the store says it.
    #[must_use]
    pub fn version(&self) -> Option<&str> {
        match &self.kind {
            MetadataKind::Object { version, .. } => version.as_deref(),
            _ => None,
        }
    }

    /// What it is on a disk, where it is on one.
    #[must_use]
    pub fn disk(&self) -> Option<&std::fs::Metadata> {
        match &self.kind {
            MetadataKind::Disk(metadata) => Some(metadata),
            _ => None,
        }
    }

    /// When it was written last.
    ///
    /// # Errors
    /// Where the place does not know.
    pub fn modified(&self) -> io::Result<SystemTime> {
        match &self.kind {
            MetadataKind::Disk(metadata) => metadata.modified(),
            MetadataKind::Object { modified, .. } => Ok(*modified),
            MetadataKind::Prefix => Err(io::ErrorKind::Unsupported.into()),
        }
    }
}

impl File {
    /// Opens a file.
    ///
    /// # Errors
    /// As the standard library's; an object store's carry its fault, and so does
    /// [`platefarm_model::Code::OutsideRoot`] where a link leads out of where this process is kept.
    pub fn open(path: impl AsRef<Path>) -> io::Result<Self> {
        let path = path.as_ref();
        within(path).map_err(io_error)?;
        if !is_remote(path) {
            return std::fs::File::open(path).map(|file| Self(Kind::Disk(file)));
        }
        Object::open(path).map(|object| Self(Kind::Object(Box::new(object)))).map_err(io_error)
    }

    /// What is known of it.
    ///
    /// # Errors
    /// As the standard library's.
    pub fn metadata(&self) -> io::Result<Metadata> {
        let kind = match &self.0 {
            Kind::Disk(file) => MetadataKind::Disk(file.metadata()?),
            Kind::Object(o) => MetadataKind::Object {
                size: o.size,
                modified: o.modified,
                version: o.version.clone(),
            },
        };
        Ok(Metadata { kind })
    }
}

/// Bytes that this process has read of files and objects.
static BYTES_READ: AtomicU64 = AtomicU64::new(0);

/// Bytes that this process has read so far of files and objects: what a person
/// who waits is told. It only grows, and says nothing of whose they were.
#[must_use]
pub fn bytes_read() -> u64 {
    BYTES_READ.load(Ordering::Relaxed)
}

pub(super) fn counted(read: io::Result<usize>) -> io::Result<usize> {
    read.inspect(|count| {
        BYTES_READ.fetch_add(*count as u64, Ordering::Relaxed);
    })
}

impl Read for File {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        counted(match &mut self.0 {
            Kind::Disk(file) => file.read(out),
            Kind::Object(object) => object.read(out).map_err(io_error),
        })
    }

    fn read_to_end(&mut self, out: &mut Vec<u8>) -> io::Result<usize> {
        counted(match &mut self.0 {
            Kind::Disk(file) => file.read_to_end(out),
            Kind::Object(object) => object.rest(out).map_err(io_error),
        })
    }
}

impl Seek for File {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        match &mut self.0 {
            Kind::Disk(file) => file.seek(to),
            Kind::Object(object) => object.seek(to),
        }
    }
}

impl Object {
    fn open(path: &Path) -> Outcome<Self> {
        let place = Place::of(path)?;
        let (client, key) = object(&place)?;
        let head = {
            let (client, key) = (Arc::clone(&client), key.clone());
            wait(async move { client.head(&key).await })?
        };
        let meta = head.map_err(|e| fault(&place, &e))?;
        Ok(Self {
            place,
            client,
            key,
            size: meta.size,
            version: meta.e_tag,
            modified: meta.last_modified.into(),
            at: 0,
            ahead: Bytes::new(),
            ahead_at: 0,
            step: FIRST_BYTES,
        })
    }

    /// Bytes `from..to` of the version that was opened, in ranges side by side.
    fn fetch(&self, from: u64, to: u64) -> Outcome<Vec<Bytes>> {
        let starts = (from..to).step_by(RANGE_BYTES as usize);
        let ranges: Vec<_> = starts.map(|at| at..(at + RANGE_BYTES).min(to)).collect();
        let (client, key, version) =
            (Arc::clone(&self.client), self.key.clone(), self.version.clone());
        let fetched = wait(async move {
            let one = |range: std::ops::Range<u64>| {
                let (client, key) = (Arc::clone(&client), key.clone());
                let options = GetOptions {
                    range: Some(range.into()),
                    if_match: version.clone(),
                    ..GetOptions::default()
                };
                async move { client.get_opts(&key, options).await?.bytes().await }
            };
            stream::iter(ranges).map(one).buffered(ABREAST).try_collect::<Vec<_>>().await
        })?;
        let pieces = fetched.map_err(|e| fault(&self.place, &e))?;
        let got: u64 = pieces.iter().map(|piece| piece.len() as u64).sum();
        if got != to - from {
            return Err(Fault::new(
                platefarm_model::Code::StorageFailed,
                format!("{} bytes were asked for, and {got} came", to - from),
            )
            .at(self.place.path().display().to_string()));
        }
        Ok(pieces)
    }

    fn read(&mut self, out: &mut [u8]) -> Outcome<usize> {
        let left = self.size.saturating_sub(self.at);
        let wanted = (out.len() as u64).min(left);
        if wanted == 0 {
            return Ok(0);
        }
        let known = self.ahead_at..self.ahead_at + self.ahead.len() as u64;
        if !known.contains(&self.at) {
            if wanted >= RANGE_BYTES / 8 {
                return self.direct(&mut out[..wanted as usize]);
            }
            // Who goes on where the last range ended gets more; who jumped gets little.
            let goes_on = self.at == known.end && self.at > 0;
            self.step = if goes_on { (self.step * 4).min(RANGE_BYTES) } else { FIRST_BYTES };
            let end = self.at + self.step.max(wanted).min(left);
            let piece = self.fetch(self.at, end)?.into_iter().next();
            (self.ahead_at, self.ahead) = (self.at, piece.unwrap_or_default());
        }
        let from = (self.at - self.ahead_at) as usize;
        let known = &self.ahead[from..];
        let count = known.len().min(out.len());
        out[..count].copy_from_slice(&known[..count]);
        self.at += count as u64;
        Ok(count)
    }

    /// A large read, past what is fetched ahead.
    fn direct(&mut self, out: &mut [u8]) -> Outcome<usize> {
        let mut to = 0;
        for piece in self.fetch(self.at, self.at + out.len() as u64)? {
            out[to..to + piece.len()].copy_from_slice(&piece);
            to += piece.len();
        }
        self.at += to as u64;
        Ok(to)
    }

    fn rest(&mut self, out: &mut Vec<u8>) -> Outcome<usize> {
        let before = out.len();
        for piece in self.fetch(self.at.min(self.size), self.size)? {
            out.extend_from_slice(&piece);
        }
        self.at = self.size.max(self.at);
        Ok(out.len() - before)
    }

    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let at = match to {
            SeekFrom::Start(at) => Some(at),
            SeekFrom::End(by) => self.size.checked_add_signed(by),
            SeekFrom::Current(by) => self.at.checked_add_signed(by),
        };
        self.at = at.ok_or(io::ErrorKind::InvalidInput)?;
        Ok(self.at)
    }
}

/// What is known of a place. A prefix that objects lie below is a directory.
///
/// # Errors
/// As the standard library's; an object store's carry its fault.
pub fn metadata(path: impl AsRef<Path>) -> io::Result<Metadata> {
    let path = path.as_ref();
    if !is_remote(path) {
        return Ok(Metadata { kind: MetadataKind::Disk(std::fs::metadata(path)?) });
    }
    remote_metadata(path).map(|kind| Metadata { kind }).map_err(io_error)
}

fn remote_metadata(path: &Path) -> Outcome<MetadataKind> {
    let place = Place::of(path)?;
    let (client, key) = object(&place)?;
    let found = wait(async move {
        let missing = match key.as_ref().is_empty() {
            true => None,
            false => match client.head(&key).await {
                Ok(meta) => return Ok(Some(meta)),
                Err(error @ object_store::Error::NotFound { .. }) => Some(error),
                Err(error) => return Err(error),
            },
        };
        let first = client.list(Some(&key)).next().await.transpose()?;
        match (first, missing) {
            (None, Some(error)) => Err(error),
            _ => Ok(None),
        }
    })?;
    Ok(match found.map_err(|e| fault(&place, &e))? {
        Some(meta) => MetadataKind::Object {
            size: meta.size,
            modified: meta.last_modified.into(),
            version: meta.e_tag,
        },
        None => MetadataKind::Prefix,
    })
}

/// One name in a directory.
#[derive(Clone, Debug)]
pub struct Entry {
    path: PathBuf,
    is_dir: bool,
    is_file: bool,
}

impl Entry {
    /// Its path.
    #[must_use]
    pub fn path(&self) -> PathBuf {
        self.path.clone()
    }

    /// Its name.
    #[must_use]
    pub fn file_name(&self) -> std::ffi::OsString {
        self.path.file_name().unwrap_or_default().to_owned()
    }

    /// Whether it is a directory itself, and no link to one.
    #[must_use]
    pub const fn is_dir(&self) -> bool {
        self.is_dir
    }

    /// Whether it is a file itself, and no link to one.
    #[must_use]
    pub const fn is_file(&self) -> bool {
        self.is_file
    }
}

/// The names in a directory, in no order.
///
/// # Errors
/// As [`File::open`]. One name that cannot be looked at does not hide the others.
pub fn read_dir(path: impl AsRef<Path>) -> io::Result<Vec<io::Result<Entry>>> {
    let path = path.as_ref();
    within(path).map_err(io_error)?;
    if is_remote(path) {
        return remote_entries(path).map_err(io_error);
    }
    let entry = |entry: io::Result<std::fs::DirEntry>| {
        let entry = entry?;
        let kind = entry.file_type()?;
        Ok(Entry { path: entry.path(), is_dir: kind.is_dir(), is_file: kind.is_file() })
    };
    Ok(std::fs::read_dir(path)?.map(entry).collect())
}

fn remote_entries(path: &Path) -> Outcome<Vec<io::Result<Entry>>> {
    let place = Place::of(path)?;
    let (client, key) = object(&place)?;
    let listed = wait(async move { client.list_with_delimiter(Some(&key)).await })?;
    let listed = listed.map_err(|e| fault(&place, &e))?;
    let path = |key: &Key| Place { bucket: place.bucket.clone(), key: key.to_string() }.path();
    let inner = listed.common_prefixes.iter();
    let inner = inner.map(|key| Entry { path: path(key), is_dir: true, is_file: false });
    let files = listed.objects.iter().map(|meta| &meta.location);
    let files = files.map(|key| Entry { path: path(key), is_dir: false, is_file: true });
    Ok(inner.chain(files).map(Ok).collect())
}

/// All bytes of a file.
///
/// # Errors
/// As [`File::open`].
pub fn read(path: impl AsRef<Path>) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    File::open(path)?.read_to_end(&mut bytes)?;
    Ok(bytes)
}
