//! Whole pulls with framing and sidecars: the lists of the end-to-end tests,
//! whose expectation was derived by hand and by the official FDL library.

use super::*;
use platefarm_model::Code;
use platefarm_model::job::StepKind;
use platefarm_standards::amf::Amf;
use platefarm_standards::fdl::Fdl;
use serde_json::Value;

fn fixture(name: &str) -> Vec<u8> {
    let path = format!("{}/../tests/fixtures/pull/{name}", env!("CARGO_MANIFEST_DIR"));
    std::fs::read(&path).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// The two clips that the fixtures speak of.
fn clips() -> Vec<ClipInfo> {
    let mut chart = clip("colorchart", None, "00:00:00:00", 1);
    (chart.picture.width, chart.picture.height) = (1734, 1156);
    chart.timing.start = None;
    chart.timing.rate = None;
    vec![clip("A001_C001", Some("A001"), "01:00:00:00", 8), chart]
}

fn framed(name: &str, template: Option<&str>, clips: &[ClipInfo]) -> Outcome<PullPlan> {
    let edl = edl::parse(&fixture(name), RATE).unwrap();
    let fdl = Fdl::parse(&fixture("show.fdl")).unwrap();
    let mut request = request(&edl, clips, 2);
    request.fdl = Some(&fdl);
    request.fdl_name = Some("show.fdl".into());
    request.delivery.picture.template = template.map(Into::into);
    plan(&request)
}

#[test]
fn the_pulls_of_the_end_to_end_tests_are_planned_as_expected() {
    let expected: Value = serde_json::from_slice(&fixture("expected.json")).unwrap();
    for name in ["cut.edl", "broken.edl"] {
        let made = framed(name, Some("VFX_PULL"), &clips()).unwrap();
        let plates: Vec<Value> = made
            .package
            .plates
            .iter()
            .map(|p| {
                serde_json::json!({
                    "name": p.name, "event": p.event.number, "clip": p.clip.identity.clip_name,
                    "source_first": p.source_first, "frames": [p.frames.first(), p.frames.last()],
                    "handles": p.handles, "size": p.size,
                })
            })
            .collect();
        assert_eq!(Value::from(plates), expected[name]["plates"], "{name}");
        let theirs = expected[name]["rejected"].as_array().unwrap();
        let ours = &made.package.rejected;
        assert_eq!(ours.len(), theirs.len(), "{name}: {ours:#?}");
        for (ours, theirs) in ours.iter().zip(theirs) {
            assert_eq!(ours.fault.code.text(), theirs["code"], "{:?}", ours.fault);
            let line = format!("line {}", theirs["line"]);
            assert!(ours.fault.place.as_ref().unwrap().ends_with(&line), "{:?}", ours.fault);
        }
        let skipped: Vec<_> = made
            .skipped
            .iter()
            .map(|s| Value::from(s.event.as_ref().unwrap().number.clone()))
            .collect();
        assert_eq!(Value::from(skipped), expected[name]["skipped"], "{name}");
    }
}

#[test]
fn every_plate_carries_its_framing_and_its_colour() {
    let made = framed("cut.edl", Some("VFX_PULL"), &clips()).unwrap();
    for (plate, step) in made.package.plates.iter().zip(&made.job.steps) {
        let StepKind::Render(spec) = &step.kind else { panic!("a render") };
        let framing = spec.framing.as_ref().unwrap();
        assert_eq!(framing.size, plate.size);
        let source = &plate.clip.picture;
        assert_eq!(framing.source_size, [source.width, source.height]);
        let canvas = Fdl::parse(spec.fdl_json.as_ref().unwrap().as_bytes()).unwrap();
        assert!(
            canvas.canvases().any(|(_, c)| [c.dimensions.width, c.dimensions.height] == plate.size)
        );
        let amf = Amf::parse(plate.amf.text.as_bytes()).unwrap();
        assert_eq!(plate.amf.name, format!("{}.amf", plate.name));
        assert_eq!(amf.clip.unwrap().name, plate.name);
        assert_eq!(amf.pipeline.stages[0].applied, Some(true));
    }
    let uuids: std::collections::HashSet<_> = made
        .package
        .plates
        .iter()
        .map(|p| Amf::parse(p.amf.text.as_bytes()).unwrap().uuid)
        .collect();
    assert_eq!(uuids.len(), made.package.plates.len());
    let delivered = made.package.fdl.as_ref().unwrap();
    assert_eq!(delivered.name, "show.fdl");
    let delivered = Fdl::parse(delivered.text.as_bytes()).unwrap();
    let before = Fdl::parse(&fixture("show.fdl")).unwrap().canvases().count();
    assert_eq!(delivered.canvases().count(), before + 2, "one new canvas per sensor");
    assert!(!codes(&made.package.notes).contains(&"F0219"));
}

#[test]
fn a_template_that_is_not_there_fails_the_pull_with_those_that_are() {
    for template in [Some("NO_SUCH"), None] {
        let fault = framed("cut.edl", template, &clips()).unwrap_err();
        assert_eq!(fault.code, Code::FdlIdNotFound);
        assert!(fault.message.contains("VFX_PULL") && fault.message.contains("HD"), "{fault}");
    }
    let edl = edl::parse(&fixture("cut.edl"), RATE).unwrap();
    let clips = clips();
    let mut request = request(&edl, &clips, 2);
    request.delivery.picture.template = Some("VFX_PULL".into());
    assert_eq!(plan(&request).unwrap_err().code, Code::BadRecipe);
}

/// `HD` enlarges both clips: refused event by event, unless it was asked for, and then said of each plate.
#[test]
fn plates_are_not_larger_than_their_source_unless_asked() {
    let (edl, clips) = (edl::parse(&fixture("cut.edl"), RATE).unwrap(), clips());
    let fdl = Fdl::parse(&fixture("show.fdl")).unwrap();
    let mut request = request(&edl, &clips, 2);
    request.fdl = Some(&fdl);
    request.delivery.picture.template = Some("HD".into());
    let fault = plan(&request).unwrap_err();
    assert_eq!(fault.code, Code::Upres, "{fault}");
    request.delivery.picture.allow_upres = true;
    let made = plan(&request).unwrap();
    let expected: Value = serde_json::from_slice(&fixture("expected.json")).unwrap();
    assert_eq!(made.package.plates.len(), 4);
    for plate in &made.package.plates {
        let size = &expected["hd"]["sizes"][&plate.clip.identity.clip_name];
        assert_eq!(serde_json::json!(plate.size), *size);
        let note = plate.notes.iter().find(|note| note.code == Code::Upres).unwrap();
        assert!(note.message.contains("'HD' enlarges"), "{note}");
    }
}

#[test]
fn without_a_list_the_full_source_goes_into_the_container() {
    let (edl, clips) = (edl::parse(&fixture("cut.edl"), RATE).unwrap(), clips());
    let mut request = request(&edl, &clips, 2);
    request.delivery.picture.container = Some([960, 540]);
    let made = plan(&request).unwrap();
    assert!(made.package.plates.iter().all(|plate| plate.size == [960, 540]));
    let note = made.package.notes.iter().find(|note| note.code == Code::NoFraming).unwrap();
    assert!(note.message.contains("960 by 540"), "{note}");
    let StepKind::Render(render) = &made.job.steps[0].kind else { panic!("a render") };
    let framing = render.framing.as_ref().unwrap();
    // 1136x752 into 960x540: by the height, 0.718 times, and black at the sides.
    assert_eq!(framing.scale, [540.0 / 752.0; 2]);
    assert_eq!(framing.content, [72, 0, 888, 540]);
}

/// A clip of another size has no canvas: its events are rejected, the rest goes on.
#[test]
fn a_clip_without_a_canvas_costs_its_own_events_only() {
    let mut clips = clips();
    clips[1].picture.width = 1700;
    let made = framed("cut.edl", Some("VFX_PULL"), &clips).unwrap();
    assert_eq!(made.package.plates.len(), 3);
    let [rejected] = made.package.rejected.as_slice() else {
        panic!("{:?}", made.package.rejected)
    };
    assert_eq!(rejected.event.as_ref().unwrap().number, "003");
    let place = rejected.fault.place.as_ref().unwrap();
    assert!(place.contains("colorchart"), "{place}");
}
