//! ACES 1.3 on pixels: what the Reference Rendering Transform does before its
//! tone curve, and the tone curves. In f32, without branches.
//!
//! Source: ACES 1.3, `RRT`, `ACESlib.Tonescales`, `ACESlib.RRT_Common`.

use super::math::{angle_degrees, exp2, log2, pick};
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
    let glow = pick(bright >= 0.16, 0.0, middle);
    let glow = 1.0 + pick(bright <= 2.0 / 3.0 * 0.08, gain, glow);
    let (r, g, b) = (r * glow, g * glow, b * glow);

    let degrees = angle_degrees(2.0 * r - g - b, 3.0_f32.sqrt() * (g - b));
    let u = (pick(degrees > 180.0, degrees - 360.0, degrees)).abs() / (135.0 / 4.0);
    let near = (4.0 - 6.0 * u * u + 3.0 * u * u * u) / 6.0;
    let v = (2.0 - u).max(0.0);
    let bump = 1.5 * pick(u < 1.0, near, v * v * v / 6.0);
    let r = r + bump * saturation * (0.03 - r) * 0.18;

    let (r, g, b) = (r.max(0.0), g.max(0.0), b.max(0.0));
    let m = AP0_TO_AP1;
    let (r, g, b) = (
        (m[0] * r + m[1] * g + m[2] * b).clamp(0.0, HALF_MAX),
        (m[3] * r + m[4] * g + m[5] * b).clamp(0.0, HALF_MAX),
        (m[6] * r + m[7] * g + m[8] * b).clamp(0.0, HALF_MAX),
    );
    let luma = 0.272_228_72 * r + 0.674_081_77 * g + 0.053_689_517 * b;
    (luma + 0.96 * (r - luma), luma + 0.96 * (g - luma), luma + 0.96 * (b - luma))
}

/// Most segments of one half of a curve.
const MOST: usize = 16;
/// Values that go through the parts of a tone curve together.
const BLOCK: usize = 256;
/// 2^23: a sum with it has no room for fractions, and ends in the whole number.
const ROUNDER: f32 = 8_388_608.0;

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

    /// Runs it on values, in place: logarithms, then the segments of a block,
    /// one lookup each, then the polynomials. Only the middle part is not vector code.
    pub fn run(&self, level: Level, values: &mut [f32]) {
        let mut index = [0_u32; BLOCK];
        let mut part = [0.0; BLOCK];
        let mut terms = [[0.0; BLOCK]; 3];
        let [dark, middle, bright] = self.points;
        let ([scale_low, scale_high], [last_low, last_high]) = (self.scale, self.last);
        let [slope_low, slope_high] = self.slopes;
        for block in values.chunks_mut(BLOCK) {
            let n = block.len();
            let (index, part) = (&mut index[..n], &mut part[..n]);
            dispatch!(level, _simd => {
                for ((v, index), part) in block.iter_mut().zip(index.iter_mut()).zip(part.iter_mut()) {
                    let x = log2(v.max(5.960_464_5e-8));
                    let lower = x < middle[0];
                    let from = pick(lower, dark[0], middle[0]);
                    let scale = pick(lower, scale_low, scale_high);
                    let last = pick(lower, last_low, last_high);
                    let first = pick(lower, 0.0, MOST as f32);
                    let knot = ((x - from) * scale).max(0.0);
                    // Adding 2^23 rounds; half is taken off first, so that it rounds down.
                    let whole = ((knot.min(last + 0.5) - 0.499_999_9).max(0.0) + ROUNDER) - ROUNDER;
                    *v = x;
                    *part = knot - whole;
                    *index = (whole + first + ROUNDER).to_bits();
                }
            });
            let [a, b, c] = &mut terms;
            for (i, index) in index.iter().enumerate() {
                [a[i], b[i], c[i]] = self.segments[*index as usize & (2 * MOST - 1)];
            }
            let (a, b, c) = (&a[..n], &b[..n], &c[..n]);
            dispatch!(level, _simd => {
                for ((((v, t), a), b), c) in block.iter_mut().zip(part.iter()).zip(a).zip(b).zip(c) {
                    let x = *v;
                    let inner = (a * t + b) * t + c;
                    let below = dark[1] + slope_low * (x - dark[0]);
                    let above = bright[1] + slope_high * (x - bright[0]);
                    let y = pick(x >= bright[0], above, inner);
                    *v = exp2(pick(x <= dark[0], below, y));
                }
            });
        }
    }
}
