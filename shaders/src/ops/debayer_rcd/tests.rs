//! The fast form against the text in double precision, and what must hold of any debayer.

use super::cpu::{MARGIN, Stream};
use super::reference::Reference;
use super::*;
use crate::debayer::{Form, Mosaic, form};
use crate::ops::debayer_mhc::mirror;
use crate::ops::resample::picture::{Picture, instruction_sets};
use crate::twin::noise;
use fearless_simd::Level;
use platefarm_model::raw::Bayer;

const PATTERNS: [Bayer; 4] = [Bayer::Rggb, Bayer::Grbg, Bayer::Gbrg, Bayer::Bggr];

fn rcd() -> &'static Form {
    form("rcd").expect("it is in the list")
}

fn mosaic(
    width: usize,
    height: usize,
    bayer: Bayer,
    scene: impl Fn(usize, usize) -> [f32; 3],
) -> Mosaic {
    let site = |i: usize| {
        scene(i % width, i / width)[bayer.color((i / width) as u32, (i % width) as u32) as usize]
    };
    Mosaic { width, height, bayer, sites: (0..width * height).map(site).collect() }
}

/// Coloured edges in all directions and some noise, below black and above white.
fn scene(width: usize, height: usize, bayer: Bayer) -> Mosaic {
    let noise = noise(width * height, 5, -0.02, 0.02);
    mosaic(width, height, bayer, |x, y| {
        let (u, v) = (x as f32, y as f32);
        let wave = (0.9 * u + 0.3 * v).sin() * (0.2 * u - 0.7 * v).cos();
        let light = if (x / 9 + y / 7) % 3 == 0 { 1.6 } else { 0.3 };
        [0.8, 1.0, 0.5].map(|gain| gain * light * (0.5 + 0.45 * wave) + noise[y * width + x])
    })
}

#[test]
fn it_is_what_the_text_says() {
    for bayer in PATTERNS {
        for (width, height) in [(2, 2), (3, 7), (16, 5), (41, 29)] {
            let mosaic = scene(width, height, bayer);
            let picture = rcd().picture(&mosaic);
            let mut reference = Reference::new(&mosaic);
            let mut worst = 0.0_f64;
            for y in 0..height {
                for x in 0..width {
                    let expected = reference.pixel((y as i64, x as i64));
                    for (plane, expected) in picture.planes.iter().zip(expected) {
                        worst = worst.max((f64::from(plane[y * width + x]) - expected).abs());
                    }
                }
            }
            assert!(worst < 2e-5, "{bayer:?} {width}x{height}: {worst:e}");
        }
    }
}

#[test]
fn the_text_is_compared_with_something() {
    // The same comparison notices a photosite that is one part in a thousand off.
    let mosaic = scene(41, 29, Bayer::Rggb);
    let mut other = mosaic.clone();
    other.sites[14 * 41 + 20] *= 1.001;
    let expected = Reference::new(&mosaic).pixel((14, 20));
    let got = rcd().picture(&other).planes.map(|plane| f64::from(plane[14 * 41 + 20]));
    assert!(
        expected.into_iter().zip(got).any(|(a, b)| (a - b).abs() > 1e-4),
        "{expected:?} {got:?}"
    );
}

#[test]
fn every_instruction_set_gives_the_same_bits() {
    for (width, height) in [(2, 2), (37, 12), (130, 33)] {
        let mosaic = scene(width, height, Bayer::Gbrg);
        let of = |level: Level| {
            let mut picture = Picture { width: 0, height: 0, planes: Default::default() };
            (rcd().run)(level, &mosaic, &mut picture);
            picture.planes.map(|plane| plane.into_iter().map(f32::to_bits).collect::<Vec<_>>())
        };
        let sets = instruction_sets();
        let expected = of(sets[0].1);
        for (name, level) in sets {
            assert!(of(level) == expected, "{name} at {width}x{height}");
        }
    }
}

#[test]
fn one_color_stays_and_a_soft_ramp_too() {
    for bayer in PATTERNS {
        for color in
            [[0.375; 3], [0.5, 0.25, 0.75], [0.0; 3], [-0.01, 0.02, -0.03], [3.0, 9.0, 1.0]]
        {
            let picture = rcd().picture(&mosaic(24, 18, bayer, |_, _| color));
            for (plane, expected) in picture.planes.iter().zip(color) {
                let worst = plane.iter().map(|v| (v - expected).abs()).fold(0.0, f32::max);
                let bound = 4e-6 * color.iter().fold(0.1, |most: f32, v| most.max(v.abs()));
                assert!(worst < bound, "{bayer:?} {color:?}: {worst:e}");
            }
        }
        let ramp =
            |x: usize, y: usize| [0.2, 0.3, 0.25].map(|v| v + 0.002 * x as f32 + 0.003 * y as f32);
        let picture = rcd().picture(&mosaic(40, 40, bayer, ramp));
        for (p, plane) in picture.planes.iter().enumerate() {
            for (i, v) in plane.iter().enumerate() {
                let (x, y) = (i % 40, i / 40);
                let inside = (10..30).contains(&x) && (10..30).contains(&y);
                assert!(
                    !inside || (v - ramp(x, y)[p]).abs() < 2e-4,
                    "{bayer:?} plane {p} at {x},{y}: {v}"
                );
            }
        }
    }
}

#[test]
fn the_same_picture_turned_is_the_same_picture() {
    // Mirrored across, a pattern becomes another one; the steps know no side.
    let (width, height) = (34, 22);
    let straight = scene(width, height, Bayer::Rggb);
    let turned = |i: usize| (i / width) * width + width - 1 - i % width;
    let sites = (0..width * height).map(|i| straight.sites[turned(i)]).collect();
    let mirrored = Mosaic { width, height, bayer: Bayer::Grbg, sites };
    let [a, b] = [&straight, &mirrored].map(|mosaic| rcd().picture(mosaic));
    for (a, b) in a.planes.iter().zip(&b.planes) {
        for (i, v) in b.iter().enumerate() {
            assert!((v - a[turned(i)]).abs() < 1e-5, "{i}");
        }
    }
}

#[test]
fn a_pixel_depends_on_no_more_than_its_halo() {
    let (width, height) = (61, 63);
    let mosaic = scene(width, height, Bayer::Rggb);
    let before = rcd().picture(&mosaic);
    let halo = i64::from(HALO);
    let (mut columns, mut rows) = (0, 0);
    for (cx, cy) in [(30, 31), (31, 31), (30, 30), (31, 30)] {
        let mut other = mosaic.clone();
        other.sites[cy * width + cx] += 0.5;
        let after = rcd().picture(&other);
        for (a, b) in before.planes.iter().zip(&after.planes) {
            for (i, _) in a.iter().enumerate().filter(|(i, v)| b[*i] != **v) {
                columns = columns.max((i % width).abs_diff(cx) as i64);
                rows = rows.max((i / width).abs_diff(cy) as i64);
            }
        }
    }
    assert!(columns <= halo && rows <= halo, "{columns} columns, {rows} rows");
    assert!(
        columns >= halo - 2 && rows >= halo - 2,
        "the halo is wider than it need be: {columns}, {rows}"
    );
}

#[test]
fn a_window_has_the_bits_of_the_whole() {
    let (width, height) = (90_usize, 50_usize);
    for bayer in PATTERNS {
        let mosaic = scene(width, height, bayer);
        let whole = rcd().picture(&mosaic);
        for (columns, rows) in [(0..30, 0..9), (24..57, 11..31), (60..90, 40..50)] {
            let pairs = ((columns.end - columns.start) as usize).div_ceil(2);
            let mut stream = Stream::new(pairs, bayer.red_at());
            let mut runs = vec![0.0; 6 * pairs];
            let halo = i64::from(HALO);
            for y in rows.start - halo..rows.end + halo {
                let row = mirror(y, height as u32) as usize * width;
                for (half, values) in stream.input().iter_mut().enumerate() {
                    // What lies beyond the halo is anything at all.
                    values.fill(7.0);
                    for (i, v) in values.iter_mut().enumerate().take(pairs + 2 * MARGIN) {
                        let x = columns.start + 2 * (i as i64 - MARGIN as i64) + half as i64;
                        if x >= columns.start - halo && x < columns.end + halo {
                            *v = mosaic.sites[row + mirror(x, width as u32) as usize];
                        }
                    }
                }
                stream.push(Level::new(), y, &mut runs);
                let done = y - halo;
                if !rows.contains(&done) {
                    continue;
                }
                for x in columns.clone() {
                    for plane in 0..3 {
                        let at = (x - columns.start) as usize;
                        let got = runs[(2 * plane + at % 2) * pairs + at / 2];
                        let expected = whole.planes[plane][done as usize * width + x as usize];
                        assert_eq!(
                            got.to_bits(),
                            expected.to_bits(),
                            "{bayer:?} {x},{done} plane {plane}"
                        );
                    }
                }
            }
        }
    }
}

#[test]
fn the_largest_values_stay_finite() {
    for value in [65504.0, -65504.0, 1e-30] {
        let sites = (0..40 * 40).map(|i| if i % 7 == 0 { value } else { 0.1 }).collect();
        let mosaic = Mosaic { width: 40, height: 40, bayer: Bayer::Bggr, sites };
        let picture = rcd().picture(&mosaic);
        assert!(picture.planes.iter().flatten().all(|v| v.is_finite()), "{value}");
    }
}
