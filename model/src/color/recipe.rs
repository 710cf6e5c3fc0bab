//! Colour in a recipe: what the clip's codes are, looks, and what is
//! delivered. Everything is a value: names that are in no file, numbers, and
//! for tables the file with its hash, since a cube of 65 steps is megabytes,
//! a job has a step per plate, and the media lies in files too. A worker that
//! finds another hash stops.

use super::chain::{Cdl, Chain};
use super::meaning::Meaning;
use super::name::{self, Named};
use crate::Outcome;
use serde::{Deserialize, Serialize};

/// Colour of delivered pixels: a space or an output transform, by its name in
/// `platefarm color list`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct OutputColor(String);

/// The colour of plates: SMPTE ST 2065-1.
pub const ACES: &str = "ACES2065-1";
/// What a picture is looked at in where nobody says another: ACES Rec.709.
pub const DEFAULT_VIEW: &str = "ACES 1.3 SDR Rec.709 BT.1886";

impl Default for OutputColor {
    fn default() -> Self {
        Self(ACES.into())
    }
}

impl OutputColor {
    /// The colour of a name, an alias or an ACES transform id.
    ///
    /// # Errors
    /// [`Code::UnknownTransform`](crate::Code::UnknownTransform), with what is close;
    /// [`Code::NoWayBack`](crate::Code::NoWayBack) for one that only leads to ACES2065-1.
    pub fn named(text: &str) -> Outcome<Self> {
        let named = name::resolve(text)?;
        named.from_aces()?;
        Ok(Self(named.name().to_owned()))
    }

    /// Its name on the command line, in headers and reports.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.0
    }

    /// Whether it is ACES2065-1, the colour of plates.
    #[must_use]
    pub fn is_aces(&self) -> bool {
        self.0 == ACES
    }

    /// What it is.
    ///
    /// # Errors
    /// As [`OutputColor::named`]: a recipe may come from somewhere else.
    pub fn resolve(&self) -> Outcome<Named> {
        name::resolve(&self.0).map_err(|fault| fault.within("color_out"))
    }

    /// ACES2065-1 to it.
    ///
    /// # Errors
    /// As [`OutputColor::named`].
    pub fn chain(&self) -> Outcome<Chain> {
        if self.is_aces() {
            return Ok(Chain::default());
        }
        self.resolve()?.from_aces()
    }

    /// What its codes mean.
    ///
    /// # Errors
    /// As [`OutputColor::named`].
    pub fn meaning(&self) -> Outcome<Meaning> {
        Ok(self.resolve()?.meaning())
    }
}

/// A step of colour, on what the step before it gave.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ColorStep {
    /// Codes of a named space or display to ACES2065-1.
    ToAces(String),
    /// ACES2065-1 to codes of a named space or display.
    FromAces(String),
    /// A look that has a name, on ACES2065-1.
    Look(String),
    /// ASC CDL.
    Cdl(Cdl),
    /// A look or table in a file.
    File(ColorFile),
}

/// A look or table in a file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ColorFile {
    /// Where it is.
    pub path: String,
    /// SHA-256 of its bytes, 64 hexadecimal digits.
    pub sha256: String,
    /// Which correction of a collection is meant.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
}

impl ColorStep {
    /// The step as a chain; `read` makes one of a file.
    ///
    /// # Errors
    /// Those of names, and of `read`.
    pub fn chain(&self, read: &dyn Fn(&ColorFile) -> Outcome<Chain>) -> Outcome<Chain> {
        match self {
            Self::ToAces(text) => name::to_aces(text),
            Self::FromAces(text) => name::from_aces(text),
            Self::Look(text) => name::look(text),
            Self::Cdl(cdl) => Ok(Chain(vec![super::chain::Link::Cdl(*cdl)])),
            Self::File(file) => read(file),
        }
    }
}

impl std::fmt::Display for ColorStep {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let triple = |v: &[f64; 3]| v.map(|v| v.to_string()).join(" ");
        match self {
            Self::ToAces(text) => write!(f, "{text} to {ACES}"),
            Self::FromAces(text) => write!(f, "{ACES} to {text}"),
            Self::Look(text) => write!(f, "{text}"),
            Self::Cdl(c) => write!(
                f,
                "CDL slope {} offset {} power {} saturation {}{}",
                triple(&c.slope),
                triple(&c.offset),
                triple(&c.power),
                c.saturation,
                if c.clamp { ", clamped" } else { "" }
            ),
            Self::File(ColorFile { path, id: Some(id), .. }) => write!(f, "{path}#{id}"),
            Self::File(ColorFile { path, .. }) => write!(f, "{path}"),
        }
    }
}

/// What a recipe does to colour between the clip and the delivered space.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ColorRecipe {
    /// What takes the clip's codes to ACES2065-1; empty leaves it to the clip's
    /// reader, which is the only way for sensor data.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub input: Vec<ColorStep>,
    /// Looks that go into the pixels, on ACES2065-1, in order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub looks: Vec<ColorStep>,
    /// What the picture is meant to be looked at in, for headers and reports.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub view: Option<String>,
}

impl ColorRecipe {
    /// Whether it says nothing at all.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.is_plain() && self.view.is_none()
    }

    /// Whether the clip's reader and the delivered space say everything about the pixels.
    #[must_use]
    pub fn is_plain(&self) -> bool {
        self.input.is_empty() && self.looks.is_empty()
    }

    /// The files that it needs.
    pub fn files(&self) -> impl Iterator<Item = &ColorFile> {
        self.input.iter().chain(&self.looks).filter_map(|step| match step {
            ColorStep::File(file) => Some(file),
            _ => None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Code;

    #[test]
    fn a_colour_has_one_name_and_reads_as_it_was_written() {
        let rec709 = OutputColor::named("urn:ampas:aces:transformId:v2.0:Output.Academy.Rec709-D65_100nit_in_Rec709-D65_BT1886.a2.v1").unwrap();
        assert_eq!(rec709.name(), "Rec709-D65_100nit_in_Rec709-D65_BT1886");
        let view = "Rec.1886 Rec.709 - Display/ACES 2.0 - SDR 100 nits (Rec.709)";
        assert_eq!(OutputColor::named(view).unwrap(), rec709);
        assert_eq!(OutputColor::named("aces").unwrap(), OutputColor::default());
        assert_eq!(OutputColor::named("acescg").unwrap().name(), "ACEScg");
        let old: OutputColor = serde_json::from_str("\"ACES2065-1\"").unwrap();
        assert!(old.is_aces() && old.chain().unwrap().0.is_empty());
        assert_eq!(serde_json::to_string(&rec709).unwrap(), format!("{:?}", rec709.name()));
        assert_eq!(OutputColor::named("Rec.907").unwrap_err().code, Code::UnknownTransform);
        assert_eq!(OutputColor::named("ADX10").unwrap_err().code, Code::NoWayBack);
        assert!(OutputColor::named(DEFAULT_VIEW).unwrap().meaning().unwrap().display);
        assert_eq!(OutputColor::named("arri_logc3_ei400").unwrap().name(), "ARRI LogC3 (EI400)");
    }

    #[test]
    fn recipes_are_short_text() {
        let recipe = ColorRecipe {
            input: vec![ColorStep::ToAces("ARRI LogC4".into())],
            looks: vec![ColorStep::File(ColorFile {
                path: "/l/a.cube".into(),
                sha256: "00".into(),
                id: None,
            })],
            view: None,
        };
        let json = serde_json::to_string(&recipe).unwrap();
        let written = r#"{"input":[{"to_aces":"ARRI LogC4"}],"looks":[{"file":{"path":"/l/a.cube","sha256":"00"}}]}"#;
        assert_eq!(json, written);
        assert_eq!(serde_json::from_str::<ColorRecipe>(&json).unwrap(), recipe);
        assert_eq!(recipe.files().count(), 1);
        assert!(serde_json::from_str::<ColorRecipe>("{}").unwrap().is_plain());
    }
}
