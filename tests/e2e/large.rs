//! Pulls of a size that a season comes to: they are planned, handed in and shown.

use crate::harness::{World, free_address, pull_of_the_fixtures, root, s, wait_until};
use std::fmt::Write as _;

/// Plates of the pull.
const PLATES: usize = 5000;

/// An event for each plate, of a shot of its own, over the frames of one clip.
fn list() -> String {
    let tc = |frames: usize| {
        let (seconds, frame) = (frames / 24, frames % 24);
        format!("{:02}:{:02}:{:02}:{frame:02}", seconds / 3600, seconds / 60 % 60, seconds % 60)
    };
    let hour = 24 * 3600;
    let mut text = "TITLE: BIG\n".to_owned();
    for i in 0..PLATES {
        let (source, record) = (hour + 1 + i % 4, hour + 2 * i);
        let _ = writeln!(
            text,
            "{:06}  A001_C001 V C {} {} {} {}\n* LOC: {} RED SH_{i:05}",
            i + 1,
            tc(source),
            tc(source + 2),
            tc(record),
            tc(record + 2),
            tc(record)
        );
    }
    text
}

/// Each with its documents and its framing, the whole job fits the wire, and
/// the farm says what it has.
#[test]
fn five_thousand_plates_are_handed_in() {
    let world = World::new();
    let edl = world.path("big.edl");
    std::fs::write(&edl, list()).expect("a list");
    let address = free_address();
    let store = world.path("farm.db");
    let _scheduler = world.start(&["scheduler", "--listen", &address, "--store", s(&store)]);
    let farm = format!("http://{address}");
    wait_until("the scheduler answers", || {
        world.run(&["jobs", "list", "--farm", &farm]).status.success().then_some(())
    });
    let [.., fdl_flag, fdl, template_flag, template, _, _] = pull_of_the_fixtures("1");
    let media = root().join("testclips/clips/beachball");
    let out = world.path("out");
    let submitted = world.json(&[
        "pull",
        "--edl",
        s(&edl),
        "--media",
        s(&media),
        "--out",
        s(&out),
        "--rate",
        "24",
        "--handles",
        "1",
        fdl_flag,
        fdl,
        template_flag,
        template,
        "--farm",
        &farm,
    ]);
    let job = format!("j{}", submitted["job"].as_u64().expect("a job"));
    let shown = world.json(&["jobs", "show", &job, "--farm", &farm]);
    let steps = shown["steps"].as_array().expect("steps");
    assert_eq!(steps.len(), PLATES + 1);
    assert_eq!(steps[PLATES - 1]["name"], "SH_04999_PL01_v001");
}
