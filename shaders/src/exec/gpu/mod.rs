//! The GPU executor: a plan as compute passes, through wgpu on Vulkan.
//!
//! Packed bytes go up, halves come down, everything between stays on the
//! device. Only what every WebGPU device has is used; a frame too large for
//! one binding goes through in bands. Tables, parameters, pipelines and
//! buffers are made once per recipe ([`chain`]), so that a frame is an upload,
//! a handful of dispatches ([`passes`]) and a read, and several frames are under
//! way at a time ([`frames`]).

mod buffers;
mod chain;
pub(crate) mod convert;
#[cfg(test)]
mod debayer_tests;
mod debayers;
pub(crate) mod device;
mod frames;
pub mod measure;
mod params;
pub(crate) mod passes;
pub(crate) mod pipeline;
mod pool;
mod ring;

use super::plan::Plan;
use crate::{Executor, PlateRecipe, Prepared};
use chain::Chain;
use convert::GpuColors;
pub use device::ADAPTER_VARIABLE;
use device::Gpu;
use frames::GpuPrepared;
use platefarm_model::{Code, Outcome};
use std::sync::{Arc, Mutex, PoisonError};

/// Buffers are not made smaller than a quarter of this for want of memory, in bytes.
const LEAST_LIMIT: u64 = 64 << 20;

/// Renders on one GPU.
#[derive(Debug)]
pub struct GpuExecutor {
    software: bool,
    limit: Option<u64>,
    gpu: Mutex<Arc<Gpu>>,
}

impl GpuExecutor {
    /// Opens the best GPU; a software driver counts only when `software` says so.
    ///
    /// # Errors
    /// [`Code::NoGpu`](platefarm_model::Code::NoGpu).
    pub fn open(software: bool) -> Outcome<Self> {
        Ok(Self { software, limit: None, gpu: Mutex::new(Arc::new(Gpu::open(software)?)) })
    }

    /// The device, opened again if it was lost.
    fn gpu(&self) -> Outcome<Arc<Gpu>> {
        let mut gpu = self.gpu.lock().unwrap_or_else(PoisonError::into_inner);
        if gpu.is_lost() {
            *gpu = Arc::new(Gpu::open(self.software)?);
        }
        Ok(Arc::clone(&gpu))
    }

    /// A chain of colour, ready on it.
    ///
    /// # Errors
    /// The codes of a GPU as in [`Executor::prepare`].
    pub(crate) fn colors(&self, plan: &crate::color::Plan) -> Outcome<GpuColors> {
        GpuColors::new(&self.gpu()?, plan)
    }

    /// On an open GPU, as though it could bind `limit` bytes only.
    #[cfg(test)]
    pub(crate) fn with(gpu: Arc<Gpu>, limit: Option<u64>) -> Self {
        Self { software: true, limit, gpu: Mutex::new(gpu) }
    }
}

impl Executor for GpuExecutor {
    fn name(&self) -> String {
        format!("gpu: {}", self.gpu.lock().unwrap_or_else(PoisonError::into_inner).name)
    }

    fn prepare(&self, recipe: &PlateRecipe) -> Outcome<Box<dyn Prepared>> {
        let plan = Plan::new(recipe)?;
        let gpu = self.gpu()?;
        let limit = self.limit.unwrap_or_else(|| gpu.binding_limit());
        let ready = |limit| -> Outcome<Box<dyn Prepared>> {
            let chain = Chain::new(&gpu, plan.clone(), limit)?;
            Ok(Box::new(GpuPrepared::new(Arc::clone(&gpu), chain)?))
        };
        match ready(limit) {
            // A card may have less memory than its buffers could be large: bands of a quarter.
            Err(fault) if fault.code == Code::GpuFailed && limit > LEAST_LIMIT => ready(limit / 4),
            ready => ready,
        }
    }
}
