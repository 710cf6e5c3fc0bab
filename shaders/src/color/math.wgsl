// The arithmetic of colour, word for word that of `math.rs`: no driver's
// logarithm, power, quotient or root decides a pixel. Products are rounded
// before they go into a sum (`rounded`), and sums with a constant before they
// go into another: a driver would put the constant last.
//
// Needs: var<storage, read> color_numbers: array<f32>.

fn color_number(i: u32) -> f32 {
    return color_numbers[i];
}

// The quotient to the nearest, and what the driver makes of it where there is none.
fn color_quotient(a: f32, b: f32) -> f32 {
    let exact = divided(a, b);
    return select(a / b, exact, abs(exact) < 0x1p127f);
}

fn color_root(x: f32) -> f32 {
    let exact = root(x);
    return select(sqrt(x), exact, abs(exact) < 0x1p127f);
}

fn color_copy_sign(size: f32, sign: f32) -> f32 {
    return bitcast<f32>((bitcast<u32>(size) & 0x7fffffffu) | (bitcast<u32>(sign) & 0x80000000u));
}

// The binary logarithm of (1 + s) over (1 - s).
fn color_series(s: f32) -> f32 {
    let z = rounded(s * s);
    var p = rounded(0.11111111f * z) + 0.14285715f;
    p = rounded(p * z) + 0.2f;
    p = rounded(p * z) + 0.33333334f;
    return rounded((s + rounded(s * rounded(z * p))) * 2.88539f);
}

fn color_binary_log(value: f32) -> f32 {
    let x = select(0x1p-126f, value, value > 0x1p-126f);
    let bits = bitcast<u32>(x);
    let shifted = bits - 0x3f3504f3u;
    let exponent = f32(bitcast<i32>(shifted) >> 23u);
    let mantissa = bitcast<f32>(bits - (shifted & 0xff800000u));
    return rounded(exponent + color_series(color_quotient(mantissa - 1.0f, mantissa + 1.0f)));
}

fn color_two_to(value: f32) -> f32 {
    var x = select(-126.0f, value, value > -126.0f);
    x = select(127.49999f, x, x < 127.49999f);
    let moved = rounded(x + 12582912.0f);
    let f = x - rounded(moved - 12582912.0f);
    var p = rounded(1.540353e-4f * f) + 1.3333558e-3f;
    p = rounded(p * f) + 9.618129e-3f;
    p = rounded(p * f) + 5.550411e-2f;
    p = rounded(p * f) + 0.2402265f;
    p = rounded(p * f) + 0.6931472f;
    let near = rounded(p * f) + 1.0f;
    return bitcast<f32>(bitcast<u32>(near) + (bitcast<u32>(moved) << 23u));
}

fn color_log_of_one_and_over(a: f32, b: f32) -> f32 {
    return color_series(color_quotient(a, rounded(2.0f * b) + a));
}

fn color_two_to_less_one(x: f32) -> f32 {
    var p = rounded(1.5252734e-5f * x) + 1.540353e-4f;
    p = rounded(p * x) + 1.3333558e-3f;
    p = rounded(p * x) + 9.618129e-3f;
    p = rounded(p * x) + 5.550411e-2f;
    p = rounded(p * x) + 0.2402265f;
    p = rounded(p * x) + 0.6931472f;
    return rounded(p * x);
}

fn color_raised(x: f32, y: f32) -> f32 {
    let value = color_two_to(rounded(y * color_binary_log(x)));
    return select(0.0f, value, x > 0.0f);
}

fn color_mirrored(x: f32, y: f32) -> f32 {
    return color_copy_sign(color_raised(abs(x), y), x);
}

fn color_degrees(x: f32, y: f32) -> f32 {
    let ax = abs(x);
    let ay = abs(y);
    let small = select(ax, ay, ay < ax);
    let large = select(ay, ax, ay < ax);
    let far = small > rounded(0.41421357f * large);
    let over = select(small, small - large, far);
    let t = color_quotient(over, select(select(1.0f, large, large > 0.0f), small + large, far));
    let z = rounded(t * t);
    var p = rounded(8.0537445e-2f * z) - 1.3877686e-1f;
    p = rounded(p * z) + 1.997771e-1f;
    p = rounded(p * z) - 3.333295e-1f;
    var a = rounded((rounded(rounded(p * z) * t) + t) * 57.29578f);
    a = select(a, a + 45.0f, far);
    a = select(90.0f - a, a, ay < ax);
    a = select(a, 180.0f - a, x < 0.0f);
    a = select(a, 360.0f - a, y < 0.0f);
    return select(0.0f, a, a < 360.0f);
}

// Row `at` of a matrix, and its sum with a pixel.
fn color_row(at: u32, rgb: vec3<f32>) -> f32 {
    return (rounded(color_number(at) * rgb.x) + rounded(color_number(at + 1u) * rgb.y))
        + rounded(color_number(at + 2u) * rgb.z);
}

fn color_rows(at: u32, rgb: vec3<f32>) -> vec3<f32> {
    return vec3<f32>(color_row(at, rgb), color_row(at + 3u, rgb), color_row(at + 6u, rgb));
}
