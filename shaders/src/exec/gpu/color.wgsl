// Mosaic to ACES2065-1, three planes.
//
// Needs `fn debayered(x: i32, y: i32, size: vec2<i32>, red: vec2<i32>) -> vec3<f32>`.

@group(0) @binding(1) var<storage, read> source: array<f32>;
@group(0) @binding(2) var<storage, read_write> result: array<f32>;

fn mosaic(x: i32, y: i32) -> f32 {
    return source[u32(y - params.window_y) * params.window_width + u32(x - params.window_x)];
}

@compute @workgroup_size(32, 8)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
    if (id.x >= params.color_width || id.y >= params.color_height) {
        return;
    }
    let size = vec2<i32>(i32(params.sites_width), i32(params.sites_height));
    let red = vec2<i32>(i32(params.red_x), i32(params.red_y));
    var rgb = pixel_below_ceiling(
        debayered(i32(params.color_x + id.x), i32(params.color_y + id.y), size, red));
    if (params.has_matrix == 1u) {
        rgb = vec3<f32>(
            matrix_row(params.to_red.xyz, rgb),
            matrix_row(params.to_green.xyz, rgb),
            matrix_row(params.to_blue.xyz, rgb),
        );
    }
    rgb = colored(rgb);
    let at = id.y * params.color_width + id.x;
    let plane = params.color_width * params.color_height;
    result[at] = rgb.x;
    result[plane + at] = rgb.y;
    result[2u * plane + at] = rgb.z;
}
