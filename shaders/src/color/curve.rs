//! Curves of one value: camera logs, displays' curves, the exponents and
//! logarithms of CLF. Each is a formula without branches and the numbers that
//! it reads, in the order in which `curve.wgsl` reads them too.
//! [`transfer`](super::transfer) says which formula and numbers a link is.

use super::math::{exp2, exp2_less_one, log2, log2_of_one_and_over, pick, pow, signed_pow};
use fearless_simd::{Level, dispatch};

/// What a formula reads; how many of them, and what they are, is its own.
pub type Numbers = [f32; 10];

/// A curve: a formula, and its numbers for each channel.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Curve {
    /// The formula.
    pub formula: Formula,
    /// Red's numbers, green's, blue's.
    pub numbers: [Numbers; 3],
}

impl Curve {
    /// Runs it on three runs of values, in place.
    pub fn run(&self, level: Level, rgb: [&mut [f32]; 3]) {
        for (run, numbers) in rgb.into_iter().zip(&self.numbers) {
            self.formula.run(level, numbers, run);
        }
    }
}

/// Formulas by name: a function here, and one in the shader's text.
macro_rules! formulas {
    ($($(#[$doc:meta])* $name:ident: $function:ident,)*) => {
        /// Which formula.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Formula { $($(#[$doc])* $name,)* }

        impl Formula {
            /// Every formula.
            pub const ALL: &[Self] = &[$(Self::$name,)*];

            /// Runs it on values, in place.
            pub fn run(self, level: Level, numbers: &Numbers, values: &mut [f32]) {
                let numbers = *numbers;
                match self {
                    $(Self::$name => dispatch!(level, _simd => for v in values.iter_mut() {
                        *v = $function(&numbers, *v);
                    }),)*
                }
            }

            /// Its function in the shader's text.
            #[must_use]
            pub const fn function(self) -> &'static str {
                match self { $(Self::$name => concat!("color_", stringify!($function)),)* }
            }
        }
    };
}

formulas! {
    /// A camera's log to light.
    LogDecode: log_decode,
    /// Light to a camera's log.
    LogEncode: log_encode,
    /// The knee of LogC3: to the logarithm's codes.
    KneeOpen: knee_open,
    /// Back.
    KneeClose: knee_close,
    /// ACEScc to light.
    AcesCcDecode: acescc_decode,
    /// Light to ACEScc.
    AcesCcEncode: acescc_encode,
    /// Canon Log to light.
    CanonDecode: canon_decode,
    /// Light to Canon Log.
    CanonEncode: canon_encode,
    /// Apple Log to light.
    AppleDecode: apple_decode,
    /// Light to Apple Log.
    AppleEncode: apple_encode,
    /// A power with a straight toe.
    ToeDecode: toe_decode,
    /// Back.
    ToeEncode: toe_encode,
    /// The same, mirrored at zero.
    MirroredToeDecode: mirrored_toe_decode,
    /// Back.
    MirroredToeEncode: mirrored_toe_encode,
    /// A power; nothing below zero.
    Power: power,
    /// A power; what is below zero passes as it is.
    PassingPower: passing_power,
    /// A power, mirrored at zero.
    MirroredPower: mirrored_power,
    /// ST 2084 to light.
    PqDecode: pq_decode,
    /// Light to ST 2084.
    PqEncode: pq_encode,
    /// HLG to light.
    HlgDecode: hlg_decode,
    /// Light to HLG.
    HlgEncode: hlg_encode,
    /// A logarithm of CLF.
    Logarithm: logarithm,
    /// Back.
    Antilogarithm: antilogarithm,
    /// A logarithm of CLF that is straight below a break.
    ToedLogarithm: toed_logarithm,
    /// Back.
    ToedAntilogarithm: toed_antilogarithm,
}

/// Numbers: rate and shift of the exponent, gain, what is taken off; break, slope and light at code 0 of the toe.
#[inline(always)]
fn log_decode(&[rate, shift, gain, lost, at, slope, dark, ..]: &Numbers, code: f32) -> f32 {
    let log = gain * exp2(rate * code + shift) - lost;
    pick(code > at, log, code * slope - dark)
}

/// Numbers: scale and offset of the light, rate and shift of the logarithm; break, slope and black of the toe.
#[inline(always)]
fn log_encode(&[scale, offset, rate, shift, at, slope, black, ..]: &Numbers, light: f32) -> f32 {
    let log = log2(light * scale + offset) * rate + shift;
    pick(light > at, log, light * slope + black)
}

#[inline(always)]
fn knee_at([a, b, c, d]: [f32; 4], t: f32) -> f32 {
    ((d * t + c) * t + b) * t + a
}

/// Numbers: start, width and its inverse, inverse of the logarithm's width, then the cubic from the constant up.
#[inline(always)]
fn knee_open(&[start, _, per_width, _, a, b, c, d, ..]: &Numbers, code: f32) -> f32 {
    let bent = knee_at([a, b, c, d], (code - start) * per_width);
    pick(code > start, bent, code)
}

/// The way back by Newton's method; the cubic is all but straight.
#[inline(always)]
fn knee_close(&[start, width, _, per_end, a, b, c, d, ..]: &Numbers, code: f32) -> f32 {
    let mut t = (code - start) * per_end;
    for _ in 0..6 {
        let slope = (3.0 * d * t + 2.0 * c) * t + b;
        t -= (knee_at([a, b, c, d], t) - code) / slope;
    }
    pick(code > start, start + width * t, code)
}

#[inline(always)]
fn acescc_decode(_: &Numbers, code: f32) -> f32 {
    let power = exp2(code * 17.52 - 9.72);
    let dark = 2.0 * (power - 1.0 / 65536.0);
    pick(code <= -0.301_369_86, dark, power.min(65504.0))
}

#[inline(always)]
fn acescc_encode(_: &Numbers, light: f32) -> f32 {
    let dark = 1.0 / 65536.0 + 0.5 * light.max(0.0);
    (log2(pick(light < 2.0 / 65536.0, dark, light)) + 9.72) * 0.057_077_624
}

/// Numbers: rate and gain of the logarithms, breaks, shifts, slope and black of the straight part.
#[inline(always)]
fn canon_decode(&[rate, gain, low, high, down, up, slope, black, ..]: &Numbers, code: f32) -> f32 {
    let below = code < low;
    let power = gain * (exp2(rate * pick(below, down - code, code - up)) - 1.0);
    let signed = pick(below, -power, power);
    pick(!below & (code <= high), (code - black) * slope, signed)
}

#[inline(always)]
fn canon_encode(
    &[unrate, ungain, dark, bright, down, up, unslope, black, ..]: &Numbers,
    light: f32,
) -> f32 {
    let below = light < dark;
    let out = log2(light.abs() * ungain + 1.0) * unrate;
    let signed = pick(below, down - out, out + up);
    pick(!below & (light <= bright), light * unslope + black, signed)
}

/// Numbers: code of the break, rate and shift of the exponent, what is taken off, inverse scale and start of the square.
#[inline(always)]
fn apple_decode(&[split, rate, shift, beta, per_c, r0, ..]: &Numbers, code: f32) -> f32 {
    let log = exp2(rate * code + shift) - beta;
    let square = (code.max(0.0) * per_c).sqrt() + r0;
    pick(code >= split, log, square)
}

/// Numbers: gamma, beta and delta of the logarithm, light of the break, start and scale of the square.
#[inline(always)]
fn apple_encode(&[gamma, beta, delta, at, r0, c, ..]: &Numbers, light: f32) -> f32 {
    let log = gamma * log2(light + beta) + delta;
    let out = (light - r0).max(0.0);
    pick(light >= at, log, c * out * out)
}

/// Numbers: offset, inverse of one and it, exponent; code of the break, slope of the toe.
#[inline(always)]
fn toe_decode(&[offset, per_one, gamma, touch, slope, ..]: &Numbers, code: f32) -> f32 {
    let power = pow((code + offset) * per_one, gamma);
    pick(code > touch, power, code * slope)
}

/// Numbers: offset, one and it, exponent; light of the break, inverse slope of the toe.
#[inline(always)]
fn toe_encode(&[offset, one_and, ungamma, at, unslope, ..]: &Numbers, light: f32) -> f32 {
    let power = one_and * pow(light, ungamma) - offset;
    pick(light > at, power, light * unslope)
}

#[inline(always)]
fn mirrored_toe_decode(numbers: &Numbers, code: f32) -> f32 {
    toe_decode(numbers, code.abs()).copysign(code)
}

#[inline(always)]
fn mirrored_toe_encode(numbers: &Numbers, light: f32) -> f32 {
    toe_encode(numbers, light.abs()).copysign(light)
}

#[inline(always)]
fn power(&[exponent, ..]: &Numbers, v: f32) -> f32 {
    pow(v.max(0.0), exponent)
}

#[inline(always)]
fn passing_power(&[exponent, ..]: &Numbers, v: f32) -> f32 {
    pick(v > 0.0, pow(v, exponent), v)
}

#[inline(always)]
fn mirrored_power(&[exponent, ..]: &Numbers, v: f32) -> f32 {
    signed_pow(v, exponent)
}

/// ST 2084. Its exponent of 79 multiplies every rounding, so that both ways
/// are written around 1: `c1 + c2 p` over `1 + c3 p` is `1 + (1 - c1)(p - 1) /
/// (1 + c3 p)`, since c2 - c3 is 1 - c1. Numbers: 1/m1, 1/m2, c3, 1 - c1.
#[inline(always)]
fn pq_decode(&[unm1, unm2, c3, rest, ..]: &Numbers, code: f32) -> f32 {
    // Codes below 2^-39 are no light, and those above 1 are 10 000 cd/m².
    let less = exp2_less_one((log2(code.abs().min(1.0)) * unm2).max(-0.5));
    let light = 100.0 * pow((rest + less).max(0.0) / (rest - c3 * less), unm1);
    light.copysign(code)
}

/// Numbers: m1, m2, c3, 1 - c1.
#[inline(always)]
fn pq_encode(&[m1, m2, c3, rest, ..]: &Numbers, light: f32) -> f32 {
    let p = pow(light.abs() * 0.01, m1);
    exp2(m2 * log2_of_one_and_over(rest * (p - 1.0), 1.0 + c3 * p)).copysign(light)
}

/// Numbers: b, c, and the rate of the exponent.
#[inline(always)]
fn hlg_decode(&[b, c, rate, ..]: &Numbers, code: f32) -> f32 {
    let v = code.abs();
    let log = (exp2((v - c) * rate) + b) * (1.0 / 12.0);
    pick(v <= 0.5, v * v * (1.0 / 3.0), log).copysign(code)
}

/// Numbers: b, c, and the rate of the logarithm.
#[inline(always)]
fn hlg_encode(&[b, c, rate, ..]: &Numbers, light: f32) -> f32 {
    let v = light.abs();
    let log = rate * log2(12.0 * v - b) + c;
    pick(v <= 1.0 / 12.0, (3.0 * v).sqrt(), log).copysign(light)
}

/// Numbers: slope and offset on the linear side, on the logarithmic side.
#[inline(always)]
fn logarithm(&[slope, offset, rate, base, ..]: &Numbers, v: f32) -> f32 {
    log2(v * slope + offset) * rate + base
}

/// Numbers: those of [`logarithm`], with the inverses of both slopes.
#[inline(always)]
fn antilogarithm(&[unslope, offset, unrate, base, ..]: &Numbers, v: f32) -> f32 {
    (exp2((v - base) * unrate) - offset) * unslope
}

/// Numbers: those of [`logarithm`]; light and code at the break, and the slope below, or its inverse.
#[inline(always)]
fn toed_logarithm(numbers: &Numbers, v: f32) -> f32 {
    let &[_, _, _, _, at, value, slope, ..] = numbers;
    pick(v > at, logarithm(numbers, v), value + (v - at) * slope)
}

#[inline(always)]
fn toed_antilogarithm(numbers: &Numbers, v: f32) -> f32 {
    let &[_, _, _, _, at, value, unslope, ..] = numbers;
    pick(v > value, antilogarithm(numbers, v), at + (v - value) * unslope)
}
