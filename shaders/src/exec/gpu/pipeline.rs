//! Shader text and pipelines of the passes.
//!
//! A pass's shader is the text of its operations, as they stand in their
//! folders, that of its colour, and a frame around them that binds buffers.
//! Texts are joined as they are: no templates, no second copy of any arithmetic.

use super::device::Gpu;
use super::passes::{Bind, Pass, Store};
use crate::color::shader::{NOTHING, Shader};
use crate::ops::{EXACT, OPS};
use platefarm_model::Outcome;
use std::borrow::Cow;
use std::sync::PoisonError;

/// A compiled pass.
#[derive(Clone, Debug)]
pub(super) struct Pipeline {
    pub(super) pipeline: wgpu::ComputePipeline,
    pub(super) layout: wgpu::BindGroupLayout,
}

/// A shader that is ready to be compiled: a pass with the colour that it does.
pub(super) struct Shaded {
    pub(super) name: &'static str,
    /// Where it begins.
    pub(super) entry: &'static str,
    /// Buffers, from binding 1 on; parameters are binding 0.
    pub(super) binds: Cow<'static, [Bind]>,
    /// The whole text.
    pub(super) source: String,
}

impl Shaded {
    pub(super) fn new(pass: &'static Pass, colors: Option<&Shader>) -> Self {
        let mut text = String::from(include_str!("common.wgsl"));
        text.push_str(EXACT);
        let colored = pass.colors.zip(colors);
        let needed =
            |op: &str| pass.ops.contains(&op) || colored.is_some() && Shader::OPS.contains(&op);
        for op in OPS.iter().filter(|op| needed(op.name())) {
            text.push_str(op.wgsl());
        }
        let mut binds = Cow::Borrowed(pass.binds);
        if let Some((side, shader)) = colored {
            binds.to_mut().push(Bind::Read(Store::Colors(side)));
            text.push_str(&numbers_at(binds.len()));
            text.push_str(&shader.text);
        } else {
            text.push_str(NOTHING);
        }
        text.push_str(pass.frame);
        Self { name: pass.name, entry: pass.entry, binds, source: text }
    }
}

/// Where a shader finds the numbers of its colour.
pub(super) fn numbers_at(binding: usize) -> String {
    format!("@group(0) @binding({binding}) var<storage, read> color_numbers: array<f32>;\n")
}

/// The pipeline of a shader, compiled on first use of this GPU.
pub(super) fn pipeline(gpu: &Gpu, shaded: &Shaded) -> Outcome<Pipeline> {
    let mut known = gpu.pipelines.lock().unwrap_or_else(PoisonError::into_inner);
    let key = (shaded.name, shaded.source.clone());
    if let Some(pipeline) = known.get(&key) {
        return Ok(pipeline.clone());
    }
    let pipeline = gpu.watched(|| Ok(compile(&gpu.device, shaded)))?;
    known.insert(key, pipeline.clone());
    Ok(pipeline)
}

/// Compiles a shader.
pub(super) fn compile(device: &wgpu::Device, shaded: &Shaded) -> Pipeline {
    let Shaded { name, entry: start, binds, source } = shaded;
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
    let storage = binds.iter().zip(1..).map(|(bind, binding)| {
        let read_only = matches!(bind, Bind::Read(_));
        entry(binding, wgpu::BufferBindingType::Storage { read_only })
    });
    let entries: Vec<_> =
        std::iter::once(entry(0, wgpu::BufferBindingType::Uniform)).chain(storage).collect();
    let layout = device.create_bind_group_layout(&wgpu::BindGroupLayoutDescriptor {
        label: Some(name),
        entries: &entries,
    });
    let pipeline_layout = device.create_pipeline_layout(&wgpu::PipelineLayoutDescriptor {
        label: Some(name),
        bind_group_layouts: &[Some(&layout)],
        immediate_size: 0,
    });
    let module = device.create_shader_module(wgpu::ShaderModuleDescriptor {
        label: Some(name),
        source: wgpu::ShaderSource::Wgsl(source.as_str().into()),
    });
    let pipeline = device.create_compute_pipeline(&wgpu::ComputePipelineDescriptor {
        label: Some(name),
        layout: Some(&pipeline_layout),
        module: &module,
        entry_point: Some(start),
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
            let (name, text) = (pass.name, Shaded::new(pass, None).source);
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
    fn every_pass_is_valid_with_every_color() {
        use crate::color::Plan;
        use platefarm_model::color::{chain::Chain, output, output1, space};
        let outputs =
            output::registered().into_iter().filter_map(|id| output::OutputTransform::parse(&id));
        let mut chains: Vec<Chain> = outputs.map(|output| output.chain()).collect();
        chains.extend(output1::outputs1().iter().map(output1::Output1::chain));
        chains.extend(space::SPACES.iter().map(space::Space::to_aces));
        let mut seen = std::collections::HashSet::new();
        for shader in chains.iter().map(|chain| Plan::new(chain).shader()) {
            if !seen.insert(shader.text.clone()) {
                continue;
            }
            for pass in passes::all().into_iter().filter(|pass| pass.colors.is_some()) {
                let shaded = Shaded::new(pass, Some(&shader));
                let (name, text) = (pass.name, &shaded.source);
                let module = wgsl::parse_str(text)
                    .unwrap_or_else(|e| panic!("{name}: {}", e.emit_to_string(text)));
                valid::Validator::new(valid::ValidationFlags::all(), valid::Capabilities::empty())
                    .validate(&module)
                    .unwrap_or_else(|e| panic!("{name}: {}", e.emit_to_string(text)));
                assert!(shaded.binds.len() <= 8, "{name} binds more than every device can");
            }
        }
        for (name, text) in crate::color::shader::NAMED {
            for word in ["fma(", "pow(", "exp2(", "log2(", "dot(", "const array"] {
                assert!(!text.contains(word), "{name} leaves {word}) to the driver");
            }
        }
        for formula in crate::color::curve::Formula::ALL {
            let function = format!("fn {}(", formula.function());
            assert!(crate::color::shader::NAMED[1].1.contains(&function), "{function}");
        }
    }

    #[test]
    fn parameters_lie_as_the_shader_reads_them() {
        let module = wgsl::parse_str(&Shaded::new(passes::all()[0], None).source).unwrap();
        let (_, params) =
            module.types.iter().find(|(_, t)| t.name.as_deref() == Some("Params")).unwrap();
        let wgpu::naga::TypeInner::Struct { span, .. } = params.inner else { panic!("no struct") };
        assert_eq!(span as usize, size_of::<super::super::params::Params>());
    }
}
