//! Stored bytes to whole-number samples, for every packing the model knows.

pub mod cpu;
#[cfg(test)]
mod tests;

use super::{Op, Tolerance};
use platefarm_model::raw::Packing;

/// The operation, for [`OPS`](super::OPS).
#[derive(Debug)]
pub struct Unpack;

/// What the shader form needs to know of a packing: bits a sample, and
/// whether the low byte comes first. Everything else is a stream of bits, most
/// significant first, in which 8 and big-endian 16 bits are ordinary cases.
#[must_use]
pub const fn shader_form(packing: Packing) -> (u32, bool) {
    (packing.bits(), matches!(packing, Packing::U16Le))
}

impl Op for Unpack {
    fn name(&self) -> &'static str {
        "unpack"
    }
    fn doc(&self) -> &'static str {
        "reads samples of 8, 10, 12, 14 or 16 bits out of packed rows"
    }
    fn reference(&self) -> &'static str {
        "TIFF 6.0, FillOrder 1; Adobe DNG 1.7.1, BitsPerSample"
    }
    fn tolerance(&self) -> Tolerance {
        Tolerance { abs: 0.0, rel: 0.0, reason: "whole numbers; both forms must be equal" }
    }
    fn wgsl(&self) -> &'static str {
        include_str!("unpack.wgsl")
    }
    #[cfg(test)]
    fn trials(&self) -> Vec<crate::twin::Trial> {
        tests::trials()
    }
    #[cfg(test)]
    fn sabotage(&self) -> (&'static str, &'static str) {
        ("<< (bit & 7u)", "<< ((bit + 1u) & 7u)")
    }
}
