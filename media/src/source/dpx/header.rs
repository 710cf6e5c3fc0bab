//! The header of a DPX file (SMPTE ST 268): fixed places, in the byte order
//! that the magic number shows. A value that was never set is all ones.

use platefarm_model::{Code, Fault, FrameRate, Outcome, Timecode, limits};
use std::collections::BTreeMap;

/// Bytes of the file, picture, orientation, film and television headers.
pub(super) const HEADER_BYTES: usize = 2048;
/// Bytes of the file and picture headers, which every file has.
const GENERIC_BYTES: usize = 1664;

/// What a file says before its pixels.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::source) struct Header {
    pub(super) big_endian: bool,
    /// `V1.0` or `V2.0`.
    pub(super) version: String,
    pub(super) width: u32,
    pub(super) height: u32,
    /// Rows from the bottom up.
    pub(super) flip_rows: bool,
    /// Columns from the right.
    pub(super) flip_columns: bool,
    pub(super) order: Order,
    pub(super) transfer: u8,
    pub(super) colorimetric: u8,
    pub(super) bits: u32,
    pub(super) packing: Packing,
    /// Where the pixels begin.
    pub(super) offset: u64,
    /// Bytes between rows, beyond the alignment.
    pub(super) row_padding: u32,
    /// Reference codes of black and white, where set.
    pub(super) low_high: [Option<u32>; 2],
    pub(super) pixel_aspect: Option<f64>,
    pub(super) rate: Option<FrameRate>,
    pub(super) shutter_angle: Option<f64>,
    pub(super) input_device: Option<String>,
    pub(super) input_serial: Option<String>,
    /// Every field that was set, as text.
    pub(super) fields: BTreeMap<String, String>,
    timecode: Option<u32>,
}

/// Which samples a pixel has, in their order (ST 268, descriptors).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Order {
    Luma,
    Rgb,
    Rgba,
    Abgr,
}

impl Order {
    /// Samples of a pixel.
    pub(super) const fn count(self) -> usize {
        match self {
            Self::Luma => 1,
            Self::Rgb => 3,
            Self::Rgba | Self::Abgr => 4,
        }
    }

    /// Places of red, green and blue among them.
    pub(super) const fn rgb(self) -> [usize; 3] {
        match self {
            Self::Luma => [0; 3],
            Self::Rgb | Self::Rgba => [0, 1, 2],
            Self::Abgr => [3, 2, 1],
        }
    }

    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Luma => "luma",
            Self::Rgb => "RGB",
            Self::Rgba => "RGBA",
            Self::Abgr => "ABGR",
        }
    }
}

/// How samples of 10 and 12 bits lie in words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Packing {
    /// One behind the other, without a gap.
    Packed,
    /// In words of their own, unused bits last.
    FilledA,
    /// In words of their own, unused bits first.
    FilledB,
}

/// Reads from fixed places in one byte order.
struct Fields<'a> {
    bytes: &'a [u8],
    big_endian: bool,
}

impl Fields<'_> {
    fn u32(&self, at: usize) -> Option<u32> {
        let bytes = self.bytes.get(at..at + 4)?.try_into().ok()?;
        let value =
            if self.big_endian { u32::from_be_bytes(bytes) } else { u32::from_le_bytes(bytes) };
        (value != u32::MAX).then_some(value)
    }

    fn u16(&self, at: usize) -> Option<u16> {
        let bytes = self.bytes.get(at..at + 2)?.try_into().ok()?;
        let value =
            if self.big_endian { u16::from_be_bytes(bytes) } else { u16::from_le_bytes(bytes) };
        (value != u16::MAX).then_some(value)
    }

    /// A number above zero.
    fn positive(&self, at: usize) -> Option<f64> {
        let value = f32::from_bits(self.u32(at)?);
        (value.is_finite() && value > 0.0).then(|| f64::from(value))
    }

    fn text(&self, at: usize, length: usize) -> Option<String> {
        let bytes = self.bytes.get(at..at + length)?;
        let end = bytes.iter().position(|b| matches!(b, 0 | 0xff)).unwrap_or(length);
        let text = String::from_utf8_lossy(&bytes[..end]).trim().to_owned();
        (!text.is_empty()).then_some(text)
    }
}

impl Header {
    /// Reads the header at the beginning of `bytes`.
    ///
    /// # Errors
    /// [`Code::TruncatedFile`], [`Code::BadStructure`], [`Code::TooLarge`], and
    /// [`Code::UnsupportedFeature`] for what is not read, by name.
    pub(super) fn parse(bytes: &[u8]) -> Outcome<Self> {
        let big_endian = match bytes.get(..4) {
            Some(b"SDPX") => true,
            Some(b"XPDS") => false,
            _ => return Err(Fault::new(Code::BadStructure, "no DPX magic number").at("offset 0")),
        };
        if bytes.len() < GENERIC_BYTES {
            return Err(Fault::new(
                Code::TruncatedFile,
                format!("{} bytes, a DPX header has at least {GENERIC_BYTES}", bytes.len()),
            ));
        }
        let fields = Fields { bytes, big_endian };
        let offset = u64::from(fields.u32(4).unwrap_or(HEADER_BYTES as u32));
        let (width, height) = size(&fields)?;
        let (flip_rows, flip_columns) = orientation(&fields)?;
        let element = Element::read(&fields)?;
        // Film and television headers are absent where the pixels begin before their end.
        let known = bytes.len().min(usize::try_from(offset).unwrap_or(usize::MAX));
        let fields = Fields { bytes: &bytes[..known.max(GENERIC_BYTES)], big_endian };
        let aspect = fields.u32(1628).zip(fields.u32(1632));
        let pixel_aspect =
            aspect.filter(|(x, y)| *x > 0 && *y > 0).map(|(x, y)| f64::from(x) / f64::from(y));
        // Shortest decimals of a float tell the NTSC rates; the television header goes with the timecode.
        let rate_at = |at: usize| (fields.positive(at)? as f32).to_string().parse().ok();
        let rate = rate_at(1940).or_else(|| rate_at(1724));
        Ok(Self {
            big_endian,
            version: fields.text(8, 8).unwrap_or_default(),
            width,
            height,
            flip_rows,
            flip_columns,
            order: element.order,
            transfer: element.transfer,
            colorimetric: element.colorimetric,
            bits: element.bits,
            packing: element.packing,
            offset: element.offset.map_or(offset, u64::from),
            row_padding: element.row_padding,
            low_high: element.low_high,
            pixel_aspect,
            rate,
            shutter_angle: fields.positive(1728),
            input_device: fields.text(1556, 32),
            input_serial: fields.text(1588, 32),
            fields: shown(&fields),
            timecode: fields.u32(1920),
        })
    }

    /// The timecode, eight binary-coded digits (ST 12). Up to 30 frames a second the two bits above
    /// the tens of frames are flags, the lower of them drop frame.
    pub(super) fn timecode(&self, rate: FrameRate) -> Option<Timecode> {
        let [hours, minutes, seconds, frames] = self.timecode?.to_be_bytes();
        let slow = rate.timebase() <= 30;
        let drop_frame = slow && frames & 0x40 != 0;
        let frames = if slow { frames & 0x3f } else { frames };
        let digits = |byte: u8| {
            let (tens, ones) = (byte >> 4, byte & 15);
            (tens < 10 && ones < 10).then(|| u32::from(tens) * 10 + u32::from(ones))
        };
        Timecode::from_fields(
            digits(hours)?,
            digits(minutes)?,
            digits(seconds)?,
            digits(frames)?,
            rate,
            drop_frame,
        )
        .ok()
    }
}

fn size(fields: &Fields<'_>) -> Outcome<(u32, u32)> {
    let (width, height) = (fields.u32(772).unwrap_or(0), fields.u32(776).unwrap_or(0));
    if width == 0 || height == 0 {
        return Err(Fault::new(
            Code::BadStructure,
            format!("a picture of {width}x{height} pixels"),
        )
        .at("offset 772"));
    }
    let side = limits::MAX_PICTURE_SIDE_PX;
    if width > side
        || height > side
        || u64::from(width) * u64::from(height) > limits::MAX_PICTURE_PIXELS
    {
        return Err(Fault::new(Code::TooLarge, format!("a picture of {width}x{height} pixels"))
            .at("offset 772"));
    }
    Ok((width, height))
}

/// Whether rows run from the bottom, and columns from the right.
fn orientation(fields: &Fields<'_>) -> Outcome<(bool, bool)> {
    match fields.u16(768).unwrap_or(0) {
        0 => Ok((false, false)),
        1 => Ok((false, true)),
        2 => Ok((true, false)),
        3 => Ok((true, true)),
        other => Err(Fault::new(
            Code::UnsupportedFeature,
            format!("orientation {other}: pictures on their side are not read"),
        )
        .at("offset 768")),
    }
}

/// The one image element that is the picture.
struct Element {
    order: Order,
    transfer: u8,
    colorimetric: u8,
    bits: u32,
    packing: Packing,
    offset: Option<u32>,
    row_padding: u32,
    low_high: [Option<u32>; 2],
}

impl Element {
    fn read(fields: &Fields<'_>) -> Outcome<Self> {
        let refuse = |what: String, at: usize| {
            Err(Fault::new(Code::UnsupportedFeature, what).at(format!("offset {at}")))
        };
        let count = fields.u16(770).unwrap_or(1);
        if count > 1 {
            return refuse(
                format!("{count} image elements: only interleaved pixels are read"),
                770,
            );
        }
        if fields.u32(780).unwrap_or(0) != 0 {
            return refuse("signed samples are not read".into(), 780);
        }
        let byte = |at: usize| fields.bytes[at];
        let order = match byte(800) {
            6 => Order::Luma,
            50 => Order::Rgb,
            51 => Order::Rgba,
            52 => Order::Abgr,
            other => {
                let name = descriptor(other);
                return refuse(format!("descriptor {other} ({name}) is not read"), 800);
            }
        };
        let bits = u32::from(byte(803));
        if !matches!(bits, 8 | 10 | 12 | 16) {
            return refuse(format!("samples of {bits} bits are not read"), 803);
        }
        let packing = match fields.u16(804).unwrap_or(0) {
            0 => Packing::Packed,
            1 => Packing::FilledA,
            2 => Packing::FilledB,
            other => return refuse(format!("packing {other} is not known"), 804),
        };
        if fields.u16(806).unwrap_or(0) != 0 {
            return refuse("run-length encoded pixels are not read".into(), 806);
        }
        Ok(Self {
            order,
            transfer: byte(801),
            colorimetric: byte(802),
            bits,
            packing,
            offset: fields.u32(808).filter(|offset| *offset != 0),
            row_padding: fields.u32(812).unwrap_or(0),
            low_high: [fields.u32(784), fields.u32(792)],
        })
    }
}

const fn descriptor(number: u8) -> &'static str {
    match number {
        0 => "user-defined",
        1..=4 => "a single colour",
        7 => "colour difference",
        8 => "depth",
        9 => "composite video",
        100..=103 => "YCbCr",
        _ => "unknown",
    }
}

/// Every field of text and the numbers that people ask for, by their names in ST 268.
fn shown(fields: &Fields<'_>) -> BTreeMap<String, String> {
    const TEXTS: &[(&str, usize, usize)] = &[
        ("version", 8, 8),
        ("filename", 36, 100),
        ("creationTime", 136, 24),
        ("creator", 160, 100),
        ("project", 260, 200),
        ("copyright", 460, 200),
        ("elementDescription", 820, 32),
        ("sourceFilename", 1432, 100),
        ("sourceTime", 1532, 24),
        ("inputDevice", 1556, 32),
        ("inputDeviceSerial", 1588, 32),
        ("filmManufacturer", 1664, 2),
        ("filmType", 1666, 2),
        ("filmPerfOffset", 1668, 2),
        ("filmPrefix", 1670, 6),
        ("filmCount", 1676, 4),
        ("filmFormat", 1680, 32),
        ("frameId", 1732, 32),
        ("slate", 1764, 100),
    ];
    const WHOLE: &[(&str, usize)] = &[
        ("lowData", 784),
        ("highData", 792),
        ("framePosition", 1712),
        ("sequenceLength", 1716),
        ("heldCount", 1720),
        ("timeCode", 1920),
        ("userBits", 1924),
    ];
    const REAL: &[(&str, usize)] = &[
        ("lowQuantity", 788),
        ("highQuantity", 796),
        ("filmFrameRate", 1724),
        ("shutterAngle", 1728),
        ("televisionFrameRate", 1940),
        ("gamma", 1948),
        ("blackLevel", 1952),
        ("whiteLevel", 1964),
        ("integrationTime", 1968),
    ];
    let mut out = BTreeMap::new();
    for (name, at, length) in TEXTS {
        out.extend(fields.text(*at, *length).map(|text| (format!("dpx.{name}"), text)));
    }
    for (name, at) in WHOLE {
        let value = fields.u32(*at);
        let text = |v| if name.ends_with("Code") { format!("{v:08x}") } else { format!("{v}") };
        out.extend(value.map(|v| (format!("dpx.{name}"), text(v))));
    }
    for (name, at) in REAL {
        let value = fields.positive(*at).map(|v| (v as f32).to_string());
        out.extend(value.map(|text| (format!("dpx.{name}"), text)));
    }
    for (name, at) in [("descriptor", 800), ("transfer", 801), ("colorimetric", 802)] {
        out.insert(format!("dpx.{name}"), fields.bytes[at].to_string());
    }
    out
}
