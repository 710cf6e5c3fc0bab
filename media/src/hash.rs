//! xxHash-128 of files and buffers: the hash that results, manifests and
//! headers carry.

use crate::source::read_fault;
use crate::storage::File;
use platefarm_model::Outcome;
use std::io::Read;
use std::path::Path;
use twox_hash::XxHash3_128;

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
    let mut buffer = vec![0; 1 << 20];
    let mut size = 0;
    loop {
        let count = file.read(&mut buffer).map_err(fault)?;
        if count == 0 {
            return Ok((size, format!("{:032x}", hasher.finish_128())));
        }
        hasher.write(&buffer[..count]);
        size += count as u64;
    }
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
