//! ZIP and ZIPS blocks, straight from the planes. Deflate is what a plate
//! costs once the picture is fast, so there are two ways to it: our own, without
//! a search ([`super::deflate`]), which is many times as fast and smaller wherever there
//! is grain; and libdeflate's, for graphics, where repetitions pay. Which of
//! them a picture gets is tried on some of its blocks, so that it follows from the picture
//! and from nothing else.
//!
//! The form of a block is that of OpenEXR's technical introduction ("ZIP") and
//! of its `ImfZip`: the bytes of the rows in file order are dealt into a half
//! of even and a half of odd positions, each byte becomes its difference to
//! the one before plus 128, and zlib packs the result. libdeflate's output
//! depends on its input and level alone, not on the instruction set that it
//! finds.

use super::blocks::Block;
use super::deflate::Deflate;
use fearless_simd::{Level, dispatch};
use libdeflater::{CompressionLvl, Compressor};

/// How hard to look for repetitions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Search {
    /// As the picture asks: not at all, or as [`Search::Level`] 1.
    Auto,
    /// Not at all.
    None,
    /// As libdeflate's level, 1 to 12.
    Level(i32),
}

/// One block in so many is tried both ways.
const TRIED: usize = 16;
/// A search has to make this much of a difference to be worth its time, as a share of the size.
const GAIN: f64 = 0.03;

impl Search {
    /// What [`Search::Auto`] comes to for a picture of these blocks.
    pub(super) fn settled<'a>(self, blocks: impl ExactSizeIterator<Item = Block<'a>>) -> Self {
        if self != Self::Auto {
            return self;
        }
        let mut packers = [Self::None, Self::Level(1)].map(Packer::new);
        let mut sums = [0; 2];
        let mut out = Vec::new();
        let first = (TRIED / 2).min(blocks.len() / 2);
        for block in blocks.skip(first).step_by(TRIED) {
            out.resize(2 * block.len(), 0);
            for (sum, packer) in sums.iter_mut().zip(&mut packers) {
                *sum += packer.pack(&block, &mut out).unwrap_or(2 * block.len());
            }
        }
        let [without, with] = sums.map(|sum| sum as f64);
        if with < (1.0 - GAIN) * without { Self::Level(1) } else { Self::None }
    }
}

/// Packs blocks; keeps its tables and buffers between them.
pub(super) struct Packer {
    level: Level,
    way: Way,
    differences: Vec<u8>,
}

enum Way {
    Ours(Deflate),
    Searching(Compressor),
}

impl Packer {
    pub(super) fn new(search: Search) -> Self {
        let way = match search {
            Search::Auto | Search::None => Way::Ours(Deflate::default()),
            Search::Level(level) => {
                Way::Searching(Compressor::new(CompressionLvl::new(level).unwrap_or_default()))
            }
        };
        Self { level: Level::new(), way, differences: Vec::new() }
    }

    /// The block, packed into `out`; its length, when it has room there.
    pub(super) fn pack(&mut self, block: &Block<'_>, out: &mut [u8]) -> Option<usize> {
        differences(self.level, block.in_file_order(), block.len(), &mut self.differences);
        match &mut self.way {
            Way::Ours(deflate) => deflate.zlib(&self.differences, block.len(), out),
            Way::Searching(deflate) => deflate.zlib_compress(&self.differences, out).ok(),
        }
    }
}

/// The differences of the low bytes of all values, then of the high bytes. A
/// half value is two bytes, so all low bytes lie in the first half and all
/// high bytes in the second; the differences run on over rows and halves.
pub(super) fn differences<'a>(
    level: Level,
    rows: impl Iterator<Item = &'a [u16]>,
    values: usize,
    out: &mut Vec<u8>,
) {
    out.resize(2 * values, 0);
    let (mut low, mut high) = out.split_at_mut(values);
    let mut before = None;
    for row in rows {
        let (low_row, high_row);
        (low_row, low) = low.split_at_mut(row.len());
        (high_row, high) = high.split_at_mut(row.len());
        // The first byte of the block has none before it and stays as it is.
        let last = before.unwrap_or([128; 2]);
        dispatch!(level, _simd => row_differences(row, last, low_row, high_row));
        before = row.last().map(|value| value.to_le_bytes());
    }
    // The first of the high bytes follows the last of the low ones.
    if let Some([last, _]) = before {
        out[values] = out[values].wrapping_sub(last).wrapping_add(128);
    }
}

/// The differences of one row, which follows a value with the bytes `last`.
#[inline(always)]
fn row_differences(row: &[u16], last: [u8; 2], low: &mut [u8], high: &mut [u8]) {
    let step = |value: u8, before: u8| value.wrapping_sub(before).wrapping_add(128);
    if let (Some(value), Some(low), Some(high)) = (row.first(), low.first_mut(), high.first_mut()) {
        let value = value.to_le_bytes();
        (*low, *high) = (step(value[0], last[0]), step(value[1], last[1]));
    }
    let values = row.iter().zip(row.iter().skip(1));
    for (((before, value), low), high) in
        values.zip(low.iter_mut().skip(1)).zip(high.iter_mut().skip(1))
    {
        let (value, before) = (value.to_le_bytes(), before.to_le_bytes());
        (*low, *high) = (step(value[0], before[0]), step(value[1], before[1]));
    }
}
