//! DNG and CinemaDNG: a clip is a directory of numbered files, each a TIFF
//! with the sensor's samples and the tags that give them meaning.
//!
//! Written from Adobe's DNG 1.7.1 and CinemaDNG 1.1 specifications. Readable:
//! Bayer mosaics and linear raw of 8 to 16 bits or of floats, uncompressed,
//! deflated or as JPEG, in strips or tiles, of either byte order, with the
//! corrections that the camera asks for; everything else is refused by name.

mod clip;
mod color;
mod develop;
mod geometry;
mod info;
mod input;
mod kind;
mod levels;
pub(super) mod ljpeg;
mod opcodes;
mod pixels;
mod pool;
mod raw;
mod tags;
#[cfg(test)]
mod tests;
mod tiff;

use super::{Clip, Sequence, Source};
use clip::DngClip;
use platefarm_model::Outcome;
use std::path::Path;

/// Frames whose metadata is compared with the first when a clip is opened; the others are when they are read.
const SAMPLED_FRAMES: usize = 8;

/// The reader of DNG and CinemaDNG.
pub(super) struct Dng;

impl Source for Dng {
    fn name(&self) -> &'static str {
        "dng"
    }

    fn doc(&self) -> &'static str {
        "Adobe DNG and CinemaDNG sequences: Bayer or linear raw, 8 to 16 bits or floats, uncompressed, deflated or JPEG"
    }

    fn extensions(&self) -> &'static [&'static str] {
        &["dng"]
    }

    fn probe(&self, head: &[u8], _: &Path) -> bool {
        tiff::is_tiff(head)
    }

    fn open(&self, sequence: Sequence) -> Outcome<Box<dyn Clip>> {
        Ok(Box::new(DngClip::open(sequence)?))
    }
}
