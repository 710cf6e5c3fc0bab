//! Tests of the passes: what they are, their buffers, and how a frame is cut.

use super::*;
use crate::PlateRecipe;
use crate::twin::recipes::{identity, layout};
use platefarm_model::color;
use platefarm_model::raw::{Bayer, Layout, Levels, Packing, Rect, RgbLayout, RgbSamples};
use platefarm_model::recipe::Framing;
use std::sync::Arc;

fn framed(scale: [f64; 2], offset: [f64; 2], size: [u32; 2]) -> PlateRecipe {
    let mut recipe = identity(layout(64, 48, Packing::Msb12, Bayer::Rggb));
    let [width, height] = recipe.framing.source_size;
    recipe.framing = Framing {
        source_size: [width, height],
        size,
        scale,
        offset,
        content: [0, 0, size[0], size[1]],
        pixel_aspect: 1.0,
        filter: None,
        antiring: false,
    };
    recipe
}

#[test]
fn a_pass_ends_only_where_a_halo_begins() {
    let plan = Plan::new(&framed([0.5, 0.5], [0.0; 2], [32, 24])).unwrap();
    let names = |plan: &Plan| of(plan).iter().map(|pass| pass.name).collect::<Vec<_>>();
    assert_eq!(names(&plan), ["mosaic", "mhc color", "down", "along"]);
    // De-squeeze only: rows stay, so there is nothing to do downwards.
    let plan = Plan::new(&framed([2.0, 1.0], [0.0; 2], [128, 48])).unwrap();
    assert_eq!(names(&plan), ["mosaic", "mhc color", "along"]);
    let names: Vec<&str> = of(&plan).iter().flat_map(|pass| pass.ops).copied().collect();
    assert_eq!(
        names,
        [
            "unpack",
            "finite",
            "levels",
            "white_balance",
            "debayer_mhc",
            "matrix",
            "resample",
            "to_half"
        ]
    );
}

#[test]
fn bands_cover_all_lines_once_and_fit() {
    let plan = Plan::new(&framed([0.6, 0.7], [1.25, -3.5], [40, 30])).unwrap();
    let whole = largest(&plan, &plan.band(0..30));
    for limit in [whole, whole - 1, whole / 2, whole / 3, whole / 2 - 7] {
        let bands = bands_within(&plan, limit).unwrap();
        assert_eq!(bands.len() == 1, limit == whole);
        let mut next = 0;
        let mut fresh = bands[0].input_rows.start;
        for band in &bands {
            assert_eq!(band.lines.start, next);
            assert_eq!(band.fresh_rows, fresh..band.input_rows.end);
            fresh = band.input_rows.end;
            next = band.lines.end;
            assert!(largest(&plan, band) <= limit);
            // Everything that a line looks at is in its band.
            let reads = plan.taps[1].reads(band.lines.clone());
            assert!(band.rows.start <= reads.start && reads.end <= band.rows.end);
        }
        assert_eq!(next, 30);
    }
    assert_eq!(bands_within(&plan, 100).unwrap_err().code, Code::GpuFailed);
    let threads = plan.bands_for_threads(4, 1);
    assert_eq!(threads.iter().map(|b| b.lines.len()).sum::<usize>(), 30);
    assert_eq!(threads.len(), 4);
}

/// A 12K frame, whole: with what every WebGPU device binds, and with the most we ask for.
#[test]
fn a_12k_frame_fits_any_device() {
    let mut big = layout(12_288, 8192, Packing::Msb12, Bayer::Grbg);
    big.levels = Levels::flat(256.0, 4095.0);
    let picture = RgbLayout {
        width: 12_288,
        height: 8192,
        samples: RgbSamples::F32,
        crop: Rect::of_size(12_288, 8192),
        curve: Arc::from([]),
        to_aces: color::IDENTITY,
    };
    let mosaic = identity(big);
    let rgb = PlateRecipe { layout: Layout::Rgb(Arc::new(picture)), ..mosaic.clone() };
    for recipe in [mosaic, rgb] {
        let plan = Plan::new(&recipe).unwrap();
        let mut made = Vec::new();
        for limit in [128 << 20, 1 << 30] {
            let bands = bands_within(&plan, limit).unwrap();
            assert_eq!(bands.iter().map(|b| b.lines.len()).sum::<usize>(), 8192);
            for band in &bands {
                let bytes = largest(&plan, band);
                assert!(bytes <= limit, "{bytes}");
                // Shaders count in 32 bits.
                assert!(bytes / 4 < u64::from(u32::MAX));
            }
            made.push(bands.len());
        }
        // A float a colour is 1.2 GB: ten bands in 128 MiB, two in a gigabyte.
        assert_eq!(made, [10, 2]);
    }
}
