//! Which directory of the file is the camera's picture, and how its samples
//! are stored: geometry, compression, strips or tiles.

use super::tags;
use super::tiff::{Directory, Tags, Tiff, bad_value};
use platefarm_model::{Code, Fault, Outcome, limits};

const PHOTOMETRIC_CFA: u64 = 32803;
const PHOTOMETRIC_LINEAR_RAW: u64 = 34892;

/// How samples are coded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Coding {
    Plain,
    LosslessJpeg,
}

impl Coding {
    /// Its name in [`platefarm_model::clip::Picture::compression`].
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Plain => "none",
            Self::LosslessJpeg => "lossless-jpeg",
        }
    }
}

/// One strip or tile.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Piece {
    pub(super) offset: u64,
    pub(super) bytes: u64,
    /// Where its top left lies in the picture.
    pub(super) x: u32,
    pub(super) y: u32,
    /// The part of it that the picture shows.
    pub(super) width: u32,
    pub(super) height: u32,
}

/// How the camera's picture is stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct RawPicture {
    pub(super) width: u32,
    pub(super) height: u32,
    /// Bits of a sample as the file declares them.
    pub(super) bits: u32,
    /// Bits that an uncompressed sample takes: as declared, or 16 where the file is as long as words make it.
    pub(super) stored_bits: u32,
    pub(super) big_endian: bool,
    pub(super) coding: Coding,
    /// Whether the pieces are tiles, which are stored whole at the right and bottom edge too.
    pub(super) tiled: bool,
    pub(super) piece_width: u32,
    pub(super) piece_height: u32,
    pub(super) pieces: Vec<Piece>,
}

/// The directory that holds the camera's picture: the first mosaic that is not
/// marked as reduced; among broken files that mark all of them, the first mosaic.
///
/// # Errors
/// [`Code::UnsupportedFeature`] when the file holds another kind of picture.
pub(super) fn find(tiff: &Tiff) -> Outcome<&Directory> {
    let mosaic = |d: &&Directory| d.integer(tags::PHOTOMETRIC) == Some(PHOTOMETRIC_CFA);
    let full = |d: &&Directory| d.integer(tags::NEW_SUBFILE_TYPE).unwrap_or(0) & 1 == 0;
    let mosaics = || tiff.directories.iter().filter(mosaic);
    mosaics().find(full).or_else(|| mosaics().next()).ok_or_else(|| {
        let linear = tiff
            .directories
            .iter()
            .any(|d| d.integer(tags::PHOTOMETRIC) == Some(PHOTOMETRIC_LINEAR_RAW));
        let what = if linear {
            "the picture is linear raw (debayered already), which is not read"
        } else {
            "no directory holds a colour filter mosaic"
        };
        Fault::new(Code::UnsupportedFeature, what).at("PhotometricInterpretation")
    })
}

impl RawPicture {
    /// The storage that the tags describe, within the limits.
    ///
    /// # Errors
    /// [`Code::BadStructure`], [`Code::TruncatedFile`], [`Code::TooLarge`], [`Code::UnsupportedFeature`].
    pub(super) fn read(tags: Tags<'_>) -> Outcome<Self> {
        let side = |tag: u16| -> Outcome<u32> {
            let value = tags.integer(tag)?;
            if value == 0 {
                return Err(bad_value(tag, "is 0"));
            }
            u32::try_from(value).map_err(|_| bad_value(tag, format!("is {value}")))
        };
        let (width, height) = (side(tags::IMAGE_WIDTH)?, side(tags::IMAGE_LENGTH)?);
        if width > limits::MAX_PICTURE_SIDE_PX
            || height > limits::MAX_PICTURE_SIDE_PX
            || u64::from(width) * u64::from(height) > limits::MAX_PICTURE_PIXELS
        {
            return Err(Fault::new(
                Code::TooLarge,
                format!("a picture of {width}x{height} pixels"),
            )
            .at("ImageWidth, ImageLength"));
        }
        let bits = sample_bits(tags)?;
        let tiled = tags.picture.get(tags::TILE_OFFSETS).is_some();
        let (piece_width, piece_height) = if tiled {
            (side(tags::TILE_WIDTH)?, side(tags::TILE_LENGTH)?)
        } else {
            let rows = tags.integer_or(tags::ROWS_PER_STRIP, u64::from(height))?;
            (width, u32::try_from(rows).unwrap_or(u32::MAX).clamp(1, height))
        };
        if piece_width > limits::MAX_PICTURE_SIDE_PX || piece_height > limits::MAX_PICTURE_SIDE_PX {
            return Err(Fault::new(
                Code::TooLarge,
                format!("tiles of {piece_width}x{piece_height} pixels"),
            )
            .at("TileWidth, TileLength"));
        }
        let mut raw = Self {
            width,
            height,
            bits,
            stored_bits: bits,
            big_endian: tags.tiff.big_endian,
            coding: coding(tags)?,
            tiled,
            piece_width,
            piece_height,
            pieces: Vec::new(),
        };
        raw.pieces = raw.find_pieces(tags)?;
        raw.settle_plain_sizes();
        Ok(raw)
    }

    /// Name of the tag that says where the pieces are.
    pub(super) const fn offsets_tag(&self) -> &'static str {
        if self.tiled { "TileOffsets" } else { "StripOffsets" }
    }

    fn find_pieces(&self, tags: Tags<'_>) -> Outcome<Vec<Piece>> {
        let (offsets_tag, counts_tag) = if self.tiled {
            (tags::TILE_OFFSETS, tags::TILE_BYTE_COUNTS)
        } else {
            (tags::STRIP_OFFSETS, tags::STRIP_BYTE_COUNTS)
        };
        let (offsets, counts) = (tags.required(offsets_tag)?, tags.required(counts_tag)?);
        let across = self.width.div_ceil(self.piece_width);
        let down = self.height.div_ceil(self.piece_height);
        let wanted = across as usize * down as usize;
        if offsets.integers().len() < wanted || counts.integers().len() < wanted {
            return Err(bad_value(
                offsets_tag,
                format!("names {} pieces, {wanted} are needed", offsets.integers().len()),
            ));
        }
        let pairs = offsets.integers().into_iter().zip(counts.integers());
        let pieces = pairs.zip(0..wanted as u32).map(|((offset, bytes), index)| {
            let (x, y) = (index % across * self.piece_width, index / across * self.piece_height);
            Piece {
                offset,
                bytes,
                x,
                y,
                width: self.piece_width.min(self.width - x),
                height: self.piece_height.min(self.height - y),
            }
        });
        Ok(pieces.collect())
    }

    /// The size of uncompressed pieces follows from the geometry: byte counts are wrong in some
    /// files. They tell one thing, though: samples of 9 to 15 bits that were not packed but
    /// stored as words, which several writers declare by their depth.
    fn settle_plain_sizes(&mut self) {
        if self.coding != Coding::Plain {
            return;
        }
        let declared: u64 = self.pieces.iter().map(|p| p.bytes).fold(0, u64::saturating_add);
        let samples: u64 = self.pieces.iter().map(|p| self.plain_samples(p)).sum();
        if self.bits > 8 && declared == 2 * samples {
            self.stored_bits = 16;
        }
        let row_bytes = self.plain_row_bytes() as u64;
        let width = u64::from(self.piece_width);
        for index in 0..self.pieces.len() {
            let rows = self.plain_samples(&self.pieces[index]) / width;
            self.pieces[index].bytes = row_bytes * rows;
        }
    }

    /// Samples that an uncompressed piece stores.
    fn plain_samples(&self, piece: &Piece) -> u64 {
        let rows = if self.tiled { self.piece_height } else { piece.height };
        u64::from(self.piece_width) * u64::from(rows)
    }

    /// Bytes of an uncompressed row of a piece.
    pub(super) const fn plain_row_bytes(&self) -> usize {
        (self.piece_width as usize * self.stored_bits as usize).div_ceil(8)
    }

    /// Whether the picture is uncompressed and every piece holds whole rows of it, so that its
    /// bytes can be delivered as they are.
    pub(super) fn is_plain_rows(&self) -> bool {
        self.coding == Coding::Plain && self.piece_width == self.width
    }

    /// Checks that every piece lies in a file of `size` bytes.
    ///
    /// # Errors
    /// [`Code::TruncatedFile`] naming the first that does not.
    pub(super) fn check_extent(&self, size: u64) -> Outcome<()> {
        for (index, piece) in self.pieces.iter().enumerate() {
            if piece.offset.checked_add(piece.bytes).is_none_or(|end| end > size) {
                return Err(Fault::new(
                    Code::TruncatedFile,
                    format!(
                        "the file of {size} bytes ends before its samples do: {} bytes at offset {}",
                        piece.bytes, piece.offset
                    ),
                )
                .at(format!("{}[{index}], offset {}", self.offsets_tag(), piece.offset)));
            }
        }
        Ok(())
    }
}

fn sample_bits(tags: Tags<'_>) -> Outcome<u32> {
    let unsupported = |what: String, tag: u16| {
        Err(Fault::new(Code::UnsupportedFeature, what).at(tags::name(tag)))
    };
    let samples = tags.integer_or(tags::SAMPLES_PER_PIXEL, 1)?;
    if samples != 1 {
        return unsupported(
            format!("a mosaic of {samples} samples a pixel is not read"),
            tags::SAMPLES_PER_PIXEL,
        );
    }
    if tags.integer_or(tags::SAMPLE_FORMAT, 1)? != 1 {
        return unsupported("floating-point samples are not read".into(), tags::SAMPLE_FORMAT);
    }
    let bits = tags.integer(tags::BITS_PER_SAMPLE)?;
    if !(8..=16).contains(&bits) {
        return unsupported(format!("{bits} bits a sample are not read"), tags::BITS_PER_SAMPLE);
    }
    if tags.integer_or(tags::FILL_ORDER, 1)? != 1 {
        return unsupported(
            "reversed bit order (FillOrder 2) is not read".into(),
            tags::FILL_ORDER,
        );
    }
    Ok(bits as u32)
}

fn coding(tags: Tags<'_>) -> Outcome<Coding> {
    let number = tags.integer_or(tags::COMPRESSION, 1)?;
    let name = match number {
        1 => return Ok(Coding::Plain),
        // Baseline JPEG has the same number; the stream itself tells.
        7 => return Ok(Coding::LosslessJpeg),
        2..=4 => "CCITT",
        5 => "LZW",
        6 => "old-style JPEG",
        8 | 32946 => "deflate",
        32773 => "PackBits",
        34892 => "lossy JPEG",
        52546 => "JPEG XL",
        34713 => "Nikon compressed raw",
        65000..=65535 => "vendor compression",
        _ => "unknown compression",
    };
    Err(Fault::new(Code::UnsupportedFeature, format!("{name} (Compression {number}) is not read"))
        .at("Compression"))
}
