//! Whether the two forms of everything say the same.
//!
//! Each operation brings trials (inputs, and what its CPU form makes of them)
//! that run through its shader text alone; whole recipes run through both
//! executors. An adapter must be there, a software driver will do: without one
//! these tests fail, unless `PLATEFARM_NO_GPU_TESTS=1` says that this machine
//! cannot have one. Each comparison must also be able to fail: every operation
//! names a fault, and a shader with that fault has to be noticed.

mod colors;
pub(crate) mod pictures;
pub(crate) mod recipes;
pub(crate) mod whole;

use crate::exec::gpu::device::Gpu;
use crate::ops::{EXACT, OPS, Op, Tolerance};
use platefarm_model::Outcome;
use std::io::Write;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

/// One input of an operation, with what the CPU form makes of it.
pub struct Trial {
    /// What is special about it.
    pub name: String,
    /// Shader text: `fn probe(i: u32) -> u32`, output word `i` from `params` and `input`.
    pub probe: String,
    /// Words that the probe reads as `params`; not empty.
    pub params: Vec<u32>,
    /// Words that the probe reads as `input`.
    pub input: Vec<u32>,
    /// Words that the CPU form gives.
    pub expected: Vec<u32>,
    /// The words are floats: for each, the largest magnitude of what it is made of.
    pub floats: Option<Vec<f32>>,
}

/// The GPU of the tests, one at a time; `None` where this machine is excused.
pub(crate) fn gpu() -> Option<(Arc<Gpu>, MutexGuard<'static, ()>)> {
    static GPU: OnceLock<Arc<Gpu>> = OnceLock::new();
    static TURN: Mutex<()> = Mutex::new(());
    if std::env::var("PLATEFARM_NO_GPU_TESTS").is_ok_and(|v| v == "1") {
        // Not `eprintln!`, which the test harness would swallow.
        let _ = writeln!(
            std::io::stderr(),
            "PLATEFARM_NO_GPU_TESTS=1: the GPU forms are not compared on this machine"
        );
        return None;
    }
    let turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
    let gpu = GPU.get_or_init(|| {
        Arc::new(Gpu::open(true).unwrap_or_else(|fault| {
            panic!("{fault}; install a Vulkan driver (Debian: mesa-vulkan-drivers) or set PLATEFARM_NO_GPU_TESTS=1")
        }))
    });
    Some((Arc::clone(gpu), turn))
}

/// Runs a trial through `wgsl` on the GPU.
pub(crate) fn play(gpu: &Gpu, wgsl: &str, trial: &Trial) -> Outcome<Vec<u32>> {
    play_on(gpu, EXACT, wgsl, trial)
}

/// As [`play`], with another arithmetic than [`EXACT`].
fn play_on(gpu: &Gpu, exact: &str, wgsl: &str, trial: &Trial) -> Outcome<Vec<u32>> {
    use wgpu::BufferUsages as Usage;
    use wgpu::util::DeviceExt;
    let source = format!(
        "@group(0) @binding(0) var<storage, read> params: array<u32>;
        @group(0) @binding(1) var<storage, read> input: array<u32>;
        @group(0) @binding(2) var<storage, read_write> output: array<u32>;
        // The word behind the trial's own.
        fn opaque_zero() -> u32 {{ return params[arrayLength(&params) - 1u]; }}
        {exact}
        {wgsl}
        {}
        @compute @workgroup_size(64)
        fn main(@builtin(global_invocation_id) id: vec3<u32>) {{
            // Both inputs are read, so that the layout has them whatever the probe does.
            if (id.x < arrayLength(&output) && arrayLength(&params) + arrayLength(&input) > 0u) {{
                output[id.x] = probe(id.x);
            }}
        }}",
        trial.probe
    );
    gpu.watched(|| {
        let device = &gpu.device;
        let module = device.create_shader_module(wgpu::ShaderModuleDescriptor {
            label: Some(&trial.name),
            source: wgpu::ShaderSource::Wgsl(source.into()),
        });
        let pipeline = device.create_compute_pipeline(&wgpu::ComputePipelineDescriptor {
            label: Some(&trial.name),
            layout: None,
            module: &module,
            entry_point: None,
            compilation_options: wgpu::PipelineCompilationOptions::default(),
            cache: None,
        });
        let size = trial.expected.len() as u64 * 4;
        let filled = |words: &[u32]| {
            device.create_buffer_init(&wgpu::util::BufferInitDescriptor {
                label: None,
                contents: bytemuck::cast_slice(words),
                usage: Usage::STORAGE,
            })
        };
        let empty = |usage| {
            device.create_buffer(&wgpu::BufferDescriptor {
                label: None,
                size,
                usage,
                mapped_at_creation: false,
            })
        };
        let output = empty(Usage::STORAGE | Usage::COPY_SRC);
        let read = empty(Usage::COPY_DST | Usage::MAP_READ);
        let params = [&trial.params[..], &[0]].concat();
        let (params, input) = (filled(&params), filled(&trial.input));
        let bindings = device.create_bind_group(&wgpu::BindGroupDescriptor {
            label: None,
            layout: &pipeline.get_bind_group_layout(0),
            entries: &[
                wgpu::BindGroupEntry { binding: 0, resource: params.as_entire_binding() },
                wgpu::BindGroupEntry { binding: 1, resource: input.as_entire_binding() },
                wgpu::BindGroupEntry { binding: 2, resource: output.as_entire_binding() },
            ],
        });
        let mut encoder = device.create_command_encoder(&wgpu::CommandEncoderDescriptor::default());
        {
            let mut pass = encoder.begin_compute_pass(&wgpu::ComputePassDescriptor::default());
            pass.set_pipeline(&pipeline);
            pass.set_bind_group(0, &bindings, &[]);
            pass.dispatch_workgroups((trial.expected.len() as u32).div_ceil(64), 1, 1);
        }
        encoder.copy_buffer_to_buffer(&output, 0, &read, 0, size);
        let submission = gpu.queue.submit([encoder.finish()]);
        read.map_async(wgpu::MapMode::Read, .., drop);
        gpu.wait(submission)?;
        let view = read.get_mapped_range(..).expect("the wait has mapped it");
        Ok(bytemuck::pod_collect_to_vec(&view))
    })
}

/// The worst difference of a trial, as a multiple of what is allowed.
#[derive(Debug)]
pub(crate) struct Worst {
    /// More than 1 is too much.
    pub(crate) excess: f64,
    /// Where, and what the two forms say there.
    pub(crate) place: String,
}

/// Compares what the GPU gave with a trial's expectation. Non-finite floats
/// are of one kind: shaders need not tell them apart, and `to_half` makes all
/// of them finite.
pub(crate) fn compare(trial: &Trial, got: &[u32], bound: Tolerance) -> Worst {
    assert_eq!(got.len(), trial.expected.len());
    let mut worst = Worst { excess: 0.0, place: "nowhere".into() };
    for (i, (a, b)) in got.iter().zip(&trial.expected).enumerate() {
        let excess = match &trial.floats {
            _ if a == b => 0.0,
            None => f64::INFINITY,
            Some(magnitudes) => {
                let (x, y) = (f32::from_bits(*a), f32::from_bits(*b));
                // Drivers may flush denormals.
                let allowed = bound.abs * magnitudes[i] + bound.rel * y.abs() + f32::MIN_POSITIVE;
                match (x.is_finite(), y.is_finite()) {
                    (true, true) => f64::from((x - y).abs()) / f64::from(allowed),
                    (false, false) => 0.0,
                    _ => f64::INFINITY,
                }
            }
        };
        if excess > worst.excess {
            let show = |bits: u32| match trial.floats {
                Some(_) => format!("{:e}", f32::from_bits(bits)),
                None => format!("{bits:#x}"),
            };
            worst =
                Worst { excess, place: format!("word {i}: gpu {}, cpu {}", show(*a), show(*b)) };
        }
    }
    worst
}

#[test]
fn every_operation_says_the_same_on_both_sides() {
    let Some((gpu, _turn)) = gpu() else { return };
    for op in OPS {
        let trials = op.trials();
        assert!(!trials.is_empty(), "{} is never tried", op.name());
        for trial in trials {
            let got = play(&gpu, op.wgsl(), &trial)
                .unwrap_or_else(|fault| panic!("{}, {}: {fault}", op.name(), trial.name));
            let worst = compare(&trial, &got, op.tolerance());
            let Worst { excess, place } = worst;
            assert!(
                excess <= 1.0,
                "{}, {}: {excess} times the bound, {place}",
                op.name(),
                trial.name
            );
        }
    }
}

/// The negative control: a comparison that cannot fail proves nothing.
#[test]
fn a_shader_made_wrong_is_noticed() {
    let Some((gpu, _turn)) = gpu() else { return };
    let noticed = |op: &dyn Op, wgsl: &str| {
        op.trials().iter().any(|trial| {
            let got = play(&gpu, wgsl, trial)
                .unwrap_or_else(|fault| panic!("{}, {}: {fault}", op.name(), trial.name));
            compare(trial, &got, op.tolerance()).excess > 1.0
        })
    };
    for op in OPS {
        let (right, wrong) = op.sabotage();
        assert_eq!(op.wgsl().matches(right).count(), 1, "{} has no single '{right}'", op.name());
        assert!(noticed(*op, &op.wgsl().replace(right, wrong)), "{}: '{wrong}' went by", op.name());
    }
}

/// Quotients and roots are those of IEEE 754 even where the driver's are some
/// units off, which is what this makes of them.
#[test]
fn quotients_and_roots_do_not_depend_on_the_driver() {
    let Some((gpu, _turn)) = gpu() else { return };
    let count = 20_000;
    let [a, b] = [1, 2].map(|seed| {
        let mut next = random(seed);
        // Any sign and any fraction, over forty powers of two.
        let value = |bits: u64| {
            f32::from_bits(bits as u32 & 0x807f_ffff | (107 + (bits >> 40) as u32 % 40) << 23)
        };
        (0..count).map(|_| value(next())).collect::<Vec<f32>>()
    });
    let expected = a.iter().zip(&b).flat_map(|(a, b)| [a / b, a.abs().sqrt()]);
    let trial = Trial {
        name: "quotients and roots".into(),
        probe: format!(
            "fn value(i: u32) -> f32 {{ return bitcast<f32>(input[i]); }}
            fn probe(i: u32) -> u32 {{
                let a = value(i / 2u);
                return bitcast<u32>(select(divided(a, value({count}u + i / 2u)), root(abs(a)), (i & 1u) == 1u));
            }}"
        ),
        params: vec![0],
        input: a.iter().chain(&b).map(|v| v.to_bits()).collect(),
        expected: expected.map(f32::to_bits).collect(),
        floats: None,
    };
    let unequal = |exact: &str| {
        let got = play_on(&gpu, exact, "", &trial).unwrap();
        got.iter().zip(&trial.expected).filter(|(a, b)| a != b).count()
    };
    assert_eq!(unequal(EXACT), 0);
    // 0x1.000004p0 is 2 units above 1: what a driver may be off by.
    let loose = EXACT
        .replace("= a / b;", "= a / b * 0x1.000004p0f;")
        .replace("= sqrt(x);", "= sqrt(x) * 0x1.000004p0f;");
    assert_eq!(unequal(&loose), 0);
    let raw = loose.replace("near + rounded(rest / b)", "near");
    assert!(unequal(&raw) > count / 3, "the control went by");
}

// Inputs -------------------------------------------------------------------

/// Bytes as words, low byte first, with a word or two to read past the end.
pub(crate) fn words(bytes: &[u8]) -> Vec<u32> {
    let mut padded = bytes.to_vec();
    padded.resize(bytes.len().next_multiple_of(4) + 8, 0xa5);
    padded.as_chunks::<4>().0.iter().map(|w| u32::from_le_bytes(*w)).collect()
}

/// A generator that gives the same numbers everywhere (splitmix64).
fn random(seed: u64) -> impl FnMut() -> u64 {
    let mut state = seed;
    move || {
        state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = state;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }
}

/// Bytes without a pattern.
pub(crate) fn noise_bytes(count: usize, seed: u64) -> Vec<u8> {
    let mut next = random(seed);
    (0..count).map(|_| next() as u8).collect()
}

/// Floats between two bounds.
pub(crate) fn noise(count: usize, seed: u64, low: f32, high: f32) -> Vec<f32> {
    let mut next = random(seed);
    (0..count).map(|_| low + (high - low) * ((next() >> 40) as f32 / (1 << 24) as f32)).collect()
}

/// NaN, infinities, zeros, denormals.
pub(crate) fn special_values() -> Vec<f32> {
    vec![
        f32::NAN,
        -f32::NAN,
        f32::INFINITY,
        f32::NEG_INFINITY,
        0.0,
        -0.0,
        1e-45,
        -1e-39,
        f32::MIN_POSITIVE,
    ]
}

/// A ramp, 1e-8 to 6e4 in small steps, the same negative, and special values.
pub(crate) fn wide_range() -> Vec<f32> {
    let mut values: Vec<f32> = (0..=1000).map(|i| i as f32 / 1000.0).collect();
    let mut v = 1e-8_f32;
    while v < 6e4 {
        values.extend([v, -v]);
        v *= 1.03;
    }
    values.extend(special_values());
    values
}
