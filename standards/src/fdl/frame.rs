//! How a plate is framed, with an FDL and without: the one rule for a single
//! render and for a pull of hundreds.
//!
//! Without an FDL the full source is delivered, in a container where one is
//! given; that is the arithmetic of templates too, so that no second way of
//! scaling a picture grows beside it. No plate is larger than its source
//! unless somebody asked for it.

use super::apply::{Applied, Media, Request};
use super::geometry::{self, Dialect, Geometry, Snap};
use super::model::{
    Canvas, CanvasTemplate, Extra, Fdl, FitMethod, FramingDecision, Layer, Point, Rounding,
    WholeSize,
};
use platefarm_model::recipe::{Filter, Framing};
use platefarm_model::{Code, Fault, Outcome};

/// Wishes about the size of a plate and the way to it, beside the FDL's.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Scaling {
    /// Without an FDL: columns and rows that the full source is fitted into; `None` keeps its size.
    pub container: Option<[u32; 2]>,
    /// Whether a plate may be larger than its source.
    pub allow_upres: bool,
    /// Filter; `None` chooses by the scale.
    pub filter: Option<Filter>,
    /// Whether ringing is held back.
    pub antiring: bool,
}

impl Scaling {
    /// What a missing FDL means.
    #[must_use]
    pub fn unframed(&self) -> Fault {
        let how = match self.container {
            Some([width, height]) => format!("scaled to fit into {width} by {height}"),
            None => "without scaling".to_owned(),
        };
        Fault::new(Code::NoFraming, format!("no FDL: the full source is delivered, {how}"))
    }
}

/// How one clip is framed.
#[derive(Clone, Debug, PartialEq)]
pub struct Framed {
    /// Size of the plate.
    pub size: [u32; 2],
    /// What is done to the pixels; `None` leaves them as they are.
    pub framing: Option<Framing>,
    /// What came of the FDL, where there is one.
    pub applied: Option<Box<Applied>>,
    /// What was assumed.
    pub notes: Vec<Fault>,
}

/// Frames a clip: by the FDL and what is asked of it, or its full source.
///
/// # Errors
/// As [`Fdl::apply`]; [`Code::Upres`] when the plate would be larger than its
/// source and that was not asked for.
pub fn frame(
    fdl: Option<(&Fdl, &Request<'_>)>,
    scaling: &Scaling,
    media: &Media<'_>,
) -> Outcome<Framed> {
    let mut framed = Framed { size: media.size, framing: None, applied: None, notes: Vec::new() };
    if let Some((fdl, request)) = fdl {
        let mut applied = fdl.apply(request, media)?;
        framed.notes.append(&mut applied.notes);
        let what = format!("canvas template '{}'", applied.template);
        framed.notes.extend(enlarged(&what, &applied.geometry, media.size, scaling.allow_upres)?);
        framed.framing = Some(applied.framing.clone());
        framed.applied = Some(Box::new(applied));
    } else if let Some(container) = scaling.container {
        let aspect = media.pixel_aspect.unwrap_or(1.0);
        let (geometry, framing) = contained(media.size, aspect, container)?;
        let what = format!("a container of {} by {}", container[0], container[1]);
        framed.notes.extend(enlarged(&what, &geometry, media.size, scaling.allow_upres)?);
        framed.framing = Some(framing);
    }
    if let Some(framing) = &mut framed.framing {
        framing.filter = scaling.filter;
        framing.antiring = scaling.antiring;
        framed.size = framing.size;
    }
    Ok(framed)
}

/// The whole picture of a source of `size` pixels with a pixel aspect, fitted
/// into a container of square pixels and padded with black: what is done to
/// its pixels, and the numbers behind it.
fn contained(
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

/// What to say when `what` enlarges a source of `size`, which a plate does not
/// do by itself. Stretching by the squeeze of the lens is no enlargement: it is
/// the scale of the rows that counts. An error with both sizes when it was not
/// asked for.
fn enlarged(
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
