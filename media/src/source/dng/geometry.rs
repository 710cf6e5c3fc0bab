//! Where the picture lies in what is stored: active area, crop, shape of a
//! pixel, and the phase of the colour filter (DNG 1.7.1, chapter 4).

use super::raw::{Photometric, RawPicture};
use super::tags;
use super::tiff::{Tags, bad_value};
use platefarm_model::raw::{Bayer, Rect};
use platefarm_model::{Code, Fault, Outcome};
use std::fmt;

/// The geometry of a picture inside what is stored.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Geometry {
    pub(super) active: Rect,
    pub(super) crop: Rect,
    /// The colour filter, where there is one.
    pub(super) bayer: Option<Bayer>,
    pub(super) pixel_aspect: f64,
    /// Photosites that saw no light, each rectangle in stored coordinates.
    pub(super) masked: Vec<Rect>,
}

impl fmt::Display for Geometry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { active, crop, bayer, pixel_aspect, masked } = self;
        let filter = bayer.map_or("no colour filter", Bayer::name);
        write!(f, "active {active}, crop {crop}, {filter}, pixels {pixel_aspect} wide")?;
        masked.iter().try_for_each(|area| write!(f, ", masked {area}"))
    }
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
            bayer: match raw.photometric {
                Photometric::Mosaic => Some(bayer(tags)?),
                Photometric::Linear => None,
            },
            pixel_aspect: pixel_aspect(tags, notes)?,
            masked: masked_areas(tags, raw, notes),
        })
    }

    /// The geometry when the active area becomes the part `rect` of itself.
    ///
    /// # Errors
    /// [`Code::BadStructure`] when it is no part of it.
    pub(super) fn trimmed(
        mut self,
        rect: Rect,
        tags: Tags<'_>,
        notes: &mut Vec<Fault>,
    ) -> Outcome<Self> {
        if !rect.fits(self.active.width, self.active.height) {
            return Err(bad_value(
                tags::OPCODE_LIST_2,
                format!("trims to {rect}, outside of the active area"),
            ));
        }
        self.active = Rect { x: self.active.x + rect.x, y: self.active.y + rect.y, ..rect };
        self.crop = default_crop(tags, self.active, notes)?;
        self.bayer = self.bayer.map(|bayer| {
            let (row, column) = bayer.red_at();
            Bayer::with_red_at(row + rect.y, column + rect.x)
        });
        Ok(self)
    }
}

/// MaskedAreas: any number of rectangles; those that do not lie in the picture are left out.
fn masked_areas(tags: Tags<'_>, raw: &RawPicture, notes: &mut Vec<Fault>) -> Vec<Rect> {
    let values = tags.picture.get(tags::MASKED_AREAS).map(|e| e.integers()).unwrap_or_default();
    let mut areas = Vec::new();
    for sides in values.chunks(4) {
        let rect = || -> Option<Rect> {
            let [top, left, bottom, right] = *sides else { return None };
            let number = |v: u64| u32::try_from(v).ok();
            let (x, y) = (number(left)?, number(top)?);
            let (width, height) = (number(right)?.checked_sub(x)?, number(bottom)?.checked_sub(y)?);
            Some(Rect { x, y, width, height }).filter(|r| r.fits(raw.width, raw.height))
        };
        match rect() {
            Some(rect) => areas.push(rect),
            None => notes.push(bad_value(
                tags::MASKED_AREAS,
                format!("{sides:?} does not lie in {}x{}; it is left out", raw.width, raw.height),
            )),
        }
    }
    areas
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
