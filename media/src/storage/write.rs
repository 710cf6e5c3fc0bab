//! Objects written and published.
//!
//! An object appears whole or not at all, so what staging is for on a disk is
//! for the fence alone here: a frame gets its published name when its result
//! is accepted. Small ones are then written under it with the token of their
//! lease beside them, on the condition that the name is as it was seen; so an
//! older lease never replaces what a later one wrote. Large ones are copied
//! within the store, on the condition that the name is free, and never replaced by
//! a lease. What is somebody else's stays (`F0308`); a name that holds the same
//! bytes was published before; a local run, which answers to nobody, replaces.
//! A file of any size that lies on a disk is not staged: see [`hand_over`].

mod over;

pub(crate) use over::hand_over;

use super::s3::{fault, object, wait};
use super::{Place, is_remote};
use crate::hash::xxh128_file;
use crate::source::read_fault;
use bytes::Bytes;
use futures_util::{StreamExt, TryStreamExt, stream};
use object_store::aws::AmazonS3;
use object_store::path::Path as Key;
use object_store::{
    Attribute, Attributes, Error, GetOptions, MultipartUpload, ObjectMeta, ObjectStore,
    ObjectStoreExt, PutMode, PutOptions, PutPayload, UpdateVersion,
};
use platefarm_model::{Code, Fault, Outcome};
use std::io::ErrorKind;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

/// What is written in one call; larger objects go in parts of this size.
const PART_BYTES: usize = 16 * 1024 * 1024;
/// Parts under way at a time.
const ABREAST: usize = 4;
/// Tries at a name that changes under us.
const TRIES: usize = 8;
/// Lost answers after which a name is given up: the client of the store had its patience with each.
const LOSSES: u32 = 3;
/// Before the first look at what came of a lost answer.
const PAUSE: Duration = Duration::from_millis(100);

/// Writes an object, whatever has its name. Large ones go in parts; one that
/// fails in the middle leaves nothing.
///
/// # Errors
/// `F0306`, `F0307`.
pub(crate) fn put(path: &Path, bytes: &[u8]) -> Outcome<()> {
    let place = Place::of(path)?;
    let (client, key) = object(&place)?;
    let bytes = Bytes::copy_from_slice(bytes);
    let put = wait(async move {
        if bytes.len() <= PART_BYTES {
            return client.put(&key, bytes.into()).await.map(drop);
        }
        let mut upload = client.put_multipart(&key).await?;
        match parts(&mut *upload, &bytes).await {
            Ok(()) => Ok(()),
            Err(error) => {
                // What cannot be cleared away now, the bucket's own rules clear away.
                let _ = upload.abort().await;
                Err(error)
            }
        }
    })?;
    put.map_err(|e| fault(&place, &e))
}

/// Writes a small object on the condition that it is as it was seen: of this
/// version, or not there.
///
/// # Errors
/// [`Code::Overtaken`] when it is not; `F0306`, `F0307`.
pub(crate) fn put_over(path: &Path, bytes: &[u8], seen: Option<String>) -> Outcome<()> {
    let place = Place::of(path)?;
    let (client, key) = object(&place)?;
    let mode = match seen {
        None => PutMode::Create,
        e_tag => PutMode::Update(UpdateVersion { e_tag, version: None }),
    };
    let bytes = Bytes::copy_from_slice(bytes);
    let options = PutOptions { mode, ..PutOptions::default() };
    let put = wait(async move { client.put_opts(&key, bytes.into(), options).await.map(drop) })?;
    put.map_err(|e| fault(&place, &e))
}

async fn parts(upload: &mut dyn MultipartUpload, bytes: &Bytes) -> object_store::Result<()> {
    let starts = (0..bytes.len()).step_by(PART_BYTES);
    // The parts are numbered as they are made here; they travel side by side.
    let sent: Vec<_> = starts
        .map(|at| {
            let part = bytes.slice(at..(at + PART_BYTES).min(bytes.len()));
            upload.put_part(PutPayload::from(part))
        })
        .collect();
    stream::iter(sent).buffer_unordered(ABREAST).try_collect::<Vec<()>>().await?;
    upload.complete().await.map(drop)
}

/// Whether there is something at a staged place. What no file can be called is not there.
///
/// # Errors
/// `F0102`, `F0306`, `F0307` where that cannot be said: what does not answer is not gone.
pub(crate) fn staged(path: &Path) -> Outcome<bool> {
    if is_remote(path) {
        return look(&Place::of(path)?).map(|seen| seen.is_some());
    }
    path.try_exists().or_else(|error| match error.kind() {
        ErrorKind::NotADirectory | ErrorKind::InvalidFilename | ErrorKind::InvalidInput => {
            Ok(false)
        }
        _ => Err(read_fault(path, &error)),
    })
}

/// What an object's metadata calls the attempt that wrote it.
const ATTEMPT: &str = "platefarm-attempt";

/// An object as it was seen.
struct Seen {
    meta: ObjectMeta,
    attempt: Option<String>,
}

fn look(place: &Place) -> Outcome<Option<Seen>> {
    let (client, key) = object(place)?;
    let options = GetOptions { head: true, ..GetOptions::default() };
    match wait(async move { client.get_opts(&key, options).await })? {
        Ok(found) => {
            let attempt = found.attributes.get(&Attribute::Metadata(ATTEMPT.into()));
            Ok(Some(Seen { attempt: attempt.map(|a| a.as_ref().to_owned()), meta: found.meta }))
        }
        Err(Error::NotFound { .. }) => Ok(None),
        Err(error) => Err(fault(place, &error)),
    }
}

/// Whether `mine` may replace what `theirs` wrote: a local run always may, a
/// lease only what an older lease wrote.
fn follows(mine: &str, theirs: Option<&str>) -> bool {
    let token = |text: &str| text.strip_prefix('t')?.parse::<u64>().ok();
    mine.starts_with(crate::publish::LOCAL)
        || token(mine).zip(theirs.and_then(token)).is_some_and(|(mine, theirs)| mine > theirs)
}

/// Gives a staged object of `attempt` its published name. Doing it twice does no harm.
///
/// # Errors
/// [`Code::Overtaken`] when the name is somebody else's; [`Code::WriteFailed`]
/// when there is neither a staged nor a published object; `F0306`, `F0307`.
pub(crate) fn publish(from: &Path, to: &Path, attempt: &str) -> Outcome<()> {
    let (source, target) = (Place::of(from)?, Place::of(to)?);
    if source.bucket != target.bucket {
        let message = "what is staged in one bucket cannot be published in another";
        return Err(Fault::new(Code::BadLocation, message).at(to.display().to_string()));
    }
    let mut losses = 0;
    for _ in 0..TRIES {
        let Some(mine) = look(&source)? else {
            if look(&target)?.is_some() {
                return Ok(());
            }
            return Err(Fault::new(Code::WriteFailed, "there is no staged object")
                .at(to.display().to_string())
                .remedy("Render the frame again: its staged file is gone."));
        };
        let there = look(&target)?;
        if let Some(there) = &there {
            if there.meta.size == mine.meta.size {
                match same_bytes(from, to) {
                    Ok(true) => return discard(from),
                    Ok(false) => {}
                    // Somebody published the same just now, and cleared away what was staged.
                    Err(fault) if fault.code == Code::FileNotFound => continue,
                    Err(fault) => return Err(fault),
                }
            }
            if !follows(attempt, there.attempt.as_deref()) {
                return Err(Fault::new(Code::Overtaken, "the name is taken by another object")
                    .at(to.display().to_string()));
            }
        }
        let small = mine.meta.size <= PART_BYTES as u64;
        let done = match there {
            None if !small => copy(&source, &target)?,
            there => rewrite(&source, &target, there, attempt)?,
        };
        match done {
            Ok(()) => return discard(from),
            // Somebody was faster; what they did is looked at anew.
            Err(
                Error::AlreadyExists { .. } | Error::Precondition { .. } | Error::NotFound { .. },
            ) => {}
            // The answer was lost, and perhaps only the answer: so is what came of it.
            Err(Error::Generic { .. }) if losses < LOSSES => {
                std::thread::sleep(PAUSE * (1 << losses));
                losses += 1;
            }
            Err(error) => return Err(fault(&target, &error)),
        }
    }
    Err(Fault::new(Code::Overtaken, "the object changes as often as it is looked at")
        .at(to.display().to_string()))
}

/// Whether two objects hold the same. One that is replaced while it is read holds something else.
fn same_bytes(from: &Path, to: &Path) -> Outcome<bool> {
    let mine = xxh128_file(from)?;
    match xxh128_file(to) {
        Ok(theirs) => Ok(mine == theirs),
        Err(fault) if matches!(fault.code, Code::Overtaken | Code::FileNotFound) => Ok(false),
        Err(fault) => Err(fault),
    }
}

/// Within the store, in one call: of at most 5 GiB, which no frame has.
fn copy(from: &Place, to: &Place) -> Outcome<object_store::Result<()>> {
    let ((client, source), (_, target)) = (object(from)?, object(to)?);
    wait(async move { client.copy_if_not_exists(&source, &target).await })
}

/// Writes the staged bytes where `there` was seen, and nowhere else.
fn rewrite(
    from: &Place,
    to: &Place,
    there: Option<Seen>,
    attempt: &str,
) -> Outcome<object_store::Result<()>> {
    let ((client, source), (_, target)) = (object(from)?, object(to)?);
    let mode = match there {
        None => PutMode::Create,
        Some(Seen { meta, .. }) => {
            PutMode::Update(UpdateVersion { e_tag: meta.e_tag, version: meta.version })
        }
    };
    let mut attributes = Attributes::new();
    attributes.insert(Attribute::Metadata(ATTEMPT.into()), attempt.to_owned().into());
    let options = PutOptions { mode, attributes, ..PutOptions::default() };
    wait(async move {
        let bytes = client.get(&source).await?.bytes().await?;
        client.put_opts(&target, bytes.into(), options).await.map(drop)
    })
}

/// Removes an object; it may be gone already.
///
/// # Errors
/// `F0306`, `F0307`.
pub(crate) fn discard(path: &Path) -> Outcome<()> {
    let place = Place::of(path)?;
    let (client, key) = object(&place)?;
    match wait(async move { client.delete(&key).await })? {
        Ok(()) | Err(Error::NotFound { .. }) => Ok(()),
        Err(error) => Err(fault(&place, &error)),
    }
}

/// Removes every object below a place whose first piece from there `keep` does
/// not name. Returns how many pieces went.
///
/// # Errors
/// `F0306`, `F0307`.
pub(crate) fn remove_below(path: &Path, keep: &mut dyn FnMut(&str) -> bool) -> Outcome<usize> {
    let place = Place::of(path)?;
    let (client, key) = object(&place)?;
    let keys = wait(list(Arc::clone(&client), key.clone()))?.map_err(|e| fault(&place, &e))?;
    let mut gone = std::collections::BTreeSet::new();
    let mut doomed = Vec::new();
    for found in keys {
        let first = found.prefix_match(&key).and_then(|mut rest| rest.next());
        let Some(first) = first.map(|part| part.as_ref().to_owned()) else { continue };
        if gone.contains(&first) || !keep(&first) {
            gone.insert(first);
            doomed.push(found);
        }
    }
    let removed = wait(async move {
        for key in doomed {
            match client.delete(&key).await {
                Ok(()) | Err(Error::NotFound { .. }) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    })?;
    removed.map_err(|e| fault(&place, &e))?;
    Ok(gone.len())
}

async fn list(client: Arc<AmazonS3>, key: Key) -> object_store::Result<Vec<Key>> {
    client.list(Some(&key)).map_ok(|meta| meta.location).try_collect().await
}

#[cfg(test)]
mod tests {
    use super::follows;

    #[test]
    fn a_lease_follows_older_leases_only() {
        assert!(follows("t12", Some("t9")) && !follows("t9", Some("t12")));
        assert!(!follows("t9", Some("t9")) && !follows("t9", None) && !follows("t9", Some("x")));
        assert!(follows("local-a-1", Some("t12")) && follows("local-a-1", None));
        assert!(!follows("", Some("t1")) && !follows("t9", Some("local-a-1")));
    }
}
