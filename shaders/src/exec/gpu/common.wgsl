// Shared by all stages; the same fields as `Params` in `params.rs`.
struct Params {
    // Stored bytes: bytes of a row, stored column of the mosaic's first one, packing.
    row_bytes: u32,
    stored_column: u32,
    bits: u32,
    little_endian: u32,
    // The part of the mosaic that is made, in coordinates of the picture.
    mosaic_x: u32,
    mosaic_y: u32,
    mosaic_width: u32,
    mosaic_height: u32,
    // The picture, and the part of it that is made.
    picture_width: u32,
    picture_height: u32,
    color_x: u32,
    color_y: u32,
    color_width: u32,
    color_height: u32,
    // Parity of the red photosites.
    red_x: u32,
    red_y: u32,
    // Entries of the linearisation table.
    linear_length: u32,
    // Delivered rows of this band, counted from the first with picture; delivered columns and rows in all.
    first_line: u32,
    lines: u32,
    all_columns: u32,
    all_lines: u32,
    // Taps of a line on each axis, and whether rows are only moved.
    taps_along: u32,
    taps_down: u32,
    moves_rows: u32,
    // Whether sums are kept within the range of what they are made of.
    antiring: u32,
    unused_0: u32,
    unused_1: u32,
    unused_2: u32,
    // Per photosite of the 2x2 pattern.
    scale: vec4<f32>,
    gain: vec4<f32>,
    // Rows of the matrix.
    to_red: vec4<f32>,
    to_green: vec4<f32>,
    to_blue: vec4<f32>,
}

@group(0) @binding(0) var<uniform> params: Params;
