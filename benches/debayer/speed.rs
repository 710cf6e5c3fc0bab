//! How fast each debayer is on one core, on a mosaic of a camera's size.

use crate::contestants::Peers;
use crate::protocol::Noise;
use crate::rtprocess;
use crate::support::{Result, json_of, median, thread_seconds};
use platefarm_model::raw::Bayer;
use platefarm_shaders::debayer::{FORMS, Form, Mosaic};
use platefarm_shaders::ops::resample::picture::{Picture, instruction_sets};
use std::hint::black_box;

/// Columns and rows of the mosaic.
const SIZE: [usize; 2] = [4448, 3096];
/// CPU seconds of ours that are counted at once, at least.
const LEAST: f64 = 0.5;

/// The peers' ways, and by how much less a mosaic they get: those in NumPy
/// hold dozens of planes at once.
const PEERS: &[(&str, &str, usize)] = &[
    ("opencv-bilinear", "OpenCV bilinear, 16 bits", 1),
    ("opencv-ea", "OpenCV edge-aware, 16 bits", 1),
    ("opencv-vng", "OpenCV VNG, 8 bits", 1),
    ("libraw-linear", "LibRaw LINEAR, whole `postprocess`", 1),
    ("libraw-ppg", "LibRaw PPG, whole `postprocess`", 1),
    ("libraw-ahd", "LibRaw AHD, whole `postprocess`", 1),
    ("libraw-dcb", "LibRaw DCB, whole `postprocess`", 1),
    ("colour-malvar", "colour-demosaicing Malvar 2004", 16),
    ("colour-menon", "colour-demosaicing Menon 2007", 16),
];

/// Ours beside the one of librtprocess that is of its kind.
const RIVALS: &[(&str, &str)] =
    &[("platefarm ri, ", "librtprocess AMaZE"), ("platefarm rcd, ", "librtprocess RCD")];

/// Prints the table.
pub(crate) fn speed(peers: Peers<'_>, only: &str, rounds: usize) -> Result<()> {
    let [width, height] = SIZE;
    let pixels = (width * height) as f64;
    println!("\nOne core, {width}x{height}, median of {rounds} rounds\n");
    println!("| | ms of CPU | Mpix/s |\n|---|---|---|");
    let mut rates: Vec<(String, f64)> = Vec::new();
    let mut row = |name: &str, seconds: f64, pixels: f64| {
        println!("| {name} | {:.1} | {:.1} |", seconds * 1e3, pixels / seconds / 1e6);
        rates.push((name.to_owned(), pixels / seconds));
    };
    let mosaic = textured();
    for form in FORMS.iter().filter(|form| format!("platefarm {}", form.name).contains(only)) {
        for (name, level) in instruction_sets() {
            let seconds: Result<Vec<f64>> =
                (0..rounds).map(|_| seconds(form, level, &mosaic)).collect();
            row(&format!("platefarm {}, {name}", form.name), median(seconds?), pixels);
        }
    }
    let libraries = rtprocess::WAYS.iter().map(|(way, name)| (*way, *name, 1));
    for (way, name, less) in PEERS.iter().copied().chain(libraries) {
        let Some(mut command) = peers.command(way, name).filter(|_| name.contains(only)) else {
            continue;
        };
        let side = less.isqrt();
        command.args(["--time", &(width / side).to_string(), &(height / side).to_string()]);
        let said = json_of(command.args(["--runs", &rounds.to_string()]))?;
        let seconds = said["seconds"].as_f64().ok_or("a peer gave no seconds")?;
        row(name, seconds, pixels / less as f64);
    }
    let rate = |name: &str| rates.iter().find(|(n, _)| n.starts_with(name)).map(|(_, rate)| *rate);
    for (ours, theirs) in RIVALS {
        if let (Some(our), Some(their)) = (rate(ours), rate(theirs)) {
            println!("\n{ours}over {theirs}: {:.2}", our / their);
        }
    }
    Ok(())
}

/// CPU seconds of one run of this thread's.
fn seconds(form: &Form, level: fearless_simd::Level, mosaic: &Mosaic) -> Result<f64> {
    let mut picture = Picture { width: 0, height: 0, planes: Default::default() };
    (form.run)(level, mosaic, &mut picture);
    let begun = thread_seconds()?;
    let mut runs = 0.0;
    loop {
        (form.run)(level, black_box(mosaic), &mut picture);
        black_box(&picture);
        runs += 1.0;
        let spent = thread_seconds()? - begun;
        if spent > LEAST {
            return Ok(spent / runs);
        }
    }
}

/// A mosaic with edges of all directions and noise, so that no branch is foreseen.
fn textured() -> Mosaic {
    let [width, height] = SIZE;
    let mut noise = Noise(3);
    let site = |i: usize| {
        let (x, y) = ((i % width) as f32, (i / width) as f32);
        let waves = (x * y / 5e4).sin() * (x / 7.0).cos();
        0.45 + 0.35 * waves + 0.1 * noise.uniform()
    };
    Mosaic { width, height, bayer: Bayer::Rggb, sites: (0..width * height).map(site).collect() }
}
