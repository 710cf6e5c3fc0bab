// Needs `fn raw_word(i: u32) -> u32`: 32 bits of the stored bytes, low byte first.

fn swap_bytes(word: u32) -> u32 {
    return (word >> 24u) | ((word >> 8u) & 0xff00u) | ((word << 8u) & 0xff0000u) | (word << 24u);
}

// The sample at `column` of a row that begins at byte `row`. 32 bits are cut
// out of the stream at the sample's first byte; the sample lies within them,
// since 7 + 16 bits are fewer.
fn unpack(row: u32, column: u32, bits: u32, little_endian: bool) -> u32 {
    let bit = column * bits;
    let byte = row + (bit >> 3u);
    let first = swap_bytes(raw_word(byte >> 2u));
    let second = swap_bytes(raw_word((byte >> 2u) + 1u));
    let shift = (byte & 3u) * 8u;
    // A shift by 32 is not defined, hence the two steps.
    let window = (first << shift) | ((second >> 1u) >> (31u - shift));
    let sample = (window << (bit & 7u)) >> (32u - bits);
    let swapped = ((sample & 0xffu) << 8u) | (sample >> 8u);
    return select(sample, swapped, little_endian);
}
