//! Sealing and verifying a directory beside the reference tool of ASC MHL and
//! xxHash's own command.
//!
//! `cargo xtask bench mhl [--rounds N] [--mib N]`. All run as processes on the
//! same files, which lie in the page cache, and take turns; ours and `ascmhl`
//! write their manifest each time, ours flushed to the disk. `xxhsum` and `cat`
//! hash and read only: they are the floor. `--mib` is the size of the whole:
//! four large files and, for a quarter of it, a sequence of 2 MiB frames.

#[expect(dead_code, reason = "its clock is the wall")]
mod support;

use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};
use std::time::Instant;
use support::{Result, argument, machine, median, python, scratch};

const MIB: usize = 1 << 20;
/// Bytes of a frame of the sequence.
const FRAME: usize = 2 * MIB;

/// One thing that is measured: its name, and how it is run on the directory.
struct Contestant {
    name: String,
    command: Box<dyn Fn(&Path) -> Command>,
    /// Whether the history is removed before each run.
    fresh: bool,
}

fn main() -> ExitCode {
    match bench() {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            eprintln!("bench mhl: {message}");
            ExitCode::FAILURE
        }
    }
}

fn bench() -> Result<()> {
    let rounds = argument("--rounds", 5)?.max(1);
    let mib = argument("--mib", 2048)?.max(64);
    let dir = scratch("mhl")?.join("CARD");
    let files = material(&dir, mib)?;
    let bytes: u64 = files.iter().filter_map(|f| f.metadata().ok()).map(|m| m.len()).sum();
    println!(
        "{} files, {} MiB in the page cache, medians of {rounds} rounds, on {}\n",
        files.len(),
        bytes as usize / MIB,
        machine()
    );
    let peer = python("mhl-venv", &["ascmhl"]);
    if let Err(message) = &peer {
        println!("ascmhl is missing: {message}\n");
    }
    let tools = peer.ok().and_then(|python| Some(python.parent()?.to_path_buf()));
    println!("| what | formats | s | GB/s | times the reference tool's speed |");
    println!("|---|---|---|---|---|");
    for formats in [&["xxh128"][..], &["xxh64"], &["md5"], &["xxh128", "md5", "c4"]] {
        measure("create", formats, creating(formats, tools.as_deref()), &dir, bytes, rounds)?;
    }
    measure("verify", &["xxh128"], verifying(tools.as_deref()), &dir, bytes, rounds)?;
    measure("floor", &["xxh128"], floors(&files), &dir, bytes, rounds)
}

fn ours(verb: &str, dir: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_platefarm"));
    command.args(["mhl", verb]).arg(dir);
    command
}

fn creating(formats: &[&str], tools: Option<&Path>) -> Vec<Contestant> {
    let names: Vec<String> = formats.iter().map(|f| (*f).to_owned()).collect();
    let mut all = vec![Contestant {
        name: "platefarm mhl create".into(),
        command: Box::new({
            let names = names.clone();
            move |dir| {
                let mut command = ours("create", dir);
                names.iter().for_each(|name| {
                    command.args(["--hash", name]);
                });
                command
            }
        }),
        fresh: true,
    }];
    if let Some(tools) = tools.map(Path::to_path_buf) {
        all.push(Contestant {
            name: "ascmhl create".into(),
            command: Box::new(move |dir| {
                let mut command = Command::new(tools.join("ascmhl"));
                command.arg("create").arg(dir);
                names.iter().for_each(|name| {
                    command.args(["-h", name]);
                });
                command
            }),
            fresh: true,
        });
    }
    all
}

fn verifying(tools: Option<&Path>) -> Vec<Contestant> {
    let mut all = vec![Contestant {
        name: "platefarm mhl verify".into(),
        command: Box::new(|dir| ours("verify", dir)),
        fresh: false,
    }];
    if let Some(tools) = tools.map(Path::to_path_buf) {
        all.push(Contestant {
            name: "ascmhl-debug verify".into(),
            command: Box::new(move |dir| {
                let mut command = Command::new(tools.join("ascmhl-debug"));
                command.arg("verify").arg(dir);
                command
            }),
            fresh: false,
        });
    }
    all
}

fn floors(files: &[PathBuf]) -> Vec<Contestant> {
    let over = |name: &'static str, arguments: &'static [&'static str]| {
        let files = files.to_vec();
        Contestant {
            name: [&[name], arguments].concat().join(" "),
            command: Box::new(move |_| {
                let mut command = Command::new(name);
                command.args(arguments).args(&files);
                command
            }),
            fresh: false,
        }
    };
    vec![over("xxhsum", &["-H2"]), over("cat", &[])]
}

/// All contestants in turn, and a row for each; the last is the reference.
fn measure(
    what: &str,
    formats: &[&str],
    contestants: Vec<Contestant>,
    dir: &Path,
    bytes: u64,
    rounds: usize,
) -> Result<()> {
    let history = dir.join("ascmhl");
    if what == "verify" {
        let _ = std::fs::remove_dir_all(&history);
        run(&mut ours("create", dir))?;
    }
    let mut seconds = vec![Vec::new(); contestants.len()];
    for _ in 0..rounds {
        for (contestant, seconds) in contestants.iter().zip(&mut seconds) {
            if contestant.fresh {
                let _ = std::fs::remove_dir_all(&history);
            }
            match run(&mut (contestant.command)(dir)) {
                Ok(took) => seconds.push(took),
                Err(message) if what == "floor" => eprintln!("{message}"),
                Err(message) => return Err(message),
            }
        }
    }
    let medians: Vec<f64> = seconds.into_iter().map(median).collect();
    let reference = medians.last().copied().filter(|_| medians.len() > 1 && what != "floor");
    for (contestant, took) in contestants.iter().zip(&medians).filter(|(_, took)| **took > 0.0) {
        println!(
            "| {} | {} | {took:.3} | {:.2} | {} |",
            contestant.name,
            formats.join("+"),
            bytes as f64 / took / 1e9,
            reference.map_or("-".into(), |reference| format!("{:.1}", reference / took))
        );
    }
    Ok(())
}

/// Seconds that the command takes; it must end well.
fn run(command: &mut Command) -> Result<f64> {
    let begun = Instant::now();
    let status = command.stdout(Stdio::null()).stderr(Stdio::null()).status();
    let took = begun.elapsed().as_secs_f64();
    match status {
        Ok(status) if status.success() => Ok(took),
        Ok(status) => Err(format!("{command:?} ended with {status}")),
        Err(error) => Err(format!("cannot start {command:?}: {error}")),
    }
}

/// Four large files and a sequence, made once.
fn material(dir: &Path, mib: usize) -> Result<Vec<PathBuf>> {
    let fault = |e: std::io::Error| format!("{}: {e}", dir.display());
    let frames = mib / 4 / 2;
    let large = (mib - frames * 2) / 4;
    std::fs::create_dir_all(dir.join("SEQ")).map_err(fault)?;
    let mut files = Vec::new();
    let mut sizes: Vec<(String, usize)> =
        (1..=4).map(|i| (format!("A001C00{i}.mov"), large * MIB)).collect();
    sizes.extend((0..frames).map(|i| (format!("SEQ/A001C005.{i:07}.dng"), FRAME)));
    let mut seed = 0x9E37_79B9_7F4A_7C15_u64;
    let mut piece = vec![0_u8; MIB];
    for (name, size) in sizes {
        let path = dir.join(name);
        if path.metadata().map_or(0, |m| m.len()) != size as u64 {
            let mut file = std::fs::File::create(&path).map_err(fault)?;
            for _ in 0..size / MIB {
                for word in piece.chunks_exact_mut(8) {
                    seed ^= seed << 13;
                    seed ^= seed >> 7;
                    seed ^= seed << 17;
                    word.copy_from_slice(&seed.to_le_bytes());
                }
                std::io::Write::write_all(&mut file, &piece).map_err(fault)?;
            }
        }
        files.push(path);
    }
    // Into the page cache.
    for path in &files {
        std::io::copy(&mut std::fs::File::open(path).map_err(fault)?, &mut std::io::sink())
            .map_err(fault)?;
    }
    Ok(files)
}
