// The passes of `debayer_ri`.

@group(0) @binding(1) var<storage, read> mosaic: array<f32>;
// Planes of the window, three to a buffer.
@group(0) @binding(2) var<storage, read_write> work_0: array<f32>;
@group(0) @binding(3) var<storage, read_write> work_1: array<f32>;
@group(0) @binding(4) var<storage, read_write> work_2: array<f32>;
@group(0) @binding(5) var<storage, read_write> work_3: array<f32>;
@group(0) @binding(6) var<storage, read_write> result: array<f32>;

fn site(p: vec2<i32>) -> f32 {
    return mosaic[index_of(p)];
}

fn own_color(p: vec2<i32>) -> u32 {
    return select(2u, 0u, is_red_row(p));
}

fn clip_of(color: u32) -> f32 {
    return params.clips[color];
}

fn kept(plane: u32, p: vec2<i32>) -> f32 {
    let at = (plane % 4u) * plane_size() + index_of(p);
    switch plane / 4u {
        case 0u: { return work_0[at]; }
        case 1u: { return work_1[at]; }
        case 2u: { return work_2[at]; }
        default: { return work_3[at]; }
    }
}

fn keep(plane: u32, p: vec2<i32>, value: f32) {
    let at = (plane % 4u) * plane_size() + index_of(p);
    switch plane / 4u {
        case 0u: { work_0[at] = value; }
        case 1u: { work_1[at] = value; }
        case 2u: { work_2[at] = value; }
        default: { work_3[at] = value; }
    }
}

@compute @workgroup_size(32, 8)
fn detail(@builtin(global_invocation_id) id: vec3<u32>) {
    let p = any_place(id, 9u);
    if (!within(p, 9u)) {
        return;
    }
    let clipped = ri_clipped_around(p);
    keep(RI_CLIPPED, p, select(0.0, 1.0, clipped));
    let across = ri_detail(0u, p, clipped);
    keep(RI_MOMENTS, p, across.x);
    keep(RI_MOMENTS + 1u, p, across.y);
    keep(RI_MOMENTS + 2u, p, across.z);
    keep(RI_DIFFERENCE, p, across.w);
    let down = ri_detail(1u, p, clipped);
    keep(RI_MOMENTS + 3u, p, down.x);
    keep(RI_MOMENTS + 4u, p, down.y);
    keep(RI_MOMENTS + 5u, p, down.z);
    keep(RI_DIFFERENCE + 1u, p, down.w);
}

@compute @workgroup_size(32, 8)
fn weigh(@builtin(global_invocation_id) id: vec3<u32>) {
    let p = any_place(id, 11u);
    if (within(p, 11u)) {
        keep(RI_WEIGHT, p, ri_weight(0u, p));
        keep(RI_WEIGHT + 1u, p, ri_weight(1u, p));
    }
}

@compute @workgroup_size(32, 8)
fn guess(@builtin(global_invocation_id) id: vec3<u32>) {
    let p = colored_place(id, 13u);
    if (within(p, 13u)) {
        let pair = ri_guess(p);
        keep(RI_GUESS, p, pair.x);
        keep(RI_EVEN, p, pair.y);
    }
}

@compute @workgroup_size(32, 8)
fn green(@builtin(global_invocation_id) id: vec3<u32>) {
    let p = colored_place(id, 15u);
    if (within(p, 15u)) {
        keep(RI_GREEN, p, ri_green(p));
    }
}

@compute @workgroup_size(32, 8)
fn laplace(@builtin(global_invocation_id) id: vec3<u32>) {
    let p = colored_place(id, 17u);
    if (within(p, 17u)) {
        let pair = ri_laplace(p);
        keep(RI_PRODUCT, p, pair.x);
        keep(RI_SQUARE, p, pair.y);
    }
}

@compute @workgroup_size(32, 8)
fn fit(@builtin(global_invocation_id) id: vec3<u32>) {
    let p = colored_place(id, 21u);
    if (within(p, 21u)) {
        keep(RI_FITTED, p, ri_fitted(p));
    }
}

@compute @workgroup_size(32, 8)
fn smooth_lines(@builtin(global_invocation_id) id: vec3<u32>) {
    let p = colored_place(id, 25u);
    if (within(p, 25u)) {
        let pair = ri_smoothed(p);
        keep(RI_SMOOTHED, p, pair.x);
        keep(RI_OWN, p, pair.y);
    }
}

@compute @workgroup_size(32, 8)
fn other(@builtin(global_invocation_id) id: vec3<u32>) {
    let p = colored_place(id, 26u);
    if (within(p, 26u)) {
        let pair = ri_other(p);
        keep(RI_OTHER, p, pair.x);
        keep(RI_OTHER_COLOR, p, pair.y);
    }
}

@compute @workgroup_size(32, 8)
fn pixels(@builtin(global_invocation_id) id: vec3<u32>) {
    if (id.x >= params.color_width || id.y >= params.color_height) {
        return;
    }
    let p = pixel_place(id);
    let rgb = to_aces(ri_pixel(p, is_red_row(p)));
    let at = id.y * params.color_width + id.x;
    let plane = params.color_width * params.color_height;
    result[at] = rgb.x;
    result[plane + at] = rgb.y;
    result[2u * plane + at] = rgb.z;
}
