//! What workers take ahead of their slots: it waits there, and is nobody's
//! capacity. Who is more urgent, or has nothing to do, gets it whole.

use super::yields::says;
use super::*;
use platefarm_model::farm::{JobTerms, Limit, Needs, PriorityClass, Setting, StepTerms};

/// A lease that waits for a slot, as its holder says it that will go to `last`.
fn waits(token: LeaseToken, last: i64) -> Pulse {
    Pulse { last: Some(last), ..Pulse::of(token) }
}

impl Farm {
    /// A worker of one slot with a lease that runs and one that waits behind it.
    fn full(&mut self, worker: WorkerId) -> [Granted; 2] {
        [self.warm(worker), self.acquire(worker).unwrap()]
    }
}

/// One frame later the slot is free, though the lease that waited would have ended last.
#[test]
fn urgent_work_has_the_slot_within_a_frame_whatever_waits_for_it() {
    let mut farm = Farm::new();
    let a = farm.worker("a");
    farm.submit(0, None, vec![step(1, 10_000, &[])]);
    let [runs, next] = farm.full(a);
    let hot = farm.urgent(1);
    let (in_hand, unbegun) = (runs.frames.first(), next.frames.first());
    let before =
        [says(runs.token, in_hand, runs.frames.last()), waits(next.token, next.frames.last())];
    assert_eq!(farm.pulse(a, &before), [nothing_from(in_hand), nothing_from(unbegun)]);
    let agreed = [says(runs.token, in_hand, in_hand), waits(next.token, unbegun - 1)];
    assert_eq!(farm.pulse(a, &agreed), [nothing_from(in_hand), None], "it goes back whole");
    assert_eq!(farm.report(a, runs.token, vec![result(in_hand)]).1, None);
    assert_eq!(farm.acquire(a).unwrap().step.job, hot);
    let counted = farm.state.counters();
    assert_eq!((counted.yielded, counted.asked_back), (2, 2));
    assert_eq!(counted.returned, runs.frames.len() - 1 + next.frames.len());
}

/// The slot comes free by itself, and what waits for it would begin in it.
#[test]
fn a_slot_that_comes_free_is_not_taken_by_what_waits_below() {
    let mut farm = Farm::new();
    let a = farm.worker("a");
    farm.submit(0, None, vec![step(1, 10_000, &[])]);
    let [runs, next] = farm.full(a);
    let (first, last) = (runs.frames.first(), runs.frames.last());
    farm.report(a, runs.token, (first..last).map(result).collect());
    let hot = farm.urgent(1);
    let told =
        farm.pulse(a, &[says(runs.token, last, last), waits(next.token, next.frames.last())]);
    assert_eq!(told, [Some(FrameRange::single(last)), nothing_from(next.frames.first())]);
    farm.pulse(a, &[waits(next.token, next.frames.first() - 1)]);
    farm.report(a, runs.token, vec![result(last)]);
    assert_eq!(farm.acquire(a).unwrap().step.job, hot);
}

/// It was begun by the time that its holder heard: that frame is finished, and no other.
#[test]
fn what_was_begun_meanwhile_is_finished() {
    let mut farm = Farm::new();
    let a = farm.worker("a");
    farm.submit(0, None, vec![step(1, 10_000, &[])]);
    let [runs, next] = farm.full(a);
    farm.urgent(1);
    farm.report(a, runs.token, runs.frames.iter().map(result).collect());
    let first = next.frames.first();
    assert_eq!(farm.pulse(a, &[says(next.token, first, first)]), [nothing_from(first)]);
    for _ in 0..3 {
        farm.wait(1, &[a]);
    }
    let counted = farm.state.counters();
    assert_eq!((counted.yielded, counted.asked_back), (2, 2), "it is not said again");
    assert_eq!(farm.report(a, next.token, vec![result(first)]), (vec![Verdict::Granted], None));
}

/// Urgent work that is taken ahead waits for the frame in hand, and not for all that is below it.
#[test]
fn urgent_work_that_waits_for_a_slot_has_it_within_a_frame() {
    let mut farm = Farm::new();
    let (a, b) = (farm.worker("a"), farm.worker("b"));
    farm.submit(0, None, vec![step(1, 10_000, &[])]);
    let held = farm.warm(a);
    let other = farm.warm(b);
    let hot = farm.urgent(1);
    assert_eq!(farm.beat(b, &[other.token]), [nothing_from(other.frames.first())]);
    assert_eq!(farm.beat(a, &[held.token]), [Some(held.frames)], "one slot is enough");
    // But it is here that somebody asks first.
    assert_eq!(farm.acquire(a).unwrap().step.job, hot);
    assert_eq!(farm.beat(a, &[held.token]), [nothing_from(held.frames.first())]);
    farm.wait(1, &[a, b]);
    assert_eq!(farm.state.counters().yielded, 2, "and it is not said again");
}

/// A person raises what waits for a slot already.
#[test]
fn what_is_raised_while_it_waits_has_its_slot_within_a_frame() {
    let mut farm = Farm::new();
    let a = farm.worker("a");
    farm.submit(0, None, vec![step(1, 10_000, &[])]);
    let runs = farm.warm(a);
    let raised = farm.submit(5, None, vec![step(1, 1, &[])]);
    assert_eq!(farm.acquire(a).unwrap().step.job, raised);
    assert_eq!(farm.beat(a, &[runs.token]), [Some(runs.frames)], "within a class nobody makes way");
    let urgent = Control::Priority { class: Some(PriorityClass::Urgent), priority: None };
    farm.control("j2", urgent).unwrap();
    farm.wait(1, &[a]);
    assert_eq!(farm.beat(a, &[runs.token]), [nothing_from(runs.frames.first())]);
}

/// What is counted is not taken ahead, so a slot that is emptied for it must not be filled meanwhile.
#[test]
fn nothing_lower_is_taken_ahead_where_a_slot_is_being_taken() {
    let mut farm = Farm::new();
    let a = farm.worker("a");
    let limit = Setting::Limit(Limit { count: 1 });
    farm.ask(Command::Set(limit.kind(), "nuke".into(), Some(limit))).unwrap();
    farm.submit(0, None, vec![step(1, 10_000, &[])]);
    let held = farm.warm(a);
    let needs = Needs { limits: [("nuke".to_owned(), 1)].into(), ..Needs::default() };
    let counted =
        StepSpec { terms: StepTerms { needs, ..StepTerms::default() }, ..step(1, 9, &[]) };
    let terms = JobTerms { class: PriorityClass::Urgent, ..JobTerms::default() };
    let hot = farm.hand_in(JobSpec { terms, ..spec("hot", vec![counted]) });
    let first = held.frames.first();
    assert_eq!(farm.pulse(a, &[says(held.token, first, first)]), [nothing_from(first)]);
    assert_eq!(farm.acquire(a), None, "it would begin in the slot that is wanted");
    farm.report(a, held.token, vec![result(first)]);
    assert_eq!(farm.acquire(a).unwrap().step.job, hot);
}

/// What has waited too long has its turn, also where it must wait for a slot first.
#[test]
fn what_has_waited_too_long_keeps_its_turn() {
    let mut farm = Farm::with(Policy { aging_ms: 1_000, aged_every: 1, ..policy() });
    let m = farm.machine("m", 2, "cpu", WorkerTraits::default());
    farm.submit(0, None, vec![step(1, 1, &[])]);
    farm.acquire(m).unwrap();
    let terms = JobTerms { class: PriorityClass::Background, ..JobTerms::default() };
    let old = farm.hand_in(JobSpec { terms, ..spec("low", vec![step(1, 100, &[])]) });
    let hot = farm.urgent(1000);
    assert_eq!(farm.acquire(m).unwrap().step.job, hot);
    farm.wait(2, &[m]);
    let turn = farm.acquire(m).unwrap();
    assert_eq!((turn.step.job, turn.frames), (old, FrameRange::single(1)));
    farm.wait(1, &[m]);
    assert_eq!(farm.beat(m, &[turn.token]), [Some(turn.frames)]);
    assert_eq!(farm.state.counters().yielded, 0);
}

/// The last frames of a burst do not wait behind others while a worker has nothing to do.
#[test]
fn what_waits_for_a_slot_goes_whole_to_an_idle_worker() {
    let mut farm = Farm::with(Policy { first_lease_frames: 1, ..policy() });
    let a = farm.worker("a");
    let job = farm.submit(0, None, vec![step(1, 3, &[])]);
    let first = farm.acquire(a).unwrap();
    farm.millis += 500;
    farm.report(a, first.token, vec![result(1)]);
    let (runs, next) = (farm.acquire(a).unwrap(), farm.acquire(a).unwrap());
    assert_eq!((runs.frames, next.frames), (FrameRange::single(2), FrameRange::single(3)));
    let b = farm.worker("b");
    assert_eq!(farm.acquire(b), None);
    let told = farm.pulse(a, &[says(runs.token, 2, 2), waits(next.token, 3)]);
    assert_eq!(told, [Some(FrameRange::single(2)), nothing_from(3)]);
    assert_eq!(farm.pulse(a, &[waits(next.token, 2)]), [None]);
    assert!(farm.wake, "the idle worker may ask again");
    assert_eq!(farm.acquire(b).unwrap().frames, FrameRange::single(3));
    assert_eq!(farm.phase(job), Phase::Running);
}
