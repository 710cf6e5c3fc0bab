//! What is found, what is left alone, and the inputs of the comparison of both forms.

use super::cpu::row;
use crate::twin::{Trial, noise};
use fearless_simd::Level;

/// Columns and rows of a lattice of one colour.
const SIDE: usize = 23;

/// Every photosite of a lattice of one colour, beside another one of the same values.
fn mended(lattice: &[f32], gain: f32) -> Vec<f32> {
    let at = |y: usize| [0, 1].map(|_| lattice[y * SIDE..(y + 1) * SIDE].to_vec());
    let mut out = lattice.to_vec();
    for y in 1..SIDE - 1 {
        let rows = [y - 1, y, y + 1].map(at);
        let mut made = at(y);
        row(Level::new(), rows.each_ref(), [gain, gain], &mut made);
        assert_eq!(made[0], made[1]);
        out[y * SIDE + 1..][..SIDE - 2].copy_from_slice(&made[0][1..SIDE - 1]);
    }
    out
}

/// Noise with hot and dead photosites, some side by side.
fn spotted() -> Vec<f32> {
    let mut lattice = noise(SIDE * SIDE, 31, 0.30, 0.33);
    for (i, v) in lattice.iter_mut().enumerate() {
        match i % 37 {
            5 => *v = 0.9,
            17 => *v = 0.01,
            18 if i % 2 == 0 => *v = 0.02,
            _ => {}
        }
    }
    lattice
}

/// The same words from the shader; three sites apart is beyond what a site looks at.
pub(super) fn trials() -> Vec<Trial> {
    let lattice = spotted();
    [1.0, 2.1]
        .into_iter()
        .map(|gain: f32| {
            let made = mended(&lattice, gain);
            let inner = SIDE - 2;
            let expected =
                (0..inner * inner).map(|i| made[(i / inner + 1) * SIDE + i % inner + 1].to_bits());
            Trial {
                name: format!("spots at a gain of {gain}"),
                probe: format!(
                    "fn sensed(p: vec2<i32>) -> f32 {{ return bitcast<f32>(input[u32(p.y / 2 * {SIDE} + p.x / 2)]); }}
                    fn probe(i: u32) -> u32 {{
                        let at = vec2<i32>(i32(i) % {inner}, i32(i) / {inner}) + 1;
                        return bitcast<u32>(hot_pixels(2 * at, bitcast<f32>(params[0])));
                    }}"
                ),
                params: vec![gain.to_bits()],
                input: lattice.iter().map(|v| v.to_bits()).collect(),
                expected: expected.collect(),
                floats: None,
            }
        })
        .collect()
}

fn flat_with(spots: &[(usize, usize, f32)]) -> Vec<f32> {
    let mut lattice = vec![0.25; SIDE * SIDE];
    spots.iter().for_each(|(x, y, v)| lattice[y * SIDE + x] = *v);
    lattice
}

#[test]
fn what_sticks_out_goes_and_nothing_else_does() {
    let flat = flat_with(&[]);
    // Hot, dead, and hot beside dead.
    for spots in [
        &[(7, 9, 1.0), (12, 4, 0.0)][..],
        &[(7, 9, 0.4), (15, 15, 0.1)],
        &[(1, 1, 3.0), (SIDE - 2, SIDE - 2, -0.5)],
    ] {
        assert_eq!(mended(&flat_with(spots), 1.0), flat, "{spots:?}");
    }
    // Within the noise; and two side by side shield each other.
    for spots in [&[(7, 9, 0.3)][..], &[(7, 9, 0.2)], &[(7, 9, 1.0), (8, 9, 1.0)]] {
        let lattice = flat_with(spots);
        assert_eq!(mended(&lattice, 1.0), lattice, "{spots:?}");
    }
    // What counts as noise in the dark grows with the gain.
    let dark = |gain: f32| {
        let mut lattice = vec![0.0; SIDE * SIDE];
        lattice[5 * SIDE + 5] = 0.012;
        mended(&lattice, gain)[5 * SIDE + 5]
    };
    assert_eq!((dark(1.0), dark(2.0)), (0.0, 0.012));
}

#[test]
fn edges_lines_and_noise_are_no_spots() {
    let lattices: [Vec<f32>; 4] = [
        (0..SIDE * SIDE).map(|i| if i % SIDE < 11 { 0.02 } else { 1.0 }).collect(),
        (0..SIDE * SIDE).map(|i| if i % SIDE == i / SIDE { 1.0 } else { 0.1 }).collect(),
        (0..SIDE * SIDE).map(|i| if i % SIDE == 11 { 0.0 } else { 0.6 }).collect(),
        noise(SIDE * SIDE, 5, 0.2, 0.3),
    ];
    for (i, lattice) in lattices.iter().enumerate() {
        assert_eq!(mended(lattice, 1.0), *lattice, "lattice {i}");
    }
}

/// On an edge a spot becomes what its side of the edge is.
#[test]
fn a_spot_beside_an_edge_takes_its_side() {
    for turned in [false, true] {
        let side = |i: usize| if turned { i / SIDE } else { i % SIDE };
        let value = |i: usize| if side(i) < 11 { 0.1 } else { 0.5 };
        let mut lattice: Vec<f32> = (0..SIDE * SIDE).map(value).collect();
        let at = if turned { 10 * SIDE + 6 } else { 6 * SIDE + 10 };
        lattice[at] = 2.0;
        assert_eq!(mended(&lattice, 1.0)[at], 0.1);
    }
}
