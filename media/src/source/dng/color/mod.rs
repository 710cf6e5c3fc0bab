//! The camera's colour from the tags of DNG (1.7.1, chapter 6): white balance,
//! and white-balanced camera RGB to ACES2065-1.
//!
//! DNG maps a camera to XYZ under D50, its connection space. The last step,
//! D50 to the ACES white, is a Bradford adaptation: DNG itself adapts the
//! scene's white to D50 by the same method, so the two compose into one
//! adaptation from the scene's white to ACES's, and whatever was neutral in
//! the scene is neutral (R = G = B) in the plate. Baseline exposure is not
//! applied: it is a rendering choice, and plates keep the sensor's scale.

mod illuminant;
mod observer;

use super::tags;
use super::tiff::{Tags, bad_value};
use illuminant::Illuminant;
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
    illuminant: Option<Illuminant>,
    /// XYZ to camera.
    color: Matrix3,
    /// CameraCalibration.
    individual: Matrix3,
    /// White-balanced camera to XYZ D50.
    forward: Option<Matrix3>,
}

/// The file's calibrations, one to three, to be asked for any white point.
struct Profile {
    calibrations: Vec<Calibration>,
    analog: Matrix3,
}

/// ColorMatrix, CameraCalibration, ForwardMatrix, CalibrationIlluminant and IlluminantData of each.
const CALIBRATIONS: [[u16; 5]; 3] = [
    [
        tags::COLOR_MATRIX_1,
        tags::CAMERA_CALIBRATION_1,
        tags::FORWARD_MATRIX_1,
        tags::CALIBRATION_ILLUMINANT_1,
        tags::ILLUMINANT_DATA_1,
    ],
    [
        tags::COLOR_MATRIX_2,
        tags::CAMERA_CALIBRATION_2,
        tags::FORWARD_MATRIX_2,
        tags::CALIBRATION_ILLUMINANT_2,
        tags::ILLUMINANT_DATA_2,
    ],
    [
        tags::COLOR_MATRIX_3,
        tags::CAMERA_CALIBRATION_3,
        tags::FORWARD_MATRIX_3,
        tags::CALIBRATION_ILLUMINANT_3,
        tags::ILLUMINANT_DATA_3,
    ],
];

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
            kelvin: illuminant::temperature(white).0,
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
        let for_this_camera = signature(tags::CAMERA_CALIBRATION_SIGNATURE)
            == signature(tags::PROFILE_CALIBRATION_SIGNATURE);
        let mut calibrations = Vec::new();
        for [color, individual, forward, code, data] in CALIBRATIONS {
            let Some(color) = matrix(tags, color)? else { break };
            let individual = if for_this_camera { matrix(tags, individual)? } else { None };
            calibrations.push(Calibration {
                illuminant: illuminant::read(tags, code, data, notes),
                color,
                individual: individual.unwrap_or(IDENTITY),
                forward: matrix(tags, forward)?.map(normalised_forward),
            });
        }
        if calibrations.is_empty() {
            return Err(unusable("there is no colour matrix".into(), "ColorMatrix1"));
        }
        let apart = calibrations.iter().enumerate().take_while(|(i, calibration)| {
            let Some(mine) = calibration.illuminant else { return *i == 0 };
            calibrations[..*i].iter().all(|before| {
                before.illuminant.is_some_and(|i| (i.kelvin - mine.kelvin).abs() > 1.0)
            })
        });
        let usable = apart.count().max(1);
        if usable < calibrations.len() {
            notes.push(
                Fault::new(
                    Code::BadColorData,
                    format!(
                        "the {} calibration illuminants cannot be told apart; the first {usable} count",
                        calibrations.len()
                    ),
                )
                .at("CalibrationIlluminant1, CalibrationIlluminant2"),
            );
            calibrations.truncate(usable);
        }
        let analog = match tags.numbers(tags::ANALOG_BALANCE)? {
            None => IDENTITY,
            Some(v) => match v[..] {
                [r, g, b] if r > 0.0 && g > 0.0 && b > 0.0 => diagonal([r, g, b]),
                _ => return Err(unusable(format!("{v:?} is no analog balance"), "AnalogBalance")),
            },
        };
        Ok(Self { calibrations, analog })
    }

    /// How much each calibration counts at a white point: of two, linear in the reciprocal of the
    /// temperature between them; of three, by distance.
    fn weights(&self, white: Xy) -> Vec<f64> {
        let known: Vec<Illuminant> =
            self.calibrations.iter().filter_map(|c| c.illuminant).collect();
        match known[..] {
            [a, b] if self.calibrations.len() == 2 => {
                let kelvin = illuminant::temperature(white).0;
                let second = (1.0 / kelvin - 1.0 / a.kelvin) / (1.0 / b.kelvin - 1.0 / a.kelvin);
                let second = second.clamp(0.0, 1.0);
                vec![1.0 - second, second]
            }
            [a, b, c] => illuminant::weights(white, [a, b, c]).to_vec(),
            _ => vec![1.0],
        }
    }

    /// The calibration at a white point.
    fn at(&self, white: Xy) -> AtWhite {
        let weights = self.weights(white);
        let mix = |of: &dyn Fn(&Calibration) -> Option<Matrix3>| -> Option<Matrix3> {
            let parts = self.calibrations.iter().zip(&weights);
            let parts: Vec<(Matrix3, f64)> =
                parts.filter_map(|(c, weight)| Some((of(c)?, *weight))).collect();
            let sum: f64 = parts.iter().map(|(_, weight)| weight).sum();
            // A calibration that says nothing leaves the others to speak.
            let (first, _) = *parts.first()?;
            let mixed = |r: usize, c: usize| {
                parts.iter().map(|(m, weight)| m[r][c] * weight).sum::<f64>() / sum
            };
            Some(if sum > 0.0 {
                std::array::from_fn(|r| std::array::from_fn(|c| mixed(r, c)))
            } else {
                first
            })
        };
        let color = mix(&|c| Some(c.color)).unwrap_or(IDENTITY);
        let individual = mix(&|c| Some(c.individual)).unwrap_or(IDENTITY);
        let forward = mix(&|c| c.forward);
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

/// A forward matrix maps (1, 1, 1) to D50; what rounding in the file took from that is put back.
fn normalised_forward(m: Matrix3) -> Matrix3 {
    let (white, sums) = (xy_to_xyz(D50), apply(&m, [1.0; 3]));
    std::array::from_fn(|r| {
        if sums[r].abs() > 1e-6 { m[r].map(|v| v * white[r] / sums[r]) } else { m[r] }
    })
}
