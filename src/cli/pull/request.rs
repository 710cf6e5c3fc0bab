//! From what was typed to a plan: documents and media are read, the layers of
//! the delivery are laid over each other, and everything that was assumed is
//! collected for the report.

use super::Args;
use crate::cli::colors;
use crate::cli::render::read_document;
use crate::output::{Output, PlanView};
use platefarm_media::{source, storage};
use platefarm_model::clip::ClipInfo;
use platefarm_model::delivery::{Delivery, ShowDefaults};
use platefarm_model::job::JobSpec;
use platefarm_model::pull::{Document, PackageSpec, Rejected};
use platefarm_model::{Code, Fault, FrameRate, Outcome, Timestamp};
use platefarm_scheduler::library::{Library, Show};
use platefarm_scheduler::pulls::{self, Choices, Media, delivery, estimate};
use platefarm_standards::amf::{self, IncomingAmf};
use platefarm_standards::editlist::EditList;
use platefarm_standards::fdl;
use platefarm_worker::package::PackageReport;
use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};
use tokio::runtime::Runtime;

/// What to do, and the key under which it is handed in.
pub(super) struct Plan {
    pub(super) job: JobSpec,
    pub(super) package: PackageSpec,
    skipped: Vec<Rejected>,
    pub(super) key: String,
    pub(super) out_dir: PathBuf,
}

impl Plan {
    /// As it is shown before anything is done.
    pub(super) fn shown(&self) -> PlanView<'_> {
        PlanView {
            package: &self.package,
            skipped: &self.skipped,
            estimate: estimate::estimate(&self.package),
        }
    }
}

pub(super) fn plan(args: &Args, out: &dyn Output) -> Outcome<Plan> {
    let edl_bytes = read_document(&args.edl)?;
    let known = known(args)?;
    let show = &known.show.defaults;
    let fdl_path = args.look.fdl.clone().or_else(|| show.fdl.as_ref().map(PathBuf::from));
    let fdl_bytes = fdl_path.as_deref().map(read_document).transpose()?;
    let amf_path = args.look.color.amf_path().or_else(|| show.amf.as_deref().map(Path::new));
    let incoming = amf_path.map(colors::read_amf).transpose()?;
    let (delivery, defaulted) = delivery(args, show, incoming.as_ref())?;
    let found = match &known.library {
        Some(library) if args.library => Found::in_library(&known.runtime, library)?,
        _ => Found::scan(&args.media)?,
    };
    for fault in &found.unreadable {
        out.note(&format!("note {fault}"));
    }
    let (rate, assumed) = list_rate(args.rate.or(show.rate), &found.rates);
    let list = platefarm_media::editlist::read(&args.edl, &edl_bytes, Some(rate))?;
    let parsed_fdl = fdl_bytes
        .as_ref()
        .zip(fdl_path.as_ref())
        .map(|(bytes, path)| fdl::Fdl::parse(bytes).map_err(|fault| fault.within(path.display())))
        .transpose()?;
    let choices = &known.show.choices;
    let clips = found.clips(&known, &list, choices, args.match_bar)?;
    let out_dir = absolute(&args.out)?;
    let mut request = pulls::PullRequest {
        name: stem(&args.edl),
        show: args.show.clone(),
        edl: &list,
        edl_document: document(&args.edl, &edl_bytes),
        rate: list.rate,
        media: found.media(&clips),
        choices: choices.clone(),
        bar: args.match_bar,
        fdl: parsed_fdl.as_ref(),
        fdl_name: fdl_path.as_deref().map(file_name),
        look: look(amf_path)?,
        amf: incoming.as_ref(),
        delivery,
        defaulted,
        previous: previous(&args.previous)?,
        out_dir: out_dir.display().to_string(),
        plate_version: args.plate_version,
        priority: args.terms.priority,
        backend: args.look.backend()?,
        repairs: args.look.repairs()?,
        notes: assumed
            .into_iter()
            .chain(incoming.is_none().then(|| amf::without_amf().1))
            .chain(found.unreadable.iter().cloned())
            .collect(),
        seed: String::new(),
        now: now(),
    };
    let content = content_key(&request, &edl_bytes, fdl_bytes.as_deref(), &found, &clips)?;
    request.seed.clone_from(&content);
    let mut plan = pulls::plan(&request)?;
    let key = platefarm_media::hash::xxh128(format!("{content} {}", out_dir.display()).as_bytes());
    plan.job.idempotency_key = Some(key.clone());
    Ok(Plan { job: plan.job, package: plan.package, skipped: plan.skipped, key, out_dir })
}

/// What is known beside what was typed: the show, and the library where one is used.
struct Known {
    show: Show,
    library: Option<Library>,
    runtime: Runtime,
}

fn known(args: &Args) -> Outcome<Known> {
    let runtime = crate::cli::runtime()?;
    let wanted = args.library || !args.resolve.is_empty() || args.store.is_there();
    let library =
        if wanted { Some(runtime.block_on(Library::open(&args.store.place()))?) } else { None };
    let mut show = match &library {
        Some(library) => runtime.block_on(library.show(&args.show))?,
        None => Show::default(),
    };
    let chosen = choices(args)?;
    if let Some(library) = library.as_ref().filter(|_| !chosen.choices.is_empty()) {
        // Kept for the show: the next cut asks the same.
        show.choices.learn(chosen);
        show.defaults.show.clone_from(&args.show);
        runtime.block_on(library.keep_show(&show))?;
    }
    if args.show_file.is_some() {
        show.defaults = self::show(args)?;
    }
    Ok(Known { show, library, runtime })
}

/// The clips that the events may come from.
struct Found {
    /// All in full, by a scan; or the ids and keys of a library.
    clips: Vec<ClipInfo>,
    keys: Option<(Vec<i64>, Vec<pulls::ClipKey>)>,
    rates: Vec<FrameRate>,
    unreadable: Vec<Fault>,
}

impl Found {
    fn scan(media: &[PathBuf]) -> Outcome<Self> {
        let (clips, unreadable) = scan(media)?;
        let rates = clips.iter().filter_map(|clip| clip.timing.rate).collect();
        Ok(Self { clips, keys: None, rates, unreadable })
    }

    fn in_library(runtime: &Runtime, library: &Library) -> Outcome<Self> {
        let (ids, keys) = runtime.block_on(library.keys(None))?;
        if keys.is_empty() {
            return Err(Fault::new(Code::NoMedia, "the library has no clips")
                .at("--library")
                .remedy("Add clips with `platefarm library add PATH`."));
        }
        let rates = keys.iter().filter_map(|key| key.rate).collect();
        Ok(Self { clips: Vec::new(), keys: Some((ids, keys)), rates, unreadable: Vec::new() })
    }

    /// In full what the plan will take, by its place.
    fn clips(
        &self,
        known: &Known,
        list: &EditList,
        choices: &Choices,
        bar: f64,
    ) -> Outcome<HashMap<usize, ClipInfo>> {
        let (Some((ids, keys)), Some(library)) = (&self.keys, &known.library) else {
            return Ok(HashMap::new());
        };
        let places: Vec<usize> = pulls::wanted(list, keys, choices, bar).into_iter().collect();
        let ids: Vec<i64> = places.iter().map(|place| ids[*place]).collect();
        let clips = known.runtime.block_on(library.clips(&ids))?;
        Ok(places.into_iter().zip(clips).collect())
    }

    fn media<'a>(&'a self, clips: &'a HashMap<usize, ClipInfo>) -> Media<'a> {
        match &self.keys {
            Some((_, keys)) => Media::of_library(keys, clips),
            None => Media::of(&self.clips),
        }
    }
}

/// The show's look, read so far that it is one.
fn look(amf: Option<&Path>) -> Outcome<Option<Document>> {
    let Some(path) = amf else { return Ok(None) };
    Ok(Some(document(path, &read_document(path)?)))
}

/// The defaults of the show: paths in its file are meant from where it stands.
fn show(args: &Args) -> Outcome<ShowDefaults> {
    let Some(path) = &args.show_file else { return Ok(ShowDefaults::default()) };
    let mut show = delivery::show(&path.display().to_string(), &text(path)?)?;
    let base = path.parent().unwrap_or(Path::new("."));
    let beside = |name: &String| base.join(name).display().to_string();
    (show.fdl, show.amf) = (show.fdl.as_ref().map(beside), show.amf.as_ref().map(beside));
    let named = show.spec.as_ref().filter(|spec| delivery::profile(spec).is_none());
    if let Some(spec) = named {
        show.spec = Some(beside(spec));
    }
    Ok(show)
}

/// The layers: the spec that was named, else the show's, then the command line.
fn delivery(
    args: &Args,
    show: &ShowDefaults,
    incoming: Option<&IncomingAmf>,
) -> Outcome<(Delivery, Vec<String>)> {
    let mut layers = delivery::Layers::default();
    if let Some(spec) = args.spec.as_ref().or(show.spec.as_ref()) {
        match delivery::profile(spec) {
            Some(text) => layers.document(spec, text)?,
            None if Path::new(spec).exists() => layers.document(spec, &text(Path::new(spec))?)?,
            None => {
                let names: Vec<&str> = delivery::PROFILES.iter().map(|(name, _)| *name).collect();
                let message = format!("'{spec}' is neither a file nor a shipped delivery spec");
                return Err(Fault::new(Code::UnknownOption, message)
                    .at("--spec")
                    .remedy(format!("Choose one of {}, or name a file.", names.join(", "))));
            }
        }
    }
    let look = &args.look;
    let line = "the command line";
    let mut set = |key: &str, value: Option<String>| match value {
        Some(value) => layers.set(line, key, value),
        None => Ok(()),
    };
    set("picture.debayer", look.debayer_given()?.map(|d| d.name().into()))?;
    set("picture.compression", look.compression_given()?.map(|c| c.name().into()))?;
    set("picture.filter", look.filter()?.map(|f| f.name().into()))?;
    set("picture.template", look.template.clone())?;
    set("picture.intent", look.intent.clone())?;
    set("repeated", args.repeated.clone())?;
    set("naming.plate", args.naming.clone())?;
    let color = look.color.color_out(incoming)?;
    let written = toml::Value::try_from(&color)
        .map_err(|e| Fault::new(Code::Internal, "a colour is not TOML").because(&e))?;
    if !color.is_aces() {
        layers.set(line, "picture.color", written)?;
    }
    if let Some(handles) = args.handles {
        layers.set(line, "handles", i64::from(handles))?;
    }
    let scaling = look.scaling()?;
    if scaling.allow_upres {
        layers.set(line, "picture.allow_upres", true)?;
    }
    if scaling.antiring {
        layers.set(line, "picture.antiring", true)?;
    }
    if let Some(size) = scaling.container {
        let size: Vec<toml::Value> = size.iter().map(|side| i64::from(*side).into()).collect();
        layers.set(line, "picture.container", size)?;
    }
    layers.finish()
}

/// What people chose, in the order of the files.
fn choices(args: &Args) -> Outcome<Choices> {
    let mut choices = Choices::default();
    for path in &args.resolve {
        let newer: Choices = toml::from_str(&text(path)?).map_err(|e| {
            let line = e.message().lines().next().unwrap_or_default().to_owned();
            Fault::new(Code::BadChoice, line).at(path.display().to_string()).remedy(
                "Write [[choice]] with reel, clip_name, source_file or source_in, and use = the clip's path or name.",
            )
        })?;
        choices.learn(newer);
    }
    Ok(choices)
}

/// What earlier packages delivered. Frames whose media is younger than they are count as changed.
fn previous(dirs: &[PathBuf]) -> Outcome<Vec<pulls::Previous>> {
    let mut plates = Vec::new();
    for dir in dirs {
        let dir = absolute(dir)?;
        let bytes = read_document(&dir.join("report.json"))?;
        let report: PackageReport = serde_json::from_slice(&bytes).map_err(|e| {
            Fault::new(Code::BadStructure, "the report of the earlier delivery cannot be read")
                .at(dir.join("report.json").display().to_string())
                .because(&e)
        })?;
        for plate in report.plates {
            let media = written(Path::new(&plate.source.path));
            let files = plate.files.into_iter().filter_map(|file| {
                let path = dir.join(&file.file);
                // A recipe does not name the bytes of the media, so their date must do.
                (media? <= written(&path)?).then(|| pulls::PreviousFile {
                    frame: file.frame,
                    file: path.display().to_string(),
                    xxh128: file.xxh128,
                })
            });
            plates.push(pulls::Previous {
                shot: plate.shot,
                number: plate.number,
                version: plate.version,
                clip: plate.source.path.clone(),
                recipe: plate.recipe,
                source_first: plate.source.indices.first(),
                frames: Some(plate.frames),
                files: files.collect(),
            });
        }
    }
    Ok(plates)
}

fn written(path: &Path) -> Option<SystemTime> {
    storage::metadata(path).and_then(|meta| meta.modified()).ok()
}

fn scan(media: &[PathBuf]) -> Outcome<(Vec<ClipInfo>, Vec<Fault>)> {
    let (mut clips, mut faults) = (Vec::new(), Vec::new());
    for dir in media {
        if !storage::metadata(dir).is_ok_and(|metadata| metadata.is_dir()) {
            return Err(Fault::new(
                Code::FileNotFound,
                format!("'{}' is no directory", dir.display()),
            )
            .at("--media"));
        }
        // Workers may run elsewhere, or in another directory.
        let (found, unreadable) = platefarm_media::scan(&absolute(dir)?);
        let (plates, found): (Vec<_>, Vec<_>) = found.into_iter().partition(source::is_plate);
        faults.extend(plates_passed_over(dir, &plates));
        clips.extend(found);
        faults.extend(unreadable);
    }
    if clips.is_empty() {
        let dirs: Vec<String> = media.iter().map(|dir| dir.display().to_string()).collect();
        let fault =
            Fault::new(Code::NoMedia, format!("no clip in {}", dirs.join(", "))).at("--media");
        return Err(match faults.first() {
            Some(first) => fault.because(first),
            None => fault,
        });
    }
    Ok((clips, faults))
}

/// Plates of earlier pulls carry the reel and the timecode of the clips that they were made from,
/// and must not stand in for them.
fn plates_passed_over(dir: &Path, plates: &[ClipInfo]) -> Option<Fault> {
    let first = plates.first()?;
    Some(
        Fault::new(
            Code::PlatesPassedOver,
            format!("{} plates are among the media, the first {}", plates.len(), first.path),
        )
        .at(dir.display().to_string()),
    )
}

/// The rate that the list counts in, and what was assumed about it.
fn list_rate(given: Option<FrameRate>, rates: &[FrameRate]) -> (FrameRate, Option<Fault>) {
    if let Some(rate) = given {
        return (rate, None);
    }
    let mut votes: Vec<(FrameRate, u64)> = Vec::new();
    for rate in rates.iter().copied() {
        match votes.iter_mut().find(|(seen, _)| *seen == rate) {
            Some((_, count)) => *count += 1,
            None => votes.push((rate, 1)),
        }
    }
    let note = |text: String| {
        Some(Fault::new(Code::BadConfig, text).remedy("Give --rate if that is wrong."))
    };
    match votes.as_slice() {
        [] => (
            FrameRate::FPS_24,
            note("the media names no frame rate; the list is read at 24".into()),
        ),
        [(rate, _)] => (*rate, None),
        _ => {
            let rate = votes
                .iter()
                .max_by_key(|(_, count)| *count)
                .map_or(FrameRate::FPS_24, |(rate, _)| *rate);
            (
                rate,
                note(format!(
                    "the media has several frame rates; the list is read at {rate}, the most frequent"
                )),
            )
        }
    }
}

/// Names the content of a pull by everything that decides its pixels and
/// names. With the directory it is the job's key: the same request, handed in
/// again after a crash, is the same job. Without, it seeds the UUIDs of the
/// documents in the headers, so the same pull makes the same files anywhere.
fn content_key(
    request: &pulls::PullRequest<'_>,
    edl: &[u8],
    fdl: Option<&[u8]>,
    found: &Found,
    clips: &HashMap<usize, ClipInfo>,
) -> Outcome<String> {
    let wishes =
        (&request.show, request.plate_version, request.rate, &request.delivery, request.repairs);
    let look = request.look.as_ref().map(|look| look.text.as_bytes()).unwrap_or_default();
    let finding = (&request.choices, request.bar, &request.previous);
    let taken: BTreeMap<_, _> = clips.iter().collect();
    let text = serde_json::to_vec(&(wishes, finding, &found.clips, taken))
        .map_err(|e| Fault::new(Code::Internal, "cannot name the pull").because(&e))?;
    let mut bytes = Vec::with_capacity(text.len() + edl.len());
    for part in [text.as_slice(), edl, fdl.unwrap_or_default(), look] {
        bytes.extend_from_slice(&(part.len() as u64).to_le_bytes());
        bytes.extend_from_slice(part);
    }
    Ok(platefarm_media::hash::xxh128(&bytes))
}

fn text(path: &Path) -> Outcome<String> {
    String::from_utf8(read_document(path)?).map_err(|e| {
        Fault::new(Code::BadConfig, "the file is no UTF-8 text")
            .at(path.display().to_string())
            .because(&e)
    })
}

fn absolute(path: &Path) -> Outcome<PathBuf> {
    storage::absolute(path)
}

fn stem(path: &Path) -> String {
    path.file_stem().map_or_else(|| "pull".to_owned(), |name| name.to_string_lossy().into_owned())
}

fn file_name(path: &Path) -> String {
    path.file_name()
        .map_or_else(|| "document".to_owned(), |name| name.to_string_lossy().into_owned())
}

fn document(path: &Path, bytes: &[u8]) -> Document {
    Document { name: file_name(path), text: bytes.to_vec().into() }
}

fn now() -> Timestamp {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Timestamp(i64::try_from(since.as_micros()).unwrap_or(i64::MAX))
}
