//! Colour transforms on pixels.
//!
//! [`Plan`] makes a chain ready: neighbouring matrices become one, what does
//! nothing is dropped, tables are computed, constants go to single precision.
//! It then runs on blocks of pixels that stay in the nearest cache while every
//! step passes over them.

pub mod aces1;
pub mod aces2;
pub mod curve;
pub mod lut;
pub mod math;
mod plan;
pub mod step;

pub use plan::Plan;
