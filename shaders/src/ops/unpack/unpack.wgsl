// Needs `fn raw_word(i: u32) -> u32`: 32 bits of the stored bytes, low byte first.

fn swap_bytes(word: u32) -> u32 {
    return (word >> 24u) | ((word >> 8u) & 0xff00u) | ((word << 8u) & 0xff0000u) | (word << 24u);
}

// 32 bits of the stored bytes from any byte on, low byte first.
fn stored_word(byte: u32) -> u32 {
    let shift = (byte & 3u) * 8u;
    // A shift by 32 is not defined, hence the two steps.
    return (raw_word(byte >> 2u) >> shift) | ((raw_word((byte >> 2u) + 1u) << 1u) << (31u - shift));
}

// 32 stored bits with the first bit of the stream on top. `order` is the size
// in bytes of the little-endian words whose bits come most significant first,
// or 0 where every byte gives its least significant bit first.
fn stream_word(word: u32, order: u32) -> u32 {
    if (order == 1u) {
        return swap_bytes(word);
    }
    if (order == 2u) {
        return (word << 16u) | (word >> 16u);
    }
    return select(word, reverseBits(word), order == 0u);
}

// The sample at `column` of a row that begins at byte `row`, a whole number of
// words from the start. 32 bits are cut out of the stream at the sample's first
// byte; the sample lies within them, since 7 + 16 bits are fewer. Only words of
// four bytes have their samples swapped in pairs.
fn unpack(row: u32, column: u32, bits: u32, order: u32) -> u32 {
    let bit = (column ^ (order >> 2u)) * bits;
    let byte = row + (bit >> 3u);
    let first = stream_word(raw_word(byte >> 2u), order);
    let second = stream_word(raw_word((byte >> 2u) + 1u), order);
    let shift = (byte & 3u) * 8u;
    // A shift by 32 is not defined, hence the two steps.
    let window = (first << shift) | ((second >> 1u) >> (31u - shift));
    let sample = (window << (bit & 7u)) >> (32u - bits);
    return select(sample, reverseBits(sample) >> (32u - bits), order == 0u);
}
