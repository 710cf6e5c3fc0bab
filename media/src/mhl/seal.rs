//! The seal over a directory: the first generation of its history. It appears
//! as a whole directory in one rename, so there is never half a generation; one
//! that already says the same is left as it is, and one that somebody else made
//! or continued is never replaced.

use super::hashing::{digests, moment};
use super::tree::Tree;
use crate::publish;
use crate::source::read_fault;
use crate::storage;
use platefarm_model::{Code, Fault, Outcome, Timestamp};
use platefarm_standards::mhl;
use rayon::prelude::*;
use std::collections::HashMap;
use std::fs;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};

/// Who seals a directory, and when.
#[derive(Clone, Debug, PartialEq)]
pub struct SealMeta {
    /// When.
    pub created: Timestamp,
    /// Who, where, with what. A history by another tool is not replaced.
    pub creator: mhl::Creator,
}

/// Seals `dir`. `known` holds the XXH128 of files that were read back already,
/// by their path from there; the others are hashed in parallel. Files under
/// `staging`, on the same volume, become the history. Staged attempts are left out. `told` hears
/// how many files are done, of how many.
///
/// # Errors
/// [`Code::BadManifest`] when there is a history that others made or continued,
/// or a name that no manifest can carry; `F01xx` and `F03xx`.
pub fn seal(
    dir: &Path,
    staging: &Path,
    meta: &SealMeta,
    known: &HashMap<String, String>,
    told: &(dyn Fn(u64, u64) + Sync),
) -> Outcome<()> {
    let mut problems = Vec::new();
    let tree = Tree::walk(dir, &mut problems);
    if let Some(problem) = problems.into_iter().next() {
        return Err(problem.into());
    }
    let (done, total) = (AtomicU64::new(0), tree.files.len() as u64);
    told(0, total);
    let entry = |name: &String| {
        let entry = entry(dir, name, known)?;
        told(done.fetch_add(1, Ordering::Relaxed) + 1, total);
        Ok(entry)
    };
    let files: Vec<mhl::Entry> = tree.files.par_iter().map(entry).collect::<Outcome<_>>()?;
    let real = match storage::is_remote(dir) {
        true => dir.to_owned(),
        false => dir.canonicalize().map_err(|e| read_fault(dir, &e))?,
    };
    let folder = real.file_name().map_or("package".into(), |n| n.to_string_lossy().into_owned());
    let sealed = mhl::seal(
        &files,
        &mhl::Seal {
            folder: &folder,
            created: meta.created,
            creator: meta.creator.clone(),
            process: mhl::Process::InPlace,
            directories: &tree.directories,
            ignore: &[format!("{}/", publish::STAGING)],
        },
    )
    .map_err(|f| f.within(dir.display()))?;
    let history = dir.join(mhl::DIRECTORY);
    let there = storage::metadata(&history).is_ok();
    if there && still_holds(&history, &sealed, &meta.creator.tool.0)? {
        return Ok(());
    }
    put(&history, staging, &sealed)
}

fn entry(dir: &Path, name: &str, known: &HashMap<String, String>) -> Outcome<mhl::Entry> {
    let path = dir.join(name);
    let metadata = storage::metadata(&path).map_err(|e| read_fault(&path, &e))?;
    let xxh128 = match known.get(name) {
        Some(xxh128) => xxh128.clone(),
        None => digests(&path, &[mhl::Format::Xxh128])?
            .1
            .first()
            .map(mhl::Digest::to_string)
            .unwrap_or_default(),
    };
    Ok(mhl::Entry {
        path: name.to_owned(),
        size: metadata.len(),
        modified: metadata.modified().ok().map(moment),
        xxh128,
    })
}

/// Writes the history beside and gives it its name.
fn put(history: &Path, staging: &Path, sealed: &mhl::Sealed) -> Outcome<()> {
    if storage::is_remote(history) {
        // The chain names the manifest, and comes after it: without it there is no generation.
        let manifest = history.join(&sealed.manifest_name);
        publish::write_flushed(&manifest, sealed.manifest.as_bytes())?;
        return publish::write_flushed(&history.join(mhl::CHAIN_FILE), sealed.chain.as_bytes());
    }
    let fault = |e| publish::write_fault(history, &e);
    let fresh = staging.join(mhl::DIRECTORY);
    fs::create_dir_all(&fresh).map_err(fault)?;
    publish::write_flushed(&fresh.join(&sealed.manifest_name), sealed.manifest.as_bytes())?;
    publish::write_flushed(&fresh.join(mhl::CHAIN_FILE), sealed.chain.as_bytes())?;
    if history.exists() {
        fs::rename(history, staging.join("replaced")).map_err(fault)?;
    }
    publish::publish(&fresh, history)
}

/// Whether the history in `history` says what `fresh` says, dates of its making
/// apart. One generation of ours that says something else may be replaced.
fn still_holds(history: &Path, fresh: &mhl::Sealed, tool: &str) -> Outcome<bool> {
    let chain = storage::read(history.join(mhl::CHAIN_FILE)).unwrap_or_default();
    let Ok(chain) = mhl::Chain::parse(&chain) else { return Ok(false) };
    let [only] = chain.entries.as_slice() else {
        return Err(Fault::new(
            Code::BadManifest,
            format!("the package has a history of {} generations", chain.entries.len()),
        )
        .at(history.display().to_string())
        .remedy("Deliver into another directory; others have continued this history."));
    };
    let manifest = storage::read(history.join(&only.path)).unwrap_or_default();
    if mhl::Format::C4.of(&manifest) != only.c4 {
        return Ok(false);
    }
    let (old, _) = mhl::Manifest::parse(&manifest);
    if old.as_ref().is_some_and(|old| old.creator.tool.0 != tool) {
        return Err(Fault::new(Code::BadManifest, "the directory is sealed by somebody else")
            .at(history.display().to_string())
            .remedy("Deliver into another directory: this history is not ours to replace."));
    }
    let (new, _) = mhl::Manifest::parse(fresh.manifest.as_bytes());
    Ok(old.zip(new).is_some_and(|(old, new)| {
        old.records == new.records && old.root == new.root && old.ignore == new.ignore
    }))
}
