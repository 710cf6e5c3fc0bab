//! A day on the farm, as one would work through it: PostgreSQL and S3, TLS and
//! tokens, two shows, background work, a burst, capacity that comes and goes, a
//! worker and the leading scheduler killed, an operator at work; and at the end
//! every package is held against what was asked for.
//!
//! It takes minutes: `cargo xtask day` runs it, and keeps pictures of the dashboard.

use crate::browser::{self, Browser};
use crate::dashboard::enter;
use crate::harness::{Running, World, free_address, pull_of_the_fixtures, s, text, wait_until};
use crate::postgres::Cluster;
use crate::s3::{Server, upload};
use crate::trust::Authority;
use platefarm_media::storage;
use serde_json::Value;
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};

/// Frames of the night's work.
const NIGHT: u64 = 1800;

/// A farm of two schedulers, and capacity from none to three workers.
struct Day {
    world: World,
    server: &'static Server,
    _database: Cluster,
    bucket: String,
    ca: String,
    /// gRPC and HTTP address of each.
    addresses: Vec<(String, String)>,
    schedulers: Vec<Running>,
    farm: String,
    provider: Option<Child>,
}

impl Day {
    /// The farm goes up in the morning.
    fn begin() -> Option<Self> {
        let (server, database) = (Server::shared()?, Cluster::start()?);
        let world = World::new();
        let authority = Authority::new(world.path("ca"), "farm");
        authority.sign("server", "serverAuth");
        let ca = authority.file("ca.pem");
        let store = database.database();
        let admin = ["tokens", "create", "--role", "admin", "--name", "ann", "--store", &store];
        world.json(&[&admin[..], &["--out", s(&world.path("admin"))]].concat());
        let addresses: Vec<(String, String)> =
            (0..2).map(|_| (free_address(), free_address())).collect();
        let urls = addresses.iter().map(|(grpc, _)| format!("https://{grpc}"));
        let farm = urls.collect::<Vec<_>>().join(",");
        let (cert, key) = (authority.file("server.pem"), authority.file("server.key"));
        let schedulers = addresses.iter().map(|(grpc, http)| {
            let own = ["scheduler", "--listen", grpc, "--http", http, "--store", &store];
            let trust = ["--tls-cert", &cert, "--tls-key", &key, "--require-tokens"];
            world.start(&[&own[..], &trust].concat())
        });
        let schedulers = schedulers.collect();
        let bucket = server.bucket();
        let day = Self {
            world,
            server,
            _database: database,
            bucket,
            ca,
            addresses,
            schedulers,
            farm,
            provider: None,
        };
        wait_until("the farm answers", || {
            day.run("admin", &["whoami"]).status.success().then_some(())
        });
        for (name, more) in [
            ("operator", &["--role", "operator"][..]),
            ("worker", &["--role", "worker"][..]),
            ("viewer", &["--role", "viewer"][..]),
            ("atlas", &["--role", "submitter", "--show", "atlas"][..]),
            ("zeus", &["--role", "submitter", "--show", "zeus"][..]),
        ] {
            let file = day.world.path(name);
            day.json(
                "admin",
                &[&["tokens", "create", "--name", name, "--out", s(&file)][..], more].concat(),
            );
        }
        Some(day)
    }

    /// What somebody types.
    fn command(&self, who: &str, args: &[&str]) -> Command {
        let token = self.world.path(who);
        let mut command = self.world.platefarm(args);
        command.args(["--farm", &self.farm, "--ca", &self.ca, "--token-file", s(&token)]);
        command.envs(self.server.environment());
        command
    }

    fn run(&self, who: &str, args: &[&str]) -> Output {
        self.command(who, args).output().expect("the program starts")
    }

    fn json(&self, who: &str, args: &[&str]) -> Value {
        let output = self.run(who, &[args, &["--json"]].concat());
        assert!(
            output.status.success(),
            "{who}: {args:?}\n{}\n{}",
            text(&output.stdout),
            text(&output.stderr)
        );
        crate::harness::document(&output)
    }

    /// Capacity from none to three, by what the farm wants.
    fn open_capacity(&mut self) {
        let bucket = format!("s3://{}", self.bucket);
        let args = [
            "worker",
            "--scale",
            "0..3",
            "--keep",
            "2",
            "--name",
            "rack",
            "--backend",
            "cpu",
            "--root",
            &bucket,
        ];
        let provider =
            self.command("worker", &args).stdout(Stdio::null()).stderr(Stdio::null()).spawn();
        self.provider = Some(provider.expect("the program starts"));
    }

    fn workers(&self) -> Vec<Value> {
        let list = self.json("operator", &["workers", "list"]);
        let alive = |row: &&Value| row["state"] != "lost";
        list["workers"].as_array().unwrap().iter().filter(alive).cloned().collect()
    }

    /// A pull of the fixtures' cut, from bucket to bucket.
    fn pull(&self, show: &str, out: &str, priority: &str) -> String {
        let media = format!("s3://{}/ocf", self.bucket);
        let rest = ["--media", &media, "--out", out, "--show", show, "--priority", priority];
        let submitted = self.json(show, &[&pull_of_the_fixtures("1")[..], &rest].concat());
        format!("j{}", submitted["job"].as_u64().expect("a job"))
    }

    fn phase(&self, job: &str) -> String {
        // One that follows may not have heard of the job yet.
        let output = self.run("operator", &["jobs", "show", job, "--json"]);
        let view = crate::harness::document(&output);
        view["phase"].as_str().unwrap_or_default().to_owned()
    }

    /// The process id of a worker of the provider's.
    fn a_worker(&self) -> Option<String> {
        let parent = self.provider.as_ref()?.id().to_string();
        let found = Command::new("pgrep").args(["-P", &parent]).output().ok()?;
        text(&found.stdout).lines().next().map(str::to_owned)
    }

    /// Keeps a picture of the dashboard, where somebody wants one.
    fn picture(&self, scheduler: usize, page: &str, name: &str) {
        let Some(keep) = std::env::var_os("PLATEFARM_KEEP") else { return };
        if browser::none_here() {
            return;
        }
        let token = std::fs::read_to_string(self.world.path("operator")).unwrap();
        let mut browser = Browser::open();
        browser.size(1280, 900);
        enter(
            &mut browser,
            &format!("http://{}/#{page}", self.addresses[scheduler].1),
            token.trim(),
        );
        // The night's job is on every page that is kept.
        browser.until_it_says("zeus");
        browser.picture(&Path::new(&keep).join(name));
    }
}

impl Drop for Day {
    fn drop(&mut self) {
        // Its workers drain by themselves when it is gone.
        if let Some(provider) = &mut self.provider {
            let _ = provider.kill();
            let _ = provider.wait();
        }
    }
}

/// Frames for the night, of the lowest class.
fn background(day: &Day) -> String {
    use platefarm_model::farm::{JobTerms, PriorityClass};
    use platefarm_model::job::{JobSpec, StepKind, StepSpec};
    use platefarm_proto::dial::Dial;
    use platefarm_proto::{FarmClient, v1};
    let step = StepSpec {
        name: "night".into(),
        kind: StepKind::Noop { millis_per_frame: 100 },
        frames: platefarm_model::FrameRange::of_len(1001, NIGHT),
        after: vec![],
        max_attempts: 3,
        terms: Default::default(),
    };
    let spec = JobSpec {
        name: "background".into(),
        show: "zeus".into(),
        priority: 0,
        terms: JobTerms { class: PriorityClass::Background, ..JobTerms::default() },
        idempotency_key: Some("night".into()),
        steps: vec![step],
    };
    let word = std::fs::read_to_string(day.world.path("zeus")).unwrap();
    let token = Some(platefarm_model::Secret::new(word.trim()));
    let ways = Dial { token, ca: Some(day.ca.clone().into()), ..Dial::from(&day.farm) }.each();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let submit = async |way: &Dial| {
        let channel = way.endpoint().unwrap().connect().await.unwrap();
        let mut farm = FarmClient::with_interceptor(channel, way.bearer().unwrap());
        farm.submit_job(v1::SubmitJobRequest { job: Some((&spec).into()) }).await
    };
    // The one that leads takes it.
    let job = runtime.block_on(async {
        match submit(&ways[0]).await {
            Ok(answer) => answer,
            Err(_) => submit(&ways[1]).await.unwrap(),
        }
    });
    format!("j{}", job.into_inner().job)
}

#[test]
#[ignore = "it takes minutes: cargo xtask day"]
fn a_day_on_the_farm() {
    let Some(mut day) = Day::begin() else { return };
    for (clip, place) in [("beachball", "ocf/A001"), ("colorchart", "ocf/chart")] {
        upload(clip, &format!("s3://{}/{place}", day.bucket));
    }
    day.json("operator", &["shows", "set", "atlas", "--weight", "3"]);
    day.open_capacity();
    assert!(day.workers().is_empty(), "nobody works for nothing");

    // The night's work fills what there is.
    let night = background(&day);
    wait_until("capacity is taken", || (day.workers().len() == 3).then_some(()));
    // For so long that there is something to see of it on the plot.
    wait_until("some of it is done", || {
        let night = day.json("operator", &["jobs", "show", &night]);
        (night["frames_done"].as_u64() > Some(NIGHT / 4)).then_some(())
    });
    day.picture(0, "/", "1_background.png");

    // A burst of both shows arrives; the background yields.
    let mut pulls = Vec::new();
    for (show, number) in [("atlas", 1), ("zeus", 1), ("atlas", 2), ("atlas", 3)] {
        let out = format!("s3://{}/delivery/{show}_{number:02}", day.bucket);
        pulls.push((show, out.clone(), day.pull(show, &out, "10")));
    }
    day.json("operator", &["jobs", "priority", &pulls[3].2, "--class", "urgent"]);
    wait_until("the urgent one is done", || (day.phase(&pulls[3].2) == "done").then_some(()));
    assert_ne!(day.phase(&night), "done", "the night waits");
    day.picture(0, "/", "2_burst.png");

    // A worker dies in the middle of it, and then the scheduler that leads.
    let worker = day.a_worker().expect("a worker");
    assert!(Command::new("kill").args(["-9", &worker]).status().unwrap().success());
    day.json("operator", &["jobs", "pause", &night]);
    // The other scheduler answers what was stored a second ago.
    wait_until("the night pauses", || {
        let night = day.json("operator", &["jobs", "show", &night]);
        (night["terms"]["paused"] == true).then_some(())
    });
    let leader = day.json("operator", &["farm", "status"])["leader"].as_str().unwrap().to_owned();
    let first = usize::from(!leader.ends_with(&day.addresses[0].0));
    day.schedulers[first].kill();
    for (_, _, job) in &pulls {
        wait_until("the pulls are done", || (day.phase(job) == "done").then_some(()));
    }
    day.picture(1 - first, "/jobs", "3_jobs.png");
    day.json("operator", &["jobs", "resume", &night]);
    wait_until("the night's work is done", || (day.phase(&night) == "done").then_some(()));

    // Capacity is released to the last, and nothing was lost.
    wait_until("all are released", || day.workers().is_empty().then_some(()));
    day.picture(1 - first, "/", "4_evening.png");
    for (show, out, job) in &pulls {
        let verdict = day.json(show, &["validate", out]);
        assert_eq!(verdict["result"], "pass", "{out}: {verdict}");
        let view = day.json("operator", &["jobs", "show", job]);
        assert_eq!(view["frames_failed"], 0, "{view}");
        assert!(storage::metadata(Path::new(out).join("report.html")).is_ok(), "{out}");
    }
    tells(&day, &night);
}

/// The log of the day, which two schedulers wrote, tells all of it once.
fn tells(day: &Day, night: &str) {
    let output = day.run("operator", &["farm", "events", "--json"]);
    let log = text(&output.stdout);
    let events: Vec<Value> = log.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let count = |kind: &str| events.iter().filter(|event| event["kind"] == kind).count();
    assert_eq!((count("job.done"), count("job.failed")), (5, 0));
    assert!(count("farm.led") >= 2, "another scheduler took over");
    assert_eq!(count("worker.lost"), 1, "the one that was killed");
    let mine = events.iter().filter(|event| event["kind"] == "frames.done");
    let mine = mine.filter(|event| format!("j{}", event["job"]) == night);
    let frames: usize = mine
        .map(|event| {
            let set: platefarm_model::FrameSet = event["frames"].as_str().unwrap().parse().unwrap();
            set.len() as usize
        })
        .sum();
    assert_eq!(frames as u64, NIGHT, "each frame of the night once");
    let audit = day.json("admin", &["audit"]);
    let audit = audit["entries"].as_array().unwrap();
    let did =
        |who: &str, action: &str| audit.iter().any(|e| e["who"] == who && e["action"] == action);
    assert!(did("operator", "Farm/ControlJob") && did("atlas", "Farm/SubmitJob"));
}
