//! The header of an ARRIRAW file: 4096 bytes of fields at fixed places.
//!
//! Apart from the clip, because frames of ARRIRAW in MXF may begin with the
//! same header. The places and units are those that are public: the excerpt of
//! SMPTE RDD 30 that its sellers show, ARRI's metadata white paper, and what
//! open readers agree on. All numbers are little-endian, whichever of its two
//! spellings the byte order check has: the document prints one, some writers
//! have the other, and no big-endian file is known.

use platefarm_model::clip::FrameLine;
use platefarm_model::raw::Rect;
use platefarm_model::{Code, Fault, FrameRate, Outcome, Timecode, limits};
use std::collections::BTreeMap;

/// Bytes of the header as cameras write it.
pub(in crate::source) const HEADER_BYTES: usize = 4096;
/// The fewest bytes that hold what decoding needs.
const LEAST_BYTES: usize = 0x140;
/// Longest header that is believed.
const MOST_BYTES: u32 = 1 << 20;
/// Both spellings of the byte order check, as bytes of the file.
const BYTE_ORDER: [[u8; 4]; 2] = [[0x12, 0x34, 0x56, 0x78], [0x78, 0x56, 0x34, 0x12]];

/// How the bytes of a field are read.
#[derive(Clone, Copy, Debug)]
enum Kind {
    U16,
    U32,
    U64,
    F32,
    /// Thousandths.
    Milli,
    Text(usize),
    /// Text of four characters, the last one first.
    Backwards,
    /// Binary-coded decimal, the first pair of digits last.
    Decimal,
    Uuid,
}

/// Every field whose place is public: ARRI's name, offset, kind.
#[rustfmt::skip]
const FIELDS: &[(&str, usize, Kind)] = &[
    ("HeaderVersion", 0x0C, Kind::U32), ("ImageWidth", 0x14, Kind::U32), ("ImageHeight", 0x18, Kind::U32),
    ("DataType", 0x1C, Kind::U32), ("DataSpace", 0x20, Kind::U32),
    ("ActiveImageLeft", 0x24, Kind::U32), ("ActiveImageTop", 0x28, Kind::U32),
    ("ActiveImageWidth", 0x2C, Kind::U32), ("ActiveImageHeight", 0x30, Kind::U32),
    ("FullImageWidth", 0x3C, Kind::U32), ("FullImageHeight", 0x40, Kind::U32),
    ("ColorProcessingVersion", 0x58, Kind::U32), ("WhiteBalance", 0x5C, Kind::U32), ("WhiteBalanceCC", 0x60, Kind::F32),
    ("WBFactorR", 0x64, Kind::F32), ("WBFactorG", 0x68, Kind::F32), ("WBFactorB", 0x6C, Kind::F32),
    ("WBAppliedInCamera", 0x70, Kind::U32), ("ExposureIndexASA", 0x74, Kind::U32), ("TargetColorSpace", 0xBC, Kind::U32),
    ("Sharpness", 0xC0, Kind::U32), ("LensSqueezeFactor", 0xC4, Kind::F32), ("ImageOrientation", 0xC8, Kind::U32),
    ("LookName", 0xCC, Kind::Text(32)), ("LookLUTMode", 0xEC, Kind::U32), ("LookLUTOffset", 0xF0, Kind::U32), ("LookLUTSize", 0xF4, Kind::U32),
    ("LookSaturation", 0xF8, Kind::F32), ("CDLSaturation", 0xFC, Kind::F32),
    ("CDLSlopeR", 0x100, Kind::F32), ("CDLSlopeG", 0x104, Kind::F32), ("CDLSlopeB", 0x108, Kind::F32),
    ("CDLOffsetR", 0x10C, Kind::F32), ("CDLOffsetG", 0x110, Kind::F32), ("CDLOffsetB", 0x114, Kind::F32),
    ("CDLPowerR", 0x118, Kind::F32), ("CDLPowerG", 0x11C, Kind::F32), ("CDLPowerB", 0x120, Kind::F32),
    ("CDLMode", 0x130, Kind::U32), ("ImageDataChecksum", 0x134, Kind::U32), ("ColorOrder", 0x138, Kind::U32),
    ("CameraTypeId", 0x164, Kind::U32), ("CameraRevision", 0x168, Kind::U32), ("CameraSerialNumber", 0x170, Kind::U32),
    ("CameraId", 0x174, Kind::Backwards), ("CameraIndex", 0x178, Kind::U32),
    ("SystemImageCreationDate", 0x17C, Kind::Decimal), ("SystemImageCreationTime", 0x180, Kind::Decimal),
    ("ExposureTime", 0x18C, Kind::Milli), ("ShutterAngle", 0x190, Kind::Milli), ("SensorFPS", 0x1A0, Kind::Milli), ("ProjectFPS", 0x1A4, Kind::Milli),
    ("MasterTC", 0x1A8, Kind::Decimal), ("MasterTCFrameCount", 0x1AC, Kind::U32), ("MasterTCTimeBase", 0x1B0, Kind::Milli),
    ("StorageMediaSerialNumber", 0x268, Kind::U64), ("CameraFamily", 0x29C, Kind::Text(8)), ("RecorderType", 0x2A4, Kind::Text(32)),
    ("UUID", 0x2D0, Kind::Uuid), ("CameraModel", 0x2F8, Kind::Text(20)), ("CameraProduct", 0x30C, Kind::U16), ("CameraSubProduct", 0x30E, Kind::U16),
    ("LensDistanceUnit", 0x374, Kind::U32), ("LensFocusDistance", 0x378, Kind::U32), ("LensFocalLength", 0x37C, Kind::Milli),
    ("LensSerialNumber", 0x380, Kind::U32), ("LensLinearIris", 0x384, Kind::U32), ("NDFilterType", 0x388, Kind::U16), ("NDFilterDensity", 0x38A, Kind::U16),
    ("LensModel", 0x398, Kind::Text(32)), ("CameraTilt", 0x45C, Kind::U32), ("CameraRoll", 0x460, Kind::U32),
    ("Reel", 0x4F8, Kind::Text(8)), ("Scene", 0x500, Kind::Text(16)), ("Take", 0x510, Kind::Text(8)),
    ("Director", 0x518, Kind::Text(24)), ("Cinematographer", 0x538, Kind::Text(24)), ("Production", 0x558, Kind::Text(24)),
    ("ProductionCompany", 0x578, Kind::Text(24)), ("UserInfo", 0x598, Kind::Text(256)), ("CameraClipName", 0x698, Kind::Text(20)),
    ("FrameLineFile1", 0x850, Kind::Text(32)), ("FrameLineFile2", 0x870, Kind::Text(32)),
];

/// Where the six frame lines are described, and what ARRI calls them.
const FRAME_LINES: [(usize, &str); 6] =
    [(0x890, "1A"), (0x8C0, "1B"), (0x8F0, "1C"), (0x920, "2A"), (0x950, "2B"), (0x980, "2C")];

/// A header that was checked as far as decoding depends on it.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::source) struct Header {
    bytes: Vec<u8>,
    /// Where the samples begin.
    pub(in crate::source) data_offset: u64,
    /// Columns stored.
    pub(in crate::source) width: u32,
    /// Rows stored.
    pub(in crate::source) height: u32,
    /// The part that saw light.
    pub(in crate::source) active: Rect,
}

impl Header {
    /// Whether a file or a frame begins as one with such a header does.
    pub(in crate::source) fn is_at(head: &[u8]) -> bool {
        head.starts_with(b"ARRI")
            && head.get(4..8).is_some_and(|check| BYTE_ORDER.iter().any(|order| check == order))
    }

    /// Checks a header. `bytes` are the file's first, at most [`HEADER_BYTES`] are kept.
    ///
    /// # Errors
    /// [`Code::TruncatedFile`], [`Code::UnknownFormat`], [`Code::BadStructure`], [`Code::TooLarge`],
    /// with the field.
    pub(in crate::source) fn parse(bytes: &[u8]) -> Outcome<Self> {
        if bytes.len() < LEAST_BYTES {
            let what = format!("{} bytes, the header has {HEADER_BYTES}", bytes.len());
            return Err(Fault::new(Code::TruncatedFile, what).at("offset 0"));
        }
        if !Self::is_at(bytes) {
            let what = "the file does not begin with ARRI and its byte order check";
            return Err(Fault::new(Code::UnknownFormat, what).at("offset 0"));
        }
        let mut header = Self {
            bytes: bytes[..bytes.len().min(HEADER_BYTES)].to_vec(),
            data_offset: 0,
            width: 0,
            height: 0,
            active: Rect::default(),
        };
        let size = header.u32(0x08).unwrap_or(0);
        if !(LEAST_BYTES as u32..=MOST_BYTES).contains(&size) {
            let what = format!("a header of {size} bytes");
            return Err(Fault::new(Code::BadStructure, what).at("HeaderSize, offset 0x08"));
        }
        header.data_offset = u64::from(size);
        header.bytes.truncate(size as usize);
        let [width, height] = [0x14, 0x18].map(|at| header.u32(at).unwrap_or(0));
        let side = 1..=limits::MAX_PICTURE_SIDE_PX;
        if !side.contains(&width)
            || !side.contains(&height)
            || u64::from(width) * u64::from(height) > limits::MAX_PICTURE_PIXELS
        {
            let code = if width == 0 || height == 0 { Code::BadStructure } else { Code::TooLarge };
            return Err(Fault::new(code, format!("a picture of {width}x{height} photosites"))
                .at("ImageWidth, ImageHeight, offset 0x14"));
        }
        (header.width, header.height) = (width, height);
        header.active = header.active_area()?;
        Ok(header)
    }

    /// The active area; the whole picture where the file leaves it at zero.
    fn active_area(&self) -> Outcome<Rect> {
        let [x, y, width, height] = [0x24, 0x28, 0x2C, 0x30].map(|at| self.u32(at).unwrap_or(0));
        let active = Rect { x, y, width, height };
        if width == 0 || height == 0 {
            return Ok(Rect::of_size(self.width, self.height));
        }
        if !active.fits(self.width, self.height) {
            return Err(Fault::new(
                Code::BadStructure,
                format!(
                    "an active image of {width}x{height} at {x},{y} in one of {}x{}",
                    self.width, self.height
                ),
            )
            .at("ActiveImageLeft, offset 0x24"));
        }
        Ok(active)
    }

    fn array<const N: usize>(&self, at: usize) -> Option<[u8; N]> {
        self.bytes.get(at..)?.first_chunk().copied()
    }

    /// A number, or nothing where the header ends before it.
    pub(in crate::source) fn u32(&self, at: usize) -> Option<u32> {
        self.array(at).map(u32::from_le_bytes)
    }

    /// A number, where it is finite.
    pub(in crate::source) fn f32(&self, at: usize) -> Option<f64> {
        let value = f64::from(self.array(at).map(f32::from_le_bytes)?);
        value.is_finite().then_some(value)
    }

    /// A number in thousandths; nothing where it is 0 or not known (all bits set).
    fn milli(&self, at: usize) -> Option<f64> {
        let value = self.u32(at)?;
        (value != 0 && value != u32::MAX).then(|| f64::from(value) / 1000.0)
    }

    /// Text up to its first zero, without blanks around it; nothing where it is empty.
    fn text(&self, at: usize, len: usize) -> Option<String> {
        let bytes = self.bytes.get(at..at + len)?;
        let text = bytes.split(|b| *b == 0).next()?;
        let text = String::from_utf8_lossy(text);
        let text = text.trim_matches(|c: char| c.is_whitespace() || c.is_control());
        (!text.is_empty()).then(|| text.to_owned())
    }

    /// The four characters of a number that holds text.
    fn backwards(&self, at: usize) -> Option<String> {
        let mut text = self.array::<4>(at)?;
        text.reverse();
        let text: String = text.into_iter().filter(u8::is_ascii_graphic).map(char::from).collect();
        (!text.is_empty()).then_some(text)
    }

    /// A field by ARRI's name, as text.
    fn shown(&self, kind: Kind, at: usize) -> Option<String> {
        Some(match kind {
            Kind::U16 => u16::from_le_bytes(self.array(at)?).to_string(),
            Kind::U32 => self.u32(at)?.to_string(),
            Kind::U64 => u64::from_le_bytes(self.array(at)?).to_string(),
            Kind::F32 => f32::from_le_bytes(self.array(at)?).to_string(),
            Kind::Milli => format!("{:.3}", f64::from(self.u32(at)?) / 1000.0),
            Kind::Text(len) => self.text(at, len)?,
            Kind::Backwards => self.backwards(at)?,
            Kind::Decimal => format!("{:08x}", self.u32(at)?),
            Kind::Uuid => self.uuid()?,
        })
    }

    /// Every field with a public place, by ARRI's name, as text.
    pub(in crate::source) fn vendor(&self) -> BTreeMap<String, String> {
        let mut out = BTreeMap::new();
        for (name, at, kind) in FIELDS {
            if let Some(text) = self.shown(*kind, *at) {
                out.insert(format!("ari.{name}"), text);
            }
        }
        out
    }

    /// The camera's UUID; nothing where it is all zeros.
    pub(in crate::source) fn uuid(&self) -> Option<String> {
        let b = self.array::<16>(0x2D0)?;
        let [a, b2, c] = [
            u32::from_le_bytes([b[0], b[1], b[2], b[3]]),
            u32::from(u16::from_le_bytes([b[4], b[5]])),
            u32::from(u16::from_le_bytes([b[6], b[7]])),
        ];
        let tail: String = b[10..].iter().map(|b| format!("{b:02x}")).collect();
        b.iter()
            .any(|b| *b != 0)
            .then(|| format!("{a:08x}-{b2:04x}-{c:04x}-{:02x}{:02x}-{tail}", b[8], b[9]))
    }

    /// Reel, scene, take, clip, camera family, camera model, lens model, recorder: by their offset.
    pub(in crate::source) fn name_at(&self, at: usize) -> Option<String> {
        let (_, _, kind) = FIELDS.iter().find(|field| field.1 == at)?;
        match kind {
            Kind::Text(len) => self.text(at, *len),
            _ => None,
        }
    }

    /// Letter of the camera, where the index is one.
    pub(in crate::source) fn camera_letter(&self) -> Option<String> {
        let letter = char::from_u32(self.u32(0x178)?)?;
        letter.is_ascii_alphabetic().then(|| letter.to_ascii_uppercase().to_string())
    }

    /// Four characters that the camera is called by.
    pub(in crate::source) fn camera_id(&self) -> Option<String> {
        self.backwards(0x174)
    }

    /// A rate in thousandths of frames per second, the NTSC ones recognised.
    pub(in crate::source) fn rate(&self, at: usize) -> Option<FrameRate> {
        format!("{:.3}", self.milli(at)?).parse().ok()
    }

    /// Exposure time in seconds, which is stored in microseconds.
    pub(in crate::source) fn exposure_time_s(&self) -> Option<f64> {
        self.milli(0x18C).map(|ms| ms / 1000.0)
    }

    /// Shutter angle, in degrees.
    pub(in crate::source) fn shutter_angle_deg(&self) -> Option<f64> {
        self.milli(0x190)
    }

    /// Focal length, in millimetres.
    pub(in crate::source) fn focal_length_mm(&self) -> Option<f64> {
        self.milli(0x37C)
    }

    /// Distance of focus in metres: thousandths of the unit that the lens is engraved in.
    pub(in crate::source) fn focus_distance_m(&self) -> Option<f64> {
        let metres = match self.u32(0x374)? {
            0 => 0.0254,
            1 => 1.0,
            _ => return None,
        };
        self.milli(0x378).map(|distance| distance * metres)
    }

    /// T-stop: the linear iris counts thousandths of stops from 1000 at T1; negative values say that
    /// there is none.
    pub(in crate::source) fn t_stop(&self) -> Option<f64> {
        let linear = self.u32(0x384)? as i32;
        (1..32_000).contains(&linear).then(|| 2f64.powf((f64::from(linear) / 1000.0 - 1.0) / 2.0))
    }

    /// The timecode of the frame.
    ///
    /// # Errors
    /// A note that says why there is none.
    pub(in crate::source) fn timecode(&self, rate: Option<FrameRate>) -> Result<Timecode, Fault> {
        let absent =
            |what: String| Fault::new(Code::MetadataAbsent, what).at("MasterTC, offset 0x1A8");
        let rate = rate.ok_or_else(|| absent("the timecode has no rate to count in".into()))?;
        let code = self.u32(0x1A8).ok_or_else(|| absent("the header ends before it".into()))?;
        // The flags of SMPTE ST 12 stand above the tens.
        let masks = [0x3f, 0x7f, 0x7f, 0x3f];
        let [h, m, s, f] = std::array::from_fn(|i| {
            let digits = code >> (24 - 8 * i) & masks[i];
            (digits & 15 < 10).then(|| (digits >> 4) * 10 + (digits & 15))
        });
        let (Some(h), Some(m), Some(s), Some(f)) = (h, m, s, f) else {
            return Err(absent(format!("'{code:08x}' is not binary-coded decimal")));
        };
        let drop = code & 0x40 != 0 && rate.timebase().is_multiple_of(30);
        Timecode::from_fields(h, m, s, f, rate, drop).map_err(|f| absent(f.message))
    }

    /// The frame lines that are switched on and have a size.
    pub(in crate::source) fn frame_lines(&self) -> Vec<FrameLine> {
        let line = |(at, which): (usize, &str)| {
            // 1 is the master, 2 an auxiliary one, all else is off.
            if !(1..=2).contains(&self.u32(at)?) {
                return None;
            }
            let label = self.text(at + 4, 32).unwrap_or_else(|| format!("Frame line {which}"));
            let value =
                |i: usize| self.array(at + 36 + 2 * i).map(|v| f64::from(u16::from_le_bytes(v)));
            let (left, top, width, height) = (value(0)?, value(1)?, value(2)?, value(3)?);
            (width > 0.0 && height > 0.0).then_some(FrameLine { label, left, top, width, height })
        };
        FRAME_LINES.into_iter().filter_map(line).collect()
    }
}
