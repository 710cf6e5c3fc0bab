//! Colour.
pub mod aces2;
pub mod math;
