//! Its photosites, its place, and the inputs of the comparison of both forms.

use super::size;
use crate::debayer::{Mosaic, form};
use crate::ops::debayer_mhc::mirror;
use crate::ops::resample::Taps;
use crate::twin::{Trial, noise, special_values};
use fearless_simd::Level;
use platefarm_model::raw::Bayer;
use platefarm_model::recipe::Filter;

const PATTERNS: [Bayer; 4] = [Bayer::Rggb, Bayer::Grbg, Bayer::Gbrg, Bayer::Bggr];

/// Noise and special values, at even and odd sizes, in all four phases.
pub(super) fn trials() -> Vec<Trial> {
    let mut trials = Vec::new();
    for bayer in PATTERNS {
        for (width, height) in [(2_usize, 2_usize), (7, 3), (33, 18)] {
            let mut sites = noise(width * height, 7, -0.1, 1.2);
            let special = special_values();
            let from = sites.len().saturating_sub(special.len());
            sites.iter_mut().skip(from).zip(special).for_each(|(site, v)| *site = v);
            let mosaic = Mosaic { width, height, bayer, sites };
            let picture = form("superpixel").expect("it is in the list").picture(&mosaic);
            let columns = picture.width;
            let expected = (0..3 * columns * picture.height).map(|i| picture.planes[i % 3][i / 3]);
            let expected: Vec<f32> = expected.collect();
            let (row, column) = bayer.red_at();
            trials.push(Trial {
                name: format!("{bayer:?} {width}x{height}"),
                probe: format!(
                    "fn mosaic(x: i32, y: i32) -> f32 {{ return bitcast<f32>(input[u32(y * {width} + x)]); }}
                    fn probe(i: u32) -> u32 {{
                        let p = i32(i / 3u);
                        let rgb = superpixel(p % {columns}, p / {columns}, vec2<i32>({width}, {height}), vec2<i32>({column}, {row}));
                        return bitcast<u32>(rgb[i % 3u]);
                    }}"
                ),
                params: vec![0],
                input: mosaic.sites.iter().map(|v| v.to_bits()).collect(),
                floats: Some((0..expected.len()).map(|i| largest_around(&mosaic, i / 3)).collect()),
                expected: expected.iter().map(|v| v.to_bits()).collect(),
            });
        }
    }
    trials
}

/// The largest magnitude that block `at` looks at.
fn largest_around(mosaic: &Mosaic, at: usize) -> f32 {
    let columns = mosaic.width.div_ceil(2);
    let (x, y) = ((2 * (at % columns)) as i64, (2 * (at / columns)) as i64);
    (0..16)
        .map(|k| {
            (
                mirror(x + k % 4 - 1, mosaic.width as u32),
                mirror(y + k / 4 - 1, mosaic.height as u32),
            )
        })
        .map(|(x, y)| mosaic.sites[y as usize * mosaic.width + x as usize].abs())
        .filter(|v| v.is_finite())
        .fold(0.0, f32::max)
}

#[test]
fn a_pixel_is_the_middle_of_its_block() {
    // A plane in x and y, another one for each colour: what bilinear
    // interpolation reproduces. Small whole numbers make it exact.
    let planes = [[3.0, 5.0, 64.0], [-7.0, 2.0, 800.0], [1.0, -4.0, 900.0]];
    let value = |color: usize, x: f32, y: f32| {
        planes[color][0] * x + planes[color][1] * y + planes[color][2]
    };
    for bayer in PATTERNS {
        for (width, height) in [(8_usize, 6_usize), (9, 7), (34, 11)] {
            let site = |i: usize| {
                let (x, y) = (i % width, i / width);
                value(bayer.color(y as u32, x as u32) as usize, x as f32, y as f32)
            };
            let sites = (0..width * height).map(site).collect();
            let mosaic = Mosaic { width, height, bayer, sites };
            let picture = form("superpixel").expect("it is in the list").picture(&mosaic);
            assert_eq!((picture.width, picture.height), (width.div_ceil(2), height.div_ceil(2)));
            for (color, plane) in picture.planes.iter().enumerate() {
                for (i, v) in plane.iter().enumerate() {
                    let (x, y) = (2 * (i % picture.width), 2 * (i / picture.width));
                    let inside = x > 0 && y > 0 && x + 2 < width && y + 2 < height;
                    let expected = value(color, x as f32 + 0.5, y as f32 + 0.5);
                    assert!(
                        !inside || *v == expected,
                        "{bayer:?} {width}x{height} at {x},{y}: {v}, {expected}"
                    );
                }
            }
        }
    }
}

#[test]
fn colors_do_not_meet() {
    for bayer in PATTERNS {
        for (width, height) in [(2, 2), (3, 2), (5, 4), (9, 9)] {
            let site = |i: usize| {
                [0.5, 0.25, 0.75][bayer.color((i / width) as u32, (i % width) as u32) as usize]
            };
            let sites = (0..width * height).map(site).collect();
            let mosaic = Mosaic { width, height, bayer, sites };
            let picture = form("superpixel").expect("it is in the list").picture(&mosaic);
            let [red, green, blue] = &picture.planes;
            assert!(
                red.iter().all(|v| *v == 0.5) && green.iter().all(|v| *v == 0.25),
                "{bayer:?} {width}x{height}"
            );
            assert!(blue.iter().all(|v| *v == 0.75), "{bayer:?} {width}x{height}");
        }
    }
}

/// The centre of light of a plane, in pixel-edge coordinates.
fn centroid(plane: &[f32], width: usize) -> [f64; 2] {
    let (mut sum, mut at) = (0.0, [0.0, 0.0]);
    for (i, v) in plane.iter().enumerate() {
        let v = f64::from(*v);
        sum += v;
        at[0] += v * ((i % width) as f64 + 0.5);
        at[1] += v * ((i / width) as f64 + 0.5);
    }
    at.map(|v| v / sum)
}

#[test]
fn it_lies_where_the_picture_lies() {
    // A soft spot, framed off centre and scaled, once through the photosites of
    // a picture of full size and once through the half-size picture with the
    // map of the module's text.
    let (width, height) = (96_usize, 80_usize);
    let (scale, offset) = (0.75, [-7.3, 4.6]);
    let at = [41.7, 37.2];
    let light = |i: usize| {
        let (dx, dy) = ((i % width) as f64 + 0.5 - at[0], (i / width) as f64 + 0.5 - at[1]);
        (-(dx * dx + dy * dy) / (2.0 * 25.0)).exp() as f32
    };
    for bayer in PATTERNS {
        let sites = (0..width * height).map(light).collect();
        let mosaic = Mosaic { width, height, bayer, sites };
        let framed = |name: &str, blocks: f64| {
            let picture = form(name).expect("it is in the list").picture(&mosaic);
            let taps =
                [(picture.width, offset[0]), (picture.height, offset[1])].map(|(side, offset)| {
                    Taps::new(Filter::Lanczos3, scale * blocks, offset, 0..72, side as u32)
                });
            picture.resampled(Level::new(), &taps, false).planes.map(|plane| centroid(&plane, 72))
        };
        let expected = [0, 1].map(|axis: usize| scale * at[axis] + offset[axis]);
        let (full, half) = (framed("mhc", 1.0), framed("superpixel", 2.0));
        for (full, half) in full.into_iter().zip(half) {
            for axis in 0..2 {
                assert!((full[axis] - expected[axis]).abs() < 0.01, "{bayer:?} {full:?}");
                assert!(
                    (half[axis] - expected[axis]).abs() < 0.01,
                    "{bayer:?} {half:?} {expected:?}"
                );
            }
        }
    }
    assert_eq!([2, 3, 4096].map(size), [1, 2, 2048]);
}
