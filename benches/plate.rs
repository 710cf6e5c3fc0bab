//! The main job beside what people run today: a 4096x2304 12-bit CinemaDNG clip
//! becomes 2048x1152 half OpenEXR ZIP plates in ACES2065-1.
//!
//! `cargo xtask bench plate [--frames N] [--rounds N] [--peer-frames N] [--large WxH]`. Ours
//! and the scripts of `peers/plates.py` take turns in the same run, on the same
//! files and the same disk; figures are medians over the rounds. Ours flushes
//! every file to the disk before it gets its name, the scripts do not. Then come the stages,
//! each against its floor, and frames of 12K with the memory that they take.

#[path = "support/material.rs"]
mod material;
#[path = "plate/stages.rs"]
mod stages;
mod support;

use material::{SIZE, SOURCE, clip, render};
use platefarm_model::recipe::Debayer;
use platefarm_testclips::{ClipSpec, write_clip};
use platefarm_worker::render::{Flight, STAGES};
use serde_json::Value;
use std::collections::BTreeMap;
use std::path::Path;
use std::process::ExitCode;
use std::time::Instant;
use support::{
    PEER_PACKAGES, Result, argument, cpu_seconds, json_of, machine, median, option, peak_bytes,
    python, scratch, script,
};

const PEERS: &[(&str, &str)] = &[
    ("textbook", "rawpy AHD, OpenImageIO lanczos3"),
    ("tuned", "rawpy AHD, Pillow Lanczos, OpenEXR"),
    ("fastest", "OpenCV EA, Pillow Lanczos, OpenEXR"),
];

/// One run of one contestant.
struct Run {
    frames_per_second: f64,
    cpu_per_frame: f64,
    stages: BTreeMap<String, f64>,
    /// Channel means of the first plate over ours.
    means: Vec<f64>,
}

fn main() -> ExitCode {
    match bench() {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            eprintln!("bench plate: {message}");
            ExitCode::FAILURE
        }
    }
}

fn bench() -> Result<()> {
    let frames = argument("--frames", 24)?.max(1);
    let peer_frames = argument("--peer-frames", 8)?.clamp(1, frames);
    let rounds = argument("--rounds", 3)?.max(1);
    let clip = clip(frames)?;
    let out = scratch("plate-out")?;
    let python = python("bench-venv", PEER_PACKAGES);
    let mut results: Vec<(String, Vec<Run>)> = Vec::new();
    for round in 0..rounds {
        eprintln!("round {} of {rounds}", round + 1);
        for debayer in Debayer::ALL {
            let name = format!("platefarm {}, lanczos3", debayer.name());
            keep(&mut results, name, ours(&clip, &out.join("ours"), *debayer, frames)?);
        }
        for (way, name) in PEERS {
            let Ok(python) = &python else { break };
            let run = peer(python, &clip, &out, way, peer_frames)?;
            keep(&mut results, (*name).to_owned(), run);
        }
    }
    println!("{} frames of {SOURCE:?} to {SIZE:?}, {rounds} rounds, on {}\n", frames, machine());
    print_table(&results);
    stages::print(&clip, &out, 4 * rounds)?;
    large(&scratch("plate-large")?)?;
    if let Err(message) = &python {
        println!("\nThe peers were not measured: {message}");
    }
    Ok(())
}

/// Frames of 12K, as they are: how fast, and with how much memory.
fn large(dir: &Path) -> Result<()> {
    let (width, height) = match option("--large")? {
        None => (12_288, 8192),
        Some(size) => {
            let sides =
                size.split_once('x').and_then(|(w, h)| Some((w.parse().ok()?, h.parse().ok()?)));
            sides.ok_or("--large wants WxH")?
        }
    };
    let frames = 3;
    let spec = ClipSpec { width, height, frames: frames as u32, ..ClipSpec::default() };
    let clip = dir.join("clip");
    write_clip(&clip, &spec).map_err(|e| e.to_string())?;
    // Linux counts the peak anew from here on (proc_pid_clear_refs(5)).
    std::fs::write("/proc/self/clear_refs", "5").map_err(|e| format!("clear_refs: {e}"))?;
    let before = peak_bytes()?;
    let begun = Instant::now();
    let report = material::rendered(&material::spec(&clip, &dir.join("out"), frames))?;
    let seconds = begun.elapsed().as_secs_f64();
    let peak = peak_bytes()?;
    let pixels = f64::from(width) * f64::from(height);
    let flight = Flight::for_cores(std::thread::available_parallelism().map_or(1, usize::from));
    let a_frame = pixels * (1.5 + 6.0 + 6.0);
    println!(
        "\n{width}x{height}, 12 bits to half ZIP of the same size, {}: {:.2} frames/s, {:.0} Mpix/s; {:.2} GB at most, \
         {:.2} GB before; {} frames under way of {:.2} GB each would be {:.2} GB",
        report.debayer,
        frames as f64 / seconds,
        frames as f64 * pixels / seconds / 1e6,
        peak as f64 / 1e9,
        before as f64 / 1e9,
        flight.frames.min(frames),
        a_frame / 1e9,
        flight.frames.min(frames) as f64 * a_frame / 1e9,
    );
    std::fs::remove_dir_all(dir).map_err(|e| e.to_string())
}

fn keep(results: &mut Vec<(String, Vec<Run>)>, name: String, run: Run) {
    match results.iter_mut().find(|(known, _)| *known == name) {
        Some((_, runs)) => runs.push(run),
        None => results.push((name, vec![run])),
    }
}

fn ours(clip: &Path, out: &Path, debayer: Debayer, frames: usize) -> Result<Run> {
    let (begun, cpu) = (Instant::now(), cpu_seconds()?);
    let report = render(clip, out, debayer, frames)?;
    let (wall, cpu) = (begun.elapsed().as_secs_f64(), cpu_seconds()? - cpu);
    let stage =
        |name: &str| median(report.files.iter().filter_map(|file| file.millis.get(name)).copied());
    Ok(Run {
        frames_per_second: frames as f64 / wall,
        cpu_per_frame: cpu / frames as f64,
        stages: STAGES.iter().map(|name| ((*name).to_owned(), stage(name))).collect(),
        means: Vec::new(),
    })
}

fn peer(python: &Path, clip: &Path, out: &Path, way: &str, frames: usize) -> Result<Run> {
    let mut command = script(python, "plates.py");
    command.arg(clip).arg(out.join(way)).args(["--way", way]);
    command.args(["--frames", &frames.to_string()]);
    command.arg("--compare").arg(out.join("ours/plate.1001.exr"));
    let report = json_of(&mut command)?;
    let number = |value: &Value| value.as_f64().unwrap_or_default();
    let stages = report["stages"].as_object().into_iter().flatten();
    Ok(Run {
        frames_per_second: number(&report["frames_per_second"]),
        cpu_per_frame: number(&report["cpu_seconds_per_frame"]),
        stages: stages.map(|(name, ms)| (name.clone(), number(ms))).collect(),
        means: report["means_over_ours"].as_array().into_iter().flatten().map(number).collect(),
    })
}

fn print_table(results: &[(String, Vec<Run>)]) {
    let of = |runs: &[Run], what: fn(&Run) -> f64| median(runs.iter().map(what));
    let Some((_, first)) = results.first() else { return };
    let ours = (of(first, |r| r.frames_per_second), of(first, |r| r.cpu_per_frame));
    println!("| way | frames/s | CPU-s/frame | our frames/s over its | its CPU over ours |");
    println!("|---|---|---|---|---|");
    for (name, runs) in results {
        let (rate, cpu) = (of(runs, |r| r.frames_per_second), of(runs, |r| r.cpu_per_frame));
        println!("| {name} | {rate:.2} | {cpu:.3} | {:.1} | {:.1} |", ours.0 / rate, cpu / ours.1);
    }
    println!("\n| way | stage: median ms of a frame on its thread, share |\n|---|---|");
    for (name, runs) in results {
        let Some(known) = runs.first() else { continue };
        let stages: Vec<(&String, f64)> = known
            .stages
            .keys()
            .map(|stage| (stage, median(runs.iter().filter_map(|r| r.stages.get(stage)).copied())))
            .collect();
        let sum: f64 = stages.iter().map(|(_, ms)| ms).sum();
        let cells =
            stages.iter().map(|(stage, ms)| format!("{stage} {ms:.1} ({:.0} %)", 100.0 * ms / sum));
        println!("| {name} | {} |", cells.collect::<Vec<_>>().join(", "));
    }
    for (name, runs) in results {
        if let Some(run) = runs.first().filter(|run| !run.means.is_empty()) {
            println!("\n{name}: channel means over ours {:.3?}", run.means);
        }
    }
}
