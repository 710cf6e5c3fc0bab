//! Each stage of a frame by itself, on one core, beside the least that it could cost there.

use crate::material::{SIZE, SOURCE, framing};
use crate::support::{Result, median, thread_seconds};
use platefarm_media::publish;
use platefarm_media::sink::exr::{self, Planes, PlateHeader};
use platefarm_model::raw::Bayer;
use platefarm_model::recipe::{Compression, Debayer};
use platefarm_model::repair::Repairs;
use platefarm_shaders::debayer::{Mosaic, form};
use platefarm_shaders::exec::cpu::CpuExecutor;
use platefarm_shaders::ops::resample::picture::Picture;
use platefarm_shaders::{Executor, HalfImage, PlateRecipe};
use std::io::{Read, Write};
use std::path::Path;

/// A stage: its name, what its floor is, and CPU milliseconds of both.
struct Stage {
    name: &'static str,
    floor_is: &'static str,
    millis: [f64; 2],
}

/// Prints the table of every debayer.
pub(crate) fn print(clip: &Path, out: &Path, rounds: usize) -> Result<()> {
    println!(
        "\nEach stage by itself on one core: CPU ms of a frame, and the least that it could be\n"
    );
    println!("| debayer | stage | ms | share | floor ms | over its floor | the floor |");
    println!("|---|---|---|---|---|---|---|");
    let pool = rayon::ThreadPoolBuilder::new().num_threads(1).build();
    let pool = pool.map_err(|e| e.to_string())?;
    for debayer in Debayer::ALL.iter().copied() {
        let stages = pool.install(|| stages(clip, out, debayer, rounds))?;
        let sums = [0, 1].map(|k: usize| stages.iter().map(|s| s.millis[k]).sum::<f64>());
        let all = Stage { name: "all", floor_is: "", millis: sums };
        for Stage { name, floor_is, millis: [ms, floor] } in stages.iter().chain([&all]) {
            println!(
                "| {} | {name} | {ms:.1} | {:.0} % | {floor:.1} | {:.1} | {floor_is} |",
                debayer.name(),
                100.0 * ms / sums[0],
                ms / floor,
            );
        }
    }
    Ok(())
}

fn stages(clip: &Path, out: &Path, debayer: Debayer, rounds: usize) -> Result<Vec<Stage>> {
    let said = |fault: platefarm_model::Fault| fault.to_string();
    let clip = platefarm_media::open(clip, None).map_err(said)?;
    let file = clip.frame_file(0).ok_or("the clip has no file of its first frame")?;
    let recipe = PlateRecipe {
        layout: clip.layout().clone(),
        debayer,
        repairs: Repairs::default(),
        framing: framing(),
        color: platefarm_shaders::PlateColor::default(),
    };
    let mut ready = CpuExecutor::new().prepare(&recipe).map_err(said)?;
    let frame = clip.read(0).map_err(said)?;
    let image = ready.run(&frame.bytes).map_err(said)?;
    let plate = encode(&image, Compression::Zip)?;

    let mut buffer = Vec::new();
    let read = timed(rounds, || {
        buffer = clip.read_with(0, std::mem::take(&mut buffer)).map_err(said)?.bytes;
        Ok(())
    })?;
    let mut bytes = Vec::new();
    let read_floor = timed(rounds, || read_into(&mut bytes, file))?;
    let process = timed(rounds, || ready.run(&frame.bytes).map(drop).map_err(said))?;
    let mosaic = mosaic();
    let debayer = form(debayer.name()).ok_or("a debayer without a form")?;
    let mut picture = Picture { width: 0, height: 0, planes: Default::default() };
    let process_floor = timed(rounds, || {
        (debayer.run)(fearless_simd::Level::new(), &mosaic, &mut picture);
        Ok(())
    })?;
    let encoded = timed(rounds, || encode(&image, Compression::Zip).map(drop))?;
    let encode_floor = timed(rounds, || encode(&image, Compression::None).map(drop))?;
    let path = out.join("stage.exr");
    let written = timed(rounds, || {
        let _ = platefarm_media::hash::xxh128(&plate);
        publish::write_flushed(&path, &plate).map_err(said)
    })?;
    let write_floor = timed(rounds, || {
        let file = std::fs::File::create(&path);
        file.and_then(|mut file| file.write_all(&plate)).map_err(|e| e.to_string())
    })?;
    let hash = platefarm_media::hash::xxh128(&plate);
    let verified =
        timed(rounds, || publish::verify(&path, plate.len() as u64, &hash).map_err(said))?;
    let verify_floor = timed(rounds, || read_into(&mut bytes, &path))?;
    Ok(vec![
        Stage {
            name: "read",
            floor_is: "the file into memory that is there",
            millis: [read, read_floor],
        },
        Stage {
            name: "process",
            floor_is: "the debayer of the delivered crop and nothing else",
            millis: [process, process_floor],
        },
        Stage {
            name: "encode",
            floor_is: "the same file with nothing packed",
            millis: [encoded, encode_floor],
        },
        Stage {
            name: "write",
            floor_is: "its bytes to the page cache: no flush, no hash",
            millis: [written, write_floor],
        },
        Stage {
            name: "verify",
            floor_is: "the file into memory that is there: no hash",
            millis: [verified, verify_floor],
        },
    ])
}

fn read_into(bytes: &mut Vec<u8>, file: &Path) -> Result<()> {
    bytes.clear();
    let opened = std::fs::File::open(file);
    opened.and_then(|mut file| file.read_to_end(bytes)).map(drop).map_err(|e| e.to_string())
}

/// Median CPU milliseconds of this thread.
fn timed(rounds: usize, mut work: impl FnMut() -> Result<()>) -> Result<f64> {
    work()?;
    let mut millis = Vec::new();
    for _ in 0..rounds.max(3) {
        let begun = thread_seconds()?;
        work()?;
        millis.push(1000.0 * (thread_seconds()? - begun));
    }
    Ok(median(millis))
}

fn encode(image: &HalfImage, compression: Compression) -> Result<Vec<u8>> {
    let [r, g, b] = &image.planes;
    let planes = Planes { width: image.width, height: image.height, rgb: [r, g, b], alpha: None };
    exr::encode(planes, &PlateHeader::default(), compression).map_err(|f| f.to_string())
}

/// Waves of the size that is delivered from.
fn mosaic() -> Mosaic {
    let scale = framing().scale[0];
    let [width, height] = SIZE.map(|side| (f64::from(side) / scale).round() as usize);
    debug_assert!(width <= SOURCE[0] as usize);
    let site = |i: usize| {
        let (x, y) = ((i % width) as f32, (i / width) as f32);
        0.45 + 0.35 * (x * y / 5e4).sin() * (x / 7.0).cos()
    };
    Mosaic { width, height, bayer: Bayer::Rggb, sites: (0..width * height).map(site).collect() }
}
