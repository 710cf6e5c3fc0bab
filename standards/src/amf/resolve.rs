//! From what an AMF says to steps that can be computed: ids through the
//! registry, files beside the AMF with their hashes. Nothing is skipped in
//! silence: what cannot be had is an error, and what is not used is reported.
//!
//! What is applied is in the pixels already and is never done again; so
//! nobody needs to resolve it, and what stands before it must be applied too.

use super::registry::{self, Meaning};
use super::{Amf, Reference, Stage, StageKind, hash};
use crate::look;
use platefarm_model::color::recipe::{ACES, DEFAULT_VIEW};
use platefarm_model::recipe::{ColorFile, ColorRecipe, ColorStep, OutputColor};
use platefarm_model::{Code, Fault, Outcome, limits};

/// A file that was found: where it is, and its bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// Its path, for recipes.
    pub path: String,
    /// Its content.
    pub bytes: Vec<u8>,
}

/// Finds a file by its name in the AMF: a relative path with `/`.
pub type Finder<'a> = &'a dyn Fn(&str) -> Outcome<Found>;

/// An AMF whose transforms are had.
#[derive(Clone, Debug, PartialEq)]
pub struct Resolved {
    /// Its stages, in order of application.
    pub stages: Vec<ResolvedStage>,
    /// What was assumed.
    pub notes: Vec<Fault>,
}

/// A stage whose transforms are had.
#[derive(Clone, Debug, PartialEq)]
pub struct ResolvedStage {
    /// What it is.
    pub kind: StageKind,
    /// Whether it is in the pixels.
    pub applied: bool,
    /// What the AMF calls it: its description, else its id or file.
    pub label: String,
    /// What it does; empty where it is applied, or does nothing.
    pub steps: Vec<ColorStep>,
    /// The file that it names, by its name in the AMF and as it was found.
    pub file: Option<(String, Found)>,
}

/// What a clip's pixels are, as far as an input transform has to know.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pixels<'a> {
    /// Sensor data, developed by the camera's numbers.
    Raw,
    /// A picture that is ACES2065-1 by its own word.
    Aces,
    /// Linear light without primaries, and numbers without a word: what they are is only assumed.
    Silent,
    /// What they are was said by a person, before whatever file and AMF say.
    Named,
    /// Any other picture, and what its file says it is; empty where nobody can tell.
    Picture(&'a str),
}

impl Amf {
    /// Finds the transforms of its pipeline.
    ///
    /// # Errors
    /// [`Code::UnresolvedTransform`] for an id that is not known or not computed and a file that is
    /// not there; [`Code::HashMismatch`]; [`Code::BadLook`]; [`Code::BadAmf`] for a pipeline that
    /// contradicts itself.
    pub fn resolve(&self, find: Finder<'_>) -> Outcome<Resolved> {
        let mut resolved = Resolved { stages: Vec::new(), notes: Vec::new() };
        let mut held = 0_u64;
        let mut open: Option<&str> = None;
        for (i, stage) in self.pipeline.stages.iter().enumerate() {
            let place = place(i, stage);
            let applied = stage.is_applied();
            if stage.kind != StageKind::WorkingLocation {
                if let (true, Some(before)) = (applied, open) {
                    let message = format!("it is applied, and the {before} before it is not");
                    return Err(Fault::new(Code::BadAmf, message).at(place).remedy(
                        "What is in the pixels stands before what is not: correct the applied flags.",
                    ));
                }
                if !applied {
                    open = Some(stage.kind.element());
                }
            }
            let done = resolve(stage, find, &mut resolved.notes).map_err(|f| f.within(&place))?;
            // A small AMF may name one large file many times.
            held += done.file.as_ref().map_or(0, |(_, found)| found.bytes.len() as u64);
            if held > limits::MAX_DOCUMENT_BYTES {
                let message = "the files that it names are larger together than any document";
                return Err(Fault::new(Code::BadAmf, message).within(&place));
            }
            resolved.stages.push(done);
        }
        Ok(resolved)
    }

    /// Everything of its pipeline that cannot be had, where [`Amf::resolve`] stops at the first.
    #[must_use]
    pub fn unresolved(&self, find: Finder<'_>) -> Vec<Fault> {
        let mut notes = Vec::new();
        let stages = self.pipeline.stages.iter().enumerate();
        let faults = stages.filter_map(|(i, stage)| {
            resolve(stage, find, &mut notes).err().map(|fault| fault.within(place(i, stage)))
        });
        faults.collect()
    }
}

/// Where a stage stands.
fn place(i: usize, stage: &Stage) -> String {
    format!("pipeline: stage {} ({})", i + 1, stage.kind.element())
}

impl StageKind {
    /// Name of its element.
    #[must_use]
    pub const fn element(self) -> &'static str {
        match self {
            Self::Input => "inputTransform",
            Self::WorkingLocation => "workingLocation",
            Self::Look => "lookTransform",
            Self::Output => "outputTransform",
        }
    }
}

fn resolve(stage: &Stage, find: Finder<'_>, notes: &mut Vec<Fault>) -> Outcome<ResolvedStage> {
    let first = stage.references.first().map(|reference| match reference {
        Reference::TransformId(id) | Reference::File(id) | Reference::Uuid(id) => id.clone(),
    });
    let label = stage.description.clone().or(first).unwrap_or_else(|| {
        if stage.cdl.is_some() { "ASC CDL".into() } else { stage.kind.element().into() }
    });
    let (kind, applied) = (stage.kind, stage.is_applied());
    let mut out = ResolvedStage { kind, applied, label, steps: Vec::new(), file: None };
    if applied || kind == StageKind::WorkingLocation {
        out.file = stage.references.iter().find_map(|reference| kept(stage, reference, find));
        return Ok(out);
    }
    if let Some(cdl) = &stage.cdl {
        out.steps = in_working_space(stage, ColorStep::Cdl(cdl.link()), notes)?;
        return Ok(out);
    }
    if stage.references.is_empty() {
        let message = "it names no transform, file or correction";
        return Err(Fault::new(Code::BadAmf, message));
    }
    for reference in &stage.references {
        match reference {
            Reference::Uuid(uuid) => {
                return Err(Fault::new(
                    Code::UnresolvedTransform,
                    format!("uuid '{uuid}' says nothing of where the transform is"),
                ));
            }
            Reference::File(name) => {
                let found = find(name)?;
                hash::check(stage.hash.as_ref(), &found.bytes).map_err(|f| f.at(name.clone()))?;
                look::parse(name, &found.bytes, stage.correction.as_deref())?;
                let step = ColorStep::File(ColorFile {
                    path: found.path.clone(),
                    sha256: hash::sha256_hex(&found.bytes),
                    id: stage.correction.clone(),
                });
                if stage.correction.is_some() {
                    out.steps = in_working_space(stage, step, notes)?;
                } else {
                    out.steps.push(step);
                }
                out.file = Some((name.clone(), found));
            }
            Reference::TransformId(id) => out.steps.extend(registered(kind, id)?),
        }
    }
    Ok(out)
}

/// The file of a transform that is in the pixels: nobody needs it, but where it is there, and the one
/// that is meant, it goes along.
fn kept(stage: &Stage, reference: &Reference, find: Finder<'_>) -> Option<(String, Found)> {
    let Reference::File(name) = reference else { return None };
    let found = find(name).ok()?;
    hash::check(stage.hash.as_ref(), &found.bytes).ok()?;
    Some((name.clone(), found))
}

/// The step of a registered id, where such a one may stand.
fn registered(kind: StageKind, id: &str) -> Outcome<Option<ColorStep>> {
    let known = registry::resolve(id)?;
    let wrong = || {
        let message = format!("'{}' ({}) is no {}", known.id, known.name, kind.element());
        Err(Fault::new(Code::UnresolvedTransform, message)
            .remedy("Name a transform that goes this way."))
    };
    Ok(match (kind, known.meaning.clone()) {
        (_, Meaning::Unity) | (StageKind::Input | StageKind::Output, Meaning::Rendering) => None,
        (StageKind::Input, Meaning::ToAces(name)) => Some(ColorStep::ToAces(name)),
        (StageKind::Look, Meaning::Look(name)) => Some(ColorStep::Look(name)),
        (StageKind::Output, Meaning::FromAces(name)) => Some(ColorStep::FromAces(name)),
        _ => return wrong(),
    })
}

/// A correction between the transforms into its working space and back. One
/// of them says the other.
fn in_working_space(
    stage: &Stage,
    step: ColorStep,
    notes: &mut Vec<Fault>,
) -> Outcome<Vec<ColorStep>> {
    let Some(space) = &stage.space else {
        let message = "no working space is given for the CDL: it works on ACES2065-1, as looks do";
        notes.push(Fault::new(Code::ColorAssumed, message).at("cdlWorkingSpace"));
        return Ok(vec![step]);
    };
    let meaning = |id: &Option<String>| -> Outcome<Option<Meaning>> {
        id.as_deref().map(|id| registry::resolve(id).map(|known| known.meaning)).transpose()
    };
    let (to, from) = (meaning(&space.to)?, meaning(&space.from)?);
    let wrong = |what: &str| {
        Fault::new(Code::UnresolvedTransform, format!("the CDL's working space {what}"))
            .at("cdlWorkingSpace")
            .remedy("Name the conversion from ACES2065-1 and the one back, as for ACEScct.")
    };
    let there = match &to {
        Some(Meaning::FromAces(name)) => Some(name.clone()),
        Some(Meaning::Unity) | None => None,
        Some(_) => {
            return Err(wrong("is entered by a transform that does not lead from ACES2065-1"));
        }
    };
    let back = match &from {
        Some(Meaning::ToAces(name)) => Some(name.clone()),
        Some(Meaning::Unity) | None => None,
        Some(_) => return Err(wrong("is left by a transform that does not lead to ACES2065-1")),
    };
    let unity = [&to, &from].contains(&&Some(Meaning::Unity));
    let (there, back) = match (there, back) {
        (Some(a), Some(b)) => (a, b),
        (Some(a), None) | (None, Some(a)) => (a.clone(), a),
        (None, None) if unity => return Ok(vec![step]),
        (None, None) => return Err(wrong("has no transforms")),
    };
    Ok(vec![ColorStep::FromAces(there), step, ColorStep::ToAces(back)])
}

impl Resolved {
    fn steps(&self, kind: StageKind) -> Vec<ColorStep> {
        let stages = self.stages.iter().filter(|stage| stage.kind == kind && !stage.applied);
        stages.flat_map(|stage| stage.steps.iter().cloned()).collect()
    }

    fn stage(&self, kind: StageKind) -> Option<&ResolvedStage> {
        self.stages.iter().find(|stage| stage.kind == kind)
    }

    /// What is still to be done to the pixels, up to the display.
    #[must_use]
    pub fn remaining(&self) -> Vec<ColorStep> {
        let all = self.stages.iter().filter(|stage| !stage.applied);
        all.flat_map(|stage| stage.steps.iter().cloned()).collect()
    }

    /// The display that it is made for, where it is one of ours.
    fn view(&self) -> Option<&str> {
        match self.stage(StageKind::Output)?.steps.last() {
            Some(ColorStep::FromAces(name)) => Some(name),
            _ => None,
        }
    }

    /// Whether a stage of a kind is in the pixels.
    #[must_use]
    pub fn has_applied(&self, kind: StageKind) -> bool {
        self.stages.iter().any(|stage| stage.kind == kind && stage.applied)
    }

    /// The input transform's name, and whether it is in the pixels; none where the AMF has none.
    #[must_use]
    pub fn input_said(&self) -> Option<(&str, bool)> {
        self.stage(StageKind::Input).map(|stage| (stage.label.as_str(), stage.applied))
    }

    /// What takes a clip's codes to ACES2065-1, where that is not for its reader to know, and what
    /// is to be said about it.
    ///
    /// # Errors
    /// [`Code::BadAmf`] for pixels that have an output transform already, and for a file that
    /// contradicts what the AMF says of it.
    pub fn input(&self, pixels: Pixels<'_>) -> Outcome<(Vec<ColorStep>, Option<Fault>)> {
        if self.has_applied(StageKind::Output) {
            let message = "the output transform is applied: the pixels are made for a display";
            return Err(Fault::new(Code::BadAmf, message)
                .at("outputTransform")
                .remedy("Give the original, or an AMF of what these pixels are."));
        }
        let Some(stage) = self.stage(StageKind::Input) else { return Ok((Vec::new(), None)) };
        let label = &stage.label;
        let unused = |why: &str| {
            let message = format!("the input transform of the AMF ({label}) is not used: {why}");
            Ok((Vec::new(), Some(Fault::new(Code::ColorAssumed, message))))
        };
        // By the AMF they are there: it was applied, or it is one that does nothing.
        let there = stage.applied || stage.steps.is_empty();
        let claim = if stage.applied { "is applied" } else { "changes nothing" };
        match pixels {
            Pixels::Raw => unused("camera raw is developed straight to ACES2065-1"),
            Pixels::Aces if there => Ok((Vec::new(), None)),
            Pixels::Aces => unused("the file is ACES2065-1 by its own word"),
            Pixels::Named => Ok((Vec::new(), None)),
            Pixels::Silent if there => {
                let message = format!(
                    "the pixels are taken as ACES2065-1: the input transform of the AMF ({label}) {claim}, and nothing else says what they are"
                );
                let note = Fault::new(Code::ColorAssumed, message);
                Ok((vec![ColorStep::ToAces(ACES.into())], Some(note)))
            }
            Pixels::Picture(says) if there => Err(contradiction(label, claim, says)),
            Pixels::Silent | Pixels::Picture(_) => Ok((stage.steps.clone(), None)),
        }
    }

    /// Looks that are not in the pixels, on ACES2065-1.
    #[must_use]
    pub fn looks(&self) -> Vec<ColorStep> {
        self.steps(StageKind::Look)
    }

    /// What a clip's recipe takes of it, and what it does not: plates have the
    /// input transform only, what is made for a display has the looks too.
    ///
    /// # Errors
    /// Those of [`Resolved::input`].
    pub fn recipe(
        &self,
        pixels: Pixels<'_>,
        out: &OutputColor,
    ) -> Outcome<(ColorRecipe, Vec<Fault>)> {
        let (input, said) = self.input(pixels)?;
        let mut notes = self.notes.clone();
        notes.extend(said);
        let mut recipe = ColorRecipe { input, ..ColorRecipe::default() };
        if out.meaning()?.display {
            recipe.looks = self.looks();
        }
        let view = self.view().map_or_else(
            || self.stage(StageKind::Output).map(|s| s.label.clone()),
            |v| Some(v.to_owned()),
        );
        if view.is_none() {
            let message =
                format!("the AMF has no output transform: {DEFAULT_VIEW} is taken for viewing");
            notes.push(Fault::new(Code::ColorAssumed, message));
        }
        recipe.view = Some(view.unwrap_or_else(|| DEFAULT_VIEW.to_owned()));
        Ok((recipe, notes))
    }
}

/// The AMF says that pixels are ACES2065-1, and their file that they are not.
fn contradiction(label: &str, claim: &str, says: &str) -> Fault {
    let says = if says.is_empty() {
        "the file does not say what its codes are".to_owned()
    } else {
        format!("the file says '{says}'")
    };
    let message = format!(
        "by the AMF the pixels are ACES2065-1, since its input transform ({label}) {claim}; {says}"
    );
    Fault::new(Code::BadAmf, message).at("inputTransform").remedy(
        "Correct the flag of the AMF or the file's own word; `platefarm render --color-in ACES2065-1` believes the AMF, --color-in with another space neither of both.",
    )
}

/// The recipe where there is no AMF, and what is assumed: the rule of defaults.
#[must_use]
pub fn without_amf() -> (ColorRecipe, Fault) {
    let message = format!(
        "no AMF was given: plates have the input transform alone, and {DEFAULT_VIEW} is taken for viewing"
    );
    let recipe = ColorRecipe { view: Some(DEFAULT_VIEW.to_owned()), ..ColorRecipe::default() };
    (recipe, Fault::new(Code::ColorAssumed, message))
}
