//! What a document must mean beyond its syntax: ids that exist and are
//! unique, and layers that lie inside each other. Faults are what the
//! Committee's library refuses; warnings are what the specification says and
//! nobody checks.

use super::model::{Canvas, Context, Fdl, FramingDecision};
use platefarm_model::{Code, Fault};
use std::collections::HashSet;

type Faults = Vec<Fault>;

pub(super) fn check(fdl: &Fdl, errors: &mut Faults, warnings: &mut Faults) {
    ids(fdl, errors);
    for (c, context) in fdl.contexts.iter().enumerate() {
        clip(context, c, warnings);
        for (i, canvas) in context.canvases.iter().enumerate() {
            layers(canvas, &format!("/contexts/{c}/canvases/{i}"), errors, warnings);
        }
    }
    intents(fdl, warnings);
    templates(fdl, warnings);
}

fn fault(path: impl Into<String>, message: impl Into<String>) -> Fault {
    Fault::new(Code::BadFdl, message).at(path)
}

fn ids(fdl: &Fdl, errors: &mut Faults) {
    let mut intents = HashSet::new();
    for (i, intent) in fdl.framing_intents.iter().enumerate() {
        if !intents.insert(intent.id.as_str()) {
            let message = format!("framing intent id '{}' is there twice", intent.id);
            errors.push(fault(format!("/framing_intents/{i}/id"), message));
        }
    }
    if let Some(id) = &fdl.default_framing_intent
        && !intents.contains(id.as_str())
    {
        let message = format!("default framing intent '{id}' does not exist");
        errors.push(fault("/default_framing_intent", message));
    }
    canvas_ids(fdl, &intents, errors);
    let mut templates = HashSet::new();
    for (i, template) in fdl.canvas_templates.iter().enumerate() {
        if !templates.insert(template.id.as_str()) {
            let message = format!("canvas template id '{}' is there twice", template.id);
            errors.push(fault(format!("/canvas_templates/{i}/id"), message));
        }
    }
}

fn canvas_ids(fdl: &Fdl, intents: &HashSet<&str>, errors: &mut Faults) {
    let all: HashSet<&str> = fdl.canvases().map(|(_, canvas)| canvas.id.as_str()).collect();
    let (mut canvases, mut decisions) = (HashSet::new(), HashSet::new());
    for (c, context) in fdl.contexts.iter().enumerate() {
        for (i, canvas) in context.canvases.iter().enumerate() {
            let path = format!("/contexts/{c}/canvases/{i}");
            if !canvases.insert(canvas.id.as_str()) {
                let message = format!("canvas id '{}' is there twice", canvas.id);
                errors.push(fault(format!("{path}/id"), message));
            }
            if !all.contains(canvas.source_canvas_id.as_str()) {
                let message = format!(
                    "canvas '{}': source canvas '{}' does not exist",
                    canvas.id, canvas.source_canvas_id
                );
                errors.push(fault(format!("{path}/source_canvas_id"), message));
            }
            for (d, decision) in canvas.framing_decisions.iter().enumerate() {
                let path = format!("{path}/framing_decisions/{d}");
                decision_ids(canvas, decision, intents, &path, errors);
                if !decisions.insert(decision.id.as_str()) {
                    let message = format!("framing decision id '{}' is there twice", decision.id);
                    errors.push(fault(format!("{path}/id"), message));
                }
            }
        }
    }
}

fn decision_ids(
    canvas: &Canvas,
    decision: &FramingDecision,
    intents: &HashSet<&str>,
    path: &str,
    errors: &mut Faults,
) {
    let (id, intent) = (&decision.id, &decision.framing_intent_id);
    if !intents.contains(intent.as_str()) {
        let message = format!("framing decision '{id}': framing intent '{intent}' does not exist");
        errors.push(fault(format!("{path}/framing_intent_id"), message));
    }
    let expected = format!("{}-{intent}", canvas.id);
    if *id != expected {
        let message = format!("framing decision id '{id}' must be '{expected}'");
        errors.push(fault(format!("{path}/id"), message));
    }
}

/// One part of a canvas, as the hierarchy sees it.
struct Part {
    name: &'static str,
    key: &'static str,
    size: [f64; 2],
    anchor: [f64; 2],
}

fn layers(canvas: &Canvas, path: &str, errors: &mut Faults, warnings: &mut Faults) {
    let whole = Part {
        name: "canvas",
        key: "dimensions",
        size: canvas.dimensions.into(),
        anchor: [0.0; 2],
    };
    let effective = canvas.effective_dimensions.map(|size| Part {
        name: "effective",
        key: "effective_dimensions",
        size: size.into(),
        anchor: canvas.effective_anchor_point.map_or([0.0; 2], Into::into),
    });
    let owner = format!("canvas '{}'", canvas.id);
    if let Some(effective) = &effective {
        inside(&whole, effective, &owner, path, errors, warnings);
    }
    let outer = effective.as_ref().unwrap_or(&whole);
    for (d, decision) in canvas.framing_decisions.iter().enumerate() {
        let path = format!("{path}/framing_decisions/{d}");
        let owner = format!("framing decision '{}'", decision.id);
        let protection = decision.protection_dimensions.map(|size| Part {
            name: "protection",
            key: "protection_dimensions",
            size: size.into(),
            anchor: decision.protection_anchor_point.map_or([0.0; 2], Into::into),
        });
        if let Some(protection) = &protection {
            inside(outer, protection, &owner, &path, errors, warnings);
        } else if decision.protection_anchor_point.is_some() {
            let message = format!("{owner}: a protection anchor without protection dimensions");
            warnings.push(fault(format!("{path}/protection_anchor_point"), message));
        }
        let framing = Part {
            name: "framing",
            key: "dimensions",
            size: decision.dimensions.into(),
            anchor: decision.anchor_point.into(),
        };
        inside(protection.as_ref().unwrap_or(outer), &framing, &owner, &path, errors, warnings);
    }
}

fn inside(
    outer: &Part,
    inner: &Part,
    owner: &str,
    path: &str,
    errors: &mut Faults,
    warnings: &mut Faults,
) {
    let place = format!("{path}/{}", inner.key);
    let both = |values: [f64; 2]| format!("{} by {}", values[0], values[1]);
    let says = |what: &str, a: [f64; 2], b: [f64; 2]| {
        let (inner, outer) = (inner.name, outer.name);
        format!("{owner}: {inner} {what} ({}) of {outer} ({})", both(a), both(b))
    };
    let end = |part: &Part| [part.anchor[0] + part.size[0], part.anchor[1] + part.size[1]];
    // Half a thousandth of a pixel: what writers lose by printing three digits.
    const LOST_IN_PRINT: f64 = 5e-4;
    if (0..2).any(|i| inner.size[i] > outer.size[i]) {
        errors.push(fault(place, says("dimensions exceed those", inner.size, outer.size)));
    } else if (0..2).any(|i| inner.anchor[i] < outer.anchor[i]) {
        errors.push(fault(place, says("anchor lies before that", inner.anchor, outer.anchor)));
    } else if (0..2).any(|i| inner.anchor[i] > end(outer)[i]) {
        errors.push(fault(place, says("anchor lies beyond the end", inner.anchor, end(outer))));
    } else if (0..2).any(|i| end(inner)[i] > end(outer)[i] + LOST_IN_PRINT) {
        warnings.push(fault(place, says("reaches beyond the end", end(inner), end(outer))));
    }
}

fn clip(context: &Context, index: usize, warnings: &mut Faults) {
    if let Some(sequence) = context.clip_id.as_ref().and_then(|clip| clip.sequence.as_ref())
        && sequence.min > sequence.max
    {
        let message = format!(
            "sequence '{}' ends ({}) before it begins ({})",
            sequence.value, sequence.max, sequence.min
        );
        warnings.push(fault(format!("/contexts/{index}/clip_id/sequence"), message));
    }
}

fn intents(fdl: &Fdl, warnings: &mut Faults) {
    for (i, intent) in fdl.framing_intents.iter().enumerate() {
        if let Some(protection) = intent.protection.filter(|p| *p > 1.0) {
            let message =
                format!("framing intent '{}': protection {protection} is above 1", intent.id);
            warnings.push(fault(format!("/framing_intents/{i}/protection"), message));
        }
    }
    let mut labels = HashSet::new();
    for (i, context) in fdl.contexts.iter().enumerate() {
        if let Some(label) = context.label.as_deref().filter(|l| !l.is_empty())
            && !labels.insert(label)
        {
            let message = format!("context label '{label}' is there twice");
            warnings.push(fault(format!("/contexts/{i}/label"), message));
        }
    }
    let uuid = fdl.uuid.strip_prefix("urn:uuid:").unwrap_or(&fdl.uuid);
    if !is_uuid(uuid) {
        warnings.push(fault("/uuid", format!("'{}' is not a UUID", fdl.uuid)));
    }
}

fn is_uuid(text: &str) -> bool {
    text.len() == 36
        && text.bytes().enumerate().all(|(i, b)| match i {
            8 | 13 | 18 | 23 => b == b'-',
            _ => b.is_ascii_hexdigit(),
        })
}

fn templates(fdl: &Fdl, warnings: &mut Faults) {
    for (i, template) in fdl.canvas_templates.iter().enumerate() {
        let path = format!("/canvas_templates/{i}");
        let owner = format!("canvas template '{}'", template.id);
        match template.maximum_dimensions {
            Some(maximum) => {
                let target = template.target_dimensions;
                if maximum.width < target.width || maximum.height < target.height {
                    let message = format!(
                        "{owner}: maximum {} by {} is smaller than the target {} by {}",
                        maximum.width, maximum.height, target.width, target.height
                    );
                    warnings.push(fault(format!("{path}/maximum_dimensions"), message));
                }
            }
            None if template.pad_to_maximum == Some(true) => {
                let message = format!("{owner}: pads to a maximum that is not given");
                warnings.push(fault(format!("{path}/pad_to_maximum"), message));
            }
            None => {}
        }
        if template.preserve_from_source_canvas.is_some_and(|p| p > template.fit_source) {
            let message = format!("{owner}: what is preserved lies inside what is fitted");
            warnings.push(fault(format!("{path}/preserve_from_source_canvas"), message));
        }
    }
}
