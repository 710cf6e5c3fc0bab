//! Pixels of any origin through a chain of colour on a GPU: what
//! `platefarm color convert` does, and how the colours' two forms are compared.

use super::device::Gpu;
use super::measure;
use super::passes::{Bind, Side, Store};
use super::pipeline::{self, Pipeline, Shaded};
use super::pool::Pooled;
use super::ring::Slot;
use crate::color::Plan;
use crate::color::shader::Shader;
use crate::ops::{EXACT, OPS};
use platefarm_model::Outcome;
use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;
use wgpu::BufferUsages as Usage;
use wgpu::naga::{self, front::wgsl};

/// Most pixels that go up at a time.
const BATCH: usize = 1 << 20;
/// Pixels of a workgroup, as in the shader.
const GROUP: u32 = 256;

/// A chain on a device.
pub(crate) struct GpuColors {
    gpu: Arc<Gpu>,
    pipeline: wgpu::ComputePipeline,
    bindings: wgpu::BindGroup,
    params: Pooled,
    pixels: Pooled,
    beyond: Pooled,
    slot: Slot,
    operations: u64,
    /// Kept for as long as the bindings are.
    _numbers: Pooled,
}

/// The whole text of a plan.
pub(crate) fn source(shader: &Shader) -> String {
    let ops = OPS.iter().filter(|op| Shader::OPS.contains(&op.name())).map(|op| op.wgsl());
    let numbers = pipeline::numbers_at(3);
    [EXACT].into_iter().chain(ops).chain([&numbers, &shader.text, FRAME]).collect()
}

const FRAME: &str = include_str!("convert.wgsl");
const BINDS: &[Bind] = &[
    Bind::Write(Store::Color),
    Bind::Write(Store::Beyond),
    Bind::Read(Store::Colors(Side::After)),
];

impl GpuColors {
    /// Makes a plan ready.
    ///
    /// # Errors
    /// [`Code::GpuFailed`](platefarm_model::Code::GpuFailed) or
    /// [`Code::GpuLost`](platefarm_model::Code::GpuLost).
    pub(crate) fn new(gpu: &Arc<Gpu>, plan: &Plan) -> Outcome<Self> {
        let shader = plan.shader();
        let shaded =
            Shaded { name: "color", entry: "main", binds: BINDS.into(), source: source(&shader) };
        let Pipeline { pipeline, layout } = pipeline::pipeline(gpu, &shaded)?;
        let numbers = shader.numbers;
        gpu.watched(|| {
            let take = |label, size, usage| gpu.pool.take(&gpu.device, label, size, usage);
            let bytes: &[u8] = bytemuck::cast_slice(&numbers);
            let numbers = take("colour", bytes.len() as u64, Usage::STORAGE | Usage::COPY_DST);
            gpu.queue.write_buffer(&numbers, 0, bytes);
            let size = 12 * BATCH as u64;
            let moved = Usage::STORAGE | Usage::COPY_SRC | Usage::COPY_DST;
            let params = take("parameters", 8, Usage::UNIFORM | Usage::COPY_DST);
            let (pixels, beyond) = (take("pixels", size, moved), take("beyond", 4, moved));
            let entries: Vec<_> = [&params, &pixels, &beyond, &numbers]
                .into_iter()
                .zip(0..)
                .map(|(buffer, binding)| wgpu::BindGroupEntry {
                    binding,
                    resource: buffer.binding(),
                })
                .collect();
            let bindings = gpu.device.create_bind_group(&wgpu::BindGroupDescriptor {
                label: Some("color"),
                layout: &layout,
                entries: &entries,
            });
            Ok(Self {
                pipeline,
                bindings,
                params,
                pixels,
                beyond,
                slot: Slot::new(gpu, size, size),
                operations: operations(&shaded.source),
                _numbers: numbers,
                gpu: Arc::clone(gpu),
            })
        })
    }

    /// Another chain on the same device.
    ///
    /// # Errors
    /// As [`new`](Self::new).
    pub(crate) fn again(&self, plan: &Plan) -> Outcome<Self> {
        Self::new(&self.gpu, plan)
    }

    /// Adapter's name.
    pub(crate) fn name(&self) -> &str {
        &self.gpu.name
    }

    /// Runs it on pixels, red, green and blue together, in place; returns how
    /// many values no half can hold.
    ///
    /// # Errors
    /// As [`new`](Self::new).
    pub(crate) fn run(&mut self, rgb: &mut [f32]) -> Outcome<u64> {
        let gpu = Arc::clone(&self.gpu);
        gpu.watched(|| rgb.chunks_mut(3 * BATCH).map(|batch| self.batch(batch)).sum())
    }

    fn batch(&mut self, rgb: &mut [f32]) -> Outcome<u64> {
        let size = size_of_val(rgb) as u64;
        self.slot.fill(&self.gpu, bytemuck::cast_slice(rgb))?;
        let pixels = (rgb.len() / 3) as u32;
        self.gpu.queue.write_buffer(&self.params, 0, bytemuck::cast_slice(&[pixels, 0]));
        let mut encoder = self.gpu.encoder();
        self.slot.record_up(&mut encoder, &self.pixels, size);
        encoder.clear_buffer(&self.beyond, 0, Some(4));
        self.record(
            &mut encoder.begin_compute_pass(&wgpu::ComputePassDescriptor::default()),
            pixels,
        );
        self.slot.record_down(&mut encoder, &self.pixels, &self.beyond, size);
        let submission = self.gpu.queue.submit([encoder.finish()]);
        self.slot.ask(size);
        self.gpu.wait(submission)?;
        let mut wild = 0;
        self.slot.fetch(&self.gpu, size, |bytes, beyond| {
            bytemuck::cast_slice_mut(rgb).copy_from_slice(bytes);
            wild = u64::from(beyond);
        })?;
        Ok(wild)
    }

    fn record(&self, compute: &mut wgpu::ComputePass<'_>, pixels: u32) {
        compute.set_pipeline(&self.pipeline);
        compute.set_bind_group(0, &self.bindings, &[0]);
        compute.dispatch_workgroups(pixels.div_ceil(GROUP), 1, 1);
    }

    /// What the device takes for the pixels of the last batch, on `pixels` of
    /// them (at most 2^20), from `runs` runs in one submission.
    ///
    /// # Errors
    /// As [`new`](Self::new).
    pub(crate) fn measure(&self, pixels: usize, runs: u32) -> Outcome<OnDevice> {
        let pixels = pixels.min(BATCH) as u32;
        self.gpu.queue.write_buffer(&self.params, 0, bytemuck::cast_slice(&[pixels, 0]));
        let (wall, card) = measure::timed(&self.gpu, runs, |compute| self.record(compute, pixels))?;
        Ok(OnDevice {
            pixels,
            wall,
            card,
            copy: measure::copy(&self.gpu, runs)?,
            operations: self.operations,
            software: self.gpu.software,
        })
    }
}

/// What a device takes for a chain.
#[derive(Clone, Copy, Debug)]
pub struct OnDevice {
    /// Pixels of a run; each moves 24 bytes.
    pub pixels: u32,
    /// Time of a run by the clock on the wall.
    pub wall: Duration,
    /// The same by the card's own clock, where that is true.
    pub card: Option<Duration>,
    /// Bytes a second that a copy moves, in and out together.
    pub copy: f64,
    /// 32-bit operations of a pixel, counted in the shader's text; loops count once.
    pub operations: u64,
    /// Whether it is a driver on the CPU: its figures say nothing about any GPU.
    pub software: bool,
}

/// Arithmetic expressions of a shader's entry point and all that it calls.
fn operations(source: &str) -> u64 {
    let Ok(module) = wgsl::parse_str(source) else { return 0 };
    let mut known = HashMap::new();
    module.entry_points.first().map_or(0, |entry| of_function(&module, &entry.function, &mut known))
}

type Known = HashMap<naga::Handle<naga::Function>, u64>;

fn of_function(module: &naga::Module, function: &naga::Function, known: &mut Known) -> u64 {
    use naga::Expression::{Binary, Math, Select, Unary};
    let own = function.expressions.iter();
    let own = own
        .filter(|(_, e)| matches!(e, Binary { .. } | Math { .. } | Select { .. } | Unary { .. }));
    own.count() as u64 + of_block(module, &function.body, known)
}

fn of_block(module: &naga::Module, block: &naga::Block, known: &mut Known) -> u64 {
    let mut sum = 0;
    for statement in block.iter() {
        sum += match statement {
            naga::Statement::Block(block) => of_block(module, block, known),
            naga::Statement::If { accept: a, reject: b, .. }
            | naga::Statement::Loop { body: a, continuing: b, .. } => {
                of_block(module, a, known) + of_block(module, b, known)
            }
            naga::Statement::Call { function, .. } => {
                if let Some(count) = known.get(function) {
                    *count
                } else {
                    let count = of_function(module, &module.functions[*function], known);
                    known.insert(*function, count);
                    count
                }
            }
            _ => 0,
        };
    }
    sum
}
