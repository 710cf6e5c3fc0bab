//! Events and webhooks, for people at a terminal.

use super::style;
use super::table::{self, Align};
use super::trust::time_in;
use platefarm_model::Secret;
use platefarm_model::event::{Event, EventFilter, EventKind, Hook};

/// One line: when, what, of whom, and what there is to say.
pub(super) fn event(it: &Event) {
    say!("{}", line(it, style::width()));
}

/// What can be shortened stands last: words, so that a line fits.
fn line(it: &Event, room: usize) -> String {
    let subject = match (it.job, it.step, it.worker) {
        (Some(job), Some(step), _) => format!("{job}.{step}"),
        (Some(job), None, _) => job.to_string(),
        (None, _, Some(worker)) => worker.to_string(),
        (None, _, None) => "-".into(),
    };
    let kind = format!("{:<14}", it.kind.word());
    let kind = match it.kind {
        EventKind::JobFailed | EventKind::FramesFailed | EventKind::WorkerLost => {
            style::caution(&kind)
        }
        EventKind::JobDone => style::strong(&kind),
        _ => kind,
    };
    let mut words: Vec<String> = Vec::new();
    words.extend([&it.show, &it.name, &it.detail].into_iter().filter(|t| !t.is_empty()).cloned());
    if !it.frames.is_empty() {
        words.push(it.frames.to_string());
    }
    if let Some(sums) = it.sums {
        let failed =
            if sums.failed > 0 { format!(", {} failed", sums.failed) } else { String::new() };
        words.push(format!("{} of {} done{failed}", sums.done, sums.total));
    }
    words.extend(it.fault.as_ref().map(ToString::to_string));
    let (at, cursor) = (style::dim(&time_in(it.at, room)), style::dim(&it.cursor.to_string()));
    let line = format!("{at}  {cursor}  {kind}  {subject:<8}  {}", words.join("  "));
    table::cut(line.trim_end(), room)
}

fn which(filter: &EventFilter) -> String {
    let jobs = filter.jobs.iter().map(ToString::to_string);
    let all: Vec<String> = filter.kinds.iter().chain(&filter.shows).cloned().chain(jobs).collect();
    all.join(", ")
}

pub(super) fn webhooks(hooks: &[Hook]) {
    if hooks.is_empty() {
        say!("no webhooks");
        return;
    }
    let row = |hook: &Hook| {
        let state = match hook.failures {
            0 if hook.trouble.is_empty() => style::state("good"),
            0 => style::caution(&hook.trouble),
            n => style::caution(&format!("failed {n} times: {}", hook.trouble)),
        };
        vec![
            hook.id.clone(),
            hook.url.clone(),
            which(&hook.filter),
            hook.cursor.to_string(),
            hook.created_by.clone(),
            state,
        ]
    };
    let rows: Vec<Vec<String>> = hooks.iter().map(row).collect();
    let header = ["ID", "ADDRESS", "EVENTS", "CURSOR", "BY", "STATE"];
    let known_by = |title| if title == "ID" { Align::Key } else { Align::Left };
    table::print(&header.map(|title| (title, known_by(title))), &rows);
}

pub(super) fn webhook_made(hook: &Hook, secret: &Secret) {
    tell!("webhook {} to {}: {}", hook.id, hook.url, which(&hook.filter));
    tell!("The secret that signs its deliveries follows, once. Give it to the receiver only:");
    say!("{}", secret.expose());
}

#[cfg(test)]
mod tests {
    use super::*;
    use platefarm_model::event::Sums;
    use platefarm_model::{JobId, Timestamp};

    #[test]
    fn an_event_is_a_line() {
        let event = Event {
            cursor: 77,
            at: Timestamp(951_782_400_000_000),
            show: "atlas".into(),
            job: Some(JobId(12)),
            name: "pull 3".into(),
            sums: Some(Sums { total: 9, done: 7, failed: 2 }),
            ..Event::new(EventKind::JobFailed)
        };
        let plain = "2000-02-29 00:00:00Z  77  job.failed      j12       atlas  pull 3  7 of 9 done, 2 failed";
        assert_eq!(line(&event, usize::MAX), plain, "no colour where nobody looks");
        let long = Event { name: "turnover_0412_reel_3_of_a_long_series".into(), ..event };
        let said = line(&long, 80);
        assert_eq!(
            said,
            "02-29 00:00:00  77  job.failed      j12       atlas  turnover_0412_reel_3_of_a_…"
        );
        assert_eq!(said.chars().count(), 80);
    }
}
