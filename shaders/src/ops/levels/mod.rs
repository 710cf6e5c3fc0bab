//! Samples to linear sensor values in which 0 is black and 1 the clipping point.
//!
//! `(linear(sample) - black) * scale`, without clamping: noise below black
//! keeps its mean, and values above white keep their highlight. Black is the
//! photosite's level plus the delta of its column and row; scale is one over
//! white minus the largest black of the photosite's kind, as DNG has it.

pub mod cpu;
#[cfg(test)]
mod tests;

use super::{Op, Tolerance};
use platefarm_model::raw::Levels;
use platefarm_model::{Code, Fault, Outcome};

/// The operation, for [`OPS`](super::OPS).
#[derive(Debug)]
pub struct LevelsOp;

/// Levels spread out over a picture of a known size, for both forms.
#[derive(Clone, Debug, PartialEq)]
pub struct LevelTables {
    /// Linear code of each sample value; empty when samples are linear already.
    pub linear: Vec<f32>,
    /// Black level plus column delta: per parity of the row, per column.
    pub column_black: [Vec<f32>; 2],
    /// Row delta, per row.
    pub row_black: Vec<f32>,
    /// One over white minus black, per photosite of the 2x2 pattern.
    pub scale: [f32; 4],
}

impl LevelTables {
    /// Spreads `levels` over a picture of `width` by `height`.
    ///
    /// # Errors
    /// [`Code::BadRecipe`] when white does not lie above black, a level is not
    /// a finite number, or the deltas do not fit the picture.
    pub fn new(levels: &Levels, width: u32, height: u32) -> Outcome<Self> {
        let column_delta = spread(&levels.black_delta_h, width, "black_delta_h")?;
        let row_black = spread(&levels.black_delta_v, height, "black_delta_v")?;
        let column_black = [0, 1].map(|y: usize| {
            let site = &levels.black[2 * y..2 * y + 2];
            column_delta.iter().enumerate().map(|(x, delta)| site[x % 2] + delta).collect()
        });
        let mut scale = [0.0; 4];
        for (site, out) in scale.iter_mut().enumerate() {
            let (y, x) = (site / 2, site % 2);
            let black =
                f64::from(levels.black[site]) + largest(&column_delta, x) + largest(&row_black, y);
            let range = f64::from(levels.white[site]) - black;
            *out = (1.0 / range) as f32;
            if !(range > 0.0 && out.is_normal()) {
                return Err(Fault::new(
                    Code::BadRecipe,
                    format!(
                        "white level {} does not lie above black level {black}",
                        levels.white[site]
                    ),
                )
                .at("levels"));
            }
        }
        let linear = levels.linearization.iter().map(|v| f32::from(*v)).collect();
        Ok(Self { linear, column_black, row_black, scale })
    }
}

/// One delta a line, zeros where there are none.
fn spread(deltas: &[f32], lines: u32, name: &str) -> Outcome<Vec<f32>> {
    if deltas.is_empty() {
        return Ok(vec![0.0; lines as usize]);
    }
    if deltas.len() != lines as usize || deltas.iter().any(|d| !d.is_finite()) {
        return Err(Fault::new(
            Code::BadRecipe,
            format!(
                "{} black level deltas for {lines} lines, or one that is not finite",
                deltas.len()
            ),
        )
        .at(name.to_owned()));
    }
    Ok(deltas.to_vec())
}

/// The largest delta of the lines of one parity.
fn largest(deltas: &[f32], parity: usize) -> f64 {
    let max = deltas.iter().skip(parity).step_by(2).copied().fold(f32::MIN, f32::max);
    if max == f32::MIN { 0.0 } else { f64::from(max) }
}

impl Op for LevelsOp {
    fn name(&self) -> &'static str {
        "levels"
    }
    fn doc(&self) -> &'static str {
        "linearises samples, subtracts black and scales so that white is 1, without clamping"
    }
    fn reference(&self) -> &'static str {
        "Adobe DNG 1.7.1, chapter 5, Mapping Raw Values to Linear Reference Values"
    }
    fn tolerance(&self) -> Tolerance {
        Tolerance {
            abs: 0.0,
            rel: 1.2e-7,
            reason: "one subtraction and one product in the same order; an ulp for drivers that flush denormals or round otherwise",
        }
    }
    fn wgsl(&self) -> &'static str {
        include_str!("levels.wgsl")
    }
    #[cfg(test)]
    fn trials(&self) -> Vec<crate::twin::Trial> {
        tests::trials()
    }
    #[cfg(test)]
    fn sabotage(&self) -> (&'static str, &'static str) {
        ("* scale", "* (scale * 1.01)")
    }
}
