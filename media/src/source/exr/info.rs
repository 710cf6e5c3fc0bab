//! An OpenEXR header in the house's schema: the standard attributes where
//! they mean the same, and all of them as text.

use super::Header;
use exr::compression::Compression;
use exr::meta::attribute::{AttributeValue, Chromaticities, IntegerBounds, TimeCode};
use exr::meta::header::Header as Part;
use platefarm_model::clip::ClipInfo;
use platefarm_model::{Code, Fault, FrameRate};
use std::collections::BTreeMap;

/// Characters of a value that are kept as text.
const SHOWN_CHARACTERS: usize = 160;

/// Fills in what the attributes say.
pub(super) fn fill(header: &Header, info: &mut ClipInfo) {
    let attributes = Attributes::of(&header.part);
    let (identity, camera, lens) = (&mut info.identity, &mut info.camera, &mut info.lens);
    identity.reel_name = attributes.text("reelName");
    identity.camera_label = attributes.text("cameraLabel");
    identity.uuid = attributes.text("cameraUuid");
    // OpenImageIO writes it with a capital.
    info.timing.rate =
        attributes.rate("framesPerSecond").or_else(|| attributes.rate("FramesPerSecond"));
    info.timing.capture_rate = attributes.rate("captureRate");
    camera.make = attributes.text("cameraMake");
    camera.model = attributes.text("cameraModel");
    camera.serial_number = attributes.text("cameraSerialNumber");
    camera.firmware = attributes.text("cameraFirmwareVersion");
    camera.iso_speed = attributes.positive("isoSpeed");
    camera.exposure_time_s = attributes.positive("expTime");
    camera.shutter_angle_deg = attributes.positive("shutterAngle");
    camera.white_kelvin = attributes.positive("cameraCCTSetting");
    camera.white_tint = attributes.number("cameraTintSetting");
    lens.make = attributes.text("lensMake");
    lens.model = attributes.text("lensModel");
    lens.serial_number = attributes.text("lensSerialNumber");
    lens.focal_length_mm = attributes.positive("nominalFocalLength");
    lens.focus_distance_m = attributes.positive("focus");
    lens.t_stop = attributes.positive("tStop");
    lens.f_number = attributes.positive("aperture");
    for (name, value) in &attributes.0 {
        info.vendor.insert(format!("exr.{name}"), shown(value));
    }
    let names: Vec<String> = header.part.channels.list.iter().map(|c| c.name.to_string()).collect();
    info.vendor.insert("exr.channels".into(), clipped(&names.join(" ")));
    info.notes.extend(left_out(header, &names));
}

/// What of the file is not delivered.
fn left_out(header: &Header, names: &[String]) -> Option<Fault> {
    let mut left = Vec::new();
    if header.parts > 1 {
        left.push(format!("{} more parts", header.parts - 1));
    }
    let others: Vec<&str> = names
        .iter()
        .enumerate()
        .filter(|(place, _)| !header.channels.contains(place))
        .map(|(_, name)| name.as_str())
        .collect();
    if !others.is_empty() {
        left.push(format!("channels {}", clipped(&others.join(", "))));
    }
    let layer = header.layer();
    let of = if layer.is_empty() { String::new() } else { format!(" of layer '{layer}'") };
    (!left.is_empty()).then(|| {
        Fault::new(
            Code::UnsupportedFeature,
            format!("only the colour{of} is delivered, not {}", left.join(" and ")),
        )
        .at("channels")
    })
}

/// Name of the compression, as OpenEXR's own tools write it.
pub(super) const fn compression(part: &Part) -> &'static str {
    match part.compression {
        Compression::Uncompressed => "none",
        Compression::RLE => "rle",
        Compression::ZIP1 => "zips",
        Compression::ZIP16 => "zip",
        Compression::PIZ => "piz",
        Compression::PXR24 => "pxr24",
        Compression::B44 => "b44",
        Compression::B44A => "b44a",
        Compression::DWAA(_) => "dwaa",
        Compression::DWAB(_) => "dwab",
        _ => "unknown",
    }
}

struct Attributes(BTreeMap<String, AttributeValue>);

impl Attributes {
    fn of(part: &Part) -> Self {
        let named = part.all_named_attributes();
        Self(named.map(|(n, v)| (String::from_utf8_lossy(n).into_owned(), v)).collect())
    }

    fn text(&self, name: &str) -> Option<String> {
        match self.0.get(name) {
            Some(AttributeValue::Text(text)) => {
                Some(String::from_utf8_lossy(text.as_slice()).trim().to_owned())
                    .filter(|text| !text.is_empty())
            }
            _ => None,
        }
    }

    fn number(&self, name: &str) -> Option<f64> {
        let number = match self.0.get(name)? {
            AttributeValue::F32(value) => f64::from(*value),
            AttributeValue::F64(value) => *value,
            AttributeValue::I32(value) => f64::from(*value),
            AttributeValue::Rational((n, d)) if *d > 0 => f64::from(*n) / f64::from(*d),
            _ => return None,
        };
        number.is_finite().then_some(number)
    }

    fn positive(&self, name: &str) -> Option<f64> {
        self.number(name).filter(|number| *number > 0.0)
    }

    fn rate(&self, name: &str) -> Option<FrameRate> {
        match self.0.get(name)? {
            AttributeValue::Rational((n, d)) => FrameRate::new(u32::try_from(*n).ok()?, *d).ok(),
            // Some writers know no rationals.
            _ => self.positive(name)?.to_string().parse().ok(),
        }
    }
}

fn shown(value: &AttributeValue) -> String {
    let text = match value {
        AttributeValue::Text(text) => String::from_utf8_lossy(text.as_slice()).into_owned(),
        AttributeValue::TextVector(texts) => {
            let texts: Vec<_> =
                texts.iter().map(|t| String::from_utf8_lossy(t.as_slice())).collect();
            texts.join(" ")
        }
        AttributeValue::F32(value) => value.to_string(),
        AttributeValue::F64(value) => value.to_string(),
        AttributeValue::I32(value) => value.to_string(),
        AttributeValue::Rational((n, d)) => format!("{n}/{d}"),
        AttributeValue::IntVec2(v) => format!("{} {}", v.x(), v.y()),
        AttributeValue::FloatVec2(v) => format!("{} {}", v.x(), v.y()),
        AttributeValue::IntVec3((x, y, z)) => format!("{x} {y} {z}"),
        AttributeValue::FloatVec3((x, y, z)) => format!("{x} {y} {z}"),
        AttributeValue::Matrix3x3(m) => joined(m),
        AttributeValue::Matrix4x4(m) => joined(m),
        AttributeValue::IntegerBounds(bounds) => window(*bounds),
        AttributeValue::TimeCode(code) => time_code(code),
        AttributeValue::Chromaticities(c) => chromaticities(c),
        AttributeValue::Bytes { bytes, .. } => format!("{} bytes", bytes.len()),
        AttributeValue::Custom { kind, bytes } => {
            format!("{}, {} bytes", String::from_utf8_lossy(kind.as_slice()), bytes.len())
        }
        AttributeValue::Preview(preview) => {
            format!("preview of {}x{}", preview.size.width(), preview.size.height())
        }
        other => format!("{other:?}"),
    };
    clipped(&text)
}

fn clipped(text: &str) -> String {
    if text.chars().count() <= SHOWN_CHARACTERS {
        return text.to_owned();
    }
    text.chars().take(SHOWN_CHARACTERS).chain(['.', '.', '.']).collect()
}

fn joined(values: &[f32]) -> String {
    values.iter().map(ToString::to_string).collect::<Vec<_>>().join(" ")
}

fn window(bounds: IntegerBounds) -> String {
    let [x, y] = [bounds.position.x(), bounds.position.y()];
    format!("{x} {y} {} {}", bounds.size.width(), bounds.size.height())
}

fn time_code(code: &TimeCode) -> String {
    let mark = if code.drop_frame { ';' } else { ':' };
    format!("{:02}:{:02}:{:02}{mark}{:02}", code.hours, code.minutes, code.seconds, code.frame)
}

pub(super) fn chromaticities(c: &Chromaticities) -> String {
    joined(&[c.red, c.green, c.blue, c.white].map(|v| [v.x(), v.y()]).concat())
}
