//! The CPU form: one row at a time into 16-bit samples.

use platefarm_model::raw::Packing;

/// Unpacks the first `out.len()` samples of a row. `bytes` begins at the row's
/// first byte and holds at least [`Packing::row_bytes`] of that many samples.
pub fn row(packing: Packing, bytes: &[u8], out: &mut [u16]) {
    let bytes = &bytes[..packing.row_bytes(u32::try_from(out.len()).unwrap_or(u32::MAX))];
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
        Packing::Msb10 => groups::<5, 4>(bytes, out, 10, |b| {
            let all = u64::from_be_bytes([0, 0, 0, b[0], b[1], b[2], b[3], b[4]]);
            [30, 20, 10, 0].map(|shift| (all >> shift) as u16 & 0x3ff)
        }),
        Packing::Msb12 => groups::<3, 2>(bytes, out, 12, |b| {
            let all = u32::from_be_bytes([0, b[0], b[1], b[2]]);
            [(all >> 12) as u16, all as u16 & 0xfff]
        }),
        Packing::Msb14 => groups::<7, 4>(bytes, out, 14, |b| {
            let all = u64::from_be_bytes([0, b[0], b[1], b[2], b[3], b[4], b[5], b[6]]);
            [42, 28, 14, 0].map(|shift| (all >> shift) as u16 & 0x3fff)
        }),
        // Floats are not unpacked to whole numbers.
        Packing::F32Le => out.fill(0),
    }
}

/// Whole groups of `B` bytes that hold `S` samples, then the odd samples at the end.
#[inline(always)]
fn groups<const B: usize, const S: usize>(
    bytes: &[u8],
    out: &mut [u16],
    bits: usize,
    unpack: impl Fn(&[u8; B]) -> [u16; S],
) {
    let whole = out.len() / S;
    let (groups, rest) = out.as_chunks_mut::<S>();
    for (o, b) in groups.iter_mut().zip(bytes.as_chunks::<B>().0) {
        *o = unpack(b);
    }
    for (i, o) in rest.iter_mut().enumerate() {
        *o = one(bytes, (whole * S + i) * bits, bits);
    }
}

/// One sample at a bit position, most significant bit first.
fn one(bytes: &[u8], bit: usize, bits: usize) -> u16 {
    let byte = |i: usize| u32::from(bytes.get(bit / 8 + i).copied().unwrap_or(0));
    let window = byte(0) << 16 | byte(1) << 8 | byte(2);
    (window >> (24 - bits - bit % 8) & ((1 << bits) - 1)) as u16
}
