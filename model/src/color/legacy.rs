//! Codes of cameras and monitors of before: Sony's S-Log 1 and 2 and Canon's
//! logs under tungsten light, whose light becomes ACES by matrices that the
//! makers measured, and ACESproxy, what on-set links carried.
//!
//! Sources: the Academy's input transforms `IDT.Sony.SLog1_SGamut_*` and
//! `IDT.Sony.SLog2_SGamut_*`, provided by Sony, and `IDT.Canon.*_Tng` (2021),
//! provided by Canon; ACESproxy, S-2013-001.

use super::chain::{Chain, Link};
use super::gamut::{CINEMA_GAMUT, Gamut};
use super::meaning::{self, Meaning};
use super::space::REC2020;
use super::transfer::{CANON_LOG2, CANON_LOG3, LogCurve, Transfer};
use super::{ACES_WHITE, AP1, D65, IDENTITY, Matrix3, Xy, invert};
use std::f64::consts::LOG2_10;

/// A space of before.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Legacy {
    /// Its name, in the manner of OpenColorIO's configs.
    pub name: &'static str,
    /// ACES transform ids, without urn: to ACES2065-1, and from it where the registry has one.
    pub ids: [&'static str; 2],
    light: Light,
    curve: Transfer,
    /// Codes that are within legal range; others are not made.
    legal: Option<[f64; 2]>,
}

/// Of what the light is.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Light {
    Ap1,
    /// That of a camera with these primaries, by its maker's matrix to ACES2065-1.
    Camera([Xy; 3], Matrix3),
}

/// S-Gamut to ACES2065-1: of the F35, and of the F65 and F55 by the light they were balanced for.
const S_GAMUT: Matrix3 = [
    [0.754_338_638, 0.133_697_046, 0.111_968_437],
    [0.021_198_141, 1.005_410_934, -0.026_610_548],
    [-0.009_756_991, 0.004_508_563, 1.005_253_201],
];
const DAYLIGHT: Matrix3 = [
    [0.876_445_703_0, 0.014_541_168_1, 0.109_013_129_0],
    [0.077_407_534_5, 0.952_957_176_7, -0.030_364_711_1],
    [0.057_356_435_1, -0.115_106_633_5, 1.057_750_198_4],
];
const TUNGSTEN: Matrix3 = [
    [1.011_023_874_0, -0.136_252_605_1, 0.125_228_731_0],
    [0.101_199_450_4, 0.956_219_626_5, -0.057_419_076_9],
    [0.060_076_653_0, -0.101_018_531_5, 1.040_941_878_5],
];

/// Primaries of S-Gamut.
const S_GAMUT_XY: [Xy; 3] = [[0.730, 0.280], [0.140, 0.855], [0.100, -0.050]];

/// S-Log in codes of a container: its largest code, then black, break and white.
const fn s_log([most, black, split, white]: [f64; 4], gain: f64, toe: f64) -> LogCurve {
    let range = white - black;
    let slope = 0.9 / toe * most / range;
    let none = (black + range * 0.030_001_222_851_889_303) / most;
    LogCurve {
        rate: LOG2_10 / 0.432_699 * most / range,
        shift: (black + range * (0.616_596 + 0.03)) / most,
        offset: 0.037_584,
        gain: 0.9 * gain,
        code_break: split / most,
        light_break: (split / most - none) * slope,
        slope,
        black: none,
    }
}

/// Cinema Gamut and BT.2020 as Canon's cameras see them under ISO 7589 studio tungsten, to ACES2065-1.
const CINEMA_TUNGSTEN: Matrix3 = [
    [0.817_416_293, 0.090_755_698, 0.091_828_009],
    [-0.035_361_374, 1.065_690_585, -0.030_329_211],
    [0.010_390_366, -0.299_271_107, 1.288_880_741],
];
const REC2020_TUNGSTEN: Matrix3 = [
    [0.724_488_568, 0.115_140_904, 0.160_370_529],
    [0.010_659_276, 0.839_605_344, 0.149_735_380],
    [0.014_560_161, -0.028_562_057, 1.014_001_897],
];

const TEN_BITS: [f64; 4] = [1023.0, 64.0, 90.0, 940.0];
const TWELVE_BITS: [f64; 4] = [4095.0, 256.0, 360.0, 3760.0];

const fn s_log1(name: &'static str, id: &'static str, codes: [f64; 4]) -> Legacy {
    let curve = Transfer::Log(s_log(codes, 1.0, 5.0));
    let light = Light::Camera(S_GAMUT_XY, S_GAMUT);
    Legacy { name, ids: [id, ""], light, curve, legal: None }
}

const fn s_log2(name: &'static str, id: &'static str, codes: [f64; 4], matrix: Matrix3) -> Legacy {
    let curve = Transfer::Log(s_log(codes, 219.0 / 155.0, 3.538_812_785_388_13));
    let light = Light::Camera(S_GAMUT_XY, matrix);
    Legacy { name, ids: [id, ""], light, curve, legal: None }
}

/// The registry has ids of these among those of ACES 1 alone.
const fn canon(
    name: &'static str,
    curve: Transfer,
    primaries: [Xy; 3],
    to_aces: Matrix3,
) -> Legacy {
    Legacy { name, ids: ["", ""], light: Light::Camera(primaries, to_aces), curve, legal: None }
}

/// ACESproxy: a logarithm of 50 codes of ten bits a stop without a toe, in legal range.
const fn proxy(name: &'static str, ids: [&'static str; 2], most: f64, unit: f64) -> Legacy {
    let stop = 50.0 * unit / most;
    let curve = LogCurve {
        rate: 1.0 / stop,
        shift: 425.0 * unit / most + 2.5 * stop,
        offset: 0.0,
        gain: 1.0,
        code_break: -1e9,
        // 2^-9.72, the light of the least legal code; less has that code.
        light_break: 0.001_185_737_191_920_8,
        slope: 1e30,
        black: 64.0 * unit / most,
    };
    let legal = Some([64.0 * unit / most, 940.0 * unit / most]);
    Legacy { name, ids, light: Light::Ap1, curve: Transfer::Log(curve), legal }
}

/// All of them.
pub const LEGACY: &[Legacy] = &[
    proxy(
        "ACESproxy (10 bit)",
        ["CSC.Academy.ACESproxy10i_to_ACES.a2.v1", "CSC.Academy.ACES_to_ACESproxy10i.a2.v1"],
        1023.0,
        1.0,
    ),
    proxy(
        "ACESproxy (12 bit)",
        ["CSC.Academy.ACESproxy12i_to_ACES.a2.v1", "CSC.Academy.ACES_to_ACESproxy12i.a2.v1"],
        4095.0,
        4.0,
    ),
    s_log1("S-Log1 S-Gamut (10 bit)", "CSC.Sony.SLog1_SGamut_10i_to_ACES.a2.v1", TEN_BITS),
    s_log1("S-Log1 S-Gamut (12 bit)", "CSC.Sony.SLog1_SGamut_12i_to_ACES.a2.v1", TWELVE_BITS),
    s_log2(
        "S-Log2 S-Gamut Daylight (10 bit)",
        "CSC.Sony.SLog2_SGamut_Daylight_10i_to_ACES.a2.v1",
        TEN_BITS,
        DAYLIGHT,
    ),
    s_log2(
        "S-Log2 S-Gamut Daylight (12 bit)",
        "CSC.Sony.SLog2_SGamut_Daylight_12i_to_ACES.a2.v1",
        TWELVE_BITS,
        DAYLIGHT,
    ),
    s_log2(
        "S-Log2 S-Gamut Tungsten (10 bit)",
        "CSC.Sony.SLog2_SGamut_Tungsten_10i_to_ACES.a2.v1",
        TEN_BITS,
        TUNGSTEN,
    ),
    s_log2(
        "S-Log2 S-Gamut Tungsten (12 bit)",
        "CSC.Sony.SLog2_SGamut_Tungsten_12i_to_ACES.a2.v1",
        TWELVE_BITS,
        TUNGSTEN,
    ),
    canon("CanonLog2 CinemaGamut Tungsten", CANON_LOG2, CINEMA_GAMUT, CINEMA_TUNGSTEN),
    canon("CanonLog3 CinemaGamut Tungsten", CANON_LOG3, CINEMA_GAMUT, CINEMA_TUNGSTEN),
    canon("CanonLog2 Rec.2020 Tungsten", CANON_LOG2, REC2020, REC2020_TUNGSTEN),
    canon("CanonLog3 Rec.2020 Tungsten", CANON_LOG3, REC2020, REC2020_TUNGSTEN),
];

impl Legacy {
    fn matrix(&self) -> Matrix3 {
        match self.light {
            Light::Ap1 => Gamut::aces(AP1).to_aces(),
            Light::Camera(_, matrix) => matrix,
        }
    }

    /// Codes to ACES2065-1.
    #[must_use]
    pub fn to_aces(&self) -> Chain {
        let matrix = Link::Matrix { matrix: self.matrix(), offset: [0.0; 3] };
        Chain(vec![Link::Decode(self.curve), matrix])
    }

    /// ACES2065-1 to codes. ACESproxy's are not rounded to whole codes.
    #[must_use]
    pub fn from_aces(&self) -> Chain {
        let matrix = invert(&self.matrix()).unwrap_or(IDENTITY);
        let mut links = vec![Link::Matrix { matrix, offset: [0.0; 3] }, Link::Encode(self.curve)];
        links
            .extend(self.legal.map(|[low, high]| Link::Clamp { low: Some(low), high: Some(high) }));
        Chain(links)
    }

    /// What its codes mean.
    #[must_use]
    pub(super) fn meaning(&self) -> Meaning {
        let (primaries, white) = match self.light {
            Light::Ap1 => (AP1, ACES_WHITE),
            Light::Camera(primaries, _) => (primaries, D65),
        };
        let chromaticities = Some(meaning::chromaticities(primaries, white));
        Meaning { chromaticities, linear: false, display: false, interop_id: None }
    }
}

#[cfg(test)]
mod tests {
    use super::super as color;
    use super::*;

    fn find(name: &str) -> &'static Legacy {
        LEGACY.iter().find(|legacy| legacy.name == name).unwrap()
    }

    /// S-2013-001: grey, the legal ends, and a stop.
    #[test]
    fn acesproxy_has_the_codes_of_its_specification() {
        for (name, most, unit) in
            [("ACESproxy (10 bit)", 1023.0, 1.0), ("ACESproxy (12 bit)", 4095.0, 4.0)]
        {
            let curve = find(name).curve;
            let code = |light: f64| curve.encode(light) * most / unit;
            // The specification's table has 426 for grey, rounded: log2(0.18) is -2.474.
            assert_eq!(code(0.18).round(), 426.0);
            assert!((code((-9.72_f64).exp2() * 1.000_001) - 64.0).abs() < 1e-3);
            assert!((code(7.8_f64.exp2()) - 940.0).abs() < 1e-6);
            assert!((code(2.0) - code(1.0) - 50.0).abs() < 1e-9);
            assert!((code(-1.0) - 64.0).abs() < 1e-9 && (code(0.0) - 64.0).abs() < 1e-9);
            assert!((curve.decode(curve.encode(0.18)) - 0.18).abs() < 1e-12);
        }
    }

    /// Sony's "S-Log: A new LUT for digital production mastering" (2008) and
    /// the S-Log2 technical paper (2012): ten-bit codes of black, grey and white.
    #[test]
    fn s_log_has_the_codes_of_its_papers() {
        for (name, codes) in [
            ("S-Log1 S-Gamut (10 bit)", [90.0, 394.0, 636.0]),
            ("S-Log2 S-Gamut Daylight (10 bit)", [90.0, 347.0, 582.0]),
        ] {
            let curve = find(name).curve;
            for (light, code) in [0.0, 0.18, 0.9].into_iter().zip(codes) {
                assert_eq!((curve.encode(light) * 1023.0).round(), code, "{name} at {light}");
            }
        }
    }

    /// The formulas of Canon's transforms in f64, by numpy.
    #[test]
    fn canon_under_tungsten_light_is_as_its_transforms_say() {
        for (name, expected) in [
            (
                "CanonLog2 CinemaGamut Tungsten",
                [0.407_137_072_186, 0.419_752_804_333, 4.204_343_167_7],
            ),
            (
                "CanonLog3 CinemaGamut Tungsten",
                [0.353_791_106_981, 0.548_303_279_94, 2.644_231_264_33],
            ),
            (
                "CanonLog2 Rec.2020 Tungsten",
                [0.644_551_939_128, 0.919_308_861_02, 3.409_899_180_71],
            ),
            (
                "CanonLog3 Rec.2020 Tungsten",
                [0.506_334_971_298, 0.816_169_952_734, 2.201_235_289_41],
            ),
        ] {
            let legacy = find(name);
            let light = [0.3, 0.5, 0.7].map(|code| legacy.curve.decode(code));
            let got = color::apply(&legacy.matrix(), light);
            for (a, b) in got.iter().zip(expected) {
                assert!((a - b).abs() < 1e-9 * b.abs(), "{name}: {got:?}");
            }
        }
    }

    #[test]
    fn grey_stays_grey_and_everything_goes_back() {
        for legacy in LEGACY {
            for row in legacy.matrix() {
                assert!((row.iter().sum::<f64>() - 1.0).abs() < 1e-5, "{}", legacy.name);
            }
            let curve = legacy.curve;
            for code in [0.1, 0.25, 0.5, 0.9] {
                assert!((curve.encode(curve.decode(code)) - code).abs() < 1e-9, "{}", legacy.name);
            }
        }
    }
}
