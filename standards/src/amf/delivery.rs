//! What stands beside delivered frames and says what their pixels are: the
//! AMF, and the files that it names. For sensor data the camera's transform
//! is one of them, since it is in no registry.

use super::clf::{CameraClf, PictureClf, camera_clf, picture_clf};
use super::grade::GradeLook;
use super::plate::{
    BakedLook, Incoming, InputTransform, LookSource, PlateAmf, Viewing, plate_amf, relative,
};
use super::registry::{self, Meaning};
use super::{Amf, Finder, Pixels, Resolved, StageKind};
use platefarm_model::clip::ClipInfo;
use platefarm_model::color::name;
use platefarm_model::color::recipe::ACES;
use platefarm_model::pull::Document;
use platefarm_model::recipe::{ColorRecipe, ColorStep, Debayer, FrameNaming, OutputColor};
use platefarm_model::repair::Repairs;
use platefarm_model::{Code, Fault, FrameRange, Outcome, Timestamp};

/// The transform that is baked into frames whose file gives no colour numbers.
/// The id is our own, which the AMF implementation guide has readers treat as
/// custom, and since the transform is applied nobody needs to resolve it.
const DEVELOPED: &str = "urn:ampas:aces:transformId:v2.0:CSC.Platefarm.CameraRaw_to_ACES.a2.v1";

/// How ids of our own begin, for pictures whose transform neither the registry nor a file names.
const OURS: &str = "urn:ampas:aces:transformId:v2.0:CSC.Platefarm.";

/// An AMF that came with a clip or a show, with what it names.
#[derive(Clone, Debug, PartialEq)]
pub struct IncomingAmf {
    /// Its name, for reports.
    pub name: String,
    /// What it says.
    pub amf: Amf,
    /// Its transforms.
    pub resolved: Resolved,
}

impl IncomingAmf {
    /// Reads one and finds what it names.
    ///
    /// # Errors
    /// Those of [`Amf::parse`] and [`Amf::resolve`].
    pub fn read(name: &str, bytes: &[u8], find: Finder<'_>) -> Outcome<Self> {
        let amf = Amf::parse(bytes).map_err(|fault| fault.within(name))?;
        let resolved = amf.resolve(find).map_err(|fault| fault.within(name))?;
        Ok(Self { name: name.to_owned(), amf, resolved })
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

    /// The files of its looks: the name there, the one beside a new AMF, the
    /// content. Those of one name from several directories are told apart.
    #[must_use]
    pub fn files(&self) -> Vec<(String, String, Vec<u8>)> {
        let mut files: Vec<(String, String, Vec<u8>)> = Vec::new();
        let looks = self.resolved.stages.iter().filter(|stage| stage.kind != StageKind::Input);
        for (name, found) in looks.filter_map(|stage| stage.file.as_ref()) {
            if files.iter().any(|(known, ..)| known == name) {
                continue;
            }
            let plain = name.rsplit('/').next().unwrap_or(name);
            let mut beside = plain.to_owned();
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
fn own_space(clip: &ClipInfo) -> Option<name::Named> {
    clip.color_space.as_deref().and_then(|own| name::resolve(own).ok())
}

/// Whether a clip's pixels are the camera's own, which its numbers develop.
fn is_raw(clip: &ClipInfo) -> bool {
    clip.picture.cfa.is_some() || clip.color.is_some()
}

/// A look that goes into the pixels besides those of an AMF.
#[derive(Clone, Debug, PartialEq)]
pub struct ExtraLook {
    /// As it was asked for: a name, or a file's.
    pub label: String,
    /// The file's name and content, where it is one.
    pub file: Option<(String, Vec<u8>)>,
}

/// Frames that are delivered.
#[derive(Clone, Copy)]
pub struct Delivery<'a> {
    /// What they are: the pull, or the render.
    pub what: &'a str,
    /// The clip that they come from.
    pub clip: &'a ClipInfo,
    /// Their names.
    pub naming: &'a FrameNaming,
    /// Their numbers.
    pub frames: FrameRange,
    /// Debayer.
    pub debayer: Debayer,
    /// What was mended before it.
    pub repairs: &'a Repairs,
    /// Input transform and looks that are in the pixels.
    pub color: &'a ColorRecipe,
    /// Colour of the pixels.
    pub color_out: &'a OutputColor,
    /// The AMF that came in.
    pub incoming: Option<&'a IncomingAmf>,
    /// Looks that are in the pixels besides those of the AMF.
    pub looks: &'a [ExtraLook],
    /// A grade that is still ahead of the pixels.
    pub grade: Option<&'a GradeLook>,
    /// When.
    pub created: Timestamp,
    /// Makes the UUID of a thing.
    pub uuid: &'a dyn Fn(&str) -> String,
}

/// The documents beside delivered frames.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Sidecars {
    /// The ACES metadata file.
    pub amf: Option<Document>,
    /// The transform of the camera, or of a picture that no registry knows, as a Common LUT Format file.
    pub clf: Option<Document>,
    /// Files of looks.
    pub looks: Vec<Document>,
    /// Why there is no AMF, where there is none, and what in it is in no registry.
    pub notes: Vec<Fault>,
}

/// The sidecars of delivered frames.
///
/// # Errors
/// Those of [`plate_amf`] and [`camera_clf`].
pub fn sidecars(delivery: &Delivery<'_>) -> Outcome<Sidecars> {
    let Delivery { clip, naming, color_out, .. } = *delivery;
    let stem = naming.stem.as_str();
    let mut out = Sidecars::default();
    let meaning = color_out.meaning()?;
    let description = input_description(delivery);
    let custom;
    let input = if !meaning.display && !color_out.is_aces() {
        let id = registry::id_of(&Meaning::ToAces(color_out.name().to_owned()));
        let Some(id) = id else {
            let message = format!(
                "no ACES transform id names {}: the frames' headers say what they are, and no AMF is written",
                color_out.name()
            );
            out.notes.push(Fault::new(Code::ColorAssumed, message));
            return Ok(out);
        };
        custom = id;
        let description = "the delivered pixels to ACES2065-1";
        Some(InputTransform::Ahead { description, id: &custom })
    } else if let Some(color) = &clip.color {
        let transform = CameraClf {
            id: &format!("urn:uuid:{}", (delivery.uuid)("CLF")),
            name: &camera_name(clip),
            description: &format!(
                "white balance and matrix of clip '{}'; already applied in {stem}",
                clip.identity.clip_name
            ),
            white_balance: color.white_balance,
            camera_to_aces: color.camera_to_aces,
        };
        let text = camera_clf(&transform)?;
        let clf = out.clf.insert(Document { name: format!("{stem}.clf"), text: text.into() });
        Some(InputTransform::File {
            description: &description,
            path: &clf.name,
            content: clf.text.as_bytes(),
        })
    } else if let Some(text) = picture_input(delivery) {
        let clf = out.clf.insert(Document { name: format!("{stem}.clf"), text: text.into() });
        Some(InputTransform::File {
            description: &description,
            path: &clf.name,
            content: clf.text.as_bytes(),
        })
    } else {
        custom = input_id(delivery);
        // Where nobody says what the codes are, no frame is made of them.
        let said = clip.color_space.is_some() || !delivery.color.input.is_empty();
        if said && !is_raw(clip) && custom.starts_with(OURS) {
            out.notes.push(unregistered("what led to ACES2065-1"));
        }
        let known = !custom.is_empty();
        known.then(|| InputTransform::Registered { description: &description, id: &custom })
    };
    let shown = Meaning::FromAces(color_out.name().to_owned());
    if meaning.display && color_out.file().is_none() && registry::id_of(&shown).is_none() {
        out.notes.push(unregistered(color_out.name()));
    }
    let files = delivery.incoming.map(IncomingAmf::files).unwrap_or_default();
    let incoming = delivery.incoming.map(|incoming| Incoming {
        amf: &incoming.amf,
        looks_baked: meaning.display,
        shown: color_out.file().is_some(),
        files: &files,
    });
    let looks: Vec<BakedLook<'_>> = delivery.looks.iter().map(baked).collect();
    let plate = PlateAmf {
        description: delivery.what,
        author: None,
        created: delivery.created,
        uuid: &(delivery.uuid)("AMF"),
        pipeline_uuid: &(delivery.uuid)("pipeline"),
        clip_name: stem,
        naming,
        frames: delivery.frames,
        input,
        incoming,
        looks: &looks,
        grade: delivery.grade,
        viewing: (meaning.display && color_out.file().is_none())
            .then(|| Viewing { output: color_out.name(), applied: true }),
    };
    out.amf = Some(Document { name: format!("{stem}.amf"), text: plate_amf(&plate)?.into() });
    let document =
        |name: &str, bytes: &[u8]| Document { name: name.to_owned(), text: bytes.to_vec().into() };
    out.looks.extend(files.iter().map(|(_, beside, bytes)| document(beside, bytes)));
    for (name, bytes) in delivery.looks.iter().filter_map(|look| look.file.as_ref()) {
        relative(name)?;
        out.looks.push(document(name, bytes));
    }
    Ok(out)
}

fn baked(look: &ExtraLook) -> BakedLook<'_> {
    let source = match &look.file {
        Some((name, bytes)) => LookSource::File { path: name, content: bytes },
        None => LookSource::Named(&look.label),
    };
    BakedLook { description: &look.label, look: source }
}

fn camera_name(clip: &ClipInfo) -> String {
    clip.camera.name().unwrap_or_else(|| "camera".into())
}

fn input_description(delivery: &Delivery<'_>) -> String {
    let Delivery { clip, debayer, repairs, .. } = delivery;
    if is_raw(clip) {
        let mended = if repairs.is_none() {
            String::new()
        } else {
            let (hot, highlights) = (repairs.hot_pixels_label(), repairs.highlights.label());
            format!(", hot pixels {hot}, highlights {highlights}")
        };
        return format!(
            "{} raw ({}) to ACES2065-1: white balance and matrix of the file, debayer {} version {}{mended}; baked into the pixels",
            camera_name(clip),
            clip.picture.format,
            debayer.name(),
            debayer.version()
        );
    }
    let steps: Vec<String> = delivery.color.input.iter().map(ToString::to_string).collect();
    let from = if steps.is_empty() {
        let assumed = if clip.primaries_assumed { " (primaries assumed)" } else { "" };
        let own = clip.color_space.as_deref().unwrap_or("the file's colour");
        format!("{own}{assumed} to ACES2065-1")
    } else {
        steps.join(", then ")
    };
    format!("{from}; baked into the pixels")
}

/// The space that a picture was in, where one name says it.
fn input_space(delivery: &Delivery<'_>) -> Option<name::Named> {
    match delivery.color.input.as_slice() {
        [ColorStep::ToAces(name)] => name::resolve(name).ok(),
        [] => own_space(delivery.clip),
        _ => None,
    }
}

/// What led from a picture to ACES2065-1, where no registry names it and a file can say it.
fn picture_input(delivery: &Delivery<'_>) -> Option<String> {
    let space = input_space(delivery).filter(|_| !is_raw(delivery.clip))?;
    let (name, stem) = (space.name(), delivery.naming.stem.as_str());
    if name == ACES || registry::id_of(&Meaning::ToAces(name.to_owned())).is_some() {
        return None;
    }
    picture_clf(&PictureClf {
        id: &format!("urn:uuid:{}", (delivery.uuid)("CLF")),
        name,
        description: &format!("{name} to ACES2065-1; already applied in {stem}"),
        chain: &space.to_aces().ok()?,
    })
}

/// An id of our own stands in the AMF, since the registry has none.
fn unregistered(what: &str) -> Fault {
    let message = format!(
        "no ACES transform id names {what}: the AMF names it by an id of our own, which readers treat as custom"
    );
    Fault::new(Code::ColorAssumed, message).remedy(
        "Nothing, if whoever receives the frames knows what it is; else take one that is registered.",
    )
}

/// The id of what led from a clip that has no numbers of its own to
/// ACES2065-1; empty for one that is there already.
fn input_id(delivery: &Delivery<'_>) -> String {
    if is_raw(delivery.clip) {
        return DEVELOPED.to_owned();
    }
    match input_space(delivery) {
        Some(space) if space.name() == ACES => String::new(),
        Some(space) => {
            let name = space.name();
            registry::id_of(&Meaning::ToAces(name.to_owned())).unwrap_or_else(|| {
                let letter = |c: char| if c.is_ascii_alphanumeric() { c } else { '_' };
                let plain: String = name.chars().map(letter).collect();
                format!("{OURS}{plain}_to_ACES.a2.v1")
            })
        }
        None => format!("{OURS}Picture_to_ACES.a2.v1"),
    }
}
