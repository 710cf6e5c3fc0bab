//! Frames of a movie by their number. One FFmpeg process decodes on and on,
//! so that a range of frames costs one seek; every frame comes with the time
//! at which it is shown, and by that time it is known which frame it is,
//! wherever the decoder began. No frame is taken on trust.

use super::probe::Times;
use super::tools;
use crate::source::process::{self, Process};
use platefarm_model::{Code, Fault, Outcome};
use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::io::Read;
use std::path::PathBuf;
use std::sync::mpsc::Receiver;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// How long one frame may take: a stalled volume, not a slow codec.
const FRAME_LIMIT: Duration = Duration::from_secs(120);
/// Frames that are decoded in passing rather than sought anew.
const REACH: i64 = 24;
/// Frames passed over that are kept: as many as there are threads that ask.
const KEPT: usize = 4;
/// Seconds to begin earlier when a seek came out too late.
const EARLIER: f64 = 10.0;

/// How frames are asked of FFmpeg.
#[derive(Clone, Debug)]
pub(super) struct Request {
    pub(super) path: PathBuf,
    /// Which stream of the file.
    pub(super) stream: u64,
    pub(super) width: u32,
    pub(super) height: u32,
    pub(super) pixel_format: String,
    pub(super) frame_bytes: usize,
    /// Whether every frame is coded by itself.
    pub(super) intra: bool,
}

/// The frames of a movie.
pub(super) struct Frames {
    request: Request,
    times: Times,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    running: Option<Running>,
    kept: BTreeMap<i64, Vec<u8>>,
    /// Processes that were started.
    starts: u64,
}

/// What is said of a decoded frame.
struct Shown {
    /// Seconds at which it is shown.
    time: f64,
    /// Whether FFmpeg calls it corrupt.
    corrupt: bool,
}

struct Running {
    process: Process,
    pixels: Receiver<Vec<u8>>,
    /// Of decoded frames, in their order.
    shown: Receiver<Shown>,
    /// The last frame that came.
    last: Option<i64>,
}

impl Frames {
    pub(super) fn new(request: Request, times: Times) -> Self {
        Self { request, times, state: Mutex::new(State::default()) }
    }

    /// How many processes were started so far.
    #[cfg(test)]
    pub(super) fn starts(&self) -> u64 {
        self.state.lock().unwrap_or_else(PoisonError::into_inner).starts
    }

    /// Frame `index` as the decoder gives it.
    ///
    /// # Errors
    /// [`Code::MissingFrame`] where the movie has none at that time; [`Code::TruncatedFile`] where it
    /// ends before; [`Code::NoDecoder`], [`Code::DecoderFailed`], [`Code::DecoderHung`].
    pub(super) fn get(&self, index: i64) -> Outcome<Vec<u8>> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(frame) = state.kept.remove(&index) {
            return Ok(frame);
        }
        let near = state
            .running
            .as_ref()
            .and_then(|r| r.last)
            .is_some_and(|last| (last + 1..=last + REACH).contains(&index));
        if near {
            match self.advance(&mut state, index) {
                Ok(Some(frame)) => return Ok(frame),
                Err(fault) if is_final(&fault) => return Err(fault),
                // It broke off on the way: begun anew, it may get further, or say why not.
                Ok(None) | Err(_) => state.running = None,
            }
        }
        let result = self.seek(&mut state, index);
        if result.as_ref().is_err_and(|fault| !is_final(fault)) {
            state.running = None;
        }
        result
    }

    /// Begins before `index`, earlier if that came out too late, and at last from the beginning.
    fn seek(&self, state: &mut State, index: i64) -> Outcome<Vec<u8>> {
        // With the frame before it, which shows that none was passed over; and half a frame early,
        // so that rounding cannot.
        let time = self.times.of(index - 1) - self.times.span(index - 1) / 2.0;
        let beginning = self.times.of(0);
        let mut starts = vec![time, time - EARLIER];
        starts.retain(|start| *start > beginning);
        let mut starts: Vec<Option<f64>> = starts.into_iter().map(Some).collect();
        starts.push(None);
        let mut problem = None;
        for start in starts {
            state.running = Some(self.begin(start)?);
            state.starts += 1;
            match self.advance(state, index) {
                Ok(Some(frame)) => return Ok(frame),
                Ok(None) => {}
                Err(fault) if is_final(&fault) || fault.code == Code::DecoderHung => {
                    return Err(fault);
                }
                Err(fault) => problem = Some(fault),
            }
        }
        let words = state.running.as_ref().map(|r| r.process.last_words()).unwrap_or_default();
        Err(problem.unwrap_or_else(|| missing(index, &words)))
    }

    /// Decodes on until `index`. `None`: the decoder began behind it.
    ///
    /// # Errors
    /// [`Code::MissingFrame`] when the frames before and behind it come, and it does not: the decoder
    /// gives no frame that is damaged.
    fn advance(&self, state: &mut State, index: i64) -> Outcome<Option<Vec<u8>>> {
        loop {
            let Some(running) = &mut state.running else { return Ok(None) };
            let (number, frame, corrupt) = self.next(running, index)?;
            let before = running.last.replace(number);
            if number == index && corrupt {
                let words = running.process.last_words();
                let message = format!("frame {index} is damaged; ffmpeg said: {words}");
                return Err(Fault::new(Code::BadStructure, message));
            }
            if number == index {
                return Ok(Some(frame));
            }
            let skipped = number > index && before.is_some_and(|before| before < index);
            let fault = skipped.then(|| missing(index, &running.process.last_words()));
            if state.kept.len() >= KEPT {
                // Whoever still waits for a frame waits for one of the last.
                state.kept.pop_first();
            }
            if !corrupt {
                state.kept.insert(number, frame);
            }
            if let Some(fault) = fault {
                return Err(fault);
            }
            if number > index {
                return Ok(None);
            }
        }
    }

    /// The next frame, its number, and whether it is corrupt.
    fn next(&self, running: &mut Running, wanted: i64) -> Outcome<(i64, Vec<u8>, bool)> {
        let process = &mut running.process;
        let ended = |process: &mut Process| {
            let what = format!("ended before frame {wanted}");
            process.fault(Code::DecoderFailed, &what)
        };
        let Some(frame) = process::next(process, &running.pixels, FRAME_LIMIT)? else {
            return Err(ended(process));
        };
        let Some(Shown { time, corrupt }) = process::next(process, &running.shown, FRAME_LIMIT)?
        else {
            return Err(ended(process));
        };
        let number = self.times.index_at(time).ok_or_else(|| {
            let message =
                format!("a frame is shown at {time:.6} s, between the frames of its rate");
            Fault::new(Code::UnsupportedFeature, message)
        })?;
        Ok((number, frame, corrupt))
    }

    /// A decoder that begins at `seconds`, or at the beginning.
    fn begin(&self, seconds: Option<f64>) -> Outcome<Running> {
        let Request { path, stream, width, height, pixel_format, frame_bytes, intra } =
            &self.request;
        // The first filter makes a frame of another size an error instead of a shift of all pixels;
        // the others print when each frame is shown.
        let filter = format!(
            "crop={width}:{height}:0:0:exact=1,metadata=mode=add:key=n:value=0,\
             metadata=mode=print:key=n:direct=1:file=pipe\\\\:2"
        );
        let map = format!("0:{stream}");
        let output = [
            "-map",
            &map,
            "-vf",
            &filter,
            tools::sync_option()?,
            "passthrough",
            "-f",
            "rawvideo",
            "-pix_fmt",
            pixel_format,
            "-",
        ];
        let output: Vec<&OsStr> = output.into_iter().map(OsStr::new).collect();
        let command = tools::decoder(path, seconds, *intra, &output);
        let (times, shown) = std::sync::mpsc::channel();
        // What is corrupt before the first frame that is delivered was decoded to get there.
        let (mut begun, mut marked) = (false, false);
        let mut process = Process::start(command, move |line| match heard(line) {
            Heard::Time(time) => {
                // Nobody listens once the frames are not wanted any more.
                let _ = times.send(Shown { time, corrupt: marked && begun });
                (begun, marked) = (true, false);
                true
            }
            Heard::Corrupt => {
                marked = true;
                false
            }
            Heard::Mark => true,
            Heard::Words => false,
        })
        .map_err(tools::with_remedy)?;
        let (stdout, bytes) = (process.take_stdout(), *frame_bytes);
        let pixels = process::on_thread(1, move |to| {
            let Some(mut stdout) = stdout else { return };
            loop {
                let mut frame = vec![0; bytes];
                if stdout.read_exact(&mut frame).is_err() || to.send(frame).is_err() {
                    return;
                }
            }
        });
        Ok(Running { process, pixels, shown, last: None })
    }
}

/// Whether the fault is the frame's own, and nothing that another start would change.
fn is_final(fault: &Fault) -> bool {
    matches!(fault.code, Code::MissingFrame | Code::BadStructure)
}

/// The fault for a frame that the decoder passes over.
fn missing(index: i64, words: &str) -> Fault {
    let said = if words.is_empty() { String::new() } else { format!("; ffmpeg said: {words}") };
    Fault::new(Code::MissingFrame, format!("the movie gives no frame {index}{said}")).remedy(
        "Copy the movie again from the original; the frame is damaged or was never written.",
    )
}

enum Heard {
    Time(f64),
    /// The next frame is corrupt.
    Corrupt,
    Mark,
    Words,
}

/// `frame:12   pts:6144   pts_time:0.48`, as the filter prints it, and `n=0` below.
fn heard(line: &str) -> Heard {
    if line == "n=0" {
        return Heard::Mark;
    }
    if line.contains("corrupt decoded frame") {
        return Heard::Corrupt;
    }
    if !line.starts_with("frame:") {
        return Heard::Words;
    }
    let time = line.rsplit_once("pts_time:").and_then(|(_, t)| t.trim().parse().ok());
    time.map_or(Heard::Words, Heard::Time)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_filters_words_are_told_from_errors() {
        let time = |line: &str| match heard(line) {
            Heard::Time(time) => Some(time),
            _ => None,
        };
        assert_eq!(time("frame:12   pts:6144    pts_time:0.48"), Some(0.48));
        assert_eq!(time("frame:0    pts:-1      pts_time:-0.04"), Some(-0.04));
        assert_eq!(time("frame:0    pts:NOPTS   pts_time:NOPTS"), None);
        assert!(matches!(heard("[mov @ 0x1] frame:1 is broken"), Heard::Words));
    }
}
