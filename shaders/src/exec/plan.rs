//! From a recipe to rows, columns and bands: what is computed once per recipe.
//!
//! Only the rows and columns that the delivered raster looks at are made, and
//! where they do not fit in one buffer, or should be shared between threads,
//! the delivered rows are cut into bands. A band computes its halo itself, from
//! the same inputs in the same order, so that bands cannot be seen.

use super::repairing;
use crate::color::Plan as Colors;
use crate::ops::levels::LevelTables;
use crate::ops::resample::Taps;
use crate::ops::{debayer_mhc, debayer_rcd, debayer_ri, highlights, superpixel, white_balance};
use crate::{PlateColor, PlateRecipe};
use platefarm_model::color::Matrix3;
use platefarm_model::color::chain::{Chain, Link};
use platefarm_model::raw::{Layout, MosaicLayout, RgbLayout};
use platefarm_model::recipe::{Debayer, Framing};
use platefarm_model::repair::{Highlights, Repairs};
use platefarm_model::{Code, Fault, Outcome, limits};
use std::ops::Range;
use std::sync::Arc;

/// Largest scale, and one over the smallest: beyond it a framing is a mistake.
const MAX_SCALE: f64 = 256.0;

/// What a recipe's frames are, with what only frames of that kind need.
#[derive(Clone, Debug)]
pub enum Input {
    /// Sensor data behind a colour filter.
    Mosaic(MosaicInput),
    /// Pictures that have all their colours.
    Rgb(Arc<RgbLayout>),
}

impl Input {
    /// Rows and columns of the input that become one of the picture.
    #[must_use]
    pub const fn block(&self) -> u32 {
        match self {
            Self::Mosaic(mosaic) => mosaic.block(),
            Self::Rgb(_) => 1,
        }
    }

    /// Some columns of a picture of `width`, from where a row may begin to where it may end:
    /// of sensor data in pairs.
    pub(super) fn whole(&self, columns: Range<u32>, width: u32) -> Range<u32> {
        match self {
            Self::Mosaic(_) => columns.start & !1..columns.end.next_multiple_of(2).min(width),
            Self::Rgb(_) => columns,
        }
    }
}

/// Sensor data, and what leads up to its debayer.
#[derive(Clone, Debug)]
pub struct MosaicInput {
    /// How the stored bytes lie.
    pub layout: Arc<MosaicLayout>,
    /// Levels spread over the picture.
    pub levels: LevelTables,
    /// Gain of each photosite of the 2x2 pattern.
    pub gains: [f32; 4],
    /// Row and column of red in the pattern.
    pub red_at: (u32, u32),
    /// How the missing colours are reconstructed.
    pub debayer: Debayer,
    /// What is mended before it.
    pub repairs: Repairs,
    /// Heights at which red, green and blue clip when they come to the debayer.
    pub clips: [f32; 3],
    /// Rows and columns that the debayer and the repairs look at on each side of a pixel.
    pub halo: u32,
}

impl MosaicInput {
    /// The height that no photosite and no colour of a pixel may exceed, where there is one.
    #[must_use]
    pub fn ceiling(&self) -> Option<f32> {
        (self.repairs.highlights == Highlights::Clip)
            .then(|| highlights::ceiling(self.layout.white_balance))
    }

    /// Rows and columns that the repairs look at on each side.
    #[must_use]
    pub const fn reach(&self) -> u32 {
        repairing::reach(self.repairs)
    }

    /// Rows and columns of photosites that become one of the picture.
    #[must_use]
    pub const fn block(&self) -> u32 {
        match self.debayer {
            Debayer::Superpixel => superpixel::BLOCK,
            Debayer::Ri | Debayer::Rcd | Debayer::Mhc => 1,
        }
    }
}

/// Rows and columns that a debayer looks at on each side of a pixel.
#[must_use]
pub const fn halo_of(debayer: Debayer) -> u32 {
    match debayer {
        Debayer::Ri => debayer_ri::HALO,
        Debayer::Rcd => debayer_rcd::HALO,
        Debayer::Mhc => debayer_mhc::HALO,
        Debayer::Superpixel => superpixel::HALO.next_multiple_of(superpixel::BLOCK),
    }
}

/// Everything about a recipe that all its frames share.
#[derive(Clone, Debug)]
pub struct Plan {
    /// What comes in.
    pub input: Input,
    /// Size of the picture: of sensor data the active area, or half of it.
    pub picture: [u32; 2],
    /// Size of the input that it is made of: of sensor data the active area.
    pub sites: [u32; 2],
    /// Columns of the picture that are made. Of sensor data they begin at an even one.
    pub columns: Range<u32>,
    /// Linear RGB of the input to ACES2065-1, row-major; none where they are the same.
    pub matrix: Option<[f32; 9]>,
    /// Colour on the picture, after the matrix.
    pub before: Option<Colors>,
    /// Colour on what is delivered.
    pub after: Option<Colors>,
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
    /// Rows of the input that those look at.
    pub input_rows: Range<u32>,
    /// Those of them that no band before this one looks at: what is counted
    /// on the way is counted once, however a frame is cut.
    pub fresh_rows: Range<u32>,
}

impl Plan {
    /// Plans a recipe.
    ///
    /// # Errors
    /// The codes of [`MosaicLayout::check`], or [`Code::BadRecipe`].
    pub fn new(recipe: &PlateRecipe) -> Outcome<Self> {
        recipe.layout.check(usize::MAX)?;
        let framing = &recipe.framing;
        check_framing(framing, recipe.layout.crop_size())?;
        let (input, to_aces) = input(recipe)?;
        let (matrix, before, after) = colors(to_aces, &recipe.color);
        let (crop, sites) = match &recipe.layout {
            Layout::Mosaic(layout) => (layout.crop, [layout.active.width, layout.active.height]),
            Layout::Rgb(layout) => (layout.crop, [layout.width, layout.height]),
        };
        let block = input.block();
        let picture = sites.map(|side| side.div_ceil(block));
        let crop = [crop.x, crop.y];
        // A mirrored picture is made upright, so that sources are always read
        // forwards and no sum depends on it, and stored from the far end.
        let flips = framing.flips();
        let mut upright = framing.clone().flipped(flips);
        for axis in [0, 1] {
            // Framing counts the source from the crop; the picture begins at the active area,
            // and its pixels may be blocks of the source's.
            upright.offset[axis] -= upright.scale[axis] * f64::from(crop[axis]);
            upright.scale[axis] *= f64::from(block);
        }
        let filter = upright.effective_filter();
        let taps = [0, 1].map(|axis| {
            let lines = upright.content[axis]..upright.content[axis + 2];
            Taps::new(filter, upright.scale[axis], upright.offset[axis], lines, picture[axis])
        });
        let reads = taps[0].reads(0..taps[0].start.len());
        let columns = input.whole(reads, picture[0]);
        Ok(Self {
            input,
            picture,
            sites,
            columns,
            matrix,
            before,
            after,
            taps,
            antiring: framing.antiring,
            flips,
            size: framing.size,
            content: framing.content,
        })
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

    /// Rows and columns of the input that a pixel looks at on each side.
    #[must_use]
    pub const fn halo(&self) -> u32 {
        match &self.input {
            Input::Mosaic(mosaic) => mosaic.halo,
            Input::Rgb(_) => 0,
        }
    }

    /// Columns of the input that are made: those of the picture and the halo.
    #[must_use]
    pub fn input_columns(&self) -> Range<u32> {
        self.with_halo(self.columns.clone(), 0)
    }

    /// The band of some delivered rows.
    #[must_use]
    pub fn band(&self, lines: Range<usize>) -> Band {
        let rows = self.taps[1].reads(lines.clone());
        let input_rows = self.with_halo(rows.clone(), 1);
        let seen = lines
            .start
            .checked_sub(1)
            .map_or(0, |line| self.with_halo(self.taps[1].reads(line..line + 1), 1).end);
        let fresh_rows = input_rows.start.max(seen)..input_rows.end.max(seen);
        Band { lines, rows, input_rows, fresh_rows }
    }

    /// Columns (axis 0) or rows (axis 1) of the input that those of the picture
    /// are made of, and the halo around them.
    pub(super) fn with_halo(&self, lines: Range<u32>, axis: usize) -> Range<u32> {
        // A mirrored line at the edge lies within the halo too, or is line 2 at most.
        let block = self.input.block();
        (lines.start * block).saturating_sub(self.halo())
            ..(lines.end * block + self.halo()).min(self.sites[axis])
    }

    /// Bytes from one stored row to the next.
    #[must_use]
    pub fn row_bytes(&self) -> usize {
        match &self.input {
            Input::Mosaic(mosaic) => mosaic.layout.row_bytes,
            Input::Rgb(layout) => layout.width as usize * layout.samples.pixel_bytes(),
        }
    }

    /// Where in a frame the stored row of the picture's row `y` begins.
    #[must_use]
    pub fn row_at(&self, y: u32) -> usize {
        let above = match &self.input {
            Input::Mosaic(mosaic) => mosaic.layout.active.y,
            Input::Rgb(_) => 0,
        };
        (above + y) as usize * self.row_bytes()
    }

    /// Whether a frame of so many bytes has all that the plan looks at.
    ///
    /// # Errors
    /// As [`Layout::check`].
    pub fn check_bytes(&self, bytes: usize) -> Outcome<()> {
        match &self.input {
            Input::Mosaic(mosaic) => mosaic.layout.check(bytes),
            Input::Rgb(layout) => layout.check(bytes),
        }
    }

    /// About `count` bands of the same number of rows, none with fewer than
    /// `least` but the last.
    #[must_use]
    pub fn bands_for_threads(&self, count: usize, least: usize) -> Vec<Band> {
        let lines = self.content_size()[1];
        let step = lines.div_ceil(count.max(1)).max(least).max(1);
        (0..lines).step_by(step).map(|from| self.band(from..(from + step).min(lines))).collect()
    }
}

fn bad(message: impl Into<String>, place: &str) -> Fault {
    Fault::new(Code::BadRecipe, message).at(place)
}

/// A plate's colour as it is done: the matrix of the picture's own pass, the
/// rest of what goes before the resample, and what goes after it. What is
/// nothing but a matrix after the resample joins the one before it.
fn colors(
    to_aces: Matrix3,
    color: &PlateColor,
) -> (Option<[f32; 9]>, Option<Colors>, Option<Colors>) {
    let mut before = Chain::matrix(to_aces).then(color.before.clone());
    let mut after = Colors::new(&color.after);
    if let [Link::Matrix { offset: [0.0, 0.0, 0.0], .. }] = after.links() {
        before = before.then(color.after.clone());
        after = Colors::default();
    }
    let mut before = Colors::new(&before);
    // What is in ACES2065-1 already keeps every bit, a negative zero included.
    let matrix = before.take_matrix();
    let some = |colors: Colors| (!colors.links().is_empty()).then_some(colors);
    (matrix, some(before), some(after))
}

/// What comes in, and the matrix that takes it to ACES2065-1.
fn input(recipe: &PlateRecipe) -> Outcome<(Input, Matrix3)> {
    let (input, to_aces) = match &recipe.layout {
        Layout::Mosaic(layout) => {
            let active = layout.active;
            if active.width < 2 || active.height < 2 {
                let size = format!("{}x{}", active.width, active.height);
                let message = format!("a picture of {size} has no full Bayer pattern");
                return Err(bad(message, "layout.active"));
            }
            let gains = layout.white_balance;
            if !gains.iter().all(|gain| gain.is_finite() && *gain > 0.0) {
                let message = format!("white balance {gains:?} is not three gains above 0");
                return Err(bad(message, "layout.white_balance"));
            }
            let clips = match recipe.repairs.highlights {
                Highlights::Clip => [highlights::ceiling(gains); 3],
                Highlights::Off | Highlights::Rebuild => gains,
            };
            let input = MosaicInput {
                layout: Arc::clone(layout),
                levels: LevelTables::new(&layout.levels, active.width, active.height)?,
                gains: white_balance::site_gains(layout.bayer, gains),
                red_at: layout.bayer.red_at(),
                debayer: recipe.debayer,
                repairs: recipe.repairs,
                clips,
                halo: halo_of(recipe.debayer) + repairing::reach(recipe.repairs),
            };
            (Input::Mosaic(input), layout.camera_to_aces)
        }
        Layout::Rgb(layout) => (Input::Rgb(Arc::clone(layout)), layout.to_aces),
    };
    if !to_aces.iter().flatten().all(|v| v.is_finite()) {
        return Err(bad("the matrix to ACES2065-1 is not finite", "layout"));
    }
    Ok((input, to_aces))
}

fn check_framing(framing: &Framing, crop: [u32; 2]) -> Outcome<()> {
    if framing.source_size != crop {
        let ([width, height], [across, down]) = (framing.source_size, crop);
        return Err(bad(
            format!("made for a source of {width}x{height} pixels, the clip has {across}x{down}"),
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
