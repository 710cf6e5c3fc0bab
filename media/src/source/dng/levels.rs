//! What the samples mean: colour filter, active area and crop, black and
//! white, linearisation (DNG 1.7.1, chapters 4 and 5).

use super::raw::RawPicture;
use super::tags;
use super::tiff::{Tags, bad_value};
use platefarm_model::raw::{Bayer, Levels, Rect};
use platefarm_model::{Code, Fault, Outcome};

/// The geometry of a picture inside what is stored.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Geometry {
    pub(super) active: Rect,
    pub(super) crop: Rect,
    pub(super) bayer: Bayer,
    pub(super) pixel_aspect: f64,
}

impl Geometry {
    /// The geometry that the tags describe.
    ///
    /// # Errors
    /// [`Code::BadStructure`], [`Code::TruncatedFile`], [`Code::UnknownCfa`].
    pub(super) fn read(tags: Tags<'_>, raw: &RawPicture, notes: &mut Vec<Fault>) -> Outcome<Self> {
        let active = active_area(tags, raw)?;
        Ok(Self {
            active,
            crop: default_crop(tags, active, notes)?,
            bayer: bayer(tags)?,
            pixel_aspect: pixel_aspect(tags, notes)?,
        })
    }
}

fn active_area(tags: Tags<'_>, raw: &RawPicture) -> Outcome<Rect> {
    let Some(entry) = tags.picture.get(tags::ACTIVE_AREA) else {
        return Ok(Rect::of_size(raw.width, raw.height));
    };
    let values = entry.integers();
    let small: Option<Vec<u32>> = values.iter().map(|v| u32::try_from(*v).ok()).collect();
    let area = small.as_deref().and_then(|small| {
        let [top, left, bottom, right] = small else { return None };
        Some(Rect {
            x: *left,
            y: *top,
            width: right.checked_sub(*left)?,
            height: bottom.checked_sub(*top)?,
        })
    });
    area.filter(|area| area.fits(raw.width, raw.height)).ok_or_else(|| {
        bad_value(
            tags::ACTIVE_AREA,
            format!("{values:?} does not lie in {}x{}", raw.width, raw.height),
        )
    })
}

/// DefaultCropOrigin and DefaultCropSize may be fractions of a pixel; whole pixels inside are taken.
fn default_crop(tags: Tags<'_>, active: Rect, notes: &mut Vec<Fault>) -> Outcome<Rect> {
    let whole = Rect::of_size(active.width, active.height);
    let origin = tags.numbers(tags::DEFAULT_CROP_ORIGIN)?.unwrap_or_else(|| vec![0.0; 2]);
    let size = tags
        .numbers(tags::DEFAULT_CROP_SIZE)?
        .unwrap_or_else(|| vec![f64::from(active.width), f64::from(active.height)]);
    let ([x, y], [width, height]) = (&origin[..], &size[..]) else {
        return Err(bad_value(tags::DEFAULT_CROP_SIZE, "does not hold two numbers"));
    };
    let crop = Rect {
        x: x.ceil() as u32,
        y: y.ceil() as u32,
        width: width.floor() as u32,
        height: height.floor() as u32,
    };
    if crop.fits(active.width, active.height) {
        return Ok(crop);
    }
    let (x, y) = (crop.x.min(active.width), crop.y.min(active.height));
    let inside = Rect {
        x,
        y,
        width: crop.width.min(active.width - x),
        height: crop.height.min(active.height - y),
    };
    let used = if inside.fits(active.width, active.height) { inside } else { whole };
    notes.push(
        Fault::new(
            Code::BadStructure,
            format!(
                "the crop {}x{}+{}+{} leaves the active area of {}x{}; {}x{}+{}+{} is used",
                crop.width,
                crop.height,
                crop.x,
                crop.y,
                active.width,
                active.height,
                used.width,
                used.height,
                used.x,
                used.y
            ),
        )
        .at("DefaultCropOrigin, DefaultCropSize"),
    );
    Ok(used)
}

fn pixel_aspect(tags: Tags<'_>, notes: &mut Vec<Fault>) -> Outcome<f64> {
    let Some(scale) = tags.numbers(tags::DEFAULT_SCALE)? else { return Ok(1.0) };
    if let [h, v] = scale[..]
        && h > 0.0
        && v > 0.0
    {
        return Ok(h / v);
    }
    notes.push(bad_value(
        tags::DEFAULT_SCALE,
        format!("{scale:?} is no scale; square pixels are assumed"),
    ));
    Ok(1.0)
}

fn bayer(tags: Tags<'_>) -> Outcome<Bayer> {
    let unknown =
        |what: String, tag: u16| Err(Fault::new(Code::UnknownCfa, what).at(tags::name(tag)));
    let dims = tags.required(tags::CFA_REPEAT_PATTERN_DIM)?.integers();
    if dims != [2, 2] {
        return unknown(
            format!("a colour filter pattern of {dims:?} photosites"),
            tags::CFA_REPEAT_PATTERN_DIM,
        );
    }
    let layout = tags.integer_or(tags::CFA_LAYOUT, 1)?;
    if layout != 1 {
        return unknown(format!("staggered colour filter layout {layout}"), tags::CFA_LAYOUT);
    }
    if let Some(planes) = tags.get(tags::CFA_PLANE_COLOR).map(|e| e.integers())
        && planes != [0, 1, 2]
    {
        return unknown(
            format!("colour planes {planes:?} are not red, green, blue"),
            tags::CFA_PLANE_COLOR,
        );
    }
    match tags.required(tags::CFA_PATTERN)?.integers()[..] {
        [0, 1, 1, 2] => Ok(Bayer::Rggb),
        [1, 0, 2, 1] => Ok(Bayer::Grbg),
        [1, 2, 0, 1] => Ok(Bayer::Gbrg),
        [2, 1, 1, 0] => Ok(Bayer::Bggr),
        ref other => unknown(
            format!("colour filter pattern {other:?} is no Bayer pattern (0 red, 1 green, 2 blue)"),
            tags::CFA_PATTERN,
        ),
    }
}

/// Black, white and linearisation.
///
/// # Errors
/// [`Code::BadStructure`], [`Code::TruncatedFile`], [`Code::UnsupportedFeature`].
pub(super) fn levels(tags: Tags<'_>, raw: &RawPicture, active: Rect) -> Outcome<Levels> {
    let table = match tags.picture.get(tags::LINEARIZATION_TABLE) {
        Some(_) => linearization(tags)?,
        None => Vec::new(),
    };
    let black = black_pattern(tags)?;
    let default_white =
        table.iter().max().map_or(f64::from((1u32 << raw.bits) - 1), |v| f64::from(*v));
    // One level per sample, and a mosaic has one sample a pixel.
    let white =
        tags.numbers(tags::WHITE_LEVEL)?.and_then(|v| v.first().copied()).unwrap_or(default_white);
    if let Some(too_high) = black.iter().find(|b| **b >= white) {
        return Err(bad_value(
            tags::BLACK_LEVEL,
            format!("{too_high} is not below the white level {white}"),
        ));
    }
    Ok(Levels {
        linearization: table.into(),
        black: black.map(|v| v as f32),
        white: [white as f32; 4],
        black_delta_h: deltas(tags, tags::BLACK_LEVEL_DELTA_H, active.width)?.into(),
        black_delta_v: deltas(tags, tags::BLACK_LEVEL_DELTA_V, active.height)?.into(),
    })
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

/// The black level per photosite of the 2x2 pattern, from a pattern of any size that repeats within it.
fn black_pattern(tags: Tags<'_>) -> Outcome<[f64; 4]> {
    let Some(values) = tags.numbers(tags::BLACK_LEVEL)? else { return Ok([0.0; 4]) };
    let dims = match tags.get(tags::BLACK_LEVEL_REPEAT_DIM) {
        Some(entry) => entry.integers(),
        None => vec![1, 1],
    };
    let [rows, columns] = dims[..] else {
        return Err(bad_value(tags::BLACK_LEVEL_REPEAT_DIM, "does not hold two numbers"));
    };
    let cells = rows.checked_mul(columns).filter(|n| *n > 0 && *n <= 4096);
    if cells.is_none_or(|n| n > values.len() as u64) {
        return Err(bad_value(
            tags::BLACK_LEVEL,
            format!("has {} values for a pattern of {rows}x{columns}", values.len()),
        ));
    }
    let at = |row: u64, column: u64| values[(row % rows * columns + column % columns) as usize];
    let pattern = [at(0, 0), at(0, 1), at(1, 0), at(1, 1)];
    // An odd pattern, or a larger one, must still say the same for every 2x2 cell.
    let agrees = (0..2 * rows).all(|row| {
        (0..2 * columns)
            .all(|column| at(row, column) == pattern[(row % 2 * 2 + column % 2) as usize])
    });
    if agrees {
        return Ok(pattern);
    }
    Err(Fault::new(
        Code::UnsupportedFeature,
        format!("a black level pattern of {rows}x{columns} photosites is not read"),
    )
    .at("BlackLevelRepeatDim"))
}

fn deltas(tags: Tags<'_>, tag: u16, wanted: u32) -> Outcome<Vec<f32>> {
    let Some(values) = tags.numbers(tag)? else { return Ok(Vec::new()) };
    if values.len() != wanted as usize {
        return Err(bad_value(tag, format!("has {} values, {wanted} are needed", values.len())));
    }
    Ok(values.into_iter().map(|v| v as f32).collect())
}
