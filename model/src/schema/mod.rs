//! The schema in which every clip is described, whatever camera wrote it.
//!
//! A field has one row in [`FIELDS`]: its name, group, kind, unit, and how it
//! is found in a [`ClipInfo`]. The JSON of `platefarm inspect`, its JSON
//! Schema, what is printed for people, the page in `docs/` and the attributes
//! of a plate's header all follow from that slice. Names are those of
//! OpenEXR's standard attributes where one exists.
//!
//! A field that the workflow needs and that nobody wrote is [`MISSING`]: never
//! zero, never guessed. Other unknown fields are left out.

mod fields;

pub use fields::FIELDS;

use crate::clip::{ClipInfo, FrameLine};
use crate::raw::Rect;
use crate::{FrameRate, FrameSet, Timecode};
use serde::ser::SerializeMap;
use serde::{Serialize, Serializer};

/// Name and version of the document that `inspect --json` prints. The number grows
/// when a field is renamed, retyped or removed; new fields do not change it.
pub const VERSION: &str = "platefarm.inspect/1";

/// What stands for a value that the workflow needs and the media does not give.
pub const MISSING: &str = "Missing";

/// What a field is about; the order is that of the document.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Group {
    /// Which clip it is.
    Identity,
    /// When it was shot and how it counts.
    Timing,
    /// Its raster and its sensor.
    Geometry,
    /// How it is stored.
    Codec,
    /// What its numbers mean as colours.
    Color,
    /// How it was exposed.
    Exposure,
    /// What shot it.
    Camera,
    /// What it was shot through.
    Lens,
}

impl Group {
    /// Every group, in order.
    pub const ALL: [Self; 8] = [
        Self::Identity,
        Self::Timing,
        Self::Geometry,
        Self::Codec,
        Self::Color,
        Self::Exposure,
        Self::Camera,
        Self::Lens,
    ];

    /// Its key in the document.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Identity => "identity",
            Self::Timing => "timing",
            Self::Geometry => "geometry",
            Self::Codec => "codec",
            Self::Color => "color",
            Self::Exposure => "exposure",
            Self::Camera => "camera",
            Self::Lens => "lens",
        }
    }
}

/// What a field's value is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Text.
    Text,
    /// Yes or no.
    Flag,
    /// A whole number.
    Integer,
    /// A number in a unit; the empty unit is a ratio.
    Number(&'static str),
    /// Several numbers.
    Numbers,
    /// Frames per second, an exact ratio.
    Rate,
    /// SMPTE ST 12 timecode.
    Timecode,
    /// A set of frame indices.
    Frames,
    /// Columns and rows.
    Size,
    /// A rectangle of whole pixels.
    Box,
    /// Frame lines.
    Lines,
}

/// A value of the schema.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// Text.
    Text(String),
    /// Yes or no.
    Flag(bool),
    /// A whole number.
    Integer(i64),
    /// A number.
    Number(f64),
    /// Several numbers.
    Numbers(Vec<f64>),
    /// Frames per second.
    Rate(FrameRate),
    /// Timecode.
    Timecode(Timecode),
    /// Frame indices.
    Frames(FrameSet),
    /// Columns and rows.
    Size([u32; 2]),
    /// A rectangle.
    Box(Rect),
    /// Frame lines.
    Lines(Vec<FrameLine>),
}

impl Serialize for Value {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Text(text) => text.serialize(to),
            Self::Flag(flag) => flag.serialize(to),
            Self::Integer(number) => number.serialize(to),
            Self::Number(number) => number.serialize(to),
            Self::Numbers(numbers) => numbers.serialize(to),
            Self::Rate(rate) => to.collect_str(rate),
            Self::Timecode(timecode) => to.collect_str(timecode),
            Self::Frames(frames) => to.collect_str(frames),
            Self::Size(size) => size.serialize(to),
            Self::Box(rect) => rect.serialize(to),
            Self::Lines(lines) => lines.serialize(to),
        }
    }
}

/// For people; numbers as short as they are exact.
impl std::fmt::Display for Value {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Text(text) => f.write_str(text),
            Self::Flag(flag) => f.write_str(if *flag { "yes" } else { "no" }),
            Self::Integer(number) => number.fmt(f),
            Self::Number(number) => write!(f, "{}", rounded(*number)),
            Self::Numbers(numbers) => {
                let texts: Vec<String> = numbers.iter().map(|n| rounded(*n).to_string()).collect();
                f.write_str(&texts.join(" "))
            }
            Self::Rate(rate) => rate.fmt(f),
            Self::Timecode(timecode) => timecode.fmt(f),
            Self::Frames(frames) => frames.fmt(f),
            Self::Size([width, height]) => write!(f, "{width}x{height}"),
            Self::Box(r) => write!(f, "{}x{} at {},{}", r.width, r.height, r.x, r.y),
            Self::Lines(lines) => {
                let texts: Vec<String> = lines
                    .iter()
                    .map(|l| {
                        format!("{} {}x{} at {},{}", l.label, l.width, l.height, l.left, l.top)
                    })
                    .collect();
                f.write_str(&texts.join("; "))
            }
        }
    }
}

/// To six decimals: what is shown need not carry the noise of a division.
fn rounded(number: f64) -> f64 {
    (number * 1e6).round() / 1e6
}

/// One field of the schema.
#[derive(Debug)]
pub struct Field {
    /// Its name.
    pub name: &'static str,
    /// What it is about.
    pub group: Group,
    /// What its value is.
    pub kind: Kind,
    /// Whether it is a standard attribute of OpenEXR, of the same name and unit.
    pub standard: bool,
    /// Whether the workflow needs it: where it is unknown it is [`MISSING`].
    pub critical: bool,
    /// One line: what it says.
    pub doc: &'static str,
    value: fn(&ClipInfo) -> Option<Value>,
}

impl Field {
    /// Its value in a clip; `None` where it is not known.
    #[must_use]
    pub fn of(&self, clip: &ClipInfo) -> Option<Value> {
        (self.value)(clip)
    }

    /// The unit of a number.
    #[must_use]
    pub const fn unit(&self) -> &'static str {
        match self.kind {
            Kind::Number(unit) => unit,
            _ => "",
        }
    }
}

/// The field of a name.
#[must_use]
pub fn field(name: &str) -> Option<&'static Field> {
    FIELDS.iter().find(|field| field.name == name)
}

/// What the workflow needs and a clip does not have, in the order of the document.
pub fn missing(clip: &ClipInfo) -> impl Iterator<Item = &'static Field> {
    FIELDS.iter().filter(|field| field.critical && field.of(clip).is_none())
}

/// A clip as the document has it.
#[derive(Clone, Copy, Debug)]
pub struct Described<'a>(pub &'a ClipInfo);

impl Serialize for Described<'_> {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let clip = self.0;
        let mut map = to.serialize_map(None)?;
        map.serialize_entry("path", &clip.path)?;
        for group in Group::ALL {
            map.serialize_entry(group.name(), &GroupOf(clip, group))?;
        }
        map.serialize_entry("varies", &clip.varies)?;
        let missing: Vec<&str> = missing(clip).map(|field| field.name).collect();
        map.serialize_entry("missing", &missing)?;
        if clip.primaries_assumed {
            map.serialize_entry("primariesAssumed", &true)?;
        }
        map.serialize_entry("sidecars", &clip.sidecars)?;
        map.serialize_entry("vendor", &clip.vendor)?;
        map.serialize_entry("notes", &clip.notes)?;
        map.end()
    }
}

/// The fields of one group.
struct GroupOf<'a>(&'a ClipInfo, Group);

impl Serialize for GroupOf<'_> {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let mut map = to.serialize_map(None)?;
        for field in FIELDS.iter().filter(|field| field.group == self.1) {
            match field.of(self.0) {
                Some(value) => map.serialize_entry(field.name, &value)?,
                None if field.critical => map.serialize_entry(field.name, MISSING)?,
                None => {}
            }
        }
        map.end()
    }
}

#[cfg(test)]
mod tests;
