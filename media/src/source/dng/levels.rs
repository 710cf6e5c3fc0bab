//! What the samples mean: black and white, linearisation (DNG 1.7.1,
//! chapters 4 and 5).

use super::raw::RawPicture;
use super::tags;
use super::tiff::{Tags, bad_value};
use platefarm_model::raw::{Levels, Rect};
use platefarm_model::{Fault, Outcome};
use std::fmt;
use std::sync::Arc;

/// From stored samples to linear ones.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Sensor {
    /// Stored code to linear code; a code past the end takes the last. Empty: none.
    pub(super) table: Arc<[u16]>,
    /// Black levels, relative to the active area.
    pub(super) black: Black,
    /// White level, per sample of a pixel.
    pub(super) white: Vec<f64>,
    /// Added to the black level, per column and per row of the active area. Empty: none.
    pub(super) delta_h: Arc<[f32]>,
    pub(super) delta_v: Arc<[f32]>,
}

/// Black levels of a pattern that repeats over the active area.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Black {
    pub(super) rows: usize,
    pub(super) columns: usize,
    samples: usize,
    /// Row by row, the samples of a pixel together.
    values: Vec<f64>,
}

impl Black {
    /// The level of a sample of the pixel at row and column of the active area.
    pub(super) fn at(&self, row: usize, column: usize, sample: usize) -> f64 {
        let cell = row % self.rows * self.columns + column % self.columns;
        self.values[cell * self.samples + sample]
    }

    /// The levels of the 2x2 pattern, where nothing else repeats.
    fn two_by_two(&self) -> Option<[f64; 4]> {
        let pattern = [self.at(0, 0, 0), self.at(0, 1, 0), self.at(1, 0, 0), self.at(1, 1, 0)];
        // An odd pattern, or a larger one, must still say the same for every 2x2 cell.
        let agrees = (0..2 * self.rows).all(|row| {
            (0..2 * self.columns)
                .all(|column| self.at(row, column, 0) == pattern[row % 2 * 2 + column % 2])
        });
        agrees.then_some(pattern)
    }
}

impl fmt::Display for Black {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let values: Vec<String> = self.values.iter().map(ToString::to_string).collect();
        write!(f, "{} ({} by {} photosites)", values.join(" "), self.columns, self.rows)
    }
}

/// Fewest photosites of each kind that a black level is measured from.
const MIN_MASKED: u64 = 64;

impl Black {
    /// The black level of a mosaic whose file says none, measured from photosites that saw no
    /// light (MaskedAreas): the mean of each kind of the 2x2 pattern, in linear codes. `word` gives the stored
    /// code at a row and column. `None` where there are too few, or they are not dark.
    pub(super) fn measured(
        sensor: &Sensor,
        masked: &[Rect],
        active: Rect,
        word: impl Fn(u32, u32) -> u16,
    ) -> Option<Self> {
        let (mut sums, mut counts) = ([0.0; 4], [0u64; 4]);
        for area in masked {
            for y in area.y..area.y + area.height {
                for x in area.x..area.x + area.width {
                    // The parity from the active area's top left on, to either side.
                    let kind = ((y ^ active.y) & 1) * 2 + ((x ^ active.x) & 1);
                    sums[kind as usize] += f64::from(sensor.linear(word(y, x)));
                    counts[kind as usize] += 1;
                }
            }
        }
        let values: Vec<f64> = sums.iter().zip(counts).map(|(sum, n)| sum / n as f64).collect();
        let enough = counts.iter().all(|n| *n >= MIN_MASKED);
        let dark = values.iter().all(|v| *v < sensor.white[0] / 2.0);
        (enough && dark).then_some(Self { rows: 2, columns: 2, samples: 1, values })
    }
}

impl Sensor {
    /// Black, white and linearisation.
    ///
    /// # Errors
    /// [`platefarm_model::Code::BadStructure`], [`platefarm_model::Code::TruncatedFile`].
    pub(super) fn read(
        tags: Tags<'_>,
        raw: &RawPicture,
        active: Rect,
        notes: &mut Vec<Fault>,
    ) -> Outcome<Self> {
        let table = match tags.picture.get(tags::LINEARIZATION_TABLE) {
            // A table is indexed by whole samples.
            Some(_) if !raw.float => linearization(tags)?,
            _ => Vec::new(),
        };
        let black = black(tags, raw.samples as usize)?;
        let default_white = if raw.float {
            1.0
        } else {
            table.iter().max().map_or(f64::from((1u32 << raw.bits) - 1), |v| f64::from(*v))
        };
        let white = tags.numbers(tags::WHITE_LEVEL)?.unwrap_or_default();
        let white: Vec<f64> = (0..raw.samples as usize)
            .map(|i| white.get(i).or(white.last()).copied().unwrap_or(default_white))
            .collect();
        for (index, level) in black.values.iter().enumerate() {
            let white = white[index % black.samples];
            if *level >= white {
                return Err(bad_value(
                    tags::BLACK_LEVEL,
                    format!("{level} is not below the white level {white}"),
                ));
            }
        }
        Ok(Self {
            table: table.into(),
            black,
            white,
            delta_h: deltas(tags, tags::BLACK_LEVEL_DELTA_H, active.width, notes)?.into(),
            delta_v: deltas(tags, tags::BLACK_LEVEL_DELTA_V, active.height, notes)?.into(),
        })
    }

    /// The levels in the form that the image operations take; `None` where only the reader can apply them.
    pub(super) fn levels(&self) -> Option<Levels> {
        Some(Levels {
            linearization: Arc::clone(&self.table),
            black: self.black.two_by_two()?.map(|v| v as f32),
            white: [*self.white.first()? as f32; 4],
            black_delta_h: Arc::clone(&self.delta_h),
            black_delta_v: Arc::clone(&self.delta_v),
        })
    }

    /// Whether one curve holds for all samples of all pixels.
    pub(super) fn is_one_curve(&self) -> bool {
        self.black.values.iter().all(|v| *v == self.black.values[0])
            && self.white.iter().all(|w| *w == self.white[0])
            && self.delta_h.is_empty()
            && self.delta_v.is_empty()
    }

    /// The linear value of each whole code of so many bits, at most 16, where that holds.
    pub(super) fn curve(&self, bits: u32) -> Option<Vec<f32>> {
        let (black, white) = (self.black.values[0], self.white[0]);
        let linear = |code: usize| f64::from(self.linear(code as u16));
        self.is_one_curve().then(|| {
            (0..1usize << bits).map(|c| ((linear(c) - black) / (white - black)) as f32).collect()
        })
    }

    /// The linear code of a stored one.
    pub(super) fn linear(&self, code: u16) -> f32 {
        let last = self.table.len().saturating_sub(1);
        f32::from(self.table.get(usize::from(code).min(last)).copied().unwrap_or(code))
    }

    /// Rows and columns after which black and scale repeat, but for the deltas: the pattern's, and
    /// those of the colour filter.
    pub(super) fn periods(&self) -> (usize, usize) {
        let even = |n: usize| if n.is_multiple_of(2) { n } else { 2 * n };
        if self.white.len() > 1 {
            return (self.black.rows, self.black.columns);
        }
        (even(self.black.rows), even(self.black.columns))
    }

    /// One over white minus the largest black of a kind of sample: 1 is then where all of them clip.
    pub(super) fn scale(&self, row: usize, column: usize, sample: usize) -> f64 {
        let largest = |deltas: &[f32], first: usize, period: usize| {
            let mine = deltas.iter().skip(first % period).step_by(period);
            mine.copied().reduce(f32::max).map_or(0.0, f64::from)
        };
        let (rows, columns) = self.periods();
        let black = self.black.at(row, column, sample)
            + largest(&self.delta_h, column, columns)
            + largest(&self.delta_v, row, rows);
        1.0 / (self.white[sample] - black)
    }
}

fn linearization(tags: Tags<'_>) -> Outcome<Vec<u16>> {
    let values = tags.required(tags::LINEARIZATION_TABLE)?.integers();
    let table: Option<Vec<u16>> = values.iter().map(|v| u16::try_from(*v).ok()).collect();
    match table {
        Some(table) if !table.is_empty() && table.len() <= 1 << 16 => Ok(table),
        _ => Err(bad_value(
            tags::LINEARIZATION_TABLE,
            format!("of {} values cannot be used", values.len()),
        )),
    }
}

/// Most cells of a black level pattern.
const MAX_BLACK_CELLS: u64 = 4096;

/// BlackLevel with its pattern. A file that gives one level for all samples, or one per cell, is understood.
fn black(tags: Tags<'_>, samples: usize) -> Outcome<Black> {
    let values = tags.numbers(tags::BLACK_LEVEL)?.unwrap_or_else(|| vec![0.0]);
    let dims = match tags.get(tags::BLACK_LEVEL_REPEAT_DIM) {
        Some(entry) => entry.integers(),
        None => vec![1, 1],
    };
    let [rows, columns] = dims[..] else {
        return Err(bad_value(tags::BLACK_LEVEL_REPEAT_DIM, "does not hold two numbers"));
    };
    let cells =
        rows.checked_mul(columns).filter(|n| *n > 0 && *n <= MAX_BLACK_CELLS).ok_or_else(|| {
            bad_value(tags::BLACK_LEVEL_REPEAT_DIM, format!("is {rows}x{columns}"))
        })? as usize;
    let values: Vec<f64> = if values.len() >= cells * samples {
        values[..cells * samples].to_vec()
    } else if values.len() == cells {
        values.iter().flat_map(|v| std::iter::repeat_n(*v, samples)).collect()
    } else {
        return Err(bad_value(
            tags::BLACK_LEVEL,
            format!("has {} values for a pattern of {rows}x{columns}", values.len()),
        ));
    };
    Ok(Black { rows: rows as usize, columns: columns as usize, samples, values })
}

/// The deltas of a row or column; a list of another length belongs to another picture, and is left out.
fn deltas(tags: Tags<'_>, tag: u16, wanted: u32, notes: &mut Vec<Fault>) -> Outcome<Vec<f32>> {
    let Some(values) = tags.numbers(tag)? else { return Ok(Vec::new()) };
    if values.len() != wanted as usize {
        notes.push(bad_value(
            tag,
            format!("has {} values for {wanted} lines; they are left out", values.len()),
        ));
        return Ok(Vec::new());
    }
    Ok(values.into_iter().map(|v| v as f32).collect())
}
