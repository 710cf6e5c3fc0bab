//! The agent against a scheduler that refuses, forgets, loses answers and dies.

mod common;

use common::{Fake, Running};
use platefarm_model::job::{FrameOutcome, FrameResult, StageMillis};
use platefarm_model::{Code, Fault, FrameRange, LeaseToken};
use platefarm_proto::v1::Verdict;
use platefarm_worker::kinds::Task;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::{Arc, Condvar, Mutex};
use std::time::{Duration, Instant};

const ANYWHERE: SocketAddr =
    SocketAddr::new(std::net::IpAddr::V4(std::net::Ipv4Addr::LOCALHOST), 0);

/// Writes a file for the frame, as a render does; the step's name is the directory.
fn write_file(task: &Task<'_>, frame: i64) -> FrameOutcome {
    let out = Path::new(&task.lease.spec.name);
    let staging = out.join(".platefarm").join(task.lease.token.to_string());
    std::fs::create_dir_all(&staging).unwrap();
    let staged = staging.join(format!("a.{frame}.exr"));
    std::fs::write(&staged, format!("{frame} by {}", task.lease.token)).unwrap();
    FrameOutcome::Done(Box::new(FrameResult {
        frame,
        staged: staged.to_str().unwrap().into(),
        published: out.join(format!("a.{frame}.exr")).to_str().unwrap().into(),
        xxh128: String::new(),
        bytes: 0,
        backend: "test".into(),
        millis: StageMillis::new(),
        non_finite: 0,
    }))
}

fn nothing(frame: i64) -> FrameOutcome {
    FrameOutcome::Done(Box::new(FrameResult {
        frame,
        staged: String::new(),
        published: String::new(),
        xxh128: String::new(),
        bytes: 0,
        backend: "test".into(),
        millis: StageMillis::new(),
        non_finite: 0,
    }))
}

/// Frames that wait to be let through, one permit each.
#[derive(Clone, Default)]
struct Gate(Arc<(Mutex<u32>, Condvar)>);

impl Gate {
    fn open(&self, frames: u32) {
        *self.0.0.lock().unwrap() += frames;
        self.0.1.notify_all();
    }

    fn pass(&self) {
        let mut free = self.0.0.lock().unwrap();
        while *free == 0 {
            free = self.0.1.wait(free).unwrap();
        }
        *free -= 1;
    }
}

fn published(dir: &Path) -> Vec<String> {
    let mut names: Vec<_> = std::fs::read_dir(dir)
        .unwrap()
        .map(|e| e.unwrap().file_name().into_string().unwrap())
        .filter(|n| !n.starts_with('.'))
        .collect();
    names.sort();
    names
}

#[tokio::test(flavor = "multi_thread")]
async fn granted_frames_are_published_and_refused_ones_deleted() {
    let dir = tempfile::tempdir().unwrap();
    let fake = Fake::new(50, 5000);
    let serving = fake.serve(ANYWHERE).await;
    fake.with(|s| s.refuse = vec![3]);
    fake.offer(7, dir.path().to_str().unwrap(), 1, 4);
    let worker = Running::start(serving.address, write_file);
    fake.until("all frames judged", |s| s.verdicts.len() == 4).await;
    worker.end().await;
    assert_eq!(published(dir.path()), ["a.1.exr", "a.2.exr", "a.4.exr"]);
    assert!(!dir.path().join(".platefarm/t7").exists(), "the refused file is gone, and its place");
    fake.with(|s| {
        assert_eq!(s.broken, [""; 0]);
        assert_eq!(s.left, [1]);
        assert_eq!(s.released, [0; 0], "a lease that is finished needs no release");
    });
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lost_answer_is_asked_for_again_and_the_frame_is_published_once() {
    let dir = tempfile::tempdir().unwrap();
    let fake = Fake::new(50, 5000);
    let serving = fake.serve(ANYWHERE).await;
    fake.with(|s| s.lose_answers = 2);
    fake.offer(7, dir.path().to_str().unwrap(), 1, 2);
    let worker = Running::start(serving.address, write_file);
    fake.until("both frames stored", |s| {
        s.stored.len() == 2 && s.verdicts.iter().any(|(_, v)| *v == Verdict::Duplicate)
    })
    .await;
    worker.end().await;
    assert_eq!(published(dir.path()), ["a.1.exr", "a.2.exr"]);
    fake.with(|s| assert_eq!(s.broken, [""; 0]));
}

/// The answer was a yes, and it was lost; the lease is over and forgotten when it is asked for again.
#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_may_have_been_granted_is_never_deleted() {
    let dir = tempfile::tempdir().unwrap();
    let fake = Fake::new(50, 5000);
    let serving = fake.serve(ANYWHERE).await;
    fake.with(|s| (s.lose_answers, s.forgetful) = (1, true));
    fake.offer(7, dir.path().to_str().unwrap(), 1, 1);
    let worker = Running::start(serving.address, write_file);
    fake.until("it is said twice", |s| s.verdicts.len() == 2).await;
    worker.end().await;
    fake.with(|s| assert_eq!(s.verdicts, [(1, Verdict::Granted), (1, Verdict::Refused)]));
    assert_eq!(published(dir.path()), [""; 0]);
    let left = std::fs::read_to_string(dir.path().join(".platefarm/t7/a.1.exr"));
    assert_eq!(left.unwrap(), "1 by t7", "the package step finds it by the stored result");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_scheduler_that_dies_and_comes_back_loses_no_frame() {
    let dir = tempfile::tempdir().unwrap();
    let fake = Fake::new(50, 60_000);
    let serving = fake.serve(ANYWHERE).await;
    let address = serving.address;
    fake.offer(7, dir.path().to_str().unwrap(), 1, 3);
    let gate = Gate::default();
    let inside = gate.clone();
    let worker = Running::start(address, move |task, frame| {
        inside.pass();
        write_file(task, frame)
    });
    gate.open(1);
    fake.until("the first frame is stored", |s| s.stored.len() == 1).await;
    serving.die().await;
    gate.open(2);
    let again = fake.serve(address).await;
    fake.until("the rest is stored", |s| s.stored.len() == 3).await;
    worker.end().await;
    assert_eq!(published(dir.path()), ["a.1.exr", "a.2.exr", "a.3.exr"]);
    fake.with(|s| assert_eq!(s.registered.len(), 1, "the same worker goes on"));
    again.die().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_shortened_lease_is_not_overrun() {
    let fake = Fake::new(20, 5000);
    let serving = fake.serve(ANYWHERE).await;
    fake.offer(7, "shrink", 1, 10);
    let gate = Gate::default();
    let inside = gate.clone();
    let worker = Running::start(serving.address, move |_, frame| {
        inside.pass();
        nothing(frame)
    });
    gate.open(2);
    fake.until("two frames are stored", |s| s.stored.len() == 2).await;
    fake.with(|s| {
        s.keeps.insert(7, Some(FrameRange::new(1, 3).unwrap()));
        s.heartbeats = 0;
    });
    // The beat that was under way may have been the old one; the second is not.
    fake.until("the worker has heard of it", |s| s.heartbeats >= 3).await;
    gate.open(10);
    // The worker asks for more when it is done with this one.
    fake.offer(8, "next", 20, 20);
    fake.until("the next task is done", |s| s.stored.iter().any(|(t, ..)| *t == 8)).await;
    worker.end().await;
    fake.with(|s| {
        let frames: Vec<_> = s.stored.iter().map(|(_, _, o)| o.frame()).collect();
        assert_eq!(frames, [1, 2, 3, 20]);
        assert_eq!(s.verdicts.len(), 4, "nothing beyond was even reported");
    });
}

#[tokio::test(flavor = "multi_thread")]
async fn a_forgotten_worker_drops_its_task_and_registers_again() {
    let fake = Fake::new(20, 60_000);
    let serving = fake.serve(ANYWHERE).await;
    fake.offer(7, "old", 1, 100);
    let gate = Gate::default();
    let inside = gate.clone();
    let worker = Running::start(serving.address, move |task, frame| {
        if task.lease.token == LeaseToken(7) {
            inside.pass();
        }
        nothing(frame)
    });
    gate.open(1);
    fake.until("a frame is stored", |s| s.stored.len() == 1).await;
    fake.with(|s| {
        s.forgotten.push(1);
        s.keeps.insert(7, None);
    });
    fake.until("registered again", |s| s.registered.len() == 2).await;
    gate.open(100);
    fake.offer(8, "new", 1, 2);
    fake.until("the new task is done", |s| s.stored.len() == 3).await;
    worker.end().await;
    fake.with(|s| {
        let said: Vec<_> = s.stored.iter().map(|(t, w, _)| (*t, *w)).collect();
        assert_eq!(said, [(7, 1), (8, 2), (8, 2)]);
        assert_eq!(s.registered[0].instance, s.registered[1].instance, "one process, one name");
    });
}

#[tokio::test(flavor = "multi_thread")]
async fn a_worker_cut_off_stops_before_its_lease_runs_out() {
    // A fifth of a lease from beat to beat, as a real scheduler asks for.
    let ttl = Duration::from_secs(3);
    let fake = Fake::new(600, 3000);
    let serving = fake.serve(ANYWHERE).await;
    fake.offer(7, "cut off", 1, 1000);
    let (stopped_tx, mut stopped) = tokio::sync::mpsc::unbounded_channel();
    let worker = Running::start(serving.address, move |task, frame| {
        if frame == 2 {
            // A frame that takes until the worker gives up.
            let runtime = tokio::runtime::Handle::current();
            while !task.leash.is_stopped() {
                runtime.block_on(task.leash.shortened());
            }
            stopped_tx.send(Instant::now()).unwrap();
        }
        nothing(frame)
    });
    fake.until("a frame is stored", |s| s.stored.len() == 1).await;
    fake.with(|s| s.deaf = true);
    let stopped = tokio::time::timeout(Duration::from_secs(20), stopped.recv()).await;
    let stopped = stopped.ok().flatten().expect("the task was stopped");
    let renewed = fake.with(|s| {
        s.deaf = false;
        s.renewed.expect("a lease was given")
    });
    let held = stopped.duration_since(renewed);
    assert!(held < ttl, "the scheduler ended the lease after {ttl:?}, the worker after {held:?}");
    fake.offer(8, "after", 5, 5);
    fake.until("work goes on", |s| s.stored.iter().any(|(t, ..)| *t == 8)).await;
    worker.end().await;
    fake.with(|s| assert_eq!(s.stored.len(), 2, "nothing of the dropped task was reported"));
}

#[tokio::test(flavor = "multi_thread")]
async fn leaving_finishes_the_frame_in_hand_and_gives_back_the_rest() {
    let dir = tempfile::tempdir().unwrap();
    let fake = Fake::new(20, 5000);
    let serving = fake.serve(ANYWHERE).await;
    fake.offer(7, dir.path().to_str().unwrap(), 1, 50);
    let (begun_tx, begun) = tokio::sync::oneshot::channel();
    let begun_tx = Mutex::new(Some(begun_tx));
    let worker = Running::start(serving.address, move |task, frame| {
        if let Some(begun) = begun_tx.lock().unwrap().take() {
            begun.send(()).unwrap();
        }
        // In hand until the order to leave has arrived.
        while task.leash.allows(frame + 1) {
            std::thread::yield_now();
        }
        write_file(task, frame)
    });
    begun.await.unwrap();
    worker.end().await;
    assert_eq!(published(dir.path()), ["a.1.exr"]);
    fake.with(|s| {
        assert_eq!(s.stored.len(), 1);
        // Who leaves gives everything back by that, if not before.
        assert!(matches!(s.released[..], [] | [7]), "{:?}", s.released);
        assert_eq!(s.left, [1]);
    });
}

#[tokio::test(flavor = "multi_thread")]
async fn a_kind_that_panics_fails_its_frames_and_not_the_worker() {
    let fake = Fake::new(50, 5000);
    let serving = fake.serve(ANYWHERE).await;
    fake.offer(7, "panics", 1, 2);
    fake.offer(8, "goes on", 1, 1);
    let worker = Running::start(serving.address, |task, frame| {
        assert!(task.lease.token != LeaseToken(7), "on purpose");
        nothing(frame)
    });
    fake.until("all is told", |s| s.stored.len() == 3).await;
    worker.end().await;
    fake.with(|s| {
        let codes: Vec<_> = s
            .stored
            .iter()
            .filter_map(|(_, _, o)| match o {
                FrameOutcome::Failed { fault, .. } => Some(fault.code),
                FrameOutcome::Done(_) => None,
            })
            .collect();
        assert_eq!(codes, [Code::RenderPanicked; 2]);
    });
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unknown_kind_of_step_fails_with_its_name() {
    let fake = Fake::new(50, 5000);
    let serving = fake.serve(ANYWHERE).await;
    fake.offer(7, "odd", 1, 1);
    let config = platefarm_worker::agent::AgentConfig {
        backend: platefarm_model::recipe::Backend::Cpu,
        kinds: &[],
        ..platefarm_worker::agent::AgentConfig::new(format!("http://{}", serving.address))
    };
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let worker = tokio::spawn(platefarm_worker::agent::run(config, async {
        let _ = stopped.await;
    }));
    fake.until("it is told", |s| s.stored.len() == 1).await;
    stop.send(()).unwrap();
    worker.await.unwrap().unwrap();
    fake.with(|s| {
        let (_, _, outcome) = &s.stored[0];
        let expected = Fault::new(Code::BadSpec, "this worker does not know the kind 'noop'");
        assert_eq!(*outcome, FrameOutcome::Failed { frame: 1, fault: expected });
    });
}
