// Stored bytes to a white-balanced mosaic and its halo, mirrored beyond the
// picture's edges.
//
// Needs `fn working(value: f32) -> f32`: what the debayer wants of a photosite.

@group(0) @binding(1) var<storage, read> raw: array<u32>;
// Black of the columns of even rows, of odd rows; black of the rows; the linearisation table.
@group(0) @binding(2) var<storage, read> tables: array<f32>;
@group(0) @binding(3) var<storage, read_write> result: array<f32>;
@group(0) @binding(4) var<storage, read_write> beyond: atomic<u32>;

fn raw_word(i: u32) -> u32 {
    return raw[i];
}

fn linear_code(i: u32) -> f32 {
    return tables[2u * params.sites_width + params.sites_height + i];
}

// A photosite of the picture, before white balance; counted where it is no mirror image.
fn linear_site(x: u32, y: u32, counted: bool) -> f32 {
    let row = (y - params.stored_y) * params.row_bytes;
    let column = params.stored_column + x;
    if (params.bits == 32u) {
        // A stored float; there are no levels left to take off.
        let bits = stored_word(row + column * 4u);
        if (is_beyond(bits) && counted) {
            atomicAdd(&beyond, 1u);
        }
        return bitcast<f32>(finite(bits));
    }
    let sample = unpack(row, column, params.bits, params.order);
    let column_black = tables[(y & 1u) * params.sites_width + x];
    let row_black = tables[2u * params.sites_width + y];
    let site = (y & 1u) * 2u + (x & 1u);
    return levels(linearize(sample, params.linear_length), column_black, row_black, params.scale[site]);
}

@compute @workgroup_size(32, 8)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
    if (id.x >= params.window_width || id.y >= params.window_height) {
        return;
    }
    let at = vec2<i32>(id.xy) + vec2<i32>(params.window_x, params.window_y);
    let x = mirror(at.x, i32(params.sites_width));
    let y = mirror(at.y, i32(params.sites_height));
    let counted = x == at.x && y == at.y && u32(y) >= params.fresh_y;
    let value = linear_site(u32(x), u32(y), counted);
    let site = (u32(y) & 1u) * 2u + (u32(x) & 1u);
    let balanced = below_ceiling(white_balance(value, params.gain[site]));
    result[id.y * params.window_width + id.x] = working(balanced);
}
