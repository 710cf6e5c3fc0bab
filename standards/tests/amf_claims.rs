//! What an AMF, a file and a person claim of the same pixels, and who is
//! believed; and that what we write says the same in flags and in words.

use platefarm_model::clip::ClipInfo;
use platefarm_model::color::chain::{Chain, Exponent, ExponentStyle, Link};
use platefarm_model::color::name;
use platefarm_model::color::space::SPACES;
use platefarm_model::color::transfer::Transfer;
use platefarm_model::recipe::{ColorStep, FrameNaming, OutputColor};
use platefarm_model::{Code, FrameRange, Outcome, Timestamp};
use platefarm_standards::amf::clf::{PictureClf, picture_clf};
use platefarm_standards::amf::{
    Amf, Found, Incoming, IncomingAmf, Pixels, PlateAmf, StageKind, overruled, pixels, plate_amf,
};
use platefarm_standards::clf::Clf;
use std::path::Path;

/// The example of a plate's AMF, whose files have no hashes here.
fn example() -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/amf/plate_example.amf");
    let text = std::fs::read_to_string(path).unwrap();
    let mut parts = text.split("<aces:hash");
    let first = parts.next().unwrap_or_default().to_owned();
    let rest = parts.map(|part| part.split_once("</aces:hash>").expect("it ends").1);
    rest.fold(first, |all, part| all + part)
}

/// Any file that is asked for: a matrix that changes nothing.
fn found(name: &str) -> Outcome<Found> {
    let clf = "<ProcessList id=\"1\" compCLFversion=\"3\"><Matrix inBitDepth=\"32f\" outBitDepth=\"32f\"><Array dim=\"3 3\">1 0 0 0 1 0 0 0 1</Array></Matrix></ProcessList>";
    Ok(Found { path: format!("/show/{name}"), bytes: clf.into() })
}

/// AMF implementation guide, "Applied Tag": what is applied is in the pixels, which are then ACES2065-1.
#[test]
fn an_applied_input_transform_says_what_the_pixels_are() {
    let plain = example();
    let read = |text: &str| IncomingAmf::read("x.amf", text.as_bytes(), &found).unwrap();
    let unity = plain.replacen("applied=\"true\"", "applied=\"false\"", 1).replace(
        "urn:ampas:aces:transformId:v2.0:CSC.Arri.LogC4_to_ACES.a2.v1",
        "urn:ampas:aces:transformId:v2.0:CSC.Academy.Unity.a2.v1",
    );
    for (amf, said) in [(read(&plain), "is applied"), (read(&unity), "changes nothing")] {
        // A file that is silent is what the AMF says: nothing is done, and it is told.
        let (recipe, notes) = amf.resolved.recipe(Pixels::Silent, &OutputColor::default()).unwrap();
        assert_eq!(recipe.input, [ColorStep::ToAces("ACES2065-1".into())]);
        assert!(recipe.input.iter().all(ColorStep::changes_nothing));
        assert_eq!(notes.len(), 1, "{notes:?}");
        assert_eq!(notes[0].code, Code::ColorAssumed);
        assert!(notes[0].message.contains(said), "{}", notes[0]);
        // One that says otherwise stops, with both words and a way out.
        for (says, word) in [("linear Rec.709", "'linear Rec.709'"), ("", "does not say")] {
            let fault = amf.resolved.input(Pixels::Picture(says)).unwrap_err();
            assert_eq!(fault.code, Code::BadAmf);
            assert!(fault.message.contains(word) && fault.message.contains(said), "{fault}");
            assert!(fault.remedy_text().contains("--color-in ACES2065-1"), "{fault:?}");
        }
        // A person's word goes before both.
        assert_eq!(amf.resolved.input(Pixels::Named).unwrap(), (Vec::new(), None));
    }
}

#[test]
fn a_clip_is_silent_only_where_its_light_is_linear() {
    let clip = |space: Option<&str>, primaries_assumed| ClipInfo {
        color_space: space.map(str::to_owned),
        primaries_assumed,
        ..ClipInfo::default()
    };
    let amf = IncomingAmf::read("x.amf", example().as_bytes(), &found).unwrap();
    for (clip, expected) in [
        (clip(Some("ACES2065-1"), false), Pixels::Aces),
        (clip(Some("linear Rec.709"), true), Pixels::Silent),
        (clip(Some("linear Rec.709"), false), Pixels::Picture("linear Rec.709")),
        // Its curve is the file's own word, and no light is like that.
        (clip(Some("Cineon printing density"), true), Pixels::Picture("Cineon printing density")),
        (clip(None, false), Pixels::Picture("")),
    ] {
        assert_eq!(pixels(&clip), expected);
        // Whoever overrules an AMF hears all that is claimed.
        let said = overruled(&amf, &clip, "--color-in", "ARRI LogC4").unwrap();
        assert_eq!(said.code, Code::ColorAssumed);
        let claims = ["--color-in says that the pixels are ARRI LogC4", "applied, so ACES2065-1"];
        let file = clip.color_space.as_deref().unwrap_or("the file is silent");
        for claim in claims.into_iter().chain([file]) {
            assert!(said.message.contains(claim), "{said}");
        }
    }
}

/// A look that is applied needs nobody to have it, unless the pixels are developed here.
#[test]
fn applied_looks_are_still_ahead_of_camera_raw() {
    let applied = example().replace("applied=\"false\"", "applied=\"true\"");
    let (looks, output) = applied.split_once("<aces:outputTransform").unwrap();
    let ahead = output.replacen("applied=\"true\"", "applied=\"false\"", 1);
    let text = format!("{looks}<aces:outputTransform{ahead}");
    let mut raw = ClipInfo::default();
    raw.picture.cfa = Some("rggb".into());
    let amf = IncomingAmf::read("x.amf", text.as_bytes(), &found).unwrap();
    assert_eq!(amf.resolved.looks(), []);
    assert_eq!(amf.of(&ClipInfo::default()).unwrap(), &amf);
    let of_raw = amf.of(&raw).unwrap();
    let flags = of_raw.amf.pipeline.stages.iter().filter(|stage| stage.kind == StageKind::Look);
    assert!(flags.clone().count() > 1 && flags.clone().all(|stage| !stage.is_applied()));
    let said = &of_raw.resolved.notes.last().unwrap().message;
    assert!(said.contains("taken as not applied"), "{said}");
    assert!(of_raw.resolved.looks().len() > 1);
    assert_eq!(amf.files().len(), 1, "its file goes along");

    let gone = |name: &str| Err(platefarm_model::Fault::new(Code::UnresolvedTransform, name));
    let amf = IncomingAmf::read("x.amf", text.as_bytes(), &gone).unwrap();
    assert_eq!(amf.of(&ClipInfo::default()).unwrap(), &amf);
    let fault = amf.of(&raw).unwrap_err();
    assert_eq!(fault.code, Code::UnresolvedTransform);
    assert!(fault.message.contains("is applied, but camera raw"), "{fault}");
    let remedy = fault.remedy_text();
    assert!(remedy.starts_with(Code::UnresolvedTransform.info().remedy), "{remedy}");
    assert!(remedy.ends_with("give an AMF that does not have it."), "{remedy}");
}

/// "Reference Gamut Compression: for viewing, not baked" is what the example says of a look.
#[test]
fn what_is_written_says_the_same_in_flags_and_in_words() {
    let amf = Amf::parse(example().as_bytes()).unwrap();
    let naming = FrameNaming { stem: "a".into(), padding: 4 };
    let plate = |looks_baked, shown| PlateAmf {
        description: "a",
        author: None,
        created: Timestamp(1_795_230_000_000_000),
        uuid: "0f4c7c3a-7a55-4f3e-9a44-0d0f6a3b1c01",
        pipeline_uuid: "3d1c27f0-26c5-4a0f-9f5a-5a3f0f1e2d02",
        clip_name: "a",
        naming: &naming,
        frames: FrameRange::single(1001),
        input: None,
        incoming: Some(Incoming { amf: &amf, looks_baked, shown, files: &[] }),
        looks: &[],
        grade: None,
        viewing: None,
    };
    let told = |text: &str, kind| -> Vec<(bool, String)> {
        let amf = Amf::parse(text.as_bytes()).unwrap();
        let stages = amf.pipeline.stages.iter().filter(|stage| stage.kind == kind);
        stages.filter_map(|s| Some((s.is_applied(), s.description.clone()?))).collect()
    };
    let (ahead, baked) = (plate_amf(&plate(false, false)), plate_amf(&plate(true, true)));
    let (ahead, baked) = (ahead.unwrap(), baked.unwrap());
    assert!(ahead.contains("not baked"), "{ahead}");
    for kind in [StageKind::Look, StageKind::Output] {
        let (ahead, baked) = (told(&ahead, kind), told(&baked, kind));
        assert_eq!(ahead.len(), baked.len());
        for ((applied, before), (now, words)) in ahead.iter().zip(&baked) {
            assert!(!applied && *now, "{words}");
            assert_eq!(*words, format!("in the pixels now; described before as \"{before}\""));
        }
    }
    assert!(!told(&baked, StageKind::Look).is_empty());
    // What was in them before keeps its words, and is not told of twice.
    let again = Amf::parse(baked.as_bytes()).unwrap();
    let incoming = Some(Incoming { amf: &again, looks_baked: true, shown: true, files: &[] });
    let again = plate_amf(&PlateAmf { incoming, ..plate(true, true) }).unwrap();
    assert_eq!(told(&again, StageKind::Look), told(&baked, StageKind::Look));
}

/// The file of a picture's space, as our own reader has it; none where there is no file.
fn read(space: &str) -> Option<Chain> {
    let chain = &name::to_aces(space).unwrap();
    let text = picture_clf(&PictureClf { id: "a", name: space, description: "a", chain })?;
    Some(Clf::parse(text.as_bytes()).unwrap_or_else(|fault| panic!("{fault}: {text}")).chain)
}

/// Rec.709 to ACES2065-1 as the Academy's Input Transforms have it (Bradford), and IEC 61966-2-1.
#[test]
fn the_file_of_a_picture_says_its_space() {
    let published = [
        [0.439_632_982, 0.382_988_698, 0.177_378_320],
        [0.089_776_443, 0.813_439_429, 0.096_784_128],
        [0.017_541_170, 0.111_546_553, 0.870_912_277],
    ];
    for (space, curves) in [("lin_rec709", 0), ("srgb_texture", 1)] {
        let chain = read(space).unwrap();
        assert_eq!(chain.0.len(), 1 + curves, "{chain:?}");
        let Some(Link::Matrix { matrix, .. }) = chain.0.last() else { panic!("{chain:?}") };
        for (row, expected) in matrix.iter().zip(published) {
            assert!(row.iter().zip(expected).all(|(a, b)| (a - b).abs() < 1e-6), "{matrix:?}");
        }
        if let [Link::Exponent(Exponent { style, inverse, exponent, offset }), _] = &chain.0[..] {
            assert_eq!((*style, *inverse), (ExponentStyle::Monitor, false));
            assert_eq!((*exponent, *offset), ([2.4; 3], [0.055; 3]));
        } else {
            assert_eq!(curves, 0, "{chain:?}");
        }
    }
    // A camera's logarithm has an id of the registry, and is not written.
    assert_eq!(read("ARRI LogC4"), None);
}

/// Powers by the words of the specification (S-2014-006, Exponent: `basicPassThruFwd` keeps codes below 0,
/// `monCurveFwd` has a straight toe), with the numbers of each space.
#[test]
fn the_file_of_every_space_is_read_back() {
    let curve = |style, exponent: f64, offset: f64| {
        let (exponent, offset) = ([exponent; 3], [offset; 3]);
        Some(Link::Exponent(Exponent { style, inverse: false, exponent, offset }))
    };
    let word = |link: &Link| match link {
        Link::Decode(Transfer::Gamma(gamma)) => curve(ExponentStyle::PassThrough, *gamma, 0.0),
        Link::Decode(Transfer::Toed { gamma, offset }) => {
            curve(ExponentStyle::Monitor, *gamma, *offset)
        }
        Link::Matrix { .. } => Some(link.clone()),
        _ => None,
    };
    let mut powers = 0;
    for space in SPACES {
        let chain = space.to_aces();
        let links = chain.0.iter().filter(|link| **link != Link::Decode(Transfer::Linear));
        let expected: Option<Vec<Link>> = links.map(word).collect();
        powers += usize::from(expected.as_ref().is_some_and(|links| links.len() == 2));
        assert_eq!(read(space.name), expected.map(Chain), "{}", space.name);
    }
    // Five powers, three of sRGB's curve, and the camera's of Rec.709.
    assert_eq!(powers, 9);
}
