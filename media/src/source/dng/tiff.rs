//! The TIFF container: directories of tagged values, either byte order.
//!
//! Apart from everything that gives tags a meaning, because this is where
//! hostile bytes arrive. It is bounded by `model::limits`, follows no offset
//! twice, and keeps the sound part of a damaged chain: cameras exist whose
//! last directory points nowhere (Blackmagic Pocket 4K), and their pictures
//! are whole. Structure: TIFF 6.0, section 2.

use super::input::Input;
use super::tags;
use platefarm_model::{Code, Fault, Outcome, limits};

/// Longest value that is kept, in bytes. A linearisation table is 128 KiB; embedded
/// profiles and private maker data are the only longer ones, and they are not used.
const MAX_VALUE_BYTES: u64 = 8 * 1024 * 1024;
/// Most bytes of values that are kept of one file.
const MAX_VALUES_BYTES: u64 = 64 * 1024 * 1024;

/// Which chain a directory stands in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Main,
    Sub,
    Exif,
}

/// A tagged value.
#[derive(Clone, Debug)]
pub(super) struct Entry {
    pub(super) tag: u16,
    /// TIFF field type: 1 BYTE, 2 ASCII, 3 SHORT, 4 LONG, 5 RATIONAL, ...
    pub(super) kind: u16,
    pub(super) count: u32,
    /// Where the value lies in the file.
    pub(super) offset: u64,
    /// The value as it lies there; absent when it is too long or outside the file.
    value: Option<Vec<u8>>,
    big_endian: bool,
}

/// A directory of tagged values.
#[derive(Clone, Debug)]
pub(super) struct Directory {
    pub(super) kind: Kind,
    pub(super) entries: Vec<Entry>,
}

/// All directories of a file.
#[derive(Clone, Debug)]
pub(super) struct Tiff {
    pub(super) big_endian: bool,
    pub(super) directories: Vec<Directory>,
    /// What was damaged and passed over.
    pub(super) notes: Vec<Fault>,
}

/// Whether a file that begins so is a TIFF of either byte order, or a BigTIFF.
pub(super) fn is_tiff(head: &[u8]) -> bool {
    matches!(head.get(..4), Some(b"II*\0" | b"MM\0*" | b"II+\0" | b"MM\0+"))
}

impl Tiff {
    /// Reads the directories of a file.
    ///
    /// # Errors
    /// [`Code::UnknownFormat`] when it is no TIFF, [`Code::UnsupportedFeature`] for BigTIFF, and
    /// [`Code::TruncatedFile`] or [`Code::BadStructure`] when not even the first directory can be read.
    pub(super) fn parse(input: &mut dyn Input) -> Outcome<Self> {
        let mut head = [0; 8];
        if input.size() < 8 {
            return Err(Fault::new(
                Code::TruncatedFile,
                format!("{} bytes cannot hold a TIFF header", input.size()),
            )
            .at("offset 0"));
        }
        input.read_at(0, &mut head)?;
        let big_endian = match &head[..4] {
            b"II*\0" => false,
            b"MM\0*" => true,
            b"II+\0" | b"MM\0+" => {
                return Err(Fault::new(Code::UnsupportedFeature, "BigTIFF is not read"));
            }
            _ => {
                return Err(Fault::new(Code::UnknownFormat, "no TIFF signature").at("offset 0"));
            }
        };
        let mut walk = Walk {
            input,
            kept: 0,
            seen: Vec::new(),
            tiff: Self { big_endian, directories: Vec::new(), notes: Vec::new() },
        };
        walk.chain(u64::from(u32_of(&head[4..], big_endian)), Kind::Main)?;
        Ok(walk.tiff)
    }
}

/// The tags that speak about one picture of the file: those of its own
/// directory, then what the first directory says for all, then EXIF's.
#[derive(Clone, Copy)]
pub(super) struct Tags<'a> {
    pub(super) tiff: &'a Tiff,
    pub(super) picture: &'a Directory,
}

impl<'a> Tags<'a> {
    /// The entry of `tag`.
    pub(super) fn get(self, tag: u16) -> Option<&'a Entry> {
        let exif = self.tiff.directories.iter().filter(|d| d.kind == Kind::Exif);
        std::iter::once(self.picture)
            .chain(self.tiff.directories.first())
            .chain(exif)
            .find_map(|d| d.get(tag))
    }

    /// The entry of `tag` with its value.
    ///
    /// # Errors
    /// [`Code::BadStructure`] when there is none, [`Code::TruncatedFile`] when its value lies outside the file.
    pub(super) fn required(self, tag: u16) -> Outcome<&'a Entry> {
        let entry = self.get(tag).ok_or_else(|| {
            Fault::new(Code::BadStructure, format!("the tag {} is missing", tags::name(tag)))
        })?;
        if entry.is_whole() {
            return Ok(entry);
        }
        Err(Fault::new(
            Code::TruncatedFile,
            format!("the {} values of {} lie outside the file", entry.count, tags::name(tag)),
        )
        .at(format!("{}, offset {}", tags::name(tag), entry.offset)))
    }

    /// The first integer of `tag`, or `default` when the tag is absent.
    ///
    /// # Errors
    /// As [`Self::required`], and [`Code::BadStructure`] when the value is no integer.
    pub(super) fn integer_or(self, tag: u16, default: u64) -> Outcome<u64> {
        if self.get(tag).is_none() { Ok(default) } else { self.integer(tag) }
    }

    /// The first integer of `tag`.
    ///
    /// # Errors
    /// As [`Self::required`], and [`Code::BadStructure`] when the value is no integer.
    pub(super) fn integer(self, tag: u16) -> Outcome<u64> {
        self.required(tag)?.integer(0).ok_or_else(|| bad_value(tag, "is no whole number"))
    }

    /// The finite numbers of `tag`, or `None` when the tag is absent.
    ///
    /// # Errors
    /// [`Code::TruncatedFile`] when the value lies outside the file, [`Code::BadStructure`] when a number is not finite.
    pub(super) fn numbers(self, tag: u16) -> Outcome<Option<Vec<f64>>> {
        if self.get(tag).is_none() {
            return Ok(None);
        }
        let entry = self.required(tag)?;
        let numbers = entry.numbers();
        if numbers.len() != entry.count as usize || numbers.iter().any(|v| !v.is_finite()) {
            return Err(bad_value(tag, "holds values that are no numbers"));
        }
        Ok(Some(numbers))
    }

    /// The text of `tag`.
    pub(super) fn text(self, tag: u16) -> Option<String> {
        self.get(tag)?.text()
    }
}

/// A tag whose value makes no sense: `BlackLevel 9000 is above the white level`.
pub(super) fn bad_value(tag: u16, what: impl std::fmt::Display) -> Fault {
    Fault::new(Code::BadStructure, format!("{} {what}", tags::name(tag))).at(tags::name(tag))
}

struct Walk<'a> {
    input: &'a mut dyn Input,
    kept: u64,
    seen: Vec<u64>,
    tiff: Tiff,
}

impl Walk<'_> {
    /// Follows a chain of directories and everything below it. Only the first
    /// directory of the file must be sound; damage further on becomes a note.
    fn chain(&mut self, first: u64, kind: Kind) -> Outcome<()> {
        let mut queue = vec![(first, kind)];
        while let Some((offset, kind)) = queue.pop() {
            if offset == 0 || self.seen.contains(&offset) {
                continue;
            }
            if self.tiff.directories.len() >= limits::MAX_TIFF_DIRECTORIES {
                self.tiff.notes.push(Fault::new(
                    Code::TooLarge,
                    format!(
                        "more than {} directories; the rest is not read",
                        limits::MAX_TIFF_DIRECTORIES
                    ),
                ));
                break;
            }
            self.seen.push(offset);
            let (directory, next) = match self.directory(offset, kind) {
                Ok(read) => read,
                Err(fault) if self.tiff.directories.is_empty() => return Err(fault),
                Err(fault) => {
                    self.tiff.notes.push(fault);
                    continue;
                }
            };
            // Popped in file order: children first, then the next of the chain.
            if kind != Kind::Exif {
                queue.push((next, kind));
            }
            if let Some(exif) = directory.get(tags::EXIF_IFD).and_then(|e| e.integer(0)) {
                queue.push((exif, Kind::Exif));
            }
            let children = directory.get(tags::SUB_IFDS).map(Entry::integers).unwrap_or_default();
            let room = limits::MAX_TIFF_DIRECTORIES;
            queue.extend(children.into_iter().take(room).rev().map(|child| (child, Kind::Sub)));
            self.tiff.directories.push(directory);
        }
        Ok(())
    }

    /// One directory, and the offset of the next.
    fn directory(&mut self, offset: u64, kind: Kind) -> Outcome<(Directory, u64)> {
        let big = self.tiff.big_endian;
        let size = self.input.size();
        let cut = |what: &str| {
            Fault::new(
                Code::TruncatedFile,
                format!("the file of {size} bytes ends before its {what}"),
            )
            .at(format!("directory at offset {offset}"))
        };
        if offset + 2 > size {
            return Err(cut("directory"));
        }
        let mut count = [0; 2];
        self.input.read_at(offset, &mut count)?;
        let count = usize::from(u16_of(&count, big));
        if count == 0 {
            return Err(Fault::new(Code::BadStructure, "a directory of no entries")
                .at(format!("directory at offset {offset}")));
        }
        if count > limits::MAX_TIFF_ENTRIES {
            return Err(Fault::new(Code::TooLarge, format!("a directory of {count} entries"))
                .at(format!("directory at offset {offset}")));
        }
        let whole = (((size - offset - 2) / 12) as usize).min(count);
        if whole == 0 {
            return Err(cut("directory"));
        }
        let mut raw = vec![0; whole * 12];
        self.input.read_at(offset + 2, &mut raw)?;
        let mut directory = Directory { kind, entries: Vec::with_capacity(whole) };
        for (index, entry) in raw.chunks_exact(12).enumerate() {
            let entry = self.entry(entry, offset + 2 + 12 * index as u64)?;
            directory.entries.extend(entry);
        }
        let end = offset + 2 + 12 * count as u64;
        let mut next = [0; 4];
        if whole < count || end + 4 > size {
            self.tiff.notes.push(cut("directory's end"));
        } else {
            self.input.read_at(end, &mut next)?;
        }
        Ok((directory, u64::from(u32_of(&next, big))))
    }

    /// One entry from its 12 bytes; `None` for a field type that TIFF does not know.
    fn entry(&mut self, raw: &[u8], at: u64) -> Outcome<Option<Entry>> {
        let big = self.tiff.big_endian;
        let (tag, kind, count) = (u16_of(raw, big), u16_of(&raw[2..], big), u32_of(&raw[4..], big));
        let Some(unit) = size_of(kind) else { return Ok(None) };
        let bytes = u64::from(count) * unit;
        let offset = if bytes <= 4 { at + 8 } else { u64::from(u32_of(&raw[8..], big)) };
        let mut entry = Entry { tag, kind, count, offset, value: None, big_endian: big };
        let room = MAX_VALUES_BYTES - self.kept;
        if bytes <= MAX_VALUE_BYTES.min(room) && offset + bytes <= self.input.size() {
            let mut value = vec![0; bytes as usize];
            self.input.read_at(offset, &mut value)?;
            self.kept += bytes;
            entry.value = Some(value);
        }
        Ok(Some(entry))
    }
}

impl Directory {
    /// The entry of `tag`; the first when there are several.
    pub(super) fn get(&self, tag: u16) -> Option<&Entry> {
        self.entries.iter().find(|entry| entry.tag == tag)
    }

    /// The first integer of `tag`, where there is one.
    pub(super) fn integer(&self, tag: u16) -> Option<u64> {
        self.get(tag)?.integer(0)
    }
}

impl Entry {
    /// Whether the value could be read.
    pub(super) const fn is_whole(&self) -> bool {
        self.value.is_some()
    }

    /// The bytes of the value, empty when they could not be read.
    pub(super) fn bytes(&self) -> &[u8] {
        self.value.as_deref().unwrap_or_default()
    }

    /// The value as unsigned integers; empty when it is of another type.
    pub(super) fn integers(&self) -> Vec<u64> {
        (0..self.len()).map_while(|i| self.integer(i)).collect()
    }

    /// One unsigned integer of the value.
    pub(super) fn integer(&self, index: usize) -> Option<u64> {
        let cell = self.cell(index)?;
        match self.kind {
            1 | 7 => Some(u64::from(cell[0])),
            3 => Some(u64::from(u16_of(cell, self.big_endian))),
            4 | 13 => Some(u64::from(u32_of(cell, self.big_endian))),
            _ => None,
        }
    }

    /// Numerator and denominator of one rational of the value.
    pub(super) fn rational(&self, index: usize) -> Option<(i64, i64)> {
        let cell = self.cell(index)?;
        let (n, d) = (u32_of(cell, self.big_endian), u32_of(cell.get(4..)?, self.big_endian));
        match self.kind {
            5 => Some((i64::from(n), i64::from(d))),
            10 => Some((i64::from(n as i32), i64::from(d as i32))),
            _ => None,
        }
    }

    /// The value as numbers, whatever numeric type it has. A rational over zero is not a number.
    pub(super) fn numbers(&self) -> Vec<f64> {
        (0..self.len()).map_while(|i| self.number(i)).collect()
    }

    /// One number of the value.
    pub(super) fn number(&self, index: usize) -> Option<f64> {
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
            12 => {
                let (first, second) = (u32_of(cell, big), u32_of(cell.get(4..)?, big));
                let (high, low) = if big { (first, second) } else { (second, first) };
                f64::from_bits(u64::from(high) << 32 | u64::from(low))
            }
            _ => self.integer(index)? as f64,
        })
    }

    /// The value as text, without what pads it; `None` when nothing is left.
    pub(super) fn text(&self) -> Option<String> {
        if !matches!(self.kind, 1 | 2 | 7) {
            return None;
        }
        let bytes = self.bytes().split(|b| *b == 0).next().unwrap_or_default();
        let text = String::from_utf8_lossy(bytes);
        let text = text.trim();
        (!text.is_empty()).then(|| text.to_owned())
    }

    /// The value as it is shown to people, at most about `limit` characters.
    pub(super) fn shown(&self, limit: usize) -> String {
        if self.value.is_none() {
            return format!("({} values, not read)", self.count);
        }
        if self.kind == 2 {
            let text = self.text().unwrap_or_default();
            let mut cut: String = text.chars().take(limit).collect();
            if cut.len() < text.len() {
                cut.push('…');
            }
            return cut;
        }
        let mut out = String::new();
        for index in 0..self.len() {
            if out.len() >= limit {
                out.push_str(&format!(" … ({} values)", self.count));
                break;
            }
            if index > 0 {
                out.push(' ');
            }
            out.push_str(&match self.kind {
                1 | 7 if self.len() > 8 => format!("{:02x}", self.integer(index).unwrap_or(0)),
                5 | 10 => self.rational(index).map_or_else(String::new, |(n, d)| {
                    if d == 1 { n.to_string() } else { format!("{n}/{d}") }
                }),
                _ => self.number(index).map_or_else(String::new, |v| v.to_string()),
            });
        }
        out
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
const fn size_of(kind: u16) -> Option<u64> {
    match kind {
        1 | 2 | 6 | 7 => Some(1),
        3 | 8 => Some(2),
        4 | 9 | 11 | 13 => Some(4),
        5 | 10 | 12 => Some(8),
        _ => None,
    }
}

fn u16_of(bytes: &[u8], big_endian: bool) -> u16 {
    let pair = [bytes[0], bytes[1]];
    if big_endian { u16::from_be_bytes(pair) } else { u16::from_le_bytes(pair) }
}

fn u32_of(bytes: &[u8], big_endian: bool) -> u32 {
    let quad = [bytes[0], bytes[1], bytes[2], bytes[3]];
    if big_endian { u32::from_be_bytes(quad) } else { u32::from_le_bytes(quad) }
}
