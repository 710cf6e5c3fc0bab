//! From stored samples to linear ones, for the pictures whose numbers the
//! reader has to touch: floats, and those that the camera's corrections
//! (`opcodes`) change on their way.
//!
//! All others are handed out as they lie in the file, and their levels are
//! applied where the rest of the picture is made.

use super::levels::Sensor;
use super::opcodes::{Operation, Raster, Stage};
use super::raw::RawPicture;
use platefarm_model::Outcome;
use platefarm_model::raw::Rect;
use rayon::prelude::*;

/// The corrections of a frame.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Corrections {
    /// Before the samples are made linear.
    pub(super) first: Vec<Operation>,
    /// After it.
    pub(super) second: Vec<Operation>,
}

impl Corrections {
    /// What the active area is trimmed to.
    pub(super) fn trims(&self) -> impl Iterator<Item = Rect> {
        self.second.iter().filter_map(|operation| match operation {
            Operation::Trim(rect) => Some(*rect),
            _ => None,
        })
    }
}

/// Applies the first corrections to words, which stay words.
///
/// # Errors
/// As [`Raster::apply`].
pub(super) fn correct_words(
    raw: &RawPicture,
    corrections: &Corrections,
    words: &mut [u8],
) -> Outcome<()> {
    let mut raster = stored(raw, words);
    raster.apply(&corrections.first, Stage::Codes)?;
    let cells = words.par_chunks_exact_mut(2).with_min_len(1 << 16);
    cells.zip(&raster.data).for_each(|(to, v)| to.copy_from_slice(&(*v as u16).to_le_bytes()));
    Ok(())
}

/// Makes linear floats of `numbers` (words or floats over all that is stored): 0 is black, 1 the
/// clipping point, over the active area with all corrections applied, into `out`.
///
/// # Errors
/// As [`Raster::apply`].
pub(super) fn linearise(
    raw: &RawPicture,
    sensor: &Sensor,
    active: Rect,
    corrections: &Corrections,
    numbers: &mut [u8],
    out: &mut Vec<u8>,
) -> Outcome<()> {
    if !corrections.first.is_empty() {
        if raw.float {
            let mut raster = stored(raw, numbers);
            raster.apply(&corrections.first, Stage::Linear { delta: 1.0 })?;
            let cells = numbers.par_chunks_exact_mut(4).with_min_len(1 << 16);
            cells.zip(&raster.data).for_each(|(to, v)| to.copy_from_slice(&v.to_le_bytes()));
        } else {
            correct_words(raw, corrections, numbers)?;
        }
    }
    let row_samples = active.width as usize * raw.samples as usize;
    out.resize(4 * row_samples * active.height as usize, 0);
    apply_levels(raw, sensor, active, numbers, out);
    if corrections.second.is_empty() {
        return Ok(());
    }
    let mut raster = Raster {
        width: active.width as usize,
        height: active.height as usize,
        samples: raw.samples as usize,
        data: read_floats(out),
    };
    let delta = if raw.float { 1.0 } else { 1.0 / 65535.0 };
    raster.apply(&corrections.second, Stage::Linear { delta })?;
    out.truncate(4 * raster.data.len());
    let cells = out.par_chunks_exact_mut(4).with_min_len(1 << 16);
    cells.zip(&raster.data).for_each(|(to, v)| to.copy_from_slice(&v.to_le_bytes()));
    Ok(())
}

fn read_floats(bytes: &[u8]) -> Vec<f32> {
    bytes.chunks_exact(4).map(|c| f32::from_le_bytes([c[0], c[1], c[2], c[3]])).collect()
}

/// Everything that is stored, as numbers.
fn stored(raw: &RawPicture, numbers: &[u8]) -> Raster {
    let data = if raw.float {
        read_floats(numbers)
    } else {
        numbers.chunks_exact(2).map(|c| f32::from(u16::from_le_bytes([c[0], c[1]]))).collect()
    };
    Raster {
        width: raw.width as usize,
        height: raw.height as usize,
        samples: raw.samples as usize,
        data,
    }
}

/// `(linear - black) * scale` of each sample of the active area.
fn apply_levels(raw: &RawPicture, sensor: &Sensor, active: Rect, numbers: &[u8], out: &mut [u8]) {
    let samples = raw.samples as usize;
    let cell = if raw.float { 4 } else { 2 };
    let stored_row = raw.width as usize * samples * cell;
    let row_samples = active.width as usize * samples;
    let (rows, columns) = sensor.periods();
    let scales: Vec<f32> = (0..rows * columns * samples)
        .map(|i| sensor.scale(i / samples / columns, i / samples % columns, i % samples) as f32)
        .collect();
    // Black and scale of a row, per row of the pattern.
    let lines: Vec<Vec<[f32; 2]>> = (0..rows)
        .map(|row| {
            (0..row_samples)
                .map(|i| {
                    let (column, sample) = (i / samples, i % samples);
                    let delta = sensor.delta_h.get(column).copied().unwrap_or(0.0);
                    let black = sensor.black.at(row, column, sample) + f64::from(delta);
                    [black as f32, scales[(row * columns + column % columns) * samples + sample]]
                })
                .collect()
        })
        .collect();
    // Floats are mostly linear as they are.
    let nothing = raw.float
        && sensor.delta_v.is_empty()
        && lines.iter().flatten().all(|levels| *levels == [0.0, 1.0]);
    out.par_chunks_exact_mut(4 * row_samples).enumerate().for_each(|(y, to)| {
        let delta = sensor.delta_v.get(y).copied().unwrap_or(0.0);
        let row = &numbers[(active.y as usize + y) * stored_row..][..stored_row];
        let from = row.chunks_exact(cell).skip(active.x as usize * samples);
        let levels = &lines[y % rows];
        if nothing {
            to.copy_from_slice(&row[active.x as usize * samples * cell..][..4 * row_samples]);
            return;
        }
        for ((to, from), [black, scale]) in to.chunks_exact_mut(4).zip(from).zip(levels) {
            let linear = match from {
                [a, b] => sensor.linear(u16::from_le_bytes([*a, *b])),
                [a, b, c, d] => f32::from_le_bytes([*a, *b, *c, *d]),
                _ => 0.0,
            };
            to.copy_from_slice(&((linear - black - delta) * scale).to_le_bytes());
        }
    });
}
