//! A farm with its pages, and jobs of no work that are handed in as services do.

use crate::harness::{
    Running, World, copy_clip, free_address, pull_of_the_fixtures, s, text, wait_until,
};
use platefarm_model::job::{JobSpec, StepKind, StepSpec};
use platefarm_model::{FrameRange, Secret};
use platefarm_proto::dial::Dial;
use platefarm_proto::{FarmClient, v1};
use serde_json::Value;

/// A token of a role, whose word is kept in a file of its name; made on the store before a scheduler serves it.
pub(crate) fn token(world: &World, name: &str, role: &str, more: &[&str]) -> String {
    let store = format!("sqlite:{}", s(&world.path("farm.db")));
    let args = ["tokens", "create", "--name", name, "--role", role, "--store", &store];
    let made = world.json(&[&args[..], more].concat());
    let word = made["word"].as_str().expect("a word").to_owned();
    std::fs::write(world.path(name), &word).expect("a file for the word");
    word
}

/// A scheduler with its dashboard.
pub(crate) struct Served {
    pub(crate) world: World,
    pub(crate) url: String,
    http: String,
    _scheduler: Running,
}

impl Served {
    pub(crate) fn start(more: &[&str]) -> Self {
        Self::of(World::new(), more)
    }

    /// In a world whose store `farm.db` may be there already.
    pub(crate) fn of(world: World, more: &[&str]) -> Self {
        let (grpc, http) = (free_address(), free_address());
        let url = format!("http://{grpc}");
        let store = format!("sqlite:{}", s(&world.path("farm.db")));
        let args = ["scheduler", "--listen", &grpc, "--http", &http, "--store", &store];
        let _scheduler = world.start(&[&args, more].concat());
        wait_until("the scheduler answers", || std::net::TcpStream::connect(&http).ok());
        Self { world, url, http, _scheduler }
    }

    /// A place of the page.
    pub(crate) fn site(&self, hash: &str) -> String {
        format!("http://{}/#{hash}", self.http)
    }

    pub(crate) fn worker(&self, name: &str, more: &[&str]) -> Running {
        let args = ["worker", "--farm", &self.url, "--name", name, "--backend", "cpu"];
        self.world.start(&[&args, more].concat())
    }

    /// A verb of this farm, with what it says as JSON.
    pub(crate) fn json(&self, args: &[&str]) -> Value {
        self.world.json(&[args, &["--farm", &self.url]].concat())
    }

    /// The same, by the holder of a token.
    pub(crate) fn json_as(&self, name: &str, args: &[&str]) -> Value {
        self.json(&[args, &["--token-file", s(&self.world.path(name))]].concat())
    }

    /// A verb of this farm that is refused.
    pub(crate) fn fails(&self, code: &str, args: &[&str]) -> Value {
        self.world.fails(code, &[args, &["--farm", &self.url]].concat())
    }

    /// What a verb of this farm prints for people, on a terminal of 80 columns.
    pub(crate) fn says(&self, args: &[&str]) -> String {
        let mut command = self.world.platefarm(&[args, &["--farm", &self.url]].concat());
        let output = command.env("COLUMNS", "80").output().expect("the program starts");
        assert!(output.status.success(), "{args:?}: {}", text(&output.stderr));
        text(&output.stdout)
    }

    /// Hands a pull of the two test clips in.
    pub(crate) fn pull(&self, more: &[&str]) -> Value {
        let media = self.world.path("media");
        copy_clip("beachball", &media.join("A001"));
        copy_clip("colorchart", &media.join("chart"));
        let out = self.world.path("out");
        let args = pull_of_the_fixtures("1");
        let rest = ["--media", s(&media), "--out", s(&out), "--show", "atlas"];
        self.json(&[&args[..], &rest, more].concat())
    }

    /// Hands jobs in that do nothing for some milliseconds a frame.
    pub(crate) fn submit(&self, jobs: impl IntoIterator<Item = JobSpec>) {
        self.hand_in(None, jobs);
    }

    /// As [`Self::submit`], with a word.
    pub(crate) fn submit_as(&self, word: &str, jobs: impl IntoIterator<Item = JobSpec>) {
        self.hand_in(Some(word), jobs);
    }

    fn hand_in(&self, word: Option<&str>, jobs: impl IntoIterator<Item = JobSpec>) {
        let way = Dial { token: word.map(Secret::new), ..Dial::from(&self.url) };
        let runtime = tokio::runtime::Runtime::new().expect("a runtime");
        runtime.block_on(async {
            let channel = way.endpoint().expect("a way").connect().await.expect("the farm answers");
            let farm = FarmClient::with_interceptor(channel, way.bearer().expect("a word"));
            let mut sent = tokio::task::JoinSet::new();
            for job in jobs {
                let mut farm = farm.clone();
                sent.spawn(async move {
                    let request = v1::SubmitJobRequest { job: Some((&job).into()) };
                    farm.submit_job(request).await.expect("the job is accepted");
                });
                if sent.len() >= 200 {
                    sent.join_next().await.expect("one of them").expect("it is handed in");
                }
            }
            while let Some(done) = sent.join_next().await {
                done.expect("it is handed in");
            }
        });
    }
}

/// A job of `steps` steps of `frames` frames from 1001, of so many milliseconds each.
pub(crate) fn noop(name: &str, show: &str, steps: usize, frames: u64, millis: u32) -> JobSpec {
    let step = |i| StepSpec {
        name: format!("{name}_{i:03}"),
        kind: StepKind::Noop { millis_per_frame: millis },
        frames: FrameRange::of_len(1001, frames),
        after: Vec::new(),
        max_attempts: 3,
        terms: Default::default(),
    };
    JobSpec {
        name: name.into(),
        show: show.into(),
        priority: 0,
        terms: Default::default(),
        idempotency_key: None,
        steps: (0..steps).map(step).collect(),
    }
}
