// Needs `fn stored_word(byte: u32) -> u32`: 32 bits of the stored bytes from
// any byte on, low byte first; and `fn curve_value(i: u32) -> f32`: the table.

// Bits of the value of a half; exact, and without single denormals.
fn from_half(half: u32) -> u32 {
    let sign = (half & 0x8000u) << 16u;
    let magnitude = half & 0x7fffu;
    if (magnitude >= 0x7c00u) {
        return sign | ((magnitude << 13u) + 0x70000000u);
    }
    if (magnitude >= 0x0400u) {
        return sign | ((magnitude << 13u) + 0x38000000u);
    }
    return sign | bitcast<u32>(f32(magnitude) * 0x1p-24f);
}

fn decoded(code: u32, samples: u32, curve_length: u32) -> u32 {
    if (curve_length != 0u) {
        return bitcast<u32>(curve_value(min(code, curve_length - 1u)));
    }
    if (samples == 1u) {
        return from_half(code);
    }
    // The single nearest to 1/65535.
    return bitcast<u32>(f32(code) * 0x1.0001p-16f);
}

// Bits of red, green and blue of the pixel at `column` of a row that begins at
// byte `row`. `samples` is 0 for 16-bit codes, 1 for halves, 2 for singles.
fn rgb_decode(row: u32, column: u32, samples: u32, curve_length: u32) -> vec3<u32> {
    if (samples == 2u) {
        let at = row + column * 12u;
        return vec3<u32>(stored_word(at), stored_word(at + 4u), stored_word(at + 8u));
    }
    let at = row + column * 6u;
    let red_green = stored_word(at);
    let blue = stored_word(at + 4u) & 0xffffu;
    return vec3<u32>(
        decoded(red_green & 0xffffu, samples, curve_length),
        decoded(red_green >> 16u, samples, curve_length),
        decoded(blue, samples, curve_length),
    );
}
