//! The arithmetic that steps share, and what they know of clipped photosites.

use super::Clips;
use crate::ops::debayer_mhc::cpu::RowColors;
use crate::ops::debayer_ri::encode::TOE;
use crate::ops::rows::{Block, Half, Row, Spans, least, load, most, run_mut};
use fearless_simd::prelude::*;
use fearless_simd::{Simd, f32x16, mask32x16};

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
        let [a, b, c, d, e] = row.along(half, span);
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

/// Step 1; returns whether a photosite is clipped, that is, reaches `clip`.
#[inline(always)]
pub(super) fn encode<S: Simd>(simd: S, from: &[f32], clip: f32, to: &mut Half) -> bool {
    let mut peak = f32x16::splat(simd, f32::NEG_INFINITY);
    for (to, from) in to.row_mut().iter_mut().zip(from.as_chunks().0) {
        let v = load(simd, from);
        let v = ((v.abs() + TOE * TOE).sqrt() - TOE).copysign(v);
        // What is not a number is not clipped.
        peak = most(v, peak);
        *to = v.to_array();
    }
    peak.to_array().iter().any(|v| *v >= clip)
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
