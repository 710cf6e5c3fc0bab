//! The full source in a delivery container, for pulls without an FDL; and the
//! rule that no plate is larger than its source unless somebody asked for it.
//! Both are the arithmetic of templates, so that no second way of scaling a
//! picture grows beside it.

use super::apply::Applied;
use super::geometry::{self, Dialect, Geometry, Snap};
use super::model::{
    Canvas, CanvasTemplate, Extra, FitMethod, FramingDecision, Layer, Point, Rounding, WholeSize,
};
use platefarm_model::recipe::Framing;
use platefarm_model::{Code, Fault, Outcome};

/// The whole picture of a source of `size` pixels with a pixel aspect, fitted
/// into a container of square pixels and padded with black: what is done to
/// its pixels, and the numbers behind it.
///
/// # Errors
/// [`Code::FdlRejected`] when no picture would be left.
pub fn contained(
    size: [u32; 2],
    pixel_aspect: f64,
    container: [u32; 2],
) -> Outcome<(Geometry, Framing)> {
    let whole = |[width, height]: [u32; 2]| WholeSize { width, height };
    let decision = FramingDecision {
        label: None,
        id: "source-full".into(),
        framing_intent_id: "full".into(),
        dimensions: size.map(f64::from).into(),
        anchor_point: Point { x: 0.0, y: 0.0 },
        protection_dimensions: None,
        protection_anchor_point: None,
        extra: Extra::new(),
    };
    let canvas = Canvas {
        label: None,
        id: "source".into(),
        source_canvas_id: "source".into(),
        dimensions: whole(size),
        effective_dimensions: None,
        effective_anchor_point: None,
        photosite_dimensions: None,
        physical_dimensions: None,
        anamorphic_squeeze: Some(pixel_aspect),
        framing_decisions: Vec::new(),
        extra: Extra::new(),
    };
    let template = CanvasTemplate {
        label: None,
        id: "container".into(),
        target_dimensions: whole(container),
        target_anamorphic_squeeze: 1.0,
        fit_source: Layer::Canvas,
        fit_method: FitMethod::FitAll,
        alignment_method_horizontal: None,
        alignment_method_vertical: None,
        preserve_from_source_canvas: None,
        maximum_dimensions: Some(whole(container)),
        pad_to_maximum: Some(true),
        // The container is whole as it is, odd sides too.
        round: Some(Rounding::DEFAULT_V1_0_2),
        extra: Extra::new(),
    };
    let geometry = geometry::apply(&template, &canvas, &decision, Dialect::Main, Snap::Near)?;
    let framing = geometry.framing(size).ok_or_else(|| {
        let [w, h] = container;
        Fault::new(Code::FdlRejected, format!("no picture is left in a container of {w} by {h}"))
    })?;
    Ok((geometry, framing))
}

impl Applied {
    /// What to say when the plate is larger than its source; see [`enlarged`].
    ///
    /// # Errors
    /// [`Code::Upres`] when that was not asked for.
    pub fn enlarged(&self, allowed: bool) -> Outcome<Option<Fault>> {
        let what = format!("canvas template '{}'", self.template);
        enlarged(&what, &self.geometry, self.framing.source_size, allowed)
    }
}

/// What to say when `what` enlarges a source of `size`, which a plate does not
/// do by itself. Stretching by the squeeze of the lens is no enlargement: it is
/// the scale of the rows that counts.
///
/// # Errors
/// [`Code::Upres`] with both sizes when that was not asked for.
pub fn enlarged(
    what: &str,
    geometry: &Geometry,
    size: [u32; 2],
    allowed: bool,
) -> Outcome<Option<Fault>> {
    let factor = geometry.scale_factor;
    if factor <= 1.0 + 1e-9 {
        return Ok(None);
    }
    let [width, height] = size.map(f64::from);
    let across = factor * geometry.source_squeeze / geometry.anamorphic_squeeze;
    let message = format!(
        "{what} enlarges the picture {factor:.3} times, from {width} by {height} pixels to {:.1} by {:.1}",
        width * across,
        height * factor
    );
    let fault = Fault::new(Code::Upres, message);
    if allowed {
        return Ok(Some(fault.remedy("Nothing: it was asked for with --allow-upres.")));
    }
    Err(fault)
}
