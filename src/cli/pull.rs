//! `platefarm pull`: from an edit list to a verified package.
//!
//! The plan is made here, where the media is ([`request`]); the farm is handed
//! a job whose steps are the plates and, last, the package.

mod earlier;
mod media;
mod request;

use crate::cli::library::StoreArg;
use crate::cli::render::Look;
use crate::cli::terms::Terms;
use crate::cli::typed::unread;
use crate::cli::{Global, jobs, runtime};
use crate::embedded::{Embedded, state_dir};
use crate::farm::Farm;
use crate::output::{GateSummary, Output, Progress, PullSummary, StageSummary};
use platefarm_media::publish;
use platefarm_media::storage;
use platefarm_model::job::{JobSpec, JobView};
use platefarm_model::{Code, Fault, FrameRate, JobId, Outcome};
use platefarm_scheduler::pulls;
use platefarm_worker::package::PackageReport;
use request::Plan;
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
    #[arg(long, value_name = "DIR", required_unless_present = "library")]
    media: Vec<PathBuf>,
    /// Take the clips of the library instead of searching for them.
    #[arg(long, conflicts_with = "media")]
    library: bool,
    /// Take clips of the library that were added for other shows too.
    #[arg(long, requires = "library")]
    any_show: bool,
    #[command(flatten)]
    store: StoreArg,
    /// Directory of the package.
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    /// What the delivery is to be: vfx-plate, review, editorial, or a TOML file (docs/pulls.md).
    #[arg(long, value_name = "NAME|FILE")]
    spec: Option<String>,
    /// Frames to add before and after each event [default: the spec's, or 8]
    #[arg(long, value_name = "FRAMES")]
    handles: Option<u32>,
    /// What becomes of a shot that the edit uses more than once: a plate for each use, or once [default: each]
    #[arg(long, value_name = "each|once")]
    repeated: Option<String>,
    /// Template of a plate's name [default: {shot}_PL{plate:02}_v{version:03}]
    #[arg(long, value_name = "TEMPLATE")]
    naming: Option<String>,
    /// Colour of the markers that name shots, as the list writes it: RED [default: the spec's, or any]
    #[arg(long, value_name = "COLOR")]
    marker_color: Option<String>,
    /// Rate of the edit list [default: the show's, or the media's]
    #[arg(long, value_name = "FPS")]
    rate: Option<FrameRate>,
    /// Production that the pull belongs to; without one no choices are kept or taken [default: show]
    #[arg(long)]
    show: Option<String>,
    /// Defaults of the show, as TOML: rate, spec, fdl, amf.
    #[arg(long, value_name = "FILE")]
    show_file: Option<PathBuf>,
    /// Choices between clips where several would do, as TOML; kept for the show.
    #[arg(long, value_name = "FILE")]
    resolve: Vec<PathBuf>,
    /// Lowest score at which a rule matches a clip, from 0 to 1; 1 takes exact matches only.
    #[arg(long, default_value_t = pulls::BAR, value_name = "SCORE", value_parser = score)]
    match_bar: f64,
    /// An earlier delivery of these shots: versions go on from it, and frames that did not change are taken over.
    #[arg(long, value_name = "DIR")]
    previous: Vec<PathBuf>,
    /// Version of plates that were not delivered before.
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=9999), value_name = "N")]
    plate_version: u32,
    /// Black, flat and frozen pictures are meant: they are told and keep nothing from its release.
    #[arg(long)]
    allow_suspect: bool,
    #[command(flatten)]
    look: Look,
    /// Show the plan and stop; ends as the pull would where events are rejected.
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
    #[command(flatten)]
    terms: Terms,
}

impl Args {
    /// The production, as jobs name it.
    fn show(&self) -> &str {
        self.show.as_deref().unwrap_or("show")
    }
}

fn score(text: &str) -> Outcome<f64> {
    let score = text.parse().ok().filter(|score| (0.0..=1.0).contains(score));
    score.ok_or_else(|| unread(text, "score", "Write a number from 0 to 1, as in 0.8."))
}

pub(super) fn run(args: Args, global: &Global, out: &dyn Output) -> Outcome<()> {
    let plan = request::plan(&args, out)?;
    if args.dry_run || out.talks() {
        out.plan(&plan.pull.shown());
    }
    if args.dry_run {
        return plan.pull.fault().map_or(Ok(()), Err);
    }
    runtime()?.block_on(async {
        if args.local {
            run_local(&args, &plan, global, out).await
        } else {
            run_on_farm(&args, &plan, global, out).await
        }
    })
}

/// The marker that says whose an output directory is until its package is
/// sealed; the package step clears it away.
fn marker(plan: &Plan) -> PathBuf {
    plan.out_dir.join(publish::STAGING).join(format!("pull-{}", plan.key))
}

/// Plates of this pull that are there already.
fn delivered(plan: &Plan) -> Option<PathBuf> {
    let mut plates = plan.pull.package.plates.iter().map(|plate| plan.out_dir.join(&plate.name));
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
    let mut spec = plan.pull.job.clone();
    args.terms.apply(&mut spec);
    let key = format!("{} {claimed}", plan.key);
    spec.idempotency_key = Some(platefarm_media::hash::xxh128(key.as_bytes()));
    let (job, existed) = farm.submit(&spec).await?;
    if !args.wait || out.talks() {
        out.submitted(job, existed);
    }
    if existed {
        told(args, &mut farm, &spec, job, out).await?;
    }
    if !args.wait {
        return Ok(());
    }
    let settled = follow(&mut farm, job, plan, begun, out).await?;
    jobs::verdict(&settled)
}

/// Says which terms of this command a job does not take that was there before.
async fn told(
    args: &Args,
    farm: &mut Farm,
    spec: &JobSpec,
    job: JobId,
    out: &dyn Output,
) -> Outcome<()> {
    let there = farm.job(job).await?;
    if let Some(kept) = args.terms.kept(spec, &there) {
        out.warn(&kept);
    }
    Ok(())
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
        http: None,
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
        let mut spec = plan.pull.job.clone();
        args.terms.apply(&mut spec);
        let (job, existed) = farm.submit(&spec).await?;
        if existed {
            out.note("this pull was begun before; it goes on where it was");
            told(args, &mut farm, &spec, job, out).await?;
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
    let settled = farm.watch(&[job], |views| progress.show(views), away).await;
    progress.finish();
    let gone = || Fault::new(Code::UnknownJob, format!("there is no job {job}"));
    let settled = settled?.pop().ok_or_else(gone)?;
    let frames = farm.frames(job).await?;
    out.pulled(&summary(&settled, plan, &frames, begun.elapsed().as_secs_f64()));
    Ok(settled)
}

/// What the gate found of a package, as far as its report can be read.
fn judged(package: &Path) -> Option<GateSummary> {
    let report = storage::read(package.join("report.json")).ok()?;
    let report: PackageReport = serde_json::from_slice(&report).ok()?;
    let gate = report.gate?;
    let failures = gate.failures().count();
    let of_plates: usize = report.plates.iter().map(|plate| plate.notes.len()).sum();
    Some(GateSummary {
        released: report.released,
        checks: gate.checks.len(),
        failures,
        warnings: gate.findings.len() - failures,
        notes: report.notes.len() + of_plates,
    })
}

fn summary(
    job: &JobView,
    plan: &Plan,
    frames: &[(u32, Vec<platefarm_model::job::FrameResult>)],
    wall_s: f64,
) -> PullSummary {
    let plates = plan.pull.package.plates.len();
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
        gate: judged(&plan.out_dir),
        plates,
        rejected: plan.pull.package.rejected.len(),
        frames: rendered.len() as u64,
        frames_failed: failed,
        bytes: rendered.iter().map(|result| result.bytes).sum(),
        wall_s,
        backends,
        stages: sums.into_iter().map(|(name, sums)| (name, stage(sums))).collect(),
    }
}
