//! ZIP and ZIPS blocks. Deflate is what a plate costs once the picture is
//! fast, so it is done here, by libdeflate and straight from the planes;
//! the `exr` crate's way takes about three times as long for the same size.
//!
//! The form of a block is that of OpenEXR's technical introduction ("ZIP") and
//! of its `ImfZip`: the bytes of the rows in file order are dealt into a half
//! of even and a half of odd positions, each byte becomes its difference to
//! the one before plus 128, and zlib packs the result. A block that does not
//! get smaller is stored as it was. libdeflate's output depends on its input
//! and level alone, not on the instruction set that it finds.

use super::{Planes, block_bytes, in_file_order};
use libdeflater::{CompressionError, CompressionLvl, Compressor};
use std::ops::Range;

/// Level of libdeflate. OpenEXR's own, 4, takes two fifths more time for files
/// that are 2 % smaller; see `benches/RESULTS.md`.
const LEVEL: i32 = 1;

/// Packs blocks; keeps its tables and buffers between them.
pub(super) struct Packer {
    deflate: Compressor,
    dealt: Vec<u8>,
    differences: Vec<u8>,
    packed: Vec<u8>,
}

impl Packer {
    pub(super) fn new() -> Self {
        let level = CompressionLvl::new(LEVEL).unwrap_or_default();
        Self {
            deflate: Compressor::new(level),
            dealt: Vec::new(),
            differences: Vec::new(),
            packed: Vec::new(),
        }
    }

    /// The block of `rows`, as it stands in the file.
    pub(super) fn pack(&mut self, planes: Planes<'_>, rows: Range<usize>) -> Vec<u8> {
        let size = rows.len() * planes.width as usize * 6;
        self.deal(planes, rows.clone(), size / 2);
        self.difference();
        // One byte less than the block as it was: what does not fit is no gain.
        self.packed.resize(size - 1, 0);
        match self.deflate.zlib_compress(&self.differences, &mut self.packed) {
            Ok(length) => self.packed[..length].to_vec(),
            Err(CompressionError::InsufficientSpace) => block_bytes(planes, rows, u16::to_le_bytes),
        }
    }

    /// A half value is two bytes, so all low bytes lie in the first half of
    /// the block and all high bytes in the second.
    fn deal(&mut self, planes: Planes<'_>, rows: Range<usize>, half: usize) {
        self.dealt.resize(2 * half, 0);
        let (low, high) = self.dealt.split_at_mut(half);
        let to = low
            .chunks_exact_mut(planes.width as usize)
            .zip(high.chunks_exact_mut(planes.width as usize));
        for (values, (low, high)) in in_file_order(planes, rows).zip(to) {
            for ((value, low), high) in values.iter().zip(low).zip(high) {
                [*low, *high] = value.to_le_bytes();
            }
        }
    }

    fn difference(&mut self) {
        let dealt = &self.dealt;
        self.differences.resize(dealt.len(), 0);
        self.differences[0] = dealt[0];
        for ((to, value), before) in self.differences[1..].iter_mut().zip(&dealt[1..]).zip(dealt) {
            *to = value.wrapping_sub(*before).wrapping_add(128);
        }
    }
}
