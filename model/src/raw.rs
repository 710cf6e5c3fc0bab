//! One frame as a file reader hands it to the image operations: sensor data
//! behind a colour filter, or a picture that has all its colours already.
//!
//! `media` makes these values and `shaders` consumes them; neither knows the
//! other. Sample bytes stay packed as the file has them wherever the layout
//! can say how to unpack them, so that the GPU gets the fewest bytes.

mod words;

use crate::{Code, Fault, limits};
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// A rectangle of whole pixels; origin top left.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Rect {
    /// Left column.
    pub x: u32,
    /// Top row.
    pub y: u32,
    /// Columns.
    pub width: u32,
    /// Rows.
    pub height: u32,
}

impl Rect {
    /// A rectangle at the origin.
    #[must_use]
    pub const fn of_size(width: u32, height: u32) -> Self {
        Self { x: 0, y: 0, width, height }
    }

    /// Whether it has an area and lies inside `width` by `height`.
    #[must_use]
    pub const fn fits(self, width: u32, height: u32) -> bool {
        self.width > 0
            && self.height > 0
            && self.x as u64 + self.width as u64 <= width as u64
            && self.y as u64 + self.height as u64 <= height as u64
    }
}

/// How samples lie in memory. Rows begin at multiples of `row_bytes`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Packing {
    /// One byte a sample.
    U8,
    /// Two bytes a sample, little-endian.
    U16Le,
    /// Two bytes a sample, big-endian.
    U16Be,
    /// 10 bits a sample, most significant bit first, as TIFF packs them.
    Msb10,
    /// 12 bits a sample, most significant bit first.
    Msb12,
    /// 14 bits a sample, most significant bit first.
    Msb14,
    /// 10 bits a sample, most significant bit first in little-endian 16-bit
    /// words, as Magic Lantern packs them.
    Word10,
    /// 12 bits a sample, likewise.
    Word12,
    /// 14 bits a sample, likewise.
    Word14,
    /// 12 bits a sample, least significant bit first: three bytes a pair.
    Lsb12,
    /// 12 bits a sample, most significant bit first in little-endian 32-bit
    /// words, the two samples of every pair swapped: ARRIRAW of most ALEXAs.
    Arri12,
    /// Four bytes a sample: IEEE 754 binary32, little-endian. Levels must be
    /// flat 0 and 1 and the linearisation empty: the reader has applied them.
    F32Le,
}

impl Packing {
    /// Bits that one sample takes in memory.
    #[must_use]
    pub const fn bits(self) -> u32 {
        match self {
            Self::U8 => 8,
            Self::Msb10 | Self::Word10 => 10,
            Self::Msb12 | Self::Word12 | Self::Lsb12 | Self::Arri12 => 12,
            Self::Msb14 | Self::Word14 => 14,
            Self::U16Le | Self::U16Be => 16,
            Self::F32Le => 32,
        }
    }

    /// Bytes of the words that bits are taken from; rows begin at multiples of
    /// it, and a row takes whole ones.
    #[must_use]
    pub const fn word_bytes(self) -> usize {
        match self {
            Self::U8 | Self::Msb10 | Self::Msb12 | Self::Msb14 | Self::Lsb12 => 1,
            Self::U16Le | Self::U16Be | Self::Word10 | Self::Word12 | Self::Word14 => 2,
            Self::Arri12 | Self::F32Le => 4,
        }
    }

    /// Bytes that a row of `width` samples takes, padded to whole words.
    #[must_use]
    pub const fn row_bytes(self, width: u32) -> usize {
        let samples = match self {
            Self::Arri12 => (width as usize).next_multiple_of(2),
            _ => width as usize,
        };
        let word = self.word_bytes();
        (samples * self.bits() as usize).div_ceil(8 * word) * word
    }
}

/// Colour of one photosite.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CfaColor {
    /// Red.
    Red,
    /// Green.
    Green,
    /// Blue.
    Blue,
}

/// The four 2x2 Bayer patterns, named by their first row and second row.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Bayer {
    /// R G / G B
    Rggb,
    /// G R / B G
    Grbg,
    /// G B / R G
    Gbrg,
    /// B G / G R
    Bggr,
}

impl Bayer {
    /// Its colours in lower case, row by row: `rggb`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Rggb => "rggb",
            Self::Grbg => "grbg",
            Self::Gbrg => "gbrg",
            Self::Bggr => "bggr",
        }
    }

    /// Row and column (0 or 1) of the red photosite.
    #[must_use]
    pub const fn red_at(self) -> (u32, u32) {
        match self {
            Self::Rggb => (0, 0),
            Self::Grbg => (0, 1),
            Self::Gbrg => (1, 0),
            Self::Bggr => (1, 1),
        }
    }

    /// The pattern whose red photosite is at row and column (modulo 2).
    #[must_use]
    pub const fn with_red_at(row: u32, column: u32) -> Self {
        match (row % 2, column % 2) {
            (0, 0) => Self::Rggb,
            (0, _) => Self::Grbg,
            (_, 0) => Self::Gbrg,
            _ => Self::Bggr,
        }
    }

    /// Colour of the photosite at row and column.
    #[must_use]
    pub const fn color(self, row: u32, column: u32) -> CfaColor {
        let (r, c) = self.red_at();
        match ((row + r) % 2, (column + c) % 2) {
            (0, 0) => CfaColor::Red,
            (1, 1) => CfaColor::Blue,
            _ => CfaColor::Green,
        }
    }
}

/// What is needed to turn stored samples into linear sensor values in which 0
/// is black and 1 is the clipping point.
#[derive(Clone, Debug, PartialEq)]
pub struct Levels {
    /// Stored value to linear code; a value past the end takes the last entry. Empty: none.
    pub linearization: Arc<[u16]>,
    /// Black level per photosite of the 2x2 pattern, row-major, relative to
    /// the active area's top left, in linear codes.
    pub black: [f32; 4],
    /// White level per photosite of the 2x2 pattern, likewise.
    pub white: [f32; 4],
    /// Added to the black level, per column of the active area. Empty: none.
    pub black_delta_h: Arc<[f32]>,
    /// Added to the black level, per row of the active area. Empty: none.
    pub black_delta_v: Arc<[f32]>,
}

impl Levels {
    /// One black and one white for all photosites.
    #[must_use]
    pub fn flat(black: f32, white: f32) -> Self {
        Self {
            linearization: Arc::from([]),
            black: [black; 4],
            white: [white; 4],
            black_delta_h: Arc::from([]),
            black_delta_v: Arc::from([]),
        }
    }

    /// Whether there is nothing left to do: 0 is black, 1 is white, no table.
    #[must_use]
    pub fn applied(&self) -> bool {
        *self == Self::flat(0.0, 1.0)
    }
}

/// Everything about a mosaic frame but its bytes. Equal for all frames of a clip.
#[derive(Clone, Debug, PartialEq)]
pub struct MosaicLayout {
    /// Columns stored.
    pub width: u32,
    /// Rows stored.
    pub height: u32,
    /// How samples lie in memory.
    pub packing: Packing,
    /// Bytes from one row to the next.
    pub row_bytes: usize,
    /// The part that saw light, in stored coordinates.
    pub active: Rect,
    /// The part to deliver when nothing else is asked, relative to `active`.
    pub crop: Rect,
    /// The pattern, its phase counted from the active area's top left.
    pub bayer: Bayer,
    /// Black, white and linearisation.
    pub levels: Levels,
    /// Gains that make the scene's white neutral (green is 1), applied before debayering.
    pub white_balance: [f32; 3],
    /// White-balanced camera RGB to ACES2065-1, row-major. A neutral maps to a neutral.
    pub camera_to_aces: [[f64; 3]; 3],
}

impl MosaicLayout {
    /// Checks that the parts agree with each other and with a buffer of `bytes`.
    ///
    /// # Errors
    /// [`Code::TooLarge`], [`Code::BadStructure`] or [`Code::TruncatedFile`].
    pub fn check(&self, bytes: usize) -> Result<(), Fault> {
        let (w, h) = (self.width, self.height);
        check_size(w, h)?;
        if self.packing == Packing::F32Le && !self.levels.applied() {
            return Err(Fault::new(
                Code::BadStructure,
                "samples are floats, whose levels must have been applied",
            ));
        }
        if !self.active.fits(w, h) || !self.crop.fits(self.active.width, self.active.height) {
            return Err(Fault::new(
                Code::BadStructure,
                format!("active area or crop does not fit in {w}x{h}"),
            ));
        }
        if self.row_bytes < self.packing.row_bytes(w) {
            return Err(Fault::new(
                Code::BadStructure,
                format!("rows of {} bytes cannot hold {w} samples", self.row_bytes),
            ));
        }
        if !self.row_bytes.is_multiple_of(self.packing.word_bytes()) {
            return Err(Fault::new(
                Code::BadStructure,
                format!("rows of {} bytes are not whole words of the samples", self.row_bytes),
            ));
        }
        let needed = self.row_bytes * (h as usize - 1) + self.packing.row_bytes(w);
        if bytes < needed {
            return Err(Fault::new(
                Code::TruncatedFile,
                format!("{bytes} bytes of samples, {needed} expected"),
            ));
        }
        Ok(())
    }
}

/// How the samples of a picture lie in memory: red, green and blue of a pixel
/// together, rows without padding, little-endian.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RgbSamples {
    /// Unsigned 16-bit codes.
    U16,
    /// IEEE 754 binary16.
    F16,
    /// IEEE 754 binary32.
    F32,
}

impl RgbSamples {
    /// Bytes of one pixel.
    #[must_use]
    pub const fn pixel_bytes(self) -> usize {
        match self {
            Self::U16 | Self::F16 => 6,
            Self::F32 => 12,
        }
    }
}

/// Everything about a picture frame but its bytes. Equal for all frames of a clip.
#[derive(Clone, Debug, PartialEq)]
pub struct RgbLayout {
    /// Columns stored.
    pub width: u32,
    /// Rows stored.
    pub height: u32,
    /// How samples lie in memory.
    pub samples: RgbSamples,
    /// The part to deliver when nothing else is asked; what lies around it feeds the resample.
    pub crop: Rect,
    /// Linear light of each code, scene-referred, 1 = a perfect diffuser:
    /// indexed by the 16-bit code, or by the bits of a half; a code past the
    /// end takes the last entry. Empty: the samples are linear (whole numbers
    /// over 65535). Always empty for 32-bit floats.
    pub curve: Arc<[f32]>,
    /// Linear RGB to ACES2065-1, row-major. A neutral maps to a neutral.
    pub to_aces: [[f64; 3]; 3],
}

impl RgbLayout {
    /// Checks that the parts agree with each other and with a buffer of `bytes`.
    ///
    /// # Errors
    /// [`Code::TooLarge`], [`Code::BadStructure`] or [`Code::TruncatedFile`].
    pub fn check(&self, bytes: usize) -> Result<(), Fault> {
        check_size(self.width, self.height)?;
        if !self.crop.fits(self.width, self.height) {
            return Err(Fault::new(
                Code::BadStructure,
                format!("the crop does not fit in {}x{}", self.width, self.height),
            ));
        }
        if self.curve.len() > 65536
            || (self.samples == RgbSamples::F32 && !self.curve.is_empty())
            || (self.samples == RgbSamples::F16 && !matches!(self.curve.len(), 0 | 65536))
        {
            return Err(Fault::new(
                Code::BadStructure,
                format!("a curve of {} entries for {} samples", self.curve.len(), self.samples),
            ));
        }
        let needed = self.bytes();
        if bytes < needed {
            return Err(Fault::new(
                Code::TruncatedFile,
                format!("{bytes} bytes of samples, {needed} expected"),
            ));
        }
        Ok(())
    }

    /// Bytes of a frame.
    #[must_use]
    pub const fn bytes(&self) -> usize {
        self.width as usize * self.height as usize * self.samples.pixel_bytes()
    }
}

/// What a frame's bytes mean.
#[derive(Clone, Debug, PartialEq)]
pub enum Layout {
    /// Sensor data behind a colour filter.
    Mosaic(Arc<MosaicLayout>),
    /// A picture with all its colours.
    Rgb(Arc<RgbLayout>),
}

impl Layout {
    /// Checks that the parts agree with each other and with a buffer of `bytes`.
    ///
    /// # Errors
    /// As [`MosaicLayout::check`].
    pub fn check(&self, bytes: usize) -> Result<(), Fault> {
        match self {
            Self::Mosaic(layout) => layout.check(bytes),
            Self::Rgb(layout) => layout.check(bytes),
        }
    }

    /// Whether it is the same value, cheaply where both share one.
    #[must_use]
    pub fn same(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Mosaic(a), Self::Mosaic(b)) => Arc::ptr_eq(a, b) || a == b,
            (Self::Rgb(a), Self::Rgb(b)) => Arc::ptr_eq(a, b) || a == b,
            _ => false,
        }
    }

    /// Size of what is delivered when nothing else is asked, in pixels.
    #[must_use]
    pub fn crop_size(&self) -> [u32; 2] {
        let crop = match self {
            Self::Mosaic(layout) => layout.crop,
            Self::Rgb(layout) => layout.crop,
        };
        [crop.width, crop.height]
    }

    /// The sensor data's layout, where it is that.
    #[must_use]
    pub const fn mosaic(&self) -> Option<&Arc<MosaicLayout>> {
        match self {
            Self::Mosaic(layout) => Some(layout),
            Self::Rgb(_) => None,
        }
    }

    /// The picture's layout, where it is that.
    #[must_use]
    pub const fn rgb(&self) -> Option<&Arc<RgbLayout>> {
        match self {
            Self::Mosaic(_) => None,
            Self::Rgb(layout) => Some(layout),
        }
    }
}

fn check_size(width: u32, height: u32) -> Result<(), Fault> {
    if width > limits::MAX_PICTURE_SIDE_PX
        || height > limits::MAX_PICTURE_SIDE_PX
        || u64::from(width) * u64::from(height) > limits::MAX_PICTURE_PIXELS
    {
        return Err(Fault::new(
            Code::TooLarge,
            format!("picture of {width}x{height} pixels is beyond the limit"),
        ));
    }
    Ok(())
}

/// A frame as it was read.
#[derive(Clone, Debug, PartialEq)]
pub struct Frame {
    /// What the bytes mean.
    pub layout: Layout,
    /// The samples.
    pub bytes: Vec<u8>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_pattern_knows_its_colours() {
        use CfaColor::{Blue, Green, Red};
        for (bayer, colors) in [
            (Bayer::Rggb, [Red, Green, Green, Blue]),
            (Bayer::Grbg, [Green, Red, Blue, Green]),
            (Bayer::Gbrg, [Green, Blue, Red, Green]),
            (Bayer::Bggr, [Blue, Green, Green, Red]),
        ] {
            assert_eq!(
                [bayer.color(0, 0), bayer.color(0, 1), bayer.color(1, 0), bayer.color(1, 1)],
                colors,
                "{bayer:?}"
            );
            let (r, c) = bayer.red_at();
            assert_eq!(Bayer::with_red_at(r + 2, c + 4), bayer);
        }
    }

    #[test]
    fn packed_rows_are_whole_bytes() {
        assert_eq!(Packing::Msb12.row_bytes(1184), 1776);
        assert_eq!(Packing::Msb14.row_bytes(1888), 3304);
        assert_eq!(Packing::Msb10.row_bytes(3), 4);
        assert_eq!(Packing::Word14.row_bytes(8), 14);
        assert_eq!(Packing::Word14.row_bytes(1), 2);
        assert_eq!(Packing::Word10.row_bytes(3), 4);
        assert_eq!(Packing::Lsb12.row_bytes(3), 5);
        assert_eq!(Packing::Arri12.row_bytes(8), 12);
        assert_eq!(Packing::Arri12.row_bytes(2880), 4320);
        assert_eq!(Packing::Arri12.row_bytes(3), 8);
    }
}
