// What is mended about the photosites: from the mosaic as it is sensed to the
// one that the debayer works with. Only places whose surroundings are in the
// window come out right; the halo has room for that.
//
// Needs `fn working(value: f32) -> f32`: what the debayer wants of a photosite.

@group(0) @binding(1) var<storage, read> sensor: array<f32>;
@group(0) @binding(2) var<storage, read_write> result: array<f32>;

fn sensed(p: vec2<i32>) -> f32 {
    return sensor[u32(p.y) * params.window_width + u32(p.x)];
}

fn gain_at(p: vec2<i32>) -> f32 {
    let y = u32(p.y + params.window_y) & 1u;
    let x = u32(p.x + params.window_x) & 1u;
    return params.gain[2u * y + x];
}

// Whether the row of a place has red.
fn is_red_row(p: vec2<i32>) -> bool {
    return ((u32(p.y + params.window_y) ^ params.red_y) & 1u) == 0u;
}

fn is_green(p: vec2<i32>) -> bool {
    return (((u32(p.x + params.window_x) ^ params.red_x) & 1u) == 0u) != is_red_row(p);
}

// After the first repair, if there is one.
fn cooled(p: vec2<i32>) -> f32 {
    if ((params.repairs & 1u) == 0u) {
        return sensed(p);
    }
    return hot_pixels(p, gain_at(p));
}

fn rebuilt(p: vec2<i32>) -> f32 {
    let k = vec2<i32>(1, 0);
    let d = vec2<i32>(0, 1);
    let c = cooled(p);
    let beside = cooled(p - k) + cooled(p + k);
    let above = cooled(p - d) + cooled(p + d);
    if (is_green(p)) {
        let gains = vec3<f32>(gain_at(p), gain_at(p + k), gain_at(p + d));
        return highlights_rebuilt(c, beside * 0.5, above * 0.5, gains);
    }
    let north = cooled(p - d - k) + cooled(p - d + k);
    let south = cooled(p + d - k) + cooled(p + d + k);
    let gains = vec3<f32>(gain_at(p), gain_at(p + k), gain_at(p + d + k));
    return highlights_rebuilt(c, (beside + above) * 0.25, (north + south) * 0.25, gains);
}

@compute @workgroup_size(32, 8)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
    // Each repair looks two lines around.
    let reach = 2u * countOneBits(params.repairs);
    if (id.x + 2u * reach >= params.window_width || id.y + 2u * reach >= params.window_height) {
        return;
    }
    let p = vec2<i32>(id.xy + vec2<u32>(reach));
    var value: f32;
    if ((params.repairs & 2u) == 0u) {
        value = cooled(p);
    } else {
        value = rebuilt(p);
    }
    result[u32(p.y) * params.window_width + u32(p.x)] = working(value);
}
