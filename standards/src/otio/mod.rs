//! OpenTimelineIO JSON: a small model of our own.
//!
//! A document is kept as it was read, so that schemas, versions and metadata
//! that we do not know come out as they went in; [`Document::edit_list`] reads
//! the few that an edit needs. Numbers that no JSON reader holds (NaN,
//! infinities, integers beyond 64 bits), which OpenTimelineIO writes, survive too.
//!
//! Source: the OpenTimelineIO 0.18 serialized schema (`Timeline.1`, `Stack.1`,
//! `Track.1`, `Clip.1` and `.2`, `Gap.1`, `Transition.1`, `LinearTimeWarp.1`,
//! `FreezeFrame.1`, the media references, `Marker.2`).

mod clip;
mod numbers;
mod walk;

use crate::editlist::{EditList, bounded};
use platefarm_model::{Code, Fault, FrameRate, Outcome, limits};
use serde_json::Value;

/// A document of any root: a timeline, a collection, a stack, a clip.
#[derive(Clone, Debug, PartialEq)]
pub struct Document {
    root: Value,
}

impl Document {
    /// Reads a document.
    ///
    /// # Errors
    /// [`Code::BadEditList`] when it is not JSON or its root has no `OTIO_SCHEMA`;
    /// [`Code::TooLarge`] beyond [`limits::MAX_TIMELINE_BYTES`].
    pub fn parse(bytes: &[u8]) -> Outcome<Self> {
        bounded(bytes, limits::MAX_TIMELINE_BYTES)?;
        let text = std::str::from_utf8(bytes).map_err(|error| {
            Fault::new(Code::BadEditList, "an OTIO document is UTF-8, and this is not")
                .at(format!("offset {}", error.valid_up_to()))
        })?;
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        let root: Value = serde_json::from_str(&numbers::wrapped(text)).map_err(|error| {
            Fault::new(Code::BadEditList, "this is not JSON")
                .at(format!("line {}", error.line()))
                .because(&error)
        })?;
        if schema(&root).0.is_empty() {
            return Err(Fault::new(Code::BadEditList, "the document has no OTIO_SCHEMA")
                .remedy("Hand in an .otio file as OpenTimelineIO writes it."));
        }
        Ok(Self { root })
    }

    /// The document, with everything that it was read with.
    #[must_use]
    pub fn to_json(&self) -> String {
        numbers::unwrapped(&format!("{:#}", self.root))
    }

    /// The events of its timeline; `rate` counts record times where the document says no rate.
    ///
    /// # Errors
    /// [`Code::BadEditList`] when there is no timeline in it, or one beyond the limits.
    pub fn edit_list(&self, rate: Option<FrameRate>) -> Outcome<EditList> {
        walk::edit_list(&self.root, rate)
    }
}

/// Reads a document's events; see [`Document::edit_list`].
///
/// # Errors
/// As [`Document::parse`] and [`Document::edit_list`].
pub fn parse(bytes: &[u8], rate: Option<FrameRate>) -> Outcome<EditList> {
    Document::parse(bytes)?.edit_list(rate)
}

/// Name and version of an object's schema; `""` and 0 for what is no object.
fn schema(value: &Value) -> (&str, u64) {
    let text = value.get("OTIO_SCHEMA").and_then(Value::as_str).unwrap_or_default();
    let (name, version) = text.rsplit_once('.').unwrap_or((text, "0"));
    (name, version.parse().unwrap_or(0))
}

/// A list below an object; empty where there is none.
fn list<'a>(value: &'a Value, key: &str) -> &'a [Value] {
    value.get(key).and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

/// A text below an object, unless it is empty.
fn text<'a>(value: &'a Value, key: &str) -> Option<&'a str> {
    value.get(key).and_then(Value::as_str).map(str::trim).filter(|text| !text.is_empty())
}

/// A time: a value in units of a rate.
#[derive(Clone, Copy, Debug)]
struct Time {
    value: f64,
    rate: f64,
}

impl Time {
    /// `RationalTime`; values beyond what a frame count may be are none.
    fn of(value: &Value) -> Option<Self> {
        const MOST: f64 = 1e12;
        let number = |key| value.get(key).and_then(Value::as_f64);
        let time = Self { value: number("value")?, rate: number("rate")? };
        (time.value.abs() < MOST && time.rate > 0.0 && time.rate < 1e9).then_some(time)
    }

    /// Whole frames at another rate; 0 for a rate that is none.
    fn frames_at(self, rate: f64) -> i64 {
        let scaled = if same_rate(self.rate, rate) {
            self.value
        } else {
            (self.value * rate / self.rate).clamp(-1e15, 1e15)
        };
        // Nearest, halves up: a clip never loses its last frame to the noise of a quotient.
        (scaled + 0.5).floor() as i64
    }

    /// Its rate as an exact one, where it is that of pictures.
    fn frame_rate(self) -> Option<FrameRate> {
        format!("{}", self.rate).parse().ok()
    }
}

/// `TimeRange`: start and duration.
fn range(value: Option<&Value>) -> Option<(Time, Time)> {
    let value = value?;
    Some((Time::of(value.get("start_time")?)?, Time::of(value.get("duration")?)?))
}

/// Whether timecode of what an object stands for drops frames, at a rate at which that can be. The
/// schemas have no word for it; who reads an AAF for us leaves one with its mobs.
fn drops(object: &Value, rate: FrameRate) -> bool {
    let mob = object.get("metadata").and_then(|metadata| metadata.get("AAF"));
    let said = mob.and_then(|mob| mob.get("DropFrame")).and_then(Value::as_bool);
    said == Some(true) && rate.timebase().is_multiple_of(30)
}

/// Equal but for the noise of how a rate was written.
fn same_rate(a: f64, b: f64) -> bool {
    (a - b).abs() < 1e-6 * a.abs().max(b.abs())
}
