//! The stateless render function: a clip, a frame range and settings go in,
//! files appear. It needs no farm and no network, keeps nothing that matters,
//! and may be killed at any instant; a file has its name only when it is
//! complete. What a frame becomes does not depend on which worker, batch or
//! thread made it, and on the backend by a half's last place at most.
//!
//! [`Session`] is a step made ready: clip open, image operations compiled.
//! [`pipeline`] moves frames through it. [`local`] is `platefarm render`.

mod color;
mod header;
mod local;
mod pipeline;
mod processor;
mod report;
mod reuse;
mod session;
#[cfg(test)]
mod tests;

pub use local::render_local;
pub use pipeline::Show;
pub use report::{FailedFrame, RenderReport, RenderedFrame, StageTotal, stage_totals};
pub use reuse::{Segment, TAKEN_OVER, segments, take_over};
pub use session::{Engines, Session, SessionCache};

use platefarm_model::code::Owner;
use platefarm_model::{Code, Fault};
use std::any::Any;

/// Stages of a frame, in the order of the pipeline.
pub const STAGES: &[&str] = &["read", "process", "encode", "write", "verify"];

/// Where `stage` stands in the pipeline; those that are not known come last.
pub(crate) fn stage_order(stage: &str) -> usize {
    STAGES.iter().position(|s| *s == stage).unwrap_or(STAGES.len())
}

/// How many frames are in the pipeline at a time, and so the bound on its memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Flight {
    /// Threads that read and decode.
    pub readers: usize,
    /// Threads that encode and write.
    pub writers: usize,
    /// Frames between the start of their reading and the end of their writing.
    pub frames: usize,
    /// Bytes that frames under way may take together; at least one frame always may.
    pub budget_bytes: u64,
}

impl Flight {
    /// What keeps `cores` busy. Decoding one frame is serial, so several are
    /// decoded at once; the image operations and the compression use all cores
    /// by themselves, and a second writer fills the time that the first spends
    /// waiting for the disk.
    #[must_use]
    pub fn for_cores(cores: usize) -> Self {
        let readers = cores.div_ceil(2).clamp(1, 4);
        let writers = cores.div_ceil(2).clamp(2, 4);
        Self { readers, writers, frames: readers + writers + 2, budget_bytes: u64::MAX }
    }

    /// With so many bytes for all frames under way.
    #[must_use]
    pub const fn within(mut self, budget_bytes: u64) -> Self {
        self.budget_bytes = budget_bytes;
        self
    }

    /// As many frames under way as the budget has room for, each of `frame_bytes`.
    pub(crate) const fn fitting(mut self, frame_bytes: u64) -> Self {
        let room = self.budget_bytes / if frame_bytes == 0 { 1 } else { frame_bytes };
        if room < self.frames as u64 {
            self.frames = if room == 0 { 1 } else { room as usize };
        }
        self
    }
}

/// Whether `fault` would meet the next frame too: the disk, the GPU. A camera
/// file that cannot be read, or that took its process down, says nothing about the next one.
pub(crate) fn is_the_machines(fault: &Fault) -> bool {
    let the_frames =
        [Code::FileUnreadable, Code::ProcessDied, Code::MemoryExceeded, Code::FrameStuck];
    fault.owner() == Owner::Worker && !the_frames.contains(&fault.code)
}

/// The fault for a stage that stopped on an internal error.
pub(crate) fn panicked(message: &str) -> Fault {
    Fault::new(Code::RenderPanicked, format!("internal error: {message}"))
}

/// The fault for a caught panic.
pub(crate) fn panicked_with(panic: &(dyn Any + Send)) -> Fault {
    let text = panic.downcast_ref::<&str>().copied();
    panicked(
        text.or_else(|| panic.downcast_ref::<String>().map(String::as_str)).unwrap_or("no message"),
    )
}
