//! The ASC MHL over the whole package: its first generation, made of the hashes
//! that were just verified and those of the sidecars. The history appears as a
//! whole directory in one rename, so there is never half a generation; and one
//! that already says the same is left as it is, whoever made it.

use platefarm_media::{hash, publish};
use platefarm_model::{Code, Fault, Outcome, Timestamp};
use platefarm_standards::mhl;
use std::collections::HashMap;
use std::fs;
use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

/// The name under which we seal.
const TOOL: &str = "platefarm";

/// Seals `out_dir`. `known` holds hashes of files, by their path from there,
/// that were read back already. Files under `staging` become the history.
///
/// # Errors
/// [`Code::BadManifest`] when there is a history that others continued and that
/// no longer holds, or a name that no manifest can carry; `F01xx` and `F03xx`.
pub(super) fn seal(out_dir: &Path, staging: &Path, known: &HashMap<String, String>) -> Outcome<()> {
    let real = out_dir.canonicalize().map_err(|e| publish::write_fault(out_dir, &e))?;
    let folder = real.file_name().map_or("package".into(), |n| n.to_string_lossy().into_owned());
    let mut found = Found::default();
    walk(out_dir, "", known, &mut found)?;
    let creator = mhl::Creator {
        host: sysinfo::System::host_name().unwrap_or_else(|_| "unknown".into()),
        tool: (TOOL.into(), Some(env!("CARGO_PKG_VERSION").into())),
        ..mhl::Creator::default()
    };
    let sealed = mhl::seal(
        &found.files,
        &mhl::Seal {
            folder: &folder,
            created: moment(SystemTime::now()),
            creator,
            process: mhl::Process::InPlace,
            directories: &found.directories,
            ignore: &[],
        },
    )?;
    let history = out_dir.join(mhl::DIRECTORY);
    if history.exists() && still_holds(&history, &sealed)? {
        return Ok(());
    }
    put(&history, staging, &sealed)
}

/// Writes the history beside and gives it its name.
fn put(history: &Path, staging: &Path, sealed: &mhl::Sealed) -> Outcome<()> {
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
fn still_holds(history: &Path, fresh: &mhl::Sealed) -> Outcome<bool> {
    let chain = fs::read(history.join(mhl::CHAIN_FILE)).unwrap_or_default();
    let Ok(chain) = mhl::Chain::parse(&chain) else { return Ok(false) };
    let [only] = chain.entries.as_slice() else {
        return Err(Fault::new(
            Code::BadManifest,
            format!("the package has a history of {} generations", chain.entries.len()),
        )
        .at(history.display().to_string())
        .remedy("Deliver into another directory; others have continued this history."));
    };
    let manifest = fs::read(history.join(&only.path)).unwrap_or_default();
    if mhl::Format::C4.of(&manifest) != only.c4 {
        return Ok(false);
    }
    let (old, _) = mhl::Manifest::parse(&manifest);
    if old.as_ref().is_some_and(|old| old.creator.tool.0 != TOOL) {
        return Err(Fault::new(Code::BadManifest, "the directory is sealed by somebody else")
            .at(history.display().to_string())
            .remedy("Deliver into another directory: this history is not ours to replace."));
    }
    let (new, _) = mhl::Manifest::parse(fresh.manifest.as_bytes());
    Ok(old.zip(new).is_some_and(|(old, new)| {
        old.records == new.records && old.root == new.root && old.ignore == new.ignore
    }))
}

#[derive(Default)]
struct Found {
    files: Vec<mhl::Entry>,
    directories: Vec<String>,
}

fn walk(
    directory: &Path,
    inside: &str,
    known: &HashMap<String, String>,
    found: &mut Found,
) -> Outcome<()> {
    let fault = |e| publish::write_fault(directory, &e);
    for entry in fs::read_dir(directory).map_err(fault)? {
        let entry = entry.map_err(fault)?;
        let name = entry.file_name();
        let name = name.to_str().ok_or_else(|| {
            Fault::new(Code::BadManifest, format!("the name {name:?} is not text"))
                .at(directory.display().to_string())
        })?;
        if inside.is_empty() && matches!(name, publish::STAGING | mhl::DIRECTORY) {
            continue;
        }
        let path = if inside.is_empty() { name.to_owned() } else { format!("{inside}/{name}") };
        let kind = entry.file_type().map_err(fault)?;
        if kind.is_dir() {
            walk(&entry.path(), &path, known, found)?;
            found.directories.push(path);
        } else if kind.is_file() {
            let metadata = entry.metadata().map_err(fault)?;
            let xxh128 = match known.get(&path) {
                Some(xxh128) => xxh128.clone(),
                None => hash::xxh128_file(&entry.path())?.1,
            };
            found.files.push(mhl::Entry {
                path,
                size: metadata.len(),
                modified: metadata.modified().ok().map(moment),
                xxh128,
            });
        }
    }
    Ok(())
}

/// A moment of the system's clock; before 1970 counts as 1970.
fn moment(time: SystemTime) -> Timestamp {
    let since = time.duration_since(UNIX_EPOCH).unwrap_or_default();
    Timestamp(i64::try_from(since.as_micros()).unwrap_or(i64::MAX))
}
