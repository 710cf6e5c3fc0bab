//! What the shaders are told about a band, in the layout of `common.wgsl`.

use crate::exec::plan::{Band, Plan};
use crate::ops::unpack::shader_form;
use bytemuck::{Pod, Zeroable};

/// One band's parameters. Field for field the struct of `common.wgsl`.
#[repr(C)]
#[derive(Clone, Copy, Debug, Pod, Zeroable)]
pub(super) struct Params {
    row_bytes: u32,
    stored_column: u32,
    bits: u32,
    little_endian: u32,
    mosaic_x: u32,
    mosaic_y: u32,
    mosaic_width: u32,
    mosaic_height: u32,
    picture_width: u32,
    picture_height: u32,
    color_x: u32,
    color_y: u32,
    color_width: u32,
    color_height: u32,
    red_x: u32,
    red_y: u32,
    linear_length: u32,
    first_line: u32,
    lines: u32,
    all_columns: u32,
    all_lines: u32,
    taps_along: u32,
    taps_down: u32,
    moves_rows: u32,
    antiring: u32,
    unused: [u32; 3],
    scale: [f32; 4],
    gain: [f32; 4],
    matrix: [[f32; 4]; 3],
}

impl Params {
    pub(super) fn new(plan: &Plan, band: &Band) -> Self {
        let (bits, little_endian) = shader_form(plan.layout.packing);
        let mosaic_columns = plan.mosaic_columns();
        let [all_columns, all_lines] = plan.content_size().map(small);
        let m = &plan.matrix;
        Self {
            row_bytes: small(plan.layout.row_bytes),
            stored_column: plan.layout.active.x + mosaic_columns.start,
            bits,
            little_endian: u32::from(little_endian),
            mosaic_x: mosaic_columns.start,
            mosaic_y: band.mosaic_rows.start,
            mosaic_width: small(mosaic_columns.len()),
            mosaic_height: small(band.mosaic_rows.len()),
            picture_width: plan.picture[0],
            picture_height: plan.picture[1],
            color_x: plan.columns.start,
            color_y: band.rows.start,
            color_width: small(plan.columns.len()),
            color_height: small(band.rows.len()),
            red_x: plan.red_at.1,
            red_y: plan.red_at.0,
            linear_length: small(plan.levels.linear.len()),
            first_line: small(band.lines.start),
            lines: small(band.lines.len()),
            all_columns,
            all_lines,
            taps_along: small(plan.taps[0].count),
            taps_down: small(plan.taps[1].count),
            moves_rows: u32::from(plan.taps[1].is_copy()),
            antiring: u32::from(plan.antiring),
            unused: [0; 3],
            scale: plan.levels.scale,
            gain: plan.gains,
            matrix: [[m[0], m[1], m[2], 0.0], [m[3], m[4], m[5], 0.0], [m[6], m[7], m[8], 0.0]],
        }
    }
}

/// Pictures are limited to sides that fit; rows of bytes to four times that.
fn small(value: usize) -> u32 {
    u32::try_from(value).unwrap_or(u32::MAX)
}
