// Shared by all stages; the same fields as `Params` in `params.rs`.
struct Params {
    // Stored bytes: bytes of a row, stored column of the picture's first one, packing.
    row_bytes: u32,
    stored_column: u32,
    bits: u32,
    order: u32,
    // The window of mosaic and halo that is made, in coordinates of the input.
    window_x: i32,
    window_y: i32,
    window_width: u32,
    window_height: u32,
    // Columns and rows of the whole input; the part of the picture that is made.
    sites_width: u32,
    sites_height: u32,
    color_x: u32,
    color_y: u32,
    color_width: u32,
    color_height: u32,
    // Parity of the red photosites.
    red_x: u32,
    red_y: u32,
    // Entries of the linearisation table, or of a picture's curve.
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
    // Kind of the samples of a picture.
    samples: u32,
    // First row of the input that no band before this one looks at.
    fresh_y: u32,
    // Whether there is a matrix.
    has_matrix: u32,
    // Row of the input at which the stored bytes begin.
    stored_y: u32,
    // Always 0.
    zero: u32,
    // Lines of the halo.
    halo: u32,
    // What is mended: 1 for hot pixels, 2 for rebuilt highlights.
    repairs: u32,
    // Per photosite of the 2x2 pattern.
    scale: vec4<f32>,
    gain: vec4<f32>,
    // From where photosites are clipped, as the debayer sees them: red, green, blue; then the height
    // that no photosite and no colour of a pixel may exceed, 0 for none.
    clips: vec4<f32>,
    // Rows of the matrix.
    to_red: vec4<f32>,
    to_green: vec4<f32>,
    to_blue: vec4<f32>,
}

@group(0) @binding(0) var<uniform> params: Params;

fn opaque_zero() -> u32 {
    return params.zero;
}

// A photosite, or a colour of a pixel, at that height at most.
fn below_ceiling(value: f32) -> f32 {
    return select(value, min(value, params.clips.w), params.clips.w > 0.0);
}

fn pixel_below_ceiling(rgb: vec3<f32>) -> vec3<f32> {
    return vec3<f32>(below_ceiling(rgb.x), below_ceiling(rgb.y), below_ceiling(rgb.z));
}
