//! The scheduler under the bench: a process of its own on SQLite, so that its
//! CPU can be told apart, and a store that is filled before it starts.

use super::{Result, runtime, say};
use crate::support::{argument, cpu_seconds_of};
use platefarm_model::Timestamp;
use platefarm_model::job::JobSpec;
use platefarm_scheduler::core::{Changes, Command as Ask, Policy, State};
use platefarm_scheduler::service;
use platefarm_scheduler::store::{Place, SqlStore, Store};
use std::ffi::OsStr;
use std::io::{BufRead, BufReader, Read};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// Jobs of one transaction while a store is filled.
const BATCH: usize = 5_000;

/// The process's own main; it ends when its input does.
pub(crate) fn serve(store: &str) -> Result<()> {
    let lease = argument("--lease", 0)? as u64;
    runtime()?.block_on(async {
        let mut config = service::Config::new(store.parse().map_err(say)?);
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

/// Writes `count` jobs into a new store, as the scheduler would.
pub(crate) async fn fill(place: &Place, count: usize, job: &JobSpec) -> Result<Duration> {
    let begun = Instant::now();
    let mut store = SqlStore::open(place.clone(), "bench").await.map_err(say)?;
    store.load().await.map_err(say)?;
    let mut state = State::new(Policy::default(), Timestamp(1));
    for first in (0..count).step_by(BATCH) {
        let mut changes = Changes::default();
        for _ in first..count.min(first + BATCH) {
            changes.merge(state.step(Ask::Submit(Box::new(job.clone())), Timestamp(1)).changes);
        }
        store.commit(&changes).await.map_err(say)?;
    }
    store.close().await.map_err(say)?;
    Ok(begun.elapsed())
}

/// A scheduler in a process of its own.
pub(crate) struct Server {
    process: Child,
    pub(crate) url: String,
}

impl Server {
    pub(crate) fn start(store: impl AsRef<OsStr>, lease: u64) -> Result<Self> {
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

    pub(crate) fn cpu(&self) -> Result<f64> {
        cpu_seconds_of(&self.process.id().to_string())
    }

    /// Most memory that it ever held, in MiB.
    pub(crate) fn peak_mib(&self) -> Result<f64> {
        let path = format!("/proc/{}/status", self.process.id());
        let text = std::fs::read_to_string(&path).map_err(|e| e.to_string())?;
        let kib = text.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        let kib = kib.and_then(|rest| rest.split_whitespace().next()?.parse::<f64>().ok());
        kib.map(|kib| kib / 1024.0).ok_or_else(|| format!("{path} says no VmHWM"))
    }

    /// Ends it without a word.
    pub(crate) fn kill(mut self) -> Result<()> {
        self.process.kill().and_then(|()| self.process.wait()).map(drop).map_err(|e| e.to_string())
    }

    pub(crate) fn stop(mut self) -> Result<()> {
        drop(self.process.stdin.take());
        self.process.wait().map(|_| ()).map_err(|e| e.to_string())
    }
}
