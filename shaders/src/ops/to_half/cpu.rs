//! The CPU form: a run of values, without branches.

use fearless_simd::{Level, dispatch};

/// 2^-14, the smallest normal half.
const SMALLEST_NORMAL: u32 = 0x3880_0000;
/// 65520, the smallest value that would round to infinity.
pub const TOO_LARGE: u32 = 0x477f_f000;
/// Infinity; anything above is NaN.
pub const INFINITY: u32 = 0x7f80_0000;
/// The largest finite half.
const LARGEST: u32 = 0x7bff;

/// Bits of the half nearest to `value`, finite always.
#[inline(always)]
#[must_use]
pub fn half_bits(value: f32) -> u16 {
    let bits = value.to_bits();
    let magnitude = bits & 0x7fff_ffff;
    let rebiased = magnitude.wrapping_sub(0x3800_0000);
    let normal = rebiased.wrapping_add(((rebiased >> 13) & 1) + 0x0fff) >> 13;
    // One unit in the last place of 0.5 is 2^-24, the unit of denormal halves,
    // so that this sum rounds to it, to nearest even.
    let denormal = (f32::from_bits(magnitude) + 0.5).to_bits().wrapping_sub(0.5_f32.to_bits());
    let finite = if magnitude < SMALLEST_NORMAL { denormal } else { normal };
    let held = if magnitude < TOO_LARGE { finite } else { LARGEST };
    let signed = held | (bits >> 16 & 0x8000);
    (if magnitude > INFINITY { 0 } else { signed }) as u16
}

/// Converts a run; returns how many values no finite half can hold.
#[must_use]
pub fn run(level: Level, values: &[f32], out: &mut [u16]) -> u64 {
    dispatch!(level, _simd => {
        let mut beyond = 0_u32;
        for (o, v) in out.iter_mut().zip(values) {
            *o = half_bits(*v);
            beyond += u32::from(v.to_bits() & 0x7fff_ffff >= TOO_LARGE);
        }
        u64::from(beyond)
    })
}
