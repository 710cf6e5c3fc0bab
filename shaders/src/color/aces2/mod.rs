//! The ACES 2.0 output transform on pixels, both ways: scene light (ACES2065-1)
//! to linear light of the limiting gamut, 1 = 100 cd/m².
//!
//! Written without branches, for loops that become vector code. Three of the
//! seventeen powers of the published order of steps vanish because the
//! achromatic response A is kept instead of lightness J = 100 A^1.137, and the
//! hue's sine and cosine are b/M and a/M; the angle itself only finds the
//! entry of the tables.

use super::math::{pick, pow, signed_pow};

mod gamut;
mod passes;

pub use passes::{BLOCK, core, forward, inverse};

use platefarm_model::color::aces2::{self, ENTRIES, LIGHTNESS_EXPONENT};
use platefarm_model::color::{ACES_WHITE, AP0, AP1, Matrix3, invert, mul, rgb_to_xyz};

/// Length of the tables here: a power of two, so that an index is masked and not checked.
const LENGTH: usize = 512;
const MASK: usize = LENGTH - 1;
/// Steps of the search for a hue's entry; the tables' range is within them.
const STEPS: usize = 3;
/// Added to a number from 0 to [`LENGTH`], it leaves the nearest whole one in the lowest bits.
const ROUNDER: f32 = 8_388_608.0;
const G: f32 = LIGHTNESS_EXPONENT as f32;
const G_INVERSE: f32 = (1.0 / LIGHTNESS_EXPONENT) as f32;

type M = [f32; 9];

fn single(m: &Matrix3) -> M {
    std::array::from_fn(|i| m[i / 3][i % 3] as f32)
}

#[inline(always)]
fn apply(m: &M, [x, y, z]: [f32; 3]) -> [f32; 3] {
    [
        (m[0] * x + m[1] * y) + m[2] * z,
        (m[3] * x + m[4] * y) + m[5] * z,
        (m[6] * x + m[7] * y) + m[8] * z,
    ]
}

/// [`array::map`] calls a function that vector code cannot take in; this is taken in.
#[inline(always)]
fn map([a, b, c]: [f32; 3], f: impl Fn(f32) -> f32) -> [f32; 3] {
    [f(a), f(b), f(c)]
}

/// What depends on hue, one entry a row: hue, cusp's J and M, one over the upper exponent.
type Row = [f32; 4];

/// A rendering target in f32, for pixels.
#[derive(Clone, Debug)]
pub struct Output2 {
    rows: Box<[Row; LENGTH]>,
    /// One over the degrees from a row's hue to the next one's.
    per_width: Box<[f32; LENGTH]>,
    reach: Box<[f32; LENGTH]>,
    search_from: i32,
    constants: Constants,
}

/// All of a target but its tables: small enough to be copied for each block,
/// so that the compiler sees that writing pixels cannot change it.
/// The shader reads them as they lie here.
#[repr(C)]
#[derive(Clone, Copy, Debug, bytemuck::Pod, bytemuck::Zeroable)]
struct Constants {
    /// AP0 to AP1, and the clamp there.
    to_ap1: M,
    forward_limit: f32,
    /// AP1 to cones, cones to A, a, b.
    scene_cones: M,
    scene_opponents: M,
    from_opponents: M,
    limit_cones: M,
    /// The way back: limit to cones and opponents, then AP0.
    limit_to_cones: M,
    limit_opponents: M,
    scene_from_opponents: M,
    cones_to_ap0: M,
    level: f32,
    white_response: f32,
    /// Exponent, flare, two scales of the tone curve; inverse of the exponent.
    tone: [f32; 5],
    inverse_limit: f32,
    limit_j: f32,
    per_limit_a: f32,
    saturation: [f32; 2],
    compression: f32,
    norm_scale: f32,
    mid_j: f32,
    focus_gain: f32,
    lower: f32,
    peak: f32,
    /// One over level, J of the limit, and the last scale of the tone curve:
    /// quotients are dearer than products.
    per_level: f32,
    per_limit_j: f32,
    per_m2: f32,
}

/// What the tables hold for a hue.
struct Hue {
    cusp_j: f32,
    cusp_m: f32,
    upper: f32,
    reach_m: f32,
}

impl Output2 {
    /// Takes a target to single precision.
    #[must_use]
    pub fn new(output: &aces2::Output) -> Self {
        let inverse = |m: &Matrix3| invert(m).expect("colour spaces have an inverse");
        let (ap0, ap1) = (rgb_to_xyz(&AP0, ACES_WHITE), rgb_to_xyz(&AP1, ACES_WHITE));
        let ap1_to_ap0 = mul(&inverse(&ap0), &ap1);
        let t = &output.tables;
        let mut rows = Box::new([[0.0; 4]; LENGTH]);
        let mut reach = Box::new([0.0; LENGTH]);
        for i in 0..ENTRIES {
            rows[i] =
                [t.hue[i], t.cusp_j[i], t.cusp_m[i], t.upper_gamma_inverse[i]].map(|v| v as f32);
            reach[i] = t.reach_m[i] as f32;
        }
        // Beyond the last entry no hue is ever larger.
        for row in &mut rows[ENTRIES..] {
            row[0] = 1e9;
        }
        let mut per_width = Box::new([0.0; LENGTH]);
        for (i, hues) in t.hue[..ENTRIES].windows(2).enumerate() {
            per_width[i] = (1.0 / (hues[1] - hues[0])) as f32;
        }
        let (tone, c) = (&output.tonescale, &output.compression);
        let scene = &output.scene;
        let (level, white) = output.scene.luminance();
        let constants = Constants {
            to_ap1: single(&inverse(&ap1_to_ap0)),
            forward_limit: tone.forward_limit as f32,
            scene_cones: single(&mul(&scene.to_cones, &ap1_to_ap0)),
            scene_opponents: single(&scene.to_opponents),
            from_opponents: single(&output.limit.from_opponents),
            limit_cones: single(&output.limit.from_cones),
            limit_to_cones: single(&output.limit.to_cones),
            limit_opponents: single(&output.limit.to_opponents),
            scene_from_opponents: single(&scene.from_opponents),
            cones_to_ap0: single(&scene.from_cones),
            level: (level * 100.0) as f32,
            white_response: white as f32,
            tone: [tone.g, tone.t1, tone.s2, tone.m2, 1.0 / tone.g].map(|v| v as f32),
            inverse_limit: tone.inverse_limit as f32,
            limit_j: c.limit_j as f32,
            per_limit_a: (c.limit_j / 100.0).powf(-1.0 / LIGHTNESS_EXPONENT) as f32,
            saturation: [c.saturation as f32, c.saturation_threshold as f32],
            compression: c.compression as f32,
            norm_scale: c.norm_scale as f32,
            mid_j: c.mid_j as f32,
            focus_gain: (c.limit_j * c.focus_distance) as f32,
            lower: c.lower_gamma_inverse as f32,
            peak: (output.target.peak_nits / 100.0) as f32,
            per_level: (0.01 / level) as f32,
            per_limit_j: (1.0 / c.limit_j) as f32,
            per_m2: (1.0 / tone.m2) as f32,
        };
        Self { rows, per_width, reach, search_from: t.search[0], constants }
    }

    /// What the shader reads: the constants, where the search of a hue begins,
    /// the rows by hue, their widths, and the reach.
    pub(super) fn numbers(&self) -> Vec<f32> {
        let constants: &[f32] = bytemuck::cast_slice(std::slice::from_ref(&self.constants));
        let search = [self.search_from as f32];
        let rows = self.rows.as_flattened();
        [constants, &search, rows, &self.per_width[..], &self.reach[..]].concat()
    }

    /// Peak luminance over 100 cd/m².
    #[must_use]
    pub fn peak(&self) -> f32 {
        self.constants.peak
    }

    /// What the tables hold for a direction in degrees: cusp's J and M, one
    /// over the upper exponent, reach.
    #[inline(always)]
    fn look_up(&self, degrees: f32) -> [f32; 4] {
        // A cast would be done pixel by pixel; the last digit of this sum is 1.
        let near = (degrees + ROUNDER) - ROUNDER;
        let whole = pick(near > degrees, near - 1.0, near);
        let bits = (whole + ROUNDER).to_bits() as i32;
        let at = bits as usize & MASK;
        let mut i = bits.wrapping_add(1 + self.search_from) as usize & MASK;
        for _ in 0..STEPS {
            i += usize::from(self.rows[(i + 1) & MASK][0] <= degrees);
        }
        let (low, high) = (&self.rows[i & MASK], &self.rows[(i + 1) & MASK]);
        let t = (degrees - low[0]) * self.per_width[i & MASK];
        let lerp = |k: usize| low[k] + (high[k] - low[k]) * t;
        let (reach, next) = (self.reach[(at + 1) & MASK], self.reach[(at + 2) & MASK]);
        [lerp(1), lerp(2), lerp(3), reach + (next - reach) * (degrees - whole)]
    }
}

impl Constants {
    /// The tone curve: luminance in and out, 1 = 100 cd/m².
    #[inline(always)]
    fn tone(&self, x: f32) -> f32 {
        let [g, t1, s2, m2, ..] = self.tone;
        let f = m2 * pow(x / (x + s2), g);
        f * f / (f + t1)
    }

    #[inline(always)]
    fn untone(&self, y: f32) -> f32 {
        let [_, t1, s2, _, g_inverse] = self.tone;
        let z = y.max(0.0).min(self.inverse_limit);
        let f = (z + (z * (4.0 * t1 + z)).sqrt()) * 0.5;
        // (m2/f)^(1/g) - 1, turned over so that f = 0 is no division by it.
        let p = pow(f * self.per_m2, g_inverse);
        s2 * p / (1.0 - p)
    }

    /// Scale of colourfulness at a hue.
    #[inline(always)]
    fn norm(&self, cos: f32, sin: f32) -> f32 {
        let cos2 = cos * cos - sin * sin;
        let sin2 = 2.0 * sin * cos;
        let cos3 = cos2 * cos - sin2 * sin;
        let sin3 = sin2 * cos + cos2 * sin;
        let norm = 11.340_72 * cos
            + 16.468_99 * cos2
            + 7.883_80 * cos3
            + 14.664_41 * sin
            + -6.372_24 * sin2
            + 9.193_64 * sin3
            + 77.128_96;
        norm * self.norm_scale
    }

    /// Colourfulness that follows the tone curve.
    #[inline(always)]
    fn compress_chroma(&self, m: f32, j: f32, a: f32, reach_m: f32, norm: f32) -> f32 {
        let [saturation, threshold] = self.saturation;
        let part = j * self.per_limit_j;
        let dark = (1.0 - part).max(0.0);
        let per_norm = 1.0 / norm;
        let limit = a * self.per_limit_a * reach_m * per_norm;
        let scaled = m * per_norm;
        let expanded = limit
            - toe(
                limit - scaled,
                limit - 0.001,
                dark * saturation,
                (part * part + threshold).sqrt(),
            );
        let compressed = toe(expanded, limit, part * self.compression, dark) * norm;
        pick(m > 0.0, compressed, 0.0)
    }

    #[inline(always)]
    fn expand_chroma(&self, m: f32, j: f32, a: f32, reach_m: f32, norm: f32) -> f32 {
        let [saturation, threshold] = self.saturation;
        let part = j * self.per_limit_j;
        let dark = (1.0 - part).max(0.0);
        let per_norm = 1.0 / norm;
        let limit = a * self.per_limit_a * reach_m * per_norm;
        let scaled = m * per_norm;
        let expanded = untoe(scaled, limit, part * self.compression, dark);
        let plain = limit
            - untoe(
                limit - expanded,
                limit - 0.001,
                dark * saturation,
                (part * part + threshold).sqrt(),
            );
        pick(m > 0.0, plain * norm, 0.0)
    }
}

/// Response of a cone.
#[inline(always)]
fn respond(v: f32) -> f32 {
    let p = pow(v.abs(), 0.42);
    (p / (27.13 + p)).copysign(v)
}

/// Light of a cone's response; held where it would be infinite.
#[inline(always)]
fn unrespond(a: f32) -> f32 {
    let b = a.abs().min(0.99);
    signed_pow((27.13 * b / (1.0 - b)).copysign(a), 1.0 / 0.42)
}

/// The curve that holds a value below a limit.
#[inline(always)]
fn toe(x: f32, limit: f32, k1: f32, k2: f32) -> f32 {
    let k2 = k2.max(0.001);
    let k1 = (k1 * k1 + k2 * k2).sqrt();
    let k3 = (limit + k1) / (limit + k2);
    let b = k3 * x - k1;
    let y = 0.5 * (b + (b * b + 4.0 * k2 * k3 * x).sqrt());
    pick(x > limit, x, y)
}

#[inline(always)]
fn untoe(x: f32, limit: f32, k1: f32, k2: f32) -> f32 {
    let k2 = k2.max(0.001);
    let k1 = (k1 * k1 + k2 * k2).sqrt();
    let y = (x * x + k1 * x) * (limit + k2) / ((limit + k1) * (x + k2));
    pick(x > limit, x, y)
}
