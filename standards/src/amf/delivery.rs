//! What stands beside delivered frames and says what their pixels are: the
//! AMF, and the files that it names. For sensor data the camera's transform
//! is one of them, since it is in no registry.

use super::StageKind;
use super::beside::apart;
use super::clf::{CameraClf, PictureClf, camera_clf, picture_clf};
use super::grade::GradeLook;
use super::incoming::{IncomingAmf, is_raw, own_space};
use super::input::InputTransform;
use super::own;
use super::plate::{BakedLook, Incoming, LookSource, PlateAmf, Viewing, plate_amf, relative};
use super::registry::{self, Meaning};
use platefarm_model::clip::ClipInfo;
use platefarm_model::color::name;
use platefarm_model::color::recipe::ACES;
use platefarm_model::pull::Document;
use platefarm_model::recipe::{ColorRecipe, ColorStep, Debayer, FrameNaming, OutputColor};
use platefarm_model::repair::Repairs;
use platefarm_model::{Code, Fault, FrameRange, Outcome, Timestamp};

/// What is baked into frames whose file gives no colour numbers has an id of our own, which the AMF
/// implementation guide has readers treat as custom; since it is applied nobody needs to resolve it.
const DEVELOPED: &str = "CameraRaw";

/// A look that goes into the pixels besides those of an AMF.
#[derive(Clone, Debug, PartialEq)]
pub struct ExtraLook {
    /// As it was asked for: a name, or a file's.
    pub label: String,
    /// The file's name and content, where it is one.
    pub file: Option<(String, Vec<u8>)>,
    /// Which correction of the file, where it is one of a collection.
    pub correction: Option<String>,
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
#[derive(Clone, Debug, PartialEq)]
pub struct Sidecars {
    /// The ACES metadata file.
    pub amf: Document,
    /// The input transform as a Common LUT Format file, where no registry has it: that of the
    /// camera, of a picture, or of the frames themselves.
    pub clf: Option<Document>,
    /// Files of looks, and that of an input transform which the AMF that came in named.
    pub looks: Vec<Document>,
    /// What of the AMF is in no registry.
    pub notes: Vec<Fault>,
}

/// The sidecars of delivered frames.
///
/// # Errors
/// Those of [`plate_amf`] and [`camera_clf`], and of [`IncomingAmf::of`].
pub fn sidecars(delivery: &Delivery<'_>) -> Outcome<Sidecars> {
    let Delivery { clip, naming, color_out, .. } = *delivery;
    let stem = naming.stem.as_str();
    let meaning = color_out.meaning()?;
    let came = delivery.incoming.map(|incoming| incoming.of(clip)).transpose()?;
    let given = came.and_then(|came| given(delivery, came));
    let led = if meaning.display || color_out.is_aces() {
        behind(delivery, given.as_ref())?
    } else {
        ahead(delivery)?
    };
    let mut notes: Vec<Fault> = led.iter().filter_map(|way| way.note.clone()).collect();
    let shown = Meaning::FromAces(color_out.name().to_owned());
    if meaning.display && color_out.file().is_none() && registry::id_of(&shown).is_none() {
        notes.push(unregistered(color_out.name()));
    }
    let document =
        |name: &str, bytes: &[u8]| Document { name: name.to_owned(), text: bytes.to_vec().into() };
    let clf_name = format!("{stem}.clf");
    let mut files = came.map(IncomingAmf::files).unwrap_or_default();
    let baked_files = delivery.looks.iter().filter_map(|look| look.file.as_ref());
    let baked_files = baked_files.map(|(name, bytes)| (name.as_str(), bytes.as_slice()));
    let came_along = files.iter().map(|(_, beside, bytes)| (beside.as_str(), bytes.as_slice()));
    let names = apart(stem, came_along.chain(baked_files).chain(given.as_ref().map(Given::file)));
    let (came_along, extra) = names.split_at(files.len());
    for ((_, beside, _), name) in files.iter_mut().zip(came_along) {
        beside.clone_from(name);
    }
    let named = with_names(delivery.looks, extra);
    let looks: Vec<BakedLook<'_>> = named.iter().map(|(look, name)| baked(look, name)).collect();
    let plate = PlateAmf {
        description: delivery.what,
        author: None,
        created: delivery.created,
        uuid: &(delivery.uuid)("AMF"),
        pipeline_uuid: &(delivery.uuid)("pipeline"),
        clip_name: stem,
        naming,
        frames: delivery.frames,
        input: led.as_ref().map(|way| way.transform(&clf_name, names.last())),
        incoming: came.map(|incoming| Incoming {
            amf: &incoming.amf,
            looks_baked: meaning.display,
            shown: color_out.file().is_some(),
            files: &files,
        }),
        looks: &looks,
        grade: delivery.grade,
        viewing: (meaning.display && color_out.file().is_none())
            .then(|| Viewing { output: color_out.name(), applied: true }),
    };
    let amf = Document { name: format!("{stem}.amf"), text: plate_amf(&plate)?.into() };
    let mut looks: Vec<Document> =
        files.iter().map(|(_, beside, bytes)| document(beside, bytes)).collect();
    for (look, name) in &named {
        if let Some((_, bytes)) =
            look.file.as_ref().filter(|_| looks.iter().all(|l| l.name != *name))
        {
            relative(name)?;
            looks.push(document(name, bytes));
        }
    }
    let mut clf = None;
    match led.as_ref().map(|way| &way.by) {
        Some(By::File(text)) => clf = Some(document(&clf_name, text.as_bytes())),
        // It may be a look, too.
        Some(By::Given(bytes)) => {
            let name = names.last().filter(|name| looks.iter().all(|look| look.name != **name));
            looks.extend(name.map(|name| document(name, bytes)));
        }
        Some(By::Id(_)) | None => {}
    }
    Ok(Sidecars { amf, clf, looks, notes })
}

/// The way between codes and ACES2065-1, as an AMF names it.
struct Way {
    description: String,
    by: By,
    /// Whether it is in the pixels.
    applied: bool,
    /// What is to be said of its name.
    note: Option<Fault>,
}

/// What names a way.
enum By {
    /// An id of the registry, or one of our own.
    Id(String),
    /// The text of a Common LUT Format file.
    File(String),
    /// The content of the file that the AMF named.
    Given(Vec<u8>),
}

/// The file of an input transform that the AMF named, and that led to ACES2065-1, here or before.
struct Given<'a> {
    /// What the AMF calls it.
    label: &'a str,
    /// Its name, without directories.
    name: &'a str,
    bytes: &'a [u8],
}

impl<'a> Given<'a> {
    fn file(&self) -> (&'a str, &'a [u8]) {
        (self.name, self.bytes)
    }
}

fn given<'a>(delivery: &Delivery<'_>, came: &'a IncomingAmf) -> Option<Given<'a>> {
    let is_aces = || input_space(delivery).is_some_and(|space| space.name() == ACES);
    let mut inputs = came.found().filter(|(kind, _)| *kind == StageKind::Input);
    let (_, (_, found)) = match delivery.color.input.as_slice() {
        [ColorStep::File(file)] => inputs.find(|(_, (_, found))| found.path == file.path),
        [] if is_aces() && came.resolved.has_applied(StageKind::Input) => inputs.next(),
        _ => None,
    }?;
    let name = found.path.rsplit(['/', '\\']).next().unwrap_or(&found.path);
    let label = came.resolved.input_said().map_or(name, |(label, _)| label);
    Some(Given { label, name, bytes: &found.bytes })
}

impl Way {
    /// As the AMF has it; `clf` is the name of the file where one of ours says it, `given` of one that came.
    fn transform<'a>(&'a self, clf: &'a str, given: Option<&'a String>) -> InputTransform<'a> {
        let (description, applied) = (self.description.as_str(), self.applied);
        match &self.by {
            By::Id(id) => InputTransform::Registered { description, id, applied },
            By::File(text) => {
                let content = text.as_bytes();
                InputTransform::File { description, path: clf, content, applied }
            }
            By::Given(content) => {
                let path = given.map_or(clf, String::as_str);
                InputTransform::File { description, path, content, applied }
            }
        }
    }
}

/// What has still to be done to codes of a scene space to get to ACES2065-1.
fn ahead(delivery: &Delivery<'_>) -> Outcome<Option<Way>> {
    let space = name::resolve(delivery.color_out.name())?;
    let (by, note) = named(delivery, &space, "to be applied to");
    let description = "the delivered pixels to ACES2065-1".to_owned();
    Ok(Some(Way { description, by, applied: false, note }))
}

/// What led to ACES2065-1 and is in the pixels; none for a clip that came in it.
fn behind(delivery: &Delivery<'_>, given: Option<&Given<'_>>) -> Outcome<Option<Way>> {
    let Delivery { clip, naming, .. } = *delivery;
    let way = |(by, note)| {
        Ok(Some(Way { description: input_description(delivery), by, applied: true, note }))
    };
    if let Some(color) = &clip.color {
        let text = camera_clf(&CameraClf {
            id: &format!("urn:uuid:{}", (delivery.uuid)("CLF")),
            name: &camera_name(clip),
            description: &format!(
                "white balance and matrix of clip '{}'; already applied in {}",
                clip.identity.clip_name, naming.stem
            ),
            white_balance: color.white_balance,
            camera_to_aces: color.camera_to_aces,
        })?;
        return way((By::File(text), None));
    }
    if is_raw(clip) {
        return way((By::Id(own::conversion(DEVELOPED)), None));
    }
    if let Some(Given { label, name, bytes }) = given {
        let by = By::Given(bytes.to_vec());
        let description = format!("{label} ({name}) to ACES2065-1; baked into the pixels");
        return Ok(Some(Way { description, by, applied: true, note: None }));
    }
    match input_space(delivery) {
        Some(space) if space.name() == ACES => Ok(None),
        Some(space) => way(named(delivery, &space, "already applied in")),
        None => {
            // Where nobody says what the codes are, no frame is made of them.
            let said = clip.color_space.is_some() || !delivery.color.input.is_empty();
            let note = said.then(|| unregistered("what led to ACES2065-1"));
            way((By::Id(own::conversion("Picture")), note))
        }
    }
}

/// What names the way from a space to ACES2065-1: an id of the registry, a file that says it, or an
/// id of our own, which is told.
fn named(delivery: &Delivery<'_>, space: &name::Named, how: &str) -> (By, Option<Fault>) {
    let name = space.name();
    if let Some(id) = registry::id_of(&Meaning::ToAces(name.to_owned())) {
        return (By::Id(id), None);
    }
    let file = space.to_aces().ok().and_then(|chain| {
        picture_clf(&PictureClf {
            id: &format!("urn:uuid:{}", (delivery.uuid)("CLF")),
            name,
            description: &format!("{name} to ACES2065-1; {how} {}", delivery.naming.stem),
            chain: &chain,
        })
    });
    if let Some(text) = file {
        return (By::File(text), None);
    }
    (By::Id(own::conversion(name)), Some(unregistered(name)))
}

/// Looks with the names of their files; those that are no file have an empty one.
fn with_names<'a>(looks: &'a [ExtraLook], names: &'a [String]) -> Vec<(&'a ExtraLook, &'a str)> {
    let mut names = names.iter();
    let mut name_of = |look: &ExtraLook| look.file.as_ref().and_then(|_| names.next());
    looks.iter().map(|look| (look, name_of(look).map_or("", String::as_str))).collect()
}

fn baked<'a>(look: &'a ExtraLook, beside: &'a str) -> BakedLook<'a> {
    let source = match &look.file {
        Some((_, content)) => {
            LookSource::File { path: beside, content, correction: look.correction.as_deref() }
        }
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

/// An id of our own stands in the AMF, since the registry has none.
fn unregistered(what: &str) -> Fault {
    let message = format!(
        "no ACES transform id names {what}: the AMF names it by an id of our own, which readers treat as custom"
    );
    Fault::new(Code::ColorAssumed, message).remedy(
        "Nothing, if whoever receives the frames knows what it is; else take one that is registered.",
    )
}
