//! The first generation of a history, of files whose hashes are known: they
//! were taken while the files were written or read back.

use super::append::{Run, append};
use super::check::{Found, FoundFile};
use super::damaged;
use super::hash::Format;
use super::manifest::{Creator, Process};
use platefarm_model::{Outcome, Timestamp};
use std::collections::HashSet;

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
    /// Patterns of what is left out, beyond [`super::IGNORED`].
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
    let mut seen = HashSet::new();
    let mut found = Found { files: Vec::new(), directories: seal.directories.to_vec() };
    for entry in entries {
        let digest = Format::Xxh128.read(&entry.xxh128).ok_or_else(|| {
            damaged(format!("'{}' is not an xxh128 value", entry.xxh128)).at(&entry.path)
        })?;
        if !seen.insert(&entry.path) {
            return Err(damaged(format!("path '{}' is there twice", entry.path)).at(&entry.path));
        }
        found.files.push(FoundFile {
            path: entry.path.clone(),
            size: entry.size,
            modified: entry.modified,
            digests: vec![digest],
        });
    }
    let run = Run {
        folder: seal.folder,
        created: seal.created,
        creator: seal.creator.clone(),
        process: seal.process,
        formats: &[Format::Xxh128],
        ignore: seal.ignore,
        directories: true,
        renames: false,
        only: &[],
    };
    let [first] = append(&[], &found, &run)?
        .generations
        .try_into()
        .map_err(|_| damaged("a first generation is one generation"))?;
    Ok(Sealed { manifest_name: first.name, manifest: first.manifest, chain: first.chain })
}
