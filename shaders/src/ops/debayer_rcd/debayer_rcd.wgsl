// The steps of the module's text, one function each. Places are those of the
// window of mosaic and halo; beyond the picture's edges it holds mirror images.
//
// Needs, of a place in the window:
//   fn site(p: vec2<i32>) -> f32: the encoded photosite (step 1);
//   fn is_green(p: vec2<i32>) -> bool;
//   fn guess_at(line: u32, p: vec2<i32>) -> f32: what `rcd_guess` left there;
//   fn guessed_green_at(p: vec2<i32>) -> f32: what `rcd_green` left;
//   fn opposite_at(p: vec2<i32>) -> f32: what `rcd_opposite` left.
// A line is 0 for the row, 1 for the column.

const RCD_PEDESTAL: f32 = 0.1f;
const RCD_FLOOR: f32 = 0.25f;
const RCD_NEAR: f32 = 0x1p-10f;
const RCD_SMALL: f32 = 1.0e-7f;
const RCD_CALM: f32 = 0.0234375f;
const RCD_TINY: f32 = 1.0e-9f;
const RCD_LIMIT: f32 = 0.5f;

fn rcd_step(line: u32) -> vec2<i32> {
    return select(vec2<i32>(0, 1), vec2<i32>(1, 0), line == 0u);
}

// Step 2, of a column of three.
fn rcd_column(p: vec2<i32>) -> f32 {
    return (site(p - vec2<i32>(0, 1)) + site(p + vec2<i32>(0, 1))) + rounded(site(p) * 2.0);
}

fn rcd_low(p: vec2<i32>) -> f32 {
    let beside = rcd_column(p - vec2<i32>(1, 0)) + rcd_column(p + vec2<i32>(1, 0));
    return max(beside + rounded(rcd_column(p) * 2.0), RCD_FLOOR);
}

// Step 3: green minus colour, as a line tells it.
fn rcd_guess(line: u32, p: vec2<i32>) -> f32 {
    let k = rcd_step(line);
    let c = site(p);
    let before = site(p - k);
    let after = site(p + k);
    let near = rounded(abs(before - after) + RCD_NEAR);
    let rough_before = near + (abs(c - site(p - 2 * k)) + abs(before - site(p - 3 * k)));
    let rough_after = near + (abs(c - site(p + 2 * k)) + abs(after - site(p + 3 * k)));
    let low = rcd_low(p);
    let sum_before = low + rcd_low(p - 2 * k);
    let sum_after = low + rcd_low(p + 2 * k);
    let weighted = rounded(before * (rough_after * sum_after)) + rounded(after * (rough_before * sum_before));
    let guess = divided((low * 2.0) * weighted, (rough_before + rough_after) * (sum_before * sum_after));
    return select(guess - c, c - guess, is_green(p));
}

// Step 4.
fn rcd_change(line: u32, p: vec2<i32>) -> f32 {
    let k = rcd_step(line);
    let change = guess_at(line, p + k) - guess_at(line, p - k);
    return rounded(change * change);
}

// Step 5, of a row of three, and of three of those.
fn rcd_changes(line: u32, p: vec2<i32>) -> f32 {
    let k = vec2<i32>(1, 0);
    return (rcd_change(line, p - k) + rcd_change(line, p + k)) + rcd_change(line, p);
}

fn rcd_weight(line: u32, p: vec2<i32>) -> f32 {
    let k = vec2<i32>(0, 1);
    let beside = rcd_changes(line, p - k) + rcd_changes(line, p + k);
    let sum = beside + rounded(rounded(rcd_changes(line, p)) + RCD_SMALL);
    return rounded(sum * sum);
}

// Step 6.
fn rcd_smooth(line: u32, p: vec2<i32>) -> f32 {
    let k = rcd_step(line);
    var v: array<f32, 9>;
    for (var i = 0; i < 9; i++) {
        v[i] = guess_at(line, p + (i - 4) * k);
    }
    let wild_before = rounded(v[3] * 2.0) - (v[2] + v[4]);
    let wild = rounded(v[4] * 2.0) - (v[3] + v[5]);
    let wild_after = rounded(v[5] * 2.0) - (v[4] + v[6]);
    let alternates = rounded(wild * wild)
        + rounded((rounded(wild_before * wild_before) + rounded(wild_after * wild_after)) * 0.5);
    let calm_before = (v[1] + v[3]) + rounded(v[2] * 2.0);
    let calm_after = (v[5] + v[7]) + rounded(v[6] * 2.0);
    let near = calm_after - calm_before;
    let far = ((v[6] + v[8]) + rounded(v[7] * 2.0)) - ((v[0] + v[2]) + rounded(v[1] * 2.0));
    let changes = rounded((rounded(near * near) + rounded(far * far)) * RCD_CALM) + RCD_TINY;
    let part = divided(alternates, alternates + rounded(changes));
    let bend = (calm_before + calm_after) - rounded(((v[3] + v[5]) + rounded(v[4] * 2.0)) * 2.0);
    return v[4] + rounded((rounded(bend * 0.0625) - rounded(wild * 0.25)) * part);
}

// Step 7, at a site that is not green.
fn rcd_green(p: vec2<i32>) -> f32 {
    let down_weight = rcd_weight(1u, p);
    let part = divided(down_weight, down_weight + rcd_weight(0u, p));
    let along = rcd_smooth(0u, p);
    let down = rcd_smooth(1u, p);
    let guess = site(p) + (down + rounded((along - down) * part));
    let n = site(p - vec2<i32>(0, 1));
    let s = site(p + vec2<i32>(0, 1));
    let w = site(p - vec2<i32>(1, 0));
    let e = site(p + vec2<i32>(1, 0));
    let low = min(min(n, s), min(w, e));
    let high = max(max(n, s), max(w, e));
    let room = rounded((high - low) * RCD_LIMIT);
    return min(max(guess, low - room), high + room);
}

fn rcd_green_at(p: vec2<i32>) -> f32 {
    if (is_green(p)) {
        return site(p);
    }
    return guessed_green_at(p);
}

// How rough the way from a place to one beside it is.
fn rcd_way(across: f32, green: f32, p: vec2<i32>, k: vec2<i32>) -> f32 {
    return across + (abs(green - rcd_green_at(p + 2 * k)) + abs(green - rcd_green_at(p + k)));
}

// Weights of four neighbours from the ways to them.
fn rcd_weights(z: vec4<f32>) -> vec4<f32> {
    let first = z.x * z.y;
    let second = z.z * z.w;
    return vec4<f32>(
        rounded(z.y * second),
        rounded(z.x * second),
        rounded(z.w * first),
        rounded(z.z * first),
    );
}

fn rcd_sum(v: vec4<f32>) -> f32 {
    return (v.x + v.y) + (v.z + v.w);
}

fn rcd_weighted(w: vec4<f32>, v: vec4<f32>) -> f32 {
    return (rounded(w.x * v.x) + rounded(w.y * v.y)) + (rounded(w.z * v.z) + rounded(w.w * v.w));
}

// A colour minus green, at one of its own sites.
fn rcd_own(p: vec2<i32>) -> f32 {
    return site(p) - guessed_green_at(p);
}

// Step 8, at a site that is not green.
fn rcd_opposite(p: vec2<i32>) -> f32 {
    let nw = vec2<i32>(-1, -1);
    let ne = vec2<i32>(1, -1);
    let green = guessed_green_at(p);
    let first = rounded(abs(site(p + nw) - site(p - nw)) + RCD_NEAR);
    let second = rounded(abs(site(p + ne) - site(p - ne)) + RCD_NEAR);
    let weights = rcd_weights(vec4<f32>(
        rcd_way(first, green, p, nw),
        rcd_way(first, green, p, -nw),
        rcd_way(second, green, p, ne),
        rcd_way(second, green, p, -ne),
    ));
    let differences = vec4<f32>(rcd_own(p + nw), rcd_own(p - nw), rcd_own(p + ne), rcd_own(p - ne));
    return divided(rcd_weighted(weights, differences), rcd_sum(weights));
}

// Both colours minus green at a site beside a green one: red, then blue where
// the site is `red`.
fn rcd_both(p: vec2<i32>, red: bool) -> vec2<f32> {
    let own = rcd_own(p);
    let other = opposite_at(p);
    return select(vec2<f32>(other, own), vec2<f32>(own, other), red);
}

fn rcd_apart(a: vec2<i32>, da: vec2<f32>, b: vec2<i32>, db: vec2<f32>) -> f32 {
    let green_a = guessed_green_at(a);
    let green_b = guessed_green_at(b);
    let red = abs((green_a + da.x) - (green_b + db.x));
    let blue = abs((green_a + da.y) - (green_b + db.y));
    return rounded(rounded((red + blue) * 0.5) + RCD_NEAR);
}

// Steps 9 and 10 at a green site, whose row has red where `red_row`.
fn rcd_green_site(p: vec2<i32>, red_row: bool) -> vec3<f32> {
    let up = vec2<i32>(0, -1);
    let left = vec2<i32>(-1, 0);
    let green = site(p);
    let n = rcd_both(p + up, !red_row);
    let s = rcd_both(p - up, !red_row);
    let w = rcd_both(p + left, red_row);
    let e = rcd_both(p - left, red_row);
    let first = rcd_apart(p + up, n, p - up, s);
    let second = rcd_apart(p + left, w, p - left, e);
    let weights = rcd_weights(vec4<f32>(
        rcd_way(first, green, p, up),
        rcd_way(first, green, p, -up),
        rcd_way(second, green, p, left),
        rcd_way(second, green, p, -left),
    ));
    let total = rcd_sum(weights);
    let red = green + divided(rcd_weighted(weights, vec4<f32>(n.x, s.x, w.x, e.x)), total);
    let blue = green + divided(rcd_weighted(weights, vec4<f32>(n.y, s.y, w.y, e.y)), total);
    return vec3<f32>(red, green, blue);
}

// Red, green and blue of a place, linear.
fn rcd_pixel(p: vec2<i32>, red_row: bool) -> vec3<f32> {
    var rgb: vec3<f32>;
    if (is_green(p)) {
        rgb = rcd_green_site(p, red_row);
    } else {
        let green = guessed_green_at(p);
        let both = rcd_both(p, red_row);
        rgb = vec3<f32>(green + both.x, green, green + both.y);
    }
    return vec3<f32>(
        decode(rounded(rgb.x) - RCD_PEDESTAL),
        decode(rounded(rgb.y) - RCD_PEDESTAL),
        decode(rounded(rgb.z) - RCD_PEDESTAL),
    );
}
