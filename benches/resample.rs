//! The resample beside what people run today: 3840x2160 to 2048x1152, RGB
//! floats, lanczos3, one core each.
//!
//! `cargo xtask bench resample [--rounds N]`. Ours and the peers take turns in
//! the same run, on the same picture; figures are CPU seconds, medians over
//! the rounds. Every result is compared with the definition in double
//! precision, away from the edges, which the peers treat in ways of their own.

#[expect(dead_code, reason = "some of it is for the other benches")]
mod support;

use platefarm_model::recipe::Filter;
use platefarm_shaders::ops::resample::kernel;
use platefarm_shaders::ops::resample::picture::{Picture, instruction_sets};
use std::hint::black_box;
use std::path::Path;
use std::process::ExitCode;
use support::{
    PEER_PACKAGES, Result, argument, cpu_seconds, json_of, machine, median, python, scratch, script,
};

const FILTER: Filter = Filter::Lanczos3;
const SOURCE: [usize; 2] = [3840, 2160];
const SIZE: [usize; 2] = [2048, 1152];
/// Delivered pixels at each edge that are not compared; more than the filter reaches.
const EDGE: usize = 4;
/// Runs of ours that are counted at once, since Linux counts CPU time in hundredths.
const RUNS: u32 = 25;

const PEERS: &[(&str, &str, f64)] = &[("oiio", "OpenImageIO", 10.0), ("pillow", "Pillow", 3.0)];

/// One contestant.
struct Entry {
    name: String,
    milliseconds: Vec<f64>,
    /// Largest difference from the definition, as part of the peak.
    error: f64,
    /// How many times as fast ours is to be.
    goal: Option<f64>,
}

fn main() -> ExitCode {
    match bench() {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            eprintln!("bench resample: {message}");
            ExitCode::FAILURE
        }
    }
}

fn bench() -> Result<()> {
    let rounds = argument("--rounds", 5)?.max(1);
    let dir = scratch("resample")?;
    let source = source();
    let file = dir.join("source.f32");
    let bytes: Vec<u8> = source.planes.iter().flatten().flat_map(|v| v.to_le_bytes()).collect();
    std::fs::write(&file, bytes).map_err(|e| format!("cannot write {}: {e}", file.display()))?;
    eprintln!("the definition, in double precision");
    let definition = defined(&source);
    let python = python("bench-venv", PEER_PACKAGES);
    let mut entries: Vec<Entry> = Vec::new();
    for round in 0..rounds {
        eprintln!("round {} of {rounds}", round + 1);
        let mut at = 0;
        let mut keep = |name: String, goal, milliseconds, result: &Picture| {
            if entries.len() == at {
                let error = error(result, &definition);
                entries.push(Entry { name, milliseconds: Vec::new(), error, goal });
            }
            entries[at].milliseconds.push(milliseconds);
            at += 1;
        };
        for (name, level) in instruction_sets() {
            let mut result = source.resized(level, FILTER, SIZE);
            let begun = cpu_seconds()?;
            for _ in 0..RUNS {
                result = black_box(black_box(&source).resized(level, FILTER, SIZE));
            }
            let milliseconds = (cpu_seconds()? - begun) * 1e3 / f64::from(RUNS);
            keep(format!("platefarm, {name}"), None, milliseconds, &result);
        }
        for (way, name, goal) in PEERS {
            let Ok(python) = &python else { break };
            let (milliseconds, version, result) = peer(python, way, &file)?;
            keep(format!("{name} {version}"), Some(*goal), milliseconds, &result);
        }
    }
    print_table(&entries, rounds);
    if let Err(message) = &python {
        println!("\nThe peers were not measured: {message}");
    }
    Ok(())
}

/// A scene: a bright gradient, fine texture, and a few highlights, the same every time.
fn source() -> Picture {
    let [width, height] = SOURCE;
    let mut state = 1_u32;
    let mut noise = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 8) as f32 / (1 << 24) as f32
    };
    let planes = [0.9, 1.0, 0.7].map(|gain| {
        let value = |i: usize| {
            let (x, y) = ((i % width) as f32 / width as f32, (i / width) as f32 / height as f32);
            let light = if noise() > 0.999 { 14.0 } else { 0.0 };
            gain * (0.02 + 0.8 * x * y + 0.3 * noise() * x + light)
        };
        (0..width * height).map(value).collect()
    });
    Picture { width, height, planes }
}

/// The filter as it is defined, in double precision, pixel by pixel and axis by axis.
fn defined(source: &Picture) -> [Vec<f64>; 3] {
    let weights = |axis: usize| -> Vec<(usize, Vec<f64>)> {
        let scale = SIZE[axis] as f64 / SOURCE[axis] as f64;
        let reach = kernel::reach(FILTER, scale);
        let line = |i: usize| {
            let center = (i as f64 + 0.5) / scale;
            let first = (center - reach - 0.5).ceil().max(0.0) as usize;
            let last = ((center + reach - 0.5).floor() as usize).min(SOURCE[axis] - 1);
            let weight = |k: usize| kernel::weight_under(FILTER, scale, k as f64 + 0.5 - center);
            let weights: Vec<f64> = (first..=last).map(weight).collect();
            let sum: f64 = weights.iter().sum();
            (first, weights.iter().map(|w| w / sum).collect())
        };
        (0..SIZE[axis]).map(line).collect()
    };
    let [columns, rows] = [weights(0), weights(1)];
    source.planes.each_ref().map(|plane| {
        let mut result = Vec::with_capacity(SIZE[0] * SIZE[1]);
        for (first, weights) in &rows {
            let mut row = vec![0.0; SOURCE[0]];
            for (weight, values) in weights.iter().zip(plane.chunks(SOURCE[0]).skip(*first)) {
                row.iter_mut().zip(values).for_each(|(sum, v)| *sum += weight * f64::from(*v));
            }
            result.extend(columns.iter().map(|(first, weights)| {
                weights.iter().zip(&row[*first..]).map(|(weight, v)| weight * v).sum::<f64>()
            }));
        }
        result
    })
}

fn error(result: &Picture, definition: &[Vec<f64>; 3]) -> f64 {
    let peak = definition.iter().flatten().fold(0.0_f64, |peak, v| peak.max(v.abs()));
    let inside = |i: usize, side: usize| (EDGE..side - EDGE).contains(&i);
    let mut worst = 0.0_f64;
    for (got, expected) in result.planes.iter().zip(definition) {
        for (i, (got, expected)) in got.iter().zip(expected).enumerate() {
            if inside(i % SIZE[0], SIZE[0]) && inside(i / SIZE[0], SIZE[1]) {
                worst = worst.max((f64::from(*got) - expected).abs());
            }
        }
    }
    worst / peak
}

/// A peer's milliseconds, its version, and its picture.
fn peer(python: &Path, way: &str, file: &Path) -> Result<(f64, String, Picture)> {
    let out = file.with_extension(way);
    let side = |side: &usize| side.to_string();
    let said = json_of(
        script(python, "resize.py")
            .args([file, out.as_path()])
            .args(["--way", way, "--from"])
            .args(SOURCE.each_ref().map(side))
            .arg("--to")
            .args(SIZE.each_ref().map(side)),
    )?;
    let seconds = said["seconds"].as_f64().ok_or("resize.py gave no seconds")?;
    let version = said["version"].as_str().unwrap_or_default().to_owned();
    let bytes = std::fs::read(&out).map_err(|e| format!("cannot read {}: {e}", out.display()))?;
    let floats: Vec<f32> = bytes.as_chunks().0.iter().map(|b| f32::from_le_bytes(*b)).collect();
    let plane = SIZE[0] * SIZE[1];
    if floats.len() != 3 * plane {
        return Err(format!("{way} made a picture of {} values", floats.len()));
    }
    let planes = std::array::from_fn(|p| floats[p * plane..(p + 1) * plane].to_vec());
    Ok((seconds * 1e3, version, Picture { width: SIZE[0], height: SIZE[1], planes }))
}

fn print_table(entries: &[Entry], rounds: usize) {
    println!(
        "{SOURCE:?} to {SIZE:?}, RGB floats, lanczos3, one core, {rounds} rounds, on {}\n",
        machine()
    );
    println!("| | ms of CPU | of the best of ours | goal | largest error / peak |");
    println!("|---|---|---|---|---|");
    let best = entries.first().map_or(0.0, |e| median(e.milliseconds.iter().copied()));
    for entry in entries {
        let milliseconds = median(entry.milliseconds.iter().copied());
        let goal = entry.goal.map(|goal| format!("{goal}x")).unwrap_or_default();
        println!(
            "| {} | {milliseconds:.1} | {:.1}x | {goal} | {:.1e} |",
            entry.name,
            milliseconds / best,
            entry.error
        );
    }
}
