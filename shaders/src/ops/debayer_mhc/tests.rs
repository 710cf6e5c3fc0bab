//! The paper's filters, recovered from impulses, and the pictures they must reproduce exactly.

use super::cpu::Stream;
use super::*;
use crate::debayer::{Mosaic, streamed};
use crate::ops::resample::picture::Picture;
use crate::twin::{Trial, noise, special_values};
use fearless_simd::Level;
use platefarm_model::raw::Bayer;

const PATTERNS: [Bayer; 4] = [Bayer::Rggb, Bayer::Grbg, Bayer::Gbrg, Bayer::Bggr];

/// Gains of a sensor that never clips.
const NEVER: [f32; 3] = [f32::INFINITY; 3];

/// [`clipping`] where nothing clips.
fn debayer(mosaic: &[f32], width: u32, height: u32, bayer: Bayer) -> Vec<f32> {
    clipping(mosaic, width, height, bayer, NEVER)
}

/// Debayers a whole picture: interleaved RGB.
fn clipping(mosaic: &[f32], width: u32, height: u32, bayer: Bayer, gains: [f32; 3]) -> Vec<f32> {
    let [w, h] = [width, height].map(|side| side as usize);
    let stream = |pairs| Stream::new(pairs, bayer.red_at(), gains);
    let mosaic = Mosaic { width: w, height: h, bayer, sites: mosaic.to_vec() };
    let mut picture = Picture { width: 0, height: 0, planes: Default::default() };
    streamed(stream, Level::new(), &mosaic, &mut picture);
    (0..w * h).flat_map(|i| [0, 1, 2].map(|p| picture.planes[p][i])).collect()
}

/// Noise, wide range with special values, at odd sizes, in all four phases.
pub(super) fn trials() -> Vec<Trial> {
    let mut trials = Vec::new();
    for bayer in PATTERNS {
        for (width, height) in [(2_u32, 2_u32), (7, 3), (3, 8), (33, 17)] {
            let count = (width * height) as usize;
            let mut inputs = vec![
                ("noise", noise(count, 7, -0.1, 1.2), NEVER),
                ("clipping", noise(count, 8, -0.1, 1.2), [1.25, 1.26, 1.24]),
                ("wide", noise(count, 9, -3e4, 6e4), NEVER),
            ];
            if width == 33 {
                let mut special = noise(count, 3, 0.0, 1.0);
                // What is no number was made one before.
                let special_values = special_values().into_iter().filter(|v| v.is_finite());
                for (i, v) in special_values.enumerate() {
                    special[40 * i + 17] = v;
                }
                inputs.push(("special values", special, NEVER));
            }
            for (name, mosaic, gains) in inputs {
                let expected = clipping(&mosaic, width, height, bayer, gains);
                let [red, green, blue] = clips(gains).map(f32::to_bits);
                let (row, column) = bayer.red_at();
                let magnitudes = expected
                    .iter()
                    .enumerate()
                    .map(|(i, _)| largest_around(&mosaic, width, height, i as u32 / 3))
                    .collect();
                trials.push(Trial {
                    name: format!("{name} {bayer:?} {width}x{height}"),
                    probe: format!(
                        "fn mhc_clip(color: u32) -> f32 {{
                            var clips = array<u32, 3>({red}u, {green}u, {blue}u);
                            return bitcast<f32>(clips[color] ^ opaque_zero());
                        }}
                        fn mosaic(x: i32, y: i32) -> f32 {{ return bitcast<f32>(input[u32(y * {width} + x)]); }}
                        fn probe(i: u32) -> u32 {{
                            let p = i32(i / 3u);
                            let rgb = debayer_mhc(p % {width}, p / {width}, vec2<i32>({width}, {height}), vec2<i32>({column}, {row}));
                            return bitcast<u32>(rgb[i % 3u]);
                        }}"
                    ),
                    params: vec![0],
                    input: mosaic.iter().map(|v| v.to_bits()).collect(),
                    expected: expected.iter().map(|v| v.to_bits()).collect(),
                    floats: Some(magnitudes),
                });
            }
        }
    }
    trials
}

/// The largest magnitude that the filters see from pixel `at`.
fn largest_around(mosaic: &[f32], width: u32, height: u32, at: u32) -> f32 {
    let (x, y) = (i64::from(at % width), i64::from(at / width));
    (0..25)
        .map(|k| (mirror(x + k % 5 - 2, width), mirror(y + k / 5 - 2, height)))
        .map(|(x, y)| mosaic[(y * width + x) as usize].abs())
        .filter(|v| v.is_finite())
        .fold(0.0, f32::max)
}

/// Samples a colour scene through the pattern.
fn mosaic_of(
    width: u32,
    height: u32,
    bayer: Bayer,
    scene: impl Fn(u32, u32) -> [f32; 3],
) -> Vec<f32> {
    (0..height)
        .flat_map(|y| (0..width).map(move |x| (x, y)))
        .map(|(x, y)| scene(x, y)[bayer.color(y, x) as usize])
        .collect()
}

#[test]
fn the_papers_filters_in_exact_arithmetic() {
    // The four filters of figure 2 of the paper, times 8; rows top to bottom.
    // Their response to a single photosite is the filter itself, mirrored in
    // both axes (they are symmetric), so an impulse shows every coefficient.
    let green = [
        [0., 0., -1., 0., 0.],
        [0., 0., 2., 0., 0.],
        [-1., 2., 4., 2., -1.],
        [0., 0., 2., 0., 0.],
        [0., 0., -1., 0., 0.],
    ];
    let row_filter = [
        [0., 0., 0.5, 0., 0.],
        [0., -1., 0., -1., 0.],
        [-1., 4., 5., 4., -1.],
        [0., -1., 0., -1., 0.],
        [0., 0., 0.5, 0., 0.],
    ];
    let column_filter: [[f64; 5]; 5] =
        std::array::from_fn(|y| std::array::from_fn(|x| row_filter[x][y]));
    let opposite = [
        [0., 0., -1.5, 0., 0.],
        [0., 2., 0., 2., 0.],
        [-1.5, 0., 6., 0., -1.5],
        [0., 2., 0., 2., 0.],
        [0., 0., -1.5, 0., 0.],
    ];
    let (size, at) = (13_u32, 6_u32);
    for bayer in PATTERNS {
        for (dy, dx) in [(0, 0), (0, 1), (1, 0), (1, 1)] {
            let (iy, ix) = (at + dy, at + dx);
            let mut mosaic = vec![0.0; (size * size) as usize];
            mosaic[(iy * size + ix) as usize] = 8.0;
            let rgb = debayer(&mosaic, size, size, bayer);
            for y in iy - 2..=iy + 2 {
                for x in ix - 2..=ix + 2 {
                    let (ky, kx) = ((iy + 2 - y) as usize, (ix + 2 - x) as usize);
                    let site = bayer.color(y, x) as usize;
                    let red_row = y % 2 == bayer.red_at().0;
                    for plane in 0..3 {
                        let filter = match (site, plane) {
                            (s, p) if s == p => {
                                let own = if (y, x) == (iy, ix) { 8.0 } else { 0.0 };
                                assert_eq!(rgb[((y * size + x) * 3) as usize + plane], own);
                                continue;
                            }
                            (_, 1) => green,
                            (1, p) if (p == 0) == red_row => row_filter,
                            (1, _) => column_filter,
                            _ => opposite,
                        };
                        let got = f64::from(rgb[((y * size + x) * 3) as usize + plane]);
                        assert_eq!(
                            got, filter[ky][kx],
                            "{bayer:?} plane {plane} at {x},{y} from {ix},{iy}"
                        );
                    }
                }
            }
        }
    }
}

#[test]
fn a_constant_stays_exact_to_the_edge_and_a_ramp_inside() {
    for bayer in PATTERNS {
        for (width, height) in [(2, 2), (5, 4), (16, 9)] {
            let colors = [0.5, 0.25, 0.75];
            let rgb =
                debayer(&mosaic_of(width, height, bayer, |_, _| [0.375; 3]), width, height, bayer);
            assert!(rgb.iter().all(|v| *v == 0.375), "grey, {bayer:?} {width}x{height}");
            // Constant per colour: the corrections vanish, also at the edge.
            let rgb =
                debayer(&mosaic_of(width, height, bayer, |_, _| colors), width, height, bayer);
            assert!(rgb.chunks(3).all(|p| p == colors), "colour, {bayer:?} {width}x{height}");
        }
        // A plane in x and y, the same in all colours up to a constant, is what
        // the filters reproduce; small whole numbers make it exact in f32.
        let ramp =
            |x: u32, y: u32| [0.0, 64.0, 128.0].map(|base| base + 3.0 * x as f32 + 5.0 * y as f32);
        let (width, height) = (14, 11);
        let rgb = debayer(&mosaic_of(width, height, bayer, ramp), width, height, bayer);
        for y in 2..height - 2 {
            for x in 2..width - 2 {
                let at = ((y * width + x) * 3) as usize;
                assert_eq!(rgb[at..at + 3], ramp(x, y), "{bayer:?} {x},{y}");
            }
        }
    }
}

#[test]
fn mirroring_keeps_the_parity() {
    assert_eq!([-2, -1, 0, 4, 5, 6].map(|i| mirror(i, 5)), [2, 1, 0, 4, 3, 2]);
    for n in 2..9 {
        for i in -2..i64::from(n) + 2 {
            assert_eq!(i64::from(mirror(i, n)).rem_euclid(2), i.rem_euclid(2), "{i} of {n}");
            assert!(mirror(i, n) < n);
        }
    }
}

/// Lights above what the sensor holds, on grey: where the pictures of all
/// colours are one, pixels beside them are grey, and in them as the colours clip.
#[test]
fn lights_that_clip_have_little_of_a_rim() {
    let gains = [2.0, 1.0, 1.6];
    let (width, height) = (48, 40);
    let light = |x: u32, y: u32| {
        let (dx, dy) = (f64::from(x) - 23.3, f64::from(y) - 19.6);
        let far = (dx * dx + dy * dy).sqrt() - 9.0;
        (0.18 + 8.0 / (1.0 + (2.5 * far).exp())) as f32
    };
    let truth = |x: u32, y: u32| gains.map(|gain| light(x, y).min(gain));
    for bayer in PATTERNS {
        let mosaic = mosaic_of(width, height, bayer, truth);
        let off = |rgb: Vec<f32>| {
            let pixels = rgb.chunks(3).zip(0..width * height);
            let off = |p: &[f32], i: u32| {
                let t = truth(i % width, i / width);
                // Colour of square roots, which is about what is seen.
                let [p, t] = [[p[0], p[1], p[2]], t].map(|v| v.map(|v| v.max(0.0).sqrt()));
                ((p[0] - p[1]) - (t[0] - t[1])).abs() + ((p[2] - p[1]) - (t[2] - t[1])).abs()
            };
            f64::from(pixels.map(|(p, i)| off(p, i)).sum::<f32>())
        };
        let plain = off(debayer(&mosaic, width, height, bayer));
        let ours = off(clipping(&mosaic, width, height, bayer, gains));
        assert!(ours < 0.65 * plain, "{bayer:?}: {ours} of {plain}");
    }
}
