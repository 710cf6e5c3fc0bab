//! Who does what next.
//!
//! The core decides and is pure; the store makes decisions last; the service
//! carries them over the wire; trust stands at
//! its door; web shows it; pulls turn an edit list into a job.

mod aside;
pub mod core;
pub mod pulls;
pub mod service;
pub mod store;
pub mod trust;

pub use store::library;
pub use web::{Offered, offered};
mod web;

#[cfg(test)]
mod sim;
