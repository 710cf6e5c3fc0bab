// Places in the window of mosaic and halo, for debayers of several steps.

fn index_of(p: vec2<i32>) -> u32 {
    return u32(p.y) * params.window_width + u32(p.x);
}

// Photosites of a plane of the window.
fn plane_size() -> u32 {
    return params.window_width * params.window_height;
}

fn is_red_row(p: vec2<i32>) -> bool {
    return ((u32(p.y + params.window_y) ^ params.red_y) & 1u) == 0u;
}

fn is_green(p: vec2<i32>) -> bool {
    return (((u32(p.x + params.window_x) ^ params.red_x) & 1u) == 0u) != is_red_row(p);
}

// The place of an invocation that is one of all but `margin` lines on each side.
fn any_place(id: vec3<u32>, margin: u32) -> vec2<i32> {
    return vec2<i32>(id.xy + vec2<u32>(margin));
}

// Likewise, where there are only invocations for sites that are not green.
fn colored_place(id: vec3<u32>, margin: u32) -> vec2<i32> {
    let p = vec2<i32>(vec2<u32>(2u * id.x, id.y) + vec2<u32>(margin));
    return p + vec2<i32>(select(0, 1, is_green(p)), 0);
}

fn within(p: vec2<i32>, margin: u32) -> bool {
    let size = vec2<i32>(vec2<u32>(params.window_width, params.window_height) - vec2<u32>(margin));
    return p.x < size.x && p.y < size.y;
}

// The pixel of the window that is `at` in the picture that is made.
fn pixel_place(at: vec3<u32>) -> vec2<i32> {
    return vec2<i32>(at.xy + vec2<u32>(params.halo));
}

fn to_aces(pixel: vec3<f32>) -> vec3<f32> {
    let rgb = pixel_below_ceiling(pixel);
    if (params.has_matrix == 0u) {
        return colored(rgb);
    }
    return colored(vec3<f32>(
        matrix_row(params.to_red.xyz, rgb),
        matrix_row(params.to_green.xyz, rgb),
        matrix_row(params.to_blue.xyz, rgb),
    ));
}
