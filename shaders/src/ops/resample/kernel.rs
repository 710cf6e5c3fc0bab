//! The filters as functions of the distance from the centre, in double precision.

use platefarm_model::recipe::Filter;
use std::f64::consts::PI;

/// Distance beyond which a filter is zero.
#[must_use]
pub const fn support(filter: Filter) -> f64 {
    match filter {
        Filter::Lanczos3 => 3.0,
        Filter::Mitchell | Filter::CatmullRom => 2.0,
        Filter::Triangle => 1.0,
    }
}

/// Value of a filter at distance `x`.
#[must_use]
pub fn weight(filter: Filter, x: f64) -> f64 {
    let x = x.abs();
    if x >= support(filter) {
        return 0.0;
    }
    match filter {
        Filter::Lanczos3 => sinc(x) * sinc(x / 3.0),
        Filter::Mitchell => cubic(x, 1.0 / 3.0, 1.0 / 3.0),
        Filter::CatmullRom => cubic(x, 0.0, 0.5),
        Filter::Triangle => 1.0 - x,
    }
}

fn sinc(x: f64) -> f64 {
    if x == 0.0 { 1.0 } else { (PI * x).sin() / (PI * x) }
}

/// The family of cubics of Mitchell and Netravali, equation 8.
fn cubic(x: f64, b: f64, c: f64) -> f64 {
    if x < 1.0 {
        ((12.0 - 9.0 * b - 6.0 * c) * x.powi(3)
            + (-18.0 + 12.0 * b + 6.0 * c) * x.powi(2)
            + (6.0 - 2.0 * b))
            / 6.0
    } else {
        ((-b - 6.0 * c) * x.powi(3)
            + (6.0 * b + 30.0 * c) * x.powi(2)
            + (-12.0 * b - 48.0 * c) * x
            + (8.0 * b + 24.0 * c))
            / 6.0
    }
}
