//! Gains that make the scene's white neutral, on the mosaic, before the debayer.
//!
//! Before, because a debayer that compares neighbours of different colours
//! (all good ones do) sees edges where there are none when white is not neutral.

pub mod cpu;
#[cfg(test)]
mod tests;

use super::{Op, Tolerance};
use platefarm_model::raw::{Bayer, CfaColor};

/// The operation, for [`OPS`](super::OPS).
#[derive(Debug)]
pub struct WhiteBalance;

/// The gain of each photosite of the 2x2 pattern, row-major.
#[must_use]
pub fn site_gains(bayer: Bayer, gains: [f32; 3]) -> [f32; 4] {
    [(0, 0), (0, 1), (1, 0), (1, 1)].map(|(row, column)| match bayer.color(row, column) {
        CfaColor::Red => gains[0],
        CfaColor::Green => gains[1],
        CfaColor::Blue => gains[2],
    })
}

impl Op for WhiteBalance {
    fn name(&self) -> &'static str {
        "white_balance"
    }
    fn doc(&self) -> &'static str {
        "multiplies each photosite by the gain of its colour"
    }
    fn reference(&self) -> &'static str {
        "Adobe DNG 1.7.1, AsShotNeutral and AnalogBalance"
    }
    fn tolerance(&self) -> Tolerance {
        Tolerance {
            abs: 0.0,
            rel: 1.2e-7,
            reason: "one product; an ulp for drivers that flush denormals",
        }
    }
    fn wgsl(&self) -> &'static str {
        include_str!("white_balance.wgsl")
    }
    #[cfg(test)]
    fn trials(&self) -> Vec<crate::twin::Trial> {
        tests::trials()
    }
    #[cfg(test)]
    fn sabotage(&self) -> (&'static str, &'static str) {
        ("value * gain", "value * (gain * 1.01)")
    }
}
