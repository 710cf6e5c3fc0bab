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
    /// Lossless JPEG, or by the same number the baseline one: the stream itself tells.
    Jpeg,
    Deflate,
    LossyJpeg,
}

impl Coding {
    /// Its name in [`platefarm_model::clip::Picture::compression`].
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Plain => "none",
            Self::Jpeg => "lossless-jpeg",
            Self::Deflate => "deflate",
            Self::LossyJpeg => "lossy-jpeg",
        }
    }
}

/// What was done to the samples of a row before deflate (TIFF 6.0 section 14, Adobe's TIFF
/// technical note 3, and DNG 1.4 for the larger steps).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Predictor {
    None,
    /// Differences of samples, so many pixels apart.
    Horizontal(u32),
    /// Bytes sorted by significance, then differences of bytes, so many pixels apart.
    Float(u32),
}

/// What a pixel is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Photometric {
    /// One sample behind a colour filter.
    Mosaic,
    /// All colours of the camera (LinearRaw).
    Linear,
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
    /// The first of a pixel's samples that it holds; it holds all, or one.
    pub(super) plane: u32,
}

/// How the camera's picture is stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct RawPicture {
    pub(super) photometric: Photometric,
    pub(super) width: u32,
    pub(super) height: u32,
    /// Samples of a pixel.
    pub(super) samples: u32,
    /// Whether each piece holds one sample of each pixel (PlanarConfiguration 2).
    pub(super) planar: bool,
    pub(super) float: bool,
    pub(super) predictor: Predictor,
    /// Rows and columns are stored in so many fields, one after the other (DNG 1.7).
    pub(super) fields: [u32; 2],
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

/// The directory that holds the camera's picture: the first mosaic or linear
/// raw that is not marked as reduced; among broken files that mark all of
/// them, the first.
///
/// # Errors
/// [`Code::UnsupportedFeature`] when the file holds another kind of picture.
pub(super) fn find(tiff: &Tiff) -> Outcome<&Directory> {
    let raw = |d: &&Directory| photometric(d).is_some();
    let full = |d: &&Directory| d.integer(tags::NEW_SUBFILE_TYPE).unwrap_or(0) & 1 == 0;
    let raws = || tiff.directories.iter().filter(raw);
    raws().find(full).or_else(|| raws().next()).ok_or_else(|| {
        Fault::new(Code::UnsupportedFeature, "the file holds no sensor mosaic and no linear raw")
            .at("PhotometricInterpretation")
    })
}

fn photometric(directory: &Directory) -> Option<Photometric> {
    match directory.integer(tags::PHOTOMETRIC)? {
        PHOTOMETRIC_CFA => Some(Photometric::Mosaic),
        PHOTOMETRIC_LINEAR_RAW => Some(Photometric::Linear),
        _ => None,
    }
}

impl RawPicture {
    /// The storage that the tags describe, within the limits.
    ///
    /// # Errors
    /// [`Code::BadStructure`], [`Code::TruncatedFile`], [`Code::TooLarge`], [`Code::UnsupportedFeature`].
    pub(super) fn read(tags: Tags<'_>) -> Outcome<Self> {
        let (width, height) = (side(tags, tags::IMAGE_WIDTH)?, side(tags, tags::IMAGE_LENGTH)?);
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
        let tiled = tags.picture.get(tags::TILE_OFFSETS).is_some();
        let (piece_width, piece_height) = if tiled {
            (side(tags, tags::TILE_WIDTH)?, side(tags, tags::TILE_LENGTH)?)
        } else {
            let rows = tags.integer_or(tags::ROWS_PER_STRIP, u64::from(height))?;
            (width, u32::try_from(rows).unwrap_or(u32::MAX).clamp(1, height))
        };
        if piece_width > limits::MAX_PICTURE_SIDE_PX
            || piece_height > limits::MAX_PICTURE_SIDE_PX
            || u64::from(piece_width) * u64::from(piece_height) > limits::MAX_PICTURE_PIXELS
        {
            return Err(Fault::new(
                Code::TooLarge,
                format!("tiles of {piece_width}x{piece_height} pixels"),
            )
            .at("TileWidth, TileLength"));
        }
        let photometric = photometric(tags.picture).unwrap_or(Photometric::Mosaic);
        let samples = samples(tags, photometric)?;
        let float = float(tags)?;
        let coding = coding(tags)?;
        let bits = bits(tags, samples, float)?;
        let mut raw = Self {
            photometric,
            width,
            height,
            samples,
            planar: samples > 1 && tags.integer_or(tags::PLANAR_CONFIGURATION, 1)? == 2,
            float,
            predictor: predictor(tags, coding, float, bits)?,
            fields: fields(tags, [height, width])?,
            bits,
            stored_bits: bits,
            big_endian: tags.tiff.big_endian,
            coding,
            tiled,
            piece_width,
            piece_height,
            pieces: Vec::new(),
        };
        raw.check_coding()?;
        raw.pieces = raw.find_pieces(tags)?;
        raw.settle_plain_sizes();
        Ok(raw)
    }

    /// JPEG has no floats, and the lossy one of DNG has eight bits.
    fn check_coding(&self) -> Outcome<()> {
        let what = match self.coding {
            Coding::Jpeg | Coding::LossyJpeg if self.float => "floating-point samples in a JPEG",
            Coding::LossyJpeg if self.bits != 8 => "lossy JPEG of more than 8 bits",
            _ => return Ok(()),
        };
        Err(Fault::new(Code::UnsupportedFeature, format!("{what} are not read"))
            .at("Compression, BitsPerSample"))
    }

    /// Samples that a pixel of a piece has.
    pub(super) const fn piece_samples(&self) -> u32 {
        if self.planar { 1 } else { self.samples }
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
        let planes = if self.planar { self.samples } else { 1 };
        let wanted = u64::from(across) * u64::from(down) * u64::from(planes);
        if wanted > offsets.count.min(counts.count) {
            return Err(bad_value(
                offsets_tag,
                format!("names {} pieces, {wanted} are needed", offsets.count.min(counts.count)),
            ));
        }
        let mut pieces = Vec::with_capacity(wanted as usize);
        for plane in 0..planes {
            for y in (0..self.height).step_by(self.piece_height as usize) {
                for x in (0..self.width).step_by(self.piece_width as usize) {
                    let (Some(offset), Some(bytes)) =
                        (offsets.integer(pieces.len()), counts.integer(pieces.len()))
                    else {
                        return Err(bad_value(offsets_tag, "holds what is no whole number"));
                    };
                    pieces.push(Piece {
                        offset,
                        bytes,
                        x,
                        y,
                        width: self.piece_width.min(self.width - x),
                        height: self.piece_height.min(self.height - y),
                        plane,
                    });
                }
            }
        }
        Ok(pieces)
    }

    /// The size of uncompressed pieces follows from the geometry: byte counts are wrong in some
    /// files. They tell one thing, though: samples of 9 to 15 bits that were not packed but
    /// stored as words, which several writers declare by their depth.
    fn settle_plain_sizes(&mut self) {
        if self.coding != Coding::Plain {
            return;
        }
        let declared: u64 = self.pieces.iter().map(|p| p.bytes).fold(0, u64::saturating_add);
        let samples: u64 = self.pieces.iter().map(|p| self.stored_samples(p)).sum();
        if !self.float && self.bits > 8 && declared == 2 * samples {
            self.stored_bits = 16;
        }
        let row_bytes = self.stored_row_bytes() as u64;
        for index in 0..self.pieces.len() {
            let rows = u64::from(self.stored_rows(&self.pieces[index]));
            self.pieces[index].bytes = row_bytes * rows;
        }
    }

    /// Rows that a piece stores: tiles are stored whole.
    pub(super) const fn stored_rows(&self, piece: &Piece) -> u32 {
        if self.tiled { self.piece_height } else { piece.height }
    }

    /// Samples that a piece stores.
    pub(super) fn stored_samples(&self, piece: &Piece) -> u64 {
        self.stored_row_samples() as u64 * u64::from(self.stored_rows(piece))
    }

    /// Samples of a stored row of a piece.
    pub(super) const fn stored_row_samples(&self) -> usize {
        self.piece_width as usize * self.piece_samples() as usize
    }

    /// Bytes of a stored row of a piece, once it is not compressed.
    pub(super) const fn stored_row_bytes(&self) -> usize {
        (self.stored_row_samples() * self.stored_bits as usize).div_ceil(8)
    }

    /// Whether the picture is uncompressed and every piece holds whole rows of it, so that its
    /// bytes can be delivered as they are.
    pub(super) fn is_plain_rows(&self) -> bool {
        self.coding == Coding::Plain
            && self.piece_width == self.width
            && !self.planar
            && self.fields == [1, 1]
    }

    /// Checks that every piece lies in a file of `size` bytes.
    ///
    /// # Errors
    /// [`Code::TruncatedFile`] naming the first that does not.
    pub(super) fn check_extent(&self, size: u64) -> Outcome<()> {
        for (index, piece) in self.pieces.iter().enumerate() {
            let place = || format!("{}[{index}], offset {}", self.offsets_tag(), piece.offset);
            if piece.offset.checked_add(piece.bytes).is_none_or(|end| end > size) {
                return Err(Fault::new(
                    Code::TruncatedFile,
                    format!(
                        "the file of {size} bytes ends before its samples do: {} bytes at offset {}",
                        piece.bytes, piece.offset
                    ),
                )
                .at(place()));
            }
            // What cannot be there is not made room for. Deflate has at most 1032 bytes in one,
            // a code of lossless JPEG at least one bit.
            let most = match self.coding {
                Coding::Plain => continue,
                Coding::Deflate => piece.bytes.saturating_mul(1040) * 8 / u64::from(self.bits),
                Coding::Jpeg => piece.bytes.saturating_mul(8),
                Coding::LossyJpeg => piece.bytes.saturating_mul(8 * 64),
            };
            let shown =
                u64::from(piece.width) * u64::from(piece.height) * u64::from(self.piece_samples());
            if most < shown {
                return Err(Fault::new(
                    Code::TruncatedFile,
                    format!("{} bytes cannot hold {shown} compressed samples", piece.bytes),
                )
                .at(place()));
            }
        }
        Ok(())
    }
}

/// A side of the picture or of its pieces, which is not 0.
fn side(tags: Tags<'_>, tag: u16) -> Outcome<u32> {
    let value = tags.integer(tag)?;
    if value == 0 {
        return Err(bad_value(tag, "is 0"));
    }
    u32::try_from(value).map_err(|_| bad_value(tag, format!("is {value}")))
}

fn unsupported(what: impl Into<String>, tag: u16) -> Fault {
    Fault::new(Code::UnsupportedFeature, what).at(tags::name(tag))
}

/// Samples of a pixel: one of a mosaic; one or three of linear raw.
fn samples(tags: Tags<'_>, photometric: Photometric) -> Outcome<u32> {
    let samples = tags.integer_or(tags::SAMPLES_PER_PIXEL, 1)?;
    match (photometric, samples) {
        (Photometric::Mosaic, 1) => Ok(1),
        (Photometric::Linear, 3) => Ok(3),
        (Photometric::Mosaic, _) => Err(unsupported(
            format!("a mosaic of {samples} samples a pixel is not read"),
            tags::SAMPLES_PER_PIXEL,
        )),
        (Photometric::Linear, _) => Err(unsupported(
            format!("linear raw of {samples} samples a pixel is not read, only of three"),
            tags::SAMPLES_PER_PIXEL,
        )),
    }
}

fn float(tags: Tags<'_>) -> Outcome<bool> {
    match tags.integer_or(tags::SAMPLE_FORMAT, 1)? {
        1 => Ok(false),
        3 => Ok(true),
        other => Err(unsupported(
            format!("samples of format {other} (signed, or not said) are not read"),
            tags::SAMPLE_FORMAT,
        )),
    }
}

fn bits(tags: Tags<'_>, samples: u32, float: bool) -> Outcome<u32> {
    let entry = tags.required(tags::BITS_PER_SAMPLE)?;
    let bits = tags.integer(tags::BITS_PER_SAMPLE)?;
    let equal = (1..samples as usize).all(|i| entry.integer(i).is_none_or(|b| b == bits));
    let known = if float { matches!(bits, 16 | 24 | 32) } else { (8..=16).contains(&bits) };
    if !(equal && known) {
        let kind = if float { "floating-point samples" } else { "samples" };
        return Err(unsupported(
            format!("{kind} of {} bits are not read", entry.shown()),
            tags::BITS_PER_SAMPLE,
        ));
    }
    if tags.integer_or(tags::FILL_ORDER, 1)? != 1 {
        return Err(unsupported("reversed bit order (FillOrder 2) is not read", tags::FILL_ORDER));
    }
    Ok(bits as u32)
}

fn predictor(tags: Tags<'_>, coding: Coding, float: bool, bits: u32) -> Outcome<Predictor> {
    if coding != Coding::Deflate {
        return Ok(Predictor::None);
    }
    let number = tags.integer_or(tags::PREDICTOR, 1)?;
    let whole = !float && matches!(bits, 8 | 16);
    match number {
        1 => Ok(Predictor::None),
        2 if whole => Ok(Predictor::Horizontal(1)),
        34892 if whole => Ok(Predictor::Horizontal(2)),
        34893 if whole => Ok(Predictor::Horizontal(4)),
        3 if float => Ok(Predictor::Float(1)),
        34894 if float => Ok(Predictor::Float(2)),
        34895 if float => Ok(Predictor::Float(4)),
        _ => {
            let kind = if float { "floating-point" } else { "whole" };
            Err(unsupported(
                format!("predictor {number} of {kind} samples of {bits} bits is not read"),
                tags::PREDICTOR,
            ))
        }
    }
}

/// RowInterleaveFactor and ColumnInterleaveFactor.
fn fields(tags: Tags<'_>, sides: [u32; 2]) -> Outcome<[u32; 2]> {
    let mut fields = [1; 2];
    for (i, tag) in
        [tags::ROW_INTERLEAVE_FACTOR, tags::COLUMN_INTERLEAVE_FACTOR].into_iter().enumerate()
    {
        let value = tags.integer_or(tag, 1)?;
        fields[i] = u32::try_from(value)
            .ok()
            .filter(|f| *f >= 1 && *f <= sides[i])
            .ok_or_else(|| bad_value(tag, format!("is {value}")))?;
    }
    Ok(fields)
}

fn coding(tags: Tags<'_>) -> Outcome<Coding> {
    let number = tags.integer_or(tags::COMPRESSION, 1)?;
    let name = match number {
        1 => return Ok(Coding::Plain),
        7 => return Ok(Coding::Jpeg),
        8 | 32946 => return Ok(Coding::Deflate),
        34892 => return Ok(Coding::LossyJpeg),
        2..=4 => "CCITT",
        5 => "LZW",
        6 => "old-style JPEG",
        9 => "VC-5 (GoPro)",
        32773 => "PackBits",
        52546 => "JPEG XL",
        34713 => "Nikon compressed raw",
        65000..=65535 => "vendor compression",
        _ => "unknown compression",
    };
    Err(Fault::new(Code::UnsupportedFeature, format!("{name} (Compression {number}) is not read"))
        .at("Compression"))
}
