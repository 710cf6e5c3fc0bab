//! Whole recipes on both executors: the plate must not tell who rendered it.

use super::{gpu, recipes};
use crate::exec::cpu::CpuExecutor;
use crate::exec::gpu::{GpuExecutor, passes};
use crate::exec::plan::Plan;
use crate::{Executor, HalfImage, PlateRecipe};
use platefarm_model::Code;
use platefarm_model::raw::{Bayer, Packing};
use platefarm_model::recipe::{Debayer, Filter};
use std::sync::Arc;

/// Position of a half on a scale on which neighbours are 1 apart; both zeros are 0.
fn ordered(half: u16) -> i32 {
    let magnitude = i32::from(half & 0x7fff);
    if half & 0x8000 == 0 { magnitude } else { -magnitude }
}

/// The largest distance in halves, where it is, and how many samples differ at all.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Difference {
    pub(super) worst: i32,
    place: [usize; 3],
    pub(super) unequal: usize,
    pub(super) samples: usize,
}

impl Difference {
    pub(crate) fn of(a: &HalfImage, b: &HalfImage) -> Self {
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
    pub(crate) fn is_seamless(&self) -> bool {
        self.worst <= 1 && self.unequal <= self.samples.div_ceil(1000)
    }
}

pub(super) fn render(executor: &dyn Executor, recipe: &PlateRecipe) -> HalfImage {
    let bytes = recipes::frame(&recipe.layout, 17);
    executor.prepare(recipe).and_then(|mut ready| ready.run(&bytes)).unwrap()
}

#[test]
fn a_plate_is_the_same_from_the_cpu_and_the_gpu() {
    let Some((gpu, _turn)) = gpu() else { return };
    let (cpu, gpu) = (CpuExecutor::new(), GpuExecutor::with(gpu, None));
    let (mut unequal, mut samples) = (0, 0);
    let mended = recipes::mended_by_every_debayer();
    for (name, recipe) in recipes::every_debayer().into_iter().chain(mended) {
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

/// A shot whose frames come from both in turns: where nothing moves in the
/// scene, nothing moves in the plate.
#[test]
fn a_shot_from_both_has_no_seam() {
    let Some((gpu, _turn)) = gpu() else { return };
    let (cpu, gpu) = (CpuExecutor::new(), GpuExecutor::with(gpu, None));
    for debayer in Debayer::ALL {
        let layout = recipes::layout(150, 100, Packing::Msb12, Bayer::Rggb);
        let recipe = recipes::framed(layout, Filter::Lanczos3, [0.7, 0.6], [0.4, 3.2]);
        let recipe = PlateRecipe { debayer: *debayer, ..recipe };
        let bytes = recipes::frame(&recipe.layout, 8);
        let mut ready = [cpu.prepare(&recipe).unwrap(), gpu.prepare(&recipe).unwrap()];
        let shot: Vec<HalfImage> = (0..6).map(|i| ready[i % 2].run(&bytes).unwrap()).collect();
        for (a, b) in shot.iter().zip(&shot[1..]) {
            let difference = Difference::of(a, b);
            assert!(difference.is_seamless(), "{debayer:?}: {difference:?}");
            // Nor does the whole get lighter or darker by it.
            let steps = a.planes.iter().flatten().zip(b.planes.iter().flatten());
            let drift: i32 = steps.map(|(a, b)| ordered(*b) - ordered(*a)).sum();
            assert!(
                drift.unsigned_abs() as usize * 2000 <= difference.samples,
                "{debayer:?}: {drift}"
            );
        }
    }
}

/// The negative control of the comparisons above.
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
    for (name, recipe) in recipes::every_debayer().into_iter().step_by(7) {
        let plan = Plan::new(&recipe).unwrap();
        let lines = plan.content_size()[1];
        let whole = passes::largest(&plan, &plan.band(0..lines));
        let least = (0..lines).map(|y| passes::largest(&plan, &plan.band(y..y + 1))).max().unwrap();
        let expected = render(&GpuExecutor::with(Arc::clone(&gpu), None), &recipe);
        for limit in [least, least.midpoint(whole), whole] {
            let limit = limit.max(least);
            let bands = passes::bands_within(&plan, limit).unwrap().len();
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
        assert_eq!(fault.code, Code::TruncatedFile);
    }
}

#[test]
fn frames_overlap_and_keep_their_order() {
    let Some((gpu, _turn)) = gpu() else { return };
    let cpu = CpuExecutor::new();
    for (name, recipe) in recipes::every_debayer().into_iter().step_by(11) {
        let plan = Plan::new(&recipe).unwrap();
        let lines = plan.content_size()[1];
        let whole = passes::largest(&plan, &plan.band(0..lines));
        let least = (0..lines).map(|y| passes::largest(&plan, &plan.band(y..y + 1))).max().unwrap();
        let frame = |seed| recipes::frame(&recipe.layout, seed);
        let mut one = cpu.prepare(&recipe).unwrap();
        // In one band, and in more bands than there are slots.
        for limit in [whole, least.midpoint(whole), least] {
            let executor = GpuExecutor::with(Arc::clone(&gpu), Some(limit));
            let mut ready = executor.prepare(&recipe).unwrap();
            let depth = ready.depth();
            assert!(depth >= 2, "{name}: nothing overlaps");
            for seed in 0..depth as u64 {
                ready.submit(&frame(seed)).unwrap();
            }
            for seed in 0..12 {
                let expected = one.run(&frame(seed)).unwrap();
                let got = ready.finish().unwrap();
                let difference = Difference::of(&got, &expected);
                assert!(difference.is_seamless(), "{name}: frame {seed}: {difference:?}");
                assert_eq!(got.non_finite, expected.non_finite, "{name}: frame {seed}");
                // Refused on its own; those under way are none the worse.
                let fault = ready.submit(&frame(seed)[..3]).unwrap_err();
                assert_eq!(fault.code, Code::TruncatedFile);
                ready.submit(&frame(seed + depth as u64)).unwrap();
            }
            // Those under way are dropped with it; their buffers serve the next one.
        }
        let fault = one.finish().unwrap_err();
        assert_eq!(fault.code, Code::Internal);
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
