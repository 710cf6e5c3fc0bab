//! Colour transforms beside OpenColorIO: an HD picture of floats, one core each.
//!
//! `cargo xtask bench color [--rounds N]`. Ours and OpenColorIO (as people get
//! it, with its fast approximations on) take turns in the same run on the same
//! pixels; figures are CPU time, medians over the rounds. The largest
//! difference in code is told too, so that speed is not bought with it.

#[expect(dead_code, reason = "some of it is for the other benches")]
mod support;

use platefarm_model::color::chain::{Chain, Link};
use platefarm_model::color::name;
use platefarm_model::recipe::Backend;
use platefarm_shaders::color::{Converter, Plan};
use platefarm_shaders::ops::resample::picture::instruction_sets;
use std::hint::black_box;
use std::ops::RangeInclusive;
use std::path::Path;
use std::process::ExitCode;
use support::{
    PEER_PACKAGES, Result, argument, cpu_seconds, json_of, machine, median, python, scratch, script,
};

const SIZE: [usize; 2] = [1920, 1080];
/// Least CPU time of one measurement: Linux counts it in hundredths of a second.
const LEAST_SECONDS: f64 = 0.4;

/// A row of the table: its name here and for the peer, from, to, and how many
/// times as fast ours is to be with AVX-512 and with AVX2.
const ROWS: &[(&str, &str, &str, &str, [f64; 2])] = &[
    ("ACES2065-1 to ACEScg", "acescg", "ACES2065-1", "ACEScg", [1.0, 1.0]),
    ("ACES2065-1 to ACEScct", "acescct", "ACES2065-1", "ACEScct", [1.0, 1.0]),
    ("ARRI LogC4 to ACES2065-1", "logc4", "ARRI LogC4", "ACES2065-1", [1.0, 1.0]),
    ("S-Log3 to ACES2065-1", "slog3", "S-Log3 S-Gamut3.Cine", "ACES2065-1", [1.0, 1.0]),
    ("ACES 1.3 SDR sRGB", "aces13_srgb", "ACES2065-1", "ACES 1.3 SDR sRGB", [4.0, 4.0]),
    (
        "ACES 1.3 HDR 1000 PQ",
        "aces13_pq1000",
        "ACES2065-1",
        "ACES 1.3 HDR 1000 Rec.2100 PQ",
        [4.0, 4.0],
    ),
    (
        "ACES 2.0 SDR sRGB",
        "aces20_srgb",
        "ACES2065-1",
        "Rec709-D65_100nit_in_Rec709-D65_sRGB-Piecewise",
        [8.0, 4.0],
    ),
    (
        "ACES 2.0 HDR 1000 PQ",
        "aces20_pq1000",
        "ACES2065-1",
        "P3-D65_1000nit_in_P3-D65_ST2084",
        [8.0, 4.0],
    ),
    (
        "ACES 2.0 SDR sRGB, inverse",
        "aces20_srgb_inv",
        "Rec709-D65_100nit_in_Rec709-D65_sRGB-Piecewise",
        "ACES2065-1",
        [8.0, 4.0],
    ),
    (
        "ARRI LogC4 to ACES 2.0 sRGB",
        "logc4_aces20_srgb",
        "ARRI LogC4",
        "Rec709-D65_100nit_in_Rec709-D65_sRGB-Piecewise",
        [4.0, 4.0],
    ),
];

fn main() -> ExitCode {
    match bench() {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            eprintln!("bench color: {message}");
            ExitCode::FAILURE
        }
    }
}

fn bench() -> Result<()> {
    let rounds = argument("--rounds", 3)?.max(1);
    let dir = scratch("color")?;
    let python = python("bench-venv", PEER_PACKAGES);
    let pixels = picture();
    let file = dir.join("picture.f32");
    let bytes: Vec<u8> = (0..pixels[0].len())
        .flat_map(|i| [0, 1, 2].map(|c| pixels[c][i]))
        .flat_map(f32::to_le_bytes)
        .collect();
    std::fs::write(&file, bytes).map_err(|e| format!("cannot write {}: {e}", file.display()))?;
    let sets = instruction_sets();
    println!("{SIZE:?} RGB floats, one core, {rounds} rounds, on {}\n", machine());
    let columns: String = sets.iter().map(|(name, _)| format!(" {name} | ratio |")).collect();
    println!("| Mpix/s per core | OpenColorIO |{columns} goals | largest difference |");
    println!("|---|---|{}---|---|", "---|---|".repeat(sets.len()));
    for (title, key, from, to, goals) in ROWS {
        let fault = |f: platefarm_model::Fault| f.to_string();
        let chain = name::to_aces(from).map_err(fault)?.then(name::from_aces(to).map_err(fault)?);
        let (mut ours, mut theirs) = (vec![Vec::new(); sets.len()], Vec::new());
        let mut difference = 0.0;
        for _ in 0..rounds {
            for ((_, level), speeds) in sets.iter().zip(&mut ours) {
                speeds.push(measure(&Plan::with(&chain, *level), &pixels)?);
            }
            if let Ok(python) = &python {
                let (speed, result) = peer(python, key, &file)?;
                theirs.push(speed);
                let range = range(&name::resolve(to).map_err(fault)?, &chain);
                difference = largest(&result, &run(&chain, &pixels), &range);
            }
        }
        let peer = median(theirs.iter().copied());
        let cells: String = ours
            .iter()
            .map(|speeds| {
                let speed = median(speeds.iter().copied());
                let ratio = if peer > 0.0 { format!("{:.1}x", speed / peer) } else { "-".into() };
                format!(" {speed:.1} | {ratio} |")
            })
            .collect();
        println!(
            "| {title} | {peer:.1} |{cells} {}x, {}x | {difference:.1e} |",
            goals[0], goals[1]
        );
    }
    if let Err(message) = &python {
        println!("\nOpenColorIO was not measured: {message}");
    }
    on_gpu(&pixels)
}

/// The same rows on the best GPU, or on a software driver where there is none.
fn on_gpu(pixels: &[Vec<f32>; 3]) -> Result<()> {
    let fault = |f: platefarm_model::Fault| f.to_string();
    let mut gpu = match Converter::new(&Chain::default(), Backend::Auto).map_err(fault)? {
        gpu if gpu.name() != "cpu" => gpu,
        _ => match Converter::new(&Chain::default(), Backend::Gpu) {
            Ok(gpu) => gpu,
            Err(fault) => {
                println!("\nNo GPU was measured: {fault}");
                return Ok(());
            }
        },
    };
    let rgb: Vec<f32> =
        (0..pixels[0].len()).flat_map(|i| [0, 1, 2].map(|c| pixels[c][i])).collect();
    println!("\n{}: float pixels on the device, 24 bytes moved each\n", gpu.name());
    println!(
        "| Gpix/s | speed | GB/s | of a copy | operations a pixel | Tera-operations/s | a frame of 4096x2160 |"
    );
    println!("|---|---|---|---|---|---|---|");
    for (title, _, from, to, _) in ROWS {
        let chain = name::to_aces(from).map_err(fault)?.then(name::from_aces(to).map_err(fault)?);
        gpu = gpu.again(&chain).map_err(fault)?;
        gpu.run(&mut rgb.clone()).map_err(fault)?;
        let runs = if gpu.name().contains("llvmpipe") { 2 } else { 50 };
        let Some(measured) = gpu.measure(rgb.len() / 3, runs).map_err(fault)? else { continue };
        let seconds = measured.card.unwrap_or(measured.wall).as_secs_f64();
        let speed = f64::from(measured.pixels) / seconds;
        let operations = measured.operations;
        println!(
            "| {title} | {:.3} | {:.1} | {:.0} % | {operations} | {:.2} | {:.2} ms |",
            speed / 1e9,
            24.0 * speed / 1e9,
            2400.0 * speed / measured.copy,
            operations as f64 * speed / 1e12,
            4096.0 * 2160.0 / speed * 1e3,
        );
        if measured.software && title == &ROWS[ROWS.len() - 1].0 {
            println!("\nA software driver: these figures say nothing about any GPU.");
        }
    }
    Ok(())
}

/// Codes and scene light between 0 and a few times white, smooth with texture, the same every time.
fn picture() -> [Vec<f32>; 3] {
    let [width, height] = SIZE;
    let mut state = 7_u32;
    let mut noise = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 8) as f32 / (1 << 24) as f32
    };
    [0.9, 1.0, 0.7].map(|gain| {
        (0..width * height)
            .map(|i| {
                let (x, y) =
                    ((i % width) as f32 / width as f32, (i / width) as f32 / height as f32);
                gain * (0.01 + 0.7 * x * (0.2 + y) + 0.2 * noise() * x)
            })
            .collect()
    })
}

/// Megapixels per CPU second.
fn measure(plan: &Plan, pixels: &[Vec<f32>; 3]) -> Result<f64> {
    let mut seconds = 0.0;
    let mut runs = 0_u32;
    while seconds < LEAST_SECONDS {
        let mut copies: Vec<[Vec<f32>; 3]> = vec![pixels.clone(); 4];
        let begun = cpu_seconds()?;
        for [r, g, b] in &mut copies {
            plan.run([r, g, b]);
        }
        seconds += cpu_seconds()? - begun;
        runs += copies.len() as u32;
        black_box(&copies);
    }
    Ok(f64::from(runs) * (SIZE[0] * SIZE[1]) as f64 / seconds / 1e6)
}

fn run(chain: &Chain, pixels: &[Vec<f32>; 3]) -> [Vec<f32>; 3] {
    let mut copy = pixels.clone();
    let [r, g, b] = &mut copy;
    Plan::new(chain).run([r, g, b]);
    copy
}

/// The peer's megapixels per CPU second, and its result, pixel by pixel.
fn peer(python: &Path, key: &str, file: &Path) -> Result<(f64, Vec<f32>)> {
    let out = file.with_extension("ocio");
    let side = |side: &usize| side.to_string();
    let said = json_of(
        script(python, "color.py")
            .args([file, out.as_path()])
            .args(["--transform", key, "--size"])
            .args(SIZE.each_ref().map(side)),
    )?;
    let speed = said["mpix_per_second"].as_f64().ok_or("color.py gave no speed")?;
    let bytes = std::fs::read(&out).map_err(|e| format!("cannot read {}: {e}", out.display()))?;
    Ok((speed, bytes.as_chunks().0.iter().map(|b| f32::from_le_bytes(*b)).collect()))
}

/// Where values of ours end, and OpenColorIO's go on: light of an output at 0, as in the Academy's, and its
/// codes at 1 too. A display by itself clamps nothing.
fn range(to: &name::Named, chain: &Chain) -> RangeInclusive<f32> {
    let low = |link: &Link| matches!(link, Link::Clamp { low: Some(_), .. });
    match to.meaning() {
        meaning if !meaning.display || !chain.0.iter().any(low) => f32::MIN..=f32::MAX,
        meaning if meaning.linear => 0.0..=f32::MAX,
        _ => 0.0..=1.0,
    }
}

/// Largest difference relative to the larger of 1 and the value, both brought into the range.
fn largest(theirs: &[f32], ours: &[Vec<f32>; 3], range: &RangeInclusive<f32>) -> f64 {
    let within = |v: f32| f64::from(v.clamp(*range.start(), *range.end()));
    theirs
        .iter()
        .enumerate()
        .map(|(i, v)| (within(ours[i % 3][i / 3]), within(*v)))
        .map(|(ours, theirs)| (ours - theirs).abs() / theirs.abs().max(1.0))
        .fold(0.0, f64::max)
}
