//! One tagged value of a TIFF directory, of any of the field types.

/// Longest text that is shown, in bytes.
const MAX_SHOWN_TEXT: usize = 64 * 1024;
/// Most numbers or bytes of a value that are shown.
const MAX_SHOWN_VALUES: usize = 4096;

/// A tagged value.
#[derive(Clone, Debug)]
pub(in crate::source::dng) struct Entry {
    pub(in crate::source::dng) tag: u16,
    /// TIFF field type: 1 BYTE, 2 ASCII, 3 SHORT, 4 LONG, 5 RATIONAL, ...
    pub(super) kind: u16,
    pub(in crate::source::dng) count: u64,
    /// Where the value lies in the file.
    pub(in crate::source::dng) offset: u64,
    /// The value as it lies there; absent when it is too long or outside the file.
    pub(super) value: Option<Vec<u8>>,
    pub(super) big_endian: bool,
}

impl Entry {
    /// Whether the value could be read.
    pub(in crate::source::dng) const fn is_whole(&self) -> bool {
        self.value.is_some()
    }

    /// The bytes of the value, empty when they could not be read.
    pub(in crate::source::dng) fn bytes(&self) -> &[u8] {
        self.value.as_deref().unwrap_or_default()
    }

    /// The value as unsigned integers; empty when it is of another type.
    pub(in crate::source::dng) fn integers(&self) -> Vec<u64> {
        (0..self.len()).map_while(|i| self.integer(i)).collect()
    }

    /// One unsigned integer of the value.
    pub(in crate::source::dng) fn integer(&self, index: usize) -> Option<u64> {
        let cell = self.cell(index)?;
        match self.kind {
            1 | 7 => Some(u64::from(cell[0])),
            3 => Some(u64::from(u16_of(cell, self.big_endian))),
            4 | 13 => Some(u64::from(u32_of(cell, self.big_endian))),
            16 | 18 => Some(u64_of(cell, self.big_endian)),
            _ => None,
        }
    }

    /// Numerator and denominator of one rational of the value.
    pub(in crate::source::dng) fn rational(&self, index: usize) -> Option<(i64, i64)> {
        // Only these two have cells of eight bytes that are a pair.
        if !matches!(self.kind, 5 | 10) {
            return None;
        }
        let cell = self.cell(index)?;
        let (n, d) = (u32_of(cell, self.big_endian), u32_of(cell.get(4..)?, self.big_endian));
        Some(match self.kind {
            5 => (i64::from(n), i64::from(d)),
            _ => (i64::from(n as i32), i64::from(d as i32)),
        })
    }

    /// The value as numbers, whatever numeric type it has. A rational over zero is not a number.
    pub(in crate::source::dng) fn numbers(&self) -> Vec<f64> {
        (0..self.len()).map_while(|i| self.number(i)).collect()
    }

    /// One number of the value.
    pub(in crate::source::dng) fn number(&self, index: usize) -> Option<f64> {
        let cell = self.cell(index)?;
        let big = self.big_endian;
        Some(match self.kind {
            5 | 10 => {
                let (n, d) = self.rational(index)?;
                if d == 0 { f64::NAN } else { n as f64 / d as f64 }
            }
            6 => f64::from(cell[0] as i8),
            8 => f64::from(u16_of(cell, big) as i16),
            9 => f64::from(u32_of(cell, big) as i32),
            11 => f64::from(f32::from_bits(u32_of(cell, big))),
            12 => f64::from_bits(u64_of(cell, big)),
            17 => u64_of(cell, big) as i64 as f64,
            _ => self.integer(index)? as f64,
        })
    }

    /// The value as text, without what pads it; `None` when nothing is left.
    pub(in crate::source::dng) fn text(&self) -> Option<String> {
        if !matches!(self.kind, 1 | 2 | 7) {
            return None;
        }
        let bytes = self.bytes().split(|b| *b == 0).next().unwrap_or_default();
        let text = String::from_utf8_lossy(bytes);
        let text = text.trim();
        (!text.is_empty()).then(|| text.to_owned())
    }

    /// The value as it is shown to people: text up to [`MAX_SHOWN_TEXT`] bytes, numbers and bytes up to
    /// [`MAX_SHOWN_VALUES`] of them, and what follows as a count.
    pub(in crate::source::dng) fn shown(&self) -> String {
        if self.value.is_none() {
            return self.not_shown();
        }
        if let Some(text) = self.written_text() {
            return text;
        }
        let mut out = String::new();
        for index in 0..self.len().min(MAX_SHOWN_VALUES) {
            if index > 0 {
                out.push(' ');
            }
            out.push_str(&match self.kind {
                1 | 7 if self.len() > 8 => format!("{:02x}", self.integer(index).unwrap_or(0)),
                5 | 10 => self.rational(index).map_or_else(String::new, |(n, d)| {
                    if d == 1 { n.to_string() } else { format!("{n}/{d}") }
                }),
                _ => self.written_number(index),
            });
        }
        if self.len() > MAX_SHOWN_VALUES {
            out.push_str(&format!(" … ({} values)", self.count));
        }
        out
    }

    /// What stands for a value that is not shown.
    pub(in crate::source::dng) fn not_shown(&self) -> String {
        format!("({} values, not shown)", self.count)
    }

    /// Text as it is written, without what pads it; the strings of a value that holds several, on
    /// lines of their own. Bytes of no declared meaning are text where all of them are (XMP).
    fn written_text(&self) -> Option<String> {
        let bytes = self.bytes();
        let plain =
            |text: &str| text.chars().all(|c| !c.is_control() || matches!(c, '\n' | '\r' | '\t'));
        let bytes = match self.kind {
            2 => bytes,
            1 | 7 if self.len() > 8 => {
                let end = bytes.iter().rposition(|b| *b != 0)? + 1;
                std::str::from_utf8(&bytes[..end]).ok().filter(|text| plain(text))?.as_bytes()
            }
            _ => return None,
        };
        let kept = &bytes[..bytes.len().min(MAX_SHOWN_TEXT)];
        let parts = kept.split(|b| *b == 0).map(|part| String::from_utf8_lossy(part));
        let parts: Vec<String> =
            parts.map(|part| part.trim().to_owned()).filter(|part| !part.is_empty()).collect();
        let mut text = parts.join("\n");
        if kept.len() < bytes.len() {
            text.push_str(&format!(" … ({} bytes)", bytes.len()));
        }
        Some(text)
    }

    /// A number in as many digits as it needs, and a power of ten where those would be many.
    fn written_number(&self, index: usize) -> String {
        // Whole numbers of 64 bits are not all numbers of floating point.
        if let Some(whole) = self.integer(index) {
            return whole.to_string();
        }
        match self.number(index) {
            None => String::new(),
            Some(v) if v == 0.0 || !v.is_finite() || (1e-5..1e16).contains(&v.abs()) => {
                v.to_string()
            }
            Some(v) => format!("{v:e}"),
        }
    }

    fn len(&self) -> usize {
        size_of(self.kind).map_or(0, |unit| self.bytes().len() / unit as usize)
    }

    fn cell(&self, index: usize) -> Option<&[u8]> {
        let unit = size_of(self.kind)? as usize;
        self.bytes().get(index.checked_mul(unit)?..)?.get(..unit)
    }
}

/// Bytes of one value of a TIFF field type.
pub(super) const fn size_of(kind: u16) -> Option<u64> {
    match kind {
        1 | 2 | 6 | 7 => Some(1),
        3 | 8 => Some(2),
        4 | 9 | 11 | 13 => Some(4),
        5 | 10 | 12 | 16 | 17 | 18 => Some(8),
        _ => None,
    }
}

pub(super) fn u16_of(bytes: &[u8], big_endian: bool) -> u16 {
    let pair = [bytes[0], bytes[1]];
    if big_endian { u16::from_be_bytes(pair) } else { u16::from_le_bytes(pair) }
}

pub(super) fn u32_of(bytes: &[u8], big_endian: bool) -> u32 {
    let quad = [bytes[0], bytes[1], bytes[2], bytes[3]];
    if big_endian { u32::from_be_bytes(quad) } else { u32::from_le_bytes(quad) }
}

pub(super) fn u64_of(bytes: &[u8], big_endian: bool) -> u64 {
    let (first, second) = (u32_of(bytes, big_endian), u32_of(&bytes[4..], big_endian));
    let (high, low) = if big_endian { (first, second) } else { (second, first) };
    u64::from(high) << 32 | u64::from(low)
}
