//! Displays as spaces: ACES2065-1 as it is, without a tone curve, in the codes
//! of a display. This is what OpenColorIO's ACES configs mean by the name of a
//! display, and by the views `Un-tone-mapped` and `Video (colorimetric)`.
//!
//! White is adapted by Bradford from the ACES white to D65 and from there to
//! the display's; 1 is the display's white, or 100 cd/m² where codes are
//! absolute. Nothing is clamped: negative light is mirrored, as OpenColorIO
//! 2.5 does it. Names are those of OpenColorIO's studio configs.

use super::chain::{Chain, Link};
use super::meaning::{self, Meaning};
use super::output::{Eotf, Primaries};
use super::{ACES_WHITE, AP0, D65, IDENTITY, Matrix3, Xy, adapt, invert, mul, rgb_to_xyz};

/// White of digital cinema (SMPTE RP 431-2).
const DCI: Xy = [0.314, 0.351];
/// What a projector of 48 cd/m² makes of its largest code, 52.37 cd/m² (SMPTE ST 428-1).
const CINEMA: f64 = 48.0 / 52.37;

/// A display without a tone curve.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct DisplaySpace {
    /// Its name in OpenColorIO's ACES configs.
    pub name: &'static str,
    primaries: Primaries,
    white: Xy,
    eotf: Eotf,
    /// Factor on linear light.
    scale: f64,
}

const fn display(name: &'static str, primaries: Primaries, eotf: Eotf) -> DisplaySpace {
    DisplaySpace { name, primaries, white: D65, eotf, scale: 1.0 }
}

const fn projector(name: &'static str, white: Xy) -> DisplaySpace {
    DisplaySpace { name, primaries: Primaries::P3, white, eotf: Eotf::Gamma26, scale: 1.0 }
}

/// Every display, in the order lists show them.
pub const DISPLAYS: &[DisplaySpace] = &[
    display("sRGB - Display", Primaries::Rec709, Eotf::Srgb),
    display("Gamma 2.2 Rec.709 - Display", Primaries::Rec709, Eotf::Gamma22),
    display("Rec.1886 Rec.709 - Display", Primaries::Rec709, Eotf::Bt1886),
    display("Rec.1886 Rec.2020 - Display", Primaries::Rec2020, Eotf::Bt1886),
    display("Display P3 - Display", Primaries::P3, Eotf::Srgb),
    display("Display P3 HDR - Display", Primaries::P3, Eotf::Srgb),
    projector("Gamma 2.6 P3-D65 - Display", D65),
    projector("P3-D60 - Display", ACES_WHITE),
    projector("P3-DCI - Display", DCI),
    display("ST2084-P3-D65 - Display", Primaries::P3, Eotf::Pq),
    display("Rec.2100-PQ - Display", Primaries::Rec2020, Eotf::Pq),
    display("Rec.2100-HLG - Display", Primaries::Rec2020, Eotf::Hlg),
    DisplaySpace { scale: CINEMA, ..display("DCDM-D65 - Display", Primaries::Xyz, Eotf::Gamma26) },
    display("CIE XYZ-D65 - Display-referred", Primaries::Xyz, Eotf::Linear),
];

/// The display of a name, whatever its case.
pub(super) fn find(name: &str) -> Option<&'static DisplaySpace> {
    DISPLAYS.iter().find(|display| display.name.eq_ignore_ascii_case(name))
}

impl DisplaySpace {
    /// ACES2065-1 to codes.
    #[must_use]
    pub fn from_aces(&self) -> Chain {
        let mut links = vec![Link::Matrix { matrix: self.matrix(), offset: [0.0; 3] }];
        links.extend(self.eotf.encode());
        Chain(links)
    }

    /// Codes to ACES2065-1.
    ///
    /// # Errors
    /// None today: every part has an inverse.
    pub fn to_aces(&self) -> Result<Chain, &'static str> {
        self.from_aces().inverse()
    }

    /// ACES2065-1 to linear light of the display.
    fn matrix(&self) -> Matrix3 {
        let to_xyz = mul(&adapt(ACES_WHITE, D65), &rgb_to_xyz(&AP0, ACES_WHITE));
        let from_xyz = match self.primaries {
            Primaries::Xyz => IDENTITY,
            primaries => {
                let to_rgb = invert(&rgb_to_xyz(&primaries.xy(), self.white)).unwrap_or(IDENTITY);
                mul(&to_rgb, &adapt(D65, self.white))
            }
        };
        mul(&from_xyz, &to_xyz).map(|row| row.map(|v| v * self.scale))
    }

    /// What its codes mean.
    #[must_use]
    pub(super) fn meaning(&self) -> Meaning {
        let hdr = self.name.contains("HDR");
        let meaning = meaning::of_display(self.primaries, self.eotf, hdr);
        if self.eotf == Eotf::Linear {
            return Meaning { interop_id: Some("ocio:lin_ciexyzd65_display"), ..meaning };
        }
        if self.white == D65 {
            return meaning;
        }
        let chromaticities = Some(meaning::chromaticities(self.primaries.xy(), self.white));
        Meaning { chromaticities, interop_id: None, ..meaning }
    }
}
