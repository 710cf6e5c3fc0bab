//! The program and the machine as such.

use super::{Patient, Report};
use crate::output::bytes_text;
use platefarm_worker::probe;
use std::path::Path;

/// Memory below which a plate of a large camera does not fit, in bytes.
const LITTLE_MEMORY: u64 = 4 << 30;
/// Open files below which a busy scheduler or worker runs out.
const FEW_FILES: u64 = 1024;
/// Room for temporary files below which something will fail soon, in bytes.
const LITTLE_ROOM: u64 = 1 << 30;

pub(super) fn program(_: &Patient<'_>, report: &mut Report) {
    let version = env!("CARGO_PKG_VERSION");
    let (arch, cores) = (std::env::consts::ARCH, probe::cores());
    let vectors = vectors();
    let found = format!("platefarm {version} on {arch} with {vectors}, {cores} cores");
    if cfg!(debug_assertions) {
        report.warn(
            format!("{found}, built without optimisation"),
            "Install a release build: cargo install --path .",
        );
    } else if vectors == "no AVX2" {
        report.warn(
            found,
            "Plates take three times as long without AVX2; use another machine for them.",
        );
    } else {
        report.ok(found);
    }
}

/// The vector instructions that the image operations choose from at run time.
fn vectors() -> &'static str {
    #[cfg(target_arch = "x86_64")]
    {
        if std::arch::is_x86_feature_detected!("avx512f") {
            "AVX-512"
        } else if std::arch::is_x86_feature_detected!("avx2") {
            "AVX2"
        } else {
            "no AVX2"
        }
    }
    #[cfg(not(target_arch = "x86_64"))]
    {
        "its own vectors"
    }
}

pub(super) fn memory(_: &Patient<'_>, report: &mut Report) {
    match probe::memory_bytes() {
        0 => report.skip("how much memory there is cannot be told here"),
        bytes if bytes < LITTLE_MEMORY => report.warn(
            format!("{} of memory", bytes_text(bytes)),
            "Give a worker's slot 4 GB at least, 12 GB for 8K media: run fewer slots, or raise the container's limit.",
        ),
        bytes => report.ok(format!("{} of memory", bytes_text(bytes))),
    }
    match open_files() {
        Some(files) if files < FEW_FILES => report.warn(
            format!("{files} files may be open at a time"),
            "Raise the limit: `ulimit -n 65536`, or LimitNOFILE=65536 in the unit.",
        ),
        Some(files) => report.ok(format!("{files} files may be open at a time")),
        None => {}
    }
    let temporary = std::env::temp_dir();
    match platefarm_media::storage::volume(&temporary) {
        Some(volume) if volume.free_bytes < LITTLE_ROOM => report.warn(
            format!("{} free in {}", bytes_text(volume.free_bytes), temporary.display()),
            "Make room there, or point TMPDIR elsewhere.",
        ),
        _ => {}
    }
}

/// The soft limit of open files, where the system says it.
fn open_files() -> Option<u64> {
    let limits = std::fs::read_to_string(Path::new("/proc/self/limits")).ok()?;
    let line = limits.lines().find_map(|line| line.strip_prefix("Max open files"))?;
    match line.split_whitespace().next()? {
        "unlimited" => Some(u64::MAX),
        number => number.parse().ok(),
    }
}
