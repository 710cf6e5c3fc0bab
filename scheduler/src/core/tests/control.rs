//! What people do to jobs and steps at any time, and what waits for what.

use super::*;
use platefarm_model::farm::{Dependency, JobTerms, PriorityClass, SettingKind, StepTerms};

fn on(target: &str, same_frames: bool) -> Dependency {
    Dependency { on: target.parse().unwrap(), same_frames }
}

#[test]
fn pause_gives_back_what_is_not_begun_and_resume_goes_on() {
    let mut farm = Farm::new();
    let a = farm.worker("a");
    let job = farm.submit(0, None, vec![step(1, 16, &[]), step(1, 4, &[])]);
    let lease = farm.acquire(a).unwrap();
    farm.control("j1.0", Control::Pause).unwrap();
    assert_eq!(farm.beat(a, &[lease.token]), [nothing_from(1)], "but what is in hand");
    let (_, keep) = farm.report(a, lease.token, vec![result(1)]);
    assert_eq!(keep, nothing_from(1));
    // The next was begun by then, and is its own.
    let pulse = Pulse { last: Some(2), in_hand: Some(2), ..Pulse::of(lease.token) };
    assert_eq!(farm.pulse(a, &[pulse]), [nothing_from(1)]);
    assert_eq!(farm.report(a, lease.token, vec![result(2)]).1, None);
    let other = farm.acquire(a).unwrap();
    assert_eq!(other.step.index, 1, "the other step goes on");
    farm.ask(Command::Release { worker: a, token: other.token }).unwrap();
    farm.control("j1", Control::Pause).unwrap();
    assert_eq!(farm.acquire(a), None);
    let why = farm.state.explain(Target::Job(job)).unwrap();
    assert!(why.groups.iter().all(|group| group.reasons[0].hold == "paused"));
    farm.control("j1", Control::Resume).unwrap();
    assert!(farm.wake);
    let other = farm.acquire(a).unwrap();
    assert_eq!(other.step.index, 1, "a step that is paused by name stays so");
    farm.ask(Command::Release { worker: a, token: other.token }).unwrap();
    farm.control("j1.0", Control::Resume).unwrap();
    farm.drain(a, 1, result);
    assert_eq!(farm.phase(job), Phase::Done);
    assert_eq!(farm.control("j1", Control::Pause).unwrap_err().code, Code::JobSettled);
}

#[test]
fn a_step_is_cancelled_alone_and_the_rest_goes_on() {
    let mut farm = Farm::new();
    let a = farm.worker("a");
    let job = farm.submit(0, None, vec![step(1, 16, &[]), step(1, 4, &[0])]);
    let lease = farm.acquire(a).unwrap();
    farm.report(a, lease.token, vec![result(1)]);
    farm.control("j1.0", Control::Cancel).unwrap();
    assert_eq!(farm.report(a, lease.token, vec![result(2)]).0, [Verdict::Refused]);
    assert_eq!(farm.state.job(job).unwrap().steps[0].phase, Phase::Cancelled);
    farm.drain(a, 1, result);
    assert_eq!(farm.phase(job), Phase::Cancelled, "not done: something of it was ended");
    // It can be taken up again; what is done stays done.
    farm.control("j1", Control::Retry(None)).unwrap();
    assert_eq!(farm.phase(job), Phase::Running);
    let frames: u64 = farm.drain(a, 1, result).iter().map(|range| range.len()).sum();
    assert_eq!((frames, farm.phase(job)), (15, Phase::Done));
}

#[test]
fn retry_takes_up_what_was_given_up_and_what_waited_for_it() {
    let mut farm = Farm::new();
    let a = farm.worker("a");
    let job = farm.submit(0, Some("k"), vec![step(1, 8, &[]), step(1, 1, &[0])]);
    farm.drain(a, 1, |f| if f == 3 || f == 5 { failure(f, Code::BadRecipe) } else { result(f) });
    assert_eq!((farm.phase(job), farm.state.job(job).unwrap().frames_failed), (Phase::Failed, 2));
    farm.control("j1.0", Control::Retry(Some(set("5-8")))).unwrap();
    let view = farm.state.job(job).unwrap();
    assert_eq!(
        (view.steps[0].failed.clone(), view.phase, view.finished),
        (set("3"), Phase::Running, None)
    );
    farm.drain(a, 1, result);
    assert_eq!(farm.phase(job), Phase::Failed);
    farm.control("j1", Control::Retry(None)).unwrap();
    farm.drain(a, 1, result);
    let view = farm.state.job(job).unwrap();
    assert_eq!((view.phase, view.frames_failed, view.frames_done), (Phase::Done, 0, 9));
    assert_eq!(view.steps[0].first_fault, None);
    let again = farm.control("j1", Control::Retry(None)).unwrap_err();
    assert_eq!(again.code, Code::JobSettled);
}

#[test]
fn a_cancelled_job_is_taken_up_again() {
    let mut farm = Farm::new();
    let a = farm.worker("a");
    let job = farm.submit(0, None, vec![step(1, 8, &[])]);
    let lease = farm.acquire(a).unwrap();
    farm.report(a, lease.token, vec![result(1)]);
    farm.ask(cancel(job)).unwrap();
    farm.control("j1", Control::Retry(None)).unwrap();
    farm.drain(a, 1, result);
    assert_eq!((farm.phase(job), farm.state.job(job).unwrap().frames_done), (Phase::Done, 8));
}

/// Who asks for a part of it gets no more than that part.
#[test]
fn a_part_of_a_cancelled_job_is_not_taken_up_alone() {
    let mut farm = Farm::new();
    let a = farm.worker("a");
    let job = farm.submit(0, None, vec![step(1, 4, &[]), step(1, 4, &[])]);
    farm.ask(cancel(job)).unwrap();
    for (target, frames) in [("j1.0", None), ("j1.1", Some(set("2"))), ("j1", Some(set("2")))] {
        let refused = farm.control(target, Control::Retry(frames)).unwrap_err();
        assert_eq!((refused.code, refused.place.as_deref()), (Code::JobCancelled, Some(target)));
        assert!(refused.remedy_text().contains("`platefarm jobs retry j1`"), "{refused}");
    }
    assert_eq!((farm.phase(job), farm.acquire(a)), (Phase::Cancelled, None));
}

#[test]
fn priority_and_deadline_change_at_any_time_for_a_job_and_a_step() {
    let mut farm = Farm::new();
    let a = farm.worker("a");
    let first = farm.submit(0, None, vec![step(1, 90, &[]), step(1, 90, &[])]);
    let second = farm.submit(0, None, vec![step(1, 90, &[])]);
    let next = |farm: &mut Farm| {
        let lease = farm.acquire(a).unwrap();
        farm.ask(Command::Release { worker: a, token: lease.token }).unwrap();
        lease.step
    };
    assert_eq!(next(&mut farm).job, first);
    let up = |class, priority| Control::Priority { class, priority };
    farm.control("j2", up(None, Some(5))).unwrap();
    assert_eq!(next(&mut farm).job, second);
    farm.control("j1.1", up(Some(PriorityClass::Urgent), None)).unwrap();
    assert_eq!(next(&mut farm), "j1.1".parse().unwrap());
    farm.control("j1", up(Some(PriorityClass::Background), Some(9))).unwrap();
    assert_eq!(next(&mut farm), "j1.1".parse().unwrap(), "a step's own word stays");
    farm.control("j1.1", Control::Cancel).unwrap();
    farm.control("j2", up(Some(PriorityClass::Background), Some(9))).unwrap();
    assert_eq!(next(&mut farm).job, first);
    farm.control("j2", Control::Deadline(Some(Timestamp(1)))).unwrap();
    assert_eq!(next(&mut farm).job, second);
    let of_step = farm.control("j1.0", Control::Deadline(None)).unwrap_err();
    assert!(of_step.message.contains("j1.0 is a step"), "{of_step}");
    assert_eq!(farm.control("j1.7", Control::Pause).unwrap_err().code, Code::UnknownStep);
}

#[test]
fn jobs_wait_for_jobs_and_for_steps() {
    let mut farm = Farm::new();
    let a = farm.worker("a");
    let first = farm.submit(0, None, vec![step(1, 2, &[]), step(1, 2, &[])]);
    let terms = JobTerms { after: vec![on("j1.1", false)], ..JobTerms::default() };
    let second = farm.hand_in(JobSpec { terms, priority: 9, ..spec("s", vec![step(1, 2, &[])]) });
    let third = farm.submit(8, None, vec![step(1, 2, &[])]);
    farm.control("j3", Control::Depend(on("j2", false))).unwrap();
    let circle = farm.control("j1.0", Control::Depend(on("j3", false))).unwrap_err();
    assert_eq!(circle.code, Code::DependencyLoop);
    assert_eq!(
        farm.control("j1", Control::Depend(on("j1.0", false))).unwrap_err().code,
        Code::DependencyLoop
    );
    assert_eq!(farm.state.job(second).unwrap().steps[0].phase, Phase::Blocked);
    let why = farm.state.explain(Target::Job(second)).unwrap();
    assert!(why.groups[0].reasons[0].text.contains("j1.1"), "{why:?}");
    let mut order = Vec::new();
    while let Some(lease) = farm.acquire(a) {
        order.push(lease.step);
        for frame in lease.frames.iter() {
            farm.report(a, lease.token, vec![result(frame)]);
        }
    }
    order.dedup();
    let steps: Vec<String> = order.iter().map(ToString::to_string).collect();
    assert_eq!(steps, ["j1.0", "j1.1", "j2.0", "j3.0"]);
    assert!([first, second, third].iter().all(|job| farm.phase(*job) == Phase::Done));
    let nobody = JobTerms { after: vec![on("j99", false)], ..JobTerms::default() };
    let spec = JobSpec { terms: nobody, ..spec("s", vec![step(1, 2, &[])]) };
    assert_eq!(farm.ask(Command::Submit(Box::new(spec))).unwrap_err().code, Code::UnknownJob);
}

#[test]
fn a_dependency_is_taken_away() {
    let mut farm = Farm::new();
    let a = farm.worker("a");
    farm.submit(0, None, vec![step(1, 2, &[])]);
    let second = farm.submit(5, None, vec![step(1, 2, &[])]);
    farm.control("j2", Control::Depend(on("j1", false))).unwrap();
    farm.control("j2", Control::Undepend("j1".parse().unwrap())).unwrap();
    assert_eq!(farm.acquire(a).unwrap().step.job, second);
}

#[test]
fn each_frame_waits_for_its_own() {
    let mut farm = Farm::new();
    let (a, b) = (farm.worker("a"), farm.worker("b"));
    let same = StepSpec {
        terms: StepTerms { after_same_frames: vec![0], ..StepTerms::default() },
        ..step(5, 12, &[])
    };
    let job = farm.submit(0, None, vec![step(1, 8, &[]), same]);
    let first = farm.acquire(a).unwrap();
    assert_eq!(first.frames, FrameRange::new(1, 3).unwrap(), "a fair share of what may be leased");
    // Frames 9 to 12 are not in the other step and wait for nothing.
    farm.report(a, first.token, first.frames.iter().map(result).collect());
    let mut seen = Vec::new();
    for _ in 0..20 {
        let Some(lease) = farm.acquire(b) else { break };
        for frame in lease.frames.iter() {
            seen.push((lease.step.index, frame));
            let before = (0, frame);
            let free = lease.step.index == 0 || frame > 8 || seen.contains(&before);
            assert!(free, "{seen:?}");
            farm.report(b, lease.token, vec![result(frame)]);
        }
    }
    assert_eq!(farm.phase(job), Phase::Done);
    // From job to job, step by step, and a failed frame lets its own go on too.
    farm.submit(0, None, vec![step(1, 4, &[])]);
    let terms = JobTerms { after: vec![on("j2", true)], ..JobTerms::default() };
    let later =
        farm.hand_in(JobSpec { terms, ..spec("s", vec![step(3, 4, &[]), step(1, 1, &[])]) });
    let view = farm.state.job(later).unwrap();
    assert_eq!((view.steps[0].phase, view.steps[1].phase), (Phase::Blocked, Phase::Pending));
    farm.drain(a, 1, |f| if f == 3 { failure(f, Code::BadRecipe) } else { result(f) });
    assert_eq!(farm.phase(later), Phase::Failed);
    assert_eq!(farm.state.job(later).unwrap().frames_done, 2, "frame 3 fails here too");
}

#[test]
fn a_job_that_ended_is_compacted_and_forgotten() {
    let mut farm = Farm::with(Policy { compact_ms: 5_000, ..policy() });
    let a = farm.worker("a");
    let job = farm.submit(0, Some("k"), vec![step(1, 20, &[])]);
    let early = farm.ask(Command::Forget(job)).unwrap_err();
    assert!(early.message.contains("has not ended"));
    let lease = farm.acquire(a).unwrap();
    farm.report(a, lease.token, lease.frames.iter().map(result).collect());
    farm.drain(a, 1, result);
    assert!(!farm.state.snapshot().leases.is_empty());
    farm.wait(7, &[a]);
    let rows = farm.state.snapshot();
    assert_eq!((rows.leases.len(), farm.state.job(job).unwrap().frames_done), (0, 20));
    assert_eq!(farm.report(a, lease.token, vec![result(1)]).0, [Verdict::Refused]);
    farm.ask(Command::Forget(job)).unwrap();
    assert_eq!(farm.state.job(job).unwrap_err().code, Code::UnknownJob);
    assert_ne!(
        farm.submit(0, Some("k"), vec![step(1, 1, &[])]),
        job,
        "its id is not given out again"
    );
}

/// A farm that forgets its jobs does not remember what each of them needed, nor whose it was.
#[test]
fn nothing_is_kept_of_the_needs_and_shows_of_forgotten_jobs() {
    use platefarm_model::farm::{Needs, Setting, Share};
    let mut farm = Farm::new();
    let plain = farm.worker("plain");
    let labels = |name: &str| [name.to_owned()].into_iter().collect();
    let traits = WorkerTraits { labels: labels("rack=9"), ..WorkerTraits::default() };
    let ninth = farm.machine("ninth", 1, "cpu", traits);
    let share = Setting::Share(Share { weight: 2, ..Share::default() });
    farm.ask(Command::Set(share.kind(), "set".into(), Some(share))).unwrap();
    farm.submit(0, None, vec![step(1, 1, &[])]);
    farm.drain(plain, 1, result);
    for round in 0..20 {
        let needs = Needs { labels: labels(&format!("rack={round}")), ..Needs::default() };
        let terms = StepTerms { needs, ..StepTerms::default() };
        let steps = vec![StepSpec { terms, ..step(1, 2, &[]) }];
        let job = farm.hand_in(spec(&format!("show {round}"), steps));
        // What they remember of the number is not of these needs.
        assert_eq!(farm.acquire(plain), None);
        assert_eq!(farm.acquire(ninth).is_some(), round == 9);
        farm.ask(cancel(job)).unwrap();
        farm.ask(Command::Forget(job)).unwrap();
    }
    assert_eq!((farm.state.queue.need_count(), farm.state.shows.len()), (2, 3));
    let shows: Vec<String> = farm.state.settings().shares.into_iter().map(|s| s.show).collect();
    assert_eq!(shows, ["set"]);
    farm.ask(Command::Set(SettingKind::Share, "set".into(), None)).unwrap();
    farm.hand_in(spec("another", vec![step(1, 2, &[])]));
    assert_eq!(farm.state.shows.len(), 3);
}

#[test]
fn ids_are_not_given_out_again_though_the_highest_were_forgotten() {
    let mut farm = Farm::with(Policy { compact_ms: 5_000, keep_ended_ms: 60_000, ..policy() });
    let (a, b) = (farm.worker("a"), farm.worker("b"));
    let first = farm.submit(0, None, vec![step(1, 1, &[])]);
    let last = farm.submit(0, Some("k"), vec![step(1, 1, &[])]);
    let after = Dependency { on: Target::Job(last), same_frames: false };
    let waits = JobTerms { after: vec![after], paused: true, ..JobTerms::default() };
    farm.drain(a, 1, result);
    farm.hand_in(JobSpec { terms: waits, ..spec("s", vec![step(1, 1, &[])]) });
    farm.ask(cancel(JobId(3))).unwrap();
    farm.wait(7, &[a, b]);
    assert_eq!((farm.state.to_forget(9), farm.state.snapshot().leases.len()), (vec![], 0));
    farm.wait(60, &[a, b]);
    assert_eq!(farm.state.to_forget(2), [first, last], "the oldest first");
    for job in [first, last, JobId(3)] {
        farm.ask(Command::Forget(job)).unwrap();
    }
    farm.ask(Command::Leave { worker: b }).unwrap();
    assert_eq!(farm.state.to_forget(9), []);
    let rows = farm.state.snapshot();
    assert_eq!(rows.marks, Marks { job: JobId(3), worker: b });
    assert!(rows.jobs.is_empty() && !rows.workers.contains_key(&b));
    farm.state = State::restore(policy(), rows, farm.state.now).unwrap();
    assert_eq!(farm.submit(0, Some("k"), vec![step(1, 1, &[])]), JobId(4));
    assert_eq!(farm.worker("b"), WorkerId(b.0 + 1));
}

/// What is more urgent goes first though it is of the same show and needs the same, and is counted.
#[test]
fn who_waits_is_told_what_of_its_own_show_goes_first() {
    let mut farm = Farm::new();
    let a = farm.worker("a");
    farm.submit(0, None, vec![step(1, 1, &[])]);
    farm.acquire(a).unwrap();
    let later = farm.submit(0, None, vec![step(1, 2, &[])]);
    let explained = |farm: &Farm| {
        let mut why = farm.state.explain(Target::Job(later)).unwrap();
        why.groups.remove(0).reasons.remove(0)
    };
    assert_eq!(explained(&farm).hold, "flowing");
    farm.submit(9, None, vec![step(1, 7, &[])]);
    let why = explained(&farm);
    assert_eq!(why.hold, "outranked");
    assert!(why.text.contains("; 7 frames of a higher priority wait"), "{}", why.text);
}
