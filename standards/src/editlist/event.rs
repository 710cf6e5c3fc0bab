//! One event: which source frames stand where, and what the list says about them.

use platefarm_model::{Fault, FrameRate, Timecode};
use std::fmt;

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
    /// Reel before the list cut it: `FINAL CUT PRO REEL: ... REPLACED BY: ...`.
    pub long_reel: Option<String>,
    /// UMID of the source as written, without blanks.
    pub umid: Option<String>,
    /// What the list knows of the whole source.
    pub media: Option<Media>,
    /// A speed that changes within the event, as points between which it runs
    /// evenly; empty when the speed is constant (then [`Self::motion`] says it).
    pub remap: Vec<RemapPoint>,
    /// Whether it is seen. Systems keep clips that are switched off.
    pub enabled: bool,
    /// Nested sequences that it lies in, the outermost first.
    pub within: Vec<String>,
    /// Why its times are not to be trusted, with the line as its place. An
    /// event with a doubt is shown, and makes no plate.
    pub doubt: Option<Fault>,
}

/// What a list knows of the whole source of an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Media {
    /// Timecode of its first frame.
    pub start: Timecode,
    /// Frames; 0 when the list does not say.
    pub frames: i64,
}

/// A point of a speed that changes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RemapPoint {
    /// Record frames from the event's record start.
    pub record: f64,
    /// Source frames from the event's source start that are shown there.
    pub source: f64,
}

/// The frame that nobody marked, for events whose list gives no times.
const NOWHERE: Timecode = Timecode { frames: 0, rate: FrameRate::FPS_24, drop_frame: false };

impl Default for Event {
    /// An empty cut at nowhere; readers fill in what they know.
    fn default() -> Self {
        Self {
            line: 0,
            number: String::new(),
            reel: String::new(),
            track: String::new(),
            transition: Transition::Cut,
            source: Span::of(NOWHERE, 0),
            record: Span::of(NOWHERE, 0),
            clip_name: None,
            to_clip_name: None,
            source_file: None,
            motion: Vec::new(),
            freeze: false,
            cdl: None,
            locators: Vec::new(),
            split: None,
            audio_channels: Vec::new(),
            effect_name: None,
            remarks: Vec::new(),
            long_reel: None,
            umid: None,
            media: None,
            remap: Vec::new(),
            enabled: true,
            within: Vec::new(),
            doubt: None,
        }
    }
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
    /// `frames` frames from `start`, with the texts that a list would write.
    #[must_use]
    pub fn of(start: Timecode, frames: i64) -> Self {
        let end = start.plus(frames);
        Self { start, end, start_text: start.to_string(), end_text: end.to_string() }
    }

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

/// A colour decision of the American Society of Cinematographers, as remarks carry it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Cdl {
    /// `ASC_SOP`.
    pub sop: Option<Sop>,
    /// `ASC_SAT`.
    pub saturation: Option<f64>,
}

/// Slope, offset and power of red, green, blue.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Sop {
    /// Slope.
    pub slope: [f64; 3],
    /// Offset.
    pub offset: [f64; 3],
    /// Power.
    pub power: [f64; 3],
}

/// A marker: `LOC: 01:00:01:00 RED ABC_010_0010 clean up`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Locator {
    /// Record time as written.
    pub at: String,
    /// Colour as written; may be empty.
    pub color: String,
    /// Text; may be empty.
    pub text: String,
}

/// A speed change: `M2 REEL 048.0 01:00:00:00`.
#[derive(Clone, Debug, PartialEq)]
pub struct MotionEffect {
    /// Reel as written; empty when the line has none.
    pub reel: String,
    /// Source frames per second of record time; 0 holds a frame, below 0 runs backwards.
    pub fps: f64,
    /// Source time at which it begins, as written; may be empty.
    pub at: String,
}

impl MotionEffect {
    /// Source frames per frame of record, in a list at `rate`.
    ///
    /// Lists count by the timebase: 24.0 is full speed at 23.976 too. Some write
    /// the true rate, as 23.976 or 47.95: where more than tenths are written,
    /// and they come to whole per cents of the true rate, that is meant.
    #[must_use]
    pub fn speed(&self, rate: FrameRate) -> f64 {
        /// What two or three digits behind the point leave open.
        const ROUNDED: f64 = 3e-4;
        let whole = |speed: f64| (speed * 100.0).round() / 100.0;
        let off = |speed: f64| (speed - whole(speed)).abs();
        let [counted, exact] =
            [f64::from(rate.timebase()), rate.as_f64()].map(|full| self.fps / full);
        let only_tenths = (self.fps * 10.0 - (self.fps * 10.0).round()).abs() < 1e-6;
        if !only_tenths && off(exact) < ROUNDED && off(exact) < off(counted) {
            whole(exact)
        } else {
            counted
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_speed_counts_by_the_timebase_or_by_the_true_rate() {
        for (rate, fps, speed) in [
            ("23.976", 24.0, 1.0),
            ("23.976", 48.0, 2.0),
            ("23.976", -24.0, -1.0),
            ("23.976", 0.0, 0.0),
            // 130 % of the timebase, and of the true rate with two digits and with three.
            ("23.976", 31.2, 1.3),
            ("23.976", 31.17, 1.3),
            ("23.976", 31.169, 1.3),
            ("23.976", 23.976, 1.0),
            ("23.976", 23.98, 1.0),
            ("23.976", 47.95, 2.0),
            ("23.976", -11.988, -0.5),
            ("29.97", 29.97, 1.0),
            ("29.97", 14.985, 0.5),
            ("59.94", 59.94, 1.0),
            // Tenths do not tell the two apart.
            ("23.976", 36.2, 36.2 / 24.0),
            // A list at 24 means what it writes.
            ("24", 23.976, 0.999),
            ("24", 31.7, 31.7 / 24.0),
        ] {
            let told = MotionEffect { reel: String::new(), fps, at: String::new() };
            let found = told.speed(rate.parse().unwrap());
            assert!((found - speed).abs() < 1e-12, "{fps} at {rate}: {found}");
        }
        // Full speed is exactly that, or a plain cut would count as retimed.
        let told = MotionEffect { reel: String::new(), fps: 29.97, at: String::new() };
        assert_eq!(told.speed("29.97".parse().unwrap()).to_bits(), 1.0_f64.to_bits());
    }
}
