//! The fast form against the steps in double precision, what must hold of any
//! debayer, and photographs.

use super::*;
use crate::debayer::{Form, Mosaic, form, streamed};
use crate::ops::debayer_mhc;
use crate::ops::resample::picture::{Picture, instruction_sets};
use crate::twin::noise;
use fearless_simd::Level;
use platefarm_model::raw::Bayer;

const PATTERNS: [Bayer; 4] = [Bayer::Rggb, Bayer::Grbg, Bayer::Gbrg, Bayer::Bggr];

fn ri() -> &'static Form {
    form("ri").expect("it is in the list")
}

/// Samples a colour scene through the pattern.
fn mosaic(
    [width, height]: [usize; 2],
    bayer: Bayer,
    scene: impl Fn(usize, usize) -> [f32; 3],
) -> Mosaic {
    let site = |i: usize| {
        let (x, y) = (i % width, i / width);
        scene(x, y)[bayer.color(y as u32, x as u32) as usize]
    };
    Mosaic { width, height, bayer, sites: (0..width * height).map(site).collect() }
}

/// Coloured edges in all directions and some noise: below black, above white, and clipped.
fn scene(size: [usize; 2], bayer: Bayer) -> Mosaic {
    let noise = noise(size[0] * size[1], 5, -0.02, 0.02);
    mosaic(size, bayer, |x, y| {
        let (u, v) = (x as f32, y as f32);
        let wave = (0.9 * u + 0.3 * v).sin() * (0.2 * u - 0.7 * v).cos();
        let light = if (x / 9 + y / 7) % 3 == 0 { 1.6 } else { 0.3 };
        [0.8, 1.0, 0.5].map(|gain| gain * light * (0.5 + 0.45 * wave) + noise[y * size[0] + x])
    })
}

#[test]
fn it_is_what_the_steps_say() {
    for bayer in PATTERNS {
        for size in [[2, 2], [3, 7], [16, 5], [53, 31]] {
            let mosaic = scene(size, bayer);
            let got = ri().picture(&mosaic);
            let sides = size.map(|side| side as u32);
            let expected = reference::debayer(&mosaic.sites, sides, bayer, [1.0; 3]);
            let mut worst = 0.0_f64;
            for (i, expected) in expected.as_chunks::<3>().0.iter().enumerate() {
                for (plane, expected) in got.planes.iter().zip(expected) {
                    worst = worst.max((f64::from(plane[i]) - expected).abs());
                }
            }
            assert!(worst < 2e-5, "{bayer:?} {size:?}: {worst:e}");
        }
    }
}

#[test]
fn no_instruction_set_can_be_seen() {
    let mosaic = scene([101, 40], Bayer::Gbrg);
    let expected = ri().picture(&mosaic);
    for (name, level) in instruction_sets() {
        let mut got = expected.clone();
        got.planes.iter_mut().for_each(|plane| plane.fill(f32::NAN));
        (ri().run)(level, &mosaic, &mut got);
        assert!(got == expected, "{name}");
    }
}

#[test]
fn a_pattern_is_another_one_from_the_next_photosite_on() {
    let whole = scene([97, 91], Bayer::Rggb);
    let expected = ri().picture(&whole);
    // Beyond the reach of the edge, which lies elsewhere, no bit differs.
    let inner = HALO as usize + 1;
    for (bayer, [left, top]) in
        [(Bayer::Grbg, [1, 0]), (Bayer::Gbrg, [0, 1]), (Bayer::Bggr, [1, 1])]
    {
        let (width, height) = (whole.width - left, whole.height - top);
        let site = |i: usize| whole.sites[(i / width + top) * whole.width + i % width + left];
        let part = Mosaic { width, height, bayer, sites: (0..width * height).map(site).collect() };
        let got = ri().picture(&part);
        for (got, expected) in got.planes.iter().zip(&expected.planes) {
            for y in inner..height - inner {
                for x in inner..width - inner {
                    let expected = expected[(y + top) * whole.width + x + left];
                    assert_eq!(
                        got[y * width + x].to_bits(),
                        expected.to_bits(),
                        "{bayer:?} {x},{y}"
                    );
                }
            }
        }
    }
}

/// Sums go outwards from their middle, so that no side is preferred.
#[test]
fn a_mosaic_in_a_mirror_is_the_picture_in_a_mirror() {
    let upright = scene([61, 47], Bayer::Rggb);
    let expected = ri().picture(&upright);
    let (width, height) = (upright.width, upright.height);
    // An odd number of columns and rows keeps the pattern.
    for flips in [[true, false], [false, true], [true, true]] {
        let turned = |i: usize| {
            let (x, y) = (i % width, i / width);
            let x = if flips[0] { width - 1 - x } else { x };
            (if flips[1] { height - 1 - y } else { y }) * width + x
        };
        let sites = (0..width * height).map(|i| upright.sites[turned(i)]).collect();
        let got = ri().picture(&Mosaic { sites, ..upright.clone() });
        for (got, expected) in got.planes.iter().zip(&expected.planes) {
            for (i, v) in got.iter().enumerate() {
                let expected = expected[turned(i)];
                assert!((v - expected).abs() < 2e-6, "{flips:?} {i}: {v} is not {expected}");
            }
        }
    }
}

#[test]
fn flat_colours_come_back() {
    for color in [[0.0; 3], [0.18; 3], [0.7, 0.2, 0.05], [-0.01, 0.3, 5.0], [3000.0, 1e-4, 0.5]] {
        let picture = ri().picture(&mosaic([40, 33], Bayer::Bggr, |_, _| color));
        let most = color.iter().fold(0.01_f32, |a, b| a.max(b.abs()));
        for (plane, expected) in picture.planes.iter().zip(color) {
            for v in plane {
                assert!((v - expected).abs() <= 2e-6 * most, "{color:?}: {v} is not {expected}");
            }
        }
    }
}

/// A ramp of the curve in which it works, the same step in all colours.
#[test]
fn ramps_come_back() {
    for [dx, dy] in [[0.004, 0.0], [0.0, 0.004], [0.003, -0.002]] {
        let scene = |x: usize, y: usize| {
            [0.3, 0.45, 0.25].map(|v| encode::decode(v + dx * x as f32 + dy * y as f32))
        };
        let size = [90, 80];
        let picture = ri().picture(&mosaic(size, Bayer::Grbg, scene));
        let inner = HALO as usize;
        for y in inner..size[1] - inner {
            for x in inner..size[0] - inner {
                for (plane, expected) in picture.planes.iter().zip(scene(x, y)) {
                    let v = plane[y * size[0] + x];
                    assert!((v - expected).abs() < 4e-6, "{dx} {dy}, {x},{y}: {v}, not {expected}");
                }
            }
        }
    }
}

#[test]
fn whatever_a_sensor_says_stays_finite() {
    for (low, high) in [(-0.1, 1.2), (-3e4, 6e4), (-1e-7, 1e-7), (1.0, 1.0), (-2.0, 0.0)] {
        let mut mosaic = scene([64, 50], Bayer::Rggb);
        mosaic.sites = noise(64 * 50, 3, low, high);
        let picture = ri().picture(&mosaic);
        assert!(picture.planes.iter().flatten().all(|v| v.is_finite()), "{low} to {high}");
    }
}

/// Lamps of all sizes before grey, clipped by the sensor at another height in
/// each colour after white balance: what is made up between photosites stays
/// near their range, so that there is no rim of any colour.
#[test]
fn clipped_lights_have_no_rim() {
    let gains = [2.0, 1.0, 1.5];
    let size = [96_usize, 80];
    let lamp = |x: f32, y: f32| {
        let lamps =
            [(20.3, 20.1, 9.0_f32), (60.7, 30.4, 4.0), (40.2, 60.8, 2.0), (75.5, 62.5, 1.0)];
        let cover = |(u, v, r): (f32, f32, f32)| (r + 0.5 - (x - u).hypot(y - v)).clamp(0.0, 1.0);
        lamps.into_iter().map(cover).fold(0.0, f32::max)
    };
    let scene = |x: usize, y: usize| {
        let light = 0.2 + 8.0 * lamp(x as f32, y as f32);
        gains.map(|gain| light.min(gain))
    };
    let mosaic = mosaic(size, Bayer::Rggb, scene);
    let rows = |pairs| cpu::Stream::new(pairs, Bayer::Rggb.red_at(), gains);
    let mut picture = ri().picture(&mosaic);
    streamed(rows, Level::new(), &mosaic, &mut picture);
    let leaves = |picture: &Picture| {
        picture.planes.iter().zip(gains).find_map(|(plane, gain)| {
            let outside = |v: &f32| *v > gain * 1.3 || *v < 0.2 * 0.5;
            plane.iter().position(outside).map(|i| (i % size[0], i / size[0], plane[i]))
        })
    };
    assert_eq!(leaves(&picture), None);
    let never = [f32::INFINITY; 3];
    let blind = |pairs| debayer_mhc::cpu::Stream::new(pairs, Bayer::Rggb.red_at(), never);
    streamed(blind, Level::new(), &mosaic, &mut picture);
    assert!(leaves(&picture).is_some(), "a debayer that leaves the range is noticed");
}

// Photographs ------------------------------------------------------------------

/// Two photographs in linear light, 128 pixels square: what they are and
/// whose stands in the README beside them.
fn photographs() -> Vec<Picture> {
    const SIDE: usize = 128;
    let bytes = include_bytes!("../../../tests/fixtures/photographs.f16");
    let values: Vec<f32> =
        bytes.as_chunks::<2>().0.iter().map(|b| half::f16::from_le_bytes(*b).to_f32()).collect();
    values
        .chunks_exact(3 * SIDE * SIDE)
        .map(|picture| {
            let mut planes = picture.chunks_exact(SIDE * SIDE).map(<[f32]>::to_vec);
            let planes = std::array::from_fn(|_| planes.next().expect("three planes"));
            Picture { width: SIDE, height: SIDE, planes }
        })
        .collect()
}

/// The sRGB curve, on 0 to 1.
fn displayed(v: f32) -> f64 {
    let v = f64::from(v.clamp(0.0, 1.0));
    if v <= 0.003_130_8 { 12.92 * v } else { 1.055 * v.powf(1.0 / 2.4) - 0.055 }
}

/// Peak signal to noise of all three colours as displayed, ten pixels from the edges on.
fn quality(debayer: &Form, truth: &Picture) -> f64 {
    let size = [truth.width, truth.height];
    let mosaic = mosaic(size, Bayer::Rggb, |x, y| {
        truth.planes.each_ref().map(|plane| plane[y * truth.width + x])
    });
    let got = debayer.picture(&mosaic);
    let mut squares = Vec::new();
    for (got, truth) in got.planes.iter().zip(&truth.planes) {
        for y in 10..size[1] - 10 {
            for i in y * size[0] + 10..(y + 1) * size[0] - 10 {
                squares.push((displayed(got[i]) - displayed(truth[i])).powi(2));
            }
        }
    }
    -10.0 * (squares.iter().sum::<f64>() / squares.len() as f64).log10()
}

#[test]
fn photographs_are_far_better_than_with_linear_filters() {
    for (truth, least) in photographs().iter().zip([42.5, 26.5]) {
        let ours = quality(ri(), truth);
        let linear = quality(form("mhc").expect("it is in the list"), truth);
        assert!(ours > least && ours > linear + 2.0, "{ours:.2} dB, mhc has {linear:.2}");
    }
}
