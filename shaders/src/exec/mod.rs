//! Running recipes: one plan, two executors.
//!
//! [`plan`] decides everything that does not depend on where it runs; [`cpu`]
//! and [`gpu`] only carry it out, so that a frame is the same picture whoever
//! rendered it.

pub mod cpu;
mod debayering;
pub mod gpu;
pub mod plan;
mod repairing;
mod windows;

/// Stores a run of finished samples, from its far end where the picture is mirrored.
fn store(to: &mut [u16], halves: impl Iterator<Item = u16>, mirrored: bool) {
    if mirrored {
        to.iter_mut().rev().zip(halves).for_each(|(to, half)| *to = half);
    } else {
        to.iter_mut().zip(halves).for_each(|(to, half)| *to = half);
    }
}
