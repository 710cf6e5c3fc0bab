// ACES 1.3: `aces1.rs` in the same order.

fn color1_held(rgb: vec3<f32>) -> vec3<f32> {
    return min(max(rgb, vec3<f32>(0.0f)), vec3<f32>(65504.0f));
}

fn color1_saturation(rgb: vec3<f32>) -> f32 {
    let largest = max(max(rgb.x, rgb.y), rgb.z);
    let smallest = min(min(rgb.x, rgb.y), rgb.z);
    return color_quotient(max(largest, 1e-10f) - max(smallest, 1e-10f), max(largest, 1e-2f));
}

fn color1_brightness(rgb: vec3<f32>) -> f32 {
    let square = (rounded(rgb.z * (rgb.z - rgb.y)) + rounded(rgb.y * (rgb.y - rgb.x)))
        + rounded(rgb.x * (rgb.x - rgb.z));
    let chroma = color_root(max(square, 0.0f));
    return rounded((((rgb.x + rgb.y) + rgb.z) + rounded(1.75f * chroma)) * 0.33333334f);
}

fn color1_glow_gain(saturation: f32) -> f32 {
    let x = rounded((saturation - 0.4f) * 5.0f);
    let t = max(1.0f - abs(rounded(x * 0.5f)), 0.0f);
    return rounded(0.025f * (1.0f + color_copy_sign(1.0f - rounded(t * t), x)));
}

fn color1_redness(rgb: vec3<f32>) -> f32 {
    let along = (rounded(2.0f * rgb.x) - rgb.y) - rgb.z;
    let degrees = color_degrees(along, rounded(1.7320508f * (rgb.y - rgb.z)));
    let u = rounded(abs(select(degrees, degrees - 360.0f, degrees > 180.0f)) * 0.029629629f);
    let square = rounded(rounded(6.0f * u) * u);
    let cube = rounded(rounded(rounded(3.0f * u) * u) * u);
    let near = rounded((rounded(4.0f - square) + cube) * 0.16666667f);
    let v = max(2.0f - u, 0.0f);
    let far = rounded(rounded(rounded(v * v) * v) * 0.16666667f);
    return rounded(0.27f * select(far, near, u < 1.0f));
}

fn color1_to_ap1(rgb: vec3<f32>) -> vec3<f32> {
    return color1_held(vec3<f32>(
        color_luma(rgb, 1.4514393f, -0.23651075f, -0.21492857f),
        color_luma(rgb, -0.07655377f, 1.1762297f, -0.09967593f),
        color_luma(rgb, 0.008316148f, -0.00603245f, 0.9977163f),
    ));
}

fn color1_to_ap0(rgb: vec3<f32>) -> vec3<f32> {
    return color1_held(vec3<f32>(
        color_luma(rgb, 0.69545224f, 0.1406787f, 0.16386906f),
        color_luma(rgb, 0.044794563f, 0.85967112f, 0.09553432f),
        color_luma(rgb, -0.0055258826f, 0.00402521f, 1.0015007f),
    ));
}

fn color1_moved(rgb: vec3<f32>, s: f32) -> vec3<f32> {
    let luma = color_luma(rgb, 0.27222872f, 0.67408177f, 0.053689517f);
    return vec3<f32>(
        luma + rounded(s * (rgb.x - luma)),
        luma + rounded(s * (rgb.y - luma)),
        luma + rounded(s * (rgb.z - luma)),
    );
}

fn color_sweeten(aces: vec3<f32>, at: u32) -> vec3<f32> {
    let saturation = color1_saturation(aces);
    let bright = color1_brightness(aces);
    let gain = color1_glow_gain(saturation);
    let middle = rounded(gain * (color_quotient(0.08f, bright) - 0.5f));
    let bent = select(middle, 0.0f, bright >= 0.16f);
    let glow = 1.0f + select(bent, gain, bright <= 0.053333335f);
    var rgb = color1_scaled(aces, glow);
    let redder = rounded(rounded(color1_redness(rgb) * saturation) * (0.03f - rgb.x));
    rgb.x = rgb.x + redder;
    return color1_moved(color1_to_ap1(max(rgb, vec3<f32>(0.0f))), 0.96f);
}

fn color1_unglow(bright: f32, gain: f32) -> f32 {
    let over = rounded(gain * (color_quotient(0.08f, bright) - 0.5f));
    let middle = color_quotient(over, rounded(gain * 0.5f) - 1.0f);
    let bent = select(middle, 0.0f, bright >= 0.16f);
    let dark = bright <= rounded((1.0f + gain) * 0.053333335f);
    return 1.0f + select(bent, color_quotient(-gain, 1.0f + gain), dark);
}

fn color1_scaled(rgb: vec3<f32>, s: f32) -> vec3<f32> {
    return vec3<f32>(rounded(rgb.x * s), rounded(rgb.y * s), rounded(rgb.z * s));
}

fn color_unsweeten(acescg: vec3<f32>, at: u32) -> vec3<f32> {
    var rgb = color1_to_ap0(color1_held(color1_moved(acescg, 1.0416666f)));
    let shown = rgb.x;
    var chroma = color1_saturation(rgb);
    for (var i = 0u; i < 8u; i++) {
        let glow = color1_unglow(color1_brightness(rgb), color1_glow_gain(chroma));
        chroma = color1_saturation(color1_scaled(rgb, glow));
        let weight = rounded(color1_redness(rgb) * chroma);
        rgb.x = color_quotient(shown - rounded(0.03f * weight), 1.0f - weight);
    }
    return color1_scaled(rgb, color1_unglow(color1_brightness(rgb), color1_glow_gain(chroma)));
}

// Tone curves. Numbers: three points; slopes, inverse slopes, last segment,
// segments per power of two and powers of two per segment, of both halves;
// then the segments, four numbers each, 16 of each half.
const COLOR1_SEGMENTS: u32 = 16u;

fn color1_logs(rgb: vec3<f32>) -> vec3<f32> {
    let held = max(rgb, vec3<f32>(5.9604645e-8f));
    return vec3<f32>(color_binary_log(held.x), color_binary_log(held.y), color_binary_log(held.z));
}

fn color1_powers(rgb: vec3<f32>) -> vec3<f32> {
    return vec3<f32>(color_two_to(rgb.x), color_two_to(rgb.y), color_two_to(rgb.z));
}

// From the middle up and down: each segment adds the part of its rise that lies between the middle and the value.
fn color_tone(x: f32, at: u32) -> f32 {
    var y = color_number(at + 3u);
    let middle = color_number(at + 2u);
    let down = rounded((middle - x) * color_number(at + 12u));
    let lowest = u32(color_number(at + 10u));
    for (var i = 0u; i <= lowest; i++) {
        let t = min(max(down - f32(i), 0.0f), 1.0f);
        let segment = at + 16u + 4u * (lowest - i);
        let square = color_number(segment);
        let steep = rounded(2.0f * square) + color_number(segment + 1u);
        y = y - rounded((steep - rounded(square * t)) * t);
    }
    let up = rounded((x - middle) * color_number(at + 13u));
    let highest = u32(color_number(at + 11u));
    for (var i = 0u; i <= highest; i++) {
        let t = min(max(up - f32(i), 0.0f), 1.0f);
        let segment = at + 16u + 4u * (COLOR1_SEGMENTS + i);
        y = y + rounded((rounded(color_number(segment) * t) + color_number(segment + 1u)) * t);
    }
    let below = rounded(color_number(at + 6u) * min(x - color_number(at), 0.0f));
    let above = rounded(color_number(at + 7u) * max(x - color_number(at + 4u), 0.0f));
    return (y + below) + above;
}

fn color_untone(y: f32, at: u32) -> f32 {
    let upper = select(0u, 1u, y >= color_number(at + 3u));
    let last = u32(color_number(at + 10u + upper));
    let segments = at + 16u + 4u * COLOR1_SEGMENTS * upper;
    var place = 0u;
    while (place < last && color_number(segments + 4u * place + 6u) <= y) {
        place++;
    }
    let segment = segments + 4u * place;
    let b = color_number(segment + 1u);
    let over = max(y - color_number(segment + 2u), 0.0f);
    let inside = rounded(b * b) + rounded(rounded(4.0f * color_number(segment)) * over);
    let t = color_quotient(rounded(2.0f * over), max(b + color_root(max(inside, 0.0f)), 1e-30f));
    let inner = rounded((t + f32(place)) * color_number(at + 14u + upper)) + color_number(at + 2u * upper);
    let below = color_number(at) + rounded(color_number(at + 8u) * (y - color_number(at + 1u)));
    let above = color_number(at + 4u) + rounded(color_number(at + 9u) * (y - color_number(at + 5u)));
    return select(select(inner, above, y >= color_number(at + 5u)), below, y <= color_number(at + 1u));
}
