//! One GPU: finding it, opening it, and noticing when it fails.
//!
//! Nothing a driver does may panic or hang the process: errors are collected
//! by scopes around our own calls, what escapes them is kept by a handler, a
//! lost device is remembered, and every wait has an end.

use super::pool::Pool;
use platefarm_model::{Code, Fault, Outcome};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// Narrows the choice of adapters to those whose name contains its value.
pub const ADAPTER_VARIABLE: &str = "PLATEFARM_GPU_ADAPTER";

/// A GPU that has not answered for this long is given up: shorter than
/// anybody's patience, and longer than any frame takes.
const PATIENCE: Duration = Duration::from_secs(60);
/// A software driver does not hang, but on a machine that is busy it starves.
const PATIENCE_WITH_SOFTWARE: Duration = Duration::from_secs(600);

/// The largest buffer that is asked for, whatever the device would allow: a
/// band of 1 GiB gains nothing over two of half the size.
const LARGEST_BUFFER: u64 = 1 << 30;

/// An open GPU.
#[derive(Debug)]
pub(crate) struct Gpu {
    pub(crate) device: wgpu::Device,
    pub(crate) queue: wgpu::Queue,
    pub(crate) name: String,
    /// Driver and its version.
    pub(super) driver: String,
    /// Whether it is a driver on the CPU.
    pub(super) software: bool,
    /// Whether passes can be timed by the device's own clock.
    pub(super) timestamps: bool,
    pub(super) pool: Arc<Pool>,
    /// By name and text.
    pub(super) pipelines: Mutex<HashMap<(&'static str, String), super::pipeline::Pipeline>>,
    trouble: Arc<Mutex<Trouble>>,
}

/// What went wrong outside of any scope.
#[derive(Debug, Default)]
struct Trouble {
    lost: Option<String>,
    uncaptured: Option<String>,
}

fn hold<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Gpu {
    /// Opens the best adapter: discrete before integrated before virtual, and
    /// software drivers only when they are allowed.
    ///
    /// # Errors
    /// [`Code::NoGpu`].
    pub(crate) fn open(software: bool) -> Outcome<Self> {
        let mut descriptor = wgpu::InstanceDescriptor::new_without_display_handle();
        descriptor.backends = wgpu::Backends::VULKAN;
        descriptor.flags = wgpu::InstanceFlags::empty();
        let instance = wgpu::Instance::new(descriptor);
        let adapters = pollster::block_on(instance.enumerate_adapters(wgpu::Backends::VULKAN));
        let wanted = std::env::var(ADAPTER_VARIABLE).ok();
        let seen: Vec<wgpu::AdapterInfo> = adapters.iter().map(wgpu::Adapter::get_info).collect();
        let Some(best) = choose(&seen, wanted.as_deref(), software) else {
            let names: Vec<&str> = seen.iter().map(|info| info.name.as_str()).collect();
            let wanted = wanted.map(|w| format!(" with '{w}' in its name")).unwrap_or_default();
            let kind = if software { "" } else { "hardware " };
            let there = match names.is_empty() {
                true => "there is none at all".to_owned(),
                false => format!("there are: {}", names.join(", ")),
            };
            return Err(Fault::new(Code::NoGpu, format!("no {kind}adapter{wanted}; {there}")));
        };
        Self::from_adapter(&adapters[best])
    }

    fn from_adapter(adapter: &wgpu::Adapter) -> Outcome<Self> {
        let info = adapter.get_info();
        let offered = adapter.limits();
        let defaults = wgpu::Limits::default();
        let required_limits = wgpu::Limits {
            max_storage_buffer_binding_size: offered
                .max_storage_buffer_binding_size
                .clamp(defaults.max_storage_buffer_binding_size, LARGEST_BUFFER),
            max_buffer_size: offered
                .max_buffer_size
                .clamp(defaults.max_buffer_size, LARGEST_BUFFER),
            ..defaults
        };
        let software = info.device_type == wgpu::DeviceType::Cpu;
        // For benches only. Software drivers have it, and it is not true there.
        let clock = adapter.features() & wgpu::Features::TIMESTAMP_QUERY;
        let required_features = if software { wgpu::Features::empty() } else { clock };
        let descriptor = wgpu::DeviceDescriptor {
            label: Some("platefarm"),
            required_features,
            required_limits,
            ..Default::default()
        };
        let (device, queue) =
            pollster::block_on(adapter.request_device(&descriptor)).map_err(|e| {
                Fault::new(Code::NoGpu, format!("adapter '{}' cannot be opened", info.name))
                    .because(&e)
            })?;
        let trouble = Arc::new(Mutex::new(Trouble::default()));
        let lost = Arc::clone(&trouble);
        device.set_device_lost_callback(move |reason, message| {
            // Dropping the device at the end counts as losing it, too; nobody asks then.
            hold(&lost).lost.get_or_insert(format!("{reason:?}: {message}"));
        });
        let uncaptured = Arc::clone(&trouble);
        device.on_uncaptured_error(Arc::new(move |error: wgpu::Error| {
            hold(&uncaptured).uncaptured.get_or_insert(error.to_string());
        }));
        Ok(Self {
            device,
            queue,
            name: info.name,
            driver: format!("{} {}", info.driver, info.driver_info),
            software,
            timestamps: !required_features.is_empty(),
            pool: Arc::default(),
            pipelines: Mutex::default(),
            trouble,
        })
    }

    /// Something to record commands into.
    pub(super) fn encoder(&self) -> wgpu::CommandEncoder {
        self.device.create_command_encoder(&wgpu::CommandEncoderDescriptor::default())
    }

    /// The largest buffer that a shader may see, in bytes.
    pub(super) fn binding_limit(&self) -> u64 {
        let limits = self.device.limits();
        // Some buffers get a counter or a margin on top.
        limits.max_storage_buffer_binding_size.min(limits.max_buffer_size - 64)
    }

    /// Whether the device is gone and has to be opened again.
    pub(super) fn is_lost(&self) -> bool {
        hold(&self.trouble).lost.is_some()
    }

    /// Runs `work` and turns whatever the device says about it into a fault.
    ///
    /// # Errors
    /// [`Code::GpuLost`], [`Code::GpuFailed`], or what `work` returns.
    pub(crate) fn watched<T>(&self, work: impl FnOnce() -> Outcome<T>) -> Outcome<T> {
        self.check_lost()?;
        let memory = self.device.push_error_scope(wgpu::ErrorFilter::OutOfMemory);
        let internal = self.device.push_error_scope(wgpu::ErrorFilter::Internal);
        let validation = self.device.push_error_scope(wgpu::ErrorFilter::Validation);
        let result = work();
        // Scopes end in reverse order; all of them have to.
        let errors = [
            pollster::block_on(validation.pop()),
            pollster::block_on(internal.pop()),
            pollster::block_on(memory.pop()),
        ];
        let uncaptured = hold(&self.trouble).uncaptured.take();
        // The message of a scope is the cause; what `work` noticed is the consequence.
        let cause = errors.into_iter().flatten().next().map(|e| e.to_string()).or(uncaptured);
        if cause.is_none() && result.is_ok() {
            return result;
        }
        // A lost device refuses work before it says that it is lost; it says so when polled.
        let _ = self.device.poll(wgpu::PollType::Poll);
        self.check_lost()?;
        cause.map_or(result, |message| Err(self.refused(&message)))
    }

    /// Waits for a submission.
    ///
    /// # Errors
    /// [`Code::GpuLost`] when it does not end in time.
    pub(crate) fn wait(&self, submission: wgpu::SubmissionIndex) -> Outcome<()> {
        self.wait_for(Some(submission))
    }

    /// Waits for everything that was handed over so far.
    ///
    /// # Errors
    /// As [`wait`](Self::wait).
    pub(super) fn wait_all(&self) -> Outcome<()> {
        self.wait_for(None)
    }

    fn wait_for(&self, submission_index: Option<wgpu::SubmissionIndex>) -> Outcome<()> {
        let patience = if self.software { PATIENCE_WITH_SOFTWARE } else { PATIENCE };
        let wait = wgpu::PollType::Wait { submission_index, timeout: Some(patience) };
        self.device.poll(wait).map(drop).map_err(|error| {
            if !matches!(error, wgpu::PollError::Timeout) {
                // Work that was refused was never handed over; a scope has the cause.
                return self.refused(&error.to_string());
            }
            let reason = format!("no answer for {} s", patience.as_secs());
            hold(&self.trouble).lost.get_or_insert(reason.clone());
            Fault::new(Code::GpuLost, format!("'{}': {reason}", self.name)).because(&error)
        })
    }

    fn check_lost(&self) -> Outcome<()> {
        match &hold(&self.trouble).lost {
            Some(reason) => Err(Fault::new(Code::GpuLost, format!("'{}': {reason}", self.name))),
            None => Ok(()),
        }
    }

    pub(super) fn refused(&self, message: &str) -> Fault {
        Fault::new(Code::GpuFailed, format!("'{}' refused the work: {message}", self.name))
    }
}

/// Index of the adapter to use.
fn choose(adapters: &[wgpu::AdapterInfo], wanted: Option<&str>, software: bool) -> Option<usize> {
    let wanted = wanted.unwrap_or_default().to_lowercase();
    let rank = |info: &wgpu::AdapterInfo| match info.device_type {
        wgpu::DeviceType::DiscreteGpu => Some(0),
        wgpu::DeviceType::IntegratedGpu => Some(1),
        wgpu::DeviceType::VirtualGpu => Some(2),
        wgpu::DeviceType::Cpu | wgpu::DeviceType::Other => software.then_some(3),
    };
    adapters
        .iter()
        .enumerate()
        .filter(|(_, info)| info.name.to_lowercase().contains(&wanted))
        .filter_map(|(i, info)| rank(info).map(|rank| (rank, i)))
        .min()
        .map(|(_, i)| i)
}

#[cfg(test)]
#[path = "device_tests.rs"]
mod tests;
