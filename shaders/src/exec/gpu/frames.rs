//! Frames under way on a device.
//!
//! A frame goes through in bands, and a band is an upload, its passes and a
//! read-back in one submission. Bands queue up in a ring of slots: the device
//! has the next one before it has done with the last, and the host copies one
//! in and one out meanwhile. Order is kept, so the oldest frame ends first.

use super::chain::Chain;
use super::device::Gpu;
use super::passes::Store;
use super::ring::Slot;
use crate::exec::plan::Band;
use crate::exec::store;
use crate::{HalfImage, Prepared};
use platefarm_model::{Code, Fault, Outcome};
use rayon::prelude::*;
use std::collections::VecDeque;
use std::sync::Arc;

/// Slots: one that the device works on, one that waits for it, one that the host has.
const SLOTS: usize = 3;
/// Slots where three would take more than [`SLOT_BYTES`].
const FEW_SLOTS: usize = 2;
/// Most bytes of all slots together before there are fewer of them.
const SLOT_BYTES: u64 = 1 << 30;

/// A recipe on a device.
pub(super) struct GpuPrepared {
    gpu: Arc<Gpu>,
    chain: Chain,
    slots: Vec<Slot>,
    /// The slot that is filled next.
    next: usize,
    /// Bands that the device has, the oldest first.
    bands: VecDeque<UnderWay>,
    /// Frames that have begun and not ended, the oldest first.
    frames: VecDeque<Unfinished>,
}

/// A band that the device has.
struct UnderWay {
    slot: usize,
    band: usize,
    submission: wgpu::SubmissionIndex,
}

struct Unfinished {
    image: HalfImage,
    bands_left: usize,
}

impl GpuPrepared {
    pub(super) fn new(gpu: Arc<Gpu>, chain: Chain) -> Outcome<Self> {
        let (up, down) = (chain.largest(Store::Raw), chain.largest(Store::Halves));
        let count = if SLOTS as u64 * (up + down) > SLOT_BYTES { FEW_SLOTS } else { SLOTS };
        let slots = gpu.watched(|| Ok((0..count).map(|_| Slot::new(&gpu, up, down)).collect()))?;
        let (bands, frames) = (VecDeque::new(), VecDeque::new());
        Ok(Self { gpu, chain, slots, next: 0, bands, frames })
    }

    /// Hands one band over.
    fn begin_band(&mut self, band: usize, bytes: &[u8]) -> Outcome<()> {
        if self.bands.len() == self.slots.len() {
            self.end_band()?;
        }
        let halves = self.chain.bytes(band, Store::Halves);
        let buffers = &self.chain.buffers;
        let slot = &mut self.slots[self.next];
        let size = slot.fill(&self.gpu, self.chain.stored(band, bytes))?;
        let mut encoder = self.gpu.encoder();
        slot.record_up(&mut encoder, buffers.get(Store::Raw), size);
        self.chain.record(&mut encoder, band);
        slot.record_down(&mut encoder, buffers.get(Store::Halves), &buffers.beyond, halves);
        let submission = self.gpu.queue.submit([encoder.finish()]);
        slot.ask(halves);
        self.bands.push_back(UnderWay { slot: self.next, band, submission });
        self.next = (self.next + 1) % self.slots.len();
        Ok(())
    }

    /// Waits for the oldest band and puts its halves in their place.
    fn end_band(&mut self) -> Outcome<()> {
        let Some(UnderWay { slot, band, submission }) = self.bands.pop_front() else {
            return Err(nothing());
        };
        self.gpu.wait(submission)?;
        let Some(frame) = self.frames.iter_mut().find(|frame| frame.bands_left > 0) else {
            return Err(nothing());
        };
        frame.bands_left -= 1;
        let halves = self.chain.bytes(band, Store::Halves);
        let chain = &self.chain;
        let band = &chain.bands[band];
        self.slots[slot].fetch(&self.gpu, halves, |halves, beyond| {
            frame.image.non_finite += u64::from(beyond);
            place(chain, band, halves, &mut frame.image);
        })
    }
}

impl Prepared for GpuPrepared {
    fn depth(&self) -> usize {
        // A frame of several bands fills the slots by itself; a second one keeps them filled.
        if self.chain.bands.len() == 1 { self.slots.len() } else { FEW_SLOTS }
    }

    fn submit(&mut self, bytes: &[u8]) -> Outcome<()> {
        self.chain.plan.check_bytes(bytes.len())?;
        let [width, height] = self.chain.plan.size;
        let planes = [(); 3].map(|()| vec![0; width as usize * height as usize]);
        let image = HalfImage { width, height, planes, non_finite: 0 };
        let bands_left = self.chain.bands.len();
        let gpu = Arc::clone(&self.gpu);
        gpu.watched(|| {
            self.frames.push_back(Unfinished { image, bands_left });
            (0..bands_left).try_for_each(|band| self.begin_band(band, bytes))
        })
    }

    fn finish(&mut self) -> Outcome<HalfImage> {
        let gpu = Arc::clone(&self.gpu);
        gpu.watched(|| {
            while self.frames.front().is_some_and(|frame| frame.bands_left > 0) {
                self.end_band()?;
            }
            self.frames.pop_front().map(|frame| frame.image).ok_or_else(nothing)
        })
    }
}

/// A caller that finishes what it did not submit.
fn nothing() -> Fault {
    Fault::new(Code::Internal, "no frame is under way")
}

/// Puts the halves of a band into the image.
fn place(chain: &Chain, band: &Band, halves: &[u8], image: &mut HalfImage) {
    let plan = &chain.plan;
    let [columns, _] = plan.content_size();
    let width = image.width as usize;
    let row_bytes = columns.div_ceil(2) * 4;
    let placed = plan.placed(0, 0..columns);
    let planes = image.planes.par_iter_mut();
    planes.zip(halves.par_chunks_exact(row_bytes * band.lines.len())).for_each(|(plane, rows)| {
        for (halves, line) in rows.chunks_exact(row_bytes).zip(band.lines.clone()) {
            let row = plan.placed(1, line..line + 1).start;
            let to = &mut plane[row * width..][placed.clone()];
            let halves = halves.as_chunks().0.iter().map(|half| u16::from_le_bytes(*half));
            store(to, halves, plan.flips[0]);
        }
    });
}
