//! Steps 2 to 7: from the mosaic to green, row by row.

use super::moments::{Along, Both, fit, products, roughness};
use super::row::spread;
use super::{Taken, lag};
use crate::ops::debayer_ri::{EVEN, HUE, ROUGH};
use crate::ops::rows::{
    Block, Half, Ring, Row, Span, Spans, cut, each, load, run, run_mut, three_mut,
};
use fearless_simd::prelude::*;
use fearless_simd::{Level, Simd, dispatch, f32x16};
use std::array::from_fn;

/// [Three](Row::three) rows: squares of green's band pass and of the colour's one, and their
/// product; or sums of those.
type Moments = Row;

/// What the steps keep of the last rows.
#[derive(Debug)]
pub(super) struct State {
    /// Horizontal products of the row at hand.
    products: Moments,
    /// Sums of them along rows.
    across: Ring<Moments>,
    /// Vertical products.
    columns: Ring<Moments>,
    /// Sums of them along columns, of the row at hand.
    down: Moments,
    /// Colour differences.
    difference: [Ring<Row>; 2],
    /// Their changes, summed along the row.
    change: [Ring<Row>; 2],
    /// How much a side of a site counts.
    weight: [Ring<Row>; 2],
    /// Sums of five horizontal differences, at coloured sites of the row at hand.
    five_across: Half,
    /// Sums of five vertical differences, at coloured sites.
    five_down: Ring<Half>,
    /// How little detail is shared, at coloured sites.
    rough: Ring<Half>,
    /// Green minus colour at first sight, and how far it is made even, at coloured sites.
    guess: Ring<[Half; 2]>,
    /// Green.
    pub(super) green: Ring<Row>,
    /// Half of the horizontal sides' share in all weights, at green sites.
    pub(super) share: Ring<Half>,
}

impl State {
    pub(super) fn new(spans: &Spans) -> Self {
        let row = || Row::new(spans);
        let half = || spans.half();
        let moments = || Row::three(spans);
        Self {
            products: moments(),
            across: Ring::new(8, moments),
            columns: Ring::new(16, moments),
            down: moments(),
            difference: from_fn(|_| Ring::new(8, row)),
            change: from_fn(|_| Ring::new(4, row)),
            weight: from_fn(|_| Ring::new(8, row)),
            five_across: half(),
            five_down: Ring::new(8, half),
            rough: Ring::new(8, half),
            guess: Ring::new(8, || [half(), half()]),
            green: Ring::new(16, row),
            share: Ring::new(16, half),
        }
    }

    /// All steps, each on the row that it can work on when `t` has come in. Each is a
    /// function of its own for the instruction set: of one for all of them, compilers make little.
    pub(super) fn step(&mut self, level: Level, spans: &Spans, t: i64, taken: Taken<'_>) {
        let coloured = |y: i64| taken.colors(y).parity;
        let y = t - lag::ACROSS;
        dispatch!(level, simd => self.across(simd, spans, y, taken, coloured(y)));
        let y = t - lag::WEIGHT_ACROSS;
        dispatch!(level, simd => self.weigh(simd, 0, spans, y, 11));
        let y = t - lag::PRODUCTS;
        dispatch!(level, simd => self.columns(simd, spans, y, taken.mosaic, coloured(y)));
        let y = t - lag::DOWN;
        dispatch!(level, simd => self.down(simd, spans, y, taken, coloured(y)));
        dispatch!(level, simd => self.shared(simd, spans, y, coloured(y)));
        let y = t - lag::SMOOTH_DOWN;
        dispatch!(level, simd => self.smooth_down(simd, spans, y));
        let y = t - lag::WEIGHT_DOWN;
        dispatch!(level, simd => self.weigh(simd, 1, spans, y, 1));
        dispatch!(level, simd => self.five_down(simd, spans, y, coloured(y)));
        let y = t - lag::GUESS;
        dispatch!(level, simd => self.guess(simd, spans, y, coloured(y)));
        let y = t - lag::GREEN;
        dispatch!(level, simd => self.green(simd, spans, y, taken.mosaic, coloured(y)));
        dispatch!(level, simd => self.shares(simd, spans, y, 1 - coloured(y)));
    }

    /// Steps 2 to 5 along a row.
    #[inline(always)]
    fn across<S: Simd>(
        &mut self,
        simd: S,
        spans: &Spans,
        y: i64,
        taken: Taken<'_>,
        coloured: usize,
    ) {
        let m = taken.mosaic.at(y);
        for half in [0, 1] {
            let span = spans.of(half, 4);
            let to = three_mut(&mut self.products.halves[half], span);
            products(simd, m.along(half, span), half == coloured, to);
        }
        let sums = self.across.at_mut(y);
        let d = self.difference[0].at_mut(y);
        for half in [0, 1] {
            let span = spans.of(half, 9);
            let along = Along {
                products: self.products.along(half, spans.three(span)),
                apart: spans.apart(),
                sites: m.along(half, span),
                clipping: taken.excess(y, half, span),
            };
            let sums = three_mut(&mut sums.halves[half], span);
            let d = run_mut(&mut d.halves[half], span);
            fit(simd, half == coloured, &along, sums, d);
        }
        let (d, change) = (self.difference[0].at(y), self.change[0].at_mut(y));
        for half in [0, 1] {
            let span = spans.of(half, 11);
            change_across(simd, d.along(half, span), run_mut(&mut change.halves[half], span));
        }
    }

    /// Step 2 along columns.
    #[inline(always)]
    fn columns<S: Simd>(&mut self, simd: S, spans: &Spans, y: i64, m: &Ring<Row>, coloured: usize) {
        for half in [0, 1] {
            let span = spans.of(half, 0);
            let to = three_mut(&mut self.columns.at_mut(y).halves[half], span);
            products(simd, m.down(y, half, span), half == coloured, to);
        }
    }

    /// Steps 3 and 4 along columns.
    #[inline(always)]
    fn down<S: Simd>(&mut self, simd: S, spans: &Spans, y: i64, taken: Taken<'_>, coloured: usize) {
        let d = self.difference[1].at_mut(y);
        for half in [0, 1] {
            let span = spans.of(half, 0);
            let along = Along {
                products: self.columns.down(y, half, spans.three(span)),
                apart: spans.apart(),
                sites: taken.mosaic.down(y, half, span),
                clipping: taken.excess(y, half, span),
            };
            let sums = three_mut(&mut self.down.halves[half], span);
            let d = run_mut(&mut d.halves[half], span);
            fit(simd, half == coloured, &along, sums, d);
        }
    }

    /// Step 5 along columns: changes, summed along the row.
    #[inline(always)]
    fn smooth_down<S: Simd>(&mut self, simd: S, spans: &Spans, y: i64) {
        let (d, change) = (&self.difference[1], self.change[1].at_mut(y));
        for half in [0, 1] {
            let span = spans.of(half, 1);
            let [north, south] = [-1, 1].map(|k| d.at(y + k).along(half, span));
            change_down(simd, north, south, run_mut(&mut change.halves[half], span));
        }
    }

    /// Step 5: weights of an axis.
    #[inline(always)]
    fn weigh<S: Simd>(&mut self, simd: S, axis: usize, spans: &Spans, y: i64, reach: usize) {
        let weight = self.weight[axis].at_mut(y);
        for half in [0, 1] {
            let span = spans.of(half, reach);
            let rows = self.change[axis].down(y, half, span);
            let out = run_mut(&mut weight.halves[half], span);
            let rows: [&[Block]; 3] = cut(rows, out.len());
            for (i, out) in out.iter_mut().enumerate() {
                let b = spread(simd, &rows, i);
                *out = (f32x16::splat(simd, 1.0) / (b * b + ROUGH)).to_array();
            }
        }
    }

    /// Step 6.
    #[inline(always)]
    fn shared<S: Simd>(&mut self, simd: S, spans: &Spans, y: i64, coloured: usize) {
        let span = spans.of(coloured, 9);
        let sums = Both {
            along: self.across.down(y, coloured, spans.three(span)),
            beside: self.down.along(coloured, spans.three(span)),
            apart: spans.apart(),
        };
        let out = run_mut(self.rough.at_mut(y), span);
        roughness(simd, &sums, out);
    }

    /// Step 7: sums of five vertical differences.
    #[inline(always)]
    fn five_down<S: Simd>(&mut self, simd: S, spans: &Spans, y: i64, coloured: usize) {
        let span = spans.of(coloured, 0);
        let rows = self.difference[1].down(y, coloured, span);
        sum_five(simd, rows, run_mut(self.five_down.at_mut(y), span));
    }

    /// Step 7 up to the first guess.
    #[inline(always)]
    fn guess<S: Simd>(&mut self, simd: S, spans: &Spans, y: i64, half: usize) {
        let [dh, dv] = self.difference.each_ref();
        let span = spans.of(half, 11);
        let row = dh.at(y).along(half, span);
        sum_five(simd, row, run_mut(&mut self.five_across, span));

        let span = spans.of(half, 13);
        let around = Around {
            weights: weights(&self.weight, y, half, span),
            across: dh.at(y).along(half, span),
            down: dv.down(y, half, span),
            far_across: [-1, 1].map(|x| run(&self.five_across, x, span)),
            far_down: [-2, 2].map(|k| run(self.five_down.at(y + k), 0, span)),
            rough: run(self.rough.at(y), 0, span),
        };
        let [guess, even] = self.guess.at_mut(y).each_mut().map(|out| run_mut(out, span));
        guesses(simd, around, guess, even);
    }

    /// Step 7 from the guesses on.
    #[inline(always)]
    fn green<S: Simd>(&mut self, simd: S, spans: &Spans, y: i64, m: &Ring<Row>, half: usize) {
        let m = m.at(y);
        let span = spans.of(half, 15);
        let weights = weights(&self.weight, y, half, span);
        let [west, here, east] = each(|k| run(&self.guess.at(y)[0], k as isize - 1, span));
        let [north, south] = [-2, 2].map(|k| run(&self.guess.at(y + k)[0], 0, span));
        let part = run(&self.guess.at(y)[1], 0, span);
        let green = self.green.at_mut(y);
        green.halves[1 - half].copy_from_slice(&m.halves[1 - half]);
        let out = run_mut(&mut green.halves[half], span);
        let site = m.at(half, 0, span);
        even(simd, site, weights, here, [west, east, north, south], part, out);
    }

    /// Step 9: the share of west and east at green sites.
    #[inline(always)]
    fn shares<S: Simd>(&mut self, simd: S, spans: &Spans, y: i64, half: usize) {
        let span = spans.of(half, 12);
        let [west, east, north, south] = weights(&self.weight, y, half, span);
        for (i, out) in run_mut(self.share.at_mut(y), span).iter_mut().enumerate() {
            let across = load(simd, &west[i]) + load(simd, &east[i]);
            let all = across + (load(simd, &north[i]) + load(simd, &south[i]));
            *out = (across / (all + all)).to_array();
        }
    }
}

/// Weights of some sites towards west, east, north and south.
#[inline(always)]
fn weights([wh, wv]: &[Ring<Row>; 2], y: i64, half: usize, span: Span) -> [&[Block]; 4] {
    [
        wh.at(y).at(half, -1, span),
        wh.at(y).at(half, 1, span),
        wv.at(y - 1).at(half, 0, span),
        wv.at(y + 1).at(half, 0, span),
    ]
}

/// Step 5 along a row, from the differences two places before to two behind.
#[inline(always)]
fn change_across<S: Simd>(simd: S, d: [&[Block]; 5], out: &mut [Block]) {
    let d = cut(d, out.len());
    for (i, out) in out.iter_mut().enumerate() {
        let [a, b, c, d, e] = each(|k| load(simd, &d[k][i]));
        *out = ((b - d).abs() + ((a - c).abs() + (c - e).abs())).to_array();
    }
}

/// Step 5 along columns.
#[inline(always)]
fn change_down<S: Simd>(simd: S, north: [&[Block]; 3], south: [&[Block]; 3], out: &mut [Block]) {
    let (n, s) = (cut(north, out.len()), cut(south, out.len()));
    for (i, out) in out.iter_mut().enumerate() {
        let [west, here, east] = each(|k| (load(simd, &n[k][i]) - load(simd, &s[k][i])).abs());
        *out = (here + (west + east)).to_array();
    }
}

#[inline(always)]
fn sum_five<S: Simd>(simd: S, rows: [&[Block]; 5], out: &mut [Block]) {
    let rows = cut(rows, out.len());
    for (i, out) in out.iter_mut().enumerate() {
        *out = spread(simd, &rows, i).to_array();
    }
}

/// What green is made of at some coloured sites: places along an axis in order.
struct Around<'a> {
    weights: [&'a [Block]; 4],
    across: [&'a [Block]; 3],
    down: [&'a [Block]; 3],
    far_across: [&'a [Block]; 2],
    far_down: [&'a [Block]; 2],
    rough: &'a [Block],
}

/// Step 7 up to the first guess, and how far that is made even.
#[inline(always)]
fn guesses<S: Simd>(simd: S, a: Around<'_>, out: &mut [Block], even: &mut [Block]) {
    let len = out.len();
    let even = &mut even[..len];
    let [west, east, north, south] = cut(a.weights, len);
    let [dw, dh, de] = cut(a.across, len);
    let [dn, dv, ds] = cut(a.down, len);
    let [bw, be] = cut(a.far_across, len);
    let [bn, bs] = cut(a.far_down, len);
    let rough = &a.rough[..len];
    for i in 0..len {
        let (west, east) = (load(simd, &west[i]), load(simd, &east[i]));
        let (north, south) = (load(simd, &north[i]), load(simd, &south[i]));
        let (across, down) = (west + east, north + south);
        let all = across + down;
        let own = across * load(simd, &dh[i]) + down * load(simd, &dv[i]);
        let beside = (west * load(simd, &dw[i]) + east * load(simd, &de[i]))
            + (north * load(simd, &dn[i]) + south * load(simd, &ds[i]));
        let beyond = (west * load(simd, &bw[i]) + east * load(simd, &be[i]))
            + (north * load(simd, &bn[i]) + south * load(simd, &bs[i]));
        let n = (own * 0.65 + beside * 0.35) / all;
        let f = (beyond * 0.2) / all;
        let k = f * HUE;
        let trust = f32x16::splat(simd, 1.0) / (load(simd, &rough[i]) + k * k);
        out[i] = (n + (f - n) * trust).to_array();
        even[i] = (trust * trust * EVEN).to_array();
    }
}

/// Step 7 from the guesses on: `around` is west, east, north and south.
#[inline(always)]
fn even<S: Simd>(
    simd: S,
    site: &[Block],
    weights: [&[Block]; 4],
    here: &[Block],
    around: [&[Block]; 4],
    part: &[Block],
    out: &mut [Block],
) {
    let len = out.len();
    let (weights, around) = (cut(weights, len), cut(around, len));
    let (site, here, part) = (&site[..len], &here[..len], &part[..len]);
    for i in 0..len {
        let [west, east, north, south] = each(|k| load(simd, &weights[k][i]));
        let [w, e, n, s] = each(|k| load(simd, &around[k][i]));
        let all = (west + east) + (north + south);
        let beside = ((west * w + east * e) + (north * n + south * s)) / all;
        let guess = load(simd, &here[i]);
        let even = guess + (beside - guess) * load(simd, &part[i]);
        out[i] = (load(simd, &site[i]) + even).to_array();
    }
}
