//! The open standards of the field as values: bytes in, values out, and back.
//!
//! Each standard has a folder. Nothing here opens a file, so that the scheduler
//! may read an edit list or a framing without being able to touch media.

pub mod ale;
pub mod amf;
pub mod clf;
pub mod editlist;
pub mod edl;
pub mod fcpxml;
pub mod fdl;
pub mod look;
pub mod mhl;
pub mod otio;
pub mod xmeml;
pub mod xml;
