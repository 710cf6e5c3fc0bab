//! The image operations. Each stands in a folder of its own with the same
//! four parts: `mod.rs` (meaning, bound), `cpu.rs` (the reference, written for
//! rows), `<op>.wgsl` (the same arithmetic in the same order, as functions
//! that a stage composes) and `tests.rs`.
//!
//! To add one: a folder and a line in [`OPS`].

pub mod debayer_mhc;
pub mod debayer_rcd;
pub mod debayer_ri;
pub mod finite;
pub mod highlights;
pub mod hot_pixels;
pub mod levels;
pub mod matrix;
pub mod resample;
pub mod rgb_decode;
mod rows;
pub mod superpixel;
pub mod to_half;
pub mod unpack;
pub mod white_balance;

/// How far the GPU form may lie from the CPU form: `|gpu - cpu| <= abs + rel * |cpu|`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Tolerance {
    /// Absolute part, in units of the largest input magnitude of the neighbourhood that is read.
    pub abs: f32,
    /// Relative part.
    pub rel: f32,
    /// Why it is not zero, or why it is.
    pub reason: &'static str,
}

/// One image operation, as lists, reports and the comparison of both forms see it.
pub trait Op: Sync {
    /// Stable name: that of its folder.
    fn name(&self) -> &'static str;
    /// What it does, in one sentence.
    fn doc(&self) -> &'static str;
    /// Where its definition is published.
    fn reference(&self) -> &'static str;
    /// Bound between the two forms.
    fn tolerance(&self) -> Tolerance;
    /// The shader form: functions that a stage composes.
    fn wgsl(&self) -> &'static str;

    /// Inputs on which both forms are compared, with what the CPU form makes of them.
    #[cfg(test)]
    fn trials(&self) -> Vec<crate::twin::Trial>;
    /// A piece of the shader text and a wrong one in its place; the comparison must notice.
    #[cfg(test)]
    fn sabotage(&self) -> (&'static str, &'static str);
}

/// Shader text that goes before that of every operation: arithmetic that gives
/// the same bits whatever the driver.
pub(crate) const EXACT: &str = include_str!("exact.wgsl");

/// Every operation, in the order a plate goes through them.
pub const OPS: &[&dyn Op] = &[
    &unpack::Unpack,
    &rgb_decode::RgbDecode,
    &finite::Finite,
    &levels::LevelsOp,
    &white_balance::WhiteBalance,
    &hot_pixels::HotPixels,
    &highlights::HighlightsOp,
    &debayer_ri::DebayerRi,
    &debayer_rcd::DebayerRcd,
    &debayer_mhc::DebayerMhc,
    &superpixel::Superpixel,
    &matrix::Matrix,
    &resample::Resample,
    &to_half::ToHalf,
];
