//! OpenEXR sources against OpenImageIO's reading of files that OpenEXR's own
//! library wrote (`oracles/exr_files.py`), and what becomes of windows, colour,
//! metadata and damage.

use exr::prelude::f16;
use platefarm_media::{Clip, hash, open};
use platefarm_model::color::{self, ACES_WHITE, AP0, D65, REC709};
use platefarm_model::raw::{Frame, Rect, RgbLayout, RgbSamples};
use platefarm_model::recipe::{ColorRecipe, ColorStep};
use platefarm_model::{Code, FrameRate, Outcome};
use std::panic::catch_unwind;
use std::path::{Path, PathBuf};

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/exr").join(name)
}

/// A clip of this file alone.
fn alone(name: &str) -> (tempfile::TempDir, Box<dyn Clip>) {
    let dir = tempfile::tempdir().unwrap();
    std::fs::copy(fixture(name), dir.path().join(name)).unwrap();
    let clip = open(&dir.path().join(name), None).unwrap_or_else(|e| panic!("{name}: {e}"));
    (dir, clip)
}

fn layout(frame: &Frame) -> &RgbLayout {
    frame.layout.rgb().unwrap()
}

/// All pixels as floats.
fn floats(frame: &Frame) -> Vec<f32> {
    match layout(frame).samples {
        RgbSamples::F16 => {
            frame.bytes.chunks_exact(2).map(|b| f16::from_le_bytes([b[0], b[1]]).to_f32()).collect()
        }
        _ => frame
            .bytes
            .chunks_exact(4)
            .map(|b| f32::from_le_bytes([b[0], b[1], b[2], b[3]]))
            .collect(),
    }
}

/// The pixels of the crop.
fn cropped(frame: &Frame) -> Vec<f32> {
    let (pixels, layout) = (floats(frame), layout(frame));
    let Rect { x, y, width, height } = layout.crop;
    (y..y + height)
        .flat_map(|row| {
            let at = (row * layout.width + x) as usize * 3;
            pixels[at..][..width as usize * 3].to_vec()
        })
        .collect()
}

#[test]
fn pixels_are_what_openimageio_reads() {
    let record = std::fs::read_to_string(fixture("expected.json")).unwrap();
    let record: serde_json::Value = serde_json::from_str(&record).unwrap();
    for (name, expected) in record["files"].as_object().unwrap() {
        let (_dir, clip) = alone(name);
        let frame = clip.read(0).unwrap_or_else(|e| panic!("{name}: {e}"));
        let pixels = cropped(&frame);
        let size = clip.layout().crop_size();
        assert_eq!(serde_json::json!(size), expected["size"], "{name}");
        if name.starts_with("dwa") {
            let (_dir, decoded) = alone(&name.replace(".exr", ".decoded.exr"));
            let decoded = cropped(&decoded.read(0).unwrap());
            let worst = pixels.iter().zip(&decoded).map(|(a, b)| (a - b).abs());
            let worst = worst.fold(0.0, f32::max);
            // Two decoders of a lossy code: 0.0054 is the most that was found on photographs.
            assert!(worst <= 0.0054, "{name}: off by {worst}");
            continue;
        }
        let bytes: Vec<u8> = pixels.iter().flat_map(|v| v.to_le_bytes()).collect();
        assert_eq!(hash::xxh128(&bytes), expected["xxh128"].as_str().unwrap(), "{name}");
    }
}

/// Photographs and a render whose data window moves, where the shared data is at hand.
#[test]
fn photographs_are_what_openimageio_reads() {
    let record: serde_json::Value =
        serde_json::from_str(include_str!("fixtures/exr_photographs.json")).unwrap();
    let images = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/data/raw/openexr-images");
    for (name, expected) in record["files"].as_object().unwrap() {
        let path = images.join(name);
        if !path.exists() {
            continue;
        }
        let clip = open(&path, None).unwrap_or_else(|e| panic!("{name}: {e}"));
        let mut frames = 0..clip.info().timing.frame_count as i64;
        let index = frames.find(|i| clip.frame_file(*i) == Some(&path)).unwrap();
        let frame = clip.read(index).unwrap_or_else(|e| panic!("{name}: {e}"));
        assert_eq!(serde_json::json!(clip.layout().crop_size()), expected["size"], "{name}");
        let bytes: Vec<u8> = cropped(&frame).iter().flat_map(|v| v.to_le_bytes()).collect();
        assert_eq!(hash::xxh128(&bytes), expected["xxh128"].as_str().unwrap(), "{name}");
    }
}

#[test]
fn half_stays_half_and_wider_becomes_float() {
    for (name, samples, bits) in [
        ("zip.exr", RgbSamples::F16, 16),
        ("float.exr", RgbSamples::F32, 32),
        ("mixed.exr", RgbSamples::F32, 32),
    ] {
        let (_dir, clip) = alone(name);
        assert_eq!(clip.layout().rgb().unwrap().samples, samples, "{name}");
        assert_eq!(clip.info().picture.bit_depth, bits, "{name}");
    }
}

#[test]
fn the_display_window_is_delivered_and_overscan_is_a_margin() {
    let (_dir, clip) = alone("overscan.exr");
    let rgb = clip.layout().rgb().unwrap();
    assert_eq!((rgb.width, rgb.height), (67, 45));
    assert_eq!(rgb.crop, Rect { x: 8, y: 4, width: 51, height: 37 });
    let picture = &clip.info().picture;
    assert_eq!(([picture.width, picture.height], picture.photosites), ([51, 37], [51, 37]));

    let (_dir, clip) = alone("inset.exr");
    let rgb = clip.layout().rgb().unwrap();
    assert_eq!((rgb.width, rgb.height, rgb.crop), (96, 64, Rect::of_size(96, 64)));
    assert_eq!(floats(&clip.read(0).unwrap())[..3], [0.0; 3], "black outside the data");
}

/// Frames of one clip whose data moves: their common raster is the display window.
#[test]
fn moving_overscan_is_left_out_and_said() {
    let dir = tempfile::tempdir().unwrap();
    for (number, name) in ["overscan.exr", "shifted.exr"].into_iter().enumerate() {
        let to = dir.path().join(format!("a.{number:04}.exr"));
        std::fs::copy(fixture("overscan.exr"), &to).unwrap();
        if name == "shifted.exr" {
            move_data_window(&to, 1, 0);
        }
    }
    let clip = open(&dir.path().join("a.0000.exr"), None).unwrap();
    let rgb = clip.layout().rgb().unwrap();
    assert_eq!((rgb.width, rgb.height, rgb.crop), (51, 37, Rect::of_size(51, 37)));
    assert!(clip.info().notes.iter().any(|n| n.message.contains("overscan changes")));
    let (first, second) = (floats(&clip.read(0).unwrap()), floats(&clip.read(1).unwrap()));
    let (width, height) = (51, 37);
    for y in 0..height {
        for x in 1..width {
            let at = |x: usize| (y * width + x) * 3;
            assert_eq!(first[at(x - 1)..][..3], second[at(x)..][..3], "{x}, {y}");
        }
    }
}

/// A picture that has left its display window is black, and that is said.
#[test]
fn data_beside_the_display_window_is_said() {
    let (dir, clip) = alone("overscan.exr");
    let said = |clip: &dyn Clip| {
        clip.info().notes.iter().any(|n| n.message.contains("beside its display window"))
    };
    assert!(!said(&*clip));
    let path = dir.path().join("overscan.exr");
    move_data_window(&path, 500, 0);
    let clip = open(&path, None).unwrap();
    assert!(said(&*clip), "{:?}", clip.info().notes);
    assert!(cropped(&clip.read(0).unwrap()).iter().all(|v| *v == 0.0));
}

/// Moves the data window of a scan line file to the right, in its header.
fn move_data_window(path: &Path, by: i32, from: usize) {
    let mut bytes = std::fs::read(path).unwrap();
    let name = b"dataWindow\0box2i\0";
    let at = bytes[from..].windows(name.len()).position(|w| w == name).unwrap() + name.len() + 4;
    for corner in [at, at + 8] {
        let x = i32::from_le_bytes(bytes[corner..corner + 4].try_into().unwrap()) + by;
        bytes[corner..corner + 4].copy_from_slice(&x.to_le_bytes());
    }
    std::fs::write(path, bytes).unwrap();
}

#[test]
fn the_header_becomes_the_schema() {
    let (_dir, clip) = alone("meta.exr");
    let info = clip.info();
    assert_eq!(info.identity.clip_name, "meta");
    assert_eq!(info.identity.reel_name.as_deref(), Some("A007R1AB"));
    assert_eq!(info.timing.rate, Some(FrameRate::new(24000, 1001).unwrap()));
    assert_eq!(info.timing.start.unwrap().to_string(), "01:02:03:04");
    assert_eq!(info.camera.name().as_deref(), Some("Maker Model 1"));
    assert_eq!(info.camera.serial_number.as_deref(), Some("S-17"));
    assert_eq!(info.camera.iso_speed, Some(800.0));
    assert!((info.lens.t_stop.unwrap() - 2.8).abs() < 1e-6);
    assert_eq!(info.lens.focal_length_mm, Some(35.0));
    assert_eq!(info.lens.model.as_deref(), Some("Prime 35"));
    assert_eq!(info.color_space.as_deref(), Some("ACES2065-1"));
    assert_eq!(info.vendor["exr.cameraMake"], "Maker");
    assert_eq!(info.picture.compression, "zip");
    assert!(info.notes.is_empty() && !info.primaries_assumed, "{:?}", info.notes);
    // What is ACES2065-1 already is not touched, to the last bit.
    assert_eq!(clip.layout().rgb().unwrap().to_aces, color::IDENTITY);
    assert!(clip.check_color().is_ok());
}

#[test]
fn unknown_primaries_are_assumed_and_said() {
    let (_dir, clip) = alone("zip.exr");
    let notes = &clip.info().notes;
    let said = |n: &platefarm_model::Fault| n.place.as_deref() == Some("chromaticities");
    assert!(notes.iter().any(|n| n.code == Code::MetadataAbsent && said(n)), "{notes:?}");
    assert_eq!(clip.info().color_space.as_deref(), Some("linear Rec.709"));
    assert!(clip.info().primaries_assumed);
    // Where a person says what the codes are, nothing is said of primaries.
    let said = vec![ColorStep::ToAces("ACEScg".into())];
    let said = ColorRecipe { input: said, ..ColorRecipe::default() };
    let notes = |recipe: &ColorRecipe| {
        clip.info().notes_for(recipe).filter(|note| note.message.contains("primaries")).count()
    };
    assert_eq!([notes(&ColorRecipe::default()), notes(&said)], [1, 0]);
    let expected =
        color::mul(&color::xyz_to_rgb(D65, &AP0, ACES_WHITE), &color::rgb_to_xyz(&REC709, D65));
    let to_aces = clip.layout().rgb().unwrap().to_aces;
    assert_eq!(to_aces, expected);
    // Rec.709 to ACES2065-1 as the Academy's Input Transforms have it (Bradford).
    let published = [
        [0.439_632_982, 0.382_988_698, 0.177_378_320],
        [0.089_776_443, 0.813_439_429, 0.096_784_128],
        [0.017_541_170, 0.111_546_553, 0.870_912_277],
    ];
    for (row, expected) in to_aces.iter().zip(published) {
        for (a, b) in row.iter().zip(expected) {
            assert!((a - b).abs() < 1e-6, "{a} and {b}");
        }
    }
}

#[test]
fn what_is_not_delivered_is_said() {
    for (name, said) in [
        ("alpha.exr", "channels A"),
        ("parts.exr", "1 more parts"),
        ("layer.exr", "of layer 'beauty'"),
    ] {
        let (_dir, clip) = alone(name);
        let notes = &clip.info().notes;
        assert!(notes.iter().any(|n| n.message.contains(said)), "{name}: {notes:?}");
    }
}

#[test]
fn what_is_not_read_is_refused_by_name() {
    for (name, said) in
        [("deep.exr", "deep"), ("chroma.exr", "subsampl"), ("whole.exr", "whole numbers")]
    {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join(name);
        std::fs::copy(fixture(name), &path).unwrap();
        let fault = open(&path, None).err().unwrap_or_else(|| panic!("{name} is taken"));
        assert_eq!(fault.code, Code::UnsupportedFeature, "{name}: {fault}");
        assert!(fault.to_string().contains(said), "{name}: {fault}");
    }
}

/// A frame of another size, type or colour is not read as if it were like the first.
#[test]
fn frames_of_another_kind_are_refused() {
    for other in ["float.exr", "inset.exr", "meta.exr"] {
        let dir = tempfile::tempdir().unwrap();
        std::fs::copy(fixture("zip.exr"), dir.path().join("a.1.exr")).unwrap();
        std::fs::copy(fixture(other), dir.path().join("a.2.exr")).unwrap();
        let clip = open(dir.path(), None).unwrap();
        assert!(clip.info().notes.iter().any(|n| n.code == Code::MixedClip), "{other}");
        assert_eq!(clip.read(1).unwrap_err().code, Code::MixedClip, "{other}");
        assert!(clip.read(0).is_ok());
    }
}

/// Opens and reads, whatever comes; a fault names the file.
fn survive(path: &Path) -> Outcome<Frame> {
    let result = catch_unwind(|| open(path, None).and_then(|clip| clip.read(0)));
    let result = result.unwrap_or_else(|_| panic!("{} makes the reader panic", path.display()));
    if let Err(fault) = &result {
        assert!(
            fault.place.as_deref().is_some_and(|p| p.contains("x.exr")),
            "a fault names the file: {fault:?}"
        );
    }
    result
}

#[test]
fn every_prefix_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("x.exr");
    for name in ["zip.exr", "piz.exr", "levels.exr", "parts.exr"] {
        let bytes = std::fs::read(fixture(name)).unwrap();
        let header: Vec<usize> = (0..bytes.len().min(1200)).collect();
        for end in header.into_iter().chain((1200..bytes.len()).step_by(97)) {
            std::fs::write(&path, &bytes[..end]).unwrap();
            let result = survive(&path);
            // Behind the first level and part there is nothing that is delivered.
            assert!(result.is_err() || !matches!(name, "zip.exr" | "piz.exr"), "{name}: {end}");
        }
    }
}

/// Bytes changed at random, as a disk or a stranger would.
#[test]
fn damaged_files_are_survived() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("x.exr");
    let mut seed = 0x9e37_79b9_7f4a_7c15_u64;
    let mut random = move || {
        seed ^= seed << 13;
        seed ^= seed >> 7;
        seed ^= seed << 17;
        seed
    };
    for name in ["zip.exr", "piz.exr", "b44.exr", "dwaa.exr", "pxr24.exr", "rle.exr", "levels.exr"]
    {
        let whole = std::fs::read(fixture(name)).unwrap();
        for round in 0..150 {
            let mut bytes = whole.clone();
            for _ in 0..1 + random() % 4 {
                // Every other round damages the header, where sizes are.
                let reach = if round % 2 == 0 { 600 } else { bytes.len() };
                let at = random() as usize % reach.min(bytes.len());
                bytes[at] = random() as u8;
            }
            std::fs::write(&path, bytes).unwrap();
            let _ = survive(&path);
        }
    }
}
