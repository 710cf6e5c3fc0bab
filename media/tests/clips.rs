//! Clips as the rest of the house sees them: metadata, scanning, sequences
//! that are not what they should be, and files that are not either.

use platefarm_media::sink::exr::{Planes, PlateHeader, encode};
use platefarm_media::{open, scan};
use platefarm_model::raw::Rect;
use platefarm_model::recipe::Compression;
use platefarm_model::{Code, Fault, FrameRange, FrameRate, Timecode};
use platefarm_testclips::{ClipSpec, write_clip};
use proptest::prelude::*;
use std::fs;
use std::path::{Path, PathBuf};

fn clips() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../testclips/clips")
}

fn tiny(name: &str, frames: u32) -> ClipSpec {
    ClipSpec { name: name.into(), frames, width: 32, height: 16, ..ClipSpec::default() }
}

#[test]
fn the_motion_clip_is_described() {
    let clip = open(&clips().join("beachball"), None).unwrap();
    let info = clip.info();
    assert_eq!(info.identity.clip_name, "A001_C001");
    assert_eq!(info.identity.reel_name.as_deref(), Some("A001"));
    assert_eq!(info.identity.camera_label.as_deref(), Some("A"));
    assert_eq!(info.timing.frame_count, 8);
    assert_eq!(info.timing.first_file_number, Some(0));
    assert_eq!(info.timing.rate.unwrap().to_string(), "24");
    assert_eq!(info.timing.start.unwrap().to_string(), "01:00:00:00");
    assert_eq!(clip.frame_timecode(7).unwrap().to_string(), "01:00:00:07");
    assert_eq!((info.picture.width, info.picture.height), (1136, 752));
    assert_eq!(info.picture.photosites, [1184, 800]);
    assert_eq!(info.picture.active, Rect { x: 16, y: 16, width: 1152, height: 768 });
    assert_eq!(info.picture.crop, Rect { x: 8, y: 8, width: 1136, height: 752 });
    assert_eq!((info.picture.bit_depth, info.picture.compression.as_str()), (12, "lossless-jpeg"));
    assert_eq!(info.camera.make.as_deref(), Some("Synth"));
    assert_eq!(info.camera.exposure_time_s, Some(1.0 / 48.0));
    assert_eq!(info.lens.t_stop, Some(2.8));
    assert_eq!(info.vendor["ifd0.CameraLabel"], "A");
    assert_eq!(info.vendor["ifd0.AsShotNeutral"], "377206/1000000 1000000/1000000 720117/1000000");
    assert!(info.notes.is_empty(), "{:?}", info.notes);
    let balance = clip.layout().mosaic().unwrap().white_balance;
    assert!((balance[0] - 1.0 / 0.377_206).abs() < 1e-5 && balance[1] == 1.0, "{balance:?}");
}

/// Vendor fields are whole up to 64 KiB of text and 4096 numbers. The id of one raw image and the
/// software that wrote a file are vendor fields only.
#[test]
fn vendor_fields_are_whole() {
    let dir = tempfile::tempdir().unwrap();
    let whole = platefarm_testclips::frame_bytes(&tiny("A", 1), 0).unwrap();
    for (length, cut) in [(300, false), (70_000, true)] {
        let mut bytes = whole.clone();
        let text: String = (0..length).map(|i| char::from(b'a' + (i % 26) as u8)).collect();
        let at = bytes.len() as u32;
        bytes.extend(text.as_bytes());
        bytes.push(0);
        patch_counted(&mut bytes, 271, length + 1, at);
        let path = dir.path().join("a.dng");
        fs::write(&path, bytes).unwrap();
        let clip = open(&path, None).unwrap();
        let info = clip.info();
        let shown = &info.vendor["ifd0.Make"];
        assert_eq!(*shown == text, !cut, "{length}");
        assert!(!cut || *shown == format!("{} … (70001 bytes)", &text[..65_536]));
        assert_eq!((info.identity.uuid.as_deref(), info.camera.firmware.as_deref()), (None, None));
    }
    // A table is whole too, as far as the bound goes.
    let log = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../fuzz/corpus/dng/log-strips.dng");
    let clip = open(&log, None).unwrap();
    let table = &clip.info().vendor["ifd0.LinearizationTable"];
    let levels = &clip.layout().mosaic().unwrap().levels.linearization;
    let numbers: Vec<u16> = table.split(' ').map_while(|n| n.parse().ok()).collect();
    assert_eq!(numbers[..], levels[..levels.len().min(4096)]);
    assert_eq!(table.ends_with("values)"), levels.len() > 4096);
}

/// What is absent in a real camera's file is absent here, and said.
#[test]
fn the_colour_chart_is_described() {
    let clip = open(&clips().join("colorchart/colorchart.dng"), None).unwrap();
    let info = clip.info();
    assert_eq!(info.identity.clip_name, "colorchart");
    assert_eq!(info.timing.frame_count, 1);
    assert_eq!(info.camera.model.as_deref(), Some("Canon EOS Kiss X4"));
    assert_eq!((info.camera.iso_speed, info.camera.exposure_time_s), (None, None));
    assert_eq!(info.picture.active, Rect { x: 152, y: 26, width: 1734, height: 1156 });
    assert_eq!(clip.layout().mosaic().unwrap().levels.black, [2056.0; 4]);
    assert_eq!(clip.layout().mosaic().unwrap().levels.white, [15000.0; 4]);
    assert!(info.timing.start.is_none() && info.timing.rate.is_none());
    let absent: Vec<&str> = info
        .notes
        .iter()
        .filter(|n| n.code == Code::MetadataAbsent)
        .filter_map(|n| n.place.as_deref())
        .collect();
    assert_eq!(absent, ["TimeCodes", "FrameRate", "ReelName"]);
}

#[test]
fn scanning_finds_every_clip_once_and_in_order() {
    let dir = tempfile::tempdir().unwrap();
    let root = dir.path();
    write_clip(&root.join("card2/B001"), &tiny("B001_C001", 2)).unwrap();
    write_clip(&root.join("card1"), &tiny("A001_C001", 3)).unwrap();
    write_clip(&root.join("card1"), &tiny("A001_C002", 2)).unwrap();
    write_clip(&root.join("card1/.Trashes"), &tiny("A001_C003", 2)).unwrap();
    fs::write(root.join("card1/._A001_C001_000000.dng"), b"resource fork").unwrap();
    fs::write(root.join("card1/notes.txt"), b"no media").unwrap();
    fs::write(root.join("broken.dng"), b"not a DNG at all").unwrap();
    #[cfg(unix)]
    {
        std::os::unix::fs::symlink(root, root.join("card1/loop")).unwrap();
        std::os::unix::fs::symlink(root.join("card1"), root.join("again")).unwrap();
        std::os::unix::fs::symlink(root.join("gone"), root.join("lost.dng")).unwrap();
    }
    let (found, faults) = scan(root);
    let names: Vec<(&str, u64)> =
        found.iter().map(|c| (c.identity.clip_name.as_str(), c.timing.frame_count)).collect();
    assert_eq!(names, [("A001_C001", 3), ("A001_C002", 2), ("B001_C001", 2)]);
    let codes: Vec<Code> = faults.iter().map(|f| f.code).collect();
    assert_eq!(codes, [Code::FileNotFound, Code::UnknownFormat], "{faults:?}");
    assert!(faults[1].place.as_deref().unwrap().contains("broken.dng"));
    assert_eq!(scan(root), (found, faults), "the same again");
}

#[test]
fn one_clip_is_chosen_by_file_directory_or_name() {
    let dir = tempfile::tempdir().unwrap();
    write_clip(dir.path(), &tiny("A", 3)).unwrap();
    let one = open(dir.path(), None).unwrap();
    assert_eq!(one.info().identity.clip_name, "A");
    write_clip(dir.path(), &tiny("B", 2)).unwrap();
    let fault = open(dir.path(), None).err().unwrap();
    assert!(fault.code == Code::UnknownOption && fault.remedy_text().contains("A, B"), "{fault}");
    assert_eq!(open(dir.path(), Some("B")).unwrap().info().timing.frame_count, 2);
    assert_eq!(open(dir.path(), Some("C")).err().unwrap().code, Code::UnknownOption);
    let by_file = open(&dir.path().join("A_000001.dng"), None).unwrap();
    assert_eq!(by_file.info().timing.frame_count, 3, "a file stands for its sequence");
    assert!(by_file.info().path.ends_with("A_000000.dng"));
    assert_eq!(open(&dir.path().join("nothing"), None).err().unwrap().code, Code::FileNotFound);
    let empty = tempfile::tempdir().unwrap();
    assert_eq!(open(empty.path(), None).err().unwrap().code, Code::NoMedia);
    fs::write(empty.path().join("a.txt"), "text").unwrap();
    assert_eq!(open(&empty.path().join("a.txt"), None).err().unwrap().code, Code::UnknownFormat);
}

#[test]
fn gaps_and_frames_outside_are_named() {
    let dir = tempfile::tempdir().unwrap();
    let files = write_clip(dir.path(), &tiny("A", 6)).unwrap();
    fs::remove_file(&files[2]).unwrap();
    fs::remove_file(&files[3]).unwrap();
    let clip = open(dir.path(), None).unwrap();
    let timing = &clip.info().timing;
    assert_eq!(timing.frame_count, 6);
    assert_eq!(timing.missing.ranges(), [FrameRange::new(2, 3).unwrap()]);
    assert_eq!(clip.info().notes.iter().filter(|n| n.code == Code::MissingFrame).count(), 1);
    assert_eq!(clip.read(2).unwrap_err().code, Code::MissingFrame);
    assert!(clip.read(5).is_ok() && clip.frame_file(2).is_none());
    for outside in [-1, 6, i64::MAX, i64::MIN] {
        assert_eq!(clip.read(outside).unwrap_err().code, Code::FrameOutsideClip);
    }
}

#[test]
fn a_frame_of_another_kind_is_noted_and_refused() {
    let others = [
        ClipSpec { width: 48, ..tiny("A", 1) },
        ClipSpec { bits: 14, ..tiny("A", 1) },
        ClipSpec { bayer: platefarm_model::raw::Bayer::Bggr, ..tiny("A", 1) },
        ClipSpec { black_pattern: true, ..tiny("A", 1) },
    ];
    for other in others {
        let dir = tempfile::tempdir().unwrap();
        let files = write_clip(dir.path(), &tiny("A", 3)).unwrap();
        fs::write(&files[1], platefarm_testclips::frame_bytes(&other, 1).unwrap()).unwrap();
        let clip = open(dir.path(), None).unwrap();
        assert!(clip.info().notes.iter().any(|n| n.code == Code::MixedClip), "{other:?}");
        let fault = clip.read(1).unwrap_err();
        assert_eq!(fault.code, Code::MixedClip);
        assert!(fault.place.unwrap().contains("A_000001.dng"));
        assert!(clip.read(0).is_ok() && clip.read(2).is_ok(), "the others are read");
    }
}

#[test]
fn a_timecode_that_jumps_is_noted() {
    let dir = tempfile::tempdir().unwrap();
    let files = write_clip(dir.path(), &tiny("A", 3)).unwrap();
    fs::write(&files[2], platefarm_testclips::frame_bytes(&tiny("A", 1), 9).unwrap()).unwrap();
    let clip = open(dir.path(), None).unwrap();
    let note = clip.info().notes.iter().find(|n| n.code == Code::MixedClip).unwrap();
    assert!(note.message.contains("10:00:00:09"), "{note}");
}

/// Of a long clip some frames are looked at when it is opened; what the others say is known when
/// they were read.
#[test]
fn a_timecode_that_jumps_between_the_frames_that_were_looked_at_is_kept() {
    let dir = tempfile::tempdir().unwrap();
    let files = write_clip(dir.path(), &tiny("A", 40)).unwrap();
    fs::write(&files[7], platefarm_testclips::frame_bytes(&tiny("A", 1), 9).unwrap()).unwrap();
    let pictures = dir.path().join("pictures");
    fs::create_dir(&pictures).unwrap();
    for index in 0..40 {
        let plane = vec![0x3c00; 16];
        let start = Timecode::parse("10:00:00:00", FrameRate::FPS_24).unwrap();
        let says = start.plus(if index == 7 { 9 } else { index });
        let header = PlateHeader {
            timecode: Some(says),
            rate: Some(FrameRate::FPS_24),
            ..PlateHeader::default()
        };
        let planes = Planes { width: 4, height: 4, rgb: [&plane; 3], alpha: None };
        let bytes = encode(planes, &header, Compression::Zip).unwrap();
        fs::write(pictures.join(format!("B.{index:04}.exr")), bytes).unwrap();
    }
    for path in [&files[0], &pictures.join("B.0000.exr")] {
        let clip = open(path, None).unwrap();
        let jumps = |n: &&Fault| n.code == Code::MixedClip;
        assert_eq!(clip.info().notes.iter().find(jumps), None, "it was not looked at");
        assert_eq!(clip.odd_timecode(7), None);
        for index in 6..9 {
            clip.read(index).unwrap();
            let odd = clip.odd_timecode(index).map(|timecode| timecode.to_string());
            assert_eq!(odd.as_deref(), (index == 7).then_some("10:00:00:09"), "{index}");
        }
        assert_eq!(clip.frame_timecode(7).unwrap().to_string(), "10:00:00:07", "it counts on");
    }
}

#[test]
fn a_truncated_file_names_file_tag_and_offset() {
    for name in ["beachball/A001_C001_000000.dng", "colorchart/colorchart.dng"] {
        let whole = fs::read(clips().join(name)).unwrap();
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("cut_000000.dng");
        fs::write(&path, &whole[..whole.len() / 2]).unwrap();
        let clip = open(&path, None).unwrap();
        assert!(
            clip.info().notes.iter().any(|n| n.code == Code::TruncatedFile),
            "noted when opened"
        );
        let fault = clip.read(0).unwrap_err();
        assert_eq!(fault.code, Code::TruncatedFile);
        let place = fault.place.as_deref().unwrap();
        assert!(
            place.contains("cut_000000.dng")
                && place.contains("Offsets[")
                && place.contains("offset"),
            "{fault}"
        );
    }
}

#[test]
fn a_damaged_first_frame_does_not_hide_the_clip() {
    let dir = tempfile::tempdir().unwrap();
    let files = write_clip(dir.path(), &tiny("A", 4)).unwrap();
    fs::write(&files[0], b"II*\0").unwrap();
    let clip = open(dir.path(), None).unwrap();
    assert_eq!(clip.info().timing.frame_count, 4);
    assert_eq!(clip.info().timing.start.unwrap().to_string(), "10:00:00:00");
    assert_eq!(clip.info().notes[0].code, Code::TruncatedFile);
    assert!(clip.read(0).is_err() && clip.read(1).is_ok());
}

/// Where the entry of a tag lies.
fn entry_of(bytes: &[u8], tag: u16) -> usize {
    let ifd = u32::from_le_bytes(bytes[4..8].try_into().unwrap()) as usize;
    let count = usize::from(u16::from_le_bytes(bytes[ifd..ifd + 2].try_into().unwrap()));
    (0..count).map(|i| ifd + 2 + 12 * i).find(|at| bytes[*at..at + 2] == tag.to_le_bytes()).unwrap()
}

/// Count and value of a tag in the first directory of a little-endian file, replaced in place.
fn patch_counted(bytes: &mut [u8], tag: u16, count: u32, value: u32) {
    patch(bytes, tag, value);
    let entry = entry_of(bytes, tag);
    bytes[entry + 4..entry + 8].copy_from_slice(&count.to_le_bytes());
}

/// The value of a tag in the first directory of a little-endian file, replaced in place.
fn patch(bytes: &mut [u8], tag: u16, value: u32) {
    let entry = entry_of(bytes, tag);
    bytes[entry + 8..entry + 12].copy_from_slice(&value.to_le_bytes());
}

#[test]
fn what_is_not_read_is_refused_by_name() {
    let whole = platefarm_testclips::frame_bytes(&tiny("A", 1), 0).unwrap();
    let cases = [
        (259, 34892, Code::UnsupportedFeature, "lossy JPEG"),
        (259, 52546, Code::UnsupportedFeature, "JPEG XL"),
        (259, 9, Code::UnsupportedFeature, "VC-5"),
        (258, 32, Code::UnsupportedFeature, "32 bits"),
        (262, 34892, Code::UnsupportedFeature, "linear raw of 1"),
        (262, 2, Code::UnsupportedFeature, "mosaic"),
        (33421, 0x0006_0006, Code::UnknownCfa, "[6, 6]"),
        (33422, 0x0103_0200, Code::UnknownCfa, "[0, 2, 3, 1]"),
        (256, 70_000, Code::TooLarge, "70000"),
        (257, 0, Code::BadStructure, "ImageLength"),
    ];
    for (tag, value, code, named) in cases {
        let mut bytes = whole.clone();
        patch(&mut bytes, tag, value);
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a.dng");
        fs::write(&path, bytes).unwrap();
        let fault = open(&path, None).err().unwrap();
        assert_eq!(fault.code, code, "{fault}");
        assert!(fault.message.contains(named), "{fault}");
        assert!(fault.place.unwrap().contains("a.dng"));
    }
}

/// Opens and reads a file of these bytes, whatever comes of it.
fn try_all(dir: &Path, bytes: &[u8]) -> bool {
    let path = dir.join("hostile.dng");
    fs::write(&path, bytes).unwrap();
    open(&path, None).is_ok_and(|clip| clip.read(0).is_ok())
}

#[test]
fn no_prefix_of_a_file_is_a_panic_or_a_picture() {
    let dir = tempfile::tempdir().unwrap();
    // Small ones of every kind.
    use platefarm_testclips::{Compression, Faults, Pixel, Sample};
    let deflate = Compression::Deflate { predictor: 1 };
    for spec in [
        ClipSpec { big_tiff: true, nested: true, ..tiny("A", 1) },
        ClipSpec { sample: Sample::Float, bits: 24, compression: deflate, ..tiny("A", 1) },
        ClipSpec { bits: 16, pixel: Pixel::Linear, compression: deflate, ..tiny("A", 1) },
        ClipSpec {
            faults: Faults { bad: 9, vignette: true, bands: true, lines: true },
            ..tiny("A", 1)
        },
    ] {
        let whole = platefarm_testclips::frame_bytes(&spec, 0).unwrap();
        assert!(try_all(dir.path(), &whole), "{spec:?}");
        // Directories and lists come first; the last byte may be padding.
        let end = whole.len() - 1;
        for length in (0..end.min(1000)).chain((1000..end).step_by(37)) {
            assert!(!try_all(dir.path(), &whole[..length]), "{length} bytes of {spec:?}");
        }
    }
    for name in ["beachball/A001_C001_000000.dng", "colorchart/colorchart.dng"] {
        let whole = fs::read(clips().join(name)).unwrap();
        assert!(try_all(dir.path(), &whole));
        let lengths = (0..1500)
            .chain((1500..12_000).step_by(97))
            .chain((12_000..whole.len()).step_by(50_021));
        for length in lengths {
            assert!(!try_all(dir.path(), &whole[..length]), "{length} bytes of {name}");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    /// Bytes changed anywhere, most often in the directories: an answer or a fault, never a panic.
    #[test]
    fn damage_is_never_a_panic(
        which in 0usize..9,
        edits in prop::collection::vec((any::<prop::sample::Index>(), any::<bool>(), prop_oneof![any::<u8>(), Just(0), Just(0xFF)]), 1..12),
    ) {
        use platefarm_testclips::{ByteOrder, Compression, Faults, Ljpeg, Pixel, Sample, Segments};
        let ljpeg = Compression::LosslessJpeg(Ljpeg::default());
        let tiles = Segments::Tiles { width: 16, height: 16 };
        let deflate = Compression::Deflate { predictor: 1 };
        let spec = match which {
            0 => tiny("A", 1),
            1 => ClipSpec { compression: ljpeg, ..tiny("A", 1) },
            2 => ClipSpec { byte_order: ByteOrder::Big, segments: tiles, nested: true, ..tiny("A", 1) },
            3 => ClipSpec { big_tiff: true, pixel: Pixel::LinearPlanar, ..tiny("A", 1) },
            4 => ClipSpec { bits: 16, compression: deflate, pixel: Pixel::Linear, segments: tiles, ..tiny("A", 1) },
            5 => ClipSpec { sample: Sample::Float, bits: 24, compression: deflate, ..tiny("A", 1) },
            6 => ClipSpec { faults: Faults { bad: 5, vignette: true, bands: true, lines: true }, ..tiny("A", 1) },
            7 => ClipSpec {
                unstated_black: true,
                masked: platefarm_testclips::Border { top: 16, left: 4, bottom: 0, right: 0 },
                ..tiny("A", 1)
            },
            _ => ClipSpec { compression: ljpeg, segments: tiles, ..tiny("A", 1) },
        };
        let mut bytes = platefarm_testclips::frame_bytes(&spec, 0).unwrap();
        for (at, anywhere, value) in edits {
            let range = if anywhere { bytes.len() } else { bytes.len().min(700) };
            let at = at.index(range);
            bytes[at] = value;
        }
        let dir = tempfile::tempdir().unwrap();
        try_all(dir.path(), &bytes);
    }
}
