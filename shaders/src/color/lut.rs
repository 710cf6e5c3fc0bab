//! Tables: one per channel, and cubes. Lookups go one value at a time; what a
//! value costs is the memory it touches.

use platefarm_model::color::chain::{Lut1d, Lut3d};

/// Finite halves.
const HALVES: usize = 2 * 0x7c00;

/// A table made ready.
#[derive(Clone, Debug)]
pub struct Table {
    lut: Lut1d,
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
    fn entry(&self, v: f32) -> (usize, f64) {
        let v = if self.falls { -v } else { v };
        let [first, end] = self.ends;
        let above = self.values.partition_point(|entry| *entry < v);
        if above <= first {
            return (first, 0.0);
        }
        if above > end {
            return (end, 0.0);
        }
        let (a, b) = (f64::from(self.values[above - 1]), f64::from(self.values[above]));
        (above - 1, if a == b { 0.0 } else { (f64::from(v) - a) / (b - a) })
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
        Self { lut: lut.clone(), back }
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
        let [first, last] = self.lut.domain;
        let end = (values.len() - 1) as f64;
        let at = ((f64::from(v) - first) / (last - first) * end).clamp(0.0, end);
        let low = (at as usize).min(values.len().saturating_sub(2));
        let high = (low + 1).min(values.len() - 1);
        let part = (at - low as f64) as f32;
        values[low] + (values[high] - values[low]) * part
    }

    fn backward(&self, back: &Back, v: f32) -> f32 {
        let (entry, part) = back.entry(v);
        if self.lut.half_domain {
            let at = |i: usize| f64::from(half_value(half_in_order(i.min(HALVES - 1))));
            let low = at(entry);
            return (low + (at(entry + 1) - low) * part) as f32;
        }
        let [first, last] = self.lut.domain;
        let end = (back.values.len() - 1) as f64;
        (first + (last - first) * (entry as f64 + part) / end) as f32
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
    order.sort_by(|a, b| before[*a].total_cmp(&before[*b]));
    let [least, middle, most] = order;
    let span = before[most] - before[least];
    let part = if span == 0.0 { 0.0 } else { (before[middle] - before[least]) / span };
    after[middle] = part * (after[most] - after[least]) + after[least];
    after
}

/// Replaces a pixel by a cube's value.
#[must_use]
pub fn cube(lut: &Lut3d, rgb: [f32; 3]) -> [f32; 3] {
    let end = (lut.size - 1) as f32;
    let mut low = [0; 3];
    let mut part = [0.0; 3];
    for i in 0..3 {
        let [first, last] = lut.domain.map(|d| d[i] as f32);
        let at = (rgb[i] - first) / (last - first) * end;
        // Also for NaN.
        let at = if at > 0.0 { at.min(end) } else { 0.0 };
        low[i] = (at as usize).min(lut.size.saturating_sub(2));
        part[i] = at - low[i] as f32;
    }
    let high = low.map(|i| (i + 1).min(lut.size - 1));
    let entry = |r: usize, g: usize, b: usize| {
        let at = ((r * lut.size + g) * lut.size + b) * 3;
        [lut.values[at], lut.values[at + 1], lut.values[at + 2]]
    };
    if lut.tetrahedral {
        tetrahedron(low, high, part, entry)
    } else {
        let mut out = [0.0; 3];
        for corner in 0..8 {
            let pick = |i: usize| corner >> i & 1 == 1;
            let at = |i: usize| if pick(i) { high[i] } else { low[i] };
            let weight: f32 =
                (0..3).map(|i| if pick(i) { part[i] } else { 1.0 - part[i] }).product();
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
