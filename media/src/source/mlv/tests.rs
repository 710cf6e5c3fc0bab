//! Recordings by the generator of test clips, whole and damaged.

use super::*;
use platefarm_testclips::{ClipSpec, Compression, Ljpeg, MlvSpec, samples, write_mlv};
use proptest::prelude::*;
use tempfile::TempDir;

fn spec(bits: u8, [width, height]: [u32; 2]) -> ClipSpec {
    ClipSpec {
        name: "M21-1403".into(),
        frames: 5,
        width,
        height,
        bits,
        bayer: Bayer::Gbrg,
        rate: FrameRate::new(24_000, 1001).unwrap(),
        ..ClipSpec::default()
    }
}

fn recorded(spec: &ClipSpec, mlv: &MlvSpec) -> (TempDir, Vec<PathBuf>) {
    let dir = tempfile::tempdir().unwrap();
    let files = write_mlv(dir.path(), spec, mlv).unwrap();
    (dir, files)
}

/// The samples of a frame, read bit by bit as the packing is described.
fn unpacked(frame: &Frame) -> Vec<u16> {
    let layout = frame.layout.mosaic().unwrap();
    let bits = layout.packing.bits() as usize;
    let row = |y: usize| {
        let row = &frame.bytes[y * layout.row_bytes..][..layout.row_bytes];
        let digits: String = row
            .chunks(2)
            .map(|word| format!("{:016b}", u16::from_le_bytes([word[0], word[1]])))
            .collect();
        (0..layout.width as usize)
            .map(|x| u16::from_str_radix(&digits[x * bits..][..bits], 2).unwrap())
            .collect::<Vec<_>>()
    };
    (0..layout.height as usize).flat_map(row).collect()
}

fn check(spec: &ClipSpec, mlv: &MlvSpec, packing: Packing) {
    let (_dir, files) = recorded(spec, mlv);
    let clip = crate::source::open(&files[0], None).unwrap();
    assert_eq!(clip.layout().mosaic().unwrap().packing, packing);
    for index in 0..spec.frames {
        match clip.read(i64::from(index)) {
            Ok(frame) => {
                assert!(unpacked(&frame) == samples(spec, index).unwrap(), "{packing:?} {index}");
            }
            Err(fault) => {
                assert_eq!(fault.code, Code::MissingFrame);
                assert!(mlv.dropped.contains(&index), "{fault}");
            }
        }
    }
    assert_eq!(clip.read(i64::from(spec.frames)).unwrap_err().code, Code::FrameOutsideClip);
}

#[test]
fn every_depth_comes_back() {
    let plain = MlvSpec::default();
    check(&spec(10, [32, 10]), &plain, Packing::Word10);
    check(&spec(12, [32, 10]), &plain, Packing::Word12);
    check(&spec(14, [32, 10]), &plain, Packing::Word14);
    check(&spec(16, [32, 10]), &plain, Packing::U16Le);
    // Rows that end within a word.
    for bits in [10, 12, 14] {
        check(
            &spec(bits, [34 + 2 * u32::from(bits == 12), 10]),
            &plain,
            match bits {
                12 => Packing::Word12,
                _ => Packing::U16Le,
            },
        );
        check(&spec(bits, [33, 9]), &plain, Packing::U16Le);
    }
}

#[test]
fn lossless_jpeg_comes_back() {
    for components in [1, 2] {
        let jpeg = Ljpeg { predictor: 1, components, ..Ljpeg::default() };
        let spec = ClipSpec { compression: Compression::LosslessJpeg(jpeg), ..spec(14, [32, 10]) };
        check(&spec, &MlvSpec::default(), Packing::U16Le);
    }
}

#[test]
fn recordings_go_on_in_other_files_in_any_order() {
    let mlv = MlvSpec { files: 3, shuffled: true, dropped: vec![2], ..MlvSpec::default() };
    check(&spec(14, [32, 10]), &mlv, Packing::Word14);
    let (dir, files) = recorded(&spec(14, [32, 10]), &mlv);
    let clip = crate::source::open(dir.path(), None).unwrap();
    let info = clip.info();
    assert_eq!((info.timing.frame_count, info.timing.missing.len()), (5, 1));
    assert_eq!(clip.frame_file(1).unwrap(), files[1]);
    // A part of another recording is said, not mixed in.
    let other = ClipSpec { seed: 2, ..spec(14, [32, 10]) };
    let (_other_dir, other_files) = recorded(&other, &mlv);
    std::fs::copy(&other_files[1], &files[1]).unwrap();
    let clip = crate::source::open(&files[0], None).unwrap();
    assert!(clip.info().notes.iter().any(|n| n.code == Code::MixedClip), "{:?}", clip.info().notes);
    assert_eq!(clip.read(1).unwrap_err().code, Code::MissingFrame);
}

#[test]
fn the_recording_is_described() {
    let (_dir, files) = recorded(&spec(14, [64, 36]), &MlvSpec::default());
    let clip = crate::source::open(&files[0], None).unwrap();
    let info = clip.info();
    assert_eq!(info.identity.clip_name, "M21-1403");
    assert_eq!(info.identity.uuid.as_deref(), Some("5ca1ab1e00000001"));
    assert_eq!(info.timing.rate.unwrap().to_string(), "24000/1001");
    assert_eq!(info.timing.start.unwrap().to_string(), "14:03:25:00");
    assert_eq!(info.camera.name().as_deref(), Some("Synth EOS 1"));
    assert_eq!(info.camera.serial_number.as_deref(), Some("BADC0FFEE"));
    assert_eq!((info.camera.iso_speed, info.camera.white_kelvin), (Some(800.0), Some(6504.0)));
    assert_eq!(info.camera.exposure_time_s, Some(0.020_833));
    assert_eq!((info.lens.focal_length_mm, info.lens.f_number), (Some(50.0), Some(2.8)));
    assert_eq!(
        (info.lens.focus_distance_m, info.lens.serial_number.as_deref()),
        (Some(2.4), Some("L0042"))
    );
    assert_eq!(info.picture.cfa.as_deref(), Some("gbrg"));
    assert_eq!(info.vendor["mlv.RAWI.bits_per_pixel"], "14");
    let codes: Vec<Code> = info.notes.iter().map(|n| n.code).collect();
    assert_eq!(codes, [Code::MetadataAbsent], "{:?}", info.notes);
    // The generator's camera sees D65 as its own white, so the balance is that of its DNG files.
    let balance = info.color.unwrap().white_balance;
    let dng = platefarm_testclips::SCENE_WHITE_CAMERA.map(|v| 1e6 / f64::from(v));
    assert!((0..3).all(|i| (balance[i] / dng[i] - 1.0).abs() < 2e-3), "{balance:?} {dng:?}");
}

/// The bytes of a small recording, with its blocks' places.
fn bytes() -> Vec<u8> {
    let (_dir, files) = recorded(&ClipSpec { frames: 2, ..spec(14, [16, 8]) }, &MlvSpec::default());
    std::fs::read(&files[0]).unwrap()
}

fn survives(bytes: &[u8], dir: &Path) -> Outcome<Box<dyn Clip>> {
    let path = dir.join("A.MLV");
    std::fs::write(&path, bytes).unwrap();
    let clip = crate::source::open(&path, None)?;
    for index in 0..clip.info().timing.frame_count.min(4) {
        let _ = clip.read(index as i64);
    }
    Ok(clip)
}

#[test]
fn every_prefix_is_survived_and_what_is_whole_is_kept() {
    let dir = tempfile::tempdir().unwrap();
    let bytes = bytes();
    let (mut most, mut silent) = (0, 0);
    for len in 0..bytes.len() {
        if let Ok(clip) = survives(&bytes[..len], dir.path()) {
            most = most.max(clip.info().timing.frame_count);
            silent += usize::from(!clip.info().notes.iter().any(|n| n.code == Code::TruncatedFile));
        }
    }
    assert_eq!(most, 1, "the first frame is whole before the last is");
    assert_eq!(silent, 1, "only a file that ends with a block has nothing to say");
}

#[test]
fn other_kinds_are_refused_by_name() {
    let dir = tempfile::tempdir().unwrap();
    for (class, what) in
        [(0x81u16, "LZMA"), (0x41, "differences"), (0x04, "H.264"), (0, "without video")]
    {
        let mut bytes = bytes();
        bytes[32..34].copy_from_slice(&class.to_le_bytes());
        let fault = survives(&bytes, dir.path()).map(|_| ()).unwrap_err();
        assert_eq!(fault.code, Code::UnsupportedFeature);
        assert!(fault.message.contains(what), "{fault}");
        assert!(fault.place.unwrap().contains("A.MLV: videoClass, offset 32"));
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]
    #[test]
    fn any_damage_is_survived(changes in prop::collection::vec((0usize..900, any::<u8>()), 1..30)) {
        let dir = tempfile::tempdir().unwrap();
        let mut bytes = bytes();
        for (at, value) in changes {
            if let Some(byte) = bytes.get_mut(at) {
                *byte = value;
            }
        }
        let _ = survives(&bytes, dir.path());
    }
}

/// FFmpeg's own reader of the container finds the same samples, where FFmpeg is installed. It counts frames from 0.
#[test]
fn another_reader_finds_the_same_samples() {
    let spec = spec(14, [32, 10]);
    for mlv in [
        MlvSpec { first_number: 0, ..MlvSpec::default() },
        MlvSpec { files: 2, padding: 4, first_number: 0, ..MlvSpec::default() },
    ] {
        let (_dir, files) = recorded(&spec, &mlv);
        let clip = crate::source::open(&files[0], None).unwrap();
        let mine: Vec<u8> = (0..5).flat_map(|i| clip.read(i).unwrap().bytes).collect();
        let run = std::process::Command::new("ffmpeg")
            .args(["-v", "error", "-i", files[0].to_str().unwrap()])
            .args(["-map", "0:v", "-c", "copy", "-f", "data", "-"])
            .output();
        match run {
            Ok(theirs) => assert!(theirs.stdout == mine, "{mlv:?}: {}", theirs.stdout.len()),
            Err(error) => assert_eq!(error.kind(), std::io::ErrorKind::NotFound),
        }
    }
}
