//! What a picture, its AMF and a person say of the same pixels, on the real
//! binary: who is believed, that it is told, and that nothing is done twice.

use crate::amf::{amf, pixels};
use crate::harness::{World, s, text};
use exr::prelude::*;
use serde_json::Value;
use std::path::{Path, PathBuf};

const LOGC4: &str = "urn:ampas:aces:transformId:v2.0:CSC.Arri.LogC4_to_ACES.a2.v1";
/// Rec.709 to ACES2065-1 as the Academy's Input Transforms have it (Bradford).
const REC709_TO_AP0: [[f32; 3]; 3] = [
    [0.439_632_98, 0.382_988_7, 0.177_378_32],
    [0.089_776_44, 0.813_439_4, 0.096_784_13],
    [0.017_541_17, 0.111_546_55, 0.870_912_28],
];

fn light(at: Vec2<usize>) -> (f16, f16, f16) {
    let [r, g, b] = [at.0 as f32 / 16.0, at.1 as f32 / 8.0, 0.18];
    (f16::from_f32(r), f16::from_f32(g), f16::from_f32(b))
}

/// A picture of 16 by 8 pixels that has these primaries, or none.
fn picture(world: &World, name: &str, primaries: Option<attribute::Chromaticities>) -> PathBuf {
    let path = world.path(name).join(format!("{name}.0001.exr"));
    std::fs::create_dir_all(path.parent().expect("a directory")).expect("a directory");
    let mut image = Image::from_channels((16, 8), SpecificChannels::rgb(light));
    image.attributes.chromaticities = primaries;
    image.write().to_file(&path).expect("a picture");
    path
}

const fn rec709() -> attribute::Chromaticities {
    attribute::Chromaticities {
        red: Vec2(0.64, 0.33),
        green: Vec2(0.30, 0.60),
        blue: Vec2(0.15, 0.06),
        white: Vec2(0.3127, 0.3290),
    }
}

const fn ap0() -> attribute::Chromaticities {
    attribute::Chromaticities {
        red: Vec2(0.7347, 0.2653),
        green: Vec2(0.0, 1.0),
        blue: Vec2(0.0001, -0.077),
        white: Vec2(0.32168, 0.33767),
    }
}

/// The light of the pictures, planes one behind the other.
fn as_it_came() -> Vec<f32> {
    let places = (0..8).flat_map(|y| (0..16).map(move |x| light(Vec2(x, y))));
    let all: Vec<_> = places.collect();
    let plane = |channel: fn(&(f16, f16, f16)) -> f16| all.iter().map(move |p| channel(p).to_f32());
    plane(|p| p.0).chain(plane(|p| p.1)).chain(plane(|p| p.2)).collect()
}

fn in_file(world: &World, name: &str, text: &str) -> PathBuf {
    let path = world.path(name);
    std::fs::write(&path, text).expect("a file");
    path
}

fn render<'a>(source: &'a Path, out: &'a Path, more: &[&'a str]) -> Vec<&'a str> {
    let args = ["render", s(source), "--out", s(out), "--name", "p", "--backend", "cpu"];
    [&args[..], more].concat()
}

fn says(report: &Value, code: &str, words: &str) -> bool {
    let notes = report["notes"].as_array().expect("notes");
    notes.iter().any(|n| n["code"] == code && n["message"].as_str().unwrap().contains(words))
}

#[test]
fn an_applied_input_transform_is_believed_of_a_file_that_is_silent() {
    let world = World::new();
    let silent = picture(&world, "silent", None);
    let applied = in_file(&world, "applied.amf", &amf(Some((LOGC4, true)), &[]));
    let out = world.path("out");
    let report = world.json(&render(&silent, &out, &["--amf", s(&applied)]));
    assert!(pixels(&out.join("p.1001.exr")) == as_it_came(), "nothing is done to it");
    assert!(says(&report, "F0225", "taken as ACES2065-1"), "{report}");
    assert!(!says(&report, "F0113", "BT.709 are assumed"), "{report}");
    assert_eq!(report.get("color_steps"), None, "{report}");
    // What was assumed by the reader is not said of it anywhere.
    let written = std::fs::read_to_string(out.join("p.amf")).expect("an AMF");
    let own = written.split("archivedPipeline").next().expect("a beginning");
    assert!(own.contains("CSC.Arri.LogC4_to_ACES") && !own.contains("linear Rec.709"), "{own}");

    let converted = world.path("converted.exr");
    let args = ["color", "convert", "--amf", s(&applied), "--to", "ACES2065-1"];
    let output = world.run(&[&args[..], &[s(&silent), s(&converted)]].concat());
    assert!(output.status.success(), "{}", text(&output.stderr));
    assert!(text(&output.stderr).contains("F0225"), "{}", text(&output.stderr));
    assert!(pixels(&converted) == as_it_came(), "nor here");

    // Without an AMF primaries are assumed, and nobody says that the file said them.
    let report = world.json(&render(&silent, &world.path("alone"), &[]));
    assert!(says(&report, "F0113", "BT.709 are assumed"), "{report}");
    let steps = report["color_steps"].to_string();
    assert!(steps.contains("primaries assumed") && !steps.contains("own word"), "{steps}");
    let written = std::fs::read_to_string(world.path("alone/p.amf")).expect("an AMF");
    assert!(written.contains("primaries assumed"), "{written}");
}

/// What the registry does not have, LogC3 at another index for one, an AMF names by a file.
#[test]
fn a_file_that_led_to_aces_goes_along_and_is_named() {
    let world = World::new();
    let silent = picture(&world, "silent", None);
    let half = "<ProcessList id=\"x\" compCLFversion=\"3\" xmlns=\"urn:AMPAS:CLF:v3.0\">\
        <Matrix inBitDepth=\"32f\" outBitDepth=\"32f\"><Array dim=\"3 3\">0.5 0 0 0 0.5 0 0 0 0.5</Array>\
        </Matrix></ProcessList>";
    std::fs::create_dir(world.path("luts")).expect("a directory");
    in_file(&world, "luts/p.clf", half);
    let by_id = format!("<aces:transformId>{LOGC4}</aces:transformId>");
    let by_file = "<aces:description>Camera X</aces:description><aces:file>luts/p.clf</aces:file>";
    let open = amf(Some((LOGC4, false)), &[]).replace(&by_id, by_file);
    let open = in_file(&world, "open.amf", &open);
    let out = world.path("out");
    let report = world.json(&render(&silent, &out, &["--amf", s(&open)]));
    assert!(!says(&report, "F0225", "id of our own"), "{report}");
    let halved: Vec<f32> = as_it_came().into_iter().map(|v| v * 0.5).collect();
    assert!(pixels(&out.join("p.1001.exr")) == halved);

    // Its name is that of a document of the plate's own.
    let read = |name: &str| std::fs::read_to_string(out.join(name)).expect(name);
    assert_eq!(read("2_p.clf"), half);
    let written = read("p.amf");
    let pipeline = written.split("<aces:workingLocation").next().expect("a pipeline");
    for said in ["applied=\"true\"", "Camera X", "<aces:file>2_p.clf</aces:file>"] {
        assert!(pipeline.contains(said), "{said}: {written}");
    }
    let checked = world.run(&["amf", "validate", s(&out.join("p.amf"))]);
    assert!(checked.status.success(), "{}", text(&checked.stderr));
    // Were it not done yet, it would be found, with its hash.
    let undone = written.replacen("applied=\"true\"", "applied=\"false\"", 1);
    let undone = in_file(&world, "out/undone.amf", &undone);
    let resolved = world.json(&["amf", "resolve", s(&undone)]);
    assert!(resolved["remaining"][0].as_str().unwrap().ends_with("/2_p.clf"), "{resolved}");
}

#[test]
fn contradictions_stop_until_a_person_says_which_is_right() {
    let world = World::new();
    let file = picture(&world, "rec709", Some(rec709()));
    let applied = in_file(&world, "applied.amf", &amf(Some((LOGC4, true)), &[]));
    let out = world.path("out");
    let args = render(&file, &out, &["--amf", s(&applied)]);
    let error = world.fails("F0209", &args);
    for word in ["ACES2065-1", "linear Rec.709"] {
        assert!(error["message"].as_str().unwrap().contains(word), "{error}");
    }
    assert!(error["remedy"].as_str().unwrap().contains("--color-in"), "{error}");
    assert!(!out.exists(), "nothing was begun");
    let convert = ["color", "convert", "--amf", s(&applied), s(&file)];
    world.fails("F0209", &[&convert[..], &[s(&world.path("x.exr"))]].concat());

    for (said, place) in [("ACES2065-1", "aces"), ("lin_rec709", "rec")] {
        let out = world.path(place);
        let more = ["--amf", s(&applied), "--color-in", said];
        let report = world.json(&render(&file, &out, &more));
        for claim in ["--color-in says", "applied, so ACES2065-1", "by the file they are linear"] {
            assert!(says(&report, "F0225", claim), "{claim}: {report}");
        }
        let (got, came) = (pixels(&out.join("p.1001.exr")), as_it_came());
        if said == "ACES2065-1" {
            assert!(got == came);
            continue;
        }
        let count = came.len() / 3;
        for i in 0..count {
            let rgb = [came[i], came[count + i], came[2 * count + i]];
            for (channel, row) in REC709_TO_AP0.iter().enumerate() {
                let expected: f32 = row.iter().zip(rgb).map(|(m, v)| m * v).sum();
                // A half has eleven bits.
                let off = (got[channel * count + i] - expected).abs();
                assert!(off <= expected.abs() / 1500.0 + 1e-6, "{rgb:?}: off by {off}");
            }
        }
    }
}

#[test]
fn an_input_transform_is_not_done_to_what_is_aces_by_its_own_word() {
    let world = World::new();
    let file = picture(&world, "aces", Some(ap0()));
    let open = in_file(&world, "open.amf", &amf(Some((LOGC4, false)), &[]));
    let out = world.path("converted.exr");
    let args = ["color", "convert", "--amf", s(&open), "--to", "ACES2065-1", s(&file), s(&out)];
    let output = world.run(&args);
    let said = text(&output.stderr);
    assert!(output.status.success(), "{said}");
    assert!(said.contains("F0225") && said.contains("own word"), "{said}");
    assert!(pixels(&out) == as_it_came());
}

#[test]
fn a_picture_is_not_converted_onto_itself() {
    let world = World::new();
    let file = picture(&world, "aces", Some(ap0()));
    let before = std::fs::read(&file).expect("the picture");
    let roundabout = file.parent().expect("a directory").join("../aces/aces.0001.exr");
    let link = world.path("link.exr");
    std::os::unix::fs::symlink(&file, &link).expect("a link");
    for (input, output) in [(&file, &file), (&file, &roundabout), (&file, &link), (&link, &file)] {
        let args = ["color", "convert", "--to", "ACEScg", s(input), s(output)];
        world.fails("F0010", &args);
    }
    assert!(std::fs::read(&file).expect("the picture") == before);
}

#[test]
fn a_render_says_how_many_values_it_replaced() {
    let world = World::new();
    let path = world.path("wild.exr");
    let pixel = |at: Vec2<usize>| match (at.0, at.1) {
        (0, 0) => (f32::NAN, f32::INFINITY, 1e6),
        _ => (0.25, 0.5, 1.0),
    };
    let mut image = Image::from_channels((16, 8), SpecificChannels::rgb(pixel));
    image.attributes.chromaticities = Some(ap0());
    image.write().to_file(&path).expect("a picture");
    let output = world.run(&render(&path, &world.path("out"), &[]));
    let said = text(&output.stdout);
    assert!(said.contains("replaced  3 values"), "{said}\n{}", text(&output.stderr));
    let output = world.run(&render(&path, &world.path("quiet"), &["--quiet"]));
    assert!(text(&output.stderr).contains("replaced 3 values"), "{}", text(&output.stderr));
    assert!(text(&output.stdout).lines().all(|line| line.ends_with(".exr")));
    let report = world.json(&render(&path, &world.path("json"), &[]));
    assert_eq!(report["non_finite"], 3, "{report}");
}
