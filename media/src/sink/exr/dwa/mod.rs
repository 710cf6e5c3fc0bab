//! DWAA and DWAB blocks: lossy, small, for review and for shots that bear it.
//!
//! The form of a block is that of OpenEXR's `internal_dwa_compressor.h`: red,
//! green and blue go through a gamma-like [`curve`], into Y'CbCr, through a
//! cosine transform of 8x8 values, and are [rounded](transform) within an error that the
//! level allows. The first coefficients of all squares (DC) are deflated, the
//! others (AC) go run-length coded into PIZ's Huffman coder; alpha is kept
//! whole, as run lengths deflated.
//!
//! What a coefficient is rounded to is the writer's choice, within the error;
//! so files differ from OpenEXR's in bytes, and not in how they are read.

mod curve;
mod transform;

use super::blocks::Block;
use super::huffman::Coder;
use super::zip::differences;
use fearless_simd::{Level, dispatch};
use libdeflater::{CompressionLvl, Compressor};
use platefarm_model::recipe::Compression;
use transform::{LANES, SIDE, SQUARE, Strip};

/// Level of deflate for DC and alpha, which are small: it costs little to pack them well.
const DEFLATE_LEVEL: i32 = 6;
/// Version of the form: with the channels' rules in every block.
const VERSION: usize = 2;
/// The rules that hold for our channels: name, what is done (1: cosine transform, 2: run lengths;
/// at bit 2) and place in the colour triplet, from 1 (at bit 4), kind of value (1: half).
const COLOR_RULES: &[u8] = b"R\0\x14\x01G\0\x24\x01B\0\x34\x01";
const ALPHA_RULE: &[u8] = b"A\0\x08\x01";
/// Numbers before the rules, of 8 bytes each.
const NUMBERS: usize = 11;
/// In the AC values: so many zeros (low byte), or zeros to the end of the square (0). As halves these would be NaN.
const ZEROS: u16 = 0xff00;

/// Packs blocks; keeps its tables and buffers between them.
pub(super) struct Packer {
    level: Level,
    deflate: Compressor,
    coder: Coder,
    strip: Box<Strip>,
    ac: Vec<u16>,
    /// One plane of first coefficients for each of Y', Cb, Cr.
    dc: [Vec<u16>; 3],
    bytes: Vec<u8>,
    runs: Vec<u8>,
}

impl Default for Packer {
    fn default() -> Self {
        Self {
            level: Level::new(),
            deflate: Compressor::new(CompressionLvl::new(DEFLATE_LEVEL).unwrap_or_default()),
            coder: Coder::default(),
            strip: Box::new(Strip::new(Compression::DWA_LEVEL)),
            ac: Vec::new(),
            dc: Default::default(),
            bytes: Vec::new(),
            runs: Vec::new(),
        }
    }
}

impl Packer {
    /// The block, packed into `out`; its length, when it has room there.
    pub(super) fn pack(&mut self, block: &Block<'_>, out: &mut [u8]) -> Option<usize> {
        let [alpha @ .., b, g, r] = block.channels.as_slice() else { return None };
        let rules = if alpha.is_empty() { 0 } else { ALPHA_RULE.len() } + COLOR_RULES.len() + 2;
        let (head, mut data) = out.split_at_mut_checked(8 * NUMBERS + rules)?;
        self.transform([r, g, b], block.width, block.rows);

        let ac = self.coder.encode(&self.ac, data)?;
        data = &mut data[ac..];
        let dc_values = self.dc.iter().map(Vec::len).sum();
        differences(self.level, self.dc.iter().map(Vec::as_slice), dc_values, &mut self.bytes);
        let dc = self.deflate.zlib_compress(&self.bytes, data).ok()?;
        data = &mut data[dc..];
        let [mut runs, mut whole] = [0; 2];
        for plane in alpha {
            self.bytes.clear();
            self.bytes.extend(plane.iter().map(|value| value.to_le_bytes()[0]));
            self.bytes.extend(plane.iter().map(|value| value.to_le_bytes()[1]));
            run_lengths(&self.bytes, &mut self.runs);
            whole = self.bytes.len();
            runs = self.deflate.zlib_compress(&self.runs, data).ok()?;
        }

        // The zeros: nothing is kept as it is, and AC goes through Huffman's coder.
        let packed_runs = if alpha.is_empty() { 0 } else { self.runs.len() };
        let values = [self.ac.len(), dc_values];
        let numbers: [usize; NUMBERS] =
            [VERSION, 0, 0, ac, dc, runs, packed_runs, whole, values[0], values[1], 0];
        for (to, number) in head.chunks_exact_mut(8).zip(numbers) {
            to.copy_from_slice(&(number as u64).to_le_bytes());
        }
        let to = &mut head[8 * NUMBERS..];
        to[..2].copy_from_slice(&(rules as u16).to_le_bytes());
        to[2..][..COLOR_RULES.len()].copy_from_slice(COLOR_RULES);
        if !alpha.is_empty() {
            to[2 + COLOR_RULES.len()..].copy_from_slice(ALPHA_RULE);
        }
        Some(head.len() + ac + dc + runs)
    }

    /// Red, green and blue to AC and DC values.
    fn transform(&mut self, rgb: [&[u16]; 3], width: usize, rows: usize) {
        self.ac.clear();
        self.dc.iter_mut().for_each(Vec::clear);
        let squares = width.div_ceil(SIDE);
        for y in (0..rows).step_by(SIDE) {
            for first in (0..squares).step_by(LANES) {
                for (plane, channel) in rgb.into_iter().zip(0..) {
                    self.strip.load(channel, plane, width, [first * SIDE, y]);
                }
                let strip = &mut *self.strip;
                dispatch!(self.level, _simd => strip.quantise());
                for lane in 0..LANES.min(squares - first) {
                    for (component, dc) in self.dc.iter_mut().enumerate() {
                        let (values, present) = self.strip.square(component, lane);
                        dc.push(values(0));
                        push_runs(&mut self.ac, values, present);
                    }
                }
            }
        }
    }
}

/// The coefficients of a square behind the first, in the order of rising
/// frequency; zeros as runs. Bit k of `present` tells whether coefficient k is not 0.
fn push_runs(ac: &mut Vec<u16>, values: impl Fn(usize) -> u16, present: u64) {
    let mut at = 1;
    while at < SQUARE {
        let zeros = ((present >> at).trailing_zeros() as usize).min(SQUARE - at);
        match zeros {
            0 => {}
            1 => ac.push(0),
            _ if at + zeros == SQUARE => ac.push(ZEROS),
            _ => ac.push(ZEROS | zeros as u16),
        }
        at += zeros;
        if at < SQUARE {
            ac.push(values(at));
            at += 1;
        }
    }
}

/// Run lengths of bytes, as `ImfRle` has them: a count below 0 and so many
/// bytes as they are, or a count from 0 and one byte that comes once more than it says.
fn run_lengths(bytes: &[u8], out: &mut Vec<u8>) {
    const SHORTEST: usize = 3;
    const LONGEST: usize = 127;
    let repeats = |from: &[u8]| from.iter().take(LONGEST).take_while(|b| **b == from[0]).count();
    out.clear();
    let mut rest = bytes;
    while !rest.is_empty() {
        let run = repeats(rest);
        let length = if run >= SHORTEST {
            out.extend([(run - 1) as u8, rest[0]]);
            run
        } else {
            let apart =
                (0..rest.len().min(LONGEST)).take_while(|i| repeats(&rest[*i..]) < SHORTEST);
            let length = apart.count();
            out.push((length as u8).wrapping_neg());
            out.extend_from_slice(&rest[..length]);
            length
        };
        rest = &rest[length..];
    }
}
