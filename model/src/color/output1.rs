//! ACES 1.3 output transforms as chains: the Reference Rendering Transform
//! with an Output Device Transform (SDR), and the single-stage tone scale (HDR).
//!
//! Source: ACES 1.3 CTL: `RRT`, `ODT.Academy.*`, `ACESlib.SSTS`,
//! `ACESlib.OutputTransforms`.

use super::chain::{Chain, Link, Lut1d, Spline};
use super::meaning::{self, Meaning};
use super::output::{Eotf, Primaries};
use super::space::{P3, REC2020};
use super::spline::{odt, rrt, single_stage};
use super::{
    ACES_WHITE, AP1, D65, IDENTITY, Matrix3, REC709, Xy, adapt, diagonal, invert, mul, rgb_to_xyz,
};
use std::sync::Arc;

/// An output transform of ACES 1.3.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Output1 {
    /// Id in the registry of v1.3, without `urn:ampas:aces:transformId:v1.5:`; empty for one that is in none.
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
    /// Primaries and white, to which the ACES white is adapted.
    Rgb([Xy; 3], Xy),
    /// The same within smaller primaries.
    Limited([Xy; 3], [Xy; 3]),
    /// Primaries and white, on which another white is simulated.
    Simulated([Xy; 3], Xy, Simulation),
    /// CIE XYZ of a projector, seen with a white, within primaries of that white where there are any.
    Dcdm(Xy, Option<[Xy; 3]>),
}

/// A white that a display does not have.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Simulation {
    white: Xy,
    /// What the largest channel of that white leaves of the display's light.
    scale: f64,
    /// The value that a white of 1 is rolled off to, where light is.
    roll: Option<f64>,
}

/// White of digital cinema (SMPTE RP 431-2).
const DCI: Xy = [0.314, 0.351];

const fn simulated(primaries: [Xy; 3], scale: f64) -> Display {
    Display::Simulated(primaries, D65, Simulation { white: ACES_WHITE, scale, roll: None })
}

const fn on_dci(white: Xy, scale: f64, roll: f64) -> Display {
    Display::Simulated(P3, DCI, Simulation { white, scale, roll: Some(roll) })
}

const fn hdr_rec2020(peak: f64) -> (Tone, Display) {
    (Tone::Hdr { middle: 15.0, peak, limit: REC2020 }, Display::Rgb(REC2020, D65))
}

const fn hdr_p3(middle: f64, peak: f64) -> (Tone, Display) {
    (Tone::Hdr { middle, peak, limit: P3 }, Display::Rgb(P3, D65))
}

const fn sdr(
    id: &'static str,
    name: &'static str,
    tone: Tone,
    display: Display,
    eotf: Eotf,
) -> Output1 {
    Output1 { id, name, tone, display, eotf }
}

const fn hdr(id: &'static str, name: &'static str, light: (Tone, Display), eotf: Eotf) -> Output1 {
    Output1 { id, name, tone: light.0, display: light.1, eotf }
}

const D65_709: Display = Display::Rgb(REC709, D65);
const D65_P3: Display = Display::Rgb(P3, D65);
const D65_2020: Display = Display::Rgb(REC2020, D65);

/// Every ACES 1.3 output transform that is known.
#[rustfmt::skip]
const OUTPUTS: &[Output1] = &[
    sdr("ODT.Academy.Rec709_100nits_dim.a1.0.3", "ACES 1.3 SDR Rec.709 BT.1886", Tone::Video, D65_709, Eotf::Bt1886),
    sdr("ODT.Academy.RGBmonitor_100nits_dim.a1.0.3", "ACES 1.3 SDR sRGB", Tone::Video, D65_709, Eotf::Srgb),
    sdr("ODT.Academy.Rec709_D60sim_100nits_dim.a1.0.3", "ACES 1.3 SDR Rec.709 D60 simulated", Tone::Video, simulated(REC709, 0.955), Eotf::Bt1886),
    sdr("ODT.Academy.RGBmonitor_D60sim_100nits_dim.a1.0.3", "ACES 1.3 SDR sRGB D60 simulated", Tone::Video, simulated(REC709, 0.955), Eotf::Srgb),
    sdr("ODT.Academy.DisplayP3_dim.a1.0.0", "ACES 1.3 SDR Display P3", Tone::Video, D65_P3, Eotf::Srgb),
    sdr("ODT.Academy.DisplayP3_D60sim_dim.a1.0.0", "ACES 1.3 SDR Display P3 D60 simulated", Tone::Video, simulated(P3, 0.964), Eotf::Srgb),
    sdr("ODT.Academy.Rec2020_100nits_dim.a1.0.3", "ACES 1.3 SDR Rec.2020 BT.1886", Tone::Video, D65_2020, Eotf::Bt1886),
    sdr("ODT.Academy.Rec2020_P3D65limited_100nits_dim.a1.1.0", "ACES 1.3 SDR Rec.2020 P3 limited BT.1886", Tone::Video, Display::Limited(REC2020, P3), Eotf::Bt1886),
    sdr("ODT.Academy.Rec2020_Rec709limited_100nits_dim.a1.1.0", "ACES 1.3 SDR Rec.2020 Rec.709 limited BT.1886", Tone::Video, Display::Limited(REC2020, REC709), Eotf::Bt1886),
    sdr("ODT.Academy.P3D65_48nits.a1.1.0", "ACES 1.3 cinema P3-D65", Tone::Cinema, D65_P3, Eotf::Gamma26),
    sdr("ODT.Academy.P3D65_Rec709limited_48nits.a1.1.0", "ACES 1.3 cinema P3-D65 Rec.709 limited", Tone::Cinema, Display::Limited(P3, REC709), Eotf::Gamma26),
    sdr("ODT.Academy.P3D65_D60sim_48nits.a1.1.0", "ACES 1.3 cinema P3-D65 D60 simulated", Tone::Cinema, simulated(P3, 0.964), Eotf::Gamma26),
    sdr("ODT.Academy.P3D60_48nits.a1.0.3", "ACES 1.3 cinema P3-D60", Tone::Cinema, Display::Rgb(P3, ACES_WHITE), Eotf::Gamma26),
    sdr("ODT.Academy.P3DCI_48nits.a1.0.3", "ACES 1.3 cinema P3-DCI D60 simulated", Tone::Cinema, on_dci(ACES_WHITE, 0.96, 0.918), Eotf::Gamma26),
    sdr("ODT.Academy.P3DCI_D65sim_48nits.a1.1.0", "ACES 1.3 cinema P3-DCI D65 simulated", Tone::Cinema, on_dci(D65, 0.9575, 0.908), Eotf::Gamma26),
    sdr("ODT.Academy.DCDM.a1.0.3", "ACES 1.3 cinema DCDM", Tone::Cinema, Display::Dcdm(ACES_WHITE, None), Eotf::Gamma26),
    sdr("ODT.Academy.DCDM_P3D60.a1.0.3", "ACES 1.3 cinema DCDM P3-D60 limited", Tone::Cinema, Display::Dcdm(ACES_WHITE, Some(P3)), Eotf::Gamma26),
    sdr("", "ACES 1.3 cinema DCDM D65", Tone::Cinema, Display::Dcdm(D65, None), Eotf::Gamma26),
    sdr("ODT.Academy.DCDM_P3D65limited.a1.1.0", "ACES 1.3 cinema DCDM P3-D65 limited", Tone::Cinema, Display::Dcdm(D65, Some(P3)), Eotf::Gamma26),
    hdr("RRTODT.Academy.Rec2020_1000nits_15nits_ST2084.a1.1.0", "ACES 1.3 HDR 1000 Rec.2100 PQ", hdr_rec2020(1000.0), Eotf::Pq),
    hdr("RRTODT.Academy.Rec2020_2000nits_15nits_ST2084.a1.1.0", "ACES 1.3 HDR 2000 Rec.2100 PQ", hdr_rec2020(2000.0), Eotf::Pq),
    hdr("RRTODT.Academy.Rec2020_4000nits_15nits_ST2084.a1.1.0", "ACES 1.3 HDR 4000 Rec.2100 PQ", hdr_rec2020(4000.0), Eotf::Pq),
    hdr("RRTODT.Academy.Rec2020_1000nits_15nits_HLG.a1.1.0", "ACES 1.3 HDR 1000 Rec.2100 HLG", hdr_rec2020(1000.0), Eotf::Hlg),
    hdr("RRTODT.Academy.P3D65_1000nits_15nits_ST2084.a1.1.0", "ACES 1.3 HDR 1000 P3-D65 PQ", hdr_p3(15.0, 1000.0), Eotf::Pq),
    hdr("RRTODT.Academy.P3D65_2000nits_15nits_ST2084.a1.1.0", "ACES 1.3 HDR 2000 P3-D65 PQ", hdr_p3(15.0, 2000.0), Eotf::Pq),
    hdr("RRTODT.Academy.P3D65_4000nits_15nits_ST2084.a1.1.0", "ACES 1.3 HDR 4000 P3-D65 PQ", hdr_p3(15.0, 4000.0), Eotf::Pq),
    hdr("RRTODT.Academy.P3D65_108nits_7.2nits_ST2084.a1.1.0", "ACES 1.3 HDR cinema 108 P3-D65 PQ", hdr_p3(7.2, 108.0), Eotf::Pq),
];

/// Every ACES 1.3 output transform that is known, by id.
#[must_use]
pub const fn outputs1() -> &'static [Output1] {
    OUTPUTS
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

/// Within primaries of a white, on XYZ.
fn within(limit: &[Xy; 3], white: Xy) -> [Link; 3] {
    let to_xyz = rgb_to_xyz(limit, white);
    [linear(inverse(&to_xyz)), Link::Clamp { low: Some(0.0), high: Some(1.0) }, linear(to_xyz)]
}

/// Rolls the upper half of 0..1 off, so that 1 becomes `white`: a parabola that
/// leaves the line at a half (`ACESlib.ODT_Common`, `roll_white_fwd`).
fn rolled(white: f64) -> Link {
    const STEPS: usize = 4096;
    let at = |x: f64| {
        let t = 2.0 * (1.0 - x);
        if t > 1.0 { x } else { white - t * (2.0 * white - 1.5 + t * (1.0 - white)) }
    };
    let run: Vec<f32> = (0..=STEPS).map(|i| at(i as f64 / STEPS as f64) as f32).collect();
    Link::Lut1d(Arc::new(Lut1d {
        length: run.len(),
        values: [&run[..]; 3].concat(),
        domain: [0.0, 1.0],
        half_domain: false,
        hue_adjust: false,
        inverse: false,
    }))
}

impl Output1 {
    /// What its codes mean.
    #[must_use]
    pub(super) fn meaning(&self) -> Meaning {
        let (of, white) = match self.display {
            Display::Rgb(p, white) | Display::Simulated(p, white, _) => (p, white),
            Display::Limited(p, _) => (p, D65),
            Display::Dcdm(..) => (Primaries::Xyz.xy(), D65),
        };
        let all = [Primaries::Rec709, Primaries::P3, Primaries::Rec2020, Primaries::Xyz];
        let primaries = all.into_iter().find(|p| p.xy() == of).unwrap_or(Primaries::Rec709);
        let meaning =
            meaning::of_display(primaries, self.eotf, matches!(self.tone, Tone::Hdr { .. }));
        if white == D65 {
            return meaning;
        }
        let chromaticities = Some(meaning::chromaticities(primaries.xy(), white));
        Meaning { chromaticities, interop_id: None, ..meaning }
    }

    /// ACES2065-1 to display codes.
    #[must_use]
    pub fn chain(&self) -> Chain {
        let ap1_to_xyz = rgb_to_xyz(&AP1, ACES_WHITE);
        let mut links = vec![Link::Sweeten { inverse: false }];
        self.shape(&mut links, &ap1_to_xyz);
        let from_xyz = |primaries, white| inverse(&rgb_to_xyz(primaries, white));
        let seen = |white| mul(&adapt(ACES_WHITE, white), &ap1_to_xyz);
        match &self.display {
            Display::Rgb(primaries, white) => {
                links.push(linear(mul(&from_xyz(primaries, *white), &seen(*white))));
            }
            Display::Limited(primaries, limit) => {
                links.push(linear(seen(D65)));
                links.extend(within(limit, D65));
                links.push(linear(from_xyz(primaries, D65)));
            }
            Display::Simulated(primaries, white, other) => {
                links.push(linear(mul(&from_xyz(primaries, *white), &seen(other.white))));
            }
            Display::Dcdm(white, limit) => {
                links.push(linear(seen(*white)));
                links.extend(limit.iter().flat_map(|limit| within(limit, *white)));
                links.push(linear(diagonal([48.0 / 52.37; 3])));
            }
        }
        if let Tone::Hdr { peak, .. } = self.tone {
            // The adaptation may take a channel a little past the peak.
            links.push(linear(diagonal([peak / 100.0; 3])));
            links.push(Link::Clamp { low: Some(0.0), high: None });
        } else {
            links.push(Link::Clamp { low: Some(0.0), high: Some(1.0) });
        }
        links.extend(self.eotf.encode());
        Chain(links)
    }

    /// The tone curve, and what belongs to it: light in AP1, 1 = the display's white.
    fn shape(&self, links: &mut Vec<Link>, ap1_to_xyz: &Matrix3) {
        if let Tone::Hdr { middle, peak, limit } = self.tone {
            links.push(tone(single_stage(1e-4, middle, peak)));
            links.push(stretched(1e-4, peak));
            // The primaries are taken with their own white, on light that is not adapted to it.
            let limit_to_xyz = rgb_to_xyz(&limit, D65);
            links.push(linear(mul(&inverse(&limit_to_xyz), ap1_to_xyz)));
            links.push(Link::Clamp { low: Some(0.0), high: Some(1.0) });
            links.push(linear(mul(&inverse(ap1_to_xyz), &limit_to_xyz)));
            return;
        }
        links.push(tone(rrt()));
        links.push(tone(odt()));
        links.push(stretched(0.02, 48.0));
        if let Display::Simulated(_, _, Simulation { scale, roll, .. }) = self.display {
            // Room for the largest channel that the simulated white has on the display.
            links.extend(roll.map(rolled));
            links.push(Link::Clamp { low: None, high: Some(roll.unwrap_or(1.0)) });
            links.push(linear(diagonal([scale; 3])));
        }
        if self.tone == Tone::Video {
            links.push(Link::Surround { weights: luminance(), exponent: 0.9811, floor: 1e-10 });
            links.push(linear(desaturated(0.93)));
        }
    }

    /// Display codes to ACES2065-1: what the scene must have been. Codes that
    /// the transform never gives are taken for the nearest that it does.
    ///
    /// # Errors
    /// None today: every part has an inverse.
    pub fn inverse_chain(&self) -> Result<Chain, &'static str> {
        self.chain().inverse()
    }
}
