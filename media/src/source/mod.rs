//! Camera files: one reader per format, and the way from a path to a clip.
//!
//! A new format is a folder here and a line in [`SOURCES`]; help, capability
//! reports and scanning follow from that slice. A reader is handed the files
//! of one clip, already grouped and in order, and answers with its metadata
//! and its frames.

mod ari;
pub mod bridge;
mod dng;
mod dpx;
mod encoding;
mod exr;
mod held;
mod merged;
mod mlv;
mod movie;
mod mxf;
mod odd;
mod pictures;
pub(crate) mod process;
mod range;
pub(crate) mod scan;
mod sequence;

pub use scan::{Looked, looked, scan};
pub use sequence::Sequence;

use crate::storage::{self, File};
use platefarm_model::clip::ClipInfo;
use platefarm_model::raw::{Frame, Layout};
use platefarm_model::{Code, Fault, Outcome, Timecode};
use std::io::Read;
use std::path::{Path, PathBuf};

/// Bytes of a file's beginning that readers are shown: an MXF partition pack fits.
pub const PROBE_BYTES: u64 = 64 * 1024;

/// A reader of one kind of camera file.
pub trait Source: Send + Sync {
    /// Short name, as [`platefarm_model::clip::Picture::format`] has it.
    fn name(&self) -> &'static str;

    /// One line for help and capability reports.
    fn doc(&self) -> &'static str;

    /// File name extensions, lower case, without the dot.
    fn extensions(&self) -> &'static [&'static str];

    /// Whether a file that begins with `head` (up to [`PROBE_BYTES`]) could be of this kind. Asked
    /// where the extension is claimed by several readers, or by none.
    fn probe(&self, head: &[u8], path: &Path) -> bool;

    /// Whether one file holds a whole clip (a movie), so that numbers in names do not join files.
    fn whole_clip(&self) -> bool {
        false
    }

    /// Whether it hands paths to other programs, which know of disks only.
    fn needs_disk(&self) -> bool {
        false
    }

    /// Opens a clip: reads its metadata, no pixels.
    ///
    /// # Errors
    /// Codes `F01xx`, with the file, the place in it and the tag.
    fn open(&self, sequence: Sequence) -> Outcome<Box<dyn Clip>>;
}

/// An open clip. Frames may be read from several threads at once.
pub trait Clip: Send + Sync {
    /// Its metadata.
    fn info(&self) -> &ClipInfo;

    /// How the bytes of every frame are to be read.
    fn layout(&self) -> &Layout;

    /// Frame `index`, counted from 0. Its layout is that of [`Self::layout`].
    ///
    /// # Errors
    /// [`Code::FrameOutsideClip`]; [`Code::MissingFrame`]; [`Code::MixedClip`] when the frame is not
    /// of the clip's kind; [`Code::TruncatedFile`], [`Code::BadStructure`] and the other codes of
    /// damaged files, with the file and the place in it.
    fn read(&self, index: i64) -> Outcome<Frame>;

    /// As [`Self::read`], into a buffer that an earlier frame has used: fresh memory costs more
    /// than what is done in it. A reader that has no use for the buffer drops it.
    ///
    /// # Errors
    /// As [`Self::read`].
    fn read_with(&self, index: i64, buffer: Vec<u8>) -> Outcome<Frame> {
        drop(buffer);
        self.read(index)
    }

    /// Whether the reader knows what its pixels mean. Where it does not, [`Self::layout`] gives
    /// them as they are encoded, and whoever renders must name the input transform.
    ///
    /// # Errors
    /// [`Code::NoInputTransform`], with what the file says of its colours.
    fn check_color(&self) -> Outcome<()> {
        Ok(())
    }

    /// The file that holds frame `index`, where it is on disk.
    fn frame_file(&self, index: i64) -> Option<&Path>;

    /// Timecode of frame `index`, where the clip has one.
    fn frame_timecode(&self, index: i64) -> Option<Timecode> {
        self.info().timing.start.map(|start| start.plus(index))
    }

    /// What frame `index` says of its own timecode, where that is not what follows from the clip's
    /// start. Known of frames that were read.
    fn odd_timecode(&self, _: i64) -> Option<Timecode> {
        None
    }
}

/// Every reader, in the order they are tried.
pub static SOURCES: &[&dyn Source] = &[
    &bridge::Bridged,
    &dng::Dng,
    &ari::Ari,
    &mlv::Mlv,
    &mxf::Mxf,
    &exr::Exr,
    &dpx::Dpx,
    &movie::Movie,
];

/// Opens the clip at `path`: a file of a sequence, or a directory. A directory
/// that holds several needs `clip_name` to choose one. What metadata exports
/// beside it say is in its metadata.
///
/// # Errors
/// [`Code::FileNotFound`], [`Code::FileUnreadable`]; [`Code::UnknownFormat`] for a file that no
/// reader takes; [`Code::NoMedia`] for a directory without clips; [`Code::UnknownOption`] when
/// the clip is not named, or not there; and what the reader says about the file.
pub fn open(path: &Path, clip_name: Option<&str>) -> Outcome<Box<dyn Clip>> {
    let metadata = storage::metadata(path).map_err(|e| read_fault(path, &e))?;
    if metadata.is_dir() {
        let found = scan::find(path, &mut Vec::new());
        let clip = open_one_of(path, found.sequences, clip_name)?;
        return Ok(merged::with_exports(clip, &found.exports));
    }
    regular(path)?;
    let (sequence, exports) = sequence_of(path);
    let clip = open_with(sequence)?;
    Ok(merged::with_exports(clip, &exports))
}

/// Opens a file by itself: files whose names differ by a number may be versions, and no clip. What
/// metadata exports beside it say is in its metadata.
///
/// # Errors
/// Those of [`open`].
pub fn open_alone(path: &Path) -> Outcome<Box<dyn Clip>> {
    if storage::metadata(path).map_err(|e| read_fault(path, &e))?.is_dir() {
        return open(path, None);
    }
    regular(path)?;
    let (_, exports) = sequence_of(path);
    let clip = open_with(Sequence::single(path))?;
    Ok(merged::with_exports(clip, &exports))
}

/// The files of the clip that a file belongs to, by their names: none of them is opened.
#[must_use]
pub fn files(path: &Path) -> Sequence {
    sequence_of(path).0
}

/// The clip that a file belongs to, and what may be metadata exports beside it.
pub(crate) fn sequence_of(path: &Path) -> (Sequence, Vec<PathBuf>) {
    let found = scan::find_in(storage::directory_of(path));
    // A link, or a file of a foreign extension, stands for itself.
    let own = found.sequences.into_iter().find(|s| s.contains(path));
    (own.unwrap_or_else(|| Sequence::single(path)), found.exports)
}

/// Opens a clip with the reader of its first file.
pub(crate) fn open_with(sequence: Sequence) -> Outcome<Box<dyn Clip>> {
    let first = sequence.first_file();
    let source = source_of(first)?;
    if source.needs_disk() {
        // The program that reads them does not ask us.
        sequence.files().iter().try_for_each(|(_, file)| storage::within(file))?;
        if storage::is_remote(first) {
            return held::open(source, &sequence);
        }
    }
    source.open(sequence)
}

fn open_one_of(
    directory: &Path,
    mut found: Vec<Sequence>,
    clip_name: Option<&str>,
) -> Outcome<Box<dyn Clip>> {
    let names =
        |found: &[Sequence]| found.iter().map(|s| s.name.as_str()).collect::<Vec<_>>().join(", ");
    let place = directory.display().to_string();
    if found.is_empty() {
        return Err(Fault::new(Code::NoMedia, "the directory holds no camera files").at(place));
    }
    let all = names(&found);
    if let Some(name) = clip_name {
        found.retain(|s| s.name == name);
        if found.is_empty() {
            return Err(Fault::new(Code::UnknownOption, format!("there is no clip '{name}'"))
                .at(place)
                .remedy(format!("Choose one of: {all}.")));
        }
    }
    if found.len() > 1 {
        return Err(Fault::new(
            Code::UnknownOption,
            format!("the directory holds {} clips that may be meant", found.len()),
        )
        .at(place)
        .remedy(format!(
            "Give one file or the name of the clip that is meant: {}.",
            names(&found)
        )));
    }
    open_with(found.remove(0))
}

/// The reader for a file: by its extension where one reader claims it, else by its first bytes.
pub(crate) fn source_of(path: &Path) -> Outcome<&'static dyn Source> {
    regular(path)?;
    let mut claimants: Vec<&dyn Source> = claimants(path).collect();
    if let [source] = claimants[..] {
        return Ok(source);
    }
    let head = head(path)?;
    if claimants.is_empty() {
        claimants = SOURCES.to_vec();
    }
    claimants.into_iter().find(|s| s.probe(&head, path)).ok_or_else(|| {
        let known: Vec<&str> = SOURCES.iter().map(|s| s.name()).collect();
        Fault::new(
            Code::UnknownFormat,
            format!("no reader knows the file (readers: {})", known.join(", ")),
        )
        .at(path.display().to_string())
    })
}

/// Whether a path, behind its links, is a regular file that may be read. Opening a named pipe would
/// wait for whoever writes to it, and a device may have no end.
///
/// # Errors
/// [`Code::FileNotFound`], [`Code::FileUnreadable`], [`Code::OutsideRoot`]; [`Code::UnknownFormat`]
/// with what it is.
pub(crate) fn regular(path: &Path) -> Outcome<()> {
    storage::within(path)?;
    let metadata = storage::metadata(path).map_err(|e| read_fault(path, &e))?;
    if metadata.is_file() {
        return Ok(());
    }
    let kind = metadata.disk().map_or("a directory", |disk| kind_name(disk.file_type()));
    Err(Fault::new(Code::UnknownFormat, format!("this is {kind}, no regular file"))
        .at(path.display().to_string())
        .remedy("Give a camera file, or a directory that holds some."))
}

fn kind_name(kind: std::fs::FileType) -> &'static str {
    #[cfg(unix)]
    {
        use std::os::unix::fs::FileTypeExt;
        if kind.is_fifo() {
            return "a named pipe";
        }
        if kind.is_socket() {
            return "a socket";
        }
        if kind.is_char_device() || kind.is_block_device() {
            return "a device";
        }
    }
    if kind.is_dir() { "a directory" } else { "something else" }
}

fn head(path: &Path) -> Outcome<Vec<u8>> {
    let mut head = Vec::new();
    File::open(path)
        .and_then(|file| file.take(PROBE_BYTES).read_to_end(&mut head))
        .map_err(|e| read_fault(path, &e))?;
    Ok(head)
}

/// The readers that claim the extension of `path`, in order.
fn claimants(path: &Path) -> impl Iterator<Item = &'static dyn Source> {
    let extension = path.extension().and_then(|e| e.to_str()).map(str::to_ascii_lowercase);
    SOURCES
        .iter()
        .copied()
        .filter(move |s| extension.as_deref().is_some_and(|e| s.extensions().contains(&e)))
}

/// The first reader that claims the extension of `path`.
pub(crate) fn source_by_extension(path: &Path) -> Option<&'static dyn Source> {
    claimants(path).next()
}

/// What a failed read means.
pub(crate) fn read_fault(path: &Path, error: &std::io::Error) -> Fault {
    if let Some(fault) = storage::carried(error) {
        return fault.clone();
    }
    let (code, what) = match error.kind() {
        std::io::ErrorKind::NotFound => (Code::FileNotFound, "there is no such file or directory"),
        std::io::ErrorKind::PermissionDenied => (Code::FileUnreadable, "reading is not permitted"),
        std::io::ErrorKind::UnexpectedEof => {
            (Code::TruncatedFile, "the file ended while it was read")
        }
        _ => (Code::FileUnreadable, "reading failed"),
    };
    Fault::new(code, what).at(path.display().to_string()).because(error)
}
