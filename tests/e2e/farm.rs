//! The farm in parts, and killed.

use crate::harness::{
    PATIENCE, Running, World, copy_clip, free_address, pull_of_the_fixtures, root, s, tree,
    wait_until,
};
use platefarm_model::Outcome;
use platefarm_model::job::{FrameOutcome, Lease};
use platefarm_model::recipe::Backend;
use platefarm_worker::agent::{self, AgentConfig};
use platefarm_worker::kinds::{JobKind, Render, Task};
use std::collections::BTreeMap;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::sync::mpsc;

pub(crate) struct Farm<'a> {
    world: &'a World,
    /// One for each scheduler of the farm.
    addresses: Vec<String>,
    store: String,
    ttl_ms: u32,
}

impl<'a> Farm<'a> {
    pub(crate) fn new(world: &'a World) -> Self {
        Self::with_ttl(world, 3000)
    }

    pub(crate) fn with_ttl(world: &'a World, ttl_ms: u32) -> Self {
        Self::on(world, ttl_ms, format!("sqlite://{}", world.path("farm.db").display()), 1)
    }

    /// A farm of so many schedulers on one store.
    pub(crate) fn on(world: &'a World, ttl_ms: u32, store: String, schedulers: usize) -> Self {
        let addresses = (0..schedulers).map(|_| free_address()).collect();
        Self { world, addresses, store, ttl_ms }
    }

    /// Addresses of all its schedulers, as they are typed.
    pub(crate) fn url(&self) -> String {
        let urls: Vec<String> = self.addresses.iter().map(|a| format!("http://{a}")).collect();
        urls.join(",")
    }

    pub(crate) fn scheduler(&self) -> Running {
        self.scheduler_number(0)
    }

    /// Starts one of its schedulers, and waits until it answers.
    pub(crate) fn scheduler_number(&self, number: usize) -> Running {
        let address = &self.addresses[number];
        let running = self.world.start(&[
            "scheduler",
            "--listen",
            address,
            "--store",
            &self.store,
            "--lease-ttl-ms",
            &self.ttl_ms.to_string(),
        ]);
        let url = format!("http://{address}");
        wait_until("the scheduler answers", || {
            self.world.run(&["jobs", "list", "--farm", &url]).status.success().then_some(())
        });
        running
    }

    pub(crate) fn worker(&self, name: &str) -> Running {
        self.worker_for(name, &self.url(), &[])
    }

    /// A worker for other addresses, with more arguments.
    pub(crate) fn worker_for(&self, name: &str, url: &str, more: &[&str]) -> Running {
        self.world.start(&[&Self::worker_args(name, url), more].concat())
    }

    /// How a worker is started.
    pub(crate) fn worker_args<'b>(name: &'b str, url: &'b str) -> [&'b str; 7] {
        ["worker", "--scheduler", url, "--name", name, "--backend", "cpu"]
    }

    fn frames_done(&self, job: &str) -> u64 {
        let output = self.world.run(&["jobs", "show", job, "--farm", &self.url(), "--json"]);
        let view: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap_or_default();
        view["frames_done"].as_u64().unwrap_or(0)
    }
}

/// The issue's own drill: a pull of the motion clip; `kill -9` of a worker and of
/// the scheduler in mid-pull; restart; the package is whole, its manifest
/// verifies, and it is the same as an undisturbed one.
#[test]
fn a_farm_killed_in_mid_pull_delivers_the_same_package() {
    let world = World::new();
    let media = world.path("media");
    copy_clip("beachball", &media.join("A001"));
    copy_clip("colorchart", &media.join("chart"));
    let quiet = world.path("undisturbed");
    let pull = |out: &Path| {
        let rest = ["--backend", "cpu", "--media", s(&media), "--out", s(out)];
        let all = pull_of_the_fixtures("2").into_iter().chain(rest);
        all.map(str::to_owned).collect::<Vec<_>>()
    };
    let undisturbed = pull(&quiet);
    let mut undisturbed: Vec<&str> = undisturbed.iter().map(String::as_str).collect();
    undisturbed.push("--local");
    world.json(&undisturbed);

    let farm = Farm::new(&world);
    let out = world.path("package");
    let mut scheduler = farm.scheduler();
    let (mut first, _second) = (farm.worker("first"), farm.worker("second"));
    let submit = pull(&out);
    let url = farm.url();
    let mut submit: Vec<&str> = submit.iter().map(String::as_str).collect();
    submit.extend(["--farm", &url]);
    let job = world.json(&submit)["job"].as_u64().expect("a job");
    let job = format!("j{job}");
    wait_until("the pull is under way", || (farm.frames_done(&job) >= 2).then_some(()));
    first.kill();
    scheduler.kill();
    let _scheduler = farm.scheduler();
    let _third = farm.worker("third");
    let watched = world.json(&["jobs", "watch", &job, "--farm", &url]);
    assert_eq!(watched["phase"], "done", "{watched}");

    assert_eq!(platefarm_media::mhl::verify(&out), vec![]);
    assert_eq!(frames(&out), frames(&quiet), "bit for bit the undisturbed plates");
    assert!(tree(&out).iter().all(|name| !name.contains(".platefarm")), "{:?}", tree(&out));
    let lists = world.json(&["workers", "list", "--farm", &url]);
    assert!(lists["workers"].as_array().is_some_and(|w| w.len() >= 2), "{lists}");
}

/// Renders as ever, and then never ends: the thread that it was given does nothing else any more.
struct Endless {
    rendered: mpsc::Sender<u64>,
}

impl JobKind for Endless {
    fn name(&self) -> &'static str {
        Render.name()
    }

    fn out_dir<'a>(&self, lease: &'a Lease) -> Option<&'a Path> {
        Render.out_dir(lease)
    }

    fn run(&self, task: &Task<'_>, sink: &mut dyn FnMut(FrameOutcome)) -> Outcome<()> {
        Render.run(task, sink)?;
        self.rendered.send(task.lease.frames.len()).expect("the test waits");
        loop {
            std::thread::park();
        }
    }
}

/// A worker is killed when its frames are accepted and none has its name: the renames wait for
/// the one thread that may block, and a task has that. Nothing of it is kept on its machine, and
/// nothing has to be: the acceptance is stored, and carried out with the package by whoever makes it.
#[test]
fn what_was_granted_to_a_worker_that_died_gets_its_name_from_the_next() {
    let world = World::new();
    let media = world.path("media");
    copy_clip("beachball", &media.join("A001"));
    copy_clip("colorchart", &media.join("chart"));
    let farm = Farm::new(&world);
    let _scheduler = farm.scheduler();
    let (url, out) = (farm.url(), world.path("package"));
    let rest = ["--backend", "cpu", "--media", s(&media), "--out", s(&out), "--farm", &url];
    let job = world.json(&[&pull_of_the_fixtures("2")[..], &rest].concat())["job"].clone();
    let job = format!("j{job}");

    let (rendered, frames_rendered) = mpsc::channel();
    // Kinds live as long as the process; so do those of a test.
    let kind: &'static dyn JobKind = Box::leak(Box::new(Endless { rendered }));
    let config = AgentConfig {
        name: "dies".into(),
        backend: Backend::Cpu,
        kinds: Box::leak(Box::new([kind])),
        ..AgentConfig::new(url.as_str())
    };
    let (dies, dead) = tokio::sync::oneshot::channel::<()>();
    let machine = std::thread::spawn(move || {
        let mut runtime = tokio::runtime::Builder::new_current_thread();
        let runtime = runtime.max_blocking_threads(1).enable_all().build().expect("a runtime");
        runtime.block_on(async {
            tokio::select! {
                left = agent::run(config, std::future::pending()) => panic!("it left: {left:?}"),
                _ = dead => {}
            }
        });
        runtime.shutdown_background();
    });
    let count = frames_rendered.recv_timeout(PATIENCE).expect("a task is rendered");
    wait_until("its frames are accepted", || (farm.frames_done(&job) >= count).then_some(()));
    drop(dies);
    machine.join().expect("it is gone");

    let inode = |file: &str| std::fs::metadata(out.join(file)).expect("a frame").ino();
    let owed: Vec<(String, u64)> = tree(&out)
        .iter()
        .filter_map(|staged| {
            let (plate, below) = staged.split_once("/.platefarm/")?;
            let (_, name) = below.split_once('/')?;
            Some((format!("{plate}/{name}"), inode(staged)))
        })
        .collect();
    assert_eq!(owed.len() as u64, count, "{owed:?}");
    assert!(owed.iter().all(|(name, _)| !out.join(name).exists()), "{owed:?}");

    let _next = farm.worker("next");
    let watched = world.json(&["jobs", "watch", &job, "--farm", &url]);
    assert_eq!(watched["phase"], "done", "{watched}");
    for (name, staged) in &owed {
        assert_eq!(inode(name), *staged, "{name} is the very file, and was not rendered again");
    }
    assert_eq!(platefarm_media::mhl::verify(&out), vec![]);
    assert!(tree(&out).iter().all(|name| !name.contains(".platefarm")), "{:?}", tree(&out));
}

/// Names and hashes of a package's frames.
pub(crate) fn frames(package: &Path) -> BTreeMap<String, String> {
    let exr = tree(package).into_iter().filter(|name| name.ends_with(".exr"));
    exr.map(|name| {
        (
            name.clone(),
            platefarm_media::hash::xxh128(&std::fs::read(package.join(&name)).expect("a frame")),
        )
    })
    .collect()
}

#[test]
fn a_cancelled_job_ends_and_says_so_and_may_be_handed_in_again() {
    let world = World::new();
    let media = world.path("media");
    copy_clip("beachball", &media);
    let farm = Farm::new(&world);
    let _scheduler = farm.scheduler();
    let url = farm.url();
    let edl = root().join("tests/fixtures/pull/cut.edl");
    let out = world.path("out");
    let pull = |handles: &'static str| {
        let args = ["pull", "--edl", s(&edl), "--media", s(&media), "--out", s(&out)];
        [&args[..], &["--handles", handles, "--backend", "cpu", "--farm", &url]].concat()
    };
    let job = format!("j{}", world.json(&pull("0"))["job"]);
    let again = format!("j{}", world.json(&pull("0"))["job"]);
    assert_eq!(job, again, "the same pull is the same job");
    world.fails("F0010", &pull("1"));
    let view = world.json(&["jobs", "cancel", &job, "--farm", &url]);
    assert_eq!(view["phase"], "cancelled");
    world.fails("F0507", &["jobs", "watch", &job, "--farm", &url]);
    let listed = world.json(&["jobs", "list", "--farm", &url]);
    assert_eq!(listed["jobs"].as_array().map(Vec::len), Some(1));

    let _worker = farm.worker("late");
    let job = format!("j{}", world.json(&pull("0"))["job"]);
    assert_ne!(job, again, "a new try");
    let watched = world.json(&["jobs", "watch", &job, "--farm", &url]);
    assert_eq!(watched["phase"], "done", "{watched}");
    assert!(!frames(&out).is_empty());
    assert_eq!(platefarm_media::mhl::verify(&out), vec![]);
    assert!(tree(&out).iter().all(|name| !name.contains(".platefarm")), "{:?}", tree(&out));
}

/// `up`, stopped politely, keeps its jobs.
#[test]
fn a_whole_farm_in_one_process_keeps_its_state() {
    let world = World::new();
    let address = free_address();
    let url = format!("http://{address}");
    let data = world.path("data");
    let args =
        ["up", "--listen", &address, "--data", s(&data), "--workers", "1", "--backend", "cpu"];
    let media = world.path("media");
    copy_clip("beachball", &media);
    let edl = root().join("tests/fixtures/pull/cut.edl");
    let out = world.path("out");
    {
        let _up = world.start(&args);
        wait_until("it answers", || {
            world.run(&["workers", "list", "--farm", &url]).status.success().then_some(())
        });
        let summary = world.json(&[
            "pull",
            "--edl",
            s(&edl),
            "--media",
            s(&media),
            "--handles",
            "1",
            "--out",
            s(&out),
            "--farm",
            &url,
            "--wait",
            "--backend",
            "cpu",
        ]);
        assert!(summary["frames"].as_u64().is_some_and(|n| n > 0), "{summary}");
    }
    let _up = world.start(&args);
    wait_until("it answers again", || {
        world.run(&["workers", "list", "--farm", &url]).status.success().then_some(())
    });
    let jobs = world.json(&["jobs", "list", "--farm", &url]);
    assert_eq!(jobs["jobs"].as_array().map(Vec::len), Some(1), "{jobs}");
}
