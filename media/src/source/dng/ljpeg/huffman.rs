//! Huffman tables of lossless JPEG: from the file's list of code lengths to a
//! table that turns the next bits straight into a difference (ITU-T T.81,
//! annex C for the codes, H.1.2.2 for the differences).

use super::bits::Bits;
use platefarm_model::{Code, Fault, Outcome};

/// Bits that index the table. Four looks must fit in a refilled reservoir, and the tables of two
/// components (16 KiB each) together in the nearest cache.
const LOOK: u32 = 12;

/// Marks an entry whose difference is not in the table.
const INCOMPLETE: u32 = 1 << 6;

/// One table.
pub(super) struct Table {
    /// By the next [`LOOK`] bits. A complete entry holds the bits to take in
    /// its low six bits and the difference in its high sixteen. An incomplete
    /// one holds the length of the code, [`INCOMPLETE`], and the category in
    /// bits 8 to 12; a length of zero says that the code is longer than the look.
    look: Box<[u32; 1 << LOOK]>,
    /// Per code length: one past the largest code, left-aligned to 16 bits; ascending.
    limit: [u32; 17],
    /// Per code length: what to add to a code to get the index of its category.
    delta: [i32; 17],
    categories: Vec<u8>,
}

impl Table {
    /// The table of a DHT segment: how many codes there are of each length, and their categories in order.
    ///
    /// # Errors
    /// [`Code::BadStructure`] when the lengths make no prefix code, or a category is not 0 to 16.
    pub(super) fn new(counts: &[u8; 16], categories: &[u8]) -> Outcome<Self> {
        let bad = |what: String| Fault::new(Code::BadStructure, what);
        if let Some(category) = categories.iter().find(|c| **c > 16) {
            return Err(bad(format!("category {category} in a Huffman table")));
        }
        let mut table = Self {
            look: Box::new([INCOMPLETE; 1 << LOOK]),
            limit: [0; 17],
            delta: [0; 17],
            categories: categories.to_vec(),
        };
        let (mut code, mut index) = (0u32, 0usize);
        for length in 1..=16u32 {
            table.delta[length as usize] = index as i32 - code as i32;
            for _ in 0..counts[length as usize - 1] {
                let category = *categories
                    .get(index)
                    .ok_or_else(|| bad("a Huffman table that ends early".into()))?;
                if code >= 1 << length {
                    return Err(bad(format!(
                        "a Huffman table with too many codes of {length} bits"
                    )));
                }
                table.enter(code, length, u32::from(category));
                code += 1;
                index += 1;
            }
            table.limit[length as usize] = code << (16 - length);
            code <<= 1;
        }
        Ok(table)
    }

    /// Enters a code into every place of the look that begins with it.
    fn enter(&mut self, code: u32, length: u32, category: u32) {
        if length > LOOK {
            return;
        }
        let free = LOOK - length;
        let extra = if category == 16 { 0 } else { category };
        for rest in 0..1u32 << free {
            self.look[(code << free | rest) as usize] = if category < 16 && extra <= free {
                let difference = difference(category, rest >> (free - extra));
                (difference as u32) << 16 | (length + extra)
            } else {
                category << 8 | INCOMPLETE | length
            };
        }
    }

    /// Takes one difference. There must be [`LOOK`] bits at hand.
    #[inline(always)]
    pub(super) fn difference(&self, bits: &mut Bits<'_>) -> i32 {
        let entry = self.look[bits.peek(LOOK) as usize];
        if entry & INCOMPLETE == 0 {
            bits.take(entry);
            entry as i32 >> 16
        } else {
            self.long_difference(bits, entry)
        }
    }

    /// The rare ones: long codes, large differences. Leaves the reservoir refilled.
    #[cold]
    #[inline(never)]
    fn long_difference(&self, bits: &mut Bits<'_>, entry: u32) -> i32 {
        bits.refill();
        let (length, category) = if entry & 63 == 0 {
            let next = bits.peek(16);
            let Some(length) = (1..=16).find(|l| next < self.limit[*l]) else {
                bits.bad_code = true;
                return 0;
            };
            let index = (next >> (16 - length)) as i32 + self.delta[length];
            let category = self.categories.get(index as usize).copied().unwrap_or(0);
            (length as u32, u32::from(category))
        } else {
            (entry & 63, entry >> 8)
        };
        bits.take(length);
        let value = match category {
            0 => 0,
            // The one difference without a sign: 32768, with no further bits.
            16 => 1 << 15,
            _ => {
                let value = difference(category, bits.peek(category));
                bits.take(category);
                value
            }
        };
        bits.refill();
        value
    }
}

/// The difference that `extra` means in `category` (T.81, table H.2): the upper half is positive.
const fn difference(category: u32, extra: u32) -> i32 {
    if category == 0 {
        0
    } else if extra >> (category - 1) == 1 {
        extra as i32
    } else {
        extra as i32 - (1 << category) + 1
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn differences_are_the_standards() {
        // T.81, tables F.1 and H.2.
        assert_eq!([difference(1, 0), difference(1, 1)], [-1, 1]);
        assert_eq!([0, 1, 2, 3].map(|e| difference(2, e)), [-3, -2, 2, 3]);
        assert_eq!([difference(15, 0), difference(15, 0x7FFF)], [-32767, 32767]);
    }

    #[test]
    fn impossible_tables_are_refused() {
        let counts = |length: usize, n: u8| {
            let mut counts = [0; 16];
            counts[length - 1] = n;
            counts
        };
        assert!(Table::new(&counts(1, 3), &[0, 1, 2]).is_err(), "three codes of one bit");
        assert!(Table::new(&counts(2, 2), &[0]).is_err(), "fewer categories than codes");
        assert!(Table::new(&counts(2, 1), &[17]).is_err(), "no such category");
    }

    /// Every code length and category, taken by the definition.
    #[test]
    fn long_codes_and_large_differences_are_read() {
        // One code of each length: 0, 10, 110, ... and the categories from 16 down to 1.
        let categories: Vec<u8> = (1..=16).rev().collect();
        let table = Table::new(&[1; 16], &categories).unwrap();
        for (i, category) in categories.iter().enumerate() {
            let code_bits = i as u32 + 1;
            let code = (1u64 << code_bits) - 2;
            let (extra_bits, extra, expected) = match category {
                16 => (0, 0, 32768),
                c => (u32::from(*c), (1u64 << c) - 1, (1i32 << c) - 1),
            };
            let word = (code << extra_bits | extra) << (64 - code_bits - extra_bits);
            let stuffed: Vec<u8> = word
                .to_be_bytes()
                .into_iter()
                .flat_map(|b| if b == 0xFF { vec![0xFF, 0] } else { vec![b] })
                .collect();
            let mut bits = Bits::new(&stuffed);
            bits.refill();
            assert_eq!(table.difference(&mut bits), expected, "category {category}");
            assert!(!bits.bad_code);
        }
        let mut bits = Bits::new(&[0xFF, 0, 0xFF, 0, 0xFF, 0]);
        bits.refill();
        table.difference(&mut bits);
        assert!(bits.bad_code, "sixteen ones are no code");
    }
}
