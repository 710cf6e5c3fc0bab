//! What is counted of a farm, and the page of all metrics.

use super::*;
use crate::core::{Command, Policy};
use platefarm_model::farm::{Control, Target};
use platefarm_model::job::{JobSpec, StepKind, StepSpec};
use platefarm_model::{FrameRange, JobId};

/// The page of all metrics, from the registry.
fn inventory() -> String {
    let metrics = Metrics::new();
    // A family is described once it has a member.
    metrics.called("Farm/GetJob", "ok", Duration::ZERO);
    metrics.delivered("4f1c9a03be77", "taken", 0);
    metrics.accepted(&crate::web::stages::tests::frame("cpu", &[("read", 1.0)]));
    let mut seen = Seen::default();
    seen.jobs.push(("atlas".into(), "running", 1));
    seen.frames.push(("atlas".into(), "waiting", 1));
    seen.workers.push(("alive".into(), "cpu", 1));
    metrics.look(&seen);
    let text = metrics.text();
    let mut page = String::from(
        "# Metrics\n\n`platefarm scheduler --http ADDRESS` serves `/metrics` there, as Prometheus reads it (OpenMetrics text).\n\
         This page is derived from the registry in `scheduler/src/web/metrics.rs`.\n\n\
         | metric | kind | labels | what |\n|---|---|---|---|\n",
    );
    let mut kinds: Vec<(&str, &str)> = Vec::new();
    for line in text.lines() {
        let mut words = line.splitn(4, ' ').skip(1);
        if let (Some("TYPE"), Some(name), Some(kind)) = (words.next(), words.next(), words.next()) {
            kinds.push((name, kind));
        }
    }
    for (name, kind) in kinds {
        let help = text.lines().find_map(|line| line.strip_prefix(&format!("# HELP {name} ")));
        let total = if kind == "counter" { "_total" } else { "" };
        let sample = text.lines().find(|l| {
            l.starts_with(&format!("{name}{total}")) || l.starts_with(&format!("{name}_bucket"))
        });
        let labels = sample.and_then(|line| line.split_once('{')?.1.split_once('}'));
        let labels: Vec<&str> = labels
            .map_or("", |(labels, _)| labels)
            .split(',')
            .filter_map(|pair| pair.split_once('=').map(|(key, _)| key))
            .filter(|key| *key != "le")
            .collect();
        let help = help.unwrap_or_default().trim_end_matches('.');
        page.push_str(&format!("| `{name}{total}` | {kind} | {} | {help} |\n", labels.join(", ")));
    }
    page
}

fn farm() -> State {
    State::new(Policy::default(), Timestamp(1))
}

/// A job of two steps of 100 frames, the second after the first.
fn job(show: &str) -> JobSpec {
    let step = |name: &str, after: Vec<u32>| StepSpec {
        name: name.into(),
        kind: StepKind::Noop { millis_per_frame: 0 },
        frames: FrameRange::of_len(1001, 100),
        after,
        max_attempts: 3,
        terms: Default::default(),
    };
    JobSpec {
        name: "n".into(),
        show: show.into(),
        priority: 0,
        idempotency_key: None,
        terms: Default::default(),
        steps: vec![step("a", vec![]), step("b", vec![0])],
    }
}

fn frames(state: &State, show: &str, word: &str) -> String {
    let metrics = Metrics::new();
    metrics.look(&Seen::of(state));
    let begin = format!("platefarm_frames{{show=\"{show}\",state=\"{word}\"}} ");
    let text = metrics.text();
    let line = text.lines().find_map(|line| line.strip_prefix(&begin));
    line.unwrap_or_else(|| panic!("no {begin} in {text}")).to_owned()
}

#[test]
fn the_farm_is_counted_as_it_is() {
    let mut state = farm();
    let spec = job("atlas \"x\"");
    state.step(Command::Submit(Box::new(spec)), Timestamp(2)).reply.unwrap();
    assert_eq!(frames(&state, "atlas \\\"x\\\"", "waiting"), "100");
    let metrics = Metrics::new();
    metrics.look(&Seen::of(&state));
    let text = metrics.text();
    assert!(text.contains("platefarm_leases_granted_total 0"), "{text}");
    assert!(text.ends_with("# EOF\n"));
    // What is gone is not counted on.
    metrics.look(&Seen::default());
    assert!(!metrics.text().contains("atlas"));
}

/// What a person, a time or another step holds does not wait for a worker: nobody is paged for it.
#[test]
fn what_is_held_is_not_counted_as_waiting() {
    let mut state = farm();
    let submit = |spec: JobSpec| Command::Submit(Box::new(spec));
    let seen =
        |state: &State, show: &str| (frames(state, show, "waiting"), frames(state, show, "held"));
    let counts = |waiting: &str, held: &str| (waiting.to_owned(), held.to_owned());

    state.step(submit(job("atlas")), Timestamp(2)).reply.unwrap();
    assert_eq!(seen(&state, "atlas"), counts("100", "100"), "the second step is after the first");
    let pause = Command::Control(Target::Job(JobId(1)), Control::Pause);
    state.step(pause, Timestamp(3)).reply.unwrap();
    assert_eq!(seen(&state, "atlas"), counts("0", "200"));
    let resume = Command::Control(Target::Job(JobId(1)), Control::Resume);
    state.step(resume, Timestamp(4)).reply.unwrap();
    assert_eq!(seen(&state, "atlas"), counts("100", "100"));

    let mut later = job("zeus");
    later.terms.start_after = Some(Timestamp(60_000_000));
    state.step(submit(later), Timestamp(5)).reply.unwrap();
    assert_eq!(seen(&state, "zeus"), counts("0", "200"));
    state.step(Command::Tick, Timestamp(60_000_001));
    assert_eq!(seen(&state, "zeus"), counts("100", "100"), "its time has come");
}

/// Written anew with `PLATEFARM_BLESS=1 cargo test -p platefarm-scheduler page_of_metrics`.
#[test]
fn the_page_of_metrics_is_fresh_and_has_every_metric() {
    let page = inventory();
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/metrics.md");
    if std::env::var_os("PLATEFARM_BLESS").is_some() {
        std::fs::write(file, &page).unwrap();
    }
    let found = std::fs::read_to_string(file).unwrap_or_default();
    assert!(found == page, "docs/metrics.md is stale: bless it");
    for name in [
        "platefarm_calls_total",
        "platefarm_call_seconds",
        "platefarm_frames",
        "platefarm_reports_refused_total",
        "platefarm_stage_seconds",
    ] {
        assert!(page.contains(&format!("| `{name}` ")), "{name}: {page}");
    }
    assert!(page.contains("| `platefarm_frames` | gauge | show, state |"), "{page}");
}
