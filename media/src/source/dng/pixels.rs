//! From strips and tiles to the bytes of one frame.
//!
//! Samples stay as the file packs them where a [`Packing`] can describe the
//! whole raster; all else becomes little-endian words. Tiles are decoded in
//! parallel: their order in the output does not depend on threads.

use super::input::Input;
use super::ljpeg;
use super::raw::{Coding, Piece, RawPicture};
use platefarm_model::raw::Packing;
use platefarm_model::{Code, Fault, Outcome, limits};
use rayon::prelude::*;

/// How the samples of a picture are delivered: packing, and bytes per row.
pub(super) fn delivered(raw: &RawPicture) -> (Packing, usize) {
    let packing = match raw.stored_bits {
        _ if !raw.is_plain_rows() => Packing::U16Le,
        8 => Packing::U8,
        10 => Packing::Msb10,
        12 => Packing::Msb12,
        14 => Packing::Msb14,
        16 if raw.big_endian => Packing::U16Be,
        _ => Packing::U16Le,
    };
    (packing, packing.row_bytes(raw.width))
}

/// The samples of a picture, in rows as [`delivered`] says.
///
/// # Errors
/// [`Code::TruncatedFile`], [`Code::BadStructure`], [`Code::UnsupportedFeature`] with the tag and offset.
pub(super) fn read(input: &mut dyn Input, raw: &RawPicture) -> Outcome<Vec<u8>> {
    let size = input.size();
    if size > limits::MAX_FRAME_FILE_BYTES {
        return Err(Fault::new(Code::TooLarge, format!("a frame file of {size} bytes")));
    }
    raw.check_extent(size)?;
    let (packing, row_bytes) = delivered(raw);
    if raw.is_plain_rows() && packing.bits() == raw.stored_bits {
        return read_rows(input, raw, row_bytes);
    }
    let start = raw.pieces.iter().map(|p| p.offset).min().unwrap_or(0);
    let end = raw.pieces.iter().map(|p| p.offset + p.bytes).max().unwrap_or(0);
    let mut span = vec![0; (end - start) as usize];
    input.read_at(start, &mut span)?;

    let decoded: Vec<Decoded> = raw
        .pieces
        .par_iter()
        .enumerate()
        .map(|(index, piece)| {
            let from = (piece.offset - start) as usize;
            let data = &span[from..from + piece.bytes as usize];
            decode(raw, piece, data).map_err(|f| {
                f.within(format!("{}[{index}], offset {}", raw.offsets_tag(), piece.offset))
            })
        })
        .collect::<Outcome<_>>()?;
    Ok(assemble(raw, &decoded, row_bytes))
}

/// The rows of an uncompressed picture as they are; strips that follow each other are read at once.
fn read_rows(input: &mut dyn Input, raw: &RawPicture, row_bytes: usize) -> Outcome<Vec<u8>> {
    let mut out = vec![0; row_bytes * raw.height as usize];
    let mut rest = out.as_mut_slice();
    let mut pieces = raw.pieces.iter().peekable();
    while let Some(first) = pieces.next() {
        let mut rows = first.height as usize;
        let mut end = first.offset + first.bytes;
        while let Some(next) = pieces.next_if(|next| next.offset == end) {
            rows += next.height as usize;
            end += next.bytes;
        }
        let (run, behind) = rest.split_at_mut(rows * row_bytes);
        input.read_at(first.offset, run)?;
        rest = behind;
    }
    Ok(out)
}

/// Samples of a piece: `stride` from one row to the next, of which the piece's width is shown.
struct Decoded {
    samples: Vec<u16>,
    stride: usize,
}

fn decode(raw: &RawPicture, piece: &Piece, data: &[u8]) -> Outcome<Decoded> {
    match raw.coding {
        Coding::Plain => {
            Ok(Decoded { samples: unpack(raw, piece, data), stride: piece.width as usize })
        }
        Coding::LosslessJpeg => {
            let area = raw.piece_width as usize * raw.piece_height as usize;
            // A stream may be padded to whole blocks, not be of another size altogether.
            let image = ljpeg::decode(data, area.saturating_mul(2).saturating_add(1 << 16))?;
            wrap(raw, piece, image)
        }
    }
}

/// Lays the samples of a stream out as rows of its piece. DNG asks only that
/// the number of samples is right: a stream of twice the width and half the
/// height (Blackmagic) is the same sequence, wrapped elsewhere.
fn wrap(raw: &RawPicture, piece: &Piece, image: ljpeg::Image) -> Outcome<Decoded> {
    let (width, height) = (piece.width as usize, piece.height as usize);
    let total = image.samples.len();
    let stride = if total == raw.piece_width as usize * raw.piece_height as usize
        || (!raw.tiled && total == width * height)
    {
        raw.piece_width as usize
    } else if total == width * height {
        width
    } else if image.row_samples >= width && image.rows >= height {
        image.row_samples
    } else {
        return Err(Fault::new(
            Code::BadStructure,
            format!(
                "a stream of {}x{} samples cannot fill a piece of {}x{}",
                image.row_samples, image.rows, raw.piece_width, raw.piece_height
            ),
        ));
    };
    Ok(Decoded { samples: image.samples, stride })
}

/// Words from uncompressed samples of any depth from 8 to 16 bits: 8 and 16 bits as bytes and
/// words of the file's order, all others most significant bit first, rows padded to whole bytes.
fn unpack(raw: &RawPicture, piece: &Piece, data: &[u8]) -> Vec<u16> {
    let (width, bits) = (piece.width as usize, raw.stored_bits as usize);
    let mut samples = Vec::with_capacity(width * piece.height as usize);
    for row in data.chunks_exact(raw.plain_row_bytes()).take(piece.height as usize) {
        match bits {
            8 => samples.extend(row[..width].iter().map(|b| u16::from(*b))),
            16 => samples.extend(row.chunks_exact(2).take(width).map(|pair| {
                let pair = [pair[0], pair[1]];
                if raw.big_endian { u16::from_be_bytes(pair) } else { u16::from_le_bytes(pair) }
            })),
            _ => samples.extend((0..width).map(|x| {
                let (byte, shift) = (x * bits / 8, x * bits % 8);
                let at = |i: usize| u32::from(row.get(byte + i).copied().unwrap_or(0));
                let word = at(0) << 16 | at(1) << 8 | at(2);
                (word >> (24 - shift - bits)) as u16 & ((1 << bits) - 1)
            })),
        }
    }
    samples
}

fn assemble(raw: &RawPicture, decoded: &[Decoded], row_bytes: usize) -> Vec<u8> {
    let mut out = vec![0; row_bytes * raw.height as usize];
    let across = raw.width.div_ceil(raw.piece_width) as usize;
    out.par_chunks_mut(row_bytes).with_min_len(64).enumerate().for_each(|(y, row)| {
        let (band, inner) = (y / raw.piece_height as usize, y % raw.piece_height as usize);
        let pieces = raw.pieces.iter().zip(decoded).skip(band * across).take(across);
        for (piece, decoded) in pieces {
            let from = &decoded.samples[inner * decoded.stride..][..piece.width as usize];
            let to = &mut row[2 * piece.x as usize..][..2 * piece.width as usize];
            for (to, sample) in to.chunks_exact_mut(2).zip(from) {
                to.copy_from_slice(&sample.to_le_bytes());
            }
        }
    });
    out
}
