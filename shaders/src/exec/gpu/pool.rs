//! Buffers that outlive the recipe that asked for them.
//!
//! A driver gives memory back late and clears what it hands out, so a worker
//! that goes from plate to plate keeps its buffers.

use std::sync::{Arc, Mutex, PoisonError};

/// Most buffers that are kept while nobody uses them.
const KEPT: usize = 32;

/// Buffers that are free.
#[derive(Debug, Default)]
pub(super) struct Pool {
    free: Mutex<Vec<wgpu::Buffer>>,
}

/// A buffer that goes back to its pool.
#[derive(Debug)]
pub(super) struct Pooled {
    buffer: wgpu::Buffer,
    /// Bytes that were asked for; the buffer may be larger.
    pub(super) size: u64,
    pool: Arc<Pool>,
}

impl Pool {
    /// A buffer of at least `size` bytes, and at most twice that.
    pub(super) fn take(
        self: &Arc<Self>,
        device: &wgpu::Device,
        label: &str,
        size: u64,
        usage: wgpu::BufferUsages,
    ) -> Pooled {
        let size = size.max(16).next_multiple_of(16);
        let mut free = self.free.lock().unwrap_or_else(PoisonError::into_inner);
        let fits = |b: &wgpu::Buffer| b.usage() == usage && (size..=2 * size).contains(&b.size());
        let buffer = match free.iter().position(fits) {
            Some(i) => free.swap_remove(i),
            None => device.create_buffer(&wgpu::BufferDescriptor {
                label: Some(label),
                size,
                usage,
                mapped_at_creation: false,
            }),
        };
        Pooled { buffer, size, pool: Arc::clone(self) }
    }
}

impl Pooled {
    /// The part that was asked for, as a shader sees it.
    pub(super) fn binding(&self) -> wgpu::BindingResource<'_> {
        wgpu::BindingResource::Buffer(wgpu::BufferBinding {
            buffer: &self.buffer,
            offset: 0,
            size: wgpu::BufferSize::new(self.size),
        })
    }
}

impl std::ops::Deref for Pooled {
    type Target = wgpu::Buffer;

    fn deref(&self) -> &wgpu::Buffer {
        &self.buffer
    }
}

impl Drop for Pooled {
    fn drop(&mut self) {
        let mut free = self.pool.free.lock().unwrap_or_else(PoisonError::into_inner);
        if free.len() == KEPT {
            free.remove(0);
        }
        free.push(self.buffer.clone());
    }
}
