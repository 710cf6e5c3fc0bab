//! Colour against values derived from other definitions.

use super::color::CameraColor;
use super::input::Input;
use super::raw;
use super::tiff::{Tags, Tiff};
use platefarm_model::color::{
    ACES_WHITE, AP0, D50, D65, adapt, apply, diagonal, invert, mul, rgb_to_xyz, xy_to_xyz,
    xyz_to_rgb,
};
use platefarm_model::{Code, Fault, Outcome};

/// A little-endian TIFF of one directory.
fn tiff(tags: &[(u16, Value)]) -> Vec<u8> {
    let mut tags = tags.to_vec();
    tags.sort_by_key(|(tag, _)| *tag);
    let mut out = b"II*\0\x08\0\0\0".to_vec();
    out.extend((tags.len() as u16).to_le_bytes());
    let mut behind = 8 + 2 + 12 * tags.len() + 4;
    let mut values = Vec::new();
    for (tag, value) in &tags {
        let (kind, count, mut bytes) = value.bytes();
        out.extend(tag.to_le_bytes());
        out.extend(u16::to_le_bytes(kind));
        out.extend((count as u32).to_le_bytes());
        if bytes.len() <= 4 {
            bytes.resize(4, 0);
            out.extend(bytes);
        } else {
            out.extend((behind as u32).to_le_bytes());
            behind += bytes.len();
            values.extend(bytes);
        }
    }
    out.extend([0; 4]);
    out.extend(values);
    out
}

/// The same with one more tag of raw bytes.
pub(super) fn tiff_with(tags: &[(u16, Value)], tag: u16, bytes: Vec<u8>) -> Vec<u8> {
    tiff(&[tags, &[(tag, Value::Bytes(bytes))]].concat())
}

#[derive(Clone)]
pub(super) enum Value {
    Short(Vec<u16>),
    Rational(Vec<f64>),
    Text(&'static str),
    Bytes(Vec<u8>),
}

impl Value {
    fn bytes(&self) -> (u16, usize, Vec<u8>) {
        match self {
            Self::Bytes(v) => (7, v.len(), v.clone()),
            Self::Short(v) => (3, v.len(), v.iter().flat_map(|v| v.to_le_bytes()).collect()),
            Self::Text(t) => (2, t.len() + 1, [t.as_bytes(), &[0]].concat()),
            Self::Rational(v) => {
                let pair = |v: &f64| {
                    [(v * 1e8).round() as i32, 100_000_000].map(i32::to_le_bytes).concat()
                };
                (10, v.len(), v.iter().flat_map(pair).collect())
            }
        }
    }
}

type M = [[f64; 3]; 3];

fn flat(m: M) -> Value {
    Value::Rational(m.concat())
}

fn color(extra: &[(u16, Value)]) -> Outcome<(CameraColor, Vec<Fault>)> {
    let mut all = vec![(262, Value::Short(vec![32803]))];
    all.extend_from_slice(extra);
    let bytes = tiff(&all);
    let tiff = Tiff::parse(&mut bytes.as_slice())?;
    let tags = Tags { tiff: &tiff, picture: raw::find(&tiff)? };
    let mut notes = Vec::new();
    Ok((CameraColor::read(tags, &mut notes)?, notes))
}

/// XYZ to camera of a made-up but plausible sensor, under daylight and under tungsten.
const DAYLIGHT: M = [[0.65, -0.15, -0.05], [-0.4, 1.2, 0.25], [-0.05, 0.15, 0.6]];
const TUNGSTEN: M = [[0.75, -0.20, -0.08], [-0.35, 1.1, 0.30], [-0.02, 0.10, 0.5]];
const STANDARD_A: [f64; 2] = [0.447_57, 0.407_45];

fn close(a: &M, b: &M, eps: f64) {
    for (a, b) in a.concat().iter().zip(b.concat()) {
        assert!((a - b).abs() < eps, "{a} and {b}");
    }
}

/// What the camera sees of a light, as the file would state it: the largest is 1.
fn seen(matrix: &M, white: [f64; 2]) -> Vec<f64> {
    let seen = apply(matrix, xy_to_xyz(white));
    let largest = seen.iter().fold(0.0f64, |a, b| a.max(*b));
    seen.map(|v| v / largest).to_vec()
}

/// One matrix: the transform is the inverse of the camera, adapted from the scene's white to the
/// ACES white in one Bradford step, scaled to white.
#[test]
fn one_matrix_is_its_inverse_adapted_to_the_aces_white() {
    let neutral = seen(&DAYLIGHT, D65);
    let tags = [
        (50721, flat(DAYLIGHT)),
        (50728, Value::Rational(neutral.clone())),
        (50778, Value::Short(vec![21])),
    ];
    let (found, notes) = color(&tags).unwrap();
    let ap0 = invert(&rgb_to_xyz(&AP0, ACES_WHITE)).unwrap();
    let direct = mul(&ap0, &mul(&adapt(D65, ACES_WHITE), &invert(&DAYLIGHT).unwrap()));
    // Camera white, at Y = 1, becomes the balanced (1, 1, 1).
    let expected = mul(&direct, &diagonal(apply(&DAYLIGHT, xy_to_xyz(D65))));
    close(&found.camera_to_aces, &expected, 1e-6);
    assert!(notes.is_empty(), "{notes:?}");
    assert!((found.kelvin - 6504.0).abs() < 15.0, "{}", found.kelvin);
    for (gain, seen) in found.white_balance.iter().zip(&neutral) {
        assert!(
            (gain * seen - neutral[1]).abs() < 1e-7,
            "balance makes all channels green's equal"
        );
    }
}

#[test]
fn white_becomes_white_whatever_the_tags() {
    let forward: M = [[0.6, 0.25, 0.11], [0.25, 0.7, 0.05], [0.02, 0.1, 0.7]];
    let individual: M = [[1.02, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 0.97]];
    let both = [
        (50721, flat(TUNGSTEN)),
        (50722, flat(DAYLIGHT)),
        (50778, Value::Short(vec![17])),
        (50779, Value::Short(vec![21])),
    ];
    let more = [
        vec![(50728, Value::Rational(vec![0.5, 1.0, 0.6]))],
        vec![(50729, Value::Rational(vec![0.38, 0.38]))],
        vec![
            (50728, Value::Rational(vec![0.4, 1.0, 0.7])),
            (50964, flat(forward)),
            (50965, flat(forward)),
        ],
        vec![
            (50728, Value::Rational(vec![0.4, 1.0, 0.7])),
            (50723, flat(individual)),
            (50724, flat(individual)),
            (50727, Value::Rational(vec![1.1, 1.0, 0.9])),
        ],
        vec![],
    ];
    for extra in more {
        let (found, _) = color(&[&both[..], &extra].concat()).unwrap();
        let white = apply(&found.camera_to_aces, [1.0; 3]);
        assert!(white.iter().all(|v| (v - 1.0).abs() < 1e-9), "{white:?}");
        assert!((found.white_balance[1] - 1.0).abs() < 1e-12);
    }
}

/// Between two illuminants the answer lies where DNG puts it: a light at exactly one of them uses
/// its matrix alone, and a light between them a mix by reciprocal temperature.
#[test]
fn two_matrices_meet_at_their_illuminants() {
    let both = |neutral: Vec<f64>| {
        color(&[
            (50721, flat(TUNGSTEN)),
            (50722, flat(DAYLIGHT)),
            (50778, Value::Short(vec![17])),
            (50779, Value::Short(vec![21])),
            (50728, Value::Rational(neutral)),
        ])
        .unwrap()
        .0
    };
    let one = |matrix: M, neutral: Vec<f64>| {
        color(&[(50721, flat(matrix)), (50728, Value::Rational(neutral))]).unwrap().0
    };
    let (warm, cold) = (seen(&TUNGSTEN, STANDARD_A), seen(&DAYLIGHT, D65));
    close(&both(warm.clone()).camera_to_aces, &one(TUNGSTEN, warm).camera_to_aces, 2e-3);
    close(&both(cold.clone()).camera_to_aces, &one(DAYLIGHT, cold).camera_to_aces, 2e-3);

    // 4300 K on the Planckian locus (CIE 1931 xy), halfway in reciprocal temperature within 2 %.
    let between = [0.367_0, 0.364_3];
    let weight = (1.0 / 4300.0 - 1.0 / 2856.0) / (1.0 / 6504.0 - 1.0 / 2856.0);
    let mixed: M = std::array::from_fn(|r| {
        std::array::from_fn(|c| TUNGSTEN[r][c] + (DAYLIGHT[r][c] - TUNGSTEN[r][c]) * weight)
    });
    let found = both(seen(&mixed, between));
    assert!((found.kelvin - 4300.0).abs() < 60.0, "{}", found.kelvin);
    close(&found.camera_to_aces, &one(mixed, seen(&mixed, between)).camera_to_aces, 5e-3);
}

/// With three illuminants each matrix counts alone at its own; one that is given as a chromaticity,
/// or as a spectrum, is understood, in the file's byte order.
#[test]
fn three_matrices_meet_at_their_illuminants() {
    const FLASH: M = [[0.62, -0.12, -0.06], [-0.42, 1.25, 0.2], [-0.04, 0.12, 0.66]];
    let rational = |v: f64| [(v * 1e6).round() as u32, 1_000_000].map(u32::to_le_bytes).concat();
    let chromaticity = [vec![0, 0], rational(0.345_67), rational(0.358_5)].concat();
    // Two samples of equal power: the white is (1/3, 1/3).
    let spectrum =
        [vec![1, 0, 2, 0, 0, 0], rational(400.0), rational(300.0), rational(1.0), rational(1.0)]
            .concat();
    let all = |data: &[u8], neutral: Vec<f64>| {
        color(&[
            (50721, flat(TUNGSTEN)),
            (50722, flat(DAYLIGHT)),
            (52531, flat(FLASH)),
            (50778, Value::Short(vec![17])),
            (50779, Value::Short(vec![255])),
            (52529, Value::Short(vec![22])),
            (52534, Value::Bytes(data.to_vec())),
            (50728, Value::Rational(neutral)),
        ])
    };
    let one = |matrix: M, neutral: Vec<f64>| {
        color(&[(50721, flat(matrix)), (50728, Value::Rational(neutral))]).unwrap().0
    };
    let d75 = [0.299_02, 0.314_85];
    for (data, second) in [(&chromaticity, [0.345_67, 0.358_5]), (&spectrum, [1.0 / 3.0; 2])] {
        for (matrix, white) in [(TUNGSTEN, STANDARD_A), (DAYLIGHT, second), (FLASH, d75)] {
            let neutral = seen(&matrix, white);
            let (found, notes) = all(data, neutral.clone()).unwrap();
            assert!(notes.is_empty(), "{notes:?}");
            close(&found.camera_to_aces, &one(matrix, neutral).camera_to_aces, 2e-3);
        }
    }
    let (found, notes) = all(&chromaticity[..9], seen(&TUNGSTEN, STANDARD_A)).unwrap();
    assert_eq!(notes[0].place.as_deref(), Some("IlluminantData2"));
    let alone = one(TUNGSTEN, seen(&TUNGSTEN, STANDARD_A));
    close(&found.camera_to_aces, &alone.camera_to_aces, 1e-9);
}

/// CameraCalibration and AnalogBalance stand between the reference camera and this one (DNG 1.7.1,
/// chapter 6): XYZ to camera is AB x CC x CM, and a forward matrix is entered through their inverse.
#[test]
fn calibration_and_analog_balance_are_part_of_the_camera() {
    let individual: M = [[1.05, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 0.93]];
    let analog = [1.25, 1.0, 0.8];
    let camera = mul(&diagonal(analog), &mul(&individual, &DAYLIGHT));
    let neutral = seen(&camera, D65);
    let mut tags = vec![
        (50721, flat(DAYLIGHT)),
        (50723, flat(individual)),
        (50727, Value::Rational(analog.to_vec())),
        (50728, Value::Rational(neutral.clone())),
    ];
    let whole = color(&[(50721, flat(camera)), (50728, Value::Rational(neutral.clone()))]).unwrap();
    close(&color(&tags).unwrap().0.camera_to_aces, &whole.0.camera_to_aces, 1e-6);

    let forward: M = [[0.6, 0.25, 0.1143], [0.25, 0.7, 0.05], [0.02, 0.1, 0.7052]];
    tags.push((50964, flat(forward)));
    let (found, _) = color(&tags).unwrap();
    // Both are diagonal, so that the balanced camera is the balanced reference camera.
    let expected = mul(&xyz_to_rgb(D50, &AP0, ACES_WHITE), &forward);
    close(&found.camera_to_aces, &expected, 5e-4);

    // A calibration that was made for another profile does not count.
    tags.push((50931, Value::Text("camera A")));
    tags.push((50932, Value::Text("camera B")));
    tags.retain(|(tag, _)| *tag != 50964);
    let (without, _) = color(&tags).unwrap();
    let reference = mul(&diagonal(analog), &DAYLIGHT);
    let plain = color(&[(50721, flat(reference)), (50728, Value::Rational(neutral))]).unwrap();
    close(&without.camera_to_aces, &plain.0.camera_to_aces, 1e-6);
}

/// A forward matrix takes precedence, and maps the balanced camera to D50 itself.
#[test]
fn a_forward_matrix_is_used_as_it_is() {
    let forward: M = [[0.6, 0.25, 0.1143], [0.25, 0.7, 0.05], [0.02, 0.1, 0.7052]];
    let (found, _) = color(&[
        (50721, flat(DAYLIGHT)),
        (50728, Value::Rational(vec![0.4, 1.0, 0.7])),
        (50964, flat(forward)),
    ])
    .unwrap();
    let expected = mul(&xyz_to_rgb(D50, &AP0, ACES_WHITE), &forward);
    close(&found.camera_to_aces, &expected, 5e-4);
}

#[test]
fn unusable_colour_names_its_tag() {
    for (tags, place) in [
        (vec![], "ColorMatrix1"),
        (
            vec![
                (50721, flat([[1.0, 2.0, 3.0], [2.0, 4.0, 6.0], [0.0, 0.0, 1.0]])),
                (50728, Value::Rational(vec![1.0; 3])),
            ],
            "ColorMatrix1",
        ),
        (
            vec![(50721, flat(DAYLIGHT)), (50728, Value::Rational(vec![0.5, 0.0, 0.6]))],
            "AsShotNeutral",
        ),
        (vec![(50721, Value::Rational(vec![1.0; 12]))], "ColorMatrix1"),
    ] {
        let fault = color(&tags).unwrap_err();
        assert_eq!(
            (fault.code, fault.place.as_deref()),
            (Code::BadColorData, Some(place)),
            "{fault}"
        );
    }
    let (_, notes) = color(&[(50721, flat(DAYLIGHT))]).unwrap();
    assert_eq!(notes[0].code, Code::MetadataAbsent, "an assumed white is said");
}

#[test]
fn a_chain_that_goes_in_circles_or_nowhere_is_kept_as_far_as_it_is_sound() {
    let mut bytes = tiff(&[(262, Value::Short(vec![32803])), (271, Value::Text("Maker"))]);
    let next_at = 8 + 2 + 2 * 12;
    for target in [8u32, 4_000_000_000] {
        bytes[next_at..next_at + 4].copy_from_slice(&target.to_le_bytes());
        let read = Tiff::parse(&mut bytes.as_slice()).unwrap();
        assert_eq!(read.directories.len(), 1);
        assert_eq!(read.notes.len(), usize::from(target > 8));
        assert_eq!(read.directories[0].get(271).unwrap().text().as_deref(), Some("Maker"));
    }
    let mut nothing: &[u8] = b"II*\0\xFF\xFF\0\0";
    assert_eq!(Tiff::parse(&mut nothing).unwrap_err().code, Code::TruncatedFile);
    let mut other: &[u8] = b"\x89PNG....";
    assert_eq!(Tiff::parse(&mut other).unwrap_err().code, Code::UnknownFormat);
    assert_eq!(other.size(), 8);
}
