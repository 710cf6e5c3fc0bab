//! Milliseconds per stage on one core, and of whole frames on each executor.
//!
//! `cargo run --release -p platefarm-shaders --example stage_times [-- gpu]`

use fearless_simd::Level;
use platefarm_model::raw::{Bayer, Layout, Levels, MosaicLayout, Packing, Rect};
use platefarm_model::recipe::{Backend, Debayer, Framing};
use platefarm_model::repair::Repairs;
use platefarm_model::{Code, Fault, Outcome};
use platefarm_shaders::ops::debayer_mhc::cpu::SplitRow;
use platefarm_shaders::ops::levels::cpu::RowLevels;
use platefarm_shaders::ops::resample::Taps;
use platefarm_shaders::ops::resample::cpu::{BLOCK, LANES, ROWS};
use platefarm_shaders::ops::{
    debayer_mhc, levels, matrix, resample, to_half, unpack, white_balance,
};
use platefarm_shaders::{PlateColor, PlateRecipe, executor};
use std::hint::black_box;
use std::sync::Arc;
use std::time::Instant;

const WIDTH: usize = 4096;
const HEIGHT: usize = 2304;
const PAIRS: usize = WIDTH / 2;

/// Time that this thread has run, in milliseconds: the processor's where the
/// system tells it (a shared machine makes the clock on the wall useless).
fn thread_time(start: Instant) -> f64 {
    let stat = std::fs::read_to_string("/proc/thread-self/schedstat").ok();
    let ran = stat.and_then(|s| s.split(' ').next()?.parse::<f64>().ok());
    ran.map_or_else(|| start.elapsed().as_secs_f64() * 1e3, |ns| ns / 1e6)
}

/// The mean of many runs, in milliseconds of this thread; many, since the
/// system may count in steps of 4 ms.
fn mean(mut work: impl FnMut()) -> f64 {
    const RUNS: u32 = 60;
    let start = Instant::now();
    work();
    let before = thread_time(start);
    for _ in 0..RUNS {
        work();
    }
    (thread_time(start) - before) / f64::from(RUNS)
}

fn recipe() -> PlateRecipe {
    let (width, height) = (WIDTH as u32, HEIGHT as u32);
    let layout = MosaicLayout {
        width,
        height,
        packing: Packing::Msb12,
        row_bytes: Packing::Msb12.row_bytes(width),
        active: Rect::of_size(width, height),
        crop: Rect::of_size(width, height),
        bayer: Bayer::Rggb,
        levels: Levels::flat(256.0, 4095.0),
        white_balance: [2.1, 1.0, 1.6],
        camera_to_aces: [[0.68, 0.24, 0.08], [0.05, 1.11, -0.16], [0.01, -0.3, 1.29]],
    };
    let framing = Framing {
        size: [width / 2, height / 2],
        scale: [0.5; 2],
        content: [0, 0, width / 2, height / 2],
        ..Framing::identity(width, height, 1.0)
    };
    let layout = Layout::Mosaic(Arc::new(layout));
    PlateRecipe {
        layout,
        debayer: Debayer::Mhc,
        repairs: Repairs::default(),
        framing,
        color: PlateColor::default(),
    }
}

/// Every operation for itself, over the rows of a frame that stay in the caches.
fn stages(level: Level, bytes: &[u8], framing: &Framing) {
    let row_bytes = Packing::Msb12.row_bytes(WIDTH as u32);
    let mut samples = vec![0_u16; WIDTH];
    let ms = mean(|| {
        for row in bytes.chunks_exact(row_bytes) {
            unpack::cpu::row(Packing::Msb12, row, black_box(&mut samples));
        }
    });
    println!("  unpack (12 bits)    {ms:7.1}");
    let column_black = vec![256.0; WIDTH];
    let with = RowLevels {
        linear: &[],
        column_black: &column_black,
        row_black: 0.0,
        scale: [1.0 / 3839.0; 2],
    };
    let mut rows = [(); 5].map(|()| SplitRow::new(PAIRS));
    let ms = mean(|| {
        for _ in 0..HEIGHT {
            let [even, odd] = rows[0].halves.each_mut().map(|h| &mut h[1..=PAIRS]);
            levels::cpu::row(level, black_box(&samples), with, even, odd);
        }
    });
    println!("  levels              {ms:7.1}");
    let ms = mean(|| {
        for _ in 0..HEIGHT {
            for half in &mut rows[1].halves {
                white_balance::cpu::row(level, black_box(half), 1.000_01);
            }
        }
    });
    println!("  white_balance       {ms:7.1}");
    let run = (6 * PAIRS).next_multiple_of(BLOCK);
    let mut color = vec![vec![0.5_f32; run]; 13];
    let mut stream = debayer_mhc::cpu::Stream::new(PAIRS, (0, 0), [1.0; 3]);
    let ms = mean(|| {
        for y in 0..HEIGHT {
            stream.push(level, y as i64, &mut color[y % 13]);
        }
    });
    println!("  debayer_mhc         {ms:7.1}");
    let m = matrix::working([[0.68, 0.24, 0.08], [0.05, 1.11, -0.16], [0.01, -0.3, 1.29]]);
    let ms = mean(|| {
        for _ in 0..HEIGHT {
            let (r, rest) = color[0].split_at_mut(WIDTH);
            let (g, b) = rest.split_at_mut(WIDTH);
            matrix::cpu::run(level, &m, black_box(r), g, &mut b[..WIDTH]);
        }
    });
    println!("  matrix              {ms:7.1}");
    let filter = framing.effective_filter();
    let [along, down] = [(WIDTH, 0), (HEIGHT, 1)].map(|(n, axis)| {
        Taps::new(filter, framing.scale[axis], 0.0, 0..framing.size[axis], n as u32)
    });
    let mut lines = [(); ROWS].map(|()| vec![0.5_f32; run]);
    color[0].fill(0.25);
    let ms = mean(|| {
        for line in 0..HEIGHT / 2 {
            let row = |k: usize| &color[(line + k) % 13][..];
            resample::cpu::vertical(
                level,
                row,
                down.weights_of(line),
                false,
                black_box(&mut lines[line % ROWS]),
            );
        }
    });
    println!("  resample, down      {ms:7.1}   ({} taps)", down.count);
    // As the executor does it: the columns for 64 delivered ones at a time.
    let mut tile = vec![[0.0_f32; LANES]; 160];
    let mut out = vec![[0.0_f32; LANES]; WIDTH / 2];
    let blocks = || (0..WIDTH / 2).step_by(64);
    let pairs = |from: usize| {
        let reads = along.reads(from..from + 64);
        reads.start as usize / 2..reads.end.div_ceil(2) as usize
    };
    let ms = mean(|| {
        for from in (0..HEIGHT / 2 / ROWS).flat_map(|_| blocks()) {
            resample::cpu::turn(&lines, PAIRS, pairs(from), black_box(&mut tile));
        }
    });
    println!("  resample, turn      {ms:7.1}");
    let ms = mean(|| {
        for from in (0..HEIGHT / 2 / ROWS).flat_map(|_| blocks()) {
            let base = 2 * pairs(from).start as u32;
            let out = &mut out[from..from + 64];
            resample::cpu::horizontal(level, &tile, base, &along, from, false, black_box(out));
        }
    });
    println!("  resample, along     {ms:7.1}   ({} taps)", along.count);
    let mut half = vec![[0_u16; LANES]; WIDTH / 2];
    let ms = mean(|| {
        for _ in 0..HEIGHT / 2 / ROWS {
            black_box(to_half::cpu::run(level, out.as_flattened(), half.as_flattened_mut()));
        }
    });
    println!("  to_half             {ms:7.1}");
}

fn main() -> Outcome<()> {
    let recipe = recipe();
    let mut state = 1_u32;
    let bytes: Vec<u8> = (0..recipe.layout.mosaic().expect("a mosaic").row_bytes * HEIGHT)
        .map(|_| {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (state >> 24) as u8
        })
        .collect();
    println!(
        "{WIDTH}x{HEIGHT}, 12 bits, to {:?}, one core, milliseconds a frame",
        recipe.framing.size
    );
    for (name, level) in [("this machine's best", Level::new()), ("baseline", Level::baseline())] {
        println!("{name} instruction set");
        stages(level, &bytes, &recipe.framing);
    }
    let gpu = std::env::args().any(|a| a == "gpu");
    let backends = [Some(Backend::Cpu), gpu.then_some(Backend::Gpu)];
    // One thread, which is also the one that is timed.
    let pool = rayon::ThreadPoolBuilder::new().num_threads(1).build();
    let pool = pool.map_err(|e| Fault::new(Code::Internal, e.to_string()))?;
    for backend in backends.into_iter().flatten() {
        pool.install(|| {
            let executor = executor(backend)?;
            let mut ready = executor.prepare(&recipe)?;
            let mut failed = None;
            let ms = mean(|| failed = ready.run(black_box(&bytes)).err());
            let start = Instant::now();
            failed = failed.or(ready.run(&bytes).err());
            let wall = start.elapsed().as_secs_f64() * 1e3;
            println!(
                "whole frame, {}: {ms:.1} of one core, {wall:.1} on the wall",
                executor.name()
            );
            failed.map_or(Ok(()), Err)
        })?;
    }
    Ok(())
}
