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

/// How many values were not what they seemed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Replaced {
    /// Those that came in and that no half can hold.
    pub given: u64,
    /// Those that came of it and were no finite numbers.
    pub made: u64,
}

impl std::iter::Sum for Replaced {
    fn sum<I: Iterator<Item = Self>>(all: I) -> Self {
        all.fold(Self::default(), |a, b| Self { given: a.given + b.given, made: a.made + b.made })
    }
}

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
    /// what no half can hold for 65504; what a chain makes of it may be beyond
    /// any number (a log code of 10), and is held at the largest. Returns how
    /// many values were so. What is left over behind the last whole pixel
    /// stays as it is.
    ///
    /// # Errors
    /// The codes of a GPU.
    pub fn run(&mut self, rgb: &mut [f32]) -> Outcome<Replaced> {
        let whole = rgb.len() / 3 * 3;
        let rgb = &mut rgb[..whole];
        match &mut self.0 {
            Side::Cpu(plan) => {
                Ok(rgb.par_chunks_mut(3 * BATCH).map(|batch| on_one_core(plan, batch)).sum())
            }
            Side::Gpu(gpu) => {
                let given = gpu.run(rgb)?;
                let made = rgb.par_chunks_mut(3 * BATCH).map(hold).sum();
                Ok(Replaced { given, made })
            }
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

/// Holds values within finite numbers; returns how many were beyond.
fn hold(values: &mut [f32]) -> u64 {
    let mut beyond = 0;
    for v in values.iter_mut().filter(|v| !v.is_finite()) {
        *v = if v.is_nan() { 0.0 } else { f32::MAX.copysign(*v) };
        beyond += 1;
    }
    beyond
}

fn on_one_core(plan: &Plan, rgb: &mut [f32]) -> Replaced {
    let (pixels, _) = rgb.as_chunks_mut::<3>();
    let mut runs = [0, 1, 2].map(|c| pixels.iter().map(|pixel| pixel[c]).collect::<Vec<f32>>());
    let [red, green, blue] = &mut runs;
    let given = plan.run([red, green, blue]);
    for (i, pixel) in pixels.iter_mut().enumerate() {
        *pixel = [runs[0][i], runs[1][i], runs[2][i]];
    }
    Replaced { given, made: hold(rgb) }
}
