//! The CPU form: one row at a time into 16-bit samples; floats as they are.

use fearless_simd::{Level, dispatch};
use platefarm_model::raw::Packing;

/// Unpacks the first `out.len()` samples of a row. `bytes` begins at the row's
/// first byte and holds at least [`Packing::row_bytes`] of that many samples.
pub fn row(packing: Packing, bytes: &[u8], out: &mut [u16]) {
    let bytes = &bytes[..packing.row_bytes(u32::try_from(out.len()).unwrap_or(u32::MAX))];
    // The byte of the row that holds a byte of the stream: words are stored from their last byte.
    let flip = packing.word_bytes() - 1;
    match packing {
        Packing::U8 => {
            for (o, b) in out.iter_mut().zip(bytes) {
                *o = u16::from(*b);
            }
        }
        Packing::U16Le => {
            for (o, b) in out.iter_mut().zip(bytes.as_chunks::<2>().0) {
                *o = u16::from_le_bytes(*b);
            }
        }
        Packing::U16Be => {
            for (o, b) in out.iter_mut().zip(bytes.as_chunks::<2>().0) {
                *o = u16::from_be_bytes(*b);
            }
        }
        Packing::Msb10 => groups::<5, 4>(bytes, out, 10, flip, |b| {
            let all = u64::from_be_bytes([0, 0, 0, b[0], b[1], b[2], b[3], b[4]]);
            [30, 20, 10, 0].map(|shift| (all >> shift) as u16 & 0x3ff)
        }),
        Packing::Msb12 => groups::<3, 2>(bytes, out, 12, flip, |b| {
            let all = u32::from_be_bytes([0, b[0], b[1], b[2]]);
            [(all >> 12) as u16, all as u16 & 0xfff]
        }),
        Packing::Msb14 => groups::<7, 4>(bytes, out, 14, flip, |b| {
            let all = u64::from_be_bytes([0, b[0], b[1], b[2], b[3], b[4], b[5], b[6]]);
            [42, 28, 14, 0].map(|shift| (all >> shift) as u16 & 0x3fff)
        }),
        Packing::Word10 => groups::<10, 8>(bytes, out, 10, flip, |b| {
            let [w0, w1, w2, w3, w4] = words(b);
            [
                w0 >> 6,
                (w0 << 4 | w1 >> 12) & 0x3ff,
                w1 >> 2 & 0x3ff,
                (w1 << 8 | w2 >> 8) & 0x3ff,
                (w2 << 2 | w3 >> 14) & 0x3ff,
                w3 >> 4 & 0x3ff,
                (w3 << 6 | w4 >> 10) & 0x3ff,
                w4 & 0x3ff,
            ]
        }),
        Packing::Word12 => groups::<6, 4>(bytes, out, 12, flip, |b| {
            let [w0, w1, w2] = words(b);
            [w0 >> 4, (w0 << 8 | w1 >> 8) & 0xfff, (w1 << 4 | w2 >> 12) & 0xfff, w2 & 0xfff]
        }),
        Packing::Word14 => groups::<14, 8>(bytes, out, 14, flip, |b| {
            let w: [u16; 7] = words(b);
            let two = |i: usize| u32::from(w[i]) << 16 | u32::from(w[i + 1]);
            let across = |i: usize, shift: u32| (two(i) >> shift) as u16 & 0x3fff;
            [
                w[0] >> 2,
                across(0, 4),
                across(1, 6),
                across(2, 8),
                across(3, 10),
                across(4, 12),
                across(5, 14),
                w[6] & 0x3fff,
            ]
        }),
        Packing::Lsb12 => {
            let (pairs, rest) = out.as_chunks_mut::<2>();
            let (threes, tail) = bytes.as_chunks::<3>();
            for (o, b) in pairs.iter_mut().zip(threes) {
                let all = u32::from_le_bytes([b[0], b[1], b[2], 0]);
                *o = [all as u16 & 0xfff, (all >> 12) as u16];
            }
            if let ([o], [low, high, ..]) = (rest, tail) {
                *o = u16::from_le_bytes([*low, *high]) & 0xfff;
            }
        }
        Packing::Arri12 => {
            let whole = out.len() / 8 * 8;
            groups::<12, 8>(bytes, &mut out[..whole], 12, flip, |b| {
                let w = [0, 4, 8].map(|i| u32::from_le_bytes([b[i], b[i + 1], b[i + 2], b[i + 3]]));
                let [a, c] = [0, 1].map(|i| u64::from(w[i]) << 32 | u64::from(w[i + 1]));
                let of = |pair: u64, shift: u32| (pair >> shift) as u16 & 0xfff;
                [
                    of(a, 40),
                    of(a, 52),
                    of(a, 16),
                    of(a, 28),
                    of(c, 24),
                    of(a, 4),
                    of(c, 0),
                    of(c, 12),
                ]
            });
            for (i, o) in out.iter_mut().enumerate().skip(whole) {
                *o = one(bytes, (i ^ 1) * 12, 12, flip);
            }
        }
        // Floats are no whole numbers; `floats` reads them.
        Packing::F32Le => out.fill(0),
    }
}

/// The floats of a row of [`Packing::F32Le`] into its even and its odd columns,
/// as many as these hold.
pub fn floats(level: Level, bytes: &[u8], even: &mut [f32], odd: &mut [f32]) {
    dispatch!(level, _simd => {
        let samples = bytes.as_chunks::<4>().0;
        let pairs = samples.as_chunks::<2>().0.iter();
        for ((pair, e), o) in pairs.zip(even.iter_mut()).zip(odd.iter_mut()) {
            (*e, *o) = (f32::from_le_bytes(pair[0]), f32::from_le_bytes(pair[1]));
        }
        if even.len() > odd.len() {
            even[odd.len()] = f32::from_le_bytes(samples[2 * odd.len()]);
        }
    });
}

/// Whole groups of `B` bytes that hold `S` samples, then the odd samples at the end.
#[inline(always)]
fn groups<const B: usize, const S: usize>(
    bytes: &[u8],
    out: &mut [u16],
    bits: usize,
    flip: usize,
    unpack: impl Fn(&[u8; B]) -> [u16; S],
) {
    let whole = out.len() / S;
    let (groups, rest) = out.as_chunks_mut::<S>();
    for (o, b) in groups.iter_mut().zip(bytes.as_chunks::<B>().0) {
        *o = unpack(b);
    }
    for (i, o) in rest.iter_mut().enumerate() {
        *o = one(bytes, (whole * S + i) * bits, bits, flip);
    }
}

/// One sample at a bit position of the stream, most significant bit first.
fn one(bytes: &[u8], bit: usize, bits: usize, flip: usize) -> u16 {
    let byte = |i: usize| u32::from(bytes.get((bit / 8 + i) ^ flip).copied().unwrap_or(0));
    let window = byte(0) << 16 | byte(1) << 8 | byte(2);
    (window >> (24 - bits - bit % 8) & ((1 << bits) - 1)) as u16
}

/// Little-endian words.
#[inline(always)]
fn words<const B: usize, const W: usize>(bytes: &[u8; B]) -> [u16; W] {
    std::array::from_fn(|i| u16::from_le_bytes([bytes[2 * i], bytes[2 * i + 1]]))
}
