//! A clip whose metadata was completed from the exports that lie beside it.

use super::Clip;
use crate::sidecar;
use platefarm_model::clip::ClipInfo;
use platefarm_model::raw::{Frame, Layout};
use platefarm_model::{Outcome, Timecode};
use std::path::{Path, PathBuf};

/// `clip` with what `exports` say about it; itself where they say nothing.
pub(super) fn with_exports(clip: Box<dyn Clip>, exports: &[PathBuf]) -> Box<dyn Clip> {
    let sheets = sidecar::about(clip.info(), exports);
    if sheets.is_empty() {
        return clip;
    }
    let mut info = clip.info().clone();
    sheets.iter().for_each(|sheet| sidecar::merge(&mut info, sheet));
    Box::new(Merged { clip, info })
}

struct Merged {
    clip: Box<dyn Clip>,
    info: ClipInfo,
}

/// Every method is the reader's own, but for the metadata.
impl Clip for Merged {
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
        self.clip.frame_file(index)
    }

    fn odd_timecode(&self, index: i64) -> Option<Timecode> {
        self.clip.odd_timecode(index)
    }

    fn frame_timecode(&self, index: i64) -> Option<Timecode> {
        let counted = || self.info.timing.start.map(|start| start.plus(index));
        self.clip.frame_timecode(index).or_else(counted)
    }
}
