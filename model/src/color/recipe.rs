//! Colour in a recipe: what the clip's codes are, looks, and what is
//! delivered. Everything is a value: names that are in no file, numbers, and
//! for tables the file with its hash, since a cube of 65 steps is megabytes,
//! a job has a step per plate, and the media lies in files too. A worker that
//! finds another hash stops.

use super::chain::{Cdl, Chain};
use super::meaning::{self, Meaning};
use super::name;
use crate::{Code, Fault, Outcome};
use serde::{Deserialize, Serialize};

/// Colour of delivered pixels: a space or an output transform by its name in
/// `platefarm color list`, or what a file makes of ACES2065-1 for a display.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct OutputColor(Kind);

#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(untagged)]
enum Kind {
    Named(String),
    File(ColorFile),
    /// What a file made, of which only the name is left: in a header that was read.
    #[serde(skip)]
    Made(String),
}

/// The colour of plates: SMPTE ST 2065-1.
pub const ACES: &str = "ACES2065-1";
/// What a picture is looked at in where nobody says another: ACES Rec.709.
pub const DEFAULT_VIEW: &str = "ACES 1.3 SDR Rec.709 BT.1886";

impl Default for OutputColor {
    fn default() -> Self {
        Self(Kind::Named(ACES.into()))
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
        Ok(Self(Kind::Named(named.name().to_owned())))
    }

    /// What a file makes of ACES2065-1 for the display that it is meant for.
    #[must_use]
    pub const fn by_file(file: ColorFile) -> Self {
        Self(Kind::File(file))
    }

    /// The colour that a header names: one of ours, or else what a file made.
    #[must_use]
    pub fn recorded(text: &str) -> Self {
        Self::named(text).unwrap_or_else(|_| Self(Kind::Made(text.to_owned())))
    }

    /// Its name on the command line, in headers and reports; of a file its own, without directories.
    #[must_use]
    pub fn name(&self) -> &str {
        match &self.0 {
            Kind::Named(name) | Kind::Made(name) => name,
            Kind::File(file) => file.name(),
        }
    }

    /// The file that makes it, where one does.
    #[must_use]
    pub const fn file(&self) -> Option<&ColorFile> {
        match &self.0 {
            Kind::File(file) => Some(file),
            Kind::Named(_) | Kind::Made(_) => None,
        }
    }

    /// Whether it is ACES2065-1, the colour of plates.
    #[must_use]
    pub fn is_aces(&self) -> bool {
        matches!(&self.0, Kind::Named(name) if name == ACES)
    }

    /// ACES2065-1 to it; `read` makes a chain of a file.
    ///
    /// # Errors
    /// As [`OutputColor::named`], since a recipe may come from somewhere else, and those of `read`.
    pub fn chain(&self, read: &dyn Fn(&ColorFile) -> Outcome<Chain>) -> Outcome<Chain> {
        match &self.0 {
            Kind::Named(name) if name == ACES => Ok(Chain::default()),
            Kind::Named(name) => name::from_aces(name).map_err(|fault| fault.within("color_out")),
            Kind::File(file) => read(file).map_err(|fault| fault.within("color_out")),
            Kind::Made(name) => Err(made_by(name)),
        }
    }

    /// It to ACES2065-1.
    ///
    /// # Errors
    /// As [`OutputColor::named`]; [`Code::NoWayBack`] for what a file made.
    pub fn to_aces(&self) -> Outcome<Chain> {
        match &self.0 {
            Kind::Named(name) => name::to_aces(name).map_err(|fault| fault.within("color_out")),
            Kind::File(file) => Err(made_by(file.name())),
            Kind::Made(name) => Err(made_by(name)),
        }
    }

    /// What its codes mean.
    ///
    /// # Errors
    /// As [`OutputColor::named`]: a recipe may come from somewhere else.
    pub fn meaning(&self) -> Outcome<Meaning> {
        match &self.0 {
            Kind::Named(name) => name::resolve(name)
                .map(|named| named.meaning())
                .map_err(|fault| fault.within("color_out")),
            Kind::File(_) | Kind::Made(_) => Ok(meaning::OF_FILE),
        }
    }
}

fn made_by(name: &str) -> Fault {
    Fault::new(Code::NoWayBack, format!("what '{name}' made of ACES2065-1 cannot be undone"))
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
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct ColorFile {
    /// Where it is.
    pub path: String,
    /// SHA-256 of its bytes, 64 hexadecimal digits.
    pub sha256: String,
    /// Which correction of a collection is meant.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
}

impl ColorFile {
    /// Its name without directories.
    #[must_use]
    pub fn name(&self) -> &str {
        self.path.rsplit(['/', '\\']).next().unwrap_or(&self.path)
    }
}

impl ColorStep {
    /// Whether it leaves everything as it is: pixels that are ACES2065-1 already.
    #[must_use]
    pub fn changes_nothing(&self) -> bool {
        matches!(self, Self::ToAces(name) | Self::FromAces(name) if name == ACES)
    }

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
        match self {
            Self::ToAces(text) => write!(f, "{text} to {ACES}"),
            Self::FromAces(text) => write!(f, "{ACES} to {text}"),
            Self::Look(text) => write!(f, "{text}"),
            Self::Cdl(cdl) => write!(f, "CDL {cdl}"),
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

    #[test]
    fn a_colour_has_one_name_and_reads_as_it_was_written() {
        let rec709 = OutputColor::named("urn:ampas:aces:transformId:v2.0:Output.Academy.Rec709-D65_100nit_in_Rec709-D65_BT1886.a2.v1").unwrap();
        assert_eq!(rec709.name(), "Rec709-D65_100nit_in_Rec709-D65_BT1886");
        let view = "Rec.1886 Rec.709 - Display/ACES 2.0 - SDR 100 nits (Rec.709)";
        assert_eq!(OutputColor::named(view).unwrap(), rec709);
        assert_eq!(OutputColor::named("aces").unwrap(), OutputColor::default());
        assert_eq!(OutputColor::named("acescg").unwrap().name(), "ACEScg");
        let old: OutputColor = serde_json::from_str("\"ACES2065-1\"").unwrap();
        let none = |_: &ColorFile| -> Outcome<Chain> { panic!("there is no file") };
        assert!(old.is_aces() && old.chain(&none).unwrap().0.is_empty());
        assert_eq!(serde_json::to_string(&rec709).unwrap(), format!("{:?}", rec709.name()));
        assert_eq!(OutputColor::named("Rec.907").unwrap_err().code, Code::UnknownTransform);
        assert_eq!(OutputColor::named("ocio:adx10_apd_scene").unwrap().name(), "ADX10");
        assert!(OutputColor::named(DEFAULT_VIEW).unwrap().meaning().unwrap().display);
        assert_eq!(OutputColor::named("arri_logc3_ei400").unwrap().name(), "ARRI LogC3 (EI400)");
    }

    #[test]
    fn a_file_makes_codes_that_are_never_taken_for_light() {
        let file = ColorFile { path: "/l/show.cube".into(), sha256: "00".into(), id: None };
        let color = OutputColor::by_file(file.clone());
        let json = r#"{"path":"/l/show.cube","sha256":"00"}"#;
        assert_eq!(serde_json::to_string(&color).unwrap(), json);
        assert_eq!(serde_json::from_str::<OutputColor>(json).unwrap(), color);
        assert_eq!((color.name(), color.file()), ("show.cube", Some(&file)));
        let read = |_: &ColorFile| Ok(Chain(vec![]));
        assert!(color.chain(&read).unwrap().0.is_empty());
        // A header has the name alone.
        for color in [color, OutputColor::recorded("show.cube")] {
            let meaning = color.meaning().unwrap();
            assert!(meaning.display && !meaning.linear && meaning.chromaticities.is_none());
            assert!(!color.is_aces());
            assert_eq!(color.to_aces().unwrap_err().code, Code::NoWayBack);
        }
        assert_eq!(OutputColor::recorded("acescg").name(), "ACEScg");
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
