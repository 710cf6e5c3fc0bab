//! Timelines (OTIO, Final Cut 7 XML) and logs (ALE) against what
//! OpenTimelineIO and its adapters read in them (`fixtures/editlists/README.md`).

mod rows;

use platefarm_model::{Code, FrameRate};
use platefarm_standards::editlist::{self, EditList, Event, Format, Transition, to_json};
use platefarm_standards::otio::Document;
use platefarm_standards::{ale, fcpxml, otio, xmeml};
use proptest::prelude::*;
use rows::compare;
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

fn directories() -> Vec<PathBuf> {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let given = here.join("../../shared/data/editorial/given");
    let mut all = vec![here.join("tests/fixtures/editlists")];
    all.extend(
        ["otio", "xml", "ale"].map(|kind| given.join(kind)).into_iter().filter(|d| d.is_dir()),
    );
    all
}

/// Every case: the file, its bytes, and the rows of the adapter, where it reads the file.
fn cases(extension: &str) -> Vec<(PathBuf, Vec<u8>, Option<Value>)> {
    let mut all = Vec::new();
    for dir in directories() {
        for path in std::fs::read_dir(dir).unwrap().flatten().map(|entry| entry.path()) {
            if path.extension().is_some_and(|e| e == extension) {
                let json = std::fs::read(path.with_extension("expected.json")).unwrap();
                let json: Value = serde_json::from_slice(&json).unwrap();
                let (_, read) = json
                    .as_object()
                    .unwrap()
                    .iter()
                    .find(|(key, _)| key.starts_with("otio_") || key.starts_with("opentimeline"))
                    .unwrap();
                let rows = (read["ok"] == true).then(|| read.clone());
                all.push((path.clone(), std::fs::read(&path).unwrap(), rows));
            }
        }
    }
    all.sort_by(|a, b| a.0.cmp(&b.0));
    all
}

fn name(path: &Path) -> &str {
    path.file_stem().unwrap().to_str().unwrap()
}

/// `[value, rate]` as whole frames and the rate.
fn time(value: &Value) -> (i64, f64) {
    (value[0].as_f64().unwrap().round() as i64, value[1].as_f64().unwrap())
}

fn same(a: f64, b: f64) -> bool {
    (a - b).abs() < 1e-3
}

#[test]
fn otio_documents_read_as_opentimelineio_reads_them() {
    let mut compared = 0;
    for (path, bytes, read) in cases("otio") {
        assert_eq!(editlist::sniff(&bytes), Format::Otio, "{}", path.display());
        let list = otio::parse(&bytes, None).unwrap();
        if let Some(read) = read {
            assert_eq!(list.title, read["name"].as_str().unwrap_or_default());
            compared += compare(&path, &to_json(&list), &read);
        } else {
            // Newer schemas than the adapter's: known things are read all the same.
            assert!(list.events.len() > 3, "{}: {:?}", path.display(), list.warnings);
        }
    }
    assert!(compared >= 46, "{compared}");
}

/// A document comes out as it went in: schemas and versions of the future, metadata, numbers that
/// JSON has no form for.
#[test]
fn otio_documents_survive_a_round_trip() {
    for (path, bytes, _) in cases("otio") {
        let document = Document::parse(&bytes).unwrap();
        let text = document.to_json();
        assert_eq!(Document::parse(text.as_bytes()).unwrap(), document, "{}", path.display());
        if name(&path) == "big_int" {
            for word in ["170141183460469231731687303715884105728", "-Infinity", "NaN"] {
                assert!(text.contains(&format!(": {word}")), "{word}: {text}");
            }
            assert!(!text.contains('\u{e000}'));
        }
    }
    let foreign = json!({
        "OTIO_SCHEMA": "Timeline.9", "name": "T", "x": [1, {"OTIO_SCHEMA": "Alien.3", "y": null}],
        "tracks": {"OTIO_SCHEMA": "Stack.7", "children": [{"OTIO_SCHEMA": "Alien.1", "z": 1.5}]},
    });
    let document = Document::parse(foreign.to_string().as_bytes()).unwrap();
    let again: Value = serde_json::from_str(&document.to_json()).unwrap();
    assert_eq!(again, foreign);
    document.edit_list(None).unwrap();
}

fn otio_time(value: f64, rate: f64) -> Value {
    json!({ "OTIO_SCHEMA": "RationalTime.1", "value": value, "rate": rate })
}

fn otio_range(start: f64, frames: f64, rate: f64) -> Value {
    json!({ "OTIO_SCHEMA": "TimeRange.1", "start_time": otio_time(start, rate), "duration": otio_time(frames, rate) })
}

fn otio_clip(name: &str, start: f64, frames: f64) -> Value {
    json!({
        "OTIO_SCHEMA": "Clip.2", "name": name, "source_range": otio_range(start, frames, 24.0),
        "metadata": {"cmx_3600": {"reel": name}},
        "media_references": {"DEFAULT_MEDIA": {"OTIO_SCHEMA": "ExternalReference.1",
            "target_url": format!("file:///vol/{name}.mov"), "available_range": otio_range(86400.0, 200.0, 24.0)}},
        "active_media_reference_key": "DEFAULT_MEDIA",
    })
}

fn otio_list(children: Value) -> EditList {
    let document = json!({
        "OTIO_SCHEMA": "Timeline.1", "name": "T", "global_start_time": otio_time(3600.0 * 24.0, 24.0),
        "tracks": {"OTIO_SCHEMA": "Stack.1", "children": [
            {"OTIO_SCHEMA": "Track.1", "kind": "Video", "name": "V1", "children": children}]},
    });
    otio::parse(document.to_string().as_bytes(), None).unwrap()
}

/// What an event is, in short: reel, transition, source in and frames, record in and frames.
fn short(event: &Event) -> (String, String, [i64; 2], [i64; 2]) {
    let length = match event.transition.frames() {
        0 => event.transition.to_string(),
        frames => format!("{} {frames}", event.transition),
    };
    (
        event.reel.clone(),
        length,
        [event.source.start.frames, event.source.frames()],
        [event.record.start.frames - 86_400, event.record.frames()],
    )
}

/// A dissolve around a cut is two lines, of which the second begins where the dissolve does; from
/// black and to black, black is a side. Worked out by hand from the OTIO document's figure 2.
#[test]
fn transitions_become_two_lines() {
    let mix = |before: f64, after: f64| {
        json!({"OTIO_SCHEMA": "Transition.1", "transition_type": "SMPTE_Dissolve", "name": "X",
            "in_offset": otio_time(before, 24.0), "out_offset": otio_time(after, 24.0)})
    };
    let list = otio_list(json!([
        mix(0.0, 6.0),
        otio_clip("A", 86410.0, 48.0),
        mix(2.0, 3.0),
        otio_clip("B", 86500.0, 40.0),
        mix(12.0, 0.0),
    ]));
    let row =
        |reel: &str, cut: &str, source, record| (reel.to_owned(), cut.to_owned(), source, record);
    let expected = [
        row("BL", "C", [0, 0], [0, 0]),
        row("A", "D 6", [86410, 46], [0, 46]),
        row("A", "C", [86456, 0], [46, 0]),
        row("B", "D 5", [86498, 30], [46, 30]),
        row("B", "C", [86528, 0], [76, 0]),
        row("BL", "D 12", [0, 12], [76, 12]),
    ];
    let ours: Vec<_> = list.events.iter().map(short).collect();
    assert_eq!(ours, expected);
    assert_eq!(list.events[3].clip_name.as_deref(), Some("A"));
    assert_eq!(list.events[3].to_clip_name.as_deref(), Some("B"));
}

/// Backwards a clip goes out with its lowest frames and comes in with its highest: of 86410 to 86457
/// the two last are 86411 and 86410, and before 86539 come 86541 and 86540.
#[test]
fn a_reversed_clip_goes_out_with_its_first_frames() {
    let reversed = |name: &str, start: f64, frames: f64| {
        let mut clip = otio_clip(name, start, frames);
        clip["effects"] = json!([{ "OTIO_SCHEMA": "LinearTimeWarp.1", "time_scalar": -1.0 }]);
        clip
    };
    let mix = json!({"OTIO_SCHEMA": "Transition.1", "transition_type": "SMPTE_Dissolve",
        "in_offset": otio_time(2.0, 24.0), "out_offset": otio_time(3.0, 24.0)});
    let (a, b) = (reversed("A", 86410.0, 48.0), reversed("B", 86500.0, 40.0));
    let list = otio_list(json!([a, mix, b]));
    let row =
        |reel: &str, cut: &str, source, record| (reel.to_owned(), cut.to_owned(), source, record);
    let expected = [
        row("A", "C", [86412, 46], [0, 46]),
        row("A", "C", [86412, 0], [46, 0]),
        row("B", "D 5", [86500, 42], [46, 42]),
    ];
    let ours: Vec<_> = list.events.iter().map(short).collect();
    assert_eq!(ours, expected);
    // Each speed is told for where its line begins.
    let speeds = |event: &Event| -> Vec<(f64, String)> {
        event.motion.iter().map(|m| (m.fps, m.at.clone())).collect()
    };
    let at = |event: usize| (-24.0, list.events[event].source.start_text.clone());
    assert_eq!(speeds(&list.events[0]), [at(0)]);
    assert_eq!(speeds(&list.events[2]), [at(1), at(2)]);
}

/// Speeds, held frames, grades, markers, clips that are off, media that begins at its timecode.
#[test]
fn what_an_otio_clip_says_is_kept() {
    let mut fast = otio_clip("A", 86400.0, 24.0);
    fast["effects"] = json!([{"OTIO_SCHEMA": "LinearTimeWarp.1", "time_scalar": 2.0}]);
    fast["markers"] = json!([{"OTIO_SCHEMA": "Marker.2", "name": "SH_010", "color": "RED",
        "marked_range": otio_range(86403.0, 0.0, 24.0)}]);
    fast["metadata"]["cdl"] = json!({"asc_sat": 0.9, "asc_sop": {"slope": [1.0, 1.1, 1.2],
        "offset": [0.0, 0.1, 0.2], "power": [1.0, 1.0, 1.0]}});
    let mut held = otio_clip("B", 12.0, 24.0);
    held["effects"] = json!([{"OTIO_SCHEMA": "FreezeFrame.1"}]);
    let mut off = otio_clip("C", 86400.0, 10.0);
    off["enabled"] = json!(false);
    let list = otio_list(json!([fast, held, off]));
    let [fast, held, off] = &list.events[..] else { panic!("{:#?}", list.events) };
    assert_eq!((fast.source.frames(), fast.record.frames(), fast.motion[0].fps), (48, 24, 48.0));
    assert_eq!(fast.locators[0].at, "01:00:00:03");
    assert_eq!(fast.cdl.as_ref().unwrap().saturation, Some(0.9));
    assert_eq!(fast.source_file.as_deref(), Some("/vol/A.mov"));
    // 12 lies before the media's first frame, which is at its timecode: it counts from there.
    assert_eq!((held.source.start.frames, held.source.frames(), held.freeze), (86412, 1, true));
    assert!(!off.enabled && fast.enabled);
}

/// What the AAF adapter of OpenTimelineIO 0.18 makes of its own `one_clip.aaf`, and of a mob
/// that came from a tape: the master mob's id is the material's, a tape is a reel.
#[test]
fn mobs_of_an_aaf_name_the_material() {
    let mut clip = otio_clip("ppjoshm_1 (SIM1)", 86501.0, 10.0);
    clip["metadata"] = json!({"AAF": {
        "ClassName": "MasterMob", "MediaKind": "Picture", "Name": "ppjoshm_1 (SIM1)",
        "MobID": "urn:smpte:umid:060a2b34.01010101.01010f00.13000000.060e2b34.7f7f2a80.5c9e6962.cd005cc5",
        "UserComments": {"Take": "1"}, "Slots": {},
    }});
    let mut taped = clip.clone();
    clip["media_references"]["DEFAULT_MEDIA"]["metadata"] = json!({"AAF": {
        "ClassName": "SourceMob", "Name": "ppjoshm_1.SIM1.aaf",
        "EssenceDescription": {"ClassName": "CDCIDescriptor"},
        "MobID": "urn:smpte:umid:060a2b34.01010101.01010f00.13000000.060e2b34.7f7f2a80.5c9e69c8.ec2213a0",
    }});
    taped["media_references"]["DEFAULT_MEDIA"]["metadata"] = json!({"AAF": {
        "ClassName": "SourceMob", "Name": "A001R1AB",
        "EssenceDescription": {"ClassName": "TapeDescriptor"},
    }});
    let list = otio_list(json!([clip, taped]));
    let umid = "060A2B340101010101010F0013000000060E2B347F7F2A805C9E6962CD005CC5";
    let got: Vec<_> = list.events.iter().map(|e| (e.umid.as_deref(), e.reel.as_str())).collect();
    assert_eq!(got, [(Some(umid), ""), (Some(umid), "A001R1AB")]);
}

/// Whoever reads an AAF for us says which mobs count in drop frame: five hours are 5 * 107892 frames,
/// and 1800 behind the first minute are 00:01:00;02. Media of another mob counts on in its own way.
#[test]
fn mobs_of_an_aaf_say_whether_they_drop_frames() {
    let ntsc = 30_000.0 / 1001.0;
    let dropping = json!({"AAF": {"MobID": "urn:smpte:umid:1", "DropFrame": true}});
    let clip = |name: &str, metadata: &Value| {
        json!({
            "OTIO_SCHEMA": "Clip.2", "name": name, "source_range": otio_range(1800.0, 30.0, ntsc),
            "media_references": {
                "DEFAULT_MEDIA": {"OTIO_SCHEMA": "MissingReference.1"},
                "tape": {"OTIO_SCHEMA": "MissingReference.1", "metadata": metadata},
            },
            "active_media_reference_key": "DEFAULT_MEDIA",
        })
    };
    let document = json!({
        "OTIO_SCHEMA": "Timeline.1", "name": "T", "metadata": dropping,
        "global_start_time": otio_time(539_460.0, ntsc),
        "tracks": {"OTIO_SCHEMA": "Stack.1", "children": [{"OTIO_SCHEMA": "Track.1", "kind": "Video",
            "children": [clip("A", &dropping), clip("B", &Value::Null)]}]},
    });
    let list = otio::parse(document.to_string().as_bytes(), None).unwrap();
    let times = |event: &Event| [&event.record, &event.source].map(|span| span.start_text.clone());
    assert_eq!(times(&list.events[0]), ["05:00:00;00", "00:01:00;02"]);
    assert_eq!(times(&list.events[1]), ["05:00:01;00", "00:01:00:00"]);
}

/// A sequence inside a sequence: what is seen of it, at its place, at its speed.
#[test]
fn nested_compositions_are_cut_to_what_is_seen() {
    let nested = json!({
        "OTIO_SCHEMA": "Stack.1", "name": "SC", "source_range": otio_range(10.0, 30.0, 24.0),
        "children": [{"OTIO_SCHEMA": "Track.1", "kind": "Video", "children": [
            otio_clip("A", 86400.0, 24.0), otio_clip("B", 86500.0, 24.0)]}],
    });
    let list = otio_list(json!([otio_clip("X", 86400.0, 5.0), nested]));
    let ours: Vec<_> = list.events.iter().map(short).collect();
    let row = |reel: &str, source, record| (reel.to_owned(), "C".to_owned(), source, record);
    let expected = [
        row("X", [86400, 5], [0, 5]),
        row("A", [86410, 14], [5, 14]),
        row("B", [86500, 16], [19, 16]),
    ];
    assert_eq!(ours, expected);
    assert_eq!(list.events[1].within, ["SC"]);
}

/// At half speed record frame k shows source frame k / 2, less the fraction: of 24 that show 12, the
/// inner 22 still show the first and the last. At one and a half, frame 1 shows the second of 15.
#[test]
fn a_cut_within_a_slow_clip_loses_no_frame_of_it() {
    for (speed, frames, range, source) in
        [(0.5, 24.0, [1.0, 22.0], [86400, 12]), (1.5, 10.0, [1.0, 9.0], [86401, 14])]
    {
        let mut clip = otio_clip("A", 86400.0, frames);
        clip["effects"] = json!([{ "OTIO_SCHEMA": "LinearTimeWarp.1", "time_scalar": speed }]);
        let nested = json!({
            "OTIO_SCHEMA": "Stack.1", "name": "SC", "source_range": otio_range(range[0], range[1], 24.0),
            "children": [{"OTIO_SCHEMA": "Track.1", "kind": "Video", "children": [clip]}],
        });
        let list = otio_list(json!([nested]));
        let ours: Vec<_> = list.events.iter().map(short).collect();
        let record = [0, range[1] as i64];
        assert_eq!(ours, [("A".to_owned(), "C".to_owned(), source, record)], "{speed}");
    }
}

#[test]
fn xml_sequences_read_as_the_adapter_reads_them() {
    let mut compared = 0;
    for (path, bytes, read) in cases("xml") {
        assert_eq!(editlist::sniff(&bytes), Format::Xmeml, "{}", path.display());
        let list = match (xmeml::parse(&bytes, None), read.is_some()) {
            (Ok(list), _) => list,
            (Err(fault), false) => {
                assert_eq!(fault.code, Code::BadEditList);
                continue;
            }
            (Err(fault), true) => panic!("{}: {fault}", path.display()),
        };
        compared += compare(&path, &to_json(&list), &read.unwrap());
    }
    assert!(compared >= 21, "{compared}");
}

fn xml_list(items: &str) -> EditList {
    let text = format!(
        "<?xml version=\"1.0\"?><!DOCTYPE xmeml><xmeml version=\"5\"><sequence id=\"s\"><name>S</name>\
         <rate><timebase>24</timebase><ntsc>TRUE</ntsc></rate>\
         <timecode><rate><timebase>24</timebase><ntsc>TRUE</ntsc></rate><frame>86400</frame></timecode>\
         <media><video><track>{items}</track></video></media></sequence></xmeml>"
    );
    xmeml::parse(text.as_bytes(), None).unwrap()
}

fn xml_clip(name: &str, place: [i64; 4], more: &str) -> String {
    let [start, end, from, to] = place;
    format!(
        "<clipitem><name>{name}</name><duration>400</duration><rate><timebase>24</timebase><ntsc>TRUE</ntsc></rate>\
         <start>{start}</start><end>{end}</end><in>{from}</in><out>{to}</out>{more}\
         <file id=\"{name}\"><pathurl>file://localhost/vol/{name}.mov</pathurl>\
         <rate><timebase>24</timebase><ntsc>TRUE</ntsc></rate><duration>400</duration>\
         <timecode><frame>1000</frame><reel><name>R{name}</name></reel></timecode></file></clipitem>"
    )
}

/// Rates of NTSC, files that are told once, transitions whose clips have no place of their own.
#[test]
fn xml_says_the_source_timecode_and_the_cut() {
    let again = "<clipitem><name>A</name><start>100</start><end>110</end><in>5</in><out>15</out>\
                 <file id=\"A\"/></clipitem>";
    let items = xml_clip("A", [0, -1, 10, 60], "")
        + "<transitionitem><start>40</start><end>50</end><alignment>center</alignment>\
           <effect><name>Cross Dissolve</name></effect></transitionitem>"
        + &xml_clip("B", [-1, 100, 20, 80], "")
        + again;
    let list = xml_list(&items);
    assert_eq!(list.rate, FrameRate::new(24_000, 1001).unwrap());
    let ours: Vec<_> = list.events.iter().map(short).collect();
    let row =
        |reel: &str, cut: &str, source, record| (reel.to_owned(), cut.to_owned(), source, record);
    let expected = [
        row("RA", "C", [1010, 40], [0, 40]),
        row("RA", "C", [1050, 0], [40, 0]),
        row("RB", "D 10", [1020, 60], [40, 60]),
        row("RA", "C", [1005, 10], [100, 10]),
    ];
    assert_eq!(ours, expected);
    assert_eq!(list.events[2].transition, Transition::Dissolve { frames: 10 });
    assert_eq!(list.events[3].source_file.as_deref(), Some("/vol/A.mov"));
}

/// In and out count in the remapped time: at 200 %, frame 10 is source frame 20.
#[test]
fn xml_time_remaps_are_read() {
    let remap = |parameters: &str| {
        format!("<filter><effect><effectid>timeremap</effectid>{parameters}</effect></filter>")
    };
    let parameter = |id: &str, value: &str| {
        format!("<parameter><parameterid>{id}</parameterid><value>{value}</value></parameter>")
    };
    let double = remap(&parameter("speed", "200"));
    let back = remap(&(parameter("speed", "100") + &parameter("reverse", "TRUE")));
    let keys = "<parameter><parameterid>graphdict</parameterid>\
        <keyframe><when>0</when><value>0</value></keyframe><keyframe><when>20</when><value>10</value></keyframe>\
        <keyframe><when>40</when><value>70</value></keyframe></parameter>";
    let ramp = remap(&(parameter("variablespeed", "1") + keys));
    let list = xml_list(
        &(xml_clip("A", [0, 24, 10, 34], &double)
            + &xml_clip("B", [24, 48, 0, 24], &back)
            + &xml_clip("C", [48, 78, 10, 40], &ramp)),
    );
    let [fast, back, ramp] = &list.events[..] else { panic!("{:#?}", list.events) };
    assert_eq!(
        (fast.source.start.frames, fast.source.frames(), fast.motion[0].fps),
        (1020, 48, 48.0)
    );
    assert_eq!(back.motion[0].fps, -24.0);
    // From frame 10 (source 5) over 20 (source 10) to 40 (source 70).
    assert_eq!((ramp.source.start.frames, ramp.source.frames()), (1005, 65));
    let points: Vec<[f64; 2]> = ramp.remap.iter().map(|p| [p.record, p.source]).collect();
    assert_eq!(points, [[0.0, 0.0], [10.0, 5.0], [30.0, 65.0]]);
}

/// A reversed clip counts from its end: of 100 frames, 10 to 33 are 89 down to 66 of the source.
#[test]
fn a_reversed_xml_clip_shows_the_frames_that_its_key_frames_say() {
    let clip = |keys: &str| {
        xml_clip(
            "A",
            [0, 24, 10, 34],
            &format!(
                "<filter><effect><effectid>timeremap</effectid>\
                 <parameter><parameterid>speed</parameterid><value>-100</value></parameter>\
                 <parameter><parameterid>reverse</parameterid><value>TRUE</value></parameter>{keys}</effect></filter>"
            ),
        )
    };
    let keys = "<parameter><parameterid>graphdict</parameterid>\
        <keyframe><when>0</when><value>100</value></keyframe>\
        <keyframe><when>100</when><value>0</value></keyframe></parameter>";
    let list = xml_list(&clip(keys));
    let [event] = &list.events[..] else { panic!("{:#?}", list.events) };
    assert_eq!((event.source.start.frames, event.source.frames()), (1066, 24));
    assert_eq!((event.record.frames(), event.motion[0].fps), (24, -24.0));
    assert_eq!(list.warnings, []);
    // Without them nothing says whether its in counts from the end, and that is told.
    let list = xml_list(&clip(""));
    assert!(list.warnings[0].message.contains("backwards"), "{:?}", list.warnings);
}

/// Sequences in sequences by reference could double without an end.
#[test]
fn a_sequence_that_holds_itself_is_refused() {
    let text = "<xmeml version=\"5\"><sequence id=\"s\"><name>S</name><rate><timebase>24</timebase></rate>\
        <media><video><track><clipitem><name>x</name><start>0</start><end>9</end><in>0</in><out>9</out>\
        <sequence id=\"s\"/></clipitem><clipitem><name>y</name><start>9</start><end>18</end><in>0</in>\
        <out>9</out><sequence id=\"s\"/></clipitem></track></video></media></sequence></xmeml>";
    let fault = xmeml::parse(text.as_bytes(), None).unwrap_err();
    assert!(fault.code == Code::BadEditList && fault.message.contains("deeper"), "{fault}");
}

#[test]
fn logs_read_as_the_adapter_reads_them() {
    let mut compared = 0;
    for (path, bytes, read) in cases("ale") {
        assert_eq!(editlist::sniff(&bytes), Format::Ale, "{}", path.display());
        let list = ale::parse(&bytes, None).unwrap();
        let read = read.unwrap();
        let clips = read["clips"].as_array().unwrap();
        assert_eq!(list.problems, [], "{}", path.display());
        assert_eq!(list.events.len(), clips.len(), "{}", path.display());
        for (event, clip) in list.events.iter().zip(clips) {
            let ((start, rate), (frames, _)) =
                (time(&clip["source_in"]), time(&clip["source_dur"]));
            assert_eq!(event.clip_name.as_deref(), clip["name"].as_str());
            assert_eq!(event.source.start.frames, start, "{} {clip}", path.display());
            assert_eq!(event.source.frames(), frames, "{} {clip}", path.display());
            assert!(same(event.source.start.rate.as_f64(), rate), "{} {rate}", path.display());
            compared += 1;
        }
        if name(&path) == "sample_cdl" {
            let cdl = list.events[0].cdl.as_ref().unwrap();
            assert_eq!(cdl.sop.unwrap().slope, [0.8714, 0.9334, 0.9947]);
            assert_eq!(cdl.saturation, Some(0.9));
        }
    }
    assert!(compared >= 10, "{compared}");
}

#[test]
fn a_bad_row_of_a_log_is_reported_by_line() {
    let text = "Heading\nFIELD_DELIM\tTABS\nFPS\t24\n\nColumn\nName\tTape\tStart\tEnd\n\nData\n\
        A\tA001\t01:00:00:00\t01:00:01:00\nB\tA001\tnever\t01:00:01:00\nC\tA001\t01:00:02:00\t01:00:03:00\n";
    let list = ale::parse(text.as_bytes(), None).unwrap();
    assert_eq!(list.events.len(), 2);
    assert_eq!(list.problems[0].place.as_deref(), Some("line 10"));
    assert_eq!(list.events[1].record.start.frames, 24);
}

#[test]
fn what_is_no_list_is_refused() {
    let refused = |bytes: &[u8]| editlist::read(bytes, None).unwrap_err();
    assert_eq!(refused(b"001  A V C 0 1 0 1").code, Code::BadConfig, "no rate");
    assert_eq!(refused(b"{\"a\": 1}").code, Code::BadEditList);
    assert_eq!(refused(b"{").code, Code::BadEditList);
    assert_eq!(refused(b"<xmeml/>").code, Code::BadEditList);
    assert_eq!(refused(b"Heading\nData\n").code, Code::BadEditList);
    let bomb = "<!DOCTYPE xmeml [<!ENTITY a 'b'>]><xmeml>&a;</xmeml>";
    assert_eq!(refused(bomb.as_bytes()).code, Code::BadEditList);
    assert_eq!(refused(b"\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1").code, Code::UnknownFormat);
}

/// The picture of a project, against the adapter's rows; transitions, which it leaves out, shorten
/// what is before them and so only starts are compared.
#[test]
fn fcpx_projects_read_as_the_adapter_reads_them() {
    let (mut compared, mut read_all) = (0, 0);
    for (path, bytes, read) in cases("fcpxml") {
        assert_eq!(editlist::sniff(&bytes), Format::Fcpxml, "{}", path.display());
        let list = match fcpxml::parse(&bytes, None) {
            Ok(list) => list,
            Err(fault) => {
                assert_eq!(fault.code, Code::BadEditList, "{}", path.display());
                continue;
            }
        };
        read_all += 1;
        let rows =
            read.as_ref().and_then(|read| read["rows"].as_array()).cloned().unwrap_or_default();
        for row in rows.iter().filter(|row| row["item"] == "clip" && row["kind"] == "Video") {
            let (record, source) = (time(&row["record_in"]).0, time(&row["source_in"]).0);
            let found = list.events.iter().any(|event| {
                // What a transition brings in begins where that does, in source and record.
                let mixes = event.transition.mixes();
                let own = if mixes { &event.to_clip_name } else { &event.clip_name };
                let early = record - event.record.start.frames;
                own.as_deref() == row["name"].as_str()
                    && source - event.source.start.frames == early
                    && (0..=i64::from(event.transition.frames())).contains(&early)
            });
            let near: Vec<_> = list
                .events
                .iter()
                .filter(|e| e.clip_name.as_deref() == row["name"].as_str())
                .map(short)
                .collect();
            assert!(found, "{}: {row}\n{near:?}", path.display());
            compared += 1;
        }
    }
    assert!(read_all >= 1 && compared >= 8, "{read_all} {compared}");
}

/// Seconds, compound clips, lanes, speeds: by hand.
#[test]
fn fcpx_times_are_rational_seconds() {
    let text = "<?xml version=\"1.0\"?><!DOCTYPE fcpxml><fcpxml version=\"1.10\"><resources>\
        <format id=\"r1\" frameDuration=\"1001/24000s\"/>\
        <asset id=\"r2\" name=\"A\" start=\"86486400/24000s\" duration=\"1001000/24000s\" hasVideo=\"1\" format=\"r1\">\
        <media-rep src=\"file:///vol/A%201.mov\"/>\
        <metadata><md key=\"com.apple.proapps.studio.reel\" value=\"A001\"/></metadata></asset></resources>\
        <project name=\"P\"><sequence format=\"r1\" tcStart=\"86486400/24000s\" tcFormat=\"NDF\"><spine>\
        <asset-clip name=\"A\" ref=\"r2\" offset=\"86486400/24000s\" start=\"86496410/24000s\" duration=\"24024/24000s\">\
        <asset-clip name=\"C\" ref=\"r2\" lane=\"1\" offset=\"86498412/24000s\" start=\"86486400/24000s\" duration=\"2002/24000s\" enabled=\"0\"/>\
        <marker start=\"86497411/24000s\" value=\"SH_010\"/></asset-clip>\
        <asset-clip name=\"B\" ref=\"r2\" offset=\"86510424/24000s\" start=\"0s\" duration=\"12012/24000s\">\
        <timeMap><timept time=\"0s\" value=\"86486400/24000s\"/><timept time=\"12012/24000s\" value=\"86510424/24000s\"/></timeMap>\
        </asset-clip></spine></sequence></project></fcpxml>";
    let list = fcpxml::parse(text.as_bytes(), None).unwrap();
    assert_eq!((list.title.as_str(), list.rate), ("P", FrameRate::new(24_000, 1001).unwrap()));
    let row = |source, record| ("A001".to_owned(), "C".to_owned(), source, record);
    let ours: Vec<_> = list.events.iter().map(short).collect();
    // 86400 is 01:00:00:00. B runs twice as fast; C hangs 2 frames behind the start of A.
    let expected =
        [row([86_410, 24], [0, 24]), row([86_400, 24], [24, 12]), row([86_400, 2], [2, 2])];
    assert_eq!(ours, expected);
    assert_eq!(list.events[0].locators[0].at, "01:00:00:01");
    assert_eq!(list.events[0].source_file.as_deref(), Some("/vol/A 1.mov"));
    assert_eq!(list.events[1].motion[0].fps, 48.0);
    assert_eq!((list.events[2].track.as_str(), list.events[2].enabled), ("V2", false));
}

/// Every document of the cases, read once.
static DOCUMENTS: LazyLock<Vec<Vec<u8>>> = LazyLock::new(|| {
    let all = ["otio", "xml", "fcpxml", "ale"].into_iter().flat_map(cases);
    all.map(|(_, bytes, _)| bytes).collect()
});

/// A list may be wrong in every way; it may not panic, run without an end, or lose its own rules.
fn harmless(bytes: &[u8]) {
    let Ok(list) = editlist::read(bytes, Some(FrameRate::FPS_24)) else { return };
    let _ = (editlist::to_json(&list), list.reels_look_cut());
    let same = editlist::diff(&list, &list).unwrap();
    assert!(same.changed.is_empty(), "nothing differs from itself");
    assert!(list.problems.iter().chain(&list.warnings).all(|fault| !fault.message.is_empty()));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 384, ..ProptestConfig::default() })]

    /// A real document, cut short and with a few bytes changed.
    #[test]
    fn damaged_documents_do_no_harm(
        which in any::<prop::sample::Index>(),
        cut in any::<prop::sample::Index>(),
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..4),
        whole in any::<bool>(),
    ) {
        let mut bytes = DOCUMENTS[which.index(DOCUMENTS.len())].clone();
        for (at, byte) in changes {
            let at = at.index(bytes.len());
            bytes[at] = byte;
        }
        if !whole {
            bytes.truncate(cut.index(bytes.len()) + 1);
        }
        harmless(&bytes);
    }

    /// Numbers of any size where a document has its times.
    #[test]
    fn times_of_any_size_do_no_harm(numbers in prop::collection::vec(
        prop_oneof![any::<f64>(), (-1e3..1e3).boxed(), Just(1e300), Just(-0.0)], 8)) {
        let n = |i: usize| if numbers[i].is_finite() { numbers[i] } else { 0.0 };
        let time = |v: f64, r: f64| json!({"OTIO_SCHEMA": "RationalTime.1", "value": v, "rate": r});
        let range = |i: usize| json!({"OTIO_SCHEMA": "TimeRange.1",
            "start_time": time(n(i), 24.0), "duration": time(n(i + 1), n(i + 2))});
        let clip = json!({"OTIO_SCHEMA": "Clip.2", "name": "A", "source_range": range(0),
            "effects": [{"OTIO_SCHEMA": "LinearTimeWarp.1", "time_scalar": n(3)}]});
        let mix = json!({"OTIO_SCHEMA": "Transition.1", "in_offset": time(n(4), 24.0), "out_offset": time(n(5), 24.0)});
        let nested = json!({"OTIO_SCHEMA": "Stack.1", "source_range": range(5), "children": [clip.clone()]});
        let document = json!({"OTIO_SCHEMA": "Timeline.1", "tracks": {"OTIO_SCHEMA": "Stack.1",
            "children": [{"OTIO_SCHEMA": "Track.1", "children": [clip.clone(), mix, clip, nested]}]}});
        harmless(document.to_string().as_bytes());
        let item = format!("<clipitem><name>A</name><start>{}</start><end>{}</end><in>{}</in><out>{}</out>\
            <filter><effect><effectid>timeremap</effectid><parameter><parameterid>speed</parameterid><value>{}</value>\
            </parameter></effect></filter></clipitem>", n(0), n(1), n(2), n(3), n(4));
        let text = format!("<xmeml><sequence><rate><timebase>24</timebase></rate><media><video><track>{item}\
            <transitionitem><start>{}</start><end>{}</end></transitionitem>{item}</track></video></media></sequence></xmeml>", n(5), n(6));
        harmless(text.as_bytes());
    }
}
