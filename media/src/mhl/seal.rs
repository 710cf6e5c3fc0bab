//! The seal over a directory: the first generation of its history. It is
//! written aside, read back and held against the directory before it gets its
//! name, as a whole directory in one rename, so there is never half a
//! generation; one that already says the same is left as it is, and one that
//! somebody else made or continued is never replaced. What is replaced is the
//! history that was read: in a bucket the store sees to that; on a disk it is
//! looked at again just before. What remains there: a generation that is added
//! between that look and the exchange goes with the attempt, and a seal that gets
//! its name while `mhl create` makes its last two steps goes with that run's.

use super::create::{put_objects, version};
use super::hashing::{digests, moment};
use super::tree::{Loaded, Tree};
use crate::publish;
use crate::source::read_fault;
use crate::storage;
use platefarm_model::{Code, Fault, Outcome, Timestamp};
use platefarm_standards::mhl;
use rayon::prelude::*;
use std::collections::{BTreeMap, HashMap};
use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

/// Who seals a directory, and when.
#[derive(Clone, Debug, PartialEq)]
pub struct SealMeta {
    /// When.
    pub created: Timestamp,
    /// Who, where, with what. A history by another tool is not replaced.
    pub creator: mhl::Creator,
}

/// What is known of the files of a directory, by their paths from there. Nothing need be: a file
/// that is in none of these is read.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Known {
    /// XXH128 that files are meant to have: the seal says these.
    pub meant: HashMap<String, String>,
    /// XXH128 that files had when they were read back: the seal is held against these.
    pub found: HashMap<String, String>,
    /// Files that get their names when the seal has its own, and where they lie until then.
    pub coming: BTreeMap<String, PathBuf>,
}

/// A seal that is written, and has not its name yet.
#[derive(Debug)]
pub struct Prepared {
    /// What is wrong with the directory by this seal, as it was read back; empty when all holds.
    pub problems: Vec<Fault>,
    history: PathBuf,
    /// Where it lies; none where the history that is there says the same.
    fresh: Option<PathBuf>,
    /// Name of its manifest.
    manifest: String,
    seen: Seen,
}

/// What is there of a history before another is made.
#[derive(Debug)]
struct Seen {
    /// The version of its chain, of objects.
    version: Option<String>,
    /// Its chain.
    chain: Option<Vec<u8>>,
    /// Its manifests, of objects: of those that come later none is a replaced one's.
    manifests: Vec<PathBuf>,
}

impl Seen {
    /// In this order: who continues what is seen here puts a manifest beside these.
    fn of(history: &Path) -> Outcome<Self> {
        let version = version(history);
        let remote = storage::is_remote(history);
        let manifests = if remote { manifests(history)? } else { Vec::new() };
        Ok(Self { version, chain: bytes_of(&history.join(mhl::CHAIN_FILE))?, manifests })
    }
}

/// The bytes of a file; none where there is none.
fn bytes_of(path: &Path) -> Outcome<Option<Vec<u8>>> {
    match storage::read(path) {
        Ok(bytes) => Ok(Some(bytes)),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(read_fault(path, &error)),
    }
}

fn manifests(history: &Path) -> Outcome<Vec<PathBuf>> {
    let entries = storage::read_dir(history).map_err(|e| read_fault(history, &e))?;
    let paths = entries.into_iter().flatten().map(|entry| entry.path());
    Ok(paths.filter(|path| path.extension().is_some_and(|ending| ending == "mhl")).collect())
}

/// Seals `dir`, but for the name: the history is written under `staging`, on the same volume, read
/// back from there and held against what lies in `dir`. Staged attempts are left out. `told` hears
/// how many files are done, of how many.
///
/// # Errors
/// [`Code::BadManifest`] when there is a history that others made or continued,
/// or a name that no manifest can carry; `F01xx` and `F03xx`.
pub fn prepare(
    dir: &Path,
    staging: &Path,
    meta: &SealMeta,
    known: &Known,
    told: &(dyn Fn(u64, u64) + Sync),
) -> Outcome<Prepared> {
    let mut problems = Vec::new();
    let mut tree = Tree::walk(dir, &mut problems);
    if let Some(problem) = problems.into_iter().next() {
        return Err(problem.into());
    }
    tree.files.extend(known.coming.keys().cloned());
    tree.files.sort();
    tree.files.dedup();
    let (done, total) = (AtomicU64::new(0), tree.files.len() as u64);
    told(0, total);
    let file = |name: &String| {
        let file = file(dir, name, known)?;
        told(done.fetch_add(1, Ordering::Relaxed) + 1, total);
        Ok(file)
    };
    let files: Vec<(mhl::Entry, mhl::FoundFile)> =
        tree.files.par_iter().map(file).collect::<Outcome<_>>()?;
    let (entries, files): (Vec<_>, Vec<_>) = files.into_iter().unzip();
    let sealed = mhl::seal(
        &entries,
        &mhl::Seal {
            folder: &folder(dir)?,
            created: meta.created,
            creator: meta.creator.clone(),
            process: mhl::Process::InPlace,
            directories: &tree.directories,
            ignore: &[format!("{}/", publish::STAGING)],
        },
    )
    .map_err(|f| f.within(dir.display()))?;
    let history = dir.join(mhl::DIRECTORY);
    // Before it is read: what it is replaced by replaces this and no other.
    let seen = Seen::of(&history)?;
    let holds = match &seen.chain {
        // A manifest that an interrupted run left in a bucket goes when there is another seal.
        Some(chain) => {
            still_holds(&history, chain, &sealed, &meta.creator.tool.0)?
                && seen.manifests.len() <= 1
        }
        None => false,
    };
    let fresh = if holds { None } else { Some(write(staging, &sealed)?) };
    let home = if holds { dir } else { staging };
    let found = mhl::Found { files, directories: tree.directories };
    let problems = held(home, &found)?;
    Ok(Prepared { problems, history, fresh, manifest: sealed.manifest_name, seen })
}

/// Name of the directory itself.
fn folder(dir: &Path) -> Outcome<String> {
    let real = match storage::is_remote(dir) {
        true => dir.to_owned(),
        false => dir.canonicalize().map_err(|e| read_fault(dir, &e))?,
    };
    Ok(real.file_name().map_or("package".into(), |n| n.to_string_lossy().into_owned()))
}

/// A file as the seal will have it, and as it was found.
fn file(dir: &Path, name: &str, known: &Known) -> Outcome<(mhl::Entry, mhl::FoundFile)> {
    let path = known.coming.get(name).cloned().unwrap_or_else(|| dir.join(name));
    let metadata = storage::metadata(&path).map_err(|e| read_fault(&path, &e))?;
    let (size, modified) = (metadata.len(), metadata.modified().ok().map(moment));
    let format = mhl::Format::Xxh128;
    let read_back = known.found.get(name).and_then(|text| format.read(text));
    let digests = match read_back {
        Some(digest) => vec![digest],
        None => digests(&path, &[format])?.1,
    };
    let found = digests.first().map(mhl::Digest::to_string).unwrap_or_default();
    let xxh128 = known.meant.get(name).cloned().unwrap_or(found);
    let path = name.to_owned();
    let entry = mhl::Entry { path: path.clone(), size, modified, xxh128 };
    Ok((entry, mhl::FoundFile { path, size, modified, digests }))
}

/// Writes the history aside, in place of what an earlier try left there.
fn write(staging: &Path, sealed: &mhl::Sealed) -> Outcome<PathBuf> {
    let fresh = staging.join(mhl::DIRECTORY);
    if storage::is_remote(&fresh) {
        storage::remove_below(&fresh, &mut |_| false)?;
    } else {
        let cleared = match fs::remove_dir_all(&fresh) {
            Err(error) if error.kind() != ErrorKind::NotFound => Err(error),
            _ => fs::create_dir_all(&fresh),
        };
        cleared.map_err(|e| publish::write_fault(&fresh, &e))?;
    }
    publish::write_flushed(&fresh.join(&sealed.manifest_name), sealed.manifest.as_bytes())?;
    publish::write_flushed(&fresh.join(mhl::CHAIN_FILE), sealed.chain.as_bytes())?;
    Ok(fresh)
}

/// What is wrong by the history in `home`, read from there.
fn held(home: &Path, found: &mhl::Found) -> Outcome<Vec<Fault>> {
    let mut problems = Vec::new();
    let loaded = Loaded::read(home, "", &mut problems);
    let histories: Vec<mhl::HistoryFiles<'_>> = loaded.iter().map(Loaded::as_files).collect();
    problems.extend(mhl::check(&histories, found).problems);
    if problems.is_empty() {
        problems.extend(mhl::check_directories(&histories, found)?);
    }
    Ok(problems.into_iter().map(Fault::from).collect())
}

impl Prepared {
    /// Gives it its name. What it replaces is one generation of ours, in one step where the volume
    /// has one, and lies where this one did then.
    ///
    /// # Errors
    /// [`Code::Overtaken`] when somebody else has sealed the directory meanwhile; else `F01xx`, `F03xx`.
    pub fn publish(self) -> Outcome<()> {
        let Self { history, fresh, manifest, seen, .. } = self;
        let Some(fresh) = fresh else { return Ok(()) };
        if storage::is_remote(&history) {
            return replace_objects(&fresh, &history, &manifest, seen);
        }
        if bytes_of(&history.join(mhl::CHAIN_FILE))? != seen.chain {
            return Err(Fault::new(Code::Overtaken, "the history is not the one that was read")
                .at(history.display().to_string())
                .remedy("Another run has sealed the directory meanwhile; seal it again."));
        }
        if history.exists() {
            return publish::exchange(&fresh, &history);
        }
        publish::publish(&fresh, &history)
    }
}

/// A history of objects: a manifest that no chain names any more goes last. What a successor put
/// there meanwhile is none of those that were seen, whether its chain names it already or not yet.
fn replace_objects(fresh: &Path, history: &Path, manifest: &str, seen: Seen) -> Outcome<()> {
    let read = |name: &str| {
        let from = fresh.join(name);
        storage::read(&from).map_err(|e| read_fault(&from, &e))
    };
    put_objects(history, (manifest, &read(manifest)?), &read(mhl::CHAIN_FILE)?, seen.version)?;
    let mut old = seen.manifests.iter().filter(|path| !path.ends_with(manifest));
    old.try_for_each(|manifest| publish::discard(manifest))
}

/// Whether the history in `history` says what `fresh` says, dates of its making and of the files
/// apart. One generation of ours that says something else may be replaced.
fn still_holds(history: &Path, chain: &[u8], fresh: &mhl::Sealed, tool: &str) -> Outcome<bool> {
    let Ok(chain) = mhl::Chain::parse(chain) else { return Ok(false) };
    let [only] = chain.entries.as_slice() else {
        return Err(Fault::new(
            Code::BadManifest,
            format!("the package has a history of {} generations", chain.entries.len()),
        )
        .at(history.display().to_string())
        .remedy("Deliver into another directory; others have continued this history."));
    };
    let manifest = bytes_of(&history.join(&only.path))?;
    let Some(manifest) = manifest.filter(|bytes| mhl::Format::C4.of(bytes) == only.c4) else {
        return Ok(false);
    };
    let (old, _) = mhl::Manifest::parse(&manifest);
    if old.as_ref().is_some_and(|old| old.creator.tool.0 != tool) {
        return Err(Fault::new(Code::BadManifest, "the directory is sealed by somebody else")
            .at(history.display().to_string())
            .remedy("Deliver into another directory: this history is not ours to replace."));
    }
    let (new, _) = mhl::Manifest::parse(fresh.manifest.as_bytes());
    Ok(old.zip(new).is_some_and(|(old, new)| {
        undated(old.records) == undated(new.records)
            && old.root == new.root
            && old.ignore == new.ignore
    }))
}

/// Records without the dates of the files: they say nothing of what is in them.
fn undated(mut records: Vec<mhl::Record>) -> Vec<mhl::Record> {
    for record in &mut records {
        if let mhl::Record::File(file) = record {
            file.modified = None;
        }
    }
    records
}
