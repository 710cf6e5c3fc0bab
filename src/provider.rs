//! Capacity on this machine: starts worker processes when the farm wants them
//! and drains them when it does not, by the answer that KEDA gets too.
//!
//! A worker is told to go by the end of its standard input, so that none
//! outlives the one who started it, whatever becomes of that one. It then
//! finishes the frames in hand and gives the rest back. Only workers that hold
//! nothing are told to go: what is in hand counts as wanted, so there is always
//! an idle one when there are too many.

use platefarm_model::farm::{WorkerClass, WorkerTraits};
use platefarm_model::{Code, Fault, Outcome};
use platefarm_proto::convert::from_status;
use platefarm_proto::dial::{Dial, Line};
use platefarm_proto::keda::external_scaler_client::ExternalScalerClient;
use platefarm_proto::keda::{GetMetricsRequest, ScaledObjectRef};
use platefarm_proto::{FarmClient, v1};
use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsString;
use std::path::PathBuf;
use std::process::Stdio;
use std::time::Duration;
use tokio::process::{Child, Command};
use tokio::time::Instant;

/// Between two questions.
const LOOK: Duration = Duration::from_millis(500);
/// Longest pause between two starts where workers end by themselves.
const LONGEST: Duration = Duration::from_secs(30);

/// How many workers there may be: `0..4`, or `4` for up to four.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Scale {
    pub(crate) least: u32,
    pub(crate) most: u32,
}

impl std::str::FromStr for Scale {
    type Err = Fault;

    fn from_str(text: &str) -> Outcome<Self> {
        let bad = || {
            Fault::new(Code::UnknownOption, format!("'{text}' is no scale"))
                .remedy("Write LEAST..MOST, as in 0..4; up to 256 workers are possible.")
        };
        let (least, most) = text.split_once("..").unwrap_or(("0", text));
        let (least, most) = (least.parse().map_err(|_| bad())?, most.parse().map_err(|_| bad())?);
        if least > most || !(1..=256).contains(&most) {
            return Err(bad());
        }
        Ok(Self { least, most })
    }
}

/// What is provided, and how.
pub(crate) struct Provider {
    /// The farm.
    pub(crate) way: Dial,
    /// How many there may be.
    pub(crate) scale: Scale,
    /// How long a worker that is not wanted is kept.
    pub(crate) keep: Duration,
    /// This program.
    pub(crate) program: PathBuf,
    /// What it is called with to be a worker; its name is added.
    pub(crate) args: Vec<OsString>,
    /// What the names of the workers begin with.
    pub(crate) name: String,
    /// What they are.
    pub(crate) kind: Kind,
}

/// The kind of worker, as the farm is asked about it.
pub(crate) struct Kind {
    pub(crate) class: WorkerClass,
    pub(crate) slots: u32,
    pub(crate) traits: WorkerTraits,
}

/// Who does what the provider does, as it is told.
pub(crate) enum News {
    /// Workers were started: how many, and how many there are.
    Taken(u32, u32),
    /// Workers were told to go: how many, and how many are left.
    Released(u32, u32),
    /// A worker ended by itself.
    Ended(String),
    /// The farm does not answer; capacity stays as it is.
    Away(Fault),
}

/// A worker that runs.
struct Running {
    child: Child,
    /// Told to go.
    leaves: bool,
}

impl Provider {
    /// Provides until `stop`; then every worker is told to go, and waited for.
    pub(crate) async fn run(
        self,
        mut tell: impl FnMut(News),
        stop: impl Future<Output = ()>,
    ) -> Outcome<()> {
        let mut stop = std::pin::pin!(stop);
        let mut fleet = Fleet {
            provider: self,
            running: BTreeMap::new(),
            next: 1,
            idle_since: None,
            wait: LOOK,
            start_at: Instant::now(),
        };
        loop {
            let turn = async {
                fleet.turn(&mut tell).await;
                tokio::time::sleep(LOOK).await;
            };
            tokio::select! {
                () = turn => {}
                () = &mut stop => break,
            }
        }
        fleet.release(fleet.names(), &mut tell);
        for mut worker in std::mem::take(&mut fleet.running).into_values() {
            let _ = worker.child.wait().await;
        }
        Ok(())
    }
}

struct Fleet {
    provider: Provider,
    running: BTreeMap<String, Running>,
    next: u32,
    /// Since when there are more than are wanted.
    idle_since: Option<Instant>,
    /// Pause after a worker that ended by itself.
    wait: Duration,
    start_at: Instant,
}

impl Fleet {
    /// Looks once, and does what follows.
    async fn turn(&mut self, tell: &mut impl FnMut(News)) {
        self.reap(tell);
        let wanted = match self.provider.wanted().await {
            Ok(wanted) => wanted.clamp(self.provider.scale.least, self.provider.scale.most),
            Err(fault) => return tell(News::Away(fault)),
        };
        let there = self.names();
        let count = there.len() as u32;
        if wanted >= count {
            self.idle_since = None;
            if wanted > count && Instant::now() >= self.start_at {
                self.start(wanted - count, tell);
            }
            return;
        }
        let since = *self.idle_since.get_or_insert_with(Instant::now);
        if since.elapsed() < self.provider.keep {
            return;
        }
        if let Ok(busy) = self.provider.busy().await {
            let idle = there.into_iter().filter(|name| !busy.contains(name));
            self.release(idle.take((count - wanted) as usize).collect(), tell);
        }
    }

    /// Those that were not told to go.
    fn names(&self) -> Vec<String> {
        self.running.iter().filter(|(_, w)| !w.leaves).map(|(name, _)| name.clone()).collect()
    }

    /// Strikes those that have ended.
    fn reap(&mut self, tell: &mut impl FnMut(News)) {
        let mut ended = Vec::new();
        self.running.retain(|name, worker| match worker.child.try_wait() {
            Ok(None) => true,
            status => {
                if !worker.leaves {
                    let how = status.ok().flatten().map_or_else(String::new, |s| format!(": {s}"));
                    ended.push(format!("{name} ended by itself{how}"));
                }
                false
            }
        });
        if ended.is_empty() {
            return;
        }
        self.start_at = Instant::now() + self.wait;
        self.wait = (self.wait * 2).min(LONGEST);
        ended.into_iter().for_each(|how| tell(News::Ended(how)));
    }

    fn start(&mut self, count: u32, tell: &mut impl FnMut(News)) {
        let mut started = 0;
        for _ in 0..count {
            let name = format!("{}-{}", self.provider.name, self.next);
            self.next += 1;
            let child = Command::new(&self.provider.program)
                .args(&self.provider.args)
                .arg("--name")
                .arg(&name)
                .arg("--until-eof")
                .stdin(Stdio::piped())
                .stdout(Stdio::null())
                .kill_on_drop(false)
                .spawn();
            match child {
                Ok(child) => {
                    self.running.insert(name, Running { child, leaves: false });
                    started += 1;
                }
                Err(error) => {
                    tell(News::Ended(format!("{name} cannot be started: {error}")));
                    self.start_at = Instant::now() + self.wait;
                    break;
                }
            }
        }
        if started > 0 {
            tell(News::Taken(started, self.names().len() as u32));
        }
    }

    fn release(&mut self, names: Vec<String>, tell: &mut impl FnMut(News)) {
        let count = names.len() as u32;
        for name in names {
            if let Some(worker) = self.running.get_mut(&name) {
                worker.leaves = true;
                drop(worker.child.stdin.take());
            }
        }
        if count > 0 {
            self.wait = LOOK;
            tell(News::Released(count, self.names().len() as u32));
        }
    }
}

impl Provider {
    fn object(&self) -> ScaledObjectRef {
        let list = |names: &BTreeSet<String>| {
            names.iter().map(String::as_str).collect::<Vec<_>>().join(",")
        };
        let Kind { class, slots, traits } = &self.kind;
        let metadata = [
            ("class", class.to_string()),
            ("slots", slots.to_string()),
            ("pools", list(&traits.pools)),
            ("labels", list(&traits.labels)),
            ("memoryMib", traits.memory_mib.to_string()),
            ("maxWorkers", self.scale.most.to_string()),
        ];
        ScaledObjectRef {
            name: self.name.clone(),
            namespace: "local".into(),
            scaler_metadata: metadata.map(|(key, value)| (key.to_owned(), value)).into(),
        }
    }

    /// Asks the first of the schedulers that answers.
    async fn ask<T>(&self, call: impl AsyncFn(Line) -> Result<T, tonic::Status>) -> Outcome<T> {
        let mut first = None;
        for way in self.way.each() {
            let (endpoint, bearer) = (way.endpoint()?, way.bearer()?);
            let channel = endpoint.connect_lazy();
            let line = Line::new(channel, bearer);
            match call(line).await {
                Ok(answer) => return Ok(answer),
                Err(status) => drop(first.get_or_insert_with(|| from_status(&status))),
            }
        }
        Err(first.unwrap_or_else(|| Fault::new(Code::BadConfig, "no address").at("--farm")))
    }

    /// How many workers of the kind the farm wants.
    async fn wanted(&self) -> Outcome<u32> {
        let answer = self
            .ask(async |line| {
                let request = GetMetricsRequest {
                    scaled_object_ref: Some(self.object()),
                    metric_name: String::new(),
                };
                ExternalScalerClient::new(line).get_metrics(request).await
            })
            .await?;
        let values = answer.into_inner().metric_values;
        let wanted = values.first().map_or(0, |value| value.metric_value);
        Ok(u32::try_from(wanted).unwrap_or(u32::MAX))
    }

    /// Names of the workers that hold work.
    async fn busy(&self) -> Outcome<BTreeSet<String>> {
        let request = v1::ListWorkersRequest {};
        let list = self.ask(async |line| FarmClient::new(line).list_workers(request).await).await?;
        let workers = list.into_inner().workers.into_iter();
        Ok(workers.filter(|w| !w.leases.is_empty()).map(|w| w.name).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scale_reads_what_people_write() {
        assert_eq!("0..4".parse(), Ok(Scale { least: 0, most: 4 }));
        assert_eq!("2..2".parse(), Ok(Scale { least: 2, most: 2 }));
        assert_eq!("8".parse(), Ok(Scale { least: 0, most: 8 }));
        for bad in ["", "4..0", "0..0", "x", "1..", "0..9999", "-1..2"] {
            assert!(bad.parse::<Scale>().is_err(), "{bad}");
        }
    }
}
