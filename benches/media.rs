//! The reading of camera files beside LibRaw: 4096x2304 frames of each kind of
//! storage, decoded in one thread and in all.
//!
//! `cargo xtask bench media [--rounds N] [--only TEXT]`. Both have the file in
//! the page cache and deliver whole frames of samples in memory; contestants
//! take turns in the same run. Packed samples stay packed on our side (they
//! are unpacked where the picture is made), so that LibRaw does more there.
//!
//! A new kind of file is a row of [`CASES`].

#[expect(dead_code, reason = "its clock is the thread's own")]
mod support;

use platefarm_testclips::{ClipSpec, Compression, Ljpeg, Sample, Segments, write_clip};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::{Duration, Instant};
use support::{PEER_PACKAGES, Result, argument, json_of, machine, median, python, scratch, script};

/// Columns and rows of a frame.
const SIZE: [u32; 2] = [4096, 2304];
/// Frames of each clip: what lies in the caches is not the frame that comes next.
const FRAMES: u32 = 2;
/// Frames that are read at least, and for how long: CPU time is counted in hundredths of a second.
const READS: u32 = 40;
const LONG_ENOUGH: Duration = Duration::from_secs(1);

/// One kind of file.
struct Case {
    name: &'static str,
    /// Writes its files into a directory and names the first.
    make: fn(&Path) -> Result<PathBuf>,
    /// The peer that reads it too, a script of `benches/peers`.
    peer: Option<&'static str>,
}

/// Every kind of file that is measured.
const CASES: &[Case] = &[
    Case { name: "dng packed 12", make: |dir| dng(dir, ClipSpec::default()), peer: LIBRAW },
    Case {
        name: "dng 16 bits",
        make: |dir| dng(dir, ClipSpec { bits: 16, ..ClipSpec::default() }),
        peer: LIBRAW,
    },
    Case { name: "dng lossless JPEG, 1 strip", make: |dir| dng(dir, ljpeg(1)), peer: LIBRAW },
    Case {
        name: "dng lossless JPEG, 8 tiles",
        make: |dir| dng(dir, ClipSpec { segments: TILES, ..ljpeg(1) }),
        peer: LIBRAW,
    },
    Case {
        name: "dng lossless JPEG as Blackmagic's, 4 tiles",
        make: |dir| {
            let jpeg = Ljpeg { predictor: 6, wrapped: true, ..Ljpeg::default() };
            let segments = Segments::Tiles { width: 1024, height: 2304 };
            let compression = Compression::LosslessJpeg(jpeg);
            dng(dir, ClipSpec { segments, compression, ..ClipSpec::default() })
        },
        peer: LIBRAW,
    },
    Case {
        name: "dng deflate 16 bits, 8 tiles",
        make: |dir| {
            let compression = Compression::Deflate { predictor: 2 };
            dng(dir, ClipSpec { bits: 16, compression, segments: TILES, ..ClipSpec::default() })
        },
        peer: None,
    },
    Case {
        name: "dng deflate float 16, 8 tiles",
        make: |dir| {
            let compression = Compression::Deflate { predictor: 2 };
            let float = ClipSpec { sample: Sample::Float, bits: 16, ..ClipSpec::default() };
            dng(dir, ClipSpec { compression, segments: TILES, ..float })
        },
        peer: LIBRAW,
    },
];

const LIBRAW: Option<&str> = Some("libraw.py");
const TILES: Segments = Segments::Tiles { width: 1024, height: 1152 };

fn ljpeg(predictor: u8) -> ClipSpec {
    let jpeg = Ljpeg { predictor, components: 2, ..Ljpeg::default() };
    ClipSpec { compression: Compression::LosslessJpeg(jpeg), ..ClipSpec::default() }
}

fn dng(dir: &Path, spec: ClipSpec) -> Result<PathBuf> {
    let [width, height] = SIZE;
    let spec = ClipSpec { width, height, frames: FRAMES, ..spec };
    let files = write_clip(dir, &spec).map_err(|e| e.to_string())?;
    files.into_iter().next().ok_or_else(|| "no frame was written".to_owned())
}

/// What reading a frame takes, in milliseconds.
#[derive(Clone, Copy, Default)]
struct Cost {
    user: f64,
    system: f64,
    wall: f64,
}

fn main() -> ExitCode {
    match bench() {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            eprintln!("bench media: {message}");
            ExitCode::FAILURE
        }
    }
}

fn bench() -> Result<()> {
    let rounds = argument("--rounds", 5)?.max(1);
    let only = std::env::args().skip_while(|a| a != "--only").nth(1).unwrap_or_default();
    let python = python("bench-venv", PEER_PACKAGES);
    let [width, height] = SIZE;
    println!("{width}x{height}, a frame, medians of {rounds} rounds, on {}\n", machine());
    println!("Mpix/s per core are pixels over user CPU time of one thread.\n");
    println!(
        "| file | bytes/pixel | reader | user ms (Mpix/s per core) | system ms | 1 thread ms | all cores ms | LibRaw's user CPU over ours |"
    );
    println!("|---|---|---|---|---|---|---|---|");
    for case in CASES.iter().filter(|case| case.name.contains(&only)) {
        let first = files_of(case)?;
        let mut ours = Vec::new();
        let mut all = Vec::new();
        let mut theirs = Vec::new();
        let mut version = String::new();
        for _ in 0..rounds {
            ours.push(read(&first, 1)?);
            all.push(read(&first, 0)?.wall);
            if let (Some(peer), Ok(python)) = (case.peer, &python) {
                let found = json_of(script(python, peer).arg(&first))?;
                let number = |name: &str| found[name].as_f64();
                version = found["version"].as_str().unwrap_or("a peer").to_owned();
                theirs.extend(
                    number("user")
                        .zip(number("system"))
                        .zip(number("wall"))
                        .map(|((user, system), wall)| Cost { user, system, wall }),
                );
            }
        }
        print_case(case, &first, &ours, &all, &theirs, &version)?;
    }
    if let Err(message) = &python {
        println!("\nLibRaw was not measured: {message}");
    }
    Ok(())
}

/// The files of a case, made once; a mark says that they are whole.
fn files_of(case: &Case) -> Result<PathBuf> {
    let name: String =
        case.name.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '-' }).collect();
    let dir = scratch(&format!("media-{name}"))?;
    let whole = dir.join("whole");
    if let Ok(first) = std::fs::read_to_string(&whole) {
        return Ok(PathBuf::from(first));
    }
    eprintln!("making {} in {}", case.name, dir.display());
    let first = (case.make)(&dir)?;
    std::fs::write(&whole, first.display().to_string()).map_err(|e| e.to_string())?;
    Ok(first)
}

/// Reads the clip over and over on so many threads (0: all), each frame into the buffer of the one before.
fn read(first: &Path, threads: usize) -> Result<Cost> {
    let clip = platefarm_media::open(first, None).map_err(|f| f.to_string())?;
    let frames = clip.info().timing.frame_count as usize;
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build();
    let pool = pool.map_err(|e| e.to_string())?;
    pool.install(|| {
        let mut buffer = Vec::new();
        for index in 0..frames {
            buffer = clip.read_with(index as i64, buffer).map_err(|f| f.to_string())?.bytes;
        }
        let (before, begun) = (cpu()?, Instant::now());
        let mut reads = 0;
        while reads < READS || begun.elapsed() < LONG_ENOUGH {
            let index = i64::from(reads) % frames as i64;
            buffer = clip.read_with(index, buffer).map_err(|f| f.to_string())?.bytes;
            reads += 1;
        }
        let after = cpu()?;
        let each = |seconds: f64| seconds * 1000.0 / f64::from(reads);
        Ok(Cost {
            user: each(after[0] - before[0]),
            system: each(after[1] - before[1]),
            wall: each(begun.elapsed().as_secs_f64()),
        })
    })
}

/// User and system CPU seconds of this process.
fn cpu() -> Result<[f64; 2]> {
    let stat = std::fs::read_to_string("/proc/self/stat").map_err(|e| e.to_string())?;
    let fields: Vec<&str> =
        stat.rsplit(')').next().unwrap_or_default().split_whitespace().collect();
    let ticks = |at: usize| fields.get(at).and_then(|v| v.parse::<f64>().ok());
    match (ticks(11), ticks(12)) {
        (Some(user), Some(system)) => Ok([user / 100.0, system / 100.0]),
        _ => Err("/proc/self/stat has another form than proc_pid_stat(5) says".into()),
    }
}

fn print_case(
    case: &Case,
    first: &Path,
    ours: &[Cost],
    all: &[f64],
    theirs: &[Cost],
    version: &str,
) -> Result<()> {
    let of = |costs: &[Cost], what: fn(&Cost) -> f64| median(costs.iter().map(what));
    let pixels = f64::from(SIZE[0]) * f64::from(SIZE[1]);
    let bytes = std::fs::metadata(first).map_err(|e| e.to_string())?.len() as f64 / pixels;
    let row = |reader: &str, costs: &[Cost], all: &str, ratio: &str| {
        let (user, system) = (of(costs, |c| c.user), of(costs, |c| c.system));
        let (rate, wall) = (pixels / user / 1000.0, of(costs, |c| c.wall));
        println!(
            "| {} | {bytes:.2} | {reader} | {user:.2} ({rate:.0}) | {system:.2} | {wall:.2} | {all} | {ratio} |",
            case.name
        );
    };
    row("platefarm", ours, &format!("{:.2}", median(all.iter().copied())), "");
    if !theirs.is_empty() {
        let ratio = of(theirs, |c| c.user) / of(ours, |c| c.user);
        row(version, theirs, "-", &format!("{ratio:.1}"));
    }
    Ok(())
}
