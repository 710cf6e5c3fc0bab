//! Frames, tasks and what went wrong, for people at a terminal.

use super::table::{self, Align};
use super::{bytes_text, style};
use crate::farm::FrameLine;
use platefarm_model::cause::Cause;
use platefarm_model::job::WorkerView;

fn left(title: &str) -> (&str, Align) {
    (title, Align::Left)
}

fn key(title: &str) -> (&str, Align) {
    (title, Align::Key)
}

fn right(title: &str) -> (&str, Align) {
    (title, Align::Right)
}

/// `834 ms`, `12.3 s`, `4 min 05 s`.
fn time_text(millis: f64) -> String {
    match millis {
        ms if ms < 10.0 => format!("{ms:.1} ms"),
        ms if ms < 1000.0 => format!("{ms:.0} ms"),
        ms if ms < 120_000.0 => format!("{:.1} s", ms / 1000.0),
        ms => format!("{:.0} min {:02.0} s", (ms / 60_000.0).floor(), ms / 1000.0 % 60.0),
    }
}

/// `w3 rack-7`, or `-`.
fn worker(line: &FrameLine) -> String {
    match (line.worker, &line.worker_name) {
        (Some(id), Some(name)) => format!("{id} {name}"),
        (Some(id), None) => format!("{id} (left)"),
        (None, _) => "-".into(),
    }
}

fn size(line: &FrameLine) -> String {
    let written = line.result.as_ref().filter(|result| result.bytes > 0);
    written.map_or_else(|| "-".into(), |result| bytes_text(result.bytes))
}

pub(super) fn list(lines: &[FrameLine], all: usize) {
    if lines.is_empty() {
        say!("no frames");
        return;
    }
    let row = |line: &FrameLine| {
        vec![
            line.step.to_string(),
            line.frame.to_string(),
            style::state(line.state),
            line.millis().map_or_else(|| "-".into(), time_text),
            size(line),
            worker(line),
            line.fault.as_ref().map_or_else(String::new, |fault| fault.code.to_string()),
        ]
    };
    let rows: Vec<Vec<String>> = lines.iter().map(row).collect();
    let header = [
        key("STEP"),
        right("FRAME"),
        left("STATE"),
        right("TIME"),
        right("SIZE"),
        left("WORKER"),
        left("ERROR"),
    ];
    table::print(&header, &rows);
    if lines.len() < all {
        tell!("{} of {all} frames; --limit 0 prints all", lines.len());
    }
}

pub(super) fn one(line: &FrameLine) {
    say!(
        "{}  frame {}  {}",
        style::strong(&line.step.to_string()),
        line.frame,
        style::state(line.state)
    );
    say!("worker   {}", worker(line));
    if let Some(lease) = line.lease {
        say!("lease    {lease}");
    }
    if let Some(result) = &line.result {
        say!("backend  {}", result.backend);
        if !result.published.is_empty() {
            say!("file     {}", result.published);
            say!("size     {}", bytes_text(result.bytes));
            say!("xxh128   {}", result.xxh128);
        }
        if result.non_finite > 0 {
            say!("replaced {}", super::replaced(result.non_finite));
        }
        let total: f64 = result.millis.values().sum();
        let mut rows: Vec<Vec<String>> = result
            .millis
            .iter()
            .map(|(stage, time)| vec![stage.clone(), time_text(*time)])
            .collect();
        rows.push(vec!["all".into(), time_text(total)]);
        table::print(&[left("STAGE"), right("TIME")], &rows);
    }
    if let Some(fault) = &line.fault {
        say!("{} {fault}\n  remedy: {}", style::strong("error"), fault.remedy_text());
    }
}

/// Lines of a job's log.
pub(super) fn log(lines: &[FrameLine]) {
    let room = style::width();
    for line in lines {
        say!("{}", table::cut(&log_line(line), room));
        if let (None, Some(fault)) = (&line.result, &line.fault) {
            say!("  {fault}\n  remedy: {}", fault.remedy_text());
        }
    }
}

/// What became of a frame; the stages, which may be cut, stand last.
fn log_line(line: &FrameLine) -> String {
    let head = format!("{} {:>6}  {}", line.step, line.frame, style::state(line.state));
    let Some(result) = &line.result else { return format!("{head}  {}", worker(line)) };
    let stage = |(stage, time): (&String, &f64)| format!("{stage} {}", time_text(*time));
    let stages: Vec<String> = result.millis.iter().map(stage).collect();
    let time = line.millis().map_or_else(String::new, time_text);
    format!("{head}  {time}  {}  {}", worker(line), style::dim(&stages.join(", ")))
}

pub(super) fn tasks(workers: &[WorkerView]) {
    let tasks = workers.iter().flat_map(|worker| worker.leases.iter().map(move |l| (worker, l)));
    let rows: Vec<Vec<String>> = tasks
        .map(|(worker, lease)| {
            vec![
                lease.step.to_string(),
                lease.frames.len().to_string(),
                format!("{} {}", worker.id, worker.name),
                lease.token.to_string(),
                lease.frames.to_string(),
            ]
        })
        .collect();
    if rows.is_empty() {
        say!("no tasks");
        return;
    }
    let header = [key("STEP"), right("LEFT"), left("WORKER"), left("LEASE"), left("FRAMES")];
    table::print(&header, &rows);
}

pub(super) fn causes(causes: &[Cause]) {
    if causes.is_empty() {
        say!("no errors");
    }
    for cause in causes {
        let frames = if cause.frames == 1 { "frame" } else { "frames" };
        let again = match cause.again {
            0 => String::new(),
            n => format!(", {n} still tried again"),
        };
        say!("{} {frames}{again}  {}", style::strong(&cause.frames.to_string()), cause.fault);
        for it in cause.steps.iter().take(8) {
            say!("  {}  {}", it.step, it.frames);
        }
        if cause.steps.len() > 8 {
            say!("  and {} more steps", cause.steps.len() - 8);
        }
        if !cause.workers.is_empty() {
            let workers: Vec<String> = cause.workers.iter().map(ToString::to_string).collect();
            say!("  on {}", workers.join(", "));
        }
        say!("  remedy: {}", cause.remedy);
    }
}

pub(super) fn worker_page(it: &WorkerView) {
    say!("{} {}  {}", style::strong(&it.id.to_string()), it.name, style::state(&it.state));
    if let Some(why) = &it.quarantine {
        say!("quarantined: {} ({} in a row)", why.reason, why.strikes);
    }
    if !it.drain_reason.is_empty() {
        say!("drained: {}", it.drain_reason);
    }
    let or_dash = |text: String| if text.is_empty() { "-".to_owned() } else { text };
    say!("backend  {}", it.backend);
    say!("slots    {} of {} at work", it.at_work(), it.slots);
    if it.memory_mib > 0 {
        say!("memory   {} MiB a slot", it.memory_mib);
    }
    say!("frames   {} done", it.frames_done);
    say!("heard    {}", super::steer::utc(it.last_seen));
    say!("labels   {}", or_dash(it.labels.join(", ")));
    say!("pools    {}", or_dash(it.pools.join(", ")));
    if !it.leases.is_empty() {
        tasks(std::slice::from_ref(it));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use platefarm_model::WorkerId;
    use platefarm_model::job::FrameResult;

    #[test]
    fn times_are_said_as_people_say_them() {
        for (millis, text) in
            [(3.44, "3.4 ms"), (834.4, "834 ms"), (12_340.0, "12.3 s"), (245_000.0, "4 min 05 s")]
        {
            assert_eq!(time_text(millis), text);
        }
    }

    #[test]
    fn a_line_of_the_log_ends_in_what_may_be_cut() {
        let millis =
            ["read", "decode", "process", "encode", "write"].map(|s| (s.to_owned(), 834.4));
        let result = FrameResult {
            frame: 1001,
            staged: String::new(),
            published: "a.1001.exr".into(),
            xxh128: String::new(),
            bytes: 1,
            backend: "cpu".into(),
            millis: millis.into(),
            non_finite: 0,
        };
        let line = FrameLine {
            step: "j12.3".parse().unwrap(),
            frame: 1001,
            state: "done",
            worker: Some(WorkerId(7)),
            worker_name: Some("rack-7".into()),
            lease: None,
            result: Some(result),
            fault: None,
        };
        let whole = log_line(&line);
        assert!(
            whole.starts_with("j12.3   1001  done  4.2 s  w7 rack-7  decode 834 ms"),
            "{whole}"
        );
        assert!(whole.chars().count() > 80, "{whole}");
        let cut = table::cut(&whole, 80);
        assert!(cut.chars().count() == 80 && cut.contains("w7 rack-7"), "{cut}");
    }
}
