//! One behaviour at a time, each with numbers that were counted by hand.

use super::*;
use platefarm_model::job::StepKind;
use platefarm_model::{Code, FrameRange};

/// Reel A001, 100 frames from 01:00:00:00.
fn a001() -> ClipInfo {
    clip("A001_C001", Some("A001"), "01:00:00:00", 100)
}

const ONE_SECOND: &str = "TITLE: My Cut\n\
    001  A001 V C 01:00:01:00 01:00:02:00 01:00:00:00 01:00:01:00\n";

#[test]
fn a_plain_event_becomes_a_plate_and_a_package() {
    let made = planned(ONE_SECOND, &[a001()], 8).unwrap();
    let [plate] = made.package.plates.as_slice() else { panic!("{:?}", made.package.plates) };
    assert_eq!(plate.name, "My_Cut_010_PL01_v001");
    assert_eq!(plate.matched.to_string(), "exact: reel = reel name");
    assert_eq!(frames(plate), (16, 40, [8, 8]));
    assert_eq!(plate.frames, FrameRange::new(1001, 1040).unwrap());
    assert_eq!(plate.size, [1136, 752]);
    assert!(plate.notes.is_empty(), "{:?}", plate.notes);
    let [render, package] = made.job.steps.as_slice() else { panic!("two steps") };
    let StepKind::Render(spec) = &render.kind else { panic!("a render") };
    assert_eq!((render.name.as_str(), render.frames), (plate.name.as_str(), plate.frames));
    assert_eq!(spec.out_dir, "/out/My_Cut_010_PL01_v001");
    assert_eq!(spec.naming.file_name(1001), "My_Cut_010_PL01_v001.1001.exr");
    assert_eq!((spec.source_first, spec.frames), (16, plate.frames));
    assert_eq!(spec.framing, None);
    assert_eq!(package.after, [0]);
    assert_eq!(package.frames, FrameRange::single(1));
    assert_eq!(package.kind, StepKind::Package(Box::new(made.package.clone())));
    assert_eq!((made.job.priority, made.job.show.as_str()), (0, "demo"));
    assert_eq!(codes(&made.package.notes), ["F0219"], "no FDL is said aloud");
}

#[test]
fn handles_end_where_the_media_ends() {
    let text = "001  A001 V C 01:00:00:03 01:00:01:00 01:00:00:00 01:00:00:21\n\
        002  A001 V C 01:00:04:00 01:00:04:04 01:00:00:21 01:00:01:01\n";
    let made = planned(text, &[a001()], 8).unwrap();
    let got: Vec<_> = made.package.plates.iter().map(frames).collect();
    // The clip has indices 0 to 99: 3 frames before the first event, none after the second.
    assert_eq!(got, [(0, 3 + 21 + 8, [3, 8]), (88, 8 + 4, [8, 0])]);
    for plate in &made.package.plates {
        assert_eq!(codes(&plate.notes), ["F0213"]);
        assert_eq!(plate.frames.first(), 1001);
    }
    assert!(made.package.plates[0].notes[0].message.contains("3 frames of head"));
}

#[test]
fn an_event_may_end_with_the_clip_and_one_frame_later_is_said() {
    let event = |out: &str| format!("001  A001 V C 01:00:03:00 {out} 00:00:00:00 00:00:02:00\n");
    assert!(planned(&event("01:00:04:04"), &[a001()], 0).is_ok());
    let made = planned(&event("01:00:04:05"), &[a001()], 0).unwrap();
    let plate = &made.package.plates[0];
    assert_eq!(plate.matched.rule, "one-frame");
    assert_eq!(frames(plate), (72, 28, [0, 0]), "29 are asked for, 28 are there");
    assert_eq!(codes(&plate.notes), ["F0217", "F0260", "F0278"]);
    let fault = planned(&event("01:00:04:06"), &[a001()], 0).unwrap_err();
    assert_eq!(fault.code, Code::NoClipForEvent);
    for part in [
        "reel 'A001' is known",
        "01:00:00:00 up to 01:00:04:04",
        "100 frames",
        "A001_C001.000001.dng",
    ] {
        assert!(fault.message.contains(part), "{part}: {fault}");
    }
    let early = "001  A001 V C 00:59:59:22 01:00:00:22 00:00:00:00 00:00:01:00\n";
    assert_eq!(planned(early, &[a001()], 0).unwrap_err().code, Code::NoClipForEvent);
}

/// 23:59:58:00 + 96 frames passes midnight at index 48.
#[test]
fn a_clip_may_run_over_midnight() {
    let night = clip("N001_C001", Some("N001"), "23:59:58:00", 96);
    for (event, first, count) in [
        ("23:59:59:00 00:00:01:00", 24, 48),
        ("00:00:00:12 00:00:01:00", 60, 12),
        ("24:00:00:00 24:00:00:02", 48, 2),
        ("23:59:59:00 24:00:00:00", 24, 24),
    ] {
        let text = format!("001  N001 V C {event} 01:00:00:00 01:00:00:00\n");
        // The record side has no length; the source side says how many are taken.
        let made = planned(&text, std::slice::from_ref(&night), 0).unwrap();
        assert_eq!(frames(&made.package.plates[0]), (first, count, [0, 0]), "{event}");
    }
}

#[test]
fn another_rate_is_not_matched_and_named() {
    let mut other = a001();
    let rate = FrameRate::new(25, 1).unwrap();
    other.timing.rate = Some(rate);
    other.timing.start = Some(Timecode::parse("01:00:00:00", rate).unwrap());
    let fault = planned(ONE_SECOND, &[other], 0).unwrap_err();
    assert_eq!(fault.code, Code::NoClipForEvent);
    assert!(fault.message.contains("counts at 25"), "{fault}");
    assert!(fault.remedy_text().contains("--rate"), "{fault}");
}

#[test]
fn a_clip_without_timecode_begins_at_midnight_and_it_is_said() {
    let mut still = clip("chart", None, "01:00:00:00", 48);
    still.timing.start = None;
    still.timing.rate = None;
    let text = "001  AX V C 00:00:01:00 00:00:02:00 01:00:00:00 01:00:01:00\n\
        * FROM CLIP NAME: chart.dng\n";
    let made = planned(text, &[still], 0).unwrap();
    let plate = &made.package.plates[0];
    assert_eq!(frames(plate), (24, 24, [0, 0]));
    assert_eq!(plate.matched.to_string(), "fuzzy no-timecode 0.50: clip name = clip name");
    assert_eq!(codes(&plate.notes), ["F0113", "F0113", "F0260"]);
}

#[test]
fn two_clips_that_both_match_are_named_and_none_is_taken() {
    let (a, mut b) = (a001(), a001());
    b.path = "/backup/A001_C001.000001.dng".into();
    let fault = planned(ONE_SECOND, &[a.clone(), b.clone()], 0).unwrap_err();
    assert_eq!(fault.code, Code::AmbiguousEvent);
    assert!(fault.message.contains(&a.path) && fault.message.contains(&b.path), "{fault}");
    assert_eq!(fault.cause, None, "it is said once");
    // What there is to choose from is there to be shown.
    let (edl, both) = (list(ONE_SECOND), [a.clone(), b.clone()]);
    let none = attempt(&request(&edl, &both, 0)).unwrap_err();
    let shown = none.shown().unwrap();
    assert_eq!((shown.package.plates.len(), shown.package.rejected.len()), (0, 1));
    assert_eq!(shown.package.rejected[0].candidates.len(), 2);
    // The same clip found twice is one clip.
    assert!(planned(ONE_SECOND, &[a.clone(), a.clone()], 0).is_ok());
    // A second name of the event decides.
    b.identity.clip_name = "A001_C002".into();
    let text = format!("{ONE_SECOND}* FROM CLIP NAME: A001_C002\n");
    let made = planned(&text, &[a, b.clone()], 0).unwrap();
    assert_eq!(made.package.plates[0].clip, b);
    assert_eq!(
        made.package.plates[0].matched.to_string(),
        "exact: reel = reel name, and clip name"
    );
}

#[test]
fn an_exact_spelling_decides_between_names_that_differ_in_separators() {
    let clips =
        [clip("A001C001", None, "01:00:00:00", 100), clip("A001_C001", None, "01:00:00:00", 100)];
    let text = "001  A001_C001 V C 01:00:01:00 01:00:02:00 01:00:00:00 01:00:01:00\n";
    let made = planned(text, &clips, 0).unwrap();
    assert_eq!(made.package.plates[0].clip, clips[1]);
    let loose = text.replace("A001_C001", "a001-c001");
    assert_eq!(planned(&loose, &clips, 0).unwrap_err().code, Code::AmbiguousEvent);
}

#[test]
fn every_name_of_an_event_can_lead_to_its_clip() {
    let long = clip("A_0031C010_241010_133208_h1C2T", None, "01:00:00:00", 100);
    for (reel, remark, rule) in [
        ("A_0031C010_241010_133208_h1C2T", "", "exact: reel = clip name"),
        (
            "A_0031C0",
            "* SOURCE FILE: A_0031C010_241010_133208_h1C2T.mxf",
            "fuzzy clip-name 0.95: source file = clip name",
        ),
        (
            "AX",
            "* FROM CLIP NAME: A_0031C010_241010_133208_h1C2T.mov",
            "fuzzy clip-name 0.95: clip name = clip name",
        ),
        (
            "AX",
            r"* FROM FILE: S:\cards\A_0031C010_241010_133208_h1C2T.ari",
            "fuzzy clip-name 0.95: source file = clip name",
        ),
    ] {
        let text =
            format!("001  {reel} V C 01:00:01:00 01:00:02:00 01:00:00:00 01:00:01:00\n{remark}\n");
        let made = planned(&text, std::slice::from_ref(&long), 0).unwrap();
        assert_eq!(made.package.plates[0].matched.to_string(), rule, "{remark}");
    }
}

#[test]
fn reels_that_were_cut_are_noted() {
    let long = clip("A_0031C010_241010_133208_h1C2T", None, "01:00:00:00", 100);
    let cut = "001  A_0031C0 V C 01:00:01:00 01:00:02:00 01:00:00:00 01:00:01:00\n";
    let made = planned(cut, std::slice::from_ref(&long), 0).unwrap();
    assert_eq!(made.package.plates[0].matched.rule, "cut-reel");
    assert_eq!(codes(&made.package.plates[0].notes), ["F0260"]);
    assert_eq!(codes(&made.package.notes), ["F0214", "F0219", "F0260"]);
    // Without that rule the list is not matched, and it is said why.
    let edl = list(cut);
    let clips = [long.clone()];
    let mut exact = request(&edl, &clips, 0);
    exact.bar = 1.0;
    let fault = plan(&exact).unwrap_err();
    assert_eq!(fault.code, Code::NoClipForEvent);
    assert!(fault.message.contains("cut-reel"), "{fault}");
    let found = format!("{cut}* SOURCE FILE: {}\n", long.identity.clip_name);
    let made = planned(&found, std::slice::from_ref(&long), 0).unwrap();
    assert!(codes(&made.package.notes).contains(&"F0214"), "{:?}", made.package.notes);
    // A camera whose names have eight characters makes lists that look the same.
    let short = clip("A001C001", None, "01:00:00:00", 100);
    let text = cut.replace("A_0031C0", "A001C001");
    let made = planned(&text, std::slice::from_ref(&short), 0).unwrap();
    assert_eq!(made.package.plates[0].matched.to_string(), "fuzzy cut-reel 0.90: reel = clip name");
    assert_eq!(codes(&made.package.notes), ["F0214", "F0219", "F0260"]);
    let longer = clip("A001C001_240101_R1AB", None, "01:00:00:00", 100);
    let fault = planned(&text, &[short, longer], 0).unwrap_err();
    assert_eq!(fault.code, Code::AmbiguousEvent, "{fault}");
}

#[test]
fn black_sound_and_nameless_sources_are_skipped_and_noted() {
    let text = format!(
        "{ONE_SECOND}\
        002  BL   V C 00:00:00:00 00:00:01:00 01:00:01:00 01:00:02:00\n\
        003  AX   V C 00:00:00:00 00:00:01:00 01:00:02:00 01:00:03:00\n\
        004  AX   V C 00:00:00:00 00:00:01:00 01:00:03:00 01:00:04:00\n\
        * FROM CLIP NAME: TITLE CARD.psd\n\
        005  SND1 A C 01:00:00:00 01:00:04:00 01:00:00:00 01:00:04:00\n\
        006  SND2 AA C 01:00:00:00 01:00:04:00 01:00:00:00 01:00:04:00\n"
    );
    let made = planned(&text, &[a001()], 0).unwrap();
    let skipped: Vec<_> =
        made.skipped.iter().map(|s| s.event.as_ref().unwrap().number.as_str()).collect();
    assert_eq!(skipped, ["002", "003", "004", "005", "006"]);
    assert!(made.package.rejected.is_empty());
    let notes = &made.package.notes;
    assert_eq!(codes(notes), ["F0218", "F0218", "F0218", "F0218", "F0219"]);
    assert!(notes.iter().any(|n| n.message == "2 sound events need no plate"), "{notes:?}");
    assert!(notes.iter().any(|n| n.message.contains("TITLE CARD.psd")), "{notes:?}");
}

#[test]
fn a_list_that_needs_nothing_or_finds_nothing_is_an_error() {
    let black = "001  BL V C 00:00:00:00 00:00:01:00 01:00:01:00 01:00:02:00\n";
    assert_eq!(planned(black, &[a001()], 0).unwrap_err().code, Code::EmptyEdl);
    assert_eq!(planned("TITLE: X\n", &[a001()], 0).unwrap_err().code, Code::EmptyEdl);
    let lost = "001  Z001 V C 01:00:01:00 01:00:02:00 01:00:00:00 01:00:01:00\n\
        002  Z002 V C 01:00:01:00 01:00:02:00 01:00:00:00 01:00:01:00\n";
    let fault = planned(lost, &[a001()], 0).unwrap_err();
    assert_eq!(fault.code, Code::NoClipForEvent);
    assert!(
        fault.message.contains("none of 2 events") && fault.message.contains("Z001"),
        "{fault}"
    );
    assert!(fault.cause.unwrap().contains("Z002"));
}

#[test]
fn a_shot_is_named_by_its_marker_and_counts_its_plates() {
    let event = |number: &str, remark: &str| {
        format!("{number}  A001 V C 01:00:01:00 01:00:02:00 01:00:00:00 01:00:01:00\n{remark}\n")
    };
    let marker = "* LOC: 01:00:00:10 RED     ABC_010_0010 clean up";
    let text = [
        event("001", marker),
        event("002", "* LOC: 01:00:00:10 RED ANIM FIX NEEDED"),
        event("003", "* LOC: 01:00:00:10 RED abc_010_0010"),
        event("120", ""),
        event("1000", ""),
    ]
    .concat();
    let made = planned(&format!("TITLE: R1/v5 (final)\n{text}"), &[a001()], 0).unwrap();
    let names: Vec<_> = made.package.plates.iter().map(|p| p.name.as_str()).collect();
    assert_eq!(
        names,
        [
            "ABC_010_0010_PL01_v001",
            "R1_v5_final_020_PL01_v001",
            "ABC_010_0010_PL02_v001",
            "R1_v5_final_1200_PL01_v001",
            "R1_v5_final_10000_PL01_v001",
        ]
    );
}

/// Music before the shot, two shots in one event, a name with a blank: said with the plate.
#[test]
fn markers_that_do_not_say_which_shot_it_is_are_told() {
    let event = |number: &str, remarks: &str| {
        format!("{number}  A001 V C 01:00:01:00 01:00:02:00 01:00:00:00 01:00:01:00\n{remarks}")
    };
    let text = [
        event(
            "001",
            "* LOC: 01:00:00:10 GREEN MX_V3 temp score\n* LOC: 01:00:00:12 RED SH_030 comp\n",
        ),
        event("002", "* LOC: 01:00:00:10 RED SH 030 with blank\n"),
        event("003", "* LOC: 01:00:00:10 RED SH_040: paint\n"),
    ]
    .concat();
    let (edl, clips) = (list(&text), [a001()]);
    let plates = |color: Option<&str>| -> Vec<(String, Vec<&'static str>)> {
        let mut request = request(&edl, &clips, 0);
        request.delivery.naming.marker_color = color.map(Into::into);
        let made = plan(&request).unwrap();
        made.package.plates.iter().map(|p| (p.shot.clone(), codes(&p.notes))).collect()
    };
    let row = |shot: &str, codes: &[&'static str]| (shot.to_owned(), codes.to_vec());
    let unsure = ["F0276"];
    assert_eq!(plates(None), [row("MX_V3", &unsure), row("demo_020", &unsure), row("SH_040", &[])]);
    let red = plates(Some("Red"));
    assert_eq!(red, [row("SH_030", &[]), row("demo_020", &unsure), row("SH_040", &[])]);
}

#[test]
fn two_shots_of_one_name_are_refused() {
    let text = "TITLE: ABC\n\
        001  A001 V C 01:00:01:00 01:00:02:00 01:00:00:00 01:00:01:00\n\
        002  A001 V C 01:00:01:00 01:00:02:00 01:00:01:00 01:00:02:00\n\
        * LOC: 01:00:01:10 RED ABC_010\n";
    let made = planned(text, &[a001()], 0).unwrap();
    assert_eq!(made.package.plates.len(), 1);
    assert_eq!(made.package.rejected[0].fault.code, Code::NameCollision);
    assert_eq!(made.package.rejected[0].event.as_ref().unwrap().number, "002");
}

#[test]
fn frames_that_the_clip_lacks_are_said_by_their_delivered_number() {
    let mut gap = a001();
    gap.timing.missing.insert(FrameRange::new(30, 31).unwrap());
    gap.timing.missing.insert(FrameRange::single(90));
    let made = planned(ONE_SECOND, &[gap], 2).unwrap();
    let plate = &made.package.plates[0];
    // Index 22 is delivered as 1001, so 30 and 31 are 1009 and 1010; 90 is not asked for.
    assert_eq!(codes(&plate.notes), ["F0109"]);
    assert!(plate.notes[0].message.contains("1009-1010"), "{:?}", plate.notes);
}

#[test]
fn the_outgoing_side_of_a_dissolve_is_the_tail_of_its_shot() {
    // The dialect list of two speeds in one dissolve: 96 source frames in 48 at
    // twice the speed, 12 more of record at that speed, and 36 in 72.
    let text = std::fs::read_to_string(concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../standards/tests/fixtures/edl/d08-two-m2-in-dissolve.edl"
    ))
    .unwrap();
    let clips =
        [clip("A001C001", None, "01:00:00:00", 200), clip("B001C007", None, "02:00:00:00", 100)];
    let made = planned(&text, &clips, 0).unwrap();
    let got: Vec<_> = made.package.plates.iter().map(frames).collect();
    assert_eq!(got, [(0, 96 + 24, [0, 0]), (0, 36, [0, 0])]);
    let retime = made.package.plates[0].retime.as_ref().unwrap();
    assert_eq!((retime.record_frames, retime.source_frames), (48 + 12, 96 + 24));
    let skipped: Vec<_> = made.skipped.iter().map(|s| s.event.as_ref().unwrap().line).collect();
    assert_eq!(skipped, [6]);
    assert!(made.package.rejected.is_empty());
}

/// Systems that write a transition as one line leave out which frames go out: those that follow
/// in the shot that ends there.
#[test]
fn a_transition_on_one_line_has_the_tail_of_the_shot_before() {
    let list = |end: &str, transition: &str| {
        format!(
            "TITLE: X\n001  A001 V C     01:00:01:00 01:00:02:00 01:00:00:00 {end}\n\
             002  A001 A C     01:00:01:00 01:00:02:00 01:00:00:00 01:00:01:00\n\
             003  B001 V {transition} 02:00:00:00 02:00:01:00 01:00:01:00 01:00:02:00\n"
        )
    };
    let clips = [a001(), clip("B001_C001", Some("B001"), "02:00:00:00", 100)];
    let got = |text: String| {
        let made = planned(&text, &clips, 0).unwrap();
        let [out, into] = made.package.plates.as_slice() else { panic!("{text}") };
        assert_eq!(frames(into), (0, 24, [0, 0]), "{text}");
        (frames(out), codes(&out.notes))
    };
    let plain = ((24, 24, [0, 0]), vec![]);
    for transition in ["D 008", "W001 008"] {
        let with_tail = ((24, 24 + 8, [0, 0]), vec!["F0218"]);
        assert_eq!(got(list("01:00:01:00", transition)), with_tail, "{transition}");
    }
    for transition in ["C", "D 000", "K 008"] {
        assert_eq!(got(list("01:00:01:00", transition)), plain, "{transition}");
    }
    // Nothing ends where it begins: it comes out of black.
    assert_eq!(got(list("01:00:00:23", "D 008")).0, (24, 24, [0, 0]));
}

#[test]
fn an_outgoing_side_of_its_own_is_a_plate_of_its_own() {
    let text = "TITLE: X\n\
        002  A001 V C     01:00:01:00 01:00:01:00 01:00:00:00 01:00:00:00\n\
        002  B001 V D 012 02:00:00:00 02:00:01:00 01:00:00:00 01:00:01:00\n\
        * FROM CLIP NAME: ONE\n* TO CLIP NAME: TWO\n\
        003  B001 V C     02:00:01:00 02:00:01:00 01:00:01:00 01:00:01:00\n\
        003  BL   V D 024 00:00:00:00 00:00:01:00 01:00:01:00 01:00:02:00\n";
    let clips = [a001(), clip("B001_C001", Some("B001"), "02:00:00:00", 100)];
    let made = planned(text, &clips, 0).unwrap();
    let got: Vec<_> = made.package.plates.iter().map(|p| (p.name.as_str(), frames(p))).collect();
    assert_eq!(
        got,
        [
            ("X_020_PL01_v001", (24, 12, [0, 0])),
            // Incoming, and the fade to black behind it.
            ("X_020_PL02_v001", (0, 24 + 24, [0, 0])),
        ]
    );
    assert_eq!(made.skipped.len(), 2, "the line of the fade, and the black: {:?}", made.skipped);
}

/// Spans by editorial practice: ceil(record * speed), and never less than the list writes.
#[test]
fn speed_changes_take_the_source_frames_that_they_show() {
    for (times, remark, expected) in [
        // 48 frames of record at half speed.
        ("01:00:01:00 01:00:02:00 01:00:00:00 01:00:02:00", "M2 A001 012.0 01:00:01:00", (24, 24)),
        // Equal lengths, as some systems write them: 25 * 31.7 / 24 = 33.02.
        ("01:00:01:00 01:00:02:01 01:00:00:00 01:00:01:01", "M2 A001 031.7 01:00:01:00", (24, 34)),
        // Reversed: one frame is written, 24 are shown down from it: 25 to 48.
        ("01:00:02:00 01:00:02:01 01:00:00:00 01:00:01:00", "M2 A001 -024.0 01:00:02:00", (25, 24)),
        // Reversed, with the whole range written.
        ("01:00:01:00 01:00:02:00 01:00:00:00 01:00:01:00", "M2 A001 -024.0 01:00:01:00", (24, 24)),
        // Frozen, in three forms.
        ("01:00:01:00 01:00:01:01 01:00:00:00 01:00:02:00", "M2 A001 000.0 01:00:01:00", (24, 1)),
        ("01:00:01:00 01:00:01:00 01:00:00:00 01:00:02:00", "M2 A001 000.0 01:00:01:00", (24, 1)),
        ("01:00:01:00 01:00:03:00 01:00:00:00 01:00:02:00", "* FREEZE FRAME", (24, 1)),
        // Off by one, either way: the longer.
        ("01:00:01:00 01:00:02:01 01:00:00:00 01:00:01:00", "", (24, 25)),
        ("01:00:01:00 01:00:01:23 01:00:00:00 01:00:01:00", "", (24, 24)),
        // No speed named: what the source says.
        ("01:00:01:00 01:00:03:00 01:00:00:00 01:00:01:00", "", (24, 48)),
    ] {
        let text = format!("001  A001 V C {times}\n{remark}\n");
        let made = planned(&text, &[a001()], 0).unwrap();
        let plate = &made.package.plates[0];
        assert_eq!((plate.source_first, plate.frames.len()), (expected.0, expected.1), "{text}");
        assert_eq!(codes(&plate.notes), ["F0217"], "{text}");
    }
    // Full speed is no speed change.
    let text = format!("{ONE_SECOND}M2 A001 024.0 01:00:01:00\n");
    assert!(planned(&text, &[a001()], 0).unwrap().package.plates[0].notes.is_empty());
}

/// Whether a list at 23.976 counts it by the timebase or writes the true rate.
#[test]
fn full_speed_at_23_976_is_no_speed_change() {
    let rate: FrameRate = "23.976".parse().unwrap();
    let start = Timecode::parse("01:00:00:00", rate).unwrap();
    let timing = Timing { start: Some(start), rate: Some(rate), ..a001().timing };
    let clips = [ClipInfo { timing, ..a001() }];
    for (fps, speed) in [("024.0", None), ("23.976", None), ("023.98", None), ("47.952", Some(2.0))]
    {
        let text = format!("{ONE_SECOND}M2 A001 {fps} 01:00:01:00\n");
        let edl = edl::parse(text.as_bytes(), rate).unwrap();
        let made = plan(&PullRequest { rate, ..request(&edl, &clips, 0) }).unwrap();
        let retime = made.package.plates[0].retime.as_ref();
        assert_eq!(retime.map(|retime| retime.speed), speed, "{fps}");
    }
}

#[test]
fn a_speed_of_another_reel_is_told() {
    let event = |reel: &str, motion: &str| {
        format!("001  {reel} V C 01:00:01:00 01:00:03:00 01:00:00:00 01:00:01:00\nM2 {motion}\n")
    };
    let clips = [a001(), clip("A_0031C010_241010_133208", None, "01:00:00:00", 100)];
    for (text, said) in [
        (event("A001", "OTHERREEL 048.0 01:00:01:00"), true),
        (event("A001", "A001 048.0 01:00:01:00"), false),
        (event("A001", "048.0 01:00:01:00"), false),
        // One is the other, cut.
        (event("A_0031C0", "A_0031C010_241010_133208 048.0 01:00:01:00"), false),
        // The clip's name instead of the reel.
        (event("AX", "A001_C001 048.0 01:00:01:00") + "* FROM CLIP NAME: A001_C001\n", false),
    ] {
        let made = planned(&text, &clips, 0).unwrap();
        let plate = &made.package.plates[0];
        assert_eq!(plate.retime.as_ref().unwrap().speed, 2.0, "{text}");
        assert_eq!(codes(&plate.notes).contains(&"F0277"), said, "{text}");
    }
    // Full speed changes nothing, whoever's it is.
    let text = format!("{ONE_SECOND}M2 OTHERREEL 024.0 01:00:01:00\n");
    assert!(planned(&text, &clips, 0).unwrap().package.plates[0].notes.is_empty());
}

/// Each side has its own, at whatever time it is written for; one of neither is left out.
/// A ramp that was written as several speeds is not pulled as if it had one.
#[test]
fn several_speeds_under_a_cut_are_told() {
    let told = |speeds: &[&str]| {
        let lines: String = speeds.iter().map(|speed| format!("M2 A001 {speed}\n")).collect();
        let made = planned(&format!("{ONE_SECOND}{lines}"), &[a001()], 0).unwrap();
        let notes = &made.package.plates[0].notes;
        notes.iter().any(|note| note.message.contains("several speeds"))
    };
    assert!(told(&["024.0 01:00:01:00", "048.0 01:00:01:12"]));
    assert!(told(&["048.0 01:00:01:00", "024.0 01:00:01:12"]));
    assert!(!told(&["048.0 01:00:01:00", "048.0 01:00:01:00"]));
    assert!(!told(&["024.0 01:00:01:00"]));
}

#[test]
fn speeds_in_a_dissolve_go_to_the_sides_whose_reels_they_name() {
    let text = "001  A001 V C     01:00:00:00 01:00:01:00 01:00:00:00 01:00:01:00\n\
        002  A001 V C     01:00:01:00 01:00:01:00 01:00:01:00 01:00:01:00\n\
        002  B001 V D 012 02:00:00:00 02:00:02:00 01:00:01:00 01:00:02:00\n\
        M2 A001 024.0 02:00:09:00\nM2 B001 048.0 02:00:09:00\nM2 C001 012.0 02:00:00:00\n";
    let clips = [a001(), clip("B001_C001", Some("B001"), "02:00:00:00", 100)];
    let made = planned(text, &clips, 0).unwrap();
    let [a, b] = made.package.plates.as_slice() else { panic!("{:?}", made.package.plates) };
    assert_eq!((frames(a), a.retime.as_ref()), ((0, 36, [0, 0]), None));
    assert_eq!((frames(b), b.retime.as_ref().unwrap().speed), ((0, 48, [0, 0]), 2.0));
    assert_eq!(codes(&b.notes), ["F0217", "F0277"]);
}

/// Half speed over 72 of record is 36 source frames, and the list writes 72: the clip need not have those.
#[test]
fn slow_motion_with_equal_lengths_wants_the_frames_that_it_shows() {
    let text = "001  A001 V C 01:00:00:00 01:00:03:00 01:00:00:00 01:00:03:00\nM2 A001 012.0 01:00:00:00\n";
    let with = |frames| planned(text, &[clip("A001_C001", Some("A001"), "01:00:00:00", frames)], 0);
    let made = with(48).unwrap();
    let plate = &made.package.plates[0];
    assert_eq!((plate.matched.rule.as_str(), frames(plate)), ("reel", (0, 48, [0, 0])));
    assert_eq!(codes(&plate.notes), ["F0213", "F0217"]);
    assert!(plate.notes.iter().any(|note| note.message.contains("the event shows 36")));
    assert!(with(36).is_ok());
    assert_eq!(with(34).unwrap_err().code, Code::NoClipForEvent);
    // All of them are taken where they are there.
    assert_eq!(frames(&with(100).unwrap().package.plates[0]), (0, 72, [0, 0]));
}

/// Ten of record at double speed are 20 source frames: 5 to 24 down from the in, which is 24, and
/// from the out those below it.
#[test]
fn a_reversed_shot_has_its_frames_from_whichever_end_it_is_counted() {
    for (times, speed, expected, unsure) in [
        // 14 to 33 from the out. It was not counted by the speed, so the in may be the lowest: 24 to 43.
        ("01:00:01:00 01:00:01:10 01:00:00:00 01:00:00:10", "-048.0", (5, 39), true),
        // 18 to 37 from the out.
        ("01:00:01:00 01:00:01:14 01:00:00:00 01:00:00:10", "-048.0", (5, 33), true),
        // All that is shown is written.
        ("01:00:01:00 01:00:01:20 01:00:00:00 01:00:00:10", "-048.0", (24, 20), false),
        // But for one: 25 * 31.7 / 24 = 33.02.
        ("01:00:01:00 01:00:02:09 01:00:00:00 01:00:01:01", "-031.7", (23, 34), false),
        // Half speed shows 12: 13 to 24, 36 to 47 or 24 to 35.
        ("01:00:01:00 01:00:02:00 01:00:00:00 01:00:01:00", "-012.0", (13, 35), true),
        // No frame is written: 38 to 47, or 39 to 48.
        ("01:00:02:00 01:00:02:00 01:00:00:00 01:00:00:10", "-024.0", (38, 11), false),
    ] {
        let text = format!("001  A001 V C {times}\nM2 A001 {speed} 01:00:01:00\n");
        let made = planned(&text, &[a001()], 0).unwrap();
        let plate = &made.package.plates[0];
        assert_eq!((plate.source_first, plate.frames.len()), expected, "{text}");
        assert_eq!(codes(&plate.notes), ["F0217"], "{text}");
        assert_eq!(plate.notes[0].message.contains("does not say"), unsure, "{}", plate.notes[0]);
    }
}

/// Ten frames, 33 down to 24, and eight of a dissolve below them.
#[test]
fn a_reversed_shot_goes_on_below_its_first_frame() {
    let clips = [a001(), clip("B001_C001", Some("B001"), "02:00:00:00", 100)];
    // Some write the out of the range at the dissolve, some the frame that it goes on from.
    for at in ["01:00:01:10", "01:00:01:00", "01:00:00:23"] {
        let text = format!(
            "001  A001 V C     01:00:01:00 01:00:01:10 01:00:00:00 01:00:00:10\n\
            M2 A001 -024.0 01:00:01:00\n\
            002  A001 V C     {at} {at} 01:00:00:10 01:00:00:10\n\
            002  B001 V D 008 02:00:00:00 02:00:01:00 01:00:00:10 01:00:01:10\n\
            M2 A001 -024.0 {at}\n"
        );
        let made = planned(&text, &clips, 0).unwrap();
        let got: Vec<_> = made.package.plates.iter().map(frames).collect();
        assert_eq!(got, [(16, 18, [0, 0]), (0, 24, [0, 0])], "{at}");
        let retime = made.package.plates[0].retime.as_ref().unwrap();
        let got = (retime.speed, retime.record_frames, retime.source_frames);
        assert_eq!(got, (-1.0, 18, 18), "{at}");
    }
}

/// `pyedl-25.edl`, event 010: 30 seconds and a frame of 25, all of them written.
#[test]
fn a_clip_that_is_reversed_whole_is_whole() {
    let rate = FrameRate::new(25, 1).unwrap();
    let mut whole = clip("Test rename", None, "00:00:00:00", 751);
    whole.timing.rate = Some(rate);
    whole.timing.start = Some(Timecode::parse("00:00:00:00", rate).unwrap());
    let text = "010  AX       V     C        00:00:00:00 00:00:30:01 00:02:10:21 00:02:40:22\n\
        * FROM CLIP NAME: Test rename\n\
        M2   AX       -25.0                      00:00:00:00 \n";
    let edl = edl::parse(text.as_bytes(), rate).unwrap();
    let clips = [whole];
    let made = plan(&PullRequest { rate, ..request(&edl, &clips, 0) }).unwrap();
    assert_eq!(frames(&made.package.plates[0]), (0, 751, [0, 0]));
}

/// Two frames of 50 lie in one of 25, or in the halves of two.
#[test]
fn a_list_of_twice_the_rate_has_every_frame_that_it_touches() {
    let [fifty, rate] = [50, 25].map(|fps| FrameRate::new(fps, 1).unwrap());
    let mut slow = clip("A001_C001", Some("A001"), "01:00:00:00", 100);
    slow.timing.rate = Some(rate);
    slow.timing.start = Some(Timecode::parse("01:00:00:00", rate).unwrap());
    let clips = [slow];
    for (times, speed, expected) in [
        ("01:00:00:01 01:00:00:03 00:00:00:00 00:00:00:02", "", (0, 2)),
        ("01:00:00:02 01:00:00:04 00:00:00:00 00:00:00:02", "", (1, 1)),
        ("01:00:00:01 01:00:00:02 00:00:00:00 00:00:00:01", "", (0, 1)),
        // 7 down to 4, and 8 down to 5.
        ("01:00:00:07 01:00:00:08 00:00:00:00 00:00:00:04", "M2 A001 -050.0", (2, 2)),
        ("01:00:00:08 01:00:00:09 00:00:00:00 00:00:00:04", "M2 A001 -050.0", (2, 3)),
    ] {
        let text = format!("001  A001 V C {times}\n{speed}\n");
        let edl = edl::parse(text.as_bytes(), fifty).unwrap();
        let made = plan(&PullRequest { rate: fifty, ..request(&edl, &clips, 0) }).unwrap();
        let (first, count, _) = frames(&made.package.plates[0]);
        assert_eq!((first, count), expected, "{text}");
    }
    // From 8 down to 5 lie in 4, 3 and 2, which is not there; of 7 down to 6 nothing is missing.
    let mut late = clips[0].clone();
    late.timing.start = Some(Timecode::parse("01:00:00:03", rate).unwrap());
    for (times, short) in [
        ("01:00:00:08 01:00:00:09 00:00:00:00 00:00:00:04", true),
        ("01:00:00:07 01:00:00:08 00:00:00:00 00:00:00:02", false),
    ] {
        let text = format!("001  A001 V C {times}\nM2 A001 -050.0\n");
        let edl = edl::parse(text.as_bytes(), fifty).unwrap();
        let clips = [late.clone()];
        let made = plan(&PullRequest { rate: fifty, ..request(&edl, &clips, 0) }).unwrap();
        let plate = &made.package.plates[0];
        assert_eq!((plate.is_short(), frames(plate).0), (short, 0), "{:?}", plate.notes);
        let note = plate.notes.iter().find(|note| note.code == Code::FramesShort);
        let said = "the event shows 3 source frames, and the media has 2 of them";
        assert_eq!(note.map(|note| note.message.as_str()), short.then_some(said));
    }
}

#[test]
fn a_speed_change_that_the_media_does_not_hold_is_clamped_and_said() {
    let text = "001  A001 V C 01:00:03:00 01:00:04:00 01:00:00:00 01:00:01:00\n\
        M2 A001 048.0 01:00:03:00\n";
    let made = planned(text, &[a001()], 0).unwrap();
    let plate = &made.package.plates[0];
    assert_eq!(frames(plate), (72, 28, [0, 0]), "48 are shown, 28 are there");
    assert_eq!(codes(&plate.notes), ["F0217", "F0278"]);
}

/// Thirty frames and twelve of a dissolve from frame 60 on, of which the clip has forty: not a
/// short handle, but a hole in the cut.
#[test]
fn a_plate_that_lacks_what_the_event_shows_is_told_aloud() {
    let text = "001  A001 V C     01:00:02:12 01:00:03:18 01:00:00:00 01:00:01:06\n\
        002  A001 V C     01:00:03:18 01:00:03:18 01:00:01:06 01:00:01:06\n\
        002  B001 V D 012 02:00:00:00 02:00:01:00 01:00:01:06 01:00:02:06\n";
    let clips = [a001(), clip("B001_C001", Some("B001"), "02:00:00:00", 100)];
    let made = planned(text, &clips, 0).unwrap();
    let [short, whole] = made.package.plates.as_slice() else { panic!("two plates") };
    assert_eq!((frames(short), frames(whole)), ((60, 40, [0, 0]), (0, 24, [0, 0])));
    assert_eq!((short.is_short(), whole.is_short()), (true, false));
    let note = short.notes.iter().find(|note| note.code == Code::FramesShort).unwrap();
    assert!(note.message.contains("shows 42") && note.message.contains("has 40"), "{note}");
    let first = &made.package.notes[0];
    assert_eq!(first.code, Code::FramesShort, "before all else: {:?}", made.package.notes);
    assert!(first.message.contains(&short.name) && !first.message.contains(&whole.name));
}

/// A remark that cannot be read costs nothing but itself; a line that should
/// have been an event is a rejection without an event.
#[test]
fn unreadable_lines_are_told_apart_by_what_they_cost() {
    let text = format!("{ONE_SECOND}* ASC_SOP (1 1 1)\n002  A001 V C 01:00:01:00 01:00\n");
    let made = planned(&text, &[a001()], 0).unwrap();
    assert_eq!(made.package.plates.len(), 1);
    let [lost] = made.package.rejected.as_slice() else { panic!("{:?}", made.package.rejected) };
    assert_eq!((lost.event.as_ref(), lost.fault.place.as_deref()), (None, Some("line 4")));
    let note = made.package.notes.iter().find(|n| n.code == Code::BadEdlLine).unwrap();
    assert_eq!(note.place.as_deref(), Some("line 3"));
}

#[test]
fn the_same_request_makes_the_same_plan() {
    assert_eq!(planned(ONE_SECOND, &[a001()], 8), planned(ONE_SECOND, &[a001()], 8));
}
