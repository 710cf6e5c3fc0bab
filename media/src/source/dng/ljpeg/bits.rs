//! The bits of an entropy-coded segment, with byte stuffing taken out and
//! padded with zeros behind the end, so that the decoder's inner loop has no
//! bounds to check (ITU-T T.81, F.1.2.3 and B.1.1.5).

/// At least this many bits are at hand after [`Bits::refill`].
pub(super) const REFILLED: u32 = 56;

pub(super) struct Bits<'a> {
    data: &'a [u8],
    position: usize,
    /// The next bits, from the most significant down. Below `count` of them it may
    /// hold the beginning of the byte at `position`, never anything else.
    reservoir: u64,
    count: u32,
    /// Zero bits that were put behind the end of the segment.
    padding: u32,
    /// Set when a code was met that the table does not have.
    pub(super) bad_code: bool,
}

impl<'a> Bits<'a> {
    pub(super) const fn new(data: &'a [u8]) -> Self {
        Self { data, position: 0, reservoir: 0, count: 0, padding: 0, bad_code: false }
    }

    /// Tops the reservoir up to [`REFILLED`] bits or more.
    #[inline(always)]
    pub(super) fn refill(&mut self) {
        if let Some(Ok(next)) =
            self.data.get(self.position..self.position + 8).map(<[u8; 8]>::try_from)
        {
            let word = u64::from_be_bytes(next);
            if !has_ff(word) {
                // As many whole bytes as fit; the rest of `word` is read again.
                self.reservoir |= word >> self.count;
                self.position += ((63 - self.count) >> 3) as usize;
                self.count |= REFILLED;
                return;
            }
        }
        self.refill_bytes();
    }

    /// The same, byte by byte: at stuffed bytes, markers and the end.
    #[inline(never)]
    fn refill_bytes(&mut self) {
        while self.count < REFILLED {
            let byte = match self.data.get(self.position..) {
                Some([0xFF, 0x00, ..]) => {
                    self.position += 2;
                    0xFF
                }
                Some([0xFF, ..] | []) | None => {
                    self.padding += 8;
                    0
                }
                Some([byte, ..]) => {
                    self.position += 1;
                    *byte
                }
            };
            self.reservoir |= u64::from(byte) << (56 - self.count);
            self.count += 8;
        }
    }

    /// The next `n` bits (1 to 16), without taking them.
    #[inline(always)]
    pub(super) const fn peek(&self, n: u32) -> u32 {
        (self.reservoir >> (64 - n)) as u32
    }

    /// Takes as many bits as the low six bits of `n` say. There must be that many.
    #[inline(always)]
    pub(super) const fn take(&mut self, n: u32) {
        self.reservoir = self.reservoir.wrapping_shl(n);
        self.count -= n & 63;
    }

    /// Whether more bits were taken than the segment has.
    pub(super) const fn is_overrun(&self) -> bool {
        self.padding > self.count
    }

    /// Goes behind the next restart marker and returns its number, or `None` when the next marker is another.
    pub(super) fn restart(&mut self) -> Option<u8> {
        while let [first, second, ..] = self.data.get(self.position..)? {
            match (first, second) {
                (0xFF, marker @ 0xD0..=0xD7) => {
                    self.position += 2;
                    (self.reservoir, self.count, self.padding) = (0, 0, 0);
                    return Some(marker - 0xD0);
                }
                // Fill bytes may stand before a marker; a stuffed byte is left-over data.
                (0xFF, 0xFF) => self.position += 1,
                (0xFF, 0x00) => self.position += 2,
                (0xFF, _) => return None,
                _ => self.position += 1,
            }
        }
        None
    }
}

/// Whether one of the eight bytes is 0xFF.
#[inline(always)]
const fn has_ff(word: u64) -> bool {
    const ONES: u64 = 0x0101_0101_0101_0101;
    let inverted = !word;
    inverted.wrapping_sub(ONES) & word & (ONES << 7) != 0
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn ff_is_found_wherever_it_stands() {
        for at in 0..8 {
            for other in [0x00, 0x7F, 0x80, 0xFE] {
                let mut bytes = [other; 8];
                assert!(!has_ff(u64::from_be_bytes(bytes)));
                bytes[at] = 0xFF;
                assert!(has_ff(u64::from_be_bytes(bytes)));
            }
        }
    }

    proptest! {
        /// Against the definition: stuffing removed, bits taken one after the other.
        #[test]
        fn bits_come_in_order(
            bytes in prop::collection::vec(prop_oneof![3 => any::<u8>(), 1 => Just(0xFF)], 0..200),
            sizes in prop::collection::vec(1u32..=16, 1..150),
        ) {
            let stuffed: Vec<u8> =
                bytes.iter().flat_map(|b| if *b == 0xFF { vec![0xFF, 0] } else { vec![*b] }).collect();
            let plain: Vec<u32> =
                bytes.iter().flat_map(|b| (0..8).rev().map(move |i| u32::from(b >> i & 1))).collect();
            let mut bits = Bits::new(&stuffed);
            let mut at = 0;
            for size in sizes {
                bits.refill();
                let end = at + size as usize;
                let expected =
                    (at..end).fold(0, |acc, i| acc << 1 | plain.get(i).copied().unwrap_or(0));
                prop_assert_eq!(bits.peek(size), expected);
                bits.take(size);
                at = end;
                prop_assert_eq!(bits.is_overrun(), at > plain.len());
            }
        }
    }
}
