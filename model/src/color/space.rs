//! The scene-referred spaces that footage comes in and plates go out in, one
//! line each: primaries, adaptation to the ACES white, transfer curve, names.
//! Command line help, `platefarm color list` and AMF ids derive from [`SPACES`].
//!
//! Names are those of OpenColorIO's ACES configs (studio config v5), ids those
//! of the ACES transform registry. Primaries are the makers' as the Academy's
//! input transforms have them.

use super::chain::{Chain, Link};
pub use super::gamut::*;
use super::transfer::{self, Transfer, log_c3};
use super::{AP0, AP1, CAT02, IDENTITY, REC709, invert};

/// What all ids of the current registry begin with.
pub const URN: &str = "urn:ampas:aces:transformId:v2.0:";

/// A scene-referred space.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Space {
    /// Its name in OpenColorIO's ACES configs, or in their manner.
    pub name: &'static str,
    /// Other names that are understood.
    pub aliases: &'static [&'static str],
    /// ACES transform ids, without [`URN`]: to ACES2065-1, and from it. Empty where the registry has none.
    pub ids: [&'static str; 2],
    /// Primaries.
    pub gamut: Gamut,
    /// Curve from codes to light.
    pub transfer: Transfer,
}

impl Space {
    /// Codes to ACES2065-1.
    #[must_use]
    pub fn to_aces(&self) -> Chain {
        Chain(vec![
            Link::Decode(self.transfer),
            Link::Matrix { matrix: self.gamut.to_aces(), offset: [0.0; 3] },
        ])
    }

    /// ACES2065-1 to codes.
    #[must_use]
    pub fn from_aces(&self) -> Chain {
        let matrix = invert(&self.gamut.to_aces()).unwrap_or(IDENTITY);
        let low = self.clamps_before_encoding().then_some(0.0);
        Chain(vec![
            Link::Clamp { low, high: None },
            Link::Matrix { matrix, offset: [0.0; 3] },
            Link::Encode(self.transfer),
        ])
    }

    /// Whether ACES2065-1 below 0 is taken for 0 before it is encoded, as the Academy's transform to ACEScc does.
    #[must_use]
    pub fn clamps_before_encoding(&self) -> bool {
        self.transfer == Transfer::AcesCc
    }
}

const fn space(
    name: &'static str,
    aliases: &'static [&'static str],
    ids: [&'static str; 2],
    gamut: Gamut,
    transfer: Transfer,
) -> Space {
    Space { name, aliases, ids, gamut, transfer }
}

const NONE: [&str; 2] = ["", ""];

/// Every space with constants, in the order lists show them. ARRI LogC3 at any
/// exposure index comes besides: see [`find`].
pub const SPACES: &[Space] = &[
    space(
        "ACES2065-1",
        &["aces2065_1", "aces", "lin_ap0"],
        NONE,
        Gamut::aces(AP0),
        Transfer::Linear,
    ),
    space(
        "ACEScg",
        &["lin_ap1"],
        ["CSC.Academy.ACEScg_to_ACES.a2.v1", "CSC.Academy.ACES_to_ACEScg.a2.v1"],
        Gamut::aces(AP1),
        Transfer::Linear,
    ),
    space(
        "ACEScc",
        &["acescc_ap1"],
        ["CSC.Academy.ACEScc_to_ACES.a2.v1", "CSC.Academy.ACES_to_ACEScc.a2.v1"],
        Gamut::aces(AP1),
        Transfer::AcesCc,
    ),
    space(
        "ACEScct",
        &["acescct_ap1"],
        ["CSC.Academy.ACEScct_to_ACES.a2.v1", "CSC.Academy.ACES_to_ACEScct.a2.v1"],
        Gamut::aces(AP1),
        transfer::ACES_CCT,
    ),
    space(
        "ARRI LogC4",
        &["arri_logc4", "logc4"],
        ["CSC.Arri.LogC4_to_ACES.a2.v1", "CSC.Arri.ACES_to_LogC4.a2.v1"],
        Gamut::cat02(AWG4),
        transfer::LOG_C4,
    ),
    space(
        "Linear ARRI Wide Gamut 3",
        &["lin_awg3", "lin_arri_wide_gamut_3"],
        NONE,
        Gamut::cat02(AWG3),
        Transfer::Linear,
    ),
    space(
        "Linear ARRI Wide Gamut 4",
        &["lin_awg4", "lin_arri_wide_gamut_4"],
        NONE,
        Gamut::cat02(AWG4),
        Transfer::Linear,
    ),
    space(
        "S-Log3 S-Gamut3",
        &["slog3_sgamut3"],
        ["CSC.Sony.SLog3_SGamut3_to_ACES.a2.v1", "CSC.Sony.ACES_to_SLog3_SGamut3.a2.v1"],
        Gamut::cat02(S_GAMUT3),
        transfer::S_LOG3,
    ),
    space(
        "S-Log3 S-Gamut3.Cine",
        &["slog3_sgamut3cine"],
        ["CSC.Sony.SLog3_SGamut3Cine_to_ACES.a2.v1", "CSC.Sony.ACES_to_SLog3_SGamut3Cine.a2.v1"],
        Gamut::cat02(S_GAMUT3_CINE),
        transfer::S_LOG3,
    ),
    space(
        "S-Log3 Venice S-Gamut3",
        &["slog3_venice_sgamut3"],
        [
            "CSC.Sony.Venice_SLog3_SGamut3_to_ACES.a2.v1",
            "CSC.Sony.ACES_to_Venice_SLog3_SGamut3.a2.v1",
        ],
        Gamut::cat02(VENICE_S_GAMUT3),
        transfer::S_LOG3,
    ),
    space(
        "S-Log3 Venice S-Gamut3.Cine",
        &["slog3_venice_sgamut3cine"],
        [
            "CSC.Sony.Venice_SLog3_SGamut3Cine_to_ACES.a2.v1",
            "CSC.Sony.ACES_to_Venice_SLog3_SGamut3Cine.a2.v1",
        ],
        Gamut::cat02(VENICE_S_GAMUT3_CINE),
        transfer::S_LOG3,
    ),
    space("Linear S-Gamut3", &["lin_sgamut3"], NONE, Gamut::cat02(S_GAMUT3), Transfer::Linear),
    space(
        "Linear S-Gamut3.Cine",
        &["lin_sgamut3cine"],
        NONE,
        Gamut::cat02(S_GAMUT3_CINE),
        Transfer::Linear,
    ),
    space(
        "Linear Venice S-Gamut3",
        &["lin_venice_sgamut3"],
        NONE,
        Gamut::cat02(VENICE_S_GAMUT3),
        Transfer::Linear,
    ),
    space(
        "Linear Venice S-Gamut3.Cine",
        &["lin_venice_sgamut3cine"],
        NONE,
        Gamut::cat02(VENICE_S_GAMUT3_CINE),
        Transfer::Linear,
    ),
    space(
        "Log3G10 REDWideGamutRGB",
        &["log3g10_redwidegamutrgb", "rl3g10_rwg", "log3g10_rwg"],
        ["CSC.Red.Log3G10_RWG_to_ACES.a2.v1", "CSC.Red.ACES_to_Log3G10_RWG.a2.v1"],
        Gamut::bradford(RED_WIDE_GAMUT),
        transfer::LOG3_G10,
    ),
    space(
        "Linear REDWideGamutRGB",
        &["lin_redwidegamutrgb", "lin_rwg"],
        NONE,
        Gamut::bradford(RED_WIDE_GAMUT),
        Transfer::Linear,
    ),
    space(
        "CanonLog2 CinemaGamut D55",
        &["canonlog2_cinemagamut_d55", "clog2_cgamut"],
        ["CSC.Canon.CLog2_CGamut_to_ACES.a1.v1", "CSC.Canon.ACES_to_CLog2_CGamut.a1.v1"],
        Gamut::cat02(CINEMA_GAMUT),
        transfer::CANON_LOG2,
    ),
    space(
        "CanonLog3 CinemaGamut D55",
        &["canonlog3_cinemagamut_d55", "clog3_cgamut"],
        ["CSC.Canon.CLog3_CGamut_to_ACES.a1.v1", "CSC.Canon.ACES_to_CLog3_CGamut.a1.v1"],
        Gamut::cat02(CINEMA_GAMUT),
        transfer::CANON_LOG3,
    ),
    space(
        "CanonLog2 Rec.2020",
        &["clog2_bt2020"],
        ["CSC.Canon.CLog2_BT2020_to_ACES.a1.v1", "CSC.Canon.ACES_to_CLog2_BT2020.a1.v1"],
        Gamut::cat02(REC2020),
        transfer::CANON_LOG2,
    ),
    space(
        "CanonLog3 Rec.2020",
        &["clog3_bt2020"],
        ["CSC.Canon.CLog3_BT2020_to_ACES.a1.v1", "CSC.Canon.ACES_to_CLog3_BT2020.a1.v1"],
        Gamut::cat02(REC2020),
        transfer::CANON_LOG3,
    ),
    space(
        "Linear CinemaGamut D55",
        &["lin_cinemagamut_d55"],
        NONE,
        Gamut::cat02(CINEMA_GAMUT),
        Transfer::Linear,
    ),
    space(
        "V-Log V-Gamut",
        &["vlog_vgamut"],
        ["CSC.Panasonic.VLog_VGamut_to_ACES.a2.v1", "CSC.Panasonic.ACES_to_VLog_VGamut.a2.v1"],
        Gamut::bradford(V_GAMUT),
        transfer::V_LOG,
    ),
    space("Linear V-Gamut", &["lin_vgamut"], NONE, Gamut::bradford(V_GAMUT), Transfer::Linear),
    space(
        "BMDFilm WideGamut Gen5",
        &["bmdfilm_widegamut_gen5"],
        [
            "CSC.Blackmagic.BMDFilm_WideGamut_Gen5_to_ACES.a2.v1",
            "CSC.Academy.ACES_to_BMDFilm_WideGamut_Gen5.a2.v1",
        ],
        Gamut { primaries: BMD_WIDE_GAMUT_5, white: BMD_WHITE, cones: CAT02 },
        transfer::BMD_FILM_5,
    ),
    space(
        "Linear BMD WideGamut Gen5",
        &["lin_bmd_widegamut_gen5"],
        NONE,
        Gamut { primaries: BMD_WIDE_GAMUT_5, white: BMD_WHITE, cones: CAT02 },
        Transfer::Linear,
    ),
    space(
        "DaVinci Intermediate WideGamut",
        &["davinci_intermediate_widegamut"],
        NONE,
        Gamut::cat02(DAVINCI_WIDE_GAMUT),
        transfer::DAVINCI,
    ),
    space(
        "Linear DaVinci WideGamut",
        &["lin_davinci_widegamut"],
        NONE,
        Gamut::cat02(DAVINCI_WIDE_GAMUT),
        Transfer::Linear,
    ),
    space(
        "D-Log D-Gamut",
        &["dlog_dgamut"],
        ["CSC.DJI.DLog_DGamut_to_ACES.a1.v1", "CSC.DJI.ACES_to_DLog_DGamut.a1.v1"],
        Gamut::cat02(D_GAMUT),
        transfer::D_LOG,
    ),
    space("Linear D-Gamut", &["lin_dgamut"], NONE, Gamut::cat02(D_GAMUT), Transfer::Linear),
    space(
        "Apple Log",
        &["apple_log"],
        ["CSC.Apple.AppleLog_BT2020_to_ACES.a2.v1", "CSC.Apple.ACES_to_AppleLog_BT2020.a2.v1"],
        Gamut::bradford(REC2020),
        Transfer::AppleLog,
    ),
    space(
        "Apple Log 2",
        &["apple_log_2"],
        NONE,
        Gamut::bradford(APPLE_WIDE_GAMUT),
        Transfer::AppleLog,
    ),
    space(
        "Linear Apple Wide Gamut",
        &["lin_apple_wide_gamut"],
        NONE,
        Gamut::bradford(APPLE_WIDE_GAMUT),
        Transfer::Linear,
    ),
    space(
        "L-Log Rec.2020",
        &["llog_bt2020", "leica_llog"],
        NONE,
        Gamut::bradford(REC2020),
        transfer::L_LOG,
    ),
    space(
        "Camera Rec.709",
        &["camera_rec709", "rec709_camera", "Rec.709 camera"],
        NONE,
        Gamut::bradford(REC709),
        transfer::REC709_CAMERA,
    ),
    space(
        "Linear Rec.709 (sRGB)",
        &["lin_rec709_srgb", "lin_rec709", "lin_srgb", "Linear Rec.709"],
        NONE,
        Gamut::bradford(REC709),
        Transfer::Linear,
    ),
    space("Linear P3-D65", &["lin_p3d65"], NONE, Gamut::bradford(P3), Transfer::Linear),
    space("Linear Rec.2020", &["lin_rec2020"], NONE, Gamut::bradford(REC2020), Transfer::Linear),
    space("Linear AdobeRGB", &["lin_adobergb"], NONE, Gamut::bradford(ADOBE_RGB), Transfer::Linear),
    space(
        "sRGB Encoded Rec.709 (sRGB)",
        &["srgb_encoded_rec709_srgb", "srgb_texture", "srgb_tx"],
        NONE,
        Gamut::bradford(REC709),
        transfer::SRGB,
    ),
    space(
        "sRGB Encoded P3-D65",
        &["srgb_encoded_p3d65", "srgb_p3d65"],
        NONE,
        Gamut::bradford(P3),
        transfer::SRGB,
    ),
    space(
        "sRGB Encoded AP1",
        &["srgb_encoded_ap1", "srgb_ap1"],
        NONE,
        Gamut::aces(AP1),
        transfer::SRGB,
    ),
    space(
        "Gamma 1.8 Encoded Rec.709",
        &["g18_encoded_rec709", "g18_rec709"],
        NONE,
        Gamut::bradford(REC709),
        Transfer::Gamma(1.8),
    ),
    space(
        "Gamma 2.2 Encoded Rec.709",
        &["g22_encoded_rec709", "g22_rec709"],
        NONE,
        Gamut::bradford(REC709),
        Transfer::Gamma(2.2),
    ),
    space(
        "Gamma 2.4 Encoded Rec.709",
        &["g24_encoded_rec709", "g24_rec709"],
        NONE,
        Gamut::bradford(REC709),
        Transfer::Gamma(2.4),
    ),
    space(
        "Gamma 2.2 Encoded AP1",
        &["g22_encoded_ap1", "g22_ap1"],
        NONE,
        Gamut::aces(AP1),
        Transfer::Gamma(2.2),
    ),
    space(
        "Gamma 2.2 Encoded AdobeRGB",
        &["g22_encoded_adobergb", "adobergb"],
        NONE,
        Gamut::bradford(ADOBE_RGB),
        Transfer::Gamma(563.0 / 256.0),
    ),
];

/// Name of the LogC3 space at an exposure index.
#[must_use]
pub fn log_c3_name(exposure_index: f64) -> String {
    format!("ARRI LogC3 (EI{exposure_index})")
}

/// ARRI LogC3 at an exposure index from 160 to 3200.
#[must_use]
pub fn log_c3_space(exposure_index: f64) -> Option<Space> {
    (160.0..=3200.0).contains(&exposure_index).then(|| Space {
        name: "ARRI LogC3",
        aliases: &[],
        // The registry's LogC3 carries its index as a parameter that an AMF cannot hold; 800 is its default.
        ids: if exposure_index == 800.0 {
            ["CSC.Arri.LogC3_to_ACES.a2.v1", "CSC.Arri.ACES_to_LogC3.a2.v1"]
        } else {
            NONE
        },
        gamut: Gamut::cat02(AWG3),
        transfer: log_c3(exposure_index),
    })
}

/// The space of a name, an alias or an ACES transform id, whatever their case.
/// `ARRI LogC3 (EI400)`, `arri_logc3_ei400` and so on are understood for every index.
#[must_use]
pub fn find(name: &str) -> Option<Space> {
    let wanted = name.trim();
    let id = wanted.strip_prefix(URN).unwrap_or(wanted);
    let same = |other: &str| !other.is_empty() && other.eq_ignore_ascii_case(id);
    let found = SPACES
        .iter()
        .find(|s| same(s.name) || s.aliases.iter().chain(&s.ids).any(|other| same(other)));
    found.copied().or_else(|| log_c3_space(exposure_index(id)?))
}

/// The exposure index of a name or id of ARRI LogC3.
pub(super) fn exposure_index(name: &str) -> Option<f64> {
    let name = name.trim();
    let lower = name.strip_prefix(URN).unwrap_or(name).to_ascii_lowercase();
    if lower.starts_with("csc.arri.") && lower.contains("logc3") {
        return Some(800.0);
    }
    let rest = lower
        .strip_prefix("arri logc3 (ei")
        .and_then(|rest| rest.strip_suffix(')'))
        .or_else(|| lower.strip_prefix("arri_logc3_ei"))?;
    rest.parse().ok()
}
