// How far a value has come from where it begins to be raised (60/64 of its
// colour's gain) to where it counts as clipped (63/64).
fn highlights_near(v: f32, gain: f32) -> f32 {
    let start = rounded(gain * 0.9375);
    let width = rounded(gain * 0.046875);
    return min(max(divided(v - start, width), 0.0), 1.0);
}

// A photosite `c` with the means `x`, `y` of the nearest of either other colour;
// gains are those of `c`, `x` and `y`.
fn highlights_rebuilt(c: f32, x: f32, y: f32, gains: vec3<f32>) -> f32 {
    let even = (x + y) * 0.5;
    let all = min(highlights_near(x, gains.y), highlights_near(y, gains.z));
    let light = even + rounded((max(max(x, y), c) - even) * all);
    return c + rounded(max(light - c, 0.0) * highlights_near(c, gains.x));
}
