//! What one dispatch of the core costs while much waits, and what memory that takes.
//!
//! `cargo xtask bench dispatch [--most N]`. No store, no wire: the pure core
//! alone, 64 workers of two classes; jobs of ten frames in twenty shows, three
//! classes, four sets of needs and a few deadlines. An acquire is timed by
//! itself; each lease is then reported as done, so that the queue moves.

#[expect(dead_code, reason = "the peers of the pictures are for the other benches")]
mod support;

use platefarm_model::farm::{
    Device, JobTerms, Limit, Needs, PriorityClass, Setting, SettingKind, StepTerms,
};
use platefarm_model::job::{FrameOutcome, FrameResult, JobSpec, StepKind, StepSpec};
use platefarm_model::{FrameRange, Timestamp, WorkerId};
use platefarm_scheduler::core::{Command, Policy, Reply, State};
use std::time::Instant;
use support::{argument, machine};

const FRAMES: u64 = 10;
const WORKERS: u64 = 64;
const ACQUIRES: usize = 20_000;

fn main() {
    let most = argument("--most", 1_000_000).unwrap_or(1_000_000);
    println!("the pure core, {WORKERS} workers, jobs of {FRAMES} frames, on {}\n", machine());
    println!(
        "| jobs pending | frames pending | acquire P50 us | P99 us | mean us | report us | memory MiB | bytes a frame |"
    );
    println!("|---|---|---|---|---|---|---|---|");
    for jobs in [1_000, 10_000, 100_000, 1_000_000].into_iter().filter(|jobs| *jobs <= most) {
        measure(jobs);
    }
}

fn job(number: usize) -> JobSpec {
    let device = [Device::Any, Device::Any, Device::Cpu, Device::Gpu][number % 4];
    let limits = if number.is_multiple_of(11) { vec![("nuke".to_owned(), 1)] } else { vec![] };
    let needs = Needs { device, limits: limits.into_iter().collect(), ..Needs::default() };
    let step = StepSpec {
        name: format!("plate_{number:07}"),
        kind: StepKind::Noop { millis_per_frame: 0 },
        frames: FrameRange::of_len(1001, FRAMES),
        after: vec![],
        max_attempts: 3,
        terms: StepTerms { needs, ..StepTerms::default() },
    };
    let deadline =
        number.is_multiple_of(7).then(|| Timestamp(2_000_000_000_000_000 + number as i64));
    JobSpec {
        name: format!("pull_{number:07}"),
        show: format!("show{:02}", number % 20),
        priority: (number % 3) as i32,
        terms: JobTerms { class: PriorityClass::ALL[number % 3], deadline, ..JobTerms::default() },
        idempotency_key: None,
        steps: vec![step],
    }
}

fn done(frame: i64) -> FrameOutcome {
    FrameOutcome::Done(Box::new(FrameResult {
        frame,
        staged: String::new(),
        published: String::new(),
        xxh128: String::new(),
        bytes: 0,
        backend: String::new(),
        millis: Default::default(),
        non_finite: 0,
    }))
}

fn measure(jobs: usize) {
    let before = memory_mib();
    let mut now = 1_000_000_000;
    let mut state = State::new(Policy::default(), Timestamp(now));
    let limit = Setting::Limit(Limit { count: 8 });
    state.step(Command::Set(SettingKind::Limit, "nuke".into(), Some(limit)), Timestamp(now));
    for number in 0..jobs {
        let submitted = state.step(Command::Submit(Box::new(job(number))), Timestamp(now));
        assert!(submitted.reply.is_ok());
    }
    let held = memory_mib() - before;
    for number in 0..WORKERS {
        let command = Command::Register {
            name: format!("w{number}"),
            instance: format!("w{number}"),
            slots: 1,
            backend: if number % 4 == 0 { "gpu: x" } else { "cpu" }.into(),
            traits: Default::default(),
        };
        assert!(state.step(command, Timestamp(now)).reply.is_ok());
    }
    let (mut acquires, mut reports) = (Vec::with_capacity(ACQUIRES), 0.0);
    for turn in 0..ACQUIRES.min(jobs * FRAMES as usize / 4) {
        now += 1_000;
        let worker = WorkerId(1 + turn as u64 % WORKERS);
        let begun = Instant::now();
        let reply = state.step(Command::Acquire { worker }, Timestamp(now)).reply;
        acquires.push(begun.elapsed().as_secs_f64() * 1e6);
        if let Ok(Reply::Acquired(Some(lease))) = reply {
            now += 30_000 * lease.frames.len() as i64;
            let outcomes = lease.frames.iter().map(done).collect();
            let report = Command::Report { worker, token: lease.token, outcomes, last: None };
            let begun = Instant::now();
            assert!(state.step(report, Timestamp(now)).reply.is_ok());
            reports += begun.elapsed().as_secs_f64() * 1e6;
        }
    }
    acquires.sort_by(f64::total_cmp);
    let at = |part: f64| acquires[(acquires.len() as f64 * part) as usize];
    let count = acquires.len() as f64;
    let frames = jobs as f64 * FRAMES as f64;
    println!(
        "| {jobs} | {frames:.0} | {:.1} | {:.1} | {:.1} | {:.1} | {held:.0} | {:.0} |",
        at(0.5),
        at(0.99),
        acquires.iter().sum::<f64>() / count,
        reports / count,
        held * 1024.0 * 1024.0 / frames
    );
}

/// Memory of this process that is in use.
fn memory_mib() -> f64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find(|line| line.starts_with("VmRSS:"));
    let kib = line.and_then(|line| line.split_whitespace().nth(1)?.parse::<f64>().ok());
    kib.unwrap_or(f64::NAN) / 1024.0
}
