//! Framing decision lists on the command line: the Committee's cases through
//! the real binary, and the rules that keep a plate from the wrong frame.

use crate::harness::{World, copy_clip, root, text};
use serde_json::{Value, json};
use std::path::{Path, PathBuf};

fn s(path: &Path) -> &str {
    path.to_str().expect("a path that is text")
}

fn fixture(name: &str) -> PathBuf {
    root().join("standards/tests/fixtures/fdl").join(name)
}

fn pull_fixture(name: &str) -> PathBuf {
    root().join("tests/fixtures/pull").join(name)
}

fn read(path: &Path) -> Value {
    serde_json::from_slice(&std::fs::read(path).expect("a file")).expect("JSON")
}

/// Scenarios and vectors here, and the whole set where it stands beside the repository.
fn cases() -> Vec<(String, Value)> {
    let whole = root().join("../shared/data/fdl/given");
    let dir = if whole.is_dir() { whole } else { fixture("") };
    let mut cases: Vec<(String, Value)> = std::fs::read_dir(&dir)
        .expect("the cases")
        .flatten()
        .filter_map(|entry| {
            let name = entry.file_name().to_string_lossy().into_owned();
            let wanted = name.starts_with("scen") || name.starts_with("vec_");
            wanted.then(|| (name, read(&entry.path())))
        })
        .collect();
    let lines = std::fs::read_to_string(dir.join("random.jsonl")).expect("the random cases");
    // A process for each: a few of them show the way, `standards` runs all.
    for line in lines.lines().take(40) {
        let case: Value = serde_json::from_str(line).expect("JSON");
        let mut canvas = case["canvas"].clone();
        canvas["framing_decisions"] = json!([case["framing_decision"]]);
        let fdl = json!({
            "uuid": "11111111-2222-4333-8444-555555555555", "version": {"major": 2, "minor": 0},
            "framing_intents": [{"id": "FI", "aspect_ratio": {"width": 16, "height": 9}}],
            "contexts": [{"canvases": [canvas]}], "canvas_templates": [case["template"]],
        });
        let select = json!({"canvas": "SRC", "framing_decision": "SRC-FI", "template": "TPL"});
        let name = case["name"].as_str().expect("a name").to_owned();
        let (expected, fragile) = (&case["expected"], &case["fragile"]);
        let case = json!({"fdl": fdl, "select": select, "expected": expected, "fragile": fragile});
        cases.push((name, case));
    }
    cases
}

/// Whole numbers exactly, others to 1e-9 relative and 1e-6 absolute.
fn same(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::Object(a), Value::Object(b)) => {
            a.len() == b.len() && a.iter().all(|(k, v)| b.get(k).is_some_and(|w| same(v, w)))
        }
        (Value::Number(x), Value::Number(y)) if x.is_u64() || y.is_u64() => {
            x.as_f64() == y.as_f64()
        }
        (Value::Number(x), Value::Number(y)) => {
            let (x, y) = (x.as_f64().expect("a number"), y.as_f64().expect("a number"));
            (x - y).abs() <= 1e-6_f64.max(1e-9 * x.abs().max(y.abs()))
        }
        _ => a == b,
    }
}

#[test]
fn the_given_cases_come_out_of_the_program_in_both_dialects() {
    let world = World::new();
    let (input, output) = (world.path("in.fdl"), world.path("out.fdl"));
    let (mut compared, mut refused) = (0, 0);
    for (name, case) in cases() {
        std::fs::write(&input, case["fdl"].to_string()).expect("written");
        let select = |key: &str| case["select"][key].as_str().expect("an id").to_owned();
        let ids = [select("template"), select("canvas"), select("framing_decision")];
        for dialect in ["main", "v1.0.2"] {
            let expected = &case["expected"][dialect];
            if expected.is_null() {
                continue;
            }
            let mut args = vec!["fdl", "apply", s(&input), "--dialect", dialect];
            args.extend(["--template", &ids[0], "--canvas", &ids[1], "--decision", &ids[2]]);
            args.extend(["--out", s(&output)]);
            // A result that hangs on noise is compared as the other software has it: with the noise.
            if case["fragile"][dialect] == json!(true) {
                args.push("--strict");
            }
            if expected["error"] == json!(true) {
                world.fails("F0208", &args);
                refused += 1;
                continue;
            }
            let got = world.json(&args);
            assert!(same(&got, expected), "{name} ({dialect}):\n{got}\n{expected}");
            let verdict = world.json(&["fdl", "validate", s(&output)]);
            assert_eq!(verdict["valid"], true, "{name} ({dialect}): {verdict}");
            compared += 1;
        }
    }
    assert!(compared >= 70 && refused >= 1, "{compared} compared, {refused} refused");
}

#[test]
fn validate_names_what_is_wrong_by_id_and_pointer() {
    let world = World::new();
    let verdict = world.json(&["fdl", "validate", s(&pull_fixture("show.fdl"))]);
    assert_eq!((&verdict["valid"], &verdict["errors"]), (&json!(true), &json!([])));
    let output = world.run(&["fdl", "validate", s(&pull_fixture("broken.fdl")), "--json"]);
    assert_eq!(output.status.code(), Some(2));
    let verdict: Value = serde_json::from_slice(&output.stdout).expect("one document");
    let error = &verdict["errors"][0];
    assert_eq!(error["id"], "BEACHBALL-F185", "{verdict}");
    assert_eq!(error["path"], "/contexts/0/canvases/0/framing_decisions/0/dimensions");
    assert!(text(&output.stderr).contains("F0205"));
    // Every verdict of the Committee's library, but for what newer and older versions of the text have.
    let list = world.path("one.fdl");
    for case in read(&fixture("validation.json")).as_array().expect("a list") {
        let name = case["name"].as_str().expect("a name");
        std::fs::write(&list, case["fdl"].to_string()).expect("written");
        let valid = case["valid"] == true || ["target h 0", "preserve none"].contains(&name);
        let code = world.run(&["fdl", "validate", s(&list)]).status.code();
        assert_eq!(code, Some(if valid { 0 } else { 2 }), "{name}");
    }
}

#[test]
fn show_prints_the_list_as_it_is_written() {
    let world = World::new();
    let list = pull_fixture("show.fdl");
    let shown = world.json(&["fdl", "show", s(&list)]);
    assert!(same(&shown, &read(&list)), "{shown}");
    let human = text(&world.run(&["fdl", "show", s(&list)]).stdout);
    for words in ["BEACHBALL-F185", "1080 x 584 at 28, 84", "VFX_PULL", "37:20"] {
        assert!(human.contains(words), "{words}: {human}");
    }
}

/// The picture's pixels by a reader that is not the writer's, as far as PNG
/// goes: size from the header; the drawing itself is tested on its pixels.
#[test]
fn a_chart_has_the_size_of_its_canvas() {
    let world = World::new();
    let (list, out) = (pull_fixture("show.fdl"), world.path("chart.png"));
    let made = world.json(&["fdl", "chart", s(&list), "--canvas", "CHART", "--out", s(&out)]);
    assert_eq!(made["file"], s(&out));
    let png = std::fs::read(&out).expect("the chart");
    let side = |at: usize| u32::from_be_bytes(png[at..at + 4].try_into().expect("four bytes"));
    assert_eq!((&png[1..4], side(16), side(20)), (&b"PNG"[..], 1734, 1156));
    let error = world.fails("F0206", &["fdl", "chart", s(&list), "--out", s(&out)]);
    assert!(error["message"].as_str().is_some_and(|m| m.contains("BEACHBALL, CHART")), "{error}");
    let wrong =
        ["fdl", "chart", s(&list), "--canvas", "CHART", "--decision", "X", "--out", s(&out)];
    let error = world.fails("F0206", &wrong);
    assert!(error["message"].as_str().is_some_and(|m| m.contains("CHART-F185")), "{error}");
}

#[test]
fn a_list_is_made_from_an_intent_and_applied() {
    let world = World::new();
    let list = world.path("made.fdl");
    // The Committee's chart J: 4320x3456 at 2x, 2.387:1; 4124 of protection, even and nearest.
    let make = ["fdl", "intent", "--canvas", "4320x3456@2", "--aspect", "432:181"];
    let rest = ["--protection", "0.1", "--deliver", "2048x858", "--out", s(&list)];
    world.json(&[&make[..], &rest].concat());
    let document = world.json(&["fdl", "show", s(&list)]);
    let decision = &document["contexts"][0]["canvases"][0]["framing_decisions"][0];
    assert_eq!(decision["protection_dimensions"], json!({"width": 4124.0, "height": 3456.0}));
    assert_eq!(decision["dimensions"], json!({"width": 3712.0, "height": 3110.0}));
    let applied = world.json(&["fdl", "apply", s(&list), "--template", "DELIVERY"]);
    assert_eq!(applied["canvas_dimensions"], json!({"width": 2048, "height": 858}));
    // The same again is the same file.
    let first = std::fs::read(&list).expect("the list");
    world.json(&[&make[..], &rest].concat());
    assert_eq!(std::fs::read(&list).expect("the list"), first);
}

fn media(world: &World) -> PathBuf {
    let media = world.path("media");
    copy_clip("beachball", &media);
    media
}

/// Header attributes of the first plate, as its first layer has them.
fn header(plate: &Path) -> exr::meta::header::Header {
    exr::meta::MetaData::read_from_file(plate, false).expect("an EXR").headers[0].clone()
}

#[test]
fn a_plate_is_not_larger_than_its_source_unless_asked() {
    let world = World::new();
    let (media, out) = (media(&world), world.path("out"));
    let list = pull_fixture("show.fdl");
    let args = ["render", s(&media), "--frames", "0-0", "--out", s(&out), "--backend", "cpu"];
    let framed = [&args[..], &["--fdl", s(&list), "--template", "HD"]].concat();
    let error = world.fails("F0220", &framed);
    let message = error["message"].as_str().expect("a message");
    // 1080 columns of frame to 1920: 1.778 times.
    assert!(message.contains("1.778") && message.contains("1136 by 752"), "{message}");
    assert!(!out.exists(), "nothing was written");
    let report = world.json(&[&framed[..], &["--allow-upres"]].concat());
    assert_eq!(report["size"], json!([1920, 1080]));
    assert!(
        report["notes"].as_array().expect("notes").iter().any(|note| note["code"] == "F0220"),
        "{}",
        report["notes"]
    );
}

#[test]
fn the_plate_says_its_frame_and_without_one_it_is_warned_of() {
    use exr::meta::attribute::AttributeValue;
    let world = World::new();
    let (media, out) = (media(&world), world.path("framed"));
    let list = pull_fixture("show.fdl");
    let args = ["render", s(&media), "--frames", "0-0", "--backend", "cpu", "--out"];
    let framed = [s(&out), "--fdl", s(&list), "--template", "VFX_PULL", "--intent", "F185"];
    let report = world.json(&[&args[..], &framed].concat());
    let file = report["files"][0]["file"].as_str().expect("a file");
    let plate = header(Path::new(file));
    assert_eq!(plate.layer_size, exr::math::Vec2(1078, 714));
    assert_eq!(plate.shared_attributes.display_window.size, plate.layer_size);
    assert_eq!(plate.own_attributes.layer_position, exr::math::Vec2(0, 0));
    assert_eq!(plate.shared_attributes.pixel_aspect, 1.0);
    let attribute =
        plate.own_attributes.other.iter().find(|(name, _)| **name == *"ascFramingDecisionList");
    let Some((_, AttributeValue::Text(json))) = attribute else { panic!("no list in the header") };
    let carried: Value = serde_json::from_str(&json.to_string()).expect("JSON");
    let canvases = carried["contexts"][0]["canvases"].as_array().expect("canvases");
    let delivered = canvases.last().expect("a canvas");
    assert_eq!(delivered["dimensions"], json!({"width": 1078, "height": 714}));
    assert_eq!(delivered["source_canvas_id"], "BEACHBALL");

    let bare = world.path("bare");
    let output = world.run(&[&args[..], &[s(&bare), "--json"]].concat());
    assert!(output.status.success());
    let report: Value = serde_json::from_slice(&output.stdout).expect("one document");
    assert_eq!(report["size"], json!([1136, 752]));
    assert!(report["notes"].as_array().expect("notes").iter().any(|n| n["code"] == "F0219"));
    assert!(text(&output.stderr).contains("F0219"), "loud: {}", text(&output.stderr));

    let contained = world.path("contained");
    let options = [s(&contained), "--container", "960x540"];
    let report = world.json(&[&args[..], &options].concat());
    assert_eq!(report["size"], json!([960, 540]));
    let too_large = world.path("too_large");
    world.fails("F0220", &[&args[..], &[s(&too_large), "--container", "1920x1080"]].concat());
}

#[test]
fn a_list_made_for_another_sensor_mode_is_refused_with_both_sizes() {
    let world = World::new();
    let (media, out) = (media(&world), world.path("out"));
    let list = world.path("other.fdl");
    let mut document = read(&pull_fixture("show.fdl"));
    document["contexts"][0]["canvases"][0]["dimensions"]["width"] = json!(1138);
    std::fs::write(&list, document.to_string()).expect("written");
    let args = ["render", s(&media), "--out", s(&out), "--fdl", s(&list), "--template", "VFX_PULL"];
    let error = world.fails("F0207", &args);
    let whole = error.to_string();
    assert!(whole.contains("1136 by 752") && whole.contains("1138 by 752"), "{whole}");
}
