//! DPX sources against the readings of OpenImageIO and FFmpeg
//! (`oracles/dpx_files.py`), and what becomes of colour, metadata and damage.

use platefarm_media::{Clip, hash, open};
use platefarm_model::recipe::{ColorRecipe, ColorStep};
use platefarm_model::{Code, FrameRate};
use std::panic::catch_unwind;
use std::path::{Path, PathBuf};

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/dpx").join(name)
}

/// A clip of one file, changed by `change`.
fn changed(name: &str, change: impl Fn(&mut Vec<u8>)) -> (tempfile::TempDir, PathBuf) {
    let dir = tempfile::tempdir().unwrap();
    let mut bytes = std::fs::read(fixture(name)).unwrap();
    change(&mut bytes);
    let path = dir.path().join("x.dpx");
    std::fs::write(&path, bytes).unwrap();
    (dir, path)
}

fn clip(name: &str) -> (tempfile::TempDir, Box<dyn Clip>) {
    let (dir, path) = changed(name, |_| {});
    let clip = open(&path, None).unwrap_or_else(|e| panic!("{name}: {e}"));
    (dir, clip)
}

#[test]
fn codes_are_what_others_read() {
    let record = std::fs::read_to_string(fixture("expected.json")).unwrap();
    let record: serde_json::Value = serde_json::from_str(&record).unwrap();
    let files = record["files"].as_object().unwrap();
    assert_eq!(files.len(), 22);
    for (name, expected) in files {
        let (_dir, clip) = clip(name);
        let frame = clip.read(0).unwrap_or_else(|e| panic!("{name}: {e}"));
        assert_eq!(serde_json::json!(clip.layout().crop_size()), expected["size"], "{name}");
        assert_eq!(clip.info().picture.bit_depth, expected["bits"], "{name}");
        assert!(!expected["decoders"].as_array().unwrap().is_empty(), "{name}");
        assert_eq!(hash::xxh128(&frame.bytes), expected["xxh128"].as_str().unwrap(), "{name}");
    }
}

#[test]
fn rows_and_columns_run_as_the_file_says() {
    let (_dir, straight) = clip("10abe.dpx");
    let straight = straight.read(0).unwrap().bytes;
    let (width, height) = (37, 23);
    let pixel = |bytes: &[u8], x: usize, y: usize| bytes[(y * width + x) * 6..][..6].to_vec();
    for (orientation, columns, rows) in [(1, true, false), (2, false, true), (3, true, true)] {
        let (_dir, path) = changed("10abe.dpx", |bytes| bytes[769] = orientation);
        let turned = open(&path, None).unwrap().read(0).unwrap().bytes;
        for y in 0..height {
            for x in 0..width {
                let from = (
                    if columns { width - 1 - x } else { x },
                    if rows { height - 1 - y } else { y },
                );
                assert_eq!(pixel(&turned, x, y), pixel(&straight, from.0, from.1));
            }
        }
    }
}

#[test]
fn the_order_of_samples_is_the_descriptors() {
    let (_dir, rgba) = clip("rgba16.dpx");
    assert!(rgba.info().notes.iter().any(|n| n.message.contains("alpha")));
    let rgba = rgba.read(0).unwrap().bytes;
    let data = std::fs::read(fixture("rgba16.dpx")).unwrap();
    let (_dir, path) = changed("rgba16.dpx", |bytes| bytes[800] = 52);
    let abgr = open(&path, None).unwrap().read(0).unwrap().bytes;
    // The first pixel of the file, big-endian: read as R G B A, and as A B G R.
    let word = |i: usize| [data[8192 + 2 * i + 1], data[8192 + 2 * i]];
    assert_eq!(rgba[..6], [word(0), word(1), word(2)].concat());
    assert_eq!(abgr[..6], [word(3), word(2), word(1)].concat());
}

#[test]
fn the_header_becomes_the_schema() {
    let (_dir, clip) = clip("meta.dpx");
    let info = clip.info();
    assert_eq!(info.timing.rate, Some(FrameRate::FPS_24));
    assert_eq!(info.timing.start.unwrap().to_string(), "01:02:03:04");
    assert_eq!(info.camera.model.as_deref(), Some("Scanner 1"));
    assert_eq!(info.camera.serial_number.as_deref(), Some("S-17"));
    assert_eq!(info.vendor["dpx.timeCode"], "01020304");
    assert_eq!(info.vendor["dpx.copyright"], "nobody");
    assert_eq!(info.color_space.as_deref(), Some("Cineon printing density"));
    // SMPTE ST 268 has a byte for the primaries, and this file does not use it.
    assert!(info.primaries_assumed);
    // Where a person says what the codes are, nothing is said of primaries.
    let said = vec![ColorStep::ToAces("ACEScg".into())];
    let said = ColorRecipe { input: said, ..ColorRecipe::default() };
    let notes = |recipe: &ColorRecipe| {
        info.notes_for(recipe).filter(|note| note.message.contains("primaries")).count()
    };
    assert_eq!([notes(&ColorRecipe::default()), notes(&said)], [1, 0]);
    let (_dir, path) = changed("meta.dpx", |bytes| bytes[802] = 6);
    assert!(!open(&path, None).unwrap().info().primaries_assumed);
}

/// Timecode flags and fast rates share bits: which are meant follows from the rate.
#[test]
fn timecode_digits_and_flags() {
    let timecode = |code: u32, rate: f32| {
        let (_dir, path) = changed("meta.dpx", |bytes| {
            bytes[1920..1924].copy_from_slice(&code.to_be_bytes());
            bytes[1940..1944].copy_from_slice(&rate.to_be_bytes());
        });
        open(&path, None).unwrap().info().timing.start.map(|t| t.to_string())
    };
    assert_eq!(timecode(0x0102_0369, 29.97).as_deref(), Some("01:02:03;29"));
    assert_eq!(timecode(0x0102_0329, 29.97).as_deref(), Some("01:02:03:29"));
    assert_eq!(timecode(0x0102_0359, 60.0).as_deref(), Some("01:02:03:59"));
    assert_eq!(timecode(0x0102_0325, 24.0), None, "no such frame");
    assert_eq!(timecode(0x01a2_0303, 24.0), None, "no digit");
    assert_eq!(timecode(u32::MAX, 24.0), None);
}

#[test]
fn codes_mean_light_only_where_it_is_known() {
    let curve = |transfer: u8| {
        let (_dir, path) = changed("10abe.dpx", |bytes| bytes[801] = transfer);
        let clip = open(&path, None).unwrap();
        let known = clip.check_color();
        (clip.layout().rgb().unwrap().curve.clone(), known)
    };
    for transfer in [1, 3] {
        let (density, known) = curve(transfer);
        assert!(known.is_ok());
        assert_eq!(density.len(), 1024);
        assert!(density[95].abs() < 1e-7 && (density[685] - 1.0).abs() < 1e-6);
        // Kodak's formula, by hand, for the code of a grey card.
        let flare = 10f64.powf(-590.0 * 0.002 / 0.6);
        let card = (10f64.powf((470.0 - 685.0) * 0.002 / 0.6) - flare) / (1.0 - flare);
        assert!((f64::from(density[470]) - card).abs() < 1e-6);
    }
    let (linear, known) = curve(2);
    assert!(known.is_ok() && linear[0] == 0.0 && linear[1023] == 1.0);
    let (video, known) = curve(6);
    assert!(known.is_ok() && (video[1023] - 1.0).abs() < 1e-6);
    for transfer in [0, 4, 7, 9, 13, 255] {
        let fault = curve(transfer).1.unwrap_err();
        assert_eq!(fault.code, Code::NoInputTransform, "{transfer}");
        assert!(fault.message.contains(&transfer.to_string()), "{fault}");
    }
}

#[test]
fn what_is_not_read_is_refused_by_name() {
    for (at, value, said) in [
        (800, 100, "YCbCr"),
        (800, 1, "a single colour"),
        (803, 32, "32 bits"),
        (807, 1, "run-length"),
        (771, 2, "2 image elements"),
        (769, 5, "orientation 5"),
        (805, 7, "packing 7"),
        (783, 1, "signed"),
    ] {
        let (_dir, path) = changed("10abe.dpx", |bytes| bytes[at] = value);
        let fault = open(&path, None).err().unwrap_or_else(|| panic!("{said} is taken"));
        assert_eq!(fault.code, Code::UnsupportedFeature, "{said}");
        assert!(fault.message.contains(said), "{fault}");
        assert!(fault.place.unwrap().contains("offset"));
    }
    let (_dir, path) = changed("10abe.dpx", |bytes| bytes[772..776].copy_from_slice(&[0x7f; 4]));
    assert_eq!(open(&path, None).err().unwrap().code, Code::TooLarge);
}

/// Opens and reads what stands in this file, whatever it is.
fn survives(path: &Path, bytes: &[u8]) -> bool {
    std::fs::write(path, bytes).unwrap();
    let read = catch_unwind(|| open(path, None).and_then(|c| c.read(0)).is_ok());
    read.unwrap_or_else(|_| panic!("{} makes the reader panic", path.display()))
}

#[test]
fn every_prefix_is_refused_and_damage_is_survived() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("x.dpx");
    for name in ["10abe.dpx", "12ale.dpx", "16le.dpx"] {
        let whole = std::fs::read(fixture(name)).unwrap();
        for end in (0..2100.min(whole.len())).step_by(3).chain((2100..whole.len() - 4).step_by(331))
        {
            assert!(!survives(&path, &whole[..end]), "{name}: {end}");
        }
        // Every byte that is looked at, at its extremes.
        let looked_at =
            (0..28).chain(768..822).chain(1628..1636).chain(1724..1732).chain(1920..1944);
        for at in looked_at {
            for value in [0, 0x7f, 0xff] {
                let mut bytes = whole.clone();
                bytes[at] = value;
                survives(&path, &bytes);
            }
        }
    }
}
