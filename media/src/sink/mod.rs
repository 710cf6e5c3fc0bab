//! Pictures out: OpenEXR for plates, PNG for people.

pub mod exr;
pub mod movie;
pub mod png;
