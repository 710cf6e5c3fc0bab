//! The CPU form: half a row, which holds one colour.

use fearless_simd::{Level, dispatch};

/// Multiplies values of one colour by its gain.
pub fn row(level: Level, values: &mut [f32], gain: f32) {
    dispatch!(level, _simd => {
        for v in values.iter_mut() {
            *v *= gain;
        }
    });
}
