//! The CPU form: rows of the mosaic go in, rows of pixels come out
//! [`HALO`] rows later.
//!
//! Of every step just as many rows are kept as the next one looks at, so that
//! each row of each step is made once. Rows are kept as their even and their
//! odd columns, so that all loops are straight, whatever the site.
//!
//! The row that comes in is `t`; a step whose inputs are complete only some
//! rows later works on an earlier one ([`lag`]). What is made before enough
//! rows have come in is never looked at.

mod chroma;
mod green;
mod moments;
mod row;

use row::Excess;

use super::{HALO, clips};
use crate::ops::debayer_mhc::cpu::RowColors;
use crate::ops::rows::{LANES, MARGIN, Ring, Row, Span, Spans, each};
use fearless_simd::{Level, Simd, dispatch};

/// Pairs of columns that a row has on each side.
pub const PAD: usize = MARGIN;

/// Columns that were fastest on the one CPU that was measured (`benches/RESULTS.md`), whose cores
/// have 2 MiB of cache each: the 258 rows in the rings are 1.75 MB then.
pub const WINDOW: u32 = 1536;

/// How many rows behind the latest each step works.
mod lag {
    /// Products of the vertical band passes.
    pub(super) const PRODUCTS: i64 = 4;
    /// Everything of the horizontal axis up to its smoothness along a row.
    pub(super) const ACROSS: i64 = 7;
    /// Weights of the horizontal axis.
    pub(super) const WEIGHT_ACROSS: i64 = 8;
    /// Vertical gains and colour differences, shared detail.
    pub(super) const DOWN: i64 = 9;
    /// Vertical smoothness along a row.
    pub(super) const SMOOTH_DOWN: i64 = 10;
    /// Vertical weights, and sums of five vertical differences.
    pub(super) const WEIGHT_DOWN: i64 = 11;
    /// First guesses of green.
    pub(super) const GUESS: i64 = 13;
    /// Green.
    pub(super) const GREEN: i64 = 15;
    /// Laplacians and their products.
    pub(super) const LAPLACE: i64 = 17;
    /// Lines.
    pub(super) const LINE: i64 = 21;
    /// Smoothed lines.
    pub(super) const SMOOTH_LINE: i64 = 25;
    /// Residuals at own sites, and diagonal differences.
    pub(super) const RESIDUAL: i64 = 26;
    /// Colour at coloured sites.
    pub(super) const COLOURED: i64 = 27;
    /// Colour at green sites, and the finished row.
    pub(super) const DONE: i64 = super::HALO as i64;
}

/// From where encoded photosites count as clipped: red, green, blue.
type Clips = [f32; 3];

/// A debayer at work on a picture, or on a window of it.
#[derive(Debug)]
pub struct Stream {
    spans: Spans,
    red_at: (u32, u32),
    clips: Clips,
    /// The row that comes in.
    input: [Vec<f32>; 2],
    mosaic: Ring<Row>,
    /// Whether the row has a clipped photosite, and by how much the most
    /// clipped of five along it is so; of no account where none is.
    clipped: Ring<(bool, Row)>,
    green: green::State,
    chroma: chroma::State,
}

impl Stream {
    /// For rows of `pairs` pairs of columns, with red at `(row, column)` of
    /// the pattern. `gains` are those that red, green and blue were balanced
    /// with: full scale times its gain is where a colour clips.
    #[must_use]
    pub fn new(pairs: usize, red_at: (u32, u32), gains: [f32; 3]) -> Self {
        let spans = Spans::new(pairs, HALO);
        let row = || Row::new(&spans);
        Self {
            spans,
            red_at,
            clips: clips(gains),
            input: [(); 2].map(|()| vec![0.0; spans.pairs.next_multiple_of(LANES)]),
            mosaic: Ring::new(32, row),
            clipped: Ring::new(32, || (false, row())),
            green: green::State::new(&spans),
            chroma: chroma::State::new(&spans),
        }
    }

    /// The room for the next row to push: even columns and odd columns, each
    /// with [`PAD`] values before and behind those of the pairs, of which the
    /// inner [`HALO`]` / 2` count.
    pub fn input(&mut self) -> &mut [Vec<f32>; 2] {
        &mut self.input
    }

    /// Takes row `y`, whose white-balanced linear values stand in
    /// [`Self::input`], and makes row `y - HALO` where the 56 rows before `y`
    /// were pushed before it, one after the other. `out` begins with six runs
    /// of `pairs` values: red even, red odd, green even, green odd, blue even,
    /// blue odd.
    pub fn push(&mut self, level: Level, y: i64, out: &mut [f32]) {
        let mut runs = out.chunks_exact_mut(self.spans.strip);
        let mut runs = std::array::from_fn(|_| runs.next().unwrap_or_default());
        dispatch!(level, simd => self.take(simd, y));
        let taken = Taken { mosaic: &self.mosaic, clipped: &self.clipped, red_at: self.red_at };
        self.green.step(level, &self.spans, y, taken);
        self.chroma.step(level, &self.spans, y, taken, &self.green, &mut runs);
    }

    /// Step 1, and what is clipped.
    #[inline(always)]
    fn take<S: Simd>(&mut self, simd: S, y: i64) {
        let colors = RowColors::of(y.rem_euclid(2) as u32, self.red_at);
        let row = self.mosaic.at_mut(y);
        let (any, excess) = self.clipped.at_mut(y);
        *any = false;
        for (half, (from, to)) in self.input.iter().zip(&mut row.halves).enumerate() {
            let color = if half == colors.parity { colors.own } else { 1 };
            *any |= row::encode(simd, from, self.clips[color], to);
        }
        if *any {
            row::excess(simd, &self.spans, row, colors, self.clips, excess);
        }
    }
}

/// The rows that have come in.
#[derive(Clone, Copy)]
struct Taken<'a> {
    mosaic: &'a Ring<Row>,
    clipped: &'a Ring<(bool, Row)>,
    red_at: (u32, u32),
}

impl Taken<'_> {
    #[inline(always)]
    fn colors(&self, y: i64) -> RowColors {
        RowColors::of(y.rem_euclid(2) as u32, self.red_at)
    }

    /// By how much the most clipped of five photosites along a row is so, of
    /// each of the five rows around some sites that has one.
    #[inline(always)]
    fn excess(&self, y: i64, half: usize, span: Span) -> Option<Excess<'_>> {
        let rows: Excess<'_> = each(|k| {
            let (any, row) = self.clipped.at(y + k as i64 - 2);
            any.then(|| row.at(half, 0, span))
        });
        rows.iter().any(Option::is_some).then_some(rows)
    }
}
