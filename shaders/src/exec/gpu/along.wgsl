// Resample on the horizontal axis, then the colour of what is delivered, to halves, two columns to a word, three planes.

@group(0) @binding(1) var<storage, read> source: array<f32>;
// The first column of each delivered column, then the weights.
@group(0) @binding(2) var<storage, read> taps: array<u32>;
// The same of the rows; only the first rows are read, where rows are only moved.
@group(0) @binding(3) var<storage, read> rows: array<u32>;
@group(0) @binding(4) var<storage, read_write> result: array<u32>;
@group(0) @binding(5) var<storage, read_write> beyond: atomic<u32>;

fn tap_weight(i: u32) -> f32 {
    return bitcast<f32>(taps[params.all_columns + i]);
}

fn tap_rgb(across: u32, along: u32) -> vec3<f32> {
    let at = across * params.color_width + (along - params.color_x);
    let plane = params.color_width * select(params.lines, params.color_height, params.moves_rows == 1u);
    return vec3<f32>(source[at], source[plane + at], source[2u * plane + at]);
}

fn pixel(row: u32, column: u32) -> vec3<u32> {
    let rgb = colored(
        resample(row, taps[column], column * params.taps_along, params.taps_along, params.antiring == 1u));
    let bits = bitcast<vec3<u32>>(rgb);
    let count = u32(beyond_half(bits.x)) + u32(beyond_half(bits.y)) + u32(beyond_half(bits.z));
    if (count != 0u) {
        atomicAdd(&beyond, count);
    }
    return vec3<u32>(to_half(bits.x), to_half(bits.y), to_half(bits.z));
}

@compute @workgroup_size(32, 8)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
    let words = (params.all_columns + 1u) / 2u;
    if (id.x >= words || id.y >= params.lines) {
        return;
    }
    var row = id.y;
    if (params.moves_rows == 1u) {
        row = rows[params.first_line + id.y] - params.color_y;
    }
    var two = pixel(row, 2u * id.x);
    if (2u * id.x + 1u < params.all_columns) {
        two |= pixel(row, 2u * id.x + 1u) << vec3<u32>(16u);
    }
    let at = id.y * words + id.x;
    let plane = words * params.lines;
    result[at] = two.x;
    result[plane + at] = two.y;
    result[2u * plane + at] = two.z;
}
