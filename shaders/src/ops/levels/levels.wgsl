// Needs `fn linear_code(i: u32) -> f32`: the linearisation table.

// A sample's linear code. A value past the end of the table takes its last entry.
fn linearize(sample: u32, table_length: u32) -> f32 {
    if (table_length == 0u) {
        return f32(sample);
    }
    return linear_code(min(sample, table_length - 1u));
}

fn levels(linear: f32, column_black: f32, row_black: f32, scale: f32) -> f32 {
    return (linear - (column_black + row_black)) * scale;
}
