//! The pixels of a DPX file as codes, red, green and blue together, whatever
//! the packing (SMPTE ST 268, clause 5 and its tables of word layouts).

use super::header::{Header, Order, Packing};
use crate::source::read_fault;
use crate::storage::File;
use platefarm_model::{Code, Fault, Outcome};
use rayon::prelude::*;
use std::io::{Read, Seek, SeekFrom};
use std::path::Path;

/// Bytes that the samples of a row take, and bytes from one row to the next.
///
/// Rows begin at multiples of four bytes. Some writers did not know; where the file is too short for
/// rows that are aligned, they are not.
fn row_bytes(header: &Header, available: u64) -> (usize, usize) {
    let samples = header.width as usize * header.order.count();
    let taken = match (header.bits, header.packing) {
        (8, _) => samples,
        (10, Packing::FilledA | Packing::FilledB) => samples.div_ceil(3) * 4,
        (12, Packing::FilledA | Packing::FilledB) | (16, _) => samples * 2,
        (bits, _) => (samples * bits as usize).div_ceil(32) * 4,
    };
    let step = taken.next_multiple_of(4) + header.row_padding as usize;
    let needed = step as u64 * (u64::from(header.height) - 1) + taken as u64;
    (taken, if header.height > 1 && needed <= available { step } else { taken })
}

/// Bytes from one row to the next, in a file of `size` bytes that holds them all.
///
/// # Errors
/// [`Code::TruncatedFile`].
pub(super) fn rows(header: &Header, size: u64) -> Outcome<usize> {
    let available = size.saturating_sub(header.offset);
    let (taken, row) = row_bytes(header, available);
    let needed = row as u64 * (u64::from(header.height) - 1) + taken as u64;
    if needed <= available {
        return Ok(row);
    }
    Err(Fault::new(Code::TruncatedFile, format!("{available} bytes of pixels, {needed} expected"))
        .at(format!("offset {}", header.offset)))
}

/// Reads the codes of a file, top left first, as 16-bit little-endian words.
///
/// # Errors
/// [`Code::TruncatedFile`] and what a failed read means.
pub(super) fn read(path: &Path, header: &Header) -> Outcome<Vec<u8>> {
    let mut file = File::open(path).map_err(|e| read_fault(path, &e))?;
    let size = file.metadata().map_err(|e| read_fault(path, &e))?.len();
    let row = rows(header, size)?;
    let available = size.saturating_sub(header.offset);
    let samples = header.width as usize * header.order.count();
    let take = (row as u64 * u64::from(header.height)).min(available);
    let mut data = Vec::with_capacity(take as usize);
    file.seek(SeekFrom::Start(header.offset)).map_err(|e| read_fault(path, &e))?;
    file.take(take).read_to_end(&mut data).map_err(|e| read_fault(path, &e))?;
    // What is missing of the last row's alignment holds no sample.
    data.resize(row * header.height as usize, 0);

    let width = header.width as usize;
    let mut out = vec![0; width * header.height as usize * 6];
    out.par_chunks_exact_mut(width * 6).zip(data.par_chunks_exact(row)).for_each_init(
        || vec![0u16; samples],
        |codes, (to, from)| {
            unpack(header, from, codes);
            put(header, codes, to);
        },
    );
    if header.flip_rows {
        let row = width * 6;
        let (top, bottom) = out.split_at_mut(header.height as usize / 2 * row);
        let bottom = bottom.chunks_exact_mut(row).rev();
        top.chunks_exact_mut(row).zip(bottom).for_each(|(a, b)| a.swap_with_slice(b));
    }
    Ok(out)
}

/// The samples of one row.
fn unpack(header: &Header, row: &[u8], codes: &mut [u16]) {
    let word = |bytes: &[u8]| {
        let bytes = [bytes[0], bytes[1], bytes[2], bytes[3]];
        if header.big_endian { u32::from_be_bytes(bytes) } else { u32::from_le_bytes(bytes) }
    };
    let half = |bytes: &[u8]| {
        let bytes = [bytes[0], bytes[1]];
        if header.big_endian { u16::from_be_bytes(bytes) } else { u16::from_le_bytes(bytes) }
    };
    match (header.bits, header.packing) {
        (8, _) => codes.iter_mut().zip(row).for_each(|(code, byte)| *code = u16::from(*byte)),
        (16, _) => codes.iter_mut().zip(row.chunks_exact(2)).for_each(|(c, b)| *c = half(b)),
        (12, Packing::FilledA) => {
            codes.iter_mut().zip(row.chunks_exact(2)).for_each(|(c, b)| *c = half(b) >> 4);
        }
        (12, Packing::FilledB) => {
            codes.iter_mut().zip(row.chunks_exact(2)).for_each(|(c, b)| *c = half(b) & 0xfff);
        }
        (10, Packing::FilledA | Packing::FilledB) => {
            let unused = if header.packing == Packing::FilledA { 2 } else { 0 };
            for (three, bytes) in codes.chunks_mut(3).zip(row.chunks_exact(4)) {
                let word = word(bytes) >> unused;
                for (code, shift) in three.iter_mut().zip([20, 10, 0]) {
                    *code = (word >> shift & 0x3ff) as u16;
                }
            }
        }
        // From the low end of each word to its high end, then on in the next.
        (bits, _) => {
            let mut words = row.chunks_exact(4).map(word);
            let (mut held, mut have) = (0u64, 0);
            for code in codes {
                if have < bits {
                    held |= u64::from(words.next().unwrap_or(0)) << have;
                    have += 32;
                }
                *code = (held & ((1 << bits) - 1)) as u16;
                held >>= bits;
                have -= bits;
            }
        }
    }
}

/// Red, green and blue of the row's pixels.
fn put(header: &Header, codes: &[u16], to: &mut [u8]) {
    let places = header.order.rgb();
    let pixels = codes.chunks_exact(header.order.count());
    let one = |to: &mut [u8], pixel: &[u16]| {
        for (to, place) in to.chunks_exact_mut(2).zip(places) {
            to.copy_from_slice(&pixel[place].to_le_bytes());
        }
    };
    if header.flip_columns {
        to.chunks_exact_mut(6).rev().zip(pixels).for_each(|(to, pixel)| one(to, pixel));
    } else if header.order == Order::Rgb {
        to.chunks_exact_mut(2).zip(codes).for_each(|(to, c)| to.copy_from_slice(&c.to_le_bytes()));
    } else {
        to.chunks_exact_mut(6).zip(pixels).for_each(|(to, pixel)| one(to, pixel));
    }
}
