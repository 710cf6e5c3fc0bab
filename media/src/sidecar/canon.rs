//! Canon Cinema RAW Light: two tables, one of the clip and one of its frames.
//!
//! Values are as the camera stores them (RDD 18 and EXIF in kind): ratios,
//! modes as numbers, floats as hexadecimal digits. What a mode means is taken
//! from SMPTE OSVP camdkit where it was found out; other codes stay as they are.

use super::table::{Record, Table};
use super::values::{self, Track};
use super::{ClipInfo, Outcome, Sidecar};

pub(super) struct Canon;

const STATIC_COLUMNS: [&str; 4] = ["ShotNumber", "LensSqueezeFactor", "UMID", "Timescale"];
const FRAME_COLUMNS: [&str; 4] =
    ["Timecode", "FocusPosition", "ApertureNumber", "PhotographicSensitivity"];

impl Sidecar for Canon {
    fn name(&self) -> &'static str {
        "canon"
    }

    fn doc(&self) -> &'static str {
        "Canon Cinema RAW Light: CSV of the clip, and CSV of its frames"
    }

    fn probe(&self, head: &str) -> bool {
        let header = head.lines().next().unwrap_or_default();
        let has = |columns: &[&str]| columns.iter().all(|column| header.contains(column));
        has(&STATIC_COLUMNS) || has(&FRAME_COLUMNS)
    }

    fn parse(&self, text: &str) -> Outcome<ClipInfo> {
        let table = Table::new(text)?;
        let mut info = ClipInfo::default();
        info.camera.make = Some("Canon".to_owned());
        if table.column("UMID").is_some() {
            if let Some(record) = table.records().next() {
                table.keep(&record, &mut info);
                clip(&table, &record, &mut info);
            }
        } else {
            frames(&table, &mut info);
        }
        Ok(info)
    }
}

fn clip(table: &Table<'_>, record: &Record, info: &mut ClipInfo) {
    let get = |name: &str| record.get(table.column(name));
    let text = |name: &str| get(name).map(str::to_owned);
    let whole = |name: &str| get(name).and_then(values::whole);
    info.identity.clip_name = text("ShotNumber").unwrap_or_default();
    info.identity.reel_name = text("ReelNumber");
    info.identity.umid = text("UMID");
    info.identity.scene = text("SceneNumber");
    info.identity.take = text("TakeNumber");
    if let (Some(units), Some(scale @ 1..)) = (whole("Duration"), whole("Timescale")) {
        info.timing.duration_s = Some(f64::from(units) / f64::from(scale));
    }
    info.picture.width = whole("Width").unwrap_or(0);
    info.picture.height = whole("Height").unwrap_or(0);
    info.picture.bit_depth = whole("BitDepth").unwrap_or(0);
    info.lens.squeeze = match whole("LensSqueezeFactor") {
        Some(0) => Some(1.0),
        Some(1) => Some(4.0 / 3.0),
        Some(2) => Some(2.0),
        Some(3) => Some(1.8),
        _ => None,
    };
}

/// What may change from frame to frame, by the schema's names.
const FRAME_FIELDS: [&str; 7] = [
    "focus",
    "nominalFocalLength",
    "tStop",
    "aperture",
    "isoSpeed",
    "cameraCCTSetting",
    "shutterAngle",
];

fn frames(table: &Table<'_>, info: &mut ClipInfo) {
    let mut tracks = [Track::default(); FRAME_FIELDS.len()];
    let columns = Columns::new(table);
    let mut seen = false;
    for record in table.records() {
        if !seen {
            table.keep(&record, info);
            first(table, &record, info);
            seen = true;
        }
        for (track, value) in tracks.iter_mut().zip(columns.of(&record)) {
            track.push(value);
        }
    }
    let mut settled = [None; FRAME_FIELDS.len()];
    for ((value, track), field) in settled.iter_mut().zip(tracks).zip(FRAME_FIELDS) {
        *value = track.settle(field, info);
    }
    let [focus, focal, t_stop, f_number, iso, kelvin, angle] = settled;
    info.lens.focus_distance_m = focus;
    info.lens.focal_length_mm = focal;
    info.lens.t_stop = t_stop;
    info.lens.f_number = f_number;
    info.camera.iso_speed = iso;
    info.camera.white_kelvin = kelvin;
    info.camera.shutter_angle_deg = angle;
}

struct Columns([Option<usize>; 9]);

impl Columns {
    fn new(table: &Table<'_>) -> Self {
        let names = [
            "FocusPosition",
            "FocalLength",
            "ApertureNumber",
            "ApertureMode",
            "PhotographicSensitivity",
            "PhotographicSensitivityMode",
            "ColorTemperature",
            "ExposureTime",
            "ExposureTimeMode",
        ];
        Self(names.map(|name| table.column(name)))
    }

    fn of(&self, record: &Record) -> [Option<f64>; 7] {
        let [focus, focal, stop, stop_mode, iso, iso_mode, kelvin, shutter, shutter_mode] =
            self.0.map(|column| record.get(column));
        let stop = stop.and_then(values::ratio).filter(|v| *v > 0.0);
        // Mode 2 is the T-stop of a cinema lens; others count the iris alone.
        let (t_stop, f_number) = if stop_mode == Some("2") { (stop, None) } else { (None, stop) };
        // Mode 1 is ISO, mode 2 of the shutter is an angle in degrees.
        let iso = iso.filter(|_| iso_mode == Some("1")).and_then(sensitivity);
        let angle = shutter.filter(|_| shutter_mode == Some("2")).and_then(values::ratio);
        [
            focus.and_then(float_of_digits).filter(|m| *m > 0.0),
            focal.and_then(values::ratio),
            t_stop,
            f_number,
            iso,
            kelvin.and_then(values::number).filter(|k| *k < 65_535.0),
            angle,
        ]
    }
}

/// The highest bit of the numerator is a flag of the camera's, not of the number.
fn sensitivity(text: &str) -> Option<f64> {
    let (numerator, denominator) = text.split_once('/')?;
    let numerator = numerator.trim().parse::<u32>().ok()? & 0x7fff_ffff;
    values::ratio(&format!("{numerator}/{denominator}"))
}

/// IEEE 754 binary32 as eight hexadecimal digits.
fn float_of_digits(text: &str) -> Option<f64> {
    let bits = (text.len() == 8).then(|| u32::from_str_radix(text, 16).ok()).flatten()?;
    let value = f64::from(f32::from_bits(bits));
    value.is_finite().then_some(value)
}

fn first(table: &Table<'_>, record: &Record, info: &mut ClipInfo) {
    let get = |name: &str| record.get(table.column(name));
    let number = |name: &str| get(name).and_then(values::whole);
    let joined = |names: [&str; 3]| {
        let parts: Option<Vec<u32>> = names.map(number).into_iter().collect();
        parts.unwrap_or_default().iter().map(|part| format!("{part:02}")).collect::<String>()
    };
    let date = joined(["Record_Date_Year", "Record_Date_Month", "Record_Date_Day"]);
    let time = joined(["Record_Time_Hour", "Record_Time_Minute", "Record_Time_Second"]);
    info.timing.captured = values::cap_date(&date, &time);
    if let (Some(hours @ 0..=14), Some(minutes @ 0..=59)) =
        (number("Time_Zone_Hour_Value"), number("Time_Zone_Minute_Value"))
    {
        let saving = number("Daylight_Saving_Time_Flag").unwrap_or(0).min(1);
        let ahead = f64::from((hours + saving) * 3600 + minutes * 60);
        let west = number("Time_Zone_Hour_Value_Sign") == Some(1);
        info.timing.utc_offset_s = Some(if west { ahead } else { 0.0 - ahead });
    }
    info.camera.nd_filter =
        get("NDFilter").filter(|text| values::ratio(text).is_some()).map(str::to_owned);
}
