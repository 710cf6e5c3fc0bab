//! The colour spaces in f64 against two independent hands: OpenColorIO 2.6.0
//! and the Academy's CTL, both in single precision, on the same pixels.

mod aces2;
mod oracle;

use oracle::{Case, cases, names};
use platefarm_model::color::name;
use platefarm_model::color::output::OutputTransform;
use platefarm_model::color::space::{self, SPACES, find};
use platefarm_model::color::{apply, invert};

/// Name of the reference set, and of our space.
const NAMES: &[(&str, &str)] = &[
    ("acescct", "ACEScct"),
    ("acescc", "ACEScc"),
    ("acescg", "ACEScg"),
    ("arri_logc3_ei800", "ARRI LogC3 (EI800)"),
    ("arri_logc4", "ARRI LogC4"),
    ("sony_slog3_sgamut3", "S-Log3 S-Gamut3"),
    ("sony_slog3_sgamut3cine", "S-Log3 S-Gamut3.Cine"),
    ("sony_venice_slog3_sgamut3", "S-Log3 Venice S-Gamut3"),
    ("sony_venice_slog3_sgamut3cine", "S-Log3 Venice S-Gamut3.Cine"),
    ("red_log3g10_rwg", "Log3G10 REDWideGamutRGB"),
    ("canon_clog2_cgamut", "CanonLog2 CinemaGamut D55"),
    ("canon_clog3_cgamut", "CanonLog3 CinemaGamut D55"),
    ("panasonic_vlog_vgamut", "V-Log V-Gamut"),
    ("bmd_film_gen5", "BMDFilm WideGamut Gen5"),
    ("davinci_intermediate_wg", "DaVinci Intermediate WideGamut"),
    ("dji_dlog_dgamut", "D-Log D-Gamut"),
    ("apple_log_bt2020", "Apple Log"),
    ("apple_log2_applewg", "Apple Log 2"),
];

/// Whether the maker of a reference is to be believed for a space: OpenColorIO
/// has tables for Canon and Apple, another break for D-Log and another floor for ACEScc.
fn believed(case: &Case, name: &str) -> bool {
    let tabled = ["canon", "apple_log_bt2020", "dji", "acescc"];
    case.maker == "ctl" || name == "acescct" || !tabled.iter().any(|n| name.starts_with(n))
}

#[test]
fn camera_codes_become_aces_as_the_references_say() {
    for (name, space) in NAMES {
        let space = find(space).unwrap();
        let matrix = space.gamut.to_aces();
        let cases = cases(&format!("{name}_to_aces"));
        assert!(!cases.is_empty(), "{name}");
        for case in cases.iter().filter(|case| believed(case, name)) {
            // Single precision of the references near black is what bounds these.
            let bound = match *name {
                "panasonic_vlog_vgamut" => 1.2e-5,
                "dji_dlog_dgamut" => 2e-5,
                // OpenColorIO's table for this one has no other hand beside it.
                "apple_log2_applewg" => 2e-3,
                _ => 3e-6,
            };
            for (code, expected) in case.pixels() {
                if code.iter().any(|c| !(0.0..=1.0).contains(c)) {
                    continue;
                }
                let got = apply(&matrix, code.map(|c| space.transfer.decode(c)));
                let size = expected.iter().fold(0.01_f64, |m, v| m.max(v.abs()));
                for (a, b) in got.iter().zip(expected) {
                    let off = (a - b).abs() / size;
                    assert!(
                        off <= bound,
                        "{name} by {}: {code:?} {got:?} {expected:?}",
                        case.maker
                    );
                }
            }
        }
    }
}

#[test]
fn aces_becomes_camera_codes_as_the_references_say() {
    for (name, space) in NAMES {
        let space = find(space).unwrap();
        let matrix = invert(&space.gamut.to_aces()).unwrap();
        for case in cases(&format!("aces_to_{name}")).iter().filter(|c| believed(c, name)) {
            for (light, expected) in case.pixels() {
                let clamped =
                    light.map(|v| if space.clamps_before_encoding() { v.max(0.0) } else { v });
                let got = apply(&matrix, clamped).map(|v| space.transfer.encode(v));
                for (a, b) in got.iter().zip(expected) {
                    // A toe multiplies the rounding of the matrix: the input's size decides.
                    let size = light.iter().fold(1.0_f64, |m, v| m.max(v.abs()));
                    let within = (-0.2..=1.05).contains(&b) && size < 20.0;
                    let bound = if *name == "apple_log2_applewg" { 1e-3 } else { 1e-4 };
                    assert!(
                        !within || (a - b).abs() <= bound,
                        "{name} by {}: {light:?} {got:?} {expected:?}",
                        case.maker
                    );
                }
            }
        }
    }
}

/// The ids that the reference sets were made for are those of the registry's list.
#[test]
fn output_ids_are_parsed_and_listed() {
    use platefarm_model::color::output::registered;
    let listed = registered();
    assert_eq!(listed.len(), 54);
    assert!(listed.iter().all(|id| OutputTransform::parse(id).is_some()));
    let ids: Vec<String> = names().iter().flat_map(|n| cases(n)).map(|case| case.id).collect();
    let asked: Vec<&String> = ids.iter().filter(|id| !id.is_empty()).collect();
    assert!(asked.len() > 40 && asked.iter().all(|id| listed.contains(id)));
}

/// Any peak, limit, display and curve has a name, and nothing else has.
#[test]
fn outputs_that_are_in_no_registry_have_names_too() {
    let parse = |name: &str| OutputTransform::parse(name);
    let linear = parse("P3-D60_600nit_in_Rec2100-D65_Linear").unwrap();
    assert_eq!(linear.target.peak_nits, 600.0);
    let pq = parse("P3-D60_600nit_in_Rec2100-D65_ST2084").unwrap();
    let (light, codes) = (linear.chain().0, pq.chain().0);
    assert_eq!(light, codes[..codes.len() - 1]);
    for wrong in [
        "P3-D65_600nit_in_Rec2100-D60_ST2084",
        "P3-D65_600nit_in_XYZ-D65_ST2084",
        "P3-D55_600nit_in_P3-D65_ST2084",
        "P3-D65_99nit_in_P3-D65_ST2084",
        "P3-D65_10001nit_in_P3-D65_ST2084",
        "P3-D65_NaNnit_in_P3-D65_ST2084",
        "XYZ-D65_600nit_in_P3-D65_ST2084",
        "P3-D65_600nit_in_P3-D65_Gamma2pt8",
    ] {
        assert!(parse(wrong).is_none(), "{wrong}");
        let remedy = name::resolve(wrong).unwrap_err().remedy.unwrap();
        assert!(remedy.contains("100 to 10000"), "{remedy}");
    }
}

#[test]
fn every_space_comes_back() {
    let log_c3 = [160.0, 400.0, 800.0, 1280.0].map(|ei| space::log_c3_space(ei).unwrap());
    for space in SPACES.iter().chain(&log_c3) {
        for i in 0..=200 {
            let code = f64::from(i) / 200.0;
            let light = space.transfer.decode(code);
            let back = space.transfer.encode(light);
            // Makers round their breaks; a code there may come back from the other side.
            assert!((back - code).abs() < 2e-4, "{}: {code} {light} {back}", space.name);
        }
        let matrix = space.gamut.to_aces();
        let white = apply(&matrix, [1.0; 3]);
        assert!(white.iter().all(|v| (v - 1.0).abs() < 1e-9), "{}: {white:?}", space.name);
    }
}

#[test]
fn the_matrices_are_those_that_opencolorio_prints() {
    // Linear ARRI Wide Gamut 3 and 4 to ACES2065-1, fifteen digits.
    let printed = [
        (
            "lin_awg3",
            [
                [0.680_205_505_106_279, 0.236_136_601_606_481, 0.083_657_893_287_239_8],
                [0.085_414_979_742_140_4, 1.017_470_878_607_04, -0.102_885_858_349_182],
                [0.002_056_521_669_296_83, -0.062_562_500_384_792_1, 1.060_505_978_715_49],
            ],
        ),
        (
            "lin_awg4",
            [
                [0.750_957_362_824_734, 0.144_422_786_709_757, 0.104_619_850_465_509],
                [0.000_821_837_079_380_207, 1.007_397_584_885, -0.008_219_421_964_383_58],
                [-0.000_499_952_143_533_471, -0.000_854_177_231_436_971, 1.001_354_129_374_97],
            ],
        ),
    ];
    for (name, expected) in printed {
        let got = find(name).unwrap().gamut.to_aces();
        for (a, b) in got.as_flattened().iter().zip(expected.as_flattened()) {
            assert!((a - b).abs() < 1e-13, "{name}: {a} {b}");
        }
    }
}

/// ARRI, "ALEXA Log C Curve", table of constants.
#[test]
fn log_c3_has_arris_constants_and_its_knee() {
    use platefarm_model::color::transfer::{Transfer, log_c3};
    let Transfer::Log(curve) = log_c3(800.0) else { panic!("no knee at 800") };
    let got = [curve.light_break, curve.offset, 1.0 / curve.slope, curve.black, curve.shift];
    for (a, b) in got.into_iter().zip([0.010_591, 0.052_272, 5.367_655, 0.092_809, 0.385_537]) {
        assert!((a - b).abs() < 5e-7, "{a} {b}");
    }
    let curve = log_c3(3200.0);
    let Transfer::LogKnee(_, knee) = curve else { panic!("a knee at 3200") };
    // Value and slope meet at the knee's start, and code 1 is the end.
    assert!((knee.open(0.8 + 1e-9) - 0.8 - 1e-9).abs() < 1e-12);
    assert!((knee.open(1.0) - knee.end).abs() < 1e-12);
    for code in [0.1, 0.5, 0.79, 0.85, 0.95, 1.0] {
        assert!((curve.encode(curve.decode(code)) - code).abs() < 1e-12);
    }
}

#[test]
fn names_are_found_in_every_form() {
    for space in SPACES {
        for name in [space.name].into_iter().chain(space.aliases.iter().copied()) {
            assert_eq!(find(&name.to_uppercase()).map(|s| s.name), Some(space.name), "{name}");
        }
        for id in space.ids.iter().filter(|id| !id.is_empty()) {
            let full = format!("{}{id}", space::URN);
            assert_eq!(find(&full).map(|s| s.name), Some(space.name), "{id}");
        }
    }
    assert!(find("ARRI LogC3 (EI400)").is_some() && find("arri_logc3_ei1600").is_some());
    assert!(
        find("ARRI LogC3 (EI40)").is_none() && find("").is_none() && find("nonsense").is_none()
    );
}
