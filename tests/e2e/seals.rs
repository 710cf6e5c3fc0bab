//! `mhl create|verify|info|diff` as they are typed, and killed.

use crate::harness::{World, document, text};
use std::path::Path;
use std::time::Duration;

fn card(root: &Path, files: usize) {
    std::fs::create_dir_all(root.join("Clips")).unwrap();
    for i in 0..files {
        let name = root.join(format!("Clips/A001C{i:03}.mov"));
        std::fs::write(name, format!("{i}").repeat(2000)).unwrap();
    }
    std::fs::write(root.join("Sidecar.txt"), "s").unwrap();
}

/// Exit codes are the reference tool's; the words are those of its cases.
#[test]
fn a_card_is_sealed_verified_and_found_out() {
    let world = World::new();
    let root = world.path("A001");
    card(&root, 3);
    let dir = root.display().to_string();
    let said = |verb: &str, code: i32| {
        let output = world.run(&["mhl", verb, &dir, "--json"]);
        assert_eq!(output.status.code(), Some(code), "{verb}: {}", text(&output.stdout));
        let json = document(&output);
        if code != 0 { json["problems"].clone() } else { json }
    };
    assert_eq!(said("verify", 30), serde_json::json!(["no_history"]));
    assert_eq!(said("info", 30), serde_json::json!(["no_history"]));
    let made = world.json(&[
        "mhl",
        "create",
        &dir,
        "--hash",
        "md5",
        "--author",
        "A",
        "--author-role",
        "DIT",
    ]);
    assert_eq!((made["new"].as_u64(), made["result"].as_str()), (Some(4), Some("pass")));
    assert_eq!(said("verify", 0)["result"], "pass");
    assert_eq!(said("diff", 0)["result"], "pass");
    let info = said("info", 0);
    let first = &info["histories"][0]["generations"][0];
    assert_eq!((first["formats"].as_str(), first["files"].as_u64()), (Some("md5"), Some(4)));
    assert_eq!(first["authors"][0]["role"], "DIT");

    std::fs::write(root.join("Clips/A001C001.mov"), "x").unwrap();
    assert_eq!(said("diff", 0)["result"], "pass", "names are the same");
    assert_eq!(said("verify", 11), serde_json::json!(["modified:Clips/A001C001.mov"]));
    std::fs::write(root.join("more"), "x").unwrap();
    std::fs::remove_file(root.join("Sidecar.txt")).unwrap();
    assert_eq!(said("diff", 10), serde_json::json!(["missing:Sidecar.txt", "new:more"]));
    said("verify", 11);
    std::fs::remove_file(root.join("ascmhl/ascmhl_chain.xml")).unwrap();
    assert_eq!(said("verify", 32), serde_json::json!(["chain_missing"]));
    let told = world.run(&["mhl", "verify", &dir]);
    assert!(text(&told.stdout).contains("remedy"), "{}", text(&told.stdout));
}

/// Killed at any instant, a run leaves the history as it was or with its new generation whole.
#[test]
fn a_run_that_is_killed_leaves_nothing_half_written() {
    let world = World::new();
    let root = world.path("B001");
    card(&root, 40);
    card(&root.join("inner"), 20);
    let inner = root.join("inner").display().to_string();
    assert!(world.run(&["mhl", "create", &inner]).status.success());
    let dir = root.display().to_string();
    let whole = |step: u64| {
        let checked = platefarm_media::mhl::examine(&root, platefarm_media::mhl::Scope::default());
        let words = platefarm_standards::mhl::words(&checked.problems);
        // Before the outer history exists, only the inner one tells of anything.
        let fine = words.is_empty() || words.iter().all(|w| w == "no_history");
        assert!(fine, "after {step}: {words:?}");
    };
    for step in 0..24 {
        let mut run = world.start(&["mhl", "create", &dir]);
        std::thread::sleep(Duration::from_millis(step * 3));
        run.kill();
        whole(step);
    }
    let last = world.run(&["mhl", "create", &dir]);
    assert!(last.status.success(), "{}", text(&last.stdout));
    whole(99);
    assert!(!root.join(".platefarm").exists(), "what was left is cleared away");
}
