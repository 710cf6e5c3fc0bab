//! Blackmagic RAW: the text of the maker's metadata tools, `key: value`, first
//! the clip's and then each frame's.

use super::values::{self, Track, Unit};
use super::{ClipInfo, Outcome, Sidecar};
use platefarm_model::{Code, Fault, FrameRate};
use std::collections::BTreeMap;

pub(super) struct Blackmagic;

impl Sidecar for Blackmagic {
    fn name(&self) -> &'static str {
        "blackmagic"
    }

    fn doc(&self) -> &'static str {
        "Blackmagic RAW SDK: text of clip and frame metadata"
    }

    fn probe(&self, head: &str) -> bool {
        let key = |key: &str| head.lines().any(|line| line.starts_with(key));
        key("Clip Metadata") && key("camera_type:") && key("manufacturer:")
    }

    fn parse(&self, text: &str) -> Outcome<ClipInfo> {
        let mut info = ClipInfo::default();
        let mut clip: BTreeMap<&str, &str> = BTreeMap::new();
        let mut first: BTreeMap<&str, &str> = BTreeMap::new();
        let mut tracks = [Track::default(); FRAME_FIELDS.len()];
        let mut frames = 0_u64;
        for line in text.lines() {
            if line.starts_with("Frame ") && line.trim_end().ends_with("Metadata") {
                frames += 1;
                continue;
            }
            let Some((key, value)) = line.split_once(':') else { continue };
            let (key, kept) = (key.trim(), value.strip_prefix(' ').unwrap_or(value));
            let section = if frames == 0 { &mut clip } else { &mut first };
            if frames <= 1 {
                section.entry(key).or_insert(kept);
                let name = if frames == 0 { key.to_owned() } else { format!("frame.{key}") };
                info.vendor.entry(name).or_insert_with(|| kept.to_owned());
            }
            if frames > 0
                && let Some(at) = FRAME_FIELDS.iter().position(|(name, _)| *name == key)
            {
                tracks[at].push(frame_value(key, kept.trim()));
            }
        }
        if clip.is_empty() {
            return Err(Fault::new(Code::BadSidecar, "no line of clip metadata"));
        }
        static_fields(&clip, &mut info);
        frame_fields(&first, &tracks, &mut info);
        Ok(info)
    }
}

/// What may change from frame to frame: the maker's key and the schema's name.
const FRAME_FIELDS: [(&str, &str); 7] = [
    ("shutter_value", "shutterAngle"),
    ("aperture", "tStop"),
    ("focal_length", "nominalFocalLength"),
    ("distance", "focus"),
    ("iso", "isoSpeed"),
    ("white_balance_kelvin", "cameraCCTSetting"),
    ("white_balance_tint", "cameraTintSetting"),
];

fn frame_value(key: &str, text: &str) -> Option<f64> {
    match key {
        "shutter_value" => text.strip_suffix('°').and_then(values::number),
        "aperture" => values::stop(text),
        "distance" => values::metres(text, Unit::Metre),
        _ => values::number(text),
    }
}

fn static_fields(clip: &BTreeMap<&str, &str>, info: &mut ClipInfo) {
    let get = |key: &str| clip.get(key).map(|v| v.trim()).filter(|v| !v.is_empty());
    let text = |key: &str| get(key).map(str::to_owned);
    info.identity.clip_name = text("clip_number").unwrap_or_default();
    info.identity.reel_name = text("reel_name");
    info.identity.camera_letter = text("camera_number");
    info.identity.scene = text("scene");
    info.identity.take = text("take");
    info.timing.rate = get("format_frame_rate").and_then(frame_rate);
    info.timing.captured = get("date_recorded").and_then(|date| values::cap_date(date, ""));

    let picture = &mut info.picture;
    if let Some([width, height]) = get("crop_size").and_then(pair) {
        [picture.width, picture.height] = [width, height];
    }
    // Photosites that were read; the coded raster may be scaled from them in the camera.
    if let Some([width, height]) = get("sensor_area_captured").and_then(pair) {
        picture.photosites = [width, height];
        picture.sensor_mode = Some(format!("{width}x{height}"));
    }
    picture.codec = get("braw_compression_ratio").map(|ratio| format!("Blackmagic RAW {ratio}"));

    let camera = &mut info.camera;
    camera.make = text("manufacturer");
    camera.model = text("camera_type");
    camera.serial_number = text("camera_id");
    camera.firmware = text("firmware_version");
    let (make, model) = (camera.make.as_deref(), camera.model.as_deref());
    picture.photosite_pitch_um =
        make.zip(model).and_then(|(make, model)| super::sensors::pitch_um(make, model));

    info.lens.model = text("lens_type");
    info.lens.squeeze = match (get("anamorphic_enable"), get("anamorphic")) {
        (Some("0"), _) => Some(1.0),
        (_, Some(factor)) => values::number(factor),
        (_, None) => None,
    };
    info.color_space = match (get("viewing_gamut"), get("viewing_gamma")) {
        (Some(gamut), Some(gamma)) => {
            let generation = get("viewing_bmdgen").map(|g| format!(", generation {g}"));
            Some(format!("{gamut} / {gamma}{}", generation.unwrap_or_default()))
        }
        _ => None,
    };
}

fn frame_fields(first: &BTreeMap<&str, &str>, tracks: &[Track; 7], info: &mut ClipInfo) {
    let get = |key: &str| first.get(key).map(|v| v.trim()).filter(|v| !v.is_empty());
    info.timing.capture_rate = get("sensor_rate").and_then(frame_rate);
    info.camera.nd_filter = get("internal_nd").map(str::to_owned);
    // A shutter is an angle, or a time such as 1/50.
    info.camera.exposure_time_s = get("shutter_value").and_then(values::ratio);
    let is_t_stop = get("aperture").is_none_or(values::is_t_stop);
    let mut settled = [None; 7];
    for ((value, track), (key, field)) in settled.iter_mut().zip(tracks).zip(FRAME_FIELDS) {
        let field = if key == "aperture" && !is_t_stop { "aperture" } else { field };
        *value = track.settle(field, info);
    }
    let [angle, stop, focal, focus, iso, kelvin, tint] = settled;
    info.camera.shutter_angle_deg = angle;
    (info.lens.t_stop, info.lens.f_number) = if is_t_stop { (stop, None) } else { (None, stop) };
    info.lens.focal_length_mm = focal;
    info.lens.focus_distance_m = focus;
    info.camera.iso_speed = iso;
    info.camera.white_kelvin = kelvin;
    info.camera.white_tint = tint;
}

/// `7680,6408,`
fn pair(text: &str) -> Option<[u32; 2]> {
    let mut numbers = text.split(',').map(values::whole);
    Some([numbers.next()??, numbers.next()??])
}

/// `48,1,`; or one number, in 65536ths when it is that large.
fn frame_rate(text: &str) -> Option<FrameRate> {
    if let Some([numerator, denominator]) = pair(text) {
        return FrameRate::new(numerator, denominator).ok();
    }
    let number = values::number(text)?;
    let rate = if number >= 65_536.0 { number / 65_536.0 } else { number };
    // Sixteen bits behind the point are not the NTSC rates themselves.
    values::rate(&format!("{rate:.3}"))
}
