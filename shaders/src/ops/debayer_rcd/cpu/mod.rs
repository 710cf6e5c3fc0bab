//! The CPU form: rows of the mosaic go in, rows of pixels come out ten rows later.
//!
//! Every step keeps the few rows that the next one looks at, in rings, each row
//! as its even and its odd columns, so that all loops are straight, whatever the
//! site. [`steps`] has the arithmetic.

mod steps;

use super::HALO;
use crate::ops::debayer_mhc::cpu::RowColors;
use crate::ops::rows::{self, Block, LANES, Ring, Row, Spans, each, run_mut};
use fearless_simd::{Level, Simd, dispatch};

/// Columns that were fastest on the one CPU that was measured (`benches/RESULTS.md`), whose cores
/// have 2 MiB of cache each: the 88 rows in the rings are 0.87 MB then.
pub const WINDOW: u32 = 2304;

/// Pairs of columns that a row has on each side.
pub const MARGIN: usize = rows::MARGIN;

/// A debayer at work on a picture, or on a window of it.
#[derive(Debug)]
pub struct Stream {
    spans: Spans,
    red_at: (u32, u32),
    /// The row that comes in.
    input: [Vec<f32>; 2],
    /// Encoded mosaic.
    mosaic: Ring<Row>,
    /// Low pass of all colours.
    low: Ring<Row>,
    /// Green minus colour, estimated along the row and along the column.
    along: Ring<Row>,
    down: Ring<Row>,
    /// How much those change along their direction, squared.
    along_change: Ring<Row>,
    down_change: Ring<Row>,
    /// Green everywhere.
    green: Ring<Row>,
    /// Red minus green and blue minus green at the sites of one of them.
    red: Ring<Row>,
    blue: Ring<Row>,
}

impl Stream {
    /// For rows of `pairs` pairs of columns, with red at `(row, column)` of the pattern.
    #[must_use]
    pub fn new(pairs: usize, red_at: (u32, u32)) -> Self {
        let spans = Spans::new(pairs, HALO);
        let ring = |count| Ring::new(count, || Row::new(&spans));
        Self {
            spans,
            red_at,
            input: [(); 2].map(|()| vec![0.0; spans.pairs.next_multiple_of(LANES)]),
            mosaic: ring(16),
            low: ring(8),
            along: ring(8),
            down: ring(16),
            along_change: ring(8),
            down_change: ring(8),
            green: ring(8),
            red: ring(8),
            blue: ring(8),
        }
    }

    /// The room for the next row to push: even columns and odd columns, each
    /// with [`MARGIN`] values on both sides, of which the inner
    /// [`HALO`]` / 2` count.
    pub fn input(&mut self) -> &mut [Vec<f32>; 2] {
        &mut self.input
    }

    /// Takes row `y`, whose white-balanced linear values stand in
    /// [`Self::input`], and makes row `y - HALO` where the 20 rows before `y`
    /// were pushed before it, one after the other. `out` begins with six runs
    /// of `pairs` values: red even, red odd, green even, green odd, blue even,
    /// blue odd.
    pub fn push(&mut self, level: Level, y: i64, out: &mut [f32]) {
        // Each is a function of its own for the instruction set: of one for all
        // of them, compilers make little.
        for (from, to) in self.input.iter().zip(&mut self.mosaic.at_mut(y).halves) {
            dispatch!(level, simd => steps::encode(simd, from, to.row_mut()));
        }
        dispatch!(level, simd => self.low_pass(simd, y - 1));
        dispatch!(level, simd => self.estimates(simd, y - 3));
        dispatch!(level, simd => self.changes(simd, y - 3));
        dispatch!(level, simd => self.directions(simd, y - 7));
        dispatch!(level, simd => self.greens(simd, y - 7));
        dispatch!(level, simd => self.opposites(simd, y - 9));
        let y = y - i64::from(HALO);
        dispatch!(level, simd => self.color_sites(simd, y, out));
        dispatch!(level, simd => self.green_sites(simd, y, out));
    }

    /// The colour of row `y` that is not green, and the half that has it.
    fn colors(&self, y: i64) -> RowColors {
        RowColors::of(y.rem_euclid(2) as u32, self.red_at)
    }

    #[inline(always)]
    fn low_pass<S: Simd>(&mut self, simd: S, y: i64) {
        let out = self.low.at_mut(y);
        for half in [0, 1] {
            let on = self.spans.of(half, 1);
            let rows: [[&[Block]; 3]; 3] =
                each(|k| self.mosaic.at(y + k as i64 - 1).along(half, on));
            steps::low_pass(simd, rows, run_mut(&mut out.halves[half], on));
        }
    }

    #[inline(always)]
    fn estimates<S: Simd>(&mut self, simd: S, y: i64) {
        let parity = self.colors(y).parity;
        let (mosaic, low) = (&self.mosaic, &self.low);
        for half in [0, 1] {
            let on = self.spans.of(half, 3);
            let sign = if half == parity { 1.0 } else { -1.0 };
            let out = run_mut(&mut self.along.at_mut(y).halves[half], on);
            let lows = [-2, 0, 2].map(|k| low.at(y).at(half, k, on));
            steps::estimate(simd, mosaic.at(y).along(half, on), lows, sign, out);
            let out = run_mut(&mut self.down.at_mut(y).halves[half], on);
            let lows = [-2, 0, 2].map(|k| low.at(y + k).at(half, 0, on));
            steps::estimate(simd, mosaic.down(y, half, on), lows, sign, out);
        }
    }

    /// Changes along row `y`, and down at the row before it.
    #[inline(always)]
    fn changes<S: Simd>(&mut self, simd: S, y: i64) {
        for half in [0, 1] {
            let on = self.spans.of(half, 4);
            let [w, _, e] = self.along.at(y).along(half, on);
            steps::change(simd, w, e, run_mut(&mut self.along_change.at_mut(y).halves[half], on));
            let [n, _, s] = self.down.down(y - 1, half, on);
            steps::change(
                simd,
                n,
                s,
                run_mut(&mut self.down_change.at_mut(y - 1).halves[half], on),
            );
        }
    }

    /// How much of green comes from along the row, where green will stand.
    #[inline(always)]
    fn directions<S: Simd>(&mut self, simd: S, y: i64) {
        let half = self.colors(y).parity;
        let on = self.spans.of(half, 7);
        let along = each(|k| self.along_change.at(y + k as i64 - 1).along(half, on));
        let down = each(|k| self.down_change.at(y + k as i64 - 1).along(half, on));
        let out = run_mut(&mut self.green.at_mut(y).halves[half], on);
        steps::directions(simd, along, down, out);
    }

    #[inline(always)]
    fn greens<S: Simd>(&mut self, simd: S, y: i64) {
        let RowColors { own, parity } = self.colors(y);
        let on = self.spans.of(parity, 7);
        let [north, c, south] = self.mosaic.down(y, parity, on);
        let [west, _, east] = self.mosaic.at(y).along(parity, on);
        let along = self.along.at(y).along(parity, on);
        let down = self.down.down(y, parity, on);
        let difference = if own == 0 { &mut self.red } else { &mut self.blue };
        let difference = run_mut(&mut difference.at_mut(y).halves[parity], on);
        let out = self.green.at_mut(y);
        let green = run_mut(&mut out.halves[parity], on);
        steps::greens(simd, c, [north, south, west, east], along, down, green, difference);
        let on = self.spans.of(1 - parity, 7);
        let at = self.mosaic.at(y).at(1 - parity, 0, on);
        run_mut(&mut out.halves[1 - parity], on).copy_from_slice(at);
    }

    #[inline(always)]
    fn opposites<S: Simd>(&mut self, simd: S, y: i64) {
        let RowColors { own, parity } = self.colors(y);
        let other = if own == 0 { &mut self.blue } else { &mut self.red };
        let mut out = std::mem::take(&mut other.at_mut(y).halves[parity]);
        let corners = [(-1, -1), (1, 1), (-1, 1), (1, -1)];
        let on = self.spans.of(parity, 9);
        let (mosaic, green) = (&self.mosaic, &self.green);
        steps::opposite(
            simd,
            green.at(y).at(parity, 0, on),
            corners.map(|(d, k)| mosaic.at(y + d).at(parity, k, on)),
            corners.map(|(d, k)| green.at(y + d).at(parity, k, on)),
            corners.map(|(d, k)| green.at(y + 2 * d).at(parity, 2 * k, on)),
            corners.map(|(d, k)| other.at(y + d).at(parity, k, on)),
            run_mut(&mut out, on),
        );
        other.at_mut(y).halves[parity] = out;
    }

    #[inline(always)]
    fn color_sites<S: Simd>(&self, simd: S, y: i64, out: &mut [f32]) {
        let half = self.colors(y).parity;
        let on = self.spans.strip();
        let [green, red, blue] =
            [&self.green, &self.red, &self.blue].map(|ring| ring.at(y).at(half, 0, on));
        write(
            out,
            self.spans.strip,
            half,
            #[inline(always)]
            |i| steps::color_site(simd, i, green, red, blue),
        );
    }

    #[inline(always)]
    fn green_sites<S: Simd>(&self, simd: S, y: i64, out: &mut [f32]) {
        let half = 1 - self.colors(y).parity;
        let on = self.spans.strip();
        let around = [(-1, 0), (1, 0), (0, -1), (0, 1)];
        let green = self.green.at(y).at(half, 0, on);
        let near = around.map(|(d, k)| self.green.at(y + d).at(half, k, on));
        let far = around.map(|(d, k)| self.green.at(y + 2 * d).at(half, 2 * k, on));
        let red = around.map(|(d, k)| self.red.at(y + d).at(half, k, on));
        let blue = around.map(|(d, k)| self.blue.at(y + d).at(half, k, on));
        write(
            out,
            self.spans.strip,
            half,
            #[inline(always)]
            |i| steps::green_site(simd, i, green, near, far, red, blue),
        );
    }
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
