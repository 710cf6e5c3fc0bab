//! OpenEXR plates: half RGB scan lines with everything VFX reads from a
//! header, and our record of how the picture was made.
//!
//! The `exr` crate lays out the file and compresses PIZ, [`zip`] compresses the
//! rest; the order of attributes,
//! which it takes from a hash map, is put right afterwards, so that equal
//! input gives equal bytes wherever and with however many threads it ran.
//! `acesImageContainerFlag` is never written: it promises SMPTE ST 2065-4,
//! which forbids compression; chromaticities and `colorInteropID` say the rest.

mod canonical;
mod header;
mod read;
mod zip;

pub use header::{DecodeRecord, PlateHeader};
pub use read::{Plate, read};

use crate::{hash, publish};
use exr::block::chunk::{Chunk, CompressedBlock, CompressedScanLineBlock};
use exr::block::writer::ChunksWriter;
use exr::compression::Compression as Exr;
use exr::math::Vec2;
use exr::meta::attribute::IntegerBounds;
use exr::meta::header::Header;
use platefarm_model::recipe::Compression;
use platefarm_model::{Code, Fault, Outcome};
use rayon::prelude::*;
use std::io::Cursor;
use std::ops::Range;
use std::path::Path;
use xxhash_rust::xxh3::Xxh3;

/// Name of the attribute with the hash of the pixels.
pub const PIXELS_HASH: &str = "platefarm:pixelsXXH128";

/// Three planes of half-float bits, red, green, blue, row-major.
#[derive(Clone, Copy, Debug)]
pub struct Planes<'a> {
    /// Columns.
    pub width: u32,
    /// Rows.
    pub height: u32,
    /// Red, green, blue; each of `width * height` values.
    pub rgb: [&'a [u16]; 3],
}

/// What was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Written {
    /// Size of the file.
    pub bytes: u64,
    /// XXH128 of the file, as hexadecimal digits.
    pub xxh128: String,
}

/// Writes a plate and flushes it. Meant for a staged name; see [`publish`].
///
/// # Errors
/// As [`encode`] and [`publish::write_flushed`].
pub fn write(
    path: &Path,
    planes: Planes<'_>,
    header: &PlateHeader,
    compression: Compression,
) -> Outcome<Written> {
    let bytes = encode(planes, header, compression).map_err(|f| f.within(path.display()))?;
    publish::write_flushed(path, &bytes)?;
    Ok(Written { bytes: bytes.len() as u64, xxh128: hash::xxh128(&bytes) })
}

/// The bytes of a plate.
///
/// # Errors
/// [`Code::Internal`] when the planes are not of the size they say, or the header cannot be expressed.
pub fn encode(
    planes: Planes<'_>,
    header: &PlateHeader,
    compression: Compression,
) -> Outcome<Vec<u8>> {
    let area = planes.width as usize * planes.height as usize;
    if area == 0 || planes.rgb.iter().any(|plane| plane.len() != area) {
        return Err(Fault::new(
            Code::Internal,
            format!("planes that are not of {}x{} pixels", planes.width, planes.height),
        ));
    }
    let fail = |e: exr::error::Error| {
        Fault::new(Code::Internal, "the plate cannot be expressed as OpenEXR").because(&e)
    };
    let size = Vec2(planes.width as usize, planes.height as usize);
    let exr_header = header::to_exr(header, size, compression, &pixels_xxh128(planes.rgb))?;
    let chunks = compress(planes, &exr_header).map_err(fail)?;
    let mut out = Vec::with_capacity(chunks.iter().map(chunk_size).sum::<usize>() + (1 << 16));
    exr::block::write(Cursor::new(&mut out), vec![exr_header].into(), true, |_, writer| {
        chunks.into_iter().enumerate().try_for_each(|(i, chunk)| writer.write_chunk(i, chunk))
    })
    .map_err(fail)?;
    canonical::sort_attributes(&mut out)?;
    Ok(out)
}

/// Compresses the blocks of the picture in parallel; they come back in order.
fn compress(planes: Planes<'_>, header: &Header) -> exr::error::Result<Vec<Chunk>> {
    let blocks: Vec<_> =
        exr::block::enumerate_ordered_header_block_indices(std::slice::from_ref(header)).collect();
    let origin_y = header.own_attributes.layer_position.y();
    let zip = matches!(header.compression, Exr::ZIP1 | Exr::ZIP16);
    blocks
        .into_par_iter()
        .map_init(zip::Packer::new, |packer, (_, index)| {
            let (y, rows) = (index.pixel_position.y(), index.pixel_size.height());
            let compressed = if zip {
                packer.pack(planes, y..y + rows)
            } else {
                let section = IntegerBounds { position: Vec2(0, y as i32), size: index.pixel_size };
                let bytes = block_bytes(planes, y..y + rows, u16::to_ne_bytes);
                header.compression.compress_image_section_to_le(header, bytes, section)?
            };
            Ok(Chunk {
                layer_index: 0,
                compressed_block: CompressedBlock::ScanLine(CompressedScanLineBlock {
                    y_coordinate: y as i32 + origin_y,
                    compressed_pixels_le: compressed,
                }),
            })
        })
        .collect()
}

/// The values of `rows` as bytes, in the order of the file.
fn block_bytes(planes: Planes<'_>, rows: Range<usize>, to: fn(u16) -> [u8; 2]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(rows.len() * planes.width as usize * 6);
    for values in in_file_order(planes, rows) {
        bytes.extend(values.iter().flat_map(|value| to(*value)));
    }
    bytes
}

/// Row by row, the channels in the order of their names: B, G, R.
fn in_file_order(planes: Planes<'_>, rows: Range<usize>) -> impl Iterator<Item = &[u16]> {
    let width = planes.width as usize;
    rows.flat_map(move |row| {
        planes.rgb.into_iter().rev().map(move |plane| &plane[row * width..][..width])
    })
}

fn chunk_size(chunk: &Chunk) -> usize {
    match &chunk.compressed_block {
        CompressedBlock::ScanLine(block) => block.compressed_pixels_le.len() + 16,
        _ => 0,
    }
}

/// XXH128 of the pixels alone: the planes red, green, blue, one after the
/// other, each value as two little-endian bytes. The same whatever the compression.
#[must_use]
pub fn pixels_xxh128(rgb: [&[u16]; 3]) -> String {
    let mut hasher = Xxh3::new();
    let mut buffer = [0; 16 * 1024];
    for plane in rgb {
        for values in plane.chunks(buffer.len() / 2) {
            for (to, value) in buffer.chunks_exact_mut(2).zip(values) {
                to.copy_from_slice(&value.to_le_bytes());
            }
            hasher.update(&buffer[..2 * values.len()]);
        }
    }
    format!("{:032x}", hasher.digest128())
}
