// Whether no finite half can hold the value with these bits: NaN, infinity, 65520 and up.
fn beyond_half(bits: u32) -> bool {
    return (bits & 0x7fffffffu) >= 0x477ff000u;
}

// Bits of the half nearest to the value with these bits. It works on bits
// throughout, since floating-point tests for NaN may be optimised away.
fn to_half(bits: u32) -> u32 {
    let sign = (bits >> 16u) & 0x8000u;
    let magnitude = bits & 0x7fffffffu;
    if (magnitude > 0x7f800000u) {
        return 0u;
    }
    if (magnitude >= 0x477ff000u) {
        return sign | 0x7bffu;
    }
    if (magnitude >= 0x38800000u) {
        // A normal half: from the bias of 127 to that of 15, and round 13 bits away.
        let rebiased = magnitude - 0x38000000u;
        return sign | ((rebiased + (((rebiased >> 13u) & 1u) + 0x0fffu)) >> 13u);
    }
    if (magnitude < 0x33000000u) {
        // Below half of the smallest denormal half.
        return sign;
    }
    // A denormal half, in units of 2^-24.
    let significand = (magnitude & 0x007fffffu) | 0x00800000u;
    let shift = 126u - (magnitude >> 23u);
    let quotient = significand >> shift;
    let remainder = significand & ((1u << shift) - 1u);
    let tie = 1u << (shift - 1u);
    let up = remainder > tie || (remainder == tie && (quotient & 1u) == 1u);
    return sign | (quotient + select(0u, 1u, up));
}
