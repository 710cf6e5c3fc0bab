// A stored picture to ACES2065-1, three planes.

@group(0) @binding(1) var<storage, read> raw: array<u32>;
// The linear light of each code.
@group(0) @binding(2) var<storage, read> tables: array<f32>;
@group(0) @binding(3) var<storage, read_write> result: array<f32>;
@group(0) @binding(4) var<storage, read_write> beyond: atomic<u32>;

fn raw_word(i: u32) -> u32 {
    return raw[i];
}

fn curve_value(i: u32) -> f32 {
    return tables[i];
}

@compute @workgroup_size(32, 8)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
    if (id.x >= params.color_width || id.y >= params.color_height) {
        return;
    }
    let stored = rgb_decode(id.y * params.row_bytes, params.color_x + id.x, params.samples, params.linear_length);
    let count = u32(is_beyond(stored.x)) + u32(is_beyond(stored.y)) + u32(is_beyond(stored.z));
    if (count != 0u && params.color_y + id.y >= params.fresh_y) {
        atomicAdd(&beyond, count);
    }
    var rgb = bitcast<vec3<f32>>(vec3<u32>(finite(stored.x), finite(stored.y), finite(stored.z)));
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
