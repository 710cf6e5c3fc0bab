//! What the gate sees of pictures before a package is released, where only
//! headers are read; and reports of more plates than a page holds.

use super::tests::{plan, spec};
use super::*;
use crate::gate::{self, Severity, Verdict};
use platefarm_media::mhl;
use platefarm_media::sink::exr::{Planes, PlateHeader, encode};
use platefarm_model::FrameSet;
use platefarm_model::job::{FrameResult, StageMillis};
use platefarm_model::pull::Retime;
use platefarm_model::recipe::Compression;

const SIZE: [u32; 2] = [64, 32];
const AREA: usize = 64 * 32;

/// A picture like no other, in 16-bit floats between 0.25 and 1.
fn noise(seed: u16) -> Vec<u16> {
    (0..AREA as u16)
        .map(|i| 0x3400 + i.wrapping_mul(40_503).wrapping_add(seed * 977) % 0x800)
        .collect()
}

/// A published frame of one plane in every colour.
fn put(out: &Path, plate: &str, frame: i64, bytes: &[u8]) -> FrameResult {
    let directory = out.join(plate);
    std::fs::create_dir_all(&directory).unwrap();
    let published = directory.join(format!("{plate}.{frame}.exr"));
    std::fs::write(&published, bytes).unwrap();
    let staged = directory.join(publish::STAGING).join("t5").join(format!("{plate}.{frame}.exr"));
    FrameResult {
        frame,
        staged: staged.to_str().unwrap().into(),
        published: published.to_str().unwrap().into(),
        xxh128: hash::xxh128(bytes),
        bytes: bytes.len() as u64,
        backend: "cpu".into(),
        millis: StageMillis::new(),
        non_finite: 0,
    }
}

fn packed(plane: &[u16], compression: Compression) -> Vec<u8> {
    let planes = Planes { width: SIZE[0], height: SIZE[1], rgb: [plane; 3], alpha: None };
    encode(planes, &PlateHeader::default(), compression).unwrap()
}

/// What is said of the pictures of three frames.
fn judged(frames: [Vec<u8>; 3], change: impl FnOnce(&mut PackageSpec)) -> Verdict {
    let dir = tempfile::tempdir().unwrap();
    let frames = (1001..).zip(&frames).map(|(frame, bytes)| put(dir.path(), "a", frame, bytes));
    let results = vec![StepFrames { step: 0, done: frames.collect(), failed: vec![] }];
    let mut spec = spec(dir.path(), &["a"]);
    change(&mut spec);
    make(&spec, results, "t9", &Leash::free()).unwrap().gate.unwrap()
}

fn of_pictures(verdict: &Verdict) -> Vec<(Severity, String, String)> {
    let found = verdict.findings.iter().filter(|finding| finding.check == "picture");
    found
        .map(|f| {
            assert_eq!(f.fault.code, Code::PictureSuspect);
            assert!(!f.remedy.is_empty());
            (f.severity, f.frames.to_string(), f.fault.message.clone())
        })
        .collect()
}

fn is(found: &[(Severity, String, String)], severity: Severity, frames: &str, word: &str) -> bool {
    matches!(found, [(s, f, message)] if *s == severity && f == frames && message.contains(word))
}

#[test]
fn black_frozen_and_broken_frames_are_not_released_whatever_their_compression() {
    for compression in Compression::ALL.iter().copied() {
        let frame = |plane: &[u16]| packed(plane, compression);
        let good = [1, 2, 3].map(|seed| frame(&noise(seed)));
        assert_eq!(of_pictures(&judged(good.clone(), |_| {})), [], "{compression:?}");
        let [first, second, third] = good;
        let found = of_pictures(&judged([first.clone(), frame(&[0; AREA]), third.clone()], |_| {}));
        assert!(is(&found, Severity::Failure, "1002", "black"), "{compression:?}: {found:?}");
        let found = of_pictures(&judged([first.clone(), second.clone(), second.clone()], |_| {}));
        assert!(is(&found, Severity::Failure, "1003", "frozen"), "{compression:?}: {found:?}");
        let mut broken = noise(2);
        broken[700] = 0x7e00;
        let found = of_pictures(&judged([first, frame(&broken), third], |_| {}));
        assert!(is(&found, Severity::Failure, "1002", "no numbers"), "{compression:?}: {found:?}");
    }
}

/// A plate of white is as flat as a black one, and says what it is.
#[test]
fn every_flat_picture_is_told() {
    let white = packed(&[0x3c00; AREA], Compression::Zip);
    let [first, second] = [1, 2].map(|seed| packed(&noise(seed), Compression::Zip));
    let found = of_pictures(&judged([first, second, white], |_| {}));
    assert!(is(&found, Severity::Failure, "1003", "one colour throughout (1 1 1)"), "{found:?}");
}

#[test]
fn what_is_meant_is_a_warning() {
    let [a, b] = [1, 2].map(|seed| packed(&noise(seed), Compression::Zip));
    let black = packed(&[0; AREA], Compression::Zip);
    let meant = |spec: &mut PackageSpec| spec.delivery.picture.allow_suspect = true;
    let found = of_pictures(&judged([a.clone(), black.clone(), b.clone()], meant));
    assert!(is(&found, Severity::Warning, "1002", "black"), "{found:?}");
    // A held frame of the edit may be one picture; black it may not be.
    let held = |spec: &mut PackageSpec| {
        spec.plates[0].retime = Some(Retime { speed: 0.0, record_frames: 3, source_frames: 1 });
    };
    let found = of_pictures(&judged([a.clone(), a.clone(), b.clone()], held));
    assert!(is(&found, Severity::Warning, "1002", "frozen"), "{found:?}");
    let found = of_pictures(&judged([a.clone(), black.clone(), b.clone()], held));
    assert!(is(&found, Severity::Failure, "1002", "black"), "{found:?}");
    // Nobody knows what is meant of pictures that were made or transcoded.
    let made = |spec: &mut PackageSpec| spec.plates[0].clip.picture.cfa = None;
    let found = of_pictures(&judged([a.clone(), black, b.clone()], made));
    assert!(is(&found, Severity::Warning, "1002", "black"), "{found:?}");
    let mut broken = noise(3);
    broken[0] = 0xfc00;
    let found = of_pictures(&judged([a, packed(&broken, Compression::Zip), b], meant));
    assert!(is(&found, Severity::Failure, "1002", "infinite"), "{found:?}");
}

/// It is released: nothing was lost here. But whoever opens it sees what the cut will miss.
#[test]
fn frames_that_the_media_lacks_are_a_warning() {
    let frames = [1, 2, 3].map(|seed| packed(&noise(seed), Compression::Zip));
    let short = |spec: &mut PackageSpec| {
        spec.plates[0].notes.push(Fault::new(Code::FramesShort, "40 of 42"));
    };
    let of = |verdict: Verdict| -> Vec<(Severity, Option<String>, String)> {
        let found = verdict.findings.into_iter().filter(|finding| finding.check == "complete");
        found.map(|f| (f.severity, f.plate, f.fault.message)).collect()
    };
    assert_eq!(of(judged(frames.clone(), |_| {})), []);
    let found = of(judged(frames, short));
    assert_eq!(found, [(Severity::Warning, Some("a".into()), "40 of 42".into())]);
}

/// A frame of the earlier delivery that is not what it was costs its rendering only; the report says it.
#[test]
fn frames_that_could_not_be_taken_over_are_told() {
    let dir = tempfile::tempdir().unwrap();
    let frame = |frame: i64, seed, backend: &str| {
        let bytes = packed(&noise(seed), Compression::Zip);
        FrameResult { backend: backend.into(), ..put(dir.path(), "a", frame, &bytes) }
    };
    let (over, cpu) = (crate::render::TAKEN_OVER, "cpu");
    let done = vec![frame(1001, 1, over), frame(1002, 2, cpu), frame(1003, 3, cpu)];
    let mut spec = spec(dir.path(), &["a"]);
    spec.plates[0].reused = FrameRange::new(1001, 1002).unwrap().into();
    spec.plates[0].reused_from = vec!["a_v001".into()];
    let results = vec![StepFrames { step: 0, done, failed: vec![] }];
    let report = make(&spec, results, "t9", &Leash::free()).unwrap();
    let plate = &report.plates[0];
    assert_eq!(plate.reused.to_string(), "1001");
    let note = plate.notes.iter().find(|note| note.code == Code::NotTakenOver).unwrap();
    assert!(note.message.contains("frames 1002 were"), "{note}");
    assert!(note.message.contains("a_v001"), "{note}");
}

/// Frames that an earlier version rendered say nothing of their range: their pixels are read.
#[test]
fn older_frames_are_read_before_they_are_released() {
    let older = |plane: &[u16], compression| {
        let mut bytes = packed(plane, compression);
        let name = b"platefarm:pixelsNonFinite";
        let at = bytes.windows(name.len()).position(|window| window == name).unwrap();
        bytes[at + name.len() - 1] = b'x';
        bytes
    };
    for compression in [Compression::None, Compression::Zip, Compression::Piz] {
        let [a, b] = [1, 2].map(|seed| older(&noise(seed), compression));
        let found = of_pictures(&judged([a, older(&[0; AREA], compression), b], |_| {}));
        assert!(is(&found, Severity::Failure, "1002", "black"), "{compression:?}: {found:?}");
    }
}

/// What was read, and how, stands in the report; nothing of it is called unchecked.
#[test]
fn the_report_says_how_each_thing_was_checked() {
    let verdict = judged([1, 2, 3].map(|seed| packed(&noise(seed), Compression::Zip)), |_| {});
    let how: Vec<&str> = verdict.how.iter().map(|how| how.check.as_str()).collect();
    assert_eq!(how, ["request", "seal", "hash", "sidecars", "picture"]);
    assert_eq!(verdict.against, "the order");
    let skipped = verdict.not_checked.iter().map(|skipped| skipped.check.as_str());
    assert_eq!(skipped.filter(|check| how.contains(check)).count(), 0, "{verdict:?}");
}

/// A disk that gives back something else than what was written to it.
#[test]
fn a_sidecar_that_changed_is_seen_before_anything_says_released() {
    let dir = tempfile::tempdir().unwrap();
    let out = dir.path();
    let frames = (1001..=1003).zip([1, 2, 3]);
    let frames = frames.map(|(f, seed)| put(out, "a", f, &packed(&noise(seed), Compression::Zip)));
    let results = vec![StepFrames { step: 0, done: frames.collect(), failed: vec![] }];
    let (spec, leash) = (spec(out, &["a"]), Leash::free());
    let gathered = gather::gather(&spec, results, "t9", &leash).unwrap();
    let staging = publish::stage_dir(out, "t9").unwrap();
    let mut writer = Writer::new(out, &staging, &leash);
    let sidecars = write_documents(&spec, &gathered, &mut writer).unwrap();
    writer.put("contact_sheet.png", b"a picture").unwrap();
    std::fs::write(out.join("edit/cut.edl"), "TITLE: CAT\n").unwrap();
    let mut report = report::build(&spec, &gathered, sidecars);
    release::finish(&writer, &mut report, &[], &leash).unwrap();
    let verdict = report.gate.clone().unwrap();
    for check in ["sidecars", "seal"] {
        let named = verdict.failures().any(|finding| {
            finding.check == check && finding.fault.place.as_deref() == Some("edit/cut.edl")
        });
        assert!(named, "{check}: {verdict:#?}");
    }
    assert!(!report.released);
    let said = std::fs::read(out.join("report.json")).unwrap();
    assert_eq!(serde_json::from_slice::<PackageReport>(&said).unwrap(), report);
    // The seal is of what was meant, and of the report that says what is wrong.
    let wrong = mhl::verify(out);
    assert_eq!(wrong.len(), 1, "{wrong:?}");
    assert_eq!(wrong[0].place.as_deref(), Some("edit/cut.edl"));
}

/// A package of one frame of each of so many plates, and its page.
fn many(dir: &Path, count: usize) -> (PackageReport, String) {
    let names: Vec<String> = (0..count).map(|i| format!("p{i:03}")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let frame = packed(&noise(1), Compression::Zip);
    let done = |name: &&str| vec![put(dir, name, 1001, &frame)];
    let results =
        (0..).zip(&names).map(|(step, name)| StepFrames { step, done: done(name), failed: vec![] });
    let results = results.collect();
    let mut spec = spec(dir, &names);
    for plate in &mut spec.plates {
        plate.frames = FrameRange::single(1001);
        plate.reused = FrameSet::new();
    }
    assert_eq!(spec.plates[0].clip, plan("p000").clip);
    let report = make(&spec, results, "t9", &Leash::free()).unwrap();
    (report, std::fs::read_to_string(dir.join("report.html")).unwrap())
}

#[test]
fn the_pictures_of_many_plates_lie_beside_the_page() {
    let dir = tempfile::tempdir().unwrap();
    let (report, html) = many(dir.path(), MOST_EMBEDDED + 1);
    assert_eq!(report.thumbnails.as_deref(), Some("thumbnails"));
    assert!(!html.contains("base64"), "no picture is in the page");
    for name in ["p000", "p200"] {
        let file = format!("thumbnails/{name}.1001.png");
        assert!(html.contains(&format!("src=\"{file}\"")), "{file}");
        assert!(std::fs::read(dir.path().join(&file)).unwrap().starts_with(b"\x89PNG"));
    }
    let faults = mhl::verify(dir.path());
    assert_eq!(faults, [], "they are sealed");
    std::fs::remove_file(dir.path().join("thumbnails/p007.1001.png")).unwrap();
    assert!(mhl::verify(dir.path()).iter().any(|fault| fault.code == Code::MissingFiles));
    let gate = gate::validate(dir.path(), None, true).unwrap();
    assert!(gate.findings.iter().all(|finding| finding.check != "sidecars"), "{:?}", gate.findings);

    let dir = tempfile::tempdir().unwrap();
    let (report, html) = many(dir.path(), 3);
    assert_eq!((report.thumbnails, html.matches("base64").count()), (None, 3));
    assert!(!dir.path().join("thumbnails").exists());
}
