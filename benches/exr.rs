//! The writing of plates beside OpenEXR's own: one rendered plate, encoded in
//! each compression, in one thread and in all.
//!
//! `cargo xtask bench exr [--rounds N]`. Ours makes the bytes of the file in
//! memory, its pixel hash included; OpenEXR writes to the page cache, without a
//! flush and without a hash.

#[path = "support/material.rs"]
mod material;
mod support;

use material::{SIZE, clip, render};
use platefarm_media::sink::exr::{Planes, PlateHeader, encode, read};
use platefarm_model::recipe::{Compression, Debayer};
use std::process::ExitCode;
use std::time::Instant;
use support::{
    PEER_PACKAGES, Result, argument, cpu_seconds, json_of, machine, median, python, scratch, script,
};

fn main() -> ExitCode {
    match bench() {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            eprintln!("bench exr: {message}");
            ExitCode::FAILURE
        }
    }
}

fn bench() -> Result<()> {
    let rounds = argument("--rounds", 15)?.max(1);
    let out = scratch("exr-out")?;
    render(&clip(1)?, &out, Debayer::default(), 1)?;
    let path = out.join("plate.1001.exr");
    let plate = read(&path).map_err(|f| f.to_string())?;
    let [r, g, b] = &plate.rgb;
    let planes = Planes { width: plate.width, height: plate.height, rgb: [r, g, b] };

    let peer = python("bench-venv", PEER_PACKAGES).and_then(|python| {
        let mut command = script(&python, "encode.py");
        command.arg(&path).arg(out.join("peer.exr")).args(["--rounds", &rounds.to_string()]);
        json_of(&mut command)
    });
    let pixels = f64::from(plate.width * plate.height) * 6.0;
    println!("{SIZE:?} half RGB, {:.2} MB of pixels, on {}\n", pixels / 1e6, machine());
    println!(
        "| compression, writer | size % | 1 thread ms (MB/s) | CPU ms | all cores ms (MB/s) |"
    );
    println!("|---|---|---|---|---|");
    let row = |name: &str, writer: &str, size: f64, one: f64, cpu: f64, all: f64| {
        let size = 100.0 * size / pixels;
        let rate = |ms: f64| pixels / ms / 1000.0;
        let (fast, faster) = (rate(one), rate(all));
        println!(
            "| {name}, {writer} | {size:.1} | {one:.1} ({fast:.0}) | {cpu:.1} | {all:.1} ({faster:.0}) |"
        );
    };
    for compression in Compression::ALL {
        let name = compression.name();
        let before = cpu_seconds()?;
        let (one, size) = time(planes, *compression, 1, rounds)?;
        let cpu = (cpu_seconds()? - before) * 1000.0 / rounds as f64;
        let (all, _) = time(planes, *compression, 0, rounds)?;
        row(name, "platefarm", size as f64, one, cpu, all);
        if let Ok(report) = &peer {
            let number = |what: &str| report[name][what].as_f64().unwrap_or_default();
            let (one, all) = (number("one"), number("all"));
            row(name, "OpenEXR", number("bytes"), one, number("cpu"), all);
        }
    }
    if let Err(message) = &peer {
        println!("\nOpenEXR was not measured: {message}");
    }
    Ok(())
}

/// Median milliseconds of an encode on so many threads (0: all), and the size of the file.
fn time(
    planes: Planes<'_>,
    compression: Compression,
    threads: usize,
    rounds: usize,
) -> Result<(f64, usize)> {
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build();
    let pool = pool.map_err(|e| e.to_string())?;
    let mut size = 0;
    let mut millis = Vec::new();
    for _ in 0..rounds {
        let begun = Instant::now();
        let bytes = pool.install(|| encode(planes, &PlateHeader::default(), compression));
        millis.push(begun.elapsed().as_secs_f64() * 1000.0);
        size = bytes.map_err(|f| f.to_string())?.len();
    }
    Ok((median(millis), size))
}
