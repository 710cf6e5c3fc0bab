//! Wrong input: a stable code, the value, the place, the remedy; the rest goes
//! on; nothing half-written is visible.

use crate::harness::{World, copy_clip, root, s, text, tree};
use std::path::Path;

fn message(error: &serde_json::Value) -> String {
    format!(
        "{} {}",
        error["message"].as_str().unwrap_or_default(),
        error["place"].as_str().unwrap_or_default()
    )
}

#[test]
fn a_truncated_file_is_named_with_its_offset_and_the_rest_is_rendered() {
    let world = World::new();
    let (media, out) = (world.path("media"), world.path("out"));
    copy_clip("beachball", &media);
    let broken = media.join("A001_C001_000003.dng");
    let bytes = std::fs::read(&broken).expect("the frame");
    std::fs::write(&broken, &bytes[..bytes.len() / 2]).expect("truncated");
    let error = world.fails("F0104", &["render", s(&media), "--out", s(&out), "--backend", "cpu"]);
    assert!(message(&error).contains("A001_C001_000003.dng"), "{error}");
    let sound = tree(&out).iter().filter(|name| name.ends_with(".exr")).count();
    assert_eq!(sound, 7, "the sound frames are there: {:?}", tree(&out));
    assert!(!out.join("A001_C001.1004.exr").exists());
}

#[test]
fn an_unknown_colour_filter_is_refused_by_name() {
    let world = World::new();
    let media = world.path("media");
    copy_clip("colorchart", &media);
    let file = media.join("colorchart.dng");
    let mut bytes = std::fs::read(&file).expect("the frame");
    // CFAPattern (33422), BYTE x4, stored in the entry itself: make it R R R R.
    let entry =
        bytes.windows(8).position(|w| w == [0x8e, 0x82, 1, 0, 4, 0, 0, 0]).expect("the tag");
    bytes[entry + 8..entry + 12].copy_from_slice(&[0, 0, 0, 0]);
    std::fs::write(&file, bytes).expect("written");
    let error = world.fails("F0107", &["render", s(&file), "--out", s(&world.path("out"))]);
    assert!(message(&error).contains("colorchart.dng"), "{error}");
}

#[test]
fn frames_outside_the_clip_are_refused_with_what_it_has() {
    let world = World::new();
    let media = world.path("media");
    copy_clip("beachball", &media);
    let error = world
        .fails("F0007", &["render", s(&media), "--frames", "5-12", "--out", s(&world.path("out"))]);
    assert!(message(&error).contains("5-12") && message(&error).contains("0-7"), "{error}");
    assert!(!world.path("out").exists(), "nothing was begun");
}

#[test]
fn an_output_that_cannot_be_written_is_named() {
    let world = World::new();
    let media = world.path("media");
    copy_clip("beachball", &media);
    // A file where a directory is needed: refused for root as well.
    std::fs::write(world.path("file"), b"").expect("a file");
    let out = world.path("file").join("out");
    let error = world.fails(
        "F0302",
        &["render", s(&media), "--frames", "0-0", "--out", s(&out), "--backend", "cpu"],
    );
    assert!(message(&error).contains("file"), "{error}");
}

/// A real full disk where the machine lets us mount one; it needs root.
#[test]
fn a_full_disk_is_named_and_nothing_half_written_is_visible() {
    let world = World::new();
    let (media, out) = (world.path("media"), world.path("small"));
    copy_clip("beachball", &media);
    std::fs::create_dir_all(&out).expect("a directory");
    let mounted = std::process::Command::new("mount")
        .args(["-t", "tmpfs", "-o", "size=6m", "tmpfs", s(&out)])
        .status();
    if !mounted.is_ok_and(|status| status.success()) {
        eprintln!(
            "no small volume can be mounted here; the mapping of the error is tested in media::publish"
        );
        return;
    }
    let run = std::panic::catch_unwind(|| {
        let error = world.fails(
            "F0301",
            &["render", s(&media), "--out", s(&out), "--backend", "cpu", "--compression", "none"],
        );
        assert!(message(&error).contains("small"), "{error}");
        let names = tree(&out);
        assert!(
            names.iter().all(|name| name.ends_with(".exr") && !name.contains(".platefarm")),
            "{names:?}"
        );
        for name in names {
            assert_eq!(
                std::fs::metadata(out.join(&name)).expect("a frame").len() / 1_000_000,
                5,
                "{name} is whole"
            );
        }
    });
    let unmounted = std::process::Command::new("umount").arg(s(&out)).status();
    assert!(unmounted.is_ok_and(|status| status.success()));
    if let Err(panic) = run {
        std::panic::resume_unwind(panic);
    }
}

fn pull_args<'a>(
    edl: &'a Path,
    media: &'a Path,
    fdl: &'a Path,
    template: &'a str,
    out: &'a Path,
) -> Vec<&'a str> {
    vec![
        "pull",
        "--local",
        "--edl",
        s(edl),
        "--media",
        s(media),
        "--fdl",
        s(fdl),
        "--template",
        template,
        "--handles",
        "2",
        "--out",
        s(out),
    ]
}

#[test]
fn an_fdl_id_that_does_not_exist_is_answered_with_those_that_do() {
    let world = World::new();
    let media = world.path("media");
    copy_clip("beachball", &media);
    let fixtures = root().join("tests/fixtures/pull");
    let (edl, fdl, out) = (fixtures.join("cut.edl"), fixtures.join("show.fdl"), world.path("out"));
    let error = world.fails("F0206", &pull_args(&edl, &media, &fdl, "NO_SUCH", &out));
    let said = format!("{error}");
    assert!(said.contains("NO_SUCH") && said.contains("VFX_PULL"), "{error}");
    assert!(!out.exists(), "nothing was begun");
}

/// An unreadable line, an event with no clip: each is reported, the rest of the
/// pull is delivered.
#[test]
fn bad_events_are_reported_and_the_rest_is_delivered() {
    let world = World::new();
    let media = world.path("media");
    copy_clip("beachball", &media);
    let fixtures = root().join("tests/fixtures/pull");
    let (edl, fdl, out) =
        (fixtures.join("broken.edl"), fixtures.join("show.fdl"), world.path("out"));
    world.run(&pull_args(&edl, &media, &fdl, "VFX_PULL", &out));
    let report: serde_json::Value =
        serde_json::from_slice(&std::fs::read(out.join("report.json")).expect("a report"))
            .expect("JSON");
    let said = report["rejected"].to_string();
    assert!(said.contains("F0201") && said.contains("line "), "the unreadable line: {said}");
    assert!(said.contains("F0203"), "the event with no clip: {said}");
    assert!(tree(&out).iter().any(|name| name.ends_with(".exr")), "{:?}", tree(&out));
}

#[test]
fn two_clips_that_both_match_are_shown_not_picked() {
    let world = World::new();
    let media = world.path("media");
    copy_clip("beachball", &media.join("a"));
    copy_clip("beachball", &media.join("b"));
    let fixtures = root().join("tests/fixtures/pull");
    let (edl, fdl, out) = (fixtures.join("cut.edl"), fixtures.join("show.fdl"), world.path("out"));
    let error = world.fails("F0204", &pull_args(&edl, &media, &fdl, "VFX_PULL", &out));
    let said = error.to_string();
    assert!(said.contains("/a/") && said.contains("/b/"), "both are named: {said}");
    assert!(!out.exists(), "nothing was begun");
    // People are shown both of each event, and what to write to choose, and then that there is no plate.
    let args = pull_args(&edl, &media, &fdl, "VFX_PULL", &out);
    let shown = world.run(&[&args[..], &["--dry-run"]].concat());
    let said = String::from_utf8_lossy(&shown.stderr);
    assert_eq!(shown.status.code(), Some(2), "{said}");
    assert_eq!(said.matches("[[choice]]").count(), 3, "{said}");
    assert_eq!(said.matches("clips hold reel 'A001'").count(), 3, "each once: {said}");
    assert!(said.contains("no event of the list becomes a plate"), "{said}");
}

#[test]
fn a_farm_that_is_not_there_is_an_error_with_the_remedy() {
    let world = World::new();
    let error = world.fails("F0501", &["jobs", "list", "--farm", "http://127.0.0.1:9"]);
    assert!(message(&error).contains("127.0.0.1:9"), "{error}");
}

#[test]
fn listening_off_loopback_is_refused() {
    let world = World::new();
    world.fails("F0009", &["scheduler", "--listen", "0.0.0.0:0"]);
}

/// One damaged frame: its plate is reported with code and remedy, every other
/// frame is delivered, and the package says that it is incomplete.
#[test]
fn a_damaged_frame_costs_a_pull_that_frame_only() {
    let world = World::new();
    let media = world.path("media");
    copy_clip("beachball", &media.join("A001"));
    copy_clip("colorchart", &media.join("chart"));
    let broken = media.join("A001/A001_C001_000003.dng");
    let bytes = std::fs::read(&broken).expect("the frame");
    std::fs::write(&broken, &bytes[..bytes.len() / 2]).expect("truncated");
    let fixtures = root().join("tests/fixtures/pull");
    let (edl, fdl, out) = (fixtures.join("cut.edl"), fixtures.join("show.fdl"), world.path("out"));
    let args = [pull_args(&edl, &media, &fdl, "VFX_PULL", &out), vec!["--backend", "cpu"]].concat();
    let output = world.run(&[args, vec!["--json"]].concat());
    assert_eq!(output.status.code(), Some(3), "the media is at fault: {output:?}");
    let report = std::fs::read(out.join("report.json")).expect("a report");
    let report: serde_json::Value = serde_json::from_slice(&report).expect("JSON");
    assert_eq!(report["complete"], false);
    let said = report.to_string();
    assert!(said.contains("F0104") && said.contains("A001_C001_000003.dng"), "{said}");
    // Three plates use the damaged frame once each; everything else is there.
    let frames = tree(&out).iter().filter(|name| name.ends_with(".exr")).count();
    assert_eq!(frames as u64, report["totals"]["frames"].as_u64().expect("a number") - 3);
    assert_eq!(platefarm_media::mhl::verify(&out), vec![], "what is there is sealed");
}

/// A directory with somebody else's seal or package is not ours to write into.
#[test]
fn another_packages_seal_is_never_replaced() {
    let world = World::new();
    let (media, out) = (world.path("media"), world.path("out"));
    copy_clip("beachball", &media);
    let fixtures = root().join("tests/fixtures/pull");
    let (edl, fdl) = (fixtures.join("cut.edl"), fixtures.join("show.fdl"));
    std::fs::create_dir_all(out.join("ascmhl")).expect("a directory");
    std::fs::write(out.join("ascmhl/ascmhl_chain.xml"), b"theirs").expect("a chain");
    world.fails("F0010", &pull_args(&edl, &media, &fdl, "VFX_PULL", &out));
    assert_eq!(tree(&out), ["ascmhl/ascmhl_chain.xml"]);
}

/// `platefarm ... | head -1`: the reader leaves, the work is done all the same.
#[test]
fn a_reader_that_leaves_does_not_stop_the_work() {
    let world = World::new();
    let (media, out) = (world.path("media"), world.path("out"));
    copy_clip("beachball", &media);
    let args = ["render", s(&media), "--frames", "0-1", "--out", s(&out), "--backend", "cpu"];
    let mut command = world.platefarm(&args);
    let mut child = command.stdout(std::process::Stdio::piped()).spawn().expect("it starts");
    drop(child.stdout.take());
    assert!(child.wait().expect("it ends").success());
    assert_eq!(tree(&out).iter().filter(|name| name.ends_with(".exr")).count(), 2);
}

/// Passwords are typed into addresses; no help and no error says them again.
#[test]
fn no_password_of_an_address_is_said() {
    let world = World::new();
    let said = |args: &[&str]| {
        let mut command = world.platefarm(args);
        for variable in ["PLATEFARM_STORE", "PLATEFARM_LIBRARY"] {
            command.env(variable, "postgres://farm:s3cr3t@127.0.0.1:1/d");
        }
        command.env("PLATEFARM_FARM", "http://farm:s3cr3t@127.0.0.1:1");
        let output = command.output().expect("the program starts");
        let said = text(&output.stdout) + &text(&output.stderr);
        assert!(!said.contains("s3cr3t"), "{args:?}: {said}");
        said
    };
    for verb in ["scheduler", "library", "pull", "doctor", "tokens", "worker"] {
        assert!(said(&[verb, "--help"]).contains("[env: PLATEFARM_"), "{verb}");
    }
    said(&["store", "backup", "--help"]);
    let typed = ["scheduler", "--store", "postgress://farm:s3cr3t@h/d"];
    assert!(said(&typed).contains("'postgress://h/d' is not a store"));
    assert!(said(&["jobs", "list"]).contains("http://127.0.0.1:1"));
    assert!(said(&["scheduler", "--listen", "127.0.0.1:0"]).contains("F0502"));
}

/// A script that keeps what was printed must not take half a document, or none, for all of it.
#[cfg(target_os = "linux")]
#[test]
fn what_did_not_reach_standard_output_is_an_error() {
    use std::process::Stdio;
    let world = World::new();
    let verbs: [&[&str]; 5] = [
        &["explain"],
        &["explain", "--json"],
        &["explain", "--quiet"],
        &["completions", "bash"],
        &["man"],
    ];
    for args in verbs {
        let full = std::fs::File::options().write(true).open("/dev/full").expect("a full disk");
        let output = world.platefarm(args).stdout(full).output().expect("the program starts");
        let told = text(&output.stderr);
        assert_eq!(output.status.code(), Some(4), "{args:?}: {told}");
        assert!(told.contains("F0301") && told.contains("standard output"), "{args:?}: {told}");
        // Whoever reads no more has enough.
        let mut command = world.platefarm(args);
        let mut left = command.stdout(Stdio::piped()).spawn().expect("the program starts");
        drop(left.stdout.take());
        assert!(left.wait().expect("it ends").success(), "{args:?}");
    }
}
