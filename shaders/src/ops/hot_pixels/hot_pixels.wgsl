// Needs `fn sensed(p: vec2<i32>) -> f32`: a white-balanced photosite of the
// window, mirrored beyond the picture's edges.

// The photosite at `p`, or what stands for it where it sticks out; `gain` is
// that of its colour.
fn hot_pixels(p: vec2<i32>, gain: f32) -> f32 {
    let c = sensed(p);
    let w = sensed(p - vec2<i32>(2, 0));
    let e = sensed(p + vec2<i32>(2, 0));
    let n = sensed(p - vec2<i32>(0, 2));
    let s = sensed(p + vec2<i32>(0, 2));
    let nw = sensed(p - vec2<i32>(2, 2));
    let se = sensed(p + vec2<i32>(2, 2));
    let ne = sensed(p + vec2<i32>(2, -2));
    let sw = sensed(p + vec2<i32>(-2, 2));
    let hi = max(max(max(w, e), max(n, s)), max(max(nw, se), max(ne, sw)));
    let lo = min(min(min(w, e), min(n, s)), min(min(nw, se), min(ne, sw)));
    let room = (rounded(gain * 0x1p-7f) + (hi - lo)) + rounded(abs(hi) * 0.25);
    if (c - hi <= room && lo - c <= room) {
        return c;
    }
    var least = abs(w - e);
    var sum = w + e;
    if (abs(n - s) < least) {
        least = abs(n - s);
        sum = n + s;
    }
    if (abs(nw - se) < least) {
        least = abs(nw - se);
        sum = nw + se;
    }
    if (abs(ne - sw) < least) {
        sum = ne + sw;
    }
    return sum * 0.5;
}
