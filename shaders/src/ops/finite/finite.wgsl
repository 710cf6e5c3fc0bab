// Whether no finite half can hold the value with these bits: NaN, infinity, 65520 and up.
fn is_beyond(bits: u32) -> bool {
    return (bits & 0x7fffffffu) >= 0x477ff000u;
}

// Bits of the value, or of what stands for it where `is_beyond`.
fn finite(bits: u32) -> u32 {
    if (!is_beyond(bits)) {
        return bits;
    }
    return select((bits & 0x80000000u) | 0x477fe000u, 0u, (bits & 0x7fffffffu) > 0x7f800000u);
}
