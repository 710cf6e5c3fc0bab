//! Tests of the CPU executor: bands, instruction sets, and a naive derivation in f64.

use super::*;
use crate::ops::resample::kernel;
use crate::twin::recipes;
use platefarm_model::raw::{CfaColor, Layout, MosaicLayout};
use platefarm_model::recipe::{Debayer, Filter};

fn render(executor: &CpuExecutor, recipe: &PlateRecipe) -> HalfImage {
    let bytes = recipes::frame(&recipe.layout, 17);
    executor.prepare(recipe).and_then(|mut ready| ready.run(&bytes)).unwrap()
}

/// Recipes of every kind, those of sensor data with each debayer.
fn of_every_debayer() -> Vec<(String, PlateRecipe)> {
    let (mosaics, pictures): (Vec<_>, Vec<_>) = recipes::every_kind()
        .into_iter()
        .partition(|(_, recipe)| matches!(recipe.layout, Layout::Mosaic(_)));
    let with = |debayer: &Debayer| {
        let debayer = *debayer;
        let named = |(name, recipe): &(String, PlateRecipe)| {
            (format!("{name} {}", debayer.name()), PlateRecipe { debayer, ..recipe.clone() })
        };
        mosaics.iter().map(named).collect::<Vec<_>>()
    };
    Debayer::ALL.iter().flat_map(with).chain(pictures).collect()
}

#[test]
fn neither_bands_nor_windows_nor_instruction_sets_can_be_seen() {
    for (name, recipe) in of_every_debayer() {
        let expected = render(&CpuExecutor::with(Level::new(), 1), &recipe);
        for (bands, window) in [(2, 1000), (3, 16), (7, 30), (1000, 7), (1, 1)] {
            let executor = CpuExecutor::with(Level::new(), bands).windowed(window);
            let got = render(&executor, &recipe);
            assert!(got == expected, "{name}: {bands} bands, windows of {window}");
        }
        let plain = render(&CpuExecutor::with(Level::baseline(), 2), &recipe);
        assert!(plain == expected, "{name}: without wide registers");
    }
}

#[test]
fn what_is_not_picture_is_black() {
    let (_, recipe) = recipes::all().swap_remove(0);
    let image = render(&CpuExecutor::new(), &recipe);
    let [left, top, right, bottom] = recipe.framing.content;
    for plane in &image.planes {
        for (i, half) in plane.iter().enumerate() {
            let (x, y) = (i as u32 % image.width, i as u32 / image.width);
            let inside = (left..right).contains(&x) && (top..bottom).contains(&y);
            assert!(inside || *half == 0, "{x},{y}");
        }
    }
}

#[test]
fn a_flip_is_the_picture_in_a_mirror_and_two_are_none() {
    for (name, recipe) in of_every_debayer() {
        let upright = render(&CpuExecutor::with(Level::new(), 2), &recipe);
        for flips in [[true, false], [false, true], [true, true]] {
            let mut turned = recipe.clone();
            turned.framing = recipe.framing.clone().flipped(flips);
            let mut image = render(&CpuExecutor::with(Level::new(), 3), &turned);
            for plane in &mut image.planes {
                let mut rows: Vec<&mut [u16]> = plane.chunks_mut(image.width as usize).collect();
                rows.iter_mut().filter(|_| flips[0]).for_each(|row| row.reverse());
                if flips[1] {
                    plane.reverse();
                    plane.chunks_mut(image.width as usize).for_each(<[u16]>::reverse);
                }
            }
            assert!(image == upright, "{name} {flips:?}");
            turned.framing = turned.framing.flipped(flips);
            let again = render(&CpuExecutor::with(Level::new(), 1), &turned);
            assert!(again == upright, "{name} {flips:?}, twice");
        }
    }
}

#[test]
fn samples_beyond_halves_are_counted() {
    let (_, recipe) = recipes::all().into_iter().find(|(name, _)| name == "beyond halves").unwrap();
    let image = render(&CpuExecutor::new(), &recipe);
    assert!(image.non_finite > 0);
    let full = image.planes.iter().flatten().filter(|h| **h & 0x7fff == 0x7bff).count();
    assert!(full as u64 >= image.non_finite);
    assert!(image.planes.iter().flatten().all(|h| h & 0x7c00 != 0x7c00), "all halves are finite");
}

// The same, written down a second time -----------------------------------------

/// The whole chain in double precision, straight from the definitions: no
/// rows, no bands, no tables, two-dimensional sums.
struct Naive<'a> {
    layout: &'a MosaicLayout,
    bytes: &'a [u8],
}

impl Naive<'_> {
    fn sample(&self, x: u32, y: u32) -> f64 {
        use platefarm_model::raw::Packing;
        let bits = self.layout.packing.bits() as usize;
        let row = &self.bytes[y as usize * self.layout.row_bytes..];
        if self.layout.packing == Packing::U16Le {
            return f64::from(row[2 * x as usize]) + 256.0 * f64::from(row[2 * x as usize + 1]);
        }
        let x = x as usize;
        if self.layout.packing == Packing::Lsb12 {
            let bit = |i: usize| f64::from(row[i / 8] >> (i % 8) & 1);
            return (0..bits).rev().fold(0.0, |value, i| 2.0 * value + bit(x * bits + i));
        }
        // Little-endian words have their bytes the other way round; ARRI's, their pairs, too.
        let (word, x) = match self.layout.packing {
            Packing::Word10 | Packing::Word12 | Packing::Word14 => (2, x),
            Packing::Arri12 => (4, x ^ 1),
            _ => (1, x),
        };
        let bit = |i: usize| f64::from(row[(i / 8) ^ (word - 1)] >> (7 - i % 8) & 1);
        (0..bits).fold(0.0, |value, i| 2.0 * value + bit(x * bits + i))
    }

    /// A white-balanced photosite; coordinates of the active area, mirrored at its edges.
    fn site(&self, x: i64, y: i64) -> f64 {
        let active = self.layout.active;
        let (x, y) = (mirror(x, active.width), mirror(y, active.height));
        let levels = &self.layout.levels;
        let site = (y % 2 * 2 + x % 2) as usize;
        let stored = self.sample(active.x + x, active.y + y);
        let linear = match levels.linearization.len() {
            0 => stored,
            n => f64::from(levels.linearization[(stored as usize).min(n - 1)]),
        };
        let delta = |d: &[f32], i: u32| d.get(i as usize).map_or(0.0, |v| f64::from(*v));
        let most = |d: &[f32], parity: u32| {
            d.iter()
                .skip(parity as usize)
                .step_by(2)
                .copied()
                .reduce(f32::max)
                .map_or(0.0, f64::from)
        };
        let base = f64::from(levels.black[site]);
        let black = base + delta(&levels.black_delta_h, x) + delta(&levels.black_delta_v, y);
        let blackest =
            base + most(&levels.black_delta_h, x % 2) + most(&levels.black_delta_v, y % 2);
        let gain = self.layout.white_balance[self.layout.bayer.color(y, x) as usize];
        (linear - black) / (f64::from(levels.white[site]) - blackest) * f64::from(gain)
    }

    /// A missing colour beside photosites that clip, as `debayer_mhc` defines it: the photosite
    /// times the ratio of both colours' means, weighted by nearness, no farther than its
    /// nearest photosites. None where nothing clips; `linear` where there is no ratio.
    fn beside_clips(&self, x: i64, y: i64, wanted: CfaColor, linear: f64) -> Option<f64> {
        let color = |x: i64, y: i64| {
            self.layout.bayer.color(y.rem_euclid(2) as u32, x.rem_euclid(2) as u32)
        };
        let own = color(x, y);
        let around = (0..25).map(|k| (k % 5 - 2, k / 5 - 2));
        let clips = |x: i64, y: i64| {
            let gain = self.layout.white_balance[color(x, y) as usize];
            self.site(x, y) >= f64::from(gain * crate::ops::debayer_mhc::CLIPS_FROM)
        };
        if !around.clone().any(|(dx, dy)| clips(x + dx, y + dy)) {
            return None;
        }
        let mean = |of: CfaColor| {
            let sites = around.clone().filter(|(dx, dy)| color(x + dx, y + dy) == of);
            let near = |(dx, dy): (i64, i64)| ((3 - dx.abs()) * (3 - dy.abs())) as f64;
            let sum: f64 = sites.clone().map(|at| near(at) * self.site(x + at.0, y + at.1)).sum();
            sum / sites.map(near).sum::<f64>()
        };
        let ratio = mean(own);
        let guess = if ratio > 0.0 { self.site(x, y) * mean(wanted) / ratio } else { linear };
        let nearest = around.clone().filter(|(dx, dy)| dx.abs() < 2 && dy.abs() < 2);
        let nearest = nearest.filter(|(dx, dy)| color(x + dx, y + dy) == wanted);
        let nearest = nearest.map(|(dx, dy)| self.site(x + dx, y + dy));
        let low = nearest.clone().fold(f64::INFINITY, f64::min);
        Some(guess.max(low).min(nearest.fold(f64::NEG_INFINITY, f64::max)))
    }

    /// The pixel, by the filters of the paper, and beside what clips by ours.
    fn pixel(&self, x: i64, y: i64) -> [f64; 3] {
        const GREEN: [[f64; 5]; 5] = [
            [0., 0., -1., 0., 0.],
            [0., 0., 2., 0., 0.],
            [-1., 2., 4., 2., -1.],
            [0., 0., 2., 0., 0.],
            [0., 0., -1., 0., 0.],
        ];
        const BESIDE: [[f64; 5]; 5] = [
            [0., 0., 0.5, 0., 0.],
            [0., -1., 0., -1., 0.],
            [-1., 4., 5., 4., -1.],
            [0., -1., 0., -1., 0.],
            [0., 0., 0.5, 0., 0.],
        ];
        const ACROSS: [[f64; 5]; 5] = [
            [0., 0., -1.5, 0., 0.],
            [0., 2., 0., 2., 0.],
            [-1.5, 0., 6., 0., -1.5],
            [0., 2., 0., 2., 0.],
            [0., 0., -1.5, 0., 0.],
        ];
        let color = |dx: i64, dy: i64| {
            self.layout.bayer.color((y + dy).rem_euclid(2) as u32, (x + dx).rem_euclid(2) as u32)
        };
        let sum = |filter: &[[f64; 5]; 5], turned: bool| -> f64 {
            (0..25)
                .map(|k| {
                    let (i, j) = (k / 5, k % 5);
                    let weight = if turned { filter[j][i] } else { filter[i][j] };
                    weight * self.site(x + j as i64 - 2, y + i as i64 - 2) / 8.0
                })
                .sum()
        };
        let mut rgb = [0.0; 3];
        for (plane, wanted) in
            [CfaColor::Red, CfaColor::Green, CfaColor::Blue].into_iter().enumerate()
        {
            rgb[plane] = match (color(0, 0), wanted) {
                (own, wanted) if own == wanted => self.site(x, y),
                (_, CfaColor::Green) => sum(&GREEN, false),
                (CfaColor::Green, wanted) => sum(&BESIDE, color(1, 0) != wanted),
                _ => sum(&ACROSS, false),
            };
            if color(0, 0) != wanted {
                rgb[plane] = self.beside_clips(x, y, wanted, rgb[plane]).unwrap_or(rgb[plane]);
            }
        }
        self.layout.camera_to_aces.map(|row| (0..3).map(|i| row[i] * rgb[i]).sum())
    }

    /// Weights of the source lines that a delivered line is made of, edges repeated.
    fn weights(&self, recipe: &PlateRecipe, axis: usize, line: u32) -> Vec<(i64, f64)> {
        let active = [self.layout.active.width, self.layout.active.height][axis];
        let crop = [self.layout.crop.x, self.layout.crop.y][axis];
        let (scale, offset) = (recipe.framing.scale[axis], recipe.framing.offset[axis]);
        let clamp = |i: i64| i.clamp(0, i64::from(active) - 1);
        let source = |delivered: f64| (delivered - offset) / scale + f64::from(crop);
        let center = source(f64::from(line) + 0.5);
        if scale.abs() == 1.0 && offset.fract() == 0.0 {
            return vec![(clamp(center.floor() as i64), 1.0)];
        }
        let shrink = scale.abs().min(1.0);
        let reach = (3.0 / shrink).ceil() as i64 + 1;
        let filter: Filter = recipe.framing.effective_filter();
        let edges = [source(f64::from(line)), source(f64::from(line) + 1.0)];
        let weight = |i: i64| match filter {
            Filter::Box => {
                let (low, high) = (edges[0].min(edges[1]), edges[0].max(edges[1]));
                (high.min(i as f64 + 1.0) - low.max(i as f64)).max(0.0)
            }
            _ => kernel::weight(filter, (i as f64 + 0.5 - center) * shrink),
        };
        let all: Vec<(i64, f64)> = (center as i64 - reach..=center as i64 + reach)
            .map(|i| (clamp(i), weight(i)))
            .filter(|(_, w)| *w != 0.0)
            .collect();
        let sum: f64 = all.iter().map(|(_, w)| w).sum();
        all.into_iter().map(|(i, w)| (i, w / sum)).collect()
    }
}

/// A weighted sum, within the range of its values where it must be.
fn sum(antiring: bool, parts: impl Iterator<Item = (f64, f64)> + Clone) -> f64 {
    let sum: f64 = parts.clone().map(|(weight, value)| weight * value).sum();
    if !antiring {
        return sum;
    }
    let low = parts.clone().map(|(_, value)| value).fold(f64::INFINITY, f64::min);
    sum.max(low).min(parts.map(|(_, value)| value).fold(f64::NEG_INFINITY, f64::max))
}

#[test]
fn the_chain_is_what_its_definitions_say() {
    for (name, recipe) in recipes::all().into_iter().filter(|(name, _)| name != "beyond halves") {
        let bytes = recipes::frame(&recipe.layout, 17);
        let image = render(&CpuExecutor::new(), &recipe);
        let layout = recipe.layout.mosaic().unwrap();
        let naive = Naive { layout, bytes: &bytes };
        let active = layout.active;
        let picture: Vec<[f64; 3]> = (0..active.height * active.width)
            .map(|i| naive.pixel(i64::from(i % active.width), i64::from(i / active.width)))
            .collect();
        let [left, top, right, bottom] = recipe.framing.content;
        let columns: Vec<_> = (left..right).map(|x| naive.weights(&recipe, 0, x)).collect();
        for y in top..bottom {
            let rows = naive.weights(&recipe, 1, y);
            for (x, columns) in (left..right).zip(&columns) {
                for p in 0..3 {
                    let column = |sx: i64| {
                        let pixel = |sy: i64| picture[(sy * i64::from(active.width) + sx) as usize];
                        sum(recipe.framing.antiring, rows.iter().map(|(sy, w)| (*w, pixel(*sy)[p])))
                    };
                    let e = sum(
                        recipe.framing.antiring,
                        columns.iter().map(|(sx, w)| (*w, column(*sx))),
                    );
                    let bits = image.planes[p][(y * image.width + x) as usize];
                    let got = half::f16::from_bits(bits).to_f64();
                    // Half of a half's last place, and what single precision adds to values around 1.
                    let allowed = e.abs().max(6.2e-5) * 2.0_f64.powi(-11) * 1.001 + 3e-6;
                    assert!(
                        (got - e).abs() <= allowed,
                        "{name}: plane {p} at {x},{y}: {got} is not {e}"
                    );
                }
            }
        }
    }
}
