//! Scenes that are made here, in linear light, for what photographs do not
//! show apart: hair before a green screen, and lights that clip.

use crate::contestants::Contestant;
use crate::protocol::{GAINS, Noise, Pictures, encoded, mosaic_of};
use crate::score::Lab;
use crate::support::Result;
use platefarm_shaders::ops::resample::picture::Picture;

/// Columns and rows of a scene.
const SIZE: [usize; 2] = [384, 288];
/// Points of a scene per pixel and axis.
pub(crate) const FINE: usize = 5;
/// Radius of the boxes that stand for lens and low-pass filter, in fine points.
/// One after the other they are about a Gaussian with a sigma of 0.57 pixels.
const LOW_PASS: [usize; 2] = [3, 3];
/// Pixels that are not judged at the edges.
const EDGE: usize = 8;

const SCREEN: [f32; 3] = [0.08, 0.45, 0.10];

/// A scene on the fine grid, with what it takes to draw on it.
pub(crate) struct Canvas {
    pub(crate) width: usize,
    pub(crate) height: usize,
    pub(crate) points: Vec<[f32; 3]>,
}

impl Canvas {
    pub(crate) fn new(color: [f32; 3]) -> Self {
        let [width, height] = SIZE.map(|side| side * FINE);
        Self { width, height, points: vec![color; width * height] }
    }

    /// A disc; centre and radius in pixels.
    fn disc(&mut self, [x, y]: [f32; 2], radius: f32, color: [f32; 3]) {
        let [cx, cy, r] = [x, y, radius].map(|v| v * FINE as f32);
        let span =
            |c: f32, n: usize| (c - r).max(0.0) as usize..((c + r).max(0.0) as usize + 2).min(n);
        for row in span(cy, self.height) {
            for column in span(cx, self.width) {
                let (dx, dy) = (column as f32 + 0.5 - cx, row as f32 + 0.5 - cy);
                if dx * dx + dy * dy <= r * r {
                    self.points[row * self.width + column] = color;
                }
            }
        }
    }

    /// A bent strand: discs along a quadratic curve.
    pub(crate) fn strand(&mut self, [a, b, c]: [[f32; 2]; 3], radius: f32, color: [f32; 3]) {
        let steps = SIZE[0] * FINE * 2;
        for step in 0..=steps {
            let t = step as f32 / steps as f32;
            let at = |k: usize| {
                (1.0 - t) * ((1.0 - t) * a[k] + t * b[k]) + t * ((1.0 - t) * b[k] + t * c[k])
            };
            self.disc([at(0), at(1)], radius, color);
        }
    }

    /// What a sensor's photosites see: blurred by the low-pass filter, then averaged.
    pub(crate) fn seen(&self) -> Picture {
        let [width, height] = SIZE;
        let plane = |p: usize| {
            let fine: Vec<f32> = self.points.iter().map(|point| point[p]).collect();
            let fine = LOW_PASS.into_iter().fold(fine, |fine, radius| {
                boxed(&boxed(&fine, radius, self.width, 1), radius, self.width, self.width)
            });
            let pixel = |i: usize| {
                let (x, y) = (i % width * FINE, i / width * FINE);
                let sum: f32 = (0..FINE * FINE)
                    .map(|k| fine[(y + k / FINE) * self.width + x + k % FINE])
                    .sum();
                sum / (FINE * FINE) as f32
            };
            (0..width * height).map(pixel).collect()
        };
        Picture { width, height, planes: std::array::from_fn(plane) }
    }
}

/// Means of `2 * radius + 1` points along an axis; within the edge, which is not judged, the point itself.
fn boxed(plane: &[f32], radius: usize, width: usize, step: usize) -> Vec<f32> {
    let margin = radius * step;
    let mut out = plane.to_vec();
    for i in margin..plane.len() - margin {
        if step == 1 && !(radius..width - radius).contains(&(i % width)) {
            continue;
        }
        let sum: f32 = (0..=2 * radius).map(|k| plane[i + k * step - margin]).sum();
        out[i] = sum / (2 * radius + 1) as f32;
    }
    out
}

/// A head with dark hair and a red card before a green screen. Those who were
/// measured on such a scene elsewhere (published: bilinear 0.089, Malvar 0.119,
/// AHD 0.129, Menon 0.167) come out about the same here.
pub(crate) fn hair() -> Picture {
    let mut canvas = Canvas::new(SCREEN);
    let mut random = Noise(5);
    let [width, height] = SIZE.map(|side| side as f32);
    let (middle, radius) = ([0.5 * width, height], 0.35 * height);
    canvas.disc(middle, radius, [0.45, 0.27, 0.19]);
    let fine = |share: f32, side: f32| (share * side) as usize * FINE;
    for y in fine(0.1, height)..fine(0.5, height) {
        let row = y * canvas.width;
        canvas.points[row + fine(0.8, width)..row + fine(0.95, width)].fill([0.50, 0.03, 0.03]);
    }
    for _ in 0..60 {
        let angle = std::f32::consts::PI * (0.1 + 0.8 * random.uniform());
        let length = height * (0.4 + 0.5 * random.uniform());
        let at = |from: [f32; 2], angle: f32, length: f32| {
            [from[0] - length * angle.cos(), from[1] - length * angle.sin()]
        };
        let root = at(middle, angle, 0.94 * radius);
        let tip = at(root, angle + 0.3 * random.normal(), length);
        let bend = [0, 1].map(|k: usize| f32::midpoint(root[k], tip[k]) + 20.0 * random.normal());
        canvas.strand([root, bend, tip], 0.25 + 0.5 * random.uniform(), [0.05, 0.032, 0.02]);
    }
    canvas.seen()
}

/// Root mean square error of a green-screen matte in the soft edges, first of
/// a balanced mosaic in linear light, then of one that is not balanced.
/// The keyer is the common one: green over the larger of red and blue.
pub(crate) fn matte(contestant: &mut Contestant) -> Result<[f64; 2]> {
    let truth = hair();
    let expected = keyed(&truth);
    let mut errors = [0.0; 2];
    for (error, gains) in errors.iter_mut().zip([[1.0; 3], GAINS]) {
        let sensor = truth.scaled(gains.map(|gain| 1.0 / gain));
        let got = keyed(&contestant.debayer(&mosaic_of(&sensor))?.scaled(gains));
        let squares: Vec<f64> = judged(SIZE)
            .filter(|i| (0.02..0.98).contains(&expected[*i]))
            .map(|i| f64::from(got[i] - expected[i]).powi(2))
            .collect();
        *error = (squares.iter().sum::<f64>() / squares.len() as f64).sqrt();
    }
    Ok(errors)
}

/// 0 where the screen is, 1 where something hides it.
fn keyed(picture: &Picture) -> Vec<f32> {
    let [red, green, blue] = &picture.planes;
    let full = SCREEN[1] - SCREEN[0].max(SCREEN[2]);
    let excess = |i: usize| green[i] - red[i].max(blue[i]);
    (0..green.len()).map(|i| (1.0 - excess(i) / full).clamp(0.0, 1.0)).collect()
}

/// Lights of all sizes on grey, far above what the sensor holds.
pub(crate) fn lights() -> Picture {
    let mut canvas = Canvas::new([0.18; 3]);
    let mut random = Noise(9);
    let light = [8.0; 3];
    canvas.disc([96.0, 144.0], 60.0, light);
    canvas.strand([[200.0, 20.0], [260.0, 120.0], [370.0, 150.0]], 0.8, light);
    canvas.strand([[190.0, 270.0], [280.0, 200.0], [375.0, 262.0]], 2.0, light);
    for i in 0..40 {
        let at = [190.0 + 180.0 * random.uniform(), 60.0 + 190.0 * random.uniform()];
        canvas.disc(at, 0.4 + 0.1 * i as f32, light);
    }
    canvas.seen()
}

/// False colour around clipped lights: the mean error of (a*, b*) within three
/// pixels of the clipping, first where all channels clip at once, then where a
/// sensor clips before its white balance.
pub(crate) fn clipped(contestant: &mut Contestant) -> Result<[f64; 2]> {
    let scene = lights();
    let mut errors = [0.0; 2];
    for (error, gains) in errors.iter_mut().zip([[1.0; 3], GAINS]) {
        let sensor = scene.scaled(gains.map(|gain| 1.0 / gain)).map(|v| v.min(1.0));
        let truth = sensor.scaled(gains);
        let got = contestant.debayer(&mosaic_of(&truth))?;
        let [expected, got] = [&truth, &got].map(|p| Lab::of(&p.map(encoded)));
        let mixed: Vec<bool> =
            (0..SIZE[0] * SIZE[1]).map(|i| sensor.planes.iter().any(|p| p[i] >= 1.0)).collect();
        let near = |i: usize| {
            let around = (0..49).map(|k| mixed[i + (k / 7) * SIZE[0] + k % 7 - 3 * SIZE[0] - 3]);
            let count = around.filter(|clips| *clips).count();
            (1..49).contains(&count)
        };
        let errors: Vec<f64> = judged(SIZE)
            .filter(|i| near(*i))
            .map(|i| {
                let (a, b) = (expected.0[i], got.0[i]);
                f64::from((a[1] - b[1]).hypot(a[2] - b[2]))
            })
            .collect();
        *error = errors.iter().sum::<f64>() / errors.len() as f64;
    }
    Ok(errors)
}

fn judged([width, height]: [usize; 2]) -> impl Iterator<Item = usize> {
    (EDGE..height - EDGE).flat_map(move |y| (EDGE..width - EDGE).map(move |x| y * width + x))
}
