//! The image operations on a GPU, without reading and writing of files: the main
//! job's 4096x2304 12-bit frames to 2048x1152 halves.
//!
//! `cargo xtask bench gpu [--frames N] [--runs N] [--rounds N] [--adapter NAME]`.
//! Prints frames a second from packed bytes in memory to halves in memory, one
//! at a time and as many under way as a worker has; the floors that the bus sets, and the
//! host's cores by what packing a plate as ZIP takes them;
//! and for every pass its time and the share of the card's bandwidth that it
//! reaches, as a copy kernel finds it in the same run. A software driver is
//! measured, too, with a sixteenth of the pixels, and is called one: its figures
//! only say that the bench runs.

#[path = "support/material.rs"]
mod material;
#[expect(dead_code, reason = "without peers only the clock and the arguments are needed")]
mod support;

use material::{SIZE, SOURCE, framing};
use platefarm_media::sink::exr::{self, Planes, PlateHeader};
use platefarm_model::raw::{Bayer, Layout, Levels, MosaicLayout, Packing, Rect};
use platefarm_model::recipe::{Compression, Debayer, Framing};
use platefarm_model::repair::Repairs;
use platefarm_shaders::exec::gpu::measure::{Card, Measured};
use platefarm_shaders::exec::gpu::{ADAPTER_VARIABLE, GpuExecutor};
use platefarm_shaders::{Executor, PlateColor, PlateRecipe};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Instant;
use support::{Result, argument, machine, median, scratch};

fn main() -> ExitCode {
    match bench() {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            eprintln!("bench gpu: {message}");
            ExitCode::FAILURE
        }
    }
}

fn bench() -> Result<()> {
    let executor = GpuExecutor::open(true).map_err(|fault| {
        format!("{fault}. {} Narrow the choice with {ADAPTER_VARIABLE}.", fault.remedy_text())
    })?;
    let card = executor.card().map_err(|fault| fault.to_string())?;
    // A software driver takes minutes for what a GPU does in a blink; its figures only say that all of this runs.
    let few = if card.software { 1 } else { 200 };
    let rounds = argument("--rounds", if card.software { 1 } else { 3 })?.max(1);
    let frames = argument("--frames", few)?.max(1);
    let runs = argument("--runs", few)?.max(1) as u32;
    let size = Size { over: if card.software { 4 } else { 1 } };
    print_card(&card, size);
    let bytes = size.frame();
    let packing = packing(rounds)?;
    for debayer in Debayer::ALL {
        let recipe = size.recipe(*debayer);
        let mut rates = [Vec::new(), Vec::new()];
        for _ in 0..rounds {
            for (rates, overlapped) in rates.iter_mut().zip([false, true]) {
                rates.push(frames_per_second(&executor, &recipe, &bytes, frames, overlapped)?);
            }
        }
        let measured =
            executor.measure(&recipe, &bytes, runs).map_err(|fault| fault.to_string())?;
        print_recipe(&card, *debayer, rates.map(median), packing, &measured);
    }
    Ok(())
}

fn print_card(card: &Card, size: Size) {
    println!(
        "{} ({}), shaders see {} MiB at a time, on {}",
        card.name,
        card.driver,
        card.binding >> 20,
        machine()
    );
    let [source, delivered] = [size.of(SOURCE), size.of(SIZE)];
    println!("{source:?} 12-bit to {delivered:?} halves, from memory to memory");
    if card.software {
        println!(
            "\nThis is a software driver, which runs shaders on the CPU. Nothing below says anything of a GPU."
        );
    }
}

/// Seconds that this host's cores take to pack a plate of the main job as ZIP, all of them at it.
fn packing(rounds: usize) -> Result<f64> {
    let out = scratch("gpu-plate")?;
    material::render(&material::clip(1)?, &out, Debayer::Rcd, 1)?;
    let plate = exr::read(&out.join("plate.1001.exr")).map_err(|fault| fault.to_string())?;
    let [r, g, b] = &plate.rgb;
    let planes = Planes { width: plate.width, height: plate.height, rgb: [r, g, b], alpha: None };
    let mut seconds = Vec::new();
    for _ in 0..5 * rounds {
        let begun = Instant::now();
        exr::encode(planes, &PlateHeader::default(), Compression::Zip)
            .map_err(|fault| fault.to_string())?;
        seconds.push(begun.elapsed().as_secs_f64());
    }
    Ok(median(seconds))
}

/// Frames a second from bytes to halves.
fn frames_per_second(
    executor: &GpuExecutor,
    recipe: &PlateRecipe,
    bytes: &[u8],
    frames: usize,
    overlapped: bool,
) -> Result<f64> {
    let render = || {
        let mut ready = executor.prepare(recipe)?;
        let depth = if overlapped { ready.depth() } else { 1 };
        // Once before the clock runs: pipelines, and memory that is touched for the first time.
        ready.run(bytes)?;
        let begun = Instant::now();
        let mut under_way = 0;
        for _ in 0..frames {
            if under_way == depth {
                ready.finish()?;
                under_way -= 1;
            }
            ready.submit(bytes)?;
            under_way += 1;
        }
        while under_way > 0 {
            ready.finish()?;
            under_way -= 1;
        }
        Ok(frames as f64 / begun.elapsed().as_secs_f64())
    };
    render().map_err(|fault: platefarm_model::Fault| fault.to_string())
}

fn print_recipe(
    card: &Card,
    debayer: Debayer,
    [alone, overlapped]: [f64; 2],
    packing: f64,
    of: &Measured,
) {
    let mib = |bytes: u64| bytes as f64 / f64::from(1 << 20);
    let giga = |rate: f64| rate / 1e9;
    println!("\n## {}\n", debayer.name());
    println!("frames/s: {overlapped:.2} overlapped, {alone:.2} one at a time");
    let floor = of.up as f64 / of.bus[0] + of.down as f64 / of.bus[1];
    println!(
        "a frame: {:.1} MiB up at {:.2} GB/s, {:.1} MiB down at {:.2} GB/s: {:.3} ms, at most {:.1} frames/s, {:.2} times as long as that now",
        mib(of.up),
        giga(of.bus[0]),
        mib(of.down),
        giga(of.bus[1]),
        1000.0 * floor,
        1.0 / floor,
        1.0 / floor / overlapped,
    );
    let either = floor.max(packing);
    println!(
        "packing it as ZIP on this host's cores: {:.2} ms; the floor of both is {:.1} frames/s, which is {:.2} times what it makes",
        1000.0 * packing,
        1.0 / either,
        1.0 / either / overlapped,
    );
    println!("{} bands, {:.0} MiB of buffers on the card", of.bands, mib(of.resident));
    println!("a copy kernel moves {:.1} GB/s in and out\n", giga(of.copy));
    println!(
        "| pass | MiB at least | ms on the wall | ms by the card's clock | GB/s | share of a copy |"
    );
    println!("|---|---|---|---|---|---|");
    let mut all = (0, 0.0);
    for pass in &of.passes {
        let seconds = pass.card.unwrap_or(pass.wall).as_secs_f64();
        let clock = match pass.card {
            Some(time) => format!("{:.3}", 1000.0 * time.as_secs_f64()),
            None if card.software => "not true here".into(),
            None => "none".into(),
        };
        print_pass(&pass.name, pass.bytes, 1000.0 * pass.wall.as_secs_f64(), &clock, seconds, of);
        all = (all.0 + pass.bytes, all.1 + seconds);
    }
    print_pass("all", all.0, 1000.0 * all.1, "", all.1, of);
}

fn print_pass(name: &str, bytes: u64, wall: f64, clock: &str, seconds: f64, of: &Measured) {
    let rate = bytes as f64 / seconds;
    let mib = bytes as f64 / f64::from(1 << 20);
    println!(
        "| {name} | {mib:.1} | {wall:.3} | {clock} | {:.1} | {:.0} % |",
        rate / 1e9,
        100.0 * rate / of.copy
    );
}

/// How much smaller than the main job's a frame is, along each edge.
#[derive(Clone, Copy)]
struct Size {
    over: u32,
}

impl Size {
    fn of(self, size: [u32; 2]) -> [u32; 2] {
        size.map(|side| side / self.over)
    }

    /// Noise: no cache and no branch is the better for it.
    fn frame(self) -> Vec<u8> {
        let [width, height] = self.of(SOURCE);
        let size = Packing::Msb12.row_bytes(width) * height as usize;
        let mut state = 1_u64;
        (0..size)
            .map(|_| {
                state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                (state >> 56) as u8
            })
            .collect()
    }

    fn recipe(self, debayer: Debayer) -> PlateRecipe {
        let [width, height] = self.of(SOURCE);
        let layout = MosaicLayout {
            width,
            height,
            packing: Packing::Msb12,
            row_bytes: Packing::Msb12.row_bytes(width),
            active: Rect::of_size(width, height),
            crop: Rect::of_size(width, height),
            bayer: Bayer::Rggb,
            levels: Levels::flat(256.0, 4095.0),
            white_balance: [2.0, 1.0, 1.6],
            camera_to_aces: [[0.7, 0.2, 0.1], [0.05, 1.1, -0.15], [0.0, -0.3, 1.3]],
        };
        let layout = Layout::Mosaic(Arc::new(layout));
        PlateRecipe {
            layout,
            debayer,
            repairs: Repairs::default(),
            framing: self.framing(),
            color: PlateColor::default(),
        }
    }

    fn framing(self) -> Framing {
        let whole = framing();
        let delivered = self.of(SIZE);
        Framing {
            source_size: self.of(SOURCE),
            size: delivered,
            offset: whole.offset.map(|v| v / f64::from(self.over)),
            content: [0, 0, delivered[0], delivered[1]],
            ..whole
        }
    }
}
