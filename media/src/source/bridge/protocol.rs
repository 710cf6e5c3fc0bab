//! The messages between platefarm and a bridge, version 1 (docs/bridge.md),
//! and what makes an answer sound. Nothing a bridge says is taken on trust.

use crate::source::encoding;
use platefarm_model::clip::{ClipInfo, Picture, Timing};
use platefarm_model::color::{self, ACES_WHITE, AP0, AP1, D65, Matrix3, REC709, Xy};
use platefarm_model::raw::{
    Bayer, Layout, Levels, MosaicLayout, Packing, Rect, RgbLayout, RgbSamples,
};
use platefarm_model::{Code, Fault, FrameRate, Outcome, Timecode};
use serde::Deserialize;
use std::collections::BTreeMap;
use std::sync::Arc;

/// The protocol's versions that are spoken here.
pub(super) const VERSIONS: &[u32] = &[1];
/// Longest line of an answer, in bytes.
pub(super) const MAX_LINE_BYTES: u64 = 1024 * 1024;
/// Most frames of a clip.
const MAX_FRAMES: u64 = 10_400_000;

/// What every answer begins with.
#[derive(Debug, Deserialize)]
pub(super) struct Head {
    pub(super) id: Option<u64>,
    pub(super) ok: bool,
    pub(super) error: Option<Refusal>,
    /// Length of the pixels that belong to the answer.
    pub(super) bytes: Option<u64>,
    /// Where they are: `pipe`, right behind the line, or `file`.
    pub(super) via: Option<String>,
    pub(super) path: Option<String>,
}

/// Why a bridge cannot do what was asked.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct Refusal {
    #[serde(default)]
    pub(super) code: String,
    #[serde(default)]
    pub(super) message: String,
}

impl Refusal {
    /// As an error of ours.
    pub(super) fn fault(&self) -> Fault {
        let code = match self.code.as_str() {
            "unsupported" => Code::UnsupportedFeature,
            "damaged" => Code::BadStructure,
            "missing" => Code::MissingFrame,
            "unavailable" => Code::NoDecoder,
            _ => Code::DecoderFailed,
        };
        let said: String = self.message.chars().take(400).collect();
        Fault::new(code, if said.is_empty() { "it does not say why".into() } else { said })
    }
}

/// Answer to `hello`.
#[derive(Debug, Deserialize)]
pub(super) struct Hello {
    pub(super) protocol: u32,
    pub(super) name: String,
    #[serde(default)]
    pub(super) version: String,
}

/// Answer to `probe`.
#[derive(Debug, Deserialize)]
pub(super) struct Probed {
    pub(super) reads: bool,
}

/// Answer to `open`.
#[derive(Debug, Deserialize)]
pub(super) struct Opened {
    pub(super) clip: u64,
    pub(super) frames: u64,
    rate: Option<String>,
    timecode: Option<String>,
    pixel_aspect: Option<f64>,
    bit_depth: Option<u32>,
    codec: Option<String>,
    reel: Option<String>,
    uuid: Option<String>,
    #[serde(default)]
    camera: Camera,
    #[serde(default)]
    lens: Lens,
    layout: Samples,
    #[serde(default)]
    vendor: BTreeMap<String, String>,
    #[serde(default)]
    notes: Vec<String>,
}

#[derive(Debug, Default, Deserialize)]
struct Camera {
    make: Option<String>,
    model: Option<String>,
    serial_number: Option<String>,
    iso_speed: Option<f64>,
    exposure_time_s: Option<f64>,
    white_kelvin: Option<f64>,
}

#[derive(Debug, Default, Deserialize)]
struct Lens {
    model: Option<String>,
    focal_length_mm: Option<f64>,
    t_stop: Option<f64>,
    squeeze: Option<f64>,
}

/// What the frames hold.
#[derive(Debug, Deserialize)]
#[serde(tag = "kind", rename_all = "lowercase")]
enum Samples {
    Mosaic(Mosaic),
    Rgb(Rgb),
}

#[derive(Debug, Deserialize)]
struct Mosaic {
    width: u32,
    height: u32,
    samples: String,
    active: Option<[u32; 4]>,
    crop: Option<[u32; 4]>,
    pattern: String,
    black: [f32; 4],
    white: [f32; 4],
    white_balance: [f32; 3],
    matrix: Matrix3,
    space: String,
}

#[derive(Debug, Deserialize)]
struct Rgb {
    width: u32,
    height: u32,
    samples: String,
    crop: Option<[u32; 4]>,
    space: String,
}

/// Linear spaces, by the names of the colour interop forum.
const SPACES: &[(&str, [Xy; 3], Xy)] = &[
    ("lin_ap0_scene", AP0, ACES_WHITE),
    ("lin_ap1_scene", AP1, ACES_WHITE),
    ("lin_rec709_scene", REC709, D65),
    ("lin_p3d65_scene", encoding::P3, D65),
    ("lin_rec2020_scene", encoding::REC2020, D65),
];

fn bad(what: String) -> Fault {
    Fault::new(Code::BadBridge, what)
}

fn to_aces(space: &str) -> Outcome<Matrix3> {
    let known = SPACES.iter().find(|(name, ..)| *name == space);
    let (name, primaries, white) = known.ok_or_else(|| {
        let names: Vec<&str> = SPACES.iter().map(|s| s.0).collect();
        bad(format!("space '{space}' is none of {}", names.join(", ")))
    })?;
    if *name == "lin_ap0_scene" {
        return Ok(color::IDENTITY);
    }
    Ok(encoding::to_aces(primaries, *white))
}

fn rect(given: Option<[u32; 4]>, width: u32, height: u32) -> Rect {
    given.map_or(Rect::of_size(width, height), |[x, y, width, height]| Rect { x, y, width, height })
}

impl Mosaic {
    fn layout(&self) -> Outcome<MosaicLayout> {
        let packing = match self.samples.as_str() {
            "u8" => Packing::U8,
            "u16" => Packing::U16Le,
            "f32" => Packing::F32Le,
            other => return Err(bad(format!("samples '{other}' are none of u8, u16, f32"))),
        };
        let bayer = match self.pattern.as_str() {
            "rggb" => Bayer::Rggb,
            "grbg" => Bayer::Grbg,
            "gbrg" => Bayer::Gbrg,
            "bggr" => Bayer::Bggr,
            other => {
                return Err(bad(format!("pattern '{other}' is none of rggb, grbg, gbrg, bggr")));
            }
        };
        let finite = self.black.iter().chain(&self.white).all(|v| v.is_finite())
            && self.black.iter().zip(&self.white).all(|(black, white)| black < white);
        if !finite {
            return Err(bad(format!("levels: black {:?}, white {:?}", self.black, self.white)));
        }
        if !self.white_balance.iter().all(|v| v.is_finite() && *v > 0.0 && *v < 1e3) {
            return Err(bad(format!("white balance {:?}", self.white_balance)));
        }
        if !self.matrix.iter().flatten().all(|v| v.is_finite() && v.abs() < 1e3) {
            return Err(bad(format!("matrix {:?}", self.matrix)));
        }
        let active = rect(self.active, self.width, self.height);
        Ok(MosaicLayout {
            width: self.width,
            height: self.height,
            packing,
            row_bytes: packing.row_bytes(self.width),
            active,
            crop: rect(self.crop, active.width, active.height),
            bayer,
            levels: Levels { black: self.black, white: self.white, ..Levels::flat(0.0, 1.0) },
            white_balance: self.white_balance,
            camera_to_aces: color::mul(&to_aces(&self.space)?, &self.matrix),
        })
    }
}

impl Rgb {
    fn layout(&self) -> Outcome<RgbLayout> {
        let samples = match self.samples.as_str() {
            "u16" => RgbSamples::U16,
            "f16" => RgbSamples::F16,
            "f32" => RgbSamples::F32,
            other => return Err(bad(format!("samples '{other}' are none of u16, f16, f32"))),
        };
        Ok(RgbLayout {
            width: self.width,
            height: self.height,
            samples,
            crop: rect(self.crop, self.width, self.height),
            curve: Arc::from([]),
            to_aces: to_aces(&self.space)?,
        })
    }
}

impl Opened {
    /// The layout of its frames, and their length in bytes.
    ///
    /// # Errors
    /// [`Code::BadBridge`] for an answer that contradicts itself.
    pub(super) fn layout(&self) -> Outcome<(Layout, u64)> {
        if self.frames == 0 || self.frames > MAX_FRAMES {
            return Err(bad(format!("a clip of {} frames", self.frames)));
        }
        let (layout, bytes) = match &self.layout {
            Samples::Mosaic(mosaic) => {
                let layout = mosaic.layout()?;
                let bytes = layout.row_bytes as u64 * u64::from(layout.height);
                (Layout::Mosaic(Arc::new(layout)), bytes)
            }
            Samples::Rgb(rgb) => {
                let layout = rgb.layout()?;
                let pixels = u64::from(layout.width) * u64::from(layout.height);
                let bytes = pixels * layout.samples.pixel_bytes() as u64;
                (Layout::Rgb(Arc::new(layout)), bytes)
            }
        };
        let size = usize::try_from(bytes).unwrap_or(usize::MAX);
        layout.check(size).map_err(|fault| bad(format!("layout: {}", fault.message)))?;
        Ok((layout, bytes))
    }

    /// What is known of the clip.
    pub(super) fn info(&self, layout: &Layout, format: &str) -> ClipInfo {
        let (photosites, active, crop, bits) = match layout {
            Layout::Mosaic(m) => ([m.width, m.height], m.active, m.crop, m.packing.bits()),
            Layout::Rgb(r) => {
                let bits = r.samples.pixel_bytes() as u32 * 8 / 3;
                ([r.width, r.height], Rect::of_size(r.width, r.height), r.crop, bits)
            }
        };
        let positive = |v: Option<f64>| v.filter(|v| v.is_finite() && *v > 0.0);
        let mut info = ClipInfo {
            picture: Picture {
                width: crop.width,
                height: crop.height,
                photosites,
                active,
                crop,
                pixel_aspect: positive(self.pixel_aspect).unwrap_or(1.0),
                bit_depth: self.bit_depth.unwrap_or(bits),
                format: format.into(),
                compression: self.codec.clone().unwrap_or_else(|| "unknown".into()),
                cfa: layout.mosaic().map(|m| m.bayer.name().to_owned()),
                ..Picture::default()
            },
            vendor: self.vendor.clone(),
            ..ClipInfo::default()
        };
        info.identity.reel_name.clone_from(&self.reel);
        info.identity.uuid.clone_from(&self.uuid);
        let Camera { make, model, serial_number, .. } = &self.camera;
        info.camera.make.clone_from(make);
        info.camera.model.clone_from(model);
        info.camera.serial_number.clone_from(serial_number);
        info.camera.iso_speed = positive(self.camera.iso_speed);
        info.camera.exposure_time_s = positive(self.camera.exposure_time_s);
        info.camera.white_kelvin = positive(self.camera.white_kelvin);
        info.lens.model.clone_from(&self.lens.model);
        info.lens.focal_length_mm = positive(self.lens.focal_length_mm);
        info.lens.t_stop = positive(self.lens.t_stop);
        info.lens.squeeze = positive(self.lens.squeeze);
        if let Samples::Rgb(rgb) = &self.layout {
            info.color_space = Some(rgb.space.clone());
        }
        if let Some(m) = layout.mosaic() {
            info.color = Some(platefarm_model::clip::CameraColor {
                white_balance: m.white_balance.map(f64::from),
                camera_to_aces: m.camera_to_aces,
            });
        }
        info.timing = self.timing(&mut info.notes);
        if self.bit_depth.is_none() {
            let what = format!("no bit depth from the bridge: taken as its samples' {bits}");
            info.notes.push(Fault::new(Code::MetadataAbsent, what));
        }
        let said = self.notes.iter().take(100);
        info.notes.extend(said.map(|n| Fault::new(Code::MetadataAbsent, n.clone())));
        info
    }

    fn timing(&self, notes: &mut Vec<Fault>) -> Timing {
        let mut read = |fault: Fault| notes.push(fault);
        let rate =
            self.rate.as_ref().and_then(|text| text.parse::<FrameRate>().map_err(&mut read).ok());
        let start = self.timecode.as_ref().and_then(|text| {
            Timecode::parse(text, rate.unwrap_or(FrameRate::FPS_24)).map_err(&mut read).ok()
        });
        for (absent, what) in [(rate.is_none(), "frame rate"), (start.is_none(), "timecode")] {
            if absent {
                read(Fault::new(Code::MetadataAbsent, format!("no {what} in the file")));
            }
        }
        Timing { rate, start, frame_count: self.frames, ..Timing::default() }
    }
}
