//! Running recipes: one plan, two executors.
//!
//! [`plan`] decides everything that does not depend on where it runs; [`cpu`]
//! and [`gpu`] only carry it out, so that a frame is the same picture whoever
//! rendered it.

pub mod cpu;
pub mod gpu;
pub mod plan;
