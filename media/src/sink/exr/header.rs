//! What a plate says about itself, and its form as OpenEXR attributes.
//!
//! Names and types are those of OpenEXR's `ImfStandardAttributes.h`; unknown
//! values are left out, never written as zero or as empty text.

use super::measure::measure;
use super::{NON_FINITE, PIXELS_HASH, PIXELS_MAX, PIXELS_MIN, Planes, RENDERED_HASH, standard};
use exr::math::Vec2;
use exr::meta::attribute::{
    self, AttributeValue, ChannelDescription, Chromaticities, IntegerBounds, LineOrder, SampleType,
    Text, TimeCode,
};
use exr::meta::header::{Header, LayerAttributes};
use exr::meta::{BlockDescription, MetaData, magic_number, sequence_end};
use platefarm_model::clip::ClipInfo;
use platefarm_model::color::Xy;
use platefarm_model::color::meaning::Meaning;
use platefarm_model::recipe::{Compression, OutputColor};
use platefarm_model::schema::Value;
use platefarm_model::{Code, Fault, FrameRate, Outcome, Timecode};
use std::collections::BTreeMap;

/// Name of the attribute with the name of the pixels' colour.
pub(crate) const COLOR: &str = "platefarm:color";
/// Name of the attribute that says so where they are not linear light.
pub(crate) const ENCODING: &str = "platefarm:encoding";

/// How the picture was made from the sensor's samples. AMF has no place for
/// these settings, so each frame carries them.
#[derive(Clone, Debug, PartialEq)]
pub struct DecodeRecord {
    /// Name of the debayer.
    pub debayer: String,
    /// Version of our form of it.
    pub debayer_version: u32,
    /// Gains on camera red, green, blue.
    pub white_balance: [f32; 3],
    /// What ran: `cpu`, or `gpu: ` and the adapter.
    pub backend: String,
    /// Name of the camera file.
    pub source_file: String,
    /// Index of the frame within the clip, from 0.
    pub source_frame: i64,
}

/// What is known about a plate besides its pixels.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct PlateHeader {
    /// Colour of the pixels.
    pub color: OutputColor,
    /// Size of the display window; the picture's own when absent.
    pub display_size: Option<[u32; 2]>,
    /// Top left of the picture (data window) in the display window.
    pub data_origin: [i32; 2],
    /// Width of a pixel over its height; square when absent.
    pub pixel_aspect: Option<f32>,
    /// Timecode of this frame.
    pub timecode: Option<Timecode>,
    /// Frames per second.
    pub rate: Option<FrameRate>,
    /// Reel.
    pub reel_name: Option<String>,
    /// Maker of the camera.
    pub camera_make: Option<String>,
    /// Model of the camera.
    pub camera_model: Option<String>,
    /// Letter or label of the camera.
    pub camera_label: Option<String>,
    /// Serial number of the camera.
    pub camera_serial_number: Option<String>,
    /// Number of the frame as delivered.
    pub image_counter: Option<i64>,
    /// Exposure index.
    pub iso_speed: Option<f32>,
    /// Exposure time, in seconds.
    pub exposure_time_s: Option<f32>,
    /// T-stop.
    pub t_stop: Option<f32>,
    /// Colour temperature of the camera's white, in kelvin.
    pub white_kelvin: Option<f32>,
    /// Where the whole picture lies in this one's pixels, when a part of it was cut off: first
    /// column, first row, last column, last row. They may lie outside.
    pub original_data_window: Option<[i32; 4]>,
    /// The ASC FDL of the plate, as JSON.
    pub fdl_json: Option<String>,
    /// Owner of the picture.
    pub owner: Option<String>,
    /// Comments.
    pub comments: Option<String>,
    /// Further standard attributes, by name: lens, shutter, capture rate and the like.
    pub standard: BTreeMap<String, Value>,
    /// How it was made.
    pub decode: Option<DecodeRecord>,
    /// Further attributes of ours: name behind `platefarm:`, and text.
    pub more: BTreeMap<String, String>,
}

impl PlateHeader {
    /// What a clip says about its frame `index`.
    #[must_use]
    pub fn of_clip(info: &ClipInfo, index: i64) -> Self {
        let camera = &info.camera;
        let single = |name: &str, value: Option<f64>| {
            value.filter(|_| standard::holds(info, name, index)).map(|v| v as f32)
        };
        Self {
            pixel_aspect: Some(info.picture.pixel_aspect as f32).filter(|aspect| *aspect > 0.0),
            timecode: info.timing.start.map(|start| start.plus(index)),
            rate: info.timing.rate,
            reel_name: info.identity.reel_name.clone(),
            camera_make: camera.make.clone(),
            camera_model: camera.model.clone(),
            camera_label: info.identity.camera_label.clone(),
            camera_serial_number: camera.serial_number.clone(),
            iso_speed: single("isoSpeed", camera.iso_speed),
            exposure_time_s: single("expTime", camera.exposure_time_s),
            t_stop: single("tStop", info.lens.t_stop),
            white_kelvin: single("cameraCCTSetting", camera.white_kelvin),
            standard: standard::of_clip(info, index),
            ..Self::default()
        }
    }

    /// The standard text attributes that the `exr` crate has no field for.
    pub(super) const fn texts(&mut self) -> [(&'static str, &mut Option<String>); 6] {
        [
            ("reelName", &mut self.reel_name),
            ("cameraMake", &mut self.camera_make),
            ("cameraModel", &mut self.camera_model),
            ("cameraLabel", &mut self.camera_label),
            ("cameraSerialNumber", &mut self.camera_serial_number),
            ("ascFramingDecisionList", &mut self.fdl_json),
        ]
    }
}

/// The bytes before the table of offsets: attributes in the order of their
/// names, which the crate leaves to a hash map.
///
/// # Errors
/// [`Code::Internal`] when a value does not fit its attribute.
pub(super) fn to_bytes(
    plate: &PlateHeader,
    planes: Planes<'_>,
    compression: Compression,
) -> Outcome<Vec<u8>> {
    let header = to_exr(plate, planes, compression)?;
    let fail = |e: exr::error::Error| {
        Fault::new(Code::Internal, "the plate cannot be expressed as OpenEXR").because(&e)
    };
    let requirements = MetaData::validate(std::slice::from_ref(&header), true).map_err(fail)?;
    let mut out = Vec::new();
    magic_number::write(&mut out).map_err(fail)?;
    requirements.write(&mut out).map_err(fail)?;
    let attributes: BTreeMap<_, _> = header.all_named_attributes().collect();
    for (name, value) in attributes {
        attribute::write(name, &value, &mut out).map_err(fail)?;
    }
    sequence_end::write(&mut out).map_err(fail)?;
    Ok(out)
}

/// The `exr` crate's header of a plate.
fn to_exr(plate: &PlateHeader, planes: Planes<'_>, compression: Compression) -> Outcome<Header> {
    let size = Vec2(planes.width as usize, planes.height as usize);
    let meaning = plate.color.meaning()?;
    let channel = |name: &str| ChannelDescription::named(name, SampleType::F16);
    let channels = planes.alpha.map(|_| "A").into_iter().chain(["B", "G", "R"]).map(channel);
    let mut header = Header::new(Text::default(), size, channels.collect()).with_encoding(
        exr_compression(compression),
        BlockDescription::ScanLines,
        LineOrder::Increasing,
    );
    let display = plate.display_size.map_or(size, |[w, h]| Vec2(w as usize, h as usize));
    let shared = &mut header.shared_attributes;
    shared.display_window = IntegerBounds { position: Vec2(0, 0), size: display };
    shared.pixel_aspect = plate.pixel_aspect.unwrap_or(1.0);
    shared.chromaticities = meaning.chromaticities.map(chromaticities);
    shared.time_code = plate.timecode.map(time_code);
    header.own_attributes = LayerAttributes {
        owner: present(&plate.owner),
        comments: present(&plate.comments),
        iso_speed: plate.iso_speed.filter(|v| v.is_finite()),
        exposure: plate.exposure_time_s.filter(|v| v.is_finite()),
        frames_per_second: plate.rate.map(rational).transpose()?,
        original_data_window: plate.original_data_window.map(bounds),
        adopted_neutral: neutral(&meaning),
        layer_position: Vec2(plate.data_origin[0], plate.data_origin[1]),
        other: custom(plate, &meaning, planes, compression)?
            .into_iter()
            .map(|(name, value)| (text(&name), value))
            .collect(),
        ..LayerAttributes::default()
    };
    standard::reserve(&plate.standard, &mut header.own_attributes);
    Ok(header)
}

/// The attributes that the crate has no field for.
fn custom(
    plate: &PlateHeader,
    meaning: &Meaning,
    planes: Planes<'_>,
    compression: Compression,
) -> Outcome<BTreeMap<String, AttributeValue>> {
    let mut out = BTreeMap::new();
    let mut put = |name: &str, value: AttributeValue| {
        out.insert(name.to_owned(), value);
    };
    for (name, value) in plate.clone().texts() {
        if let Some(value) = present(value) {
            put(name, AttributeValue::Text(value));
        }
    }
    for (name, value) in [("tStop", plate.t_stop), ("cameraCCTSetting", plate.white_kelvin)] {
        if let Some(value) = value.filter(|v| v.is_finite()) {
            put(name, AttributeValue::F32(value));
        }
    }
    for (name, value) in standard::to_attributes(&plate.standard) {
        put(name, value);
    }
    put(COLOR, AttributeValue::Text(text(plate.color.name())));
    if let Some(id) = meaning.interop_id {
        put("colorInteropID", AttributeValue::Text(text(id)));
    }
    if !meaning.linear || meaning.display {
        // OpenEXR takes all files for linear light: those that are not say so in words.
        put(ENCODING, AttributeValue::Text(text(encoding(meaning))));
    }
    if let Some(number) = plate.image_counter {
        put("imageCounter", AttributeValue::I32(int(number, "imageCounter")?));
    }
    for (name, value) in &plate.more {
        if !value.is_empty() {
            put(&format!("platefarm:{name}"), AttributeValue::Text(text(value)));
        }
    }
    put("platefarm:version", AttributeValue::Text(text(env!("CARGO_PKG_VERSION"))));
    if let Some(level) = compression.lossy_level() {
        // Beside OpenEXR's dwaCompressionLevel, which says so to those who know it.
        put("platefarm:lossyLevel", AttributeValue::F32(level));
    }
    let (measured, hash) = measure(planes.rgb, planes.alpha);
    let hashed = if compression.lossy_level().is_some() { RENDERED_HASH } else { PIXELS_HASH };
    put(hashed, AttributeValue::Text(text(&hash)));
    for (name, [r, g, b]) in [(PIXELS_MIN, measured.min), (PIXELS_MAX, measured.max)] {
        // A channel without a single number has no range; the count says why.
        if [r, g, b].iter().all(|v| v.is_finite()) {
            put(name, AttributeValue::FloatVec3((r, g, b)));
        }
    }
    let non_finite = i32::try_from(measured.non_finite).unwrap_or(i32::MAX);
    put(NON_FINITE, AttributeValue::I32(non_finite));
    if compression == Compression::None && plate.color.is_aces() {
        // Half RGB or RGBA in AP0, uncompressed rows in rising order, one part: all that
        // SMPTE ST 2065-4 asks for holds for every plate but the compression.
        put("acesImageContainerFlag", AttributeValue::I32(1));
    }
    if let Some(decode) = &plate.decode {
        let [r, g, b] = decode.white_balance;
        put("platefarm:debayer", AttributeValue::Text(text(&decode.debayer)));
        let version = int(i64::from(decode.debayer_version), "platefarm:debayerVersion")?;
        put("platefarm:debayerVersion", AttributeValue::I32(version));
        put("platefarm:whiteBalance", AttributeValue::FloatVec3((r, g, b)));
        put("platefarm:backend", AttributeValue::Text(text(&decode.backend)));
        put("platefarm:sourceFile", AttributeValue::Text(text(&decode.source_file)));
        let frame = int(decode.source_frame, "platefarm:sourceFrame")?;
        put("platefarm:sourceFrame", AttributeValue::I32(frame));
    }
    Ok(out)
}

/// Text that says something: OpenEXR forbids the empty string here.
fn present(value: &Option<String>) -> Option<Text> {
    value.as_deref().filter(|v| !v.is_empty()).map(text)
}

fn rational(rate: FrameRate) -> Outcome<(i32, u32)> {
    Ok((int(i64::from(rate.numerator()), "framesPerSecond")?, rate.denominator()))
}

fn bounds([left, top, right, bottom]: [i32; 4]) -> IntegerBounds {
    let side = |first: i32, last: i32| usize::try_from(i64::from(last) - i64::from(first) + 1);
    IntegerBounds {
        position: Vec2(left, top),
        size: Vec2(side(left, right).unwrap_or(0), side(top, bottom).unwrap_or(0)),
    }
}

/// What is neutral in linear light of the scene: equal red, green and blue, by the way that leads
/// to such pixels, and so the white of their primaries.
fn neutral(meaning: &Meaning) -> Option<Vec2<f32>> {
    let [.., [x, y]] = meaning.chromaticities.filter(|_| meaning.linear && !meaning.display)?;
    Some(Vec2(x as f32, y as f32))
}

fn int(value: i64, name: &str) -> Outcome<i32> {
    i32::try_from(value).map_err(|_| {
        Fault::new(Code::Internal, format!("{value} does not fit the attribute {name}"))
    })
}

/// Text as UTF-8, which OpenEXR 3 asks for; the crate itself takes bytes as they are.
pub(super) fn text(value: &str) -> Text {
    Text::from_slice_unchecked(value.as_bytes())
}

const fn exr_compression(compression: Compression) -> exr::compression::Compression {
    match compression {
        Compression::None => exr::compression::Compression::Uncompressed,
        Compression::Zips => exr::compression::Compression::ZIP1,
        Compression::Zip => exr::compression::Compression::ZIP16,
        Compression::Piz => exr::compression::Compression::PIZ,
        Compression::Dwaa => exr::compression::Compression::DWAA(compression.lossy_level()),
        Compression::Dwab => exr::compression::Compression::DWAB(compression.lossy_level()),
    }
}

/// What a file whose values are not linear light says of them.
const fn encoding(meaning: &Meaning) -> &'static str {
    if meaning.display && meaning.linear {
        "light of a display, not of the scene"
    } else if meaning.display {
        "codes of a display, not linear light"
    } else {
        "codes of scene light, not linear"
    }
}

fn chromaticities(xy: [Xy; 4]) -> Chromaticities {
    let [red, green, blue, white] = xy.map(|[x, y]| Vec2(x as f32, y as f32));
    Chromaticities { red, green, blue, white }
}

/// SMPTE 12M as OpenEXR packs it. Its frame field ends at 29: above 30 frames
/// per second it counts pairs, and the field mark tells the second of a pair (ST 12-1, 12.2).
fn time_code(timecode: Timecode) -> TimeCode {
    let [hours, minutes, seconds, frame] = timecode.fields().map(|v| v as u8);
    let pairs = timecode.rate.timebase() > 30;
    TimeCode {
        hours,
        minutes,
        seconds,
        frame: if pairs { frame / 2 } else { frame },
        drop_frame: timecode.drop_frame,
        field_phase: pairs && frame % 2 == 1,
        ..TimeCode::default()
    }
}

/// A timecode from its attribute; it counts in the rate of the file.
pub(crate) fn from_time_code(code: TimeCode, rate: FrameRate) -> Option<Timecode> {
    let pairs = rate.timebase() > 30;
    let frame = if pairs {
        u32::from(code.frame) * 2 + u32::from(code.field_phase)
    } else {
        code.frame.into()
    };
    let [h, m, s] = [code.hours, code.minutes, code.seconds].map(u32::from);
    Timecode::from_fields(h, m, s, frame, rate, code.drop_frame).ok()
}
