//! The CPU form: one row of pixels into the six runs that a debayer makes, so
//! that everything after it is the same.

use fearless_simd::{Level, dispatch};
use platefarm_model::raw::RgbSamples;

/// The single nearest to 1/65535.
const UNIT: f32 = 1.0 / 65_535.0;

/// One row of stored pixels, all of `bytes`. `out` is six runs of half as many
/// values, rounded up: red even, red odd, green even, and so on, even and odd
/// counted from the first pixel. Where the number of pixels is odd, the odd
/// runs end with a zero.
pub fn row(level: Level, samples: RgbSamples, curve: &[f32], bytes: &[u8], out: &mut [f32]) {
    let looked_up = |b: [u8; 2]| curve[usize::from(u16::from_le_bytes(b)).min(curve.len() - 1)];
    match samples {
        // A table is looked up one value at a time whatever the instruction set.
        RgbSamples::U16 | RgbSamples::F16 if !curve.is_empty() => spread(bytes, out, looked_up),
        RgbSamples::U16 => dispatch!(level, _simd => {
            spread(bytes, out, |b| f32::from(u16::from_le_bytes(b)) * UNIT);
        }),
        RgbSamples::F16 => dispatch!(level, _simd => {
            spread(bytes, out, |b| from_half(u16::from_le_bytes(b)));
        }),
        RgbSamples::F32 => dispatch!(level, _simd => spread(bytes, out, f32::from_le_bytes)),
    }
}

/// The value of a half; exact.
#[inline(always)]
#[must_use]
pub fn from_half(half: u16) -> f32 {
    let magnitude = u32::from(half & 0x7fff);
    let denormal = (magnitude as f32 * f32::from_bits(0x3380_0000)).to_bits();
    let normal = (magnitude << 13) + 0x3800_0000;
    let endless = (magnitude << 13) + 0x7000_0000;
    let bits = if magnitude < 0x0400 { denormal } else { normal };
    let bits = if magnitude < 0x7c00 { bits } else { endless };
    f32::from_bits(bits | u32::from(half & 0x8000) << 16)
}

#[inline(always)]
fn spread<const N: usize>(bytes: &[u8], out: &mut [f32], value: impl Fn([u8; N]) -> f32) {
    let length = out.len() / 6;
    let mut runs = out.chunks_exact_mut(length.max(1));
    let runs: [&mut [f32]; 6] = std::array::from_fn(|_| runs.next().unwrap_or_default());
    let (pairs, last) = bytes.as_chunks::<N>().0.as_chunks::<6>();
    let [red, red_odd, green, green_odd, blue, blue_odd] = runs.map(|run| &mut run[..length]);
    for (i, pair) in pairs.iter().enumerate().take(length) {
        let [r, g, b, r_odd, g_odd, b_odd] = pair.map(&value);
        (red[i], green[i], blue[i]) = (r, g, b);
        (red_odd[i], green_odd[i], blue_odd[i]) = (r_odd, g_odd, b_odd);
    }
    if let [r, g, b] = last {
        let end = pairs.len();
        (red[end], green[end], blue[end]) = (value(*r), value(*g), value(*b));
        (red_odd[end], green_odd[end], blue_odd[end]) = (0.0, 0.0, 0.0);
    }
}
