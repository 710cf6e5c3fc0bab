//! What the codes of a named transform mean, in the words that headers have
//! for it: primaries, white, and the id of the Color Interop Forum.
//!
//! Ids are those of the forum's recommendation, and, with the prefix `ocio:`,
//! those that the ACES configs of OpenColorIO 2.6 add for cameras.

use super::output::{Eotf, OutputTransform, Primaries};
use super::space::Space;
use super::transfer::Transfer;
use super::{ACES_WHITE, D65, Xy};

/// What codes mean.
#[derive(Clone, Debug, PartialEq)]
pub struct Meaning {
    /// Red, green, blue and white; none where nobody says them.
    pub chromaticities: Option<[Xy; 4]>,
    /// Whether codes are proportional to light.
    pub linear: bool,
    /// Whether they are what a display is fed, and not scene light.
    pub display: bool,
    /// Id of the Color Interop Forum, or `ocio:` and OpenColorIO's; none where neither has one.
    pub interop_id: Option<&'static str>,
}

/// Interop ids of the scene spaces, by our names.
const SCENE: &[(&str, &str)] = &[
    ("ACES2065-1", "lin_ap0_scene"),
    ("ACEScg", "lin_ap1_scene"),
    ("ACEScc", "ocio:acescc_ap1_scene"),
    ("ACEScct", "ocio:acescct_ap1_scene"),
    ("ARRI LogC3 (EI800)", "ocio:arrilogc3_awg3_scene"),
    ("ARRI LogC4", "ocio:arrilogc4_awg4_scene"),
    ("Linear ARRI Wide Gamut 3", "ocio:lin_awg3_scene"),
    ("Linear ARRI Wide Gamut 4", "ocio:lin_awg4_scene"),
    ("S-Log3 S-Gamut3", "ocio:slog3_sgamut3_scene"),
    ("S-Log3 S-Gamut3.Cine", "ocio:slog3_sgamut3cine_scene"),
    ("S-Log3 Venice S-Gamut3", "ocio:slog3_sgamut3venice_scene"),
    ("S-Log3 Venice S-Gamut3.Cine", "ocio:slog3_sgamut3cinevenice_scene"),
    ("Linear S-Gamut3", "ocio:lin_sgamut3_scene"),
    ("Linear S-Gamut3.Cine", "ocio:lin_sgamut3cine_scene"),
    ("Linear Venice S-Gamut3", "ocio:lin_sgamut3venice_scene"),
    ("Linear Venice S-Gamut3.Cine", "ocio:lin_sgamut3cinevenice_scene"),
    ("Log3G10 REDWideGamutRGB", "ocio:redlog3g10_rwg_scene"),
    ("Linear REDWideGamutRGB", "ocio:lin_rwg_scene"),
    ("CanonLog2 CinemaGamut D55", "ocio:canonlog2_cgamutd55_scene"),
    ("CanonLog3 CinemaGamut D55", "ocio:canonlog3_cgamutd55_scene"),
    ("Linear CinemaGamut D55", "ocio:lin_cgamutd55_scene"),
    ("V-Log V-Gamut", "ocio:vlog_vgamut_scene"),
    ("Linear V-Gamut", "ocio:lin_vgamut_scene"),
    ("BMDFilm WideGamut Gen5", "ocio:bmdfilm5_wg5_scene"),
    ("Linear BMD WideGamut Gen5", "ocio:lin_bmdwg5_scene"),
    ("DaVinci Intermediate WideGamut", "ocio:davinci_dwg_scene"),
    ("Linear DaVinci WideGamut", "ocio:lin_dwg_scene"),
    ("D-Log D-Gamut", "ocio:djilog_dgamut_scene"),
    ("Linear D-Gamut", "ocio:lin_dgamut_scene"),
    ("Apple Log", "ocio:applelog_rec2020_scene"),
    ("Apple Log 2", "ocio:applelog_applewg_scene"),
    ("Linear Apple Wide Gamut", "ocio:lin_applewg_scene"),
    ("Camera Rec.709", "ocio:itu709_rec709_scene"),
    ("Linear Rec.709 (sRGB)", "lin_rec709_scene"),
    ("Linear P3-D65", "lin_p3d65_scene"),
    ("Linear Rec.2020", "lin_rec2020_scene"),
    ("Linear AdobeRGB", "lin_adobergb_scene"),
    ("sRGB Encoded Rec.709 (sRGB)", "srgb_rec709_scene"),
    ("sRGB Encoded P3-D65", "srgb_p3d65_scene"),
    ("sRGB Encoded AP1", "srgb_ap1_scene"),
    ("Gamma 1.8 Encoded Rec.709", "g18_rec709_scene"),
    ("Gamma 2.2 Encoded Rec.709", "g22_rec709_scene"),
    ("Gamma 2.4 Encoded Rec.709", "g24_rec709_scene"),
    ("Gamma 2.2 Encoded AP1", "g22_ap1_scene"),
    ("Gamma 2.2 Encoded AdobeRGB", "g22_adobergb_scene"),
];

/// The space that an interop id means.
#[must_use]
pub fn space_of_interop_id(id: &str) -> Option<&'static str> {
    SCENE.iter().find(|(_, known)| *known == id).map(|(name, _)| *name)
}

/// Whether an interop id speaks of a display's codes.
#[must_use]
pub fn is_display_id(id: &str) -> bool {
    id.ends_with("_display")
}

pub(super) fn of_space(name: &str, space: &Space) -> Meaning {
    Meaning {
        chromaticities: Some(chromaticities(space.gamut.primaries, space.gamut.white)),
        linear: space.transfer == Transfer::Linear,
        display: false,
        interop_id: SCENE.iter().find(|(known, _)| *known == name).map(|(_, id)| *id),
    }
}

pub(super) fn chromaticities([red, green, blue]: [Xy; 3], white: Xy) -> [Xy; 4] {
    [red, green, blue, white]
}

/// What a file makes for a display that it does not name.
pub(super) const OF_FILE: Meaning =
    Meaning { chromaticities: None, linear: false, display: true, interop_id: None };

/// Film densities: the primaries are those of what they decode to.
pub(super) fn of_adx(bits: u32) -> Meaning {
    Meaning {
        chromaticities: Some(chromaticities(super::AP0, ACES_WHITE)),
        linear: false,
        display: false,
        interop_id: Some(if bits == 10 { "ocio:adx10_apd_scene" } else { "ocio:adx16_apd_scene" }),
    }
}

pub(super) fn of_output(output: &OutputTransform) -> Meaning {
    let hdr = output.target.peak_nits > 100.0;
    of_display(output.display, output.eotf, hdr)
}

pub(super) fn of_display(display: Primaries, eotf: Eotf, hdr: bool) -> Meaning {
    let interop_id = match (display, eotf) {
        (Primaries::Rec709, Eotf::Srgb) => Some("srgb_rec709_display"),
        (Primaries::Rec709, Eotf::Gamma22) => Some("g22_rec709_display"),
        (Primaries::Rec709, Eotf::Bt1886) => Some("g24_rec709_display"),
        (Primaries::P3, Eotf::Srgb) if hdr => Some("srgbe_p3d65_display"),
        (Primaries::P3, Eotf::Srgb) => Some("srgb_p3d65_display"),
        (Primaries::P3, Eotf::Gamma26) => Some("g26_p3d65_display"),
        (Primaries::P3, Eotf::Pq) => Some("pq_p3d65_display"),
        (Primaries::Rec2020, Eotf::Pq) => Some("pq_rec2020_display"),
        (Primaries::Rec2020, Eotf::Hlg) => Some("hlg_rec2020_display"),
        _ => None,
    };
    let white = if display == Primaries::Xyz { [1.0 / 3.0; 2] } else { D65 };
    let chromaticities = Some(chromaticities(display.xy(), white));
    Meaning { chromaticities, linear: eotf == Eotf::Linear, display: true, interop_id }
}
