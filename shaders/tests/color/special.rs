//! Values that are none, and those at the ends of what there is. Ours are
//! defined: NaN is taken for 0 and what no half can hold for 65504 with its
//! sign, so a pixel of them becomes what the pixel held so becomes, and is
//! finite. OpenColorIO 2.6.0 has its own ways with those; of the pixels that
//! have none of them (denormals, -0, the lowest half) it says the same.

use super::oracle::cases;
use super::set::set;
use platefarm_model::color::chain::Chain;
use platefarm_model::recipe::Backend;
use platefarm_shaders::color::{Converter, Replaced};

const SPECIAL: &str = include_str!("../../../model/tests/fixtures/color/special.tsv");

/// Sets, and the pixel of which they say something else than we do: where nothing is positive,
/// OpenColorIO's gamut expansion gives 0 and the Academy's keeps the pixel.
const OTHERWISE: &[(&str, usize)] = &[("rgc13_inv", 10)];

fn numbers(text: &str) -> Vec<f32> {
    text.split_whitespace().map(|v| v.parse().expect("a number")).collect()
}

fn held(v: f32) -> f32 {
    if v.is_nan() { 0.0 } else { v.clamp(-65504.0, 65504.0) }
}

fn run(chain: &Chain, pixels: &[f32]) -> (Vec<f32>, Replaced) {
    let mut pixels = pixels.to_vec();
    let replaced = Converter::new(chain, Backend::Cpu).unwrap().run(&mut pixels).unwrap();
    (pixels, replaced)
}

#[test]
fn special_values_become_what_is_defined() {
    let mut lines = SPECIAL.lines();
    let given = numbers(lines.next().expect("pixels"));
    let kept: Vec<f32> = given.iter().map(|v| held(*v)).collect();
    let beyond = given.iter().zip(&kept).filter(|(a, b)| a != b).count() as u64;
    assert!(beyond >= 18, "{beyond}");
    let (mut seen, mut compared) = (0, 0);
    for line in lines {
        let (name, theirs) = line.split_once('\t').expect("a name");
        let cases = cases(name);
        let mut sets = cases.iter().filter_map(|case| Some((case.maker, set(name, case)?)));
        let Some((maker, set)) = sets.next() else { continue };
        let (got, replaced) = run(&set.chain, &given);
        assert_eq!(replaced.given, beyond, "{name}");
        assert_eq!(got, run(&set.chain, &kept).0, "{name}");
        assert!(got.iter().all(|v| v.is_finite()), "{name}: {got:?}");
        seen += 1;
        let theirs = numbers(theirs);
        for (i, pixel) in given.chunks_exact(3).enumerate().filter(|_| maker == "ocio") {
            let [got, theirs] =
                [&got, &theirs].map(|all| [0, 1, 2].map(|c| f64::from(all[3 * i + c])));
            let alike =
                pixel.iter().all(|v| held(*v) == *v) && theirs.iter().all(|v| v.is_finite());
            if !alike || OTHERWISE.contains(&(name, i)) {
                continue;
            }
            // A log's toe goes far below 0: what is far off is judged by its size.
            let size = theirs.iter().fold(1.0_f64, |m, v| m.max(v.abs()));
            let off = set.difference(got, theirs) / size;
            assert!(off <= set.most, "{name}: {pixel:?} gives {got:?}, not {theirs:?}");
            compared += 1;
        }
    }
    assert!(seen >= 45 && compared >= 120, "{seen} sets, {compared} pixels");
}
