//! `platefarm pull`: from an edit list to a verified package.
//!
//! The plan is made here, where the media is; the farm is handed a job whose
//! steps are the plates and, last, the package.

use crate::cli::render::{Look, read_document};
use crate::cli::{Global, jobs, runtime};
use crate::embedded::{Embedded, state_dir};
use crate::farm::Farm;
use crate::output::{Output, Progress, PullSummary, StageSummary};
use platefarm_media::publish;
use platefarm_media::source;
use platefarm_media::storage;
use platefarm_model::clip::ClipInfo;
use platefarm_model::job::{JobSpec, JobView};
use platefarm_model::pull::{Document, PackageSpec};
use platefarm_model::{Code, Fault, FrameRate, JobId, Outcome};
use platefarm_scheduler::pulls;
use platefarm_standards::fdl;
use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::time::Instant;

#[derive(clap::Args)]
pub(super) struct Args {
    /// Edit list (CMX3600 and its relatives).
    #[arg(long, value_name = "FILE")]
    edl: PathBuf,
    /// Directory that is searched for camera files; may be given several times.
    #[arg(long, value_name = "DIR", required = true)]
    media: Vec<PathBuf>,
    /// Directory of the package.
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    /// Frames to add before and after each event.
    #[arg(long, default_value_t = 8, value_name = "FRAMES")]
    handles: u32,
    /// Rate of the edit list [default: the media's]
    #[arg(long, value_name = "FPS")]
    rate: Option<FrameRate>,
    /// Production that the pull belongs to.
    #[arg(long, default_value = "show")]
    show: String,
    /// Version of the plates.
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=9999), value_name = "N")]
    plate_version: u32,
    /// Higher runs first.
    #[arg(long, default_value_t = 0, allow_hyphen_values = true)]
    priority: i32,
    #[command(flatten)]
    look: Look,
    /// Show the plan and stop.
    #[arg(long)]
    dry_run: bool,
    /// Follow the job to its end.
    #[arg(long)]
    wait: bool,
    /// Run a farm in this process for as long as the pull takes.
    #[arg(long)]
    local: bool,
    /// Workers of the local farm.
    #[arg(long, default_value_t = 2, requires = "local")]
    workers: u32,
}

pub(super) fn run(args: Args, global: &Global, out: &dyn Output) -> Outcome<()> {
    let plan = plan(&args, out)?;
    if args.dry_run {
        out.plan(&plan.package);
        return Ok(());
    }
    if out.talks() {
        out.plan(&plan.package);
    }
    runtime()?.block_on(async {
        if args.local {
            run_local(&args, &plan, global, out).await
        } else {
            run_on_farm(&args, &plan, global, out).await
        }
    })
}

/// What to do, and the key under which it is handed in.
struct Plan {
    job: JobSpec,
    package: PackageSpec,
    key: String,
    out_dir: PathBuf,
}

fn plan(args: &Args, out: &dyn Output) -> Outcome<Plan> {
    let edl_bytes = read_document(&args.edl)?;
    let fdl_document = args
        .look
        .fdl
        .as_deref()
        .map(|path| read_document(path).map(|bytes| (path, bytes)))
        .transpose()?;
    let (clips, unreadable) = scan(&args.media)?;
    for fault in &unreadable {
        out.note(&format!("note {fault}"));
    }
    let (rate, assumed) = list_rate(args.rate, &clips);
    let list = platefarm_media::editlist::read(&args.edl, &edl_bytes, Some(rate))?;
    let parsed_fdl = fdl_document
        .as_ref()
        .map(|(path, bytes)| fdl::Fdl::parse(bytes).map_err(|fault| fault.within(path.display())))
        .transpose()?;
    let out_dir = absolute(&args.out)?;
    let fdl_bytes = fdl_document.as_ref().map(|(_, bytes)| bytes.as_slice());
    let content = content_key(args, &edl_bytes, fdl_bytes, &clips)?;
    let request = pulls::PullRequest {
        name: stem(&args.edl),
        show: args.show.clone(),
        edl: &list,
        edl_document: document(&args.edl, &edl_bytes),
        rate: list.rate,
        clips: &clips,
        fdl: parsed_fdl.as_ref(),
        fdl_name: args.look.fdl.as_deref().map(file_name),
        template: args.look.template.clone(),
        intent: args.look.intent.clone(),
        scaling: args.look.scaling()?,
        handles: args.handles,
        out_dir: out_dir.display().to_string(),
        plate_version: args.plate_version,
        priority: args.priority,
        debayer: args.look.debayer()?,
        repairs: args.look.repairs()?,
        compression: args.look.compression()?,
        color_out: args.look.color_out()?,
        backend: args.look.backend()?,
        notes: assumed.into_iter().chain(unreadable).collect(),
        seed: content.clone(),
        now: now(),
    };
    let mut plan = pulls::plan(&request)?;
    let key = platefarm_media::hash::xxh128(format!("{content} {}", out_dir.display()).as_bytes());
    plan.job.idempotency_key = Some(key.clone());
    Ok(Plan { job: plan.job, package: plan.package, key, out_dir })
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
fn list_rate(given: Option<FrameRate>, clips: &[ClipInfo]) -> (FrameRate, Option<Fault>) {
    if let Some(rate) = given {
        return (rate, None);
    }
    let mut votes: Vec<(FrameRate, u64)> = Vec::new();
    for rate in clips.iter().filter_map(|clip| clip.timing.rate) {
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
fn content_key(args: &Args, edl: &[u8], fdl: Option<&[u8]>, clips: &[ClipInfo]) -> Outcome<String> {
    let look = &args.look;
    let fdl::Scaling { container, allow_upres, filter, antiring } = look.scaling()?;
    let framing = (look.template.as_deref(), look.intent.as_deref());
    let scaling = (container, allow_upres, filter, antiring);
    let photosites = (look.debayer()?, look.repairs()?);
    let look = (framing, scaling, photosites, look.compression()?, look.color_out()?);
    let request = (&args.show, args.plate_version, args.handles, args.rate, look);
    let text = serde_json::to_vec(&(request, clips))
        .map_err(|e| Fault::new(Code::Internal, "cannot name the pull").because(&e))?;
    let mut bytes = Vec::with_capacity(text.len() + edl.len());
    for part in [text.as_slice(), edl, fdl.unwrap_or_default()] {
        bytes.extend_from_slice(&(part.len() as u64).to_le_bytes());
        bytes.extend_from_slice(part);
    }
    Ok(platefarm_media::hash::xxh128(&bytes))
}

/// The marker that says whose an output directory is until its package is
/// sealed; the package step clears it away.
fn marker(plan: &Plan) -> PathBuf {
    plan.out_dir.join(publish::STAGING).join(format!("pull-{}", plan.key))
}

/// Plates of this pull that are there already.
fn delivered(plan: &Plan) -> Option<PathBuf> {
    let mut plates = plan.package.plates.iter().map(|plate| plan.out_dir.join(&plate.name));
    plates.find(|dir| is_there(dir))
}

/// What says that a directory holds a sealed package, or media with a history.
fn sealed(out_dir: &Path) -> Option<PathBuf> {
    ["ascmhl", "report.json"].iter().map(|name| out_dir.join(name)).find(|path| is_there(path))
}

/// Whether there is something at a place, on a disk or in a bucket.
fn is_there(path: &Path) -> bool {
    storage::metadata(path).is_ok()
}

/// Takes the output directory for this pull. Refuses to write over plates, and
/// to work where another pull does; the same pull goes on where it was.
/// Returns when the directory was first taken: a pull into a directory that
/// was cleared since is another one.
fn claim(plan: &Plan) -> Outcome<u128> {
    let marker = marker(plan);
    let begun = |marker: &Path| {
        let modified = storage::metadata(marker).and_then(|m| m.modified()).ok()?;
        Some(modified.duration_since(std::time::UNIX_EPOCH).unwrap_or_default().as_nanos())
    };
    if let Some(when) = begun(&marker) {
        return Ok(when);
    }
    let taken = |message: String| Fault::new(Code::OutputExists, message).at("--out");
    if let Some(dir) = delivered(plan) {
        return Err(taken(format!("'{}' is already there", dir.display())));
    }
    // One package a directory: the seal of this one would replace that of what is there, which
    // may be somebody else's (a camera card has a history too).
    if let Some(sealed) = sealed(&plan.out_dir) {
        return Err(taken(format!("'{}' belongs to another package", sealed.display()))
            .remedy("Deliver into another directory."));
    }
    let hidden = plan.out_dir.join(publish::STAGING);
    publish::make_dirs(&hidden)?;
    let unwritable = |e: std::io::Error| publish::write_fault(&marker, &e);
    if storage::is_remote(&marker) {
        publish::write_flushed(&marker, b"")?;
    } else {
        std::fs::File::options().create(true).append(true).open(&marker).map_err(unwritable)?;
    }
    // Looked for after ours is there, so that of two pulls at least one sees the other.
    let others = storage::read_dir(&hidden).map_err(unwritable)?.into_iter().flatten();
    let others = others.map(|entry| entry.path());
    let is_marker = |path: &PathBuf| {
        path.file_name().is_some_and(|name| name.to_string_lossy().starts_with("pull-"))
    };
    if let Some(other) = others.filter(is_marker).find(|path| *path != marker) {
        let _ = publish::discard(&marker);
        return Err(taken(format!(
            "another pull is under way into '{}'",
            plan.out_dir.display()
        ))
        .remedy(format!(
            "Deliver into another directory. If the other pull was given up, remove '{}' and what it left.",
            other.display()
        )));
    }
    begun(&marker).ok_or_else(|| {
        Fault::new(Code::WriteFailed, "what was written is gone").at(marker.display().to_string())
    })
}

async fn run_on_farm(args: &Args, plan: &Plan, global: &Global, out: &dyn Output) -> Outcome<()> {
    let mut farm = Farm::connect(global.dial()?).await?;
    let begun = Instant::now();
    let claimed = claim(plan)?;
    let mut spec = plan.job.clone();
    let key = format!("{} {claimed}", plan.key);
    spec.idempotency_key = Some(platefarm_media::hash::xxh128(key.as_bytes()));
    let (job, existed) = farm.submit(&spec).await?;
    if !args.wait || out.talks() {
        out.submitted(job, existed);
    }
    if !args.wait {
        return Ok(());
    }
    let settled = follow(&mut farm, job, plan, begun, out).await?;
    jobs::verdict(&settled)
}

async fn run_local(args: &Args, plan: &Plan, global: &Global, out: &dyn Output) -> Outcome<()> {
    let store = state_dir().join("local").join(format!("{}.db", plan.key));
    // A store without the files that it speaks of is of a directory that was cleared since.
    if !is_there(&marker(plan)) && delivered(plan).is_none() {
        remove_store(&store);
    }
    // Killed between the end of the package and the end of the job, it has its store and no marker.
    if !store.exists() {
        claim(plan)?;
    }
    let listen = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
    let farm = Embedded {
        listen,
        store: store.clone(),
        workers: args.workers,
        backend: args.look.backend()?,
        program: global.slot_program()?,
        alone: true,
    };
    let mut running = farm.start().await?;
    let url = running.url.clone();
    let begun = Instant::now();
    let work = async {
        let mut farm = Farm::connect(url.as_str()).await?;
        let (job, existed) = farm.submit(&plan.job).await?;
        if existed {
            out.note("this pull was begun before; it goes on where it was");
        }
        follow(&mut farm, job, plan, begun, out).await
    };
    let ended = tokio::select! {
        result = work => result,
        fault = running.failed() => Err(fault),
        () = crate::cli::asked_to_stop() => Err(Fault::new(Code::Interrupted, "the pull was interrupted").remedy("Run the same command again: it goes on where it was.")),
    };
    let stopped = running.stop().await;
    // What is not settled goes on from its store.
    let settled = ended?;
    stopped?;
    remove_store(&store);
    jobs::verdict(&settled)
}

/// A settled pull needs its local store no more. What is left behind by a
/// failure here is small and harmless.
fn remove_store(store: &Path) {
    for suffix in ["", "-wal", "-shm", ".lock"] {
        let mut name = store.as_os_str().to_owned();
        name.push(suffix);
        let _ = std::fs::remove_file(name);
    }
}

async fn follow(
    farm: &mut Farm,
    job: JobId,
    plan: &Plan,
    begun: Instant,
    out: &dyn Output,
) -> Outcome<JobView> {
    let progress = Progress::start(out.talks());
    let away = |gone: &Fault| out.note(&jobs::waiting(gone));
    let settled = farm.watch(job, |view| progress.show(view), away).await;
    progress.finish();
    let settled = settled?;
    let frames = farm.frames(job).await?;
    out.pulled(&summary(&settled, plan, &frames, begun.elapsed().as_secs_f64()));
    Ok(settled)
}

fn summary(
    job: &JobView,
    plan: &Plan,
    frames: &[(u32, Vec<platefarm_model::job::FrameResult>)],
    wall_s: f64,
) -> PullSummary {
    let plates = plan.package.plates.len();
    let rendered: Vec<_> = frames
        .iter()
        .filter(|(step, _)| (*step as usize) < plates)
        .flat_map(|(_, results)| results)
        .collect();
    let (mut backends, mut sums) = (BTreeMap::new(), BTreeMap::<String, (f64, f64)>::new());
    for result in &rendered {
        *backends.entry(result.backend.clone()).or_insert(0) += 1;
        for (stage, ms) in &result.millis {
            let (sum, max) = sums.entry(stage.clone()).or_default();
            *sum += ms;
            *max = max.max(*ms);
        }
    }
    let all: f64 = sums.values().map(|(sum, _)| sum).sum();
    let stage = |(sum, max): (f64, f64)| StageSummary {
        mean_ms: sum / rendered.len().max(1) as f64,
        max_ms: max,
        share: sum / all.max(1e-9),
    };
    let made = |name: &str| {
        Some(plan.out_dir.join(name))
            .filter(|path| is_there(path))
            .map(|path| path.display().to_string())
    };
    let failed = job.steps.iter().take(plates).map(|step| step.failed.len()).sum();
    PullSummary {
        job: job.id,
        phase: job.phase.word(),
        package: plan.out_dir.display().to_string(),
        contact_sheet: made("contact_sheet.png"),
        report: made("report.html"),
        plates,
        rejected: plan.package.rejected.len(),
        frames: rendered.len() as u64,
        frames_failed: failed,
        bytes: rendered.iter().map(|result| result.bytes).sum(),
        wall_s,
        backends,
        stages: sums.into_iter().map(|(name, sums)| (name, stage(sums))).collect(),
    }
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

fn now() -> platefarm_model::Timestamp {
    let since =
        std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
    platefarm_model::Timestamp(i64::try_from(since.as_micros()).unwrap_or(i64::MAX))
}
