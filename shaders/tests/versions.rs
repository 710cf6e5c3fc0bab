//! A plate's header says which version of a debayer made it, and of what becomes
//! of lights that clip, so the pixels of a version are the same for ever and
//! everywhere: on every instruction set, on x86-64 and on aarch64. Whoever changes
//! them, were it by a bit, gives it the next number; what stands here says so to him.

use platefarm_model::color;
use platefarm_model::raw::{Bayer, Layout, Levels, MosaicLayout, Packing, Rect};
use platefarm_model::recipe::{Backend, Debayer, Framing};
use platefarm_model::repair::{Highlights, Repairs};
use platefarm_shaders::debayer::{Mosaic, form};
use platefarm_shaders::ops::resample::picture::{Picture, instruction_sets};
use platefarm_shaders::{PlateColor, PlateRecipe, executor};
use std::sync::Arc;

/// Name, version, and a digest of the picture that it makes of [`mosaic`].
const KNOWN: &[(&str, u32, u64)] = &[
    ("ri", 2, 0x3ebe_a5ec_78ed_ff84),
    ("rcd", 1, 0xcc58_26f9_bf55_a0bc),
    ("mhc", 2, 0x2552_90fb_3548_b04b),
    ("superpixel", 1, 0x8204_c463_d191_1d7f),
];

/// What lights that clip become, as headers have it, and a digest of the halves of [`mosaic`]'s plate by
/// Malvar's debayer: derived from the rules by `tests/oracles/highlights.py`.
const HIGHLIGHTS: &[(&str, u64)] = &[
    ("off", 0x2079_6b05_12c2_6773),
    ("clip v2", 0x8611_5711_9652_01fa),
    ("rebuild v1", 0x8fe1_5537_9ff1_445d),
];

/// Sums of whole numbers over a power of two, which are the same on every machine: soft ramps
/// with noise, edges, and some that clip.
fn mosaic() -> Mosaic {
    let (width, height) = (150_usize, 94);
    let mut state = 1_u32;
    let site = |i: usize| {
        let (x, y) = (i % width, i / width);
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        let edge = if (x / 11 + y / 7) % 3 == 0 { 9_000 } else { 0 };
        let light = if x.abs_diff(110) + y.abs_diff(40) < 12 { 40_000 } else { 0 };
        let value = 90 * x + 120 * y + edge + light + (state >> 21) as usize;
        (value.min(32_768) as f32 - 64.0) / 32_704.0
    };
    Mosaic { width, height, bayer: Bayer::Grbg, sites: (0..width * height).map(site).collect() }
}

/// FNV-1a.
fn digest(bytes: impl Iterator<Item = u8>) -> u64 {
    bytes.fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    })
}

#[test]
fn pixels_change_with_the_version_only() {
    let mosaic = mosaic();
    for debayer in Debayer::ALL.iter().copied() {
        let form = form(debayer.name()).expect("every debayer has a form");
        for (set, level) in instruction_sets() {
            let mut picture = Picture { width: 0, height: 0, planes: Default::default() };
            (form.run)(level, &mosaic, &mut picture);
            let bits = picture.planes.iter().flatten().flat_map(|v| v.to_bits().to_le_bytes());
            let found = (debayer.name(), debayer.version(), digest(bits));
            assert!(
                KNOWN.contains(&found),
                "{set}: {found:#x?} is not known: if its pixels are meant to change, give it the \
                 next version"
            );
        }
    }
}

/// The plate of sensor data in camera colours, as it is.
fn plate_of(mosaic: &Mosaic, highlights: Highlights) -> PlateRecipe {
    let raster = Rect::of_size(mosaic.width as u32, mosaic.height as u32);
    let layout = MosaicLayout {
        width: raster.width,
        height: raster.height,
        packing: Packing::F32Le,
        row_bytes: 4 * mosaic.width,
        active: raster,
        crop: raster,
        bayer: mosaic.bayer,
        levels: Levels::flat(0.0, 1.0),
        white_balance: [2.0, 1.0, 1.5],
        camera_to_aces: color::IDENTITY,
    };
    PlateRecipe {
        layout: Layout::Mosaic(Arc::new(layout)),
        debayer: Debayer::Mhc,
        repairs: Repairs { highlights, ..Repairs::default() },
        framing: Framing::identity(raster.width, raster.height, 1.0),
        color: PlateColor::default(),
    }
}

#[test]
fn plates_change_with_the_label_of_highlights_only() {
    let mosaic = mosaic();
    let frame: Vec<u8> = mosaic.sites.iter().flat_map(|v| v.to_le_bytes()).collect();
    let cpu = executor(Backend::Cpu).unwrap();
    for highlights in Highlights::ALL.iter().copied() {
        let recipe = plate_of(&mosaic, highlights);
        let plate = cpu.prepare(&recipe).and_then(|mut ready| ready.run(&frame)).unwrap();
        let bits = plate.planes.iter().flatten().flat_map(|half| half.to_le_bytes());
        let (label, found) = (highlights.label(), digest(bits));
        assert!(
            HIGHLIGHTS.contains(&(label.as_str(), found)),
            "{label}: {found:#x} is not known: if its pixels are meant to change, give it the next \
             version"
        );
    }
}
