//! What becomes of lights that the sensor clips, where somebody asks for it.
//!
//! Sensors clip all colours at one height, and white balance pulls the three
//! apart: green at its gain of 1, red and blue above. A light beyond all of them is
//! then pink. Both ways make it white.
//!
//! **Clip**: no photosite is above the least of the three gains, and after the debayer, which
//! guesses beyond what is there, no colour of a pixel. Flat, free of any colour, and everything
//! above is lost.
//!
//! **Rebuild**: a photosite at its clipping height is raised to what the
//! photosites of the other colours beside it say. With `x` and `y` the means of
//! those nearest of either other colour, `near(v)` how far a value `v` has come
//! from `START` to `END` of its colour's clipping height, 0 to 1, and `c` the photosite:
//! `even = (x + y) * 0.5`,
//! `all = min(near(x), near(y))`,
//! `light = even + (max(max(x, y), c) - even) * all`,
//! `c + max(light - c, 0) * near(c)`.
//! Where one colour clips, the other two say that the light is neutral between them;
//! where all clip, all rise to the highest, which is white; and between the two there
//! is no step. What does not clip stays as it is, and so does a colour that
//! clips alone and high above the others: no photosite is ever lowered.
//!
//! It runs on the white-balanced mosaic before the debayer, so that none of
//! its steps sees a plateau that the light does not have. What the debayer makes of a
//! photosite's neighbours is its own: pixels beside a raised one may be lower than without.

pub mod cpu;
#[cfg(test)]
mod tests;

use super::{Op, Tolerance};

/// The operation, for [`OPS`](super::OPS).
#[derive(Debug)]
pub struct HighlightsOp;

/// Rows and columns that rebuilding looks at on each side, rounded up to whole pairs.
pub const HALO: u32 = 2;

/// From which share of the clipping height on a photosite is raised.
pub const START: f32 = 60.0 / 64.0;
/// From which share on it counts as clipped.
pub const END: f32 = 63.0 / 64.0;

/// The clipping height that all colours have in common: the least gain.
#[must_use]
pub fn ceiling(gains: [f32; 3]) -> f32 {
    gains.into_iter().fold(f32::INFINITY, f32::min)
}

/// What `near` takes off a value and divides it by, for a colour of this gain.
#[must_use]
pub fn ramp(gain: f32) -> [f32; 2] {
    [gain * START, gain * (END - START)]
}

impl Op for HighlightsOp {
    fn name(&self) -> &'static str {
        "highlights"
    }
    fn doc(&self) -> &'static str {
        "raises photosites that clip to what the other colours say of the light"
    }
    fn reference(&self) -> &'static str {
        "the rule in its module's text; after the opposed colours of darktable's manual, in words"
    }
    fn tolerance(&self) -> Tolerance {
        Tolerance {
            abs: 0.0,
            rel: 2.4e-7,
            reason: "quotients to the nearest but for one in many millions; the rest is equal",
        }
    }
    fn wgsl(&self) -> &'static str {
        include_str!("highlights.wgsl")
    }
    #[cfg(test)]
    fn trials(&self) -> Vec<crate::twin::Trial> {
        tests::trials()
    }
    #[cfg(test)]
    fn sabotage(&self) -> (&'static str, &'static str) {
        ("(x + y) * 0.5", "(x + y) * 0.51")
    }
}
