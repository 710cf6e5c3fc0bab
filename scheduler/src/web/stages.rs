//! Time per stage of the frames that were accepted, for Prometheus: what a farm
//! spends its time on, and where a change of it shows.

use platefarm_model::farm::WorkerClass;
use platefarm_model::job::FrameResult;
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::{Registry, Unit};
use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError};

/// Most names of stages that are told apart. Workers say them, and a worker may say anything.
const MOST: usize = 32;
/// Longest name.
const LONGEST: usize = 24;
/// What others are counted as.
const OTHER: &str = "other";
/// Bounds in seconds: from reading a small frame to packing a long film.
const SECONDS: [f64; 14] =
    [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 15.0, 60.0, 300.0, 1800.0];

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct Labels {
    stage: String,
    backend: &'static str,
}

/// The times.
#[derive(Debug)]
pub(super) struct Stages {
    seconds: Family<Labels, Histogram, fn() -> Histogram>,
    known: Mutex<BTreeSet<String>>,
}

impl Stages {
    pub(super) fn new() -> Self {
        let histogram: fn() -> Histogram = || Histogram::new(SECONDS);
        Self { seconds: Family::new_with_constructor(histogram), known: Mutex::default() }
    }

    pub(super) fn register(&self, registry: &mut Registry) {
        registry.register_with_unit(
            "stage",
            "Time of each stage of frames that were accepted, by stage and what it was computed with",
            Unit::Seconds,
            self.seconds.clone(),
        );
    }

    /// A result was accepted.
    pub(super) fn accepted(&self, result: &FrameResult) {
        let backend = match WorkerClass::of_backend(&result.backend) {
            WorkerClass::Cpu => "cpu",
            WorkerClass::Gpu => "gpu",
        };
        for (stage, millis) in &result.millis {
            if !millis.is_finite() || *millis < 0.0 {
                continue;
            }
            let stage = self.named(stage);
            self.seconds.get_or_create(&Labels { stage, backend }).observe(millis / 1000.0);
        }
    }

    /// The name under which a stage is counted.
    fn named(&self, stage: &str) -> String {
        let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || " _-".contains(c);
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let fits = known.contains(stage)
            || (known.len() < MOST && stage.len() <= LONGEST && stage.chars().all(plain));
        if !fits {
            return OTHER.into();
        }
        if !known.contains(stage) {
            known.insert(stage.to_owned());
        }
        stage.to_owned()
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use prometheus_client::encoding::text;

    /// A frame of so many milliseconds in each stage.
    pub(crate) fn frame(backend: &str, millis: &[(&str, f64)]) -> FrameResult {
        FrameResult {
            frame: 1001,
            staged: String::new(),
            published: String::new(),
            xxh128: String::new(),
            bytes: 0,
            backend: backend.into(),
            millis: millis.iter().map(|(stage, ms)| ((*stage).to_owned(), *ms)).collect(),
            non_finite: 0,
        }
    }

    fn told(stages: &Stages) -> String {
        let mut registry = Registry::with_prefix("platefarm");
        stages.register(&mut registry);
        let mut out = String::new();
        text::encode(&mut out, &registry).unwrap();
        out
    }

    #[test]
    fn stages_are_summed_by_name_and_class() {
        let stages = Stages::new();
        stages.accepted(&frame("cpu", &[("read", 20.0), ("process", 750.0)]));
        stages.accepted(&frame("cpu", &[("read", 30.0)]));
        stages.accepted(&frame("gpu: a card", &[("process", 7.0), ("broken", f64::NAN)]));
        let text = told(&stages);
        for line in [
            "platefarm_stage_seconds_sum{stage=\"read\",backend=\"cpu\"} 0.05",
            "platefarm_stage_seconds_count{stage=\"read\",backend=\"cpu\"} 2",
            "platefarm_stage_seconds_sum{stage=\"process\",backend=\"cpu\"} 0.75",
            "platefarm_stage_seconds_count{stage=\"process\",backend=\"gpu\"} 1",
        ] {
            assert!(text.contains(line), "no {line}: {text}");
        }
        assert!(!text.contains("broken"), "{text}");
    }

    /// A worker that says a new name with each frame fills no memory.
    #[test]
    fn names_are_bounded() {
        let stages = Stages::new();
        for i in 0..1000 {
            stages.accepted(&frame("cpu", &[(&format!("stage {i}"), 1.0)]));
        }
        stages.accepted(&frame("cpu", &[("With \"quotes\"", 1.0)]));
        let names = told(&stages).lines().filter(|line| line.contains("_count{")).count();
        assert_eq!(names, MOST + 1);
    }
}
