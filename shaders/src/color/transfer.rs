//! Which curve a link is: its formula, and its numbers in single precision.

use super::curve::{Curve, Formula, Numbers};
use platefarm_model::color::chain::{Exponent, ExponentStyle, Log, LogChannel};
use platefarm_model::color::transfer::{APPLE, CanonCurve, HLG, Knee, LogCurve, PQ, Transfer, toe};

/// Which way a curve is run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// Codes to light.
    Decode,
    /// Light to codes.
    Encode,
}

/// Numbers of a formula, the rest of them 0.
fn single<const N: usize>(numbers: [f64; N]) -> Numbers {
    std::array::from_fn(|i| numbers.get(i).map_or(0.0, |v| *v as f32))
}

fn alike<const N: usize>(formula: Formula, numbers: [f64; N]) -> Curve {
    Curve { formula, numbers: [single(numbers); 3] }
}

/// A transfer curve, in one or two steps.
#[must_use]
pub fn transfer(transfer: &Transfer, way: Way) -> Vec<Curve> {
    let decode = way == Way::Decode;
    let one = |decoding, encoding| if decode { decoding } else { encoding };
    vec![match *transfer {
        Transfer::Linear => return Vec::new(),
        Transfer::Log(curve) => log_curve(&curve, decode),
        Transfer::LogKnee(curve, knee) if decode => {
            return vec![knee_curve(&knee, true), log_curve(&curve, true)];
        }
        Transfer::LogKnee(curve, knee) => {
            return vec![log_curve(&curve, false), knee_curve(&knee, false)];
        }
        Transfer::AcesCc => alike(one(Formula::AcesCcDecode, Formula::AcesCcEncode), []),
        Transfer::Canon(curve) => canon(&curve, decode),
        Transfer::AppleLog => apple(decode),
        Transfer::Toed { gamma, offset } => {
            toed(one(Formula::ToeDecode, Formula::ToeEncode), decode, gamma, offset)
        }
        Transfer::DisplayToed { gamma, offset } => {
            toed(one(Formula::MirroredToeDecode, Formula::MirroredToeEncode), decode, gamma, offset)
        }
        Transfer::Gamma(gamma) => {
            alike(Formula::PassingPower, [if decode { gamma } else { 1.0 / gamma }])
        }
        Transfer::DisplayGamma(gamma) => {
            alike(Formula::MirroredPower, [if decode { gamma } else { 1.0 / gamma }])
        }
        Transfer::Pq => {
            let [m1, m2, c1, _, c3] = PQ;
            if decode {
                alike(Formula::PqDecode, [1.0 / m1, 1.0 / m2, c3, 1.0 - c1])
            } else {
                alike(Formula::PqEncode, [m1, m2, c3, 1.0 - c1])
            }
        }
        Transfer::HlgCurve => {
            let [a, b, c] = HLG;
            let rate = a * std::f64::consts::LN_2;
            alike(
                one(Formula::HlgDecode, Formula::HlgEncode),
                [b, c, if decode { 1.0 / rate } else { rate }],
            )
        }
    }]
}

fn log_curve(c: &LogCurve, decode: bool) -> Curve {
    if decode {
        // The power's constant joins its exponent, so that one addition rounds.
        let lost = c.gain * c.offset;
        let (shift, dark) = (c.rate * -c.shift, c.black * c.slope);
        alike(Formula::LogDecode, [c.rate, shift, c.gain, lost, c.code_break, c.slope, dark])
    } else {
        let (scale, rate, slope) = (1.0 / c.gain, 1.0 / c.rate, 1.0 / c.slope);
        alike(Formula::LogEncode, [scale, c.offset, rate, c.shift, c.light_break, slope, c.black])
    }
}

/// The knee of LogC3 as a cubic in the part of the way to code 1.
fn knee_curve(knee: &Knee, open: bool) -> Curve {
    let width = 1.0 - knee.start;
    let (p0, p1, m0, m1) = (knee.start, knee.end, width, knee.end_slope * width);
    let [a, b] = [p0, m0];
    let (c, d) = (3.0 * (p1 - p0) - 2.0 * m0 - m1, 2.0 * (p0 - p1) + m0 + m1);
    let formula = if open { Formula::KneeOpen } else { Formula::KneeClose };
    alike(formula, [knee.start, width, 1.0 / width, 1.0 / (knee.end - knee.start), a, b, c, d])
}

fn canon(c: &CanonCurve, decode: bool) -> Curve {
    let ([low, high], [down, up]) = (c.breaks, c.shifts);
    if decode {
        let numbers = [c.rate, c.gain, low, high, down, up, c.slope, c.black];
        alike(Formula::CanonDecode, numbers)
    } else {
        let [dark, bright] = c.breaks.map(|code| (code - c.black) * c.slope);
        let numbers = [1.0 / c.rate, 1.0 / c.gain, dark, bright, down, up, 1.0 / c.slope, c.black];
        alike(Formula::CanonEncode, numbers)
    }
}

fn apple(decode: bool) -> Curve {
    let [r0, rt, c, beta, gamma, delta] = APPLE;
    if decode {
        let split = c * (rt - r0) * (rt - r0);
        alike(Formula::AppleDecode, [split, 1.0 / gamma, -delta / gamma, beta, 1.0 / c, r0])
    } else {
        alike(Formula::AppleEncode, [gamma, beta, delta, rt, r0, c])
    }
}

fn toed(formula: Formula, decode: bool, gamma: f64, offset: f64) -> Curve {
    alike(formula, toe_numbers(decode, gamma, offset))
}

fn toe_numbers(decode: bool, gamma: f64, offset: f64) -> [f64; 5] {
    let [touch, slope] = toe(gamma, offset);
    if decode {
        [offset, 1.0 / (1.0 + offset), gamma, touch, slope]
    } else {
        [offset, 1.0 + offset, 1.0 / gamma, touch * slope, 1.0 / slope]
    }
}

/// An exponent of CLF. Channels that have no toe where others have one are a step of their own.
#[must_use]
pub fn exponent(e: &Exponent) -> Vec<Curve> {
    let power = e.exponent.map(|p| single([if e.inverse { 1.0 / p } else { p }]));
    let plain = |formula| vec![Curve { formula, numbers: power }];
    match e.style {
        ExponentStyle::Basic => plain(Formula::Power),
        ExponentStyle::PassThrough => plain(Formula::PassingPower),
        ExponentStyle::Mirror => plain(Formula::MirroredPower),
        ExponentStyle::Monitor | ExponentStyle::MonitorMirror => {
            let mirror = e.style == ExponentStyle::MonitorMirror;
            let formula = match (mirror, e.inverse) {
                (false, false) => Formula::ToeDecode,
                (false, true) => Formula::ToeEncode,
                (true, false) => Formula::MirroredToeDecode,
                (true, true) => Formula::MirroredToeEncode,
            };
            // An offset of 0 has no toe: it is a plain power, mirrored.
            let toed = [0, 1, 2].map(|i| e.offset[i] != 0.0 && e.exponent[i] != 1.0);
            // A toe that nothing is below and a break that all is below leave values alone.
            let untouched = single([0.0, 1.0, 1.0, f64::from(f32::MAX), 1.0]);
            let toes = Curve {
                formula,
                numbers: std::array::from_fn(|i| {
                    if toed[i] {
                        single(toe_numbers(!e.inverse, e.exponent[i], e.offset[i]))
                    } else {
                        untouched
                    }
                }),
            };
            let powers = Curve {
                formula: Formula::MirroredPower,
                numbers: std::array::from_fn(|i| if toed[i] { single([1.0]) } else { power[i] }),
            };
            match (toed.contains(&true), toed.contains(&false)) {
                (true, false) => vec![toes],
                (false, _) => vec![powers],
                (true, true) => vec![toes, powers],
            }
        }
    }
}

/// A logarithm of CLF; channels without a toe have their break below everything.
#[must_use]
pub fn logarithm(log: &Log) -> Curve {
    let per_two = 1.0 / log.base.log2();
    let toed = log.channels.iter().any(|channel| channel.toe.is_some());
    let numbers = log.channels.map(|channel| {
        let LogChannel { lin_slope, lin_offset, log_slope, log_offset, toe } = channel;
        let rate = log_slope * per_two;
        // Light and code at the break, and the line below it, which goes on from the curve's value there.
        let [at, value, slope] = match toe {
            Some([at, slope]) => {
                [at, (lin_slope * at + lin_offset).log2() * rate + log_offset, slope]
            }
            None => [f64::from(f32::MIN), f64::from(f32::MIN), 0.0],
        };
        if log.inverse {
            let unslope = if slope == 0.0 { 0.0 } else { 1.0 / slope };
            single([1.0 / lin_slope, lin_offset, 1.0 / rate, log_offset, at, value, unslope])
        } else {
            single([lin_slope, lin_offset, rate, log_offset, at, value, slope])
        }
    });
    let formula = match (log.inverse, toed) {
        (false, false) => Formula::Logarithm,
        (true, false) => Formula::Antilogarithm,
        (false, true) => Formula::ToedLogarithm,
        (true, true) => Formula::ToedAntilogarithm,
    };
    Curve { formula, numbers }
}
