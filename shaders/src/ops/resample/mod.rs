//! One separable affine resample: crop, de-squeeze, scale, pad at once.
//!
//! Each delivered pixel is a weighted sum of source pixels around the place it
//! comes from. The weights of a line are the filter sampled at the source
//! pixels' centres, normalised to 1; on an axis that shrinks, the filter is
//! widened by the shrink, so that it also removes what the smaller raster
//! cannot hold. Beyond the source raster its edge pixel is repeated. An axis
//! that only moves by whole pixels is copied, whatever the filter. A mirror
//! image is the same sums, stored from the other end.
//!
//! Filters that are sharp ring: beside an edge they leave the range of what
//! they were made of. On request a sum is kept within that range, axis by axis
//! (antiring); by default nothing is, since a clamp is no linear operation and
//! values below zero are legal in ACES2065-1.
//!
//! Weights are computed in double precision, once per recipe; both forms read
//! the same table.

pub mod cpu;
#[cfg(test)]
mod goldens;
pub mod kernel;
pub mod picture;
#[cfg(test)]
mod tests;

use super::{Op, Tolerance};
use platefarm_model::recipe::Filter;
use std::ops::Range;

/// The operation, for [`OPS`](super::OPS).
#[derive(Debug)]
pub struct Resample;

/// How far scale may lie from 1 for an axis to count as not scaled.
const UNIT_SCALE: f64 = 1.0e-9;
/// How far an offset may lie from a whole number for an axis to count as copied, in pixels.
const WHOLE_OFFSET: f64 = 1.0e-6;

/// The weights of one axis: for each delivered line, `count` source lines
/// from `start` on.
#[derive(Clone, Debug, PartialEq)]
pub struct Taps {
    /// Source lines that each delivered line reads.
    pub count: usize,
    /// First source line of each delivered line; never decreases.
    pub start: Vec<u32>,
    /// `count` weights a line; their sum is 1.
    pub weights: Vec<f32>,
}

impl Taps {
    /// Weights for the delivered lines `lines`, of a source of `source` lines,
    /// under `delivered = scale * source + offset` in edge coordinates. `scale`
    /// is positive and finite, `offset` finite, `source` not zero.
    #[must_use]
    pub fn new(filter: Filter, scale: f64, offset: f64, lines: Range<u32>, source: u32) -> Self {
        if (scale - 1.0).abs() < UNIT_SCALE && (offset - offset.round()).abs() < WHOLE_OFFSET {
            let last = f64::from(source - 1);
            let start = lines.map(|i| (f64::from(i) - offset.round()).clamp(0.0, last) as u32);
            let start: Vec<u32> = start.collect();
            return Self { count: 1, weights: vec![1.0; start.len()], start };
        }
        let lines: Vec<(u32, Vec<f64>)> = lines
            .map(|i| line(filter, scale, (f64::from(i) + 0.5 - offset) / scale, source))
            .collect();
        let count = lines.iter().map(|(_, w)| w.len()).max().unwrap_or(1);
        let mut taps = Self { count, start: Vec::new(), weights: Vec::new() };
        for (start, weights) in lines {
            // A shorter line is filled up with zero weights on its right, or on
            // its left where the source ends.
            let from = start.min(source - count as u32);
            let sum: f64 = weights.iter().sum();
            let at = taps.weights.len() + (start - from) as usize;
            taps.start.push(from);
            taps.weights.resize(taps.weights.len() + count, 0.0);
            for (to, w) in taps.weights[at..].iter_mut().zip(&weights) {
                *to = (w / sum) as f32;
            }
        }
        taps
    }

    /// Whether every delivered line is one source line, unchanged.
    #[must_use]
    pub const fn is_copy(&self) -> bool {
        self.count == 1
    }

    /// Source lines that the delivered lines `lines` (counted from the first one of the table) read.
    #[must_use]
    pub fn reads(&self, lines: Range<usize>) -> Range<u32> {
        match (
            self.start.get(lines.start),
            lines.end.checked_sub(1).and_then(|i| self.start.get(i)),
        ) {
            (Some(first), Some(last)) => *first..*last + self.count as u32,
            _ => 0..0,
        }
    }

    /// Weights of one delivered line.
    #[must_use]
    pub fn weights_of(&self, line: usize) -> &[f32] {
        &self.weights[line * self.count..(line + 1) * self.count]
    }
}

/// The weights of one delivered line whose centre lies at `center` in the
/// source, before they are normalised: the first source line, and the weights.
/// What falls outside the source is added to its first or last line. Zeros
/// inside the filter's reach stay, so that the first line never decreases.
fn line(filter: Filter, scale: f64, center: f64, source: u32) -> (u32, Vec<f64>) {
    let reach = kernel::reach(filter, scale);
    // Further out, all weights fall on the edge line anyway.
    let center = center.clamp(-reach - 1.0, f64::from(source) + reach + 1.0);
    let first = (center - reach - 0.5).ceil();
    let last = (center + reach - 0.5).floor().max(first);
    let edge = f64::from(source - 1);
    let clamped = |i: f64| i.clamp(0.0, edge) as u32;
    let start = clamped(first);
    let mut weights = vec![0.0; (clamped(last) - start + 1) as usize];
    let mut i = first;
    while i <= last {
        let weight = kernel::weight_under(filter, scale, i + 0.5 - center);
        weights[(clamped(i) - start) as usize] += weight;
        i += 1.0;
    }
    (start, weights)
}

impl Op for Resample {
    fn name(&self) -> &'static str {
        "resample"
    }
    fn doc(&self) -> &'static str {
        "maps the picture onto the delivered raster by one separable affine filter"
    }
    fn reference(&self) -> &'static str {
        "ASC FDL 2.0, applying a canvas template; Mitchell and Netravali, SIGGRAPH 1988; Keys, IEEE ASSP 1981; Harris, Proceedings of the IEEE 1978; Lanczos window: Turkowski, Graphics Gems I, 1990"
    }
    fn tolerance(&self) -> Tolerance {
        Tolerance {
            abs: 0.0,
            rel: 0.0,
            reason: "sums in one order, and products rounded before they are summed: the same bits",
        }
    }
    fn wgsl(&self) -> &'static str {
        include_str!("resample.wgsl")
    }
    #[cfg(test)]
    fn trials(&self) -> Vec<crate::twin::Trial> {
        tests::trials()
    }
    #[cfg(test)]
    fn sabotage(&self) -> (&'static str, &'static str) {
        ("rounded_rgb(tap_weight(weights_at + k)", "rounded_rgb(tap_weight(weights_at + k - 1u)")
    }
}
