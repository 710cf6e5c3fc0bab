//! What the gate found, on the page: first of all, whether this may be used.

use super::text::Esc;
use crate::gate::{Finding, Severity, Verdict};
use crate::package::report::PackageReport;
use std::fmt::{self, Write as _};

/// One word over everything.
pub(super) fn badge(report: &PackageReport) -> &'static str {
    match (report.complete, report.released) {
        (false, _) => "<span class=\"badge bad\">INCOMPLETE</span>",
        (true, true) if report.plates.iter().any(|plate| plate.short().next().is_some()) => {
            "<span class=\"badge bad\">RELEASED, SHORT OF MEDIA</span>"
        }
        (true, true) => "<span class=\"badge good\">COMPLETE, RELEASED</span>",
        (true, false) if report.gate.is_some() => {
            "<span class=\"badge bad\">COMPLETE, NOT RELEASED</span>"
        }
        (true, false) => "<span class=\"badge good\">COMPLETE</span>",
    }
}

pub(super) fn write(html: &mut String, report: &PackageReport) -> fmt::Result {
    let Some(verdict) = &report.gate else { return Ok(()) };
    html.push_str("<h2>Gate</h2>\n<div class=\"card\">");
    let failures = verdict.failures().count();
    let warnings = verdict.findings.len() - failures;
    write!(
        html,
        "<p>{} checks over {} frames of {} plates: {}, {}.</p>",
        verdict.checks.len(),
        verdict.frames,
        verdict.plates,
        counted(failures, "failure"),
        counted(warnings, "warning")
    )?;
    for finding in &verdict.findings {
        write_finding(html, finding)?;
    }
    write_ways(html, verdict)?;
    html.push_str("</div>\n");
    Ok(())
}

/// How it was looked at, and at what it could not be.
fn write_ways(html: &mut String, verdict: &Verdict) -> fmt::Result {
    let how = verdict.how.iter().map(|how| (&how.check, &how.how));
    let skipped = verdict.not_checked.iter().map(|skipped| (&skipped.check, &skipped.why));
    for (title, ways) in [
        ("How it was checked", how.collect::<Vec<_>>()),
        ("What could not be checked", skipped.collect()),
    ] {
        if ways.is_empty() {
            continue;
        }
        write!(html, "<details><summary>{title}</summary>")?;
        for (check, said) in ways {
            write!(html, "<p class=\"dim\">{}: {}</p>", Esc(check), Esc(said))?;
        }
        html.push_str("</details>");
    }
    Ok(())
}

fn counted(count: usize, what: &str) -> String {
    match count {
        0 => format!("no {what}"),
        1 => format!("1 {what}"),
        more => format!("{more} {what}s"),
    }
}

fn write_finding(html: &mut String, finding: &Finding) -> fmt::Result {
    let error = if finding.severity == Severity::Failure { " err" } else { "" };
    write!(
        html,
        "<div class=\"fault{error}\"><p><b>{}</b> {}",
        Esc(&finding.check),
        finding.plate.as_ref().map(|p| format!("{}: ", Esc(p))).unwrap_or_default()
    )?;
    if !finding.frames.is_empty() {
        write!(html, "{}: ", finding.frames)?;
    }
    write!(html, "{}</p>", Esc(&finding.fault.message))?;
    writeln!(html, "<p class=\"dim\">{}</p></div>", Esc(&finding.remedy))
}
