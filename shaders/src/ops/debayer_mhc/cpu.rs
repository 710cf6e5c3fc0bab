//! The CPU form: one row of pixels from five rows of the mosaic.

use super::{HALO, clips, mirror};
use crate::color::math::{least, most, pick};
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

/// Columns that are made at a time; chosen, not measured.
pub const WINDOW: u32 = 2048;
/// Pairs of columns before the first and behind the last.
pub const MARGIN: usize = 1;

/// Rows of the mosaic go in one after the other, mirrored ones included, and
/// rows of pixels come out as soon as all that they look at is there.
#[derive(Clone, Debug)]
pub struct Stream {
    pairs: usize,
    red_at: (u32, u32),
    clips: [f32; 3],
    /// The last rows, by their number modulo 5.
    rows: [SplitRow; 5],
    /// Which of them have a photosite that clips.
    clipped: [bool; 5],
}

fn slot(y: i64) -> usize {
    y.rem_euclid(5) as usize
}

impl Stream {
    /// Room for rows of `pairs` pairs of columns; `gains` are those that they were balanced
    /// with: full scale times its gain is where a colour clips.
    #[must_use]
    pub fn new(pairs: usize, red_at: (u32, u32), gains: [f32; 3]) -> Self {
        let rows = [(); 5].map(|()| SplitRow::new(pairs));
        Self { pairs, red_at, clips: clips(gains), rows, clipped: [false; 5] }
    }

    /// Room for row `y` of the mosaic: even and odd columns, with [`MARGIN`] on both sides.
    pub fn input(&mut self, y: i64) -> &mut [Vec<f32>; 2] {
        &mut self.rows[slot(y)].halves
    }

    /// Takes row `y` as it stands in its room, and makes the row two above it.
    pub fn push(&mut self, level: Level, y: i64, out: &mut [f32]) {
        let colors = |y: i64| RowColors::of(y.rem_euclid(2) as u32, self.red_at);
        self.clipped[slot(y)] = any_clips(level, &self.rows[slot(y)], colors(y), self.clips);
        let rows = [4, 3, 2, 1, 0].map(|d| &self.rows[slot(y - d)]);
        let colors = colors(y - i64::from(HALO));
        row(level, rows, colors, self.pairs, out);
        if self.clipped.contains(&true) {
            beside_clips(level, rows, colors, self.clips, self.pairs, out);
        }
    }
}

/// One row of pixels from the rows `y-2 ..= y+2`. `out` begins with six runs
/// of `pairs` values: red even, red odd, green even, green odd, blue even, blue odd.
fn row(level: Level, rows: [&SplitRow; 5], colors: RowColors, pairs: usize, out: &mut [f32]) {
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

/// Whether a photosite of a row clips.
fn any_clips(level: Level, row: &SplitRow, colors: RowColors, clips: [f32; 3]) -> bool {
    let any = |half: &[f32], clip: f32| half.iter().fold(false, |any, v| any | (*v >= clip));
    dispatch!(level, _simd => any(&row.halves[colors.parity], clips[colors.own])
        | any(&row.halves[1 - colors.parity], clips[1]))
}

/// Makes the pixels of a row anew that have a clipped photosite among the 25
/// around them. `rows`, `colors`, `pairs` and `out` are those of [`row`], which came before.
fn beside_clips(
    level: Level,
    rows: [&SplitRow; 5],
    colors: RowColors,
    clips: [f32; 3],
    pairs: usize,
    out: &mut [f32],
) {
    dispatch!(level, _simd => beside_clips_inner(rows, colors, clips, pairs, out));
}

#[inline(always)]
fn beside_clips_inner(
    rows: [&SplitRow; 5],
    colors: RowColors,
    clips: [f32; 3],
    pairs: usize,
    out: &mut [f32],
) {
    let other = 2 - colors.own;
    let mut runs = out.chunks_exact_mut(pairs);
    let mut runs: [&mut [f32]; 6] = std::array::from_fn(|_| runs.next().unwrap_or_default());
    let [own, green, third] = [clips[colors.own], clips[1], clips[other]];

    let half = colors.parity;
    let a = around(rows, half, pairs);
    let w = Window::new(rows, half, pairs);
    let [greens, others] = pair(&mut runs, [2 + half, 2 * other + half]);
    for i in 0..pairs {
        let [of_own, above, beside, corners] = w.sums(i);
        let near = w.clips(i, [own, green, green, third]);
        let sides = [a.n[i], a.s[i], a.w[i], a.e[i]];
        greens[i] = ratio(near, greens[i], a.c[i], (above + beside) * (25.0 / 40.0), of_own, sides);
        let sides = [a.nw[i], a.ne[i], a.sw[i], a.se[i]];
        others[i] = ratio(near, others[i], a.c[i], corners * (25.0 / 16.0), of_own, sides);
    }

    let half = 1 - half;
    let a = around(rows, half, pairs);
    let w = Window::new(rows, half, pairs);
    let [besides, aboves] = pair(&mut runs, [2 * colors.own + half, 2 * other + half]);
    for i in 0..pairs {
        let [even, above, beside, odd] = w.sums(i);
        let near = w.clips(i, [green, third, own, green]);
        let sides = [a.w[i], a.w[i], a.e[i], a.e[i]];
        besides[i] = ratio(near, besides[i], a.c[i], beside * (41.0 / 20.0), even + odd, sides);
        let sides = [a.n[i], a.n[i], a.s[i], a.s[i]];
        aboves[i] = ratio(near, aboves[i], a.c[i], above * (41.0 / 20.0), even + odd, sides);
    }
}

/// A colour from the photosite and the sums of both around it, within its nearest photosites.
#[inline(always)]
fn ratio(near: bool, known: f32, c: f32, wanted: f32, own: f32, sides: [f32; 4]) -> f32 {
    let [p, q, r, s] = sides;
    let some = own > 0.0;
    let guess = c * (wanted / pick(some, own, 1.0));
    let low = least(least(p, q), least(r, s));
    let high = most(most(p, q), most(r, s));
    pick(near, least(most(pick(some, guess, known), low), high), known)
}

/// Two of the six runs.
#[inline(always)]
fn pair<'a>(runs: &'a mut [&mut [f32]; 6], which: [usize; 2]) -> [&'a mut [f32]; 2] {
    runs.get_disjoint_mut(which).expect("two planes are two runs").map(|run| &mut **run)
}

/// The 5x5 photosites around a run of them: of each row those two columns
/// away and the middle one, then those beside it.
struct Window<'a> {
    same: [[&'a [f32]; 3]; 5],
    across: [[&'a [f32]; 2]; 5],
}

impl<'a> Window<'a> {
    #[inline(always)]
    fn new(rows: [&'a SplitRow; 5], half: usize, pairs: usize) -> Self {
        let run = |halves: &'a [f32], from: usize| &halves[from..from + pairs];
        Self {
            same: rows.map(|row| [0, 1, 2].map(|from| run(&row.halves[half], from))),
            across: rows.map(|row| [half, half + 1].map(|from| run(&row.halves[1 - half], from))),
        }
    }

    /// Weighted sums of the photosites: those of the photosite's own rows and
    /// columns, of its columns in the rows between, of its rows in the columns between, and of neither.
    #[inline(always)]
    fn sums(&self, i: usize) -> [f32; 4] {
        let even = |r: usize| {
            let [west, c, east] = self.same[r].map(|run| run[i]);
            (west + east) + 3.0 * c
        };
        let odd = |r: usize| 2.0 * (self.across[r][0][i] + self.across[r][1][i]);
        [
            (even(0) + even(4)) + 3.0 * even(2),
            2.0 * (even(1) + even(3)),
            (odd(0) + odd(4)) + 3.0 * odd(2),
            2.0 * (odd(1) + odd(3)),
        ]
    }

    /// Whether one of the same four kinds clips.
    #[inline(always)]
    fn clips(&self, i: usize, [own, above, beside, corners]: [f32; 4]) -> bool {
        let even = |r: usize, clip: f32| {
            let [west, c, east] = self.same[r].map(|run| run[i] >= clip);
            west | c | east
        };
        let odd = |r: usize, clip: f32| {
            let [west, east] = self.across[r].map(|run| run[i] >= clip);
            west | east
        };
        (even(0, own) | even(2, own) | even(4, own) | even(1, above) | even(3, above))
            | (odd(0, beside) | odd(2, beside) | odd(4, beside) | odd(1, corners) | odd(3, corners))
    }
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
