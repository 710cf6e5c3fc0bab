//! A pull: from the events of an edit list to named plates, and what the
//! package around them must hold. Planned by `scheduler::pulls`, packed by
//! `worker`.

use crate::clip::ClipInfo;
use crate::delivery::Delivery;
use crate::recipe::{Compression, Debayer, OutputColor};
use crate::repair::Repairs;
use crate::{Code, Fault, FrameRange, FrameRate, FrameSet};
use serde::{Deserialize, Serialize};
use std::fmt;

/// A document that travels with the pull, verbatim.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Document {
    /// File name without directory.
    pub name: String,
    /// Its content, byte for byte.
    pub text: Content,
}

/// The bytes of a document. In JSON they are a string where they are UTF-8, as
/// nearly all are, and else an array of numbers: nothing is replaced on the way.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "Form", into = "Form")]
pub struct Content(Vec<u8>);

#[derive(Serialize, Deserialize)]
#[serde(untagged)]
enum Form {
    Text(String),
    Bytes(Vec<u8>),
}

impl Content {
    /// The bytes.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

impl std::fmt::Debug for Content {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:?}", String::from_utf8_lossy(&self.0))
    }
}

impl From<Vec<u8>> for Content {
    fn from(bytes: Vec<u8>) -> Self {
        Self(bytes)
    }
}

impl From<String> for Content {
    fn from(text: String) -> Self {
        Self(text.into_bytes())
    }
}

impl From<&str> for Content {
    fn from(text: &str) -> Self {
        Self(text.as_bytes().to_vec())
    }
}

impl From<Form> for Content {
    fn from(form: Form) -> Self {
        match form {
            Form::Text(text) => text.into(),
            Form::Bytes(bytes) => bytes.into(),
        }
    }
}

impl From<Content> for Form {
    fn from(content: Content) -> Self {
        match String::from_utf8(content.0) {
            Ok(text) => Self::Text(text),
            Err(error) => Self::Bytes(error.into_bytes()),
        }
    }
}

/// One event of the edit list, as the package reports it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct EventRef {
    /// Event number as written.
    pub number: String,
    /// Line of the list, from 1.
    pub line: usize,
    /// Reel as written.
    pub reel: String,
    /// `FROM CLIP NAME`, where the list has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub clip_name: Option<String>,
    /// Source in, as timecode text.
    pub source_in: String,
    /// Source out (exclusive), as timecode text.
    pub source_out: String,
    /// Record in, as timecode text.
    pub record_in: String,
    /// Record out (exclusive), as timecode text.
    pub record_out: String,
}

/// How a clip was found.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Tier {
    /// By its id, or by the event's reel and the timecode, as they are written.
    #[default]
    Exact,
    /// By a named rule that allows for what systems do to names and timecodes.
    Fuzzy,
    /// By a person.
    Chosen,
}

impl Tier {
    /// The word that people and scripts see.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Exact => "exact",
            Self::Fuzzy => "fuzzy",
            Self::Chosen => "chosen",
        }
    }
}

/// What made a match.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Matched {
    /// How the clip was found.
    pub tier: Tier,
    /// Name of the rule.
    pub rule: String,
    /// How far the rule is to be trusted, from 0 to 1; 1 is exact.
    pub score: f64,
    /// What was equal: `reel = clip name`.
    pub by: String,
    /// The next best clip, where another rule leads to one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub runner_up: Option<Candidate>,
}

impl fmt::Display for Matched {
    /// `exact: reel = clip name`; `fuzzy cut-reel 0.90: reel = start of clip name`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.tier {
            Tier::Fuzzy => write!(f, "fuzzy {} {:.2}: {}", self.rule, self.score, self.by),
            tier => write!(f, "{}: {}", tier.word(), self.by),
        }
    }
}

/// A clip that an event may have come from.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Candidate {
    /// Its path.
    pub path: String,
    /// Its name.
    pub clip_name: String,
    /// Its reel.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reel_name: Option<String>,
    /// Its timecodes, both ends included, where it has any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timecodes: Option<[String; 2]>,
    /// The rule that leads to it.
    pub rule: String,
    /// How far the rule is to be trusted.
    pub score: f64,
    /// Whether its file was looked for and is not there.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub gone: bool,
}

/// A speed change of the edit: recorded beside the plate, never baked into it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Retime {
    /// Source frames per frame of record: 2 is double speed, 0 holds a frame, below 0 runs backwards.
    pub speed: f64,
    /// Frames of the edit that the shot lasts.
    pub record_frames: i64,
    /// Source frames that it shows, handles not counted.
    pub source_frames: i64,
}

/// A plate that will be rendered.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PlatePlan {
    /// `<shot>_PL01_v001`.
    pub name: String,
    /// The shot that it is a plate of.
    #[serde(default)]
    pub shot: String,
    /// Which plate of the shot, from 1.
    #[serde(default)]
    pub number: u32,
    /// Its version.
    #[serde(default)]
    pub version: u32,
    /// The event it comes from.
    pub event: EventRef,
    /// Further events that the plate serves, where a shot is delivered once however often it is used.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub also: Vec<EventRef>,
    /// How the clip was found.
    pub matched: Matched,
    /// The clip.
    pub clip: ClipInfo,
    /// Index within the clip of the first delivered frame.
    pub source_first: i64,
    /// Delivered frames, handles included; the first is 1001.
    pub frames: FrameRange,
    /// Frames of head and tail handle that the media had.
    pub handles: [u32; 2],
    /// Delivered size in pixels.
    pub size: [u32; 2],
    /// The speed change of the edit, where there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retime: Option<Retime>,
    /// Names everything that decides the pixels, whatever the plate is called: equal recipes
    /// make equal pictures, frame by frame of the source.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub recipe: String,
    /// Frames that are taken over from an earlier delivery of the same recipe.
    #[serde(default, skip_serializing_if = "FrameSet::is_empty")]
    pub reused: FrameSet,
    /// Names of the plates that those are of.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub reused_from: Vec<String>,
    /// Further documents beside its frames: colour decisions as `.cc` and `.cdl`, files that its AMF alone names.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub documents: Vec<Document>,
    /// The ACES metadata file that goes with it, complete.
    pub amf: Document,
    /// The camera's transform that the AMF refers to, as a Common LUT Format
    /// file, where no registered transform says it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub clf: Option<Document>,
    /// Names of the looks of the [package](PackageColor) that stand beside it, since its AMF names them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub looks: Vec<String>,
    /// What was assumed or clamped.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<Fault>,
}

impl PlatePlan {
    /// Whether the media lacks frames that its event shows.
    #[must_use]
    pub fn is_short(&self) -> bool {
        self.notes.iter().any(|note| note.code == Code::FramesShort)
    }
}

/// Colour that the plates of a package have in common.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PackageColor {
    /// Name of the AMF that came in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub amf: Option<String>,
    /// What plates are meant to be looked at in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub view: Option<String>,
    /// Looks that go along with plates.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub looks: Vec<Document>,
}

impl PackageColor {
    /// Whether there is nothing in it.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// An event that became no plate, and why.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Rejected {
    /// The event, where its line could be read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub event: Option<EventRef>,
    /// Why.
    pub fault: Fault,
    /// Clips between which a person has to choose, or the nearest ones, best first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub candidates: Vec<Candidate>,
}

/// Everything that the package step needs; the frames' results come from the farm.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PackageSpec {
    /// Directory of the package.
    pub out_dir: String,
    /// Name of the pull.
    pub name: String,
    /// Production.
    pub show: String,
    /// Rate of the edit list.
    pub rate: FrameRate,
    /// Plates, in the order of the job's steps.
    pub plates: Vec<PlatePlan>,
    /// Events that became no plate.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub rejected: Vec<Rejected>,
    /// The edit list as it was handed in.
    pub edl: Document,
    /// The FDL with the delivered canvases, where one was handed in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fdl: Option<Document>,
    /// The show's look, an ACES metadata file, where it has one: for those who look at the plates,
    /// and in no pixel.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub look: Option<Document>,
    /// Debayer of every plate.
    pub debayer: Debayer,
    /// What is mended before it.
    #[serde(default, skip_serializing_if = "Repairs::is_none")]
    pub repairs: Repairs,
    /// Compression of every plate.
    pub compression: Compression,
    /// Colour of every plate.
    pub color_out: OutputColor,
    /// What was asked of the delivery, complete.
    #[serde(default)]
    pub delivery: Delivery,
    /// Settings that nobody gave for this pull, as `name = value`; with whose they are, where they
    /// are the show's or the media's.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub defaulted: Vec<String>,
    /// Documents of the pull as a whole, beside the plates: pull list and the like.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub documents: Vec<Document>,
    /// The AMF that came in, and what goes along of it.
    #[serde(default, skip_serializing_if = "PackageColor::is_empty")]
    pub color: PackageColor,
    /// What was assumed for the whole pull.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<Fault>,
}

#[cfg(test)]
mod tests {
    use super::Content;

    /// An edit list in a Windows code page comes out as it went in.
    #[test]
    fn content_survives_json_byte_for_byte() {
        for bytes in [&b"TITLE: CUT\r\n"[..], b"TITLE: CAF\xC9\r\n", b"", b"\xFF\xFE"] {
            let content = Content::from(bytes.to_vec());
            let json = serde_json::to_string(&content).unwrap();
            assert_eq!(serde_json::from_str::<Content>(&json).unwrap().as_bytes(), bytes, "{json}");
        }
        assert_eq!(serde_json::to_string(&Content::from("a")).unwrap(), "\"a\"");
    }
}
