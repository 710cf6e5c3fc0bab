//! The camera's colour from the tags of DNG (1.7.1, chapter 6): white balance,
//! and white-balanced camera RGB to ACES2065-1.
//!
//! DNG maps a camera to XYZ under D50, its connection space. The last step,
//! D50 to the ACES white, is a Bradford adaptation: DNG itself adapts the
//! scene's white to D50 by the same method, so the two compose into one
//! adaptation from the scene's white to ACES's, and whatever was neutral in
//! the scene is neutral (R = G = B) in the plate. Baseline exposure is not
//! applied: it is a rendering choice, and plates keep the sensor's scale.

use super::tags;
use super::tiff::{Tags, bad_value};
use platefarm_model::color::{
    ACES_WHITE, AP0, D50, IDENTITY, Matrix3, Xy, adapt, apply, diagonal, invert, mul, xy_to_xyz,
    xyz_to_rgb, xyz_to_xy,
};
use platefarm_model::{Code, Fault, Outcome};

/// The colour of a clip.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct CameraColor {
    /// Gains that make the scene's white neutral; green is 1.
    pub(super) white_balance: [f64; 3],
    /// White-balanced camera RGB to ACES2065-1.
    pub(super) camera_to_aces: Matrix3,
    /// Correlated colour temperature of the scene's white, in kelvin.
    pub(super) kelvin: f64,
}

/// What the file says about one calibration illuminant.
#[derive(Clone, Debug)]
struct Calibration {
    kelvin: Option<f64>,
    /// XYZ to camera.
    color: Matrix3,
    /// CameraCalibration.
    individual: Matrix3,
    /// White-balanced camera to XYZ D50.
    forward: Option<Matrix3>,
}

/// The file's calibrations, to be asked for any white point.
struct Profile {
    first: Calibration,
    second: Option<Calibration>,
    analog: Matrix3,
}

impl CameraColor {
    /// The colour that the tags describe.
    ///
    /// # Errors
    /// [`Code::BadColorData`] when there is no usable colour matrix or white.
    pub(super) fn read(tags: Tags<'_>, notes: &mut Vec<Fault>) -> Outcome<Self> {
        let profile = Profile::read(tags, notes)?;
        let white = profile.white(tags, notes)?;
        let at_white = profile.at(white);
        let neutral = match neutral(tags)? {
            Some(neutral) => neutral,
            None => apply(&at_white.xyz_to_camera, xy_to_xyz(white)),
        };
        if neutral.iter().any(|v| !(v.is_finite() && *v > 1e-6)) {
            return Err(unusable(
                format!("the neutral {neutral:?} has no white balance"),
                "AsShotNeutral",
            ));
        }
        let white_balance = neutral.map(|v| neutral[1] / v);

        let camera_to_d50 = match at_white.forward {
            Some(forward) => {
                let reference = mul(&profile.analog, &at_white.individual);
                let back = inverse(&reference, "CameraCalibration1")?;
                let balance = apply(&back, neutral).map(f64::recip);
                mul(&forward, &mul(&diagonal(balance), &back))
            }
            None => mul(&adapt(white, D50), &inverse(&at_white.xyz_to_camera, "ColorMatrix1")?),
        };
        let unbalance = diagonal(white_balance.map(f64::recip));
        let to_aces = mul(&xyz_to_rgb(D50, &AP0, ACES_WHITE), &mul(&camera_to_d50, &unbalance));
        // White is R = G = B by construction. Its scale is left to settle, and what the
        // iteration for the white point left open (less than 1e-9).
        let levels = to_aces.map(|row| row.iter().sum::<f64>());
        if !levels.iter().all(|v| v.is_finite() && *v > 1e-6) {
            return Err(unusable(format!("white becomes {levels:?}"), "ColorMatrix1"));
        }
        Ok(Self {
            white_balance,
            camera_to_aces: std::array::from_fn(|r| to_aces[r].map(|v| v / levels[r])),
            kelvin: cct(white),
        })
    }
}

/// The camera at one white point.
struct AtWhite {
    xyz_to_camera: Matrix3,
    individual: Matrix3,
    forward: Option<Matrix3>,
}

impl Profile {
    fn read(tags: Tags<'_>, notes: &mut Vec<Fault>) -> Outcome<Self> {
        // A calibration of this very camera counts only for the profile it was made for.
        let signature = |tag| tags.text(tag).unwrap_or_default();
        let individual = signature(tags::CAMERA_CALIBRATION_SIGNATURE)
            == signature(tags::PROFILE_CALIBRATION_SIGNATURE);
        let calibration =
            |color, calibration, forward, illuminant| -> Outcome<Option<Calibration>> {
                let Some(color) = matrix(tags, color)? else { return Ok(None) };
                let individual = if individual { matrix(tags, calibration)? } else { None };
                let kelvin =
                    tags.get(illuminant).and_then(|e| e.integer(0)).and_then(illuminant_kelvin);
                Ok(Some(Calibration {
                    kelvin,
                    color,
                    individual: individual.unwrap_or(IDENTITY),
                    forward: matrix(tags, forward)?.map(normalised_forward),
                }))
            };
        let first = calibration(
            tags::COLOR_MATRIX_1,
            tags::CAMERA_CALIBRATION_1,
            tags::FORWARD_MATRIX_1,
            tags::CALIBRATION_ILLUMINANT_1,
        )?;
        let mut second = calibration(
            tags::COLOR_MATRIX_2,
            tags::CAMERA_CALIBRATION_2,
            tags::FORWARD_MATRIX_2,
            tags::CALIBRATION_ILLUMINANT_2,
        )?;
        let Some(first) = first else {
            return Err(unusable("there is no colour matrix".into(), "ColorMatrix1"));
        };
        if tags.get(tags::COLOR_MATRIX_3).is_some() {
            notes.push(
                Fault::new(
                    Code::UnsupportedFeature,
                    "the third calibration illuminant is not used",
                )
                .at("ColorMatrix3"),
            );
        }
        let apart = second.as_ref().is_some_and(|second| match (first.kelvin, second.kelvin) {
            (Some(a), Some(b)) => (a - b).abs() > 1.0,
            _ => false,
        });
        if second.is_some() && !apart {
            notes.push(
                Fault::new(
                    Code::BadColorData,
                    "the two calibration illuminants cannot be told apart; the first is used",
                )
                .at("CalibrationIlluminant1, CalibrationIlluminant2"),
            );
            second = None;
        }
        let analog = match tags.numbers(tags::ANALOG_BALANCE)? {
            None => IDENTITY,
            Some(v) => match v[..] {
                [r, g, b] if r > 0.0 && g > 0.0 && b > 0.0 => diagonal([r, g, b]),
                _ => return Err(unusable(format!("{v:?} is no analog balance"), "AnalogBalance")),
            },
        };
        Ok(Self { first, second, analog })
    }

    /// The calibration at a white point: between two illuminants, linear in the reciprocal of the temperature.
    fn at(&self, white: Xy) -> AtWhite {
        let weight = self.second.as_ref().map_or(0.0, |second| {
            let (Some(a), Some(b)) = (self.first.kelvin, second.kelvin) else { return 0.0 };
            ((1.0 / cct(white) - 1.0 / a) / (1.0 / b - 1.0 / a)).clamp(0.0, 1.0)
        });
        let second = self.second.as_ref().unwrap_or(&self.first);
        let color = mix(&self.first.color, &second.color, weight);
        let individual = mix(&self.first.individual, &second.individual, weight);
        let forward = match (self.first.forward, second.forward) {
            (Some(a), Some(b)) => Some(mix(&a, &b, weight)),
            (a, b) => a.or(b),
        };
        AtWhite { xyz_to_camera: mul(&self.analog, &mul(&individual, &color)), individual, forward }
    }

    /// The white of the scene. A neutral in camera space gives it only together with the matrix
    /// that itself depends on it, so the two are iterated until they agree.
    fn white(&self, tags: Tags<'_>, notes: &mut Vec<Fault>) -> Outcome<Xy> {
        if let Some(neutral) = neutral(tags)? {
            let mut white = D50;
            for round in 0..60 {
                let back = inverse(&self.at(white).xyz_to_camera, "ColorMatrix1")?;
                let next = xyz_to_xy(apply(&back, neutral));
                if !next.iter().all(|v| v.is_finite() && *v > 0.0) {
                    return Err(unusable(
                        format!("the neutral {neutral:?} is no colour of light"),
                        "AsShotNeutral",
                    ));
                }
                let moved = (next[0] - white[0]).abs() + (next[1] - white[1]).abs();
                // Some pairs of matrices swing around the answer: then half steps find it.
                let swings = round >= 20;
                white = if swings { [0, 1].map(|i| (next[i] + white[i]) / 2.0) } else { next };
                if moved < 1e-12 {
                    break;
                }
            }
            return Ok(white);
        }
        if let Some(xy) = tags.numbers(tags::AS_SHOT_WHITE_XY)? {
            return match xy[..] {
                [x, y] if x > 0.0 && y > 0.0 && x + y < 1.0 => Ok([x, y]),
                _ => Err(bad_value(tags::AS_SHOT_WHITE_XY, format!("{xy:?} is no chromaticity"))),
            };
        }
        let white = platefarm_model::color::D65;
        notes.push(
            Fault::new(Code::MetadataAbsent, "no white balance in the file; D65 is assumed")
                .at("AsShotNeutral, AsShotWhiteXY"),
        );
        Ok(white)
    }
}

fn unusable(what: String, tag: &str) -> Fault {
    Fault::new(Code::BadColorData, what).at(tag)
}

fn inverse(m: &Matrix3, tag: &str) -> Outcome<Matrix3> {
    invert(m).ok_or_else(|| unusable("the matrix has no inverse".into(), tag))
}

fn neutral(tags: Tags<'_>) -> Outcome<Option<[f64; 3]>> {
    let Some(values) = tags.numbers(tags::AS_SHOT_NEUTRAL)? else { return Ok(None) };
    match values[..] {
        [r, g, b] if r > 0.0 && g > 0.0 && b > 0.0 => Ok(Some([r, g, b])),
        _ => Err(unusable(format!("{values:?} is no neutral"), "AsShotNeutral")),
    }
}

fn matrix(tags: Tags<'_>, tag: u16) -> Outcome<Option<Matrix3>> {
    let Some(v) = tags.numbers(tag)? else { return Ok(None) };
    if v.len() != 9 {
        return Err(unusable(
            format!("{} values; a camera of three colours has 9", v.len()),
            &tags::name(tag),
        ));
    }
    Ok(Some([[v[0], v[1], v[2]], [v[3], v[4], v[5]], [v[6], v[7], v[8]]]))
}

fn mix(a: &Matrix3, b: &Matrix3, weight: f64) -> Matrix3 {
    std::array::from_fn(|r| std::array::from_fn(|c| a[r][c] + (b[r][c] - a[r][c]) * weight))
}

/// A forward matrix maps (1, 1, 1) to D50; what rounding in the file took from that is put back.
fn normalised_forward(m: Matrix3) -> Matrix3 {
    let (white, sums) = (xy_to_xyz(D50), apply(&m, [1.0; 3]));
    std::array::from_fn(|r| {
        if sums[r].abs() > 1e-6 { m[r].map(|v| v * white[r] / sums[r]) } else { m[r] }
    })
}

/// Colour temperature of an EXIF LightSource; ranges by their middle (EXIF 2.3, table 8).
fn illuminant_kelvin(code: u64) -> Option<f64> {
    Some(match code {
        3 | 17 => 2856.0,
        24 => 3200.0,
        16 => 2925.0,
        15 => 3450.0,
        2 | 14 => 4200.0,
        18 => 4874.0,
        23 => 5003.0,
        13 => 5050.0,
        1 | 4 | 9 | 20 => 5503.0,
        12 => 6400.0,
        10 | 21 => 6504.0,
        19 => 6774.0,
        11 | 22 => 7504.0,
        _ => return None,
    })
}

/// Correlated colour temperature: the nearest point of the Planckian locus in
/// CIE 1960 u, v. The locus is Krystek's rational form (Color Research and
/// Application 10, 1985), good to 8e-5 from 1000 K to 15000 K.
pub(super) fn cct([x, y]: Xy) -> f64 {
    let denominator = -2.0 * x + 12.0 * y + 3.0;
    let (u, v) = (4.0 * x / denominator, 6.0 * y / denominator);
    let distance = |mired: f64| {
        let t = 1e6 / mired;
        let pu = (0.860_117_757 + 1.541_182_54e-4 * t + 1.286_412_12e-7 * t * t)
            / (1.0 + 8.424_202_35e-4 * t + 7.081_451_63e-7 * t * t);
        let pv = (0.317_398_726 + 4.228_062_45e-5 * t + 4.204_816_91e-8 * t * t)
            / (1.0 - 2.897_418_16e-5 * t + 1.614_560_53e-7 * t * t);
        (u - pu).powi(2) + (v - pv).powi(2)
    };
    // The distance has one minimum over the range; thirds of the interval close in on it.
    let (mut low, mut high) = (1e6 / 25_000.0, 1e6 / 1500.0);
    for _ in 0..80 {
        let third = (high - low) / 3.0;
        if distance(low + third) < distance(high - third) {
            high -= third;
        } else {
            low += third;
        }
    }
    2e6 / (low + high)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// CIE 15: the standard illuminants and their temperatures.
    #[test]
    fn temperatures_are_the_published_ones() {
        for (xy, kelvin) in [
            ([0.447_57, 0.407_45], 2856.0),
            ([0.345_67, 0.358_50], 5003.0),
            ([0.332_42, 0.347_43], 5503.0),
            ([0.312_71, 0.329_02], 6504.0),
            ([0.299_02, 0.314_85], 7504.0),
        ] {
            let found = cct(xy);
            assert!((found / kelvin - 1.0f64).abs() < 0.005, "{xy:?}: {found}, not {kelvin}");
        }
    }
}
