//! Recipes and frames for tests: small, odd, and of every kind.

use super::{noise, noise_bytes, special_values};
use crate::{PlateColor, PlateRecipe};
use platefarm_model::raw::{Bayer, Layout, Levels, MosaicLayout, Packing, Rect, RgbSamples};
use platefarm_model::recipe::{Debayer, Filter, Framing};
use platefarm_model::repair::{Highlights, Repairs};
use std::sync::Arc;

pub(crate) const PACKINGS: [Packing; 11] = [
    Packing::U8,
    Packing::U16Le,
    Packing::U16Be,
    Packing::Msb10,
    Packing::Msb12,
    Packing::Msb14,
    Packing::Word10,
    Packing::Word12,
    Packing::Word14,
    Packing::Lsb12,
    Packing::Arri12,
];

pub(crate) const PATTERNS: [Bayer; 4] = [Bayer::Rggb, Bayer::Grbg, Bayer::Gbrg, Bayer::Bggr];

/// A layout whose delivered crop is `width` by `height`, with a margin inside
/// the active area and another outside, rows of an odd number of bytes, black
/// levels that differ everywhere, and a matrix with negative entries.
pub(crate) fn layout(width: u32, height: u32, packing: Packing, bayer: Bayer) -> MosaicLayout {
    let active = Rect { x: 5, y: 3, width: width + 7, height: height + 6 };
    let stored = [active.x + active.width + 2, active.y + active.height + 1];
    let top = (1_u64 << packing.bits()) as f32 - 1.0;
    MosaicLayout {
        width: stored[0],
        height: stored[1],
        packing,
        row_bytes: packing.row_bytes(stored[0]) + 3 * packing.word_bytes(),
        active,
        crop: Rect { x: 4, y: 3, width, height },
        bayer,
        levels: Levels {
            black: [0.06, 0.061, 0.062, 0.059].map(|b| b * top),
            white: [0.95, 0.96, 0.955, 0.94].map(|w| w * top),
            black_delta_h: (0..active.width).map(|x| (x % 5) as f32 * 1e-4 * top).collect(),
            black_delta_v: (0..active.height).map(|y| (y % 3) as f32 * -2e-4 * top).collect(),
            ..Levels::flat(0.0, 1.0)
        },
        white_balance: [2.1, 1.0, 1.63],
        camera_to_aces: [[0.68, 0.24, 0.08], [0.05, 1.11, -0.16], [0.01, -0.3, 1.29]],
    }
}

/// The mosaic of a recipe, to be changed.
pub(crate) fn mosaic(recipe: &mut PlateRecipe) -> &mut MosaicLayout {
    match &mut recipe.layout {
        Layout::Mosaic(layout) => Arc::make_mut(layout),
        Layout::Rgb(_) => panic!("not a mosaic"),
    }
}

/// The delivered crop as it is.
pub(crate) fn identity(layout: MosaicLayout) -> PlateRecipe {
    let framing = Framing::identity(layout.crop.width, layout.crop.height, 1.0);
    let layout = Layout::Mosaic(Arc::new(layout));
    PlateRecipe {
        layout,
        debayer: Debayer::Mhc,
        repairs: Repairs::default(),
        framing,
        color: PlateColor::default(),
    }
}

/// One affine map onto a raster with a margin around the picture.
pub(crate) fn framed(
    layout: MosaicLayout,
    filter: Filter,
    scale: [f64; 2],
    offset: [f64; 2],
) -> PlateRecipe {
    let source_size = [layout.crop.width, layout.crop.height];
    let picture = [0, 1].map(|a| (f64::from(source_size[a]) * scale[a]).ceil() as u32);
    let size = picture.map(|side| side + 3);
    let framing = Framing {
        source_size,
        size,
        scale,
        offset,
        content: [1, 2, size[0] - 1, size[1] - 1],
        pixel_aspect: 1.0,
        filter: Some(filter),
        antiring: false,
    };
    let layout = Layout::Mosaic(Arc::new(layout));
    PlateRecipe {
        layout,
        debayer: Debayer::Mhc,
        repairs: Repairs::default(),
        framing,
        color: PlateColor::default(),
    }
}

/// A frame for a layout: noise, which has edges everywhere and every sample
/// value; of floats, with a few that no plate can hold.
pub(crate) fn frame(layout: &Layout, seed: u64) -> Vec<u8> {
    let bytes = match layout {
        Layout::Mosaic(layout) => layout.row_bytes * layout.height as usize,
        Layout::Rgb(layout) => layout.bytes(),
    };
    match layout {
        Layout::Mosaic(layout) if layout.packing == Packing::F32Le => singles(bytes, seed),
        Layout::Rgb(layout) => match layout.samples {
            RgbSamples::U16 => noise_bytes(bytes, seed),
            RgbSamples::F16 => singles(2 * bytes, seed)
                .chunks_exact(4)
                .flat_map(|b| half::f16::from_f32(f32_of(b)).to_le_bytes())
                .collect(),
            RgbSamples::F32 => singles(bytes, seed),
        },
        Layout::Mosaic(_) => noise_bytes(bytes, seed),
    }
}

/// Floats around the usual range, and now and then one that is none.
fn singles(bytes: usize, seed: u64) -> Vec<u8> {
    let mut values = noise(bytes / 4, seed, -0.05, 1.3);
    for (v, odd) in values.iter_mut().skip(37).step_by(211).zip(special_values().iter().cycle()) {
        *v = *odd;
    }
    values.into_iter().flat_map(f32::to_le_bytes).collect()
}

fn f32_of(bytes: &[u8]) -> f32 {
    f32::from_le_bytes(*bytes.first_chunk().expect("four bytes"))
}

/// [`every_kind`], the debayers taking turns.
pub(crate) fn every_debayer() -> Vec<(String, PlateRecipe)> {
    let debayers = Debayer::ALL.iter().cycle().flat_map(|debayer| [debayer; 3]);
    every_kind()
        .into_iter()
        .zip(debayers)
        .map(|((name, recipe), debayer)| {
            (format!("{name}, {debayer:?}"), PlateRecipe { debayer: *debayer, ..recipe })
        })
        .collect()
}

/// [`mended`], every one by every debayer.
pub(crate) fn mended_by_every_debayer() -> Vec<(String, PlateRecipe)> {
    let by = |(name, recipe): &(String, PlateRecipe), debayer: Debayer| {
        (format!("{name}, {debayer:?}"), PlateRecipe { debayer, ..recipe.clone() })
    };
    let mended = mended();
    Debayer::ALL
        .iter()
        .flat_map(|debayer| mended.iter().map(move |one| by(one, *debayer)))
        .collect()
}

/// [`all`], and pictures and floats.
pub(crate) fn every_kind() -> Vec<(String, PlateRecipe)> {
    all().into_iter().chain(mended()).chain(super::pictures::all()).collect()
}

/// Recipes that mend photosites, with something to mend in every frame: a part of the codes is hot,
/// and another one clips.
pub(crate) fn mended() -> Vec<(String, PlateRecipe)> {
    let mut recipes = Vec::new();
    for (i, highlights) in Highlights::ALL.iter().copied().enumerate() {
        for (j, hot_pixels) in [false, true].into_iter().enumerate() {
            let bayer = PATTERNS[(i + 2 * j) % 4];
            let mut layout = layout(47 + i as u32, 39 + j as u32, Packing::U16Le, bayer);
            let code = |i: u32| match i % 64 {
                0 => 65_000,
                1..20 => 62_000 + i % 997,
                _ => 20_000 + i % 499,
            };
            layout.levels.linearization = (0..65_536).map(|i| code(i) as u16).collect();
            let mut shrunk = framed(layout.clone(), Filter::Lanczos3, [0.6, 0.8], [0.2, -1.0]);
            let mut copied = identity(layout);
            let name = format!("hot pixels {hot_pixels}, highlights {}", highlights.name());
            for (recipe, how) in [(&mut shrunk, "shrunk"), (&mut copied, "as it is")] {
                recipe.repairs = Repairs { hot_pixels, highlights };
                recipes.push((format!("{name}, {how}"), recipe.clone()));
            }
        }
    }
    recipes
}

/// Recipes of every packing, phase and kind of framing, at odd sizes.
pub(crate) fn all() -> Vec<(String, PlateRecipe)> {
    let mut recipes = Vec::new();
    for (i, packing) in PACKINGS.into_iter().enumerate() {
        for (j, bayer) in PATTERNS.into_iter().enumerate() {
            let layout = layout(21 + 8 * i as u32, 14 + 5 * j as u32, packing, bayer);
            let shrink = framed(layout.clone(), Filter::Lanczos3, [0.5, 0.47], [0.0, 0.3]);
            recipes.push((format!("{packing:?} {bayer:?} shrunk"), shrink));
            recipes.push((format!("{packing:?} {bayer:?} as it is"), identity(layout)));
        }
    }
    let base = layout(61, 47, Packing::Msb12, Bayer::Gbrg);
    let more = [
        ("enlarged", Filter::Mitchell, [1.7, 1.3], [-3.4, 0.2]),
        ("de-squeezed", Filter::CatmullRom, [2.0, 1.0], [0.0, 0.0]),
        ("turned down", Filter::Triangle, [1.0, 0.4], [0.0, -2.0]),
        ("cut far inside", Filter::Lanczos3, [0.8, 0.8], [-20.5, -15.5]),
        ("far outside", Filter::Lanczos3, [0.8, 0.8], [300.0, -500.0]),
        ("by whole pixels", Filter::Mitchell, [1.0, 1.0], [-4.0, 7.0]),
        ("by half a pixel", Filter::CatmullRom, [1.0, 1.0], [0.5, -0.5]),
        ("three times, centre on centre", Filter::Lanczos3, [3.0, 3.0], [0.0, 0.0]),
        ("tiny", Filter::Lanczos3, [0.03, 0.05], [0.0, 0.0]),
    ];
    for (name, filter, scale, offset) in more {
        recipes.push((name.into(), framed(base.clone(), filter, scale, offset)));
    }
    for (name, filter) in [
        ("a window", Filter::BlackmanHarris),
        ("a smooth step", Filter::Cubic),
        ("means of areas", Filter::Box),
    ] {
        let shrink = framed(base.clone(), filter, [0.62, 0.41], [0.4, -1.7]);
        recipes.push((format!("shrunk by {name}"), shrink));
        let enlarge = framed(base.clone(), filter, [1.9, 1.1], [-7.3, 2.0]);
        recipes.push((format!("enlarged by {name}"), enlarge));
    }
    for flips in [[true, false], [false, true], [true, true]] {
        let mut recipe = framed(base.clone(), Filter::Lanczos3, [0.7, 0.6], [0.4, 3.2]);
        recipe.framing = recipe.framing.flipped(flips);
        recipes.push((format!("mirrored {flips:?}"), recipe));
        let mut recipe = identity(base.clone());
        recipe.framing = recipe.framing.flipped(flips);
        recipes.push((format!("copied in a mirror {flips:?}"), recipe));
    }
    for (name, scale) in [("shrunk", [0.48, 0.55]), ("enlarged", [1.6, 2.1])] {
        let mut recipe = framed(base.clone(), Filter::Lanczos3, scale, [0.3, -2.0]);
        recipe.framing.antiring = true;
        recipes.push((format!("{name} without ringing"), recipe));
    }
    let mut table = base.clone();
    table.levels.linearization = (0..3000_u32).map(|i| (i * i / 2300) as u16).collect();
    recipes.push(("linearisation table".into(), identity(table)));
    let mut smallest = base.clone();
    smallest.active = Rect { x: 3, y: 1, width: 2, height: 2 };
    smallest.crop = Rect { x: 1, y: 0, width: 1, height: 1 };
    smallest.levels = Levels::flat(0.0, 4095.0);
    recipes.push(("one pixel".into(), identity(smallest)));
    let mut bright = base;
    bright.white_balance = [40.0, 1.0, 90.0];
    bright.levels.white = bright.levels.black.map(|b| b + 8.0);
    recipes.push(("beyond halves".into(), identity(bright)));
    recipes
}
