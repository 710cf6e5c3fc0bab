//! ACES 1.3 on pixels: what the Reference Rendering Transform does before its
//! tone curve, and the tone curves. In f32, without branches.
//!
//! Source: ACES 1.3, `RRT`, `ACESlib.Tonescales`, `ACESlib.RRT_Common`.

use super::math::{angle_degrees, exp2, log2};
use fearless_simd::{Level, dispatch};
use platefarm_model::color::chain::Spline;
use std::f64::consts::LOG2_10;

/// AP0 to AP1, as the transforms write it.
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
const HALF_MAX: f32 = 65504.0;

/// Glow, red modifier and desaturation: ACES2065-1 to ACEScg, in place.
pub fn sweeten(level: Level, [red, green, blue]: [&mut [f32]; 3]) {
    dispatch!(level, _simd => {
        for ((r, g), b) in red.iter_mut().zip(green.iter_mut()).zip(blue.iter_mut()) {
            let out = sweetened(*r, *g, *b);
            (*r, *g, *b) = out;
        }
    });
}

#[inline(always)]
fn sweetened(r: f32, g: f32, b: f32) -> (f32, f32, f32) {
    let (largest, smallest) = (r.max(g).max(b), r.min(g).min(b));
    let saturation = (largest.max(1e-10) - smallest.max(1e-10)) / largest.max(1e-2);
    let chroma = (b * (b - g) + g * (g - r) + r * (r - b)).max(0.0).sqrt();
    let bright = (r + g + b + 1.75 * chroma) / 3.0;
    let x = (saturation - 0.4) / 0.2;
    let t = (1.0 - (x * 0.5).abs()).max(0.0);
    let gain = 0.05 * (1.0 + (1.0 - t * t).copysign(x)) * 0.5;
    let middle = gain * (0.08 / bright - 0.5);
    let glow = if bright >= 0.16 { 0.0 } else { middle };
    let glow = 1.0 + if bright <= 2.0 / 3.0 * 0.08 { gain } else { glow };
    let (r, g, b) = (r * glow, g * glow, b * glow);

    let degrees = angle_degrees(2.0 * r - g - b, 3.0_f32.sqrt() * (g - b));
    let u = (if degrees > 180.0 { degrees - 360.0 } else { degrees }).abs() / (135.0 / 4.0);
    let near = (4.0 - 6.0 * u * u + 3.0 * u * u * u) / 6.0;
    let v = (2.0 - u).max(0.0);
    let bump = 1.5 * if u < 1.0 { near } else { v * v * v / 6.0 };
    let r = r + bump * saturation * (0.03 - r) * 0.18;

    let (r, g, b) = (r.max(0.0), g.max(0.0), b.max(0.0));
    let m = AP0_TO_AP1;
    let row = |i: usize| (m[i] * r + m[i + 1] * g + m[i + 2] * b).max(0.0).min(HALF_MAX);
    let (r, g, b) = (row(0), row(3), row(6));
    let luma = 0.272_228_72 * r + 0.674_081_77 * g + 0.053_689_517 * b;
    let keep = |v: f32| luma + 0.96 * (v - luma);
    (keep(r), keep(g), keep(b))
}

/// Most segments of one half of a curve.
const MOST: usize = 16;

/// A tone curve in f32, in powers of two.
#[derive(Clone, Debug)]
pub struct Tone {
    /// Every segment as a polynomial: square, linear, constant. The lower half's, then the upper's.
    segments: [[f32; 3]; 2 * MOST],
    /// Segments of each half, less one.
    last: [f32; 2],
    /// Segments per power of two, of each half.
    scale: [f32; 2],
    points: [[f32; 2]; 3],
    slopes: [f32; 2],
}

impl Tone {
    /// Takes a curve to single precision.
    #[must_use]
    pub fn new(spline: &Spline) -> Self {
        let points = spline.points.map(|p| p.map(f64::log2));
        let halves = [&spline.low, &spline.high];
        let mut segments = [[0.0; 3]; 2 * MOST];
        for (half, coefficients) in segments.chunks_mut(MOST).zip(halves) {
            for (out, c) in half.iter_mut().zip(coefficients.windows(3)) {
                // Coefficients are logarithms to ten.
                let [a, b, d] = [c[0], c[1], c[2]].map(|v| v * LOG2_10);
                *out = [0.5 * a - b + 0.5 * d, b - a, 0.5 * (a + b)].map(|v| v as f32);
            }
        }
        let counts = halves.map(|c| (c.len() - 3) as f64);
        let widths = [points[1][0] - points[0][0], points[2][0] - points[1][0]];
        Self {
            segments,
            last: counts.map(|n| (n - 1.0) as f32),
            scale: [0, 1].map(|i| (counts[i] / widths[i]) as f32),
            points: points.map(|p| p.map(|v| v as f32)),
            slopes: spline.slopes.map(|v| v as f32),
        }
    }

    /// Runs it on values, in place.
    pub fn run(&self, level: Level, values: &mut [f32]) {
        let tone = self.clone();
        dispatch!(level, _simd => for v in values.iter_mut() {
            *v = tone.at(*v);
        });
    }

    #[inline(always)]
    fn at(&self, v: f32) -> f32 {
        let x = log2(v.max(5.960_464_5e-8));
        let [dark, middle, bright] = self.points;
        let lower = x < middle[0];
        let (from, first) = if lower { (dark[0], 0) } else { (middle[0], MOST) };
        let (scale, last) =
            if lower { (self.scale[0], self.last[0]) } else { (self.scale[1], self.last[1]) };
        let knot = ((x - from) * scale).max(0.0);
        let whole = knot.min(last) as i32;
        let t = knot - whole as f32;
        let [a, b, c] = self.segments[(whole as usize + first) & (2 * MOST - 1)];
        let inner = (a * t + b) * t + c;
        let below = dark[1] + self.slopes[0] * (x - dark[0]);
        let above = bright[1] + self.slopes[1] * (x - bright[0]);
        let y = if x >= bright[0] { above } else { inner };
        exp2(if x <= dark[0] { below } else { y })
    }
}
