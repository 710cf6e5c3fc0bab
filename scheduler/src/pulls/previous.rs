//! What was delivered before, as far as the next delivery goes on from it:
//! names and versions, and which frames need not be rendered again.

use platefarm_model::FrameRange;
use serde::{Deserialize, Serialize};

/// A plate of an earlier package.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Previous {
    /// Its shot.
    pub shot: String,
    /// Which plate of the shot.
    pub number: u32,
    /// Its version.
    pub version: u32,
    /// Path of its clip.
    pub clip: String,
    /// Name of its clip.
    pub clip_name: String,
    /// Reel of its clip, where the file says one.
    pub reel: Option<String>,
    /// What decided its pixels; empty when that is not known.
    pub recipe: String,
    /// Index within the clip of its first frame.
    pub source_first: i64,
    /// Its frames.
    pub frames: Option<FrameRange>,
    /// Frames that are there and whose media did not change since.
    pub files: Vec<PreviousFile>,
}

/// A frame of an earlier package.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PreviousFile {
    /// Its number.
    pub frame: i64,
    /// The file, absolute.
    pub file: String,
    /// XXH128, 32 hex digits.
    pub xxh128: String,
}
