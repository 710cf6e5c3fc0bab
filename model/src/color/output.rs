//! Output transforms: rendering targets and displays, as the ACES registry
//! combines them, and the chains that they are.
//!
//! Source: ACES 2.0 `Output.Academy.*` (2.0.0+2025.04.04), whose ids say what
//! they are: `Rec709-D65_100nit_in_Rec709-D65_BT1886`.

use super::aces2::Target;
use super::chain::{Chain, Link};
use super::space::{P3, REC2020, URN};
use super::transfer::Transfer;
use super::{ACES_WHITE, D65, IDENTITY, Matrix3, REC709, Xy, apply, invert, mul, rgb_to_xyz};

/// Primaries that an output is limited to or encoded for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Primaries {
    /// ITU-R BT.709.
    Rec709,
    /// SMPTE RP 431-2.
    P3,
    /// ITU-R BT.2020.
    Rec2020,
    /// CIE XYZ of equal energy: the DCDM.
    Xyz,
}

impl Primaries {
    /// Red, green, blue.
    #[must_use]
    pub const fn xy(self) -> [Xy; 3] {
        match self {
            Self::Rec709 => REC709,
            Self::P3 => P3,
            Self::Rec2020 => REC2020,
            Self::Xyz => [[1.0, 0.0], [0.0, 1.0], [0.0, 0.0]],
        }
    }

    const fn parse(name: &[u8]) -> Option<Self> {
        match name {
            b"Rec709" => Some(Self::Rec709),
            b"P3" => Some(Self::P3),
            b"Rec2100" => Some(Self::Rec2020),
            b"XYZ" => Some(Self::Xyz),
            _ => None,
        }
    }
}

/// What a display does with codes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Eotf {
    /// ITU-R BT.1886: gamma 2.4, black at 0.
    Bt1886,
    /// Gamma 2.2.
    Gamma22,
    /// Gamma 2.6.
    Gamma26,
    /// IEC 61966-2-1.
    Srgb,
    /// SMPTE ST 2084.
    Pq,
    /// ITU-R BT.2100 HLG on a display of 1000 cd/m².
    Hlg,
    /// None: the display's light itself, 1 = 100 cd/m².
    Linear,
}

impl Eotf {
    fn parse(name: &str) -> Option<Self> {
        Some(match name {
            "BT1886" => Self::Bt1886,
            "Gamma2pt2" => Self::Gamma22,
            "Gamma2pt6" => Self::Gamma26,
            "sRGB-Piecewise" => Self::Srgb,
            "ST2084" => Self::Pq,
            "HLG" => Self::Hlg,
            "Linear" => Self::Linear,
            _ => return None,
        })
    }

    /// Linear display light (1 = 100 cd/m² or the display's white) to codes.
    #[must_use]
    pub fn encode(self) -> Vec<Link> {
        let encode = |transfer| vec![Link::Encode(transfer)];
        match self {
            Self::Bt1886 => encode(Transfer::DisplayGamma(2.4)),
            Self::Gamma22 => encode(Transfer::DisplayGamma(2.2)),
            Self::Gamma26 => encode(Transfer::DisplayGamma(2.6)),
            Self::Srgb => encode(Transfer::DisplayToed { gamma: 2.4, offset: 0.055 }),
            Self::Pq => encode(Transfer::Pq),
            Self::Linear => Vec::new(),
            // 1000 cd/m² are 1; the system gamma of 1.2 is taken off luminance.
            Self::Hlg => vec![
                Link::Matrix { matrix: super::diagonal([0.1; 3]), offset: [0.0; 3] },
                Link::Surround {
                    weights: [0.2627, 0.6780, 0.0593],
                    exponent: 1.0 / 1.2,
                    // 0.027 cd/m², below which OpenColorIO lets the gain stay.
                    floor: 2.676e-5,
                },
                Link::Encode(Transfer::HlgCurve),
            ],
        }
    }
}

/// An output transform of ACES 2.0.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct OutputTransform {
    /// Peak and limiting gamut.
    pub target: Target,
    /// Primaries of the display; their white is D65, but for XYZ.
    pub display: Primaries,
    /// What the display does with codes.
    pub eotf: Eotf,
    /// Factor on linear light: what a projector makes of 100 cd/m².
    pub scale: f64,
}

impl OutputTransform {
    /// How a name is put together, for people who want another one than the registry has.
    pub const GRAMMAR: &str = "{Rec709|P3|Rec2100}-{D65|D60}_{48|108|300|100 to 10000}nit_in_\
        {Rec709-D65|P3-D65|Rec2100-D65|XYZ-E}_{BT1886|Gamma2pt2|Gamma2pt6|sRGB-Piecewise|ST2084|HLG|Linear}";

    /// The transform of an id of the registry, with or without its urn:
    /// `Output.Academy.P3-D65_1000nit_in_Rec2100-D65_ST2084.a2.v1`, or of what
    /// stands between `Academy.` and `.a2` in one.
    #[must_use]
    pub fn parse(id: &str) -> Option<Self> {
        let id = id.strip_prefix(URN).unwrap_or(id);
        let name = id.strip_prefix("Output.Academy.").unwrap_or(id);
        let name = name.strip_suffix(".a2.v1").unwrap_or(name);
        let (target, display) = name.split_once("_in_")?;
        let (limit, nits) = target.split_once('_')?;
        let (limit, white) = limit.split_once('-')?;
        let nits: f64 = nits.strip_suffix("nit")?.parse().ok()?;
        let (display, eotf) = display.split_once('_')?;
        let (display, display_white) = display.split_once('-')?;
        let display = Primaries::parse(display.as_bytes())?;
        if display_white != if display == Primaries::Xyz { "E" } else { "D65" } {
            return None;
        }
        let limit = Primaries::parse(limit.as_bytes())?;
        let white = match white {
            "D65" => D65,
            "D60" => ACES_WHITE,
            _ => return None,
        };
        let eotf = Eotf::parse(eotf)?;
        let (peak_nits, scale) = luminance(nits, display, eotf)?;
        if limit == Primaries::Xyz {
            return None;
        }
        Some(Self {
            target: Target { peak_nits, primaries: limit.xy(), white },
            display,
            eotf,
            scale,
        })
    }

    /// ACES2065-1 to display codes.
    #[must_use]
    pub fn chain(&self) -> Chain {
        let mut links = vec![Link::Output2 { target: self.target, inverse: false }];
        links.push(Link::Matrix { matrix: self.to_display(), offset: [0.0; 3] });
        links.push(Link::Clamp { low: Some(0.0), high: None });
        links.extend(self.eotf.encode());
        Chain(links)
    }

    /// Display codes to ACES2065-1.
    ///
    /// # Errors
    /// None today: every part has an inverse.
    pub fn inverse_chain(&self) -> Result<Chain, &'static str> {
        let mut chain = self.chain();
        // On the way back what lies outside is taken in by the transform's own clamp.
        chain.0.retain(|link| !matches!(link, Link::Clamp { .. }));
        chain.inverse()
    }

    /// Linear light of the limiting gamut to that of the display, scaled.
    fn to_display(self) -> Matrix3 {
        let to_xyz = rgb_to_xyz(&self.target.primaries, self.target.white);
        let from_xyz = match self.display {
            Primaries::Xyz => IDENTITY,
            display => invert(&rgb_to_xyz(&display.xy(), D65)).unwrap_or(IDENTITY),
        };
        let matrix = mul(&from_xyz, &to_xyz);
        // A white that is not the display's must fit into it whole.
        let white_scale = if self.target.white == D65 || self.display == Primaries::Xyz {
            1.0
        } else {
            1.0 / apply(&matrix, [1.0; 3]).into_iter().fold(0.0, f64::max)
        };
        matrix.map(|row| row.map(|v| v * white_scale * self.scale))
    }
}

/// Peak that is rendered for and factor on its light, of the luminance that a name says. Projectors
/// show less than 100 cd/m²: their targets are made brighter and scaled.
fn luminance(nits: f64, display: Primaries, eotf: Eotf) -> Option<(f64, f64)> {
    // What codes say by themselves is the light that is named; else white is the projector's own.
    let absolute = matches!(eotf, Eotf::Pq | Eotf::Hlg | Eotf::Linear);
    Some(match (nits, display) {
        (48.0, _) if absolute => (100.0, 0.48),
        (48.0, Primaries::Xyz) => (100.0, 48.0 / 52.37),
        (48.0, _) => (100.0, 1.0),
        (108.0, _) => (225.0, 0.48),
        (300.0, Primaries::Xyz) => (625.0, 0.48),
        (nits, _) if (100.0..=10_000.0).contains(&nits) => (nits, 1.0),
        _ => return None,
    })
}

/// Ids of all output transforms of the registry (2.0.0+2025.04.04), without [`URN`].
#[must_use]
pub fn registered() -> Vec<String> {
    let mut ids = Vec::new();
    for white in ["D65", "D60"] {
        for (limit, nits, displays) in REGISTERED {
            for display in displays.split(' ') {
                ids.push(format!("Output.Academy.{limit}-{white}_{nits}nit_in_{display}.a2.v1"));
            }
        }
    }
    ids
}

/// Limiting gamut, luminance, displays and their curves.
const REGISTERED: &[(&str, u32, &str)] = &[
    (
        "Rec709",
        100,
        "Rec709-D65_BT1886 Rec709-D65_Gamma2pt2 Rec709-D65_sRGB-Piecewise P3-D65_sRGB-Piecewise P3-D65_ST2084 Rec2100-D65_ST2084",
    ),
    ("Rec709", 48, "P3-D65_Gamma2pt6"),
    ("P3", 100, "P3-D65_sRGB-Piecewise P3-D65_Gamma2pt2"),
    ("P3", 48, "P3-D65_Gamma2pt6 XYZ-E_Gamma2pt6"),
    ("P3", 108, "P3-D65_ST2084"),
    ("P3", 300, "XYZ-E_ST2084"),
    ("P3", 500, "P3-D65_ST2084 Rec2100-D65_ST2084"),
    ("P3", 1000, "P3-D65_ST2084 Rec2100-D65_ST2084 P3-D65_sRGB-Piecewise Rec2100-D65_HLG"),
    ("P3", 2000, "P3-D65_ST2084 Rec2100-D65_ST2084"),
    ("P3", 4000, "P3-D65_ST2084 Rec2100-D65_ST2084"),
    ("Rec2100", 500, "Rec2100-D65_ST2084"),
    ("Rec2100", 1000, "Rec2100-D65_ST2084"),
    ("Rec2100", 2000, "Rec2100-D65_ST2084"),
    ("Rec2100", 4000, "Rec2100-D65_ST2084"),
];
