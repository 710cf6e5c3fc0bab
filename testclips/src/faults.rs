//! What a camera does wrong, and how a DNG says that it is to be corrected:
//! opcode lists (DNG 1.4, chapter 7) and black level deltas. Written from the
//! specification, apart from the reader that undoes it.

use crate::arith::hash;
use crate::spec::{ClipSpec, Sample};
use platefarm_model::raw::CfaColor;

/// Points of the gain map, down and across.
const POINTS: [usize; 2] = [5, 7];

/// The linear value that the sensor records where it should record `ideal`, at a row and column of
/// the active area.
pub(crate) fn recorded(spec: &ClipSpec, row: u32, column: u32, ideal: f64) -> f64 {
    let mut value = ideal;
    if spec.faults.bands {
        value = (value - column_delta(spec, column)) / row_scale(row);
    }
    if spec.faults.vignette { value / gain(spec, row, column) } else { value }
}

/// Black level deltas of columns and rows of the active area, in linear codes.
pub(crate) fn black_deltas(spec: &ClipSpec) -> Option<[Vec<i32>; 2]> {
    let step = i32::from(spec.levels(0, 0).0) / 32 + 1;
    spec.faults.lines.then(|| {
        let lines = |n: u32, period: u32| (0..n).map(|i| (i % period) as i32 * step).collect();
        [lines(spec.width, 5), lines(spec.height, 3)]
    })
}

/// The photosites that are stuck, as row and column of the stored raster.
pub(crate) fn bad(spec: &ClipSpec) -> Vec<[u32; 2]> {
    let (width, height) = spec.stored_size();
    let at =
        |i: u32, n: u32, salt: u64| (hash(spec.seed ^ salt ^ u64::from(i)) % u64::from(n)) as u32;
    (0..spec.faults.bad).map(|i| [at(i, height, 0xBAD0_0000), at(i, width, 0xBAD1_0000)]).collect()
}

/// OpcodeList1 and OpcodeList2.
pub(crate) fn opcode_lists(spec: &ClipSpec) -> [Option<Vec<u8>>; 2] {
    let mut lists = [Vec::new(), Vec::new()];
    if spec.faults.bad > 0 {
        let bad = bad(spec);
        let head = [phase(spec), bad.len() as u32, 0];
        lists[0].push((5, longs(&[&head, bad.as_flattened()].concat())));
    }
    let area = longs(&[0, 0, spec.height, spec.width, 0, 1, 1, 1]);
    if spec.faults.vignette {
        let spacing = POINTS.map(|n| 1.0 / (n - 1) as f64);
        let gains = (0..POINTS[0]).flat_map(|v| (0..POINTS[1]).map(move |h| grid_gain(v, h)));
        lists[1].push((
            9,
            [
                area.clone(),
                longs(&POINTS.map(|n| n as u32)),
                spacing.iter().chain(&[0.0, 0.0]).flat_map(|v| v.to_be_bytes()).collect(),
                longs(&[1]),
                gains.flat_map(f32::to_be_bytes).collect(),
            ]
            .concat(),
        ));
    }
    if spec.faults.bands {
        let scales = (0..spec.height).flat_map(|y| (row_scale(y) as f32).to_be_bytes());
        // Pictures of whole samples count deltas in 65535ths of the clipping point.
        let unit = if spec.sample == Sample::Float { 1.0 } else { 65535.0 };
        let deltas =
            (0..spec.width).flat_map(|x| ((column_delta(spec, x) * unit) as f32).to_be_bytes());
        lists[1].push((12, [area.clone(), longs(&[spec.height]), scales.collect()].concat()));
        lists[1].push((11, [area, longs(&[spec.width]), deltas.collect()].concat()));
    }
    lists.map(|list| (!list.is_empty()).then(|| written(&list)))
}

/// A list, big-endian whatever the file is: none of the operations may be left out.
fn written(list: &[(u32, Vec<u8>)]) -> Vec<u8> {
    let mut out = longs(&[list.len() as u32]);
    for (id, parameters) in list {
        out.extend(longs(&[*id, 0x0103_0000, 0, parameters.len() as u32]));
        out.extend(parameters);
    }
    out
}

fn longs(values: &[u32]) -> Vec<u8> {
    values.iter().flat_map(|v| v.to_be_bytes()).collect()
}

/// Which photosite of the pattern the first stored one is: 0 red, 1 green beside red, 2 green
/// beside blue, 3 blue.
fn phase(spec: &ClipSpec) -> u32 {
    let (row, column) = (spec.masked.top % 2, spec.masked.left % 2);
    match (spec.bayer.color(row, column), spec.bayer.color(row, column + 1)) {
        (CfaColor::Red, _) => 0,
        (CfaColor::Green, CfaColor::Red) => 1,
        (CfaColor::Green, _) => 2,
        (CfaColor::Blue, _) => 3,
    }
}

fn row_scale(row: u32) -> f64 {
    if row.is_multiple_of(2) { 0.875 } else { 1.0 }
}

/// A part of the clipping point; whole 65535ths.
fn column_delta(spec: &ClipSpec, column: u32) -> f64 {
    let part = -f64::from(column % 8) * 64.0 / 65535.0;
    if spec.sample == Sample::Float { f64::from(part as f32) } else { part }
}

/// The gain at a point of the map: 1 in the middle, 1.5 in the corners.
fn grid_gain(v: usize, h: usize) -> f32 {
    let off = |i: usize, n: usize| 2.0 * i as f32 / (n - 1) as f32 - 1.0;
    let (y, x) = (off(v, POINTS[0]), off(h, POINTS[1]));
    1.0 + 0.25 * (x * x + y * y)
}

/// The gain at the middle of a photosite, straight between the four points around it.
fn gain(spec: &ClipSpec, row: u32, column: u32) -> f64 {
    let between = |i: u32, lines: u32, points: usize| {
        let at = (f64::from(i) + 0.5) / f64::from(lines) * (points - 1) as f64;
        let first = (at as usize).min(points - 2);
        (first, at - first as f64)
    };
    let (v, down) = between(row, spec.height, POINTS[0]);
    let (h, across) = between(column, spec.width, POINTS[1]);
    let line = |v: usize| {
        let (a, b) = (f64::from(grid_gain(v, h)), f64::from(grid_gain(v, h + 1)));
        a + (b - a) * across
    };
    line(v) + (line(v + 1) - line(v)) * down
}
