//! xxHash-128 of files and buffers: the hash that results, manifests and
//! headers carry.

use crate::source::read_fault;
use crate::storage::File;
use platefarm_model::Outcome;
use std::cell::RefCell;
use std::io::{self, ErrorKind, Read};
use std::path::Path;
use twox_hash::XxHash3_128;

/// Bytes of a piece that is hashed as it is read: a core's second cache holds it.
pub(crate) const PIECE: usize = 128 * 1024;

thread_local! {
    /// Memory that is touched for the first time costs more than what is read into it.
    static BUFFER: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
}

/// Reads to the end in pieces, which `hash` takes, and says how many bytes there were. The pieces
/// lie in a buffer of this thread's: `hash` reads nothing itself.
pub(crate) fn pieces(from: &mut File, mut hash: impl FnMut(&[u8])) -> io::Result<u64> {
    BUFFER.with_borrow_mut(|buffer| {
        buffer.resize(PIECE, 0);
        let mut size = 0;
        loop {
            match from.read(buffer) {
                Ok(0) => return Ok(size),
                Ok(count) => {
                    hash(&buffer[..count]);
                    size += count as u64;
                }
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
    })
}

/// Hash of bytes, as 32 hexadecimal digits in the canonical (big-endian) order.
#[must_use]
pub fn xxh128(bytes: &[u8]) -> String {
    format!("{:032x}", XxHash3_128::oneshot(bytes))
}

/// Size and hash of a file, read in pieces.
///
/// # Errors
/// [`platefarm_model::Code::FileNotFound`], [`platefarm_model::Code::FileUnreadable`].
pub fn xxh128_file(path: &Path) -> Outcome<(u64, String)> {
    let fault = |e| read_fault(path, &e);
    let mut file = File::open(path).map_err(fault)?;
    let mut hasher = XxHash3_128::new();
    let size = pieces(&mut file, |piece| hasher.write(piece)).map_err(fault)?;
    Ok((size, format!("{:032x}", hasher.finish_128())))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// From `xxhsum -H2` (xxHash 0.8): the empty input and the reference tool's own text.
    #[test]
    fn hashes_are_the_reference_tools() {
        assert_eq!(xxh128(b""), "99aa06d3014798d86001c324468d497f");
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a");
        let bytes: Vec<u8> = (0..3_000_000u32).map(|i| ((i * 31) >> 3) as u8).collect();
        std::fs::write(&path, &bytes).unwrap();
        assert_eq!(xxh128_file(&path).unwrap(), (3_000_000, xxh128(&bytes)));
        assert_eq!(xxh128_file(&dir.path().join("b")).unwrap_err().code.text(), "F0101");
    }
}
