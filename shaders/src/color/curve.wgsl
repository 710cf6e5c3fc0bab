// The curves of `curve.rs`: a value, and where its numbers begin.

fn color_log_decode(code: f32, at: u32) -> f32 {
    let power = color_two_to(rounded(color_number(at) * code) + color_number(at + 1u));
    let log = rounded(color_number(at + 2u) * power) - color_number(at + 3u);
    let line = rounded(code * color_number(at + 5u)) - color_number(at + 6u);
    return select(line, log, code > color_number(at + 4u));
}

fn color_log_encode(light: f32, at: u32) -> f32 {
    let log = color_binary_log(rounded(light * color_number(at)) + color_number(at + 1u));
    let code = rounded(log * color_number(at + 2u)) + color_number(at + 3u);
    let line = rounded(light * color_number(at + 5u)) + color_number(at + 6u);
    return select(line, code, light > color_number(at + 4u));
}

fn color_knee_at(t: f32, at: u32) -> f32 {
    var p = rounded(color_number(at + 7u) * t) + color_number(at + 6u);
    p = rounded(p * t) + color_number(at + 5u);
    return rounded(p * t) + color_number(at + 4u);
}

fn color_knee_open(code: f32, at: u32) -> f32 {
    let start = color_number(at);
    let bent = color_knee_at(rounded((code - start) * color_number(at + 2u)), at);
    return select(code, bent, code > start);
}

fn color_knee_close(code: f32, at: u32) -> f32 {
    let start = color_number(at);
    var t = rounded((code - start) * color_number(at + 3u));
    for (var i = 0u; i < 6u; i++) {
        let first = rounded(rounded(3.0f * color_number(at + 7u)) * t) + rounded(2.0f * color_number(at + 6u));
        let slope = rounded(first * t) + color_number(at + 5u);
        t = t - color_quotient(color_knee_at(t, at) - code, slope);
    }
    return select(code, start + rounded(color_number(at + 1u) * t), code > start);
}

fn color_acescc_decode(code: f32, at: u32) -> f32 {
    let power = color_two_to(rounded(code * 17.52f) - 9.72f);
    let dark = rounded(2.0f * (power - 0x1p-16f));
    return select(min(power, 65504.0f), dark, code <= -0.30136986f);
}

fn color_acescc_encode(light: f32, at: u32) -> f32 {
    let dark = 0x1p-16f + rounded(0.5f * max(light, 0.0f));
    return rounded((color_binary_log(select(light, dark, light < 0x1p-15f)) + 9.72f) * 0.057077624f);
}

fn color_canon_decode(code: f32, at: u32) -> f32 {
    let below = code < color_number(at + 2u);
    let out = select(code - color_number(at + 5u), color_number(at + 4u) - code, below);
    let power = rounded(color_number(at + 1u) * (color_two_to(rounded(color_number(at) * out)) - 1.0f));
    let either = select(power, -power, below);
    let line = rounded((code - color_number(at + 7u)) * color_number(at + 6u));
    return select(either, line, !below && code <= color_number(at + 3u));
}

fn color_canon_encode(light: f32, at: u32) -> f32 {
    let below = light < color_number(at + 2u);
    let out = rounded(color_binary_log(rounded(abs(light) * color_number(at + 1u)) + 1.0f) * color_number(at));
    let either = select(out + color_number(at + 5u), color_number(at + 4u) - out, below);
    let line = rounded(light * color_number(at + 6u)) + color_number(at + 7u);
    return select(either, line, !below && light <= color_number(at + 3u));
}

fn color_apple_decode(code: f32, at: u32) -> f32 {
    let log = color_two_to(rounded(color_number(at + 1u) * code) + color_number(at + 2u)) - color_number(at + 3u);
    let square = color_root(rounded(max(code, 0.0f) * color_number(at + 4u))) + color_number(at + 5u);
    return select(square, log, code >= color_number(at));
}

fn color_apple_encode(light: f32, at: u32) -> f32 {
    let log = rounded(color_number(at) * color_binary_log(light + color_number(at + 1u))) + color_number(at + 2u);
    let out = max(light - color_number(at + 4u), 0.0f);
    let square = rounded(rounded(color_number(at + 5u) * out) * out);
    return select(square, log, light >= color_number(at + 3u));
}

fn color_toe_decode(code: f32, at: u32) -> f32 {
    let inside = rounded((code + color_number(at)) * color_number(at + 1u));
    let power = color_raised(inside, color_number(at + 2u));
    return select(code * color_number(at + 4u), power, code > color_number(at + 3u));
}

fn color_toe_encode(light: f32, at: u32) -> f32 {
    let power = rounded(color_number(at + 1u) * color_raised(light, color_number(at + 2u))) - color_number(at);
    return select(light * color_number(at + 4u), power, light > color_number(at + 3u));
}

fn color_mirrored_toe_decode(code: f32, at: u32) -> f32 {
    return color_copy_sign(color_toe_decode(abs(code), at), code);
}

fn color_mirrored_toe_encode(light: f32, at: u32) -> f32 {
    return color_copy_sign(color_toe_encode(abs(light), at), light);
}

fn color_power(v: f32, at: u32) -> f32 {
    return color_raised(max(v, 0.0f), color_number(at));
}

fn color_passing_power(v: f32, at: u32) -> f32 {
    return select(v, color_raised(v, color_number(at)), v > 0.0f);
}

fn color_mirrored_power(v: f32, at: u32) -> f32 {
    return color_mirrored(v, color_number(at));
}

fn color_pq_decode(code: f32, at: u32) -> f32 {
    let log = color_binary_log(min(abs(code), 1.0f));
    let less = color_two_to_less_one(max(rounded(log * color_number(at + 1u)), -0.5f));
    let rest = color_number(at + 3u);
    let over = max(rest + less, 0.0f);
    let light = color_raised(color_quotient(over, rest - rounded(color_number(at + 2u) * less)), color_number(at));
    return color_copy_sign(100.0f * light, code);
}

fn color_pq_encode(light: f32, at: u32) -> f32 {
    let p = color_raised(rounded(abs(light) * 0.01f), color_number(at));
    let over = rounded(color_number(at + 3u) * (p - 1.0f));
    let under = 1.0f + rounded(color_number(at + 2u) * p);
    let log = color_log_of_one_and_over(over, under);
    return color_copy_sign(color_two_to(rounded(color_number(at + 1u) * log)), light);
}

fn color_hlg_decode(code: f32, at: u32) -> f32 {
    let v = abs(code);
    let power = color_two_to(rounded((v - color_number(at + 1u)) * color_number(at + 2u)));
    let log = rounded((power + color_number(at)) * 0.083333336f);
    return color_copy_sign(select(log, rounded(rounded(v * v) * 0.33333334f), v <= 0.5f), code);
}

fn color_hlg_encode(light: f32, at: u32) -> f32 {
    let v = abs(light);
    let inside = rounded(12.0f * v) - color_number(at);
    let log = rounded(color_number(at + 2u) * color_binary_log(inside)) + color_number(at + 1u);
    return color_copy_sign(select(log, color_root(rounded(3.0f * v)), v <= 0.083333336f), light);
}

fn color_logarithm(v: f32, at: u32) -> f32 {
    let log = color_binary_log(rounded(v * color_number(at)) + color_number(at + 1u));
    return rounded(log * color_number(at + 2u)) + color_number(at + 3u);
}

fn color_antilogarithm(v: f32, at: u32) -> f32 {
    let power = color_two_to(rounded((v - color_number(at + 3u)) * color_number(at + 2u)));
    return rounded((power - color_number(at + 1u)) * color_number(at));
}

fn color_toed_logarithm(v: f32, at: u32) -> f32 {
    let line = color_number(at + 5u) + rounded((v - color_number(at + 4u)) * color_number(at + 6u));
    return select(line, color_logarithm(v, at), v > color_number(at + 4u));
}

fn color_toed_antilogarithm(v: f32, at: u32) -> f32 {
    let line = color_number(at + 4u) + rounded((v - color_number(at + 5u)) * color_number(at + 6u));
    return select(line, color_antilogarithm(v, at), v > color_number(at + 5u));
}
