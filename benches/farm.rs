//! The farm itself, doing nothing as fast as it can: a scheduler on SQLite in
//! a process of its own, every answer durable before it is given, and workers
//! over gRPC on the loopback.
//!
//! `cargo xtask bench farm [--frames N] [--rounds N]`. `clients` are bare
//! protocol clients, so that the scheduler is what is measured; `agents` are
//! whole workers. A frame reports what a rendered frame reports (names, hash,
//! stage times). HyperQueue's Python package runs beside it with 10,000 `true`
//! processes: it has no task that starts none, so the rates are not of the
//! same work, and only its order of magnitude says something.

#[expect(dead_code, reason = "the packages of the picture peers are for the other benches")]
mod support;

use platefarm_model::FrameRange;
use platefarm_model::job::{FrameOutcome, FrameResult, JobSpec, StepKind, StepSpec};
use platefarm_model::recipe::Backend;
use platefarm_proto::{FarmClient, WorkClient, v1};
use platefarm_scheduler::service;
use platefarm_scheduler::store::Place;
use platefarm_worker::agent;
use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use std::process::{Child, Command, ExitCode, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};
use support::{
    Result, argument, cpu_seconds, cpu_seconds_of, json_of, machine, median, python, scratch,
    script,
};
use tokio::task::JoinSet;
use tonic::transport::Channel;

/// Frames of a step: a long plate.
const STEP: usize = 500;

/// One way to run it.
#[derive(Clone, Copy)]
struct Case {
    workers: usize,
    /// Whole workers instead of bare clients.
    agents: bool,
    /// Most frames of a lease; 0 leaves the policy as it is.
    lease: u64,
    frames: usize,
}

/// What came of it.
struct Run {
    seconds: f64,
    leases: usize,
    server_cpu: f64,
    clients_cpu: f64,
    /// Milliseconds of each acquire that got a lease, ascending.
    acquires: Vec<f64>,
}

fn main() -> ExitCode {
    let served = std::env::args().skip_while(|a| a != "--serve").nth(1);
    let done = match served {
        Some(store) => serve(&store),
        None => bench(),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            eprintln!("bench farm: {message}");
            ExitCode::FAILURE
        }
    }
}

fn bench() -> Result<()> {
    let frames = argument("--frames", 60_000)?.max(STEP);
    let rounds = argument("--rounds", 3)?.max(1);
    let case = |workers, agents, lease, frames| Case { workers, agents, lease, frames };
    let cases = [
        case(1, false, 1, frames / 12),
        case(4, false, 1, frames / 6),
        case(16, false, 1, frames / 6),
        case(64, false, 1, frames / 2),
        case(16, false, 16, frames),
        case(64, false, 0, frames),
        case(4, true, 0, frames),
    ];
    println!("SQLite, durable, gRPC on the loopback, {rounds} rounds, on {}\n", machine());
    println!(
        "| workers | most frames a lease | frames/s | leases/s | acquire P50 ms | P99 ms | server CPU us/frame | clients CPU us/frame |"
    );
    println!("|---|---|---|---|---|---|---|---|");
    for case in cases {
        let runs: Vec<Run> =
            (0..rounds).map(|_| runtime()?.block_on(run(case))).collect::<Result<_>>()?;
        print(case, &runs);
    }
    match python("bench-venv-hyperqueue", &["hyperqueue"]) {
        Ok(python) => {
            let report = json_of(script(&python, "hyperqueue_true.py").args(["--tasks", "10000"]))?;
            let number = |name: &str| report[name].as_f64().unwrap_or_default();
            println!(
                "\nHyperQueue {}, LocalCluster, one worker of {} cores, {} tasks of `true`, no journal: {:.0} tasks/s",
                report["version"].as_str().unwrap_or_default(),
                number("cores"),
                number("tasks"),
                number("tasks_per_second")
            );
        }
        Err(message) => println!("\nHyperQueue was not measured: {message}"),
    }
    Ok(())
}

fn print(case: Case, runs: &[Run]) {
    let of = |what: &dyn Fn(&Run) -> f64| median(runs.iter().map(what));
    let frames = case.frames as f64;
    let percentile = |part: f64| {
        of(&|r| {
            let at = (r.acquires.len() as f64 * part) as usize;
            r.acquires.get(at).or(r.acquires.last()).copied().unwrap_or(f64::NAN)
        })
    };
    let (kind, seen) = if case.agents { ("agents", false) } else { ("clients", true) };
    let or_dash = |value: String| if seen { value } else { "-".to_owned() };
    let lease = if case.lease == 0 { "policy".to_owned() } else { case.lease.to_string() };
    println!(
        "| {} {kind} | {lease} | {:.0} | {} | {} | {} | {:.1} | {:.1} |",
        case.workers,
        of(&|r| frames / r.seconds),
        or_dash(format!("{:.0}", of(&|r| r.leases as f64 / r.seconds))),
        or_dash(format!("{:.2}", percentile(0.5))),
        or_dash(format!("{:.2}", percentile(0.99))),
        of(&|r| r.server_cpu * 1e6 / frames),
        of(&|r| r.clients_cpu * 1e6 / frames),
    );
}

fn runtime() -> Result<tokio::runtime::Runtime> {
    tokio::runtime::Builder::new_multi_thread().enable_all().build().map_err(|e| e.to_string())
}

/// The scheduler's process; it ends when its input does.
fn serve(store: &str) -> Result<()> {
    let lease = argument("--lease", 0)? as u64;
    runtime()?.block_on(async {
        let mut config = service::Config::new(Place::Sqlite(store.into()));
        if lease > 0 {
            config.policy.first_lease_frames = lease;
            config.policy.max_lease_frames = lease;
        }
        let any = "127.0.0.1:0".parse().map_err(|_| "no address")?;
        let listener = service::bind(any).await.map_err(say)?;
        println!("http://{}", listener.local_addr().map_err(|e| e.to_string())?);
        let ended = tokio::task::spawn_blocking(|| std::io::stdin().read_to_end(&mut Vec::new()));
        service::serve(listener, config, async move { drop(ended.await) }).await.map_err(say)
    })
}

/// A scheduler in a process of its own.
struct Server {
    process: Child,
    url: String,
}

impl Server {
    fn start(store: &Path, lease: u64) -> Result<Self> {
        let program = std::env::current_exe().map_err(|e| e.to_string())?;
        let mut process = Command::new(program)
            .arg("--serve")
            .arg(store)
            .args(["--lease", &lease.to_string()])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .map_err(|e| format!("cannot start the scheduler: {e}"))?;
        let mut url = String::new();
        if let Some(said) = process.stdout.take() {
            BufReader::new(said).read_line(&mut url).map_err(|e| e.to_string())?;
        }
        Ok(Self { process, url: url.trim().to_owned() })
    }

    fn cpu(&self) -> Result<f64> {
        cpu_seconds_of(&self.process.id().to_string())
    }

    fn stop(mut self) -> Result<()> {
        drop(self.process.stdin.take());
        self.process.wait().map(|_| ()).map_err(|e| e.to_string())
    }
}

async fn run(case: Case) -> Result<Run> {
    let dir = scratch("farm")?;
    std::fs::remove_dir_all(&dir).map_err(|e| e.to_string())?;
    let server = Server::start(&scratch("farm")?.join("farm.db"), case.lease)?;
    let mut farm = FarmClient::new(channel(&server.url).await?);
    let request = v1::SubmitJobRequest { job: Some((&job(case.frames)).into()) };
    let job = farm.submit_job(request).await.map_err(say)?.into_inner().job;

    let (server_before, own_before, begun) = (server.cpu()?, cpu_seconds()?, Instant::now());
    let (leases, acquires) = if case.agents {
        agents(&server.url, case, &mut farm, job).await?;
        (0, Vec::new())
    } else {
        clients(&server.url, case).await?
    };
    let run = Run {
        seconds: begun.elapsed().as_secs_f64(),
        leases,
        server_cpu: server.cpu()? - server_before,
        clients_cpu: cpu_seconds()? - own_before,
        acquires,
    };
    let view = farm.get_job(v1::GetJobRequest { job }).await.map_err(say)?.into_inner().job;
    let done: u64 = view.iter().flat_map(|job| &job.steps).flat_map(|s| &s.done).map(count).sum();
    server.stop()?;
    if done != case.frames as u64 {
        return Err(format!("{done} of {} frames are done", case.frames));
    }
    Ok(run)
}

fn count(range: &v1::FrameRange) -> u64 {
    FrameRange::try_from(*range).map_or(0, |range| range.len())
}

async fn channel(url: &str) -> Result<Channel> {
    Channel::from_shared(url.to_owned()).map_err(say)?.connect().await.map_err(say)
}

fn job(frames: usize) -> JobSpec {
    let step = |at: usize| StepSpec {
        name: format!("plate_{at:05}"),
        kind: StepKind::Noop { millis_per_frame: 0 },
        frames: FrameRange::of_len(1001, STEP.min(frames - at) as u64),
        after: Vec::new(),
        max_attempts: 3,
        terms: Default::default(),
    };
    JobSpec {
        name: "noop".into(),
        show: "bench".into(),
        priority: 0,
        terms: Default::default(),
        idempotency_key: None,
        steps: (0..frames).step_by(STEP).map(step).collect(),
    }
}

/// Bare clients of the protocol; leases in all, and the times of the acquires.
async fn clients(url: &str, case: Case) -> Result<(usize, Vec<f64>)> {
    let left = Arc::new(AtomicU64::new(case.frames as u64));
    let mut tasks = JoinSet::new();
    for number in 0..case.workers {
        let (work, left) = (WorkClient::new(channel(url).await?), Arc::clone(&left));
        tasks.spawn(client(work, number, left));
    }
    let mut acquires = Vec::new();
    while let Some(ended) = tasks.join_next().await {
        acquires.append(&mut ended.map_err(say)??);
    }
    acquires.sort_by(f64::total_cmp);
    Ok((acquires.len(), acquires))
}

async fn client(
    mut work: WorkClient<Channel>,
    number: usize,
    left: Arc<AtomicU64>,
) -> Result<Vec<f64>> {
    let request = v1::RegisterRequest {
        name: format!("client-{number}"),
        slots: 1,
        backend: "cpu".into(),
        instance: format!("client-{number}"),
        traits: None,
    };
    let worker = work.register(request).await.map_err(say)?.into_inner().worker;
    let mut acquires = Vec::new();
    while left.load(Ordering::Relaxed) > 0 {
        let begun = Instant::now();
        let request = v1::AcquireRequest { worker, wait_ms: 20 };
        let lease = work.acquire(request).await.map_err(say)?.into_inner().lease;
        let Some(lease) = lease else { continue };
        acquires.push(begun.elapsed().as_secs_f64() * 1000.0);
        let range = lease.frames.ok_or("a lease without frames")?;
        let frames: Vec<i64> = FrameRange::try_from(range).map_err(say)?.iter().collect();
        // A lease may be shortened under way; what is refused is somebody else's.
        for part in frames.chunks(256) {
            let frames = part.iter().map(|frame| (&done(*frame)).into()).collect();
            let request = v1::ReportRequest { worker, token: lease.token, frames, last: None };
            let response = work.report(request).await.map_err(say)?.into_inner();
            let granted = response.verdicts().filter(|v| *v == v1::Verdict::Granted).count();
            left.fetch_sub(granted as u64, Ordering::Relaxed);
        }
    }
    Ok(acquires)
}

/// What a rendered frame reports.
fn done(frame: i64) -> FrameOutcome {
    let stages = ["read", "process", "encode", "write"];
    FrameOutcome::Done(Box::new(FrameResult {
        frame,
        staged: format!("/shows/bench/pull_0001/plate/.platefarm/1234567/plate.{frame:04}.exr"),
        published: format!("/shows/bench/pull_0001/plate/plate.{frame:04}.exr"),
        xxh128: format!("{:032x}", u128::from(frame.unsigned_abs()) << 64 | 0x9e37_79b9_7f4a_7c15),
        bytes: 9_000_000,
        backend: "cpu".into(),
        millis: stages.iter().map(|stage| ((*stage).to_owned(), 12.5)).collect(),
        non_finite: 0,
    }))
}

/// Whole workers, until the job is settled.
async fn agents(url: &str, case: Case, farm: &mut FarmClient<Channel>, job: u64) -> Result<()> {
    let (stop, stopped) = tokio::sync::watch::channel(false);
    let mut tasks = JoinSet::new();
    for number in 0..case.workers {
        let mut config = agent::AgentConfig::new(url);
        config.name = format!("agent-{number}");
        config.backend = Backend::Cpu;
        let mut stopped = stopped.clone();
        tasks.spawn(agent::run(config, async move {
            drop(stopped.wait_for(|stop| *stop).await);
        }));
    }
    let mut news = farm.watch_job(v1::WatchJobRequest { job }).await.map_err(say)?.into_inner();
    while news.message().await.map_err(say)?.is_some() {}
    stop.send_replace(true);
    let last = tokio::time::timeout(Duration::from_secs(30), tasks.join_all()).await;
    last.map_err(|_| "the workers did not leave")?.into_iter().try_for_each(|e| e.map_err(say))
}

fn say(error: impl std::fmt::Display) -> String {
    error.to_string()
}
