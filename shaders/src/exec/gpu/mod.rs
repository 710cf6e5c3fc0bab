//! The GPU executor: a plan as compute passes, through wgpu on Vulkan.
//!
//! Packed bytes go up, halves come down, everything between stays on the
//! device. Only what every WebGPU device has is used; a frame too large for
//! one binding goes through in bands. Tables, parameters, pipelines and
//! buffers are made once per recipe, so that a frame is an upload, four
//! dispatches and a read.

pub(crate) mod device;
mod params;
pub(crate) mod pipeline;
mod pool;

use super::plan::{Band, BandBytes, Plan, Stage};
use super::store;
use crate::ops::resample::Taps;
use crate::{Executor, HalfImage, PlateRecipe, Prepared};
pub use device::ADAPTER_VARIABLE;
use device::Gpu;
use params::Params;
use platefarm_model::Outcome;
use pool::Pooled;
use std::sync::{Arc, Mutex, PoisonError, mpsc};
use wgpu::BufferUsages as Usage;

/// Distance of one band's parameters from the next; the default of WebGPU.
const PARAMS_STRIDE: u64 = 256;
/// Columns and rows of a workgroup, as in the shaders.
const GROUP: [u32; 2] = [32, 8];

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
        let gpu = {
            let mut gpu = self.gpu.lock().unwrap_or_else(PoisonError::into_inner);
            if gpu.is_lost() {
                *gpu = Arc::new(Gpu::open(self.software)?);
            }
            Arc::clone(&gpu)
        };
        let limit = self.limit.unwrap_or_else(|| gpu.binding_limit());
        let bands = plan.bands_within(limit)?;
        let passes = plan
            .stages()
            .into_iter()
            .map(|stage| Ok((stage, pipeline::pipeline(&gpu, stage)?)))
            .collect::<Outcome<Vec<_>>>()?;
        gpu.watched(|| {
            let buffers = Buffers::new(&gpu, &plan, &bands);
            let passes = passes
                .iter()
                .map(|(stage, pipeline)| Pass {
                    stage: *stage,
                    pipeline: pipeline.pipeline.clone(),
                    bindings: buffers.bind(&gpu.device, *stage, &pipeline.layout),
                })
                .collect();
            Ok(Box::new(GpuPrepared { gpu: Arc::clone(&gpu), plan, bands, buffers, passes })
                as Box<_>)
        })
    }
}

/// Buffers of a recipe, large enough for its largest band.
struct Buffers {
    params: Pooled,
    tables: Pooled,
    taps: [Pooled; 2],
    raw: Pooled,
    mosaic: Pooled,
    color: Pooled,
    down: Option<Pooled>,
    halves: Pooled,
    beyond: Pooled,
    read: Pooled,
}

impl Buffers {
    fn new(gpu: &Gpu, plan: &Plan, bands: &[Band]) -> Self {
        let size = bands.iter().fold(BandBytes::default(), |most, band| most.max(plan.bytes(band)));
        let take = |label, size, usage| gpu.pool.take(&gpu.device, label, size, usage);
        let filled = |label, bytes: &[u8], usage| {
            let buffer = take(label, bytes.len() as u64, usage | Usage::COPY_DST);
            gpu.queue.write_buffer(&buffer, 0, bytes);
            buffer
        };
        let mut params = vec![0; bands.len() * PARAMS_STRIDE as usize];
        for (slot, band) in params.chunks_exact_mut(PARAMS_STRIDE as usize).zip(bands) {
            slot[..size_of::<Params>()]
                .copy_from_slice(bytemuck::bytes_of(&Params::new(plan, band)));
        }
        let [even, odd] = &plan.levels.column_black;
        let tables = [&even[..], odd, &plan.levels.row_black, &plan.levels.linear].concat();
        Self {
            params: filled("parameters", &params, Usage::UNIFORM),
            tables: filled("levels", bytemuck::cast_slice(&tables), Usage::STORAGE),
            taps: plan.taps.each_ref().map(|taps| filled("taps", &table(taps), Usage::STORAGE)),
            raw: take("raw", size.raw, Usage::STORAGE | Usage::COPY_DST),
            mosaic: take("mosaic", size.mosaic, Usage::STORAGE),
            color: take("color", size.color, Usage::STORAGE),
            down: (size.down > 0).then(|| take("down", size.down, Usage::STORAGE)),
            halves: take("halves", size.halves, Usage::STORAGE | Usage::COPY_SRC),
            beyond: take("beyond", 4, Usage::STORAGE | Usage::COPY_SRC | Usage::COPY_DST),
            read: take("read", size.halves + 4, Usage::MAP_READ | Usage::COPY_DST),
        }
    }

    fn bind(
        &self,
        device: &wgpu::Device,
        stage: Stage,
        layout: &wgpu::BindGroupLayout,
    ) -> wgpu::BindGroup {
        let [along, down] = &self.taps;
        let storage: &[&Pooled] = match stage {
            Stage::Mosaic => &[&self.raw, &self.tables, &self.mosaic],
            Stage::Color => &[&self.mosaic, &self.color],
            Stage::Down => &[&self.color, down, self.down.as_ref().unwrap_or(&self.color)],
            Stage::Along => &[
                self.down.as_ref().unwrap_or(&self.color),
                along,
                down,
                &self.halves,
                &self.beyond,
            ],
        };
        let params = wgpu::BindingResource::Buffer(wgpu::BufferBinding {
            buffer: &self.params,
            offset: 0,
            size: wgpu::BufferSize::new(size_of::<Params>() as u64),
        });
        let resources = std::iter::once(params).chain(storage.iter().map(|b| b.binding()));
        let entries: Vec<_> = resources
            .zip(0..)
            .map(|(resource, binding)| wgpu::BindGroupEntry { binding, resource })
            .collect();
        device.create_bind_group(&wgpu::BindGroupDescriptor {
            label: None,
            layout,
            entries: &entries,
        })
    }
}

/// First lines, then weights, as the shaders read them.
fn table(taps: &Taps) -> Vec<u8> {
    let weights = taps.weights.iter().map(|w| w.to_bits());
    taps.start.iter().copied().chain(weights).flat_map(u32::to_le_bytes).collect()
}

struct Pass {
    stage: Stage,
    pipeline: wgpu::ComputePipeline,
    bindings: wgpu::BindGroup,
}

struct GpuPrepared {
    gpu: Arc<Gpu>,
    plan: Plan,
    bands: Vec<Band>,
    buffers: Buffers,
    passes: Vec<Pass>,
}

impl Prepared for GpuPrepared {
    fn run(&mut self, bytes: &[u8]) -> Outcome<HalfImage> {
        self.plan.layout.check(bytes.len())?;
        let [width, height] = self.plan.size;
        let planes = [(); 3].map(|()| vec![0; width as usize * height as usize]);
        let mut image = HalfImage { width, height, planes, non_finite: 0 };
        self.gpu.watched(|| {
            for (band, i) in self.bands.iter().zip(0..) {
                self.upload(band, bytes)?;
                let submission = self.dispatch(band, i);
                self.fetch(band, submission, &mut image)?;
            }
            Ok(image)
        })
    }
}

impl GpuPrepared {
    /// Sends the stored rows of a band up.
    fn upload(&self, band: &Band, bytes: &[u8]) -> Outcome<()> {
        let layout = &self.plan.layout;
        let first = layout.active.y + band.mosaic_rows.start;
        let start = first as usize * layout.row_bytes;
        let end = (start + band.mosaic_rows.len() * layout.row_bytes).min(bytes.len());
        let rows = &bytes[start..end];
        let size = wgpu::BufferSize::new((rows.len() as u64).next_multiple_of(4));
        let refused = || self.gpu.refused("no memory to upload a frame");
        let size = size.ok_or_else(refused)?;
        let view = self.gpu.queue.write_buffer_with(&self.buffers.raw, 0, size);
        let mut view = view.ok_or_else(refused)?;
        view.slice(..rows.len()).copy_from_slice(rows);
        Ok(())
    }

    /// Sets all passes of a band going, and the copy of its results.
    fn dispatch(&self, band: &Band, index: u32) -> wgpu::SubmissionIndex {
        let [content_width, _] = self.plan.content_size();
        let columns = self.plan.columns.len();
        let lines = band.lines.len();
        let mut encoder =
            self.gpu.device.create_command_encoder(&wgpu::CommandEncoderDescriptor::default());
        encoder.clear_buffer(&self.buffers.beyond, 0, Some(4));
        {
            let mut compute = encoder.begin_compute_pass(&wgpu::ComputePassDescriptor::default());
            for pass in &self.passes {
                let [x, y] = match pass.stage {
                    Stage::Mosaic => [self.plan.mosaic_columns().len(), band.mosaic_rows.len()],
                    Stage::Color => [columns, band.rows.len()],
                    Stage::Down => [columns, lines],
                    Stage::Along => [content_width.div_ceil(2), lines],
                };
                compute.set_pipeline(&pass.pipeline);
                compute.set_bind_group(0, &pass.bindings, &[index * PARAMS_STRIDE as u32]);
                compute.dispatch_workgroups(
                    (x as u32).div_ceil(GROUP[0]),
                    (y as u32).div_ceil(GROUP[1]),
                    1,
                );
            }
        }
        let bytes = self.plan.bytes(band).halves;
        encoder.copy_buffer_to_buffer(&self.buffers.halves, 0, &self.buffers.read, 0, bytes);
        encoder.copy_buffer_to_buffer(&self.buffers.beyond, 0, &self.buffers.read, bytes, 4);
        self.gpu.queue.submit([encoder.finish()])
    }

    /// Waits for a band and puts its halves in their place.
    fn fetch(
        &self,
        band: &Band,
        submission: wgpu::SubmissionIndex,
        image: &mut HalfImage,
    ) -> Outcome<()> {
        let size = self.plan.bytes(band).halves;
        let (sender, mapped) = mpsc::channel();
        self.buffers.read.map_async(wgpu::MapMode::Read, ..size + 4, move |result| {
            // The receiver is gone only after a wait that ended in an error.
            let _ = sender.send(result);
        });
        let size = size as usize;
        let result = self.gpu.wait(submission).and_then(|()| {
            let failed =
                |e: &dyn std::fmt::Display| self.gpu.refused(&format!("reading back: {e}"));
            mapped.try_recv().map_err(|e| failed(&e))?.map_err(|e| failed(&e))?;
            let view =
                self.buffers.read.get_mapped_range(..size as u64 + 4).map_err(|e| failed(&e))?;
            let mut beyond = 0_u32;
            bytemuck::bytes_of_mut(&mut beyond).copy_from_slice(&view[size..size + 4]);
            image.non_finite += u64::from(beyond);
            self.place(band, &view[..size], image);
            Ok(())
        });
        // Also after a failure, so that the next frame finds the buffer free.
        self.buffers.read.unmap();
        result
    }

    fn place(&self, band: &Band, halves: &[u8], image: &mut HalfImage) {
        let [columns, _] = self.plan.content_size();
        let width = image.width as usize;
        let row_bytes = columns.div_ceil(2) * 4;
        let placed = self.plan.placed(0, 0..columns);
        for (plane, rows) in
            image.planes.iter_mut().zip(halves.chunks_exact(row_bytes * band.lines.len()))
        {
            for (halves, line) in rows.chunks_exact(row_bytes).zip(band.lines.clone()) {
                let row = self.plan.placed(1, line..line + 1).start;
                let to = &mut plane[row * width..][placed.clone()];
                let halves = halves.as_chunks().0.iter().map(|half| u16::from_le_bytes(*half));
                store(to, halves, self.plan.flips[0]);
            }
        }
    }
}
