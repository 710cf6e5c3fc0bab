//! Elements of an AMF as the schema of version 2.0 wants them: pipelines that
//! came with another AMF are written as they were, and mended where the
//! schema asks for more than their writer gave.

use super::hash::as_base64;
use super::registry;
use crate::xml::{Element, Writer};

/// An element of AMF's own namespace with text.
pub(super) fn leaf(name: &str, text: &str) -> Element {
    Element { name: name.into(), text: text.to_owned(), ..Element::default() }
}

/// An element of AMF's own namespace with others inside.
pub(super) fn node(name: &str, children: Vec<Element>) -> Element {
    Element { name: name.into(), children, ..Element::default() }
}

/// One of two transforms that are one, or an inverse.
pub(super) fn step(name: &str, id: &str) -> Element {
    node(name, vec![leaf("transformId", id)])
}

/// Sets an attribute.
pub(super) fn set(element: &mut Element, name: &str, value: &str) {
    element.attributes.retain(|(key, _)| &**key != name);
    element.attributes.push((name.into(), value.into()));
}

/// Writes an element and what is in it.
pub(super) fn emit(xml: &mut Writer, element: &Element) {
    let cdl = element.namespace.starts_with("urn:ASC:CDL:");
    let prefix = if cdl { "cdl" } else { "aces" };
    let name = format!("{prefix}:{}", element.name);
    let attributes: Vec<(&str, &str)> =
        element.attributes.iter().map(|(key, value)| (&**key, &**value)).collect();
    if element.children.is_empty() {
        xml.leaf(&name, &attributes, element.text.trim());
    } else {
        xml.open(&name, &attributes);
        for child in &element.children {
            emit(xml, child);
        }
        xml.close();
    }
}

/// A pipeline of another AMF, under the name `archivedPipeline`: `date_time`
/// and `uuid` stand in where version 1 let them be left out.
pub(super) fn archived(pipeline: &Element, date_time: &Element, uuid: &str) -> Element {
    let mut pipeline = pipeline.clone();
    pipeline.name = "archivedPipeline".into();
    for child in &mut pipeline.children {
        match &*child.name {
            "pipelineInfo" => complete(child, date_time, uuid),
            _ => mend(child),
        }
    }
    pipeline
}

/// The parts of a pipeline's info, all of them and in order.
fn complete(info: &mut Element, date_time: &Element, uuid: &str) {
    let mut parts = std::mem::take(&mut info.children);
    for (name, missing) in [("dateTime", date_time.clone()), ("uuid", leaf("uuid", uuid))] {
        if !parts.iter().any(|part| &*part.name == name) {
            parts.push(missing);
        }
    }
    const ORDER: [&str; 5] = ["description", "author", "dateTime", "uuid", "systemVersion"];
    parts.sort_by_key(|part| ORDER.iter().position(|name| *name == &*part.name));
    info.children = parts;
}

/// What of a transform its version let be otherwise: an output's flag, a
/// hexadecimal hash, an id that the schema's own pattern does not take.
pub(super) fn mend(element: &mut Element) {
    match &*element.name {
        "outputTransform" if element.attribute("applied").is_none() => {
            set(element, "applied", "false");
        }
        "hash" => element.text = as_base64(&element.text),
        "transformId" => {
            if element.text.contains("ReferenceGamutCompress.a1.v1.0")
                && let Some(latest) = registry::find(&element.text).and_then(|k| k.replaced_by)
            {
                element.text = latest;
            }
        }
        _ => {}
    }
    element.children.iter_mut().for_each(mend);
}
