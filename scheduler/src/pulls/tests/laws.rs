//! What holds for every plan, whatever the list and the media.

use super::*;
use platefarm_model::job::StepKind;
use proptest::prelude::*;
use std::collections::{BTreeMap, HashSet};

/// A list of events over five reels, some of which exist, some black or sound,
/// some with marks, speeds and transitions.
fn lists() -> impl Strategy<Value = String> {
    let reel = prop_oneof![
        6 => (0usize..4).prop_map(|i| format!("A00{i}")),
        1 => Just("BL".to_owned()),
        1 => Just("AX".to_owned()),
        1 => Just("Z999".to_owned()),
    ];
    let track = prop_oneof![6 => Just("V"), 1 => Just("A"), 1 => Just("V2")];
    let transition = prop_oneof![6 => Just("C"), 1 => Just("D 012"), 1 => Just("W001 006")];
    let remark = prop_oneof![
        4 => Just(String::new()),
        1 => Just("* LOC: 01:00:00:00 RED SH_0010 fix".to_owned()),
        1 => Just("* LOC: 01:00:00:00 RED cut_010".to_owned()),
        1 => Just("* FREEZE FRAME".to_owned()),
        2 => (-60i32..120).prop_map(|fps| format!("M2 A001 {fps}.0 01:00:00:00")),
        1 => (0usize..4).prop_map(|i| format!("* FROM CLIP NAME: A00{i}_C001")),
    ];
    let event = (
        reel,
        track,
        transition,
        0i64..260,
        prop_oneof![5 => 1i64..60, 1 => Just(0)],
        0i64..60,
        remark,
    );
    prop::collection::vec(event, 1..12).prop_map(|events| {
        let at = |frames: i64| Timecode { frames, rate: RATE, drop_frame: false };
        let mut text = "TITLE: cut\n".to_owned();
        let mut record = 86_400;
        for (i, (reel, track, transition, first, count, shown, remark)) in
            events.into_iter().enumerate()
        {
            let shown = if remark.starts_with("M2") { shown } else { count };
            // Just before the clips begin, so that some events lie over the edge.
            let source = 86_400 - 20 + first;
            text.push_str(&format!(
                "{:03}  {reel} {track} {transition} {} {} {} {}\n{remark}\n",
                i + 1,
                at(source),
                at(source + count),
                at(record),
                at(record + shown)
            ));
            record += shown;
        }
        text
    })
}

/// Three clips that the events may find, of different lengths, one with gaps.
fn media(lengths: [u64; 3]) -> Vec<ClipInfo> {
    let mut clips: Vec<ClipInfo> = (0..3)
        .map(|i| clip(&format!("A00{i}_C001"), Some(&format!("A00{i}")), "01:00:00:00", lengths[i]))
        .collect();
    clips[2].timing.missing.insert(platefarm_model::FrameRange::of_len(5, 3));
    clips
}

fn is_legal(name: &str) -> bool {
    name.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'-'))
        && name.starts_with(|c: char| c.is_ascii_alphanumeric())
        && name.len() < 200
}

fn check(edl: &EditList, made: &PullPlan, asked: u32) {
    let package = &made.package;
    // Every event is exactly one of the three.
    let mut fates: BTreeMap<usize, u32> = BTreeMap::new();
    let lines = package.plates.iter().map(|p| p.event.line);
    let others = package.rejected.iter().chain(&made.skipped);
    for line in lines.chain(others.filter_map(|r| Some(r.event.as_ref()?.line))) {
        *fates.entry(line).or_default() += 1;
    }
    let expected: BTreeMap<usize, u32> = edl.events.iter().map(|e| (e.line, 1)).collect();
    assert_eq!(fates, expected);
    assert!(
        package.rejected.iter().all(|r| !r.fault.message.is_empty() && r.fault.place.is_some())
    );

    // Names differ even where case does not count, and are legal.
    let names: HashSet<String> =
        package.plates.iter().map(|p| p.name.to_ascii_lowercase()).collect();
    assert_eq!(names.len(), package.plates.len());
    assert!(package.plates.iter().all(|p| is_legal(&p.name)));

    // The job is the plates in order, then the package.
    let (last, renders) = made.job.steps.split_last().unwrap();
    assert_eq!(renders.len(), package.plates.len());
    assert_eq!(last.after, (0..renders.len() as u32).collect::<Vec<_>>());
    for (step, plate) in renders.iter().zip(&package.plates) {
        let StepKind::Render(spec) = &step.kind else { panic!("a render") };
        assert_eq!((&step.name, step.frames), (&plate.name, plate.frames));
        assert_eq!((spec.source_first, spec.frames), (plate.source_first, plate.frames));
        assert_eq!(spec.source, plate.clip.path);
        check_frames(edl, plate, asked);
    }
}

/// The frames of a plate: inside the clip, with all the handle that there is.
fn check_frames(edl: &EditList, plate: &PlatePlan, asked: u32) {
    let media = plate.clip.timing.frame_count as i64;
    let first = plate.source_first;
    let end = first + plate.frames.len() as i64;
    assert_eq!(plate.frames.first(), 1001);
    assert!(0 <= first && end <= media, "{first}..{end} of {media}");
    let [head, tail] = plate.handles.map(i64::from);
    let (from, to) = (first + head, end - tail);
    assert!(from < to, "the event itself has a frame");
    assert_eq!(head, i64::from(asked).min(from));
    assert_eq!(tail, i64::from(asked).min(media - to));
    let clamped = [head, tail] != [i64::from(asked); 2];
    assert!(!clamped || codes(&plate.notes).contains(&"F0213"), "clamped handles are said");
    // The picture of a plain cut is the list's own: nothing was assumed about it. A line without
    // record length is no cut but the outgoing side of a transition, whose length that is.
    let event = edl.events.iter().find(|e| e.line == plate.event.line).unwrap();
    if !codes(&plate.notes).iter().any(|code| matches!(*code, "F0217" | "F0218" | "F0260"))
        && event.source.frames() > 0
        && event.record.frames() > 0
    {
        let start = plate.clip.timing.start.unwrap().frames;
        assert_eq!(from, event.source.start.frames - start);
        assert_eq!(to - from, event.source.frames());
    }
    let absent =
        plate.clip.timing.missing.ranges().iter().any(|r| r.first() < end && first <= r.last());
    assert_eq!(codes(&plate.notes).contains(&"F0109"), absent);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    #[test]
    fn every_plan_keeps_the_laws(text in lists(), lengths in [1u64..200, 1u64..200, 1u64..200], handles in 0u32..20) {
        let edl = list(&text);
        prop_assert!(edl.problems.is_empty(), "{:?}", edl.problems);
        let clips = media(lengths);
        match plan(&request(&edl, &clips, handles)) {
            Ok(made) => check(&edl, &made, handles),
            Err(fault) => prop_assert!(fault.place.is_some() && fault.code.text().starts_with("F02"), "{fault}"),
        }
    }

    /// Whatever bytes the list was, planning it does no harm.
    #[test]
    fn any_list_can_be_planned(text in "([0-9]{1,3} {1,2}\\PC{0,8} V [CD]( 012)? ([0-9]{1,12} |[0-9]{2}:[0-5][0-9]:[0-5][0-9]:[0-2][0-9] ){4}\n(M2 x -?[0-9]{1,6}.0\n)?){0,4}") {
        let edl = list(&text);
        let clips = media([100, 100, 100]);
        if let Ok(made) = plan(&request(&edl, &clips, 8)) {
            check(&edl, &made, 8);
        }
    }
}
