//! The debayers on a device against their CPU forms, before anything is rounded
//! to halves: float for float.

use super::chain::Chain;
use super::device::Gpu;
use super::passes::Store;
use super::pipeline::{self, Pipeline, Shaded};
use super::ring::Slot;
use crate::debayer::{Mosaic, form};
use crate::exec::plan::Plan;
use crate::twin::{self, noise, recipes};
use crate::{PlateColor, PlateRecipe};
use platefarm_model::color;
use platefarm_model::raw::{Bayer, Layout, Levels, MosaicLayout, Packing, Rect};
use platefarm_model::recipe::{Debayer, Framing};
use platefarm_model::repair::Repairs;
use std::sync::Arc;

/// A debayer: its name, its halo, and for each of its steps a piece of its text with a wrong one.
struct Tried {
    debayer: Debayer,
    faults: &'static [(&'static str, &'static str)],
}

const TRIED: &[Tried] = &[
    Tried {
        debayer: Debayer::Mhc,
        faults: &[
            ("6.0 * c", "6.0001 * c"),
            ("1.5 * (far", "1.5001 * (far"),
            ("0.5 * far_rows", "0.5001 * far_rows"),
        ],
    },
    Tried {
        debayer: Debayer::Superpixel,
        faults: &[
            ("* 0.5", "* 0.5001"),
            ("* 0.25)", "* 0.2501)"),
            ("select(2, -1, site.x == 1)", "2"),
        ],
    },
    Tried {
        debayer: Debayer::Ri,
        faults: &[
            ("rounded(1.5 *", "rounded(1.5001 *"),
            ("rounded(sum.x) + 0.01f", "rounded(sum.x) + 0.0101f"),
            ("rounded(b * b) + 1.0e-4f", "rounded(b * b) + 1.1e-4f"),
            ("ri_five(row + 3u, p, vec2<i32>(1, 0))", "ri_five(row, p, vec2<i32>(1, 0))"),
            ("f * 10.0", "f * 10.1"),
            ("(trust * trust) * 0.3f", "(trust * trust) * 0.4f"),
            ("kept(RI_GUESS, p + d)", "kept(RI_GUESS, p - d)"),
            ("x = -2; x < 3", "x = -1; x < 2"),
            ("4.0 * site(p)", "3.9 * site(p)"),
            ("0.025f * 0.4f", "0.025f * 0.5f"),
            ("* 0.04f", "* 0.0401f"),
            ("rounded(b1 * b1) + 1.0e-4f", "rounded(b1 * b1) + 1.1e-4f"),
            ("ri_among(color, kept(RI_GREEN, p), colors, greens)", "color"),
            ("ri_among(color, site(p), colors, greens)", "color"),
            ("(high - low) * 0.5", "(high - low) * 0.6"),
            ("here + ri_least(apart)", "here"),
            ("rounded(s) + RI_TINY) * 0.5", "rounded(s) + RI_TINY) * 0.6"),
            ("kept(RI_SMOOTHED, p + k)) * 0.5", "kept(RI_SMOOTHED, p + k)) * 0.501"),
        ],
    },
    Tried {
        debayer: Debayer::Rcd,
        faults: &[
            ("site(p + 3 * k)", "site(p + k)"),
            ("RCD_CALM: f32 = 0.0234375f", "RCD_CALM: f32 = 0.0234f"),
            ("bend * 0.0625", "bend * 0.06"),
            ("RCD_LIMIT: f32 = 0.5f", "RCD_LIMIT: f32 = 0.4f"),
            ("rcd_way(second, green, p, ne)", "rcd_way(first, green, p, ne)"),
            ("rcd_way(second, green, p, left)", "rcd_way(first, green, p, left)"),
            ("(red + blue) * 0.5", "(red + blue) * 0.6"),
        ],
    },
];

/// A mosaic as a frame of floats whose plate is the debayer and nothing else.
fn plan_of(mosaic: &Mosaic, debayer: Debayer) -> (Plan, Vec<u8>) {
    let [width, height] = [mosaic.width as u32, mosaic.height as u32];
    let layout = MosaicLayout {
        width,
        height,
        packing: Packing::F32Le,
        row_bytes: 4 * mosaic.width,
        active: Rect::of_size(width, height),
        crop: Rect::of_size(width, height),
        bayer: mosaic.bayer,
        levels: Levels::flat(0.0, 1.0),
        white_balance: [1.0; 3],
        camera_to_aces: color::IDENTITY,
    };
    // Delivered as it is made, pixel for pixel.
    let block = if debayer == Debayer::Superpixel { 2 } else { 1 };
    let size = [width, height].map(|side| side.div_ceil(block));
    let framing = Framing {
        size,
        scale: [1.0 / f64::from(block); 2],
        content: [0, 0, size[0], size[1]],
        ..Framing::identity(width, height, 1.0)
    };
    let layout = Layout::Mosaic(Arc::new(layout));
    let recipe = PlateRecipe {
        layout,
        debayer,
        repairs: Repairs::default(),
        framing,
        color: PlateColor::default(),
    };
    let plan = Plan::new(&recipe).unwrap();
    (plan, mosaic.sites.iter().flat_map(|v| v.to_le_bytes()).collect())
}

/// Red, green and blue planes as the device makes them, band by band.
fn on_device(
    gpu: &Gpu,
    mosaic: &Mosaic,
    debayer: Debayer,
    limit: u64,
    compiled: impl Fn(&Gpu, &Shaded) -> platefarm_model::Outcome<Pipeline>,
) -> [Vec<f32>; 3] {
    let (plan, bytes) = plan_of(mosaic, debayer);
    let chain = Chain::of(gpu, plan, limit, compiled).unwrap();
    let mut planes = [(); 3].map(|()| Vec::new());
    for band in 0..chain.bands.len() {
        let size = chain.bytes(band, Store::Color);
        gpu.watched(|| {
            let mut slot = Slot::new(gpu, chain.bytes(band, Store::Raw), size);
            let filled = slot.fill(gpu, chain.stored(band, &bytes))?;
            let mut encoder = gpu.encoder();
            slot.record_up(&mut encoder, chain.buffers.get(Store::Raw), filled);
            chain.record(&mut encoder, band);
            let color = chain.buffers.get(Store::Color);
            slot.record_down(&mut encoder, color, &chain.buffers.beyond, size);
            let submission = gpu.queue.submit([encoder.finish()]);
            slot.ask(size);
            gpu.wait(submission)?;
            slot.fetch(gpu, size, |color, _| {
                let values: Vec<f32> = bytemuck::pod_collect_to_vec(color);
                for (plane, part) in planes.iter_mut().zip(values.chunks_exact(values.len() / 3)) {
                    plane.extend_from_slice(part);
                }
            })
        })
        .unwrap();
    }
    planes
}

/// Pictures that reach every branch, at odd sizes, some smaller than the halo.
fn mosaics() -> Vec<(String, Mosaic)> {
    let mut all = Vec::new();
    for bayer in recipes::PATTERNS {
        for (width, height) in [(2, 2), (7, 3), (65, 41), (40, 64)] {
            let mut add = |name: &str, sites: Vec<f32>| {
                let name = format!("{name} {bayer:?} {width}x{height}");
                all.push((name, Mosaic { width, height, bayer, sites }));
            };
            let count = width * height;
            add("noise", noise(count, 7, -0.02, 1.2));
            add("shadows", noise(count, 5, -0.001, 0.004));
            let smooth = (0..count).map(|i| {
                let (x, y) = ((i % width) as f32, (i / width) as f32);
                0.2 + 0.15 * ((0.31 * x).sin() * (0.23 * y).cos())
                    + if x + y > 50.0 { 0.4 } else { 0.0 }
            });
            add("smooth with an edge", smooth.collect());
            if width == 65 {
                add("flat", vec![0.18; count]);
                add("black", vec![0.0; count]);
                add("wide range", noise(count, 9, 0.0, 6e4));
            }
        }
    }
    all
}

fn unequal(a: &[Vec<f32>; 3], b: &[Vec<f32>; 3]) -> usize {
    let pairs = a.iter().flatten().zip(b.iter().flatten());
    pairs.filter(|(a, b)| a.to_bits() != b.to_bits() && **a != **b).count()
}

#[test]
fn debayers_agree_float_for_float() {
    let Some((gpu, _turn)) = twin::gpu() else { return };
    let mut found = Vec::new();
    for Tried { debayer, .. } in TRIED {
        let form = form(debayer.name()).unwrap();
        for (picture, mosaic) in mosaics() {
            let expected = form.picture(&mosaic).planes;
            let got = on_device(&gpu, &mosaic, *debayer, u64::MAX, pipeline::pipeline);
            let mut pairs = got.iter().flatten().zip(expected.iter().flatten()).enumerate();
            let unlike = |(a, b): (&f32, &f32)| a.to_bits() != b.to_bits() && *a != *b;
            if let Some(first) = pairs.find(|(_, pair)| unlike(*pair)) {
                let count = unequal(&got, &expected);
                found.push(format!("{debayer:?}, {picture}: {count}, first {first:?}"));
            }
        }
    }
    assert!(found.is_empty(), "{}", found.join("\n"));
}

#[test]
fn bands_of_a_debayer_cannot_be_seen() {
    let Some((gpu, _turn)) = twin::gpu() else { return };
    let sites = noise(70 * 90, 3, 0.0, 1.1);
    let mosaic = Mosaic { width: 70, height: 90, bayer: Bayer::Grbg, sites };
    for Tried { debayer, .. } in TRIED {
        let whole = on_device(&gpu, &mosaic, *debayer, u64::MAX, pipeline::pipeline);
        let (plan, _) = plan_of(&mosaic, *debayer);
        let one = super::passes::largest(&plan, &plan.band(40..41));
        for limit in [one + one / 8, 2 * one] {
            assert!(super::passes::bands_within(&plan, limit).unwrap().len() > 1);
            // Bands come one after the other, so their planes do, too.
            let banded = on_device(&gpu, &mosaic, *debayer, limit, pipeline::pipeline);
            assert_eq!(unequal(&whole, &banded), 0, "{debayer:?}");
        }
    }
}

/// The negative control: each step made a little wrong is noticed.
#[test]
fn a_step_made_wrong_is_noticed() {
    let Some((gpu, _turn)) = twin::gpu() else { return };
    let pictures: Vec<Mosaic> = mosaics()
        .into_iter()
        .filter(|(_, m)| (m.width, m.bayer) == (65, Bayer::Rggb))
        .map(|(_, m)| m)
        .collect();
    for Tried { debayer, faults } in TRIED {
        for (right, wrong) in *faults {
            let compile = |gpu: &Gpu, shaded: &Shaded| {
                let Shaded { name, entry, binds, source } = shaded;
                let source = source.replace(right, wrong);
                let shaded = Shaded { name, entry, binds: binds.clone(), source };
                gpu.watched(|| Ok(pipeline::compile(&gpu.device, &shaded)))
            };
            let noticed = pictures.iter().any(|mosaic| {
                let wrong = on_device(&gpu, mosaic, *debayer, u64::MAX, compile);
                let right = on_device(&gpu, mosaic, *debayer, u64::MAX, pipeline::pipeline);
                unequal(&wrong, &right) > 0
            });
            assert!(noticed, "{debayer:?}: '{wrong}' went by");
        }
    }
}
