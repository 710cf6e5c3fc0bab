//! The five makers' metadata exports against how other software reads them:
//! SMPTE OSVP camdkit 1.0.1, in `fixtures/sidecar/*.canonical.json`. Every
//! field of its reading is compared; where ours differs on purpose, the reason
//! stands here. What camdkit does not read (names, timecode, rates, codec) is
//! compared with the files' own text, by hand.

use platefarm_media::sidecar;
use platefarm_model::clip::ClipInfo;
use platefarm_model::schema::{self, Value};
use serde_json::Value as Json;
use std::path::{Path, PathBuf};

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/sidecar").join(name)
}

/// What several exports say of one clip.
fn clip(names: &[&str]) -> ClipInfo {
    let paths: Vec<PathBuf> = names.iter().map(|name| fixture(name)).collect();
    let (sheets, faults) = sidecar::read_all(&paths);
    assert_eq!(faults, []);
    let mut clips = sidecar::attach(&mut [], sheets);
    assert_eq!(clips.len(), 1, "{names:?}");
    clips.remove(0)
}

/// A reading of camdkit's: every leaf by its path, the first of samples over time.
fn canonical(maker: &str) -> Vec<(String, Json)> {
    fn walk(path: &str, value: &Json, out: &mut Vec<(String, Json)>) {
        match value {
            Json::Object(map) if map.contains_key("num") => {
                let number = |key: &str| map[key].as_f64().unwrap();
                out.push((path.into(), Json::from(number("num") / number("denom"))));
            }
            Json::Object(map) => {
                map.iter().for_each(|(key, value)| walk(&format!("{path}/{key}"), value, out));
            }
            Json::Array(samples) => walk(path, &samples[0], out),
            leaf => out.push((path.into(), leaf.clone())),
        }
    }
    let text = std::fs::read_to_string(fixture(&format!("{maker}.canonical.json"))).unwrap();
    let mut out = Vec::new();
    walk("", &serde_json::from_str(&text).unwrap(), &mut out);
    out
}

/// Our value of a field of camdkit's, in camdkit's unit for that maker.
fn ours(path: &str, maker: &str, clip: &ClipInfo) -> Option<Json> {
    let value = |name: &str| schema::field(name).unwrap().of(clip);
    let number = |name: &str| match value(name)? {
        Value::Number(number) => Some(number),
        Value::Rate(rate) => Some(rate.as_f64()),
        other => panic!("{name} is {other}"),
    };
    let sensor = |side: usize| {
        // Millimetres, from the pitch.
        Some(f64::from(clip.picture.photosites[side]) * number("sensorPhotositePitch")? / 1000.0)
    };
    let text = |name: &str| value(name).map(|v| Json::from(v.to_string().trim().to_owned()));
    match path {
        "/static/duration" => number("duration").map(Json::from),
        "/static/camera/captureFrameRate" => number("captureRate").map(Json::from),
        "/static/camera/activeSensorPhysicalDimensions/width" => sensor(0).map(Json::from),
        "/static/camera/activeSensorPhysicalDimensions/height" => sensor(1).map(Json::from),
        "/static/camera/make" => text("cameraMake"),
        "/static/camera/model" => text("cameraModel"),
        "/static/camera/serialNumber" => text("cameraSerialNumber"),
        "/static/camera/firmwareVersion" => text("cameraFirmwareVersion"),
        "/static/camera/anamorphicSqueeze" => number("lensSqueeze").map(Json::from),
        "/static/camera/isoSpeed" => number("isoSpeed").map(Json::from),
        "/static/camera/shutterAngle" => number("shutterAngle").map(Json::from),
        "/static/lens/make" => text("lensMake"),
        "/static/lens/model" => text("lensModel"),
        "/static/lens/serialNumber" => text("lensSerialNumber"),
        "/static/lens/firmwareVersion" => text("lensFirmwareVersion"),
        "/static/lens/nominalFocalLength" => number("nominalFocalLength").map(Json::from),
        "/lens/tStop" => number("tStop").map(Json::from),
        // Metres of ARRI, Sony and Canon, millimetres of RED and Blackmagic.
        "/lens/focusDistance" if matches!(maker, "red" | "bmd") => {
            number("focus").map(|metres| Json::from(metres * 1000.0))
        }
        "/lens/focusDistance" => number("focus").map(Json::from),
        // Metres there; OpenEXR has millimetres.
        "/lens/entrancePupilOffset" => {
            number("entrancePupilOffset").map(|mm| Json::from(mm / 1000.0))
        }
        other => panic!("camdkit has a field {other} that nobody compares"),
    }
}

/// Compares all fields; those in `differ` must differ, and be what is said there.
fn compare(maker: &str, clip: &ClipInfo, differ: &[(&str, Option<f64>)]) {
    let mut compared = 0;
    for (path, theirs) in canonical(maker) {
        let found = ours(&path, maker, clip);
        let same = match (&found, theirs.as_f64()) {
            (Some(found), Some(theirs)) => {
                found.as_f64().is_some_and(|v| (v - theirs).abs() <= 1e-9 * theirs.abs())
            }
            (Some(found), None) => *found == theirs,
            (None, _) => false,
        };
        match differ.iter().find(|(name, _)| path.ends_with(name)) {
            None => assert!(same, "{maker} {path}: {found:?}, camdkit says {theirs}"),
            Some((_, expected)) => {
                assert!(!same, "{maker} {path} agrees: it is no difference any more");
                let found = found.map(|v| v.as_f64().expect("a number"));
                let near = match (found, expected) {
                    (Some(a), Some(b)) => (a - b).abs() <= 1e-9 * b.abs(),
                    (a, b) => a.is_none() && b.is_none(),
                };
                assert!(near, "{maker} {path}: {found:?}, not {expected:?}");
            }
        }
        compared += 1;
    }
    assert!(compared >= 7, "{maker}: {compared} fields");
}

fn check(clip: &ClipInfo, expected: &[(&str, &str)]) {
    for (name, text) in expected {
        let value = schema::field(name).unwrap_or_else(|| panic!("no field {name}")).of(clip);
        let shown = value.map_or_else(|| schema::MISSING.to_owned(), |v| v.to_string());
        assert_eq!(shown, *text, "{name}");
    }
}

#[test]
fn arri() {
    let clip = clip(&["B001C001_180327_R1ZA.mov.csv"]);
    compare(
        "arri",
        &clip,
        &[
            // The first 60 of the 500 frames that camdkit counted are here.
            ("/duration", Some(60.0 / 24.0)),
            // A ProRes picture has been scaled in the camera: 1920 columns are not photosites,
            // and 316.8 mm is no sensor. Unknown, not invented.
            ("Dimensions/width", None),
            ("Dimensions/height", None),
        ],
    );
    check(
        &clip,
        &[
            ("clipName", "B001C001_180327_R1ZA"),
            ("reelName", "B001R1ZA"),
            ("cameraLetter", "B"),
            ("uuid", "e4b8a5cc-0000-4000-82e3-016200000000"),
            ("umid", "Missing"),
            ("scene", "Missing"),
            ("take", "Missing"),
            ("timeCode", "13:36:49:07"),
            ("endTimeCode", "13:36:51:18"),
            ("dropFrame", "no"),
            ("framesPerSecond", "24"),
            ("captureRate", "24"),
            ("frameCount", "60"),
            ("capDate", "2018:03:27 12:36:51"),
            ("utcOffset", "0"),
            ("codec", "Apple ProRes 4444"),
            ("pictureSize", "1920x1080"),
            ("colorSpace", "LOG-C"),
            ("cameraCCTSetting", "3200"),
            ("cameraTintSetting", "0"),
            ("expTime", "0.02"),
            ("ndFilter", "No Filter"),
            ("cameraFirmwareVersion", "AlexaLF_2.0:41017"),
            ("focus", "4.812"),
        ],
    );
}

#[test]
fn blackmagic() {
    let clip = clip(&["A001_04190112_C102.txt"]);
    compare(
        "bmd",
        &clip,
        &[
            // The export has no count of frames; camdkit takes its one sample over 48 for that.
            ("/duration", None),
            // 12288 photosites on 27.03 mm (the maker's data sheet); camdkit's 112.5 m are no sensor.
            ("Dimensions/width", Some(7680.0 * 2.2 / 1000.0)),
            ("Dimensions/height", Some(6408.0 * 2.2 / 1000.0)),
        ],
    );
    check(
        &clip,
        &[
            ("clipName", "A001_04190112_C102"),
            ("reelName", "1"),
            ("cameraLetter", "A"),
            ("scene", "1"),
            ("take", "99"),
            ("timeCode", "Missing"),
            ("framesPerSecond", "24"),
            ("captureRate", "48"),
            ("frameCount", "Missing"),
            ("capDate", "2021:04:19"),
            ("sensorMode", "7680x6408"),
            ("pictureSize", "5120x4272"),
            ("codec", "Blackmagic RAW 12:1"),
            ("cameraCCTSetting", "6000"),
            ("cameraTintSetting", "0"),
            ("colorSpace", "Blackmagic Design / Blackmagic Design Film, generation 5"),
            ("ndFilter", "6"),
        ],
    );
}

#[test]
fn canon() {
    let clip = clip(&["A001C001.static.csv", "A001C001.frames.csv"]);
    compare("canon", &clip, &[]);
    check(
        &clip,
        &[
            ("clipName", "A001C001"),
            ("reelName", "1"),
            ("umid", "060A2B340101010501010D4313000000CD75881A79950580000085745900200003"),
            ("framesPerSecond", "Missing"),
            ("capDate", "2022:01:01 00:01:46"),
            ("utcOffset", "-3600"),
            ("pictureSize", "5952x3140"),
            ("bitDepth", "12"),
            ("cameraCCTSetting", "5600"),
            ("cameraModel", "Missing"),
            ("ndFilter", "Missing"),
            ("aperture", "Missing"),
        ],
    );
}

#[test]
fn red() {
    let clip = clip(&["A001_C066_0303LZ.static.csv", "A001_C066_0303LZ.frames.csv"]);
    // camdkit divides the frames by 2 (24/2 s); two frames at 24 are a twelfth of a second.
    compare("red", &clip, &[("/duration", Some(2.0 / 24.0))]);
    check(
        &clip,
        &[
            ("clipName", "A001_C066_0303LZ"),
            ("reelName", "A001"),
            ("cameraLetter", "A"),
            ("cameraLabel", "RANGER"),
            ("uuid", "2EE4BE6E-970F-44F5-9A76-E745B8AAD967"),
            ("timeCode", "23:17:21:08"),
            ("endTimeCode", "23:17:21:09"),
            ("edgeTimeCode", "01:20:52:10"),
            ("framesPerSecond", "24"),
            ("frameCount", "2"),
            ("capDate", "2022:03:03 13:21:46"),
            ("sensorMode", "4096x2160"),
            ("codec", "REDcode 8:1"),
            ("cameraCCTSetting", "5600"),
            ("aperture", "5.6"),
            ("pixelAspectRatio", "1"),
        ],
    );
    let focus = clip.varies["focus"];
    assert_eq!([focus.min, focus.max], [0.41, 0.42]);
    let pupil = clip.varies["entrancePupilOffset"];
    assert_eq!((pupil.min, pupil.max, pupil.frames), (126.0, 127.0, 2));
}

#[test]
fn sony() {
    let clip = clip(&["D001C005_210716AGM01.XML", "D001C005_210716AG.csv"]);
    compare(
        "venice",
        &clip,
        &[
            // SMPTE RDD 18 counts the angle in minutes of arc: 10380 are 173.0 degrees, what a
            // shutter of 172.8 rounds to. camdkit divides by 100.
            ("/shutterAngle", Some(173.0)),
            // 36.2 mm for 6048 photosites, by Sony's data sheet; camdkit has another camera's pitch.
            ("Dimensions/width", Some(5674.0 * 5.985 / 1000.0)),
            ("Dimensions/height", Some(3192.0 * 5.985 / 1000.0)),
        ],
    );
    check(
        &clip,
        &[
            ("clipName", "D001C005_210716AG"),
            ("reelName", "D001"),
            ("cameraLetter", "D"),
            ("umid", "060A2B340101010501010D4313000000373DE9D2119405DB080046021707296C"),
            ("timeCode", "16:47:04:19"),
            ("endTimeCode", "16:47:29:06"),
            ("framesPerSecond", "24"),
            ("captureRate", "24"),
            ("frameCount", "588"),
            ("capDate", "2021:07:16 11:46:22"),
            ("utcOffset", "28800"),
            ("codec", "F55_X-OCN_XT_6K_16:9"),
            ("pictureSize", "5674x3192"),
            ("pixelAspectRatio", "1"),
            ("exposureIndex", "250"),
            ("cameraCCTSetting", "4300"),
            ("colorSpace", "scene-linear"),
            ("ndFilter", "1"),
            ("lensMake", "Missing"),
        ],
    );
}
