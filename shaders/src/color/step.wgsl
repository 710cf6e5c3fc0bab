// The steps of `step.rs`: a pixel, and where its numbers begin.

fn color_matrix(rgb: vec3<f32>, at: u32) -> vec3<f32> {
    return color_rows(at, rgb)
        + vec3<f32>(color_number(at + 9u), color_number(at + 10u), color_number(at + 11u));
}

fn color_clamp(rgb: vec3<f32>, at: u32) -> vec3<f32> {
    return min(max(rgb, vec3<f32>(color_number(at))), vec3<f32>(color_number(at + 1u)));
}

fn color_compressed(distance: f32, at: u32, i: u32) -> f32 {
    let threshold = color_number(at + i);
    let over = rounded((distance - threshold) * color_number(at + 6u + i));
    let p = color_raised(over, color_number(at + 9u));
    let least = color_raised(1.0f + p, color_number(at + 10u));
    let pulled = threshold + rounded(color_number(at + 3u + i) * color_quotient(over, least));
    return select(pulled, distance, distance < threshold);
}

fn color_expanded(distance: f32, at: u32, i: u32) -> f32 {
    let threshold = color_number(at + i);
    let scale = color_number(at + 3u + i);
    let p = color_raised(rounded((distance - threshold) * color_number(at + 6u + i)), color_number(at + 9u));
    let pushed = threshold + rounded(scale * color_raised(color_quotient(p, 1.0f - p), color_number(at + 10u)));
    return select(pushed, distance, distance < threshold || distance >= threshold + scale);
}

fn color_gamut_compress(rgb: vec3<f32>, at: u32) -> vec3<f32> {
    let achromatic = max(max(rgb.x, rgb.y), rgb.z);
    let size = abs(achromatic);
    let over = color_quotient(1.0f, select(1.0f, size, size > 0.0f));
    return vec3<f32>(
        achromatic - rounded(color_compressed(rounded((achromatic - rgb.x) * over), at, 0u) * size),
        achromatic - rounded(color_compressed(rounded((achromatic - rgb.y) * over), at, 1u) * size),
        achromatic - rounded(color_compressed(rounded((achromatic - rgb.z) * over), at, 2u) * size),
    );
}

fn color_gamut_expand(rgb: vec3<f32>, at: u32) -> vec3<f32> {
    let achromatic = max(max(rgb.x, rgb.y), rgb.z);
    let size = abs(achromatic);
    let over = color_quotient(1.0f, select(1.0f, size, size > 0.0f));
    let back = vec3<f32>(
        achromatic - rounded(color_expanded(rounded((achromatic - rgb.x) * over), at, 0u) * size),
        achromatic - rounded(color_expanded(rounded((achromatic - rgb.y) * over), at, 1u) * size),
        achromatic - rounded(color_expanded(rounded((achromatic - rgb.z) * over), at, 2u) * size),
    );
    return select(back, rgb, achromatic == 0.0f);
}

fn color_luma(rgb: vec3<f32>, r: f32, g: f32, b: f32) -> f32 {
    return (rounded(r * rgb.x) + rounded(g * rgb.y)) + rounded(b * rgb.z);
}

fn color_saturated(rgb: vec3<f32>, s: f32) -> vec3<f32> {
    let luma = color_luma(rgb, 0.2126f, 0.7152f, 0.0722f);
    return vec3<f32>(
        luma + rounded(s * (rgb.x - luma)),
        luma + rounded(s * (rgb.y - luma)),
        luma + rounded(s * (rgb.z - luma)),
    );
}

fn color_held(rgb: vec3<f32>) -> vec3<f32> {
    return min(max(rgb, vec3<f32>(0.0f)), vec3<f32>(1.0f));
}

// Slope and offset of a channel.
fn color_sloped(v: f32, at: u32, i: u32) -> f32 {
    return rounded(v * color_number(at + i)) + color_number(at + 3u + i);
}

fn color_passed(v: f32, p: f32) -> f32 {
    return select(v, color_raised(v, p), v > 0.0f);
}

fn color_cdl_held(rgb: vec3<f32>, at: u32) -> vec3<f32> {
    let sloped = color_held(vec3<f32>(
        color_sloped(rgb.x, at, 0u), color_sloped(rgb.y, at, 1u), color_sloped(rgb.z, at, 2u)));
    let powered = vec3<f32>(
        color_raised(sloped.x, color_number(at + 6u)),
        color_raised(sloped.y, color_number(at + 7u)),
        color_raised(sloped.z, color_number(at + 8u)),
    );
    return color_held(color_saturated(powered, color_number(at + 9u)));
}

fn color_cdl(rgb: vec3<f32>, at: u32) -> vec3<f32> {
    let powered = vec3<f32>(
        color_passed(color_sloped(rgb.x, at, 0u), color_number(at + 6u)),
        color_passed(color_sloped(rgb.y, at, 1u), color_number(at + 7u)),
        color_passed(color_sloped(rgb.z, at, 2u), color_number(at + 8u)),
    );
    return color_saturated(powered, color_number(at + 9u));
}

// Offset and slope of a channel, taken back.
fn color_unsloped(v: f32, at: u32, i: u32) -> f32 {
    return rounded((v - color_number(at + 3u + i)) * color_number(at + i));
}

fn color_cdl_held_back(rgb: vec3<f32>, at: u32) -> vec3<f32> {
    let powered = color_held(color_saturated(color_held(rgb), color_number(at + 9u)));
    return color_held(vec3<f32>(
        color_unsloped(color_raised(powered.x, color_number(at + 6u)), at, 0u),
        color_unsloped(color_raised(powered.y, color_number(at + 7u)), at, 1u),
        color_unsloped(color_raised(powered.z, color_number(at + 8u)), at, 2u),
    ));
}

fn color_cdl_back(rgb: vec3<f32>, at: u32) -> vec3<f32> {
    let powered = color_saturated(rgb, color_number(at + 9u));
    return vec3<f32>(
        color_unsloped(color_passed(powered.x, color_number(at + 6u)), at, 0u),
        color_unsloped(color_passed(powered.y, color_number(at + 7u)), at, 1u),
        color_unsloped(color_passed(powered.z, color_number(at + 8u)), at, 2u),
    );
}

fn color_surround(rgb: vec3<f32>, at: u32) -> vec3<f32> {
    let luminance = max(color_row(at, rgb), color_number(at + 4u));
    return rgb * color_raised(luminance, color_number(at + 3u));
}
