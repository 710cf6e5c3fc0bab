//! Tests of the device: refused work, uncaptured errors, and a device that is gone.

use super::*;
use crate::twin;

fn info(name: &str, device_type: wgpu::DeviceType) -> wgpu::AdapterInfo {
    wgpu::AdapterInfo {
        name: name.into(),
        ..wgpu::AdapterInfo::new(device_type, wgpu::Backend::Vulkan)
    }
}

#[test]
fn hardware_comes_before_software_and_a_name_decides() {
    use wgpu::DeviceType::{Cpu, DiscreteGpu, IntegratedGpu};
    let adapters = [
        info("llvmpipe (LLVM 15)", Cpu),
        info("Intel Iris", IntegratedGpu),
        info("NVIDIA L4 #1", DiscreteGpu),
        info("NVIDIA L4 #2", DiscreteGpu),
    ];
    assert_eq!(choose(&adapters, None, true), Some(2));
    assert_eq!(choose(&adapters, None, false), Some(2));
    assert_eq!(choose(&adapters, Some("iris"), false), Some(1));
    assert_eq!(choose(&adapters, Some("#2"), false), Some(3));
    assert_eq!(choose(&adapters, Some("llvmpipe"), true), Some(0));
    assert_eq!(choose(&adapters, Some("llvmpipe"), false), None);
    assert_eq!(choose(&adapters[..1], None, false), None);
    assert_eq!(choose(&adapters[..1], None, true), Some(0));
    assert_eq!(choose(&adapters, Some("Radeon"), true), None);
}

#[test]
fn what_a_device_refuses_comes_back_as_a_fault() {
    let Some((gpu, _turn)) = twin::gpu() else { return };
    let fault = gpu
        .watched(|| {
            let _ = gpu.device.create_shader_module(wgpu::ShaderModuleDescriptor {
                label: None,
                source: wgpu::ShaderSource::Wgsl("this is no shader".into()),
            });
            Ok(())
        })
        .unwrap_err();
    assert_eq!(fault.code, Code::GpuFailed);
    // Outside of any scope it must not panic, and is reported at the next opportunity.
    let _ = gpu.device.create_buffer(&wgpu::BufferDescriptor {
        label: None,
        size: u64::MAX / 2,
        usage: wgpu::BufferUsages::STORAGE,
        mapped_at_creation: false,
    });
    assert_eq!(gpu.watched(|| Ok(())).unwrap_err().code, Code::GpuFailed);
    assert!(gpu.watched(|| Ok(())).is_ok());
}

#[test]
fn a_lost_device_is_a_fault_of_its_own_and_is_opened_again() {
    use crate::Executor;
    use crate::exec::gpu::GpuExecutor;
    let Some((_, _turn)) = twin::gpu() else { return };
    let own = Arc::new(Gpu::open(true).unwrap());
    let executor = GpuExecutor::with(Arc::clone(&own), None);
    let (_, recipe) = twin::recipes::all().swap_remove(0);
    let bytes = twin::recipes::frame(&recipe.layout, 5);
    let mut ready = executor.prepare(&recipe).unwrap();
    let before = ready.run(&bytes).unwrap();
    own.device.destroy();
    assert_eq!(ready.run(&bytes).unwrap_err().code, Code::GpuLost);
    assert_eq!(ready.run(&bytes).unwrap_err().code, Code::GpuLost);
    let after = executor.prepare(&recipe).unwrap().run(&bytes).unwrap();
    assert!(before == after);
}
