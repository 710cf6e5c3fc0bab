//! A TIFF writer, as far as DNG needs it: image file directories in either byte
//! order, and their values, after TIFF 6.0 or BigTIFF.

use crate::spec::ByteOrder;

/// A value with its TIFF type.
#[derive(Clone, Debug)]
pub(crate) enum Value {
    Byte(Vec<u8>),
    Undefined(Vec<u8>),
    Ascii(String),
    Short(Vec<u16>),
    Long(Vec<u32>),
    Rational(Vec<[u32; 2]>),
    SRational(Vec<[i32; 2]>),
}

impl Value {
    /// Type number and count.
    fn kind(&self) -> (u16, usize) {
        match self {
            Self::Byte(v) => (1, v.len()),
            Self::Undefined(v) => (7, v.len()),
            Self::Ascii(v) => (2, v.len() + 1),
            Self::Short(v) => (3, v.len()),
            Self::Long(v) => (4, v.len()),
            Self::Rational(v) => (5, v.len()),
            Self::SRational(v) => (10, v.len()),
        }
    }

    fn bytes(&self, order: ByteOrder) -> Vec<u8> {
        match self {
            Self::Byte(v) | Self::Undefined(v) => v.clone(),
            Self::Ascii(v) => v.bytes().chain([0]).collect(),
            Self::Short(v) => v.iter().flat_map(|x| order.u16(*x)).collect(),
            Self::Long(v) => v.iter().flat_map(|x| order.u32(*x)).collect(),
            Self::Rational(v) => v.iter().flatten().flat_map(|x| order.u32(*x)).collect(),
            Self::SRational(v) => {
                v.iter().flatten().flat_map(|x| order.u32(x.cast_unsigned())).collect()
            }
        }
    }
}

impl ByteOrder {
    pub(crate) const fn u16(self, v: u16) -> [u8; 2] {
        match self {
            Self::Little => v.to_le_bytes(),
            Self::Big => v.to_be_bytes(),
        }
    }

    pub(crate) const fn u32(self, v: u32) -> [u8; 4] {
        match self {
            Self::Little => v.to_le_bytes(),
            Self::Big => v.to_be_bytes(),
        }
    }

    const fn u64(self, v: u64) -> [u8; 8] {
        match self {
            Self::Little => v.to_le_bytes(),
            Self::Big => v.to_be_bytes(),
        }
    }
}

/// How a file's numbers are written.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Format {
    pub(crate) order: ByteOrder,
    /// BigTIFF: counts and offsets of eight bytes.
    pub(crate) wide: bool,
}

impl Format {
    /// What stands before everything: byte order, version, offset of the first directory, which
    /// follows at once.
    pub(crate) fn header(self) -> Vec<u8> {
        let mark: &[u8] = match self.order {
            ByteOrder::Little => b"II",
            ByteOrder::Big => b"MM",
        };
        let order = self.order;
        if self.wide {
            [mark, &order.u16(43), &order.u16(8), &order.u16(0), &order.u64(16)].concat()
        } else {
            [mark, &order.u16(42), &order.u32(8)].concat()
        }
    }

    /// A count or an offset.
    fn word(self, value: usize) -> Vec<u8> {
        if self.wide {
            self.order.u64(value as u64).to_vec()
        } else {
            self.order.u32(value as u32).to_vec()
        }
    }

    /// Bytes of the number of entries, of an entry, of the field in it, and of the next offset.
    const fn sizes(self) -> [usize; 4] {
        if self.wide { [8, 20, 8, 8] } else { [2, 12, 4, 4] }
    }
}

/// An image file directory: tags with values.
#[derive(Clone, Debug, Default)]
pub(crate) struct Ifd(Vec<(u16, Value)>);

impl Ifd {
    /// Adds a tag, or replaces its value.
    pub(crate) fn set(&mut self, tag: u16, value: Value) {
        match self.0.binary_search_by_key(&tag, |entry| entry.0) {
            Ok(at) => self.0[at].1 = value,
            Err(at) => self.0.insert(at, (tag, value)),
        }
    }

    /// Bytes that the directory takes with the values that do not fit into its
    /// entries. It depends on types and counts only, so offsets may be set afterwards.
    pub(crate) fn size(&self, format: Format) -> usize {
        let [count, entry, field, next] = format.sizes();
        let outside: usize = self
            .0
            .iter()
            .map(|(_, value)| value.bytes(ByteOrder::Little).len())
            .filter(|n| *n > field)
            .map(|n| n.next_multiple_of(2))
            .sum();
        count + entry * self.0.len() + next + outside
    }

    /// The directory as it stands at file offset `at`; it is the last of its chain.
    pub(crate) fn bytes(&self, format: Format, at: usize) -> Vec<u8> {
        let [count_bytes, entry_bytes, field_bytes, next_bytes] = format.sizes();
        let order = format.order;
        let mut head = if format.wide {
            format.word(self.0.len())
        } else {
            Vec::from(order.u16(self.0.len() as u16))
        };
        let mut tail = Vec::new();
        let tail_at = at + count_bytes + entry_bytes * self.0.len() + next_bytes;
        for (tag, value) in &self.0 {
            let (kind, count) = value.kind();
            let mut bytes = value.bytes(order);
            head.extend(order.u16(*tag));
            head.extend(order.u16(kind));
            head.extend(format.word(count));
            if bytes.len() <= field_bytes {
                bytes.resize(field_bytes, 0);
                head.extend(bytes);
            } else {
                head.extend(format.word(tail_at + tail.len()));
                bytes.resize(bytes.len().next_multiple_of(2), 0);
                tail.extend(bytes);
            }
        }
        head.extend(format.word(0));
        head.extend(tail);
        head
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_directory_is_as_long_as_it_says() {
        let mut ifd = Ifd::default();
        ifd.set(300, Value::Ascii("odd!".into()));
        ifd.set(256, Value::Long(vec![7]));
        ifd.set(270, Value::Short(vec![1, 2, 3]));
        ifd.set(256, Value::Long(vec![9]));
        for order in [ByteOrder::Little, ByteOrder::Big] {
            let format = Format { order, wide: false };
            let bytes = ifd.bytes(format, 8);
            assert_eq!(bytes.len(), ifd.size(format));
            assert_eq!(bytes[..2], order.u16(3));
            assert_eq!(bytes[2..4], order.u16(256), "tags ascend");
            assert_eq!(bytes[10..14], order.u32(9), "the later value wins");
            let wide = Format { order, wide: true };
            let bytes = ifd.bytes(wide, 16);
            assert_eq!(bytes.len(), ifd.size(wide));
            assert_eq!(bytes[..8], order.u64(3));
            assert_eq!(bytes[20..24], order.u32(9));
        }
    }
}
