//! What must be equal in all frames of a clip, and what their bytes mean.

use super::color::CameraColor;
use super::develop::Corrections;
use super::geometry::Geometry;
use super::info;
use super::levels::{Black, Sensor};
use super::opcodes;
use super::pixels;
use super::raw::{Photometric, RawPicture};
use super::tags;
use super::tiff::Tags;
use platefarm_model::color::{diagonal, mul};
use platefarm_model::raw::{
    Bayer, Layout, Levels, MosaicLayout, Packing, Rect, RgbLayout, RgbSamples,
};
use platefarm_model::{Code, Fault, Outcome};
use std::sync::Arc;

/// How far the reader has to go with the samples, in this order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Way {
    /// They are handed out as they lie in the file, or decompressed.
    Stored,
    /// Stored codes are corrected.
    Corrected,
    /// They are made linear, and corrected then.
    Linear,
}

/// One frame's storage and meaning.
#[derive(Clone, Debug)]
pub(super) struct Kind {
    pub(super) raw: RawPicture,
    /// With what the corrections trim off.
    pub(super) geometry: Geometry,
    /// The active area before that.
    pub(super) untrimmed: Rect,
    pub(super) sensor: Sensor,
    pub(super) corrections: Corrections,
    pub(super) way: Way,
    model: Option<String>,
}

impl Kind {
    /// What the tags of a frame say.
    ///
    /// # Errors
    /// The codes of damaged and of unknown files, with the tag.
    pub(super) fn read(tags: Tags<'_>, notes: &mut Vec<Fault>) -> Outcome<Self> {
        let raw = RawPicture::read(tags)?;
        let mut geometry = Geometry::read(tags, &raw, notes)?;
        let untrimmed = geometry.active;
        let sensor = Sensor::read(tags, &raw, untrimmed, notes)?;
        let corrections = Corrections {
            first: opcodes::read(tags, tags::OPCODE_LIST_1, notes)?,
            second: opcodes::read(tags, tags::OPCODE_LIST_2, notes)?,
        };
        for trim in corrections.trims() {
            geometry = geometry.trimmed(trim, tags, notes)?;
        }
        let mosaic = raw.photometric == Photometric::Mosaic;
        let plain_levels = if mosaic { sensor.levels().is_some() } else { sensor.is_one_curve() };
        let whole = Rect::of_size(raw.width, raw.height);
        let linear_as_stored = raw.float
            && mosaic
            && geometry.active == whole
            && corrections.first.is_empty()
            && corrections.second.is_empty()
            && sensor.levels().is_some_and(|levels| levels.applied());
        let way = if linear_as_stored {
            Way::Stored
        } else if raw.float || !corrections.second.is_empty() || !plain_levels {
            Way::Linear
        } else if corrections.first.is_empty() {
            Way::Stored
        } else {
            Way::Corrected
        };
        let model = info::model(tags);
        Ok(Self { raw, geometry, untrimmed, sensor, corrections, way, model })
    }

    /// Whether a frame of this kind can stand in a clip whose first frame is `first`. Its
    /// corrections may be others, as long as the clip's way has a place for them.
    ///
    /// # Errors
    /// [`Code::MixedClip`].
    pub(super) fn check_like(&self, first: &Self) -> Outcome<()> {
        let size = |k: &Self| format!("{}x{} photosites", k.raw.width, k.raw.height);
        let coding = |k: &Self| {
            format!(
                "{} samples of {} bits, compression {}, {}",
                k.raw.samples,
                k.raw.bits,
                k.raw.coding.name(),
                pixels::packed(&k.raw)
            )
        };
        let geometry = |k: &Self| k.geometry.to_string();
        let levels = |k: &Self| format!("black {}, white {:?}", k.sensor.black, k.sensor.white);
        let model = |k: &Self| format!("camera {}", k.model.as_deref().unwrap_or("unknown"));
        for aspect in [&size as &dyn Fn(&Self) -> String, &coding, &geometry, &levels, &model] {
            let (mine, theirs) = (aspect(self), aspect(first));
            if mine != theirs {
                return Err(Fault::new(
                    Code::MixedClip,
                    format!("{mine}; the clip begins with {theirs}"),
                ));
            }
        }
        let others = if self.sensor != first.sensor {
            "another linearisation or black level table than the clip's first frame"
        } else if self.way > first.way {
            "corrections by the camera, where the clip's first frame has none"
        } else {
            return Ok(());
        };
        Err(Fault::new(Code::MixedClip, others))
    }

    /// The same with a black level that was measured.
    pub(super) fn with_black(&self, black: Option<&Black>) -> Self {
        let mut kind = self.clone();
        kind.sensor.black = black.unwrap_or(&self.sensor.black).clone();
        kind
    }

    /// How the bytes of a frame are to be read.
    pub(super) fn layout(&self, color: &CameraColor) -> Layout {
        match self.geometry.bayer {
            Some(bayer) => Layout::Mosaic(Arc::new(self.mosaic(bayer, color))),
            None => Layout::Rgb(Arc::new(self.rgb(color))),
        }
    }

    fn mosaic(&self, bayer: Bayer, color: &CameraColor) -> MosaicLayout {
        let (active, crop) = (self.geometry.active, self.geometry.crop);
        let (packing, width, height, active, levels) = match (self.way, self.sensor.levels()) {
            (Way::Stored, Some(levels)) => {
                (pixels::packed(&self.raw), self.raw.width, self.raw.height, active, levels)
            }
            (Way::Corrected, Some(levels)) => {
                (Packing::U16Le, self.raw.width, self.raw.height, active, levels)
            }
            _ => {
                let whole = Rect::of_size(active.width, active.height);
                (Packing::F32Le, active.width, active.height, whole, Levels::flat(0.0, 1.0))
            }
        };
        MosaicLayout {
            width,
            height,
            packing,
            row_bytes: packing.row_bytes(width),
            active,
            crop,
            bayer,
            levels,
            white_balance: color.white_balance.map(|v| v as f32),
            camera_to_aces: color.camera_to_aces,
        }
    }

    fn rgb(&self, color: &CameraColor) -> RgbLayout {
        let (active, crop) = (self.geometry.active, self.geometry.crop);
        let to_aces = mul(&color.camera_to_aces, &diagonal(color.white_balance));
        let curve = match self.way {
            Way::Stored | Way::Corrected => self.sensor.curve(self.raw.bits),
            Way::Linear => None,
        };
        match curve {
            Some(curve) => RgbLayout {
                width: self.raw.width,
                height: self.raw.height,
                samples: RgbSamples::U16,
                crop: Rect { x: active.x + crop.x, y: active.y + crop.y, ..crop },
                curve: curve.into(),
                to_aces,
            },
            None => RgbLayout {
                width: active.width,
                height: active.height,
                samples: RgbSamples::F32,
                crop,
                curve: Arc::from([]),
                to_aces,
            },
        }
    }
}
