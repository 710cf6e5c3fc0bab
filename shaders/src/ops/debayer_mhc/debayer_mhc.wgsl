// Needs `fn mosaic(x: i32, y: i32) -> f32`: a white-balanced photosite inside the picture.

// `i` mirrored into 0..n about the first and the last index; n is 2 or more.
fn mirror(i: i32, n: i32) -> i32 {
    let period = 2 * (n - 1);
    let j = abs(i) % period;
    return min(j, period - j);
}

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
        let green = ((4.0 * c + 2.0 * (rows + columns)) - (far_rows + far_columns)) * 0.125;
        let other = ((6.0 * c + 2.0 * diagonals) - 1.5 * (far_rows + far_columns)) * 0.125;
        return select(vec3<f32>(other, green, c), vec3<f32>(c, green, other), red_row);
    }
    let beside = (((5.0 * c + 4.0 * columns) - (far_columns + diagonals)) + 0.5 * far_rows) * 0.125;
    let above = (((5.0 * c + 4.0 * rows) - (far_rows + diagonals)) + 0.5 * far_columns) * 0.125;
    return select(vec3<f32>(above, c, beside), vec3<f32>(beside, c, above), red_row);
}
