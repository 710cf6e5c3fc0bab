//! ACES 1.3 on pixels: what the Reference Rendering Transform does before its
//! tone curve, the tone curves, and both ways back. In f32, without branches.
//!
//! Source: ACES 1.3, `RRT`, `InvRRT`, `ACESlib.Tonescales`, `ACESlib.RRT_Common`.

use super::math::{angle_degrees, exp2, log2, pick};
use super::step::{Numbers, Rgb};
use fearless_simd::{Level, dispatch};
use platefarm_model::color::chain::Spline;
use std::f64::consts::LOG2_10;

/// AP0 to AP1 and back, as the transforms write them.
const AP0_TO_AP1: [f32; 9] = [
    1.451_439_3,
    -0.236_510_75,
    -0.214_928_57,
    -0.076_553_77,
    1.176_229_7,
    -0.099_675_93,
    0.008_316_148,
    -0.006_032_45,
    0.997_716_3,
];
const AP1_TO_AP0: [f32; 9] = [
    0.695_452_2,
    0.140_678_7,
    0.163_869_06,
    0.044_794_563,
    0.859_671_1,
    0.095_534_32,
    -0.005_525_883,
    0.004_025_21,
    1.001_500_7,
];
const HALF_MAX: f32 = 65504.0;

#[inline(always)]
fn held(m: &[f32; 9], [r, g, b]: Rgb) -> Rgb {
    let row = |i: usize| {
        let v = m[i] * r + m[i + 1] * g + m[i + 2] * b;
        v.clamp(0.0, HALF_MAX)
    };
    [row(0), row(3), row(6)]
}

#[inline(always)]
fn saturation(r: f32, g: f32, b: f32) -> f32 {
    let (largest, smallest) = (r.max(g).max(b), r.min(g).min(b));
    (largest.max(1e-10) - smallest.max(1e-10)) / largest.max(1e-2)
}

#[inline(always)]
fn brightness(r: f32, g: f32, b: f32) -> f32 {
    let chroma = (b * (b - g) + g * (g - r) + r * (r - b)).max(0.0).sqrt();
    (r + g + b + 1.75 * chroma) * (1.0 / 3.0)
}

/// Gain of the glow at a saturation.
#[inline(always)]
fn glow_gain(saturation: f32) -> f32 {
    let x = (saturation - 0.4) * 5.0;
    let t = (1.0 - (x * 0.5).abs()).max(0.0);
    0.025 * (1.0 + (1.0 - t * t).copysign(x))
}

/// Weight of the red modifier at the hue of a colour, times one less its scale.
#[inline(always)]
fn redness(r: f32, g: f32, b: f32) -> f32 {
    let degrees = angle_degrees(2.0 * r - g - b, 1.732_050_8 * (g - b));
    let u = (pick(degrees > 180.0, degrees - 360.0, degrees)).abs() * (4.0 / 135.0);
    let near = (4.0 - 6.0 * u * u + 3.0 * u * u * u) * (1.0 / 6.0);
    let v = (2.0 - u).max(0.0);
    0.27 * pick(u < 1.0, near, v * v * v * (1.0 / 6.0))
}

/// Glow, red modifier and desaturation: ACES2065-1 to ACEScg.
#[inline(always)]
pub(super) fn sweeten(_: &Numbers, [r, g, b]: Rgb) -> Rgb {
    let saturation = saturation(r, g, b);
    let bright = brightness(r, g, b);
    let gain = glow_gain(saturation);
    let middle = gain * (0.08 / bright - 0.5);
    let glow = pick(bright >= 0.16, 0.0, middle);
    let glow = 1.0 + pick(bright <= 2.0 / 3.0 * 0.08, gain, glow);
    let (r, g, b) = (r * glow, g * glow, b * glow);
    let r = r + redness(r, g, b) * saturation * (0.03 - r);
    let [r, g, b] = held(&AP0_TO_AP1, [r.max(0.0), g.max(0.0), b.max(0.0)]);
    let luma = 0.272_228_72 * r + 0.674_081_77 * g + 0.053_689_517 * b;
    [luma + 0.96 * (r - luma), luma + 0.96 * (g - luma), luma + 0.96 * (b - luma)]
}

/// What the glow is multiplied by to be undone, at the gain that it had.
#[inline(always)]
fn unglow(bright: f32, gain: f32) -> f32 {
    let middle = gain * (0.08 / bright - 0.5) / (gain * 0.5 - 1.0);
    let glow = pick(bright >= 0.16, 0.0, middle);
    let dark = bright <= (1.0 + gain) * (2.0 / 3.0 * 0.08);
    1.0 + pick(dark, -gain / (1.0 + gain), glow)
}

/// Rounds in which the way back settles: each takes four fifths of what is left.
const ROUNDS: usize = 8;

/// ACEScg to ACES2065-1. What glow and red modifier did depends on saturation
/// and hue of what went in, so that both are found in rounds. (The published
/// inverse takes the hue of what came out, which leaves a percent of red.)
#[inline(always)]
pub(super) fn unsweeten(_: &Numbers, [r, g, b]: Rgb) -> Rgb {
    let luma = 0.272_228_72 * r + 0.674_081_77 * g + 0.053_689_517 * b;
    let back = |v: f32| (luma + (v - luma) * 1.041_666_6).clamp(0.0, HALF_MAX);
    let [shown, g, b] = held(&AP1_TO_AP0, [back(r), back(g), back(b)]);
    let mut r = shown;
    let mut chroma = saturation(r, g, b);
    for _ in 0..ROUNDS {
        let glow = unglow(brightness(r, g, b), glow_gain(chroma));
        chroma = saturation(r * glow, g * glow, b * glow);
        let weight = redness(r, g, b) * chroma;
        r = (shown - 0.03 * weight) / (1.0 - weight);
    }
    let glow = unglow(brightness(r, g, b), glow_gain(chroma));
    [r * glow, g * glow, b * glow]
}

/// Most segments of one half of a curve.
const MOST: usize = 16;
type Segment = [f32; 4];
/// Values that go through the parts of a tone curve together.
const BLOCK: usize = 256;

/// Tone curves in f32, one after the other, in powers of two.
#[derive(Clone, Debug)]
pub struct Tone {
    /// Each, with whether it is undone.
    curves: Vec<(Curve, bool)>,
}

/// One of them. The shader reads it as it lies here.
#[repr(C)]
#[derive(Clone, Copy, Debug, bytemuck::Pod, bytemuck::Zeroable)]
struct Curve {
    /// Darkest, middle, brightest.
    points: [[f32; 2]; 3],
    slopes: [f32; 2],
    /// Inverse slopes; 0 where there is none.
    unslopes: [f32; 2],
    /// Segments of each half, less one.
    last: [f32; 2],
    /// Segments per power of two, of each half.
    scale: [f32; 2],
    /// Powers of two per segment.
    unscale: [f32; 2],
    /// Every segment as a polynomial: square, linear, constant; the lower
    /// half's, then the upper's. Rows of four are fetched whole.
    segments: [Segment; 2 * MOST],
}

impl Tone {
    /// Takes curves that follow each other to single precision.
    #[must_use]
    pub fn new<'a>(curves: impl IntoIterator<Item = (&'a Spline, bool)>) -> Self {
        let curves = curves.into_iter().map(|(spline, inverse)| (Curve::new(spline), inverse));
        Self { curves: curves.collect() }
    }

    /// Every curve as the shader reads it, with whether it is undone.
    pub(super) fn numbers(&self) -> impl Iterator<Item = (&[f32], bool)> {
        self.curves
            .iter()
            .map(|(curve, inverse)| (bytemuck::cast_slice(std::slice::from_ref(curve)), *inverse))
    }

    /// Runs them on values, in place.
    pub fn run(&self, level: Level, values: &mut [f32]) {
        for block in values.chunks_mut(BLOCK) {
            dispatch!(level, _simd => for v in block.iter_mut() {
                *v = log2(v.max(5.960_464_5e-8));
            });
            for (curve, inverse) in &self.curves {
                if *inverse {
                    curve.undo(block);
                } else {
                    curve.run(level, block);
                }
            }
            dispatch!(level, _simd => for v in block.iter_mut() {
                *v = exp2(*v);
            });
        }
    }
}

impl Curve {
    fn new(spline: &Spline) -> Self {
        let points = spline.points.map(|p| p.map(f64::log2));
        let halves = [&spline.low, &spline.high];
        let mut segments = [[0.0; 4]; 2 * MOST];
        for (half, coefficients) in segments.chunks_mut(MOST).zip(halves) {
            for (out, c) in half.iter_mut().zip(coefficients.windows(3)) {
                // Coefficients are logarithms to ten.
                let [a, b, d] = [c[0], c[1], c[2]].map(|v| v * LOG2_10);
                *out = [0.5 * a - b + 0.5 * d, b - a, 0.5 * (a + b), 0.0].map(|v| v as f32);
            }
        }
        let counts = halves.map(|c| (c.len() - 3) as f64);
        let widths = [points[1][0] - points[0][0], points[2][0] - points[1][0]];
        let unslope = |slope: f64| if slope == 0.0 { 0.0 } else { (1.0 / slope) as f32 };
        Self {
            segments,
            last: counts.map(|n| (n - 1.0) as f32),
            scale: [0, 1].map(|i| (counts[i] / widths[i]) as f32),
            unscale: [0, 1].map(|i| (widths[i] / counts[i]) as f32),
            points: points.map(|p| p.map(|v| v as f32)),
            slopes: spline.slopes.map(|v| v as f32),
            unslopes: spline.slopes.map(unslope),
        }
    }

    /// Logarithms in and out.
    fn run(&self, level: Level, block: &mut [f32]) {
        match self.last.map(|last| last as usize) {
            [..=2, ..=2] => dispatch!(level, _simd => self.rise::<3>(block)),
            [..=6, ..=6] => dispatch!(level, _simd => self.rise::<7>(block)),
            _ => dispatch!(level, _simd => self.rise::<MOST>(block)),
        }
    }

    /// From the middle up and down: each segment adds the part of its rise that
    /// lies between the middle and the value, so that none has to be looked up.
    /// Those that are not there rise by nothing.
    #[inline(always)]
    fn rise<const N: usize>(&self, block: &mut [f32]) {
        let curve = *self;
        let [dark, middle, bright] = curve.points;
        let last = curve.last[0] as usize;
        let segment = |i: usize| [curve.segments[i][0], curve.segments[i][1]];
        for v in block {
            let x = *v;
            let mut y = middle[1];
            let down = (middle[0] - x) * curve.scale[0];
            for i in 0..N {
                let t = (down - i as f32).clamp(0.0, 1.0);
                let [square, line] = segment(last.wrapping_sub(i) % MOST);
                y -= ((2.0 * square + line) - square * t) * t;
            }
            let up = (x - middle[0]) * curve.scale[1];
            for i in 0..N {
                let t = (up - i as f32).clamp(0.0, 1.0);
                let [square, line] = segment(MOST + i);
                y += (square * t + line) * t;
            }
            let below = curve.slopes[0] * (x - dark[0]).min(0.0);
            let above = curve.slopes[1] * (x - bright[0]).max(0.0);
            *v = y + below + above;
        }
    }

    /// The way back: the last segment that begins no higher, and its root.
    fn undo(&self, block: &mut [f32]) {
        let [dark, middle, bright] = self.points;
        for v in block {
            let y = *v;
            let upper = usize::from(y >= middle[1]);
            let half = &self.segments[upper * MOST..][..self.last[upper] as usize + 1];
            let place = half[1..].iter().take_while(|segment| segment[2] <= y).count();
            let [a, b, c, _] = half[place];
            let over = (y - c).max(0.0);
            let root = (b * b + 4.0 * a * over).max(0.0).sqrt();
            let t = 2.0 * over / (b + root).max(1e-30);
            let from = [dark[0], middle[0]][upper];
            let inner = (t + place as f32) * self.unscale[upper] + from;
            let below = dark[0] + self.unslopes[0] * (y - dark[1]);
            let above = bright[0] + self.unslopes[1] * (y - bright[1]);
            *v = pick(y <= dark[1], below, pick(y >= bright[1], above, inner));
        }
    }
}
