//! The document that goes with what was delivered.
//!
//! Unlike the Committee's library it copies the source canvas verbatim with
//! all its ancestors (so that the result can be the source of the next step),
//! and keeps the clip and the foreign keys.

use super::apply::{Applied, Request, clean};
use super::geometry::Geometry;
use super::json::is_id;
use super::model::{Canvas, Context, Extra, Fdl, FramingDecision, Point, Size, Version, WholeSize};
use super::select::Selected;
use serde_json::json;
use std::collections::HashSet;

/// The document, and the id of the new canvas in it.
pub(super) fn document(
    fdl: &Fdl,
    selected: &Selected<'_>,
    geometry: &Geometry,
    request: &Request<'_>,
) -> (Fdl, String) {
    let Selected { template, context, canvas, .. } = *selected;
    let new = new_canvas(fdl, selected, geometry);
    let id = new.id.clone();
    let mut canvases: Vec<Canvas> = lineage(fdl, canvas);
    canvases.push(new);
    let mut written_template = template.clone();
    // What was open in the template is written as it was resolved.
    written_template.target_anamorphic_squeeze = geometry.anamorphic_squeeze;
    written_template.round = Some(geometry.rounding);
    let document = Fdl {
        uuid: request.document_uuid.to_owned(),
        version: Version::WRITTEN,
        fdl_creator: Some(concat!("platefarm ", env!("CARGO_PKG_VERSION")).to_owned()),
        default_framing_intent: fdl.default_framing_intent.clone(),
        framing_intents: fdl.framing_intents.clone(),
        contexts: vec![Context {
            label: template
                .label
                .clone()
                .filter(|l| !l.is_empty())
                .or_else(|| context.label.clone()),
            context_creator: context.context_creator.clone(),
            clip_id: context.clip_id.clone(),
            canvases,
            extra: context.extra.clone(),
        }],
        canvas_templates: vec![written_template],
        extra: fdl.extra.clone(),
    };
    (document, id)
}

impl Fdl {
    /// The whole document with the new canvases of several clips added to the
    /// contexts of their sources. A canvas that is already there is not added twice.
    #[must_use]
    pub fn delivered<'a>(
        &self,
        applied: impl IntoIterator<Item = &'a Applied>,
        document_uuid: &str,
    ) -> Self {
        let mut whole = self.clone();
        document_uuid.clone_into(&mut whole.uuid);
        for one in applied {
            let made = one.document.canvases().find(|(_, canvas)| canvas.id == one.new_canvas);
            let home = whole
                .contexts
                .iter()
                .position(|context| context.canvases.iter().any(|c| c.id == one.canvas));
            let (Some((_, made)), Some(home)) = (made, home) else { continue };
            if whole.contexts[home].canvases.iter().any(|canvas| same_but_for_id(canvas, made)) {
                continue;
            }
            let mut new = made.clone();
            rename(&mut new, unused(&whole.taken(), &made.id));
            whole.contexts[home].canvases.push(new);
        }
        whole
    }

    fn taken(&self) -> HashSet<String> {
        self.canvases().map(|(_, canvas)| canvas.id.clone()).collect()
    }
}

fn rename(canvas: &mut Canvas, id: String) {
    for decision in &mut canvas.framing_decisions {
        decision.id = format!("{id}-{}", decision.framing_intent_id);
    }
    canvas.id = id;
}

fn same_but_for_id(a: &Canvas, b: &Canvas) -> bool {
    let mut a = a.clone();
    rename(&mut a, b.id.clone());
    a == *b
}

/// The canvas after its ancestors, the root first.
fn lineage(fdl: &Fdl, canvas: &Canvas) -> Vec<Canvas> {
    let mut line = vec![canvas.clone()];
    let mut seen = HashSet::from([canvas.id.as_str()]);
    let mut next = canvas.source_canvas_id.as_str();
    while seen.insert(next) {
        let Some((_, parent)) = fdl.canvases().find(|(_, canvas)| canvas.id == next) else { break };
        line.push(parent.clone());
        next = &parent.source_canvas_id;
    }
    line.reverse();
    line
}

fn new_canvas(fdl: &Fdl, selected: &Selected<'_>, geometry: &Geometry) -> Canvas {
    let Selected { template, context, canvas, decision } = *selected;
    let id = unused(&fdl.taken(), &format!("{}_{}", canvas.id, template.id));
    let name = |label: &Option<String>, id: &str| {
        label.as_deref().filter(|label| !label.is_empty()).unwrap_or(id).to_owned()
    };
    let label = format!(
        "{}: {} {}",
        name(&template.label, &template.id),
        context.label.as_deref().unwrap_or_default(),
        name(&canvas.label, &canvas.id)
    );
    let whole = |[width, height]: [u32; 2]| WholeSize { width, height };
    let effective = (geometry.effective_dimensions.map(f64::from), geometry.effective_anchor_point);
    let effective = (effective.0, effective.1.map(clean));
    let protection = geometry.protection.map(|part| within(part, effective));
    let framing = (geometry.framing_dimensions, geometry.framing_anchor_point);
    let framing = within(framing, protection.unwrap_or(effective));
    let [x, y] = geometry.content_translation;
    let [width, height] = geometry.scaled_bounding_box;
    Canvas {
        label: Some(label),
        source_canvas_id: canvas.id.clone(),
        dimensions: whole(geometry.canvas_dimensions),
        effective_dimensions: Some(whole(geometry.effective_dimensions)),
        effective_anchor_point: Some(effective.1.into()),
        photosite_dimensions: None,
        physical_dimensions: None,
        anamorphic_squeeze: Some(geometry.anamorphic_squeeze),
        framing_decisions: vec![FramingDecision {
            label: decision.label.clone(),
            id: format!("{id}-{}", decision.framing_intent_id),
            framing_intent_id: decision.framing_intent_id.clone(),
            dimensions: framing.0.into(),
            anchor_point: framing.1.into(),
            protection_dimensions: protection.map(|(size, _)| Size::from(size)),
            protection_anchor_point: protection.map(|(_, anchor)| Point::from(anchor)),
            extra: decision.extra.clone(),
        }],
        extra: Extra::from_iter([
            ("_scale_factor".to_owned(), json!(geometry.scale_factor)),
            ("_content_translation".to_owned(), json!({ "x": x, "y": y })),
            ("_scaled_bounding_box".to_owned(), json!({ "width": width, "height": height })),
        ]),
        id,
    }
}

/// Size and anchor of a part, freed of the arithmetic's noise where the noise
/// would put it outside of the part around it: the schema's hierarchy is exact.
fn within(part: ([f64; 2], [f64; 2]), outer: ([f64; 2], [f64; 2])) -> ([f64; 2], [f64; 2]) {
    const NOISE: f64 = 1e-6;
    let size = [0, 1].map(|i| {
        let size = clean(part.0[i]);
        if (size - outer.0[i]).abs() < NOISE { size.min(outer.0[i]) } else { size }
    });
    let anchor = [0, 1].map(|i| {
        let anchor = clean(part.1[i]);
        if (anchor - outer.1[i]).abs() < NOISE { anchor.max(outer.1[i]) } else { anchor }
    });
    (size, anchor)
}

/// `wanted` cut to the 32 characters of an id, with a number when it is taken.
fn unused(taken: &HashSet<String>, wanted: &str) -> String {
    const LONGEST: usize = 32;
    let cut = |text: &str, room: usize| text.chars().take(room).collect::<String>();
    let plain = cut(wanted, LONGEST);
    if is_id(&plain) && !taken.contains(&plain) {
        return plain;
    }
    (2_usize..)
        .map(|n| {
            let suffix = format!("_{n}");
            format!("{}{suffix}", cut(wanted, LONGEST - suffix.len()))
        })
        .find(|id| !taken.contains(id))
        .unwrap_or(plain)
}
