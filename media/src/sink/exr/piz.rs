//! PIZ blocks: good on grain, and OpenEXR's fastest lossless form.
//!
//! The form of a block is that of OpenEXR's `ImfPizCompressor`: values that
//! occur are numbered in their order (a bitmap tells which), each channel goes
//! through the [`wavelet`](super::wavelet), and all of it through the
//! [Huffman coder](super::huffman). Written here because the `exr` crate takes
//! about as long as OpenEXR does, and half of that is enough.

use super::blocks::Block;
use super::huffman::Coder;
use super::wavelet::Levels;
use fearless_simd::{Level, dispatch};

const VALUES: usize = 1 << 16;

/// Packs blocks; keeps its tables and buffers between them.
pub(super) struct Packer {
    level: Level,
    /// Whether a value occurs.
    occurs: Vec<bool>,
    /// Number of each value that occurs.
    numbers: Vec<u16>,
    values: Vec<u16>,
    levels: Levels,
    coder: Coder,
}

impl Default for Packer {
    fn default() -> Self {
        Self {
            level: Level::new(),
            occurs: vec![false; VALUES],
            numbers: vec![0; VALUES],
            values: Vec::new(),
            levels: Levels::default(),
            coder: Coder::default(),
        }
    }
}

impl Packer {
    /// The block, packed into `out`; its length, when it has room there.
    pub(super) fn pack(&mut self, block: &Block<'_>, out: &mut [u8]) -> Option<usize> {
        let (largest, bitmap) = self.number(block, out)?;
        self.values.clear();
        for plane in &block.channels {
            self.values.extend(plane.iter().map(|v| self.numbers[usize::from(*v)]));
        }
        let (width, levels) = (block.width, &mut self.levels);
        for plane in self.values.chunks_exact_mut(block.width * block.rows) {
            dispatch!(self.level, _simd => levels.transform(plane, width, largest));
        }
        let (head, data) = out.split_at_mut_checked(bitmap + 4)?;
        let length = self.coder.encode(&self.values, data)?;
        head[bitmap..].copy_from_slice(&u32::try_from(length).ok()?.to_le_bytes());
        Some(bitmap + 4 + length)
    }

    /// Numbers the values that occur and writes which these are: first and
    /// last byte of the bitmap that are not 0, and the bytes between. Zero has the
    /// number 0, whether it occurs or not, and no bit. Returns the largest
    /// number and the bytes written.
    fn number(&mut self, block: &Block<'_>, out: &mut [u8]) -> Option<(u16, usize)> {
        self.occurs.fill(false);
        for plane in &block.channels {
            for value in *plane {
                self.occurs[usize::from(*value)] = true;
            }
        }
        self.occurs[0] = false;
        let mut number = 0;
        let mut bitmap = [0u8; VALUES / 8];
        let places = bitmap.iter_mut().zip(self.occurs.chunks_exact(8));
        for ((byte, occurs), numbers) in places.zip(self.numbers.chunks_exact_mut(8)) {
            if !occurs.contains(&true) {
                continue;
            }
            for (bit, (occurs, to)) in occurs.iter().zip(numbers).enumerate() {
                *byte |= u8::from(*occurs) << bit;
                number += u16::from(*occurs);
                *to = number;
            }
        }
        self.numbers[0] = 0;
        // Without any bit the range is an empty one, from the last byte to the first.
        let first = bitmap.iter().position(|byte| *byte != 0).unwrap_or(bitmap.len() - 1);
        let last = bitmap.iter().rposition(|byte| *byte != 0).unwrap_or(0);
        let used = bitmap.get(first..=last).unwrap_or_default();
        let (head, rest) = out.split_at_mut_checked(4)?;
        head[..2].copy_from_slice(&(first as u16).to_le_bytes());
        head[2..].copy_from_slice(&(last as u16).to_le_bytes());
        rest.get_mut(..used.len())?.copy_from_slice(used);
        Some((number, 4 + used.len()))
    }
}
