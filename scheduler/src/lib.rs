//! Who does what next.
//!
//! The core decides and is pure; the store makes decisions last; the service
//! carries them over the wire; pulls turn an edit list into a job.

pub mod pulls;
