//! How ARRIRAW's samples lie, and the way from a frame's bytes to what is
//! delivered.
//!
//! Both packings go on as they are wherever rows are whole words of them;
//! mirrored pictures and odd widths are unpacked here. Which packing and which
//! colour filter phase a picture has follows from the camera family: the field
//! `ColorOrder` is explained in documents that are sold only. Open readers seem
//! to disagree about the phase (`rawler` says RGGB for the ALEXA, `rawspeed` and
//! LibRaw GRBG), but not about the colour of any stored sample: `rawler` leaves
//! the pairs of the classic packing swapped, the others swap them back, as here.

use platefarm_model::raw::{Bayer, Levels, MosaicLayout, Packing, Rect};
use platefarm_model::{Code, Fault, Outcome};
use std::fmt;

/// What the name of a camera family says about its pictures.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::source) struct Family {
    /// How samples are packed.
    pub(in crate::source) packing: Packing,
    /// Phase of the stored raster, not mirrored.
    pub(in crate::source) bayer: Bayer,
    /// Whether the name is in the table.
    pub(in crate::source) known: bool,
}

impl Family {
    /// By the field `CameraFamily`: `ALEXA`, `A-MINI`, `ALEXALF`, `ALEXA65`.
    pub(in crate::source) fn of(name: Option<&str>) -> Self {
        let name: String = name
            .unwrap_or_default()
            .chars()
            .filter(char::is_ascii_alphanumeric)
            .map(|c| c.to_ascii_uppercase())
            .collect();
        let (packing, bayer, known) = match name.as_str() {
            "ALEXA" => (Packing::Arri12, Bayer::Grbg, true),
            "ALEXALF" | "ALEXA65" => (Packing::Arri12, Bayer::Bggr, true),
            "AMINI" | "ALEXAMINI" | "AMINILF" | "ALEXAMINILF" => {
                (Packing::Lsb12, Bayer::Bggr, true)
            }
            _ => (Packing::Arri12, Bayer::Grbg, false),
        };
        Self { packing, bayer, known }
    }
}

/// Mirroring that `ImageOrientation` asks for: across, down.
pub(in crate::source) fn flips(orientation: u32) -> Option<[bool; 2]> {
    match orientation {
        0 => Some([false, false]),
        1 => Some([true, false]),
        2 => Some([false, true]),
        // ARRI's tools call 12 both; the sum of the two bits would be 3.
        3 | 12 => Some([true, true]),
        _ => None,
    }
}

/// One picture as it is stored.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::source) struct Stored {
    /// Columns.
    pub(in crate::source) width: u32,
    /// Rows.
    pub(in crate::source) height: u32,
    /// The part that saw light.
    pub(in crate::source) active: Rect,
    /// [`Packing::Arri12`] or [`Packing::Lsb12`].
    pub(in crate::source) packing: Packing,
    /// Phase of the stored raster.
    pub(in crate::source) bayer: Bayer,
    /// Mirrored across, down.
    pub(in crate::source) flips: [bool; 2],
}

impl fmt::Display for Stored {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { width, height, active, packing, bayer, .. } = self;
        let (pattern, mirrored) = (bayer.name(), self.mirrored());
        write!(f, "{width}x{height} photosites, active {active}, {packing} {pattern}, {mirrored}")
    }
}

impl Stored {
    /// How it is mirrored, in words.
    pub(in crate::source) const fn mirrored(&self) -> &'static str {
        match self.flips {
            [false, false] => "not mirrored",
            [true, false] => "mirrored across",
            [false, true] => "mirrored down",
            [true, true] => "mirrored across and down",
        }
    }

    /// Bytes of the samples: one stream, rows without padding.
    pub(in crate::source) const fn bytes(&self) -> usize {
        (self.width as usize * self.height as usize * 12).div_ceil(8)
    }

    /// How samples are delivered.
    fn delivered(&self) -> Packing {
        let word = self.packing.word_bytes();
        let whole =
            (self.width as usize * 12).is_multiple_of(8 * word) && self.width.is_multiple_of(2);
        if whole && !self.flips[0] { self.packing } else { Packing::U16Le }
    }

    /// The layout of what [`Self::deliver`] makes.
    pub(in crate::source) fn layout(
        &self,
        levels: Levels,
        white_balance: [f32; 3],
        camera_to_aces: [[f64; 3]; 3],
    ) -> MosaicLayout {
        let packing = self.delivered();
        let (w, h, a) = (self.width, self.height, self.active);
        let active = Rect {
            x: if self.flips[0] { w - a.x - a.width } else { a.x },
            y: if self.flips[1] { h - a.y - a.height } else { a.y },
            ..a
        };
        // Where red of the first pattern lands, then counted from the active area.
        let (row, column) = self.bayer.red_at();
        let row = if self.flips[1] { h + 1 + row } else { row };
        let column = if self.flips[0] { w + 1 + column } else { column };
        MosaicLayout {
            width: w,
            height: h,
            packing,
            row_bytes: packing.row_bytes(w),
            active,
            crop: Rect::of_size(active.width, active.height),
            bayer: Bayer::with_red_at(row + active.y, column + active.x),
            levels,
            white_balance,
            camera_to_aces,
        }
    }

    /// The frame's samples as the layout has them.
    ///
    /// # Errors
    /// [`Code::TruncatedFile`] when `bytes` are too few.
    pub(in crate::source) fn deliver(&self, mut bytes: Vec<u8>) -> Outcome<Vec<u8>> {
        let needed = self.bytes();
        if bytes.len() < needed {
            return Err(Fault::new(
                Code::TruncatedFile,
                format!(
                    "{} bytes of samples, {}x{} photosites of 12 bits take {needed}",
                    bytes.len(),
                    self.width,
                    self.height
                ),
            ));
        }
        bytes.truncate(needed);
        let packing = self.delivered();
        if packing == Packing::U16Le {
            bytes = self.words(&bytes);
        }
        if self.flips[1] {
            let row_bytes = packing.row_bytes(self.width);
            let (mut top, mut bottom) = (0, self.height as usize - 1);
            while top < bottom {
                let (above, below) = bytes.split_at_mut(bottom * row_bytes);
                above[top * row_bytes..][..row_bytes].swap_with_slice(&mut below[..row_bytes]);
                top += 1;
                bottom -= 1;
            }
        }
        Ok(bytes)
    }

    /// Samples as little-endian words, mirrored across where that is asked for.
    fn words(&self, bytes: &[u8]) -> Vec<u8> {
        let width = self.width as usize;
        let mut out = vec![0; 2 * width * self.height as usize];
        for (y, row) in out.chunks_exact_mut(2 * width).enumerate() {
            for (x, word) in row.chunks_exact_mut(2).enumerate() {
                let x = if self.flips[0] { width - 1 - x } else { x };
                word.copy_from_slice(&self.sample(bytes, y * width + x).to_le_bytes());
            }
        }
        out
    }

    /// One sample of the stream.
    fn sample(&self, bytes: &[u8], index: usize) -> u16 {
        let at = |i: usize| u16::from(bytes.get(i).copied().unwrap_or(0));
        if self.packing == Packing::Lsb12 {
            let byte = index * 3 / 2;
            let pair = at(byte) | at(byte + 1) << 8;
            return if index.is_multiple_of(2) { pair & 0xfff } else { pair >> 4 };
        }
        // Pairs are swapped, and the bytes of the stream are those of words from their last byte.
        let index = index ^ 1;
        let byte = index * 3 / 2;
        let pair = at(byte ^ 3) << 8 | at((byte + 1) ^ 3);
        if index.is_multiple_of(2) { pair >> 4 } else { pair & 0xfff }
    }
}
