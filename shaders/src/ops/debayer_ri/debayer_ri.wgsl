// The steps of the module's text. Places are those of the window of mosaic and
// halo; beyond the picture's edges it holds mirror images.
//
// Needs, of a place in the window:
//   fn site(p: vec2<i32>) -> f32: the encoded photosite (step 1);
//   fn is_green(p: vec2<i32>) -> bool, and fn own_color(p: vec2<i32>) -> u32:
//     the colour of a site that is not green, 0 or 2;
//   fn clip_of(color: u32) -> f32: from where a photosite is clipped;
//   fn kept(plane: u32, p: vec2<i32>) -> f32: what a step left in a plane.
// A line is 0 for the row, 1 for the column.

// Squares of green's band pass and of the colour's, and their product, summed; of the column three more.
const RI_MOMENTS: u32 = 0u;
// Green minus colour, along the row and down the column.
const RI_DIFFERENCE: u32 = 6u;
// What a side counts, along the row and down the column.
const RI_WEIGHT: u32 = 8u;
// Green at sites that are not green.
const RI_GREEN: u32 = 10u;
// 1 where a photosite of the five by five around is clipped, else 0.
const RI_CLIPPED: u32 = 11u;
// Green minus colour at first sight, and how far it is made even.
const RI_GUESS: u32 = 12u;
const RI_EVEN: u32 = 13u;
// The moments are not needed any more when these come: product and square of
// Laplacians, lines, smoothed lines, residuals of the own colour, residuals of
// the other colour, and that colour.
const RI_PRODUCT: u32 = 0u;
const RI_SQUARE: u32 = 1u;
const RI_FITTED: u32 = 2u;
const RI_SMOOTHED: u32 = 3u;
const RI_OWN: u32 = 4u;
const RI_OTHER: u32 = 5u;
const RI_OTHER_COLOR: u32 = 6u;

fn ri_step(line: u32) -> vec2<i32> {
    return select(vec2<i32>(0, 1), vec2<i32>(1, 0), line == 0u);
}

fn ri_within(v: f32, low: f32, high: f32) -> f32 {
    return min(max(v, low), high);
}

fn ri_least(u: vec4<f32>) -> f32 {
    return min(min(u.x, u.y), min(u.z, u.w));
}

fn ri_most(u: vec4<f32>) -> f32 {
    return max(max(u.x, u.y), max(u.z, u.w));
}

// `v` within the range of four colours, and of what they are beside their
// greens, at a place whose green is `here`.
fn ri_among(v: f32, here: f32, colors: vec4<f32>, greens: vec4<f32>) -> f32 {
    let apart = colors - greens;
    let low = min(ri_least(colors), here + ri_least(apart));
    return ri_within(v, low, max(ri_most(colors), here + ri_most(apart)));
}

// Spread sums of a plane about a place, `step` apart.
fn ri_three(plane: u32, p: vec2<i32>, step: vec2<i32>) -> f32 {
    return kept(plane, p) + (kept(plane, p - step) + kept(plane, p + step));
}

fn ri_five(plane: u32, p: vec2<i32>, step: vec2<i32>) -> f32 {
    return ri_three(plane, p, step) + (kept(plane, p - 2 * step) + kept(plane, p + 2 * step));
}

// A spread sum of five along rows of the lattice, then of those along columns.
fn ri_five_by_five(plane: u32, p: vec2<i32>) -> f32 {
    let k = vec2<i32>(2, 0);
    let d = vec2<i32>(0, 2);
    let inner = ri_five(plane, p, k) + (ri_five(plane, p - d, k) + ri_five(plane, p + d, k));
    return inner + (ri_five(plane, p - 2 * d, k) + ri_five(plane, p + 2 * d, k));
}

// Steps 2 to 4 on a line: the three moments, and green minus colour.
fn ri_detail(line: u32, p: vec2<i32>, clipped: bool) -> vec4<f32> {
    let k = ri_step(line);
    // From nine sites before to nine after.
    var m: array<f32, 19>;
    for (var i = 0; i < 19; i++) {
        m[i] = site(p + (i - 9) * k);
    }
    // Squares of the own colour's band pass at this site, of the other's, and products; alternating from site to site.
    var own: array<f32, 11>;
    var other: array<f32, 11>;
    var both: array<f32, 11>;
    for (var i = 0; i < 11; i++) {
        let o = rounded(2.0 * (m[i + 6] - m[i + 2])) + rounded(0.5 * (m[i + 8] - m[i]));
        let q = rounded(1.5 * ((m[i + 5] + m[i + 7]) - (m[i + 3] + m[i + 1])));
        let oo = rounded(o * o);
        let qq = rounded(q * q);
        let even = (i & 1) == 1;
        own[i] = select(qq, oo, even);
        other[i] = select(oo, qq, even);
        both[i] = rounded(o * q);
    }
    var sum = vec3<f32>(own[5], other[5], both[5]);
    for (var i = 1; i < 6; i++) {
        sum += vec3<f32>(own[5 - i], other[5 - i], both[5 - i]) + vec3<f32>(own[5 + i], other[5 + i], both[5 + i]);
    }
    let a = ri_within(divided(rounded(sum.z) + 0.01f, rounded(sum.x) + 0.01f), -8.0, 8.0);
    let mean = rounded((m[8] + m[10]) * 0.5);
    let lap = rounded(((m[9] + m[9]) - (m[7] + m[11])) * 0.25);
    var guess = mean + rounded(a * lap);
    if (clipped) {
        let low = min(m[8], m[10]);
        let high = max(m[8], m[10]);
        let room = rounded((high - low) * 0.5);
        guess = ri_within(guess, low - room, high + room);
    }
    if (is_green(p)) {
        return vec4<f32>(sum, m[9] - guess);
    }
    return vec4<f32>(sum.y, sum.x, sum.z, guess - m[9]);
}

fn ri_change(line: u32, p: vec2<i32>) -> f32 {
    let k = ri_step(line);
    return abs(kept(RI_DIFFERENCE + line, p - k) - kept(RI_DIFFERENCE + line, p + k));
}

fn ri_changes(line: u32, p: vec2<i32>) -> f32 {
    let k = vec2<i32>(1, 0);
    return ri_change(line, p) + (ri_change(line, p - k) + ri_change(line, p + k));
}

// Step 5.
fn ri_weight(line: u32, p: vec2<i32>) -> f32 {
    let d = vec2<i32>(0, 1);
    let b = ri_changes(line, p) + (ri_changes(line, p - d) + ri_changes(line, p + d));
    return divided(1.0, rounded(b * b) + 1.0e-4f);
}

// Weights of the four sides: west, east, north, south.
fn ri_sides(p: vec2<i32>) -> vec4<f32> {
    let k = vec2<i32>(1, 0);
    let d = vec2<i32>(0, 1);
    return vec4<f32>(
        kept(RI_WEIGHT, p - k),
        kept(RI_WEIGHT, p + k),
        kept(RI_WEIGHT + 1u, p - d),
        kept(RI_WEIGHT + 1u, p + d),
    );
}

// Step 6: one of the moments.
fn ri_shared(moment: u32, p: vec2<i32>) -> f32 {
    let row = RI_MOMENTS + moment;
    return ri_five(row, p, vec2<i32>(0, 1)) + ri_five(row + 3u, p, vec2<i32>(1, 0));
}

fn ri_rough(p: vec2<i32>) -> f32 {
    let gg = ri_shared(0u, p);
    let cc = ri_shared(1u, p);
    let gc = ri_shared(2u, p);
    let s = gg + cc;
    let u = gg - cc;
    let least = rounded(rounded(gg * cc) + rounded(0.001f * rounded(s * s))) + RI_TINY * RI_TINY;
    let q = rounded(divided(rounded(u * u), least) * RI_GAIN);
    let o = rounded(divided(s - (gc + gc), rounded(s) + RI_TINY) * 0.5);
    return rounded(1.0 + rounded(q * q)) + rounded(o * o);
}

const RI_TINY: f32 = 1.0e-6f;
// One over 0.3, in single precision.
const RI_GAIN: f32 = 0x1.aaaaaap+1f;

fn ri_is_clipped(p: vec2<i32>) -> bool {
    var color = 1u;
    if (!is_green(p)) {
        color = own_color(p);
    }
    return site(p) >= clip_of(color);
}

// The four sites beside: west, east, north, south.
fn ri_beside(p: vec2<i32>) -> vec4<f32> {
    let k = vec2<i32>(1, 0);
    let d = vec2<i32>(0, 1);
    return vec4<f32>(site(p - k), site(p + k), site(p - d), site(p + d));
}

// Step 7, at a site that is not green: the first guess, and how far it is made even.
fn ri_guess(p: vec2<i32>) -> vec2<f32> {
    let k = vec2<i32>(1, 0);
    let d = vec2<i32>(0, 1);
    let v = RI_DIFFERENCE + 1u;
    let w = ri_sides(p);
    let across = w.x + w.y;
    let down = w.z + w.w;
    let all = across + down;
    let here = rounded(across * kept(RI_DIFFERENCE, p)) + rounded(down * kept(v, p));
    let beside = (rounded(w.x * kept(RI_DIFFERENCE, p - k)) + rounded(w.y * kept(RI_DIFFERENCE, p + k)))
        + (rounded(w.z * kept(v, p - d)) + rounded(w.w * kept(v, p + d)));
    let near = rounded(0.65f * here) + rounded(0.35f * beside);
    let far = rounded(0.2f * ((rounded(w.x * ri_five(RI_DIFFERENCE, p - 2 * k, k)) + rounded(w.y * ri_five(RI_DIFFERENCE, p + 2 * k, k)))
        + (rounded(w.z * ri_five(v, p - 2 * d, d)) + rounded(w.w * ri_five(v, p + 2 * d, d)))));
    let n = divided(near, all);
    let f = divided(far, all);
    let hue = rounded(f * 10.0);
    let trust = divided(1.0, ri_rough(p) + rounded(hue * hue));
    return vec2<f32>(n + rounded((f - n) * trust), rounded(rounded(trust * trust) * 0.3f));
}

fn ri_green(p: vec2<i32>) -> f32 {
    let k = vec2<i32>(2, 0);
    let d = vec2<i32>(0, 2);
    let w = ri_sides(p);
    let all = (w.x + w.y) + (w.z + w.w);
    let across = rounded(w.x * kept(RI_GUESS, p - k)) + rounded(w.y * kept(RI_GUESS, p + k));
    let down = rounded(w.z * kept(RI_GUESS, p - d)) + rounded(w.w * kept(RI_GUESS, p + d));
    let beside = divided(across + down, all);
    let guess = kept(RI_GUESS, p);
    return site(p) + (guess + rounded((beside - guess) * kept(RI_EVEN, p)));
}

fn ri_green_at(p: vec2<i32>) -> f32 {
    if (is_green(p)) {
        return site(p);
    }
    return kept(RI_GREEN, p);
}

// Step 8, at a site that is not green: product and square of the Laplacians.
fn ri_laplace(p: vec2<i32>) -> vec2<f32> {
    let k = vec2<i32>(2, 0);
    let d = vec2<i32>(0, 2);
    let color = rounded(4.0 * site(p)) - ((site(p - k) + site(p + k)) + (site(p - d) + site(p + d)));
    let green = rounded(4.0 * kept(RI_GREEN, p))
        - ((kept(RI_GREEN, p - k) + kept(RI_GREEN, p + k)) + (kept(RI_GREEN, p - d) + kept(RI_GREEN, p + d)));
    return vec2<f32>(rounded(color * green), rounded(green * green));
}

fn ri_fitted(p: vec2<i32>) -> f32 {
    let product = rounded(ri_five_by_five(RI_PRODUCT, p)) + 0.025f * 0.4f;
    let square = rounded(ri_five_by_five(RI_SQUARE, p)) + 0.025f;
    return ri_within(divided(product, square), -2.0, 2.0);
}

// A smoothed line, and the residual of the own colour.
fn ri_smoothed(p: vec2<i32>) -> vec2<f32> {
    let line = rounded(ri_five_by_five(RI_FITTED, p) * 0.04f);
    return vec2<f32>(line, site(p) - rounded(line * kept(RI_GREEN, p)));
}

// Step 9: how much green changes along a diagonal, over three by three sites.
fn ri_diagonal(p: vec2<i32>, way: vec2<i32>) -> f32 {
    var rows: array<f32, 3>;
    for (var y = 0; y < 3; y++) {
        var e: array<f32, 3>;
        for (var x = 0; x < 3; x++) {
            let at = p + vec2<i32>(x - 1, y - 1);
            e[x] = abs(ri_green_at(at + way) - ri_green_at(at - way));
        }
        rows[y] = e[1] + (e[0] + e[2]);
    }
    return rows[1] + (rows[0] + rows[2]);
}

// Whether a photosite of the five by five around is clipped.
fn ri_clipped_around(p: vec2<i32>) -> bool {
    for (var y = -2; y < 3; y++) {
        for (var x = -2; x < 3; x++) {
            if (ri_is_clipped(p + vec2<i32>(x, y))) {
                return true;
            }
        }
    }
    return false;
}

fn ri_is_near_clip(p: vec2<i32>) -> bool {
    return kept(RI_CLIPPED, p) > 0.0;
}

// The residual of the other colour at a site that is not green, and that colour.
fn ri_other(p: vec2<i32>) -> vec2<f32> {
    let first = vec2<i32>(1, 1);
    let second = vec2<i32>(1, -1);
    let b1 = ri_diagonal(p, first);
    let b2 = ri_diagonal(p, second);
    let v1 = rounded(rounded(b1 * b1) + 1.0e-4f);
    let v2 = rounded(rounded(b2 * b2) + 1.0e-4f);
    let h = divided(v2, rounded(2.0 * (v1 + v2)));
    let residual = rounded(h * (kept(RI_OWN, p - first) + kept(RI_OWN, p + first)))
        + rounded((0.5 - h) * (kept(RI_OWN, p + second) + kept(RI_OWN, p - second)));
    let north = kept(RI_SMOOTHED, p - first) + kept(RI_SMOOTHED, p + second);
    let south = kept(RI_SMOOTHED, p - second) + kept(RI_SMOOTHED, p + first);
    let line = rounded((north + south) * 0.25);
    let color = rounded(line * kept(RI_GREEN, p)) + residual;
    if (ri_is_near_clip(p)) {
        let colors = vec4<f32>(site(p - first), site(p + second), site(p - second), site(p + first));
        let greens = vec4<f32>(
            kept(RI_GREEN, p - first),
            kept(RI_GREEN, p + second),
            kept(RI_GREEN, p - second),
            kept(RI_GREEN, p + first),
        );
        return vec2<f32>(residual, ri_among(color, kept(RI_GREEN, p), colors, greens));
    }
    return vec2<f32>(residual, color);
}

// A colour at a green site: from the lines of two neighbours on `line`, four
// residuals and, where something is clipped, the four colours and their greens.
fn ri_between(p: vec2<i32>, line: u32, share: f32, residuals: vec4<f32>, colors: vec4<f32>, greens: vec4<f32>, clipped: bool) -> f32 {
    let k = ri_step(line);
    let fitted = rounded((kept(RI_SMOOTHED, p - k) + kept(RI_SMOOTHED, p + k)) * 0.5);
    let across = rounded(share * (residuals.x + residuals.y));
    let residual = across + rounded((0.5 - share) * (residuals.z + residuals.w));
    let color = rounded(fitted * site(p)) + residual;
    return select(color, ri_among(color, site(p), colors, greens), clipped);
}

fn ri_beside_kept(plane: u32, p: vec2<i32>) -> vec4<f32> {
    let k = vec2<i32>(1, 0);
    let d = vec2<i32>(0, 1);
    return vec4<f32>(kept(plane, p - k), kept(plane, p + k), kept(plane, p - d), kept(plane, p + d));
}

// Steps 9 and 10: red, green and blue of a place, linear; `red_row` says that
// the row of a green site has red.
fn ri_pixel(p: vec2<i32>, red_row: bool) -> vec3<f32> {
    var row: f32;
    var column: f32;
    var green: f32;
    if (is_green(p)) {
        green = site(p);
        let w = ri_sides(p);
        let across = w.x + w.y;
        let all = across + (w.z + w.w);
        let share = divided(across, all + all);
        let own = ri_beside_kept(RI_OWN, p);
        let other = ri_beside_kept(RI_OTHER, p);
        let greens = ri_beside_kept(RI_GREEN, p);
        let sites = ri_beside(p);
        let guessed = ri_beside_kept(RI_OTHER_COLOR, p);
        let clipped = ri_is_near_clip(p);
        // West and east have the colour of the row, north and south that of the column.
        row = ri_between(p, 0u, share, vec4<f32>(own.xy, other.zw), vec4<f32>(sites.xy, guessed.zw), greens, clipped);
        column = ri_between(p, 1u, share, vec4<f32>(other.xy, own.zw), vec4<f32>(guessed.xy, sites.zw), greens, clipped);
    } else {
        green = kept(RI_GREEN, p);
        row = site(p);
        column = kept(RI_OTHER_COLOR, p);
    }
    let red = select(column, row, red_row);
    let blue = select(row, column, red_row);
    return vec3<f32>(decode(red), decode(green), decode(blue));
}
