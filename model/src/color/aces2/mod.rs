//! The ACES 2.0 output transform: what one rendering target needs, computed
//! once. Scene light becomes lightness, colourfulness and hue (J, M, h), a
//! tone curve maps lightness to the peak luminance, colourfulness follows it,
//! and what the limiting gamut cannot hold is compressed along lines of
//! constant hue.
//!
//! Sources: ACES 2.0 documentation and CTL (`Lib.Academy.OutputTransform`,
//! 2.0.0+2025.04.04), and OpenColorIO 2.6 where the CTL is known to be wrong
//! (weights of the hull's exponent, hue 360). Luminance is in units of
//! 100 cd/m² wherever a linear value has no unit in its name.

mod appearance;
mod hull;
mod tables;

pub use appearance::{Appearance, LIGHTNESS_EXPONENT};
pub use tables::{ENTRIES, Tables};

use super::{ACES_WHITE, AP0, AP1, Xy};

/// Rings between the middle grey's and the cusp's lightness at which lines of compression meet.
const CUSP_TO_MIDDLE: f64 = 1.3;
/// Part of the way from the cusp to white from which the focus recedes.
const FOCUS_GAIN_BLEND: f64 = 0.3;
/// Width of the rounded edge of the gamut's hull, of the cusp's colourfulness.
pub const SMOOTH_CUSPS: f64 = 0.12;
/// Part of the rounding by which the cusp is moved out, so that the rounded hull reaches it.
const SMOOTH_M: f64 = 0.27;
/// Part of the gamut that is not compressed.
pub const COMPRESSION_THRESHOLD: f64 = 0.75;

/// A rendering target: peak luminance and limiting gamut.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Target {
    /// Peak luminance, in cd/m²; 100 to 10000.
    pub peak_nits: f64,
    /// Primaries of the limiting gamut.
    pub primaries: [Xy; 3],
    /// White of the limiting gamut.
    pub white: Xy,
}

/// The tone curve's constants; all luminances over 100 cd/m².
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Tonescale {
    /// Exponent of the curve.
    pub g: f64,
    /// Flare term.
    pub t1: f64,
    /// Middle grey's luminance.
    pub c_t: f64,
    /// Scene light at half of the curve.
    pub s2: f64,
    /// Scale of the curve.
    pub m2: f64,
    /// Scene light above which everything is the peak.
    pub forward_limit: f64,
    /// Display light above which the inverse stays.
    pub inverse_limit: f64,
    /// Logarithm to ten of the peak.
    pub log_peak: f64,
}

impl Tonescale {
    fn new(peak_nits: f64) -> Self {
        let (n, n_r, g, c, c_d, w_g, t1) = (peak_nits, 100.0, 1.15, 0.18, 10.013, 0.14, 0.04);
        let (r_min, r_max) = (128.0, 896.0);
        let r_hit = r_min + (r_max - r_min) * ((n / n_r).ln() / (10_000.0_f64 / 100.0).ln());
        let m0 = n / n_r;
        let flared = |v: f64| 0.5 * (v + (v * (v + 4.0 * t1)).sqrt());
        let m1 = flared(m0);
        let u = ((r_hit / m1) / (r_hit / m1 + 1.0)).powf(g);
        let m = m1 / u;
        let w_i = (n / 100.0).log2();
        let c_t = c_d / n_r * (1.0 + w_i * w_g);
        let g_ip = flared(c_t);
        let power = (g_ip / m).powf(1.0 / g);
        let g_ipp2 = -(m1 * power) / (power - 1.0);
        let w2 = c / g_ipp2;
        let s2 = w2 * m1;
        let u2 = ((r_hit / m1) / (r_hit / m1 + w2)).powf(g);
        Self {
            g,
            t1,
            c_t,
            s2,
            m2: m1 / u2,
            forward_limit: 8.0 * r_hit,
            inverse_limit: n / (u2 * n_r),
            log_peak: (n / n_r).log10(),
        }
    }

    /// Display light of scene light.
    #[must_use]
    pub fn forward(&self, x: f64) -> f64 {
        let f = self.m2 * (x.max(0.0) / (x + self.s2)).powf(self.g);
        (f * f / (f + self.t1)).max(0.0)
    }

    /// Scene light of display light.
    #[must_use]
    pub fn inverse(&self, y: f64) -> f64 {
        let z = y.clamp(0.0, self.inverse_limit);
        let f = 0.5 * (z + (z * (4.0 * self.t1 + z)).sqrt());
        self.s2 / ((self.m2 / f).powf(1.0 / self.g) - 1.0)
    }
}

/// The constants of chroma and gamut compression.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Compression {
    /// Lightness of the peak.
    pub limit_j: f64,
    /// Chroma compression: saturation, its threshold, compression, and the scale of the norm.
    pub saturation: f64,
    /// See `saturation`.
    pub saturation_threshold: f64,
    /// See `saturation`.
    pub compression: f64,
    /// See `saturation`.
    pub norm_scale: f64,
    /// Lightness of middle grey.
    pub mid_j: f64,
    /// Distance of the focus.
    pub focus_distance: f64,
    /// One over the exponent of the hull below the cusp.
    pub lower_gamma_inverse: f64,
}

/// Everything a rendering target needs.
#[derive(Clone, Debug)]
pub struct Output {
    /// What it is for.
    pub target: Target,
    /// Appearance of scene light (AP0).
    pub scene: Appearance,
    /// Appearance of the limiting gamut's light.
    pub limit: Appearance,
    /// Tone curve.
    pub tonescale: Tonescale,
    /// Compression.
    pub compression: Compression,
    /// By hue.
    pub tables: Tables,
}

impl Output {
    /// Computes a target: a few milliseconds.
    #[must_use]
    pub fn new(target: Target) -> Self {
        let scene = Appearance::new(&AP0, ACES_WHITE);
        let reach = Appearance::new(&AP1, ACES_WHITE);
        let limit = Appearance::new(&target.primaries, target.white);
        let tonescale = Tonescale::new(target.peak_nits);
        let log_peak = tonescale.log_peak;
        let compr = 2.4;
        let compression = Compression {
            limit_j: appearance::lightness_of(target.peak_nits),
            saturation: (1.3 - 1.3 * 0.69 * log_peak).max(0.2),
            saturation_threshold: 0.5 / target.peak_nits,
            compression: compr + compr * 3.3 * log_peak,
            norm_scale: (0.033_79 * target.peak_nits).powf(0.305_96) - 0.451_35,
            mid_j: appearance::lightness_of(tonescale.c_t * 100.0),
            focus_distance: 1.35 + 1.35 * 1.75 * log_peak,
            lower_gamma_inverse: 1.0 / (1.14 + 0.07 * log_peak),
        };
        let tables = tables::build(&target, &reach, &limit, &compression, &tonescale);
        Self { target, scene, limit, tonescale, compression, tables }
    }
}
