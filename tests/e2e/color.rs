//! Colour on the command line: pixels piped through the real binary against
//! what OpenColorIO makes of them, lists, and errors with a way out.

use crate::amf::pixels;
use crate::harness::{World, root, s, text};
use platefarm_media::sink::exr::{Planes, PlateHeader, encode};
use platefarm_model::recipe::Compression;
use std::path::Path;
use std::process::{Output, Stdio};

fn fixture(name: &str) -> Vec<u8> {
    let path = root().join("model/tests/fixtures/color").join(name);
    std::fs::read(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()))
}

fn floats(bytes: &[u8]) -> Vec<f32> {
    bytes.as_chunks().0.iter().map(|b| f32::from_le_bytes(*b)).collect()
}

/// What OpenColorIO gives for a transform, and the input that it had.
fn reference(name: &str) -> (Vec<u8>, Vec<f32>) {
    let index = String::from_utf8(fixture("index.tsv")).unwrap();
    let all = fixture("ocio.f32");
    let mut at = 0;
    for line in index.lines() {
        let fields: Vec<&str> = line.split('\t').collect();
        let input = fixture(&format!("grid_{}.f32", fields[1]));
        if fields[0] == name {
            return (input.clone(), floats(&all[at..at + input.len()]));
        }
        at += input.len();
    }
    panic!("no set {name}");
}

fn convert(world: &World, args: &[&str], input: &[u8]) -> Output {
    let file = world.path("in.f32");
    std::fs::write(&file, input).unwrap();
    world
        .platefarm(&[&["color", "convert"], args].concat())
        .stdin(std::fs::File::open(&file).unwrap())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .output()
        .expect("the program starts")
}

#[test]
fn pixels_go_through_as_opencolorio_says() {
    let world = World::new();
    for (name, from, to, bound) in [
        ("arri_logc4_to_aces", "ARRI LogC4", "ACES2065-1", 1e-4),
        ("aces_to_acescct", "aces", "acescct", 1e-4),
        (
            "aces20_sdr100_srgb",
            "ACES2065-1",
            "Rec709-D65_100nit_in_Rec709-D65_sRGB-Piecewise",
            2e-4,
        ),
        (
            "aces20_hdr1000_rec2100pq",
            "ACES2065-1",
            "Rec.2100-PQ - Display/ACES 2.0 - HDR 1000 nits (Rec.2020)",
            2e-4,
        ),
    ] {
        let (input, expected) = reference(name);
        let output = convert(&world, &["--from", from, "--to", to], &input);
        assert!(output.status.success(), "{name}: {}", text(&output.stderr));
        let got = floats(&output.stdout);
        assert_eq!(got.len(), expected.len(), "{name}");
        let codes = expected.as_chunks::<3>().0.iter().zip(got.as_chunks::<3>().0);
        let mut asked = 0;
        for (expected, got) in codes {
            // Near black a code says little about light; the library's own tests judge it in light.
            if expected.iter().all(|v| *v > 0.02 && *v < 1.0) {
                for (a, b) in got.iter().zip(expected) {
                    assert!((a - b).abs() <= bound, "{name}: {got:?} is not {expected:?}");
                }
                asked += 1;
            }
        }
        assert!(asked > 20, "{name}: only {asked}");
    }
}

#[test]
fn both_backends_give_the_same_pixels_and_counts() {
    if std::env::var("PLATEFARM_NO_GPU_TESTS").is_ok_and(|v| v == "1") {
        return;
    }
    let world = World::new();
    let mut input = reference("aces20_sdr100_srgb").0;
    for wild in [f32::NAN, f32::INFINITY, -1e9] {
        input.extend([wild, 0.25, 0.5].iter().flat_map(|v| v.to_le_bytes()));
    }
    let args = ["--from", "ACES2065-1", "--to", "ACES 1.3 SDR sRGB", "--backend"];
    let [cpu, gpu] = ["cpu", "gpu"].map(|backend| {
        let output = convert(&world, &[&args[..], &[backend, "--json"]].concat(), &input);
        let said = text(&output.stderr);
        assert!(
            output.status.success()
                && said.contains(&format!("\"pixels\":{},\"non_finite\":3", input.len() / 12)),
            "{said}"
        );
        floats(&output.stdout)
    });
    let far = cpu.iter().zip(&gpu).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
    assert!(cpu.len() * 4 == input.len() && far <= 2e-5, "{far}");
}

#[test]
fn a_look_stands_in_between() {
    let world = World::new();
    let look = world.path("half.cdl");
    std::fs::write(
        &look,
        "<ColorDecisionList><ColorDecision><ColorCorrection><SOPNode><Slope>0.5 0.5 0.5</Slope>\
         <Offset>0 0 0</Offset><Power>1 1 1</Power></SOPNode></ColorCorrection></ColorDecision>\
         </ColorDecisionList>",
    )
    .unwrap();
    let pixel: Vec<u8> = [2.0_f32, 0.5, -0.25].iter().flat_map(|v| v.to_le_bytes()).collect();
    let args = ["--from", "aces", "--to", "aces", "--look", s(&look)];
    let got = floats(&convert(&world, &args, &pixel).stdout);
    for (a, b) in got.iter().zip([1.0, 0.25, -0.125]) {
        assert!((a - b).abs() < 1e-6, "{got:?}");
    }
    assert_eq!(got.len(), 3);
    // The same space on both sides is nothing to do.
    let explained = world.json(&["color", "explain", "--from", "acescct", "--to", "ACEScct"]);
    assert_eq!(explained["steps"].as_array().unwrap().len(), 0);
    let explained = world.json(&["color", "explain", "--from", "logc4", "--to", "lin_rec709"]);
    // A curve, and one matrix made of two.
    assert_eq!(explained["steps"].as_array().unwrap().len(), 2, "{explained}");
}

#[test]
fn a_reader_that_has_enough_is_no_fault() {
    let world = World::new();
    let file = world.path("long.f32");
    std::fs::write(&file, vec![0; 12 << 18]).unwrap();
    let args = ["color", "convert", "--from", "aces", "--to", "acescct", "--backend", "cpu"];
    let mut child = world
        .platefarm(&args)
        .stdin(std::fs::File::open(&file).unwrap())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the program starts");
    drop(child.stdout.take());
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "{}", text(&output.stderr));
}

#[test]
fn lists_and_errors_lead_on() {
    let world = World::new();
    let all = world.json(&["color", "list"]);
    assert!(all["transforms"].as_array().unwrap().len() > 100);
    let log = world.json(&["color", "list", "LogC4"]);
    let names: Vec<&str> =
        log["transforms"].as_array().unwrap().iter().filter_map(|t| t["name"].as_str()).collect();
    assert_eq!(names, ["ARRI LogC4"]);
    let explain =
        |from: &'static str, to: &'static str| vec!["color", "explain", "--from", from, "--to", to];
    let fault = world.fails("F0222", &explain("LogC", "aces"));
    assert!(fault["message"].as_str().unwrap().contains("'LogC'"));
    world.json(&explain("aces", "ADX10"));
    world.fails("F0222", &[&explain("aces", "aces")[..], &["--look", "nowhere.cube"]].concat());
    // Whatever the ACES registry has is done, or refused with the reason.
    for (id, code, reason) in [
        ("ODT.Academy.P3D60_ST2084_1000nits.a1.0.3", "F0224", "ACES 1.1 took it back"),
        ("IDT.ARRI.Alexa-v3-raw-EI160-CCT2000.a1.v1", "F0224", "developed straight"),
        ("urn:ampas:aces:transformId:v1.5:RRT.a1.0.3", "F0222", "first part of every output"),
        ("Look.Academy.ReferenceGamutCompress.a2.v1", "F0222", "a look"),
        (
            "urn:ampas:aces:transformId:v2.0:InvOutput.Academy.Rec709-D65_100nit_in_Rec709-D65_BT1886.a2.v1",
            "F0223",
            "to ACES2065-1, not to them",
        ),
        ("InvODT.Academy.Rec709_100nits_dim.a1.0.3", "F0223", "to ACES2065-1, not to them"),
        ("matte_paint", "F0222", "another space in another config"),
    ] {
        let fault = world.fails(code, &explain("aces", id));
        assert!(fault["message"].as_str().unwrap().contains(reason), "{fault}");
    }
    // An id that is nearly right is answered with the id that is meant, and one that is near to none with the list.
    for (id, way_out) in [
        ("LogC4_to_ACESS", "CSC.Arri.LogC4_to_ACES.a2.v1' is meant, write that."),
        ("Show_to_ACES_Secret", "`platefarm color list` prints the names and ids that are known."),
    ] {
        let id = format!("urn:ampas:aces:transformId:v2.0:CSC.Arri.{id}.a2.v1");
        let args = ["color", "explain", "--from", id.as_str(), "--to", "aces", "--json"];
        let said: serde_json::Value = serde_json::from_slice(&world.run(&args).stdout).unwrap();
        assert_eq!(said["error"]["code"], "F0222", "{said}");
        assert!(said["remedy"].as_str().unwrap().ends_with(way_out), "{said}");
        assert_eq!(said.to_string().contains("is meant"), way_out.contains("is meant"), "{said}");
    }
    let look = [&explain("aces", "aces")[..], &["--look", "LMT.Academy.ACES_0_1_1.a1.0.3"]];
    world.fails("F0224", &look.concat());
    let unity = world.json(&explain("aces", "CSC.Academy.Unity.a2.v1"));
    assert_eq!(unity["steps"].as_array().unwrap().len(), 0);
    let bad = world.path("bad.cube");
    std::fs::write(&bad, "LUT_3D_SIZE 2\n0 0 zero\n").unwrap();
    let fault =
        world.fails("F0221", &[&explain("aces", "aces")[..], &["--look", s(&bad)]].concat());
    assert!(fault["place"].as_str().unwrap().contains("line 2"), "{fault}");
    let output = convert(&world, &["--from", "aces", "--to", "acescg"], &[0; 13]);
    assert!(!output.status.success());
    assert!(text(&output.stderr).contains("F0104"), "{}", text(&output.stderr));
}

/// An OpenEXR file of 4x2 pixels that are all alike; with coverage where `alpha` asks for it.
fn flat(path: &Path, value: f32, header: &PlateHeader, alpha: bool) {
    let plane = [half::f16::from_f32(value).to_bits(); 8];
    let alpha = alpha.then_some(&plane[..]);
    let planes = Planes { width: 4, height: 2, rgb: [&plane[..]; 3], alpha };
    std::fs::write(path, encode(planes, header, Compression::default()).unwrap()).unwrap();
}

/// Converts a picture, and returns what is said of it.
fn said_of(world: &World, args: &[&str], input: &Path, output: &str) -> String {
    let out = world.path(output);
    let done = world.run(&[&["color", "convert"], args, &[s(input), s(&out)]].concat());
    assert!(done.status.success(), "{args:?}: {}", text(&done.stderr));
    text(&done.stderr)
}

#[test]
fn a_bare_name_is_that_frame_and_no_other() {
    let world = World::new();
    let directory = world.path("sq");
    std::fs::create_dir(&directory).unwrap();
    for number in 1..=3_u8 {
        let path = directory.join(format!("s.{number:04}.exr"));
        flat(&path, f32::from(number), &PlateHeader::default(), false);
    }
    for name in ["s.0003.exr", "./s.0003.exr", "../sq/s.0003.exr"] {
        let args = ["color", "convert", "--to", "ACES2065-1", name, "../o.exr"];
        let mut command = world.platefarm(&args);
        let output = command.current_dir(&directory).output().expect("the program starts");
        assert!(output.status.success(), "{name}: {}", text(&output.stderr));
        let got = pixels(&world.path("o.exr"));
        assert!(got.iter().all(|v| *v == 3.0), "{name}: {got:?}");
    }
    // A directory is no frame of what it holds.
    let out = world.path("o.exr");
    let args = ["color", "convert", "--to", "ACES2065-1", s(&directory), s(&out)];
    world.fails("F0007", &args);
}

#[test]
fn what_is_not_written_is_said() {
    let world = World::new();
    let [over, beside] = [-1, 10].map(|left| {
        let path = world.path(&format!("{left}.exr"));
        let display_size = Some([2, 2]);
        let data_origin = [left, 0];
        let header = PlateHeader { display_size, data_origin, ..PlateHeader::default() };
        flat(&path, 0.5, &header, true);
        path
    });
    let said = said_of(&world, &["--to", "acescg"], &over, "a.exr");
    for words in ["F0106", "not channels A", "of 4x2 pixels the 2x2 of the display window"] {
        assert!(said.contains(words), "{words}: {said}");
    }
    let said = said_of(&world, &["--to", "acescg"], &beside, "b.exr");
    assert!(said.contains("beside its display window"), "{said}");

    let png = world.path("a.png");
    let mut encoder = png::Encoder::new(std::fs::File::create(&png).unwrap(), 1, 1);
    encoder.set_color(png::ColorType::Rgba);
    encoder.set_depth(png::BitDepth::Eight);
    encoder.write_header().unwrap().write_image_data(&[255, 0, 0, 128]).unwrap();
    let said = said_of(&world, &["--from", "srgb_texture", "--to", "aces"], &png, "c.exr");
    assert!(said.contains("not the alpha"), "{said}");
}

#[test]
fn codes_that_a_png_has_not_are_counted() {
    let world = World::new();
    let said = [0.18, 4.0, -0.5].map(|value| {
        let path = world.path("a.exr");
        flat(&path, value, &PlateHeader::default(), false);
        said_of(&world, &["--to", "srgb_texture"], &path, "a.png")
    });
    for words in ["F0227", "of 24 values 0 are below 0 and 24 above 1"] {
        assert!(said[1].contains(words), "{}", said[1]);
    }
    assert!(said[2].contains("24 are below 0 and 0 above 1"), "{}", said[2]);
    assert!(!said[0].contains("F0227"), "{}", said[0]);
}
