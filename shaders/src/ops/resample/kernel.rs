//! The filters as functions of the distance from the centre, in double precision.

use platefarm_model::recipe::Filter;
use std::f64::consts::PI;

/// Not every filter ends at 0, so noise in a distance must not decide about
/// its end: what lies nearer to it than this is outside.
const NOISE: f64 = 1.0e-9;

/// Distance beyond which a filter is zero, in pixels of the coarser raster.
#[must_use]
pub const fn support(filter: Filter) -> f64 {
    match filter {
        Filter::Lanczos3 => 3.0,
        Filter::Mitchell | Filter::CatmullRom => 2.0,
        Filter::BlackmanHarris => 1.5,
        Filter::Triangle | Filter::Cubic => 1.0,
        Filter::Box => 0.5,
    }
}

/// Value of a filter at distance `x`.
#[must_use]
pub fn weight(filter: Filter, x: f64) -> f64 {
    let x = x.abs();
    if x > support(filter) - NOISE {
        return 0.0;
    }
    match filter {
        Filter::Lanczos3 => sinc(x) * sinc(x / 3.0),
        Filter::Mitchell => cubic(x, 1.0 / 3.0, 1.0 / 3.0),
        Filter::CatmullRom => cubic(x, 0.0, 0.5),
        Filter::BlackmanHarris => blackman_harris(x / 1.5),
        Filter::Triangle => 1.0 - x,
        Filter::Cubic => cubic(x, 0.0, 0.0),
        Filter::Box => 1.0,
    }
}

/// Weight of the source pixel whose centre lies `distance` source pixels from
/// that of a delivered one, and how far it reaches, under `scale`.
#[must_use]
pub fn weight_under(filter: Filter, scale: f64, distance: f64) -> f64 {
    if matches!(filter, Filter::Box) {
        // Both pixels are boxes: their overlap, as part of the delivered one.
        let half = 0.5 / scale;
        return (half + 0.5 - distance.abs()).clamp(0.0, (2.0 * half).min(1.0)) * scale;
    }
    weight(filter, distance * scale.min(1.0))
}

/// Distance in source pixels beyond which [`weight_under`] is zero.
#[must_use]
pub fn reach(filter: Filter, scale: f64) -> f64 {
    match filter {
        Filter::Box => 0.5 / scale + 0.5 - NOISE,
        _ => (support(filter) - NOISE) / scale.min(1.0),
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

/// The minimum 4-term window of Harris, 1978, from its centre to its end at 1.
fn blackman_harris(x: f64) -> f64 {
    let term = |k: f64| (k * PI * x).cos();
    0.35875 + 0.48829 * term(1.0) + 0.14128 * term(2.0) + 0.01168 * term(3.0)
}
