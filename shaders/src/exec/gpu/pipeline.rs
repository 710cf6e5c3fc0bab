//! Shader text and pipelines of the stages.
//!
//! A stage's shader is the text of its operations, as they stand in their
//! folders, and a frame around them that binds buffers. Texts are joined as
//! they are: no templates, no second copy of any arithmetic.

use super::device::Gpu;
use crate::exec::plan::Stage;
use crate::ops::OPS;
use platefarm_model::Outcome;
use std::sync::{Arc, PoisonError};

/// What a binding holds; binding 0 is always the parameters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Slot {
    Read,
    Write,
}

/// A compiled stage.
#[derive(Debug)]
pub(super) struct Pipeline {
    pub(super) pipeline: wgpu::ComputePipeline,
    pub(super) layout: wgpu::BindGroupLayout,
}

/// Text of a stage around its operations.
const fn frame(stage: Stage) -> &'static str {
    match stage {
        Stage::Mosaic => include_str!("mosaic.wgsl"),
        Stage::Color => include_str!("color.wgsl"),
        Stage::Down => include_str!("down.wgsl"),
        Stage::Along => include_str!("along.wgsl"),
    }
}

/// Bindings of a stage, from 1 on.
pub(super) const fn slots(stage: Stage) -> &'static [Slot] {
    use Slot::{Read, Write};
    match stage {
        Stage::Mosaic | Stage::Down => &[Read, Read, Write],
        Stage::Color => &[Read, Write],
        Stage::Along => &[Read, Read, Read, Write, Write],
    }
}

/// The whole text of a stage.
pub(crate) fn source(stage: Stage) -> String {
    let mut text = String::from(include_str!("common.wgsl"));
    for op in OPS.iter().filter(|op| stage.ops().contains(&op.name())) {
        text.push_str(op.wgsl());
    }
    text.push_str(frame(stage));
    text
}

/// The pipeline of a stage, compiled on first use of this GPU.
pub(super) fn pipeline(gpu: &Gpu, stage: Stage) -> Outcome<Arc<Pipeline>> {
    let mut known = gpu.pipelines.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(pipeline) = known.get(&stage) {
        return Ok(Arc::clone(pipeline));
    }
    let pipeline = Arc::new(gpu.watched(|| Ok(compile(&gpu.device, stage, &source(stage))))?);
    known.insert(stage, Arc::clone(&pipeline));
    Ok(pipeline)
}

fn compile(device: &wgpu::Device, stage: Stage, source: &str) -> Pipeline {
    let label = format!("{stage:?}");
    let entry = |binding: u32, ty: wgpu::BufferBindingType| wgpu::BindGroupLayoutEntry {
        binding,
        visibility: wgpu::ShaderStages::COMPUTE,
        ty: wgpu::BindingType::Buffer {
            ty,
            has_dynamic_offset: ty == wgpu::BufferBindingType::Uniform,
            min_binding_size: None,
        },
        count: None,
    };
    let storage = slots(stage).iter().zip(1..).map(|(slot, binding)| {
        entry(binding, wgpu::BufferBindingType::Storage { read_only: *slot == Slot::Read })
    });
    let entries: Vec<_> =
        std::iter::once(entry(0, wgpu::BufferBindingType::Uniform)).chain(storage).collect();
    let layout = device.create_bind_group_layout(&wgpu::BindGroupLayoutDescriptor {
        label: Some(&label),
        entries: &entries,
    });
    let pipeline_layout = device.create_pipeline_layout(&wgpu::PipelineLayoutDescriptor {
        label: Some(&label),
        bind_group_layouts: &[Some(&layout)],
        immediate_size: 0,
    });
    let module = device.create_shader_module(wgpu::ShaderModuleDescriptor {
        label: Some(&label),
        source: wgpu::ShaderSource::Wgsl(source.into()),
    });
    let pipeline = device.create_compute_pipeline(&wgpu::ComputePipelineDescriptor {
        label: Some(&label),
        layout: Some(&pipeline_layout),
        module: &module,
        entry_point: Some("main"),
        compilation_options: wgpu::PipelineCompilationOptions::default(),
        cache: None,
    });
    Pipeline { pipeline, layout }
}

#[cfg(test)]
mod tests {
    use super::*;
    use wgpu::naga::{front::wgsl, valid};

    #[test]
    fn every_stage_is_valid_and_every_operation_has_one() {
        let stages = [Stage::Mosaic, Stage::Color, Stage::Down, Stage::Along];
        for stage in stages {
            let text = source(stage);
            let module = wgsl::parse_str(&text)
                .unwrap_or_else(|e| panic!("{stage:?}: {}", e.emit_to_string(&text)));
            // Nothing beyond what every WebGPU device has.
            valid::Validator::new(valid::ValidationFlags::all(), valid::Capabilities::empty())
                .validate(&module)
                .unwrap_or_else(|e| panic!("{stage:?}: {}", e.emit_to_string(&text)));
            assert_eq!(module.global_variables.len(), slots(stage).len() + 1, "{stage:?}");
        }
        for op in OPS {
            let uses = stages.iter().filter(|s| s.ops().contains(&op.name())).count();
            assert!(uses > 0, "{} runs nowhere", op.name());
            for word in ["fma(", "pow(", "exp2(", "log2(", "dot(", "pack2x16float", "textureStore"]
            {
                assert!(!op.wgsl().contains(word), "{} leaves {word}) to the driver", op.name());
            }
        }
        for name in stages.iter().flat_map(|s| s.ops()) {
            assert!(OPS.iter().any(|op| op.name() == *name), "{name} is not an operation");
        }
    }

    #[test]
    fn parameters_lie_as_the_shader_reads_them() {
        let module = wgsl::parse_str(&source(Stage::Mosaic)).unwrap();
        let (_, params) =
            module.types.iter().find(|(_, t)| t.name.as_deref() == Some("Params")).unwrap();
        let wgpu::naga::TypeInner::Struct { span, .. } = params.inner else { panic!("no struct") };
        assert_eq!(span as usize, size_of::<super::super::params::Params>());
    }
}
