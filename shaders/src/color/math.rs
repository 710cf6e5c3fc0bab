//! Logarithm, exponential and power in f32, without branches, so that loops
//! over them become vector code and the shader form can say the same thing in
//! the same order. Drivers' own are as loose as 2^-11 in places; these are
//! good to 2.5e-7.

use std::f32::consts::{LN_2, LOG2_E};

/// Bits of sqrt(1/2): mantissas are taken from there to sqrt(2), so that a logarithm near 1 keeps its digits.
const ROOT_HALF: u32 = 0x3f35_04f3;

/// One of two values. Both are computed always: a branch around the dearer one
/// would keep a loop from becoming vector code.
#[inline(always)]
#[must_use]
pub fn pick(condition: bool, yes: f32, no: f32) -> f32 {
    let mask = u32::from(condition).wrapping_neg();
    f32::from_bits((yes.to_bits() & mask) | (no.to_bits() & !mask))
}

/// The lesser of two; `b` where one is no number. As a comparison, so that both sides of a twin say the same.
#[inline(always)]
#[must_use]
pub fn least(a: f32, b: f32) -> f32 {
    if a < b { a } else { b }
}

/// The greater of two; `b` where one is no number.
#[inline(always)]
#[must_use]
pub fn most(a: f32, b: f32) -> f32 {
    if a > b { a } else { b }
}

/// Binary logarithm. Zero and negatives give the logarithm of the smallest
/// normal number, infinity 128.
#[inline(always)]
#[must_use]
pub fn log2(x: f32) -> f32 {
    // Also catches NaN, for which no comparison holds.
    let x = if x > f32::MIN_POSITIVE { x } else { f32::MIN_POSITIVE };
    let bits = x.to_bits();
    let shifted = bits.wrapping_sub(ROOT_HALF);
    let exponent = (shifted as i32 >> 23) as f32;
    let mantissa = f32::from_bits(bits.wrapping_sub(shifted & 0xff80_0000));
    // log2(m) = 2 log2(e) (s + s^3/3 + s^5/5 + ...), s = (m - 1) / (m + 1), |s| < 0.172.
    let s = (mantissa - 1.0) / (mantissa + 1.0);
    let z = s * s;
    let p = ((0.111_111_11 * z + 0.142_857_15) * z + 0.2) * z + 0.333_333_34;
    let series = s + s * (z * p);
    exponent + series * (2.0 * LOG2_E)
}

/// Two to a power; from -126 to 127.5, beyond which it stays where it is.
#[inline(always)]
#[must_use]
pub fn exp2(x: f32) -> f32 {
    let x = if x > -126.0 { x } else { -126.0 };
    let x = if x < 127.499_99 { x } else { 127.499_99 };
    // Adding and taking away 1.5 * 2^23 rounds to the nearest whole number.
    let rounder = 12_582_912.0_f32;
    let rounded = x + rounder;
    let f = x - (rounded - rounder);
    // 2^f for |f| <= 1/2 by its series; the seventh term is below 2^-25.
    let p = ((((1.540_353e-4 * f + 1.333_355_8e-3) * f + 9.618_129e-3) * f + 5.550_411e-2) * f
        + 0.240_226_5)
        * f
        + LN_2;
    let power = p * f + 1.0;
    // The whole number stands in the low bits of the rounded sum, and goes to the exponent as it is.
    f32::from_bits(power.to_bits().wrapping_add(rounded.to_bits() << 23))
}

/// `log2(1 + a / b)` for a quotient within a sixth of 0, with all its digits
/// and one division.
#[inline(always)]
#[must_use]
pub fn log2_of_one_and_over(a: f32, b: f32) -> f32 {
    let s = a / (2.0 * b + a);
    let z = s * s;
    let p = ((0.111_111_11 * z + 0.142_857_15) * z + 0.2) * z + 0.333_333_34;
    (s + s * (z * p)) * (2.0 * LOG2_E)
}

/// `2^x - 1` for `x` within a half of 0, with all its digits.
#[inline(always)]
#[must_use]
pub fn exp2_less_one(x: f32) -> f32 {
    let p = (1.525_273_4e-5 * x + 1.540_353e-4) * x + 1.333_355_8e-3;
    let p = ((p * x + 9.618_129e-3) * x + 5.550_411e-2) * x + 0.240_226_5;
    let p = p * x + LN_2;
    p * x
}

/// `x` to the `y`, for `x` not below 0; zero stays zero for positive `y`.
#[inline(always)]
#[must_use]
pub fn pow(x: f32, y: f32) -> f32 {
    let power = exp2(y * log2(x));
    pick(x > 0.0, power, 0.0)
}

/// `|x|` to the `y`, with the sign of `x`.
#[inline(always)]
#[must_use]
pub fn signed_pow(x: f32, y: f32) -> f32 {
    pow(x.abs(), y).copysign(x)
}

/// Direction of (x, y) in degrees, from 0 up to 360; 0 for no direction.
#[inline(always)]
#[must_use]
pub fn angle_degrees(x: f32, y: f32) -> f32 {
    let (ax, ay) = (x.abs(), y.abs());
    let (small, large) = if ay < ax { (ay, ax) } else { (ax, ay) };
    // Beyond 22.5 degrees the angle is counted from 45.
    let far = small > 0.414_213_57 * large;
    let over = pick(far, small - large, small);
    let t = over / pick(far, small + large, pick(large > 0.0, large, 1.0));
    let z = t * t;
    // Moshier's polynomial for the arc tangent (Cephes, atanf).
    let p = ((8.053_744_5e-2 * z - 1.387_768_6e-1) * z + 1.997_771e-1) * z - 3.333_295e-1;
    let a = (p * z * t + t) * 57.295_78;
    let a = pick(far, a + 45.0, a);
    let a = pick(ay < ax, a, 90.0 - a);
    let a = pick(x < 0.0, 180.0 - a, a);
    let a = pick(y < 0.0, 360.0 - a, a);
    pick(a < 360.0, a, 0.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sweep(from: f64, to: f64, count: u32) -> impl Iterator<Item = f32> {
        (0..=count).map(move |i| (from + (to - from) * f64::from(i) / f64::from(count)) as f32)
    }

    #[test]
    fn logarithms_are_good_to_a_unit_or_two() {
        for x in sweep(-120.0, 120.0, 400_000).map(f32::exp2).chain(sweep(0.5, 2.0, 400_000)) {
            let exact = f64::from(x).log2();
            let off = (f64::from(log2(x)) - exact).abs();
            assert!(off <= 2.5e-7 * exact.abs().max(0.02), "{x}: {} is not {exact}", log2(x));
        }
        assert_eq!(log2(1.0), 0.0);
        for x in [0.0, -1.0, f32::NAN, 1e-45] {
            assert_eq!(log2(x), -126.0, "{x}");
        }
    }

    #[test]
    fn powers_of_two_are_good_to_a_unit_or_two() {
        for x in sweep(-126.0, 127.0, 1_000_000) {
            let exact = f64::from(x).exp2();
            let off = (f64::from(exp2(x)) / exact - 1.0).abs();
            assert!(off <= 2.5e-7, "{x}: {} is not {exact}", exp2(x));
        }
        for (x, y) in [(0.0, 1.0), (1.0, 2.0), (-3.0, 0.125), (10.0, 1024.0)] {
            assert_eq!(exp2(x), y);
        }
        assert!(exp2(f32::INFINITY).is_finite() && exp2(f32::NAN).is_finite());
    }

    #[test]
    fn near_one_no_digit_is_lost() {
        for d in sweep(-0.165, 0.165, 10_000).chain([1e-7, -3e-9]) {
            let exact = f64::from(d).ln_1p() / std::f64::consts::LN_2;
            // As a quotient of a power of two, which rounds nothing.
            for b in [1.0, 4.0] {
                let off = (f64::from(log2_of_one_and_over(d * b, b)) - exact).abs();
                assert!(off <= 3e-7 * exact.abs(), "{d}");
            }
        }
        for x in sweep(-0.5, 0.5, 10_000).chain([1e-7, -3e-9]) {
            let exact = (f64::from(x) * std::f64::consts::LN_2).exp_m1();
            assert!((f64::from(exp2_less_one(x)) - exact).abs() <= 3e-7 * exact.abs(), "{x}");
        }
    }

    #[test]
    fn angles_go_all_the_way_round() {
        for degrees in sweep(0.0, 359.999, 100_000) {
            let (sin, cos) = f64::from(degrees).to_radians().sin_cos();
            let off = (angle_degrees(cos as f32, sin as f32) - degrees).abs();
            assert!(
                off.min(360.0 - off) < 3e-5,
                "{degrees}: {}",
                angle_degrees(cos as f32, sin as f32)
            );
        }
        assert_eq!(angle_degrees(0.0, 1.0), 90.0);
        assert_eq!(angle_degrees(1.0, -1e-9), 0.0);
        assert!((0.0..360.0).contains(&angle_degrees(0.0, 0.0)));
    }

    #[test]
    fn powers_keep_zero_and_sign() {
        assert_eq!(pow(0.0, 0.42), 0.0);
        assert_eq!(signed_pow(-8.0, 1.0 / 3.0), -signed_pow(8.0, 1.0 / 3.0));
        for x in sweep(1e-6, 100.0, 10_000) {
            let exact = f64::from(x).powf(2.4);
            assert!((f64::from(pow(x, 2.4)) / exact - 1.0).abs() < 2.5e-6, "{x}");
        }
    }
}
