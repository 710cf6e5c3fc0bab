//! A recipe's passes, ready to be recorded for any of its bands.

use super::buffers::Buffers;
use super::device::Gpu;
use super::params::PARAMS_STRIDE;
use super::passes::{self, Pass, Side, Store};
use super::pipeline::{self, Shaded};
use crate::color::Plan as Colors;
use crate::exec::plan::{Band, Plan};
use platefarm_model::Outcome;

/// Columns and rows of a workgroup, as in the shaders.
const GROUP: [u32; 2] = [32, 8];

/// A plan on a device: how it is cut, its buffers, its pipelines.
pub(super) struct Chain {
    pub(super) plan: Plan,
    pub(super) bands: Vec<Band>,
    pub(super) buffers: Buffers,
    ready: Vec<Ready>,
}

struct Ready {
    pass: &'static Pass,
    pipeline: wgpu::ComputePipeline,
    bindings: wgpu::BindGroup,
}

impl Chain {
    /// Makes a plan ready, in bands of which no buffer has more than `limit` bytes.
    ///
    /// # Errors
    /// [`Code::GpuFailed`](platefarm_model::Code::GpuFailed) or
    /// [`Code::GpuLost`](platefarm_model::Code::GpuLost).
    pub(super) fn new(gpu: &Gpu, plan: Plan, limit: u64) -> Outcome<Self> {
        Self::of(gpu, plan, limit, pipeline::pipeline)
    }

    /// As [`new`](Self::new), with pipelines by `compiled`.
    pub(super) fn of(
        gpu: &Gpu,
        plan: Plan,
        limit: u64,
        compiled: impl Fn(&Gpu, &Shaded) -> Outcome<pipeline::Pipeline>,
    ) -> Outcome<Self> {
        let bands = passes::bands_within(&plan, limit)?;
        let shaders = [Side::Before, Side::After].map(|side| side.of(&plan).map(Colors::shader));
        let pipelines = passes::of(&plan)
            .into_iter()
            .map(|pass| {
                let colors = pass.colors.and_then(|side| shaders[side as usize].as_ref());
                let shaded = Shaded::new(pass, colors);
                let pipeline = compiled(gpu, &shaded)?;
                Ok((pass, shaded.binds, pipeline))
            })
            .collect::<Outcome<Vec<_>>>()?;
        gpu.watched(|| {
            let numbers = shaders.map(|shader| shader.map(|shader| shader.numbers));
            let buffers = Buffers::new(gpu, &plan, &bands, numbers);
            let ready = pipelines
                .into_iter()
                .map(|(pass, binds, pipeline)| Ready {
                    pass,
                    bindings: buffers.bind(&gpu.device, pass.name, &binds, &pipeline.layout),
                    pipeline: pipeline.pipeline,
                })
                .collect();
            Ok(Self { plan, bands, buffers, ready })
        })
    }

    /// Bytes of a buffer on the band that needs most.
    pub(super) fn largest(&self, store: Store) -> u64 {
        self.bands.iter().map(|band| passes::bytes(&self.plan, band, store)).fold(0, u64::max)
    }

    /// Bytes of a buffer on a band.
    pub(super) fn bytes(&self, band: usize, store: Store) -> u64 {
        passes::bytes(&self.plan, &self.bands[band], store)
    }

    /// The part of a frame that a band needs.
    pub(super) fn stored<'a>(&self, band: usize, bytes: &'a [u8]) -> &'a [u8] {
        let rows = &self.bands[band].input_rows;
        let start = self.plan.row_at(rows.start);
        &bytes[start..(start + rows.len() * self.plan.row_bytes()).min(bytes.len())]
    }

    /// The passes, in order.
    pub(super) fn passes(&self) -> impl Iterator<Item = &'static Pass> {
        self.ready.iter().map(|ready| ready.pass)
    }

    /// Records all passes of a band.
    pub(super) fn record(&self, encoder: &mut wgpu::CommandEncoder, band: usize) {
        encoder.clear_buffer(&self.buffers.beyond, 0, Some(4));
        let mut compute = encoder.begin_compute_pass(&wgpu::ComputePassDescriptor::default());
        for pass in 0..self.ready.len() {
            self.record_pass(&mut compute, band, pass);
        }
    }

    /// Records one pass of a band.
    pub(super) fn record_pass(
        &self,
        compute: &mut wgpu::ComputePass<'_>,
        band: usize,
        pass: usize,
    ) {
        let Ready { pass, pipeline, bindings } = &self.ready[pass];
        let [columns, rows] = passes::extent(&self.plan, &self.bands[band], pass.over);
        compute.set_pipeline(pipeline);
        compute.set_bind_group(0, bindings, &[band as u32 * PARAMS_STRIDE as u32]);
        compute.dispatch_workgroups(columns.div_ceil(GROUP[0]), rows.div_ceil(GROUP[1]), 1);
    }
}
