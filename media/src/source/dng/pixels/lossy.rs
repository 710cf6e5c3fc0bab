//! Lossy JPEG tiles of 8 bits (DNG 1.4, Compression 34892), by zune-jpeg.
//!
//! Apart, because here foreign code meets foreign bytes: the size of what it
//! may make is known beforehand, and should it panic, the frame is damaged
//! and nothing else.

use super::super::raw::{Piece, RawPicture};
use super::place::Place;
use platefarm_model::{Code, Fault, Outcome};
use std::panic::{AssertUnwindSafe, catch_unwind};
use zune_jpeg::JpegDecoder;
use zune_jpeg::zune_core::bytestream::ZCursor;
use zune_jpeg::zune_core::colorspace::ColorSpace;
use zune_jpeg::zune_core::options::DecoderOptions;

/// Decodes a stream into its place. Three components are taken for what JPEG takes them for, and
/// become red, green and blue.
///
/// # Errors
/// [`Code::BadStructure`], with what the decoder says of it.
pub(super) fn decode(
    raw: &RawPicture,
    piece: &Piece,
    data: &[u8],
    place: &mut Place<'_>,
) -> Outcome<()> {
    let damaged = |what: String| Fault::new(Code::BadStructure, format!("lossy JPEG: {what}"));
    let samples = raw.piece_samples() as usize;
    let (width, height) = (raw.piece_width as usize, raw.stored_rows(piece) as usize);
    let options = DecoderOptions::default()
        .set_max_width(width)
        .set_max_height(height)
        .set_strict_mode(true)
        .jpeg_set_out_colorspace(if samples == 3 { ColorSpace::RGB } else { ColorSpace::Luma });
    let decoded = catch_unwind(AssertUnwindSafe(|| -> Result<(usize, Vec<u8>), String> {
        let mut decoder = JpegDecoder::new_with_options(ZCursor::new(data), options);
        decoder.decode_headers().map_err(|e| format!("{e:?}"))?;
        let info = decoder.info().ok_or("no frame header")?;
        if usize::from(info.components) != samples {
            return Err(format!("{} components, {samples} expected", info.components));
        }
        let pixels = decoder.decode().map_err(|e| format!("{e:?}"))?;
        Ok((usize::from(info.width), pixels))
    }));
    let (columns, pixels) = decoded
        .map_err(|_| damaged("the decoder stopped on an internal error".into()))?
        .map_err(damaged)?;
    // A stream of a tile at the edge may end where the picture does.
    let needed = columns * samples * piece.height as usize;
    if columns < piece.width as usize || pixels.len() < needed {
        return Err(damaged(format!(
            "{columns} columns in {} samples cannot fill a piece of {}x{}",
            pixels.len(),
            piece.width,
            piece.height
        )));
    }
    place.set_stride(columns * samples);
    place.put(&pixels, |byte| u16::from(byte).to_le_bytes());
    Ok(())
}
