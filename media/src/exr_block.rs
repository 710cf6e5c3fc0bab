//! The `exr` crate's decoder, kept within bounds: for camera files, and for
//! plates that are read back.
//!
//! The crate is safe Rust, so a damaged file cannot reach beyond memory; but it
//! may stop on an assertion, and of DWA blocks it believes what they say of
//! their sizes, which ends the process when that is more than there is. Both
//! were found by fuzzing.

use exr::block::UncompressedBlock;
use exr::block::chunk::{Chunk, CompressedBlock};
use exr::compression::Compression;
use exr::error::Error;
use exr::meta::header::Header;
use exr::meta::{BlockDescription, MetaData};
use platefarm_model::{Code, Fault, Outcome};
use std::panic::{AssertUnwindSafe, catch_unwind};

/// Most bytes that a byte of a packed block stands for. Deflate has runs of 258 bytes in 2 bits,
/// which PXR24 makes a third longer. A black picture gives 800 in ZIP, 400 in PIZ.
const MOST_EXPANSION: u64 = 2048;
/// Likewise in DWA, where 10 bits are a run of 256 squares of 64 values. A black picture gives 12,000.
const MOST_EXPANSION_DWA: u64 = 32_768;

/// Most pixels of a tile that is larger than its picture: 2048 by 2048. Blocks are read into as much memory.
const MOST_TILE_PIXELS: u64 = 1 << 22;

/// What a fault of the crate means.
pub(crate) fn broken(error: &Error) -> Fault {
    match error {
        Error::NotSupported(_) => {
            Fault::new(Code::UnsupportedFeature, "this kind of OpenEXR is not read").because(error)
        }
        Error::Io(io) if io.kind() == std::io::ErrorKind::UnexpectedEof => {
            Fault::new(Code::TruncatedFile, "the OpenEXR file ends before its data does")
        }
        _ => Fault::new(Code::BadStructure, "the OpenEXR file is damaged").because(error),
    }
}

/// Runs a step of the crate; a file that makes it stop on an internal error is damaged.
pub(crate) fn contained<T>(work: impl FnOnce() -> Outcome<T>) -> Outcome<T> {
    catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|_| {
        Err(Fault::new(Code::BadStructure, "the OpenEXR file stops the decoder"))
    })
}

/// Whether a file of so many bytes can hold the first part: a few bytes cannot be gigabytes of
/// picture, nor of one tile.
///
/// # Errors
/// [`Code::BadStructure`].
pub(crate) fn check_size(part: &Header, file_bytes: u64) -> Outcome<()> {
    let (width, height) = (part.layer_size.width() as u64, part.layer_size.height() as u64);
    let picture = width.saturating_mul(height).saturating_mul(pixel_bytes(part));
    if let BlockDescription::Tiles(tiles) = part.blocks {
        let [across, down] = [tiles.tile_size.width() as u64, tiles.tile_size.height() as u64];
        if across.saturating_mul(down) > width.saturating_mul(height).max(MOST_TILE_PIXELS) {
            let what = format!("tiles of {across}x{down} in a picture of {width}x{height}");
            return Err(Fault::new(Code::BadStructure, what).at("tiles"));
        }
    }
    if picture <= file_bytes.saturating_mul(expansion(part)) {
        return Ok(());
    }
    Err(Fault::new(
        Code::BadStructure,
        format!("a picture of {width}x{height} pixels in a file of {file_bytes} bytes"),
    )
    .at("dataWindow"))
}

/// Unpacks a block.
///
/// # Errors
/// [`Code::BadStructure`] when it is damaged, [`Code::UnsupportedFeature`].
pub(crate) fn unpack(chunk: Chunk, meta: &MetaData) -> Outcome<UncompressedBlock> {
    contained(|| {
        check_dwa(&chunk, meta)?;
        UncompressedBlock::decompress_chunk(chunk, meta, false).map_err(|e| broken(&e))
    })
}

fn pixel_bytes(part: &Header) -> u64 {
    part.channels.list.iter().map(|c| c.sample_type.bytes_per_sample() as u64).sum()
}

const fn is_dwa(part: &Header) -> bool {
    matches!(part.compression, Compression::DWAA(_) | Compression::DWAB(_))
}

const fn expansion(part: &Header) -> u64 {
    if is_dwa(part) { MOST_EXPANSION_DWA } else { MOST_EXPANSION }
}

/// The sizes at the head of a DWA block, which the decoder takes as they are: none may be much more
/// than the block itself, whose size comes from the picture's, nor than so many bytes can stand for.
fn check_dwa(chunk: &Chunk, meta: &MetaData) -> Outcome<()> {
    /// Version, the nine sizes, and the kind of entropy coding.
    const COUNTERS: usize = 11;
    let Some(part) = meta.headers.get(chunk.layer_index).filter(|part| is_dwa(part)) else {
        return Ok(());
    };
    let data = match &chunk.compressed_block {
        CompressedBlock::ScanLine(block) => &block.compressed_pixels_le,
        CompressedBlock::Tile(tile) => &tile.compressed_pixels_le,
        _ => return Ok(()),
    };
    let place = part
        .get_block_data_indices(&chunk.compressed_block)
        .and_then(|indices| part.get_absolute_block_pixel_coordinates(indices))
        .map_err(|e| broken(&e))?;
    let [width, height] = [place.size.width() as u64, place.size.height() as u64];
    let block = width.saturating_mul(height).saturating_mul(pixel_bytes(part));
    // Blocks of 8x8 reach beyond the edges, by less than four times at the smallest.
    let most = block.saturating_mul(4).min(data.len() as u64 * MOST_EXPANSION) + 65_536;
    let sizes = data.chunks_exact(8).take(COUNTERS).skip(1).map(|bytes| {
        bytes.iter().rev().fold(0, |number: u64, byte| number << 8 | u64::from(*byte))
    });
    match sizes.max().filter(|largest| *largest > most) {
        // A block that is as long as it would be unpacked is not packed at all.
        Some(largest) if data.len() as u64 != block => Err(Fault::new(
            Code::BadStructure,
            format!("a DWA block claims {largest} bytes, where {most} are the most"),
        )),
        _ => Ok(()),
    }
}
