//! Every image operation of the house, and both ways to run it.
//!
//! An operation is a folder under [`ops`]: what it means, its form for the
//! CPU, its form as a compute shader, and the bound within which the two
//! agree. [`exec`] plans a frame once per recipe (which rows and columns are
//! needed, which operations share a pass, how the frame is cut into bands)
//! and plays the plan on either side. Nothing here reads a file or knows the
//! farm; bytes come in, half-float planes go out.

pub mod color;
pub mod debayer;
pub mod exec;
pub mod ops;
#[cfg(test)]
pub mod twin;
pub mod view;

use platefarm_model::Outcome;
use platefarm_model::color::chain::Chain;
use platefarm_model::raw::Layout;
use platefarm_model::recipe::{Backend, Debayer, Framing};
use platefarm_model::repair::Repairs;
use std::sync::Arc;

/// Everything that decides the pixels of a plate: a frame as it was read
/// to framed half RGB, in ACES2065-1 or in what its colour leads to.
#[derive(Clone, Debug, PartialEq)]
pub struct PlateRecipe {
    /// How the frame's bytes lie in memory and what they mean.
    pub layout: Layout,
    /// How the missing colours are reconstructed.
    pub debayer: Debayer,
    /// What is mended about the photosites before it.
    pub repairs: Repairs,
    /// Where the delivered raster lies over the picture.
    pub framing: Framing,
    /// Colour besides that of the layout.
    pub color: PlateColor,
}

/// Colour transforms of a plate on either side of its resample. Empty chains
/// leave ACES2065-1 as the layout says.
///
/// Light is filtered where it is linear, so what bends it stands on the side
/// where the light is linear in between: an input transform [`before`](Self::before),
/// looks and a display [`after`](Self::after). A matrix may be done on either side,
/// and joins the layout's own where nothing but it is asked for.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct PlateColor {
    /// From what the layout leads to, to scene-linear light: an input transform
    /// that is more than the layout's curve and matrix.
    pub before: Chain,
    /// From there to what is delivered, on delivered pixels.
    pub after: Chain,
}

/// A finished picture: three planes of half floats, ACES2065-1 or what the recipe's colour leads to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HalfImage {
    /// Columns.
    pub width: u32,
    /// Rows.
    pub height: u32,
    /// Red, green and blue as bits of IEEE 754 binary16, row-major, `width * height` each.
    pub planes: [Vec<u16>; 3],
    /// Samples that no finite half can hold: NaN, written as 0, and magnitudes
    /// from 65520 up, infinity included, written as 65504 with their sign.
    pub non_finite: u64,
}

/// A place where recipes run: the CPU or one GPU.
pub trait Executor: Send + Sync {
    /// `cpu`, or `gpu: ` and the name of the adapter.
    fn name(&self) -> String;

    /// Does once what all frames of a recipe share: plan, tables, pipelines, buffers.
    ///
    /// # Errors
    /// [`Code::BadRecipe`](platefarm_model::Code::BadRecipe) and the codes of
    /// [`Layout::check`] for a recipe that makes no sense;
    /// [`Code::GpuFailed`](platefarm_model::Code::GpuFailed) or
    /// [`Code::GpuLost`](platefarm_model::Code::GpuLost) from a GPU.
    fn prepare(&self, recipe: &PlateRecipe) -> Outcome<Box<dyn Prepared>>;
}

/// A recipe that is ready to run on frame after frame.
///
/// Frames may overlap: up to [`depth`](Self::depth) of them are submitted
/// before the first is finished, so that a GPU always has its next one. They
/// are finished in the order in which they were submitted. After a fault of
/// the GPU nothing that is under way can be had, and all of it is to be dropped.
pub trait Prepared: Send {
    /// Most frames that may be submitted and not finished; 1 or more. Each
    /// holds memory of about its size, before and after.
    fn depth(&self) -> usize;

    /// Begins a frame, from the bytes of [`Frame`](platefarm_model::raw::Frame),
    /// which are not looked at any more when it returns.
    ///
    /// # Errors
    /// [`Code::TruncatedFile`](platefarm_model::Code::TruncatedFile) when there
    /// are fewer bytes than the layout needs, which leaves the others alone;
    /// the codes of a GPU as in [`Executor::prepare`].
    fn submit(&mut self, bytes: &[u8]) -> Outcome<()>;

    /// Ends the oldest frame that is under way.
    ///
    /// # Errors
    /// The codes of a GPU as in [`Executor::prepare`];
    /// [`Code::Internal`](platefarm_model::Code::Internal) when there is none.
    fn finish(&mut self) -> Outcome<HalfImage>;

    /// Renders one frame, where none is under way.
    ///
    /// # Errors
    /// Those of [`submit`](Self::submit) and [`finish`](Self::finish).
    fn run(&mut self, bytes: &[u8]) -> Outcome<HalfImage> {
        self.submit(bytes)?;
        self.finish()
    }
}

/// The executor for a backend. `Auto` takes a real GPU where there is one (not
/// a software driver) and the CPU otherwise; `Gpu` takes any adapter.
/// `PLATEFARM_GPU_ADAPTER` narrows the choice to adapters whose name contains it.
///
/// # Errors
/// [`Code::NoGpu`](platefarm_model::Code::NoGpu) for `Gpu` when there is none.
pub fn executor(backend: Backend) -> Outcome<Arc<dyn Executor>> {
    Ok(match backend {
        Backend::Cpu => Arc::new(exec::cpu::CpuExecutor::new()),
        Backend::Gpu => Arc::new(exec::gpu::GpuExecutor::open(true)?),
        Backend::Auto => match exec::gpu::GpuExecutor::open(false) {
            Ok(gpu) => Arc::new(gpu),
            Err(_) => Arc::new(exec::cpu::CpuExecutor::new()),
        },
    })
}
