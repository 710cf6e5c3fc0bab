//! Where the bytes of a file come from: the disk, or memory.
//!
//! Metadata is scattered over a file of tens of megabytes; reading only what
//! is asked for makes scanning a card cheap. Tests and fuzzing use memory.

use crate::source::read_fault;
use platefarm_model::{Code, Fault, Outcome};
use std::fs::File;
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

/// A file on disk, read where it is asked for; its beginning is kept, since
/// most directories lie there.
pub(super) struct DiskFile {
    path: PathBuf,
    file: File,
    size: u64,
    head: Vec<u8>,
}

const HEAD_BYTES: u64 = 32 * 1024;

impl DiskFile {
    /// Opens a file.
    ///
    /// # Errors
    /// [`Code::FileNotFound`], [`Code::FileUnreadable`].
    pub(super) fn open(path: &Path) -> Outcome<Self> {
        let fault = |e| read_fault(path, &e);
        let mut file = File::open(path).map_err(fault)?;
        let size = file.metadata().map_err(fault)?.len();
        let mut head = Vec::with_capacity(size.min(HEAD_BYTES) as usize);
        (&mut file).take(HEAD_BYTES).read_to_end(&mut head).map_err(fault)?;
        Ok(Self { path: path.to_owned(), file, size, head })
    }
}

impl Input for DiskFile {
    fn size(&self) -> u64 {
        self.size
    }

    fn read_at(&mut self, offset: u64, out: &mut [u8]) -> Outcome<()> {
        if offset.checked_add(out.len() as u64).is_none_or(|end| end > self.size) {
            return Err(cut(offset, out.len(), self.size));
        }
        let start = usize::try_from(offset).unwrap_or(usize::MAX);
        if let Some(known) = self.head.get(start..).and_then(|rest| rest.get(..out.len())) {
            out.copy_from_slice(known);
            return Ok(());
        }
        self.file
            .seek(SeekFrom::Start(offset))
            .and_then(|_| self.file.read_exact(out))
            .map_err(|e| read_fault(&self.path, &e))
    }
}
