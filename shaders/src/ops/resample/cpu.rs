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
/// Values that the vertical pass sums at a time; it is fastest on runs that are
/// multiples of it.
pub const BLOCK: usize = 64;

/// `out` becomes the sum of rows `source(0)`, `source(1)`, ... times `weights`,
/// kept within the range of those rows where `antiring` says so. All runs are
/// of one length.
pub fn vertical<'a>(
    level: Level,
    source: impl Fn(usize) -> &'a [f32],
    weights: &[f32],
    antiring: bool,
    out: &mut [f32],
) {
    dispatch!(level, _simd => {
        let (blocks, rest) = out.as_chunks_mut::<BLOCK>();
        let done = blocks.len() * BLOCK;
        vertical_blocks(|k| &source(k)[..done], weights, antiring, blocks);
        vertical_blocks(|k| &source(k)[done..], weights, antiring, rest.as_chunks_mut::<1>().0);
    });
}

#[inline(always)]
fn vertical_blocks<'a, const N: usize>(
    source: impl Fn(usize) -> &'a [f32],
    weights: &[f32],
    antiring: bool,
    out: &mut [[f32; N]],
) {
    for (i, block) in out.iter_mut().enumerate() {
        let of_row = |k: usize| &source(k).as_chunks::<N>().0[i];
        *block = weighted(of_row, weights);
        if antiring {
            keep_within(of_row, weights, block);
        }
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

/// Turns some columns of [`ROWS`] rows, as [`turn`]; a row is three runs of
/// `stride` values, one a plane.
pub fn turn_planes(
    rows: &[Vec<f32>; ROWS],
    stride: usize,
    which: Range<usize>,
    tile: &mut [[f32; LANES]],
) {
    for (r, row) in rows.iter().enumerate() {
        for plane in 0..3 {
            let run = &row[plane * stride..][which.clone()];
            for (column, v) in tile.iter_mut().zip(run) {
                column[plane * ROWS + r] = *v;
            }
        }
    }
}

/// Delivered columns from `first` on, as many as `out` holds, kept within the
/// range of what they are made of where `antiring` says so. `tile` begins at
/// source column `base`.
pub fn horizontal(
    level: Level,
    tile: &[[f32; LANES]],
    base: u32,
    taps: &Taps,
    first: usize,
    antiring: bool,
    out: &mut [[f32; LANES]],
) {
    dispatch!(level, _simd => {
        for (i, column) in out.iter_mut().enumerate() {
            let start = (taps.start[first + i] - base) as usize;
            let columns = &tile[start..start + taps.count];
            let weights = taps.weights_of(first + i);
            *column = weighted(|k| &columns[k], weights);
            if antiring {
                keep_within(|k| &columns[k], weights, column);
            }
        }
    });
}

/// The sum of the runs `source(0)`, `source(1)`, ... times `weights`. It begins
/// with the first product, not with zero, so that a copy keeps every bit.
#[inline(always)]
fn weighted<'a, const N: usize>(
    source: impl Fn(usize) -> &'a [f32; N],
    weights: &[f32],
) -> [f32; N] {
    let Some((first, others)) = weights.split_first() else { return [0.0; N] };
    let mut sum = *source(0);
    for v in &mut sum {
        *v *= first;
    }
    for (k, weight) in others.iter().enumerate() {
        for (s, v) in sum.iter_mut().zip(source(k + 1)) {
            *s += weight * v;
        }
    }
    sum
}

/// Brings `sum` into the range of the runs that have a weight. What is not a
/// number stays so.
#[inline(always)]
fn keep_within<'a, const N: usize>(
    source: impl Fn(usize) -> &'a [f32; N],
    weights: &[f32],
    sum: &mut [f32; N],
) {
    let (mut low, mut high) = ([f32::MAX; N], [f32::MIN; N]);
    for (k, _) in weights.iter().enumerate().filter(|(_, w)| **w != 0.0) {
        for ((low, high), v) in low.iter_mut().zip(&mut high).zip(source(k)) {
            *low = if v < low { *v } else { *low };
            *high = if v > high { *v } else { *high };
        }
    }
    for ((s, low), high) in sum.iter_mut().zip(low).zip(high) {
        *s = if *s < low { low } else { *s };
        *s = if *s > high { high } else { *s };
    }
}
