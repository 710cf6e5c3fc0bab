//! Names over several deliveries: a name that was delivered stays with its clip.

use super::again::delivered;
use super::*;
use crate::pulls::Previous;
use platefarm_model::Code;
use proptest::prelude::*;
use std::collections::BTreeMap;

/// An event of a clip with a second of it from `first` on.
#[derive(Clone, Debug, PartialEq)]
struct Cut {
    clip: usize,
    first: i64,
    count: i64,
    /// Shot of its marker.
    shot: Option<usize>,
}

fn media() -> Vec<ClipInfo> {
    let one = |name: &str| clip(name, Some(name), "01:00:00:00", 2000);
    vec![one("A001_C001"), one("B002_C001"), one("A003_C007")]
}

fn text(cuts: &[Cut]) -> String {
    let at = |frames: i64| Timecode { frames: 86_400 + frames, rate: RATE, drop_frame: false };
    let mut text = "TITLE: Q\n".to_owned();
    let mut record = 0;
    for (i, cut) in cuts.iter().enumerate() {
        let reel = &media()[cut.clip].identity.clip_name;
        let (first, end) = (cut.first, cut.first + cut.count);
        text.push_str(&format!(
            "{:03}  {reel} V C {} {} {} {}\n",
            i + 1,
            at(first),
            at(end),
            at(record),
            at(record + cut.count)
        ));
        if let Some(shot) = cut.shot {
            text.push_str(&format!("* LOC: {} RED SH_{shot:03}\n", at(record)));
        }
        record += cut.count;
    }
    text
}

fn pulled(cuts: &[Cut], previous: &[Previous], template: &str) -> PullPlan {
    let (edl, media) = (list(&text(cuts)), media());
    let mut request = request(&edl, &media, 8);
    request.previous = previous.to_vec();
    request.delivery.naming.plate = template.into();
    plan(&request).unwrap()
}

const TEMPLATE: &str = "{shot}_PL{plate:02}_v{version:03}";

fn names(made: &PullPlan) -> Vec<(&str, &str)> {
    let plates = made.package.plates.iter();
    plates.map(|p| (p.name.as_str(), p.clip.identity.clip_name.as_str())).collect()
}

fn cut(clip: usize, first: i64, shot: Option<usize>) -> Cut {
    Cut { clip, first, count: 24, shot }
}

/// An insert of another clip before the shot's only plate took its number.
#[test]
fn a_number_stays_with_its_clip() {
    let first = pulled(&[cut(0, 48, Some(10))], &[], TEMPLATE);
    assert_eq!(names(&first), [("SH_010_PL01_v001", "A001_C001")]);
    let both = [cut(1, 48, Some(10)), cut(0, 48, Some(10))];
    let second = pulled(&both, &delivered(&first), TEMPLATE);
    assert_eq!(
        names(&second),
        [("SH_010_PL02_v001", "B002_C001"), ("SH_010_PL01_v002", "A001_C001")]
    );
    // A third pull that knows both goes on from both, and one without the first keeps its number free.
    let mut known = delivered(&first);
    known.extend(delivered(&second));
    assert_eq!(
        names(&pulled(&both, &known, TEMPLATE)),
        [("SH_010_PL02_v002", "B002_C001"), ("SH_010_PL01_v003", "A001_C001")]
    );
    let swapped = pulled(&[cut(2, 48, Some(10))], &known, TEMPLATE);
    assert_eq!(names(&swapped), [("SH_010_PL03_v001", "A003_C007")]);
    let note = swapped.package.plates[0].notes.iter().find(|n| n.code == Code::NameKept).unwrap();
    assert!(note.message.contains("PL01") && note.message.contains("A003_C007"), "{note}");
}

#[test]
fn shots_without_markers_do_not_slide() {
    let first = pulled(&[cut(0, 48, None), cut(2, 0, None)], &[], TEMPLATE);
    assert_eq!(names(&first), [("Q_010_PL01_v001", "A001_C001"), ("Q_020_PL01_v001", "A003_C007")]);
    let more = [cut(1, 48, None), cut(0, 50, None), cut(2, 0, None)];
    let second = pulled(&more, &delivered(&first), TEMPLATE);
    assert_eq!(
        names(&second),
        [
            ("Q_011_PL01_v001", "B002_C001"),
            ("Q_010_PL01_v002", "A001_C001"),
            ("Q_020_PL01_v002", "A003_C007")
        ]
    );
    let noted = |i: usize| second.package.plates[i].notes.iter().any(|n| n.code == Code::NameKept);
    assert!(noted(0) && noted(1) && noted(2));
}

/// Where the template does not tell plates apart, a name that goes over to another clip gets a new version.
#[test]
fn no_name_is_delivered_twice() {
    let first = pulled(&[cut(0, 48, Some(10))], &[], "{shot}_v{version}");
    let second = pulled(&[cut(1, 48, Some(10))], &delivered(&first), "{shot}_v{version}");
    assert_eq!(names(&second), [("SH_010_v2", "B002_C001")]);
    let note = second.package.plates[0].notes.iter().find(|n| n.code == Code::NameKept).unwrap();
    assert!(note.message.contains("A001_C001"), "{note}");
    // Back to the first clip: it goes on from its own plate, and past the other's name.
    let known = [delivered(&first), delivered(&second)].concat();
    let third = pulled(&[cut(0, 48, Some(10))], &known, "{shot}_v{version}");
    assert_eq!(names(&third), [("SH_010_v3", "A001_C001")]);
    let first = pulled(&[cut(0, 48, None)], &[], "e{event}_v{version}");
    let both = [cut(1, 48, None), cut(0, 48, None)];
    let second = pulled(&both, &delivered(&first), "e{event}_v{version}");
    assert_eq!(names(&second), [("e001_v2", "B002_C001"), ("e002_v2", "A001_C001")]);
    // One clip in two shots, under its own name.
    let by_clip = "{clip}_v{version}";
    let first = pulled(&[cut(0, 48, Some(10))], &[], by_clip);
    let second = pulled(&[cut(0, 480, Some(20))], &delivered(&first), by_clip);
    assert_eq!(names(&second), [("A001_C001_v2", "A001_C001")]);
    let known = [delivered(&first), delivered(&second)].concat();
    let third = pulled(&[cut(0, 48, Some(10)), cut(1, 0, Some(30))], &known, by_clip);
    assert_eq!(names(&third), [("A001_C001_v3", "A001_C001"), ("B002_C001_v1", "B002_C001")]);
    // Rewrapped, the clip has another file and the same name.
    let mut known = delivered(&first);
    known[0].clip = "/media/A001_C001.mxf".into();
    let again = pulled(&[cut(0, 48, Some(10))], &known, by_clip);
    assert_eq!(names(&again), [("A001_C001_v2", "A001_C001")]);
}

/// Titles carry the number of the cut; names that were delivered do not follow it.
#[test]
fn a_title_with_another_cut_number_renames_nothing() {
    let cuts = [cut(0, 48, None), cut(2, 0, None)];
    let titled = |title: &str, previous: &[Previous]| {
        let edl = list(&text(&cuts).replace("TITLE: Q", &format!("TITLE: {title}")));
        let media = media();
        let mut request = request(&edl, &media, 8);
        request.previous = previous.to_vec();
        plan(&request).unwrap()
    };
    let first = titled("R1_V012", &[]);
    assert_eq!(first.package.plates[0].name, "R1_V012_010_PL01_v001");
    let second = titled("R1_V013", &delivered(&first));
    assert_eq!(
        names(&second),
        [("R1_V012_010_PL01_v002", "A001_C001"), ("R1_V012_020_PL01_v002", "A003_C007")]
    );
    let noted = |i: usize| second.package.plates[i].notes.iter().any(|n| n.code == Code::NameKept);
    assert!(noted(0) && noted(1));
}

/// Numbers that no list has are numbers still.
#[test]
fn the_largest_event_number_has_a_next_shot() {
    let numbered = |cuts: &[Cut], previous: &[Previous]| {
        let (mut edl, media) = (list(&text(cuts)), media());
        edl.events[0].number = u64::MAX.to_string();
        let mut request = request(&edl, &media, 8);
        request.previous = previous.to_vec();
        plan(&request).unwrap()
    };
    let first = numbered(&[cut(0, 48, None)], &[]);
    assert_eq!(first.package.plates[0].name, "Q_18446744073709551615_PL01_v001");
    let second = numbered(&[cut(1, 48, None)], &delivered(&first));
    assert_eq!(second.package.plates[0].name, "Q_000_PL01_v001");
}

/// Media that was moved is the same clip, so where frames keep their numbers these do too; a clip
/// that names no reel is taken for it aloud.
#[test]
fn numbers_are_kept_where_media_was_moved() {
    let first = pulled(&[cut(0, 48, Some(10))], &[], TEMPLATE);
    let edl = list(&text(&[cut(0, 46, Some(10))]));
    let again = |reel: Option<&str>| {
        let mut media = media();
        media[0].path = "/moved/A001_C001.000001.dng".into();
        let mut known = delivered(&first);
        for reel_name in [&mut media[0].identity.reel_name, &mut known[0].reel] {
            *reel_name = reel.map(Into::into);
        }
        let mut request = request(&edl, &media, 8);
        request.previous = known;
        request.delivery.naming.keep_numbers = true;
        plan(&request).unwrap().package.plates.remove(0)
    };
    let plate = again(Some("A001_C001"));
    assert_eq!((plate.name.as_str(), plate.frames.first()), ("SH_010_PL01_v002", 999));
    assert!(plate.notes.iter().all(|note| note.code != Code::NameKept));
    let plate = again(None);
    assert_eq!((plate.name.as_str(), plate.frames.first()), ("SH_010_PL01_v002", 999));
    assert!(plate.notes.iter().any(|note| note.code == Code::NameKept));
}

/// Events of which no two show the same frames of one clip.
fn cuts(odd: bool) -> impl Strategy<Value = Vec<Cut>> {
    let cut = (0usize..3, 1i64..60, prop_oneof![Just(None), (0usize..3).prop_map(Some)]);
    prop::collection::vec(cut, 1..9).prop_map(move |all| {
        let one = |(i, (clip, count, shot))| Cut {
            clip,
            first: 20 + 14 * i as i64 + if odd { 7 } else { 0 },
            count,
            shot,
        };
        all.into_iter().enumerate().map(one).collect()
    })
}

proptest! {
    /// A plate whose clip and range stay keeps its shot and number, and no name
    /// goes to another clip, whatever else is inserted, removed and moved.
    #[test]
    fn a_plate_that_stays_keeps_its_name(
        base in cuts(false),
        more in cuts(true),
        gone in prop::collection::vec(any::<bool>(), 9),
        places in prop::collection::vec(0usize..20, 9),
    ) {
        let first = pulled(&base, &[], TEMPLATE);
        let mut now: Vec<Cut> = base.clone();
        let mut gone = gone.into_iter();
        now.retain(|_| gone.next() != Some(true));
        for (cut, place) in more.into_iter().zip(places) {
            now.insert(place % (now.len() + 1), cut);
        }
        let second = pulled(&now, &delivered(&first), TEMPLATE);
        let mut clips: BTreeMap<(String, u32), String> = BTreeMap::new();
        for plate in &first.package.plates {
            clips.insert((plate.shot.clone(), plate.number), plate.clip.path.clone());
        }
        for plate in &second.package.plates {
            let key = (plate.shot.clone(), plate.number);
            if let Some(clip) = clips.get(&key) {
                prop_assert_eq!(clip, &plate.clip.path, "{:?}", key);
                prop_assert_eq!(plate.version, 2);
            }
            let same = first.package.plates.iter().zip(&base).find(|(p, cut)| {
                p.clip.path == plate.clip.path && p.source_first == plate.source_first
                    && p.frames.len() == plate.frames.len() && now.contains(cut)
            });
            if let Some((before, _)) = same {
                prop_assert_eq!((&before.shot, before.number), (&plate.shot, plate.number));
            }
        }
    }
}
