//! The log over the wire: cut at any point it goes on without loss or
//! repetition, through restarts and changes of the leader too.

use crate::service::tests::{
    Running, acquire, frames, leads, noop, register, report, sqlite, submit,
};
use crate::store::postgres::Cluster;
use platefarm_model::event::{Event, EventKind};
use platefarm_model::{Code, FrameSet};
use platefarm_proto::convert::from_status;
use platefarm_proto::{EventsClient, v1};
use std::time::Duration;
use tonic::Streaming;
use tonic::transport::Channel;

const PATIENCE: Duration = Duration::from_secs(60);

async fn client(running: &Running) -> EventsClient<Channel> {
    EventsClient::new(running.channel().await)
}

async fn watch(
    running: &Running,
    request: v1::WatchEventsRequest,
) -> Streaming<v1::WatchEventsResponse> {
    client(running).await.watch_events(request).await.unwrap().into_inner()
}

fn after(cursor: u64) -> v1::WatchEventsRequest {
    v1::WatchEventsRequest { after: Some(cursor), ..Default::default() }
}

/// All events there are behind a cursor.
async fn rest(running: &Running, request: v1::WatchEventsRequest) -> Vec<Event> {
    let mut stream = watch(running, v1::WatchEventsRequest { once: true, ..request }).await;
    let mut all = Vec::new();
    while let Some(message) = stream.message().await.unwrap() {
        all.extend(message.events.into_iter().map(|event| Event::try_from(event).unwrap()));
    }
    all
}

/// The next events of a stream, until one is of this kind.
async fn until(stream: &mut Streaming<v1::WatchEventsResponse>, kind: EventKind) -> Vec<Event> {
    let read = async {
        let mut all: Vec<Event> = Vec::new();
        while all.last().is_none_or(|event| event.kind != kind) {
            let message = stream.message().await.unwrap().unwrap();
            all.extend(message.events.into_iter().map(|event| Event::try_from(event).unwrap()));
        }
        all
    };
    tokio::time::timeout(PATIENCE, read).await.expect("it is told")
}

/// Does all of a job.
async fn work_off(running: &Running, instance: &str) {
    let mut work = running.work().await;
    let worker = register(&mut work, instance).await;
    while let Some(lease) = acquire(&mut work, worker, 200).await {
        report(&mut work, worker, lease.token, &frames(&lease)).await;
    }
    work.leave(v1::LeaveRequest { worker }).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_log_goes_on_from_where_it_was_cut() {
    let (_dir, place) = sqlite();
    let running = Running::start(&place).await;
    let mut live = watch(&running, v1::WatchEventsRequest::default()).await;
    let begun = live.message().await.unwrap().unwrap();
    assert!(begun.events.is_empty(), "from now on");
    let job = submit(&mut running.farm().await, &noop("a", 40)).await.job;
    work_off(&running, "i").await;
    let told = until(&mut live, EventKind::WorkerLeft).await;
    assert!(told.windows(2).all(|w| w[0].cursor < w[1].cursor && w[0].at <= w[1].at));
    let kinds: Vec<&str> = told.iter().map(|event| event.kind.word()).collect();
    assert_eq!((kinds[0], kinds[1]), ("job.submitted", "worker.joined"));
    assert_eq!(kinds[kinds.len() - 2..], ["job.done", "worker.left"]);
    let sums = told[told.len() - 2].sums.unwrap();
    assert_eq!((sums.total, sums.done, sums.failed), (41, 41, 0));
    let mut done = FrameSet::new();
    for event in told.iter().filter(|e| e.kind == EventKind::FramesDone && e.step == Some(0)) {
        assert!(event.frames.iter().all(|frame| !done.contains(frame)), "told once");
        done.insert_all(&event.frames);
    }
    assert_eq!(done, "1001-1040".parse().unwrap());
    // Cut anywhere: nothing is lost and nothing comes twice.
    for (i, event) in told.iter().enumerate() {
        assert_eq!(rest(&running, after(event.cursor)).await, told[i + 1..], "cut after {i}");
    }
    let filter =
        v1::EventFilter { kinds: vec!["job".into()], jobs: vec![job], ..Default::default() };
    let some = v1::WatchEventsRequest { filter: Some(filter), ..after(begun.cursor) };
    let some: Vec<_> = rest(&running, some).await.iter().map(|e| e.kind).collect();
    assert_eq!(some, [EventKind::JobSubmitted, EventKind::JobDone]);
    running.kill().await;

    let running = Running::start(&place).await;
    let third = told[2].cursor;
    let mut again = watch(&running, after(third)).await;
    let told_again = until(&mut again, EventKind::FarmLed).await;
    assert_eq!(told_again[..told.len() - 3], told[3..], "what was stored before the kill");
    assert!(told_again.last().unwrap().cursor > told.last().unwrap().cursor);
    let ahead = client(&running).await.watch_events(after(u64::MAX)).await.unwrap_err();
    assert_eq!(from_status(&ahead).code, Code::CursorTooOld);
    assert_eq!(ahead.code(), tonic::Code::OutOfRange);
    running.stop().await.unwrap();
}

/// A scheduler that follows sends the log as well, and goes on sending it when it leads.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_log_outlives_its_leader_on_postgres() {
    let Some(cluster) = Cluster::start() else { return };
    let place = cluster.database().parse().unwrap();
    let first = Running::start(&place).await;
    leads(&first).await;
    let second = Running::start(&place).await;
    let mut follower =
        watch(&second, v1::WatchEventsRequest { oldest: true, ..Default::default() }).await;
    submit(&mut first.farm().await, &noop("a", 9)).await;
    work_off(&first, "i").await;
    let mut told = until(&mut follower, EventKind::WorkerLeft).await;
    assert_eq!(told[0].kind, EventKind::FarmLed);
    first.kill().await;
    leads(&second).await;
    submit(&mut second.farm().await, &noop("b", 3)).await;
    work_off(&second, "j").await;
    told.extend(until(&mut follower, EventKind::WorkerLeft).await);
    let oldest = v1::WatchEventsRequest { oldest: true, ..Default::default() };
    assert_eq!(rest(&second, oldest).await, told, "one log, whoever wrote and whoever sent it");
    let led = told.iter().filter(|event| event.kind == EventKind::FarmLed).count();
    assert_eq!(led, 2);
    second.stop().await.unwrap();
}
