//! The end of a package: what was written is read back, judged and sealed, and
//! only then does anything say that it may be used.
//!
//! The report says what the gate found, the seal covers the report, and the
//! gate looks at the seal. So report and page are written aside, the seal is
//! made over them and everything else and read back, and where it does not hold
//! both are made once more and say so. Then they get their names: the seal
//! first, `report.json` last. Killed in between, a package has no report, or
//! that of an earlier try, and the next try comes to the same. What an earlier
//! try still has staged goes before: it gets no name any more.

use super::gather::is_later;
use super::html::{self, Thumbnail};
use super::meter::Meter;
use super::{PackageReport, Writer};
use crate::gate::{self, Package, Request};
use crate::leash::Leash;
use platefarm_media::mhl::{self, Known, Prepared, SealMeta};
use platefarm_media::{hash, publish};
use platefarm_model::making::{Making, Stage};
use platefarm_model::{Code, Fault, Outcome, Timestamp};
use platefarm_standards::mhl::Creator;
use rayon::prelude::*;
use std::collections::{BTreeSet, HashMap};
use std::time::{SystemTime, UNIX_EPOCH};

/// What is made of the verdict, in the order in which they get their names.
const OF_THE_VERDICT: [&str; 2] = ["report.html", "report.json"];

/// Judges and seals the package of `report`, whose files are all written, and
/// publishes what says so.
///
/// # Errors
/// A file that cannot be read back, a disk that cannot be written,
/// [`Code::Interrupted`] when the leash was cut.
pub(super) fn finish(
    writer: &Writer<'_>,
    report: &mut PackageReport,
    thumbnails: &[Vec<Thumbnail>],
    leash: &Leash,
) -> Outcome<()> {
    let found = read_back(writer, report)?;
    let sidecars = report.sidecars.iter().filter(|name| !is_of_the_verdict(name));
    // What others wrote, as movies are, is what it was found to be.
    let meant = |name: &String| writer.hashes.get(name).or_else(|| found.get(name)).cloned();
    report.documents = sidecars.filter_map(|name| Some((name.clone(), meant(name)?))).collect();
    let request = order(report);
    let examined = Meter::begin(leash, Stage::Examining, frames(report).count(), 0);
    let told = || examined.did(0);
    let package = gate::read_for_release(writer.out_dir, &request, &found, &told)?;
    let meant = frames(report).chain(report.documents.clone()).chain(writer.hashes.clone());
    let known = Known { meant: meant.collect(), found, ..Known::default() };
    let mut end = End { writer, thumbnails, request, package, known, meta: seal_meta(), leash };

    let mut seal = end.seal(report, Vec::new())?;
    if !seal.problems.is_empty() {
        let problems = std::mem::take(&mut seal.problems);
        seal = end.seal(report, problems)?;
    }
    // A worker that lost the lease meanwhile leaves the rest to its successor.
    if leash.is_stopped() {
        return Err(Fault::new(Code::Interrupted, "the package was taken from this worker"));
    }
    publish::remove_leftovers(writer.out_dir, |name| !is_later(writer.attempt(), name))?;
    seal.publish()?;
    for name in OF_THE_VERDICT {
        if let Some(staged) = end.known.coming.get(name) {
            writer.publish(staged, name)?;
        }
    }
    Ok(())
}

/// A package that is whole but for the verdict.
struct End<'a> {
    writer: &'a Writer<'a>,
    thumbnails: &'a [Vec<Thumbnail>],
    request: Request,
    package: Package,
    known: Known,
    meta: SealMeta,
    leash: &'a Leash,
}

impl End<'_> {
    /// Judges it by what is wrong with its seal, and makes the seal over what that comes to.
    fn seal(&mut self, report: &mut PackageReport, problems: Vec<Fault>) -> Outcome<Prepared> {
        self.package.seal = Some(problems);
        let verdict = gate::judge(&self.package, &self.request);
        report.released = verdict.passed;
        report.gate = Some(verdict);
        let json = serde_json::to_vec_pretty(report)
            .map_err(|e| Fault::new(Code::Internal, "the report is not JSON").because(&e))?;
        let page = html::page(report, self.thumbnails).into_bytes();
        for (name, bytes) in OF_THE_VERDICT.into_iter().zip([page, json]) {
            self.known.meant.insert(name.into(), hash::xxh128(&bytes));
            match self.writer.stage(name, name, &bytes)? {
                Some(staged) => self.known.coming.insert(name.into(), staged),
                None => self.known.coming.remove(name),
            };
        }
        let Self { writer, meta, known, leash, .. } = &*self;
        let sealed = |done, total| {
            leash.making(Making { done, ..Making::begin(Stage::Sealing, total, 0) });
        };
        mhl::prepare(writer.out_dir, &writer.staging, meta, known, &sealed)
    }
}

fn is_of_the_verdict(name: &str) -> bool {
    OF_THE_VERDICT.contains(&name)
}

/// Frames that are there and sound, with the hash that each was found to have when it was gathered.
fn frames(report: &PackageReport) -> impl Iterator<Item = (String, String)> {
    let files = report.plates.iter().flat_map(|plate| &plate.files);
    files.map(|file| (file.file.clone(), file.xxh128.clone()))
}

/// XXH128 of every file as it lies there. Frames were read whole a moment ago; the others are read now.
fn read_back(writer: &Writer<'_>, report: &PackageReport) -> Outcome<HashMap<String, String>> {
    let others: BTreeSet<&String> = writer.hashes.keys().chain(&report.sidecars).collect();
    let others: Vec<&String> = others.into_iter().filter(|name| !is_of_the_verdict(name)).collect();
    let read = |name: &String| Ok((name.clone(), hash::xxh128_file(&writer.out_dir.join(name))?.1));
    let mut found: HashMap<String, String> =
        others.into_par_iter().map(read).collect::<Outcome<_>>()?;
    found.extend(frames(report));
    Ok(found)
}

/// What was asked for, and what of it is known to be missing.
fn order(report: &PackageReport) -> Request {
    let mut request = Request { from: "the order".into(), ..Request::of(report) };
    request.sidecars.retain(|name| !is_of_the_verdict(name));
    let movies = report.notes.iter().filter(|note| note.code == Code::MovieFailed);
    request.missing.extend(movies.map(ToString::to_string));
    request
}

/// Who seals, here and now.
fn seal_meta() -> SealMeta {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    SealMeta {
        created: Timestamp(i64::try_from(since.as_micros()).unwrap_or(i64::MAX)),
        creator: Creator {
            host: sysinfo::System::host_name().unwrap_or_else(|_| "unknown".into()),
            tool: ("platefarm".into(), Some(env!("CARGO_PKG_VERSION").into())),
            ..Creator::default()
        },
    }
}
