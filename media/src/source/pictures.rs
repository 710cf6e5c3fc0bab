//! Clips of numbered picture files: what is the same for every format that
//! keeps one finished picture in one file. The first sound file speaks for the
//! clip, some others are asked whether they agree, and each is compared again
//! when it is read.

use super::odd::OddTimecodes;
use super::{Clip, Sequence};
use platefarm_model::clip::{ClipInfo, Timing};
use platefarm_model::raw::{Frame, Layout, RgbLayout};
use platefarm_model::{Code, Fault, FrameRate, Outcome, Timecode};
use std::path::Path;
use std::sync::Arc;

/// Frames that are looked at when a clip is opened; the others are when they are read.
const SAMPLED_FRAMES: usize = 8;

/// A format that keeps one picture in one file.
pub(super) trait PictureFormat: Send + Sync + Sized + 'static {
    /// What a file says before its pixels.
    type Header: Send + Sync + 'static;

    /// Reads what stands before the pixels.
    fn header(path: &Path) -> Outcome<Self::Header>;

    /// Whether the file reaches as far as its pixels, told without reading them.
    ///
    /// # Errors
    /// [`Code::TruncatedFile`].
    fn extent(path: &Path, header: &Self::Header) -> Outcome<()>;

    /// The clip that begins with `first`; `sampled` are frames of it, the first among them.
    fn describe(first: &Self::Header, sampled: &[Self::Header]) -> Outcome<Described>;

    /// Timecode of the frame, counted at `rate` where the clip has one.
    fn timecode(header: &Self::Header, rate: FrameRate) -> Option<Timecode>;

    /// The file's pixels as `layout` has them, and what stands before them.
    ///
    /// # Errors
    /// [`Code::MixedClip`] when the file is not like `first`, and the codes of damaged files.
    fn pixels(
        path: &Path,
        first: &Self::Header,
        layout: &RgbLayout,
    ) -> Outcome<(Vec<u8>, Self::Header)>;

    /// Whether a frame can stand in the clip that begins with `first`.
    fn check_like(header: &Self::Header, first: &Self::Header) -> Outcome<()>;
}

/// A clip as its first frame describes it. Of `info`, path, name, start and count are filled in
/// by the caller.
pub(super) struct Described {
    /// What its pixels are.
    pub(super) layout: RgbLayout,
    /// The rest of what is known.
    pub(super) info: ClipInfo,
    /// Why its colours cannot be used, where they cannot.
    pub(super) color: Outcome<()>,
}

/// An open clip of a [`PictureFormat`].
pub(super) struct PictureClip<F: PictureFormat> {
    info: ClipInfo,
    layout: Layout,
    color: Outcome<()>,
    first: F::Header,
    sequence: Sequence,
    /// What frames said that were read.
    odd: OddTimecodes,
}

impl<F: PictureFormat> PictureClip<F> {
    /// Opens a clip: headers only.
    ///
    /// # Errors
    /// What is wrong with the first file, when none of the first few is sound.
    pub(super) fn open(sequence: Sequence) -> Outcome<Self> {
        let (first_index, first, mut notes) = first_sound::<F>(&sequence)?;
        let (sampled, faults) = sample::<F>(&sequence, &first);
        notes.extend(faults);
        let headers: Vec<F::Header> = sampled.into_iter().map(|(_, header)| header).collect();
        let Described { layout, mut info, color } = F::describe(&first, &headers)?;
        layout.check(layout.bytes())?;

        let missing = sequence.missing();
        if let Some(index) = missing.first() {
            notes.push(Fault::new(
                Code::MissingFrame,
                format!("{} frames are missing, the first at index {index}", missing.len()),
            ));
        }
        let rate = info.timing.rate;
        let start = F::timecode(&first, rate.unwrap_or(FrameRate::FPS_24))
            .map(|timecode| timecode.plus(-first_index));
        for (absent, what) in [(rate.is_none(), "frame rate"), (start.is_none(), "timecode")] {
            if absent {
                notes.push(Fault::new(Code::MetadataAbsent, format!("no {what} in the file")));
            }
        }
        info.path = sequence.first_file().to_string_lossy().into_owned();
        info.identity.clip_name.clone_from(&sequence.name);
        info.timing = Timing {
            start,
            frame_count: sequence.frame_count(),
            missing,
            first_file_number: sequence.first_number,
            ..info.timing
        };
        info.notes.splice(0..0, notes);
        info.notes.extend(color.as_ref().err().cloned());
        let (layout, odd) = (Layout::Rgb(Arc::new(layout)), OddTimecodes::default());
        let mut clip = Self { info, layout, color, first, sequence, odd };
        let jumps = clip.timecode_jumps();
        clip.info.notes.extend(jumps);
        Ok(clip)
    }

    /// Sampled frames whose timecode does not follow from the start.
    fn timecode_jumps(&self) -> Vec<Fault> {
        let Some(start) = self.info.timing.start else { return Vec::new() };
        let mut notes = Vec::new();
        for (index, path) in picks(&self.sequence) {
            let found = F::header(path).ok().and_then(|h| F::timecode(&h, start.rate));
            let expected = start.plus(*index);
            if let Some(found) = found.filter(|f| f.fields() != expected.fields()) {
                notes.push(
                    Fault::new(
                        Code::MixedClip,
                        format!("timecode {found}, where {expected} follows from the clip's start"),
                    )
                    .at(path.display().to_string()),
                );
            }
        }
        notes
    }
}

/// A damaged first file must not hide a clip: the first sound one speaks for it.
fn first_sound<F: PictureFormat>(sequence: &Sequence) -> Outcome<(i64, F::Header, Vec<Fault>)> {
    let mut first_fault = None;
    for (index, path) in sequence.files().iter().take(SAMPLED_FRAMES) {
        match F::header(path) {
            Ok(header) => return Ok((*index, header, first_fault.into_iter().collect())),
            Err(fault) => {
                first_fault.get_or_insert(fault.within(path.display()));
            }
        }
    }
    Err(first_fault.unwrap_or_else(|| Fault::new(Code::NoMedia, "a clip of no files")))
}

/// Frames spread over the clip, the first and the last among them.
fn picks(sequence: &Sequence) -> impl Iterator<Item = &(i64, std::path::PathBuf)> {
    let files = sequence.files();
    let count = files.len().min(SAMPLED_FRAMES);
    (0..count)
        .map(move |pick| &files[if count > 1 { pick * (files.len() - 1) / (count - 1) } else { 0 }])
}

/// Headers of some frames, and what is wrong with those that cannot stand in the clip.
fn sample<F: PictureFormat>(
    sequence: &Sequence,
    first: &F::Header,
) -> (Vec<(i64, F::Header)>, Vec<Fault>) {
    let (mut headers, mut faults) = (Vec::new(), Vec::new());
    for (index, path) in picks(sequence) {
        let header = F::header(path).and_then(|header| {
            F::check_like(&header, first)?;
            Ok(header)
        });
        match header {
            Ok(header) => {
                // What is left of its pixels is none, but its metadata are sound.
                faults.extend(F::extent(path, &header).err().map(|f| f.within(path.display())));
                headers.push((*index, header));
            }
            Err(fault) => faults.push(fault.within(path.display())),
        }
    }
    (headers, faults)
}

impl<F: PictureFormat> Clip for PictureClip<F> {
    fn info(&self) -> &ClipInfo {
        &self.info
    }

    fn layout(&self) -> &Layout {
        &self.layout
    }

    fn check_color(&self) -> Outcome<()> {
        self.color.clone().map_err(|fault| fault.within(&self.info.path))
    }

    fn read(&self, index: i64) -> Outcome<Frame> {
        check_index(index, &self.info)?;
        let path = self.sequence.file(index).ok_or_else(|| {
            let number = self.sequence.first_number.unwrap_or(0) + index;
            Fault::new(
                Code::MissingFrame,
                format!("frame {index} (file number {number}) is not on disk"),
            )
            .at(self.info.path.clone())
        })?;
        let read = match &self.layout {
            Layout::Rgb(layout) => F::pixels(path, &self.first, layout),
            Layout::Mosaic(_) => Err(Fault::new(Code::Internal, "a picture with a colour filter")),
        };
        let (bytes, header) = read.map_err(|fault| fault.within(path.display()))?;
        let expected = self.frame_timecode(index);
        let said = expected.and_then(|expected| F::timecode(&header, expected.rate));
        self.odd.note(index, expected, said);
        Ok(Frame { layout: self.layout.clone(), bytes })
    }

    fn frame_file(&self, index: i64) -> Option<&Path> {
        self.sequence.file(index)
    }

    fn odd_timecode(&self, index: i64) -> Option<Timecode> {
        self.odd.of(index)
    }
}

/// Whether frame `index` is one of the clip's.
///
/// # Errors
/// [`Code::FrameOutsideClip`].
pub(super) fn check_index(index: i64, info: &ClipInfo) -> Outcome<()> {
    let count = info.timing.frame_count;
    if index >= 0 && (index as u64) < count {
        return Ok(());
    }
    Err(Fault::new(
        Code::FrameOutsideClip,
        format!("there is no frame {index} in a clip of {count} frames, counted from 0"),
    )
    .at(info.path.clone()))
}
