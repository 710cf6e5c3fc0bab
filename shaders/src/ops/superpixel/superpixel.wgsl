// Needs `fn mosaic(x: i32, y: i32) -> f32`: a white-balanced photosite inside the picture.

// `i`, which lies two beyond the picture of `n` at most, mirrored about its edge.
fn superpixel_inside(i: i32, n: i32) -> i32 {
    let j = abs(i);
    return select(j, abs(2 * (n - 1) - j), j >= n);
}

// A quarter of the way from `a` to `b`.
fn superpixel_quarter(a: f32, b: f32) -> f32 {
    return a + rounded((b - a) * 0.25);
}

// A colour of block (x, y) at the block's middle; it stands at `site` (column, row) of each block.
fn superpixel_middle(x: i32, y: i32, size: vec2<i32>, site: vec2<i32>) -> f32 {
    let x0 = superpixel_inside(2 * x + site.x, size.x);
    let y0 = superpixel_inside(2 * y + site.y, size.y);
    let x1 = superpixel_inside(2 * x + select(2, -1, site.x == 1), size.x);
    let y1 = superpixel_inside(2 * y + select(2, -1, site.y == 1), size.y);
    let near = superpixel_quarter(mosaic(x0, y0), mosaic(x1, y0));
    return superpixel_quarter(near, superpixel_quarter(mosaic(x0, y1), mosaic(x1, y1)));
}

// Red, green and blue of block (x, y) of a picture of `size`, whose red
// photosites have the parity of `red` (column, row).
fn superpixel(x: i32, y: i32, size: vec2<i32>, red: vec2<i32>) -> vec3<f32> {
    let first_y = superpixel_inside(2 * y + red.y, size.y);
    let second_y = superpixel_inside(2 * y + 1 - red.y, size.y);
    let first_x = superpixel_inside(2 * x + 1 - red.x, size.x);
    let second_x = superpixel_inside(2 * x + red.x, size.x);
    let green = (mosaic(first_x, first_y) + mosaic(second_x, second_y)) * 0.5;
    let blue = vec2<i32>(1 - red.x, 1 - red.y);
    return vec3<f32>(superpixel_middle(x, y, size, red), green, superpixel_middle(x, y, size, blue));
}
