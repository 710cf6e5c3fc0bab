//! Movies out, by FFmpeg as a process of its own: display pictures go in one
//! by one, 16 bits a channel, and a file comes out under a staged name.
//!
//! What is written is a function of the pictures and the settings: no dates,
//! no encoder's name, so that the same pull makes the same movie.

use crate::{publish, tools};
use platefarm_model::delivery::MovieCodec;
use platefarm_model::{Code, Fault, FrameRate, Outcome, Timecode};
use std::ffi::OsString;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};

/// What a movie is, besides its pictures.
#[derive(Clone, Debug, PartialEq)]
pub struct MovieSettings {
    /// Codec and its profile.
    pub codec: MovieCodec,
    /// Size in pixels.
    pub size: [u32; 2],
    /// Frames per second.
    pub rate: FrameRate,
    /// Timecode of the first picture.
    pub timecode: Option<Timecode>,
    /// Reel, where the container has a place for it.
    pub reel: Option<String>,
}

/// A movie that is being written.
pub struct MovieWriter {
    child: Child,
    pictures: Option<ChildStdin>,
    path: PathBuf,
    frame_bytes: usize,
}

fn failed(what: impl Into<String>) -> Fault {
    Fault::new(Code::MovieFailed, what)
}

/// To BT.709's matrix and video range, with its tags on every frame.
const FILTERS: &str = "scale=out_color_matrix=bt709:out_range=tv,\
    setparams=color_primaries=bt709:color_trc=bt709:colorspace=bt709:range=tv";

/// Encoder and its settings: quality that review and editorial expect, and the
/// tags of ITU-R BT.709.
fn encoder(codec: MovieCodec) -> &'static [&'static str] {
    match codec {
        MovieCodec::H264 => &[
            "-c:v",
            "libx264",
            "-preset",
            "medium",
            "-crf",
            "18",
            "-pix_fmt",
            "yuv420p",
            "-g",
            "12",
            "-flags",
            "+cgop",
            "-movflags",
            "+faststart",
        ],
        MovieCodec::DnxhrLb => &["-c:v", "dnxhd", "-profile:v", "dnxhr_lb", "-pix_fmt", "yuv422p"],
        MovieCodec::DnxhrSq => &["-c:v", "dnxhd", "-profile:v", "dnxhr_sq", "-pix_fmt", "yuv422p"],
        MovieCodec::DnxhrHqx => {
            &["-c:v", "dnxhd", "-profile:v", "dnxhr_hqx", "-pix_fmt", "yuv422p10le"]
        }
        MovieCodec::ProresProxy => {
            &["-c:v", "prores_ks", "-profile:v", "0", "-vendor", "apl0", "-pix_fmt", "yuv422p10le"]
        }
        MovieCodec::ProresLt => {
            &["-c:v", "prores_ks", "-profile:v", "1", "-vendor", "apl0", "-pix_fmt", "yuv422p10le"]
        }
        MovieCodec::ProresHq => {
            &["-c:v", "prores_ks", "-profile:v", "3", "-vendor", "apl0", "-pix_fmt", "yuv422p10le"]
        }
    }
}

/// What FFmpeg calls the encoder of a codec.
#[must_use]
pub fn encoder_name(codec: MovieCodec) -> &'static str {
    encoder(codec)[1]
}

/// Whether FFmpeg's words are the system's for ENOSPC, or for EDQUOT.
fn is_of_a_full_disk(line: &str) -> bool {
    line.contains("No space left on device") || line.to_lowercase().contains("quota exceeded")
}

impl MovieWriter {
    /// Begins a movie at `path`, a staged name.
    ///
    /// # Errors
    /// [`Code::MovieFailed`] when FFmpeg is not there.
    pub fn start(path: &Path, settings: &MovieSettings) -> Outcome<Self> {
        let [width, height] = settings.size;
        let rate = format!("{}/{}", settings.rate.numerator(), settings.rate.denominator());
        let mut command = Command::new(tools::ffmpeg());
        command.args(["-hide_banner", "-nostdin", "-v", "error", "-y"]);
        command.args(["-f", "rawvideo", "-pix_fmt", "rgb48le"]);
        command.args(["-video_size", &format!("{width}x{height}"), "-framerate", &rate]);
        command.args(["-i", "pipe:0", "-an", "-map_metadata", "-1"]);
        command.args(["-fflags", "+bitexact", "-flags:v", "+bitexact"]);
        // Some encoders take the tags from the frames, and not from the options below.
        command.args(["-vf", FILTERS]);
        command.args(encoder(settings.codec));
        command.args(["-color_primaries", "bt709", "-color_trc", "bt709"]);
        command.args(["-colorspace", "bt709", "-color_range", "tv"]);
        if let Some(timecode) = settings.timecode {
            command.args(["-timecode", &timecode.to_string()]);
        }
        if let Some(reel) = settings.reel.as_ref().filter(|reel| !reel.is_empty()) {
            command.args(["-metadata:s:v:0", &format!("reel_name={reel}")]);
        }
        let container = if settings.codec.extension() == "mp4" { "mp4" } else { "mov" };
        let mut file = OsString::from("file:");
        file.push(path);
        command.args(["-f", container]).arg(file);
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .map_err(|e| failed("FFmpeg cannot be started").because(&e))?;
        let pictures = child.stdin.take();
        let frame_bytes = width as usize * height as usize * 6;
        Ok(Self { child, pictures, path: path.to_owned(), frame_bytes })
    }

    /// Adds a picture: red, green and blue of each pixel, 16 bits each, little-endian, row-major.
    ///
    /// # Errors
    /// [`Code::MovieFailed`] with FFmpeg's last words when it does not take it; [`Code::DiskFull`].
    pub fn picture(&mut self, rgb48: &[u8]) -> Outcome<()> {
        if rgb48.len() != self.frame_bytes {
            return Err(Fault::new(Code::Internal, "a picture that is not of the movie's size"));
        }
        let pipe = self.pictures.as_mut().ok_or_else(|| failed("the movie has ended"))?;
        match pipe.write_all(rgb48) {
            Ok(()) => Ok(()),
            Err(e) => Err(self.last_words().because(&e)),
        }
    }

    /// Ends the movie; the file is whole then, and on the disk.
    ///
    /// # Errors
    /// [`Code::MovieFailed`] with FFmpeg's last words; [`Code::DiskFull`]; `F03xx` when it cannot be flushed.
    pub fn finish(mut self) -> Outcome<()> {
        drop(self.pictures.take());
        let fault = self.last_words();
        let status = self.child.wait().map_err(|e| failed("FFmpeg was lost").because(&e))?;
        let there = self.path.metadata().is_ok_and(|file| file.len() > 0);
        if status.success() && there { publish::flush(&self.path) } else { Err(fault) }
    }

    /// What FFmpeg says; waits until it has nothing more to say.
    fn last_words(&mut self) -> Fault {
        drop(self.pictures.take());
        let mut said = String::new();
        if let Some(stderr) = self.child.stderr.take() {
            // What cannot be read is not said.
            let _ = stderr.take(4096).read_to_string(&mut said);
        }
        let place = self.path.display().to_string();
        // What it says after that is about its streams.
        if let Some(line) = said.lines().find(|line| is_of_a_full_disk(line)) {
            return Fault::new(Code::DiskFull, format!("FFmpeg failed: {}", line.trim())).at(place);
        }
        let line = said.lines().next_back().unwrap_or("it said nothing").trim();
        failed(format!("FFmpeg failed: {line}")).at(place)
    }
}

impl Drop for MovieWriter {
    fn drop(&mut self) {
        drop(self.pictures.take());
        // One that ended needs no ending.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// FFmpeg writes the file, so that it is FFmpeg who meets the end of the disk.
    #[cfg(target_os = "linux")]
    #[test]
    fn a_full_disk_is_said_to_be_full() {
        for codec in [MovieCodec::H264, MovieCodec::ProresProxy] {
            let settings = MovieSettings {
                codec,
                size: [320, 180],
                rate: FrameRate::FPS_24,
                timecode: None,
                reel: None,
            };
            let mut movie = MovieWriter::start(Path::new("/dev/full"), &settings).unwrap();
            // It may end before it has taken all of them.
            let taken = (0..2).try_for_each(|_| movie.picture(&[20; 320 * 180 * 6]));
            let fault = taken.and_then(|()| movie.finish()).unwrap_err();
            assert_eq!(fault.code, Code::DiskFull, "{fault}");
        }
    }

    /// Every codec says what its colours mean, by FFmpeg's own prober: BT.709 in video range.
    #[test]
    fn every_movie_is_tagged() {
        let dir = tempfile::tempdir().unwrap();
        for codec in MovieCodec::ALL {
            let path = dir.path().join(format!("{codec:?}.{}", codec.extension()));
            let settings = MovieSettings {
                codec: *codec,
                size: [320, 180],
                rate: FrameRate::FPS_24,
                timecode: None,
                reel: None,
            };
            let mut movie = MovieWriter::start(&path, &settings).unwrap();
            for code in [20_u8, 200] {
                movie.picture(&vec![code; 320 * 180 * 6]).unwrap();
            }
            movie.finish().unwrap();
            let asked = "stream=color_range,color_space,color_transfer,color_primaries,nb_frames";
            let output = Command::new(tools::ffprobe())
                .args(["-v", "error", "-show_entries", asked, "-of", "csv=p=0"])
                .arg(&path)
                .output()
                .unwrap();
            let said = String::from_utf8_lossy(&output.stdout).into_owned();
            assert_eq!(said.trim(), "tv,bt709,bt709,bt709,2", "{codec:?}");
        }
    }
}
