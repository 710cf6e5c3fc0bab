//! Operations from bytes as DNG writes them, against their definitions.

use super::{Operation, Raster, Stage, written};
use crate::source::dng::tags::{OPCODE_LIST_1, OPCODE_LIST_2};
use platefarm_model::{Code, Fault, Outcome};
use proptest::prelude::*;

/// A list of operations: id, flags, parameters.
fn list(operations: &[(u32, u32, Vec<u8>)]) -> Vec<u8> {
    let mut out = (operations.len() as u32).to_be_bytes().to_vec();
    for (id, flags, parameters) in operations {
        out.extend(id.to_be_bytes());
        out.extend([1, 3, 0, 0]);
        out.extend(flags.to_be_bytes());
        out.extend((parameters.len() as u32).to_be_bytes());
        out.extend(parameters);
    }
    out
}

fn longs(values: &[u32]) -> Vec<u8> {
    values.iter().flat_map(|v| v.to_be_bytes()).collect()
}

fn floats(values: &[f32]) -> Vec<u8> {
    values.iter().flat_map(|v| v.to_be_bytes()).collect()
}

fn doubles(values: &[f64]) -> Vec<u8> {
    values.iter().flat_map(|v| v.to_be_bytes()).collect()
}

/// Rows 0 to 4 and columns 0 to 6 of a raster, one plane, every pixel.
const WHOLE: [u32; 8] = [0, 0, 4, 6, 0, 1, 1, 1];

fn operation(id: u32, parameters: &[Vec<u8>], tag: u16) -> Outcome<Operation> {
    let bytes = list(&[(id, 0, parameters.concat())]);
    written(&bytes)?[0].operation(tag)
}

/// A raster of 6 by 4 whose samples are 100 y + x, over `unit`.
fn raster(unit: f32) -> Raster {
    let data = (0..24).map(|i| (i / 6 * 100 + i % 6) as f32 / unit).collect();
    Raster { width: 6, height: 4, samples: 1, data }
}

fn done(id: u32, parameters: &[Vec<u8>], stage: Stage, raster: &Raster) -> Vec<f32> {
    let tag = if stage == Stage::Codes { OPCODE_LIST_1 } else { OPCODE_LIST_2 };
    let mut raster = raster.clone();
    raster.apply(&[operation(id, parameters, tag).unwrap()], stage).unwrap();
    raster.data
}

const LINEAR: Stage = Stage::Linear { delta: 1.0 / 65535.0 };

#[test]
fn lines_are_shifted_and_scaled_in_their_pitch() {
    // Rows 1 and 3, columns 0 and 3, of the area from row 1.
    let area = longs(&[1, 0, 4, 6, 0, 1, 2, 3]);
    let inside = |x: usize, y: usize| y % 2 == 1 && x.is_multiple_of(3);
    let count = longs(&[2]);
    for (id, by_row) in [(10, true), (11, false), (12, true), (13, false)] {
        let values = [0.5f32, 3.0];
        let found = done(id, &[area.clone(), count.clone(), floats(&values)], LINEAR, &raster(1e3));
        for (i, (found, before)) in found.iter().zip(raster(1e3).data).enumerate() {
            let (x, y) = (i % 6, i / 6);
            let value = values[if by_row { (y.saturating_sub(1)) / 2 } else { x / 3 }];
            let expected = match (inside(x, y), id <= 11) {
                (false, _) => before,
                (true, true) => before + value / 65535.0,
                (true, false) => before * value,
            };
            assert!((found - expected).abs() < 1e-7, "{id} at {x},{y}: {found}, not {expected}");
        }
    }
    // On codes a delta counts in codes, and results are whole and in 16 bits.
    let area = longs(&WHOLE);
    let found = done(
        10,
        &[area, longs(&[4]), floats(&[-7.0, 0.4, 0.6, 70000.0])],
        Stage::Codes,
        &raster(1.0),
    );
    assert_eq!(found[..8], [0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 100.0, 101.0]);
    assert_eq!((found[12], found[18]), (201.0, 65535.0));
}

#[test]
fn tables_and_polynomials_are_looked_up() {
    let table: Vec<u8> = (0..4u16).flat_map(|v| (1000 + v).to_be_bytes()).collect();
    let found = done(7, &[longs(&WHOLE), longs(&[4]), table], Stage::Codes, &raster(1.0));
    assert_eq!(found[..7], [1000.0, 1001.0, 1002.0, 1003.0, 1003.0, 1003.0, 1003.0]);

    // 0.1 + 0.5 x + 2 x^2 over codes, then over 0 to 1 with the tangent outside.
    let c = doubles(&[0.1, 0.5, 2.0]);
    let codes = done(8, &[longs(&WHOLE), longs(&[2]), c.clone()], Stage::Codes, &raster(1.0));
    assert_eq!(codes[..4], [0.0, 3.0, 9.0, 20.0], "0.1, 2.6, 9.1, 19.6, rounded");
    let mut values = raster(1000.0);
    values.data[0] = -0.5;
    values.data[1] = 1.5;
    let linear = done(8, &[longs(&WHOLE), longs(&[2]), c], LINEAR, &values);
    assert!((linear[0] - (0.1 - 0.5 * 0.5)).abs() < 1e-6, "tangent at 0: {}", linear[0]);
    assert!((linear[1] - (2.6 + 0.5 * 4.5)).abs() < 1e-6, "tangent at 1: {}", linear[1]);
    assert!((linear[8] - (0.1 + 0.5 * 0.102 + 2.0 * 0.102f32.powi(2))).abs() < 1e-6);

    // A table over linear values: the entry of the nearest 16-bit code; what is outside keeps its distance.
    let identity: Vec<u8> = (0..=65535u16).flat_map(|v| (v / 2).to_be_bytes()).collect();
    let halved = done(7, &[longs(&WHOLE), longs(&[65536]), identity], LINEAR, &values);
    assert!((halved[8] - 0.051).abs() < 1e-5 && (halved[0] + 0.5).abs() < 1e-7);
    assert!((halved[1] - (32767.0 / 65535.0 + 0.5)).abs() < 1e-6);
}

/// Two by three points over the picture: gains between them by distance, beyond them the nearest.
#[test]
fn gains_are_interpolated_between_their_points() {
    let gains = [1.0f32, 2.0, 3.0, 5.0, 7.0, 9.0];
    let map = [
        longs(&WHOLE),
        longs(&[2, 3]),
        // Points at 1/4 and 3/4 of the height; at 0, 1/2 and 1 of the width.
        doubles(&[0.5, 0.5, 0.25, 0.0]),
        longs(&[1]),
        floats(&gains),
    ];
    let ones = Raster { data: vec![1.0; 24], ..raster(1.0) };
    let found = done(9, &map, LINEAR, &ones);
    for (i, found) in found.iter().enumerate() {
        let (x, y) = ((i % 6) as f64 + 0.5, (i / 6) as f64 + 0.5);
        let down = ((y / 4.0 - 0.25) / 0.5).clamp(0.0, 1.0);
        let across = (x / 6.0 / 0.5).clamp(0.0, 2.0);
        let row = |v: usize| {
            let h = (across as usize).min(1);
            let g = |h: usize| f64::from(gains[v * 3 + h]);
            g(h) + (g(h + 1) - g(h)) * (across - h as f64)
        };
        let expected = row(0) + (row(1) - row(0)) * down;
        assert!((f64::from(*found) - expected).abs() < 1e-5, "{x},{y}: {found}, not {expected}");
    }
}

/// A ramp is continued exactly, whatever its direction and the photosite's colour.
#[test]
fn bad_photosites_continue_what_surrounds_them() {
    let ramp = |across: f32, down: f32| Raster {
        width: 16,
        height: 12,
        samples: 1,
        data: (0..192).map(|i| 50.0 + (i % 16) as f32 * across + (i / 16) as f32 * down).collect(),
    };
    for (across, down) in [(3.0, 0.0), (0.0, 5.0), (2.0, 4.0)] {
        for phase in 0..4 {
            let good = ramp(across, down);
            let mut bad = good.clone();
            let points = [[5u32, 7u32], [5, 8], [6, 3], [9, 9]];
            points.iter().for_each(|[y, x]| bad.data[(y * 16 + x) as usize] = 60000.0);
            let points = longs(points.as_flattened());
            let column = longs(&[0, 12, 12, 13]);
            (0..12).for_each(|y| bad.data[y * 16 + 12] = 0.0);
            let parameters = [longs(&[phase, 4, 1]), points, column];
            let found = done(5, &parameters, Stage::Codes, &bad);
            assert_eq!(found, good.data, "slope {across}, {down}, phase {phase}");
        }
    }
    // By their value, and a corner, which has no opposite neighbours: the mean of the nearest.
    let mut flat = Raster { data: vec![80.0; 192], ..ramp(0.0, 0.0) };
    flat.data[0] = 0.0;
    flat.data[40] = 0.0;
    let found = done(4, &[longs(&[0, 0])], Stage::Codes, &flat);
    assert_eq!(found, vec![80.0; 192]);
}

/// A repaired photosite takes only from its own colour.
#[test]
fn bad_photosites_take_from_their_own_colour() {
    for phase in 0..4u32 {
        let color = |y: usize, x: usize| {
            // Red 10, green 20, blue 30, the first photosite as the phase says.
            let (y, x) = (y + (phase / 2) as usize, x + (phase % 2) as usize);
            [[10.0, 20.0], [20.0, 30.0]][y % 2][x % 2]
        };
        let data: Vec<f32> = (0..192).map(|i| color(i / 16, i % 16)).collect();
        let good = Raster { width: 16, height: 12, samples: 1, data };
        let mut bad = good.clone();
        for at in [0, 15, 18, 35, 100, 101, 191] {
            bad.data[at] = 60000.0;
        }
        assert_eq!(done(4, &[longs(&[60000, phase])], Stage::Codes, &bad), good.data, "{phase}");
    }
}

#[test]
fn bounds_are_trimmed() {
    let mut raster = raster(1.0);
    let trim = operation(6, &[longs(&[1, 2, 3, 5])], OPCODE_LIST_2).unwrap();
    raster.apply(std::slice::from_ref(&trim), LINEAR).unwrap();
    assert_eq!((raster.width, raster.height), (3, 2));
    assert_eq!(raster.data, [102.0, 103.0, 104.0, 202.0, 203.0, 204.0]);
    let fault = raster.apply(&[trim], LINEAR).unwrap_err();
    assert_eq!(fault.code, Code::BadStructure, "now it is outside");
}

#[test]
fn what_cannot_be_done_is_refused_or_left_out() {
    let all = |operations: &[(u32, u32, Vec<u8>)]| -> Outcome<(usize, Vec<Fault>)> {
        let value = list(operations);
        let tags = [(262, crate::source::dng::tests::Value::Short(vec![32803]))];
        let bytes = crate::source::dng::tests::tiff_with(&tags, OPCODE_LIST_2, value);
        let tiff = super::super::tiff::Tiff::parse(&mut bytes.as_slice())?;
        let tags = super::Tags { tiff: &tiff, picture: &tiff.directories[0] };
        let mut notes = Vec::new();
        Ok((super::read(tags, OPCODE_LIST_2, &mut notes)?.len(), notes))
    };
    let scale = (12, 0, [longs(&WHOLE), longs(&[4]), floats(&[1.0; 4])].concat());
    let (kept, notes) = all(&[(99, 1, vec![]), scale.clone(), (1, 3, vec![0; 8])]).unwrap();
    assert_eq!((kept, notes.len()), (1, 2), "{notes:?}");
    assert_eq!(notes[0].place.as_deref(), Some("OpcodeList2, operation 1 (opcode 99)"));
    for (operations, code, named) in [
        (vec![scale.clone(), (99, 0, vec![])], Code::UnsupportedFeature, "opcode 99"),
        (vec![(3, 0, vec![])], Code::UnsupportedFeature, "FixVignetteRadial"),
        (vec![(12, 0, longs(&WHOLE))], Code::BadStructure, "bytes are needed"),
        (
            vec![(12, 0, [longs(&WHOLE), longs(&[3]), floats(&[1.0; 3])].concat())],
            Code::BadStructure,
            "3 values for 4 lines",
        ),
        (vec![(8, 0, [longs(&WHOLE), longs(&[9])].concat())], Code::BadStructure, "degree 9"),
        (vec![(7, 0, longs(&[0, 0, 4, 6, 0, 1, 0, 1]))], Code::BadStructure, "area"),
        (vec![(6, 0, longs(&[3, 0, 3, 1]))], Code::BadStructure, "hold nothing"),
        (vec![(5, 0, longs(&[0, u32::MAX, 0]))], Code::BadStructure, "bytes are needed"),
    ] {
        let fault = all(&operations).unwrap_err();
        assert_eq!(fault.code, code, "{fault}");
        assert!(fault.to_string().contains(named), "{fault}");
    }
    let mut newer = list(&[scale]);
    newer[8..12].copy_from_slice(&[1, 8, 0, 0]);
    let fault = written(&newer).unwrap()[0].operation(OPCODE_LIST_2).unwrap_err();
    assert!(fault.message.contains("1.8.0.0"), "{fault}");
    let mut half = raster(1.0);
    let everywhere = operation(5, &[longs(&[0, 0, 1, 0, 0, 4, 6])], OPCODE_LIST_1).unwrap();
    assert_eq!(half.apply(&[everywhere], Stage::Codes).unwrap_err().code, Code::BadStructure);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    /// Whatever stands in a list: an answer or a fault, never a panic.
    #[test]
    fn no_list_is_a_panic(
        id in 1u32..16,
        head in prop::collection::vec(prop_oneof![0u32..8, any::<u32>()], 0..14),
        tail in prop::collection::vec(any::<u8>(), 0..80),
        first in any::<bool>(),
    ) {
        let tag = if first { OPCODE_LIST_1 } else { OPCODE_LIST_2 };
        let stage = if first { Stage::Codes } else { LINEAR };
        if let Ok(operation) = operation(id, &[longs(&head), tail], tag) {
            let mut raster = raster(if first { 1.0 } else { 1000.0 });
            let _ = raster.apply(&[operation], stage);
        }
    }
}
