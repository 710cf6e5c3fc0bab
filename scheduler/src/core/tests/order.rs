//! The order of work, word by word as the design has it: limits and
//! eligibility, class, deadline, share, locality, age; and that nothing starves.

use super::*;
use platefarm_model::farm::{
    Device, JobTerms, Limit, Needs, NodeControl, Pool, PriorityClass, Setting, SettingKind, Share,
    StepTerms,
};
use proptest::prelude::*;

fn needing(needs: Needs) -> StepSpec {
    StepSpec { terms: StepTerms { needs, ..StepTerms::default() }, ..step(1, 100, &[]) }
}

fn limits(name: &str, amount: u32) -> Needs {
    Needs { limits: [(name.to_owned(), amount)].into(), ..Needs::default() }
}

fn names(all: &[&str]) -> std::collections::BTreeSet<String> {
    all.iter().map(|name| (*name).to_owned()).collect()
}

impl Farm {
    fn set(&mut self, name: &str, setting: Setting) {
        let command = Command::Set(setting.kind(), name.into(), Some(setting));
        self.ask(command).unwrap();
    }

    /// The job of the next lease; its worker does one frame of it and gives the rest back.
    fn next(&mut self, worker: WorkerId) -> Option<JobId> {
        let lease = self.acquire(worker)?;
        let first = lease.frames.first();
        self.report(worker, lease.token, vec![result(first)]);
        self.ask(Command::Release { worker, token: lease.token }).unwrap();
        Some(lease.step.job)
    }

    fn holds(&self, target: &str) -> Vec<String> {
        let explained = self.state.explain(target.parse().unwrap()).unwrap();
        explained.groups.into_iter().flat_map(|g| g.reasons).map(|r| r.hold).collect()
    }

    fn why(&self, target: &str) -> String {
        let explained = self.state.explain(target.parse().unwrap()).unwrap();
        explained.groups[0].reasons.iter().map(|r| format!("{} {}", r.text, r.remedy)).collect()
    }
}

#[test]
fn class_goes_before_number_before_deadline_before_age() {
    let mut farm = Farm::new();
    let frame = || vec![step(1, 1, &[])];
    let with = |priority, class, deadline: Option<i64>| JobSpec {
        priority,
        terms: JobTerms { class, deadline: deadline.map(Timestamp), ..JobTerms::default() },
        ..spec("s", frame())
    };
    let (normal, urgent, night) =
        (PriorityClass::Normal, PriorityClass::Urgent, PriorityClass::Background);
    let jobs = [
        with(0, night, Some(1)),
        with(0, normal, None),
        with(0, normal, Some(9_000_000)),
        with(0, normal, Some(5_000_000)),
        with(7, normal, None),
        with(-9, urgent, None),
    ];
    let ids: Vec<JobId> = jobs.into_iter().map(|spec| farm.hand_in(spec)).collect();
    let worker = farm.worker("a");
    let order: Vec<JobId> = std::iter::from_fn(|| farm.next(worker)).collect();
    let expected: Vec<JobId> = [5, 4, 3, 2, 1, 0].into_iter().map(|i| ids[i]).collect();
    assert_eq!(order, expected);
}

#[test]
fn a_worker_is_given_only_what_it_fits() {
    let mut farm = Farm::new();
    let of = |labels: &[&str], pools: &[&str], memory_mib| WorkerTraits {
        labels: names(labels),
        pools: names(pools),
        memory_mib,
        ..WorkerTraits::default()
    };
    let plain = farm.machine("plain", 1, "cpu", of(&[], &[], 900));
    let gpu = farm.machine("gpu", 1, "gpu: x", of(&[], &[], 9_000));
    let rack = farm.machine("rack", 1, "cpu", of(&["rack=3"], &["night"], 0));
    farm.set("racks", Setting::Pool(Pool { labels: names(&["rack=3"]), reserve: 0 }));
    let cases: [(Needs, &[WorkerId], &str); 6] = [
        (Needs { device: Device::Gpu, ..Needs::default() }, &[gpu], "2 workers not a gpu worker"),
        (Needs { device: Device::Cpu, ..Needs::default() }, &[plain, rack], "not a cpu"),
        (Needs { memory_mib: 1000, ..Needs::default() }, &[gpu, rack], "less than 1000 MiB"),
        (
            Needs { labels: names(&["rack=3"]), ..Needs::default() },
            &[rack],
            "without label 'rack=3'",
        ),
        (Needs { pool: Some("night".into()), ..Needs::default() }, &[rack], "not in pool 'night'"),
        (Needs { pool: Some("racks".into()), ..Needs::default() }, &[rack], "not in pool 'racks'"),
    ];
    for (needs, fit, lack) in cases {
        let job = farm.hand_in(spec("s", vec![needing(needs.clone())]));
        let got: Vec<WorkerId> =
            [plain, gpu, rack].into_iter().filter(|w| farm.next(*w).is_some()).collect();
        assert_eq!(got, fit, "{needs:?}");
        // Without those that fit it says what the others lack.
        let mut without = farm.state.clone();
        fit.iter().for_each(|w| drop(without.step(Command::Leave { worker: *w }, Timestamp(0))));
        let why = without.explain(Target::Job(job)).unwrap().groups.remove(0).reasons.remove(0);
        assert_eq!(why.hold, "no_worker");
        assert!(why.text.contains(lack), "{}", why.text);
        farm.ask(cancel(job)).unwrap();
    }
    let typo = Needs { pool: Some("nigth".into()), ..Needs::default() };
    let fault = farm.ask(Command::Submit(Box::new(spec("s", vec![needing(typo)])))).unwrap_err();
    assert_eq!(fault.code, Code::UnknownPool);
}

/// What a person names and is not there is their mistake, said in words of its own: nothing
/// will register again, and nothing is to be set up that was to be taken away.
#[test]
fn what_people_name_and_is_not_there_is_said_in_its_own_words() {
    let mut farm = Farm::new();
    for control in
        [NodeControl::Drain { reason: String::new() }, NodeControl::Resume, NodeControl::Remove]
    {
        let fault = farm.ask(Command::Node(WorkerId(9), control)).unwrap_err();
        assert_eq!((fault.code, fault.owner().exit_code()), (Code::NoSuchWorker, 2));
        assert!(fault.remedy_text().contains("workers list"), "{fault}");
    }
    for (kind, code, list) in [
        (SettingKind::Pool, Code::UnknownPool, "pools list"),
        (SettingKind::Limit, Code::UnknownLimit, "limits list"),
        (SettingKind::Share, Code::NoShare, "shows list"),
    ] {
        let fault = farm.ask(Command::Set(kind, "zzz".into(), None)).unwrap_err();
        assert_eq!(fault.code, code);
        assert!(fault.remedy_text().contains(list), "{kind}: {}", fault.remedy_text());
    }
}

#[test]
fn labels_that_people_give_and_take_count_at_once_and_outlive_the_process() {
    let mut farm = Farm::new();
    let a = farm.worker("a");
    let wants = Needs { labels: names(&["nvme"]), ..Needs::default() };
    farm.hand_in(spec("s", vec![needing(wants)]));
    assert_eq!(farm.next(a), None);
    let label = |add: &[&str], remove: &[&str]| NodeControl::Label {
        add: names(add),
        remove: names(remove),
    };
    farm.ask(Command::Node(a, label(&["nvme"], &[]))).unwrap();
    assert!(farm.next(a).is_some());
    farm.ask(Command::Leave { worker: a }).unwrap();
    let command = Command::Register {
        name: "a".into(),
        instance: "again".into(),
        slots: 1,
        backend: "cpu".into(),
        traits: WorkerTraits::default(),
    };
    let Ok(Reply::Registered(again)) = farm.ask(command) else { panic!() };
    assert!(farm.next(again).is_some(), "another process of the same node");
    farm.ask(Command::Node(again, label(&[], &["nvme"]))).unwrap();
    assert_eq!(farm.next(again), None);
}

#[test]
fn a_limit_is_never_exceeded_and_holds_up_nobody_else() {
    let mut farm = Farm::new();
    farm.set("nuke", Setting::Limit(Limit { count: 3 }));
    let job = farm.hand_in(spec("s", vec![needing(limits("nuke", 2))]));
    let other = farm.submit(0, None, vec![step(1, 100, &[])]);
    let (a, b) = (farm.worker("a"), farm.worker("b"));
    let lease = farm.acquire(a).unwrap();
    assert_eq!(lease.step.job, job);
    assert_eq!(farm.acquire(b).unwrap().step.job, other, "2 of 3 are taken, and a task takes 2");
    assert!(farm.holds("j1").contains(&"limit".to_owned()));
    assert!(farm.why("j1").contains("2 of 3"), "{}", farm.why("j1"));
    assert_eq!(farm.acquire(a).unwrap().step.job, other, "what is counted is not taken ahead");
    farm.ask(Command::Release { worker: a, token: lease.token }).unwrap();
    assert!(farm.wake, "who waited for the limit is woken");
    let unknown = farm.ask(Command::Submit(Box::new(spec("s", vec![needing(limits("x", 1))]))));
    assert_eq!(unknown.unwrap_err().code, Code::UnknownLimit);
    let never = farm.ask(Command::Submit(Box::new(spec("s", vec![needing(limits("nuke", 4))]))));
    assert!(never.unwrap_err().message.contains("takes 4"));
}

/// Two of a limit come together only if nobody below takes the first that is free.
#[test]
fn a_task_that_takes_much_of_a_limit_is_not_starved_by_those_that_take_little() {
    for class in [PriorityClass::Urgent, PriorityClass::Background] {
        let mut farm = Farm::new();
        farm.set("nuke", Setting::Limit(Limit { count: 2 }));
        let workers = ["a", "b"].map(|name| farm.worker(name));
        let background = JobTerms { class: PriorityClass::Background, ..JobTerms::default() };
        let small = vec![needing(limits("nuke", 1)); 1];
        farm.hand_in(JobSpec { terms: background.clone(), ..spec("s", small) });
        let mut held = workers.map(|worker| farm.acquire(worker).unwrap());
        let terms = JobTerms { class, ..background };
        let large = farm.hand_in(JobSpec { terms, ..spec("t", vec![needing(limits("nuke", 2))]) });
        let mut leases = 0;
        'farm: loop {
            for (worker, lease) in workers.iter().zip(&mut held) {
                farm.millis += 100;
                let frames = lease.frames.iter().map(result).collect();
                farm.report(*worker, lease.token, frames);
                match farm.acquire(*worker) {
                    Some(next) if next.step.job == large => break 'farm,
                    Some(next) => *lease = next,
                    None => {}
                }
                leases += 1;
                assert!(leases < 10, "{class:?} is starved");
            }
        }
    }
}

/// A licence does not lie idle for one who waits for another licence, too.
#[test]
fn a_limit_is_not_kept_for_those_who_lack_another() {
    let mut farm = Farm::new();
    farm.set("nuke", Setting::Limit(Limit { count: 1 }));
    farm.set("neat", Setting::Limit(Limit { count: 1 }));
    let workers = ["a", "b"].map(|name| farm.worker(name));
    let terms = |class| JobTerms { class, ..JobTerms::default() };
    let urgent = terms(PriorityClass::Urgent);
    farm.hand_in(JobSpec { terms: urgent.clone(), ..spec("s", vec![needing(limits("neat", 1))]) });
    let holder = farm.acquire(workers[0]).unwrap();
    let both = Needs {
        limits: [("nuke".to_owned(), 1), ("neat".to_owned(), 1)].into(),
        ..Needs::default()
    };
    let waits = farm.hand_in(JobSpec { terms: urgent, ..spec("s", vec![needing(both)]) });
    let other = farm.hand_in(spec("s", vec![needing(limits("nuke", 1))]));
    let taken = farm.acquire(workers[1]).unwrap();
    assert_eq!(taken.step.job, other, "nothing else could use it");
    // Once only that one is missing, it is kept.
    farm.ask(Command::Release { worker: workers[0], token: holder.token }).unwrap();
    farm.ask(cancel(holder.step.job)).unwrap();
    farm.ask(Command::Release { worker: workers[1], token: taken.token }).unwrap();
    assert_eq!(farm.acquire(workers[1]).unwrap().step.job, waits);
}

/// Nor is it by those that have waited so long that they go first now and then.
#[test]
fn what_has_waited_long_starves_no_task_that_takes_much_of_a_limit() {
    let mut farm = Farm::with(Policy { aging_ms: 1000, aged_every: 1, ..policy() });
    farm.set("nuke", Setting::Limit(Limit { count: 2 }));
    let workers = ["a", "b"].map(|name| farm.worker(name));
    let lower = JobTerms { class: PriorityClass::Background, ..JobTerms::default() };
    let small = || StepSpec { terms: needing(limits("nuke", 1)).terms, ..step(1, 10_000, &[]) };
    for _ in 0..4 {
        farm.hand_in(JobSpec { terms: lower.clone(), ..spec("s", vec![small()]) });
    }
    let mut held = workers.map(|worker| farm.acquire(worker).unwrap());
    let terms = JobTerms { class: PriorityClass::Urgent, ..JobTerms::default() };
    let large = farm.hand_in(JobSpec { terms, ..spec("t", vec![needing(limits("nuke", 2))]) });
    let mut leases = 0;
    'farm: loop {
        for (worker, lease) in workers.iter().zip(&mut held) {
            farm.millis += 400;
            farm.report(*worker, lease.token, lease.frames.iter().map(result).collect());
            match farm.acquire(*worker) {
                Some(next) if next.step.job == large => break 'farm,
                Some(next) => *lease = next,
                None => {}
            }
            leases += 1;
            assert!(leases < 20, "it is starved");
        }
    }
}

/// What nobody could do keeps nothing from anybody.
#[test]
fn a_limit_is_kept_for_those_only_whom_a_worker_could_serve() {
    let mut farm = Farm::new();
    farm.set("nuke", Setting::Limit(Limit { count: 2 }));
    let worker = farm.worker("a");
    let urgent = JobTerms { class: PriorityClass::Urgent, ..JobTerms::default() };
    let gpu = needing(Needs { device: Device::Gpu, ..limits("nuke", 2) });
    farm.hand_in(JobSpec { terms: urgent, ..spec("s", vec![gpu]) });
    let other = farm.hand_in(spec("s", vec![needing(limits("nuke", 1))]));
    assert_eq!(farm.acquire(worker).unwrap().step.job, other);
}

#[test]
fn jobs_and_shows_have_no_more_tasks_than_they_may() {
    let mut farm = Farm::new();
    let workers: Vec<WorkerId> = (0..6).map(|i| farm.worker(&format!("w{i}"))).collect();
    farm.set("a", Setting::Share(Share { ceiling: Some(3), ..Share::default() }));
    let capped = JobTerms { max_tasks: Some(2), ..JobTerms::default() };
    let first = farm.hand_in(JobSpec { terms: capped, ..spec("a", vec![step(1, 100, &[])]) });
    let second = farm.hand_in(spec("a", vec![step(1, 100, &[])]));
    let got: Vec<JobId> =
        workers.iter().filter_map(|w| farm.acquire(*w)).map(|g| g.step.job).collect();
    assert_eq!(got, [first, first, second]);
    assert_eq!(
        (farm.holds("j1"), farm.holds("j2")),
        (vec!["job_cap".into(), "show_ceiling".into()], vec!["show_ceiling".into()])
    );
    farm.set("a", Setting::Share(Share::default()));
    farm.control("j1", Control::MaxTasks(Some(4))).unwrap();
    let more: Vec<JobId> =
        workers.iter().filter_map(|w| farm.acquire(*w)).map(|g| g.step.job).collect();
    assert!(more.iter().filter(|job| **job == first).count() == 2 && more.len() > 2, "{more:?}");
    assert_eq!(farm.state.over_caps(JobId(0), JobId(u64::MAX)), []);
}

#[test]
fn shows_get_parts_as_they_weigh_and_guarantees_first() {
    let mut farm = Farm::new();
    for (show, weight, guarantee) in [("a", 1, 0), ("b", 3, 0), ("c", 1, 5)] {
        farm.set(show, Setting::Share(Share { weight, guarantee, ..Share::default() }));
        farm.hand_in(spec(show, vec![step(1, 10_000, &[])]));
    }
    let mut tasks = std::collections::BTreeMap::new();
    let mut lease = |farm: &mut Farm, name: String| {
        let worker = farm.worker(&name);
        let job = farm.acquire(worker).unwrap().step.job;
        *tasks.entry(job.0).or_insert(0) += 1;
        tasks.clone()
    };
    for i in 0..4 {
        lease(&mut farm, format!("w{i}"));
    }
    assert_eq!(lease(&mut farm, "w4".into()), [(3, 5)].into(), "the guarantee first");
    let mut all = Default::default();
    for i in 5..45 {
        all = lease(&mut farm, format!("w{i}"));
    }
    // 45 slots: a : b : c as 1 : 3 : 1.
    assert_eq!(all, [(1, 9), (2, 27), (3, 9)].into());
}

#[test]
fn of_equals_the_nearest_goes_first_and_age_decides_the_rest() {
    let mut farm = Farm::new();
    let near = |key: &str| StepSpec {
        terms: StepTerms { near: vec![key.into()], ..StepTerms::default() },
        ..step(1, 50, &[])
    };
    let (a, b) =
        (farm.hand_in(spec("s", vec![near("vol1")])), farm.hand_in(spec("s", vec![near("vol2")])));
    let traits = WorkerTraits { near: names(&["vol2"]), ..WorkerTraits::default() };
    let there = farm.machine("there", 1, "cpu", traits);
    let nowhere = farm.worker("nowhere");
    assert_eq!(farm.next(there), Some(b));
    assert_eq!(farm.next(nowhere), Some(a), "the oldest, where nothing is near");
    farm.submit(0, None, vec![step(1, 50, &[])]);
    assert_eq!(farm.next(nowhere), Some(a), "what it had last is warm");
}

#[test]
fn what_is_due_later_waits_for_its_time() {
    let mut farm = Farm::new();
    let a = farm.worker("a");
    let later = JobTerms { start_after: Some(Timestamp(5_000_000)), ..JobTerms::default() };
    let job = farm.hand_in(JobSpec { terms: later, ..spec("s", vec![step(1, 5, &[])]) });
    farm.wait(4, &[a]);
    assert_eq!((farm.acquire(a), farm.holds("j1")), (None, vec!["start_after".into()]));
    farm.wait(1, &[a]);
    assert_eq!(farm.acquire(a).unwrap().step.job, job);
}

/// Who is told that free workers take it next sees that they do.
#[test]
fn the_last_frames_that_are_left_to_the_faster_class_are_explained() {
    let mut farm = Farm::new();
    let slow = farm.worker("slow");
    let card = farm.machine("card", 1, "gpu: x", WorkerTraits::default());
    farm.submit(0, None, vec![step(1, 7, &[])]);
    for (worker, millis) in [(slow, 1000), (card, 10)] {
        let lease = farm.acquire(worker).unwrap();
        for frame in lease.frames.iter() {
            farm.millis += millis;
            farm.report(worker, lease.token, vec![result(frame)]);
        }
    }
    assert!(farm.acquire(card).is_some() && farm.acquire(card).is_some());
    assert_eq!(farm.acquire(slow), None, "the card will have done it before");
    assert!(farm.why("j1").contains("left to the faster workers"), "{}", farm.why("j1"));
    farm.millis += 1000;
    farm.ask(Command::Tick).unwrap();
    assert!(farm.why("j1").contains("free workers take it next"), "{}", farm.why("j1"));
    assert!(farm.acquire(slow).is_some());
}

/// A lower class under an endless stream of a higher one gets its turn within
/// a bound, and not more than its turn.
#[test]
fn nothing_eligible_starves() {
    let policy = Policy { aging_ms: 60_000, aged_every: 20, ..policy() };
    let mut farm = Farm::with(policy);
    let a = farm.worker("a");
    let background = |class| JobTerms { class, ..JobTerms::default() };
    let low = farm.hand_in(JobSpec {
        terms: background(PriorityClass::Background),
        ..spec("low", vec![step(1, 1000, &[])])
    });
    let high = farm.hand_in(JobSpec {
        terms: background(PriorityClass::Urgent),
        ..spec("high", vec![step(1, 1_000_000, &[])])
    });
    let mut got = Vec::new();
    for _ in 0..1200 {
        farm.millis += 100;
        got.push(farm.next(a).unwrap());
    }
    let first = got.iter().position(|job| *job == low).unwrap();
    assert!((600..=620).contains(&first), "after a minute and at most 20 leases: {first}");
    assert!(got.iter().all(|job| [low, high].contains(job)));
    let turns = got.iter().filter(|job| **job == low).count();
    assert_eq!(turns, 1, "it waits another minute for the next");
}

/// What has waited longest and is not for this worker keeps nobody else from their turn.
#[test]
fn a_turn_that_a_worker_cannot_take_goes_to_the_next() {
    let mut farm = Farm::with(Policy { aging_ms: 1_000, aged_every: 1, ..policy() });
    let (a, b) = (farm.worker("a"), farm.worker("b"));
    let low = |show: &str| {
        let terms = JobTerms { class: PriorityClass::Background, ..JobTerms::default() };
        JobSpec { terms, ..spec(show, vec![step(1, 1, &[])]) }
    };
    farm.hand_in(low("x"));
    let lease = farm.acquire(a).unwrap();
    farm.report(a, lease.token, vec![failure(1, Code::TruncatedFile)]);
    let next = farm.hand_in(low("y"));
    farm.submit(0, None, vec![step(1, 1000, &[])]);
    farm.wait(2, &[a, b]);
    assert_eq!(farm.acquire(a).unwrap().step.job, next, "the other waits for another worker");
}

/// Nor is it taken by one that has not waited, however near it is.
#[test]
fn a_turn_is_of_those_that_waited() {
    let mut farm = Farm::with(Policy { aging_ms: 1_500, aged_every: 1, ..policy() });
    let a = farm.worker("a");
    let low = |deadline| {
        let class = PriorityClass::Background;
        let terms = JobTerms { class, deadline, ..JobTerms::default() };
        JobSpec { terms, ..spec("s", vec![step(1, 100, &[])]) }
    };
    let waits = farm.hand_in(low(None));
    let first = farm.hand_in(low(Some(Timestamp(1))));
    farm.wait(1, &[a]);
    assert_eq!(farm.next(a), Some(first));
    farm.submit(0, None, vec![step(1, 1000, &[])]);
    farm.wait(1, &[a]);
    assert_eq!(farm.next(a), Some(waits));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]
    /// Whatever is asked for, in whatever mix of classes, deadlines, shows and
    /// limits: every job that a worker fits gets a lease within the bound, while
    /// work of the highest class never runs out.
    #[test]
    fn every_job_gets_a_lease_within_a_bound(
        jobs in proptest::collection::vec((0usize..3, -2i32..3, proptest::option::of(0i64..99), 0u8..3, any::<bool>()), 1..12),
        slots in 1usize..4,
    ) {
        let policy = Policy { aging_ms: 1_000, aged_every: 4, ..policy() };
        let mut state = State::new(policy, Timestamp(0));
        let mut now = 0;
        let mut ask = |state: &mut State, command| {
            now += 20_000;
            state.step(command, Timestamp(now)).reply.unwrap()
        };
        ask(&mut state, Command::Set(SettingKind::Limit, "l".into(), Some(Setting::Limit(Limit { count: 1 }))));
        let flood = JobTerms { class: PriorityClass::Urgent, deadline: Some(Timestamp(1)), ..JobTerms::default() };
        ask(&mut state, Command::Submit(Box::new(JobSpec { priority: 99, terms: flood, ..spec("flood", vec![step(1, 1_000_000, &[])]) })));
        for (class, priority, deadline, show, limited) in &jobs {
            let terms = JobTerms { class: PriorityClass::ALL[*class], deadline: deadline.map(|d| Timestamp(d * 1000)), ..JobTerms::default() };
            let steps = vec![if *limited { needing(limits("l", 1)) } else { step(1, 100, &[]) }];
            ask(&mut state, Command::Submit(Box::new(JobSpec { priority: *priority, terms, ..spec(&format!("s{show}"), steps) })));
        }
        let workers: Vec<WorkerId> = (0..slots).map(|i| {
            let command = Command::Register { name: format!("w{i}"), instance: format!("w{i}"), slots: 1, backend: "cpu".into(), traits: WorkerTraits::default() };
            match ask(&mut state, command) { Reply::Registered(id) => id, other => panic!("{other:?}") }
        }).collect();
        let mut served = std::collections::BTreeSet::new();
        // Aging, then a turn of each job once in `aged_every` leases.
        let bound = 1_000 / 20 + (jobs.len() + 1) * 4 * 4;
        for turn in 0..bound {
            let worker = workers[turn % slots];
            if let Reply::Acquired(Some(lease)) = ask(&mut state, Command::Acquire { worker }) {
                served.insert(lease.step.job);
                let outcomes = vec![result(lease.frames.first())];
                ask(&mut state, Command::Report { worker, token: lease.token, outcomes, last: None });
                ask(&mut state, Command::Release { worker, token: lease.token });
            }
        }
        state.check_invariants().unwrap();
        prop_assert_eq!(served.len(), jobs.len() + 1, "{:?}", served);
    }
}
