//! Steps 8 to 10: from green to the other two colours and finished rows.

use super::row::{Excess, among, over, spread, within};
use super::{Taken, green, lag};
use crate::ops::debayer_ri::encode::TOE;
use crate::ops::debayer_ri::{DIAGONAL, LINE};
use crate::ops::rows::{Block, Half, LANES, Ring, Row, Span, Spans, cut, each, load, run, run_mut};
use fearless_simd::prelude::*;
use fearless_simd::{Level, Simd, dispatch, f32x16};

/// What the steps keep of the last rows. A row has one colour besides green,
/// its own; the other one is only guessed there.
#[derive(Debug)]
pub(super) struct State {
    /// Products and squares of Laplacians of the row at hand.
    laplace: [Half; 2],
    /// Sums of them along rows.
    five: Ring<[Half; 2]>,
    /// Lines of the row at hand.
    fitted: Half,
    /// Sums of lines along rows.
    lines: Ring<Half>,
    /// Smoothed lines.
    line: Ring<Half>,
    /// Changes of green along both diagonals, summed along the row.
    diagonal: Ring<[Row; 2]>,
    /// Residuals of the own colour.
    own: Ring<Half>,
    /// Residuals of the other colour, and that colour.
    other: Ring<[Half; 2]>,
}

impl State {
    pub(super) fn new(spans: &Spans) -> Self {
        let half = || spans.half();
        let two = || [half(), half()];
        Self {
            laplace: two(),
            five: Ring::new(16, two),
            fitted: half(),
            lines: Ring::new(16, half),
            line: Ring::new(8, half),
            diagonal: Ring::new(4, || [(); 2].map(|()| Row::new(spans))),
            own: Ring::new(4, half),
            other: Ring::new(4, two),
        }
    }

    /// All steps, each on the row that it can work on when `t` has come in, as those of
    /// [`green::State::step`].
    pub(super) fn step(
        &mut self,
        level: Level,
        spans: &Spans,
        t: i64,
        taken: Taken<'_>,
        made: &green::State,
        out: &mut [&mut [f32]; 6],
    ) {
        let coloured = |y: i64| taken.colors(y).parity;
        let y = t - lag::LAPLACE;
        dispatch!(level, simd => self.laplace(simd, spans, y, taken, made, coloured(y)));
        let y = t - lag::LINE;
        dispatch!(level, simd => self.fit(simd, spans, y, coloured(y)));
        let y = t - lag::SMOOTH_LINE;
        dispatch!(level, simd => self.smooth(simd, spans, y, coloured(y)));
        let y = t - lag::RESIDUAL;
        dispatch!(level, simd => self.residual(simd, spans, y, taken, made, coloured(y)));
        dispatch!(level, simd => self.diagonals(simd, spans, y, &made.green));
        let y = t - lag::COLOURED;
        dispatch!(level, simd => self.coloured(simd, spans, y, made, coloured(y)));
        dispatch!(level, simd => self.limit(simd, spans, y, taken, made));
        let y = t - lag::DONE;
        dispatch!(level, simd => self.finish(simd, spans, y, taken, made, out));
    }

    /// Step 8 up to sums along the row.
    #[inline(always)]
    fn laplace<S: Simd>(
        &mut self,
        simd: S,
        spans: &Spans,
        y: i64,
        taken: Taken<'_>,
        made: &green::State,
        half: usize,
    ) {
        let span = spans.of(half, 17);
        let [products, squares] = self.laplace.each_mut().map(|l| run_mut(l, span));
        let len = products.len();
        let squares = &mut squares[..len];
        let m = cut(cross(taken.mosaic, y, half, span), len);
        let g = cut(cross(&made.green, y, half, span), len);
        for i in 0..len {
            let (color, green) = (laplacian(simd, &m, i), laplacian(simd, &g, i));
            products[i] = (color * green).to_array();
            squares[i] = (green * green).to_array();
        }
        let span = spans.of(half, 21);
        for (five, laplace) in self.five.at_mut(y).iter_mut().zip(&self.laplace) {
            sum_along(simd, laplace, five, span);
        }
    }

    /// Step 8: lines, and their sums along the row.
    #[inline(always)]
    fn fit<S: Simd>(&mut self, simd: S, spans: &Spans, y: i64, half: usize) {
        let span = spans.of(half, 21);
        let [products, squares]: [[&[Block]; 5]; 2] =
            each(|p| each(|k| run(&self.five.at(y + 2 * k as i64 - 4)[p], 0, span)));
        let (low, high) = (f32x16::splat(simd, -2.0), f32x16::splat(simd, 2.0));
        for (i, line) in run_mut(&mut self.fitted, span).iter_mut().enumerate() {
            let product = spread(simd, &products, i) + LINE * 0.4;
            *line = within(product / (spread(simd, &squares, i) + LINE), low, high).to_array();
        }
        sum_along(simd, &self.fitted, self.lines.at_mut(y), spans.of(half, 25));
    }

    /// Step 8: smoothed lines.
    #[inline(always)]
    fn smooth<S: Simd>(&mut self, simd: S, spans: &Spans, y: i64, half: usize) {
        let span = spans.of(half, 25);
        let rows = each(|k| run(self.lines.at(y + 2 * k as i64 - 4), 0, span));
        for (i, line) in run_mut(self.line.at_mut(y), span).iter_mut().enumerate() {
            *line = (spread::<S, 5>(simd, &rows, i) * 0.04).to_array();
        }
    }

    /// Step 9 at sites of the colour itself.
    #[inline(always)]
    fn residual<S: Simd>(
        &mut self,
        simd: S,
        spans: &Spans,
        y: i64,
        taken: Taken<'_>,
        made: &green::State,
        half: usize,
    ) {
        let span = spans.of(half, 25);
        let m = taken.mosaic.at(y).at(half, 0, span);
        let g = made.green.at(y).at(half, 0, span);
        let line = run(self.line.at(y), 0, span);
        for (i, r) in run_mut(self.own.at_mut(y), span).iter_mut().enumerate() {
            *r = (load(simd, &m[i]) - load(simd, &line[i]) * load(simd, &g[i])).to_array();
        }
    }

    /// Step 9: changes of green along the diagonals, summed along the row.
    #[inline(always)]
    fn diagonals<S: Simd>(&mut self, simd: S, spans: &Spans, y: i64, green: &Ring<Row>) {
        for half in [0, 1] {
            let span = spans.of(half, 17);
            let [n, s] = [-1, 1].map(|k| green.at(y + k).along(half, span));
            let [first, second] = self.diagonal.at_mut(y).each_mut();
            changes(simd, n, s, run_mut(&mut first.halves[half], span));
            changes(simd, s, n, run_mut(&mut second.halves[half], span));
        }
    }

    /// Step 9 at sites of the other colour.
    #[inline(always)]
    fn coloured<S: Simd>(
        &mut self,
        simd: S,
        spans: &Spans,
        y: i64,
        made: &green::State,
        half: usize,
    ) {
        let span = spans.of(half, 26);
        let [e1, e2]: [[&[Block]; 3]; 2] =
            each(|d| each(|k| self.diagonal.at(y + k as i64 - 1)[d].at(half, 0, span)));
        let beside = beside(half);
        let [[nw, ne], [sw, se]] =
            [-1, 1].map(|k| beside.map(|x| run(self.own.at(y + k), x, span)));
        let [[lnw, lne], [lsw, lse]] =
            [-1, 1].map(|k| beside.map(|x| run(self.line.at(y + k), x, span)));
        let green = made.green.at(y).at(half, 0, span);
        let [residual, color] = self.other.at_mut(y).each_mut().map(|o| run_mut(o, span));
        let len = residual.len();
        let color = &mut color[..len];
        for i in 0..len {
            let (b1, b2) = (spread(simd, &e1, i), spread(simd, &e2, i));
            let (v1, v2) = (b1 * b1 + DIAGONAL, b2 * b2 + DIAGONAL);
            let h = v2 / ((v1 + v2) * 2.0);
            let rest = f32x16::splat(simd, 0.5) - h;
            let r = h * (load(simd, &nw[i]) + load(simd, &se[i]))
                + rest * (load(simd, &ne[i]) + load(simd, &sw[i]));
            let line = (load(simd, &lnw[i]) + load(simd, &lne[i]))
                + (load(simd, &lsw[i]) + load(simd, &lse[i]));
            residual[i] = r.to_array();
            color[i] = ((line * 0.25) * load(simd, &green[i]) + r).to_array();
        }
    }

    /// Step 9 at sites of the other colour, around clipped photosites.
    #[inline(always)]
    fn limit<S: Simd>(
        &mut self,
        simd: S,
        spans: &Spans,
        y: i64,
        taken: Taken<'_>,
        made: &green::State,
    ) {
        let half = taken.colors(y).parity;
        let span = spans.of(half, 26);
        let Some(excess) = taken.excess(y, half, span) else { return };
        let corners = [(-1, -1), (1, -1), (-1, 1), (1, 1)];
        let [colors, greens] = [taken.mosaic, &made.green]
            .map(|ring| corners.map(|(x, k)| ring.at(y + k).at(half, x, span)));
        let green = made.green.at(y).at(half, 0, span);
        let color = run_mut(&mut self.other.at_mut(y)[1], span);
        for (i, color) in color.iter_mut().enumerate() {
            let (free, green) = (load(simd, color), load(simd, &green[i]));
            let [colors, greens] = [colors, greens].map(|runs| each(|k| load(simd, &runs[k][i])));
            let kept = among(free, green, colors, greens);
            *color = over(simd, &excess, i).select(kept, free).to_array();
        }
    }

    /// Step 9 at green sites, and step 10.
    #[inline(always)]
    fn finish<S: Simd>(
        &mut self,
        simd: S,
        spans: &Spans,
        y: i64,
        taken: Taken<'_>,
        made: &green::State,
        out: &mut [&mut [f32]; 6],
    ) {
        let colors = taken.colors(y);
        let (own, other, half) = (colors.own, 2 - colors.own, colors.parity);
        let m = taken.mosaic.at(y);
        let span = spans.strip();
        store_all(simd, m.at(half, 0, span), out[2 * own + half]);
        store_all(simd, made.green.at(y).at(half, 0, span), out[2 + half]);
        store_all(simd, run(&self.other.at(y)[1], 0, span), out[2 * other + half]);

        let half = 1 - half;
        let span = spans.strip();
        let green = m.at(half, 0, span);
        store_all(simd, green, out[2 + half]);
        let share = run(made.share.at(y), 0, span);
        // West and east lie in the coloured half of this row, north and south in that of theirs.
        let beside = beside(half);
        let others: [[&[Block]; 2]; 2] =
            each(|p| beside.map(|x| run(&self.other.at(y)[p], x, span)));
        let others_above: [[&[Block]; 2]; 2] =
            each(|p| [-1, 1].map(|k| run(&self.other.at(y + k)[p], 0, span)));
        let clipping = taken.excess(y, half, span);
        let greens = [
            [-1, 1].map(|x| made.green.at(y).at(half, x, span)),
            [-1, 1].map(|k| made.green.at(y + k).at(half, 0, span)),
        ];
        let sides = Sides {
            lines: beside.map(|x| run(self.line.at(y), x, span)),
            residuals: [beside.map(|x| run(self.own.at(y), x, span)), others_above[0]],
            colors: [[-1, 1].map(|x| m.at(half, x, span)), others_above[1]],
            greens,
        };
        between(simd, green, share, sides, clipping, out[2 * own + half]);
        let sides = Sides {
            lines: [-1, 1].map(|k| run(self.line.at(y + k), 0, span)),
            residuals: [others[0], [-1, 1].map(|k| run(self.own.at(y + k), 0, span))],
            colors: [others[1], [-1, 1].map(|k| taken.mosaic.at(y + k).at(half, 0, span))],
            greens,
        };
        between(simd, green, share, sides, clipping, out[2 * other + half]);
    }
}

/// Where the columns to the west and to the east of a half stand in the other one.
#[inline(always)]
fn beside(half: usize) -> [isize; 2] {
    [(half as isize - 1) >> 1, (half as isize + 1) >> 1]
}

/// A colour beside some green sites: pairs are west and east, north and south.
struct Sides<'a> {
    /// Smoothed lines on the two sides that have them.
    lines: [&'a [Block]; 2],
    residuals: [[&'a [Block]; 2]; 2],
    colors: [[&'a [Block]; 2]; 2],
    greens: [[&'a [Block]; 2]; 2],
}

/// Steps 9 and 10 for one colour at some green sites.
#[inline(always)]
fn between<S: Simd>(
    simd: S,
    green: &[Block],
    share: &[Block],
    sides: Sides<'_>,
    clipping: Option<Excess<'_>>,
    out: &mut [f32],
) {
    let len = green.len();
    let share = &share[..len];
    let [first, second] = cut(sides.lines, len);
    let [[w, e], [n, s]] = each(|k| cut(sides.residuals[k], len));
    for i in 0..len {
        let h = load(simd, &share[i]);
        let rest = f32x16::splat(simd, 0.5) - h;
        let r = h * (load(simd, &w[i]) + load(simd, &e[i]))
            + rest * (load(simd, &n[i]) + load(simd, &s[i]));
        let line = (load(simd, &first[i]) + load(simd, &second[i])) * 0.5;
        let here = load(simd, &green[i]);
        let mut color = line * here + r;
        if let Some(excess) = &clipping {
            let [colors, greens] = [sides.colors, sides.greens]
                .map(|pairs| each(|k| load(simd, &pairs[k / 2][k % 2][i])));
            let kept = among(color, here, colors, greens);
            color = over(simd, excess, i).select(kept, color);
        }
        store(decode(color), i, out);
    }
}

/// Step 8: the Laplacian of some sites.
#[inline(always)]
fn laplacian<S: Simd>(simd: S, p: &[&[Block]; 5], i: usize) -> f32x16<S> {
    let sides = load(simd, &p[1][i]) + load(simd, &p[2][i]);
    load(simd, &p[0][i]) * 4.0 - (sides + (load(simd, &p[3][i]) + load(simd, &p[4][i])))
}

/// Step 9: changes from north-west to south-east, or the other way round, summed along the row.
#[inline(always)]
fn changes<S: Simd>(simd: S, from: [&[Block]; 5], to: [&[Block]; 5], out: &mut [Block]) {
    let (from, to) = (cut(from, out.len()), cut(to, out.len()));
    for (i, out) in out.iter_mut().enumerate() {
        let west = (load(simd, &to[2][i]) - load(simd, &from[0][i])).abs();
        let here = (load(simd, &to[3][i]) - load(simd, &from[1][i])).abs();
        let east = (load(simd, &to[4][i]) - load(simd, &from[2][i])).abs();
        *out = (here + (west + east)).to_array();
    }
}

/// Sites of a lattice and their four neighbours on it.
#[inline(always)]
fn cross(ring: &Ring<Row>, y: i64, half: usize, span: Span) -> [&[Block]; 5] {
    [(0, 0), (-2, 0), (2, 0), (0, -2), (0, 2)].map(|(x, k)| ring.at(y + k).at(half, x, span))
}

/// Sums of five along the row.
#[inline(always)]
fn sum_along<S: Simd>(simd: S, from: &[f32], to: &mut [f32], span: Span) {
    let parts: [&[Block]; 5] = each(|k| run(from, k as isize - 2, span));
    for (i, sum) in run_mut(to, span).iter_mut().enumerate() {
        *sum = spread(simd, &parts, i).to_array();
    }
}

/// Step 10.
#[inline(always)]
fn decode<S: Simd>(v: f32x16<S>) -> f32x16<S> {
    v * (v.abs() + 2.0 * TOE)
}

#[inline(always)]
fn store_all<S: Simd>(simd: S, from: &[Block], out: &mut [f32]) {
    for (i, block) in from.iter().enumerate() {
        store(decode(load(simd, block)), i, out);
    }
}

/// Writes block `i` of `out`, or what there is of it.
#[inline(always)]
fn store<S: Simd>(v: f32x16<S>, i: usize, out: &mut [f32]) {
    let block = v.to_array();
    let end = out.len().min((i + 1) * LANES);
    let out = &mut out[i * LANES..end];
    out.copy_from_slice(&block[..out.len()]);
}
