//! Every rule, and what it must not do. Expectations are counted by hand.

use super::*;
use platefarm_model::{Code, FrameRate, Timecode};
use platefarm_standards::editlist::EditList;
use platefarm_standards::edl;
use std::collections::BTreeSet;

fn rate(text: &str) -> FrameRate {
    text.parse().unwrap()
}

fn key(name: &str, reel: Option<&str>, start: &str, fps: &str, frames: u64) -> ClipKey {
    ClipKey {
        path: format!("/ocf/{name}/{name}.mxf"),
        clip_name: name.into(),
        reel_name: reel.map(Into::into),
        letter: camera(&plain(name)).map(|(letter, ..)| letter),
        date: key::date_in(name),
        start: Some(Timecode::parse(start, rate(fps)).unwrap()),
        rate: Some(rate(fps)),
        frames,
        ..ClipKey::default()
    }
}

fn list(reel: &str, range: &str, remarks: &str, fps: &str) -> EditList {
    let text = format!("001  {reel} V C {range} 01:00:00:00 01:00:01:00\n{remarks}\n");
    edl::parse(text.as_bytes(), rate(fps)).unwrap()
}

fn find_with(
    keys: &[ClipKey],
    edl: &EditList,
    choices: &Choices,
    bar: f64,
) -> Result<Found, Box<Miss>> {
    let take = crate::pulls::take::takes(edl).into_iter().find_map(|verdict| match verdict {
        crate::pulls::take::Verdict::Take(take) => Some(take),
        _ => None,
    });
    Index::new(edl, keys, choices, bar).find(&Query::of(&take.unwrap()))
}

fn find(keys: &[ClipKey], edl: &EditList) -> Result<Found, Box<Miss>> {
    find_with(keys, edl, &Choices::default(), BAR)
}

/// The rule that found, the clip, and where in it.
fn rule(keys: &[ClipKey], edl: &EditList) -> (String, String, i64) {
    match find(keys, edl) {
        Ok(found) => (found.matched.rule, keys[found.clip].clip_name.clone(), found.index),
        Err(miss) => (miss.fault.code.text().into(), miss.fault.message, 0),
    }
}

const ARRI: &str = "A001C003_240101_R1AB";
const SECOND: &str = "10:00:01:00 10:00:02:00";

fn arri() -> ClipKey {
    key(ARRI, Some("A001R1AB"), "10:00:00:00", "24", 100)
}

#[test]
fn each_rule_finds_what_it_is_for_and_says_so() {
    for (reel, range, remarks, wanted, index) in [
        (ARRI, SECOND, "", "reel", 24),
        ("A001R1AB", SECOND, "", "reel", 24),
        ("a001c003_240101_r1ab.mxf", SECOND, "", "reel", 24),
        ("AX", SECOND, "* FROM CLIP NAME: A001C003_240101_R1AB.MOV", "clip-name", 24),
        ("XYZ", SECOND, r"* SOURCE FILE: P:\proxies\A001C003_240101_R1AB.mxf", "clip-name", 24),
        ("A001C003", SECOND, "", "cut-reel", 24),
        ("A001C003_240101_", SECOND, "", "cut-reel", 24),
        ("A001C003-240101-R1AB", SECOND, "", "normalised", 24),
        ("AX", SECOND, "* FROM CLIP NAME: A001C003_240101_R1AB_proxy.mov", "normalised", 24),
        ("A001_C003_0101ZZ", SECOND, "", "camera-name", 24),
        (ARRI, "09:59:59:23 10:00:01:00", "", "one-frame", -1),
        (ARRI, "10:00:03:05 10:00:04:05", "", "one-frame", 77),
        (ARRI, "11:00:01:00 11:00:02:00", "", "hour", 24),
        (ARRI, "09:00:01:00 09:00:02:00", "", "hour", 24),
        ("A001CO03_240101_R1AB", SECOND, "", "slip", 24),
    ] {
        let edl = list(reel, range, remarks, "24");
        let got = rule(&[arri(), key("B001C001_240101_R9ZZ", None, "20:00:00:00", "24", 10)], &edl);
        assert_eq!(got, (wanted.into(), ARRI.into(), index), "{reel} {range} {remarks}");
    }
    assert_eq!(RULES.len(), 11, "a new rule is tried here too; no-timecode below");
}

/// A name that agrees says which clip it is, and not where in it.
#[test]
fn a_clip_without_timecode_is_no_exact_match() {
    let untimed = ClipKey { start: None, ..arri() };
    let keys = std::slice::from_ref(&untimed);
    for (reel, remark) in
        [(ARRI, ""), ("A001R1AB", ""), ("AX", "* FROM CLIP NAME: A001C003_240101_R1AB.mov")]
    {
        let found = find(keys, &list(reel, "00:00:01:00 00:00:02:00", remark, "24")).ok().unwrap();
        let matched = &found.matched;
        assert_eq!((matched.tier, matched.rule.as_str()), (Tier::Fuzzy, "no-timecode"), "{reel}");
        assert_eq!((matched.score, found.index), (0.5, 24), "{reel}");
        let said: Vec<Code> = found.notes.iter().map(|note| note.code).collect();
        assert_eq!(said, [Code::MetadataAbsent, Code::FuzzyMatch], "{reel}");
    }
    // In its own count: 24 is written for 23.976.
    let other = ClipKey { rate: Some(rate("23.976")), ..untimed.clone() };
    assert_eq!(rule(&[other], &list(ARRI, "00:00:01:00 00:00:02:00", "", "24")).2, 24);
    // Frames that it has not, and a bar above.
    let miss = find(keys, &list(ARRI, SECOND, "", "24")).err().unwrap();
    assert!(miss.fault.message.contains("has no timecode"), "{}", miss.fault);
    let one = list(ARRI, "00:00:01:00 00:00:02:00", "", "24");
    let miss = find_with(keys, &one, &Choices::default(), 1.0).err().unwrap();
    assert!(miss.fault.message.contains("no-timecode"), "{}", miss.fault);
    // An id does not say more; a clip with timecode goes before; a person may choose.
    let id = "060A2B340101010501010D1213000000A1B2C3D4E5F60718293A4B5C6D7E8F90";
    let by_id = [ClipKey { umid: Some(id.into()), clip_name: "RENAMED".into(), ..untimed.clone() }];
    let with_id = list("NO", "00:00:01:00 00:00:02:00", &format!(">>> UMID {id}"), "24");
    let found = find(&by_id, &with_id).ok().unwrap();
    assert_eq!((found.matched.tier, found.matched.rule.as_str()), (Tier::Fuzzy, "no-timecode"));
    let timed =
        ClipKey { path: "/copy/it.mxf".into(), ..key(ARRI, None, "00:00:00:00", "24", 100) };
    assert_eq!(find(&[untimed.clone(), timed], &one).ok().unwrap().clip, 1);
    let chosen = choices(&format!("[[choice]]\nreel = \"{ARRI}\"\nuse = \"{ARRI}\"\n"));
    let found = find_with(keys, &one, &chosen, BAR).ok().unwrap();
    assert_eq!((found.matched.tier, found.index), (Tier::Chosen, 24));
}

#[test]
fn fuzzy_matches_are_said_and_exact_ones_are_not() {
    let found = find(&[arri()], &list(ARRI, SECOND, "", "24")).ok().unwrap();
    assert_eq!((found.matched.tier, found.matched.score, found.notes.len()), (Tier::Exact, 1.0, 0));
    let found = find(&[arri()], &list("A001C003", SECOND, "", "24")).ok().unwrap();
    assert_eq!((found.matched.tier, found.matched.score), (Tier::Fuzzy, 0.9));
    assert_eq!(found.notes[0].code, Code::FuzzyMatch);
    assert!(found.notes[0].message.contains("cut-reel") && !found.by_reel);
    assert!(found.notes[0].remedy_text().contains("File_129"));
}

/// Letter, roll and clip recur when rolls are counted anew; so does time of day.
#[test]
fn a_clip_of_another_date_is_told_with_both() {
    let said = |reel: &str| {
        let found = find(&[arri()], &list(reel, SECOND, "", "24")).ok().unwrap();
        assert_eq!(found.matched.rule, "camera-name", "{reel}");
        found.notes.iter().map(ToString::to_string).collect::<String>()
    };
    let other = said("A001C003_240102_R9ZZ");
    assert!(other.contains("is of 240102, the clip's of 240101"), "{other}");
    // The same day, written with its century; and a name without a date.
    for same in ["A001C003_20240101_R9ZZ", "A001_C003_0101ZZ"] {
        assert!(!said(same).contains("YYMMDD"), "{same}");
    }
}

/// 23.976 and 24 count the same numbers; drop frame and non-drop the same
/// labels; 50 counts two where 25 counts one.
#[test]
fn timecode_is_read_in_the_count_of_the_clip_where_that_is_a_sibling() {
    for (clip, list_rate, start, range, index, ratio) in [
        ("23.976", "24", "10:00:00:00", SECOND, 24, [1, 1]),
        ("24", "23.976", "10:00:00:00", SECOND, 24, [1, 1]),
        // 10:10:01;00 and :00 are 18 frames apart in the day, and one label.
        ("29.97", "29.97", "10:10:00;00", "10:10:01:00 10:10:02:00", 30, [1, 1]),
        ("50", "25", "10:00:00:00", SECOND, 50, [2, 1]),
        ("25", "50", "10:00:00:00", SECOND, 25, [1, 2]),
    ] {
        let clip = key(ARRI, None, start, clip, 200);
        let found = find(&[clip], &list(ARRI, range, "", list_rate)).ok().unwrap();
        assert_eq!(found.matched.rule, "sibling-rate", "{list_rate}");
        assert_eq!((found.index, found.per_frame), (index, ratio), "{list_rate}");
        assert!(found.notes[0].message.contains("is read at"), "{}", found.notes[0]);
    }
    // 25 and 24 are no siblings.
    let miss = find(&[key(ARRI, None, "10:00:00:00", "25", 100)], &list(ARRI, SECOND, "", "24"));
    assert_eq!(miss.err().unwrap().fault.code, Code::NoClipForEvent);
}

/// 97 frames at 48 fps captured, project 24: timecode counts them as they play.
#[test]
fn a_high_speed_clip_is_counted_as_it_plays() {
    let mut clip = platefarm_model::clip::ClipInfo {
        path: "/ocf/x.mxf".into(),
        ..platefarm_model::clip::ClipInfo::default()
    };
    clip.identity.clip_name = ARRI.into();
    clip.timing.rate = Some(rate("24"));
    clip.timing.capture_rate = Some(rate("96"));
    clip.timing.start = Some(Timecode::parse("10:00:00:00", rate("24")).unwrap());
    clip.timing.frame_count = 400;
    let keys = [ClipKey::of(&clip)];
    // 400 frames play for 16 seconds and 16 frames.
    let last = list(ARRI, "10:00:15:16 10:00:16:16", "", "24");
    assert_eq!(rule(&keys, &last), ("reel".into(), ARRI.into(), 376));
    let beyond = find(&keys, &list(ARRI, "10:00:16:00 10:00:18:00", "", "24"));
    assert_eq!(beyond.err().unwrap().fault.code, Code::NoClipForEvent);
}

#[test]
fn a_day_of_the_clock_is_a_circle() {
    let night = key(ARRI, None, "23:59:58:00", "24", 96);
    for (range, index) in [
        ("23:59:59:00 00:00:00:12", 24),
        ("00:00:00:12 00:00:01:00", 60),
        ("24:00:00:00 24:00:00:12", 48),
    ] {
        let got = rule(std::slice::from_ref(&night), &list(ARRI, range, "", "24"));
        assert_eq!(got, ("reel".into(), ARRI.into(), index), "{range}");
    }
}

#[test]
fn two_candidates_are_shown_and_none_is_picked() {
    let mut second = arri();
    second.path = "/backup/A001C003_240101_R1AB.mxf".into();
    let keys = [arri(), second];
    let miss = find(&keys, &list(ARRI, SECOND, "", "24")).err().unwrap();
    assert_eq!(miss.fault.code, Code::AmbiguousEvent);
    let paths: Vec<_> = miss.candidates.iter().map(|c| c.path.as_str()).collect();
    assert_eq!(paths, [keys[0].path.as_str(), keys[1].path.as_str()]);
    assert_eq!(miss.candidates[0].timecodes.as_ref().unwrap()[1], "10:00:04:03");
    assert!(miss.fault.remedy_text().contains("--resolve"));
}

/// Time of day recurs: two days, one camera, one timecode.
#[test]
fn a_timecode_that_recurs_is_a_conflict_until_a_second_name_decides() {
    let keys = [
        key("A001C003_240101_R1AB", Some("A001"), "10:00:00:00", "24", 100),
        key("A001C003_240102_R1AB", Some("A001"), "10:00:00:00", "24", 100),
    ];
    for reel in ["A001", "A001C003"] {
        let miss = find(&keys, &list(reel, SECOND, "", "24")).err().unwrap();
        assert_eq!((miss.fault.code, miss.candidates.len()), (Code::AmbiguousEvent, 2), "{reel}");
    }
    let named = list("A001", SECOND, "* FROM CLIP NAME: A001C003_240102_R1AB", "24");
    assert_eq!(rule(&keys, &named).1, "A001C003_240102_R1AB");
}

/// Where the longest reels have eight characters, each may be the beginning of a longer name.
#[test]
fn a_reel_that_may_be_cut_is_not_taken_for_a_whole_name() {
    let whole = key("A001C003", None, "10:00:00:00", "24", 100);
    let cut = list("A001C003", SECOND, "", "24");
    // Two names begin so, and the list does not say which is meant; their timecode or another name may.
    let miss = find(&[whole.clone(), arri()], &cut).err().unwrap();
    assert_eq!((miss.fault.code, miss.candidates.len()), (Code::AmbiguousEvent, 2));
    let later = key(ARRI, None, "11:00:00:00", "24", 100);
    let found = find(&[whole.clone(), later], &cut).ok().unwrap();
    assert_eq!((found.clip, found.matched.tier, found.matched.score), (0, Tier::Fuzzy, 0.9));
    assert_eq!((found.matched.by.as_str(), found.by_reel), ("reel = clip name", false));
    let named = list("A001C003", SECOND, &format!("* FROM CLIP NAME: {ARRI}"), "24");
    assert_eq!(rule(&[whole.clone(), arri()], &named).1, ARRI);
    // A roll's name is no clip's, unless a clip's name goes on from it.
    let roll = list("A001R1AB", SECOND, "", "24");
    assert_eq!(find(&[arri()], &roll).ok().unwrap().matched.tier, Tier::Exact);
    let longer = key("A001R1AB_C003", None, "10:00:00:00", "24", 100);
    let miss = find(&[arri(), longer], &roll).err().unwrap();
    assert_eq!((miss.fault.code, miss.candidates.len()), (Code::AmbiguousEvent, 2));
    // In a list with a longer reel eight characters are a name.
    let text = format!(
        "001  A001C003 V C {SECOND} 01:00:00:00 01:00:01:00\n002  {ARRI} V C {SECOND} 01:00:00:00 01:00:01:00\n"
    );
    let long = edl::parse(text.as_bytes(), rate("24")).unwrap();
    let found = find(&[whole, arri()], &long).ok().unwrap();
    assert_eq!((found.clip, found.matched.tier), (0, Tier::Exact));
}

/// What runs beside it at the same time is not it: another camera, roll or clip.
#[test]
fn a_neighbour_is_never_taken_for_the_clip() {
    let keys = [
        key("B001C003_240101_R1AB", None, "10:00:00:00", "24", 100),
        key("A001C004_240101_R1AB", None, "10:00:00:00", "24", 100),
        key("A002C003_240101_R1AB", None, "10:00:00:00", "24", 100),
    ];
    let miss = find(&keys, &list(ARRI, SECOND, "", "24")).err().unwrap();
    assert_eq!(miss.fault.code, Code::NoClipForEvent);
    // Two clips of the same camera and day hold the range: they are suggested, below the bar.
    assert_eq!(miss.candidates.len(), 2);
    assert!(miss.fault.message.contains("camera-date"), "{}", miss.fault);
    let found = find_with(&keys[..2], &list(ARRI, SECOND, "", "24"), &Choices::default(), 0.3);
    assert_eq!(found.ok().unwrap().matched.rule, "camera-date");
}

/// Another clip of the roll an hour away is not what a reel means.
#[test]
fn a_reel_is_not_searched_an_hour_away() {
    let keys = [key(ARRI, Some("A001"), "11:00:00:00", "24", 100)];
    let miss = find(&keys, &list("A001", SECOND, "", "24")).err().unwrap();
    assert_eq!(miss.fault.code, Code::NoClipForEvent);
    assert!(miss.fault.message.contains("is known, but not at"), "{}", miss.fault);
}

#[test]
fn names_that_lead_to_different_clips_are_said() {
    let keys = [arri(), key("Z009C001_240101_R1ZZ", None, "10:00:00:00", "24", 100)];
    let edl = list(ARRI, SECOND, "* FROM CLIP NAME: Z009C001_240101_R1ZZ", "24");
    let found = find(&keys, &edl).ok().unwrap();
    assert_eq!((found.clip, found.matched.tier), (0, Tier::Exact));
    assert_eq!(found.matched.runner_up.unwrap().clip_name, "Z009C001_240101_R1ZZ");
    assert_eq!(found.notes[0].code, Code::AmbiguousEvent);
}

#[test]
fn an_id_of_the_material_is_beyond_doubt() {
    let id = "060A2B340101010501010D1213000000A1B2C3D4E5F60718293A4B5C6D7E8F90";
    let mut other = arri();
    (other.path, other.clip_name) = ("/ocf/other.mxf".into(), "RENAMED".into());
    other.umid = Some(id.to_lowercase());
    let edl = list(ARRI, SECOND, &format!(">>> UMID {id}"), "24");
    assert_eq!(rule(&[arri(), other], &edl), ("umid".into(), "RENAMED".into(), 24));
}

/// An id that two clips have decides nothing by itself.
#[test]
fn two_clips_with_one_id_are_a_conflict() {
    let id = "060A2B340101010501010D1213000000A1B2C3D4E5F60718293A4B5C6D7E8F90";
    let copy = |name: &str| ClipKey {
        path: format!("/ocf/{name}.mxf"),
        clip_name: name.into(),
        umid: Some(id.into()),
        ..arri()
    };
    let keys = [arri(), copy("ONE"), copy("TWO")];
    let edl = |reel: &str| list(reel, SECOND, &format!(">>> UMID {id}"), "24");
    // The reel names a third clip, which has another id: it is not what is meant.
    let miss = find(&keys, &edl(ARRI)).err().unwrap();
    assert_eq!(miss.fault.code, Code::AmbiguousEvent);
    let paths: Vec<_> = miss.candidates.iter().map(|c| c.path.as_str()).collect();
    assert_eq!(paths, ["/ocf/ONE.mxf", "/ocf/TWO.mxf"]);
    // A name that one of the two has says which.
    assert_eq!(rule(&keys, &edl("TWO")), ("umid".into(), "TWO".into(), 24));
    // As AAF writes it.
    assert_eq!(key::digits("urn:smpte:umid:060a2b34.01010105"), "060A2B3401010105");
}

#[test]
fn only_choices_that_lead_somewhere_are_told() {
    let edl = list(ARRI, SECOND, "", "24");
    let choices = choices(&format!(
        "[[choice]]\nreel = \"NO\"\nuse = \"/ocf\"\n[[choice]]\nreel = \"{ARRI}\"\nuse = \"/ocf\"\n"
    ));
    let chosen = crate::pulls::chosen(&edl, &[arri()], &choices);
    assert_eq!(chosen.into_iter().collect::<Vec<_>>(), [1]);
    let nowhere = crate::pulls::chosen(&edl, &[key("B", None, "20:00:00:00", "24", 9)], &choices);
    assert!(nowhere.is_empty());
    // Nothing is kept for a pull that names no show, which is told where there was something to keep.
    let (used, none) = (BTreeSet::from([1]), BTreeSet::new());
    assert!(crate::pulls::not_kept(None, &used, "--resolve").is_some());
    assert!(crate::pulls::not_kept(Some(""), &used, "pull.show").is_some());
    assert!(crate::pulls::not_kept(Some("DUNE"), &used, "--resolve").is_none());
    assert!(crate::pulls::not_kept(None, &none, "--resolve").is_none());
    let bad = Choice { clip: "/ocf".into(), ..Choice::default() };
    assert_eq!(bad.check().unwrap_err().code, Code::BadChoice);
}

/// The library has a clip twice, and one of the two is gone: nothing is taken because it is there.
#[test]
fn of_two_clips_the_one_that_is_gone_is_shown_as_gone() {
    let mut second = arri();
    second.path = "/backup/A001C003_240101_R1AB.mxf".into();
    let keys = [ClipKey { gone: true, ..arri() }, second];
    let edl = list(ARRI, SECOND, "", "24");
    let miss = find(&keys, &edl).err().unwrap();
    assert_eq!(miss.fault.code, Code::AmbiguousEvent);
    let gone = format!("'{}' (gone)", keys[0].path);
    assert!(miss.fault.message.contains(&gone), "{}", miss.fault);
    assert!(!miss.fault.message.contains("/backup/A001C003_240101_R1AB.mxf' (gone)"));
    assert!(miss.fault.remedy_text().contains("library forget"), "{}", miss.fault.remedy_text());
    assert_eq!(miss.candidates.iter().map(|c| c.gone).collect::<Vec<_>>(), [true, false]);
    // A person takes the one that is there, and cannot take the other.
    let takes = |clip: &str| choices(&format!("[[choice]]\nreel = \"{ARRI}\"\nuse = \"{clip}\"\n"));
    let found = find_with(&keys, &edl, &takes("/backup"), BAR).ok().unwrap();
    assert_eq!((found.clip, found.matched.tier, found.notes), (1, Tier::Chosen, vec![]));
    let miss = find_with(&keys, &edl, &takes(&keys[0].path), BAR).err().unwrap();
    assert_eq!(miss.fault.code, Code::BadChoice);
    assert!(miss.fault.message.contains("which is gone"), "{}", miss.fault);
    // A second name that names the one that is gone does not speak for the other.
    let named = list("A001R1AB", SECOND, "* FROM CLIP NAME: OTHER", "24");
    let other = ClipKey { clip_name: "OTHER".into(), path: "/o.mxf".into(), ..arri() };
    let both = |gone: bool| [arri(), ClipKey { gone, ..other.clone() }];
    assert_eq!(find(&both(false), &named).ok().unwrap().clip, 1);
    assert_eq!(find(&both(true), &named).err().unwrap().fault.code, Code::AmbiguousEvent);
}

/// What is gone makes no match; what a later rule takes in its place says so.
#[test]
fn in_place_of_a_clip_that_is_gone_nothing_stands_in_silence() {
    let gone = ClipKey { gone: true, ..arri() };
    let edl = list(ARRI, SECOND, "* FROM CLIP NAME: RENAMED", "24");
    let miss = find(std::slice::from_ref(&gone), &edl).err().unwrap();
    assert_eq!(miss.fault.code, Code::NoClipForEvent);
    assert!(miss.fault.message.contains("(gone)") && !miss.unnamed, "{}", miss.fault);
    assert!(miss.candidates[0].gone);
    let renamed = key("RENAMED", None, "10:00:00:00", "24", 100);
    let found = find(&[gone.clone(), renamed.clone()], &edl).ok().unwrap();
    assert_eq!((found.clip, found.matched.rule.as_str()), (1, "clip-name"));
    let told = |found: &Found| found.notes.iter().any(|n| n.message.contains("is gone; '"));
    assert!(told(&found), "{:?}", found.notes);
    // Of an id as well; and where nothing is gone, nothing is said.
    let id = "060A2B340101010501010D1213000000A1B2C3D4E5F60718293A4B5C6D7E8F90";
    let umid = ClipKey { umid: Some(id.into()), ..gone };
    let by_id = list("RENAMED", SECOND, &format!(">>> UMID {id}"), "24");
    let found = find(&[umid, renamed.clone()], &by_id).ok().unwrap();
    assert_eq!((found.clip, found.matched.rule.as_str(), told(&found)), (1, "reel", true));
    assert!(!told(&find(&[renamed], &by_id).ok().unwrap()));
}

/// What is looked for on the disk: what a plan takes, and between what a person has to choose.
#[test]
fn both_of_two_clips_are_in_question() {
    let edl = list(ARRI, SECOND, "", "24");
    let other = key("B001C001", None, "20:00:00:00", "24", 10);
    let mut second = arri();
    second.path = "/backup/A001C003_240101_R1AB.mxf".into();
    let none = Choices::default();
    let places = |keys: &[ClipKey]| -> Vec<usize> {
        crate::pulls::in_question(&edl, keys, &none, BAR).into_iter().collect()
    };
    assert_eq!(places(&[other.clone(), arri()]), [1]);
    let two = [arri(), other, second];
    assert_eq!(places(&two), [0, 2]);
    assert!(crate::pulls::wanted(&edl, &two, &none, BAR).is_empty());
}

fn choices(text: &str) -> Choices {
    toml::from_str(text).unwrap()
}

#[test]
fn a_person_decides_and_it_holds_for_the_next_cut() {
    let mut second = arri();
    second.path = "/backup/A001C003_240101_R1AB.mxf".into();
    let keys = [arri(), second];
    let chosen = choices(&format!("[[choice]]\nreel = \"{ARRI}\"\nuse = \"/backup\"\n"));
    for range in [SECOND, "10:00:01:04 10:00:03:00"] {
        let found = find_with(&keys, &list(ARRI, range, "", "24"), &chosen, BAR).ok().unwrap();
        assert_eq!((found.clip, found.matched.tier), (1, Tier::Chosen), "{range}");
    }
    // A choice of one event does not speak of another.
    let once = choices(&format!(
        "[[choice]]\nreel = \"{ARRI}\"\nsource_in = \"10:00:01:00\"\nuse = \"/backup\"\n"
    ));
    assert!(find_with(&keys, &list(ARRI, SECOND, "", "24"), &once, BAR).is_ok());
    let other = find_with(&keys, &list(ARRI, "10:00:01:04 10:00:03:00", "", "24"), &once, BAR);
    assert_eq!(other.err().unwrap().fault.code, Code::AmbiguousEvent);
}

#[test]
fn a_choice_that_cannot_be_is_said() {
    for (clip, what) in [("/elsewhere", "no clip of the media"), ("B001C001", "does not hold it")] {
        let keys = [arri(), key("B001C001", None, "20:00:00:00", "24", 10)];
        let chosen = choices(&format!("[[choice]]\nreel = \"{ARRI}\"\nuse = \"{clip}\"\n"));
        let miss = find_with(&keys, &list(ARRI, SECOND, "", "24"), &chosen, BAR).err().unwrap();
        assert_eq!(miss.fault.code, Code::BadChoice, "{clip}");
        assert!(miss.fault.message.contains(what), "{}", miss.fault);
    }
}

#[test]
fn choices_are_learned_and_replaced() {
    let mut known =
        choices("[[choice]]\nreel = \"A\"\nuse = \"x\"\n[[choice]]\nreel = \"B\"\nuse = \"y\"\n");
    known.learn(choices("[[choice]]\nreel = \"A\"\nuse = \"z\"\n"));
    let pairs: Vec<_> =
        known.choices.iter().map(|c| (c.reel.as_deref().unwrap(), c.clip.as_str())).collect();
    assert_eq!(pairs, [("B", "y"), ("A", "z")]);
    assert_eq!(choices(&toml::to_string(&known).unwrap()), known);
}
