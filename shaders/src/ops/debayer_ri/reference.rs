//! The steps a second time: whole planes in double precision, straight from
//! the definitions, every value looked up by its place. No rows, no rings.

use super::*;
use crate::ops::debayer_mhc::mirror;
use platefarm_model::raw::{Bayer, CfaColor};

/// How far the planes go on beyond the picture: the reach of all steps, and some.
const AROUND: i64 = 32;

/// A plane with its surroundings.
struct Plane {
    width: i64,
    values: Vec<f64>,
}

impl Plane {
    /// A value for each place; what a step looks up outside of the plane is of no account.
    fn new([width, height]: [u32; 2], value: impl Fn(i64, i64) -> f64) -> Self {
        let (width, height) = (i64::from(width), i64::from(height));
        let values = (-AROUND..height + AROUND)
            .flat_map(|y| (-AROUND..width + AROUND).map(move |x| (x, y)))
            .map(|(x, y)| value(x, y))
            .collect();
        Self { width: width + 2 * AROUND, values }
    }

    fn at(&self, x: i64, y: i64) -> f64 {
        let (x, y) = (x + AROUND, y + AROUND);
        let inside = (0..self.width).contains(&x) && y >= 0;
        let value = inside.then(|| self.values.get((y * self.width + x) as usize));
        value.flatten().copied().unwrap_or(0.0)
    }
}

/// The sum of `value` from `-n` to `n`.
fn sum(n: i64, value: impl Fn(i64) -> f64) -> f64 {
    (-n..=n).map(value).sum()
}

fn encoded(v: f64) -> f64 {
    let toe = f64::from(encode::TOE);
    ((v.abs() + toe * toe).sqrt() - toe).copysign(v)
}

fn decoded(v: f64) -> f64 {
    v * (v.abs() + 2.0 * f64::from(encode::TOE))
}

/// `v` within the range of four colours, and of what they are beside their greens where green is `here`.
fn among(v: f64, here: f64, of: [[f64; 2]; 4]) -> f64 {
    let all = || of.into_iter().flat_map(|[color, green]| [color, here + color - green]);
    v.max(all().fold(f64::INFINITY, f64::min)).min(all().fold(f64::NEG_INFINITY, f64::max))
}

/// What one axis says: sums of squares and products of band passes, colour
/// difference, weights.
struct Axis {
    gg: Plane,
    cc: Plane,
    gc: Plane,
    difference: Plane,
    weight: Plane,
}

impl Axis {
    /// Steps 2 to 5; `step` is one place along the axis.
    fn new(
        size: [u32; 2],
        m: &Plane,
        green: &impl Fn(i64, i64) -> bool,
        near_clip: &impl Fn(i64, i64) -> bool,
        step: [i64; 2],
    ) -> Self {
        let along = |p: &Plane, x: i64, y: i64, k: i64| p.at(x + k * step[0], y + k * step[1]);
        let own = |x, y| {
            let at = |k| along(m, x, y, k);
            2.0 * (at(2) - at(-2)) + 0.5 * (at(4) - at(-4))
        };
        let other = |x, y| {
            let at = |k| along(m, x, y, k);
            1.5 * (at(1) + at(3) - at(-1) - at(-3))
        };
        let of_green = Plane::new(size, |x, y| if green(x, y) { own(x, y) } else { other(x, y) });
        let of_color = Plane::new(size, |x, y| if green(x, y) { other(x, y) } else { own(x, y) });
        let sums = |a: &Plane, b: &Plane| {
            Plane::new(size, |x, y| sum(5, |k| along(a, x, y, k) * along(b, x, y, k)))
        };
        let (gg, cc) = (sums(&of_green, &of_green), sums(&of_color, &of_color));
        let gc = sums(&of_green, &of_color);
        let slope = f64::from(SLOPE);
        let difference = Plane::new(size, |x, y| {
            let own = if green(x, y) { gg.at(x, y) } else { cc.at(x, y) };
            let a =
                ((gc.at(x, y) + slope) / (own + slope)).clamp(-f64::from(STEEP), f64::from(STEEP));
            let at = |k| along(m, x, y, k);
            let mut guess = (at(-1) + at(1)) / 2.0 + a * (2.0 * at(0) - at(-2) - at(2)) / 4.0;
            if near_clip(x, y) {
                let (low, high) = (at(-1).min(at(1)), at(-1).max(at(1)));
                let room = f64::from(ROOM) * (high - low);
                guess = guess.clamp(low - room, high + room);
            }
            if green(x, y) { at(0) - guess } else { guess - at(0) }
        });
        let change = Plane::new(size, |x, y| {
            let at = |k| along(&difference, x, y, k);
            (at(-1) - at(1)).abs()
        });
        let weight = Plane::new(size, |x, y| {
            let b = sum(1, |k| sum(1, |j| change.at(x + j, y + k)));
            1.0 / (b * b + f64::from(ROUGH))
        });
        Self { gg, cc, gc, difference, weight }
    }
}

/// Interleaved RGB of a white-balanced linear mosaic.
pub(super) fn debayer(mosaic: &[f32], size: [u32; 2], bayer: Bayer, gains: [f32; 3]) -> Vec<f64> {
    let [width, height] = size;
    let color = |x: i64, y: i64| bayer.color(y.rem_euclid(2) as u32, x.rem_euclid(2) as u32);
    let green = |x: i64, y: i64| color(x, y) == CfaColor::Green;
    let m = Plane::new(size, |x, y| {
        encoded(f64::from(mosaic[(mirror(y, height) * width + mirror(x, width)) as usize]))
    });
    let clipped = |x: i64, y: i64| m.at(x, y) >= f64::from(clips(gains)[color(x, y) as usize]);
    let near_clip = |x: i64, y: i64| (-2..=2).any(|j| (-2..=2).any(|i| clipped(x + i, y + j)));
    let [h, v] = [[1, 0], [0, 1]].map(|step| Axis::new(size, &m, &green, &near_clip, step));

    // Steps 6 and 7.
    let rough = Plane::new(size, |x, y| {
        let both = |h: &Plane, v: &Plane| sum(2, |k| h.at(x, y + k)) + sum(2, |k| v.at(x + k, y));
        let (gg, cc, gc) = (both(&h.gg, &v.gg), both(&h.cc, &v.cc), both(&h.gc, &v.gc));
        let (s, tiny) = (gg + cc, f64::from(TINY));
        let q = (gg - cc).powi(2) / (gg * cc + 0.001 * s * s + tiny * tiny) * f64::from(GAIN);
        let o = (s - 2.0 * gc) / (s + tiny) * f64::from(APART);
        1.0 + q * q + o * o
    });
    let sides = |x: i64, y: i64| {
        [h.weight.at(x - 1, y), h.weight.at(x + 1, y), v.weight.at(x, y - 1), v.weight.at(x, y + 1)]
    };
    let trusted = |x: i64, y: i64| {
        // Towards each side: the difference here and beside, and the mean of five.
        let towards = [(&h, -1, 0), (&h, 1, 0), (&v, 0, -1), (&v, 0, 1)];
        let (mut all, mut near, mut far) = (0.0, 0.0, 0.0);
        for ((axis, dx, dy), weight) in towards.into_iter().zip(sides(x, y)) {
            let at = |k: i64| axis.difference.at(x + k * dx, y + k * dy);
            all += weight;
            near += weight * (0.65 * at(0) + 0.35 * at(1));
            far += weight * (0..5).map(at).sum::<f64>() / 5.0;
        }
        let (near, far) = (near / all, far / all);
        let hue = far * f64::from(HUE);
        let trust = 1.0 / (rough.at(x, y) + hue * hue);
        (near + (far - near) * trust, trust)
    };
    let guess = Plane::new(size, |x, y| trusted(x, y).0);
    let g = Plane::new(size, |x, y| {
        if green(x, y) {
            return m.at(x, y);
        }
        let around = [(-2, 0), (2, 0), (0, -2), (0, 2)].map(|(i, j)| guess.at(x + i, y + j));
        let weights = sides(x, y);
        let all: f64 = weights.iter().sum();
        let beside = weights.iter().zip(around).map(|(w, g)| w * g).sum::<f64>() / all;
        let (guess, trust) = trusted(x, y);
        m.at(x, y) + guess + (beside - guess) * trust * trust * f64::from(EVEN)
    });

    let planes = [CfaColor::Red, CfaColor::Blue].map(|wanted| {
        other_color(size, &m, &g, &near_clip, &sides, &|x, y| color(x, y) == wanted, &green)
    });
    (0..i64::from(width * height))
        .map(|i| (i % i64::from(width), i / i64::from(width)))
        .flat_map(|(x, y)| [planes[0].at(x, y), g.at(x, y), planes[1].at(x, y)].map(decoded))
        .collect()
}

/// Steps 8 and 9 for red or blue.
fn other_color(
    size: [u32; 2],
    m: &Plane,
    g: &Plane,
    near_clip: &impl Fn(i64, i64) -> bool,
    sides: &impl Fn(i64, i64) -> [f64; 4],
    own: &impl Fn(i64, i64) -> bool,
    green: &impl Fn(i64, i64) -> bool,
) -> Plane {
    const CROSS: [(i64, i64); 4] = [(-1, 0), (1, 0), (0, -1), (0, 1)];
    let laplacian = |p: &Plane, x: i64, y: i64| {
        4.0 * p.at(x, y) - CROSS.map(|(dx, dy)| p.at(x + 2 * dx, y + 2 * dy)).iter().sum::<f64>()
    };
    let (lm, lg) =
        (Plane::new(size, |x, y| laplacian(m, x, y)), Plane::new(size, |x, y| laplacian(g, x, y)));
    let around = |x: i64, y: i64, value: &dyn Fn(i64, i64) -> f64| {
        sum(2, |j| sum(2, |i| value(x + 2 * i, y + 2 * j)))
    };
    let line = f64::from(LINE);
    let fitted = Plane::new(size, |x, y| {
        let product = around(x, y, &|x, y| lm.at(x, y) * lg.at(x, y));
        let square = around(x, y, &|x, y| lg.at(x, y).powi(2));
        ((product + line * 0.4) / (square + line)).clamp(-2.0, 2.0)
    });
    let smooth = Plane::new(size, |x, y| around(x, y, &|x, y| fitted.at(x, y)) / 25.0);
    // The mean of those of the nearest sites that have the colour.
    let line = Plane::new(size, |x, y| {
        let nine = (-1..=1).flat_map(|j| (-1..=1).map(move |i| (x + i, y + j)));
        let near = |reach: i64| {
            let of =
                nine.clone().filter(|(i, j)| (i - x).abs() + (j - y).abs() == reach && own(*i, *j));
            let of: Vec<f64> = of.map(|(x, y)| smooth.at(x, y)).collect();
            (!of.is_empty()).then(|| of.iter().sum::<f64>() / of.len() as f64)
        };
        near(0).or_else(|| near(1)).or_else(|| near(2)).unwrap_or_default()
    });
    let at_own = Plane::new(size, |x, y| m.at(x, y) - line.at(x, y) * g.at(x, y));
    let change = |x: i64, y: i64, dx: i64| {
        let e = sum(1, |j| {
            sum(1, |i| (g.at(x + i + dx, y + j + 1) - g.at(x + i - dx, y + j - 1)).abs())
        });
        e * e + f64::from(DIAGONAL)
    };
    // At the sites of the other colour, from the corners.
    let at_other = Plane::new(size, |x, y| {
        let (v1, v2) = (change(x, y, 1), change(x, y, -1));
        let first = at_own.at(x - 1, y - 1) + at_own.at(x + 1, y + 1);
        let second = at_own.at(x + 1, y - 1) + at_own.at(x - 1, y + 1);
        (v2 * first + v1 * second) / (2.0 * (v1 + v2))
    });
    let colored = Plane::new(size, |x, y| {
        if own(x, y) {
            return m.at(x, y);
        }
        let guess = line.at(x, y) * g.at(x, y) + at_other.at(x, y);
        let four = [(-1, -1), (1, -1), (-1, 1), (1, 1)]
            .map(|(i, j)| [m.at(x + i, y + j), g.at(x + i, y + j)]);
        if near_clip(x, y) { among(guess, g.at(x, y), four) } else { guess }
    });
    Plane::new(size, |x, y| {
        if !green(x, y) {
            return colored.at(x, y);
        }
        let residual = |x: i64, y: i64| if own(x, y) { at_own.at(x, y) } else { at_other.at(x, y) };
        let [west, east, north, south] = sides(x, y);
        let (across, down) = (west + east, north + south);
        let rows = residual(x - 1, y) + residual(x + 1, y);
        let columns = residual(x, y - 1) + residual(x, y + 1);
        let r = (across * rows + down * columns) / (2.0 * (across + down));
        let guess = line.at(x, y) * g.at(x, y) + r;
        let four = CROSS.map(|(i, j)| [colored.at(x + i, y + j), g.at(x + i, y + j)]);
        if near_clip(x, y) { among(guess, g.at(x, y), four) } else { guess }
    })
}
