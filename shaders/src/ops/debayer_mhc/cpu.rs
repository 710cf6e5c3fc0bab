//! The CPU form: one row of pixels from five rows of the mosaic.

use super::mirror;
use fearless_simd::{Level, dispatch};
use std::ops::Range;

/// A row of a mosaic as two halves: its even and its odd columns, each with
/// one more value on both sides, or as many as its user wants.
///
/// A Bayer row alternates between two colours, so each half holds one of them
/// and every neighbour of a run of photosites is a contiguous run of a half:
/// all loops are straight and there is no branch in them.
#[derive(Clone, Debug, Default)]
pub struct SplitRow {
    /// Even columns and odd columns. Index `i + 1` holds pair `i`.
    pub halves: [Vec<f32>; 2],
}

impl SplitRow {
    /// Room for `pairs` pairs of columns and the margin.
    #[must_use]
    pub fn new(pairs: usize) -> Self {
        Self { halves: [vec![0.0; pairs + 2], vec![0.0; pairs + 2]] }
    }

    /// Fills, by mirroring, what lies outside a picture of `width` columns.
    /// The row holds the columns of `window`, which begins at an even column,
    /// and [`HALO`](super::HALO) columns on both sides.
    pub fn fill_outside(&mut self, window: Range<u32>, width: u32) {
        fill_outside(&mut self.halves, 1, window, width);
    }
}

/// Fills, by mirroring, what lies outside a picture of `width` columns in a row
/// that holds the columns of `window`, which begins at an even column, and
/// `margin` pairs on both sides, as far as the picture has them.
pub fn fill_outside(halves: &mut [Vec<f32>; 2], margin: usize, window: Range<u32>, width: u32) {
    let margin = 2 * margin as i64;
    let base = i64::from(window.start) - margin;
    let end = i64::from(window.end.next_multiple_of(2)).min(i64::from(width)) + margin;
    for x in (base..0).chain(i64::from(width)..end) {
        let from = i64::from(mirror(x, width)) - base;
        let value = halves[from as usize % 2][from as usize / 2];
        let to = (x - base) as usize;
        halves[to % 2][to / 2] = value;
    }
}

/// Which colours a row of the mosaic has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RowColors {
    /// Plane of the row's own colour: 0 (red) or 2 (blue). The other sites are green.
    pub own: usize,
    /// Parity of the columns that have it.
    pub parity: usize,
}

impl RowColors {
    /// The colours of row `y`, with red at `(row, column)` of the pattern.
    #[must_use]
    pub const fn of(y: u32, red_at: (u32, u32)) -> Self {
        if y % 2 == red_at.0 {
            Self { own: 0, parity: red_at.1 as usize }
        } else {
            Self { own: 2, parity: 1 - red_at.1 as usize }
        }
    }
}

/// One row of pixels from the rows `y-2 ..= y+2`. `out` begins with six runs
/// of `pairs` values: red even, red odd, green even, green odd, blue even, blue odd.
pub fn row(level: Level, rows: [&SplitRow; 5], colors: RowColors, pairs: usize, out: &mut [f32]) {
    dispatch!(level, _simd => row_inner(rows, colors, pairs, out));
}

#[inline(always)]
fn row_inner(rows: [&SplitRow; 5], colors: RowColors, pairs: usize, out: &mut [f32]) {
    let other = 2 - colors.own;
    let mut runs = out.chunks_exact_mut(pairs);
    let mut runs: [&mut [f32]; 6] = std::array::from_fn(|_| runs.next().unwrap_or_default());

    let half = colors.parity;
    let [own, green, third] = planes(&mut runs, [colors.own, 1, other].map(|p| 2 * p + half));
    color_sites(&around(rows, half, pairs), own, green, third);

    let half = 1 - half;
    let [beside, green, above] = planes(&mut runs, [colors.own, 1, other].map(|p| 2 * p + half));
    green_sites(&around(rows, half, pairs), beside, green, above);
}

/// Three of the six runs.
#[inline(always)]
fn planes<'a>(runs: &'a mut [&mut [f32]; 6], which: [usize; 3]) -> [&'a mut [f32]; 3] {
    runs.get_disjoint_mut(which).expect("three planes are three runs").map(|run| &mut **run)
}

/// The neighbours of a run of photosites, each as a run: `n`orth, `s`outh,
/// `w`est, `e`ast; doubled for those two away.
struct Around<'a> {
    c: &'a [f32],
    n: &'a [f32],
    s: &'a [f32],
    w: &'a [f32],
    e: &'a [f32],
    nn: &'a [f32],
    ss: &'a [f32],
    ww: &'a [f32],
    ee: &'a [f32],
    nw: &'a [f32],
    ne: &'a [f32],
    sw: &'a [f32],
    se: &'a [f32],
}

#[inline(always)]
fn around(rows: [&SplitRow; 5], half: usize, pairs: usize) -> Around<'_> {
    let [nn, n, c, s, ss] = rows;
    let same = |row: &'_ SplitRow, from: usize| -> Range<usize> {
        debug_assert!(
            row.halves[half].len() >= from + pairs,
            "rows hold the window and its margin"
        );
        from..from + pairs
    };
    // West of an even column is the odd column of the pair before it; west of
    // an odd column is the even column of the same pair.
    let across = 1 - half;
    Around {
        c: &c.halves[half][same(c, 1)],
        n: &n.halves[half][same(n, 1)],
        s: &s.halves[half][same(s, 1)],
        nn: &nn.halves[half][same(nn, 1)],
        ss: &ss.halves[half][same(ss, 1)],
        ww: &c.halves[half][same(c, 0)],
        ee: &c.halves[half][same(c, 2)],
        w: &c.halves[across][same(c, half)],
        e: &c.halves[across][same(c, half + 1)],
        nw: &n.halves[across][same(n, half)],
        ne: &n.halves[across][same(n, half + 1)],
        sw: &s.halves[across][same(s, half)],
        se: &s.halves[across][same(s, half + 1)],
    }
}

#[inline(always)]
fn color_sites(a: &Around<'_>, own: &mut [f32], green: &mut [f32], other: &mut [f32]) {
    let len = own.len().min(a.c.len());
    let (own, green, other) = (&mut own[..len], &mut green[..len], &mut other[..len]);
    for i in 0..len {
        let c = a.c[i];
        let rows = a.n[i] + a.s[i];
        let columns = a.w[i] + a.e[i];
        let far_rows = a.nn[i] + a.ss[i];
        let far_columns = a.ww[i] + a.ee[i];
        let diagonals = (a.nw[i] + a.ne[i]) + (a.sw[i] + a.se[i]);
        own[i] = c;
        green[i] = ((4.0 * c + 2.0 * (rows + columns)) - (far_rows + far_columns)) * 0.125;
        other[i] = ((6.0 * c + 2.0 * diagonals) - 1.5 * (far_rows + far_columns)) * 0.125;
    }
}

#[inline(always)]
fn green_sites(a: &Around<'_>, beside: &mut [f32], green: &mut [f32], above: &mut [f32]) {
    let len = green.len().min(a.c.len());
    let (beside, green, above) = (&mut beside[..len], &mut green[..len], &mut above[..len]);
    for i in 0..len {
        let c = a.c[i];
        let rows = a.n[i] + a.s[i];
        let columns = a.w[i] + a.e[i];
        let far_rows = a.nn[i] + a.ss[i];
        let far_columns = a.ww[i] + a.ee[i];
        let diagonals = (a.nw[i] + a.ne[i]) + (a.sw[i] + a.se[i]);
        green[i] = c;
        beside[i] =
            (((5.0 * c + 4.0 * columns) - (far_columns + diagonals)) + 0.5 * far_rows) * 0.125;
        above[i] = (((5.0 * c + 4.0 * rows) - (far_rows + diagonals)) + 0.5 * far_columns) * 0.125;
    }
}
