//! Adding a generation to the history of a directory, or beginning one.
//!
//! Everything is read and hashed first. Then each history is written whole
//! beside the old one, flushed, and exchanged with it in one step, so that a
//! run that is interrupted at any instant leaves each history either as it was
//! or with its new generation; where a volume has no such step, the next run
//! puts back what stepped aside. The deepest are first: a history that is newer
//! than what the one above it refers to is allowed, the reverse is not.

use super::hashing::hash_files;
use super::staged;
use super::tree::{Loaded, Tree};
use crate::source::read_fault;
use crate::{publish, storage};
use platefarm_model::{Code, Fault, Outcome, Timestamp};
use platefarm_standards::mhl::{
    self, Appended, CHAIN_FILE, Creator, DIRECTORY, Format, Found, HistoryFiles, NewGeneration,
    Process, Run,
};
use std::collections::BTreeMap;
use std::fs;
use std::io::Write;
use std::path::Path;

/// How a directory is sealed.
#[derive(Clone, Debug, PartialEq)]
pub struct CreateOptions {
    /// Formats to record; XXH128 when empty.
    pub formats: Vec<Format>,
    /// Patterns of what is left out from now on.
    pub ignore: Vec<String>,
    /// Whether directories get hashes.
    pub directories: bool,
    /// Whether files that were only renamed are told as such.
    pub renames: bool,
    /// These files only, by their path from the directory; empty for all.
    pub only: Vec<String>,
    /// Who, where, with what.
    pub creator: Creator,
    /// When.
    pub created: Timestamp,
}

/// What a run made.
#[derive(Clone, Debug, PartialEq)]
pub struct Created {
    /// The generations, what was recorded, and what is wrong. Without a
    /// generation nothing was written.
    pub appended: Appended,
    /// Bytes that were read.
    pub bytes: u64,
}

/// Adds a generation to the history of `dir` and to each inside it; begins one where there is none.
///
/// # Errors
/// [`Code::BadManifest`] when a name cannot stand in a manifest; [`Code::FileNotFound`] for a file
/// that is asked for and not there; `F01xx` and `F03xx`. Then nothing is written.
pub fn create(dir: &Path, options: &CreateOptions) -> Outcome<Created> {
    create_and_tell(dir, options, &|_| ())
}

/// The same; `told` hears how many bytes will be read, as soon as that is known.
///
/// # Errors
/// As [`create`].
pub fn create_and_tell(
    dir: &Path,
    options: &CreateOptions,
    told: &dyn Fn(u64),
) -> Outcome<Created> {
    let remote = storage::is_remote(dir);
    let _alone = if remote { None } else { Some(lock(dir)?) };
    if !remote {
        staged::clear(dir)?;
    }
    let mut problems = Vec::new();
    let tree = Tree::walk(dir, &mut problems);
    // Before they are read: what is written back is written over these and no others.
    let chains: BTreeMap<String, String> =
        if remote { versions(dir, &tree) } else { BTreeMap::new() };
    let loaded: Vec<Loaded> =
        tree.histories.iter().filter_map(|root| Loaded::read(dir, root, &mut problems)).collect();
    // What cannot be read cannot be sealed.
    if let Some(problem) = problems.into_iter().next() {
        return Err(problem.into());
    }
    if let Some(absent) = options.only.iter().find(|path| tree.files.binary_search(path).is_err()) {
        let message = format!("'{absent}' is not in the directory");
        return Err(Fault::new(Code::FileNotFound, message).at(dir.display().to_string()));
    }
    let histories: Vec<HistoryFiles<'_>> = loaded.iter().map(Loaded::as_files).collect();
    let real = if remote {
        dir.to_owned()
    } else {
        dir.canonicalize().map_err(|e| read_fault(dir, &e))?
    };
    let folder = real.file_name().map_or("root".into(), |name| name.to_string_lossy().into_owned());
    let default = [Format::Xxh128];
    let run = Run {
        folder: &folder,
        created: options.created,
        creator: options.creator.clone(),
        process: Process::InPlace,
        formats: if options.formats.is_empty() { &default } else { &options.formats },
        ignore: &options.ignore,
        directories: options.directories,
        renames: options.renames,
        only: &options.only,
    };
    let not_sealed = tree.notices(&histories, &options.ignore);
    let mut found = Found { files: Vec::new(), directories: tree.directories };
    // Names first: what they need is known before anything is read.
    found.files = hash_files(dir, &tree.files, &Default::default()).0;
    let needed = mhl::needed(&histories, &found, &run);
    let read = |path: &String| needed.get(path).is_some_and(|formats| !formats.is_empty());
    told(found.files.iter().filter(|file| read(&file.path)).map(|file| file.size).sum());
    let (files, failed) = hash_files(dir, &tree.files, &needed);
    if let Some(problem) = failed.into_iter().next() {
        return Err(problem.into());
    }
    found.files = files;
    let hashed = found.files.iter().filter(|file| !file.digests.is_empty());
    let bytes = hashed.map(|file| file.size).sum();
    let mut appended = mhl::append(&histories, &found, &run)?;
    appended.notices.extend(not_sealed);
    if remote {
        for generation in &appended.generations {
            put_remote(dir, generation, &chains)?;
        }
        return Ok(Created { appended, bytes });
    }
    for generation in &appended.generations {
        put(dir, generation)?;
    }
    // Others may be at work beside it: only an empty one goes.
    let _ = fs::remove_dir(publish::staging(dir)?);
    Ok(Created { appended, bytes })
}

/// The version of each history's chain.
fn versions(dir: &Path, tree: &Tree) -> BTreeMap<String, String> {
    let chain = |root: &String| Some((root.clone(), version(&dir.join(root).join(DIRECTORY))?));
    tree.histories.iter().filter_map(chain).collect()
}

/// The version of a history's chain; none on a disk, or where there is none.
pub(super) fn version(history: &Path) -> Option<String> {
    storage::metadata(history.join(CHAIN_FILE)).ok()?.version().map(str::to_owned)
}

/// Makes a generation visible in a bucket.
fn put_remote(
    dir: &Path,
    generation: &NewGeneration,
    chains: &BTreeMap<String, String>,
) -> Outcome<()> {
    let history = dir.join(&generation.root).join(DIRECTORY);
    let (manifest, chain) = (generation.manifest.as_bytes(), generation.chain.as_bytes());
    let seen = chains.get(&generation.root).cloned();
    put_objects(&history, (&generation.name, manifest), chain, seen)
}

/// Writes a manifest into a history of objects, and the chain that names it after it, on the
/// condition that the chain is as it was `seen`: of two runs at once one is
/// refused, and its manifest, which nothing names, is taken away.
pub(super) fn put_objects(
    history: &Path,
    (name, manifest): (&str, &[u8]),
    chain: &[u8],
    seen: Option<String>,
) -> Outcome<()> {
    let (manifest_at, chain_at) = (history.join(name), history.join(CHAIN_FILE));
    // An answer that was lost, or a repeated request that met its own first: what is there says it.
    let put = |at: &Path, bytes: &[u8], seen| {
        let put = storage::put_over(at, bytes, seen);
        put.or_else(|fault| match storage::read(at) {
            Ok(there) if there == bytes => Ok(()),
            _ => Err(fault),
        })
    };
    let again = |fault: Fault| match fault.code {
        Code::Overtaken => {
            fault.remedy("Another run has sealed the directory meanwhile; seal it again.")
        }
        _ => fault,
    };
    // Of two runs within a second both have one name for it.
    put(&manifest_at, manifest, None).map_err(again)?;
    let Err(fault) = put(&chain_at, chain, seen) else { return Ok(()) };
    // A manifest that nothing names does no harm; one that is named and gone would.
    if storage::read(&chain_at).is_ok_and(|it| !String::from_utf8_lossy(&it).contains(name)) {
        let _ = storage::discard(&manifest_at);
    }
    Err(again(fault))
}

/// Makes a generation visible, with its chain, in one step.
fn put(dir: &Path, generation: &NewGeneration) -> Outcome<()> {
    let root = dir.join(&generation.root);
    let history = root.join(DIRECTORY);
    let fault = |e| publish::write_fault(&history, &e);
    let stage = staged::place(dir)?;
    let fresh = staged::history(&stage, &generation.root)?;
    if history.is_dir() {
        carry_over(&history, &fresh).map_err(fault)?;
    }
    // Both are flushed at once, and their directory once.
    let write = |name: &str, text: &str| flushed(&fresh.join(name), text.as_bytes());
    let (manifest, chain) = rayon::join(
        || write(&generation.name, &generation.manifest),
        || write(CHAIN_FILE, &generation.chain),
    );
    manifest.and(chain).map_err(fault)?;
    publish::flush_dir(&fresh)?;
    if history.is_dir() {
        publish::exchange(&fresh, &history)?;
    } else {
        publish::publish(&fresh, &history)?;
    }
    // What was the history is a copy of what it is now, less the last generation.
    fs::remove_dir_all(&stage).map_err(fault)
}

/// Two runs at once would each make the same generation. The lock is that of
/// the directory itself and ends with the process; a volume without locks has none.
fn lock(dir: &Path) -> Outcome<fs::File> {
    let file = fs::File::open(dir).map_err(|e| read_fault(dir, &e))?;
    match file.try_lock() {
        Err(fs::TryLockError::WouldBlock) => {
            Err(Fault::new(Code::NotWritable, "another run is sealing this directory")
                .at(dir.display().to_string())
                .remedy("Wait until it has ended."))
        }
        Ok(()) | Err(fs::TryLockError::Error(_)) => Ok(file),
    }
}

fn flushed(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    let mut file = fs::File::create(path)?;
    file.write_all(bytes)?;
    file.sync_all()
}

/// Everything in a history but its chain: links to the same files where the volume has them, else copies.
fn carry_over(history: &Path, fresh: &Path) -> std::io::Result<()> {
    for entry in fs::read_dir(history)? {
        let entry = entry?;
        if entry.file_name() == CHAIN_FILE || !entry.file_type()?.is_file() {
            continue;
        }
        let to = fresh.join(entry.file_name());
        if fs::hard_link(entry.path(), &to).is_err() {
            fs::copy(entry.path(), &to)?;
            fs::File::open(&to)?.sync_all()?;
        }
    }
    Ok(())
}
