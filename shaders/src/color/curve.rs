//! Transfer curves on runs of values: the f32 form of
//! [`platefarm_model::color::transfer`], each a loop without branches.

use super::math::{exp2, exp2_less_one, log2, log2_of_one_and, pick, pow, signed_pow};
use fearless_simd::{Level, dispatch};
use platefarm_model::color::transfer::{APPLE, CanonCurve, HLG, Knee, LogCurve, PQ, Transfer, toe};

/// Which way a curve is run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// Codes to light.
    Decode,
    /// Light to codes.
    Encode,
}

/// A loop over values, compiled for the instruction set. A macro, because a
/// closure that is handed to a function is not taken into its vector code.
macro_rules! each {
    ($level:expr, $values:expr, |$value:ident| $body:expr) => {{
        let values: &mut [f32] = $values;
        dispatch!($level, _simd => for v in values.iter_mut() {
            let $value = *v;
            *v = $body;
        });
    }};
}

/// Runs `transfer` on `values`, in place.
pub fn run(level: Level, transfer: &Transfer, way: Way, values: &mut [f32]) {
    let decode = way == Way::Decode;
    match *transfer {
        Transfer::Linear => {}
        Transfer::Log(curve) if decode => log_decode(level, &curve, values),
        Transfer::Log(curve) => log_encode(level, &curve, values),
        Transfer::LogKnee(curve, knee) if decode => {
            let knee = KneeF32::new(&knee);
            each!(level, values, |code| knee.open(code));
            log_decode(level, &curve, values);
        }
        Transfer::LogKnee(curve, knee) => {
            log_encode(level, &curve, values);
            let knee = KneeF32::new(&knee);
            each!(level, values, |code| knee.close(code));
        }
        Transfer::AcesCc if decode => each!(level, values, |code| {
            let power = exp2(code * 17.52 - 9.72);
            let dark = 2.0 * (power - 1.0 / 65536.0);
            pick(code <= -5.28 / 17.52, dark, power.min(65504.0))
        }),
        Transfer::AcesCc => each!(level, values, |light| {
            let floor = 1.0 / 65536.0;
            let dark = floor + 0.5 * light.max(0.0);
            (log2(pick(light < 2.0 * floor, dark, light)) + 9.72) / 17.52
        }),
        Transfer::Canon(curve) => canon(level, &curve, decode, values),
        Transfer::AppleLog => apple(level, decode, values),
        Transfer::Toed { gamma, offset } => {
            let toe = Toe::new(gamma, offset);
            if decode {
                each!(level, values, |code| toe.decode(code));
            } else {
                each!(level, values, |light| toe.encode(light));
            }
        }
        Transfer::DisplayToed { gamma, offset } => {
            let toe = Toe::new(gamma, offset);
            if decode {
                each!(level, values, |code| toe.decode(code.abs()).copysign(code));
            } else {
                each!(level, values, |light| toe.encode(light.abs()).copysign(light));
            }
        }
        Transfer::Gamma(gamma) => {
            let power = (if decode { gamma } else { 1.0 / gamma }) as f32;
            each!(level, values, |v| pick(v > 0.0, pow(v, power), v));
        }
        Transfer::DisplayGamma(gamma) => {
            let power = (if decode { gamma } else { 1.0 / gamma }) as f32;
            each!(level, values, |v| signed_pow(v, power));
        }
        Transfer::Pq => pq(level, decode, values),
        Transfer::HlgCurve => hlg(level, decode, values),
    }
}

fn log_decode(level: Level, curve: &LogCurve, values: &mut [f32]) {
    // The power's constant joins its exponent, so that one addition rounds.
    let (rate, shift) = (curve.rate as f32, (curve.rate * -curve.shift) as f32);
    let (gain, lost) = (curve.gain as f32, (curve.gain * curve.offset) as f32);
    let (at, slope) = (curve.code_break as f32, curve.slope as f32);
    let dark = (curve.black * curve.slope) as f32;
    each!(level, values, |code| {
        let log = gain * exp2(rate * code + shift) - lost;
        pick(code > at, log, code * slope - dark)
    });
}

fn log_encode(level: Level, curve: &LogCurve, values: &mut [f32]) {
    let (scale, offset) = ((1.0 / curve.gain) as f32, curve.offset as f32);
    let (rate, shift) = ((1.0 / curve.rate) as f32, curve.shift as f32);
    let (at, slope) = (curve.light_break as f32, (1.0 / curve.slope) as f32);
    let black = curve.black as f32;
    each!(level, values, |light| {
        let log = log2(light * scale + offset) * rate + shift;
        pick(light > at, log, light * slope + black)
    });
}

/// The knee of LogC3 as a cubic in the part of the way to code 1.
struct KneeF32 {
    start: f32,
    end: f32,
    width: f32,
    cubic: [f32; 4],
}

impl KneeF32 {
    fn new(knee: &Knee) -> Self {
        let width = 1.0 - knee.start;
        let (p0, p1, m0, m1) = (knee.start, knee.end, width, knee.end_slope * width);
        let cubic = [p0, m0, 3.0 * (p1 - p0) - 2.0 * m0 - m1, 2.0 * (p0 - p1) + m0 + m1];
        Self {
            start: knee.start as f32,
            end: knee.end as f32,
            width: width as f32,
            cubic: cubic.map(|v| v as f32),
        }
    }

    #[inline(always)]
    fn at(&self, t: f32) -> f32 {
        let [a, b, c, d] = self.cubic;
        ((d * t + c) * t + b) * t + a
    }

    #[inline(always)]
    fn open(&self, code: f32) -> f32 {
        let bent = self.at((code - self.start) / self.width);
        pick(code > self.start, bent, code)
    }

    /// The way back by Newton's method; the cubic is all but straight.
    #[inline(always)]
    fn close(&self, code: f32) -> f32 {
        let [_, b, c, d] = self.cubic;
        let mut t = (code - self.start) / (self.end - self.start);
        for _ in 0..6 {
            let slope = (3.0 * d * t + 2.0 * c) * t + b;
            t -= (self.at(t) - code) / slope;
        }
        pick(code > self.start, self.start + self.width * t, code)
    }
}

fn canon(level: Level, curve: &CanonCurve, decode: bool, values: &mut [f32]) {
    let (rate, gain) = (curve.rate as f32, curve.gain as f32);
    let [low, high] = curve.breaks.map(|v| v as f32);
    let [down, up] = curve.shifts.map(|v| v as f32);
    let (slope, black) = (curve.slope as f32, curve.black as f32);
    if decode {
        each!(level, values, |code| {
            let below = code < low;
            let out = pick(below, down - code, code - up);
            let power = gain * (exp2(rate * out) - 1.0);
            let signed = pick(below, -power, power);
            let straight = !below && code <= high;
            pick(straight, (code - black) * slope, signed)
        });
    } else {
        let [dark, bright] = curve.breaks.map(|code| ((code - curve.black) * curve.slope) as f32);
        let (unrate, ungain, unslope) = (1.0 / rate, 1.0 / gain, 1.0 / slope);
        each!(level, values, |light| {
            let below = light < dark;
            let out = log2(light.abs() * ungain + 1.0) * unrate;
            let signed = pick(below, down - out, out + up);
            let straight = !below && light <= bright;
            pick(straight, light * unslope + black, signed)
        });
    }
}

fn apple(level: Level, decode: bool, values: &mut [f32]) {
    let [r0, rt, c, beta, gamma, delta] = APPLE;
    let split = (c * (rt - r0) * (rt - r0)) as f32;
    let (rate, shift) = ((1.0 / gamma) as f32, (-delta / gamma) as f32);
    let [r0, rt, c, beta, gamma, delta] = [r0, rt, c, beta, gamma, delta].map(|v| v as f32);
    if decode {
        each!(level, values, |code| {
            let log = exp2(rate * code + shift) - beta;
            let square = (code.max(0.0) / c).sqrt() + r0;
            pick(code >= split, log, square)
        });
    } else {
        each!(level, values, |light| {
            let log = gamma * log2(light + beta) + delta;
            let out = (light - r0).max(0.0);
            pick(light >= rt, log, c * out * out)
        });
    }
}

/// A power with a straight toe.
pub(super) struct Toe {
    gamma: f32,
    ungamma: f32,
    offset: f32,
    touch: f32,
    light: f32,
    slope: f32,
}

impl Toe {
    pub(super) fn new(gamma: f64, offset: f64) -> Self {
        let [touch, slope] = toe(gamma, offset);
        Self {
            gamma: gamma as f32,
            ungamma: (1.0 / gamma) as f32,
            offset: offset as f32,
            touch: touch as f32,
            light: (touch * slope) as f32,
            slope: slope as f32,
        }
    }

    #[inline(always)]
    pub(super) fn decode(&self, code: f32) -> f32 {
        let power = pow((code + self.offset) / (1.0 + self.offset), self.gamma);
        pick(code > self.touch, power, code * self.slope)
    }

    #[inline(always)]
    pub(super) fn encode(&self, light: f32) -> f32 {
        let power = (1.0 + self.offset) * pow(light, self.ungamma) - self.offset;
        pick(light > self.light, power, light / self.slope)
    }
}

/// ST 2084. Its exponent of 79 multiplies every rounding, so that both ways
/// are written around 1: `c1 + c2 p` over `1 + c3 p` is `1 + (1 - c1)(p - 1) /
/// (1 + c3 p)`, since c2 - c3 is 1 - c1.
fn pq(level: Level, decode: bool, values: &mut [f32]) {
    let [m1, m2, c1, _, c3] = PQ;
    let [unm1, unm2] = [1.0 / m1, 1.0 / m2].map(|v| v as f32);
    let (m1, m2, c3, rest) = (m1 as f32, m2 as f32, c3 as f32, (1.0 - c1) as f32);
    if decode {
        each!(level, values, |code| {
            // Codes below 2^-39 are no light.
            let less = exp2_less_one((log2(code.abs()) * unm2).max(-0.5));
            let light = 100.0 * pow((rest + less).max(0.0) / (rest - c3 * less), unm1);
            light.copysign(code)
        });
    } else {
        each!(level, values, |light| {
            let p = pow(light.abs() * 0.01, m1);
            let d = rest * (p - 1.0) / (1.0 + c3 * p);
            exp2(m2 * log2_of_one_and(d)).copysign(light)
        });
    }
}

fn hlg(level: Level, decode: bool, values: &mut [f32]) {
    let [_, b, c] = HLG.map(|v| v as f32);
    let rate = (1.0 / (HLG[0] * std::f64::consts::LN_2)) as f32;
    let unrate = (HLG[0] * std::f64::consts::LN_2) as f32;
    if decode {
        each!(level, values, |code| {
            let v = code.abs();
            let log = (exp2((v - c) * rate) + b) / 12.0;
            (pick(v <= 0.5, v * v / 3.0, log)).copysign(code)
        });
    } else {
        each!(level, values, |light| {
            let v = light.abs();
            let log = unrate * log2(12.0 * v - b) + c;
            (pick(v <= 1.0 / 12.0, (3.0 * v).sqrt(), log)).copysign(light)
        });
    }
}
