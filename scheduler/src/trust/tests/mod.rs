//! The door, from outside: a real scheduler on a real socket, and every way
//! in that we can think of. The table is walked in full against the protos.

mod laws;
mod shelf;
mod store;
mod streams;
mod walk;
mod ways;

use super::{Limits, Settings, issue};
use crate::service::{Config, bind, serve};
use crate::store::{Place, TrustStore};
use platefarm_model::job::{JobSpec, StepKind, StepSpec};
use platefarm_model::trust::{NewToken, Role, TokenView};
use platefarm_model::{Code, Fault, FrameRange, Outcome, Secret, Timestamp};
use platefarm_proto::convert::from_status;
use platefarm_proto::dial::{Dial, Line};
use platefarm_proto::{FarmClient, TrustClient, WorkClient, v1};
use std::time::{SystemTime, UNIX_EPOCH};
use tempfile::TempDir;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tonic::transport::Channel;

/// A scheduler that asks for tokens.
struct Farm {
    url: String,
    store: TrustStore,
    admin: Secret,
    task: JoinHandle<Outcome<()>>,
    _stop: oneshot::Sender<()>,
    _dir: TempDir,
}

fn now() -> Timestamp {
    Timestamp(SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_micros() as i64)
}

fn new(role: Role, shows: &[&str]) -> NewToken {
    NewToken {
        name: role.name().into(),
        role,
        shows: shows.iter().map(|s| (*s).into()).collect(),
        lifetime_s: None,
        certificate: None,
    }
}

impl Farm {
    async fn start() -> Self {
        Self::with(Limits::default()).await
    }

    async fn with(limits: Limits) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let place = Place::Sqlite(dir.path().join("farm.db"));
        let store = TrustStore::open(&place).await.unwrap();
        let (_, admin) = issue(&store, &new(Role::Admin, &[]), "test", now()).await.unwrap();
        let mut config = Config::new(place);
        config.library = Some(Place::Sqlite(dir.path().join("clips.db")));
        config.trust = Settings { tokens: true, limits, ..Settings::default() };
        let listener = bind("127.0.0.1:0".parse().unwrap()).await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let (stop, stopped) = oneshot::channel::<()>();
        let stopped = async move { drop(stopped.await) };
        let task = tokio::spawn(serve(listener, config, stopped));
        Self { url, store, admin: admin.unwrap(), task, _stop: stop, _dir: dir }
    }

    async fn token(&self, role: Role, shows: &[&str]) -> (TokenView, Secret) {
        let (view, word) = issue(&self.store, &new(role, shows), "test", now()).await.unwrap();
        (view, word.unwrap())
    }

    async fn channel(&self) -> Channel {
        Dial::from(&self.url).endpoint().unwrap().connect().await.unwrap()
    }

    fn dial(&self, token: Option<&Secret>) -> Dial {
        Dial { token: token.cloned(), ..Dial::from(&self.url) }
    }

    async fn farm(&self, token: &Secret) -> FarmClient<Line> {
        let dial = self.dial(Some(token));
        FarmClient::with_interceptor(self.channel().await, dial.bearer().unwrap())
    }

    /// A worker that has registered, with its number.
    async fn worker(&self) -> (TokenView, WorkClient<Line>, u64) {
        let (view, word) = self.token(Role::Worker, &[]).await;
        let bearer = self.dial(Some(&word)).bearer().unwrap();
        let mut work = WorkClient::with_interceptor(self.channel().await, bearer);
        let request = v1::RegisterRequest {
            name: "w".into(),
            slots: 1,
            backend: "cpu".into(),
            instance: "i".into(),
            traits: None,
        };
        let number = work.register(request).await.unwrap().into_inner().worker;
        (view, work, number)
    }

    async fn trust(&self, token: Option<&Secret>) -> TrustClient<Line> {
        let dial = self.dial(token);
        TrustClient::with_interceptor(self.channel().await, dial.bearer().unwrap())
    }
}

impl Drop for Farm {
    fn drop(&mut self) {
        self.task.abort();
    }
}

fn job(show: &str, name: &str) -> v1::SubmitJobRequest {
    let spec = JobSpec {
        name: name.into(),
        show: show.into(),
        priority: 0,
        idempotency_key: None,
        terms: Default::default(),
        steps: vec![StepSpec {
            name: "a".into(),
            kind: StepKind::Noop { millis_per_frame: 0 },
            frames: FrameRange::of_len(1001, 4),
            after: vec![],
            max_attempts: 3,
            terms: Default::default(),
        }],
    };
    v1::SubmitJobRequest { job: Some((&spec).into()) }
}

fn fault<T: std::fmt::Debug>(answer: Result<T, tonic::Status>) -> Fault {
    from_status(&answer.unwrap_err())
}

fn code<T: std::fmt::Debug>(answer: Result<T, tonic::Status>) -> Code {
    fault(answer).code
}
