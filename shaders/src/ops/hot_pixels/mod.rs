//! Photosites that stick out of all their neighbours are replaced: hot ones,
//! which leak, and dead ones, which see nothing.
//!
//! A photosite is compared with the eight nearest of its colour, two columns
//! and two rows away, of which `lo` is the least and `hi` the most. It sticks
//! out where it is beyond them by more than
//! `FLOOR * gain + (hi - lo) + |hi| * SHARE`: more than the noise of dark
//! photosites, more than the neighbourhood varies, and more than the noise of
//! light, which grows slower than light does. It becomes the mean of those two
//! opposite neighbours that differ least, so that an edge stays one. A light
//! of a single photosite cannot be told from a hot one, which is why nobody
//! gets this unasked; a lens and a low-pass filter make no such lights. Two hot
//! photosites of one colour side by side shield each other and stay.
//!
//! It runs on the white-balanced mosaic, before the debayer, which would
//! spread each one over a dozen pixels.

pub mod cpu;
#[cfg(test)]
mod tests;

use super::{Op, Tolerance};

/// The operation, for [`OPS`](super::OPS).
#[derive(Debug)]
pub struct HotPixels;

/// Rows and columns that it looks at on each side.
pub const HALO: u32 = 2;

/// What is noise in the dark, as a share of full scale.
pub const FLOOR: f32 = 1.0 / 128.0;
/// What is noise in the light, as a share of it.
pub const SHARE: f32 = 0.25;

impl Op for HotPixels {
    fn name(&self) -> &'static str {
        "hot_pixels"
    }
    fn doc(&self) -> &'static str {
        "replaces photosites that stick out of all their neighbours"
    }
    fn reference(&self) -> &'static str {
        "the rule in its module's text; order of steps as in Adobe DNG 1.7.1, OpcodeList2"
    }
    fn tolerance(&self) -> Tolerance {
        Tolerance {
            abs: 0.0,
            rel: 0.0,
            reason: "comparisons, and products with powers of two: both forms must be equal",
        }
    }
    fn wgsl(&self) -> &'static str {
        include_str!("hot_pixels.wgsl")
    }
    #[cfg(test)]
    fn trials(&self) -> Vec<crate::twin::Trial> {
        tests::trials()
    }
    #[cfg(test)]
    fn sabotage(&self) -> (&'static str, &'static str) {
        ("abs(hi) * 0.25", "abs(hi) * 0.75")
    }
}
