//! OpenEXR plates: half RGB scan lines with everything VFX reads from a
//! header, and our record of how the picture was made.
//!
//! The `exr` crate knows the attributes and reads files back; blocks are packed
//! here, in parallel and straight from the planes, and attributes are written
//! in the order of their names, so that equal input gives equal bytes wherever
//! and with however many threads it ran.
//! `acesImageContainerFlag` is written with uncompressed plates alone: it
//! promises SMPTE ST 2065-4, which forbids compression. On others
//! chromaticities and `colorInteropID` say the same about colour.

mod blocks;
mod deflate;
mod dwa;
mod header;
mod huffman;
mod measure;
mod piz;
mod read;
mod standard;
mod wavelet;
mod zip;

pub(crate) use header::{COLOR, ENCODING, from_time_code};
pub use header::{DecodeRecord, PlateHeader};
pub use measure::{Measured, NON_FINITE, PIXELS_MAX, PIXELS_MIN, pixels_xxh128};
pub use read::{Plate, read};
pub use zip::Search;

use crate::{hash, publish};
use blocks::Picture;
use platefarm_model::recipe::Compression;
use platefarm_model::{Code, Fault, Outcome};
use std::path::Path;

/// Name of the attribute with the hash of the pixels.
pub const PIXELS_HASH: &str = "platefarm:pixelsXXH128";
/// Name of the attribute with the hash of the pixels before a lossy compression: it tells whether
/// two frames are one picture, and not what is in the file.
pub const RENDERED_HASH: &str = "platefarm:renderedXXH128";

/// Planes of half-float bits, row-major.
#[derive(Clone, Copy, Debug)]
pub struct Planes<'a> {
    /// Columns.
    pub width: u32,
    /// Rows.
    pub height: u32,
    /// Red, green, blue; each of `width * height` values.
    pub rgb: [&'a [u16]; 3],
    /// Coverage, where there is one.
    pub alpha: Option<&'a [u16]>,
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
    encode_with(planes, header, compression, Search::Auto)
}

/// As [`encode`], with a given search for repetitions in ZIP and ZIPS; for comparisons at equal size.
///
/// # Errors
/// As [`encode`].
pub fn encode_with(
    planes: Planes<'_>,
    header: &PlateHeader,
    compression: Compression,
    search: Search,
) -> Outcome<Vec<u8>> {
    let (width, height) = (planes.width as usize, planes.height as usize);
    let [r, g, b] = planes.rgb;
    let channels: Vec<&[u16]> = planes.alpha.into_iter().chain([b, g, r]).collect();
    if width * height == 0 || channels.iter().any(|plane| plane.len() != width * height) {
        return Err(Fault::new(
            Code::Internal,
            format!("planes that are not of {width}x{height} pixels"),
        ));
    }
    let head = header::to_bytes(header, planes, compression)?;
    let picture = Picture { width, height, channels: &channels };
    Ok(blocks::assemble(&head, picture, header.data_origin[1], compression, search))
}
