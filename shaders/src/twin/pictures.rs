//! Recipes of pictures that have all their colours, and of mosaics of floats;
//! what a recipe of them must come to.

use super::recipes::{self, framed, identity};
use crate::exec::cpu::CpuExecutor;
use crate::ops::resample::Taps;
use crate::ops::resample::picture::Picture;
use crate::{Executor, HalfImage, PlateColor, PlateRecipe};
use fearless_simd::Level;
use half::f16;
use platefarm_model::color::IDENTITY;
use platefarm_model::raw::{Bayer, Layout, Levels, Packing, Rect, RgbLayout, RgbSamples};
use platefarm_model::recipe::{Debayer, Filter, Framing};
use platefarm_model::repair::Repairs;
use std::sync::Arc;

const MATRIX: [[f64; 3]; 3] = [[0.68, 0.24, 0.08], [0.05, 1.11, -0.16], [0.01, -0.3, 1.29]];

/// A picture with a margin around its crop.
fn layout(width: u32, height: u32, samples: RgbSamples) -> RgbLayout {
    RgbLayout {
        width: width + 5,
        height: height + 4,
        samples,
        crop: Rect { x: 3, y: 1, width, height },
        curve: Arc::from([]),
        to_aces: IDENTITY,
    }
}

/// The curve of a video-like encoding, for codes of 16 bits or fewer.
fn curve(entries: u32) -> Arc<[f32]> {
    (0..entries).map(|i| (i as f32 / entries as f32).powf(2.4) * 5.0 - 0.02).collect()
}

/// What a half means under a curve that is not its own value.
fn half_curve() -> Arc<[f32]> {
    (0..=u16::MAX).map(|bits| f16::from_bits(bits).to_f32() * 0.5 + 0.25).collect()
}

fn recipe(layout: RgbLayout) -> PlateRecipe {
    let framing = Framing::identity(layout.crop.width, layout.crop.height, 1.0);
    let layout = Layout::Rgb(Arc::new(layout));
    PlateRecipe {
        layout,
        debayer: Debayer::default(),
        repairs: Repairs::default(),
        framing,
        color: PlateColor::default(),
    }
}

fn with_framing(mut recipe: PlateRecipe, scale: [f64; 2], offset: [f64; 2]) -> PlateRecipe {
    let source_size = recipe.framing.source_size;
    let size = [0, 1].map(|a| (f64::from(source_size[a]) * scale[a]).ceil() as u32 + 2);
    recipe.framing = Framing {
        source_size,
        size,
        scale,
        offset,
        content: [1, 0, size[0], size[1] - 1],
        pixel_aspect: 1.0,
        filter: Some(Filter::Lanczos3),
        antiring: false,
    };
    recipe
}

/// Pictures of every kind of samples, and mosaics of floats, as they are and framed.
pub(crate) fn all() -> Vec<(String, PlateRecipe)> {
    let mut recipes = Vec::new();
    let mut add = |name: &str, layout: RgbLayout| {
        let plain = recipe(layout);
        let mut cut = with_framing(plain.clone(), [1.0; 2], [-3.0, -5.0]);
        cut.framing.size = [7, 4];
        cut.framing.content = [0, 0, 7, 4];
        let shrunk = with_framing(plain.clone(), [0.6, 0.45], [0.2, -1.0]);
        let mut mirrored = shrunk.clone();
        mirrored.framing = mirrored.framing.flipped([true, true]);
        recipes
            .push((format!("{name}, enlarged"), with_framing(plain.clone(), [1.4, 2.0], [0.0; 2])));
        recipes.push((format!("{name}, cut"), cut));
        recipes.push((format!("{name}, shrunk"), shrunk));
        recipes.push((format!("{name}, mirrored"), mirrored));
        recipes.push((name.into(), plain));
    };
    for (i, samples) in [RgbSamples::U16, RgbSamples::F16, RgbSamples::F32].into_iter().enumerate()
    {
        let plain = layout(40 + 9 * i as u32, 23 + 4 * i as u32, samples);
        add(&format!("{samples:?} picture"), plain.clone());
        add(&format!("{samples:?} picture with a matrix"), RgbLayout { to_aces: MATRIX, ..plain });
    }
    let code = RgbLayout { to_aces: MATRIX, ..layout(33, 30, RgbSamples::U16) };
    add("10-bit codes", RgbLayout { curve: curve(1024), ..code.clone() });
    add("16-bit codes", RgbLayout { curve: curve(65_536), ..code });
    add("halves by a curve", RgbLayout { curve: half_curve(), ..layout(31, 29, RgbSamples::F16) });
    add("one pixel", layout(1, 1, RgbSamples::F16));
    for bayer in recipes::PATTERNS {
        let mut floats = recipes::layout(29, 24, Packing::F32Le, bayer);
        floats.levels = Levels::flat(0.0, 1.0);
        let shrunk = framed(floats.clone(), Filter::Lanczos3, [0.5, 0.47], [0.0, 0.3]);
        recipes.push((format!("floats {bayer:?} shrunk"), shrunk));
        recipes.push((format!("floats {bayer:?}"), identity(floats)));
    }
    recipes
}

fn render(recipe: &PlateRecipe, bytes: &[u8]) -> HalfImage {
    CpuExecutor::new().prepare(recipe).and_then(|mut ready| ready.run(bytes)).unwrap()
}

/// A half as it was, or what a plate holds in its place.
fn held(half: f16) -> f16 {
    match half {
        h if h.is_nan() => f16::ZERO,
        h if h.is_infinite() => f16::MAX.copysign(h),
        h => h,
    }
}

#[test]
fn halves_in_aces_are_copied_bit_for_bit() {
    let (width, height) = (257_u32, 257_u32);
    let plain =
        RgbLayout { crop: Rect::of_size(width, height), ..layout(width, height, RgbSamples::F16) };
    let plain = RgbLayout { width, height, ..plain };
    // Every half there is, one after the other, in all three planes.
    let halves: Vec<f16> = (0..3 * width * height).map(|i| f16::from_bits(i as u16)).collect();
    let bytes: Vec<u8> = halves.iter().flat_map(|h| h.to_le_bytes()).collect();
    let image = render(&recipe(plain), &bytes);
    for (i, half) in halves.iter().enumerate() {
        assert_eq!(image.planes[i % 3][i / 3], held(*half).to_bits(), "{half:?}");
    }
    let odd = halves.iter().filter(|h| !h.is_finite()).count();
    assert_eq!(image.non_finite, odd as u64);
}

/// What is counted depends neither on bands nor on windows, and a value that no plate can
/// hold does not spread.
#[test]
fn one_bad_sample_is_one_bad_sample() {
    let plain = layout(40, 64, RgbSamples::F32);
    let shrink = with_framing(recipe(plain.clone()), [0.5, 0.5], [0.0; 2]);
    let mut bytes: Vec<u8> = 0.25_f32.to_le_bytes().repeat(plain.bytes() / 4);
    let clean = render(&shrink, &bytes);
    assert_eq!(clean.non_finite, 0);
    for (i, bad) in [f32::NAN, f32::INFINITY, 1e30].into_iter().enumerate() {
        let at = 12 * ((20 + 10 * i) * plain.width as usize + 17);
        bytes[at..at + 4].copy_from_slice(&bad.to_le_bytes());
    }
    for (bands, window) in [(1, 1000), (2, 7), (5, 16), (9, 1)] {
        let executor = CpuExecutor::with(Level::new(), bands).windowed(window);
        let image = executor.prepare(&shrink).and_then(|mut ready| ready.run(&bytes)).unwrap();
        assert_eq!(image.non_finite, 3, "{bands} bands, windows of {window}");
        // Green and blue know nothing of it; in red most is as it was.
        assert_eq!(image.planes[1..], clean.planes[1..]);
        let changed = image.planes[0].iter().zip(&clean.planes[0]).filter(|(a, b)| a != b).count();
        assert!((1..=3 * 49).contains(&changed), "{changed} of {}", clean.planes[0].len());
    }
}

/// Curve and matrix in double precision, one pixel at a time.
#[test]
fn codes_become_light_and_light_becomes_aces() {
    let codes = RgbLayout {
        width: 64,
        height: 16,
        crop: Rect::of_size(64, 16),
        curve: curve(1024),
        to_aces: MATRIX,
        ..layout(1, 1, RgbSamples::U16)
    };
    let stored: Vec<u16> = (0..3 * 1024).map(|i| (i * 7 % 1030) as u16).collect();
    let bytes: Vec<u8> = stored.iter().flat_map(|v| v.to_le_bytes()).collect();
    let curve = Arc::clone(&codes.curve);
    let image = render(&recipe(codes), &bytes);
    for (i, pixel) in stored.as_chunks::<3>().0.iter().enumerate() {
        let linear = pixel.map(|code| f64::from(curve[usize::from(code).min(1023)]));
        for (plane, row) in image.planes.iter().zip(MATRIX) {
            let expected: f64 = row.iter().zip(linear).map(|(m, v)| m * v).sum();
            let got = f16::from_bits(plane[i]).to_f64();
            let allowed = expected.abs().max(6.2e-5) * 2.0_f64.powi(-11) * 1.001 + 3e-6;
            assert!((got - expected).abs() <= allowed, "pixel {i}: {got} is not {expected}");
        }
    }
}

/// The resample of a picture is that of `resample::picture`, on its own planes.
#[test]
fn a_picture_is_resampled_as_any_other() {
    let layout = layout(48, 37, RgbSamples::F32);
    let mut recipe = with_framing(recipe(layout.clone()), [0.61, 0.43], [1.3, -2.0]);
    recipe.framing.content = [0, 0, recipe.framing.size[0], recipe.framing.size[1]];
    let values = super::noise(layout.bytes() / 4, 3, -0.1, 2.0);
    let bytes: Vec<u8> = values.iter().flat_map(|v| v.to_le_bytes()).collect();
    let image = render(&recipe, &bytes);
    let planes = [0, 1, 2].map(|p| values.iter().skip(p).step_by(3).copied().collect());
    let source = [layout.width, layout.height];
    let whole = Picture { width: source[0] as usize, height: source[1] as usize, planes };
    let crop = [layout.crop.x, layout.crop.y];
    let taps = [0, 1].map(|a| {
        let scale = recipe.framing.scale[a];
        let offset = recipe.framing.offset[a] - scale * f64::from(crop[a]);
        Taps::new(Filter::Lanczos3, scale, offset, 0..recipe.framing.size[a], source[a])
    });
    let expected = whole.resampled(Level::new(), &taps, false);
    for (got, expected) in image.planes.iter().zip(&expected.planes) {
        let expected: Vec<u16> =
            expected.iter().map(|v| crate::ops::to_half::cpu::half_bits(*v)).collect();
        assert_eq!(got, &expected);
    }
}

/// A mosaic of floats is the mosaic of whole numbers whose levels were applied.
#[test]
fn floats_are_samples_whose_levels_are_applied() {
    let mut whole = recipes::layout(30, 21, Packing::U16Le, Bayer::Gbrg);
    whole.levels = Levels::flat(0.0, 65_536.0);
    let mut floats = recipes::layout(30, 21, Packing::F32Le, Bayer::Gbrg);
    floats.levels = Levels::flat(0.0, 1.0);
    let bytes = recipes::frame(&Layout::Mosaic(Arc::new(whole.clone())), 5);
    let mut singles = vec![0; floats.row_bytes * floats.height as usize];
    for (row, single) in
        bytes.chunks(whole.row_bytes).zip(singles.chunks_exact_mut(floats.row_bytes))
    {
        for (b, s) in row.as_chunks::<2>().0.iter().zip(single.as_chunks_mut::<4>().0) {
            *s = (f32::from(u16::from_le_bytes(*b)) / 65_536.0).to_le_bytes();
        }
    }
    assert!(render(&identity(whole), &bytes) == render(&identity(floats), &singles));
}
