//! The steps of the module's text in double precision, a site at a time: no
//! rows, no rings, no order of sums. What the fast form is compared with.

use super::*;
use crate::debayer::Mosaic;
use crate::ops::debayer_mhc::mirror;
use crate::ops::debayer_ri::encode::TOE;
use std::collections::HashMap;

type At = (i64, i64);

/// Steps of a neighbour to each of both sides of a line.
const LINES: [At; 2] = [(0, 1), (1, 0)];
const CORNERS: [At; 4] = [(-1, -1), (1, 1), (-1, 1), (1, -1)];
const SIDES: [At; 4] = [(-1, 0), (1, 0), (0, -1), (0, 1)];

/// Values of a step that were needed, by kind and place.
pub(super) struct Reference<'a> {
    mosaic: &'a Mosaic,
    known: HashMap<(&'static str, At), f64>,
}

fn step((y, x): At, (dy, dx): At, k: i64) -> At {
    (y + k * dy, x + k * dx)
}

impl<'a> Reference<'a> {
    pub(super) fn new(mosaic: &'a Mosaic) -> Self {
        Self { mosaic, known: HashMap::new() }
    }

    /// Red, green and blue, linear.
    pub(super) fn pixel(&mut self, at: At) -> [f64; 3] {
        [0, 1, 2].map(|plane| {
            let v = self.green(at) + if plane == 1 { 0.0 } else { self.difference(plane, at) };
            let v = v - f64::from(PEDESTAL);
            v * (v.abs() + 2.0 * f64::from(TOE))
        })
    }

    /// Plane of the photosite's colour.
    fn color(&self, (y, x): At) -> usize {
        self.mosaic.bayer.color(y.rem_euclid(2) as u32, x.rem_euclid(2) as u32) as usize
    }

    fn once(&mut self, kind: &'static str, at: At, make: impl FnOnce(&mut Self) -> f64) -> f64 {
        if let Some(v) = self.known.get(&(kind, at)) {
            return *v;
        }
        let v = make(self);
        self.known.insert((kind, at), v);
        v
    }

    fn encoded(&self, (y, x): At) -> f64 {
        let (width, height) = (self.mosaic.width, self.mosaic.height);
        let (x, y) = (mirror(x, width as u32), mirror(y, height as u32));
        let v = f64::from(self.mosaic.sites[y as usize * width + x as usize]);
        let toe = f64::from(TOE);
        ((v.abs() + toe * toe).sqrt() - toe).copysign(v) + f64::from(PEDESTAL)
    }

    fn low_pass(&mut self, at: At) -> f64 {
        let weight = |k: i64| 2.0 - k.abs() as f64;
        let sum: f64 = (0..9)
            .map(|i| (i / 3 - 1, i % 3 - 1))
            .map(|(dy, dx)| weight(dy) * weight(dx) * self.encoded((at.0 + dy, at.1 + dx)))
            .sum();
        sum.max(f64::from(FLOOR))
    }

    /// Green minus colour, as a line tells it.
    fn guess(&mut self, line: usize, at: At) -> f64 {
        self.once(["along", "down"][line], at, |my| {
            let c = |k| my.encoded(step(at, LINES[line], k));
            let rough = |k: i64| {
                (c(-1) - c(1)).abs()
                    + f64::from(NEAR)
                    + (c(0) - c(2 * k)).abs()
                    + (c(k) - c(3 * k)).abs()
            };
            let (a, b) = (rough(-1), rough(1));
            let (before, after) = (c(-1), c(1));
            let own = c(0);
            let mut ratio = |k| {
                let far = my.low_pass(step(at, LINES[line], k));
                let low = my.low_pass(at);
                2.0 * low / (low + far)
            };
            let guess = (b * before * ratio(-2) + a * after * ratio(2)) / (a + b);
            if my.color(at) == 1 { own - guess } else { guess - own }
        })
    }

    fn change(&mut self, line: usize, at: At) -> f64 {
        let [before, after] = [-1, 1].map(|k| self.guess(line, step(at, LINES[line], k)));
        (after - before).powi(2)
    }

    fn smoothed(&mut self, line: usize, at: At) -> f64 {
        let d: Vec<f64> = (-4..=4).map(|k| self.guess(line, step(at, LINES[line], k))).collect();
        let calm = |k: usize| d[k - 1] + 2.0 * d[k] + d[k + 1];
        let wild = |k: usize| 2.0 * d[k] - d[k - 1] - d[k + 1];
        let alternates = wild(4).powi(2) + (wild(3).powi(2) + wild(5).powi(2)) / 2.0;
        let changes = (calm(6) - calm(2)).powi(2) + (calm(7) - calm(1)).powi(2);
        let changes = changes * f64::from(CALM) + f64::from(TINY);
        let part = alternates / (alternates + changes);
        d[4] + part * ((calm(2) + calm(6) - 2.0 * calm(4)) / 16.0 - wild(4) / 4.0)
    }

    fn green(&mut self, at: At) -> f64 {
        if self.color(at) == 1 {
            return self.encoded(at);
        }
        self.once("green", at, |my| {
            let [along, down] = [0, 1].map(|line| {
                let around = (0..9).map(|i| (at.0 + i / 3 - 1, at.1 + i % 3 - 1));
                let sum: f64 = around.map(|near| my.change(line, near)).sum();
                (sum + f64::from(SMALL)).powi(2)
            });
            let part = down / (down + along);
            let difference = my.smoothed(0, at) * part + my.smoothed(1, at) * (1.0 - part);
            let sides = SIDES.map(|side| my.encoded(step(at, side, 1)));
            let low = sides.into_iter().fold(f64::MAX, f64::min);
            let high = sides.into_iter().fold(f64::MIN, f64::max);
            let room = (high - low) * f64::from(LIMIT);
            (my.encoded(at) + difference).clamp(low - room, high + room)
        })
    }

    /// Red (0) or blue (2) minus green.
    fn difference(&mut self, plane: usize, at: At) -> f64 {
        let kind = if plane == 0 { "red" } else { "blue" };
        let color = self.color(at);
        if color == plane {
            return self.encoded(at) - self.green(at);
        }
        self.once(kind, at, |my| {
            let ways = if color == 1 { SIDES } else { CORNERS };
            let places = ways.map(|way| step(at, way, 1));
            let across = [0, 2].map(|k| {
                let [a, b] = [places[k], places[k + 1]];
                let apart = if color == 1 {
                    let mut of = |plane, at| my.green(at) + my.difference(plane, at);
                    ((of(0, a) - of(0, b)).abs() + (of(2, a) - of(2, b)).abs()) / 2.0
                } else {
                    (my.encoded(a) - my.encoded(b)).abs()
                };
                apart + f64::from(NEAR)
            });
            let green = my.green(at);
            let (mut sum, mut total) = (0.0, 0.0);
            for (k, way) in ways.into_iter().enumerate() {
                let near = (green - my.green(places[k])).abs();
                let far = (green - my.green(step(at, way, 2))).abs();
                let weight = 1.0 / (across[k / 2] + near + far);
                sum += weight * my.difference(plane, places[k]);
                total += weight;
            }
            sum / total
        })
    }
}
