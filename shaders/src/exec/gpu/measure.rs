//! What a card takes for each pass of a recipe, and what it could do: for benches.
//!
//! A pass runs many times in a row in one submission, and the whole of it is
//! timed on the wall, so that handing it over counts for nothing. Where the
//! device has a clock that is true (a real GPU with timestamp queries), its
//! word stands beside. A pass is as good as the share of the card's bandwidth
//! that it reaches; the card's own is that of a kernel that only copies.

use super::GpuExecutor;
use super::chain::Chain;
use super::device::Gpu;
use super::passes::{self, Store};
use super::ring::Slot;
use crate::PlateRecipe;
use crate::exec::plan::Plan;
use platefarm_model::Outcome;
use std::time::{Duration, Instant};
use wgpu::BufferUsages as Usage;

/// Most bytes that the copy kernel moves in one direction.
const COPY_BYTES: u64 = 256 << 20;
/// Columns of workgroups of the copy kernel; the rest are rows of them.
const COPY_GROUPS: u32 = 4096;

/// One card on one recipe.
#[derive(Clone, Debug)]
pub struct Measured {
    /// Bytes a second that a copy moves, in and out together.
    pub copy: f64,
    /// Bytes a second that go up to the card, and that come down from it, one after the other.
    pub bus: [f64; 2],
    /// Bytes of a frame that go up to the card.
    pub up: u64,
    /// Bytes of a frame that come down.
    pub down: u64,
    /// Bands of a frame.
    pub bands: usize,
    /// Bytes on the card: buffers of the largest band.
    pub resident: u64,
    /// Every pass of the first band.
    pub passes: Vec<PassTime>,
}

/// One pass.
#[derive(Clone, Debug)]
pub struct PassTime {
    /// Its name.
    pub name: String,
    /// Bytes that it must read and write at least: everything that it looks at once.
    pub bytes: u64,
    /// Time of one run, by the clock on the wall.
    pub wall: Duration,
    /// The same by the card's own clock, where that is true.
    pub card: Option<Duration>,
}

/// The card itself.
#[derive(Clone, Debug)]
pub struct Card {
    /// Name of the adapter.
    pub name: String,
    /// Driver and its version.
    pub driver: String,
    /// Whether it is a driver on the CPU: its figures say nothing about any GPU.
    pub software: bool,
    /// The largest buffer that a shader may see, in bytes.
    pub binding: u64,
}

impl GpuExecutor {
    /// What it runs on.
    ///
    /// # Errors
    /// [`Code::NoGpu`](platefarm_model::Code::NoGpu) when a lost device cannot be opened again.
    pub fn card(&self) -> Outcome<Card> {
        let gpu = self.gpu()?;
        Ok(Card {
            name: gpu.name.clone(),
            driver: gpu.driver.clone(),
            software: gpu.software,
            binding: self.limit.unwrap_or_else(|| gpu.binding_limit()),
        })
    }

    /// Measures the passes of a recipe on a frame, each in `runs` runs.
    ///
    /// # Errors
    /// As [`Executor::prepare`](crate::Executor::prepare) and [`Prepared::run`](crate::Prepared::run).
    pub fn measure(&self, recipe: &PlateRecipe, bytes: &[u8], runs: u32) -> Outcome<Measured> {
        let plan = Plan::new(recipe)?;
        plan.check_bytes(bytes.len())?;
        let gpu = self.gpu()?;
        let chain = Chain::new(&gpu, plan, self.limit.unwrap_or_else(|| gpu.binding_limit()))?;
        let copy = copy(&gpu, runs)?;
        let bus = first_band(&gpu, &chain, bytes, runs)?;
        let times = chain.passes().enumerate().map(|(i, pass)| {
            let (wall, card) = timed(&gpu, runs, |compute| chain.record_pass(compute, 0, i))?;
            let bytes = passes::moved(&chain.plan, &chain.bands[0], pass);
            Ok(PassTime { name: pass.name.into(), bytes, wall, card })
        });
        let passes = times.collect::<Outcome<_>>()?;
        let sum = |store| (0..chain.bands.len()).map(|band| chain.bytes(band, store)).sum();
        let resident = passes::stores(&chain.plan).into_iter().map(|store| chain.largest(store));
        Ok(Measured {
            copy,
            bus,
            up: sum(Store::Raw),
            down: sum(Store::Halves),
            bands: chain.bands.len(),
            resident: resident.sum(),
            passes,
        })
    }
}

/// Puts a frame's first band through once, so that every buffer holds what it
/// does at work, and times the ways up and down on it.
fn first_band(gpu: &Gpu, chain: &Chain, bytes: &[u8], runs: u32) -> Outcome<[f64; 2]> {
    let size = chain.bytes(0, Store::Halves);
    let (raw, halves) = (chain.buffers.get(Store::Raw), chain.buffers.get(Store::Halves));
    let beyond = &chain.buffers.beyond;
    gpu.watched(|| {
        let mut slot = Slot::new(gpu, chain.bytes(0, Store::Raw), size);
        let filled = slot.fill(gpu, chain.stored(0, bytes))?;
        let mut encoder = gpu.encoder();
        slot.record_up(&mut encoder, raw, filled);
        chain.record(&mut encoder, 0);
        slot.record_down(&mut encoder, halves, beyond, size);
        gpu.wait(gpu.queue.submit([encoder.finish()]))?;
        let rate = |bytes: u64, record: &dyn Fn(&mut wgpu::CommandEncoder)| {
            let mut encoder = gpu.encoder();
            (0..runs.max(1)).for_each(|_| record(&mut encoder));
            let commands = encoder.finish();
            let begun = Instant::now();
            gpu.wait(gpu.queue.submit([commands]))?;
            Ok((bytes * u64::from(runs.max(1))) as f64 / begun.elapsed().as_secs_f64())
        };
        let up = rate(filled, &|encoder| slot.record_up(encoder, raw, filled))?;
        let down = rate(size, &|encoder| {
            slot.record_down(encoder, halves, beyond, size);
        })?;
        Ok([up, down])
    })
}

/// Time of one of `runs` runs, on the wall and by the card.
pub(super) fn timed(
    gpu: &Gpu,
    runs: u32,
    mut record: impl FnMut(&mut wgpu::ComputePass<'_>),
) -> Outcome<(Duration, Option<Duration>)> {
    let runs = runs.max(1);
    gpu.watched(|| {
        let clock = gpu.timestamps.then(|| Clock::new(gpu));
        let mut encoder = gpu.encoder();
        {
            let mut compute = encoder.begin_compute_pass(&wgpu::ComputePassDescriptor {
                label: None,
                timestamp_writes: clock.as_ref().map(Clock::writes),
            });
            for _ in 0..runs {
                record(&mut compute);
            }
        }
        if let Some(clock) = &clock {
            clock.resolve(&mut encoder);
        }
        let commands = encoder.finish();
        let begun = Instant::now();
        gpu.wait(gpu.queue.submit([commands]))?;
        let wall = begun.elapsed() / runs;
        let card = clock.map(|clock| clock.elapsed(gpu)).transpose()?;
        Ok((wall, card.map(|card| card / runs)))
    })
}

/// The card's own clock, read before and after a pass.
struct Clock {
    queries: wgpu::QuerySet,
    resolved: wgpu::Buffer,
    read: wgpu::Buffer,
}

impl Clock {
    /// Two readings of eight bytes.
    const BYTES: u64 = 16;

    fn new(gpu: &Gpu) -> Self {
        let buffer = |usage| {
            gpu.device.create_buffer(&wgpu::BufferDescriptor {
                label: Some("clock"),
                size: Self::BYTES,
                usage,
                mapped_at_creation: false,
            })
        };
        Self {
            queries: gpu.device.create_query_set(&wgpu::QuerySetDescriptor {
                label: Some("clock"),
                ty: wgpu::QueryType::Timestamp,
                count: 2,
            }),
            resolved: buffer(Usage::QUERY_RESOLVE | Usage::COPY_SRC),
            read: buffer(Usage::COPY_DST | Usage::MAP_READ),
        }
    }

    fn writes(&self) -> wgpu::ComputePassTimestampWrites<'_> {
        wgpu::ComputePassTimestampWrites {
            query_set: &self.queries,
            beginning_of_pass_write_index: Some(0),
            end_of_pass_write_index: Some(1),
        }
    }

    fn resolve(&self, encoder: &mut wgpu::CommandEncoder) {
        encoder.resolve_query_set(&self.queries, 0..2, &self.resolved, 0);
        encoder.copy_buffer_to_buffer(&self.resolved, 0, &self.read, 0, Self::BYTES);
    }

    fn elapsed(&self, gpu: &Gpu) -> Outcome<Duration> {
        self.read.map_async(wgpu::MapMode::Read, .., drop);
        gpu.wait_all()?;
        let view =
            self.read.get_mapped_range(..).map_err(|e| gpu.refused(&format!("its clock: {e}")))?;
        let ticks: Vec<u64> = bytemuck::pod_collect_to_vec(&view);
        let nanos =
            f64::from(gpu.queue.get_timestamp_period()) * ticks[1].saturating_sub(ticks[0]) as f64;
        Ok(Duration::from_nanos(nanos as u64))
    }
}

/// Bytes a second of a kernel that only copies.
pub(super) fn copy(gpu: &Gpu, runs: u32) -> Outcome<f64> {
    let bytes = gpu.binding_limit().min(COPY_BYTES) / 16 * 16;
    let (pipeline, bindings) = gpu.watched(|| {
        let device = &gpu.device;
        let module = device.create_shader_module(wgpu::ShaderModuleDescriptor {
            label: Some("copy"),
            source: wgpu::ShaderSource::Wgsl(include_str!("copy.wgsl").into()),
        });
        let pipeline = device.create_compute_pipeline(&wgpu::ComputePipelineDescriptor {
            label: Some("copy"),
            layout: None,
            module: &module,
            entry_point: None,
            compilation_options: wgpu::PipelineCompilationOptions::default(),
            cache: None,
        });
        let [source, result] = [0, 1].map(|_| {
            device.create_buffer(&wgpu::BufferDescriptor {
                label: Some("copy"),
                size: bytes,
                usage: Usage::STORAGE,
                mapped_at_creation: false,
            })
        });
        let bindings = device.create_bind_group(&wgpu::BindGroupDescriptor {
            label: Some("copy"),
            layout: &pipeline.get_bind_group_layout(0),
            entries: &[
                wgpu::BindGroupEntry { binding: 0, resource: source.as_entire_binding() },
                wgpu::BindGroupEntry { binding: 1, resource: result.as_entire_binding() },
            ],
        });
        Ok((pipeline, bindings))
    })?;
    let groups = (bytes / 16).div_ceil(256) as u32;
    let record = |compute: &mut wgpu::ComputePass<'_>| {
        compute.set_pipeline(&pipeline);
        compute.set_bind_group(0, &bindings, &[]);
        compute.dispatch_workgroups(COPY_GROUPS.min(groups), groups.div_ceil(COPY_GROUPS), 1);
    };
    // Once for memory that is touched for the first time.
    timed(gpu, 1, record)?;
    let (wall, card) = timed(gpu, runs, record)?;
    Ok(2.0 * bytes as f64 / card.unwrap_or(wall).as_secs_f64())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::twin;

    #[test]
    fn every_pass_is_measured_and_moves_what_its_buffers_hold() {
        let Some((gpu, _turn)) = twin::gpu() else { return };
        let executor = GpuExecutor::with(gpu, None);
        let (_, recipe) = twin::recipes::all().swap_remove(0);
        let bytes = twin::recipes::frame(&recipe.layout, 3);
        let measured = executor.measure(&recipe, &bytes, 2).unwrap();
        let names: Vec<&str> = measured.passes.iter().map(|pass| pass.name.as_str()).collect();
        assert_eq!(names, ["mosaic", "mhc color", "down", "along"]);
        assert!(measured.copy > 0.0 && measured.passes.iter().all(|p| p.wall > Duration::ZERO));
        let [left, top, right, bottom] = recipe.framing.content.map(u64::from);
        assert_eq!(measured.down, (right - left).div_ceil(2) * 12 * (bottom - top));
        assert_eq!(measured.bands, 1);
        // A software driver's clock is not listened to.
        assert!(
            !executor.card().unwrap().software || measured.passes.iter().all(|p| p.card.is_none())
        );
    }
}
