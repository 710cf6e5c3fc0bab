//! The generator's files are what they claim by others' word: LibRaw and
//! tifffile have each read one frame of every variant of the format
//! (`oracles/variants.py`) and found the samples, levels, white balance and
//! geometry that the spec means. The digest of each file shows that the bytes
//! which they saw are those of this machine.

use platefarm_model::raw::{Bayer, CfaColor};
use platefarm_testclips::{
    ClipSpec, Faults, Pixel, SCENE_WHITE_CAMERA, Sample, float_samples, frame_bytes, parse_args,
    samples,
};
use serde_json::Value;
use sha2::{Digest, Sha256};

/// LibRaw decodes only the first strip of several lossless JPEG ones, and keeps
/// the two-dimensional predictor in the first row after a restart, where T.81
/// H.1.2.1 has the one-dimensional one; and it takes packed planes for interleaved samples. tifffile
/// reads all of them as the standards say.
const NOT_FOR_LIBRAW: [&str; 4] =
    ["jpeg-strips", "jpeg-restart-p6", "jpeg-restart-p7-2c", "linear-12-planar"];

/// What LibRaw says of floats is not what is stored (it makes whole numbers of them), it reads no
/// deflated whole samples and no BigTIFF, and of linear pictures it keeps levels of another kind.
fn is_for_libraw(name: &str, spec: &ClipSpec) -> bool {
    spec.sample == Sample::Whole && !NOT_FOR_LIBRAW.contains(&name)
}

fn variants() -> Vec<(String, Value, ClipSpec)> {
    let oracle: Value =
        serde_json::from_str(include_str!("../oracles/readers.json")).expect("the oracle is JSON");
    let variants = oracle.as_object().expect("variants");
    assert!(variants.len() > 50, "all variants are there");
    variants
        .iter()
        .map(|(name, found)| {
            let options = found["options"].as_array().expect("options");
            let args: Vec<String> = std::iter::once("out")
                .chain(options.iter().map(|o| o.as_str().expect("text")))
                .map(str::to_owned)
                .collect();
            let (_, spec) = parse_args(&args).expect("the options are sound");
            (name.clone(), found.clone(), spec)
        })
        .collect()
}

fn hex(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|b| format!("{b:02x}")).collect()
}

fn digest(samples: impl Iterator<Item = u16>) -> String {
    hex(&samples.flat_map(u16::to_le_bytes).collect::<Vec<u8>>())
}

fn numbers(value: &Value) -> Vec<u32> {
    value.as_array().expect("a list").iter().map(|v| v.as_u64().expect("a number") as u32).collect()
}

#[test]
fn both_readers_read_the_samples_that_were_meant() {
    let mut by_libraw = 0;
    for (name, found, spec) in variants() {
        let stored = samples(&spec, 0).expect("sound");
        let meant = match spec.sample {
            Sample::Whole => digest(stored.iter().copied()),
            Sample::Float => {
                let floats = float_samples(&spec, 0).expect("sound");
                hex(&floats.into_iter().flat_map(f32::to_le_bytes).collect::<Vec<u8>>())
            }
        };
        assert_eq!(found["tifffile"]["samples_sha256"], meant, "{name}: tifffile");
        let read = !found["libraw"]["samples_sha256"].is_null();
        if is_for_libraw(&name, &spec) && read {
            by_libraw += 1;
            let table = spec.linearization_table();
            let linear = stored.iter().map(|c| table.get(usize::from(*c)).copied().unwrap_or(*c));
            assert_eq!(found["libraw"]["samples_sha256"], digest(linear), "{name}: LibRaw");
        }
    }
    assert!(by_libraw > 55, "LibRaw has read only {by_libraw}");
}

#[test]
fn files_are_the_same_bytes_on_every_machine() {
    for (name, found, spec) in variants() {
        let file = frame_bytes(&spec, 0).expect("sound");
        assert_eq!(found["file_sha256"], hex(&file), "{name}");
    }
}

#[test]
fn libraw_reads_the_geometry_and_levels_that_were_meant() {
    for (name, found, spec) in variants() {
        let found = &found["libraw"];
        let plain = spec.sample == Sample::Whole
            && spec.pixel == Pixel::Mosaic
            && spec.faults == Faults::default();
        if found["samples_sha256"].is_null() || !plain {
            continue;
        }
        let (width, height) = spec.stored_size();
        assert_eq!(numbers(&found["stored"]), [width, height], "{name}");
        // LibRaw begins its picture at even photosites and turns the pattern with it.
        let (dx, dy) = (spec.masked.left % 2, spec.masked.top % 2);
        let active =
            [spec.masked.left + dx, spec.masked.top + dy, spec.width - dx, spec.height - dy];
        assert_eq!(numbers(&found["active"]), active, "{name}");
        let (row, column) = spec.bayer.red_at();
        let turned = Bayer::with_red_at(row + dy, column + dx);
        let pattern: String = [(0, 0), (0, 1), (1, 0), (1, 1)]
            .map(|(row, column)| match turned.color(row, column) {
                CfaColor::Red => 'r',
                CfaColor::Green => 'g',
                CfaColor::Blue => 'b',
            })
            .iter()
            .collect();
        assert_eq!(found["pattern"], pattern, "{name}");
        let mut black: Vec<u32> = (0..4).map(|i| u32::from(spec.levels(i / 2, i % 2).0)).collect();
        black.sort_unstable();
        assert_eq!(numbers(&found["black"]), black, "{name}");
        assert_eq!(found["white"], spec.levels(0, 0).1, "{name}");
        let gains = found["white_balance"].as_array().expect("a list");
        for (gain, neutral) in gains.iter().zip(SCENE_WHITE_CAMERA) {
            let product = gain.as_f64().expect("a number") * f64::from(neutral) / 1e6;
            assert!((product - 1.0).abs() < 1e-4, "{name}: {product}");
        }
    }
}

/// A negative control: another seed is another clip, so the digests do tell frames apart.
#[test]
fn another_seed_or_frame_has_other_samples() {
    let spec = ClipSpec { width: 64, height: 48, ..ClipSpec::default() };
    let of = |spec: &ClipSpec, index| digest(samples(spec, index).expect("sound").into_iter());
    assert_eq!(of(&spec, 3), of(&spec.clone(), 3));
    assert_ne!(of(&spec, 3), of(&spec, 4));
    assert_ne!(of(&spec, 3), of(&ClipSpec { seed: 2, ..spec.clone() }, 3));
}

/// The files lie under the names that a pull finds them by, and the program says what it refuses.
#[test]
fn the_program_writes_a_clip_or_says_why_not() {
    let out = tempfile::tempdir().expect("a directory");
    let run = |options: &[&str]| {
        std::process::Command::new(env!("CARGO_BIN_EXE_platefarm-testclips"))
            .arg(out.path().join("clip"))
            .args(options)
            .output()
            .expect("the program runs")
    };
    let done = run(&["--size", "64x48", "--frames", "3", "--name", "S001_C001", "--first", "7"]);
    assert!(done.status.success());
    let mut names: Vec<String> = std::fs::read_dir(out.path().join("clip"))
        .expect("it is there")
        .map(|entry| entry.expect("an entry").file_name().to_string_lossy().into_owned())
        .collect();
    names.sort();
    assert_eq!(names, ["S001_C001_000007.dng", "S001_C001_000008.dng", "S001_C001_000009.dng"]);
    for (options, said) in [
        (&["--bits", "9"][..], "9 bits"),
        (&["--size", "64"], "WIDTHxHEIGHT"),
        (&["--sized", "64x48"], "'--sized' is not an option"),
        (&["--predictor", "3"], "--compression ljpeg"),
        (&["--compression", "lzw"], "none, ljpeg"),
        (&["--bits"], "needs a value"),
        (&["--timecode", "1:2:3"], "'1:2:3' is not a timecode"),
    ] {
        let refused = run(options);
        assert_eq!(refused.status.code(), Some(2), "{options:?}");
        let message = String::from_utf8_lossy(&refused.stderr).into_owned();
        assert!(message.contains(said), "{options:?}: {message}");
    }
}
