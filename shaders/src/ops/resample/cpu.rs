//! The CPU form: down whole rows first, then along eight rows at a time.
//!
//! Vertically every column has the same weights, so the sum runs over
//! contiguous values. Horizontally it does not; there, eight rows of three
//! planes are turned so that the 24 values of one column lie side by side, and
//! again every step is the same operation on contiguous values. Vertical comes
//! first because the turning, the dearer part, then sees only delivered rows.

use super::Taps;
use fearless_simd::{Level, dispatch};
use std::ops::Range;

/// Rows that the horizontal pass takes at a time.
pub const ROWS: usize = 8;
/// Values of one column: three planes of [`ROWS`] rows.
pub const LANES: usize = 3 * ROWS;
/// Values that the vertical pass sums at a time; runs are multiples of it.
pub const BLOCK: usize = 64;

/// `out` becomes the sum of rows `source(0)`, `source(1)`, ... times `weights`.
/// All runs are of one length, a multiple of [`BLOCK`].
pub fn vertical<'a>(
    level: Level,
    source: impl Fn(usize) -> &'a [f32],
    weights: &[f32],
    out: &mut [f32],
) {
    dispatch!(level, _simd => vertical_inner(&source, weights, out));
}

#[inline(always)]
fn vertical_inner<'a>(source: &impl Fn(usize) -> &'a [f32], weights: &[f32], out: &mut [f32]) {
    let Some((first, others)) = weights.split_first() else { return };
    for (i, block) in out.as_chunks_mut::<BLOCK>().0.iter_mut().enumerate() {
        let mut sum = source(0).as_chunks::<BLOCK>().0[i];
        for v in &mut sum {
            *v *= first;
        }
        for (k, weight) in others.iter().enumerate() {
            let row = &source(k + 1).as_chunks::<BLOCK>().0[i];
            for (s, v) in sum.iter_mut().zip(row) {
                *s += weight * v;
            }
        }
        *block = sum;
    }
}

/// Turns some pairs of columns of [`ROWS`] rows: `tile[x]` gets the values of
/// the `x`th column, plane by plane. A row is six runs of `pairs` values, as
/// the debayer makes them.
pub fn turn(rows: &[Vec<f32>; ROWS], pairs: usize, which: Range<usize>, tile: &mut [[f32; LANES]]) {
    let columns = tile[..2 * which.len()].as_chunks_mut::<2>().0;
    for (r, row) in rows.iter().enumerate() {
        for plane in 0..3 {
            let lane = plane * ROWS + r;
            let run = |half: usize| {
                let at = (2 * plane + half) * pairs;
                &row[at + which.start..at + which.end]
            };
            for ((pair, even), odd) in columns.iter_mut().zip(run(0)).zip(run(1)) {
                pair[0][lane] = *even;
                pair[1][lane] = *odd;
            }
        }
    }
}

/// Delivered columns from `first` on, as many as `out` holds. `tile` begins
/// at source column `base`.
pub fn horizontal(
    level: Level,
    tile: &[[f32; LANES]],
    base: u32,
    taps: &Taps,
    first: usize,
    out: &mut [[f32; LANES]],
) {
    dispatch!(level, _simd => {
        for (i, column) in out.iter_mut().enumerate() {
            let start = (taps.start[first + i] - base) as usize;
            *column = weighted(&tile[start..start + taps.count], taps.weights_of(first + i));
        }
    });
}

#[inline(always)]
fn weighted(columns: &[[f32; LANES]], weights: &[f32]) -> [f32; LANES] {
    let mut sum = columns[0];
    for v in &mut sum {
        *v *= weights[0];
    }
    for (column, weight) in columns.iter().zip(weights).skip(1) {
        for (s, v) in sum.iter_mut().zip(column) {
            *s += weight * v;
        }
    }
    sum
}
