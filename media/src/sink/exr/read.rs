//! Plates back from disk, for verification, contact sheets and proxies.

use super::header::{COLOR, ENCODING, from_time_code};
use super::{DecodeRecord, PIXELS_HASH, PlateHeader, RENDERED_HASH, pixels_xxh128};
use crate::exr_block::{broken, check_size, contained, unpack};
use crate::source::read_fault;
use exr::block::UncompressedBlock;
use exr::block::reader::ChunksReader;
use exr::math::Vec2;
use exr::meta::attribute::{AttributeValue, IntegerBounds, SampleType};
use exr::meta::header::Header;
use platefarm_model::recipe::{Compression, OutputColor};
use platefarm_model::{Code, Fault, FrameRate, Outcome, limits};
use rayon::prelude::*;
use std::collections::BTreeMap;
use std::io::Cursor;
use std::path::Path;

/// A plate from disk.
#[derive(Clone, Debug, PartialEq)]
pub struct Plate {
    /// Columns.
    pub width: u32,
    /// Rows.
    pub height: u32,
    /// Red, green, blue: half bits, row-major.
    pub rgb: [Vec<u16>; 3],
    /// Coverage, where the file has it.
    pub alpha: Option<Vec<u16>>,
    /// What its header says.
    pub header: PlateHeader,
    /// Its compression.
    pub compression: Compression,
    /// The hash of the pixels in the header; the pixels were found to have it. Absent in files of
    /// others, and where the compression is lossy.
    pub pixels_xxh128: Option<String>,
}

/// Reads a plate of half R, G, B and perhaps A scan lines and checks its pixels against the hash in its header.
///
/// # Errors
/// [`Code::FileNotFound`], [`Code::FileUnreadable`]; [`Code::BadStructure`] when it is damaged;
/// [`Code::UnsupportedFeature`] when it is OpenEXR of another kind; [`Code::TooLarge`];
/// [`Code::HashMismatch`] when the pixels are not what the header says.
pub fn read(path: &Path) -> Outcome<Plate> {
    let bytes = crate::storage::read(path).map_err(|e| read_fault(path, &e))?;
    parse(&bytes).map_err(|f| f.within(path.display()))
}

fn parse(bytes: &[u8]) -> Outcome<Plate> {
    // A damaged header may stop the crate too.
    contained(|| parse_contained(bytes))
}

fn parse_contained(bytes: &[u8]) -> Outcome<Plate> {
    let broken = |e: exr::error::Error| broken(&e);
    let reader = exr::block::read(Cursor::new(bytes), false).map_err(broken)?;
    let [header] = reader.headers() else {
        return Err(Fault::new(Code::UnsupportedFeature, "OpenEXR of several parts is not read"));
    };
    let header = header.clone();
    check(&header)?;
    check_size(&header, bytes.len() as u64)?;
    let (width, height) = (header.layer_size.width(), header.layer_size.height());

    let chunks = reader.all_chunks(false).map_err(broken)?;
    let meta = chunks.meta_data().clone();
    let chunks: Vec<_> = chunks.collect::<Result<_, _>>().map_err(broken)?;
    let blocks: Vec<UncompressedBlock> =
        chunks.into_par_iter().map(|chunk| unpack(chunk, &meta)).collect::<Result<_, _>>()?;
    // In the order of the file: A where it is, B, G, R.
    let mut planes = vec![vec![0u16; width * height]; header.channels.list.len()];
    for block in &blocks {
        let first = block.index.pixel_position.y();
        let row_bytes = width * 2 * planes.len();
        for (y, row) in block.data.chunks_exact(row_bytes).enumerate() {
            for (plane, values) in planes.iter_mut().zip(row.chunks_exact(width * 2)) {
                let to = &mut plane[(first + y) * width..][..width];
                for (to, pair) in to.iter_mut().zip(values.chunks_exact(2)) {
                    *to = u16::from_ne_bytes([pair[0], pair[1]]);
                }
            }
        }
    }
    let rgb = [(); 3].map(|()| planes.pop().unwrap_or_default());
    let alpha = planes.pop();
    let (plate, claimed) = from_exr(&header);
    if let Some(claimed) = &claimed {
        let found = pixels_xxh128([&rgb[0], &rgb[1], &rgb[2]], alpha.as_deref());
        if found != *claimed {
            return Err(Fault::new(
                Code::HashMismatch,
                format!("the pixels hash to {found}, the header says {claimed}"),
            ));
        }
    }
    Ok(Plate {
        width: width as u32,
        height: height as u32,
        rgb,
        alpha,
        header: plate,
        compression: compression(&header)?,
        pixels_xxh128: claimed,
    })
}

fn check(header: &Header) -> Outcome<()> {
    let other = |what: &str| Err(Fault::new(Code::UnsupportedFeature, what));
    let channels: Vec<String> = header.channels.list.iter().map(|c| c.name.to_string()).collect();
    let half = header
        .channels
        .list
        .iter()
        .all(|c| c.sample_type == SampleType::F16 && c.sampling == Vec2(1, 1));
    let names: Vec<&str> = channels.iter().map(String::as_str).collect();
    if !matches!(names[..], ["B", "G", "R"] | ["A", "B", "G", "R"]) || !half {
        return other(&format!("channels {} are not half R, G, B", names.join(", ")));
    }
    if header.deep || header.blocks != exr::meta::BlockDescription::ScanLines {
        return other("tiled and deep OpenEXR are not read");
    }
    let (width, height) = (header.layer_size.width() as u64, header.layer_size.height() as u64);
    let side = u64::from(limits::MAX_PICTURE_SIDE_PX);
    if width > side || height > side || width * height > limits::MAX_PICTURE_PIXELS {
        return Err(Fault::new(Code::TooLarge, format!("a picture of {width}x{height} pixels")));
    }
    compression(header).map(|_| ())
}

fn compression(header: &Header) -> Outcome<Compression> {
    use exr::compression::Compression as Exr;
    Ok(match header.compression {
        Exr::Uncompressed => Compression::None,
        Exr::ZIP1 => Compression::Zips,
        Exr::ZIP16 => Compression::Zip,
        Exr::PIZ => Compression::Piz,
        Exr::DWAA(_) => Compression::Dwaa,
        Exr::DWAB(_) => Compression::Dwab,
        other => {
            return Err(Fault::new(Code::UnsupportedFeature, format!("{other} is not read")));
        }
    })
}

/// Our header and the pixels' hash from the crate's header.
fn from_exr(header: &Header) -> (PlateHeader, Option<String>) {
    let attributes: BTreeMap<String, AttributeValue> = header
        .all_named_attributes()
        .map(|(name, value)| (String::from_utf8_lossy(name).into_owned(), value))
        .collect();
    let text = |name: &str| match attributes.get(name) {
        Some(AttributeValue::Text(text)) => {
            Some(String::from_utf8_lossy(text.as_slice()).into_owned())
        }
        _ => None,
    };
    let integer = |name: &str| match attributes.get(name) {
        Some(AttributeValue::I32(value)) => Some(i64::from(*value)),
        _ => None,
    };
    let mut plate = PlateHeader::default();
    if let Some(name) = text(COLOR) {
        plate.color = OutputColor::recorded(&name);
    }
    for (name, value) in plate.texts() {
        *value = text(name);
    }
    let number = |name: &str| match attributes.get(name) {
        Some(AttributeValue::F32(value)) => Some(*value),
        _ => None,
    };
    (plate.owner, plate.comments) = (text("owner"), text("comments"));
    (plate.iso_speed, plate.exposure_time_s) = (number("isoSpeed"), number("expTime"));
    (plate.t_stop, plate.white_kelvin) = (number("tStop"), number("cameraCCTSetting"));
    let display = header.shared_attributes.display_window.size;
    let origin = header.own_attributes.layer_position;
    plate.data_origin = [origin.x(), origin.y()];
    plate.display_size =
        (display != header.layer_size).then(|| [display.width() as u32, display.height() as u32]);
    plate.pixel_aspect = Some(header.shared_attributes.pixel_aspect);
    if let Some(AttributeValue::Rational((n, d))) = attributes.get("framesPerSecond") {
        plate.rate = u32::try_from(*n).ok().and_then(|n| FrameRate::new(n, *d).ok());
    }
    plate.timecode = header
        .shared_attributes
        .time_code
        .and_then(|code| from_time_code(code, plate.rate.unwrap_or(FrameRate::FPS_24)));
    plate.image_counter = integer("imageCounter");
    if let Some(AttributeValue::IntegerBounds(bounds)) = attributes.get("originalDataWindow") {
        plate.original_data_window = window(bounds);
    }
    plate.standard = super::standard::from_attributes(&attributes);
    plate.decode = decode_record(&attributes, &text, &integer);
    let known = [
        "version",
        "debayer",
        "backend",
        "sourceFile",
        COLOR.trim_start_matches("platefarm:"),
        ENCODING.trim_start_matches("platefarm:"),
        PIXELS_HASH.trim_start_matches("platefarm:"),
        RENDERED_HASH.trim_start_matches("platefarm:"),
    ];
    for name in attributes.keys() {
        if let (Some(own), Some(value)) = (name.strip_prefix("platefarm:"), text(name))
            && !known.contains(&own)
        {
            plate.more.insert(own.to_owned(), value);
        }
    }
    (plate, text(PIXELS_HASH))
}

fn decode_record(
    attributes: &BTreeMap<String, AttributeValue>,
    text: &dyn Fn(&str) -> Option<String>,
    integer: &dyn Fn(&str) -> Option<i64>,
) -> Option<DecodeRecord> {
    let Some(AttributeValue::FloatVec3((r, g, b))) = attributes.get("platefarm:whiteBalance")
    else {
        return None;
    };
    Some(DecodeRecord {
        debayer: text("platefarm:debayer")?,
        debayer_version: u32::try_from(integer("platefarm:debayerVersion")?).ok()?,
        white_balance: [*r, *g, *b],
        backend: text("platefarm:backend")?,
        source_file: text("platefarm:sourceFile")?,
        source_frame: integer("platefarm:sourceFrame")?,
    })
}

/// First column, first row, last column, last row.
fn window(bounds: &IntegerBounds) -> Option<[i32; 4]> {
    let last = |first: i32, side: usize| {
        i32::try_from(i64::from(first) + i64::try_from(side).ok()? - 1).ok()
    };
    let (Vec2(left, top), Vec2(width, height)) = (bounds.position, bounds.size);
    Some([left, top, last(left, width)?, last(top, height)?])
}
