//! Every colour transform that OpenColorIO 2.6.0 and the Academy's CTL have
//! computed for us, against ours in single precision.
//!
//! Bounds: log codes 3e-6 relative (floor 0.01); output transforms in display
//! light over peak, and in code where all channels are above 0.02; inverses
//! between 2 and 95 % of the codes. Where the two makers differ, the one that
//! is right is asked (which, and why, stands beside each exception).

mod laws;
#[path = "../../../model/tests/color/oracle.rs"]
mod oracle;
mod outputs1;
mod set;
mod twins;

use oracle::{Case, cases, names};
use platefarm_shaders::color::Plan;
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
        for case in cases(&name) {
            let Some(set) = set(&name, &case) else { continue };
            let all = differences(&set, &case);
            assert!(all.len() > 50, "{name} by {}: only {} pixels", case.maker, all.len());
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
            seen += 1;
        }
    }
    assert!(seen > 120, "only {seen} sets were asked");
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
    for name in names() {
        for case in cases(&name).into_iter().take(1) {
            let Some(set) = set(&name, &case) else { continue };
            let mut runs = [0, 1, 2].map(|shift: usize| {
                (0..512_usize).map(|i| wild[(i >> (3 * shift)) & 7]).collect::<Vec<_>>()
            });
            let [r, g, b] = &mut runs;
            let counted = Plan::new(&set.chain).run([r, g, b]);
            // Five of the eight are no numbers, or none that a half can hold, in each channel.
            assert_eq!(counted, 3 * 512 * 5 / 8, "{name}");
            // Decoding a log of 65504 is beyond any number; output transforms must hold.
            if name.starts_with("aces20") || name.starts_with("aces13") {
                assert!(runs.iter().flatten().all(|v| v.is_finite()), "{name}");
            }
        }
    }
}
