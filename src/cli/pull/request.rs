//! From what was typed to a plan: documents and media are read, the layers of
//! the delivery are laid over each other, and everything that was assumed is
//! collected for the report.

use super::Args;
use super::earlier::Earlier;
use super::media::Found;
use crate::cli::colors;
use crate::cli::render::read_document;
use crate::output::{Output, Progress};
use platefarm_media::storage;
use platefarm_model::delivery::{Delivery, ShowDefaults};
use platefarm_model::pull::Document;
use platefarm_model::{Code, Fault, Outcome, Timestamp};
use platefarm_scheduler::library::{Library, Show};
use platefarm_scheduler::pulls::{self, Choices, NoPlan, PullPlan, Wishes, delivery};
use platefarm_standards::amf::{self, IncomingAmf};
use platefarm_standards::fdl;
use std::collections::{BTreeSet, HashMap};
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};
use tokio::runtime::Runtime;

/// What to do, and the key under which it is handed in.
pub(super) struct Plan {
    pub(super) pull: PullPlan,
    pub(super) key: String,
    pub(super) out_dir: PathBuf,
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
    let mut found = match &known.library {
        Some(library) if args.library => {
            Found::in_library(&known.runtime, library, args.show(), args.any_show)?
        }
        _ => Progress::looking(out.talks(), || Found::scan(&args.media))?,
    };
    let (rate, assumed) = pulls::list_rate(args.rate.or(show.rate), &found.rates);
    let list = platefarm_media::editlist::read(&args.edl, &edl_bytes, Some(rate))?;
    let parsed_fdl = fdl_bytes
        .as_ref()
        .zip(fdl_path.as_ref())
        .map(|(bytes, path)| fdl::Fdl::parse(bytes).map_err(|fault| fault.within(path.display())))
        .transpose()?;
    let choices = &known.show.choices;
    let clips = match &known.library {
        Some(library) => {
            let bar = Progress::counting(out.talks() && args.library, "files of clips looked for");
            let told = |done, all| bar.at(done, all);
            let (runtime, least) = (&known.runtime, args.match_bar);
            let clips = found.clips(runtime, library, &list, choices, least, &told);
            bar.finish();
            clips?
        }
        None => HashMap::new(),
    };
    for fault in &found.unreadable {
        out.note(&format!("note {fault}"));
    }
    let inherited = pulls::inherited(said(args), show, &list, &found.rates);
    let earlier = Earlier::read(&args.previous)?;
    let since = earlier.since(&list);
    let used = pulls::chosen(&list, found.keys(), &known.chosen);
    let out_dir = absolute(&args.out)?;
    let request = pulls::PullRequest {
        name: stem(&args.edl),
        show: args.show().to_owned(),
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
        template_said: args.look.template.is_some(),
        delivery,
        defaulted: inherited.into_iter().chain(defaulted).collect(),
        previous: earlier.plates,
        documents: since.documents,
        out_dir: out_dir.display().to_string(),
        plate_version: args.plate_version,
        backend: args.look.backend()?,
        repairs: args.look.repairs()?,
        notes: assumed
            .into_iter()
            .chain(incoming.is_none().then(|| amf::without_amf().1))
            .chain(found.unreadable.iter().cloned())
            .chain(pulls::unused(&known.chosen, &used, "--resolve"))
            .chain(since.notes)
            .chain(pulls::not_kept(args.show.as_deref(), &used, "--resolve"))
            .collect(),
        seed: String::new(),
        now: now(),
    };
    let (pull, key) = pulls::keyed(request, fdl_bytes.as_deref(), &found.clips, &clips)
        .map_err(|none| unplanned(none, args.dry_run, out))?;
    if !args.dry_run {
        known.learn(args.show.as_deref(), &used)?;
    }
    Ok(Plan { pull, key, out_dir })
}

/// What was said for this pull.
fn said(args: &Args) -> pulls::Said {
    pulls::Said {
        rate: args.rate.is_some(),
        spec: args.spec.is_some(),
        fdl: args.look.fdl.is_some(),
        amf: args.look.color.amf_path().is_some(),
    }
}

/// Shows what became of the events where none became a plate: candidates, and how to choose.
fn unplanned(none: NoPlan, is_dry: bool, out: &dyn Output) -> Fault {
    let Some(shown) = none.shown().filter(|_| is_dry || out.talks()) else { return none.fault };
    out.plan(&shown);
    if !out.talks() || shown.package.rejected.is_empty() {
        return none.fault;
    }
    // Why of each event was said.
    let count = shown.package.rejected.len();
    let message = format!("no event of the list becomes a plate; {count} are rejected, see above");
    Fault { message, cause: None, ..none.fault.clone() }
}

/// What is known beside what was typed: the show, and the library where one is used.
struct Known {
    show: Show,
    /// What the files of --resolve choose.
    chosen: Choices,
    library: Option<Library>,
    runtime: Runtime,
}

impl Known {
    /// Keeps for the show which choices led to clips: the next cut asks the same.
    fn learn(&self, show: Option<&str>, used: &BTreeSet<usize>) -> Outcome<()> {
        let library = self.library.as_ref().filter(|_| !used.is_empty());
        let Some((library, show)) = library.zip(show) else { return Ok(()) };
        let choices = used.iter().map(|place| self.chosen.choices[*place].clone());
        let chosen = Choices { choices: choices.collect() };
        self.runtime.block_on(library.learn(show, chosen))
    }
}

fn known(args: &Args) -> Outcome<Known> {
    let runtime = crate::cli::runtime()?;
    // A dry run leaves nothing behind, not even an empty store.
    let learns = !args.resolve.is_empty() && !args.dry_run && args.show.is_some();
    let wanted = args.library || learns || args.store.is_there();
    let library =
        if wanted { Some(runtime.block_on(Library::open(&args.store.place()))?) } else { None };
    let mut show = match library.as_ref().zip(args.show.as_deref()) {
        Some((library, name)) => runtime.block_on(library.show(name))?,
        None => Show::default(),
    };
    let chosen = choices(args)?;
    show.choices.learn(chosen.clone());
    if args.show_file.is_some() {
        show.defaults = self::show(args)?;
    }
    Ok(Known { show, chosen, library, runtime })
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
                let message = format!("'{spec}' is neither a file nor a shipped delivery spec");
                return Err(Fault::new(Code::UnknownOption, message)
                    .at("--spec")
                    .remedy(format!("Choose one of {}, or name a file.", delivery::names())));
            }
        }
    }
    let look = &args.look;
    let scaling = look.scaling()?;
    let wishes = Wishes {
        handles: args.handles,
        repeated: args.repeated.clone(),
        naming: args.naming.clone(),
        marker_color: args.marker_color.clone(),
        debayer: look.debayer_given()?.map(|d| d.name().into()),
        compression: look.compression_given()?.map(|c| c.name().into()),
        filter: scaling.filter.map(|f| f.name().into()),
        template: look.template.clone(),
        intent: look.intent.clone(),
        color: look.color.color_out(incoming)?,
        allow_upres: scaling.allow_upres,
        allow_suspect: args.allow_suspect,
        antiring: scaling.antiring,
        container: scaling.container,
    };
    wishes.lay("the command line", &mut layers)?;
    layers.finish()
}

/// What people chose, in the order of the files.
fn choices(args: &Args) -> Outcome<Choices> {
    let mut choices = Choices::default();
    for path in &args.resolve {
        let newer = Choices::read(&path.display().to_string(), &text(path)?)?;
        choices.learn(newer);
    }
    Ok(choices)
}

fn text(path: &Path) -> Outcome<String> {
    String::from_utf8(read_document(path)?).map_err(|e| {
        Fault::new(Code::BadConfig, "the file is no UTF-8 text")
            .at(path.display().to_string())
            .because(&e)
    })
}

pub(super) fn absolute(path: &Path) -> Outcome<PathBuf> {
    storage::absolute(path)
}

fn stem(path: &Path) -> String {
    path.file_stem().map_or_else(|| "pull".to_owned(), |name| name.to_string_lossy().into_owned())
}

pub(super) fn file_name(path: &Path) -> String {
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
