//! An AMF that came with a clip or a show, and whose word is taken of what a
//! clip's pixels are: the camera's, a person's, the file's or the AMF's.

use super::beside::plain;
use super::{Amf, Finder, Found, Pixels, Resolved, Stage, StageKind};
use platefarm_model::clip::ClipInfo;
use platefarm_model::color::name;
use platefarm_model::color::recipe::ACES;
use platefarm_model::recipe::{ColorStep, OutputColor};
use platefarm_model::{Code, Fault, Outcome};

/// An AMF that came with a clip or a show, with what it names.
#[derive(Clone, Debug, PartialEq)]
pub struct IncomingAmf {
    /// Its name, for reports.
    pub name: String,
    /// What it says.
    pub amf: Amf,
    /// Its transforms.
    pub resolved: Resolved,
    /// The same for camera raw, where that is another: see [`IncomingAmf::of`].
    pub raw: Option<Box<Outcome<IncomingAmf>>>,
}

impl IncomingAmf {
    /// Reads one and finds what it names.
    ///
    /// # Errors
    /// Those of [`Amf::parse`] and [`Amf::resolve`].
    pub fn read(name: &str, bytes: &[u8], find: Finder<'_>) -> Outcome<Self> {
        let amf = Amf::parse(bytes).map_err(|fault| fault.within(name))?;
        let resolved = amf.resolve(find).map_err(|fault| fault.within(name))?;
        let raw = for_raw(name, &amf, &resolved, find).map(Box::new);
        Ok(Self { name: name.to_owned(), amf, resolved, raw })
    }

    /// It as it is for a clip. Looks that it says are applied are in pixels that somebody else
    /// made, and not in camera raw, which is developed straight to ACES2065-1: there they are still
    /// ahead.
    ///
    /// # Errors
    /// Those of [`Amf::resolve`], for a look that nobody needed to have as long as it was applied.
    pub fn of(&self, clip: &ClipInfo) -> Outcome<&Self> {
        match self.raw.as_deref().filter(|_| is_raw(clip)) {
            Some(raw) => raw.as_ref().map_err(Fault::clone),
            None => Ok(self),
        }
    }

    /// What it is looked at in: a transform of ours or a file; none where it does not say.
    ///
    /// # Errors
    /// [`Code::BadAmf`] where that is in the pixels already.
    pub fn view(&self) -> Outcome<Option<OutputColor>> {
        if self.resolved.has_applied(StageKind::Output) {
            let message = "the output transform is applied: nothing is left to be done";
            return Err(Fault::new(Code::BadAmf, message).at(self.name.clone()));
        }
        let mut stages = self.resolved.stages.iter();
        let output = stages.find(|stage| stage.kind == StageKind::Output);
        match output.and_then(|stage| stage.steps.last()) {
            Some(ColorStep::FromAces(name)) => OutputColor::named(name).map(Some),
            Some(ColorStep::File(file)) => Ok(Some(OutputColor::by_file(file.clone()))),
            _ => Ok(None),
        }
    }

    /// Every file that is had of what it names, whatever the pixels are: its name there, and it.
    pub fn found(&self) -> impl Iterator<Item = (StageKind, &(String, Found))> {
        let whole = self.raw.as_deref().and_then(|raw| raw.as_ref().ok()).unwrap_or(self);
        let stages = whole.resolved.stages.iter();
        stages.filter_map(|stage| Some((stage.kind, stage.file.as_ref()?)))
    }

    /// The files of its looks: the name there, the one beside a new AMF, the
    /// content. Those of one name from several directories are told apart.
    #[must_use]
    pub fn files(&self) -> Vec<(String, String, Vec<u8>)> {
        let mut files: Vec<(String, String, Vec<u8>)> = Vec::new();
        let looks = self.found().filter(|(kind, _)| *kind != StageKind::Input);
        for (_, (name, found)) in looks {
            if files.iter().any(|(known, ..)| known == name) {
                continue;
            }
            let plain = plain(&found.path);
            let mut beside = plain.clone();
            let mut copy = 2;
            while files.iter().any(|(_, taken, _)| *taken == beside) {
                beside = format!("{copy}_{plain}");
                copy += 1;
            }
            files.push((name.clone(), beside, found.bytes.clone()));
        }
        files
    }
}

/// Whether a stage is a look that is said to be in the pixels.
fn is_applied_look(stage: &Stage) -> bool {
    stage.kind == StageKind::Look && stage.is_applied()
}

/// An AMF for camera raw, where it says that looks are in the pixels. (What has an output transform
/// in it is no AMF of a plate, whatever the clip.)
fn for_raw(
    name: &str,
    amf: &Amf,
    resolved: &Resolved,
    find: Finder<'_>,
) -> Option<Outcome<IncomingAmf>> {
    let stages = amf.pipeline.stages.iter().zip(&resolved.stages);
    let looks = stages.filter(|(stage, _)| is_applied_look(stage));
    let labels: Vec<&str> = looks.map(|(_, resolved)| resolved.label.as_str()).collect();
    if labels.is_empty() || resolved.has_applied(StageKind::Output) {
        return None;
    }
    let message = format!(
        "looks that the AMF says are applied ({}) are taken as not applied: camera raw is developed straight to ACES2065-1, and they are not in it",
        labels.join(", ")
    );
    let mut amf = amf.clone();
    for stage in amf.pipeline.stages.iter_mut().filter(|stage| is_applied_look(stage)) {
        stage.applied = Some(false);
    }
    let raw = amf.resolve(find).map_err(needed).map(|mut resolved| {
        resolved.notes.push(Fault::new(Code::ColorAssumed, message));
        IncomingAmf { name: name.to_owned(), amf, resolved, raw: None }
    });
    Some(raw)
}

/// Why a look is needed that the AMF says is applied, and the way out. Nothing else can be missing for
/// camera raw alone.
fn needed(mut fault: Fault) -> Fault {
    fault.message.push_str(
        "; the AMF says that this look is applied, but camera raw is developed straight to ACES2065-1 and does not have it, so it is still ahead",
    );
    let out = "Or, if these frames are to be without the look, give an AMF that does not have it.";
    let remedy = format!("{} {out}", fault.remedy_text());
    fault.remedy(remedy)
}

/// What a clip's pixels are, as far as an input transform has to know.
#[must_use]
pub fn pixels(clip: &ClipInfo) -> Pixels<'_> {
    if is_raw(clip) {
        return Pixels::Raw;
    }
    match clip.color_space.as_deref() {
        Some(ACES) => Pixels::Aces,
        Some(_)
            if clip.primaries_assumed && own_space(clip).is_some_and(|s| s.meaning().linear) =>
        {
            Pixels::Silent
        }
        says => Pixels::Picture(says.unwrap_or_default()),
    }
}

/// What is said where a person's word of what a clip's codes are goes before that of its AMF:
/// all that is claimed. `by` is where it was said.
#[must_use]
pub fn overruled(incoming: &IncomingAmf, clip: &ClipInfo, by: &str, name: &str) -> Option<Fault> {
    let (label, applied) = incoming.resolved.input_said()?;
    let applied = if applied { "applied, so ACES2065-1" } else { "to be applied" };
    let file = match &clip.color_space {
        // Whoever said it wrote it there.
        Some(space) if space == name => String::new(),
        Some(space) if clip.primaries_assumed => format!("; the file is silent ({space} assumed)"),
        Some(space) => format!("; by the file they are {space}"),
        None => "; the file is silent".to_owned(),
    };
    let message = format!(
        "{by} says that the pixels are {name}, which is taken; by the AMF its input transform ({label}) is {applied}{file}"
    );
    Some(Fault::new(Code::ColorAssumed, message).at(by))
}

/// The space of ours that the file of a picture names.
pub(super) fn own_space(clip: &ClipInfo) -> Option<name::Named> {
    clip.color_space.as_deref().and_then(|own| name::resolve(own).ok())
}

/// Whether a clip's pixels are the camera's own, which its numbers develop.
pub(super) fn is_raw(clip: &ClipInfo) -> bool {
    clip.picture.cfa.is_some() || clip.color.is_some()
}
