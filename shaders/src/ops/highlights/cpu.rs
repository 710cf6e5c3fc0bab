//! The CPU form of rebuilding: one row of the mosaic from itself and the rows
//! above and below. Clipping is a comparison, and stands here too.

use super::ramp;
use crate::color::math::{least, most};
use crate::ops::debayer_mhc::cpu::RowColors;
use fearless_simd::{Level, dispatch};

/// A row of the mosaic as its even and its odd columns.
type Halves = [Vec<f32>; 2];

/// No value above `ceiling`, in place.
pub fn clip(level: Level, half: &mut [f32], ceiling: f32) {
    dispatch!(level, _simd => for v in half { *v = least(*v, ceiling) });
}

/// Row `y` from the rows `y - 1`, `y` and `y + 1`, of which `colors` says what
/// row `y` has; `gains` are those of red, green and blue. The first and the last pair of
/// columns are not made.
pub fn rebuild(
    level: Level,
    rows: [&Halves; 3],
    colors: RowColors,
    gains: [f32; 3],
    out: &mut Halves,
) {
    dispatch!(level, _simd => rebuild_inner(rows, colors, gains.map(ramp), out));
}

#[inline(always)]
fn rebuild_inner(
    [north, here, south]: [&Halves; 3],
    colors: RowColors,
    ramps: [[f32; 2]; 3],
    out: &mut Halves,
) {
    let (own, green, other) = (ramps[colors.own], ramps[1], ramps[2 - colors.own]);
    for half in [0, 1] {
        let count = out[half].len() - 2;
        // West of an even column is the odd one of the pair before it, east of an odd one
        // the even one of the pair behind it.
        let [west, east] = [half, half + 1];
        let c = &here[half][1..=count];
        let [w, e] = [west, east].map(|from| &here[1 - half][from..from + count]);
        let [n, s] = [north, south].map(|row| &row[half][1..=count]);
        let out = &mut out[half][1..=count];
        if half == colors.parity {
            let [nw, ne] = [west, east].map(|from| &north[1 - half][from..from + count]);
            let [sw, se] = [west, east].map(|from| &south[1 - half][from..from + count]);
            for i in 0..count {
                let x = ((w[i] + e[i]) + (n[i] + s[i])) * 0.25;
                let y = ((nw[i] + ne[i]) + (sw[i] + se[i])) * 0.25;
                out[i] = rebuilt(c[i], x, y, [own, green, other]);
            }
        } else {
            for i in 0..count {
                let (x, y) = ((w[i] + e[i]) * 0.5, (n[i] + s[i]) * 0.5);
                out[i] = rebuilt(c[i], x, y, [green, own, other]);
            }
        }
    }
}

/// A photosite with the means of the nearest of either other colour.
#[inline(always)]
pub(super) fn rebuilt(c: f32, x: f32, y: f32, [own, first, second]: [[f32; 2]; 3]) -> f32 {
    let even = (x + y) * 0.5;
    let all = least(near(x, first), near(y, second));
    let light = even + (most(most(x, y), c) - even) * all;
    c + most(light - c, 0.0) * near(c, own)
}

/// How far a value has come from where it begins to be raised to where it counts as clipped.
#[inline(always)]
fn near(v: f32, [start, width]: [f32; 2]) -> f32 {
    least(most((v - start) / width, 0.0), 1.0)
}
