//! The standard attributes that follow from the schema of clips: whatever a
//! row there says of lens, exposure and camera, a plate's header carries by
//! the same name, in OpenEXR's type for it.

use exr::meta::attribute::{AttributeValue, Text};
use exr::meta::header::LayerAttributes;
use platefarm_model::FrameRate;
use platefarm_model::clip::ClipInfo;
use platefarm_model::schema::{FIELDS, Field, Kind, Value};
use std::collections::BTreeMap;

/// Standard fields that the header writes by itself, or that are not the plate's: the rectangle of
/// photosites is that of the whole clip, and a framed plate shows a part of it.
const ELSEWHERE: &[&str] = &[
    "pixelAspectRatio",
    "timeCode",
    "framesPerSecond",
    "reelName",
    "cameraMake",
    "cameraModel",
    "cameraLabel",
    "cameraSerialNumber",
    "cameraCCTSetting",
    "isoSpeed",
    "expTime",
    "tStop",
    "sensorAcquisitionRectangle",
];

fn fields() -> impl Iterator<Item = &'static Field> {
    FIELDS.iter().filter(|field| field.standard && !ELSEWHERE.contains(&field.name))
}

/// Whether the clip's value of a field is that of frame `index`. Of what changes over the frames
/// only the first one's is known.
pub(super) fn holds(info: &ClipInfo, name: &str, index: i64) -> bool {
    index == 0 || !info.varies.contains_key(name)
}

/// What a clip says of its frame `index`.
pub(super) fn of_clip(info: &ClipInfo, index: i64) -> BTreeMap<String, Value> {
    let known = fields().filter(|field| holds(info, field.name, index));
    known
        .filter_map(|field| {
            let value = match field.of(info)? {
                // As the file will have it: binary32.
                Value::Number(number) => Value::Number(f64::from(number as f32)),
                value => value,
            };
            Some((field.name.to_owned(), value))
        })
        .collect()
}

/// The attributes that the `exr` crate keeps as fields of its own, and reserves.
pub(super) fn reserve(values: &BTreeMap<String, Value>, header: &mut LayerAttributes) {
    let number = |name: &str| match values.get(name) {
        Some(Value::Number(number)) if number.is_finite() => Some(*number as f32),
        _ => None,
    };
    header.aperture = number("aperture");
    header.focus = number("focus");
    header.utc_offset = number("utcOffset");
    header.capture_date = match values.get("capDate") {
        Some(Value::Text(date)) if !date.is_empty() => Some(super::header::text(date)),
        _ => None,
    };
}

/// Their names.
const RESERVED: &[&str] = &["aperture", "focus", "utcOffset", "capDate"];

/// The others as attributes. What has no type of OpenEXR's is left out.
pub(super) fn to_attributes(
    values: &BTreeMap<String, Value>,
) -> impl Iterator<Item = (&str, AttributeValue)> {
    let free = values.iter().filter(|(name, _)| !RESERVED.contains(&name.as_str()));
    free.filter_map(|(name, value)| {
        let value = match value {
            Value::Text(value) if !value.is_empty() => {
                AttributeValue::Text(super::header::text(value))
            }
            Value::Number(value) if value.is_finite() => AttributeValue::F32(*value as f32),
            Value::Rate(rate) => AttributeValue::Rational((
                i32::try_from(rate.numerator()).ok()?,
                rate.denominator(),
            )),
            _ => return None,
        };
        Some((name.as_str(), value))
    })
}

/// Back from a file's attributes.
pub(super) fn from_attributes(
    attributes: &BTreeMap<String, AttributeValue>,
) -> BTreeMap<String, Value> {
    let shown = |text: &Text| String::from_utf8_lossy(text.as_slice()).into_owned();
    fields()
        .filter_map(|field| {
            let value = match (field.kind, attributes.get(field.name)?) {
                (Kind::Text, AttributeValue::Text(text)) => Value::Text(shown(text)),
                (Kind::Number(_), AttributeValue::F32(number)) => Value::Number((*number).into()),
                (Kind::Rate, AttributeValue::Rational((n, d))) => {
                    Value::Rate(FrameRate::new(u32::try_from(*n).ok()?, *d).ok()?)
                }
                _ => return None,
            };
            Some((field.name.to_owned(), value))
        })
        .collect()
}
