//! Steps 2, 3 and 6: how much of their detail both colours share. Squares and
//! products of band passes, their sums, and what follows from them.
//!
//! The sums read more rows than all other steps together, so that this is where
//! most of the time goes.

use super::row::{Excess, over, within};
use crate::ops::debayer_ri::{APART, GAIN, ROOM, SLOPE, STEEP, TINY};
use crate::ops::rows::{Block, cut, each, least, load, most};
use fearless_simd::prelude::*;
use fearless_simd::{Simd, f32x16};

/// Step 2: squares and products of the band passes of some sites, from four
/// places before them to four behind.
#[inline(always)]
pub(super) fn products<S: Simd>(
    simd: S,
    sites: [&[Block]; 9],
    coloured: bool,
    [gg, cc, gc]: [&mut [Block]; 3],
) {
    let (oo, pp) = if coloured { (cc, gg) } else { (gg, cc) };
    let len = gc.len();
    let (oo, pp) = (&mut oo[..len], &mut pp[..len]);
    let [a4, a3, a2, a1, _, b1, b2, b3, b4] = cut(sites, len);
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

/// What a gain is fitted to.
pub(super) struct Along<'a> {
    /// Products of band passes at eleven places along the axis.
    pub(super) products: [&'a [Block]; 11],
    /// Blocks from one of the three to the next.
    pub(super) apart: usize,
    /// Photosites from two places before to two behind.
    pub(super) sites: [&'a [Block]; 5],
    pub(super) clipping: Option<Excess<'a>>,
}

/// Blocks that sums of many runs are made of at a time, so that the runs are looked up once for
/// all of them.
const TOGETHER: usize = 2;

/// Steps 3 and 4: sums, gain and difference of some sites, all of them green or all coloured.
#[inline(always)]
pub(super) fn fit<S: Simd>(
    simd: S,
    coloured: bool,
    along: &Along<'_>,
    mut sums: [&mut [Block]; 3],
    d: &mut [Block],
) {
    let whole = d.len() - d.len() % TOGETHER;
    for at in (0..whole).step_by(TOGETHER) {
        fit_blocks::<S, TOGETHER>(simd, coloured, along, &mut sums, d, at);
    }
    for at in whole..d.len() {
        fit_blocks::<S, 1>(simd, coloured, along, &mut sums, d, at);
    }
}

/// Some blocks of it.
#[inline(always)]
fn fit_blocks<S: Simd, const N: usize>(
    simd: S,
    coloured: bool,
    along: &Along<'_>,
    [ggs, ccs, gcs]: &mut [&mut [Block]; 3],
    d: &mut [Block],
    at: usize,
) {
    let gg = spreads::<S, N, 11>(simd, &along.products, at);
    store(&gg, ggs, at);
    let cc = spreads::<S, N, 11>(simd, &along.products, at + along.apart);
    store(&cc, ccs, at);
    let gc = spreads::<S, N, 11>(simd, &along.products, at + 2 * along.apart);
    store(&gc, gcs, at);
    let own = if coloured { cc } else { gg };
    let sign = if coloured { -1.0 } else { 1.0 };
    let [m0, m1, m2, m3, m4] = each(|k| some::<N>(along.sites[k], at));
    let (low, high) = (f32x16::splat(simd, -STEEP), f32x16::splat(simd, STEEP));
    let d = &mut d[at..at + N];
    for i in 0..N {
        let a = within((gc[i] + SLOPE) / (own[i] + SLOPE), low, high);
        let (before, behind) = (load(simd, &m1[i]), load(simd, &m3[i]));
        let mean = (before + behind) * 0.5;
        let here = load(simd, &m2[i]);
        let lap = ((here + here) - (load(simd, &m0[i]) + load(simd, &m4[i]))) * 0.25;
        let mut other = mean + a * lap;
        if let Some(excess) = &along.clipping {
            let (low, high) = (least(before, behind), most(before, behind));
            let room = (high - low) * ROOM;
            let kept = within(other, low - room, high + room);
            other = over(simd, excess, at + i).select(kept, other);
        }
        d[i] = ((here - other) * sign).to_array();
    }
}

/// Writes some blocks from block `at` on.
#[inline(always)]
fn store<S: Simd, const N: usize>(from: &[f32x16<S>; N], to: &mut [Block], at: usize) {
    for (to, from) in to[at..at + N].iter_mut().zip(from) {
        *to = from.to_array();
    }
}

/// Sums of the horizontal axis on five rows, and of the vertical one on five columns.
pub(super) struct Both<'a> {
    pub(super) along: [&'a [Block]; 5],
    pub(super) beside: [&'a [Block]; 5],
    /// As [`Along::apart`].
    pub(super) apart: usize,
}

/// Step 6.
#[inline(always)]
pub(super) fn roughness<S: Simd>(simd: S, sums: &Both<'_>, out: &mut [Block]) {
    let whole = out.len() - out.len() % TOGETHER;
    for at in (0..whole).step_by(TOGETHER) {
        rough_blocks::<S, TOGETHER>(simd, sums, out, at);
    }
    for at in whole..out.len() {
        rough_blocks::<S, 1>(simd, sums, out, at);
    }
}

/// Some blocks of it.
#[inline(always)]
fn rough_blocks<S: Simd, const N: usize>(simd: S, sums: &Both<'_>, out: &mut [Block], at: usize) {
    let (along, beside) = (&sums.along, &sums.beside);
    let [cc_at, gc_at] = [at + sums.apart, at + 2 * sums.apart];
    let (ggh, ggv) = (spreads::<S, N, 5>(simd, along, at), spreads::<S, N, 5>(simd, beside, at));
    let cch = spreads::<S, N, 5>(simd, along, cc_at);
    let ccv = spreads::<S, N, 5>(simd, beside, cc_at);
    let gch = spreads::<S, N, 5>(simd, along, gc_at);
    let gcv = spreads::<S, N, 5>(simd, beside, gc_at);
    let out = &mut out[at..at + N];
    for i in 0..N {
        let (gg, cc, gc) = (ggh[i] + ggv[i], cch[i] + ccv[i], gch[i] + gcv[i]);
        let (s, u) = (gg + cc, gg - cc);
        let q = (u * u) / ((gg * cc + (s * s) * 0.001) + TINY * TINY) * GAIN;
        let o = (s - (gc + gc)) / (s + TINY) * APART;
        out[i] = ((q * q + 1.0) + o * o).to_array();
    }
}

/// As [`spread`](super::row::spread), of some blocks.
#[inline(always)]
fn spreads<S: Simd, const N: usize, const K: usize>(
    simd: S,
    parts: &[&[Block]; K],
    at: usize,
) -> [f32x16<S>; N] {
    let middle = some::<N>(parts[K / 2], at);
    let mut sums = [f32x16::splat(simd, 0.0); N];
    for i in 0..N {
        sums[i] = load(simd, &middle[i]);
    }
    for k in 1..=K / 2 {
        let before = some::<N>(parts[K / 2 - k], at);
        let behind = some::<N>(parts[K / 2 + k], at);
        for i in 0..N {
            sums[i] += load(simd, &before[i]) + load(simd, &behind[i]);
        }
    }
    sums
}

/// `N` blocks from block `at` on.
#[inline(always)]
fn some<const N: usize>(run: &[Block], at: usize) -> &[Block; N] {
    run[at..].first_chunk().expect("a run is as long as its span")
}
