//! Blocks of pixels through the steps of the transform: loops that become vector code, with the
//! lookups by hue in one of their own.
//!
//! A pixel is one long chain of powers, quotients and roots, each of which waits for the last. So
//! the loops are short, about one power each: several pixels' chains are under way at a time then,
//! and the units for quotients and products have work.

use super::gamut::Line;
use super::{Constants, G, G_INVERSE, Hue, Output2, apply, map, respond, unrespond};
use crate::color::math::{angle_degrees, pick, pow};
use fearless_simd::{Level, dispatch};

/// Pixels that go through the passes together: their intermediate values stay in the nearest cache.
pub const BLOCK: usize = 128;

type Values = [f32; BLOCK];
/// Values of the longest vector.
const LANES: usize = 16;

/// Intermediate values of a block.
#[derive(Clone, Copy)]
struct Block {
    /// Achromatic response; 0 or less where there is no light.
    a: Values,
    /// Lightness.
    j: Values,
    /// Colourfulness.
    m: Values,
    cos: Values,
    sin: Values,
    degrees: Values,
    /// By hue: cusp's J and M, one over the upper exponent, reach.
    cusp_j: Values,
    cusp_m: Values,
    upper: Values,
    reach_m: Values,
    rgb: [Values; 3],
}

impl Block {
    const EMPTY: Self = Self {
        rgb: [[0.0; BLOCK]; 3],
        a: [0.0; BLOCK],
        j: [0.0; BLOCK],
        m: [0.0; BLOCK],
        cos: [0.0; BLOCK],
        sin: [0.0; BLOCK],
        degrees: [0.0; BLOCK],
        cusp_j: [0.0; BLOCK],
        cusp_m: [0.0; BLOCK],
        upper: [0.0; BLOCK],
        reach_m: [0.0; BLOCK],
    };

    #[inline(always)]
    fn hue(&self, i: usize) -> Hue {
        Hue {
            cusp_j: self.cusp_j[i],
            cusp_m: self.cusp_m[i],
            upper: self.upper[i],
            reach_m: self.reach_m[i],
        }
    }

    /// Opponent signals to colourfulness and hue.
    #[inline(always)]
    fn set(&mut self, i: usize, [a, x, y]: [f32; 3]) {
        let m = (x * x + y * y).sqrt();
        let coloured = m > 0.0;
        let scale = 1.0 / pick(coloured, m, 1.0);
        let (cos, sin) = (pick(coloured, x * scale, 1.0), y * scale);
        self.a[i] = a;
        self.m[i] = m;
        self.cos[i] = cos;
        self.sin[i] = sin;
        self.degrees[i] = angle_degrees(cos, sin);
    }

    #[inline(always)]
    fn pixel(&self, i: usize) -> [f32; 3] {
        [self.rgb[0][i], self.rgb[1][i], self.rgb[2][i]]
    }

    #[inline(always)]
    fn set_pixel(&mut self, i: usize, [r, g, b]: [f32; 3]) {
        self.rgb[0][i] = r;
        self.rgb[1][i] = g;
        self.rgb[2][i] = b;
    }

    #[inline(always)]
    fn store(&self, rgb: Rgb<'_>) {
        for (to, from) in rgb.into_iter().zip(&self.rgb) {
            *to = *from;
        }
    }

    #[inline(always)]
    fn look_up(&mut self, output: &Output2) {
        for i in 0..BLOCK {
            [self.cusp_j[i], self.cusp_m[i], self.upper[i], self.reach_m[i]] =
                output.look_up(self.degrees[i]);
        }
    }
}

type Rgb<'a> = [&'a mut Values; 3];

/// Bounds where there are any.
fn bounds(clamp: bool, low: f32, high: f32) -> [f32; 2] {
    if clamp { [low, high] } else { [f32::MIN, f32::MAX] }
}

/// The steps of the way to a display.
impl Block {
    /// Scene light (ACES2065-1) to achromatic response, colourfulness and hue.
    #[inline(always)]
    fn see(&mut self, o: &Constants, clamp: bool) {
        let [low, high] = bounds(clamp, 0.0, o.forward_limit);
        for i in 0..BLOCK {
            let ap1 = map(apply(&o.to_ap1, self.pixel(i)), |v| v.max(low).min(high));
            let cones = map(apply(&o.scene_cones, ap1), respond);
            self.set(i, apply(&o.scene_opponents, cones));
        }
    }

    /// The tone curve, and colourfulness that follows it.
    #[inline(always)]
    fn tone(&mut self, o: &Constants) {
        let lit = |a: f32| pick(a > 0.0, a, 1.0);
        let mut shown = self.a;
        for v in &mut shown {
            *v = unrespond(o.white_response * lit(*v)) * o.per_level;
        }
        for v in &mut shown {
            *v = o.tone(*v) * o.level;
        }
        for v in &mut shown {
            *v = respond(*v) / o.white_response;
        }
        for (i, shown) in shown.iter().enumerate() {
            self.j[i] = 100.0 * pow(*shown, G);
            self.m[i] *= *shown / lit(self.a[i]);
        }
        for (i, shown) in shown.iter().enumerate() {
            let norm = o.norm(self.cos[i], self.sin[i]);
            self.m[i] = o.compress_chroma(self.m[i], self.j[i], *shown, self.reach_m[i], norm);
        }
    }

    /// Into the limiting gamut.
    #[inline(always)]
    fn limit(&mut self, o: &Constants) {
        let lines = self.lines(o, &self.j, BLOCK);
        for i in 0..BLOCK {
            [self.j[i], self.m[i]] = o.pull(self.j[i], self.m[i], &lines.of(i));
        }
    }

    /// Linear light of the limiting gamut.
    #[inline(always)]
    fn show(&mut self, o: &Constants, clamp: bool) {
        let [low, high] = bounds(clamp, 0.0, o.peak);
        for v in &mut self.j {
            *v = pow(*v * 0.01, G_INVERSE);
        }
        for i in 0..BLOCK {
            let (a, m) = (self.j[i], self.m[i]);
            let responses = apply(&o.from_opponents, [a, m * self.cos[i], m * self.sin[i]]);
            let rgb = apply(&o.limit_cones, map(responses, unrespond));
            let lit = self.a[i] > 0.0;
            self.set_pixel(i, map(rgb, |v| pick(lit, v.max(low).min(high), 0.0)));
        }
    }
}

/// The lines of compression through a block's colours.
struct Lines {
    at: Values,
    slope: Values,
    boundary: Values,
    reach: Values,
}

impl Lines {
    #[inline(always)]
    fn of(&self, i: usize) -> Line {
        let Self { at, slope, boundary, reach } = self;
        Line { at: at[i], slope: slope[i], boundary: boundary[i], reach: reach[i] }
    }
}

impl Block {
    /// The lines through the first so many colours, of which a lightness says how steep they are.
    #[inline(always)]
    fn lines(&self, o: &Constants, gain_j: &Values, count: usize) -> Lines {
        let none = [0.0; BLOCK];
        let mut lines = Lines { at: none, slope: none, boundary: none, reach: none };
        let (mut per_gain, mut focus, mut cusp_at, mut low) = (none, none, none, none);
        for i in 0..count {
            [per_gain[i], focus[i]] = o.focus(gain_j[i], &self.hue(i));
        }
        for i in 0..count {
            [lines.at[i], lines.slope[i], cusp_at[i]] =
                o.meet(self.j[i], self.m[i], [per_gain[i], focus[i]], &self.hue(i));
        }
        for i in 0..count {
            low[i] = o.low([lines.at[i], lines.slope[i], cusp_at[i]], &self.hue(i));
        }
        for i in 0..count {
            let line = [lines.at[i], lines.slope[i], cusp_at[i]];
            lines.boundary[i] = o.boundary(line, low[i], &self.hue(i));
        }
        for i in 0..count {
            lines.reach[i] = o.reach(lines.at[i], lines.slope[i], &self.hue(i));
        }
        lines
    }
}

/// The steps of the way back.
impl Block {
    /// Linear light of the limiting gamut to achromatic response, colourfulness and hue.
    #[inline(always)]
    fn see_shown(&mut self, o: &Constants) {
        for i in 0..BLOCK {
            let limited = map(self.pixel(i), |v| v.max(0.0).min(o.peak));
            let cones = map(apply(&o.limit_to_cones, limited), respond);
            self.set(i, apply(&o.limit_opponents, cones));
        }
    }

    /// Out of the limiting gamut. Above a threshold the line depends on the
    /// lightness that is looked for, and the first round finds only about that:
    /// those pixels, a few of most pictures, are put together and done again.
    #[inline(always)]
    fn unlimit(&mut self, o: &Constants) {
        for (j, a) in self.j.iter_mut().zip(&self.a) {
            *j = 100.0 * pow(*a, G);
        }
        let lines = self.lines(o, &self.j, BLOCK);
        let mut once = ([0.0; BLOCK], [0.0; BLOCK]);
        let mut above = [0.0; BLOCK];
        for (i, above) in above.iter_mut().enumerate() {
            [once.0[i], once.1[i]] = o.push(self.j[i], self.m[i], &lines.of(i));
            *above = self.j[i] - o.threshold(&self.hue(i));
        }
        let mut which = [0_u8; BLOCK];
        let mut count = 0;
        for (i, above) in above.iter().enumerate() {
            which[count & (BLOCK - 1)] = i as u8;
            count += usize::from(*above > 0.0);
        }
        if count > 0 {
            self.again(o, &which[..count.min(BLOCK)], &mut once);
        }
        (self.j, self.m) = once;
    }

    /// Does some of the pixels again, with the lightness that was found.
    #[inline(always)]
    fn again(&self, o: &Constants, which: &[u8], once: &mut (Values, Values)) {
        // What was found takes the place of the response.
        let mut some = Self::EMPTY;
        for (i, at) in which.iter().enumerate() {
            let at = usize::from(*at) & (BLOCK - 1);
            (some.j[i], some.m[i], some.a[i]) = (self.j[at], self.m[at], once.0[at]);
            some.cusp_j[i] = self.cusp_j[at];
            some.cusp_m[i] = self.cusp_m[at];
            some.upper[i] = self.upper[at];
            some.reach_m[i] = self.reach_m[at];
        }
        // To the end of a vector, whatever its length.
        let count = which.len().next_multiple_of(LANES).min(BLOCK);
        let lines = some.lines(o, &some.a, count);
        for i in 0..count {
            [some.j[i], some.m[i]] = o.push(some.j[i], some.m[i], &lines.of(i));
        }
        for (i, at) in which.iter().enumerate() {
            let at = usize::from(*at) & (BLOCK - 1);
            (once.0[at], once.1[at]) = (some.j[i], some.m[i]);
        }
    }

    /// The tone curve back, and colourfulness that followed it.
    #[inline(always)]
    fn untone(&mut self, o: &Constants) {
        let mut shown = self.j;
        for v in &mut shown {
            *v = pow(*v * 0.01, G_INVERSE);
        }
        for (i, shown) in shown.iter().enumerate() {
            let norm = o.norm(self.cos[i], self.sin[i]);
            self.m[i] = o.expand_chroma(self.m[i], self.j[i], *shown, self.reach_m[i], norm);
        }
        let scene = &mut self.j;
        for (v, shown) in scene.iter_mut().zip(&shown) {
            *v = unrespond(o.white_response * *shown) * o.per_level;
        }
        for v in scene.iter_mut() {
            *v = o.untone(*v) * o.level;
        }
        for v in scene.iter_mut() {
            *v = respond(*v) / o.white_response;
        }
        for (i, shown) in shown.iter().enumerate() {
            self.m[i] *= self.j[i] / pick(*shown > 0.0, *shown, 1.0);
        }
    }

    /// Scene light (ACES2065-1) of the achromatic response, which stands in the place of lightness.
    #[inline(always)]
    fn light(&mut self, o: &Constants) {
        for i in 0..BLOCK {
            let (a, m) = (self.j[i], self.m[i]);
            let responses = apply(&o.scene_from_opponents, [a, m * self.cos[i], m * self.sin[i]]);
            let rgb = apply(&o.cones_to_ap0, map(responses, unrespond));
            let lit = self.a[i] > 0.0;
            self.set_pixel(i, map(rgb, |v| pick(lit, v, 0.0)));
        }
    }
}

/// Scene light (ACES2065-1) to linear light of the limiting gamut, in place,
/// within 0 and the peak. `clamp` off leaves out the clamps at both ends.
#[inline(always)]
fn forward_block(output: &Output2, rgb: Rgb<'_>, clamp: bool) {
    let mut block = Block::EMPTY;
    let o = output.constants;
    block.rgb = rgb.each_ref().map(|v| **v);
    block.see(&o, clamp);
    block.look_up(output);
    block.tone(&o);
    block.limit(&o);
    block.show(&o, clamp);
    block.store(rgb);
}

/// Linear light of the limiting gamut to scene light, in place.
#[inline(always)]
fn inverse_block(output: &Output2, rgb: Rgb<'_>) {
    let mut block = Block::EMPTY;
    let o = output.constants;
    block.rgb = rgb.each_ref().map(|v| **v);
    block.see_shown(&o);
    block.look_up(output);
    block.unlimit(&o);
    block.untone(&o);
    block.light(&o);
    block.store(rgb);
}

/// Scene light (ACES2065-1) to linear light of the limiting gamut, in place.
pub fn forward(level: Level, output: &Output2, rgb: [&mut [f32]; 3]) {
    blocks(rgb, |block| dispatch!(level, _simd => forward_block(output, block, true)));
}

/// [`forward`] without the clamps before and after.
pub fn core(level: Level, output: &Output2, rgb: [&mut [f32]; 3]) {
    blocks(rgb, |block| dispatch!(level, _simd => forward_block(output, block, false)));
}

/// Linear light of the limiting gamut to scene light (ACES2065-1), in place.
pub fn inverse(level: Level, output: &Output2, rgb: [&mut [f32]; 3]) {
    blocks(rgb, |block| dispatch!(level, _simd => inverse_block(output, block)));
}

/// Cuts three runs of equal length into blocks; the last is filled up with black.
fn blocks([red, green, blue]: [&mut [f32]; 3], mut run: impl FnMut(Rgb<'_>)) {
    let (whole, rest) = red.as_chunks_mut();
    let (whole_g, rest_g) = green.as_chunks_mut();
    let (whole_b, rest_b) = blue.as_chunks_mut();
    for ((r, g), b) in whole.iter_mut().zip(whole_g).zip(whole_b) {
        run([r, g, b]);
    }
    if rest.is_empty() {
        return;
    }
    let mut last = [[0.0; BLOCK]; 3];
    let rests = [rest, rest_g, rest_b];
    for (to, from) in last.iter_mut().zip(&rests) {
        to[..from.len()].copy_from_slice(from);
    }
    run(last.each_mut());
    for (from, to) in last.iter().zip(rests) {
        to.copy_from_slice(&from[..to.len()]);
    }
}

#[cfg(test)]
#[path = "stages_tests.rs"]
mod tests;
