//! Submissions and what comes back: jobs, their steps, results of frames.
//! `job > step > task > frame`: a submission, one piece of work on one clip, a
//! frame range leased to one worker, one picture.

use crate::farm::{JobTerms, PriorityClass, Quarantine, StepTerms};
use crate::making::Making;
use crate::recipe::RenderSpec;
use crate::{
    Code, Fault, FrameRange, FrameSet, JobId, LeaseToken, Outcome, StepId, Timestamp, WorkerId,
    limits,
};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// What a step does. Each kind has a run in `worker` under the same name.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum StepKind {
    /// Frames of a clip into plates.
    Render(Box<RenderSpec>),
    /// Checks what was rendered, and adds the sidecars, the manifest and the report.
    Package(Box<crate::pull::PackageSpec>),
    /// Nothing, as fast as possible: benches and drills of the farm itself.
    Noop {
        /// Time to spend on each frame, in milliseconds.
        #[serde(default)]
        millis_per_frame: u32,
    },
}

impl StepKind {
    /// Its name, as `worker`'s registry has it.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Render(_) => "render",
            Self::Package(_) => "package",
            Self::Noop { .. } => "noop",
        }
    }
}

/// One step of a submission.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct StepSpec {
    /// Name that people see: the plate's.
    pub name: String,
    /// What it does. A field of its own in JSON, since specs have frames too.
    #[serde(rename = "work")]
    pub kind: StepKind,
    /// Frames to do, by their delivered numbers.
    pub frames: FrameRange,
    /// Steps (by position) that must be settled first: each of their frames done or given up.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub after: Vec<u32>,
    /// Attempts at each frame before it is given up.
    #[serde(default = "default_attempts")]
    pub max_attempts: u32,
    /// What it asks of the scheduler.
    #[serde(default, skip_serializing_if = "is_default")]
    pub terms: StepTerms,
}

fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

const fn default_attempts() -> u32 {
    limits::DEFAULT_MAX_ATTEMPTS
}

/// A submission.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct JobSpec {
    /// Name that people see.
    pub name: String,
    /// Production that it belongs to.
    pub show: String,
    /// Higher runs first, within the class.
    #[serde(default)]
    pub priority: i32,
    /// What it asks of the scheduler.
    #[serde(default, skip_serializing_if = "is_default")]
    pub terms: JobTerms,
    /// Chosen by the submitter; the same key is accepted once and answered with the same job.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub idempotency_key: Option<String>,
    /// Its steps.
    pub steps: Vec<StepSpec>,
}

impl JobSpec {
    /// Checks what can be checked without looking at a file.
    ///
    /// # Errors
    /// [`Code::BadSpec`] naming the field.
    pub fn check(&self) -> Outcome<()> {
        let bad =
            |message: String, place: String| Err(Fault::new(Code::BadSpec, message).at(place));
        if self.name.is_empty()
            || self.name.len() > limits::MAX_NAME_BYTES
            || self.show.len() > limits::MAX_NAME_BYTES
        {
            return bad(
                format!("a job's name has 1 to {} bytes", limits::MAX_NAME_BYTES),
                "name".into(),
            );
        }
        if self.steps.is_empty() || self.steps.len() > limits::MAX_STEPS_PER_JOB {
            return bad(
                format!(
                    "{} steps; 1 to {} are accepted",
                    self.steps.len(),
                    limits::MAX_STEPS_PER_JOB
                ),
                "steps".into(),
            );
        }
        for (i, step) in self.steps.iter().enumerate() {
            let place = format!("steps[{i}] '{}'", step.name);
            if step.frames.len() > limits::MAX_FRAMES_PER_STEP {
                return bad(
                    format!("{} frames are more than a step may have", step.frames.len()),
                    place,
                );
            }
            let most = limits::MAX_FRAME_NUMBER;
            if step.frames.first() < -most || step.frames.last() > most {
                let message = format!("frames {} are numbered beyond any counter", step.frames);
                let remedy = format!("Number frames from -{most} to {most}.");
                return Err(Fault::new(Code::BadSpec, message).at(place).remedy(remedy));
            }
            if step.max_attempts == 0 {
                return bad("max_attempts is 0".into(), place);
            }
            step.terms.needs.check().map_err(|fault| fault.within(&place))?;
            let mut after = step.after.iter().chain(&step.terms.after_same_frames);
            if let Some(later) = after.find(|a| **a as usize >= i) {
                return bad(
                    format!("waits for step {later}, which does not come before it"),
                    place,
                );
            }
        }
        Ok(())
    }
}

/// Where a job or step is in its life.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Phase {
    /// Waiting for another step.
    Blocked,
    /// Ready, nothing of it runs.
    Pending,
    /// Leased or partly done.
    Running,
    /// Every frame done.
    Done,
    /// Nothing left to do, and some frames were given up.
    Failed,
    /// Ended by a person.
    Cancelled,
}

impl Phase {
    /// All of them, in the order of a life.
    pub const ALL: [Self; 6] =
        [Self::Blocked, Self::Pending, Self::Running, Self::Done, Self::Failed, Self::Cancelled];

    /// Whether nothing will change any more.
    #[must_use]
    pub const fn is_settled(self) -> bool {
        matches!(self, Self::Done | Self::Failed | Self::Cancelled)
    }

    /// The word that people and scripts see.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Blocked => "blocked",
            Self::Pending => "pending",
            Self::Running => "running",
            Self::Done => "done",
            Self::Failed => "failed",
            Self::Cancelled => "cancelled",
        }
    }

    /// The phase that is written `word`.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|p| p.word() == word)
    }
}

/// Milliseconds per stage of a frame: `read`, `decode`, `process`, `encode`, `write`, ...
pub type StageMillis = BTreeMap<String, f64>;

/// What a worker says of a frame that it finished.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct FrameResult {
    /// Delivered frame number.
    pub frame: i64,
    /// File that was written, complete and flushed, under the attempt. Empty when the kind writes none.
    pub staged: String,
    /// The name that it gets when the result is accepted.
    pub published: String,
    /// XXH128 of the file, 32 hex digits; empty when the kind writes none.
    pub xxh128: String,
    /// Size of the file.
    pub bytes: u64,
    /// `cpu`, or `gpu: <adapter>`.
    pub backend: String,
    /// Time per stage.
    pub millis: StageMillis,
    /// Values that no half can hold and that were replaced: NaN, infinities and magnitudes from
    /// 65520 up, of the input and of what was made of it.
    #[serde(default)]
    pub non_finite: u64,
}

/// How a frame ended on a worker.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FrameOutcome {
    /// Done.
    Done(Box<FrameResult>),
    /// Not done, and why.
    Failed {
        /// Delivered frame number.
        frame: i64,
        /// Why.
        fault: Fault,
    },
}

impl FrameOutcome {
    /// The frame it speaks of.
    #[must_use]
    pub fn frame(&self) -> i64 {
        match self {
            Self::Done(result) => result.frame,
            Self::Failed { frame, .. } => *frame,
        }
    }
}

/// The right to do a task until a deadline.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Lease {
    /// Fencing token; travels in every call about this task.
    pub token: LeaseToken,
    /// The step.
    pub step: StepId,
    /// The frames.
    pub frames: FrameRange,
    /// When it ends unless renewed, in milliseconds from when it was granted.
    pub ttl_ms: u64,
    /// What to do.
    pub spec: StepSpec,
}

/// A step as lists show it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct StepView {
    /// Its id.
    pub id: StepId,
    /// Its name.
    pub name: String,
    /// `render`, `package`, `noop`.
    pub kind: String,
    /// Its phase.
    pub phase: Phase,
    /// Frames asked for.
    pub frames: FrameRange,
    /// Frames done.
    pub done: FrameSet,
    /// Frames leased now.
    pub leased: FrameSet,
    /// Frames given up.
    pub failed: FrameSet,
    /// First cause of failure.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub first_fault: Option<Fault>,
    /// Whether a person holds it.
    #[serde(default)]
    pub paused: bool,
    /// Its own place among others, where that differs from the job's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub level: Option<(PriorityClass, i32)>,
    /// How far the package is that it makes, as the worker says that has it in hand.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub making: Option<Making>,
}

impl StepView {
    /// Whether it makes the package, and so is a step, but no picture.
    #[must_use]
    pub fn is_package(&self) -> bool {
        self.kind == "package"
    }
}

/// A job as lists show it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct JobView {
    /// Its id.
    pub id: JobId,
    /// Its name.
    pub name: String,
    /// Its show.
    pub show: String,
    /// Its priority within its class.
    pub priority: i32,
    /// Its class, deadline and the rest that people change.
    #[serde(default)]
    pub terms: JobTerms,
    /// Its phase.
    pub phase: Phase,
    /// When it was accepted.
    pub submitted: Timestamp,
    /// When it was settled.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub finished: Option<Timestamp>,
    /// Frames in all.
    pub frames_total: u64,
    /// Frames done.
    pub frames_done: u64,
    /// Frames given up.
    pub frames_failed: u64,
    /// Its steps; empty in lists.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub steps: Vec<StepView>,
}

impl JobView {
    /// Whether a person holds it, and it has something to do.
    #[must_use]
    pub fn is_held(&self) -> bool {
        self.terms.paused && !self.phase.is_settled()
    }
}

/// A worker as lists show it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct WorkerView {
    /// Its id.
    pub id: WorkerId,
    /// Name that it registered under.
    pub name: String,
    /// `alive`, `draining`, `quarantined`, `trial`, `lost`.
    pub state: String,
    /// Tasks that it runs at a time.
    pub slots: u32,
    /// Backend that it renders with.
    pub backend: String,
    /// When it was last heard.
    pub last_seen: Timestamp,
    /// Leases that it holds.
    pub leases: Vec<LeaseView>,
    /// Frames that it finished.
    pub frames_done: u64,
    /// Labels that count, its own and those that people gave it.
    #[serde(default)]
    pub labels: Vec<String>,
    /// Pools that it is in.
    #[serde(default)]
    pub pools: Vec<String>,
    /// Memory per slot, in MiB; 0: not known.
    #[serde(default)]
    pub memory_mib: u64,
    /// Why it is kept from work.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub quarantine: Option<Quarantine>,
    /// Why it is drained, where somebody said so.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub drain_reason: String,
}

impl WorkerView {
    /// Tasks that it works at: of those it holds as many as it has slots. The others are held
    /// ahead, so that no slot waits, and take no capacity.
    #[must_use]
    pub fn at_work(&self) -> usize {
        self.leases.len().min(self.slots as usize)
    }

    /// Leaves out what it holds of jobs that are not `mine`: other shows' business.
    pub fn cut(&mut self, mine: impl Fn(JobId) -> bool) {
        self.leases.retain(|lease| mine(lease.step.job));
    }

    /// Slots that count: all of one that is alive, and of another those that are still at work.
    #[must_use]
    pub fn slots_there(&self) -> u64 {
        if self.state == "alive" { self.slots.into() } else { self.at_work() as u64 }
    }
}

/// A lease as lists show it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LeaseView {
    /// Token.
    pub token: LeaseToken,
    /// Step.
    pub step: StepId,
    /// Frames not yet reported.
    pub frames: FrameSet,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn job(steps: Vec<StepSpec>) -> JobSpec {
        JobSpec {
            name: "pull".into(),
            show: "demo".into(),
            priority: 0,
            terms: JobTerms::default(),
            idempotency_key: None,
            steps,
        }
    }

    fn noop(after: Vec<u32>) -> StepSpec {
        StepSpec {
            name: "n".into(),
            kind: StepKind::Noop { millis_per_frame: 0 },
            frames: FrameRange::single(1),
            after,
            max_attempts: 3,
            terms: StepTerms::default(),
        }
    }

    #[test]
    fn a_job_waits_only_for_what_comes_before() {
        assert!(job(vec![noop(vec![]), noop(vec![0])]).check().is_ok());
        assert_eq!(job(vec![noop(vec![0])]).check().unwrap_err().place.unwrap(), "steps[0] 'n'");
        assert_eq!(job(vec![]).check().unwrap_err().code, Code::BadSpec);
    }

    /// Beside the last number that there is nothing can be counted.
    #[test]
    fn frames_have_numbers_within_bounds() {
        let most = limits::MAX_FRAME_NUMBER;
        let check = |first: i64, last: i64| {
            let frames = FrameRange::new(first, last).unwrap();
            job(vec![StepSpec { frames, ..noop(vec![]) }]).check().map_err(|fault| (frames, fault))
        };
        assert!(check(most - 9, most).is_ok() && check(-most, 9 - most).is_ok());
        let beyond =
            [(most, most + 1), (-most - 1, -most), (i64::MAX, i64::MAX), (i64::MIN, i64::MIN)];
        for (first, last) in beyond {
            let (frames, fault) = check(first, last).unwrap_err();
            assert_eq!(fault.code, Code::BadSpec);
            assert_eq!(fault.place.as_deref(), Some("steps[0] 'n'"));
            assert!(fault.message.contains(&frames.to_string()), "{fault}");
            assert!(fault.remedy_text().contains(&most.to_string()), "{}", fault.remedy_text());
        }
    }

    #[test]
    fn specs_of_every_kind_survive_json() {
        let frames = FrameRange::new(1001, 1004).unwrap();
        let render = RenderSpec {
            source: "/ocf/a.dng".into(),
            clip_name: None,
            source_first: 2,
            frames,
            out_dir: "/out".into(),
            naming: crate::recipe::FrameNaming { stem: "A_PL01_v001".into(), padding: 4 },
            debayer: crate::recipe::Debayer::Mhc,
            repairs: crate::repair::Repairs::default(),
            framing: Some(crate::recipe::Framing::identity(8, 4, 1.0)),
            color: crate::recipe::ColorRecipe::default(),
            color_out: crate::recipe::OutputColor::default(),
            compression: crate::recipe::Compression::Piz,
            backend: crate::recipe::Backend::Cpu,
            fdl_json: None,
            headers: crate::recipe::HeaderTexts::default(),
            reuse: Vec::new(),
        };
        let kind = StepKind::Render(Box::new(render));
        let terms = StepTerms { near: vec!["vol1".into()], ..StepTerms::default() };
        let after = vec![];
        let step = StepSpec { name: "A".into(), kind, frames, after, max_attempts: 3, terms };
        let spec = job(vec![step, noop(vec![0])]);
        let json = serde_json::to_string(&spec).unwrap();
        assert!(json.contains(r#""kind":"noop""#), "{json}");
        assert_eq!(serde_json::from_str::<JobSpec>(&json).unwrap(), spec);
    }
}
