//! FFmpeg's two programs: where they are, how they are called safely, and
//! what is asked of them.

use crate::source::process;
use crate::tools;
use platefarm_model::{Fault, Outcome};
use std::ffi::{OsStr, OsString};
use std::path::Path;
use std::process::Command;
use std::sync::OnceLock;
use std::time::Duration;

/// How long a probe may take: the index of a long movie on a slow volume.
const PROBE_LIMIT: Duration = Duration::from_secs(120);
/// Most bytes that a probe may answer: 24 hours of packets at 120 frames a second are 200 MB.
const PROBE_BYTES: u64 = 512 * 1024 * 1024;
/// Containers that are opened; a file that is a playlist or a script by its content is not.
const CONTAINERS: &str = "mov,mp4,m4a,3gp,3g2,mj2,mxf,mxf_opatom,matroska,webm";

/// A command that is about to read `input`. Paths are marked as files, so that no name is taken for
/// an option or another protocol, and no other file or host is reached from within one.
fn reading(program: OsString, input: &Path, before: &[&str], option: &str) -> Command {
    let mut command = Command::new(program);
    command.arg("-hide_banner").args(before);
    command.args(["-protocol_whitelist", "file,pipe", "-format_whitelist", CONTAINERS]);
    let mut file = OsString::from("file:");
    file.push(input);
    command.arg(option).arg(file);
    command
}

/// `ffprobe` on a movie, with what is asked; its answer.
pub(super) fn probe(input: &Path, asked: &[&str]) -> Outcome<Vec<u8>> {
    let mut command = reading(tools::ffprobe(), input, &["-v", "error"], "-i");
    command.args(asked);
    process::run(command, PROBE_LIMIT, PROBE_BYTES).map_err(with_remedy)
}

/// `ffmpeg` that decodes a movie from `seconds` on, if given, to raw frames on standard output.
///
/// A damaged frame is not to be concealed. Where every frame is coded by itself it is left out; where
/// frames build on others that would lose sound ones behind a seek too, so FFmpeg is asked to
/// say which it calls corrupt.
pub(super) fn decoder(
    input: &Path,
    seconds: Option<f64>,
    intra: bool,
    output: &[&OsStr],
) -> Command {
    let from = seconds.map(|s| format!("{s:.6}"));
    let mut before = vec!["-nostdin", "-copyts", "-noautorotate"];
    if intra {
        before.extend(["-v", "error", "-err_detect:v", "explode"]);
    } else {
        before.extend(["-v", "warning"]);
    }
    if let Some(from) = &from {
        before.extend(["-ss", from]);
    }
    let mut command = reading(tools::ffmpeg(), input, &before, "-i");
    command.args(output);
    command
}

/// The version that `ffmpeg` says it is: `5.1.9`, `n8.0`.
pub(super) fn version() -> Outcome<String> {
    tools::ffmpeg_version().map_err(with_remedy)
}

/// The option that keeps FFmpeg from dropping and doubling frames; it got another name in 5.1.
pub(super) fn sync_option() -> Outcome<&'static str> {
    static OPTION: OnceLock<&str> = OnceLock::new();
    if let Some(option) = OPTION.get() {
        return Ok(option);
    }
    let version = version()?;
    Ok(OPTION.get_or_init(|| if is_before(&version, [5, 1]) { "-vsync" } else { "-fps_mode" }))
}

/// Whether a version is older. One that is no number is a build of the day.
pub(super) fn is_before(version: &str, than: [u32; 2]) -> bool {
    let numbers = version.trim_start_matches('n');
    let mut parts = numbers.split('.').map(str::parse::<u32>);
    match (parts.next(), parts.next()) {
        (Some(Ok(major)), Some(Ok(minor))) => [major, minor] < than,
        (Some(Ok(major)), None) => [major, 0] < than,
        _ => false,
    }
}

/// A fault of a start that failed says what to install.
pub(super) fn with_remedy(fault: Fault) -> Fault {
    if fault.code == platefarm_model::Code::NoDecoder {
        return fault.remedy(
            "Movies are decoded by FFmpeg: install it (Debian: apt-get install ffmpeg), or name its \
             programs in PLATEFARM_FFMPEG and PLATEFARM_FFPROBE.",
        );
    }
    fault
}

#[cfg(test)]
mod tests {
    use super::is_before;

    #[test]
    fn versions_compare_as_numbers() {
        assert!(
            is_before("4.4.2", [5, 1]) && is_before("n5.0", [5, 1]) && is_before("7.1", [8, 0])
        );
        assert!(
            !is_before("5.1.9", [5, 1]) && !is_before("10.0", [8, 0]) && !is_before("8", [8, 0])
        );
        assert!(!is_before("N", [8, 0]), "a build of the day is new");
    }
}
