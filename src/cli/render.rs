//! `platefarm render SOURCE`: the stateless function, with no farm.

use crate::cli::choice;
use crate::cli::colors::{self, ColorArgs};
use crate::output::{Output, Progress};
use platefarm_media::{Clip, publish};
use platefarm_model::clip::ClipInfo;
use platefarm_model::recipe::{Backend, Compression, Debayer, Filter, FrameNaming, RenderSpec};
use platefarm_model::repair::{Highlights, Repairs};
use platefarm_model::{Code, Fault, FrameRange, Outcome};
use platefarm_scheduler::pulls;
use platefarm_standards::amf::{self, Delivery, ExtraLook, IncomingAmf};
use platefarm_standards::fdl;
use platefarm_worker::leash::Leash;
use platefarm_worker::render;
use std::path::{Path, PathBuf};

#[derive(clap::Args)]
pub(super) struct Args {
    /// A frame of the clip, or a directory that holds just this clip.
    source: PathBuf,
    /// Frames to render, counted within the clip from 0, both ends included [default: all]
    #[arg(long, value_name = "A-B")]
    frames: Option<FrameRange>,
    /// Directory that receives the frames.
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    /// Number of the first delivered frame.
    #[arg(long, default_value_t = 1001, value_name = "FRAME")]
    first: i64,
    /// Name before the frame number [default: the clip's name]
    #[arg(long)]
    name: Option<String>,
    /// What the pixels of a picture are, where its file does not say it or is not to be believed:
    /// a space of `platefarm color list`.
    #[arg(long, value_name = "NAME")]
    color_in: Option<String>,
    /// A look to put into the pixels, on ACES2065-1: a file (.clf, .cube, .cdl, .cc, .ccc, FILE#ID
    /// of a collection) or a name. More than one are applied in order, after those of an AMF.
    #[arg(long = "look", value_name = "LOOK")]
    looks: Vec<String>,
    #[command(flatten)]
    look: Look,
}

/// What decides the pixels; shared with `pull`.
#[derive(clap::Args)]
pub(super) struct Look {
    /// Framing decision list (ASC FDL).
    #[arg(long, value_name = "FILE")]
    pub(super) fdl: Option<PathBuf>,
    /// Id of the FDL's canvas template to apply [default: the only one it has]
    #[arg(long, value_name = "ID")]
    pub(super) template: Option<String>,
    /// Id of the framing intent whose decisions are meant [default: the FDL's default intent]
    #[arg(long, value_name = "ID", requires = "fdl")]
    pub(super) intent: Option<String>,
    /// Without an FDL: fit the full source into this size, padded with black [default: its own size]
    #[arg(long, value_name = "WxH", value_parser = super::size, conflicts_with = "fdl")]
    container: Option<[u32; 2]>,
    /// Let a plate be larger than its source.
    #[arg(long)]
    allow_upres: bool,
    #[command(flatten)]
    pub(super) color: ColorArgs,
    /// How missing colours are reconstructed: ri, rcd, mhc or superpixel [default: ri]
    #[arg(long, value_name = "NAME")]
    debayer: Option<String>,
    #[command(flatten)]
    repairs: RepairArgs,
    /// Filter of the resample: lanczos3, mitchell, catmull-rom, blackman-harris, triangle, cubic or box [default: lanczos3 when shrinking, mitchell when enlarging]
    #[arg(long, value_name = "NAME")]
    filter: Option<String>,
    /// Keep resampled values within the range of the pixels they are made of: no ringing, a little less sharp.
    #[arg(long)]
    antiring: bool,
    /// EXR compression.
    #[arg(long, value_name = "NAME", help = compressions())]
    compression: Option<String>,
    #[command(flatten)]
    backend: BackendArg,
}

/// What is mended about the photosites, before the debayer.
#[derive(clap::Args)]
struct RepairArgs {
    /// Replace photosites that stick out of all their neighbours (hot and dead pixels).
    #[arg(long)]
    hot_pixels: bool,
    /// Lights that the sensor clips: off leaves them as they are, clip makes them white and flat, rebuild raises what clips to what the other colours say.
    #[arg(long, default_value = Highlights::default().name(), value_name = "off|clip|rebuild")]
    highlights: String,
}

/// Which form of the image operations runs.
#[derive(clap::Args)]
pub(super) struct BackendArg {
    /// auto takes a real GPU when there is one; gpu takes software drivers too, and fails when there is none.
    #[arg(long, default_value = "auto", value_name = "auto|cpu|gpu")]
    backend: String,
}

impl BackendArg {
    /// As it was typed.
    pub(super) fn name(&self) -> &str {
        &self.backend
    }

    pub(super) fn value(&self) -> Outcome<Backend> {
        let name = |backend| match backend {
            Backend::Auto => "auto",
            Backend::Cpu => "cpu",
            Backend::Gpu => "gpu",
        };
        choice("backend", &[Backend::Auto, Backend::Cpu, Backend::Gpu], name, &self.backend)
    }
}

/// Help of `--compression`, from what there is.
fn compressions() -> String {
    let names: Vec<String> = Compression::ALL.iter().map(|c| c.label()).collect();
    format!(
        "EXR compression: {}; none is the ACES container of SMPTE ST 2065-4 [default: zip]",
        names.join(", ")
    )
}

impl Look {
    pub(super) fn debayer(&self) -> Outcome<Debayer> {
        Ok(self.debayer_given()?.unwrap_or_default())
    }

    pub(super) fn repairs(&self) -> Outcome<Repairs> {
        let highlights =
            choice("highlights", Highlights::ALL, Highlights::name, &self.repairs.highlights)?;
        Ok(Repairs { hot_pixels: self.repairs.hot_pixels, highlights })
    }

    /// The debayer, where one was named.
    pub(super) fn debayer_given(&self) -> Outcome<Option<Debayer>> {
        let named = self.debayer.as_deref();
        named.map(|name| choice("debayer", Debayer::ALL, Debayer::name, name)).transpose()
    }

    pub(super) fn filter(&self) -> Outcome<Option<Filter>> {
        let filter = self.filter.as_deref();
        filter.map(|name| choice("filter", Filter::ALL, Filter::name, name)).transpose()
    }

    pub(super) fn compression(&self) -> Outcome<Compression> {
        Ok(self.compression_given()?.unwrap_or_default())
    }

    /// The compression, where one was named.
    pub(super) fn compression_given(&self) -> Outcome<Option<Compression>> {
        let named = self.compression.as_deref();
        let named =
            named.map(|name| choice("compression", Compression::ALL, Compression::name, name));
        named.transpose()
    }

    pub(super) fn backend(&self) -> Outcome<Backend> {
        self.backend.value()
    }

    pub(super) fn scaling(&self) -> Outcome<fdl::Scaling> {
        Ok(fdl::Scaling {
            container: self.container,
            allow_upres: self.allow_upres,
            filter: self.filter()?,
            antiring: self.antiring,
        })
    }
}

pub(super) fn run(args: &Args, out: &dyn Output) -> Outcome<()> {
    let clip = platefarm_media::open(&args.source, None)?;
    let plan = plan(args, &*clip)?;
    // Said before the work: it may take hours, and be of no use.
    plan.warnings.iter().for_each(|note| out.warn(note));
    let progress = Progress::start(out.talks());
    let total = plan.spec.frames.len();
    let mut done = 0;
    let report = render::render_local(&plan.spec, &Leash::free(), &mut |_| {
        done += 1;
        progress.at(done, total);
    });
    progress.finish();
    let mut report = report?;
    if !out.talks() {
        report.notes.extend(plan.warnings.iter().cloned());
    }
    report.notes.extend(plan.assumed.iter().cloned());
    let mut trouble = None;
    // What was not begun is done by the next run, which then says what all of it is.
    if !report.files.is_empty() && report.not_done.is_empty() {
        match sidecars(&plan, clip.info()) {
            Ok((written, notes)) => {
                report.sidecars = written;
                report.notes.extend(notes);
            }
            Err(fault) => trouble = Some(fault),
        }
    }
    out.rendered(&report);
    report.first_fault().cloned().or(trouble).map_or(Ok(()), Err)
}

/// What to render.
struct RenderPlan {
    spec: RenderSpec,
    incoming: Option<IncomingAmf>,
    looks: Vec<ExtraLook>,
    /// What may make the work useless.
    warnings: Vec<Fault>,
    /// What was assumed by a rule.
    assumed: Vec<Fault>,
}

fn plan(args: &Args, clip: &dyn Clip) -> Outcome<RenderPlan> {
    let info = clip.info();
    let has = info.timing.indices().ok_or_else(|| {
        Fault::new(Code::NoMedia, format!("clip '{}' has no frames", info.identity.clip_name))
    })?;
    let wanted = args.frames.unwrap_or(has);
    if wanted.intersection(has) != Some(wanted) {
        return Err(Fault::new(
            Code::FrameOutsideClip,
            format!("frames {wanted} of clip '{}', which has {has}", info.identity.clip_name),
        )
        .at("--frames"));
    }
    let incoming = args.look.color.incoming()?;
    let color_out = args.look.color.color_out(incoming.as_ref())?;
    let looks =
        args.looks.iter().map(|look| colors::read_look(look)).collect::<Outcome<Vec<_>>>()?;
    let (steps, looks): (Vec<_>, Vec<_>) = looks.into_iter().unzip();
    let color_in = args.color_in.as_deref();
    let (color, assumed) = colors::recipe(info, incoming.as_ref(), color_in, &steps, &color_out)?;
    let mut framed = framed(&args.look, info)?;
    let fdl_json = framed.applied.take().map(|applied| applied.document.to_json()).transpose()?;
    let spec = RenderSpec {
        source: args.source.display().to_string(),
        clip_name: None,
        source_first: wanted.first(),
        frames: FrameRange::of_len(args.first, wanted.len()),
        out_dir: args.out.display().to_string(),
        naming: FrameNaming {
            stem: args.name.clone().unwrap_or_else(|| info.identity.clip_name.clone()),
            padding: 4,
        },
        debayer: args.look.debayer()?,
        repairs: args.look.repairs()?,
        framing: framed.framing,
        color,
        color_out,
        compression: args.look.compression()?,
        backend: args.look.backend()?,
        fdl_json,
        headers: platefarm_model::recipe::HeaderTexts::default(),
        reuse: Vec::new(),
    };
    Ok(RenderPlan { spec, incoming, looks, warnings: framed.notes, assumed })
}

/// Writes what says what the frames are beside them; returns the files, and what of them is in no registry.
fn sidecars(plan: &RenderPlan, clip: &ClipInfo) -> Outcome<(Vec<String>, Vec<Fault>)> {
    let spec = &plan.spec;
    let created = super::now();
    let seed = format!("{} {} {}", spec.out_dir, spec.naming.stem, created.0);
    let made = amf::sidecars(&Delivery {
        what: &format!(
            "{}: {} of clip '{}', by platefarm {}",
            spec.naming.stem,
            spec.color_out.name(),
            clip.identity.clip_name,
            env!("CARGO_PKG_VERSION")
        ),
        clip,
        naming: &spec.naming,
        frames: spec.frames,
        debayer: spec.debayer,
        repairs: &spec.repairs,
        color: &spec.color,
        color_out: &spec.color_out,
        incoming: plan.incoming.as_ref(),
        looks: &plan.looks,
        grade: None,
        created,
        uuid: &|what| pulls::uuid(&seed, what),
    })?;
    let mut written = Vec::new();
    for document in made.clf.iter().chain(&made.looks).chain([&made.amf]) {
        let path = Path::new(&spec.out_dir).join(&document.name);
        publish::write_atomic(&path, document.text.as_bytes())?;
        written.push(path.display().to_string());
    }
    Ok((written, made.notes))
}

/// The framing of a clip. The document that goes into the headers gets a UUID
/// that follows from what it says, so that the same render makes the same files.
fn framed(look: &Look, info: &ClipInfo) -> Outcome<fdl::Framed> {
    let media = fdl::Media {
        size: [info.picture.width, info.picture.height],
        pixel_aspect: Some(info.picture.pixel_aspect),
        clip_name: Some(&info.identity.clip_name),
    };
    let scaling = look.scaling()?;
    let Some(file) = &look.fdl else {
        if let Some(template) = &look.template {
            let message = format!("template '{template}' was named without an FDL");
            return Err(Fault::new(Code::BadRecipe, message)
                .at("--template")
                .remedy("Give --fdl."));
        }
        let mut framed = fdl::frame(None, &scaling, &media)?;
        framed.notes.insert(0, scaling.unframed());
        return Ok(framed);
    };
    let document = read_fdl(file)?;
    let ids: Vec<&str> = document.canvas_templates.iter().map(|t| t.id.as_str()).collect();
    let template = match (&look.template, ids.as_slice()) {
        (Some(template), _) => template.as_str(),
        (None, [only]) => *only,
        (None, _) => {
            let message = format!("the FDL has {} canvas templates: {}", ids.len(), ids.join(", "));
            return Err(Fault::new(Code::FdlIdNotFound, message)
                .at(file.display().to_string())
                .remedy("Name one with --template."));
        }
    };
    let seed = format!("{}{template}{}", document.to_json()?, info.identity.clip_name);
    let uuid = pulls::uuid(&seed, "FDL");
    let request = fdl::Request {
        template,
        intent: look.intent.as_deref(),
        document_uuid: &uuid,
        ..fdl::Request::default()
    };
    fdl::frame(Some((&document, &request)), &scaling, &media)
        .map_err(|fault| fault.within(file.display()))
}

/// A document from disk, within the limit, with the place in its faults.
pub(super) fn read_document(path: &Path) -> Outcome<Vec<u8>> {
    let place = path.display().to_string();
    let fault = |e: std::io::Error| {
        let code = if e.kind() == std::io::ErrorKind::NotFound {
            Code::FileNotFound
        } else {
            Code::FileUnreadable
        };
        Fault::new(code, format!("cannot read '{place}'")).because(&e)
    };
    let size = std::fs::metadata(path).map_err(fault)?.len();
    if size > platefarm_model::limits::MAX_DOCUMENT_BYTES {
        return Err(Fault::new(
            Code::TooLarge,
            format!("'{place}' has {size} bytes, too many for a document"),
        ));
    }
    std::fs::read(path).map_err(fault)
}

pub(super) fn read_fdl(path: &Path) -> Outcome<fdl::Fdl> {
    fdl::Fdl::parse(&read_document(path)?).map_err(|fault| fault.within(path.display()))
}
