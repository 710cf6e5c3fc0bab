//! What the doctor found, for people at a terminal.

use super::style;
use super::table::{self, Align};
use crate::doctor::{Finding, State};

pub(super) fn diagnosed(findings: &[Finding]) {
    let rows: Vec<Vec<String>> = findings
        .iter()
        .map(|finding| {
            vec![
                style::state(finding.state.name()),
                finding.check.to_owned(),
                finding.found.clone(),
            ]
        })
        .collect();
    table::print(&[("STATE", Align::Left), ("CHECK", Align::Left), ("FOUND", Align::Left)], &rows);
    let amiss = findings.iter().filter(|f| matches!(f.state, State::Warning | State::Failed));
    let mut first = true;
    for finding in amiss {
        let Some(remedy) = &finding.remedy else { continue };
        if std::mem::take(&mut first) {
            say!("\n{}", style::strong("What to do"));
        }
        say!("  {}: {remedy}", finding.check);
    }
}
