//! What a pull lets go and what it holds back, and the ways out where a
//! picture is meant to be as it is.

use crate::damage::{PLATE, pull, verdict};
use crate::harness::{World, copy_clip, s};
use serde_json::Value;
use std::path::{Path, PathBuf};

fn camera_file(world: &World, index: u32) -> PathBuf {
    world.path(&format!("media/A001/A001_C001_{index:06}.dng"))
}

/// Pulls into `out`; what its report says.
fn pulled(world: &World, out: &str, more: &[&str], done: bool) -> (PathBuf, Value) {
    let mut args = pull(world, 1);
    let out = world.path(out);
    let at = args.iter().position(|arg| arg == "--out").expect("an output");
    args[at + 1] = s(&out).to_owned();
    let args: Vec<&str> = args.iter().map(String::as_str).chain(more.iter().copied()).collect();
    if done {
        assert_eq!(world.json(&args)["phase"], "done");
    } else {
        let output = world.run(&[&args, &["--json"][..]].concat());
        assert!(!output.status.success(), "{args:?}");
        assert!(String::from_utf8_lossy(&output.stderr).contains("F0262"), "{output:?}");
    }
    let report = std::fs::read(out.join("report.json")).expect("a report");
    let report: Value = serde_json::from_slice(&report).expect("JSON");
    assert_eq!(report["released"], done, "{:#}", report["gate"]);
    (out, report)
}

/// The one finding of a check, as severity, frames, code and message.
fn finding(verdict: &Value, check: &str) -> [String; 4] {
    let all = verdict["findings"].as_array().expect("a list").iter();
    let found: Vec<&Value> = all.filter(|finding| finding["check"] == check).collect();
    assert_eq!(found.len(), 1, "{check}: {verdict:#}");
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let fault = &found[0]["fault"];
    assert_eq!(found[0]["plate"], PLATE);
    [
        text(&found[0]["severity"]),
        text(&found[0]["frames"]),
        text(&fault["code"]),
        text(&fault["message"]),
    ]
}

fn says(found: &[String; 4], severity: &str, frames: &str, code: &str, word: &str) {
    assert_eq!(found[..3], [severity, frames, code], "{found:?}");
    assert!(found[3].contains(word), "{found:?}");
}

/// A recorder that hung: one camera file is the one before it. Source frame 4 is frame 1004,
/// with the timecode of frame 1003 in it.
#[test]
fn a_frozen_camera_file_is_held_back() {
    let world = World::new();
    copy_clip("beachball", &world.path("media/A001"));
    std::fs::copy(camera_file(&world, 3), camera_file(&world, 4)).expect("a copy");
    for (out, compression) in [("zip", "zip"), ("none", "none"), ("dwaa", "dwaa")] {
        let (out, report) = pulled(&world, out, &["--compression", compression], false);
        let gate = &report["gate"];
        says(&finding(gate, "picture"), "failure", "1004", "F0267", "frozen");
        // It counts on in the plate, and a person is told what the camera wrote.
        says(&finding(gate, "timecode"), "warning", "1004", "F0110", "01:00:00:03");
        let again = verdict(&world, &out, &[]);
        says(&finding(&again["verdict"], "picture"), "failure", "1004", "F0267", "frozen");
    }
    let (out, report) = pulled(&world, "meant", &["--allow-suspect"], true);
    says(&finding(&report["gate"], "picture"), "warning", "1004", "F0267", "frozen");
    let again = verdict(&world, &out, &[]);
    assert_eq!(again["result"], "pass", "one rule for both: {again:#}");
    says(&finding(&again["verdict"], "picture"), "warning", "1004", "F0267", "frozen");
}

/// The last line says whether the package may be used, where it is, and what is to be looked at.
#[test]
fn the_last_line_of_a_pull_is_its_verdict() {
    let world = World::new();
    copy_clip("beachball", &world.path("media/A001"));
    std::fs::copy(camera_file(&world, 3), camera_file(&world, 4)).expect("a copy");
    for (word, more) in [("NOT RELEASED", None), ("RELEASED", Some("--allow-suspect"))] {
        let mut args = pull(&world, 1);
        let out = world.path(word);
        let at = args.iter().position(|arg| arg == "--out").expect("an output");
        args[at + 1] = s(&out).to_owned();
        let args: Vec<&str> = args.iter().map(String::as_str).chain(more).collect();
        let said = String::from_utf8(world.run(&args).stdout).expect("UTF-8");
        let last = said.trim_end().lines().next_back().expect("a line");
        assert!(last.starts_with(&format!("{word}  {}: ", s(&out))), "{said}");
        let report = std::fs::read(out.join("report.json")).expect("a report");
        let report: Value = serde_json::from_slice(&report).expect("JSON");
        let all = report["gate"]["findings"].as_array().expect("a list");
        let failures = all.iter().filter(|finding| finding["severity"] == "failure").count();
        assert!(!all.is_empty() && (failures > 0) == (word == "NOT RELEASED"), "{all:?}");
        let counts = format!("failures: {failures}, warnings: {}", all.len() - failures);
        assert!(last.contains(&counts), "{last} in place of {counts}");
    }
}

/// Makes every sample black: what the samples stand for is a table in each file, of 4096 numbers
/// from byte 484 on, and 1024 is black (`testclips/README.md`; tags 50712 and 50714).
fn blacken(file: &Path) {
    let mut bytes = std::fs::read(file).expect("a camera file");
    for entry in bytes[484..484 + 2 * 4096].chunks_exact_mut(2) {
        entry.copy_from_slice(&1024_u16.to_le_bytes());
    }
    std::fs::write(file, bytes).expect("the camera file");
}

#[test]
fn a_black_plate_is_held_back_unless_it_is_meant() {
    let world = World::new();
    copy_clip("beachball", &world.path("media/A001"));
    (0..8).for_each(|index| blacken(&camera_file(&world, index)));
    for compression in ["zip", "none"] {
        let (_, report) = pulled(&world, compression, &["--compression", compression], false);
        let of = |word: &str| {
            let all = report["gate"]["findings"].as_array().expect("a list").iter();
            let mut found = all.filter(|f| f["fault"]["message"].to_string().contains(word));
            found.next().unwrap_or_else(|| panic!("{word}: {:#}", report["gate"])).clone()
        };
        let black = of("every frame is black");
        assert_eq!(
            (&black["severity"], &black["frames"]),
            (&"failure".into(), &"1001-1006".into())
        );
        assert_eq!(of("frozen")["frames"], "1002-1006");
    }
    let (out, report) = pulled(&world, "meant", &["--allow-suspect"], true);
    let warnings = report["gate"]["findings"].as_array().expect("a list");
    assert!(!warnings.is_empty() && warnings.iter().all(|f| f["severity"] == "warning"));
    assert_eq!(verdict(&world, &out, &[])["result"], "pass");
}

/// What a spec wants said in headers is in every one, and what it does not is in none.
#[test]
fn headers_say_whose_the_pictures_are() {
    let world = World::new();
    copy_clip("beachball", &world.path("media/A001"));
    let spec = world.path("studio.toml");
    std::fs::write(&spec, "name = \"studio\"\n[headers]\nowner = \"A Studio\"\n").expect("a spec");
    let mut args = pull(&world, 1);
    let at = args.iter().position(|arg| arg == "--spec").expect("a spec");
    args[at + 1] = s(&spec).to_owned();
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    assert_eq!(world.json(&args)["phase"], "done");
    let frames: Vec<PathBuf> = (1001..=1006)
        .map(|n| world.path("out").join(PLATE).join(format!("{PLATE}.{n}.exr")))
        .collect();
    for frame in &frames {
        let header = exr::meta::MetaData::read_from_file(frame, false).expect("a header").headers;
        let own = &header[0].own_attributes;
        assert_eq!(own.owner.as_ref().map(ToString::to_string).as_deref(), Some("A Studio"));
        assert_eq!(own.comments, None);
        let white = own.adopted_neutral.expect("what is neutral");
        assert!((white.0 - 0.32168).abs() < 1e-6 && (white.1 - 0.33767).abs() < 1e-6);
    }
    std::fs::write(&spec, "[headers]\nowner = \"\"\n").expect("a spec");
    let fault = world.fails("F0266", &args);
    assert_eq!(fault["place"], "headers.owner");
}
