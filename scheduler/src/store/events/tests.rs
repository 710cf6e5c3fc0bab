//! The log on every store: it goes on from any cursor, refuses one that it
//! does not reach back to, and tells all that the core did.

use crate::core::{Asked, Changes, EventRow, News, Policy, Reply, State};
use crate::sim::Rng;
use crate::store::postgres::Cluster;
use crate::store::suite::command;
use crate::store::{Kept, LogEnd, Place, Reader, Reign, SqlStore, Store};
use platefarm_model::event::{Event, EventKind};
use platefarm_model::{Code, FrameSet, StepId, Timestamp};
use std::collections::BTreeMap;
use std::time::Duration;

fn event(number: u64) -> Event {
    Event { name: number.to_string(), ..Event::new(EventKind::WorkerLeft) }
}

/// Commits `count` rows of so many events each, the times in seconds from 0.
async fn write(store: &mut SqlStore, count: u64, each: u64) -> LogEnd {
    let mut end = store.log_end().await.unwrap();
    for row in 0..count {
        let events: Vec<Event> = (0..each).map(|n| event(row * each + n)).collect();
        let row = EventRow::of(&events, end, 500, Timestamp(row as i64 * 1_000_000)).unwrap();
        end = row.end();
        store.commit(&Changes { events: vec![row], ..Changes::default() }).await.unwrap();
        assert_eq!(store.log_end().await.unwrap(), end);
    }
    end
}

async fn all_after(reader: &impl Reader, mut cursor: u64) -> Vec<Event> {
    let mut all = Vec::new();
    loop {
        let rows = reader.events(cursor).await.unwrap();
        let Some(last) = rows.last() else { return all };
        let events = rows.iter().flat_map(|row| row.events().unwrap());
        all.extend(events.filter(|event| event.cursor > cursor));
        cursor = last.last;
    }
}

async fn goes_on_from_any_cursor(place: Place) {
    let mut store = SqlStore::open(place.clone(), "here").await.unwrap();
    store.load().await.unwrap();
    let reader = store.reader();
    assert_eq!(reader.log_ends().await.unwrap(), (0, 0));
    assert_eq!(reader.events(0).await.unwrap(), []);
    assert_eq!(reader.events(1).await.unwrap_err().code, Code::CursorTooOld, "of another farm");
    let end = write(&mut store, 100, 3).await;
    assert_eq!((end.last, reader.log_ends().await.unwrap()), (800, (0, 800)));
    let all = all_after(&reader, 0).await;
    assert_eq!(all.len(), 300);
    assert_eq!((all[0].cursor, all[299].cursor), (501, 800));
    assert_eq!((all[3].at, all[299].name.as_str()), (Timestamp(1_000_000), "299"));
    for from in [501, 502, 503, 640, 799, 800] {
        assert_eq!(all_after(&reader, from).await, all[(from - 500) as usize..], "{from}");
    }
    assert_eq!(reader.events(801).await.unwrap_err().code, Code::CursorTooOld, "ahead of the log");
    // Whoever opens it next goes on behind it.
    drop(store);
    let mut store = SqlStore::open(place, "there").await.unwrap();
    store.load().await.unwrap();
    assert_eq!(store.log_end().await.unwrap(), end);
    // Nothing is dropped while there is little.
    let none = Kept { time: Duration::ZERO, bytes: 0 };
    assert_eq!(
        store.reader().drop_old_events(none, Timestamp(i64::MAX), &store.reign()).await.unwrap(),
        0
    );
}

async fn drops_what_is_too_old(place: Place) {
    let mut store = SqlStore::open(place, "here").await.unwrap();
    store.load().await.unwrap();
    let end = write(&mut store, 3100, 1).await;
    let (reader, reign) = (store.reader(), store.reign());
    // The row of second 999 is the last of the first thousand.
    let kept = Kept { time: Duration::from_secs(2000), bytes: u64::MAX };
    let early = reader.drop_old_events(kept, Timestamp(2_999_000_000), &reign).await.unwrap();
    assert_eq!(early, 0, "it is to be kept for 2000 s");
    let dropped = reader.drop_old_events(kept, Timestamp(3_099_000_000), &reign).await.unwrap();
    assert_eq!(dropped, 1000);
    assert_eq!(reader.log_ends().await.unwrap(), (1500, 3600));
    let fault = reader.events(1499).await.unwrap_err();
    assert_eq!(fault.code, Code::CursorTooOld);
    assert!(fault.message.contains("1499") && fault.message.contains("1500"), "{fault}");
    assert_eq!(all_after(&reader, 1500).await.len(), 2100);
    let small = Kept { time: Duration::MAX, bytes: 0 };
    // In the name of one who led before, nothing goes.
    let fault = reader.drop_old_events(small, Timestamp(0), &Reign::default()).await.unwrap_err();
    assert_eq!(fault.code, Code::NotLeader);
    assert_eq!(reader.log_ends().await.unwrap(), (1500, 3600));
    assert_eq!(reader.drop_old_events(small, Timestamp(0), &reign).await.unwrap(), 2000);
    assert_eq!(store.log_end().await.unwrap(), end, "and goes on from where it was");
    assert_eq!(all_after(&reader, 3500).await.len(), 100);
}

#[tokio::test]
async fn the_log_on_sqlite() {
    let dir = tempfile::tempdir().unwrap();
    goes_on_from_any_cursor(Place::Sqlite(dir.path().join("a.db"))).await;
    drops_what_is_too_old(Place::Sqlite(dir.path().join("b.db"))).await;
}

#[tokio::test]
async fn the_log_on_postgres() {
    let Some(cluster) = Cluster::start() else { return };
    goes_on_from_any_cursor(cluster.database().parse().unwrap()).await;
    drops_what_is_too_old(cluster.database().parse().unwrap()).await;
}

/// Whatever happens, who adds up the events has the farm: every frame that is
/// done or given up, every job that was handed in, and how each ended.
#[test]
fn events_add_up_to_the_farm() {
    for seed in 0..60 {
        let mut rng = Rng::new(seed);
        let policy = Policy { first_lease_frames: 7, avoid_ms: 0, ..Policy::default() };
        let mut state = State::new(policy, Timestamp(0));
        let (mut now, mut held) = (0, Vec::new());
        let (mut news, mut told) = (News::default(), Vec::new());
        for turn in 0..400 {
            now += rng.below(900_000) as i64;
            let command = command(&mut rng, &held);
            let asked = Asked::of(&command, &state);
            let effects = state.step(command, Timestamp(now));
            news.tell(asked, &effects, &state);
            if let Ok(Reply::Acquired(Some(granted))) = &effects.reply {
                held.push((granted.token, granted.frames));
            }
            if turn % 5 == 0 {
                told.append(&mut news.take());
            }
        }
        told.append(&mut news.take());
        let mut done: BTreeMap<StepId, FrameSet> = BTreeMap::new();
        let mut failed: BTreeMap<StepId, FrameSet> = BTreeMap::new();
        let mut ends = BTreeMap::new();
        let mut jobs = 0;
        for event in told {
            let step = event.job.zip(event.step).map(|(job, index)| StepId { job, index });
            match (event.kind, step) {
                (EventKind::FramesDone, Some(step)) => {
                    let of_step = done.entry(step).or_default();
                    assert!(
                        event.frames.iter().all(|f| !of_step.contains(f)),
                        "seed {seed}: twice"
                    );
                    of_step.insert_all(&event.frames);
                }
                (EventKind::FramesFailed, Some(step)) => {
                    failed.entry(step).or_default().insert_all(&event.frames);
                }
                (EventKind::FramesRetried, Some(step)) => {
                    failed.entry(step).or_default().remove_all(&event.frames);
                    ends.remove(&step.job);
                }
                (EventKind::JobSubmitted, _) => jobs += 1,
                (EventKind::JobChanged, _) if event.detail.contains("tried again") => {
                    event.job.map(|job| ends.remove(&job));
                }
                (kind, _) if kind.is_end() => {
                    let before = ends.insert(event.job.unwrap(), kind);
                    assert_eq!(before, None, "seed {seed}: {event:?} ended before");
                }
                _ => {}
            }
        }
        let all = state.jobs(false);
        assert_eq!(jobs, all.len(), "seed {seed}");
        for job in all {
            let job = state.job(job.id).unwrap();
            for step in &job.steps {
                let of = |told: &BTreeMap<StepId, FrameSet>| {
                    told.get(&step.id).cloned().unwrap_or_default()
                };
                assert_eq!(of(&done), step.done, "seed {seed}, {}", step.id);
                assert_eq!(of(&failed), step.failed, "seed {seed}, {}", step.id);
            }
            let end = ends.get(&job.id).map(|kind| kind.word());
            let word = job.phase.is_settled().then(|| format!("job.{}", job.phase.word()));
            assert_eq!(end.map(str::to_owned), word, "seed {seed}, {}", job.id);
        }
    }
}
