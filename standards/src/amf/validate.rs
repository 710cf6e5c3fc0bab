//! What the schema of AMF 2.0 asks for, and what it cannot say: that ids are
//! registered, paths stay beside the AMF, and flags do not contradict each
//! other. Every problem is named with its place; nothing stops at the first.
//!
//! The order of elements is written as in a grammar: `author*` any number,
//! `hash?` at most one. Elements that have a choice have several lines.

use super::plate::relative;
use super::{Amf, Reference, StageKind, registry};
use crate::xml::{self, Element};
use platefarm_model::{Code, Fault, Outcome};

/// Content of the elements that hold others, by name.
const CONTENT: &[(&str, &[&str])] = &[
    ("acesMetadataFile", &["amfInfo clipId? pipeline archivedPipeline*"]),
    ("amfInfo", &["description? author* dateTime uuid"]),
    ("pipelineInfo", &["description? author* dateTime uuid systemVersion"]),
    ("author", &["name emailAddress"]),
    ("dateTime", &["creationDateTime modificationDateTime"]),
    ("systemVersion", &["majorVersion minorVersion patchVersion"]),
    ("clipId", &["clipName sequence", "clipName file", "clipName uuid"]),
    ("pipeline", &["pipelineInfo inputTransform? LOOKS outputTransform?"]),
    ("archivedPipeline", &["pipelineInfo inputTransform? LOOKS outputTransform?"]),
    (
        "inputTransform",
        &[
            "description? hash? REFERENCE",
            "description? hash? inverseOutputTransform",
            "description? hash? inverseOutputDeviceTransform inverseReferenceRenderingTransform",
        ],
    ),
    (
        "lookTransform",
        &[
            "description? hash? REFERENCE",
            "description? hash? cdlWorkingSpace SOPNode SatNode",
            "description? hash? cdlWorkingSpace ColorCorrectionRef file",
        ],
    ),
    (
        "outputTransform",
        &[
            "description? hash? REFERENCE",
            "description? hash? referenceRenderingTransform outputDeviceTransform",
        ],
    ),
    ("cdlWorkingSpace", &["toCdlWorkingSpace? fromCdlWorkingSpace"]),
    ("toCdlWorkingSpace", &["description? hash? REFERENCE"]),
    ("fromCdlWorkingSpace", &["description? hash? REFERENCE"]),
    ("inverseOutputTransform", &["description? hash? REFERENCE"]),
    ("inverseOutputDeviceTransform", &["description? hash? REFERENCE"]),
    ("inverseReferenceRenderingTransform", &["description? hash? REFERENCE"]),
    ("referenceRenderingTransform", &["description? hash? REFERENCE"]),
    ("outputDeviceTransform", &["description? hash? REFERENCE"]),
];

/// Classes of ids that may stand in an element, by version of the urn.
const CLASSES: &[(&str, &[&str])] = &[
    ("inputTransform", &["1:IDT", "1:ACEScsc", "2:Input", "2:CSC"]),
    ("lookTransform", &["1:LMT", "2:Look"]),
    ("outputTransform", &["1:RRTODT", "2:Output"]),
    ("inverseOutputTransform", &["1:InvRRTODT", "2:InvOutput"]),
    ("toCdlWorkingSpace", &["1:ACEScsc", "2:CSC"]),
    ("fromCdlWorkingSpace", &["1:ACEScsc", "2:CSC"]),
    ("referenceRenderingTransform", &["1:RRT"]),
    ("outputDeviceTransform", &["1:ODT"]),
    ("inverseReferenceRenderingTransform", &["1:InvRRT"]),
    ("inverseOutputDeviceTransform", &["1:InvODT"]),
];

/// What is wrong with an AMF as a document of version 2.0. An AMF of version
/// 1 is read, and its problems are those that keep it from being of version 2.
///
/// # Errors
/// Those of [`Amf::parse`], for what cannot be read at all.
pub fn validate(bytes: &[u8]) -> Outcome<Vec<Fault>> {
    let amf = Amf::parse(bytes)?;
    let root = xml::read(bytes, Code::BadAmf)?;
    let mut problems = Vec::new();
    if amf.version != 2 || root.attribute("version").map(str::trim) != Some("2.0") {
        let message = format!(
            "the version is {}, which is read and not written any more",
            root.attribute("version").unwrap_or("absent")
        );
        problems.push(Fault::new(Code::BadAmf, message).at("acesMetadataFile"));
    }
    walk(&root, "acesMetadataFile", &mut problems);
    meaning(&amf, &mut problems);
    Ok(problems)
}

fn walk(element: &Element, place: &str, problems: &mut Vec<Fault>) {
    let mut bad = |message: String| problems.push(Fault::new(Code::BadAmf, message).at(place));
    let name = &*element.name;
    if let Some((_, forms)) = CONTENT.iter().find(|(known, _)| *known == name) {
        let found: Vec<&str> = element.children.iter().map(|child| &*child.name).collect();
        if !forms.iter().any(|form| matches(form, &found)) {
            let wanted: Vec<String> = forms.iter().map(|form| spoken(form)).collect();
            let held = if found.is_empty() { "nothing".into() } else { found.join(" ") };
            bad(format!("holds {held}; wanted is {}", wanted.join(", or ")));
        }
    }
    if matches!(name, "inputTransform" | "lookTransform" | "outputTransform")
        && !matches!(
            element.attribute("applied").map(str::trim),
            Some("true" | "false" | "1" | "0")
        )
    {
        bad("has no 'applied'".into());
    }
    if let Some(problem) = text_problem(element) {
        bad(problem);
    }
    if let (Some((_, classes)), Some(id)) =
        (CLASSES.iter().find(|(known, _)| *known == name), element.text_of("transformId"))
        && !classes.iter().any(|class| is_of(id, class))
    {
        let wanted: Vec<&str> = classes.iter().map(|class| &class[2..]).collect();
        bad(format!("'{id}' is no id of {}", wanted.join(", ")));
    }
    for (i, child) in element.children.iter().enumerate() {
        let same = |other: &&Element| other.name == child.name;
        let of_name = element.children[..i].iter().filter(same).count();
        let many = element.children.iter().filter(same).count() > 1;
        let number = if many { format!("[{}]", of_name + 1) } else { String::new() };
        walk(child, &format!("{place}/{}{number}", child.name), problems);
    }
}

/// Whether names stand in the order of a form.
fn matches(form: &str, found: &[&str]) -> bool {
    let mut rest = found;
    for part in form.split(' ') {
        let (one, least, most) = match part.as_bytes().last() {
            Some(b'?') => (&part[..part.len() - 1], 0, 1),
            Some(b'*') => (&part[..part.len() - 1], 0, usize::MAX),
            _ if part == "LOOKS" => (part, 0, usize::MAX),
            _ => (part, 1, 1),
        };
        let is = |name: &str| match one {
            "REFERENCE" => matches!(name, "uuid" | "file" | "transformId"),
            "LOOKS" => matches!(name, "workingLocation" | "lookTransform"),
            // The nodes of the CDL have two spellings, by its own schema.
            "SOPNode" => matches!(name, "SOPNode" | "ASC_SOP"),
            "SatNode" => matches!(name, "SatNode" | "ASC_SAT"),
            one => name == one,
        };
        let count = rest.iter().take_while(|name| is(name)).take(most).count();
        if count < least {
            return false;
        }
        rest = &rest[count..];
    }
    rest.is_empty()
}

fn spoken(form: &str) -> String {
    form.replace("REFERENCE", "(uuid | file | transformId)")
        .replace("LOOKS", "(workingLocation | lookTransform)*")
}

/// What is wrong with an element's text, where it has a form.
fn text_problem(element: &Element) -> Option<String> {
    let text = element.text.trim();
    let wrong = |what: &str| Some(format!("'{text}' is no {what}"));
    match &*element.name {
        "uuid" if !is_urn(text) => wrong("'urn:uuid:' and a UUID"),
        "creationDateTime" | "modificationDateTime" if !is_date_time(text) => {
            wrong("date and time as in 2026-11-21T03:00:00Z")
        }
        "emailAddress"
            if text.matches('@').count() != 1 || text.starts_with('@') || text.ends_with('@') =>
        {
            wrong("e-mail address")
        }
        "majorVersion" | "minorVersion" | "patchVersion"
            if !(text.len() == 1 && text.as_bytes()[0].is_ascii_digit()) =>
        {
            wrong("single digit")
        }
        "hash" => {
            let known = ["xmlenc#sha256", "xmldsig#sha1", "xmldsig-more#md5"];
            let algorithm = element.attribute("algorithm").unwrap_or_default();
            if !known.iter().any(|end| algorithm.ends_with(end)) {
                return Some(format!("'{algorithm}' is no algorithm of a hash"));
            }
            let alphabet = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'+' | b'/' | b'=');
            let digits: Vec<u8> = text.bytes().filter(|b| !b.is_ascii_whitespace()).collect();
            if !digits.len().is_multiple_of(4) || !digits.iter().all(|b| alphabet(*b)) {
                return wrong("base64");
            }
            None
        }
        "sequence" => {
            let number =
                |name| element.attribute(name).is_some_and(|v| v.trim().parse::<u64>().is_ok());
            (!(element.attribute("idx").is_some() && number("min") && number("max")))
                .then(|| "a sequence needs idx, min and max, numbers from 0".into())
        }
        _ => None,
    }
}

fn is_urn(text: &str) -> bool {
    text.strip_prefix("urn:uuid:").is_some_and(|plain| {
        plain.len() == 36
            && plain.bytes().enumerate().all(|(i, b)| match i {
                8 | 13 | 18 | 23 => b == b'-',
                _ => b.is_ascii_hexdigit(),
            })
    })
}

/// `YYYY-MM-DDThh:mm:ss`, a fraction or none, a zone or none.
fn is_date_time(text: &str) -> bool {
    let Some((day, time)) = text.split_once('T') else { return false };
    let zone = time.find(['Z', '+', '-']).unwrap_or(time.len());
    let (time, zone) = time.split_at(zone);
    let numbers = |text: &str, by: char, most: &[u32]| {
        let parts: Vec<Option<u32>> = text.split(by).map(|part| part.parse().ok()).collect();
        parts.len() == most.len()
            && parts.iter().zip(most).all(|(n, most)| n.is_some_and(|n| n <= *most))
    };
    let time = time.split_once('.').map_or(time, |(time, _)| time);
    numbers(day, '-', &[9999, 12, 31])
        && numbers(time, ':', &[24, 59, 59])
        && (matches!(zone, "" | "Z") || numbers(&zone[1..], ':', &[14, 59]))
}

/// Whether an id is of a class: `2:CSC` is CSC with the urn of version 2.0.
fn is_of(id: &str, class: &str) -> bool {
    let (version, class) = class.split_at(1);
    let urn = if version == "2" { "v2.0" } else { "v1.5" };
    let Some(rest) = id
        .strip_prefix("urn:ampas:aces:transformId:")
        .and_then(|rest| rest.strip_prefix(urn))
        .and_then(|rest| rest.strip_prefix(':'))
        .and_then(|rest| rest.strip_prefix(&class[1..]))
        .and_then(|rest| rest.strip_prefix('.'))
    else {
        return false;
    };
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    let mut parts: Vec<&str> = rest.split('.').collect();
    let version = |parts: &mut Vec<&str>| -> bool {
        let Some(last) = parts.pop() else { return false };
        if let Some(number) = last.strip_prefix('v') {
            let edition = parts.pop().and_then(|part| part.strip_prefix('a').map(digits));
            return digits(number) && edition == Some(true);
        }
        // `a1.0.3`: of the Academy alone.
        let middle = parts.pop().is_some_and(digits);
        let edition = parts.pop().and_then(|part| part.strip_prefix('a').map(digits));
        urn == "v1.5" && digits(last) && middle && edition == Some(true)
    };
    let formed = version(&mut parts);
    formed && !rest.contains(char::is_whitespace)
}

/// What the schema cannot say.
fn meaning(amf: &Amf, problems: &mut Vec<Fault>) {
    let mut open = None;
    for (i, stage) in amf.pipeline.stages.iter().enumerate() {
        let place = format!("pipeline: stage {} ({})", i + 1, stage.kind.element());
        let applied = stage.is_applied();
        match (stage.kind, applied, open) {
            (StageKind::WorkingLocation, ..) => continue,
            (_, true, Some(before)) => problems.push(
                Fault::new(
                    Code::BadAmf,
                    format!("it is applied, and the {before} before it is not"),
                )
                .at(place.clone()),
            ),
            (kind, false, _) => open = Some(kind.element()),
            _ => {}
        }
        let space = stage.space.iter().flat_map(|space| [&space.to, &space.from]).flatten();
        let ids = stage.references.iter().filter_map(|reference| match reference {
            Reference::TransformId(id) => Some(id),
            _ => None,
        });
        // What is applied needs nobody to resolve it.
        for id in ids.chain(space).filter(|_| !applied) {
            if let Err(fault) = registry::resolve(id) {
                problems.push(fault.at(place.clone()));
            }
        }
        for reference in &stage.references {
            if let Reference::File(path) = reference
                && relative(path).is_err()
            {
                let message = format!("'{path}' is not beside the AMF or below it");
                problems.push(Fault::new(Code::BadAmf, message).at(place.clone()));
            }
        }
    }
}
