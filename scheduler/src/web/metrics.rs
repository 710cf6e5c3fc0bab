//! What is counted, for Prometheus. The registry is a value: the page of all
//! metrics (`docs/metrics.md`) is written from it, and a test holds the two together.
//!
//! Counters of the core are since it was made; a restart of the scheduler or a
//! change of leader begins them anew, which `rate()` takes for what it is.

use super::stages::Stages;
use crate::core::{Counters, State};
use platefarm_model::Timestamp;
use platefarm_model::job::{FrameResult, Phase};
use platefarm_model::status::Audit;
use prometheus_client::encoding::{EncodeLabelSet, text};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::{Registry, Unit};
use std::sync::atomic::Ordering;
use std::time::Duration;

/// Everything that is counted.
#[derive(Debug)]
pub(crate) struct Metrics {
    registry: Registry,
    calls: Family<Call, Counter>,
    call_seconds: Family<Method, Histogram, fn() -> Histogram>,
    jobs: Family<JobLabels, Gauge>,
    frames: Family<FrameLabels, Gauge>,
    workers: Family<WorkerLabels, Gauge>,
    slots: Family<WorkerLabels, Gauge>,
    leases_live: Gauge,
    core: CoreCounters,
    leads: Gauge,
    audit_looks: Counter,
    audit_disagreements: Counter,
    up_since: Gauge,
    certificate_until: Gauge,
    deliveries: Family<Delivery, Counter>,
    hook_failures: Family<HookLabel, Gauge>,
    stages: Stages,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct Delivery {
    hook: String,
    outcome: &'static str,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct HookLabel {
    hook: String,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct Call {
    method: &'static str,
    outcome: &'static str,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct Method {
    method: &'static str,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct JobLabels {
    show: String,
    phase: &'static str,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct FrameLabels {
    show: String,
    state: &'static str,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct WorkerLabels {
    state: String,
    class: &'static str,
}

#[derive(Debug, Default)]
struct CoreCounters {
    leases: Counter,
    granted: Counter,
    duplicates: Counter,
    refused: Counter,
    lost: Counter,
    expired: Counter,
}

/// Bounds of the time of a call, in seconds: a decision is microseconds and a
/// commit milliseconds; what waits for work waits up to a minute.
const CALL_SECONDS: [f64; 12] =
    [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.5, 2.5, 20.0, 60.0];

fn call_histogram() -> Histogram {
    Histogram::new(CALL_SECONDS)
}

impl Metrics {
    /// Nothing counted yet.
    pub(crate) fn new() -> Self {
        let mut metrics = Self {
            registry: Registry::with_prefix("platefarm"),
            calls: Family::default(),
            call_seconds: Family::new_with_constructor(call_histogram),
            jobs: Family::default(),
            frames: Family::default(),
            workers: Family::default(),
            slots: Family::default(),
            leases_live: Gauge::default(),
            core: CoreCounters::default(),
            leads: Gauge::default(),
            audit_looks: Counter::default(),
            audit_disagreements: Counter::default(),
            up_since: Gauge::default(),
            certificate_until: Gauge::default(),
            deliveries: Family::default(),
            hook_failures: Family::default(),
            stages: Stages::new(),
        };
        metrics.register();
        metrics
    }

    fn register(&mut self) {
        let r = &mut self.registry;
        r.register(
            "calls",
            "Calls, by method and outcome: ok, or an error code",
            self.calls.clone(),
        );
        r.register_with_unit(
            "call",
            "Time until a call is answered, or its stream begins",
            Unit::Seconds,
            self.call_seconds.clone(),
        );
        r.register("jobs", "Jobs that are kept, by show and phase", self.jobs.clone());
        r.register(
            "frames",
            "Frames of jobs that are not settled, by show and state: waiting (for a worker), held (paused, not before a time, after others), leased, done, failed",
            self.frames.clone(),
        );
        r.register("workers", "Workers that are known, by state and class", self.workers.clone());
        r.register("worker_slots", "Tasks that workers may run at a time", self.slots.clone());
        r.register("leases_live", "Leases that are held now", self.leases_live.clone());
        r.register("leases_granted", "Leases given out", self.core.leases.clone());
        r.register("leases_lost", "Leases that ended with their worker", self.core.lost.clone());
        r.register(
            "leases_expired",
            "Leases that ended because nobody renewed them",
            self.core.expired.clone(),
        );
        r.register("frames_accepted", "Results of frames accepted", self.core.granted.clone());
        r.register(
            "reports_repeated",
            "Reports of frames that their holder had reported before",
            self.core.duplicates.clone(),
        );
        r.register(
            "reports_refused",
            "Reports under a lease that is not held: what the fence kept out",
            self.core.refused.clone(),
        );
        self.stages.register(r);
        self.register_standing();
    }

    /// What this scheduler is, and what its auditor found.
    fn register_standing(&mut self) {
        let r = &mut self.registry;
        r.register("leads", "1 where this scheduler leads the farm, else 0", self.leads.clone());
        r.register(
            "audit_looks",
            "Looks of the live auditor: jobs read from the store and held against memory, and sums against parts",
            self.audit_looks.clone(),
        );
        r.register(
            "audit_disagreements",
            "Looks in which the store and memory, or sums and parts, did not agree: never, on a farm that is well",
            self.audit_disagreements.clone(),
        );
        r.register_with_unit(
            "start_time",
            "When this scheduler was started, since the Unix epoch",
            Unit::Seconds,
            self.up_since.clone(),
        );
        r.register_with_unit(
            "certificate_until",
            "When the certificate in force ends, since the Unix epoch; 0 where nothing is encrypted",
            Unit::Seconds,
            self.certificate_until.clone(),
        );
        r.register(
            "webhook_deliveries",
            "Tries to deliver events, by webhook and outcome: taken, failed, dropped (events that were not kept for so long)",
            self.deliveries.clone(),
        );
        r.register(
            "webhook_failures",
            "Tries in a row that a webhook's address did not take",
            self.hook_failures.clone(),
        );
    }

    /// The certificate in force ends then.
    pub(crate) fn certified(&self, until: Option<Timestamp>) {
        self.certificate_until.set(until.map_or(0, |at| at.0.div_euclid(1_000_000)));
    }

    /// When the certificate in force ends.
    pub(crate) fn certificate_until(&self) -> Option<Timestamp> {
        Some(self.certificate_until.get()).filter(|s| *s != 0).map(|s| Timestamp(s * 1_000_000))
    }

    /// An event was tried to be delivered: how that ended, and failures in a row.
    pub(crate) fn delivered(&self, hook: &str, outcome: &'static str, failures: u32) {
        self.deliveries.get_or_create(&Delivery { hook: hook.to_owned(), outcome }).inc();
        self.failing(hook, failures);
    }

    /// How often in a row an address has not taken what it was sent.
    pub(crate) fn failing(&self, hook: &str, failures: u32) {
        self.hook_failures.get_or_create(&HookLabel { hook: hook.to_owned() }).set(failures.into());
    }

    /// Nothing is sent to this address from here any more.
    pub(crate) fn hook_gone(&self, hook: &str) {
        self.hook_failures.remove(&HookLabel { hook: hook.to_owned() });
    }

    /// A result was accepted, and that is stored.
    pub(crate) fn accepted(&self, result: &FrameResult) {
        self.stages.accepted(result);
    }

    /// A call ended.
    pub(crate) fn called(&self, method: &'static str, outcome: &'static str, took: Duration) {
        self.calls.get_or_create(&Call { method, outcome }).inc();
        self.call_seconds.get_or_create(&Method { method }).observe(took.as_secs_f64());
    }

    /// The scheduler began.
    pub(crate) fn started(&self, unix_seconds: i64) {
        self.up_since.set(unix_seconds);
    }

    /// What the live auditor found; none where another scheduler leads.
    pub(crate) fn audited(&self, audit: Option<&Audit>) {
        self.leads.set(audit.is_some().into());
        let (looks, broken) = audit.map_or((0, 0), |audit| (audit.looks, audit.broken));
        self.audit_looks.inner().store(looks, Ordering::Relaxed);
        self.audit_disagreements.inner().store(broken, Ordering::Relaxed);
    }

    /// Takes over what the farm is now.
    pub(crate) fn look(&self, seen: &Seen) {
        for family in [&self.workers, &self.slots] {
            family.clear();
        }
        self.jobs.clear();
        self.frames.clear();
        for (show, phase, count) in &seen.jobs {
            let labels = JobLabels { show: show.clone(), phase };
            self.jobs.get_or_create(&labels).inc_by(i64::try_from(*count).unwrap_or(i64::MAX));
        }
        for (show, state, count) in &seen.frames {
            let labels = FrameLabels { show: show.clone(), state };
            self.frames.get_or_create(&labels).inc_by(i64::try_from(*count).unwrap_or(i64::MAX));
        }
        for worker in &seen.workers {
            let labels = WorkerLabels { state: worker.0.clone(), class: worker.1 };
            self.workers.get_or_create(&labels).inc();
            self.slots.get_or_create(&labels).inc_by(i64::from(worker.2));
        }
        self.leases_live.set(i64::try_from(seen.leases).unwrap_or(i64::MAX));
        let c = &seen.counters;
        for (counter, value) in [
            (&self.core.leases, c.leases),
            (&self.core.granted, c.granted),
            (&self.core.duplicates, c.duplicates),
            (&self.core.refused, c.refused),
            (&self.core.lost, c.lost),
            (&self.core.expired, c.expired),
        ] {
            counter.inner().store(value, Ordering::Relaxed);
        }
    }

    /// The text that Prometheus reads.
    pub(crate) fn text(&self) -> String {
        let mut out = String::new();
        // A String takes whatever is written.
        let _ = text::encode(&mut out, &self.registry);
        out
    }
}

/// The farm at one moment, as far as it is counted.
#[derive(Debug, Default)]
pub(crate) struct Seen {
    jobs: Vec<(String, &'static str, u64)>,
    frames: Vec<(String, &'static str, u64)>,
    workers: Vec<(String, &'static str, u32)>,
    leases: u64,
    counters: Counters,
}

impl Seen {
    /// What there is to count.
    pub(crate) fn of(state: &State) -> Self {
        let mut seen = Self { counters: state.counters(), ..Self::default() };
        for (show, sums) in state.tally() {
            let is_open = |phase: &Phase| !phase.is_settled() && sums.jobs_in(*phase) > 0;
            if Phase::ALL.iter().any(is_open) {
                let open = sums.open;
                for (name, count) in [
                    ("waiting", open.waiting),
                    ("held", open.held()),
                    ("leased", open.leased),
                    ("done", open.done),
                    ("failed", open.failed),
                ] {
                    seen.frames.push((show.clone(), name, count));
                }
            }
            let there = Phase::ALL.iter().filter(|phase| sums.jobs_in(**phase) > 0);
            let jobs = there.map(|phase| (show.clone(), phase.word(), sums.jobs_in(*phase)));
            seen.jobs.extend(jobs);
        }
        for worker in state.workers() {
            let class = if worker.backend.starts_with("gpu") { "gpu" } else { "cpu" };
            seen.leases += worker.leases.len() as u64;
            seen.workers.push((worker.state, class, worker.slots));
        }
        seen
    }
}

#[cfg(test)]
mod tests;
