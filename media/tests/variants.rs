//! Every variant of the format that the generator writes, read as it was
//! meant. That the generator means what its files say, LibRaw and tifffile
//! have found (`testclips/oracles`); it shares no code with the reader.

use platefarm_media::open;
use platefarm_model::raw::{Bayer, Frame, Layout, Packing, RgbSamples};
use platefarm_testclips::{
    Border, ClipSpec, Compression, Faults, Pixel, Sample, float_samples, frame_bytes, ideal,
    parse_args, samples,
};

fn read(spec: &ClipSpec) -> Frame {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join(spec.file_name(0));
    std::fs::write(&path, frame_bytes(spec, 0).unwrap()).unwrap();
    let clip = open(&path, None).unwrap();
    let frame = clip.read(0).unwrap();
    assert_eq!(frame.layout, *clip.layout());
    let again = clip.read_with(0, vec![0xAA; 1_000_000]).unwrap();
    assert!(again == frame, "a used buffer changes nothing: {spec:?}");
    frame
}

fn words(bytes: &[u8]) -> Vec<u16> {
    bytes.chunks_exact(2).map(|c| u16::from_le_bytes([c[0], c[1]])).collect()
}

fn floats(bytes: &[u8]) -> Vec<f32> {
    bytes.chunks_exact(4).map(|c| f32::from_le_bytes([c[0], c[1], c[2], c[3]])).collect()
}

/// The active area of a picture of all that is stored.
fn active<T: Copy>(spec: &ClipSpec, stored: &[T]) -> Vec<T> {
    let row = spec.stored_size().0 as usize * spec.pixel.samples();
    let (left, width) = (spec.masked.left as usize, spec.width as usize);
    let columns = left * spec.pixel.samples()..(left + width) * spec.pixel.samples();
    let rows = stored.chunks_exact(row).skip(spec.masked.top as usize).take(spec.height as usize);
    rows.flat_map(|row| row[columns.clone()].to_vec()).collect()
}

/// The samples of a mosaic bit by bit, by the definition of its packing.
fn unpacked(frame: &Frame) -> Vec<u16> {
    let layout = frame.layout.mosaic().unwrap();
    let bits = layout.packing.bits() as usize;
    let rows = frame.bytes.chunks_exact(layout.row_bytes);
    let sample = |row: &[u8], x: usize| match layout.packing {
        Packing::U16Le => u16::from_le_bytes([row[2 * x], row[2 * x + 1]]),
        _ => (x * bits..(x + 1) * bits)
            .fold(0, |acc, i| acc << 1 | u16::from(row[i / 8] >> (7 - i % 8) & 1)),
    };
    rows.flat_map(|row| (0..layout.width as usize).map(move |x| sample(row, x)).collect::<Vec<_>>())
        .collect()
}

#[test]
fn every_variant_is_read_as_it_was_meant() {
    let lines = include_str!("../../testclips/oracles/variants.txt").lines();
    let mut read_variants = 0;
    for line in lines.filter(|line| !line.starts_with('#')) {
        let (name, options) = line.split_once(' ').unwrap();
        let args: Vec<String> =
            std::iter::once("out").chain(options.split_whitespace()).map(str::to_owned).collect();
        let (_, spec) = parse_args(&args).unwrap();
        let frame = read(&spec);
        match (&frame.layout, spec.sample) {
            (Layout::Mosaic(layout), Sample::Float) => {
                assert_eq!(layout.packing, Packing::F32Le, "{name}");
                let meant = active(&spec, &float_samples(&spec, 0).unwrap());
                assert!(floats(&frame.bytes) == meant, "{name}");
            }
            (Layout::Mosaic(_), Sample::Whole) => {
                assert!(unpacked(&frame) == samples(&spec, 0).unwrap(), "{name}");
            }
            (Layout::Rgb(layout), Sample::Float) => {
                assert_eq!(layout.samples, RgbSamples::F32, "{name}");
                assert!(floats(&frame.bytes) == active(&spec, &float_samples(&spec, 0).unwrap()));
            }
            (Layout::Rgb(layout), Sample::Whole) => {
                assert_eq!(layout.samples, RgbSamples::U16, "{name}");
                assert!(words(&frame.bytes) == samples(&spec, 0).unwrap(), "{name}");
                let (black, white) = spec.levels(0, 0);
                assert_eq!(layout.curve[usize::from(black)], 0.0, "{name}");
                assert_eq!(layout.curve[usize::from(white)], 1.0, "{name}");
            }
        }
        read_variants += 1;
    }
    assert!(read_variants >= 85, "only {read_variants}");
}

/// Largest difference of a picture from the scene where the camera does not clip, and how often
/// it is more than `bound`.
fn off(found: &[f32], ideal: &[f32], bound: f32) -> (f32, usize) {
    let pairs = found.iter().zip(ideal).filter(|(_, ideal)| **ideal < 0.5);
    let differences: Vec<f32> = pairs.map(|(a, b)| (a - b).abs()).collect();
    let most = differences.iter().copied().fold(0.0, f32::max);
    (most, differences.iter().filter(|d| **d > bound).count())
}

fn faulty(faults: Faults) -> ClipSpec {
    ClipSpec {
        width: 210,
        height: 118,
        bits: 16,
        noise: 0.0,
        masked: Border { top: 3, left: 5, bottom: 2, right: 1 },
        faults,
        ..ClipSpec::default()
    }
}

/// Corners, bands and lines that the camera's file says how to undo: what is left is the scene.
#[test]
fn a_corrected_picture_is_the_scene() {
    let vignette = Faults { vignette: true, ..Faults::default() };
    let bands = Faults { bands: true, ..Faults::default() };
    let all = Faults { vignette: true, bands: true, lines: true, bad: 0 };
    for faults in [vignette, bands, all] {
        for (compression, byte_order) in [
            (Compression::None, platefarm_testclips::ByteOrder::Big),
            (Compression::Deflate { predictor: 1 }, platefarm_testclips::ByteOrder::Little),
        ] {
            let spec = ClipSpec { compression, byte_order, ..faulty(faults) };
            let frame = read(&spec);
            let layout = frame.layout.mosaic().unwrap();
            assert_eq!(layout.packing, Packing::F32Le);
            assert_eq!((layout.width, layout.height), (spec.width, spec.height));
            assert_eq!(layout.active.x, 0);
            let ideal = ideal(&spec, 0).unwrap();
            // Half a code, times what gain and scale make of it.
            let (most, _) = off(&floats(&frame.bytes), &ideal, 0.0);
            assert!(most < 1.5 / 65_535.0, "{faults:?}: {most}");
            // The control: without the corrections it is another picture.
            let (_, wrong) = off(
                &floats(&frame.bytes),
                &ideal.iter().map(|v| v * 1.001).collect::<Vec<_>>(),
                1e-5,
            );
            assert!(wrong > 1000);
        }
    }
    let floats_too = ClipSpec {
        sample: Sample::Float,
        bits: 32,
        ..faulty(Faults { vignette: true, bands: true, ..Faults::default() })
    };
    let (most, _) = off(&floats(&read(&floats_too).bytes), &ideal(&floats_too, 0).unwrap(), 0.0);
    assert!(most < 1e-6, "{most}");
}

/// Black level deltas alone are left to the image operations: the bytes stay those of the file.
#[test]
fn lines_of_their_own_black_stay_packed() {
    let spec = ClipSpec { bits: 12, ..faulty(Faults { lines: true, ..Faults::default() }) };
    let frame = read(&spec);
    let layout = frame.layout.mosaic().unwrap();
    assert_eq!(layout.packing, Packing::Msb12);
    assert_eq!(layout.levels.black_delta_h.len(), spec.width as usize);
    assert_eq!(layout.levels.black_delta_v.len(), spec.height as usize);
    assert!(layout.levels.black_delta_h[4] > 0.0 && layout.levels.black_delta_h[5] == 0.0);
    assert!(unpacked(&frame) == samples(&spec, 0).unwrap());
}

/// Stuck photosites are repaired before anything else, and nothing else is touched.
#[test]
fn stuck_photosites_are_repaired() {
    for (bits, bayer) in [(12, Bayer::Gbrg), (16, Bayer::Rggb)] {
        let spec = ClipSpec { bits, bayer, ..faulty(Faults { bad: 60, ..Faults::default() }) };
        let frame = read(&spec);
        let layout = frame.layout.mosaic().unwrap();
        assert_eq!(layout.packing, Packing::U16Le, "codes stay codes");
        let (bad, good) = (
            samples(&spec, 0).unwrap(),
            samples(&ClipSpec { faults: Faults::default(), ..spec.clone() }, 0).unwrap(),
        );
        let (mut repaired, mut distance, mut near) = (0, 0.0, 0);
        for ((found, bad), good) in unpacked(&frame).iter().zip(&bad).zip(&good) {
            if u32::from(*good) == (1 << bits) - 1 {
                // It clips: stuck or not, it looks the same.
            } else if bad == good {
                assert_eq!(found, good, "a sound photosite");
            } else {
                repaired += 1;
                let range = f64::from((1u32 << bits) - 1);
                distance += (f64::from(*found) - f64::from(*good)).abs() / range;
                near += usize::from(found.abs_diff(*good) < 1 << (bits - 5));
            }
        }
        assert!(repaired > 40, "{repaired}");
        assert!(distance / f64::from(repaired) < 0.05, "{distance}");
        assert!(near * 10 > repaired as usize * 8, "{near} of {repaired}");
    }
}

/// A linear picture of log codes is its table's, through one curve.
#[test]
fn linear_raw_goes_through_its_table() {
    let spec = ClipSpec {
        width: 64,
        height: 48,
        pixel: Pixel::Linear,
        curve: platefarm_testclips::Curve::Log,
        noise: 0.0,
        ..ClipSpec::default()
    };
    let frame = read(&spec);
    let layout = frame.layout.rgb().unwrap();
    let linear: Vec<f32> =
        words(&frame.bytes).iter().map(|w| layout.curve[usize::from(*w)]).collect();
    let (_, wrong) = off(&linear, &ideal(&spec, 0).unwrap(), 0.002);
    assert_eq!(wrong, 0);
    // The neutral of the scene becomes a neutral.
    let white = platefarm_testclips::SCENE_WHITE_CAMERA.map(|v| f64::from(v) / 1e6);
    let aces = platefarm_model::color::apply(&layout.to_aces, white);
    assert!(aces.iter().all(|v| (v - aces[1]).abs() < 1e-6), "{aces:?}");
}

/// A file that says where its photosites are masked and not what black is.
#[test]
fn black_is_measured_where_it_is_not_said() {
    let spec = ClipSpec {
        width: 120,
        height: 80,
        bits: 14,
        noise: 1.0,
        black_pattern: true,
        unstated_black: true,
        masked: Border { top: 9, left: 13, bottom: 4, right: 3 },
        bayer: Bayer::Grbg,
        ..ClipSpec::default()
    };
    for (compression, faults) in [
        (Compression::None, Faults::default()),
        (Compression::Deflate { predictor: 0 }, Faults { vignette: true, ..Faults::default() }),
    ] {
        let spec = ClipSpec { compression, faults, ..spec.clone() };
        let frame = read(&spec);
        let layout = frame.layout.mosaic().unwrap();
        if faults.vignette {
            let mean = |v: &[f32]| v.iter().sum::<f32>() / v.len() as f32;
            let found = mean(&floats(&frame.bytes)[..spec.width as usize * 8]);
            let ideal = mean(&ideal(&spec, 0).unwrap()[..spec.width as usize * 8]);
            // Black itself is 0.016.
            assert!((found - ideal).abs() < 0.004, "{found}, not {ideal}");
            continue;
        }
        for (i, (row, column)) in [(0, 0), (0, 1), (1, 0), (1, 1)].into_iter().enumerate() {
            let meant = f32::from(spec.levels(row, column).0);
            // Read noise of 3 electrons is 2.5 codes here; the mean of hundreds has little of it.
            assert!((layout.levels.black[i] - meant).abs() < 0.5, "{:?}", layout.levels.black);
        }
    }
}
