//! Rows as even and odd columns, rings of them, and runs of neighbours.

use super::Clips;
use crate::ops::debayer_mhc::cpu::RowColors;
use crate::ops::debayer_ri::encode::TOE;
use fearless_simd::prelude::*;
use fearless_simd::{Simd, f32x16, mask32x16};

/// Values that are worked on at once.
pub(super) const LANES: usize = 16;

/// [`LANES`] values side by side.
pub(super) type Block = [f32; LANES];

/// Pairs of columns that a row has on each side of its strip.
pub const PAD: usize = super::HALO as usize / 2;

/// The even or the odd columns of a row.
pub(super) type Half = Vec<f32>;

/// A row.
#[derive(Clone, Debug)]
pub(super) struct Row {
    /// Even columns, odd columns.
    pub(super) halves: [Half; 2],
}

impl Row {
    pub(super) fn new(spans: &Spans) -> Self {
        Self { halves: [(); 2].map(|()| spans.half()) }
    }

    /// The sites `offset` columns from those of `span` in half `half`.
    #[inline(always)]
    pub(super) fn at(&self, half: usize, offset: isize, span: Span) -> &[Block] {
        let column = half as isize + offset;
        run(&self.halves[(column & 1) as usize], column >> 1, span)
    }
}

/// The values `offset` places from those of `span`.
#[inline(always)]
pub(super) fn run(half: &[f32], offset: isize, span: Span) -> &[Block] {
    let start = span.start.wrapping_add_signed(offset);
    half[start..start + span.blocks * LANES].as_chunks().0
}

/// The values of `span`, to write.
#[inline(always)]
pub(super) fn run_mut(half: &mut [f32], span: Span) -> &mut [Block] {
    half[span.start..span.start + span.blocks * LANES].as_chunks_mut().0
}

/// The last few rows, by number.
#[derive(Debug)]
pub(super) struct Ring<T> {
    rows: Vec<T>,
}

impl<T> Ring<T> {
    /// `count` is a power of two.
    pub(super) fn new(count: usize, row: impl Fn() -> T) -> Self {
        debug_assert!(count.is_power_of_two());
        Self { rows: (0..count).map(|_| row()).collect() }
    }

    #[inline(always)]
    fn place(&self, y: i64) -> usize {
        y as usize & (self.rows.len() - 1)
    }

    #[inline(always)]
    pub(super) fn at(&self, y: i64) -> &T {
        &self.rows[self.place(y)]
    }

    #[inline(always)]
    pub(super) fn at_mut(&mut self, y: i64) -> &mut T {
        let place = self.place(y);
        &mut self.rows[place]
    }
}

/// Some sites of a half: from `start` on, in whole blocks. What the last block
/// has beyond the sites that are known is never looked at.
#[derive(Clone, Copy, Debug)]
pub(super) struct Span {
    start: usize,
    pub(super) blocks: usize,
}

/// Which sites of a strip are known after so many columns of reach.
#[derive(Clone, Copy, Debug)]
pub(super) struct Spans {
    /// Pairs of columns, margins included.
    pub(super) pairs: usize,
}

impl Spans {
    pub(super) fn new(pairs: usize) -> Self {
        Self { pairs: pairs + 2 * PAD }
    }

    /// Of the even (0) or odd (1) columns, those that lie `reach` columns or more from both ends.
    #[inline(always)]
    pub(super) fn of(&self, half: usize, reach: usize) -> Span {
        let start = (reach + 1 - half) / 2;
        let end = (2 * self.pairs + 1 - reach - half) / 2;
        Span { start, blocks: (end - start).div_ceil(LANES) }
    }

    /// Room for one value a pair, and to go on in whole blocks beside the last.
    pub(super) fn half(&self) -> Half {
        vec![0.0; (self.pairs + 2 * LANES).next_multiple_of(LANES)]
    }
}

#[inline(always)]
fn any(half: &[f32], clip: f32) -> bool {
    let mut any = [false; LANES];
    for block in half.as_chunks::<LANES>().0 {
        for (any, v) in any.iter_mut().zip(block) {
            *any |= *v >= clip;
        }
    }
    any.contains(&true)
}

/// Whether a row has a clipped photosite.
#[inline(always)]
pub(super) fn any_clipped(row: &Row, colors: RowColors, clips: Clips) -> bool {
    any(&row.halves[colors.parity], clips[colors.own])
        | any(&row.halves[1 - colors.parity], clips[1])
}

/// By how much the most clipped of five photosites along a row is so.
#[inline(always)]
pub(super) fn excess<S: Simd>(
    simd: S,
    spans: &Spans,
    row: &Row,
    colors: RowColors,
    clips: Clips,
    out: &mut Row,
) {
    for half in [0, 1] {
        let span = spans.of(half, 2);
        let own = if half == colors.parity { clips[colors.own] } else { clips[1] };
        let beside = if half == colors.parity { clips[1] } else { clips[colors.own] };
        let [a, b, c, d, e] = [-2, -1, 0, 1, 2].map(|k| row.at(half, k, span));
        for (i, out) in run_mut(&mut out.halves[half], span).iter_mut().enumerate() {
            let near = most(load(simd, &b[i]), load(simd, &d[i])) - beside;
            let same = most(most(load(simd, &a[i]), load(simd, &e[i])), load(simd, &c[i])) - own;
            *out = most(near, same).to_array();
        }
    }
}

/// By how much the most clipped of five photosites along a row is so, of each of five rows that has one.
pub(super) type Excess<'a> = [Option<&'a [Block]>; 5];

/// Whether one of the rows is clipped.
#[inline(always)]
pub(super) fn over<S: Simd>(simd: S, rows: &Excess<'_>, i: usize) -> mask32x16<S> {
    let zero = f32x16::splat(simd, 0.0);
    let mut most_of = f32x16::splat(simd, -1.0);
    for row in rows.iter().flatten() {
        most_of = most(most_of, load(simd, &row[i]));
    }
    most_of.simd_ge(zero)
}

/// Step 1, in place.
#[inline(always)]
pub(super) fn encode<S: Simd>(simd: S, half: &mut [f32]) {
    for block in half.as_chunks_mut().0 {
        let v = load(simd, block);
        *block = ((v.abs() + TOE * TOE).sqrt() - TOE).copysign(v).to_array();
    }
}

#[inline(always)]
pub(super) fn load<S: Simd>(simd: S, block: &Block) -> f32x16<S> {
    f32x16::load_array_ref(simd, block)
}

/// The sum of what is at some sites and on both sides of them, outwards.
#[inline(always)]
pub(super) fn spread<S: Simd, const N: usize>(
    simd: S,
    parts: &[&[Block]; N],
    i: usize,
) -> f32x16<S> {
    let middle = N / 2;
    let mut sum = load(simd, &parts[middle][i]);
    for k in 1..=middle {
        sum += load(simd, &parts[middle - k][i]) + load(simd, &parts[middle + k][i]);
    }
    sum
}

/// `v` within `low` and `high`; what is not a number stays so.
#[inline(always)]
pub(super) fn within<S: Simd>(v: f32x16<S>, low: f32x16<S>, high: f32x16<S>) -> f32x16<S> {
    let v = v.simd_lt(low).select(low, v);
    v.simd_gt(high).select(high, v)
}

/// `v` within the range of four colours, and of what they are beside their greens, at a place whose
/// green is `here`.
#[inline(always)]
pub(super) fn among<S: Simd>(
    v: f32x16<S>,
    here: f32x16<S>,
    [a, b, c, d]: [f32x16<S>; 4],
    greens: [f32x16<S>; 4],
) -> f32x16<S> {
    let [e, f, g, h] = [a - greens[0], b - greens[1], c - greens[2], d - greens[3]];
    let low = least(least(a, b), least(c, d));
    let high = most(most(a, b), most(c, d));
    let least_apart = least(least(e, f), least(g, h));
    let most_apart = most(most(e, f), most(g, h));
    within(v, least(low, here + least_apart), most(high, here + most_apart))
}

#[inline(always)]
pub(super) fn least<S: Simd>(a: f32x16<S>, b: f32x16<S>) -> f32x16<S> {
    a.simd_lt(b).select(a, b)
}

#[inline(always)]
pub(super) fn most<S: Simd>(a: f32x16<S>, b: f32x16<S>) -> f32x16<S> {
    a.simd_gt(b).select(a, b)
}
