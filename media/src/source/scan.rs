//! Finding clips under a directory: deterministic, never in a loop, and one
//! unreadable corner does not hide the rest.

use super::{Sequence, read_fault, sequence, source_by_extension, source_of};
use platefarm_model::Fault;
use platefarm_model::clip::ClipInfo;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// Every clip under `directory`, ordered by path, and a fault for everything
/// that looks like media (by its extension) but cannot be read. Hidden
/// directories and files are skipped; links are followed, each directory once.
#[must_use]
pub fn scan(directory: &Path) -> (Vec<ClipInfo>, Vec<Fault>) {
    let mut faults = Vec::new();
    let mut clips = Vec::new();
    for sequence in find(directory, &mut faults) {
        match source_of(sequence.first_file()).and_then(|source| source.open(sequence)) {
            Ok(clip) => clips.push(clip.info().clone()),
            Err(fault) => faults.push(fault),
        }
    }
    (clips, faults)
}

/// The sequences under `directory`, by name alone.
pub(super) fn find(directory: &Path, faults: &mut Vec<Fault>) -> Vec<Sequence> {
    let mut files = Vec::new();
    let mut seen = BTreeSet::new();
    let mut queue = vec![directory.to_owned()];
    while let Some(directory) = queue.pop() {
        let real = match directory.canonicalize() {
            Ok(real) => real,
            Err(error) => {
                faults.push(read_fault(&directory, &error));
                continue;
            }
        };
        if !seen.insert(real) {
            continue;
        }
        let mut inner = Vec::new();
        files.extend(list(&directory, &mut inner, faults));
        inner.reverse();
        queue.extend(inner);
    }
    sequence::group(&files)
}

/// The media files of one directory, ordered by name.
pub(super) fn files_of(directory: &Path, faults: &mut Vec<Fault>) -> Vec<PathBuf> {
    list(directory, &mut Vec::new(), faults)
}

fn list(directory: &Path, inner: &mut Vec<PathBuf>, faults: &mut Vec<Fault>) -> Vec<PathBuf> {
    let mut files = Vec::new();
    let entries = match std::fs::read_dir(directory) {
        Ok(entries) => entries,
        Err(error) => {
            faults.push(read_fault(directory, &error));
            return files;
        }
    };
    for entry in entries {
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
        match std::fs::metadata(&path) {
            Ok(metadata) if metadata.is_dir() => inner.push(path),
            Ok(metadata) if metadata.is_file() && source_by_extension(&path).is_some() => {
                files.push(path);
            }
            Ok(_) => {}
            // A link to nowhere matters only when it stands for media.
            Err(error) if source_by_extension(&path).is_some() => {
                faults.push(read_fault(&path, &error));
            }
            Err(_) => {}
        }
    }
    files.sort();
    inner.sort();
    files
}
