//! Stored pictures to linear light: interleaved samples through a curve, into planes.
//!
//! A curve is a table with one entry for each code, so that both forms say
//! exactly the same whatever function it was made from; there is no
//! interpolation, since there is nothing between two codes. Halves without a
//! curve are widened, which loses nothing; whole numbers without one are
//! multiplied by the single nearest to 1/65535, under which 0 is 0 and 65535 is 1.

pub mod cpu;
#[cfg(test)]
mod tests;

use super::{Op, Tolerance};
use platefarm_model::raw::RgbSamples;

/// The operation, for [`OPS`](super::OPS).
#[derive(Debug)]
pub struct RgbDecode;

/// What the shader form calls a kind of samples.
#[must_use]
pub const fn shader_form(samples: RgbSamples) -> u32 {
    match samples {
        RgbSamples::U16 => 0,
        RgbSamples::F16 => 1,
        RgbSamples::F32 => 2,
    }
}

impl Op for RgbDecode {
    fn name(&self) -> &'static str {
        "rgb_decode"
    }
    fn doc(&self) -> &'static str {
        "reads interleaved samples and looks their linear light up in a table"
    }
    fn reference(&self) -> &'static str {
        "IEEE 754-2019, binary16 and binary32; SMPTE ST 268-1 and ST 2065-4 for the codes"
    }
    fn tolerance(&self) -> Tolerance {
        Tolerance {
            abs: 0.0,
            rel: 0.0,
            reason: "table entries and bits, moved; one product that both forms round alike",
        }
    }
    fn wgsl(&self) -> &'static str {
        include_str!("rgb_decode.wgsl")
    }
    #[cfg(test)]
    fn trials(&self) -> Vec<crate::twin::Trial> {
        tests::trials()
    }
    #[cfg(test)]
    fn sabotage(&self) -> (&'static str, &'static str) {
        ("+ 0x38000000u", "+ 0x38000001u")
    }
}
