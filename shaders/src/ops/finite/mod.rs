//! Samples that no finite half can hold, where they come in.
//!
//! A float file may hold NaN, infinities and magnitudes that no plate can
//! carry. Left alone, one of them would spread over every pixel whose filter
//! sees it, and what a GPU makes of infinity minus infinity is its own affair.
//! So they become what [`to_half`](super::to_half) would make of them, NaN 0
//! and the rest 65504 with its sign, before anything looks at them, and each
//! counts as one non-finite sample.

pub mod cpu;
#[cfg(test)]
mod tests;

use super::{Op, Tolerance};

/// The operation, for [`OPS`](super::OPS).
#[derive(Debug)]
pub struct Finite;

impl Op for Finite {
    fn name(&self) -> &'static str {
        "finite"
    }
    fn doc(&self) -> &'static str {
        "replaces float samples that no finite half can hold, and counts them"
    }
    fn reference(&self) -> &'static str {
        "IEEE 754-2019, binary16: the largest finite value"
    }
    fn tolerance(&self) -> Tolerance {
        Tolerance { abs: 0.0, rel: 0.0, reason: "a choice by bits; both forms must be equal" }
    }
    fn wgsl(&self) -> &'static str {
        include_str!("finite.wgsl")
    }
    #[cfg(test)]
    fn trials(&self) -> Vec<crate::twin::Trial> {
        tests::trials()
    }
    #[cfg(test)]
    fn sabotage(&self) -> (&'static str, &'static str) {
        ("> 0x7f800000u", ">= 0x7f800000u")
    }
}
