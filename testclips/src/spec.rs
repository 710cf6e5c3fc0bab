//! What a synthetic clip is: every choice that decides its bytes.

use platefarm_model::raw::Bayer;
use platefarm_model::{FrameRate, Timecode};
use std::io;

/// Byte order of the TIFF structure and of 16-bit samples. Samples of 10, 12
/// and 14 bits are packed most significant bit first in both.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ByteOrder {
    /// `II`
    #[default]
    Little,
    /// `MM`
    Big,
}

/// How samples map to light.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Curve {
    /// Stored codes are proportional to light.
    #[default]
    Linear,
    /// Stored codes are logarithmic; a LinearizationTable leads to 16-bit linear codes.
    Log,
}

/// How the lossless JPEG streams are written (ITU-T T.81, process 14).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ljpeg {
    /// Selection value of the predictor, 1 to 7 (T.81 table H.1).
    pub predictor: u8,
    /// Components of the stream, 1 to 4; a row of samples is dealt to them in turn.
    pub components: u8,
    /// Whether the stream is twice as wide and half as high as its strip or
    /// tile, as Blackmagic's cameras write it, so that the row above has the
    /// same colours.
    pub wrapped: bool,
    /// Stream rows between restart markers; 0 writes none.
    pub restart_rows: u16,
}

impl Default for Ljpeg {
    fn default() -> Self {
        Self { predictor: 1, components: 1, wrapped: false, restart_rows: 0 }
    }
}

/// Compression of the samples.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Compression {
    /// Packed to `bits`, rows padded to whole bytes.
    #[default]
    None,
    /// Lossless JPEG, one stream per strip or tile.
    LosslessJpeg(Ljpeg),
    /// Deflate, one zlib stream per strip or tile. Samples are first replaced by their differences
    /// from the pixel so many before, floats after sorting their bytes (TIFF's and DNG's
    /// predictors): 1, 2 or 4, or 0 for none.
    Deflate {
        /// Pixels between the two.
        predictor: u8,
    },
}

/// What a sample is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Sample {
    /// A whole number of `bits`.
    #[default]
    Whole,
    /// A float of `bits` (16, 24 or 32); 0 is black and 1 the clipping point, and nothing clips.
    Float,
}

/// What a pixel is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Pixel {
    /// One photosite behind a colour filter.
    #[default]
    Mosaic,
    /// The camera's red, green and blue (LinearRaw), the samples of a pixel together.
    Linear,
    /// The same, each colour in pieces of its own (PlanarConfiguration 2).
    LinearPlanar,
}

impl Pixel {
    /// Samples of a pixel.
    #[must_use]
    pub const fn samples(self) -> usize {
        match self {
            Self::Mosaic => 1,
            Self::Linear | Self::LinearPlanar => 3,
        }
    }
}

/// Faults of the camera that the file says how to correct; what is corrected is the scene again.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Faults {
    /// Photosites that are stuck at white, as FixBadPixelsList names them.
    pub bad: u32,
    /// Corners are darker, as a GainMap undoes.
    pub vignette: bool,
    /// Each row and column has a black level of its own, as BlackLevelDeltaH and V say.
    pub lines: bool,
    /// Even rows are brighter and columns are lifted, as ScalePerRow and DeltaPerColumn undo.
    pub bands: bool,
}

/// How the raster is cut into separately stored pieces.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Segments {
    /// Strips of this many rows; 0 makes one strip.
    Strips {
        /// Rows of a strip.
        rows: u32,
    },
    /// Tiles; the last ones of a row and of a column are padded.
    Tiles {
        /// Columns of a tile, a multiple of 16.
        width: u32,
        /// Rows of a tile, a multiple of 16.
        height: u32,
    },
}

/// Pixels on the four sides of a rectangle.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Border {
    /// Rows above.
    pub top: u32,
    /// Columns to the left.
    pub left: u32,
    /// Rows below.
    pub bottom: u32,
    /// Columns to the right.
    pub right: u32,
}

/// A synthetic clip.
#[derive(Clone, Debug, PartialEq)]
pub struct ClipSpec {
    /// Clip name; files are `<name>_<number>.dng`.
    pub name: String,
    /// Reel name; `None` leaves the tag out.
    pub reel: Option<String>,
    /// Camera label; `None` leaves the tag out.
    pub camera: Option<String>,
    /// Timecode of the first frame; `None` leaves the tag out.
    pub start: Option<Timecode>,
    /// Frame rate.
    pub rate: FrameRate,
    /// Rate at which the sensor ran, where a metadata export beside the clip says it.
    pub capture_rate: Option<FrameRate>,
    /// Frames of the clip.
    pub frames: u32,
    /// Number in the name of the first file.
    pub first_number: u32,
    /// Columns of the active area.
    pub width: u32,
    /// Rows of the active area.
    pub height: u32,
    /// Photosites around the active area that saw no light.
    pub masked: Border,
    /// What the default crop leaves out of the active area.
    pub crop: Border,
    /// Bits of a sample: 8, 10, 12, 14 or 16; of a float 16, 24 or 32.
    pub bits: u8,
    /// What a sample is.
    pub sample: Sample,
    /// What a pixel is.
    pub pixel: Pixel,
    /// What the camera does wrong.
    pub faults: Faults,
    /// Writes a BigTIFF, whose offsets have eight bytes.
    pub big_tiff: bool,
    /// Stores samples of fewer bits in 16, unpacked.
    pub padded: bool,
    /// Byte order.
    pub byte_order: ByteOrder,
    /// Colour filter pattern, counted from the active area's top left.
    pub bayer: Bayer,
    /// Compression.
    pub compression: Compression,
    /// Strips or tiles.
    pub segments: Segments,
    /// Linear or log samples.
    pub curve: Curve,
    /// Gives each photosite of the 2x2 pattern its own black level.
    pub black_pattern: bool,
    /// Leaves BlackLevel out and names the masked borders in MaskedAreas, for black to be measured.
    pub unstated_black: bool,
    /// Puts the picture into a SubIFD behind a thumbnail, as Adobe's converter
    /// does, and not into the first directory.
    pub nested: bool,
    /// Strength of shot and read noise; 0 is none, 1 is a good cinema camera at
    /// its base sensitivity (full well 20,000 electrons, read noise 3).
    pub noise: f64,
    /// Seed of the noise and of details of the scene.
    pub seed: u64,
}

impl Default for ClipSpec {
    /// One second of 1920x1080 at 24 frames per second, 12-bit, linear, uncompressed, with noise.
    fn default() -> Self {
        let rate = FrameRate::FPS_24;
        Self {
            name: "S001_C001".into(),
            reel: Some("S001".into()),
            camera: Some("S".into()),
            start: Some(Timecode { frames: 36_000 * 24, rate, drop_frame: false }),
            rate,
            capture_rate: None,
            frames: 24,
            first_number: 0,
            width: 1920,
            height: 1080,
            masked: Border::default(),
            crop: Border::default(),
            bits: 12,
            sample: Sample::Whole,
            pixel: Pixel::Mosaic,
            faults: Faults::default(),
            big_tiff: false,
            padded: false,
            byte_order: ByteOrder::Little,
            bayer: Bayer::Rggb,
            compression: Compression::None,
            segments: Segments::Strips { rows: 0 },
            curve: Curve::Linear,
            black_pattern: false,
            unstated_black: false,
            nested: false,
            noise: 1.0,
            seed: 1,
        }
    }
}

/// Sides up to this many photosites; no camera has more.
const MAX_SIDE: u32 = 16_384;

impl ClipSpec {
    /// File name of the frame at `index`.
    #[must_use]
    pub fn file_name(&self, index: u32) -> String {
        format!("{}_{:06}.dng", self.name, u64::from(self.first_number) + u64::from(index))
    }

    /// Columns and rows that the file stores: the active area and its masked border.
    #[must_use]
    pub fn stored_size(&self) -> (u32, u32) {
        (
            self.width + self.masked.left + self.masked.right,
            self.height + self.masked.top + self.masked.bottom,
        )
    }

    /// Columns and rows that are delivered: the active area less the crop.
    #[must_use]
    pub fn delivered_size(&self) -> (u32, u32) {
        (
            self.width - self.crop.left - self.crop.right,
            self.height - self.crop.top - self.crop.bottom,
        )
    }

    /// Black level of the photosite at `row` and `column` of the active area,
    /// and white level, in the codes that the levels of the file refer to
    /// (16-bit linear ones when the curve is log).
    #[must_use]
    pub fn levels(&self, row: u32, column: u32) -> (u16, u16) {
        let (black, white, step) = match self.curve {
            _ if self.sample == Sample::Float => return (0, 1),
            Curve::Log => (crate::curve::LOG_BLACK, u16::MAX, 32),
            Curve::Linear if self.bits == 16 => (1024, u16::MAX, 32),
            Curve::Linear => (1 << (self.bits - 6), (1 << self.bits) - 1, 1),
        };
        let phase = (row % 2 * 2 + column % 2) as u16;
        (black + if self.black_pattern { step * phase } else { 0 }, white)
    }

    /// Stored code to 16-bit linear code, as the file's LinearizationTable has
    /// it; empty when the curve is linear.
    #[must_use]
    pub fn linearization_table(&self) -> Vec<u16> {
        match self.curve {
            Curve::Linear => Vec::new(),
            Curve::Log => crate::curve::linearization_table(self.bits),
        }
    }

    /// Checks that the parts agree.
    ///
    /// # Errors
    /// `InvalidInput`, saying which part does not fit.
    pub fn check(&self) -> io::Result<()> {
        let refuse = |what: String| Err(io::Error::new(io::ErrorKind::InvalidInput, what));
        let border_ok = |b: &Border| [b.top, b.left, b.bottom, b.right].iter().all(|v| *v <= 4096);
        if !(border_ok(&self.masked) && border_ok(&self.crop)) {
            return refuse("a border is wider than 4096 photosites".into());
        }
        if self.width > MAX_SIDE || self.height > MAX_SIDE || self.width < 8 || self.height < 8 {
            return refuse(format!(
                "a picture of {}x{} is not between 8x8 and {MAX_SIDE}x{MAX_SIDE}",
                self.width, self.height
            ));
        }
        if self.crop.left + self.crop.right >= self.width
            || self.crop.top + self.crop.bottom >= self.height
        {
            return refuse("the crop leaves nothing".into());
        }
        let (kind, depths): (_, &[u8]) = match self.sample {
            Sample::Whole => ("sample", &[8, 10, 12, 14, 16]),
            Sample::Float => ("float", &[16, 24, 32]),
        };
        if !depths.contains(&self.bits) {
            return refuse(format!("{} bits a {kind}; {depths:?} are written", self.bits));
        }
        if self.sample == Sample::Float
            && (self.curve == Curve::Log
                || self.black_pattern
                || self.faults.lines
                || matches!(self.compression, Compression::LosslessJpeg(_)))
        {
            return refuse("floats have no curve, no black levels and no lossless JPEG".into());
        }
        if self.pixel != Pixel::Mosaic && (self.black_pattern || self.faults != Faults::default()) {
            return refuse("black patterns and faults are those of a mosaic".into());
        }
        if self.faults.bad > 0 && self.sample == Sample::Float {
            return refuse("bad photosites are stuck at a whole number".into());
        }
        if self.curve == Curve::Log && self.bits == 16 {
            return refuse("a log curve of 16 bits has no linear code to lead to".into());
        }
        if !(self.noise.is_finite() && self.noise >= 0.0) {
            return refuse(format!("a noise of {} makes no sense", self.noise));
        }
        if self.name.is_empty()
            || !self.name.chars().all(|c| c.is_ascii_alphanumeric() || "._-".contains(c))
        {
            return refuse(format!("'{}' is not a clip name", self.name));
        }
        if self.start.is_some() && self.rate.timebase() > 40 {
            return refuse(format!(
                "a TimeCodes tag counts to 39 frames; at {} there can be none",
                self.rate
            ));
        }
        self.check_segments().or_else(refuse)
    }

    fn check_segments(&self) -> Result<(), String> {
        if let Segments::Tiles { width, height } = self.segments
            && (width == 0 || height == 0 || width % 16 != 0 || height % 16 != 0)
        {
            return Err(format!("tiles of {width}x{height}; sides are multiples of 16"));
        }
        if let Compression::Deflate { predictor } = self.compression {
            let whole = self.sample == Sample::Float || matches!(self.bits, 8 | 16) || self.padded;
            if !matches!(predictor, 0 | 1 | 2 | 4) || (predictor > 0 && !whole) {
                return Err(format!("predictor {predictor} over samples of {} bits", self.bits));
            }
        }
        let Compression::LosslessJpeg(jpeg) = self.compression else { return Ok(()) };
        if !(1..=7).contains(&jpeg.predictor) || !(1..=4).contains(&jpeg.components) {
            return Err(format!(
                "predictor {} with {} components; 1 to 7 and 1 to 4 are written",
                jpeg.predictor, jpeg.components
            ));
        }
        for segment in self.pieces() {
            let samples = if self.pixel == Pixel::Linear { 3 } else { 1 };
            let columns = (segment.width * samples) << u32::from(jpeg.wrapped);
            if !columns.is_multiple_of(u32::from(jpeg.components)) {
                return Err(format!(
                    "{columns} columns cannot be dealt to {} components",
                    jpeg.components
                ));
            }
            let interval = u64::from(jpeg.restart_rows) * u64::from(columns);
            if interval / u64::from(jpeg.components) > u64::from(u16::MAX) {
                return Err(format!(
                    "{} rows between restarts are more than the marker can count",
                    jpeg.restart_rows
                ));
            }
            if jpeg.wrapped && !segment.height.is_multiple_of(2) {
                return Err(format!(
                    "a strip or tile of {} rows cannot be wrapped; it has no half",
                    segment.height
                ));
            }
        }
        Ok(())
    }

    /// The strips or tiles, in file order.
    pub(crate) fn pieces(&self) -> Vec<Piece> {
        let (width, height) = self.stored_size();
        let (piece_width, piece_height, tiled) = match self.segments {
            Segments::Strips { rows: 0 } => (width, height, false),
            Segments::Strips { rows } => (width, rows.min(height), false),
            Segments::Tiles { width, height } => (width, height, true),
        };
        let planes = if self.pixel == Pixel::LinearPlanar { 3 } else { 1 };
        let mut pieces = Vec::new();
        for plane in 0..planes {
            for y in (0..height).step_by(piece_height as usize) {
                for x in (0..width).step_by(piece_width as usize) {
                    let height = if tiled { piece_height } else { piece_height.min(height - y) };
                    pieces.push(Piece { x, y, width: piece_width, height, plane });
                }
            }
        }
        pieces
    }
}

/// One strip or tile, in stored coordinates; a tile may reach past the raster.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Piece {
    pub(crate) x: u32,
    pub(crate) y: u32,
    pub(crate) width: u32,
    pub(crate) height: u32,
    /// Which sample of each pixel, where each has pieces of its own.
    pub(crate) plane: usize,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn contradictions_are_refused() {
        let ljpeg = |j| Compression::LosslessJpeg(j);
        let base = ClipSpec { width: 66, height: 50, ..ClipSpec::default() };
        assert!(base.check().is_ok());
        let bad = [
            ClipSpec { bits: 9, ..base.clone() },
            ClipSpec { width: 4, ..base.clone() },
            ClipSpec { bits: 16, curve: Curve::Log, ..base.clone() },
            ClipSpec { crop: Border { left: 66, ..Border::default() }, ..base.clone() },
            ClipSpec { name: "../x".into(), ..base.clone() },
            ClipSpec { noise: f64::NAN, ..base.clone() },
            ClipSpec { rate: "48".parse().expect("a rate"), ..base.clone() },
            ClipSpec { segments: Segments::Tiles { width: 40, height: 32 }, ..base.clone() },
            ClipSpec {
                compression: ljpeg(Ljpeg { predictor: 8, ..Ljpeg::default() }),
                ..base.clone()
            },
            ClipSpec {
                compression: ljpeg(Ljpeg { components: 4, ..Ljpeg::default() }),
                ..base.clone()
            },
            ClipSpec {
                segments: Segments::Strips { rows: 15 },
                compression: ljpeg(Ljpeg { wrapped: true, ..Ljpeg::default() }),
                ..base.clone()
            },
        ];
        for spec in bad {
            let error = spec.check().expect_err("refused");
            assert_eq!(error.kind(), io::ErrorKind::InvalidInput, "{spec:?}");
        }
    }

    #[test]
    fn pieces_cover_the_raster_once() {
        for segments in [
            Segments::Strips { rows: 0 },
            Segments::Strips { rows: 7 },
            Segments::Tiles { width: 32, height: 16 },
        ] {
            let spec = ClipSpec { width: 100, height: 50, segments, ..ClipSpec::default() };
            let mut seen = vec![0u8; 100 * 50];
            for p in spec.pieces() {
                for y in p.y..(p.y + p.height).min(50) {
                    for x in p.x..(p.x + p.width).min(100) {
                        seen[(y * 100 + x) as usize] += 1;
                    }
                }
            }
            assert!(seen.iter().all(|n| *n == 1), "{segments:?}");
        }
    }
}
