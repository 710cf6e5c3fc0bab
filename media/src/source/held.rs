//! A clip whose file is an object, read from the copy that the cache holds.
//! To everybody else it is where the object is.

use super::{Clip, Sequence, Source};
use crate::storage::{self, Held};
use platefarm_model::clip::ClipInfo;
use platefarm_model::raw::{Frame, Layout};
use platefarm_model::{Outcome, Timecode};
use std::path::{Path, PathBuf};

/// Opens the clip that the file at `place` is.
///
/// # Errors
/// As [`storage::local`], and as the reader's.
pub(super) fn open(source: &dyn Source, sequence: &Sequence) -> Outcome<Box<dyn Clip>> {
    let place = sequence.first_file().to_owned();
    let held = storage::local(&place)?;
    let copy = match source.whole_clip() {
        true => Sequence::whole(held.path()),
        false => Sequence::single(held.path()),
    };
    let clip = source.open(copy).map_err(|fault| fault.within(place.display()))?;
    let mut info = clip.info().clone();
    info.path = place.display().to_string();
    Ok(Box::new(Remote { clip, info, place, _held: held }))
}

struct Remote {
    clip: Box<dyn Clip>,
    info: ClipInfo,
    place: PathBuf,
    _held: Held,
}

impl Clip for Remote {
    fn info(&self) -> &ClipInfo {
        &self.info
    }

    fn layout(&self) -> &Layout {
        self.clip.layout()
    }

    fn read(&self, index: i64) -> Outcome<Frame> {
        self.clip.read(index)
    }

    fn read_with(&self, index: i64, buffer: Vec<u8>) -> Outcome<Frame> {
        self.clip.read_with(index, buffer)
    }

    fn check_color(&self) -> Outcome<()> {
        self.clip.check_color()
    }

    fn frame_file(&self, index: i64) -> Option<&Path> {
        self.clip.frame_file(index).map(|_| self.place.as_path())
    }

    fn odd_timecode(&self, index: i64) -> Option<Timecode> {
        self.clip.odd_timecode(index)
    }

    fn frame_timecode(&self, index: i64) -> Option<Timecode> {
        self.clip.frame_timecode(index)
    }
}
