//! The curve within which the debayer works.
//!
//! Equal steps of it look about equal, so that an error weighs the same in
//! shadows and lights; measured, demosaicing in linear light costs 2 dB and
//! more. It is a square root with a toe: `y = sqrt(|x| + T^2) - T` with the
//! sign of `x`, and back `x = |y| (|y| + 2 T)`. The toe makes it straight
//! around zero, where noise lies on both sides, and odd, so that negative
//! values come back; above 1 it simply goes on. `T` is a power of two, so that
//! zero stays zero to the bit. `sqrt` is the only function beyond the four
//! operations, exact here and within 3 ulp in shaders.

/// The toe: below about its square the curve is straight.
pub const TOE: f32 = 1.0 / 32.0;

/// From scene-linear to working values; finite up to the largest number there is.
#[inline(always)]
#[must_use]
pub fn encode(x: f32) -> f32 {
    ((x.abs() + TOE * TOE).sqrt() - TOE).copysign(x)
}

/// Back from working values to scene-linear ones.
#[inline(always)]
#[must_use]
pub fn decode(y: f32) -> f32 {
    y * (y.abs() + 2.0 * TOE)
}
