//! Who does what next.
//!
//! The core decides and is pure; the store makes decisions last; the service
//! carries them over the wire; pulls turn an edit list into a job.

pub mod core;
pub mod pulls;
pub mod service;
pub mod store;

#[cfg(test)]
mod sim;
