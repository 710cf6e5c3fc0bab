//! KEDA's external scaler: how many workers are wanted, by the core's own
//! answer (`core::capacity`). One scaled object is one kind of worker; its
//! metadata say which.
//!
//! A store or a leader that is away for a moment is no reason to scale: the last
//! answer holds for a while.

use super::desk::Desk;
use super::{Answer, answer};
use crate::core::{Study, Wanted};
use platefarm_model::explain::WhatIf;
use platefarm_model::farm::{WorkerClass, WorkerTraits};
use platefarm_model::{Code, Fault, Outcome};
use platefarm_proto::convert::to_status;
use platefarm_proto::keda::external_scaler_server::ExternalScaler;
use platefarm_proto::keda::{
    GetMetricSpecResponse, GetMetricsRequest, GetMetricsResponse, IsActiveResponse, MetricSpec,
    MetricValue, ScaledObjectRef,
};
use std::collections::{BTreeMap, BTreeSet};
use std::ops::RangeInclusive;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};
use tokio::sync::{mpsc, watch};
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Request, Response, Status};

/// How long an answer is good for who asks at the same time: KEDA asks twice in a row.
const FRESH: Duration = Duration::from_millis(500);
/// How long it is good while nothing happens; time alone lets a job begin.
const QUIET: Duration = Duration::from_secs(3);
/// How long it is good where another scheduler leads: this one reads the whole store for it.
const SECOND_HAND: Duration = Duration::from_secs(5);
/// How long the last answer holds while there is no new one.
const HOLDS: Duration = Duration::from_secs(120);
/// Between two looks of a stream.
const LOOK: Duration = Duration::from_secs(1);
/// Workers that are wanted at most, where the metadata do not say.
const MOST: u32 = 1000;
/// Kinds of workers whose answers are remembered.
const KINDS: usize = 256;

/// Kinds that one may come after.
const BEFORE: usize = 16;

/// Keys of the metadata that are ours; KEDA passes on all the others, too.
const KEYS: &str = "class, pools, labels, slots, memoryMib, maxWorkers, after";

/// The kind of worker that a scaled object starts.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Kind {
    class: WorkerClass,
    pools: BTreeSet<String>,
    labels: BTreeSet<String>,
    slots: u32,
    memory_mib: u64,
    most: u32,
    /// Those that are scaled beside it, and take first what they can do.
    after: Vec<Kind>,
}

/// What metadata say of a kind.
struct Said<'a> {
    all: &'a BTreeMap<String, String>,
    /// Where they say it: nothing, or `after[0].`.
    within: String,
    object: &'a ScaledObjectRef,
}

impl Said<'_> {
    fn text(&self, key: &str) -> Option<&str> {
        self.all.get(key).map(|value| value.trim()).filter(|value| !value.is_empty())
    }

    fn bad(&self, key: &str, value: &str, why: &dyn std::fmt::Display) -> Fault {
        let ScaledObjectRef { name, namespace, .. } = self.object;
        Fault::new(Code::BadConfig, format!("'{value}' cannot be read: {why}"))
            .at(format!("metadata.{}{key} of {namespace}/{name}", self.within))
            .remedy(format!("Correct the ScaledObject; its keys are: {KEYS}."))
    }

    fn number(&self, key: &str, usual: u64, range: RangeInclusive<u64>) -> Outcome<u64> {
        let Some(value) = self.text(key) else { return Ok(usual) };
        match value.parse::<u64>() {
            Ok(number) if range.contains(&number) => Ok(number),
            Ok(_) => {
                let possible = format!("{} to {} are possible", range.start(), range.end());
                Err(self.bad(key, value, &possible))
            }
            Err(e) => Err(self.bad(key, value, &e)),
        }
    }

    fn names(&self, key: &str) -> BTreeSet<String> {
        let names = self.text(key).into_iter().flat_map(|value| value.split(','));
        names.map(|name| name.trim().to_owned()).filter(|name| !name.is_empty()).collect()
    }

    fn kind(&self) -> Outcome<Kind> {
        let class = self.text("class").unwrap_or("cpu");
        Ok(Kind {
            class: class
                .parse()
                .map_err(|fault: Fault| self.bad("class", class, &fault.message))?,
            pools: self.names("pools"),
            labels: self.names("labels"),
            slots: self.number("slots", 1, 1..=4096)? as u32,
            memory_mib: self.number("memoryMib", 0, 0..=u64::MAX)?,
            most: self.number("maxWorkers", MOST.into(), 1..=10_000)? as u32,
            after: self.after()?,
        })
    }

    /// A JSON list of such metadata, of which none has a list itself.
    fn after(&self) -> Outcome<Vec<Kind>> {
        let Some(list) = self.text("after") else { return Ok(Vec::new()) };
        let bad = |why: &dyn std::fmt::Display| self.bad("after", list, why);
        if !self.within.is_empty() {
            return Err(bad(&"who takes first stands in one list"));
        }
        let kinds: Vec<BTreeMap<String, String>> =
            serde_json::from_str(list).map_err(|e| bad(&e))?;
        if kinds.len() > BEFORE {
            return Err(bad(&format!("up to {BEFORE} kinds are possible")));
        }
        let object = self.object;
        let said = kinds.iter().enumerate();
        said.map(|(i, all)| Said { all, within: format!("after[{i}]."), object }.kind()).collect()
    }
}

impl Kind {
    /// As metadata say it.
    ///
    /// # Errors
    /// [`Code::BadConfig`] naming the key.
    fn of(object: &ScaledObjectRef) -> Outcome<Self> {
        Said { all: &object.scaler_metadata, within: String::new(), object }.kind()
    }

    fn imagined(&self) -> WhatIf {
        let traits = WorkerTraits {
            labels: self.labels.clone(),
            pools: self.pools.clone(),
            memory_mib: self.memory_mib,
            near: BTreeSet::new(),
        };
        WhatIf { workers: self.most, class: self.class, slots: self.slots, traits }
    }

    /// What its metric is called.
    fn metric(&self) -> String {
        let pools: Vec<&str> = self.pools.iter().map(String::as_str).collect();
        let pools = pools.join("-");
        let dash = if pools.is_empty() { "" } else { "-" };
        format!("platefarm-workers-{}{dash}{pools}", self.class)
    }
}

/// The service.
#[derive(Clone)]
pub(super) struct Scaler {
    desk: Desk,
    closing: watch::Receiver<bool>,
    last: Arc<Mutex<BTreeMap<Kind, Last>>>,
}

/// What was answered.
#[derive(Clone, Copy, Debug)]
struct Last {
    at: Instant,
    /// Where the event log ended then; none where another scheduler writes it.
    log: Option<u64>,
    wanted: Wanted,
}

impl Scaler {
    pub(super) fn new(desk: Desk, closing: watch::Receiver<bool>) -> Self {
        Self { desk, closing, last: Arc::default() }
    }

    fn last(&self, kind: &Kind, within: Duration) -> Option<Last> {
        let last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        last.get(kind).filter(|last| last.at.elapsed() < within).copied()
    }

    async fn wanted(&self, kind: &Kind) -> Outcome<Wanted> {
        let log = self.desk.log().await.map(|log| *log.borrow());
        // A task that was given out is no event. Of its own kind it changes no sum, and the
        // others hear of it with the next frame, or a little later.
        let good = match self.last(kind, QUIET) {
            Some(last) if log.is_some() && last.log == log => QUIET,
            _ if log.is_none() => SECOND_HAND,
            _ => FRESH,
        };
        if let Some(last) = self.last(kind, good) {
            return Ok(last.wanted);
        }
        match self.look(kind).await {
            Ok(wanted) => {
                self.keep(kind, Last { at: Instant::now(), log, wanted });
                Ok(wanted)
            }
            Err(fault) => self.last(kind, HOLDS).map(|last| last.wanted).ok_or_else(|| {
                tracing::warn!(%fault, "capacity cannot be answered");
                fault
            }),
        }
    }

    fn keep(&self, kind: &Kind, answer: Last) {
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        if last.len() >= KINDS && !last.contains_key(kind) {
            last.retain(|_, last| last.at.elapsed() < HOLDS);
            // Askers that make up ever new kinds push out the oldest.
            let oldest = last.iter().min_by_key(|(_, last)| last.at).map(|(kind, _)| kind.clone());
            if let Some(oldest) = oldest.filter(|_| last.len() >= KINDS) {
                last.remove(&oldest);
            }
        }
        last.insert(kind.clone(), answer);
    }

    /// The answer; worked out beside the farm, which goes on meanwhile.
    async fn look(&self, kind: &Kind) -> Outcome<Wanted> {
        let before = kind.after.iter().map(Kind::imagined).collect();
        self.desk.study(kind.imagined(), before, Study::answer).await
    }

    async fn active(&self, object: &ScaledObjectRef) -> Outcome<bool> {
        Ok(self.wanted(&Kind::of(object)?).await?.total() > 0)
    }

    fn spec(object: &ScaledObjectRef) -> Outcome<GetMetricSpecResponse> {
        let metric_name = Kind::of(object)?.metric();
        let spec = MetricSpec { metric_name, target_size: 1, target_size_float: 1.0 };
        Ok(GetMetricSpecResponse { metric_specs: vec![spec] })
    }

    async fn metrics(&self, request: GetMetricsRequest) -> Outcome<GetMetricsResponse> {
        let object = request.scaled_object_ref.unwrap_or_default();
        let kind = Kind::of(&object)?;
        let metric_name = kind.metric();
        if !request.metric_name.is_empty() && request.metric_name != metric_name {
            let message = format!("'{}' is no metric of this object", request.metric_name);
            return Err(Fault::new(Code::UnknownOption, message)
                .at("metricName")
                .remedy(format!("It has one: {metric_name}.")));
        }
        let total = self.wanted(&kind).await?.total();
        let value = MetricValue {
            metric_name,
            metric_value: total.into(),
            metric_value_float: total.into(),
        };
        Ok(GetMetricsResponse { metric_values: vec![value] })
    }
}

type Active = mpsc::Sender<Result<IsActiveResponse, Status>>;

impl Scaler {
    /// Says whether anything is wanted, now and at every change.
    async fn follow(mut self, object: ScaledObjectRef, to: Active) {
        let mut said = None;
        loop {
            match self.active(&object).await {
                Ok(result) if said != Some(result) => {
                    said = Some(result);
                    if to.send(Ok(IsActiveResponse { result })).await.is_err() {
                        return;
                    }
                }
                Ok(_) => {}
                Err(fault) => return drop(to.send(Err(to_status(&fault))).await),
            }
            tokio::select! {
                () = tokio::time::sleep(LOOK) => {}
                _ = self.closing.wait_for(|closing| *closing) => return,
                () = to.closed() => return,
            }
        }
    }
}

#[cfg(test)]
mod tests;

#[tonic::async_trait]
impl ExternalScaler for Scaler {
    async fn is_active(&self, request: Request<ScaledObjectRef>) -> Answer<IsActiveResponse> {
        let active = self.active(&request.into_inner()).await;
        answer(active.map(|result| IsActiveResponse { result }))
    }

    type StreamIsActiveStream = ReceiverStream<Result<IsActiveResponse, Status>>;

    async fn stream_is_active(
        &self,
        request: Request<ScaledObjectRef>,
    ) -> Answer<Self::StreamIsActiveStream> {
        let object = request.into_inner();
        Kind::of(&object).map_err(|fault| to_status(&fault))?;
        let (to, said) = mpsc::channel(1);
        tokio::spawn(self.clone().follow(object, to));
        Ok(Response::new(ReceiverStream::new(said)))
    }

    async fn get_metric_spec(
        &self,
        request: Request<ScaledObjectRef>,
    ) -> Answer<GetMetricSpecResponse> {
        answer(Self::spec(&request.into_inner()))
    }

    async fn get_metrics(&self, request: Request<GetMetricsRequest>) -> Answer<GetMetricsResponse> {
        answer(self.metrics(request.into_inner()).await)
    }

    type StreamMetricSpecStream = ReceiverStream<Result<GetMetricSpecResponse, Status>>;

    /// It follows from the metadata alone, so it is said once; the stream then
    /// stays open, as KEDA expects of one that has more to say.
    async fn stream_metric_spec(
        &self,
        request: Request<ScaledObjectRef>,
    ) -> Answer<Self::StreamMetricSpecStream> {
        let spec = Self::spec(&request.into_inner()).map_err(|fault| to_status(&fault))?;
        let (to, said) = mpsc::channel(1);
        let mut closing = self.closing.clone();
        tokio::spawn(async move {
            if to.send(Ok(spec)).await.is_ok() {
                tokio::select! {
                    _ = closing.wait_for(|closing| *closing) => {}
                    () = to.closed() => {}
                }
            }
        });
        Ok(Response::new(ReceiverStream::new(said)))
    }
}
