//! Malvar, He and Cutler's gradient-corrected linear debayer.
//!
//! Bilinear interpolation of the missing colour, corrected by a Laplacian of
//! the colour that is there, in the paper's 5x5 filters. It runs on the
//! white-balanced mosaic in scene-linear light. At the picture's edge the
//! neighbours are mirrored about the edge photosite, which keeps their colour.
//!
//! Where the 5x5 photosites hold one that clips, the Laplacian would overshoot
//! into coloured rims. There a missing colour is the photosite times the ratio
//! of the two colours' means over the 25, and no brighter or darker than its
//! nearest photosites are. (Our own; the paper knows no clipping.)

pub mod cpu;
#[cfg(test)]
mod tests;

use super::{Op, Tolerance};

/// The operation, for [`OPS`](super::OPS).
#[derive(Debug)]
pub struct DebayerMhc;

/// Rows and columns that the filters reach on each side.
pub const HALO: u32 = 2;

/// From which share of the clipping height on a photosite clips.
pub const CLIPS_FROM: f32 = 60.0 / 64.0;

/// From where on the white-balanced photosites of each colour clip.
#[must_use]
pub fn clips(gains: [f32; 3]) -> [f32; 3] {
    gains.map(|gain| gain * CLIPS_FROM)
}

/// `i` mirrored into `0..n` about the first and the last index, both of which
/// stay single: -1 is 1, and `n` is `n - 2`. It keeps the parity of `i`, so a
/// mirrored photosite has the colour it stands in for. `n` is 2 or more.
#[must_use]
pub const fn mirror(i: i64, n: u32) -> u32 {
    let period = 2 * (n as i64 - 1);
    let j = i.abs() % period;
    if j < period - j { j as u32 } else { (period - j) as u32 }
}

impl Op for DebayerMhc {
    fn name(&self) -> &'static str {
        "debayer_mhc"
    }
    fn doc(&self) -> &'static str {
        "reconstructs the two missing colours of each photosite by 5x5 gradient-corrected filters"
    }
    fn reference(&self) -> &'static str {
        "H. S. Malvar, L. He, R. Cutler, High-quality linear interpolation for demosaicing of Bayer-patterned color images, ICASSP 2004"
    }
    fn tolerance(&self) -> Tolerance {
        Tolerance {
            abs: 0.0,
            rel: 2.4e-7,
            reason: "quotients to the nearest but for one in many millions; the rest is equal",
        }
    }
    fn wgsl(&self) -> &'static str {
        include_str!("debayer_mhc.wgsl")
    }
    #[cfg(test)]
    fn trials(&self) -> Vec<crate::twin::Trial> {
        tests::trials()
    }
    #[cfg(test)]
    fn sabotage(&self) -> (&'static str, &'static str) {
        ("6.0 * c", "6.06 * c")
    }
}
