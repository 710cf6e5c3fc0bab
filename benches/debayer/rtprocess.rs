//! librtprocess beside ours: no registry has it built, so it is compiled from a
//! checkout that the caller names, with the driver beside the other peers' scripts.

use crate::support::{Result, scratch};
use std::path::{Path, PathBuf};
use std::process::Command;

/// The library's files that the two ways need.
const FILES: &[&str] = &["rcd.cc", "amaze.cc", "border.cc"];

/// The ways of `peers/rtprocess.cc`, with names to print.
pub(crate) const WAYS: &[(&str, &str)] =
    &[("rcd", "librtprocess RCD"), ("amaze", "librtprocess AMaZE")];

/// Compiles the driver for this machine, as the library's own build for one's own use does, and
/// with the higher optimisation level; without OpenMP.
pub(crate) fn driver(checkout: &Path) -> Result<PathBuf> {
    let program = scratch("rtprocess")?.join("rtprocess");
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut command = Command::new("c++");
    command.args(["-std=c++17", "-O3", "-march=native", "-I"]).arg(checkout.join("src/include"));
    command.arg(root.join("benches/peers/rtprocess.cc"));
    command.args(FILES.iter().map(|file| checkout.join("src/demosaic").join(file)));
    let output = command.arg("-o").arg(&program).output();
    let output = output.map_err(|e| format!("cannot start c++: {e}; install a C++ compiler"))?;
    if output.status.success() {
        return Ok(program);
    }
    let said = String::from_utf8_lossy(&output.stderr);
    Err(format!("{} is no checkout of librtprocess 0.12: {said}", checkout.display()))
}
