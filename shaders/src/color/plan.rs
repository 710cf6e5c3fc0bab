//! From a chain to steps, and steps over pixels.

use super::cube_back::CubeBack;
use super::curve::Curve;
use super::lut::{Cube, Table};
use super::shader::Shader;
use super::step::{self, Formula, Mix};
use super::transfer::{self, Way};
use super::{aces1, aces2};
use crate::ops::finite;
use fearless_simd::Level;
use platefarm_model::color::chain::{Chain, Link};
use platefarm_model::color::transfer::Transfer;
use platefarm_model::color::{self, IDENTITY, Matrix3};
use std::sync::Arc;

/// Pixels that go through all steps together.
const BLOCK: usize = 2 * aces2::BLOCK;

/// A step as pixels need it.
#[derive(Clone, Debug)]
pub(super) enum Step {
    Mix(Mix),
    Curve(Curve),
    Tone(Arc<aces1::Tone>),
    Output2(Arc<aces2::Output2>, bool),
    Lut1d(Arc<Table>),
    Lut3d(Arc<Cube>),
    CubeBack(Arc<CubeBack>),
}

/// A chain made ready for pixels.
#[derive(Clone, Debug)]
pub struct Plan {
    links: Vec<Link>,
    made_of: Vec<usize>,
    steps: Vec<Step>,
    level: Level,
}

impl Default for Plan {
    /// The empty chain.
    fn default() -> Self {
        Self::new(&Chain::default())
    }
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
        let (links, made_of): (Vec<Link>, Vec<usize>) = joined(&chain.0).into_iter().unzip();
        let mut steps = Vec::new();
        let mut rest = &links[..];
        while let Some(first) = rest.first() {
            // Tone curves that follow each other stay in the logarithm.
            let tones = rest.iter().map_while(|link| match link {
                Link::Tone { curve, inverse } => Some((&**curve, *inverse)),
                _ => None,
            });
            let count = tones.clone().count();
            if count > 0 {
                steps.push(Step::Tone(Arc::new(aces1::Tone::new(tones))));
            } else {
                steps.extend(Step::of(first));
            }
            rest = &rest[count.max(1)..];
        }
        Self { links, made_of, steps, level }
    }

    /// What is left to do, in order: the chain after joining.
    #[must_use]
    pub fn links(&self) -> &[Link] {
        &self.links
    }

    /// Of how many links of the chain each of [`links`](Self::links) was made.
    #[must_use]
    pub fn made_of(&self) -> &[usize] {
        &self.made_of
    }

    /// Its form as a shader.
    pub(crate) fn shader(&self) -> Shader {
        Shader::new(&self.steps)
    }

    /// Takes the matrix away that it begins with, where that is all of its first step.
    pub(crate) fn take_matrix(&mut self) -> Option<[f32; 9]> {
        let Some(Link::Matrix { matrix, offset: [0.0, 0.0, 0.0] }) = self.links.first() else {
            return None;
        };
        let matrix = std::array::from_fn(|i| matrix[i / 3][i % 3] as f32);
        self.links.remove(0);
        self.made_of.remove(0);
        self.steps.remove(0);
        Some(matrix)
    }

    /// Runs it on three runs of equal length, in place. NaN is taken for 0 and
    /// what no half can hold for 65504; returns how many values were so.
    ///
    /// # Panics
    /// When the runs differ in length.
    pub fn run(&self, rgb: [&mut [f32]; 3]) -> u64 {
        self.apply(self.level, rgb)
    }

    /// [`run`](Self::run) with an instruction set.
    ///
    /// # Panics
    /// When the runs differ in length.
    pub(crate) fn apply(&self, level: Level, rgb: [&mut [f32]; 3]) -> u64 {
        let [red, green, blue] = rgb;
        assert!(red.len() == green.len() && red.len() == blue.len(), "runs of one picture");
        let mut wild = 0;
        let blocks = red.chunks_mut(BLOCK).zip(green.chunks_mut(BLOCK)).zip(blue.chunks_mut(BLOCK));
        let (first, rest) = match &self.steps[..] {
            [Step::Mix(first @ Mix { formula: Formula::Matrix, .. }), rest @ ..] => {
                (Some(first), rest)
            }
            steps => (None, steps),
        };
        for ((r, g), b) in blocks {
            wild += match first {
                Some(matrix) => step::finite_matrix(level, &matrix.numbers, [r, g, b]),
                None => [&mut *r, g, b].into_iter().map(|run| finite::cpu::run(level, run)).sum(),
            };
            for step in rest {
                step.run(level, [r, g, b]);
            }
        }
        wild
    }
}

/// Joins matrices and bounds that stand together and drops what does nothing;
/// each link with the number of those that it was made of.
fn joined(links: &[Link]) -> Vec<(Link, usize)> {
    let mut out: Vec<(Link, usize)> = Vec::new();
    for link in links {
        match out.last().and_then(|(last, _)| together(last, link)) {
            Some(both) => {
                let count = out.pop().map_or(1, |(_, count)| count + 1);
                out.extend(both.map(|link| (link, count)));
            }
            None => {
                let link = exact(link);
                if !link.is_identity() {
                    out.push((link, 1));
                }
            }
        }
    }
    out
}

/// What two links are together, where that is one link (`Some(Some)`) or nothing (`Some(None)`).
fn together(first: &Link, second: &Link) -> Option<Option<Link>> {
    match (first, second) {
        (Link::Matrix { matrix: a, offset: o }, Link::Matrix { matrix: b, offset: p }) => {
            let moved = color::apply(b, *o);
            let both = Link::Matrix {
                matrix: near_identity(color::mul(b, a)),
                offset: [0, 1, 2].map(|i| moved[i] + p[i]),
            };
            Some((!both.is_identity()).then_some(both))
        }
        (Link::Clamp { low: a, high: b }, Link::Clamp { low, high }) => {
            // The second bound is the last word, also where both cross.
            let bound = |v: f64| v.max(low.unwrap_or(f64::MIN)).min(high.unwrap_or(f64::MAX));
            Some(Some(Link::Clamp { low: a.map(bound).or(*low), high: b.map(bound).or(*high) }))
        }
        // Codes of a space to codes of the same space: nothing, but where a curve loses values.
        (Link::Decode(u), Link::Encode(t)) if t == u => {
            (!matches!(t, Transfer::AcesCc | Transfer::AppleLog)).then_some(None)
        }
        _ => None,
    }
}

/// A link whose matrix is the identity where it is that but for rounding.
fn exact(link: &Link) -> Link {
    match link {
        Link::Matrix { matrix, offset } => {
            Link::Matrix { matrix: near_identity(*matrix), offset: *offset }
        }
        other => other.clone(),
    }
}

/// A matrix that is the identity but for the rounding of f64 is it.
fn near_identity(m: Matrix3) -> Matrix3 {
    let near = m.as_flattened().iter().zip(IDENTITY.as_flattened());
    if near.into_iter().all(|(a, b)| (a - b).abs() < 1e-12) { IDENTITY } else { m }
}

impl Step {
    /// The steps of a link.
    fn of(link: &Link) -> Vec<Self> {
        let curves = |curves: Vec<Curve>| curves.into_iter().map(Self::Curve).collect();
        vec![match link {
            Link::Matrix { matrix, offset } => Self::Mix(Mix::matrix(matrix, offset)),
            Link::Decode(t) => return curves(transfer::transfer(t, Way::Decode)),
            Link::Encode(t) => return curves(transfer::transfer(t, Way::Encode)),
            Link::Exponent(exponent) => return curves(transfer::exponent(exponent)),
            Link::Log(log) => Self::Curve(transfer::logarithm(log)),
            Link::Clamp { low, high } => Self::Mix(Mix::clamp(*low, *high)),
            Link::Cdl(cdl) => Self::Mix(Mix::cdl(cdl)),
            Link::GamutCompress { inverse } => Self::Mix(Mix::gamut_compression(*inverse)),
            Link::Sweeten { inverse } => Self::Mix(Mix::sweeten(*inverse)),
            Link::Surround { weights, exponent, floor } => {
                Self::Mix(Mix::surround(weights, *exponent, *floor))
            }
            Link::Lut1d(table) => Self::Lut1d(Arc::new(Table::new(table))),
            Link::Lut3d(cube) if cube.inverse => Self::CubeBack(Arc::new(CubeBack::new(cube))),
            Link::Lut3d(cube) => Self::Lut3d(Arc::new(Cube::new(cube))),
            Link::Tone { curve, inverse } => {
                Self::Tone(Arc::new(aces1::Tone::new([(&**curve, *inverse)])))
            }
            Link::Output2 { target, inverse } => {
                let output = color::aces2::Output::new(*target);
                Self::Output2(Arc::new(aces2::Output2::new(&output)), *inverse)
            }
        }]
    }

    fn run(&self, level: Level, rgb: [&mut [f32]; 3]) {
        match self {
            Self::Mix(mix) => mix.run(level, rgb),
            Self::Curve(curve) => curve.run(level, rgb),
            Self::Tone(tone) => rgb.into_iter().for_each(|run| tone.run(level, run)),
            Self::Output2(output, false) => aces2::forward(level, output, rgb),
            Self::Output2(output, true) => aces2::inverse(level, output, rgb),
            Self::Lut1d(table) => pixels(rgb, |pixel| table.apply(pixel)),
            Self::Lut3d(cube) => pixels(rgb, |pixel| cube.apply(pixel)),
            Self::CubeBack(cube) => pixels(rgb, |pixel| cube.apply(pixel)),
        }
    }
}

fn pixels([red, green, blue]: [&mut [f32]; 3], f: impl Fn([f32; 3]) -> [f32; 3]) {
    for ((r, g), b) in red.iter_mut().zip(green.iter_mut()).zip(blue.iter_mut()) {
        [*r, *g, *b] = f([*r, *g, *b]);
    }
}
