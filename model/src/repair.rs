//! What may be mended about the photosites of a sensor before the debayer.
//! Nothing is, unless somebody asks; what was done stands in every header.

use crate::{Code, Fault};
use serde::{Deserialize, Serialize};

/// What becomes of photosites that clip. Sensors clip all colours at one
/// height, which white balance then pulls apart: a light that clips is pink.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Highlights {
    /// Scene values as the sensor has them.
    #[default]
    Off,
    /// No value above the height at which the first colour clips, before the debayer and after it: white, and flat.
    Clip,
    /// What clips is raised to what the other colours say of the light there.
    Rebuild,
}

impl Highlights {
    /// Every way, in the order help lists them.
    pub const ALL: &[Self] = &[Self::Off, Self::Clip, Self::Rebuild];

    /// Its name on the command line, in recipes and in headers.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Off => "off",
            Self::Clip => "clip",
            Self::Rebuild => "rebuild",
        }
    }

    /// What headers and reports say: its name, and the version of our form of it.
    #[must_use]
    pub fn label(self) -> String {
        match self {
            Self::Off => self.name().into(),
            Self::Clip => format!("{} v2", self.name()),
            Self::Rebuild => format!("{} v1", self.name()),
        }
    }
}

/// Everything that is mended, nothing by default.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Repairs {
    /// Photosites that stick out of all their neighbours, up or down, are replaced.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub hot_pixels: bool,
    /// What becomes of photosites that clip.
    pub highlights: Highlights,
}

impl Repairs {
    /// Whether photosites are taken as they come.
    #[must_use]
    pub fn is_none(&self) -> bool {
        *self == Self::default()
    }

    /// What to say of a picture that has no photosites, where something was to be mended.
    #[must_use]
    pub fn unused(&self, picture: &str) -> Option<Fault> {
        let asked =
            [(self.hot_pixels, "hot pixels"), (self.highlights != Highlights::Off, "highlights")];
        let asked: Vec<&str> = asked.iter().filter(|(on, _)| *on).map(|(_, name)| *name).collect();
        (!asked.is_empty()).then(|| {
            let message = format!("{picture} has no mosaic: no {} mended", asked.join(" and "));
            Fault::new(Code::NothingToMend, message)
        })
    }

    /// What headers and reports say of hot pixels: `off`, or what was done.
    #[must_use]
    pub const fn hot_pixels_label(&self) -> &'static str {
        if self.hot_pixels { "replaced v1" } else { "off" }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ways_have_one_name_and_nothing_is_the_default() {
        for way in Highlights::ALL.iter().copied() {
            assert_eq!(serde_json::to_value(way).unwrap(), way.name());
            assert!(way.label().starts_with(way.name()));
        }
        let none: Repairs = serde_json::from_str("{}").unwrap();
        assert!(none.is_none() && none.hot_pixels_label() == "off");
        assert!(none.unused("a.exr").is_none());
        assert_eq!(none.highlights.label(), "off");
        let all = Repairs { hot_pixels: true, highlights: Highlights::Rebuild };
        let text = serde_json::to_string(&all).unwrap();
        assert_eq!(serde_json::from_str::<Repairs>(&text).unwrap(), all);
        assert!(!all.is_none());
    }
}
