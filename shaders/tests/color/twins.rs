//! Both forms of every colour transform on the same pixels: the grids of the
//! references, and values that are none.
//!
//! Both do the same arithmetic in the same order, so that they give the same
//! bits wherever a driver rounds sums and products as IEEE 754 says; quotients
//! and roots are corrected to the nearest, which may miss in a case in many
//! millions, and denormals may be flushed. So nearly all values must be equal,
//! and the rest as near as the table of the reference document asks. Of ACES 2.0
//! some neutral pixels differ by a few units; all others are equal.

use super::oracle::{cases, names};
use super::set::set;
use platefarm_model::color::chain::{Chain, Link};
use platefarm_model::color::display::DISPLAYS;
use platefarm_model::color::legacy::LEGACY;
use platefarm_model::color::output::{OutputTransform, registered};
use platefarm_model::color::output1::outputs1;
use platefarm_model::color::{IDENTITY, adx, space};
use platefarm_model::recipe::Backend;
use platefarm_shaders::color::Converter;
use std::io::Write;
use std::sync::{Mutex, PoisonError};

/// One in so many values may differ at all.
const ONE_IN: usize = 100_000;
/// The same of ACES 2.0: a neutral pixel has next to no colour, and the little of it that there is
/// comes out of differences of large values, of which a last digit may decide.
const ONE_IN_OF_2: usize = 500;
/// By how much, relative to the largest channel, at least 0.01.
const NEAR: f64 = 2e-5;

/// A chain on the GPU, which is opened once; `None` where this machine is excused.
pub(crate) fn on_gpu(chain: &Chain) -> Option<Converter> {
    static GPU: Mutex<Option<Converter>> = Mutex::new(None);
    let mut gpu = GPU.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(gpu) = &*gpu {
        return Some(gpu.again(chain).unwrap());
    }
    if std::env::var("PLATEFARM_NO_GPU_TESTS").is_ok_and(|v| v == "1") {
        let _ = writeln!(
            std::io::stderr(),
            "PLATEFARM_NO_GPU_TESTS=1: the GPU forms are not compared on this machine"
        );
        return None;
    }
    let opened = Converter::new(chain, Backend::Gpu).unwrap_or_else(|fault| {
        panic!("{fault}; install a Vulkan driver (Debian: mesa-vulkan-drivers) or set PLATEFARM_NO_GPU_TESTS=1")
    });
    gpu.insert(opened).again(chain).ok()
}

/// Values that are none, or far from any picture, in all combinations of channels.
pub(crate) fn wild() -> Vec<f32> {
    let wild = [
        f32::NAN,
        f32::INFINITY,
        f32::NEG_INFINITY,
        3.4e38,
        -3.4e38,
        65504.0,
        -65504.0,
        1e-45,
        -0.0,
        f32::MIN_POSITIVE,
        -1e-3,
        1.0,
    ];
    let n = wild.len();
    (0..n * n * n).flat_map(|i| [wild[i / n / n], wild[i / n % n], wild[i % n]]).collect()
}

/// Random codes and light, the same every time, and the named pixels of both grids.
pub(crate) fn grid() -> Vec<f32> {
    let grids = ["aces20_sdr100_srgb", "arri_logc4_to_aces"].map(|name| cases(name).remove(0));
    let mut values: Vec<f32> = grids
        .iter()
        .flat_map(|case| case.pixels().flat_map(|(input, _)| input.map(|v| v as f32)))
        .collect();
    let mut state = 11_u32;
    values.extend((0..3000).map(|_| {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        let unit = (state >> 8) as f32 / (1 << 24) as f32;
        // Codes, and light over sixteen stops.
        if state & 1 == 0 { unit * 1.4 - 0.2 } else { (unit * 16.0 - 10.0).exp2() }
    }));
    values.extend(wild());
    values
}

/// What differs: values, the largest difference and where.
#[derive(Debug, Default)]
pub(crate) struct Unequal {
    pub(crate) count: usize,
    pub(crate) worst: f64,
    pub(crate) place: String,
}

/// Holds both forms of a chain against each other; `None` without a GPU.
pub(crate) fn compare(ours: &Chain, on_device: &Chain, input: &[f32]) -> Option<Unequal> {
    let mut gpu = on_gpu(on_device)?;
    let mut cpu = Converter::new(ours, Backend::Cpu).unwrap();
    let (mut a, mut b) = (input.to_vec(), input.to_vec());
    let counted = (cpu.run(&mut a).unwrap(), gpu.run(&mut b).unwrap());
    assert_eq!(counted.0.given, counted.1.given, "values that no half can hold");
    let mut unequal = Unequal::default();
    for (i, (a, b)) in a.chunks(3).zip(b.chunks(3)).enumerate() {
        let size = a.iter().fold(0.01_f64, |m, v| m.max(f64::from(v.abs())));
        for (x, y) in a.iter().zip(b) {
            // Beyond any number: held at the largest, or 0 where it was none any more.
            let beyond = |v: f32| v.abs() == f32::MAX || v == 0.0;
            if (x - y).abs() <= f32::MIN_POSITIVE || beyond(*x) && beyond(*y) {
                continue;
            }
            unequal.count += 1;
            let off = f64::from((x - y).abs()) / size;
            if off > unequal.worst || !off.is_finite() {
                unequal.worst = if off.is_finite() { off } else { f64::MAX };
                unequal.place = format!("{:?}: cpu {a:?}, gpu {b:?}", &input[3 * i..][..3]);
            }
        }
    }
    Some(unequal)
}

/// Every transform that has a name, in every direction.
fn transforms() -> Vec<(String, Chain)> {
    let mut all = Vec::new();
    for space in space::SPACES {
        all.push((format!("{} to ACES2065-1", space.name), space.to_aces()));
        all.push((format!("ACES2065-1 to {}", space.name), space.from_aces()));
    }
    for display in DISPLAYS {
        all.push((format!("{} to ACES2065-1", display.name), display.to_aces().unwrap()));
        all.push((format!("ACES2065-1 to {}", display.name), display.from_aces()));
    }
    for bits in [10, 16] {
        let chain = adx::adx_to_aces(bits);
        all.push((format!("ACES2065-1 to ADX{bits}"), chain.inverse().unwrap()));
        all.push((format!("ADX{bits} to ACES2065-1"), chain));
    }
    for legacy in LEGACY {
        all.push((format!("{} to ACES2065-1", legacy.name), legacy.to_aces()));
        all.push((format!("ACES2065-1 to {}", legacy.name), legacy.from_aces()));
    }
    all.push(("blue light fix".into(), adx::blue_light_fix()));
    for output in outputs1() {
        all.push((output.name.into(), output.chain()));
        all.push((format!("{}, back", output.name), output.inverse_chain().unwrap()));
    }
    for id in registered() {
        let output = OutputTransform::parse(&id).unwrap();
        all.push((format!("{id}, back"), output.inverse_chain().unwrap()));
        all.push((id, output.chain()));
    }
    // The references' own, among them LogC3 at an exposure index and the gamut compression both ways.
    for name in names() {
        for case in cases(&name).into_iter().take(1) {
            all.extend(set(&name, &case).map(|set| (name.clone(), set.chain)));
        }
    }
    for index in [160.0, 1600.0, 3200.0] {
        let space = space::log_c3_space(index).unwrap();
        all.push((format!("LogC3 at {index}"), space.to_aces()));
        all.push((format!("LogC3 at {index}, back"), space.from_aces()));
    }
    all
}

#[test]
fn every_transform_says_the_same_on_both_sides() {
    let input = grid();
    let (mut values, mut count) = ([0; 2], [0; 2]);
    for (name, chain) in transforms() {
        let Some(unequal) = compare(&chain, &chain, &input) else { return };
        assert!(unequal.worst <= NEAR, "{name}: {unequal:?}");
        let second = chain.0.iter().any(|link| matches!(link, Link::Output2 { .. }));
        values[usize::from(second)] += input.len();
        count[usize::from(second)] += unequal.count;
    }
    println!("{count:?} of {values:?} values differ: all others, and ACES 2.0");
    assert!(count[0] * ONE_IN <= values[0], "{count:?} of {values:?} differ");
    assert!(count[1] * ONE_IN_OF_2 <= values[1], "{count:?} of {values:?} differ");
}

/// The negative control: a chain that is a little wrong is noticed.
#[test]
fn a_chain_made_wrong_is_noticed() {
    let input = grid();
    let mut matrix = IDENTITY;
    matrix[1][1] = 1.0001;
    for name in ["ARRI LogC4", "ACEScct"] {
        let chain = space::find(name).unwrap().to_aces();
        let wrong = Chain::matrix(matrix).then(chain.clone());
        let Some(unequal) = compare(&chain, &wrong, &input) else { return };
        assert!(unequal.worst > NEAR && unequal.count * ONE_IN > input.len(), "{unequal:?}");
    }
}
