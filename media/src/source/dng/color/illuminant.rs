//! Illuminants: what the codes of EXIF and the data of DNG 1.6 stand for, and
//! how a white is told from another by temperature and tint.

use super::super::tiff::{Tags, bad_value};
use super::observer::{FIRST_NM, OBSERVER, STEP_NM};
use platefarm_model::color::{Xy, xyz_to_xy};
use platefarm_model::{Fault, Outcome};

/// EXIF's code of an illuminant that IlluminantData describes.
const OTHER: u64 = 255;

/// A calibration illuminant.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Illuminant {
    pub(super) white: Xy,
    /// Correlated colour temperature, in kelvin.
    pub(super) kelvin: f64,
}

/// The illuminant that one of the three pairs of tags describes; `None` when it is not said, or
/// cannot be understood, which is noted.
pub(super) fn read(
    tags: Tags<'_>,
    code: u16,
    data: u16,
    notes: &mut Vec<Fault>,
) -> Option<Illuminant> {
    let number = tags.get(code)?.integer(0)?;
    if number != OTHER {
        return by_code(number);
    }
    match by_data(tags, data) {
        Ok(white) => Some(Illuminant { white, kelvin: temperature(white).0 }),
        Err(fault) => {
            notes.push(fault);
            None
        }
    }
}

/// EXIF 2.3, table 8. Whites by CIE 15; temperatures of a range by its middle.
fn by_code(code: u64) -> Option<Illuminant> {
    let (white, kelvin) = match code {
        3 | 17 => ([0.447_57, 0.407_45], 2856.0),
        24 => ([0.423_4, 0.399_0], 3200.0),
        16 => ([0.440_2, 0.403_1], 2925.0),
        15 => ([0.409_1, 0.394_1], 3450.0),
        2 => ([0.372_1, 0.375_1], 4200.0),
        14 => ([0.374_1, 0.372_7], 4200.0),
        18 => ([0.348_42, 0.351_61], 4874.0),
        23 => ([0.345_67, 0.358_50], 5003.0),
        13 => ([0.345_8, 0.358_6], 5050.0),
        1 | 4 | 9 | 20 => ([0.332_42, 0.347_43], 5503.0),
        12 => ([0.313_1, 0.337_1], 6400.0),
        10 | 21 => ([0.312_71, 0.329_02], 6504.0),
        19 => ([0.310_06, 0.316_16], 6774.0),
        11 | 22 => ([0.299_02, 0.314_85], 7504.0),
        _ => return None,
    };
    Some(Illuminant { white, kelvin })
}

/// IlluminantData (DNG 1.6): a chromaticity, or a spectrum, in the file's byte order.
fn by_data(tags: Tags<'_>, tag: u16) -> Outcome<Xy> {
    let bytes = tags.required(tag)?.bytes();
    let big = tags.tiff.big_endian;
    let word = |at: usize| -> Option<u32> {
        let cell = *bytes.get(at..)?.first_chunk()?;
        Some(if big { u32::from_be_bytes(cell) } else { u32::from_le_bytes(cell) })
    };
    let rational = |at: usize| -> Option<f64> {
        let value = f64::from(word(at)?) / f64::from(word(at + 4)?);
        value.is_finite().then_some(value)
    };
    let kind = bytes
        .first_chunk()
        .map(|c| if big { u16::from_be_bytes(*c) } else { u16::from_le_bytes(*c) });
    let white = match kind {
        Some(0) => rational(2).zip(rational(10)).map(|(x, y)| [x, y]),
        Some(1) => word(2).filter(|n| (2..=1000).contains(n)).and_then(|count| {
            let samples = (0..count as usize).map(|i| rational(22 + 8 * i));
            let samples: Vec<f64> = samples.collect::<Option<_>>()?;
            white_of(&samples, rational(6)?, rational(14).filter(|step| *step > 0.0)?)
        }),
        _ => None,
    };
    white
        .filter(|[x, y]| *x > 0.0 && *y > 0.0 && x + y < 1.0)
        .ok_or_else(|| bad_value(tag, "is neither a chromaticity nor a spectrum"))
}

/// The white of a spectrum: samples from a wavelength on, so many nanometres apart, straight in
/// between and level beyond their ends.
fn white_of(samples: &[f64], first_nm: f64, step_nm: f64) -> Option<Xy> {
    let mut sum = [0.0; 3];
    for (i, observer) in OBSERVER.iter().enumerate() {
        let nm = FIRST_NM + STEP_NM * i as f64;
        let at = ((nm - first_nm) / step_nm).clamp(0.0, (samples.len() - 1) as f64);
        let (before, part) = (at as usize, at.fract());
        let after = samples.get(before + 1).unwrap_or(&samples[before]);
        let power = samples[before] + (after - samples[before]) * part;
        for (sum, observer) in sum.iter_mut().zip(observer) {
            *sum += power * f64::from(*observer);
        }
    }
    let xy = xyz_to_xy(sum);
    xy.iter().all(|v| v.is_finite()).then_some(xy)
}

/// How much each of three calibrations counts at a white (DNG 1.6, chapter 6): near in reciprocal
/// temperature and tint counts more, and what counts next to nothing is left out.
pub(super) fn weights(white: Xy, illuminants: [Illuminant; 3]) -> [f64; 3] {
    const NEAREST: f64 = 1e-8;
    const LEAST: f64 = 0.02;
    let place = |xy: Xy| {
        let (kelvin, duv) = temperature(xy);
        // A tint is 3000 times the distance from the Planckian locus; 200 of it count as one.
        [(1500.0 / kelvin).min(1.0), duv * 3000.0 / 200.0]
    };
    let at = place(white);
    let near = illuminants.map(|illuminant| {
        let there = place(illuminant.white);
        let squared = (at[0] - there[0]).powi(2) + (at[1] - there[1]).powi(2);
        1.0 / (squared + NEAREST)
    });
    let parts = |values: [f64; 3]| values.map(|v| v / values.iter().sum::<f64>());
    parts(parts(near).map(|w| {
        let smooth = w * w * (3.0 - 2.0 * w);
        ((smooth - LEAST) / (1.0 - LEAST)).max(0.0)
    }))
}

/// Correlated colour temperature in kelvin, and the distance from the Planckian locus: the nearest
/// point of the locus in CIE 1960 u, v, positive above it. The locus is Krystek's rational form (Color Research and
/// Application 10, 1985), good to 8e-5 from 1000 K to 15000 K.
pub(super) fn temperature([x, y]: Xy) -> (f64, f64) {
    let denominator = -2.0 * x + 12.0 * y + 3.0;
    let (u, v) = (4.0 * x / denominator, 6.0 * y / denominator);
    let locus = |mired: f64| {
        let t = 1e6 / mired;
        let pu = (0.860_117_757 + 1.541_182_54e-4 * t + 1.286_412_12e-7 * t * t)
            / (1.0 + 8.424_202_35e-4 * t + 7.081_451_63e-7 * t * t);
        let pv = (0.317_398_726 + 4.228_062_45e-5 * t + 4.204_816_91e-8 * t * t)
            / (1.0 - 2.897_418_16e-5 * t + 1.614_560_53e-7 * t * t);
        (pu, pv)
    };
    let distance = |mired: f64| {
        let (pu, pv) = locus(mired);
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
    let mired = (low + high) / 2.0;
    let away = distance(mired).sqrt();
    (1e6 / mired, if v < locus(mired).1 { -away } else { away })
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
            let (found, duv) = temperature(xy);
            assert!((found / kelvin - 1.0f64).abs() < 0.005, "{xy:?}: {found}, not {kelvin}");
            assert!(duv.abs() < 0.0035, "daylight lies just above the locus: {duv}");
        }
        // Fluorescent F2, F8 (CIE 15): above the locus; a green tint has its sign.
        assert!(temperature([0.372_1, 0.375_1]).1 > 0.001);
        assert!(temperature([0.3457, 0.3385]).1 < -0.005);
    }

    /// Illuminant A by its definition (CIE 15: Planck's law with c2 = 1.435e-2 m K at 2848 K) has A's chromaticity.
    #[test]
    fn a_spectrum_has_its_white() {
        let planck = |nm: f64| {
            let exponent = 1.435e-2 / (nm * 1e-9 * 2848.0);
            (560.0 / nm).powi(5) / exponent.exp_m1() * 1e3
        };
        for (first, step, count) in [(380.0, 5.0, 81), (360.0, 10.0, 48)] {
            let samples: Vec<f64> = (0..count).map(|i| planck(first + step * i as f64)).collect();
            let [x, y] = white_of(&samples, first, step).unwrap();
            assert!((x - 0.447_57).abs() < 2e-4 && (y - 0.407_45).abs() < 2e-4, "{x}, {y}");
        }
        let [x, y] = white_of(&[1.0, 1.0], 400.0, 300.0).unwrap();
        assert!((x - 1.0 / 3.0).abs() < 1e-4 && (y - 1.0 / 3.0).abs() < 1e-4, "equal energy");
    }

    /// At one of three whites its calibration counts alone; in the middle of two both count alike.
    #[test]
    fn three_illuminants_share_the_white() {
        let three = [17, 23, 22].map(|code| by_code(code).unwrap());
        for (i, illuminant) in three.iter().enumerate() {
            let mut alone = [0.0; 3];
            alone[i] = 1.0;
            for (weight, expected) in weights(illuminant.white, three).iter().zip(alone) {
                assert!((weight - expected).abs() < 1e-4, "{i}: {weight}");
            }
        }
        // By the same formulas over the temperatures of Robertson 1968, as colour-science 0.4.6 has
        // them: far from the locus they differ from the nearest point by parts of a percent.
        for (white, expected) in [
            ([0.380_5, 0.376_8], [0.1294, 0.8195, 0.0511]),
            ([0.37, 0.37], [0.025, 0.9342, 0.0408]),
            ([0.32, 0.36], [0.0228, 0.4875, 0.4897]),
            ([0.40, 0.37], [0.7359, 0.2087, 0.0553]),
            ([0.3127, 0.329], [0.0, 0.0542, 0.9458]),
        ] {
            let found = weights(white, three);
            for (found, expected) in found.iter().zip(expected) {
                assert!((found - expected).abs() < 0.02, "{white:?}: {found}, not {expected}");
            }
            assert!((found.iter().sum::<f64>() - 1.0).abs() < 1e-12);
        }
    }
}
