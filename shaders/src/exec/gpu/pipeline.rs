//! Shader text and pipelines of the passes.
//!
//! A pass's shader is the text of its operations, as they stand in their
//! folders, and a frame around them that binds buffers. Texts are joined as
//! they are: no templates, no second copy of any arithmetic.

use super::device::Gpu;
use super::passes::{Bind, Pass};
use crate::ops::{EXACT, OPS};
use platefarm_model::Outcome;
use std::sync::PoisonError;

/// A compiled pass.
#[derive(Clone, Debug)]
pub(super) struct Pipeline {
    pub(super) pipeline: wgpu::ComputePipeline,
    pub(super) layout: wgpu::BindGroupLayout,
}

/// The whole text of a pass.
pub(crate) fn source(pass: &Pass) -> String {
    let mut text = String::from(include_str!("common.wgsl"));
    text.push_str(EXACT);
    for op in OPS.iter().filter(|op| pass.ops.contains(&op.name())) {
        text.push_str(op.wgsl());
    }
    text.push_str(pass.frame);
    text
}

/// The pipeline of a pass, compiled on first use of this GPU.
pub(super) fn pipeline(gpu: &Gpu, pass: &'static Pass) -> Outcome<Pipeline> {
    let mut known = gpu.pipelines.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(pipeline) = known.get(pass.name) {
        return Ok(pipeline.clone());
    }
    let pipeline = gpu.watched(|| Ok(compile(&gpu.device, pass, &source(pass))))?;
    known.insert(pass.name, pipeline.clone());
    Ok(pipeline)
}

/// Compiles `source` as the text of a pass.
pub(super) fn compile(device: &wgpu::Device, pass: &Pass, source: &str) -> Pipeline {
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
    let storage = pass.binds.iter().zip(1..).map(|(bind, binding)| {
        let read_only = matches!(bind, Bind::Read(_));
        entry(binding, wgpu::BufferBindingType::Storage { read_only })
    });
    let entries: Vec<_> =
        std::iter::once(entry(0, wgpu::BufferBindingType::Uniform)).chain(storage).collect();
    let layout = device.create_bind_group_layout(&wgpu::BindGroupLayoutDescriptor {
        label: Some(pass.name),
        entries: &entries,
    });
    let pipeline_layout = device.create_pipeline_layout(&wgpu::PipelineLayoutDescriptor {
        label: Some(pass.name),
        bind_group_layouts: &[Some(&layout)],
        immediate_size: 0,
    });
    let module = device.create_shader_module(wgpu::ShaderModuleDescriptor {
        label: Some(pass.name),
        source: wgpu::ShaderSource::Wgsl(source.into()),
    });
    let pipeline = device.create_compute_pipeline(&wgpu::ComputePipelineDescriptor {
        label: Some(pass.name),
        layout: Some(&pipeline_layout),
        module: &module,
        entry_point: Some(pass.entry),
        compilation_options: wgpu::PipelineCompilationOptions::default(),
        cache: None,
    });
    Pipeline { pipeline, layout }
}

#[cfg(test)]
mod tests {
    use super::super::passes;
    use super::*;
    use wgpu::naga::{front::wgsl, valid};

    #[test]
    fn every_pass_is_valid_and_every_operation_has_one() {
        let passes = passes::all();
        for pass in &passes {
            let (name, text) = (pass.name, source(pass));
            let module = wgsl::parse_str(&text)
                .unwrap_or_else(|e| panic!("{name}: {}", e.emit_to_string(&text)));
            // Nothing beyond what every WebGPU device has.
            valid::Validator::new(valid::ValidationFlags::all(), valid::Capabilities::empty())
                .validate(&module)
                .unwrap_or_else(|e| panic!("{name}: {}", e.emit_to_string(&text)));
            assert_eq!(module.global_variables.len(), pass.binds.len() + 1, "{name}");
            assert!(pass.binds.len() <= 8, "{name} binds more than every device can");
            assert!(module.entry_points.iter().any(|e| e.name == pass.entry), "{name}");
            assert_eq!(passes.iter().filter(|other| other.name == name).count(), 1, "{name}");
        }
        for op in OPS {
            let uses = passes.iter().filter(|pass| pass.ops.contains(&op.name())).count();
            assert!(uses > 0, "{} runs nowhere", op.name());
            for word in
                ["fma(", "pow(", "exp2(", "log2(", "dot(", "sqrt(", "pack2x16float", "textureStore"]
            {
                assert!(!op.wgsl().contains(word), "{} leaves {word}) to the driver", op.name());
            }
        }
        for name in passes.iter().flat_map(|pass| pass.ops) {
            assert!(OPS.iter().any(|op| op.name() == *name), "{name} is not an operation");
        }
    }

    #[test]
    fn parameters_lie_as_the_shader_reads_them() {
        let module = wgsl::parse_str(&source(passes::all()[0])).unwrap();
        let (_, params) =
            module.types.iter().find(|(_, t)| t.name.as_deref() == Some("Params")).unwrap();
        let wgpu::naga::TypeInner::Struct { span, .. } = params.inner else { panic!("no struct") };
        assert_eq!(span as usize, size_of::<super::super::params::Params>());
    }
}
