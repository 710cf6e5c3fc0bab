//! Floats of 16, 24 and 32 bits, as DNG stores them: sign, exponent, fraction.

/// Bits of the exponent and of the fraction.
const fn parts(bits: u8) -> (u32, u32) {
    match bits {
        16 => (5, 10),
        24 => (7, 16),
        _ => (8, 23),
    }
}

/// The nearest value that a float of so many bits has; what is too large is its largest.
pub(crate) fn rounded(value: f64, bits: u8) -> f32 {
    let (exponent_bits, fraction_bits) = parts(bits);
    let bias = (1i32 << (exponent_bits - 1)) - 1;
    let magnitude = value.abs();
    if magnitude == 0.0 {
        return 0.0;
    }
    let exponent = ((magnitude.to_bits() >> 52) as i32 - 1023).max(1 - bias).min(bias);
    let step = power_of_two(exponent - fraction_bits as i32);
    let largest = power_of_two(bias) * (2.0 - power_of_two(-(fraction_bits as i32)));
    // To the even of two that are equally near, as everywhere.
    let nearest = ((magnitude / step).round_ties_even() * step).min(largest);
    (if value < 0.0 { -nearest } else { nearest }) as f32
}

/// The bits of a value that [`rounded`] has made.
pub(crate) fn encoded(value: f32, bits: u8) -> u32 {
    let (exponent_bits, fraction_bits) = parts(bits);
    let bias = (1i32 << (exponent_bits - 1)) - 1;
    let sign = u32::from(value.is_sign_negative()) << (bits - 1);
    let magnitude = f64::from(value.abs());
    let exponent = ((magnitude.to_bits() >> 52) as i32 - 1023).max(1 - bias);
    let scaled = (magnitude / power_of_two(exponent - fraction_bits as i32)) as u32;
    if scaled >> fraction_bits == 0 {
        // Too small for its exponent: a fraction alone.
        return sign | scaled;
    }
    let fraction = scaled & ((1 << fraction_bits) - 1);
    sign | ((exponent + bias) as u32) << fraction_bits | fraction
}

fn power_of_two(exponent: i32) -> f64 {
    f64::from_bits(((exponent + 1023) as u64) << 52)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// IEEE 754's binary16 and binary32, and DNG's 24 bits by their definition.
    #[test]
    fn bits_are_those_of_the_definitions() {
        for (value, bits, expected) in [
            (1.0, 16, 0x3C00),
            (-2.0, 16, 0xC000),
            (1.0 / 3.0, 16, 0x3555),
            (65504.0, 16, 0x7BFF),
            (1e6, 16, 0x7BFF),
            (5.960_464_477_539_063e-8, 16, 0x0001),
            (1.0, 24, 0x3F_0000),
            (1.5, 24, 0x3F_8000),
            (0.1, 32, 0.1f32.to_bits()),
            (-1e-40, 32, (-1e-40f32).to_bits()),
        ] {
            assert_eq!(encoded(rounded(value, bits), bits), expected, "{value} in {bits} bits");
        }
        for i in 0..5000u32 {
            let value = f32::from_bits(i.wrapping_mul(858_993) & 0x7F7F_FFFF);
            assert_eq!(rounded(f64::from(value), 32), value);
            assert_eq!(encoded(value, 32), value.to_bits());
        }
    }
}
