// Resample on the vertical axis, three planes.

@group(0) @binding(1) var<storage, read> source: array<f32>;
// The first row of each delivered row, then the weights.
@group(0) @binding(2) var<storage, read> taps: array<u32>;
@group(0) @binding(3) var<storage, read_write> result: array<f32>;

fn tap_weight(i: u32) -> f32 {
    return bitcast<f32>(taps[params.all_lines + i]);
}

fn tap_rgb(across: u32, along: u32) -> vec3<f32> {
    let at = (along - params.color_y) * params.color_width + across;
    let plane = params.color_width * params.color_height;
    return vec3<f32>(source[at], source[plane + at], source[2u * plane + at]);
}

@compute @workgroup_size(32, 8)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
    if (id.x >= params.color_width || id.y >= params.lines) {
        return;
    }
    let line = params.first_line + id.y;
    let rgb = resample(id.x, taps[line], line * params.taps_down, params.taps_down, params.antiring == 1u);
    let at = id.y * params.color_width + id.x;
    let plane = params.color_width * params.lines;
    result[at] = rgb.x;
    result[plane + at] = rgb.y;
    result[2u * plane + at] = rgb.z;
}
