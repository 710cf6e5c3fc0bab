//! AMF: what is written is valid by the schema, judged by libxml2; what others
//! wrote is read. Needs `xmllint` (Debian: libxml2-utils) and fails without it.

use platefarm_model::color::{apply, diagonal, mul, name};
use platefarm_model::recipe::FrameNaming;
use platefarm_model::recipe::{ColorStep, OutputColor};
use platefarm_model::{Code, FrameRange, Outcome, Timestamp};
use platefarm_standards::amf::clf::{CameraClf, camera_clf};
use platefarm_standards::amf::registry::{self, Meaning};
use platefarm_standards::amf::{
    Amf, BakedLook, Cdl, ClipMedia, Found, GradeLook, Incoming, IncomingAmf, InputTransform,
    LookSource, Pixels, PlateAmf, Reference, StageKind, Viewing, file_name, plate_amf, validate,
};
use std::path::{Path, PathBuf};
use std::process::Command;

const CREATED: Timestamp = Timestamp(1_795_230_000_000_000);

fn fixtures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/amf")
}

/// The examples with all official schemas, where they stand beside the repository.
fn whole_set() -> Option<PathBuf> {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/data/aces/amf");
    dir.is_dir().then_some(dir)
}

/// What xmllint says about a file: whether it is valid by the schema, and its words.
fn lint(schema: &Path, file: &Path) -> (bool, String) {
    let output = Command::new("xmllint")
        .args(["--nonet", "--noout", "--schema"])
        .args([schema, file])
        .output()
        .expect("xmllint is needed: install libxml2-utils");
    (output.status.success(), String::from_utf8_lossy(&output.stderr).into_owned())
}

fn assert_valid(text: &str) {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("plate.amf");
    std::fs::write(&file, text).unwrap();
    for schemas in [Some(fixtures()), whole_set()].into_iter().flatten() {
        let (valid, words) = lint(&schemas.join("schema/acesMetadataFile.xsd"), &file);
        assert!(valid, "{words}\n{text}");
    }
}

fn naming() -> FrameNaming {
    FrameNaming { stem: "A_010_PL01_v001".into(), padding: 4 }
}

fn plate<'a>(naming: &'a FrameNaming, content: &'a [u8]) -> PlateAmf<'a> {
    PlateAmf {
        description: "VFX pull of A001 <C001> & \"more\"",
        author: Some(("Render farm", "farm@example.com")),
        created: CREATED,
        uuid: "0f4c7c3a-7a55-4f3e-9a44-0d0f6a3b1c01",
        pipeline_uuid: "urn:uuid:3d1c27f0-26c5-4a0f-9f5a-5a3f0f1e2d02",
        clip_name: "A_010_PL01_v001",
        naming,
        frames: FrameRange::new(1001, 1048).unwrap(),
        input: Some(InputTransform::File {
            description: "camera",
            path: "luts/camera.clf",
            content,
            applied: true,
        }),
        incoming: None,
        looks: &[],
        grade: None,
        viewing: None,
    }
}

fn views() -> [Option<Viewing<'static>>; 4] {
    let view = |output, applied| Some(Viewing { output, applied });
    [
        None,
        view("Rec709-D65_100nit_in_Rec709-D65_BT1886", false),
        view("ACES 1.3 HDR 1000 Rec.2100 PQ", true),
        view("ACES 1.3 SDR Display P3", true),
    ]
}

#[test]
fn a_plate_is_valid_by_the_schema() {
    let naming = naming();
    let logc4 = "urn:ampas:aces:transformId:v2.0:CSC.Arri.LogC4_to_ACES.a2.v1";
    let inputs = [true, false].map(|applied| {
        let (path, content) = ("camera.clf", b"y".as_slice());
        let file = InputTransform::File { description: "x", path, content, applied };
        [file, InputTransform::Registered { description: "LogC4", id: logc4, applied }]
    });
    for viewing in views() {
        for input in inputs.concat() {
            for author in [None, Some(("Farm", "a@b"))] {
                let input = Some(input);
                let plate = PlateAmf { viewing, input, author, ..plate(&naming, b"") };
                assert_valid(&plate_amf(&plate).unwrap());
            }
        }
    }
}

/// Codes of a display are led back by an inverse output, for which the schema has elements of its own.
#[test]
fn a_plate_of_a_displays_codes_is_valid_by_the_schema() {
    let naming = naming();
    let mut judged = Vec::new();
    for entry in name::catalog() {
        let Some(id) = registry::id_of(&Meaning::ToAces(entry.name.clone())) else { continue };
        let input = InputTransform::Registered { description: "x", id: &id, applied: true };
        let text = plate_amf(&PlateAmf { input: Some(input), ..plate(&naming, b"") });
        let text = text.unwrap_or_else(|fault| panic!("{}: {fault}", entry.name));
        let problems = validate(text.as_bytes()).unwrap();
        assert!(problems.is_empty(), "{problems:?}");
        let open = text.replacen("applied=\"true\"", "applied=\"false\"", 1);
        let nothing = |path: &str| -> Outcome<Found> { panic!("{path} is no file") };
        let resolved = Amf::parse(open.as_bytes()).unwrap().resolve(&nothing).unwrap();
        assert_eq!(resolved.stages[0].steps, [ColorStep::ToAces(entry.name)]);
        // The judge is asked once for each kind of id.
        let kind: String = id.split_inclusive('.').take(2).collect();
        if !judged.contains(&kind) {
            assert_valid(&text);
            judged.push(kind);
        }
    }
    for kind in ["v2.0:InvOutput.", "v1.5:InvODT.", "v1.5:InvRRTODT.", "v2.0:CSC."] {
        assert!(judged.iter().any(|id| id.ends_with(kind)), "{kind} in {judged:?}");
    }
}

#[test]
fn the_judge_can_say_no() {
    let naming = naming();
    let text = plate_amf(&plate(&naming, b"")).unwrap();
    let dir = tempfile::tempdir().unwrap();
    for (from, to) in [
        ("<aces:uuid>urn:uuid:0f", "<aces:uuid>urn:uuid:zz"),
        (" applied=\"true\"", ""),
        ("<aces:majorVersion>1<", "<aces:majorVersion>10<"),
        ("ODT.Academy.Rec709", "XDT.Academy.Rec709"),
        ("min=\"1001\"", "min=\"-1\""),
    ] {
        let broken = text.replacen(from, to, 1);
        assert_ne!(broken, text, "{from}");
        let file = dir.path().join("broken.amf");
        std::fs::write(&file, broken).unwrap();
        let (valid, _) = lint(&fixtures().join("schema/acesMetadataFile.xsd"), &file);
        assert!(!valid, "{from}");
    }
}

#[test]
fn a_plate_says_what_is_in_its_pixels() {
    let naming = naming();
    // SHA-256 of "abc" (FIPS 180-4), in base64.
    let text = plate_amf(&plate(&naming, b"abc")).unwrap();
    let amf = Amf::parse(text.as_bytes()).unwrap();
    assert_eq!(amf.version, 2);
    assert_eq!(amf.description.as_deref(), Some("VFX pull of A001 <C001> & \"more\""));
    assert_eq!(amf.uuid.as_deref(), Some("0f4c7c3a-7a55-4f3e-9a44-0d0f6a3b1c01"));
    let clip = amf.clip.unwrap();
    assert_eq!(clip.name, "A_010_PL01_v001");
    let media = ClipMedia::Sequence {
        pattern: "A_010_PL01_v001.####.exr".into(),
        placeholder: "#".into(),
        first: 1001,
        last: 1048,
    };
    assert_eq!(clip.media, Some(media));
    let kinds: Vec<_> = amf.pipeline.stages.iter().map(|s| (s.kind, s.applied)).collect();
    assert_eq!(
        kinds,
        [
            (StageKind::Input, Some(true)),
            (StageKind::WorkingLocation, None),
            (StageKind::Output, Some(false)),
        ]
    );
    let input = &amf.pipeline.stages[0];
    assert_eq!(input.references, [Reference::File("luts/camera.clf".into())]);
    let hash = input.hash.as_ref().unwrap();
    assert_eq!(hash.algorithm, "sha256");
    assert_eq!(hash.text, "ungWv48Bz+pBQUDeXa4iI7ADYaOWF3qctBD/YfIAFa0=");
    assert_eq!(amf.pipeline.system_version, Some([1, 3, 0]));
    assert_eq!(amf.pipeline.stages[2].references.len(), 2);
}

#[test]
fn what_cannot_stand_in_an_amf_is_refused() {
    let naming = naming();
    let outside = FrameNaming { stem: "../x".into(), padding: 4 };
    let good = plate(&naming, b"");
    let file =
        |path| Some(InputTransform::File { description: "", path, content: b"", applied: true });
    let id = "urn:ampas:aces:transformId:v1.5:RRT.a1.0.3";
    let bad = [
        PlateAmf { uuid: "7", ..good },
        PlateAmf { pipeline_uuid: "urn:uuid:", ..good },
        PlateAmf { frames: FrameRange::new(-1, 4).unwrap(), ..good },
        PlateAmf { author: Some(("x", "nobody")), ..good },
        PlateAmf { input: file("/abs.clf"), ..good },
        PlateAmf { input: file("a/../../b.clf"), ..good },
        PlateAmf {
            input: Some(InputTransform::Registered { description: "", id, applied: true }),
            ..good
        },
        PlateAmf { naming: &outside, ..good },
    ];
    for plate in bad {
        let fault = plate_amf(&plate).unwrap_err();
        assert_eq!(fault.code, Code::BadAmf, "{fault}");
    }
}

/// Every id that is written is in the registry, where the registry stands beside the repository.
#[test]
fn ids_are_the_registrys() {
    let naming = naming();
    let Some(set) = whole_set() else { return };
    let registry = std::fs::read_to_string(set.join("../transforms.json")).unwrap();
    for viewing in views() {
        let text = plate_amf(&PlateAmf { viewing, ..plate(&naming, b"") }).unwrap();
        let amf = Amf::parse(text.as_bytes()).unwrap();
        for reference in amf.pipeline.stages.iter().flat_map(|stage| &stage.references) {
            if let Reference::TransformId(id) = reference {
                // The one output that the registry does not have goes by a name of our own.
                if id.ends_with(":Output.Platefarm.ACES_1.3_SDR_Display_P3.a2.v1") {
                    continue;
                }
                assert!(registry.contains(&format!("\"transformId\": \"{id}\"")), "{id}");
            }
        }
    }
}

fn examples(dir: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            examples(&path, found);
        } else if path.extension().is_some_and(|e| e == "amf") {
            found.push(path);
        }
    }
}

#[test]
fn every_example_is_read() {
    let mut all = Vec::new();
    examples(&fixtures(), &mut all);
    if let Some(set) = whole_set() {
        examples(&set, &mut all);
    }
    assert!(all.len() >= 5);
    for path in all {
        let bytes = std::fs::read(&path).unwrap();
        let amf = Amf::parse(&bytes).unwrap_or_else(|fault| panic!("{}: {fault}", path.display()));
        let text = String::from_utf8(bytes).unwrap();
        // Counted in the text, not by the reader that is under test.
        let inside = &text[..text.find("<aces:archivedPipeline").unwrap_or(text.len())];
        let count = |tag: &str| inside.matches(tag).count();
        let kind = |kind| amf.pipeline.stages.iter().filter(|s| s.kind == kind).count();
        assert_eq!(kind(StageKind::Look), count("<aces:lookTransform "), "{}", path.display());
        assert_eq!(kind(StageKind::Input), count("<aces:inputTransform "), "{}", path.display());
        let applied = amf.pipeline.stages.iter().filter(|stage| stage.is_applied()).count();
        assert_eq!(applied, count("applied=\"true\""), "{}", path.display());
        let cdls = amf.pipeline.stages.iter().filter(|stage| stage.cdl.is_some()).count();
        assert_eq!(cdls, count("<cdl:Slope>"), "{}", path.display());
        assert_eq!(amf.clip.is_some(), inside.contains("<aces:clipId>"), "{}", path.display());
        let archived = text.matches("<aces:archivedPipeline>").count();
        assert_eq!(amf.archived.len(), archived, "{}", path.display());
        if amf.version == 2 {
            let uuid = amf.uuid.expect("version 2 has one");
            assert!(text.contains(&uuid) && uuid.len() == 36);
        }
    }
}

#[test]
fn a_grade_is_read_in_both_spellings() {
    let read = |name: &str| Amf::parse(&std::fs::read(fixtures().join(name)).unwrap()).unwrap();
    let amf = read("plate_example.amf");
    let cdl = amf.pipeline.stages.iter().find_map(|stage| stage.cdl.as_ref()).unwrap();
    assert_eq!(cdl.slope, [1.02, 1.0, 0.98]);
    assert_eq!(cdl.offset, [0.01, 0.0, -0.005]);
    assert_eq!(cdl.saturation, 0.95);
    let space = |amf: &Amf| amf.pipeline.stages.iter().find_map(|s| s.space.clone()).unwrap();
    assert!(space(&amf).to.unwrap().contains("ACES_to_ACEScct"));
    let amf = read("example6.amf");
    let cdl = amf.pipeline.stages.iter().find_map(|stage| stage.cdl.as_ref()).unwrap();
    assert_eq!((cdl.slope, cdl.offset), ([2.0; 3], [0.1; 3]));
    assert_eq!(space(&amf).to, None);
    let amf = read("v1_pyocioamf_example.amf");
    assert_eq!((amf.version, amf.uuid), (1, None));
}

#[test]
fn what_is_no_amf_is_refused() {
    let plate = std::fs::read_to_string(fixtures().join("plate_example.amf")).unwrap();
    let broken = [
        String::new(),
        "<a/>".into(),
        "<acesMetadataFile version=\"2.0\"/>".into(),
        plate.replace("version=\"2.0\"", "version=\"3.0\""),
        plate.replace("aces:pipeline>", "aces:other>"),
        plate.replace("applied=\"true\"", "applied=\"yes\""),
        plate.replace("<cdl:Slope>1.02", "<cdl:Slope>x"),
        plate.replace("<cdl:Slope>1.02 ", "<cdl:Slope>"),
        plate.replace("min=\"1001\"", "min=\"first\""),
        plate.replace("<cdl:Slope>1.02", "<cdl:Slope>-1"),
        plate.replace("<cdl:Offset>0.01", "<cdl:Offset>nan"),
        plate.replace("<cdl:Offset>0.01", "<cdl:Offset>1e39"),
        plate.replace("<cdl:Power>1", "<cdl:Power>0"),
        plate.replace("<cdl:Saturation>0", "<cdl:Saturation>-0"),
    ];
    for text in broken {
        assert_ne!(text, plate);
        assert_eq!(Amf::parse(text.as_bytes()).unwrap_err().code, Code::BadAmf);
    }
}

#[test]
fn names_follow_the_guide() {
    assert_eq!(file_name("A_010_PL01_v001", CREATED), "A_010_PL01_v001_2026-11-21_030000Z.amf");
}

/// The two matrices of the file, multiplied as a reader would, are the camera's transform.
#[test]
fn the_camera_file_holds_balance_and_matrix() {
    let camera = CameraClf {
        id: "urn:uuid:1",
        name: "Camera & co",
        description: "from the DNG's tags",
        white_balance: [2.0, 1.0, 1.5],
        camera_to_aces: [[0.7, 0.2, 0.1], [0.05, 1.1, -0.15], [0.0, -0.3, 1.3]],
    };
    let text = camera_clf(&camera).unwrap();
    let matrices: Vec<[[f64; 3]; 3]> = text
        .split("<Array dim=\"3 3\">")
        .skip(1)
        .map(|rest| {
            let body = rest.split('<').next().unwrap();
            let n: Vec<f64> = body.split_whitespace().map(|v| v.parse().unwrap()).collect();
            [[n[0], n[1], n[2]], [n[3], n[4], n[5]], [n[6], n[7], n[8]]]
        })
        .collect();
    let [balance, matrix] = matrices[..] else { panic!("two matrices: {text}") };
    let whole = mul(&camera.camera_to_aces, &diagonal(camera.white_balance));
    assert_eq!(mul(&matrix, &balance), whole);
    // The camera's white, 1/gain, becomes neutral: each row of the matrix sums to 1.
    let white = apply(&whole, [0.5, 1.0, 1.0 / 1.5]);
    assert!(white.iter().all(|v| (v - 1.0).abs() < 1e-12), "{white:?}");
    let nan = CameraClf { white_balance: [f64::NAN, 1.0, 1.0], ..camera };
    assert_eq!(camera_clf(&nan).unwrap_err().code, Code::BadColorData);
}

const RGC: &str = "Look.Academy.ReferenceGamutCompress.a2.v1";

/// Finds any file: an identity cube.
fn identity(name: &str) -> platefarm_model::Outcome<Found> {
    let mut text = String::from("LUT_3D_SIZE 2\n");
    (0..8).for_each(|i| text += &format!("{} {} {}\n", i & 1, i >> 1 & 1, i >> 2));
    let cdl = "<ColorCorrection id=\"cc\"><SOPNode><Slope>1 1 1</Slope><Offset>0 0 0</Offset><Power>1 1 1</Power></SOPNode></ColorCorrection>";
    let clf = "<ProcessList id=\"1\" compCLFversion=\"3\"><Matrix inBitDepth=\"32f\" outBitDepth=\"32f\"><Array dim=\"3 3\">1 0 0 0 1 0 0 0 1</Array></Matrix></ProcessList>";
    let bytes = match name.rsplit('.').next() {
        Some("cube") => text.into_bytes(),
        Some("cdl" | "cc" | "ccc") => cdl.as_bytes().to_vec(),
        _ => clf.as_bytes().to_vec(),
    };
    Ok(Found { path: format!("/show/{name}"), bytes })
}

fn without_hashes(text: &str) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("<aces:hash") {
        out += before;
        rest = after.split_once("</aces:hash>").expect("it ends").1;
    }
    out + rest
}

#[test]
fn a_pipeline_becomes_steps_in_order_and_nothing_is_done_twice() {
    let text = std::fs::read_to_string(fixtures().join("plate_example.amf")).unwrap();
    let amf = IncomingAmf::read("x.amf", without_hashes(&text).as_bytes(), &identity).unwrap();
    let steps: Vec<String> = amf.resolved.remaining().iter().map(ToString::to_string).collect();
    // The camera's transform is in the pixels: it is not among what remains.
    assert_eq!(steps.len(), 6, "{steps:?}");
    assert_eq!(steps[0], RGC);
    assert_eq!(steps[1], "ACES2065-1 to ACEScct");
    assert!(steps[2].starts_with("CDL slope 1.02 1 0.98"));
    assert_eq!(steps[3], "ACEScct to ACES2065-1");
    assert_eq!(steps[4], "/show/looks/show_look.clf");
    assert_eq!(steps[5], "ACES2065-1 to Rec709-D65_100nit_in_Rec709-D65_BT1886");
    let view = amf.view().unwrap().unwrap();
    assert_eq!(view.name(), "Rec709-D65_100nit_in_Rec709-D65_BT1886");

    // A plate has the input transform alone; a display has the looks too.
    let aces = OutputColor::default();
    let (recipe, notes) = amf.resolved.recipe(Pixels::Aces, &aces).unwrap();
    assert!(recipe.is_plain() && notes.is_empty(), "{recipe:?} {notes:?}");
    let display = OutputColor::named("ACES 1.3 SDR sRGB").unwrap();
    let (recipe, _) = amf.resolved.recipe(Pixels::Aces, &display).unwrap();
    assert_eq!((recipe.input.len(), recipe.looks.len()), (0, 5));

    // Not applied, it is done to a picture, and to nothing that is ACES2065-1 or raw.
    let open = without_hashes(&text).replacen("applied=\"true\"", "applied=\"false\"", 1);
    let amf = IncomingAmf::read("x.amf", open.as_bytes(), &identity).unwrap();
    let (recipe, notes) = amf.resolved.recipe(Pixels::Picture("linear Rec.709"), &aces).unwrap();
    assert_eq!(recipe.input, [ColorStep::ToAces("ARRI LogC4".into())]);
    assert!(notes.is_empty());
    for (pixels, word) in [(Pixels::Raw, "developed straight"), (Pixels::Aces, "own word")] {
        let (recipe, notes) = amf.resolved.recipe(pixels, &aces).unwrap();
        assert!(recipe.input.is_empty());
        assert_eq!(notes[0].code, Code::ColorAssumed);
        assert!(notes[0].message.contains(word), "{}", notes[0]);
    }
}

#[test]
fn what_cannot_be_had_stops() {
    let text = std::fs::read_to_string(fixtures().join("plate_example.amf")).unwrap();
    let plain = without_hashes(&text);
    let read = |text: &str| IncomingAmf::read("x.amf", text.as_bytes(), &identity);
    let fault = read(&plain.replace(RGC, "Look.Show.Secret.a2.v1")).unwrap_err();
    assert_eq!(fault.code, Code::UnresolvedTransform);
    assert!(fault.place.as_ref().unwrap().contains("stage 3 (lookTransform)"), "{fault}");
    assert!(fault.remedy_text().contains("CLF"), "{fault:?}");
    // All that cannot be had is told, and not only the first of it.
    let amf = Amf::parse(plain.replace(RGC, "Look.Show.Secret.a2.v1").as_bytes()).unwrap();
    let gone = |name: &str| Err(platefarm_model::Fault::new(Code::UnresolvedTransform, name));
    let all: Vec<_> = amf.unresolved(&gone).into_iter().filter_map(|fault| fault.place).collect();
    assert!(
        all.len() == 2 && all[0].contains("stage 3") && all[1].contains("lookTransform"),
        "{all:?}"
    );
    assert_eq!(amf.unresolved(&identity).len(), 1);
    // The hash of the example is that of nothing.
    assert_eq!(read(&text).unwrap_err().code, Code::HashMismatch);
    let fault = IncomingAmf::read("x.amf", plain.as_bytes(), &gone).unwrap_err();
    assert_eq!(fault.code, Code::UnresolvedTransform);
    // A look that is in the pixels before the input transform that is not: no picture is like that.
    let odd = plain.replacen("applied=\"true\"", "applied=\"false\"", 1);
    let odd = odd.replacen("lookTransform applied=\"false\"", "lookTransform applied=\"true\"", 1);
    let fault = read(&odd).unwrap_err();
    assert_eq!(fault.code, Code::BadAmf);
    // What is applied needs nobody to have it.
    let secret = plain.replace("CSC.Arri.LogC4_to_ACES.a2.v1", "CSC.Show.Secret_to_ACES.a2.v1");
    read(&secret).unwrap();
    let shown =
        plain.replace("outputTransform applied=\"false\"", "outputTransform applied=\"true\"");
    assert_eq!(read(&shown).unwrap_err().code, Code::BadAmf);
}

/// Every example of others is resolved or refused with a code and a way out, and written again,
/// kept among the earlier pipelines, it is valid by the schema.
#[test]
fn what_others_wrote_is_kept_valid() {
    let mut all = Vec::new();
    examples(&fixtures(), &mut all);
    whole_set().inspect(|set| examples(set, &mut all));
    let naming = naming();
    let mut resolved = 0;
    for path in all {
        let bytes = std::fs::read(&path).unwrap();
        let amf = Amf::parse(&bytes).unwrap();
        let text = String::from_utf8(bytes).unwrap();
        match IncomingAmf::read("x", without_hashes(&text).as_bytes(), &identity) {
            Ok(_) => resolved += 1,
            Err(fault) => assert!(
                matches!(fault.code, Code::UnresolvedTransform | Code::BadAmf),
                "{}: {fault}",
                path.display()
            ),
        }
        for looks_baked in [false, true] {
            let incoming = Some(Incoming { amf: &amf, looks_baked, shown: false, files: &[] });
            let viewing =
                looks_baked.then_some(Viewing { output: "ACES 1.3 SDR sRGB", applied: true });
            let plate = PlateAmf { incoming, viewing, ..plate(&naming, b"y") };
            let written = plate_amf(&plate).unwrap();
            assert_valid(&written);
            let again = Amf::parse(written.as_bytes()).unwrap();
            assert_eq!(again.archived.len(), 1 + amf.archived.len());
            let kinds = |stages: &[platefarm_standards::amf::Stage]| {
                stages
                    .iter()
                    .map(|s| (s.kind, s.applied.unwrap_or(false), s.references.clone()))
                    .collect::<Vec<_>>()
            };
            let kept = &again.archived[0].stages;
            if !text.contains("ReferenceGamutCompress.a1.v1.0") {
                assert_eq!(kinds(kept), kinds(&amf.pipeline.stages), "{}", path.display());
            }
            let looks = again.pipeline.stages.iter().filter(|s| s.kind == StageKind::Look);
            assert!(looks.clone().all(|s| s.is_applied()) || !looks_baked);
        }
    }
    assert!(resolved >= 4, "{resolved}");
}

#[test]
fn looks_that_are_baked_stand_before_what_is_not() {
    let naming = naming();
    let text = std::fs::read_to_string(fixtures().join("plate_example.amf")).unwrap();
    let amf = Amf::parse(text.as_bytes()).unwrap();
    let look = LookSource::File { path: "grade.cube", content: b"abc", correction: None };
    let looks = [BakedLook { description: "grade", look }];
    let files = [("looks/show_look.clf".to_owned(), "show_look.clf".to_owned(), b"abc".to_vec())];
    let incoming = Some(Incoming { amf: &amf, looks_baked: false, shown: false, files: &files });
    let written = plate_amf(&PlateAmf { incoming, looks: &looks, ..plate(&naming, b"y") }).unwrap();
    assert_valid(&written);
    let again = Amf::parse(written.as_bytes()).unwrap();
    let stages = &again.pipeline.stages;
    let applied: Vec<bool> = stages.iter().map(|s| s.is_applied()).collect();
    assert_eq!(applied, [true, true, false, false, false, false, false]);
    assert_eq!(stages[1].references, [Reference::File("grade.cube".into())]);
    let moved = &stages[5];
    assert_eq!(moved.references, [Reference::File("show_look.clf".into())]);
    assert_eq!(moved.hash.as_ref().unwrap().text, "ungWv48Bz+pBQUDeXa4iI7ADYaOWF3qctBD/YfIAFa0=");
}

/// The order of looks (AMF implementation guide): gamut compression, grade of the shot, look of the
/// show, also where the incoming AMF does not say where work begins.
#[test]
fn a_grade_stands_behind_the_gamut_compression() {
    let naming = naming();
    let text = std::fs::read_to_string(fixtures().join("plate_example.amf")).unwrap();
    let shot =
        text.find("<aces:lookTransform applied=\"false\">\n            <aces:description>Shot");
    let show =
        text.find("<aces:lookTransform applied=\"false\">\n            <aces:description>Show");
    let whole = format!("{}{}", &text[..shot.unwrap()], &text[show.unwrap()..]);
    let cdl = Cdl { slope: [1.5; 3], offset: [0.0; 3], power: [1.0; 3], saturation: 1.0 };
    let grade = GradeLook { description: "grade".into(), cdl };
    for text in [whole.replace("<aces:workingLocation/>", ""), whole] {
        let amf = Amf::parse(text.as_bytes()).unwrap();
        let incoming = Some(Incoming { amf: &amf, looks_baked: false, shown: false, files: &[] });
        let plate = PlateAmf { incoming, grade: Some(&grade), ..plate(&naming, b"y") };
        let written = plate_amf(&plate).unwrap();
        assert_valid(&written);
        let again = Amf::parse(written.as_bytes()).unwrap();
        let looks = again.pipeline.stages.iter().filter(|s| s.kind == StageKind::Look);
        let looks: Vec<_> = looks.map(|look| (look.cdl.is_some(), &look.references)).collect();
        let [(false, first), (true, _), (false, last)] = looks.as_slice() else {
            panic!("compression, grade, look: {looks:?}")
        };
        assert!(format!("{first:?}").contains("ReferenceGamutCompress"), "{first:?}");
        assert_eq!(**last, [Reference::File("looks/show_look.clf".into())]);
    }
}

/// An output transform that is a file goes along under its new name, ahead of the pixels or in them.
#[test]
fn a_file_that_shows_goes_along() {
    let naming = naming();
    let text = std::fs::read_to_string(fixtures().join("plate_example.amf")).unwrap();
    let (head, rest) = text.split_once("<aces:outputTransform").unwrap();
    let (_, tail) = rest.split_once("</aces:outputTransform>").unwrap();
    let output = "<aces:outputTransform applied=\"false\"><aces:file>looks/out.clf</aces:file></aces:outputTransform>";
    let amf = Amf::parse(format!("{head}{output}{tail}").as_bytes()).unwrap();
    let files = [("looks/out.clf".to_owned(), "out.clf".to_owned(), b"abc".to_vec())];
    for shown in [false, true] {
        let incoming = Some(Incoming { amf: &amf, looks_baked: shown, shown, files: &files });
        let written = plate_amf(&PlateAmf { incoming, viewing: None, ..plate(&naming, b"y") });
        let written = written.unwrap();
        assert_valid(&written);
        let again = Amf::parse(written.as_bytes()).unwrap();
        let last = again.pipeline.stages.last().unwrap();
        assert_eq!((last.kind, last.is_applied()), (StageKind::Output, shown));
        assert_eq!(last.references, [Reference::File("out.clf".into())]);
        assert_eq!(
            last.hash.as_ref().unwrap().text,
            "ungWv48Bz+pBQUDeXa4iI7ADYaOWF3qctBD/YfIAFa0="
        );
    }
}

/// Our own checks and the schema say the same of the examples and of what was broken on purpose.
#[test]
fn validation_agrees_with_the_schema() {
    let plate = std::fs::read_to_string(fixtures().join("plate_example.amf")).unwrap();
    let schema = fixtures().join("schema/acesMetadataFile.xsd");
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("x.amf");
    let judged = |text: &str| {
        std::fs::write(&file, text).unwrap();
        lint(&schema, &file).0
    };
    let ours = |text: &str| validate(text.as_bytes()).map(|problems| problems.is_empty());
    assert!(judged(&plate) && ours(&plate).unwrap(), "{:?}", validate(plate.as_bytes()));
    for (from, to) in [
        ("<aces:uuid>urn:uuid:0f", "<aces:uuid>urn:uuid:zz"),
        ("version=\"2.0\"", "version=\"1.0\""),
        ("<aces:emailAddress>farm@example.com", "<aces:emailAddress>farm"),
        ("<aces:majorVersion>2<", "<aces:majorVersion>20<"),
        ("2026-11-21T03:00:00Z", "yesterday"),
        ("<aces:workingLocation/>", "<aces:working/>"),
        ("transformId:v2.0:CSC.Arri", "transformId:v2.0:Output.Arri"),
        ("transformId:v2.0:Look.", "transformId:v2.0:InvLook."),
        (
            "<cdl:SatNode>\n                <cdl:Saturation>0.95</cdl:Saturation>\n            </cdl:SatNode>",
            "",
        ),
        ("xmlenc#sha256", "xmlenc#sha255"),
        ("<aces:clipName>A001C001</aces:clipName>", ""),
        (" applied=\"true\"", ""),
    ] {
        let broken = plate.replacen(from, to, 1);
        assert_ne!(broken, plate, "{from}");
        assert!(!judged(&broken), "{from}");
        assert!(!ours(&broken).unwrap_or(false), "{from}");
    }
    let mut all = Vec::new();
    whole_set().inspect(|set| examples(set, &mut all));
    examples(&fixtures(), &mut all);
    for path in all {
        let text = std::fs::read_to_string(&path).unwrap();
        let problems = validate(text.as_bytes()).unwrap();
        let structural = problems.iter().find(|p| p.code == Code::BadAmf);
        match structural {
            None => assert!(judged(&text), "{}", path.display()),
            Some(problem) => assert!(!judged(&text), "{}: {problem}", path.display()),
        }
    }
}
