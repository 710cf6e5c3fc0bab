// Cubes the other way: `cube_back.rs` in the same order. Numbers: first
// inputs, inputs per entry, entries along an edge with the shell, the last of
// the cube, bounds of values; where each level of boxes begins, over 256; entries; boxes.
const CUBE_LEVELS: u32 = 9u;
const CUBE_ENTRIES: u32 = 19u;
const CUBE_SLACK: f32 = 2e-6f;
const CUBE_FAR: f32 = 2.0f;

fn cube_axis(path: u32, i: u32) -> u32 {
    // Two bits an axis: 012, 021, 102, 120, 201, 210.
    var paths = array<u32, 6>(0x24u, 0x18u, 0x21u, 0x09u, 0x12u, 0x06u);
    return (paths[path] >> (2u * i)) & 3u;
}

fn cube_entry(at: u32, side: u32, place: vec3<u32>) -> vec3<f32> {
    let i = at + CUBE_ENTRIES + 3u * ((place.x * side + place.y) * side + place.z);
    return vec3<f32>(color_number(i), color_number(i + 1u), color_number(i + 2u));
}

fn cube_along(a: vec3<f32>, b: vec3<f32>) -> f32 {
    return (rounded(a.x * b.x) + rounded(a.y * b.y)) + rounded(a.z * b.z);
}

fn cube_cross(a: vec3<f32>, b: vec3<f32>) -> vec3<f32> {
    return vec3<f32>(
        rounded(a.y * b.z) - rounded(a.z * b.y),
        rounded(a.z * b.x) - rounded(a.x * b.z),
        rounded(a.x * b.y) - rounded(a.y * b.x),
    );
}

// How far outside of its tetrahedron a place is, in parts of its edges.
fn cube_outside(parts: vec3<f32>) -> f32 {
    return max(max(max(parts.x - 1.0f, parts.y - parts.x), parts.z - parts.y), -parts.z);
}

// What is left of the way to a value.
fn cube_left(edges: array<vec3<f32>, 3>, d: vec3<f32>, parts: vec3<f32>) -> vec3<f32> {
    return ((d - cube_times(edges[0], parts.x)) - cube_times(edges[1], parts.y)) - cube_times(edges[2], parts.z);
}

fn cube_times(edge: vec3<f32>, part: f32) -> vec3<f32> {
    return vec3<f32>(rounded(edge.x * part), rounded(edge.y * part), rounded(edge.z * part));
}

fn cube_size(v: vec3<f32>) -> f32 {
    return max(max(abs(v.x), abs(v.y)), abs(v.z));
}

// Parts of the way along each edge of a tetrahedron to a value; 1 behind them if it holds the
// value, 0 if not, and -1 if it is flat.
fn cube_parts(edges: array<vec3<f32>, 3>, d: vec3<f32>) -> vec4<f32> {
    let across = array<vec3<f32>, 3>(
        cube_cross(edges[1], edges[2]), cube_cross(edges[2], edges[0]), cube_cross(edges[0], edges[1]));
    let volume = cube_along(edges[0], across[0]);
    if (abs(volume) < 1e-30f) {
        return vec4<f32>(0.0f, 0.0f, 0.0f, -1.0f);
    }
    var parts = cube_solved(across, d, volume);
    if (cube_outside(parts) > 1.0f) {
        return vec4<f32>(parts, 0.0f);
    }
    // A tetrahedron that is nearly flat needs what the first try left.
    var rest = cube_left(edges, d, parts);
    for (var round = 0u; round < 2u; round++) {
        parts = parts + cube_solved(across, rest, volume);
        rest = cube_left(edges, d, parts);
    }
    let holds = cube_outside(parts) <= CUBE_SLACK && cube_size(rest) <= 2.0f * CUBE_SLACK;
    return vec4<f32>(parts, select(0.0f, 1.0f, holds));
}

fn cube_solved(across: array<vec3<f32>, 3>, d: vec3<f32>, volume: f32) -> vec3<f32> {
    return vec3<f32>(
        color_quotient(cube_along(d, across[0]), volume),
        color_quotient(cube_along(d, across[1]), volume),
        color_quotient(cube_along(d, across[2]), volume),
    );
}

// How bad the place is that holds the value best, and the place.
fn cube_within(at: u32, side: u32, cell: vec3<u32>, value: vec3<f32>, known: vec4<f32>) -> vec4<f32> {
    var best = known;
    let origin = cube_entry(at, side, cell);
    let d = value - origin;
    let shell = any(cell == vec3<u32>(0u)) || any(cell == vec3<u32>(side - 2u));
    for (var path = 0u; path < 6u; path++) {
        let axes = vec3<u32>(cube_axis(path, 0u), cube_axis(path, 1u), cube_axis(path, 2u));
        var corner = cell;
        corner[axes.x] += 1u;
        let one = cube_entry(at, side, corner);
        corner[axes.y] += 1u;
        let two = cube_entry(at, side, corner);
        corner[axes.z] += 1u;
        let three = cube_entry(at, side, corner);
        let edges = array<vec3<f32>, 3>(one - origin, two - one, three - two);
        let found = cube_parts(edges, d);
        let holds = found.w > 0.0f;
        if (found.w < 0.0f || shell && !holds) {
            continue;
        }
        var parts = found.xyz;
        if (!holds) {
            parts = min(max(parts, vec3<f32>(0.0f)), vec3<f32>(1.0f));
            parts.y = min(parts.y, parts.x);
            parts.z = min(min(parts.z, parts.y), parts.x);
        }
        var place = vec3<f32>(cell);
        place[axes.x] += parts.x;
        place[axes.y] += parts.y;
        place[axes.z] += parts.z;
        var score = CUBE_FAR + cube_size(cube_left(edges, d, parts));
        if (holds) {
            let past = max(1.0f - place, place - rounded(color_number(at + 7u) + 1.0f));
            score = max(max(past.x, past.y), past.z);
        }
        if (score < best.x) {
            best = vec4<f32>(score, place);
        }
    }
    return best;
}

fn cube_inside(box: u32, value: vec3<f32>, reach: f32) -> bool {
    let low = vec3<f32>(color_number(box), color_number(box + 1u), color_number(box + 2u));
    let high = vec3<f32>(color_number(box + 3u), color_number(box + 4u), color_number(box + 5u));
    return all(low - reach <= value) && all(value <= high + reach);
}

// Goes through the boxes that hold a value, or that may come nearer to it than the best so far.
fn cube_search(at: u32, value: vec3<f32>, nearest: bool, known: vec4<f32>) -> vec4<f32> {
    let side = u32(color_number(at + 6u));
    var top = 0u;
    while (top + 1u < CUBE_LEVELS && color_number(at + 11u + top) > 0.0f) {
        top++;
    }
    // Level and place of boxes that are still to be looked at: 7 a level and one.
    var stack: array<u32, 72>;
    stack[0] = top << 24u;
    var count = 1u;
    var best = known;
    while (count > 0u && best.x > CUBE_SLACK) {
        count--;
        let level = stack[count] >> 24u;
        let place = vec3<u32>(stack[count] >> 16u, stack[count] >> 8u, stack[count]) & vec3<u32>(255u);
        let edge = (side - 1u + (1u << level) - 1u) >> level;
        let box = at + 256u * u32(color_number(at + 10u + level)) + 6u * ((place.x * edge + place.y) * edge + place.z);
        if (!cube_inside(box, value, select(CUBE_SLACK, rounded(best.x - CUBE_FAR), nearest))) {
            continue;
        }
        if (level == 0u) {
            best = cube_within(at, side, place, value, best);
            continue;
        }
        let below = (side - 1u + (1u << (level - 1u)) - 1u) >> (level - 1u);
        for (var i = 0u; i < 8u; i++) {
            let corner = 7u - i;
            let inner = 2u * place + vec3<u32>(corner >> 2u, (corner >> 1u) & 1u, corner & 1u);
            if (all(inner < vec3<u32>(below))) {
                stack[count] = ((level - 1u) << 24u) | (inner.x << 16u) | (inner.y << 8u) | inner.z;
                count++;
            }
        }
    }
    return best;
}

// The place that has a value, in entries of the cube.
fn cube_found(at: u32, value: vec3<f32>) -> vec3<f32> {
    var best = vec4<f32>(0x1p127f, 0.0f, 0.0f, 0.0f);
    // What no tetrahedron holds gets the place that comes nearest to it.
    for (var nearest = 0u; nearest < 2u; nearest++) {
        if (best.x >= CUBE_FAR) {
            best = cube_search(at, value, nearest == 1u, best);
        }
    }
    return min(max(best.yzw - 1.0f, vec3<f32>(0.0f)), vec3<f32>(color_number(at + 7u)));
}

fn cube_held(rgb: vec3<f32>, at: u32) -> vec3<f32> {
    return min(max(rgb, vec3<f32>(color_number(at + 8u))), vec3<f32>(color_number(at + 9u)));
}

fn cube_input(place: vec3<f32>, at: u32) -> vec3<f32> {
    return vec3<f32>(
        rounded(place.x * color_number(at + 3u)) + color_number(at),
        rounded(place.y * color_number(at + 4u)) + color_number(at + 1u),
        rounded(place.z * color_number(at + 5u)) + color_number(at + 2u),
    );
}

fn color_cube_back(rgb: vec3<f32>, at: u32) -> vec3<f32> {
    return cube_input(cube_found(at, cube_held(rgb, at)), at);
}

// What follows is `settle.rs` in the same order.

// A value of the trilinear cube, and by how much it changes an entry farther along red, green, blue.
struct CubeSlope {
    value: vec3<f32>,
    red: vec3<f32>,
    green: vec3<f32>,
    blue: vec3<f32>,
}

fn cube_lerp(a: vec3<f32>, b: vec3<f32>, part: f32) -> vec3<f32> {
    return a + cube_times(b - a, part);
}

fn cube_slope(at: u32, place: vec3<f32>) -> CubeSlope {
    let side = u32(color_number(at + 6u));
    let cell = min(vec3<u32>(place), vec3<u32>(side - 4u));
    let part = place - vec3<f32>(cell);
    // At each end of blue: the value, and its changes along red and green.
    var values: array<vec3<f32>, 2>;
    var reds: array<vec3<f32>, 2>;
    var greens: array<vec3<f32>, 2>;
    for (var b = 0u; b < 2u; b++) {
        let low = cell + vec3<u32>(1u, 1u, 1u + b);
        let origin = cube_entry(at, side, low);
        let one = cube_entry(at, side, low + vec3<u32>(1u, 0u, 0u));
        let other = cube_entry(at, side, low + vec3<u32>(0u, 1u, 0u));
        let both = cube_entry(at, side, low + vec3<u32>(1u, 1u, 0u));
        let first = cube_lerp(origin, one, part.x);
        let second = cube_lerp(other, both, part.x);
        values[b] = cube_lerp(first, second, part.y);
        reds[b] = cube_lerp(one - origin, both - other, part.y);
        greens[b] = second - first;
    }
    return CubeSlope(
        cube_lerp(values[0], values[1], part.z),
        cube_lerp(reds[0], reds[1], part.z),
        cube_lerp(greens[0], greens[1], part.z),
        values[1] - values[0],
    );
}

fn color_cube_back_trilinear(rgb: vec3<f32>, at: u32) -> vec3<f32> {
    let value = cube_held(rgb, at);
    let last = vec3<f32>(color_number(at + 7u));
    let start = cube_found(at, value);
    var place = start;
    var best = start;
    var slope = cube_slope(at, place);
    var rest = value - slope.value;
    var miss = cube_size(rest);
    for (var step = 0u; step < 6u; step++) {
        // Nothing comes nearer.
        if (miss == 0.0f) {
            break;
        }
        let across = array<vec3<f32>, 3>(
            cube_cross(slope.green, slope.blue), cube_cross(slope.blue, slope.red), cube_cross(slope.red, slope.green));
        let volume = cube_along(slope.red, across[0]);
        if (abs(volume) < 1e-30f) {
            break;
        }
        let on = min(max(cube_solved(across, rest, volume), vec3<f32>(-1.0f)), vec3<f32>(1.0f));
        place = min(max(place + on, vec3<f32>(0.0f)), last);
        slope = cube_slope(at, place);
        rest = value - slope.value;
        if (cube_size(rest) < miss) {
            best = place;
            miss = cube_size(rest);
        }
    }
    // Where the cube does not have the value, the first place stays.
    return cube_input(select(start, best, miss <= 1e-5f), at);
}
