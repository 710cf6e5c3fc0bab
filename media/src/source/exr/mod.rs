//! OpenEXR sequences as sources: pictures that are linear already.
//!
//! Everything of the file format is the `exr` crate's; here it is decided what
//! of a file is the picture. That is the red, green and blue of its first
//! part, laid over its display window: what the data window leaves out is
//! black, and what reaches beyond the display window is kept as a margin for
//! the resample, as long as all frames have it.

mod color;
mod extent;
mod info;
mod pixels;

use super::pictures::{Described, PictureClip, PictureFormat};
use super::{Clip, Sequence, Source, read_fault};
use crate::exr_block::{broken, contained};
use crate::storage::File;
use exr::math::Vec2;
use exr::meta::MetaData;
use exr::meta::attribute::{IntegerBounds, SampleType};
use exr::meta::header::Header as Part;
use extent::{Counted, Tables};
use platefarm_model::clip::{ClipInfo, Picture};
use platefarm_model::raw::{Rect, RgbLayout, RgbSamples};
use platefarm_model::{Code, Fault, FrameRate, Outcome, Timecode, limits};
use std::io::BufReader;
use std::path::Path;
use std::sync::Arc;

/// The first bytes of every OpenEXR file.
const MAGIC: [u8; 4] = [0x76, 0x2f, 0x31, 0x01];

/// The reader of OpenEXR.
pub(super) struct Exr;

impl Source for Exr {
    fn name(&self) -> &'static str {
        "exr"
    }

    fn doc(&self) -> &'static str {
        "OpenEXR sequences: scan lines and tiles, half and float, R, G, B or Y of the first part"
    }

    fn extensions(&self) -> &'static [&'static str] {
        &["exr", "sxr", "mxr"]
    }

    fn probe(&self, head: &[u8], _: &Path) -> bool {
        head.starts_with(&MAGIC)
    }

    fn open(&self, sequence: Sequence) -> Outcome<Box<dyn Clip>> {
        Ok(Box::new(PictureClip::<Exr>::open(sequence)?))
    }
}

/// What a file says before its pixels.
pub(super) struct Header {
    part: Part,
    /// How many parts the file has.
    parts: usize,
    /// Where the blocks are listed, where that is asked.
    tables: Option<Tables>,
    /// Places of red, green and blue in the part's channel list; one place thrice for a luma file.
    channels: [usize; 3],
    samples: RgbSamples,
    data: Window,
    display: Window,
}

/// A rectangle in the plane of the picture: first column and row, and one behind the last.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Window {
    left: i64,
    top: i64,
    right: i64,
    bottom: i64,
}

impl Window {
    fn of(bounds: IntegerBounds) -> Self {
        let [left, top] = [bounds.position.x(), bounds.position.y()].map(i64::from);
        let [width, height] =
            [bounds.size.width(), bounds.size.height()].map(|v| v.min(u32::MAX as usize) as i64);
        Self { left, top, right: left + width, bottom: top + height }
    }

    const fn width(self) -> i64 {
        self.right - self.left
    }

    const fn height(self) -> i64 {
        self.bottom - self.top
    }

    /// The smallest window that holds both.
    fn with(self, other: Self) -> Self {
        Self {
            left: self.left.min(other.left),
            top: self.top.min(other.top),
            right: self.right.max(other.right),
            bottom: self.bottom.max(other.bottom),
        }
    }

    /// Whether they share a pixel.
    const fn meets(self, other: Self) -> bool {
        self.left < other.right
            && other.left < self.right
            && self.top < other.bottom
            && other.top < self.bottom
    }

    fn check_size(self, what: &str) -> Outcome<()> {
        let (width, height) = (self.width(), self.height());
        let side = i64::from(limits::MAX_PICTURE_SIDE_PX);
        if width < 1 || height < 1 {
            return Err(Fault::new(Code::BadStructure, format!("an empty {what}")).at(what));
        }
        if width > side || height > side || (width * height) as u64 > limits::MAX_PICTURE_PIXELS {
            let message = format!("a {what} of {width}x{height} pixels");
            return Err(Fault::new(Code::TooLarge, message).at(what));
        }
        Ok(())
    }
}

impl std::fmt::Display for Window {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{},{} to {},{}", self.left, self.top, self.right - 1, self.bottom - 1)
    }
}

impl Header {
    /// Judges the first part of a file.
    fn new(meta: &MetaData) -> Outcome<Self> {
        let part = meta
            .headers
            .first()
            .ok_or_else(|| Fault::new(Code::BadStructure, "the OpenEXR file has no part"))?
            .clone();
        if part.deep {
            return Err(Fault::new(
                Code::UnsupportedFeature,
                "deep OpenEXR is not read: flatten it first",
            ));
        }
        if part.channels.list.iter().any(|c| c.sampling != Vec2(1, 1)) {
            return Err(Fault::new(
                Code::UnsupportedFeature,
                "subsampled channels (luminance and chroma) are not read",
            )
            .at("channels"));
        }
        let channels = pick_channels(&part)?;
        let samples = samples(&part, channels)?;
        let data = Window::of(part.data_window());
        let display = Window::of(part.shared_attributes.display_window);
        data.check_size("dataWindow")?;
        display.check_size("displayWindow")?;
        Ok(Self { part, parts: meta.headers.len(), tables: None, channels, samples, data, display })
    }

    /// Name of the layer whose red, green and blue are delivered; empty for the file's own.
    fn layer(&self) -> String {
        let name = self.part.channels.list[self.channels[0]].name.to_string();
        name.rsplit_once('.').map(|(layer, _)| layer.to_owned()).unwrap_or_default()
    }
}

/// The channels that are the picture: R, G and B; else those of the first layer that has them;
/// else Y, thrice.
fn pick_channels(part: &Part) -> Outcome<[usize; 3]> {
    let names: Vec<String> = part.channels.list.iter().map(|c| c.name.to_string()).collect();
    let at = |name: &str| names.iter().position(|n| n == name);
    let of_layer = |prefix: &str| {
        let [r, g, b] = ["R", "G", "B"].map(|c| at(&format!("{prefix}{c}")));
        Some([r?, g?, b?])
    };
    let layers = names.iter().filter_map(|n| n.rsplit_once('.').map(|(l, _)| format!("{l}.")));
    std::iter::once(String::new())
        .chain(layers)
        .find_map(|prefix| of_layer(&prefix))
        .or_else(|| at("Y").filter(|_| at("RY").or(at("BY")).is_none()).map(|y| [y; 3]))
        .ok_or_else(|| {
            Fault::new(
                Code::UnsupportedFeature,
                format!("channels {} hold no R, G, B and no lone Y", names.join(", ")),
            )
            .at("channels")
        })
}

/// Half when all three are; anything wider makes all of them float.
fn samples(part: &Part, channels: [usize; 3]) -> Outcome<RgbSamples> {
    let types = channels.map(|c| part.channels.list[c].sample_type);
    if types.contains(&SampleType::U32) {
        return Err(Fault::new(
            Code::UnsupportedFeature,
            "channels of whole numbers are not pictures",
        )
        .at("channels"));
    }
    let all_half = types.iter().all(|t| *t == SampleType::F16);
    Ok(if all_half { RgbSamples::F16 } else { RgbSamples::F32 })
}

impl PictureFormat for Exr {
    type Header = Header;

    fn header(path: &Path) -> Outcome<Header> {
        let file = File::open(path).map_err(|e| read_fault(path, &e))?;
        let mut file = Counted { inner: BufReader::new(file), bytes: 0 };
        let meta =
            contained(|| MetaData::read_from_buffered(&mut file, false).map_err(|e| broken(&e)))?;
        Ok(Header { tables: Some(Tables::new(file.bytes, &meta.headers)), ..Header::new(&meta)? })
    }

    fn extent(path: &Path, header: &Header) -> Outcome<()> {
        header.tables.as_ref().map_or(Ok(()), |tables| tables.check(path))
    }

    fn describe(first: &Header, sampled: &[Header]) -> Outcome<Described> {
        let color::Meaning { name, to_aces, known, assumed } = color::of(first)?;
        let (primaries_assumed, mut notes) = (assumed.is_some(), Vec::from_iter(assumed));
        notes.extend(beside_the_window(sampled));
        let raster = raster(first, sampled, &mut notes);
        raster.check_size("picture")?;
        let display = first.display;
        let crop = Rect {
            x: (display.left - raster.left) as u32,
            y: (display.top - raster.top) as u32,
            width: display.width() as u32,
            height: display.height() as u32,
        };
        let layout = RgbLayout {
            width: raster.width() as u32,
            height: raster.height() as u32,
            samples: first.samples,
            crop,
            curve: Arc::from([]),
            to_aces,
        };
        let aspect = f64::from(first.part.shared_attributes.pixel_aspect);
        let pixel_aspect = if aspect.is_finite() && aspect > 0.0 { aspect } else { 1.0 };
        let mut info = ClipInfo {
            picture: Picture {
                width: crop.width,
                height: crop.height,
                // Overscan is no part of the camera's raster, and need not be in all frames.
                photosites: [crop.width, crop.height],
                active: Rect::of_size(crop.width, crop.height),
                crop: Rect::of_size(crop.width, crop.height),
                pixel_aspect,
                bit_depth: if first.samples == RgbSamples::F16 { 16 } else { 32 },
                format: "exr".into(),
                compression: info::compression(&first.part).into(),
                ..Picture::default()
            },
            color_space: Some(name),
            primaries_assumed,
            notes,
            ..ClipInfo::default()
        };
        info::fill(first, &mut info);
        Ok(Described { layout, info, color: known })
    }

    fn timecode(header: &Header, rate: FrameRate) -> Option<Timecode> {
        let code = header.part.shared_attributes.time_code?;
        crate::sink::exr::from_time_code(code, rate)
    }

    fn pixels(path: &Path, first: &Header, layout: &RgbLayout) -> Outcome<(Vec<u8>, Header)> {
        contained(|| pixels::read(path, first, layout))
    }

    fn check_like(header: &Header, first: &Header) -> Outcome<()> {
        let display = |h: &Header| format!("a display window from {}", h.display);
        let samples = |h: &Header| format!("{} samples", h.samples);
        let layer = |h: &Header| format!("layer '{}'", h.layer());
        let primaries = |h: &Header| {
            let said = h.part.shared_attributes.chromaticities.as_ref().map(info::chromaticities);
            format!("chromaticities {}", said.as_deref().unwrap_or("that are not said"))
        };
        for aspect in [&display as &dyn Fn(&Header) -> String, &samples, &layer, &primaries] {
            let (mine, theirs) = (aspect(header), aspect(first));
            if mine != theirs {
                return Err(Fault::new(
                    Code::MixedClip,
                    format!("{mine}; the clip begins with {theirs}"),
                ));
            }
        }
        Ok(())
    }
}

/// What is said of a picture of which nothing lies where it is shown: black is all there is of it.
fn beside_the_window(sampled: &[Header]) -> Option<Fault> {
    let beside = sampled.iter().find(|h| !h.data.meets(h.display))?;
    let message = format!(
        "the picture (data from {}) lies beside its display window ({}): what is delivered is black",
        beside.data, beside.display
    );
    Some(Fault::new(Code::UnsupportedFeature, message).at("dataWindow").remedy(
        "Nothing, if the picture has left the frame; else correct the windows of the file.",
    ))
}

/// The raster of the clip: its display window, and the overscan around it where all frames have
/// the same.
fn raster(first: &Header, sampled: &[Header], notes: &mut Vec<Fault>) -> Window {
    let moves = sampled.iter().find(|h| h.data != first.data);
    let whole = first.display.with(first.data);
    match moves {
        None => whole,
        Some(_) if sampled.iter().all(|h| h.display.with(h.data) == h.display) => first.display,
        Some(other) => {
            notes.push(
                Fault::new(
                    Code::UnsupportedFeature,
                    format!(
                        "the overscan changes (data from {}, then from {}) and is not used",
                        first.data, other.data
                    ),
                )
                .at("dataWindow"),
            );
            first.display
        }
    }
}
