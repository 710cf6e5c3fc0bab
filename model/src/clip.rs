//! A clip in the normalised schema: what search, matching and rendering need,
//! whatever camera wrote it. Names follow OpenEXR's standard attributes where
//! one exists; unknown values are absent, never zero. All that the vendor
//! wrote is kept beside it as text.

use crate::camera_name::CameraName;
use crate::color::Matrix3;
use crate::raw::Rect;
use crate::recipe::ColorRecipe;
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
    /// The second timecode of cameras that keep two: the one that counts recorded frames only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub edge_start: Option<Timecode>,
    /// Length in seconds, where the camera writes that and no count of frames.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub duration_s: Option<f64>,
    /// Local date and time of the first frame, `YYYY:MM:DD hh:mm:ss`; the time is left out where it is not known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub captured: Option<String>,
    /// What is to be added to `captured` to get UTC, in seconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub utc_offset_s: Option<f64>,
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

    /// Its length in seconds: as the camera wrote it, else frames over the rate.
    #[must_use]
    pub fn seconds(&self) -> Option<f64> {
        let counted = || {
            let rate = self.rate.filter(|_| self.frame_count > 0)?;
            let seconds = self.frame_count as f64 * f64::from(rate.denominator());
            Some(seconds / f64::from(rate.numerator()))
        };
        self.duration_s.or_else(counted)
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
    /// Codec as the camera names it: `Apple ProRes 4444`, `REDcode 8:1`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub codec: Option<String>,
    /// Sensor mode as the camera names it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sensor_mode: Option<String>,
    /// Distance between the centres of neighbouring photosites, in micrometres.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub photosite_pitch_um: Option<f64>,
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
    /// Sensitivity that was set: the exposure index, for cameras that know one number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub iso_speed: Option<f64>,
    /// Exposure index, where the camera tells it apart from the sensitivity.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub exposure_index: Option<f64>,
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
    /// Neutral density filter, as the camera writes it: makers count in stops, densities or positions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub nd_filter: Option<String>,
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
    /// Firmware.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub firmware: Option<String>,
    /// Distance from the image plane to the entrance pupil, in millimetres; positive towards the object.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub entrance_pupil_offset_mm: Option<f64>,
}

/// How a value of the schema moves over the frames. The value itself is the first frame's.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Variation {
    /// Smallest.
    pub min: f64,
    /// Largest.
    pub max: f64,
    /// Frames that gave a value.
    pub frames: u64,
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
    /// model, with their whole name or its first word, are named once. `None`
    /// when neither is known.
    #[must_use]
    pub fn name(&self) -> Option<String> {
        let first_word = |text: &str| text.split(' ').next().unwrap_or_default().to_lowercase();
        match (&self.make, &self.model) {
            (Some(make), Some(model))
                if first_word(make) != first_word(model)
                    && !model.to_lowercase().starts_with(&make.to_lowercase()) =>
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
    /// Whether the primaries of `color_space` are its reader's assumption, since the file has none.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub primaries_assumed: bool,
    /// Frame lines that the camera recorded.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub frame_lines: Vec<FrameLine>,
    /// What changes over the frames, by its name in the [schema](crate::schema).
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub varies: BTreeMap<String, Variation>,
    /// Metadata exports beside the media that were read into this.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub sidecars: Vec<String>,
    /// Every field of the file, untouched, as text.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub vendor: BTreeMap<String, String>,
    /// What was assumed, and what was ignored.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<Fault>,
}

/// How readers begin what they note of a picture without primaries.
pub const NO_PRIMARIES: &str = "no primaries in the file: those of ITU-R BT.709 are assumed";

impl ClipInfo {
    /// Its notes as they hold for a recipe: where that says what the codes are, no primaries are assumed.
    pub fn notes_for(&self, color: &ColorRecipe) -> impl Iterator<Item = &Fault> {
        let said = !color.input.is_empty();
        self.notes.iter().filter(move |note| !(said && note.message.starts_with(NO_PRIMARIES)))
    }

    /// Letter of the camera unit: as the camera wrote it, else from a clip name of a known pattern.
    #[must_use]
    pub fn camera_letter(&self) -> Option<String> {
        let named = || CameraName::parse(&self.identity.clip_name).map(|n| n.letter.to_owned());
        self.identity.camera_letter.clone().or_else(named)
    }

    /// Sensor mode: as the camera names it, else the size of what saw light.
    #[must_use]
    pub fn sensor_mode(&self) -> Option<String> {
        let Picture { active, width, height, .. } = &self.picture;
        let size = if active.width > 0 { [active.width, active.height] } else { [*width, *height] };
        let sized = || (size[0] > 0 && size[1] > 0).then(|| format!("{}x{}", size[0], size[1]));
        self.picture.sensor_mode.clone().or_else(sized)
    }

    /// Codec: as the camera names it, else file format and compression.
    #[must_use]
    pub fn codec(&self) -> Option<String> {
        let Picture { format, compression, .. } = &self.picture;
        let stored = || match (format.as_str(), compression.as_str()) {
            ("", _) => None,
            (format, "") => Some(format.to_owned()),
            (format, compression) => Some(format!("{format} {compression}")),
        };
        self.picture.codec.clone().or_else(stored)
    }

    /// Whether it is a plate that platefarm itself made, and so no original.
    #[must_use]
    pub fn is_plate(&self) -> bool {
        self.vendor.contains_key("exr.platefarm:version")
    }

    /// What its pixels mean as colours: encoding and gamut, or the camera's own RGB.
    #[must_use]
    pub fn color_name(&self) -> Option<String> {
        self.color_space.clone().or_else(|| self.color.map(|_| "camera RGB".to_owned()))
    }
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
        assert_eq!(name("Blackmagic Design", "Blackmagic URSA").unwrap(), "Blackmagic URSA");
        assert_eq!(name("Sony", "").unwrap(), "Sony");
        assert_eq!(name("", ""), None);
    }
}
