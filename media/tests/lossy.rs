//! Lossy JPEG in DNG against libjpeg-turbo (`oracles/lossy_dng.py`). Decoders
//! round differently (IDCT and colour), so samples agree within three codes and in the mean.

use platefarm_media::open;
use std::path::{Path, PathBuf};

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures").join(name)
}

#[test]
fn lossy_tiles_are_libjpegs_within_rounding() {
    for (name, samples) in [("lossy_linear", 3), ("lossy_mosaic", 1)] {
        let clip = open(&fixture(&format!("{name}.dng")), None).unwrap();
        let frame = clip.read(0).unwrap();
        let expected = std::fs::read(fixture(&format!("{name}.samples"))).unwrap();
        let found: Vec<u16> =
            frame.bytes.chunks_exact(2).map(|c| u16::from_le_bytes([c[0], c[1]])).collect();
        assert_eq!(found.len(), 100 * 70 * samples);
        assert_eq!(found.len(), expected.len());
        let pairs = || found.iter().zip(&expected).map(|(a, b)| a.abs_diff(u16::from(*b)));
        assert!(pairs().max().unwrap() <= 3, "{name}: {:?}", pairs().max());
        let mean = pairs().map(f64::from).sum::<f64>() / found.len() as f64;
        assert!(mean < 0.3, "{name}: {mean}");
        assert_eq!(clip.info().picture.compression, ["lossless-jpeg", "lossy-jpeg"][samples / 3]);
    }
    // The table makes the codes linear.
    let clip = open(&fixture("lossy_linear.dng"), None).unwrap();
    let curve = &clip.layout().rgb().unwrap().curve;
    assert!((curve[128] - (128.0f32 / 255.0).powf(2.2)).abs() < 1e-4 && curve[255] == 1.0);
}

#[test]
fn no_prefix_of_a_lossy_file_is_a_panic_or_a_picture() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("cut.dng");
    for name in ["lossy_linear.dng", "lossy_mosaic.dng"] {
        let whole = std::fs::read(fixture(name)).unwrap();
        for length in (0..whole.len()).step_by(7) {
            std::fs::write(&path, &whole[..length]).unwrap();
            assert!(open(&path, None).and_then(|clip| clip.read(0)).is_err(), "{length} of {name}");
        }
        // Damage inside of a stream: an answer or a fault.
        for at in (600..whole.len()).step_by(31) {
            let mut bytes = whole.clone();
            bytes[at] ^= 0x55;
            std::fs::write(&path, bytes).unwrap();
            let _ = open(&path, None).and_then(|clip| clip.read(0));
        }
    }
}
