//! The edit list reader against lists of many systems, each with an
//! expectation that an independent reader made (`fixtures/edl/README.md`), and
//! against bytes that are no list at all.

use platefarm_model::{Code, Fault, FrameRate};
use platefarm_standards::editlist::{self, EditList};
use platefarm_standards::edl;
use proptest::prelude::*;
use serde_json::{Value, json};
use std::path::{Path, PathBuf};

fn fixtures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/edl")
}

fn lists(dir: &Path) -> Vec<PathBuf> {
    let mut found: Vec<PathBuf> = std::fs::read_dir(dir)
        .map(|entries| entries.filter_map(|e| Some(e.ok()?.path())).collect())
        .unwrap_or_default();
    found.retain(|path| path.extension().is_some_and(|e| e == "edl"));
    found.sort();
    found
}

fn read(path: &Path) -> (EditList, Value) {
    let json = std::fs::read(path.with_extension("expected.json")).unwrap();
    let case: Value = serde_json::from_slice(&json).unwrap();
    let rate: FrameRate = case["nominal_rate"].as_str().unwrap().parse().unwrap();
    (edl::parse(&std::fs::read(path).unwrap(), rate).unwrap(), case["expected"].clone())
}

/// Every difference between a list as read and its expectation.
fn differences(path: &Path) -> Vec<String> {
    let (edl, expected) = read(path);
    let ours = editlist::to_json(&edl);
    let mut found = Vec::new();
    let mut compare = |what: String, ours: &Value, theirs: &Value| {
        if ours != theirs {
            found.push(format!("{}: {what}: read {ours}, expected {theirs}", path.display()));
        }
    };
    for key in ["title", "encoding", "fcm", "header_comments", "unparsed"] {
        compare(key.into(), &ours[key], &expected[key]);
    }
    compare("unparsed remarks".into(), &ours["warnings"], &json!([]));
    let rows = |value: &Value| value["events"].as_array().unwrap().clone();
    let (events, theirs) = (rows(&ours), rows(&expected));
    compare("events".into(), &json!(events.len()), &json!(theirs.len()));
    for (ours, theirs) in events.iter().zip(&theirs) {
        for key in ours.as_object().unwrap().keys().chain(theirs.as_object().unwrap().keys()) {
            // What the expectations do not speak of.
            if ["umid", "long_reel"].contains(&key.as_str()) {
                continue;
            }
            compare(format!("line {} {key}", theirs["line"]), &ours[key], &theirs[key]);
        }
    }
    found
}

#[test]
fn every_list_reads_as_expected() {
    let lists = lists(&fixtures());
    assert!(lists.len() >= 38, "{} lists: the fixtures are not whole", lists.len());
    let found: Vec<String> = lists.iter().flat_map(|path| differences(path)).collect();
    assert!(found.is_empty(), "{} differences:\n{}", found.len(), found.join("\n"));
}

/// Lists that cannot be copied here lie beside the checkout on a developer's machine.
#[test]
fn lists_beside_the_checkout_read_as_expected() {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/data/editorial/given/edl");
    let lists = lists(&dir);
    assert!(!dir.exists() || lists.len() >= 59, "{} lists", lists.len());
    let found: Vec<String> = lists.iter().flat_map(|path| differences(path)).collect();
    let shown = found.iter().take(40).cloned().collect::<Vec<_>>().join("\n");
    assert!(found.is_empty(), "{} differences:\n{shown}", found.len());
}

/// A bad line is reported with its number and text, and costs nothing but itself.
#[test]
fn a_bad_line_is_reported_and_the_rest_is_kept() {
    let text = "TITLE: T\r\n\
        remark before the first event\r\n\
        001  A001C001 V     C        01:00:00:00 01:00:01:00 01:00:00:00 01:00:01:00\r\n\
        002  A001C002 V     C        01:00:00:00 01:00:01:24 01:00:01:00 01:00:02:00\r\n\
        003  A001C003 V     C        01:00:00:00 01:00:01:00 01:00:02\r\n\
        004  A001C004 V     Q        01:00:00:00 01:00:01:00 01:00:02:00 01:00:03:00\r\n\
        005  A001C005 V     C        01:00:00:00 01:00:01:00 01:00:03:00 01:00:04:00\r\n\
        M2   A001C001       fast     01:00:00:00\r\n\
        * ASC_SOP (1 1 1)(0 0 0)\r\n";
    let edl = edl::parse(text.as_bytes(), FrameRate::FPS_24).unwrap();
    let numbers: Vec<&str> = edl.events.iter().map(|e| e.number.as_str()).collect();
    assert_eq!(numbers, ["001", "002", "005"]);
    // A frame number beyond the timebase is counted on, and flagged.
    let doubt = edl.events[1].doubt.as_ref().unwrap();
    assert_eq!((doubt.code, doubt.place.as_deref()), (Code::BadEdlLine, Some("line 4")));
    assert!(doubt.message.contains("01:00:01:24"), "{doubt}");
    assert_eq!(edl.events[1].source.end.frames, 3601 * 24 + 24);
    assert_eq!(edl.remarks, ["remark before the first event"]);
    let places = |faults: &[Fault]| -> Vec<String> {
        assert!(faults.iter().all(|fault| fault.code == Code::BadEdlLine));
        faults.iter().filter_map(|fault| fault.place.clone()).collect()
    };
    assert_eq!(places(&edl.problems), ["line 5", "line 6"]);
    assert_eq!(places(&edl.warnings), ["line 8", "line 9"]);
    assert!(edl.problems[0].message.contains("A001C003"), "{}", edl.problems[0]);
    // What is reported is not lost either.
    assert_eq!(edl.events[2].remarks.len(), 2);
}

/// The name, speed, grade and markers of an event that cannot be read are not
/// those of the event before it, and its SPLIT is not that of the one behind.
#[test]
fn what_stands_under_an_unreadable_event_goes_to_no_other() {
    let good = "001  AX V C 01:00:00:00 01:00:01:00 01:00:00:00 01:00:01:00\n\
        * FROM CLIP NAME: GOOD\n* ASC_SOP (1 1 1)(0 0 0)(1 1 1)\n";
    let lost = "SPLIT: AUDIO DELAY= 00:00:00:04\n\
        002  AX V C 01:00:00:00 01:00:01:00 01:00:01:00 01:00:0\n\
        M2   AX 048.0 01:00:00:00\n* FROM CLIP NAME: OTHER\n* ASC_SOP (2 2 2)(0 0 0)(1 1 1)\n\
        * ASC_SAT 0.5\n* LOC: 01:00:01:00 RED SH_020\n* FREEZE FRAME\nfree text\n";
    let next =
        "003  AX V C 01:00:00:00 01:00:01:00 01:00:02:00 01:00:03:00\n* FROM CLIP NAME: NEXT\n";
    let read = |text: String| edl::parse(text.as_bytes(), FrameRate::FPS_24).unwrap();
    let (mut with, without) = (read([good, lost, next].concat()), read([good, next].concat()));
    with.events[1].line = without.events[1].line;
    assert_eq!(with.events, without.events);
    let place =
        |faults: &[Fault]| faults.iter().map(|f| f.place.clone().unwrap()).collect::<Vec<_>>();
    assert_eq!(place(&with.problems), ["line 5"]);
    assert_eq!(place(&with.warnings), ["line 6"], "what is left out is said, once");
    // A list whose first event is lost keeps what stands before it, and no more.
    let first = read(["remark\n", lost].concat());
    assert!(first.events.is_empty());
    assert_eq!(first.remarks, ["remark"]);
}

/// A colon means drop frame only where the header says so and no timecode is
/// marked. 01:00:00;00 is frame 107892 at 29.97 drop frame, by ST 12-1.
#[test]
fn the_header_decides_drop_frame_when_the_timecodes_do_not() {
    let rate: FrameRate = "29.97".parse().unwrap();
    let event = "001  A V C 01:00:00:00 01:00:01:00 00:00:00:00 00:00:01:00\n";
    let start = |text: String, rate| {
        let at = edl::parse(text.as_bytes(), rate).unwrap().events[0].source.start;
        (at.frames, at.drop_frame)
    };
    assert_eq!(start(format!("FCM: DROP FRAME\n{event}"), rate), (107_892, true));
    assert_eq!(start(format!("FCM: NON-DROP FRAME\n{event}"), rate), (108_000, false));
    let marked = "002  A V C 01:00:00;00 01:00:01;00 00:00:00;00 00:00:01;00\n";
    assert_eq!(start(format!("FCM: DROP FRAME\n{event}{marked}"), rate), (108_000, false));
    assert_eq!(
        start(format!("FCM: DROP FRAME\n{event}"), FrameRate::FPS_24),
        (86_400, false),
        "24 frames per second drop none"
    );
}

#[test]
fn a_list_beyond_the_limit_is_refused_whole() {
    let bytes = vec![b'\n'; platefarm_model::limits::MAX_EDL_BYTES as usize + 1];
    assert_eq!(edl::parse(&bytes, FrameRate::FPS_24).unwrap_err().code, Code::TooLarge);
}

/// Bytes that look like a list often enough to reach every branch.
fn nearly_a_list() -> impl Strategy<Value = Vec<u8>> {
    let word = prop_oneof![
        Just("001".to_owned()),
        Just("V".to_owned()),
        Just("C".to_owned()),
        Just("D".to_owned()),
        Just("K".to_owned()),
        Just("W001".to_owned()),
        Just("024".to_owned()),
        Just("*".to_owned()),
        Just("M2".to_owned()),
        Just("LOC:".to_owned()),
        Just("ASC_SOP".to_owned()),
        Just("AUD".to_owned()),
        Just("FCM: DROP FRAME".to_owned()),
        Just("99999999999999999999".to_owned()),
        Just("999999999999".to_owned()),
        Just("-9.9e307".to_owned()),
        "[0-9]{1,3}[:;][0-9]{1,2}[:;][0-9]{1,2}[:;.][0-9]{1,10}",
        "\\PC{0,6}",
    ];
    let line = prop::collection::vec(word, 0..12).prop_map(|words| words.join(" "));
    prop::collection::vec(line, 0..8).prop_map(|lines| lines.join("\n").into_bytes())
}

fn check_invariants(bytes: &[u8], rate: FrameRate) {
    let edl = edl::parse(bytes, rate).unwrap();
    let lines = bytes.len() + 1;
    assert!(edl.events.iter().all(|e| (1..=lines).contains(&e.line)));
    assert!(edl.events.windows(2).all(|w| w[0].line < w[1].line));
    for event in &edl.events {
        let _ = (event.source.frames(), event.record.frames(), event.is_picture());
    }
    let told = edl.problems.iter().chain(&edl.warnings);
    assert!(told.into_iter().all(|p| p.place.is_some() && !p.message.is_empty()));
}

/// Only names that end at eight characters can have been cut there.
#[test]
fn reels_look_cut_where_the_longest_have_eight_characters() {
    let whole = "* FINAL CUT PRO REEL: A001C001_240101 REPLACED BY: A001C001\n";
    for (reels, remark, cut) in [
        (&["A001C001", "B002"][..], "", true),
        (&["A001C001"][..], whole, false),
        (&["A001", "B002"][..], "", false),
        (&["A001C001", "A001C001_240101"][..], "", false),
        (&["BL", "AX"][..], "", false),
    ] {
        let line = |reel: &&str| {
            format!("001  {reel} V C 01:00:00:00 01:00:01:00 01:00:00:00 01:00:01:00\n{remark}")
        };
        let text: String = reels.iter().map(line).collect();
        let list = edl::parse(text.as_bytes(), FrameRate::FPS_24).unwrap();
        assert_eq!(list.reels_look_cut(), cut, "{text}");
        assert_eq!(editlist::to_json(&list)["reels_look_cut"], cut, "{text}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, ..ProptestConfig::default() })]

    #[test]
    fn random_bytes_do_no_harm(bytes in prop::collection::vec(any::<u8>(), 0..600)) {
        check_invariants(&bytes, FrameRate::FPS_24);
    }

    #[test]
    fn what_is_nearly_a_list_does_no_harm(bytes in nearly_a_list(), n in 1u32..240, d in 1u32..1002) {
        if let Ok(rate) = FrameRate::new(n, d) {
            check_invariants(&bytes, rate);
        }
    }

    /// A real list, cut short and with a byte changed.
    #[test]
    fn damaged_lists_do_no_harm(which in any::<prop::sample::Index>(), cut in any::<prop::sample::Index>(), at in any::<prop::sample::Index>(), byte in any::<u8>()) {
        let paths = lists(&fixtures());
        let mut bytes = std::fs::read(&paths[which.index(paths.len())]).unwrap();
        let position = at.index(bytes.len());
        bytes[position] = byte;
        bytes.truncate(cut.index(bytes.len()) + 1);
        check_invariants(&bytes, FrameRate::FPS_24);
    }

    /// An event that is written is read back, whatever its reel holds.
    #[test]
    fn what_is_written_is_read(reel in "[A-Z0-9_.-]{1,20}( [A-Z0-9_.-]{1,8}){0,2}", start in 0i64..2_000_000, len in 1i64..5000) {
        let at = |frames: i64| platefarm_model::Timecode { frames, rate: FrameRate::FPS_24, drop_frame: false };
        let text = format!("001  {reel}  V  C  {} {} {} {}", at(start), at(start + len), at(0), at(len));
        let edl = edl::parse(text.as_bytes(), FrameRate::FPS_24).unwrap();
        prop_assert_eq!(&edl.problems, &[]);
        prop_assert_eq!(&edl.events[0].reel, &reel);
        prop_assert_eq!(edl.events[0].source.start, at(start));
        prop_assert_eq!(edl.events[0].source.frames(), len);
        prop_assert_eq!(edl.events[0].record.frames(), len);
    }
}
