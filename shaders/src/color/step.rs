//! The steps that take a pixel's three values together: matrix, bounds, CDL,
//! gamut compression, surround, and what ACES 1 does before its tone curve.
//! Each without branches, with the numbers that it reads in the order in which
//! `step.wgsl` reads them too.

use super::aces1::{sweeten, unsweeten};
use super::math::{pick, pow};
use crate::ops::finite::cpu::{finite, is_beyond};
use fearless_simd::{Level, dispatch};
use platefarm_model::color::Matrix3;
use platefarm_model::color::chain::Cdl;

/// Three runs of values of equal length.
pub type Runs<'a> = [&'a mut [f32]; 3];
/// A pixel.
pub type Rgb = [f32; 3];
/// What a step reads; how many of them, and what they are, is its own.
pub type Numbers = [f32; 12];

/// A step on pixels.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Mix {
    /// The formula.
    pub formula: Formula,
    /// Its numbers.
    pub numbers: Numbers,
}

/// Formulas by name: a function here, and one in the shader's text.
macro_rules! formulas {
    ($($(#[$doc:meta])* $name:ident: $function:ident,)*) => {
        /// Which formula.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Formula { $($(#[$doc])* $name,)* }

        impl Mix {
            /// Runs it on three runs of values, in place.
            pub fn run(&self, level: Level, [red, green, blue]: Runs<'_>) {
                let numbers = self.numbers;
                match self.formula {
                    $(Formula::$name => dispatch!(level, _simd => {
                        let runs = red.iter_mut().zip(green.iter_mut()).zip(blue.iter_mut());
                        for ((r, g), b) in runs {
                            [*r, *g, *b] = $function(&numbers, [*r, *g, *b]);
                        }
                    }),)*
                }
            }
        }

        impl Formula {
            /// Every formula.
            pub const ALL: &[Self] = &[$(Self::$name,)*];

            /// Its function in the shader's text.
            #[must_use]
            pub const fn function(self) -> &'static str {
                match self { $(Self::$name => concat!("color_", stringify!($function)),)* }
            }
        }
    };
}

formulas! {
    /// `matrix * rgb + offset`.
    Matrix: matrix,
    /// Bounds.
    Clamp: clamp,
    /// The reference gamut compression, on ACEScg.
    GamutCompress: gamut_compress,
    /// Back.
    GamutExpand: gamut_expand,
    /// ASC CDL, held within 0 and 1.
    CdlHeld: cdl_held,
    /// ASC CDL without bounds.
    Cdl: cdl,
    /// The way back of [`CdlHeld`](Self::CdlHeld).
    CdlHeldBack: cdl_held_back,
    /// The way back of [`Cdl`](Self::Cdl).
    CdlBack: cdl_back,
    /// A power of luminance that keeps the chromaticity.
    Surround: surround,
    /// What ACES 1 does before its tone curve.
    Sweeten: sweeten,
    /// Back.
    Unsweeten: unsweeten,
}

impl Mix {
    fn new<const N: usize>(formula: Formula, numbers: [f64; N]) -> Self {
        let numbers = std::array::from_fn(|i| numbers.get(i).map_or(0.0, |v| *v as f32));
        Self { formula, numbers }
    }

    /// A matrix and an offset.
    #[must_use]
    pub fn matrix(matrix: &Matrix3, offset: &[f64; 3]) -> Self {
        let mut numbers = [0.0; 12];
        numbers[..9].copy_from_slice(matrix.as_flattened());
        numbers[9..].copy_from_slice(offset);
        Self::new(Formula::Matrix, numbers)
    }

    /// Bounds, each of which may be missing.
    #[must_use]
    pub fn clamp(low: Option<f64>, high: Option<f64>) -> Self {
        let bound = |v: Option<f64>, none: f32| v.unwrap_or(f64::from(none));
        Self::new(Formula::Clamp, [bound(low, f32::MIN), bound(high, f32::MAX)])
    }

    /// The reference gamut compression (S-2020-001).
    #[must_use]
    pub fn gamut_compression(inverse: bool) -> Self {
        // For cyan, magenta, yellow.
        let limit = [1.147, 1.264, 1.312];
        let threshold = [0.815, 0.803, 0.880];
        let power: f64 = 1.2;
        let scale: [f64; 3] = std::array::from_fn(|i| {
            let part: f64 = (1.0 - threshold[i]) / (limit[i] - threshold[i]);
            (limit[i] - threshold[i]) / (part.powf(-power) - 1.0).powf(1.0 / power)
        });
        let formula = if inverse { Formula::GamutExpand } else { Formula::GamutCompress };
        let ([t0, t1, t2], [s0, s1, s2]) = (threshold, scale);
        let [u0, u1, u2] = scale.map(|s| 1.0 / s);
        Self::new(formula, [t0, t1, t2, s0, s1, s2, u0, u1, u2, power, 1.0 / power])
    }

    /// ASC CDL.
    #[must_use]
    pub fn cdl(cdl: &Cdl) -> Self {
        let formula = match (cdl.inverse, cdl.clamp) {
            (false, true) => Formula::CdlHeld,
            (false, false) => Formula::Cdl,
            (true, true) => Formula::CdlHeldBack,
            (true, false) => Formula::CdlBack,
        };
        let turned = |v: f64| if cdl.inverse { 1.0 / v } else { v };
        let ([s0, s1, s2], [p0, p1, p2]) = (cdl.slope.map(turned), cdl.power.map(turned));
        let [o0, o1, o2] = cdl.offset;
        Self::new(formula, [s0, s1, s2, o0, o1, o2, p0, p1, p2, turned(cdl.saturation)])
    }

    /// A power of luminance.
    #[must_use]
    pub fn surround(weights: &[f64; 3], exponent: f64, floor: f64) -> Self {
        let [r, g, b] = *weights;
        Self::new(Formula::Surround, [r, g, b, exponent - 1.0, floor])
    }

    /// What ACES 1 does before its tone curve, or its way back.
    #[must_use]
    pub fn sweeten(inverse: bool) -> Self {
        Self::new(if inverse { Formula::Unsweeten } else { Formula::Sweeten }, [])
    }
}

/// Makes values finite and puts them through a matrix in one go, so that a
/// matrix by itself is as fast as memory; returns how many values no half can hold.
pub(super) fn finite_matrix(level: Level, numbers: &Numbers, [red, green, blue]: Runs<'_>) -> u64 {
    let m = *numbers;
    dispatch!(level, _simd => {
        let mut wild = 0_u32;
        for ((r, g), b) in red.iter_mut().zip(green.iter_mut()).zip(blue.iter_mut()) {
            wild += u32::from(is_beyond(*r)) + u32::from(is_beyond(*g)) + u32::from(is_beyond(*b));
            [*r, *g, *b] = matrix(&m, [finite(*r), finite(*g), finite(*b)]);
        }
        u64::from(wild)
    })
}

#[inline(always)]
fn matrix(m: &Numbers, [x, y, z]: Rgb) -> Rgb {
    [
        (m[0] * x + m[1] * y) + m[2] * z + m[9],
        (m[3] * x + m[4] * y) + m[5] * z + m[10],
        (m[6] * x + m[7] * y) + m[8] * z + m[11],
    ]
}

#[inline(always)]
fn clamp(&[low, high, ..]: &Numbers, [r, g, b]: Rgb) -> Rgb {
    [r.max(low).min(high), g.max(low).min(high), b.max(low).min(high)]
}

#[inline(always)]
fn gamut_compress(c: &Numbers, rgb: Rgb) -> Rgb {
    by_distance(rgb, |distance, i| {
        let over = (distance - c[i]) * c[6 + i];
        let pulled = c[i] + c[3 + i] * (over / pow(1.0 + pow(over, c[9]), c[10]));
        pick(distance < c[i], distance, pulled)
    })
}

#[inline(always)]
fn gamut_expand(c: &Numbers, rgb: Rgb) -> Rgb {
    let [r, g, b] = by_distance(rgb, |distance, i| {
        let p = pow((distance - c[i]) * c[6 + i], c[9]);
        let pushed = c[i] + c[3 + i] * pow(p / (1.0 - p), c[10]);
        // Nothing is pulled beyond threshold and scale; what is there stays.
        let free = (distance < c[i]) | (distance >= c[i] + c[3 + i]);
        pick(free, distance, pushed)
    });
    // Where nothing is positive there was nothing to take back.
    let dark = rgb[0].max(rgb[1]).max(rgb[2]) == 0.0;
    [pick(dark, rgb[0], r), pick(dark, rgb[1], g), pick(dark, rgb[2], b)]
}

#[inline(always)]
fn by_distance([r, g, b]: Rgb, bend: impl Fn(f32, usize) -> f32) -> Rgb {
    let achromatic = r.max(g).max(b);
    let size = achromatic.abs();
    let over = 1.0 / pick(size > 0.0, size, 1.0);
    let one = |v: f32, i: usize| achromatic - bend((achromatic - v) * over, i) * size;
    [one(r, 0), one(g, 1), one(b, 2)]
}

/// Moved from its luma, that of ITU-R BT.709.
#[inline(always)]
fn saturate([r, g, b]: Rgb, s: f32) -> Rgb {
    let luma = 0.2126 * r + 0.7152 * g + 0.0722 * b;
    [luma + s * (r - luma), luma + s * (g - luma), luma + s * (b - luma)]
}

#[inline(always)]
fn held(v: f32) -> f32 {
    v.clamp(0.0, 1.0)
}

/// Negatives pass as they are.
#[inline(always)]
fn raise(v: f32, p: f32) -> f32 {
    pick(v > 0.0, pow(v, p), v)
}

#[inline(always)]
fn cdl_held(c: &Numbers, [r, g, b]: Rgb) -> Rgb {
    let one = |v: f32, i: usize| pow(held(v * c[i] + c[3 + i]), c[6 + i]);
    let [r, g, b] = saturate([one(r, 0), one(g, 1), one(b, 2)], c[9]);
    [held(r), held(g), held(b)]
}

#[inline(always)]
fn cdl(c: &Numbers, [r, g, b]: Rgb) -> Rgb {
    let one = |v: f32, i: usize| raise(v * c[i] + c[3 + i], c[6 + i]);
    saturate([one(r, 0), one(g, 1), one(b, 2)], c[9])
}

#[inline(always)]
fn cdl_held_back(c: &Numbers, [r, g, b]: Rgb) -> Rgb {
    let [r, g, b] = saturate([held(r), held(g), held(b)], c[9]);
    let one = |v: f32, i: usize| held((pow(held(v), c[6 + i]) - c[3 + i]) * c[i]);
    [one(r, 0), one(g, 1), one(b, 2)]
}

#[inline(always)]
fn cdl_back(c: &Numbers, rgb: Rgb) -> Rgb {
    let [r, g, b] = saturate(rgb, c[9]);
    let one = |v: f32, i: usize| (raise(v, c[6 + i]) - c[3 + i]) * c[i];
    [one(r, 0), one(g, 1), one(b, 2)]
}

/// Numbers: weights of luminance, exponent less one, the smallest luminance that is looked at.
#[inline(always)]
fn surround(&[wr, wg, wb, power, floor, ..]: &Numbers, [r, g, b]: Rgb) -> Rgb {
    let luminance = (wr * r + wg * g + wb * b).max(floor);
    let scale = pow(luminance, power);
    [r * scale, g * scale, b * scale]
}
