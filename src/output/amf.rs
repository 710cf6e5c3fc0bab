//! ACES metadata files, for people.

use super::{AmfView, style};
use platefarm_model::Fault;

pub(super) fn amf(view: &AmfView) {
    say!("{}", style::strong(&view.file));
    let aces = view.aces.as_deref().map(|v| format!(", ACES {v}")).unwrap_or_default();
    say!("AMF {}{aces}{}", view.version, kept(view.archived));
    for (name, value) in [("what", &view.description), ("clip", &view.clip), ("uuid", &view.uuid)] {
        if let Some(value) = value {
            say!("{}  {value}", style::dim(&format!("{name:4}")));
        }
    }
    for stage in &view.stages {
        let state = match stage.applied {
            Some(true) => "in the pixels",
            Some(false) => "to be applied",
            None => "work happens here",
        };
        say!("\n{:16} {}", stage.kind, style::dim(state));
        for line in stage.description.iter().chain(&stage.names) {
            say!("    {line}");
        }
        for step in stage.steps.iter().flatten() {
            say!("    {} {step}", style::dim("does"));
        }
    }
    if let Some(remaining) = &view.remaining {
        say!("\n{}", style::strong("still to be done to the pixels"));
        if remaining.is_empty() {
            say!("    nothing");
        }
        for (i, step) in remaining.iter().enumerate() {
            say!("{}  {step}", style::dim(&format!("{:4}", i + 1)));
        }
    }
    for note in &view.notes {
        say!("\nnote {note}");
    }
}

/// The verdict on a file, and every problem with its place.
pub(super) fn checked(file: &str, problems: &[Fault]) {
    if problems.is_empty() {
        say!("{}  {file} is a valid AMF of version 2.0", style::state("done"));
    }
    for problem in problems {
        say!("{problem}\n  remedy: {}", problem.remedy_text());
    }
}

fn kept(archived: usize) -> String {
    match archived {
        0 => String::new(),
        1 => ", one earlier pipeline kept".into(),
        n => format!(", {n} earlier pipelines kept"),
    }
}
