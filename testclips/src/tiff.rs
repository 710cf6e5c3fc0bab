//! A TIFF 6.0 writer, as far as DNG needs it: image file directories in either
//! byte order, and their values.

use crate::spec::ByteOrder;

/// A value with its TIFF type.
#[derive(Clone, Debug)]
pub(crate) enum Value {
    Byte(Vec<u8>),
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
            Self::Ascii(v) => (2, v.len() + 1),
            Self::Short(v) => (3, v.len()),
            Self::Long(v) => (4, v.len()),
            Self::Rational(v) => (5, v.len()),
            Self::SRational(v) => (10, v.len()),
        }
    }

    fn bytes(&self, order: ByteOrder) -> Vec<u8> {
        match self {
            Self::Byte(v) => v.clone(),
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
    pub(crate) fn size(&self) -> usize {
        let outside: usize = self
            .0
            .iter()
            .map(|(_, value)| value.bytes(ByteOrder::Little).len())
            .filter(|n| *n > 4)
            .map(|n| n.next_multiple_of(2))
            .sum();
        2 + 12 * self.0.len() + 4 + outside
    }

    /// The directory as it stands at file offset `at`; it is the last of its chain.
    pub(crate) fn bytes(&self, order: ByteOrder, at: usize) -> Vec<u8> {
        let mut head = Vec::from(order.u16(self.0.len() as u16));
        let mut tail = Vec::new();
        let tail_at = at + 2 + 12 * self.0.len() + 4;
        for (tag, value) in &self.0 {
            let (kind, count) = value.kind();
            let mut bytes = value.bytes(order);
            head.extend(order.u16(*tag));
            head.extend(order.u16(kind));
            head.extend(order.u32(count as u32));
            if bytes.len() <= 4 {
                bytes.resize(4, 0);
                head.extend(bytes);
            } else {
                head.extend(order.u32((tail_at + tail.len()) as u32));
                bytes.resize(bytes.len().next_multiple_of(2), 0);
                tail.extend(bytes);
            }
        }
        head.extend([0; 4]);
        head.extend(tail);
        head
    }
}

/// The eight bytes before everything: byte order, 42, offset of the first directory.
pub(crate) fn header(order: ByteOrder) -> Vec<u8> {
    let mark: &[u8] = match order {
        ByteOrder::Little => b"II",
        ByteOrder::Big => b"MM",
    };
    [mark, &order.u16(42), &order.u32(8)].concat()
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
            let bytes = ifd.bytes(order, 8);
            assert_eq!(bytes.len(), ifd.size());
            assert_eq!(bytes[..2], order.u16(3));
            assert_eq!(bytes[2..4], order.u16(256), "tags ascend");
            assert_eq!(bytes[10..14], order.u32(9), "the later value wins");
        }
    }
}
