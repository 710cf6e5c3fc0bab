//! What repairs of photosites do, to look at: clipped lights off, clipped and
//! rebuilt, and hot pixels left and replaced, each through a whole recipe.

use crate::crops::{Subject, write};
use crate::protocol::{GAINS, Noise, Pictures, mosaic_of};
use crate::scenes::{hair, lights};
use crate::support::Result;
use half::f16;
use platefarm_model::raw::{Bayer, Layout, Levels, MosaicLayout, Packing, Rect};
use platefarm_model::recipe::{Debayer, Framing};
use platefarm_model::repair::{Highlights, Repairs};
use platefarm_shaders::exec::cpu::CpuExecutor;
use platefarm_shaders::ops::resample::picture::Picture;
use platefarm_shaders::{Executor, PlateRecipe};
use std::path::Path;
use std::sync::Arc;

/// One photosite in so many is hot.
const SPOTS: usize = 400;

/// Writes both pictures into `dir`.
pub(crate) fn mended(dir: &Path) -> Result<()> {
    // Lights four times as bright as white, warm ones among them, on a sensor that clips all colours at one height.
    let scene = lights();
    let warm = |v: f32, gain: f32| 0.18 + (v - 0.18) * gain;
    let mut scene = scene.map(|v| v.min(4.0));
    for i in 0..scene.planes[0].len() {
        if i % scene.width > scene.width / 2 + 40 {
            scene.planes[1][i] = warm(scene.planes[1][i], 0.7);
            scene.planes[2][i] = warm(scene.planes[2][i], 0.35);
        }
    }
    let sensor = scene.scaled(GAINS.map(|gain| 1.0 / gain)).map(|v| v.min(1.0));
    let mut row = vec![scene.map(|v| 0.5 * v)];
    for highlights in Highlights::ALL.iter().copied() {
        let repairs = Repairs { highlights, ..Repairs::default() };
        row.push(plate(&sensor, repairs)?.map(|v| 0.5 * v));
    }
    save(dir, Subject { name: "highlights", picture: scene, at: [204, 92] }, &row)?;

    let scene = hair();
    let mut spotted = scene.scaled(GAINS.map(|gain| 1.0 / gain));
    let mut noise = Noise(11);
    for i in 0..spotted.planes[0].len() {
        if noise.uniform() * (SPOTS as f32) < 1.0 {
            let value = noise.uniform();
            let value = if value < 0.3 { 0.0 } else { value };
            spotted.planes.iter_mut().for_each(|plane| plane[i] = value);
        }
    }
    let mut row = vec![scene.clone()];
    for hot_pixels in [false, true] {
        row.push(plate(&spotted, Repairs { hot_pixels, ..Repairs::default() })?);
    }
    save(dir, Subject { name: "hot-pixels", picture: scene, at: [150, 96] }, &row)?;
    println!(
        "highlights.png: the scene, off, clip, rebuild; hot-pixels.png: the scene, off, replaced."
    );
    Ok(())
}

fn save(dir: &Path, subject: Subject, row: &[Picture]) -> Result<()> {
    let file = dir.join(format!("{}.png", subject.name));
    write(&file, row, subject.at).map_err(|e| format!("{}: {e}", file.display()))
}

/// What a recipe with the default debayer makes of a sensor's picture, in balanced camera colours.
fn plate(sensor: &Picture, repairs: Repairs) -> Result<Picture> {
    let mosaic = mosaic_of(sensor);
    let [width, height] = [mosaic.width as u32, mosaic.height as u32];
    let layout = MosaicLayout {
        width,
        height,
        packing: Packing::F32Le,
        row_bytes: Packing::F32Le.row_bytes(width),
        active: Rect::of_size(width, height),
        crop: Rect::of_size(width, height),
        bayer: Bayer::Rggb,
        levels: Levels::flat(0.0, 1.0),
        white_balance: GAINS,
        camera_to_aces: platefarm_model::color::IDENTITY,
    };
    let recipe = PlateRecipe {
        layout: Layout::Mosaic(Arc::new(layout)),
        debayer: Debayer::default(),
        repairs,
        framing: Framing::identity(width, height, 1.0),
        color: platefarm_shaders::PlateColor::default(),
    };
    let bytes: Vec<u8> = mosaic.sites.iter().flat_map(|v| v.to_le_bytes()).collect();
    let image = CpuExecutor::new()
        .prepare(&recipe)
        .and_then(|mut ready| ready.run(&bytes))
        .map_err(|fault| fault.to_string())?;
    let planes = image
        .planes
        .map(|plane| plane.into_iter().map(|bits| f16::from_bits(bits).to_f32()).collect());
    Ok(Picture { width: mosaic.width, height: mosaic.height, planes })
}
