// The passes of `debayer_rcd`.

@group(0) @binding(1) var<storage, read> mosaic: array<f32>;
// Guesses along the row and down the column.
@group(0) @binding(2) var<storage, read_write> guesses: array<f32>;
// At sites that are not green: green, and the colour that is not there minus green.
@group(0) @binding(3) var<storage, read_write> colors: array<f32>;
@group(0) @binding(4) var<storage, read_write> result: array<f32>;

fn site(p: vec2<i32>) -> f32 {
    return mosaic[index_of(p)];
}

fn guess_at(line: u32, p: vec2<i32>) -> f32 {
    return guesses[line * plane_size() + index_of(p)];
}

fn guessed_green_at(p: vec2<i32>) -> f32 {
    return colors[index_of(p)];
}

fn opposite_at(p: vec2<i32>) -> f32 {
    return colors[plane_size() + index_of(p)];
}

@compute @workgroup_size(32, 8)
fn guess(@builtin(global_invocation_id) id: vec3<u32>) {
    let p = any_place(id, 3u);
    if (within(p, 3u)) {
        guesses[index_of(p)] = rcd_guess(0u, p);
        guesses[plane_size() + index_of(p)] = rcd_guess(1u, p);
    }
}

@compute @workgroup_size(32, 8)
fn green(@builtin(global_invocation_id) id: vec3<u32>) {
    let p = colored_place(id, 7u);
    if (within(p, 7u)) {
        colors[index_of(p)] = rcd_green(p);
    }
}

@compute @workgroup_size(32, 8)
fn opposite(@builtin(global_invocation_id) id: vec3<u32>) {
    let p = colored_place(id, 9u);
    if (within(p, 9u)) {
        colors[plane_size() + index_of(p)] = rcd_opposite(p);
    }
}

@compute @workgroup_size(32, 8)
fn pixels(@builtin(global_invocation_id) id: vec3<u32>) {
    if (id.x >= params.color_width || id.y >= params.color_height) {
        return;
    }
    let p = pixel_place(id);
    let rgb = to_aces(rcd_pixel(p, is_red_row(p)));
    let at = id.y * params.color_width + id.x;
    let plane = params.color_width * params.color_height;
    result[at] = rgb.x;
    result[plane + at] = rgb.y;
    result[2u * plane + at] = rgb.z;
}
