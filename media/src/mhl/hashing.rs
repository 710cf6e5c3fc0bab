//! Hashing what is on disk: files in parallel, each read once for all of its
//! formats.
//!
//! One format is hashed as it is read, in pieces that stay in the cache. With
//! several, the next piece is read while each format takes the piece before
//! on a thread of its own, so that all cost what the slowest does.

use crate::hash::pieces;
use crate::source::read_fault;
use crate::storage::{self, File};
use platefarm_model::{Outcome, Timestamp};
use platefarm_standards::mhl::{Digest, Format, FoundFile, Hasher, Problem};
use rayon::prelude::*;
use std::collections::BTreeMap;
use std::io::Read;
use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

/// Formats by path.
pub(super) type Wanted = BTreeMap<String, Vec<Format>>;

/// Bytes of a piece that several formats take at once.
const SHARED_PIECE: usize = 4 * 1024 * 1024;

/// Every file with its size, date and the hashes that are wanted of it, in the
/// order of the paths; those that cannot be read are problems.
pub(super) fn hash_files(
    dir: &Path,
    paths: &[String],
    wanted: &Wanted,
) -> (Vec<FoundFile>, Vec<Problem>) {
    // The largest first, each to whoever is free, so that none is left over when the others are done.
    let mut order: Vec<(u64, usize)> = paths
        .par_iter()
        .enumerate()
        .map(|(i, path)| (storage::metadata(dir.join(path)).map_or(0, |m| m.len()), i))
        .collect();
    order.sort_unstable_by_key(|(size, i)| (std::cmp::Reverse(*size), *i));
    let mut hashed: Vec<(usize, Result<FoundFile, Problem>)> = order
        .iter()
        .par_bridge()
        .map(|(_, i)| {
            let path = &paths[*i];
            let formats = wanted.get(path).map_or(&[] as &[Format], Vec::as_slice);
            let found = found(dir, path, formats);
            (*i, found.map_err(|fault| Problem::unreadable(path, fault)))
        })
        .collect();
    hashed.sort_unstable_by_key(|(i, _)| *i);
    let (mut files, mut failed) = (Vec::with_capacity(paths.len()), Vec::new());
    for (_, result) in hashed {
        match result {
            Ok(file) => files.push(file),
            Err(problem) => failed.push(problem),
        }
    }
    (files, failed)
}

fn found(dir: &Path, relative: &str, formats: &[Format]) -> Outcome<FoundFile> {
    let path = dir.join(relative);
    let metadata = storage::metadata(&path).map_err(|e| read_fault(&path, &e))?;
    let modified = metadata.modified().ok().map(moment);
    let (size, digests) =
        if formats.is_empty() { (metadata.len(), Vec::new()) } else { digests(&path, formats)? };
    Ok(FoundFile { path: relative.to_owned(), size, modified, digests })
}

/// A moment of the system's clock; before 1970 counts as 1970.
pub(super) fn moment(time: SystemTime) -> Timestamp {
    let since = time.duration_since(UNIX_EPOCH).unwrap_or_default();
    Timestamp(i64::try_from(since.as_micros()).unwrap_or(i64::MAX))
}

/// Size and hashes of a file.
pub(super) fn digests(path: &Path, formats: &[Format]) -> Outcome<(u64, Vec<Digest>)> {
    let fault = |e| read_fault(path, &e);
    let mut file = File::open(path).map_err(fault)?;
    let small = file.metadata().map_or(true, |m| m.len() <= SHARED_PIECE as u64);
    if formats.len() > 1 && !small {
        return shared(&mut file, formats).map_err(fault);
    }
    let mut hasher = Hasher::new(formats);
    let size = pieces(&mut file, |piece| hasher.update(piece)).map_err(fault)?;
    Ok((size, hasher.finish()))
}

fn shared(file: &mut File, formats: &[Format]) -> std::io::Result<(u64, Vec<Digest>)> {
    let mut hashers: Vec<Hasher> = formats.iter().map(|format| Hasher::new(&[*format])).collect();
    let (mut ready, mut next) = (vec![0; SHARED_PIECE], vec![0; SHARED_PIECE]);
    let mut count = fill(file, &mut ready)?;
    let mut size = 0;
    while count > 0 {
        size += count as u64;
        let piece = &ready[..count];
        let (more, ()) = rayon::join(
            || fill(file, &mut next),
            || hashers.par_iter_mut().for_each(|hasher| hasher.update(piece)),
        );
        count = more?;
        std::mem::swap(&mut ready, &mut next);
    }
    Ok((size, hashers.into_iter().flat_map(Hasher::finish).collect()))
}

/// Reads until the buffer is full or the file ends.
fn fill(file: &mut File, buffer: &mut [u8]) -> std::io::Result<usize> {
    let mut filled = 0;
    while filled < buffer.len() {
        match file.read(&mut buffer[filled..]) {
            Ok(0) => break,
            Ok(count) => filled += count,
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(filled)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hash::PIECE;

    /// Both ways of reading come to the hashes of the whole, at lengths around their pieces.
    #[test]
    fn pieces_do_not_show() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a");
        for length in [0, 1, PIECE, PIECE + 1, SHARED_PIECE, SHARED_PIECE + 1, 2 * SHARED_PIECE + 7]
        {
            let bytes: Vec<u8> = (0..length).map(|i| ((i * 31) >> 3) as u8).collect();
            std::fs::write(&path, &bytes).unwrap();
            let (size, many) = digests(&path, &Format::ALL).unwrap();
            let whole: Vec<Digest> = Format::ALL.iter().map(|format| format.of(&bytes)).collect();
            assert_eq!((size, many), (length as u64, whole), "{length}");
            let (_, one) = digests(&path, &[Format::Xxh128]).unwrap();
            assert_eq!(one, [Format::Xxh128.of(&bytes)], "{length}");
        }
    }
}
