//! Ranges of a file: what is asked for and no more, for containers of gigabytes
//! whose structure is a few bytes every few megabytes.

use super::read_fault;
use crate::storage::File;
use platefarm_model::{Code, Fault, Outcome, limits};
use std::io::{Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

/// An open file of a known size.
pub(super) struct Ranges {
    path: PathBuf,
    file: File,
    size: u64,
}

impl Ranges {
    /// Opens a file.
    ///
    /// # Errors
    /// [`Code::FileNotFound`], [`Code::FileUnreadable`].
    pub(super) fn open(path: &Path) -> Outcome<Self> {
        let fault = |e| read_fault(path, &e);
        let file = File::open(path).map_err(fault)?;
        let size = file.metadata().map_err(fault)?.len();
        Ok(Self { path: path.to_owned(), file, size })
    }

    /// Bytes there are.
    pub(super) const fn size(&self) -> u64 {
        self.size
    }

    /// Whether the file has `len` bytes from `offset`.
    ///
    /// # Errors
    /// [`Code::TruncatedFile`].
    pub(super) fn check(&self, offset: u64, len: u64) -> Outcome<()> {
        if offset.checked_add(len).is_some_and(|end| end <= self.size) {
            return Ok(());
        }
        Err(Fault::new(
            Code::TruncatedFile,
            format!("{len} bytes wanted at offset {offset}, the file ends at {}", self.size),
        )
        .at(format!("offset {offset}")))
    }

    /// Fills `out` from `offset`.
    ///
    /// # Errors
    /// [`Code::TruncatedFile`] when there are fewer bytes, [`Code::FileUnreadable`] when the disk fails.
    pub(super) fn fill(&mut self, offset: u64, out: &mut [u8]) -> Outcome<()> {
        self.check(offset, out.len() as u64)?;
        self.file
            .seek(SeekFrom::Start(offset))
            .and_then(|_| self.file.read_exact(out))
            .map_err(|e| read_fault(&self.path, &e))
    }

    /// `len` bytes from `offset`; nothing is allocated for bytes that the file does not have.
    ///
    /// # Errors
    /// As [`Self::fill`], and [`Code::TooLarge`] beyond the size of a frame.
    pub(super) fn take(&mut self, offset: u64, len: u64) -> Outcome<Vec<u8>> {
        if len > limits::MAX_FRAME_FILE_BYTES {
            let what = format!("{len} bytes at once");
            return Err(Fault::new(Code::TooLarge, what).at(format!("offset {offset}")));
        }
        // Before allocating: the file may claim more than it has.
        self.check(offset, len)?;
        let mut out = vec![0; len as usize];
        self.fill(offset, &mut out)?;
        Ok(out)
    }

    /// At most `len` bytes from `offset`: fewer at the end of the file.
    ///
    /// # Errors
    /// [`Code::FileUnreadable`] when the disk fails.
    pub(super) fn up_to(&mut self, offset: u64, len: u64) -> Outcome<Vec<u8>> {
        self.take(offset, len.min(self.size.saturating_sub(offset)))
    }
}
