//! Clips as `platefarm inspect --json` describes them, read back: they are
//! inspected where the media is, and added by a service that has none.

use platefarm_model::clip::{
    CameraColor, CameraInfo, ClipInfo, Identity, LensInfo, Picture, Timing,
};
use platefarm_model::raw::Rect;
use platefarm_model::schema::{self, MISSING};
use platefarm_model::{Code, Fault, FrameRate, Outcome, Timecode, limits};
use serde::de::DeserializeOwned;
use serde_json::Value;
use std::ops::RangeInclusive;

/// What the schema calls the camera's own matrix.
const CAMERA_RGB: &str = "camera RGB";

/// Numbers that file names have.
const FILE_NUMBERS: RangeInclusive<i64> = 0..=999_999_999_999;

/// The clips of a document of `platefarm inspect --json`, or of an array of such clips.
///
/// # Errors
/// [`Code::BadInspection`] with the clip and the field.
pub fn described(json: &[u8]) -> Outcome<Vec<ClipInfo>> {
    let document: Value = serde_json::from_slice(json)
        .map_err(|e| Fault::new(Code::BadInspection, "the clips are not JSON").because(&e))?;
    let clips = match &document {
        Value::Array(clips) => clips,
        Value::Object(whole) => {
            let schema = whole.get("schema").and_then(Value::as_str).unwrap_or_default();
            if schema != schema::VERSION {
                let message =
                    format!("the schema is '{schema}', and '{}' is read", schema::VERSION);
                return Err(Fault::new(Code::BadInspection, message).at("schema"));
            }
            whole.get("clips").and_then(Value::as_array).ok_or_else(|| {
                Fault::new(Code::BadInspection, "the document has no clips").at("clips")
            })?
        }
        _ => {
            return Err(Fault::new(
                Code::BadInspection,
                "the clips are neither a document nor an array",
            ));
        }
    };
    let read = |(place, clip)| {
        clip_of(&Described(clip)).map_err(|fault: Fault| fault.within(format!("clips[{place}]")))
    };
    clips.iter().enumerate().map(read).collect()
}

/// One clip of the document.
struct Described<'a>(&'a Value);

impl Described<'_> {
    /// The value of a field of the schema; none where it is not known.
    fn get<T: DeserializeOwned>(&self, name: &str) -> Outcome<Option<T>> {
        let group = schema::field(name).map_or("", |field| field.group.name());
        let value = &self.0[group][name];
        if value.is_null() || value == MISSING {
            return Ok(None);
        }
        self.read(value, name).map(Some)
    }

    /// What stands beside the groups; nothing, where it is not there.
    fn beside<T: DeserializeOwned + Default>(&self, name: &str) -> Outcome<T> {
        match &self.0[name] {
            Value::Null => Ok(T::default()),
            value => self.read(value, name),
        }
    }

    fn read<T: DeserializeOwned>(&self, value: &Value, name: &str) -> Outcome<T> {
        T::deserialize(value).map_err(|e| {
            Fault::new(Code::BadInspection, format!("{value} cannot be")).at(name).because(&e)
        })
    }

    fn timecode(&self, name: &str, rate: Option<FrameRate>) -> Outcome<Option<Timecode>> {
        let Some(text) = self.get::<String>(name)? else { return Ok(None) };
        let rate = rate.ok_or_else(|| {
            let message = format!("timecode '{text}' counts in no rate");
            Fault::new(Code::BadInspection, message).at("framesPerSecond")
        })?;
        Timecode::parse(&text, rate).map(Some).map_err(|fault| fault.at(name))
    }
}

fn clip_of(from: &Described<'_>) -> Outcome<ClipInfo> {
    let path: String = from.beside("path")?;
    if !is_whole(&path) {
        let message = format!("'{path}' is no whole path, so that it means another file elsewhere");
        return Err(Fault::new(Code::BadInspection, message).at("path"));
    }
    let clip_name: Option<String> = from.get("clipName")?;
    let clip_name = clip_name
        .ok_or_else(|| Fault::new(Code::BadInspection, "a clip without a name").at("clipName"))?;
    let color = color(from)?;
    let color_space: Option<String> = from.get("colorSpace")?;
    checked(ClipInfo {
        path,
        identity: Identity {
            clip_name,
            reel_name: from.get("reelName")?,
            camera_label: from.get("cameraLabel")?,
            camera_letter: from.get("cameraLetter")?,
            uuid: from.get("uuid")?,
            umid: from.get("umid")?,
            scene: from.get("scene")?,
            take: from.get("take")?,
        },
        timing: timing(from)?,
        picture: picture(from)?,
        camera: camera(from)?,
        lens: lens(from)?,
        // The name of the matrix stands for it only where there is one.
        color_space: color_space.filter(|name| color.is_none() || name != CAMERA_RGB),
        color,
        frame_lines: from.get("frameLines")?.unwrap_or_default(),
        varies: from.beside("varies")?,
        sidecars: from.beside("sidecars")?,
        vendor: from.beside("vendor")?,
        notes: from.beside("notes")?,
    })
}

/// Numbers that everything behind this may count with.
fn checked(clip: ClipInfo) -> Outcome<ClipInfo> {
    let bad = |name: &str, value: &dyn std::fmt::Display| {
        Err(Fault::new(Code::BadInspection, format!("{value} is beyond any camera")).at(name))
    };
    let Timing { frame_count, first_file_number, .. } = clip.timing;
    if frame_count > limits::MAX_FRAMES_PER_STEP {
        return bad("frameCount", &frame_count);
    }
    if let Some(number) = first_file_number.filter(|number| !FILE_NUMBERS.contains(number)) {
        return bad("firstFileNumber", &number);
    }
    let picture = &clip.picture;
    let Picture { width, height, photosites: [columns, rows], active, crop, .. } = picture;
    let rects = [active, crop].into_iter().flat_map(|r| [r.x, r.y, r.width, r.height]);
    let most = limits::MAX_PICTURE_SIDE_PX;
    let sides = [*width, *height, *columns, *rows].into_iter().chain(rects);
    if let Some(side) = sides.into_iter().find(|side| *side > most) {
        return bad("geometry", &side);
    }
    let ratios =
        [("pixelAspectRatio", Some(picture.pixel_aspect)), ("lensSqueeze", clip.lens.squeeze)];
    for (name, ratio) in ratios {
        // Nothing is said by 0.
        if let Some(ratio) = ratio.filter(|ratio| !(0.0..=100.0).contains(ratio)) {
            return bad(name, &ratio);
        }
    }
    Ok(clip)
}

/// Whether a path means the same file on every machine that has the volume.
pub(crate) fn is_whole(path: &str) -> bool {
    let drive = path.as_bytes().get(1..3).is_some_and(|mark| mark == b":\\" || mark == b":/");
    path.starts_with(['/', '\\']) || path.starts_with("s3://") || drive
}

fn timing(from: &Described<'_>) -> Outcome<Timing> {
    let rate = from.get("framesPerSecond")?;
    let mut timing = Timing {
        start: from.timecode("timeCode", rate)?,
        rate,
        capture_rate: from.get("captureRate")?,
        edge_start: from.timecode("edgeTimeCode", rate)?,
        duration_s: None,
        captured: from.get("capDate")?,
        utc_offset_s: from.get("utcOffset")?,
        frame_count: from.get("frameCount")?.unwrap_or_default(),
        missing: from.get("missingFrames")?.unwrap_or_default(),
        first_file_number: from.get("firstFileNumber")?,
    };
    let written: Option<f64> = from.get("duration")?;
    // It is said too where it only follows from the frames.
    timing.duration_s = written.filter(|said| timing.seconds() != Some(*said));
    Ok(timing)
}

fn picture(from: &Described<'_>) -> Outcome<Picture> {
    let [width, height]: [u32; 2] = from.get("pictureSize")?.unwrap_or_default();
    let active: Rect = from.get("activeArea")?.unwrap_or_default();
    let acquired: Option<Rect> = from.get("sensorAcquisitionRectangle")?;
    let crop = match acquired {
        Some(rect) => {
            Rect { x: rect.x.saturating_sub(active.x), y: rect.y.saturating_sub(active.y), ..rect }
        }
        None => Rect { x: 0, y: 0, width, height },
    };
    let mut picture = Picture {
        width,
        height,
        photosites: from.get("photosites")?.unwrap_or_default(),
        active,
        crop,
        pixel_aspect: from.get("pixelAspectRatio")?.unwrap_or_default(),
        bit_depth: from.get("bitDepth")?.unwrap_or_default(),
        format: from.get("format")?.unwrap_or_default(),
        compression: from.get("compression")?.unwrap_or_default(),
        cfa: from.get("cfa")?,
        codec: None,
        sensor_mode: None,
        photosite_pitch_um: from.get("sensorPhotositePitch")?,
    };
    // Both are said too where they only follow from the rest.
    let bare = ClipInfo { picture: picture.clone(), ..ClipInfo::default() };
    let (codec, mode): (Option<String>, Option<String>) =
        (from.get("codec")?, from.get("sensorMode")?);
    picture.codec = codec.filter(|said| bare.codec().as_ref() != Some(said));
    picture.sensor_mode = mode.filter(|said| bare.sensor_mode().as_ref() != Some(said));
    Ok(picture)
}

fn color(from: &Described<'_>) -> Outcome<Option<CameraColor>> {
    let white: Option<[f64; 3]> = from.get("whiteBalance")?;
    let matrix: Option<[f64; 9]> = from.get("cameraToAces")?;
    let Some((white_balance, rows)) = white.zip(matrix) else { return Ok(None) };
    let mut camera_to_aces = [[0.0; 3]; 3];
    camera_to_aces.as_flattened_mut().copy_from_slice(&rows);
    Ok(Some(CameraColor { white_balance, camera_to_aces }))
}

fn camera(from: &Described<'_>) -> Outcome<CameraInfo> {
    Ok(CameraInfo {
        make: from.get("cameraMake")?,
        model: from.get("cameraModel")?,
        serial_number: from.get("cameraSerialNumber")?,
        iso_speed: from.get("isoSpeed")?,
        exposure_index: from.get("exposureIndex")?,
        exposure_time_s: from.get("expTime")?,
        shutter_angle_deg: from.get("shutterAngle")?,
        white_kelvin: from.get("cameraCCTSetting")?,
        white_tint: from.get("cameraTintSetting")?,
        firmware: from.get("cameraFirmwareVersion")?,
        nd_filter: from.get("ndFilter")?,
    })
}

fn lens(from: &Described<'_>) -> Outcome<LensInfo> {
    Ok(LensInfo {
        make: from.get("lensMake")?,
        model: from.get("lensModel")?,
        serial_number: from.get("lensSerialNumber")?,
        focal_length_mm: from.get("nominalFocalLength")?,
        focus_distance_m: from.get("focus")?,
        t_stop: from.get("tStop")?,
        f_number: from.get("aperture")?,
        squeeze: from.get("lensSqueeze")?,
        firmware: from.get("lensFirmwareVersion")?,
        entrance_pupil_offset_mm: from.get("entrancePupilOffset")?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use platefarm_model::clip::{FrameLine, Variation};
    use platefarm_model::schema::{FIELDS, VERSION};
    use proptest::prelude::*;
    use serde_json::json;

    /// A clip of which the schema says everything.
    fn full() -> ClipInfo {
        let rate: FrameRate = "29.97".parse().unwrap();
        let text = |text: &str| Some(text.to_owned());
        let identity = Identity {
            clip_name: "A001_C002_0303LZ".into(),
            reel_name: text("A001"),
            camera_label: text("main"),
            camera_letter: text("A"),
            uuid: text("u"),
            umid: text("0a"),
            scene: text("12"),
            take: text("3"),
        };
        let timing = Timing {
            start: Some(Timecode::parse("00:00:59;28", rate).unwrap()),
            rate: Some(rate),
            capture_rate: "48".parse().ok(),
            edge_start: Some(Timecode::parse("00:00:01;02", rate).unwrap()),
            duration_s: Some(9.5),
            captured: text("2026:11:30 10:00:00"),
            utc_offset_s: Some(3600.0),
            frame_count: 30,
            missing: "4-5".parse().unwrap(),
            first_file_number: Some(7),
        };
        let picture = Picture {
            width: 3840,
            height: 1600,
            photosites: [4096, 2160],
            active: Rect { x: 8, y: 4, width: 4000, height: 2000 },
            crop: Rect { x: 2, y: 2, width: 3840, height: 1600 },
            pixel_aspect: 1.5,
            bit_depth: 12,
            format: "dng".into(),
            compression: "none".into(),
            cfa: text("rggb"),
            codec: text("RAW 3:1"),
            sensor_mode: text("open gate"),
            photosite_pitch_um: Some(6.1),
        };
        let camera = CameraInfo {
            make: text("Make"),
            model: text("Model"),
            serial_number: text("1"),
            iso_speed: Some(800.0),
            exposure_index: Some(640.0),
            exposure_time_s: Some(0.02),
            shutter_angle_deg: Some(172.8),
            white_kelvin: Some(5600.0),
            white_tint: Some(-2.0),
            firmware: text("1.2"),
            nd_filter: text("0.6"),
        };
        let lens = LensInfo {
            make: text("Lens"),
            model: text("50"),
            serial_number: text("2"),
            focal_length_mm: Some(50.0),
            focus_distance_m: Some(2.5),
            t_stop: Some(2.8),
            f_number: Some(2.6),
            squeeze: Some(2.0),
            firmware: text("3"),
            entrance_pupil_offset_mm: Some(-12.0),
        };
        let color = CameraColor {
            white_balance: [2.0, 1.0, 1.5],
            camera_to_aces: [[0.5, 0.25, 0.25], [0.0, 1.0, 0.0], [0.125, 0.0, 0.875]],
        };
        let line = FrameLine { label: "2.39".into(), left: 1.0, top: 2.0, width: 3.0, height: 4.0 };
        ClipInfo {
            path: "/ocf/A001/A001_C002_0303LZ.dng".into(),
            identity,
            timing,
            picture,
            camera,
            lens,
            color: Some(color),
            color_space: None,
            frame_lines: vec![line],
            varies: [("focus".to_owned(), Variation { min: 1.0, max: 2.0, frames: 9 })].into(),
            sidecars: vec!["/ocf/a.ale".into()],
            vendor: [("k".to_owned(), "v".to_owned())].into(),
            notes: vec![Fault::new(Code::Defaulted, "assumed")],
        }
    }

    #[test]
    fn a_clip_that_was_described_is_read_whole() {
        let clip = full();
        let unsaid = FIELDS.iter().filter(|field| field.of(&clip).is_none());
        assert_eq!(
            unsaid.map(|field| field.name).collect::<Vec<_>>(),
            [""; 0],
            "the clip has every field"
        );
        let plain = ClipInfo {
            path: "s3://cards/b.mov".into(),
            identity: Identity { clip_name: "b".into(), ..Identity::default() },
            color_space: Some("ARRI LogC4".into()),
            ..ClipInfo::default()
        };
        let clips = [clip, plain];
        let each: Vec<_> = clips.iter().map(schema::Described).collect();
        let document = json!({ "schema": VERSION, "clips": each, "formats": [], "problems": [] });
        assert_eq!(described(document.to_string().as_bytes()).unwrap(), clips);
        assert_eq!(described(document["clips"].to_string().as_bytes()).unwrap(), clips);
    }

    #[test]
    fn what_cannot_be_read_is_told_with_its_place() {
        let mut clip = serde_json::to_value(schema::Described(&full())).unwrap();
        let told = |clip: &Value| {
            let fault = described(json!([clip]).to_string().as_bytes()).unwrap_err();
            assert_eq!(fault.code, Code::BadInspection, "{fault}");
            fault.place.unwrap()
        };
        clip["camera"]["cameraMake"] = json!(7);
        assert_eq!(told(&clip), "clips[0]: cameraMake");
        clip["camera"]["cameraMake"] = json!("Make");
        clip["timing"]["frameCount"] = json!(u64::MAX);
        assert_eq!(told(&clip), "clips[0]: frameCount");
        clip["path"] = json!("A001/a.dng");
        assert_eq!(told(&clip), "clips[0]: path");
        for bad in ["", "7", "{}", r#"{"schema": "platefarm.inspect/9", "clips": []}"#] {
            assert_eq!(described(bad.as_bytes()).unwrap_err().code, Code::BadInspection, "{bad}");
        }
    }

    proptest! {
        /// Whatever stands in the place of whichever value: it is read or refused, and what is read
        /// can be described again.
        #[test]
        fn no_value_breaks_the_reader(at in any::<prop::sample::Index>(), with in 0usize..8) {
            let with = [
                json!(null), json!(-1), json!(u64::MAX), json!(1e300), json!("x"), json!([0]),
                json!({}), json!("99:99:99:99"),
            ][with].clone();
            let mut clip = serde_json::to_value(schema::Described(&full())).unwrap();
            let field = at.get(FIELDS);
            clip[field.group.name()][field.name] = with;
            for clip in described(json!([clip]).to_string().as_bytes()).unwrap_or_default() {
                serde_json::to_value(schema::Described(&clip)).unwrap();
            }
        }
    }
}
