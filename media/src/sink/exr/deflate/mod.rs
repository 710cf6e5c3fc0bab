//! A deflate for the differences of a plate: Huffman codes and runs, no search.
//!
//! What a plate's bytes have in common with those before them is little: a
//! photograph's differences hardly ever come back in the same order, so a
//! search for repetitions (LZ77) costs nearly all of the time and finds next to
//! nothing. What does pay is that the low bytes of halves and their high bytes
//! are two different things: the low ones are noise, the high ones are nearly all one of a
//! few values. So each half of a block gets codes of its own (RFC 1951, 3.2.7), or
//! is stored where codes would not make it smaller, and what is even (a black border) is
//! told as runs, a match with the byte before. The result is a zlib stream like any
//! other (RFC 1950), and no larger than what a search makes of grain; what a search is
//! better at (graphics, charts) is left to one: see [`super::zip`].

mod lengths;
#[cfg(test)]
mod tests;

use lengths::{Code, code_lengths, codes};
use std::array::from_fn;

/// Longest code, in bits: four of them and what is left of a byte fit in a word.
const LONGEST: usize = 12;
/// Literals, the end of a block, and lengths of matches.
const SYMBOLS: usize = 286;
const END: usize = 256;
/// Shortest run that is told as one.
const SHORTEST: usize = 4;
const LONGEST_RUN: usize = 258;
/// Most bytes of a stored block.
const STORED: usize = 65_535;
/// A half is stored where codes would leave more than this share of it: they would cost more than they save.
const WORTH: f64 = 0.97;

/// Room for the words that are written past the end.
const SLACK: usize = 16;

/// Packs; keeps its buffers between blocks.
#[derive(Debug, Default)]
pub(super) struct Deflate {
    tokens: Vec<u16>,
}

impl Deflate {
    /// `bytes` as a zlib stream, each part up to the next of `cuts` with codes of
    /// its own; the length, where `out` has room for it.
    pub(super) fn zlib(&mut self, bytes: &[u8], cut: usize, out: &mut [u8]) -> Option<usize> {
        let mut bits = Bits { out, at: 0, word: 0, count: 0 };
        // Deflate with a window of 32 KiB, the fastest way, no dictionary.
        bits.bytes(&[0x78, 0x01])?;
        let (first, second) = bytes.split_at(cut.min(bytes.len()));
        self.part(first, &mut bits, false)?;
        self.part(second, &mut bits, true)?;
        bits.align();
        bits.bytes(&simd_adler32::adler32(&bytes).to_be_bytes())?;
        Some(bits.at)
    }

    /// One half, as the last block or one before it.
    fn part(&mut self, bytes: &[u8], bits: &mut Bits<'_>, last: bool) -> Option<()> {
        let runs = has_runs(bytes);
        if runs {
            tokens(bytes, &mut self.tokens);
        }
        let mut counts = if runs { count_tokens(&self.tokens) } else { count_bytes(bytes) };
        counts[END] = 1;
        let lengths = code_lengths(&counts, LONGEST);
        let cost: u64 = (0..SYMBOLS)
            .map(|s| u64::from(counts[s]) * (u64::from(lengths[s]) + u64::from(extra_bits(s))))
            .sum();
        if cost as f64 > WORTH * 8.0 * bytes.len() as f64 {
            return stored(bytes, bits, last);
        }
        if bits.at + cost as usize / 8 + 400 + SLACK > bits.out.len() {
            return None;
        }
        bits.put(u64::from(last) | 2 << 1, 3);
        let codes = codes(&lengths);
        write_lengths(&lengths, bits);
        if runs {
            for token in &self.tokens {
                put_token(*token, &codes, bits);
            }
        } else {
            put_bytes(bytes, &codes, bits);
        }
        bits.put_code(codes[END]);
        Some(())
    }
}

/// Bits into bytes, the lowest first.
struct Bits<'a> {
    out: &'a mut [u8],
    at: usize,
    word: u64,
    count: u32,
}

impl Bits<'_> {
    /// Takes at most 48 bits; there is room, which was looked at beforehand.
    #[inline(always)]
    fn put(&mut self, value: u64, bits: u32) {
        self.word |= value << self.count;
        self.count += bits;
        self.flush();
    }

    #[inline(always)]
    fn put_code(&mut self, code: Code) {
        self.put(u64::from(code.bits), u32::from(code.length));
    }

    /// Hands over whole bytes; fewer than eight bits stay.
    #[inline(always)]
    fn flush(&mut self) {
        self.out[self.at..self.at + 8].copy_from_slice(&self.word.to_le_bytes());
        self.at += (self.count / 8) as usize;
        self.word >>= self.count & !7;
        self.count &= 7;
    }

    /// Fills the last byte up.
    fn align(&mut self) {
        if self.count > 0 {
            self.out[self.at] = self.word as u8;
            self.at += 1;
            (self.word, self.count) = (0, 0);
        }
    }

    /// Whole bytes, from the next whole byte on.
    fn bytes(&mut self, bytes: &[u8]) -> Option<()> {
        self.align();
        self.out.get_mut(self.at..self.at + bytes.len())?.copy_from_slice(bytes);
        self.at += bytes.len();
        Some(())
    }
}

/// Blocks that hold the bytes as they are.
fn stored(bytes: &[u8], bits: &mut Bits<'_>, last: bool) -> Option<()> {
    let count = bytes.len().div_ceil(STORED).max(1);
    for i in 0..count {
        let part = &bytes[i * STORED..bytes.len().min((i + 1) * STORED)];
        if bits.at + part.len() + 5 + SLACK > bits.out.len() {
            return None;
        }
        bits.put(u64::from(last && i + 1 == count), 3);
        bits.align();
        let length = part.len() as u16;
        bits.bytes(&length.to_le_bytes())?;
        bits.bytes(&(!length).to_le_bytes())?;
        bits.bytes(part)?;
    }
    Some(())
}

/// Whether most bytes are equal to the three before them.
fn has_runs(bytes: &[u8]) -> bool {
    let even: usize = bytes
        .chunks(4096)
        .map(|part| {
            let count = part.len().saturating_sub(3);
            let [a, b, c, d] = [0, 1, 2, 3].map(|k| &part[k.min(part.len())..][..count]);
            let even = |i: usize| u16::from((a[i] == b[i]) & (b[i] == c[i]) & (c[i] == d[i]));
            usize::from((0..count).map(even).sum::<u16>())
        })
        .sum();
    // A code is one bit at least, so runs pay where there is little else; below, measured, they cost.
    even > bytes.len() / 8 * 5
}

/// Literals as they are; 256 and more are runs of the byte before, of that less [`END`] bytes.
fn tokens(bytes: &[u8], tokens: &mut Vec<u16>) {
    tokens.clear();
    let mut rest = bytes;
    while let Some((first, behind)) = rest.split_first() {
        tokens.push(u16::from(*first));
        let mut run = behind.iter().position(|b| b != first).unwrap_or(behind.len());
        rest = &behind[run..];
        while run >= SHORTEST {
            let length = run.min(LONGEST_RUN);
            tokens.push((END + length) as u16);
            run -= length;
        }
        tokens.extend(std::iter::repeat_n(u16::from(*first), run));
    }
}

/// How often each byte comes.
fn count_bytes(bytes: &[u8]) -> [u32; SYMBOLS] {
    // Four tables, so that equal bytes side by side do not wait for each other.
    let mut tables = [[0_u32; 256]; 4];
    let (fours, rest) = bytes.as_chunks::<4>();
    for four in fours {
        for (table, byte) in tables.iter_mut().zip(four) {
            table[usize::from(*byte)] += 1;
        }
    }
    for byte in rest {
        tables[0][usize::from(*byte)] += 1;
    }
    from_fn(|s| if s < 256 { tables.iter().map(|table| table[s]).sum() } else { 0 })
}

fn count_tokens(tokens: &[u16]) -> [u32; SYMBOLS] {
    let mut counts = [0; SYMBOLS];
    for token in tokens {
        counts[symbol_of(*token).0] += 1;
    }
    counts
}

/// First length and extra bits of each symbol from 257 on (RFC 1951, 3.2.5).
const LENGTHS: [(u16, u8); 29] = [
    (3, 0),
    (4, 0),
    (5, 0),
    (6, 0),
    (7, 0),
    (8, 0),
    (9, 0),
    (10, 0),
    (11, 1),
    (13, 1),
    (15, 1),
    (17, 1),
    (19, 2),
    (23, 2),
    (27, 2),
    (31, 2),
    (35, 3),
    (43, 3),
    (51, 3),
    (59, 3),
    (67, 4),
    (83, 4),
    (99, 4),
    (115, 4),
    (131, 5),
    (163, 5),
    (195, 5),
    (227, 5),
    (258, 0),
];

/// Extra bits of a symbol, the bit of the distance included.
fn extra_bits(symbol: usize) -> u8 {
    if symbol > END { LENGTHS[symbol - END - 1].1 + 1 } else { 0 }
}

/// The symbol of a token, and its extra bits.
#[inline(always)]
fn symbol_of(token: u16) -> (usize, u16, u8) {
    if usize::from(token) < END {
        return (usize::from(token), 0, 0);
    }
    let length = token - END as u16;
    let at = LENGTHS.partition_point(|(first, _)| *first <= length) - 1;
    let (first, extra) = LENGTHS[at];
    (END + 1 + at, length - first, extra)
}

/// A literal, or a run: a match with the byte before.
#[inline(always)]
fn put_token(token: u16, codes: &[Code; SYMBOLS], bits: &mut Bits<'_>) {
    let (symbol, rest, extra) = symbol_of(token);
    bits.put_code(codes[symbol]);
    if symbol > END {
        // The distance 1 is symbol 0, whose code is one bit of 0.
        bits.put(u64::from(rest), u32::from(extra) + 1);
    }
}

/// Literals, four at a time.
fn put_bytes(bytes: &[u8], codes: &[Code; SYMBOLS], bits: &mut Bits<'_>) {
    let table: [u32; 256] =
        from_fn(|s| u32::from(codes[s].bits) | u32::from(codes[s].length) << 16);
    let (fours, rest) = bytes.as_chunks::<4>();
    let Bits { out, at, word, count } = bits;
    for four in fours {
        for byte in four {
            let code = table[usize::from(*byte)];
            *word |= u64::from(code & 0xffff) << *count;
            *count += code >> 16;
        }
        out[*at..*at + 8].copy_from_slice(&word.to_le_bytes());
        *at += (*count / 8) as usize;
        *word >>= *count & !7;
        *count &= 7;
    }
    for byte in rest {
        bits.put_code(codes[usize::from(*byte)]);
    }
}

/// The lengths of the codes of literals and of two distances, themselves in
/// codes (RFC 1951, 3.2.7). Two distances, since not every reader likes one.
fn write_lengths(lengths: &[u8; SYMBOLS], bits: &mut Bits<'_>) {
    const ORDER: [usize; 19] = [16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15];
    let all: Vec<u8> = lengths.iter().copied().chain([1, 1]).collect();
    // A symbol each, and what is repeated how often: 18 is 11 to 138 zeros, 17 is 3 to 10.
    let mut words: Vec<(u8, u64, u32)> = Vec::with_capacity(all.len());
    let mut rest = &all[..];
    while let Some(first) = rest.first() {
        let zeros = rest.iter().take(138).take_while(|l| **l == 0).count();
        let (word, used) = match zeros {
            0..3 => ((*first, 0, 0), 1),
            3..11 => ((17, zeros as u64 - 3, 3), zeros),
            _ => ((18, zeros as u64 - 11, 7), zeros),
        };
        words.push(word);
        rest = &rest[used..];
    }
    let mut counts = [0_u32; 19];
    words.iter().for_each(|(symbol, ..)| counts[usize::from(*symbol)] += 1);
    let code_lengths = code_lengths(&counts, 7);
    let code_codes = codes(&code_lengths);
    let count = (4..=19).rev().find(|n| code_lengths[ORDER[n - 1]] > 0).unwrap_or(4);
    bits.put(SYMBOLS as u64 - 257, 5);
    bits.put(2 - 1, 5);
    bits.put(count as u64 - 4, 4);
    for symbol in &ORDER[..count] {
        bits.put(u64::from(code_lengths[*symbol]), 3);
    }
    for (symbol, value, extra) in words {
        bits.put_code(code_codes[usize::from(symbol)]);
        bits.put(value, extra);
    }
}
