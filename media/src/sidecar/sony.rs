//! Sony: the NonRealTimeMeta XML that professional cameras write beside a clip
//! (`D001C005_210716AGM01.XML`), and the per-frame CSV of RAW Viewer.

use super::table::Table;
use super::values::{self, Track, Unit};
use super::{ClipInfo, Outcome, Sidecar};
use platefarm_model::raw::Rect;
use platefarm_model::{Code, Fault, FrameRate, Timecode};
use platefarm_standards::xml::{self, Element};

pub(super) struct Sony;

impl Sidecar for Sony {
    fn name(&self) -> &'static str {
        "sony"
    }

    fn doc(&self) -> &'static str {
        "Sony NonRealTimeMeta XML (*M01.XML), and per-frame CSV of RAW Viewer"
    }

    fn probe(&self, head: &str) -> bool {
        let first = head.lines().next().unwrap_or_default();
        let csv = ["Timecode", "Clip Name", "Focal Length (mm)", "Focus Distance"];
        head.contains("<NonRealTimeMeta") || csv.iter().all(|column| first.contains(column))
    }

    fn parse(&self, text: &str) -> Outcome<ClipInfo> {
        let mut info = ClipInfo::default();
        info.camera.make = Some("Sony".to_owned());
        if text.trim_start().starts_with('<') {
            let root = xml::read(text.as_bytes(), Code::BadSidecar)?;
            if &*root.name != "NonRealTimeMeta" {
                let message = format!("the root element is '{}'", root.name);
                return Err(Fault::new(Code::BadSidecar, message));
            }
            keep(&root, "", &mut info);
            clip(&root, &mut info);
        } else {
            frames(&Table::new(text)?, &mut info);
        }
        Ok(info)
    }
}

/// The clip of an XML's file name: cameras append `M` and two digits.
pub(super) fn clip_of_stem(stem: &str) -> Option<&str> {
    let at = stem.len().checked_sub(3).filter(|at| *at > 0 && stem.is_char_boundary(*at))?;
    let (clip, suffix) = stem.split_at(at);
    let number = suffix.strip_prefix('M')?;
    number.bytes().all(|b| b.is_ascii_digit()).then_some(clip)
}

/// Every attribute under its path; items of a list under their own names.
fn keep(element: &Element, above: &str, info: &mut ClipInfo) {
    let named = element.attribute("name");
    let own = named.unwrap_or(&element.name);
    let path = if above.is_empty() { own.to_owned() } else { format!("{above}.{own}") };
    for (key, value) in element.attributes.iter().filter(|(key, _)| &**key != "name") {
        let name = match &**key {
            "value" | "content" => path.clone(),
            key => format!("{path}@{key}"),
        };
        let mut unique = name.clone();
        let mut number = 2;
        // Lists of the same element are short: tracks of sound, changes of timecode.
        while info.vendor.contains_key(&unique) && number < 256 {
            unique = format!("{name} ({number})");
            number += 1;
        }
        info.vendor.entry(unique).or_insert_with(|| value.to_string());
    }
    // The root's name says nothing.
    let below = if above.is_empty() && &*element.name == "NonRealTimeMeta" { "" } else { &path };
    element.children.iter().for_each(|child| keep(child, below, info));
}

fn clip(root: &Element, info: &mut ClipInfo) {
    let of = |element: &str, attribute: &str| {
        let text = root.child(element)?.attribute(attribute)?.trim();
        (!text.is_empty()).then(|| text.to_owned())
    };
    let item = |name: &str| item(root, name);
    let number = |name: &str| item(name).and_then(values::number);

    info.identity.umid = of("TargetMaterial", "umidRef");
    let letter = meta(root, "CameraIndex");
    // The camera's own clip names join the two: `D001`.
    info.identity.reel_name = meta(root, "Reel").map(|reel| match letter {
        Some(letter) if reel.bytes().all(|b| b.is_ascii_digit()) => format!("{letter}{reel}"),
        _ => reel.to_owned(),
    });
    info.identity.camera_letter = letter.map(str::to_owned);
    info.identity.scene = meta(root, "Scene").map(str::to_owned);
    info.identity.take = meta(root, "Take").map(str::to_owned);
    timing(root, info);

    let format = root.child("VideoFormat");
    let picture = &mut info.picture;
    if let Some(layout) = format.and_then(|f| f.child("VideoLayout")) {
        let side = |name: &str| layout.attribute(name).and_then(values::whole).unwrap_or(0);
        [picture.width, picture.height] = [side("pixel"), side("numOfVerticalLine")];
        let aspect = layout.attribute("pixelAspect").map(|text| text.replace(':', "/"));
        picture.pixel_aspect = aspect.as_deref().and_then(values::ratio).unwrap_or(0.0);
    }
    let frame = format.and_then(|f| f.child("VideoFrame"));
    picture.codec = frame.and_then(|f| f.attribute("videoCodec")).map(str::to_owned);
    let sensor_data =
        picture.codec.as_deref().is_some_and(|c| c.contains("X-OCN") || c.contains("RAW"));
    if sensor_data {
        picture.photosites = [picture.width, picture.height];
        picture.active = Rect::of_size(picture.width, picture.height);
        picture.crop = picture.active;
    }

    let camera = &mut info.camera;
    let maker = of("Camera", "manufacturer").or_else(|| of("Device", "manufacturer"));
    camera.make = maker.or(camera.make.take());
    camera.model = of("Camera", "modelName").or_else(|| of("Device", "modelName"));
    camera.serial_number = of("Camera", "serialNo").or_else(|| of("Device", "serialNo"));
    let software = |name: &str| root.child(name)?.child("Element")?.attribute("software");
    camera.firmware = software("Camera").or_else(|| software("Device")).map(str::to_owned);
    if let (true, Some(model)) = (sensor_data, camera.model.as_deref()) {
        picture.photosite_pitch_um = super::sensors::pitch_um("Sony", model);
    }
    camera.iso_speed = number("ISOSensitivity");
    camera.exposure_index = number("ExposureIndexOfPhotoMeter");
    camera.white_kelvin = number("WhiteBalance");
    camera.white_tint = number("TintCorrection");
    camera.nd_filter = item("NeutralDensityFilterWheelSetting").map(str::to_owned);
    // SMPTE RDD 18: minutes of arc.
    camera.shutter_angle_deg = number("ShutterSpeedAngle").map(|minutes| minutes / 60.0);
    camera.exposure_time_s = item("ShutterSpeedTime").and_then(values::ratio);
    info.color_space = match (item("CaptureColorPrimaries"), item("CaptureGammaEquation")) {
        (Some(primaries), Some(gamma)) => Some(format!("{primaries} / {gamma}")),
        (primaries, gamma) => primaries.or(gamma).map(str::to_owned),
    };

    info.lens.make = of("Lens", "manufacturer");
    info.lens.model = of("Lens", "modelName");
    info.lens.serial_number = item("LensAttributes").map(str::to_owned);
    info.lens.squeeze = number("AnamorphicLensSqueezeRatio").map(|percent| percent / 100.0);
}

fn timing(root: &Element, info: &mut ClipInfo) {
    let timing = &mut info.timing;
    let frame = root.child("VideoFormat").and_then(|f| f.child("VideoFrame"));
    let rate_of = |name: &str| frame.and_then(|f| f.attribute(name)).and_then(scanned_rate);
    timing.rate = rate_of("formatFps");
    timing.capture_rate = rate_of("captureFps");
    let duration = root.child("Duration").and_then(|d| d.attribute("value"));
    timing.frame_count = duration.and_then(values::whole).unwrap_or(0).into();
    if let Some(date) = root.child("CreationDate").and_then(|d| d.attribute("value")) {
        let (date, rest) = date.split_once('T').unwrap_or((date, ""));
        let (time, zone) = rest.split_at(rest.find(['+', '-', 'Z']).unwrap_or(rest.len()));
        timing.captured = values::cap_date(date, time);
        timing.utc_offset_s = zone_offset(zone);
    }
    let changes = root.child("LtcChangeTable");
    let first = changes.and_then(|table| {
        table.all("LtcChange").find(|change| change.attribute("frameCount") == Some("0"))
    });
    let Some(digits) = first.and_then(|change| change.attribute("value")) else { return };
    let base = changes.and_then(|table| table.attribute("tcFps")).and_then(values::whole);
    match timing.rate.zip(base) {
        Some((rate, base)) => match linear_timecode(digits, rate, base) {
            Ok(timecode) => timing.start = Some(timecode),
            Err(fault) => info.notes.push(values::no_timecode(digits, &fault)),
        },
        None => {
            let absent = Fault::new(Code::MetadataAbsent, "no rate to count in");
            info.notes.push(values::no_timecode(digits, &absent));
        }
    }
}

/// `24p`, `23.98p`, `59.94i`: interlaced rates count fields.
fn scanned_rate(text: &str) -> Option<FrameRate> {
    let text = text.trim();
    let rate = values::rate(text.trim_end_matches(['p', 'i', 'P', 'I']))?;
    if text.ends_with(['i', 'I']) {
        return FrameRate::new(rate.numerator(), rate.denominator().checked_mul(2)?).ok();
    }
    Some(rate)
}

/// SMPTE ST 12 binary-coded decimal, frames first: `19044716` is 16:47:04:19. The flags stand
/// in the bits above the tens. At twice the timecode's rate it counts pairs of frames.
fn linear_timecode(digits: &str, rate: FrameRate, base: u32) -> Outcome<Timecode> {
    let bad = || Fault::new(Code::BadTimecode, format!("'{digits}' is no binary-coded decimal"));
    if digits.len() != 8 || !digits.is_ascii() {
        return Err(bad());
    }
    let byte = |at: usize, tens: u8| {
        let byte = u8::from_str_radix(&digits[at..at + 2], 16).map_err(|_| bad())?;
        let (ten, one) = (byte >> 4 & tens, byte & 15);
        if one < 10 { Ok(u32::from(ten) * 10 + u32::from(one)) } else { Err(bad()) }
    };
    let [f, s, m, h] = [byte(0, 3)?, byte(2, 7)?, byte(4, 7)?, byte(6, 3)?];
    let drop_frame = u8::from_str_radix(&digits[..1], 16).is_ok_and(|ten| ten & 4 != 0);
    let pairs = rate.timebase() == base * 2;
    Timecode::from_fields(h, m, s, if pairs { f * 2 } else { f }, rate, drop_frame)
}

/// `-08:00` in seconds to be added to get UTC.
fn zone_offset(zone: &str) -> Option<f64> {
    if zone == "Z" {
        return Some(0.0);
    }
    let sign = if zone.starts_with('-') { 1.0 } else { -1.0 };
    let (hours, minutes) = zone.get(1..)?.split_once(':')?;
    let [h, m] = [values::whole(hours)?, values::whole(minutes)?].map(f64::from);
    Some(0.0 + sign * (h * 3600.0 + m * 60.0))
}

/// The value of an acquisition item, whatever group it stands in.
fn item<'a>(root: &'a Element, name: &str) -> Option<&'a str> {
    let record = root.child("AcquisitionRecord")?;
    let items = record.all("Group").flat_map(|group| group.all("Item"));
    value_of(items, name, "value")
}

/// What was typed into a field of the slate.
fn meta<'a>(root: &'a Element, name: &str) -> Option<&'a str> {
    value_of(root.child("UserDescriptiveMetadata")?.all("Meta"), name, "content")
}

fn value_of<'a>(
    mut items: impl Iterator<Item = &'a Element>,
    name: &str,
    attribute: &str,
) -> Option<&'a str> {
    let item = items.find(|item| item.attribute("name") == Some(name))?;
    item.attribute(attribute).map(str::trim).filter(|text| !text.is_empty())
}

/// What may change from frame to frame, by the schema's names.
const FRAME_FIELDS: [&str; 3] = ["nominalFocalLength", "tStop", "focus"];

fn frames(table: &Table<'_>, info: &mut ClipInfo) {
    let feet = table.column("Focus Distance (ft)");
    let columns = ["Focal Length (mm)", "Aperture"].map(|name| table.column(name));
    let focus = feet.or_else(|| table.column("Focus Distance (m)"));
    let unit = if feet.is_some() { Unit::Foot } else { Unit::Metre };
    let mut tracks = [Track::default(); FRAME_FIELDS.len()];
    for record in table.records() {
        if info.vendor.is_empty() {
            table.keep(&record, info);
            let text = |name: &str| record.get(table.column(name)).map(str::to_owned);
            info.identity.clip_name = text("Clip Name").unwrap_or_default();
            info.camera.model = text("Camera Model");
            info.lens.serial_number = text("Lens Serial");
        }
        let [focal, stop] = columns.map(|column| record.get(column));
        tracks[0].push(focal.and_then(values::number));
        tracks[1].push(stop.filter(|text| values::is_t_stop(text)).and_then(values::stop));
        tracks[2].push(record.get(focus).and_then(|text| values::metres(text, unit)));
    }
    let mut settled = [None; FRAME_FIELDS.len()];
    for ((value, track), field) in settled.iter_mut().zip(tracks).zip(FRAME_FIELDS) {
        *value = track.settle(field, info);
    }
    [info.lens.focal_length_mm, info.lens.t_stop, info.lens.focus_distance_m] = settled;
}
