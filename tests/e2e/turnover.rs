//! A turnover with every trap that editorial and camera department set, on
//! the real binary: what becomes of each event, plate by plate.

use crate::harness::{World, copy_clip, root, s, text, tree};
use serde_json::Value;
use std::path::{Path, PathBuf};

/// Events in the order of `docs/pulls.md`; the clip is A001_C001 at 01:00:00:00, 8 frames.
const LIST: &str = "TITLE: TURNOVER 03\nFCM: NON-DROP FRAME\n\
    \n\
    001  A001     V     C        01:00:00:02 01:00:00:05 01:00:00:00 01:00:00:03\n\
    * FROM CLIP NAME: A001_C001\n* LOC: 01:00:00:00 RED BB_010 sky\n\
    * ASC_SOP (1.05 1.0 0.95)(0.01 0.0 -0.01)(1.0 1.0 1.1)\n* ASC_SAT 0.9\n\
    \n\
    002  AX       V     C        01:00:00:03 01:00:00:05 01:00:00:03 01:00:00:05\n\
    * FROM CLIP NAME: A001_C001.MOV\n* LOC: 01:00:00:03 RED BB_020\n\
    \n\
    003  A001C001 V     C        01:00:00:01 01:00:00:03 01:00:00:05 01:00:00:07\n\
    * LOC: 01:00:00:05 RED BB_030\n\
    \n\
    004  A001     V     C        01:00:00:02 01:00:00:06 01:00:00:07 01:00:00:09\n\
    M2   A001     048.0                01:00:00:02\n\
    * FROM CLIP NAME: A001_C001\n* LOC: 01:00:00:07 RED BB_040\n\
    \n\
    005  A001     V     C        01:00:00:04 01:00:00:05 01:00:00:09 01:00:00:15\n\
    * FREEZE FRAME\n* FROM CLIP NAME: A001_C001\n* LOC: 01:00:00:09 RED BB_050\n\
    \n\
    006  A001     V     C        01:00:00:00 01:00:00:03 01:00:00:15 01:00:00:18\n\
    * FROM CLIP NAME: A001_C001\n* LOC: 01:00:00:15 RED BB_060\n\
    007  A001     V     C        01:00:00:03 01:00:00:03 01:00:00:18 01:00:00:18\n\
    007  CHART    V     D    002 00:00:00:00 00:00:00:01 01:00:00:18 01:00:00:20\n\
    * FROM CLIP NAME: A001_C001\n* TO CLIP NAME: COLORCHART\n* LOC: 01:00:00:18 RED CC_010\n\
    \n\
    008  A001     V     C        01:00:00:05 01:00:00:09 01:00:00:20 01:00:01:00\n\
    * FROM CLIP NAME: A001_C001\n* LOC: 01:00:00:20 RED BB_080\n\
    \n\
    009  BL       V     C        00:00:00:00 00:00:00:02 01:00:01:00 01:00:01:02\n\
    010  SND7     A     C        01:00:00:00 01:00:02:00 01:00:00:00 01:00:02:00\n\
    \n\
    011  B002_C001 V    C        01:00:00:02 01:00:00:04 01:00:01:02 01:00:01:04\n\
    * LOC: 01:00:01:02 RED BB_110\n\
    \n\
    012  Z999     V     C        07:00:00:00 07:00:00:04 01:00:01:04 01:00:01:08\n\
    * FROM CLIP NAME: Z999_C007\n\
    013  A001     V     C        01:00:00:02 01:00\n\
    \n\
    014  A001     V     C        01:00:00:02 01:00:00:04 01:00:01:08 01:00:01:10\n\
    * FROM CLIP NAME: A001_C001\n* LOC: 01:00:01:08 RED BB_010\n";

/// Camera cards: the ball, the chart, and a roll that lies there twice.
fn media(world: &World) -> PathBuf {
    let media = world.path("ocf");
    copy_clip("beachball", &media.join("A001"));
    copy_clip("colorchart", &media.join("chart"));
    for copy in ["day_01/B002", "day_01_copy/B002"] {
        let dir = media.join(copy);
        copy_clip("beachball", &dir);
        for file in tree(&dir) {
            let name = file.replace("A001_C001", "B002_C001");
            std::fs::rename(dir.join(&file), dir.join(name)).expect("renamed");
        }
    }
    media
}

fn plan(world: &World, edl: &Path, media: &Path, more: &[&str]) -> Value {
    let out = world.path("planned");
    let args = [
        "pull",
        "--dry-run",
        "--edl",
        s(edl),
        "--media",
        s(media),
        "--out",
        s(&out),
        "--rate",
        "24",
        "--show",
        "TRAPS",
        "--spec",
        "vfx-plate",
        "--handles",
        "2",
    ];
    world.planned(&[&args, more].concat())
}

fn by_event<'v>(list: &'v Value, number: &str) -> Vec<&'v Value> {
    let all = list.as_array().expect("a list").iter();
    all.filter(|one| one["event"]["number"] == number).collect()
}

#[test]
fn every_trap_ends_as_it_should() {
    let world = World::new();
    let media = media(&world);
    let edl = world.path("turnover_03.edl");
    std::fs::write(&edl, LIST).expect("a list");
    let planned = plan(&world, &edl, &media, &[]);
    let plate = |number: &str| {
        let found = by_event(&planned["plates"], number);
        assert_eq!(found.len(), 1, "event {number}: {planned:#}");
        found[0]
    };
    for (number, name, rule, frames, handles) in [
        ("001", "BB_010_PL01_v001", "reel", "1001-1007", [2, 2]),
        ("002", "BB_020_PL01_v001", "clip-name", "1001-1006", [2, 2]),
        ("003", "BB_030_PL01_v001", "normalised", "1001-1005", [1, 2]),
        ("004", "BB_040_PL01_v001", "reel", "1001-1008", [2, 2]),
        ("005", "BB_050_PL01_v001", "reel", "1001-1005", [2, 2]),
        // The tail of the dissolve, two frames, belongs to the shot.
        ("006", "BB_060_PL01_v001", "reel", "1001-1007", [0, 2]),
        ("007", "CC_010_PL01_v001", "no-timecode", "1001", [0, 0]),
        ("008", "BB_080_PL01_v001", "one-frame", "1001-1005", [2, 0]),
        ("014", "BB_010_PL02_v001", "reel", "1001-1006", [2, 2]),
    ] {
        let plate = plate(number);
        assert_eq!(plate["name"], name);
        assert_eq!(plate["matched"]["rule"], rule, "{name}");
        assert_eq!(plate["frames"], frames, "{name}: {:#}", plate["notes"]);
        assert_eq!(plate["handles"], serde_json::json!(handles), "{name}");
    }
    assert_eq!(plate("004")["retime"]["speed"], 2.0);
    assert_eq!(plate("005")["retime"]["speed"], 0.0);
    for (number, code) in [("011", "F0204"), ("012", "F0203")] {
        let rejected = by_event(&planned["rejected"], number);
        assert_eq!(rejected[0]["fault"]["code"], code, "{rejected:#?}");
    }
    let conflict = by_event(&planned["rejected"], "011")[0]["candidates"].as_array().expect("two");
    assert_eq!(conflict.len(), 2, "both are shown: {conflict:#?}");
    let lines: Vec<&str> = planned["rejected"]
        .as_array()
        .expect("a list")
        .iter()
        .filter_map(|one| one["fault"]["place"].as_str())
        .collect();
    assert!(lines.iter().any(|place| place.starts_with("line ")), "the broken line: {lines:?}");
    assert_eq!(planned["skipped"].as_array().map(Vec::len), Some(3), "black, sound, a tail");
    assert!(planned["estimate"]["bytes"].as_u64().is_some_and(|bytes| bytes > 1_000_000));
    once_is_enough(&world, &edl, &media);
    // For people: which frames of the media each plate holds, and how long that takes.
    let out = world.path("planned");
    let args = ["pull", "--dry-run", "--edl", s(&edl), "--media", s(&media), "--out", s(&out)];
    let shown = world.run(&[&args[..], &["--rate", "24", "--handles", "2"]].concat());
    let said = text(&shown.stdout);
    assert_eq!(shown.status.code(), Some(2), "{said}");
    for part in ["01:00:00:00-01:00:00:06", "on ", " of one"] {
        assert!(said.contains(part), "{part}: {said}");
    }
    assert!(text(&shown.stderr).contains("F0513"), "{}", text(&shown.stderr));
}

/// The shot that is used twice and more, delivered once.
fn once_is_enough(world: &World, edl: &Path, media: &Path) {
    let planned = plan(world, edl, media, &["--repeated", "once"]);
    let first = &by_event(&planned["plates"], "001")[0];
    assert_eq!(first["frames"], "1001-1008", "all of the clip");
    assert_eq!(first["also"].as_array().map(Vec::len), Some(7));
    assert_eq!(planned["plates"].as_array().map(Vec::len), Some(2));
}

/// A person chooses, the choice is kept, and the package comes out whole and released.
#[test]
fn a_choice_is_kept_and_the_second_pull_renders_only_what_changed() {
    let world = World::new();
    let media = media(&world);
    let edl = world.path("turnover_03.edl");
    // Without the two that no person can mend here.
    let gone = |line: &&str| {
        let number = line.get(..3).unwrap_or_default();
        number != "012" && number != "013" && !line.contains("Z999")
    };
    let list: Vec<&str> = LIST.lines().filter(gone).collect();
    std::fs::write(&edl, list.join("\n") + "\n").expect("a list");
    let choices = world.path("choices.toml");
    let chosen =
        format!("[[choice]]\nreel = \"B002_C001\"\nuse = \"{}\"\n", s(&media.join("day_01")));
    std::fs::write(&choices, chosen).expect("choices");
    let planned = plan(&world, &edl, &media, &["--resolve", s(&choices)]);
    assert_eq!(by_event(&planned["plates"], "011")[0]["matched"]["tier"], "chosen");
    let again = plan(&world, &edl, &media, &[]);
    assert!(by_event(&again["plates"], "011").is_empty(), "a dry run keeps nothing");

    let (first, second) = (world.path("v1"), world.path("v2"));
    let fdl = root().join("tests/fixtures/pull/show.fdl");
    let pull = |out: &Path, edl: &Path, more: &[&str]| {
        let args = [
            "pull",
            "--local",
            "--edl",
            s(edl),
            "--media",
            s(&media),
            "--out",
            s(out),
            "--rate",
            "24",
            "--show",
            "TRAPS",
            "--spec",
            "review",
            "--handles",
            "1",
            "--fdl",
            s(&fdl),
            "--template",
            "VFX_PULL",
            "--debayer",
            "mhc",
            "--backend",
            "cpu",
        ];
        world.json(&[&args, more].concat())
    };
    let summary = pull(&first, &edl, &["--resolve", s(&choices)]);
    assert_eq!(summary["phase"], "done", "{summary}");
    // The show remembers.
    let again = plan(&world, &edl, &media, &[]);
    assert_eq!(by_event(&again["plates"], "011")[0]["matched"]["tier"], "chosen");
    let report = report(&first);
    assert_eq!(
        (&report["complete"], &report["released"]),
        (&true.into(), &true.into()),
        "{:#}",
        report["gate"]
    );
    let files = tree(&first);
    for file in [
        "BB_010_PL01_v001/BB_010_PL01_v001.cc",
        "BB_010_PL01_v001/BB_010_PL01_v001.cdl",
        "BB_010_PL01_v001/BB_010_PL01_v001.decode.json",
        "edit/pull_list.csv",
        "edit/pull_list.ale",
        "stills/BB_010_PL01_v001.png",
        "review/BB_010_PL01_v001.mp4",
    ] {
        assert!(files.iter().any(|name| name == file), "{file} in {files:?}");
    }
    assert_eq!(platefarm_media::mhl::verify(&first), vec![], "the manifest verifies");

    // The next cut: 001 is a frame longer at its tail.
    let next = world.path("turnover_04.edl");
    let text = std::fs::read_to_string(&edl).expect("the list");
    let text = text.replacen(
        "01:00:00:02 01:00:00:05 01:00:00:00 01:00:00:03",
        "01:00:00:02 01:00:00:06 01:00:00:00 01:00:00:04",
        1,
    );
    std::fs::write(&next, text).expect("a list");
    let summary = pull(&second, &next, &["--previous", s(&first)]);
    assert_eq!(summary["phase"], "done", "{summary}");
    let taken = summary["backends"]["taken over"].as_u64().unwrap_or_default();
    // The one that is new may be another plate's frame of the same number.
    let rendered = summary["frames"].as_u64().unwrap_or_default() - taken;
    assert!(rendered <= 1 && summary["frames_failed"] == 0, "{summary}");
    let old =
        std::fs::read(first.join("BB_010_PL01_v001/BB_010_PL01_v001.1003.exr")).expect("a frame");
    let new =
        std::fs::read(second.join("BB_010_PL01_v002/BB_010_PL01_v002.1003.exr")).expect("a frame");
    assert!(old == new, "the same picture under the next version");
    let changes = second.join("edit/changes_since_v1.json");
    assert!(changes.exists(), "what became of each shot since lies beside the list");
    assert!(self::report(&second)["notes"].to_string().contains("F0280"));
    assert_eq!(self::report(&second)["released"], true, "{:#}", self::report(&second)["gate"]);
}

fn report(dir: &Path) -> Value {
    serde_json::from_slice(&std::fs::read(dir.join("report.json")).expect("a report"))
        .expect("JSON")
}

/// The library finds what was added, and a pull over it takes the same clips.
#[test]
fn a_pull_over_the_library_is_the_pull_over_its_media() {
    let world = World::new();
    let media = media(&world);
    let edl = world.path("turnover_03.edl");
    std::fs::write(&edl, LIST).expect("a list");
    let added = world.json(&["library", "add", s(&media), "--show", "TRAPS"]);
    assert_eq!(added["new"], 4, "{added}");
    let found = world.json(&["library", "search", "B002_C001", "tc:01:00:00:03"]);
    assert_eq!(found["count"], 2, "{found:#}");
    let chart = world.json(&["library", "search", "colorchart"]);
    let id = chart["clips"][0]["id"].as_str().expect("an id").to_owned();
    assert_eq!(world.json(&["library", "show", &id])["id"], id.as_str());
    let formats = world.json(&["library", "formats"]);
    assert!(formats["formats"].as_array().is_some_and(|all| !all.is_empty()), "{formats}");
    let scanned = plan(&world, &edl, &media, &[]);
    let out = world.path("planned");
    let kept = world.planned(&[
        "pull",
        "--dry-run",
        "--library",
        "--edl",
        s(&edl),
        "--out",
        s(&out),
        "--rate",
        "24",
        "--show",
        "TRAPS",
        "--spec",
        "vfx-plate",
        "--handles",
        "2",
    ]);
    let essence = |plan: &Value| -> Vec<Value> {
        let plates = plan["plates"].as_array().expect("plates").iter();
        plates
            .map(|p| serde_json::json!([p["name"], p["frames"], p["clip"]["path"], p["matched"]]))
            .collect()
    };
    assert_eq!(essence(&kept), essence(&scanned));

    let library = |show: &str| -> Vec<String> {
        let args = ["pull", "--library", "--edl", s(&edl), "--out", s(&out), "--rate", "24"];
        [&args[..], &["--show", show, "--dry-run"]].concat().into_iter().map(Into::into).collect()
    };
    let with = |show: &str, more: &[&str]| -> Vec<String> {
        library(show).into_iter().chain(more.iter().map(|s| (*s).to_owned())).collect()
    };
    let run =
        |args: Vec<String>| world.planned(&args.iter().map(String::as_str).collect::<Vec<_>>());
    // Another show takes none of them, unless it is told to.
    let args = library("OTHER");
    let refused = world.fails("F0111", &args.iter().map(String::as_str).collect::<Vec<_>>());
    assert!(refused["remedy"].as_str().is_some_and(|r| r.contains("--any-show")), "{refused}");
    let wide = run(with("OTHER", &["--any-show"]));
    assert_eq!(wide["plates"].as_array().map(Vec::len), kept["plates"].as_array().map(Vec::len));
    assert!(wide["notes"].to_string().contains("F0272"), "{:#}", wide["notes"]);
    // A dry run learns nothing; a choice that leads nowhere is told.
    let choices = world.path("choices.toml");
    let chosen = media.join("day_01");
    let text = format!(
        "[[choice]]\nreel = \"B002_C001\"\nuse = \"{}\"\n[[choice]]\nreel = \"NO\"\nuse = \"x\"\n",
        s(&chosen)
    );
    std::fs::write(&choices, text).expect("choices");
    let resolved = run(with("TRAPS", &["--resolve", s(&choices)]));
    assert_eq!(by_event(&resolved["plates"], "011").len(), 1);
    assert!(resolved["notes"].to_string().contains("the choice of 'x' leads no event"));
    assert_eq!(by_event(&run(library("TRAPS"))["plates"], "011").len(), 0, "nothing was kept");
    // Who names no show is told that nothing is kept.
    let nobody: Vec<String> = with("TRAPS", &["--resolve", s(&choices), "--any-show"]);
    let nobody = nobody.into_iter().filter(|word| word != "--show" && word != "TRAPS").collect();
    assert!(run(nobody)["notes"].to_string().contains("no show is named"));
    std::fs::write(&choices, "[[choice]]\nuse = \"x\"\n").expect("choices");
    let args = with("TRAPS", &["--resolve", s(&choices)]);
    world.fails("F0261", &args.iter().map(String::as_str).collect::<Vec<_>>());
    // Media that went is told, and is no clip.
    std::fs::remove_dir_all(media.join("chart")).expect("removed");
    let left = run(library("TRAPS"));
    assert_eq!(by_event(&kept["plates"], "007").len(), 1);
    assert!(by_event(&left["plates"], "007").is_empty(), "{left:#}");
    assert!(left["notes"].to_string().contains("is not there any more"), "{:#}", left["notes"]);
    // Of the two that hold event 011 one went too: it is shown as gone, and the other is not taken
    // for that.
    std::fs::remove_dir_all(media.join("day_01_copy")).expect("removed");
    let one_left = run(library("TRAPS"));
    assert!(by_event(&one_left["plates"], "011").is_empty(), "{one_left:#}");
    let conflict = by_event(&one_left["rejected"], "011")[0];
    assert_eq!(conflict["fault"]["code"], "F0204", "{conflict:#}");
    let candidates = conflict["candidates"].as_array().expect("candidates").iter();
    let gone = |one: &Value| {
        (one["path"].as_str().is_some_and(|p| p.contains("day_01_copy")), one["gone"] == true)
    };
    let mut shown: Vec<(bool, bool)> = candidates.map(gone).collect();
    shown.sort_unstable();
    assert_eq!(shown, [(false, false), (true, true)], "{conflict:#}");
    // Without all of its media on this machine the list is planned as the library knows it.
    std::fs::rename(&media, world.path("elsewhere")).expect("moved");
    let away = run(library("TRAPS"));
    assert_eq!(by_event(&away["plates"], "007").len(), 1, "{away:#}");
    assert!(away["notes"].to_string().contains("F0274"), "{:#}", away["notes"]);
    world.fails("F0008", &["library", "search", "bogus:x"]);
}
