// Needs `fn mosaic(x: i32, y: i32) -> f32`: a white-balanced photosite inside the picture,
// and `fn mhc_clip(color: u32) -> f32`: from where on those of a colour clip.

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
        let rgb = select(vec3<f32>(other, green, c), vec3<f32>(c, green, other), red_row);
        return mhc_at_color(rgb, x, y, size, red_row);
    }
    let own = rounded(5.0 * c);
    let beside = (((own + rounded(4.0 * columns)) - (far_columns + diagonals)) + rounded(0.5 * far_rows)) * 0.125;
    let above = (((own + rounded(4.0 * rows)) - (far_rows + diagonals)) + rounded(0.5 * far_columns)) * 0.125;
    let rgb = select(vec3<f32>(above, c, beside), vec3<f32>(beside, c, above), red_row);
    return mhc_at_green(rgb, x, y, size, red_row);
}

// The 5x5 photosites: weighted sums of those of the photosite's own rows and columns, of its
// columns in the rows between, of its rows in the columns between, and of neither; and the largest of each.
struct MhcWindow {
    sums: vec4<f32>,
    most: vec4<f32>,
}

fn mhc_window(x: i32, y: i32, size: vec2<i32>) -> MhcWindow {
    var even: array<f32, 5>;
    var odd: array<f32, 5>;
    var most = vec4<f32>(-0x1p127f);
    for (var r = 0; r < 5; r++) {
        let row = mirror(y + r - 2, size.y);
        let west = mosaic(mirror(x - 2, size.x), row);
        let c = mosaic(x, row);
        let east = mosaic(mirror(x + 2, size.x), row);
        let left = mosaic(mirror(x - 1, size.x), row);
        let right = mosaic(mirror(x + 1, size.x), row);
        even[r] = (west + east) + rounded(3.0 * c);
        odd[r] = rounded(2.0 * (left + right));
        let same = max(max(west, c), east);
        let beside = max(left, right);
        let outer = (r & 1) == 0;
        most = max(most, select(
            vec4<f32>(-0x1p127f, same, -0x1p127f, beside), vec4<f32>(same, -0x1p127f, beside, -0x1p127f), outer));
    }
    let sums = vec4<f32>(
        (even[0] + even[4]) + rounded(3.0 * even[2]),
        rounded(2.0 * (even[1] + even[3])),
        (odd[0] + odd[4]) + rounded(3.0 * odd[2]),
        rounded(2.0 * (odd[1] + odd[3])),
    );
    return MhcWindow(sums, most);
}

// A colour from the photosite and the sums of both around it, within its nearest photosites.
fn mhc_ratio(known: f32, c: f32, wanted: f32, own: f32, sides: vec4<f32>) -> f32 {
    let some = own > 0.0;
    let guess = rounded(c * divided(wanted, select(1.0, own, some)));
    let low = min(min(sides.x, sides.y), min(sides.z, sides.w));
    let high = max(max(sides.x, sides.y), max(sides.z, sides.w));
    return min(max(select(known, guess, some), low), high);
}

// A pixel of a red or a blue photosite, made anew where it has a clipped photosite among the 25 around it.
fn mhc_at_color(rgb: vec3<f32>, x: i32, y: i32, size: vec2<i32>, red_row: bool) -> vec3<f32> {
    let window = mhc_window(x, y, size);
    let own = select(2u, 0u, red_row);
    let clips = vec4<f32>(mhc_clip(own), mhc_clip(1u), mhc_clip(1u), mhc_clip(2u - own));
    if (!any(window.most >= clips)) {
        return rgb;
    }
    let sums = window.sums;
    let x1 = mirror(x - 1, size.x);
    let x3 = mirror(x + 1, size.x);
    let y1 = mirror(y - 1, size.y);
    let y3 = mirror(y + 1, size.y);
    let c = mosaic(x, y);
    let sides = vec4<f32>(mosaic(x, y1), mosaic(x, y3), mosaic(x1, y), mosaic(x3, y));
    let green = mhc_ratio(rgb.y, c, rounded((sums.y + sums.z) * 0.625), sums.x, sides);
    let corners = vec4<f32>(mosaic(x1, y1), mosaic(x3, y1), mosaic(x1, y3), mosaic(x3, y3));
    let other = mhc_ratio(select(rgb.x, rgb.z, red_row), c, rounded(sums.w * 1.5625), sums.x, corners);
    return select(vec3<f32>(other, green, c), vec3<f32>(c, green, other), red_row);
}

fn mhc_at_green(rgb: vec3<f32>, x: i32, y: i32, size: vec2<i32>, red_row: bool) -> vec3<f32> {
    let window = mhc_window(x, y, size);
    let own = select(2u, 0u, red_row);
    let clips = vec4<f32>(mhc_clip(1u), mhc_clip(2u - own), mhc_clip(own), mhc_clip(1u));
    if (!any(window.most >= clips)) {
        return rgb;
    }
    let sums = window.sums;
    let all = sums.x + sums.w;
    let c = mosaic(x, y);
    let west = mosaic(mirror(x - 1, size.x), y);
    let east = mosaic(mirror(x + 1, size.x), y);
    let north = mosaic(x, mirror(y - 1, size.y));
    let south = mosaic(x, mirror(y + 1, size.y));
    let known = select(rgb.zyx, rgb, red_row);
    let beside = mhc_ratio(known.x, c, rounded(sums.z * 2.05), all, vec4<f32>(west, west, east, east));
    let above = mhc_ratio(known.z, c, rounded(sums.y * 2.05), all, vec4<f32>(north, north, south, south));
    return select(vec3<f32>(above, c, beside), vec3<f32>(beside, c, above), red_row);
}
