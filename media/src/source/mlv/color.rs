//! The colour of a Magic Lantern recording: its matrix from XYZ to the camera
//! under daylight, and the white that the camera was set to.

use super::blocks::Payload;
use platefarm_model::clip::CameraColor;
use platefarm_model::color::{
    ACES_WHITE, AP0, D65, Matrix3, Xy, apply, diagonal, invert, mul, xy_to_xyz, xyz_to_rgb,
};
use platefarm_model::{Code, Fault, Outcome};

/// Colour, and the temperature of the white where it was set as one.
pub(super) struct Color {
    pub(super) color: CameraColor,
    pub(super) kelvin: Option<f64>,
}

/// Reads the colour from the sensor's block and the white balance's.
///
/// # Errors
/// [`Code::BadColorData`] when the matrix cannot be used.
pub(super) fn read(
    raw: &Payload,
    balance: Option<&Payload>,
    notes: &mut Vec<Fault>,
) -> Outcome<Color> {
    let to_camera = matrix(raw)?;
    let kelvin = balance.and_then(kelvin);
    let gains = balance.and_then(gains);
    let white = kelvin.map_or(D65, locus);
    let neutral = match gains {
        Some(gains) => {
            notes.push(
                Fault::new(
                    Code::Unverified,
                    "custom white balance gains are read as gains of 1024 for one",
                )
                .at("WBAL block"),
            );
            gains.map(f64::recip)
        }
        None => {
            if kelvin.is_none() {
                notes.push(
                    Fault::new(
                        Code::MetadataAbsent,
                        "the white balance was automatic and its result is not in the file; D65 is assumed",
                    )
                    .at("WBAL block"),
                );
            }
            apply(&to_camera, xy_to_xyz(white))
        }
    };
    let unusable =
        |what: String| Fault::new(Code::BadColorData, what).at("RAWI block, color_matrix1");
    if neutral.iter().any(|v| !(v.is_finite() && *v > 1e-6)) {
        return Err(unusable(format!("white is {neutral:?} in the camera's colours")));
    }
    let white_balance = neutral.map(|v| neutral[1] / v);
    let to_xyz = invert(&to_camera).ok_or_else(|| unusable("the matrix has no inverse".into()))?;
    let to_xyz = mul(&to_xyz, &diagonal(white_balance.map(f64::recip)));
    let to_aces = mul(&xyz_to_rgb(white, &AP0, ACES_WHITE), &to_xyz);
    let levels = to_aces.map(|row| row.iter().sum::<f64>());
    if levels.iter().any(|v| !(v.is_finite() && *v > 1e-6)) {
        return Err(unusable(format!("white becomes {levels:?}")));
    }
    let camera_to_aces = std::array::from_fn(|r| to_aces[r].map(|v| v / levels[r]));
    Ok(Color { color: CameraColor { white_balance, camera_to_aces }, kelvin })
}

/// Nine fractions: XYZ to camera.
fn matrix(raw: &Payload) -> Outcome<Matrix3> {
    let mut values = [0.0; 9];
    for (i, value) in values.iter_mut().enumerate() {
        let at = 104 + 8 * i;
        *value = match (raw.i32(at), raw.i32(at + 4)) {
            (Some(over), Some(under)) if under != 0 => f64::from(over) / f64::from(under),
            _ => {
                let what = format!("entry {i} of the matrix is no fraction");
                return Err(Fault::new(Code::BadColorData, what).at("RAWI block, color_matrix1"));
            }
        };
    }
    Ok(std::array::from_fn(|r| std::array::from_fn(|c| values[3 * r + c])))
}

/// The temperature of a mode that has one: the camera's presets, and the typed one.
fn kelvin(balance: &Payload) -> Option<f64> {
    match balance.u32(16)? {
        1 => Some(5200.0),
        2 => Some(6000.0),
        3 => Some(3200.0),
        4 => Some(4000.0),
        5 => Some(6000.0),
        8 => Some(7000.0),
        9 => balance.u32(20).map(f64::from).filter(|k| (1500.0..=20_000.0).contains(k)),
        _ => None,
    }
}

/// Gains of red, green and blue in the custom mode.
fn gains(balance: &Payload) -> Option<[f64; 3]> {
    if balance.u32(16)? != 6 {
        return None;
    }
    let gains = [24, 28, 32].map(|at| balance.u32(at).map_or(0.0, |v| f64::from(v) / 1024.0));
    gains.iter().all(|v| (0.05..=20.0).contains(v)).then_some(gains)
}

/// The white of a temperature: daylight from 4000 K (CIE 15, method of calculating D illuminants), the
/// Planckian locus below (Kim et al., US patent 7024034).
fn locus(kelvin: f64) -> Xy {
    let t = 1000.0 / kelvin;
    let poly = |c: [f64; 4], v: f64| ((c[0] * v + c[1]) * v + c[2]) * v + c[3];
    if kelvin >= 4000.0 {
        let x = if kelvin <= 7000.0 {
            poly([-4.6070, 2.9678, 0.09911, 0.244_063], t)
        } else {
            poly([-2.0064, 1.9018, 0.24748, 0.237_040], t)
        };
        return [x, -3.0 * x * x + 2.870 * x - 0.275];
    }
    let x = poly([-0.266_123_9, -0.234_358_9, 0.877_695_6, 0.179_910], t);
    let y = if kelvin >= 2222.0 {
        poly([-0.954_947_6, -1.374_185_93, 2.091_370_15, -0.167_488_67], x)
    } else {
        poly([-1.106_381_4, -1.348_110_20, 2.185_558_32, -0.202_196_83], x)
    };
    [x, y]
}

#[cfg(test)]
mod tests {
    use super::locus;

    /// CIE 15: D50 and D65 by their correlated temperatures, illuminant A.
    #[test]
    fn whites_are_the_published_ones() {
        for (kelvin, xy) in
            [(5003.0, [0.3457, 0.3585]), (6504.0, [0.3127, 0.3290]), (2856.0, [0.4476, 0.4074])]
        {
            let found = locus(kelvin);
            assert!((0..2).all(|i| (found[i] - xy[i]).abs() < 1e-3), "{kelvin}: {found:?}");
        }
        let (below, above) = (locus(3999.9), locus(4000.0));
        assert!((below[0] - above[0]).abs() < 3e-3, "{below:?} {above:?}");
    }
}
