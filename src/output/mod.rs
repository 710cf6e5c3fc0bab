//! What the program says, in three voices.
//!
//! Data goes to standard output, talk (progress, notes, errors) to standard
//! error. Every verb speaks through the one trait, so human, JSON and quiet
//! forms cannot drift apart.

/// A line on standard output.
macro_rules! say {
    () => { crate::output::line(format_args!("")) };
    ($($text:tt)*) => { crate::output::line(format_args!($($text)*)) };
}

/// A line on standard error.
macro_rules! tell {
    ($($text:tt)*) => { crate::output::talk(format_args!($($text)*)) };
}

mod amf;
mod doctor;
mod editing;
mod events;
mod farm;
mod frames;
mod framing;
mod human;
mod inspect;
mod json;
mod library;
mod progress;
mod pull;
mod quiet;
mod sealing;
mod steer;
mod style;
mod table;
mod trust;

pub(crate) use platefarm_scheduler::pulls::Shown as PlanView;
pub(crate) use progress::Progress;
pub(crate) use style::coloured_talk;

use crate::doctor::Finding;
use crate::farm::{FrameLine, Me, ShowPage};
use platefarm_media::card::Card as MediaCard;
use platefarm_media::mhl::{Created, HistoryInfo};
use platefarm_media::publish::write_fault;
use platefarm_media::source::bridge::CheckReport;
use platefarm_model::cause::Cause;
use platefarm_model::clip::ClipInfo;
use platefarm_model::code::CodeInfo;
use platefarm_model::color::name::Entry;
use platefarm_model::event::{Event, Hook};
use platefarm_model::explain::{Explanation, SettingsView, WhatIf, WhatIfAnswer};
use platefarm_model::format::FormatCard;
use platefarm_model::job::{JobView, WorkerView};
use platefarm_model::status::FarmStatus;
use platefarm_model::trust::{AuditEntry, TokenView};
use platefarm_model::{Fault, JobId, Outcome, Secret, Timestamp};
use platefarm_scheduler::library::{Added, Card, Entry as ClipEntry, Show};
use platefarm_shaders::color::Replaced;
use platefarm_standards::editlist::{Diff, EditList};
use platefarm_standards::fdl::{Applied, Fdl, Reading};
use platefarm_standards::mhl::{Checked, Problem};
use platefarm_worker::gate::Verdict;
use platefarm_worker::render::RenderReport;
use serde::Serialize;
use std::collections::BTreeMap;
use std::io::{ErrorKind, Write};
use std::path::Path;
use std::sync::OnceLock;

/// What kept something that was said from standard output.
static LOST: OnceLock<std::io::Error> = OnceLock::new();

/// Notes what came of writing to standard output. A reader that went away
/// (`| head`, a pager that was left) is not an error of ours: the work goes on.
fn said(written: std::io::Result<()>) {
    if let Err(error) = written
        && error.kind() != ErrorKind::BrokenPipe
    {
        LOST.get_or_init(|| error);
    }
}

/// Says a line on standard output.
fn line(text: std::fmt::Arguments<'_>) {
    let text = text.to_string();
    said(writeln!(std::io::stdout(), "{}", style::to_stdout(&text)));
}

/// Says a line on standard error, to whoever is there.
fn talk(text: std::fmt::Arguments<'_>) {
    let text = text.to_string();
    let _ = writeln!(std::io::stderr(), "{}", style::to_stderr(&text));
}

/// Whether all that was said has reached standard output: a file on a full disk lacks it.
///
/// # Errors
/// `F0301`, `F0303`.
pub(crate) fn all_said() -> Outcome<()> {
    said(std::io::stdout().flush());
    LOST.get().map_or(Ok(()), |error| Err(write_fault(Path::new("standard output"), error)))
}

/// What can be shown.
pub(crate) trait Output {
    /// Whether progress and talk are wanted on standard error.
    fn talks(&self) -> bool;
    /// A list of jobs, of so many.
    fn jobs(&self, jobs: &[JobView], found: u64);
    /// One job with its steps.
    fn job(&self, job: &JobView);
    /// The farm itself.
    fn farm(&self, status: &FarmStatus);
    /// A list of workers.
    fn workers(&self, workers: &[WorkerView]);
    /// One worker.
    fn worker(&self, worker: &WorkerView);
    /// What workers have in hand.
    fn tasks(&self, workers: &[WorkerView]);
    /// A list of frames, of so many.
    fn frames(&self, frames: &[FrameLine], all: usize);
    /// One frame.
    fn frame(&self, frame: &FrameLine);
    /// How frames ended, in order.
    fn log(&self, frames: &[FrameLine]);
    /// What went wrong with a job's frames.
    fn causes(&self, job: JobId, causes: &[Cause]);
    /// A list of tokens, at a time.
    fn tokens(&self, tokens: &[TokenView], now: Timestamp);
    /// A token that was made, and its word, which is never known again.
    fn token_made(&self, token: &TokenView, word: Option<&Secret>);
    /// Who we are to a farm.
    fn caller(&self, me: &Me);
    /// What people did.
    fn audit(&self, entries: &[AuditEntry]);
    /// One of the things that happened.
    fn event(&self, event: &Event);
    /// Addresses that events are sent to.
    fn webhooks(&self, hooks: &[Hook]);
    /// An address that events are sent to from now on, and the secret that signs, which is never known again.
    fn webhook_made(&self, hook: &Hook, secret: &Secret);
    /// Why a job or step does or does not run.
    fn explained(&self, explanation: &Explanation);
    /// What imagined workers would get.
    fn what_if(&self, asked: &WhatIf, answer: &WhatIfAnswer);
    /// What people set up.
    fn settings(&self, which: Settings, view: &SettingsView);
    /// Everything that is said of a show.
    fn show(&self, page: &ShowPage);
    /// What camera files hold.
    fn inspected(&self, inspection: &Inspection<'_>);
    /// What a local render made.
    fn rendered(&self, report: &RenderReport);
    /// What a pull will do: plates, rejected events, notes.
    fn plan(&self, plan: &PlanView<'_>);
    /// What the library holds.
    fn library(&self, view: &LibraryView<'_>);
    /// What the gate found in a package.
    fn judged(&self, dir: &str, verdict: &Verdict);
    /// A job was accepted.
    fn submitted(&self, job: JobId, existed: bool);
    /// What a pull made.
    fn pulled(&self, summary: &PullSummary);
    /// What holding a directory against its history found.
    fn verified(&self, dir: &str, checked: &Checked);
    /// What was added to a history.
    fn sealed(&self, dir: &str, created: &Created);
    /// The generations of histories, and what is wrong with them.
    fn histories(&self, dir: &str, histories: &[HistoryInfo], wrong: &[Problem]);
    /// What an edit list says.
    fn edit_list(&self, file: &str, list: &EditList);
    /// What two edit lists differ in.
    fn edit_diff(&self, diff: &Diff<'_>);
    /// What reading a framing decision list found.
    fn fdl_read(&self, file: &str, reading: &Reading);
    /// A framing decision list.
    fn fdl(&self, document: &Fdl);
    /// What a template makes of a canvas.
    fn geometry(&self, applied: &Applied);
    /// How a bridge kept to the protocol.
    fn bridge_checked(&self, report: &CheckReport);
    /// A file that was made.
    fn made(&self, file: &str);
    /// Colour transforms that have a name.
    fn transforms(&self, entries: &[Entry]);
    /// What a colour conversion does, in order.
    fn steps(&self, steps: &[String]);
    /// What came of a conversion whose pixels are on standard output: pixels,
    /// values that were replaced, where it ran. On standard error.
    fn converted(&self, pixels: u64, replaced: Replaced, backend: &str);
    /// An ACES metadata file.
    fn amf(&self, view: &AmfView);
    /// What is wrong with an ACES metadata file.
    fn amf_checked(&self, file: &str, problems: &[Fault]);
    /// What was found of this machine and its farm.
    fn diagnosed(&self, findings: &[Finding]);
    /// Rows of the table of error codes.
    fn codes(&self, codes: &[CodeInfo]);
    /// A text that is asked for as it is (completions, a page of the manual), or as facts.
    fn text(&self, text: &str, _facts: &serde_json::Value) {
        said(std::io::stdout().write_all(text.as_bytes()));
    }
    /// What was done: a line of talk, or as facts.
    fn did(&self, text: &str, facts: &serde_json::Value);
    /// A line of talk.
    fn note(&self, text: &str);
    /// What was assumed and may be wrong; said in every voice.
    fn warn(&self, fault: &Fault);
    /// An error that ends the program.
    fn fault(&self, fault: &Fault);
}

/// Which of the settings are to be shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Settings {
    /// Pools of workers.
    Pools,
    /// Limits.
    Limits,
    /// Shares of shows.
    Shows,
    /// Nodes.
    Nodes,
}

/// What is shown of the library.
#[derive(Serialize)]
#[serde(untagged)]
pub(crate) enum LibraryView<'a> {
    /// What adding came to.
    Added {
        #[serde(flatten)]
        added: Added,
        problems: usize,
    },
    /// Clips that were found, of so many.
    Entries {
        #[serde(rename = "clips")]
        entries: &'a [ClipEntry],
        count: usize,
    },
    /// One clip.
    Clip {
        #[serde(flatten)]
        entry: &'a ClipEntry,
        clip: &'a ClipInfo,
    },
    /// Camera formats.
    Formats { formats: &'a [Card] },
    /// Shows.
    Shows { shows: &'a [Show] },
}

/// What an inspection found, and how much of it is to be said.
pub(crate) struct Inspection<'a> {
    /// Clips and problems.
    pub(crate) card: &'a MediaCard,
    /// The camera formats among the clips.
    pub(crate) formats: &'a [FormatCard],
    /// Every field of every clip, however many there are.
    pub(crate) full: bool,
}

/// An ACES metadata file, as it is shown.
#[derive(Serialize)]
pub(crate) struct AmfView {
    pub(crate) file: String,
    /// Major version of the schema.
    pub(crate) version: u32,
    pub(crate) uuid: Option<String>,
    pub(crate) description: Option<String>,
    /// The clip and its media.
    pub(crate) clip: Option<String>,
    /// ACES version of the pipeline.
    pub(crate) aces: Option<String>,
    pub(crate) stages: Vec<AmfStage>,
    /// How many earlier pipelines it keeps.
    pub(crate) archived: usize,
    /// What is still to be done to the pixels, where the file was resolved.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) remaining: Option<Vec<String>>,
    /// The output transform that the picture is looked at in.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) view: Option<String>,
    /// What was assumed.
    pub(crate) notes: Vec<Fault>,
}

/// A stage of it.
#[derive(Serialize)]
pub(crate) struct AmfStage {
    /// Name of its element.
    pub(crate) kind: &'static str,
    /// Whether it is in the pixels; none of a working location.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) applied: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) description: Option<String>,
    /// Ids, files and numbers.
    pub(crate) names: Vec<String>,
    /// What it does, where the file was resolved and it is not in the pixels.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) steps: Option<Vec<String>>,
}

/// The voice that was asked for.
pub(crate) fn choose(json: bool, quiet: bool) -> Box<dyn Output> {
    match (json, quiet) {
        (true, _) => Box::new(json::Json::default()),
        (_, true) => Box::new(quiet::Quiet),
        _ => Box::new(human::Human),
    }
}

/// What a pull made, measured from its frames' results.
#[derive(Debug, Serialize)]
pub(crate) struct PullSummary {
    /// The job.
    pub(crate) job: JobId,
    /// `done`, `failed`, `cancelled`.
    pub(crate) phase: &'static str,
    /// Directory of the package.
    pub(crate) package: String,
    /// Picture of every plate as it would look on a display, where it was made.
    pub(crate) contact_sheet: Option<String>,
    /// Report for people, where it was made.
    pub(crate) report: Option<String>,
    /// What the gate found, where the report can be read from here.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) gate: Option<GateSummary>,
    /// Plates in the plan.
    pub(crate) plates: usize,
    /// Events that became no plate.
    pub(crate) rejected: usize,
    /// Frames delivered.
    pub(crate) frames: u64,
    /// Frames given up.
    pub(crate) frames_failed: u64,
    /// Bytes of all plates.
    pub(crate) bytes: u64,
    /// From submission to the end, in seconds.
    pub(crate) wall_s: f64,
    /// Frames by the backend that rendered them.
    pub(crate) backends: BTreeMap<String, u64>,
    /// Per stage: mean milliseconds a frame, and megapixels delivered per second of that stage.
    pub(crate) stages: BTreeMap<String, StageSummary>,
}

/// What the gate found of a package, in numbers.
#[derive(Debug, Serialize)]
pub(crate) struct GateSummary {
    /// Whether the package is released.
    pub(crate) released: bool,
    /// Checks that ran.
    pub(crate) checks: usize,
    /// Findings that keep it from being released.
    pub(crate) failures: usize,
    /// Findings that a person should look at.
    pub(crate) warnings: usize,
    /// What was assumed or clamped, for the pull and plate by plate.
    pub(crate) notes: usize,
}

/// One stage over all frames.
#[derive(Debug, Serialize)]
pub(crate) struct StageSummary {
    /// Mean over the frames, in milliseconds.
    pub(crate) mean_ms: f64,
    /// Largest, in milliseconds.
    pub(crate) max_ms: f64,
    /// Share of all stages' time, 0 to 1.
    pub(crate) share: f64,
}

/// How many values of frames were replaced, and by what.
pub(crate) fn replaced(count: u64) -> String {
    format!(
        "{count} values that no half can hold, of the input or made of it: NaN by 0, the rest by 65504 with their sign"
    )
}

/// `12.3 MB` and the like.
pub(crate) fn bytes_text(bytes: u64) -> String {
    let mut value = bytes as f64;
    let mut unit = "B";
    for larger in ["kB", "MB", "GB", "TB"] {
        if value < 1000.0 {
            break;
        }
        value /= 1000.0;
        unit = larger;
    }
    if unit == "B" { format!("{bytes} B") } else { format!("{value:.1} {unit}") }
}
