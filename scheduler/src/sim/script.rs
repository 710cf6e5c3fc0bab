//! What will happen in a farm of one seed: the jobs, which of their frames
//! cannot be done, and when what breaks.

use super::Rng;
use crate::core::Policy;
use platefarm_model::job::{JobSpec, StepKind, StepSpec};
use platefarm_model::{Code, FrameRange};
use std::collections::BTreeMap;

/// A bug planted on purpose.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Bug {
    /// A report under a stale token counts for whoever has the frame now.
    TokensUnchecked,
    /// Answers leave before the transaction is on disk.
    AnsweredBeforeStored,
    /// Nothing ever expires.
    TimeStandsStill,
}

/// Why a frame cannot be done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Curse {
    /// Every attempt fails like this.
    Fails(Code),
    /// The worker's process goes down with it.
    Kills,
}

/// Something that breaks at a time.
#[derive(Clone, Copy, Debug)]
pub(super) enum Break {
    SchedulerDies,
    WorkerDies(usize),
    /// A worker cannot be reached for so many milliseconds.
    Partition(usize, i64),
    /// The next commit fails; it is on disk or not.
    CommitFails(bool),
    Cancel(usize),
}

/// A farm's fate.
#[derive(Debug)]
pub(super) struct Script {
    pub(super) policy: Policy,
    pub(super) jobs: Vec<JobSpec>,
    /// By job, step and frame.
    pub(super) curses: BTreeMap<(usize, u32, i64), Curse>,
    pub(super) breaks: Vec<(i64, Break)>,
    pub(super) workers: usize,
    /// From here on nothing breaks by itself any more. Milliseconds.
    pub(super) calm: i64,
    /// A farm that is not done by then never will be.
    pub(super) end: i64,
}

/// Milliseconds in which things break.
const STORM: i64 = 60_000;

impl Script {
    pub(super) fn new(rng: &mut Rng) -> Self {
        let workers = 1 + rng.below(5) as usize;
        let jobs: Vec<JobSpec> = (0..1 + rng.below(3)).map(|i| job(rng, i)).collect();
        let mut curses = BTreeMap::new();
        for _ in 0..rng.below(4) {
            let (at, step) = some_step(rng, &jobs);
            let frames = jobs[at].steps[step as usize].frames;
            let frame = rng.between(frames.first(), frames.last());
            let codes = [Code::TruncatedFile, Code::DiskFull, Code::BadRecipe, Code::Interrupted];
            let curse = match rng.chance(25) {
                true => Curse::Kills,
                false => Curse::Fails(codes[rng.below(4) as usize]),
            };
            curses.insert((at, step, frame), curse);
        }
        let mut breaks = Vec::new();
        for _ in 0..rng.below(7) {
            let worker = rng.below(workers as u64) as usize;
            let what = match rng.below(8) {
                0..2 => Break::SchedulerDies,
                2..4 => Break::WorkerDies(worker),
                4..6 => Break::Partition(worker, rng.between(1_000, 25_000)),
                6 => Break::CommitFails(rng.chance(50)),
                _ if rng.chance(30) => Break::Cancel(rng.below(jobs.len() as u64) as usize),
                _ => Break::CommitFails(rng.chance(50)),
            };
            breaks.push((rng.between(100, STORM), what));
        }
        // More than everything here can take one frame down by chance.
        let policy = Policy { max_lost_alone: 9, target_lease_ms: 2_000, ..Policy::default() };
        Self { policy, jobs, curses, breaks, workers, calm: STORM, end: STORM + 1_800_000 }
    }
}

fn job(rng: &mut Rng, index: u64) -> JobSpec {
    let count = 1 + rng.below(4) as u32;
    let step = |rng: &mut Rng, i: u32| StepSpec {
        name: format!("s{i}"),
        kind: StepKind::Noop { millis_per_frame: rng.between(5, 900) as u32 },
        frames: FrameRange::of_len(rng.between(-3, 1001), 1 + rng.below(40)),
        after: (0..i).filter(|_| rng.chance(40)).collect(),
        max_attempts: 1 + rng.below(3) as u32,
        terms: Default::default(),
    };
    JobSpec {
        name: format!("j{index}"),
        show: "sim".into(),
        priority: rng.between(-1, 1) as i32,
        terms: Default::default(),
        idempotency_key: Some(format!("key{index}")),
        steps: (0..count).map(|i| step(rng, i)).collect(),
    }
}

fn some_step(rng: &mut Rng, jobs: &[JobSpec]) -> (usize, u32) {
    let at = rng.below(jobs.len() as u64) as usize;
    (at, rng.below(jobs[at].steps.len() as u64) as u32)
}
