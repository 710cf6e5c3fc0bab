//! What the pixels of a plate come to: their hash, their range, and how many
//! of them are no numbers. One pass over the halves that are delivered, while
//! they are in the cache for the hash, so that black, frozen and broken frames
//! can be told from headers alone.

use half::f16;
use twox_hash::XxHash3_128;

/// Name of the attribute with the smallest finite red, green and blue.
pub const PIXELS_MIN: &str = "platefarm:pixelsMin";
/// Name of the attribute with the largest.
pub const PIXELS_MAX: &str = "platefarm:pixelsMax";
/// Name of the attribute with the count of values that are no numbers, or infinite.
pub const NON_FINITE: &str = "platefarm:pixelsNonFinite";

/// The range of red, green and blue.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Measured {
    /// Smallest finite value of each; infinity where there is none.
    pub min: [f32; 3],
    /// Largest finite value of each; minus infinity where there is none.
    pub max: [f32; 3],
    /// Values that are no numbers, or infinite; of the coverage too, where there is one.
    pub non_finite: u64,
}

impl Measured {
    /// Whether each channel has one value only.
    #[must_use]
    pub fn is_flat(&self) -> bool {
        self.min == self.max
    }
}

impl std::fmt::Display for Measured {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let [[r, g, b], [rr, gg, bb]] = [self.min, self.max];
        write!(f, "{r} {g} {b} to {rr} {gg} {bb}, {} not finite", self.non_finite)
    }
}

/// The range and the hash of planes, in one pass.
pub(super) fn measure(rgb: [&[u16]; 3], alpha: Option<&[u16]>) -> (Measured, String) {
    let mut extents = [Extent::NONE; 4];
    let hash = hash(rgb, alpha, |plane, values| extents[plane].add(values));
    let non_finite = extents.iter().map(|e| e.non_finite).sum();
    let [r, g, b, _] = extents;
    let measured = Measured {
        min: [r, g, b].map(|e| if e.is_none() { f32::INFINITY } else { value(e.low) }),
        max: [r, g, b].map(|e| if e.is_none() { f32::NEG_INFINITY } else { value(e.high) }),
        non_finite,
    };
    (measured, hash)
}

/// XXH128 of the pixels alone: the planes red, green, blue and, where there
/// is one, alpha, one after the other, each value as two little-endian bytes.
/// The same whatever the compression; a lossy one has none.
#[must_use]
pub fn pixels_xxh128(rgb: [&[u16]; 3], alpha: Option<&[u16]>) -> String {
    hash(rgb, alpha, |_, _| {})
}

/// Hashes the planes; `see` is shown each piece of them, with the number of its plane.
fn hash(rgb: [&[u16]; 3], alpha: Option<&[u16]>, mut see: impl FnMut(usize, &[u16])) -> String {
    let mut hasher = XxHash3_128::new();
    let mut buffer = [0; 16 * 1024];
    for (number, plane) in rgb.into_iter().chain(alpha).enumerate() {
        for values in plane.chunks(buffer.len() / 2) {
            for (to, value) in buffer.chunks_exact_mut(2).zip(values) {
                to.copy_from_slice(&value.to_le_bytes());
            }
            hasher.write(&buffer[..2 * values.len()]);
            see(number, values);
        }
    }
    format!("{:032x}", hasher.finish_128())
}

/// The range of one channel, in whole numbers that rise as the halves do.
#[derive(Clone, Copy)]
struct Extent {
    low: i16,
    high: i16,
    non_finite: u64,
}

impl Extent {
    const NONE: Self = Self { low: i16::MAX, high: i16::MIN, non_finite: 0 };

    const fn is_none(self) -> bool {
        self.low > self.high
    }

    /// Without a branch and in 16 bits throughout, so that eight values are done at a time; a piece
    /// is short enough to be counted so.
    fn add(&mut self, values: &[u16]) {
        let (mut low, mut high, mut beyond) = (self.low, self.high, 0_u16);
        for bits in values {
            let finite = bits & 0x7c00 != 0x7c00;
            let place = rising(*bits as i16);
            low = low.min(if finite { place } else { i16::MAX });
            high = high.max(if finite { place } else { i16::MIN });
            beyond += u16::from(!finite);
        }
        *self = Self { low, high, non_finite: self.non_finite + u64::from(beyond) };
    }
}

/// Bits of a half as a number that rises with its value, and back.
const fn rising(bits: i16) -> i16 {
    bits ^ ((bits >> 15) & 0x7fff)
}

fn value(place: i16) -> f32 {
    f16::from_bits(rising(place) as u16).to_f32()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every half there is, by the `half` crate's own comparison.
    #[test]
    fn halves_rise_with_their_values() {
        let all: Vec<u16> = (0..=u16::MAX).collect();
        let finite = || all.iter().map(|bits| f16::from_bits(*bits)).filter(|v| v.is_finite());
        let mut places: Vec<(i16, f32)> =
            finite().map(|v| (rising(v.to_bits() as i16), v.to_f32())).collect();
        places.sort_by_key(|(place, _)| *place);
        assert!(places.windows(2).all(|w| w[0].1 <= w[1].1));
        let (measured, hash) = measure([&all, &all[..4], &[]], None);
        assert_eq!(measured.min, [-65504.0, 0.0, f32::INFINITY]);
        assert_eq!(measured.max, [65504.0, 3.0 * 2.0_f32.powi(-24), f32::NEG_INFINITY]);
        // Of the 32 exponents of either sign one is infinity and 1023 kinds of NaN.
        assert_eq!(measured.non_finite, 2 * 1024);
        assert_eq!(hash, pixels_xxh128([&all, &all[..4], &[]], None));
        assert!(!measured.is_flat());
    }

    #[test]
    fn a_flat_picture_has_one_value_for_each_channel() {
        let plane = |value: f32| vec![f16::from_f32(value).to_bits(); 70_000];
        let (r, g, b) = (plane(0.5), plane(0.0), plane(-1.0));
        let (flat, _) = measure([&r, &g, &b], None);
        assert!(flat.is_flat(), "{flat}");
        assert_eq!(flat.to_string(), "0.5 0 -1 to 0.5 0 -1, 0 not finite");
        let mut odd = g.clone();
        // In the last piece of the plane.
        *odd.last_mut().unwrap() = f16::INFINITY.to_bits();
        let (odd, _) = measure([&r, &odd, &b], None);
        assert_eq!((odd.is_flat(), odd.non_finite), (true, 1));
    }
}
