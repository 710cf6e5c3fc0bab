//! The stages of the transform, each against OpenColorIO 2.6.0's value there:
//! lightness, colourfulness and hue as seen, after the tone curve, and in the limiting gamut.

#[expect(dead_code, reason = "here the sets are named, and have one maker")]
#[path = "../../../../model/tests/color/oracle.rs"]
mod oracle;

use super::{BLOCK, Block, G, Output2};
use crate::color::math::pow;
use oracle::cases;
use platefarm_model::color::aces2::{Output, Target};
use platefarm_model::color::space::{P3, REC2020};
use platefarm_model::color::{D65, REC709};

/// A set, peak, limiting primaries, and how many stages it went through.
const SETS: &[(&str, f64, [[f64; 2]; 3], usize)] = &[
    ("ff20_stage_jmh", 100.0, REC709, 1),
    ("ff20_stage_tonescale_100", 100.0, REC709, 2),
    ("ff20_stage_tonescale_1000", 1000.0, P3, 2),
    ("ff20_stage_tonescale_4000", 4000.0, REC2020, 2),
    ("ff20_stage_gamut_rec709_100", 100.0, REC709, 3),
    ("ff20_stage_gamut_p3d65_1000", 1000.0, P3, 3),
    ("ff20_stage_gamut_rec2020_4000", 4000.0, REC2020, 3),
];

/// Lightness, colourfulness and hue of up to a block of pixels behind a stage; none without light.
fn behind(output: &Output2, pixels: &[[f64; 3]], stages: usize) -> Vec<Option<[f32; 3]>> {
    let mut block = Block::EMPTY;
    for (i, pixel) in pixels.iter().enumerate() {
        block.set_pixel(i, pixel.map(|v| v as f32));
    }
    let o = output.constants;
    block.see(&o, false);
    block.look_up(output);
    for (to, a) in block.j.iter_mut().zip(&block.a) {
        *to = 100.0 * pow(*a, G);
    }
    if stages > 1 {
        block.tone(&o);
    }
    if stages > 2 {
        block.limit(&o);
    }
    let value = |i: usize| [block.j[i], block.m[i], block.degrees[i]];
    (0..pixels.len()).map(|i| (block.a[i] > 0.0).then(|| value(i))).collect()
}

#[test]
fn every_stage_says_what_opencolorio_says() {
    for (name, peak, primaries, stages) in SETS {
        let target = Target { peak_nits: *peak, primaries: *primaries, white: D65 };
        let output = Output2::new(&Output::new(target));
        let case = cases(name).remove(0);
        let all: Vec<([f64; 3], [f64; 3])> = case.pixels().collect();
        let (mut worst, mut asked) = ([0.0_f64; 3], 0);
        for part in all.chunks(BLOCK) {
            let inputs: Vec<[f64; 3]> = part.iter().map(|(input, _)| *input).collect();
            for (got, (input, expected)) in behind(&output, &inputs, *stages).iter().zip(part) {
                let Some(got) = got.map(|got| got.map(f64::from)) else { continue };
                let far = |v: &f64| !(-1e-3..1000.0).contains(v);
                if !expected.iter().all(|v| v.is_finite()) || input.iter().any(far) {
                    continue;
                }
                asked += 1;
                let [j, m, h] = *expected;
                let around = (got[2] - h).abs();
                let off = [
                    (got[0] - j).abs() / j.abs().max(1.0),
                    (got[1] - m).abs() / m.abs().max(1.0),
                    // A hue is as sure as there is colour.
                    around.min(360.0 - around).to_radians() * m.abs() / m.abs().max(1.0),
                ];
                for i in 0..3 {
                    worst[i] = worst[i].max(off[i]);
                    assert!(off[i] <= 1e-3, "{name}: {input:?} gives {got:?}, not {expected:?}");
                }
            }
        }
        println!("{name}: {worst:?} at most, {asked} pixels");
        assert!(asked > 100, "{name}: {asked} pixels");
    }
}
