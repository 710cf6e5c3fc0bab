//! The scene: a plate that shows what goes wrong. A clipped sun, a checkered
//! floor that runs into the distance, a rotating star and a sweep whose detail
//! reaches the limit of the raster, hair on a green screen, colour patches, a
//! turning ball in front, and a slate with clip name and frame.
//!
//! Everything is evaluated per pixel from the same functions at any size.
//! Edges are anti-aliased by a box of one pixel, and periodic detail fades out
//! before it reaches half a cycle a pixel, so the scene itself holds no aliases:
//! what appears in a plate was made by the debayer or the resample.
//!
//! Coordinates: the picture's height is 1 and its centre the origin, x to the
//! right, y down; `wide` is half the width.

use crate::arith::{Rgb, clamp01, cos_turns, cover, hash, mix, sin_turns, unit};
use crate::font;
use crate::spec::ClipSpec;
use rayon::prelude::*;

/// The whole picture, row by row over the active area.
pub(crate) fn picture(spec: &ClipSpec, index: u32) -> Vec<[f32; 3]> {
    let frame = Frame::new(spec, index);
    let width = spec.width as usize;
    let mut out = vec![[0f32; 3]; width * spec.height as usize];
    out.par_chunks_exact_mut(width).enumerate().for_each(|(y, line)| {
        let mut light = vec![[0.0; 3]; width];
        frame.row(y as u32, &mut light);
        for (to, from) in line.iter_mut().zip(light) {
            *to = from.map(|v| v as f32);
        }
    });
    out
}

const HORIZON: f64 = 0.06;
const HAZE: Rgb = [0.62, 0.47, 0.36];
const HAIR_CELL: f64 = 0.0115;
const STAR_SPOKES: f64 = 48.0;

/// Reflectances of four rows of six patches, rounded: skins, foliage, sky,
/// saturated hues, the primaries of print, and six greys.
const PATCHES: [[Rgb; 6]; 4] = [
    [
        [0.17, 0.08, 0.06],
        [0.56, 0.30, 0.22],
        [0.12, 0.20, 0.34],
        [0.10, 0.15, 0.05],
        [0.23, 0.21, 0.43],
        [0.13, 0.51, 0.41],
    ],
    [
        [0.70, 0.20, 0.03],
        [0.06, 0.10, 0.38],
        [0.54, 0.08, 0.12],
        [0.11, 0.04, 0.14],
        [0.34, 0.50, 0.05],
        [0.77, 0.36, 0.03],
    ],
    [
        [0.02, 0.05, 0.29],
        [0.05, 0.30, 0.07],
        [0.44, 0.03, 0.04],
        [0.85, 0.57, 0.01],
        [0.50, 0.09, 0.30],
        [0.01, 0.24, 0.37],
    ],
    [
        [0.89, 0.89, 0.89],
        [0.58, 0.58, 0.58],
        [0.36, 0.36, 0.36],
        [0.18, 0.18, 0.18],
        [0.09, 0.09, 0.09],
        [0.03, 0.03, 0.03],
    ],
];

/// A rectangle given by centre and half sides.
#[derive(Clone, Copy, Debug)]
struct Panel {
    x: f64,
    y: f64,
    half_width: f64,
    half_height: f64,
}

impl Panel {
    /// How much of the pixel at `x`, `y` the panel covers.
    fn cover(&self, x: f64, y: f64, pixel: f64) -> f64 {
        cover(self.half_width - (x - self.x).abs(), pixel)
            * cover(self.half_height - (y - self.y).abs(), pixel)
    }
}

/// One hair where a row crosses it.
#[derive(Clone, Copy, Debug)]
struct Hair {
    x: f64,
    half_width: f64,
    color: Rgb,
}

/// What is constant over a row of the floor.
#[derive(Clone, Copy, Debug)]
struct Floor {
    depth: f64,
    wave: f64,
    contrast: f64,
    haze: f64,
}

/// One frame of the scene, with all that is constant over it.
pub(crate) struct Frame {
    width: f64,
    height: f64,
    pixel: f64,
    wide: f64,
    /// Progress in periods of four seconds.
    time: f64,
    seed: u64,
    star: Panel,
    screen: Panel,
    chart: Panel,
    sweep: Panel,
    star_turn: [f64; 2],
    ball: [f64; 2],
    ball_turn: [f64; 2],
    slate: Vec<[u8; font::ROWS]>,
}

impl Frame {
    /// The scene of `spec` at the frame `index`.
    pub(crate) fn new(spec: &ClipSpec, index: u32) -> Self {
        let (width, height) = (f64::from(spec.width), f64::from(spec.height));
        let wide = width / height / 2.0;
        let seconds = f64::from(index) * f64::from(spec.rate.denominator())
            / f64::from(spec.rate.numerator());
        let time = seconds / 4.0;
        // The ball crosses and comes back, and bounces twice on each way.
        let phase = time - time.floor();
        let across = 1.0 - (2.0 * phase - 1.0).abs();
        let hop = 4.0 * across - (4.0 * across).floor();
        let turn = |turns: f64| [cos_turns(turns), sin_turns(turns)];
        let panel = |x: f64, y, half_width: f64, half_height| {
            let fit = (wide / (8.0 / 9.0)).min(1.0);
            Panel { x: x * wide, y, half_width: half_width * fit, half_height }
        };
        let slate = format!("{} {index:04}", spec.name);
        Self {
            width,
            height,
            pixel: 1.0 / height,
            wide,
            time,
            seed: spec.seed,
            star: panel(0.66, -0.14, 0.235, 0.235),
            screen: panel(-0.66, 0.17, 0.25, 0.20),
            chart: panel(0.0, 0.22, 0.24, 0.165),
            sweep: panel(0.0, 0.445, 0.84, 0.02),
            star_turn: turn(time / 24.0),
            ball: [wide * (1.5 * across - 0.75), -0.20 - 0.6 * hop * (1.0 - hop)],
            ball_turn: turn(time * 2.0),
            slate: slate.bytes().map(font::glyph).collect(),
        }
    }

    /// Scene RGB of the pixels of row `row`; `out` is as long as the active area is wide.
    pub(crate) fn row(&self, row: u32, out: &mut [Rgb]) {
        let y = (f64::from(row) + 0.5 - self.height / 2.0) * self.pixel;
        let floor = (y > HORIZON - self.pixel).then(|| self.floor_row(y));
        let hairs = if self.screen.cover(self.screen.x, y, self.pixel) > 0.0 {
            self.hairs(y)
        } else {
            Vec::new()
        };
        for (column, to) in out.iter_mut().enumerate() {
            let x = (column as f64 + 0.5 - self.width / 2.0) * self.pixel;
            let sky = self.sky(x, y);
            let mut c = match &floor {
                Some(floor) => mix(sky, self.floor(x, floor), cover(y - HORIZON, self.pixel)),
                None => sky,
            };
            for (panel, paint) in [
                (&self.star, Self::star as fn(&Self, f64, f64) -> Rgb),
                (&self.chart, Self::chart),
                (&self.sweep, Self::sweep),
            ] {
                let part = panel.cover(x, y, self.pixel);
                if part > 0.0 {
                    c = mix(c, paint(self, x, y), part);
                }
            }
            let part = self.screen.cover(x, y, self.pixel);
            if part > 0.0 {
                c = mix(c, self.hair_on_green(x, &hairs), part);
            }
            if let Some((color, part)) = self.ball(x, y) {
                c = mix(c, color, part);
            }
            let ink = self.slate(x, y);
            *to = if ink > 0.0 { mix(c, [0.88; 3], ink) } else { c };
        }
    }

    /// A gradient to the horizon and a sun 20 times brighter than white.
    fn sky(&self, x: f64, y: f64) -> Rgb {
        let t = clamp01((y + 0.5) / (HORIZON + 0.5));
        let base = mix([0.06, 0.15, 0.42], HAZE, t * t);
        let (dx, dy) = (x + 0.62 * self.wide, y + 0.30);
        let d2 = dx * dx + dy * dy;
        let glow = 0.004 / (0.008 + d2);
        let disk = cover(0.045 - d2.sqrt(), self.pixel);
        let lit = [base[0] + 0.50 * glow, base[1] + 0.36 * glow, base[2] + 0.20 * glow];
        if disk > 0.0 { mix(lit, [20.0, 17.0, 12.0], disk) } else { lit }
    }

    fn floor_row(&self, y: f64) -> Floor {
        let depth = 0.16 / (y - HORIZON).max(self.pixel / 4.0);
        // A pixel's height on the floor grows with the square of its distance.
        let footprint = depth * depth / 0.16 * self.pixel;
        let cycles_per_pixel = 0.8 * footprint;
        Floor {
            depth,
            wave: sin_turns(0.8 * depth + 2.0 * self.time),
            contrast: clamp01((0.35 - cycles_per_pixel) / 0.2),
            haze: clamp01(depth / (depth + 6.0)),
        }
    }

    /// Smooth checkers, fading into the haze.
    fn floor(&self, x: f64, floor: &Floor) -> Rgb {
        let s = floor.wave * sin_turns(0.8 * x * floor.depth / 0.5);
        let square = s / (s * s + 0.004).sqrt() * floor.contrast;
        mix(mix([0.08, 0.065, 0.06], [0.42, 0.36, 0.30], 0.5 + 0.5 * square), HAZE, floor.haze)
    }

    /// A sinusoidal Siemens star: the real part of (z/|z|)^48, by squaring.
    fn star(&self, x: f64, y: f64) -> Rgb {
        let (dx, dy) = (x - self.star.x, y - self.star.y);
        let r = (dx * dx + dy * dy).sqrt();
        let ink = cover(self.star.half_height * 0.94 - r, self.pixel);
        if ink <= 0.0 || r < self.pixel {
            return mix([0.74, 0.73, 0.70], [0.40; 3], ink);
        }
        let multiply =
            |a: [f64; 2], b: [f64; 2]| [a[0] * b[0] - a[1] * b[1], a[0] * b[1] + a[1] * b[0]];
        let unit = multiply([dx / r, dy / r], self.star_turn);
        let mut square = unit;
        for _ in 0..4 {
            square = multiply(square, square);
        }
        let spokes = multiply(square, multiply(square, square))[0];
        let cycles_per_pixel = STAR_SPOKES * self.pixel / (std::f64::consts::TAU * r);
        let contrast = clamp01((0.47 - cycles_per_pixel) / 0.12);
        mix([0.74, 0.73, 0.70], [0.40 + 0.36 * contrast * spokes; 3], ink)
    }

    /// Twenty-four patches on a dark board.
    fn chart(&self, x: f64, y: f64) -> Rgb {
        let u = (x - self.chart.x) / self.chart.half_width * 0.5 + 0.5;
        let v = (y - self.chart.y) / self.chart.half_height * 0.5 + 0.5;
        let (u, v) = ((u * 1.04 - 0.02) * 6.0, (v * 1.06 - 0.03) * 4.0);
        let (column, row) = (u.floor(), v.floor());
        if !(0.0..6.0).contains(&column) || !(0.0..4.0).contains(&row) {
            return [0.025; 3];
        }
        let along = |t: f64, half: f64, cells: f64, spread: f64| {
            cover((0.42 - (t - t.floor() - 0.5).abs()) * 2.0 * half * spread / cells, self.pixel)
        };
        let ink = along(u, self.chart.half_width, 6.0, 1.0 / 1.04)
            * along(v, self.chart.half_height, 4.0, 1.0 / 1.06);
        mix([0.025; 3], PATCHES[row as usize][column as usize], ink)
    }

    /// A sweep from 0 to nearly half a cycle a pixel, left to right.
    fn sweep(&self, x: f64, _y: f64) -> Rgb {
        let length = 2.0 * self.sweep.half_width / self.pixel;
        let at = (x - self.sweep.x + self.sweep.half_width) / self.pixel;
        let phase = 0.46 * at * at / (2.0 * length);
        [0.36 + 0.32 * cos_turns(phase); 3]
    }

    /// Where each hair crosses the row `y`.
    fn hairs(&self, y: f64) -> Vec<Hair> {
        let down = clamp01((y - self.screen.y) / self.screen.half_height * 0.5 + 0.5);
        let count = (2.0 * self.screen.half_width / HAIR_CELL) as u64;
        (0..count)
            .map(|i| {
                let of = |what: u64| unit(hash(self.seed) ^ (i * 8 + what));
                let sway = sin_turns((0.8 + 1.6 * of(0)) * y + of(1) + 0.5 * self.time);
                let rest = self.screen.x - self.screen.half_width + (i as f64 + 0.5) * HAIR_CELL;
                Hair {
                    x: rest + HAIR_CELL * (0.5 * (of(2) - 0.5) + 0.7 * down * sway),
                    half_width: self.pixel * (0.35 + 0.9 * of(3)),
                    color: mix([0.035, 0.022, 0.015], [0.46, 0.31, 0.15], of(4) * of(4)),
                }
            })
            .collect()
    }

    /// Hair a pixel or two wide over a green screen.
    fn hair_on_green(&self, x: f64, hairs: &[Hair]) -> Rgb {
        let mut c = [0.07, 0.36, 0.10];
        let cell = (x - self.screen.x + self.screen.half_width) / HAIR_CELL;
        let first = (cell - 2.0).max(0.0) as usize;
        for hair in hairs.iter().skip(first).take(4) {
            let part = cover(hair.half_width - (x - hair.x).abs(), self.pixel)
                .min(2.0 * hair.half_width / self.pixel);
            if part > 0.0 {
                c = mix(c, hair.color, part);
            }
        }
        c
    }

    /// The ball's colour at `x`, `y` and how much of the pixel it covers.
    fn ball(&self, x: f64, y: f64) -> Option<(Rgb, f64)> {
        const RADIUS: f64 = 0.12;
        let (dx, dy) = ((x - self.ball[0]) / RADIUS, (y - self.ball[1]) / RADIUS);
        let d2 = dx * dx + dy * dy;
        if d2 > 1.0 + 4.0 * self.pixel / RADIUS {
            return None;
        }
        let part = cover((1.0 - d2.sqrt()) * RADIUS, self.pixel);
        let dz = (1.0 - d2).max(0.0).sqrt();
        let turned = [
            dx * self.ball_turn[0] + dz * self.ball_turn[1],
            dz * self.ball_turn[0] - dx * self.ball_turn[1],
        ];
        // Three planes through the axis cut six sectors; their signs alternate.
        let edge = 2.0 * self.pixel / RADIUS;
        let mut parity = 1.0;
        for normal in [[1.0, 0.0], [0.5, 0.866], [-0.5, 0.866]] {
            let side = turned[0] * normal[0] + turned[1] * normal[1];
            parity *= (side / edge).clamp(-1.0, 1.0);
        }
        let paint = mix([0.62, 0.035, 0.03], [0.80, 0.79, 0.74], 0.5 + 0.5 * parity);
        // The light comes from the sun's side; the gloss clips.
        let facing = (-0.55 * dx - 0.45 * dy + 0.70 * dz).max(0.0);
        let half = (-0.30 * dx - 0.245 * dy + 0.922 * dz).max(0.0);
        let mut gloss = half;
        for _ in 0..7 {
            gloss *= gloss;
        }
        let shade = 0.14 + 0.86 * facing;
        Some((paint.map(|v| v * shade + 6.0 * gloss), part))
    }

    /// How much ink of the slate lies at `x`, `y`.
    fn slate(&self, x: f64, y: f64) -> f64 {
        let block = 0.007;
        let columns = self.slate.len() * font::ADVANCE;
        let u = (x + columns as f64 * block / 2.0) / block;
        let v = (y + 0.455) / block;
        if !(0.0..columns as f64).contains(&u) || !(-1.0..font::ROWS as f64 + 1.0).contains(&v) {
            return 0.0;
        }
        let size = (self.pixel / block).min(1.0);
        let (left, right) = split(u, size);
        let (top, bottom) = split(v, size);
        let mut ink = 0.0;
        for (column, a) in [left, right] {
            for (row, b) in [top, bottom] {
                if a * b > 0.0 && self.block(column, row) {
                    ink += a * b;
                }
            }
        }
        ink
    }

    /// Whether the slate has ink in the block at `column` and `row`.
    fn block(&self, column: f64, row: f64) -> bool {
        if column < 0.0 || !(0.0..font::ROWS as f64).contains(&row) {
            return false;
        }
        let (letter, bit) = (column as usize / font::ADVANCE, column as usize % font::ADVANCE);
        bit < 5 && self.slate.get(letter).is_some_and(|g| g[row as usize] >> (4 - bit) & 1 == 1)
    }
}

/// The one or two unit cells that an interval of `size` (at most 1) around `at`
/// touches, each with the part of the interval that lies in it.
fn split(at: f64, size: f64) -> ((f64, f64), (f64, f64)) {
    let (from, to) = (at - size / 2.0, at + size / 2.0);
    let (first, last) = (from.floor(), to.floor());
    let second = if last > first { (to - last) / size } else { 0.0 };
    ((first, 1.0 - second), (last, second))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn small() -> ClipSpec {
        ClipSpec { width: 320, height: 180, ..ClipSpec::default() }
    }

    #[test]
    fn light_is_finite_and_never_negative() {
        for index in [0, 7, 50] {
            for rgb in picture(&small(), index) {
                assert!(rgb.iter().all(|v| v.is_finite() && (0.0..=20.0).contains(v)), "{rgb:?}");
            }
        }
    }

    #[test]
    fn the_picture_moves_and_most_of_it_does_not_clip() {
        let (a, b) = (picture(&small(), 0), picture(&small(), 1));
        let moved = a.iter().zip(&b).filter(|(a, b)| a != b).count();
        assert!(moved > a.len() / 20, "{moved} of {} pixels moved", a.len());
        let clipped = a.iter().filter(|rgb| rgb.iter().any(|v| *v > 1.0)).count();
        assert!((1..a.len() / 10).contains(&clipped), "{clipped} pixels clip");
    }

    /// Outside the panels whose detail follows the raster, a small picture is
    /// near to the mean of 4x4 pixels of a larger one.
    #[test]
    fn the_scene_does_not_depend_on_the_size() {
        let frame = Frame::new(&small(), 3);
        let (small, big) =
            (picture(&small(), 3), picture(&ClipSpec { width: 1280, height: 720, ..small() }, 3));
        let (mut sum, mut count) = (0.0, 0);
        for (i, rgb) in small.iter().enumerate() {
            let (x, y) = (i % 320, i / 320);
            let (u, v) = ((x as f64 - 160.0) / 180.0, (y as f64 - 90.0) / 180.0);
            let raster = [frame.star, frame.screen, frame.sweep];
            if v > 0.0 && v < 0.12 || raster.iter().any(|panel| panel.cover(u, v, 0.05) > 0.0) {
                continue;
            }
            let of = |k: usize| big[(y * 4 + k / 4) * 1280 + x * 4 + k % 4][1].min(1.0);
            let mean = (0..16).map(of).sum::<f32>() / 16.0;
            sum += (rgb[1].min(1.0) - mean).abs();
            count += 1;
        }
        let difference = sum / count as f32;
        assert!(count > small.len() / 2 && difference < 0.005, "mean difference {difference}");
    }
}
