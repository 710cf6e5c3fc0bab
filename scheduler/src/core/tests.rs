//! The core by its words: what a farm must do, told as short stories. After
//! every command the books are audited, the rows that it had stored must be its
//! own, and the core rebuilt from them, a job at a time, must be the core.

mod again;
mod ahead;
mod burst;
mod control;
mod load;
mod order;
mod sick;
mod yields;

use super::*;
use platefarm_model::farm::{Control, WorkerTraits};
use platefarm_model::job::{FrameOutcome, FrameResult, JobSpec, Phase, StepKind, StepSpec};
use platefarm_model::{FrameRange, FrameSet, Outcome};

struct Farm {
    state: State,
    /// What a store holds that was handed every change.
    stored: Snapshot,
    millis: i64,
    wake: bool,
}

fn policy() -> Policy {
    Policy { first_lease_frames: 4, max_lost_alone: 3, ..Policy::default() }
}

fn step(first: i64, last: i64, after: &[u32]) -> StepSpec {
    StepSpec {
        name: "n".into(),
        kind: StepKind::Noop { millis_per_frame: 0 },
        frames: FrameRange::new(first, last).unwrap(),
        after: after.to_vec(),
        max_attempts: 3,
        terms: Default::default(),
    }
}

fn spec(show: &str, steps: Vec<StepSpec>) -> JobSpec {
    JobSpec {
        name: "j".into(),
        show: show.into(),
        priority: 0,
        terms: Default::default(),
        idempotency_key: None,
        steps,
    }
}

/// A job of two steps, the second after the first, whose frames do nothing.
pub(crate) fn noop(key: &str, frames: u64) -> JobSpec {
    let step = |name: &str, frames, after| StepSpec {
        name: name.into(),
        kind: StepKind::Noop { millis_per_frame: 0 },
        frames: FrameRange::of_len(1001, frames),
        after,
        max_attempts: 3,
        terms: Default::default(),
    };
    JobSpec {
        name: "noop".into(),
        show: "test".into(),
        priority: 0,
        terms: Default::default(),
        idempotency_key: Some(key.into()),
        steps: vec![step("a", frames, vec![]), step("b", 1, vec![0])],
    }
}

/// A job of a show, of one step.
pub(crate) fn one_step(show: &str, frames: u64) -> JobSpec {
    let mut job = JobSpec { show: show.into(), idempotency_key: None, ..noop("", frames) };
    job.steps.truncate(1);
    job
}

fn result(frame: i64) -> FrameOutcome {
    FrameOutcome::Done(Box::new(FrameResult {
        frame,
        staged: format!("/s/{frame}"),
        published: format!("/p/{frame}"),
        xxh128: String::new(),
        bytes: 1,
        backend: "cpu".into(),
        millis: Default::default(),
        non_finite: 0,
    }))
}

fn failure(frame: i64, code: Code) -> FrameOutcome {
    FrameOutcome::Failed { frame, fault: Fault::new(code, format!("frame {frame}")) }
}

/// What is queued and in which order, without what a restart may forget.
fn shape(state: &State) -> Vec<String> {
    let mut shape = Vec::new();
    for (level, groups) in &state.queue.levels {
        let mut of_level: Vec<String> = groups
            .iter()
            .map(|(kin, group)| {
                let jobs: Vec<_> = group.jobs.iter().collect();
                let show = &state.shows[kin.show.0 as usize].name;
                format!(
                    "{level:?} {:?} {show} {jobs:?} {}",
                    state.queue.needs(kin.need),
                    group.frames
                )
            })
            .collect();
        of_level.sort();
        shape.extend(of_level);
    }
    shape
}

/// A core made of the farm's own rows and then of each job's, from one time to another.
fn of_parts(policy: Policy, mut stored: Snapshot, times: [Timestamp; 2]) -> Outcome<State> {
    let mut jobs: BTreeMap<JobId, Snapshot> = BTreeMap::new();
    for (id, row) in std::mem::take(&mut stored.jobs) {
        jobs.entry(id).or_default().jobs.insert(id, row);
    }
    for (id, step) in std::mem::take(&mut stored.steps) {
        jobs.entry(id.job).or_default().steps.insert(id, step);
    }
    for (token, row) in std::mem::take(&mut stored.leases) {
        jobs.entry(row.step.job).or_default().leases.insert(token, row);
    }
    let mut core = Rebuild::begin(policy, times[0]);
    std::iter::once(stored).chain(jobs.into_values()).try_for_each(|part| core.take(part))?;
    let state = core.end(times[1]);
    state.check_invariants().map_err(torn)?;
    Ok(state)
}

impl Farm {
    fn new() -> Self {
        Self::with(policy())
    }

    fn with(policy: Policy) -> Self {
        let state = State::new(policy, Timestamp(0));
        Self { state, stored: Snapshot::default(), millis: 0, wake: false }
    }

    fn ask(&mut self, command: Command) -> Outcome<Reply> {
        let now = Timestamp(0).plus_millis(self.millis);
        let effects = self.state.step(command, now);
        self.wake = effects.wake;
        self.state.check_invariants().unwrap();
        self.stored.apply(&effects.changes);
        assert_eq!(self.stored, self.state.snapshot(), "all that changed is stored");
        let rebuilt = of_parts(self.state.policy, self.stored.clone(), [now, now]).unwrap();
        assert_eq!(rebuilt.snapshot(), self.stored);
        assert_eq!(shape(&rebuilt), shape(&self.state), "the same queue");
        effects.reply
    }

    fn submit(&mut self, priority: i32, key: Option<&str>, steps: Vec<StepSpec>) -> JobId {
        let idempotency_key = key.map(Into::into);
        self.hand_in(JobSpec { priority, idempotency_key, ..spec("s", steps) })
    }

    fn hand_in(&mut self, spec: JobSpec) -> JobId {
        match self.ask(Command::Submit(Box::new(spec))) {
            Ok(Reply::Submitted { job, .. }) => job,
            other => panic!("{other:?}"),
        }
    }

    fn worker(&mut self, instance: &str) -> WorkerId {
        self.machine(instance, 1, "cpu", WorkerTraits::default())
    }

    fn machine(&mut self, name: &str, slots: u32, backend: &str, traits: WorkerTraits) -> WorkerId {
        let command = Command::Register {
            name: name.into(),
            instance: name.into(),
            slots,
            backend: backend.into(),
            traits,
        };
        match self.ask(command) {
            Ok(Reply::Registered(id)) => id,
            other => panic!("{other:?}"),
        }
    }

    fn acquire(&mut self, worker: WorkerId) -> Option<Granted> {
        match self.ask(Command::Acquire { worker }) {
            Ok(Reply::Acquired(granted)) => granted,
            other => panic!("{other:?}"),
        }
    }

    fn report(
        &mut self,
        worker: WorkerId,
        token: LeaseToken,
        outcomes: Vec<FrameOutcome>,
    ) -> (Vec<Verdict>, Option<FrameRange>) {
        match self.ask(Command::Report { worker, token, outcomes, last: None }) {
            Ok(Reply::Reported { verdicts, keep }) => (verdicts, keep),
            other => panic!("{other:?}"),
        }
    }

    fn beat(&mut self, worker: WorkerId, tokens: &[LeaseToken]) -> Vec<Option<FrameRange>> {
        self.pulse(worker, &tokens.iter().map(|token| Pulse::of(*token)).collect::<Vec<_>>())
    }

    fn pulse(&mut self, worker: WorkerId, pulses: &[Pulse]) -> Vec<Option<FrameRange>> {
        match self.ask(Command::Heartbeat { worker, leases: pulses.to_vec() }) {
            Ok(Reply::Beaten { leases, .. }) => leases.into_iter().map(|(_, keep)| keep).collect(),
            other => panic!("{other:?}"),
        }
    }

    /// Time passes in ticks of a second while `alive` are heard.
    fn wait(&mut self, seconds: i64, alive: &[WorkerId]) {
        for _ in 0..seconds {
            self.millis += 1000;
            for worker in alive {
                self.beat(*worker, &[]);
            }
            self.ask(Command::Tick).unwrap();
        }
    }

    /// Does everything that can be got; frames as `outcome` says. Returns how many leases it took.
    fn drain(
        &mut self,
        worker: WorkerId,
        millis: i64,
        outcome: impl Fn(i64) -> FrameOutcome,
    ) -> Vec<FrameRange> {
        let mut leases = Vec::new();
        while let Some(lease) = self.acquire(worker) {
            leases.push(lease.frames);
            for frame in lease.frames.iter() {
                self.millis += millis;
                self.beat(worker, &[lease.token]);
                assert_eq!(
                    self.report(worker, lease.token, vec![outcome(frame)]).0,
                    [Verdict::Granted]
                );
            }
        }
        leases
    }

    fn control(&mut self, target: &str, control: Control) -> Outcome<Reply> {
        self.ask(Command::Control(target.parse().unwrap(), control))
    }

    fn phase(&self, job: JobId) -> Phase {
        self.state.job(job).unwrap().phase
    }
}

fn cancel(job: JobId) -> Command {
    Command::Control(Target::Job(job), Control::Cancel)
}

fn set(text: &str) -> FrameSet {
    text.parse().unwrap()
}

/// What a holder is told that shall begin nothing from `first` on.
fn nothing_from(first: i64) -> Option<FrameRange> {
    Some(FrameRange::single(first - 1))
}

#[test]
fn a_job_goes_from_submission_to_done() {
    let mut farm = Farm::new();
    let worker = farm.worker("a");
    let job = farm.submit(0, None, vec![step(1, 20, &[]), step(1, 1, &[0])]);
    assert!(farm.wake, "a submission wakes who waits");
    assert_eq!(farm.phase(job), Phase::Pending);
    assert_eq!(farm.state.job(job).unwrap().steps[1].phase, Phase::Blocked);
    let first = farm.acquire(worker).unwrap();
    assert_eq!(first.frames, FrameRange::new(1, 4).unwrap(), "starts small");
    let frames = first.frames.iter().map(result).collect();
    let (verdicts, keep) = farm.report(worker, first.token, frames);
    assert_eq!((verdicts, keep), (vec![Verdict::Granted; 4], None));
    assert_eq!(farm.phase(job), Phase::Running);
    farm.drain(worker, 10, result);
    let view = farm.state.job(job).unwrap();
    assert_eq!((view.phase, view.frames_done, view.frames_total), (Phase::Done, 21, 21));
    assert_eq!(view.finished, Some(Timestamp(0).plus_millis(farm.millis)));
    assert_eq!(view.steps[0].done, set("1-20"));
}

#[test]
fn the_same_key_is_the_same_job() {
    let mut farm = Farm::new();
    let first = farm.submit(0, Some("k"), vec![step(1, 2, &[])]);
    assert_eq!(farm.submit(7, Some("k"), vec![step(1, 2, &[])]), first, "it keeps its terms");
    assert_ne!(farm.submit(0, None, vec![step(1, 2, &[])]), first);
    assert_eq!(farm.state.jobs(true).len(), 2);
}

#[test]
fn priority_goes_before_age_and_age_before_the_rest() {
    let mut farm = Farm::new();
    let old = farm.submit(0, None, vec![step(1, 1, &[])]);
    let later = farm.submit(0, None, vec![step(1, 1, &[])]);
    let urgent = farm.submit(5, None, vec![step(1, 1, &[])]);
    let worker = farm.worker("a");
    let mut order = Vec::new();
    while let Some(lease) = farm.acquire(worker) {
        order.push(lease.step.job);
        farm.report(worker, lease.token, vec![result(1)]);
    }
    assert_eq!(order, [urgent, old, later]);
}

#[test]
fn leases_grow_to_the_target_time_and_shrink_at_the_tail() {
    let mut farm = Farm::new();
    let (a, _b) = (farm.worker("a"), farm.worker("b"));
    farm.submit(0, None, vec![step(1, 1000, &[])]);
    let leases = farm.drain(a, 100, result);
    let sizes: Vec<u64> = leases.iter().map(|r| r.len()).collect();
    assert_eq!(sizes[0], 4, "nothing is known yet");
    assert_eq!(sizes[1..20], [30; 19], "3 s at 100 ms a frame: {sizes:?}");
    assert_eq!(sizes.last(), Some(&1));
    let mut left = 1000;
    for size in sizes {
        assert!(size <= u64::div_ceil(left, 2), "{size} of {left} is more than a fair share");
        left -= size;
    }
}

#[test]
fn a_repeated_report_is_recognised_even_after_the_lease_has_ended() {
    let mut farm = Farm::new();
    let (a, b) = (farm.worker("a"), farm.worker("b"));
    farm.submit(0, None, vec![step(1, 16, &[])]);
    let lease = farm.acquire(a).unwrap();
    let frames: Vec<_> = lease.frames.iter().map(result).collect();
    farm.report(a, lease.token, frames.clone());
    assert_eq!(farm.report(a, lease.token, frames).0, vec![Verdict::Duplicate; 4]);
    let counted = farm.state.counters();
    assert_eq!((counted.granted, counted.duplicates, counted.refused), (4, 4, 0));
    // Another worker's lease, a frame outside it, a token that was never given out.
    let other = farm.acquire(b).unwrap();
    assert_eq!(farm.report(a, other.token, vec![result(5)]).0, [Verdict::Refused]);
    assert_eq!(farm.report(b, other.token, vec![result(1), result(99)]).0, [Verdict::Refused; 2]);
    assert_eq!(farm.report(b, LeaseToken(999), vec![result(5)]).0, [Verdict::Refused]);
    assert_eq!(farm.state.counters().refused, 4);
}

/// Another may have the frames the next moment, and a core that is made again must not find them twice.
#[test]
fn what_a_holder_gives_back_is_stored_though_its_report_has_no_news() {
    for outcomes in [vec![], vec![result(1)]] {
        let mut farm = Farm::new();
        let (a, b) = (farm.worker("a"), farm.worker("b"));
        farm.submit(0, None, vec![step(1, 16, &[])]);
        let lease = farm.acquire(a).unwrap();
        farm.report(a, lease.token, vec![result(1)]);
        let goes_to = |farm: &mut Farm, last| {
            let (outcomes, token) = (outcomes.clone(), lease.token);
            let command = Command::Report { worker: a, token, outcomes, last: Some(last) };
            match farm.ask(command) {
                Ok(Reply::Reported { keep, .. }) => keep,
                other => panic!("{other:?}"),
            }
        };
        assert_eq!(goes_to(&mut farm, 3), FrameRange::new(2, 3).ok());
        assert!(farm.wake);
        assert_eq!(goes_to(&mut farm, i64::MIN), None, "what has nothing left has ended");
        assert_eq!(farm.state.held_by(a).unwrap(), []);
        assert_eq!(farm.acquire(b).unwrap().frames.first(), 2);
    }
}

#[test]
fn a_lost_worker_comes_back_and_does_no_harm() {
    let mut farm = Farm::new();
    let (a, b) = (farm.worker("a"), farm.worker("b"));
    farm.submit(0, None, vec![step(1, 16, &[])]);
    let old = farm.acquire(a).unwrap();
    farm.report(a, old.token, vec![result(1)]);
    farm.wait(9, &[b]);
    assert_eq!(farm.beat(a, &[old.token]), [FrameRange::new(2, 4).ok()], "renewed in time");
    farm.wait(10, &[b]);
    assert_eq!(farm.state.workers()[0].state, "lost");
    assert!(farm.wake, "its frames are free");
    let new = farm.acquire(b).unwrap();
    assert!(new.token > old.token && new.frames.contains(2));
    assert_eq!(farm.beat(a, &[old.token]), [None], "told to stop");
    assert_eq!(farm.state.workers()[0].state, "alive", "and taken back");
    assert_eq!(farm.report(a, old.token, vec![result(2)]).0, [Verdict::Refused]);
    assert_eq!(farm.report(a, old.token, vec![result(1)]).0, [Verdict::Duplicate]);
    assert_eq!(farm.report(b, new.token, vec![result(2)]).0, [Verdict::Granted]);
}

#[test]
fn a_lease_that_its_worker_never_heard_of_is_leased_again_and_charged_to_nobody() {
    let mut farm = Farm::new();
    let a = farm.worker("a");
    farm.submit(0, None, vec![step(1, 1, &[])]);
    for _ in 0..10 {
        let lost = farm.acquire(a).unwrap();
        farm.wait(11, &[a]);
        assert_eq!(farm.beat(a, &[lost.token]), [None]);
    }
    assert_eq!(farm.state.counters().expired, 10);
    assert_eq!(farm.drain(a, 1, result).len(), 1);
}

#[test]
fn a_stall_of_the_scheduler_costs_no_worker_its_lease() {
    let mut farm = Farm::new();
    let a = farm.worker("a");
    farm.submit(0, None, vec![step(1, 8, &[])]);
    let lease = farm.acquire(a).unwrap();
    farm.ask(Command::Tick).unwrap();
    farm.millis += 600_000;
    farm.ask(Command::Tick).unwrap();
    assert_eq!(farm.beat(a, &[lease.token]), [Some(lease.frames)]);
}

#[test]
fn a_frame_that_takes_workers_down_is_isolated_and_given_up() {
    let mut farm = Farm::with(Policy { first_lease_frames: 64, ..policy() });
    let job = farm.submit(0, None, vec![step(1, 128, &[])]);
    let poison = 37;
    let mut deaths = 0;
    while !farm.phase(job).is_settled() {
        let worker = farm.worker(&format!("w{deaths}"));
        while let Some(lease) = farm.acquire(worker) {
            let frames = lease.frames.iter().take_while(|f| *f != poison).map(result).collect();
            farm.report(worker, lease.token, frames);
            if lease.frames.contains(poison) {
                deaths += 1;
                break;
            }
        }
        farm.wait(10, &[]);
        assert!(deaths < 10, "the farm is eaten");
    }
    let view = farm.state.job(job).unwrap();
    assert_eq!((view.phase, view.frames_failed), (Phase::Failed, 1));
    assert_eq!(view.steps[0].failed, set("37"), "and only that frame");
    assert_eq!(view.steps[0].first_fault.as_ref().unwrap().code, Code::AttemptsSpent);
    assert_eq!(deaths, 5, "64 outstanding at first, then parts, then alone");
}

#[test]
fn a_failed_frame_is_tried_on_another_worker_and_the_rest_goes_on() {
    let mut farm = Farm::new();
    let (a, b) = (farm.worker("a"), farm.worker("b"));
    let job = farm.submit(0, None, vec![step(1, 4, &[])]);
    let fails_on_a = |frame| match frame {
        2 => failure(2, Code::GpuLost),
        _ => result(frame),
    };
    farm.drain(a, 1, fails_on_a);
    assert_eq!(farm.state.job(job).unwrap().frames_done, 3, "the rest went on");
    let retry = farm.acquire(b).unwrap();
    assert_eq!(retry.frames, FrameRange::single(2));
    farm.report(b, retry.token, vec![result(2)]);
    assert_eq!(farm.phase(job), Phase::Done);
}

#[test]
fn a_frame_does_not_wait_for_ever_for_another_worker() {
    let mut farm = Farm::new();
    let (a, b) = (farm.worker("a"), farm.worker("b"));
    farm.submit(0, None, vec![step(1, 1, &[])]);
    farm.drain(a, 1, |f| failure(f, Code::DiskFull));
    farm.wait(29, &[a, b]);
    assert_eq!(farm.acquire(a), None);
    farm.wait(2, &[a, b]);
    assert!(farm.acquire(a).is_some());
}

#[test]
fn a_worker_alone_tries_again_itself() {
    let mut farm = Farm::new();
    let a = farm.worker("a");
    let job = farm.submit(0, None, vec![step(1, 1, &[])]);
    assert_eq!(farm.drain(a, 1, |f| failure(f, Code::WriteFailed)).len(), 3, "max_attempts");
    assert_eq!(farm.phase(job), Phase::Failed);
}

#[test]
fn each_owner_of_a_failure_is_charged_as_the_house_says() {
    // (code, attempts until the frame is given up with max_attempts = 3)
    let cases = [
        (Code::BadRecipe, 1),
        (Code::TruncatedFile, 2),
        (Code::DiskFull, 3),
        (Code::RenderPanicked, 3),
        (Code::Interrupted, 10),
    ];
    for (code, attempts) in cases {
        let mut farm = Farm::new();
        let a = farm.worker("a");
        let job = farm.submit(0, None, vec![step(1, 1, &[]), step(1, 1, &[0])]);
        let leases = farm.drain(a, 1, |f| failure(f, code)).len();
        assert_eq!(leases, 2 * attempts, "{code}: both steps, the second not held up by the first");
        let view = farm.state.job(job).unwrap();
        assert_eq!((view.phase, view.frames_failed), (Phase::Failed, 2), "{code}");
        assert_eq!(view.steps[0].first_fault.as_ref().unwrap().code, code);
    }
}

#[test]
fn the_first_cause_is_kept() {
    let mut farm = Farm::new();
    let (a, b) = (farm.worker("a"), farm.worker("b"));
    let job = farm.submit(0, None, vec![step(1, 1, &[])]);
    farm.drain(a, 1, |f| failure(f, Code::TruncatedFile));
    farm.drain(b, 1, |f| failure(f, Code::BadStructure));
    let view = farm.state.job(job).unwrap();
    assert_eq!(view.steps[0].first_fault.as_ref().unwrap().code, Code::TruncatedFile);
}

#[test]
fn cancel_ends_leases_and_keeps_what_is_done() {
    let mut farm = Farm::new();
    let a = farm.worker("a");
    let job = farm.submit(0, None, vec![step(1, 16, &[]), step(1, 1, &[0])]);
    let lease = farm.acquire(a).unwrap();
    farm.report(a, lease.token, vec![result(1)]);
    farm.ask(cancel(job)).unwrap();
    let view = farm.state.job(job).unwrap();
    assert_eq!((view.phase, view.frames_done), (Phase::Cancelled, 1));
    assert_eq!(view.steps[1].phase, Phase::Cancelled);
    assert_eq!(farm.beat(a, &[lease.token]), [None]);
    assert_eq!(farm.report(a, lease.token, vec![result(2)]).0, [Verdict::Refused]);
    assert_eq!(farm.report(a, lease.token, vec![result(1)]).0, [Verdict::Duplicate]);
    assert_eq!(farm.acquire(a), None);
    farm.ask(cancel(job)).unwrap();
    let unknown = farm.ask(cancel(JobId(99))).unwrap_err();
    assert_eq!(unknown.code, Code::UnknownJob);
}

#[test]
fn release_and_leave_give_back_at_once() {
    let mut farm = Farm::new();
    let (a, b) = (farm.worker("a"), farm.worker("b"));
    farm.submit(0, None, vec![step(1, 16, &[])]);
    let first = farm.acquire(a).unwrap();
    farm.report(a, first.token, vec![result(1)]);
    farm.ask(Command::Release { worker: a, token: first.token }).unwrap();
    assert!(farm.wake);
    let again = farm.acquire(a).unwrap();
    assert_eq!(again.frames.first(), 2);
    farm.ask(Command::Leave { worker: a }).unwrap();
    assert_eq!(farm.state.workers().len(), 1);
    assert_eq!(farm.ask(Command::Acquire { worker: a }).unwrap_err().code, Code::UnknownWorker);
    assert_eq!(farm.acquire(b).unwrap().frames.first(), 2);
    assert_eq!(farm.report(a, first.token, vec![result(1)]).0, [Verdict::Duplicate]);
    assert_ne!(farm.worker("a"), a, "an id is never given out twice");
}

#[test]
fn a_worker_registers_once_and_cannot_hoard() {
    let mut farm = Farm::new();
    let a = farm.worker("a");
    assert_eq!(farm.worker("a"), a);
    farm.submit(0, None, vec![step(1, 100, &[])]);
    assert_eq!((0..5).filter(|_| farm.acquire(a).is_some()).count(), 2);
    let silent = Command::Register {
        name: String::new(),
        instance: "x".into(),
        slots: 1,
        backend: "cpu".into(),
        traits: Default::default(),
    };
    assert_eq!(farm.ask(silent).unwrap_err().code, Code::BadSpec);
    let nul = Command::Register {
        name: "a\0b".into(),
        instance: "x".into(),
        slots: 1,
        backend: "cpu".into(),
        traits: Default::default(),
    };
    assert_eq!(farm.ask(nul).unwrap_err().place.unwrap(), "name");
}

#[test]
fn a_lost_worker_is_forgotten_after_a_while() {
    let mut farm = Farm::new();
    farm.worker("a");
    farm.wait(12, &[]);
    assert_eq!(farm.state.workers()[0].state, "lost");
    farm.wait(3600, &[]);
    assert!(farm.state.workers().is_empty());
}

#[test]
fn the_audit_sees_a_frame_in_two_places() {
    let mut farm = Farm::new();
    let a = farm.worker("a");
    let job = farm.submit(0, None, vec![step(1, 16, &[])]);
    let lease = farm.acquire(a).unwrap();
    let mut broken = farm.state.clone();
    broken.jobs.get_mut(&job).unwrap().steps[0].pending.insert(lease.frames);
    assert!(broken.check_invariants().unwrap_err().contains("not partitioned"));
    let mut broken = farm.state.clone();
    broken.jobs.get_mut(&job).unwrap().frames_done += 1;
    assert!(broken.check_invariants().is_err());
    let mut rows = farm.state.snapshot();
    rows.workers.clear();
    assert_eq!(
        State::restore(policy(), rows, Timestamp(0)).unwrap_err().code,
        Code::StoreFailed,
        "a lease that nobody holds"
    );
}
