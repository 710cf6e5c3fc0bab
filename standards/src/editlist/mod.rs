//! Edit lists as one value, whatever wrote them.
//!
//! Editing systems hand over a cut as a CMX 3600 list, an OpenTimelineIO
//! document, a Final Cut 7 XML, an AAF or an ALE. Each has a reader of its own
//! (a folder or file beside this one) that ends here: a list of events that say
//! which source frames stand where in the cut. Pulls, differences and displays
//! know this value only.
//!
//! Transitions are told as CMX 3600 tells them, in two lines: the outgoing
//! side, without length, and the incoming side with the transition. That form
//! says everything the others say, and it is the one people read.

mod diff;
mod event;
mod json;
mod read;
mod track;

pub use diff::{Change, Changed, Diff, Side, diff};
pub use event::{
    Cdl, Event, KeyRole, Locator, Media, MotionEffect, RemapPoint, Sop, Span, Transition,
};
pub use json::{diff_to_json, to_json};
pub use read::{read, sniff};
pub(crate) use track::{Budget, Item, Mix, bounded, cut_to, lay, path_of, source_time};

use platefarm_model::{Fault, FrameRate};

/// An edit list.
#[derive(Clone, Debug, PartialEq)]
pub struct EditList {
    /// What it was written as.
    pub format: Format,
    /// `TITLE:`, without blanks around it; empty when the list has none.
    pub title: String,
    /// The rate of its record times. A CMX 3600 list does not say it.
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
    /// [`platefarm_model::Code::BadEdlLine`] at `line N`, with the line in the message.
    pub problems: Vec<Fault>,
    /// What means something and could not be read, likewise. Its event is there.
    pub warnings: Vec<Fault>,
}

impl EditList {
    /// A list without events.
    #[must_use]
    pub fn new(format: Format, rate: FrameRate) -> Self {
        Self {
            format,
            title: String::new(),
            rate,
            encoding: Encoding::Utf8,
            frame_code_modes: Vec::new(),
            remarks: Vec::new(),
            events: Vec::new(),
            problems: Vec::new(),
            warnings: Vec::new(),
        }
    }

    /// Whether the longest reels of picture events have eight characters and no event says what
    /// its whole reel was: what an export for CMX 3600 leaves of longer names. There are cameras
    /// whose names have eight.
    #[must_use]
    pub fn reels_look_cut(&self) -> bool {
        let pictures = self.events.iter().filter(|event| event.is_picture());
        let mut reels = pictures.filter(|event| !event.is_black() && !event.is_auxiliary());
        let longest = reels.clone().map(|event| event.reel.chars().count()).max();
        self.format == Format::Edl
            && longest == Some(8)
            && reels.all(|event| event.long_reel.is_none())
    }
}

/// What a list was written as.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Format {
    /// CMX 3600 and its relatives.
    Edl,
    /// OpenTimelineIO JSON.
    Otio,
    /// Final Cut Pro 7 XML.
    Xmeml,
    /// Final Cut Pro X XML.
    Fcpxml,
    /// Avid Log Exchange.
    Ale,
    /// Advanced Authoring Format.
    Aaf,
}

impl Format {
    /// Every format.
    pub const ALL: &[Self] =
        &[Self::Edl, Self::Otio, Self::Xmeml, Self::Fcpxml, Self::Ale, Self::Aaf];

    /// Its name: `edl`, `otio`, `xmeml`, `fcpxml`, `ale`, `aaf`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Edl => "edl",
            Self::Otio => "otio",
            Self::Xmeml => "xmeml",
            Self::Fcpxml => "fcpxml",
            Self::Ale => "ale",
            Self::Aaf => "aaf",
        }
    }
}

/// How a list was encoded.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Encoding {
    /// UTF-8 without a mark; plain ASCII too.
    Utf8,
    /// UTF-8 with a byte order mark.
    Utf8Bom,
    /// UTF-16, either order, known by its mark or by its zero bytes.
    Utf16,
    /// Windows-1252: every list that is none of the others.
    Windows1252,
}

impl Encoding {
    /// Its name: `utf-8`, `utf-8-sig`, `utf-16`, `cp1252`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Utf8 => "utf-8",
            Self::Utf8Bom => "utf-8-sig",
            Self::Utf16 => "utf-16",
            Self::Windows1252 => "cp1252",
        }
    }
}
