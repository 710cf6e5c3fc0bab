//! The six hash formats and how they are written.

use md5::Md5;
use sha1::Sha1;
use sha2::{Digest as _, Sha512};
use std::hash::Hasher as _;
use twox_hash::{XxHash3_64, XxHash3_128, XxHash64};

/// A hash format, in the order of the schema.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Format {
    /// SHA-512 in base 58 (SMPTE ST 2114).
    C4,
    /// MD5.
    Md5,
    /// SHA-1.
    Sha1,
    /// XXH3, 128 bits, seed 0. Our default.
    Xxh128,
    /// XXH3, 64 bits, seed 0.
    Xxh3,
    /// XXH64, seed 0.
    Xxh64,
}

/// The value of a hash. Two are equal when their bytes are, however they were written.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Digest {
    format: Format,
    bytes: Box<[u8]>,
}

impl Format {
    /// Every format.
    pub const ALL: [Self; 6] =
        [Self::C4, Self::Md5, Self::Sha1, Self::Xxh128, Self::Xxh3, Self::Xxh64];

    /// Its name in manifests.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::C4 => "c4",
            Self::Md5 => "md5",
            Self::Sha1 => "sha1",
            Self::Xxh128 => "xxh128",
            Self::Xxh3 => "xxh3",
            Self::Xxh64 => "xxh64",
        }
    }

    /// The format of this name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|format| format.name() == name)
    }

    /// Bytes of a value.
    #[must_use]
    pub const fn bytes(self) -> usize {
        match self {
            Self::C4 => 64,
            Self::Md5 | Self::Xxh128 => 16,
            Self::Sha1 => 20,
            Self::Xxh3 | Self::Xxh64 => 8,
        }
    }

    /// The hash of `bytes`.
    #[must_use]
    pub fn of(self, bytes: &[u8]) -> Digest {
        let mut state = State::new(self);
        state.update(bytes);
        state.finish()
    }

    /// Reads a value. Upper-case hexadecimal and white space around it are
    /// let through: it is the bytes that are compared.
    #[must_use]
    pub fn read(self, text: &str) -> Option<Digest> {
        let text = text.trim();
        let bytes = match self {
            Self::C4 => from_c4(text)?,
            _ => from_hex(text)?,
        };
        (bytes.len() == self.bytes()).then(|| Digest { format: self, bytes: bytes.into() })
    }
}

impl Digest {
    /// Its format.
    #[must_use]
    pub const fn format(&self) -> Format {
        self.format
    }

    /// Its bytes, most significant first.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }
}

/// As manifests have it: lower-case hexadecimal, or the C4 id.
impl std::fmt::Display for Digest {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.format {
            Format::C4 => f.write_str(&to_c4(&self.bytes)),
            _ => self.bytes.iter().try_for_each(|byte| write!(f, "{byte:02x}")),
        }
    }
}

/// Several hashes of one reading.
pub struct Hasher(Vec<State>);

impl Hasher {
    /// Hashes in these formats.
    #[must_use]
    pub fn new(formats: &[Format]) -> Self {
        Self(formats.iter().map(|format| State::new(*format)).collect())
    }

    /// Takes the next bytes.
    pub fn update(&mut self, bytes: &[u8]) {
        for state in &mut self.0 {
            state.update(bytes);
        }
    }

    /// The values, in the order of the formats.
    #[must_use]
    pub fn finish(self) -> Vec<Digest> {
        self.0.into_iter().map(State::finish).collect()
    }
}

enum State {
    C4(Sha512),
    Md5(Md5),
    Sha1(Sha1),
    // XXH3 keeps over 500 bytes of state.
    Xxh128(Box<XxHash3_128>),
    Xxh3(Box<XxHash3_64>),
    Xxh64(XxHash64),
}

impl State {
    fn new(format: Format) -> Self {
        match format {
            Format::C4 => Self::C4(Sha512::new()),
            Format::Md5 => Self::Md5(Md5::new()),
            Format::Sha1 => Self::Sha1(Sha1::new()),
            Format::Xxh128 => Self::Xxh128(Box::new(XxHash3_128::new())),
            Format::Xxh3 => Self::Xxh3(Box::new(XxHash3_64::new())),
            Format::Xxh64 => Self::Xxh64(XxHash64::with_seed(0)),
        }
    }

    fn update(&mut self, bytes: &[u8]) {
        match self {
            Self::C4(state) => state.update(bytes),
            Self::Md5(state) => state.update(bytes),
            Self::Sha1(state) => state.update(bytes),
            Self::Xxh128(state) => state.write(bytes),
            Self::Xxh3(state) => state.write(bytes),
            Self::Xxh64(state) => state.write(bytes),
        }
    }

    fn finish(self) -> Digest {
        let (format, bytes): (_, Box<[u8]>) = match self {
            Self::C4(state) => (Format::C4, state.finalize().as_slice().into()),
            Self::Md5(state) => (Format::Md5, state.finalize().as_slice().into()),
            Self::Sha1(state) => (Format::Sha1, state.finalize().as_slice().into()),
            Self::Xxh128(state) => (Format::Xxh128, state.finish_128().to_be_bytes().into()),
            Self::Xxh3(state) => (Format::Xxh3, state.finish().to_be_bytes().into()),
            Self::Xxh64(state) => (Format::Xxh64, state.finish().to_be_bytes().into()),
        };
        Digest { format, bytes }
    }
}

fn from_hex(text: &str) -> Option<Vec<u8>> {
    let digit = |b: u8| char::from(b).to_digit(16).map(|d| d as u8);
    let pairs = text.as_bytes().chunks(2);
    pairs
        .map(|pair| match pair {
            [high, low] => Some(digit(*high)? << 4 | digit(*low)?),
            _ => None,
        })
        .collect()
}

/// Base 58 without the letters that look like others.
const BASE58: &[u8; 58] = b"123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz";
const C4_DIGITS: usize = 88;

fn to_c4(bytes: &[u8]) -> String {
    let mut digits = [0_u8; C4_DIGITS];
    for byte in bytes {
        let mut carry = u32::from(*byte);
        for digit in digits.iter_mut().rev() {
            carry += u32::from(*digit) << 8;
            *digit = (carry % 58) as u8;
            carry /= 58;
        }
    }
    let text: String = digits.iter().map(|digit| char::from(BASE58[usize::from(*digit)])).collect();
    format!("c4{text}")
}

fn from_c4(text: &str) -> Option<Vec<u8>> {
    let digits = text.strip_prefix("c4")?.as_bytes();
    if digits.len() != C4_DIGITS {
        return None;
    }
    let mut bytes = vec![0_u8; 64];
    for digit in digits {
        let mut carry = BASE58.iter().position(|b| b == digit)? as u32;
        for byte in bytes.iter_mut().rev() {
            carry += u32::from(*byte) * 58;
            *byte = carry as u8;
            carry >>= 8;
        }
        if carry != 0 {
            return None;
        }
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Of the empty input: ST 2114's published id, RFC 1321, FIPS 180-4, and xxHash's own sanity values.
    #[test]
    fn empty_input_hashes_as_published() {
        let published = [
            "c459dsjfscH38cYeXXYogktxf4Cd9ibshE3BHUo6a58hBXmRQdZrAkZzsWcbWtDg5oQstpDuni4Hirj75GEmTc1sFT",
            "d41d8cd98f00b204e9800998ecf8427e",
            "da39a3ee5e6b4b0d3255bfef95601890afd80709",
            "99aa06d3014798d86001c324468d497f",
            "2d06800538d394c2",
            "ef46db3751d8e999",
        ];
        let mut hasher = Hasher::new(&Format::ALL);
        hasher.update(b"");
        for ((format, digest), text) in Format::ALL.into_iter().zip(hasher.finish()).zip(published)
        {
            assert_eq!(digest.to_string(), text, "{}", format.name());
            assert_eq!(format.of(b""), digest);
            assert_eq!(Format::parse(format.name()), Some(format));
        }
    }

    #[test]
    fn what_is_no_value_is_refused() {
        assert!(Format::Md5.read("d41d8cd98f00b204e9800998ecf8427").is_none());
        assert!(Format::Md5.read("zz1d8cd98f00b204e9800998ecf8427e").is_none());
        assert!(Format::Xxh64.read("d41d8cd98f00b204e9800998ecf8427e").is_none());
        assert!(Format::C4.read("").is_none());
        assert!(Format::C4.read(&format!("c4{}", "z".repeat(88))).is_none(), "beyond 512 bits");
        assert!(Format::C4.read(&format!("c4{}", "0".repeat(88))).is_none(), "no such digit");
        let upper = Format::Md5.read(" D41D8CD98F00B204E9800998ECF8427E\n");
        assert_eq!(upper, Some(Format::Md5.of(b"")));
    }

    proptest! {
        #[test]
        fn values_read_as_they_are_written(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
            for format in Format::ALL {
                let digest = format.of(&bytes);
                prop_assert_eq!(format.read(&digest.to_string()), Some(digest));
            }
        }
    }
}
