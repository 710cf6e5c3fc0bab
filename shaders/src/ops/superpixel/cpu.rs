//! The CPU form: one row of pixels from four rows of the mosaic.

use crate::ops::debayer_mhc::cpu::SplitRow;
use fearless_simd::{Level, dispatch};

/// Columns of the mosaic that are made at a time; chosen, not measured.
pub const WINDOW: u32 = 4096;

/// One row of pixels from the rows `2 y - 1 ..= 2 y + 2`, with red at `(row,
/// column)` of the pattern. `out` begins with six runs of half of `pairs`,
/// rounded up: red even, red odd, green even, green odd, blue even, blue odd.
pub fn row(level: Level, rows: [&SplitRow; 4], red_at: (u32, u32), pairs: usize, out: &mut [f32]) {
    dispatch!(level, _simd => row_inner(rows, red_at, pairs, out));
}

#[inline(always)]
fn row_inner(rows: [&SplitRow; 4], red_at: (u32, u32), pairs: usize, out: &mut [f32]) {
    let (row, column) = (red_at.0 as usize, red_at.1 as usize);
    let whole = |row: usize, column: usize| &rows[1 + row].halves[column][1..=pairs];
    let greens = [whole(row, 1 - column), whole(1 - row, column)];
    let mut runs = out.chunks_exact_mut(pairs.div_ceil(2));
    for (row, column, plane) in [(row, column, 0), (0, 0, 1), (1 - row, 1 - column, 2)] {
        for parity in [0, 1] {
            let run = runs.next().unwrap_or_default();
            let count = (pairs - parity.min(pairs)).div_ceil(2).min(run.len());
            let run = &mut run[..count];
            if plane == 1 {
                for (i, v) in run.iter_mut().enumerate() {
                    let at = 2 * i + parity;
                    *v = (greens[0][at] + greens[1][at]) * 0.5;
                }
            } else {
                middle(rows, row, column, parity, run);
            }
        }
    }
}

/// The colour at `(row, column)` of each block, moved to the block's middle,
/// for every other block from `first` on.
#[inline(always)]
fn middle(rows: [&SplitRow; 4], row: usize, column: usize, first: usize, out: &mut [f32]) {
    // The next of its kind across the middle: in the block after, or before.
    let near = &rows[1 + row].halves[column][..];
    let far = &rows[if row == 0 { 3 } else { 0 }].halves[column][..];
    let across = if column == 0 { 2 } else { 0 };
    for (i, v) in out.iter_mut().enumerate() {
        let at = 2 * i + first;
        let near = quarter(near[at + 1], near[at + across]);
        *v = quarter(near, quarter(far[at + 1], far[at + across]));
    }
}

/// A quarter of the way from `a` to `b`.
#[inline(always)]
fn quarter(a: f32, b: f32) -> f32 {
    a + (b - a) * 0.25
}
