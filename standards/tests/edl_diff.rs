//! What two versions of a cut differ in, against cases that were worked out by hand.

use platefarm_model::FrameRate;
use platefarm_standards::editlist::{Change, Diff, EditList, Side, diff, diff_to_json};
use platefarm_standards::edl;
use proptest::prelude::*;

/// A list of `(reel, source in, source out, record in, remark)`, in frames.
fn list(events: &[(&str, i64, i64, i64, &str)]) -> EditList {
    let mut text = String::from("TITLE: T\n");
    for (i, (reel, from, to, at, remark)) in events.iter().enumerate() {
        let end = at + to - from;
        text.push_str(&format!("{:03}  {reel} V C {from} {to} {at} {end}\n{remark}\n", i + 1));
    }
    // Frame counts alone look like no event; a track and a transition do.
    edl::parse(text.as_bytes(), FrameRate::FPS_24).unwrap()
}

#[test]
fn another_colour_decision_is_a_change() {
    let with = |remark: &str| list(&[("A001", 0, 24, 0, remark), ("A002", 0, 24, 24, "")]);
    let sop = "* ASC_SOP (1.1 1 1)(0 0 0)(1 1 1)";
    let (plain, graded, other) = (with(""), with(sop), with("* ASC_SAT 0.9"));
    for (before, after) in [(&plain, &graded), (&graded, &other), (&other, &plain)] {
        let diff = diff(before, after).unwrap();
        assert_eq!(told(&diff), [("001".to_owned(), vec![Change::Regraded])]);
        assert_eq!(diff_to_json(&diff)["changed"][0]["changes"][0]["kind"], "regraded");
    }
    assert!(diff(&graded, &graded).unwrap().changed.is_empty());
}

/// Number in the second list (or the first, when gone) and the changes.
fn told(diff: &Diff<'_>) -> Vec<(String, Vec<Change>)> {
    let number = |c: &platefarm_standards::editlist::Changed<'_>| {
        c.after.or(c.before).unwrap().number.clone()
    };
    diff.changed.iter().map(|c| (number(c), c.changes.clone())).collect()
}

#[test]
fn every_kind_of_change_is_told() {
    let before = list(&[
        ("A001C001", 100, 148, 0, ""),
        ("A001C002", 100, 148, 48, ""),
        ("A001C003", 100, 148, 96, ""),
        ("A001C004", 100, 148, 144, ""),
        ("A001C005", 100, 148, 192, ""),
        ("A001C006", 100, 148, 240, ""),
    ]);
    let after = list(&[
        // Eight more at the tail: what follows is pushed.
        ("A001C001", 100, 156, 0, ""),
        // Slipped by 5.
        ("A001C002", 105, 153, 56, ""),
        ("B001C001", 0, 10, 104, ""),
        // Shortened by 10 at the head.
        ("A001C003", 110, 148, 114, ""),
        ("A001C004", 100, 148, 152, "M2 A001C004 048.0 00:00:04:04"),
        // Gone: C005. C006 stands where C005 did, and a frame later.
        ("A001C006", 100, 148, 201, ""),
    ]);
    let diff = diff(&before, &after).unwrap();
    let pushed = |frames| Change::Moved { frames, rippled: true };
    let expected = [
        ("001", vec![Change::Extended { side: Side::Tail, frames: 8 }]),
        ("002", vec![Change::Slipped { frames: 5 }, pushed(8)]),
        ("003", vec![Change::New]),
        ("004", vec![Change::Shortened { side: Side::Head, frames: 10 }, pushed(18)]),
        ("005", vec![Change::Retimed { from: 1.0, to: 2.0 }, pushed(8)]),
        ("006", vec![Change::Moved { frames: -39, rippled: false }]),
        ("005", vec![Change::Gone]),
    ];
    let expected: Vec<_> = expected.into_iter().map(|(n, c)| (n.to_owned(), c)).collect();
    assert_eq!(told(&diff), expected);
    assert_eq!(diff.same, 0);
    let json = diff_to_json(&diff);
    assert_eq!(json["changed"][1]["changes"][0]["kind"], "slipped");
    assert_eq!(json["changed"][2]["before"], serde_json::Value::Null);
}

/// A clip that is used twice keeps its two shots apart.
#[test]
fn repeated_clips_are_paired_by_what_they_share() {
    let before = list(&[("A", 0, 50, 0, ""), ("A", 200, 250, 50, "")]);
    let after = list(&[("A", 200, 250, 0, ""), ("A", 4, 50, 50, "")]);
    let diff = diff(&before, &after).unwrap();
    let expected = [
        ("001".to_owned(), vec![Change::Moved { frames: -50, rippled: false }]),
        (
            "002".to_owned(),
            vec![
                Change::Shortened { side: Side::Head, frames: 4 },
                Change::Moved { frames: 50, rippled: false },
            ],
        ),
    ];
    assert_eq!(told(&diff), expected);
}

/// Two lines of a transition are one shot and its tail.
#[test]
fn a_transition_that_comes_makes_the_shot_before_it_longer() {
    let cut = "001 A V C 01:00:00:00 01:00:02:00 00:00:00:00 00:00:02:00\n\
               002 B V C 01:00:00:00 01:00:02:00 00:00:02:00 00:00:04:00\n";
    let mixed = "001 A V C 01:00:00:00 01:00:02:00 00:00:00:00 00:00:02:00\n\
                 002 A V C 01:00:02:00 01:00:02:00 00:00:02:00 00:00:02:00\n\
                 002 B V D 012 01:00:00:00 01:00:02:00 00:00:02:00 00:00:04:00\n";
    let rate = FrameRate::FPS_24;
    let (cut, mixed) =
        (edl::parse(cut.as_bytes(), rate).unwrap(), edl::parse(mixed.as_bytes(), rate).unwrap());
    let diff = diff(&cut, &mixed).unwrap();
    let tail = vec![Change::Extended { side: Side::Tail, frames: 12 }];
    assert_eq!(told(&diff), [("001".to_owned(), tail)]);
    assert_eq!(diff.same, 1);
}

#[test]
fn lists_of_two_rates_are_not_compared() {
    let (a, b) = (list(&[]), edl::parse(b"", "25".parse().unwrap()).unwrap());
    assert!(diff(&a, &b).is_err());
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 128, ..ProptestConfig::default() })]

    /// Nothing differs from itself, everything is new against nothing, and
    /// each shot of the second list is told of at most once.
    #[test]
    fn the_laws_hold(
        a in prop::collection::vec((0usize..4, 0i64..200, 1i64..60, 0i64..400), 0..12),
        b in prop::collection::vec((0usize..4, 0i64..200, 1i64..60, 0i64..400), 0..12),
    ) {
        let reels = ["A001C001", "A001C002", "B001C001", "C001C001"];
        let make = |rows: &[(usize, i64, i64, i64)]| {
            let rows: Vec<_> = rows.iter().map(|(r, from, n, at)| (reels[*r], *from, from + n, *at, "")).collect();
            list(&rows)
        };
        let (a, b) = (make(&a), make(&b));
        let own = diff(&a, &a).unwrap();
        prop_assert_eq!((own.changed.len(), own.same), (0, a.events.len()));
        let none = list(&[]);
        prop_assert!(diff(&none, &b).unwrap().changed.iter().all(|c| c.changes == [Change::New]));
        let both = diff(&a, &b).unwrap();
        let seen = |side: &dyn Fn(&platefarm_standards::editlist::Changed<'_>) -> bool| both.changed.iter().filter(|c| side(c)).count();
        prop_assert_eq!(seen(&|c| c.after.is_some()) + both.same, b.events.len());
        prop_assert_eq!(seen(&|c| c.before.is_some()) + both.same, a.events.len());
    }
}
