// Needs `fn mosaic(x: i32, y: i32) -> f32`: a white-balanced photosite inside the picture.

// Red, green and blue at (x, y) of a picture of `size`, whose red photosites
// have the parity of `red` (column, row).
fn debayer_mhc(x: i32, y: i32, size: vec2<i32>, red: vec2<i32>) -> vec3<f32> {
    let x0 = mirror(x - 2, size.x);
    let x1 = mirror(x - 1, size.x);
    let x3 = mirror(x + 1, size.x);
    let x4 = mirror(x + 2, size.x);
    let y1 = mirror(y - 1, size.y);
    let y3 = mirror(y + 1, size.y);

    let c = mosaic(x, y);
    let rows = mosaic(x, y1) + mosaic(x, y3);
    let columns = mosaic(x1, y) + mosaic(x3, y);
    let far_rows = mosaic(x, mirror(y - 2, size.y)) + mosaic(x, mirror(y + 2, size.y));
    let far_columns = mosaic(x0, y) + mosaic(x4, y);
    let diagonals = (mosaic(x1, y1) + mosaic(x3, y1)) + (mosaic(x1, y3) + mosaic(x3, y3));

    let red_column = ((x ^ red.x) & 1) == 0;
    let red_row = ((y ^ red.y) & 1) == 0;
    if (red_column == red_row) {
        let near = rounded(2.0 * (rows + columns));
        let green = ((rounded(4.0 * c) + near) - (far_rows + far_columns)) * 0.125;
        let corners = rounded(2.0 * diagonals);
        let other = ((rounded(6.0 * c) + corners) - rounded(1.5 * (far_rows + far_columns))) * 0.125;
        return select(vec3<f32>(other, green, c), vec3<f32>(c, green, other), red_row);
    }
    let own = rounded(5.0 * c);
    let beside = (((own + rounded(4.0 * columns)) - (far_columns + diagonals)) + rounded(0.5 * far_rows)) * 0.125;
    let above = (((own + rounded(4.0 * rows)) - (far_rows + diagonals)) + rounded(0.5 * far_columns)) * 0.125;
    return select(vec3<f32>(above, c, beside), vec3<f32>(beside, c, above), red_row);
}
