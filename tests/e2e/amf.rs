//! ACES metadata on the real binary: what an AMF says is done to the pixels,
//! once; what we write says exactly what they are; and doing what is left
//! gives the view.

use crate::damage::edit;
use crate::harness::{World, copy_clip, s, text};
use platefarm_media::sink::exr;
use std::path::Path;

const CCT_TO_ACES: &str = "urn:ampas:aces:transformId:v2.0:CSC.Academy.ACEScct_to_ACES.a2.v1";
const RGC: &str = "urn:ampas:aces:transformId:v2.0:Look.Academy.ReferenceGamutCompress.a2.v1";
const REC709: &str =
    "urn:ampas:aces:transformId:v2.0:Output.Academy.Rec709-D65_100nit_in_Rec709-D65_BT1886.a2.v1";
const GRADE: &str = "<ColorCorrection id=\"g\"><SOPNode><Slope>1.3 1 0.8</Slope><Offset>0.01 0 0</Offset>\
    <Power>1 1.1 1</Power></SOPNode><SatNode><Saturation>0.7</Saturation></SatNode></ColorCorrection>";

const IDENTITY: &str = "<ProcessList id=\"x\" compCLFversion=\"3\" xmlns=\"urn:AMPAS:CLF:v3.0\">\
    <Matrix inBitDepth=\"32f\" outBitDepth=\"32f\"><Array dim=\"3 3\">1 0 0 0 1 0 0 0 1</Array>\
    </Matrix></ProcessList>";

/// An AMF with an input transform and looks.
pub(crate) fn amf(input: Option<(&str, bool)>, looks: &[String]) -> String {
    let info = "<aces:dateTime><aces:creationDateTime>2026-11-21T03:00:00Z</aces:creationDateTime>\
        <aces:modificationDateTime>2026-11-21T03:00:00Z</aces:modificationDateTime></aces:dateTime>\
        <aces:uuid>urn:uuid:0f4c7c3a-7a55-4f3e-9a44-0d0f6a3b1c01</aces:uuid>";
    let version = "<aces:systemVersion><aces:majorVersion>2</aces:majorVersion>\
        <aces:minorVersion>0</aces:minorVersion><aces:patchVersion>0</aces:patchVersion></aces:systemVersion>";
    let input = input.map_or_else(String::new, |(id, applied)| {
        format!("<aces:inputTransform applied=\"{applied}\"><aces:transformId>{id}</aces:transformId></aces:inputTransform>")
    });
    format!(
        "<?xml version=\"1.0\"?><aces:acesMetadataFile version=\"2.0\" xmlns:aces=\"urn:ampas:aces:amf:v2.0\" \
         xmlns:cdl=\"urn:ASC:CDL:v1.01\"><aces:amfInfo>{info}</aces:amfInfo><aces:pipeline>\
         <aces:pipelineInfo>{info}{version}</aces:pipelineInfo>{input}{}\
         <aces:outputTransform applied=\"false\"><aces:transformId>{REC709}</aces:transformId></aces:outputTransform>\
         </aces:pipeline></aces:acesMetadataFile>",
        looks.concat()
    )
}

fn look(inside: &str) -> String {
    format!("<aces:lookTransform applied=\"false\">{inside}</aces:lookTransform>")
}

pub(crate) fn pixels(path: &Path) -> Vec<f32> {
    let plate = exr::read(path).unwrap_or_else(|fault| panic!("{fault}"));
    plate.rgb.concat().into_iter().map(|bits| half::f16::from_bits(bits).to_f32()).collect()
}

/// Largest difference, of values or of their size where they are above 1.
fn apart(a: &[f32], b: &[f32]) -> f32 {
    assert_eq!(a.len(), b.len());
    a.iter().zip(b).map(|(a, b)| (a - b).abs() / b.abs().max(1.0)).fold(0.0, f32::max)
}

/// One frame of the clip, as ACES2065-1 and as ACEScct codes.
struct Scene {
    world: World,
    media: std::path::PathBuf,
}

impl Scene {
    fn new() -> Self {
        let world = World::new();
        let media = world.path("media");
        copy_clip("beachball", &media);
        Self { world, media }
    }

    /// Renders frame 3 of `source` into a directory of its own.
    fn render(
        &self,
        source: &Path,
        out: &str,
        more: &[&str],
    ) -> (std::path::PathBuf, serde_json::Value) {
        let dir = self.world.path(out);
        let frames = if source == self.media { "3-3" } else { "0-0" };
        let args = [
            "render",
            s(source),
            "--frames",
            frames,
            "--out",
            s(&dir),
            "--name",
            "p",
            "--backend",
            "cpu",
        ];
        let report = self.world.json(&[&args[..], more].concat());
        (dir.join("p.1001.exr"), report)
    }

    fn amf(&self, name: &str, text: &str) -> std::path::PathBuf {
        let path = self.world.path(name);
        std::fs::write(&path, text).unwrap();
        path
    }

    fn show(&self, amf: &Path) -> serde_json::Value {
        self.world.json(&["amf", "show", s(amf)])
    }

    fn convert(&self, amf: &Path, picture: &Path, to: &str) -> std::path::PathBuf {
        let out = self.world.path(to);
        let output = self.world.run(&["color", "convert", "--amf", s(amf), s(picture), s(&out)]);
        assert!(output.status.success(), "{}", text(&output.stderr));
        out
    }
}

fn applied(view: &serde_json::Value) -> Vec<(String, Option<bool>)> {
    let stages = view["stages"].as_array().expect("stages");
    stages
        .iter()
        .map(|s| (s["kind"].as_str().unwrap().to_owned(), s["applied"].as_bool()))
        .collect()
}

#[test]
fn an_input_transform_is_applied_once() {
    let scene = Scene::new();
    let (plate, report) = scene.render(&scene.media, "aces", &[]);
    assert!(report["notes"].as_array().unwrap().iter().any(|n| n["code"] == "F0225"), "{report}");
    assert_eq!(report["view"], "ACES 1.3 SDR Rec.709 BT.1886");
    let (codes, _) = scene.render(&scene.media, "cct", &["--color-out", "ACEScct"]);
    // Codes are no light, and the file says so.
    scene.world.fails("F0114", &["render", s(&codes), "--out", s(&scene.world.path("no"))]);

    let open = scene.amf("open.amf", &amf(Some((CCT_TO_ACES, false)), &[]));
    let (back, report) = scene.render(&codes, "back", &["--amf", s(&open)]);
    assert_eq!(report["color_steps"][0], "ACEScct to ACES2065-1", "{report}");
    // A half of a log code is a thousandth of a stop.
    assert!(apart(&pixels(&back), &pixels(&plate)) < 0.01);
    let written = scene.show(&scene.world.path("back/p.amf"));
    let kinds = applied(&written);
    assert_eq!(kinds[0], ("inputTransform".into(), Some(true)), "{written}");
    assert!(written["stages"][0]["names"][0].as_str().unwrap().starts_with(CCT_TO_ACES));
    assert_eq!(written["archived"], 1);

    // The plate is ACES2065-1 by its own word: nothing is done to it again.
    let (again, report) = scene.render(&plate, "again", &["--amf", s(&open)]);
    assert!(pixels(&again) == pixels(&plate));
    let notes = report["notes"].as_array().unwrap();
    assert!(notes.iter().any(|n| n["message"].as_str().unwrap().contains("own word")), "{report}");
    // Nor to camera raw.
    let (raw, report) = scene.render(&scene.media, "raw", &["--amf", s(&open)]);
    assert!(pixels(&raw) == pixels(&plate));
    let notes = report["notes"].as_array().unwrap();
    assert!(
        notes.iter().any(|n| n["message"].as_str().unwrap().contains("developed straight")),
        "{report}"
    );
}

#[test]
fn the_remaining_transforms_of_a_plate_give_the_view() {
    let scene = Scene::new();
    std::fs::create_dir(scene.world.path("looks")).unwrap();
    std::fs::write(scene.world.path("looks/grade.cc"), GRADE).unwrap();
    let to = "<aces:fromCdlWorkingSpace><aces:transformId>urn:ampas:aces:transformId:v2.0:CSC.Academy.ACEScct_to_ACES.a2.v1</aces:transformId></aces:fromCdlWorkingSpace>";
    let looks = [
        look(&format!("<aces:transformId>{RGC}</aces:transformId>")),
        "<aces:workingLocation/>".to_owned(),
        look(&format!(
            "<aces:cdlWorkingSpace>{to}</aces:cdlWorkingSpace><cdl:ColorCorrectionRef ref=\"g\"/><aces:file>looks/grade.cc</aces:file>"
        )),
    ];
    let show = scene.amf("show.amf", &amf(None, &looks));
    let (plate, report) = scene.render(&scene.media, "plate", &["--amf", s(&show)]);
    assert_eq!(report["color"], "ACES2065-1");
    let (view, report) =
        scene.render(&scene.media, "view", &["--amf", s(&show), "--color-out", "view"]);
    assert_eq!(report["color"], "Rec709-D65_100nit_in_Rec709-D65_BT1886");

    let beside = scene.world.path("plate/p.amf");
    let output = scene.world.run(&["amf", "validate", s(&beside)]);
    assert!(output.status.success(), "{}", text(&output.stderr));
    let kinds: Vec<Option<bool>> =
        applied(&scene.show(&beside)).into_iter().map(|(_, a)| a).collect();
    assert_eq!(kinds, [Some(true), Some(false), None, Some(false), Some(false)]);
    assert!(scene.world.path("plate/grade.cc").exists(), "its look goes along");

    let shown = scene.convert(&beside, &plate, "shown.exr");
    // The plate is half; the view was made of floats.
    assert!(apart(&pixels(&shown), &pixels(&view)) < 6e-3);
    assert!(apart(&pixels(&shown), &pixels(&plate)) > 0.1, "something was done");
    let header = exr::read(&shown).unwrap().header;
    assert_eq!(header.color.name(), "Rec709-D65_100nit_in_Rec709-D65_BT1886");
    assert_eq!(header.timecode, exr::read(&plate).unwrap().header.timecode, "metadata is kept");

    // Of the view everything is in the pixels, and nothing is left.
    let all = scene.world.path("view/p.amf");
    assert!(applied(&scene.show(&all)).iter().all(|(_, applied)| *applied != Some(false)));
    let remaining = scene.world.json(&["amf", "resolve", s(&all)]);
    assert_eq!(remaining["remaining"], serde_json::json!([]));
    let output = scene.world.run(&[
        "color",
        "convert",
        "--amf",
        s(&all),
        s(&view),
        s(&scene.world.path("x.exr")),
    ]);
    assert_eq!(output.status.code(), Some(2), "never twice");
}

/// What was made for a display comes back by its inverse, and the plate's AMF says by which.
#[test]
fn codes_of_a_display_become_a_plate_with_an_amf() {
    let scene = Scene::new();
    let (plate, _) = scene.render(&scene.media, "plate", &[]);
    for (i, output) in ["P3-D65_1000nit_in_Rec2100-D65_ST2084", "ACES 1.3 SDR Rec.709 BT.1886"]
        .into_iter()
        .enumerate()
    {
        let (view, _) = scene.render(&scene.media, &format!("view{i}"), &["--color-out", output]);
        let way = ["--color-in", output];
        let (back, report) = scene.render(&view, &format!("back{i}"), &way);
        assert_eq!(report["color"], "ACES2065-1", "{report}");
        let (a, b) = (pixels(&back), pixels(&plate));
        let near = a.iter().zip(&b).filter(|(a, b)| (**a - **b).abs() < 0.02).count();
        assert!(near * 10 > a.len() * 8, "{near} of {}", a.len());
        let beside = scene.world.path(&format!("back{i}/p.amf"));
        let checked = scene.world.run(&["amf", "validate", s(&beside)]);
        assert!(checked.status.success(), "{}", text(&checked.stderr));
        let written = scene.show(&beside);
        assert_eq!(applied(&written)[0], ("inputTransform".into(), Some(true)), "{written}");
        assert!(written["stages"][0]["names"].to_string().contains(":Inv"), "{written}");
    }
}

/// A show's output transform is often a table of its own.
#[test]
fn a_view_may_be_a_file() {
    let scene = Scene::new();
    std::fs::create_dir(scene.world.path("looks")).unwrap();
    // Half the light, lifted by a quarter: anybody can compute what it gives.
    let corners = (0..8).map(|i| [i & 1, i >> 1 & 1, i >> 2].map(|v| 0.25 + 0.5 * f64::from(v)));
    let rows: Vec<String> = corners.map(|[r, g, b]| format!("{r} {g} {b}\n")).collect();
    let lut = format!("LUT_3D_SIZE 2\n{}", rows.concat());
    std::fs::write(scene.world.path("looks/show.cube"), &lut).unwrap();
    let by_id = format!("<aces:transformId>{REC709}</aces:transformId></aces:outputTransform>");
    let by_file = "<aces:file>looks/show.cube</aces:file></aces:outputTransform>";
    let show = scene.amf("show.amf", &amf(None, &[]).replace(&by_id, by_file));

    let (plate, report) = scene.render(&scene.media, "plate", &["--amf", s(&show)]);
    assert_eq!(report["color"], "ACES2065-1", "{report}");
    // The plate's AMF says what is ahead, with the file beside it.
    let beside = scene.world.path("plate/p.amf");
    let resolved = scene.world.json(&["amf", "resolve", s(&beside)]);
    assert_eq!(resolved["view"], "show.cube", "{resolved}");
    assert_eq!(std::fs::read_to_string(scene.world.path("plate/show.cube")).unwrap(), lut);

    let (view, report) =
        scene.render(&scene.media, "view", &["--amf", s(&show), "--color-out", "view"]);
    assert_eq!(report["color"], "show.cube", "{report}");
    let expected: Vec<f32> =
        pixels(&plate).iter().map(|v| 0.25 + 0.5 * v.clamp(0.0, 1.0)).collect();
    assert!(apart(&pixels(&view), &expected) < 1e-3);
    let beside_view = scene.world.path("view/p.amf");
    for amf in [&beside, &beside_view] {
        let output = scene.world.run(&["amf", "validate", s(amf)]);
        assert!(output.status.success(), "{}", text(&output.stderr));
    }
    let kinds = applied(&scene.show(&beside_view));
    assert_eq!(kinds.last(), Some(&("outputTransform".into(), Some(true))), "{kinds:?}");
    // Whatever comes back is not taken for light.
    scene.world.fails("F0114", &["render", s(&view), "--out", s(&scene.world.path("no"))]);
    let header = exr::read(&view).unwrap().header;
    assert_eq!(header.color.name(), "show.cube");

    // What is left to do to the plate gives the view, and a farm does the same.
    let shown = scene.convert(&beside, &plate, "shown.exr");
    assert!(apart(&pixels(&shown), &pixels(&view)) < 2e-3);
    let edl = scene.world.path("cut.edl");
    let event = "001  A001     V     C        01:00:00:03 01:00:00:04 10:00:00:00 10:00:00:01\n* FROM CLIP NAME: A001_C001\n";
    std::fs::write(&edl, format!("TITLE: VIEW\nFCM: NON-DROP FRAME\n\n{event}")).unwrap();
    let out = scene.world.path("review");
    let request =
        ["pull", "--local", "--edl", s(&edl), "--media", s(&scene.media), "--out", s(&out)];
    let look = ["--amf", s(&show), "--color-out", "view", "--rate", "24", "--handles", "0"];
    let pulled = scene.world.json(&[&request[..], &look, &["--backend", "cpu"]].concat());
    assert_eq!(pulled["phase"], "done", "{pulled}");
    let files = crate::harness::tree(&out);
    let frame = files.iter().find(|name| name.ends_with(".exr")).expect("a frame");
    assert!(apart(&pixels(&out.join(frame)), &pixels(&view)) == 0.0);
}

#[test]
fn a_look_is_baked_and_said() {
    let scene = Scene::new();
    let grade = scene.amf("grade.cc", GRADE);
    let (plate, _) = scene.render(&scene.media, "plain", &[]);
    let (graded, report) = scene.render(&scene.media, "graded", &["--look", s(&grade)]);
    assert!(report["color_steps"][1].as_str().unwrap().ends_with("grade.cc"), "{report}");
    // Saturation by Rec.709's luma keeps it; the slopes do not.
    let (a, b) = (pixels(&plate), pixels(&graded));
    assert!(apart(&a, &b) > 0.05);
    let written = scene.show(&scene.world.path("graded/p.amf"));
    assert_eq!(applied(&written)[1], ("lookTransform".into(), Some(true)), "{written}");
    assert!(scene.world.path("graded/grade.cc").exists());
    let header = exr::read(&graded).unwrap().header;
    assert!(header.more["looks"].ends_with("grade.cc"));
    assert!(header.more["view"].contains("not applied"));
}

/// Files of one name from two directories, one that is called as the camera's transform is, and one
/// correction of a collection: the AMF names each, and none takes another's place.
#[test]
fn looks_stand_apart_beside_the_plate() {
    let scene = Scene::new();
    for dir in ["a", "b"] {
        std::fs::create_dir(scene.world.path(dir)).unwrap();
    }
    let other = GRADE.replace("id=\"g\"", "id=\"h\"");
    let space = "xmlns=\"urn:ASC:CDL:v1.01\"";
    let both =
        format!("<ColorCorrectionCollection {space}>{GRADE}{other}</ColorCorrectionCollection>");
    let [first, second, table, all] = [
        ("a/grade.cc", GRADE),
        ("b/grade.cc", other.as_str()),
        ("p.clf", IDENTITY),
        ("all.ccc", both.as_str()),
    ]
    .map(|(name, text)| scene.amf(name, text));
    let chosen = format!("{}#h", s(&all));
    let looks = [s(&first), s(&second), s(&table), chosen.as_str(), s(&first)];
    let looks = looks.map(|look| ["--look", look]).concat();
    scene.render(&scene.media, "out", &looks);

    let beside = |name: &str| std::fs::read_to_string(scene.world.path(name)).expect(name);
    assert_eq!(beside("out/grade.cc"), GRADE);
    assert_eq!(beside("out/2_grade.cc"), other);
    assert_eq!(beside("out/2_p.clf"), IDENTITY);
    assert!(beside("out/p.clf").contains("white balance"));
    let written = scene.world.path("out/p.amf");
    let checked = scene.world.run(&["amf", "validate", s(&written)]);
    assert!(checked.status.success(), "{}", text(&checked.stderr));
    // Were nothing of it done yet, everything would be found, with its hash.
    let open = beside("out/p.amf").replace("applied=\"true\"", "applied=\"false\"");
    let open = scene.amf("out/open.amf", &open);
    let resolved = scene.world.json(&["amf", "resolve", s(&open)]);
    let remaining: Vec<&str> =
        resolved["remaining"].as_array().unwrap().iter().filter_map(|v| v.as_str()).collect();
    let ends = ["p.clf", "grade.cc", "2_grade.cc", "2_p.clf", "all.ccc#h", "grade.cc"];
    assert!(remaining.len() > ends.len(), "{resolved}");
    for (step, end) in remaining.iter().zip(ends) {
        assert!(step.ends_with(&format!("/{end}")), "{step} is not {end}");
    }

    // An AMF and its look are often called as the clip is.
    std::fs::copy(&table, scene.world.path("a/the look.clf")).unwrap();
    let named = ["p.clf", "a\\the%20look.clf"];
    let named = named.map(|name| look(&format!("<aces:file>{name}</aces:file>")));
    let show = scene.amf("p.amf", &amf(None, &named));
    scene.render(&scene.media, "show", &["--amf", s(&show)]);
    assert_eq!(beside("show/2_p.clf"), IDENTITY);
    assert!(beside("show/p.clf").contains("white balance"));
    let written = scene.world.path("show/p.amf");
    let resolved = scene.world.json(&["amf", "resolve", s(&written)]);
    for name in ["/2_p.clf", "/the_look.clf"] {
        assert!(resolved["remaining"].to_string().contains(name), "{resolved}");
    }

    let chosen = format!("{}#h", s(&table));
    let out = scene.world.path("no");
    scene.world.fails("F0221", &["render", s(&scene.media), "--out", s(&out), "--look", &chosen]);
}

/// Pictures that were brought to ACES2065-1 and compressed elsewhere: their AMF says so, and a package
/// of them is released, whether the file that was used is still there or not.
#[test]
fn what_was_applied_before_is_kept_in_a_package() {
    let scene = Scene::new();
    let media = scene.world.path("pictures/A001_C001");
    let clip = ["render", s(&scene.media), "--frames", "2-4", "--name", "A001_C001"];
    let how = ["--backend", "cpu", "--debayer", "mhc", "--out", s(&media)];
    scene.world.json(&[clip, how].concat());
    for ending in ["amf", "clf"] {
        std::fs::remove_file(media.join(format!("A001_C001.{ending}"))).unwrap();
    }
    for number in 1001..=1003 {
        // As others have made them.
        edit(&media.join(format!("A001_C001.{number}.exr")), |image| {
            let attributes = &mut image.layer_data[0].attributes.other;
            attributes.retain(|name, _| !format!("{name:?}").contains("platefarm:"));
        });
    }
    let edl = scene.world.path("cut.edl");
    let event = "001  A001     V     C        01:00:00:03 01:00:00:04 10:00:00:00 10:00:00:01\n* FROM CLIP NAME: A001_C001\n";
    std::fs::write(&edl, format!("TITLE: VIEW\nFCM: NON-DROP FRAME\n\n{event}")).unwrap();
    std::fs::write(scene.world.path("idt.clf"), IDENTITY).unwrap();
    let compressed = look(&format!("<aces:transformId>{RGC}</aces:transformId>"));
    let compressed = compressed.replace("applied=\"false\"", "applied=\"true\"");
    let by_id = format!("<aces:transformId>{CCT_TO_ACES}</aces:transformId>");
    for (file, there) in [("idt.clf", true), ("gone.clf", false)] {
        let said = amf(Some((CCT_TO_ACES, true)), std::slice::from_ref(&compressed));
        let said = said.replacen(&by_id, &format!("<aces:file>{file}</aces:file>"), 1);
        let show = scene.amf(&format!("{file}.amf"), &said);
        let out = scene.world.path(&format!("of_{file}"));
        let request = ["pull", "--local", "--edl", s(&edl), "--media", s(&media), "--out", s(&out)];
        let look = ["--amf", s(&show), "--rate", "24", "--handles", "0", "--backend", "cpu"];
        let pulled = scene.world.json(&[&request[..], &look].concat());
        assert_eq!(pulled["phase"], "done", "{pulled}");
        let files = crate::harness::tree(&out);
        let written = files.iter().find(|f| f.ends_with(".amf") && !f.starts_with("color/"));
        let written = out.join(written.expect("an AMF"));
        let kinds = applied(&scene.show(&written));
        assert_eq!(kinds[0], ("inputTransform".into(), Some(true)), "{kinds:?}");
        assert_eq!(kinds[1], ("lookTransform".into(), Some(true)), "{kinds:?}");
        assert!(std::fs::read_to_string(&written).unwrap().contains(&format!(">{file}<")));
        assert_eq!(written.with_file_name(file).exists(), there, "{files:?}");
    }
}

#[test]
fn what_cannot_be_resolved_stops_before_a_frame() {
    let scene = Scene::new();
    let out = scene.world.path("out");
    let secret = look(
        "<aces:transformId>urn:ampas:aces:transformId:v2.0:Look.Show.Secret.a2.v1</aces:transformId>",
    );
    let missing = look("<aces:file>looks/none.clf</aces:file>");
    let outside = look("<aces:file>../none.clf</aces:file>");
    for (name, looks) in [("a", secret), ("b", missing), ("c", outside)] {
        let file = scene.amf(&format!("{name}.amf"), &amf(None, &[looks]));
        let args = ["render", s(&scene.media), "--out", s(&out), "--amf", s(&file)];
        let error = scene.world.fails("F0224", &args);
        assert!(error["place"].as_str().unwrap().contains("lookTransform"), "{error}");
    }
    let args = ["render", s(&scene.media), "--out", s(&out), "--color-out", "Rec.790"];
    scene.world.fails("F0222", &args);
    assert!(!out.exists(), "nothing was begun");
}

#[test]
fn pictures_are_converted_with_what_they_say() {
    let scene = Scene::new();
    let (plate, _) = scene.render(&scene.media, "plate", &[]);
    let png = scene.world.path("a.png");
    let to = "Rec709-D65_100nit_in_Rec709-D65_sRGB-Piecewise";
    let run = |args: &[&str]| scene.world.run(&[&["color", "convert"], args].concat());
    let output = run(&["--to", to, s(&plate), s(&png)]);
    assert!(output.status.success(), "{}", text(&output.stderr));
    // There and back: display to scene, up to what the display could not show.
    let back = scene.world.path("back.exr");
    let output = run(&["--from", to, "--to", "ACES2065-1", s(&png), s(&back)]);
    assert!(output.status.success(), "{}", text(&output.stderr));
    let again = scene.world.path("again.exr");
    assert!(run(&["--to", to, s(&back), s(&again)]).status.success());
    let direct = scene.world.path("direct.exr");
    assert!(run(&["--to", to, s(&plate), s(&direct)]).status.success());
    assert!(apart(&pixels(&again), &pixels(&direct)) < 1e-2);
    // Versions stand beside each other, and each is what itself says.
    let [first, second, third] =
        ["shot_v001.exr", "shot_v002.exr", "third.exr"].map(|name| scene.world.path(name));
    std::fs::copy(&plate, &first).unwrap();
    assert!(run(&["--to", "ACEScg", s(&plate), s(&second)]).status.success());
    let output = run(&["--to", "ACES2065-1", s(&second), s(&third)]);
    assert!(output.status.success(), "{}", text(&output.stderr));
    assert!(apart(&pixels(&third), &pixels(&plate)) < 4e-3);
    assert!(apart(&pixels(&second), &pixels(&plate)) > 0.01);
    for (args, code) in [
        (vec!["--to", to, s(&png), "x.exr"], "F0114"),
        (vec!["--to", "ACEScg", s(&plate), "x.png"], "F0405"),
        (vec!["--to", "ACEScg", s(&plate), "x.tif"], "F0103"),
        (vec![s(&plate), "x.exr"], "F0001"),
    ] {
        scene.world.fails(code, &[&["color", "convert"], &args[..]].concat());
    }
}

/// What a show says once is in the AMF of every plate of its pulls, with the files beside it.
#[test]
fn a_shows_looks_are_in_every_plates_amf() {
    let scene = Scene::new();
    let looks_dir = scene.world.path("show/looks");
    std::fs::create_dir_all(&looks_dir).unwrap();
    std::fs::write(looks_dir.join("grade.cc"), GRADE).unwrap();
    let looks = [
        look(&format!("<aces:transformId>{RGC}</aces:transformId>")),
        look(
            "<aces:cdlWorkingSpace><aces:fromCdlWorkingSpace><aces:transformId>urn:ampas:aces:transformId:v2.0:CSC.Academy.ACEScct_to_ACES.a2.v1</aces:transformId></aces:fromCdlWorkingSpace></aces:cdlWorkingSpace><cdl:ColorCorrectionRef ref=\"g\"/><aces:file>looks/grade.cc</aces:file>",
        ),
    ];
    let show = scene.amf("show/show.amf", &amf(None, &looks));
    let kept = scene.world.json(&["library", "shows", "ATLAS", "--amf", s(&show)]);
    assert!(kept.to_string().contains("show.amf"), "{kept}");
    let edl = scene.world.path("cut.edl");
    let event = "001  A001     V     C        01:00:00:02 01:00:00:04 10:00:00:00 10:00:00:02\n* FROM CLIP NAME: A001_C001\n";
    std::fs::write(&edl, format!("TITLE: ATLAS\nFCM: NON-DROP FRAME\n\n{event}")).unwrap();
    let out = scene.world.path("turnover");
    let pulled = scene.world.json(&[
        "pull",
        "--local",
        "--edl",
        s(&edl),
        "--media",
        s(&scene.media),
        "--show",
        "ATLAS",
        "--rate",
        "24",
        "--handles",
        "0",
        "--out",
        s(&out),
    ]);
    assert_eq!(pulled["phase"], "done", "{pulled}");
    let files = crate::harness::tree(&out);
    // The show's own goes along in a folder of its own.
    let of_plates = |name: &&String| name.ends_with(".amf") && !name.starts_with("color/");
    let amfs: Vec<&String> = files.iter().filter(of_plates).collect();
    assert_eq!(amfs.len(), 1, "{files:?}");
    let written = out.join(amfs[0]);
    let output = scene.world.run(&["amf", "validate", s(&written)]);
    assert!(output.status.success(), "{}", text(&output.stderr));
    let view = scene.show(&written);
    let looks = applied(&view).into_iter().filter(|(kind, _)| kind == "lookTransform");
    assert_eq!(looks.map(|(_, a)| a).collect::<Vec<_>>(), [Some(false), Some(false)], "{view}");
    let grade = files.iter().find(|name| name.ends_with("grade.cc")).expect("its look goes along");
    assert_eq!(std::fs::read_to_string(out.join(grade)).unwrap(), GRADE);
    // What is left to do gives another picture than the plate.
    let frame = files.iter().find(|name| name.ends_with(".exr")).expect("a frame");
    let shown = scene.convert(&written, &out.join(frame), "shown.exr");
    assert!(apart(&pixels(&shown), &pixels(&out.join(frame))) > 0.1);
}

/// The flags of an AMF describe pixels that somebody else made. Camera raw has none of its looks.
#[test]
fn looks_that_others_applied_are_not_in_camera_raw() {
    let scene = Scene::new();
    let unity = "urn:ampas:aces:transformId:v2.0:CSC.Academy.Unity.a2.v1";
    let doubled = look(&format!(
        "<aces:cdlWorkingSpace><aces:fromCdlWorkingSpace><aces:transformId>{unity}</aces:transformId>\
         </aces:fromCdlWorkingSpace></aces:cdlWorkingSpace><cdl:SOPNode><cdl:Slope>2 2 2</cdl:Slope>\
         <cdl:Offset>0 0 0</cdl:Offset><cdl:Power>1 1 1</cdl:Power></cdl:SOPNode>\
         <cdl:SatNode><cdl:Saturation>1</cdl:Saturation></cdl:SatNode>"
    ));
    let applied_look = doubled.replace("applied=\"false\"", "applied=\"true\"");
    let show = scene.amf("show.amf", &amf(Some((CCT_TO_ACES, true)), &[applied_look]));
    let (plain, _) = scene.render(&scene.media, "plain", &[]);
    let (plate, report) = scene.render(&scene.media, "plate", &["--amf", s(&show)]);
    assert!(pixels(&plate) == pixels(&plain));
    let told = |report: &serde_json::Value| {
        let notes = report["notes"].as_array().unwrap();
        let words = |n: &serde_json::Value| n["message"].as_str().unwrap().to_owned();
        notes.iter().any(|n| n["code"] == "F0225" && words(n).contains("taken as not applied"))
    };
    assert!(told(&report), "{report}");
    let beside = scene.world.path("plate/p.amf");
    let looks = |amf: &Path| -> Vec<_> {
        let all = applied(&scene.show(amf)).into_iter();
        all.filter(|(kind, _)| kind == "lookTransform").map(|(_, applied)| applied).collect()
    };
    assert_eq!(looks(&beside), [Some(false)]);

    let (view, report) =
        scene.render(&scene.media, "view", &["--amf", s(&show), "--color-out", "view"]);
    assert!(told(&report), "{report}");
    let (bare, _) = scene.render(&scene.media, "bare", &["--color-out", REC709]);
    assert!(apart(&pixels(&view), &pixels(&bare)) > 0.05, "the look is in the view");
    assert_eq!(looks(&scene.world.path("view/p.amf")), [Some(true)]);
    let shown = scene.convert(&beside, &plate, "shown.exr");
    // The plate is halves. Near black a code of BT.1886 is far more than the light that it stands for.
    let light = |path: &Path| -> Vec<f32> {
        pixels(path).into_iter().map(|code| code.max(0.0).powf(2.4)).collect()
    };
    let far = apart(&light(&shown), &light(&view));
    assert!(far < 2e-3, "{far}");
    for amf in ["plate/p.amf", "view/p.amf"] {
        let output = scene.world.run(&["amf", "validate", s(&scene.world.path(amf))]);
        assert!(output.status.success(), "{}", text(&output.stderr));
    }
}

/// Whether the registry has a space or not, the AMF of its frames says what is ahead of them.
#[test]
fn frames_of_any_scene_space_have_an_amf() {
    let scene = Scene::new();
    let looks = [look(&format!("<aces:transformId>{RGC}</aces:transformId>"))];
    let show = scene.amf("show.amf", &amf(None, &looks));
    let (plate, _) = scene.render(&scene.media, "plate", &[]);
    for (space, out, named) in [
        ("Linear P3-D65", "p3", "p.clf"),
        ("sRGB Encoded Rec.709 (sRGB)", "srgb", "p.clf"),
        ("Gamma 2.2 Encoded Rec.709", "g22", "p.clf"),
        ("DaVinci Intermediate WideGamut", "davinci", "CSC.Platefarm.DaVinci_Intermediate"),
    ] {
        let more = ["--amf", s(&show), "--color-out", space];
        let (codes, _) = scene.render(&scene.media, out, &more);
        let beside = scene.world.path(out).join("p.amf");
        let output = scene.world.run(&["amf", "validate", s(&beside)]);
        assert!(output.status.success(), "{space}: {}", text(&output.stderr));
        let written = scene.show(&beside);
        let ahead = applied(&written).into_iter().filter(|(kind, _)| kind != "workingLocation");
        assert!(ahead.map(|(_, applied)| applied).all(|a| a == Some(false)), "{written}");
        assert_eq!(written["stages"].as_array().unwrap().len(), 4, "{written}");
        assert_eq!(written["archived"], 1, "{written}");
        let name = written["stages"][0]["names"][0].as_str().unwrap();
        assert!(name.contains(named), "{name}");
        let (back, _) = scene.render(&codes, &format!("{out}_back"), &["--amf", s(&beside)]);
        assert!(apart(&pixels(&back), &pixels(&plate)) < 0.01, "{space}");
    }
}
