//! Jobs, workers and the farm itself, for people at a terminal.

use super::table::{self, Align};
use super::{steer, style};
use platefarm_model::job::{JobView, WorkerView};
use platefarm_model::status::FarmStatus;

fn progress_text(done: u64, failed: u64, total: u64) -> String {
    if failed == 0 { format!("{done}/{total}") } else { format!("{done}/{total}, {failed} failed") }
}

pub(super) fn jobs(jobs: &[JobView], found: u64) {
    if jobs.is_empty() {
        say!("no jobs");
        return;
    }
    let rows: Vec<Vec<String>> = jobs
        .iter()
        .map(|job| {
            vec![
                job.id.to_string(),
                steer::job_state(job),
                steer::level(job.terms.class, job.priority),
                progress_text(job.frames_done, job.frames_failed, job.frames_total),
                job.show.clone(),
                job.name.clone(),
            ]
        })
        .collect();
    table::print(
        &[
            ("ID", Align::Key),
            ("STATE", Align::Left),
            ("PRIO", Align::Right),
            ("FRAMES", Align::Right),
            ("SHOW", Align::Left),
            ("NAME", Align::Left),
        ],
        &rows,
    );
    if (jobs.len() as u64) < found {
        eprintln!("{} of {found} jobs; --limit 0 prints all", jobs.len());
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
