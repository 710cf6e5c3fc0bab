//! A 3x3 matrix on linear RGB: camera space to ACES2065-1.

pub mod cpu;
#[cfg(test)]
mod tests;

use super::{Op, Tolerance};

/// The operation, for [`OPS`](super::OPS).
#[derive(Debug)]
pub struct Matrix;

/// The matrix in working precision, row-major.
#[must_use]
pub fn working(matrix: [[f64; 3]; 3]) -> [f32; 9] {
    std::array::from_fn(|i| matrix[i / 3][i % 3] as f32)
}

impl Op for Matrix {
    fn name(&self) -> &'static str {
        "matrix"
    }
    fn doc(&self) -> &'static str {
        "multiplies RGB by a 3x3 matrix"
    }
    fn reference(&self) -> &'static str {
        "Adobe DNG 1.7.1, chapter 6, Mapping Camera Color Space to CIE XYZ Space; SMPTE ST 2065-1"
    }
    fn tolerance(&self) -> Tolerance {
        Tolerance {
            abs: 0.0,
            rel: 0.0,
            reason: "sums in one order, and products rounded before they are summed: the same bits",
        }
    }
    fn wgsl(&self) -> &'static str {
        include_str!("matrix.wgsl")
    }
    #[cfg(test)]
    fn trials(&self) -> Vec<crate::twin::Trial> {
        tests::trials()
    }
    #[cfg(test)]
    fn sabotage(&self) -> (&'static str, &'static str) {
        ("row.y * rgb.y", "row.y * rgb.y * 1.01")
    }
}
