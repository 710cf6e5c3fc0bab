//! Capacity that follows the work: worker processes come when there is work,
//! go when there is none, and nothing in hand is lost by it.

use crate::harness::{World, free_address, s, wait_until};
use platefarm_model::job::{JobSpec, StepKind, StepSpec};
use platefarm_model::{FrameRange, JobId};
use platefarm_proto::{FarmClient, v1};
use serde_json::Value;

/// Frames that take their time and make nothing.
fn submit(url: &str, frames: u64, millis_per_frame: u64) -> JobId {
    let step = StepSpec {
        name: "frames".into(),
        kind: StepKind::Noop { millis_per_frame: millis_per_frame as u32 },
        frames: FrameRange::of_len(1001, frames),
        after: vec![],
        max_attempts: 3,
        terms: Default::default(),
    };
    let spec = JobSpec {
        name: "burst".into(),
        show: "atlas".into(),
        priority: 0,
        terms: Default::default(),
        idempotency_key: None,
        steps: vec![step],
    };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let mut farm = FarmClient::connect(url.to_owned()).await.unwrap();
        let request = v1::SubmitJobRequest { job: Some((&spec).into()) };
        JobId(farm.submit_job(request).await.unwrap().into_inner().job)
    })
}

/// Names of the workers that are there.
fn workers(world: &World, url: &str) -> Vec<String> {
    let list = world.json(&["workers", "list", "--farm", url]);
    let rows = list["workers"].as_array().unwrap().iter();
    let alive = rows.filter(|row| row["state"] != "lost");
    alive.map(|row| row["name"].as_str().unwrap().to_owned()).collect()
}

/// The event log, from its beginning.
fn events(world: &World, url: &str) -> Vec<Value> {
    let output = world.run(&["farm", "events", "--json", "--farm", url]);
    assert!(output.status.success());
    let text = crate::harness::text(&output.stdout);
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn count(events: &[Value], kind: &str) -> usize {
    events.iter().filter(|event| event["kind"] == kind).count()
}

fn done(world: &World, url: &str, job: JobId) -> bool {
    let job = world.json(&["jobs", "show", &job.to_string(), "--farm", url]);
    assert_eq!(job["frames_failed"], 0);
    job["phase"] == "done"
}

#[test]
fn a_burst_takes_capacity_and_gives_it_back_to_the_last() {
    let world = World::new();
    let address = free_address();
    let url = format!("http://{address}");
    let data = world.path("data");
    let up = ["up", "--listen", &address, "--scale", "0..3", "--keep", "1", "--backend", "cpu"];
    let mut farm = world.start(&[&up[..], &["--data", s(&data)]].concat());
    wait_until("the farm answers", || {
        world.run(&["jobs", "list", "--farm", &url]).status.success().then_some(())
    });
    assert_eq!(workers(&world, &url), Vec::<String>::new(), "nothing is wanted");
    for burst in 1..=2 {
        let job = submit(&url, 60, 100);
        wait_until("three work", || (workers(&world, &url).len() == 3).then_some(()));
        wait_until("the burst is done", || done(&world, &url, job).then_some(()));
        wait_until("all are released", || workers(&world, &url).is_empty().then_some(()));
        let events = events(&world, &url);
        assert!(count(&events, "worker.joined") >= 3 * burst);
        assert_eq!(count(&events, "worker.left"), count(&events, "worker.joined"));
        assert_eq!(count(&events, "worker.lost"), 0, "they went in good order");
    }
    let status = world.json(&["farm", "status", "--farm", &url]);
    let counts = &status["counts"];
    assert_eq!(
        (&counts["granted"], &counts["lost"], &counts["expired"]),
        (&120.into(), &0.into(), &0.into())
    );
    // Ended in the middle of a burst: all of it goes, and what is in hand is kept.
    submit(&url, 1000, 100);
    wait_until("they work again", || (workers(&world, &url).len() == 3).then_some(()));
    assert!(farm.ends("TERM").success());
}

#[test]
fn workers_drain_when_the_one_who_started_them_is_killed() {
    let world = World::new();
    let address = free_address();
    let url = format!("http://{address}");
    let store = format!("sqlite:{}", s(&world.path("farm.db")));
    let _scheduler = world.start(&["scheduler", "--listen", &address, "--store", &store]);
    wait_until("the scheduler answers", || {
        world.run(&["jobs", "list", "--farm", &url]).status.success().then_some(())
    });
    let provide =
        ["worker", "--farm", &url, "--backend", "cpu", "--name", "node", "--scale", "1..2"];
    let mut provider = world.start(&provide);
    wait_until("one is kept", || (workers(&world, &url) == ["node-1"]).then_some(()));
    let job = submit(&url, 400, 50);
    wait_until("both work", || (workers(&world, &url).len() == 2).then_some(()));
    provider.kill();
    wait_until("both are gone", || workers(&world, &url).is_empty().then_some(()));
    let events = events(&world, &url);
    assert_eq!((count(&events, "worker.left"), count(&events, "worker.lost")), (2, 0));
    assert!(!done(&world, &url, job));
    // Whoever comes next has the rest.
    let _worker = world.start(&["worker", "--farm", &url, "--backend", "cpu", "--slots", "8"]);
    wait_until("the rest is done", || done(&world, &url, job).then_some(()));
}
