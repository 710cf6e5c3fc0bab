//! Pixels through a chain on either side: on all cores, or on a GPU.

use super::Plan;
use crate::exec::gpu::GpuExecutor;
use crate::exec::gpu::convert::{GpuColors, OnDevice};
use platefarm_model::Outcome;
use platefarm_model::color::chain::Chain;
use platefarm_model::recipe::Backend;
use rayon::prelude::*;

/// Pixels that a core takes together.
const BATCH: usize = 1 << 14;

/// A chain that is ready for pixels.
pub struct Converter(Side);

enum Side {
    Cpu(Plan),
    Gpu(Box<GpuColors>),
}

impl Converter {
    /// Makes a chain ready. `Auto` takes a real GPU where there is one, `Gpu`
    /// any adapter, as [`executor`](crate::executor) does.
    ///
    /// # Errors
    /// [`Code::NoGpu`](platefarm_model::Code::NoGpu) for `Gpu` when there is none;
    /// [`Code::GpuFailed`](platefarm_model::Code::GpuFailed) or
    /// [`Code::GpuLost`](platefarm_model::Code::GpuLost) from a GPU.
    pub fn new(chain: &Chain, backend: Backend) -> Outcome<Self> {
        let plan = Plan::new(chain);
        let gpu = match backend {
            Backend::Cpu => None,
            Backend::Gpu => Some(GpuExecutor::open(true)?),
            Backend::Auto => GpuExecutor::open(false).ok(),
        };
        Ok(Self(match gpu {
            Some(gpu) => Side::Gpu(Box::new(gpu.colors(&plan)?)),
            None => Side::Cpu(plan),
        }))
    }

    /// Makes another chain ready at the same place.
    ///
    /// # Errors
    /// The codes of a GPU.
    pub fn again(&self, chain: &Chain) -> Outcome<Self> {
        let plan = Plan::new(chain);
        Ok(Self(match &self.0 {
            Side::Cpu(_) => Side::Cpu(plan),
            Side::Gpu(gpu) => Side::Gpu(Box::new(gpu.again(&plan)?)),
        }))
    }

    /// Where it runs: `cpu`, or `gpu: ` and the name of the adapter.
    #[must_use]
    pub fn name(&self) -> String {
        match &self.0 {
            Side::Cpu(_) => "cpu".into(),
            Side::Gpu(gpu) => format!("gpu: {}", gpu.name()),
        }
    }

    /// Replaces pixels, red, green and blue together. NaN is taken for 0 and
    /// what no half can hold for 65504; returns how many values were so. What
    /// is left over behind the last whole pixel stays as it is.
    ///
    /// # Errors
    /// The codes of a GPU.
    pub fn run(&mut self, rgb: &mut [f32]) -> Outcome<u64> {
        let whole = rgb.len() / 3 * 3;
        let rgb = &mut rgb[..whole];
        match &mut self.0 {
            Side::Cpu(plan) => {
                Ok(rgb.par_chunks_mut(3 * BATCH).map(|batch| on_one_core(plan, batch)).sum())
            }
            Side::Gpu(gpu) => gpu.run(rgb),
        }
    }

    /// What a GPU takes for pixels of the last [`run`](Self::run), without their
    /// way there and back; none on the CPU. For benches.
    ///
    /// # Errors
    /// The codes of a GPU.
    pub fn measure(&self, pixels: usize, runs: u32) -> Outcome<Option<OnDevice>> {
        match &self.0 {
            Side::Cpu(_) => Ok(None),
            Side::Gpu(gpu) => gpu.measure(pixels, runs).map(Some),
        }
    }
}

fn on_one_core(plan: &Plan, rgb: &mut [f32]) -> u64 {
    let (pixels, _) = rgb.as_chunks_mut::<3>();
    let mut runs = [0, 1, 2].map(|c| pixels.iter().map(|pixel| pixel[c]).collect::<Vec<f32>>());
    let [red, green, blue] = &mut runs;
    let wild = plan.run([red, green, blue]);
    for (i, pixel) in pixels.iter_mut().enumerate() {
        *pixel = [runs[0][i], runs[1][i], runs[2][i]];
    }
    wild
}
