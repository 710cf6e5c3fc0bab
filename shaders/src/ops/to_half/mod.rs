//! Single to half precision, to the nearest, ties to even, by whole-number arithmetic.
//!
//! A driver's own conversion is not used: some round toward zero. Delivered
//! pixels are finite: NaN becomes 0, and a magnitude that would round to
//! infinity (65520 and up, infinity included) becomes 65504 with its sign.
//! Each of these counts as one non-finite sample. Everything below 65520
//! rounds as IEEE 754 says, denormal halves and negative zero included.

pub mod cpu;
#[cfg(test)]
mod tests;

use super::{Op, Tolerance};

/// The operation, for [`OPS`](super::OPS).
#[derive(Debug)]
pub struct ToHalf;

impl Op for ToHalf {
    fn name(&self) -> &'static str {
        "to_half"
    }
    fn doc(&self) -> &'static str {
        "rounds to the nearest half float; what no finite half can hold is counted and made finite"
    }
    fn reference(&self) -> &'static str {
        "IEEE 754-2019, binary16, roundTiesToEven"
    }
    fn tolerance(&self) -> Tolerance {
        Tolerance {
            abs: 0.0,
            rel: 0.0,
            reason: "whole-number arithmetic on bits; both forms must be equal",
        }
    }
    fn wgsl(&self) -> &'static str {
        include_str!("to_half.wgsl")
    }
    #[cfg(test)]
    fn trials(&self) -> Vec<crate::twin::Trial> {
        tests::trials()
    }
    #[cfg(test)]
    fn sabotage(&self) -> (&'static str, &'static str) {
        ("& 1u) + 0x0fffu", "& 1u) + 0x1000u")
    }
}
