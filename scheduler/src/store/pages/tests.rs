//! What is read in pages is what is read row by row, whatever its length.

use super::{LONG, PAGE};
use crate::core::{Changes, JobRow, LeaseRow, Snapshot, StepState, Steps};
use crate::store::postgres::Cluster;
use crate::store::{Follower, Place, SqlStore, Store, View, parts};
use platefarm_model::farm::{Dependency, JobTerms, StepTerms, Target};
use platefarm_model::job::{StepKind, StepSpec};
use platefarm_model::{
    Code, Fault, FrameRange, FrameSet, JobId, LeaseToken, Outcome, StepId, Timestamp, WorkerId,
};
use std::sync::Arc;
use tokio::sync::mpsc::Receiver;

/// More than a part, and a job of more steps and leases than two pages hold; of every few rows
/// one is too long for a page.
fn many() -> Changes {
    let mut changes = Changes::default();
    let long = |what: &str| what.repeat(LONG / what.len() + 1);
    for number in 1..=(PAGE as u64 * 5 / 2) {
        let id = JobId(number * 3);
        let mut terms = JobTerms::default();
        if number.is_multiple_of(400) {
            let on = |job| Dependency { on: Target::Job(JobId(job)), same_frames: false };
            terms.after = (1..2_000).map(on).collect();
        }
        // Keys are of one job each.
        let keys = [None, Some(""), Some("-"), Some("=")];
        let key = keys.get(number as usize).copied().flatten().map(str::to_owned);
        let job = JobRow {
            id,
            name: "n 'ä' \u{1F39E}".into(),
            show: String::new(),
            priority: -1,
            terms,
            idempotency_key: key,
            submitted: Timestamp(-7),
            finished: number.is_multiple_of(2).then_some(Timestamp(number as i64)),
            cancelled: false,
        };
        changes.jobs.insert(id, job);
        let steps = if number == 7 { PAGE as u32 * 5 / 2 } else { 2 };
        for index in 0..steps {
            let step = StepId { job: id, index };
            let near = number.is_multiple_of(500).then(|| long("/ocf/ä/")).into_iter().collect();
            let spec = StepSpec {
                name: "s \"q\" \u{1f}\u{1e}".into(),
                kind: StepKind::Noop { millis_per_frame: index },
                frames: FrameRange::new(-5, 9).unwrap(),
                after: vec![],
                max_attempts: 3,
                terms: StepTerms { near, ..StepTerms::default() },
            };
            changes.new_steps.insert(step, Arc::new(spec));
            if number.is_multiple_of(300) {
                let first_fault = Some(Fault::new(Code::TruncatedFile, long("cut \0 off ")));
                changes.steps.insert(step, StepState { first_fault, ..StepState::default() });
            }
        }
        let mut done = FrameSet::new();
        let singles = if number.is_multiple_of(700) { 8_000 } else { 1 };
        (0..singles).for_each(|n| done.insert(FrameRange::single(n * 2)));
        for index in 1..steps {
            // Tokens in another order than jobs.
            let token = LeaseToken(100_000_000 - 10_000 * u64::from(index) - number);
            let lease = LeaseRow {
                token,
                step: StepId { job: id, index },
                worker: WorkerId(1),
                granted: FrameRange::new(0, 16_000).unwrap(),
                keep: FrameSet::new(),
                done: done.clone(),
            };
            changes.leases.insert(token, lease);
        }
    }
    changes
}

#[tokio::test]
async fn pages_hold_what_the_rows_say() {
    let dir = tempfile::tempdir().unwrap();
    let sqlite = Place::Sqlite(dir.path().join("farm.db"));
    let cluster = Cluster::start();
    let postgres = cluster.iter().map(|cluster| cluster.database().parse().unwrap());
    let changes = many();
    for place in std::iter::once(sqlite).chain(postgres) {
        let mut store = SqlStore::open(place.clone(), "here").await.unwrap();
        store.load().await.unwrap();
        store.commit(&changes).await.unwrap();
        let loaded = store.load().await.unwrap();
        let mut view = store.view();
        view.open().await.unwrap();
        store.hold(&mut view).await.unwrap();
        let by_row = view.part(Steps::ALL).await.unwrap();
        assert!(loaded == by_row, "{place}: not as row by row");
        assert!(loaded.jobs == changes.jobs && loaded.leases == changes.leases, "{place}");
        for (id, (spec, state)) in &loaded.steps {
            let written = changes.steps.get(id).cloned().unwrap_or_default();
            assert!(*spec == changes.new_steps[id] && *state == written, "{place}: {id}");
        }
        assert_eq!(loaded.steps.len(), changes.new_steps.len());
    }
}

/// What is handed over by a reading that goes well.
async fn handed_over(
    read: impl Future<Output = Outcome<()>>,
    mut taken: Receiver<Snapshot>,
) -> Vec<Snapshot> {
    let gather = async {
        let mut parts = Vec::new();
        while let Some(part) = taken.recv().await {
            parts.push(part);
        }
        parts
    };
    let (read, parts) = tokio::join!(read, gather);
    read.unwrap();
    parts
}

/// The farm's own rows come first, then the jobs in their order, each with all that is its own,
/// whether they are read at once or in turn.
#[tokio::test]
async fn parts_come_in_the_order_of_jobs() {
    let dir = tempfile::tempdir().unwrap();
    let place = Place::Sqlite(dir.path().join("farm.db"));
    let mut store = SqlStore::open(place.clone(), "here").await.unwrap();
    store.load().await.unwrap();
    store.commit(&many()).await.unwrap();
    let whole = store.load().await.unwrap();
    let follower = Follower::new(&place).unwrap();
    let (to, taken) = parts();
    let at_once = handed_over(store.read(to), taken).await;
    let (to, taken) = parts();
    let in_turn = handed_over(follower.read(to), taken).await;
    for parts in [at_once, in_turn] {
        assert!(parts[0].jobs.is_empty() && parts.len() > 3, "{} parts", parts.len());
        let mut all = Snapshot::default();
        for part in parts {
            let before = all.jobs.keys().next_back().copied();
            assert!(part.jobs.keys().all(|job| before < Some(*job)));
            let is_here = |job: JobId| part.jobs.contains_key(&job);
            assert!(part.steps.keys().all(|step| is_here(step.job)));
            assert!(part.leases.values().all(|lease| is_here(lease.step.job)));
            all.append(part);
        }
        assert!(all == whole);
    }
}

/// What cannot be read is an error that names its table, in a page too.
#[tokio::test]
async fn a_page_that_lies_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    for (table, broken) in [
        ("steps", "UPDATE steps SET spec = '{' WHERE job = 300"),
        ("jobs", "UPDATE jobs SET name = name || char(31) WHERE id = 300"),
        ("leases", "UPDATE leases SET granted = 'x' WHERE job = 300"),
    ] {
        let place = Place::Sqlite(dir.path().join(format!("{table}.db")));
        let mut store = SqlStore::open(place.clone(), "here").await.unwrap();
        store.load().await.unwrap();
        store.commit(&many()).await.unwrap();
        let url = place.url().unwrap();
        let mut db = <sqlx::AnyConnection as sqlx::Connection>::connect(&url).await.unwrap();
        sqlx::query(broken).execute(&mut db).await.unwrap();
        drop(db);
        let fault = store.load().await.unwrap_err();
        assert_eq!(fault.code, Code::StoreFailed);
        assert!(fault.message.contains(&format!("'{table}'")), "{fault}");
    }
}
