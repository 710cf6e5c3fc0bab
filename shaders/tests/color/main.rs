//! Every colour transform that OpenColorIO 2.6.0 and the Academy's CTL have
//! computed for us, against ours in single precision.
//!
//! Bounds: log codes 3e-6 relative (floor 0.01); output transforms in display
//! light over peak, and in code where all channels are above 0.02; inverses
//! between 2 and 95 % of the codes. Where the two makers differ, the one that
//! is right is asked, or what it is right in (which, and why, stands beside each exception).

mod laws;
mod names;
#[path = "../../../model/tests/color/oracle.rs"]
mod oracle;
mod outputs1;
mod set;
mod special;
mod twins;

use oracle::{Case, cases, names};
use platefarm_model::recipe::Backend;
use platefarm_shaders::color::{Converter, Plan, Replaced};
use set::{Kind, Set, set};

/// Runs a plan on the pixels of a case.
fn run(set: &Set, case: &Case) -> Vec<[f64; 3]> {
    let mut runs =
        [0, 1, 2].map(|i| case.pixels().map(|(input, _)| input[i] as f32).collect::<Vec<f32>>());
    let [r, g, b] = &mut runs;
    Plan::new(&set.chain).run([r, g, b]);
    (0..runs[0].len()).map(|p| [0, 1, 2].map(|i| f64::from(runs[i][p]))).collect()
}

/// Differences of a case, the least first, each with the pixel that has it.
fn differences(set: &Set, case: &Case) -> Vec<(f64, String)> {
    let mut all: Vec<(f64, String)> = run(set, case)
        .into_iter()
        .zip(case.pixels())
        .filter(|(_, (input, expected))| {
            expected.iter().all(|v| v.is_finite()) && set.asks(*input, *expected)
        })
        .map(|(got, (input, expected))| {
            let place = format!("{input:?} gives {got:?}, not {expected:?}");
            (set.difference(got, expected), place)
        })
        .collect();
    all.sort_by(|a, b| a.0.total_cmp(&b.0));
    all
}

#[test]
fn every_transform_says_what_the_references_say() {
    let mut seen = 0;
    for name in names() {
        let before = seen;
        for case in cases(&name) {
            let Some(set) = set(&name, &case) else { continue };
            let all = differences(&set, &case);
            assert!(all.len() > 40, "{name} by {}: only {} pixels", case.maker, all.len());
            let at = |part: f64| &all[((all.len() - 1) as f64 * part) as usize];
            for (what, part, bound) in [
                ("largest", 1.0, set.most),
                ("99.9 %", 0.999, set.nearly),
                ("median", 0.5, set.middle),
            ] {
                let (difference, place) = at(part);
                assert!(
                    *difference <= bound,
                    "{name} by {}: {what} difference {difference:e}, {bound:e} allowed: {place}",
                    case.maker
                );
            }
            let pixels = run(&set, &case).into_iter().zip(case.pixels());
            let codes = pixels.filter(|(_, (input, expected))| set.asks(*input, *expected));
            for (got, (input, expected)) in codes {
                let off = set.code_difference(got, expected).unwrap_or(0.0);
                assert!(
                    off <= set.code,
                    "{name} by {}: codes {off:e} apart: {input:?} gives {got:?}, not {expected:?}",
                    case.maker
                );
            }
            seen += 1;
        }
        // What is inside ACES 2.0 is asked as a whole (`laws`).
        assert!(seen > before || name.starts_with("ff20"), "{name}: nobody was asked");
    }
    assert!(seen > 160, "only {seen} sets were asked");
}

/// The negative control: a transform that is a little wrong is noticed.
#[test]
fn a_little_wrong_is_noticed() {
    use platefarm_model::color::chain::{Chain, Link};
    use platefarm_model::color::{IDENTITY, diagonal};
    for name in ["arri_logc4_to_aces", "aces20_hdr1000_p3d65pq", "aces13_sdr_srgb", "rgc13_fwd"] {
        let case = cases(name).remove(0);
        let mut set = set(name, &case).unwrap();
        let sound = differences(&set, &case).pop().unwrap().0;
        assert!(sound <= set.most, "{name}");
        let mut matrix = IDENTITY;
        matrix[0][0] = 1.0005;
        set.chain = Chain::matrix(matrix).then(set.chain);
        let wrong = differences(&set, &case).pop().unwrap().0;
        assert!(wrong > set.most, "{name}: {wrong:e} went by");
        assert_ne!(diagonal([1.0; 3]), matrix);
        assert!(matches!(set.chain.0[0], Link::Matrix { .. }));
    }
    assert_eq!(Kind::Light.name(), "light");
}

#[test]
fn instruction_sets_and_lengths_cannot_be_seen() {
    use fearless_simd::Level;
    let case = cases("aces20_sdr100_srgb").remove(0);
    let set = set("aces20_sdr100_srgb", &case).unwrap();
    let values = |level: Level, from: usize, count: usize| {
        let mut runs = [0, 1, 2].map(|i| {
            case.pixels().skip(from).take(count).map(|(p, _)| p[i] as f32).collect::<Vec<_>>()
        });
        let [r, g, b] = &mut runs;
        Plan::with(&set.chain, level).run([r, g, b]);
        runs
    };
    let whole = values(Level::new(), 0, 250);
    assert_eq!(whole, values(Level::baseline(), 0, 250));
    let part = values(Level::new(), 33, 100);
    for (whole, part) in whole.iter().zip(&part) {
        assert_eq!(&whole[33..133], part);
    }
}

#[test]
fn nothing_wild_comes_out() {
    let wild = [f32::NAN, f32::INFINITY, f32::NEG_INFINITY, 3.4e38, -3.4e38, 1e-45, -0.0, -65504.0];
    let pixels: Vec<f32> =
        (0..512_usize).flat_map(|i| [0, 3, 6].map(|shift| wild[(i >> shift) & 7])).collect();
    for name in names() {
        for case in cases(&name).into_iter().take(1) {
            let Some(set) = set(&name, &case) else { continue };
            let mut values = pixels.clone();
            let mut cpu = Converter::new(&set.chain, Backend::Cpu).unwrap();
            let replaced = cpu.run(&mut values).unwrap();
            // Five of the eight are no numbers, or none that a half can hold, in each channel.
            assert_eq!(replaced.given, 3 * 512 * 5 / 8, "{name}");
            assert!(values.iter().all(|v| v.is_finite()), "{name}");
            // Output transforms hold by themselves, and have nothing to be held.
            if name.starts_with("aces20") || name.starts_with("aces13") {
                assert_eq!(replaced.made, 0, "{name}");
            }
        }
    }
}

/// Code 10 of ACEScct is 2^165.48 by its definition (S-2016-001), which is beyond single precision:
/// the decoded light stays below its end, and what a matrix adds up beyond it is held and counted.
#[test]
fn what_no_float_can_hold_is_held_and_counted() {
    use platefarm_model::color::chain::{Chain, Link};
    use platefarm_model::color::{name, transfer};
    let run = |chain: &Chain, made: u64| {
        let mut pixels = [10.0, 10.0, 10.0, 0.5, 0.5, 0.5];
        let replaced = Converter::new(chain, Backend::Cpu).unwrap().run(&mut pixels).unwrap();
        assert_eq!(replaced, Replaced { given: 0, made });
        assert!(pixels.iter().all(|v| v.is_finite()), "{pixels:?}");
        pixels
    };
    let pixels = run(&Chain(vec![Link::Decode(transfer::ACES_CCT)]), 0);
    assert!(pixels[..3].iter().all(|v| *v > 2.0_f32.powi(127)), "{pixels:?}");
    let light = (0.5_f32 * 17.52 - 9.72).exp2();
    assert!(pixels[3..].iter().all(|v| (v / light - 1.0).abs() < 1e-5), "{pixels:?}");
    let linear = name::resolve("Linear Rec.709 (sRGB)").unwrap().from_aces().unwrap();
    let pixels = run(&name::to_aces("ACEScct").unwrap().then(linear), 1);
    assert_eq!(pixels[0], f32::MAX);
}

/// SMPTE ST 2084: code 1 is 10 000 cd/m², and there is no code above it.
#[test]
fn codes_above_the_last_of_st_2084_are_its_light() {
    use platefarm_model::color::chain::{Chain, Link};
    use platefarm_model::color::name;
    use platefarm_model::color::transfer::Transfer;
    let codes = [1.0, 1.5, 1.9, 2.0, 10.0, 65504.0];
    let run = |chain: &Chain| {
        let mut pixels: Vec<f32> = codes.iter().flat_map(|code| [*code; 3]).collect();
        Converter::new(chain, Backend::Cpu).unwrap().run(&mut pixels).unwrap();
        pixels
    };
    for light in run(&Chain(vec![Link::Decode(Transfer::Pq)])) {
        assert!((light / 100.0 - 1.0).abs() < 1e-6, "{light}");
    }
    assert!(codes.iter().all(|code| Transfer::Pq.decode(f64::from(*code)) == 100.0));
    assert_eq!(Transfer::Pq.decode(-2.0), -100.0);
    for output in ["Rec2100-D65_1000nit_in_Rec2100-D65_ST2084", "ACES 1.3 HDR 1000 Rec.2100 PQ"] {
        let pixels = run(&name::to_aces(output).unwrap());
        let (first, rest) = pixels.split_at(3);
        assert!(first.iter().all(|v| *v > 1.0), "{output}: {first:?}");
        assert!(rest.chunks_exact(3).all(|pixel| pixel == first), "{output}: {pixels:?}");
    }
}

/// Source: ACES 2.0 `Output.Academy.*` for projectors: the luminance of a name is that of white, where
/// codes say light by themselves.
#[test]
fn white_has_the_light_that_a_name_says() {
    use platefarm_model::color::chain::Chain;
    use platefarm_model::color::output::OutputTransform;
    for (name, nits) in [
        ("Rec709-D65_48nit_in_P3-D65_ST2084", 48.0),
        ("P3-D65_48nit_in_Rec2100-D65_HLG", 48.0),
        ("P3-D65_48nit_in_XYZ-E_Linear", 48.0),
        ("P3-D65_108nit_in_P3-D65_ST2084", 108.0),
        ("P3-D65_300nit_in_P3-D65_ST2084", 300.0),
        ("P3-D65_300nit_in_XYZ-E_ST2084", 300.0),
    ] {
        let output = OutputTransform::parse(name).unwrap();
        let display = Chain(output.eotf.encode()).inverse().unwrap();
        let mut pixel = [10_000.0; 3];
        for chain in [output.chain(), display] {
            Converter::new(&chain, Backend::Cpu).unwrap().run(&mut pixel).unwrap();
        }
        // Green, or Y of a DCDM.
        assert!((pixel[1] * 100.0 / nits - 1.0).abs() < 1e-3, "{name}: {pixel:?}");
    }
}

/// OpenColorIO 2.6.0, `sRGB - Display` of the studio config of ACES 2.0; an output transform has no codes below 0.
#[test]
fn a_display_mirrors_what_an_output_clamps() {
    use platefarm_model::color::name;
    let run = |name: &str| {
        let mut pixel = [-0.5; 3];
        let chain = name::from_aces(name).unwrap();
        Converter::new(&chain, Backend::Cpu).unwrap().run(&mut pixel).unwrap();
        pixel
    };
    for (name, code) in [
        ("sRGB - Display", -0.735_357),
        ("P3-DCI - Display", -0.765_983),
        ("P3-D60 - Display", -0.765_983),
        ("Rec.1886 Rec.2020 - Display", -0.749_154),
    ] {
        let pixel = run(name);
        assert!(pixel.iter().all(|v| (*v - code).abs() < 1e-5), "{name}: {pixel:?}");
    }
    assert_eq!(run("Rec709-D65_100nit_in_Rec709-D65_sRGB-Piecewise"), [0.0; 3]);
}
