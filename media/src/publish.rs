//! Files that appear under their name only when they are complete.
//!
//! A frame is written under its attempt (`<out>/.platefarm/<attempt>/`),
//! flushed, read back, and renamed once its result is accepted: the acceptance is the
//! decision, the rename only carries it out, so carrying it out twice must do
//! no harm. The staging directory lies under the output directory, because
//! a rename is atomic only within a volume, and is never a link: what lies
//! elsewhere is not ours to write or to clear away. Objects behind `s3://` are
//! the business of [`crate::storage`]; every function here takes both.

mod owed;

pub use owed::finish;

use crate::{hash, storage};
use platefarm_model::{Code, Fault, Outcome};
use std::fs::{self, File};
use std::io::{self, ErrorKind, Write};
use std::path::{Component, Path, PathBuf};

/// Name of the hidden directory that holds the attempts.
pub const STAGING: &str = ".platefarm";
/// What the attempts of runs begin with that no lease stands behind.
pub const LOCAL: &str = "local-";

/// The hidden directory of `out`. Nothing is made.
///
/// # Errors
/// [`Code::OutsideRoot`] when it is a link, or is not this process's to touch.
pub fn staging(out: &Path) -> Outcome<PathBuf> {
    let staging = unlinked(out.join(STAGING))?;
    storage::within(&staging)?;
    Ok(staging)
}

/// The directory of an attempt, made when it is not there.
///
/// # Errors
/// [`Code::OutsideRoot`] when `attempt` is not a plain name, or it or the hidden directory is a
/// link; `F03xx` when it cannot be made.
pub fn stage_dir(out: &Path, attempt: &str) -> Outcome<PathBuf> {
    let dir = attempt_dir(out, attempt)?;
    make_dirs(&dir)?;
    Ok(dir)
}

fn attempt_dir(out: &Path, attempt: &str) -> Outcome<PathBuf> {
    unlinked(staging(out)?.join(plain_name(attempt)?))
}

fn unlinked(dir: PathBuf) -> Outcome<PathBuf> {
    if !storage::is_remote(&dir) && dir.is_symlink() {
        return Err(Fault::new(Code::OutsideRoot, "a directory of attempts is a link")
            .at(dir.display().to_string())
            .remedy(
                "Remove the link: attempts are kept, and cleared away, beside what they become.",
            ));
    }
    Ok(dir)
}

/// Makes a directory with all above it, durably: a file in it that is flushed
/// can be found after a power cut.
///
/// # Errors
/// `F03xx`.
pub fn make_dirs(dir: &Path) -> Outcome<()> {
    if storage::is_remote(dir) {
        // Keys have no directories.
        return storage::absolute(dir).map(drop);
    }
    storage::within(dir)?;
    let mut tries = 0;
    let made = loop {
        let missing: Vec<&Path> = dir.ancestors().take_while(|a| !a.is_dir()).collect();
        match fs::create_dir_all(dir) {
            Ok(()) => break missing.into_iter().rev().try_for_each(sync_parent),
            // Somebody removed an empty directory above it at this very moment.
            Err(error) if error.kind() == ErrorKind::NotFound && tries < 8 => tries += 1,
            Err(error) => break Err(error),
        }
    };
    made.map_err(|e| write_fault(dir, &e))
}

/// Writes a new file and flushes it to the disk, its directory entry included.
/// A file of that name is replaced, and a link of that name not followed; after a failure none is left.
///
/// # Errors
/// [`Code::DiskFull`], [`Code::NotWritable`], [`Code::WriteFailed`]; [`Code::OutsideRoot`].
pub fn write_flushed(path: &Path, bytes: &[u8]) -> Outcome<()> {
    if storage::is_remote(path) {
        return storage::put(path, bytes);
    }
    storage::names_within(path)?;
    let written = created(path).and_then(|mut file| {
        file.write_all(bytes)?;
        file.sync_all()
    });
    let written = written.and_then(|()| sync_parent(path));
    written.map_err(|error| {
        // A device is not ours to remove, and what was never made is not there.
        if path.is_file() {
            let _ = fs::remove_file(path);
        }
        write_fault(path, &error)
    })
}

/// Flushes a file that another program wrote.
///
/// # Errors
/// [`Code::OutsideRoot`]; else `F03xx`.
pub fn flush(path: &Path) -> Outcome<()> {
    storage::names_within(path)?;
    let flushed = File::options().write(true).open(path).and_then(|file| file.sync_all());
    flushed.map_err(|e| write_fault(path, &e))
}

/// Reads a flushed file back and holds it against what was meant: the volume's
/// word, since what the system has of it in memory is let go first, where it
/// lets go. An object is known by its size: when it was put, the store held its
/// bytes against their SHA-256. What is not as it was meant is removed.
///
/// # Errors
/// [`Code::WriteFailed`] for what is not as it was meant, or cannot be read; `F03xx` of an object store.
pub fn verify(staged: &Path, bytes: u64, xxh128: &str) -> Outcome<()> {
    let fault = |what: String| Fault::new(Code::WriteFailed, what).at(staged.display().to_string());
    let unread = |e: &(dyn std::error::Error + 'static)| {
        fault("what was written cannot be read back".into()).because(e)
    };
    let (size, found) = if storage::is_remote(staged) {
        let found = storage::metadata(staged).map_err(|e| match e.kind() {
            ErrorKind::NotFound => unread(&e),
            _ => write_fault(staged, &e),
        })?;
        (found.len(), xxh128.to_owned())
    } else {
        forget(staged);
        hash::xxh128_file(staged).map_err(|e| unread(&e))?
    };
    if (size, found.as_str()) == (bytes, xxh128) {
        return Ok(());
    }
    let _ = discard(staged);
    Err(fault(format!(
        "what is read is not what was written: {size} bytes with hash {found}, and not {bytes} with {xxh128}"
    )))
}

/// Asks the system to let go of what it has of a flushed file in memory. It may have its reasons not to.
#[cfg(target_os = "linux")]
fn forget(path: &Path) {
    use rustix::fs::{Advice, fadvise};
    if let Ok(file) = File::open(path) {
        let _ = fadvise(&file, 0, None, Advice::DontNeed);
    }
}

#[cfg(not(target_os = "linux"))]
fn forget(_path: &Path) {}

fn created(path: &Path) -> io::Result<File> {
    let mut options = File::options();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    {
        use rustix::fs::OFlags;
        use std::os::unix::fs::OpenOptionsExt;
        options.custom_flags(OFlags::NOFOLLOW.bits() as i32);
    }
    options.open(path)
}

/// Writes a file beside its final name, flushes it and renames it, so that the name is never half there.
///
/// # Errors
/// As [`write_flushed`].
pub fn write_atomic(path: &Path, bytes: &[u8]) -> Outcome<()> {
    if storage::is_remote(path) {
        return storage::put(path, bytes);
    }
    let name = path.file_name().ok_or_else(|| {
        Fault::new(Code::WriteFailed, "the path names no file").at(path.display().to_string())
    })?;
    let mut temporary = std::ffi::OsString::from(".");
    temporary.push(name);
    temporary.push(format!(".{}.tmp", std::process::id()));
    let temporary = path.with_file_name(temporary);
    write_flushed(&temporary, bytes).map_err(|mut fault| {
        fault.place = Some(path.display().to_string());
        fault
    })?;
    publish(&temporary, path)
}

/// Gives a staged file its final name, atomically, replacing what has it.
/// When it is published already and nothing is staged any more, nothing is left to do.
///
/// # Errors
/// [`Code::WriteFailed`] when there is neither a staged nor a published file; [`Code::Overtaken`]
/// where an object that a lease made would replace somebody else's; else `F03xx`.
pub fn publish(staged: &Path, published: &Path) -> Outcome<()> {
    if storage::is_remote(staged) || storage::is_remote(published) {
        return storage::publish(staged, published, attempt_of(staged));
    }
    storage::names_within(staged)?;
    storage::names_within(published)?;
    match fs::rename(staged, published) {
        Ok(()) => {}
        Err(error) if error.kind() == ErrorKind::NotFound => {
            if published.is_file() {
                return Ok(());
            }
            return Err(write_fault(published, &error)
                .remedy("Render the frame again: its staged file is gone."));
        }
        Err(error) => return Err(write_fault(published, &error)),
    }
    sync_parent(published).map_err(|e| write_fault(published, &e))
}

/// Publishes a file of this machine's disk wherever `published` is: by its
/// name on the same volume; or as an object, as the attempt that `staged` in the
/// bucket is of, under the conditions of every other object, after which it is removed.
///
/// # Errors
/// As [`publish`].
pub fn hand_over(file: &Path, staged: &Path, published: &Path) -> Outcome<()> {
    if !storage::is_remote(published) {
        return publish(file, published);
    }
    storage::hand_over(file, staged, published, attempt_of(staged))?;
    discard(file)
}

/// Flushes a directory: the names in it outlast a power cut.
///
/// # Errors
/// `F03xx`.
pub fn flush_dir(dir: &Path) -> Outcome<()> {
    sync_parent(&dir.join("any")).map_err(|e| write_fault(dir, &e))
}

/// Ends the name of what steps aside in [`exchange`].
pub(crate) const ASIDE: &str = ".old";

/// Exchanges a staged directory with the published one in a single step; the
/// old one is under the staged name then. Where the system or the volume has no
/// such step, the old one steps aside first, to the staged name with `.old`.
///
/// # Errors
/// [`Code::OutsideRoot`]; else `F03xx`.
pub fn exchange(staged: &Path, published: &Path) -> Outcome<()> {
    storage::names_within(staged)?;
    storage::names_within(published)?;
    let fault = |e: io::Error| write_fault(published, &e);
    if !exchanged_at_once(staged, published) {
        let mut aside = staged.as_os_str().to_owned();
        aside.push(ASIDE);
        fs::rename(published, &aside).map_err(fault)?;
        if let Err(error) = fs::rename(staged, published) {
            // Back as it was.
            let _ = fs::rename(&aside, published);
            return Err(fault(error));
        }
        fs::rename(&aside, staged).map_err(fault)?;
    }
    sync_parent(published).map_err(fault)
}

/// Whether the volume exchanges these two directories in one step; they are exchanged then.
pub(crate) fn exchanges(a: &Path, b: &Path) -> bool {
    exchanged_at_once(a, b)
}

#[cfg(any(target_os = "linux", target_os = "macos"))]
fn exchanged_at_once(staged: &Path, published: &Path) -> bool {
    use rustix::fs::{CWD, RenameFlags, renameat_with};
    renameat_with(CWD, staged, CWD, published, RenameFlags::EXCHANGE).is_ok()
}

#[cfg(not(any(target_os = "linux", target_os = "macos")))]
fn exchanged_at_once(_staged: &Path, _published: &Path) -> bool {
    false
}

/// The attempt that a staged place belongs to; empty for one that is not staged.
fn attempt_of(staged: &Path) -> &str {
    let mut parts = staged.components().skip_while(|c| c.as_os_str() != STAGING).skip(1);
    parts.next().and_then(|c| c.as_os_str().to_str()).unwrap_or_default()
}

/// Whether there is something at a staged place.
///
/// # Errors
/// `F0102`, `F0306`, `F0307` where that cannot be said.
pub fn is_staged(path: &Path) -> Outcome<bool> {
    storage::staged(path)
}

/// Removes a staged file that was refused. It may be gone already.
///
/// # Errors
/// `F03xx`.
pub fn discard(staged: &Path) -> Outcome<()> {
    if storage::is_remote(staged) {
        return storage::discard(staged);
    }
    storage::names_within(staged)?;
    match fs::remove_file(staged) {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(write_fault(staged, &error)),
        _ => Ok(()),
    }
}

/// Removes an attempt with what is left of it, and the staging directory when that was the last one.
///
/// # Errors
/// [`Code::OutsideRoot`] when `attempt` is not a plain name, or the hidden directory is a link; else `F03xx`.
pub fn remove_attempt(out: &Path, attempt: &str) -> Outcome<()> {
    let staging = staging(out)?;
    let dir = staging.join(plain_name(attempt)?);
    if storage::is_remote(out) {
        return storage::remove_below(&dir, &mut |_| false).map(drop);
    }
    remove_tree(&dir)?;
    remove_if_empty(&staging)
}

/// Removes the directory of an attempt if nothing is in it, and the staging
/// directory if that was the last one. Others may be at work beside it.
///
/// # Errors
/// As [`remove_attempt`].
pub fn tidy_attempt(out: &Path, attempt: &str) -> Outcome<()> {
    if storage::is_remote(out) {
        return Ok(());
    }
    remove_if_empty(&attempt_dir(out, attempt)?)?;
    remove_if_empty(&staging(out)?)
}

/// Removes every attempt under `out` that `keep` does not name. Returns how many went.
///
/// # Errors
/// [`Code::OutsideRoot`] when the hidden directory is a link; else `F03xx`.
pub fn remove_leftovers(out: &Path, mut keep: impl FnMut(&str) -> bool) -> Outcome<usize> {
    let staging = staging(out)?;
    if storage::is_remote(out) {
        return storage::remove_below(&staging, &mut keep);
    }
    let entries = match fs::read_dir(&staging) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(0),
        entries => entries.map_err(|e| write_fault(&staging, &e))?,
    };
    let mut removed = 0;
    for entry in entries {
        let entry = entry.map_err(|e| write_fault(&staging, &e))?;
        if !keep(&entry.file_name().to_string_lossy()) {
            remove_tree(&entry.path())?;
            removed += 1;
        }
    }
    remove_if_empty(&staging)?;
    Ok(removed)
}

/// `relative` under `root`, for names that came from elsewhere. Nothing is made.
///
/// # Errors
/// [`Code::OutsideRoot`] when it is absolute, holds `..`, or leaves the root through a link;
/// [`Code::FileNotFound`] when there is no root.
pub fn confined(root: &Path, relative: &Path) -> Outcome<PathBuf> {
    let outside = |why: &str| {
        Fault::new(Code::OutsideRoot, format!("'{}' {why}", relative.display()))
            .at(root.display().to_string())
    };
    if relative.components().next().is_none() {
        return Err(outside("names nothing"));
    }
    for component in relative.components() {
        match component {
            Component::Normal(_) | Component::CurDir => {}
            Component::ParentDir => return Err(outside("holds '..'")),
            Component::RootDir | Component::Prefix(_) => return Err(outside("is absolute")),
        }
    }
    if storage::is_remote(root) {
        // Keys have no links.
        return Ok(root.join(relative));
    }
    let real_root = root.canonicalize().map_err(|e| crate::source::read_fault(root, &e))?;
    let joined = root.join(relative);
    // What is there decides where the path leads; what is not there yet is made by us, below it.
    let real =
        storage::real(&joined).map_err(|_| outside("leads through a link that goes nowhere"))?;
    if !real.starts_with(&real_root) {
        return Err(outside("leaves the directory through a link"));
    }
    Ok(joined)
}

/// What a failed write means.
#[must_use]
pub fn write_fault(path: &Path, error: &io::Error) -> Fault {
    if let Some(fault) = storage::carried(error) {
        return fault.clone();
    }
    let (code, what) = match error.kind() {
        ErrorKind::StorageFull => (Code::DiskFull, "no space is left"),
        ErrorKind::QuotaExceeded => (Code::DiskFull, "the quota is used up"),
        ErrorKind::PermissionDenied => (Code::NotWritable, "writing is not permitted"),
        ErrorKind::ReadOnlyFilesystem => (Code::NotWritable, "the volume is read-only"),
        ErrorKind::NotFound => (Code::WriteFailed, "there is no such file or directory"),
        ErrorKind::NotADirectory => (Code::NotWritable, "a part of the path is no directory"),
        _ => (Code::WriteFailed, "writing failed"),
    };
    Fault::new(code, what).at(path.display().to_string()).because(error)
}

fn plain_name(name: &str) -> Outcome<&str> {
    let mut components = Path::new(name).components();
    match (components.next(), components.next()) {
        (Some(Component::Normal(only)), None) if only == name => Ok(name),
        _ => Err(Fault::new(Code::OutsideRoot, format!("'{name}' is no plain name"))),
    }
}

fn remove_tree(path: &Path) -> Outcome<()> {
    let removed = match path.symlink_metadata() {
        Ok(metadata) if metadata.is_dir() => fs::remove_dir_all(path),
        Ok(_) => fs::remove_file(path),
        Err(error) => Err(error),
    };
    match removed {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(write_fault(path, &error)),
        _ => Ok(()),
    }
}

fn remove_if_empty(directory: &Path) -> Outcome<()> {
    match fs::remove_dir(directory) {
        Err(error)
            if !matches!(error.kind(), ErrorKind::NotFound | ErrorKind::DirectoryNotEmpty) =>
        {
            Err(write_fault(directory, &error))
        }
        _ => Ok(()),
    }
}

/// Flushes the directory that holds `path`: a rename is durable only then. Windows has no such call.
fn sync_parent(path: &Path) -> io::Result<()> {
    if !cfg!(unix) {
        return Ok(());
    }
    match File::open(storage::directory_of(path))?.sync_all() {
        // Some file systems (and devices) do not flush directories.
        Err(error) if error.kind() == ErrorKind::InvalidInput => Ok(()),
        done => done,
    }
}
