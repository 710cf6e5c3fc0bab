//! The limiting gamut at one hue: lines of compression, and where they leave
//! an approximation of its hull that has two exponents and a rounded edge.

use super::{CUSP_TO_MIDDLE, Compression, FOCUS_GAIN_BLEND, SMOOTH_CUSPS};

/// Where the lines of a hue meet, on the axis of lightness.
pub(super) fn focus_j(cusp_j: f64, c: &Compression) -> f64 {
    let weight = (CUSP_TO_MIDDLE - cusp_j / c.limit_j).min(1.0);
    cusp_j + (c.mid_j - cusp_j) * weight
}

/// Lightness from which the focus recedes.
pub(super) fn threshold_j(cusp_j: f64, c: &Compression) -> f64 {
    cusp_j + (c.limit_j - cusp_j) * FOCUS_GAIN_BLEND
}

/// Slope of the lines, as a length.
pub(super) fn focus_gain(j: f64, threshold: f64, c: &Compression) -> f64 {
    let gain = c.limit_j * c.focus_distance;
    if j <= threshold {
        return gain;
    }
    let above = ((c.limit_j - threshold) / (c.limit_j - j).max(1e-4)).log10();
    gain * (1.0 + above * above)
}

/// Lightness at which the line through a colour meets the axis.
pub(super) fn intersect_j(j: f64, m: f64, focus: f64, limit_j: f64, gain: f64) -> f64 {
    let scaled = m / gain;
    let a = scaled / focus;
    if j < focus {
        let b = 1.0 - scaled;
        let c = -j;
        -2.0 * c / (b + (b * b - 4.0 * a * c).sqrt())
    } else {
        let b = -(1.0 + scaled + limit_j * a);
        let c = limit_j * scaled + j;
        -2.0 * c / (b - (b * b - 4.0 * a * c).sqrt())
    }
}

/// Change of lightness with colourfulness along the line through the axis at `at`.
pub(super) fn slope(at: f64, focus: f64, limit_j: f64, gain: f64) -> f64 {
    let room = if at < focus { at } else { limit_j - at };
    room * (at - focus) / (focus * gain)
}

/// Colourfulness at which a line leaves a hull of one exponent.
fn leaves(at: f64, slope: f64, inverse: f64, max_j: f64, max_m: f64, reference: f64) -> f64 {
    reference * (at / reference).powf(inverse) * max_m / (max_j - slope * max_m)
}

/// The smaller of two, rounded where they meet.
fn rounded_least(a: f64, b: f64, scale: f64) -> f64 {
    let k = scale * SMOOTH_CUSPS;
    let h = (k - (a - b).abs()).max(0.0) / k;
    a.min(b) - h * h * h * k / 6.0
}

/// Colourfulness at which the line through the axis at `at` leaves the gamut;
/// `cusp` is its J and M, `cusp_at` where the cusp's own line meets the axis.
pub(super) fn boundary(
    cusp: [f64; 2],
    gammas: [f64; 2],
    at: f64,
    line: f64,
    cusp_at: f64,
    limit_j: f64,
) -> f64 {
    let [upper, lower] = gammas;
    let low = leaves(at, line, lower, cusp[0], cusp[1], cusp_at);
    let high = leaves(limit_j - at, -line, upper, limit_j - cusp[0], cusp[1], limit_j - cusp_at);
    rounded_least(low, high, cusp[1])
}
