//! Edit decision lists of the CMX 3600 family, as editing systems write them.
//!
//! There is no standard, only dialects: reels of 8, 32 or 129 columns, reels
//! with blanks, remarks with and without a star, drop frame by mark or by
//! header, five encodings. The reader is therefore written from the right: the
//! last four words of an event are its times, what stands before them is the
//! transition and the track, and the reel is what is left. It never gives up on
//! a list: a line that cannot be read becomes a problem with its number, and
//! everything else is kept.
//!
//! Reading is apart from the meaning of a list (which media an event needs),
//! which `scheduler::pulls` decides.
//!
//! Sources: the CMX 3600 edit decision list format as described in the Avid
//! EDL Manager and GVG documentation; the dialects that real systems write.

mod line;
mod remark;
mod text;

use platefarm_model::{Code, Fault, FrameRate, Outcome, Timecode, limits};
use std::fmt;

pub use remark::{Cdl, Locator, MotionEffect, Sop};
pub use text::Encoding;

/// An edit list.
#[derive(Clone, Debug, PartialEq)]
pub struct Edl {
    /// `TITLE:`, without blanks around it; empty when the list has none.
    pub title: String,
    /// The rate that its timecodes were read in. The list itself does not say it.
    pub rate: FrameRate,
    /// How its bytes were read.
    pub encoding: Encoding,
    /// `FCM:` lines (frame code mode): line number from 1, and the text behind the colon.
    pub frame_code_modes: Vec<(usize, String)>,
    /// Lines before the first event that are neither title nor mode.
    pub remarks: Vec<String>,
    /// Events in the order of the list.
    pub events: Vec<Event>,
    /// Event lines that could not be read, so that their event is missing:
    /// [`Code::BadEdlLine`] at `line N`, with the line in the message.
    pub problems: Vec<Fault>,
    /// Remarks that mean something and could not be read, likewise. Their event is there.
    pub warnings: Vec<Fault>,
}

/// One event line with the remarks under it.
#[derive(Clone, Debug, PartialEq)]
pub struct Event {
    /// Line number, from 1.
    pub line: usize,
    /// Event number as written: `001`, `000203`.
    pub number: String,
    /// Reel as written; may hold blanks, may be empty.
    pub reel: String,
    /// Track as written: `V`, `V2`, `A2`, `AA/V`, `B`, `NONE`.
    pub track: String,
    /// How the picture comes in.
    pub transition: Transition,
    /// Source times.
    pub source: Span,
    /// Record times.
    pub record: Span,
    /// `FROM CLIP NAME`; in a transition the name of the outgoing side.
    pub clip_name: Option<String>,
    /// `TO CLIP NAME`: the incoming side of a transition.
    pub to_clip_name: Option<String>,
    /// `SOURCE FILE`, `FROM FILE` or `FROM CLIP` (with a colon).
    pub source_file: Option<String>,
    /// `M2` lines: in a transition there may be one per side.
    pub motion: Vec<MotionEffect>,
    /// Whether a remark says `FREEZE FRAME`.
    pub freeze: bool,
    /// `ASC_SOP` and `ASC_SAT`.
    pub cdl: Option<Cdl>,
    /// `LOC` markers.
    pub locators: Vec<Locator>,
    /// `SPLIT:` that stands before the event.
    pub split: Option<String>,
    /// Sound channels of an `AUD` line.
    pub audio_channels: Vec<u32>,
    /// `EFFECTS NAME IS`.
    pub effect_name: Option<String>,
    /// Every other line under the event, without the stars before it.
    pub remarks: Vec<String>,
}

/// A pair of times as written: the end does not belong to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Span {
    /// First frame.
    pub start: Timecode,
    /// One past the last frame.
    pub end: Timecode,
    /// `start` as the list writes it.
    pub start_text: String,
    /// `end` as the list writes it.
    pub end_text: String,
}

impl Span {
    /// Frames from start to end. An end before the start is a passage over
    /// midnight when that makes it shorter than half a day; else the list is
    /// wrong and the length is negative.
    #[must_use]
    pub fn frames(&self) -> i64 {
        let written = self.end.frames - self.start.frames;
        let day = self.start.frames_per_day();
        if written < 0 && written + day <= day / 2 && written + day > 0 {
            written + day
        } else {
            written
        }
    }

    /// Whether midnight lies inside.
    #[must_use]
    pub fn crosses_midnight(&self) -> bool {
        self.frames() != self.end.frames - self.start.frames
    }
}

/// How an event begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Transition {
    /// `C`.
    Cut,
    /// `D 025`: from the line before, over so many frames.
    Dissolve {
        /// Length in frames.
        frames: u32,
    },
    /// `W001 025`.
    Wipe {
        /// Pattern number of the switcher.
        pattern: u32,
        /// Length in frames.
        frames: u32,
    },
    /// `K`, `KB`, `KO`: a key, its background, its removal.
    Key {
        /// Which of the three.
        role: KeyRole,
        /// Length of the fade in frames.
        frames: u32,
    },
}

/// What a key line describes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum KeyRole {
    /// `K`: the foreground.
    Foreground,
    /// `KB`: the background.
    Background,
    /// `KO`: the key is taken out.
    Out,
}

impl Transition {
    /// Its length; zero for a cut.
    #[must_use]
    pub const fn frames(self) -> u32 {
        match self {
            Self::Cut => 0,
            Self::Dissolve { frames } | Self::Wipe { frames, .. } | Self::Key { frames, .. } => {
                frames
            }
        }
    }

    /// Whether two sources are seen at once: a dissolve or a wipe.
    #[must_use]
    pub const fn mixes(self) -> bool {
        matches!(self, Self::Dissolve { .. } | Self::Wipe { .. })
    }
}

impl fmt::Display for Transition {
    /// As lists write it: `C`, `D`, `W001`, `K`, `KB`, `KO`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Cut => f.write_str("C"),
            Self::Dissolve { .. } => f.write_str("D"),
            Self::Wipe { pattern, .. } => write!(f, "W{pattern:03}"),
            Self::Key { role: KeyRole::Foreground, .. } => f.write_str("K"),
            Self::Key { role: KeyRole::Background, .. } => f.write_str("KB"),
            Self::Key { role: KeyRole::Out, .. } => f.write_str("KO"),
        }
    }
}

impl Event {
    /// Whether the event is on a picture track: `V`, `V2`, `AA/V`, `B` (both).
    #[must_use]
    pub fn is_picture(&self) -> bool {
        self.track.contains(['V', 'v']) || self.track.eq_ignore_ascii_case("B")
    }

    /// Whether the reel stands for black: `BL`, `BLACK`, `BLK`.
    #[must_use]
    pub fn is_black(&self) -> bool {
        ["BL", "BLACK", "BLK"].iter().any(|name| self.reel.eq_ignore_ascii_case(name))
    }

    /// Whether the reel stands for a source without a tape: `AX`, `AUX`, `GEN`, `BARS`.
    /// Some systems write it for every file and put the name into a remark.
    #[must_use]
    pub fn is_auxiliary(&self) -> bool {
        ["AX", "AUX", "GEN", "BARS"].iter().any(|name| self.reel.eq_ignore_ascii_case(name))
    }
}

/// Reads an edit list whose timecodes count at `rate`.
///
/// What cannot be read is in [`Edl::problems`] and [`Edl::warnings`];
/// everything else is kept.
///
/// # Errors
/// [`Code::TooLarge`] beyond [`limits::MAX_EDL_BYTES`].
pub fn parse(bytes: &[u8], rate: FrameRate) -> Outcome<Edl> {
    if bytes.len() as u64 > limits::MAX_EDL_BYTES {
        let message =
            format!("the edit list has {} bytes; {} are read", bytes.len(), limits::MAX_EDL_BYTES);
        return Err(Fault::new(Code::TooLarge, message));
    }
    let (text, encoding) = text::decode(bytes);
    let mut edl = Edl {
        title: String::new(),
        rate,
        encoding,
        frame_code_modes: Vec::new(),
        remarks: Vec::new(),
        events: Vec::new(),
        problems: Vec::new(),
        warnings: Vec::new(),
    };
    let mut reader =
        Reader { rate, marks: text::marks_drop_frame(&text), drop: false, split: None };
    for (number, line) in text::lines(&text) {
        if let Err(why) = reader.read(&mut edl, number, line) {
            edl.problems.push(unreadable(number, line, &why));
        }
    }
    Ok(edl)
}

fn unreadable(number: usize, line: &str, why: &str) -> Fault {
    let message = format!("'{}' cannot be read: {why}", text::printable(line));
    Fault::new(Code::BadEdlLine, message).at(format!("line {number}"))
}

/// What the lines above mean for the line in hand.
struct Reader {
    rate: FrameRate,
    /// The list marks drop frame by `;`, so that `:` means non-drop, whatever `FCM` says.
    marks: bool,
    /// The last `FCM` said drop frame.
    drop: bool,
    /// A `SPLIT:` that waits for its event.
    split: Option<String>,
}

/// Why a line cannot be read: lower case, no full stop.
type Why = String;

impl Reader {
    fn read(&mut self, edl: &mut Edl, number: usize, line: &str) -> Result<(), Why> {
        if let Some(title) = remark::value_of(line, "TITLE:") {
            if edl.title.is_empty() && edl.events.is_empty() {
                edl.title = title.to_owned();
                return Ok(());
            }
        } else if let Some(mode) = remark::value_of(line, "FCM:") {
            self.drop = mode.get(..4).is_some_and(|head| head.eq_ignore_ascii_case("DROP"));
            edl.frame_code_modes.push((number, mode.to_owned()));
            return Ok(());
        } else if let Some(split) = remark::value_of(line, "SPLIT:") {
            self.split = Some(split.split_whitespace().collect::<Vec<_>>().join(" "));
            return Ok(());
        } else if let Some(words) = line::split(line)? {
            let event = self.event(number, &words)?;
            edl.events.push(event);
            return Ok(());
        }
        match edl.events.last_mut() {
            None => edl.remarks.push(remark::without_stars(line).to_owned()),
            Some(event) => {
                if let Err(why) = remark::attach(event, line) {
                    edl.warnings.push(unreadable(number, line, &why));
                }
            }
        }
        Ok(())
    }

    fn event(&mut self, number: usize, words: &line::Words<'_>) -> Result<Event, Why> {
        Ok(Event {
            line: number,
            number: words.number.to_owned(),
            reel: words.reel.to_owned(),
            track: words.track.to_owned(),
            transition: words.transition,
            source: self.span(words.times[0], words.times[1])?,
            record: self.span(words.times[2], words.times[3])?,
            clip_name: None,
            to_clip_name: None,
            source_file: None,
            motion: Vec::new(),
            freeze: false,
            cdl: None,
            locators: Vec::new(),
            split: self.split.take(),
            audio_channels: Vec::new(),
            effect_name: None,
            remarks: Vec::new(),
        })
    }

    fn span(&self, start: &str, end: &str) -> Result<Span, Why> {
        Ok(Span {
            start: self.time(start)?,
            end: self.time(end)?,
            start_text: start.to_owned(),
            end_text: end.to_owned(),
        })
    }

    /// A timecode, or a frame count where there is no colon.
    fn time(&self, text: &str) -> Result<Timecode, Why> {
        if text.bytes().all(|b| b.is_ascii_digit()) {
            let frames = text.parse().map_err(|_| format!("'{text}' is not a frame number"))?;
            return Ok(Timecode { frames, rate: self.rate, drop_frame: false });
        }
        let drop = self.drop && !self.marks && self.rate.timebase().is_multiple_of(30);
        let read = if drop {
            Timecode::parse(&text.replacen(':', ";", 3), self.rate)
        } else {
            Timecode::parse(text, self.rate)
        };
        read.map_err(|fault| fault.message)
    }
}
