//! RED: the CSV of `REDline --printMeta 3` (the clip) and `--printMeta 5` (its
//! frames). Lenses that speak Cooke /i have their packets in both.

use super::table::{Record, Table};
use super::values::{self, Track, Unit};
use super::{ClipInfo, Outcome, Sidecar};
use platefarm_model::raw::Rect;

pub(super) struct Red;

impl Sidecar for Red {
    fn name(&self) -> &'static str {
        "red"
    }

    fn doc(&self) -> &'static str {
        "REDline --printMeta 3 (clip) and 5 (frames)"
    }

    fn probe(&self, head: &str) -> bool {
        let header = head.lines().next().unwrap_or_default();
        let has = |columns: [&str; 3]| columns.iter().all(|column| header.contains(column));
        has(["Clip Name", "AltReelID", "REDCODE"]) || has(["FrameNo", "Timecode", "Cooke Metadata"])
    }

    fn parse(&self, text: &str) -> Outcome<ClipInfo> {
        let table = Table::new(text)?;
        let mut info = ClipInfo::default();
        info.camera.make = Some("RED".to_owned());
        if table.column("FrameNo").is_some() {
            frames(&table, &mut info);
        } else if let Some(record) = table.records().next() {
            table.keep(&record, &mut info);
            clip(&table, &record, &mut info);
        }
        Ok(info)
    }
}

fn clip(table: &Table<'_>, record: &Record, info: &mut ClipInfo) {
    let get = |name: &str| record.get(table.column(name));
    let text = |name: &str| get(name).map(str::to_owned);
    let number = |name: &str| get(name).and_then(values::number);
    let whole = |name: &str| get(name).and_then(values::whole);

    let identity = &mut info.identity;
    identity.clip_name = text("Clip Name").unwrap_or_default();
    // The roll with its camera's letter; `ReelID` is the roll's number alone.
    identity.reel_name = text("CamReelID").or_else(|| text("ReelID"));
    identity.camera_letter = text("Camera");
    identity.camera_label = text("Camera Network Name");
    identity.uuid = text("UUID");
    identity.scene = text("Scene");
    identity.take = text("Take");

    let timing = &mut info.timing;
    timing.rate = get("FPS").and_then(values::rate);
    timing.capture_rate = get("Record FPS").and_then(values::rate);
    timing.frame_count = whole("Total Frames").unwrap_or(0).into();
    for (column, place) in [("Abs TC", &mut timing.start), ("Edge TC", &mut timing.edge_start)] {
        if let (Some(rate), Some(text)) = (timing.rate, get(column)) {
            match values::timecode(text, rate, false) {
                Ok(timecode) => *place = Some(timecode),
                Err(fault) => info.notes.push(values::no_timecode(text, &fault)),
            }
        }
    }
    let time = get("Timestamp").unwrap_or_default();
    timing.captured = get("Date").and_then(|date| values::cap_date(date, time));

    let picture = &mut info.picture;
    let size = [whole("Frame Width").unwrap_or(0), whole("Frame Height").unwrap_or(0)];
    [picture.width, picture.height] = size;
    picture.photosites = size;
    picture.active = Rect::of_size(size[0], size[1]);
    picture.crop = picture.active;
    picture.pixel_aspect = number("Pixel Aspect Ratio").unwrap_or(0.0);
    picture.codec = text("REDCODE");
    picture.photosite_pitch_um =
        get("Sensor Name").and_then(|name| super::sensors::pitch_um("RED", name));
    // Numbers of the maker's lists, which are not published.
    if let (Some(space), Some(gamma)) = (get("Color Space"), get("Gamma Space")) {
        info.color_space = Some(format!("RED color space {space}, gamma space {gamma}"));
    }

    let camera = &mut info.camera;
    camera.model = text("Camera Model");
    camera.serial_number = text("Camera PIN");
    camera.firmware = text("Firmware Version");
    camera.iso_speed = number("ISO");
    camera.white_kelvin = number("Kelvin");
    camera.white_tint = number("Tint");
    camera.shutter_angle_deg = number("Shutter (deg)");
    // The milliseconds beside it are rounded to whole ones.
    camera.exposure_time_s = number("Shutter (1/sec)").filter(|v| *v > 0.0).map(|v| 1.0 / v);
    camera.nd_filter = text("MotionMountND");

    let lens = &mut info.lens;
    lens.make = text("Lens Brand");
    lens.model = text("Lens Name").or_else(|| text("Lens"));
    lens.serial_number = text("Lens Serial Number");
    lens.firmware = get("Lens Cooke /i Static").and_then(lens_firmware);
    lens.focal_length_mm = number("Focal Length");
    lens.focus_distance_m = get("Focus Distance").and_then(|t| values::metres(t, Unit::Millimetre));
    lens.f_number = get("Aperture").and_then(values::stop);
    // RED cameras note an anamorphic lens as the pixels' aspect.
    lens.squeeze = number("Pixel Aspect Ratio");
}

/// What may change from frame to frame, by the schema's names.
const FRAME_FIELDS: [&str; 5] =
    ["aperture", "focus", "nominalFocalLength", "tStop", "entrancePupilOffset"];

fn frames(table: &Table<'_>, info: &mut ClipInfo) {
    let columns = ["Aperture", "Focus Distance", "Focal Length", "Cooke Metadata"];
    let columns = columns.map(|name| table.column(name));
    let mut tracks = [Track::default(); FRAME_FIELDS.len()];
    for record in table.records() {
        if info.vendor.is_empty() {
            table.keep(&record, info);
        }
        let [aperture, focus, focal, cooke] = columns.map(|column| record.get(column));
        let cooke = cooke.and_then(Cooke::parse);
        let values = [
            aperture.and_then(values::stop),
            focus.and_then(|text| values::metres(text, Unit::Millimetre)),
            focal.and_then(values::number),
            cooke.as_ref().and_then(|cooke| cooke.t_stop),
            cooke.as_ref().map(|cooke| cooke.entrance_pupil_mm),
        ];
        for (track, value) in tracks.iter_mut().zip(values) {
            track.push(value);
        }
    }
    let mut settled = [None; FRAME_FIELDS.len()];
    for ((value, track), field) in settled.iter_mut().zip(tracks).zip(FRAME_FIELDS) {
        *value = track.settle(field, info);
    }
    let [aperture, focus, focal, t_stop, pupil] = settled;
    info.lens.f_number = aperture;
    info.lens.focus_distance_m = focus;
    info.lens.focal_length_mm = focal;
    info.lens.t_stop = t_stop;
    info.lens.entrance_pupil_offset_mm = pupil;
}

/// A Cooke /i packet of one frame: six bits in each byte, most significant
/// first, behind a `d` (places of the fields: SMPTE OSVP camdkit, which reads
/// them in the same exports).
struct Cooke {
    t_stop: Option<f64>,
    entrance_pupil_mm: f64,
}

impl Cooke {
    fn parse(text: &str) -> Option<Self> {
        let bytes: Option<Vec<u8>> =
            text.split('/').take(64).map(|byte| u8::from_str_radix(byte, 16).ok()).collect();
        let bytes = bytes?;
        if bytes.first() != Some(&b'd') || bytes.len() < 27 {
            return None;
        }
        let six = |at: usize| f64::from(bytes[at] & 0x3f);
        let hundredths = six(5) * 64.0 + six(6);
        let pupil = f64::from(bytes[25] & 0x0f) * 64.0 + six(26);
        let sign = if bytes[25] & 0x20 != 0 { -1.0 } else { 1.0 };
        Some(Self {
            t_stop: (hundredths > 0.0).then_some(hundredths / 100.0),
            entrance_pupil_mm: sign * pupil,
        })
    }
}

/// The four characters behind the `B` of a lens' static packet.
fn lens_firmware(packet: &str) -> Option<String> {
    let version = packet.strip_prefix('N').and_then(|_| packet.get(60..65))?.strip_prefix('B')?;
    let version = version.trim();
    (!version.is_empty()).then(|| version.to_owned())
}
