//! Every half, every code, and curves, against the definitions.

use super::*;
use crate::ops::unpack::Unpack;
use crate::twin::{Trial, noise_bytes, special_values, words};
use fearless_simd::Level;

/// A row of pixels as interleaved values.
fn decode(level: Level, samples: RgbSamples, curve: &[f32], bytes: &[u8]) -> Vec<f32> {
    let pixels = bytes.len() / samples.pixel_bytes();
    let pairs = pixels.div_ceil(2);
    let mut runs = vec![f32::NAN; 6 * pairs];
    cpu::row(level, samples, curve, bytes, &mut runs);
    (0..pixels)
        .flat_map(|x| [0, 1, 2].map(|p| (2 * p + x % 2) * pairs + x / 2))
        .map(|at| runs[at])
        .collect()
}

/// Every 16-bit pattern, and an odd number of pixels.
fn every_code() -> Vec<u8> {
    (0..65_541_u32).flat_map(|code| (code as u16).to_le_bytes()).collect()
}

fn curve(entries: u32) -> Vec<f32> {
    (0..entries).map(|i| (i as f32 / entries as f32).powf(2.6) * 12.0 - 0.01).collect()
}

pub(super) fn trials() -> Vec<Trial> {
    let singles: Vec<u8> = special_values()
        .into_iter()
        .chain([0.18, -65_504.0, 1e9, f32::MAX, 1.0, -1.5])
        .flat_map(f32::to_le_bytes)
        .collect();
    let mut trials = Vec::new();
    for (name, samples, curve, bytes) in [
        ("every code", RgbSamples::U16, Vec::new(), every_code()),
        ("every half", RgbSamples::F16, Vec::new(), every_code()),
        ("every half by a curve", RgbSamples::F16, curve(65_536), every_code()),
        ("codes past the curve", RgbSamples::U16, curve(1023), every_code()),
        ("singles", RgbSamples::F32, Vec::new(), singles),
        ("noise", RgbSamples::F32, Vec::new(), noise_bytes(12 * 77, 4)),
    ] {
        // Rows may begin at any byte.
        for lead in 0..4 {
            let mut stored = noise_bytes(lead, 1);
            stored.extend(&bytes);
            let stored = words(&stored);
            let expected = decode(Level::new(), samples, &curve, &bytes);
            let at = stored.len();
            let mut input = stored;
            input.extend(curve.iter().map(|v| v.to_bits()));
            trials.push(Trial {
                name: format!("{name}, from byte {lead}"),
                probe: format!(
                    "{}
                    fn raw_word(i: u32) -> u32 {{ return input[i]; }}
                    fn curve_value(i: u32) -> f32 {{ return bitcast<f32>(input[{at}u + i]); }}
                    fn probe(i: u32) -> u32 {{
                        return rgb_decode(params[0], i / 3u, params[1], params[2])[i % 3u];
                    }}",
                    Unpack.wgsl()
                ),
                params: vec![lead as u32, shader_form(samples), curve.len() as u32],
                input,
                expected: expected.iter().map(|v| v.to_bits()).collect(),
                floats: None,
            });
            if expected.len() > 1000 && lead == 1 {
                // The large ones need not start everywhere.
                break;
            }
        }
    }
    trials
}

#[test]
fn every_half_is_what_the_half_crate_says() {
    for bits in 0..=u16::MAX {
        let expected = half::f16::from_bits(bits).to_f32();
        let got = cpu::from_half(bits);
        assert!(
            got.to_bits() == expected.to_bits() || got.is_nan() && expected.is_nan(),
            "{bits:#x}"
        );
    }
}

#[test]
fn whole_numbers_are_fractions_of_the_largest() {
    let values = decode(Level::new(), RgbSamples::U16, &[], &every_code());
    assert_eq!((values[0], values[65_535]), (0.0, 1.0));
    for (code, v) in values.iter().take(65_536).enumerate() {
        let exact = code as f64 / 65_535.0;
        assert!((f64::from(*v) - exact).abs() <= exact * 1.2e-7, "{code}: {v}");
    }
}

#[test]
fn codes_are_looked_up_and_the_last_entry_serves_the_rest() {
    let curve = [0.0, 0.5, 7.25];
    let bytes: Vec<u8> =
        [0_u16, 1, 2, 3, 65_535, 1].into_iter().flat_map(u16::to_le_bytes).collect();
    let values = decode(Level::new(), RgbSamples::U16, &curve, &bytes);
    assert_eq!(values, [0.0, 0.5, 7.25, 7.25, 7.25, 0.5]);
}

#[test]
fn an_instruction_set_cannot_be_seen() {
    for (samples, bytes) in [
        (RgbSamples::U16, every_code()),
        (RgbSamples::F16, every_code()),
        (RgbSamples::F32, noise_bytes(12 * 999, 8)),
    ] {
        let bits = |level| -> Vec<u32> {
            decode(level, samples, &[], &bytes).iter().map(|v| v.to_bits()).collect()
        };
        assert!(bits(Level::new()) == bits(Level::baseline()), "{samples:?}");
    }
}
