//! Milliseconds per stage on one core, and of whole frames on each executor.
//!
//! `cargo run --release -p platefarm-shaders --example stage_times [-- gpu]`

use fearless_simd::Level;
use platefarm_model::raw::{Bayer, Levels, MosaicLayout, Packing, Rect};
use platefarm_model::recipe::{Backend, Debayer, Framing};
use platefarm_shaders::ops::debayer_mhc::cpu::{RowColors, SplitRow};
use platefarm_shaders::ops::levels::cpu::RowLevels;
use platefarm_shaders::ops::resample::cpu::{BLOCK, LANES, ROWS};
use platefarm_shaders::ops::resample::Taps;
use platefarm_shaders::ops::{debayer_mhc, levels, matrix, resample, to_half, unpack, white_balance};
use platefarm_shaders::{PlateRecipe, executor};
use std::hint::black_box;
use std::sync::Arc;
use std::time::Instant;

const WIDTH: usize = 4096;
const HEIGHT: usize = 2304;
const PAIRS: usize = WIDTH / 2;

/// The least of some runs, in milliseconds.
fn least(runs: usize, mut work: impl FnMut()) -> f64 {
    work();
    let mut best = f64::INFINITY;
    for _ in 0..runs {
        let start = Instant::now();
        work();
        best = best.min(start.elapsed().as_secs_f64() * 1e3);
    }
    best
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
    PlateRecipe { layout: Arc::new(layout), debayer: Debayer::Mhc, framing }
}

/// Every operation for itself, over the rows of a frame that stay in the caches.
fn stages(level: Level, bytes: &[u8], framing: &Framing) {
    let row_bytes = Packing::Msb12.row_bytes(WIDTH as u32);
    let mut samples = vec![0_u16; WIDTH];
    let ms = least(5, || {
        for row in bytes.chunks_exact(row_bytes) {
            unpack::cpu::row(Packing::Msb12, row, black_box(&mut samples));
        }
    });
    println!("  unpack (12 bits)    {ms:7.1}");
    let column_black = vec![256.0; WIDTH];
    let with = RowLevels { linear: &[], column_black: &column_black, row_black: 0.0, scale: [1.0 / 3839.0; 2] };
    let mut rows = [(); 5].map(|()| SplitRow::new(PAIRS));
    let ms = least(5, || {
        for _ in 0..HEIGHT {
            let [even, odd] = rows[0].halves.each_mut().map(|h| &mut h[1..=PAIRS]);
            levels::cpu::row(level, black_box(&samples), with, even, odd);
        }
    });
    println!("  levels              {ms:7.1}");
    let ms = least(5, || {
        for _ in 0..HEIGHT {
            for half in &mut rows[1].halves {
                white_balance::cpu::row(level, black_box(half), 1.000_01);
            }
        }
    });
    println!("  white_balance       {ms:7.1}");
    let run = (6 * PAIRS).next_multiple_of(BLOCK);
    let mut color = vec![vec![0.5_f32; run]; 13];
    let ms = least(5, || {
        for y in 0..HEIGHT {
            let slot = &mut color[y % 13];
            debayer_mhc::cpu::row(level, rows.each_ref(), RowColors::of(y as u32, (0, 0)), PAIRS, slot);
        }
    });
    println!("  debayer_mhc         {ms:7.1}");
    let m = matrix::working([[0.68, 0.24, 0.08], [0.05, 1.11, -0.16], [0.01, -0.3, 1.29]]);
    let ms = least(5, || {
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
    let ms = least(5, || {
        for line in 0..HEIGHT / 2 {
            let row = |k: usize| &color[(line + k) % 13][..];
            resample::cpu::vertical(level, row, down.weights_of(line), black_box(&mut lines[line % ROWS]));
        }
    });
    println!("  resample, down      {ms:7.1}   ({} taps)", down.count);
    let mut tile = vec![[0.0_f32; LANES]; WIDTH];
    let ms = least(5, || {
        for _ in 0..HEIGHT / 2 / ROWS {
            resample::cpu::turn(&lines, PAIRS, black_box(&mut tile));
        }
    });
    println!("  resample, turn      {ms:7.1}");
    let mut out = vec![[0.0_f32; LANES]; WIDTH / 2];
    let ms = least(5, || {
        for _ in 0..HEIGHT / 2 / ROWS {
            resample::cpu::horizontal(level, &tile, 0, &along, 0, black_box(&mut out));
        }
    });
    println!("  resample, along     {ms:7.1}   ({} taps)", along.count);
    let mut half = vec![[0_u16; LANES]; WIDTH / 2];
    let ms = least(5, || {
        for _ in 0..HEIGHT / 2 / ROWS {
            black_box(to_half::cpu::run(level, out.as_flattened(), half.as_flattened_mut()));
        }
    });
    println!("  to_half             {ms:7.1}");
}

fn main() -> Result<(), platefarm_model::Fault> {
    let recipe = recipe();
    let mut state = 1_u32;
    let bytes: Vec<u8> = (0..recipe.layout.row_bytes * HEIGHT)
        .map(|_| {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (state >> 24) as u8
        })
        .collect();
    println!("{WIDTH}x{HEIGHT}, 12 bits, to {:?}, one core, milliseconds a frame", recipe.framing.size);
    for (name, level) in [("this machine's best", Level::new()), ("baseline", Level::baseline())] {
        println!("{name} instruction set");
        stages(level, &bytes, &recipe.framing);
    }
    let gpu = std::env::args().any(|a| a == "gpu");
    for (backend, threads) in [(Backend::Cpu, 1), (Backend::Cpu, 2), (Backend::Gpu, 1)] {
        if backend == Backend::Gpu && !gpu {
            continue;
        }
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build();
        let pool = pool.map_err(|e| platefarm_model::Fault::new(platefarm_model::Code::Internal, e.to_string()))?;
        pool.install(|| {
            let executor = executor(backend)?;
            let mut ready = executor.prepare(&recipe)?;
            let mut failed = None;
            let ms = least(5, || failed = ready.run(black_box(&bytes)).err());
            println!("whole frame, {}, {threads} thread(s): {ms:.1}", executor.name());
            failed.map_or(Ok(()), Err)
        })?;
    }
    Ok(())
}
