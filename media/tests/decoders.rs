//! Decoded samples against independent hands: LibRaw's digests, made by
//! `oracles/raw_digests.py`, of real and derived camera files; and every corner
//! of the format as the writer of `testclips`, which shares no code with the
//! reader, puts it down.

use platefarm_media::{Clip, hash, open};
use platefarm_model::raw::{Bayer, Frame, Packing, Rect};
use platefarm_testclips::{Border, ByteOrder, ClipSpec, Compression, Curve, Ljpeg, Segments};
use std::path::{Path, PathBuf};

/// The words of the full stored raster.
fn words(frame: &Frame) -> Vec<u16> {
    let layout = frame.layout.mosaic().unwrap();
    let bits = layout.packing.bits() as usize;
    let mut out = Vec::new();
    for row in frame.bytes.chunks_exact(layout.row_bytes) {
        for x in 0..layout.width as usize {
            let word = match layout.packing {
                Packing::U16Le => u16::from_le_bytes([row[2 * x], row[2 * x + 1]]),
                Packing::U16Be => u16::from_be_bytes([row[2 * x], row[2 * x + 1]]),
                // Bit by bit, by the definition.
                _ => (x * bits..(x + 1) * bits)
                    .fold(0, |acc, i| acc << 1 | u16::from(row[i / 8] >> (7 - i % 8) & 1)),
            };
            out.push(word);
        }
    }
    out
}

/// The files of the repository's own clips, and of the shared data where it is there.
fn find(name: &str) -> Option<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let file = name.rsplit('/').next().unwrap_or(name);
    let shared = root.join("../../shared/data/raw");
    let here = match name.split('/').next() {
        Some("frames") => vec![
            root.join("../testclips/clips/beachball").join(file),
            shared.join("clip_beachball/frames").join(file),
        ],
        Some("lin12") => vec![
            root.join("../testclips/clips/beachball-lin12").join(file),
            shared.join("clip_beachball/lin12").join(file),
        ],
        _ => vec![
            root.join("../testclips/clips/colorchart").join(file),
            shared.join("tinydng").join(file),
        ],
    };
    here.into_iter().find(|path| path.exists())
}

#[test]
fn samples_are_the_independent_decoders() {
    let fixture = include_str!("fixtures/raw_digests.json");
    let fixture: serde_json::Value = serde_json::from_str(fixture).unwrap();
    let mut checked = 0;
    for (name, expected) in fixture["files"].as_object().unwrap() {
        let Some(path) = find(name) else { continue };
        let clip: Box<dyn Clip> = open(&path, None).unwrap();
        let file = path.file_name().unwrap();
        let index = (0..clip.info().timing.frame_count as i64)
            .find(|i| clip.frame_file(*i).and_then(Path::file_name) == Some(file))
            .unwrap();
        let frame = clip.read(index).unwrap();
        let layout = frame.layout.mosaic().unwrap();
        // LibRaw applies the linearisation table while it decodes.
        let table = &layout.levels.linearization;
        let linear = |w: &u16| table.get(usize::from(*w)).copied().unwrap_or(*w);
        let bytes: Vec<u8> = words(&frame).iter().flat_map(|w| linear(w).to_le_bytes()).collect();
        assert_eq!(layout.width, expected["width"].as_u64().unwrap() as u32, "{name}");
        assert_eq!(layout.height, expected["height"].as_u64().unwrap() as u32, "{name}");
        assert_eq!(hash::xxh128(&bytes), expected["xxh128"].as_str().unwrap(), "{name}");
        checked += 1;
    }
    assert!(checked >= 9, "only {checked} files were there to be checked");
}

/// Writes one frame of a clip, reads it back, and compares samples and layout with what was asked for.
fn check(spec: &ClipSpec, packing: Packing) {
    let dir = tempfile::tempdir().unwrap();
    let spec = ClipSpec { frames: 1, ..spec.clone() };
    let files = platefarm_testclips::write_clip(dir.path(), &spec).unwrap();
    let clip = open(&files[0], None).unwrap();
    let frame = clip.read(0).unwrap();
    assert!(
        words(&frame) == platefarm_testclips::samples(&spec, 0).unwrap(),
        "samples of {spec:?}"
    );
    let layout = frame.layout.mosaic().unwrap();
    assert_eq!(layout.packing, packing, "{spec:?}");
    assert_eq!((layout.width, layout.height), spec.stored_size());
    let (masked, crop) = (spec.masked, spec.crop);
    let active = Rect { x: masked.left, y: masked.top, width: spec.width, height: spec.height };
    assert_eq!(layout.active, active);
    let (width, height) = spec.delivered_size();
    assert_eq!(layout.crop, Rect { x: crop.left, y: crop.top, width, height });
    assert_eq!(layout.bayer, spec.bayer);
    assert_eq!(&layout.levels.linearization[..], spec.linearization_table());
    for (i, (row, column)) in [(0, 0), (0, 1), (1, 0), (1, 1)].into_iter().enumerate() {
        let (black, white) = spec.levels(row, column);
        assert_eq!(layout.levels.black[i], f32::from(black), "{spec:?}");
        assert_eq!(layout.levels.white[i], f32::from(white), "{spec:?}");
    }
}

fn small() -> ClipSpec {
    ClipSpec {
        width: 122,
        height: 70,
        masked: Border { top: 3, left: 7, bottom: 1, right: 5 },
        crop: Border { top: 2, left: 4, bottom: 6, right: 8 },
        ..ClipSpec::default()
    }
}

#[test]
fn every_packing_is_read_in_either_byte_order() {
    let orders = [(ByteOrder::Little, Packing::U16Le), (ByteOrder::Big, Packing::U16Be)];
    for (byte_order, words) in orders {
        let packed = [
            (8, Packing::U8),
            (10, Packing::Msb10),
            (12, Packing::Msb12),
            (14, Packing::Msb14),
            (16, words),
        ];
        for (bits, packing) in packed {
            let spec = ClipSpec { bits, byte_order, ..small() };
            check(&spec, packing);
            check(&ClipSpec { segments: Segments::Strips { rows: 17 }, ..spec.clone() }, packing);
            let tiles = Segments::Tiles { width: 48, height: 32 };
            check(&ClipSpec { segments: tiles, ..spec.clone() }, Packing::U16Le);
        }
        check(&ClipSpec { bits: 12, padded: true, byte_order, ..small() }, words);
    }
}

#[test]
fn every_kind_of_lossless_jpeg_is_read() {
    let cuts = [
        Segments::Strips { rows: 0 },
        Segments::Strips { rows: 24 },
        Segments::Tiles { width: 64, height: 32 },
    ];
    for segments in cuts {
        for predictor in 1..=7 {
            for (components, wrapped) in [(1, false), (2, false), (1, true), (2, true)] {
                let ljpeg = Ljpeg { predictor, components, wrapped, restart_rows: 0 };
                let compression = Compression::LosslessJpeg(ljpeg);
                // Even sides everywhere: two components and the wrap need them.
                let masked = Border { top: 2, left: 4, bottom: 0, right: 2 };
                let spec = ClipSpec { compression, segments, masked, ..small() };
                if spec.check().is_ok() {
                    check(&spec, Packing::U16Le);
                }
            }
        }
    }
    for (bits, components, restart_rows) in [(16, 4, 0), (14, 4, 3), (8, 1, 1), (16, 1, 7)] {
        let ljpeg = Ljpeg { predictor: 6, components, wrapped: false, restart_rows };
        let spec = ClipSpec {
            bits,
            compression: Compression::LosslessJpeg(ljpeg),
            width: 128,
            height: 64,
            byte_order: ByteOrder::Big,
            ..ClipSpec::default()
        };
        check(&spec, Packing::U16Le);
    }
}

#[test]
fn patterns_levels_and_nesting_are_read() {
    for bayer in [Bayer::Rggb, Bayer::Grbg, Bayer::Gbrg, Bayer::Bggr] {
        check(&ClipSpec { bayer, black_pattern: true, ..small() }, Packing::Msb12);
    }
    check(&ClipSpec { nested: true, ..small() }, Packing::Msb12);
    check(&ClipSpec { nested: true, byte_order: ByteOrder::Big, ..small() }, Packing::Msb12);
    check(
        &ClipSpec { curve: Curve::Log, bits: 10, black_pattern: true, ..small() },
        Packing::Msb10,
    );
}
