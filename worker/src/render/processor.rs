//! The image operations of a step, and what becomes of frames when the GPU goes.
//!
//! Frames are kept until they are rendered. A GPU that is lost takes nothing
//! with it: the device is opened again and has all of them once more; lost a
//! second time before it finished one, it is done with for this step, and the
//! CPU goes on. Both forms make the same picture, so this is reported and no
//! failure; each frame says who made it.

use super::color::Colors;
use super::panicked_with;
use platefarm_model::raw::{Frame, Layout};
use platefarm_model::recipe::{Backend, Debayer, Framing};
use platefarm_model::repair::Repairs;
use platefarm_model::{Code, Fault, Outcome};
use platefarm_shaders::{Executor, HalfImage, PlateRecipe, Prepared};
use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

/// A GPU is lost this often in a row before it is given up.
const CHANCES: u32 = 2;

/// A picture, and who made it.
pub(super) struct Rendered {
    pub(super) image: HalfImage,
    /// `cpu`, or `gpu: <adapter>`.
    pub(super) backend: Arc<str>,
}

/// Renders frames, several at a time where that pays.
pub(super) struct Processor {
    executor: Arc<dyn Executor>,
    framing: Framing,
    debayer: Debayer,
    repairs: Repairs,
    colors: Colors,
    ready: Option<Ready>,
    /// Frames that have begun and not ended, the oldest first.
    under_way: VecDeque<Held>,
    /// What older frames of another layout came to.
    ended: VecDeque<Outcome<Rendered>>,
    /// How often the GPU was lost since it last finished a frame.
    losses: u32,
    /// Buffers of frames that have ended.
    spent: Vec<Vec<u8>>,
}

/// A frame under way, with the fault of its own that it met on the way.
struct Held {
    frame: Frame,
    fault: Option<Fault>,
}

/// Image operations prepared for one layout.
struct Ready {
    layout: Layout,
    prepared: Box<dyn Prepared>,
    backend: Arc<str>,
    /// How many of the frames under way, from the oldest on, were handed to it or have a fault.
    seen: usize,
    /// How many of those it has.
    has: usize,
}

impl Processor {
    /// For frames of `layout`, and of others that may turn up among them.
    ///
    /// # Errors
    /// Those of [`Executor::prepare`], on the CPU where the GPU will not do.
    pub(super) fn new(
        executor: Arc<dyn Executor>,
        (debayer, repairs): (Debayer, Repairs),
        framing: Framing,
        colors: Colors,
        layout: &Layout,
    ) -> Outcome<Self> {
        let (under_way, ended) = (VecDeque::new(), VecDeque::new());
        let (ready, losses, spent) = (None, 0, Vec::new());
        let mut processor = Self {
            executor,
            framing,
            debayer,
            repairs,
            colors,
            ready,
            under_way,
            ended,
            losses,
            spent,
        };
        processor.insist(|this| {
            this.ready = Some(this.prepare(layout)?);
            Ok(())
        })?;
        Ok(processor)
    }

    /// Who renders, as far as it is known beforehand.
    pub(super) fn backend(&self) -> String {
        self.executor.name()
    }

    /// Whether another frame may begin before the oldest has ended.
    pub(super) fn has_room(&self) -> bool {
        let depth = self.ready.as_ref().map_or(1, |ready| ready.prepared.depth());
        self.ended.len() + self.under_way.len() < depth
    }

    /// Begins a frame. A fault is that frame's own: it is not under way then.
    pub(super) fn begin(&mut self, frame: Frame) -> Outcome<()> {
        frame.layout.check(frame.bytes.len())?;
        if self.ready.as_ref().is_none_or(|ready| !ready.layout.same(&frame.layout)) {
            while !self.under_way.is_empty() {
                let outcome = self.end_oldest();
                self.ended.push_back(outcome);
            }
            self.ready = None;
        }
        self.under_way.push_back(Held { frame, fault: None });
        let begun = caught(|| self.insist(Self::catch_up));
        let fault = self.under_way.back_mut().and_then(|held| held.fault.take());
        let outcome = begun.and(fault.map_or(Ok(()), Err));
        if outcome.is_err() {
            self.under_way.pop_back();
            let left = self.under_way.len();
            self.ready.iter_mut().for_each(|ready| ready.seen = ready.seen.min(left));
        }
        outcome
    }

    /// Ends the oldest frame that has begun.
    pub(super) fn end(&mut self) -> Outcome<Rendered> {
        match self.ended.pop_front() {
            Some(outcome) => outcome,
            None => self.end_oldest(),
        }
    }

    fn end_oldest(&mut self) -> Outcome<Rendered> {
        let outcome = caught(|| self.insist(Self::finish));
        self.spent.extend(self.under_way.pop_front().map(|held| held.frame.bytes));
        self.ready.iter_mut().for_each(|ready| ready.seen = ready.seen.saturating_sub(1));
        outcome
    }

    /// The buffer of a frame that has ended, for the next one to be read into.
    pub(super) fn spent(&mut self) -> Option<Vec<u8>> {
        self.spent.pop()
    }

    fn prepare(&self, layout: &Layout) -> Outcome<Ready> {
        let prepared = self.executor.prepare(&PlateRecipe {
            layout: self.colors.layout(layout)?,
            debayer: self.debayer,
            repairs: self.repairs,
            framing: self.framing.clone(),
            color: self.colors.plate.clone(),
        })?;
        // Asked now: a device that was opened again may be another one.
        let backend = self.executor.name().into();
        Ok(Ready { layout: layout.clone(), prepared, backend, seen: 0, has: 0 })
    }

    /// Hands over every frame under way that there is room for. A fault that is not the GPU's
    /// stays with the frame that met it, which need not be the one that just began.
    fn catch_up(&mut self) -> Outcome<()> {
        let Some(oldest) = self.under_way.front() else { return Ok(()) };
        // Taken out while it works: what a panic or a fault leaves behind is not used again.
        let mut ready = match self.ready.take() {
            Some(ready) => ready,
            None => self.prepare(&oldest.frame.layout)?,
        };
        while ready.seen < self.under_way.len() && ready.has < ready.prepared.depth() {
            let held = &mut self.under_way[ready.seen];
            if held.fault.is_none() {
                match caught(|| ready.prepared.submit(&held.frame.bytes)) {
                    Ok(()) => ready.has += 1,
                    Err(fault) if is_the_gpus(&fault) => return Err(fault),
                    Err(fault) => {
                        held.fault = Some(fault);
                        // The others begin anew, without it.
                        ready = self.prepare(&self.under_way[0].frame.layout)?;
                        continue;
                    }
                }
            }
            ready.seen += 1;
        }
        self.ready = Some(ready);
        Ok(())
    }

    fn finish(&mut self) -> Outcome<Rendered> {
        self.catch_up()?;
        if let Some(fault) = self.under_way.front_mut().and_then(|held| held.fault.take()) {
            return Err(fault);
        }
        let idle = || Fault::new(Code::Internal, "no frame is under way");
        let mut ready = self.ready.take().ok_or_else(idle)?;
        let image = ready.prepared.finish()?;
        ready.has -= 1;
        let backend = Arc::clone(&ready.backend);
        self.ready = Some(ready);
        self.losses = 0;
        Ok(Rendered { image, backend })
    }

    /// Does `work` again, and in the end on the CPU, while the GPU is what fails.
    fn insist<T>(&mut self, mut work: impl FnMut(&mut Self) -> Outcome<T>) -> Outcome<T> {
        loop {
            match work(self) {
                Err(fault) if is_the_gpus(&fault) && self.losses < CHANCES => {
                    self.losses += 1;
                    let gives_up = self.losses == CHANCES || fault.code == Code::NoGpu;
                    tracing::warn!(%fault, on_the_cpu = gives_up, "frames are rendered again");
                    if gives_up {
                        self.losses = CHANCES;
                        self.executor = platefarm_shaders::executor(Backend::Cpu)?;
                    }
                }
                outcome => return outcome,
            }
        }
    }
}

/// Whether `fault` says something about the GPU and nothing about the frame.
fn is_the_gpus(fault: &Fault) -> bool {
    matches!(fault.code, Code::GpuLost | Code::GpuFailed | Code::NoGpu)
}

fn caught<T>(work: impl FnOnce() -> Outcome<T>) -> Outcome<T> {
    catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|panic| Err(panicked_with(panic.as_ref())))
}

#[cfg(test)]
#[path = "processor_tests.rs"]
mod tests;
