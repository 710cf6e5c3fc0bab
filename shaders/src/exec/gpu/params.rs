//! What the shaders are told about a band, in the layout of `common.wgsl`.

use super::passes;
use crate::exec::plan::{Band, Input, MosaicInput, Plan};
use crate::ops::{debayer_mhc, debayer_ri, rgb_decode, unpack};
use bytemuck::{Pod, Zeroable};
use platefarm_model::recipe::Debayer;
use platefarm_model::repair::{Highlights, Repairs};

/// Distance of one band's parameters from the next; the default of WebGPU.
pub(super) const PARAMS_STRIDE: u64 = 256;

/// One band's parameters. Field for field the struct of `common.wgsl`.
#[repr(C)]
#[derive(Clone, Copy, Debug, Pod, Zeroable)]
pub(super) struct Params {
    row_bytes: u32,
    stored_column: u32,
    bits: u32,
    order: u32,
    window_x: i32,
    window_y: i32,
    window_width: u32,
    window_height: u32,
    sites_width: u32,
    sites_height: u32,
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
    samples: u32,
    fresh_y: u32,
    has_matrix: u32,
    stored_y: u32,
    zero: u32,
    halo: u32,
    repairs: u32,
    sites: Sites,
    matrix: [[f32; 4]; 3],
}

/// What differs between the photosites of the 2x2 pattern, or between colours.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, Pod, Zeroable)]
struct Sites {
    scale: [f32; 4],
    gain: [f32; 4],
    clips: [f32; 4],
}

/// What only one kind of input says.
#[derive(Default)]
struct OfInput {
    stored_column: u32,
    bits: u32,
    order: u32,
    samples: u32,
    red_at: (u32, u32),
    linear_length: usize,
    repairs: u32,
    sites: Sites,
}

impl OfInput {
    fn new(plan: &Plan) -> Self {
        match &plan.input {
            Input::Mosaic(mosaic) => {
                let (bits, order) = unpack::shader_form(mosaic.layout.packing);
                Self {
                    stored_column: mosaic.layout.active.x,
                    bits,
                    order,
                    red_at: mosaic.red_at,
                    linear_length: mosaic.levels.linear.len(),
                    repairs: repairs(mosaic.repairs),
                    sites: Sites {
                        scale: mosaic.levels.scale,
                        gain: mosaic.gains,
                        clips: clips(mosaic),
                    },
                    ..Self::default()
                }
            }
            Input::Rgb(layout) => Self {
                samples: rgb_decode::shader_form(layout.samples),
                linear_length: layout.curve.len(),
                ..Self::default()
            },
        }
    }
}

impl Params {
    pub(super) fn new(plan: &Plan, band: &Band) -> Self {
        let of = OfInput::new(plan);
        let [window_width, window_height] = passes::window(plan, band);
        let (halo, block) = (plan.halo(), plan.input.block());
        let [all_columns, all_lines] = plan.content_size().map(small);
        let m = plan.matrix.unwrap_or_default();
        Self {
            row_bytes: small(plan.row_bytes()),
            stored_column: of.stored_column,
            bits: of.bits,
            order: of.order,
            window_x: (plan.columns.start * block) as i32 - halo as i32,
            window_y: (band.rows.start * block) as i32 - halo as i32,
            window_width,
            window_height,
            sites_width: plan.sites[0],
            sites_height: plan.sites[1],
            color_x: plan.columns.start,
            color_y: band.rows.start,
            color_width: small(plan.columns.len()),
            color_height: small(band.rows.len()),
            red_x: of.red_at.1,
            red_y: of.red_at.0,
            linear_length: small(of.linear_length),
            first_line: small(band.lines.start),
            lines: small(band.lines.len()),
            all_columns,
            all_lines,
            taps_along: small(plan.taps[0].count),
            taps_down: small(plan.taps[1].count),
            moves_rows: u32::from(plan.taps[1].is_copy()),
            antiring: u32::from(plan.antiring),
            samples: of.samples,
            fresh_y: band.fresh_rows.start,
            has_matrix: u32::from(plan.matrix.is_some()),
            stored_y: band.input_rows.start,
            zero: 0,
            halo,
            repairs: of.repairs,
            sites: of.sites,
            matrix: [[m[0], m[1], m[2], 0.0], [m[3], m[4], m[5], 0.0], [m[6], m[7], m[8], 0.0]],
        }
    }
}

/// Pictures are limited to sides that fit; rows of bytes to four times that.
fn small(value: usize) -> u32 {
    u32::try_from(value).unwrap_or(u32::MAX)
}

/// From where encoded photosites of each colour are clipped, and the height that none exceeds.
fn clips(mosaic: &MosaicInput) -> [f32; 4] {
    let [red, green, blue] = match mosaic.debayer {
        Debayer::Mhc => debayer_mhc::clips(mosaic.clips),
        _ => debayer_ri::clips(mosaic.clips),
    };
    [red, green, blue, mosaic.ceiling().unwrap_or_default()]
}

/// What is mended, as the shader counts it.
fn repairs(repairs: Repairs) -> u32 {
    u32::from(repairs.hot_pixels) + 2 * u32::from(repairs.highlights == Highlights::Rebuild)
}
