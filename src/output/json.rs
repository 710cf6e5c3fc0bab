//! Data as JSON on standard output, one document per call; errors too, so that
//! a script reads one stream.

use super::{Output, PullSummary};
use platefarm_model::clip::ClipInfo;
use platefarm_model::code::CodeInfo;
use platefarm_model::job::{JobView, WorkerView};
use platefarm_model::pull::PackageSpec;
use platefarm_model::{Fault, JobId};
use platefarm_worker::render::RenderReport;
use serde::Serialize;
use serde_json::json;
use std::io::Write;

pub(super) struct Json;

fn print(value: &impl Serialize) {
    let mut out = std::io::stdout().lock();
    // A reader that went away is not an error of ours.
    let _ = serde_json::to_writer_pretty(&mut out, value)
        .map_err(std::io::Error::from)
        .and_then(|()| writeln!(out));
}

impl Output for Json {
    fn talks(&self) -> bool {
        false
    }
    fn jobs(&self, jobs: &[JobView]) {
        print(&json!({ "jobs": jobs }));
    }
    fn job(&self, job: &JobView) {
        print(job);
    }
    fn workers(&self, workers: &[WorkerView]) {
        print(&json!({ "workers": workers }));
    }
    fn clips(&self, clips: &[ClipInfo], faults: &[Fault]) {
        print(&json!({ "clips": clips, "faults": faults }));
    }
    fn rendered(&self, report: &RenderReport) {
        print(report);
    }
    fn plan(&self, plan: &PackageSpec) {
        print(plan);
    }
    fn submitted(&self, job: JobId, existed: bool) {
        print(&json!({ "job": job, "existed": existed }));
    }
    fn pulled(&self, summary: &PullSummary) {
        print(summary);
    }
    fn codes(&self, codes: &[CodeInfo]) {
        let rows: Vec<_> = codes.iter().map(|c| json!({ "code": c.text, "owner": c.owner, "summary": c.summary, "remedy": c.remedy })).collect();
        print(&json!({ "codes": rows }));
    }
    fn note(&self, _text: &str) {}
    fn fault(&self, fault: &Fault) {
        print(&json!({ "error": fault, "remedy": fault.remedy_text() }));
    }
}
