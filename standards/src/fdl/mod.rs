//! ASC FDL, the Framing Decision List: which part of a sensor's picture is
//! meant, and how a template turns it into a delivered raster.
//!
//! Reading is lenient about what older and foreign writers are known to do
//! (versions 0.1 to 2.0.1); writing is strict version 2.0.1. The arithmetic of
//! a template is in [`geometry`], apart from the document, because it is pure
//! numbers with an operation order that must be kept.
//!
//! Source: ASC FDL Specification 2.0.1 (28 February 2026), and the observed
//! behaviour of the Committee's library where the text leaves room.

mod apply;
mod camera;
mod check;
mod frame;
pub mod geometry;
mod intent;
mod json;
mod model;
mod output;
mod read;
mod report;
mod round;
mod select;

pub use apply::{Applied, Media, Request};
pub use camera::FromCameras;
pub use frame::{Framed, Scaling, frame};
pub use geometry::{Dialect, Geometry, Snap};
pub use intent::Draft;
pub use model::{
    Canvas, CanvasTemplate, ClipId, Context, Even, Extra, Fdl, FitMethod, FramingDecision,
    FramingIntent, Horizontal, Layer, Point, RoundMode, Rounding, Sequence, Size, Version,
    Vertical, WholeSize,
};
pub use read::Reading;

use platefarm_model::{Code, Fault, Outcome};

impl Fdl {
    /// Reads a document and says everything that is wrong or doubtful in it.
    /// [`Reading::fdl`] is there when nothing is wrong.
    #[must_use]
    pub fn read(bytes: &[u8]) -> Reading {
        let mut reading = read::read(bytes);
        if let Some(fdl) = &reading.fdl {
            check::check(fdl, &mut reading.errors, &mut reading.warnings);
        }
        if !reading.errors.is_empty() {
            reading.fdl = None;
        }
        reading
    }

    /// Reads a document.
    ///
    /// # Errors
    /// [`Code::BadFdl`] with the first thing that is wrong and its JSON
    /// pointer; the cause lists the others.
    pub fn parse(bytes: &[u8]) -> Outcome<Self> {
        let Reading { fdl, errors, .. } = Self::read(bytes);
        match fdl {
            Some(fdl) => Ok(fdl),
            None => Err(read::summed_up(errors)),
        }
    }

    /// The document as JSON text, strictly by the schema of version 2.0.1, a
    /// newline at its end.
    ///
    /// # Errors
    /// [`Code::BadFdl`] when a number in it is not finite.
    pub fn to_json(&self) -> Outcome<String> {
        let mut text = serde_json::to_string_pretty(self).map_err(|error| {
            Fault::new(Code::BadFdl, "the framing decision list cannot be written").because(&error)
        })?;
        text.push('\n');
        Ok(text)
    }
}
