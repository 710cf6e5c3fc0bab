//! Ids and paths only: for shells that chain commands.

use super::{AmfView, Inspection, LibraryView, Output, PlanView, PullSummary, Settings};
use crate::doctor::{Finding, State};
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
use platefarm_standards::mhl::{Checked, Problem, words};
use platefarm_worker::gate::Verdict;
use platefarm_worker::render::RenderReport;

pub(super) struct Quiet;

impl Output for Quiet {
    fn talks(&self) -> bool {
        false
    }
    fn jobs(&self, jobs: &[JobView], _found: u64) {
        jobs.iter().for_each(|job| say!("{}", job.id));
    }
    fn job(&self, job: &JobView) {
        say!("{}", job.id);
    }
    fn farm(&self, status: &FarmStatus) {
        status.leader.iter().for_each(|leader| say!("{leader}"));
    }
    fn workers(&self, workers: &[WorkerView]) {
        workers.iter().for_each(|worker| say!("{}", worker.id));
    }
    fn worker(&self, worker: &WorkerView) {
        say!("{}", worker.id);
    }
    fn tasks(&self, workers: &[WorkerView]) {
        let leases = workers.iter().flat_map(|worker| &worker.leases);
        leases.for_each(|lease| say!("{}", lease.token));
    }
    fn frames(&self, frames: &[FrameLine], _all: usize) {
        frames.iter().for_each(|line| say!("{} {}", line.step, line.frame));
    }
    fn frame(&self, frame: &FrameLine) {
        frame.result.iter().for_each(|result| say!("{}", result.published));
    }
    fn log(&self, frames: &[FrameLine]) {
        frames.iter().for_each(|line| say!("{} {} {}", line.step, line.frame, line.state));
    }
    fn causes(&self, _job: JobId, causes: &[Cause]) {
        causes.iter().for_each(|cause| say!("{}", cause.fault.code));
    }
    fn tokens(&self, tokens: &[TokenView], _now: Timestamp) {
        tokens.iter().for_each(|token| say!("{}", token.id));
    }
    fn token_made(&self, token: &TokenView, word: Option<&Secret>) {
        say!("{}", word.map_or(token.id.as_str(), Secret::expose));
    }
    fn caller(&self, me: &Me) {
        say!("{}", me.name);
    }
    fn audit(&self, entries: &[AuditEntry]) {
        entries.iter().for_each(|entry| say!("{}", entry.id));
    }
    fn event(&self, event: &Event) {
        say!("{}", event.cursor);
    }
    fn webhooks(&self, hooks: &[Hook]) {
        hooks.iter().for_each(|hook| say!("{}", hook.id));
    }
    fn webhook_made(&self, _hook: &Hook, secret: &Secret) {
        say!("{}", secret.expose());
    }
    fn explained(&self, explanation: &Explanation) {
        let reasons = explanation.groups.iter().flat_map(|group| &group.reasons);
        reasons.for_each(|reason| say!("{}", reason.hold));
    }
    fn what_if(&self, _asked: &WhatIf, answer: &WhatIfAnswer) {
        say!("{}", answer.busy_workers);
    }
    fn settings(&self, which: Settings, view: &SettingsView) {
        match which {
            Settings::Pools => view.pools.iter().for_each(|it| say!("{}", it.name)),
            Settings::Limits => view.limits.iter().for_each(|it| say!("{}", it.name)),
            Settings::Shows => view.shares.iter().for_each(|it| say!("{}", it.show)),
            Settings::Nodes => view.nodes.iter().for_each(|it| say!("{}", it.name)),
        }
    }
    fn show(&self, page: &ShowPage) {
        say!("{}", page.show);
    }
    fn inspected(&self, inspection: &Inspection<'_>) {
        inspection.card.clips.iter().for_each(|clip| say!("{}", clip.path));
    }
    fn rendered(&self, report: &RenderReport) {
        report.files.iter().for_each(|frame| say!("{}", frame.file));
        if report.non_finite > 0 {
            tell!("replaced {}", super::replaced(report.non_finite));
        }
    }
    fn library(&self, view: &LibraryView<'_>) {
        match view {
            LibraryView::Added { added, .. } => say!("{}", added.new),
            LibraryView::Entries { entries, .. } => {
                entries.iter().for_each(|entry| say!("{}", entry.key.path));
            }
            LibraryView::Clip { entry, .. } => say!("{}", entry.key.path),
            LibraryView::Formats { formats } => formats.iter().for_each(|card| say!("{}", card.id)),
            LibraryView::Shows { shows } => {
                shows.iter().for_each(|show| say!("{}", show.defaults.show));
            }
        }
    }
    fn judged(&self, _dir: &str, verdict: &Verdict) {
        verdict.failures().for_each(|finding| say!("{}", finding.check));
    }
    fn plan(&self, plan: &PlanView<'_>) {
        plan.package.plates.iter().for_each(|plate| say!("{}", plate.name));
    }
    fn submitted(&self, job: JobId, _existed: bool) {
        say!("{job}");
    }
    fn pulled(&self, summary: &PullSummary) {
        say!("{}", summary.package);
    }
    fn verified(&self, _dir: &str, checked: &Checked) {
        words(&checked.problems).iter().for_each(|word| say!("{word}"));
    }
    fn sealed(&self, _dir: &str, created: &Created) {
        created.appended.generations.iter().for_each(|made| say!("{}", made.name));
    }
    fn histories(&self, _dir: &str, histories: &[HistoryInfo], _wrong: &[Problem]) {
        let all = histories.iter().flat_map(|history| &history.generations);
        all.for_each(|(name, _)| say!("{name}"));
    }
    fn edit_list(&self, _file: &str, list: &EditList) {
        list.events.iter().for_each(|event| say!("{}", event.number));
    }
    fn edit_diff(&self, diff: &Diff<'_>) {
        let events = diff.changed.iter().filter_map(|changed| changed.after.or(changed.before));
        events.for_each(|event| say!("{}", event.number));
    }
    fn fdl_read(&self, _file: &str, reading: &Reading) {
        reading.errors.iter().filter_map(|p| p.place.as_ref()).for_each(|place| say!("{place}"));
    }
    fn fdl(&self, document: &Fdl) {
        document.canvases().for_each(|(_, canvas)| say!("{}", canvas.id));
    }
    fn geometry(&self, applied: &Applied) {
        say!("{}", applied.new_canvas);
    }
    fn bridge_checked(&self, report: &CheckReport) {
        report.rules.iter().filter(|rule| !rule.passed).for_each(|rule| say!("{}", rule.rule));
    }
    fn made(&self, file: &str) {
        say!("{file}");
    }
    fn transforms(&self, entries: &[Entry]) {
        entries.iter().for_each(|entry| say!("{}", entry.name));
    }
    fn steps(&self, steps: &[String]) {
        steps.iter().for_each(|step| say!("{step}"));
    }
    fn converted(&self, _pixels: u64, _replaced: Replaced, _backend: &str) {}
    fn amf_checked(&self, _file: &str, problems: &[Fault]) {
        problems.iter().filter_map(|p| p.place.as_ref()).for_each(|place| say!("{place}"));
    }
    fn amf(&self, view: &AmfView) {
        let lines = view.remaining.iter().flatten();
        let names = view.stages.iter().flat_map(|stage| &stage.names);
        match &view.remaining {
            Some(_) => lines.for_each(|line| say!("{line}")),
            None => names.for_each(|name| say!("{name}")),
        }
    }
    fn diagnosed(&self, findings: &[Finding]) {
        let failed = findings.iter().filter(|finding| finding.state == State::Failed);
        failed.for_each(|finding| say!("{}", finding.check));
    }
    fn codes(&self, codes: &[CodeInfo]) {
        codes.iter().for_each(|code| say!("{}", code.text));
    }
    fn did(&self, _text: &str, _facts: &serde_json::Value) {}
    fn note(&self, _text: &str) {}
    fn warn(&self, fault: &Fault) {
        tell!("{fault}");
    }
    fn fault(&self, fault: &Fault) {
        tell!("{fault}");
    }
}
