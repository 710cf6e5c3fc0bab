//! The laws that the resample must keep, and its trials.

use super::cpu::{BLOCK, LANES, ROWS, horizontal, turn, vertical};
use super::picture::{Picture, instruction_sets};
use super::*;
use crate::twin::{Trial, noise, special_values};
use fearless_simd::Level;
use proptest::prelude::*;

/// Resamples with the very functions of the executor. `taps` are those of columns and rows.
fn resample(source: &Picture, [along, down]: &[Taps; 2], antiring: bool) -> Picture {
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
            vertical(Level::new(), row, down.weights_of(line), antiring, &mut rows[line - from]);
        }
        let mut tile = vec![[0.0; LANES]; 2 * pairs];
        turn(&rows, pairs, 0..pairs, &mut tile);
        let mut columns = vec![[0.0; LANES]; width];
        horizontal(Level::new(), &tile, 0, along, 0, antiring, &mut columns);
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

/// Shrinking, enlarging, moving by parts of a pixel and by whole ones, cut and beyond the edge.
pub(super) fn trials() -> Vec<Trial> {
    let mut trials = Vec::new();
    let (width, height) = (37_u32, 5_u32);
    for filter in Filter::ALL.iter().copied() {
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
                let name = format!("{filter:?} {scale} {offset} {name}");
                trials.push(trial(&name, &taps, false, &data, [width, height]));
                if filter == Filter::Lanczos3 {
                    let name = format!("{name}, antiring");
                    trials.push(trial(&name, &taps, true, &data, [width, height]));
                }
            }
        }
    }
    trials
}

fn trial(
    name: &str,
    taps: &Taps,
    antiring: bool,
    data: &[f32],
    [width, height]: [u32; 2],
) -> Trial {
    let plane = (width * height) as usize;
    let planes = std::array::from_fn(|p| data[p * plane..(p + 1) * plane].to_vec());
    let source = Picture { width: width as usize, height: height as usize, planes };
    let still = Taps::new(Filter::Triangle, 1.0, 0.0, 0..height, height);
    let out = resample(&source, &[taps.clone(), still], antiring);
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
                let rgb = resample(i / {columns}u % {height}u, input[x], x * params[0], params[0], params[1] == 1u);
                return bitcast<u32>(rgb[i / {columns}u / {height}u]);
            }}"
        ),
        params: vec![taps.count as u32, u32::from(antiring)],
        input,
        expected: out.planes.concat().iter().map(|v| v.to_bits()).collect(),
        floats: Some(magnitudes),
    }
}

// Laws -----------------------------------------------------------------------

#[test]
fn whole_steps_are_bit_exact_copies_that_repeat_the_edge() {
    let mut data = noise(3 * 11 * 9, 2, -1.0, 1.0);
    data[..7].copy_from_slice(&[-0.0, 1e-45, f32::MAX, -1e-39, 0.0, f32::MIN_POSITIVE, -1e38]);
    let planes = std::array::from_fn(|p| data[p * 99..(p + 1) * 99].to_vec());
    let source = Picture { width: 11, height: 9, planes };
    for filter in Filter::ALL.iter().copied() {
        let taps = [Taps::new(filter, 1.0, -4.0, 0..7, 11), Taps::new(filter, 1.0, 2.0, 0..14, 9)];
        assert!(taps.iter().all(Taps::is_copy));
        let out = resample(&source, &taps, false);
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
    for filter in Filter::ALL.iter().copied() {
        for (scale, offset) in [(0.5, 3.25), (0.43, -2.6), (1.0, 0.5), (1.7, -11.3)] {
            let center = 40.3;
            let spot: Vec<f32> = (0..96)
                .map(|x| (-((f64::from(x) + 0.5 - center) / 6.0).powi(2)).exp() as f32)
                .collect();
            let size = (96.0_f64 * scale + offset).ceil() as u32;
            let taps = Taps::new(filter, scale, offset, 0..size, 96);
            let source = Picture { width: 96, height: 1, planes: [(); 3].map(|()| spot.clone()) };
            let still = Taps::new(filter, 1.0, 0.0, 0..1, 1);
            let out = resample(&source, &[taps, still], false);
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
    for filter in [Filter::Lanczos3, Filter::CatmullRom, Filter::Triangle, Filter::Cubic] {
        assert!((kernel::weight(filter, 0.0) - 1.0).abs() < 1e-15);
        for i in 1..4 {
            assert!(kernel::weight(filter, f64::from(i)).abs() < 1e-15, "{filter:?} at {i}");
        }
    }
    // Mitchell and Netravali's own: 16/18 at the centre, 1/18 beside it.
    assert!((kernel::weight(Filter::Mitchell, 0.0) - 16.0 / 18.0).abs() < 1e-15);
    assert!((kernel::weight(Filter::Mitchell, 1.0) - 1.0 / 18.0).abs() < 1e-15);
}

#[test]
fn a_window_is_what_its_author_printed() {
    // Harris, 1978, table I: 4 terms, minimum: 1 at the centre, 6e-5 at the end; the other two from its sum.
    let window = |x: f64| kernel::weight(Filter::BlackmanHarris, x);
    assert!((window(0.0) - 1.0).abs() < 1e-15);
    assert!((window(0.75) - (0.35875 - 0.14128)).abs() < 1e-15);
    assert!((window(0.5) - (0.35875 + 0.5 * 0.48829 - 0.5 * 0.14128 - 0.01168)).abs() < 1e-15);
    assert!((window(1.5 - 1e-9) - 6e-5).abs() < 1e-8);
}

#[test]
fn a_box_is_the_exact_mean_of_the_area() {
    // The source as a staircase: its integral gives every mean, whatever the box covers.
    let data = noise(23, 11, -1.0, 3.0);
    let integral = |x: f64| -> f64 {
        let overlap = |i: usize| match i {
            0 => x.min(1.0),
            22 => (x - 22.0).max(0.0),
            i => (x - i as f64).clamp(0.0, 1.0),
        };
        data.iter().enumerate().map(|(i, v)| overlap(i) * f64::from(*v)).sum()
    };
    for (scale, offset, size) in [(0.5, 0.0, 11), (0.31, -1.7, 9), (1.0, 0.37, 26), (2.3, 4.0, 70)]
    {
        let taps = Taps::new(Filter::Box, scale, offset, 0..size, 23);
        for line in 0..size {
            let edges = [line, line + 1].map(|x| (f64::from(x) - offset) / scale);
            let expected = (integral(edges[1]) - integral(edges[0])) * scale;
            let start = taps.start[line as usize] as usize;
            let weights = taps.weights_of(line as usize).iter();
            let got: f64 =
                weights.zip(&data[start..]).map(|(w, v)| f64::from(*w) * f64::from(*v)).sum();
            assert!(
                (got - expected).abs() < 1e-6,
                "{scale} {offset} {line}: {got} is not {expected}"
            );
        }
    }
}

fn random_picture(width: usize, height: usize, seed: u64) -> Picture {
    let plane = |p: u64| noise(width * height, seed + p, -2.0, 9.0);
    Picture { width, height, planes: [plane(0), plane(1), plane(2)] }
}

fn mirrored(picture: &Picture) -> Picture {
    let mut turned = picture.clone();
    for plane in &mut turned.planes {
        plane.chunks_mut(picture.width).for_each(<[f32]>::reverse);
    }
    turned
}

#[test]
fn a_picture_is_made_as_a_plate_is_on_every_instruction_set() {
    for (width, height) in [(37, 29), (128, 9), (1, 1), (65, 70)] {
        let source = random_picture(width, height, 3);
        for (filter, antiring) in [(Filter::Lanczos3, false), (Filter::CatmullRom, true)] {
            let taps = [
                Taps::new(filter, 0.61, 1.3, 0..width as u32, width as u32),
                Taps::new(filter, 1.4, -2.1, 0..height as u32 + 3, height as u32),
            ];
            let expected = resample(&source, &taps, antiring);
            for (name, level) in instruction_sets() {
                assert!(source.resampled(level, &taps, antiring) == expected, "{width} {name}");
            }
        }
    }
}

#[test]
fn lines_move_forward_where_centres_meet_centres() {
    // There a filter that interpolates is zero at all pixels but one.
    for filter in Filter::ALL.iter().copied() {
        for (scale, offset) in [(3.0, 0.0), (1.6, 0.3), (1.0 / 3.0, 0.0), (2.0, 0.5), (0.2, 0.5)] {
            let taps = Taps::new(filter, scale, offset, 0..70, 50);
            assert!(taps.start.is_sorted(), "{filter:?} {scale} {offset}: {:?}", taps.start);
        }
    }
}

proptest! {
    #[test]
    fn weights_are_normalised_stay_inside_and_move_forward(
        which in 0..Filter::ALL.len(), scale in 0.02..8.0_f64, offset in -500.0..500.0_f64, source in 1..200_u32, size in 1..300_u32,
    ) {
        let taps = Taps::new(Filter::ALL[which], scale, offset, 0..size, source);
        prop_assert!(taps.start.is_sorted());
        for line in 0..size as usize {
            let sum: f64 = taps.weights_of(line).iter().map(|w| f64::from(*w)).sum();
            prop_assert!((sum - 1.0).abs() < 1e-6, "sum {}", sum);
            prop_assert!(taps.start[line] as usize + taps.count <= source as usize);
        }
    }

    #[test]
    fn a_constant_stays_constant(
        which in 0..Filter::ALL.len(), sx in 0.05..4.0_f64, sy in 0.05..4.0_f64, offset in -20.0..20.0_f64,
    ) {
        let source = Picture { width: 23, height: 19, planes: [(); 3].map(|()| vec![0.18; 23 * 19]) };
        let taps = [
            Taps::new(Filter::ALL[which], sx, offset, 0..33, 23),
            Taps::new(Filter::ALL[which], sy, -offset, 0..21, 19),
        ];
        let out = resample(&source, &taps, false);
        prop_assert!(out.planes.iter().flatten().all(|v| (v - 0.18).abs() < 0.18e-6));
    }

    #[test]
    fn a_mirrored_input_gives_a_mirrored_output(
        which in 0..Filter::ALL.len(), antiring: bool, scale in 0.1..3.0_f64, offset in -9.0..9.0_f64,
    ) {
        let (filter, size) = (Filter::ALL[which], 31_u32);
        let source = random_picture(41, 3, 5);
        let still = || Taps::new(filter, 1.0, 0.0, 0..3, 3);
        let one = Taps::new(filter, scale, offset, 0..size, 41);
        let other = Taps::new(filter, scale, f64::from(size) - offset - 41.0 * scale, 0..size, 41);
        let level = Level::new();
        let a = mirrored(&source.resampled(level, &[one, still()], antiring));
        let b = mirrored(&source).resampled(level, &[other, still()], antiring);
        for (a, b) in a.planes.iter().flatten().zip(b.planes.iter().flatten()) {
            prop_assert!((a - b).abs() < 2e-5, "{} and {}", a, b);
        }
    }

    #[test]
    fn antiring_stays_within_what_contributes_and_changes_nothing_else(
        which in 0..Filter::ALL.len(), scale in 0.1..3.0_f64, offset in -9.0..9.0_f64, seed: u64,
    ) {
        let source = random_picture(41, 1, seed);
        let taps = [
            Taps::new(Filter::ALL[which], scale, offset, 0..50, 41),
            Taps::new(Filter::Triangle, 1.0, 0.0, 0..1, 1),
        ];
        let free = source.resampled(Level::new(), &taps, false);
        let kept = source.resampled(Level::new(), &taps, true);
        for (p, (free, kept)) in free.planes.iter().zip(&kept.planes).enumerate() {
            for (i, (free, kept)) in free.iter().zip(kept).enumerate() {
                let read = taps[0].weights_of(i).iter().zip(&source.planes[p][taps[0].start[i] as usize..]);
                let read: Vec<f32> = read.filter(|(w, _)| **w != 0.0).map(|(_, v)| *v).collect();
                let low = read.iter().copied().fold(f32::INFINITY, f32::min);
                let high = read.iter().copied().fold(f32::NEG_INFINITY, f32::max);
                prop_assert_eq!(*kept, free.clamp(low, high));
            }
        }
    }
}
