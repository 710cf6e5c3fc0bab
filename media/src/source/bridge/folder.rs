//! The folder that a bridge may leave frames in. It is made for one bridge
//! process and removed with it, so that what is read and removed is never a
//! file of anybody else's, whatever the bridge's answer names.

use std::fs::{self, DirBuilder, File};
use std::io::{self, ErrorKind, Read};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

/// Frames are best left in memory, where there is such a file system.
const IN_MEMORY: &str = "/dev/shm";

/// Folders that this process made so far.
static MADE: AtomicU64 = AtomicU64::new(0);

/// A folder of ours, empty at first; removed when dropped.
pub(super) struct Folder {
    /// Canonical.
    path: PathBuf,
}

impl Folder {
    /// A new folder that only this user may enter.
    ///
    /// # Errors
    /// Those of the file system.
    pub(super) fn new() -> io::Result<Self> {
        let memory = Path::new(IN_MEMORY);
        let system = std::env::temp_dir();
        Self::within(memory).or_else(|_| Self::within(&system))
    }

    fn within(parent: &Path) -> io::Result<Self> {
        let parent = parent.canonicalize()?;
        let mut builder = DirBuilder::new();
        #[cfg(unix)]
        std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
        loop {
            let count = MADE.fetch_add(1, Ordering::Relaxed);
            let path = parent.join(format!("platefarm-bridge-{}-{count}", std::process::id()));
            match builder.create(&path) {
                Ok(()) => return Ok(Self { path }),
                // One that an ended process of the same number has left.
                Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
                Err(error) => return Err(error),
            }
        }
    }

    /// Where it is.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Reads `bytes` bytes of a file in the folder and removes it. Nothing is opened before it is
    /// known to be a regular file directly in the folder: opening a pipe would wait for its writer.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidInput`] for any other file, which is left as it is; those of the file
    /// system.
    pub(super) fn take(&self, path: &Path, bytes: u64) -> io::Result<Vec<u8>> {
        let refuse = |what: String| io::Error::new(ErrorKind::InvalidInput, what);
        let inside = path.file_name().is_some() && path.parent() == Some(&self.path);
        if !inside {
            return Err(refuse(format!("it is not in {}", self.path.display())));
        }
        let metadata = fs::symlink_metadata(path)?;
        // The second half: the folder is still a folder, and not a link to another.
        if !metadata.is_file() || path.canonicalize()? != path {
            return Err(refuse("it is no regular file".into()));
        }
        if metadata.len() != bytes {
            return Err(refuse(format!("it holds {} bytes, not {bytes}", metadata.len())));
        }
        let mut pixels = Vec::with_capacity(bytes as usize);
        File::open(path)?.take(bytes).read_to_end(&mut pixels)?;
        if pixels.len() as u64 != bytes {
            return Err(refuse(format!("it ends after {} bytes", pixels.len())));
        }
        fs::remove_file(path)?;
        Ok(pixels)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        // Links in it are removed, not followed.
        let _ = fs::remove_dir_all(&self.path);
    }
}
