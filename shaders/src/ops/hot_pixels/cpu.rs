//! The CPU form: one row of the mosaic from itself and the rows two above and
//! two below.

use super::{FLOOR, SHARE};
use crate::color::math::{least, most};
use fearless_simd::{Level, dispatch};

/// A row of the mosaic as its even and its odd columns.
type Halves = [Vec<f32>; 2];

/// Row `y` from the rows `y - 2`, `y` and `y + 2`. `gains` are those of its even
/// and odd columns. The first and the last pair of columns are not made.
pub fn row(level: Level, rows: [&Halves; 3], gains: [f32; 2], out: &mut Halves) {
    dispatch!(level, _simd => {
        for half in [0, 1] {
            row_inner(rows.map(|row| &row[half][..]), gains[half] * FLOOR, &mut out[half]);
        }
    });
}

#[inline(always)]
fn row_inner(rows: [&[f32]; 3], floor: f32, out: &mut [f32]) {
    let count = out.len() - 2;
    let out = &mut out[1..=count];
    let [[nw, n, ne], [w, c, e], [sw, s, se]] =
        rows.map(|row| [&row[..count], &row[1..=count], &row[2..count + 2]]);
    for i in 0..count {
        out[i] = mended(c[i], [w[i], e[i], n[i], s[i], nw[i], se[i], ne[i], sw[i]], floor);
    }
}

/// What stands for a photosite among eight, of which two after two lie opposite.
#[inline(always)]
fn mended(c: f32, [w, e, n, s, nw, se, ne, sw]: [f32; 8], floor: f32) -> f32 {
    let hi = most(most(most(w, e), most(n, s)), most(most(nw, se), most(ne, sw)));
    let lo = least(least(least(w, e), least(n, s)), least(least(nw, se), least(ne, sw)));
    let room = (floor + (hi - lo)) + hi.abs() * SHARE;
    let (mut smallest, mut sum) = ((w - e).abs(), w + e);
    for (a, b) in [(n, s), (nw, se), (ne, sw)] {
        let apart = (a - b).abs();
        let closer = apart < smallest;
        sum = if closer { a + b } else { sum };
        smallest = if closer { apart } else { smallest };
    }
    if (c - hi <= room) & (lo - c <= room) { c } else { sum * 0.5 }
}
