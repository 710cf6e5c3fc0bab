//! Encodings of pictures whose formulas are published and exact: from a code,
//! 0 to 1, to scene-linear light. What a file only hints at is not here.

pub(super) use platefarm_model::color::space::{P3, REC2020};
use platefarm_model::color::{self, ACES_WHITE, AP0, D65, Matrix3, REC709, Xy};
use std::sync::Arc;

/// The curve of codes of `bits` bits.
pub(super) fn curve(bits: u32, light: impl Fn(f64) -> f64) -> Arc<[f32]> {
    let last = (1u32 << bits.min(16)) - 1;
    (0..=last).map(|code| light(f64::from(code) / f64::from(last)) as f32).collect()
}

/// Linear already.
pub(super) fn linear(value: f64) -> f64 {
    value
}

/// Printing density as Cineon has it (Kodak, "Conversion of 10-bit log film data to 8-bit linear or
/// video data for the Cineon digital film system", 1995): 0.002 density a code of 10 bits, negative
/// gamma 0.6, black at code 95 and white at 685.
pub(super) fn cineon(value: f64) -> f64 {
    const BLACK: f64 = 95.0;
    const WHITE: f64 = 685.0;
    const DENSITY: f64 = 0.002;
    const GAMMA: f64 = 0.6;
    let exposure = |code: f64| 10f64.powf((code - WHITE) * DENSITY / GAMMA);
    let flare = exposure(BLACK);
    (exposure(value * 1023.0) - flare) / (1.0 - flare)
}

/// Inverse of the camera's opto-electronic transfer function of ITU-R BT.709-6, item 1.2 (that of
/// BT.601 and of BT.2020 in 10 bits); odd about zero.
pub(super) fn rec709_camera(value: f64) -> f64 {
    let size = value.abs();
    let light = if size < 0.081 { size / 4.5 } else { ((size + 0.099) / 1.099).powf(1.0 / 0.45) };
    light.copysign(value)
}

/// Inverse of the encoding of IEC 61966-2-1 (sRGB); odd about zero.
pub(super) fn srgb(value: f64) -> f64 {
    let size = value.abs();
    let light = if size <= 0.04045 { size / 12.92 } else { ((size + 0.055) / 1.055).powf(2.4) };
    light.copysign(value)
}

/// A pure power; odd about zero.
pub(super) fn power(value: f64, gamma: f64) -> f64 {
    value.abs().powf(gamma).copysign(value)
}

/// Linear RGB of `primaries` and `white` to ACES2065-1, the white adapted by Bradford.
pub(super) fn to_aces(primaries: &[Xy; 3], white: Xy) -> Matrix3 {
    let to_xyz = color::rgb_to_xyz(primaries, white);
    color::mul(&color::xyz_to_rgb(white, &AP0, ACES_WHITE), &to_xyz)
}

/// Linear ITU-R BT.709 to ACES2065-1.
pub(super) fn rec709_to_aces() -> Matrix3 {
    to_aces(&REC709, D65)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn near(a: f64, b: f64, eps: f64) {
        assert!((a - b).abs() < eps, "{a} and {b}");
    }

    /// Kodak's table: black 95 is 0, white 685 is 1, and 445 is the grey card at 18 percent of 90,
    /// about 2.3 stops below white.
    #[test]
    fn cineon_is_kodaks() {
        near(cineon(95.0 / 1023.0), 0.0, 1e-12);
        near(cineon(685.0 / 1023.0), 1.0, 1e-12);
        near(cineon(445.0 / 1023.0), 0.150, 0.01);
        // 90 codes are 0.3 of density over gamma: twice the light, but for the flare.
        let (a, b) = (cineon(600.0 / 1023.0) + 0.010_9, cineon(690.3 / 1023.0) + 0.010_9);
        near(b / a, 2.0, 0.01);
        near(cineon(1.0), 13.53, 0.02);
    }

    /// Values of the standards' own formulas.
    #[test]
    fn video_encodings_are_the_standards() {
        for (light, code) in [(0.0f64, 0.0f64), (0.01, 0.045), (0.18, 0.409_007), (1.0, 1.0)] {
            near(rec709_camera(code), light, 1e-6);
            near(rec709_camera(-code), -light, 1e-6);
        }
        for (light, code) in [(0.0f64, 0.0f64), (0.002, 0.025_84), (0.18, 0.461_356), (1.0, 1.0)] {
            near(srgb(code), light, 1e-6);
        }
        near(power(0.5, 2.4), 0.189_465, 1e-6);
        near(power(-0.5, 2.4), -0.189_465, 1e-6);
    }

    #[test]
    fn a_curve_has_an_entry_for_each_code() {
        let curve = curve(10, linear);
        assert_eq!((curve.len(), curve[0], curve[1023]), (1024, 0.0, 1.0));
    }
}
