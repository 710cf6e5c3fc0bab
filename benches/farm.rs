//! The farm itself, doing nothing as fast as it can: a scheduler on SQLite in
//! a process of its own, every answer durable before it is given, and workers
//! over gRPC on the loopback.
//!
//! `cargo xtask bench farm [--frames N] [--rounds N] [--pending N] [--rebuild N] [--crowd N] [--peers no]`;
//! `--only rates`, `pending`, `rebuild`, `submit`, `crowd` or `peers` for one table; `--postgres URL`
//! of an empty database has `rebuild` measure that, and how soon another scheduler leads.
//! `clients` are bare clients of the protocol, so that the scheduler is what is
//! measured; `agents` are whole workers. The peers run beside it, each with
//! the cheapest task that it has.

#[path = "farm/client.rs"]
mod client;
#[path = "farm/rebuild.rs"]
mod rebuild;
#[path = "farm/server.rs"]
mod server;
#[expect(dead_code, reason = "the packages of the picture peers are for the other benches")]
mod support;
#[path = "farm/tables.rs"]
mod tables;

use client::{Crew, Seen, Work, channel};
use platefarm_model::FrameRange;
use platefarm_model::job::{JobSpec, StepKind, StepSpec};
use platefarm_model::recipe::Backend;
use platefarm_proto::{FarmClient, v1};
use platefarm_worker::agent;
use server::Server;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::{Duration, Instant};
use support::{Result, cpu_seconds, scratch};
use tokio::task::JoinSet;
use tonic::transport::Channel;

/// Frames of a step: a long plate.
const STEP: usize = 500;

fn main() -> ExitCode {
    let served = std::env::args().skip_while(|a| a != "--serve").nth(1);
    let done = match served {
        Some(store) => server::serve(&store),
        None => tables::all(),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            eprintln!("bench farm: {message}");
            ExitCode::FAILURE
        }
    }
}

/// One way to run it.
#[derive(Clone, Copy)]
struct Case {
    crew: Crew,
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
    /// Milliseconds from a free slot to its lease, ascending.
    waits: Vec<f64>,
}

fn runtime() -> Result<tokio::runtime::Runtime> {
    tokio::runtime::Builder::new_multi_thread().enable_all().build().map_err(|e| e.to_string())
}

/// A place for a store that holds nothing yet.
fn empty() -> Result<PathBuf> {
    let dir = scratch("farm")?;
    std::fs::remove_dir_all(&dir).map_err(|e| e.to_string())?;
    Ok(scratch("farm")?.join("farm.db"))
}

async fn submit(farm: &mut FarmClient<Channel>, job: &JobSpec) -> Result<u64> {
    let request = v1::SubmitJobRequest { job: Some(job.into()) };
    Ok(farm.submit_job(request).await.map_err(say)?.into_inner().job)
}

async fn farm(url: &str) -> Result<FarmClient<Channel>> {
    let limit = platefarm_model::limits::MAX_MESSAGE_BYTES;
    let farm = FarmClient::new(channel(url).await?);
    Ok(farm.max_encoding_message_size(limit).max_decoding_message_size(limit))
}

/// No-op frames through a scheduler on a new store.
async fn run(case: Case) -> Result<Run> {
    let server = Server::start(&empty()?, case.lease)?;
    let mut farm = farm(&server.url).await?;
    let job = submit(&mut farm, &job(case.frames)).await?;
    let enrolled =
        if case.agents { Vec::new() } else { client::enrol(&server.url, case.crew).await? };
    let (server_before, own_before, begun) = (server.cpu()?, cpu_seconds()?, Instant::now());
    let seen = if case.agents {
        agents(&server.url, case, &mut farm, job).await?;
        Vec::new()
    } else {
        client::work(enrolled, case.crew, &Work::of(case.frames as u64)).await?
    };
    let run = Run {
        seconds: begun.elapsed().as_secs_f64(),
        leases: seen.iter().map(|seen| seen.leases).sum(),
        server_cpu: server.cpu()? - server_before,
        clients_cpu: cpu_seconds()? - own_before,
        waits: waits(seen),
    };
    let view = farm.get_job(v1::GetJobRequest { job }).await.map_err(say)?.into_inner().job;
    let done: u64 = view.iter().flat_map(|job| &job.steps).flat_map(|s| &s.done).map(count).sum();
    server.stop()?;
    if done != case.frames as u64 {
        return Err(format!("{done} of {} frames are done", case.frames));
    }
    Ok(run)
}

/// Every wait, ascending.
fn waits(seen: Vec<Seen>) -> Vec<f64> {
    let mut waits: Vec<f64> = seen.into_iter().flat_map(|seen| seen.waits).collect();
    waits.sort_by(f64::total_cmp);
    waits
}

fn count(range: &v1::FrameRange) -> u64 {
    FrameRange::try_from(*range).map_or(0, |range| range.len())
}

fn noop_step(name: String, frames: u64) -> StepSpec {
    StepSpec {
        name,
        kind: StepKind::Noop { millis_per_frame: 0 },
        frames: FrameRange::of_len(1001, frames),
        after: Vec::new(),
        max_attempts: 3,
        terms: Default::default(),
    }
}

fn job_of(steps: Vec<StepSpec>) -> JobSpec {
    JobSpec {
        name: "noop".into(),
        show: "bench".into(),
        priority: 0,
        terms: Default::default(),
        idempotency_key: None,
        steps,
    }
}

fn job(frames: usize) -> JobSpec {
    let step = |at: usize| noop_step(format!("plate_{at:05}"), STEP.min(frames - at) as u64);
    job_of((0..frames).step_by(STEP).map(step).collect())
}

/// Whole workers, until the job is settled.
async fn agents(url: &str, case: Case, farm: &mut FarmClient<Channel>, job: u64) -> Result<()> {
    let (stop, stopped) = tokio::sync::watch::channel(false);
    let mut tasks = JoinSet::new();
    for number in 0..case.crew.workers {
        let mut config = agent::AgentConfig::new(url);
        config.name = format!("agent-{number}");
        config.backend = Backend::Cpu;
        config.slots = case.crew.slots;
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
