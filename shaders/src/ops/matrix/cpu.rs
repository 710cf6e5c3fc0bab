//! The CPU form: three runs of values, in place.

use fearless_simd::{Level, dispatch};

/// Replaces red, green and blue by their product with `m`, row-major.
pub fn run(level: Level, m: &[f32; 9], red: &mut [f32], green: &mut [f32], blue: &mut [f32]) {
    dispatch!(level, _simd => {
        for ((r, g), b) in red.iter_mut().zip(green.iter_mut()).zip(blue.iter_mut()) {
            let (x, y, z) = (*r, *g, *b);
            *r = (m[0] * x + m[1] * y) + m[2] * z;
            *g = (m[3] * x + m[4] * y) + m[5] * z;
            *b = (m[6] * x + m[7] * y) + m[8] * z;
        }
    });
}
