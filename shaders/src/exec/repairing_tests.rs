//! Tests of the repairs in whole recipes: spots go, lights turn white, and the rest stays.

use crate::exec::cpu::CpuExecutor;
use crate::exec::gpu::GpuExecutor;
use crate::twin::recipes::{identity, layout};
use crate::twin::{self, whole::Difference};
use crate::{Executor, HalfImage, PlateRecipe};
use half::f16;
use platefarm_model::color;
use platefarm_model::raw::{Bayer, Layout, Levels, Packing};
use platefarm_model::recipe::Debayer;
use platefarm_model::repair::{Highlights, Repairs};

const SIDE: usize = 60;
const GAINS: [f32; 3] = [2.0, 1.0, 1.5];

/// The plate of what the sensor sees, on the CPU.
fn of(
    debayer: Debayer,
    repairs: Repairs,
    sensor: impl Fn(usize, usize, usize) -> f32,
) -> HalfImage {
    on(&CpuExecutor::new(), debayer, repairs, sensor)
}

/// The plate of a recipe of floats, in camera colours, and of a frame of what the sensor sees.
fn on(
    executor: &dyn Executor,
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
    executor.prepare(&recipe).and_then(|mut ready| ready.run(&bytes)).unwrap()
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

/// Lights and shadows of single photosites, without a pattern: lights as high as the sensor goes, or
/// all of one height behind white balance.
fn sparks(balanced: Option<f32>) -> impl Fn(usize, usize, usize) -> f32 {
    move |x, y, color| {
        let mixed = (x as u32).wrapping_mul(0x9e37_79b1) ^ (y as u32).wrapping_mul(0x85eb_ca77);
        let mixed = (mixed ^ (mixed >> 15)).wrapping_mul(0x2c1b_3c6d);
        let dark = (mixed ^ (mixed >> 12)) >> 31 == 0;
        if dark { 0.02 / GAINS[color] } else { balanced.map_or(1.0, |v| v / GAINS[color]) }
    }
}

/// Just below where any debayer takes a photosite for clipped: what exceeds the height of clipped
/// lights then is a debayer's guess.
const NEARLY: f32 = 0.93;
/// Debayers that guess beyond what is there. Half a picture does not; a filter enlarges it, and rings.
const GUESSING: [Debayer; 3] = [Debayer::Ri, Debayer::Rcd, Debayer::Mhc];

fn mending(highlights: Highlights) -> Repairs {
    Repairs { highlights, ..Repairs::default() }
}

#[test]
fn no_pixel_is_above_the_height_of_clipped_lights() {
    let most = |debayer, highlights, height| {
        let image = of(debayer, mending(highlights), sparks(height));
        let values = image.planes.iter().flatten().map(|bits| f16::from_bits(*bits).to_f32());
        values.fold(0.0, f32::max)
    };
    for debayer in GUESSING {
        assert_eq!(most(debayer, Highlights::Clip, None), 1.0, "{debayer:?}");
        let guessed = most(debayer, Highlights::Off, Some(NEARLY));
        assert!(guessed > 1.01, "{debayer:?} guesses {guessed} at most: nothing to bound");
        assert!(most(debayer, Highlights::Clip, Some(NEARLY)) <= 1.0, "{debayer:?}");
    }
}

#[test]
fn pixels_end_at_that_height_on_both_sides() {
    let Some((gpu, _turn)) = twin::gpu() else { return };
    let (cpu, gpu) = (CpuExecutor::new(), GpuExecutor::with(gpu, None));
    for debayer in Debayer::ALL.iter().copied() {
        for height in [None, Some(NEARLY)] {
            let clipped = on(&cpu, debayer, mending(Highlights::Clip), sparks(height));
            let device = |way| on(&gpu, debayer, mending(way), sparks(height));
            let same = Difference::of(&clipped, &device(Highlights::Clip));
            assert!(same.is_seamless(), "{debayer:?}, {height:?}: {same:?}");
            // The control: a device that bounds nothing, or, of the lower lights, no pixel.
            if height.is_none() || GUESSING.contains(&debayer) {
                let other = Difference::of(&clipped, &device(Highlights::Off));
                assert!(!other.is_seamless(), "{debayer:?}, {height:?} went by");
            }
        }
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
