//! The CPU form: a run of values, in place, without branches.

use crate::ops::to_half::cpu::{INFINITY, TOO_LARGE};
use fearless_simd::{Level, dispatch};

/// 65504, the largest finite half, as single precision.
const LARGEST: u32 = 0x477f_e000;

/// Makes a run finite; returns how many values were not.
#[must_use]
pub fn run(level: Level, values: &mut [f32]) -> u64 {
    dispatch!(level, _simd => {
        let mut beyond = 0_u32;
        for v in values.iter_mut() {
            let bits = v.to_bits();
            let magnitude = bits & 0x7fff_ffff;
            let held = if magnitude > INFINITY { 0 } else { LARGEST | (bits & 0x8000_0000) };
            beyond += u32::from(magnitude >= TOO_LARGE);
            *v = f32::from_bits(if magnitude >= TOO_LARGE { held } else { bits });
        }
        u64::from(beyond)
    })
}
