//! Histories and what holding a directory against them found, for people and as JSON.

use super::{bytes_text, style};
use platefarm_media::mhl::{Created, HistoryInfo};
use platefarm_standards::mhl::{Checked, Problem, words};
use serde_json::{Value, json};

pub(super) fn verified(dir: &str, checked: &Checked) {
    if checked.problems.is_empty() {
        say!("{}  {dir} is what its manifest says", style::state("done"));
    }
    problems(&checked.problems);
    for notice in &checked.notices {
        say!("{} {}", style::missing("note"), notice.message);
    }
    if !checked.problems.is_empty() {
        let count = checked.problems.len();
        let what = if count == 1 { "problem" } else { "problems" };
        say!("{}  {dir} is not what its manifest says: {count} {what}", style::state("failed"));
    }
}

fn problems(problems: &[Problem]) {
    for problem in problems {
        say!("{}\n  remedy: {}", problem.fault, problem.fault.remedy_text());
    }
}

pub(super) fn verified_json(dir: &str, checked: &Checked) -> Value {
    let result = if checked.problems.is_empty() { "pass" } else { "fail" };
    json!({
        "directory": dir,
        "result": result,
        "problems": words(&checked.problems),
        "details": checked.problems.iter().map(|p| &p.fault).collect::<Vec<_>>(),
        "notices": checked.notices,
    })
}

pub(super) fn sealed(dir: &str, created: &Created) {
    let done = &created.appended;
    problems(&done.problems);
    for (path, before) in &done.renamed {
        say!("renamed  {before} to {path}");
    }
    for notice in &done.notices {
        say!("{} {}", style::missing("note"), notice.message);
    }
    if done.generations.is_empty() {
        say!("{}  nothing was added to the history of {dir}", style::state("failed"));
        return;
    }
    for generation in &done.generations {
        let root = if generation.root.is_empty() { "." } else { &generation.root };
        say!("generation {} of {root}: ascmhl/{}", generation.number, generation.name);
    }
    let word = if done.problems.is_empty() { "done" } else { "failed" };
    say!(
        "{}  {} new, {} verified, {} renamed, {} problems; {} were read",
        style::state(word),
        done.new,
        done.verified,
        done.renamed.len(),
        done.problems.len(),
        bytes_text(created.bytes)
    );
}

pub(super) fn sealed_json(dir: &str, created: &Created) -> Value {
    let done = &created.appended;
    let result = if done.problems.is_empty() { "pass" } else { "fail" };
    let generations = done.generations.iter().map(|generation| {
        json!({ "root": generation.root, "number": generation.number, "manifest": generation.name })
    });
    json!({
        "directory": dir,
        "result": result,
        "problems": words(&done.problems),
        "details": done.problems.iter().map(|p| &p.fault).collect::<Vec<_>>(),
        "notices": done.notices,
        "generations": generations.collect::<Vec<_>>(),
        "new": done.new,
        "verified": done.verified,
        "renamed": done.renamed,
        "bytes": created.bytes,
    })
}

pub(super) fn histories(dir: &str, histories: &[HistoryInfo], wrong: &[Problem]) {
    for history in histories {
        let root = if history.root.is_empty() { dir } else { &history.root };
        let count = history.generations.len();
        let what = if count == 1 { "generation" } else { "generations" };
        say!("{}  {count} {what}", style::strong(root));
        for (name, manifest) in &history.generations {
            let creator = &manifest.creator;
            let tool = match &creator.tool {
                (tool, Some(version)) => format!("{tool} {version}"),
                (tool, None) => tool.clone(),
            };
            let files = manifest.files().count();
            let who =
                creator.authors.iter().map(|a| a.name.as_str()).collect::<Vec<_>>().join(", ");
            let who = if who.is_empty() {
                creator.host.clone()
            } else {
                format!("{who} on {}", creator.host)
            };
            say!("  {name}");
            say!(
                "    {}, {} by {tool}, {who}: {files} files in {}",
                creator.date,
                manifest.process.name(),
                formats(manifest)
            );
            if let Some(comment) = &creator.comment {
                say!("    {comment}");
            }
            for pair in &manifest.root {
                let format = pair.content.format().name();
                say!(
                    "    root {format} {} (content), {} (structure)",
                    pair.content,
                    pair.structure
                );
            }
        }
    }
    problems(wrong);
}

fn formats(manifest: &platefarm_standards::mhl::Manifest) -> String {
    let mut names: Vec<&str> = manifest
        .files()
        .flat_map(|file| &file.digests)
        .map(|recorded| recorded.digest.format().name())
        .collect();
    names.sort_unstable();
    names.dedup();
    if names.is_empty() { "no format".into() } else { names.join(", ") }
}

pub(super) fn histories_json(dir: &str, histories: &[HistoryInfo], wrong: &[Problem]) -> Value {
    let generation = |(name, manifest): &(String, platefarm_standards::mhl::Manifest)| {
        let creator = &manifest.creator;
        let root: Vec<Value> = manifest
            .root
            .iter()
            .map(|pair| {
                json!({
                    "format": pair.content.format().name(),
                    "content": pair.content.to_string(),
                    "structure": pair.structure.to_string(),
                })
            })
            .collect();
        json!({
            "manifest": name,
            "created": creator.date,
            "host": creator.host,
            "tool": creator.tool.0,
            "tool_version": creator.tool.1,
            "authors": creator.authors.iter().map(|a| json!({
                "name": a.name, "email": a.email, "phone": a.phone, "role": a.role
            })).collect::<Vec<_>>(),
            "location": creator.location,
            "comment": creator.comment,
            "process": manifest.process.name(),
            "files": manifest.files().count(),
            "directories": manifest.directories().count(),
            "formats": formats(manifest),
            "ignore": manifest.ignore,
            "root": root,
            "references": manifest.references.iter().map(|r| &r.path).collect::<Vec<_>>(),
        })
    };
    let history = |history: &HistoryInfo| {
        json!({
            "root": history.root,
            "generations": history.generations.iter().map(generation).collect::<Vec<_>>(),
        })
    };
    json!({
        "directory": dir,
        "histories": histories.iter().map(history).collect::<Vec<_>>(),
        "problems": words(wrong),
    })
}
