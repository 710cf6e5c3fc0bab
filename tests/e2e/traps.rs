//! What cameras and editing systems do to rate, time, speed and writing: the
//! second turnover of `docs/pulls.md`, event by event. Every number is worked
//! out by hand, in the comments; handles are 4 frames.

use crate::harness::{World, document, s, tree};
use platefarm_model::{FrameRate, Timecode};
use platefarm_testclips::{ClipSpec, write_clip};
use serde_json::{Value, json};
use std::path::{Path, PathBuf};

/// Two cameras that run at one timecode, a take over midnight, one at 23.976, one of 96 frames a second.
const LIST: &str = "TITLE: TURNOVER 04\nFCM: NON-DROP FRAME\n\
    \n\
    001  A001C003_240101_R1AB             V     C        10:00:00:12 10:00:01:12 01:00:00:00 01:00:01:00\n\
    * FROM CLIP NAME: A001C003_240101_R1AB\n* LOC: 01:00:00:00 RED TT_010\n\
    * ASC_SOP (1.1 1.0 0.9)(0.01 0.0 -0.01)(1.0 1.0 1.1)\n* ASC_SAT 0.9\n\
    002  A001C003_240101_R1AB             V     C        10:00:01:12 10:00:01:12 01:00:01:00 01:00:01:00\n\
    002  B001C001_240101_R1AB             V     W001 008 10:00:00:00 10:00:01:00 01:00:01:00 01:00:02:00\n\
    * FROM CLIP NAME: A001C003_240101_R1AB\n* TO CLIP NAME: B001C001_240101_R1AB\n* LOC: 01:00:01:00 RED TT_020\n\
    003  A002C001_240101_R1AB             V     C        23:59:59:12 00:00:00:12 01:00:02:00 01:00:03:00\n\
    * LOC: 01:00:02:00 RED TT_030\n\
    004  A003C001_240101_R1AB             V     C        11:00:00:12 11:00:01:12 01:00:03:00 01:00:04:00\n\
    * LOC: 01:00:03:00 RED TT_040\n\
    005  A004C001_240101_R1AB             V     C        12:00:00:06 12:00:01:06 01:00:04:00 01:00:05:00\n\
    * LOC: 01:00:04:00 RED TT_050\n\
    006  A001C003_240101_R1AB             V     C        10:00:02:00 10:00:02:12 01:00:05:00 01:00:06:00\n\
    M2   A001C003_240101_R1AB             012.0                    10:00:02:00\n* LOC: 01:00:05:00 RED TT_060\n\
    007  A001C003_240101_R1AB             V     C        10:00:02:12 10:00:03:00 01:00:06:00 01:00:06:12\n\
    M2   A001C003_240101_R1AB             -024.0                   10:00:02:12\n* LOC: 01:00:06:00 RED TT_070\n\
    008  A001C003_240101_R1AB             V     C        10:00:02:00 10:00:02:06 01:00:06:12 01:00:06:18\n\
    M2   A001C003_240101_R1AB             -048.0                   10:00:02:00\n* LOC: 01:00:06:12 RED TT_080\n\
    009  A001C003_240101_R1AB             V     C        10:00:03:00 10:00:03:01 01:00:06:18 01:00:07:06\n\
    M2   A001C003_240101_R1AB             000.0                    10:00:03:00\n* LOC: 01:00:06:18 RED TT_090\n\
    010  A001C003 V     C        10:00:00:12 10:00:01:12 01:00:07:06 01:00:08:06\n\
    * LOC: 01:00:07:06 RED TT_100\n\
    011  B001C001_240101_R1AB             V     C        10:00:00:12 10:00:00:28 01:00:08:06 01:00:08:22\n\
    * LOC: 01:00:08:06 RED TT_110\n\
    012  B001C001_240101_R1AB             V     C        10:00:01:00 10:00:01:12 01:00:08:22 01:00:09:10\n\
    * LOC: 01:00:08:22 RED TURNOVER_04_130\n\
    013  B001C001_240101_R1AB             V     C        10:00:01:12 10:00:02:00 01:00:09:10 01:00:09:22\n\
    014  A002C001_240101_R1AB             V     C        00:00:00:18 00:00:01:00 01:00:09:22 01:00:10:04\n\
    * LOC: 01:00:09:22 GREEN COUP\u{c9}\n* LOC: 01:00:09:23 RED tt_010\n";

/// Shot at 29.97: one recorder drops frame numbers, the other does not; the list does.
const DROP_FRAME: &str = "TITLE: TURNOVER 05\nFCM: DROP FRAME\n\
    001  D001C001_240101_R1AB             V     C        01:00:59;25 01:01:00;12 01:00:00;00 01:00:00;15\n\
    * LOC: 01:00:00;00 RED DD_010\n\
    002  D002C001_240101_R1AB             V     C        02:00:00;10 02:00:01;00 01:00:00;15 01:00:01;05\n\
    * LOC: 01:00:00;15 RED DD_020\n";

/// An export for CMX 3600: every reel is cut to 8 characters.
const CUT_REELS: &str = "TITLE: TURNOVER 06\nFCM: NON-DROP FRAME\n\
    001  A001C003 V     C        10:00:00:12 10:00:01:12 01:00:00:00 01:00:01:00\n* LOC: 01:00:00:00 RED CC_010\n\
    002  A002C001 V     C        23:59:59:12 00:00:00:12 01:00:01:00 01:00:02:00\n* LOC: 01:00:01:00 RED CC_020\n";

/// The camera cards: name, start, rate, frames, and the sensor's rate where it is another.
const CLIPS: &[(&str, &str, &str, u32, Option<&str>)] = &[
    ("A001C003_240101_R1AB", "10:00:00:00", "24", 96, None),
    ("B001C001_240101_R1AB", "10:00:00:00", "24", 48, None),
    ("A002C001_240101_R1AB", "23:59:59:00", "24", 48, None),
    ("A003C001_240101_R1AB", "11:00:00:00", "23.976", 48, None),
    ("A004C001_240101_R1AB", "12:00:00:00", "24", 48, Some("96")),
    ("D001C001_240101_R1AB", "01:00:59;20", "29.97", 60, None),
    ("D002C001_240101_R1AB", "02:00:00:00", "29.97", 60, None),
];

fn media(world: &World) -> PathBuf {
    let media = world.path("ocf");
    for (name, start, rate, frames, capture) in CLIPS {
        let rate: FrameRate = rate.parse().expect("a rate");
        let spec = ClipSpec {
            name: (*name).into(),
            reel: Some(format!("{}R1AB", &name[..4])),
            camera: Some(name[..1].into()),
            start: Some(Timecode::parse(start, rate).expect("a timecode")),
            rate,
            capture_rate: capture.map(|rate| rate.parse().expect("a rate")),
            frames: *frames,
            width: 64,
            height: 36,
            noise: 0.5,
            ..ClipSpec::default()
        };
        write_clip(&media.join(&name[..4]), &spec).expect("a clip");
    }
    media
}

/// The arguments of a pull of a list.
fn pull<'a>(edl: &'a Path, media: &'a Path, out: &'a Path, rate: &'a str) -> Vec<&'a str> {
    let args = ["pull", "--edl", s(edl), "--media", s(media), "--out", s(out), "--rate", rate];
    [&args[..], &["--show", "TT", "--spec", "vfx-plate", "--handles", "4"]].concat()
}

/// The plan of a list, whatever it ends with.
fn plan(world: &World, media: &Path, list: &[u8], rate: &str) -> Value {
    let (edl, out) = (world.path("list.edl"), world.path("planned"));
    std::fs::write(&edl, list).expect("a list");
    let args = [&pull(&edl, media, &out, rate)[..], &["--dry-run", "--json"]].concat();
    document(&world.run(&args))
}

fn all<'v>(plan: &'v Value, what: &str) -> impl Iterator<Item = &'v Value> {
    plan[what].as_array().into_iter().flatten()
}

/// The codes of what is noted.
fn codes(notes: &Value) -> Vec<&str> {
    let notes = notes.as_array().into_iter().flatten();
    notes.filter_map(|note| note["code"].as_str()).collect()
}

/// Event, plate, rule, first frame of the clip, frames, handles, notes.
type Plate<'a> = (&'a str, &'a str, &'a str, i64, &'a str, [u32; 2], &'a [&'a str]);

fn expect(plan: &Value, plates: &[Plate<'_>]) {
    for (event, name, rule, first, frames, handles, notes) in plates {
        let plate = all(plan, "plates").find(|plate| plate["event"]["number"] == *event);
        let plate = plate.unwrap_or_else(|| panic!("event {event}: {plan:#}"));
        assert_eq!((&plate["name"], &plate["matched"]["rule"]), (&json!(name), &json!(rule)));
        let got = (&plate["source_first"], &plate["frames"], &plate["handles"]);
        assert_eq!(got, (&json!(first), &json!(frames), &json!(handles)), "{plate:#}");
        assert_eq!(codes(&plate["notes"]), *notes, "{name}: {:#}", plate["notes"]);
    }
    assert_eq!(all(plan, "plates").count(), plates.len(), "{plan:#}");
}

#[test]
fn every_trap_of_rate_time_and_speed_ends_as_it_should() {
    let world = World::new();
    let planned = plan(&world, &media(&world), LIST.as_bytes(), "24");
    expect(
        &planned,
        &[
            // A long reel. Frames 12 to 35, and 8 of the wipe into 002: 32; with handles from 8.
            ("001", "TT_010_PL01_v001", "reel", 8, "1001-1040", [4, 4], &["F0218", "F0225"]),
            // The wipe's other side: 24 frames from the clip's first. A001C003 has that timecode too.
            ("002", "TT_020_PL01_v001", "reel", 0, "1001-1028", [0, 4], &["F0213"]),
            // Over midnight: frames 12 to 35 of a clip that begins a second before it.
            ("003", "TT_030_PL01_v001", "reel", 8, "1001-1032", [4, 4], &[]),
            // The same frame numbers, at 23.976.
            ("004", "TT_040_PL01_v001", "sibling-rate", 8, "1001-1032", [4, 4], &["F0260"]),
            // 96 frames a second: timecode counts them as they play; frames 6 to 29.
            ("005", "TT_050_PL01_v001", "reel", 2, "1001-1032", [4, 4], &["F0217"]),
            // Half speed: 24 frames of the cut show 12, frames 48 to 59.
            ("006", "TT_060_PL01_v001", "reel", 44, "1001-1020", [4, 4], &["F0217"]),
            // Backwards, with a range of the length that is shown: frames 60 to 71.
            ("007", "TT_070_PL01_v001", "reel", 56, "1001-1020", [4, 4], &["F0217"]),
            // Backwards at double speed: 6 frames of the cut show 12, and the list writes 6. Down from
            // its in they are 37 to 48; from the in up, where the out was not counted, 48 to 59.
            ("008", "TT_080_PL01_v001", "reel", 33, "1001-1031", [4, 4], &["F0217"]),
            // Frozen: frame 72.
            ("009", "TT_090_PL01_v001", "reel", 68, "1001-1009", [4, 4], &["F0217"]),
            // A reel cut to 8 characters among long ones.
            ("010", "TT_100_PL01_v001", "cut-reel", 8, "1001-1032", [4, 4], &["F0260"]),
            ("012", "TURNOVER_04_130_PL01_v001", "reel", 20, "1001-1020", [4, 4], &[]),
            // The shot of 001, in small letters; frames 42 to 47, the clip's last.
            ("014", "TT_010_PL02_v001", "reel", 38, "1001-1010", [4, 0], &["F0213"]),
        ],
    );
    let speeds = all(&planned, "plates").filter_map(|plate| {
        Some((plate["event"]["number"].as_str()?, plate["retime"]["speed"].as_f64()?))
    });
    let speeds: Vec<(&str, f64)> = speeds.collect();
    assert_eq!(speeds, [("006", 0.5), ("007", -1.0), ("008", -2.0), ("009", 0.0)]);
    let unsure = all(&planned, "plates").find(|plate| plate["event"]["number"] == "008");
    assert!(unsure.expect("a plate")["notes"].to_string().contains("does not say whether"));
    let first = all(&planned, "plates").next().expect("a plate");
    let beside: Vec<&Value> = all(first, "documents").map(|document| &document["name"]).collect();
    assert_eq!(beside, ["TT_010_PL01_v001.cc", "TT_010_PL01_v001.cdl"]);

    // 011 has a frame number that 24 frames have not; 013 without a marker is shot 130 of the list,
    // as 012 is by its marker.
    let rejected: Vec<_> =
        all(&planned, "rejected").map(|one| (&one["event"]["number"], &one["fault"])).collect();
    let told: Vec<_> = rejected.iter().map(|(event, fault)| (*event, &fault["code"])).collect();
    let (unreadable, collision) = (json!("F0201"), json!("F0212"));
    assert_eq!(told, [(&json!("011"), &unreadable), (&json!("013"), &collision)]);
    assert!(rejected[0].1["message"].to_string().contains("10:00:00:28"), "{rejected:#?}");
    assert_eq!(all(&planned, "skipped").count(), 1, "the outgoing line of the wipe");
    assert!(codes(&planned["notes"]).contains(&"F0260"), "fuzzy matches are summed up");
}

/// However a list is written, it is the same turnover.
#[test]
fn encodings_and_line_ends_change_nothing() {
    let world = World::new();
    let media = media(&world);
    let essence = |list: &[u8]| {
        let planned = plan(&world, &media, list, "24");
        let plates = all(&planned, "plates").map(|plate| {
            json!([plate["name"], plate["frames"], plate["clip"]["path"], plate["source_first"]])
        });
        let rejected = all(&planned, "rejected").map(|one| one["fault"]["code"].clone());
        plates.chain(rejected).collect::<Vec<Value>>()
    };
    let plain = essence(LIST.as_bytes());
    assert_eq!(plain.len(), 14);
    let windows = LIST.replace('\n', "\r\n");
    // Every character is one of Latin-1, whose code is its byte in Windows-1252.
    let latin: Vec<u8> = windows.chars().map(|c| u8::try_from(c).expect("Latin-1")).collect();
    let wide = std::iter::once(0xFEFF).chain(windows.encode_utf16());
    let [little, big] = [u16::to_le_bytes, u16::to_be_bytes]
        .map(|bytes: fn(u16) -> [u8; 2]| wide.clone().flat_map(bytes).collect::<Vec<u8>>());
    let marked = format!("\u{feff}{LIST}\u{1a}").into_bytes();
    let old = LIST.replace('\n', "\r").into_bytes();
    for (what, list) in [
        ("Windows-1252, CR LF", latin),
        ("UTF-16, little end first", little),
        ("UTF-16, big end first", big),
        ("UTF-8 with its mark and Ctrl-Z", marked),
        ("CR", old),
    ] {
        assert_eq!(essence(&list), plain, "{what}");
    }
}

#[test]
fn drop_frame_and_cut_reels_are_matched_by_rules_that_say_so() {
    let world = World::new();
    let media = media(&world);
    let planned = plan(&world, &media, DROP_FRAME.as_bytes(), "29.97");
    expect(
        &planned,
        &[
            // From 01:00:59;20 on ;25 is frame 5, and 01:01:00;02, which follows ;29, is frame 10:
            // frames 5 to 19, not to 21.
            ("001", "DD_010_PL01_v001", "reel", 1, "1001-1023", [4, 4], &[]),
            // The clip does not drop frames; the numbers are the same before the first that is.
            ("002", "DD_020_PL01_v001", "sibling-rate", 6, "1001-1028", [4, 4], &["F0260"]),
        ],
    );
    let planned = plan(&world, &media, CUT_REELS.as_bytes(), "24");
    expect(
        &planned,
        &[
            ("001", "CC_010_PL01_v001", "cut-reel", 8, "1001-1032", [4, 4], &["F0260"]),
            ("002", "CC_020_PL01_v001", "cut-reel", 8, "1001-1032", [4, 4], &["F0260"]),
        ],
    );
    assert!(codes(&planned["notes"]).contains(&"F0214"), "{:#}", planned["notes"]);
}

/// Without the two that no person can mend here it is pulled and released, and its frames say whence they come.
#[test]
fn the_turnover_is_delivered() {
    let world = World::new();
    let media = media(&world);
    let mut kept = true;
    let whole = |line: &&str| {
        if line.get(..3).is_some_and(|number| number.parse::<u32>().is_ok()) {
            kept = !matches!(&line[..3], "011" | "013");
        }
        kept
    };
    let list: Vec<&str> = LIST.lines().filter(whole).collect();
    let (edl, out) = (world.path("list.edl"), world.path("out"));
    std::fs::write(&edl, list.join("\n") + "\n").expect("a list");
    let args = pull(&edl, &media, &out, "24");
    let args = [&args[..], &["--local", "--backend", "cpu", "--debayer", "mhc"]].concat();
    let summary = world.json(&args);
    assert_eq!((&summary["plates"], &summary["gate"]["released"]), (&json!(12), &json!(true)));
    let files = tree(&out);
    let count = |plate: &str| {
        let begins = format!("{plate}/{plate}.1");
        files.iter().filter(|file| file.starts_with(&begins) && file.ends_with(".exr")).count()
    };
    assert_eq!(["TT_010_PL01_v001", "TT_080_PL01_v001"].map(count), [40, 31]);
    let header = |plate: &str, number: u32| {
        let file = out.join(plate).join(format!("{plate}.{number}.exr"));
        exr::meta::MetaData::read_from_file(file, false).expect("a header").headers.remove(0)
    };
    // 23:59:59:08 is the first of TT_030; sixteen frames on it is midnight.
    for (number, time) in [(1001, [23, 59, 59, 8]), (1017, [0, 0, 0, 0])] {
        let code = header("TT_030_PL01_v001", number).shared_attributes.time_code.expect("a time");
        assert_eq!([code.hours, code.minutes, code.seconds, code.frame], time);
    }
    let fast = header("TT_050_PL01_v001", 1001).own_attributes;
    assert_eq!(fast.frames_per_second, Some((24, 1)));
    let name = exr::meta::attribute::Text::from("captureRate");
    let captured = fast.other.get(&name).expect("a capture rate");
    assert_eq!(*captured, exr::meta::attribute::AttributeValue::Rational((96, 1)));
}
