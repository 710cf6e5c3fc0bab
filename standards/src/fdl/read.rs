//! From JSON text to the document, with every problem and its place.
//!
//! The reader walks the JSON by hand rather than by a derive: a person who has
//! to repair a list of framings needs all of its faults at once, each with its
//! JSON pointer, and what older writers are known to do must be let through in
//! one visible place.

use super::json::{Bound, Object, Problems, is_id, kind};
use super::model::{
    Canvas, CanvasTemplate, ClipId, Context, Even, Fdl, FitMethod, FramingDecision, FramingIntent,
    Horizontal, Layer, RoundMode, Rounding, Sequence, Version, Vertical,
};
use platefarm_model::{Code, Fault, limits};
use serde_json::Value;

/// What reading a document found.
#[derive(Clone, Debug)]
pub struct Reading {
    /// The document, when there are no errors.
    pub fdl: Option<Fdl>,
    /// What makes it unusable.
    pub errors: Vec<Fault>,
    /// What was let through, and what nobody else checks.
    pub warnings: Vec<Fault>,
    raw: Value,
}

impl Reading {
    /// Id of the innermost object around the place of a fault that has one: a
    /// person looks for `A001-F239` and not for the third element of a list.
    #[must_use]
    pub fn id_at(&self, fault: &Fault) -> Option<&str> {
        let mut value = &self.raw;
        let mut id = None;
        for step in fault.place.as_deref()?.split('/').skip(1) {
            let inner = match value {
                Value::Object(map) => map.get(step),
                Value::Array(items) => step.parse().ok().and_then(|i: usize| items.get(i)),
                _ => None,
            };
            // A key that is missing has no value; the object that lacks it has.
            let Some(inner) = inner else { break };
            value = inner;
            id = value.get("id").and_then(Value::as_str).or(id);
        }
        id
    }
}

/// The first fault, with the others as its cause.
pub(super) fn summed_up(mut errors: Vec<Fault>) -> Fault {
    if errors.is_empty() {
        return Fault::new(Code::BadFdl, "the document has no content");
    }
    let mut first = errors.remove(0);
    if !errors.is_empty() && first.cause.is_none() {
        const SHOWN: usize = 8;
        let mut others: Vec<String> = errors
            .iter()
            .take(SHOWN)
            .map(|f| format!("{} [{}]", f.message, f.place.as_deref().unwrap_or("/")))
            .collect();
        if errors.len() > SHOWN {
            others.push(format!("and {} more", errors.len() - SHOWN));
        }
        first.cause = Some(format!("also: {}", others.join("; ")));
    }
    first
}

pub(super) fn read(bytes: &[u8]) -> Reading {
    let mut problems = Problems::default();
    let raw = json(bytes, &mut problems);
    let fdl = raw.as_ref().and_then(|raw| document(raw, &mut problems));
    let Problems { errors, warnings } = problems;
    Reading { fdl, errors, warnings, raw: raw.unwrap_or_default() }
}

fn json(bytes: &[u8], problems: &mut Problems) -> Option<Value> {
    if bytes.len() as u64 > limits::MAX_DOCUMENT_BYTES {
        let message = format!(
            "the document has {} bytes, {} are the most that is read",
            bytes.len(),
            limits::MAX_DOCUMENT_BYTES
        );
        problems.error("", message);
        return None;
    }
    // A byte order mark is not JSON, but Windows tools write it.
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    match serde_json::from_slice(bytes) {
        Ok(value) => Some(value),
        Err(error) => {
            let place = format!("line {} column {}", error.line(), error.column());
            problems
                .errors
                .push(Fault::new(Code::BadFdl, "this is not JSON").at(place).because(&error));
            None
        }
    }
}

fn document(raw: &Value, p: &mut Problems) -> Option<Fdl> {
    let mut o = Object::open(raw, String::new(), p)?;
    let uuid = o.text("uuid", true, p).unwrap_or_default();
    version(&mut o, p);
    let fdl = Fdl {
        uuid,
        version: Version::WRITTEN,
        fdl_creator: o.text("fdl_creator", false, p),
        default_framing_intent: o.id("default_framing_intent", false, p),
        framing_intents: o.list("framing_intents", p, intent),
        contexts: o.list("contexts", p, context),
        canvas_templates: o.list("canvas_templates", p, template),
        extra: o.close(p),
    };
    Some(fdl).filter(|_| p.errors.is_empty())
}

fn version(o: &mut Object<'_>, p: &mut Problems) {
    let version = o.field("version", true, p, |value, path, p| {
        let mut o = Object::open(value, path, p)?;
        let major = o.whole("major", true, Bound::FromZero, p);
        let minor = o.whole("minor", true, Bound::FromZero, p);
        o.close(p);
        Some((major?, minor?))
    });
    if let Some((major, minor)) = version {
        let known = Version::READ
            .iter()
            .any(|v| (u64::from(v.major), u64::from(v.minor)) == (major, minor));
        if !known {
            p.error("/version", format!("version {major}.{minor} is not read; 2.0 is the newest"));
        }
    }
}

fn intent(mut o: Object<'_>, p: &mut Problems) -> Option<FramingIntent> {
    let label = o.text("label", false, p);
    let id = o.id("id", true, p);
    let aspect_ratio = o.whole_size("aspect_ratio", true, Bound::AboveZero, p);
    let protection = o.number("protection", false, Bound::FromZero, p);
    let extra = o.close(p);
    Some(FramingIntent { label, id: id?, aspect_ratio: aspect_ratio?, protection, extra })
}

fn context(mut o: Object<'_>, p: &mut Problems) -> Option<Context> {
    Some(Context {
        label: o.text("label", false, p),
        context_creator: o.text("context_creator", false, p),
        clip_id: o.field("clip_id", false, p, |v, path, p| clip_id(Object::open(v, path, p)?, p)),
        canvases: o.list("canvases", p, canvas),
        extra: o.close(p),
    })
}

fn clip_id(mut o: Object<'_>, p: &mut Problems) -> Option<ClipId> {
    let clip_name = o.text("clip_name", true, p);
    let file = o.text("file", false, p);
    let sequence =
        o.field("sequence", false, p, |v, path, p| sequence(Object::open(v, path, p)?, p));
    if file.is_some() && sequence.is_some() {
        p.error(&o.path, "a clip_id has a file or a sequence, not both");
    }
    let extra = o.close(p);
    Some(ClipId { clip_name: clip_name?, file, sequence, extra })
}

fn sequence(mut o: Object<'_>, p: &mut Problems) -> Option<Sequence> {
    let value = o.text("value", true, p);
    let idx = o.text("idx", true, p);
    if let Some(idx) = &idx
        && idx.chars().count() != 1
    {
        p.error(&o.below("idx"), format!("idx '{idx}' must be one character"));
    }
    let min = o.whole("min", true, Bound::FromZero, p);
    let max = o.whole("max", true, Bound::FromZero, p);
    let extra = o.close(p);
    Some(Sequence { value: value?, idx: idx?, min: min?, max: max?, extra })
}

fn canvas(mut o: Object<'_>, p: &mut Problems) -> Option<Canvas> {
    let label = o.text("label", false, p);
    let id = o.id("id", true, p);
    let source_canvas_id = o.id("source_canvas_id", true, p);
    let dimensions = o.whole_size("dimensions", true, Bound::AboveZero, p);
    let effective = o.whole_size("effective_dimensions", false, Bound::AboveZero, p);
    let anchor = o.point("effective_anchor_point", effective.is_some(), p);
    let photosites = o.whole_size("photosite_dimensions", false, Bound::AboveZero, p);
    let physical_dimensions = o.size("physical_dimensions", false, p);
    let anamorphic_squeeze = o.number("anamorphic_squeeze", false, Bound::AboveZero, p);
    let framing_decisions = o.list("framing_decisions", p, decision);
    let extra = o.close(p);
    Some(Canvas {
        label,
        id: id?,
        source_canvas_id: source_canvas_id?,
        dimensions: dimensions?,
        effective_dimensions: effective,
        effective_anchor_point: anchor,
        photosite_dimensions: photosites,
        physical_dimensions,
        anamorphic_squeeze,
        framing_decisions,
        extra,
    })
}

fn decision(mut o: Object<'_>, p: &mut Problems) -> Option<FramingDecision> {
    let label = o.text("label", false, p);
    let id = o.text("id", true, p);
    if let Some(id) = &id
        && !id.split_once('-').is_some_and(|(canvas, intent)| is_id(canvas) && is_id(intent))
    {
        p.error(&o.below("id"), format!("id '{id}' must be '<canvas id>-<intent id>'"));
    }
    let framing_intent_id = o.id("framing_intent_id", true, p);
    let dimensions = o.size("dimensions", true, p);
    let anchor_point = o.point("anchor_point", true, p);
    let protection_dimensions = o.size("protection_dimensions", false, p);
    let protection_anchor_point =
        o.point("protection_anchor_point", protection_dimensions.is_some(), p);
    let extra = o.close(p);
    Some(FramingDecision {
        label,
        id: id?,
        framing_intent_id: framing_intent_id?,
        dimensions: dimensions?,
        anchor_point: anchor_point?,
        protection_dimensions,
        protection_anchor_point,
        extra,
    })
}

const LAYERS: [(&str, Layer); 4] = [
    (Layer::Canvas.name(), Layer::Canvas),
    (Layer::Effective.name(), Layer::Effective),
    (Layer::Protection.name(), Layer::Protection),
    (Layer::Framing.name(), Layer::Framing),
];

fn template(mut o: Object<'_>, p: &mut Problems) -> Option<CanvasTemplate> {
    let label = o.text("label", false, p);
    let id = o.id("id", true, p);
    let target_dimensions = o.whole_size("target_dimensions", true, Bound::FromZero, p);
    let squeeze = o.number("target_anamorphic_squeeze", true, Bound::FromZero, p);
    let fit_source = o.choice("fit_source", true, &LAYERS, p);
    let methods = [
        ("width", FitMethod::Width),
        ("height", FitMethod::Height),
        ("fit_all", FitMethod::FitAll),
        ("fill", FitMethod::Fill),
    ];
    let fit_method = o.choice("fit_method", true, &methods, p);
    let across =
        [("left", Horizontal::Left), ("center", Horizontal::Center), ("right", Horizontal::Right)];
    let down = [("top", Vertical::Top), ("center", Vertical::Center), ("bottom", Vertical::Bottom)];
    let horizontal = o.choice("alignment_method_horizontal", false, &across, p);
    let vertical = o.choice("alignment_method_vertical", false, &down, p);
    let preserve = preserve(&mut o, p);
    let maximum_dimensions = o.whole_size("maximum_dimensions", false, Bound::AboveZero, p);
    let pad_to_maximum = o.field("pad_to_maximum", false, p, |value, path, p| {
        if value.as_bool().is_none() {
            p.error(&path, format!("expected true or false, found {}", kind(value)));
        }
        value.as_bool()
    });
    let round = o.field("round", false, p, |v, path, p| rounding(Object::open(v, path, p)?, p));
    let extra = o.close(p);
    Some(CanvasTemplate {
        label,
        id: id?,
        target_dimensions: target_dimensions?,
        target_anamorphic_squeeze: squeeze?,
        fit_source: fit_source?,
        fit_method: fit_method?,
        alignment_method_horizontal: horizontal,
        alignment_method_vertical: vertical,
        preserve_from_source_canvas: preserve,
        maximum_dimensions,
        pad_to_maximum,
        round,
        extra,
    })
}

/// Version 2.0 wrote `"none"` where 2.0.1 leaves the key out.
fn preserve(o: &mut Object<'_>, p: &mut Problems) -> Option<Layer> {
    const KEY: &str = "preserve_from_source_canvas";
    if o.map.get(KEY).and_then(Value::as_str) == Some("none") {
        o.known.push(KEY);
        p.warn(&o.below(KEY), "'none' is of version 2.0 and is read as absent");
        return None;
    }
    o.choice(KEY, false, &LAYERS, p)
}

fn rounding(mut o: Object<'_>, p: &mut Problems) -> Option<Rounding> {
    let even = o.choice("even", true, &[("whole", Even::Whole), ("even", Even::Even)], p);
    let modes = [("up", RoundMode::Up), ("down", RoundMode::Down), ("round", RoundMode::Round)];
    let mode = o.choice("mode", true, &modes, p);
    o.close(p);
    Some(Rounding { even: even?, mode: mode? })
}
