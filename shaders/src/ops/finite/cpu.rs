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
            beyond += u32::from(is_beyond(*v));
            *v = finite(*v);
        }
        u64::from(beyond)
    })
}

/// Whether no finite half can hold a value.
#[inline(always)]
pub(crate) fn is_beyond(v: f32) -> bool {
    v.to_bits() & 0x7fff_ffff >= TOO_LARGE
}

/// The value, or what stands for it where [`is_beyond`].
#[inline(always)]
pub(crate) fn finite(v: f32) -> f32 {
    let bits = v.to_bits();
    let held = if bits & 0x7fff_ffff > INFINITY { 0 } else { LARGEST | (bits & 0x8000_0000) };
    f32::from_bits(if is_beyond(v) { held } else { bits })
}
