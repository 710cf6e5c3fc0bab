//! ASC FDL against the Committee's scenarios, its released library and an
//! independent implementation of its document. The fixtures are a part of the
//! cases; where the whole set stands beside the repository, all of it runs.

use platefarm_model::Code;
use platefarm_standards::fdl::geometry::{Snap, apply};
use platefarm_standards::fdl::{
    Dialect, Even, Fdl, Geometry, Media, Request, RoundMode, Rounding, Scaling, frame,
};
use proptest::prelude::*;
use serde_json::{Value, json};
use std::path::{Path, PathBuf};

const UUID: &str = "11111111-2222-4333-8444-555555555555";

fn directories() -> Vec<PathBuf> {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let whole_set = here.join("../../shared/data/fdl/given");
    let mut all = vec![here.join("tests/fixtures/fdl")];
    all.extend(whole_set.is_dir().then_some(whole_set));
    all
}

fn json_file(path: &Path) -> Value {
    serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap()
}

/// A case: name, document, selection, expected and fragile per dialect.
struct Case {
    name: String,
    fdl: Fdl,
    canvas: String,
    decision: String,
    template: String,
    expected: Value,
    fragile: Value,
    official: Value,
}

fn cases() -> Vec<Case> {
    let mut all = Vec::new();
    for dir in directories() {
        for entry in std::fs::read_dir(&dir).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            if (name.starts_with("scen") || name.starts_with("vec_")) && name.ends_with(".json") {
                let case = json_file(&path);
                let select = |key: &str| case["select"][key].as_str().unwrap().to_owned();
                all.push(Case {
                    fdl: parse(&name, &case["fdl"]),
                    canvas: select("canvas"),
                    decision: select("framing_decision"),
                    template: select("template"),
                    expected: case["expected"].clone(),
                    fragile: case["fragile"].clone(),
                    official: case["official_result_file"].clone(),
                    name,
                });
            }
        }
        for line in std::fs::read_to_string(dir.join("random.jsonl")).unwrap().lines() {
            let case: Value = serde_json::from_str(line).unwrap();
            let mut canvas = case["canvas"].clone();
            canvas["framing_decisions"] = json!([case["framing_decision"]]);
            let document = json!({
                "uuid": UUID, "version": {"major": 2, "minor": 0}, "default_framing_intent": "FI",
                "framing_intents": [{"id": "FI", "aspect_ratio": {"width": 16, "height": 9}}],
                "contexts": [{"canvases": [canvas]}], "canvas_templates": [case["template"]],
            });
            let name = case["name"].as_str().unwrap().to_owned();
            all.push(Case {
                fdl: parse(&name, &document),
                canvas: "SRC".into(),
                decision: "SRC-FI".into(),
                template: "TPL".into(),
                expected: case["expected"].clone(),
                fragile: case["fragile"].clone(),
                official: Value::Null,
                name,
            });
        }
    }
    all
}

fn parse(name: &str, document: &Value) -> Fdl {
    Fdl::parse(&serde_json::to_vec(document).unwrap())
        .unwrap_or_else(|fault| panic!("{name}: {fault}"))
}

fn run(case: &Case, dialect: Dialect, snap: Snap) -> Result<Geometry, platefarm_model::Fault> {
    let (_, canvas) = case.fdl.canvases().find(|(_, c)| c.id == case.canvas).unwrap();
    let decision = canvas.framing_decisions.iter().find(|d| d.id == case.decision).unwrap();
    let template = case.fdl.canvas_templates.iter().find(|t| t.id == case.template).unwrap();
    apply(template, canvas, decision, dialect, snap)
}

/// The first difference, under the official tolerances: 1e-9 relative, 1e-6 absolute.
fn difference(got: &Geometry, expected: &Value) -> Option<String> {
    let ours = serde_json::to_value(got).unwrap();
    fn differs(a: &Value, b: &Value) -> bool {
        match (a, b) {
            (Value::Object(a), Value::Object(b)) => {
                a.len() != b.len() || a.iter().any(|(k, v)| b.get(k).is_none_or(|w| differs(v, w)))
            }
            (Value::Number(a), Value::Number(b)) if a.is_u64() || b.is_u64() => {
                a.as_f64() != b.as_f64()
            }
            (Value::Number(a), Value::Number(b)) => {
                let (a, b) = (a.as_f64().unwrap(), b.as_f64().unwrap());
                (a - b).abs() > 1e-6_f64.max(1e-9 * a.abs().max(b.abs()))
            }
            _ => a != b,
        }
    }
    let expected = expected.as_object().unwrap();
    assert!(expected.len() >= 9, "a result has its values");
    expected.iter().find_map(|(key, value)| {
        differs(&ours[key], value).then(|| format!("{key}: {}, expected {value}", ours[key]))
    })
}

/// Runs every case of a dialect; returns how many were compared, and what differs.
fn compare(dialect: Dialect, snap: Snap) -> (usize, Vec<String>) {
    let key = if dialect == Dialect::Main { "main" } else { "v1.0.2" };
    let (mut compared, mut differing) = (0, Vec::new());
    for case in cases() {
        let expected = &case.expected[key];
        if expected.is_null() || case.fragile[key] == json!(true) {
            continue;
        }
        compared += 1;
        let says = |what: String| format!("{} ({key}): {what}", case.name);
        match run(&case, dialect, snap) {
            Ok(_) if expected["error"] == json!(true) => {
                differing.push(says("was not refused".into()));
            }
            Ok(got) => differing.extend(difference(&got, expected).map(says)),
            Err(fault) if expected["error"] == json!(true) => {
                assert_eq!(fault.code, Code::FdlRejected);
            }
            Err(fault) => differing.push(says(fault.to_string())),
        }
    }
    (compared, differing)
}

#[test]
fn every_case_agrees_in_both_dialects() {
    for (dialect, least) in [(Dialect::Main, 60), (Dialect::V1_0_2, 55)] {
        let (compared, differing) = compare(dialect, Snap::Near);
        assert!(compared >= least, "{compared} cases");
        assert!(differing.is_empty(), "{} differ:\n{}", differing.len(), differing.join("\n"));
    }
}

/// The result files that the Committee published, each with the dialect of its time.
#[test]
fn published_results_agree() {
    let mut compared = 0;
    for case in cases() {
        let dialect = match case.official["era"].as_str() {
            Some("newest (main)") => Dialect::Main,
            Some("v1.0.2-like") => Dialect::V1_0_2,
            _ => continue,
        };
        let got = run(&case, dialect, Snap::Near).unwrap();
        let differs = difference(&got, &case.official["values"]);
        assert!(differs.is_none(), "{}: {}", case.name, differs.unwrap());
        compared += 1;
    }
    assert!(compared >= 4, "{compared}");
}

/// The comparison can fail: the other dialect's values are not ours.
#[test]
fn the_comparison_tells_the_dialects_apart() {
    let mut telling = 0;
    for case in cases().iter().filter(|case| case.expected["v1.0.2"]["error"].is_null()) {
        if let (Ok(got), false) =
            (run(case, Dialect::Main, Snap::Near), case.expected["v1.0.2"].is_null())
        {
            telling += usize::from(difference(&got, &case.expected["v1.0.2"]).is_some());
        }
    }
    assert!(telling > 40, "{telling}");
}

/// Fragile cases hang on noise below 1e-6; without the snap, and in the same
/// operation order, they agree too.
#[test]
fn fragile_cases_agree_without_the_snap() {
    let mut compared = 0;
    for case in cases() {
        for (key, dialect) in [("main", Dialect::Main), ("v1.0.2", Dialect::V1_0_2)] {
            if case.fragile[key] == json!(true) {
                let got = run(&case, dialect, Snap::Strict).unwrap();
                let differs = difference(&got, &case.expected[key]);
                assert!(differs.is_none(), "{} ({key}): {}", case.name, differs.unwrap());
                compared += 1;
            }
        }
    }
    assert!(compared > 0);
}

#[test]
fn rounding_is_the_librarys() {
    for dir in directories() {
        let table = json_file(&dir.join("rounding.json"));
        let rows = table["rows"].as_array().unwrap();
        assert!(rows.len() >= 300);
        for row in rows {
            let even = if row[1] == "even" { Even::Even } else { Even::Whole };
            let mode = match row[2].as_str().unwrap() {
                "up" => RoundMode::Up,
                "down" => RoundMode::Down,
                _ => RoundMode::Round,
            };
            let value = row[0].as_f64().unwrap();
            let rounded = Rounding { even, mode }.round(value, Snap::Strict);
            assert_eq!(rounded, row[3].as_f64().unwrap(), "{row}");
        }
    }
}

/// Issue 37 of the standard's repository: `w * (3840 / w)` falls just below 3840 for some widths,
/// which rounding down to even makes 3838.
#[test]
fn the_snap_removes_the_noise_of_a_ratio() {
    let down = Rounding { even: Even::Even, mode: RoundMode::Down };
    let noisy: Vec<f64> =
        (1000..9000).map(f64::from).map(|w| w * (3840.0 / w)).filter(|v| *v < 3840.0).collect();
    assert!(noisy.len() > 500, "{}", noisy.len());
    for value in noisy {
        assert_eq!(down.round(value, Snap::Strict), 3838.0);
        assert_eq!(down.round(value, Snap::Near), 3840.0);
    }
}

/// The library's verdicts, but for what version 2.0.1 of the text and older
/// writers have and the library of 1.0.2 does not read.
#[test]
fn validation_is_the_librarys() {
    const LET_THROUGH: [&str; 2] = ["target h 0", "preserve none"];
    for dir in directories() {
        let documents = json_file(&dir.join("validation.json"));
        for case in documents.as_array().unwrap() {
            let name = case["name"].as_str().unwrap();
            let reading = Fdl::read(&serde_json::to_vec(&case["fdl"]).unwrap());
            let valid = case["valid"] == json!(true) || LET_THROUGH.contains(&name);
            assert_eq!(reading.errors.is_empty(), valid, "{name}: {:?}", reading.errors);
            assert_eq!(reading.fdl.is_some(), valid, "{name}");
            for fault in &reading.errors {
                assert_eq!(fault.code, Code::BadFdl);
                assert!(fault.place.as_ref().unwrap().starts_with('/'), "{name}: {fault}");
            }
        }
    }
}

fn fixture(name: &str) -> Value {
    json_file(&Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/fdl").join(name))
}

fn valid() -> Value {
    fixture("validation.json")[0]["fdl"].clone()
}

fn read(document: &Value) -> platefarm_standards::fdl::Reading {
    Fdl::read(&serde_json::to_vec(document).unwrap())
}

#[test]
fn faults_name_the_value_and_its_pointer() {
    let mut document = valid();
    let canvas = "/contexts/0/canvases/0";
    document["contexts"][0]["canvases"][0]["dimensions"]["width"] = json!(-4);
    document["contexts"][0]["canvases"][0]["framing_decisions"][0]["anchor_point"]["x"] =
        json!("a");
    document["canvas_templates"][0]["fit_method"] = json!("stretch");
    let reading = read(&document);
    let found: Vec<(String, String)> =
        reading.errors.into_iter().map(|fault| (fault.place.unwrap(), fault.message)).collect();
    let says = |place: &str, words: &str| {
        assert!(
            found.iter().any(|(p, m)| p == place && m.contains(words)),
            "{place} {words}: {found:?}"
        );
    };
    says(&format!("{canvas}/dimensions/width"), "-4");
    says(&format!("{canvas}/framing_decisions/0/anchor_point/x"), "expected a number, found text");
    says("/canvas_templates/0/fit_method", "'stretch' is none of width, height, fit_all, fill");
    let fault = Fdl::parse(&serde_json::to_vec(&document).unwrap()).unwrap_err();
    assert!(fault.cause.unwrap().contains("stretch"), "the others are told too");
}

#[test]
fn what_nobody_checks_is_warned_of() {
    let warned = |change: fn(&mut Value), words: &str| {
        let mut document = valid();
        change(&mut document);
        let reading = read(&document);
        assert!(reading.fdl.is_some(), "{words}: {:?}", reading.errors);
        assert!(
            reading.warnings.iter().any(|w| w.message.contains(words)),
            "{words}: {:?}",
            reading.warnings
        );
    };
    assert!(read(&valid()).warnings.is_empty(), "{:?}", read(&valid()).warnings);
    warned(|d| d["uuid"] = json!("7"), "is not a UUID");
    warned(|d| d["framing_intents"][0]["protection"] = json!(1.5), "protection 1.5 is above 1");
    warned(|d| d["width"] = json!(3), "'width' is not a key of FDL");
    warned(
        |d| d["canvas_templates"][0]["pad_to_maximum"] = json!(true),
        "maximum that is not given",
    );
    warned(
        |d| d["canvas_templates"][0]["maximum_dimensions"] = json!({"width": 10, "height": 10}),
        "smaller than the target",
    );
    warned(
        |d| {
            let anchor = &mut d["contexts"][0]["canvases"][0]["framing_decisions"][0];
            anchor["anchor_point"]["x"] = json!(400);
        },
        "reaches beyond the end",
    );
    warned(
        |d| {
            d["contexts"][0]["clip_id"] = json!({"clip_name": "A", "sequence":
                {"value": "A.####.exr", "idx": "#", "min": 9, "max": 1}});
        },
        "ends (1) before it begins (9)",
    );
}

#[test]
fn a_round_trip_keeps_everything() {
    let mut document = valid();
    document["_studio"] = json!({"ticket": [1, 2.50, null]});
    document["contexts"][0]["_x"] = json!(true);
    document["contexts"][0]["clip_id"] = json!({"clip_name": "A001", "file": "A001.mov", "_k": 1});
    let canvas = &mut document["contexts"][0]["canvases"][0];
    canvas["photosite_dimensions"] = json!({"width": 4448, "height": 3096});
    canvas["physical_dimensions"] = json!({"width": 36.7, "height": 25.54});
    canvas["_y"] = json!("z");
    let fdl = parse("round trip", &document);
    let text = fdl.to_json().unwrap();
    let again: Value = serde_json::from_str(&text).unwrap();
    // Numbers compare by value: 24 may come back as 24.0.
    fn same(a: &Value, b: &Value) -> bool {
        match (a, b) {
            (Value::Object(a), Value::Object(b)) => {
                a.len() == b.len() && a.iter().all(|(k, v)| b.get(k).is_some_and(|w| same(v, w)))
            }
            (Value::Array(a), Value::Array(b)) => {
                a.len() == b.len() && a.iter().zip(b).all(|(v, w)| same(v, w))
            }
            (Value::Number(a), Value::Number(b)) => a.as_f64() == b.as_f64(),
            _ => a == b,
        }
    }
    assert!(same(&document, &again), "{text}");
    assert_eq!(Fdl::parse(text.as_bytes()).unwrap(), fdl);
}

#[test]
fn hostile_input_is_refused() {
    for bytes in [&b""[..], b"{", b"[]", b"null", b"{\"uuid\":1}", b"\xff\xfe"] {
        assert_eq!(Fdl::parse(bytes).unwrap_err().code, Code::BadFdl);
    }
    let deep = "[".repeat(100_000);
    assert_eq!(Fdl::parse(deep.as_bytes()).unwrap_err().code, Code::BadFdl);
}

fn request<'a>(template: &'a str) -> Request<'a> {
    Request { template, document_uuid: UUID, ..Request::default() }
}

fn media(width: u32, height: u32) -> Media<'static> {
    Media { size: [width, height], pixel_aspect: None, clip_name: None }
}

#[test]
fn ids_that_do_not_exist_are_answered_with_those_that_do() {
    let fdl = parse("valid", &valid());
    let size = media(4448, 3096);
    let fault = fdl.apply(&request("T"), &media(4096, 3096)).unwrap_err();
    assert_eq!(fault.code, Code::FdlCanvasMismatch);
    assert!(fault.message.contains("4096 by 3096"), "{fault}");
    assert!(fault.remedy_text().contains("4448 by 3096"), "{}", fault.remedy_text());
    let named = Request { canvas: Some("C1"), ..request("T") };
    let fault = fdl.apply(&named, &media(4096, 3096)).unwrap_err();
    assert_eq!(fault.code, Code::FdlCanvasMismatch);
    assert!(fault.message.contains("4448 by 3096, the media is 4096 by 3096"), "{fault}");
    let wrong = [
        (request("X"), "there is T"),
        (Request { canvas: Some("C9"), ..request("T") }, "'C1' (4448 by 3096"),
        (Request { context: Some("none"), ..request("T") }, "there is c"),
        (Request { framing_decision: Some("C1-ZZ"), ..request("T") }, "there is 'C1-FI'"),
    ];
    for (request, words) in wrong {
        let fault = fdl.apply(&request, &size).unwrap_err();
        assert_eq!(fault.code, Code::FdlIdNotFound);
        assert!(fault.message.contains(words), "{fault}");
    }
}

#[test]
fn two_canvases_of_one_size_are_not_chosen_between_unless_the_clip_says_which() {
    let mut document = valid();
    let mut other = document["contexts"][0].clone();
    for context in [&mut document["contexts"][0], &mut other] {
        context["clip_id"] = json!({"clip_name": "A001"});
    }
    other["label"] = json!("d");
    other["clip_id"]["clip_name"] = json!("B002");
    let canvas = &mut other["canvases"][0];
    canvas["id"] = json!("C2");
    canvas["source_canvas_id"] = json!("C2");
    canvas["framing_decisions"][0]["id"] = json!("C2-FI");
    document["contexts"].as_array_mut().unwrap().push(other);
    let fdl = parse("two", &document);
    let size = media(4448, 3096);
    let fault = fdl.apply(&request("T"), &size).unwrap_err();
    assert_eq!(fault.code, Code::FdlIdNotFound);
    assert!(fault.message.contains("'C1'") && fault.message.contains("'C2'"), "{fault}");
    let clip = Media { clip_name: Some("B002"), ..size };
    assert_eq!(fdl.apply(&request("T"), &clip).unwrap().canvas, "C2");
    let context = Request { context: Some("c"), ..request("T") };
    assert_eq!(fdl.apply(&context, &size).unwrap().canvas, "C1");
}

/// Every new document is valid, keeps its source verbatim, and can be the source of the next step.
#[test]
fn documents_that_are_made_are_valid_and_chain() {
    let mut made = 0;
    for case in cases() {
        let (_, canvas) = case.fdl.canvases().find(|(_, c)| c.id == case.canvas).unwrap();
        let request = Request {
            canvas: Some(&case.canvas),
            framing_decision: Some(&case.decision),
            ..request(&case.template)
        };
        let size = media(canvas.dimensions.width, canvas.dimensions.height);
        let Ok(applied) = case.fdl.apply(&request, &size) else { continue };
        let text = applied.document.to_json().unwrap();
        let reading = Fdl::read(text.as_bytes());
        assert!(reading.errors.is_empty(), "{}: {:?}", case.name, reading.errors);
        let document = reading.fdl.unwrap();
        assert!(document.canvases().any(|(_, copy)| copy == canvas), "{}: verbatim", case.name);
        let [width, height] = applied.framing.size;
        let again =
            Request { canvas: Some(&applied.new_canvas), framing_decision: None, ..request };
        if let Ok(chained) = document.apply(&again, &media(width, height)) {
            let reading = Fdl::read(chained.document.to_json().unwrap().as_bytes());
            assert!(reading.errors.is_empty(), "{} again: {:?}", case.name, reading.errors);
            assert_eq!(chained.document.canvases().count(), document.canvases().count() + 1);
        }
        let whole = case.fdl.delivered([&applied, &applied], UUID);
        assert_eq!(whole.canvases().count(), case.fdl.canvases().count() + 1, "{}", case.name);
        assert!(Fdl::read(whole.to_json().unwrap().as_bytes()).errors.is_empty());
        made += 1;
    }
    assert!(made > 50, "{made}");
}

#[test]
fn a_document_keeps_ancestors_clip_and_foreign_keys() {
    let mut document = valid();
    let context = &mut document["contexts"][0];
    context["clip_id"] = json!({"clip_name": "A001", "file": "A001.mov"});
    context["_note"] = json!("keep");
    let mut child = context["canvases"][0].clone();
    child["id"] = json!("C2");
    child["_lens"] = json!(50);
    child["photosite_dimensions"] = json!({"width": 1, "height": 2});
    child["framing_decisions"][0]["id"] = json!("C2-FI");
    context["canvases"].as_array_mut().unwrap().push(child.clone());
    let fdl = parse("chain", &document);
    let wanted = Request { canvas: Some("C2"), ..request("T") };
    let applied = fdl.apply(&wanted, &media(4448, 3096)).unwrap();
    let made = serde_json::to_value(&applied.document).unwrap();
    let made_context = &made["contexts"][0];
    assert_eq!(made["uuid"], UUID);
    assert_eq!(made_context["_note"], "keep");
    assert_eq!(made_context["clip_id"]["clip_name"], "A001");
    let ids: Vec<_> =
        made_context["canvases"].as_array().unwrap().iter().map(|c| &c["id"]).collect();
    assert_eq!(ids, ["C1", "C2", "C2_T"]);
    assert_eq!(made_context["canvases"][1]["_lens"], 50);
    assert_eq!(made_context["canvases"][1]["photosite_dimensions"], child["photosite_dimensions"]);
    assert_eq!(made_context["canvases"][2]["source_canvas_id"], "C2");
}

/// The forward map takes the frame's corners in the source to its corners in the new canvas.
#[test]
fn the_framing_maps_source_corners_to_delivered_corners() {
    let mut checked = 0;
    for case in cases() {
        let (_, canvas) = case.fdl.canvases().find(|(_, c)| c.id == case.canvas).unwrap();
        let decision = canvas.framing_decisions.iter().find(|d| d.id == case.decision).unwrap();
        let Ok(geometry) = run(&case, Dialect::Main, Snap::Near) else { continue };
        let size = [canvas.dimensions.width, canvas.dimensions.height];
        let Some(framing) = geometry.framing(size) else { continue };
        let [x0, y0, x1, y1] = framing.content;
        assert!(x1 <= framing.size[0] && y1 <= framing.size[1] && x0 < x1 && y0 < y1);
        let from: [f64; 2] = decision.anchor_point.into();
        let extent: [f64; 2] = decision.dimensions.into();
        for i in 0..2 {
            let begin = framing.scale[i] * from[i] + framing.offset[i];
            let end = framing.scale[i] * (from[i] + extent[i]) + framing.offset[i];
            // A frame that is neither cropped nor clamped lies where the map puts it.
            let limit = f64::from(framing.size[i]);
            let inside = begin >= 0.0 && end <= limit && from[i] >= geometry.source_anchor[i];
            if inside && (geometry.framing_dimensions[i] - (end - begin)).abs() < 1e-6 {
                let got = geometry.framing_anchor_point[i];
                assert!((begin - got).abs() < 1e-6, "{} axis {i}: {begin} {got}", case.name);
                checked += 1;
            }
        }
    }
    assert!(checked > 60, "{checked}");
}

/// Specification 7.4.9: 4004 by 2252 in an open gate of 4448 by 3096, to UHD, canvas preserved.
#[test]
fn the_specifications_example_comes_out() {
    let mut document = fixture("scen01_B.json")["fdl"].clone();
    let template = &mut document["canvas_templates"][0];
    template["preserve_from_source_canvas"] = json!("canvas.dimensions");
    template.as_object_mut().unwrap().remove("maximum_dimensions");
    let fdl = parse("7.4.9", &document);
    let applied = fdl.apply(&request("VX220310"), &media(4448, 3096)).unwrap();
    assert_eq!(applied.framing.size, [4266, 2970]);
    assert_eq!(applied.framing.content, [0, 0, 4266, 2970]);
    assert!(applied.notes.is_empty());
}

#[test]
fn a_crop_without_scaling_is_an_exact_copy() {
    let mut document = fixture("scen01_B.json")["fdl"].clone();
    let template = &mut document["canvas_templates"][0];
    template["target_dimensions"] = json!({"width": 4004, "height": 2252});
    template["maximum_dimensions"] = json!({"width": 4004, "height": 2252});
    let fdl = parse("crop", &document);
    let framing = fdl.apply(&request("VX220310"), &media(4448, 3096)).unwrap().framing;
    assert_eq!(framing.scale, [1.0, 1.0]);
    assert_eq!(framing.offset, [-222.0, -422.0]);
    assert_eq!(framing.size, [4004, 2252]);
}

#[test]
fn a_squeezed_source_is_unsqueezed_in_the_map() {
    let case = fixture("vec_anamorphic_source.json");
    let fdl = parse("anamorphic", &case["fdl"]);
    let (_, canvas) = fdl.canvases().next().unwrap();
    let squeeze = canvas.anamorphic_squeeze.unwrap();
    assert!(squeeze > 1.0);
    let size = Media {
        pixel_aspect: Some(1.0),
        ..media(canvas.dimensions.width, canvas.dimensions.height)
    };
    let applied = fdl.apply(&request(case["select"]["template"].as_str().unwrap()), &size).unwrap();
    let [x, y] = applied.framing.scale;
    assert!((x / y - squeeze / applied.geometry.anamorphic_squeeze).abs() < 1e-12);
    assert_eq!(applied.framing.pixel_aspect, applied.geometry.anamorphic_squeeze);
    assert!(
        applied.notes.iter().any(|n| n.message.contains("pixel aspect is 1")),
        "{:?}",
        applied.notes
    );
}

fn extreme() -> impl Strategy<Value = f64> {
    prop_oneof![1.0..9000.0, Just(1e-300), Just(1e300), Just(5e-324), Just(1.0), 0.1..3.0]
}

proptest! {
    /// Whatever valid document comes in, the answer is a result within the
    /// limits or a fault, never a panic.
    #[test]
    fn no_template_panics(
        sizes in prop::array::uniform4(extreme()),
        anchors in prop::array::uniform4(prop_oneof![Just(0.0), 0.0..9000.0, Just(1e300)]),
        squeezes in prop::array::uniform2(extreme()),
        target in prop::array::uniform2(prop_oneof![Just(0_u32), 1..9000_u32, Just(65536)]),
        maximum in prop::option::of(prop::array::uniform2(1..9000_u32)),
        pad: bool,
        layers in prop::array::uniform2(0..4_usize),
        method in 0..4_usize,
        align in 0..3_usize,
        legacy: bool,
    ) {
        const LAYERS: [&str; 4] = ["canvas.dimensions", "canvas.effective_dimensions",
            "framing_decision.protection_dimensions", "framing_decision.dimensions"];
        let mut document = valid();
        let canvas = &mut document["contexts"][0]["canvases"][0];
        canvas["anamorphic_squeeze"] = json!(squeezes[0]);
        let decision = &mut canvas["framing_decisions"][0];
        decision["dimensions"] = json!({"width": sizes[0], "height": sizes[1]});
        decision["anchor_point"] = json!({"x": anchors[0], "y": anchors[1]});
        decision["protection_dimensions"] = json!({"width": sizes[2], "height": sizes[3]});
        decision["protection_anchor_point"] = json!({"x": anchors[2], "y": anchors[3]});
        let template = &mut document["canvas_templates"][0];
        template["target_dimensions"] = json!({"width": target[0], "height": target[1]});
        template["target_anamorphic_squeeze"] = json!(squeezes[1]);
        template["fit_source"] = json!(LAYERS[layers[0]]);
        template["preserve_from_source_canvas"] = json!(LAYERS[layers[1]]);
        template["fit_method"] = json!(["width", "height", "fit_all", "fill"][method]);
        template["alignment_method_horizontal"] = json!(["left", "center", "right"][align]);
        template["pad_to_maximum"] = json!(pad);
        if let Some([width, height]) = maximum {
            template["maximum_dimensions"] = json!({"width": width, "height": height});
        }
        // The parts need not nest: the arithmetic must stand on its own.
        let reading = read(&document);
        prop_assert!(reading.errors.iter().all(|f| !f.message.contains("expected")));
        let mut sound = valid();
        sound["canvas_templates"] = document["canvas_templates"].clone();
        let fdl = parse("template", &sound);
        let (_, canvas) = fdl.canvases().next().unwrap();
        let mut canvas = canvas.clone();
        canvas.anamorphic_squeeze = Some(squeezes[0]);
        let mut decision = canvas.framing_decisions[0].clone();
        decision.dimensions = [sizes[0], sizes[1]].into();
        decision.anchor_point = [anchors[0], anchors[1]].into();
        decision.protection_dimensions = Some([sizes[2], sizes[3]].into());
        decision.protection_anchor_point = Some([anchors[2], anchors[3]].into());
        let dialect = if legacy { Dialect::V1_0_2 } else { Dialect::Main };
        match apply(&fdl.canvas_templates[0], &canvas, &decision, dialect, Snap::Near) {
            Ok(geometry) => {
                prop_assert!(geometry.canvas_dimensions.iter().all(|v| (1..=65536).contains(v)));
                if let Some(framing) = geometry.framing([4448, 3096]) {
                    prop_assert!(framing.scale.iter().chain(&framing.offset).all(|v| v.is_finite()));
                    prop_assert!(framing.content[2] <= framing.size[0]);
                    prop_assert!(framing.content[3] <= framing.size[1]);
                }
            }
            Err(fault) => prop_assert_eq!(fault.code, Code::FdlRejected),
        }
    }
}

/// An intent names the decision where a canvas has several; a decision's id names its canvas.
#[test]
fn an_intent_or_a_decision_says_which_frame_is_meant() {
    let mut document = valid();
    let mut intent = document["framing_intents"][0].clone();
    intent["id"] = json!("F2");
    document["framing_intents"].as_array_mut().unwrap().push(intent);
    document.as_object_mut().unwrap().remove("default_framing_intent");
    let canvas = &mut document["contexts"][0]["canvases"][0];
    let mut second = canvas["framing_decisions"][0].clone();
    (second["id"], second["framing_intent_id"]) = (json!("C1-F2"), json!("F2"));
    canvas["framing_decisions"].as_array_mut().unwrap().push(second);
    let mut other = canvas.clone();
    other["id"] = json!("C2");
    for (decision, id) in
        other["framing_decisions"].as_array_mut().unwrap().iter_mut().zip(["C2-FI", "C2-F2"])
    {
        decision["id"] = json!(id);
    }
    document["contexts"][0]["canvases"].as_array_mut().unwrap().push(other);
    let fdl = parse("intents", &document);
    let named = Request { canvas: Some("C1"), ..request("T") };
    let fault = fdl.apply_to_canvas(&named).unwrap_err();
    assert!(fault.message.contains("'C1-FI', 'C1-F2'"), "{fault}");
    let intent = Request { intent: Some("F2"), ..named };
    assert_eq!(fdl.apply_to_canvas(&intent).unwrap().framing_decision, "C1-F2");
    let none = Request { intent: Some("F9"), ..named };
    assert_eq!(fdl.apply_to_canvas(&none).unwrap_err().code, Code::FdlIdNotFound);
    let fault = fdl.apply_to_canvas(&request("T")).unwrap_err();
    assert!(fault.message.contains("'C1'") && fault.message.contains("'C2'"), "{fault}");
    let decision = Request { framing_decision: Some("C2-F2"), ..request("T") };
    let applied = fdl.apply_to_canvas(&decision).unwrap();
    assert_eq!((applied.canvas.as_str(), applied.framing_decision.as_str()), ("C2", "C2-F2"));
}

/// Without a list: the whole picture, de-squeezed, in the middle of its container.
#[test]
fn the_full_source_is_fitted_into_its_container() {
    let scaling = |container, allow_upres| Scaling {
        container: Some(container),
        allow_upres,
        ..Scaling::default()
    };
    let anamorphic = Media { pixel_aspect: Some(2.0), ..media(2880, 2160) };
    let framed = frame(None, &scaling([2048, 1152], false), &anamorphic).unwrap();
    let framing = framed.framing.unwrap();
    // 5760x2160 as it is seen; by the width 0.3555 times, 768 rows with 192 of black above and below.
    assert_eq!(framing.size, [2048, 1152]);
    assert!((framing.scale[0] - 2048.0 / 2880.0).abs() < 1e-12);
    assert!((framing.scale[1] - 768.0 / 2160.0).abs() < 1e-12);
    assert_eq!((framing.content, framing.pixel_aspect), ([0, 192, 2048, 960], 1.0));
    // Stretching by the squeeze alone enlarges nothing: rows 0.9 times, columns 1.8 times.
    assert!(frame(None, &scaling([5184, 1944], false), &anamorphic).unwrap().notes.is_empty());
    let small = media(1000, 500);
    let fault = frame(None, &scaling([2048, 1152], false), &small).unwrap_err();
    assert_eq!(fault.code, Code::Upres);
    assert!(fault.message.contains("from 1000 by 500 pixels to 2048.0 by 1024.0"), "{fault}");
    let framed = frame(None, &scaling([2048, 1152], true), &small).unwrap();
    assert_eq!((framed.size, framed.notes[0].code), ([2048, 1152], Code::Upres));
    let bare = frame(None, &Scaling::default(), &small).unwrap();
    assert_eq!((bare.size, bare.framing), ([1000, 500], None));
}

#[test]
fn a_fault_is_found_by_the_id_around_it() {
    let mut document = valid();
    let canvas = &mut document["contexts"][0]["canvases"][0];
    canvas["framing_decisions"][0]["anchor_point"]["x"] = json!(-1);
    canvas.as_object_mut().unwrap().remove("dimensions");
    document["framing_intents"][0]["aspect_ratio"] = json!(null);
    let reading = read(&document);
    let ids: Vec<_> = reading.errors.iter().map(|fault| reading.id_at(fault)).collect();
    assert_eq!(ids, [Some("FI"), Some("C1"), Some("C1-FI")], "{:?}", reading.errors);
}
