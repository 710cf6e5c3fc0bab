//! Primaries that cameras and displays work in, and the way from each to
//! ACES2065-1. Published chromaticities; the adaptation is the one that the
//! Academy's input transform of each maker uses.

use super::{
    ACES_WHITE, AP0, BRADFORD, CAT02, D65, IDENTITY, Matrix3, Xy, adapt_by, invert, mul, rgb_to_xyz,
};

/// ITU-R BT.2020 primaries.
pub const REC2020: [Xy; 3] = [[0.708, 0.292], [0.170, 0.797], [0.131, 0.046]];
/// SMPTE RP 431-2 primaries, with D65 as computer displays have them.
pub const P3: [Xy; 3] = [[0.680, 0.320], [0.265, 0.690], [0.150, 0.060]];
/// Adobe RGB (1998).
pub const ADOBE_RGB: [Xy; 3] = [[0.64, 0.33], [0.21, 0.71], [0.15, 0.06]];
/// ARRI Wide Gamut 3.
pub const AWG3: [Xy; 3] = [[0.684, 0.313], [0.221, 0.848], [0.0861, -0.102]];
/// ARRI Wide Gamut 4.
pub const AWG4: [Xy; 3] = [[0.7347, 0.2653], [0.1424, 0.8576], [0.0991, -0.0308]];
/// Sony S-Gamut3.
pub const S_GAMUT3: [Xy; 3] = [[0.730, 0.280], [0.140, 0.855], [0.100, -0.050]];
/// Sony S-Gamut3.Cine.
pub const S_GAMUT3_CINE: [Xy; 3] = [[0.766, 0.275], [0.225, 0.800], [0.089, -0.087]];
/// Sony S-Gamut3 as the Venice records it; follows from Sony's matrix.
pub const VENICE_S_GAMUT3: [Xy; 3] = [
    [0.740_464_264_304_292, 0.279_364_374_750_660],
    [0.089_241_145_423_286, 0.893_809_528_608_105],
    [0.110_488_236_673_827, -0.052_579_333_080_476],
];
/// Sony S-Gamut3.Cine as the Venice records it; follows from Sony's matrix.
pub const VENICE_S_GAMUT3_CINE: [Xy; 3] = [
    [0.775_901_871_567_345, 0.274_502_392_854_799],
    [0.188_682_902_773_355, 0.828_684_937_020_288],
    [0.101_337_382_499_301, -0.089_187_517_306_263],
];
/// REDWideGamutRGB.
pub const RED_WIDE_GAMUT: [Xy; 3] =
    [[0.780_308, 0.304_253], [0.121_595, 1.493_994], [0.095_612, -0.084_589]];
/// Canon Cinema Gamut.
pub const CINEMA_GAMUT: [Xy; 3] = [[0.74, 0.27], [0.17, 1.14], [0.08, -0.10]];
/// Panasonic V-Gamut.
pub const V_GAMUT: [Xy; 3] = [[0.730, 0.280], [0.165, 0.840], [0.100, -0.030]];
/// Blackmagic Wide Gamut, generation 5.
pub const BMD_WIDE_GAMUT_5: [Xy; 3] =
    [[0.717_721_5, 0.317_118_1], [0.228_041_0, 0.861_569_0], [0.100_584_1, -0.082_045_2]];
/// DaVinci Wide Gamut.
pub const DAVINCI_WIDE_GAMUT: [Xy; 3] = [[0.8, 0.3130], [0.1682, 0.9877], [0.0790, -0.1155]];
/// DJI D-Gamut.
pub const D_GAMUT: [Xy; 3] = [[0.71, 0.31], [0.21, 0.88], [0.09, -0.08]];
/// Apple Wide Gamut.
pub const APPLE_WIDE_GAMUT: [Xy; 3] = [[0.725, 0.301], [0.221, 0.814], [0.068, -0.076]];
/// White of Blackmagic's gamut, as the maker writes D65.
pub(super) const BMD_WHITE: Xy = [0.312_717_0, 0.329_031_2];

/// A set of primaries with what takes its white to that of ACES.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Gamut {
    /// Red, green, blue.
    pub primaries: [Xy; 3],
    /// White.
    pub white: Xy,
    /// Cone responses of the adaptation.
    pub cones: Matrix3,
}

impl Gamut {
    pub(super) const fn cat02(primaries: [Xy; 3]) -> Self {
        Self { primaries, white: D65, cones: CAT02 }
    }

    pub(super) const fn bradford(primaries: [Xy; 3]) -> Self {
        Self { primaries, white: D65, cones: BRADFORD }
    }

    pub(super) const fn aces(primaries: [Xy; 3]) -> Self {
        Self { primaries, white: ACES_WHITE, cones: BRADFORD }
    }

    /// Linear RGB of it to ACES2065-1; exactly the identity for AP0.
    #[must_use]
    pub fn to_aces(&self) -> Matrix3 {
        if self.primaries == AP0 && self.white == ACES_WHITE {
            return IDENTITY;
        }
        let back = invert(&rgb_to_xyz(&AP0, ACES_WHITE)).unwrap_or(IDENTITY);
        let adapted = adapt_by(&self.cones, self.white, ACES_WHITE);
        mul(&back, &mul(&adapted, &rgb_to_xyz(&self.primaries, self.white)))
    }
}
