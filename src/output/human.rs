//! For people at a terminal.

use super::table::{self, Align};
use super::{
    AmfView, Inspection, LibraryView, Output, PlanView, PullSummary, Settings, bytes_text, editing,
    events, farm, frames, framing, inspect, library, pull, sealing, steer, style, trust,
};
use crate::doctor::Finding;
use crate::farm::{FrameLine, Me, ShowPage};
use platefarm_media::mhl::{Created, HistoryInfo};
use platefarm_media::source::bridge::CheckReport;
use platefarm_model::cause::Cause;
use platefarm_model::code::CodeInfo;
use platefarm_model::color::name::Entry;
use platefarm_model::event::{Event, Hook};
use platefarm_model::explain::{Explanation, SettingsView, WhatIf, WhatIfAnswer};
use platefarm_model::job::{JobView, WorkerView};
use platefarm_model::status::FarmStatus;
use platefarm_model::trust::{AuditEntry, TokenView};
use platefarm_model::{Fault, JobId, Secret, Timestamp};
use platefarm_shaders::color::Replaced;
use platefarm_standards::editlist::{Diff, EditList};
use platefarm_standards::fdl::{Applied, Fdl, Reading};
use platefarm_standards::mhl::{Checked, Problem};
use platefarm_worker::gate::Verdict;
use platefarm_worker::render::{RenderReport, StageTotal};

pub(super) struct Human;

fn warn(fault: &Fault) {
    tell!("{} {fault}", style::caution("note"));
}

/// `1 frame`, `2 frames`.
fn counted(count: u64, what: &str) -> String {
    format!("{count} {what}{}", if count == 1 { "" } else { "s" })
}

impl Output for Human {
    fn talks(&self) -> bool {
        true
    }

    fn jobs(&self, jobs: &[JobView], found: u64) {
        farm::jobs(jobs, found);
    }

    fn job(&self, job: &JobView) {
        farm::job(job);
    }

    fn farm(&self, status: &FarmStatus) {
        farm::status(status);
    }

    fn workers(&self, workers: &[WorkerView]) {
        farm::workers(workers);
    }

    fn worker(&self, worker: &WorkerView) {
        frames::worker_page(worker);
    }

    fn tasks(&self, workers: &[WorkerView]) {
        frames::tasks(workers);
    }

    fn frames(&self, lines: &[FrameLine], all: usize) {
        frames::list(lines, all);
    }

    fn frame(&self, line: &FrameLine) {
        frames::one(line);
    }

    fn log(&self, lines: &[FrameLine]) {
        frames::log(lines);
    }

    fn causes(&self, _job: JobId, causes: &[Cause]) {
        frames::causes(causes);
    }

    fn tokens(&self, tokens: &[TokenView], now: Timestamp) {
        trust::tokens(tokens, now);
    }

    fn token_made(&self, token: &TokenView, word: Option<&Secret>) {
        trust::token_made(token, word);
    }

    fn caller(&self, me: &Me) {
        trust::caller(me);
    }

    fn audit(&self, entries: &[AuditEntry]) {
        trust::audit(entries);
    }

    fn event(&self, event: &Event) {
        events::event(event);
    }
    fn webhooks(&self, hooks: &[Hook]) {
        events::webhooks(hooks);
    }
    fn webhook_made(&self, hook: &Hook, secret: &Secret) {
        events::webhook_made(hook, secret);
    }
    fn explained(&self, explanation: &Explanation) {
        steer::explained(explanation);
    }

    fn what_if(&self, asked: &WhatIf, answer: &WhatIfAnswer) {
        steer::what_if(asked, answer);
    }

    fn settings(&self, which: Settings, view: &SettingsView) {
        steer::settings(which, view);
    }

    fn show(&self, page: &ShowPage) {
        steer::show(page);
    }

    fn inspected(&self, inspection: &Inspection<'_>) {
        inspect::show(inspection);
        // A lone one is the error that the verb ends with.
        let problems = &inspection.card.problems;
        for problem in problems.iter().filter(|_| problems.len() > 1) {
            let width = style::width();
            let text = format!("{problem}\nremedy: {}", problem.remedy_text());
            let lines: Vec<String> =
                text.lines().map(|line| inspect::wrapped(line, width, 8)).collect();
            tell!("{} {}", style::alarm("problem"), lines.join("\n        "));
        }
    }

    fn rendered(&self, report: &RenderReport) {
        for note in &report.notes {
            warn(note);
        }
        say!(
            "{} of {}x{} in {:.2} s ({:.2} frames/s, {:.1} Mpix/s) on {}",
            counted(report.files.len() as u64, "frame"),
            report.size[0],
            report.size[1],
            report.wall_ms / 1000.0,
            report.frames_per_second,
            report.megapixels_per_second,
            report.backend
        );
        let stage = |s: &StageTotal| {
            vec![s.stage.clone(), format!("{:.1}", s.mean_ms()), format!("{:.1}", s.slowest_ms)]
        };
        let rows: Vec<Vec<String>> = report.stages.iter().map(stage).collect();
        table::print(
            &[("STAGE", Align::Left), ("MEAN MS", Align::Right), ("SLOWEST", Align::Right)],
            &rows,
        );
        let steps = report.color_steps.join("; then ");
        say!("colour    {}", if steps.is_empty() { "as it came" } else { steps.as_str() });
        if let Some(view) = &report.view {
            say!("view      {view}, not applied");
        }
        if report.non_finite > 0 {
            say!("replaced  {}", super::replaced(report.non_finite));
        }
        for file in &report.sidecars {
            say!("beside    {file}");
        }
        for failed in &report.failed {
            tell!(
                "{} frame {}: {}\n     remedy: {}",
                style::alarm("failed"),
                failed.frame,
                failed.fault,
                failed.remedy
            );
        }
        if !report.not_done.is_empty() {
            tell!("{} frames {} were not begun", style::caution("note"), report.not_done);
        }
    }

    fn plan(&self, plan: &PlanView<'_>) {
        pull::plan(plan);
    }

    fn library(&self, view: &LibraryView<'_>) {
        library::show(view);
    }

    fn judged(&self, dir: &str, verdict: &Verdict) {
        pull::judged(dir, verdict);
    }

    fn submitted(&self, job: JobId, existed: bool) {
        say!(
            "job {}{}",
            style::strong(&job.to_string()),
            if existed { " (handed in before; taken up where it was)" } else { "" }
        );
    }

    fn pulled(&self, summary: &PullSummary) {
        say!();
        let rate = summary.frames as f64 / summary.wall_s.max(1e-9);
        say!(
            "{}  {}, {}, {} in {:.2} s ({rate:.2} frames/s)",
            style::state(summary.phase),
            counted(summary.plates as u64, "plate"),
            counted(summary.frames, "frame"),
            bytes_text(summary.bytes),
            summary.wall_s
        );
        if summary.rejected > 0 || summary.frames_failed > 0 {
            say!(
                "incomplete: {} without a plate, {} failed",
                counted(summary.rejected as u64, "event"),
                counted(summary.frames_failed, "frame")
            );
        }
        let backends: Vec<String> = summary
            .backends
            .iter()
            .map(|(name, frames)| format!("{name} ({})", counted(*frames, "frame")))
            .collect();
        say!(
            "rendered on {}",
            if backends.is_empty() { "nothing".to_owned() } else { backends.join(", ") }
        );
        let rows: Vec<Vec<String>> = summary
            .stages
            .iter()
            .map(|(stage, s)| {
                vec![
                    stage.clone(),
                    format!("{:.1}", s.mean_ms),
                    format!("{:.1}", s.max_ms),
                    format!("{:.0} %", s.share * 100.0),
                ]
            })
            .collect();
        table::print(
            &[
                ("STAGE", Align::Left),
                ("MEAN MS", Align::Right),
                ("MAX MS", Align::Right),
                ("SHARE", Align::Right),
            ],
            &rows,
        );
        say!();
        say!("package        {}", style::strong(&summary.package));
        if let Some(path) = &summary.report {
            say!("report         {path}");
        }
        if let Some(path) = &summary.contact_sheet {
            say!("contact sheet  {path}");
        }
        pull::released(summary);
    }

    fn verified(&self, dir: &str, checked: &Checked) {
        sealing::verified(dir, checked);
    }

    fn sealed(&self, dir: &str, created: &Created) {
        sealing::sealed(dir, created);
    }

    fn histories(&self, dir: &str, histories: &[HistoryInfo], wrong: &[Problem]) {
        sealing::histories(dir, histories, wrong);
    }

    fn edit_list(&self, file: &str, list: &EditList) {
        editing::list(file, list);
    }

    fn edit_diff(&self, diff: &Diff<'_>) {
        editing::diff(diff);
    }

    fn fdl_read(&self, file: &str, reading: &Reading) {
        framing::verdict(file, reading);
    }

    fn fdl(&self, document: &Fdl) {
        framing::document(document);
    }

    fn geometry(&self, applied: &Applied) {
        framing::geometry(applied);
    }

    fn bridge_checked(&self, report: &CheckReport) {
        for rule in &report.rules {
            let word = if rule.passed { style::state("done") } else { style::state("failed") };
            say!("{:>2}  {word:6}  it {}", rule.rule, rule.asks);
            if let Some(fault) = &rule.fault {
                say!("            {fault}");
            }
        }
    }

    fn made(&self, file: &str) {
        say!("{file}");
    }

    fn transforms(&self, entries: &[Entry]) {
        let way = |e: &Entry| match (e.from, e.to) {
            (true, true) => "from, to",
            (true, false) => "from",
            (false, true) => "to",
            (false, false) => "look",
        };
        let rows: Vec<Vec<String>> =
            entries.iter().map(|e| vec![e.kind.into(), e.name.clone(), way(e).into()]).collect();
        let left = |title| (title, Align::Left);
        table::print(&[left("KIND"), left("NAME"), left("USE AS")], &rows);
        if let [one] = entries {
            one.aliases.iter().for_each(|alias| say!("also  {alias}"));
            one.ids.iter().for_each(|id| say!("id    {id}"));
        }
    }

    fn steps(&self, steps: &[String]) {
        if steps.is_empty() {
            say!("nothing: the pixels stay as they are");
        }
        for (i, step) in steps.iter().enumerate() {
            say!("{}  {step}", style::dim(&format!("{:2}", i + 1)));
        }
    }

    fn converted(&self, pixels: u64, replaced: Replaced, backend: &str) {
        let Replaced { given, made } = replaced;
        let all = 3 * pixels;
        let mut told = String::new();
        if given > 0 {
            told += &format!(
                "; {given} of {all} values are none that a half can hold: NaN was taken for 0, the rest for 65504 with their sign"
            );
        }
        if made > 0 {
            told += &format!(
                "; {made} of {all} values came out too large for what holds them, and are the largest there is"
            );
        }
        tell!("{pixels} pixels, {backend}{told}");
    }

    fn amf(&self, view: &AmfView) {
        super::amf::amf(view);
    }

    fn amf_checked(&self, file: &str, problems: &[Fault]) {
        super::amf::checked(file, problems);
    }

    fn diagnosed(&self, findings: &[Finding]) {
        super::doctor::diagnosed(findings);
    }
    fn codes(&self, codes: &[CodeInfo]) {
        if let [one] = codes {
            say!("{}  {}\n{}", style::strong(one.text), one.summary, one.remedy);
            return;
        }
        let rows: Vec<Vec<String>> =
            codes.iter().map(|c| vec![c.text.to_owned(), c.summary.to_owned()]).collect();
        table::print(&[("CODE", Align::Key), ("MEANING", Align::Left)], &rows);
    }

    fn did(&self, text: &str, _facts: &serde_json::Value) {
        self.note(text);
    }

    fn note(&self, text: &str) {
        tell!("{text}");
    }

    fn warn(&self, fault: &Fault) {
        tell!("{} {fault}\n  remedy: {}", style::caution("warning"), fault.remedy_text());
    }

    fn fault(&self, fault: &Fault) {
        tell!("{} {fault}\n  remedy: {}", style::alarm("error"), fault.remedy_text());
    }
}
