//! The debayers beside other people's: quality on pictures whose every colour
//! is known, on hair before a green screen and around a clipped light, and speed.
//!
//! `cargo xtask bench debayer [--kodak DIR] [--mcmaster DIR] [--only NAME]
//! [--protocol NAME] [--peers no] [--librtprocess DIR] [--speed no] [--crops DIR [--photos DIR]]`.
//! librtprocess is compiled from a checkout of its source, since no registry has it built.
//! The photographs are not part of this repository: Kodak 24 (768x512 PNG) is
//! looked for in `../shared/data/demosaic/kodak24`, McMaster 18 (500x500 TIFF)
//! nowhere, OpenEXR's images for the crops in `../shared/data/raw/openexr-images`.

#[path = "debayer/contestants.rs"]
mod contestants;
#[path = "debayer/crops.rs"]
mod crops;
#[path = "debayer/mended.rs"]
mod mended;
#[path = "debayer/pictures.rs"]
mod pictures;
#[path = "debayer/protocol.rs"]
mod protocol;
#[path = "debayer/rtprocess.rs"]
mod rtprocess;
#[path = "debayer/scenes.rs"]
mod scenes;
#[path = "debayer/score.rs"]
mod score;
#[path = "debayer/speed.rs"]
mod speed;
#[expect(dead_code, reason = "some of it is for the other benches")]
mod support;

use contestants::{Contestant, PACKAGES, Peers, contestants};
use platefarm_shaders::ops::resample::picture::Picture;
use protocol::{PROTOCOLS, Pictures, Protocol};
use score::Score;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use support::{Result, argument, machine, option, python};

const KODAK: &str = "../shared/data/demosaic/kodak24";
const PHOTOS: &str = "../shared/data/raw/openexr-images";

fn main() -> ExitCode {
    match bench() {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            eprintln!("bench debayer: {message}");
            ExitCode::FAILURE
        }
    }
}

/// Pictures that are judged together.
struct Set {
    name: &'static str,
    pictures: Vec<Picture>,
}

fn bench() -> Result<()> {
    println!("On {}.", machine());
    let sets = sets()?;
    let only = option("--only")?.unwrap_or_default();
    let python = match option("--peers")?.as_deref() {
        Some("no") => Err("--peers no".to_owned()),
        _ => python("debayer-venv", PACKAGES),
    };
    let rtprocess = match option("--librtprocess")? {
        Some(checkout) => rtprocess::driver(Path::new(&checkout)),
        None => Err("no --librtprocess DIR, a checkout of it".to_owned()),
    };
    let peers = Peers { python: python.as_deref().ok(), rtprocess: rtprocess.as_deref().ok() };
    let mut contestants = contestants(peers, &only)?;
    let chosen = option("--protocol")?;
    for (name, protocol) in PROTOCOLS {
        if chosen.as_ref().is_none_or(|chosen| chosen == name) {
            quality(name, *protocol, &mut contestants, &sets)?;
        }
    }
    if chosen.as_deref().is_none_or(|chosen| chosen == "half") {
        half(&mut contestants, &sets)?;
    }
    if chosen.as_deref().is_none_or(|chosen| chosen == "scenes") {
        made(&mut contestants)?;
    }
    if let Some(dir) = option("--crops")? {
        let photos = option("--photos")?.map_or_else(|| beside(PHOTOS), |dir| Some(dir.into()));
        crops::crops(&mut contestants, photos.as_deref(), Path::new(&dir))?;
        mended::mended(Path::new(&dir))?;
    }
    drop(contestants);
    if option("--speed")?.as_deref() != Some("no") {
        speed::speed(peers, &only, argument("--rounds", 3)?.max(1))?;
    }
    if let Err(message) = &python {
        println!("\nThe peers in Python were not measured: {message}");
    }
    if let Err(message) = &rtprocess {
        println!("\nlibrtprocess was not measured: {message}");
    }
    Ok(())
}

/// The table of half the size: what is left of each when two by two pixels become one.
fn half(contestants: &mut [Contestant], sets: &[Set]) -> Result<()> {
    println!("\nhalf: display-encoded mosaic, judged at half the size (means of 2x2 pixels)\n");
    let heads: Vec<String> = sets.iter().map(|set| format!(" {} CPSNR |", set.name)).collect();
    println!("| |{}\n|---|{}", heads.concat(), "---|".repeat(sets.len()));
    for contestant in contestants {
        print!("| {} |", contestant.name);
        for set in sets {
            let mut sum = 0.0;
            for truth in &set.pictures {
                let answer = Protocol::Classic.answer(contestant, truth)?;
                let answer = if contestant.halves() { answer } else { answer.halved() };
                sum += score::cpsnr(&truth.halved(), &answer);
            }
            print!(" {:.2} |", sum / set.pictures.len() as f64);
        }
        println!();
    }
    Ok(())
}

/// The table of what is made here.
fn made(contestants: &mut [Contestant]) -> Result<()> {
    println!(
        "\nscenes: matte error at hair before a green screen, false colour around clipped lights\n"
    );
    println!("| | matte | matte, unbalanced | lights | lights, clipped before the white balance |");
    println!("|---|---|---|---|---|");
    for contestant in contestants.iter_mut().filter(|c| !c.halves()) {
        let [matte, unbalanced] = scenes::matte(contestant)?;
        let [lights, sensor] = scenes::clipped(contestant)?;
        println!(
            "| {} | {matte:.4} | {unbalanced:.4} | {lights:.2} | {sensor:.2} |",
            contestant.name
        );
    }
    Ok(())
}

/// A folder beside the checkout, where it is there.
fn beside(path: &str) -> Option<PathBuf> {
    Some(Path::new(env!("CARGO_MANIFEST_DIR")).join(path)).filter(|dir| dir.is_dir())
}

fn sets() -> Result<Vec<Set>> {
    let default = Path::new(env!("CARGO_MANIFEST_DIR")).join(KODAK);
    let default = default.is_dir().then(|| default.to_string_lossy().into_owned());
    let mut sets = Vec::new();
    for (name, dir) in
        [("Kodak", option("--kodak")?.or(default)), ("McMaster", option("--mcmaster")?)]
    {
        let Some(dir) = dir else {
            println!("{name} is not measured: no --{} DIR.", name.to_lowercase());
            continue;
        };
        let pictures = pictures::read_folder(Path::new(&dir))?;
        println!("{name}: {} pictures.", pictures.len());
        sets.push(Set { name, pictures });
    }
    Ok(sets)
}

/// One table: a protocol, every contestant, every set.
fn quality(
    name: &str,
    protocol: Protocol,
    contestants: &mut [Contestant],
    sets: &[Set],
) -> Result<()> {
    let all = protocol == Protocol::Classic;
    println!("\n{name}: {}\n", protocol.says());
    let per_set = if all { "CPSNR / SSIM / ab / ab 99 % / zipper %" } else { "CPSNR" };
    let heads: Vec<String> = sets.iter().map(|set| format!(" {} {per_set} |", set.name)).collect();
    println!("| |{} mean dB |", heads.concat());
    println!("|---|{}---|", "---|".repeat(sets.len()));
    for contestant in contestants.iter_mut().filter(|c| !c.halves()) {
        print!("| {} |", contestant.name);
        let mut sum = 0.0;
        for set in sets {
            let mut scores = Vec::new();
            for truth in &set.pictures {
                let answer = protocol.answer(contestant, truth)?;
                scores.push(if all {
                    score::score(truth, &answer)
                } else {
                    Score { cpsnr: score::cpsnr(truth, &answer), ..Score::default() }
                });
            }
            let mean =
                |f: fn(&Score) -> f64| scores.iter().map(f).sum::<f64>() / scores.len() as f64;
            sum += mean(|s| s.cpsnr);
            print!(" {:.2}", mean(|s| s.cpsnr));
            if all {
                print!(
                    " / {:.4} / {:.2} / {:.1} / {:.1}",
                    mean(|s| s.ssim),
                    mean(|s| s.chroma),
                    mean(|s| s.chroma_p99),
                    mean(|s| s.zipper)
                );
            }
            print!(" |");
        }
        println!(" {:.2} |", sum / sets.len().max(1) as f64);
    }
    Ok(())
}
