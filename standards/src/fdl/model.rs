//! The document as values. Keys that begin with `_` belong to whoever wrote
//! them; they are kept untouched in `extra` at every level, in their order.

use serde::Serialize;
use serde_json::{Map, Value};

/// Keys that begin with `_`, as they were written.
pub type Extra = Map<String, Value>;

/// Major and minor number of the schema. Version 2.0.1 of the text is written 2.0.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Version {
    /// Major number.
    pub major: u32,
    /// Minor number.
    pub minor: u32,
}

impl Version {
    /// The version that is written.
    pub const WRITTEN: Self = Self { major: 2, minor: 0 };
    /// The versions that are read.
    pub const READ: &[Self] = &[
        Self { major: 0, minor: 1 },
        Self { major: 1, minor: 0 },
        Self { major: 1, minor: 1 },
        Self::WRITTEN,
    ];
}

/// A size in whole pixels.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct WholeSize {
    /// Columns.
    pub width: u32,
    /// Rows.
    pub height: u32,
}

impl From<WholeSize> for [f64; 2] {
    fn from(size: WholeSize) -> Self {
        [f64::from(size.width), f64::from(size.height)]
    }
}

/// A size that need not be whole: pixels of a canvas, or millimetres.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Size {
    /// Along x.
    pub width: f64,
    /// Along y.
    pub height: f64,
}

impl From<Size> for [f64; 2] {
    fn from(size: Size) -> Self {
        [size.width, size.height]
    }
}

impl From<[f64; 2]> for Size {
    fn from([width, height]: [f64; 2]) -> Self {
        Self { width, height }
    }
}

/// A place in a canvas: origin top left, x to the right, y down, in its pixels.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Point {
    /// To the right.
    pub x: f64,
    /// Down.
    pub y: f64,
}

impl From<Point> for [f64; 2] {
    fn from(point: Point) -> Self {
        [point.x, point.y]
    }
}

impl From<[f64; 2]> for Point {
    fn from([x, y]: [f64; 2]) -> Self {
        Self { x, y }
    }
}

/// The document.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Fdl {
    /// Id of the document; its form is not enforced.
    pub uuid: String,
    /// Schema version that is written.
    pub version: Version,
    /// Who made the document.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fdl_creator: Option<String>,
    /// Intent to take where none is named.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub default_framing_intent: Option<String>,
    /// Aspects that were meant.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub framing_intents: Vec<FramingIntent>,
    /// Groups of rasters.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub contexts: Vec<Context>,
    /// Ways to make new rasters.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub canvas_templates: Vec<CanvasTemplate>,
    /// Foreign keys.
    #[serde(flatten)]
    pub extra: Extra,
}

/// An aspect with its protection, free of pixels.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct FramingIntent {
    /// Label for people.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub label: Option<String>,
    /// Id.
    pub id: String,
    /// Aspect ratio as two whole numbers.
    pub aspect_ratio: WholeSize,
    /// Share of the protected frame that is protection, 0 to 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub protection: Option<f64>,
    /// Foreign keys.
    #[serde(flatten)]
    pub extra: Extra,
}

/// Rasters that belong together: a camera mode and what is made from it.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Context {
    /// Label for people; may repeat.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub label: Option<String>,
    /// Who made the context.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub context_creator: Option<String>,
    /// The clip that it was made for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub clip_id: Option<ClipId>,
    /// Its rasters.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub canvases: Vec<Canvas>,
    /// Foreign keys.
    #[serde(flatten)]
    pub extra: Extra,
}

/// Names a clip, and its file or its sequence.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ClipId {
    /// Name of the clip.
    pub clip_name: String,
    /// The file, when it is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub file: Option<String>,
    /// The sequence, when it is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sequence: Option<Sequence>,
    /// Foreign keys.
    #[serde(flatten)]
    pub extra: Extra,
}

/// A frame sequence by a name with a run of a placeholder character.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Sequence {
    /// `clip.####.exr`
    pub value: String,
    /// The placeholder, one character.
    pub idx: String,
    /// First frame number.
    pub min: u64,
    /// Last frame number.
    pub max: u64,
    /// Foreign keys.
    #[serde(flatten)]
    pub extra: Extra,
}

/// One raster.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Canvas {
    /// Label for people.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub label: Option<String>,
    /// Id, unique in the document.
    pub id: String,
    /// The raster that it was made from; its own id for a root.
    pub source_canvas_id: String,
    /// Size in pixels.
    pub dimensions: WholeSize,
    /// The part that holds picture.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub effective_dimensions: Option<WholeSize>,
    /// Where that part begins.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub effective_anchor_point: Option<Point>,
    /// Photosites of the sensor mode; informative.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub photosite_dimensions: Option<WholeSize>,
    /// Sensor size in millimetres; informative.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub physical_dimensions: Option<Size>,
    /// Factor that stretches x for viewing; 1 when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub anamorphic_squeeze: Option<f64>,
    /// Intents placed in this raster.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub framing_decisions: Vec<FramingDecision>,
    /// Foreign keys.
    #[serde(flatten)]
    pub extra: Extra,
}

/// An intent placed in a raster.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct FramingDecision {
    /// Label for people.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub label: Option<String>,
    /// `<canvas id>-<intent id>`
    pub id: String,
    /// The intent.
    pub framing_intent_id: String,
    /// Size of the frame.
    pub dimensions: Size,
    /// Where it begins.
    pub anchor_point: Point,
    /// Size of the frame with its protection.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub protection_dimensions: Option<Size>,
    /// Where that begins.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub protection_anchor_point: Option<Point>,
    /// Foreign keys.
    #[serde(flatten)]
    pub extra: Extra,
}

/// A part of a raster that a template may name, from the outside in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub enum Layer {
    /// The whole raster.
    #[serde(rename = "canvas.dimensions")]
    Canvas,
    /// The part that holds picture.
    #[serde(rename = "canvas.effective_dimensions")]
    Effective,
    /// The frame with its protection.
    #[serde(rename = "framing_decision.protection_dimensions")]
    Protection,
    /// The frame.
    #[serde(rename = "framing_decision.dimensions")]
    Framing,
}

impl Layer {
    /// From the outside in.
    pub const ALL: [Self; 4] = [Self::Canvas, Self::Effective, Self::Protection, Self::Framing];

    /// Its name in documents.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Canvas => "canvas.dimensions",
            Self::Effective => "canvas.effective_dimensions",
            Self::Protection => "framing_decision.protection_dimensions",
            Self::Framing => "framing_decision.dimensions",
        }
    }
}

/// What of the target the fitted part must meet.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum FitMethod {
    /// Its width.
    Width,
    /// Its height.
    Height,
    /// Whichever is met first: all of the part is inside.
    FitAll,
    /// Whichever is met last: all of the target is covered.
    Fill,
}

/// Where the fitted part lies across.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Horizontal {
    /// At the left.
    Left,
    /// In the middle.
    #[default]
    Center,
    /// At the right.
    Right,
}

/// Where the fitted part lies down.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Vertical {
    /// At the top.
    Top,
    /// In the middle.
    #[default]
    Center,
    /// At the bottom.
    Bottom,
}

/// Whether a rounded size must be even.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Even {
    /// Any whole number.
    Whole,
    /// An even number.
    Even,
}

/// Which way a size is rounded.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum RoundMode {
    /// To the larger.
    Up,
    /// To the smaller.
    Down,
    /// To the nearer; see [`Rounding::round`] for ties.
    Round,
}

/// How the delivered raster's size becomes whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Rounding {
    /// Whole or even.
    pub even: Even,
    /// Which way.
    pub mode: RoundMode,
}

/// A way to make a new raster from an old one.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct CanvasTemplate {
    /// Label for people.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub label: Option<String>,
    /// Id.
    pub id: String,
    /// Size to meet; 0 on an axis that does not matter (specification 7.4.5).
    pub target_dimensions: WholeSize,
    /// Squeeze of the new raster; 0 keeps the source's.
    pub target_anamorphic_squeeze: f64,
    /// The part of the source that meets the target.
    pub fit_source: Layer,
    /// How it meets it.
    pub fit_method: FitMethod,
    /// Where it lies across.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub alignment_method_horizontal: Option<Horizontal>,
    /// Where it lies down.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub alignment_method_vertical: Option<Vertical>,
    /// The part around it that comes along at the same scale.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub preserve_from_source_canvas: Option<Layer>,
    /// Size that is not exceeded: what is beyond is cropped, never scaled.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub maximum_dimensions: Option<WholeSize>,
    /// Whether the raster is filled up to the maximum.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pad_to_maximum: Option<bool>,
    /// How the size becomes whole.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub round: Option<Rounding>,
    /// Foreign keys.
    #[serde(flatten)]
    pub extra: Extra,
}
