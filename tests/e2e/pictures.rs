//! Whether the pictures are right, by others' word: the motion clip's noise-free
//! truth, LibRaw's reading of the colour chart, OpenEXR's own reading of our
//! files. What the values are and how they were made: `tests/oracles/README.md`.

mod metrics;

use crate::harness::{World, copy_clip, root, s, text};
use metrics::{Image, apply, ciede2000, lab};
use platefarm_model::recipe::{Compression, Debayer};
use serde_json::Value;
use std::path::Path;
use std::process::Command;

fn oracle(name: &str) -> Value {
    let bytes =
        std::fs::read(root().join("tests/oracles").join(name)).expect("the oracle's values");
    serde_json::from_slice(&bytes).expect("JSON")
}

fn number(value: &Value) -> f64 {
    value.as_f64().unwrap_or_else(|| panic!("{value} is no number"))
}

fn triple(value: &Value) -> [f64; 3] {
    std::array::from_fn(|i| number(&value[i]))
}

fn matrix(value: &Value) -> [[f64; 3]; 3] {
    std::array::from_fn(|i| triple(&value[i]))
}

/// Renders with no framing, on the CPU, and reads the plates back.
fn plates(world: &World, clip: &str, debayer: Debayer) -> Vec<Image> {
    let (media, out) = (world.path("media"), world.path("out"));
    copy_clip(clip, &media);
    let args = ["render", s(&media), "--out", s(&out), "--backend", "cpu"];
    let report = world.json(&[&args[..], &["--debayer", debayer.name()]].concat());
    let frames = report["files"].as_array().expect("frames");
    frames
        .iter()
        .map(|frame| Image::plate(Path::new(frame["file"].as_str().expect("a path"))))
        .collect()
}

/// The plates of the motion clip against its noise-free truth. The anchor is an
/// independent pipeline with the same debayer; one pixel of shift costs 4 dB, an
/// adaptation left out 8 dB.
#[test]
fn the_motion_clip_is_its_truth_as_near_as_the_debayer_allows() {
    let oracle = oracle("beachball.json");
    let (to_aces, to_camera) =
        (matrix(&oracle["rec709_to_aces"]), matrix(&oracle["scene_to_camera"]));
    let threshold = number(&oracle["hot"]["threshold"]);
    let (world, other) = (World::new(), World::new());
    let best = plates(&other, "beachball", Debayer::default());
    let mhc = plates(&world, "beachball", Debayer::Mhc);
    for (index, (plate, best)) in mhc.iter().zip(&best).enumerate() {
        assert_eq!((plate.width, plate.height), (1136, 752));
        let scene =
            Image::truth(&root().join(format!("testclips/clips/beachball-truth/{index:06}.exr")));
        let hot = scene.map(|v| apply(&to_camera, v)).hot(threshold, 4).crop(8, 8, 1136, 752);
        let truth = scene.map(|v| apply(&to_aces, v)).crop(8, 8, 1136, 752);
        let anchor = &oracle["frames"][index]["mhc"];
        let measured = metrics::measure(plate, &truth, &hot);
        println!(
            "frame {index}: {:.3} dB (anchor {}), bias {:?}, colour error of 16x16 blocks {:.4} median, {:.4} at the 99th percentile",
            measured.psnr, anchor["psnr"], measured.bias, measured.block[0], measured.block[1]
        );
        // The anchor knows nothing of lights that clip; around them ours is nearer to the truth.
        let over = measured.psnr - number(&anchor["psnr"]);
        assert!((-0.02..0.1).contains(&over), "frame {index}: {} dB", measured.psnr);
        assert!(
            measured.bias.iter().all(|b| b.abs() < 1e-4),
            "frame {index}: bias {:?}",
            measured.bias
        );
        for (ours, theirs) in measured.block.iter().zip([0, 1]) {
            let theirs = number(&anchor["block"][theirs]);
            assert!(
                (0.95 * theirs..1.02 * theirs).contains(ours),
                "frame {index}: block error {ours}, anchor {theirs}"
            );
        }
        let shifted = metrics::measure(
            &plate.crop(1, 0, 1120, 752),
            &truth.crop(0, 0, 1120, 752),
            &hot.crop(0, 0, 1120, 752),
        );
        assert!(shifted.psnr < measured.psnr - 2.0, "the measure sees one pixel of shift");
        // The debayer of plates has no anchor but this one: it is to be nearer to the truth.
        let best = metrics::measure(best, &truth, &hot);
        println!("frame {index}: {:.3} dB by the default", best.psnr);
        assert!(best.psnr > measured.psnr, "frame {index}: {} dB by the default", best.psnr);
    }
}

/// The real frame's colour chart against LibRaw's reading of the same file.
#[test]
fn the_colour_chart_is_what_libraw_sees() {
    let oracle = oracle("colorchart.json");
    let white = number(&oracle["white_y_for_lab"]);
    let world = World::new();
    let plate = plates(&world, "colorchart", Debayer::default()).remove(0);
    assert_eq!([plate.width, plate.height], [1734, 1156]);
    let mut differences = Vec::new();
    for patch in oracle["patches"].as_array().expect("patches") {
        let [x, y, w, h]: [usize; 4] = std::array::from_fn(|i| number(&patch["rect"][i]) as usize);
        let mean = plate.crop(x, y, w, h).mean();
        let expected = triple(&patch["aces_dng"]);
        for (ours, theirs) in mean.iter().zip(expected) {
            assert!(
                (ours - theirs).abs() < 0.0007,
                "{}: {mean:?}, by the DNG specification {expected:?}",
                patch["name"]
            );
        }
        let difference = ciede2000(lab(mean, white), lab(triple(&patch["aces_libraw"]), white));
        assert!(difference < 3.0, "{}: CIEDE2000 {difference:.2} from LibRaw", patch["name"]);
        differences.push(difference);
    }
    let mean = differences.iter().sum::<f64>() / differences.len() as f64;
    println!(
        "{} patches, CIEDE2000 to LibRaw: mean {mean:.2}, worst {:.2}",
        differences.len(),
        differences.iter().fold(0.0_f64, |a, b| a.max(*b))
    );
    assert_eq!(differences.len(), 24);
    assert!(mean < 1.5, "mean CIEDE2000 {mean:.2}");
}

/// OpenEXR's own tool reads our files and finds what a compositor looks for.
#[test]
fn openexr_reads_the_plate_with_everything_vfx_needs() {
    let world = World::new();
    let (media, out) = (world.path("media"), world.path("out"));
    copy_clip("beachball", &media);
    for compression in Compression::ALL.iter().copied() {
        world.json(&[
            "render",
            s(&media),
            "--frames",
            "3-3",
            "--out",
            s(&out),
            "--backend",
            "cpu",
            "--compression",
            compression.name(),
        ]);
        let compression = compression.label();
        let file = out.join("A001_C001.1001.exr");
        let output = Command::new("exrheader")
            .arg(&file)
            .output()
            .expect("exrheader runs; `cargo xtask setup` installs it");
        assert!(output.status.success(), "{}", text(&output.stderr));
        let header = text(&output.stdout);
        for wanted in [
            "B, 16-bit floating-point",
            "G, 16-bit floating-point",
            "R, 16-bit floating-point",
            "chromaticities",
            "red   (0.7347 0.2653)",
            "white (0.32168 0.33767)",
            "01:00:00:03",
            "framesPerSecond (type rational): 24/1",
            "reelName (type string): \"A001\"",
            "cameraMake (type string): \"Synth\"",
        ] {
            assert!(header.contains(wanted), "{compression}: '{wanted}' is not in\n{header}");
        }
        // SMPTE ST 2065-4 forbids compression, and what is lossy has no hash of its pixels.
        let (container, lossy) = (compression == "none", compression.contains("lossy"));
        assert_eq!(header.contains("acesImageContainerFlag"), container, "{header}");
        assert_eq!(header.contains("pixelsXXH128"), !lossy, "{header}");
        assert_eq!(header.contains("dwaCompressionLevel"), lossy, "{header}");
        assert!(!header.contains("\"\""), "{header}");
        // A second reader of the pixels: OpenEXR's own decoder writes what it read.
        let copy = world.path("copy.exr");
        let converted = Command::new("exrmakepreview").arg(&file).arg(&copy).output();
        assert!(converted.is_ok_and(|o| o.status.success()), "OpenEXR decodes the pixels");
    }
}

/// A shot rendered partly on each form shows no seam: the plates of both are
/// at most one unit in the last place of a half apart, and nearly all equal.
#[test]
fn gpu_and_cpu_plates_agree() {
    if std::env::var_os("PLATEFARM_NO_GPU_TESTS").is_some_and(|v| v == "1") {
        println!("skipped: PLATEFARM_NO_GPU_TESTS=1");
        return;
    }
    let world = World::new();
    let media = world.path("media");
    copy_clip("beachball", &media);
    let fdl = root().join("tests/fixtures/pull/show.fdl");
    let render = |backend: &str, debayer: Debayer| {
        let out = world.path(&format!("{backend}-{}", debayer.name()));
        let report = world.json(&[
            "render",
            s(&media),
            "--frames",
            "2-3",
            "--out",
            s(&out),
            "--backend",
            backend,
            "--fdl",
            s(&fdl),
            "--template",
            "VFX_PULL",
            "--debayer",
            debayer.name(),
        ]);
        assert!(
            report["backend"].as_str().is_some_and(|b| b.starts_with(backend)),
            "{}",
            report["backend"]
        );
        ["A001_C001.1001.exr", "A001_C001.1002.exr"]
            .map(|name| metrics::half_planes(&out.join(name)))
    };
    for debayer in Debayer::ALL.iter().copied() {
        let (cpu, gpu) = (render("cpu", debayer), render("gpu", debayer));
        for (a, b) in cpu.iter().zip(&gpu) {
            let (worst, equal) = metrics::half_distance(a, b);
            let name = debayer.name();
            assert!(worst <= 1 && equal >= 0.999, "{name}: worst {worst} ulp, equal {equal}");
        }
    }
}
