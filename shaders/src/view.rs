//! How a scene looks on a display: for thumbnails and contact sheets, not for plates.
//!
//! The ACES 1.3 rendering: Reference Rendering Transform, then the Output
//! Device Transform to a 100 nit display of Rec.709 primaries in dim
//! surroundings, encoded with the sRGB curve, since the pictures end up as PNG
//! on computer displays. One pixel at a time in double precision; thumbnails
//! are small.
//!
//! Source: ACES 1.3, `RRT` and `ODT.Academy.sRGB_100nits_dim`.

use platefarm_model::color::{
    ACES_WHITE, AP0, AP1, D65, IDENTITY, Matrix3, REC709, adapt, apply, invert, mul, rgb_to_xyz,
};
use std::sync::LazyLock;

type Rgb = [f64; 3];

/// Smallest value that a tone curve looks at: the smallest half.
const FLOOR: f64 = 5.960_464_48e-8;
const HALF_MAX: f64 = 65_504.0;
/// Luminance of black and white of the cinema projector that the ODT assumes, in nits.
const CINEMA: [f64; 2] = [0.02, 48.0];

/// Scene-linear ACES2065-1 to sRGB code values, each in 0..=1, as ACES 1.3
/// shows the scene on a 100 nit display. NaN is taken for 0.
#[must_use]
pub fn aces_to_rec709_display(rgb: [f32; 3]) -> [f32; 3] {
    let aces = rgb.map(|v| if v.is_nan() { 0.0 } else { f64::from(v).clamp(-HALF_MAX, HALF_MAX) });
    let tables = &*TABLES;
    let scene = rrt_sweeteners(aces, tables);
    let oces = scene.map(|v| tables.rrt.at(v));
    let linear = oces.map(|v| (tables.odt.at(v) - CINEMA[0]) / (CINEMA[1] - CINEMA[0]));
    let dimmed = apply(&tables.xyz_to_ap1, dim_surround(apply(&tables.ap1_to_xyz, linear)));
    let display = apply(&tables.ap1_to_display, desaturate(dimmed, 0.93));
    display.map(|v| srgb_encode(v.clamp(0.0, 1.0)) as f32)
}

/// What does not depend on the pixel.
struct Tables {
    ap0_to_ap1: Matrix3,
    ap1_to_xyz: Matrix3,
    xyz_to_ap1: Matrix3,
    ap1_to_display: Matrix3,
    rrt: Spline,
    odt: Spline,
}

static TABLES: LazyLock<Tables> = LazyLock::new(|| {
    // Primaries of a colour space always have an inverse.
    let inverse = |m: &Matrix3| invert(m).unwrap_or(IDENTITY);
    let ap1_to_xyz = rgb_to_xyz(&AP1, ACES_WHITE);
    let xyz_to_ap1 = inverse(&ap1_to_xyz);
    let rrt = Spline {
        low: &[-4.0, -4.0, -3.157_376_577_3, -0.485_249_995_8, 1.847_732_470_6, 1.847_732_470_6],
        high: &[-0.718_548_242_5, 2.081_030_717_2, 3.668_124_123_7, 4.0, 4.0, 4.0],
        points: [[0.18 * (-15.0_f64).exp2(), 1e-4], [0.18, 4.8], [0.18 * 18.0_f64.exp2(), 1e4]],
        slopes: [0.0, 0.0],
    };
    let odt = Spline {
        low: &[
            -1.698_970_004_3,
            -1.698_970_004_3,
            -1.4779,
            -1.2291,
            -0.8648,
            -0.448,
            0.005_18,
            0.451_108_033_4,
            0.911_374_441_4,
            0.911_374_441_4,
        ],
        high: &[
            0.515_438_696_5,
            0.847_043_778_3,
            1.1358,
            1.3802,
            1.5197,
            1.5985,
            1.6467,
            1.674_609_135_7,
            1.687_873_339_0,
            1.687_873_339_0,
        ],
        points: [
            [rrt.at(0.18 * (-6.5_f64).exp2()), 0.02],
            [rrt.at(0.18), 4.8],
            [rrt.at(0.18 * 6.5_f64.exp2()), 48.0],
        ],
        slopes: [0.0, 0.04],
    };
    let xyz_to_display = inverse(&rgb_to_xyz(&REC709, D65));
    Tables {
        ap0_to_ap1: mul(&xyz_to_ap1, &rgb_to_xyz(&AP0, ACES_WHITE)),
        ap1_to_display: mul(&xyz_to_display, &mul(&adapt(ACES_WHITE, D65), &ap1_to_xyz)),
        ap1_to_xyz,
        xyz_to_ap1,
        rrt,
        odt,
    }
});

/// Glow, red modifier, limits and desaturation: the RRT before its tone curve. Gives AP1.
fn rrt_sweeteners(aces: Rgb, tables: &Tables) -> Rgb {
    let [r, g, b] = aces;
    let (largest, smallest) = (r.max(g).max(b), r.min(g).min(b));
    let saturation = (largest.max(1e-10) - smallest.max(1e-10)) / largest.max(1e-2);

    let chroma = (b * (b - g) + g * (g - r) + r * (r - b)).max(0.0).sqrt();
    let brightness = (r + g + b + 1.75 * chroma) / 3.0;
    let gain = 0.05 * sigmoid((saturation - 0.4) / 0.2);
    let middle = 0.08;
    let glow = if brightness <= 2.0 / 3.0 * middle {
        gain
    } else if brightness >= 2.0 * middle {
        0.0
    } else {
        gain * (middle / brightness - 0.5)
    };
    let [mut r, g, b] = aces.map(|v| v * (1.0 + glow));

    let hue =
        if r == g && g == b { 0.0 } else { (3.0_f64.sqrt() * (g - b)).atan2(2.0 * r - g - b) };
    r += bump(hue.to_degrees(), 135.0) * saturation * (0.03 - r) * (1.0 - 0.82);

    let ap1 = apply(&tables.ap0_to_ap1, [r, g, b].map(|v| v.max(0.0)));
    desaturate(ap1.map(|v| v.clamp(0.0, HALF_MAX)), 0.96)
}

/// An S curve from 0 to 1 between -2 and 2.
fn sigmoid(x: f64) -> f64 {
    let t = (1.0 - (x / 2.0).abs()).max(0.0);
    (1.0 + x.signum() * (1.0 - t * t)) / 2.0
}

/// A cubic B-spline around 0, of a given width, 1 at its centre.
fn bump(x: f64, width: f64) -> f64 {
    let u = x.abs() / (width / 4.0);
    let basis = if u < 1.0 {
        (4.0 - 6.0 * u * u + 3.0 * u.powi(3)) / 6.0
    } else if u < 2.0 {
        (2.0 - u).powi(3) / 6.0
    } else {
        0.0
    };
    basis * 1.5
}

/// Moves AP1 toward its luminance.
fn desaturate(ap1: Rgb, keep: f64) -> Rgb {
    // Luminance of AP1, as the transforms write it.
    let luma = 0.272_228_716_8 * ap1[0] + 0.674_081_765_8 * ap1[1] + 0.053_689_517_4 * ap1[2];
    ap1.map(|v| luma + keep * (v - luma))
}

/// From dark surroundings to dim ones: a power on luminance that keeps the chromaticity.
fn dim_surround(xyz: Rgb) -> Rgb {
    let [x, y, z] = xyz;
    let sum = (x + y + z).max(1e-10);
    let (cx, cy) = (x / sum, y / sum);
    let luminance = y.clamp(0.0, HALF_MAX).powf(0.9811);
    let scale = luminance / cy.max(1e-10);
    [cx * scale, luminance, (1.0 - cx - cy) * scale]
}

/// IEC 61966-2-1.
fn srgb_encode(v: f64) -> f64 {
    if v <= 0.003_130_8 { 12.92 * v } else { 1.055 * v.powf(1.0 / 2.4) - 0.055 }
}

/// A tone curve: quadratic B-splines between three points in log-log space,
/// straight lines beyond.
struct Spline {
    low: &'static [f64],
    high: &'static [f64],
    /// Darkest, middle and brightest point: scene value and luminance.
    points: [[f64; 2]; 3],
    /// Slopes below the darkest and above the brightest.
    slopes: [f64; 2],
}

impl Spline {
    fn at(&self, x: f64) -> f64 {
        let x = x.max(FLOOR).log10();
        let [dark, middle, bright] = self.points.map(|p| p.map(f64::log10));
        let line = |from: [f64; 2], slope: f64| from[1] + slope * (x - from[0]);
        let y = if x <= dark[0] {
            line(dark, self.slopes[0])
        } else if x < middle[0] {
            segment(self.low, (x - dark[0]) / (middle[0] - dark[0]))
        } else if x < bright[0] {
            segment(self.high, (x - middle[0]) / (bright[0] - middle[0]))
        } else {
            line(bright, self.slopes[1])
        };
        10.0_f64.powf(y)
    }
}

/// A uniform quadratic B-spline at `at`, 0 to 1 of its length.
fn segment(coefficients: &[f64], at: f64) -> f64 {
    let segments = coefficients.len() - 3;
    let knot = at * segments as f64;
    let j = (knot as usize).min(segments - 1);
    let t = knot - j as f64;
    let [a, b, c] = [coefficients[j], coefficients[j + 1], coefficients[j + 2]];
    t * t * (0.5 * a - b + 0.5 * c) + t * (b - a) + 0.5 * (a + b)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn linear(code: f32) -> f64 {
        let c = f64::from(code);
        if c <= 0.040_45 { c / 12.92 } else { ((c + 0.055) / 1.055).powf(2.4) }
    }

    #[test]
    fn it_is_what_the_academys_own_code_computes() {
        let data = include_bytes!("../tests/fixtures/aces13_sdr_srgb.f32");
        let floats: Vec<f32> = data.as_chunks().0.iter().map(|b| f32::from_le_bytes(*b)).collect();
        let pixels = floats.as_chunks::<6>().0;
        assert!(pixels.len() > 1000);
        for [r, g, b, expected @ ..] in pixels {
            let got = aces_to_rec709_display([*r, *g, *b]);
            let expected = expected.map(|v| v.clamp(0.0, 1.0));
            let bright = expected.iter().all(|v| *v > 0.02);
            for (a, e) in got.into_iter().zip(expected) {
                let context = format!("{:?}: {got:?} is not {expected:?}", [r, g, b]);
                assert!((linear(a) - linear(e)).abs() <= 5e-5, "in light, {context}");
                assert!(!bright || (a - e).abs() <= 3e-5, "in code, {context}");
            }
        }
    }

    #[test]
    fn anything_gives_a_code_value() {
        let odd = [f32::NAN, f32::INFINITY, f32::NEG_INFINITY, -1.0, 0.0, 1e-45, f32::MAX];
        for r in odd {
            for g in odd {
                for b in odd {
                    let out = aces_to_rec709_display([r, g, b]);
                    assert!(
                        out.iter().all(|v| (0.0..=1.0).contains(v)),
                        "{:?} gave {out:?}",
                        [r, g, b]
                    );
                }
            }
        }
    }
}
