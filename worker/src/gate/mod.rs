//! The gate: a finished package, read again and held against what was asked
//! for. A pull is released only when it passes; `platefarm validate` runs the
//! same checks anywhere, on packages that others made too.
//!
//! [`read`] opens files and makes values of them; everything after that is
//! pure. A check is a function in [`checks::CHECKS`]: it says what is wrong,
//! and what it could not look at for want of something. Each answers a cause
//! for which packages are sent back (wrong colour, uneven decode, ranges off
//! by one, wrong names, lost metadata), see docs/pulls.md.

mod checks;
mod read;
mod request;

pub use checks::{CHECKS, Check};
pub(crate) use read::read_for_release;
pub use request::{MovieRequest, PlateRequest, Request};

use platefarm_media::delivered::{Delivered, Movie};
use platefarm_media::storage;
use platefarm_model::{Code, Fault, FrameRange, FrameSet, Outcome};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::path::Path;

/// What the gate found.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Verdict {
    /// Whether nothing keeps the package from being released.
    pub passed: bool,
    /// What it was held against: `report.json`, a file, or nothing.
    pub against: String,
    /// Plates that were looked at.
    pub plates: u64,
    /// Frames that were looked at.
    pub frames: u64,
    /// What is wrong, and what is to be looked at.
    pub findings: Vec<Finding>,
    /// How checks looked, where there is more than one way.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub how: Vec<How>,
    /// What could not be checked, and why.
    pub not_checked: Vec<NotChecked>,
    /// Names of the checks that ran.
    pub checks: Vec<String>,
}

impl Verdict {
    /// Findings that keep the package from being released.
    pub fn failures(&self) -> impl Iterator<Item = &Finding> {
        self.findings.iter().filter(|finding| finding.severity == Severity::Failure)
    }

    /// The first failure, as the error of the gate.
    #[must_use]
    pub fn fault(&self) -> Option<Fault> {
        let first = self.failures().next()?;
        let count = self.failures().count();
        let plural = if count == 1 { "" } else { "s" };
        let mut fault =
            Fault::new(Code::NotAsAsked, format!("the gate found {count} failure{plural}"));
        fault.cause = Some(first.to_string());
        Some(fault)
    }
}

/// How much a finding matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// The package is not released.
    Failure,
    /// A person should look.
    Warning,
}

/// Something that is not as it should be.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Finding {
    /// The check that found it.
    pub check: String,
    /// How much it matters.
    pub severity: Severity,
    /// The plate, where it is one's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub plate: Option<String>,
    /// The frames, where it is some frames'.
    #[serde(default, skip_serializing_if = "FrameSet::is_empty")]
    pub frames: FrameSet,
    /// What is wrong.
    pub fault: Fault,
    /// What to do about it.
    pub remedy: String,
}

impl std::fmt::Display for Finding {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}: ", self.check)?;
        if let Some(plate) = &self.plate {
            write!(f, "{plate}")?;
            if !self.frames.is_empty() {
                write!(f, " {}", self.frames)?;
            }
            f.write_str(": ")?;
        }
        write!(f, "{}", self.fault)
    }
}

/// How something was checked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct How {
    /// The check.
    pub check: String,
    /// What was read, and what it was held against.
    pub how: String,
}

/// Something that could not be checked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NotChecked {
    /// The check.
    pub check: String,
    /// Why not.
    pub why: String,
}

/// A package as it was read.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Package {
    /// Files, relative to the package, without its seal and what is hidden.
    pub(crate) files: Vec<String>,
    /// Sequences of frames.
    pub(crate) sequences: Vec<SequenceFiles>,
    /// Documents by their names: AMF, CLF, FDL, colour decisions.
    pub(crate) documents: BTreeMap<String, Vec<u8>>,
    /// Files that hold nothing, but for frames.
    pub(crate) empty: Vec<String>,
    /// What the movies are that the request knows, or why they cannot be opened.
    pub(crate) movies: BTreeMap<String, Result<Movie, Fault>>,
    /// XXH128 of the sidecars whose hashes the request knows; none where they were not read.
    pub(crate) hashes: BTreeMap<String, String>,
    /// What the package itself says was asked for, where it is held against another request.
    pub(crate) own: Option<Request>,
    /// What holding it against its ASC MHL found; absent where it has none.
    pub(crate) seal: Option<Vec<Fault>>,
    /// How it was read.
    pub(crate) look: Look,
}

/// How a package was read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Look {
    /// Headers and documents.
    #[default]
    Headers,
    /// As a pull ends: every file was read back for its hash, and of frames that are what their
    /// renderer measured the headers say what the pixels are.
    Release,
    /// To the last pixel.
    Pixels,
}

/// The frames of one name in one directory.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct SequenceFiles {
    /// Directory, relative to the package.
    pub(crate) directory: String,
    /// What stands before the frame number.
    pub(crate) stem: String,
    /// Frames by their number; where two files have one, the others are in `doubles`.
    pub(crate) frames: BTreeMap<i64, FrameFile>,
    /// Files that say a number which another has said.
    pub(crate) doubles: Vec<String>,
}

/// One frame.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct FrameFile {
    /// File, relative to the package.
    pub(crate) file: String,
    /// Digits of the frame number.
    pub(crate) digits: usize,
    /// What it is, or why it cannot be read.
    pub(crate) read: Result<Delivered, Fault>,
}

/// Collects what the checks find.
pub(crate) struct Sink<'a> {
    check: &'static str,
    verdict: &'a mut Verdict,
}

impl Sink<'_> {
    fn put(&mut self, severity: Severity, plate: Option<&str>, frames: FrameSet, fault: Fault) {
        self.verdict.findings.push(Finding {
            check: self.check.into(),
            severity,
            plate: plate.map(Into::into),
            frames,
            remedy: fault.remedy_text().to_owned(),
            fault,
        });
    }

    /// Something is wrong with frames of a plate.
    pub(crate) fn fail(&mut self, plate: &str, frames: impl Into<FrameSet>, message: String) {
        let fault = Fault::new(Code::NotAsAsked, message);
        self.put(Severity::Failure, Some(plate), frames.into(), fault);
    }

    /// The same, with a fault of its own.
    pub(crate) fn fault(&mut self, plate: Option<&str>, frames: FrameSet, fault: Fault) {
        self.put(Severity::Failure, plate, frames, fault);
    }

    /// A person should look.
    pub(crate) fn warn(&mut self, plate: Option<&str>, frames: FrameSet, fault: Fault) {
        self.put(Severity::Warning, plate, frames, fault);
    }

    /// In which way this was looked at.
    pub(crate) fn how(&mut self, how: &str) {
        self.verdict.how.push(How { check: self.check.into(), how: how.into() });
    }

    /// This cannot be checked here.
    pub(crate) fn skip(&mut self, why: impl Into<String>) {
        let skipped = NotChecked { check: self.check.into(), why: why.into() };
        if !self.verdict.not_checked.contains(&skipped) {
            self.verdict.not_checked.push(skipped);
        }
    }
}

/// Holds a package against a request. Pure.
pub(crate) fn judge(package: &Package, request: &Request) -> Verdict {
    let mut verdict = Verdict {
        against: request.from.clone(),
        plates: package.sequences.len() as u64,
        frames: package.sequences.iter().map(|s| s.frames.len() as u64).sum(),
        ..Verdict::default()
    };
    for check in CHECKS {
        verdict.checks.push(check.name.into());
        (check.run)(package, request, &mut Sink { check: check.name, verdict: &mut verdict });
    }
    let passed = verdict.failures().next().is_none();
    verdict.passed = passed;
    verdict
}

/// The request that was kept elsewhere: a report, or the package that holds it.
///
/// # Errors
/// [`Code::FileNotFound`]; [`Code::BadStructure`] when it is no report of platefarm's.
pub fn kept_request(place: &Path) -> Outcome<Request> {
    let inside = storage::metadata(place).is_ok_and(|found| found.is_dir());
    let file = if inside { place.join("report.json") } else { place.to_owned() };
    if storage::metadata(&file).is_err() {
        let fault =
            Fault::new(Code::FileNotFound, "there is no report to hold the package against");
        return Err(fault.at(file.display().to_string()));
    }
    let request = read::request(&file).map_err(|fault| fault.within(file.display()))?;
    let request = request.ok_or_else(|| {
        Fault::new(Code::BadStructure, "this is no report of a pull")
            .at(file.display().to_string())
            .remedy("Give the report.json of the pull, or the package as it was delivered.")
    })?;
    Ok(Request { from: file.display().to_string(), ..request })
}

/// Reads the package in `dir` and holds it against its own report, or against
/// `request` where one is given. Every pixel is read when `deep`.
///
/// # Errors
/// [`Code::FileNotFound`] when there is no such directory; [`Code::NoMedia`]
/// when it holds no frame and nobody asked for any.
pub fn validate(dir: &Path, request: Option<Request>, deep: bool) -> Outcome<Verdict> {
    if !storage::metadata(dir).is_ok_and(|found| found.is_dir()) {
        let message = format!("'{}' is no directory", dir.display());
        return Err(Fault::new(Code::FileNotFound, message));
    }
    let (own, broken) = match read::own_request(dir) {
        Ok(own) => (own, None),
        Err(fault) => (Request::default(), Some(fault)),
    };
    let (request, own) = match request {
        Some(request) => (request, Some(own)),
        None => (own, None),
    };
    let package = Package { own, ..read::read(dir, deep, &request)? };
    if package.sequences.is_empty() && request.plates.is_empty() && broken.is_none() {
        let message = format!("'{}' holds no OpenEXR frames", dir.display());
        return Err(Fault::new(Code::NoMedia, message)
            .remedy("Give the directory of a package, with its frames below it."));
    }
    let mut verdict = judge(&package, &request);
    if let Some(fault) = broken {
        Sink { check: "complete", verdict: &mut verdict }.fault(None, FrameSet::new(), fault);
        verdict.passed = false;
    }
    Ok(verdict)
}

/// A set of single frames.
pub(crate) fn set(frames: impl IntoIterator<Item = i64>) -> FrameSet {
    let mut set = FrameSet::new();
    frames.into_iter().for_each(|frame| set.insert(FrameRange::single(frame)));
    set
}
