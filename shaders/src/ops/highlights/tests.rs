//! White where all clips, untouched where nothing does, no step between; and
//! the inputs of the comparison of both forms.

use super::cpu::rebuilt;
use super::{END, START, ceiling, ramp};
use crate::twin::{Trial, noise};

const GAINS: [f32; 3] = [2.0, 1.0, 1.6];

fn of(c: f32, x: f32, y: f32) -> f32 {
    rebuilt(c, x, y, [GAINS[1], GAINS[0], GAINS[2]].map(ramp))
}

/// A green photosite between red and blue ones, from dark to beyond clipping.
pub(super) fn trials() -> Vec<Trial> {
    const COUNT: usize = 900;
    let values = noise(3 * COUNT, 41, -0.05, 2.1);
    let expected: Vec<f32> =
        values.as_chunks::<3>().0.iter().map(|[c, x, y]| of(c * 0.5, *x, *y)).collect();
    let largest = values.as_chunks::<3>().0.iter();
    let largest = largest.map(|three| three.iter().fold(1.0, |most: f32, v| most.max(v.abs())));
    vec![Trial {
        name: "a green photosite".into(),
        probe: "fn sensed(p: vec2<i32>) -> f32 { return 0.0; }
            fn value(i: u32) -> f32 { return bitcast<f32>(input[i]); }
            fn probe(i: u32) -> u32 {
                let gains = vec3<f32>(1.0, 2.0, 1.6);
                return bitcast<u32>(highlights_rebuilt(value(3u * i) * 0.5, value(3u * i + 1u), value(3u * i + 2u), gains));
            }"
        .into(),
        params: vec![0],
        input: values.iter().map(|v| v.to_bits()).collect(),
        floats: Some(largest.collect()),
        expected: expected.iter().map(|v| v.to_bits()).collect(),
    }]
}

#[test]
fn where_all_clip_all_rise_to_one_white() {
    let [red, green, blue] = GAINS;
    assert_eq!(of(green, red, blue), red);
    let ramps = [GAINS[0], GAINS[1], GAINS[2]].map(ramp);
    assert_eq!(rebuilt(red, green, blue, ramps), red);
    assert_eq!(rebuilt(blue, green, red, [ramps[2], ramps[1], ramps[0]]), red);
    assert_eq!(ceiling(GAINS), green);
}

#[test]
fn where_one_clips_the_others_say_what_the_light_is() {
    // A neutral light of 1.4: red and blue see it, green has stopped at 1.
    assert!((of(1.0, 1.4, 1.4) - 1.4).abs() < 1e-6);
    assert!((of(1.0, 1.5, 1.3) - 1.4).abs() < 1e-6);
    // A green light that is above both stays what it is.
    assert_eq!(of(1.0, 0.3, 0.2), 1.0);
}

#[test]
fn nothing_is_lowered_and_what_does_not_clip_stays() {
    let values = noise(3000, 8, 0.0, 2.1);
    for [c, x, y] in values.as_chunks::<3>().0 {
        let c = c * 0.5;
        let v = of(c, *x, *y);
        assert!(v >= c, "{c} {x} {y}: {v}");
        assert!(c >= START * GAINS[1] || v == c, "{c} {x} {y}: {v}");
    }
}

/// From dark to clipped, each a little lighter than the one before: no step is
/// larger than the ramp makes it.
#[test]
fn there_is_no_step() {
    let light = |i: usize| i as f32 / 4000.0 * 2.2;
    let seen = |i: usize| [0, 1, 2].map(|p: usize| light(i).min(GAINS[p]));
    let value = |i: usize| {
        let [red, green, blue] = seen(i);
        of(green, red, blue)
    };
    let steepest = 1.0 / (END - START);
    for i in 1..4000 {
        let step = value(i) - value(i - 1);
        assert!((-1e-6..=light(1) * (2.0 + steepest)).contains(&step), "{i}: {step}");
    }
}
