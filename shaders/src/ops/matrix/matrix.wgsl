// One row of the product. Written out: `dot` leaves the order of its sum open.
fn matrix_row(row: vec3<f32>, rgb: vec3<f32>) -> f32 {
    return (rounded(row.x * rgb.x) + rounded(row.y * rgb.y)) + rounded(row.z * rgb.z);
}
