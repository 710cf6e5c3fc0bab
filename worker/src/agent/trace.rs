//! What a worker did, as spans: one for each task, and below it one for each
//! frame with the times of its stages. A frame's span ends when its result is
//! known; it began as long before as its stages took, though never before
//! its task did.

use opentelemetry::trace::SpanKind;
use platefarm_model::job::{FrameOutcome, Lease};
use platefarm_proto::trace::{Begun, Fact, Taken};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

/// The spans of one task; nothing, where nobody traces it.
#[derive(Clone)]
pub(super) struct Trace(Option<Arc<Task>>);

struct Task {
    span: Begun,
    facts: Vec<Fact>,
    begun: SystemTime,
}

impl Trace {
    /// A task begins; it ends when the last of these is dropped.
    pub(super) fn of(lease: &Lease, worker: &str) -> Self {
        let Some(parent) = &lease.spec.terms.trace else { return Self(None) };
        let mut facts: Vec<Fact> = vec![
            ("job", lease.step.job.to_string()),
            ("step", lease.step.to_string()),
            ("step.name", lease.spec.name.clone()),
            ("kind", lease.spec.kind.name().to_owned()),
            ("lease", lease.token.to_string()),
            ("worker", worker.to_owned()),
            ("frames", lease.frames.to_string()),
        ];
        let span = Begun::now("task", parent, SpanKind::Consumer, &facts);
        facts.pop();
        let traced = span.context().is_some();
        Self(traced.then(|| Arc::new(Task { span, facts, begun: SystemTime::now() })))
    }

    /// A frame of it has ended.
    pub(super) fn frame(&self, outcome: &FrameOutcome) {
        let Some(task) = &self.0 else { return };
        let ended = SystemTime::now();
        let mut span = Taken::new("frame", task.begun, ended);
        span.facts.clone_from(&task.facts);
        span.facts.push(("frame", outcome.frame().to_string()));
        match outcome {
            FrameOutcome::Done(result) => {
                span.facts.push(("backend", result.backend.clone()));
                let millis: f64 = result.millis.values().sum();
                let long = Duration::try_from_secs_f64(millis / 1000.0).unwrap_or_default();
                let begun = ended.checked_sub(long).unwrap_or(task.begun);
                span.begun = begun.max(task.begun);
                let stage = |(name, ms): (&String, &f64)| (format!("stage.{name}_ms"), *ms);
                span.numbers = result.millis.iter().map(stage).collect();
            }
            FrameOutcome::Failed { fault, .. } => span.fault = Some(fault.clone()),
        }
        span.export(task.span.context(), SpanKind::Internal);
    }
}
