//! `platefarm doctor` on a machine that is well, and on machines that are not.

use crate::harness::{World, document, free_address, s, text, wait_until};
use serde_json::Value;
use std::io::Read;
use std::os::unix::fs::PermissionsExt;
use std::process::Stdio;

/// The findings of one check.
fn findings<'a>(report: &'a Value, check: &str) -> Vec<&'a Value> {
    let all = report["findings"].as_array().expect("findings");
    all.iter().filter(|finding| finding["check"] == check).collect()
}

fn state(report: &Value, check: &str) -> String {
    let states: Vec<&str> =
        findings(report, check).iter().filter_map(|finding| finding["state"].as_str()).collect();
    states.join(",")
}

#[test]
fn a_machine_that_is_well_passes_and_nothing_is_left() {
    let world = World::new();
    let (media, out) = (world.path("ocf"), world.path("plates"));
    for dir in [&media, &out] {
        std::fs::create_dir_all(dir).unwrap();
    }
    let address = free_address();
    let (url, store) = (format!("http://{address}"), world.path("farm.db"));
    let _scheduler = world.start(&["scheduler", "--listen", &address, "--store", s(&store)]);
    wait_until("the scheduler answers", || {
        world.run(&["jobs", "list", "--farm", &url]).status.success().then_some(())
    });
    let report = world.json(&[
        "doctor",
        "--farm",
        &url,
        "--store",
        s(&store),
        "--media",
        s(&media),
        "--out",
        s(&out),
    ]);
    assert_eq!(report["result"], "pass", "{report}");
    for check in ["storage", "store", "farm"] {
        assert!(state(&report, check).starts_with("ok"), "{check}: {report}");
    }
    assert!(findings(&report, "farm")[0]["found"].as_str().unwrap().contains("local"), "{report}");
    // Both clocks are this machine's.
    let clocks = findings(&report, "clock");
    let apart = clocks.iter().find(|f| f["found"].as_str().unwrap().contains("the scheduler's"));
    assert_eq!(apart.expect("the clocks are compared")["state"], "ok", "{report}");
    assert_eq!(std::fs::read_dir(&out).unwrap().count(), 0, "what was tried was taken away");
    // Whatever is amiss says what to do.
    for finding in report["findings"].as_array().unwrap() {
        let amiss = finding["state"] == "warning" || finding["state"] == "failed";
        assert!(!amiss || finding["remedy"].as_str().is_some_and(|r| !r.is_empty()), "{finding}");
    }
    let human = world.run(&["doctor", "--only", "storage", "--out", s(&out)]);
    let said = text(&human.stdout);
    assert!(human.status.success() && said.contains("STATE") && said.contains("storage"), "{said}");
}

#[test]
fn what_does_not_work_is_named_with_its_code_and_ends_with_its_owners_exit_code() {
    let world = World::new();
    let absent = world.path("not/mounted");
    let output = world.run(&["doctor", "--json", "--only", "storage", "--media", s(&absent)]);
    assert_eq!(output.status.code(), Some(2), "who asked: {}", text(&output.stderr));
    let report = document(&output);
    assert_eq!(
        (report["result"].as_str(), state(&report, "storage").as_str()),
        (Some("fail"), "failed")
    );
    assert_eq!(findings(&report, "storage")[0]["code"], "F0101");

    let url = format!("http://{}", free_address());
    let output = world.run(&["doctor", "--json", "--only", "farm", "--farm", &url]);
    assert_eq!(output.status.code(), Some(5), "the farm: {}", text(&output.stderr));

    let broken = world.path("broken.db");
    std::fs::write(&broken, "this was a store once, before somebody edited it by hand").unwrap();
    let output = world.run(&["doctor", "--json", "--only", "store", "--store", s(&broken)]);
    assert_eq!(output.status.code(), Some(5), "{}", text(&output.stdout));

    let bridges = world.path("bridges.toml");
    std::fs::write(&bridges, "[[bridge").unwrap();
    let output = world.run(&["doctor", "--json", "--only", "bridges", "--bridges", s(&bridges)]);
    assert_eq!(output.status.code(), Some(2), "{}", text(&output.stdout));
    world.fails("F0008", &["doctor", "--only", "weather"]);
}

/// FFmpeg without the encoders that deliveries ask for is told apart from none, and from a whole one.
#[test]
fn ffmpeg_is_asked_what_it_can() {
    let world = World::new();
    let script = |name: &str, body: &str| {
        let path = world.path(name);
        std::fs::write(&path, format!("#!/bin/sh\n{body}\n")).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
        path
    };
    let poor = script(
        "poor",
        "case $* in *encoders*) printf ' ---\\n V..... libx264 x\\n';; *) echo 'ffmpeg version 6.0-x';; esac",
    );
    let run = |ffmpeg: &str| {
        let mut command = world.platefarm(&["doctor", "--json", "--only", "ffmpeg"]);
        let output = command
            .env("PLATEFARM_FFMPEG", ffmpeg)
            .env("PLATEFARM_FFPROBE", s(&poor))
            .output()
            .unwrap();
        assert!(output.status.success(), "it is not needed: {}", text(&output.stderr));
        document(&output)["findings"][0].clone()
    };
    let found = run(s(&poor));
    assert_eq!(found["state"], "warning");
    let said = found["found"].as_str().unwrap();
    assert!(
        said.contains("6.0") && said.contains("dnxhd, prores_ks") && !said.contains("libx264"),
        "{said}"
    );
    assert_eq!(run("/nowhere/ffmpeg")["state"], "warning");
    assert_eq!(run("ffmpeg")["state"], "ok");
}

#[test]
fn the_manual_has_a_page_for_every_verb() {
    let world = World::new();
    let dir = world.path("man");
    let output = world.run(&["man", "--out", s(&dir)]);
    assert!(output.status.success(), "{}", text(&output.stderr));
    let names: Vec<String> = std::fs::read_dir(&dir)
        .unwrap()
        .flatten()
        .map(|entry| entry.file_name().to_string_lossy().into_owned())
        .collect();
    assert!(names.len() > 40, "{names:?}");
    for name in
        ["platefarm.1", "platefarm-pull.1", "platefarm-jobs-list.1", "platefarm-mhl-verify.1"]
    {
        assert!(names.iter().any(|n| n == name), "no {name}: {names:?}");
    }
    assert!(!names.iter().any(|n| n.contains("worker-slot") || n.contains("help")), "{names:?}");
    let page = std::fs::read_to_string(dir.join("platefarm-jobs-list.1")).unwrap();
    assert!(
        page.contains(".TH platefarm-jobs-list 1") && page.contains("platefarm jobs list"),
        "{page}"
    );
    let one = world.run(&["man", "jobs", "list"]);
    assert_eq!(text(&one.stdout), page, "the same, alone");
    world.fails("F0008", &["man", "jobs", "juggle"]);
    let as_facts = world.json(&["man", "jobs", "list"]);
    assert_eq!(as_facts["page"], "platefarm-jobs-list.1");
    assert_eq!(as_facts["text"], page);
}

/// Whoever reads may stop before the end.
#[test]
fn completions_go_into_a_pipe_that_is_closed() {
    let world = World::new();
    let script = world.run(&["completions", "bash"]).stdout;
    assert!(script.len() > 1 << 16, "more than a pipe holds: {}", script.len());
    assert_eq!(world.json(&["completions", "bash"])["script"], text(&script));
    let mut child = world
        .platefarm(&["completions", "bash"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut first = [0];
    child.stdout.take().unwrap().read_exact(&mut first).unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "{}: {}", output.status, text(&output.stderr));
    assert!(output.stderr.is_empty(), "{}", text(&output.stderr));
}

/// Verbs below `path`, as the manual names them; none of a verb that has none.
fn verbs(world: &World, path: &[String]) -> Vec<String> {
    let path: Vec<&str> = path.iter().map(String::as_str).collect();
    let output = world.run(&[&["man"][..], &path, &["?", "--json"]].concat());
    let document = document(&output);
    let list = document["remedy"].as_str().unwrap().strip_prefix("Choose one of: ");
    let names = list.map(|list| list.trim_end_matches('.').split(", ").map(str::to_owned));
    names.into_iter().flatten().collect()
}

/// With `--json` there is one document on standard output, whatever the verb and however it ends.
#[test]
fn every_verb_of_this_machine_answers_json_in_json() {
    // Those that stay, look long, or ask a farm.
    let others = [
        "up",
        "scheduler",
        "worker",
        "doctor",
        "pull",
        "jobs",
        "frames",
        "tasks",
        "workers",
        "pools",
        "limits",
        "shows",
        "farm",
        "webhooks",
        "tokens",
        "whoami",
        "audit",
    ];
    let world = World::new();
    let mut open = verbs(&world, &[]).into_iter().map(|verb| vec![verb]).collect::<Vec<_>>();
    open.retain(|path| !others.contains(&path[0].as_str()));
    let mut leaves = 0;
    while let Some(path) = open.pop() {
        let below = verbs(&world, &path);
        if !below.is_empty() {
            open.extend(below.into_iter().map(|verb| [&path[..], &[verb]].concat()));
            continue;
        }
        leaves += 1;
        let words: Vec<&str> = path.iter().map(String::as_str).collect();
        let output = world.run(&[&words[..], &["--json"]].concat());
        let document = document(&output);
        assert!(output.status.success() || document.get("error").is_some(), "{path:?}: {document}");
    }
    assert!(leaves > 20, "{leaves}");
}
