//! From a recipe to passes and bands: what is computed once per recipe.
//!
//! Operations that look at one place only share a pass with their neighbour;
//! a pass ends where the next operation needs more than one of its results (a
//! halo). That leaves at most four: samples to mosaic, mosaic to colour, down,
//! along. Only the rows and columns that the delivered raster looks at are
//! made, and where they do not fit in one buffer, or should be shared between
//! threads, the delivered rows are cut into bands. A band computes its halo
//! itself, from the same inputs in the same order, so that bands cannot be seen.

use crate::PlateRecipe;
use crate::ops::debayer_mhc::HALO;
use crate::ops::levels::LevelTables;
use crate::ops::resample::Taps;
use crate::ops::{matrix, white_balance};
use platefarm_model::raw::{Layout, MosaicLayout, Packing};
use platefarm_model::recipe::{Debayer, Framing};
use platefarm_model::{Code, Fault, Outcome, limits};
use std::ops::Range;
use std::sync::Arc;

/// Largest scale, and one over the smallest: beyond it a framing is a mistake.
const MAX_SCALE: f64 = 256.0;

/// Operations that run as one pass.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Stage {
    /// Stored bytes to a white-balanced mosaic.
    Mosaic,
    /// Mosaic to ACES2065-1.
    Color,
    /// Resample on the vertical axis.
    Down,
    /// Resample on the horizontal axis, and round to halves.
    Along,
}

impl Stage {
    /// Names of its operations, in the order they run.
    #[must_use]
    pub const fn ops(self) -> &'static [&'static str] {
        match self {
            Self::Mosaic => &["unpack", "levels", "white_balance"],
            Self::Color => &["debayer_mhc", "matrix"],
            Self::Down => &["resample"],
            Self::Along => &["resample", "to_half"],
        }
    }
}

/// Everything about a recipe that all its frames share.
#[derive(Clone, Debug)]
pub struct Plan {
    /// How the stored bytes lie.
    pub layout: Arc<MosaicLayout>,
    /// Size of the picture: the active area.
    pub picture: [u32; 2],
    /// Columns of the picture that are made. They begin at an even one.
    pub columns: Range<u32>,
    /// Levels spread over the picture.
    pub levels: LevelTables,
    /// Gain of each photosite of the 2x2 pattern.
    pub gains: [f32; 4],
    /// Camera RGB to ACES2065-1, row-major.
    pub matrix: [f32; 9],
    /// Row and column of red in the pattern.
    pub red_at: (u32, u32),
    /// Weights for the delivered columns and rows that hold picture, counted
    /// from the far end on an axis that is mirrored.
    pub taps: [Taps; 2],
    /// Whether sums are kept within the range of what they are made of.
    pub antiring: bool,
    /// Axes on which the picture is stored mirrored: across, down.
    pub flips: [bool; 2],
    /// Delivered size.
    pub size: [u32; 2],
    /// First column, first row, end column, end row of the delivered raster that hold picture.
    pub content: [u32; 4],
}

/// A run of delivered rows, with what it takes to make them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Band {
    /// Delivered rows, counted from the first that holds picture.
    pub lines: Range<usize>,
    /// Rows of the picture that they look at.
    pub rows: Range<u32>,
    /// Rows of the mosaic that those look at.
    pub mosaic_rows: Range<u32>,
}

impl Plan {
    /// Plans a recipe.
    ///
    /// # Errors
    /// The codes of [`MosaicLayout::check`], or [`Code::BadRecipe`].
    pub fn new(recipe: &PlateRecipe) -> Outcome<Self> {
        recipe.layout.check(usize::MAX)?;
        let Layout::Mosaic(layout) = &recipe.layout else {
            return Err(bad("pictures that have all their colours are not rendered", "layout"));
        };
        if layout.packing == Packing::F32Le {
            return Err(bad("samples that are floats are not rendered", "layout"));
        }
        let Debayer::Mhc = recipe.debayer;
        let framing = &recipe.framing;
        let active = layout.active;
        check_framing(framing, layout)?;
        let finite = layout.camera_to_aces.iter().flatten().all(|v| v.is_finite())
            && layout.white_balance.iter().all(|v| v.is_finite());
        if !finite {
            return Err(bad("white balance or camera matrix is not finite", "layout"));
        }
        if active.width < HALO || active.height < HALO {
            let size = format!("{}x{}", active.width, active.height);
            return Err(bad(
                format!("a picture of {size} has no full Bayer pattern"),
                "layout.active",
            ));
        }
        let crop = [layout.crop.x, layout.crop.y];
        let picture = [active.width, active.height];
        let filter = framing.effective_filter();
        // A mirrored picture is made upright, so that sources are always read
        // forwards and no sum depends on it, and stored from the far end.
        let flips = framing.flips();
        let upright = framing.clone().flipped(flips);
        let taps = [0, 1].map(|axis| {
            // Framing counts the source from the crop; the picture begins at the active area.
            let scale = upright.scale[axis];
            let offset = upright.offset[axis] - scale * f64::from(crop[axis]);
            let lines = upright.content[axis]..upright.content[axis + 2];
            Taps::new(filter, scale, offset, lines, picture[axis])
        });
        let reads = taps[0].reads(0..taps[0].start.len());
        let columns = reads.start & !1..reads.end.next_multiple_of(2).min(active.width);
        Ok(Self {
            layout: Arc::clone(layout),
            picture,
            columns,
            levels: LevelTables::new(&layout.levels, active.width, active.height)?,
            gains: white_balance::site_gains(layout.bayer, layout.white_balance),
            matrix: matrix::working(layout.camera_to_aces),
            red_at: layout.bayer.red_at(),
            taps,
            antiring: framing.antiring,
            flips,
            size: framing.size,
            content: framing.content,
        })
    }

    /// The passes, in order. A vertical resample that only moves whole rows
    /// needs none: the horizontal one fetches its rows from where they are.
    #[must_use]
    pub fn stages(&self) -> Vec<Stage> {
        let mut stages = vec![Stage::Mosaic, Stage::Color];
        if !self.taps[1].is_copy() {
            stages.push(Stage::Down);
        }
        stages.push(Stage::Along);
        stages
    }

    /// Delivered columns and rows that hold picture.
    #[must_use]
    pub fn content_size(&self) -> [usize; 2] {
        [self.taps[0].start.len(), self.taps[1].start.len()]
    }

    /// Columns (axis 0) or rows (axis 1) of the delivered raster that hold some
    /// of those that are made; backwards where that axis is mirrored.
    #[must_use]
    pub fn placed(&self, axis: usize, made: Range<usize>) -> Range<usize> {
        let [first, end] = [self.content[axis] as usize, self.content[axis + 2] as usize];
        if self.flips[axis] {
            end - made.end..end - made.start
        } else {
            first + made.start..first + made.end
        }
    }

    /// Pairs of columns of a row that are made.
    #[must_use]
    pub fn pairs(&self) -> usize {
        (self.columns.len()).div_ceil(2)
    }

    /// Columns of the mosaic that are made: those of the picture and the halo.
    #[must_use]
    pub fn mosaic_columns(&self) -> Range<u32> {
        self.columns.start.saturating_sub(HALO)..(self.columns.end + HALO).min(self.picture[0])
    }

    /// The band of some delivered rows.
    #[must_use]
    pub fn band(&self, lines: Range<usize>) -> Band {
        let rows = self.taps[1].reads(lines.clone());
        // A mirrored row at the edge lies within the halo too, or is row 2 at most.
        let end = (rows.end + HALO).min(self.picture[1]);
        Band { lines, mosaic_rows: rows.start.saturating_sub(HALO)..end, rows }
    }

    /// About `count` bands of the same number of rows, none with fewer than
    /// `least` but the last.
    #[must_use]
    pub fn bands_for_threads(&self, count: usize, least: usize) -> Vec<Band> {
        let lines = self.content_size()[1];
        let step = lines.div_ceil(count.max(1)).max(least).max(1);
        (0..lines).step_by(step).map(|from| self.band(from..(from + step).min(lines))).collect()
    }

    /// The fewest bands of which no buffer is larger than `limit` bytes.
    ///
    /// # Errors
    /// [`Code::GpuFailed`] when not even one row fits.
    pub fn bands_within(&self, limit: u64) -> Outcome<Vec<Band>> {
        let lines = self.content_size()[1];
        let fits = |lines: Range<usize>| self.bytes(&self.band(lines)).largest() <= limit;
        let mut bands = Vec::new();
        let mut from = 0;
        while from < lines {
            // Buffers only grow with the number of rows, so the largest number that fits can be bisected.
            let (mut least, mut most) = (0, lines - from);
            while least < most {
                let middle = (least + most).div_ceil(2);
                if fits(from..from + middle) { least = middle } else { most = middle - 1 }
            }
            if least == 0 {
                let bytes = self.bytes(&self.band(from..from + 1)).largest();
                return Err(Fault::new(
                    Code::GpuFailed,
                    format!(
                        "one delivered row needs a buffer of {bytes} bytes, the GPU binds {limit} at most"
                    ),
                ));
            }
            bands.push(self.band(from..from + least));
            from += least;
        }
        Ok(bands)
    }

    /// Sizes of the buffers of a band.
    #[must_use]
    pub fn bytes(&self, band: &Band) -> BandBytes {
        let product = |a: usize, b: usize, c: u64| a as u64 * b as u64 * c;
        let columns = self.columns.len();
        let lines = band.lines.len();
        let [width, _] = self.content_size();
        BandBytes {
            raw: (product(self.layout.row_bytes, band.mosaic_rows.len(), 1)).next_multiple_of(4)
                + 8,
            mosaic: product(self.mosaic_columns().len(), band.mosaic_rows.len(), 4),
            color: product(columns, band.rows.len(), 12),
            down: if self.taps[1].is_copy() { 0 } else { product(columns, lines, 12) },
            halves: product(width.div_ceil(2), lines, 12),
        }
    }
}

/// Sizes of the buffers of a band, in bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct BandBytes {
    /// Stored rows, with room to read whole words past the end.
    pub raw: u64,
    /// Mosaic: one float a photosite.
    pub mosaic: u64,
    /// Colour: three planes of floats.
    pub color: u64,
    /// After the vertical pass: three planes of floats.
    pub down: u64,
    /// Halves: three planes, two columns to a word.
    pub halves: u64,
}

impl BandBytes {
    /// The largest of them.
    #[must_use]
    pub fn largest(&self) -> u64 {
        [self.raw, self.mosaic, self.color, self.down, self.halves].into_iter().fold(0, u64::max)
    }

    /// The larger of two, buffer by buffer.
    #[must_use]
    pub fn max(self, other: Self) -> Self {
        Self {
            raw: self.raw.max(other.raw),
            mosaic: self.mosaic.max(other.mosaic),
            color: self.color.max(other.color),
            down: self.down.max(other.down),
            halves: self.halves.max(other.halves),
        }
    }
}

fn bad(message: impl Into<String>, place: &str) -> Fault {
    Fault::new(Code::BadRecipe, message).at(place)
}

fn check_framing(framing: &Framing, layout: &MosaicLayout) -> Outcome<()> {
    let crop = [layout.crop.width, layout.crop.height];
    if framing.source_size != crop {
        return Err(bad(
            format!("made for a source of {:?} pixels, the clip has {crop:?}", framing.source_size),
            "framing.source_size",
        ));
    }
    let [width, height] = framing.size;
    let sides = 1..=limits::MAX_PICTURE_SIDE_PX;
    if !sides.contains(&width)
        || !sides.contains(&height)
        || u64::from(width) * u64::from(height) > limits::MAX_PICTURE_PIXELS
    {
        return Err(bad(format!("a raster of {width}x{height} pixels"), "framing.size"));
    }
    let [left, top, right, bottom] = framing.content;
    if left >= right || top >= bottom || right > width || bottom > height {
        return Err(bad(
            format!("content {:?} is empty or leaves {width}x{height}", framing.content),
            "framing.content",
        ));
    }
    for axis in [0, 1] {
        let (scale, offset) = (framing.scale[axis], framing.offset[axis]);
        if !(1.0 / MAX_SCALE..=MAX_SCALE).contains(&scale.abs()) {
            let message = format!("scale {scale} is not within 1/256 to 256 either way");
            return Err(bad(message, "framing.scale"));
        }
        if !offset.is_finite() {
            return Err(bad(format!("offset {offset} is not a number"), "framing.offset"));
        }
    }
    Ok(())
}

#[cfg(test)]
#[path = "plan_tests.rs"]
mod tests;
