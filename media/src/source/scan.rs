//! Finding clips under a directory: deterministic, never in a loop, and one
//! unreadable corner does not hide the rest.

use super::{Sequence, open_with, read_fault, regular, sequence, source_by_extension};
use crate::sidecar;
use crate::storage;
use platefarm_model::clip::ClipInfo;
use platefarm_model::{Fault, Outcome};
use rayon::prelude::*;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

static SEEN: AtomicU64 = AtomicU64::new(0);
static MEDIA: AtomicU64 = AtomicU64::new(0);
static INSPECTED: AtomicU64 = AtomicU64::new(0);

/// How far this process has looked for media so far: what a person who waits
/// is told. It only grows, and says nothing of whose they were.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Looked {
    /// Files and directories that were listed.
    pub seen: u64,
    /// Files of clips among them.
    pub media: u64,
    /// Of those the ones that were opened, or belong to a clip that was.
    pub inspected: u64,
}

impl Looked {
    /// What came since `before`.
    #[must_use]
    pub fn since(self, before: Self) -> Self {
        Self {
            seen: self.seen.saturating_sub(before.seen),
            media: self.media.saturating_sub(before.media),
            inspected: self.inspected.saturating_sub(before.inspected),
        }
    }
}

/// How far this process has looked for media.
#[must_use]
pub fn looked() -> Looked {
    let [seen, media, inspected] = [&SEEN, &MEDIA, &INSPECTED].map(|n| n.load(Ordering::Relaxed));
    Looked { seen, media, inspected }
}

/// So many files of clips were found.
pub(crate) fn found(files: usize) {
    MEDIA.fetch_add(files as u64, Ordering::Relaxed);
}

/// So many of them were looked at.
pub(crate) fn inspected(files: usize) {
    INSPECTED.fetch_add(files as u64, Ordering::Relaxed);
}

/// Every clip under `directory`, ordered by path, and a fault for everything
/// that looks like media (by its extension) but cannot be read. Hidden
/// directories and files are skipped; links are followed, each directory once.
/// Metadata exports that lie there are merged into the clips that they name.
#[must_use]
pub fn scan(directory: &Path) -> (Vec<ClipInfo>, Vec<Fault>) {
    let mut faults = Vec::new();
    let mut clips = Vec::new();
    let found = find(directory, &mut faults);
    // Opening waits for the disk, and for the programs that read movies; the order stays.
    let opened: Vec<_> = found.sequences.into_par_iter().map(describe).collect();
    for described in opened {
        match described {
            Ok(info) => clips.push(info),
            Err(fault) => faults.push(fault),
        }
    }
    let (sheets, unreadable) = sidecar::read_all(&found.exports);
    faults.extend(unreadable);
    // An export without its media is nothing to be pulled from.
    let _ = sidecar::attach(&mut clips, sheets);
    (clips, faults)
}

fn describe(sequence: Sequence) -> Outcome<ClipInfo> {
    let files = sequence.files().len();
    let described = open_with(sequence).map(|clip| clip.info().clone());
    inspected(files);
    described
}

/// What lies under a directory, by name alone.
#[derive(Default)]
pub(crate) struct Found {
    /// The clips, ordered by the path of their first file.
    pub(crate) sequences: Vec<Sequence>,
    /// Files that may be metadata exports, ordered by path.
    pub(crate) exports: Vec<PathBuf>,
}

/// The sequences under `directory`, and what may be metadata exports.
pub(crate) fn find(directory: &Path, faults: &mut Vec<Fault>) -> Found {
    let mut all = Listing::default();
    let mut seen = BTreeSet::new();
    let mut queue = vec![directory.to_owned()];
    while let Some(directory) = queue.pop() {
        // Keys have no links that could lead in a circle.
        let real = match storage::is_remote(&directory) {
            true => Ok(directory.clone()),
            false => directory.canonicalize(),
        };
        let real = match real {
            Ok(real) => real,
            Err(error) => {
                faults.push(read_fault(&directory, &error));
                continue;
            }
        };
        if !seen.insert(real) {
            continue;
        }
        let mut here = list(&directory, faults);
        all.media.append(&mut here.media);
        all.exports.append(&mut here.exports);
        here.inner.reverse();
        queue.append(&mut here.inner);
    }
    all.exports.sort();
    found(all.media.len());
    Found { sequences: sequence::group(&all.media), exports: all.exports }
}

/// The clips and exports of one directory, without those below it.
pub(super) fn find_in(directory: &Path) -> Found {
    let here = list(directory, &mut Vec::new());
    Found { sequences: sequence::group(&here.media), exports: here.exports }
}

/// What is in one directory, each ordered by name.
#[derive(Default)]
struct Listing {
    media: Vec<PathBuf>,
    exports: Vec<PathBuf>,
    inner: Vec<PathBuf>,
}

fn list(directory: &Path, faults: &mut Vec<Fault>) -> Listing {
    let mut found = Listing::default();
    let entries = match storage::read_dir(directory) {
        Ok(entries) => entries,
        Err(error) => {
            faults.push(read_fault(directory, &error));
            return found;
        }
    };
    for entry in entries {
        SEEN.fetch_add(1, Ordering::Relaxed);
        let entry = match entry {
            Ok(entry) => entry,
            Err(error) => {
                faults.push(read_fault(directory, &error));
                continue;
            }
        };
        if entry.file_name().as_encoded_bytes().starts_with(b".") {
            continue;
        }
        let path = entry.path();
        // What a listing of objects says is all that there is to know of them.
        if storage::is_remote(&path) && entry.is_file() {
            match () {
                () if source_by_extension(&path).is_some() => found.media.push(path),
                () if sidecar::may_be(&path) => found.exports.push(path),
                () => {}
            }
            continue;
        }
        match storage::metadata(&path) {
            Ok(metadata) if metadata.is_dir() => found.inner.push(path),
            Ok(metadata) if metadata.is_file() && source_by_extension(&path).is_some() => {
                found.media.push(path);
            }
            Ok(metadata) if metadata.is_file() && sidecar::may_be(&path) => {
                found.exports.push(path);
            }
            Ok(_) if source_by_extension(&path).is_some() => {
                faults.extend(regular(&path).err());
            }
            Ok(_) => {}
            // A link to nowhere matters only when it stands for media.
            Err(error) if source_by_extension(&path).is_some() => {
                faults.push(read_fault(&path, &error));
            }
            Err(_) => {}
        }
    }
    for paths in [&mut found.media, &mut found.exports, &mut found.inner] {
        paths.sort();
    }
    found
}
