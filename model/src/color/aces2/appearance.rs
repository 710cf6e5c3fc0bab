//! Lightness, colourfulness and hue: CAM16 after Hellwig and Fairchild, as
//! ACES 2.0 simplifies it (one viewing condition, full adaptation).

use crate::color::{Matrix3, Xy, apply, diagonal, invert, mul, rgb_to_xyz};

/// Exponent from the achromatic response to lightness: 0.59 (1.48 + sqrt(0.2)).
pub const LIGHTNESS_EXPONENT: f64 = 0.59 * (1.48 + 0.447_213_595_499_957_9);
/// Exponent of the cones' response.
pub(super) const CONE_EXPONENT: f64 = 0.42;
/// Offset of the cones' response.
pub(super) const CONE_OFFSET: f64 = 27.13;
/// Largest response that is turned back; above it the light would be infinite.
pub(super) const LARGEST_RESPONSE: f64 = 0.99;
/// Luminance of the adapting field, in cd/m².
const ADAPTING: f64 = 100.0;
/// CAM16's cones as primaries and white.
const CAM16: [Xy; 3] = [[0.8336, 0.1735], [2.3854, -1.4659], [0.087, -0.125]];
const CAM16_WHITE: Xy = [0.333, 0.333];
/// Surround: its factor on the opponent signals.
const SURROUND: f64 = 0.9;

/// Luminance level adaptation over the reference luminance.
fn level_adaptation() -> f64 {
    let k = 1.0 / (5.0 * ADAPTING + 1.0);
    let k4 = k * k * k * k;
    (0.2 * k4 * (5.0 * ADAPTING) + 0.1 * (1.0 - k4) * (1.0 - k4) * (5.0 * ADAPTING).cbrt()) / 100.0
}

/// Response of a cone.
fn respond(v: f64) -> f64 {
    let p = v.abs().powf(CONE_EXPONENT);
    (p / (CONE_OFFSET + p)).copysign(v)
}

/// Light of a cone's response.
fn unrespond(a: f64) -> f64 {
    let b = a.abs().min(LARGEST_RESPONSE);
    (CONE_OFFSET * b / (1.0 - b)).powf(1.0 / CONE_EXPONENT).copysign(a)
}

/// Response of the reference white's luminance, which lightness is relative to.
fn white_response() -> f64 {
    respond(level_adaptation() * 100.0)
}

/// Lightness J of a luminance in cd/m².
#[must_use]
pub(super) fn lightness_of(nits: f64) -> f64 {
    let a = respond(nits.abs() * level_adaptation()) / white_response();
    (100.0 * a.powf(LIGHTNESS_EXPONENT)).copysign(nits)
}

/// How linear RGB of some primaries looks.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Appearance {
    /// Linear RGB (1 = 100 cd/m²) to adapted cone light.
    pub to_cones: Matrix3,
    /// The way back.
    pub from_cones: Matrix3,
    /// Cone responses to achromatic response A and opponent signals a, b.
    pub to_opponents: Matrix3,
    /// The way back.
    pub from_opponents: Matrix3,
}

impl Appearance {
    /// For primaries and a white, which will look neutral.
    #[must_use]
    pub fn new(primaries: &[Xy; 3], white: Xy) -> Self {
        let inverse = |m: &Matrix3| invert(m).expect("primaries that are no colour space");
        let cones = inverse(&rgb_to_xyz(&CAM16, CAM16_WHITE));
        let to_xyz = rgb_to_xyz(primaries, white);
        let level = level_adaptation();
        let white_xyz = apply(&to_xyz, [100.0; 3]);
        let white_cones = apply(&cones, white_xyz);
        let adaptation = white_cones.map(|v| level * white_xyz[1] / v);
        let scaled = mul(&diagonal([100.0; 3]), &mul(&cones, &to_xyz));
        let to_cones = mul(&diagonal(adaptation), &scaled);
        let base: Matrix3 = [
            [2.0, 1.0, 1.0 / 20.0],
            [1.0, -12.0 / 11.0, 1.0 / 11.0],
            [1.0 / 9.0, 1.0 / 9.0, -2.0 / 9.0],
        ];
        let base = base.map(|row| row.map(|v| v * 400.0));
        let response = std::array::from_fn(|i| respond(adaptation[i] * white_cones[i]));
        let white_a = apply(&base, response)[0];
        let opponents = 43.0 * SURROUND;
        let to_opponents = [
            base[0].map(|v| v / white_a),
            base[1].map(|v| v * opponents),
            base[2].map(|v| v * opponents),
        ];
        Self {
            to_cones,
            from_cones: inverse(&to_cones),
            to_opponents,
            from_opponents: inverse(&to_opponents),
        }
    }

    /// Cone light of 1 cd/m² of the reference white, and the response that lightness is relative to.
    #[must_use]
    pub fn luminance(&self) -> (f64, f64) {
        (level_adaptation(), white_response())
    }

    /// Achromatic response of linear RGB.
    #[must_use]
    pub fn achromatic(&self, rgb: [f64; 3]) -> f64 {
        apply(&self.to_opponents, apply(&self.to_cones, rgb).map(respond))[0]
    }

    /// J, M and h (in degrees, from 0 up to 360) of linear RGB.
    #[must_use]
    pub fn jmh(&self, rgb: [f64; 3]) -> [f64; 3] {
        let [achromatic, a, b] = apply(&self.to_opponents, apply(&self.to_cones, rgb).map(respond));
        if achromatic <= 0.0 {
            return [0.0; 3];
        }
        let hue = b.atan2(a).to_degrees();
        let hue = if hue < 0.0 { hue + 360.0 } else { hue };
        [
            100.0 * achromatic.powf(LIGHTNESS_EXPONENT),
            a.hypot(b),
            if hue >= 360.0 { 0.0 } else { hue },
        ]
    }

    /// Linear RGB of J, M and h.
    #[must_use]
    pub fn rgb(&self, [j, m, h]: [f64; 3]) -> [f64; 3] {
        let achromatic = (j / 100.0).max(0.0).powf(1.0 / LIGHTNESS_EXPONENT);
        let (sin, cos) = h.to_radians().sin_cos();
        let responses = apply(&self.from_opponents, [achromatic, m * cos, m * sin]);
        apply(&self.from_cones, responses.map(unrespond))
    }
}
