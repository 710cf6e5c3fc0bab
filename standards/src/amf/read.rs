//! Reading AMF 1.0 and 2.0 leniently: what is there is told, what is missing
//! is absent. Nothing is resolved or applied here.

use crate::clf::cdl_fault;
use crate::xml::{self, Element};
use platefarm_model::{Code, Fault, Outcome};

/// An AMF.
#[derive(Clone, Debug, PartialEq)]
pub struct Amf {
    /// Major version of the schema: 1 or 2.
    pub version: u32,
    /// Description of the file.
    pub description: Option<String>,
    /// UUID of the file, without `urn:uuid:`; version 1 may leave it out.
    pub uuid: Option<String>,
    /// The clip that it is for.
    pub clip: Option<Clip>,
    /// What is applied and what is to be applied.
    pub pipeline: Pipeline,
    /// Earlier pipelines, kept for the record.
    pub archived: Vec<Pipeline>,
}

/// The clip that an AMF is for.
#[derive(Clone, Debug, PartialEq)]
pub struct Clip {
    /// Its name.
    pub name: String,
    /// Its media, where they are named.
    pub media: Option<ClipMedia>,
}

/// How an AMF names media.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ClipMedia {
    /// Frames of a sequence.
    Sequence {
        /// File name with a run of `placeholder` for the number.
        pattern: String,
        /// The placeholder.
        placeholder: String,
        /// First frame number.
        first: i64,
        /// Last frame number.
        last: i64,
    },
    /// A file.
    File(String),
    /// A UUID, without `urn:uuid:`.
    Uuid(String),
}

/// A chain of transforms.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Pipeline {
    /// Description.
    pub description: Option<String>,
    /// UUID, without `urn:uuid:`.
    pub uuid: Option<String>,
    /// ACES version.
    pub system_version: Option<[u32; 3]>,
    /// Its transforms and markers, in order of application.
    pub stages: Vec<Stage>,
    /// The element as it was read, for writing it again.
    pub(crate) element: Element,
}

/// What a stage of a pipeline is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StageKind {
    /// Camera to ACES2065-1.
    Input,
    /// Where work on the picture happens.
    WorkingLocation,
    /// ACES2065-1 to ACES2065-1.
    Look,
    /// ACES2065-1 to a display.
    Output,
}

/// A stage of a pipeline.
#[derive(Clone, Debug, PartialEq)]
pub struct Stage {
    /// What it is.
    pub kind: StageKind,
    /// Whether it is in the pixels; absent where the version does not say, which means no.
    pub applied: Option<bool>,
    /// Description.
    pub description: Option<String>,
    /// The transforms that make it, in order; two for RRT and ODT.
    pub references: Vec<Reference>,
    /// Hash of the referenced transform.
    pub hash: Option<Hash>,
    /// A grade in the file itself.
    pub cdl: Option<Cdl>,
    /// Which correction of the referenced file is meant, where it holds some.
    pub correction: Option<String>,
    /// The space that a grade works in.
    pub space: Option<WorkingSpace>,
    /// The element as it was read, for writing it again.
    pub(crate) element: Element,
}

/// The transforms around a grade. One of them says the other.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct WorkingSpace {
    /// Id of the transform from ACES2065-1.
    pub to: Option<String>,
    /// Id of the transform back.
    pub from: Option<String>,
}

/// How a transform is named.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reference {
    /// An id of the ACES registry, or one that looks like it.
    TransformId(String),
    /// A file, by a relative path.
    File(String),
    /// A UUID, without `urn:uuid:`.
    Uuid(String),
}

/// A hash as it is written: base64 by the schema, hexadecimal in many files.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hash {
    /// `sha256`, `sha1`, `md5`: what follows the `#` of the URI.
    pub algorithm: String,
    /// As written.
    pub text: String,
}

/// An ASC CDL inside a look.
#[derive(Clone, Debug, PartialEq)]
pub struct Cdl {
    /// Slope per channel.
    pub slope: [f64; 3],
    /// Offset per channel.
    pub offset: [f64; 3],
    /// Power per channel.
    pub power: [f64; 3],
    /// Saturation.
    pub saturation: f64,
}

impl Amf {
    /// Reads an AMF of version 1 or 2.
    ///
    /// # Errors
    /// [`Code::BadAmf`] when it is not XML, not an AMF, of another version, has no
    /// pipeline, or has a number or an applied flag that cannot be read, or a CDL that is none.
    pub fn parse(bytes: &[u8]) -> Outcome<Self> {
        let root = xml::read(bytes, Code::BadAmf)?;
        if &*root.name != "acesMetadataFile" || !root.namespace.starts_with("urn:ampas:aces:amf:") {
            let message = format!("'{}' in '{}' is not an AMF", root.name, root.namespace);
            return Err(Fault::new(Code::BadAmf, message));
        }
        let written = root.attribute("version").unwrap_or_default();
        let version = match written.split('.').next() {
            Some("1") => 1,
            Some("2") => 2,
            _ => return Err(Fault::new(Code::BadAmf, format!("version '{written}' is not read"))),
        };
        let info = root.child("amfInfo");
        let pipeline = root
            .child("pipeline")
            .ok_or_else(|| Fault::new(Code::BadAmf, "there is no pipeline"))?;
        Ok(Self {
            version,
            description: info.and_then(|info| owned(info, "description")),
            uuid: info.and_then(uuid),
            clip: root.child("clipId").map(clip).transpose()?,
            pipeline: self::pipeline(pipeline).map_err(|fault| fault.within("pipeline"))?,
            archived: root
                .all("archivedPipeline")
                .map(self::pipeline)
                .collect::<Outcome<_>>()
                .map_err(|fault| fault.within("archivedPipeline"))?,
        })
    }
}

impl Cdl {
    /// As colour takes it: without clamping, negatives passing the power, since AMF does not say
    /// which is meant and scene light lives above 1.
    #[must_use]
    pub const fn link(&self) -> platefarm_model::color::chain::Cdl {
        platefarm_model::color::chain::Cdl {
            slope: self.slope,
            offset: self.offset,
            power: self.power,
            saturation: self.saturation,
            clamp: false,
            inverse: false,
        }
    }
}

impl Stage {
    /// Whether it is in the pixels.
    #[must_use]
    pub fn is_applied(&self) -> bool {
        self.applied == Some(true)
    }
}

fn owned(element: &Element, name: &str) -> Option<String> {
    element.text_of(name).filter(|text| !text.is_empty()).map(str::to_owned)
}

fn uuid(element: &Element) -> Option<String> {
    let text = element.text_of("uuid").filter(|text| !text.is_empty())?;
    Some(text.strip_prefix("urn:uuid:").unwrap_or(text).to_owned())
}

fn number<T: std::str::FromStr>(text: Option<&str>, what: &str) -> Outcome<T> {
    let text = text.unwrap_or_default().trim();
    text.parse().map_err(|_| Fault::new(Code::BadAmf, format!("{what} '{text}' is not a number")))
}

fn clip(element: &Element) -> Outcome<Clip> {
    let media = if let Some(sequence) = element.child("sequence") {
        Some(ClipMedia::Sequence {
            pattern: sequence.text.trim().to_owned(),
            placeholder: sequence.attribute("idx").unwrap_or("#").to_owned(),
            first: number(sequence.attribute("min"), "min").map_err(|f| f.at("clipId"))?,
            last: number(sequence.attribute("max"), "max").map_err(|f| f.at("clipId"))?,
        })
    } else {
        let file = owned(element, "file").map(ClipMedia::File);
        file.or_else(|| uuid(element).map(ClipMedia::Uuid))
    };
    Ok(Clip { name: owned(element, "clipName").unwrap_or_default(), media })
}

fn pipeline(element: &Element) -> Outcome<Pipeline> {
    let info = element.child("pipelineInfo");
    let system_version = info
        .and_then(|info| info.child("systemVersion"))
        .map(|version| -> Outcome<[u32; 3]> {
            let part = |name| number(version.text_of(name), name);
            Ok([part("majorVersion")?, part("minorVersion")?, part("patchVersion")?])
        })
        .transpose()?;
    let mut stages = Vec::new();
    for child in &element.children {
        let kind = match &*child.name {
            "inputTransform" => StageKind::Input,
            "workingLocation" => StageKind::WorkingLocation,
            "lookTransform" => StageKind::Look,
            "outputTransform" => StageKind::Output,
            _ => continue,
        };
        stages.push(stage(kind, child).map_err(|fault| fault.within(&child.name))?);
    }
    Ok(Pipeline {
        description: info.and_then(|info| owned(info, "description")),
        uuid: info.and_then(uuid),
        system_version,
        stages,
        element: element.clone(),
    })
}

fn stage(kind: StageKind, element: &Element) -> Outcome<Stage> {
    let applied = match element.attribute("applied").map(str::trim) {
        None => None,
        Some("true" | "1") => Some(true),
        Some("false" | "0") => Some(false),
        Some(other) => {
            let message = format!("applied is '{other}', must be true or false");
            return Err(Fault::new(Code::BadAmf, message));
        }
    };
    let mut references = Vec::new();
    gather(element, &mut references);
    let hash = element.child("hash").map(|hash| Hash {
        algorithm: hash
            .attribute("algorithm")
            .map(|uri| uri.rsplit('#').next().unwrap_or(uri).to_owned())
            .unwrap_or_default(),
        text: hash.text.trim().to_owned(),
    });
    Ok(Stage {
        kind,
        applied,
        description: owned(element, "description"),
        references,
        hash,
        cdl: cdl(element)?,
        correction: element
            .child("ColorCorrectionRef")
            .and_then(|node| node.attribute("ref"))
            .map(str::to_owned),
        space: element.child("cdlWorkingSpace").map(|space| {
            let id = |name: &str| space.child(name).and_then(|s| owned(s, "transformId"));
            WorkingSpace { to: id("toCdlWorkingSpace"), from: id("fromCdlWorkingSpace") }
        }),
        element: element.clone(),
    })
}

/// The references of a transform, those of its parts after its own.
fn gather(element: &Element, found: &mut Vec<Reference>) {
    for child in &element.children {
        let text = || child.text.trim().to_owned();
        match &*child.name {
            "transformId" => found.push(Reference::TransformId(text())),
            "file" => found.push(Reference::File(text())),
            "uuid" => found.extend(uuid(element).map(Reference::Uuid)),
            "referenceRenderingTransform"
            | "outputDeviceTransform"
            | "inverseOutputTransform"
            | "inverseOutputDeviceTransform"
            | "inverseReferenceRenderingTransform" => gather(child, found),
            _ => {}
        }
    }
}

/// The nodes have two spellings by the CDL schema's substitution groups.
fn cdl(element: &Element) -> Outcome<Option<Cdl>> {
    let either = |a: &str, b: &str| element.child(a).or_else(|| element.child(b)).cloned();
    let sop = either("SOPNode", "ASC_SOP");
    let saturation = either("SatNode", "ASC_SAT");
    if sop.is_none() && saturation.is_none() {
        return Ok(None);
    }
    let triple = |name: &str, neutral: f64| -> Outcome<[f64; 3]> {
        let Some(text) = sop.as_ref().and_then(|sop| sop.text_of(name)) else {
            return Ok([neutral; 3]);
        };
        let numbers: Vec<f64> =
            text.split_whitespace().map(|word| number(Some(word), name)).collect::<Outcome<_>>()?;
        <[f64; 3]>::try_from(numbers)
            .map_err(|_| Fault::new(Code::BadAmf, format!("{name} '{text}' is not three numbers")))
    };
    let cdl = Cdl {
        slope: triple("Slope", 1.0)?,
        offset: triple("Offset", 0.0)?,
        power: triple("Power", 1.0)?,
        saturation: match saturation.as_ref().and_then(|node| node.text_of("Saturation")) {
            Some(text) => number(Some(text), "Saturation")?,
            None => 1.0,
        },
    };
    match cdl_fault(&cdl.link()) {
        Some((place, message)) => Err(Fault::new(Code::BadAmf, message).at(place)),
        None => Ok(Some(cdl)),
    }
}
