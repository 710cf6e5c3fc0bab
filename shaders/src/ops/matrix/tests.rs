//! The matrix against f64.

use super::*;
use crate::twin::{Trial, wide_range};
use fearless_simd::Level;

const CAMERA: [[f64; 3]; 3] =
    [[0.682, 0.241, 0.077], [0.052, 1.103, -0.155], [0.004, -0.291, 1.287]];

pub(super) fn trials() -> Vec<Trial> {
    let m = working(CAMERA);
    let values = wide_range();
    let third = values.len() / 3;
    let (red, rest) = values.split_at(third);
    let (green, blue) = (&rest[..third], &rest[third..2 * third]);
    // Neighbouring magnitudes, so that all three terms count; and mixed ones.
    let shuffled: Vec<f32> = green.iter().rev().copied().collect();
    [("alike", red, red, red), ("mixed", red, green, &shuffled[..]), ("far", blue, &shuffled[..], red)]
        .into_iter()
        .map(|(name, r, g, b)| {
            let mut out = [r.to_vec(), g.to_vec(), b.to_vec()];
            let [x, y, z] = &mut out;
            cpu::run(Level::new(), &m, x, y, z);
            let input: Vec<u32> = [r, g, b].concat().iter().map(|v| v.to_bits()).collect();
            let terms = |row: usize, i: usize| {
                (m[3 * row] * r[i]).abs().max((m[3 * row + 1] * g[i]).abs()).max((m[3 * row + 2] * b[i]).abs())
            };
            Trial {
                name: name.into(),
                probe: format!(
                    "fn value(i: u32) -> f32 {{ return bitcast<f32>(input[i]); }}
                    fn entry(i: u32) -> f32 {{ return bitcast<f32>(params[i]); }}
                    fn probe(i: u32) -> u32 {{
                        let p = i % {third}u;
                        let r = i / {third}u * 3u;
                        let rgb = vec3<f32>(value(p), value({third}u + p), value(2u * {third}u + p));
                        return bitcast<u32>(matrix_row(vec3<f32>(entry(r), entry(r + 1u), entry(r + 2u)), rgb));
                    }}"
                ),
                params: m.iter().map(|v| v.to_bits()).collect(),
                input,
                expected: out.concat().iter().map(|v| v.to_bits()).collect(),
                floats: Some((0..3 * third).map(|i| terms(i / third, i % third)).collect()),
            }
        })
        .collect()
}

#[test]
fn a_matrix_is_applied_by_rows() {
    let m = working([[1.0, 2.0, 4.0], [8.0, 16.0, 32.0], [64.0, 128.0, 256.0]]);
    let (mut r, mut g, mut b) = ([1.0, 0.0, 0.0, 1.0], [0.0, 1.0, 0.0, 1.0], [0.0, 0.0, 1.0, 1.0]);
    cpu::run(Level::new(), &m, &mut r, &mut g, &mut b);
    assert_eq!(r, [1.0, 2.0, 4.0, 7.0]);
    assert_eq!(g, [8.0, 16.0, 32.0, 56.0]);
    assert_eq!(b, [64.0, 128.0, 256.0, 448.0]);
}
