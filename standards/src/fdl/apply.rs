//! From a document and a clip's size to what is done to its pixels.

use super::geometry::{self, Dialect, Geometry, Snap};
use super::model::{Fdl, Rounding};
use super::output;
use super::select::{Selected, select};
use platefarm_model::recipe::Framing;
use platefarm_model::{Code, Fault, Outcome};

/// What is asked of a document.
#[derive(Clone, Copy, Debug, Default)]
pub struct Request<'a> {
    /// Id of the canvas template.
    pub template: &'a str,
    /// Label of the context; `None` looks in all.
    pub context: Option<&'a str>,
    /// Id of the canvas; `None` takes the one of the media's size, or the only one.
    pub canvas: Option<&'a str>,
    /// Id of the framing decision; `None` takes the one of the intent, or the only one.
    pub framing_decision: Option<&'a str>,
    /// Id of the framing intent whose decision is meant; `None` takes the default intent.
    pub intent: Option<&'a str>,
    /// Which official behaviour.
    pub dialect: Dialect,
    /// Whether sizes are freed of the arithmetic's noise before they are rounded.
    pub snap: Snap,
    /// UUID of the document that is made.
    pub document_uuid: &'a str,
}

/// The clip that it is asked for.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Media<'a> {
    /// Delivered columns and rows.
    pub size: [u32; 2],
    /// Width of a pixel over its height, where the file says it.
    pub pixel_aspect: Option<f64>,
    /// Name of the clip: chooses between canvases that are made for different clips.
    pub clip_name: Option<&'a str>,
}

/// What a template makes of a clip.
#[derive(Clone, Debug, PartialEq)]
pub struct Applied {
    /// Id of the template.
    pub template: String,
    /// Id of the source canvas.
    pub canvas: String,
    /// Id of the framing decision.
    pub framing_decision: String,
    /// Id of the new canvas in [`Self::document`].
    pub new_canvas: String,
    /// The numbers.
    pub geometry: Geometry,
    /// What is done to the pixels.
    pub framing: Framing,
    /// The source canvas with its ancestors, and the new canvas, as a document of their own.
    pub document: Fdl,
    /// What was assumed.
    pub notes: Vec<Fault>,
}

impl Fdl {
    /// Applies a canvas template to a clip.
    ///
    /// # Errors
    /// [`Code::FdlIdNotFound`] with the ids that exist, or with the choices
    /// where the document leaves several; [`Code::FdlCanvasMismatch`] when the
    /// canvas is not the size of the media; [`Code::FdlRejected`] when the
    /// template cannot be applied.
    pub fn apply(&self, request: &Request<'_>, media: &Media<'_>) -> Outcome<Applied> {
        let selected = select(self, request, Some(media))?;
        let canvas = selected.canvas;
        let have = [canvas.dimensions.width, canvas.dimensions.height];
        if have != media.size {
            let message = format!(
                "canvas '{}' is {} by {}, the media is {} by {}",
                canvas.id, have[0], have[1], media.size[0], media.size[1]
            );
            return Err(Fault::new(Code::FdlCanvasMismatch, message));
        }
        self.applied(request, &selected, media)
    }

    /// Applies a canvas template to a canvas of the document, with no clip to
    /// hold against it. Without an id it is the only canvas with a decision.
    ///
    /// # Errors
    /// As [`Self::apply`], but for the size of the media.
    pub fn apply_to_canvas(&self, request: &Request<'_>) -> Outcome<Applied> {
        let selected = select(self, request, None)?;
        let size = selected.canvas.dimensions;
        let media = Media { size: [size.width, size.height], pixel_aspect: None, clip_name: None };
        self.applied(request, &selected, &media)
    }

    fn applied(
        &self,
        request: &Request<'_>,
        selected: &Selected<'_>,
        media: &Media<'_>,
    ) -> Outcome<Applied> {
        let Selected { template, canvas, decision, .. } = *selected;
        let geometry = geometry::apply(template, canvas, decision, request.dialect, request.snap)?;
        let framing = geometry.framing(media.size).ok_or_else(|| {
            let message =
                format!("canvas template '{}': no part of the picture is left", template.id);
            Fault::new(Code::FdlRejected, message)
        })?;
        let (document, new_canvas) = output::document(self, selected, &geometry, request);
        Ok(Applied {
            template: template.id.clone(),
            canvas: canvas.id.clone(),
            framing_decision: decision.id.clone(),
            new_canvas,
            notes: notes(selected, &geometry, media),
            geometry,
            framing,
            document,
        })
    }
}

fn notes(selected: &Selected<'_>, geometry: &Geometry, media: &Media<'_>) -> Vec<Fault> {
    let mut notes = Vec::new();
    let Selected { template, canvas, .. } = selected;
    if template.round.is_none() {
        let message = format!(
            "canvas template '{}' does not say how to round; {} is taken (the specification has \
             even and up, the released library 1.0.2 whole and nearest)",
            template.id,
            match geometry.rounding {
                Rounding::DEFAULT => "even and up",
                _ => "whole and nearest",
            }
        );
        notes.push(Fault::new(Code::BadFdl, message).remedy("Write 'round' in the template."));
    }
    if let Some(aspect) = media.pixel_aspect
        && (aspect - geometry.source_squeeze).abs() > 1e-3
    {
        let message = format!(
            "the media's pixel aspect is {aspect}, canvas '{}' has an anamorphic squeeze of {}; \
             the canvas is followed",
            canvas.id, geometry.source_squeeze
        );
        notes.push(
            Fault::new(Code::FdlCanvasMismatch, message)
                .remedy("Correct the squeeze in the FDL if the file is right."),
        );
    }
    notes
}

impl Geometry {
    /// What is done to the pixels of a source of this size; `None` when no
    /// pixel of it is left, or when parts that lie outside of their canvas
    /// leave no finite map.
    ///
    /// The forward map is `new = s * (source - A) + T` with the source anchor
    /// A and the content translation T, one resample, never a crop before it.
    #[must_use]
    pub fn framing(&self, source_size: [u32; 2]) -> Option<Framing> {
        let squeeze = [self.source_squeeze / self.anamorphic_squeeze, 1.0];
        let shift = self.content_translation;
        let scale = squeeze.map(|s| clean(self.scale_factor * s));
        let offset = [0, 1].map(|i| clean(shift[i] - scale[i] * self.source_anchor[i]));
        if !scale.iter().chain(&offset).all(|v| v.is_finite()) {
            return None;
        }
        let begin = |i: usize| Snap::Near.of(shift[i]).floor().max(0.0) as u32;
        let end = |i: usize| {
            let end = Snap::Near.of(shift[i] + self.scaled_bounding_box[i]).ceil();
            (end.max(0.0) as u32).min(self.canvas_dimensions[i])
        };
        let content = [begin(0), begin(1), end(0), end(1)];
        (content[0] < content[2] && content[1] < content[3]).then_some(Framing {
            source_size,
            size: self.canvas_dimensions,
            scale,
            offset,
            content,
            pixel_aspect: self.anamorphic_squeeze,
            filter: None,
            antiring: false,
        })
    }
}

/// A whole number that carries only noise of the arithmetic becomes itself, so
/// that a placement without scaling is known as the bit-exact copy it is. A
/// part in 1e9 of a pixel is far below what any filter resolves.
pub(super) fn clean(value: f64) -> f64 {
    let whole = value.round();
    if (value - whole).abs() < 1e-9 { whole } else { value }
}
