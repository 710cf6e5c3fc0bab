//! Jobs, workers and the farm itself, for people at a terminal.

use super::table::{self, Align};
use super::{steer, style};
use platefarm_model::Timestamp;
use platefarm_model::job::{JobView, WorkerView};
use platefarm_model::status::{FarmStatus, Load};

fn progress_text(done: u64, failed: u64, total: u64) -> String {
    if failed == 0 { format!("{done}/{total}") } else { format!("{done}/{total}, {failed} failed") }
}

pub(super) fn jobs(jobs: &[JobView], found: u64) {
    if jobs.is_empty() {
        say!("no jobs");
        return;
    }
    say!("{}", jobs_text(jobs, crate::cli::now(), style::width()).trim_end());
    if (jobs.len() as u64) < found {
        tell!("{} of {found} jobs; --limit 0 prints all", jobs.len());
    }
}

fn jobs_text(jobs: &[JobView], now: Timestamp, room: usize) -> String {
    let row = |job: &JobView| {
        vec![
            job.id.to_string(),
            steer::job_state(job),
            steer::level(job.terms.class, job.priority),
            progress_text(job.frames_done, job.frames_failed, job.frames_total),
            age(job.submitted, now),
            job.terms.submitted_by.as_deref().unwrap_or_default().to_owned(),
            job.show.clone(),
            job.name.clone(),
        ]
    };
    let rows: Vec<Vec<String>> = jobs.iter().map(row).collect();
    let header = [
        ("ID", Align::Key),
        ("STATE", Align::Left),
        ("PRIO", Align::Right),
        ("FRAMES", Align::Right),
        ("AGE", Align::Right),
        ("BY", Align::Left),
        ("SHOW", Align::Left),
        ("NAME", Align::Left),
    ];
    table::render_without(&["BY", "AGE"], &header, &rows, room)
}

/// `45s`, `12m`, `3h`, `5d`: how long ago something was.
fn age(at: Timestamp, now: Timestamp) -> String {
    match (now.0 - at.0).max(0) / 1_000_000 {
        s if s < 60 => format!("{s}s"),
        s if s < 3600 => format!("{}m", s / 60),
        s if s < 48 * 3600 => format!("{}h", s / 3600),
        s => format!("{}d", s / 86_400),
    }
}

pub(super) fn job(job: &JobView) {
    say!("{} {}", style::strong(&job.id.to_string()), job.name);
    say!(
        "{}  {} frames  show {}  priority {}",
        steer::job_state(job),
        progress_text(job.frames_done, job.frames_failed, job.frames_total),
        if job.show.is_empty() { "-" } else { &job.show },
        steer::level(job.terms.class, job.priority)
    );
    let by = job.terms.submitted_by.as_ref().map_or_else(String::new, |name| format!(" by {name}"));
    let ago = age(job.submitted, crate::cli::now());
    say!("handed in{by} {}, {ago} ago", steer::utc(job.submitted));
    steer::terms(job);
    let rows: Vec<Vec<String>> = job
        .steps
        .iter()
        .map(|step| {
            vec![
                step.id.to_string(),
                steer::step_state(step),
                step.kind.clone(),
                step.frames.to_string(),
                progress_text(step.done.len(), step.failed.len(), step.frames.len()),
                if step.leased.is_empty() { String::new() } else { step.leased.to_string() },
                step.name.clone(),
            ]
        })
        .collect();
    table::print(
        &[
            ("STEP", Align::Key),
            ("STATE", Align::Left),
            ("KIND", Align::Left),
            ("FRAMES", Align::Left),
            ("DONE", Align::Right),
            ("RUNNING", Align::Left),
            ("NAME", Align::Left),
        ],
        &rows,
    );
    for step in &job.steps {
        if let Some(making) = &step.making {
            say!("{}: {making}", style::strong(&step.name));
        }
        if let Some(fault) = &step.first_fault {
            say!("{} {fault}\n  remedy: {}", style::strong(&step.name), fault.remedy_text());
        }
    }
}

pub(super) fn status(status: &FarmStatus) {
    let leader = status.leader.as_deref().unwrap_or("nobody that is known");
    say!("leader   {leader}");
    if let Some(until) = status.certificate_until {
        say!(
            "TLS      certificate of the scheduler that was asked is good until {}",
            steer::utc(until)
        );
    }
    if !status.leads {
        say!("         the scheduler that was asked follows");
        return;
    }
    status.load.iter().for_each(load);
    let counts = &status.counts;
    say!(
        "leases   {} given, {} lost with their workers, {} not renewed",
        counts.leases,
        counts.lost,
        counts.expired
    );
    say!(
        "frames   {} accepted, {} reports repeated, {} refused",
        counts.granted,
        counts.duplicates,
        counts.refused
    );
    let audit = &status.audit;
    match &audit.first {
        None => say!(
            "audit    {} jobs held against the store in {} looks, all agree",
            audit.jobs,
            audit.looks
        ),
        Some(first) => say!(
            "audit    {} of {} looks found a disagreement, first: {first}",
            audit.broken,
            audit.looks
        ),
    }
    for cap in &audit.lowered {
        say!("lowered  {cap}; what runs is finished, nothing more is begun until it holds");
    }
}

/// What is to be done, and who does it.
fn load(load: &Load) {
    say!("jobs     {} running, {} waiting", load.jobs_running, load.jobs_waiting);
    let pace = match load.frames_a_minute {
        None => String::new(),
        Some(0) if load.frames_left == 0 => String::new(),
        Some(pace) => format!(", {pace} done in the last minute"),
    };
    say!("to do    {} frames left{pace}", load.frames_left);
    if load.classes.is_empty() {
        say!("workers  none");
    }
    for of in &load.classes {
        let s = if of.workers == 1 { "" } else { "s" };
        say!(
            "{:7}  {} worker{s}, {} of {} slots at work",
            of.class.to_string(),
            of.workers,
            of.at_work,
            of.slots
        );
    }
}

pub(super) fn workers(workers: &[WorkerView]) {
    if workers.is_empty() {
        say!("no workers");
        return;
    }
    let rows: Vec<Vec<String>> = workers
        .iter()
        .map(|worker| {
            let tasks: Vec<String> = worker
                .leases
                .iter()
                .map(|lease| format!("{} [{}]", lease.step, lease.frames))
                .collect();
            vec![
                worker.id.to_string(),
                style::state(&worker.state),
                worker.slots.to_string(),
                worker.backend.clone(),
                worker.frames_done.to_string(),
                worker.name.clone(),
                tasks.join(", "),
            ]
        })
        .collect();
    table::print(
        &[
            ("ID", Align::Key),
            ("STATE", Align::Left),
            ("SLOTS", Align::Right),
            ("BACKEND", Align::Left),
            ("FRAMES", Align::Right),
            ("NAME", Align::Left),
            ("TASKS", Align::Left),
        ],
        &rows,
    );
}

#[cfg(test)]
mod tests {
    use super::*;
    use platefarm_model::JobId;
    use platefarm_model::farm::JobTerms;
    use platefarm_model::job::Phase;

    fn job() -> JobView {
        JobView {
            id: JobId(1234),
            name: "turnover_0412_reel_3".into(),
            show: "atlas".into(),
            priority: 0,
            terms: JobTerms { submitted_by: Some("night-shift".into()), ..JobTerms::default() },
            phase: Phase::Running,
            submitted: Timestamp(1_000_000_000),
            finished: None,
            frames_total: 1800,
            frames_done: 700,
            frames_failed: 0,
            steps: Vec::new(),
        }
    }

    #[test]
    fn a_list_says_whose_a_job_is_and_how_old() {
        let now = Timestamp(1_000_000_000 + 3 * 3_600_000_000);
        let text = jobs_text(&[job()], now, 80);
        assert!(text.contains("night-shift") && text.contains(" 3h "), "{text}");
        assert!(text.lines().all(|line| line.chars().count() <= 80), "{text}");
        // Where nobody has to say who they are, nobody is named.
        let mut local = job();
        local.terms.submitted_by = None;
        assert!(!jobs_text(&[local], now, 200).contains("BY"));
        // Where it is too narrow, what it is stays.
        let text = jobs_text(&[job()], now, 48);
        assert!(!text.contains("BY") && text.contains("j1234"), "{text}");
    }

    #[test]
    fn ages_are_said_in_one_unit() {
        let ages =
            [(59, "59s"), (60, "1m"), (3599, "59m"), (7200, "2h"), (200_000, "2d"), (-5, "0s")];
        for (seconds, text) in ages {
            assert_eq!(age(Timestamp(0), Timestamp(seconds * 1_000_000)), text);
        }
    }
}
