//! `edl show` and `edl diff` as they are typed, over lists whose events somebody else read.

use crate::harness::{World, document, root, s, text, tools_python};
use serde_json::Value;
use std::path::{Path, PathBuf};

#[path = "../../standards/tests/rows/mod.rs"]
mod rows;

fn fixtures(kind: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("standards/tests/fixtures").join(kind)
}

/// The document has the fields of the expectations; the readers' own tests go over all of them.
#[test]
fn the_events_of_a_list_are_printed() {
    let world = World::new();
    for name in ["d08-two-m2-in-dissolve", "d16-midnight", "d33-utf16", "otio-cdl"] {
        let list = fixtures("edl").join(format!("{name}.edl"));
        let expected: Value =
            serde_json::from_slice(&std::fs::read(list.with_extension("expected.json")).unwrap())
                .unwrap();
        let rate = expected["nominal_rate"].as_str().unwrap();
        let list = list.display().to_string();
        let shown = world.json(&["edl", "show", &list, "--rate", rate]);
        for key in ["title", "encoding", "fcm", "header_comments", "unparsed"] {
            assert_eq!(shown[key], expected["expected"][key], "{name} {key}");
        }
        let events = expected["expected"]["events"].as_array().unwrap();
        for (ours, theirs) in shown["events"].as_array().unwrap().iter().zip(events) {
            for (key, value) in theirs.as_object().unwrap() {
                assert_eq!(&ours[key], value, "{name} {key}");
            }
        }
        let table = world.run(&["edl", "show", &list, "--rate", rate]);
        assert!(table.status.success() && text(&table.stdout).contains("SOURCE IN"));
    }
}

#[test]
fn every_format_is_told_by_its_content() {
    let world = World::new();
    let dir = fixtures("editlists");
    for (name, format, events) in [
        ("transition.otio", "otio", 5),
        ("premiere_generators.xml", "xmeml", 8),
        ("sample_cdl.ale", "ale", 4),
    ] {
        // The name says nothing.
        let copy = world.path(&format!("{format}.list"));
        std::fs::copy(dir.join(name), &copy).unwrap();
        let shown = world.json(&["edl", "show", &copy.display().to_string()]);
        assert_eq!(shown["format"], format);
        assert!(shown["events"].as_array().unwrap().len() >= events, "{shown}");
    }
}

/// A list without a rate, a document that is none, an AAF without a Python: each says what to do.
#[test]
fn what_cannot_be_read_says_why() {
    let world = World::new();
    let list = fixtures("edl").join("d16-midnight.edl").display().to_string();
    world.fails("F0006", &["edl", "show", &list]);
    let broken = world.path("broken.otio");
    std::fs::write(&broken, "{\"OTIO_SCHEMA\": \"Timeline.1\"").unwrap();
    world.fails("F0240", &["edl", "show", &broken.display().to_string()]);
    let aaf = world.path("cut.aaf");
    std::fs::write(&aaf, [0xD0, 0xCF, 0x11, 0xE0, 0xA1, 0xB1, 0x1A, 0xE1, 0, 0]).unwrap();
    let aaf = aaf.display().to_string();
    let output = world
        .platefarm(&["edl", "show", &aaf, "--json"])
        .env("PLATEFARM_PYTHON", "no-such-python")
        .output()
        .unwrap();
    let said: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(said["error"]["code"], "F0115");
    assert!(said["remedy"].as_str().unwrap().contains("otio-aaf-adapter"), "{said}");
    assert!(!output.status.success());
}

/// Says that the tests may go without, on a machine that cannot have it.
const NO_PYTHON: &str = "PLATEFARM_NO_PYTHON_TESTS";

/// Every AAF that is here: those of the repository, and all that are given where they lie beside it.
#[test]
fn aaf_files_read_as_the_adapter_reads_them() {
    let Some(python) = tools_python(NO_PYTHON) else { return };
    let world = World::new();
    let given = root().join("../shared/data/editorial/given/aaf");
    let files = [fixtures("editlists"), given].into_iter().filter(|dir| dir.is_dir());
    let files = files.flat_map(|dir| std::fs::read_dir(dir).unwrap().flatten());
    let files =
        files.map(|entry| entry.path()).filter(|p| p.extension().is_some_and(|e| e == "aaf"));
    let mut compared = 0;
    for path in files {
        let mut show = world.platefarm(&["edl", "show", s(&path), "--json"]);
        let output = show.env("PLATEFARM_PYTHON", &python).output().unwrap();
        assert!(output.status.success(), "{}: {}", path.display(), text(&output.stdout));
        let list = document(&output);
        let expected = std::fs::read(path.with_extension("expected.json")).unwrap();
        let expected: Value = serde_json::from_slice(&expected).unwrap();
        let read = &expected["otio_aaf_adapter_2.0.0"];
        assert_eq!((&list["format"], &list["title"]), (&"aaf".into(), &read["name"]));
        assert_eq!(list["warnings"], serde_json::json!([]), "{}", path.display());
        compared += rows::compare(&path, &list, read);
        // The adapter counts frames; 539460 of them are five hours of drop frame (5 * 107892),
        // as the sequence is called and as its timecode track says.
        if path.ends_with("2997fps-DFTC.aaf") {
            let first = &list["events"][0];
            assert_eq!(first["rec_in"], 539_460);
            assert_eq!(
                (&first["rec_in_tc"], &first["src_in_tc"]),
                (&"05:00:00;00".into(), &"00:00:00:00".into())
            );
        }
    }
    assert!(compared >= 19, "{compared}");
}

#[test]
fn two_versions_of_a_cut_are_compared() {
    let world = World::new();
    let before = world.path("v1.edl");
    let after = world.path("v2.edl");
    let event = |number: u32, reel: &str, times: &str| format!("{number:03}  {reel} V C {times}\n");
    std::fs::write(
        &before,
        event(1, "A001C001", "01:00:00:00 01:00:02:00 00:00:00:00 00:00:02:00")
            + &event(2, "A001C002", "01:00:00:00 01:00:02:00 00:00:02:00 00:00:04:00"),
    )
    .unwrap();
    std::fs::write(
        &after,
        event(1, "A001C001", "01:00:00:00 01:00:02:12 00:00:00:00 00:00:02:12")
            + &event(2, "B001C001", "01:00:00:00 01:00:02:00 00:00:02:12 00:00:04:12"),
    )
    .unwrap();
    let (before, after) = (before.display().to_string(), after.display().to_string());
    let diff = world.json(&["edl", "diff", &before, &after, "--rate", "24"]);
    let kinds: Vec<&str> = diff["changed"]
        .as_array()
        .unwrap()
        .iter()
        .map(|c| c["changes"][0]["kind"].as_str().unwrap())
        .collect();
    assert_eq!(kinds, ["extended", "new", "gone"]);
    let shown = world.run(&["edl", "diff", &before, &after, "--rate", "24"]);
    assert!(text(&shown.stdout).contains("extended 12 at the tail"), "{}", text(&shown.stdout));
}
