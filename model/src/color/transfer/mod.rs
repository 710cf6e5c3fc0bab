//! Transfer curves: from a code value to the linear light of its space, and
//! back. Codes are 0 to 1 over the full range of their container; scene light
//! has 0.18 for a grey card, display light 1 for 100 cd/m² (or for the white
//! of the display where a curve is relative).
//!
//! Most camera curves are a straight toe below and a logarithm above, so that
//! one form, [`LogCurve`], holds all of them with published constants. The
//! formulas are those of the makers' white papers, as the Academy's CTL
//! (aces-input-and-colorspaces) has them.

mod makers;

pub use makers::*;

/// A code-to-light curve: `light = gain * (2^(rate * (code - shift)) - offset)`
/// above the break, and a straight line below it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LogCurve {
    /// Powers of two per unit of code.
    pub rate: f64,
    /// Code at which the power is 1.
    pub shift: f64,
    /// Taken from the power.
    pub offset: f64,
    /// Multiplies what is left.
    pub gain: f64,
    /// Code from which the logarithm holds.
    pub code_break: f64,
    /// Light from which the logarithm holds; a few makers publish one that is not the code break's light.
    pub light_break: f64,
    /// Light per code in the toe.
    pub slope: f64,
    /// Code of no light in the toe.
    pub black: f64,
}

impl LogCurve {
    /// With both breaks where the toe says that they correspond.
    pub(super) const fn with_code_break(mut self) -> Self {
        self.light_break = (self.code_break - self.black) * self.slope;
        self
    }

    fn decode(&self, code: f64) -> f64 {
        if code > self.code_break {
            self.gain * ((self.rate * (code - self.shift)).exp2() - self.offset)
        } else {
            (code - self.black) * self.slope
        }
    }

    fn encode(&self, light: f64) -> f64 {
        if light > self.light_break {
            (light / self.gain + self.offset).log2() / self.rate + self.shift
        } else {
            light / self.slope + self.black
        }
    }
}

/// A transfer curve.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Transfer {
    /// Light as it is.
    Linear,
    /// A straight toe, then a logarithm.
    Log(LogCurve),
    /// ARRI LogC3 at an exposure index whose curve passes code 1: the codes
    /// from 0.8 up are a knee, a cubic from code 0.8 with slope 1 to the
    /// logarithm's value at code 1 with the slope that ARRI chose.
    LogKnee(LogCurve, Knee),
    /// ACEScc (S-2014-003): a logarithm down to the smallest values, without a toe.
    AcesCc,
    /// Canon Log 2 and 3: logarithms up and, mirrored, down from a middle that is straight or empty.
    Canon(CanonCurve),
    /// Apple Log: a square below, a logarithm above.
    AppleLog,
    /// `((code + offset) / (1 + offset))^gamma`, straight below the code at
    /// which the line through zero touches it (IEC 61966-2-1 and ITU-R BT.709 in their exact form).
    Toed {
        /// Exponent.
        gamma: f64,
        /// Offset.
        offset: f64,
    },
    /// A power; negative codes are light as they are.
    Gamma(f64),
    /// A power mirrored at zero: what displays get.
    DisplayGamma(f64),
    /// [`Transfer::Toed`] mirrored at zero: what displays get.
    DisplayToed {
        /// Exponent.
        gamma: f64,
        /// Offset.
        offset: f64,
    },
    /// SMPTE ST 2084, mirrored at zero; light 1 is 100 cd/m². Codes end at 1, which is 10 000 cd/m².
    Pq,
    /// ITU-R BT.2100 HLG's curve per channel, without its system gamma, mirrored at zero.
    HlgCurve,
}

/// The knee of LogC3: see [`Transfer::LogKnee`].
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Knee {
    /// Code at which the knee begins.
    pub start: f64,
    /// Code of the logarithm that the knee's last code stands for.
    pub end: f64,
    /// Slope at the knee's last code.
    pub end_slope: f64,
}

impl Knee {
    /// The code of the logarithm for a code of the file: a cubic (Hermite) from `start` to 1.
    #[must_use]
    pub fn open(&self, code: f64) -> f64 {
        if code <= self.start {
            return code;
        }
        let width = 1.0 - self.start;
        let t = (code - self.start) / width;
        let (t2, t3) = (t * t, t * t * t);
        self.start * (2.0 * t3 - 3.0 * t2 + 1.0)
            + width * (t3 - 2.0 * t2 + t)
            + self.end * (3.0 * t2 - 2.0 * t3)
            + self.end_slope * width * (t3 - t2)
    }

    /// The way back, which has no formula: bisected to the last bit.
    fn close(&self, code: f64) -> f64 {
        if code <= self.start {
            return code;
        }
        let (mut low, mut high) = (self.start, 1.0);
        while self.open(high) < code && high < 4.0 {
            high += 0.25;
        }
        for _ in 0..60 {
            let middle = 0.5 * (low + high);
            if self.open(middle) < code { low = middle } else { high = middle }
        }
        0.5 * (low + high)
    }
}

/// The constants of Canon Log 2 or 3.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct CanonCurve {
    /// Powers of two per unit of code.
    pub rate: f64,
    /// Light per power.
    pub gain: f64,
    /// Codes between which the curve is straight.
    pub breaks: [f64; 2],
    /// Codes at which the lower and the upper logarithm are without light.
    pub shifts: [f64; 2],
    /// Light per code of the straight part.
    pub slope: f64,
    /// Code of no light of the straight part.
    pub black: f64,
}

impl CanonCurve {
    fn decode(&self, code: f64) -> f64 {
        let power = |codes: f64| self.gain * ((self.rate * codes).exp2() - 1.0);
        if code < self.breaks[0] {
            -power(self.shifts[0] - code)
        } else if code <= self.breaks[1] {
            (code - self.black) * self.slope
        } else {
            power(code - self.shifts[1])
        }
    }

    fn encode(&self, light: f64) -> f64 {
        let code = |light: f64| (light / self.gain + 1.0).log2() / self.rate;
        if light < (self.breaks[0] - self.black) * self.slope {
            self.shifts[0] - code(-light)
        } else if light <= (self.breaks[1] - self.black) * self.slope {
            light / self.slope + self.black
        } else {
            code(light) + self.shifts[1]
        }
    }
}

/// ST 2084: m1, m2, c1, c2, c3.
pub const PQ: [f64; 5] =
    [2610.0 / 16384.0, 2523.0 / 32.0, 3424.0 / 4096.0, 2413.0 / 128.0, 2392.0 / 128.0];
/// BT.2100 HLG: a, b, c.
pub const HLG: [f64; 3] = [0.178_832_77, 0.284_668_92, 0.559_910_73];
/// Apple Log: R0, Rt, c, beta, gamma, delta (Apple Log Profile White Paper, 2023).
pub const APPLE: [f64; 6] =
    [-0.056_410_88, 0.01, 47.287_112_36, 0.009_640_52, 0.085_504_79, 0.693_369_45];
/// Light that ACEScc treats as nothing, and what it stands for: 2^-16.
const CC_FLOOR: f64 = 1.0 / 65536.0;

/// Where the line through zero touches `((c + o) / (1 + o))^g`: code and slope of light.
#[must_use]
pub fn toe(gamma: f64, offset: f64) -> [f64; 2] {
    let code = offset / (gamma - 1.0);
    let slope =
        (gamma - 1.0) / offset * (offset * gamma / ((gamma - 1.0) * (1.0 + offset))).powf(gamma);
    [code, slope]
}

fn mirrored(v: f64, curve: impl Fn(f64) -> f64) -> f64 {
    curve(v.abs()).copysign(v)
}

impl Transfer {
    /// Light of a code.
    #[must_use]
    pub fn decode(&self, code: f64) -> f64 {
        match *self {
            Self::Linear => code,
            Self::Log(curve) => curve.decode(code),
            Self::LogKnee(curve, knee) => curve.decode(knee.open(code)),
            Self::AcesCc => {
                let power = (code * 17.52 - 9.72).exp2();
                if code <= (9.72 - 15.0) / 17.52 {
                    2.0 * (power - CC_FLOOR)
                } else {
                    power.min(65504.0)
                }
            }
            Self::Canon(curve) => curve.decode(code),
            Self::AppleLog => {
                let [r0, rt, c, beta, gamma, delta] = APPLE;
                let split = c * (rt - r0) * (rt - r0);
                if code >= split {
                    ((code - delta) / gamma).exp2() - beta
                } else {
                    (code.max(0.0) / c).sqrt() + r0
                }
            }
            Self::Toed { gamma, offset } => toed(gamma, offset, code),
            Self::DisplayToed { gamma, offset } => mirrored(code, |c| toed(gamma, offset, c)),
            Self::Gamma(gamma) if code > 0.0 => code.powf(gamma),
            Self::Gamma(_) => code,
            Self::DisplayGamma(gamma) => mirrored(code, |c| c.powf(gamma)),
            Self::Pq => mirrored(code, |c| {
                let [m1, m2, c1, c2, c3] = PQ;
                // From code 1.99 on the formula has no light any more.
                let p = c.min(1.0).powf(1.0 / m2);
                100.0 * ((p - c1).max(0.0) / (c2 - c3 * p)).powf(1.0 / m1)
            }),
            Self::HlgCurve => mirrored(code, |v| {
                let [a, b, c] = HLG;
                if v <= 0.5 { v * v / 3.0 } else { (((v - c) / a).exp() + b) / 12.0 }
            }),
        }
    }

    /// Code of a light.
    #[must_use]
    pub fn encode(&self, light: f64) -> f64 {
        match *self {
            Self::Linear => light,
            Self::Log(curve) => curve.encode(light),
            Self::LogKnee(curve, knee) => knee.close(curve.encode(light)),
            Self::AcesCc => {
                let log = if light <= 0.0 {
                    CC_FLOOR.log2()
                } else if light < 2.0 * CC_FLOOR {
                    (CC_FLOOR + light * 0.5).log2()
                } else {
                    light.log2()
                };
                (log + 9.72) / 17.52
            }
            Self::Canon(curve) => curve.encode(light),
            Self::AppleLog => {
                let [r0, rt, c, beta, gamma, delta] = APPLE;
                if light >= rt {
                    gamma * (light + beta).log2() + delta
                } else if light >= r0 {
                    c * (light - r0) * (light - r0)
                } else {
                    0.0
                }
            }
            Self::Toed { gamma, offset } => untoed(gamma, offset, light),
            Self::DisplayToed { gamma, offset } => mirrored(light, |v| untoed(gamma, offset, v)),
            Self::Gamma(gamma) if light > 0.0 => light.powf(1.0 / gamma),
            Self::Gamma(_) => light,
            Self::DisplayGamma(gamma) => mirrored(light, |v| v.powf(1.0 / gamma)),
            Self::Pq => mirrored(light, |v| {
                let [m1, m2, c1, c2, c3] = PQ;
                let p = (v / 100.0).powf(m1);
                ((c1 + c2 * p) / (1.0 + c3 * p)).powf(m2)
            }),
            Self::HlgCurve => mirrored(light, |v| {
                let [a, b, c] = HLG;
                if v <= 1.0 / 12.0 { (3.0 * v).sqrt() } else { a * (12.0 * v - b).ln() + c }
            }),
        }
    }
}

fn toed(gamma: f64, offset: f64, code: f64) -> f64 {
    let [touch, slope] = toe(gamma, offset);
    if code > touch { ((code + offset) / (1.0 + offset)).powf(gamma) } else { code * slope }
}

fn untoed(gamma: f64, offset: f64, light: f64) -> f64 {
    let [touch, slope] = toe(gamma, offset);
    if light > touch * slope {
        (1.0 + offset) * light.powf(1.0 / gamma) - offset
    } else {
        light / slope
    }
}
