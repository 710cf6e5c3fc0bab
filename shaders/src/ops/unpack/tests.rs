//! Every packing, read bit by bit.

use super::*;
use crate::twin::{Trial, noise_bytes};

const ALL: [Packing; 6] =
    [Packing::U8, Packing::U16Le, Packing::U16Be, Packing::Msb10, Packing::Msb12, Packing::Msb14];

/// Every packing at widths that end inside a group, with rows at odd bytes.
pub(super) fn trials() -> Vec<Trial> {
    let mut trials = Vec::new();
    for packing in ALL {
        for (width, height) in [(1_u32, 1_u32), (7, 3), (66, 5)] {
            let row_bytes = packing.row_bytes(width) + 1;
            let bytes = noise_bytes(row_bytes * height as usize, u64::from(width));
            let mut expected = vec![0_u16; (width * height) as usize];
            for (y, row) in expected.chunks_mut(width as usize).enumerate() {
                cpu::row(packing, &bytes[y * row_bytes..], row);
            }
            let (bits, little) = shader_form(packing);
            trials.push(Trial {
                name: format!("{packing:?} {width}x{height}"),
                probe: "fn raw_word(i: u32) -> u32 { return input[i]; }
                    fn probe(i: u32) -> u32 {
                        return unpack(i / params[0] * params[1], i % params[0], params[2], params[3] == 1u);
                    }"
                .into(),
                params: vec![width, row_bytes as u32, bits, u32::from(little)],
                input: crate::twin::words(&bytes),
                expected: expected.into_iter().map(u32::from).collect(),
                floats: None,
            });
        }
    }
    trials
}

/// An independent packer: the samples as one long string of bits.
fn pack(samples: &[u16], bits: u32) -> Vec<u8> {
    let mut text: String =
        samples.iter().map(|s| format!("{s:0width$b}", width = bits as usize)).collect();
    while !text.len().is_multiple_of(8) {
        text.push('0');
    }
    text.as_bytes()
        .chunks(8)
        .map(|c| u8::from_str_radix(std::str::from_utf8(c).unwrap(), 2).unwrap())
        .collect()
}

#[test]
fn samples_come_back_at_every_width() {
    for packing in [Packing::U8, Packing::Msb10, Packing::Msb12, Packing::Msb14, Packing::U16Be] {
        let bits = packing.bits();
        for width in 1..40_usize {
            let samples: Vec<u16> =
                (0..width).map(|i| ((i * 40_503 + 977) & ((1 << bits) - 1)) as u16).collect();
            let mut out = vec![0; width];
            cpu::row(packing, &pack(&samples, bits), &mut out);
            assert_eq!(out, samples, "{packing:?} of {width}");
        }
    }
}

#[test]
fn known_bytes_mean_known_samples() {
    let mut out = [0; 2];
    cpu::row(Packing::Msb12, &[0xab, 0xcd, 0xef], &mut out);
    assert_eq!(out, [0xabc, 0xdef]);
    cpu::row(Packing::U16Le, &[0x34, 0x12, 0x78, 0x56], &mut out);
    assert_eq!(out, [0x1234, 0x5678]);
    let mut out = [0; 4];
    cpu::row(Packing::Msb10, &[0xff, 0xc0, 0x0f, 0xfc, 0x00], &mut out);
    assert_eq!(out, [0x3ff, 0, 0x3ff, 0]);
    cpu::row(Packing::Msb14, &[0xff, 0xfc, 0x00, 0x0f, 0xff, 0xc0, 0x01], &mut out);
    assert_eq!(out, [0x3fff, 0, 0x3fff, 1]);
}
