//! Which template, canvas and framing decision are meant, when not all are
//! named. Nothing is guessed: where two would do, the choices are listed.

use super::apply::{Media, Request};
use super::model::{Canvas, CanvasTemplate, Context, Fdl, FramingDecision};
use platefarm_model::{Code, Fault, Outcome};

/// What a request means in a document.
#[derive(Clone, Copy, Debug)]
pub(super) struct Selected<'a> {
    pub(super) template: &'a CanvasTemplate,
    pub(super) context: &'a Context,
    pub(super) canvas: &'a Canvas,
    pub(super) decision: &'a FramingDecision,
}

impl Fdl {
    /// Every canvas with the context that it stands in.
    pub fn canvases(&self) -> impl Iterator<Item = (&Context, &Canvas)> {
        self.contexts
            .iter()
            .flat_map(|context| context.canvases.iter().map(move |canvas| (context, canvas)))
    }
}

pub(super) fn select<'a>(
    fdl: &'a Fdl,
    request: &Request<'_>,
    media: Option<&Media<'_>>,
) -> Outcome<Selected<'a>> {
    let template = template(fdl, request.template)?;
    let (context, canvas) = canvas(fdl, request, media)?;
    let decision = decision(fdl, canvas, request)?;
    Ok(Selected { template, context, canvas, decision })
}

fn not_found(what: &str, id: &str, place: &str, there: Vec<String>) -> Fault {
    let listed = match there.len() {
        0 => "there is none".to_owned(),
        _ => format!("there is {}", there.join(", ")),
    };
    Fault::new(Code::FdlIdNotFound, format!("no {what} '{id}'; {listed}")).at(place)
}

fn template<'a>(fdl: &'a Fdl, id: &str) -> Outcome<&'a CanvasTemplate> {
    fdl.canvas_templates.iter().find(|template| template.id == id).ok_or_else(|| {
        let there = fdl.canvas_templates.iter().map(|t| t.id.clone()).collect();
        not_found("canvas template", id, "/canvas_templates", there)
    })
}

fn described(context: &Context, canvas: &Canvas) -> String {
    let size = canvas.dimensions;
    let label = context.label.as_deref().unwrap_or("no label");
    format!("'{}' ({} by {}, context '{label}')", canvas.id, size.width, size.height)
}

type Place<'a> = (&'a Context, &'a Canvas);

fn canvas<'a>(
    fdl: &'a Fdl,
    request: &Request<'_>,
    media: Option<&Media<'_>>,
) -> Outcome<Place<'a>> {
    if let Some(label) = request.context
        && !fdl.contexts.iter().any(|context| context.label.as_deref() == Some(label))
    {
        let labels = fdl.contexts.iter().filter_map(|context| context.label.clone()).collect();
        return Err(not_found("context", label, "/contexts", labels));
    }
    let mut candidates: Vec<_> = fdl
        .canvases()
        .filter(|(context, _)| request.context.is_none_or(|l| context.label.as_deref() == Some(l)))
        .collect();
    if let Some(id) = request.canvas {
        let found = candidates.iter().find(|(_, canvas)| canvas.id == id).copied();
        return found.ok_or_else(|| not_found("canvas", id, "/contexts", listed(&candidates)));
    }
    // A decision stands on one canvas, so its id names that as well.
    if let Some(id) = request.framing_decision {
        prefer(&mut candidates, |(_, canvas)| canvas.framing_decisions.iter().any(|d| d.id == id));
    }
    match media {
        Some(media) => canvas_of(candidates, request, media),
        None => {
            prefer_framed(&mut candidates, request);
            only(&candidates, || "several canvases could be meant".to_owned())
        }
    }
}

/// The canvas that is meant for a clip: of its size, and made for it where that is said.
fn canvas_of<'a>(
    candidates: Vec<Place<'a>>,
    request: &Request<'_>,
    media: &Media<'_>,
) -> Outcome<Place<'a>> {
    let [width, height] = media.size;
    let there = listed(&candidates);
    let mut fitting = candidates;
    fitting.retain(|(_, c)| [c.dimensions.width, c.dimensions.height] == media.size);
    if fitting.is_empty() {
        let message = format!("no canvas is {width} by {height}, the size of the media");
        return Err(Fault::new(Code::FdlCanvasMismatch, message).at("/contexts").remedy(format!(
            "Use the FDL made for this sensor mode; this one has {}.",
            there.join(", ")
        )));
    }
    prefer_framed(&mut fitting, request);
    prefer(&mut fitting, |(context, _)| {
        let clip = context.clip_id.as_ref().map(|clip| clip.clip_name.as_str());
        clip.is_some() && clip == media.clip_name
    });
    prefer(&mut fitting, |(context, _)| context.clip_id.is_none());
    only(&fitting, || {
        format!("{} canvases are {width} by {height}, the size of the media", fitting.len())
    })
}

fn listed(places: &[Place<'_>]) -> Vec<String> {
    places.iter().map(|(context, canvas)| described(context, canvas)).collect()
}

/// Rasters without a decision are ancestors and informative copies.
fn prefer_framed(candidates: &mut Vec<Place<'_>>, request: &Request<'_>) {
    prefer(candidates, |(_, canvas)| !canvas.framing_decisions.is_empty());
    if let Some(intent) = request.intent {
        prefer(candidates, |(_, canvas)| {
            canvas.framing_decisions.iter().any(|d| d.framing_intent_id == intent)
        });
    }
}

fn only<'a>(places: &[Place<'a>], says: impl Fn() -> String) -> Outcome<Place<'a>> {
    let fault = |message| Fault::new(Code::FdlIdNotFound, message).at("/contexts");
    match places {
        [only] => Ok(*only),
        [] => Err(fault("there is no canvas".into())),
        _ => {
            let message = format!("{}: {}", says(), listed(places).join(", "));
            Err(fault(message).remedy("Name the canvas."))
        }
    }
}

/// Keeps those that `better` holds for, if there are any.
fn prefer<T>(candidates: &mut Vec<T>, better: impl Fn(&T) -> bool) {
    if candidates.iter().any(&better) {
        candidates.retain(better);
    }
}

fn decision<'a>(
    fdl: &Fdl,
    canvas: &'a Canvas,
    request: &Request<'_>,
) -> Outcome<&'a FramingDecision> {
    let decisions = &canvas.framing_decisions;
    let there = || decisions.iter().map(|d| format!("'{}'", d.id)).collect::<Vec<_>>();
    let place = format!("canvas '{}'", canvas.id);
    if let Some(id) = request.framing_decision {
        return decisions
            .iter()
            .find(|decision| decision.id == id)
            .ok_or_else(|| not_found("framing decision", id, &place, there()));
    }
    if let Some(id) = request.intent {
        let found = decisions.iter().find(|decision| decision.framing_intent_id == id);
        let what = "framing decision of intent";
        return found.ok_or_else(|| not_found(what, id, &place, there()));
    }
    let default = fdl.default_framing_intent.as_deref();
    let of_default = decisions.iter().find(|d| Some(d.framing_intent_id.as_str()) == default);
    match (of_default, &decisions[..]) {
        (Some(decision), _) | (None, [decision]) => Ok(decision),
        (None, []) => {
            let message = format!("canvas '{}' has no framing decision", canvas.id);
            Err(Fault::new(Code::FdlIdNotFound, message).at(place).remedy("Name another canvas."))
        }
        (None, _) => {
            let message = format!(
                "canvas '{}' has several framing decisions and none is of the default intent: {}",
                canvas.id,
                there().join(", ")
            );
            Err(Fault::new(Code::FdlIdNotFound, message)
                .at(place)
                .remedy("Name the framing decision or its intent."))
        }
    }
}
