//! What is looked at when something does not work, or before a machine joins a
//! farm: each check says what it found, and what to do where that is not well.
//!
//! A check changes nothing but what it takes away again, and none fails for
//! what this machine does not need: that is skipped, or noted.

mod certificates;
mod clock;
mod farm;
mod gpu;
mod machine;
mod storage;
mod store;
mod tools;

use crate::cli::Global;
use platefarm_model::{Code, Fault, Outcome};
use platefarm_scheduler::store::Place;
use serde::Serialize;
use std::path::PathBuf;

/// What is to be looked at.
pub(crate) struct Patient<'a> {
    /// How the farm is reached.
    pub(crate) global: &'a Global,
    /// The scheduler's store, where one is named or there.
    pub(crate) store: Option<Place>,
    /// Places that are read: media.
    pub(crate) media: Vec<PathBuf>,
    /// Places that are written: plates.
    pub(crate) out: Vec<PathBuf>,
    /// The certificate that a scheduler here speaks with.
    pub(crate) tls_cert: Option<PathBuf>,
    /// Whether a worker here has to have a GPU.
    pub(crate) require_gpu: bool,
    /// Whether drivers are looked at in this process: it may die of it.
    pub(crate) within: bool,
}

/// How well it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum State {
    /// As it should be.
    Ok,
    /// Not needed, or not to be told here.
    Skipped,
    /// Works, but less well than it could.
    Warning,
    /// Does not work.
    Failed,
}

impl State {
    /// Its name.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Skipped => "skipped",
            Self::Warning => "warning",
            Self::Failed => "failed",
        }
    }
}

/// What a check found.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Finding {
    /// Name of the check.
    pub(crate) check: &'static str,
    /// How well it is.
    pub(crate) state: State,
    /// What was seen.
    pub(crate) found: String,
    /// What to do about it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) remedy: Option<String>,
    /// Error code, where it does not work.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) code: Option<Code>,
}

/// What checks say, one after the other.
pub(crate) struct Report {
    check: &'static str,
    findings: Vec<Finding>,
}

impl Report {
    fn add(&mut self, state: State, found: String, remedy: Option<String>, code: Option<Code>) {
        self.findings.push(Finding { check: self.check, state, found, remedy, code });
    }

    fn ok(&mut self, found: impl Into<String>) {
        self.add(State::Ok, found.into(), None, None);
    }

    fn skip(&mut self, found: impl Into<String>) {
        self.add(State::Skipped, found.into(), None, None);
    }

    fn warn(&mut self, found: impl Into<String>, remedy: impl Into<String>) {
        self.add(State::Warning, found.into(), Some(remedy.into()), None);
    }

    fn fail(&mut self, fault: &Fault) {
        let remedy = fault.remedy_text().to_owned();
        self.add(State::Failed, fault.to_string(), Some(remedy), Some(fault.code));
    }
}

/// A check: its name, what it looks at, and how.
pub(crate) struct Check {
    pub(crate) name: &'static str,
    pub(crate) doc: &'static str,
    run: fn(&Patient<'_>, &mut Report),
}

/// Every check, in the order in which they run.
pub(crate) const CHECKS: &[Check] = &[
    Check {
        name: "program",
        doc: "this program, its build and the processor",
        run: machine::program,
    },
    Check {
        name: "memory",
        doc: "memory, open files, room for temporary files",
        run: machine::memory,
    },
    Check {
        name: "gpu",
        doc: "Vulkan's loader and drivers, and the GPU that is opened",
        run: gpu::check,
    },
    Check { name: "ffmpeg", doc: "FFmpeg and the encoders that movies need", run: tools::ffmpeg },
    Check { name: "aaf", doc: "OpenTimelineIO, which reads AAF", run: tools::aaf },
    Check { name: "bridges", doc: "programs of configured bridges", run: tools::bridges },
    Check {
        name: "storage",
        doc: "places of --media and --out: reading, writing, room",
        run: storage::check,
    },
    Check {
        name: "store",
        doc: "the scheduler's store: version, speed, clock, volume",
        run: store::check,
    },
    Check {
        name: "clock",
        doc: "whether the clock is kept, and how far it is from the scheduler's",
        run: clock::check,
    },
    Check {
        name: "certificates",
        doc: "until when certificates are good that are named here",
        run: certificates::check,
    },
    Check { name: "farm", doc: "whether the farm answers, and who we are to it", run: farm::check },
];

/// Runs the checks that `only` names, or all.
///
/// # Errors
/// `F0008` for a name that no check has.
pub(crate) fn examine(patient: &Patient<'_>, only: &[String]) -> Outcome<Vec<Finding>> {
    if let Some(unknown) = only.iter().find(|name| CHECKS.iter().all(|check| check.name != **name))
    {
        let names: Vec<&str> = CHECKS.iter().map(|check| check.name).collect();
        return Err(Fault::new(Code::UnknownOption, format!("there is no check '{unknown}'"))
            .at("--only")
            .remedy(format!("Choose of: {}.", names.join(", "))));
    }
    let mut findings = Vec::new();
    for check in CHECKS {
        if only.is_empty() || only.iter().any(|name| name == check.name) {
            let mut report = Report { check: check.name, findings: Vec::new() };
            (check.run)(patient, &mut report);
            findings.append(&mut report.findings);
        }
    }
    Ok(findings)
}

/// The first thing that does not work, as the error that ends the program.
pub(crate) fn fault(findings: &[Finding]) -> Option<Fault> {
    let failed: Vec<&Finding> = findings.iter().filter(|f| f.state == State::Failed).collect();
    let first = failed.first()?;
    let things = if failed.len() == 1 { "thing does" } else { "things do" };
    let message = format!("{} {things} not work here, first {}", failed.len(), first.check);
    let fault = Fault::new(first.code.unwrap_or(Code::MachineUnfit), message);
    Some(fault.remedy("Do what is said with each of them, and run `platefarm doctor` again."))
}
