//! Rows as the CPU forms of the debayers keep them: even and odd columns
//! apart ([`SplitRow`](super::debayer_mhc::cpu::SplitRow) says why), each from the
//! start of a cache line, so that blocks that lie above each other are fetched
//! whole; the last few of them in rings; runs of neighbours.
//!
//! Work goes over whole blocks. A step makes some values more on both sides
//! than the next one looks at, and those are nothing.

use bytemuck::{Pod, Zeroable};
use fearless_simd::prelude::*;
use fearless_simd::{Simd, f32x16};
use std::ops::{Deref, DerefMut};

/// Values that are worked on at once.
pub(crate) const LANES: usize = 16;

/// [`LANES`] values side by side.
pub(crate) type Block = [f32; LANES];

/// Pairs of columns that a row has on each side of its strip: a halo, and what
/// fills the block, so that the strip begins with one.
pub(crate) const MARGIN: usize = LANES;

/// Values that a half has before those of its row, for runs that begin before it.
const FRONT: usize = LANES;

/// A block where a cache line begins.
#[derive(Clone, Copy, Debug, Pod, Zeroable)]
#[repr(C, align(64))]
struct Line(Block);

/// The even or the odd columns of a row.
#[derive(Clone, Debug, Default)]
pub(crate) struct Half(Vec<Line>);

impl Half {
    /// Room for so many values, in whole blocks.
    pub(crate) fn new(values: usize) -> Self {
        Self(vec![Line([0.0; LANES]); values.div_ceil(LANES)])
    }

    /// The blocks of the row, its margins included.
    #[inline(always)]
    pub(crate) fn row_mut(&mut self) -> &mut [Block] {
        self[FRONT..].as_chunks_mut().0
    }
}

impl Deref for Half {
    type Target = [f32];

    #[inline(always)]
    fn deref(&self) -> &[f32] {
        bytemuck::cast_slice(&self.0)
    }
}

impl DerefMut for Half {
    #[inline(always)]
    fn deref_mut(&mut self) -> &mut [f32] {
        bytemuck::cast_slice_mut(&mut self.0)
    }
}

/// A row.
#[derive(Clone, Debug)]
pub(crate) struct Row {
    /// Even columns, odd columns.
    pub(crate) halves: [Half; 2],
}

impl Row {
    pub(crate) fn new(spans: &Spans) -> Self {
        Self { halves: [(); 2].map(|()| spans.half()) }
    }

    /// Three rows in one: what is wanted together is found at once.
    pub(crate) fn three(spans: &Spans) -> Self {
        Self { halves: [(); 2].map(|()| Half::new(3 * spans.half().len())) }
    }

    /// The sites from so many columns before those of `span` in half `half` to as many behind.
    #[inline(always)]
    pub(crate) fn along<const N: usize>(&self, half: usize, span: Span) -> [&[Block]; N] {
        each(|k| self.at(half, k as isize - (N / 2) as isize, span))
    }

    /// The sites `offset` columns from those of `span` in half `half`.
    #[inline(always)]
    pub(crate) fn at(&self, half: usize, offset: isize, span: Span) -> &[Block] {
        let column = half as isize + offset;
        run(&self.halves[(column & 1) as usize], column >> 1, span)
    }
}

/// What `of` makes of 0, 1, 2 and so on. Compilers unfold it; `map` and `from_fn` of arrays they
/// leave as calls where there are many.
#[inline(always)]
pub(crate) fn each<T: Copy, const N: usize>(of: impl Fn(usize) -> T) -> [T; N] {
    let mut all = [of(0); N];
    for (k, one) in all.iter_mut().enumerate().skip(1) {
        *one = of(k);
    }
    all
}

/// The first blocks of runs, all as long.
#[inline(always)]
pub(crate) fn cut<const N: usize>(runs: [&[Block]; N], blocks: usize) -> [&[Block]; N] {
    each(|k| &runs[k][..blocks])
}

/// The values `offset` places from those of `span`.
#[inline(always)]
pub(crate) fn run(half: &[f32], offset: isize, span: Span) -> &[Block] {
    let start = span.start.wrapping_add_signed(offset);
    half[start..start + span.blocks * LANES].as_chunks().0
}

/// The values of `span`, to write.
#[inline(always)]
pub(crate) fn run_mut(half: &mut [f32], span: Span) -> &mut [Block] {
    half[span.start..span.start + span.blocks * LANES].as_chunks_mut().0
}

/// The values of `span` of each of [three](Row::three) rows, to write.
#[inline(always)]
pub(crate) fn three_mut(half: &mut [f32], span: Span) -> [&mut [Block]; 3] {
    let row = half.len() / 3;
    let (first, rest) = half.split_at_mut(row);
    let (second, third) = rest.split_at_mut(row);
    [run_mut(first, span), run_mut(second, span), run_mut(third, span)]
}

/// The last few rows, by number.
#[derive(Debug)]
pub(crate) struct Ring<T> {
    rows: Vec<T>,
}

impl<T> Ring<T> {
    /// `count` is a power of two.
    pub(crate) fn new(count: usize, row: impl Fn() -> T) -> Self {
        assert!(count.is_power_of_two());
        Self { rows: (0..count).map(|_| row()).collect() }
    }

    #[inline(always)]
    fn place(&self, y: i64) -> usize {
        y as usize & (self.rows.len() - 1)
    }

    #[inline(always)]
    pub(crate) fn at(&self, y: i64) -> &T {
        &self.rows[self.place(y)]
    }

    #[inline(always)]
    pub(crate) fn at_mut(&mut self, y: i64) -> &mut T {
        let place = self.place(y);
        &mut self.rows[place]
    }
}

impl Ring<Row> {
    /// The sites of `span` in half `half` of the rows from so many before row `y` to as many behind it.
    #[inline(always)]
    pub(crate) fn down<const N: usize>(&self, y: i64, half: usize, span: Span) -> [&[Block]; N] {
        each(|k| self.at(y + k as i64 - (N / 2) as i64).at(half, 0, span))
    }
}

/// Some sites of a half, in whole blocks: from the one that begins with value `start` on. What the
/// first and the last block have beyond the sites that are known is never looked at.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Span {
    start: usize,
    pub(crate) blocks: usize,
}

/// Which sites of a strip are known after so many columns of reach.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Spans {
    /// Pairs of columns of the strip.
    pub(crate) strip: usize,
    /// Pairs of columns, margins included.
    pub(crate) pairs: usize,
    /// Columns of [`MARGIN`] that are more than the halo.
    spare: usize,
}

impl Spans {
    /// For a strip of so many pairs of columns, and steps that reach as far as `halo` columns,
    /// which the margin holds.
    pub(crate) const fn new(strip: usize, halo: u32) -> Self {
        assert!(halo as usize <= 2 * MARGIN);
        Self { strip, pairs: strip + 2 * MARGIN, spare: 2 * MARGIN - halo as usize }
    }

    /// Of the even (0) or odd (1) columns, those that lie `reach` columns or more from both ends
    /// of the halo.
    #[inline(always)]
    pub(crate) fn of(&self, half: usize, reach: usize) -> Span {
        let reach = reach + self.spare;
        let first = FRONT + (reach + 1 - half) / 2;
        let end = FRONT + (2 * self.pairs + 1 - reach - half) / 2;
        let start = first - first % LANES;
        Span { start, blocks: (end - start).div_ceil(LANES) }
    }

    /// Of a half, the sites of the strip itself.
    #[inline(always)]
    pub(crate) fn strip(&self) -> Span {
        Span { start: FRONT + MARGIN, blocks: self.strip.div_ceil(LANES) }
    }

    /// Blocks from a value of one of [three](Row::three) rows to that of the next.
    #[inline(always)]
    pub(crate) fn apart(&self) -> usize {
        (FRONT + self.pairs + 2 * LANES).div_ceil(LANES)
    }

    /// `span` of all three rows, with what is between them.
    #[inline(always)]
    pub(crate) fn three(&self, span: Span) -> Span {
        Span { blocks: 2 * self.apart() + span.blocks, ..span }
    }

    /// Room for one value a pair, for runs that begin before them, and to go on
    /// in whole blocks beside the last.
    pub(crate) fn half(&self) -> Half {
        Half::new(self.apart() * LANES)
    }
}

#[inline(always)]
pub(crate) fn load<S: Simd>(simd: S, block: &Block) -> f32x16<S> {
    f32x16::load_array_ref(simd, block)
}

#[inline(always)]
pub(crate) fn least<S: Simd>(a: f32x16<S>, b: f32x16<S>) -> f32x16<S> {
    a.simd_lt(b).select(a, b)
}

#[inline(always)]
pub(crate) fn most<S: Simd>(a: f32x16<S>, b: f32x16<S>) -> f32x16<S> {
    a.simd_gt(b).select(a, b)
}
