//! Every packing, read bit by bit.

use super::*;
use crate::twin::{Trial, noise_bytes};

const ALL: [Packing; 11] = [
    Packing::U8,
    Packing::U16Le,
    Packing::U16Be,
    Packing::Msb10,
    Packing::Msb12,
    Packing::Msb14,
    Packing::Word10,
    Packing::Word12,
    Packing::Word14,
    Packing::Lsb12,
    Packing::Arri12,
];

/// Every packing at widths that end inside a group, with rows at odd words.
pub(super) fn trials() -> Vec<Trial> {
    let mut trials = Vec::new();
    for packing in ALL {
        for (width, height) in [(1_u32, 1_u32), (7, 3), (66, 5)] {
            let row_bytes = packing.row_bytes(width) + packing.word_bytes();
            let bytes = noise_bytes(row_bytes * height as usize, u64::from(width));
            let mut expected = vec![0_u16; (width * height) as usize];
            for (y, row) in expected.chunks_mut(width as usize).enumerate() {
                cpu::row(packing, &bytes[y * row_bytes..], row);
            }
            let (bits, order) = shader_form(packing);
            trials.push(Trial {
                name: format!("{packing:?} {width}x{height}"),
                probe: "fn raw_word(i: u32) -> u32 { return input[i]; }
                    fn probe(i: u32) -> u32 {
                        return unpack(i / params[0] * params[1], i % params[0], params[2], params[3]);
                    }"
                .into(),
                params: vec![width, row_bytes as u32, bits, order],
                input: crate::twin::words(&bytes),
                expected: expected.into_iter().map(u32::from).collect(),
                floats: None,
            });
        }
    }
    trials
}

/// An independent packer: the samples as one long string of bits, padded to
/// whole words, whose bytes are then laid down as the packing has them.
fn pack(samples: &[u16], packing: Packing) -> Vec<u8> {
    let bits = packing.bits() as usize;
    let mut samples = samples.to_vec();
    if packing == Packing::Arri12 {
        samples.resize(samples.len().next_multiple_of(2), 0);
        samples.chunks_mut(2).for_each(<[u16]>::reverse);
    }
    let digits = |s: &u16| {
        let text = format!("{s:0bits$b}");
        if packing == Packing::Lsb12 { text.chars().rev().collect() } else { text }
    };
    let mut text: String = samples.iter().map(digits).collect();
    let word = if packing == Packing::U16Be { 1 } else { packing.word_bytes() };
    while !text.len().is_multiple_of(8 * word) {
        text.push('0');
    }
    let byte = |c: &[u8]| {
        let mut digits = c.to_vec();
        if packing == Packing::Lsb12 {
            digits.reverse();
        }
        u8::from_str_radix(std::str::from_utf8(&digits).unwrap(), 2).unwrap()
    };
    let mut bytes: Vec<u8> = text.as_bytes().chunks(8).map(byte).collect();
    bytes.chunks_mut(word).for_each(<[u8]>::reverse);
    bytes
}

#[test]
fn samples_come_back_at_every_width() {
    for packing in ALL {
        let mask = ((1_u32 << packing.bits()) - 1) as usize;
        for width in 1..40_usize {
            let samples: Vec<u16> =
                (0..width).map(|i| ((i * 40_503 + 977) & mask) as u16).collect();
            let bytes = pack(&samples, packing);
            assert_eq!(bytes.len(), packing.row_bytes(width as u32), "{packing:?} of {width}");
            let mut out = vec![0; width];
            cpu::row(packing, &bytes, &mut out);
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
    // Magic Lantern: the first sample is on top of the first word.
    let mut out = [0; 2];
    cpu::row(Packing::Word14, &[0b1111_1101, 0xff, 0b0001_0000, 0x00], &mut out);
    assert_eq!(out, [0x3fff, 0b01_0000_0000_0001]);
    // ARRI: the second sample of a pair is on top; here 0x123 and 0x456.
    cpu::row(Packing::Arri12, &[0, 0x23, 0x61, 0x45], &mut out);
    assert_eq!(out, [0x123, 0x456]);
    cpu::row(Packing::Lsb12, &[0x23, 0x61, 0x45], &mut out);
    assert_eq!(out, [0x123, 0x456]);
}
