//! Taking back what is not begun: for an idle worker, and for what is more urgent.

use super::*;
use platefarm_model::farm::{JobTerms, PriorityClass};

impl Farm {
    pub(super) fn urgent(&mut self, frames: i64) -> JobId {
        let terms = JobTerms { class: PriorityClass::Urgent, ..JobTerms::default() };
        self.hand_in(JobSpec { terms, ..spec("hot", vec![step(1, frames, &[])]) })
    }

    /// A lease of many frames: the pace is known to be 100 ms.
    pub(super) fn warm(&mut self, worker: WorkerId) -> Granted {
        let lease = self.acquire(worker).unwrap();
        for frame in lease.frames.iter() {
            self.millis += 100;
            self.report(worker, lease.token, vec![result(frame)]);
        }
        self.acquire(worker).unwrap()
    }
}

pub(super) fn says(token: LeaseToken, in_hand: i64, last: i64) -> Pulse {
    Pulse { last: Some(last), in_hand: Some(in_hand), ..Pulse::of(token) }
}

#[test]
fn the_back_half_of_the_longest_lease_goes_to_an_idle_worker() {
    let mut farm = Farm::with(Policy { first_lease_frames: 8, max_lease_frames: 24, ..policy() });
    let a = farm.worker("a");
    farm.submit(0, None, vec![step(1, 32, &[])]);
    farm.millis += 1;
    let lease = {
        let first = farm.acquire(a).unwrap();
        assert_eq!(first.frames.len(), 8);
        for frame in first.frames.iter() {
            farm.millis += 100;
            farm.report(a, first.token, vec![result(frame)]);
        }
        farm.acquire(a).unwrap()
    };
    assert_eq!(lease.frames, FrameRange::new(9, 20).unwrap());
    // Others take what is pending, until one finds nothing.
    let mut count = 0;
    let c = loop {
        let other = farm.worker(&format!("o{count}"));
        if farm.acquire(other).is_none() {
            break other;
        }
        while farm.acquire(other).is_some() {}
        count += 1;
    };
    assert_eq!(farm.state.counters().asked_back, 1);
    assert_eq!(farm.acquire(c), None);
    assert_eq!(farm.state.counters().asked_back, 1, "it asks once for one worker");
    // 12 frames, one in hand, 11 shared: the holder hears, and until it agrees they are its own.
    assert_eq!(farm.beat(a, &[lease.token]), [FrameRange::new(9, 15).ok()]);
    assert_eq!(farm.acquire(c), None);
    farm.report(a, lease.token, vec![result(9)]);
    assert!(!farm.wake || farm.acquire(c).is_none());
    assert_eq!(farm.pulse(a, &[says(lease.token, 10, 15)]), [FrameRange::new(10, 15).ok()]);
    assert!(farm.wake, "the idle worker may ask again");
    let got = farm.acquire(c).unwrap();
    assert_eq!(got.frames.first(), 16);
    assert!(got.token > lease.token);
    // Fencing is exact: each frame counts under one token only.
    assert_eq!(farm.report(a, lease.token, vec![result(16)]).0, [Verdict::Refused]);
    assert_eq!(farm.report(c, got.token, vec![result(16)]).0, [Verdict::Granted]);
    assert_eq!(farm.report(a, lease.token, vec![result(15)]).0, [Verdict::Granted]);
    // A word from before it agreed comes late, and twice.
    farm.pulse(a, &[says(lease.token, 9, 20), says(lease.token, 10, 15)]);
}

#[test]
fn a_holder_that_has_begun_more_keeps_what_it_has_begun() {
    let mut farm = Farm::new();
    let a = farm.worker("a");
    farm.submit(0, None, vec![step(1, 400, &[])]);
    let lease = farm.warm(a);
    let first = lease.frames.first();
    farm.urgent(1);
    assert_eq!(farm.beat(a, &[lease.token]), [nothing_from(first)]);
    // Three are in its pipeline: they are finished, and granted.
    farm.pulse(a, &[says(lease.token, first, first + 2)]);
    let verdicts = farm.report(a, lease.token, (first..first + 4).map(result).collect()).0;
    use Verdict::{Granted, Refused};
    assert_eq!(verdicts, [Granted, Granted, Granted, Refused]);
    let got = farm.acquire(a).unwrap();
    assert_eq!(got.step.job, JobId(2));
}

#[test]
fn urgent_work_gets_its_slots_within_a_frame_and_no_more_than_it_can_use() {
    let mut farm = Farm::new();
    let workers: Vec<WorkerId> = (0..6).map(|i| farm.worker(&format!("w{i}"))).collect();
    farm.submit(0, None, vec![step(1, 10_000, &[])]);
    let mut leases: Vec<Granted> = workers.iter().map(|w| farm.warm(*w)).collect();
    let hot = farm.urgent(2);
    let counted = farm.state.counters();
    assert_eq!((counted.yielded, counted.asked_back), (2, 2), "two frames, two slots");
    for _ in 0..5 {
        farm.wait(1, &workers);
        let tokens: Vec<_> = leases.iter().map(|l| l.token).collect();
        for (worker, token) in workers.iter().zip(tokens) {
            farm.beat(*worker, &[token]);
        }
    }
    assert_eq!(farm.state.counters().yielded, 2, "and it is not said again");
    let mut done = std::collections::BTreeSet::new();
    let mut got = 0;
    // One frame later each holder that was asked has a free slot.
    for (worker, lease) in workers.iter().zip(&mut leases) {
        let frame = lease.frames.first();
        let (verdicts, keep) = farm.report(*worker, lease.token, vec![result(frame)]);
        assert!(verdicts == [Verdict::Granted] && done.insert(frame));
        if keep.is_some_and(|keep| keep.last() < frame) {
            // The next was begun before this was heard.
            let begun = frame + 1;
            farm.pulse(*worker, &[says(lease.token, begun, begun)]);
            farm.report(*worker, lease.token, vec![result(begun)]);
            done.insert(begun);
            let next = farm.acquire(*worker).unwrap();
            assert_eq!(next.step.job, hot);
            farm.report(*worker, next.token, vec![result(next.frames.first())]);
            got += 1;
        }
    }
    assert_eq!((got, farm.phase(hot)), (2, Phase::Done));
    // Nothing was done twice or thrown away: the rest is done once.
    for worker in &workers {
        farm.drain(*worker, 1, result);
    }
    let held: u64 = leases.iter().map(|l| farm.state.leases[&l.token].row.keep.len()).sum();
    assert_eq!(farm.state.job(JobId(1)).unwrap().frames_done + held, 10_000);
    assert_eq!(farm.state.counters().duplicates + farm.state.counters().refused, 0);
}

/// Urgent work that comes and goes: what it displaced is displaced once each
/// time, and never displaces it back.
#[test]
fn classes_do_not_displace_each_other_to_and_fro() {
    let mut farm = Farm::new();
    let a = farm.worker("a");
    farm.submit(0, None, vec![step(1, 100_000, &[])]);
    let mut lease = farm.warm(a);
    let mut frames = 0;
    for round in 1..=10 {
        farm.urgent(1);
        let (mut frame, mut last) = (lease.frames.first(), lease.frames.last());
        let mut steps = 0;
        while frame <= last {
            farm.millis += 100;
            assert!(farm.pulse(a, &[says(lease.token, frame, last)])[0].is_some());
            let keep = farm.report(a, lease.token, vec![result(frame)]).1;
            frame += 1;
            // The next was begun before this was heard.
            last = keep.map_or(frame - 1, |keep| keep.last().max(frame).min(last));
            (frames, steps) = (frames + 1, steps + 1);
        }
        assert!(steps <= 2, "a frame in hand, and one that was begun meanwhile");
        let hot = farm.acquire(a).unwrap();
        assert_eq!(hot.step.job, JobId(1 + round));
        farm.report(a, hot.token, vec![result(1)]);
        lease = farm.acquire(a).unwrap();
        assert!(lease.step.job == JobId(1) && lease.frames.len() > 10, "a full lease again");
    }
    let counted = farm.state.counters();
    assert_eq!((counted.yielded, counted.leases), (10, 2 + 20));
    assert!(frames <= 20);
}

/// One frame for a CPU does not clear the CPUs because a hundred wait for a GPU.
#[test]
fn each_kind_of_work_gets_slots_that_it_fits_and_no_others() {
    use platefarm_model::farm::{Device, Needs, StepTerms};
    let mut farm = Farm::new();
    let card = farm.machine("card", 1, "gpu: x", WorkerTraits::default());
    let cpus: Vec<WorkerId> = (0..20).map(|i| farm.worker(&format!("w{i}"))).collect();
    farm.submit(0, None, vec![step(1, 100_000, &[])]);
    farm.warm(card);
    let leases: Vec<Granted> = cpus.iter().map(|w| farm.warm(*w)).collect();
    let needing = |device, frames| {
        let needs = Needs { device, ..Needs::default() };
        StepSpec { terms: StepTerms { needs, ..StepTerms::default() }, ..step(1, frames, &[]) }
    };
    let terms = JobTerms { class: PriorityClass::Urgent, ..JobTerms::default() };
    let steps = vec![needing(Device::Gpu, 100), needing(Device::Cpu, 1)];
    farm.hand_in(JobSpec { terms, ..spec("hot", steps) });
    assert_eq!(farm.state.counters().yielded, 2, "the card, and one of the others");
    for _ in 0..5 {
        farm.wait(1, &cpus);
        for (worker, lease) in cpus.iter().zip(&leases) {
            farm.beat(*worker, &[lease.token]);
        }
    }
    assert_eq!(farm.state.counters().yielded, 2);
}

/// A frame that the only worker which fits may not have is no reason to shorten leases.
#[test]
fn what_failed_takes_its_turn_without_cutting_others_short() {
    let mut farm = Farm::new();
    let (a, b) = (farm.worker("a"), farm.worker("b"));
    farm.urgent(1);
    let hot = farm.acquire(a).unwrap();
    farm.submit(0, None, vec![step(1, 10_000, &[])]);
    let held = farm.warm(b);
    farm.report(a, hot.token, vec![failure(1, Code::TruncatedFile)]);
    for _ in 0..10 {
        farm.wait(1, &[a]);
        farm.beat(b, &[held.token]);
    }
    assert_eq!(farm.state.counters().yielded, 0);
}

/// Work that lacks a named limit gets it from those below who hold it.
#[test]
fn a_limit_that_lower_work_holds_is_asked_back() {
    use platefarm_model::farm::{Limit, Needs, Setting, StepTerms};
    let mut farm = Farm::new();
    let set = |name: &str, s: Setting| Command::Set(s.kind(), name.into(), Some(s));
    farm.ask(set("nuke", Setting::Limit(Limit { count: 2 }))).unwrap();
    let needing = |amount, frames| {
        let limits = [("nuke".to_owned(), amount)].into();
        let needs = Needs { limits, ..Needs::default() };
        StepSpec { terms: StepTerms { needs, ..StepTerms::default() }, ..step(1, frames, &[]) }
    };
    let workers = ["a", "b", "idle"].map(|name| farm.worker(name));
    farm.hand_in(spec("s", vec![needing(1, 10_000)]));
    let held = [0, 1].map(|at| farm.warm(workers[at]));
    let terms = JobTerms { class: PriorityClass::Urgent, ..JobTerms::default() };
    let hot = farm.hand_in(JobSpec { terms, ..spec("hot", vec![needing(2, 1)]) });
    farm.wait(1, &workers[2..]);
    assert_eq!(farm.state.counters().yielded, 2, "both hold what it lacks, and a slot is free");
    for (worker, lease) in workers.iter().zip(held) {
        let first = lease.frames.first();
        farm.pulse(*worker, &[says(lease.token, first, first)]);
        farm.report(*worker, lease.token, vec![result(first)]);
        if *worker == workers[0] {
            assert_eq!(farm.acquire(*worker), None, "one is not enough yet, and is kept");
        }
    }
    assert_eq!(farm.acquire(workers[2]).unwrap().step.job, hot);
}

/// What waits for another limit, too, could not begin with the one that lower work holds.
#[test]
fn a_limit_is_not_asked_back_for_those_who_lack_another() {
    use platefarm_model::farm::{Limit, Needs, Setting, StepTerms};
    let mut farm = Farm::new();
    let set = |name: &str, s: Setting| Command::Set(s.kind(), name.into(), Some(s));
    let needing = |names: &[&str], frames| {
        let limits = names.iter().map(|name| ((*name).to_owned(), 1)).collect();
        let needs = Needs { limits, ..Needs::default() };
        StepSpec { terms: StepTerms { needs, ..StepTerms::default() }, ..step(1, frames, &[]) }
    };
    for name in ["nuke", "neat"] {
        farm.ask(set(name, Setting::Limit(Limit { count: 1 }))).unwrap();
    }
    let [a, b] = ["a", "b"].map(|name| farm.worker(name));
    let terms = JobTerms { class: PriorityClass::Urgent, ..JobTerms::default() };
    let urgent = |steps| JobSpec { terms: terms.clone(), ..spec("hot", steps) };
    farm.hand_in(urgent(vec![needing(&["neat"], 10_000)]));
    let held = farm.warm(a);
    farm.hand_in(spec("s", vec![needing(&["nuke"], 10_000)]));
    let lower = farm.warm(b);
    farm.hand_in(urgent(vec![needing(&["nuke", "neat"], 1)]));
    for _ in 0..5 {
        farm.wait(1, &[]);
        farm.beat(a, &[held.token]);
        farm.beat(b, &[lower.token]);
    }
    assert_eq!(farm.state.counters().yielded, 0);
}

#[test]
fn work_that_could_not_be_taken_displaces_nothing() {
    use platefarm_model::farm::{Limit, Needs, Setting, Share, StepTerms};
    let mut farm = Farm::new();
    let a = farm.worker("a");
    farm.submit(0, None, vec![step(1, 1000, &[])]);
    farm.warm(a);
    let terms =
        |max_tasks| JobTerms { class: PriorityClass::Urgent, max_tasks, ..JobTerms::default() };
    let set = |name: &str, s: Setting| Command::Set(s.kind(), name.into(), Some(s));
    farm.ask(set("shut", Setting::Share(Share { ceiling: Some(0), ..Share::default() }))).unwrap();
    farm.ask(set("none", Setting::Limit(Limit { count: 1 }))).unwrap();
    let limited = StepSpec {
        terms: StepTerms {
            needs: Needs { limits: [("none".to_owned(), 1)].into(), ..Needs::default() },
            ..StepTerms::default()
        },
        ..step(1, 10, &[])
    };
    farm.hand_in(JobSpec { terms: terms(None), ..spec("s", vec![limited]) });
    farm.ask(set("none", Setting::Limit(Limit { count: 0 }))).unwrap();
    let before = farm.state.counters().yielded;
    farm.hand_in(JobSpec { terms: terms(Some(0)), ..spec("s", vec![step(1, 10, &[])]) });
    farm.hand_in(JobSpec { terms: terms(None), ..spec("shut", vec![step(1, 10, &[])]) });
    let gpu = Needs { device: platefarm_model::farm::Device::Gpu, ..Needs::default() };
    let only_gpu =
        StepSpec { terms: StepTerms { needs: gpu, ..StepTerms::default() }, ..step(1, 9, &[]) };
    farm.hand_in(JobSpec { terms: terms(None), ..spec("s", vec![only_gpu]) });
    farm.wait(3, &[a]);
    assert_eq!(farm.state.counters().yielded, before);
}
