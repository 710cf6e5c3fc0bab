//! The tone curves of ACES 1: that of the Reference Rendering Transform, that
//! of a 48 cd/m² display, and the single-stage tone scale of HDR.
//!
//! Source: ACES 1.3 CTL: `ACESlib.Tonescales`, `ACESlib.SSTS`.

use super::chain::Spline;

/// The tone curve of the Reference Rendering Transform.
pub(super) fn rrt() -> Spline {
    Spline {
        low: vec![-4.0, -4.0, -3.157_376_577_3, -0.485_249_995_8, 1.847_732_470_6, 1.847_732_470_6],
        high: vec![-0.718_548_242_5, 2.081_030_717_2, 3.668_124_123_7, 4.0, 4.0, 4.0],
        points: [[0.18 * (-15.0_f64).exp2(), 1e-4], [0.18, 4.8], [0.18 * 18.0_f64.exp2(), 1e4]],
        slopes: [0.0, 0.0],
    }
}

/// The tone curve of a 48 cd/m² display.
pub(super) fn odt() -> Spline {
    let rrt = rrt();
    Spline {
        low: vec![
            -1.698_970_004_3,
            -1.698_970_004_3,
            -1.4779,
            -1.2291,
            -0.8648,
            -0.448,
            0.005_18,
            0.451_108_033_4,
            0.911_374_441_4,
            0.911_374_441_4,
        ],
        high: vec![
            0.515_438_696_5,
            0.847_043_778_3,
            1.1358,
            1.3802,
            1.5197,
            1.5985,
            1.6467,
            1.674_609_135_7,
            1.687_873_339_0,
            1.687_873_339_0,
        ],
        points: [
            [rrt.at(0.18 * (-6.5_f64).exp2()), 0.02],
            [rrt.at(0.18), 4.8],
            [rrt.at(0.18 * 6.5_f64.exp2()), 48.0],
        ],
        slopes: [0.0, 0.04],
    }
}

/// A value between two points, held at both.
fn between(x: f64, [x0, y0]: [f64; 2], [x1, y1]: [f64; 2]) -> f64 {
    y0 + (y1 - y0) * ((x - x0) / (x1 - x0)).clamp(0.0, 1.0)
}

/// The single-stage tone scale for a luminance of black, middle grey and peak (`ACESlib.SSTS`).
pub(super) fn single_stage(black: f64, middle: f64, peak: f64) -> Spline {
    let stops_down = between(black.log10(), [-4.0, -15.0], [0.02_f64.log10(), -6.5]);
    let stops_up = between(peak.log10(), [48.0_f64.log10(), 6.5], [4.0, 18.0]);
    let log = |scene: f64, luminance: f64| [scene.log10(), luminance.log10()];
    let dark = log(0.18 * stops_down.exp2(), black);
    let grey = log(0.18, 4.8);
    let bright = log(0.18 * stops_up.exp2(), peak);
    // The published curve has its middle at 4.8 cd/m²; it is then shifted along the scene's axis.
    let half = |from: [f64; 2], to: [f64; 2], bend: f64, [first, last]: [f64; 2]| {
        let k = (to[0] - from[0]) / 3.0;
        let line = |at: [f64; 2], slope: f64, x: f64| at[1] + slope * x;
        let inner = from[1] + bend * (to[1] - from[1]);
        let end = line(to, last, 0.5 * k);
        vec![
            line(from, first, -0.5 * k),
            line(from, first, 0.5 * k),
            inner,
            line(to, last, -0.5 * k),
            end,
            end,
        ]
    };
    let low_bend = between(stops_down, [-15.0, 0.18], [-6.5, 0.35]);
    let high_bend = between(stops_up, [6.5, 0.89], [18.0, 0.90]);
    let slope = 1.55;
    let spline = Spline {
        low: half(dark, grey, low_bend, [0.0, slope]),
        high: half(grey, bright, high_bend, [slope, 0.0]),
        points: [dark, grey, bright].map(|p| p.map(|v| 10.0_f64.powf(v))),
        slopes: [0.0, 0.0],
    };
    // Middle grey of the scene is to be shown at `middle`.
    let shift = 0.18 / spline.invert(middle);
    Spline { points: spline.points.map(|[x, y]| [x * shift, y]), ..spline }
}

impl Spline {
    /// The curve at `x`.
    #[must_use]
    pub fn at(&self, x: f64) -> f64 {
        let x = x.max(5.960_464_48e-8).log10();
        let [dark, middle, bright] = self.points.map(|p| p.map(f64::log10));
        let y = if x <= dark[0] {
            dark[1] + self.slopes[0] * (x - dark[0])
        } else if x < middle[0] {
            segment(&self.low, (x - dark[0]) / (middle[0] - dark[0]))
        } else if x < bright[0] {
            segment(&self.high, (x - middle[0]) / (bright[0] - middle[0]))
        } else {
            bright[1] + self.slopes[1] * (x - bright[0])
        };
        10.0_f64.powf(y)
    }

    /// Where the curve has the value `y`: bisected, since it never falls.
    fn invert(&self, y: f64) -> f64 {
        let (mut low, mut high) = (self.points[0][0].log10(), self.points[2][0].log10());
        for _ in 0..100 {
            let middle = 0.5 * (low + high);
            if self.at(10.0_f64.powf(middle)) < y { low = middle } else { high = middle }
        }
        10.0_f64.powf(0.5 * (low + high))
    }
}

/// A uniform quadratic B-spline at `at`, 0 to 1 of its length.
fn segment(coefficients: &[f64], at: f64) -> f64 {
    let segments = coefficients.len() - 3;
    let knot = at * segments as f64;
    let j = (knot as usize).min(segments - 1);
    let t = knot - j as f64;
    let [a, b, c] = [coefficients[j], coefficients[j + 1], coefficients[j + 2]];
    t * t * (0.5 * a - b + 0.5 * c) + t * (b - a) + 0.5 * (a + b)
}
