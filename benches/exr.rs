//! The writing of plates beside OpenEXR's own: one rendered plate, encoded in
//! each compression, in one thread and in all.
//!
//! `cargo xtask bench exr [--rounds N]`. Where OpenEXR's file is smaller, ours is
//! measured again by libdeflate at the level that makes it as small; a plate of a drawn scene
//! and the same with a camera's noise are written, since grain decides what deflate finds. Ours makes the
//! bytes of the file in memory, its pixel hash included; OpenEXR writes to the page cache, without a
//! flush and without a hash.

#[path = "support/material.rs"]
mod material;
#[expect(dead_code, reason = "some of it is for the other benches")]
mod support;

use material::{SIZE, clip, render};
use platefarm_media::sink::exr::{Planes, PlateHeader, Search, encode_with, read};
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
    let planes = Planes { width: plate.width, height: plate.height, rgb: [r, g, b], alpha: None };

    let peer = python("bench-venv", PEER_PACKAGES).and_then(|python| {
        let mut command = script(&python, "encode.py");
        command.arg(&path).arg(out.join("peer.exr")).args(["--rounds", &rounds.to_string()]);
        json_of(&mut command)
    });
    let pixels = f64::from(plate.width * plate.height) * 6.0;
    println!("{SIZE:?} half RGB, {:.2} MB of pixels, on {}\n", pixels / 1e6, machine());
    println!(
        "| compression, writer | size % | 1 thread ms | CPU ms (MB/s of a core) | all cores ms |"
    );
    println!("|---|---|---|---|---|");
    let row = |name: &str, size: f64, one: f64, cpu: f64, all: f64| {
        let (size, rate) = (100.0 * size / pixels, pixels / cpu / 1000.0);
        println!("| {name} | {size:.2} | {one:.1} | {cpu:.1} ({rate:.0}) | {all:.1} |");
    };
    for compression in Compression::ALL.iter().copied() {
        let name = compression.name();
        let peer = peer.as_ref().ok().map(|report| &report[name]);
        let peer =
            peer.map(|p| ["bytes", "one", "cpu", "all"].map(|k| p[k].as_f64().unwrap_or(0.0)));
        let ours = measure(planes, compression, Search::Auto, rounds)?;
        row(&format!("{name}, platefarm"), ours[0], ours[1], ours[2], ours[3]);
        let Some([bytes, one, cpu, all]) = peer else { continue };
        row(&format!("{name}, OpenEXR"), bytes, one, cpu, all);
        if compression.lossy_level().is_none() && ours[0] > 1.001 * bytes {
            let (level, [bytes, one, cpu, all]) = at_most(planes, compression, bytes, rounds)?;
            row(&format!("{name}, platefarm by libdeflate {level}"), bytes, one, cpu, all);
        }
    }
    if let Err(message) = &peer {
        println!("\nOpenEXR was not measured: {message}");
    }
    Ok(())
}

/// The first level of libdeflate whose file is no larger than `bytes` (within 0.1 %), and what it takes.
fn at_most(
    planes: Planes<'_>,
    compression: Compression,
    bytes: f64,
    rounds: usize,
) -> Result<(i32, [f64; 4])> {
    let fits = |level: &i32| {
        encode_with(planes, &PlateHeader::default(), compression, Search::Level(*level))
            .is_ok_and(|file| file.len() as f64 <= 1.001 * bytes)
    };
    let level = (1..=12).find(fits).unwrap_or(12);
    Ok((level, measure(planes, compression, Search::Level(level), rounds)?))
}

/// Size of the file; milliseconds on one thread, of CPU there, and on all.
fn measure(
    planes: Planes<'_>,
    compression: Compression,
    search: Search,
    rounds: usize,
) -> Result<[f64; 4]> {
    let before = cpu_seconds()?;
    let (one, size) = time(planes, compression, search, 1, rounds)?;
    let cpu = (cpu_seconds()? - before) * 1000.0 / rounds as f64;
    let (all, _) = time(planes, compression, search, 0, rounds)?;
    Ok([size as f64, one, cpu, all])
}

/// Median milliseconds of an encode on so many threads (0: all), and the size of the file.
fn time(
    planes: Planes<'_>,
    compression: Compression,
    search: Search,
    threads: usize,
    rounds: usize,
) -> Result<(f64, usize)> {
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build();
    let pool = pool.map_err(|e| e.to_string())?;
    let mut size = 0;
    let mut millis = Vec::new();
    for _ in 0..rounds {
        let begun = Instant::now();
        let bytes =
            pool.install(|| encode_with(planes, &PlateHeader::default(), compression, search));
        millis.push(begun.elapsed().as_secs_f64() * 1000.0);
        size = bytes.map_err(|f| f.to_string())?.len();
    }
    Ok((median(millis), size))
}
