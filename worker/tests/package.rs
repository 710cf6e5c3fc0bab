//! A package of real plates: what is in it, that it verifies, and that making
//! it again, whatever happened to it, comes to the same.

use platefarm_model::job::FrameOutcome;
use platefarm_model::pull::{Document, EventRef, PackageColor, PackageSpec, PlatePlan};
use platefarm_model::recipe::{
    Backend, ColorRecipe, Compression, Debayer, FrameNaming, OutputColor, RenderSpec,
};
use platefarm_model::{Code, FrameRange, FrameRate, Timestamp};
use platefarm_standards::amf::{InputTransform, PlateAmf, plate_amf};
use platefarm_standards::mhl;
use platefarm_testclips::{ClipSpec, write_clip};
use platefarm_worker::kinds::StepFrames;
use platefarm_worker::leash::Leash;
use platefarm_worker::package;
use platefarm_worker::render::{Engines, Flight, Session};
use std::collections::BTreeMap;
use std::path::Path;
use std::time::SystemTime;

const PLATES: [(&str, i64, u64); 2] = [("A_010_PL01_v001", 1, 4), ("A_020_PL01_v001", 5, 2)];

fn plan(session: &Session, name: &str, first: i64, frames: FrameRange) -> PlatePlan {
    PlatePlan {
        name: name.into(),
        event: EventRef {
            number: "001".into(),
            line: 3,
            reel: "S001".into(),
            clip_name: None,
            source_in: "10:00:00:02".into(),
            source_out: "10:00:00:04".into(),
            record_in: "00:00:00:00".into(),
            record_out: "00:00:00:02".into(),
        },
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
        clip: session.clip().info().clone(),
        source_first: first,
        frames,
        handles: [1, 1],
        size: session.framing().size,
        amf: amf(name, frames),
        clf: Some(Document { name: format!("{name}.clf"), text: CLF.into() }),
        looks: vec![],
        notes: vec![],
    }
}

/// What the AMF refers to; nobody reads it here but for its hash.
const CLF: &str = "<clf/>";

fn amf(name: &str, frames: FrameRange) -> Document {
    let naming = FrameNaming { stem: name.into(), padding: 4 };
    let input = InputTransform::File {
        description: "camera",
        path: &format!("{name}.clf"),
        content: CLF.as_bytes(),
        applied: true,
    };
    let plate = PlateAmf {
        description: "a test",
        author: None,
        created: Timestamp(1_795_000_000_000_000),
        uuid: "01234567-89ab-8def-8123-456789abcdef",
        pipeline_uuid: "11234567-89ab-8def-8123-456789abcdef",
        clip_name: name,
        naming: &naming,
        frames,
        input: Some(input),
        incoming: None,
        looks: &[],
        grade: None,
        viewing: None,
    };
    Document { name: format!("{name}.amf"), text: plate_amf(&plate).unwrap().into() }
}

/// Renders the plates; every second frame is left for the package to publish.
fn pull(dir: &Path) -> (PackageSpec, Vec<StepFrames>) {
    let clip = ClipSpec { frames: 8, width: 160, height: 90, ..ClipSpec::default() };
    let source = write_clip(&dir.join("media"), &clip).unwrap().remove(0);
    let out = dir.join("pull");
    let engines = Engines::new(Backend::Cpu).unwrap();
    let (mut plates, mut results) = (Vec::new(), Vec::new());
    for (step, (name, first, count)) in PLATES.into_iter().enumerate() {
        let spec = RenderSpec {
            source: source.to_str().unwrap().into(),
            clip_name: None,
            source_first: first,
            frames: FrameRange::of_len(1001, count),
            out_dir: out.join(name).to_str().unwrap().into(),
            naming: FrameNaming { stem: name.into(), padding: 4 },
            debayer: Debayer::Mhc,
            repairs: platefarm_model::repair::Repairs::default(),
            framing: None,
            color: ColorRecipe::default(),
            color_out: OutputColor::default(),
            compression: Compression::Zip,
            backend: Backend::Cpu,
            fdl_json: None,
            headers: platefarm_model::recipe::HeaderTexts::default(),
            reuse: Vec::new(),
        };
        let mut session = Session::open(&spec, &engines).unwrap();
        let mut done = Vec::new();
        let flight = Flight::for_cores(2);
        session
            .run(spec.frames, "t5", &Leash::free(), flight, &mut |outcome| match outcome {
                FrameOutcome::Done(result) => done.push(*result),
                FrameOutcome::Failed { fault, .. } => panic!("{fault}"),
            })
            .unwrap();
        for result in done.iter().filter(|r| r.frame % 2 == 0) {
            std::fs::rename(&result.staged, &result.published).unwrap();
        }
        results.push(StepFrames { step: step as u32, done, failed: vec![] });
        plates.push(plan(&session, name, first, spec.frames));
    }
    let spec = PackageSpec {
        out_dir: out.to_str().unwrap().into(),
        name: "reel_1".into(),
        show: "demo".into(),
        rate: FrameRate::FPS_24,
        plates,
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
    };
    (spec, results)
}

/// Every file by its path, with its content and date.
fn tree(root: &Path) -> BTreeMap<String, (Vec<u8>, SystemTime)> {
    let mut files = BTreeMap::new();
    let mut open = vec![root.to_owned()];
    while let Some(dir) = open.pop() {
        for entry in std::fs::read_dir(dir).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                open.push(path);
            } else {
                let name = path.strip_prefix(root).unwrap().to_str().unwrap().to_owned();
                let date = path.metadata().unwrap().modified().unwrap();
                files.insert(name, (std::fs::read(path).unwrap(), date));
            }
        }
    }
    files
}

/// What the standard's own check finds wrong.
fn verify(root: &Path) -> Vec<String> {
    let files = tree(root);
    let history: Vec<_> = files.iter().filter(|(name, _)| name.starts_with("ascmhl/")).collect();
    let name = |path: &'_ str| path.trim_start_matches("ascmhl/").to_owned();
    let names: Vec<String> = history.iter().map(|(path, _)| name(path)).collect();
    let content = |i: usize| history[i].1.0.as_slice();
    let chain = names.iter().position(|n| n == mhl::CHAIN_FILE);
    let manifests = (0..names.len()).filter(|i| Some(*i) != chain);
    let histories = [mhl::HistoryFiles {
        root: "",
        chain: chain.map(content),
        manifests: manifests.map(|i| (names[i].as_str(), content(i))).collect(),
    }];
    let found = mhl::Found {
        files: files
            .iter()
            .filter(|(name, _)| !name.starts_with("ascmhl/"))
            .map(|(name, (bytes, _))| mhl::FoundFile {
                path: name.clone(),
                digests: vec![mhl::Format::Xxh128.of(bytes)],
                ..mhl::FoundFile::default()
            })
            .collect(),
        directories: vec![],
    };
    let mut problems = mhl::check(&histories, &found).problems;
    problems.extend(mhl::check_directories(&histories, &found).unwrap());
    problems.iter().map(mhl::Problem::word).collect()
}

#[test]
fn a_package_holds_everything_and_verifies() {
    let dir = tempfile::tempdir().unwrap();
    let (spec, results) = pull(dir.path());
    let report = package::make(&spec, results, "t9", &Leash::free()).unwrap();
    assert!(report.complete, "{:?}", report.plates);
    assert!(package::incomplete(&report).is_none(), "{:#?}", report.gate);
    assert!(report.released);
    let out = Path::new(&spec.out_dir);
    let files = tree(out);
    let mut expected: Vec<String> = ["contact_sheet.png", "edit/cut.edl"]
        .into_iter()
        .chain(["report.html", "report.json"])
        .map(String::from)
        .collect();
    for (name, _, count) in PLATES {
        expected.push(format!("{name}/{name}.amf"));
        expected.push(format!("{name}/{name}.clf"));
        expected.push(format!("{name}/{name}.decode.json"));
        let frames = FrameRange::of_len(1001, count);
        expected.extend(frames.iter().map(|f| format!("{name}/{name}.{f}.exr")));
    }
    expected.sort();
    let payload: Vec<_> = files.keys().filter(|f| !f.starts_with("ascmhl/")).cloned().collect();
    assert_eq!(payload, expected, "no staging is left, and nothing is missing");
    assert_eq!(verify(out), [""; 0]);

    let json: package::PackageReport = serde_json::from_slice(&files["report.json"].0).unwrap();
    assert_eq!(json, report);
    assert_eq!(json.totals.frames_delivered, 6);
    let html = String::from_utf8(files["report.html"].0.clone()).unwrap();
    // First, middle and last frame of four, and both of two (the middle of two is the first).
    assert_eq!(html.matches("data:image/png;base64,").count(), 5);
    let sheet = &files["contact_sheet.png"].0;
    assert_eq!(&sheet[..8], b"\x89PNG\r\n\x1a\n");
}

#[test]
fn made_again_it_is_the_same_down_to_the_dates() {
    let dir = tempfile::tempdir().unwrap();
    let (spec, results) = pull(dir.path());
    let out = Path::new(&spec.out_dir);
    package::make(&spec, results.clone(), "t9", &Leash::free()).unwrap();
    let first = tree(out);
    package::make(&spec, results, "t10", &Leash::free()).unwrap();
    assert!(tree(out) == first, "the second run changed something");
}

/// Killed between any two files, it is whole after the next run.
#[test]
fn wherever_it_was_killed_the_next_run_makes_it_whole() {
    let dir = tempfile::tempdir().unwrap();
    let (spec, results) = pull(dir.path());
    let out = Path::new(&spec.out_dir);
    package::make(&spec, results.clone(), "t9", &Leash::free()).unwrap();
    let whole = tree(out);
    let made = whole.keys().filter(|name| !name.ends_with(".exr"));
    for lost in made {
        // A manifest's name has its date, so look for the one that is there now.
        let now = tree(out);
        let same =
            |name: &&String| *name == lost || name.ends_with(".mhl") && lost.ends_with(".mhl");
        std::fs::remove_file(out.join(now.keys().find(same).unwrap())).unwrap();
        let staging = out.join(".platefarm/t10");
        std::fs::create_dir_all(staging.join("ascmhl")).unwrap();
        std::fs::write(staging.join("sidecar-1"), "half").unwrap();
        package::make(&spec, results.clone(), "t11", &Leash::free()).unwrap();
        assert_eq!(verify(out), [""; 0], "after {lost}");
        assert!(!out.join(".platefarm").exists());
        let again = tree(out);
        for (name, (bytes, _)) in whole.iter().filter(|(n, _)| !n.starts_with("ascmhl/")) {
            assert!(again[name].0 == *bytes, "{name} after {lost}");
        }
        let manifests = again.keys().filter(|n| n.ends_with(".mhl")).count();
        assert_eq!(manifests, 1, "one generation after {lost}");
    }
}

#[test]
fn a_history_that_others_continued_is_not_replaced() {
    let dir = tempfile::tempdir().unwrap();
    let (spec, results) = pull(dir.path());
    let out = Path::new(&spec.out_dir);
    package::make(&spec, results.clone(), "t9", &Leash::free()).unwrap();
    let path = out.join("ascmhl").join(mhl::CHAIN_FILE);
    let mut chain = mhl::Chain::parse(&std::fs::read(&path).unwrap()).unwrap();
    let mut second = chain.entries[0].clone();
    second.sequence = 2;
    second.path = second.path.replacen("0001", "0002", 1);
    chain.entries.push(second);
    std::fs::write(&path, chain.to_xml()).unwrap();
    let outcome = package::make(&spec, results, "t10", &Leash::free());
    assert_eq!(outcome.unwrap_err().code, Code::BadManifest);
    assert_eq!(std::fs::read_to_string(&path).unwrap(), chain.to_xml());
}

#[test]
fn a_seal_that_is_not_ours_is_not_replaced() {
    let dir = tempfile::tempdir().unwrap();
    let (spec, results) = pull(dir.path());
    let out = Path::new(&spec.out_dir);
    package::make(&spec, results.clone(), "t9", &Leash::free()).unwrap();
    let history = out.join("ascmhl");
    let mut chain =
        mhl::Chain::parse(&std::fs::read(history.join(mhl::CHAIN_FILE)).unwrap()).unwrap();
    let manifest = history.join(&chain.entries[0].path);
    let theirs =
        std::fs::read_to_string(&manifest).unwrap().replacen(">platefarm<", ">silverstack<", 1);
    std::fs::write(&manifest, &theirs).unwrap();
    chain.entries[0].c4 = mhl::Format::C4.of(theirs.as_bytes());
    std::fs::write(history.join(mhl::CHAIN_FILE), chain.to_xml()).unwrap();
    let outcome = package::make(&spec, results, "t10", &Leash::free());
    assert_eq!(outcome.unwrap_err().code, Code::BadManifest);
    assert_eq!(std::fs::read_to_string(&manifest).unwrap(), theirs);
}
