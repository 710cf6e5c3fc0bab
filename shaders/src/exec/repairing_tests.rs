//! Tests of the repairs in whole recipes: spots go, lights turn white, and the rest stays.

use crate::exec::cpu::CpuExecutor;
use crate::twin::recipes::{identity, layout};
use crate::{Executor, HalfImage, PlateRecipe};
use half::f16;
use platefarm_model::color;
use platefarm_model::raw::{Bayer, Layout, Levels, Packing};
use platefarm_model::recipe::Debayer;
use platefarm_model::repair::{Highlights, Repairs};

const SIDE: usize = 60;
const GAINS: [f32; 3] = [2.0, 1.0, 1.5];

/// A recipe of floats whose plate is in camera colours, and a frame of what the sensor sees.
fn of(
    debayer: Debayer,
    repairs: Repairs,
    sensor: impl Fn(usize, usize, usize) -> f32,
) -> HalfImage {
    let mut layout = layout(SIDE as u32, SIDE as u32, Packing::F32Le, Bayer::Gbrg);
    layout.levels = Levels::flat(0.0, 1.0);
    layout.camera_to_aces = color::IDENTITY;
    layout.white_balance = GAINS;
    let mut bytes = vec![0; layout.row_bytes * layout.height as usize];
    for y in 0..layout.active.height as usize {
        for x in 0..layout.active.width as usize {
            let color = layout.bayer.color(y as u32, x as u32) as usize;
            let at = (y + layout.active.y as usize) * layout.row_bytes
                + 4 * (x + layout.active.x as usize);
            bytes[at..at + 4].copy_from_slice(&sensor(x, y, color).to_le_bytes());
        }
    }
    let recipe = PlateRecipe { debayer, repairs, ..identity(layout) };
    assert!(matches!(recipe.layout, Layout::Mosaic(_)));
    CpuExecutor::new().prepare(&recipe).and_then(|mut ready| ready.run(&bytes)).unwrap()
}

fn value(image: &HalfImage, plane: usize, [x, y]: [usize; 2]) -> f32 {
    f16::from_bits(image.planes[plane][y * SIDE + x]).to_f32()
}

#[test]
fn spots_are_gone_before_the_debayer_sees_them() {
    let clean = |_: usize, _: usize, color: usize| 0.3 / GAINS[color];
    // At the edges, in the corners, and in the middle; of every colour.
    let spots = [[0, 0], [66, 65], [0, 31], [30, 31], [41, 20], [23, 48], [66, 12]];
    let spotted = |x: usize, y: usize, color: usize| match spots.iter().position(|s| *s == [x, y]) {
        Some(i) if i % 2 == 0 => 1.0,
        Some(_) => 0.0,
        None => clean(x, y, color),
    };
    let mends = Repairs { hot_pixels: true, ..Repairs::default() };
    for debayer in Debayer::ALL.iter().copied() {
        let expected = of(debayer, Repairs::default(), clean);
        assert_eq!(of(debayer, mends, clean), expected, "{debayer:?}");
        assert_eq!(of(debayer, mends, spotted), expected, "{debayer:?}");
        assert_ne!(of(debayer, Repairs::default(), spotted), expected, "{debayer:?}");
    }
}

/// A round white light on grey, far beyond what the sensor holds.
fn lamp(x: usize, y: usize, color: usize) -> f32 {
    let cover = (14.0 - (x as f32 - 33.0).hypot(y as f32 - 30.0)).clamp(0.0, 1.0);
    ((0.2 + 6.0 * cover) / GAINS[color]).min(1.0)
}

#[test]
fn clipped_lights_are_pink_clipped_or_white() {
    let with =
        |debayer, highlights| of(debayer, Repairs { highlights, ..Repairs::default() }, lamp);
    // The crop begins four columns and three rows within the active area.
    let (middle, grey) = ([29, 27], [52, 50]);
    let rgb = |image: &HalfImage, at| [0, 1, 2].map(|p: usize| value(image, p, at));
    for debayer in Debayer::ALL.iter().copied() {
        let [off, clip, rebuild] =
            [Highlights::Off, Highlights::Clip, Highlights::Rebuild].map(|h| with(debayer, h));
        let near = |a: [f32; 3], b: [f32; 3]| a.iter().zip(b).all(|(a, b)| (a - b).abs() < 2e-3);
        assert!(near(rgb(&off, middle), GAINS), "{debayer:?}: {:?}", rgb(&off, middle));
        assert!(near(rgb(&clip, middle), [1.0; 3]), "{debayer:?}: {:?}", rgb(&clip, middle));
        assert!(near(rgb(&rebuild, middle), [2.0; 3]), "{debayer:?}: {:?}", rgb(&rebuild, middle));
        for image in [&off, &clip, &rebuild] {
            assert!(near(rgb(image, grey), [0.2; 3]), "{debayer:?}: {:?}", rgb(image, grey));
        }
    }
}

/// Lights and shadows of single photosites, without a pattern.
fn sparks(x: usize, y: usize, color: usize) -> f32 {
    let mixed = (x as u32).wrapping_mul(0x9e37_79b1) ^ (y as u32).wrapping_mul(0x85eb_ca77);
    let mixed = (mixed ^ (mixed >> 15)).wrapping_mul(0x2c1b_3c6d);
    if (mixed ^ (mixed >> 12)) >> 31 == 0 { 0.02 / GAINS[color] } else { 1.0 }
}

/// Debayers guess beyond what is there, which ends at the height of what clips. Half a picture is no
/// matter here: a filter enlarges it, and rings.
#[test]
fn no_pixel_is_above_the_height_of_clipped_lights() {
    let repairs = Repairs { highlights: Highlights::Clip, ..Repairs::default() };
    for debayer in [Debayer::Ri, Debayer::Rcd, Debayer::Mhc] {
        let image = of(debayer, repairs, sparks);
        let values = image.planes.iter().flatten().map(|bits| f16::from_bits(*bits).to_f32());
        assert_eq!(values.fold(0.0, f32::max), 1.0, "{debayer:?}");
    }
}

#[test]
fn without_anything_to_mend_nothing_changes() {
    let scene = |x: usize, y: usize, color: usize| {
        (0.2 + 0.15 * (x as f32 * 0.2).sin() * (y as f32 * 0.15).cos()) / GAINS[color]
    };
    for debayer in Debayer::ALL.iter().copied() {
        let expected = of(debayer, Repairs::default(), scene);
        for highlights in Highlights::ALL.iter().copied() {
            for hot_pixels in [false, true] {
                let repairs = Repairs { hot_pixels, highlights };
                assert_eq!(of(debayer, repairs, scene), expected, "{debayer:?} {repairs:?}");
            }
        }
    }
}
