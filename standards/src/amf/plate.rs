//! The AMF of what we deliver: it says exactly what the pixels are.
//!
//! The camera's transform is in them. Looks and the display's transform are
//! where they were asked for, and else stay ahead of whoever receives the
//! plate, as they came with the incoming AMF, whose pipelines are kept.

use super::grade::{self, GradeLook};
use super::hash::{SHA256_URI, sha256_base64};
use super::input::{InputTransform, input_transform};
use super::own;
use super::registry::{self, Meaning};
use super::write::{archived, emit, leaf, mend, node, set, step};
use super::{Amf, StageKind};
use crate::xml::{Element, Writer};
use platefarm_model::recipe::FrameNaming;
use platefarm_model::utc::Utc;
use platefarm_model::{Code, Fault, FrameRange, Outcome, Timestamp};

/// A look that was put into the pixels besides those of an AMF.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct BakedLook<'a> {
    /// What it is, for people.
    pub description: &'a str,
    /// Where it is.
    pub look: LookSource<'a>,
}

/// How a look is named.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum LookSource<'a> {
    /// A look of ours, by its name.
    Named(&'a str),
    /// A file beside the AMF or below it.
    File {
        /// Relative path, with `/`.
        path: &'a str,
        /// Its content, which is hashed.
        content: &'a [u8],
        /// Which correction of it, where it is one of a collection.
        correction: Option<&'a str>,
    },
}

/// An AMF that came with the clip.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Incoming<'a> {
    /// What it says.
    pub amf: &'a Amf,
    /// Whether its looks went into the pixels.
    pub looks_baked: bool,
    /// Whether its output transform did.
    pub shown: bool,
    /// Files that its looks and its output transform name: the name there, the one beside the new AMF, the content.
    pub files: &'a [(String, String, Vec<u8>)],
}

/// How the plate is looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Viewing<'a> {
    /// Our name of the output transform.
    pub output: &'a str,
    /// Whether it is in the pixels.
    pub applied: bool,
}

impl Default for Viewing<'_> {
    /// ACES 1.3 for a Rec.709 display at 100 nit. The rule of defaults asks
    /// for ACES Rec.709 where a show says nothing, and this is the one that
    /// contact sheets and thumbnails show; an AMF that named another would
    /// contradict the picture that is delivered with it.
    fn default() -> Self {
        Self { output: platefarm_model::color::recipe::DEFAULT_VIEW, applied: false }
    }
}

/// A delivered plate, as its AMF describes it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct PlateAmf<'a> {
    /// What it is: pull, source clip, tool and version.
    pub description: &'a str,
    /// Name and e-mail address of who is responsible.
    pub author: Option<(&'a str, &'a str)>,
    /// When it was made.
    pub created: Timestamp,
    /// UUID of the file, with or without `urn:uuid:`.
    pub uuid: &'a str,
    /// UUID of the pipeline, likewise; another one.
    pub pipeline_uuid: &'a str,
    /// Name of the clip that is delivered.
    pub clip_name: &'a str,
    /// Names of its frames.
    pub naming: &'a FrameNaming,
    /// Its frames; numbers from 0.
    pub frames: FrameRange,
    /// What leads to ACES2065-1; none for a clip that came in ACES2065-1.
    pub input: Option<InputTransform<'a>>,
    /// The AMF that came with the clip.
    pub incoming: Option<Incoming<'a>>,
    /// Looks that went into the pixels besides.
    pub looks: &'a [BakedLook<'a>],
    /// A grade that is still ahead.
    pub grade: Option<&'a GradeLook>,
    /// How it is looked at; none takes what the incoming AMF says, else the default.
    pub viewing: Option<Viewing<'a>>,
}

/// Name of an AMF by the guide's convention: `<description>_<date>_<time>.amf`.
#[must_use]
pub fn file_name(description: &str, created: Timestamp) -> String {
    format!("{description}_{}.amf", Utc::from(created).file_stamp())
}

/// Writes the AMF of a plate, valid by the schema of version 2.0.
///
/// # Errors
/// [`Code::BadAmf`] when a value cannot stand in an AMF: a malformed UUID,
/// frame numbers below 0, an e-mail address without `@`, an id that is no
/// input transform, a path that is absolute or leaves the directory.
pub fn plate_amf(plate: &PlateAmf<'_>) -> Outcome<String> {
    let created = Utc::from(plate.created).date_time();
    let dates = node(
        "dateTime",
        vec![leaf("creationDateTime", &created), leaf("modificationDateTime", &created)],
    );
    let mut xml = Writer::new();
    let namespaces = [
        ("version", "2.0"),
        ("xmlns:aces", "urn:ampas:aces:amf:v2.0"),
        ("xmlns:cdl", grade::NAMESPACE),
    ];
    xml.open("aces:acesMetadataFile", &namespaces);

    let mut info = vec![leaf("description", plate.description)];
    if let Some((name, address)) = plate.author {
        info.push(author(name, address)?);
    }
    info.extend([dates.clone(), leaf("uuid", &urn(plate.uuid)?)]);
    emit(&mut xml, &node("amfInfo", info));
    emit(&mut xml, &clip_id(plate)?);
    emit(&mut xml, &pipeline(plate, &dates)?);
    if let Some(Incoming { amf, .. }) = plate.incoming {
        let seed = urn(plate.pipeline_uuid)?;
        let pipelines = std::iter::once(&amf.pipeline).chain(&amf.archived);
        for (i, pipeline) in pipelines.enumerate() {
            emit(&mut xml, &archived(&pipeline.element, &dates, &numbered(&seed, i)));
        }
    }
    Ok(xml.finish())
}

/// The UUID for the `i`-th pipeline that has none: that of the new pipeline, counted on in its last digits.
fn numbered(urn: &str, i: usize) -> String {
    let (head, tail) = urn.split_at(urn.len() - 8);
    let number = u32::from_str_radix(tail, 16).unwrap_or_default();
    format!("{head}{:08x}", number.wrapping_add(i as u32 + 1))
}

fn pipeline(plate: &PlateAmf<'_>, dates: &Element) -> Outcome<Element> {
    let output = output(plate)?;
    let version = system_version(plate, &output);
    let parts = ["majorVersion", "minorVersion", "patchVersion"];
    let version = parts.iter().zip(version).map(|(name, v)| leaf(name, &v.to_string())).collect();
    let info = vec![
        dates.clone(),
        leaf("uuid", &urn(plate.pipeline_uuid)?),
        node("systemVersion", version),
    ];
    let mut stages = vec![node("pipelineInfo", info)];
    let came = |incoming: &Incoming<'_>| {
        let mut stages = incoming.amf.pipeline.stages.iter();
        let applied = stages.find(|stage| stage.kind == StageKind::Input && stage.is_applied())?;
        let mut element = applied.element.clone();
        mend(&mut element);
        Some(element)
    };
    match (plate.input, &plate.incoming) {
        (Some(input), _) => stages.push(input_transform(input)?),
        // A clip that came in ACES2065-1 was brought there by what its AMF says.
        (None, Some(incoming)) => stages.extend(came(incoming)),
        (None, None) => {}
    }
    let mut looks = Vec::new();
    if let Some(incoming) = &plate.incoming {
        for stage in &incoming.amf.pipeline.stages {
            match stage.kind {
                StageKind::WorkingLocation => looks.push(leaf("workingLocation", "")),
                StageKind::Look => looks.push(incoming_look(stage, incoming)?),
                _ => {}
            }
        }
    }
    // What was baked besides stands behind what is applied; work on the plate
    // happens after what is in it, before what is not.
    let mut at = looks.iter().rposition(is_applied).map_or(0, |last| last + 1);
    for look in plate.looks {
        looks.insert(at, baked(look)?);
        at += 1;
    }
    if !looks.iter().any(|look| &*look.name == "workingLocation") {
        looks.insert(at, leaf("workingLocation", ""));
    }
    // A shot is graded before the look of the show, which is made for graded pictures, and behind
    // the gamut compression, which comes right after the input.
    if let Some(grade) = plate.grade {
        let working = looks.iter().position(|look| &*look.name == "workingLocation");
        let behind = working.map_or(at, |working| at.max(working + 1));
        let behind = behind + looks[behind..].iter().take_while(|look| compresses(look)).count();
        looks.insert(behind, grade::look(grade)?);
    }
    stages.extend(looks);
    stages.push(output);
    Ok(node("pipeline", stages))
}

fn is_applied(element: &Element) -> bool {
    matches!(element.attribute("applied").map(str::trim), Some("true" | "1"))
}

/// Whether a look is a gamut compression of the Academy.
fn compresses(look: &Element) -> bool {
    look.text_of("transformId").is_some_and(|id| id.contains("GamutCompress"))
}

/// A look of the incoming AMF, with the flag that is true now and its file's new place.
fn incoming_look(stage: &super::Stage, incoming: &Incoming<'_>) -> Outcome<Element> {
    let mut look = stage.element.clone();
    mend(&mut look);
    flag(&mut look, stage.is_applied() || incoming.looks_baked);
    moved(&mut look, incoming)?;
    Ok(look)
}

/// Sets the flag that is true now. A description that was written for the other one ("not baked")
/// would contradict it, so it is told as what it was.
fn flag(transform: &mut Element, applied: bool) {
    if applied != is_applied(transform) {
        let now = if applied { "in the pixels now" } else { "not in the pixels" };
        let came = transform.children.iter_mut().filter(|child| &*child.name == "description");
        for description in came {
            let words = description.text.trim();
            description.text = format!("{now}; described before as \"{words}\"");
        }
    }
    set(transform, "applied", if applied { "true" } else { "false" });
}

/// Names the file of a transform by its new place beside the AMF, with its hash.
fn moved(look: &mut Element, incoming: &Incoming<'_>) -> Outcome<()> {
    if let Some(file) = look.children.iter_mut().find(|child| &*child.name == "file") {
        let name = file.text.trim().to_owned();
        if let Some((_, path, content)) = incoming.files.iter().find(|(old, ..)| *old == name) {
            relative(path)?;
            file.text.clone_from(path);
            let hash = hash_of(content);
            match look.children.iter_mut().find(|child| &*child.name == "hash") {
                Some(old) => *old = hash,
                None => {
                    let after = look.children.iter().take_while(|c| &*c.name == "description");
                    let at = after.count();
                    look.children.insert(at, hash);
                }
            }
        }
    }
    Ok(())
}

pub(super) fn hash_of(content: &[u8]) -> Element {
    let mut hash = leaf("hash", &sha256_base64(content));
    set(&mut hash, "algorithm", SHA256_URI);
    hash
}

fn baked(look: &BakedLook<'_>) -> Outcome<Element> {
    let mut children = vec![leaf("description", look.description)];
    match look.look {
        LookSource::Named(name) => children.push(leaf("transformId", &look_id(name))),
        LookSource::File { path, content, correction } => {
            relative(path)?;
            children.push(hash_of(content));
            if let Some(id) = correction {
                children.extend(grade::correction(id));
            }
            children.push(leaf("file", path));
        }
    }
    let mut look = node("lookTransform", children);
    set(&mut look, "applied", "true");
    Ok(look)
}

fn bad(message: String) -> Fault {
    Fault::new(Code::BadAmf, message)
}

/// `urn:uuid:` and the UUID, which the schema wants.
fn urn(uuid: &str) -> Outcome<String> {
    let plain = uuid.strip_prefix("urn:uuid:").unwrap_or(uuid);
    let formed = plain.len() == 36
        && plain.bytes().enumerate().all(|(i, b)| match i {
            8 | 13 | 18 | 23 => b == b'-',
            _ => b.is_ascii_hexdigit(),
        });
    if formed {
        Ok(format!("urn:uuid:{plain}"))
    } else {
        Err(bad(format!("'{uuid}' is not a UUID")))
    }
}

fn author(name: &str, address: &str) -> Outcome<Element> {
    if !address
        .split_once('@')
        .is_some_and(|(a, b)| !a.is_empty() && !b.is_empty() && !b.contains('@'))
    {
        return Err(bad(format!("'{address}' is not an e-mail address")));
    }
    Ok(node("author", vec![leaf("name", name), leaf("emailAddress", address)]))
}

fn clip_id(plate: &PlateAmf<'_>) -> Outcome<Element> {
    let (first, last) = (plate.frames.first(), plate.frames.last());
    if first < 0 {
        return Err(bad(format!("frame {first} is below 0, which an AMF cannot name")));
    }
    let naming = plate.naming;
    relative(&naming.stem)?;
    let digits = "#".repeat(usize::from(naming.padding.max(1)));
    let mut sequence = leaf("sequence", &format!("{}.{digits}.exr", naming.stem));
    for (name, value) in
        [("idx", "#".to_owned()), ("min", first.to_string()), ("max", last.to_string())]
    {
        set(&mut sequence, name, &value);
    }
    Ok(node("clipId", vec![leaf("clipName", plate.clip_name), sequence]))
}

/// Paths in an AMF point beside it or below it.
pub(super) fn relative(path: &str) -> Outcome<()> {
    let leaves = path.is_empty()
        || path.contains('\\')
        || path.starts_with('/')
        || path.split('/').any(|part| part == ".." || part.is_empty());
    if leaves {
        return Err(bad(format!("path '{path}' does not stay beside the AMF")));
    }
    Ok(())
}

fn output(plate: &PlateAmf<'_>) -> Outcome<Element> {
    let came = plate.incoming.and_then(|incoming| {
        let mut stages = incoming.amf.pipeline.stages.iter();
        let stage = stages.find(|stage| stage.kind == StageKind::Output)?;
        Some((incoming, stage.element.clone()))
    });
    if let (None, Some((incoming, mut output))) = (plate.viewing, came) {
        mend(&mut output);
        flag(&mut output, incoming.shown);
        moved(&mut output, &incoming)?;
        return Ok(output);
    }
    let viewing = plate.viewing.unwrap_or_default();
    let id = output_id(viewing.output);
    // ACES 1 knows most displays as two transforms, of which the first is always the same.
    let children = if id.contains(":ODT.") {
        let rendering = "urn:ampas:aces:transformId:v1.5:RRT.a1.0.3";
        vec![step("referenceRenderingTransform", rendering), step("outputDeviceTransform", &id)]
    } else {
        vec![leaf("transformId", &id)]
    };
    let mut output = node("outputTransform", children);
    set(&mut output, "applied", if viewing.applied { "true" } else { "false" });
    Ok(output)
}

/// The id of a look of ours, however it was asked for.
fn look_id(name: &str) -> String {
    let known = registry::find(name).map(|known| known.meaning);
    let meaning = known.unwrap_or_else(|| {
        let (lower, look) = (name.to_ascii_lowercase(), registry::GAMUT_COMPRESSION);
        if lower.contains("gamut compress") || lower.contains("gamutcompress") {
            let inverse = if name.starts_with("Inv") { "Inv" } else { "" };
            Meaning::Look(format!("{inverse}{look}"))
        } else if lower.contains("blue light") {
            Meaning::Look("ACES 1 Blue Light Artifact Fix".to_owned())
        } else {
            Meaning::Look(name.to_owned())
        }
    });
    registry::id_of(&meaning).unwrap_or_else(|| own::look(name))
}

/// The id of an output of ours. One that is in no registry (another peak) has an id of our own.
fn output_id(name: &str) -> String {
    registry::id_of(&Meaning::FromAces(name.to_owned())).unwrap_or_else(|| own::output(name))
}

/// The ACES version of the pipeline: what its output is of, else what the incoming AMF says.
fn system_version(plate: &PlateAmf<'_>, output: &Element) -> [u32; 3] {
    let incoming = plate.incoming.and_then(|incoming| incoming.amf.pipeline.system_version);
    if let (None, Some(version)) = (plate.viewing, incoming) {
        return version;
    }
    let id = output.text_of("transformId").unwrap_or_default();
    if id.contains(":v2.0:") { [2, 0, 0] } else { [1, 3, 0] }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn missing_uuids_are_counted_on() {
        let urn = "urn:uuid:3d1c27f0-26c5-4a0f-9f5a-5a3f0f1e2dff";
        assert_eq!(numbered(urn, 0), "urn:uuid:3d1c27f0-26c5-4a0f-9f5a-5a3f0f1e2e00");
        assert_eq!(numbered(urn, 1).len(), urn.len());
    }
}
