//! The resample against other software's pictures, and the laws it must keep.

use super::cpu::{BLOCK, LANES, ROWS, horizontal, turn, vertical};
use super::*;
use crate::twin::{Trial, noise, special_values};
use fearless_simd::Level;
use proptest::prelude::*;
use serde_json::Value;

const FILTERS: [Filter; 4] =
    [Filter::Lanczos3, Filter::Mitchell, Filter::CatmullRom, Filter::Triangle];

/// Three planes of one size.
#[derive(Clone)]
struct Picture {
    width: usize,
    height: usize,
    planes: [Vec<f32>; 3],
}

/// Resamples with the very functions of the executor. `taps` are those of columns and rows.
fn resample(source: &Picture, [along, down]: &[Taps; 2]) -> Picture {
    let pairs = source.width.div_ceil(2);
    let run = (6 * pairs).next_multiple_of(BLOCK);
    let split: Vec<Vec<f32>> = (0..source.height)
        .map(|y| {
            let mut row = vec![0.0; run];
            for (p, plane) in source.planes.iter().enumerate() {
                for x in 0..source.width {
                    row[(2 * p + x % 2) * pairs + x / 2] = plane[y * source.width + x];
                }
            }
            row
        })
        .collect();
    let (width, height) = (along.start.len(), down.start.len());
    let mut out = Picture { width, height, planes: [(); 3].map(|()| vec![0.0; width * height]) };
    for from in (0..height).step_by(ROWS) {
        let mut rows = [(); ROWS].map(|()| vec![0.0; run]);
        for line in from..height.min(from + ROWS) {
            let first = down.start[line] as usize;
            let row = |k: usize| &split[first + k][..];
            vertical(Level::new(), row, down.weights_of(line), &mut rows[line - from]);
        }
        let mut tile = vec![[0.0; LANES]; 2 * pairs];
        turn(&rows, pairs, 0..pairs, &mut tile);
        let mut columns = vec![[0.0; LANES]; width];
        horizontal(Level::new(), &tile, 0, along, 0, &mut columns);
        for line in from..height.min(from + ROWS) {
            for (x, column) in columns.iter().enumerate() {
                for p in 0..3 {
                    out.planes[p][line * width + x] = column[p * ROWS + line - from];
                }
            }
        }
    }
    out
}

/// An axis that maps all of `source` onto all of `size`.
fn whole(filter: Filter, source: usize, size: usize) -> Taps {
    Taps::new(filter, size as f64 / source as f64, 0.0, 0..size as u32, source as u32)
}

/// Shrinking, enlarging, moving by parts of a pixel and by whole ones, cut and beyond the edge.
pub(super) fn trials() -> Vec<Trial> {
    let mut trials = Vec::new();
    let (width, height) = (37_u32, 5_u32);
    for filter in FILTERS {
        for (scale, offset, lines) in [
            (0.5, 0.0, 0..18_u32),
            (0.31, -1.7, 0..10),
            (1.0, 0.37, 0..40),
            (1.0, -3.0, 0..34),
            (2.3, 4.0, 0..90),
        ] {
            let taps = Taps::new(filter, scale, offset, lines, width);
            for (name, low, high) in [("unit", 0.0, 1.0), ("wide", -100.0, 6e4)] {
                let mut data = noise((width * height * 3) as usize, 5, low, high);
                if name == "wide" && scale == 1.0 {
                    for (i, v) in special_values().into_iter().enumerate() {
                        data[i * 61 + 9] = v;
                    }
                }
                trials.push(trial(
                    &format!("{filter:?} {scale} {offset} {name}"),
                    &taps,
                    &data,
                    width,
                    height,
                ));
            }
        }
    }
    trials
}

fn trial(name: &str, taps: &Taps, data: &[f32], width: u32, height: u32) -> Trial {
    let plane = (width * height) as usize;
    let planes = std::array::from_fn(|p| data[p * plane..(p + 1) * plane].to_vec());
    let source = Picture { width: width as usize, height: height as usize, planes };
    let still = Taps::new(Filter::Triangle, 1.0, 0.0, 0..height, height);
    let out = resample(&source, &[taps.clone(), still]);
    let columns = taps.start.len();
    let mut input: Vec<u32> = taps.start.clone();
    input.extend(taps.weights.iter().map(|w| w.to_bits()));
    let at = input.len();
    input.extend(data.iter().map(|v| v.to_bits()));
    let reads = |x: usize, y: usize, p: usize| {
        (0..taps.count)
            .map(move |k| data[p * plane + y * width as usize + taps.start[x] as usize + k].abs())
    };
    let magnitudes = (0..3 * columns * height as usize)
        .map(|i| (i % columns, i / columns % height as usize, i / columns / height as usize))
        .map(|(x, y, p)| reads(x, y, p).filter(|v| v.is_finite()).fold(0.0, f32::max))
        .collect();
    Trial {
        name: name.into(),
        probe: format!(
            "fn tap_weight(i: u32) -> f32 {{ return bitcast<f32>(input[{columns}u + i]); }}
            fn value(i: u32) -> f32 {{ return bitcast<f32>(input[{at}u + i]); }}
            fn tap_rgb(across: u32, along: u32) -> vec3<f32> {{
                let i = across * {width}u + along;
                return vec3<f32>(value(i), value(i + {plane}u), value(i + 2u * {plane}u));
            }}
            fn probe(i: u32) -> u32 {{
                let x = i % {columns}u;
                let rgb = resample(i / {columns}u % {height}u, input[x], x * params[0], params[0]);
                return bitcast<u32>(rgb[i / {columns}u / {height}u]);
            }}"
        ),
        params: vec![taps.count as u32],
        input,
        expected: out.planes.concat().iter().map(|v| v.to_bits()).collect(),
        floats: Some(magnitudes),
    }
}

// Other software's results ---------------------------------------------------

fn filter(name: &Value) -> Filter {
    serde_json::from_value(name.clone()).expect("a filter of ours")
}

fn picture(at: &Value, data: &[u8]) -> Picture {
    let field = |name: &str| at[name].as_u64().expect("a number") as usize;
    let (width, height, channels) = (field("width"), field("height"), field("channels"));
    let bytes = &data[field("offset")..][..width * height * channels * 4];
    let floats: Vec<f32> = bytes.as_chunks().0.iter().map(|b| f32::from_le_bytes(*b)).collect();
    let plane =
        |p: usize| floats.iter().skip(p.min(channels - 1)).step_by(channels).copied().collect();
    Picture { width, height, planes: std::array::from_fn(plane) }
}

/// The largest difference where `counts`, and the largest expected magnitude.
fn difference(
    a: &Picture,
    b: &Picture,
    counts: impl Fn(usize, usize) -> bool,
) -> (f32, f32, usize) {
    assert_eq!((a.width, a.height), (b.width, b.height));
    let (mut worst, mut peak, mut counted) = (0.0_f32, 1.0_f32, 0);
    for (p, q) in a.planes.iter().zip(&b.planes) {
        for (i, (x, y)) in p.iter().zip(q).enumerate() {
            peak = peak.max(y.abs());
            if counts(i % a.width, i / a.width) {
                worst = worst.max((x - y).abs());
                counted += 1;
            }
        }
    }
    (worst, peak, counted)
}

#[test]
fn resize_agrees_with_openimageio() {
    let cases: Value =
        serde_json::from_str(include_str!("../../../tests/fixtures/resample.json")).unwrap();
    let data = include_bytes!("../../../tests/fixtures/resample.f32");
    for case in cases["cases"].as_array().unwrap() {
        let (source, expected) = (picture(&case["source"], data), picture(&case["expected"], data));
        let filter = filter(&case["filter"]);
        let taps = [
            whole(filter, source.width, expected.width),
            whole(filter, source.height, expected.height),
        ];
        let got = resample(&source, &taps);
        if (source.width, source.height) == (expected.width, expected.height) {
            // Nothing is scaled: we copy, whatever the filter.
            assert_eq!(got.planes, source.planes, "{}", case["name"]);
            if filter == Filter::Mitchell {
                continue;
            }
        }
        let (worst, peak, _) = difference(&got, &expected, |_, _| true);
        let allowed = case["tolerance"].as_f64().unwrap() as f32 * peak;
        assert!(worst <= allowed, "{}: {worst} is more than {allowed}", case["name"]);
    }
}

#[test]
fn framing_agrees_with_openimageio_where_the_filter_stays_inside() {
    let cases: Value =
        serde_json::from_str(include_str!("../../../tests/fixtures/fdl_pixels.json")).unwrap();
    let data = include_bytes!("../../../tests/fixtures/fdl_pixels.f32");
    for case in cases["cases"].as_array().unwrap() {
        let (source, expected) = (picture(&case["source"], data), picture(&case["expected"], data));
        let map = |name: &str| case["map"][name].as_f64().unwrap();
        let content: Vec<u32> = case["content"]
            .as_array()
            .unwrap()
            .iter()
            .map(|v| v.as_u64().unwrap() as u32)
            .collect();
        let sizes = [source.width, source.height];
        let [scale, offset] = [[map("sx"), map("sy")], [map("tx"), map("ty")]];
        let axis = |a: usize| {
            Taps::new(
                filter(&case["filter"]),
                scale[a],
                offset[a],
                content[a]..content[a + 2],
                sizes[a] as u32,
            )
        };
        let got = resample(&source, &[axis(0), axis(1)]);
        let cut = Picture {
            width: got.width,
            height: got.height,
            planes: expected.planes.each_ref().map(|plane| {
                plane
                    .chunks(expected.width)
                    .skip(content[1] as usize)
                    .take(got.height)
                    .flat_map(|row| row[content[0] as usize..content[2] as usize].to_vec())
                    .collect()
            }),
        };
        // The other side counts black from outside the source; we repeat the edge.
        let inside = |a: usize, i: usize| {
            let center = (f64::from(content[a]) + i as f64 + 0.5 - offset[a]) / scale[a];
            let reach = 3.0 / scale[a].min(1.0) + 1.0;
            center - reach >= 0.0 && center + reach <= sizes[a] as f64
        };
        let (worst, peak, counted) = difference(&got, &cut, |x, y| inside(0, x) && inside(1, y));
        assert!(counted > 20, "{}: only {counted} pixels compared", case["name"]);
        assert!(worst <= 1e-5 * peak, "{}: {worst} of {peak}", case["name"]);
    }
}

// Laws -----------------------------------------------------------------------

#[test]
fn whole_steps_are_bit_exact_copies_that_repeat_the_edge() {
    let mut data = noise(3 * 11 * 9, 2, -1.0, 1.0);
    data[..7].copy_from_slice(&[-0.0, 1e-45, f32::MAX, -1e-39, 0.0, f32::MIN_POSITIVE, -1e38]);
    let planes = std::array::from_fn(|p| data[p * 99..(p + 1) * 99].to_vec());
    let source = Picture { width: 11, height: 9, planes };
    for filter in FILTERS {
        let taps = [Taps::new(filter, 1.0, -4.0, 0..7, 11), Taps::new(filter, 1.0, 2.0, 0..14, 9)];
        assert!(taps.iter().all(Taps::is_copy));
        let out = resample(&source, &taps);
        for (p, plane) in out.planes.iter().enumerate() {
            for (i, v) in plane.iter().enumerate() {
                let (x, y) = (i % 7 + 4, (i / 7).saturating_sub(2).min(8));
                assert_eq!(v.to_bits(), source.planes[p][y * 11 + x].to_bits(), "{filter:?} {i}");
            }
        }
    }
}

#[test]
fn a_spot_stays_where_the_map_puts_it() {
    // A wide, smooth spot: its centre of gravity must follow the map.
    for filter in FILTERS {
        for (scale, offset) in [(0.5, 3.25), (0.43, -2.6), (1.0, 0.5), (1.7, -11.3)] {
            let center = 40.3;
            let spot: Vec<f32> = (0..96)
                .map(|x| (-((f64::from(x) + 0.5 - center) / 6.0).powi(2)).exp() as f32)
                .collect();
            let size = (96.0_f64 * scale + offset).ceil() as u32;
            let taps = Taps::new(filter, scale, offset, 0..size, 96);
            let source = Picture { width: 96, height: 1, planes: [(); 3].map(|()| spot.clone()) };
            let still = Taps::new(filter, 1.0, 0.0, 0..1, 1);
            let out = resample(&source, &[taps, still]);
            let (mut mass, mut moment) = (0.0, 0.0);
            for (x, v) in out.planes[0].iter().enumerate() {
                mass += f64::from(*v);
                moment += f64::from(*v) * (x as f64 + 0.5);
            }
            let shift = moment / mass - (scale * center + offset);
            assert!(shift.abs() < 1e-3, "{filter:?} {scale} {offset}: shifted by {shift}");
        }
    }
}

#[test]
fn a_filter_is_one_at_its_centre_and_none_at_the_others_where_it_interpolates() {
    for filter in [Filter::Lanczos3, Filter::CatmullRom, Filter::Triangle] {
        assert!((kernel::weight(filter, 0.0) - 1.0).abs() < 1e-15);
        for i in 1..4 {
            assert!(kernel::weight(filter, f64::from(i)).abs() < 1e-15, "{filter:?} at {i}");
        }
    }
    // Mitchell and Netravali's own: 16/18 at the centre, 1/18 beside it.
    assert!((kernel::weight(Filter::Mitchell, 0.0) - 16.0 / 18.0).abs() < 1e-15);
    assert!((kernel::weight(Filter::Mitchell, 1.0) - 1.0 / 18.0).abs() < 1e-15);
}

proptest! {
    #[test]
    fn weights_are_normalised_stay_inside_and_move_forward(
        which in 0..4_usize, scale in 0.02..8.0_f64, offset in -500.0..500.0_f64, source in 1..200_u32, size in 1..300_u32,
    ) {
        let taps = Taps::new(FILTERS[which], scale, offset, 0..size, source);
        prop_assert!(taps.start.is_sorted());
        for line in 0..size as usize {
            let sum: f64 = taps.weights_of(line).iter().map(|w| f64::from(*w)).sum();
            prop_assert!((sum - 1.0).abs() < 1e-6, "sum {}", sum);
            prop_assert!(taps.start[line] as usize + taps.count <= source as usize);
        }
    }

    #[test]
    fn a_constant_stays_constant(
        which in 0..4_usize, sx in 0.05..4.0_f64, sy in 0.05..4.0_f64, offset in -20.0..20.0_f64,
    ) {
        let source = Picture { width: 23, height: 19, planes: [(); 3].map(|()| vec![0.18; 23 * 19]) };
        let taps = [
            Taps::new(FILTERS[which], sx, offset, 0..33, 23),
            Taps::new(FILTERS[which], sy, -offset, 0..21, 19),
        ];
        let out = resample(&source, &taps);
        prop_assert!(out.planes.iter().flatten().all(|v| (v - 0.18).abs() < 0.18e-6));
    }
}
