//! The stateless function on synthetic camera files.

use platefarm_media::hash::xxh128_file;
use platefarm_media::publish::STAGING;
use platefarm_media::sink::exr;
use platefarm_model::job::FrameOutcome;
use platefarm_model::recipe::{
    Backend, ColorRecipe, Compression, Debayer, FrameNaming, Framing, OutputColor, RenderSpec,
};
use platefarm_model::repair::{Highlights, Repairs};
use platefarm_model::{Code, FrameRange};
use platefarm_testclips::{ClipSpec, write_clip};
use platefarm_worker::leash::Leash;
use platefarm_worker::render::{Engines, Flight, RenderReport, STAGES, Session, render_local};
use std::path::{Path, PathBuf};

const FRAMES: u32 = 8;

fn clip(dir: &Path) -> PathBuf {
    let spec = ClipSpec { frames: FRAMES, width: 96, height: 64, ..ClipSpec::default() };
    write_clip(dir, &spec).unwrap().remove(0)
}

/// Frames `first` to `last` of a plate that begins with the clip's third frame as 1001.
fn spec(source: &Path, out: &Path, first: i64, last: i64) -> RenderSpec {
    RenderSpec {
        source: source.to_str().unwrap().into(),
        clip_name: None,
        source_first: 2 + first - 1001,
        frames: FrameRange::new(first, last).unwrap(),
        out_dir: out.to_str().unwrap().into(),
        naming: FrameNaming { stem: "A_010_PL01_v001".into(), padding: 4 },
        debayer: Debayer::Mhc,
        repairs: Repairs::default(),
        framing: None,
        color: ColorRecipe::default(),
        color_out: OutputColor::default(),
        compression: Compression::Zip,
        backend: Backend::Cpu,
        fdl_json: Some("{\"fdl\":1}".into()),
        headers: platefarm_model::recipe::HeaderTexts::default(),
        reuse: Vec::new(),
    }
}

fn render(spec: &RenderSpec) -> RenderReport {
    render_local(spec, &Leash::free(), &mut |_| {}).unwrap()
}

fn files(dir: &Path) -> Vec<(String, Vec<u8>)> {
    let mut files: Vec<_> = std::fs::read_dir(dir)
        .unwrap()
        .map(|e| e.unwrap())
        .map(|e| {
            (e.file_name().into_string().unwrap(), std::fs::read(e.path()).unwrap_or_default())
        })
        .collect();
    files.sort();
    files
}

#[test]
fn frames_are_there_under_their_names_and_say_where_they_come_from() {
    let dir = tempfile::tempdir().unwrap();
    let source = clip(dir.path());
    let out = dir.path().join("out");
    let mut told = Vec::new();
    let report = render_local(&spec(&source, &out, 1001, 1004), &Leash::free(), &mut |outcome| {
        let FrameOutcome::Done(result) = outcome else { panic!("{outcome:?}") };
        assert!(Path::new(&result.published).exists(), "told when it is there");
        told.push(result.frame);
    })
    .unwrap();
    told.sort_unstable();
    assert_eq!(told, [1001, 1002, 1003, 1004]);
    assert!(report.is_complete() && report.notes.is_empty(), "{report:?}");
    assert_eq!(report.backend, "cpu");
    assert_eq!(report.stages.iter().map(|s| s.stage.as_str()).collect::<Vec<_>>(), STAGES);
    assert!(report.frames_per_second > 0.0);
    let names: Vec<_> = files(&out).into_iter().map(|(name, _)| name).collect();
    let expected: Vec<_> = (1001..=1004).map(|f| format!("A_010_PL01_v001.{f}.exr")).collect();
    assert_eq!(names, expected, "nothing else is left, no staging either");
    for file in &report.files {
        let (bytes, xxh128) = xxh128_file(Path::new(&file.file)).unwrap();
        assert_eq!((bytes, xxh128), (file.bytes, file.xxh128.clone()));
    }
    let plate = exr::read(&out.join("A_010_PL01_v001.1002.exr")).unwrap();
    assert_eq!((plate.width, plate.height), (96, 64));
    let header = &plate.header;
    // 10:00:00:00 is the clip's first frame; 1002 is its fourth.
    assert_eq!(header.timecode.unwrap().to_string(), "10:00:00:03");
    assert_eq!(header.reel_name.as_deref(), Some("S001"));
    assert_eq!(header.image_counter, Some(1002));
    assert_eq!(header.fdl_json.as_deref(), Some("{\"fdl\":1}"));
    let decode = header.decode.as_ref().unwrap();
    assert_eq!((decode.source_file.as_str(), decode.source_frame), ("S001_C001_000003.dng", 3));
    assert_eq!((decode.debayer.as_str(), decode.backend.as_str()), ("mhc", "cpu"));
}

/// What was mended about the photosites stands in every header and in the report; unasked, nothing.
#[test]
fn repairs_are_off_unless_asked_for_and_are_said() {
    let dir = tempfile::tempdir().unwrap();
    let source = clip(dir.path());
    let said = |repairs: Repairs| {
        let out = dir.path().join(format!("{repairs:?}"));
        let report = render(&RenderSpec { repairs, ..spec(&source, &out, 1001, 1001) });
        let plate = exr::read(&out.join("A_010_PL01_v001.1001.exr")).unwrap();
        let header = ["hotPixels", "highlights"].map(|name| plate.header.more[name].clone());
        assert_eq!(header, [report.hot_pixels, report.highlights]);
        header
    };
    assert_eq!(said(Repairs::default()), ["off", "off"]);
    let mends = Repairs { hot_pixels: true, highlights: Highlights::Rebuild };
    assert_eq!(said(mends), ["replaced v1", "rebuild v1"]);
    // A spec from before there were any reads as one without.
    let old = serde_json::to_value(spec(&source, dir.path(), 1001, 1001)).unwrap();
    assert!(old.get("repairs").is_none());
    assert!(serde_json::from_value::<RenderSpec>(old).unwrap().repairs.is_none());
}

/// A frame does not depend on the range it was asked in, on what else is in
/// flight, or on whether it was made before.
#[test]
fn a_frame_is_the_same_however_it_is_made() {
    let dir = tempfile::tempdir().unwrap();
    let source = clip(dir.path());
    let [whole, parts] = ["whole", "parts"].map(|d| dir.path().join(d));
    render(&spec(&source, &whole, 1001, 1006));
    let engines = Engines::new(Backend::Cpu).unwrap();
    let mut session = Session::open(&spec(&source, &parts, 1001, 1006), &engines).unwrap();
    for (first, last, frames) in [(1004, 1006, 1), (1001, 1003, 7)] {
        let flight = Flight { readers: 3, writers: 2, frames, budget_bytes: u64::MAX };
        let range = FrameRange::new(first, last).unwrap();
        session
            .run(range, "t1", &Leash::free(), flight, &mut |outcome| {
                let FrameOutcome::Done(result) = outcome else { panic!("{outcome:?}") };
                std::fs::rename(result.staged, result.published).unwrap();
            })
            .unwrap();
    }
    std::fs::remove_dir_all(parts.join(STAGING)).unwrap();
    assert_eq!(files(&whole), files(&parts));
    let before = files(&whole);
    render(&spec(&source, &whole, 1001, 1006));
    assert_eq!(files(&whole), before, "again, over the same files");
}

#[test]
fn a_bad_frame_fails_alone() {
    let dir = tempfile::tempdir().unwrap();
    let source = clip(dir.path());
    let out = dir.path().join("out");
    let file = |index: u32| dir.path().join(format!("S001_C001_{index:06}.dng"));
    std::fs::remove_file(file(3)).unwrap();
    let whole = std::fs::read(file(5)).unwrap();
    std::fs::write(file(5), &whole[..whole.len() / 2]).unwrap();
    let report = render(&spec(&source, &out, 1001, 1006));
    let failed: Vec<_> = report.failed.iter().map(|f| (f.frame, f.fault.code)).collect();
    assert_eq!(failed, [(1002, Code::MissingFrame), (1004, Code::TruncatedFile)]);
    assert!(report.failed[1].fault.place.as_ref().unwrap().contains("S001_C001_000005.dng"));
    assert!(!report.is_complete() && report.not_done.is_empty());
    let done: Vec<_> = report.files.iter().map(|f| f.frame).collect();
    assert_eq!(done, [1001, 1003, 1005, 1006]);
    assert_eq!(files(&out).len(), 4, "nothing half-written is visible");
}

#[test]
fn what_cannot_be_done_is_said_before_anything_is_written() {
    let dir = tempfile::tempdir().unwrap();
    let source = clip(dir.path());
    let out = dir.path().join("out");
    let good = spec(&source, &out, 1001, 1006);
    let other_size = RenderSpec { framing: Some(Framing::identity(95, 64, 1.0)), ..good.clone() };
    let outside = spec(&source, &out, 1001, 1007);
    let before = RenderSpec { source_first: -1, ..good.clone() };
    let naming = FrameNaming { stem: "../x".into(), padding: 4 };
    let climbs = RenderSpec { naming, ..good.clone() };
    let nowhere = RenderSpec { source: dir.path().join("no").to_str().unwrap().into(), ..good };
    for (spec, code) in [
        (other_size, Code::FdlCanvasMismatch),
        (outside, Code::FrameOutsideClip),
        (before, Code::FrameOutsideClip),
        (climbs, Code::BadName),
        (nowhere, Code::FileNotFound),
    ] {
        let outcome = render_local(&spec, &Leash::free(), &mut |_| {});
        assert_eq!(outcome.unwrap_err().code, code);
        assert!(!out.exists(), "{code}");
    }
}

/// On the farm a range may be wrong too; there each frame says so.
#[test]
fn frames_outside_the_clip_fail_one_by_one_under_a_lease() {
    let dir = tempfile::tempdir().unwrap();
    let source = clip(dir.path());
    let spec = spec(&source, &dir.path().join("out"), 1005, 1008);
    let mut session = Session::open(&spec, &Engines::new(Backend::Cpu).unwrap()).unwrap();
    let mut codes = Vec::new();
    let flight = Flight::for_cores(2);
    session
        .run(spec.frames, "t1", &Leash::free(), flight, &mut |outcome| {
            codes.push(match outcome {
                FrameOutcome::Done(result) => (result.frame, None),
                FrameOutcome::Failed { frame, fault } => (frame, Some(fault.code)),
            });
        })
        .unwrap();
    codes.sort_by_key(|(frame, _)| *frame);
    let outside = Some(Code::FrameOutsideClip);
    assert_eq!(codes, [(1005, None), (1006, None), (1007, outside), (1008, outside)]);
}

#[test]
fn an_output_that_cannot_be_written_is_the_machines_fault() {
    let dir = tempfile::tempdir().unwrap();
    let source = clip(dir.path());
    let out = dir.path().join("out");
    std::fs::write(&out, "a file where the directory should be").unwrap();
    let outcome =
        render_local(&spec(&source, &out, 1001, 1006), &Leash::free(), &mut |_| {}).unwrap_err();
    assert_eq!(outcome.code, Code::NotWritable);
    assert_eq!(outcome.place.as_deref().map(|p| p.starts_with(out.to_str().unwrap())), Some(true));
}

/// The first frame that the disk does not take ends the run: the others would fare alike.
#[test]
fn a_disk_that_refuses_ends_the_run_and_says_what_is_left() {
    let dir = tempfile::tempdir().unwrap();
    let source = clip(dir.path());
    let out = dir.path().join("out");
    for frame in 1001..=1006 {
        // A directory in the way of each name: renaming onto it fails.
        std::fs::create_dir_all(out.join(format!("A_010_PL01_v001.{frame}.exr/x"))).unwrap();
    }
    let report = render(&spec(&source, &out, 1001, 1006));
    assert!(report.files.is_empty() && !report.failed.is_empty());
    assert_eq!(report.first_fault().unwrap().code, Code::WriteFailed);
    assert_eq!(report.failed.len() as u64 + report.not_done.len(), 6);
}

#[test]
fn an_interrupted_run_leaves_whole_frames_and_no_others() {
    let dir = tempfile::tempdir().unwrap();
    let source = clip(dir.path());
    let out = dir.path().join("out");
    let spec = spec(&source, &out, 1001, 1006);
    let leash = Leash::free();
    let report = render_local(&spec, &leash, &mut |_| leash.stop()).unwrap();
    assert!(!report.files.is_empty() && report.failed.is_empty());
    assert_eq!(report.files.len() as u64 + report.not_done.len(), 6);
    assert_eq!(files(&out).len(), report.files.len());
    for file in &report.files {
        exr::read(Path::new(&file.file)).unwrap();
    }
    assert!(render(&spec).is_complete(), "and it can be run again");
}
