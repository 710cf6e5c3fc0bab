//! Compression into the limiting gamut: the lines along which colours are pulled in, and pushed
//! out on the way back. Apart because a line is found in steps, each in a loop of its own.

use super::{Constants, G_INVERSE, Hue};
use crate::color::math::{log2, pick, pow};
use platefarm_model::color::aces2::{COMPRESSION_THRESHOLD, SMOOTH_CUSPS};
use std::f32::consts::LOG10_2;

/// Part of the gamut that is not compressed.
const THRESHOLD: f32 = COMPRESSION_THRESHOLD as f32;

impl Constants {
    /// Where the lines of compression about a colour come from: one over their gain, and their focus.
    #[inline(always)]
    pub(super) fn focus(&self, gain_j: f32, hue: &Hue) -> [f32; 2] {
        let weight = (1.3 - hue.cusp_j * self.per_limit_j).min(1.0);
        let focus = hue.cusp_j + (self.mid_j - hue.cusp_j) * weight;
        let threshold = self.threshold(hue);
        let above = log2((self.limit_j - threshold) / (self.limit_j - gain_j).max(1e-4)) * LOG10_2;
        let above = pick(gain_j > threshold, above * above, 0.0);
        [1.0 / (self.focus_gain * (1.0 + above)), focus]
    }

    /// The line through a colour: where it meets the axis, its slope, and where that through the cusp does.
    #[inline(always)]
    pub(super) fn meet(&self, j: f32, m: f32, [per_gain, focus]: [f32; 2], hue: &Hue) -> [f32; 3] {
        let limit = self.limit_j;
        let per = [per_gain, 1.0 / focus];
        let at = intersect(j, m, focus, limit, per);
        let room = pick(at < focus, at, limit - at);
        let slope = room * (at - focus) * (per[0] * per[1]);
        [at, slope, intersect(hue.cusp_j, hue.cusp_m, focus, limit, per)]
    }

    /// Where a line leaves the gamut below its cusp.
    #[inline(always)]
    pub(super) fn low(&self, [at, slope, cusp_at]: [f32; 3], hue: &Hue) -> f32 {
        leaves(at / cusp_at, slope, self.lower, [hue.cusp_j, hue.cusp_m], cusp_at)
    }

    /// Where it leaves the gamut: as it does above its cusp, below, or a little before both.
    #[inline(always)]
    pub(super) fn boundary(&self, [at, slope, cusp_at]: [f32; 3], low: f32, hue: &Hue) -> f32 {
        let limit = self.limit_j;
        let (down, cusp_down) = (limit - at, limit - cusp_at);
        let cusp = [limit - hue.cusp_j, hue.cusp_m];
        let high = leaves(down / cusp_down, -slope, hue.upper, cusp, cusp_down);
        let k = hue.cusp_m * SMOOTH_CUSPS as f32;
        let h = (k - (low - high).abs()).max(0.0) / k;
        low.min(high) - h * h * h * k * (1.0 / 6.0)
    }

    /// Where it leaves what is ever reached.
    #[inline(always)]
    pub(super) fn reach(&self, at: f32, slope: f32, hue: &Hue) -> f32 {
        let limit = self.limit_j;
        leaves(at * self.per_limit_j, slope, G_INVERSE, [limit, hue.reach_m], limit)
    }

    /// Lightness and colourfulness within the limiting gamut.
    #[inline(always)]
    pub(super) fn pull(&self, j: f32, m: f32, line: &Line) -> [f32; 2] {
        let (threshold, scale, keep) = line.curve();
        let over = m - threshold;
        let pulled = threshold + scale * (over / (scale + over));
        self.along(j, m, line, pick(keep | (m <= threshold), m, pulled))
    }

    /// Lightness from which a line of compression depends on the lightness.
    #[inline(always)]
    pub(super) fn threshold(&self, hue: &Hue) -> f32 {
        hue.cusp_j + (self.limit_j - hue.cusp_j) * 0.3
    }

    /// The way back of [`pull`](Self::pull).
    #[inline(always)]
    pub(super) fn push(&self, j: f32, m: f32, line: &Line) -> [f32; 2] {
        let (threshold, scale, keep) = line.curve();
        let over = m - threshold;
        let pushed = threshold + scale * pick(over >= scale, 1.0, over / (scale - over));
        self.along(j, m, line, pick(keep | (m <= threshold), m, pushed))
    }

    /// A colour moved along its line. Black, grey, and what is brighter than the peak are not on any.
    #[inline(always)]
    fn along(&self, j: f32, m: f32, line: &Line, moved: f32) -> [f32; 2] {
        let inside = line.at + moved * line.slope;
        let grey = (m <= 0.0) | (j > self.limit_j) | (line.boundary <= 0.0);
        let lit = j > 0.0;
        [pick(lit, pick(grey, j, inside), 0.0), pick(lit & !grey, moved, 0.0)]
    }
}

/// A line of compression: where it meets the axis, its slope, and where it leaves the gamut and the reach.
pub(super) struct Line {
    pub(super) at: f32,
    pub(super) slope: f32,
    pub(super) boundary: f32,
    pub(super) reach: f32,
}

impl Line {
    /// Colourfulness from which the compression works, its scale, and whether there is nothing to do.
    #[inline(always)]
    fn curve(&self) -> Curve {
        let part = (self.boundary / self.reach).max(THRESHOLD);
        let threshold = part * self.boundary;
        let out = self.boundary - threshold;
        let most = self.reach - threshold;
        let scale = most * out / (most - out);
        (threshold, scale, part >= 1.0)
    }
}

type Curve = (f32, f32, bool);

/// Lightness at which the line through a colour meets the axis. One over gain and over focus are known.
#[inline(always)]
fn intersect(j: f32, m: f32, focus: f32, limit: f32, [per_gain, per_focus]: [f32; 2]) -> f32 {
    let scaled = m * per_gain;
    let a = scaled * per_focus;
    let below = j < focus;
    let b = pick(below, 1.0 - scaled, -(1.0 + scaled + limit * a));
    let c = pick(below, -j, limit * scaled + j);
    let root = (b * b - 4.0 * a * c).max(0.0).sqrt();
    -2.0 * c / pick(below, b + root, b - root)
}

/// Colourfulness at which a line, by the part of a reference where it meets
/// the axis, leaves a hull of one exponent.
#[inline(always)]
fn leaves(part: f32, slope: f32, inverse: f32, [max_j, max_m]: [f32; 2], reference: f32) -> f32 {
    reference * pow(part, inverse) * max_m / (max_j - slope * max_m)
}
