//! ARRI Meta Extract: a row per frame, tabs between the cells (version 4 and
//! later; the same columns come with commas).

use super::table::{Record, Table};
use super::values::{self, Track, Unit};
use super::{ClipInfo, Outcome, Sidecar};
use platefarm_model::clip::FrameLine;
use platefarm_model::raw::Rect;

pub(super) struct Arri;

impl Sidecar for Arri {
    fn name(&self) -> &'static str {
        "arri"
    }

    fn doc(&self) -> &'static str {
        "ARRI Meta Extract: per-frame CSV of ARRIRAW, MXF and ProRes clips"
    }

    fn probe(&self, head: &str) -> bool {
        let header = head.lines().next().unwrap_or_default();
        ["Camera Clip Name", "Master TC", "Camera SUP Name"].iter().all(|c| header.contains(c))
    }

    fn parse(&self, text: &str) -> Outcome<ClipInfo> {
        let table = Table::new(text)?;
        let mut info = ClipInfo::default();
        let frames = Frames::new(&table);
        let mut tracks = [Track::default(); FRAME_FIELDS.len()];
        for record in table.records() {
            if info.timing.frame_count == 0 {
                table.keep(&record, &mut info);
                first(&table, &record, &mut info);
            }
            info.timing.frame_count += 1;
            for (track, value) in tracks.iter_mut().zip(frames.of(&record)) {
                track.push(value);
            }
        }
        let mut settled = [None; FRAME_FIELDS.len()];
        for ((value, track), field) in settled.iter_mut().zip(tracks).zip(FRAME_FIELDS) {
            *value = track.settle(field, &mut info);
        }
        let [iso, kelvin, tint, angle, exposure, focus, focal, t_stop] = settled;
        info.camera.iso_speed = iso;
        info.camera.white_kelvin = kelvin;
        info.camera.white_tint = tint;
        info.camera.shutter_angle_deg = angle;
        info.camera.exposure_time_s = exposure;
        info.lens.focus_distance_m = focus;
        info.lens.focal_length_mm = focal;
        info.lens.t_stop = t_stop;
        Ok(info)
    }
}

/// What may change from frame to frame, by the schema's names.
const FRAME_FIELDS: [&str; 8] = [
    "isoSpeed",
    "cameraCCTSetting",
    "cameraTintSetting",
    "shutterAngle",
    "expTime",
    "focus",
    "nominalFocalLength",
    "tStop",
];

/// Where it stands.
struct Frames {
    columns: [Option<usize>; 8],
    ring: Option<usize>,
    unit: Option<usize>,
}

impl Frames {
    fn new(table: &Table<'_>) -> Self {
        let columns = [
            "Exposure Index ASA",
            "White Balance",
            "White Balance CC",
            "Shutter Angle",
            "Exposure Time",
            "Lens Focus Distance",
            "Lens Focal Length",
            "Lens Linear Iris",
        ];
        Self {
            columns: columns.map(|name| table.column(name)),
            ring: table.column("Lens Iris"),
            unit: table.column("Lens Distance Unit"),
        }
    }

    fn of(&self, record: &Record) -> [Option<f64>; 8] {
        let [iso, kelvin, tint, angle, exposure, focus, focal, iris] =
            self.columns.map(|column| record.get(column));
        let feet = record.get(self.unit).is_some_and(|unit| unit.starts_with(['F', 'f', 'I', 'i']));
        let unit = if feet { Unit::Foot } else { Unit::Metre };
        // A thousand is T1 and two thousand more are a factor of two.
        let linear = iris.and_then(values::number).filter(|v| *v > 0.0);
        let t_stop = linear.map(|v| ((v - 1000.0) / 2000.0).exp2());
        let ring = || record.get(self.ring).and_then(values::stop);
        [
            iso.and_then(values::number),
            kelvin.and_then(values::number),
            tint.and_then(values::number),
            angle.and_then(values::number),
            exposure.and_then(values::number).map(|ms| ms / 1000.0),
            focus.and_then(|text| values::metres(text, unit)),
            focal.and_then(values::number),
            t_stop.or_else(ring),
        ]
    }
}

/// What is the clip's, from its first frame.
fn first(table: &Table<'_>, record: &Record, info: &mut ClipInfo) {
    let get = |name: &str| record.get(table.column(name));
    let text = |name: &str| get(name).map(str::to_owned);
    let number = |name: &str| get(name).and_then(values::number);
    let whole = |name: &str| get(name).and_then(values::whole);

    let identity = &mut info.identity;
    identity.clip_name = text("Camera Clip Name").unwrap_or_default();
    identity.reel_name = text("Reel");
    identity.camera_letter = text("Camera Index");
    identity.uuid = text("UUID");
    identity.umid = text("SMPTE UMID");
    identity.scene = text("Scene").filter(|scene| scene != "no scene name");
    identity.take = text("Take");

    let timing = &mut info.timing;
    timing.rate = get("Master TC Time Base").or(get("Project FPS")).and_then(values::rate);
    timing.capture_rate = get("Sensor FPS").and_then(values::rate);
    let drop_frame = get("Master TC Drop Frame").is_some_and(|flag| flag == "yes");
    if let (Some(rate), Some(text)) = (timing.rate, get("Master TC")) {
        match values::timecode(text, rate, drop_frame) {
            Ok(timecode) => timing.start = Some(timecode),
            Err(fault) => info.notes.push(values::no_timecode(text, &fault)),
        }
    }
    let time = get("System Image Creation Time").unwrap_or_default();
    timing.captured =
        get("System Image Creation Date").and_then(|date| values::cap_date(date, time));
    // `UTC+01:00` and daylight saving of `01:00`: local time is two hours ahead.
    let zone =
        get("System Image Timezone Offset").and_then(|zone| clock(zone.strip_prefix("UTC")?));
    let saving = get("System Image Timezone DST").and_then(clock).unwrap_or(0.0);
    timing.utc_offset_s = zone.map(|zone| 0.0 - (zone + saving));

    let picture = &mut info.picture;
    let side = |name: &str| whole(name).unwrap_or(0);
    [picture.width, picture.height] = [side("Image Width"), side("Image Height")];
    picture.codec = text("Recording Codec");
    picture.active = Rect {
        x: side("Active Image Left"),
        y: side("Active Image Top"),
        width: side("Active Image Width"),
        height: side("Active Image Height"),
    };
    if picture.codec.as_deref().is_some_and(|codec| codec.contains("RAW")) {
        picture.photosites = [picture.width, picture.height];
    }
    info.color_space = text("Target Color Space");

    let camera = &mut info.camera;
    camera.make = Some("ARRI".to_owned());
    camera.model = text("Camera Model").or_else(|| text("Camera Family"));
    camera.serial_number = text("Camera Serial Number");
    camera.firmware = text("Camera SUP Name");
    camera.nd_filter = match (text("ND Filter Type"), get("ND Filter Density")) {
        (Some(kind), Some(density)) => Some(format!("{kind}, {density}")),
        (kind, density) => kind.or_else(|| density.map(str::to_owned)),
    };

    let lens = &mut info.lens;
    lens.model = text("Lens Model");
    // ARRI's own lenses carry their maker before the model.
    if let Some(model) = lens.model.as_deref().and_then(|model| model.strip_prefix("ARRI ")) {
        (lens.make, lens.model) = (Some("ARRI".to_owned()), Some(model.trim().to_owned()));
    }
    lens.serial_number = text("Lens Serial Number");
    lens.squeeze = number("Lens Squeeze");
    info.frame_lines = ["1A", "1B", "1C", "2A", "2B", "2C"]
        .iter()
        .filter_map(|line| {
            let part = |part: &str| number(&format!("Frame Line {line} {part}"));
            Some(FrameLine {
                label: text(&format!("Frame Line {line} Name")).unwrap_or_else(|| (*line).into()),
                left: part("Left")?,
                top: part("Top")?,
                width: part("Width")?,
                height: part("Height")?,
            })
        })
        .collect();
}

/// `+01:30` in seconds.
fn clock(text: &str) -> Option<f64> {
    let (sign, text) = match text.strip_prefix('-') {
        Some(rest) => (-1.0, rest),
        None => (1.0, text.strip_prefix('+').unwrap_or(text)),
    };
    let (hours, minutes) = text.split_once(':')?;
    let [h, m]: [f64; 2] = [hours.parse().ok()?, minutes.parse().ok()?];
    (h.is_finite() && m.is_finite()).then_some(sign * (h * 3600.0 + m * 60.0))
}
