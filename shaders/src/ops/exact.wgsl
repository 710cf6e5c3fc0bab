// What both forms of every operation count on, where a driver need not give it.
// Sums, differences and products are rounded as IEEE 754 says everywhere; but a
// driver may fuse a product into the sum that it goes into, even an exact one,
// and then move the sum's terms about; it moves a constant that is added to a sum
// to wherever it meets another term, which rounds otherwise; and its division and
// square root may be some units off. So a sum is rounded before a constant goes to
// it, and with the constant before it goes into the next sum.
//
// Needs `fn opaque_zero() -> u32`: 0, which a compiler cannot know.

// A value, above all a product, rounded before it goes into a sum.
fn rounded(value: f32) -> f32 {
    return bitcast<f32>(bitcast<u32>(value) ^ opaque_zero());
}

// What `rounded(a * b)` left out, exactly: halves of 12 bits have exact products.
fn left_out(a: f32, b: f32, product: f32) -> f32 {
    let high_a = bitcast<f32>(bitcast<u32>(a) & 0xfffff000u);
    let high_b = bitcast<f32>(bitcast<u32>(b) & 0xfffff000u);
    let low_a = a - high_a;
    let low_b = b - high_b;
    let most = (rounded(high_a * high_b) - product) + rounded(high_a * low_b);
    return (most + rounded(low_a * high_b)) + rounded(low_a * low_b);
}

// The quotient, rounded to the nearest but for one case in many millions. What
// the driver's own quotient leaves is found exactly and divided again. The
// divisor is no zero, and nothing comes near the ends of the range.
fn divided(dividend: f32, divisor: f32) -> f32 {
    let a = rounded(dividend);
    let b = rounded(divisor);
    let near = a / b;
    let product = rounded(near * b);
    let rest = (a - product) - left_out(near, b, product);
    return near + rounded(rest / b);
}

// The square root, likewise; of what is above zero.
fn root(radicand: f32) -> f32 {
    let x = rounded(radicand);
    let near = sqrt(x);
    let product = rounded(near * near);
    let rest = (x - product) - left_out(near, near, product);
    return near + rounded(rest / (near + near));
}

// `i` mirrored into 0..n about the first and the last index; n is 2 or more.
fn mirror(i: i32, n: i32) -> i32 {
    let period = 2 * (n - 1);
    let j = abs(i) % period;
    return min(j, period - j);
}
