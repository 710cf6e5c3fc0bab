//! Metadata exports that are cut short or damaged are refused or read, and never stop the program.

use super::*;
use platefarm_model::clip::{CameraColor, Identity, Timing};
use platefarm_model::{FrameRate, Timecode};

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/sidecar").join(name)
}

fn sheet(name: &str) -> Sheet {
    read(&fixture(name)).unwrap().expect("it is an export")
}

/// Every fixture is one maker's and no other's.
#[test]
fn exports_are_known_by_their_content() {
    for (name, kind) in [
        ("B001C001_180327_R1ZA.mov.csv", "arri"),
        ("A001_04190112_C102.txt", "blackmagic"),
        ("A001C001.static.csv", "canon"),
        ("A001C001.frames.csv", "canon"),
        ("A001_C066_0303LZ.static.csv", "red"),
        ("A001_C066_0303LZ.frames.csv", "red"),
        ("D001C005_210716AGM01.XML", "sony"),
        ("D001C005_210716AG.csv", "sony"),
    ] {
        let bytes = std::fs::read(fixture(name)).unwrap();
        let text = decoded(&bytes);
        let kinds: Vec<&str> =
            SIDECARS.iter().filter(|s| s.probe(&text)).map(|s| s.name()).collect();
        assert_eq!(kinds, [kind], "{name}");
        assert!(may_be(&fixture(name)));
    }
    for other in ["a,b,c\n1,2,3\n", "<html/>", "", "Clip Metadata\n"] {
        assert!(recognise(other.as_bytes()).is_none(), "{other}");
    }
    assert!(recognise(b"Clip Name,AltReelID,REDCODE\0\0").is_none(), "binary is no text");
}

/// Cells as they stand in the files, white space included.
#[test]
fn vendor_fields_are_kept_untouched() {
    let arri = sheet("B001C001_180327_R1ZA.mov.csv").info.vendor;
    assert_eq!(arri.len(), 183, "as many as the table has columns");
    assert_eq!(arri["arri.White Balance CC"], "  0");
    assert_eq!(arri["arri.Master TC (2)"], "13:36:49:07");
    let red = sheet("A001_C066_0303LZ.static.csv").info.vendor;
    assert_eq!(red["red.Lens Brand"], "SIGMA          ");
    let sony = sheet("D001C005_210716AGM01.XML").info.vendor;
    assert_eq!(sony["sony.Lens@modelName"], "S7i-32                       ");
    assert_eq!(sony["sony.AcquisitionRecord.CameraUnitMetadataSet.ShutterSpeedAngle"], "10380");
    assert_eq!(sony["sony.AudioFormat.AudioRecPort@trackDst (4)"], "CH4");
    assert_eq!(sony["sony.UserDescriptiveMetadata.Shot"], "005");
    let bmd = sheet("A001_04190112_C102.txt").info.vendor;
    assert_eq!(bmd["blackmagic.sensor_area_captured"], "7680,6408,");
    assert_eq!(bmd["blackmagic.frame.internal_nd"], "6");
}

fn clip(path: &str, name: &str) -> ClipInfo {
    ClipInfo {
        path: path.into(),
        identity: Identity { clip_name: name.into(), ..Identity::default() },
        ..ClipInfo::default()
    }
}

#[test]
fn an_export_goes_to_the_clip_it_names_and_fills_what_is_not_known() {
    let dir = fixture("").display().to_string();
    let mut clips = [
        clip("/elsewhere/d001c005_210716ag.mxf", "d001c005_210716ag"),
        clip(&format!("{dir}/D001C005_210716AG.MXF"), "D001C005_210716AG"),
        clip("/elsewhere/other.mxf", "OTHER"),
    ];
    clips[1].camera.iso_speed = Some(800.0);
    let sheets = vec![sheet("D001C005_210716AGM01.XML"), sheet("D001C005_210716AG.csv")];
    let alone = attach(&mut clips, sheets);
    assert!(alone.is_empty());
    let [far, near, other] = &clips;
    assert_eq!(far.sidecars.len() + other.sidecars.len(), 0, "the nearest of a name has it");
    assert_eq!(near.sidecars.len(), 2);
    assert_eq!(near.camera.iso_speed, Some(800.0), "the media's own word stands");
    assert_eq!(near.timing.frame_count, 588);
    assert_eq!(near.lens.t_stop.map(|t| (t * 1e4).round()), Some(22191.0));
    assert!(near.varies.contains_key("focus"));
    assert_eq!(near.notes, [], "nothing contradicts");
}

#[test]
fn contradictions_are_reported_and_the_media_is_believed() {
    let rate = FrameRate::new(24000, 1001).unwrap();
    let mut one = clip("x/D001C005_210716AG.mxf", "D001C005_210716AG");
    one.timing = Timing {
        start: Some(Timecode::parse("16:47:04:20", rate).unwrap()),
        rate: Some(rate),
        frame_count: 588,
        ..Timing::default()
    };
    one.camera.model = Some("mpc-3610".into());
    merge(&mut one, &sheet("D001C005_210716AGM01.XML"));
    let said: Vec<&str> = one.notes.iter().map(|note| note.message.as_str()).collect();
    assert_eq!(
        said,
        [
            "timeCode is 16:47:04:20, and 16:47:04:19 in the sony export",
            "framesPerSecond is 24000/1001, and 24 in the sony export",
        ]
    );
    assert!(one.notes.iter().all(|note| note.code == Code::MetadataConflict));
    assert_eq!(one.timing.rate, Some(rate));
}

/// Exports with no media beside them stand for themselves, one clip of each name.
#[test]
fn exports_alone_are_clips() {
    let sheets = vec![
        sheet("A001C001.frames.csv"),
        sheet("A001C001.static.csv"),
        sheet("A001_C066_0303LZ.static.csv"),
        sheet("A001_C066_0303LZ.frames.csv"),
    ];
    let alone = attach(&mut [], sheets);
    let names: Vec<&str> = alone.iter().map(|c| c.identity.clip_name.as_str()).collect();
    assert_eq!(names, ["A001C001", "A001_C066_0303LZ"]);
    assert_eq!(alone[1].lens.entrance_pupil_offset_mm, Some(127.0));
    assert!(alone[0].identity.umid.as_ref().is_some_and(|umid| umid.starts_with("060A2B34")));
    assert_eq!(alone[0].lens.focus_distance_m, Some(0.5), "from the table of frames");
    assert_eq!(alone[0].sidecars.len(), 2);
}

/// Pixels of sensor data mean what the camera's matrix says, whatever an export calls them.
#[test]
fn an_export_does_not_rename_the_colours_of_sensor_data() {
    let mut one = clip("x/B001C001_180327_R1ZA.dng", "B001C001_180327_R1ZA");
    one.color = Some(CameraColor { white_balance: [1.0; 3], camera_to_aces: [[0.0; 3]; 3] });
    merge(&mut one, &sheet("B001C001_180327_R1ZA.mov.csv"));
    assert_eq!(one.color_space, None);
    assert_eq!(one.color_name().as_deref(), Some("camera RGB"));
}

/// Whatever is cut off or turned over, nothing panics, and what is refused is refused by its code.
#[test]
fn damaged_exports_are_refused_or_read_as_far_as_they_are_sound() {
    for name in [
        "B001C001_180327_R1ZA.mov.csv",
        "A001_04190112_C102.txt",
        "A001C001.static.csv",
        "A001C001.frames.csv",
        "A001_C066_0303LZ.static.csv",
        "A001_C066_0303LZ.frames.csv",
        "D001C005_210716AGM01.XML",
        "D001C005_210716AG.csv",
    ] {
        let bytes = std::fs::read(fixture(name)).unwrap();
        let kind = recognise(&bytes).unwrap();
        let step = (bytes.len() / 400).max(1);
        for cut in (0..bytes.len()).step_by(step) {
            if let Err(fault) = parse(kind, &bytes[..cut]) {
                assert_eq!(fault.code, Code::BadSidecar, "{name} cut at {cut}: {fault}");
            }
        }
        let mut seed = 0x9e37_79b9_7f4a_7c15_u64;
        for _ in 0..200 {
            let mut broken = bytes.clone();
            for _ in 0..8 {
                seed = seed.wrapping_mul(0x5851_f42d_4c95_7f2d).wrapping_add(0x1405_7b7e_f767_814f);
                let at = (seed >> 33) as usize % broken.len();
                broken[at] = (seed >> 20) as u8;
            }
            if let Err(fault) = parse(kind, &broken) {
                assert_eq!(fault.code, Code::BadSidecar, "{name}: {fault}");
            }
        }
    }
}
