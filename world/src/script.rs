//! What will happen in a farm of one seed: the jobs, which of their frames
//! cannot be done, what people do, and when what breaks.

use super::rng::Rng;
use platefarm_model::farm::{
    Control, Device, JobTerms, Limit, Needs, NodeControl, PriorityClass, Setting, Share, StepTerms,
};
use platefarm_model::job::{JobSpec, StepKind, StepSpec};
use platefarm_model::{Code, FrameRange};
use platefarm_scheduler::core::Policy;
use std::collections::BTreeMap;

/// Why a frame cannot be done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Curse {
    /// Every attempt fails like this.
    Fails(Code),
    /// The worker's process goes down with it.
    Kills,
    /// It never ends, and makes no progress.
    Hangs,
}

/// Something that breaks, or that a person does, at a time.
#[derive(Clone, Debug)]
pub(crate) enum Break {
    SchedulerDies,
    WorkerDies(usize),
    /// A worker cannot be reached for so many milliseconds.
    Partition(usize, i64),
    /// The next commit fails; it is on disk or not.
    CommitFails(bool),
    /// The store takes so long for each commit, until it is well again.
    SlowDisk(i64),
    /// A person does something to a job, or to one of its steps.
    Person(usize, Option<u32>, Control),
    /// A person makes a job wait for another, or its steps' frames for the same ones.
    Depend(usize, usize, bool),
    /// A person does something to a worker's node.
    Operator(usize, NodeControl),
    /// A worker goes in good order, and comes back.
    WorkerLeaves(usize),
    /// The scheduler's clock steps back.
    ClockSteps(i64),
    /// The scheduler cannot reach its store for so many milliseconds.
    StoreCutOff(i64),
    /// A person has a job forgotten as soon as it has ended, and perhaps hands it in again.
    Forget(usize, bool),
}

/// A farm's fate.
#[derive(Debug)]
pub(crate) struct Script {
    pub(crate) policy: Policy,
    pub(crate) jobs: Vec<JobSpec>,
    /// By job, step and frame.
    pub(crate) curses: BTreeMap<(usize, u32, i64), Curse>,
    /// A worker on which every third frame fails.
    pub(crate) sick: Option<usize>,
    pub(crate) breaks: Vec<(i64, Break)>,
    pub(crate) settings: Vec<(&'static str, Setting)>,
    pub(crate) workers: Vec<Machine>,
    /// From here on nothing breaks by itself any more. Milliseconds.
    pub(crate) calm: i64,
    /// A farm that is not done by then never will be.
    pub(crate) end: i64,
}

/// A machine that a worker runs on.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Machine {
    pub(crate) slots: u32,
    pub(crate) gpu: bool,
    /// How much slower than the fastest.
    pub(crate) slower: i64,
    /// What its clock counts while a thousand milliseconds pass.
    pub(crate) clock: i64,
    /// Frames that it begins before the first of them is reported.
    pub(crate) pipeline: usize,
    /// Whether it asks for a task before its slots are free.
    pub(crate) ahead: bool,
}

/// Of a policy that is off.
pub(crate) const NEVER: i64 = i64::MAX / 4;
/// Longer than any message is under way here, and than anybody asks again.
const COMPACT_MS: i64 = 90_000;
/// Longer than any frame takes here that ends.
const FRAME_LIMIT_S: u32 = 30;
/// Milliseconds in which things break.
const STORM: i64 = 60_000;

impl Script {
    pub(crate) fn new(rng: &mut Rng) -> Self {
        let count = 1 + rng.below(5);
        let workers: Vec<Machine> = (0..count).map(|_| machine(rng)).collect();
        let jobs: Vec<JobSpec> = (0..1 + rng.below(4)).map(|i| job(rng, i, &workers)).collect();
        let mut curses = BTreeMap::new();
        for _ in 0..rng.below(4) {
            let (at, step) = some_step(rng, &jobs);
            let frames = jobs[at].steps[step as usize].frames;
            let frame = rng.between(frames.first(), frames.last());
            let codes = [Code::TruncatedFile, Code::DiskFull, Code::BadRecipe, Code::Interrupted];
            let curse = match rng.below(6) {
                0 => Curse::Kills,
                1 => Curse::Hangs,
                _ => Curse::Fails(codes[rng.below(4) as usize]),
            };
            curses.insert((at, step, frame), curse);
        }
        let breaks = (0..rng.below(12))
            .map(|_| (rng.between(100, STORM), a_break(rng, &workers, &jobs)))
            .collect();
        let share = |rng: &mut Rng| {
            let ceiling = rng.chance(40).then(|| 1 + rng.below(3) as u32);
            Setting::Share(Share { weight: 1 + rng.below(4) as u32, ceiling, ..Share::default() })
        };
        let settings = vec![
            ("nuke", Setting::Limit(Limit { count: 2 + rng.below(2) as u32 })),
            ("a", share(rng)),
            ("b", share(rng)),
        ];
        // What is rare on a farm is usual on some.
        let limited = rng.chance(20);
        let mut jobs = jobs;
        if limited {
            jobs.iter_mut().flat_map(|job| &mut job.steps).for_each(|step| {
                step.terms.frame_limit_s = FRAME_LIMIT_S;
                step.terms.step_limit_s =
                    if rng.chance(25) { rng.between(15, 60) as u32 } else { 0 };
            });
        }
        // More than everything here can take one frame down by chance.
        let policy = Policy {
            max_lost_alone: 14,
            target_lease_ms: 2_000,
            // Where frames have a limit, that alone finds the hung ones.
            hung_ms: if limited { NEVER } else { 9_000 },
            aging_ms: if rng.chance(20) { rng.between(1_000, 20_000) } else { NEVER },
            aged_every: 3,
            least_taken_ms: 50,
            quarantine_ms: 500,
            compact_ms: if rng.chance(40) { COMPACT_MS } else { NEVER },
            keep_ended_ms: if rng.chance(15) { rng.between(5_000, 60_000) } else { NEVER },
            ..Policy::default()
        };
        let sick = rng.chance(15).then(|| rng.below(count) as usize);
        let (calm, end) = (STORM, STORM + 14_400_000);
        Self { policy, jobs, curses, sick, breaks, settings, workers, calm, end }
    }
}

fn machine(rng: &mut Rng) -> Machine {
    let gpu = rng.chance(35);
    Machine {
        slots: 1 + rng.below(2) as u32,
        gpu,
        slower: if gpu { 1 } else { rng.between(1, 4) },
        clock: rng.between(985, 1_015),
        pipeline: 1 + rng.below(3) as usize,
        ahead: rng.chance(50),
    }
}

fn job(rng: &mut Rng, index: u64, workers: &[Machine]) -> JobSpec {
    let count = 1 + rng.below(4) as u32;
    let class = PriorityClass::ALL[rng.below(3) as usize];
    let deadline = rng.chance(30).then(|| platefarm_model::Timestamp(rng.between(1, 99)));
    let max_tasks = rng.chance(20).then(|| 1 + rng.below(2) as u32);
    JobSpec {
        name: format!("j{index}"),
        show: ["a", "b"][rng.below(2) as usize].into(),
        priority: rng.between(-1, 1) as i32,
        terms: JobTerms { class, deadline, max_tasks, ..JobTerms::default() },
        idempotency_key: Some(format!("key{index}")),
        steps: (0..count).map(|i| step(rng, i, workers)).collect(),
    }
}

fn step(rng: &mut Rng, i: u32, workers: &[Machine]) -> StepSpec {
    let device = match rng.below(8) {
        0 if workers.iter().any(|w| w.gpu) => Device::Gpu,
        1 if workers.iter().any(|w| !w.gpu) => Device::Cpu,
        _ => Device::Any,
    };
    let limits = rng.chance(20).then(|| ("nuke".to_owned(), 1 + rng.below(2) as u32));
    let needs = Needs { device, limits: limits.into_iter().collect(), ..Needs::default() };
    let (mut same, mut after) = (Vec::new(), Vec::new());
    for earlier in (0..i).filter(|_| rng.chance(40)).collect::<Vec<u32>>() {
        if rng.chance(35) { same.push(earlier) } else { after.push(earlier) }
    }
    StepSpec {
        name: format!("s{i}"),
        kind: StepKind::Noop { millis_per_frame: rng.between(5, 700) as u32 },
        frames: FrameRange::of_len(rng.between(-3, 1001), 1 + rng.below(40)),
        after,
        max_attempts: 1 + rng.below(3) as u32,
        terms: StepTerms { needs, after_same_frames: same, ..StepTerms::default() },
    }
}

fn some_step(rng: &mut Rng, jobs: &[JobSpec]) -> (usize, u32) {
    let at = rng.below(jobs.len() as u64) as usize;
    (at, rng.below(jobs[at].steps.len() as u64) as u32)
}

fn a_break(rng: &mut Rng, workers: &[Machine], jobs: &[JobSpec]) -> Break {
    let worker = rng.below(workers.len() as u64) as usize;
    match rng.below(20) {
        17 => Break::StoreCutOff(rng.between(200, 20_000)),
        18 | 19 => {
            let at = rng.below(jobs.len() as u64) as usize;
            Break::Forget(at, rng.chance(50))
        }
        14 => Break::WorkerLeaves(worker),
        15 => Break::ClockSteps(rng.between(500, 8_000)),
        16 => {
            let mut job = || rng.below(jobs.len() as u64) as usize;
            let (who, on) = (job(), job());
            Break::Depend(who, on, rng.chance(40))
        }
        0..3 => Break::SchedulerDies,
        3..5 => Break::WorkerDies(worker),
        5..7 => Break::Partition(worker, rng.between(1_000, 25_000)),
        7 => Break::CommitFails(rng.chance(50)),
        8 => Break::SlowDisk(rng.between(50, 4_000)),
        9 => Break::Operator(worker, NodeControl::Drain { reason: String::new() }),
        10 => Break::Operator(worker, NodeControl::Resume),
        _ => {
            let (at, step) = some_step(rng, jobs);
            let class = Some(PriorityClass::ALL[rng.below(3) as usize]);
            let control = match rng.below(10) {
                0 if rng.chance(30) => Control::Cancel,
                1..4 => Control::Pause,
                4 => Control::Resume,
                5 => Control::Retry(None),
                _ => Control::Priority { class, priority: Some(rng.between(-2, 2) as i32) },
            };
            Break::Person(at, rng.chance(50).then_some(step), control)
        }
    }
}
