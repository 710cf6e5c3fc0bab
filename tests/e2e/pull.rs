//! `platefarm pull --local`: the main job on the embedded default.

use crate::harness::{World, copy_clip, root, s, tree};
use std::process::Command;

#[test]
fn a_pull_becomes_a_whole_package() {
    let world = World::new();
    let (media, out) = (world.path("media"), world.path("out"));
    copy_clip("beachball", &media.join("A001"));
    copy_clip("colorchart", &media.join("chart"));
    let fixtures = root().join("tests/fixtures/pull");
    let summary = world.json(&[
        "pull",
        "--local",
        "--workers",
        "2",
        "--edl",
        s(&fixtures.join("cut.edl")),
        "--fdl",
        s(&fixtures.join("show.fdl")),
        "--template",
        "VFX_PULL",
        "--handles",
        "2",
        "--media",
        s(&media),
        "--out",
        s(&out),
        "--show",
        "test",
        "--backend",
        "cpu",
    ]);
    assert_eq!(summary["phase"], "done", "{summary}");
    assert_eq!(summary["frames_failed"], 0);
    assert_eq!(summary["gate"]["released"], true, "{summary}");
    let names = tree(&out);
    assert!(
        names.iter().all(|name| !name.contains(".platefarm")),
        "nothing hidden is left: {names:?}"
    );
    for part in ["report.json", "report.html", "contact_sheet.png"] {
        assert!(names.iter().any(|name| name == part), "{part} in {names:?}");
    }
    let report: serde_json::Value =
        serde_json::from_slice(&std::fs::read(out.join("report.json")).expect("a report"))
            .expect("JSON");
    for plate in report["plates"].as_array().expect("plates") {
        let name = plate["name"].as_str().expect("a name");
        assert!(name.contains("_PL") && name.ends_with("_v001"), "{name}");
        assert!(out.join(name).join(format!("{name}.1001.exr")).exists(), "{name} begins at 1001");
        let amf = out.join(name).join(format!("{name}.amf"));
        assert!(amf.exists(), "{name} has its AMF");
        validate_amf(&amf);
    }
    let (used, given) =
        (std::fs::read(out.join("edit/cut.edl")), std::fs::read(fixtures.join("cut.edl")));
    assert!(used.expect("the list used") == given.expect("the list given"), "byte for byte");
    let mhl = names.iter().filter(|name| name.starts_with("ascmhl/")).count();
    assert_eq!(mhl, 2, "one generation and its chain: {names:?}");
    assert_eq!(platefarm_media::mhl::verify(&out), vec![], "the manifest verifies");
    // The same directory again is refused: plates are never written over.
    world.fails(
        "F0010",
        &[
            "pull",
            "--local",
            "--edl",
            s(&fixtures.join("cut.edl")),
            "--media",
            s(&media),
            "--handles",
            "1",
            "--out",
            s(&out),
        ],
    );
}

fn validate_amf(amf: &std::path::Path) {
    let schema = root().join("standards/tests/fixtures/amf/schema/acesMetadataFile.xsd");
    let output = Command::new("xmllint")
        .args(["--noout", "--nonet", "--schema", s(&schema), s(amf)])
        .output();
    let output = output.expect("xmllint runs; `cargo xtask setup` installs it");
    assert!(
        output.status.success(),
        "{}: {}",
        amf.display(),
        String::from_utf8_lossy(&output.stderr)
    );
}
