//! The steps that have no room of their own: gamut compression, CDL, the
//! exponents and logarithms of CLF, surround. Each on three runs of values, in
//! place, without branches.

use super::curve::Toe;
use super::math::{exp2, log2, pick, pow};
use fearless_simd::{Level, dispatch};
use platefarm_model::color::chain::{Cdl, Exponent, ExponentStyle, Log, LogChannel};

/// Three runs of values of equal length.
pub type Runs<'a> = [&'a mut [f32]; 3];

/// A loop over pixels, compiled for the instruction set. A macro, because a
/// closure that is handed to a function is not taken into its vector code.
macro_rules! each {
    ($level:expr, $runs:expr, |$pixel:pat_param| $body:expr) => {{
        let [red, green, blue]: Runs<'_> = $runs;
        dispatch!($level, _simd => {
            for ((r, g), b) in red.iter_mut().zip(green.iter_mut()).zip(blue.iter_mut()) {
                let $pixel = [*r, *g, *b];
                let [x, y, z] = $body;
                *r = x;
                *g = y;
                *b = z;
            }
        });
    }};
}

/// The same over the values of one channel.
macro_rules! each_one {
    ($level:expr, $values:expr, |$value:ident| $body:expr) => {{
        let values: &mut [f32] = $values;
        dispatch!($level, _simd => for v in values.iter_mut() {
            let $value = *v;
            *v = $body;
        });
    }};
}

/// `matrix * rgb + offset`.
pub fn matrix(level: Level, m: &[f32; 9], offset: &[f32; 3], rgb: Runs<'_>) {
    let (m, o) = (*m, *offset);
    each!(level, rgb, |[x, y, z]| {
        [
            (m[0] * x + m[1] * y) + m[2] * z + o[0],
            (m[3] * x + m[4] * y) + m[5] * z + o[1],
            (m[6] * x + m[7] * y) + m[8] * z + o[2],
        ]
    });
}

/// Keeps values within bounds.
pub fn clamp(level: Level, [low, high]: [f32; 2], rgb: Runs<'_>) {
    for run in rgb {
        each_one!(level, run, |v| v.max(low).min(high));
    }
}

/// NaN becomes 0, what no half can hold the largest half: the first step of every plan.
pub fn tame(level: Level, rgb: Runs<'_>) -> u64 {
    let mut wild = 0;
    for run in rgb {
        wild += dispatch!(level, _simd => {
            let mut wild = 0_u32;
            for v in run.iter_mut() {
                wild += u32::from(!v.is_finite());
                let real = pick(v.is_nan(), 0.0, *v);
                *v = real.clamp(-65504.0, 65504.0);
            }
            u64::from(wild)
        });
    }
    wild
}

/// Limits, thresholds and exponent of the reference gamut compression (S-2020-001), for cyan, magenta, yellow.
const GAMUT_LIMIT: [f64; 3] = [1.147, 1.264, 1.312];
const GAMUT_THRESHOLD: [f64; 3] = [0.815, 0.803, 0.880];
const GAMUT_POWER: f64 = 1.2;

/// The reference gamut compression, on ACEScg.
pub fn gamut_compress(level: Level, inverse: bool, rgb: Runs<'_>) {
    let scale: [f32; 3] = std::array::from_fn(|i| {
        let (limit, threshold) = (GAMUT_LIMIT[i], GAMUT_THRESHOLD[i]);
        let part = (1.0 - threshold) / (limit - threshold);
        ((limit - threshold) / (part.powf(-GAMUT_POWER) - 1.0).powf(1.0 / GAMUT_POWER)) as f32
    });
    let threshold = GAMUT_THRESHOLD.map(|v| v as f32);
    let (power, unpower) = (GAMUT_POWER as f32, (1.0 / GAMUT_POWER) as f32);
    let bend = |distance: f32, i: usize| {
        let over = (distance - threshold[i]) / scale[i];
        let p = pow(over, power);
        let pulled = threshold[i] + scale[i] * over / pow(1.0 + p, unpower);
        pick(distance < threshold[i], distance, pulled)
    };
    let unbend = |distance: f32, i: usize| {
        let over = (distance - threshold[i]) / scale[i];
        let p = pow(over, power);
        let pushed = threshold[i] + scale[i] * pow(p / (1.0 - p), unpower);
        // Nothing is pulled beyond threshold and scale; what is there stays.
        let free = (distance < threshold[i]) | (distance >= threshold[i] + scale[i]);
        pick(free, distance, pushed)
    };
    if inverse {
        each!(level, rgb, |rgb| {
            let kept = by_distance(rgb, unbend);
            // Where nothing is positive there was nothing to take back.
            let dark = rgb[0].max(rgb[1]).max(rgb[2]) == 0.0;
            [pick(dark, rgb[0], kept[0]), pick(dark, rgb[1], kept[1]), pick(dark, rgb[2], kept[2])]
        });
    } else {
        each!(level, rgb, |rgb| by_distance(rgb, bend));
    }
}

#[inline(always)]
fn by_distance([r, g, b]: [f32; 3], bend: impl Fn(f32, usize) -> f32) -> [f32; 3] {
    let achromatic = r.max(g).max(b);
    let size = achromatic.abs();
    let over = 1.0 / pick(size > 0.0, size, 1.0);
    let one = |v: f32, i: usize| {
        let distance = (achromatic - v) * over;
        achromatic - bend(distance, i) * size
    };
    [one(r, 0), one(g, 1), one(b, 2)]
}

/// Luma of ASC CDL: that of ITU-R BT.709.
const LUMA: [f32; 3] = [0.2126, 0.7152, 0.0722];

/// ASC CDL.
pub fn cdl(level: Level, cdl: &Cdl, rgb: Runs<'_>) {
    let [slope, offset] = [cdl.slope, cdl.offset].map(|v| v.map(|v| v as f32));
    let unslope = cdl.slope.map(|v| (1.0 / v) as f32);
    let (power, unpower) = (cdl.power.map(|v| v as f32), cdl.power.map(|v| (1.0 / v) as f32));
    let (saturation, unsaturation) = (cdl.saturation as f32, (1.0 / cdl.saturation) as f32);
    let held = move |v: f32| v.clamp(0.0, 1.0);
    let raise = |v: f32, p: f32| pick(v > 0.0, pow(v, p), v);
    let saturate = |[r, g, b]: [f32; 3], s: f32| {
        let luma = LUMA[0] * r + LUMA[1] * g + LUMA[2] * b;
        [luma + s * (r - luma), luma + s * (g - luma), luma + s * (b - luma)]
    };
    match (cdl.inverse, cdl.clamp) {
        (false, true) => each!(level, rgb, |[r, g, b]| {
            let one = |v: f32, i: usize| pow(held(v * slope[i] + offset[i]), power[i]);
            let [r, g, b] = saturate([one(r, 0), one(g, 1), one(b, 2)], saturation);
            [held(r), held(g), held(b)]
        }),
        (false, false) => each!(level, rgb, |[r, g, b]| {
            let one = |v: f32, i: usize| raise(v * slope[i] + offset[i], power[i]);
            saturate([one(r, 0), one(g, 1), one(b, 2)], saturation)
        }),
        (true, true) => each!(level, rgb, |[r, g, b]| {
            let [r, g, b] = saturate([held(r), held(g), held(b)], unsaturation);
            let one = |v: f32, i: usize| held((pow(held(v), unpower[i]) - offset[i]) * unslope[i]);
            [one(r, 0), one(g, 1), one(b, 2)]
        }),
        (true, false) => each!(level, rgb, |rgb| {
            let [r, g, b] = saturate(rgb, unsaturation);
            let one = |v: f32, i: usize| (raise(v, unpower[i]) - offset[i]) * unslope[i];
            [one(r, 0), one(g, 1), one(b, 2)]
        }),
    }
}

/// An exponent of CLF.
pub fn exponent(level: Level, e: &Exponent, rgb: Runs<'_>) {
    for (i, run) in rgb.into_iter().enumerate() {
        let power = e.exponent[i];
        let p = (if e.inverse { 1.0 / power } else { power }) as f32;
        // An offset of 0 has no toe: it is a plain power.
        let toed = e.offset[i] != 0.0 && power != 1.0;
        match e.style {
            ExponentStyle::Basic => each_one!(level, run, |v| pow(v.max(0.0), p)),
            ExponentStyle::PassThrough => {
                each_one!(level, run, |v| pick(v > 0.0, pow(v, p), v));
            }
            ExponentStyle::Mirror => each_one!(level, run, |v| pow(v.abs(), p).copysign(v)),
            ExponentStyle::Monitor | ExponentStyle::MonitorMirror if !toed => {
                each_one!(level, run, |v| pow(v.abs(), p).copysign(v));
            }
            style => {
                let toe = Toe::new(power, e.offset[i]);
                let mirror = style == ExponentStyle::MonitorMirror;
                let sign = |v: f32, f: f32| if mirror { f.copysign(v) } else { f };
                let size = |v: f32| if mirror { v.abs() } else { v };
                if e.inverse {
                    each_one!(level, run, |v| sign(v, toe.encode(size(v))));
                } else {
                    each_one!(level, run, |v| sign(v, toe.decode(size(v))));
                }
            }
        }
    }
}

/// A logarithm of CLF.
pub fn log(level: Level, log: &Log, rgb: Runs<'_>) {
    let per_two = 1.0 / log.base.log2();
    for (run, channel) in rgb.into_iter().zip(&log.channels) {
        let LogChannel { lin_slope, lin_offset, log_slope, log_offset, .. } = *channel;
        let (rate, unrate) = ((log_slope * per_two) as f32, (1.0 / (log_slope * per_two)) as f32);
        // Light and code at the break, and the line below it, which goes on from the curve's value there.
        let line = channel.toe.map(|[at, slope]| {
            let value = (lin_slope * at + lin_offset).log2() * log_slope * per_two + log_offset;
            [at, value, slope].map(|v| v as f32)
        });
        let [ls, lo, go] = [lin_slope, lin_offset, log_offset].map(|v| v as f32);
        let unslope = (1.0 / lin_slope) as f32;
        match (log.inverse, line) {
            (false, None) => each_one!(level, run, |v| log2(v * ls + lo) * rate + go),
            (true, None) => each_one!(level, run, |v| (exp2((v - go) * unrate) - lo) * unslope),
            (false, Some([at, value, slope])) => each_one!(level, run, |v| {
                let log = log2(v * ls + lo) * rate + go;
                pick(v > at, log, value + (v - at) * slope)
            }),
            (true, Some([at, value, slope])) => each_one!(level, run, |v| {
                let light = (exp2((v - go) * unrate) - lo) * unslope;
                pick(v > value, light, at + (v - value) / slope)
            }),
        }
    }
}

/// A power of luminance that keeps the chromaticity.
pub fn surround(level: Level, weights: [f64; 3], exponent: f64, floor: f64, rgb: Runs<'_>) {
    let [wr, wg, wb] = weights.map(|v| v as f32);
    let (power, floor) = ((exponent - 1.0) as f32, floor as f32);
    each!(level, rgb, |[r, g, b]| {
        let luminance = (wr * r + wg * g + wb * b).max(floor);
        let scale = pow(luminance, power);
        [r * scale, g * scale, b * scale]
    });
}
