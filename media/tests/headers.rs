//! What plates' headers say of camera and lens, by another's word: OpenEXR's
//! own `exrheader` prints names, types and values (Debian: openexr).

use platefarm_media::sidecar;
use platefarm_media::sink::exr::{Planes, PlateHeader, encode, read};
use platefarm_model::recipe::Compression;
use std::path::Path;
use std::process::Command;

/// The header of one frame of a clip that a RED camera described.
fn plate(index: i64) -> PlateHeader {
    let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/sidecar");
    let names = ["A001_C066_0303LZ.static.csv", "A001_C066_0303LZ.frames.csv"];
    let (sheets, faults) = sidecar::read_all(&names.map(|name| fixtures.join(name)));
    assert_eq!(faults, []);
    let clip = sidecar::attach(&mut [], sheets).remove(0);
    PlateHeader::of_clip(&clip, index)
}

fn printed(header: &PlateHeader) -> (String, PlateHeader) {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("plate.exr");
    let plane = [0x3c00_u16; 16];
    let rgb = [&plane[..], &plane[..], &plane[..]];
    let planes = Planes { width: 4, height: 4, rgb, alpha: None };
    std::fs::write(&file, encode(planes, header, Compression::Zip).unwrap()).unwrap();
    let output =
        Command::new("exrheader").arg(&file).output().expect("exrheader (Debian: openexr)");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    (String::from_utf8(output.stdout).unwrap(), read(&file).unwrap().header)
}

#[test]
fn lens_shutter_and_rates_are_openexrs_attributes() {
    let header = plate(0);
    let (text, back) = printed(&header);
    for line in [
        "captureRate (type rational): 24/1 (24)",
        "framesPerSecond (type rational): 24/1 (24)",
        "shutterAngle (type float): 180",
        "expTime (type float): 0.0208333",
        "isoSpeed (type float): 250",
        "cameraCCTSetting (type float): 5600",
        "cameraTintSetting (type float): 0",
        "cameraFirmwareVersion (type string): \"7.4.1\"",
        "cameraLabel (type string): \"RANGER\"",
        "lensMake (type string): \"SIGMA\"",
        "lensModel (type string): \"40mm T1.5 FF | 018\"",
        "lensSerialNumber (type string): \"G53599764\"",
        "lensFirmwareVersion (type string): \"1.00\"",
        "nominalFocalLength (type float): 40",
        "tStop (type float): 5.6",
        "aperture (type float): 5.6",
        "focus (type float): 0.41",
        "entrancePupilOffset (type float): 127",
        "sensorPhotositePitch (type float): 5",
        "capDate (type string): \"2022:03:03 13:21:46\"",
        "reelName (type string): \"A001\"",
        "pixelAspectRatio (type float): 1",
    ] {
        assert!(text.lines().any(|l| l == line), "no line {line:?} in\n{text}");
    }
    assert_eq!(back, header, "and we read what we wrote");
}

/// Of what changes over the frames the export keeps the first value: another frame must not claim it.
#[test]
fn a_later_frame_does_not_claim_the_first_ones_focus() {
    let (text, _) = printed(&plate(1));
    assert!(!text.contains("focus (") && !text.contains("entrancePupilOffset ("), "{text}");
    assert!(text.contains("nominalFocalLength (type float): 40"), "the lens does not change");
    assert!(text.contains("tStop (type float): 5.6"));
}

/// Nothing is written of a clip that says nothing.
#[test]
fn unknown_values_are_left_out() {
    let (text, _) = printed(&PlateHeader::of_clip(&Default::default(), 0));
    for name in
        ["lens", "shutterAngle", "captureRate", "focus", "cameraMake", "isoSpeed", "capDate"]
    {
        assert!(!text.contains(name), "{name} in\n{text}");
    }
}
