//! Arithmetic that gives the same bits on every machine: only operations that
//! IEEE 754 rounds exactly, and integer hashing. The platform's `cos` and `exp`
//! may differ in the last bit between libraries, so they are not used.

use std::f64::consts::TAU;

/// Cosine of `turns` full turns, to within 1e-10.
pub(crate) fn cos_turns(turns: f64) -> f64 {
    let t = (turns - (turns + 0.5).floor()).abs();
    // Folded to the first quarter turn, where the series converges fast.
    let (t, sign) = if t > 0.25 { (0.5 - t, -1.0) } else { (t, 1.0) };
    let x = t * TAU;
    let z = x * x;
    let mut sum = 1.0;
    for n in [14.0, 12.0, 10.0, 8.0, 6.0, 4.0, 2.0] {
        sum = 1.0 - z / (n * (n - 1.0)) * sum;
    }
    sign * sum
}

/// Sine of `turns` full turns.
pub(crate) fn sin_turns(turns: f64) -> f64 {
    cos_turns(turns - 0.25)
}

/// Fifty-odd good bits for a key (the finaliser of SplitMix64, Steele et al. 2014).
pub(crate) const fn hash(key: u64) -> u64 {
    let mut z = key.wrapping_add(0x9E37_79B9_7F4A_7C15);
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}

/// A number in 0..1 for a key.
pub(crate) fn unit(key: u64) -> f64 {
    (hash(key) >> 11) as f64 / (1u64 << 53) as f64
}

/// A number of mean 0 and variance 1 for a key, near to normal: the sum of four
/// uniform numbers of 16 bits each, whose variance is 1/12 apiece.
pub(crate) fn normal(key: u64) -> f64 {
    let bits = hash(key);
    let sum = (0..4).map(|i| (bits >> (16 * i)) & 0xFFFF).sum::<u64>();
    (sum as f64 - 2.0 * 65_535.0) / 65_536.0 * SQRT_3
}

const SQRT_3: f64 = 1.732_050_807_568_877_2;

/// `x` held within 0..1.
pub(crate) fn clamp01(x: f64) -> f64 {
    x.clamp(0.0, 1.0)
}

/// How much of a pixel of width `pixel` lies inside an edge, when its centre is
/// `inside` units within it (negative: outside). The edge is anti-aliased by a box.
pub(crate) fn cover(inside: f64, pixel: f64) -> f64 {
    clamp01(inside / pixel + 0.5)
}

/// A colour of the scene: linear light, BT.709 primaries.
pub(crate) type Rgb = [f64; 3];

/// `a` where `t` is 0, `b` where it is 1.
pub(crate) fn mix(a: Rgb, b: Rgb, t: f64) -> Rgb {
    [a[0] + (b[0] - a[0]) * t, a[1] + (b[1] - a[1]) * t, a[2] + (b[2] - a[2]) * t]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cosine_agrees_with_the_library() {
        for i in -4000..4000 {
            let t = f64::from(i) * 0.000_917;
            assert!((cos_turns(t) - (t * TAU).cos()).abs() < 1e-9, "{t}");
            assert!((sin_turns(t) - (t * TAU).sin()).abs() < 1e-9, "{t}");
        }
    }

    #[test]
    fn noise_has_the_moments_it_claims() {
        let n = 200_000u64;
        let (mut sum, mut squares) = (0.0, 0.0);
        for key in 0..n {
            let v = normal(key);
            sum += v;
            squares += v * v;
        }
        let (mean, variance) = (sum / n as f64, squares / n as f64);
        assert!(mean.abs() < 0.01, "mean {mean}");
        assert!((variance - 1.0).abs() < 0.01, "variance {variance}");
    }
}
