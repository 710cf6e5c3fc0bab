//! What must hold when the same is asked, or the same number could be given
//! out, once more: keys of jobs, and tokens of leases; and when the core is made again.

use super::*;
use platefarm_model::farm::{Dependency, JobTerms};

/// "Submit it again" is what a cancelled or failed job tells people to do.
#[test]
fn a_job_that_ended_badly_gives_up_its_key() {
    let mut farm = Farm::new();
    let worker = farm.worker("a");
    let cancelled = farm.submit(0, Some("k"), vec![step(1, 1, &[])]);
    farm.ask(cancel(cancelled)).unwrap();
    let failed = farm.submit(0, Some("k"), vec![step(1, 1, &[])]);
    assert_ne!(failed, cancelled);
    farm.drain(worker, 1, |frame| failure(frame, Code::BadSpec));
    assert_eq!(farm.phase(failed), Phase::Failed);
    let done = farm.submit(0, Some("k"), vec![step(1, 1, &[])]);
    assert_ne!(done, failed);
    farm.drain(worker, 1, result);
    assert_eq!(farm.phase(done), Phase::Done);
    assert_eq!(farm.submit(0, Some("k"), vec![step(1, 1, &[])]), done, "what is done is done");
}

/// A key that stands for two jobs would hand somebody the frames of another.
#[test]
fn another_job_under_the_same_key_is_refused() {
    let mut farm = Farm::new();
    let worker = farm.worker("a");
    let keyed = |spec: JobSpec| JobSpec { idempotency_key: Some("k".into()), ..spec };
    let first = farm.hand_in(keyed(spec("s", vec![step(1, 2, &[])])));
    let slower = StepSpec { kind: StepKind::Noop { millis_per_frame: 9 }, ..step(1, 2, &[]) };
    let named = JobSpec { name: "i".into(), ..spec("s", vec![step(1, 2, &[])]) };
    let others = [
        (named, "name is 'j' and not 'i'"),
        (spec("t", vec![step(1, 2, &[])]), "show is 's' and not 't'"),
        (spec("s", vec![step(1, 2, &[]), step(1, 1, &[])]), "1 steps and not 2"),
        (spec("s", vec![step(1, 9, &[])]), "'n', noop of 1-2 and not 'n', noop of 1-9"),
        (spec("s", vec![slower]), "in another way"),
    ];
    for (other, said) in others {
        let refused = farm.ask(Command::Submit(Box::new(keyed(other)))).unwrap_err();
        assert_eq!(refused.code, Code::KeyTaken);
        assert!(refused.message.starts_with("the key 'k' is of j1, "), "{refused}");
        assert!(refused.message.contains(said), "{refused}");
        assert_eq!(refused.place.as_deref(), Some("idempotency_key"));
    }
    assert_eq!(farm.hand_in(keyed(spec("s", vec![step(1, 2, &[])]))), first);
    // Once it has given up its key, that is anybody's.
    farm.drain(worker, 1, |frame| failure(frame, Code::BadSpec));
    assert_ne!(farm.hand_in(keyed(spec("s", vec![step(1, 9, &[])]))), first);
}

/// A store that is lost or older than what was answered from it must not give
/// out a token twice: files and late reports are told apart by it alone.
#[test]
fn tokens_are_not_given_out_again_when_the_store_is_lost() {
    let token = |state: &mut State, seconds: i64| {
        let now = Timestamp(seconds * 1_000_000);
        let spec = JobSpec {
            name: "j".into(),
            show: "s".into(),
            priority: 0,
            terms: Default::default(),
            idempotency_key: None,
            steps: vec![step(1, 9, &[])],
        };
        state.step(Command::Submit(Box::new(spec)), now).reply.unwrap();
        let register = Command::Register {
            name: "w".into(),
            instance: "w".into(),
            slots: 1,
            backend: "cpu".into(),
            traits: Default::default(),
        };
        let Ok(Reply::Registered(worker)) = state.step(register, now).reply else { panic!() };
        match state.step(Command::Acquire { worker }, now).reply {
            Ok(Reply::Acquired(Some(lease))) => lease.token,
            other => panic!("{other:?}"),
        }
    };
    let mut first = State::new(policy(), Timestamp(1_000_000_000));
    let copy = first.snapshot();
    let given = token(&mut first, 1000);
    let mut lost = State::new(policy(), Timestamp(1_001_000_000));
    assert!(token(&mut lost, 1001) > given);
    let mut older = State::restore(policy(), copy, Timestamp(1_002_000_000)).unwrap();
    assert!(token(&mut older, 1002) > given);
    // A clock that was set back does not: what is stored counts, and so does what
    // may have been given out behind it.
    let stored = older.snapshot();
    let unstored = token(&mut older, 1003);
    let mut back = State::restore(policy(), stored, Timestamp(5)).unwrap();
    assert!(token(&mut back, 5) > unstored);
}

/// One that is heard of and lost must not come back under another core, however soon that begins.
#[test]
fn a_lease_is_heard_of_early_only_where_its_token_cannot_come_back() {
    let mut farm = Farm::new();
    let worker = farm.worker("a");
    farm.submit(0, None, vec![step(1, 100, &[])]);
    let now = Timestamp(0);
    let first = farm.acquire(worker).unwrap();
    assert!(!farm.state.may_go(&first, |_| false), "nothing of this core is stored");
    let rows = farm.state.snapshot();
    let stored = Changes { leases: rows.leases.clone(), ..Changes::default() };
    farm.state.stored(&stored);
    let lost = farm.acquire(worker).unwrap();
    assert!(farm.state.may_go(&lost, |_| false) && !farm.state.may_go(&lost, |_| true));
    // Two cores follow at once, of the same rows: what the first gives out, the second does, too.
    let give = |core: &mut State| match core.step(Command::Acquire { worker }, now).reply {
        Ok(Reply::Acquired(Some(granted))) => granted,
        other => panic!("{other:?}"),
    };
    let [mut next, mut after] =
        [(); 2].map(|()| State::restore(policy(), rows.clone(), now).unwrap());
    let (given, again) = (give(&mut next), give(&mut after));
    assert!(given.token > lost.token && given.token == again.token);
    assert!(!next.may_go(&given, |_| false), "so it is not heard of before it is stored");
    next.stored(&stored);
    assert!(!next.may_go(&given, |_| false), "nor when an older one is");
}

/// To read a large farm takes seconds. They cost nobody a lease; what fell due meanwhile may
/// begin, and what waits for a job of a later part waits.
#[test]
fn a_core_that_took_long_to_make_is_as_one_made_at_once() {
    let mut farm = Farm::new();
    let worker = farm.worker("a");
    let first = farm.submit(0, None, vec![step(1, 8, &[])]);
    let lease = farm.acquire(worker).unwrap();
    let terms = JobTerms { start_after: Some(Timestamp(5_000_000)), ..JobTerms::default() };
    farm.hand_in(JobSpec { terms, ..spec("s", vec![step(1, 1, &[])]) });
    let last = farm.submit(0, None, vec![step(1, 1, &[])]);
    let after = Dependency { on: Target::Job(last), same_frames: false };
    farm.control(&first.to_string(), Control::Depend(after)).unwrap();
    let rows = farm.state.snapshot();

    let [begun, ended] = [1_000_000, 9_000_000].map(Timestamp);
    let made = of_parts(policy(), rows.clone(), [begun, ended]).unwrap();
    assert_eq!(made.snapshot(), rows);
    let full = ended.plus_millis(policy().lease_ttl_ms);
    assert_eq!(made.leases[&lease.token].deadline, full);
    assert_eq!(made.workers[&worker].last_seen, ended);
    let at_once = State::restore(policy(), rows, ended).unwrap();
    assert_eq!(shape(&made), shape(&at_once));
}
