//! What a delivered OpenEXR file is, whoever wrote it: everything that a
//! receiver can hold against an order, and nothing interpreted. Apart from the
//! readers of sources, which refuse what they cannot render, and from the
//! reader of our own plates: here a wrong file must be describable.

use crate::exr_block::{broken, check_size, contained, unpack};
use crate::sink::exr::{Measured, NON_FINITE, PIXELS_MAX, PIXELS_MIN, from_time_code};
use crate::source::{Sequence, open_with, read_fault};
use crate::{hash, storage};
use exr::math::Vec2;
use exr::meta::attribute::{AttributeValue, SampleType};
use exr::meta::header::Header;
use exr::meta::{BlockDescription, MetaData};
use platefarm_model::{Code, Fault, FrameRate, Outcome, Timecode, limits};
use std::collections::BTreeMap;
use std::io::Cursor;
use std::path::Path;
use twox_hash::XxHash3_128;

/// A delivered file.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Delivered {
    /// Size of the data window.
    pub size: [u32; 2],
    /// Top left of the data window.
    pub data_origin: [i32; 2],
    /// Size of the display window.
    pub display_size: [u32; 2],
    /// Width of a pixel over its height.
    pub pixel_aspect: f32,
    /// Parts of the file; what follows is of the first.
    pub parts: usize,
    /// Whether it is tiled.
    pub tiled: bool,
    /// Channels in their order, with the type of their samples: `half`, `float`, `uint`.
    pub channels: Vec<(String, &'static str)>,
    /// Compression, as OpenEXR's own tools write it.
    pub compression: &'static str,
    /// Primaries and white, x and y of red, green, blue, white.
    pub chromaticities: Option<[f32; 8]>,
    /// Frames per second, where the file says it as a ratio.
    pub rate: Option<FrameRate>,
    /// Timecode.
    pub timecode: Option<Timecode>,
    /// Attributes of text, whole.
    pub texts: BTreeMap<String, String>,
    /// Attributes of whole numbers.
    pub integers: BTreeMap<String, i64>,
    /// All other attributes as text, by which two files can be compared.
    pub others: BTreeMap<String, String>,
    /// Size of the file.
    pub bytes: u64,
    /// XXH128 of the file; empty when only its header was read.
    pub xxh128: String,
    /// What its header says of its pixels, where it is one of ours that does.
    pub claimed: Option<Measured>,
    /// What its pixels are; absent when only its header was read.
    pub pixels: Option<Pixels>,
}

impl Delivered {
    /// What its pixels come to: as they were read, else as its header says.
    #[must_use]
    pub fn measured(&self) -> Option<Measured> {
        self.pixels.as_ref().map_or(self.claimed, |pixels| Some(pixels.measured))
    }
}

/// The pixels of red, green and blue, or of the first three channels where there are no such.
#[derive(Clone, Debug, PartialEq)]
pub struct Pixels {
    /// Their range.
    pub measured: Measured,
    /// XXH128 of the planes, as `platefarm:pixelsXXH128` counts it for half R, G, B.
    pub xxh128: String,
}

/// Reads a file; with `deep`, its pixels too.
///
/// # Errors
/// [`Code::FileUnreadable`] and its like; [`Code::BadStructure`],
/// [`Code::TruncatedFile`] when it is damaged; [`Code::UnsupportedFeature`]
/// when its pixels are of a kind that is not read.
pub fn read(path: &Path, deep: bool) -> Outcome<Delivered> {
    let within = |fault: Fault| fault.within(path.display());
    if deep {
        let bytes = storage::read(path).map_err(|e| read_fault(path, &e))?;
        let mut file = contained(|| parse(&bytes)).map_err(within)?;
        file.pixels = Some(contained(|| pixels(&bytes)).map_err(within)?);
        (file.bytes, file.xxh128) = (bytes.len() as u64, hash::xxh128(&bytes));
        return Ok(file);
    }
    let fault = |e| read_fault(path, &e);
    let file = storage::File::open(path).map_err(fault)?;
    let size = file.metadata().map_err(fault)?.len();
    let mut reader = std::io::BufReader::new(file);
    let meta =
        contained(|| MetaData::read_from_buffered(&mut reader, false).map_err(|e| broken(&e)));
    let mut file = contained(|| describe(&meta?)).map_err(within)?;
    file.bytes = size;
    Ok(file)
}

/// A delivered movie.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Movie {
    /// Size of its pictures.
    pub size: [u32; 2],
    /// Pictures per second, where it says so.
    pub rate: Option<FrameRate>,
    /// How many pictures there are.
    pub frames: u64,
}

/// Probes a movie; no picture of it is decoded.
///
/// # Errors
/// [`Code::NoDecoder`] without FFmpeg; [`Code::TruncatedFile`] for one that broke off;
/// [`Code::DecoderFailed`] and its like.
pub fn movie(path: &Path) -> Outcome<Movie> {
    let clip = open_with(Sequence::single(path))?;
    let info = clip.info();
    // One that broke off may still say how long it was.
    match info.notes.iter().find(|note| note.code == Code::TruncatedFile) {
        Some(cut) => Err(cut.clone().within(path.display())),
        None => Ok(Movie {
            size: [info.picture.width, info.picture.height],
            rate: info.timing.rate,
            frames: info.timing.frame_count,
        }),
    }
}

fn parse(bytes: &[u8]) -> Outcome<Delivered> {
    describe(&MetaData::read_from_buffered(Cursor::new(bytes), false).map_err(|e| broken(&e))?)
}

fn describe(meta: &MetaData) -> Outcome<Delivered> {
    let part = meta
        .headers
        .first()
        .ok_or_else(|| Fault::new(Code::BadStructure, "the OpenEXR file has no part"))?;
    let side = |v: usize| u32::try_from(v).unwrap_or(u32::MAX);
    let display = part.shared_attributes.display_window.size;
    let origin = part.own_attributes.layer_position;
    let mut file = Delivered {
        size: [side(part.layer_size.width()), side(part.layer_size.height())],
        data_origin: [origin.x(), origin.y()],
        display_size: [side(display.width()), side(display.height())],
        pixel_aspect: part.shared_attributes.pixel_aspect,
        parts: meta.headers.len(),
        tiled: !matches!(part.blocks, BlockDescription::ScanLines),
        channels: part
            .channels
            .list
            .iter()
            .map(|c| (c.name.to_string(), sample_name(c.sample_type)))
            .collect(),
        compression: compression(part),
        ..Delivered::default()
    };
    file.chromaticities = part.shared_attributes.chromaticities.map(|c| {
        [c.red.0, c.red.1, c.green.0, c.green.1, c.blue.0, c.blue.1, c.white.0, c.white.1]
    });
    let (mut min, mut max) = (None, None);
    for (name, value) in part.all_named_attributes() {
        let name = String::from_utf8_lossy(name).into_owned();
        match value {
            AttributeValue::Text(text) => {
                file.texts.insert(name, String::from_utf8_lossy(text.as_slice()).into_owned());
            }
            AttributeValue::I32(value) => {
                file.integers.insert(name, i64::from(value));
            }
            AttributeValue::Rational((n, d)) if name == "framesPerSecond" => {
                file.rate = u32::try_from(n).ok().and_then(|n| FrameRate::new(n, d).ok());
            }
            AttributeValue::FloatVec3((r, g, b)) if name == PIXELS_MIN => min = Some([r, g, b]),
            AttributeValue::FloatVec3((r, g, b)) if name == PIXELS_MAX => max = Some([r, g, b]),
            AttributeValue::FloatVec3((x, y, z)) => {
                file.others.insert(name, format!("{x} {y} {z}"));
            }
            other => {
                file.others.insert(name, format!("{other:?}"));
            }
        }
    }
    let non_finite = file.integers.get(NON_FINITE).and_then(|count| u64::try_from(*count).ok());
    file.claimed = non_finite.map(|non_finite| Measured {
        min: min.unwrap_or([f32::INFINITY; 3]),
        max: max.unwrap_or([f32::NEG_INFINITY; 3]),
        non_finite,
    });
    let rate = file.rate.unwrap_or(FrameRate::FPS_24);
    file.timecode = part.shared_attributes.time_code.and_then(|code| from_time_code(code, rate));
    Ok(file)
}

const fn sample_name(kind: SampleType) -> &'static str {
    match kind {
        SampleType::F16 => "half",
        SampleType::F32 => "float",
        SampleType::U32 => "uint",
    }
}

const fn compression(part: &Header) -> &'static str {
    use exr::compression::Compression as Exr;
    match part.compression {
        Exr::Uncompressed => "none",
        Exr::RLE => "rle",
        Exr::ZIP1 => "zips",
        Exr::ZIP16 => "zip",
        Exr::PIZ => "piz",
        Exr::PXR24 => "pxr24",
        Exr::B44 => "b44",
        Exr::B44A => "b44a",
        Exr::DWAA(_) => "dwaa",
        Exr::DWAB(_) => "dwab",
        _ => "unknown",
    }
}

/// A channel's samples as they are stored, and their type.
struct Plane {
    name: String,
    kind: SampleType,
    bytes: Vec<u8>,
}

fn pixels(bytes: &[u8]) -> Outcome<Pixels> {
    let reader = exr::block::read(Cursor::new(bytes), false).map_err(|e| broken(&e))?;
    let part = reader
        .headers()
        .first()
        .ok_or_else(|| Fault::new(Code::BadStructure, "the OpenEXR file has no part"))?
        .clone();
    check_size(&part, bytes.len() as u64)?;
    let (width, height) = (part.layer_size.width(), part.layer_size.height());
    let side = limits::MAX_PICTURE_SIDE_PX as usize;
    let subsampled = part.channels.list.iter().any(|c| c.sampling != Vec2(1, 1));
    if part.deep || subsampled {
        return Err(Fault::new(Code::UnsupportedFeature, "deep or subsampled pixels are not read"));
    }
    if width > side || height > side || (width * height) as u64 > limits::MAX_PICTURE_PIXELS {
        return Err(Fault::new(Code::TooLarge, format!("a picture of {width}x{height} pixels")));
    }
    let mut planes: Vec<Plane> = part
        .channels
        .list
        .iter()
        .map(|c| Plane {
            name: c.name.to_string(),
            kind: c.sample_type,
            bytes: vec![0; width * height * c.sample_type.bytes_per_sample()],
        })
        .collect();
    fill(reader, width, &mut planes)?;
    Ok(measure(planes))
}

/// Unpacks the blocks of the first part into planes.
fn fill<R: std::io::Read + std::io::Seek>(
    reader: exr::block::reader::Reader<R>,
    width: usize,
    planes: &mut [Plane],
) -> Outcome<()> {
    use exr::block::reader::ChunksReader as _;
    let chunks = reader.all_chunks(false).map_err(|e| broken(&e))?;
    let meta = chunks.meta_data().clone();
    for chunk in chunks {
        let chunk = chunk.map_err(|e| broken(&e))?;
        if chunk.layer_index != 0 {
            continue;
        }
        let block = unpack(chunk, &meta)?;
        if block.index.level != Vec2(0, 0) {
            continue;
        }
        let Vec2(x, y) = block.index.pixel_position;
        let Vec2(columns, rows) = block.index.pixel_size;
        let mut data = block.data.as_slice();
        for row in y..y + rows {
            for plane in planes.iter_mut() {
                let size = plane.kind.bytes_per_sample();
                let (values, rest) = data.split_at_checked(columns * size).ok_or_else(|| {
                    Fault::new(Code::BadStructure, "a block is shorter than its rows")
                })?;
                let at = (row * width + x) * size;
                let to = plane.bytes.get_mut(at..at + values.len()).ok_or_else(|| {
                    Fault::new(Code::BadStructure, "a block lies beside the picture")
                })?;
                to.copy_from_slice(values);
                data = rest;
            }
        }
    }
    Ok(())
}

fn measure(mut planes: Vec<Plane>) -> Pixels {
    let named = |planes: &[Plane], name: &str| planes.iter().position(|p| p.name == name);
    let order: Vec<usize> = match ["R", "G", "B"].map(|c| named(&planes, c)) {
        [Some(r), Some(g), Some(b)] => {
            [Some(r), Some(g), Some(b), named(&planes, "A")].into_iter().flatten().collect()
        }
        _ => (0..planes.len()).collect(),
    };
    let mut measured =
        Measured { min: [f32::INFINITY; 3], max: [f32::NEG_INFINITY; 3], non_finite: 0 };
    let mut hasher = XxHash3_128::new();
    for (place, i) in order.into_iter().enumerate() {
        let plane = &mut planes[i];
        let size = plane.kind.bytes_per_sample();
        for value in plane.bytes.chunks_exact_mut(size) {
            let number = match value {
                [a, b] => half::f16::from_ne_bytes([*a, *b]).to_f32(),
                [a, b, c, d] if plane.kind == SampleType::F32 => {
                    f32::from_ne_bytes([*a, *b, *c, *d])
                }
                [a, b, c, d] => u32::from_ne_bytes([*a, *b, *c, *d]) as f32,
                _ => 0.0,
            };
            if !number.is_finite() {
                measured.non_finite += 1;
            } else if place < 3 {
                measured.min[place] = measured.min[place].min(number);
                measured.max[place] = measured.max[place].max(number);
            }
            if cfg!(target_endian = "big") {
                value.reverse();
            }
        }
        hasher.write(&plane.bytes);
    }
    // Of a picture of fewer channels the last stands for those that are not there.
    for place in planes.len().clamp(1, 3)..3 {
        measured.min[place] = measured.min[place - 1];
        measured.max[place] = measured.max[place - 1];
    }
    Pixels { measured, xxh128: format!("{:032x}", hasher.finish_128()) }
}
