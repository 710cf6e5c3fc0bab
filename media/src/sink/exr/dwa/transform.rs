//! Squares of 8x8 values, sixteen at a time, one in each lane of wide
//! registers: colour, cosine transform, and rounding to the halves with the
//! fewest bits set.

use super::curve;

/// Squares that are transformed together.
pub(super) const LANES: usize = 16;
/// Side of a square.
pub(super) const SIDE: usize = 8;
/// Values of a square.
pub(super) const SQUARE: usize = SIDE * SIDE;

/// Place of each coefficient, in the order of rising frequency (ISO/IEC 10918-1, figure 5).
const ZIGZAG: [u8; SQUARE] = [
    0, 1, 8, 16, 9, 2, 3, 10, 17, 24, 32, 25, 18, 11, 4, 5, 12, 19, 26, 33, 40, 48, 41, 34, 27, 20,
    13, 6, 7, 14, 21, 28, 35, 42, 49, 56, 57, 50, 43, 36, 29, 22, 15, 23, 30, 37, 44, 51, 58, 59,
    52, 45, 38, 31, 39, 46, 53, 60, 61, 54, 47, 55, 62, 63,
];
/// How much error a coefficient bears, of luma and of chroma (ISO/IEC 10918-1, tables K.1 and
/// K.2). OpenEXR divides them by their least, 10 and 17.
const LUMA: [u8; SQUARE] = [
    16, 11, 10, 16, 24, 40, 51, 61, 12, 12, 14, 19, 26, 58, 60, 55, 14, 13, 16, 24, 40, 57, 69, 56,
    14, 17, 22, 29, 51, 87, 80, 62, 18, 22, 37, 56, 68, 109, 103, 77, 24, 35, 55, 64, 81, 104, 113,
    92, 49, 64, 78, 87, 103, 121, 120, 101, 72, 92, 95, 98, 112, 100, 103, 99,
];
const CHROMA: [u8; SQUARE] = [
    17, 18, 24, 47, 99, 99, 99, 99, 18, 21, 26, 66, 99, 99, 99, 99, 24, 26, 56, 99, 99, 99, 99, 99,
    47, 66, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99,
    99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99,
];
/// Half the cosines of k sixteenths of pi, k from 0 to 7.
const HALF_COSINES: [f32; SIDE] = [
    0.5,
    0.490_392_64,
    0.461_939_77,
    0.415_734_8,
    0.353_553_4,
    0.277_785_12,
    0.191_341_72,
    0.097_545_16,
];

/// Sixteen squares side by side.
pub(super) struct Strip {
    /// Red, green, blue, and then Y', Cb, Cr: values by place in the square, then by lane.
    values: [[[f32; LANES]; SQUARE]; 3],
    /// Rounded coefficients as half bits, in the order of rising frequency.
    rounded: [[[u16; LANES]; SQUARE]; 3],
    /// Bit k: coefficient k is not 0; the low and the high half of them.
    present: [[[u32; LANES]; 2]; 3],
    /// The error that each coefficient bears: luma, chroma.
    errors: [[f32; SQUARE]; 2],
    curve: &'static [f32],
}

impl Strip {
    pub(super) fn new(level: f32) -> Self {
        let errors = [(LUMA, 10.0), (CHROMA, 17.0)];
        Self {
            values: [[[0.0; LANES]; SQUARE]; 3],
            rounded: [[[0; LANES]; SQUARE]; 3],
            present: [[[0; LANES]; 2]; 3],
            errors: errors.map(|(table, least)| {
                ZIGZAG.map(|place| level / 100_000.0 * f32::from(table[usize::from(place)]) / least)
            }),
            curve: curve::table(),
        }
    }

    /// Loads a channel from `[x, y]`, through the curve. What lies beyond the
    /// picture to the right or below is its mirror image.
    pub(super) fn load(&mut self, channel: usize, plane: &[u16], width: usize, [x, y]: [usize; 2]) {
        let rows = plane.len() / width;
        for (row, to) in self.values[channel].chunks_exact_mut(SIDE).enumerate() {
            let from = &plane[mirrored(y + row, rows) * width..][..width];
            if let Some(inside) = from.get(x..x + SIDE * LANES) {
                for (lane, values) in inside.chunks_exact(SIDE).enumerate() {
                    for (to, value) in to.iter_mut().zip(values) {
                        to[lane] = self.curve[usize::from(*value)];
                    }
                }
            } else {
                for (column, to) in to.iter_mut().enumerate() {
                    for (lane, to) in to.iter_mut().enumerate() {
                        let value = from[mirrored(x + lane * SIDE + column, width)];
                        *to = self.curve[usize::from(value)];
                    }
                }
            }
        }
    }

    /// From colours to rounded coefficients.
    #[inline(always)]
    pub(super) fn quantise(&mut self) {
        self.luma_and_chroma();
        for (component, values) in self.values.iter_mut().enumerate() {
            for line in 0..SIDE {
                cosine_transform(values, line * SIDE, 1);
            }
            for line in 0..SIDE {
                cosine_transform(values, line, SIDE);
            }
            let errors = &self.errors[component.min(1)];
            let present = &mut self.present[component];
            *present = [[0; LANES]; 2];
            for (k, (to, place)) in self.rounded[component].iter_mut().zip(ZIGZAG).enumerate() {
                let from = &values[usize::from(place)];
                let bits = &mut present[k / 32];
                for ((to, value), bits) in to.iter_mut().zip(from).zip(bits) {
                    *to = fewest_bits(*value, errors[k]);
                    *bits |= u32::from(*to != 0) << (k % 32);
                }
            }
        }
    }

    /// R'G'B' to Y'CbCr of Rec. 709, with OpenEXR's rounding of the coefficients.
    #[inline(always)]
    fn luma_and_chroma(&mut self) {
        let [red, green, blue] = &mut self.values;
        for ((r, g), b) in red.iter_mut().zip(green).zip(blue) {
            for ((r, g), b) in r.iter_mut().zip(g).zip(b) {
                let rgb = [*r, *g, *b];
                *r = 0.2126 * rgb[0] + 0.7152 * rgb[1] + 0.0722 * rgb[2];
                *g = -0.1146 * rgb[0] - 0.3854 * rgb[1] + 0.5 * rgb[2];
                *b = 0.5 * rgb[0] - 0.4542 * rgb[1] - 0.0458 * rgb[2];
            }
        }
    }

    /// The coefficients of a square in the order of rising frequency, and which of them are not 0.
    pub(super) fn square(
        &self,
        component: usize,
        lane: usize,
    ) -> (impl Fn(usize) -> u16 + Copy, u64) {
        let rounded = &self.rounded[component];
        let [low, high] = self.present[component].map(|bits| u64::from(bits[lane]));
        (move |k: usize| rounded[k][lane], low | high << 32)
    }
}

/// The index that stands for `index` in a mirror at the end of `length`.
fn mirrored(index: usize, length: usize) -> usize {
    if index < length { index } else { (2 * length - 1).checked_sub(index).unwrap_or(length - 1) }
}

/// The orthonormal cosine transform (DCT-II) of 8 values, `step` apart from
/// `first`, in every lane. Sums and differences of mirrored values halve the work twice.
#[inline(always)]
#[expect(
    clippy::needless_range_loop,
    reason = "the lane is the loop that goes through wide registers"
)]
fn cosine_transform(values: &mut [[f32; LANES]; SQUARE], first: usize, step: usize) {
    let [_, c1, c2, c3, c4, c5, c6, c7] = HALF_COSINES;
    for lane in 0..LANES {
        let v: [f32; SIDE] = std::array::from_fn(|i| values[first + i * step][lane]);
        let [s0, s1, s2, s3] = [v[0] + v[7], v[1] + v[6], v[2] + v[5], v[3] + v[4]];
        let [d0, d1, d2, d3] = [v[0] - v[7], v[1] - v[6], v[2] - v[5], v[3] - v[4]];
        let [outer, inner] = [s0 + s3, s1 + s2];
        let [outer_step, inner_step] = [s0 - s3, s1 - s2];
        let out = [
            c4 * (outer + inner),
            c1 * d0 + c3 * d1 + c5 * d2 + c7 * d3,
            c2 * outer_step + c6 * inner_step,
            c3 * d0 - c7 * d1 - c1 * d2 - c5 * d3,
            c4 * (outer - inner),
            c5 * d0 - c1 * d1 + c7 * d2 + c3 * d3,
            c6 * outer_step - c2 * inner_step,
            c7 * d0 - c5 * d1 + c3 * d2 - c1 * d3,
        ];
        for (i, value) in out.into_iter().enumerate() {
            values[first + i * step][lane] = value;
        }
    }
}

/// Bits of a half within `error` of the half nearest to `value`, with as few
/// bits set as any there has, and of those the one with the most zeros at its end.
///
/// Halves of one sign are ordered as their bits are, so the question is
/// which number from `low` to `high` has the fewest bits. Where `low - 1` and `high`
/// first differ, `high` has a 1; the numbers that end there, that 1 and zeros, is
/// the answer: any other has the same bits above, and below at least one.
#[inline(always)]
fn fewest_bits(value: f32, error: f32) -> u16 {
    let sign = value.to_bits() >> 16 & 0x8000;
    let nearest = round_to_half(value.abs());
    let high = floor_to_half(nearest + error).min(LARGEST);
    let below = ceil_to_half((nearest - error).max(0.0)).max(1) - 1;
    let mut differ = below ^ high;
    for shift in [1, 2, 4, 8] {
        differ |= differ >> shift;
    }
    let bits = (high & !(differ >> 1)) | sign;
    (if nearest <= error { 0 } else { bits }) as u16
}

/// 2^-14, the smallest normal half.
const SMALLEST_NORMAL: u32 = 0x3880_0000;
/// What the bits of a float have more than those of a half, before they are shifted.
const REBIAS: u32 = 0x3800_0000;
/// The largest finite half.
const LARGEST: u32 = 0x7bff;

/// The half nearest to a value from 0, as a float.
#[inline(always)]
fn round_to_half(value: f32) -> f32 {
    let bits = value.to_bits();
    let normal = (bits + 0x0fff + (bits >> 13 & 1)) & !0x1fff;
    // The unit in the last place of 0.5 is 2^-24, that of denormal halves.
    let denormal = (value + 0.5) - 0.5;
    if bits < SMALLEST_NORMAL { denormal } else { f32::from_bits(normal) }
}

#[inline(always)]
fn floor_to_half(value: f32) -> u32 {
    half_bits(value, 0)
}

#[inline(always)]
fn ceil_to_half(value: f32) -> u32 {
    half_bits(value, 0x1fff)
}

/// Bits of the half at or below a value from 0; with `up` of all ones at or
/// above. Denormal ones are rounded to the nearest.
#[inline(always)]
fn half_bits(value: f32, up: u32) -> u32 {
    let bits = value.to_bits();
    let normal = bits.wrapping_sub(REBIAS).wrapping_add(up) >> 13;
    let denormal = (value + 0.5).to_bits().wrapping_sub(0.5f32.to_bits());
    if bits < SMALLEST_NORMAL { denormal } else { normal }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn from_bits(half: u16) -> f64 {
        let exponent = i32::from(half >> 10 & 31);
        let fraction = f64::from(half & 0x3ff);
        let magnitude = if exponent == 0 {
            fraction * 2f64.powi(-24)
        } else {
            (1024.0 + fraction) * 2f64.powi(exponent - 25)
        };
        if half & 0x8000 == 0 { magnitude } else { -magnitude }
    }

    /// By trying every half there is.
    #[test]
    fn no_half_within_the_error_has_fewer_bits() {
        let mut seed = 1u32;
        for i in 0..3000u32 {
            seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            let value = (f64::from(seed) / f64::from(u32::MAX) * 2.0 - 1.0)
                * [0.01, 1.0, 48.0][i as usize % 3];
            let error = [0.000_45f32, 0.0021, 0.0054][i as usize / 3 % 3];
            let found = fewest_bits(value as f32, error);
            let nearest = (0..0x7c00u16)
                .map(from_bits)
                .min_by(|a, b| (a - value.abs()).abs().total_cmp(&(b - value.abs()).abs()))
                .unwrap();
            let fewest = (0..0x7c00u16)
                .filter(|bits| (from_bits(*bits) - nearest).abs() <= f64::from(error) + 1e-7)
                .map(u16::count_ones)
                .min()
                .unwrap();
            assert!(
                (from_bits(found).abs() - nearest).abs() <= f64::from(error) + 1e-7,
                "{value} {found:x}"
            );
            assert_eq!((found & 0x7fff).count_ones(), fewest, "{value} {error} {found:x}");
            assert!(found == 0 || (found & 0x8000 != 0) == (value < 0.0));
        }
    }

    /// Against the definition in double precision.
    #[test]
    fn the_cosine_transform_is_its_definition() {
        let mut values = [[0.0f32; LANES]; SQUARE];
        for (i, lanes) in values.iter_mut().enumerate() {
            for (lane, value) in lanes.iter_mut().enumerate() {
                *value = ((i * 37 + lane * 101) % 64) as f32 / 9.0 - 3.0;
            }
        }
        let source = values;
        for line in 0..SIDE {
            cosine_transform(&mut values, line * SIDE, 1);
        }
        for line in 0..SIDE {
            cosine_transform(&mut values, line, SIDE);
        }
        let cosine = |i: usize, k: usize| {
            ((2 * i + 1) as f64 * k as f64 * std::f64::consts::PI / 16.0).cos()
                * if k == 0 { 0.125f64.sqrt() } else { 0.5 }
        };
        for (place, lanes) in values.iter().enumerate() {
            for (lane, value) in lanes.iter().enumerate() {
                let expected: f64 = (0..SQUARE)
                    .map(|i| {
                        f64::from(source[i][lane])
                            * cosine(i / SIDE, place / SIDE)
                            * cosine(i % SIDE, place % SIDE)
                    })
                    .sum();
                assert!((f64::from(*value) - expected).abs() < 1e-5, "{place} {value} {expected}");
            }
        }
    }
}
