//! The camera's corrections as DNG writes them down: lists of operations that
//! a reader has to apply before (list 1) and after (list 2) the samples are
//! made linear (DNG 1.7.1, chapter 7).
//!
//! Here they are read; `apply` carries them out. What acts on the debayered
//! picture (list 3: lens distortion, vignetting) is reported and left to the
//! compositor, who wants the plate as the lens drew it.

mod apply;
mod bad;
#[cfg(test)]
mod tests;

pub(super) use apply::{Raster, Stage};

use super::tags;
use super::tiff::Tags;
use platefarm_model::raw::Rect;
use platefarm_model::{Code, Fault, Outcome};

/// Most operations of one list: each walks over the whole picture.
const MAX_OPERATIONS: u32 = 256;
/// The version of the specification whose operations are known.
const KNOWN_VERSION: [u8; 4] = [1, 7, 1, 0];
/// Largest degree of a polynomial.
const MAX_DEGREE: u32 = 8;

/// Names by number.
const NAMES: [&str; 14] = [
    "WarpRectilinear",
    "WarpFisheye",
    "FixVignetteRadial",
    "FixBadPixelsConstant",
    "FixBadPixelsList",
    "TrimBounds",
    "MapTable",
    "MapPolynomial",
    "GainMap",
    "DeltaPerRow",
    "DeltaPerColumn",
    "ScalePerRow",
    "ScalePerColumn",
    "WarpRectilinear2",
];

/// The photosites that an operation acts on: every so many rows and columns of a rectangle.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Area {
    top: u32,
    left: u32,
    bottom: u32,
    right: u32,
    plane: u32,
    planes: u32,
    row_pitch: u32,
    column_pitch: u32,
}

/// Gains on a coarse grid over the picture.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct GainMap {
    /// Points down and across.
    points: [u32; 2],
    /// Distance of points, and place of the first, as parts of the picture's height and width.
    spacing: [f64; 2],
    origin: [f64; 2],
    planes: u32,
    gains: Vec<f32>,
}

/// What is done to each sample of an area.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Map {
    /// A table over 16-bit values; the last entry holds for all above.
    Table(Vec<u16>),
    /// Coefficients from the constant upwards.
    Polynomial(Vec<f64>),
    Gain(GainMap),
    DeltaRow(Vec<f32>),
    DeltaColumn(Vec<f32>),
    ScaleRow(Vec<f32>),
    ScaleColumn(Vec<f32>),
}

/// One operation.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Operation {
    /// Photosites of this value are repaired from their neighbours.
    BadValue {
        value: u32,
        phase: u32,
    },
    /// These photosites are.
    BadList {
        points: Vec<[u32; 2]>,
        rects: Vec<[u32; 4]>,
        phase: u32,
    },
    /// The picture becomes this part of itself.
    Trim(Rect),
    Map(Area, Map),
}

/// The operations of one of the first two lists, in their order.
///
/// # Errors
/// [`Code::UnsupportedFeature`] for an operation that must be applied and is not known,
/// [`Code::BadStructure`] for a damaged one, [`Code::TruncatedFile`], [`Code::TooLarge`].
pub(super) fn read(tags: Tags<'_>, tag: u16, notes: &mut Vec<Fault>) -> Outcome<Vec<Operation>> {
    if tags.picture.get(tag).is_none() {
        return Ok(Vec::new());
    }
    let list = tags::name(tag);
    let mut operations = Vec::new();
    for (index, written) in written(tags.required(tag)?.bytes())?.into_iter().enumerate() {
        let place = format!("{list}, operation {} ({})", index + 1, written.name());
        match written.operation(tag).map_err(|f| f.at(&place)) {
            Ok(operation) => operations.push(operation),
            Err(fault) if written.optional() => notes.push(Fault {
                message: format!("an optional correction is left out: {}", fault.message),
                ..fault
            }),
            Err(fault) => return Err(fault),
        }
    }
    Ok(operations)
}

/// The names of a list's operations, for a report; `None` when the list is damaged.
pub(super) fn names(bytes: &[u8]) -> Option<Vec<String>> {
    Some(written(bytes).ok()?.iter().map(Written::name).collect())
}

/// An operation as it is written down.
struct Written<'a> {
    id: u32,
    version: [u8; 4],
    flags: u32,
    parameters: &'a [u8],
}

fn written(bytes: &[u8]) -> Outcome<Vec<Written<'_>>> {
    let mut rest = Parameters(bytes);
    let count = rest.u32()?;
    if count > MAX_OPERATIONS {
        return Err(Fault::new(Code::TooLarge, format!("{count} operations in a list")));
    }
    (0..count)
        .map(|_| {
            let (id, version, flags, bytes) = (rest.u32()?, rest.u32()?, rest.u32()?, rest.u32()?);
            let parameters = rest.take(bytes as usize)?;
            Ok(Written { id, version: version.to_be_bytes(), flags, parameters })
        })
        .collect()
}

impl Written<'_> {
    /// Whether a reader may leave it out.
    const fn optional(&self) -> bool {
        self.flags & 1 != 0
    }

    fn name(&self) -> String {
        let known = (self.id as usize).checked_sub(1).and_then(|i| NAMES.get(i));
        known.map_or_else(|| format!("opcode {}", self.id), |name| (*name).to_owned())
    }

    fn operation(&self, list: u16) -> Outcome<Operation> {
        let unsupported = |what: String| Err(Fault::new(Code::UnsupportedFeature, what));
        if self.version > KNOWN_VERSION {
            let [a, b, c, d] = self.version;
            return unsupported(format!("{} of DNG {a}.{b}.{c}.{d} is not known", self.name()));
        }
        let mut from = Parameters(self.parameters);
        match self.id {
            4 => Ok(Operation::BadValue { value: from.u32()?, phase: from.phase()? }),
            5 => from.bad_list(),
            // Which of the later coordinates would be meant, the specification does not say.
            6 if list == tags::OPCODE_LIST_1 => {
                unsupported("TrimBounds is not applied before linearisation".into())
            }
            6 => from.trim(),
            7 => Ok(Operation::Map(from.area()?, from.table()?)),
            8 => Ok(Operation::Map(from.area()?, from.polynomial()?)),
            9 => Ok(Operation::Map(from.area()?, from.gain_map()?)),
            10..=13 => {
                let area = from.area()?;
                let (map, lines): (fn(Vec<f32>) -> Map, u32) = match self.id {
                    10 => (Map::DeltaRow, area.rows()),
                    11 => (Map::DeltaColumn, area.columns()),
                    12 => (Map::ScaleRow, area.rows()),
                    _ => (Map::ScaleColumn, area.columns()),
                };
                let values = from.line_values(lines)?;
                Ok(Operation::Map(area, map(values)))
            }
            1..=3 | 14 => unsupported(format!("{} is not applied to a mosaic", self.name())),
            _ => unsupported(format!("{} is not known", self.name())),
        }
    }
}

impl Area {
    const fn rows(&self) -> u32 {
        (self.bottom - self.top).div_ceil(self.row_pitch)
    }

    const fn columns(&self) -> u32 {
        (self.right - self.left).div_ceil(self.column_pitch)
    }
}

/// The parameters of an operation, big-endian whatever the file is.
struct Parameters<'a>(&'a [u8]);

fn damaged(what: impl Into<String>) -> Fault {
    Fault::new(Code::BadStructure, what)
}

impl<'a> Parameters<'a> {
    fn take(&mut self, count: usize) -> Outcome<&'a [u8]> {
        let (found, rest) = self.0.split_at_checked(count).ok_or_else(|| {
            damaged(format!("{count} bytes are needed, {} are there", self.0.len()))
        })?;
        self.0 = rest;
        Ok(found)
    }

    fn array<const N: usize>(&mut self) -> Outcome<[u8; N]> {
        let mut out = [0; N];
        out.copy_from_slice(self.take(N)?);
        Ok(out)
    }

    fn u32(&mut self) -> Outcome<u32> {
        Ok(u32::from_be_bytes(self.array()?))
    }

    /// A finite number of 64 bits.
    fn f64(&mut self) -> Outcome<f64> {
        let value = f64::from_be_bytes(self.array()?);
        if value.is_finite() { Ok(value) } else { Err(damaged(format!("{value} is no number"))) }
    }

    /// So many finite numbers of 32 bits.
    fn f32s(&mut self, count: u64) -> Outcome<Vec<f32>> {
        let bytes = usize::try_from(count.saturating_mul(4)).unwrap_or(usize::MAX);
        let values: Vec<f32> = self
            .take(bytes)?
            .chunks_exact(4)
            .map(|c| f32::from_be_bytes([c[0], c[1], c[2], c[3]]))
            .collect();
        match values.iter().find(|v| !v.is_finite()) {
            Some(value) => Err(damaged(format!("{value} is no number"))),
            None => Ok(values),
        }
    }

    /// Which photosite of the Bayer pattern the first one is.
    fn phase(&mut self) -> Outcome<u32> {
        match self.u32()? {
            phase @ 0..=3 => Ok(phase),
            other => Err(damaged(format!("Bayer phase {other}"))),
        }
    }

    fn area(&mut self) -> Outcome<Area> {
        let area = Area {
            top: self.u32()?,
            left: self.u32()?,
            bottom: self.u32()?,
            right: self.u32()?,
            plane: self.u32()?,
            planes: self.u32()?,
            row_pitch: self.u32()?,
            column_pitch: self.u32()?,
        };
        let sound = area.top <= area.bottom
            && area.left <= area.right
            && area.row_pitch > 0
            && area.column_pitch > 0;
        if sound {
            return Ok(area);
        }
        let Area { top, left, bottom, right, row_pitch, column_pitch, .. } = area;
        Err(damaged(format!(
            "an area that is none: rows {top} to {bottom} by {row_pitch}, columns {left} to {right} by {column_pitch}"
        )))
    }

    fn bad_list(&mut self) -> Outcome<Operation> {
        let phase = self.phase()?;
        let (point_count, rect_count) = (self.u32()?, self.u32()?);
        // As many as there are bytes for; each is taken before the next is asked for.
        let points =
            (0..point_count).map(|_| Ok([self.u32()?, self.u32()?])).collect::<Outcome<_>>()?;
        let rects = (0..rect_count)
            .map(|_| Ok([self.u32()?, self.u32()?, self.u32()?, self.u32()?]))
            .collect::<Outcome<_>>()?;
        Ok(Operation::BadList { points, rects, phase })
    }

    fn trim(&mut self) -> Outcome<Operation> {
        let [top, left, bottom, right] = [self.u32()?, self.u32()?, self.u32()?, self.u32()?];
        if top >= bottom || left >= right {
            return Err(damaged(format!("bounds {top},{left},{bottom},{right} hold nothing")));
        }
        Ok(Operation::Trim(Rect { x: left, y: top, width: right - left, height: bottom - top }))
    }

    fn table(&mut self) -> Outcome<Map> {
        let count = self.u32()?;
        if !(1..=65536).contains(&count) {
            return Err(damaged(format!("a table of {count} entries")));
        }
        let bytes = self.take(2 * count as usize)?;
        Ok(Map::Table(bytes.chunks_exact(2).map(|c| u16::from_be_bytes([c[0], c[1]])).collect()))
    }

    fn polynomial(&mut self) -> Outcome<Map> {
        let degree = self.u32()?;
        if degree > MAX_DEGREE {
            return Err(damaged(format!("a polynomial of degree {degree}")));
        }
        Ok(Map::Polynomial((0..=degree).map(|_| self.f64()).collect::<Outcome<_>>()?))
    }

    fn gain_map(&mut self) -> Outcome<Map> {
        let points = [self.u32()?, self.u32()?];
        let spacing = [self.f64()?, self.f64()?];
        let origin = [self.f64()?, self.f64()?];
        let planes = self.u32()?;
        let count = u64::from(points[0]).saturating_mul(u64::from(points[1]));
        let count = count.saturating_mul(u64::from(planes));
        let steps = |i: usize| points[i] == 1 || spacing[i] > 0.0;
        if count == 0 || !steps(0) || !steps(1) {
            return Err(damaged(format!("a gain map of {points:?} points, {spacing:?} apart")));
        }
        Ok(Map::Gain(GainMap { points, spacing, origin, planes, gains: self.f32s(count)? }))
    }

    /// A count and as many numbers: one for each line of the area.
    fn line_values(&mut self, lines: u32) -> Outcome<Vec<f32>> {
        let count = self.u32()?;
        if count != lines {
            return Err(damaged(format!("{count} values for {lines} lines")));
        }
        self.f32s(u64::from(count))
    }
}
