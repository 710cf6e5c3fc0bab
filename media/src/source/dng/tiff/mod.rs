//! The TIFF container: directories of tagged values, either byte order.
//!
//! Apart from everything that gives tags a meaning, because this is where
//! hostile bytes arrive. It is bounded by `model::limits`, follows no offset
//! twice, and keeps the sound part of a damaged chain: cameras exist whose
//! last directory points nowhere (Blackmagic Pocket 4K), and their pictures
//! are whole. Structure: TIFF 6.0, section 2, and BigTIFF, which DNG 1.7 allows.

mod entry;

pub(super) use entry::Entry;

use super::input::Input;
use super::tags;
use entry::{size_of, u16_of, u32_of, u64_of};
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
    /// [`Code::UnknownFormat`] when it is no TIFF; [`Code::TruncatedFile`] or
    /// [`Code::BadStructure`] when not even the first directory can be read.
    pub(super) fn parse(input: &mut dyn Input) -> Outcome<Self> {
        let mut head = [0; 16];
        let size = input.size();
        let cut = || {
            Fault::new(Code::TruncatedFile, format!("{size} bytes cannot hold a TIFF header"))
                .at("offset 0")
        };
        if size < 8 {
            return Err(cut());
        }
        input.read_at(0, &mut head[..8])?;
        let (big_endian, wide) = match &head[..4] {
            b"II*\0" => (false, false),
            b"MM\0*" => (true, false),
            b"II+\0" => (false, true),
            b"MM\0+" => (true, true),
            _ => {
                return Err(Fault::new(Code::UnknownFormat, "no TIFF signature").at("offset 0"));
            }
        };
        let first = if wide {
            if size < 16 {
                return Err(cut());
            }
            input.read_at(0, &mut head)?;
            // The width of offsets, and a zero: BigTIFF has no other.
            if u16_of(&head[4..], big_endian) != 8 || u16_of(&head[6..], big_endian) != 0 {
                return Err(Fault::new(
                    Code::BadStructure,
                    "a BigTIFF whose offsets are not 8 bytes",
                )
                .at("offset 4"));
            }
            u64_of(&head[8..], big_endian)
        } else {
            u64::from(u32_of(&head[4..], big_endian))
        };
        let mut walk = Walk {
            input,
            wide,
            kept: 0,
            seen: Vec::new(),
            tiff: Self { big_endian, directories: Vec::new(), notes: Vec::new() },
        };
        walk.chain(first, Kind::Main)?;
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
        if numbers.len() as u64 != entry.count || numbers.iter().any(|v| !v.is_finite()) {
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
    /// Whether counts and offsets have eight bytes (BigTIFF).
    wide: bool,
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
        // Bytes of the number of entries, of an entry, and of the next offset.
        let (head_bytes, entry_bytes, next_bytes) = if self.wide { (8, 20, 8) } else { (2, 12, 4) };
        let Some(entries_at) = offset.checked_add(head_bytes).filter(|at| *at <= size) else {
            return Err(cut("directory"));
        };
        let mut cell = [0; 8];
        self.input.read_at(offset, &mut cell[..head_bytes as usize])?;
        let count = if self.wide { u64_of(&cell, big) } else { u64::from(u16_of(&cell, big)) };
        if count == 0 {
            return Err(Fault::new(Code::BadStructure, "a directory of no entries")
                .at(format!("directory at offset {offset}")));
        }
        if count > limits::MAX_TIFF_ENTRIES as u64 {
            return Err(Fault::new(Code::TooLarge, format!("a directory of {count} entries"))
                .at(format!("directory at offset {offset}")));
        }
        let whole = ((size - entries_at) / entry_bytes).min(count);
        if whole == 0 {
            return Err(cut("directory"));
        }
        let mut raw = vec![0; (whole * entry_bytes) as usize];
        self.input.read_at(entries_at, &mut raw)?;
        let mut directory = Directory { kind, entries: Vec::with_capacity(whole as usize) };
        let mut at = entries_at;
        for entry in raw.chunks_exact(entry_bytes as usize) {
            directory.entries.extend(self.entry(entry, at)?);
            at += entry_bytes;
        }
        let end = entries_at + entry_bytes * count;
        let mut next = [0; 8];
        if whole < count || size - end < next_bytes {
            self.tiff.notes.push(cut("directory's end"));
        } else {
            self.input.read_at(end, &mut next[..next_bytes as usize])?;
        }
        let next = if self.wide { u64_of(&next, big) } else { u64::from(u32_of(&next, big)) };
        Ok((directory, next))
    }

    /// One entry from its 12 or 20 bytes; `None` for a field type that TIFF does not know.
    fn entry(&mut self, raw: &[u8], at: u64) -> Outcome<Option<Entry>> {
        let big = self.tiff.big_endian;
        let (tag, kind) = (u16_of(raw, big), u16_of(&raw[2..], big));
        let Some(unit) = size_of(kind) else { return Ok(None) };
        let (count, field) = if self.wide {
            (u64_of(&raw[4..], big), &raw[12..20])
        } else {
            (u64::from(u32_of(&raw[4..], big)), &raw[8..12])
        };
        let mut entry = Entry { tag, kind, count, offset: 0, value: None, big_endian: big };
        let bytes = count.saturating_mul(unit);
        if let Some(inline) = usize::try_from(bytes).ok().and_then(|n| field.get(..n)) {
            entry.offset = at + (raw.len() - field.len()) as u64;
            entry.value = Some(inline.to_vec());
            return Ok(Some(entry));
        }
        entry.offset = if self.wide { u64_of(field, big) } else { u64::from(u32_of(field, big)) };
        let room = MAX_VALUES_BYTES - self.kept;
        let end = entry.offset.checked_add(bytes);
        if bytes <= MAX_VALUE_BYTES.min(room) && end.is_some_and(|end| end <= self.input.size()) {
            let mut value = vec![0; bytes as usize];
            self.input.read_at(entry.offset, &mut value)?;
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
