//! From strips and tiles to the bytes of one frame.
//!
//! Samples stay as the file packs them where a [`Packing`] can describe the
//! whole raster; all else becomes little-endian words or floats. Pieces are
//! decoded in parallel, each into its own part of the frame: the result does
//! not depend on threads.

mod lossy;
mod numbers;
mod place;

use super::input::Input;
use super::ljpeg;
use super::pool::Pool;
use super::raw::{Coding, Piece, Predictor, RawPicture};
use place::Place;
use platefarm_model::raw::Packing;
use platefarm_model::{Code, Fault, Outcome, limits};
use rayon::prelude::*;

/// Bytes between pieces that are read with them rather than skipped.
const MAX_GAP_BYTES: u64 = 1 << 20;

/// How the samples of a picture can be delivered without touching them: as they are packed, where
/// the picture is uncompressed rows; else as words.
pub(super) fn packed(raw: &RawPicture) -> Packing {
    match raw.stored_bits {
        _ if raw.float => Packing::F32Le,
        _ if !raw.is_plain_rows() => Packing::U16Le,
        8 => Packing::U8,
        10 => Packing::Msb10,
        12 => Packing::Msb12,
        14 => Packing::Msb14,
        16 if raw.big_endian => Packing::U16Be,
        _ => Packing::U16Le,
    }
}

/// How its samples are delivered as numbers.
pub(super) const fn numbers(raw: &RawPicture) -> Packing {
    if raw.float { Packing::F32Le } else { Packing::U16Le }
}

/// Bytes of a row that is delivered so.
pub(super) const fn row_bytes(raw: &RawPicture, packing: Packing) -> usize {
    packing.row_bytes(raw.width * raw.samples)
}

/// Reads the samples of a picture into `out`, in rows of [`row_bytes`] with `packing`, which is
/// [`packed`] or [`numbers`]; the samples of a pixel lie together.
///
/// # Errors
/// [`Code::TruncatedFile`], [`Code::BadStructure`], [`Code::UnsupportedFeature`] with the tag and offset.
pub(super) fn read(
    input: &mut dyn Input,
    raw: &RawPicture,
    packing: Packing,
    pool: &Pool,
    out: &mut Vec<u8>,
) -> Outcome<()> {
    let size = input.size();
    if size > limits::MAX_FRAME_FILE_BYTES {
        return Err(Fault::new(Code::TooLarge, format!("a frame file of {size} bytes")));
    }
    raw.check_extent(size)?;
    let row_bytes = row_bytes(raw, packing);
    out.resize(row_bytes * raw.height as usize, 0);
    if raw.is_plain_rows()
        && !raw.float
        && packing == packed(raw)
        && packing.bits() == raw.stored_bits
    {
        return read_rows(input, raw, row_bytes, out);
    }
    let per_plane = raw.pieces.len() / if raw.planar { raw.samples as usize } else { 1 };
    for pieces in raw.pieces.chunks(per_plane.max(1)) {
        read_pieces(input, raw, pieces, row_bytes, pool, out)?;
    }
    if raw.fields != [1, 1] {
        weave(raw, row_bytes, pool, out);
    }
    Ok(())
}

/// The rows of an uncompressed picture as they are; strips that follow each other are read at once.
fn read_rows(
    input: &mut dyn Input,
    raw: &RawPicture,
    row_bytes: usize,
    mut rest: &mut [u8],
) -> Outcome<()> {
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
    Ok(())
}

/// The pieces of one plane. They are read at once where they lie together, as they nearly always do.
fn read_pieces(
    input: &mut dyn Input,
    raw: &RawPicture,
    pieces: &[Piece],
    row_bytes: usize,
    pool: &Pool,
    out: &mut [u8],
) -> Outcome<()> {
    let start = pieces.iter().map(|p| p.offset).min().unwrap_or(0);
    let end = pieces.iter().map(|p| p.offset + p.bytes).max().unwrap_or(0);
    let sum = pieces.iter().map(|p| p.bytes).fold(0u64, u64::saturating_add);
    let together = end - start <= sum.saturating_add(MAX_GAP_BYTES);
    let mut span = pool.take(if together { (end - start) as usize } else { 0 });
    input.read_at(start, &mut span)?;
    let places = Place::all(raw, pieces, out, row_bytes);
    let located = |index: usize, piece: &Piece, result: Outcome<()>| {
        let index = index + piece.plane as usize * pieces.len();
        result.map_err(|f| {
            f.within(format!("{}[{index}], offset {}", raw.offsets_tag(), piece.offset))
        })
    };
    let work: Vec<(usize, (&Piece, Place<'_>))> = pieces.iter().zip(places).enumerate().collect();
    let result = if together {
        let one = |(index, (piece, place)): (usize, (&Piece, Place<'_>))| {
            let from = (piece.offset - start) as usize;
            let data = &span[from..from + piece.bytes as usize];
            located(index, piece, decode(raw, piece, data, place, pool))
        };
        work.into_par_iter().try_for_each(one)
    } else {
        work.into_iter().try_for_each(|(index, (piece, place))| {
            let mut data = pool.take(piece.bytes as usize);
            let result = input
                .read_at(piece.offset, &mut data)
                .and_then(|()| decode(raw, piece, &data, place, pool));
            pool.give(data);
            located(index, piece, result)
        })
    };
    pool.give(span);
    result
}

/// Decodes one piece into its place.
fn decode(
    raw: &RawPicture,
    piece: &Piece,
    data: &[u8],
    mut place: Place<'_>,
    pool: &Pool,
) -> Outcome<()> {
    match raw.coding {
        Coding::Plain => {
            numbers::put_rows(raw, data, &mut place);
            Ok(())
        }
        Coding::Deflate => {
            let mut bytes = pool.take(raw.stored_row_bytes() * raw.stored_rows(piece) as usize);
            let result = inflate(data, &mut bytes);
            match raw.predictor {
                _ if result.is_err() => {}
                Predictor::Float(pixels) => {
                    numbers::put_sorted_rows(raw, pixels, &mut bytes, &mut place);
                }
                _ => numbers::put_rows(raw, &bytes, &mut place),
            }
            pool.give(bytes);
            result
        }
        Coding::Jpeg => {
            let area = raw.stored_samples(piece) as usize;
            // A stream may be padded to whole blocks, not be of another size altogether.
            let stream = match ljpeg::open(data, area.saturating_mul(2).saturating_add(1 << 16)) {
                Ok(stream) => stream,
                // By the same number a file may mean the lossy one: the stream tells.
                Err(fault) if fault.code == Code::UnsupportedFeature && raw.bits == 8 => {
                    return lossy::decode(raw, piece, data, &mut place).map_err(|lossy| Fault {
                        message: format!("{}; {}", fault.message, lossy.message),
                        ..lossy
                    });
                }
                Err(fault) => return Err(fault),
            };
            place.set_stride(stride(raw, piece, stream.row_samples, stream.rows)?);
            stream.decode(|row| place.put(row, u16::to_le_bytes))
        }
        Coding::LossyJpeg => lossy::decode(raw, piece, data, &mut place),
    }
}

/// A zlib stream that fills `bytes`.
fn inflate(data: &[u8], bytes: &mut [u8]) -> Outcome<()> {
    use libdeflater::DecompressionError::{BadData, InsufficientSpace};
    let found = match libdeflater::Decompressor::new().zlib_decompress(data, bytes) {
        Ok(found) => found,
        Err(InsufficientSpace) => {
            return Err(Fault::new(
                Code::BadStructure,
                format!(
                    "the deflated samples are more than the {} bytes of their piece",
                    bytes.len()
                ),
            ));
        }
        Err(BadData) => {
            return Err(Fault::new(Code::BadStructure, "the deflated samples are damaged"));
        }
    };
    if found < bytes.len() {
        return Err(Fault::new(
            Code::TruncatedFile,
            format!("{found} bytes of deflated samples, {} expected", bytes.len()),
        ));
    }
    Ok(())
}

/// Samples from one row of a piece to the next in a stream. DNG asks only that the number of
/// samples is right: a stream of twice the width and half the height (Blackmagic) is the same
/// sequence, wrapped elsewhere.
fn stride(raw: &RawPicture, piece: &Piece, row_samples: usize, rows: usize) -> Outcome<usize> {
    let per_pixel = raw.piece_samples() as usize;
    let (width, height) = (piece.width as usize * per_pixel, piece.height as usize);
    let total = row_samples * rows;
    let whole = raw.stored_row_samples();
    if total as u64 == raw.stored_samples(piece) || total == whole * raw.piece_height as usize {
        Ok(whole)
    } else if total == width * height {
        Ok(width)
    } else if row_samples >= width && rows >= height {
        Ok(row_samples)
    } else {
        Err(Fault::new(
            Code::BadStructure,
            format!(
                "a stream of {row_samples}x{rows} samples cannot fill a piece of {}x{}",
                raw.piece_width, raw.piece_height
            ),
        ))
    }
}

/// Puts rows and columns that were stored field by field back in their order (DNG 1.7,
/// RowInterleaveFactor): the first field has every n-th from the first on, and so on.
fn weave(raw: &RawPicture, row_bytes: usize, pool: &Pool, out: &mut [u8]) {
    let order = |count: u32, fields: u32| -> Vec<usize> {
        let mut stored = vec![0; count as usize];
        let in_order = (0..fields).flat_map(|field| (field..count).step_by(fields as usize));
        for (at, line) in in_order.enumerate() {
            stored[line as usize] = at;
        }
        stored
    };
    let (rows, columns) = (order(raw.height, raw.fields[0]), order(raw.width, raw.fields[1]));
    let pixel = row_bytes / raw.width as usize;
    let mut fields = pool.take(out.len());
    fields.copy_from_slice(out);
    out.par_chunks_exact_mut(row_bytes).zip(&rows).for_each(|(row, from)| {
        let from = &fields[from * row_bytes..][..row_bytes];
        for (to, column) in row.chunks_exact_mut(pixel).zip(&columns) {
            to.copy_from_slice(&from[column * pixel..][..pixel]);
        }
    });
    pool.give(fields);
}

#[cfg(test)]
mod tests {
    use super::super::raw::Photometric;
    use super::*;

    fn raw(width: u32, height: u32, fields: [u32; 2]) -> RawPicture {
        RawPicture {
            photometric: Photometric::Mosaic,
            width,
            height,
            samples: 1,
            planar: false,
            float: false,
            predictor: Predictor::None,
            fields,
            bits: 8,
            stored_bits: 8,
            big_endian: false,
            coding: Coding::Plain,
            tiled: false,
            piece_width: width,
            piece_height: height,
            pieces: vec![Piece {
                offset: 0,
                bytes: u64::from(width * height),
                x: 0,
                y: 0,
                width,
                height,
                plane: 0,
            }],
        }
    }

    /// Sides that the factors do not divide too: the first fields are then the longer ones.
    #[test]
    fn fields_are_woven_together() {
        let (width, height) = (7, 5);
        for fields in [[2, 2], [1, 2], [3, 1], [2, 4]] {
            let raw = raw(width, height, fields);
            let lines = |count: u32, factor: u32| -> Vec<u32> {
                (0..factor)
                    .flat_map(|field| (0..count).filter(move |i| i % factor == field))
                    .collect()
            };
            let (rows, columns) = (lines(height, fields[0]), lines(width, fields[1]));
            let stored: Vec<u8> =
                rows.iter().flat_map(|y| columns.iter().map(move |x| (y * 10 + x) as u8)).collect();
            let mut out = Vec::new();
            read(&mut stored.as_slice(), &raw, Packing::U16Le, &Pool::default(), &mut out).unwrap();
            let meant: Vec<u8> = (0..height)
                .flat_map(|y| (0..width).flat_map(move |x| [(y * 10 + x) as u8, 0]))
                .collect();
            assert_eq!(out, meant, "{fields:?}");
        }
    }

    /// A picture that cannot be in the file is not made room for.
    #[test]
    fn nothing_is_made_room_for_that_cannot_be_there() {
        let mut huge = raw(60_000, 8_000, [1, 1]);
        huge.pieces[0].bytes = 1000;
        for (coding, code) in [
            (Coding::Deflate, Code::TruncatedFile),
            (Coding::Jpeg, Code::TruncatedFile),
            (Coding::LossyJpeg, Code::TruncatedFile),
        ] {
            huge.coding = coding;
            let mut out = Vec::new();
            let file = vec![0; 2000];
            let fault =
                read(&mut file.as_slice(), &huge, Packing::U16Le, &Pool::default(), &mut out);
            assert_eq!(fault.unwrap_err().code, code);
            assert_eq!(out.capacity(), 0, "{coding:?}");
        }
    }
}
