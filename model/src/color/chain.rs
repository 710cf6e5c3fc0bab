//! A colour transform as a chain of links, in f64: what an id, an AMF, a CLF
//! or a pair of names resolves to. `shaders` plans a chain (joins matrices,
//! drops what does nothing) and runs it on pixels.

use super::aces2::Target;
use super::transfer::Transfer;
use super::{IDENTITY, Matrix3, invert};
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// One step of a chain, on red, green and blue.
#[derive(Clone, Debug, PartialEq)]
pub enum Link {
    /// `matrix * rgb + offset`.
    Matrix {
        /// Row-major, on column vectors.
        matrix: Matrix3,
        /// Added afterwards.
        offset: [f64; 3],
    },
    /// Codes to light.
    Decode(Transfer),
    /// Light to codes.
    Encode(Transfer),
    /// Values kept within bounds.
    Clamp {
        /// Lower bound.
        low: Option<f64>,
        /// Upper bound.
        high: Option<f64>,
    },
    /// ASC CDL.
    Cdl(Cdl),
    /// A power per channel.
    Exponent(Exponent),
    /// A logarithm or its inverse per channel.
    Log(Log),
    /// A table per channel.
    Lut1d(Arc<Lut1d>),
    /// A cube.
    Lut3d(Arc<Lut3d>),
    /// ACES reference gamut compression 1.3, on ACEScg.
    GamutCompress {
        /// Whether it is undone.
        inverse: bool,
    },
    /// ACES 1: glow, red modifier and desaturation of the Reference Rendering Transform, ACES2065-1 to ACEScg.
    Sweeten {
        /// Whether it is undone.
        inverse: bool,
    },
    /// ACES 1: a tone curve of quadratic B-splines in log-log space, per channel.
    Tone {
        /// The curve.
        curve: Arc<Spline>,
        /// Whether it is undone.
        inverse: bool,
    },
    /// A power of luminance that keeps the chromaticity: `rgb * Y^(exponent - 1)`.
    Surround {
        /// Luminance of each channel.
        weights: [f64; 3],
        /// Exponent of luminance.
        exponent: f64,
        /// Smallest luminance that is looked at.
        floor: f64,
    },
    /// ACES 2.0: scene light (ACES2065-1) to linear light of the limiting gamut, or back.
    Output2 {
        /// Peak and limiting gamut.
        target: Target,
        /// Whether it goes from display to scene.
        inverse: bool,
    },
}

/// ASC CDL 1.2: slope, offset and power per channel, then saturation by Rec.709's luma.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Cdl {
    /// Slope.
    pub slope: [f64; 3],
    /// Offset.
    pub offset: [f64; 3],
    /// Power.
    pub power: [f64; 3],
    /// Saturation.
    pub saturation: f64,
    /// Whether values are kept within 0 and 1 before the power and at the end,
    /// as ASC CDL 1.2 says. Without, negatives pass the power as they are.
    #[serde(default)]
    pub clamp: bool,
    /// Whether it is undone.
    #[serde(default)]
    pub inverse: bool,
}

impl std::fmt::Display for Cdl {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let triple = |v: &[f64; 3]| v.map(|v| v.to_string()).join(" ");
        write!(
            f,
            "slope {} offset {} power {} saturation {}{}{}",
            triple(&self.slope),
            triple(&self.offset),
            triple(&self.power),
            self.saturation,
            if self.clamp { ", clamped" } else { "" },
            if self.inverse { ", undone" } else { "" }
        )
    }
}

/// What CLF's exponent does with negative values, and which curve it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ExponentStyle {
    /// Negatives become 0.
    Basic,
    /// Mirrored at zero.
    Mirror,
    /// Negatives pass as they are.
    PassThrough,
    /// A straight toe below the code where it touches, going on below zero.
    Monitor,
    /// A straight toe, mirrored at zero.
    MonitorMirror,
}

/// An exponent of the Common LUT Format.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Exponent {
    /// Curve.
    pub style: ExponentStyle,
    /// Whether it is undone.
    pub inverse: bool,
    /// Exponent per channel.
    pub exponent: [f64; 3],
    /// Offset per channel, of the monitor styles.
    pub offset: [f64; 3],
}

/// A logarithm of the Common LUT Format: `log_side_slope * log_base(lin_side_slope * x +
/// lin_side_offset) + log_side_offset`, straight below a break where there is one.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Log {
    /// Whether it goes from log to linear.
    pub inverse: bool,
    /// Base.
    pub base: f64,
    /// Per channel.
    pub channels: [LogChannel; 3],
}

/// See [`Log`].
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LogChannel {
    /// Slope on the linear side.
    pub lin_slope: f64,
    /// Offset on the linear side.
    pub lin_offset: f64,
    /// Slope on the logarithmic side.
    pub log_slope: f64,
    /// Offset on the logarithmic side.
    pub log_offset: f64,
    /// Linear value below which it is straight, and the slope there; `None`: no toe.
    pub toe: Option<[f64; 2]>,
}

/// A table per channel.
#[derive(Clone, Debug, PartialEq)]
pub struct Lut1d {
    /// Entries per channel.
    pub length: usize,
    /// Red's entries, green's, blue's.
    pub values: Vec<f32>,
    /// Inputs of the first and the last entry.
    pub domain: [f64; 2],
    /// Whether it is indexed by the bits of a half (65536 entries).
    pub half_domain: bool,
    /// Whether the middle channel is set anew so that the hue stays (DW3).
    pub hue_adjust: bool,
    /// Whether it is undone.
    pub inverse: bool,
}

/// A cube.
#[derive(Clone, Debug, PartialEq)]
pub struct Lut3d {
    /// Entries along an edge.
    pub size: usize,
    /// RGB triples; blue changes fastest.
    pub values: Vec<f32>,
    /// Inputs of the first and the last entry of each axis.
    pub domain: [[f64; 3]; 2],
    /// Whether between entries it is tetrahedral; else trilinear.
    pub tetrahedral: bool,
    /// Whether it is undone.
    pub inverse: bool,
}

/// A tone curve of ACES 1: quadratic B-splines between three points in
/// log-log space, straight lines beyond.
#[derive(Clone, Debug, PartialEq)]
pub struct Spline {
    /// Coefficients from the darkest point to the middle.
    pub low: Vec<f64>,
    /// Coefficients from the middle to the brightest.
    pub high: Vec<f64>,
    /// Darkest, middle, brightest: scene value and luminance.
    pub points: [[f64; 2]; 3],
    /// Slopes below and above.
    pub slopes: [f64; 2],
}

/// A chain of links, the first first.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Chain(pub Vec<Link>);

impl Chain {
    /// One matrix.
    #[must_use]
    pub fn matrix(matrix: Matrix3) -> Self {
        Self(vec![Link::Matrix { matrix, offset: [0.0; 3] }])
    }

    /// This, then `next`.
    #[must_use]
    pub fn then(mut self, next: Self) -> Self {
        self.0.extend(next.0);
        self
    }

    /// The way back, or the first link that has none.
    ///
    /// # Errors
    /// The name of the link that cannot be undone.
    pub fn inverse(&self) -> Result<Self, &'static str> {
        self.0.iter().rev().map(Link::inverse).collect::<Result<Vec<_>, _>>().map(Self)
    }
}

impl Link {
    /// Its name in lists of what a chain does.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Matrix { .. } => "matrix",
            Self::Decode(_) => "decode",
            Self::Encode(_) => "encode",
            Self::Clamp { .. } => "clamp",
            Self::Cdl(_) => "cdl",
            Self::Exponent(_) => "exponent",
            Self::Log(_) => "log",
            Self::Lut1d(_) => "lut1d",
            Self::Lut3d(_) => "lut3d",
            Self::GamutCompress { .. } => "gamut compression",
            Self::Sweeten { .. } => "aces 1 sweeteners",
            Self::Tone { .. } => "aces 1 tone curve",
            Self::Surround { .. } => "surround",
            Self::Output2 { .. } => "aces 2 output",
        }
    }

    /// The link that undoes it. A clamp is undone by the same clamp.
    ///
    /// # Errors
    /// Its name, when nothing undoes it.
    pub fn inverse(&self) -> Result<Self, &'static str> {
        Ok(match self {
            Self::Matrix { matrix, offset } => {
                let back = invert(matrix).ok_or("matrix")?;
                let offset = super::apply(&back, *offset).map(|v| -v);
                Self::Matrix { matrix: back, offset }
            }
            Self::Decode(transfer) => Self::Encode(*transfer),
            Self::Encode(transfer) => Self::Decode(*transfer),
            Self::Clamp { .. } => self.clone(),
            Self::Cdl(cdl) if cdl.saturation == 0.0 || cdl.slope.contains(&0.0) => {
                return Err(self.name());
            }
            Self::Cdl(cdl) => Self::Cdl(Cdl { inverse: !cdl.inverse, ..*cdl }),
            Self::Exponent(e) => Self::Exponent(Exponent { inverse: !e.inverse, ..*e }),
            Self::Log(log) => Self::Log(Log { inverse: !log.inverse, ..*log }),
            Self::Lut1d(lut) => {
                Self::Lut1d(Arc::new(Lut1d { inverse: !lut.inverse, ..(**lut).clone() }))
            }
            Self::GamutCompress { inverse } => Self::GamutCompress { inverse: !inverse },
            Self::Surround { weights, exponent, floor } => {
                Self::Surround { weights: *weights, exponent: 1.0 / exponent, floor: *floor }
            }
            Self::Output2 { target, inverse } => {
                Self::Output2 { target: *target, inverse: !inverse }
            }
            Self::Sweeten { inverse } => Self::Sweeten { inverse: !inverse },
            Self::Tone { curve, inverse } => {
                Self::Tone { curve: Arc::clone(curve), inverse: !inverse }
            }
            Self::Lut3d(lut) => {
                Self::Lut3d(Arc::new(Lut3d { inverse: !lut.inverse, ..(**lut).clone() }))
            }
        })
    }

    /// Whether it changes nothing.
    #[must_use]
    pub fn is_identity(&self) -> bool {
        match self {
            Self::Matrix { matrix, offset } => *matrix == IDENTITY && *offset == [0.0; 3],
            Self::Decode(t) | Self::Encode(t) => *t == Transfer::Linear,
            Self::Clamp { low: None, high: None } => true,
            Self::Cdl(c) => {
                !c.clamp
                    && c.slope == [1.0; 3]
                    && c.offset == [0.0; 3]
                    && c.power == [1.0; 3]
                    && c.saturation == 1.0
            }
            _ => false,
        }
    }
}
