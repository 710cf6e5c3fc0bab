//! The package against plates that are whole, owed, torn, lost and outside.

use super::gather::gather;
use super::html::{Thumbnail, page};
use super::*;
use platefarm_media::hash::xxh128;
use platefarm_model::FrameRange;
use platefarm_model::clip::{CameraInfo, ClipInfo, Identity, Picture, Timing};
use platefarm_model::code::Owner;
use platefarm_model::delivery::{MovieCodec, MovieSpec};
use platefarm_model::job::{FrameResult, StageMillis};
use platefarm_model::making::Making;
use platefarm_model::pull::{EventRef, PackageColor, PlatePlan, Rejected};
use platefarm_model::raw::Rect;
use platefarm_model::recipe::{Compression, Debayer, OutputColor};
use platefarm_model::{FrameRate, Timecode};

fn event(number: &str) -> EventRef {
    EventRef {
        number: number.into(),
        line: 4,
        reel: "A001C001".into(),
        clip_name: Some("a <fine> \"clip\" & more".into()),
        source_in: "01:00:00:02".into(),
        source_out: "01:00:00:05".into(),
        record_in: "00:00:00:00".into(),
        record_out: "00:00:00:03".into(),
    }
}

pub(super) fn plan(name: &str) -> PlatePlan {
    let raster = Rect::of_size(64, 32);
    PlatePlan {
        name: name.into(),
        event: event("001"),
        shot: String::new(),
        number: 1,
        version: 1,
        also: vec![],
        matched: platefarm_model::pull::Matched {
            rule: "reel".into(),
            score: 1.0,
            by: "reel = clip name".into(),
            ..platefarm_model::pull::Matched::default()
        },
        retime: None,
        recipe: String::new(),
        reused: platefarm_model::FrameSet::new(),
        reused_from: vec![],
        documents: vec![],
        clip: ClipInfo {
            path: "/media/A001C001.000001.dng".into(),
            identity: Identity { clip_name: "A001C001".into(), ..Identity::default() },
            timing: Timing {
                start: Some(Timecode::parse("01:00:00:00", FrameRate::FPS_24).unwrap()),
                rate: Some(FrameRate::FPS_24),
                frame_count: 8,
                first_file_number: Some(1),
                ..Timing::default()
            },
            picture: Picture {
                width: 64,
                height: 32,
                photosites: [64, 32],
                active: raster,
                crop: raster,
                pixel_aspect: 1.0,
                bit_depth: 12,
                format: "dng".into(),
                compression: "none".into(),
                cfa: Some("rggb".into()),
                ..Picture::default()
            },
            camera: CameraInfo { make: Some("Maker".into()), ..CameraInfo::default() },
            ..ClipInfo::default()
        },
        source_first: 2,
        frames: FrameRange::new(1001, 1003).unwrap(),
        handles: [0, 0],
        size: [64, 32],
        amf: Document { name: format!("{name}.amf"), text: "<amf/>".into() },
        clf: None,
        looks: vec![],
        notes: vec![Fault::new(Code::HandlesClamped, "2 of 8 frames of head handle")],
    }
}

pub(super) fn spec(out_dir: &Path, plates: &[&str]) -> PackageSpec {
    PackageSpec {
        out_dir: out_dir.to_str().unwrap().into(),
        name: "reel_1".into(),
        show: "demo".into(),
        rate: FrameRate::FPS_24,
        plates: plates.iter().map(|name| plan(name)).collect(),
        rejected: vec![],
        edl: Document { name: "cut.edl".into(), text: "TITLE: CUT\n".into() },
        fdl: None,
        look: None,
        debayer: Debayer::Mhc,
        repairs: platefarm_model::repair::Repairs::default(),
        compression: Compression::Zip,
        color_out: OutputColor::default(),
        delivery: platefarm_model::delivery::Delivery::default(),
        defaulted: vec![],
        documents: vec![],
        color: PackageColor::default(),
        notes: vec![],
    }
}

/// A result as a worker reports it, its file staged but not published.
fn staged(out_dir: &Path, plate: &str, frame: i64) -> FrameResult {
    let dir = out_dir.join(plate);
    let staging = dir.join(publish::STAGING).join("t5");
    std::fs::create_dir_all(&staging).unwrap();
    let name = format!("{plate}.{frame}.exr");
    let bytes = format!("picture {frame}");
    std::fs::write(staging.join(&name), &bytes).unwrap();
    FrameResult {
        frame,
        staged: staging.join(&name).to_str().unwrap().into(),
        published: dir.join(&name).to_str().unwrap().into(),
        xxh128: xxh128(bytes.as_bytes()),
        bytes: bytes.len() as u64,
        backend: "cpu".into(),
        millis: StageMillis::from([("read".into(), 2.0), ("write".into(), 4.0)]),
        non_finite: 0,
    }
}

fn published(out_dir: &Path, plate: &str, frame: i64) -> FrameResult {
    let result = staged(out_dir, plate, frame);
    std::fs::rename(&result.staged, &result.published).unwrap();
    result
}

fn three(make: impl Fn(i64) -> FrameResult) -> Vec<StepFrames> {
    vec![StepFrames { step: 0, done: (1001..=1003).map(make).collect(), failed: vec![] }]
}

#[test]
fn a_rename_that_a_dead_worker_owes_is_carried_out() {
    let dir = tempfile::tempdir().unwrap();
    let results = three(|f| match f {
        1002 => staged(dir.path(), "a", f),
        _ => published(dir.path(), "a", f),
    });
    let gathered = gather(&spec(dir.path(), &["a"]), results, "t9", &Leash::free()).unwrap();
    assert!(gathered.plates[0].failed.is_empty(), "{:?}", gathered.plates[0].failed);
    assert!(dir.path().join("a/a.1002.exr").exists());
    assert!(gathered.last_written.is_some());
}

/// A worker was stopped between the acceptance of its frame and the rename, its pull was
/// cancelled and made again into the same directory, and it wakes when the plates were read.
#[test]
fn a_late_rename_of_an_earlier_pull_does_not_replace_a_checked_plate() {
    let dir = tempfile::tempdir().unwrap();
    let earlier = publish::stage_dir(&dir.path().join("a"), "t3").unwrap().join("a.1002.exr");
    std::fs::write(&earlier, "the picture of an earlier pull").unwrap();
    let results = three(|f| staged(dir.path(), "a", f));
    let gathered = gather(&spec(dir.path(), &["a"]), results, "t9", &Leash::free()).unwrap();
    let checked = gathered.plates[0].sound().find(|f| f.frame == 1002).expect("a sound plate");
    // It is told that its file is published, as one whose packager was faster is.
    publish::publish(&earlier, Path::new(&checked.published)).unwrap();
    let there = std::fs::read(&checked.published).unwrap();
    assert_eq!(xxh128(&there), checked.xxh128);
}

#[test]
fn files_are_judged_by_what_is_on_the_disk() {
    let dir = tempfile::tempdir().unwrap();
    let mut results = three(|f| published(dir.path(), "a", f));
    std::fs::write(dir.path().join("a/a.1001.exr"), "picture 1OO1").unwrap();
    std::fs::remove_file(dir.path().join("a/a.1002.exr")).unwrap();
    results[0].done.pop();
    let gathered = gather(&spec(dir.path(), &["a"]), results, "t9", &Leash::free()).unwrap();
    let codes: Vec<_> = gathered.plates[0].failed.iter().map(|(f, e)| (*f, e.code)).collect();
    assert_eq!(
        codes,
        [(1001, Code::HashMismatch), (1002, Code::MissingFiles), (1003, Code::MissingFiles)]
    );
}

#[test]
fn results_do_not_reach_outside_the_package() {
    let dir = tempfile::tempdir().unwrap();
    let victim = dir.path().join("victim");
    std::fs::write(&victim, "mine").unwrap();
    let out = dir.path().join("out");
    for evil in 0..2 {
        let mut results = three(|f| staged(&out, "a", f));
        let result = &mut results[0].done[0];
        match evil {
            0 => result.published = victim.to_str().unwrap().into(),
            _ => {
                let climb = out.join("a").join(publish::STAGING).join("../../../victim");
                result.staged = climb.to_str().unwrap().into();
            }
        }
        let gathered = gather(&spec(&out, &["a"]), results, "t9", &Leash::free()).unwrap();
        assert_eq!(gathered.plates[0].failed[&1001].code, Code::OutsideRoot);
        assert_eq!(std::fs::read_to_string(&victim).unwrap(), "mine");
    }
    let mut bad = spec(&out, &["a"]);
    bad.edl.name = "../x".into();
    let outcome = make(&bad, vec![], "t1", &Leash::free());
    assert_eq!(outcome.unwrap_err().code, Code::BadName);
}

/// What is wrong with a disk costs no frame: it stays where it was staged until it can have its name.
#[test]
fn a_frame_that_cannot_get_its_name_is_kept_for_another_try() {
    let dir = tempfile::tempdir().unwrap();
    let (spec, leash) = (spec(dir.path(), &["a"]), Leash::free());
    let results = three(|f| staged(dir.path(), "a", f));
    // A file does not take the name of a directory.
    let FrameResult { staged, published, .. } = &results[0].done[0];
    std::fs::create_dir(published).unwrap();
    let fault = gather(&spec, results.clone(), "t9", &leash).unwrap_err();
    assert_eq!(fault.owner(), Owner::Worker, "{fault}");
    assert!(Path::new(staged).is_file());
    std::fs::remove_dir(published).unwrap();
    let gathered = gather(&spec, results.clone(), "t10", &leash).unwrap();
    assert_eq!(gathered.plates[0].sound().count(), 3);
}

/// What a worker said of one frame costs that frame, on every attempt, and no package.
#[test]
fn a_name_that_no_file_can_have_costs_its_frame() {
    let dir = tempfile::tempdir().unwrap();
    let long = format!("{}.exr", "a".repeat(300));
    for end in ["/", long.as_str()] {
        let mut results = three(|f| staged(dir.path(), "a", f));
        results[0].done[0].published.push_str(end);
        let gathered = gather(&spec(dir.path(), &["a"]), results, "t9", &Leash::free()).unwrap();
        let failed: Vec<_> = gathered.plates[0].failed.iter().map(|(f, e)| (*f, e.code)).collect();
        assert_eq!(failed, [(1001, Code::OutsideRoot)]);
    }
    // A directory is no frame, whoever reads it.
    let results = three(|f| published(dir.path(), "a", f));
    std::fs::remove_file(&results[0].done[0].published).unwrap();
    std::fs::create_dir(&results[0].done[0].published).unwrap();
    let gathered = gather(&spec(dir.path(), &["a"]), results, "t9", &Leash::free()).unwrap();
    assert_eq!(gathered.plates[0].failed[&1001].code, Code::MissingFiles);
}

/// A volume that does not answer says nothing of its frames: another try reads them.
#[cfg(unix)]
#[test]
fn a_frame_that_cannot_be_read_is_not_told_as_lost() {
    let dir = tempfile::tempdir().unwrap();
    let results = three(|f| published(dir.path(), "a", f));
    let name = &results[0].done[1].published;
    // A link to itself stands for the volume: nobody can read through it.
    let aside = dir.path().join("aside");
    std::fs::rename(name, &aside).unwrap();
    std::os::unix::fs::symlink(name, name).unwrap();
    let spec = spec(dir.path(), &["a"]);
    let fault = gather(&spec, results.clone(), "t9", &Leash::free()).unwrap_err();
    assert_eq!((fault.code, fault.owner()), (Code::FileUnreadable, Owner::Worker), "{fault}");
    std::fs::remove_file(name).unwrap();
    std::fs::rename(&aside, name).unwrap();
    let gathered = gather(&spec, results, "t10", &Leash::free()).unwrap();
    assert_eq!(gathered.plates[0].sound().count(), 3);
}

/// Frames that cannot be read, here: whatever kept a movie from being made, the gate misses it.
#[test]
fn a_movie_that_was_not_made_is_missing() {
    let dir = tempfile::tempdir().unwrap();
    let mut spec = spec(dir.path(), &["a"]);
    spec.delivery.movies = vec![MovieSpec {
        directory: "review".into(),
        codec: MovieCodec::H264,
        size: None,
        burn_in: false,
        cut_handles: false,
    }];
    let results = three(|f| published(dir.path(), "a", f));
    let report = make(&spec, results, "t9", &Leash::free()).unwrap();
    let verdict = report.gate.unwrap();
    let missing = verdict.failures().filter(|finding| finding.check == "complete");
    let missing: Vec<String> = missing.map(ToString::to_string).collect();
    assert!(missing.iter().any(|told| told.contains("review/a.mp4")), "{missing:?}");
}

/// Every stage is told, and that something moves: a package that takes an hour is not hung.
#[test]
fn a_package_says_how_far_it_is() {
    let dir = tempfile::tempdir().unwrap();
    let (spec, leash) = (spec(dir.path(), &["a"]), Leash::free());
    let results = three(|f| published(dir.path(), "a", f));
    let all = results[0].done.iter().map(|result| result.bytes).sum();
    gather(&spec, results.clone(), "t9", &leash).unwrap();
    let checked = Making { done: 3, bytes: all, ..Making::begin(Stage::Checking, 3, all) };
    assert_eq!(leash.pulse().making, Some(checked));
    let before = leash.pulse().progress;
    make(&spec, results, "t9", &leash).unwrap();
    let Making { stage, done, total, .. } = leash.pulse().making.unwrap();
    assert_eq!((stage, done), (Stage::Sealing, total));
    // The frames, and at least the report, its page, the sheet and the edit list.
    assert!(total >= 7, "{total} files");
    assert!(leash.pulse().progress > before + 2 * total, "each file counts");
}

/// Directories of a package that are links: what they lead to is neither written nor cleared away.
#[cfg(unix)]
#[test]
fn links_do_not_lead_out_of_the_package() {
    for link in ["edit", ".platefarm", "a/.platefarm", "a"] {
        let dir = tempfile::tempdir().unwrap();
        let (out, elsewhere) = (dir.path().join("out"), dir.path().join("elsewhere"));
        let theirs = ["t5/notes", ".platefarm/t5/notes"].map(|name| elsewhere.join(name));
        for file in &theirs {
            std::fs::create_dir_all(file.parent().unwrap()).unwrap();
            std::fs::write(file, "theirs").unwrap();
        }
        std::fs::create_dir_all(&out).unwrap();
        let mut results = Vec::new();
        if link != "a" {
            results = three(|f| published(&out, "a", f));
            std::fs::remove_dir_all(out.join("a").join(publish::STAGING)).unwrap();
        }
        std::os::unix::fs::symlink(&elsewhere, out.join(link)).unwrap();
        let fault = make(&spec(&out, &["a"]), results, "t9", &Leash::free()).unwrap_err();
        assert_eq!(fault.code, Code::OutsideRoot, "{link}: {fault}");
        assert!(theirs.iter().all(|file| file.exists()), "{link}");
        assert_eq!(std::fs::read_dir(&elsewhere).unwrap().count(), 2, "{link}");
    }
}

#[test]
fn a_cut_leash_ends_the_work() {
    let dir = tempfile::tempdir().unwrap();
    let leash = Leash::free();
    leash.stop();
    let results = three(|f| published(dir.path(), "a", f));
    let outcome = make(&spec(dir.path(), &["a"]), results, "t1", &leash);
    assert_eq!(outcome.unwrap_err().code, Code::Interrupted);
    assert!(!dir.path().join("report.json").exists());
}

/// A worker that was lost packs on until it hears of it. What is there of later
/// leases is its successor's, or the next job's.
#[test]
fn only_what_is_older_is_cleared_away() {
    let dir = tempfile::tempdir().unwrap();
    let results = three(|f| published(dir.path(), "a", f));
    let later =
        [publish::stage_dir(dir.path(), "t12"), publish::stage_dir(&dir.path().join("a"), "t10")];
    let later = later.map(|made| made.unwrap().join("f"));
    let older = publish::stage_dir(&dir.path().join("a"), "t8").unwrap();
    for file in &later {
        std::fs::write(file, "in hand").unwrap();
    }
    for name in ["t8", "pull-0123", "local-host-7"] {
        assert!(!is_later(name, "t9"), "{name}");
    }
    make(&spec(dir.path(), &["a"]), results, "t9", &Leash::free()).unwrap();
    assert!(!dir.path().join(publish::STAGING).join("t9").exists());
    assert!(later.iter().all(|file| file.exists()) && !older.exists());
}

#[test]
fn an_incomplete_pull_says_what_is_missing_and_why() {
    let dir = tempfile::tempdir().unwrap();
    let mut spec = spec(dir.path(), &["a", "b"]);
    let fault = Fault::new(Code::NoClipForEvent, "reel 'X' is not in the media");
    spec.rejected = vec![Rejected { event: Some(event("007")), fault, candidates: vec![] }];
    let mut results = three(|f| published(dir.path(), "a", f));
    let torn = Fault::new(Code::TruncatedFile, "12 bytes short");
    results.push(StepFrames {
        step: 1,
        done: vec![],
        failed: (1001..=1003).map(|f| (f, torn.clone())).collect(),
    });
    let gathered = gather(&spec, results, "t9", &Leash::free()).unwrap();
    let report = report::build(&spec, &gathered, vec!["report.html".into()]);
    assert_eq!(
        report.totals,
        Totals { events: 3, plates: 2, plates_whole: 1, frames: 6, frames_delivered: 3, bytes: 36 }
    );
    assert!(report.plates[0].complete && !report.plates[1].complete);
    assert_eq!(report.plates[0].source.timecodes.as_ref().unwrap()[1], "01:00:00:04");
    assert_eq!(report.plates[1].failures.len(), 1, "one cause is told once");
    let fault = incomplete(&report).unwrap();
    assert_eq!(fault.code, Code::PackageIncomplete);
    assert!(fault.cause.unwrap().contains("12 bytes short"));
    let html = page(&report, &[]);
    for said in ["INCOMPLETE", "F0104", "12 bytes short", "F0203", "Event 007", "1001-1003"] {
        assert!(html.contains(said), "{said}");
    }
    let json = serde_json::to_string(&report).unwrap();
    assert_eq!(serde_json::from_str::<PackageReport>(&json).unwrap(), report);
}

/// What opens is closed in order, quotes are even, and nothing is fetched.
#[test]
fn the_page_is_well_formed_and_stands_alone() {
    let dir = tempfile::tempdir().unwrap();
    let spec = spec(dir.path(), &["a"]);
    let results = three(|f| published(dir.path(), "a", f));
    let gathered = gather(&spec, results, "t9", &Leash::free()).unwrap();
    let report = report::build(&spec, &gathered, vec!["report.html".into()]);
    let thumb = Thumbnail {
        frame: 1001,
        legend: "framing F185".into(),
        size: [4, 2],
        png: b"not a png".to_vec(),
        file: None,
    };
    let html = page(&report, &[vec![thumb]]);
    assert!(html.contains("COMPLETE") && !html.contains("INCOMPLETE"));
    assert!(html.contains("a &lt;fine&gt; &quot;clip&quot; &amp; more"));
    for fetched in ["http:", "https:", "url(", "@import", "<script", "<link"] {
        assert!(!html.contains(fetched), "{fetched}");
    }
    let (head, body) = html.split_once("<style>").unwrap();
    let (_, body) = body.split_once("</style>").unwrap();
    let mut open = Vec::new();
    // The first piece of a split is what stands before the first tag or in the doctype.
    for tag in head.split('<').skip(2).chain(body.split('<').skip(1)) {
        let (inside, _) = tag.split_once('>').expect("a tag ends");
        assert_eq!(inside.matches('"').count() % 2, 0, "{inside}");
        let name = inside.split_whitespace().next().unwrap();
        match name.strip_prefix('/') {
            Some(name) => assert_eq!(open.pop(), Some(name), "</{name}>"),
            None if matches!(name, "br" | "img" | "meta") => {}
            None => open.push(name),
        }
    }
    assert_eq!(open, [""; 0], "left open");
}
