//! Camera files that no test clip can stand for, through the real binary. The
//! ARRIRAW here is bytes made for the test: a program does not write it.

use crate::harness::World;
use serde_json::Value;
use std::path::{Path, PathBuf};

const SIZE: [u32; 2] = [64, 36];

/// A frame of an ALEXA: a header with two frame lines, and samples of one grey.
fn ari(dir: &Path, number: u32) -> PathBuf {
    let mut bytes = vec![0; 4096];
    let mut put = |at: usize, value: &[u8]| bytes[at..at + value.len()].copy_from_slice(value);
    put(0, b"ARRI\x12\x34\x56\x78");
    for (at, value) in [
        (0x08, 4096),
        (0x14, SIZE[0]),
        (0x18, SIZE[1]),
        (0x5C, 5600),
        (0x74, 800),
        (0x170, 1234),
        (0x1A4, 24_000),
        (0x1A8, 0x1000_0000 + number),
        (0x1B0, 24_000),
    ] {
        put(at, &u32::to_le_bytes(value));
    }
    for at in [0x64, 0x68, 0x6C] {
        put(at, &1f32.to_le_bytes());
    }
    for (at, text) in [(0x29C, "ALEXA"), (0x4F8, "A001R1AB"), (0x698, "A001C001_261121_R1AB")] {
        put(at, text.as_bytes());
    }
    for (at, kind, name, place) in [
        (0x890, 1u32, "ARRI 2.39:1", [0u16, 5, 64, 27]),
        (0x8C0, 2, "ARRI 4:3", [8, 0, 48, 36]),
        (0x8F0, 0, "off", [0, 0, 64, 36]),
    ] {
        put(at, &kind.to_le_bytes());
        put(at + 4, name.as_bytes());
        for (i, v) in place.into_iter().enumerate() {
            put(at + 36 + 2 * i, &v.to_le_bytes());
        }
    }
    // 12-bit code 583 stands for 583 of 65535: a grey card at EI 800 (256 + 0.005 * 65535, rounded).
    let pair = 583u64 << 12 | 583;
    for _ in 0..SIZE[0] * SIZE[1] / 8 {
        let words =
            [pair << 8 | pair >> 16, (pair & 0xffff) << 16 | pair >> 8, (pair & 0xff) << 24 | pair];
        words.iter().for_each(|word| bytes.extend((*word as u32).to_le_bytes()));
    }
    let path = dir.join(format!("A001C001_261121_R1AB.{number:07}.ari"));
    std::fs::write(&path, bytes).expect("a file");
    path
}

#[test]
fn frame_lines_of_the_camera_become_a_list_that_frames_a_plate() {
    let world = World::new();
    let card = world.path("card");
    std::fs::create_dir_all(&card).expect("a directory");
    let first = ari(&card, 0);
    ari(&card, 1);
    let [card, first] = [&card, &first].map(|p| p.to_str().expect("text").to_owned());

    let seen = world.json(&["inspect", &first]);
    let text = seen.to_string();
    assert!(text.contains("F0122") && text.contains("ARRI 2.39:1"), "{text}");

    let list = world.path("camera.fdl");
    let list = list.to_str().expect("text");
    world.json(&["fdl", "from-clip", &card, "--deliver", "32x14", "--out", list]);
    world.json(&["fdl", "validate", list]);
    let document: Value =
        serde_json::from_slice(&std::fs::read(list).expect("the list")).expect("JSON");
    let canvas = &document["contexts"][0]["canvases"][0];
    assert_eq!(canvas["dimensions"]["width"], 64);
    let decision = &canvas["framing_decisions"][0];
    assert_eq!(decision["anchor_point"]["y"], 5.0);
    assert_eq!(decision["dimensions"]["height"], 27.0);
    assert_eq!(document["framing_intents"][1]["aspect_ratio"]["width"], 4);
    assert_eq!(document["default_framing_intent"], "ARRI_2_39_1");
    let id = &document["contexts"][0]["clip_id"]["sequence"];
    assert_eq!((id["min"].as_u64(), id["max"].as_u64()), (Some(0), Some(1)), "{document}");
    // A plate of the master line: grey stays grey, at the exposure that the camera recorded.
    let out = world.path("out");
    let out = out.to_str().expect("text");
    let args = ["render", &first, "--out", out, "--backend", "cpu", "--fdl", list];
    let report = world.json(&[&args[..], &["--template", "DELIVERY"]].concat());
    let file = report["files"][0]["file"].as_str().expect("a plate");
    let plate = platefarm_media::sink::exr::read(Path::new(file)).expect("a plate");
    assert_eq!([plate.width, plate.height], [32, 14]);
    let grey = (583.0 - 256.0) / 65535.0 * 0.18 / (0.01 * 400.0 / 800.0);
    for plane in &plate.rgb {
        let middle = half::f16::from_bits(plane[7 * 32 + 16]).to_f64();
        assert!((middle / grey - 1.0).abs() < 1e-3, "{middle} for {grey}");
    }
    // The same list from one file, shown.
    let shown = world.json(&["fdl", "from-clip", &first]);
    assert!(shown.to_string().contains("ARRI_4_3"), "{shown}");
}

#[test]
fn a_clip_without_frame_lines_makes_no_list_and_says_what_to_do() {
    let world = World::new();
    let clip = crate::harness::root().join("testclips/clips/colorchart");
    let error = world.fails("F0113", &["fdl", "from-clip", clip.to_str().expect("text")]);
    assert!(error.to_string().contains("colorchart"), "{error}");
}
