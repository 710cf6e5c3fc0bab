//! The first generation of a history.

use super::chain::{Chain, ChainEntry};
use super::hash::Format;
use super::ignore::Ignore;
use super::manifest::{
    Action, Creator, DirectoryRecord, FileRecord, Manifest, Process, Record, RecordedDigest,
};
use super::tree::{directory_hashes, parent};
use super::{IGNORED, damaged, is_relative};
use crate::date::Utc;
use crate::xml::is_xml_char;
use platefarm_model::{Outcome, Timestamp};
use std::collections::BTreeMap;

/// A file that is sealed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Path from the root, with `/`.
    pub path: String,
    /// Size in bytes.
    pub size: u64,
    /// When it was last modified.
    pub modified: Option<Timestamp>,
    /// XXH3 of 128 bits, in hexadecimal.
    pub xxh128: String,
}

/// How it is sealed.
#[derive(Clone, Debug, PartialEq)]
pub struct Seal<'a> {
    /// Name of the root directory.
    pub folder: &'a str,
    /// When; also the date of [`Self::creator`].
    pub created: Timestamp,
    /// Who.
    pub creator: Creator,
    /// What the run did: [`Process::InPlace`], or [`Process::Transfer`] for a copy.
    pub process: Process,
    /// Directories that are to be there, beyond those of the files.
    pub directories: &'a [String],
    /// Patterns of what is left out, beyond [`IGNORED`].
    pub ignore: &'a [String],
}

/// The two files of a first generation, for the `ascmhl` directory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sealed {
    /// Name of the manifest.
    pub manifest_name: String,
    /// Its text.
    pub manifest: String,
    /// Text of the chain file, [`super::CHAIN_FILE`].
    pub chain: String,
}

/// Seals files. Those that the patterns leave out are left out.
///
/// # Errors
/// [`platefarm_model::Code::BadManifest`] when a path cannot stand in a manifest (absolute, with
/// `..`, or with a character that XML cannot hold), is there twice or is a file
/// and a directory, when a hash is not 32 hexadecimal digits, or when the
/// folder's name is not a name.
pub fn seal(entries: &[Entry], seal: &Seal<'_>) -> Outcome<Sealed> {
    if !is_relative(seal.folder) || seal.folder.contains('/') || !legal(seal.folder) {
        return Err(damaged(format!("'{}' is not the name of a directory", seal.folder)));
    }
    let patterns = IGNORED.iter().copied().chain(seal.ignore.iter().map(String::as_str));
    let ignore: Vec<String> = patterns.map(str::to_owned).collect();
    let covered = Ignore::new(ignore.iter().map(String::as_str));
    let mut files = BTreeMap::new();
    for entry in entries.iter().filter(|entry| !covered.covers(&entry.path, false)) {
        sound(&entry.path)?;
        let digest = Format::Xxh128.read(&entry.xxh128).ok_or_else(|| {
            damaged(format!("'{}' is not an xxh128 value", entry.xxh128)).at(&entry.path)
        })?;
        if files.insert(entry.path.as_str(), (entry, digest)).is_some() {
            return Err(damaged(format!("path '{}' is there twice", entry.path)).at(&entry.path));
        }
    }
    let directories: Vec<&str> = seal.directories.iter().map(String::as_str).collect();
    let directories: Vec<&str> =
        directories.into_iter().filter(|path| !covered.covers(path, true)).collect();
    directories.iter().try_for_each(|path| sound(path))?;
    let hashed = files.iter().map(|(path, (_, digest))| (*path, digest.clone()));
    let mut trees = directory_hashes(Format::Xxh128, hashed, directories)?;

    let root = trees.remove("").into_iter().collect();
    let file = |(entry, digest): &(&Entry, super::Digest)| {
        let digest = RecordedDigest { digest: digest.clone(), action: Some(Action::Original) };
        Record::File(FileRecord {
            path: entry.path.clone(),
            size: Some(entry.size),
            modified: entry.modified.map(|moment| Utc::from(moment).date_time()),
            digests: vec![digest],
            previous_path: None,
        })
    };
    let mut records: Vec<Record> = files.values().map(file).collect();
    records.extend(trees.into_iter().map(|(path, pair)| {
        Record::Directory(DirectoryRecord { path, digests: vec![pair], previous_path: None })
    }));
    // By directory, each directory's own entry after what is in it, as readers list it.
    records.sort_by_cached_key(|record| match record {
        Record::File(file) => (parent(&file.path).0.to_owned(), false, file.path.clone()),
        Record::Directory(directory) => (directory.path.clone(), true, String::new()),
    });
    let manifest = Manifest {
        creator: seal.creator.clone().at(seal.created),
        process: seal.process,
        root,
        ignore,
        records,
        references: Vec::new(),
    };
    let manifest = manifest.to_xml();
    let stamp = Utc::from(seal.created).file_stamp();
    let manifest_name = format!("0001_{}_{stamp}.mhl", seal.folder);
    let c4 = Format::C4.of(manifest.as_bytes());
    let entry = ChainEntry { sequence: 1, path: manifest_name.clone(), c4 };
    Ok(Sealed { manifest_name, manifest, chain: Chain { entries: vec![entry] }.to_xml() })
}

fn legal(path: &str) -> bool {
    path.chars().all(is_xml_char)
}

fn sound(path: &str) -> Outcome<()> {
    // White space at an end would not survive readers that trim.
    if is_relative(path) && legal(path) && path.trim() == path {
        return Ok(());
    }
    Err(damaged(format!("path {path:?} cannot stand in a manifest")).at(path))
}
