// Stored bytes to a white-balanced mosaic.

@group(0) @binding(1) var<storage, read> raw: array<u32>;
// Black of the columns of even rows, of odd rows; black of the rows; the linearisation table.
@group(0) @binding(2) var<storage, read> tables: array<f32>;
@group(0) @binding(3) var<storage, read_write> result: array<f32>;

fn raw_word(i: u32) -> u32 {
    return raw[i];
}

fn linear_code(i: u32) -> f32 {
    return tables[2u * params.picture_width + params.picture_height + i];
}

@compute @workgroup_size(32, 8)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
    if (id.x >= params.mosaic_width || id.y >= params.mosaic_height) {
        return;
    }
    let x = params.mosaic_x + id.x;
    let y = params.mosaic_y + id.y;
    let site = (y & 1u) * 2u + (x & 1u);
    let sample = unpack(id.y * params.row_bytes, params.stored_column + id.x, params.bits, params.little_endian == 1u);
    let column_black = tables[(y & 1u) * params.picture_width + x];
    let row_black = tables[2u * params.picture_width + y];
    let value = levels(linearize(sample, params.linear_length), column_black, row_black, params.scale[site]);
    result[id.y * params.mosaic_width + id.x] = white_balance(value, params.gain[site]);
}
