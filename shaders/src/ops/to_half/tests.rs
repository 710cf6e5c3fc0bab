//! Rounding to half against another implementation, over a dense sweep.

use super::cpu::half_bits;
use super::*;
use crate::twin::{Trial, wide_range};
use fearless_simd::Level;
use half::f16;

/// What the rule says, by the `half` crate.
fn expected(value: f32) -> u16 {
    if value.is_nan() {
        return 0;
    }
    let half = f16::from_f32_const(value);
    if half.is_infinite() { half.to_bits() - 1 } else { half.to_bits() }
}

/// Values at and around every rounding boundary, special ones, wide range.
fn inputs() -> Vec<f32> {
    let mut values = wide_range();
    for bits in (0..0x7c00_u16).step_by(37).chain([1, 2, 0x3ff, 0x400, 0x7bfe, 0x7bff]) {
        let low = f16::from_bits(bits).to_f32();
        let high = if bits == 0x7bff { 65_536.0 } else { f16::from_bits(bits + 1).to_f32() };
        let middle = f32::midpoint(low, high);
        for v in [low, middle, middle.next_up(), middle.next_down()] {
            values.extend([v, -v]);
        }
    }
    values
}

pub(super) fn trials() -> Vec<Trial> {
    let values = inputs();
    let mut out = vec![0; values.len()];
    let _ = cpu::run(Level::new(), &values, &mut out);
    vec![Trial {
        name: "boundaries, wide range, special values".into(),
        probe: "fn probe(i: u32) -> u32 {
            return to_half(input[i]) | select(0u, 0x10000u, beyond_half(input[i]));
        }"
        .into(),
        params: vec![0],
        input: values.iter().map(|v| v.to_bits()).collect(),
        expected: values
            .iter()
            .zip(&out)
            .map(|(v, half)| {
                let beyond = cpu::run(Level::new(), &[*v], &mut [0]);
                u32::from(*half) | (beyond as u32) << 16
            })
            .collect(),
        floats: None,
    }]
}

#[test]
fn a_dense_sweep_agrees_with_the_half_crate() {
    // A prime step visits patterns of every exponent with all kinds of tails.
    for bits in (0..=u32::MAX).step_by(1009) {
        let v = f32::from_bits(bits);
        assert_eq!(half_bits(v), expected(v), "{bits:#010x} = {v:e}");
    }
    for v in inputs() {
        assert_eq!(half_bits(v), expected(v), "{v:e}");
    }
}

#[test]
fn every_half_comes_back_as_itself() {
    for bits in 0..=u16::MAX {
        let half = f16::from_bits(bits);
        if half.is_finite() {
            assert_eq!(half_bits(half.to_f32()), bits);
        }
    }
}

#[test]
fn what_cannot_be_held_is_made_finite_and_counted() {
    let values =
        [f32::NAN, f32::INFINITY, f32::NEG_INFINITY, 65_520.0, 65_519.996, -7e4, 1.0, -0.0];
    let mut out = [0; 8];
    assert_eq!(cpu::run(Level::new(), &values, &mut out), 5);
    assert_eq!(out, [0, 0x7bff, 0xfbff, 0x7bff, 0x7bff, 0xfbff, 0x3c00, 0x8000]);
}
