//! The fields, in the order of the document.
//!
//! Which of them are critical follows what pull services ask of an inspection:
//! the key by which events find clips, the camera format, what a developer of
//! the picture needs, and the camera report (Netflix Partner Help: Camera
//! Format Cards, EDL rules, VFX best practices; SMPTE OSVP camdkit's static
//! camera and lens).
//!
//! Units and meanings of the standard ones: OpenEXR 3, "Standard Attributes".

use super::Group::{Camera, Codec, Color, Exposure, Geometry, Identity, Lens, Timing};
use super::{Field, Group, Kind, Value};
use crate::clip::ClipInfo;
use crate::raw::Rect;

type Get = fn(&ClipInfo) -> Option<Value>;

/// A field that the workflow needs and OpenEXR has no attribute for.
const fn own(group: Group, name: &'static str, kind: Kind, doc: &'static str, value: Get) -> Field {
    Field { name, group, kind, standard: false, critical: true, doc, value }
}

/// A field that the workflow needs, by OpenEXR's name.
const fn exr(group: Group, name: &'static str, kind: Kind, doc: &'static str, value: Get) -> Field {
    Field { name, group, kind, standard: true, critical: true, doc, value }
}

impl Field {
    /// It is good to know, and left out where it is not known.
    const fn optional(mut self) -> Self {
        self.critical = false;
        self
    }
}

/// Every field, in the order of the document.
pub static FIELDS: &[Field] = &[
    own(
        Identity,
        "clipName",
        Kind::Text,
        "name of the clip, as the camera or its files have it",
        |c| filled(&c.identity.clip_name),
    ),
    exr(Identity, "reelName", Kind::Text, "reel (roll, tape, card) as the camera wrote it", |c| {
        text(c.identity.reel_name.as_ref())
    }),
    own(
        Identity,
        "cameraLetter",
        Kind::Text,
        "letter of the camera unit: as written, else from a clip name of a known pattern",
        |c| c.camera_letter().map(Value::Text),
    ),
    exr(Identity, "cameraLabel", Kind::Text, "label of the camera", |c| {
        text(c.identity.camera_label.as_ref())
    })
    .optional(),
    own(Identity, "uuid", Kind::Text, "unique id of the recording, written by the camera", |c| {
        text(c.identity.uuid.as_ref())
    })
    .optional(),
    own(Identity, "umid", Kind::Text, "SMPTE ST 330 UMID in hexadecimal digits", |c| {
        text(c.identity.umid.as_ref())
    })
    .optional(),
    own(Identity, "scene", Kind::Text, "scene, as typed on set", |c| {
        text(c.identity.scene.as_ref())
    }),
    own(Identity, "take", Kind::Text, "take, as typed on set", |c| text(c.identity.take.as_ref())),
    exr(Timing, "timeCode", Kind::Timecode, "timecode of the first frame", |c| {
        c.timing.start.map(Value::Timecode)
    }),
    own(Timing, "endTimeCode", Kind::Timecode, "timecode of the last frame", |c| {
        (c.timing.frame_count > 0)
            .then_some(c.timing.start)
            .flatten()
            .map(|start| Value::Timecode(start.plus(c.timing.frame_count as i64 - 1)))
    })
    .optional(),
    own(
        Timing,
        "edgeTimeCode",
        Kind::Timecode,
        "timecode of the first frame by a camera's second clock, that counts recorded frames only",
        |c| c.timing.edge_start.map(Value::Timecode),
    )
    .optional(),
    own(Timing, "dropFrame", Kind::Flag, "whether the timecode drops frame numbers", |c| {
        c.timing.start.map(|start| Value::Flag(start.drop_frame))
    })
    .optional(),
    exr(
        Timing,
        "framesPerSecond",
        Kind::Rate,
        "rate of the project, in which the timecode counts",
        |c| c.timing.rate.map(Value::Rate),
    ),
    exr(Timing, "captureRate", Kind::Rate, "rate at which the sensor ran", |c| {
        c.timing.capture_rate.map(Value::Rate)
    }),
    own(
        Timing,
        "frameCount",
        Kind::Integer,
        "frames from the first to the last, gaps included",
        |c| (c.timing.frame_count > 0).then_some(Value::Integer(c.timing.frame_count as i64)),
    ),
    own(Timing, "missingFrames", Kind::Frames, "indices, from 0, that are not on disk", |c| {
        (!c.timing.missing.is_empty()).then(|| Value::Frames(c.timing.missing.clone()))
    })
    .optional(),
    own(Timing, "firstFileNumber", Kind::Integer, "number in the name of the first file", |c| {
        c.timing.first_file_number.map(Value::Integer)
    })
    .optional(),
    own(
        Timing,
        "duration",
        Kind::Number("s"),
        "length in real time: as written, else frames over the rate",
        |c| c.timing.seconds().map(Value::Number),
    )
    .optional(),
    exr(
        Timing,
        "capDate",
        Kind::Text,
        "local date and time of the first frame, YYYY:MM:DD hh:mm:ss",
        |c| text(c.timing.captured.as_ref()),
    ),
    exr(Timing, "utcOffset", Kind::Number("s"), "what is to be added to capDate to get UTC", |c| {
        number(c.timing.utc_offset_s)
    })
    .optional(),
    own(
        Geometry,
        "sensorMode",
        Kind::Text,
        "sensor mode as the camera names it, else the size of the active area",
        |c| c.sensor_mode().map(Value::Text),
    ),
    own(Geometry, "photosites", Kind::Size, "photosites stored", |c| size(c.picture.photosites))
        .optional(),
    own(Geometry, "activeArea", Kind::Box, "the part that saw light, within what is stored", |c| {
        area(c.picture.active)
    })
    .optional(),
    exr(
        Geometry,
        "sensorAcquisitionRectangle",
        Kind::Box,
        "photosites behind the delivered picture, within what is stored",
        acquired,
    )
    .optional(),
    exr(
        Geometry,
        "sensorPhotositePitch",
        Kind::Number("µm"),
        "distance between centres of photosites",
        |c| number(c.picture.photosite_pitch_um),
    )
    .optional(),
    own(
        Geometry,
        "pictureSize",
        Kind::Size,
        "columns and rows delivered when no framing is asked",
        |c| size([c.picture.width, c.picture.height]),
    ),
    exr(Geometry, "pixelAspectRatio", Kind::Number(""), "width of a pixel over its height", |c| {
        positive(Some(c.picture.pixel_aspect))
    }),
    own(
        Geometry,
        "lensSqueeze",
        Kind::Number(""),
        "anamorphic squeeze of the lens: 1 for a spherical one",
        |c| positive(c.lens.squeeze),
    ),
    own(Geometry, "frameLines", Kind::Lines, "frame lines that the camera showed", |c| {
        (!c.frame_lines.is_empty()).then(|| Value::Lines(c.frame_lines.clone()))
    })
    .optional(),
    own(
        Codec,
        "codec",
        Kind::Text,
        "codec as the camera names it, else file format and compression",
        |c| c.codec().map(Value::Text),
    ),
    own(Codec, "format", Kind::Text, "file format, by the reader's name", |c| {
        filled(&c.picture.format)
    })
    .optional(),
    own(Codec, "compression", Kind::Text, "compression, by the reader's name", |c| {
        filled(&c.picture.compression)
    })
    .optional(),
    own(Codec, "bitDepth", Kind::Integer, "bits of a sample as stored", |c| {
        (c.picture.bit_depth > 0).then_some(Value::Integer(c.picture.bit_depth.into()))
    }),
    own(Codec, "cfa", Kind::Text, "colour filter array, where there is one", |c| {
        text(c.picture.cfa.as_ref())
    })
    .optional(),
    own(
        Color,
        "colorSpace",
        Kind::Text,
        "encoding and gamut of the pixels; `camera RGB` where the file has the camera's own matrix",
        |c| c.color_name().map(Value::Text),
    ),
    own(
        Color,
        "whiteBalance",
        Kind::Numbers,
        "gains on camera red, green and blue that make the scene's white neutral",
        |c| c.color.map(|color| Value::Numbers(color.white_balance.to_vec())),
    )
    .optional(),
    own(
        Color,
        "cameraToAces",
        Kind::Numbers,
        "white-balanced camera RGB, of which 1 is full scale, to ACES2065-1, nine numbers, row by row; the rows sum to 1, or to an exposure that is part of it (ARRIRAW: 35.9 at EI 800)",
        |c| c.color.map(|color| Value::Numbers(color.camera_to_aces.as_flattened().to_vec())),
    )
    .optional(),
    exr(
        Color,
        "cameraCCTSetting",
        Kind::Number("K"),
        "colour temperature of the camera's white",
        |c| positive(c.camera.white_kelvin),
    ),
    exr(
        Color,
        "cameraTintSetting",
        Kind::Number(""),
        "tint of the camera's white, in the maker's unit",
        |c| number(c.camera.white_tint),
    ),
    exr(
        Exposure,
        "isoSpeed",
        Kind::Number(""),
        "sensitivity that was set: the exposure index, where the camera knows one number",
        |c| positive(c.camera.iso_speed),
    ),
    own(
        Exposure,
        "exposureIndex",
        Kind::Number(""),
        "exposure index, where the camera tells it apart from the sensitivity",
        |c| positive(c.camera.exposure_index),
    )
    .optional(),
    exr(Exposure, "shutterAngle", Kind::Number("°"), "shutter angle", |c| {
        positive(c.camera.shutter_angle_deg)
    }),
    exr(Exposure, "expTime", Kind::Number("s"), "exposure time", |c| {
        positive(c.camera.exposure_time_s)
    })
    .optional(),
    own(Exposure, "ndFilter", Kind::Text, "neutral density filter, as the camera writes it", |c| {
        text(c.camera.nd_filter.as_ref())
    }),
    exr(Camera, "cameraMake", Kind::Text, "maker", |c| text(c.camera.make.as_ref())),
    exr(Camera, "cameraModel", Kind::Text, "model", |c| text(c.camera.model.as_ref())),
    exr(Camera, "cameraSerialNumber", Kind::Text, "serial number", |c| {
        text(c.camera.serial_number.as_ref())
    }),
    exr(Camera, "cameraFirmwareVersion", Kind::Text, "firmware", |c| {
        text(c.camera.firmware.as_ref())
    }),
    exr(Lens, "lensMake", Kind::Text, "maker", |c| text(c.lens.make.as_ref())),
    exr(Lens, "lensModel", Kind::Text, "model", |c| text(c.lens.model.as_ref())),
    exr(Lens, "lensSerialNumber", Kind::Text, "serial number", |c| {
        text(c.lens.serial_number.as_ref())
    }),
    exr(Lens, "lensFirmwareVersion", Kind::Text, "firmware", |c| text(c.lens.firmware.as_ref()))
        .optional(),
    exr(
        Lens,
        "nominalFocalLength",
        Kind::Number("mm"),
        "focal length, as printed on the lens",
        |c| positive(c.lens.focal_length_mm),
    ),
    exr(Lens, "tStop", Kind::Number(""), "T-stop", |c| positive(c.lens.t_stop)),
    exr(Lens, "aperture", Kind::Number(""), "F-number", |c| positive(c.lens.f_number)).optional(),
    exr(Lens, "focus", Kind::Number("m"), "distance of focus", |c| {
        positive(c.lens.focus_distance_m)
    }),
    exr(
        Lens,
        "entrancePupilOffset",
        Kind::Number("mm"),
        "distance from the image plane to the entrance pupil, positive towards the object",
        |c| number(c.lens.entrance_pupil_offset_mm),
    )
    .optional(),
];

fn text(value: Option<&String>) -> Option<Value> {
    value.and_then(|value| filled(value))
}

fn filled(value: &str) -> Option<Value> {
    (!value.trim().is_empty()).then(|| Value::Text(value.to_owned()))
}

fn number(value: Option<f64>) -> Option<Value> {
    value.filter(|v| v.is_finite()).map(Value::Number)
}

/// A number that a camera leaves at zero when it does not know it.
fn positive(value: Option<f64>) -> Option<Value> {
    number(value.filter(|v| *v > 0.0))
}

fn size(size: [u32; 2]) -> Option<Value> {
    size.iter().all(|side| *side > 0).then_some(Value::Size(size))
}

fn area(rect: Rect) -> Option<Value> {
    (rect.width > 0 && rect.height > 0).then_some(Value::Box(rect))
}

/// Of sensor data only: a picture's pixels may have been scaled in the camera.
fn acquired(clip: &ClipInfo) -> Option<Value> {
    let (active, crop) = (clip.picture.active, clip.picture.crop);
    clip.picture.cfa.as_ref()?;
    area(Rect {
        x: active.x.checked_add(crop.x)?,
        y: active.y.checked_add(crop.y)?,
        width: crop.width,
        height: crop.height,
    })
}
