// One row of the product. Written out: `dot` leaves the order of its sum open.
fn matrix_row(row: vec3<f32>, rgb: vec3<f32>) -> f32 {
    return (row.x * rgb.x + row.y * rgb.y) + row.z * rgb.z;
}
