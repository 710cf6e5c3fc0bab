//! AMF: what is written is valid by the schema, judged by libxml2; what others
//! wrote is read. Needs `xmllint` (Debian: libxml2-utils) and fails without it.

use platefarm_model::color::{apply, diagonal, mul};
use platefarm_model::recipe::FrameNaming;
use platefarm_model::{Code, FrameRange, Timestamp};
use platefarm_standards::amf::clf::{CameraClf, camera_clf};
use platefarm_standards::amf::{
    Amf, ClipMedia, InputTransform, PlateAmf, Reference, StageKind, Viewing, file_name, plate_amf,
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
        input: InputTransform::File { description: "camera", path: "luts/camera.clf", content },
        viewing: Viewing::default(),
    }
}

#[test]
fn a_plate_is_valid_by_the_schema() {
    let naming = naming();
    let logc4 = "urn:ampas:aces:transformId:v2.0:CSC.Arri.LogC4_to_ACES.a2.v1";
    for viewing in [Viewing::Aces13Rec709, Viewing::Aces20Rec709] {
        for input in [
            InputTransform::File { description: "x", path: "camera.clf", content: b"y" },
            InputTransform::Registered { description: "LogC4", id: logc4 },
        ] {
            for author in [None, Some(("Farm", "a@b"))] {
                let plate = PlateAmf { viewing, input, author, ..plate(&naming, b"") };
                assert_valid(&plate_amf(&plate).unwrap());
            }
        }
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
    let file = |path| InputTransform::File { description: "", path, content: b"" };
    let id = "urn:ampas:aces:transformId:v1.5:RRT.a1.0.3";
    let bad = [
        PlateAmf { uuid: "7", ..good },
        PlateAmf { pipeline_uuid: "urn:uuid:", ..good },
        PlateAmf { frames: FrameRange::new(-1, 4).unwrap(), ..good },
        PlateAmf { author: Some(("x", "nobody")), ..good },
        PlateAmf { input: file("/abs.clf"), ..good },
        PlateAmf { input: file("a/../../b.clf"), ..good },
        PlateAmf { input: InputTransform::Registered { description: "", id }, ..good },
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
    for viewing in [Viewing::Aces13Rec709, Viewing::Aces20Rec709] {
        let text = plate_amf(&PlateAmf { viewing, ..plate(&naming, b"") }).unwrap();
        let amf = Amf::parse(text.as_bytes()).unwrap();
        for reference in amf.pipeline.stages.iter().flat_map(|stage| &stage.references) {
            if let Reference::TransformId(id) = reference {
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
    assert!(cdl.to_working_space.as_ref().unwrap().contains("ACES_to_ACEScct"));
    let amf = read("example6.amf");
    let cdl = amf.pipeline.stages.iter().find_map(|stage| stage.cdl.as_ref()).unwrap();
    assert_eq!((cdl.slope, cdl.offset), ([2.0; 3], [0.1; 3]));
    assert_eq!(cdl.to_working_space, None);
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
    ];
    for text in broken {
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
