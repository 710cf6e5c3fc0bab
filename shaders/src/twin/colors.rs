//! Colour in plates: in the passes that are there anyhow, on both executors,
//! and on the right side of the resample.

use super::whole::{Difference, render};
use super::{gpu, recipes};
use crate::color::Plan as Colors;
use crate::exec::cpu::CpuExecutor;
use crate::exec::gpu::{GpuExecutor, passes};
use crate::exec::plan::Plan;
use crate::{PlateColor, PlateRecipe};
use platefarm_model::color::chain::{Chain, Link};
use platefarm_model::color::{output::OutputTransform, output1::outputs1, space};
use std::sync::Arc;

/// An ACES 2.0 output transform.
fn output(id: &str) -> Chain {
    OutputTransform::parse(id).unwrap().chain()
}

/// Colours on one or both sides of the resample, by name.
fn colors() -> Vec<(&'static str, PlateColor)> {
    let none = Chain::default;
    let log = space::find("ARRI LogC4").unwrap();
    let cg = space::find("ACEScg").unwrap();
    let sdr = output("Rec709-D65_100nit_in_Rec709-D65_sRGB-Piecewise");
    let gamut = cg.from_aces().then(Chain(vec![Link::GamutCompress { inverse: false }]));
    vec![
        ("a display", PlateColor { before: none(), after: sdr.clone() }),
        ("a log", PlateColor { before: none(), after: log.from_aces() }),
        ("from a log to a display", PlateColor { before: log.to_aces(), after: sdr }),
        ("ACES 1.3", PlateColor { before: none(), after: outputs1()[0].chain() }),
        ("a gamut, compressed before", PlateColor { before: gamut, after: cg.to_aces() }),
        ("another gamut", PlateColor { before: none(), after: cg.from_aces() }),
    ]
}

/// Recipes of every debayer and kind of picture, a few of each, every colour on some of them.
fn colored() -> Vec<(String, PlateRecipe)> {
    let colors = colors();
    recipes::every_debayer()
        .into_iter()
        .step_by(5)
        .zip(colors.iter().cycle())
        .map(|((name, recipe), (color, with))| {
            (format!("{name}, {color}"), PlateRecipe { color: with.clone(), ..recipe })
        })
        .collect()
}

#[test]
fn a_plate_in_color_is_the_same_from_the_cpu_and_the_gpu() {
    let Some((gpu, _turn)) = gpu() else { return };
    let (cpu, gpu) = (CpuExecutor::new(), GpuExecutor::with(gpu, None));
    for (name, recipe) in colored() {
        let (a, b) = (render(&cpu, &recipe), render(&gpu, &recipe));
        let difference = Difference::of(&a, &b);
        assert!(difference.is_seamless(), "{name}: {difference:?}");
        assert_eq!(a.non_finite, b.non_finite, "{name}");
        let plain = PlateRecipe { color: PlateColor::default(), ..recipe };
        let difference = Difference::of(&a, &render(&cpu, &plain));
        assert!(!difference.is_seamless(), "{name}: colour did nothing");
    }
}

#[test]
fn bands_of_a_plate_in_color_cannot_be_seen() {
    let Some((gpu, _turn)) = gpu() else { return };
    for (name, recipe) in colored().into_iter().step_by(3) {
        let plan = Plan::new(&recipe).unwrap();
        let lines = plan.content_size()[1];
        let limit = (0..lines).map(|y| passes::largest(&plan, &plan.band(y..y + 1))).max().unwrap();
        let whole = render(&GpuExecutor::with(Arc::clone(&gpu), None), &recipe);
        let banded = render(&GpuExecutor::with(Arc::clone(&gpu), Some(limit)), &recipe);
        assert!(whole == banded, "{name}");
        let level = fearless_simd::Level::baseline();
        assert!(
            render(&CpuExecutor::with(level, 7), &recipe) == render(&CpuExecutor::new(), &recipe)
        );
    }
}

/// A display sees light that was filtered as light: colour after the resample
/// is the same as colour on the finished plate, and not that before it.
#[test]
fn light_is_filtered_before_a_display_is_served() {
    let cpu = CpuExecutor::new();
    let (_, recipe) = recipes::all().swap_remove(0);
    let (_, display) = colors().swap_remove(0);
    let plain = render(&cpu, &recipe);
    let mut rgb = plain.planes.clone().map(|plane| {
        plane.into_iter().map(|h| half::f16::from_bits(h).to_f32()).collect::<Vec<f32>>()
    });
    let [r, g, b] = &mut rgb;
    Colors::new(&display.after).run([r, g, b]);
    let off = |color: PlateColor| {
        let shown = render(&cpu, &PlateRecipe { color, ..recipe.clone() });
        let pairs = shown.planes.iter().flatten().zip(rgb.iter().flatten());
        pairs.map(|(h, v)| (half::f16::from_bits(*h).to_f32() - v).abs()).fold(0.0, f32::max)
    };
    // Halves of the plain plate are this coarse, in codes.
    let after = off(display.clone());
    assert!(after < 4e-3, "{after}");
    let before = off(PlateColor { before: display.after, after: Chain::default() });
    assert!(before > 10.0 * after, "{before} and {after}");
}

#[test]
fn color_costs_no_pass_and_a_matrix_nothing() {
    for (name, recipe) in colored() {
        let plain = PlateRecipe { color: PlateColor::default(), ..recipe.clone() };
        let [plain, plan] = [plain, recipe].map(|recipe| Plan::new(&recipe).unwrap());
        let names = |plan: &Plan| passes::of(plan).iter().map(|p| p.name).collect::<Vec<_>>();
        assert_eq!(names(&plain), names(&plan), "{name}");
        if name.ends_with("another gamut") {
            assert!(plan.after.is_none() && plan.before.is_none(), "{name}");
            assert_ne!(plan.matrix, plain.matrix, "{name}");
        }
    }
}
