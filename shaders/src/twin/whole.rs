//! Whole recipes on both executors: the plate must not tell who rendered it.

use super::{gpu, recipes};
use crate::exec::cpu::CpuExecutor;
use crate::exec::gpu::GpuExecutor;
use crate::exec::plan::Plan;
use crate::{Executor, HalfImage, PlateRecipe};
use std::sync::Arc;

/// Position of a half on a scale on which neighbours are 1 apart; both zeros are 0.
fn ordered(half: u16) -> i32 {
    let magnitude = i32::from(half & 0x7fff);
    if half & 0x8000 == 0 { magnitude } else { -magnitude }
}

/// The largest distance in halves, where it is, and how many samples differ at all.
#[derive(Debug, Default, PartialEq, Eq)]
struct Difference {
    worst: i32,
    place: [usize; 3],
    unequal: usize,
    samples: usize,
}

impl Difference {
    fn of(a: &HalfImage, b: &HalfImage) -> Self {
        assert_eq!((a.width, a.height), (b.width, b.height));
        let mut found = Self::default();
        for (p, (x, y)) in a.planes.iter().zip(&b.planes).enumerate() {
            found.samples += x.len();
            for (i, (x, y)) in x.iter().zip(y).enumerate() {
                let distance = (ordered(*x) - ordered(*y)).abs();
                found.unequal += usize::from(distance > 0);
                if distance > found.worst {
                    found.worst = distance;
                    found.place = [p, i % a.width as usize, i / a.width as usize];
                }
            }
        }
        found
    }

    /// At most one half apart, and 99.9 % equal, but for one sample of a small picture.
    fn is_seamless(&self) -> bool {
        self.worst <= 1 && self.unequal <= self.samples.div_ceil(1000)
    }
}

fn render(executor: &dyn Executor, recipe: &PlateRecipe) -> HalfImage {
    let bytes = recipes::frame(&recipe.layout, 17);
    executor.prepare(recipe).and_then(|mut ready| ready.run(&bytes)).unwrap()
}

#[test]
fn a_plate_is_the_same_from_the_cpu_and_the_gpu() {
    let Some((gpu, _turn)) = gpu() else { return };
    let (cpu, gpu) = (CpuExecutor::new(), GpuExecutor::with(gpu, None));
    let (mut unequal, mut samples) = (0, 0);
    for (name, recipe) in recipes::all() {
        let (a, b) = (render(&cpu, &recipe), render(&gpu, &recipe));
        let difference = Difference::of(&a, &b);
        assert!(difference.is_seamless(), "{name}: {difference:?}");
        assert_eq!(a.non_finite, b.non_finite, "{name}");
        let lit = a.planes.iter().flatten().filter(|h| **h != 0).count();
        assert!(lit > 0, "{name}: there is nothing to compare");
        unequal += difference.unequal;
        samples += difference.samples;
    }
    assert!(unequal * 1000 <= samples, "{unequal} of {samples} differ");
    println!("{unequal} of {samples} halves differ by one");
}

/// The negative control of the comparison above.
#[test]
fn a_recipe_made_wrong_is_noticed() {
    let Some((gpu, _turn)) = gpu() else { return };
    let (cpu, gpu) = (CpuExecutor::new(), GpuExecutor::with(gpu, None));
    let (_, recipe) = recipes::all().swap_remove(0);
    let mut wrong = recipe.clone();
    super::recipes::mosaic(&mut wrong).camera_to_aces[0][0] *= 1.01;
    let difference = Difference::of(&render(&cpu, &recipe), &render(&gpu, &wrong));
    assert!(!difference.is_seamless(), "{difference:?}");
}

#[test]
fn bands_cannot_be_seen() {
    let Some((gpu, _turn)) = gpu() else { return };
    for (name, recipe) in recipes::all().into_iter().step_by(7) {
        let plan = Plan::new(&recipe).unwrap();
        let lines = plan.content_size()[1];
        let whole = plan.bytes(&plan.band(0..lines)).largest();
        let least = (0..lines).map(|y| plan.bytes(&plan.band(y..y + 1)).largest()).max().unwrap();
        let expected = render(&GpuExecutor::with(Arc::clone(&gpu), None), &recipe);
        for limit in [least, least.midpoint(whole), whole] {
            let limit = limit.max(least);
            let bands = plan.bands_within(limit).unwrap().len();
            let banded = render(&GpuExecutor::with(Arc::clone(&gpu), Some(limit)), &recipe);
            assert!(
                banded == expected,
                "{name}: {bands} bands: {:?}",
                Difference::of(&banded, &expected)
            );
        }
    }
}

#[test]
fn a_prepared_recipe_renders_frame_after_frame() {
    let Some((gpu, _turn)) = gpu() else { return };
    let (cpu, gpu) = (CpuExecutor::new(), GpuExecutor::with(gpu, None));
    let (_, recipe) = recipes::all().swap_remove(0);
    let mut ready = [cpu.prepare(&recipe).unwrap(), gpu.prepare(&recipe).unwrap()];
    for seed in [1, 2, 3, 1] {
        let bytes = recipes::frame(&recipe.layout, seed);
        let [a, b] = ready.each_mut().map(|r| r.run(&bytes).unwrap());
        assert!(Difference::of(&a, &b).is_seamless(), "frame {seed}");
        // Too few bytes are refused, and the next frame is none the worse.
        let fault = ready[1].run(&bytes[..bytes.len() / 2]).unwrap_err();
        assert_eq!(fault.code, platefarm_model::Code::TruncatedFile);
    }
}

#[test]
fn backends_are_what_they_say() {
    use platefarm_model::recipe::Backend;
    let Some((gpu, _turn)) = gpu() else { return };
    assert_eq!(crate::executor(Backend::Cpu).unwrap().name(), "cpu");
    // `auto` must not take a software driver for a GPU.
    let auto = crate::executor(Backend::Auto).unwrap().name();
    assert!(auto == "cpu" || (auto.starts_with("gpu: ") && !auto.contains("llvmpipe")), "{auto}");
    assert_eq!(crate::executor(Backend::Gpu).unwrap().name(), format!("gpu: {}", gpu.name));
}
