//! What every store must do, told once and held against all of them.

use super::memory::MemoryStore;
use super::postgres::Cluster;
use super::{HookRow, HookStore, Place, Reader, SqlStore, Store, View};
use crate::core::{
    Author, Changes, Command, FrameRow, JobRow, LeaseRow, Policy, Reply, Snapshot, State, Steps,
    Trouble, WorkerRow,
};
use crate::sim::Rng;
use platefarm_model::event::{EventFilter, Hook};
use platefarm_model::farm::{
    Control, Dependency, JobTerms, Limit, Node, Pool, PriorityClass, Quarantine, Setting,
    SettingKind, Share, StepTerms, Target, WorkerTraits,
};
use platefarm_model::job::{FrameOutcome, FrameResult, JobSpec, StepKind, StepSpec};
use platefarm_model::{
    Code, Fault, FrameRange, JobId, LeaseToken, Outcome, Secret, StepId, Timestamp, WorkerId,
};
use sqlx::{AnyConnection, Column, Connection, Row, ValueRef};
use std::path::Path;
use std::sync::Arc;

const ID: StepId = StepId { job: JobId(7), index: 0 };

fn frame(step: StepId, frame: i64) -> FrameRow {
    let outcome = FrameOutcome::Done(Box::new(FrameResult {
        frame,
        staged: "/o/.platefarm/1/ä 'quoted'.exr".into(),
        published: "/o/a.exr".into(),
        xxh128: "0".repeat(32),
        bytes: u64::from(u32::MAX) + 1,
        backend: "cpu".into(),
        millis: [("read".to_owned(), 0.1)].into(),
        non_finite: 3,
    }));
    FrameRow { step, token: LeaseToken(9), by: Some(by("node")), outcome }
}

fn by(name: &str) -> Author {
    Author { worker: WorkerId(1), name: name.into() }
}

/// One of everything, with what is awkward: nulls, quotes, NUL in a message, far numbers.
fn everything() -> Changes {
    let mut changes = Changes::default();
    let job = JobRow {
        id: ID.job,
        name: "pull \u{1F39E} 'x'; DROP TABLE jobs; --".into(),
        show: String::new(),
        priority: i32::MIN,
        terms: JobTerms {
            class: PriorityClass::Urgent,
            deadline: Some(Timestamp(1_900_000_000_000_000)),
            max_tasks: Some(3),
            after: vec![Dependency { on: "j3.1".parse().unwrap(), same_frames: true }],
            paused: true,
            submitted_by: Some("ann 'x'".into()),
            ..JobTerms::default()
        },
        idempotency_key: Some("k".into()),
        submitted: Timestamp(1_800_000_000_000_001),
        finished: None,
        cancelled: false,
    };
    let spec = StepSpec {
        name: "s".into(),
        kind: StepKind::Noop { millis_per_frame: 2 },
        frames: FrameRange::new(-5, 1_000_000).unwrap(),
        after: vec![],
        max_attempts: 3,
        terms: StepTerms { frame_limit_s: 9, ..StepTerms::default() },
    };
    let mut state = crate::core::StepState::default();
    let fault = Fault::new(Code::TruncatedFile, "a \0 byte").at("a.dng").remedy("R.");
    let trouble = Trouble {
        attempts: 1,
        excused: 2,
        fault: fault.clone(),
        workers: vec![WorkerId(1), WorkerId(1)],
        since: Timestamp(-4),
    };
    state.failed = "-5,7-9".parse().unwrap();
    state.control.level = Some((PriorityClass::Background, -2));
    state.sealed = "100-200".parse().unwrap();
    state.started = Some(Timestamp(3));
    state.first_fault = Some(fault);
    state.troubles.insert(-3, trouble);
    state
        .losses
        .set(FrameRange::new(1, 4).unwrap(), crate::core::Loss { limit: 2, alone: 1, away: 0 });
    let lease = LeaseRow {
        token: LeaseToken(9),
        step: ID,
        worker: WorkerId(1),
        granted: FrameRange::new(10, 20).unwrap(),
        keep: "12-14,20".parse().unwrap(),
        done: "10-11".parse().unwrap(),
    };
    let worker = WorkerRow {
        id: WorkerId(1),
        name: "node".into(),
        instance: "i".into(),
        slots: 2,
        backend: "gpu: x".into(),
        traits: WorkerTraits {
            labels: ["rack=3".to_owned()].into(),
            memory_mib: 1 << 40,
            ..WorkerTraits::default()
        },
    };
    let quarantine = Quarantine {
        reason: "it's \"sick\"".into(),
        since: Timestamp(7),
        retry_at: Some(Timestamp(9)),
        strikes: 2,
    };
    let node = Node { draining: true, quarantine: Some(quarantine), ..Node::default() };
    for (name, setting) in [
        ("a", Setting::Limit(Limit { count: 4 })),
        (
            "a",
            Setting::Share(Share {
                weight: 3,
                guarantee: 1,
                ceiling: Some(9),
                warm_cpu: 2,
                warm_gpu: 1,
                highest_class: PriorityClass::Normal,
            }),
        ),
        ("a", Setting::Pool(Pool { labels: ["x".to_owned()].into(), reserve: 4 })),
        ("node 'ä'", Setting::Node(node)),
    ] {
        changes.settings.insert((setting.kind(), name.to_owned()), Some(setting));
    }
    changes.jobs.insert(job.id, job.clone());
    changes.jobs.insert(JobId(8), JobRow { id: JobId(8), idempotency_key: None, ..job.clone() });
    changes.jobs.insert(JobId(9), JobRow { id: JobId(9), idempotency_key: None, ..job });
    changes.new_steps.insert(ID, Arc::new(spec));
    changes.steps.insert(ID, state);
    changes.leases.insert(lease.token, lease);
    changes.workers.insert(worker.id, worker);
    changes.frames.push(frame(ID, -5));
    changes
}

fn expected(changes: &Changes) -> Snapshot {
    let step = |(id, spec): (&StepId, &Arc<StepSpec>)| {
        (*id, (Arc::clone(spec), changes.steps.get(id).cloned().unwrap_or_default()))
    };
    Snapshot {
        jobs: changes.jobs.clone(),
        steps: changes.new_steps.iter().map(step).collect(),
        leases: changes.leases.clone(),
        workers: changes.workers.clone(),
        settings: changes
            .settings
            .iter()
            .filter_map(|(k, v)| Some((k.clone(), v.clone()?)))
            .collect(),
        marks: changes.marks(),
    }
}

async fn keeps_what_it_is_given(mut store: impl Store) {
    assert_eq!(store.load().await.unwrap(), Snapshot::default(), "a new store is empty");
    let first = everything();
    store.commit(&first).await.unwrap();
    assert_eq!(store.load().await.unwrap(), expected(&first));

    let mut later = Changes::default();
    let mut whole = first.clone();
    whole.merge({
        let mut job = first.jobs[&ID.job].clone();
        (job.finished, job.cancelled) = (Some(Timestamp(5)), true);
        // Its key goes to a later job in the same transaction.
        let key = job.idempotency_key.take();
        assert!(key.is_some());
        let heir = JobRow { id: JobId(90), idempotency_key: key, ..job.clone() };
        later.jobs.extend([(job.id, job), (heir.id, heir)]);
        let mut lease = first.leases[&LeaseToken(9)].clone();
        (lease.keep, lease.done) = ("".parse().unwrap(), "10-20".parse().unwrap());
        later.leases.insert(lease.token, lease);
        later.steps.insert(ID, Default::default());
        later.settings.insert((SettingKind::Share, "a".into()), None);
        let limit = Setting::Limit(Limit { count: 0 });
        later.settings.insert((SettingKind::Limit, "a".into()), Some(limit));
        later.departed.insert(WorkerId(1), "node".into());
        later.clone()
    });
    store.commit(&later).await.unwrap();
    assert_eq!(store.load().await.unwrap(), expected(&whole));
}

async fn writes_all_or_nothing(mut store: impl Store) {
    store.load().await.unwrap();
    store.commit(&everything()).await.unwrap();
    let before = store.load().await.unwrap();
    let mut twice = Changes { frames: vec![frame(ID, 1), frame(ID, -5)], ..Changes::default() };
    twice.steps.insert(ID, Default::default());
    let fault = store.commit(&twice).await.unwrap_err();
    assert_eq!(fault.code, Code::StoreFailed, "a frame ends once");
    assert_eq!(store.load().await.unwrap(), before, "nothing of it is there");
    assert_eq!(store.reader().frames(ID.job).await.unwrap(), [frame(ID, -5)]);
    twice.frames.pop();
    store.commit(&twice).await.expect("and it goes on");
    assert_eq!(store.reader().frames(ID.job).await.unwrap().len(), 2);
}

async fn strikes_out_what_is_not_kept(mut store: impl Store) {
    store.load().await.unwrap();
    let mut first = everything();
    // Names are as people wrote them, and of some who ended a frame none is known.
    let mut other = frame(ID, 7);
    other.by = Some(by("r\u{e4}ck 'seven'"));
    first.frames.extend([frame(ID, -4), other.clone(), FrameRow { by: None, ..frame(ID, 9) }]);
    store.commit(&first).await.unwrap();
    // A frame that had ended is opened, and ends again in the same transaction.
    let mut again = Changes::default();
    again.reopened.insert(ID, "-5--4".parse().unwrap());
    again.frames.push(frame(ID, -4));
    store.commit(&again).await.unwrap();
    let left = [frame(ID, -4), other, FrameRow { by: None, ..frame(ID, 9) }];
    assert_eq!(store.reader().frames(ID.job).await.unwrap(), left);
    store.commit(&Changes { compacted: [ID.job].into(), ..Changes::default() }).await.unwrap();
    assert_eq!(store.reader().frames(ID.job).await.unwrap(), left, "who did it is not forgotten");
    let mut expected = expected(&first);
    expected.leases.clear();
    assert_eq!(store.load().await.unwrap(), expected);
    store.commit(&Changes { forgotten: [ID.job].into(), ..Changes::default() }).await.unwrap();
    expected.jobs.remove(&ID.job);
    expected.steps.clear();
    expected.marks.job = ID.job;
    assert_eq!(store.load().await.unwrap(), expected);
    // A mark only rises.
    store.commit(&Changes { forgotten: [JobId(1)].into(), ..Changes::default() }).await.unwrap();
    store
        .commit(&Changes { departed: [(WorkerId(1), "node".into())].into(), ..Changes::default() })
        .await
        .unwrap();
    expected.workers.clear();
    expected.marks.worker = WorkerId(1);
    assert_eq!(store.load().await.unwrap(), expected);
    assert_eq!(store.reader().frames(ID.job).await.unwrap(), []);
}

async fn lists_results_in_order(mut store: impl Store) {
    store.load().await.unwrap();
    let other = StepId { job: JobId(70), index: 0 };
    let later = StepId { index: 1, ..ID };
    // Around the sizes in which rows are grouped.
    for (i, count) in [1, 7, 8, 63, 64, 65, 137].into_iter().enumerate() {
        let base = 1000 * i as i64;
        let frames = (0..count).rev().map(|n| frame(if n % 2 == 0 { ID } else { later }, base + n));
        let frames = frames.chain([frame(other, base)]).collect();
        store.commit(&Changes { frames, ..Changes::default() }).await.unwrap();
    }
    let listed = store.reader().frames(ID.job).await.unwrap();
    assert_eq!(listed.len(), 1 + 7 + 8 + 63 + 64 + 65 + 137);
    let keys: Vec<_> = listed.iter().map(|row| (row.step, row.outcome.frame())).collect();
    assert!(keys.is_sorted());
    assert_eq!(listed[0], frame(ID, 0));
    assert_eq!(store.reader().frames(JobId(99)).await.unwrap(), []);
    // A part of a step, from within a row of many frames too.
    let run = (9000..9600).map(|n| frame(later, n)).collect();
    store.commit(&Changes { frames: run, ..Changes::default() }).await.unwrap();
    let all = store.reader().frames(ID.job).await.unwrap();
    for (step, part) in [
        (later, "9000-9599"),
        (later, "9100-9300"),
        (later, "9255-9256"),
        (later, "-50-9000"),
        (ID, "0-9599"),
        (ID, "20000"),
        (other, "0-6000"),
    ] {
        let part: FrameRange = part.parse().unwrap();
        let listed = store.reader().frames_of(step, part).await.unwrap();
        let inside = |row: &&FrameRow| row.step == step && part.contains(row.outcome.frame());
        let of_job = store.reader().frames(step.job).await.unwrap();
        assert_eq!(
            listed,
            of_job.iter().filter(inside).cloned().collect::<Vec<_>>(),
            "{step} {part}"
        );
        assert!(all.len() > listed.len());
    }
}

/// The core driven at random: at every batch, what was stored is the core.
async fn is_the_core(mut store: impl Store, seed: u64) {
    let mut rng = Rng::new(seed);
    let policy = Policy { first_lease_frames: 7, avoid_ms: 0, ..Policy::default() };
    let mut state = State::restore(policy, store.load().await.unwrap(), Timestamp(0)).unwrap();
    let (mut now, mut held) = (0, Vec::new());
    for batch in 0..40 {
        let mut changes = Changes::default();
        for _ in 0..rng.below(12) {
            now += rng.below(900_000) as i64;
            let asked = match rng.below(12) {
                0 => Command::Forget(JobId(1 + rng.below(20))),
                _ => command(&mut rng, &held),
            };
            let effects = state.step(asked, Timestamp(now));
            if let Ok(Reply::Acquired(Some(granted))) = &effects.reply {
                held.push((granted.token, granted.frames));
            }
            changes.merge(effects.changes);
        }
        store.commit(&changes).await.unwrap();
        let stored = store.load().await.unwrap();
        if batch % 8 == 7 {
            state = State::restore(policy, stored.clone(), Timestamp(now)).unwrap();
        }
        assert_eq!(stored, state.snapshot(), "seed {seed}, batch {batch}");
    }
}

pub(super) fn command(rng: &mut Rng, held: &[(LeaseToken, FrameRange)]) -> Command {
    let worker = WorkerId(1 + rng.below(4));
    let spec = |rng: &mut Rng, after: Vec<u32>| StepSpec {
        name: "n".into(),
        kind: StepKind::Noop { millis_per_frame: 0 },
        frames: FrameRange::of_len(1, 1 + rng.below(60)),
        after,
        max_attempts: 2,
        terms: StepTerms::default(),
    };
    match rng.below(12) {
        0 => Command::Submit(Box::new(JobSpec {
            name: "j".into(),
            show: "s".into(),
            priority: rng.below(3) as i32,
            terms: JobTerms::default(),
            idempotency_key: None,
            steps: vec![spec(rng, vec![]), spec(rng, vec![0])],
        })),
        1 => {
            let target = Target::Job(JobId(1 + rng.below(20)));
            let level = Control::Priority { class: None, priority: Some(rng.below(3) as i32) };
            let all =
                [Control::Cancel, Control::Pause, Control::Resume, Control::Retry(None), level];
            Command::Control(target, all[rng.below(5) as usize].clone())
        }
        2 | 3 => Command::Register {
            name: "w".into(),
            instance: format!("i{}", rng.below(6)),
            slots: 2,
            backend: "cpu".into(),
            traits: Default::default(),
        },
        4..7 => Command::Acquire { worker },
        7..10 if !held.is_empty() => {
            let (token, frames) = held[rng.below(held.len() as u64) as usize];
            let outcome = |rng: &mut Rng, frame| match rng.below(5) {
                0 => {
                    let code =
                        [Code::DiskFull, Code::Interrupted, Code::BadRecipe][rng.below(3) as usize];
                    FrameOutcome::Failed { frame, fault: Fault::new(code, "x") }
                }
                _ => self::frame(ID, frame).outcome,
            };
            let outcomes = frames.iter().take(9).map(|f| outcome(rng, f)).collect();
            Command::Report { worker, token, outcomes, last: None }
        }
        10 if rng.below(4) == 0 => Command::Leave { worker },
        _ => Command::Tick,
    }
}

/// A view sees the rows as they were when it was held, whatever is written meanwhile.
async fn is_seen_as_it_was(mut store: impl Store) {
    store.load().await.unwrap();
    let mut view = store.view();
    view.open().await.unwrap();
    let first = everything();
    store.commit(&first).await.unwrap();
    store.hold(&mut view).await.unwrap();
    let id = JobId(91);
    let job = JobRow { id, idempotency_key: None, ..first.jobs[&ID.job].clone() };
    let later = Changes { jobs: [(id, job)].into(), ..Changes::default() };
    store.commit(&later).await.unwrap();
    assert_eq!(
        view.part(Steps::ALL).await.unwrap(),
        expected(&first),
        "nothing of what came later"
    );
    assert_eq!(view.part(Steps::ALL).await.unwrap_err().code, Code::StoreFailed, "it was let go");
    view.open().await.unwrap();
    store.hold(&mut view).await.unwrap();
    assert_eq!(view.part(Steps::ALL).await.unwrap(), store.load().await.unwrap());
    // Of a part there are its jobs, steps and leases, and nothing of the farm.
    for (of, jobs, steps) in [
        (Steps::of_job(ID.job), vec![ID.job], 1),
        (Steps { first: ID, last: ID }, vec![ID.job], 1),
        (
            Steps { first: StepId { index: 1, ..ID }, last: StepId { job: JobId(8), ..ID } },
            vec![ID.job, JobId(8)],
            0,
        ),
        (
            Steps { first: StepId { job: JobId(8), ..ID }, last: Steps::ALL.last },
            vec![JobId(8), JobId(9), id],
            0,
        ),
    ] {
        view.open().await.unwrap();
        store.hold(&mut view).await.unwrap();
        let part = view.part(of).await.unwrap();
        assert_eq!(part.jobs.into_keys().collect::<Vec<_>>(), jobs, "{of:?}");
        assert_eq!((part.steps.len(), part.leases.len()), (steps, steps), "{of:?}");
        assert_eq!(part.workers.is_empty(), !of.are_last(), "{of:?}");
    }
}

/// Everything that holds for any store, on fresh stores made by `open`.
async fn behaves<S: Store>(open: impl AsyncFn() -> S) {
    is_seen_as_it_was(open().await).await;
    keeps_what_it_is_given(open().await).await;
    writes_all_or_nothing(open().await).await;
    lists_results_in_order(open().await).await;
    strikes_out_what_is_not_kept(open().await).await;
    for seed in 1..=3 {
        is_the_core(open().await, seed).await;
    }
}

/// What holds for a store that others could open too.
async fn is_had_by_one(place: Place) {
    let open = || async { SqlStore::open(place.clone(), "here").await };
    let mut first = open().await.unwrap();
    first.load().await.unwrap();
    first.commit(&everything()).await.unwrap();
    assert_eq!(open().await.unwrap_err().code, Code::StoreInUse);
    drop(first);
    let mut second = eventually(open).await;
    assert_eq!(second.load().await.unwrap(), expected(&everything()), "it is all there");
    drop(second);

    let url = place.url().unwrap();
    let mut db = <sqlx::AnyConnection as sqlx::Connection>::connect(&url).await.unwrap();
    sqlx::query("UPDATE schema_version SET version = 999").execute(&mut db).await.unwrap();
    drop(db);
    let fault = eventually_fault(open).await;
    assert_eq!(fault.code, Code::StoreVersion);
    assert!(fault.message.contains("999"), "{fault}");
}

/// A server notices the end of a session a moment after the client.
async fn eventually<S>(open: impl AsyncFn() -> Outcome<S>) -> S {
    for _ in 0..200 {
        match open().await {
            Err(fault) if fault.code == Code::StoreInUse => {
                tokio::time::sleep(std::time::Duration::from_millis(25)).await;
            }
            other => return other.unwrap(),
        }
    }
    panic!("the store stays in use");
}

async fn eventually_fault(open: impl AsyncFn() -> Outcome<SqlStore>) -> Fault {
    for _ in 0..200 {
        match open().await {
            Err(fault) if fault.code != Code::StoreInUse => return fault,
            Ok(_) => panic!("it opened"),
            Err(_) => tokio::time::sleep(std::time::Duration::from_millis(25)).await,
        }
    }
    panic!("the store stays in use");
}

#[tokio::test]
async fn the_memory_store_behaves() {
    behaves(async || MemoryStore::default()).await;
}

#[tokio::test]
async fn the_sqlite_store_behaves() {
    let dir = tempfile::tempdir().unwrap();
    let count = std::cell::Cell::new(0);
    let fresh = || {
        count.set(count.get() + 1);
        Place::Sqlite(dir.path().join(format!("a b/?{}#.db", count.get())))
    };
    behaves(async || SqlStore::open(fresh(), "here").await.unwrap()).await;
    is_had_by_one(fresh()).await;
}

#[tokio::test]
async fn the_postgres_store_behaves() {
    let Some(cluster) = Cluster::start() else { return };
    behaves(async || SqlStore::open(cluster.database().parse().unwrap(), "here").await.unwrap())
        .await;
    is_had_by_one(cluster.database().parse().unwrap()).await;
}

#[tokio::test]
async fn a_store_that_cannot_be_had_says_where_and_why() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("not-a-database");
    std::fs::write(&file, "this is a text of more than sixteen bytes").unwrap();
    let fault = SqlStore::open(Place::Sqlite(file), "here").await.unwrap_err();
    assert_eq!(fault.code, Code::StoreFailed);
    assert!(fault.to_string().contains("not-a-database"), "{fault}");
    let nobody = "postgres://nobody@127.0.0.1:1/none".parse().unwrap();
    assert_eq!(SqlStore::open(nobody, "here").await.unwrap_err().code, Code::StoreFailed);
}

/// What earlier versions wrote opens whole, on both databases: `fixtures/README.md`.
#[tokio::test]
async fn a_store_of_an_earlier_version_opens_whole() {
    let cluster = Cluster::start();
    let dir = tempfile::tempdir().unwrap();
    for place in written_by(1, dir.path(), cluster.as_ref()).await {
        version_1_is_whole(place).await;
    }
    for place in written_by(6, dir.path(), cluster.as_ref()).await {
        version_6_is_whole(place).await;
    }
    for place in written_by(7, dir.path(), cluster.as_ref()).await {
        version_7_is_whole(place).await;
    }
}

/// Copies of a store of a version: the file, and the same rows in a database that is as that
/// version made it.
async fn written_by(version: usize, dir: &Path, cluster: Option<&Cluster>) -> Vec<Place> {
    let name = format!("store_v{version}.db");
    let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures");
    let file = dir.join(&name);
    std::fs::copy(fixtures.join(&name), &file).unwrap();
    let mut places = vec![Place::Sqlite(file)];
    if let Some(cluster) = cluster {
        let place: Place = cluster.database().parse().unwrap();
        transplant(version, &places[0], &place).await;
        places.push(place);
    }
    places
}

async fn transplant(version: usize, from: &Place, to: &Place) {
    sqlx::any::install_default_drivers();
    let connect =
        async |place: &Place| AnyConnection::connect(&place.url().unwrap()).await.unwrap();
    let (mut from, mut to) = (connect(from).await, connect(to).await);
    super::schema::migrate_to(version, &mut to, false, "there").await.unwrap();
    let tables = sqlx::query("SELECT name FROM sqlite_master WHERE type = 'table'");
    for table in tables.fetch_all(&mut from).await.unwrap() {
        let table: String = table.get(0);
        let sql = |text: String| sqlx::AssertSqlSafe(text);
        sqlx::query(sql(format!("DELETE FROM {table}"))).execute(&mut to).await.unwrap();
        let rows = sqlx::query(sql(format!("SELECT * FROM {table}")));
        for row in rows.fetch_all(&mut from).await.unwrap() {
            // What is null has no type that the other database would take.
            let there = |i: &usize| !row.try_get_raw(*i).unwrap().is_null();
            let there: Vec<usize> = (0..row.len()).filter(there).collect();
            let names: Vec<&str> = there.iter().map(|i| row.column(*i).name()).collect();
            let marks: Vec<String> = (1..=there.len()).map(|n| format!("${n}")).collect();
            let (names, marks) = (names.join(", "), marks.join(", "));
            let insert = sql(format!("INSERT INTO {table} ({names}) VALUES ({marks})"));
            let mut insert = sqlx::query(insert);
            for i in there {
                insert = match (row.try_get::<i64, _>(i), row.try_get::<String, _>(i)) {
                    (Ok(number), _) => insert.bind(number),
                    (_, Ok(text)) => insert.bind(text),
                    _ => insert.bind(row.get::<Vec<u8>, _>(i)),
                };
            }
            insert.execute(&mut to).await.unwrap();
        }
    }
}

async fn version_1_is_whole(place: Place) {
    let mut store = SqlStore::open(place.clone(), "here").await.unwrap();
    let whole = of_version_1(&everything());
    assert_eq!(store.load().await.unwrap(), whole, "{place}");
    let fault = Fault::new(Code::TruncatedFile, "cut").at("a.dng");
    let failed = FrameOutcome::Failed { frame: 9, fault };
    let mut rows: Vec<FrameRow> =
        [-5, 1000].into_iter().chain(2000..2007).chain(3000..3070).map(|n| frame(ID, n)).collect();
    rows.insert(1, FrameRow { outcome: failed, ..frame(ID, 9) });
    assert_eq!(store.reader().frames(ID.job).await.unwrap(), rows);
    // It goes on from there, and opens again.
    let frames = vec![frame(ID, 1001)];
    store.commit(&Changes { frames, ..Changes::default() }).await.unwrap();
    drop(store);
    let mut again = eventually(async || SqlStore::open(place.clone(), "here").await).await;
    assert_eq!(again.load().await.unwrap(), whole);
    assert_eq!(again.reader().frames(ID.job).await.unwrap().len(), rows.len() + 1);
}

/// It kept workers that had left; their ids are not given out again.
async fn version_6_is_whole(place: Place) {
    let mut store = SqlStore::open(place.clone(), "here").await.unwrap();
    let stored = store.load().await.unwrap();
    let mut whole = of_version_1(&everything());
    whole.leases.values_mut().for_each(|lease| lease.worker = WorkerId(2));
    whole.workers = stored.workers.clone();
    whole.marks.worker = WorkerId(1);
    assert_eq!(stored, whole, "{place}");
    let names: Vec<_> = stored.workers.values().map(|w| (w.id, w.name.as_str())).collect();
    assert_eq!(names, [(WorkerId(2), "node")]);
}

/// It did not say who ended a frame: that is known as far as leases and workers are kept.
async fn version_7_is_whole(place: Place) {
    let mut store = SqlStore::open(place.clone(), "here").await.unwrap();
    store.load().await.unwrap();
    let rows = store.reader().frames(ID.job).await.unwrap();
    let said: Vec<_> =
        rows.into_iter().map(|row| (row.outcome.frame(), row.token, row.by)).collect();
    let holder = Some(Author { worker: WorkerId(2), name: "node".into() });
    let (kept, struck) = (LeaseToken(9), LeaseToken(8));
    assert_eq!(
        said,
        [(-5, kept, holder.clone()), (-4, kept, holder), (1000, struck, None)],
        "under a lease that is kept, and under one that was struck out, at {place}"
    );
}

/// What the first version could say of it.
fn of_version_1(changes: &Changes) -> Snapshot {
    let mut whole = expected(changes);
    whole.settings.clear();
    whole.jobs.values_mut().for_each(|job| job.terms = JobTerms::default());
    whole.workers.values_mut().for_each(|worker| worker.traits = WorkerTraits::default());
    for (spec, state) in whole.steps.values_mut() {
        *spec = Arc::new(StepSpec { terms: StepTerms::default(), ..spec.as_ref().clone() });
        state.control = Default::default();
        (state.sealed, state.started) = (Default::default(), None);
    }
    whole
}

/// One that leads no more writes nothing, even on a connection that works.
#[tokio::test]
async fn a_deposed_scheduler_writes_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let sqlite = Place::Sqlite(dir.path().join("farm.db"));
    let cluster = Cluster::start();
    let postgres = cluster.iter().map(|cluster| cluster.database().parse().unwrap());
    for place in std::iter::once(sqlite).chain(postgres) {
        let mut store = SqlStore::open(place.clone(), "old").await.unwrap();
        store.load().await.unwrap();
        store.commit(&everything()).await.unwrap();
        let hooks = HookStore::beside(&place).unwrap();
        let mut row = hook();
        hooks.insert(&row).await.unwrap();
        row.hook.cursor = 8;
        hooks.note(&row.hook, &store.reign()).await.unwrap();
        let mut view = store.view();
        view.open().await.unwrap();
        depose(&place).await;
        row.hook.cursor = 9;
        let noted = hooks.note(&row.hook, &store.reign()).await;
        assert_eq!(noted.unwrap_err().code, Code::NotLeader);
        assert_eq!(hooks.all().await.unwrap()[0].hook.cursor, 8, "the next leader goes on there");
        let seen = store.hold(&mut view).await;
        assert_eq!(seen.unwrap_err().code, Code::NotLeader, "what is stored is another's");
        let late = Changes { frames: vec![frame(ID, 77)], ..Changes::default() };
        assert_eq!(store.commit(&late).await.unwrap_err().code, Code::NotLeader);
        assert_eq!(store.reader().frames(ID.job).await.unwrap(), [frame(ID, -5)]);
    }
}

fn hook() -> HookRow {
    let hook = Hook {
        id: "4f1c9a03be77".into(),
        url: "https://hooks.example/farm".into(),
        filter: EventFilter::default(),
        created: Timestamp(1),
        created_by: "ann".into(),
        cursor: 7,
        failures: 0,
        trouble: String::new(),
        next_try: None,
    };
    HookRow { hook, secret: Secret::new("s") }
}

/// Another scheduler begins an epoch.
async fn depose(place: &Place) {
    let url = place.url().unwrap();
    let mut db = <sqlx::AnyConnection as sqlx::Connection>::connect(&url).await.unwrap();
    sqlx::query("UPDATE leadership SET epoch = epoch + 1").execute(&mut db).await.unwrap();
}

/// What was read while another took the store is of two farms, and none.
#[tokio::test]
async fn a_deposed_scheduler_believes_nothing_that_it_reads() {
    let dir = tempfile::tempdir().unwrap();
    let place = Place::Sqlite(dir.path().join("farm.db"));
    let mut store = SqlStore::open(place.clone(), "old").await.unwrap();
    store.load().await.unwrap();
    depose(&place).await;
    assert_eq!(store.load().await.unwrap_err().code, Code::NotLeader);
    assert_eq!(store.log_end().await.unwrap_err().code, Code::StoreFailed);
    store.load().await.unwrap();
}

/// The database is killed in the middle of a commit: what was acknowledged is there, and at most what was not.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_committed_outlives_a_database_that_is_killed() {
    let Some(cluster) = Cluster::that_flushes(true) else { return };
    let place: Place = cluster.database().parse().unwrap();
    let mut store = SqlStore::open(place.clone(), "here").await.unwrap();
    store.load().await.unwrap();
    let template = JobRow { idempotency_key: None, ..everything().jobs[&ID.job].clone() };
    let cluster = Arc::new(cluster);
    let killed = Arc::clone(&cluster);
    let kill = tokio::task::spawn_blocking(move || {
        std::thread::sleep(std::time::Duration::from_millis(150));
        killed.kill();
    });
    let mut acknowledged = 0;
    loop {
        let id = JobId(acknowledged + 1);
        let jobs = [(id, JobRow { id, ..template.clone() })].into();
        if store.commit(&Changes { jobs, ..Changes::default() }).await.is_err() {
            break;
        }
        acknowledged += 1;
    }
    kill.await.unwrap();
    assert!(acknowledged > 0, "it was killed before it wrote anything");
    cluster.up();
    drop(store);
    let mut store = eventually(async || SqlStore::open(place.clone(), "here").await).await;
    let jobs = store.load().await.unwrap().jobs;
    let all: Vec<u64> = jobs.keys().map(|id| id.0).collect();
    assert!(all.starts_with(&(1..=acknowledged).collect::<Vec<_>>()), "{acknowledged}: {all:?}");
    assert!(all.len() as u64 <= acknowledged + 1, "{acknowledged}: {all:?}");
}

/// A copy made in the middle of writing holds whole transactions, and what is put back is what was copied.
#[tokio::test]
async fn a_store_is_copied_while_it_is_written_and_put_back() {
    use super::backup::{backup, bytes_in_use, restore};
    let dir = tempfile::tempdir().unwrap();
    let place = Place::Sqlite(dir.path().join("farm.db"));
    let copy = dir.path().join("copy.db");
    let fault = backup(&place, &copy).await.unwrap_err();
    assert_eq!(fault.code, Code::FileNotFound);
    assert_eq!(bytes_in_use(&place).await, None);
    assert!(!dir.path().join("farm.db").exists(), "who looks makes nothing");
    let mut store = SqlStore::open(place.clone(), "here").await.unwrap();
    let mut state =
        State::restore(Policy::default(), store.load().await.unwrap(), Timestamp(9)).unwrap();
    let mut rng = Rng::new(5);
    let mut commit = async |store: &mut SqlStore, count: usize| {
        for _ in 0..count {
            let submit = loop {
                if let Command::Submit(spec) = command(&mut rng, &[]) {
                    break Command::Submit(spec);
                }
            };
            store.commit(&state.step(submit, Timestamp(9)).changes).await.unwrap();
        }
    };
    commit(&mut store, 20).await;
    let (made, ()) = tokio::join!(backup(&place, &copy), commit(&mut store, 200));
    let made = made.unwrap();
    assert!((20..=220).contains(&made.jobs), "{made:?}");
    assert_eq!(backup(&place, &copy).await.unwrap_err().code, Code::OutputExists);
    assert_eq!(restore(&place, &copy).await.unwrap_err().code, Code::StoreInUse);
    drop(store);
    let (put_back, aside) = restore(&place, &copy).await.unwrap();
    assert_eq!(put_back.jobs, made.jobs);
    let told = bytes_in_use(&place).await.expect("a store says how much it holds");
    assert!((made.bytes / 2..=made.bytes * 2).contains(&told), "{told} of {made:?}");
    let mut store = SqlStore::open(place, "here").await.unwrap();
    assert_eq!(store.load().await.unwrap().jobs.len(), made.jobs);
    let mut old = SqlStore::open(Place::Sqlite(aside.unwrap()), "here").await.unwrap();
    assert_eq!(old.load().await.unwrap().jobs.len(), 220, "and nothing is thrown away");
    let broken = dir.path().join("broken.db");
    std::fs::write(&broken, "no store at all, but long enough to look").unwrap();
    let other = Place::Sqlite(dir.path().join("other.db"));
    assert_eq!(restore(&other, &broken).await.unwrap_err().code, Code::StoreFailed);
}
