//! The pages over a real socket, asked as a browser and a probe would.

mod deeds;

use crate::service::{Config, bind, serve};
use crate::store::{Place, TrustStore};
use crate::trust::{Settings, issue};
use platefarm_model::Timestamp;
use platefarm_model::job::{JobSpec, StepKind, StepSpec};
use platefarm_model::trust::{NewToken, Role};
use platefarm_model::{Code, FrameRange, Outcome, Secret};
use platefarm_proto::convert::from_status;
use platefarm_proto::dial::Dial;
use platefarm_proto::{FarmClient, WorkClient, v1};
use std::net::SocketAddr;
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::task::JoinHandle;

struct Farm {
    http: SocketAddr,
    url: String,
    store: TrustStore,
    admin: Secret,
    task: JoinHandle<Outcome<()>>,
    _dir: TempDir,
}

impl Drop for Farm {
    fn drop(&mut self) {
        self.task.abort();
    }
}

struct Answer {
    status: u16,
    head: String,
    body: String,
}

impl Farm {
    async fn start() -> Self {
        Self::with(true).await
    }

    async fn with(tokens: bool) -> Self {
        Self::trusting(Settings { tokens, ..Settings::default() }).await
    }

    async fn trusting(trust: Settings) -> Self {
        Self::of(trust, false).await
    }

    /// With a library.
    async fn stocked() -> Self {
        Self::of(Settings { tokens: true, ..Settings::default() }, true).await
    }

    async fn of(trust: Settings, library: bool) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let place = Place::Sqlite(dir.path().join("farm.db"));
        let store = TrustStore::open(&place).await.unwrap();
        let admin = Self::token(&store, Role::Admin, &[]).await;
        let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let http = free.local_addr().unwrap();
        drop(free);
        let mut config = Config::new(place);
        config.trust = trust;
        config.library = library.then(|| Place::Sqlite(dir.path().join("clips.db")));
        config.http = Some(http);
        let listener = bind("127.0.0.1:0".parse().unwrap()).await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let task = tokio::spawn(serve(listener, config, std::future::pending()));
        let farm = Self { http, url, store, admin, task, _dir: dir };
        while TcpStream::connect(http).await.is_err() {
            assert!(!farm.task.is_finished(), "the scheduler ended");
            tokio::task::yield_now().await;
        }
        farm
    }

    async fn token(store: &TrustStore, role: Role, shows: &[&str]) -> Secret {
        let token = NewToken {
            name: role.name().into(),
            role,
            shows: shows.iter().map(|s| (*s).into()).collect(),
            lifetime_s: None,
            certificate: None,
        };
        issue(store, &token, "test", Timestamp(1)).await.unwrap().1.unwrap()
    }

    async fn submit(&self, show: &str) -> u64 {
        let dial = Dial { token: Some(self.admin.clone()), ..Dial::from(&self.url) };
        let channel = dial.endpoint().unwrap().connect().await.unwrap();
        let mut farm = FarmClient::with_interceptor(channel, dial.bearer().unwrap());
        let spec = JobSpec {
            name: "<script>alert(1)</script>".into(),
            show: show.into(),
            priority: 0,
            idempotency_key: None,
            terms: Default::default(),
            steps: vec![StepSpec {
                name: "a".into(),
                kind: StepKind::Noop { millis_per_frame: 0 },
                frames: FrameRange::of_len(1001, 24),
                after: vec![],
                max_attempts: 3,
                terms: Default::default(),
            }],
        };
        let request = v1::SubmitJobRequest { job: Some((&spec).into()) };
        farm.submit_job(request).await.unwrap().into_inner().job
    }

    async fn get(&self, path: &str, token: Option<&Secret>) -> Answer {
        self.send("GET", path, "farm", token, "", "").await
    }

    /// Does something, as the page does.
    async fn post(&self, path: &str, token: Option<&Secret>, body: &str) -> Answer {
        self.send("POST", path, "localhost", token, "application/json", body).await
    }

    async fn send(
        &self,
        method: &str,
        path: &str,
        host: &str,
        token: Option<&Secret>,
        kind: &str,
        body: &str,
    ) -> Answer {
        let mut stream = TcpStream::connect(self.http).await.unwrap();
        let token =
            token.map_or(String::new(), |t| format!("authorization: Bearer {}\r\n", t.expose()));
        let head = format!(
            "{method} {path} HTTP/1.1\r\nhost: {host}\r\n{token}content-type: {kind}\r\n\
             content-length: {}\r\nconnection: close\r\n\r\n{body}",
            body.len()
        );
        stream.write_all(head.as_bytes()).await.unwrap();
        let mut text = String::new();
        stream.read_to_string(&mut text).await.unwrap();
        let (head, body) = text.split_once("\r\n\r\n").unwrap();
        let status = head[9..12].parse().unwrap();
        Answer { status, head: head.to_lowercase(), body: body.into() }
    }
}

#[tokio::test]
async fn probes_need_no_token_and_the_page_holds_nothing() {
    let farm = Farm::start().await;
    for path in ["/healthz", "/readyz", "/", "/app.js", "/job.js", "/app.css", "/icon.svg"] {
        let answer = farm.get(path, None).await;
        assert_eq!(answer.status, 200, "{path}: {}", answer.body);
        for header in [
            "content-security-policy: default-src 'self'",
            "x-content-type-options: nosniff",
            "x-frame-options: deny",
        ] {
            assert!(answer.head.contains(header), "{path}: {}", answer.head);
        }
    }
    let page = farm.get("/", None).await.body;
    assert!(!page.contains("<script>") && !page.contains("onclick="), "scripts stand in files");
    assert_eq!(farm.get("/api/nothing", None).await.status, 404);
}

#[tokio::test]
async fn pages_are_for_those_whom_the_table_lets() {
    let farm = Farm::start().await;
    let (mine, other) = (farm.submit("atlas").await, farm.submit("zeus").await);
    let viewer = Farm::token(&farm.store, Role::Viewer, &[]).await;
    let narrow = Farm::token(&farm.store, Role::Viewer, &["atlas"]).await;
    let worker = Farm::token(&farm.store, Role::Worker, &[]).await;
    let guess = Secret::new("pfk_guess");
    let job = format!("/api/jobs/{other}");
    for (path, status) in
        [("/metrics", 401), ("/api/jobs", 401), (job.as_str(), 401), ("/api/stream", 401)]
    {
        let answer = farm.get(path, None).await;
        assert_eq!(answer.status, status, "{path}");
        assert!(answer.head.contains("www-authenticate: bearer"), "{}", answer.head);
        assert_eq!(farm.get(path, Some(&guess)).await.status, 401, "{path}");
        assert_eq!(farm.get(path, Some(&worker)).await.status, 403, "{path}");
    }
    assert_eq!(farm.get("/metrics", Some(&viewer)).await.status, 200);
    // Numbers of all shows are not for a token of one.
    assert_eq!(farm.get("/metrics", Some(&narrow)).await.status, 403);
    assert_eq!(farm.get(&job, Some(&viewer)).await.status, 200);
    let refused = farm.get(&job, Some(&narrow)).await;
    assert!(refused.status == 403 && refused.body.contains("F0604"), "{}", refused.body);
    let own = farm.get(&format!("/api/jobs/{mine}"), Some(&narrow)).await;
    assert_eq!(own.status, 200);
    let view: serde_json::Value = serde_json::from_str(&own.body).unwrap();
    assert_eq!(view["steps"][0]["frames"], "1001-1024");
    let list: serde_json::Value =
        serde_json::from_str(&farm.get("/api/jobs?most=10", Some(&narrow)).await.body).unwrap();
    assert_eq!((list["all"].as_u64(), list["jobs"].as_array().unwrap().len()), (Some(1), 1));
    assert_eq!(farm.get("/api/jobs/j999", Some(&viewer)).await.status, 404);
    assert_eq!(farm.get("/api/jobs/..%2f..", Some(&viewer)).await.status, 404);
}

#[tokio::test]
async fn metrics_count_the_farm_and_its_calls() {
    let farm = Farm::start().await;
    farm.submit("atlas").await;
    let text = farm.get("/metrics", Some(&farm.admin)).await.body;
    assert!(text.contains("platefarm_frames{show=\"atlas\",state=\"waiting\"} 24"), "{text}");
    assert!(
        text.contains(
            "platefarm_calls_total{method=\"platefarm.v1.Farm/SubmitJob\",outcome=\"ok\"} 1"
        ),
        "{text}"
    );
    let list: serde_json::Value = serde_json::from_str(
        &farm.get("/api/jobs?find=ATLAS&only=active&most=5", Some(&farm.admin)).await.body,
    )
    .unwrap();
    assert_eq!(list["found"], 1);
    let none: serde_json::Value = serde_json::from_str(
        &farm.get("/api/jobs?find=nobody&most=5", Some(&farm.admin)).await.body,
    )
    .unwrap();
    assert_eq!(none["found"], 0);
}

/// The stream says the farm at once, and again when it has changed.
#[tokio::test]
async fn the_stream_speaks_when_something_happens() {
    let farm = Farm::start().await;
    let mut stream = TcpStream::connect(farm.http).await.unwrap();
    let head = format!(
        "GET /api/stream HTTP/1.1\r\nhost: farm\r\nauthorization: Bearer {}\r\n\r\n",
        farm.admin.expose()
    );
    stream.write_all(head.as_bytes()).await.unwrap();
    let mut text = String::new();
    let mut until = async |wanted: &str| {
        let read = async {
            let mut buffer = vec![0; 16 * 1024];
            while !text.contains(wanted) {
                let count = stream.read(&mut buffer).await.unwrap();
                assert!(count > 0, "the stream ended: {text}");
                text.push_str(&String::from_utf8_lossy(&buffer[..count]));
            }
        };
        tokio::time::timeout(std::time::Duration::from_secs(30), read).await.expect(wanted);
    };
    until("\"jobs\":0").await;
    farm.submit("atlas").await;
    until("\"jobs\":1").await;
}

/// A page that is open when its token is revoked hears nothing more.
#[tokio::test]
async fn the_stream_ends_with_its_token() {
    let farm = Farm::start().await;
    let viewer = Farm::token(&farm.store, Role::Viewer, &[]).await;
    let mut stream = TcpStream::connect(farm.http).await.unwrap();
    let head = format!(
        "GET /api/stream HTTP/1.1\r\nhost: farm\r\nconnection: close\r\n\
         authorization: Bearer {}\r\n\r\n",
        viewer.expose()
    );
    stream.write_all(head.as_bytes()).await.unwrap();
    let mut buffer = vec![0; 16 * 1024];
    assert!(stream.read(&mut buffer).await.unwrap() > 0, "it speaks");
    let id = &platefarm_proto::dial::hash_hex(viewer.expose().as_bytes())[..12];
    farm.store.revoke(id, Timestamp(2)).await.unwrap();
    let end = async { while stream.read(&mut buffer).await.unwrap() > 0 {} };
    tokio::time::timeout(std::time::Duration::from_secs(20), end).await.expect("it ends");
    assert_eq!(farm.get("/api/stream", Some(&viewer)).await.status, 401);
}

/// What workers show of frames is seen by those who see the job, and by nobody else.
#[tokio::test]
async fn what_comes_out_is_shown() {
    let farm = Farm::start().await;
    let job = farm.submit("atlas").await;
    let word = Farm::token(&farm.store, Role::Worker, &[]).await;
    let dial = Dial { token: Some(word), ..Dial::from(&farm.url) };
    let channel = dial.endpoint().unwrap().connect().await.unwrap();
    let mut work = WorkClient::with_interceptor(channel, dial.bearer().unwrap());
    let request = v1::RegisterRequest {
        name: "rack".into(),
        slots: 1,
        backend: "cpu".into(),
        instance: "i".into(),
        ..Default::default()
    };
    let worker = work.register(request).await.unwrap().into_inner().worker;
    let acquired = work.acquire(v1::AcquireRequest { worker, wait_ms: 0 }).await.unwrap();
    let token = acquired.into_inner().lease.unwrap().token;
    let png = b"\x89PNG\r\n\x1a\n and so on".to_vec();
    let shown = v1::ShowRequest { worker, token, frame: 1003, png: png.clone() };
    work.show(shown.clone()).await.unwrap();
    let code = |status: tonic::Status| from_status(&status).code;
    let stale = v1::ShowRequest { token: token + 7, ..shown.clone() };
    assert_eq!(code(work.show(stale).await.unwrap_err()), Code::StaleLease);
    let script = v1::ShowRequest { png: b"<script>".to_vec(), ..shown };
    assert_eq!(code(work.show(script).await.unwrap_err()), Code::BadSpec);

    let view = farm.get(&format!("/api/jobs/{job}"), Some(&farm.admin)).await.body;
    let view: serde_json::Value = serde_json::from_str(&view).unwrap();
    let expected = serde_json::json!([{ "step": 0, "name": "a", "frame": 1003 }]);
    assert_eq!(view["stills"], expected, "{view}");
    // How far a package is, which is one frame of it, is seen where it is looked at.
    assert_eq!((&view["making"], &view["packs"]), (&serde_json::json!([]), &false.into()));
    let making = v1::Making {
        stage: v1::MakingStage::Checking.into(),
        done: 3,
        total: 9,
        bytes: 10,
        total_bytes: 30,
    };
    let making = Some(making);
    let pulse = v1::LeasePulse { token, in_hand: Some(1001), progress: 1, making, last: None };
    let beat = v1::HeartbeatRequest { worker, tokens: vec![], leases: vec![pulse] };
    work.heartbeat(beat).await.unwrap();
    let view = farm.get(&format!("/api/jobs/{job}"), Some(&farm.admin)).await.body;
    let view: serde_json::Value = serde_json::from_str(&view).unwrap();
    let expected = serde_json::json!([{
        "step": 0, "name": "a", "what": "checking frames",
        "done": 3, "total": 9, "bytes": 10, "total_bytes": 30,
    }]);
    assert_eq!(view["making"], expected, "{view}");

    let path = format!("/api/jobs/{job}/steps/0/still");
    let other = Farm::token(&farm.store, Role::Viewer, &["zeus"]).await;
    assert_eq!(farm.get(&path, Some(&other)).await.status, 403);
    assert_eq!(
        farm.get(&format!("/api/jobs/{job}/steps/1/still"), Some(&farm.admin)).await.status,
        404
    );
    let url = format!("http://{}{path}", farm.http);
    let _ = rustls::crypto::ring::default_provider().install_default();
    let picture = reqwest::Client::new().get(url).bearer_auth(farm.admin.expose()).send().await;
    let picture = picture.unwrap();
    assert_eq!(picture.headers()["content-type"], "image/png");
    assert_eq!(picture.bytes().await.unwrap(), png);
}

/// Where nobody has to say who they are, another site's page in the same browser
/// gets nothing: not by a name that it lets point here, and not by a form.
#[tokio::test]
async fn other_sites_do_not_reach_a_farm_of_this_machine() {
    let farm = Farm::with(false).await;
    farm.submit("atlas").await;
    let get = async |host: &str| farm.send("GET", "/api/jobs", host, None, "", "").await.status;
    for host in ["localhost", "localhost:7880", "127.0.0.1:7880", "[::1]:7880"] {
        assert_eq!(get(host).await, 200, "{host}");
    }
    for host in
        ["evil.example", "evil.example:7880", "127.0.0.1.evil.example", "localhost.evil.example"]
    {
        assert_eq!(get(host).await, 403, "{host}");
    }
    let pause = "{\"deed\":\"jobs pause\",\"on\":[\"j1\"]}";
    for kind in ["text/plain", "application/x-www-form-urlencoded", ""] {
        let sent = farm.send("POST", "/api/deeds", "localhost", None, kind, pause).await;
        assert_eq!(sent.status, 415, "{kind}");
    }
    assert_eq!(farm.post("/api/deeds", None, pause).await.status, 200);
}

/// Frames with their times, and what went wrong: also of a job that has none yet.
#[tokio::test]
async fn a_jobs_page_is_told_in_parts() {
    let farm = Farm::start().await;
    let job = farm.submit("atlas").await;
    let ask = async |path: &str| -> serde_json::Value {
        let answer = farm.get(&format!("/api/jobs/{job}{path}"), Some(&farm.admin)).await;
        assert_eq!(answer.status, 200, "{path}: {}", answer.body);
        serde_json::from_str(&answer.body).unwrap()
    };
    let steps = ask("?only=open&most=1").await;
    assert_eq!((&steps["steps_found"], &steps["step_phases"]["pending"]), (&1.into(), &1.into()));
    assert_eq!(ask("?only=done").await["steps"].as_array().map(Vec::len), Some(0));
    assert_eq!(ask("?skip=7").await["steps"].as_array().map(Vec::len), Some(0));
    assert_eq!(ask("/errors").await["causes"], serde_json::json!([]));
    let times = ask("/steps/0/times?cells=600").await;
    assert_eq!(times["cells"].as_array().map(Vec::len), Some(24), "no more cells than frames");
    assert_eq!(ask("/steps/0/frames?first=1001&last=1024").await["frames"], serde_json::json!([]));
    assert!(ask("/explain").await["groups"].is_array());
    for missing in ["/steps/9/times?cells=1", "/package/contact_sheet.png", "/package/report.json"]
    {
        let answer = farm.get(&format!("/api/jobs/{job}{missing}"), Some(&farm.admin)).await;
        assert_eq!(answer.status, 404, "{missing}: {}", answer.body);
    }
    assert_eq!(farm.get("/api/library", Some(&farm.admin)).await.status, 404);
    assert_eq!(farm.get("/api/workers/w9", Some(&farm.admin)).await.status, 404);
}
