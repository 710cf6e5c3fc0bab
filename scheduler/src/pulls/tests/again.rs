//! Shots that are used more than once, and shots that were delivered before.

use super::*;
use crate::pulls::{Previous, PreviousFile};
use platefarm_model::delivery::Repeated;
use platefarm_model::job::StepKind;
use platefarm_model::recipe::{Compression, RenderSpec};
use platefarm_model::{Code, FrameRange};
use platefarm_standards::amf::{Amf, Found, IncomingAmf, Reference, StageKind};

fn a001() -> ClipInfo {
    clip("A001_C001", Some("A001"), "01:00:00:00", 200)
}

fn event(number: u32, range: &str, remark: &str) -> String {
    format!("{number:03}  A001 V C {range} 01:00:00:00 01:00:01:00\n{remark}\n")
}

fn with(
    text: &str,
    clips: &[ClipInfo],
    change: impl FnOnce(&mut PullRequest<'_>),
) -> Outcome<PullPlan> {
    let edl = list(text);
    let mut request = request(&edl, clips, 4);
    change(&mut request);
    plan(&request)
}

/// A pull list is an edit list, and may come back as one.
#[test]
fn an_edit_list_named_as_a_pull_list_is_in_the_package_beside_it() {
    let named = |name: &str| {
        let list = event(1, "01:00:01:00 01:00:02:00", "");
        with(&list, &[a001()], |request| request.edl_document.name = name.into()).unwrap().package
    };
    let package = named("pull_list.ale");
    let beside: Vec<&str> = package.documents.iter().map(|document| &*document.name).collect();
    assert_eq!(
        (&*package.edl.name, beside),
        ("list_pull_list.ale", vec!["pull_list.csv", "pull_list.ale"])
    );
    assert!(codes(&package.notes).contains(&"F0212"), "{:?}", package.notes);
    let package = named("cut.edl");
    assert_eq!(package.edl.name, "cut.edl");
    assert!(!codes(&package.notes).contains(&"F0212"), "{:?}", package.notes);
}

fn renders(made: &PullPlan) -> Vec<&RenderSpec> {
    let specs = made.job.steps.iter().filter_map(|step| match &step.kind {
        StepKind::Render(spec) => Some(spec.as_ref()),
        _ => None,
    });
    specs.collect()
}

/// 1: 24 to 47, 2: 72 to 95, 3: 52 to 75; with 4 frames of handle the third joins the other two.
#[test]
fn a_shot_is_delivered_for_each_use_or_once() {
    let text = event(1, "01:00:01:00 01:00:02:00", "* LOC: 01:00:00:00 RED SH_010")
        + &event(2, "01:00:03:00 01:00:04:00", "")
        + &event(4, "01:00:07:00 01:00:08:00", "")
        + &event(3, "01:00:02:04 01:00:03:04", "");
    let each = with(&text, &[a001()], |_| {}).unwrap();
    let got: Vec<_> = each.package.plates.iter().map(frames).collect();
    let handles = [4, 4];
    assert_eq!(got, [(20, 32, handles), (68, 32, handles), (164, 32, handles), (48, 32, handles)]);
    let once = with(&text, &[a001()], |request| {
        request.delivery.repeated = Repeated::Once;
    })
    .unwrap();
    let got: Vec<_> = once.package.plates.iter().map(frames).collect();
    // 20 to 51, 48 to 79 and 68 to 99 are one run; the fourth use stands alone.
    assert_eq!(got, [(20, 80, handles), (164, 32, handles)]);
    let first = &once.package.plates[0];
    assert_eq!(first.name, "SH_010_PL01_v001");
    let also: Vec<_> = first.also.iter().map(|event| event.number.as_str()).collect();
    assert_eq!(also, ["003", "002"]);
    assert_eq!(once.package.plates.len() + first.also.len(), 4, "no event is lost");
}

#[test]
fn uses_that_differ_in_speed_or_colour_say_so() {
    let text = event(1, "01:00:01:00 01:00:02:00", "* ASC_SAT 0.5")
        + &event(2, "01:00:01:00 01:00:03:00", "M2 A001 048.0 01:00:01:00");
    let once = with(&text, &[a001()], |request| {
        request.delivery.repeated = Repeated::Once;
    })
    .unwrap();
    let plate = &once.package.plates[0];
    assert_eq!(plate.also.len(), 1);
    for what in ["differ in speed", "differ in colour decision"] {
        assert!(plate.notes.iter().any(|note| note.message.contains(what)), "{what}");
    }
}

/// A plate has one name: the shots that other uses are marked as are told, and none is lost in silence.
#[test]
fn uses_that_are_marked_as_other_shots_say_so() {
    let told = |marks: [&str; 2], color: Option<&str>| {
        let [first, second] = marks.map(|mark| match mark {
            "" => String::new(),
            mark => format!("* LOC: 01:00:00:00 {mark}"),
        });
        let text = event(1, "01:00:01:00 01:00:02:00", &first)
            + &event(2, "01:00:02:00 01:00:03:00", &second);
        let once = with(&text, &[a001()], |request| {
            request.delivery.repeated = Repeated::Once;
            request.delivery.naming.marker_color = color.map(Into::into);
        });
        let [plate]: [PlatePlan; 1] = once.unwrap().package.plates.try_into().unwrap();
        let notes = plate.notes.into_iter().filter(|note| note.code == Code::ShotUnsure);
        notes.map(|note| note.message).collect::<Vec<_>>().join("\n")
    };
    for marks in [["RED SH_010", "RED SH_020"], ["", "RED SH_020"]] {
        assert!(told(marks, None).contains("marked as shot 'SH_020'"), "{marks:?}");
    }
    for marks in [["RED SH_010", "RED sh_010"], ["RED SH_010", ""]] {
        assert_eq!(told(marks, None), "", "{marks:?}");
    }
    assert_eq!(
        told(["RED SH_010", "GREEN SH_020"], Some("red")),
        "",
        "green markers name no shots"
    );
}

#[test]
fn a_speed_change_is_recorded_and_not_baked() {
    for (remark, range, speed, source) in [
        ("M2 A001 048.0 01:00:01:00", "01:00:01:00 01:00:03:00", 2.0, 48),
        ("M2 A001 -024.0 01:00:02:00", "01:00:02:00 01:00:02:01", -1.0, 24),
        ("* FREEZE FRAME", "01:00:01:00 01:00:01:01", 0.0, 1),
    ] {
        let made = with(&event(1, range, remark), &[a001()], |_| {}).unwrap();
        let retime = made.package.plates[0].retime.as_ref().unwrap();
        let got = (retime.speed, retime.record_frames, retime.source_frames);
        assert_eq!(got, (speed, 24, source), "{remark}");
    }
    let plain = with(&event(1, "01:00:01:00 01:00:02:00", ""), &[a001()], |_| {}).unwrap();
    assert_eq!(plain.package.plates[0].retime, None);
}

#[test]
fn colour_decisions_and_the_pull_list_travel_with_the_plates() {
    let remark = "* ASC_SOP (1.1 1.0 0.9)(0.01 0 -0.01)(1 1 1.1)\n* ASC_SAT 0.9";
    let text =
        event(1, "01:00:01:00 01:00:02:00", remark) + &event(2, "01:00:03:00 01:00:04:00", "");
    let made = with(&text, &[a001()], |_| {}).unwrap();
    let names = |plate: &PlatePlan| -> Vec<String> {
        plate.documents.iter().map(|document| document.name.clone()).collect()
    };
    let [graded, plain] = made.package.plates.as_slice() else { panic!("two plates") };
    assert_eq!(names(graded), ["demo_010_PL01_v001.cc", "demo_010_PL01_v001.cdl"]);
    assert_eq!(names(plain), [""; 0]);
    let document = |name: &str| {
        let found = made.package.documents.iter().find(|document| document.name == name);
        String::from_utf8(found.unwrap().text.as_bytes().to_vec()).unwrap()
    };
    let csv = document("pull_list.csv");
    let lines: Vec<&str> = csv.lines().collect();
    assert_eq!(lines.len(), 3);
    let column = |name: &str| lines[0].split(',').position(|c| c == name).unwrap();
    let cell = |line: usize, name: &str| lines[line].split(',').nth(column(name)).unwrap();
    assert_eq!(cell(1, "plate"), graded.name);
    assert_eq!((cell(1, "rule"), cell(1, "score")), ("reel", "1.00"));
    // 4 frames of handle before 01:00:01:00, and the frame behind the last.
    assert_eq!((cell(1, "plate_in"), cell(1, "plate_out")), ("01:00:00:20", "01:00:02:04"));
    assert_eq!((cell(1, "first_frame"), cell(1, "last_frame")), ("1001", "1032"));
    let ale = document("pull_list.ale");
    assert!(ale.starts_with("Heading\r\nFIELD_DELIM\tTABS\r\n") && ale.contains("FPS\t24\r\n"));
    assert!(ale.contains("(1.1 1 0.9)(0.01 0 -0.01)(1 1 1.1)\t0.9\t"), "{ale}");
    // Whoever has an AMF looks at no column for the grade: it is in there, still ahead.
    let amf = Amf::parse(graded.amf.text.as_bytes()).unwrap();
    assert!(ale.contains(&format!("\t{}\t{}\r\n", graded.amf.name, amf.uuid.unwrap())), "{ale}");
    let looks: Vec<_> = amf.pipeline.stages.iter().filter(|s| s.kind == StageKind::Look).collect();
    let [look] = looks.as_slice() else { panic!("one look") };
    assert_eq!(look.applied, Some(false));
    let cdl = look.cdl.clone().unwrap();
    assert_eq!((cdl.slope, cdl.offset), ([1.1, 1.0, 0.9], [0.01, 0.0, -0.01]));
    assert_eq!((cdl.power, cdl.saturation), ([1.0, 1.0, 1.1], 0.9));
    let space = look.space.clone().unwrap();
    assert!(space.from.unwrap().ends_with("ACEScct_to_ACES.a2.v1"));
    assert_eq!(platefarm_standards::amf::validate(graded.amf.text.as_bytes()).unwrap(), []);
    // No list says the space that a decision was made in.
    let assumed = |plate: &PlatePlan| {
        let mut assumed = plate.notes.iter().filter(|note| note.code == Code::ColorAssumed);
        assumed.any(|note| note.message.contains("ACEScct"))
    };
    assert_eq!((assumed(graded), assumed(plain)), (true, false));
    let amf = Amf::parse(plain.amf.text.as_bytes()).unwrap();
    assert!(amf.pipeline.stages.iter().all(|stage| stage.cdl.is_none()));
}

/// Looks of a show are often called as its shots are.
#[test]
fn a_look_takes_no_place_of_a_plates_own_documents() {
    let edl =
        list(&(event(1, "01:00:01:00 01:00:02:00", "") + &event(2, "01:00:03:00 01:00:04:00", "")));
    let clf = "<ProcessList id=\"x\" compCLFversion=\"3\" xmlns=\"urn:AMPAS:CLF:v3.0\">\
        <Matrix inBitDepth=\"32f\" outBitDepth=\"32f\"><Array dim=\"3 3\">1 0 0 0 1 0 0 0 1</Array>\
        </Matrix></ProcessList>";
    let amf = "<acesMetadataFile version=\"2.0\" xmlns=\"urn:ampas:aces:amf:v2.0\"><pipeline>\
        <lookTransform applied=\"false\"><file>demo_010_PL01_v001.clf</file></lookTransform>\
        </pipeline></acesMetadataFile>";
    let find = |name: &str| -> Outcome<Found> {
        Ok(Found { path: format!("/show/{name}"), bytes: clf.as_bytes().to_vec() })
    };
    let incoming = IncomingAmf::read("show.amf", amf.as_bytes(), &find).unwrap();
    let clips = [a001()];
    let made = plan(&PullRequest { amf: Some(&incoming), ..request(&edl, &clips, 4) }).unwrap();
    let beside = |plate: &PlatePlan| {
        let amf = Amf::parse(plate.amf.text.as_bytes()).unwrap();
        let mut looks = amf.pipeline.stages.iter().filter(|s| s.kind == StageKind::Look);
        let named = looks.next().map(|look| look.references.clone());
        let own: Vec<String> = plate.documents.iter().map(|d| d.name.clone()).collect();
        (named, own, plate.looks.clone())
    };
    let [first, second] = made.package.plates.as_slice() else { panic!("two plates") };
    assert_eq!(first.name, "demo_010_PL01_v001");
    let (name, other) =
        ("demo_010_PL01_v001.clf".to_owned(), "2_demo_010_PL01_v001.clf".to_owned());
    let is = |name: &String| Some(vec![Reference::File(name.clone())]);
    assert_eq!(beside(first), (is(&other), vec![other], Vec::new()));
    assert_eq!(beside(second), (is(&name), Vec::new(), vec![name]));
    assert_eq!(first.documents[0].text.as_bytes(), clf.as_bytes());
}

/// What a delivery of `made` leaves behind.
pub(super) fn delivered(made: &PullPlan) -> Vec<Previous> {
    let previous = |plate: &PlatePlan| Previous {
        shot: plate.shot.clone(),
        number: plate.number,
        version: plate.version,
        clip: plate.clip.path.clone(),
        clip_name: plate.clip.identity.clip_name.clone(),
        reel: plate.clip.identity.reel_name.clone(),
        recipe: plate.recipe.clone(),
        source_first: plate.source_first,
        frames: Some(plate.frames),
        files: plate
            .frames
            .iter()
            .map(|frame| PreviousFile {
                frame,
                file: format!("/old/{0}/{0}.{frame}.exr", plate.name),
                xxh128: format!("{frame:032x}"),
            })
            .collect(),
    };
    made.package.plates.iter().map(previous).collect()
}

#[test]
fn a_second_pull_renders_only_what_changed() {
    let text = event(1, "01:00:01:00 01:00:02:00", "* LOC: 01:00:00:00 RED SH_010")
        + &event(2, "01:00:04:00 01:00:05:00", "* LOC: 01:00:00:00 RED SH_020")
        + &event(3, "01:00:06:00 01:00:07:00", "* LOC: 01:00:00:00 RED SH_030");
    let first = with(&text, &[a001()], |_| {}).unwrap();
    // The tail of 020 grew by six frames, the head of 030 by two; 040 is new.
    let text = text
        .replace("01:00:04:00 01:00:05:00", "01:00:04:00 01:00:05:06")
        .replace("01:00:06:00 01:00:07:00", "01:00:05:22 01:00:07:00")
        + &event(4, "01:00:03:00 01:00:03:12", "* LOC: 01:00:00:00 RED SH_040");
    let again = |keep_numbers: bool| {
        with(&text, &[a001()], |request| {
            request.previous = delivered(&first);
            request.delivery.naming.keep_numbers = keep_numbers;
        })
        .unwrap()
    };
    let second = again(false);
    let names: Vec<_> = second.package.plates.iter().map(|p| p.name.as_str()).collect();
    assert_eq!(
        names,
        ["SH_010_PL01_v002", "SH_020_PL01_v002", "SH_030_PL01_v002", "SH_040_PL01_v001"]
    );
    let reused: Vec<String> = second.package.plates.iter().map(|p| p.reused.to_string()).collect();
    // With its head longer every frame of 030 has another number, which stands in its header.
    assert_eq!(reused, ["1001-1032", "1001-1032", "", ""]);
    let from: Vec<_> = second.package.plates.iter().map(|p| p.reused_from.join(" ")).collect();
    assert_eq!(from, ["SH_010_PL01_v001", "SH_020_PL01_v001", "", ""]);
    let spec = renders(&second)[1];
    assert_eq!(spec.frames, FrameRange::new(1001, 1038).unwrap());
    assert_eq!(spec.reuse[31].file, "/old/SH_020_PL01_v001/SH_020_PL01_v001.1032.exr");
    // Where numbers are kept, the head grows to the front and the rest is taken over.
    let kept = again(true);
    let grown = &kept.package.plates[2];
    assert_eq!(grown.frames, FrameRange::new(999, 1032).unwrap());
    assert_eq!(grown.reused.to_string(), "1001-1032");
    let estimate = crate::pulls::estimate::estimate(&second.package);
    assert_eq!((estimate.frames, estimate.frames_reused), (6 + 34 + 20, 64));
}

/// Anything that decides a pixel makes another recipe; where it goes and who makes it do not.
#[test]
fn a_recipe_is_what_decides_the_pixels() {
    let text = event(1, "01:00:01:00 01:00:02:00", "");
    let recipe = |change: fn(&mut PullRequest<'_>), clips: &[ClipInfo]| {
        with(&text, clips, change).unwrap().package.plates[0].recipe.clone()
    };
    let plain = recipe(|_| {}, &[a001()]);
    assert_eq!(plain.len(), 32);
    for same in [
        recipe(|r| r.out_dir = "/elsewhere".into(), &[a001()]),
        recipe(|r| r.plate_version = 7, &[a001()]),
        recipe(|r| r.delivery.handles = 9, &[a001()]),
        recipe(|r| r.backend = Backend::Cpu, &[a001()]),
        recipe(|r| r.seed = "other".into(), &[a001()]),
    ] {
        assert_eq!(same, plain);
    }
    let mut moved = a001();
    moved.timing.start = moved.timing.start.map(|start| start.plus(0));
    moved.camera.white_kelvin = Some(5600.0);
    for other in [
        recipe(|r| r.delivery.picture.compression = Compression::Piz, &[a001()]),
        recipe(|r| r.delivery.picture.debayer = platefarm_model::recipe::Debayer::Rcd, &[a001()]),
        recipe(|r| r.delivery.picture.container = Some([960, 540]), &[a001()]),
        recipe(|_| {}, &[moved]),
    ] {
        assert_ne!(other, plain);
    }
}

#[test]
fn names_follow_the_template_and_collide_aloud() {
    let text = event(1, "01:00:01:00 01:00:02:00", "* LOC: 01:00:00:00 RED SH_010")
        + &event(2, "01:00:03:00 01:00:04:00", "* LOC: 01:00:00:00 RED SH_010");
    let made = with(&text, &[a001()], |request| {
        request.delivery.naming.plate =
            "{show}-{shot}.{clip}.e{event}.p{plate}.v{version:04}".into();
    })
    .unwrap();
    let names: Vec<_> = made.package.plates.iter().map(|p| p.name.as_str()).collect();
    assert_eq!(
        names,
        ["demo-SH_010.A001_C001.e001.p1.v0001", "demo-SH_010.A001_C001.e002.p2.v0001"]
    );
    let made = with(&text, &[a001()], |request| {
        request.delivery.naming.plate = "{shot}_v{version}".into();
    })
    .unwrap();
    assert_eq!(made.package.plates.len(), 1);
    assert_eq!(made.package.rejected[0].fault.code, Code::NameCollision);
    assert!(made.package.rejected[0].fault.remedy_text().contains("{plate}"));
    let bad = with(&text, &[a001()], |request| {
        request.delivery.naming.plate = "{scene}_v{version}".into();
    });
    assert_eq!(bad.unwrap_err().code, Code::BadNaming);
}

/// A plan over the keys of a library and the clips that it wants is the plan over all clips.
#[test]
fn a_library_gives_the_same_plan_as_its_clips() {
    let clips: Vec<ClipInfo> = (0..50)
        .map(|i| {
            clip(&format!("A{i:03}C001_240101_R1AB"), Some(&format!("A{i:03}")), "01:00:00:00", 200)
        })
        .collect();
    let text = "001  A007 V C 01:00:01:00 01:00:02:00 01:00:00:00 01:00:01:00\n\
        002  A012C001 V C 01:00:01:00 01:00:02:00 01:00:00:00 01:00:01:00\n\
        003  Z999 V C 01:00:01:00 01:00:02:00 01:00:00:00 01:00:01:00\n";
    let edl = list(text);
    let whole = plan(&request(&edl, &clips, 4)).unwrap();
    let keys: Vec<_> = clips.iter().map(crate::pulls::ClipKey::of).collect();
    let wanted = crate::pulls::wanted(&edl, &keys, &Choices::default(), BAR);
    assert_eq!(wanted.iter().copied().collect::<Vec<_>>(), [7, 12]);
    let some = wanted.into_iter().map(|place| (place, clips[place].clone())).collect();
    let mut request = request(&edl, &[], 4);
    request.media = Media::of_library(&keys, &some);
    assert_eq!(plan(&request).unwrap(), whole);
}
