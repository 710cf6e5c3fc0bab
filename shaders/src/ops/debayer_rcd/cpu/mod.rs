//! The CPU form: rows of the mosaic go in, rows of pixels come out ten rows later.
//!
//! Every step keeps the few rows that the next one looks at, in rings, each row
//! as its even and its odd columns, so that all loops are straight, whatever the
//! site ([`SplitRow`](crate::ops::debayer_mhc::cpu::SplitRow) says how). [`steps`]
//! has the arithmetic.

mod steps;

use super::{HALO, MARGIN};
use crate::ops::debayer_mhc::cpu::RowColors;
use fearless_simd::{Level, Simd, dispatch};
use std::ops::Range;

/// Values that are worked on at once.
const LANES: usize = 16;

/// [`LANES`] values side by side.
type Block = [f32; LANES];

/// A row of some step: even columns and odd columns, [`MARGIN`] more pairs on
/// both sides, and room to go on in whole blocks.
#[derive(Clone, Debug, Default)]
struct Row([Vec<f32>; 2]);

impl Row {
    fn new(pairs: usize) -> Self {
        let half = vec![0.0; (pairs + 2 * MARGIN).next_multiple_of(LANES) + LANES];
        Self([half.clone(), half])
    }
}

/// The last rows of a step, by their number.
#[derive(Clone, Debug)]
struct Ring<const N: usize>([Row; N]);

impl<const N: usize> Ring<N> {
    fn new(pairs: usize) -> Self {
        Self(std::array::from_fn(|_| Row::new(pairs)))
    }

    fn at(&self, y: i64) -> &Row {
        &self.0[y.rem_euclid(N as i64) as usize]
    }

    fn at_mut(&mut self, y: i64) -> &mut Row {
        &mut self.0[y.rem_euclid(N as i64) as usize]
    }
}

/// A debayer at work on a picture, or on a window of it.
#[derive(Clone, Debug)]
pub struct Stream {
    pairs: usize,
    red_at: (u32, u32),
    /// Encoded mosaic.
    mosaic: Ring<11>,
    /// Low pass of all colours.
    low: Ring<5>,
    /// Green minus colour, estimated along the row and along the column.
    along: Ring<5>,
    down: Ring<9>,
    /// How much those change along their direction, squared.
    along_change: Ring<6>,
    down_change: Ring<5>,
    /// Green everywhere.
    green: Ring<6>,
    /// Red minus green and blue minus green at the sites of one of them.
    red: Ring<5>,
    blue: Ring<5>,
}

impl Stream {
    /// For rows of `pairs` pairs of columns, with red at `(row, column)` of the pattern.
    #[must_use]
    pub fn new(pairs: usize, red_at: (u32, u32)) -> Self {
        Self {
            pairs,
            red_at,
            mosaic: Ring::new(pairs),
            low: Ring::new(pairs),
            along: Ring::new(pairs),
            down: Ring::new(pairs),
            along_change: Ring::new(pairs),
            down_change: Ring::new(pairs),
            green: Ring::new(pairs),
            red: Ring::new(pairs),
            blue: Ring::new(pairs),
        }
    }

    /// The room for the next row to push: even columns and odd columns, each
    /// with [`MARGIN`] values on both sides, of which the inner
    /// [`HALO`]` / 2` count.
    pub fn input(&mut self, y: i64) -> &mut [Vec<f32>; 2] {
        &mut self.mosaic.at_mut(y).0
    }

    /// Takes row `y`, whose white-balanced linear values stand in
    /// [`Self::input`], and makes row `y - HALO` where the 20 rows before `y`
    /// were pushed before it, one after the other. `out` begins with six runs
    /// of `pairs` values: red even, red odd, green even, green odd, blue even,
    /// blue odd.
    pub fn push(&mut self, level: Level, y: i64, out: &mut [f32]) {
        dispatch!(level, simd => self.push_inner(simd, y, out));
    }

    #[inline(always)]
    fn push_inner<S: Simd>(&mut self, simd: S, y: i64, out: &mut [f32]) {
        let last = self.pairs + 2 * MARGIN;
        steps::encode(simd, &mut self.mosaic.at_mut(y).0);
        self.low_pass(simd, y - 1, 1..last - 1);
        self.estimates(simd, y - 3, 2..last - 2);
        self.changes(simd, y - 3, 3..last - 3);
        self.greens(simd, y - 7, 4..last - 4);
        self.opposites(simd, y - 9, 5..last - 5);
        self.pixels(simd, y - i64::from(HALO), out);
    }

    /// The colour of row `y` that is not green, and the half that has it.
    fn colors(&self, y: i64) -> RowColors {
        RowColors::of(y.rem_euclid(2) as u32, self.red_at)
    }

    #[inline(always)]
    fn low_pass<S: Simd>(&mut self, simd: S, y: i64, on: Range<usize>) {
        let [n, c, s] = [-1, 0, 1].map(|d| self.mosaic.at(y + d));
        let out = self.low.at_mut(y);
        for half in [0, 1] {
            let rows = |k| [n, c, s].map(|row| run(row, half, k, &on));
            steps::low_pass(simd, rows(-1), rows(0), rows(1), run_mut(&mut out.0[half], &on));
        }
    }

    #[inline(always)]
    fn estimates<S: Simd>(&mut self, simd: S, y: i64, on: Range<usize>) {
        let parity = self.colors(y).parity;
        let (mosaic, low) = (&self.mosaic, &self.low);
        for half in [0, 1] {
            let sign = if half == parity { 1.0 } else { -1.0 };
            let line = [-3, -2, -1, 0, 1, 2, 3].map(|k| run(mosaic.at(y), half, k, &on));
            let lows = [-2, 0, 2].map(|k| run(low.at(y), half, k, &on));
            steps::estimate(
                simd,
                line,
                lows,
                sign,
                run_mut(&mut self.along.at_mut(y).0[half], &on),
            );
            let line = [-3, -2, -1, 0, 1, 2, 3].map(|k| run(mosaic.at(y + k), half, 0, &on));
            let lows = [-2, 0, 2].map(|k| run(low.at(y + k), half, 0, &on));
            steps::estimate(simd, line, lows, sign, run_mut(&mut self.down.at_mut(y).0[half], &on));
        }
    }

    /// Changes along row `y`, and down at the row before it.
    #[inline(always)]
    fn changes<S: Simd>(&mut self, simd: S, y: i64, on: Range<usize>) {
        for half in [0, 1] {
            let [w, e] = [-1, 1].map(|k| run(self.along.at(y), half, k, &on));
            steps::change(simd, w, e, run_mut(&mut self.along_change.at_mut(y).0[half], &on));
            let [n, s] = [-2, 0].map(|d| run(self.down.at(y + d), half, 0, &on));
            steps::change(simd, n, s, run_mut(&mut self.down_change.at_mut(y - 1).0[half], &on));
        }
    }

    #[inline(always)]
    fn greens<S: Simd>(&mut self, simd: S, y: i64, on: Range<usize>) {
        let RowColors { own, parity } = self.colors(y);
        let c = run(self.mosaic.at(y), parity, 0, &on);
        let around = [
            run(self.mosaic.at(y - 1), parity, 0, &on),
            run(self.mosaic.at(y + 1), parity, 0, &on),
            run(self.mosaic.at(y), parity, -1, &on),
            run(self.mosaic.at(y), parity, 1, &on),
        ];
        let nine = [-4, -3, -2, -1, 0, 1, 2, 3, 4];
        let along = nine.map(|k| run(self.along.at(y), parity, k, &on));
        let down = nine.map(|k| run(self.down.at(y + k), parity, 0, &on));
        let three = [-1, 0, 1];
        let along_changes =
            three.map(|d| three.map(|k| run(self.along_change.at(y + d), parity, k, &on)));
        let down_changes =
            three.map(|d| three.map(|k| run(self.down_change.at(y + d), parity, k, &on)));
        let difference = if own == 0 { &mut self.red } else { &mut self.blue };
        let difference = run_mut(&mut difference.at_mut(y).0[parity], &on);
        let out = self.green.at_mut(y);
        let green = run_mut(&mut out.0[parity], &on);
        steps::directions(simd, along_changes, down_changes, green);
        steps::greens(simd, c, around, along, down, green, difference);
        let at = run(self.mosaic.at(y), 1 - parity, 0, &on);
        run_mut(&mut out.0[1 - parity], &on).copy_from_slice(at);
    }

    #[inline(always)]
    fn opposites<S: Simd>(&mut self, simd: S, y: i64, on: Range<usize>) {
        let RowColors { own, parity } = self.colors(y);
        let other = if own == 0 { &mut self.blue } else { &mut self.red };
        let mut out = std::mem::take(&mut other.at_mut(y).0[parity]);
        let corners = [(-1, -1), (1, 1), (-1, 1), (1, -1)];
        let (mosaic, green) = (&self.mosaic, &self.green);
        steps::opposite(
            simd,
            run(green.at(y), parity, 0, &on),
            corners.map(|(d, k)| run(mosaic.at(y + d), parity, k, &on)),
            corners.map(|(d, k)| run(green.at(y + d), parity, k, &on)),
            corners.map(|(d, k)| run(green.at(y + 2 * d), parity, 2 * k, &on)),
            corners.map(|(d, k)| run(other.at(y + d), parity, k, &on)),
            run_mut(&mut out, &on),
        );
        other.at_mut(y).0[parity] = out;
    }

    #[inline(always)]
    fn pixels<S: Simd>(&self, simd: S, y: i64, out: &mut [f32]) {
        let parity = self.colors(y).parity;
        let on = MARGIN..MARGIN + self.pairs;
        let [own, others] = [parity, 1 - parity];
        let [green, red, blue] = [self.green.at(y), self.red.at(y), self.blue.at(y)];
        let [green, red, blue] = [green, red, blue].map(|row| run(row, own, 0, &on));
        write(
            out,
            self.pairs,
            own,
            #[inline(always)]
            |i| steps::color_site(simd, i, green, red, blue),
        );

        let around = [(-1, 0), (1, 0), (0, -1), (0, 1)];
        let green = run(self.green.at(y), others, 0, &on);
        let near = around.map(|(d, k)| run(self.green.at(y + d), others, k, &on));
        let far = around.map(|(d, k)| run(self.green.at(y + 2 * d), others, 2 * k, &on));
        let red = around.map(|(d, k)| run(self.red.at(y + d), others, k, &on));
        let blue = around.map(|(d, k)| run(self.blue.at(y + d), others, k, &on));
        write(
            out,
            self.pairs,
            others,
            #[inline(always)]
            |i| steps::green_site(simd, i, green, near, far, red, blue),
        );
    }
}

/// The values `k` columns from those of a half, for some pairs and those that
/// fill the last block.
#[inline(always)]
fn run<'a>(row: &'a Row, half: usize, k: i64, on: &Range<usize>) -> &'a [Block] {
    let at = half as i64 + k;
    let from = (on.start as i64 + (at >> 1)) as usize;
    let blocks = on.len().div_ceil(LANES);
    row.0[(at & 1) as usize][from..from + blocks * LANES].as_chunks().0
}

#[inline(always)]
fn run_mut<'a>(half: &'a mut [f32], on: &Range<usize>) -> &'a mut [Block] {
    let blocks = on.len().div_ceil(LANES);
    half[on.start..on.start + blocks * LANES].as_chunks_mut().0
}

/// Red, green and blue of each block into the runs of a half.
#[inline(always)]
fn write(out: &mut [f32], pairs: usize, half: usize, rgb: impl Fn(usize) -> [Block; 3]) {
    let mut runs = out.chunks_exact_mut(pairs);
    let mut runs: [&mut [f32]; 6] = std::array::from_fn(|_| runs.next().unwrap_or_default());
    let planes = [half, 2 + half, 4 + half];
    let planes = runs.get_disjoint_mut(planes).expect("three planes are three runs");
    let [red, green, blue] = planes.map(|run| run.as_chunks_mut::<LANES>());
    let whole = red.0.len().min(green.0.len()).min(blue.0.len());
    for i in 0..whole {
        [red.0[i], green.0[i], blue.0[i]] = rgb(i);
    }
    if !red.1.is_empty() {
        for (rest, block) in [red.1, green.1, blue.1].into_iter().zip(rgb(whole)) {
            rest.copy_from_slice(&block[..rest.len()]);
        }
    }
}
