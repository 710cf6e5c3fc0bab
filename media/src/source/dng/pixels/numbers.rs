//! Rows of stored bytes to numbers: packed whole samples, floats of 16, 24
//! and 32 bits, and the predictors that deflate is helped with.

use super::super::raw::{Predictor, RawPicture};
use super::place::Place;
use half::f16;
use half::slice::HalfFloatSliceExt;

/// Puts the rows of a piece, once they are not compressed, into their place.
pub(super) fn put_rows(raw: &RawPicture, bytes: &[u8], place: &mut Place<'_>) {
    let samples = raw.stored_row_samples();
    let rows = bytes.chunks_exact(raw.stored_row_bytes());
    if raw.float {
        let mut row = FloatRow::new(samples);
        for bytes in rows {
            row.read(bytes, raw.bits, raw.big_endian);
            place.put(&row.floats, f32::to_le_bytes);
        }
        return;
    }
    let mut row = vec![0u16; samples];
    for bytes in rows {
        whole(bytes, raw.stored_bits as usize, raw.big_endian, &mut row);
        if let Predictor::Horizontal(pixels) = raw.predictor {
            sum_up(&mut row, (pixels * raw.piece_samples()) as usize, u16::wrapping_add);
            if raw.stored_bits == 8 {
                row.iter_mut().for_each(|sample| *sample &= 0xFF);
            }
        }
        place.put(&row, u16::to_le_bytes);
    }
}

/// The same, of floats whose bytes were sorted and stored as differences `pixels` apart
/// ([`Predictor::Float`]; Adobe Photoshop TIFF technical note 3); `bytes` are used up.
pub(super) fn put_sorted_rows(
    raw: &RawPicture,
    pixels: u32,
    bytes: &mut [u8],
    place: &mut Place<'_>,
) {
    let mut row = FloatRow::new(raw.stored_row_samples());
    for bytes in bytes.chunks_exact_mut(raw.stored_row_bytes()) {
        sum_up(bytes, (pixels * raw.piece_samples()) as usize, u8::wrapping_add);
        row.read_sorted(bytes, raw.bits);
        place.put(&row.floats, f32::to_le_bytes);
    }
}

/// Undoes differences: each value is stored less the one `step` before it. The sums stay in
/// registers for the steps that occur.
fn sum_up<T: Copy + Default>(values: &mut [T], step: usize, add: fn(T, T) -> T) {
    fn fixed<T: Copy + Default, const N: usize>(values: &mut [T], add: fn(T, T) -> T) {
        let mut sums = [T::default(); N];
        let mut groups = values.chunks_exact_mut(N);
        for group in &mut groups {
            for (value, sum) in group.iter_mut().zip(&mut sums) {
                *sum = add(*sum, *value);
                *value = *sum;
            }
        }
        for (value, sum) in groups.into_remainder().iter_mut().zip(sums) {
            *value = add(sum, *value);
        }
    }
    match step {
        1 => fixed::<T, 1>(values, add),
        2 => fixed::<T, 2>(values, add),
        3 => fixed::<T, 3>(values, add),
        4 => fixed::<T, 4>(values, add),
        6 => fixed::<T, 6>(values, add),
        _ => {
            for i in step..values.len() {
                values[i] = add(values[i - step], values[i]);
            }
        }
    }
}

/// Whole samples of 8 to 16 bits: 8 and 16 bits as bytes and words of the file's order, all
/// others most significant bit first.
fn whole(bytes: &[u8], bits: usize, big_endian: bool, row: &mut [u16]) {
    match bits {
        8 => row.iter_mut().zip(bytes).for_each(|(to, b)| *to = u16::from(*b)),
        16 => {
            for (to, pair) in row.iter_mut().zip(bytes.chunks_exact(2)) {
                let pair = [pair[0], pair[1]];
                *to = if big_endian { u16::from_be_bytes(pair) } else { u16::from_le_bytes(pair) };
            }
        }
        _ => {
            for (x, to) in row.iter_mut().enumerate() {
                let (byte, shift) = (x * bits / 8, x * bits % 8);
                let at = |i: usize| u32::from(bytes.get(byte + i).copied().unwrap_or(0));
                let word = at(0) << 16 | at(1) << 8 | at(2);
                *to = (word >> (24 - shift - bits)) as u16 & ((1 << bits) - 1);
            }
        }
    }
}

/// A row of floats in the making.
struct FloatRow {
    floats: Vec<f32>,
    halves: Vec<f16>,
}

impl FloatRow {
    fn new(samples: usize) -> Self {
        Self { floats: vec![0.0; samples], halves: vec![f16::ZERO; samples] }
    }

    /// Floats one after the other, in the file's byte order.
    fn read(&mut self, bytes: &[u8], bits: u32, big_endian: bool) {
        let word = |cell: &[u8]| {
            let add = |word: u32, byte: &u8| word << 8 | u32::from(*byte);
            if big_endian { cell.iter().fold(0, add) } else { cell.iter().rfold(0, add) }
        };
        let cells = bytes.chunks_exact(bits as usize / 8);
        match bits {
            16 => {
                let halves = self.halves.iter_mut().zip(cells);
                halves.for_each(|(to, cell)| *to = f16::from_bits(word(cell) as u16));
                self.halves.convert_to_f32_slice(&mut self.floats);
            }
            24 => self.fill(cells.map(|cell| float24(word(cell)))),
            _ => self.fill(cells.map(|cell| f32::from_bits(word(cell)))),
        }
    }

    /// The first bytes of all floats, then the second ones, and so on.
    fn read_sorted(&mut self, bytes: &[u8], bits: u32) {
        let count = self.floats.len();
        let plane = |i: usize| bytes[i * count..][..count].iter().map(|b| u32::from(*b));
        let top = plane(0).zip(plane(1)).map(|(a, b)| a << 8 | b);
        match bits {
            16 => {
                let halves = self.halves.iter_mut().zip(top);
                halves.for_each(|(to, word)| *to = f16::from_bits(word as u16));
                self.halves.convert_to_f32_slice(&mut self.floats);
            }
            24 => self.fill(top.zip(plane(2)).map(|(top, c)| float24(top << 8 | c))),
            _ => {
                let low = plane(2).zip(plane(3)).map(|(c, d)| c << 8 | d);
                self.fill(top.zip(low).map(|(top, low)| f32::from_bits(top << 16 | low)));
            }
        }
    }

    fn fill(&mut self, values: impl Iterator<Item = f32>) {
        self.floats.iter_mut().zip(values).for_each(|(to, value)| *to = value);
    }
}

/// DNG's float of 24 bits: a sign, 7 bits of exponent with a bias of 63, 16 bits of fraction.
fn float24(word: u32) -> f32 {
    let (sign, exponent, fraction) = (word >> 23 << 31, word >> 16 & 0x7F, word & 0xFFFF);
    let magnitude = match exponent {
        // 2^-62 parts of 2^-16: too small for the exponent, not for a float of 32 bits.
        0 => (fraction as f32 * 2f32.powi(-78)).to_bits(),
        0x7F => 0x7F80_0000 | fraction << 7,
        _ => (exponent + 127 - 63) << 23 | fraction << 7,
    };
    f32::from_bits(sign | magnitude)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// By the definition: fraction over 2^16, times two to the exponent less its bias.
    #[test]
    fn floats_of_24_bits_are_what_they_say() {
        for (word, value) in [
            (0x3F_0000, 1.0),
            (0xC0_8000, -3.0),
            (0x3E_0000, 0.5),
            (0x01_0000, 2f64.powi(-62)),
            (0x00_0001, 2f64.powi(-78)),
            (0x7E_FFFF, 2f64.powi(64) - 2f64.powi(47)),
            (0, 0.0),
        ] {
            assert_eq!(f64::from(float24(word)), value, "{word:06x}");
        }
        assert!(float24(0x7F_0000).is_infinite() && float24(0x7F_0001).is_nan());
    }

    #[test]
    fn predictors_are_undone_over_their_step() {
        for step in 1..9 {
            let values: Vec<u16> = (0..50u16).map(|i| i.wrapping_mul(40_503)).collect();
            let mut differences: Vec<u16> = (0..50)
                .map(|i| values[i].wrapping_sub(if i < step { 0 } else { values[i - step] }))
                .collect();
            sum_up(&mut differences, step, u16::wrapping_add);
            assert_eq!(differences, values, "{step}");
        }
        // Two floats of 16 bits, 0x3C00 and 0x3E00: bytes 3C 3E 00 00.
        let mut row = FloatRow::new(2);
        row.read_sorted(&[0x3C, 0x3E, 0, 0], 16);
        assert_eq!(row.floats, [1.0, 1.5]);
        row.read_sorted(&[0x3F, 0x40, 0x80, 0x40, 0, 0, 0, 1], 32);
        assert_eq!(row.floats, [1.0, f32::from_bits(0x4040_0001)]);
    }
}
