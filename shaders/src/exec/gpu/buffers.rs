//! Buffers that all bands of a recipe share, and which pass binds which.
//!
//! The device works on one band at a time, so one set serves however many
//! frames are under way; only the buffers of [`ring`](super::ring) are many.

use super::device::Gpu;
use super::params::{PARAMS_STRIDE, Params};
use super::passes::{self, Bind, Store};
use super::pool::Pooled;
use crate::exec::plan::{Band, Input, MosaicInput, Plan};
use crate::ops::resample::Taps;
use wgpu::BufferUsages as Usage;

/// Buffers of a recipe, large enough for its largest band.
pub(super) struct Buffers {
    params: Pooled,
    tables: Pooled,
    taps: [Pooled; 2],
    pub(super) beyond: Pooled,
    /// Numbers of the colour before and after the resample.
    colors: [Option<Pooled>; 2],
    /// Those whose size depends on the band.
    stores: Vec<(Store, Pooled)>,
}

impl Buffers {
    pub(super) fn new(
        gpu: &Gpu,
        plan: &Plan,
        bands: &[Band],
        colors: [Option<Vec<f32>>; 2],
    ) -> Self {
        let take = |label: &str, size, usage| gpu.pool.take(&gpu.device, label, size, usage);
        let filled = |label: &str, bytes: &[u8], usage| {
            let buffer = take(label, bytes.len() as u64, usage | Usage::COPY_DST);
            gpu.queue.write_buffer(&buffer, 0, bytes);
            buffer
        };
        let mut params = vec![0; bands.len() * PARAMS_STRIDE as usize];
        for (slot, band) in params.chunks_exact_mut(PARAMS_STRIDE as usize).zip(bands) {
            slot[..size_of::<Params>()]
                .copy_from_slice(bytemuck::bytes_of(&Params::new(plan, band)));
        }
        let tables = match &plan.input {
            Input::Mosaic(MosaicInput { levels, .. }) => {
                let [even, odd] = &levels.column_black;
                [&even[..], odd, &levels.row_black, &levels.linear].concat()
            }
            Input::Rgb(layout) => layout.curve.to_vec(),
        };
        let stores = passes::stores(plan).into_iter().map(|store| {
            let size = bands.iter().map(|band| passes::bytes(plan, band, store)).max();
            let usage = match store {
                Store::Raw => Usage::STORAGE | Usage::COPY_DST,
                Store::Halves | Store::Color => Usage::STORAGE | Usage::COPY_SRC,
                _ => Usage::STORAGE,
            };
            (store, take(&format!("{store:?}"), size.unwrap_or_default(), usage))
        });
        Self {
            params: filled("parameters", &params, Usage::UNIFORM),
            tables: filled("tables", bytemuck::cast_slice(&tables), Usage::STORAGE),
            taps: plan.taps.each_ref().map(|taps| filled("taps", &table(taps), Usage::STORAGE)),
            beyond: take("beyond", 4, Usage::STORAGE | Usage::COPY_SRC | Usage::COPY_DST),
            colors: colors.map(|numbers| {
                numbers.map(|n| filled("colour", bytemuck::cast_slice(&n), Usage::STORAGE))
            }),
            stores: stores.collect(),
        }
    }

    /// The name under which a buffer is kept.
    pub(super) fn stands_for(&self, store: Store) -> Store {
        let kept = self.stores.iter().any(|(s, _)| *s == Store::Down);
        if store == Store::Down && !kept { Store::Color } else { store }
    }

    /// The buffer behind a name.
    pub(super) fn get(&self, store: Store) -> &Pooled {
        let of = |store| self.stores.iter().find(|(s, _)| *s == store).map(|(_, buffer)| buffer);
        match store {
            Store::Tables => &self.tables,
            Store::Taps(axis) => &self.taps[axis],
            Store::Beyond => &self.beyond,
            Store::Colors(side) => {
                self.colors[side as usize].as_ref().expect("passes bind what the plan has")
            }
            store => of(self.stands_for(store)).expect("passes bind what the plan has"),
        }
    }

    pub(super) fn bind(
        &self,
        device: &wgpu::Device,
        name: &str,
        binds: &[Bind],
        layout: &wgpu::BindGroupLayout,
    ) -> wgpu::BindGroup {
        let params = wgpu::BindingResource::Buffer(wgpu::BufferBinding {
            buffer: &self.params,
            offset: 0,
            size: wgpu::BufferSize::new(size_of::<Params>() as u64),
        });
        let storage = binds.iter().map(|bind| self.get(bind.store()).binding());
        let entries: Vec<_> = std::iter::once(params)
            .chain(storage)
            .zip(0..)
            .map(|(resource, binding)| wgpu::BindGroupEntry { binding, resource })
            .collect();
        device.create_bind_group(&wgpu::BindGroupDescriptor {
            label: Some(name),
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
