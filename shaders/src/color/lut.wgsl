// Tables: `lut.rs` in the same order.

// Entries of a channel. Numbers: input of the first, entries per unit, the last one, the entries.
fn color_table(v: f32, at: u32) -> f32 {
    let end = color_number(at + 2u);
    let place = min(max(rounded((v - color_number(at)) * color_number(at + 1u)), 0.0f), end);
    let last = u32(end);
    let low = min(u32(place), max(last, 1u) - 1u);
    let a = color_number(at + 3u + low);
    let b = color_number(at + 3u + min(low + 1u, last));
    return a + rounded((b - a) * (place - f32(low)));
}

// Value of a finite half.
fn color_half_value(bits: u32) -> f32 {
    let magnitude = bits & 0x7fffu;
    let normal = bitcast<f32>((magnitude << 13u) + 0x38000000u);
    let size = select(normal, f32(magnitude) * 0x1p-24f, magnitude < 0x400u);
    return color_copy_sign(size, bitcast<f32>(bits << 16u));
}

// A channel that is indexed by the bits of a half.
fn color_table_of_halves(v: f32, at: u32) -> f32 {
    let near = to_half(bitcast<u32>(v));
    let a = color_half_value(near);
    let step = select(near - 1u, near + 1u, (a < v) == (near < 0x8000u)) & 0xffffu;
    let other = select(step, near, a == v || (step & 0x7fffu) > 0x7bffu);
    let b = color_half_value(other);
    let part = select(color_quotient(v - a, b - a), 0.0f, a == b);
    let last = u32(color_number(at + 2u));
    let low = color_number(at + 3u + min(near, last));
    let high = color_number(at + 3u + min(other, last));
    return low + rounded((high - low) * min(max(part, 0.0f), 1.0f));
}

// The entry that has a value, with its part of the way to the next. Numbers:
// as above but for units per entry; the sign of the channel, the entries at
// which it begins and ends to rise; the entries, none falling.
fn color_entry(v: f32, at: u32) -> vec2<f32> {
    let value = v * color_number(at + 3u);
    let first = u32(color_number(at + 4u));
    let end = u32(color_number(at + 5u));
    var low = 0u;
    var high = u32(color_number(at + 2u)) + 1u;
    while (low < high) {
        let middle = (low + high) / 2u;
        if (color_number(at + 6u + middle) < value) {
            low = middle + 1u;
        } else {
            high = middle;
        }
    }
    if (low <= first) {
        return vec2<f32>(f32(first), 0.0f);
    }
    if (low > end) {
        return vec2<f32>(f32(end), 0.0f);
    }
    let a = color_number(at + 5u + low);
    let b = color_number(at + 6u + low);
    return vec2<f32>(f32(low - 1u), select(color_quotient(value - a, b - a), 0.0f, a == b));
}

fn color_untable(v: f32, at: u32) -> f32 {
    let entry = color_entry(v, at);
    return color_number(at) + rounded((entry.x + entry.y) * color_number(at + 1u));
}

// Value of the half at a place in the order of their values.
fn color_half_at(place: u32) -> f32 {
    let held = min(place, 63487u);
    return color_half_value(select(held - 0x7c00u, 0xfbffu - held, held < 0x7c00u));
}

fn color_untable_of_halves(v: f32, at: u32) -> f32 {
    let entry = color_entry(v, at);
    let low = color_half_at(u32(entry.x));
    let high = color_half_at(u32(entry.x) + 1u);
    return low + rounded((high - low) * entry.y);
}

// Sets the middle channel where it stood between the others.
fn color_keep_hue(before: vec3<f32>, after: vec3<f32>) -> vec3<f32> {
    var order = vec3<u32>(0u, 1u, 2u);
    if (before[order.y] < before[order.x]) {
        order = order.yxz;
    }
    if (before[order.z] < before[order.y]) {
        order = order.xzy;
    }
    if (before[order.y] < before[order.x]) {
        order = order.yxz;
    }
    let span = before[order.z] - before[order.x];
    let part = select(color_quotient(before[order.y] - before[order.x], span), 0.0f, span == 0.0f);
    var out = after;
    out[order.y] = rounded(part * (after[order.z] - after[order.x])) + after[order.x];
    return out;
}

// Cubes. Numbers: inputs of the first entries, entries per unit, the last
// entry of an edge, the entries; blue changes fastest.
fn color_cube_entry(at: u32, size: u32, place: vec3<u32>) -> vec3<f32> {
    let i = at + 7u + ((place.x * size + place.y) * size + place.z) * 3u;
    return vec3<f32>(color_number(i), color_number(i + 1u), color_number(i + 2u));
}

fn color_cube_place(v: f32, at: u32, i: u32) -> f32 {
    let place = rounded((v - color_number(at + i)) * color_number(at + 3u + i));
    return min(max(place, 0.0f), color_number(at + 6u));
}

// `a + (b - a) * part`, channel by channel.
fn color_along(sum: vec3<f32>, a: vec3<f32>, b: vec3<f32>, part: f32) -> vec3<f32> {
    return vec3<f32>(
        sum.x + rounded((b.x - a.x) * part),
        sum.y + rounded((b.y - a.y) * part),
        sum.z + rounded((b.z - a.z) * part),
    );
}

fn color_tetrahedral(rgb: vec3<f32>, at: u32) -> vec3<f32> {
    let last = u32(color_number(at + 6u));
    let place = vec3<f32>(
        color_cube_place(rgb.x, at, 0u), color_cube_place(rgb.y, at, 1u), color_cube_place(rgb.z, at, 2u));
    let low = min(vec3<u32>(place), vec3<u32>(max(last, 1u) - 1u));
    let part = place - vec3<f32>(low);
    let high = min(low + vec3<u32>(1u), vec3<u32>(last));
    // The axis with the largest part first, the earlier of equals.
    var order = vec3<u32>(0u, 1u, 2u);
    if (part[order.y] > part[order.x]) {
        order = order.yxz;
    }
    if (part[order.z] > part[order.y]) {
        order = order.xzy;
    }
    if (part[order.y] > part[order.x]) {
        order = order.yxz;
    }
    var corner = low;
    var value = color_cube_entry(at, last + 1u, corner);
    var out = value;
    for (var i = 0u; i < 3u; i++) {
        let axis = order[i];
        corner[axis] = high[axis];
        let next = color_cube_entry(at, last + 1u, corner);
        out = color_along(out, value, next, part[axis]);
        value = next;
    }
    return out;
}

fn color_trilinear(rgb: vec3<f32>, at: u32) -> vec3<f32> {
    let last = u32(color_number(at + 6u));
    let place = vec3<f32>(
        color_cube_place(rgb.x, at, 0u), color_cube_place(rgb.y, at, 1u), color_cube_place(rgb.z, at, 2u));
    let low = min(vec3<u32>(place), vec3<u32>(max(last, 1u) - 1u));
    let part = place - vec3<f32>(low);
    let high = min(low + vec3<u32>(1u), vec3<u32>(last));
    var out = vec3<f32>(0.0f);
    for (var corner = 0u; corner < 8u; corner++) {
        let up = vec3<bool>((corner & 1u) == 1u, (corner & 2u) == 2u, (corner & 4u) == 4u);
        let share = select(vec3<f32>(1.0f) - part, part, up);
        let weight = rounded(rounded(share.x * share.y) * share.z);
        let value = color_cube_entry(at, last + 1u, select(low, high, up));
        out = vec3<f32>(
            out.x + rounded(weight * value.x),
            out.y + rounded(weight * value.y),
            out.z + rounded(weight * value.z),
        );
    }
    return out;
}
