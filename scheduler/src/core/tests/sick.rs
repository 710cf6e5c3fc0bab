//! Failures and their owners: nodes that fail where others succeed, frames
//! that hang, and what takes too long.

use super::*;
use platefarm_model::farm::{JobTerms, NodeControl, StepTerms};
use platefarm_model::making::{Making, Stage};

impl Farm {
    fn word(&self, worker: WorkerId) -> String {
        let workers = self.state.workers();
        workers.into_iter().find(|w| w.id == worker).unwrap().state
    }

    /// One frame fails on `sick` and is done by `well`.
    fn fails_there_and_not_here(&mut self, sick: WorkerId, well: WorkerId) {
        let job = self.submit(0, None, vec![step(1, 1, &[])]);
        let lease = self.acquire(sick).unwrap();
        self.report(sick, lease.token, vec![failure(1, Code::TruncatedFile)]);
        let again = self.acquire(well).unwrap();
        self.report(well, again.token, vec![result(1)]);
        assert_eq!(self.phase(job), Phase::Done);
    }
}

#[test]
fn a_node_that_fails_where_others_succeed_is_quarantined_tried_and_released() {
    let mut farm = Farm::new();
    let (sick, well) = (farm.worker("sick"), farm.worker("well"));
    for _ in 0..3 {
        assert_eq!(farm.word(sick), "alive");
        farm.fails_there_and_not_here(sick, well);
    }
    assert_eq!(farm.word(sick), "quarantined");
    let quarantine = farm.state.workers()[0].quarantine.clone().unwrap();
    assert!(quarantine.reason.contains("3 frames of 3 jobs failed here"), "{}", quarantine.reason);
    let job = farm.submit(0, None, vec![step(1, 50, &[])]);
    assert_eq!(farm.acquire(sick), None);
    farm.wait(301, &[sick, well]);
    assert_eq!(farm.word(sick), "trial");
    let lease = farm.acquire(sick).unwrap();
    assert_eq!(lease.frames.len(), 1, "one frame at a time");
    assert_eq!(farm.acquire(sick), None);
    farm.report(sick, lease.token, vec![failure(1, Code::GpuLost)]);
    assert_eq!(farm.word(sick), "quarantined");
    assert_eq!(farm.state.workers()[0].quarantine.as_ref().unwrap().strikes, 2);
    farm.wait(301, &[sick, well]);
    assert_eq!(farm.word(sick), "quarantined", "twice as long the second time");
    farm.wait(300, &[sick, well]);
    for _ in 0..3 {
        let lease = farm.acquire(sick).unwrap();
        farm.report(sick, lease.token, vec![result(lease.frames.first())]);
    }
    assert_eq!(
        (farm.word(sick), farm.state.workers()[0].quarantine.clone()),
        ("alive".into(), None)
    );
    farm.drain(well, 1, result);
    assert_eq!(farm.phase(job), Phase::Done);
}

#[test]
fn media_that_fail_everywhere_are_held_against_no_node() {
    let mut farm = Farm::new();
    let (a, b) = (farm.worker("a"), farm.worker("b"));
    for _ in 0..9 {
        farm.submit(0, None, vec![step(1, 3, &[])]);
    }
    for _ in 0..4 {
        farm.drain(a, 1, |f| failure(f, Code::TruncatedFile));
        farm.drain(b, 1, |f| failure(f, Code::TruncatedFile));
    }
    assert_eq!((farm.word(a), farm.word(b)), ("alive".into(), "alive".into()));
}

/// A frame that is slow enough to be in hand each time that the one beside it
/// takes their machine down is not taken for it.
#[test]
fn a_frame_beside_one_that_takes_workers_down_is_not_blamed() {
    let mut farm = Farm::new();
    let deadly = farm.submit(0, None, vec![step(1, 1, &[])]);
    let slow: Vec<JobId> = (0..3).map(|_| farm.submit(0, None, vec![step(1, 1, &[])])).collect();
    let mut deaths = 0;
    while !farm.phase(deadly).is_settled() {
        let name = format!("machine{deaths}");
        let machine = farm.machine(&name, 2, "cpu", WorkerTraits::default());
        let mut held = Vec::new();
        while let Some(lease) = farm.acquire(machine) {
            held.push(lease);
        }
        assert!(held.iter().any(|lease| lease.step.job == deadly), "it is not kept waiting");
        assert!(held.len() >= 2 || deaths > 0, "the other slot works");
        farm.wait(10, &[]);
        deaths += 1;
        assert!(deaths < 10, "the farm is eaten");
    }
    let view = farm.state.job(deadly).unwrap();
    assert_eq!(view.steps[0].first_fault.as_ref().unwrap().code, Code::AttemptsSpent);
    assert_eq!(deaths, 3, "as many as it may take down");
    for job in &slow {
        assert!(!farm.phase(*job).is_settled(), "{job} was blamed");
    }
    let healthy = farm.machine("healthy", 2, "cpu", WorkerTraits::default());
    farm.drain(healthy, 1, result);
    for job in slow {
        assert_eq!(farm.phase(job), Phase::Done);
    }
}

/// Two that are under suspicion are never in one worker's hands, and both get done.
#[test]
fn suspects_go_apart() {
    let mut farm = Farm::new();
    let jobs = [(); 2].map(|()| farm.submit(0, None, vec![step(1, 1, &[])]));
    // Once is what a power cut does; twice is a suspicion.
    for name in ["lost", "lost again"] {
        let lost = farm.machine(name, 2, "cpu", WorkerTraits::default());
        assert!(farm.acquire(lost).is_some() && farm.acquire(lost).is_some());
        farm.wait(10, &[]);
    }
    let next = farm.machine("next", 2, "cpu", WorkerTraits::default());
    let first = farm.acquire(next).unwrap();
    assert_eq!(farm.acquire(next), None, "one at a time here");
    let another = farm.worker("another");
    let second = farm.acquire(another).unwrap();
    assert_ne!(first.step, second.step);
    farm.report(another, second.token, vec![failure(1, Code::GpuLost)]);
    farm.wake = false;
    farm.report(next, first.token, vec![result(1)]);
    assert!(farm.wake, "who waited for it is told");
    farm.drain(next, 1, result);
    assert_eq!(jobs.map(|job| farm.phase(job)), [Phase::Done, Phase::Done]);
}

/// An outage of the network, however often, is held against no frame at once.
#[test]
fn a_worker_that_is_heard_again_did_not_go_down() {
    let mut farm = Farm::new();
    let job = farm.submit(0, None, vec![step(1, 1, &[])]);
    let worker = farm.worker("far");
    for _ in 0..9 {
        assert!(farm.acquire(worker).is_some());
        farm.wait(10, &[]);
        farm.beat(worker, &[]);
    }
    let lease = farm.acquire(worker).unwrap();
    farm.report(worker, lease.token, vec![result(1)]);
    assert_eq!(farm.phase(job), Phase::Done);
    // But one that silences its worker each time is given up in the end.
    let silencing = farm.submit(0, None, vec![step(1, 1, &[])]);
    let mut times = 0;
    while !farm.phase(silencing).is_settled() {
        assert!(farm.acquire(worker).is_some());
        farm.wait(10, &[]);
        farm.beat(worker, &[]);
        times += 1;
        assert!(times < 20);
    }
}

/// What a worker took ahead of its slots was not begun when it went down.
#[test]
fn what_was_not_begun_is_not_blamed() {
    let mut farm = Farm::new();
    let deadly = farm.submit(0, None, vec![step(1, 1, &[])]);
    let next = farm.submit(0, None, vec![step(1, 1, &[])]);
    for death in 0..3 {
        let worker = farm.worker(&format!("w{death}"));
        assert_eq!(farm.acquire(worker).unwrap().step.job, deadly);
        assert_eq!(farm.acquire(worker).unwrap().step.job, next, "taken ahead");
        farm.wait(10, &[]);
    }
    assert_eq!(farm.phase(deadly), Phase::Failed);
    let step = farm.state.at(StepId { job: next, index: 0 }).unwrap();
    assert!(step.state.losses.is_empty());
}

/// A worker goes down with the lease that it got first, and asks for another before that:
/// the older lease runs out sooner, and is not the one that was never heard of.
#[test]
fn the_older_lease_of_a_worker_that_went_down_is_blamed_too() {
    let mut farm = Farm::with(Policy { first_lease_frames: 2, ..policy() });
    let capped = JobTerms { max_tasks: Some(1), ..JobTerms::default() };
    let steps = vec![step(1, 8, &[])];
    let deadly = farm.hand_in(JobSpec { priority: 1, terms: capped, ..spec("s", steps) });
    let other = farm.submit(0, None, vec![step(1, 1, &[])]);
    let worker = farm.machine("a", 2, "cpu", WorkerTraits::default());
    assert_eq!(farm.acquire(worker).unwrap().step.job, deadly);
    farm.millis += 400;
    assert_eq!(farm.acquire(worker).unwrap().step.job, other);
    for _ in 0..25 {
        farm.millis += 500;
        farm.ask(Command::Tick).unwrap();
    }
    let counters = farm.state.counters();
    assert_eq!((counters.lost, counters.expired), (2, 0));
    let step = farm.state.at(StepId { job: deadly, index: 0 }).unwrap();
    assert_eq!(step.state.losses.at(1).unwrap().1.limit, 1, "its frames go one by one");
    // One that lives, and does not speak of its lease, never heard of it.
    let again = farm.worker("b");
    assert_eq!(farm.acquire(again).unwrap().step.job, deadly);
    farm.wait(11, &[again]);
    assert_eq!(farm.state.counters().expired, 1);
}

/// The last number that there is has none behind it: a store that has it from before it was refused
/// is not brought into disorder by it.
#[test]
fn the_last_of_all_numbers_is_passed_over_like_any_other() {
    let mut farm = Farm::new();
    let beyond = spec("s", vec![step(i64::MAX, i64::MAX, &[])]);
    let refused = farm.ask(Command::Submit(Box::new(beyond))).unwrap_err();
    assert_eq!(refused.code, Code::BadSpec);
    let last = FrameRange::single(i64::MAX);
    let pick = |state: &StepState| Policy::pick(&last.into(), state, 9, |_| false, || false);
    let mut state = StepState::default();
    assert_eq!(pick(&state), Some(last));
    state.losses.set(last, Loss { limit: 1, alone: 2, away: 0 });
    assert_eq!(pick(&state), None);
    let fault = Fault::new(Code::FileNotFound, "the clip is missing");
    let (attempts, excused, workers, since) = (1, 0, Vec::new(), Timestamp(0));
    state.troubles.insert(i64::MAX, Trouble { attempts, excused, fault, workers, since });
    state.losses.forget(last);
    assert_eq!(pick(&state), None);
}

/// Who could do a frame that failed here is known until a worker or a node changes.
#[test]
fn a_frame_that_failed_waits_for_another_only_while_there_is_one() {
    let mut farm = Farm::new();
    let a = farm.worker("a");
    farm.submit(0, None, vec![step(1, 1, &[])]);
    let fails = |farm: &mut Farm| {
        let lease = farm.acquire(a).expect("nobody else could");
        farm.report(a, lease.token, vec![failure(1, Code::Interrupted)]);
    };
    fails(&mut farm);
    fails(&mut farm);
    let b = farm.worker("b");
    assert_eq!(farm.acquire(a), None, "b could");
    farm.ask(Command::Node(b, NodeControl::Drain { reason: String::new() })).unwrap();
    fails(&mut farm);
    farm.ask(Command::Node(b, NodeControl::Resume)).unwrap();
    assert_eq!(farm.acquire(a), None);
    farm.ask(Command::Leave { worker: b }).unwrap();
    fails(&mut farm);
    // More than are remembered, all of which tried, and one that did not.
    for number in 0..20 {
        farm.worker(&format!("c{number}"));
    }
    assert_eq!(farm.acquire(a), None);
}

/// A hundred million frames out of time are given up in one go.
#[test]
fn a_long_step_that_is_out_of_time_costs_no_row_a_frame() {
    let mut farm = Farm::new();
    let a = farm.worker("a");
    let terms = StepTerms { step_limit_s: 5, ..StepTerms::default() };
    let job = farm.submit(0, None, vec![StepSpec { terms, ..step(1, 100_000_000, &[]) }]);
    let lease = farm.acquire(a).unwrap();
    farm.beat(a, &[lease.token]);
    farm.millis += 5000;
    let now = Timestamp(0).plus_millis(farm.millis);
    let changes = farm.state.step(Command::Tick, now).changes;
    assert!(changes.frames.len() <= 1000, "{} rows", changes.frames.len());
    let view = farm.state.job(job).unwrap();
    assert_eq!((view.phase, view.frames_failed), (Phase::Failed, 100_000_000));
}

#[test]
fn a_person_quarantines_drains_and_resumes() {
    let mut farm = Farm::new();
    let (a, b) = (farm.worker("a"), farm.worker("b"));
    farm.submit(0, None, vec![step(1, 50, &[])]);
    let lease = farm.acquire(a).unwrap();
    farm.ask(Command::Node(a, NodeControl::Drain { reason: "a new kernel".into() })).unwrap();
    assert_eq!(farm.state.workers()[0].drain_reason, "a new kernel");
    let beat = Command::Heartbeat { worker: a, leases: vec![Pulse::of(lease.token)] };
    let Ok(Reply::Beaten { leases, drain }) = farm.ask(beat) else { panic!() };
    assert!(drain);
    assert_eq!(leases[0].1, nothing_from(1), "it finishes the frame in hand");
    assert_eq!((farm.acquire(a), farm.word(a).as_str()), (None, "draining"));
    farm.ask(Command::Node(b, NodeControl::Drain { reason: String::new() })).unwrap();
    let why = farm.state.explain("j1".parse().unwrap()).unwrap().groups.remove(0).reasons.remove(0);
    assert!(why.text.ends_with(": a (draining), b (draining)"), "as lists say it: {}", why.text);
    farm.ask(Command::Node(b, NodeControl::Resume)).unwrap();
    farm.ask(Command::Node(a, NodeControl::Resume)).unwrap();
    assert_eq!(farm.state.workers()[0].drain_reason, "");
    assert!(farm.acquire(a).is_some());
    let quarantine = NodeControl::Quarantine { reason: "fan noise".into() };
    farm.ask(Command::Node(b, quarantine)).unwrap();
    farm.wait(4000, &[a, b]);
    assert_eq!(farm.word(b), "quarantined", "until a person says otherwise");
    farm.ask(Command::Node(b, NodeControl::Resume)).unwrap();
    assert!(farm.acquire(b).is_some());
    farm.ask(Command::Node(a, NodeControl::Remove)).unwrap();
    assert_eq!(farm.ask(Command::Acquire { worker: a }).unwrap_err().code, Code::UnknownWorker);
}

#[test]
fn a_frame_without_progress_is_taken_away_from_a_process_that_lives() {
    let mut farm = Farm::with(Policy { hung_ms: 30_000, ..policy() });
    let (a, b) = (farm.worker("a"), farm.worker("b"));
    let job = farm.submit(0, None, vec![step(1, 8, &[])]);
    let lease = farm.acquire(a).unwrap();
    let says = |progress| Pulse { in_hand: Some(1), progress, ..Pulse::of(lease.token) };
    // It counts on: slow is not hung.
    for second in 0..60 {
        assert!(farm.pulse(a, &[says(second)])[0].is_some());
        farm.wait(1, &[b]);
    }
    for _ in 0..31 {
        farm.pulse(a, &[says(60)]);
        farm.wait(1, &[b]);
    }
    assert_eq!(farm.pulse(a, &[says(60)]), [None]);
    assert_eq!(farm.state.counters().hung, 1);
    let again = farm.acquire(b).unwrap();
    assert_eq!(again.frames, FrameRange::single(1), "the hung frame alone, elsewhere");
    farm.report(b, again.token, vec![failure(1, Code::GpuLost)]);
    farm.drain(b, 1, |f| if f == 1 { failure(f, Code::GpuLost) } else { result(f) });
    farm.wait(40, &[a, b]);
    farm.drain(a, 1, |f| failure(f, Code::GpuLost));
    let view = farm.state.job(job).unwrap();
    assert_eq!((view.phase, view.frames_failed), (Phase::Failed, 1));
    assert_eq!(
        view.steps[0].first_fault.as_ref().unwrap().code,
        Code::FrameHung,
        "the first cause"
    );
}

/// A package is one frame: how far it is is seen while it is in hand, and never hung while it goes on.
#[test]
fn a_package_is_watched_while_it_is_made() {
    let mut farm = Farm::with(Policy { hung_ms: 30_000, ..policy() });
    let a = farm.worker("a");
    let job = farm.submit(0, None, vec![step(1, 1, &[])]);
    assert_eq!(farm.state.making(job), Ok(vec![]));
    let lease = farm.acquire(a).unwrap();
    for done in 0..100 {
        let making = Making { done, ..Making::begin(Stage::Checking, 100, 0) };
        let (progress, making) = (done, Some(making));
        let pulse = Pulse { in_hand: Some(1), progress, making, ..Pulse::of(lease.token) };
        assert!(farm.pulse(a, &[pulse])[0].is_some());
        assert_eq!(farm.state.making(job), Ok(vec![(0, making.unwrap())]));
        assert_eq!(farm.state.job(job).unwrap().steps[0].making, making);
        farm.wait(1, &[]);
    }
    farm.report(a, lease.token, vec![result(1)]);
    assert_eq!(farm.state.making(job), Ok(vec![]));
    assert_eq!(farm.state.job(job).unwrap().steps[0].making, None);
}

#[test]
fn frames_and_steps_have_their_time() {
    let mut farm = Farm::new();
    let a = farm.worker("a");
    let terms = StepTerms { frame_limit_s: 5, step_limit_s: 60, ..StepTerms::default() };
    let limited = StepSpec { terms, max_attempts: 1, ..step(1, 9, &[]) };
    let job = farm.submit(0, None, vec![limited, step(1, 1, &[0])]);
    let lease = farm.acquire(a).unwrap();
    for second in 0..6 {
        let pulse = Pulse { in_hand: Some(1), progress: second, ..Pulse::of(lease.token) };
        farm.pulse(a, &[pulse]);
        farm.wait(1, &[]);
    }
    let view = farm.state.job(job).unwrap();
    assert_eq!(view.steps[0].failed, set("1"));
    assert_eq!(view.steps[0].first_fault.as_ref().unwrap().code, Code::FrameOverTime);
    let lease = farm.acquire(a).unwrap();
    farm.report(a, lease.token, vec![result(2)]);
    farm.wait(60, &[a]);
    let view = farm.state.job(job).unwrap();
    assert_eq!(
        (view.steps[0].done.clone(), view.steps[0].failed.clone()),
        (set("2"), set("1,3-9"))
    );
    assert_eq!(view.steps[1].phase, Phase::Pending, "what waited for it goes on");
    // Tried again, it has its time anew.
    farm.control("j1.0", Control::Retry(None)).unwrap();
    farm.drain(a, 1, result);
    assert_eq!(farm.phase(job), Phase::Done);
}
