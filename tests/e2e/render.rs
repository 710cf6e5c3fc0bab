//! `platefarm render`: the stateless function.

use crate::harness::{World, copy_clip, s, tree, wait_until};
use platefarm_testclips::{ClipSpec, write_clip};

#[test]
fn frames_hashes_and_times_come_back_as_json() {
    let world = World::new();
    let (media, out) = (world.path("media"), world.path("out"));
    copy_clip("beachball", &media);
    let report =
        world.json(&["render", s(&media), "--frames", "2-4", "--out", s(&out), "--backend", "cpu"]);
    let frames = report["files"].as_array().expect("frames");
    assert_eq!(frames.len(), 3);
    let frames_there = ["A001_C001.1001.exr", "A001_C001.1002.exr", "A001_C001.1003.exr"];
    // Beside them is what says what they are.
    let beside = ["A001_C001.amf", "A001_C001.clf"];
    assert_eq!(tree(&out), [&frames_there[..], &beside].concat());
    for frame in frames {
        let file = std::fs::read(frame["file"].as_str().expect("a path")).expect("the frame");
        assert_eq!(frame["bytes"], file.len());
        assert_eq!(frame["xxh128"], platefarm_media::hash::xxh128(&file));
        assert!(frame["millis"].as_object().is_some_and(|stages| !stages.is_empty()));
    }
    assert_eq!(report["backend"], "cpu");
}

/// Killed at any instant: what has a final name is complete, and the same
/// command makes the rest.
#[test]
fn a_killed_render_leaves_only_whole_frames_and_can_be_run_again() {
    let world = World::new();
    let (media, out, whole) = (world.path("media"), world.path("out"), world.path("whole"));
    let spec = ClipSpec { width: 640, height: 480, frames: 60, ..ClipSpec::default() };
    write_clip(&media, &spec).expect("a clip");
    let args = |out: &std::path::Path| {
        ["render", s(&media), "--backend", "cpu", "--out", s(out)].map(str::to_owned)
    };
    let reference = args(&whole);
    world.json(&reference.iter().map(String::as_str).collect::<Vec<_>>());
    let command = args(&out);
    let command: Vec<&str> = command.iter().map(String::as_str).collect();
    for kill_after in [1, 9, 25] {
        let mut running = world.start(&command);
        wait_until("some frames are there", || (visible(&out).len() >= kill_after).then_some(()));
        running.kill();
        for name in visible(&out) {
            let (a, b) = (std::fs::read(out.join(&name)), std::fs::read(whole.join(&name)));
            assert!(a.expect("a frame") == b.expect("a frame"), "{name} is not whole");
        }
    }
    world.json(&command);
    assert_eq!(tree(&out), tree(&whole), "nothing is left behind");
}

fn visible(dir: &std::path::Path) -> Vec<String> {
    tree(dir).into_iter().filter(|name| !name.starts_with('.') && !name.contains("/.")).collect()
}
