//! Programs of others that run beside us: what they are called, and which
//! versions are there.

use crate::source::process;
use platefarm_model::{Code, Fault, Outcome};
use std::ffi::OsString;
use std::process::Command;
use std::time::Duration;

/// How long one may take to say what it is.
const LIMIT: Duration = Duration::from_secs(60);
/// Most bytes of such an answer.
const BYTES: u64 = 1 << 20;

/// A program, as the environment names it, else as the system finds it.
fn program(variable: &str, name: &str) -> OsString {
    std::env::var_os(variable).filter(|v| !v.is_empty()).unwrap_or_else(|| name.into())
}

/// FFmpeg: `PLATEFARM_FFMPEG`, else `ffmpeg`.
pub(crate) fn ffmpeg() -> OsString {
    program("PLATEFARM_FFMPEG", "ffmpeg")
}

/// Its prober: `PLATEFARM_FFPROBE`, else `ffprobe`.
pub(crate) fn ffprobe() -> OsString {
    program("PLATEFARM_FFPROBE", "ffprobe")
}

/// A Python that may have OpenTimelineIO: `PLATEFARM_PYTHON`, else `python3`.
pub(crate) fn python() -> OsString {
    program(crate::editlist::PYTHON, "python3")
}

fn asked(program: OsString, arguments: &[&str]) -> Outcome<String> {
    let mut command = Command::new(program);
    command.args(arguments);
    let answer = process::run(command, LIMIT, BYTES)?;
    Ok(String::from_utf8_lossy(&answer).into_owned())
}

/// The third word of what FFmpeg's programs say to `-version`: `5.1.9`, `n8.0`.
fn version_of(program: OsString) -> Outcome<String> {
    let text = asked(program, &["-version"])?;
    let version = text.split_whitespace().nth(2).unwrap_or("unknown");
    Ok(version.split('-').next().unwrap_or(version).to_owned())
}

/// Version of FFmpeg.
///
/// # Errors
/// [`Code::NoDecoder`] when it is not there, `F01xx` when it fails.
pub fn ffmpeg_version() -> Outcome<String> {
    version_of(ffmpeg())
}

/// Version of its prober.
///
/// # Errors
/// As [`ffmpeg_version`].
pub fn ffprobe_version() -> Outcome<String> {
    version_of(ffprobe())
}

/// Names of the video encoders that FFmpeg was built with.
///
/// # Errors
/// As [`ffmpeg_version`].
pub fn encoders() -> Outcome<Vec<String>> {
    let text = asked(ffmpeg(), &["-hide_banner", "-encoders"])?;
    Ok(encoders_of(&text))
}

/// After a line of dashes: flags that begin with `V` for video, the name, and words about it.
fn encoders_of(text: &str) -> Vec<String> {
    let listed = text.lines().skip_while(|line| !line.trim().starts_with("---")).skip(1);
    let mut names = Vec::new();
    for line in listed {
        let mut words = line.split_whitespace();
        if words.next().is_some_and(|flags| flags.starts_with('V')) {
            names.extend(words.next().map(str::to_owned));
        }
    }
    names
}

/// Version of OpenTimelineIO, where its AAF adapter is there too.
///
/// # Errors
/// [`Code::NoDecoder`] with what is missing, `F01xx` when Python fails.
pub fn otio_version() -> Outcome<String> {
    const SCRIPT: &str = "\
try:
    import opentimelineio as otio
except ImportError:
    print('missing opentimelineio')
else:
    there = 'AAF' in otio.adapters.available_adapter_names()
    print(otio.__version__ if there else 'missing otio-aaf-adapter')
";
    let text = asked(python(), &["-c", SCRIPT])?;
    match text.trim().strip_prefix("missing ") {
        Some(what) => Err(Fault::new(Code::NoDecoder, format!("{what} is not installed"))),
        None => Ok(text.trim().to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn encoders_are_read_from_the_list() {
        let text = "Encoders:\n V..... = Video\n A..... = Audio\n ------\n V....D libx264   H.264\n \
                    A....D aac       AAC\n VFS..D prores_ks Apple ProRes\n";
        assert_eq!(encoders_of(text), ["libx264", "prores_ks"]);
    }
}
