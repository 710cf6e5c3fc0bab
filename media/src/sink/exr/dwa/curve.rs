//! The curve that makes equal steps look equal: a power of 1/2.2 up to 1, a
//! logarithm beyond, as OpenEXR's `internal_dwa_table_init.c` has it. What is
//! not finite becomes 0.

use std::sync::OnceLock;

/// e to the 2.2, by OpenEXR's value of e: its logarithm is the scale above 1.
const LOG_BASE: f64 = 9.025_013_291_56;
/// The largest value that is packed. What is rounded comes back up to a fortieth larger beside black,
/// and above 65 519 a reader has infinity; this leaves a tenth.
const HIGHEST: f64 = 60_000.0;

/// The curve for the bits of every half; its values are halves too, so that
/// a picture without detail comes back as it was.
pub(super) fn table() -> &'static [f32] {
    static TABLE: OnceLock<Vec<f32>> = OnceLock::new();
    TABLE.get_or_init(|| {
        let positive: Vec<f32> =
            (0..0x8000).map(|bits| round_to_half(curve(value(bits)))).collect();
        let negative = positive.iter().map(|v| -v);
        positive.iter().copied().chain(negative).collect()
    })
}

/// Value of the bits of a half that is not negative.
fn value(bits: u16) -> f64 {
    let (exponent, fraction) = (i32::from(bits >> 10), f64::from(bits & 0x3ff));
    match exponent {
        0 => fraction * 2f64.powi(-24),
        31 => f64::NAN,
        _ => (1024.0 + fraction) * 2f64.powi(exponent - 25),
    }
}

fn curve(value: f64) -> f64 {
    if value.is_nan() {
        0.0
    } else if value <= 1.0 {
        value.powf(1.0 / 2.2)
    } else {
        value.min(HIGHEST).ln() / LOG_BASE.ln() + 1.0
    }
}

/// The half nearest to a value of this curve, none of which is above 7 or, but for 0, below 2^-14.
fn round_to_half(value: f64) -> f32 {
    if value == 0.0 {
        return 0.0;
    }
    let unit = 2f64.powi(value.log2().floor() as i32 - 10);
    ((value / unit).round_ties_even() * unit) as f32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_curve_is_odd_grows_and_is_made_of_halves() {
        let table = table();
        assert_eq!((table[0], table[0x3c00], table[0x7c00], table[0xfe00]), (0.0, 1.0, 0.0, 0.0));
        for bits in 1..0x7c00usize {
            assert!(table[bits] >= table[bits - 1], "{bits:x}");
            assert_eq!(table[bits | 0x8000], -table[bits]);
            assert_eq!(table[bits].to_bits() & 0x1fff, 0, "{bits:x} is not a half");
        }
        // 60000, and what is larger: 1 + ln(60000) / 2.2 = 6.0010, to the nearest of 1/256.
        assert_eq!((table[0x7b53], table[0x7bff]), (6.0, 6.0));
        // 32768: 1 + ln(32768) / 2.2 = 5.7260.
        assert_eq!(table[0x7800], 5.726_562_5);
        // 0.18005: 0.45872, to the nearest of 1/4096.
        assert_eq!(table[0x31c3], 1879.0 / 4096.0);
    }
}
