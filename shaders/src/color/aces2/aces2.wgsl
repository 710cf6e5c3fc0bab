// The ACES 2.0 output transform: `mod.rs`, `gamut.rs` and `passes.rs` beside it, in the same
// order. Numbers: `Constants` as it lies in memory, where the search of a hue
// begins, then the tables: rows of hue, cusp's J and M and one over the upper
// exponent, one over their widths, and the reach.
const COLOR2_TO_AP1: u32 = 0u;
const COLOR2_FORWARD_LIMIT: u32 = 9u;
const COLOR2_SCENE_CONES: u32 = 10u;
const COLOR2_SCENE_OPPONENTS: u32 = 19u;
const COLOR2_FROM_OPPONENTS: u32 = 28u;
const COLOR2_LIMIT_CONES: u32 = 37u;
const COLOR2_LIMIT_TO_CONES: u32 = 46u;
const COLOR2_LIMIT_OPPONENTS: u32 = 55u;
const COLOR2_SCENE_FROM_OPPONENTS: u32 = 64u;
const COLOR2_CONES_TO_AP0: u32 = 73u;
const COLOR2_LEVEL: u32 = 82u;
const COLOR2_WHITE_RESPONSE: u32 = 83u;
const COLOR2_TONE: u32 = 84u;
const COLOR2_INVERSE_LIMIT: u32 = 89u;
const COLOR2_LIMIT_J: u32 = 90u;
const COLOR2_PER_LIMIT_A: u32 = 91u;
const COLOR2_SATURATION: u32 = 92u;
const COLOR2_COMPRESSION: u32 = 94u;
const COLOR2_NORM_SCALE: u32 = 95u;
const COLOR2_MID_J: u32 = 96u;
const COLOR2_FOCUS_GAIN: u32 = 97u;
const COLOR2_LOWER: u32 = 98u;
const COLOR2_PEAK: u32 = 99u;
const COLOR2_PER_LEVEL: u32 = 100u;
const COLOR2_PER_LIMIT_J: u32 = 101u;
const COLOR2_PER_M2: u32 = 102u;
const COLOR2_SEARCH: u32 = 103u;
const COLOR2_ROWS: u32 = 104u;
const COLOR2_PER_WIDTH: u32 = 2152u;
const COLOR2_REACH: u32 = 2664u;
const COLOR2_MASK: u32 = 511u;

const COLOR2_G: f32 = 1.137056f;
const COLOR2_G_INVERSE: f32 = 0.87946415f;

// Response of a cone.
fn color2_respond(v: f32) -> f32 {
    let p = color_raised(abs(v), 0.42f);
    return color_copy_sign(color_quotient(p, 27.13f + p), v);
}

// Light of a cone's response; held where it would be infinite.
fn color2_unrespond(a: f32) -> f32 {
    let b = min(abs(a), 0.99f);
    return color_copy_sign(color_raised(color_quotient(rounded(27.13f * b), 1.0f - b), 2.3809524f), a);
}

fn color2_responses(rgb: vec3<f32>) -> vec3<f32> {
    return vec3<f32>(color2_respond(rgb.x), color2_respond(rgb.y), color2_respond(rgb.z));
}

fn color2_lights(rgb: vec3<f32>) -> vec3<f32> {
    return vec3<f32>(color2_unrespond(rgb.x), color2_unrespond(rgb.y), color2_unrespond(rgb.z));
}

// The tone curve: luminance in and out, 1 = 100 cd/m2.
fn color2_tone(x: f32, at: u32) -> f32 {
    let part = color_quotient(x, x + color_number(at + COLOR2_TONE + 2u));
    let f = rounded(color_number(at + COLOR2_TONE + 3u) * color_raised(part, color_number(at + COLOR2_TONE)));
    return color_quotient(rounded(f * f), f + color_number(at + COLOR2_TONE + 1u));
}

fn color2_untone(y: f32, at: u32) -> f32 {
    let z = min(max(y, 0.0f), color_number(at + COLOR2_INVERSE_LIMIT));
    let inside = rounded(z * (rounded(4.0f * color_number(at + COLOR2_TONE + 1u)) + z));
    let f = rounded((z + color_root(inside)) * 0.5f);
    let p = color_raised(rounded(f * color_number(at + COLOR2_PER_M2)), color_number(at + COLOR2_TONE + 4u));
    return color_quotient(rounded(color_number(at + COLOR2_TONE + 2u) * p), 1.0f - p);
}

// What the tables hold for a hue, and its direction.
struct Color2Hue {
    cos: f32,
    sin: f32,
    cusp_j: f32,
    cusp_m: f32,
    upper: f32,
    reach_m: f32,
}

fn color2_look_up(cos: f32, sin: f32, at: u32) -> Color2Hue {
    let degrees = color_degrees(cos, sin);
    let whole = i32(degrees);
    var i = u32(whole + 1 + i32(color_number(at + COLOR2_SEARCH))) & COLOR2_MASK;
    for (var step = 0u; step < 3u; step++) {
        i += select(0u, 1u, color_number(at + COLOR2_ROWS + 4u * ((i + 1u) & COLOR2_MASK)) <= degrees);
    }
    let low = at + COLOR2_ROWS + 4u * (i & COLOR2_MASK);
    let high = at + COLOR2_ROWS + 4u * ((i + 1u) & COLOR2_MASK);
    let t = rounded((degrees - color_number(low)) * color_number(at + COLOR2_PER_WIDTH + (i & COLOR2_MASK)));
    let place = at + COLOR2_REACH + (u32(whole) & COLOR2_MASK);
    let reach = color_number(place + 1u);
    let part = degrees - f32(whole);
    return Color2Hue(
        cos,
        sin,
        color_number(low + 1u) + rounded((color_number(high + 1u) - color_number(low + 1u)) * t),
        color_number(low + 2u) + rounded((color_number(high + 2u) - color_number(low + 2u)) * t),
        color_number(low + 3u) + rounded((color_number(high + 3u) - color_number(low + 3u)) * t),
        reach + rounded((color_number(place + 2u) - reach) * part),
    );
}

// Scale of colourfulness at a hue.
fn color2_norm(cos: f32, sin: f32, at: u32) -> f32 {
    let cos2 = rounded(cos * cos) - rounded(sin * sin);
    let sin2 = rounded(rounded(2.0f * sin) * cos);
    let cos3 = rounded(cos2 * cos) - rounded(sin2 * sin);
    let sin3 = rounded(sin2 * cos) + rounded(cos2 * sin);
    var norm = rounded(11.34072f * cos) + rounded(16.46899f * cos2);
    norm = norm + rounded(7.8838f * cos3);
    norm = norm + rounded(14.66441f * sin);
    norm = norm + rounded(-6.37224f * sin2);
    norm = norm + rounded(9.19364f * sin3);
    return rounded((rounded(norm) + 77.12896f) * color_number(at + COLOR2_NORM_SCALE));
}

// The curve that holds a value below a limit.
fn color2_toe(x: f32, limit: f32, first: f32, second: f32) -> f32 {
    let k2 = max(second, 0.001f);
    let k1 = color_root(rounded(first * first) + rounded(k2 * k2));
    let k3 = color_quotient(limit + k1, limit + k2);
    let b = rounded(k3 * x) - k1;
    let root = color_root(rounded(b * b) + rounded(rounded(rounded(4.0f * k2) * k3) * x));
    return select(rounded(0.5f * (b + root)), x, x > limit);
}

fn color2_untoe(x: f32, limit: f32, first: f32, second: f32) -> f32 {
    let k2 = max(second, 0.001f);
    let k1 = color_root(rounded(first * first) + rounded(k2 * k2));
    let over = rounded((rounded(x * x) + rounded(k1 * x)) * (limit + k2));
    let y = color_quotient(over, rounded((limit + k1) * (x + k2)));
    return select(y, x, x > limit);
}

// Colourfulness that follows the tone curve.
fn color2_compress_chroma(m: f32, j: f32, a: f32, reach_m: f32, norm: f32, at: u32) -> f32 {
    let part = rounded(j * color_number(at + COLOR2_PER_LIMIT_J));
    let dark = max(1.0f - part, 0.0f);
    let per_norm = color_quotient(1.0f, norm);
    let limit = rounded(rounded(rounded(a * color_number(at + COLOR2_PER_LIMIT_A)) * reach_m) * per_norm);
    let second = color_root(rounded(part * part) + color_number(at + COLOR2_SATURATION + 1u));
    let first = rounded(dark * color_number(at + COLOR2_SATURATION));
    let expanded = limit - color2_toe(rounded(limit - rounded(m * per_norm)), rounded(limit - 0.001f), first, second);
    let compression = rounded(part * color_number(at + COLOR2_COMPRESSION));
    return select(0.0f, rounded(color2_toe(expanded, limit, compression, dark) * norm), m > 0.0f);
}

fn color2_expand_chroma(m: f32, j: f32, a: f32, reach_m: f32, norm: f32, at: u32) -> f32 {
    let part = rounded(j * color_number(at + COLOR2_PER_LIMIT_J));
    let dark = max(1.0f - part, 0.0f);
    let per_norm = color_quotient(1.0f, norm);
    let limit = rounded(rounded(rounded(a * color_number(at + COLOR2_PER_LIMIT_A)) * reach_m) * per_norm);
    let second = color_root(rounded(part * part) + color_number(at + COLOR2_SATURATION + 1u));
    let first = rounded(dark * color_number(at + COLOR2_SATURATION));
    let compression = rounded(part * color_number(at + COLOR2_COMPRESSION));
    let expanded = color2_untoe(rounded(m * per_norm), limit, compression, dark);
    let plain = limit - color2_untoe(rounded(limit - expanded), rounded(limit - 0.001f), first, second);
    return select(0.0f, rounded(plain * norm), m > 0.0f);
}

// Lightness at which the line through a colour meets the axis.
fn color2_intersect(j: f32, m: f32, focus: f32, limit: f32, per: vec2<f32>) -> f32 {
    let scaled = rounded(m * per.x);
    let a = rounded(scaled * per.y);
    let below = j < focus;
    let b = select(-(rounded(1.0f + scaled) + rounded(limit * a)), rounded(1.0f - scaled), below);
    let c = select(rounded(limit * scaled) + j, -j, below);
    let root = color_root(max(rounded(b * b) - rounded(rounded(4.0f * a) * c), 0.0f));
    return color_quotient(rounded(-2.0f * c), select(b - root, b + root, below));
}

// Colourfulness at which a line leaves a hull of one exponent.
fn color2_leaves(part: f32, slope: f32, inverse: f32, max_j: f32, max_m: f32, reference: f32) -> f32 {
    let power = color_raised(part, inverse);
    let over = rounded(rounded(reference * power) * max_m);
    return color_quotient(over, max_j - rounded(slope * max_m));
}

// A line of compression: where it meets the axis, its slope, where it leaves the gamut and the reach.
struct Color2Line {
    place: f32,
    slope: f32,
    boundary: f32,
    reach: f32,
}

// Lightness from which the line depends on the lightness.
fn color2_threshold(hue: Color2Hue, limit: f32) -> f32 {
    return hue.cusp_j + rounded((limit - hue.cusp_j) * 0.3f);
}

fn color2_line(j: f32, gain_j: f32, m: f32, hue: Color2Hue, at: u32) -> Color2Line {
    let limit = color_number(at + COLOR2_LIMIT_J);
    let per_limit = color_number(at + COLOR2_PER_LIMIT_J);
    let weight = min(1.3f - rounded(hue.cusp_j * per_limit), 1.0f);
    let focus = hue.cusp_j + rounded((color_number(at + COLOR2_MID_J) - hue.cusp_j) * weight);
    let threshold = color2_threshold(hue, limit);
    let far = color_quotient(limit - threshold, max(limit - gain_j, 1e-4f));
    let above = rounded(color_binary_log(far) * 0.30103f);
    let more = select(0.0f, rounded(above * above), gain_j > threshold);
    let gain = rounded(color_number(at + COLOR2_FOCUS_GAIN) * (1.0f + more));
    let per = vec2<f32>(color_quotient(1.0f, gain), color_quotient(1.0f, focus));
    let place = color2_intersect(j, m, focus, limit, per);
    let room = select(limit - place, place, place < focus);
    let slope = rounded(rounded(room * (place - focus)) * rounded(per.x * per.y));
    let cusp = color2_intersect(hue.cusp_j, hue.cusp_m, focus, limit, per);
    let low = color2_leaves(
        color_quotient(place, cusp), slope, color_number(at + COLOR2_LOWER), hue.cusp_j, hue.cusp_m, cusp);
    let down = limit - place;
    let cusp_down = limit - cusp;
    let high = color2_leaves(
        color_quotient(down, cusp_down), -slope, hue.upper, limit - hue.cusp_j, hue.cusp_m, cusp_down);
    let k = rounded(hue.cusp_m * 0.12f);
    let h = color_quotient(max(k - abs(low - high), 0.0f), k);
    let round = rounded(rounded(rounded(rounded(h * h) * h) * k) * 0.16666667f);
    let boundary = min(low, high) - round;
    let reach = color2_leaves(rounded(place * per_limit), slope, COLOR2_G_INVERSE, limit, hue.reach_m, limit);
    return Color2Line(place, slope, boundary, reach);
}

// Colourfulness on a line, pulled in or pushed out; lightness with it.
fn color2_along(j: f32, m: f32, line: Color2Line, out: bool, at: u32) -> vec2<f32> {
    let part = max(color_quotient(line.boundary, line.reach), 0.75f);
    let threshold = rounded(part * line.boundary);
    let most = rounded(line.reach - threshold);
    let outer = rounded(line.boundary - threshold);
    let scale = color_quotient(rounded(most * outer), most - outer);
    let over = m - threshold;
    let pulled = color_quotient(over, select(scale + over, scale - over, out));
    let bent = threshold + rounded(scale * select(pulled, 1.0f, out && over >= scale));
    let moved = select(bent, m, part >= 1.0f || m <= threshold);
    // Black, grey, and what is brighter than the peak are not on any line.
    let grey = m <= 0.0f || j > color_number(at + COLOR2_LIMIT_J) || line.boundary <= 0.0f;
    let inside = line.place + rounded(moved * line.slope);
    let lit = j > 0.0f;
    return vec2<f32>(select(0.0f, select(inside, j, grey), lit), select(0.0f, moved, lit && !grey));
}

fn color2_compress_gamut(j: f32, m: f32, hue: Color2Hue, at: u32) -> vec2<f32> {
    return color2_along(j, m, color2_line(j, j, m, hue, at), false, at);
}

fn color2_expand_gamut(j: f32, m: f32, hue: Color2Hue, at: u32) -> vec2<f32> {
    // Above the threshold the line depends on the lightness that is looked for.
    let above = j > color2_threshold(hue, color_number(at + COLOR2_LIMIT_J));
    let rounds = select(1u, 2u, above);
    var found = vec2<f32>(j, m);
    for (var i = 0u; i < rounds; i++) {
        found = color2_along(j, m, color2_line(j, found.x, m, hue, at), true, at);
    }
    return found;
}

// Direction and size of two opponent signals: cosine, sine, size.
fn color2_polar(x: f32, y: f32) -> vec3<f32> {
    let m = color_root(rounded(x * x) + rounded(y * y));
    let coloured = m > 0.0f;
    let scale = color_quotient(1.0f, select(1.0f, m, coloured));
    return vec3<f32>(select(1.0f, rounded(x * scale), coloured), rounded(y * scale), m);
}

// Achromatic response and colourfulness of a hue to light.
fn color2_light(a: f32, m: f32, hue: Color2Hue, opponents: u32, cones: u32) -> vec3<f32> {
    let signals = vec3<f32>(a, rounded(m * hue.cos), rounded(m * hue.sin));
    return color_rows(cones, color2_lights(color_rows(opponents, signals)));
}

fn color_output2(aces: vec3<f32>, at: u32) -> vec3<f32> {
    let zero = vec3<f32>(0.0f);
    let limit = vec3<f32>(color_number(at + COLOR2_FORWARD_LIMIT));
    let ap1 = min(max(color_rows(at + COLOR2_TO_AP1, aces), zero), limit);
    let cones = color2_responses(color_rows(at + COLOR2_SCENE_CONES, ap1));
    let signals = color_rows(at + COLOR2_SCENE_OPPONENTS, cones);
    let polar = color2_polar(signals.y, signals.z);
    let hue = color2_look_up(polar.x, polar.y, at);

    let lit = signals.x > 0.0f;
    let a = select(1.0f, signals.x, lit);
    let white = color_number(at + COLOR2_WHITE_RESPONSE);
    let scene = rounded(color2_unrespond(rounded(white * a)) * color_number(at + COLOR2_PER_LEVEL));
    let light = rounded(color2_tone(scene, at) * color_number(at + COLOR2_LEVEL));
    let shown = color_quotient(color2_respond(light), white);
    let j = rounded(100.0f * color_raised(shown, COLOR2_G));
    let norm = color2_norm(hue.cos, hue.sin, at);
    let m = rounded(polar.z * color_quotient(shown, a));
    let compressed = color2_compress_chroma(m, j, shown, hue.reach_m, norm, at);

    let inside = color2_compress_gamut(j, compressed, hue, at);
    let last = color_raised(rounded(inside.x * 0.01f), COLOR2_G_INVERSE);
    let rgb = color2_light(last, inside.y, hue, at + COLOR2_FROM_OPPONENTS, at + COLOR2_LIMIT_CONES);
    let peak = vec3<f32>(color_number(at + COLOR2_PEAK));
    return select(zero, min(max(rgb, zero), peak), lit);
}

fn color_output2_back(shown: vec3<f32>, at: u32) -> vec3<f32> {
    let zero = vec3<f32>(0.0f);
    let limited = min(max(shown, zero), vec3<f32>(color_number(at + COLOR2_PEAK)));
    let cones = color2_responses(color_rows(at + COLOR2_LIMIT_TO_CONES, limited));
    let signals = color_rows(at + COLOR2_LIMIT_OPPONENTS, cones);
    let polar = color2_polar(signals.y, signals.z);
    let hue = color2_look_up(polar.x, polar.y, at);

    let j = rounded(100.0f * color_raised(signals.x, COLOR2_G));
    let outside = color2_expand_gamut(j, polar.z, hue, at);
    let a_shown = color_raised(rounded(outside.x * 0.01f), COLOR2_G_INVERSE);
    let norm = color2_norm(hue.cos, hue.sin, at);
    let m = color2_expand_chroma(outside.y, outside.x, a_shown, hue.reach_m, norm, at);
    let white = color_number(at + COLOR2_WHITE_RESPONSE);
    let light = rounded(color2_unrespond(rounded(white * a_shown)) * color_number(at + COLOR2_PER_LEVEL));
    let scene = rounded(color2_untone(light, at) * color_number(at + COLOR2_LEVEL));
    let a = color_quotient(color2_respond(scene), white);
    let scaled = rounded(m * color_quotient(a, select(1.0f, a_shown, a_shown > 0.0f)));
    let rgb = color2_light(a, scaled, hue, at + COLOR2_SCENE_FROM_OPPONENTS, at + COLOR2_CONES_TO_AP0);
    return select(zero, rgb, signals.x > 0.0f);
}
