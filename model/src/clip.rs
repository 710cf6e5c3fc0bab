//! A clip in the normalised schema: what search, matching and rendering need,
//! whatever camera wrote it. Names follow OpenEXR's standard attributes where
//! one exists; unknown values are absent, never zero. All that the vendor
//! wrote is kept beside it as text.

use crate::color::Matrix3;
use crate::raw::Rect;
use crate::{Fault, FrameRange, FrameRate, FrameSet, Timecode};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Who the clip is.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Identity {
    /// Camera clip name: file name without frame number and extension.
    pub clip_name: String,
    /// Reel (tape, roll, card) as the camera wrote it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reel_name: Option<String>,
    /// Camera letter or label.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub camera_label: Option<String>,
    /// Letter of the camera unit within the shoot: `A`, `B`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub camera_letter: Option<String>,
    /// Unique id written by the camera.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub uuid: Option<String>,
    /// SMPTE ST 330 UMID, as hexadecimal digits.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub umid: Option<String>,
    /// Scene, as typed on set.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scene: Option<String>,
    /// Take, as typed on set.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub take: Option<String>,
}

/// When it was shot and how it counts.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Timing {
    /// Timecode of index 0.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub start: Option<Timecode>,
    /// Project rate.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rate: Option<FrameRate>,
    /// Rate at which the sensor ran.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub capture_rate: Option<FrameRate>,
    /// Indices from 0 to the last frame present; gaps are in `missing`.
    pub frame_count: u64,
    /// Indices that are not on disk.
    #[serde(default, skip_serializing_if = "FrameSet::is_empty")]
    pub missing: FrameSet,
    /// Number in the name of the first file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub first_file_number: Option<i64>,
}

impl Timing {
    /// The indices that the clip spans.
    #[must_use]
    pub fn indices(&self) -> Option<FrameRange> {
        (self.frame_count > 0).then(|| FrameRange::of_len(0, self.frame_count))
    }
}

/// Its raster.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Picture {
    /// Delivered columns (the crop).
    pub width: u32,
    /// Delivered rows.
    pub height: u32,
    /// Stored photosites, columns and rows.
    pub photosites: [u32; 2],
    /// The part that saw light, in stored coordinates.
    pub active: Rect,
    /// The delivered part, relative to `active`.
    pub crop: Rect,
    /// Width of a pixel over its height.
    pub pixel_aspect: f64,
    /// Samples' bits as stored.
    pub bit_depth: u32,
    /// `dng`, ...
    pub format: String,
    /// `none`, `lossless-jpeg`, ...
    pub compression: String,
    /// Colour filter pattern, `rggb`, where there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cfa: Option<String>,
}

/// Camera, exposure and lens.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct CameraInfo {
    /// Maker.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub make: Option<String>,
    /// Model.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
    /// Serial number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub serial_number: Option<String>,
    /// Exposure index.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub iso_speed: Option<f64>,
    /// Exposure time, in seconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub exposure_time_s: Option<f64>,
    /// Shutter angle, in degrees.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shutter_angle_deg: Option<f64>,
    /// Correlated colour temperature of the white point, in kelvin.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub white_kelvin: Option<f64>,
    /// Tint of the white point, as the camera counts it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub white_tint: Option<f64>,
    /// Firmware.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub firmware: Option<String>,
}

/// The lens, at the first frame.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct LensInfo {
    /// Maker.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub make: Option<String>,
    /// Model.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
    /// Serial number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub serial_number: Option<String>,
    /// Focal length, in millimetres.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub focal_length_mm: Option<f64>,
    /// Distance of focus, in metres.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub focus_distance_m: Option<f64>,
    /// T-stop.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub t_stop: Option<f64>,
    /// F-number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub f_number: Option<f64>,
    /// Anamorphic squeeze: width of a subject over its width on the sensor.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub squeeze: Option<f64>,
}

/// A frame line that the camera showed and recorded, in photosites from the
/// top left of the active area.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct FrameLine {
    /// Its name in the camera.
    pub label: String,
    /// Left.
    pub left: f64,
    /// Top.
    pub top: f64,
    /// Width.
    pub width: f64,
    /// Height.
    pub height: f64,
}

impl CameraInfo {
    /// Maker and model as people say it; makers who repeat themselves in the
    /// model are named once. `None` when neither is known.
    #[must_use]
    pub fn name(&self) -> Option<String> {
        match (&self.make, &self.model) {
            (Some(make), Some(model))
                if !model.to_lowercase().starts_with(&make.to_lowercase()) =>
            {
                Some(format!("{make} {model}"))
            }
            (make, model) => model.clone().or_else(|| make.clone()),
        }
    }
}

/// The camera's colour as numbers, where the file gives it.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct CameraColor {
    /// Gains that make the scene's white neutral (green is 1), applied before debayering.
    pub white_balance: [f64; 3],
    /// White-balanced linear camera RGB to ACES2065-1, row-major, on column vectors.
    pub camera_to_aces: Matrix3,
}

/// A clip as the rest of the system sees it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ClipInfo {
    /// Where it is: the file, or for a frame sequence the path of its first file.
    pub path: String,
    /// Who it is.
    pub identity: Identity,
    /// When.
    pub timing: Timing,
    /// Its raster.
    pub picture: Picture,
    /// What shot it.
    pub camera: CameraInfo,
    /// What it was shot through.
    #[serde(default)]
    pub lens: LensInfo,
    /// How its sensor's colour becomes ACES2065-1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub color: Option<CameraColor>,
    /// Name of the encoding and gamut of its pixels, where they are a picture.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub color_space: Option<String>,
    /// Frame lines that the camera recorded.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub frame_lines: Vec<FrameLine>,
    /// Every field of the file, untouched, as text.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub vendor: BTreeMap<String, String>,
    /// What was assumed, and what was ignored.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<Fault>,
}

#[cfg(test)]
mod tests {
    use super::CameraInfo;

    #[test]
    fn a_camera_is_named_once() {
        let name = |make: &str, model: &str| {
            let part = |text: &str| (!text.is_empty()).then(|| text.to_owned());
            CameraInfo { make: part(make), model: part(model), ..CameraInfo::default() }.name()
        };
        assert_eq!(name("Canon", "Canon EOS Kiss X4").unwrap(), "Canon EOS Kiss X4");
        assert_eq!(name("ARRI", "ALEXA 35").unwrap(), "ARRI ALEXA 35");
        assert_eq!(name("Sony", "").unwrap(), "Sony");
        assert_eq!(name("", ""), None);
    }
}
