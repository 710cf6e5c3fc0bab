//! Stored bytes to whole-number samples, for every packing the model knows.

pub mod cpu;
#[cfg(test)]
mod tests;

use super::{Op, Tolerance};
use platefarm_model::raw::Packing;

/// The operation, for [`OPS`](super::OPS).
#[derive(Debug)]
pub struct Unpack;

/// What the shader form needs to know of a packing: bits a sample, and the
/// order in which bits are taken: the bytes of the little-endian words that
/// give their most significant bit first, or 0 where bytes give their least
/// significant bit first. One rule reads them all: big-endian is words of one
/// byte, little-endian 16 bits are words of two.
#[must_use]
pub const fn shader_form(packing: Packing) -> (u32, u32) {
    let order = match packing {
        Packing::Lsb12 => 0,
        Packing::U16Be => 1,
        _ => packing.word_bytes() as u32,
    };
    (packing.bits(), order)
}

impl Op for Unpack {
    fn name(&self) -> &'static str {
        "unpack"
    }
    fn doc(&self) -> &'static str {
        "reads samples of 8, 10, 12, 14 or 16 bits out of packed rows"
    }
    fn reference(&self) -> &'static str {
        "TIFF 6.0, FillOrder 1; Adobe DNG 1.7.1, BitsPerSample; docs/cameras.md for ARRI and Magic Lantern"
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
