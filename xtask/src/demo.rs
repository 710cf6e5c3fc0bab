//! `cargo xtask demo`: the main job, start to finish, on the embedded default.
//!
//! One process is the whole farm: a scheduler on SQLite and two workers. It
//! pulls three camera clips by an edit list and a framing decision list, and
//! ends with a picture to look at.

use crate::{cargo, root};
use std::path::Path;
use std::process::Stdio;

/// Builds, makes the synthetic clip, pulls.
pub(crate) fn run_demo(out: &Path) -> Result<(), String> {
    crate::run(cargo().args([
        "build",
        "--release",
        "--locked",
        "-p",
        "platefarm",
        "-p",
        "platefarm-testclips",
    ]))?;
    clear(out)?;
    let media = out.join("media");
    std::fs::create_dir_all(&media).map_err(|e| format!("cannot make {}: {e}", media.display()))?;
    std::fs::write(out.join(OURS), b"")
        .map_err(|e| format!("cannot write to {}: {e}", out.display()))?;
    for clip in ["beachball", "colorchart"] {
        copy_clip(&root().join("testclips/clips").join(clip), &media.join(clip))?;
    }
    let program = |package: &str| {
        let mut command = cargo();
        command.args(["run", "--release", "--locked", "--quiet", "-p", package, "--"]);
        command
    };
    crate::run(program("platefarm-testclips").stdout(Stdio::null()).arg(media.join("S001")).args(
        [
            "--name",
            "S001_C001",
            "--reel",
            "S001",
            "--timecode",
            "10:00:00:00",
            "--size",
            "2048x1152",
            "--bits",
            "12",
            "--frames",
            "24",
            "--compression",
            "ljpeg",
        ],
    ))?;
    crate::run(
        program("platefarm")
            .args(["pull", "--local", "--workers", "2", "--show", "demo"])
            .arg("--edl")
            .arg(root().join("testclips/demo/demo.edl"))
            .arg("--fdl")
            .arg(root().join("testclips/demo/demo.fdl"))
            .args(["--template", "VFX_PULL", "--handles", "2"])
            .arg("--media")
            .arg(&media)
            .arg("--out")
            .arg(out.join("package")),
    )
}

/// Says that a directory is an earlier demo's and may be cleared.
const OURS: &str = ".platefarm-demo";

/// Empties the directory of an earlier demo; one that is somebody's is left alone.
fn clear(out: &Path) -> Result<(), String> {
    let empty = std::fs::read_dir(out).map_or(true, |mut entries| entries.next().is_none());
    if !empty && !out.join(OURS).exists() && out != root().join("demo-out") {
        return Err(format!("{} is not empty and not of an earlier demo", out.display()));
    }
    match std::fs::remove_dir_all(out) {
        Err(e) if e.kind() != std::io::ErrorKind::NotFound => {
            Err(format!("cannot clear {}: {e}", out.display()))
        }
        _ => Ok(()),
    }
}

/// The command line's form of [`run_demo`]; an optional argument names the directory.
pub(crate) fn run(args: &[String]) -> Result<(), String> {
    let out = args.first().map_or_else(
        || root().join("demo-out"),
        |dir| std::path::absolute(dir).unwrap_or_else(|_| dir.into()),
    );
    run_demo(&out)
}

fn copy_clip(from: &Path, to: &Path) -> Result<(), String> {
    let failed =
        |e: std::io::Error| format!("cannot copy {} to {}: {e}", from.display(), to.display());
    std::fs::create_dir_all(to).map_err(failed)?;
    for entry in std::fs::read_dir(from).map_err(failed)?.flatten() {
        std::fs::copy(entry.path(), to.join(entry.file_name())).map_err(failed)?;
    }
    Ok(())
}
