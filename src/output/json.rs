//! Data as JSON: exactly one document on standard output, whatever happens. An
//! error is that document when there is no other, and else a line on standard
//! error beside the exit code.

use super::{AmfView, Inspection, LibraryView, Output, PlanView, PullSummary, Settings, sealing};
use crate::doctor::{Finding, State};
use crate::farm::{FrameLine, Me, ShowPage};
use platefarm_media::mhl::{Created, HistoryInfo};
use platefarm_media::source::bridge::CheckReport;
use platefarm_model::cause::Cause;
use platefarm_model::code::CodeInfo;
use platefarm_model::color::name::Entry;
use platefarm_model::event::{Event, Hook};
use platefarm_model::explain::{Explanation, SettingsView, WhatIf, WhatIfAnswer};
use platefarm_model::job::{JobView, LeaseView, WorkerView};
use platefarm_model::status::FarmStatus;
use platefarm_model::trust::{AuditEntry, TokenView};
use platefarm_model::{Fault, JobId, Secret, Timestamp, schema};
use platefarm_shaders::color::Replaced;
use platefarm_standards::editlist::{self, Diff, EditList};
use platefarm_standards::fdl::{Applied, Fdl, Reading};
use platefarm_standards::mhl::{Checked, Problem};
use platefarm_worker::gate::Verdict;
use platefarm_worker::render::RenderReport;
use serde::Serialize;
use serde_json::json;
use std::cell::Cell;
use std::io::Write;

#[derive(Default)]
pub(super) struct Json {
    printed: Cell<bool>,
}

impl Json {
    fn print(&self, value: &impl Serialize) {
        self.printed.set(true);
        let mut out = std::io::stdout().lock();
        let written = serde_json::to_writer_pretty(&mut out, value).map_err(std::io::Error::from);
        super::said(written.and_then(|()| writeln!(out)));
    }
}

impl Output for Json {
    fn talks(&self) -> bool {
        false
    }
    fn jobs(&self, jobs: &[JobView], found: u64) {
        self.print(&json!({ "jobs": jobs, "found": found }));
    }
    fn job(&self, job: &JobView) {
        self.print(job);
    }
    fn farm(&self, status: &FarmStatus) {
        self.print(status);
    }
    fn workers(&self, workers: &[WorkerView]) {
        self.print(&json!({ "workers": workers }));
    }
    fn worker(&self, worker: &WorkerView) {
        self.print(worker);
    }
    fn tasks(&self, workers: &[WorkerView]) {
        let task = |worker: &WorkerView| {
            let (id, name) = (worker.id, worker.name.clone());
            let row = move |lease: &LeaseView| json!({ "worker": id, "worker_name": name, "task": lease });
            worker.leases.iter().map(row).collect::<Vec<_>>()
        };
        self.print(&json!({ "tasks": workers.iter().flat_map(task).collect::<Vec<_>>() }));
    }
    fn frames(&self, frames: &[FrameLine], all: usize) {
        self.print(&json!({ "frames": frames, "found": all }));
    }
    fn frame(&self, frame: &FrameLine) {
        self.print(frame);
    }
    fn log(&self, frames: &[FrameLine]) {
        self.print(&json!({ "frames": frames }));
    }
    fn causes(&self, job: JobId, causes: &[Cause]) {
        self.print(&json!({ "job": job, "causes": causes }));
    }
    fn tokens(&self, tokens: &[TokenView], now: Timestamp) {
        let row = |token: &TokenView| json!({ "state": token.state(now), "token": token });
        self.print(&json!({ "tokens": tokens.iter().map(row).collect::<Vec<_>>() }));
    }
    fn token_made(&self, token: &TokenView, word: Option<&Secret>) {
        self.print(&json!({ "token": token, "word": word.map(Secret::expose) }));
    }
    fn caller(&self, me: &Me) {
        self.print(me);
    }
    fn audit(&self, entries: &[AuditEntry]) {
        self.print(&json!({ "entries": entries }));
    }
    /// A stream has a document to a line.
    fn event(&self, event: &Event) {
        self.printed.set(true);
        if let Ok(line) = serde_json::to_string(event) {
            say!("{line}");
        }
    }
    fn webhooks(&self, hooks: &[Hook]) {
        self.print(&json!({ "webhooks": hooks }));
    }
    fn webhook_made(&self, hook: &Hook, secret: &Secret) {
        self.print(&json!({ "webhook": hook, "secret": secret.expose() }));
    }
    fn explained(&self, explanation: &Explanation) {
        self.print(explanation);
    }
    fn what_if(&self, asked: &WhatIf, answer: &WhatIfAnswer) {
        self.print(&json!({ "asked": asked, "answer": answer }));
    }
    fn settings(&self, which: Settings, view: &SettingsView) {
        match which {
            Settings::Pools => self.print(&json!({ "pools": view.pools })),
            Settings::Limits => self.print(&json!({ "limits": view.limits })),
            Settings::Shows => self.print(&json!({ "shows": view.shares })),
            Settings::Nodes => self.print(&json!({ "nodes": view.nodes })),
        }
    }
    fn show(&self, page: &ShowPage) {
        self.print(page);
    }
    fn inspected(&self, inspection: &Inspection<'_>) {
        let clips: Vec<_> = inspection.card.clips.iter().map(schema::Described).collect();
        let problem = |fault: &Fault| {
            json!({
                "code": fault.code,
                "message": fault.message,
                "place": fault.place,
                "remedy": fault.remedy_text(),
            })
        };
        let problems: Vec<_> = inspection.card.problems.iter().map(problem).collect();
        self.print(&json!({
            "schema": schema::VERSION,
            "clips": clips,
            "formats": inspection.formats,
            "problems": problems,
        }));
    }
    fn rendered(&self, report: &RenderReport) {
        self.print(report);
    }
    fn plan(&self, plan: &PlanView<'_>) {
        self.print(plan);
    }
    fn library(&self, view: &LibraryView<'_>) {
        match view {
            LibraryView::Clip { entry, clip } => {
                let described = schema::Described(clip);
                self.print(&json!({ "id": entry.id, "show": entry.show, "clip": described }));
            }
            other => self.print(other),
        }
    }
    fn judged(&self, dir: &str, verdict: &Verdict) {
        let result = if verdict.passed { "pass" } else { "fail" };
        self.print(&json!({ "directory": dir, "result": result, "verdict": verdict }));
    }
    fn submitted(&self, job: JobId, existed: bool) {
        self.print(&json!({ "job": job, "existed": existed }));
    }
    fn pulled(&self, summary: &PullSummary) {
        self.print(summary);
    }
    fn verified(&self, dir: &str, checked: &Checked) {
        self.print(&sealing::verified_json(dir, checked));
    }
    fn sealed(&self, dir: &str, created: &Created) {
        self.print(&sealing::sealed_json(dir, created));
    }
    fn histories(&self, dir: &str, histories: &[HistoryInfo], wrong: &[Problem]) {
        self.print(&sealing::histories_json(dir, histories, wrong));
    }
    fn edit_list(&self, file: &str, list: &EditList) {
        let mut value = editlist::to_json(list);
        value["file"] = json!(file);
        self.print(&value);
    }
    fn edit_diff(&self, diff: &Diff<'_>) {
        self.print(&editlist::diff_to_json(diff));
    }
    fn fdl_read(&self, file: &str, reading: &Reading) {
        let rows = |faults: &[Fault]| -> Vec<_> {
            faults
                .iter()
                .map(|f| {
                    let id = reading.id_at(f);
                    json!({ "code": f.code, "id": id, "path": f.place, "message": f.message, "cause": f.cause })
                })
                .collect()
        };
        self.print(&json!({
            "file": file,
            "valid": reading.errors.is_empty(),
            "errors": rows(&reading.errors),
            "warnings": rows(&reading.warnings),
        }));
    }
    fn fdl(&self, document: &Fdl) {
        self.print(document);
    }
    fn geometry(&self, applied: &Applied) {
        self.print(&applied.geometry);
    }
    fn bridge_checked(&self, report: &CheckReport) {
        let result = if report.passed() { "pass" } else { "fail" };
        self.print(&json!({ "result": result, "bridge": report }));
    }
    fn made(&self, file: &str) {
        self.print(&json!({ "file": file }));
    }
    fn transforms(&self, entries: &[Entry]) {
        self.print(&json!({ "transforms": entries }));
    }
    fn steps(&self, steps: &[String]) {
        self.print(&json!({ "steps": steps }));
    }
    fn converted(&self, pixels: u64, replaced: Replaced, backend: &str) {
        let Replaced { given, made } = replaced;
        let told = json!({ "pixels": pixels, "non_finite": given, "non_finite_out": made, "backend": backend });
        eprintln!("{told}");
    }
    fn amf(&self, view: &AmfView) {
        self.print(view);
    }
    fn amf_checked(&self, file: &str, problems: &[Fault]) {
        let result = if problems.is_empty() { "pass" } else { "fail" };
        self.print(&json!({ "file": file, "result": result, "problems": problems }));
    }
    fn diagnosed(&self, findings: &[Finding]) {
        let fails = findings.iter().any(|finding| finding.state == State::Failed);
        let result = if fails { "fail" } else { "pass" };
        self.print(&json!({ "result": result, "findings": findings }));
    }
    fn codes(&self, codes: &[CodeInfo]) {
        let rows: Vec<_> = codes.iter().map(|c| json!({ "code": c.text, "owner": c.owner, "summary": c.summary, "remedy": c.remedy })).collect();
        self.print(&json!({ "codes": rows }));
    }
    fn text(&self, _text: &str, facts: &serde_json::Value) {
        self.print(facts);
    }
    fn did(&self, _text: &str, facts: &serde_json::Value) {
        self.print(facts);
    }
    fn note(&self, _text: &str) {}
    fn warn(&self, fault: &Fault) {
        eprintln!("{}", json!({ "warning": fault, "remedy": fault.remedy_text() }));
    }
    fn fault(&self, fault: &Fault) {
        let document = json!({ "error": fault, "remedy": fault.remedy_text() });
        if self.printed.get() { eprintln!("{document}") } else { self.print(&document) }
    }
}
