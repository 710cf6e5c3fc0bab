//! MXF's only construction: a key, a length, a value (SMPTE ST 336, ST 377-1).

use crate::source::range::Ranges;
use platefarm_model::{Code, Fault, Outcome};

/// A 16-byte universal label.
pub(super) type Label = [u8; 16];

/// What all labels of SMPTE begin with.
pub(super) const SMPTE: [u8; 4] = [0x06, 0x0E, 0x2B, 0x34];
/// The longest key and length: 16 bytes, one that counts, 8 that are counted.
const MOST_HEAD_BYTES: u64 = 25;

/// Where an item is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Item {
    pub(super) key: Label,
    pub(super) at: u64,
    /// Where its value begins.
    pub(super) value: u64,
    pub(super) len: u64,
}

impl Item {
    /// The item at `at`; nothing at the end of the file.
    ///
    /// # Errors
    /// [`Code::BadStructure`] when no item is there, [`Code::TruncatedFile`] when the file ends in it.
    pub(super) fn read(file: &mut Ranges, at: u64) -> Outcome<Option<Self>> {
        let head = file.up_to(at, MOST_HEAD_BYTES)?;
        if head.is_empty() {
            return Ok(None);
        }
        let place = || format!("offset {at}");
        let Some((key, rest)) = head.split_first_chunk::<16>() else {
            let what = format!("the file ends {} bytes into a key", head.len());
            return Err(Fault::new(Code::TruncatedFile, what).at(place()));
        };
        if key[..4] != SMPTE {
            let what = format!("no key but {:02x?}", &key[..4]);
            return Err(Fault::new(Code::BadStructure, what).at(place()));
        }
        let (len, taken) = length(rest).ok_or_else(|| {
            Fault::new(Code::BadStructure, "a length that cannot be read").at(place())
        })?;
        let value = at + 16 + taken;
        if value.checked_add(len).is_none_or(|end| end > file.size()) {
            let what = format!("an item of {len} bytes in a file that ends at {}", file.size());
            return Err(Fault::new(Code::TruncatedFile, what).at(place()));
        }
        Ok(Some(Self { key: *key, at, value, len }))
    }

    /// Where the next item begins.
    pub(super) const fn end(&self) -> u64 {
        self.value + self.len
    }

    /// A header, body or footer partition pack.
    pub(super) fn is_partition(&self) -> bool {
        self.key[4..6] == [0x02, 0x05]
            && self.key[8..13] == [0x0D, 0x01, 0x02, 0x01, 0x01]
            && (2..=4).contains(&self.key[13])
    }

    pub(super) fn is_primer(&self) -> bool {
        self.key[4..6] == [0x02, 0x05]
            && self.key[8..15] == [0x0D, 0x01, 0x02, 0x01, 0x01, 0x05, 0x01]
    }

    pub(super) fn is_random_index(&self) -> bool {
        self.key[4..6] == [0x02, 0x05]
            && self.key[8..15] == [0x0D, 0x01, 0x02, 0x01, 0x01, 0x11, 0x01]
    }

    pub(super) fn is_index_segment(&self) -> bool {
        self.key[4..6] == [0x02, 0x53]
            && self.key[8..15] == [0x0D, 0x01, 0x02, 0x01, 0x01, 0x10, 0x01]
    }

    /// A set with local tags of two bytes and lengths of two bytes.
    pub(super) fn is_local_set(&self) -> bool {
        self.key[4] == 0x02 && self.key[5] == 0x53 && !self.is_index_segment()
    }

    pub(super) fn is_fill(&self) -> bool {
        self.key[4..6] == [0x01, 0x01] && self.key[8..12] == [0x03, 0x01, 0x02, 0x10]
    }

    /// Whether it is a picture, sound, data or system item of an essence container.
    pub(super) fn is_essence(&self) -> bool {
        let generic = self.key[8..12] == [0x0D, 0x01, 0x03, 0x01];
        (self.key[4] == 0x01 && self.key[5] == 0x02 && (generic || self.is_early_arriraw()))
            || (generic && self.key[4] == 0x02)
    }

    /// A picture of ARRIRAW: the registered key, or the one of early ALEXA Mini files.
    pub(super) fn is_arriraw(&self) -> bool {
        (self.key[4..6] == [0x01, 0x02]
            && self.key[8..13] == [0x0D, 0x01, 0x03, 0x01, 0x15]
            && self.key[14] == 0x1C)
            || self.is_early_arriraw()
    }

    fn is_early_arriraw(&self) -> bool {
        self.key[4..6] == [0x01, 0x02] && self.key[8..13] == [0x0F, 0x01, 0x03, 0x01, 0x01]
    }
}

/// A length in basic encoding rules, and the bytes that it takes.
fn length(bytes: &[u8]) -> Option<(u64, u64)> {
    let (first, rest) = bytes.split_first()?;
    if *first < 0x80 {
        return Some((u64::from(*first), 1));
    }
    let count = usize::from(first & 0x7f);
    // No length at all (0x80) is for streams, which a file is not.
    if count == 0 || count > 8 {
        return None;
    }
    let digits = rest.get(..count)?;
    Some((digits.iter().fold(0, |sum, digit| sum << 8 | u64::from(*digit)), 1 + count as u64))
}

/// Numbers out of a value, big-endian.
#[derive(Clone, Copy, Debug)]
pub(super) struct Value<'a>(pub(super) &'a [u8]);

impl Value<'_> {
    fn array<const N: usize>(self, at: usize) -> Option<[u8; N]> {
        self.0.get(at..)?.first_chunk().copied()
    }

    pub(super) fn u16(self, at: usize) -> Option<u16> {
        self.array(at).map(u16::from_be_bytes)
    }

    pub(super) fn u32(self, at: usize) -> Option<u32> {
        self.array(at).map(u32::from_be_bytes)
    }

    pub(super) fn u64(self, at: usize) -> Option<u64> {
        self.array(at).map(u64::from_be_bytes)
    }

    pub(super) fn label(self, at: usize) -> Option<Label> {
        self.array(at)
    }

    /// UTF-16 text.
    pub(super) fn text(self) -> Option<String> {
        let units: Vec<u16> =
            self.0.chunks_exact(2).map(|c| u16::from_be_bytes([c[0], c[1]])).collect();
        let end = units.iter().position(|u| *u == 0).unwrap_or(units.len());
        let text = String::from_utf16_lossy(&units[..end]).trim().to_owned();
        (!text.is_empty()).then_some(text)
    }

    /// The elements of a batch or an array (count, size, elements) as their places; none when they do not fit.
    pub(super) fn batch(self, at: usize) -> impl Iterator<Item = usize> + use<> {
        let fitting = || {
            let (count, size) = (self.u32(at)? as usize, self.u32(at + 4)? as usize);
            let room = self.0.len().checked_sub(at + 8)?;
            (size > 0 && count.checked_mul(size)? <= room).then_some((count, size))
        };
        let (count, size) = fitting().unwrap_or((0, 1));
        (0..count).map(move |i| at + 8 + i * size)
    }
}

#[cfg(test)]
mod tests {
    use super::length;

    #[test]
    fn lengths_are_read_in_both_forms() {
        assert_eq!(length(&[0x7f]), Some((127, 1)));
        assert_eq!(length(&[0x83, 1, 0, 2]), Some((65_538, 4)));
        assert_eq!(length(&[0x88, 0, 0, 0, 1, 0, 0, 0, 0]), Some((1 << 32, 9)));
        assert_eq!(length(&[0x80]), None);
        assert_eq!(length(&[0x89, 0, 0, 0, 0, 0, 0, 0, 0, 0]), None);
        assert_eq!(length(&[0x84, 0, 0]), None);
    }
}
