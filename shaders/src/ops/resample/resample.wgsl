// Needs, for the line that is being made:
//   fn tap_weight(i: u32) -> f32: the table of weights;
//   fn tap_rgb(across: u32, along: u32) -> vec3<f32>: the source, `along` counted on the axis of the filter.

fn rounded_rgb(products: vec3<f32>) -> vec3<f32> {
    return bitcast<vec3<f32>>(bitcast<vec3<u32>>(products) ^ vec3<u32>(opaque_zero()));
}

// The sum over `count` source pixels from `start` on, with weights from
// `weights_at` on. It begins with the first product, not with zero, so that a
// copy keeps every bit. With `antiring` it is kept within the range of the
// pixels that have a weight.
fn resample(across: u32, start: u32, weights_at: u32, count: u32, antiring: bool) -> vec3<f32> {
    var sum = tap_weight(weights_at) * tap_rgb(across, start);
    for (var k = 1u; k < count; k++) {
        sum = sum + rounded_rgb(tap_weight(weights_at + k) * tap_rgb(across, start + k));
    }
    if (!antiring) {
        return sum;
    }
    var low = vec3<f32>(0x1.fffffep+127f);
    var high = vec3<f32>(-0x1.fffffep+127f);
    for (var k = 0u; k < count; k++) {
        if (tap_weight(weights_at + k) != 0.0) {
            let rgb = tap_rgb(across, start + k);
            low = select(low, rgb, rgb < low);
            high = select(high, rgb, rgb > high);
        }
    }
    sum = select(sum, low, sum < low);
    return select(sum, high, sum > high);
}
