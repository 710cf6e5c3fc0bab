//! What a scheduler reads that follows another.

use super::{noop, sqlite};
use crate::core::{Command, Policy, State};
use crate::store::{Follower, SqlStore, Store};
use platefarm_model::farm::{Dependency, Target};
use platefarm_model::{Code, JobId, Timestamp, WorkerId};

fn rebuilt(stored: crate::core::Snapshot) -> State {
    let state = State::rebuild(Policy::default(), stored, Timestamp(1)).unwrap();
    state.check_invariants().unwrap();
    state
}

/// One job, read by itself, is what it is among all; of the others only those that it waits for are read.
#[tokio::test]
async fn a_job_that_is_read_by_itself_is_what_it_is_among_all() {
    let (_dir, place) = sqlite();
    let mut store = SqlStore::open(place.clone(), "here").await.unwrap();
    let mut state = rebuilt(store.load().await.unwrap());
    let mut after = noop("b", 3);
    after.terms.after = vec![Dependency { on: Target::Job(JobId(1)), same_frames: false }];
    let submit = |spec| Command::Submit(Box::new(spec));
    let register = Command::Register {
        name: "w".into(),
        instance: "w".into(),
        slots: 1,
        backend: "cpu".into(),
        traits: Default::default(),
    };
    let acquire = Command::Acquire { worker: WorkerId(1) };
    for command in [submit(noop("a", 3)), submit(after), submit(noop("c", 3)), register, acquire] {
        let effects = state.step(command, Timestamp(2));
        effects.reply.unwrap();
        store.commit(&effects.changes).await.unwrap();
    }
    let follower = Follower::new(&place).unwrap();
    for (id, read) in [(1, vec![1]), (2, vec![1, 2]), (3, vec![3])] {
        let stored = follower.job(JobId(id)).await.unwrap();
        assert_eq!(stored.jobs.keys().map(|job| job.0).collect::<Vec<_>>(), read);
        assert_eq!(rebuilt(stored).job(JobId(id)), state.job(JobId(id)));
        assert_eq!(follower.show_of(JobId(id)).await.unwrap().as_deref(), Some("test"));
    }
    let none = rebuilt(follower.job(JobId(9)).await.unwrap());
    assert_eq!(none.job(JobId(9)).unwrap_err().code, Code::UnknownJob);
    assert_eq!(follower.show_of(JobId(9)).await.unwrap(), None);
}
