//! Where the bytes of a file come from: the disk, or memory.
//!
//! Metadata is scattered over a file of tens of megabytes; reading only what
//! is asked for makes scanning a card cheap. What was read once is kept, as
//! long as it is small, and never read again. Tests and fuzzing use memory.

use crate::source::read_fault;
use crate::storage::File;
use platefarm_model::{Code, Fault, Outcome};
use std::io::{Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

/// Bytes at offsets.
pub(super) trait Input {
    /// Bytes there are.
    fn size(&self) -> u64;

    /// Fills `out` from `offset`.
    ///
    /// # Errors
    /// [`Code::TruncatedFile`] when there are fewer bytes, [`Code::FileUnreadable`] when the disk fails.
    fn read_at(&mut self, offset: u64, out: &mut [u8]) -> Outcome<()>;
}

fn cut(offset: u64, len: usize, size: u64) -> Fault {
    Fault::new(
        Code::TruncatedFile,
        format!("{len} bytes wanted at offset {offset}, the file ends at {size}"),
    )
}

impl Input for &[u8] {
    fn size(&self) -> u64 {
        self.len() as u64
    }

    fn read_at(&mut self, offset: u64, out: &mut [u8]) -> Outcome<()> {
        let from = usize::try_from(offset).ok().and_then(|start| self.get(start..));
        let bytes = from.and_then(|rest| rest.get(..out.len()));
        out.copy_from_slice(bytes.ok_or_else(|| cut(offset, out.len(), self.size()))?);
        Ok(())
    }
}

/// Bytes around a small value that are read with it: its neighbours are asked for next.
const WINDOW_BYTES: usize = 32 * 1024;
/// Longest value that brings its neighbours with it.
const SMALL_BYTES: usize = 4 * 1024;
/// Most windows that are kept: directories that lie further apart are read value by value.
const MAX_WINDOWS: usize = 64;

/// A file read where it is asked for, each byte at most once.
pub(super) struct DiskFile<F = File> {
    path: PathBuf,
    file: F,
    size: u64,
    /// What was read around small values: offset and bytes, ascending, apart from each other.
    windows: Vec<(u64, Vec<u8>)>,
}

impl DiskFile {
    /// Opens a file.
    ///
    /// # Errors
    /// [`Code::FileNotFound`], [`Code::FileUnreadable`].
    pub(super) fn open(path: &Path) -> Outcome<Self> {
        let fault = |e| read_fault(path, &e);
        let file = File::open(path).map_err(fault)?;
        let size = file.metadata().map_err(fault)?.len();
        Ok(Self::of(path, file, size))
    }
}

impl<F: Read + Seek> DiskFile<F> {
    fn of(path: &Path, file: F, size: u64) -> Self {
        Self { path: path.to_owned(), file, size, windows: Vec::new() }
    }

    fn fetch(&mut self, offset: u64, out: &mut [u8]) -> Outcome<()> {
        self.file
            .seek(SeekFrom::Start(offset))
            .and_then(|_| self.file.read_exact(out))
            .map_err(|e| read_fault(&self.path, &e))
    }

    /// The window that holds the byte at `offset`, or how far the next one is.
    fn window(&self, offset: u64) -> Result<&[u8], u64> {
        let behind = self.windows.partition_point(|(start, _)| *start <= offset);
        if let Some((start, bytes)) = behind.checked_sub(1).and_then(|i| self.windows.get(i))
            && let Some(known) = bytes.get((offset - start) as usize..)
            && !known.is_empty()
        {
            return Ok(known);
        }
        Err(self.windows.get(behind).map_or(self.size, |(start, _)| *start) - offset)
    }

    /// Reads a window that begins at `offset`, which no window holds, up to the next one.
    fn open_window(&mut self, offset: u64, room: u64) -> Outcome<()> {
        let mut bytes = vec![0; room.min(WINDOW_BYTES as u64) as usize];
        self.fetch(offset, &mut bytes)?;
        let at = self.windows.partition_point(|(start, _)| *start < offset);
        self.windows.insert(at, (offset, bytes));
        Ok(())
    }
}

impl<F: Read + Seek> Input for DiskFile<F> {
    fn size(&self) -> u64 {
        self.size
    }

    fn read_at(&mut self, offset: u64, out: &mut [u8]) -> Outcome<()> {
        if offset.checked_add(out.len() as u64).is_none_or(|end| end > self.size) {
            return Err(cut(offset, out.len(), self.size));
        }
        let small = out.len() <= SMALL_BYTES;
        let mut done = 0;
        while done < out.len() {
            let (at, rest) = (offset + done as u64, &mut out[done..]);
            match self.window(at) {
                Ok(known) => {
                    let n = known.len().min(rest.len());
                    rest[..n].copy_from_slice(&known[..n]);
                    done += n;
                }
                Err(room) if small && self.windows.len() < MAX_WINDOWS => {
                    self.open_window(at, room)?;
                }
                Err(room) => {
                    let n = usize::try_from(room).map_or(rest.len(), |room| room.min(rest.len()));
                    self.fetch(at, &mut rest[..n])?;
                    done += n;
                }
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::io::Cursor;

    /// Counts how often each byte is read.
    struct Counting {
        bytes: Cursor<Vec<u8>>,
        reads: Vec<u8>,
    }

    impl Read for Counting {
        fn read(&mut self, out: &mut [u8]) -> std::io::Result<usize> {
            let at = self.bytes.position() as usize;
            let n = self.bytes.read(out)?;
            self.reads[at..at + n].iter_mut().for_each(|r| *r = r.saturating_add(1));
            Ok(n)
        }
    }

    impl Seek for Counting {
        fn seek(&mut self, to: SeekFrom) -> std::io::Result<u64> {
            self.bytes.seek(to)
        }
    }

    proptest! {
        /// Whatever is asked for, small values first and then a long range, no byte is read twice.
        #[test]
        fn no_byte_is_read_twice(
            small in prop::collection::vec((0usize..200_000, 1usize..3000), 0..40),
            span in (0usize..100_000, 8000usize..100_000),
        ) {
            let bytes: Vec<u8> = (0..203_000u32).map(|i| (i.wrapping_mul(40_503) >> 5) as u8).collect();
            let reads = vec![0; bytes.len()];
            let size = bytes.len() as u64;
            let file = Counting { bytes: Cursor::new(bytes.clone()), reads };
            let mut file = DiskFile::of(Path::new("counted"), file, size);
            for (at, len) in small.into_iter().chain([span]) {
                let mut out = vec![0; len];
                file.read_at(at as u64, &mut out).unwrap();
                prop_assert!(out == bytes[at..at + len]);
            }
            prop_assert!(file.file.reads.iter().all(|n| *n <= 1));
        }
    }

    #[test]
    fn the_end_of_the_file_is_the_end() {
        let file = Cursor::new(vec![7; 100]);
        let mut file = DiskFile::of(Path::new("short"), file, 100);
        let mut out = [0; 10];
        assert!(file.read_at(90, &mut out).is_ok());
        for offset in [91, 100, u64::MAX] {
            assert_eq!(file.read_at(offset, &mut out).unwrap_err().code, Code::TruncatedFile);
        }
    }
}
