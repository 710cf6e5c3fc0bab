//! Gains land on the photosites of their colour.

use super::*;
use crate::twin::{Trial, wide_range};
use fearless_simd::Level;

pub(super) fn trials() -> Vec<Trial> {
    [0.43_f32, 1.0, 2.187_5]
        .into_iter()
        .map(|gain| {
            let input = wide_range();
            let mut expected = input.clone();
            cpu::row(Level::new(), &mut expected, gain);
            Trial {
                name: format!("gain {gain}"),
                probe: "fn probe(i: u32) -> u32 {
                    return bitcast<u32>(white_balance(bitcast<f32>(input[i]), bitcast<f32>(params[0])));
                }"
                .into(),
                params: vec![gain.to_bits()],
                input: input.iter().map(|v| v.to_bits()).collect(),
                expected: expected.iter().map(|v| v.to_bits()).collect(),
                floats: Some(vec![1.0; expected.len()]),
            }
        })
        .collect()
}

#[test]
fn each_site_gets_the_gain_of_its_colour() {
    let gains = [2.0, 1.0, 1.5];
    assert_eq!(site_gains(Bayer::Rggb, gains), [2.0, 1.0, 1.0, 1.5]);
    assert_eq!(site_gains(Bayer::Grbg, gains), [1.0, 2.0, 1.5, 1.0]);
    assert_eq!(site_gains(Bayer::Gbrg, gains), [1.0, 1.5, 2.0, 1.0]);
    assert_eq!(site_gains(Bayer::Bggr, gains), [1.5, 1.0, 1.0, 2.0]);
}
