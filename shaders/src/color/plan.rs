//! From a chain to steps, and steps over pixels.

use super::curve::Way;
use super::lut::Table;
use super::{aces1, aces2, curve, lut, step};
use fearless_simd::Level;
use platefarm_model::color::chain::{Chain, Link, Lut3d};
use platefarm_model::color::transfer::Transfer;
use platefarm_model::color::{self, IDENTITY, Matrix3};
use std::sync::Arc;

/// Pixels that go through all steps together.
const BLOCK: usize = 2 * aces2::BLOCK;

/// A step as pixels need it.
#[derive(Clone, Debug)]
enum Step {
    Matrix([f32; 9], [f32; 3]),
    Curve(Transfer, Way),
    Clamp([f32; 2]),
    Link(Link),
    Lut1d(Arc<Table>),
    Lut3d(Arc<Lut3d>),
    Tone(Arc<aces1::Tone>),
    Output2(Arc<aces2::Output2>, bool),
}

/// A chain made ready for pixels.
#[derive(Clone, Debug)]
pub struct Plan {
    links: Vec<Link>,
    steps: Vec<Step>,
    level: Level,
}

impl Plan {
    /// Plans a chain for this machine.
    #[must_use]
    pub fn new(chain: &Chain) -> Self {
        Self::with(chain, Level::new())
    }

    /// Plans a chain for an instruction set. The values do not depend on it.
    #[must_use]
    pub fn with(chain: &Chain, level: Level) -> Self {
        let links = joined(&chain.0);
        let steps = links.iter().map(Step::new).collect();
        Self { links, steps, level }
    }

    /// What is left to do, in order: the chain after joining.
    #[must_use]
    pub fn links(&self) -> &[Link] {
        &self.links
    }

    /// Runs it on three runs of equal length, in place. NaN is taken for 0 and
    /// magnitudes beyond 65504 for 65504; returns how many values were not finite.
    ///
    /// # Panics
    /// When the runs differ in length.
    pub fn run(&self, rgb: [&mut [f32]; 3]) -> u64 {
        let [red, green, blue] = rgb;
        assert!(red.len() == green.len() && red.len() == blue.len(), "runs of one picture");
        let mut wild = 0;
        let blocks = red.chunks_mut(BLOCK).zip(green.chunks_mut(BLOCK)).zip(blue.chunks_mut(BLOCK));
        for ((r, g), b) in blocks {
            wild += step::tame(self.level, [r, g, b]);
            for step in &self.steps {
                step.run(self.level, [r, g, b]);
            }
        }
        wild
    }
}

/// Joins matrices that stand together and drops what does nothing.
fn joined(links: &[Link]) -> Vec<Link> {
    let mut out: Vec<Link> = Vec::new();
    for link in links {
        if let (
            Link::Matrix { matrix: b, offset: p },
            Some(Link::Matrix { matrix: a, offset: o }),
        ) = (link, out.last())
        {
            let moved = color::apply(b, *o);
            let joined = Link::Matrix {
                matrix: near_identity(color::mul(b, a)),
                offset: [0, 1, 2].map(|i| moved[i] + p[i]),
            };
            out.pop();
            if !joined.is_identity() {
                out.push(joined);
            }
        } else if let (Link::Encode(t), Some(Link::Decode(u))) = (link, out.last())
            && t == u
        {
            // Codes of a space to codes of the same space: nothing, but where a curve loses values.
            if matches!(t, Transfer::AcesCc | Transfer::AppleLog) {
                out.push(link.clone());
            } else {
                out.pop();
            }
        } else if !link.is_identity() {
            out.push(link.clone());
        }
    }
    out
}

/// A matrix that is the identity but for the rounding of f64 is it.
fn near_identity(m: Matrix3) -> Matrix3 {
    let near = m.as_flattened().iter().zip(IDENTITY.as_flattened());
    if near.into_iter().all(|(a, b)| (a - b).abs() < 1e-12) { IDENTITY } else { m }
}

impl Step {
    fn new(link: &Link) -> Self {
        match link {
            Link::Matrix { matrix, offset } => Self::Matrix(
                std::array::from_fn(|i| matrix[i / 3][i % 3] as f32),
                offset.map(|v| v as f32),
            ),
            Link::Decode(transfer) => Self::Curve(*transfer, Way::Decode),
            Link::Encode(transfer) => Self::Curve(*transfer, Way::Encode),
            Link::Clamp { low, high } => {
                let bound = |v: Option<f64>, none: f32| v.map_or(none, |v| v as f32);
                Self::Clamp([bound(*low, f32::MIN), bound(*high, f32::MAX)])
            }
            Link::Lut1d(table) => Self::Lut1d(Arc::new(Table::new(table))),
            Link::Lut3d(cube) => Self::Lut3d(Arc::clone(cube)),
            Link::Tone(spline) => Self::Tone(Arc::new(aces1::Tone::new(spline))),
            Link::Output2 { target, inverse } => {
                let output = color::aces2::Output::new(*target);
                Self::Output2(Arc::new(aces2::Output2::new(&output)), *inverse)
            }
            Link::Cdl(_)
            | Link::Exponent(_)
            | Link::Log(_)
            | Link::GamutCompress { .. }
            | Link::Sweeten
            | Link::Surround { .. } => Self::Link(link.clone()),
        }
    }

    fn run(&self, level: Level, rgb: [&mut [f32]; 3]) {
        match self {
            Self::Matrix(matrix, offset) => step::matrix(level, matrix, offset, rgb),
            Self::Curve(transfer, way) => {
                rgb.into_iter().for_each(|run| curve::run(level, transfer, *way, run));
            }
            Self::Clamp(bounds) => step::clamp(level, *bounds, rgb),
            Self::Lut1d(table) => pixels(rgb, |pixel| table.apply(pixel)),
            Self::Lut3d(cube) => pixels(rgb, |pixel| lut::cube(cube, pixel)),
            Self::Tone(tone) => rgb.into_iter().for_each(|run| tone.run(level, run)),
            Self::Output2(output, false) => aces2::forward(level, output, rgb),
            Self::Output2(output, true) => aces2::inverse(level, output, rgb),
            Self::Link(link) => match link {
                Link::Cdl(cdl) => step::cdl(level, cdl, rgb),
                Link::Exponent(exponent) => step::exponent(level, exponent, rgb),
                Link::Log(log) => step::log(level, log, rgb),
                Link::GamutCompress { inverse } => step::gamut_compress(level, *inverse, rgb),
                Link::Sweeten => aces1::sweeten(level, rgb),
                Link::Surround { weights, exponent, floor } => {
                    step::surround(level, *weights, *exponent, *floor, rgb);
                }
                _ => {}
            },
        }
    }
}

fn pixels([red, green, blue]: [&mut [f32]; 3], f: impl Fn([f32; 3]) -> [f32; 3]) {
    for ((r, g), b) in red.iter_mut().zip(green.iter_mut()).zip(blue.iter_mut()) {
        [*r, *g, *b] = f([*r, *g, *b]);
    }
}
