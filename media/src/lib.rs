//! Files: camera originals in, pictures out, and how they are kept whole.
//!
//! Everything that knows a file format of pixels, or that a disk can be full,
//! stands here. A reader turns camera files into a [`platefarm_model::clip::ClipInfo`] and
//! frames of still packed sensor data; what the samples mean as a picture is
//! the business of `shaders`, which this crate does not know. The way out is
//! the same: planes of half bits become an OpenEXR file that appears under its
//! name only when it is complete.

pub mod card;
pub mod delivered;
pub mod draw;
pub mod editlist;
mod exr_block;
pub mod hash;
pub mod mhl;
pub mod publish;
pub mod sidecar;
pub mod sink;
pub mod source;
pub mod storage;
pub mod tools;

pub use source::{Clip, SOURCES, Sequence, Source, open, open_alone, scan};
