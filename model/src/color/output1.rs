//! ACES 1.3 output transforms as chains: the Reference Rendering Transform
//! with an Output Device Transform (SDR), and the single-stage tone scale (HDR).
//!
//! Source: ACES 1.3 CTL: `RRT`, `ODT.Academy.*`, `ACESlib.SSTS`,
//! `ACESlib.OutputTransforms`.

use super::chain::{Chain, Link, Spline};
use super::meaning::{self, Meaning};
use super::output::{Eotf, Primaries};
use super::space::{P3, REC2020};
use super::{
    ACES_WHITE, AP1, D65, IDENTITY, Matrix3, REC709, Xy, adapt, diagonal, invert, mul, rgb_to_xyz,
};
use std::sync::Arc;

/// An output transform of ACES 1.3.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Output1 {
    /// Id in the registry of v1.3, without `urn:ampas:aces:transformId:v1.5:`.
    pub id: &'static str,
    /// What people call it.
    pub name: &'static str,
    tone: Tone,
    display: Display,
    eotf: Eotf,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Tone {
    /// Cinema in dark surroundings: 48 cd/m².
    Cinema,
    /// Video in dim surroundings: 100 cd/m².
    Video,
    /// The single-stage tone scale: middle grey and peak, in cd/m², and the primaries that it is limited to.
    Hdr { middle: f64, peak: f64, limit: [Xy; 3] },
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Display {
    /// Primaries with D65.
    Rgb([Xy; 3]),
    /// Primaries with D65, on which the ACES white is simulated.
    Simulated([Xy; 3]),
    /// CIE XYZ of a projector.
    Dcdm,
}

const HDR_REC2020: fn(f64) -> Tone = |peak| Tone::Hdr { middle: 15.0, peak, limit: REC2020 };

/// Every ACES 1.3 output transform that is known, by id.
#[must_use]
pub fn outputs1() -> Vec<Output1> {
    let one = |id, name, tone, display, eotf| Output1 { id, name, tone, display, eotf };
    let (rec709, p3, rec2020) = (Display::Rgb(REC709), Display::Rgb(P3), Display::Rgb(REC2020));
    let p3_limited = |middle, peak| Tone::Hdr { middle, peak, limit: P3 };
    vec![
        one(
            "ODT.Academy.Rec709_100nits_dim.a1.0.3",
            "ACES 1.3 SDR Rec.709 BT.1886",
            Tone::Video,
            rec709,
            Eotf::Bt1886,
        ),
        one(
            "ODT.Academy.RGBmonitor_100nits_dim.a1.0.3",
            "ACES 1.3 SDR sRGB",
            Tone::Video,
            rec709,
            Eotf::Srgb,
        ),
        one(
            "ODT.Academy.Rec709_D60sim_100nits_dim.a1.0.3",
            "ACES 1.3 SDR Rec.709 D60 simulated",
            Tone::Video,
            Display::Simulated(REC709),
            Eotf::Bt1886,
        ),
        one(
            "ODT.Academy.P3D65_48nits.a1.1.0",
            "ACES 1.3 cinema P3-D65",
            Tone::Cinema,
            p3,
            Eotf::Gamma26,
        ),
        one(
            "ODT.Academy.DCDM.a1.0.3",
            "ACES 1.3 cinema DCDM",
            Tone::Cinema,
            Display::Dcdm,
            Eotf::Gamma26,
        ),
        one("", "ACES 1.3 SDR Display P3", Tone::Video, p3, Eotf::Srgb),
        one(
            "RRTODT.Academy.Rec2020_1000nits_15nits_ST2084.a1.1.0",
            "ACES 1.3 HDR 1000 Rec.2100 PQ",
            HDR_REC2020(1000.0),
            rec2020,
            Eotf::Pq,
        ),
        one(
            "RRTODT.Academy.Rec2020_2000nits_15nits_ST2084.a1.1.0",
            "ACES 1.3 HDR 2000 Rec.2100 PQ",
            HDR_REC2020(2000.0),
            rec2020,
            Eotf::Pq,
        ),
        one(
            "RRTODT.Academy.Rec2020_4000nits_15nits_ST2084.a1.1.0",
            "ACES 1.3 HDR 4000 Rec.2100 PQ",
            HDR_REC2020(4000.0),
            rec2020,
            Eotf::Pq,
        ),
        one(
            "RRTODT.Academy.Rec2020_1000nits_15nits_HLG.a1.1.0",
            "ACES 1.3 HDR 1000 Rec.2100 HLG",
            HDR_REC2020(1000.0),
            rec2020,
            Eotf::Hlg,
        ),
        one(
            "RRTODT.Academy.P3D65_1000nits_15nits_ST2084.a1.1.0",
            "ACES 1.3 HDR 1000 P3-D65 PQ",
            p3_limited(15.0, 1000.0),
            p3,
            Eotf::Pq,
        ),
        one(
            "RRTODT.Academy.P3D65_108nits_7.2nits_ST2084.a1.1.0",
            "ACES 1.3 HDR cinema 108 P3-D65 PQ",
            p3_limited(7.2, 108.0),
            p3,
            Eotf::Pq,
        ),
    ]
}

/// Luminance of each channel of AP1.
fn luminance() -> [f64; 3] {
    rgb_to_xyz(&AP1, ACES_WHITE)[1]
}

/// AP1 moved toward its luminance.
fn desaturated(keep: f64) -> Matrix3 {
    let weights = luminance();
    std::array::from_fn(|r| {
        std::array::from_fn(|c| (1.0 - keep) * weights[c] + if r == c { keep } else { 0.0 })
    })
}

/// `(v - low) / (high - low)`.
fn stretched(low: f64, high: f64) -> Link {
    let scale = 1.0 / (high - low);
    Link::Matrix { matrix: diagonal([scale; 3]), offset: [-low * scale; 3] }
}

fn linear(matrix: Matrix3) -> Link {
    Link::Matrix { matrix, offset: [0.0; 3] }
}

fn inverse(m: &Matrix3) -> Matrix3 {
    invert(m).unwrap_or(IDENTITY)
}

fn tone(curve: Spline) -> Link {
    Link::Tone { curve: Arc::new(curve), inverse: false }
}

impl Output1 {
    /// What its codes mean.
    #[must_use]
    pub(super) fn meaning(&self) -> Meaning {
        let primaries = match self.display {
            Display::Rgb(p) | Display::Simulated(p) if p == REC709 => Primaries::Rec709,
            Display::Rgb(p) | Display::Simulated(p) if p == P3 => Primaries::P3,
            Display::Rgb(_) | Display::Simulated(_) => Primaries::Rec2020,
            Display::Dcdm => Primaries::Xyz,
        };
        meaning::of_display(primaries, self.eotf, matches!(self.tone, Tone::Hdr { .. }))
    }

    /// ACES2065-1 to display codes.
    #[must_use]
    pub fn chain(&self) -> Chain {
        let ap1_to_xyz = rgb_to_xyz(&AP1, ACES_WHITE);
        let mut links = vec![Link::Sweeten { inverse: false }];
        match self.tone {
            Tone::Cinema | Tone::Video => {
                links.push(tone(rrt()));
                links.push(tone(odt()));
                links.push(stretched(0.02, 48.0));
                if matches!(self.display, Display::Simulated(_)) {
                    // Room for the largest channel that the ACES white has on a D65 display.
                    links.push(Link::Clamp { low: None, high: Some(1.0) });
                    links.push(linear(diagonal([0.955; 3])));
                }
                if self.tone == Tone::Video {
                    links.push(Link::Surround {
                        weights: luminance(),
                        exponent: 0.9811,
                        floor: 1e-10,
                    });
                    links.push(linear(desaturated(0.93)));
                }
            }
            Tone::Hdr { middle, peak, limit } => {
                links.push(tone(single_stage(1e-4, middle, peak)));
                links.push(stretched(1e-4, peak));
                // The primaries are taken with their own white, on light that is not adapted to it.
                let limit_to_xyz = rgb_to_xyz(&limit, D65);
                links.push(linear(mul(&inverse(&limit_to_xyz), &ap1_to_xyz)));
                links.push(Link::Clamp { low: Some(0.0), high: Some(1.0) });
                links.push(linear(mul(&inverse(&ap1_to_xyz), &limit_to_xyz)));
            }
        }
        let to_d65 = adapt(ACES_WHITE, D65);
        match self.display {
            Display::Rgb(primaries) => {
                let from_xyz = inverse(&rgb_to_xyz(&primaries, D65));
                links.push(linear(mul(&from_xyz, &mul(&to_d65, &ap1_to_xyz))));
            }
            Display::Simulated(primaries) => {
                let from_xyz = inverse(&rgb_to_xyz(&primaries, D65));
                links.push(linear(mul(&from_xyz, &ap1_to_xyz)));
            }
            Display::Dcdm => {
                links.push(linear(
                    mul(&to_d65, &ap1_to_xyz).map(|row| row.map(|v| v * 48.0 / 52.37)),
                ));
            }
        }
        if let Tone::Hdr { peak, .. } = self.tone {
            // The adaptation may take a channel a little past the peak.
            links.push(Link::Clamp { low: Some(0.0), high: None });
            links.push(linear(diagonal([peak / 100.0; 3])));
        } else {
            links.push(Link::Clamp { low: Some(0.0), high: Some(1.0) });
        }
        links.extend(self.eotf.encode());
        Chain(links)
    }
}

impl Output1 {
    /// Display codes to ACES2065-1: what the scene must have been. Codes that
    /// the transform never gives are taken for the nearest that it does.
    ///
    /// # Errors
    /// None today: every part has an inverse.
    pub fn inverse_chain(&self) -> Result<Chain, &'static str> {
        self.chain().inverse()
    }
}

/// The tone curve of the Reference Rendering Transform.
fn rrt() -> Spline {
    Spline {
        low: vec![-4.0, -4.0, -3.157_376_577_3, -0.485_249_995_8, 1.847_732_470_6, 1.847_732_470_6],
        high: vec![-0.718_548_242_5, 2.081_030_717_2, 3.668_124_123_7, 4.0, 4.0, 4.0],
        points: [[0.18 * (-15.0_f64).exp2(), 1e-4], [0.18, 4.8], [0.18 * 18.0_f64.exp2(), 1e4]],
        slopes: [0.0, 0.0],
    }
}

/// The tone curve of a 48 cd/m² display.
fn odt() -> Spline {
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
fn single_stage(black: f64, middle: f64, peak: f64) -> Spline {
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
