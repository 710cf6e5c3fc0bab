//! The schema as data: every field has one place, one name and one kind, and what is unknown says so.

use super::*;
use crate::clip::Identity;
use std::collections::BTreeSet;

/// The optional standard attributes of OpenEXR 3.3 that a schema of clips can
/// use (its "Standard Attributes" page).
const OPENEXR: &[&str] = &[
    "pixelAspectRatio",
    "capDate",
    "utcOffset",
    "reelName",
    "imageCounter",
    "timeCode",
    "framesPerSecond",
    "captureRate",
    "cameraMake",
    "cameraModel",
    "cameraSerialNumber",
    "cameraFirmwareVersion",
    "cameraUuid",
    "cameraLabel",
    "cameraCCTSetting",
    "cameraTintSetting",
    "cameraColorBalance",
    "isoSpeed",
    "expTime",
    "shutterAngle",
    "lensMake",
    "lensModel",
    "lensSerialNumber",
    "lensFirmwareVersion",
    "nominalFocalLength",
    "pinholeFocalLength",
    "effectiveFocalLength",
    "entrancePupilOffset",
    "aperture",
    "tStop",
    "focus",
    "sensorCenterOffset",
    "sensorOverallDimensions",
    "sensorPhotositePitch",
    "sensorAcquisitionRectangle",
    "originalDataWindow",
    "adoptedNeutral",
];

#[test]
fn names_stand_once_and_openexrs_are_openexrs() {
    let names: BTreeSet<&str> = FIELDS.iter().map(|field| field.name).collect();
    assert_eq!(names.len(), FIELDS.len(), "no name twice");
    for field in FIELDS {
        assert_eq!(field.standard, OPENEXR.contains(&field.name), "{}", field.name);
        assert!(!field.doc.is_empty() && !field.doc.ends_with('.'), "{}", field.name);
    }
    assert!(FIELDS.windows(2).all(|w| w[0].group <= w[1].group), "groups are in order");
}

#[test]
fn unknown_is_missing_or_absent_and_never_zero() {
    let empty = ClipInfo::default();
    assert!(FIELDS.iter().all(|field| field.of(&empty).is_none()));
    let json = serde_json::to_value(Described(&empty)).unwrap();
    for field in FIELDS {
        let value = &json[field.group.name()][field.name];
        if field.critical {
            assert_eq!(value, MISSING, "{}", field.name);
        } else {
            assert!(value.is_null(), "{}", field.name);
        }
    }
    let missing = json["missing"].as_array().unwrap().len();
    assert_eq!(missing, FIELDS.iter().filter(|field| field.critical).count());
}

/// Cameras write zero for what they do not know.
#[test]
fn a_zero_that_cannot_be_is_not_a_value() {
    let mut clip = ClipInfo::default();
    clip.camera.iso_speed = Some(0.0);
    clip.camera.white_kelvin = Some(0.0);
    clip.lens.focal_length_mm = Some(f64::NAN);
    clip.camera.white_tint = Some(0.0);
    clip.identity.reel_name = Some(" ".into());
    let value = |name: &str| field(name).unwrap().of(&clip);
    assert_eq!(value("isoSpeed"), None);
    assert_eq!(value("cameraCCTSetting"), None);
    assert_eq!(value("nominalFocalLength"), None);
    assert_eq!(value("reelName"), None);
    assert_eq!(value("cameraTintSetting"), Some(Value::Number(0.0)), "no tint is a setting");
}

#[test]
fn values_are_what_the_document_says() {
    let rate: FrameRate = "29.97".parse().unwrap();
    let mut clip = ClipInfo {
        identity: Identity { clip_name: "A001_C002_0303LZ".into(), ..Identity::default() },
        ..ClipInfo::default()
    };
    clip.timing.rate = Some(rate);
    clip.timing.start = Some(Timecode::parse("00:00:59;28", rate).unwrap());
    clip.timing.frame_count = 3;
    clip.picture.photosites = [4096, 2160];
    clip.picture.active = Rect { x: 8, y: 4, width: 4000, height: 2000 };
    clip.picture.crop = Rect { x: 2, y: 2, width: 3840, height: 1600 };
    clip.picture.cfa = Some("rggb".into());
    let json = serde_json::to_value(Described(&clip)).unwrap();
    assert_eq!(json["identity"]["cameraLetter"], "A", "from the name");
    assert_eq!(json["timing"]["timeCode"], "00:00:59;28");
    assert_eq!(json["timing"]["endTimeCode"], "00:01:00;02", "drop frame: 00 and 01 do not exist");
    assert_eq!(json["timing"]["framesPerSecond"], "30000/1001");
    assert_eq!(json["timing"]["dropFrame"], true);
    assert_eq!(json["geometry"]["sensorMode"], "4000x2000");
    assert_eq!(json["geometry"]["sensorAcquisitionRectangle"]["x"], 10);
    assert_eq!(json["geometry"]["sensorAcquisitionRectangle"]["height"], 1600);
}
