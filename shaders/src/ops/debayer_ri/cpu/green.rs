//! Steps 2 to 7: from the mosaic to green, row by row.

use super::row::{
    Block, Excess, Half, Ring, Row, Span, Spans, least, load, most, over, run, run_mut, spread,
    within,
};
use super::{Taken, lag};
use crate::ops::debayer_ri::{APART, EVEN, GAIN, HUE, ROOM, ROUGH, SLOPE, STEEP, TINY};
use fearless_simd::prelude::*;
use fearless_simd::{Simd, f32x16};
use std::array::from_fn;

/// Squares of green's band pass and of the colour's one, and their product; or sums of those.
type Moments = [Row; 3];

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
        let moments = || from_fn(|_| row());
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

    /// All steps, each on the row that it can work on when `t` has come in.
    #[inline(always)]
    pub(super) fn step<S: Simd>(&mut self, simd: S, spans: &Spans, t: i64, taken: Taken<'_>) {
        let m = taken.mosaic;
        let y = t - lag::ACROSS;
        self.across(simd, spans, y, taken, taken.colors(y).parity);
        self.weigh(simd, 0, spans, t - lag::WEIGHT_ACROSS, 11);
        let y = t - lag::PRODUCTS;
        self.columns(simd, spans, y, m, taken.colors(y).parity);
        let y = t - lag::DOWN;
        self.down(simd, spans, y, taken, taken.colors(y).parity);
        self.shared(simd, spans, y, taken.colors(y).parity);
        self.smooth_down(simd, spans, t - lag::SMOOTH_DOWN);
        let y = t - lag::WEIGHT_DOWN;
        self.weigh(simd, 1, spans, y, 1);
        self.five_down(simd, spans, y, taken.colors(y).parity);
        let y = t - lag::GUESS;
        self.guess(simd, spans, y, taken.colors(y).parity);
        let y = t - lag::GREEN;
        self.green(simd, spans, y, m, taken.colors(y).parity);
        self.shares(simd, spans, y, 1 - taken.colors(y).parity);
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
            let sites = [-4, -3, -2, -1, 1, 2, 3, 4].map(|k| m.at(half, k, span));
            products(simd, sites, half == coloured, &mut self.products, half, span);
        }
        let sums = self.across.at_mut(y);
        let d = self.difference[0].at_mut(y);
        for half in [0, 1] {
            let span = spans.of(half, 9);
            let parts = from_fn(|p| from_fn(|k| self.products[p].at(half, k as isize - 5, span)));
            let sums = sums.each_mut().map(|s| run_mut(&mut s.halves[half], span));
            let m = from_fn(|k| m.at(half, k as isize - 2, span));
            let clipping = taken.excess(y, half, span);
            let d = run_mut(&mut d.halves[half], span);
            fit(simd, half == coloured, parts, m, clipping, sums, d);
        }
        let (d, change) = (self.difference[0].at(y), self.change[0].at_mut(y));
        for half in [0, 1] {
            let span = spans.of(half, 11);
            let d = from_fn(|k| d.at(half, k as isize - 2, span));
            change_across(simd, d, run_mut(&mut change.halves[half], span));
        }
    }

    /// Step 2 along columns.
    #[inline(always)]
    fn columns<S: Simd>(&mut self, simd: S, spans: &Spans, y: i64, m: &Ring<Row>, coloured: usize) {
        for half in [0, 1] {
            let span = spans.of(half, 0);
            let sites = [-4, -3, -2, -1, 1, 2, 3, 4].map(|k| m.at(y + k).at(half, 0, span));
            products(simd, sites, half == coloured, self.columns.at_mut(y), half, span);
        }
    }

    /// Steps 3 and 4 along columns.
    #[inline(always)]
    fn down<S: Simd>(&mut self, simd: S, spans: &Spans, y: i64, taken: Taken<'_>, coloured: usize) {
        let d = self.difference[1].at_mut(y);
        for half in [0, 1] {
            let span = spans.of(half, 0);
            let rows: [&Moments; 11] = from_fn(|k| self.columns.at(y + k as i64 - 5));
            let parts = from_fn(|p| rows.map(|row| row[p].at(half, 0, span)));
            let sums = self.down.each_mut().map(|s| run_mut(&mut s.halves[half], span));
            let m = from_fn(|k| taken.mosaic.at(y + k as i64 - 2).at(half, 0, span));
            let clipping = taken.excess(y, half, span);
            let d = run_mut(&mut d.halves[half], span);
            fit(simd, half == coloured, parts, m, clipping, sums, d);
        }
    }

    /// Step 5 along columns: changes, summed along the row.
    #[inline(always)]
    fn smooth_down<S: Simd>(&mut self, simd: S, spans: &Spans, y: i64) {
        let (d, change) = (&self.difference[1], self.change[1].at_mut(y));
        for half in [0, 1] {
            let span = spans.of(half, 1);
            let [north, south] = [-1, 1].map(|k| [-1, 0, 1].map(|x| d.at(y + k).at(half, x, span)));
            change_down(simd, north, south, run_mut(&mut change.halves[half], span));
        }
    }

    /// Step 5: weights of an axis.
    #[inline(always)]
    fn weigh<S: Simd>(&mut self, simd: S, axis: usize, spans: &Spans, y: i64, reach: usize) {
        let weight = self.weight[axis].at_mut(y);
        for half in [0, 1] {
            let span = spans.of(half, reach);
            let rows = [-1, 0, 1].map(|k| self.change[axis].at(y + k).at(half, 0, span));
            let out = run_mut(&mut weight.halves[half], span);
            let rows = rows.map(|r| &r[..out.len()]);
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
        let rows: [&Moments; 5] = from_fn(|k| self.across.at(y + k as i64 - 2));
        let along: [[&[Block]; 5]; 3] = from_fn(|p| rows.map(|row| row[p].at(coloured, 0, span)));
        let beside: [[&[Block]; 5]; 3] =
            from_fn(|p| from_fn(|k| self.down[p].at(coloured, k as isize - 2, span)));
        let out = run_mut(self.rough.at_mut(y), span);
        let len = out.len();
        let [along, beside] = [along, beside].map(|sums| sums.map(|rows| rows.map(|r| &r[..len])));
        for (i, out) in out.iter_mut().enumerate() {
            let gg = spread(simd, &along[0], i) + spread(simd, &beside[0], i);
            let cc = spread(simd, &along[1], i) + spread(simd, &beside[1], i);
            let gc = spread(simd, &along[2], i) + spread(simd, &beside[2], i);
            let (s, u) = (gg + cc, gg - cc);
            let q = (u * u) / ((gg * cc + (s * s) * 0.001) + TINY * TINY) * GAIN;
            let o = (s - (gc + gc)) / (s + TINY) * APART;
            *out = ((q * q + 1.0) + o * o).to_array();
        }
    }

    /// Step 7: sums of five vertical differences.
    #[inline(always)]
    fn five_down<S: Simd>(&mut self, simd: S, spans: &Spans, y: i64, coloured: usize) {
        let span = spans.of(coloured, 0);
        let rows = from_fn(|k| self.difference[1].at(y + k as i64 - 2).at(coloured, 0, span));
        sum_five(simd, rows, run_mut(self.five_down.at_mut(y), span));
    }

    /// Step 7 up to the first guess.
    #[inline(always)]
    fn guess<S: Simd>(&mut self, simd: S, spans: &Spans, y: i64, half: usize) {
        let [dh, dv] = self.difference.each_ref();
        let span = spans.of(half, 11);
        let row = from_fn(|k| dh.at(y).at(half, k as isize - 2, span));
        sum_five(simd, row, run_mut(&mut self.five_across, span));

        let span = spans.of(half, 13);
        let around = Around {
            weights: weights(&self.weight, y, half, span),
            across: [-1, 0, 1].map(|x| dh.at(y).at(half, x, span)),
            down: [-1, 0, 1].map(|k| dv.at(y + k).at(half, 0, span)),
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
        let [west, here, east] = [-1, 0, 1].map(|x| run(&self.guess.at(y)[0], x, span));
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

/// Step 2: squares and products of the band passes of some sites, from four
/// places before them to four behind.
#[inline(always)]
fn products<S: Simd>(
    simd: S,
    sites: [&[Block]; 8],
    coloured: bool,
    to: &mut Moments,
    half: usize,
    span: Span,
) {
    let [gg, cc, gc] = to.each_mut().map(|p| run_mut(&mut p.halves[half], span));
    let (oo, pp) = if coloured { (cc, gg) } else { (gg, cc) };
    let len = gc.len();
    let (oo, pp) = (&mut oo[..len], &mut pp[..len]);
    let [a4, a3, a2, a1, b1, b2, b3, b4] = sites.map(|r| &r[..len]);
    for i in 0..len {
        let near = load(simd, &b2[i]) - load(simd, &a2[i]);
        let far = load(simd, &b4[i]) - load(simd, &a4[i]);
        let o = near * 2.0 + far * 0.5;
        let before = load(simd, &a1[i]) + load(simd, &a3[i]);
        let p = ((load(simd, &b1[i]) + load(simd, &b3[i])) - before) * 1.5;
        oo[i] = (o * o).to_array();
        pp[i] = (p * p).to_array();
        gc[i] = (o * p).to_array();
    }
}

/// Steps 3 and 4: sums, gain and difference of some sites, all of them green or all coloured.
#[inline(always)]
fn fit<S: Simd>(
    simd: S,
    coloured: bool,
    parts: [[&[Block]; 11]; 3],
    m: [&[Block]; 5],
    clipping: Option<Excess<'_>>,
    [ggs, ccs, gcs]: [&mut [Block]; 3],
    d: &mut [Block],
) {
    let len = d.len();
    let [gg, cc, gc] = parts.map(|p| p.map(|r| &r[..len]));
    // The own colour's squares first, then the other one's.
    let (oo, pp) = if coloured { (cc, gg) } else { (gg, cc) };
    let (os, ps) = if coloured { (ccs, ggs) } else { (ggs, ccs) };
    let (os, ps, gcs) = (&mut os[..len], &mut ps[..len], &mut gcs[..len]);
    let [m0, m1, m2, m3, m4] = m.map(|r| &r[..len]);
    let sign = if coloured { -1.0 } else { 1.0 };
    let (low, high) = (f32x16::splat(simd, -STEEP), f32x16::splat(simd, STEEP));
    for i in 0..len {
        let own = spread(simd, &oo, i);
        let both = spread(simd, &gc, i);
        os[i] = own.to_array();
        gcs[i] = both.to_array();
        ps[i] = spread(simd, &pp, i).to_array();
        let a = within((both + SLOPE) / (own + SLOPE), low, high);
        let (before, behind) = (load(simd, &m1[i]), load(simd, &m3[i]));
        let mean = (before + behind) * 0.5;
        let here = load(simd, &m2[i]);
        let lap = ((here + here) - (load(simd, &m0[i]) + load(simd, &m4[i]))) * 0.25;
        let mut other = mean + a * lap;
        if let Some(excess) = &clipping {
            let (low, high) = (least(before, behind), most(before, behind));
            let room = (high - low) * ROOM;
            let kept = within(other, low - room, high + room);
            other = over(simd, excess, i).select(kept, other);
        }
        d[i] = ((here - other) * sign).to_array();
    }
}

/// Step 5 along a row, from the differences two places before to two behind.
#[inline(always)]
fn change_across<S: Simd>(simd: S, d: [&[Block]; 5], out: &mut [Block]) {
    let d = d.map(|r| &r[..out.len()]);
    for (i, out) in out.iter_mut().enumerate() {
        let [a, b, c, d, e] = from_fn(|k| load(simd, &d[k][i]));
        *out = ((b - d).abs() + ((a - c).abs() + (c - e).abs())).to_array();
    }
}

/// Step 5 along columns.
#[inline(always)]
fn change_down<S: Simd>(simd: S, north: [&[Block]; 3], south: [&[Block]; 3], out: &mut [Block]) {
    let [n, s] = [north, south].map(|rows| rows.map(|r| &r[..out.len()]));
    for (i, out) in out.iter_mut().enumerate() {
        let [west, here, east] = from_fn(|k| (load(simd, &n[k][i]) - load(simd, &s[k][i])).abs());
        *out = (here + (west + east)).to_array();
    }
}

#[inline(always)]
fn sum_five<S: Simd>(simd: S, rows: [&[Block]; 5], out: &mut [Block]) {
    let rows = rows.map(|r| &r[..out.len()]);
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
    let [west, east, north, south] = a.weights.map(|r| &r[..len]);
    let [dw, dh, de] = a.across.map(|r| &r[..len]);
    let [dn, dv, ds] = a.down.map(|r| &r[..len]);
    let [bw, be] = a.far_across.map(|r| &r[..len]);
    let [bn, bs] = a.far_down.map(|r| &r[..len]);
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
    let [weights, around] = [weights, around].map(|four| four.map(|r| &r[..len]));
    let (site, here, part) = (&site[..len], &here[..len], &part[..len]);
    for i in 0..len {
        let [west, east, north, south] = from_fn(|k| load(simd, &weights[k][i]));
        let [w, e, n, s] = from_fn(|k| load(simd, &around[k][i]));
        let all = (west + east) + (north + south);
        let beside = ((west * w + east * e) + (north * n + south * s)) / all;
        let guess = load(simd, &here[i]);
        let even = guess + (beside - guess) * load(simd, &part[i]);
        out[i] = (load(simd, &site[i]) + even).to_array();
    }
}
