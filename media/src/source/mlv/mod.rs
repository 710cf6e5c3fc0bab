//! Magic Lantern MLV: raw video of Canon cameras, a file of blocks that may go
//! on in `.M00`, `.M01`, ... when a card or a file system fills up.
//!
//! Read: version 2 with packed samples of 1 to 16 bits or lossless JPEG.
//! Pictures are found by walking the blocks; where the index of a recording
//! (XREF) is there, it says nothing that the walk does not.

mod blocks;
mod color;
#[cfg(test)]
mod tests;

use super::dng::ljpeg;
use super::pictures::check_index;
use super::range::Ranges;
use super::{Clip, Sequence, Source};
use blocks::{Blocks, Coding, FileHeader, Payload, PictureBlock};
use color::Color;
use platefarm_model::clip::{CameraInfo, ClipInfo, Identity, LensInfo, Picture, Timing};
use platefarm_model::raw::{Bayer, Frame, Layout, Levels, MosaicLayout, Packing, Rect};
use platefarm_model::{Code, Fault, FrameRange, FrameRate, FrameSet, Outcome, Timecode, limits};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// The reader of Magic Lantern video.
pub(super) struct Mlv;

impl Source for Mlv {
    fn name(&self) -> &'static str {
        "mlv"
    }

    fn doc(&self) -> &'static str {
        "Magic Lantern MLV 2.0: Bayer, 1 to 16 bits packed or lossless JPEG, in one file or many"
    }

    fn extensions(&self) -> &'static [&'static str] {
        &["mlv"]
    }

    fn probe(&self, head: &[u8], _: &Path) -> bool {
        FileHeader::is_at(head)
    }

    fn whole_clip(&self) -> bool {
        true
    }

    fn open(&self, sequence: Sequence) -> Outcome<Box<dyn Clip>> {
        let path = sequence.first_file();
        let clip = MlvClip::open(path).map_err(|fault| fault.within(path.display()))?;
        Ok(Box::new(clip))
    }
}

/// How the samples of a picture lie.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Stored {
    width: u32,
    height: u32,
    bits: u32,
    coding: Coding,
}

impl Stored {
    fn read(raw: &Payload, coding: Coding) -> Outcome<Self> {
        let [width, height] = [16, 18].map(|at| u32::from(raw.u16(at).unwrap_or(0)));
        let bits = raw.i32(44).unwrap_or(0);
        let bad = |what: String, place: &str| {
            Err(Fault::new(Code::BadStructure, what).at(format!("RAWI block, {place}")))
        };
        if width == 0 || height == 0 {
            return bad(format!("a picture of {width}x{height} photosites"), "xRes, yRes");
        }
        if u64::from(width) * u64::from(height) > limits::MAX_PICTURE_PIXELS {
            return bad(format!("a picture of {width}x{height} photosites"), "xRes, yRes");
        }
        if !(1..=16).contains(&bits) {
            return bad(format!("{bits} bits a sample"), "bits_per_pixel");
        }
        Ok(Self { width, height, bits: bits as u32, coding })
    }

    /// Samples lie as they are where rows are whole 16-bit words of them.
    fn delivered(self) -> Packing {
        let whole = (self.width * self.bits).is_multiple_of(16) && self.coding == Coding::Packed;
        match self.bits {
            10 if whole => Packing::Word10,
            12 if whole => Packing::Word12,
            14 if whole => Packing::Word14,
            _ => Packing::U16Le,
        }
    }

    const fn samples(self) -> usize {
        self.width as usize * self.height as usize
    }

    /// Bytes of a packed picture: one stream of bits in words.
    const fn packed_bytes(self) -> u64 {
        (self.samples() as u64 * self.bits as u64).div_ceil(16) * 2
    }

    /// The samples as they are delivered.
    fn deliver(self, bytes: Vec<u8>) -> Outcome<Vec<u8>> {
        if self.coding == Coding::LosslessJpeg {
            return self.inflate(&bytes);
        }
        let needed = self.packed_bytes() as usize;
        if bytes.len() < needed {
            let what = format!(
                "{} bytes, {}x{} photosites of {} bits take {needed}",
                bytes.len(),
                self.width,
                self.height,
                self.bits
            );
            return Err(Fault::new(Code::TruncatedFile, what));
        }
        if self.delivered() != Packing::U16Le || self.bits == 16 {
            let mut bytes = bytes;
            bytes.truncate(needed);
            return Ok(bytes);
        }
        let mut out = Vec::with_capacity(2 * self.samples());
        // The bytes of the stream are those of 16-bit words from their last byte.
        let byte = |i: usize| u64::from(bytes.get(i ^ 1).copied().unwrap_or(0));
        for index in 0..self.samples() {
            let bit = index * self.bits as usize;
            let at = bit / 8;
            let window = byte(at) << 16 | byte(at + 1) << 8 | byte(at + 2);
            let sample = window >> (24 - self.bits as usize - bit % 8) & ((1 << self.bits) - 1);
            out.extend((sample as u16).to_le_bytes());
        }
        Ok(out)
    }

    /// A lossless JPEG stream of as many samples, whatever its own width is.
    fn inflate(self, data: &[u8]) -> Outcome<Vec<u8>> {
        let stream = ljpeg::open(data, self.samples())?;
        let found = stream.row_samples * stream.rows;
        if found != self.samples() {
            let what = format!(
                "a stream of {}x{} samples for a picture of {}x{}",
                stream.row_samples, stream.rows, self.width, self.height
            );
            return Err(Fault::new(Code::BadStructure, what));
        }
        let mut out = Vec::with_capacity(2 * found);
        stream.decode(|row| out.extend(row.iter().flat_map(|sample| sample.to_le_bytes())))?;
        Ok(out)
    }
}

struct MlvClip {
    info: ClipInfo,
    layout: Layout,
    stored: Stored,
    files: Vec<PathBuf>,
    /// By index, ascending.
    pictures: Vec<(i64, PictureBlock)>,
}

impl MlvClip {
    fn open(path: &Path) -> Outcome<Self> {
        let mut blocks = Blocks::read(path)?;
        let raw = blocks.get(b"RAWI").cloned().ok_or_else(|| {
            Fault::new(Code::BadStructure, "no block describes the sensor data").at("RAWI block")
        })?;
        let stored = Stored::read(&raw, blocks.header.coding)?;
        let mut notes = std::mem::take(&mut blocks.notes);
        let bayer = bayer(raw.u32(96).unwrap_or(0))?;
        let levels = levels(&raw, stored.bits)?;
        let Color { color, kelvin } = color::read(&raw, blocks.get(b"WBAL"), &mut notes)?;
        let layout = MosaicLayout {
            width: stored.width,
            height: stored.height,
            packing: stored.delivered(),
            row_bytes: stored.delivered().row_bytes(stored.width),
            active: Rect::of_size(stored.width, stored.height),
            crop: Rect::of_size(stored.width, stored.height),
            bayer,
            levels,
            white_balance: color.white_balance.map(|v| v as f32),
            camera_to_aces: color.camera_to_aces,
        };
        layout.check(layout.row_bytes * stored.height as usize)?;
        let first = blocks.pictures.first().map(|p| p.number).ok_or_else(|| {
            Fault::new(Code::NoMedia, "the recording holds no picture").at("VIDF blocks")
        })?;
        let pictures: Vec<(i64, PictureBlock)> =
            blocks.pictures.iter().map(|p| (i64::from(p.number - first), *p)).collect();
        let info = ClipInfo {
            path: path.to_string_lossy().into_owned(),
            identity: Identity {
                clip_name: path.file_stem().unwrap_or_default().to_string_lossy().into_owned(),
                uuid: (blocks.header.guid != 0).then(|| format!("{:016x}", blocks.header.guid)),
                ..Identity::default()
            },
            timing: timing(&blocks, &pictures, &mut notes),
            picture: Picture {
                width: stored.width,
                height: stored.height,
                photosites: [stored.width, stored.height],
                active: layout.active,
                crop: layout.crop,
                pixel_aspect: 1.0,
                bit_depth: stored.bits,
                format: "mlv".into(),
                compression: match stored.coding {
                    Coding::Packed => "none".into(),
                    Coding::LosslessJpeg => "lossless-jpeg".into(),
                },
                cfa: Some(bayer.name().into()),
                ..Picture::default()
            },
            camera: camera(&blocks, kelvin),
            lens: lens(&blocks),
            color: Some(color),
            vendor: vendor(&blocks),
            ..ClipInfo::default()
        };
        if blocks.get(b"DISO").and_then(|p| p.u32(16)).is_some_and(|mode| mode != 0) {
            let what = "alternating lines of two exposures (Dual ISO) are not merged";
            notes.push(Fault::new(Code::UnsupportedFeature, what).at("DISO block"));
        }
        let layout = Layout::Mosaic(Arc::new(layout));
        Ok(Self { info: ClipInfo { notes, ..info }, layout, stored, files: blocks.files, pictures })
    }

    fn samples(&self, picture: &PictureBlock) -> Outcome<Vec<u8>> {
        let place = |fault: Fault| fault.within(format!("VIDF block, offset {}", picture.offset));
        let path = &self.files[picture.file];
        let mut file = Ranges::open(path)?;
        // Padding behind a packed picture is left where it is.
        let bytes = match self.stored.coding {
            Coding::Packed => picture.bytes.min(self.stored.packed_bytes()),
            Coding::LosslessJpeg => picture.bytes,
        };
        file.take(picture.offset, bytes)
            .and_then(|bytes| self.stored.deliver(bytes))
            .map_err(|fault| place(fault).within(path.display()))
    }
}

impl Clip for MlvClip {
    fn info(&self) -> &ClipInfo {
        &self.info
    }

    fn layout(&self) -> &Layout {
        &self.layout
    }

    fn read(&self, index: i64) -> Outcome<Frame> {
        check_index(index, &self.info)?;
        let at = self.pictures.binary_search_by_key(&index, |(i, _)| *i).map_err(|_| {
            let what = format!("frame {index} was not recorded");
            Fault::new(Code::MissingFrame, what).at(self.info.path.clone())
        })?;
        let bytes = self.samples(&self.pictures[at].1)?;
        self.layout.check(bytes.len()).map_err(|fault| fault.within(&self.info.path))?;
        Ok(Frame { layout: self.layout.clone(), bytes })
    }

    fn frame_file(&self, index: i64) -> Option<&Path> {
        let at = self.pictures.binary_search_by_key(&index, |(i, _)| *i).ok()?;
        self.files.get(self.pictures[at].1.file).map(PathBuf::as_path)
    }
}

/// Four bytes in reading order: 0 red, 1 green, 2 blue.
fn bayer(pattern: u32) -> Outcome<Bayer> {
    match pattern.to_le_bytes() {
        [0, 1, 1, 2] => Ok(Bayer::Rggb),
        [1, 0, 2, 1] => Ok(Bayer::Grbg),
        [1, 2, 0, 1] => Ok(Bayer::Gbrg),
        [2, 1, 1, 0] => Ok(Bayer::Bggr),
        other => Err(Fault::new(Code::UnknownCfa, format!("the pattern {other:?}"))
            .at("RAWI block, cfa_pattern")),
    }
}

fn levels(raw: &Payload, bits: u32) -> Outcome<Levels> {
    let (black, white) = (raw.i32(48).unwrap_or(0), raw.i32(52).unwrap_or(0));
    if black < 0 || white <= black || white > i32::from(u16::MAX) {
        let what = format!("black {black} and white {white} of {bits} bits");
        return Err(Fault::new(Code::BadStructure, what).at("RAWI block, black_level, white_level"));
    }
    Ok(Levels::flat(black as f32, white as f32))
}

fn timing(blocks: &Blocks, pictures: &[(i64, PictureBlock)], notes: &mut Vec<Fault>) -> Timing {
    let [over, under] = blocks.header.rate;
    let rate = FrameRate::new(over, under).ok();
    if rate.is_none() {
        let what = format!("a frame rate of {over}/{under}");
        notes.push(Fault::new(Code::MetadataAbsent, what).at("MLVI block, sourceFpsNom"));
    }
    let mut missing = FrameSet::new();
    for pair in pictures.windows(2) {
        let (before, after) = (pair[0].0, pair[1].0);
        if after - before > 1 {
            missing.insert(FrameRange::of_len(before + 1, (after - before - 1) as u64));
        }
    }
    if let Some(first) = missing.first() {
        let what =
            format!("{} frames were not recorded, the first at index {first}", missing.len());
        notes.push(Fault::new(Code::MissingFrame, what));
    }
    let start = rate.and_then(|rate| clock(blocks.get(b"RTCI")?, rate));
    notes.push(match start {
        Some(_) => Fault::new(
            Code::MetadataAbsent,
            "the format has no timecode; the camera's clock at the start is used, frame 0",
        )
        .at("RTCI block"),
        None => {
            Fault::new(Code::MetadataAbsent, "no clock to take a timecode from").at("RTCI block")
        }
    });
    Timing {
        start,
        rate,
        frame_count: pictures.last().map_or(0, |(index, _)| *index as u64 + 1),
        missing,
        ..Timing::default()
    }
}

/// The time of day, as a timecode.
fn clock(time: &Payload, rate: FrameRate) -> Option<Timecode> {
    let [s, m, h] = [16, 18, 20].map(|at| time.u16(at).map(u32::from));
    Timecode::from_fields(h?, m?, s?, 0, rate, false).ok()
}

fn camera(blocks: &Blocks, kelvin: Option<f64>) -> CameraInfo {
    let (identity, exposure) = (blocks.get(b"IDNT"), blocks.get(b"EXPO"));
    let name = identity.and_then(|p| p.text(16, 32));
    CameraInfo {
        make: name.as_ref().and_then(|n| n.split(' ').next()).map(str::to_owned),
        model: name,
        serial_number: identity.and_then(|p| p.text(52, 32)),
        iso_speed: exposure.and_then(|p| p.u32(20)).filter(|v| *v > 0).map(f64::from),
        exposure_time_s: exposure
            .and_then(|p| p.u64(32))
            .filter(|v| *v > 0)
            .map(|us| us as f64 / 1e6),
        white_kelvin: kelvin,
        ..CameraInfo::default()
    }
}

fn lens(blocks: &Blocks) -> LensInfo {
    let Some(lens) = blocks.get(b"LENS") else { return LensInfo::default() };
    // A distance of all ones is infinity, which the schema has no number for.
    let known = |at| lens.u16(at).filter(|v| *v > 0 && *v < u16::MAX).map(f64::from);
    LensInfo {
        model: lens.text(32, 32),
        serial_number: lens.text(64, 32),
        focal_length_mm: known(16),
        focus_distance_m: known(18).map(|mm| mm / 1000.0),
        f_number: known(20).map(|hundredths| hundredths / 100.0),
        ..LensInfo::default()
    }
}

/// Names and offsets of numbers of a block.
type Fields = &'static [(&'static str, usize)];

/// What the descriptive blocks say, by the format's own names; blocks without a public layout by their size.
fn vendor(blocks: &Blocks) -> BTreeMap<String, String> {
    let mut out = BTreeMap::new();
    let mut put = |name: String, value: Option<String>| {
        if let Some(value) = value {
            out.insert(name, value);
        }
    };
    for (kind, payload) in &blocks.descriptions {
        let block = kind.escape_ascii().to_string();
        let (words, doubles): (Fields, Fields) = match kind {
            b"RAWI" => (
                &[("xRes", 16), ("yRes", 18)],
                &[
                    ("height", 28),
                    ("width", 32),
                    ("bits_per_pixel", 44),
                    ("black_level", 48),
                    ("white_level", 52),
                    ("active_area.y1", 72),
                    ("active_area.x1", 76),
                    ("active_area.y2", 80),
                    ("active_area.x2", 84),
                    ("dynamic_range", 176),
                ],
            ),
            b"RTCI" => (
                &[
                    ("tm_sec", 16),
                    ("tm_min", 18),
                    ("tm_hour", 20),
                    ("tm_mday", 22),
                    ("tm_mon", 24),
                    ("tm_year", 26),
                ],
                &[],
            ),
            b"EXPO" => (
                &[],
                &[
                    ("isoMode", 16),
                    ("isoValue", 20),
                    ("isoAnalog", 24),
                    ("digitalGain", 28),
                    ("shutterValue", 32),
                ],
            ),
            b"LENS" => (
                &[("focalLength", 16), ("focalDist", 18), ("aperture", 20)],
                &[("flags", 24), ("lensID", 28)],
            ),
            b"WBAL" => (
                &[],
                &[
                    ("wb_mode", 16),
                    ("kelvin", 20),
                    ("wbgain_r", 24),
                    ("wbgain_g", 28),
                    ("wbgain_b", 32),
                    ("wbs_gm", 36),
                    ("wbs_ba", 40),
                ],
            ),
            b"IDNT" => (&[], &[("cameraModel", 48)]),
            b"DISO" => (&[], &[("dualMode", 16), ("isoValue", 20)]),
            b"INFO" => {
                put("mlv.INFO".into(), payload.text(16, 256));
                continue;
            }
            _ => {
                put(format!("mlv.{block}"), Some(format!("{} bytes", payload.0.len())));
                continue;
            }
        };
        for (name, at) in words {
            put(format!("mlv.{block}.{name}"), payload.u16(*at).map(|v| v.to_string()));
        }
        for (name, at) in doubles {
            put(format!("mlv.{block}.{name}"), payload.i32(*at).map(|v| v.to_string()));
        }
    }
    out
}
