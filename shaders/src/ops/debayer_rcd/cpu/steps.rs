//! The arithmetic of the steps, on blocks of values side by side.
//!
//! Everything is inlined into the one function that has the instruction set,
//! and no closure stands in a loop: a closure would leave that function, and
//! take its values through memory.

use super::super::{CALM, FLOOR, LIMIT, NEAR, PEDESTAL, SMALL, TINY};
use crate::ops::debayer_ri::encode::TOE;
use crate::ops::rows::{Block, cut, each, least, load, most};
use fearless_simd::prelude::*;
use fearless_simd::{Simd, f32x16};

/// Block `i` of each run.
macro_rules! loads {
    ($simd:ident, $i:ident, $runs:expr, $($k:literal)*) => {
        [$(load($simd, &$runs[$k][$i])),*]
    };
}

/// Linear values into the encoding in which everything below happens.
#[inline(always)]
pub(super) fn encode<S: Simd>(simd: S, from: &[f32], to: &mut [Block]) {
    for (to, from) in to.iter_mut().zip(from.as_chunks().0) {
        let v = load(simd, from);
        let root = (v.abs() + TOE * TOE).sqrt() - TOE;
        *to = (root.copysign(v) + PEDESTAL).to_array();
    }
}

#[inline(always)]
fn decode<S: Simd>(v: f32x16<S>) -> Block {
    let v = v - PEDESTAL;
    (v * (v.abs() + 2.0 * TOE)).to_array()
}

/// North and south, and what is between them times `weight`.
#[inline(always)]
fn column<S: Simd>([n, c, s]: [f32x16<S>; 3], weight: f32) -> f32x16<S> {
    (n + s) + c * weight
}

#[inline(always)]
pub(super) fn low_pass<S: Simd>(
    simd: S,
    [north, middle, south]: [[&[Block]; 3]; 3],
    out: &mut [Block],
) {
    let n = out.len();
    let (north, middle, south) = (cut(north, n), cut(middle, n), cut(south, n));
    let floor = f32x16::splat(simd, FLOOR);
    for i in 0..n {
        let [nw, n, ne] = loads!(simd, i, north, 0 1 2);
        let [w, c, e] = loads!(simd, i, middle, 0 1 2);
        let [sw, s, se] = loads!(simd, i, south, 0 1 2);
        let sides = column([nw, w, sw], 2.0) + column([ne, e, se], 2.0);
        let sum = sides + column([n, c, s], 2.0) * 2.0;
        out[i] = most(sum, floor).to_array();
    }
}

#[inline(always)]
pub(super) fn estimate<S: Simd>(
    simd: S,
    line: [&[Block]; 7],
    low: [&[Block]; 3],
    sign: f32,
    out: &mut [Block],
) {
    let n = out.len();
    let (line, low) = (cut(line, n), cut(low, n));
    for i in 0..n {
        let [www, ww, w, c, e, ee, eee] = loads!(simd, i, line, 0 1 2 3 4 5 6);
        let [low_w, low, low_e] = loads!(simd, i, low, 0 1 2);
        let near = (w - e).abs() + NEAR;
        let rough_w = near + ((c - ww).abs() + (w - www).abs());
        let rough_e = near + ((c - ee).abs() + (e - eee).abs());
        let (sum_w, sum_e) = (low + low_w, low + low_e);
        let weighted = w * (rough_e * sum_e) + e * (rough_w * sum_w);
        let guess = ((low * 2.0) * weighted) / ((rough_w + rough_e) * (sum_w * sum_e));
        out[i] = ((guess - c) * sign).to_array();
    }
}

#[inline(always)]
pub(super) fn change<S: Simd>(simd: S, before: &[Block], after: &[Block], out: &mut [Block]) {
    for ((out, before), after) in out.iter_mut().zip(before).zip(after) {
        let change = load(simd, after) - load(simd, before);
        *out = (change * change).to_array();
    }
}

/// The sum of three columns by three rows.
#[inline(always)]
fn square<S: Simd>([west, here, east]: [[f32x16<S>; 3]; 3]) -> f32x16<S> {
    (column(west, 1.0) + column(east, 1.0)) + (column(here, 1.0) + SMALL)
}

/// How much of green comes from along the row.
#[inline(always)]
pub(super) fn directions<S: Simd>(
    simd: S,
    along: [[&[Block]; 3]; 3],
    down: [[&[Block]; 3]; 3],
    out: &mut [Block],
) {
    let n = out.len();
    let along: [[&[Block]; 3]; 3] = each(|k| cut(along[k], n));
    let down: [[&[Block]; 3]; 3] = each(|k| cut(down[k], n));
    for i in 0..n {
        let along = [
            loads!(simd, i, along[0], 0 1 2),
            loads!(simd, i, along[1], 0 1 2),
            loads!(simd, i, along[2], 0 1 2),
        ];
        let down = [
            loads!(simd, i, down[0], 0 1 2),
            loads!(simd, i, down[1], 0 1 2),
            loads!(simd, i, down[2], 0 1 2),
        ];
        let (along, down) = (square(along), square(down));
        let (along, down) = (along * along, down * down);
        out[i] = (down / (down + along)).to_array();
    }
}

/// A difference of colours, smoothed along its line as far as it alternates
/// from site to site (which is what a wrong guess does) rather than changes.
#[inline(always)]
fn smooth<S: Simd>(v: [f32x16<S>; 9]) -> f32x16<S> {
    let (wild_w, wild, wild_e) = (wild(v, 3), wild(v, 4), wild(v, 5));
    let alternates = wild * wild + (wild_w * wild_w + wild_e * wild_e) * 0.5;
    let (near_w, near_e) = (calm(v, 2), calm(v, 6));
    let (near, far) = (near_e - near_w, calm(v, 7) - calm(v, 1));
    let changes = (near * near + far * far) * CALM + TINY;
    let part = alternates / (alternates + changes);
    let bend = (near_w + near_e) - calm(v, 4) * 2.0;
    v[4] + (bend * 0.0625 - wild * 0.25) * part
}

/// Four times the mean of value `k` and those beside it.
#[inline(always)]
fn calm<S: Simd>(v: [f32x16<S>; 9], k: usize) -> f32x16<S> {
    (v[k - 1] + v[k + 1]) + v[k] * 2.0
}

/// Twice the distance of value `k` from the mean of those beside it.
#[inline(always)]
fn wild<S: Simd>(v: [f32x16<S>; 9], k: usize) -> f32x16<S> {
    v[k] * 2.0 - (v[k - 1] + v[k + 1])
}

/// Green at the sites of another colour, and that colour minus it. `green`
/// comes with the part that is to be taken along the row.
#[inline(always)]
pub(super) fn greens<S: Simd>(
    simd: S,
    c: &[Block],
    around: [&[Block]; 4],
    along: [&[Block]; 9],
    down: [&[Block]; 9],
    green: &mut [Block],
    difference: &mut [Block],
) {
    let n = green.len();
    let (c, around) = (&c[..n], cut(around, n));
    let (along, down) = (cut(along, n), cut(down, n));
    let difference = &mut difference[..n];
    for i in 0..n {
        let along = smooth(loads!(simd, i, along, 0 1 2 3 4 5 6 7 8));
        let down = smooth(loads!(simd, i, down, 0 1 2 3 4 5 6 7 8));
        let c = load(simd, &c[i]);
        let guess = c + (down + (along - down) * load(simd, &green[i]));
        let [n, s, w, e] = loads!(simd, i, around, 0 1 2 3);
        let (low, high) = (least(least(n, s), least(w, e)), most(most(n, s), most(w, e)));
        let room = (high - low) * LIMIT;
        let kept = least(most(guess, low - room), high + room);
        green[i] = kept.to_array();
        difference[i] = (c - kept).to_array();
    }
}

/// Weights of four neighbours, first the two of one line and then those of the
/// other: the inverse of how rough the way to each is, but for a factor. Their
/// green is `near`, twice as far it is `far`, and `across` stands for each line.
#[inline(always)]
fn weights<S: Simd>(
    green: f32x16<S>,
    across: [f32x16<S>; 2],
    near: [f32x16<S>; 4],
    far: [f32x16<S>; 4],
) -> [f32x16<S>; 4] {
    let a = across[0] + ((green - far[0]).abs() + (green - near[0]).abs());
    let b = across[0] + ((green - far[1]).abs() + (green - near[1]).abs());
    let c = across[1] + ((green - far[2]).abs() + (green - near[2]).abs());
    let d = across[1] + ((green - far[3]).abs() + (green - near[3]).abs());
    let (first, second) = (a * b, c * d);
    [b * second, a * second, d * first, c * first]
}

#[inline(always)]
fn sum<S: Simd>(v: [f32x16<S>; 4]) -> f32x16<S> {
    (v[0] + v[1]) + (v[2] + v[3])
}

#[inline(always)]
fn weighted<S: Simd>(w: [f32x16<S>; 4], v: [f32x16<S>; 4]) -> f32x16<S> {
    sum([w[0] * v[0], w[1] * v[1], w[2] * v[2], w[3] * v[3]])
}

/// The difference from green that the sites around in the corners have, at a
/// site that has neither.
#[inline(always)]
pub(super) fn opposite<S: Simd>(
    simd: S,
    green: &[Block],
    corner: [&[Block]; 4],
    corner_green: [&[Block]; 4],
    far_green: [&[Block]; 4],
    difference: [&[Block]; 4],
    out: &mut [Block],
) {
    let n = out.len();
    let green = &green[..n];
    let (corner, corner_green) = (cut(corner, n), cut(corner_green, n));
    let (far_green, difference) = (cut(far_green, n), cut(difference, n));
    for i in 0..n {
        let green = load(simd, &green[i]);
        let [nw, se, ne, sw] = loads!(simd, i, corner, 0 1 2 3);
        let across = [(nw - se).abs() + NEAR, (ne - sw).abs() + NEAR];
        let near = loads!(simd, i, corner_green, 0 1 2 3);
        let far = loads!(simd, i, far_green, 0 1 2 3);
        let weights = weights(green, across, near, far);
        let difference = loads!(simd, i, difference, 0 1 2 3);
        out[i] = (weighted(weights, difference) / sum(weights)).to_array();
    }
}

#[inline(always)]
pub(super) fn color_site<S: Simd>(
    simd: S,
    i: usize,
    green: &[Block],
    red: &[Block],
    blue: &[Block],
) -> [Block; 3] {
    let [green, red, blue] = loads!(simd, i, [green, red, blue], 0 1 2);
    [decode(green + red), decode(green), decode(green + blue)]
}

/// Red and blue at the sites of green, from north, south, west and east.
#[inline(always)]
pub(super) fn green_site<S: Simd>(
    simd: S,
    i: usize,
    green: &[Block],
    near: [&[Block]; 4],
    far: [&[Block]; 4],
    red: [&[Block]; 4],
    blue: [&[Block]; 4],
) -> [Block; 3] {
    let green = load(simd, &green[i]);
    let near = loads!(simd, i, near, 0 1 2 3);
    let red = loads!(simd, i, red, 0 1 2 3);
    let blue = loads!(simd, i, blue, 0 1 2 3);
    let across = [
        (apart(near, red, 0) + apart(near, blue, 0)) * 0.5 + NEAR,
        (apart(near, red, 2) + apart(near, blue, 2)) * 0.5 + NEAR,
    ];
    let weights = weights(green, across, near, loads!(simd, i, far, 0 1 2 3));
    let total = sum(weights);
    let red = green + weighted(weights, red) / total;
    let blue = green + weighted(weights, blue) / total;
    [decode(red), decode(green), decode(blue)]
}

/// How far the colour of neighbour `k` is from that of the next.
#[inline(always)]
fn apart<S: Simd>(green: [f32x16<S>; 4], color: [f32x16<S>; 4], k: usize) -> f32x16<S> {
    ((green[k] + color[k]) - (green[k + 1] + color[k + 1])).abs()
}
