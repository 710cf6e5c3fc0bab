//! What comes in finite is left alone; the rest becomes what a half would make of it.

use super::*;
use crate::twin::{Trial, wide_range};
use fearless_simd::Level;

fn inputs() -> Vec<f32> {
    let mut values = wide_range();
    for v in [65_504.0_f32, 65_519.996, 65_520.0, 65_536.0, 1e9, f32::MAX] {
        values.extend([v, -v]);
    }
    values.extend([0x7f80_0001, 0xff80_0001, 0x7fff_ffff, 0xffff_ffff].map(f32::from_bits));
    values
}

pub(super) fn trials() -> Vec<Trial> {
    let input = inputs();
    let mut expected = Vec::new();
    for v in &input {
        let mut one = [*v];
        let beyond = cpu::run(Level::new(), &mut one);
        expected.extend([one[0].to_bits(), beyond as u32]);
    }
    vec![Trial {
        name: "wide range, special values".into(),
        probe: "fn probe(i: u32) -> u32 {
            let bits = input[i / 2u];
            return select(finite(bits), u32(is_beyond(bits)), (i & 1u) == 1u);
        }"
        .into(),
        params: vec![0],
        input: input.iter().map(|v| v.to_bits()).collect(),
        expected,
        floats: None,
    }]
}

#[test]
fn it_is_what_rounding_to_half_does_without_the_rounding() {
    for v in inputs() {
        let mut one = [v];
        let beyond = cpu::run(Level::new(), &mut one);
        let (mut before, mut after) = ([0], [0]);
        assert_eq!(crate::ops::to_half::cpu::run(Level::new(), &[v], &mut before), beyond, "{v:e}");
        assert_eq!(crate::ops::to_half::cpu::run(Level::new(), &one, &mut after), 0, "{v:e}");
        assert_eq!(before, after, "{v:e}");
        assert!(beyond == 1 || v.to_bits() == one[0].to_bits(), "{v:e}");
    }
}
