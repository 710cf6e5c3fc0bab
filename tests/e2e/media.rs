//! Clips that are pictures already: OpenEXR, DPX, movies, and what a bridge
//! gives, from the file to the plate.

use crate::harness::{World, copy_clip, root, s, text};
use platefarm_model::color::{self, ACES_WHITE, AP0, D65, REC709};
use std::path::{Path, PathBuf};
use std::process::Command;

fn fixture(name: &str) -> PathBuf {
    root().join("media/tests/fixtures").join(name)
}

/// The delivered values of a plate, and its size.
fn plate(path: &Path) -> ([u32; 2], [Vec<u16>; 3]) {
    let plate = platefarm_media::sink::exr::read(path).expect("a plate");
    ([plate.width, plate.height], plate.rgb)
}

fn value(bits: u16) -> f64 {
    half::f16::from_bits(bits).to_f64()
}

fn render(world: &World, source: &Path, out: &str, more: &[&str]) -> Vec<PathBuf> {
    let out = world.path(out);
    let args = ["render", s(source), "--out", s(&out), "--backend", "cpu"];
    let report = world.json(&[&args, more].concat());
    let files = report["files"].as_array().expect("files");
    files.iter().map(|f| PathBuf::from(f["file"].as_str().expect("a path"))).collect()
}

/// A half float ACES2065-1 file that is not reframed comes out as it went in, to the last bit.
#[test]
fn an_aces_exr_passes_through_untouched() {
    let world = World::new();
    let source = world.path("plate.0001.exr");
    std::fs::copy(fixture("exr/meta.exr"), &source).expect("a copy");
    let frames = render(&world, &source, "out", &[]);
    let (size, rgb) = plate(&frames[0]);
    assert_eq!(size, [67, 45]);
    let clip = platefarm_media::open(&source, None).expect("the source");
    let pixels = clip.read(0).expect("its pixels").bytes;
    for (pixel, bytes) in pixels.chunks_exact(6).enumerate() {
        for (color, bytes) in bytes.chunks_exact(2).enumerate() {
            assert_eq!(rgb[color][pixel], u16::from_le_bytes([bytes[0], bytes[1]]), "{pixel}");
        }
    }
    // What the source knew, the plate knows.
    let header = platefarm_media::sink::exr::read(&frames[0]).expect("a plate").header;
    assert_eq!(header.reel_name.as_deref(), Some("A007R1AB"));
    assert_eq!(header.timecode.map(|t| t.to_string()).as_deref(), Some("01:02:03:04"));
}

fn to_aces(rgb: [f64; 3]) -> [f64; 3] {
    let matrix =
        color::mul(&color::xyz_to_rgb(D65, &AP0, ACES_WHITE), &color::rgb_to_xyz(&REC709, D65));
    color::apply(&matrix, rgb)
}

/// A film scan: printing density to light by Kodak's formula, then the matrix.
#[test]
fn a_dpx_scan_becomes_a_plate() {
    let world = World::new();
    let source = world.path("scan.0001.dpx");
    std::fs::copy(fixture("dpx/meta.dpx"), &source).expect("a copy");
    let frames = render(&world, &source, "out", &[]);
    let ([width, height], rgb) = plate(&frames[0]);
    assert_eq!([width, height], [37, 23]);
    let clip = platefarm_media::open(&source, None).expect("the source");
    let codes = clip.read(0).expect("its codes").bytes;
    let exposure = |code: f64| 10f64.powf((code - 685.0) * 0.002 / 0.6);
    for (pixel, bytes) in codes.chunks_exact(6).enumerate() {
        let light = [0, 2, 4].map(|i| {
            let code = f64::from(u16::from_le_bytes([bytes[i], bytes[i + 1]]));
            (exposure(code) - exposure(95.0)) / (1.0 - exposure(95.0))
        });
        for (color, expected) in to_aces(light).into_iter().enumerate() {
            let found = value(rgb[color][pixel]);
            let bound = 1e-3 * expected.abs().max(0.01);
            assert!((found - expected).abs() <= bound, "{pixel}: {found} and {expected}");
        }
    }
}

/// Colours that the file does not name are not guessed at; the clip is described all the same.
#[test]
fn colours_that_are_not_known_stop_a_render_and_not_an_inspection() {
    let world = World::new();
    let source = world.path("unknown.0001.dpx");
    std::fs::copy(fixture("dpx/10abe.dpx"), &source).expect("a copy");
    world.json(&["inspect", s(&source)]);
    let error = world.fails("F0114", &["render", s(&source), "--out", s(&world.path("out"))]);
    assert!(error["message"].as_str().expect("text").contains("transfer"), "{error}");
}

/// A movie of grey steps, one level a frame.
fn movie(path: &Path) {
    let filter = "geq=lum='16+20*N':cb=128:cr=128,format=yuv422p10le,\
                  setparams=color_primaries=bt709:color_trc=bt709:colorspace=bt709:range=tv";
    let output = Command::new("ffmpeg")
        .args(["-v", "error", "-f", "lavfi", "-i", "color=s=64x48:r=24000/1001,format=yuv422p"])
        .args(["-frames:v", "9", "-vf", filter, "-c:v", "prores_ks", "-profile:v", "3"])
        .args(["-timecode", "01:00:00:00", "-metadata:s:v", "reel_name=A001"])
        .arg(path)
        .output()
        .expect("FFmpeg, see `cargo xtask test`");
    assert!(output.status.success(), "{}", text(&output.stderr));
}

#[test]
fn a_range_of_a_movie_becomes_plates() {
    let world = World::new();
    let source = world.path("A001_C002.mov");
    movie(&source);
    let frames = render(&world, &source, "out", &["--frames", "3-5"]);
    assert_eq!(frames.len(), 3);
    assert!(frames[0].ends_with("A001_C002.1001.exr"), "{frames:?}");
    for (number, frame) in (3..).zip(&frames) {
        let (size, rgb) = plate(frame);
        assert_eq!(size, [64, 48]);
        // BT.709's camera curve, inverted by hand; a grey is a grey in every space.
        let level = 20.0 * f64::from(number) / 219.0;
        let light = ((level + 0.099) / 1.099).powf(1.0 / 0.45);
        for plane in &rgb {
            let found = value(plane[24 * 64 + 32]);
            // ProRes rounds: a code of ten bits or two.
            assert!((found / light - 1.0).abs() < 0.03, "frame {number}: {found} and {light}");
        }
        let header = platefarm_media::sink::exr::read(frame).expect("a plate").header;
        let timecode = header.timecode.map(|t| t.to_string());
        assert_eq!(timecode, Some(format!("01:00:00:0{number}")));
    }
}

/// Without FFmpeg a movie is an error that says what to install; other clips are read as ever.
#[test]
fn a_movie_without_ffmpeg_says_what_to_install() {
    let world = World::new();
    let source = world.path("a.mov");
    movie(&source);
    let output = world
        .platefarm(&["inspect", s(&source), "--json"])
        .env("PLATEFARM_FFPROBE", "/nonexistent/ffprobe")
        .output()
        .expect("the program starts");
    let said = format!("{}{}", text(&output.stdout), text(&output.stderr));
    assert!(!output.status.success());
    assert!(said.contains("F0115") && said.contains("apt-get install ffmpeg"), "{said}");
}

/// Where no clip can be read, the inspection still names every problem, and fails.
#[test]
fn an_inspection_of_damaged_files_alone_names_each() {
    let world = World::new();
    let files = ["a.dng", "b.exr"].map(|name| world.path(name));
    for file in &files {
        std::fs::write(file, []).expect("a file");
    }
    let output = world
        .platefarm(&["inspect", s(&files[0]), s(&files[1]), "--json"])
        .output()
        .expect("the program starts");
    assert_eq!(output.status.code(), Some(3));
    let document: serde_json::Value = serde_json::from_slice(&output.stdout).expect("one document");
    assert_eq!(document["clips"], serde_json::json!([]));
    assert_eq!(document["problems"].as_array().map(Vec::len), Some(2), "{document}");
}

/// A maker's own format, through a configured bridge, to a plate; refused by name without it.
#[test]
fn a_bridge_delivers_plates() {
    let world = World::new();
    let (source, config) = (world.path("A001_C001.crm"), world.path("bridges.toml"));
    std::fs::copy(root().join("testclips/clips/colorchart/colorchart.dng"), &source)
        .expect("a copy");
    let error = world.fails("F0115", &["inspect", s(&source)]);
    assert!(error["message"].as_str().expect("text").contains("Canon"), "{error}");

    let script = root().join("bridges/libraw_bridge.py");
    let text = format!(
        "[[bridge]]\nname = \"libraw\"\ncommand = [\"python3\", {:?}]\nextensions = [\"crm\"]\n",
        s(&script)
    );
    std::fs::write(&config, text).expect("the configuration");
    let frames = render(&world, &source, "out", &["--bridges", s(&config)]);
    assert_eq!(plate(&frames[0]).0, [1734, 1156]);

    let report = world.json(&["bridge", "check", "libraw", s(&source), "--bridges", s(&config)]);
    assert_eq!(report["result"], "pass", "{report}");
    let failed = world.fails("F0118", &["bridge", "check", "cat"]);
    assert!(failed["message"].as_str().expect("text").contains("rules of 8"), "{failed}");
    world.fails("F0115", &["bridge", "check", "/nonexistent/bridge"]);
}

/// Plates of an earlier pull carry the reel and timecode of their sources, and do not stand in for them.
#[test]
fn earlier_plates_among_the_media_are_passed_over() {
    let world = World::new();
    let media = world.path("media");
    copy_clip("beachball", &media.join("A001"));
    let fixtures = root().join("tests/fixtures/pull");
    let out = media.join("earlier");
    render(&world, &media.join("A001"), "media/earlier", &["--frames", "0-3"]);
    assert!(out.is_dir());
    let (edl, out) = (fixtures.join("cut.edl"), world.path("out"));
    let args = ["pull", "--dry-run", "--edl", s(&edl), "--media", s(&media), "--out", s(&out)];
    let plan = world.planned(&args);
    let text = plan.to_string();
    assert!(text.contains("F0123"), "it is said: {text}");
    assert!(!text.contains("earlier/A001_C001.1001.exr\",\"clip"), "{text}");
    let plates = plan["plates"].as_array().expect("plates");
    assert!(!plates.is_empty());
    for plate in plates {
        assert!(!plate["source"].as_str().unwrap_or_default().contains("earlier"), "{plate}");
    }
}
