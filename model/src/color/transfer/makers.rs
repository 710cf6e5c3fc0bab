//! The makers' curves, with the constants that they publish.

use super::{CanonCurve, Knee, LogCurve, Transfer};
use std::f64::consts::LN_2;

/// Powers of ten as powers of two.
const LOG2_10: f64 = std::f64::consts::LOG2_10;

/// ACEScct (S-2016-001).
pub const ACES_CCT: Transfer = Transfer::Log(LogCurve {
    rate: 17.52,
    shift: 9.72 / 17.52,
    offset: 0.0,
    gain: 1.0,
    code_break: 0.155_251_141_552_511,
    light_break: 0.007_812_5,
    slope: 1.0 / 10.540_237_741_654_5,
    black: 0.072_905_534_195_835_5,
});

/// ARRI LogC4 (specification of 2022).
pub const LOG_C4: Transfer = {
    let (a, b, c) = ((262_144.0 - 16.0) / 117.45, 928.0 / 1023.0, 95.0 / 1023.0);
    // 7 ln 2 2^(7 - 14 c / b) / (a b), and the light of code 0.
    let slope = 0.113_597_208_610_589_1;
    let dark = -0.018_056_996_119_911_31;
    Transfer::Log(LogCurve {
        rate: 14.0 / b,
        shift: c - 6.0 * b / 14.0,
        offset: 64.0,
        gain: 1.0 / a,
        code_break: 0.0,
        light_break: dark,
        slope,
        black: -dark / slope,
    })
};

/// Sony S-Log3 (technical summary of 2014).
pub const S_LOG3: Transfer = Transfer::Log(
    LogCurve {
        rate: LOG2_10 * 1023.0 / 261.5,
        shift: 420.0 / 1023.0,
        offset: 0.01 / 0.19,
        gain: 0.19,
        code_break: 171.210_294_692_9 / 1023.0,
        light_break: 0.0,
        slope: 0.011_25 * 1023.0 / (171.210_294_692_9 - 95.0),
        black: 95.0 / 1023.0,
    }
    .with_code_break(),
);

/// RED Log3G10 (white paper, revision B).
pub const LOG3_G10: Transfer = Transfer::Log(LogCurve {
    rate: LOG2_10 / 0.224_282,
    shift: 0.0,
    offset: 1.0 + 155.975_327 * 0.01,
    gain: 1.0 / 155.975_327,
    code_break: 0.0,
    light_break: -0.01,
    slope: 1.0 / 15.192_7,
    black: 0.01 * 15.192_7,
});

/// Panasonic V-Log (reference manual of 2014).
pub const V_LOG: Transfer = Transfer::Log(LogCurve {
    rate: LOG2_10 / 0.241_514,
    shift: 0.598_206,
    offset: 0.008_73,
    gain: 1.0,
    code_break: 0.181,
    light_break: 0.01,
    slope: 1.0 / 5.6,
    black: 0.125,
});

/// Blackmagic Film Generation 5 (white paper of 2021).
pub const BMD_FILM_5: Transfer = {
    let (a, b, c, d, e) = (
        0.086_928_760_654_912_24,
        0.005_494_072_432_257_808,
        0.530_013_339_229_193_9,
        8.283_605_932_402_494,
        0.092_465_753_424_657_53,
    );
    Transfer::Log(LogCurve {
        rate: 1.0 / (a * LN_2),
        shift: c,
        offset: b,
        gain: 1.0,
        code_break: 0.005 * d + e,
        light_break: 0.005,
        slope: 1.0 / d,
        black: e,
    })
};

/// DaVinci Intermediate (Blackmagic Design, 2020).
pub const DAVINCI: Transfer = Transfer::Log(LogCurve {
    rate: 1.0 / 0.073_292_48,
    shift: 7.0 * 0.073_292_48,
    offset: 0.007_5,
    gain: 1.0,
    code_break: 0.027_406_68,
    light_break: 0.002_624_09,
    slope: 1.0 / 10.444_268_55,
    black: 0.0,
});

/// DJI D-Log (white paper of 2017).
pub const D_LOG: Transfer = Transfer::Log(LogCurve {
    rate: 3.896_16 * LOG2_10,
    shift: 2.277_52 / 3.896_16,
    offset: 0.010_8,
    gain: 1.0 / 0.989_2,
    code_break: 0.14,
    light_break: 0.007_8,
    slope: 1.0 / 6.025,
    black: 0.092_9,
});

/// Leica L-Log (reference manual of 2021).
pub const L_LOG: Transfer = Transfer::Log(LogCurve {
    rate: LOG2_10 / 0.27,
    shift: 0.6,
    offset: 0.011_5,
    gain: 1.0 / 1.3,
    code_break: 0.138,
    light_break: 0.006,
    slope: 1.0 / 8.0,
    black: 0.09,
});

/// Canon Log 2 (white paper of 2018), in scene light of a grey card at 0.18.
pub const CANON_LOG2: Transfer = Transfer::Canon(CanonCurve {
    rate: LOG2_10 / 0.241_360_77,
    gain: 0.9 / 87.099_375,
    breaks: [0.092_864_125, 0.092_864_125],
    shifts: [0.092_864_125, 0.092_864_125],
    slope: 0.9 * LN_2 * LOG2_10 / (0.241_360_77 * 87.099_375),
    black: 0.092_864_125,
});

/// Canon Log 3 (white paper of 2018).
pub const CANON_LOG3: Transfer = Transfer::Canon(CanonCurve {
    rate: LOG2_10 / 0.367_268_45,
    gain: 0.9 / 14.983_25,
    breaks: [0.097_465_473, 0.152_778_91],
    shifts: [0.127_839_01, 0.122_405_37],
    slope: 0.9 / 1.975_479_8,
    black: 0.125_122_19,
});

/// IEC 61966-2-1, for encoded pictures.
pub const SRGB: Transfer = Transfer::Toed { gamma: 2.4, offset: 0.055 };
/// ITU-R BT.709, the camera's side.
pub const REC709_CAMERA: Transfer = Transfer::Toed { gamma: 1.0 / 0.45, offset: 0.099 };

/// ARRI LogC3 at an exposure index, 160 to 3200 (ARRI, "ALEXA Log C Curve",
/// 2017): the constants follow from the sensor's gain, so that any index has a curve.
#[must_use]
pub fn log_c3(exposure_index: f64) -> Transfer {
    let sensor_gain = exposure_index / 400.0;
    let code_gain = (sensor_gain.log2() * -0.11 / 3.0 + 1.0) * (500.0 / 1023.0 * 0.525);
    let slope = 9.0 / std::f64::consts::LN_10;
    let offset = (1.0_f64 / 9.0).log10() - 1.0 / std::f64::consts::LN_10;
    // Black and the offset of the code depend on each other; three rounds are what ARRI does.
    let mut black = 0.0_f64;
    let mut shift = 400.0 / 1023.0;
    for _ in 0..3 {
        black = ((95.0 / 1023.0 - shift) / code_gain - offset) / slope;
        shift = 400.0 / 1023.0 - (1.0 + black).log10() * code_gain;
    }
    let toe_slope = slope * code_gain / 0.18;
    let toe_black = (slope * black + offset) * code_gain + shift;
    let light_break = (1.0 / 9.0 - black) * 0.18;
    let a = 1.0 / 0.18;
    let curve = LogCurve {
        rate: LOG2_10 / code_gain,
        shift,
        offset: black,
        gain: 1.0 / a,
        code_break: light_break * toe_slope + toe_black,
        light_break,
        slope: 1.0 / toe_slope,
        black: toe_black,
    };
    let end = ((1.0 - 16.0 / 4095.0) / (0.01 / sensor_gain) + black).log10() * code_gain + shift;
    if end <= 1.0 {
        return Transfer::Log(curve);
    }
    let start = 0.8;
    let slope = 0.2 / (end - start);
    Transfer::LogKnee(curve, Knee { start, end, end_slope: 1.0 / (slope * slope) })
}
