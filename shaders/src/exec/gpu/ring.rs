//! Transfers under way: what goes up to the device and what comes down from it.
//!
//! A slot is a pair of buffers that both sides can see, one to fill and one to
//! fetch from. While the device works on one slot the host fills the next and
//! empties the one before, so nobody waits for the other; the number of slots
//! bounds the memory. Slots are asked to be mapped as soon as they are handed
//! to the device, so that they are by the time their work is done.

use super::device::Gpu;
use super::pool::Pooled;
use platefarm_model::Outcome;
use std::ops::Range;
use std::sync::mpsc;
use std::time::Duration;
use wgpu::{BufferUsages as Usage, MapMode};

/// Bytes of a counter that comes down behind the halves.
pub(super) const COUNTER: u64 = 4;

/// Longest time from the end of the device's work to its being told.
const MOMENT: Duration = Duration::from_secs(10);

/// A pair of buffers for one band on its way.
pub(super) struct Slot {
    up: Mapped,
    down: Mapped,
}

/// A buffer that the host sees while the device does not use it.
struct Mapped {
    buffer: Pooled,
    mode: MapMode,
    /// Answers when it may be looked at; none before it was asked for.
    answer: Option<mpsc::Receiver<Result<(), wgpu::BufferAsyncError>>>,
}

impl Mapped {
    fn new(gpu: &Gpu, label: &str, size: u64, mode: MapMode) -> Self {
        let usage = match mode {
            MapMode::Read => Usage::MAP_READ | Usage::COPY_DST,
            MapMode::Write => Usage::MAP_WRITE | Usage::COPY_SRC,
        };
        Self { buffer: gpu.pool.take(&gpu.device, label, size, usage), mode, answer: None }
    }

    /// Asks for `..size` of it, once the device has done what it was given so far.
    fn ask(&mut self, size: u64) {
        let (sender, answer) = mpsc::channel();
        self.buffer.map_async(self.mode, ..size, move |result| {
            // The receiver is gone only after a wait that ended in an error.
            let _ = sender.send(result);
        });
        self.answer = Some(answer);
    }

    /// Makes sure of the answer; what was asked for is over, or is waited for.
    fn settle(&mut self, gpu: &Gpu) -> Outcome<()> {
        let failed = |e: &dyn std::fmt::Display| gpu.refused(&format!("mapping a buffer: {e}"));
        let Some(answer) = &self.answer else { return Err(failed(&"it was not asked for")) };
        let mut early = answer.try_recv();
        if early.is_err() {
            gpu.wait_all()?;
            // Another thread that waits for the device may be the one to say it, a moment later.
            early = answer.recv_timeout(MOMENT).map_err(|_| mpsc::TryRecvError::Empty);
        }
        early.map_err(|e| failed(&e))?.map_err(|e| failed(&e))
    }

    /// Gives it back to the device.
    fn release(&mut self) {
        if self.answer.take().is_some() {
            self.buffer.unmap();
        }
    }
}

impl Drop for Mapped {
    fn drop(&mut self) {
        // Back in the pool it must be neither mapped nor about to be.
        self.release();
    }
}

impl Slot {
    /// Room for `up` bytes on the way up and `down` bytes on the way down.
    pub(super) fn new(gpu: &Gpu, up: u64, down: u64) -> Self {
        let mut slot = Self {
            up: Mapped::new(gpu, "up", up, MapMode::Write),
            down: Mapped::new(gpu, "down", down + COUNTER, MapMode::Read),
        };
        slot.up.ask(slot.up.buffer.size);
        slot
    }

    /// Puts `bytes` where the device gets them; returns how many it has to copy.
    pub(super) fn fill(&mut self, gpu: &Gpu, bytes: &[u8]) -> Outcome<u64> {
        self.up.settle(gpu)?;
        let size = (bytes.len() as u64).next_multiple_of(4);
        let mut view = self
            .up
            .buffer
            .get_mapped_range_mut(..size)
            .map_err(|e| gpu.refused(&format!("no memory to upload a frame: {e}")))?;
        view.slice(..bytes.len()).copy_from_slice(bytes);
        drop(view);
        self.up.release();
        Ok(size)
    }

    /// Has the device take what was filled in.
    pub(super) fn record_up(&self, encoder: &mut wgpu::CommandEncoder, to: &Pooled, size: u64) {
        encoder.copy_buffer_to_buffer(&self.up.buffer, 0, to, 0, size);
    }

    /// Has the device leave `size` bytes of halves, and its counter.
    pub(super) fn record_down(
        &self,
        encoder: &mut wgpu::CommandEncoder,
        halves: &Pooled,
        counter: &Pooled,
        size: u64,
    ) {
        encoder.copy_buffer_to_buffer(halves, 0, &self.down.buffer, 0, size);
        encoder.copy_buffer_to_buffer(counter, 0, &self.down.buffer, size, COUNTER);
    }

    /// Asks for both buffers back: the work that uses them has been handed over.
    pub(super) fn ask(&mut self, down: u64) {
        self.down.ask(down + COUNTER);
        self.up.ask(self.up.buffer.size);
    }

    /// Gives `take` the halves and the counter of a band whose work is done.
    pub(super) fn fetch(
        &mut self,
        gpu: &Gpu,
        size: u64,
        take: impl FnOnce(&[u8], u32),
    ) -> Outcome<()> {
        self.down.settle(gpu)?;
        let whole: Range<u64> = 0..size + COUNTER;
        let view = self
            .down
            .buffer
            .get_mapped_range(whole)
            .map_err(|e| gpu.refused(&format!("reading back: {e}")))?;
        let (halves, counter) = view.split_at(size as usize);
        take(halves, bytemuck::pod_read_unaligned(counter));
        drop(view);
        self.down.release();
        Ok(())
    }
}
