//! The metadata of a DNG in the house's schema: who, when, what, and
//! everything else as text.

use super::opcodes;
use super::tags;
use super::tiff::{Kind, Tags};
use platefarm_model::clip::{CameraInfo, LensInfo};
use platefarm_model::{Code, Fault, FrameRate, Timecode};
use std::collections::BTreeMap;

/// Most bytes of text that the vendor fields of one file hold together. Real files stay far below;
/// values that lie over each other in a hostile one do not.
const MAX_VENDOR_BYTES: usize = 8 << 20;

/// Camera, exposure and lens. Values that the camera left at zero are absent. Firmware is one of
/// them: `Software` may be that of a converter, and stays a vendor field.
pub(super) fn camera(tags: Tags<'_>, kelvin: f64) -> CameraInfo {
    CameraInfo {
        make: tags.text(tags::MAKE),
        model: model(tags),
        serial_number: tags
            .text(tags::CAMERA_SERIAL_NUMBER)
            .or_else(|| tags.text(tags::BODY_SERIAL_NUMBER)),
        iso_speed: positive(tags, tags::ISO_SPEED_RATINGS),
        exposure_time_s: positive(tags, tags::EXPOSURE_TIME),
        white_kelvin: kelvin.is_finite().then(|| kelvin.round()),
        ..CameraInfo::default()
    }
}

/// The lens, as far as the tags say.
pub(super) fn lens(tags: Tags<'_>) -> LensInfo {
    // LensInfo holds the shortest and the longest focal length: of a prime they are one.
    let prime = tags.get(tags::LENS_INFO).and_then(|entry| {
        let (short, long) = (entry.number(0)?, entry.number(1)?);
        (short == long && short > 0.0).then_some(short)
    });
    LensInfo {
        make: tags.text(tags::LENS_MAKE),
        model: tags.text(tags::LENS_MODEL),
        serial_number: tags.text(tags::LENS_SERIAL_NUMBER),
        focal_length_mm: positive(tags, tags::FOCAL_LENGTH).or(prime),
        focus_distance_m: positive(tags, tags::SUBJECT_DISTANCE),
        t_stop: positive(tags, tags::T_STOP),
        f_number: positive(tags, tags::F_NUMBER),
        ..LensInfo::default()
    }
}

/// Local date and time of the exposure, in OpenEXR's form, which is EXIF's own.
pub(super) fn captured(tags: Tags<'_>) -> Option<String> {
    tags.text(tags::DATE_TIME_ORIGINAL)
        .filter(|text| text.len() == 19 && text.bytes().any(|b| (b'1'..=b'9').contains(&b)))
}

/// A number that means something: one that is above zero.
fn positive(tags: Tags<'_>, tag: u16) -> Option<f64> {
    let number = tags.get(tag)?.number(0)?;
    (number.is_finite() && number > 0.0).then_some(number)
}

/// The camera's model.
pub(super) fn model(tags: Tags<'_>) -> Option<String> {
    tags.text(tags::MODEL).or_else(|| tags.text(tags::UNIQUE_CAMERA_MODEL))
}

/// Frames per second (CinemaDNG 1.1, FrameRate). The NTSC rates are recognised however they are
/// written: 24000/1001, 23976/1000, 2997/100.
pub(super) fn frame_rate(tags: Tags<'_>) -> Option<FrameRate> {
    let (numerator, denominator) = tags.get(tags::FRAME_RATE)?.rational(0)?;
    if numerator <= 0 || denominator <= 0 {
        return None;
    }
    if numerator % denominator == 0 || denominator == 1001 {
        return FrameRate::new(u32::try_from(numerator).ok()?, u32::try_from(denominator).ok()?)
            .ok();
    }
    format!("{}", numerator as f64 / denominator as f64).parse().ok()
}

/// The first timecode (CinemaDNG 1.1, TimeCodes): SMPTE 12M in binary-coded decimal, frames first,
/// flags in the bits above the tens.
///
/// # Errors
/// A note that says why there is none.
pub(super) fn timecode(tags: Tags<'_>, rate: Option<FrameRate>) -> Result<Timecode, Fault> {
    let absent = |what: &str| Fault::new(Code::MetadataAbsent, what).at("TimeCodes");
    let Some(entry) = tags.get(tags::TIME_CODES) else {
        return Err(absent("no timecode in the file"));
    };
    let Some(rate) = rate else {
        return Err(absent("the timecode has no frame rate to count in"));
    };
    let [frames, seconds, minutes, hours, ..] = entry.bytes() else {
        return Err(absent("the timecode is shorter than four bytes"));
    };
    let decimal = |byte: u8, tens: u8| {
        let (ten, one) = (byte >> 4 & tens, byte & 15);
        (one < 10).then(|| u32::from(ten) * 10 + u32::from(one))
    };
    let fields =
        [decimal(*hours, 3), decimal(*minutes, 7), decimal(*seconds, 7), decimal(*frames, 3)];
    let [Some(h), Some(m), Some(s), Some(f)] = fields else {
        return Err(absent("the timecode is not binary-coded decimal"));
    };
    let drop_frame = frames & 0x40 != 0 && rate.timebase().is_multiple_of(30);
    Timecode::from_fields(h, m, s, f, rate, drop_frame)
        .map_err(|f| Fault::new(Code::MetadataAbsent, f.message).at("TimeCodes"))
}

/// Every tag of the file as text, by directory and name, whole within the bounds of
/// [`Entry::shown`](super::tiff::Entry::shown); the operations of an opcode list by name as well.
pub(super) fn vendor(tags: Tags<'_>) -> BTreeMap<String, String> {
    let mut out = BTreeMap::new();
    let mut room = MAX_VENDOR_BYTES;
    for (index, directory) in tags.tiff.directories.iter().enumerate() {
        let prefix = match directory.kind {
            Kind::Exif => "exif".to_owned(),
            Kind::Main | Kind::Sub => format!("ifd{index}"),
        };
        for entry in &directory.entries {
            let name = format!("{prefix}.{}", tags::name(entry.tag));
            if let tags::OPCODE_LIST_1 | tags::OPCODE_LIST_2 | tags::OPCODE_LIST_3 = entry.tag
                && let Some(names) = opcodes::names(entry.bytes()).filter(|n| !n.is_empty())
            {
                out.entry(format!("{name}.operations")).or_insert(names.join(" "));
            }
            let text = if room > 0 { entry.shown() } else { entry.not_shown() };
            room = room.saturating_sub(text.len());
            if !text.is_empty() {
                out.entry(name).or_insert(text);
            }
        }
    }
    out
}

/// What the file says that is not applied.
pub(super) fn ignored(tags: Tags<'_>, notes: &mut Vec<Fault>) {
    let mut ignored = |tag: u16, what: String| {
        notes.push(Fault::new(Code::UnsupportedFeature, what).at(tags::name(tag)));
    };
    // The first two lists are applied; the third acts on the debayered picture.
    match tags.get(tags::OPCODE_LIST_3).map(|e| opcodes::names(e.bytes())) {
        None => {}
        Some(Some(names)) if names.is_empty() => {}
        Some(Some(names)) => ignored(
            tags::OPCODE_LIST_3,
            format!("corrections of the picture are not applied: {}", names.join(", ")),
        ),
        Some(None) => ignored(tags::OPCODE_LIST_3, "a damaged list is not applied".into()),
    }
    if let Some(orientation) = tags.get(tags::ORIENTATION).and_then(|e| e.integer(0))
        && orientation > 1
    {
        ignored(
            tags::ORIENTATION,
            format!("orientation {orientation} is not applied: the plate has the sensor's"),
        );
    }
    if let Some(stops) = tags.get(tags::BASELINE_EXPOSURE).and_then(|e| e.number(0))
        && stops.is_finite()
        && stops != 0.0
    {
        ignored(
            tags::BASELINE_EXPOSURE,
            format!("a baseline exposure of {stops:+} stops is not applied"),
        );
    }
}
