//! Makes a pull whole: finishes what dead workers owe, reads every plate again,
//! and puts beside them what a receiver needs: ACES metadata, framing, edit
//! list, report, contact sheet, and over all of it the manifest.
//!
//! It may be killed anywhere and run again. Every file appears under its name
//! in one step, is a function of the plan and the plates, and is made anew each
//! time. What says that the package may be used appears last ([`release`]).
//!
//! ```text
//! <out>/<plate>/<plate>.1001.exr ...   <out>/<plate>/<plate>.amf (.clf .cc .cdl .decode.json)
//! <out>/edit/<list> pull_list.csv pull_list.ale   <out>/stills/<plate>.png   <out>/<movies>/...
//!    <out>/framing/<fdl>   <out>/contact_sheet.png   <out>/thumbnails/... of many plates
//! <out>/report.json   <out>/report.html     <out>/ascmhl/...
//! ```

mod gather;
mod html;
mod meter;
mod movie;
mod release;
#[cfg(test)]
mod release_tests;
mod report;
mod sheet;
#[cfg(test)]
mod tests;

pub(crate) use html::base64;
pub use report::{
    FORMAT, Failure, FileReport, PackageReport, PlateReport, Settings, SourceReport, Totals,
};

use crate::gate::Verdict;
use crate::kinds::StepFrames;
use crate::leash::Leash;
use crate::roots::is_plain_name;
use gather::{Gathered, PlateFrames, is_later};
use meter::Meter;
use platefarm_media::{hash, publish};
use platefarm_model::making::Stage;
use platefarm_model::pull::{Document, PackageSpec, PlatePlan};
use platefarm_model::{Code, Fault, FrameRange, Outcome};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// Plates whose thumbnails the page holds; those of more are files beside it, so that it opens.
const MOST_EMBEDDED: usize = 200;
/// Directory of those files.
const THUMBNAILS: &str = "thumbnails";

/// Makes the package of `spec` from the farm's `results`, staging its files
/// under `attempt`. An incomplete pull is packed too; its report says what is
/// missing.
///
/// # Errors
/// A plan that names files outside the package, a disk that cannot be written,
/// [`Code::Interrupted`] when the leash was cut.
pub fn make(
    spec: &PackageSpec,
    results: Vec<StepFrames>,
    attempt: &str,
    leash: &Leash,
) -> Outcome<PackageReport> {
    check_names(spec)?;
    let out_dir = Path::new(&spec.out_dir);
    let staging = publish::stage_dir(out_dir, attempt)?;
    let made = meter::reading(leash, || fill(spec, results, attempt, &staging, leash));
    if made.is_err() {
        // What is staged is of no use to the next attempt. Why this one failed says more than this.
        let _ = publish::remove_attempt(out_dir, attempt);
    }
    made
}

fn fill(
    spec: &PackageSpec,
    results: Vec<StepFrames>,
    attempt: &str,
    staging: &Path,
    leash: &Leash,
) -> Outcome<PackageReport> {
    let out_dir = Path::new(&spec.out_dir);
    let gathered = gather::gather(spec, results, attempt, leash)?;
    let mut writer = Writer::new(out_dir, staging, leash);

    let mut sidecars = write_documents(spec, &gathered, &mut writer)?;
    let drawn = Meter::begin(leash, Stage::Drawing, spec.plates.len(), 0);
    let pictures = sheet::pictures(&gathered, &drawn);
    writer.put("contact_sheet.png", &sheet::contact_sheet(spec, &gathered, &pictures)?)?;
    if spec.delivery.sidecars.stills {
        for (plan, picture) in spec.plates.iter().zip(&pictures) {
            if let Some(png) = picture.still()? {
                let name = format!("stills/{}.png", plan.name);
                writer.put(&name, &png)?;
                sidecars.push(name);
            }
        }
    }
    let mut notes = Vec::new();
    for movie in movie::make(spec, &gathered, &mut writer, leash)? {
        match movie {
            Ok(name) => sidecars.push(name),
            Err(fault) => notes.push(fault),
        }
    }
    let mut report = report::build(spec, &gathered, sidecars);
    report.notes.extend(notes);
    let thumbnails = thumbnails(&report, &pictures, &mut writer)?;
    release::finish(&writer, &mut report, &thumbnails, leash)?;
    publish::remove_leftovers(out_dir, |name| is_later(name, attempt))?;
    Ok(report)
}

/// Pictures for the page, per plate; of many plates they are written beside it.
fn thumbnails(
    report: &PackageReport,
    pictures: &[sheet::Pictures],
    writer: &mut Writer<'_>,
) -> Outcome<Vec<Vec<html::Thumbnail>>> {
    let of = |(plate, pictures): (&PlateReport, &sheet::Pictures)| {
        let mut thumbnails = pictures.thumbnails()?;
        for thumbnail in &mut thumbnails {
            let Some(directory) = &report.thumbnails else { break };
            let name = format!("{directory}/{}.{}.png", plate.name, thumbnail.frame);
            writer.put(&name, &std::mem::take(&mut thumbnail.png))?;
            thumbnail.file = Some(name);
        }
        Ok(thumbnails)
    };
    report.plates.iter().zip(pictures).map(of).collect()
}

/// Why the step failed, when the package is not whole: the first cause, and how many there are.
#[must_use]
pub fn incomplete(report: &PackageReport) -> Option<Fault> {
    if report.complete {
        return report.gate.as_ref().and_then(Verdict::fault);
    }
    let totals = report.totals;
    let mut fault = Fault::new(
        Code::PackageIncomplete,
        format!(
            "{} of {} events are whole, {} of {} frames are there",
            totals.plates_whole, totals.events, totals.frames_delivered, totals.frames
        ),
    );
    let failed = report.plates.iter().flat_map(|p| &p.failures).map(|f| &f.fault);
    let first = failed.chain(report.rejected.iter().map(|r| &r.fault)).next();
    fault.cause = first.map(ToString::to_string);
    Some(fault)
}

/// The names in a plan come from somebody else and become paths.
fn check_names(spec: &PackageSpec) -> Outcome<()> {
    let plates = spec.plates.iter().flat_map(|p| {
        let named = [Some(&p.name), Some(&p.amf.name), p.clf.as_ref().map(|clf| &clf.name)];
        named.into_iter().flatten().chain(p.documents.iter().map(|d| &d.name))
    });
    let documents = [Some(&spec.edl), spec.fdl.as_ref(), spec.look.as_ref()].into_iter().flatten();
    let documents = documents.chain(&spec.documents).chain(&spec.color.looks).map(|d| &d.name);
    match plates.chain(documents).find(|name| !is_plain_name(name)) {
        Some(bad) => {
            Err(Fault::new(Code::BadName, format!("'{bad}' cannot be the name of a file")))
        }
        None => Ok(()),
    }
}

/// Writes the documents that travel with the plates. Returns all sidecars of
/// the package, in the order that a reader looks for them.
fn write_documents(
    spec: &PackageSpec,
    gathered: &Gathered,
    writer: &mut Writer<'_>,
) -> Outcome<Vec<String>> {
    let mut names = vec!["report.html".into(), "report.json".into(), "contact_sheet.png".into()];
    let mut put = |directory: &str, document: &Document| -> Outcome<()> {
        let name = format!("{directory}/{}", document.name);
        writer.put(&name, document.text.as_bytes())?;
        names.push(name);
        Ok(())
    };
    put("edit", &spec.edl)?;
    for document in &spec.documents {
        put("edit", document)?;
    }
    if let Some(fdl) = &spec.fdl {
        put("framing", fdl)?;
    }
    if let Some(look) = &spec.look {
        put("color", look)?;
    }
    for (plan, plate) in spec.plates.iter().zip(&gathered.plates) {
        // Metadata of pictures that do not exist would only mislead.
        if plate.sound().next().is_some() {
            put(&plan.name, &plan.amf)?;
            for document in plan.clf.iter().chain(&plan.documents) {
                put(&plan.name, document)?;
            }
            put(&plan.name, &decode_record(spec, plan, plate)?)?;
            let named = |look: &&Document| plan.looks.contains(&look.name);
            for look in spec.color.looks.iter().filter(named) {
                put(&plan.name, look)?;
            }
        }
    }
    Ok(names)
}

/// How the plate was made, beside it: AMF has no place for these settings.
fn decode_record(spec: &PackageSpec, plan: &PlatePlan, plate: &PlateFrames) -> Outcome<Document> {
    let mut backends: Vec<&str> = plate.sound().map(|f| f.backend.as_str()).collect();
    backends.sort_unstable();
    backends.dedup();
    let debayer = plan.clip.picture.cfa.as_ref().map(|cfa| {
        serde_json::json!({
            "algorithm": spec.debayer.name(),
            "version": spec.debayer.version(),
            "pattern": cfa,
        })
    });
    let record = serde_json::json!({
        "plate": plan.name,
        "made_by": concat!("platefarm ", env!("CARGO_PKG_VERSION")),
        "clip": plan.clip.identity.clip_name,
        "media": plan.clip.path,
        "source_frames": FrameRange::of_len(plan.source_first, plan.frames.len()),
        "frames": plan.frames,
        "debayer": debayer,
        "white_balance": plan.clip.color.map(|color| color.white_balance),
        "camera_to_aces": plan.clip.color.map(|color| color.camera_to_aces),
        "color": spec.color_out.name(),
        "compression": spec.compression.label(),
        "retime": plan.retime,
        "recipe": plan.recipe,
        "backends": backends,
    });
    let text = serde_json::to_string_pretty(&record)
        .map_err(|e| Fault::new(Code::Internal, "a decode record is not JSON").because(&e))?;
    Ok(Document { name: format!("{}.decode.json", plan.name), text: (text + "\n").into() })
}

/// Puts files into the package, each in one step.
struct Writer<'a> {
    out_dir: &'a Path,
    staging: PathBuf,
    written: u32,
    /// XXH128 of what was put, by its name.
    hashes: BTreeMap<String, String>,
    /// What was put, which nobody knows beforehand.
    meter: Meter<'a>,
}

impl<'a> Writer<'a> {
    fn new(out_dir: &'a Path, staging: &Path, leash: &'a Leash) -> Self {
        let meter = Meter::begin(leash, Stage::Writing, 0, 0);
        let staging = staging.to_owned();
        Self { out_dir, staging, written: 0, hashes: BTreeMap::new(), meter }
    }

    /// The attempt that it writes for: the name of its staging directory.
    fn attempt(&self) -> &str {
        self.staging.file_name().and_then(|name| name.to_str()).unwrap_or_default()
    }

    /// Writes `bytes` as `name`, relative to the package. A file that says the
    /// same already is left alone, its date with it.
    fn put(&mut self, name: &str, bytes: &[u8]) -> Outcome<()> {
        self.hashes.insert(name.to_owned(), hash::xxh128(bytes));
        self.meter.did(bytes.len() as u64);
        self.written += 1;
        match self.stage(&format!("sidecar-{}", self.written), name, bytes)? {
            Some(staged) => self.publish(&staged, name),
            None => Ok(()),
        }
    }

    /// Writes `bytes` aside; nothing where a file that says the same has the name already.
    fn stage(&self, aside: &str, name: &str, bytes: &[u8]) -> Outcome<Option<PathBuf>> {
        let published = publish::confined(self.out_dir, Path::new(name))?;
        if platefarm_media::storage::read(published).is_ok_and(|there| there == bytes) {
            return Ok(None);
        }
        let staged = self.staging.join(aside);
        publish::write_flushed(&staged, bytes)?;
        Ok(Some(staged))
    }

    /// Gives what was written aside its name.
    fn publish(&self, staged: &Path, name: &str) -> Outcome<()> {
        let published = publish::confined(self.out_dir, Path::new(name))?;
        if let Some(directory) = published.parent() {
            publish::make_dirs(directory)?;
        }
        publish::publish(staged, &published)
    }
}
