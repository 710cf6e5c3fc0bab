//! Programs of others that run beside us.

use super::{Patient, Report};
use platefarm_media::sink::movie::encoder_name;
use platefarm_media::tools;
use platefarm_model::delivery::MovieCodec;

/// What is done without FFmpeg.
const FFMPEG: &str = "Install FFmpeg (Debian: apt-get install ffmpeg), or name its programs in PLATEFARM_FFMPEG and \
    PLATEFARM_FFPROBE. Without it movies are neither read nor made; everything else works.";

pub(super) fn ffmpeg(_: &Patient<'_>, report: &mut Report) {
    let version = match tools::ffmpeg_version() {
        Ok(version) => version,
        Err(fault) => return report.warn(fault.message, FFMPEG),
    };
    if let Err(fault) = tools::ffprobe_version() {
        report.warn(format!("FFmpeg {version} without ffprobe: {}", fault.message), FFMPEG);
        return;
    }
    let Ok(there) = tools::encoders() else {
        return report.warn(format!("FFmpeg {version} does not list its encoders"), FFMPEG);
    };
    let mut missing: Vec<&str> = MovieCodec::ALL
        .iter()
        .map(|codec| encoder_name(*codec))
        .filter(|name| !there.iter().any(|encoder| encoder == name))
        .collect();
    missing.dedup();
    if missing.is_empty() {
        report.ok(format!("FFmpeg {version} with every encoder that a delivery can ask for"));
    } else {
        report.warn(
            format!("FFmpeg {version} without {}", missing.join(", ")),
            "Deliveries with these codecs fail here; install a build of FFmpeg that has them.",
        );
    }
}

pub(super) fn aaf(_: &Patient<'_>, report: &mut Report) {
    match tools::otio_version() {
        Ok(version) => report.ok(format!("OpenTimelineIO {version} with its AAF adapter")),
        Err(fault) => report.skip(format!("AAF is not read here: {}", fault.message)),
    }
}

pub(super) fn bridges(patient: &Patient<'_>, report: &mut Report) {
    let bridges = match patient.global.bridges() {
        Ok(bridges) => bridges,
        Err(fault) => return report.fail(&fault),
    };
    let mut any = false;
    for command in bridges.commands() {
        any = true;
        let program = command.command.first().map(std::path::PathBuf::from).unwrap_or_default();
        if found(&program) {
            report.ok(format!("bridge '{}': {}", command.name, program.display()));
        } else {
            report.warn(
                format!("bridge '{}': there is no program '{}'", command.name, program.display()),
                "Install it, or correct the command in --bridges FILE; `platefarm bridge check` tries it.",
            );
        }
    }
    if !any {
        report.skip("no bridges are configured");
    }
}

/// Whether there is such a program, by its path or on PATH.
fn found(program: &std::path::Path) -> bool {
    if program.components().count() > 1 {
        return program.is_file();
    }
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path).any(|dir| dir.join(program).is_file())
}
