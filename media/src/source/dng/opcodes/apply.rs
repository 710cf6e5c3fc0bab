//! Carrying out the corrections on a raster of numbers, row by row in parallel.
//!
//! In list 1 the numbers are the stored codes, and stay whole; in list 2 they
//! are linear, 0 is black and 1 the clipping point, and nothing is cut off:
//! noise below black and values above white pass through.

use super::{Area, GainMap, Map, Operation, bad};
use platefarm_model::raw::Rect;
use platefarm_model::{Code, Fault, Outcome};
use rayon::prelude::*;

/// What the numbers of a raster are.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(in crate::source::dng) enum Stage {
    /// Stored codes (list 1): results are rounded and kept in 16 bits; parameters count in codes.
    Codes,
    /// Linear values or stored floats. A delta of the file is this part of the clipping point:
    /// 1/65535 for pictures of whole samples, else 1 (DNG 1.7.1, DeltaPerRow).
    Linear { delta: f32 },
}

/// A picture of numbers; the samples of a pixel lie together.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::source::dng) struct Raster {
    pub(in crate::source::dng) width: usize,
    pub(in crate::source::dng) height: usize,
    pub(in crate::source::dng) samples: usize,
    pub(in crate::source::dng) data: Vec<f32>,
}

impl Raster {
    /// Applies the operations in their order.
    ///
    /// # Errors
    /// [`Code::BadStructure`] for one that does not fit the picture, [`Code::UnsupportedFeature`]
    /// for one that is not meant for it.
    pub(in crate::source::dng) fn apply(
        &mut self,
        operations: &[Operation],
        stage: Stage,
    ) -> Outcome<()> {
        for operation in operations {
            match operation {
                Operation::BadValue { value, phase } => {
                    let unit = if stage == Stage::Codes { 1.0 } else { 65535.0 };
                    let value = *value as f32;
                    let marked = self.data.par_iter().map(|v| (v * unit).round() == value);
                    bad::repair(self, &marked.collect::<Vec<bool>>(), *phase)?;
                }
                Operation::BadList { points, rects, phase } => {
                    bad::repair(self, &self.marks(points, rects), *phase)?;
                }
                Operation::Trim(rect) => self.trim(*rect)?,
                Operation::Map(area, map) => self.map(area, map, stage),
            }
            if stage == Stage::Codes {
                let whole = |v: &mut f32| *v = (*v + 0.5).floor().clamp(0.0, 65535.0);
                self.data.par_iter_mut().for_each(whole);
            }
        }
        Ok(())
    }

    /// Where the listed photosites are; those outside are nowhere.
    fn marks(&self, points: &[[u32; 2]], rects: &[[u32; 4]]) -> Vec<bool> {
        let mut marks = vec![false; self.width * self.height];
        let points = points.iter().map(|[y, x]| [*y, *x, y.saturating_add(1), x.saturating_add(1)]);
        for [top, left, bottom, right] in points.chain(rects.iter().copied()) {
            let columns = left as usize..(right as usize).min(self.width);
            for y in top as usize..(bottom as usize).min(self.height) {
                if let Some(row) = marks[y * self.width..][..self.width].get_mut(columns.clone()) {
                    row.fill(true);
                }
            }
        }
        marks
    }

    fn trim(&mut self, rect: Rect) -> Outcome<()> {
        if !rect.fits(self.width as u32, self.height as u32) {
            return Err(Fault::new(
                Code::BadStructure,
                format!("TrimBounds {rect} leave {}x{}", self.width, self.height),
            ));
        }
        let (left, width) = (rect.x as usize * self.samples, rect.width as usize * self.samples);
        let rows = self.data.chunks_exact(self.width * self.samples);
        let kept = rows.skip(rect.y as usize).take(rect.height as usize);
        self.data = kept.flat_map(|row| &row[left..left + width]).copied().collect();
        (self.width, self.height) = (rect.width as usize, rect.height as usize);
        Ok(())
    }

    fn map(&mut self, area: &Area, map: &Map, stage: Stage) {
        let (width, height, samples) = (self.width, self.height, self.samples);
        let delta = match stage {
            Stage::Codes => 1.0,
            Stage::Linear { delta } => delta,
        };
        let right = (area.right as usize).min(width);
        let columns: Vec<usize> =
            (area.left as usize..right).step_by(area.column_pitch as usize).collect();
        let planes =
            area.plane as usize..(area.plane.saturating_add(area.planes) as usize).min(samples);
        let across = match map {
            Map::Gain(gains) => gains.spread(1, width),
            _ => Vec::new(),
        };
        let row = |(y, row): (usize, &mut [f32])| {
            let down = y.wrapping_sub(area.top as usize);
            if y < area.top as usize
                || y >= area.bottom as usize
                || !down.is_multiple_of(area.row_pitch as usize)
            {
                return;
            }
            let line = down / area.row_pitch as usize;
            let mut each = |change: &dyn Fn(usize, usize, usize, f32) -> f32| {
                for (index, x) in columns.iter().enumerate() {
                    for plane in planes.clone() {
                        let v = &mut row[x * samples + plane];
                        *v = change(index, *x, plane, *v);
                    }
                }
            };
            match map {
                Map::Table(table) => each(&|_, _, _, v| look_up(table, stage, v)),
                Map::Polynomial(c) => each(&|_, _, _, v| evaluate(c, stage, v)),
                Map::Gain(gains) => {
                    let down = gains.at(0, y, height);
                    each(&|_, x, plane, v| v * gains.gain(down, across[x], plane));
                }
                Map::DeltaRow(values) => {
                    let add = values.get(line).map_or(0.0, |d| d * delta);
                    each(&|_, _, _, v| v + add);
                }
                Map::DeltaColumn(values) => each(&|i, _, _, v| v + values[i] * delta),
                Map::ScaleRow(values) => {
                    let scale = values.get(line).copied().unwrap_or(1.0);
                    each(&|_, _, _, v| v * scale);
                }
                Map::ScaleColumn(values) => each(&|i, _, _, v| v * values[i]),
            }
        };
        self.data.par_chunks_exact_mut(width * samples).enumerate().for_each(row);
    }
}

/// A table over 16-bit values. What lies outside of 0 to 1 keeps its distance.
fn look_up(table: &[u16], stage: Stage, v: f32) -> f32 {
    let entry = |code: f32| f32::from(table[(code as usize).min(table.len() - 1)]);
    if stage == Stage::Codes {
        return entry(v);
    }
    let inside = v.clamp(0.0, 1.0);
    entry((inside * 65535.0).round()) / 65535.0 + (v - inside)
}

/// A polynomial over codes, or over 0 to 1 and from there on along its tangent: what it was fitted
/// to ends there, and what it does beyond is chance.
fn evaluate(coefficients: &[f64], stage: Stage, v: f32) -> f32 {
    let v = f64::from(v);
    let inside = if stage == Stage::Codes { v } else { v.clamp(0.0, 1.0) };
    let (mut value, mut slope) = (0.0, 0.0);
    for c in coefficients.iter().rev() {
        slope = slope * inside + value;
        value = value * inside + c;
    }
    (value + slope * (v - inside)) as f32
}

/// Between which two points something lies, and how far from the first.
type Between = (usize, usize, f32);

impl GainMap {
    /// Where the middle of line `i` of `lines` lies on an axis of the grid: 0 down, 1 across.
    fn at(&self, axis: usize, i: usize, lines: usize) -> Between {
        let last = self.points[axis] as usize - 1;
        let middle = (i as f64 + 0.5) / lines as f64;
        let at = (middle - self.origin[axis]) / self.spacing[axis];
        if last == 0 || at <= 0.0 {
            (0, 0, 0.0)
        } else if at >= last as f64 {
            (last, last, 0.0)
        } else {
            (at as usize, at as usize + 1, at.fract() as f32)
        }
    }

    fn spread(&self, axis: usize, lines: usize) -> Vec<Between> {
        (0..lines).map(|i| self.at(axis, i, lines)).collect()
    }

    /// The gain between four points. A plane that the map does not have takes the last.
    fn gain(&self, down: Between, across: Between, plane: usize) -> f32 {
        let planes = self.planes as usize;
        let plane = plane.min(planes - 1);
        let at =
            |v: usize, h: usize| self.gains[(v * self.points[1] as usize + h) * planes + plane];
        let mix = |a: f32, b: f32, t: f32| a + (b - a) * t;
        let row = |v: usize| mix(at(v, across.0), at(v, across.1), across.2);
        mix(row(down.0), row(down.1), down.2)
    }
}
