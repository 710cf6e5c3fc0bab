// The curve within which debayers work.

fn encode(x: f32) -> f32 {
    let y = rounded(root(abs(x) + 0x1p-10f)) - 0x1p-5f;
    return select(y, -y, (bitcast<u32>(x) >> 31u) == 1u);
}

fn decode(y: f32) -> f32 {
    return y * (abs(y) + 0x1p-4f);
}
