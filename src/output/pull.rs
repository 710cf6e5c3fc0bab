//! A pull for people: the plan before anything is done, and what the gate
//! says when it is.

use super::table::{self, Align};
use super::{GateSummary, PlanView, PullSummary, bytes_text, style};
use platefarm_model::pull::{Candidate, PlatePlan, Rejected, Tier};
use platefarm_model::{Code, Fault};
use platefarm_worker::gate::{Severity, Verdict};

/// Plates whose rows are shown; a plan of thousands is in the JSON.
const MOST_ROWS: usize = 200;
/// Faults of one kind that are shown one by one.
const MOST_FAULTS: usize = 20;

pub(super) fn plan(view: &PlanView<'_>) {
    let plan = view.package;
    plan.notes.iter().for_each(|fault| tell!("{} {fault}", word(fault)));
    for one in plan.rejected.iter().take(MOST_FAULTS) {
        rejected(one);
    }
    more(plan.rejected.len(), MOST_FAULTS, "events without a plate");
    if plan.plates.is_empty() {
        return;
    }
    let shown = plan.plates.iter().take(MOST_ROWS);
    let rows: Vec<Vec<String>> = shown.map(row).collect();
    table::print_without(
        &["SIZE"],
        &[
            ("EVENT", Align::Key),
            ("PLATE", Align::Key),
            ("CLIP", Align::Left),
            ("MATCHED BY", Align::Left),
            ("SOURCE", Align::Key),
            ("FRAMES", Align::Key),
            ("HANDLES", Align::Right),
            ("SIZE", Align::Right),
        ],
        &rows,
    );
    more(plan.plates.len(), MOST_ROWS, "plates");
    let notes: Vec<(&PlatePlan, &Fault)> =
        plan.plates.iter().flat_map(|plate| plate.notes.iter().map(move |n| (plate, n))).collect();
    for (plate, note) in notes.iter().take(MOST_ROWS) {
        tell!("{} {}: {note}", word(note), plate.name);
    }
    more(notes.len(), MOST_ROWS, "notes");
    let sum = &view.estimate;
    let reused = match sum.frames_reused {
        0 => String::new(),
        count => format!(", {count} taken over"),
    };
    say!(
        "{} plates, {} frames to render{reused}; about {} ({} at most), {}",
        sum.plates,
        sum.frames,
        bytes_text(sum.bytes),
        bytes_text(sum.bytes_uncompressed),
        time(sum.core_seconds, sum.frames)
    );
}

fn row(plate: &PlatePlan) -> Vec<String> {
    let mut event = plate.event.number.clone();
    if !plate.also.is_empty() {
        event.push_str(&format!(" +{}", plate.also.len()));
    }
    let matched = plate.matched.to_string();
    vec![
        event,
        plate.name.clone(),
        plate.clip.identity.clip_name.clone(),
        if plate.matched.tier == Tier::Fuzzy { style::caution(&matched) } else { matched },
        source(plate),
        plate.frames.to_string(),
        format!("{}+{}", plate.handles[0], plate.handles[1]),
        format!("{}x{}", plate.size[0], plate.size[1]),
    ]
}

/// What a note begins with: one that costs a shot its picture stands out.
fn word(note: &Fault) -> String {
    match note.code {
        Code::FramesShort => style::alarm("short"),
        _ => style::caution("note"),
    }
}

/// First and last frame of the media, handles included: its timecode, or its place in the clip.
fn source(plate: &PlatePlan) -> String {
    let [first, last] = [0, plate.frames.len() as i64 - 1].map(|i| plate.source_first + i);
    let text = |index: i64| match plate.clip.timing.start {
        Some(start) => start.plus(index).to_string(),
        None => index.to_string(),
    };
    if first == last { text(first) } else { format!("{}-{}", text(first), text(last)) }
}

/// How long a pull takes, about: on one core, and on those of this machine.
fn time(core_seconds: f64, frames: u64) -> String {
    let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    let at_once = (cores as u64).min(frames).max(1);
    let one = duration(core_seconds);
    match at_once {
        1 => format!("{one} of one core"),
        n => {
            format!("{} on {n} cores like these ({one} of one)", duration(core_seconds / n as f64))
        }
    }
}

fn rejected(one: &Rejected) {
    let event = one.event.as_ref();
    let event = event.map_or_else(|| "event".to_owned(), |e| format!("event {}", e.number));
    tell!(
        "{} {event}: {}\n     remedy: {}",
        style::alarm("no plate"),
        one.fault,
        one.fault.remedy_text()
    );
    // A clip that only comes near is named in the message.
    let real = one.candidates.iter().filter(|candidate| candidate.score > 0.0);
    let real: Vec<&Candidate> = real.collect();
    if real.is_empty() {
        return;
    }
    for candidate in &real {
        let timecodes = candidate.timecodes.as_ref();
        let timecodes = timecodes.map_or_else(String::new, |[a, b]| format!("  {a} - {b}"));
        tell!(
            "     candidate: {}  {} {:.2}{timecodes}{}",
            candidate.path,
            candidate.rule,
            candidate.score,
            if candidate.gone { style::alarm("  gone") } else { String::new() }
        );
    }
    // Of what is gone no plate can be made.
    let there = real.iter().find(|candidate| !candidate.gone);
    if let (Some(event), Some(there)) = (&one.event, there) {
        // Quoted as TOML quotes.
        let quoted = |text: &str| serde_json::Value::from(text).to_string();
        tell!(
            "     to choose, write into a file for --resolve:\n       [[choice]]\n       reel = {}\n       source_in = {}\n       use = {}",
            quoted(&event.reel),
            quoted(&event.source_in),
            quoted(&there.path)
        );
    }
}

fn more(there: usize, shown: usize, what: &str) {
    if there > shown {
        tell!("{}", style::dim(&format!("... and {} more {what}; --json has all", there - shown)));
    }
}

fn duration(seconds: f64) -> String {
    match seconds {
        s if s < 90.0 => format!("{s:.0} s"),
        s if s < 5400.0 => format!("{:.0} min", s / 60.0),
        s => format!("{:.1} h", s / 3600.0),
    }
}

/// The last word over a pull: whether its package may be used.
pub(super) fn released(summary: &PullSummary) {
    let path = &summary.package;
    match &summary.gate {
        Some(GateSummary { released, checks, failures, warnings, notes }) => {
            let word = if *released { "RELEASED" } else { "NOT RELEASED" };
            say!(
                "{}  {path}: read back, {checks} checks, failures: {failures}, warnings: {warnings}, notes in the report: {notes}",
                style::strong(word)
            );
        }
        // A job whose package does not pass fails.
        None if summary.phase == "done" => {
            say!(
                "{}  {path}: it passed the gate; its report cannot be read from here",
                style::strong("RELEASED")
            );
        }
        None => {}
    }
}

pub(super) fn judged(dir: &str, verdict: &Verdict) {
    for finding in &verdict.findings {
        let word = match finding.severity {
            Severity::Failure => style::alarm("failure"),
            Severity::Warning => style::caution("warning"),
        };
        say!("{word} {finding}\n  remedy: {}", finding.remedy);
    }
    for skipped in &verdict.not_checked {
        say!("{} {}: {}", style::dim("not checked"), skipped.check, skipped.why);
    }
    let word = if verdict.passed { style::state("done") } else { style::state("failed") };
    let against = match verdict.against.as_str() {
        "" => "by what must hold for any package".to_owned(),
        "report.json" => "against its report.json".to_owned(),
        request => format!("against {request}"),
    };
    say!(
        "{word}  {dir}: {} checks {against}, {} frames of {} plates, {} failures",
        verdict.checks.len(),
        verdict.frames,
        verdict.plates,
        verdict.failures().count()
    );
}
