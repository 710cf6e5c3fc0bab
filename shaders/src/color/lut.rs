//! Tables: one per channel, and cubes. Lookups go one value at a time; what a
//! value costs is the memory it touches.

use platefarm_model::color::chain::{Lut1d, Lut3d};
use std::cmp::Ordering;
use std::sync::Arc;

/// Finite halves.
const HALVES: usize = 2 * 0x7c00;

/// A table made ready.
#[derive(Clone, Debug)]
pub struct Table {
    lut: Lut1d,
    /// Input of the first entry; entries per unit of input, and its inverse.
    first: f32,
    scale: f32,
    unscale: f32,
    /// For the way back, per channel.
    back: Option<[Back; 3]>,
}

/// A channel's values in the order of their inputs, none falling.
#[derive(Clone, Debug)]
struct Back {
    values: Vec<f32>,
    /// Whether the channel falls; its values are then negated.
    falls: bool,
    /// Entries between which it is not flat at an end.
    ends: [usize; 2],
}

impl Back {
    /// Where values fall within a channel that rises, each is raised to the largest so far.
    fn new(mut values: Vec<f32>) -> Self {
        let last = values.len() - 1;
        let falls = values[last] < values[0];
        if falls {
            values.iter_mut().for_each(|v| *v = -*v);
        }
        for i in 1..values.len() {
            values[i] = values[i].max(values[i - 1]);
        }
        let first = values.partition_point(|v| *v <= values[0]).saturating_sub(1);
        let end = values.partition_point(|v| *v < values[last]);
        Self { falls, ends: [first.min(end), end], values }
    }

    /// The entry, with its part of the way to the next, that has the value `v`.
    fn entry(&self, v: f32) -> (usize, f32) {
        let v = if self.falls { -v } else { v };
        let [first, end] = self.ends;
        let above = self.values.partition_point(|entry| *entry < v);
        if above <= first {
            return (first, 0.0);
        }
        if above > end {
            return (end, 0.0);
        }
        let (a, b) = (self.values[above - 1], self.values[above]);
        (above - 1, if a == b { 0.0 } else { (v - a) / (b - a) })
    }
}

impl Table {
    /// Takes a table as a chain has it.
    #[must_use]
    pub fn new(lut: &Lut1d) -> Self {
        let back = lut.inverse.then(|| {
            [0, 1, 2].map(|channel| {
                let values = &lut.values[channel * lut.length..][..lut.length];
                Back::new(if lut.half_domain {
                    (0..HALVES).map(|i| values[usize::from(half_in_order(i))]).collect()
                } else {
                    values.to_vec()
                })
            })
        });
        let [first, last] = lut.domain;
        let steps = (lut.length - 1) as f64;
        Self {
            first: first as f32,
            scale: (steps / (last - first)) as f32,
            unscale: ((last - first) / steps) as f32,
            lut: lut.clone(),
            back,
        }
    }

    /// Whether it is indexed by halves, and whether it is undone.
    pub(super) fn kind(&self) -> (bool, bool) {
        (self.lut.half_domain, self.back.is_some())
    }

    /// Whether the middle channel is set anew.
    pub(super) fn keeps_hue(&self) -> bool {
        self.lut.hue_adjust
    }

    /// What the shader reads for a channel: input of the first entry, entries
    /// per unit or its inverse, the last entry; for the way back the sign of
    /// the channel and the entries of its ends; then the entries.
    pub(super) fn numbers(&self, channel: usize) -> Vec<f32> {
        match &self.back {
            None => {
                let values = &self.lut.values[channel * self.lut.length..][..self.lut.length];
                [&[self.first, self.scale, (values.len() - 1) as f32], values].concat()
            }
            Some(back) => {
                let Back { values, falls, ends: [first, end] } = &back[channel];
                let sign = if *falls { -1.0 } else { 1.0 };
                let head = [
                    self.first,
                    self.unscale,
                    (values.len() - 1) as f32,
                    sign,
                    *first as f32,
                    *end as f32,
                ];
                [&head[..], values].concat()
            }
        }
    }

    /// Replaces a pixel.
    #[must_use]
    pub fn apply(&self, rgb: [f32; 3]) -> [f32; 3] {
        let out = [0, 1, 2].map(|channel| {
            if let Some(back) = &self.back {
                return self.backward(&back[channel], rgb[channel]);
            }
            let values = &self.lut.values[channel * self.lut.length..][..self.lut.length];
            if self.lut.half_domain {
                by_half(values, rgb[channel])
            } else {
                self.forward(values, rgb[channel])
            }
        });
        if self.lut.hue_adjust { keep_hue(rgb, out) } else { out }
    }

    fn forward(&self, values: &[f32], v: f32) -> f32 {
        let end = (values.len() - 1) as f32;
        let at = ((v - self.first) * self.scale).max(0.0).min(end);
        let low = (at as usize).min(values.len().saturating_sub(2));
        let high = (low + 1).min(values.len() - 1);
        values[low] + (values[high] - values[low]) * (at - low as f32)
    }

    fn backward(&self, back: &Back, v: f32) -> f32 {
        let (entry, part) = back.entry(v);
        if self.lut.half_domain {
            let at = |i: usize| half_value(half_in_order(i.min(HALVES - 1)));
            let low = at(entry);
            return low + (at(entry + 1) - low) * part;
        }
        self.first + (entry as f32 + part) * self.unscale
    }
}

/// Bits of the finite half at a place in the order of their values.
fn half_in_order(place: usize) -> u16 {
    if place < 0x7c00 { 0xfbff - place as u16 } else { place as u16 - 0x7c00 }
}

/// A table whose entries are the halves, by their bits: between two, the part of the way.
fn by_half(values: &[f32], v: f32) -> f32 {
    let near = crate::ops::to_half::cpu::half_bits(v);
    let at = half_value(near);
    let step =
        if (at < v) == (near < 0x8000) { near.wrapping_add(1) } else { near.wrapping_sub(1) };
    let other = if at == v || step & 0x7fff > 0x7bff { near } else { step };
    let (a, b) = (at, half_value(other));
    let part = if a == b { 0.0 } else { (v - a) / (b - a) };
    let [low, high] = [near, other].map(|bits| values[usize::from(bits).min(values.len() - 1)]);
    low + (high - low) * part.clamp(0.0, 1.0)
}

/// Value of a finite half.
fn half_value(bits: u16) -> f32 {
    let magnitude = f32::from_bits(u32::from(bits & 0x7fff) << 13) * 2.0_f32.powi(112);
    if bits & 0x8000 == 0 { magnitude } else { -magnitude }
}

/// Sets the middle channel where it stood between the others (ACES, "restore hue, DW3").
fn keep_hue(before: [f32; 3], mut after: [f32; 3]) -> [f32; 3] {
    let mut order = [0, 1, 2];
    order.sort_by(|a, b| before[*a].partial_cmp(&before[*b]).unwrap_or(Ordering::Equal));
    let [least, middle, most] = order;
    let span = before[most] - before[least];
    let part = if span == 0.0 { 0.0 } else { (before[middle] - before[least]) / span };
    after[middle] = part * (after[most] - after[least]) + after[least];
    after
}

/// A cube made ready.
#[derive(Clone, Debug)]
pub struct Cube {
    lut: Arc<Lut3d>,
    /// Input of the first entry of each axis, and entries per unit of input.
    first: [f32; 3],
    scale: [f32; 3],
}

impl Cube {
    /// Takes a cube as a chain has it.
    #[must_use]
    pub fn new(lut: &Arc<Lut3d>) -> Self {
        let [first, last] = lut.domain;
        let end = (lut.size - 1) as f64;
        Self {
            lut: Arc::clone(lut),
            first: first.map(|v| v as f32),
            scale: [0, 1, 2].map(|i| (end / (last[i] - first[i])) as f32),
        }
    }

    /// Whether between entries it is tetrahedral.
    pub(super) fn is_tetrahedral(&self) -> bool {
        self.lut.tetrahedral
    }

    /// What the shader reads: first inputs, entries per unit, the last entry, the entries.
    pub(super) fn numbers(&self) -> Vec<f32> {
        [&self.first[..], &self.scale, &[(self.lut.size - 1) as f32], &self.lut.values].concat()
    }

    /// Replaces a pixel by the cube's value.
    #[must_use]
    pub fn apply(&self, rgb: [f32; 3]) -> [f32; 3] {
        let lut = &*self.lut;
        let end = (lut.size - 1) as f32;
        let at = [0, 1, 2].map(|i| ((rgb[i] - self.first[i]) * self.scale[i]).max(0.0).min(end));
        let low = at.map(|at| (at as usize).min(lut.size.saturating_sub(2)));
        let part = [0, 1, 2].map(|i| at[i] - low[i] as f32);
        let high = low.map(|i| (i + 1).min(lut.size - 1));
        let entry = |r: usize, g: usize, b: usize| {
            let at = ((r * lut.size + g) * lut.size + b) * 3;
            [lut.values[at], lut.values[at + 1], lut.values[at + 2]]
        };
        if lut.tetrahedral {
            return tetrahedron(low, high, part, entry);
        }
        let mut out = [0.0; 3];
        for corner in 0..8 {
            let pick = |i: usize| corner >> i & 1 == 1;
            let at = |i: usize| if pick(i) { high[i] } else { low[i] };
            let of = |i: usize| if pick(i) { part[i] } else { 1.0 - part[i] };
            let weight = (of(0) * of(1)) * of(2);
            let value = entry(at(0), at(1), at(2));
            out = [0, 1, 2].map(|i| out[i] + weight * value[i]);
        }
        out
    }
}

/// From the low corner to the high one along the edges, the axis with the largest part first.
fn tetrahedron(
    low: [usize; 3],
    high: [usize; 3],
    part: [f32; 3],
    entry: impl Fn(usize, usize, usize) -> [f32; 3],
) -> [f32; 3] {
    let mut order = [0, 1, 2];
    order.sort_by(|a, b| part[*b].total_cmp(&part[*a]));
    let mut at = low;
    let mut value = entry(at[0], at[1], at[2]);
    let mut out = value;
    for axis in order {
        at[axis] = high[axis];
        let next = entry(at[0], at[1], at[2]);
        out = [0, 1, 2].map(|i| out[i] + (next[i] - value[i]) * part[axis]);
        value = next;
    }
    out
}
