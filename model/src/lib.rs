//! The words of the farm as values.
//!
//! Everything that two rooms of the house must agree on stands here: ids,
//! frame ranges, timecode, the description of a clip, what is to be done to
//! its pixels, jobs and their steps, and the stable error codes. Nothing here
//! reads a file, a clock or a socket, and nothing knows how it travels; so
//! every other crate may use it and none can be dragged in through it.

pub mod address;
pub mod camera_name;
pub mod cause;
pub mod clip;
pub mod code;
pub mod color;
pub mod delivery;
pub mod event;
pub mod explain;
pub mod farm;
pub mod fault;
pub mod format;
pub mod frames;
pub mod id;
pub mod job;
pub mod limits;
pub mod making;
pub mod pull;
pub mod query;
pub mod raw;
pub mod recipe;
pub mod repair;
pub mod schema;
pub mod secret;
pub mod status;
pub mod time;
pub mod trust;
pub mod utc;

pub use code::Code;
pub use fault::{Fault, Outcome};
pub use frames::{FrameRange, FrameSet};
pub use id::{JobId, LeaseToken, StepId, WorkerId};
pub use secret::Secret;
pub use time::{FrameRate, Timecode, Timestamp};
